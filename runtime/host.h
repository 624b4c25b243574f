/* C functions that a context lends its kernels (host.c). */
#ifndef JR_RUNTIME_HOST_H
#define JR_RUNTIME_HOST_H

#include "runtime/compile.h"

/* Those of the context now, for a module being compiled: into its arena. */
void jr_hosts_copy(JrContext *context, JrArena *arena, JrHosts *out);
/* When the context goes. */
void jr_hosts_free(JrContext *context);

#endif

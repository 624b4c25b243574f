/* C functions that a context lends its kernels (host.c). */
#ifndef JR_RUNTIME_HOST_H
#define JR_RUNTIME_HOST_H

#include "runtime/compile.h"

/* Those of the context now, for a module being compiled: into its arena. */
void jr_hosts_copy(JrContext *context, JrArena *arena, JrHosts *out);
/* When the context goes. */
void jr_hosts_free(JrContext *context);

/* ---- host_signature.c ---- */

enum {
    JR_HOST_TYPES = 2 * (JR_MAX_HOST_PARAMS + JR_MAX_HOST_RESULTS),
    JR_HOST_TYPE_TEXT = 48
};

/* A signature taken apart: the result's types, and then the parameters'. */
typedef struct JrHostSpec {
    uint32_t nparams, nleaves, nrets, user_at; /* as in FeHost */
    uint32_t ntypes, params_at;
    FeHostType types[JR_HOST_TYPES];
} JrHostSpec;

/* NULL, or why it is none. */
const char *jr_host_read_signature(const char *text, JrHostSpec *spec);
/* JR_HOST_TYPE_TEXT bytes for each type, and as many more, hold it. */
void jr_host_write_signature(char *to, const JrHostSpec *spec);

#endif

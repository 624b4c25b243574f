/* What threads do that a fork waits for (fork.c). */
#ifndef JR_RUNTIME_FORK_H
#define JR_RUNTIME_FORK_H

#include "runtime/compile.h"

/* Between these a fork by another thread waits, so that its child finds nothing half done and no
 * lock held by a thread that it does not have. They nest. Between them nothing waits for a lock of the host
 * program's, which whoever forks may hold. */
void jr_fork_hold(void);
void jr_fork_release(void);
/* Lets go of all this thread's holds for a while: how many there were, for resume. */
int jr_fork_pause(void);
void jr_fork_resume(int holds);

/* A module's lock, and a context's of its host functions. */
void jr_module_lock(JrModule *module);
void jr_module_unlock(JrModule *module);
void jr_hosts_lock(JrContext *context);
void jr_hosts_unlock(JrContext *context);

/* From the first context on forks are seen. */
void jr_fork_watch(void);

#endif

/* When a module goes (lifetime.c). */
#ifndef JR_RUNTIME_LIFETIME_H
#define JR_RUNTIME_LIFETIME_H

#include "runtime/compile.h"

/* Around a call into a module: it stays until this thread has left it, whoever frees it
 * meanwhile. False, with the error set, when there is no memory for the thread's state. */
bool jr_module_enter(JrModule *module);
void jr_module_leave(JrModule *module);

/* In the child of a fork, where no other thread is. */
void jr_modules_after_fork(void);

#endif

/* The error slot, one per thread, with the thread's runtime state beside it. */
#ifndef JR_RUNTIME_ERROR_H
#define JR_RUNTIME_ERROR_H

#include "jitrun.h"
#include "runtime/rt/rt.h"

/* This thread's runtime state, or NULL when there is no memory. */
JrThread *jr_thread_current(void);
/* jr_thread_alarm for each thread whose cancel flag this is. In a signal handler too. */
void jr_threads_alarm(const volatile int32_t *cancel);
/* The modules this thread is in, for others to see; NULL when there is no memory. */
enum { JR_HOLDS = 16 };
typedef struct JrHolds {
    _Atomic(const JrModule *) modules[JR_HOLDS];
    uint32_t depth;
} JrHolds;
JrHolds *jr_thread_holds(void);
/* Whether any thread is in the module. */
bool jr_threads_hold(const JrModule *module);
/* In the child of a fork: the other threads are in no module, and look at nothing. */
void jr_threads_after_fork(void);
/* What is called when a thread with holds has ended. */
void jr_threads_when_gone(void (*gone)(void));
JrStatus jr_error_set(JrStatus status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The error of a call that would print while the thread is inside a JrWrite. */
JrStatus jr_error_in_write(void);
/* The error of a run that has races. */
JrStatus jr_error_races(const JrRaceCheck *check);
/* Takes over the error that a kernel left in this thread's state. */
JrStatus jr_error_take(JrThread *thread);

#endif

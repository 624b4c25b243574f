/* What calls do around compiled code, for the callers in whose calls nanoseconds count: rt_gate.c and
 * call.c.
 *
 * A thread that runs a kernel has that kernel's context about it: where print goes, the heap
 * arrays come from, the flag that cancels the run. Entering puts what was there before aside in
 * the JrOutside, for a kernel may have been running already: a host function it called can call
 * kernels, of other contexts too. */
#ifndef JR_RUNTIME_GATE_H
#define JR_RUNTIME_GATE_H

#include "runtime/rt/slot.h"

/* What a function needs to be called. One that asks for nothing of the context (IrFunc.needs_context)
 * only needs to know its thread, to leave its error there, and one that cannot fail not even that. */
typedef enum JrNeeds {
    NEEDS_CONTEXT, /* jr_gate_enter and jr_gate_leave */
    NEEDS_THREAD,  /* jr_slot_ready, and jr_error_take when it fails */
    NEEDS_NOTHING, /* it may be passed NULL for its JrRt */
} JrNeeds;

typedef struct JrOutside {
    JrSink sink;
    JrHeap *heap;
    JrCancel cancel;
    uint32_t depth;
    bool sink_failed, within, held;
} JrOutside;

/* This thread, if a kernel may begin on it, which then has an empty error slot; NULL with the error. */
static inline JrThread *jr_gate_ready(void) {
    JrThread *thread = jr_slot_ready();
    if (!thread || (char *)__builtin_frame_address(0) >= thread->true_limit) return thread;
    jr_slot_refuse();
    return NULL;
}

static inline void jr_gate_begin(JrThread *thread, JrOutside *outside, const JrHost *host) {
    *outside = (JrOutside){.depth = jr_random_depth(&thread->random)};
    outside->within = thread->rt.cancel == host->cancel && !host->listened;
    if (outside->within) return;
    if (thread->buffered) jr_thread_flush(thread);
    outside->sink = thread->sink;
    outside->heap = thread->heap;
    outside->sink_failed = thread->sink_failed;
    outside->cancel = jr_thread_set_cancel(thread, host->cancel);
    thread->sink = host->sink;
    thread->heap = host->heap;
    thread->sink_failed = false;
}

/* Whether all that was printed could be written. */
static inline bool jr_gate_put_back(JrThread *thread, const JrOutside *outside) {
    if (outside->within) return true;
    jr_thread_restore_cancel(thread, outside->cancel);
    if (thread->buffered) jr_thread_flush(thread);
    bool written = !thread->sink_failed;
    thread->sink = outside->sink;
    thread->heap = outside->heap;
    thread->sink_failed = outside->sink_failed;
    return written;
}

/* Begins a run of a kernel on this thread: it prints, allocates and looks for a cancel where the
 * host says. A call from a host function is part of the run that called that, if both are of one
 * context: it prints to the same place, and is stopped with it. NULL, with the error, if no
 * kernel may begin. */
static inline JrThread *jr_gate_enter(JrOutside *outside, const JrHost *host) {
    JrThread *thread = jr_gate_ready();
    if (thread) jr_gate_begin(thread, outside, host);
    return thread;
}

/* Has the run yield, or does so at once if it is a run within a run. */
static inline void jr_gate_let_yield(JrThread *thread, const JrOutside *outside,
                                     const JrYield *yield) {
    if (!outside->within && outside->cancel.flag == &thread->never)
        jr_thread_set_yield(thread, yield);
    else
        yield->yield(yield->user);
}

/* Ends it: puts back what was before, and returns what the call came to. */
static inline int32_t jr_gate_leave(JrThread *thread, const JrOutside *outside,
                                    int32_t status) {
    if (status) jr_random_unwind(&thread->random, outside->depth);
    bool written = jr_gate_put_back(thread, outside);
    if (status) return (int32_t)jr_error_take(thread);
    if (jr_slot->error.status) jr_error_clear(); /* what host functions did and got over */
    if (written) return JR_OK;
    return (int32_t)jr_error_set(JR_ERR_IO, "what the kernel printed could not be written");
}

#endif

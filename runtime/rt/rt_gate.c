/* Where calls from C come into compiled code, and where they leave it (ir/rt.h's JR_RT_GATES).
 *
 * A thread that runs a kernel has that kernel's context about it: where print goes, the heap
 * arrays come from, the flag that cancels the run. Entering puts what was there before aside in
 * the gate, for a kernel may have been running already: a host function it called can call
 * kernels, of other contexts too. A function that can fail but asks for none of these
 * (IrFunc.needs_context) only needs to know its thread, and one that cannot fail not even that.
 */
#include "runtime/rt/slot.h"
#include "runtime/value.h"

#include <stdio.h>
#include <string.h>

typedef struct Saved {
    JrSink sink;
    JrHeap *heap;
    JrCancel cancel;
    uint32_t depth;
    bool sink_failed, within, held;
} Saved;

_Static_assert(sizeof(Saved) <= sizeof(JrGate), "engines make room for a gate");

static inline void begin(JrThread *thread, Saved *saved, const JrHost *host) {
    *saved = (Saved){.depth = jr_random_depth(&thread->random)};
    saved->within = thread->rt.cancel == host->cancel && !host->listened;
    if (saved->within) return;
    if (thread->buffered) jr_thread_flush(thread);
    saved->sink = thread->sink;
    saved->heap = thread->heap;
    saved->sink_failed = thread->sink_failed;
    saved->cancel = jr_thread_set_cancel(thread, host->cancel);
    thread->sink = host->sink;
    thread->heap = host->heap;
    thread->sink_failed = false;
}

/* Whether all that was printed could be written. */
static inline bool put_back(JrThread *thread, const Saved *saved) {
    if (saved->within) return true;
    jr_thread_restore_cancel(thread, saved->cancel);
    if (thread->buffered) jr_thread_flush(thread);
    bool written = !thread->sink_failed;
    thread->sink = saved->sink;
    thread->heap = saved->heap;
    thread->sink_failed = saved->sink_failed;
    return written;
}

static inline JrThread *enter(Saved *saved, const JrHost *host) {
    JrThread *thread = jr_slot_ready();
    if (!thread) return NULL;
    if ((char *)__builtin_frame_address(0) < thread->true_limit) return jr_slot_refuse();
    begin(thread, saved, host);
    return thread;
}

static inline int32_t leave(JrThread *thread, const Saved *saved, int32_t status) {
    if (status) jr_random_unwind(&thread->random, saved->depth);
    bool written = put_back(thread, saved);
    if (status) return jr_error_take(thread);
    jr_error_clear(); /* what host functions did and got over */
    if (written) return JR_OK;
    return jr_error_set(JR_ERR_IO, "what the kernel printed could not be written");
}

JrThread *jr_thread_enter(JrGate *gate, const JrHost *host) {
    return enter((Saved *)gate, host);
}

void jr_thread_let_yield(JrThread *thread, const JrGate *gate, const JrYield *yield) {
    const Saved *saved = (const Saved *)gate;
    if (!saved->within && saved->cancel.flag == &thread->never)
        jr_thread_set_yield(thread, yield);
    else
        yield->yield(yield->user);
}

int32_t jr_thread_leave(JrThread *thread, JrGate *gate, int32_t status) {
    return leave(thread, (const Saved *)gate, status);
}

/* ---- Typed pointers ---- */

/* Code that was compiled ahead of time belongs to no context: it prints to standard output, as
 * any program does. */
static bool write_out(void *user, const char *bytes, size_t len) {
    (void)user;
    return fwrite(bytes, 1, len, stdout) == len;
}

static const JrHost no_context = {.sink = {write_out, NULL}};

/* The module is held as in lifetime.c, but for what is nested deeper than that has room. */
static inline bool hold(const JrHost *host) {
    JrHolds *holds = &jr_slot->holds;
    if (holds->depth >= JR_HOLDS) return false;
    atomic_store_explicit(&holds->modules[holds->depth++], host->module, memory_order_release);
    return true;
}

JrRt *jr_rt_enter(JrGate *gate, const void *host) {
    const JrHost *inner = host ? host : &no_context;
    Saved *saved = (Saved *)gate;
    JrThread *thread = enter(saved, inner);
    if (!thread) return NULL;
    saved->held = hold(inner);
    return &thread->rt;
}

/* What is returned to is the module's code. So the hold stays where it is, to be overwritten by the
 * next one: the thread itself knows by `depth` that it is none. */
int32_t jr_rt_leave(JrRt *rt, JrGate *gate, int32_t status) {
    const Saved *saved = (const Saved *)gate;
    if (saved->held) jr_slot->holds.depth--;
    return leave(jr_thread_of(rt), saved, status);
}

JrRt *jr_rt_here(void) {
    JrThread *thread = jr_slot_ready();
    return thread ? &thread->rt : NULL;
}

int32_t jr_rt_failed(JrRt *rt) {
    return rt ? jr_error_take(jr_thread_of(rt)) : jr_error()->status;
}

int32_t jr_rt_check_array(const char *func, const char *param, uint32_t type,
                          const JrArray *array) {
    JrArrayValue value;
    jr_value_fill_array(ir_type_of_bits(type), array, &value);
    const char *fault = jr_array_fault(&value);
    if (!fault) return JR_OK;
    return jr_error_set(JR_ERR_ARGUMENT, "%s: the array '%s' %s", func, param, fault);
}

void jr_rt_give_array(void *out, uint32_t type, const JrArray *array, int32_t readonly) {
    if (!out) {
        jr_rt_release(array->owner);
        return;
    }
    JrArrayValue *value = out;
    jr_value_fill_array(ir_type_of_bits(type), array, value);
    value->readonly = readonly && !array->owner;
}

void jr_rt_give_nothing(void *out, uint32_t type) {
    IrType ir = ir_type_of_bits(type);
    size_t size = ir.ndim ? sizeof(JrArrayValue) : ir_scalar_size((IrScalar)ir.scalar);
    if (out) memset(out, 0, size);
}

/* Where calls from C come into compiled code, and where they leave it (ir/rt.h's JR_RT_GATES).
 *
 * A thread that runs a kernel has that kernel's context about it: where print goes, the heap
 * arrays come from, the flag that cancels the run. Entering puts what was there before aside in
 * the gate, for a kernel may have been running already: a host function it called can call
 * kernels, of other contexts too. A function that can fail but asks for none of these
 * (IrFunc.needs_context) only needs to know its thread, and one that cannot fail not even that.
 */
#include "runtime/slot.h"
#include "runtime/value.h"

#include <stdio.h>
#include <string.h>

typedef struct Saved {
    JrSink sink;
    JrHeap *heap;
    JrCancel cancel;
    uint32_t depth;
    bool sink_failed;
} Saved;

_Static_assert(sizeof(Saved) <= sizeof(JrGate), "engines make room for a gate");

/* Code that was compiled ahead of time belongs to no context: it prints to standard output, as
 * any program does. */
static bool write_out(void *user, const char *bytes, size_t len) {
    (void)user;
    return fwrite(bytes, 1, len, stdout) == len;
}

static const JrHost no_context = {.sink = {write_out, NULL}};

JrRt *jr_rt_enter(JrGate *gate, const void *host) {
    const JrHost *inner = host ? host : &no_context;
    Saved *saved = (Saved *)gate;
    JrThread *thread = jr_slot_ready();
    if (!thread) return NULL;
    if (thread->buffered) jr_thread_flush(thread);
    *saved = (Saved){thread->sink, thread->heap, jr_thread_set_cancel(thread, inner->cancel),
                     jr_random_depth(&thread->random), thread->sink_failed};
    thread->sink = inner->sink;
    thread->heap = inner->heap;
    thread->sink_failed = false;
    return &thread->rt;
}

int32_t jr_rt_leave(JrRt *rt, JrGate *gate, int32_t status) {
    JrThread *thread = jr_thread_of(rt);
    const Saved *saved = (const Saved *)gate;
    if (status) jr_random_unwind(&thread->random, saved->depth);
    jr_thread_restore_cancel(thread, saved->cancel);
    if (thread->buffered) jr_thread_flush(thread);
    bool written = !thread->sink_failed;
    thread->sink = saved->sink;
    thread->heap = saved->heap;
    thread->sink_failed = saved->sink_failed;
    if (status) return jr_error_take(thread);
    if (written) return JR_OK;
    return jr_error_set(JR_ERR_IO, "what the kernel printed could not be written");
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

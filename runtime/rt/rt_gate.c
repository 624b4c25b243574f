/* Where calls from C come into compiled code, and where they leave it (ir/rt.h's JR_RT_GATES).
 * What a function needs of its thread is its JrNeeds (gate.h). */
#include "runtime/rt/gate.h"
#include "runtime/value.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(JrOutside) <= sizeof(JrGate), "engines make room for a gate");

/* ---- Typed pointers ---- */

/* Code that was compiled ahead of time belongs to no context: it prints to standard output, as
 * any program does. */
static bool write_out(void *user, const char *bytes, size_t len) {
    (void)user;
    return fwrite(bytes, 1, len, stdout) == len;
}

static const JrHost no_context = {.sink = {write_out, NULL}};

/* The module is held as in lifetime.c, but for what is nested deeper than that has room. */
static inline bool hold(JrHolds *holds, const JrHost *host) {
    if (holds->depth >= JR_HOLDS) return false;
    atomic_store_explicit(&holds->modules[holds->depth++], host->module, memory_order_release);
    return true;
}

JrRt *jr_rt_enter(JrGate *gate, const void *host) {
    const JrHost *inner = host ? host : &no_context;
    JrOutside *outside = (JrOutside *)gate;
    JrThread *thread = jr_gate_enter(outside, inner);
    if (!thread) return NULL;
    outside->held = hold(&jr_slot->holds, inner);
    return &thread->rt;
}

/* What is returned to is the module's code. So the hold stays where it is, to be overwritten by the
 * next one: the thread itself knows by `depth` that it is none. */
int32_t jr_rt_leave(JrRt *rt, JrGate *gate, int32_t status) {
    const JrOutside *outside = (const JrOutside *)gate;
    if (outside->held) jr_slot->holds.depth--;
    return jr_gate_leave(jr_thread_of(rt), outside, status);
}

/* As jr_gate_begin and jr_gate_leave do, but that where print goes and arrays come from stays as it
 * is, for a function that does neither and calls nobody who does. */
JrRt *jr_rt_begin(JrGate *gate, const void *host) {
    const JrHost *inner = host ? host : &no_context;
    JrOutside *outside = (JrOutside *)gate;
    JrThread *thread = jr_gate_ready();
    if (!thread) return NULL;
    outside->held = hold(&jr_slot->holds, inner);
    outside->within = thread->rt.cancel == inner->cancel && !inner->listened;
    if (!outside->within) outside->cancel = jr_thread_set_cancel(thread, inner->cancel);
    return &thread->rt;
}

int32_t jr_rt_end(JrRt *rt, JrGate *gate, int32_t status) {
    const JrOutside *outside = (const JrOutside *)gate;
    if (outside->held) jr_slot->holds.depth--;
    if (!outside->within) jr_thread_restore_cancel(jr_thread_of(rt), outside->cancel);
    return status ? (int32_t)jr_error_take(jr_thread_of(rt)) : JR_OK;
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

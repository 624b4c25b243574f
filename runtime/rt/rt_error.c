/* The pending error: what raised it, what it says, and the calls it passed through.
 *
 * An error unwinds through compiled code as a plain status. Each call it passes through adds a
 * frame with jr_rt_trace; a RecursionError adds tens of thousands, so the middle is dropped:
 * the first frames stay, and the last ones go round in a ring. */
#include "runtime/rt/rt.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Names: each distinct one is stored once ---- */

static uint32_t name_find(const JrPendingError *error, const char *name) {
    for (uint32_t at = 0; at < error->text_len; at += (uint32_t)strlen(error->text + at) + 1)
        if (strcmp(error->text + at, name) == 0) return at;
    return UINT32_MAX;
}

static bool text_reserve(JrThread *thread, size_t more) {
    JrPendingError *error = &thread->error;
    size_t need = error->text_len + more, cap = error->text_cap ? error->text_cap : 512;
    while (cap < need)
        cap *= 2;
    if (cap == error->text_cap) return true;
    if (cap > UINT32_MAX / 2) return false;
    char *text = jr_alloc_resize(thread->alloc, error->text, cap);
    if (!text) return false;
    error->text = text;
    error->text_cap = (uint32_t)cap;
    return true;
}

/* With no memory the name is lost, not the error: UINT32_MAX reads as "?". */
static uint32_t name_add(JrThread *thread, const char *name) {
    JrPendingError *error = &thread->error;
    if (!name) return UINT32_MAX;
    uint32_t at = name_find(error, name);
    size_t size = strlen(name) + 1;
    if (at != UINT32_MAX || !text_reserve(thread, size)) return at;
    at = error->text_len;
    memcpy(error->text + at, name, size);
    error->text_len += (uint32_t)size;
    return at;
}

static const char *name_at(const JrPendingError *error, uint32_t at) {
    return at == UINT32_MAX ? "?" : error->text + at;
}

/* ---- Frames ---- */

static uint32_t frame_slot(uint64_t index) {
    if (index < JR_TRACE_INNER) return (uint32_t)index;
    return JR_TRACE_INNER + (uint32_t)((index - JR_TRACE_INNER) % JR_TRACE_OUTER);
}

/* Code without a place is not the user's: the error is at the call of it. */
static void frame_push(JrThread *thread, const JrWhere *where) {
    if (!where || !where->line) return;
    JrTraceFrame *frame = &thread->error.frames[frame_slot(thread->error.depth++)];
    frame->file = name_add(thread, where->file);
    frame->func = name_add(thread, where->func);
    frame->line = where->line;
    frame->col = where->col;
}

uint32_t jr_thread_frames(const JrThread *thread) {
    uint64_t most = JR_TRACE_INNER + JR_TRACE_OUTER;
    return (uint32_t)(thread->error.depth < most ? thread->error.depth : most);
}

uint64_t jr_thread_dropped(const JrThread *thread, uint32_t *before) {
    uint64_t dropped = thread->error.depth - jr_thread_frames(thread);
    if (before) *before = dropped ? JR_TRACE_INNER : 0;
    return dropped;
}

JrWhere jr_thread_frame(const JrThread *thread, uint32_t index) {
    const JrPendingError *error = &thread->error;
    uint64_t at = index;
    if (index >= JR_TRACE_INNER) at += jr_thread_dropped(thread, NULL);
    const JrTraceFrame *frame = &error->frames[frame_slot(at)];
    return (JrWhere){name_at(error, frame->file), name_at(error, frame->func), frame->line,
                     frame->col};
}

/* ---- Raising ---- */

void jr_thread_clear_error(JrThread *thread) {
    JrPendingError *error = &thread->error;
    jr_alloc_free(thread->alloc, error->message);
    error->message = NULL;
    error->brief[0] = '\0';
    error->message_len = 0;
    error->depth = 0;
    error->text_len = 0;
    thread->rt.status = EXC_NONE;
}

/* A message too long for `brief` is cut there when there is no memory for all of it. */
static void message_set(JrThread *thread, const char *bytes, size_t len) {
    JrPendingError *error = &thread->error;
    char *into = error->brief;
    if (len >= sizeof error->brief) {
        error->message = jr_alloc_new(thread->alloc, len + 1);
        if (error->message)
            into = error->message;
        else
            len = sizeof error->brief - 1;
    }
    if (len) memcpy(into, bytes, len);
    into[len] = '\0';
    error->message_len = len;
}

int32_t jr_rt_raise(JrRt *rt, const JrWhere *where, int32_t exc, const char *message,
                    int64_t len) {
    JrThread *thread = jr_thread_of(rt);
    jr_thread_clear_error(thread);
    message_set(thread, message, len > 0 ? (size_t)len : 0);
    rt->status = exc > EXC_NONE && exc < EXC_COUNT ? exc : EXC_EXCEPTION;
    frame_push(thread, where);
    return rt->status;
}

int32_t jr_raise(JrRt *rt, const JrWhere *where, IrExc exc, const char *format, ...) {
    char text[JR_MESSAGE_SHORT * 4];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (len >= (int)sizeof text) len = sizeof text - 1;
    return jr_rt_raise(rt, where, exc, text, len);
}

int32_t jr_raise_value(JrRt *rt, const JrWhere *where, const char *message) {
    return jr_rt_raise(rt, where, EXC_VALUE, message, (int64_t)strlen(message));
}

int32_t jr_rt_raise_index(JrRt *rt, const JrWhere *where, int64_t index, int64_t dim,
                          int64_t axis, int64_t ndim) {
    (void)ndim;
    return jr_raise(rt, where, EXC_INDEX,
                    "index %" PRId64 " is out of bounds for axis %" PRId64
                    " with size %" PRId64,
                    index, axis, dim);
}

int32_t jr_rt_trap(JrRt *rt, const JrWhere *where, int32_t trap) {
    const char *message = ir_trap_message((IrTrap)trap);
    return jr_rt_raise(rt, where, ir_trap_exc((IrTrap)trap), message,
                       (int64_t)strlen(message));
}

int32_t jr_rt_trace(JrRt *rt, const JrWhere *where) {
    frame_push(jr_thread_of(rt), where);
    return rt->status;
}

/* A look of a run that yields: the flag is looked at after the word was taken back, which jr_cancel
 * sets after it changed the flag. */
static bool look_and_yield(JrThread *thread) {
    JrYielding *y = &thread->yielding;
    if (y->call.yield && --y->call.looks <= 0) jr_thread_yield(thread);
    if (!y->call.yield) __atomic_exchange_n(&y->word, 0, __ATOMIC_ACQ_REL);
    return __atomic_load_n(y->flag, __ATOMIC_RELAXED) != y->seen;
}

int32_t jr_rt_poll(JrRt *rt, const JrWhere *where) {
    JrThread *thread = jr_thread_of(rt);
    bool yields = rt->cancel == &thread->yielding.word;
    if (yields ? !look_and_yield(thread) : !jr_rt_is_asked(rt)) return 0;
    const volatile int32_t *flag = yields ? thread->yielding.flag : rt->cancel;
    int32_t cancel = __atomic_load_n(flag, __ATOMIC_RELAXED);
    switch (cancel & JR_CANCEL_REASON) {
    case EXC_INTERRUPT: return jr_raise(rt, where, EXC_INTERRUPT, "interrupted");
    case EXC_TIMEOUT: return jr_raise(rt, where, EXC_TIMEOUT, "timed out");
    default: return 0;
    }
}

int32_t jr_rt_deep(JrRt *rt, const JrWhere *where) {
    if (!jr_thread_end_alarm(jr_thread_of(rt))) return jr_rt_trap(rt, where, TRAP_RECURSION);
    int32_t status = jr_rt_poll(rt, where);
    bool deep = jr_thread_is_deep(jr_thread_of(rt)); /* the look may have set another alarm */
    return !status && deep ? jr_rt_trap(rt, where, TRAP_RECURSION) : status;
}

/* ---- Reading ---- */

const char *jr_thread_exception(const JrThread *thread) {
    return thread->rt.status ? ir_exc_name((IrExc)thread->rt.status) : NULL;
}

const char *jr_thread_message(const JrThread *thread, size_t *len) {
    if (len) *len = thread->error.message_len;
    return thread->error.message ? thread->error.message : thread->error.brief;
}

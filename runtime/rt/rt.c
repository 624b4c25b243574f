#include "runtime/rt/rt.h"

#include "runtime/rt/array.h"
#include "runtime/threads/races.h"

#include <string.h>

void jr_thread_init(JrThread *thread, JrHeap *heap) {
    memset(thread, 0, sizeof *thread);
    thread->alloc = jr_heap_alloc(heap);
    thread->heap = jr_heap_ref(heap);
    thread->rt.cancel = &thread->never;
    jr_random_init(&thread->random, thread->alloc);
}

void jr_thread_clear(JrThread *thread) {
    jr_thread_clear_error(thread);
    jr_random_clear(&thread->random);
    jr_races_free(thread->checked);
    thread->checked = NULL;
    jr_alloc_free(thread->alloc, thread->error.text);
    jr_alloc_free(thread->alloc, thread->buffer);
    thread->error.text = thread->buffer = NULL;
    thread->error.text_cap = 0;
    jr_heap_unref(thread->heap);
    thread->heap = NULL;
    thread->alloc = NULL;
}

bool jr_thread_is_within(const JrThread *thread, const volatile int32_t *cancel) {
    return __atomic_load_n(&thread->rt.cancel, __ATOMIC_RELAXED) == cancel ||
           __atomic_load_n(&thread->yielding.flag, __ATOMIC_RELAXED) == cancel;
}

void jr_thread_set_yield(JrThread *thread, const JrYield *yield) {
    JrYielding *y = &thread->yielding;
    y->call = *yield;
    y->seen = thread->rt.seen;
    __atomic_store_n(&y->word, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&y->flag, thread->rt.cancel, __ATOMIC_RELAXED);
    __atomic_store_n(&thread->rt.cancel, &y->word, __ATOMIC_RELAXED);
    thread->rt.seen = 0;
}

void jr_thread_yield(JrThread *thread) {
    JrYielding *y = &thread->yielding;
    if (!y->flag || !y->call.yield) return;
    void (*yield)(void *user) = y->call.yield;
    y->call.yield = NULL;
    yield(y->call.user);
}

bool jr_thread_is_running(const JrThread *thread) {
    return thread->rt.cancel != &thread->never;
}

/* ---- print's buffer ---- */

static void sink_write(JrThread *thread, const char *bytes, size_t len) {
    if (len == 0 || !thread->sink.write || thread->sink_failed) return;
    thread->writing = true;
    thread->sink_failed = !thread->sink.write(thread->sink.user, bytes, len);
    thread->writing = false;
}

bool jr_thread_flush(JrThread *thread) {
    size_t len = thread->buffered;
    thread->buffered = 0;
    sink_write(thread, thread->buffer, len);
    return !thread->sink_failed;
}

JrSink jr_thread_swap_sink(JrThread *thread, JrSink sink) {
    JrSink before = thread->sink;
    jr_thread_flush(thread);
    thread->sink = sink;
    thread->sink_failed = false;
    return before;
}

/* With no memory for a buffer, each piece goes out by itself. */
void jr_thread_write(JrThread *thread, const char *bytes, size_t len) {
    if (!thread->buffer) thread->buffer = jr_alloc_new(thread->alloc, JR_PRINT_BUFFER);
    if (thread->buffered + len > JR_PRINT_BUFFER) jr_thread_flush(thread);
    if (!thread->buffer || len > JR_PRINT_BUFFER) {
        sink_write(thread, bytes, len);
        return;
    }
    memcpy(thread->buffer + thread->buffered, bytes, len);
    thread->buffered += len;
}

/* The error slot, one per thread, like errno; beside it lives the thread's runtime state, made
 * when the thread first runs a kernel. Both go when the thread ends. */
#include "runtime/rt/slot.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a thread without a slot sees: there was no memory for one. */
static const JrError no_memory = {.status = JR_MEMORY_ERROR,
                                  .name = "MemoryError",
                                  .message = "out of memory",
                                  .message_len = 13};

/* Slots are used again but never freed, and only ever added: jr_threads_alarm walks the list while
 * threads come and go, in signal handlers too. */
static Slot *_Atomic slots;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

_Thread_local Slot *jr_slot;

static void (*_Atomic when_gone)(void);

void jr_threads_when_gone(void (*gone)(void)) {
    atomic_store(&when_gone, gone);
}

static void slot_free(void *memory) {
    Slot *slot = memory;
    jr_slot = NULL;
    atomic_store(&slot->live, false);
    while (atomic_load(&slot->watchers))
        sched_yield();
    if (slot->has_thread) jr_thread_clear(&slot->thread);
    slot->has_thread = false;
    free(slot->text);
    slot->text = NULL;
    for (int i = 0; i < JR_HOLDS; i++)
        atomic_store(&slot->holds.modules[i], NULL);
    atomic_store(&slot->taken, false);
    void (*gone)(void) = atomic_load(&when_gone);
    if (gone) gone();
}

static Slot *slot_new(void) {
    for (Slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        bool taken = false;
        if (atomic_compare_exchange_strong(&slot->taken, &taken, true)) return slot;
    }
    Slot *slot = calloc(1, sizeof *slot);
    if (!slot) return NULL;
    atomic_init(&slot->taken, true);
    slot->next = atomic_load(&slots);
    while (!atomic_compare_exchange_weak(&slots, &slot->next, slot))
        ;
    return slot;
}

void jr_threads_alarm(const volatile int32_t *cancel) {
    for (Slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        atomic_fetch_add(&slot->watchers, 1);
        if (atomic_load(&slot->live) && jr_thread_is_within(&slot->thread, cancel))
            jr_thread_alarm(&slot->thread);
        atomic_fetch_sub(&slot->watchers, 1);
    }
}

static void make_key(void) {
    have_key = pthread_key_create(&key, slot_free) == 0;
}

/* A library that is unloaded must not leave a destructor behind. */
__attribute__((destructor)) static void drop_key(void) {
    if (!have_key) return;
    if (jr_slot) slot_free(jr_slot);
    pthread_key_delete(key);
    have_key = false;
}

static Slot *slot_make(void) {
    pthread_once(&once, make_key);
    if (!have_key) return NULL;
    Slot *slot = slot_new();
    if (!slot) return NULL;
    slot->error = jr_no_error;
    if (pthread_setspecific(key, slot) == 0) return jr_slot = slot;
    slot_free(slot);
    return NULL;
}

static inline Slot *slot_get(bool make) {
    return jr_slot || !make ? jr_slot : slot_make();
}

JrHolds *jr_thread_holds(void) {
    Slot *slot = slot_get(true);
    return slot ? &slot->holds : NULL;
}

/* A thread's own holds above its depth are what it has left; others may still be on their way
 * out of the code there (rt_gate.c). */
bool jr_threads_hold(const JrModule *module) {
    for (Slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        uint32_t end =
            slot == jr_slot && slot->holds.depth < JR_HOLDS ? slot->holds.depth : JR_HOLDS;
        for (uint32_t i = 0; i < end; i++)
            if (atomic_load(&slot->holds.modules[i]) == module) return true;
    }
    return false;
}

/* What the slots of threads that are gone hold besides is left as it is: it may be half done. */
void jr_threads_after_fork(void) {
    for (Slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        atomic_store(&slot->watchers, 0);
        if (slot == jr_slot) continue;
        atomic_store(&slot->live, false);
        for (int i = 0; i < JR_HOLDS; i++)
            atomic_store(&slot->holds.modules[i], NULL);
    }
}

JrThread *jr_thread_current(void) {
    Slot *slot = slot_get(true);
    if (!slot) return NULL;
    if (!slot->has_thread) {
        jr_thread_init(&slot->thread, NULL);
        jr_thread_set_stack(&slot->thread);
        slot->has_thread = true;
        atomic_store(&slot->live, true);
    }
    return &slot->thread;
}

JrThread *jr_slot_refuse(void) {
    const JrThread *thread = jr_thread_current();
    if (!thread)
        jr_error_set(JR_MEMORY_ERROR, "out of memory");
    else if (thread->writing)
        jr_error_in_write();
    else if (thread->rt.status)
        jr_error_set(JR_ERR_ARGUMENT, "a host function that has raised an error returns, "
                                      "before another kernel is called");
    else
        jr_error_set(JR_RECURSION_ERROR, "maximum recursion depth exceeded");
    return NULL;
}

const JrError *jr_error(void) {
    Slot *slot = slot_get(true);
    return slot ? &slot->error : &no_memory;
}

void jr_error_clear(void) {
    if (jr_slot && jr_slot->error.status) jr_slot->error = jr_no_error;
}

const char *jr_status_name(JrStatus status) {
    if (status > JR_OK && status < (JrStatus)EXC_COUNT) return ir_exc_name((IrExc)status);
    switch (status) {
    case JR_ERR_COMPILE: return "compile error";
    case JR_ERR_ARGUMENT: return "argument error";
    case JR_ERR_NOT_FOUND: return "not found";
    case JR_ERR_SIGNATURE: return "signature error";
    case JR_ERR_ENGINE: return "engine error";
    case JR_ERR_IO: return "input/output error";
    case JR_ERR_RACE: return "race";
    default: return "";
    }
}

/* Room for a message of len bytes; a shorter room if there is no memory for it. */
static char *message_room(Slot *slot, size_t *len) {
    if (*len < sizeof slot->brief) return slot->brief;
    char *text = realloc(slot->text, *len + 1);
    if (text) return slot->text = text;
    *len = sizeof slot->brief - 1;
    return slot->brief;
}

JrStatus jr_error_set(JrStatus status, const char *format, ...) {
    Slot *slot = slot_get(true);
    if (!slot) return JR_MEMORY_ERROR;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int needed = vsnprintf(NULL, 0, format, args);
    size_t len = needed > 0 ? (size_t)needed : 0;
    char *fresh = malloc(len + 1); /* an argument may be the old message */
    if (fresh) vsnprintf(fresh, len + 1, format, again);
    va_end(again);
    va_end(args);
    char *room = message_room(slot, &len);
    snprintf(room, len + 1, "%s", fresh ? fresh : "out of memory");
    free(fresh);
    slot->error = (JrError){.status = status,
                            .name = jr_status_name(status),
                            .message = room,
                            .message_len = strlen(room)};
    return status;
}

JrStatus jr_error_in_write(void) {
    return jr_error_set(JR_ERR_ARGUMENT,
                        "a JrWrite callback can neither run kernels nor print values");
}

JrStatus jr_error_take(JrThread *thread) {
    Slot *slot = slot_get(true);
    if (!slot) return JR_MEMORY_ERROR;
    JrStatus status = (JrStatus)thread->rt.status;
    uint32_t before, count = jr_thread_frames(thread);
    size_t len;
    const char *message = jr_thread_message(thread, &len);
    if (count > MAX_FRAMES) count = MAX_FRAMES;
    for (uint32_t i = 0; i < count; i++) {
        JrWhere where = jr_thread_frame(thread, i);
        slot->frames[i] = (JrFrame){where.func, where.file, where.line, where.col};
    }
    /* The texts stay the thread's until its next error, and that is after jr_error's own end.
     */
    slot->error = (JrError){.status = status,
                            .name = jr_status_name(status),
                            .message = message,
                            .message_len = len,
                            .frame_count = count,
                            .frames = slot->frames,
                            .frames_dropped = (size_t)jr_thread_dropped(thread, &before)};
    thread->rt.status = 0;
    return status;
}

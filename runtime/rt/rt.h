/* The runtime's side of ir/rt.h: what one thread carries while it runs kernels.
 *
 * A JrThread lies in its user's storage and is used by one thread at a time. Its first member
 * is the JrRt that compiled code is given, so a JrRt * of ours is a JrThread *. A host makes
 * one, sets the stack limit on the thread that will run, calls, and reads the error if the
 * status was not 0:
 *
 *     JrThread thread;
 *     jr_thread_init(&thread, heap);
 *     thread.sink = (JrSink){write_stdout, NULL};
 *     jr_thread_set_stack(&thread);
 *     status = call.run(&call, &thread.rt, args, results);
 *     jr_thread_flush(&thread);
 *     if (status) show(jr_thread_message(&thread), ...);
 *     jr_thread_clear(&thread);
 *
 * An error keeps copies of all its text: it can be read after the code that raised it is gone.
 */
#ifndef JR_RUNTIME_RT_H
#define JR_RUNTIME_RT_H

#include "ir/rt.h"
#include "runtime/rt/random.h"

/* Where print goes. Returns false if the bytes could not be written: the thread then drops
 * what comes after, and jr_thread_flush says so. */
typedef struct JrSink {
    bool (*write)(void *user, const char *bytes, size_t len); /* NULL: print writes nothing */
    void *user;
} JrSink;

/* Where a kernel runs: what its module and its context say of that. */
typedef struct JrHost {
    JrSink sink;
    struct JrHeap *heap;
    const volatile int32_t *cancel;
    const void *module; /* whose code it is */
    bool listened;      /* the sink is bench.c's, and not the context's */
} JrHost;

enum {
    JR_PRINT_BUFFER = 64 * 1024,
    JR_TRACE_INNER = 32, /* frames kept from where the error was raised outwards, ... */
    JR_TRACE_OUTER = 32, /* ... and from the entry inwards; those between are counted */
    JR_MESSAGE_SHORT = 256,
};

/* The cancel flag: a count of the times something was cancelled, and in the low byte why, which
 * is EXC_INTERRUPT or EXC_TIMEOUT. Anything else there does not stop a run. */
enum { JR_CANCEL_REASON = 0xff, JR_CANCEL_ONCE = 0x100 };

/* One frame of the call chain: names as offsets into JrPendingError.text. */
typedef struct JrTraceFrame {
    uint32_t file, func;
    int32_t line, col;
} JrTraceFrame;

typedef struct JrPendingError {
    char *message; /* NULL: it is in `brief` */
    char brief[JR_MESSAGE_SHORT];
    size_t message_len;
    JrTraceFrame frames[JR_TRACE_INNER + JR_TRACE_OUTER];
    uint64_t depth; /* frames seen, kept or not */
    char *text;     /* the names, each once, each NUL-terminated */
    uint32_t text_len, text_cap;
} JrPendingError;

/* What a caller that keeps others waiting (for Python's GIL) has done at one of the run's first looks
 * whether to stop, or before it makes a large array: once, or not at all in a run that is over
 * sooner. For functions that ir_looks_soon. */
typedef struct JrYield {
    void (*yield)(void *user);
    void *user;
    int32_t looks; /* at which of them, from 1 */
} JrYield;

/* While a run has yet to yield, rt.cancel points to `word`, which is 1 and brings each look to
 * jr_rt_poll; the flag that it would point to is here. */
typedef struct JrYielding {
    JrYield call; /* yield is NULL once it was called */
    const volatile int32_t *flag;
    int32_t seen;
    int32_t word;
} JrYielding;

typedef struct JrHeap JrHeap;   /* runtime/rt/array.h */
typedef struct JrRaces JrRaces; /* runtime/threads/races.h */

typedef struct JrThread {
    JrRt rt; /* first: compiled code reads it */
    const JrAlloc *alloc;
    JrHeap *heap;
    JrPendingError error;
    JrSink sink;
    char *buffer; /* print's, made at the first print */
    size_t buffered;
    bool sink_failed, writing; /* writing: inside the sink, which may not print */
    JrRandom random;
    char *true_limit;    /* rt.stack_limit without an alarm */
    int max_threads;     /* of its parallel regions; 0: the pool's number */
    struct JrBusy *busy; /* NULL, or where they add up the threads' time (parallel.h) */
    JrRaces *races;      /* of the run that is going on, if it is checked for races */
    JrRaces *checked;    /* of the last such run that is over */
    int32_t never;       /* what rt.cancel points at until the host says otherwise: always 0 */
    JrYielding yielding; /* flag is NULL in a run that does not, and outside of one */
} JrThread;

/* Starts with no error, a sink that discards, generators that seed themselves at their first
 * use, a cancel flag that is never set and no stack limit. The heap (array.h), which it keeps
 * a reference to, is where kernels allocate arrays; NULL is malloc's. */
void jr_thread_init(JrThread *thread, JrHeap *heap);
/* Frees what the thread holds, without flushing. The storage stays the caller's. */
void jr_thread_clear(JrThread *thread);

/* Sets rt.stack_limit from the stack of the thread that calls this, leaving room for libm,
 * printf and the engine's own frames. Cheap after a thread's first call. */
void jr_thread_set_stack(JrThread *thread);
/* Makes the thread's recursive functions look at the cancel flag, through jr_rt_deep, and all others
 * of a run that yields; from any thread, in a signal handler too. */
void jr_thread_alarm(JrThread *thread);
bool jr_thread_end_alarm(JrThread *thread); /* whether there was one */
/* The flag that stops what the thread runs from now on, when it changes. That may be done from a
 * signal handler or another thread; the flag must outlive the thread's use of it. NULL: never.
 * Returns what was there before, to be put back after a run within a run. */
typedef struct JrCancel {
    const volatile int32_t *flag;
    int32_t seen;
} JrCancel;
static inline JrCancel jr_thread_set_cancel(JrThread *thread, const volatile int32_t *cancel) {
    JrCancel before = {thread->rt.cancel, thread->rt.seen};
    if (!cancel) cancel = &thread->never;
    __atomic_store_n(&thread->rt.cancel, cancel, __ATOMIC_RELAXED);
    __atomic_signal_fence(
        __ATOMIC_SEQ_CST); /* a handler that finds the old one has counted before */
    thread->rt.seen = __atomic_load_n(cancel, __ATOMIC_RELAXED);
    return before;
}

static inline void jr_thread_restore_cancel(JrThread *thread, JrCancel before) {
    __atomic_store_n(&thread->rt.cancel, before.flag, __ATOMIC_RELAXED);
    thread->rt.seen = before.seen;
    if (before.flag != &thread->yielding.word)
        __atomic_store_n(&thread->yielding.flag, NULL, __ATOMIC_RELAXED);
}
/* Has the run that has begun, and is in no other run, yield; jr_thread_restore_cancel ends that. */
void jr_thread_set_yield(JrThread *thread, const JrYield *yield);
void jr_thread_yield(JrThread *thread); /* now, unless it has */
/* Whether the thread runs a kernel that this flag stops. In a signal handler too. */
bool jr_thread_is_within(const JrThread *thread, const volatile int32_t *cancel);
/* Whether a kernel is running on the thread: a host function that it called may be asking. */
bool jr_thread_is_running(const JrThread *thread);
/* Whether so little of the stack is left that no kernel may begin. */
bool jr_thread_is_deep(const JrThread *thread);

/* From now on print goes to `sink`; what was printed before still goes to the one it returns.
 */
JrSink jr_thread_swap_sink(JrThread *thread, JrSink sink);
/* Hands what was printed to the sink. False if it, or an earlier write, failed. */
bool jr_thread_flush(JrThread *thread);
/* What print calls with each piece. */
void jr_thread_write(JrThread *thread, const char *bytes, size_t len);

/* ---- The pending error. What these return is good until the next error or clear. ---- */

/* The exception's name, "IndexError", or NULL when there is no error. */
const char *jr_thread_exception(const JrThread *thread);
/* Its message, NUL-terminated besides *len bytes (len may be NULL); "" when there is none. */
const char *jr_thread_message(const JrThread *thread, size_t *len);
/* Frames that can be read, innermost first: frame 0 is where the error was raised, the others
 * are the calls it passed through. */
uint32_t jr_thread_frames(const JrThread *thread);
JrWhere jr_thread_frame(const JrThread *thread, uint32_t index);
/* Of a very deep chain only both ends are kept: how many frames are missing, and before which
 * readable one they belong (0 when none are). */
uint64_t jr_thread_dropped(const JrThread *thread, uint32_t *before);
void jr_thread_clear_error(JrThread *thread);

/* Raises from runtime code: the printf text is the message. Returns exc. */
int32_t jr_raise(JrRt *rt, const JrWhere *where, IrExc exc, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int32_t jr_raise_value(JrRt *rt, const JrWhere *where, const char *message); /* ValueError */

/* ---- For the files of runtime/ ---- */

static inline JrThread *jr_thread_of(JrRt *rt) {
    return (JrThread *)rt;
}

/* The head of a function of rtcalls.def: JR_RT_FN(print_int) { ... return 0; } */
#define JR_RT_FN(name)                                                                        \
    int32_t jr_rt_##name(                                                                     \
        JrRt *rt __attribute__((unused)), const JrWhere *where __attribute__((unused)),       \
        const JrSlot *args __attribute__((unused)), JrSlot *results __attribute__((unused))); \
    int32_t jr_rt_##name(                                                                     \
        JrRt *rt __attribute__((unused)), const JrWhere *where __attribute__((unused)),       \
        const JrSlot *args __attribute__((unused)), JrSlot *results __attribute__((unused)))

/* The table engines resolve names in (ir/rt.h). */
const JrSymbols *jr_rt_symbols(void);

#endif

/* Parallel regions: the PARALLEL instruction, on the pool.
 *
 * The iterations [0, trip) are cut into chunks by a grid that depends on trip alone, and the
 * body is called for each chunk with its number and bounds. What a chunk computes goes to a
 * place of its own, and the code after the region puts the parts together in the order of the
 * chunks; so which thread ran what, and when, cannot be seen in the result.
 *
 * Errors: a chunk that fails writes its number to `failed` if it is the lowest so far. Chunks
 * above it are not started any more; those below still are, since one of them may fail at an
 * earlier iteration. When all have ended the lowest chunk's error, which is the lowest
 * iteration's, becomes the caller's.
 *
 * What chunks print is kept until all have ended and then written in the order of the chunks,
 * up to the one that failed: the same bytes as from a serial loop.
 *
 * A region that is inside another, or may use one thread only, runs here, chunk by chunk: the same
 * grid, so the same bits. So does one that looks too small to gain; but looks are a guess, since
 * nobody knows how often an inner loop will run. If its first chunks have taken so long that
 * sharing out the others pays, they are. */
#include "runtime/threads/parallel.h"

#include "ir/base/clock.h"
#include "ir/par/apart.h"
#include "runtime/compile.h"
#include "runtime/rt/rt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CHUNKS = 128,
    FEW_ARGS = 64,
    FIRST_CAPTURE =
        3, /* operands before the captures, and the body's parameters before them */
    SMALLEST_GAIN = 20000,  /* statements: so few are done before a helper has woken up */
    CERTAIN_GAIN = 1 << 20, /* so many take longer than sharing them out, whatever they are */
    LONGEST_ROW =
        1 << 20, /* statements that are run in one piece: a cancelled run waits for it */
    MAX_PARTS = 64,
    PARTS_EACH = 4,        /* parts of an array for each thread */
    SHORTEST_HALVED = 512, /* elements */
};

static const double GAINING_SECONDS =
    20e-6; /* a region with less to do is done too soon as well */

typedef struct Output {
    char *bytes;
    size_t len, cap;
} Output;

typedef struct Region {
    JrCall body;
    int64_t trip, chunks;
    int64_t first; /* of the chunks that are shared out */
    uint32_t nargs;
    void *const *args;
    JrThread *caller;
    JrCancel cancel; /* the caller's */
    pthread_t caller_id;
    Output *outputs; /* by chunk */
    _Atomic bool printed, lost_output;
    uint64_t keys[JR_RANDOM_KINDS];
    bool has_keys;
    bool whole;             /* chunks in a row may be run as one */
    int64_t row;            /* and this many are, where threads share them */
    bool backwards;         /* the last chunk is run first */
    _Atomic int64_t failed; /* the lowest failing chunk; `chunks` when there is none */
    bool failed_within;     /* and not for lack of memory to begin it */
    pthread_mutex_t lock;   /* error, failed_within */
    JrThread *error;        /* holds the lowest chunk's; used for nothing else, nor before */
    JrWhere where;
} Region;

int64_t jr_parallel_chunks(int64_t trip) {
    return trip < MAX_CHUNKS ? (trip < 0 ? 0 : trip) : MAX_CHUNKS;
}

/* trip * chunk / chunks, which might not fit. */
static int64_t chunk_start(const Region *region, int64_t chunk) {
    int64_t each = region->trip / region->chunks, rest = region->trip % region->chunks;
    return each * chunk + rest * chunk / region->chunks;
}

/* ---- Threads ---- */

/* Output goes to the chunk's own text. */
static bool keep_output(void *user, const char *bytes, size_t len) {
    Output *out = user;
    if (out->len + len > out->cap) {
        size_t cap = out->cap ? 2 * out->cap : 256;
        while (cap < out->len + len)
            cap *= 2;
        char *grown = realloc(out->bytes, cap);
        if (!grown) return false;
        out->bytes = grown;
        out->cap = cap;
    }
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
    return true;
}

/* A thread takes over what the caller has set for this run. */
static void enter_region(JrThread *thread, const Region *region) {
    if (thread == region->caller) return;
    jr_thread_restore_cancel(thread, region->cancel);
    thread->heap = region->caller->heap;
    memcpy(thread->random.now.keys, region->keys, sizeof region->keys);
    thread->random.now.has_keys = region->has_keys;
}

static void leave_region(JrThread *thread, const Region *region) {
    if (thread == region->caller) return;
    thread->sink = (JrSink){0};
    jr_thread_set_cancel(thread, NULL);
    thread->heap = NULL;
}

static void end_output(Region *region, JrThread *thread) {
    if (!thread->buffered && !thread->sink_failed) return;
    if (!jr_thread_flush(thread)) atomic_store(&region->lost_output, true);
    atomic_store_explicit(&region->printed, true, memory_order_relaxed);
}

static void write_output(Region *region) {
    if (atomic_load(&region->lost_output)) region->caller->sink_failed = true;
    if (!atomic_load(&region->printed)) return;
    int64_t last = atomic_load(&region->failed);
    for (int64_t chunk = 0; chunk < region->chunks; chunk++) {
        Output *out = &region->outputs[chunk];
        if (out->len && chunk <= last) jr_thread_write(region->caller, out->bytes, out->len);
        free(out->bytes);
    }
}

/* ---- Errors ---- */

static void copy_error(JrThread *to, const JrThread *from) {
    size_t len;
    const char *message = jr_thread_message(from, &len);
    uint32_t frames = jr_thread_frames(from);
    JrWhere where = {0};
    if (frames) where = jr_thread_frame(from, 0);
    jr_thread_clear_error(to);
    jr_rt_raise(&to->rt, frames ? &where : NULL, from->rt.status, message, (int64_t)len);
    for (uint32_t i = 1; i < frames; i++) {
        where = jr_thread_frame(from, i);
        jr_rt_trace(&to->rt, &where);
    }
}

/* The region's lowest error is now this chunk's, if it is; with no thread, for lack of memory. */
static void note_failure(Region *region, JrThread *thread, int64_t chunk) {
    pthread_mutex_lock(&region->lock);
    if (chunk < atomic_load(&region->failed)) {
        if (atomic_load(&region->failed) == region->chunks)
            jr_thread_init(region->error, NULL);
        atomic_store(&region->failed, chunk);
        region->failed_within = thread != NULL;
        if (thread)
            copy_error(region->error, thread);
        else
            jr_raise(&region->error->rt, &region->where, EXC_MEMORY, "out of memory");
    }
    pthread_mutex_unlock(&region->lock);
    if (thread) jr_thread_clear_error(thread);
}

/* ---- Chunks ---- */

/* The body's arguments: chunk, lo, hi, and the captures. */
typedef struct Frame {
    int64_t chunk, lo, hi;
    void *few[FEW_ARGS + FIRST_CAPTURE];
    void **all;
} Frame;

static bool frame_begin(Frame *frame, const Region *region) {
    frame->all = frame->few;
    if (region->nargs > FEW_ARGS)
        frame->all = malloc((region->nargs + FIRST_CAPTURE) * sizeof *frame->all);
    if (!frame->all) return false;
    frame->all[0] = &frame->chunk;
    frame->all[1] = &frame->lo;
    frame->all[2] = &frame->hi;
    if (region->nargs)
        memcpy(frame->all + FIRST_CAPTURE, region->args, region->nargs * sizeof *frame->all);
    return true;
}

static void frame_end(Frame *frame) {
    if (frame->all != frame->few) free(frame->all);
}

/* Chunks [chunk, until) as one. */
static int32_t call_body(const Region *region, Frame *frame, JrRt *rt, int64_t chunk,
                         int64_t until) {
    frame->chunk = chunk;
    frame->lo = chunk_start(region, chunk);
    frame->hi = chunk_start(region, until);
    return region->body.run(&region->body, rt, frame->all, NULL);
}

/* No thread is in two chunks at once, so its entry is its own. */
static void add_busy(JrBusy *busy, const JrThread *thread, double seconds) {
    for (int i = 0; i < JR_POOL_MAX_THREADS; i++) {
        const void *owner = NULL;
        if (atomic_load(&busy->threads[i].thread) == thread ||
            atomic_compare_exchange_strong(&busy->threads[i].thread, &owner, thread)) {
            busy->threads[i].seconds += seconds;
            return;
        }
    }
}

/* A region has ended: its times join the others', and the next begins from nothing. */
static void close_busy(JrBusy *busy) {
    double most = 0;
    for (int i = 0; i < JR_POOL_MAX_THREADS && atomic_load(&busy->threads[i].thread); i++) {
        busy->total += busy->threads[i].seconds;
        if (busy->threads[i].seconds > most) most = busy->threads[i].seconds;
        busy->threads[i].seconds = 0;
        atomic_store(&busy->threads[i].thread, NULL);
    }
    busy->busiest += most;
}

static void run_chunks(Region *region, Frame *frame, JrThread *thread, int64_t chunk,
                       int64_t until) {
    thread->sink = (JrSink){keep_output, &region->outputs[chunk]};
    thread->sink_failed = false;
    uint32_t depth = jr_random_depth(&thread->random);
    if (call_body(region, frame, &thread->rt, chunk, until))
        note_failure(region, thread, chunk);
    jr_random_unwind(&thread->random, depth);
    end_output(region, thread);
}

/* Chunks above one that failed are not run. */
static bool is_needed(const Region *region, int64_t chunk) {
    return chunk <= atomic_load_explicit(&region->failed, memory_order_relaxed);
}

/* The next chunks to be run as one, [chunk, *until). */
static int64_t next_chunks(const Region *region, JrPoolChunks *chunks, int64_t *until) {
    int64_t last, index = jr_pool_next_few(chunks, region->row, &last);
    if (index < 0) return -1;
    *until = region->backwards ? region->chunks - index : region->first + last;
    return region->backwards ? region->chunks - last : region->first + index;
}

/* What one thread does for a region. Without memory for its state, or for the arguments, each
 * chunk it takes has failed. */
static void take_part(void *user, JrPoolChunks *chunks) {
    Region *region = user;
    Frame frame;
    int64_t until, chunk = next_chunks(region, chunks, &until);
    if (chunk < 0) return;
    bool is_caller = pthread_equal(pthread_self(), region->caller_id);
    JrThread *thread = is_caller ? region->caller : jr_thread_current();
    if (!thread || !frame_begin(&frame, region)) {
        for (; chunk >= 0; chunk = next_chunks(region, chunks, &until))
            note_failure(region, NULL, chunk);
        return;
    }
    JrBusy *busy = region->caller->busy;
    double begun = busy ? jr_clock() : 0;
    enter_region(thread, region);
    for (; chunk >= 0; chunk = next_chunks(region, chunks, &until))
        if (is_needed(region, chunk)) run_chunks(region, &frame, thread, chunk, until);
    leave_region(thread, region);
    frame_end(&frame);
    if (busy) add_busy(busy, thread, jr_clock() - begun);
}

static int32_t run_on_pool(Region *region) {
    JrThread *caller = region->caller, error;
    Output outputs[MAX_CHUNKS];
    JrSink sink = caller->sink;
    memset(outputs, 0, (size_t)region->chunks * sizeof *outputs);
    region->outputs = outputs;
    region->error = &error;
    jr_thread_flush(caller); /* what was printed before comes first */
    bool sink_failed = caller->sink_failed;
    pthread_mutex_init(&region->lock, NULL);
    jr_pool_run(caller->max_threads, region->chunks - region->first, take_part, region);
    if (caller->busy) close_busy(caller->busy);
    caller->sink = sink;
    caller->sink_failed = sink_failed;
    write_output(region);
    pthread_mutex_destroy(&region->lock);
    if (atomic_load(&region->failed) == region->chunks)
        return region->first = region->chunks, 0;
    int32_t status = error.rt.status;
    copy_error(caller, &error);
    jr_thread_clear(&error);
    return status;
}

/* Runs chunks up to the one `until`, which the next call starts with. */
static int32_t run_here(Region *region, int64_t until) {
    JrThread *caller = region->caller;
    Frame frame;
    if (!frame_begin(&frame, region))
        return jr_raise(&caller->rt, &region->where, EXC_MEMORY, "out of memory");
    uint32_t depth = jr_random_depth(&caller->random);
    int32_t status = 0;
    while (region->first < until && !status) {
        int64_t next = region->whole ? until : region->first + 1;
        status = call_body(region, &frame, &caller->rt, region->first, next);
        region->first = next;
    }
    if (status) jr_random_unwind(&caller->random, depth);
    frame_end(&frame);
    return status;
}

/* One that looks small. The clock is read after 1, 2, 4, 8, ... chunks. */
static int32_t run_and_see(Region *region) {
    double begun = jr_clock();
    for (int64_t until = 1; until < region->chunks; until *= 2) {
        int32_t status = run_here(region, until);
        if (status) return status;
        double per_chunk = (jr_clock() - begun) / (double)until;
        if (per_chunk * (double)(region->chunks - until) > GAINING_SECONDS)
            return run_on_pool(region);
    }
    return run_here(region, region->chunks);
}

/* JITRUN_PARALLEL_THRESHOLD, for tests that want threads for small loops: read once. */
static int64_t smallest_gain(int64_t least) {
    enum { UNREAD = -2, NOT_SET = -1 };
    static _Atomic int64_t cached = UNREAD;
    int64_t asked = atomic_load_explicit(&cached, memory_order_relaxed);
    if (asked == UNREAD) {
        const char *set = getenv("JITRUN_PARALLEL_THRESHOLD");
        char *end;
        long long value = set ? strtoll(set, &end, 10) : NOT_SET;
        asked = set && end != set && *end == 0 && value >= 0 ? value : NOT_SET;
        atomic_store_explicit(&cached, asked, memory_order_relaxed);
    }
    return asked == NOT_SET ? least : asked;
}

/* JITRUN_CHUNK_ORDER=backwards, for tests: on one thread, a loop whose result depends on the order of
 * its chunks then has another one every time, and not just when threads happen to meet. */
static bool is_backwards(void) {
    static _Atomic int cached = -1;
    int backwards = atomic_load_explicit(&cached, memory_order_relaxed);
    if (backwards >= 0) return backwards;
    const char *set = getenv("JITRUN_CHUNK_ORDER");
    backwards = set && strcmp(set, "backwards") == 0;
    atomic_store_explicit(&cached, backwards, memory_order_relaxed);
    return backwards;
}

static int thread_count(const JrThread *caller) {
    return caller->max_threads ? caller->max_threads : jr_pool_threads();
}

bool jr_parallel_gains(int64_t trip, int64_t work, int64_t least) {
    int64_t statements;
    if (__builtin_mul_overflow(trip, work < 1 ? 1 : work, &statements)) return true;
    return statements >= smallest_gain(least);
}

int jr_parallel_threads(const JrThread *caller) {
    enum { SEVERAL = 3 }; /* for chunks to be backwards there have to be some */
    if (jr_pool_inside()) return 1;
    int threads = thread_count(caller);
    return is_backwards() && threads < SEVERAL ? SEVERAL : threads;
}

/* Where each capture lies: a number in its slot, an array behind its pointer. Slots are eight
 * bytes, and the machines there are keep the low byte first. */
static void find_captures(void **captures, const char *letters, const JrSlot *slots) {
    for (; *letters; letters++) {
        bool array = *letters == 'a';
        *captures++ = array ? slots[1].p : (void *)&slots[0];
        slots += array ? 2 : 1;
    }
}

/* How many chunks of a loop whose grid cannot be seen may be one. */
static int64_t longest_row(const Region *region, int64_t work) {
    int64_t statements;
    if (!region->whole || region->backwards ||
        __builtin_mul_overflow(region->trip, work < 1 ? 1 : work, &statements))
        return 1;
    int64_t each = statements / region->chunks;
    return each < 1 ? MAX_CHUNKS : LONGEST_ROW / each;
}

static int32_t run_region(Region *region, int64_t work) {
    JrThread *caller = region->caller;
    region->row = longest_row(region, work);
    bool fits = region->chunks >= 2 && region->chunks <= MAX_CHUNKS;
    if (fits && region->backwards) return run_on_pool(region);
    if (!fits || jr_pool_inside() || thread_count(caller) < 2)
        return run_here(region, region->chunks);
    return jr_parallel_gains(region->trip, work, CERTAIN_GAIN) ? run_on_pool(region)
                                                               : run_and_see(region);
}

/* How many chunks have done what the loop in order would have done: all of the first, and the one that
 * failed until it did. */
static int64_t chunks_done(const Region *region) {
    int64_t failed = atomic_load(&region->failed);
    return failed < region->chunks ? failed + region->failed_within : region->first;
}

int32_t jr_rt_parallel_body(JrRt *rt, const JrWhere *where, const JrCall *body,
                            const char *letters, JrSlot *slots) {
    JrThread *caller = jr_thread_of(rt);
    int64_t trip = slots[0].i, chunks = slots[1].i;
    uint32_t nargs = (uint32_t)strlen(letters) - FIRST_CAPTURE;
    slots[0].i = slots[1].i = 0;
    bool whole = chunks == 0;
    if (whole) chunks = jr_parallel_chunks(trip);
    if (trip <= 0 || chunks <= 0) return 0;
    void *few[FEW_ARGS];
    void **captures = nargs <= FEW_ARGS ? few : malloc(nargs * sizeof *captures);
    if (!captures)
        return (int32_t)(slots[0].i = jr_raise(rt, where, EXC_MEMORY, "out of memory"));
    find_captures(captures, letters + FIRST_CAPTURE, slots + FIRST_CAPTURE);
    Region region = {.body = *body,
                     .trip = trip,
                     .chunks = chunks,
                     .whole = whole,
                     .nargs = nargs,
                     .args = captures,
                     .caller = caller,
                     .cancel = {rt->cancel, rt->seen},
                     .caller_id = pthread_self(),
                     .backwards = is_backwards(),
                     .has_keys = caller->random.now.has_keys,
                     .where = where ? *where : (JrWhere){0}};
    memcpy(region.keys, caller->random.now.keys, sizeof region.keys);
    atomic_init(&region.failed, region.chunks);
    slots[0].i = run_region(&region, slots[2].i);
    slots[1].i = chunks_done(&region);
    if (captures != few) free(captures);
    return (int32_t)slots[0].i;
}

static int32_t run_entry(const JrCall *body, JrRt *rt, void *const *args,
                         void *const *results) {
    JrEntry entry;
    *(void **)&entry = body->function;
    return entry(rt, args, results);
}

int32_t jr_rt_parallel(JrRt *rt, const JrWhere *where, JrEntry entry, const char *letters,
                       JrSlot *slots) {
    JrCall body = {.run = run_entry, .function = *(void **)&entry};
    return jr_rt_parallel_body(rt, where, &body, letters, slots);
}

/* How often `for lo, hi, step` runs; a count beyond int64 is beyond anyone's time as well. */
JR_RT_FN(range_trip) {
    int64_t lo = args[0].i, hi = args[1].i, step = args[2].i;
    uint64_t count = 0;
    if (step > 0 && lo < hi)
        count = ((uint64_t)hi - (uint64_t)lo - 1) / (uint64_t)step + 1;
    else if (step < 0 && lo > hi)
        count = ((uint64_t)lo - (uint64_t)hi - 1) / (0 - (uint64_t)step) + 1;
    results[0].i = count > INT64_MAX ? INT64_MAX : (int64_t)count;
    return 0;
}

/* Whether threads gain on a loop of the compiler's own over arrays. Its result does not depend on
 * how it is cut, so that how many threads there are may be asked. */
static bool may_spread(JrRt *rt, int64_t trip, int64_t work) {
    return trip > 1 && work > 0 && !jr_pool_inside() && thread_count(jr_thread_of(rt)) > 1 &&
           jr_parallel_gains(trip, work, SMALLEST_GAIN);
}

/* For each thread a few, since they are not equally fast. */
static int64_t most_parts(JrRt *rt) {
    int64_t parts = (int64_t)thread_count(jr_thread_of(rt)) * PARTS_EACH;
    return parts < MAX_PARTS ? parts : MAX_PARTS;
}

JR_RT_FN(spread) {
    int64_t trip = args[0].i, parts = may_spread(rt, trip, args[1].i) ? most_parts(rt) : 1;
    if (parts > trip) parts = trip > 0 ? trip : 1;
    int64_t span = trip / parts + (trip % parts != 0);
    results[0].i = span > 0 ? (trip - 1) / span + 1 : 1;
    results[1].i = span;
    return 0;
}

/* Halving goes on while both halves are long enough to be halved again (lower_pairwise.c). */
JR_RT_FN(spread_halves) {
    int64_t trip = args[0].i, parts = 1;
    if (may_spread(rt, trip, args[1].i))
        while (parts < most_parts(rt) && trip / parts > SHORTEST_HALVED)
            parts *= 2;
    results[0].i = parts;
    return 0;
}

JR_RT_FN(parallel_chunks) {
    results[0].i = jr_parallel_chunks(args[0].i);
    return 0;
}

JR_RT_FN(parallel_end) {
    return (int32_t)args[0].i;
}

/* text, trip, values */
JR_RT_FN(test_holds) {
    const JrArray *values = args[4].cp;
    results[0].b =
        ir_test_holds(args[0].cp, args[1].u, args[2].i, values->data, (size_t)values->dims[0]);
    return 0;
}

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
 * A region that is too small to gain, is inside another, or may use one thread only, runs
 * here, chunk by chunk: the same grid, so the same bits. */
#include "runtime/parallel.h"

#include "runtime/compile.h"
#include "runtime/pool.h"
#include "runtime/rt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CHUNKS = 128,
    FEW_ARGS = 64,
    FIRST_CAPTURE =
        3, /* operands before the captures, and the body's parameters before them */
    SMALLEST_GAIN =
        20000, /* statements: a region below is done before a helper has woken up */
};

typedef struct Region {
    JrCall body;
    int64_t trip, chunks;
    uint32_t nargs;
    void *const *args;
    JrThread *caller;
    pthread_t caller_id;
    JrSink sink;
    uint64_t keys[JR_RANDOM_KINDS];
    bool has_keys;
    _Atomic int64_t failed; /* the lowest failing chunk; `chunks` when there is none */
    pthread_mutex_t lock;   /* error and sink */
    JrThread error;         /* holds the lowest chunk's, and is used for nothing else */
    JrWhere where;
} Region;

int64_t jr_parallel_chunks(int64_t trip) {
    return trip < MAX_CHUNKS ? (trip < 0 ? 0 : trip) : MAX_CHUNKS;
}

static int64_t chunk_start(const Region *region, int64_t chunk) {
    return (int64_t)((__int128)region->trip * chunk / region->chunks);
}

/* ---- Threads ---- */

/* Output of several threads: one buffer at a time. */
static bool locked_write(void *user, const char *bytes, size_t len) {
    Region *region = user;
    if (!region->sink.write) return true;
    pthread_mutex_lock(&region->lock);
    bool written = region->sink.write(region->sink.user, bytes, len);
    pthread_mutex_unlock(&region->lock);
    return written;
}

/* A helper takes over what the caller's thread has set for this run. */
static void enter_region(JrThread *thread, Region *region) {
    thread->rt.cancel = region->caller->rt.cancel;
    thread->sink = (JrSink){locked_write, region};
    thread->sink_failed = false;
    memcpy(thread->random.now.keys, region->keys, sizeof region->keys);
    thread->random.now.has_keys = region->has_keys;
}

static void leave_region(JrThread *thread) {
    jr_thread_flush(thread);
    thread->sink = (JrSink){0};
    thread->rt.cancel = &thread->never;
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

static void note_failure(Region *region, JrThread *thread, int64_t chunk) {
    pthread_mutex_lock(&region->lock);
    if (chunk < atomic_load(&region->failed)) {
        atomic_store(&region->failed, chunk);
        copy_error(&region->error, thread);
    }
    pthread_mutex_unlock(&region->lock);
    jr_thread_clear_error(thread);
}

/* ---- Chunks ---- */

static int32_t call_body(const Region *region, JrRt *rt, int64_t chunk) {
    int64_t lo = chunk_start(region, chunk), hi = chunk_start(region, chunk + 1);
    void *few[FEW_ARGS + FIRST_CAPTURE];
    void **all = region->nargs <= FEW_ARGS
                     ? few
                     : malloc((region->nargs + FIRST_CAPTURE) * sizeof *all);
    if (!all) return jr_raise(rt, &region->where, EXC_MEMORY, "out of memory");
    all[0] = &chunk;
    all[1] = &lo;
    all[2] = &hi;
    if (region->nargs) memcpy(all + FIRST_CAPTURE, region->args, region->nargs * sizeof *all);
    int32_t status = region->body.run(&region->body, rt, all, NULL);
    if (all != few) free(all);
    return status;
}

static void run_chunk(void *user, int64_t chunk) {
    Region *region = user;
    if (chunk > atomic_load_explicit(&region->failed, memory_order_relaxed)) return;
    bool is_caller = pthread_equal(pthread_self(), region->caller_id);
    JrThread *thread = is_caller ? region->caller : jr_thread_current();
    if (!thread) { /* no memory for this thread's state: the caller's is busy, so this chunk
                      fails */
        pthread_mutex_lock(&region->lock);
        if (chunk < atomic_load(&region->failed)) {
            atomic_store(&region->failed, chunk);
            jr_raise(&region->error.rt, &region->where, EXC_MEMORY, "out of memory");
        }
        pthread_mutex_unlock(&region->lock);
        return;
    }
    if (!is_caller) enter_region(thread, region);
    uint32_t depth = jr_random_depth(&thread->random);
    if (call_body(region, &thread->rt, chunk)) note_failure(region, thread, chunk);
    jr_random_unwind(&thread->random, depth);
    if (!is_caller) leave_region(thread);
}

static int32_t run_on_pool(Region *region) {
    JrThread *caller = region->caller;
    JrSink sink = caller->sink;
    jr_thread_flush(caller); /* what was printed before comes first */
    pthread_mutex_init(&region->lock, NULL);
    jr_thread_init(&region->error, NULL);
    caller->sink = (JrSink){locked_write, region};
    jr_pool_run(0, region->chunks, run_chunk, region);
    jr_thread_flush(caller);
    caller->sink = sink;
    int32_t status = region->error.rt.status;
    if (status) copy_error(caller, &region->error);
    jr_thread_clear(&region->error);
    pthread_mutex_destroy(&region->lock);
    return status;
}

static int32_t run_here(Region *region) {
    JrThread *caller = region->caller;
    uint32_t depth = jr_random_depth(&caller->random);
    for (int64_t chunk = 0; chunk < region->chunks; chunk++) {
        int32_t status = call_body(region, &caller->rt, chunk);
        if (status) return jr_random_unwind(&caller->random, depth), status;
    }
    return 0;
}

static bool gains(int64_t trip, int64_t work) {
    int64_t statements;
    if (__builtin_mul_overflow(trip, work < 1 ? 1 : work, &statements)) return true;
    return statements >= SMALLEST_GAIN;
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

int32_t jr_rt_parallel_body(JrRt *rt, const JrWhere *where, const JrCall *body,
                            const char *letters, const JrSlot *slots) {
    JrThread *caller = jr_thread_of(rt);
    int64_t trip = slots[0].i, chunks = slots[1].i, work = slots[2].i;
    uint32_t nargs = (uint32_t)strlen(letters) - FIRST_CAPTURE;
    if (trip <= 0 || chunks <= 0) return 0;
    void *few[FEW_ARGS];
    void **captures = nargs <= FEW_ARGS ? few : malloc(nargs * sizeof *captures);
    if (!captures) return jr_raise(rt, where, EXC_MEMORY, "out of memory");
    find_captures(captures, letters + FIRST_CAPTURE, slots + FIRST_CAPTURE);
    Region region = {.body = *body,
                     .trip = trip,
                     .chunks = chunks,
                     .nargs = nargs,
                     .args = captures,
                     .caller = caller,
                     .caller_id = pthread_self(),
                     .sink = caller->sink,
                     .has_keys = caller->random.now.has_keys,
                     .where = where ? *where : (JrWhere){0}};
    memcpy(region.keys, caller->random.now.keys, sizeof region.keys);
    atomic_init(&region.failed, region.chunks);
    bool here = chunks < 2 || jr_pool_inside() || jr_pool_threads() < 2 || !gains(trip, work);
    int32_t status = here ? run_here(&region) : run_on_pool(&region);
    if (captures != few) free(captures);
    return status;
}

static int32_t run_entry(const JrCall *body, JrRt *rt, void *const *args,
                         void *const *results) {
    JrEntry entry;
    *(void **)&entry = body->function;
    return entry(rt, args, results);
}

int32_t jr_rt_parallel(JrRt *rt, const JrWhere *where, JrEntry entry, const char *letters,
                       const JrSlot *slots) {
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

JR_RT_FN(parallel_chunks) {
    results[0].i = jr_parallel_chunks(args[0].i);
    return 0;
}

/* A pool of threads, one per process, that shares out numbered chunks of work.
 *
 * It knows nothing of kernels. jr_pool_run calls work(user, chunks) on the calling thread and on as
 * many helpers as are free; each takes chunks with jr_pool_next until there are none, and every
 * number in [0, count) is taken exactly once. It returns when all have returned. Any number of
 * threads may call it at once; a call from inside a chunk runs its chunks right there. Threads are
 * started when they are first wanted; if the system refuses, there are fewer. After fork the child
 * starts its own.
 *
 * The numbers are cut into as many parts as threads were asked for. A thread begins with the part
 * that is its own, the same one in each region, and helps with the others' when it has done that. So
 * a loop that runs again over the same arrays finds its elements in the caches where it left
 * them; a processor that has to fetch from another one's what that has written takes twice as long. */
#ifndef JR_RUNTIME_POOL_H
#define JR_RUNTIME_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { JR_POOL_MAX_THREADS = 256 };

typedef struct JrPoolPart {
    _Alignas(64) _Atomic int64_t next;
    int64_t end;
} JrPoolPart;

/* Where one thread looks for chunks. */
typedef struct JrPoolChunks {
    JrPoolPart *parts;
    int count; /* of parts */
    int at;    /* the part that it takes from */
    int left;  /* parts that it has not found empty yet, with that one */
} JrPoolChunks;

/* The next chunks in a row, [the result, *until), or -1 when there are none: an eighth of what is left
 * of the part, so that the last ones are single, and `most` at most. */
static inline int64_t jr_pool_next_few(JrPoolChunks *chunks, int64_t most, int64_t *until) {
    enum { SHARE = 8 };
    while (chunks->left > 0) {
        JrPoolPart *part = &chunks->parts[chunks->at];
        int64_t next = atomic_load_explicit(&part->next, memory_order_relaxed);
        if (next < part->end) {
            int64_t few = (part->end - next) / SHARE;
            few = few < 1 || most <= 1 ? 1 : few < most ? few : most;
            next = atomic_fetch_add_explicit(&part->next, few, memory_order_relaxed);
            *until = next + few < part->end ? next + few : part->end;
            if (next < part->end) return next;
        }
        chunks->left--;
        chunks->at = chunks->at + 1 < chunks->count ? chunks->at + 1 : 0;
    }
    return -1;
}

/* The next chunk, or -1 when there is none. */
static inline int64_t jr_pool_next(JrPoolChunks *chunks) {
    int64_t until;
    return jr_pool_next_few(chunks, 1, &until);
}

typedef void (*JrPoolWork)(void *user, JrPoolChunks *chunks);

/* On at most `threads` threads, the caller's included; 0 means jr_pool_threads(). */
void jr_pool_run(int threads, int64_t count, JrPoolWork work, void *user);

/* Whether the calling thread is inside a chunk. */
bool jr_pool_inside(void);

/* How many threads a region uses: what was set last, or else the environment's
 * JITRUN_NUM_THREADS, or else the processors this process may use (affinity and cgroup quota).
 */
int jr_pool_threads(void);
/* From 1 to JR_POOL_MAX_THREADS; 0 goes back to the default. Regions that run keep theirs. */
void jr_pool_set_threads(int threads);
/* The processors this process may use. */
int jr_pool_processors(void);

/* Ends the helpers; the next region starts new ones. Nothing may be running. For tests, and
 * for the library's end. */
void jr_pool_shutdown(void);

#endif

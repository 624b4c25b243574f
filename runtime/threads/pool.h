/* A pool of threads, one per process, that shares out numbered chunks of work.
 *
 * It knows nothing of kernels. jr_pool_run calls work(user, chunks) on the calling thread and on as
 * many helpers as are free; each takes chunks with jr_pool_next until there are none, and every
 * number in [0, count) is taken exactly once, in rising order by each thread. It returns when
 * all have returned. Any number of threads may call it at once; a call from inside a chunk
 * runs its chunks right there. Threads are started when they are first wanted; if the system
 * refuses, there are fewer. After fork the child starts its own. */
#ifndef JR_RUNTIME_POOL_H
#define JR_RUNTIME_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { JR_POOL_MAX_THREADS = 256 };

typedef struct JrPoolChunks {
    _Atomic int64_t next;
    int64_t count;
} JrPoolChunks;

/* The next chunk, or -1 when there is none. */
static inline int64_t jr_pool_next(JrPoolChunks *chunks) {
    int64_t chunk = atomic_fetch_add_explicit(&chunks->next, 1, memory_order_relaxed);
    return chunk < chunks->count ? chunk : -1;
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

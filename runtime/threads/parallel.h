/* The grid of parallel regions; what compiled code calls is declared in ir/rt.h. */
#ifndef JR_RUNTIME_PARALLEL_H
#define JR_RUNTIME_PARALLEL_H

#include "runtime/threads/pool.h"

#include <stdatomic.h>
#include <stdint.h>

/* What threads spent inside chunks, in seconds. */
typedef struct JrBusy {
    double total;   /* all of them */
    double busiest; /* of each region the one that spent most */
    struct {        /* in the region that is running; a thread is known by its address */
        const void *_Atomic thread;
        double seconds;
    } threads[JR_POOL_MAX_THREADS];
} JrBusy;

/* Whether `trip` iterations of `work` statements are at least so many statements that threads gain on
 * them, or as many as JITRUN_PARALLEL_THRESHOLD says. */
bool jr_parallel_gains(int64_t trip, int64_t work, int64_t least);
/* How many threads a region of the caller's has now: 1 within another one. */
struct JrThread;
int jr_parallel_threads(const struct JrThread *caller);

/* How many chunks `trip` iterations are cut into: 0 for none. A function of trip alone. */
int64_t jr_parallel_chunks(int64_t trip);

#endif

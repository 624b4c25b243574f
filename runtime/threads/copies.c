/* How many chunks a region has that accumulates in elements of arrays, h[k] += e. The first chunk does so
 * in the arrays themselves, and each other one in copies, which have to be filled and joined.
 *
 * If rounding makes the results depend on the chunks, their number depends on sizes alone. One thread
 * then fills and joins the copies too, so they may not cost more than a tenth of the loop. Of integers
 * the results are the same for any number of chunks, so that it can be what the threads that are there
 * gain most from: one each where copies are large, a few to balance them where they are small, and one,
 * which is the serial loop, where they would not gain. */
#include "ir/par/copies.h"

#include "runtime/rt/rt.h"
#include "runtime/threads/parallel.h"

enum {
    EXACT_COST =
        16, /* statements that fill and join an element of a copy, if each thread has one */
    CHUNKS_EACH = 4, /* for each thread */
    TESTED = 4,      /* copies at least, where tests ask for threads whatever they gain */
};

/* Copies that take a tenth of the loop. */
static int64_t cheap(double each, int64_t bytes) {
    double copies = each / (bytes < COPIES_LARGE ? COPIES_COST : COPIES_LARGE_COST);
    return copies < COPIES_MOST ? (int64_t)copies : COPIES_MOST;
}

static int64_t exact(double each, int64_t bytes, int threads) {
    if (threads < 2) return 0;
    int64_t most = (int64_t)threads * CHUNKS_EACH - 1, small = cheap(each, bytes);
    if (small > most) small = most;
    bool gains = each * (threads - 1) > (double)EXACT_COST * threads;
    return gains && small < threads - 1 ? threads - 1 : small;
}

/* trip, statements in an iteration, elements and bytes of a copy of each array, exact */
JR_RT_FN(parallel_copies) {
    int64_t trip = args[0].i, work = args[1].i, elements = args[2].i, bytes = args[3].i;
    results[0].i = 1;
    if (trip <= 0 || elements <= 0 || bytes <= 0 ||
        !jr_parallel_gains(trip, work, COPIES_LEAST))
        return 0;
    double each = (double)trip * (double)(work < 1 ? 1 : work) / (double)elements;
    int64_t copies = args[4].i ? exact(each, bytes, jr_parallel_threads(jr_thread_of(rt)))
                               : cheap(each, bytes);
    bool asked = jr_parallel_gains(0, 0, 1); /* JITRUN_PARALLEL_THRESHOLD=0 */
    if (asked && copies < TESTED) copies = TESTED;
    int64_t room = COPIES_BYTES / bytes;
    results[0].i = 1 + (copies < room ? copies : room);
    return 0;
}

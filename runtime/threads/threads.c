/* How many threads parallel loops use: jitrun.h's side of the pool. */
#include "runtime/rt/error.h"
#include "runtime/threads/pool.h"

int jr_num_threads(void) {
    return jr_pool_threads();
}

JrStatus jr_set_num_threads(int threads) {
    jr_error_clear();
    if (threads < 0 || threads > JR_POOL_MAX_THREADS)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "from 1 to %d threads can be set, not %d (0 goes "
                            "back to the default)",
                            JR_POOL_MAX_THREADS, threads);
    jr_pool_set_threads(threads);
    return JR_OK;
}

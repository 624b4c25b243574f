/* Seconds on a clock that only goes forward. */
#ifndef JR_IR_BASE_CLOCK_H
#define JR_IR_BASE_CLOCK_H

#include <time.h>

static inline double jr_clock_of(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline double jr_clock(void) {
    return jr_clock_of(CLOCK_MONOTONIC);
}

/* Of all threads of the process together. */
static inline double jr_clock_cpu(void) {
    return jr_clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

#endif

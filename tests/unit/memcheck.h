/* Under valgrind, as `./dev valgrind` says by TEST_MEMCHECK, a test is some thirty times slower and its
 * threads take turns: the sizes that only find more of the same are cut down. */
#ifndef TESTS_MEMCHECK_H
#define TESTS_MEMCHECK_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool under_memcheck(void) {
    return getenv("TEST_MEMCHECK") != NULL;
}

/* `all` of something, or fewer under valgrind. */
static inline int memcheck_size(int all, int fewer) {
    return under_memcheck() ? fewer : all;
}

#endif

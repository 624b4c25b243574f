/* What the C sides of the loops share. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Compiled for itself: what it is called with, and how often, is not known to it, as it is not to the others. */
#define KERNEL __attribute__((noinline, noclone, noipa))

static inline void *zeros(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) exit(1);
    return memory;
}

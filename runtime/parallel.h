/* The grid of parallel regions; what compiled code calls is declared in ir/rt.h. */
#ifndef JR_RUNTIME_PARALLEL_H
#define JR_RUNTIME_PARALLEL_H

#include <stdint.h>

/* How many chunks `trip` iterations are cut into: 0 for none. A function of trip alone. */
int64_t jr_parallel_chunks(int64_t trip);

#endif

/* The shadow of memory that a race check keeps: for each element, which places of the program
 * accessed it, and in which iterations. Knows addresses and numbers, nothing of arrays. */
#ifndef JR_RUNTIME_SHADOW_H
#define JR_RUNTIME_SHADOW_H

#include "ir/base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

/* How a place in the program accesses memory. Two places clash unless both read, or both update:
 * the same IrWatched of ir/par/parallel.h. */
typedef struct JrShadowPlace {
    uint8_t size; /* of the element: 1, 2, 4 or 8 bytes */
    uint32_t kind;
} JrShadowPlace;

/* Says that an access clashes with one that `place` made in another iteration, before. */
typedef void (*JrShadowClash)(void *user, uint32_t place, int64_t iteration);

typedef struct JrShadow JrShadow;

/* An empty one that takes at most `most` bytes; NULL when there is no memory. `alloc` must outlive
 * it. Free accepts NULL. */
JrShadow *jr_shadow_new(const JrAlloc *alloc, size_t most);
void jr_shadow_free(JrShadow *shadow);

/* Notes that places[place] accesses the element at `at` in `iteration`, after calling `clash` for
 * each place that met it there in another iteration. False when there is no memory: it is then
 * noted or not. */
bool jr_shadow_touch(JrShadow *shadow, const JrShadowPlace *places, uint32_t place,
                     uintptr_t at, int64_t iteration, JrShadowClash clash, void *user);
/* Forgets all accesses to these bytes. */
void jr_shadow_forget(JrShadow *shadow, uintptr_t at, size_t bytes);
size_t jr_shadow_bytes(const JrShadow *shadow); /* that it takes now */

#endif

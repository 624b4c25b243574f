/* Memory comes through one pair of hooks, so that a host can supply its own and the tests can
 * make any single allocation fail. A NULL `const JrAlloc *` means malloc, realloc and free. */
#ifndef JR_IR_BASE_ALLOC_H
#define JR_IR_BASE_ALLOC_H

#include <stddef.h>

typedef struct JrAlloc {
    /* realloc's contract: ptr may be NULL; size is never 0; NULL on failure, ptr then untouched. */
    void *(*resize)(void *user, void *ptr, size_t size);
    void (*release)(void *user, void *ptr);
    void *user;
} JrAlloc;

/* Uninitialised memory, or NULL when there is none. */
void *jr_alloc_new(const JrAlloc *alloc, size_t size);
void *jr_alloc_resize(const JrAlloc *alloc, void *ptr, size_t size);
void jr_alloc_free(const JrAlloc *alloc, void *ptr);

#endif

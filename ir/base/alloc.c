#include "ir/base/alloc.h"

#include <stdlib.h>

void *jr_alloc_new(const JrAlloc *alloc, size_t size) {
    return jr_alloc_resize(alloc, NULL, size);
}

void *jr_alloc_resize(const JrAlloc *alloc, void *ptr, size_t size) {
    if (size == 0) size = 1;
    return alloc ? alloc->resize(alloc->user, ptr, size) : realloc(ptr, size);
}

void jr_alloc_free(const JrAlloc *alloc, void *ptr) {
    if (!ptr) return;
    if (alloc)
        alloc->release(alloc->user, ptr);
    else
        free(ptr);
}

/* Compiled code in files, for later processes (JrCompileOptions.cache). */
#ifndef JR_RUNTIME_CACHE_H
#define JR_RUNTIME_CACHE_H

#include "backend/engine.h"

/* What became of the pieces of code of one module. */
typedef struct JrCache {
    const JrAlloc *alloc;
    uint32_t hits, misses;
    char problem[128]; /* why the last one could not be stored; "" */
    char folder[4096]; /* "" if there is no place for it */
} JrCache;

/* Finds the folder: $JITRUN_CACHE_DIR, or jitrun in $XDG_CACHE_HOME or in ~/.cache. */
void jr_cache_init(JrCache *cache, const JrAlloc *alloc);
/* For the engine; it lives as long as the JrCache. */
JrCodeCache jr_cache_for_engine(JrCache *cache);

#endif

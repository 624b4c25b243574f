#include "ir/base/arena.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_BLOCK = 8 * 1024, LARGEST_BLOCK = 1024 * 1024, ALIGNMENT = 16 };

typedef struct Block {
    struct Block *next;
    size_t size; /* of the whole block, this header included */
} Block;

struct JrArena {
    const JrAlloc *alloc;
    Block *blocks; /* newest first; allocations come from its tail */
    char *cursor, *end;
    size_t next_size, used;
    jmp_buf *oom;
};

JrArena *jr_arena_new(const JrAlloc *alloc) {
    JrArena *arena = jr_alloc_new(alloc, sizeof *arena);
    if (!arena) return NULL;
    *arena = (JrArena){.alloc = alloc, .next_size = FIRST_BLOCK};
    return arena;
}

void jr_arena_free(JrArena *arena) {
    if (!arena) return;
    for (Block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        jr_alloc_free(arena->alloc, block);
    }
    jr_alloc_free(arena->alloc, arena);
}

jmp_buf *jr_arena_on_oom(JrArena *arena, jmp_buf *target) {
    jmp_buf *previous = arena->oom;
    arena->oom = target;
    return previous;
}

static void *out_of_memory(JrArena *arena) {
    if (arena->oom) longjmp(*arena->oom, 1);
    return NULL;
}

static size_t header_size(void) {
    return (sizeof(Block) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static bool add_block(JrArena *arena, size_t need) {
    size_t size = arena->next_size;
    if (need > SIZE_MAX - header_size() - ALIGNMENT) return false;
    if (size < need + header_size()) size = need + header_size();
    Block *block = jr_alloc_new(arena->alloc, size);
    if (!block) return false;
    *block = (Block){.next = arena->blocks, .size = size};
    arena->blocks = block;
    arena->cursor = (char *)block + header_size();
    arena->end = (char *)block + size;
    if (arena->next_size < LARGEST_BLOCK) arena->next_size *= 2;
    return true;
}

void *jr_arena_alloc(JrArena *arena, size_t size) {
    if (size > SIZE_MAX - ALIGNMENT) return out_of_memory(arena);
    if (!size) size = 1; /* NULL means that there is no memory */
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if ((size_t)(arena->end - arena->cursor) < size && !add_block(arena, size))
        return out_of_memory(arena);
    void *memory = arena->cursor;
    arena->cursor += size;
    arena->used += size;
    return memset(memory, 0, size);
}

char *jr_arena_strndup(JrArena *arena, const char *text, size_t len) {
    char *copy = jr_arena_alloc(arena, len + 1);
    if (copy) memcpy(copy, text, len);
    return copy;
}

char *jr_arena_strdup(JrArena *arena, const char *text) {
    return jr_arena_strndup(arena, text, strlen(text));
}

char *jr_arena_vprintf(JrArena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *text = jr_arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1);
    if (text && len > 0) vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *jr_arena_printf(JrArena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = jr_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

size_t jr_arena_used(const JrArena *arena) {
    return arena->used;
}

void *jr_vec_grow(JrArena *arena, void *data, uint32_t *cap, size_t item_size) {
    uint32_t old = *cap, grown = old ? old * 2 : 8;
    void *bigger = jr_arena_alloc(arena, item_size * grown);
    if (!bigger) return data;
    if (old) memcpy(bigger, data, item_size * old);
    *cap = grown;
    return bigger;
}

/* The arena: everything a compilation makes lives in one and is freed with it, whole.
 *
 * Out of memory is handled once, at the edge: a stage that starts a compilation sets a jump
 * target, and any allocation that fails below it jumps there. That is safe because nothing
 * between the two holds anything but arena memory; code that does hold something else (a file,
 * a library's context) must not allocate from the arena while it does. */
#ifndef JR_IR_BASE_ARENA_H
#define JR_IR_BASE_ARENA_H

#include "ir/base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct JrArena JrArena;

/* A new, empty arena, or NULL when there is no memory. `alloc` must outlive it. */
JrArena *jr_arena_new(const JrAlloc *alloc);
void jr_arena_free(JrArena *arena);

/* Where a failed allocation jumps (with longjmp(*target, 1)); returns the previous target so
 * that scopes nest. With no target a failed allocation returns NULL. */
jmp_buf *jr_arena_on_oom(JrArena *arena, jmp_buf *target);

/* Zeroed memory aligned to 16 bytes. */
void *jr_arena_alloc(JrArena *arena, size_t size);
char *jr_arena_strndup(JrArena *arena, const char *text, size_t len);
char *jr_arena_strdup(JrArena *arena, const char *text);
char *jr_arena_printf(JrArena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *jr_arena_vprintf(JrArena *arena, const char *format, va_list args);
/* Bytes handed out so far. */
size_t jr_arena_used(const JrArena *arena);

#define JR_NEW(arena, T) ((T *)jr_arena_alloc((arena), sizeof(T)))
#define JR_NEW_ARRAY(arena, T, n) ((T *)jr_arena_alloc((arena), sizeof(T) * (size_t)(n)))

/* Growable arrays in an arena: JR_VEC(IrStmt *) list = {0}; JR_PUSH(arena, &list, stmt); */
#define JR_VEC(T)          \
    struct {               \
        T *data;           \
        uint32_t len, cap; \
    }

#define JR_PUSH(arena, vec, value)                                                   \
    do {                                                                             \
        if ((vec)->len == (vec)->cap)                                                \
            (vec)->data =                                                            \
                jr_vec_grow((arena), (vec)->data, &(vec)->cap, sizeof *(vec)->data); \
        (vec)->data[(vec)->len++] = (value);                                         \
    } while (0)

/* Doubles a vector's room; the old block stays in the arena. */
void *jr_vec_grow(JrArena *arena, void *data, uint32_t *cap, size_t item_size);

#endif

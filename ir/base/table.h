/* A hash table from strings to pointers, in an arena, and the buffer that text is built in. */
#ifndef JR_IR_BASE_TABLE_H
#define JR_IR_BASE_TABLE_H

#include "ir/base/arena.h"

typedef struct JrTableEntry {
    const char *key; /* owned by the table's arena */
    void *value;
} JrTableEntry;

typedef struct JrTable {
    JrArena *arena;
    JrTableEntry *slots;
    uint32_t len, cap;
} JrTable;

void jr_table_init(JrTable *table, JrArena *arena);
/* The value under key, or NULL. */
void *jr_table_get(const JrTable *table, const char *key);
/* Sets key to value (not NULL); returns the value it had before, or NULL. */
void *jr_table_put(JrTable *table, const char *key, void *value);

/* Text that grows. Lives in an arena; data is always NUL-terminated once something was added. */
typedef struct JrText {
    JrArena *arena;
    char *data;
    size_t len, cap;
} JrText;

void jr_text_init(JrText *text, JrArena *arena);
void jr_text_add(JrText *text, const char *bytes, size_t len);
void jr_text_puts(JrText *text, const char *string);
void jr_text_printf(JrText *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

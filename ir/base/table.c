#include "ir/base/table.h"

#include <stdio.h>
#include <string.h>

void jr_table_init(JrTable *table, JrArena *arena) {
    *table = (JrTable){.arena = arena};
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash(const char *key) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    return h;
}

/* The slot that holds key, or the free one where it belongs. cap is a power of two and never
 * full, so the probe ends. */
static JrTableEntry *find(JrTableEntry *slots, uint32_t cap, const char *key) {
    for (uint32_t i = (uint32_t)hash(key) & (cap - 1);; i = (i + 1) & (cap - 1))
        if (!slots[i].key || strcmp(slots[i].key, key) == 0) return &slots[i];
}

void *jr_table_get(const JrTable *table, const char *key) {
    return table->len ? find(table->slots, table->cap, key)->value : NULL;
}

static void grow(JrTable *table) {
    uint32_t cap = table->cap ? table->cap * 2 : 16;
    JrTableEntry *slots = JR_NEW_ARRAY(table->arena, JrTableEntry, cap);
    for (uint32_t i = 0; i < table->cap; i++)
        if (table->slots[i].key) *find(slots, cap, table->slots[i].key) = table->slots[i];
    table->slots = slots;
    table->cap = cap;
}

void *jr_table_put(JrTable *table, const char *key, void *value) {
    if (table->len * 2 >= table->cap) grow(table);
    JrTableEntry *entry = find(table->slots, table->cap, key);
    void *before = entry->value;
    if (!entry->key) {
        entry->key = jr_arena_strdup(table->arena, key);
        table->len++;
    }
    entry->value = value;
    return before;
}

void jr_text_init(JrText *text, JrArena *arena) {
    *text = (JrText){.arena = arena};
}

static void reserve(JrText *text, size_t extra) {
    if (text->len + extra + 1 <= text->cap) return;
    size_t cap = text->cap ? text->cap : 128;
    while (cap < text->len + extra + 1)
        cap *= 2;
    char *data = jr_arena_alloc(text->arena, cap);
    if (text->len) memcpy(data, text->data, text->len);
    text->data = data;
    text->cap = cap;
}

void jr_text_add(JrText *text, const char *bytes, size_t len) {
    reserve(text, len);
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = 0;
}

void jr_text_puts(JrText *text, const char *string) {
    jr_text_add(text, string, strlen(string));
}

void jr_text_printf(JrText *text, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        reserve(text, (size_t)len);
        vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

/* A table of pages, each with a list for every element:
 *
 *     page 0x7f12a4c31  ->  heads[512]  ->  { place 3, iteration 7, before that 6 }
 *                                           { place 5, iteration 7 }
 *
 * Iterations come one after the other, so a place needs to remember two of them: the last in
 * which it accessed the element, and the last before that. If the first is the current one,
 * the second is what the current one may clash with; and no clash of two places is missed.
 *
 * A page has a head for every 1, 2, 4 or 8 bytes, by the size of the first element accessed in
 * it. That is all there is to most pages. A page where elements of other sizes are accessed too
 * (arrays of a host's that share memory) gets a head for each byte, and every access then looks
 * at all heads from which an element may reach into it. If a misaligned element was ever
 * accessed, every page is treated so, since an element may then reach into the next one. */
#include "runtime/threads/shadow.h"

#include <string.h>

enum {
    PAGE_BITS = 12,
    PAGE_BYTES = 1 << PAGE_BITS,
    BLOCK_BITS = 10, /* nodes are allocated by so many */
    BLOCK_NODES = 1 << BLOCK_BITS,
    FEWEST_SLOTS = 64,
    LARGEST = 8, /* element */
};

typedef struct Node {
    uint32_t next; /* 1 + its number; 0 ends the list */
    uint32_t place;
    int64_t last, before; /* the same: there was only one */
} Node;

typedef struct Page {
    uintptr_t number; /* its address >> PAGE_BITS */
    uint8_t shift;    /* a head stands for 1 << shift bytes */
    bool mixed;
    uint32_t heads[];
} Page;

struct JrShadow {
    const JrAlloc *alloc;
    size_t bytes, most;
    Page **slots; /* open addressing; a power of two of them */
    size_t slot_count, page_count;
    Page *recent;
    Node **blocks;
    uint32_t block_count, block_room;
    uint32_t fresh; /* nodes that were ever in use: the rest of the last block is free */
    uint32_t spare; /* a list of nodes that are free again */
    bool ragged;    /* there was a misaligned access */
};

/* ---- Memory ---- */

static void *take(JrShadow *s, size_t size) {
    if (size > s->most - s->bytes) return NULL;
    void *memory = jr_alloc_new(s->alloc, size);
    if (memory) s->bytes += size;
    return memory;
}

static void give_back(JrShadow *s, void *memory, size_t size) {
    if (memory) s->bytes -= size;
    jr_alloc_free(s->alloc, memory);
}

JrShadow *jr_shadow_new(const JrAlloc *alloc, size_t most) {
    JrShadow *s = jr_alloc_new(alloc, sizeof *s);
    if (s) *s = (JrShadow){.alloc = alloc, .most = most};
    return s;
}

void jr_shadow_free(JrShadow *s) {
    if (!s) return;
    for (size_t i = 0; i < s->slot_count; i++)
        jr_alloc_free(s->alloc, s->slots[i]);
    for (uint32_t i = 0; i < s->block_count; i++)
        jr_alloc_free(s->alloc, s->blocks[i]);
    jr_alloc_free(s->alloc, s->slots);
    jr_alloc_free(s->alloc, s->blocks);
    jr_alloc_free(s->alloc, s);
}

size_t jr_shadow_bytes(const JrShadow *s) {
    return s->bytes;
}

/* ---- Nodes ---- */

static Node *node_at(const JrShadow *s, uint32_t link) {
    return &s->blocks[(link - 1) >> BLOCK_BITS][(link - 1) & (BLOCK_NODES - 1)];
}

static bool add_block(JrShadow *s) {
    if (s->block_count == s->block_room) {
        uint32_t room = s->block_room ? 2 * s->block_room : 16;
        Node **blocks = take(s, room * sizeof *blocks);
        if (!blocks) return false;
        if (s->block_count) memcpy(blocks, s->blocks, s->block_count * sizeof *blocks);
        give_back(s, s->blocks, s->block_room * sizeof *blocks);
        s->blocks = blocks;
        s->block_room = room;
    }
    if (s->block_count >= UINT32_MAX >> BLOCK_BITS) return false;
    Node *block = take(s, BLOCK_NODES * sizeof *block);
    if (!block) return false;
    s->blocks[s->block_count++] = block;
    return true;
}

/* A link to a node that is free; 0 when there is no memory. */
static uint32_t node_new(JrShadow *s) {
    uint32_t link = s->spare;
    if (link) {
        s->spare = node_at(s, link)->next;
        return link;
    }
    if (s->fresh == s->block_count << BLOCK_BITS && !add_block(s)) return 0;
    return ++s->fresh;
}

static void free_list(JrShadow *s, uint32_t *head) {
    if (!*head) return;
    Node *end = node_at(s, *head);
    while (end->next)
        end = node_at(s, end->next);
    end->next = s->spare;
    s->spare = *head;
    *head = 0;
}

/* ---- Pages ---- */

static size_t page_size(unsigned shift) {
    return sizeof(Page) + (PAGE_BYTES >> shift) * sizeof(uint32_t);
}

static Page **slot_of(const JrShadow *s, uintptr_t number) {
    size_t at = (number * (size_t)0x9e3779b97f4a7c15u) >> 20;
    for (;; at++) {
        Page **slot = &s->slots[at & (s->slot_count - 1)];
        if (!*slot || (*slot)->number == number) return slot;
    }
}

static bool grow_table(JrShadow *s) {
    JrShadow old = *s;
    size_t count = s->slot_count ? 2 * s->slot_count : FEWEST_SLOTS;
    Page **slots = take(s, count * sizeof *slots);
    if (!slots) return false;
    memset(slots, 0, count * sizeof *slots);
    s->slots = slots;
    s->slot_count = count;
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i]) *slot_of(s, old.slots[i]->number) = old.slots[i];
    give_back(s, old.slots, old.slot_count * sizeof *slots);
    return true;
}

static Page *find_page(JrShadow *s, uintptr_t number) {
    if (s->recent && s->recent->number == number) return s->recent;
    Page *page = s->slot_count ? *slot_of(s, number) : NULL;
    if (page) s->recent = page;
    return page;
}

static Page *new_page(JrShadow *s, uintptr_t number, unsigned shift) {
    Page *page = take(s, page_size(shift));
    if (!page) return NULL;
    memset(page, 0, page_size(shift));
    page->number = number;
    page->shift = (uint8_t)shift;
    return page;
}

static Page *need_page(JrShadow *s, uintptr_t number, unsigned shift) {
    Page *page = find_page(s, number);
    if (page) return page;
    if (4 * (s->page_count + 1) > 3 * s->slot_count && !grow_table(s)) return NULL;
    page = new_page(s, number, shift);
    if (!page) return NULL;
    *slot_of(s, number) = s->recent = page;
    s->page_count++;
    return page;
}

/* The page with a head for each byte, in the old one's place. */
static Page *mix_page(JrShadow *s, Page *page) {
    if (page->mixed) return page;
    Page *fine = page;
    if (page->shift) {
        fine = new_page(s, page->number, 0);
        if (!fine) return NULL;
        for (int i = 0; i < PAGE_BYTES >> page->shift; i++)
            fine->heads[i << page->shift] = page->heads[i];
        *slot_of(s, page->number) = fine;
        give_back(s, page, page_size(page->shift));
    }
    fine->mixed = true;
    return s->recent = fine;
}

/* ---- Accesses ---- */

typedef struct Touch {
    JrShadow *shadow;
    const JrShadowPlace *places;
    uint32_t place;
    uintptr_t at;
    int64_t iteration;
    JrShadowClash clash;
    void *user;
} Touch;

static bool clashes(uint32_t a, uint32_t b) {
    enum { READ, WRITE }; /* as in IrWatched */
    if (a != b) return true;
    return a == WRITE;
}

/* With every access in the list whose element, which begins at `at`, reaches into this one's. */
static void compare(const Touch *t, uint32_t head, uintptr_t at) {
    const JrShadowPlace *mine = &t->places[t->place];
    for (uint32_t link = head; link;) {
        const Node *node = node_at(t->shadow, link);
        const JrShadowPlace *other = &t->places[node->place];
        link = node->next;
        int64_t met = node->last == t->iteration ? node->before : node->last;
        if (met == t->iteration || !clashes(mine->kind, other->kind)) continue;
        if (at + other->size > t->at) t->clash(t->user, node->place, met);
    }
}

static bool note(const Touch *t, uint32_t *head) {
    for (uint32_t link = *head; link;) {
        Node *node = node_at(t->shadow, link);
        link = node->next;
        if (node->place != t->place) continue;
        if (node->last != t->iteration) node->before = node->last;
        node->last = t->iteration;
        return true;
    }
    uint32_t link = node_new(t->shadow);
    if (!link) return false;
    *node_at(t->shadow, link) = (Node){*head, t->place, t->iteration, t->iteration};
    *head = link;
    return true;
}

static bool touch_mixed(const Touch *t, Page *page) {
    if (!mix_page(t->shadow, page)) return false;
    unsigned size = t->places[t->place].size;
    for (uintptr_t at = t->at - (LARGEST - 1); at < t->at + size; at++) {
        page = find_page(t->shadow, at >> PAGE_BITS);
        if (!page) continue;
        if (!(page = mix_page(t->shadow, page))) return false;
        compare(t, page->heads[at & (PAGE_BYTES - 1)], at);
    }
    page = find_page(t->shadow, t->at >> PAGE_BITS);
    return note(t, &page->heads[t->at & (PAGE_BYTES - 1)]);
}

bool jr_shadow_touch(JrShadow *s, const JrShadowPlace *places, uint32_t place, uintptr_t at,
                     int64_t iteration, JrShadowClash clash, void *user) {
    Touch t = {s, places, place, at, iteration, clash, user};
    unsigned size = places[place].size, shift = (unsigned)__builtin_ctz(size);
    if (at & (size - 1)) s->ragged = true;
    Page *page = need_page(s, at >> PAGE_BITS, shift);
    if (!page) return false;
    if (s->ragged || page->mixed || page->shift != shift) return touch_mixed(&t, page);
    uint32_t *head = &page->heads[(at & (PAGE_BYTES - 1)) >> shift];
    compare(&t, *head, at);
    return note(&t, head);
}

/* ---- Forgetting ---- */

static void forget_in(JrShadow *s, Page *page, uintptr_t at, uintptr_t end) {
    uintptr_t first = page->number << PAGE_BITS, behind = first + PAGE_BYTES;
    if (end <= first || at >= behind) return;
    at = at > first ? at - first : 0;
    end = end < behind ? end - first : PAGE_BYTES;
    for (uintptr_t i = at >> page->shift; i << page->shift < end; i++)
        free_list(s, &page->heads[i]);
}

void jr_shadow_forget(JrShadow *s, uintptr_t at, size_t bytes) {
    uintptr_t first = at >> PAGE_BITS,
              count = ((at + bytes + PAGE_BYTES - 1) >> PAGE_BITS) - first;
    if (!s->page_count || !bytes) return;
    if (count > s->slot_count) {
        for (size_t i = 0; i < s->slot_count; i++)
            if (s->slots[i]) forget_in(s, s->slots[i], at, at + bytes);
        return;
    }
    for (uintptr_t i = 0; i < count; i++) {
        Page *page = find_page(s, first + i);
        if (page) forget_in(s, page, at, at + bytes);
    }
}

/* The shadow of a race check, against one that remembers every access there was. */
#include "runtime/threads/shadow.h"

#include "ir/par/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PLACES = 12, MOST = 1 << 20 };

static const JrShadowPlace places[PLACES] = {
    {8, WATCHED_READ}, {8, WATCHED_WRITE}, {8, WATCHED_UPDATE + 1}, {8, WATCHED_UPDATE + 2},
    {4, WATCHED_READ}, {4, WATCHED_WRITE}, {2, WATCHED_READ},       {2, WATCHED_WRITE},
    {1, WATCHED_READ}, {1, WATCHED_WRITE}, {8, WATCHED_WRITE},      {1, WATCHED_UPDATE + 1},
};

/* ---- The slow one ---- */

typedef struct Past {
    uint32_t place;
    uintptr_t at;
    int64_t iteration;
} Past;

static Past past[20000];
static size_t past_count;

static bool may_clash(uint32_t a, uint32_t b) {
    if (a == WATCHED_READ && b == WATCHED_READ) return false;
    return !(a >= WATCHED_UPDATE && a == b);
}

/* The places that an access clashes with, as bits. */
static uint32_t expected(const Past *now) {
    uint32_t bits = 0;
    for (size_t i = 0; i < past_count; i++) {
        const Past *p = &past[i];
        if (p->iteration == now->iteration) continue;
        if (p->at >= now->at + places[now->place].size ||
            now->at >= p->at + places[p->place].size)
            continue;
        if (may_clash(places[p->place].kind, places[now->place].kind)) bits |= 1u << p->place;
    }
    return bits;
}

static void forget(uintptr_t at, size_t bytes) {
    size_t kept = 0;
    for (size_t i = 0; i < past_count; i++)
        if (past[i].at < at || past[i].at >= at + bytes) past[kept++] = past[i];
    past_count = kept;
}

/* ---- Both together ---- */

typedef struct Clashes {
    uint32_t bits;
    int64_t now;
} Clashes;

static void note(void *user, uint32_t place, int64_t iteration) {
    Clashes *clashes = user;
    clashes->bits |= 1u << place;
    assert_int_not_equal(iteration, clashes->now);
}

static void check(JrShadow *shadow, Past now) {
    Clashes clashes = {0, now.iteration};
    uint32_t want = expected(&now);
    assert_true(
        jr_shadow_touch(shadow, places, now.place, now.at, now.iteration, note, &clashes));
    assert_int_equal(clashes.bits, want);
    past[past_count++] = now;
}

static uint32_t draw(uint32_t *state, uint32_t below) {
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*state >> 8) * below >> 24);
}

/* Accesses of a few hundred bytes around the border of two pages. */
static void run_random(uint32_t seed, uint32_t span, bool aligned, uint32_t count_of_places) {
    uintptr_t base = ((uintptr_t)1 << 40) - span / 2;
    JrShadow *shadow = jr_shadow_new(NULL, (size_t)256 << 20);
    past_count = 0;
    for (int64_t iteration = 0; iteration < 400; iteration++) {
        for (uint32_t k = draw(&seed, 12); k > 0; k--) {
            uint32_t place = draw(&seed, count_of_places);
            uintptr_t at = base + draw(&seed, span);
            if (aligned) at &= ~(uintptr_t)(places[place].size - 1);
            check(shadow, (Past){place, at, iteration});
        }
        if (draw(&seed, 8)) continue;
        uintptr_t at = base + draw(&seed, span);
        size_t bytes = draw(&seed, span);
        if (aligned) at &= ~(uintptr_t)63, bytes &= ~(size_t)63;
        if (!aligned) continue; /* an element may begin before what is forgotten */
        jr_shadow_forget(shadow, at, bytes);
        forget(at, bytes);
    }
    assert_true(jr_shadow_bytes(shadow) < MOST);
    jr_shadow_free(shadow);
}

static void test_one_size(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed < 8; seed++)
        run_random(seed, 300, true, 4);
}

static void test_all_sizes(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed < 8; seed++)
        run_random(seed, 128, true, PLACES);
}

static void test_misaligned(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed < 8; seed++)
        run_random(seed, 64, false, PLACES);
}

static void test_far_apart(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed < 4; seed++)
        run_random(seed, 1 << 20, true, 4);
}

static void nothing(void *user, uint32_t place, int64_t iteration) {
    (void)user, (void)place, (void)iteration;
}

/* Memory that is used again and again takes no more room. */
static void test_forgetting_frees(void **state) {
    (void)state;
    JrShadow *shadow = jr_shadow_new(NULL, MOST);
    for (int64_t iteration = 0; iteration < 1000; iteration++) {
        jr_shadow_forget(shadow, 1 << 20, 8 * 1000);
        for (uintptr_t i = 0; i < 1000; i++)
            assert_true(jr_shadow_touch(shadow, places, 1, (1 << 20) + 8 * i, iteration,
                                        nothing, NULL));
    }
    jr_shadow_free(shadow);
}

static void test_limit(void **state) {
    (void)state;
    JrShadow *shadow = jr_shadow_new(NULL, MOST);
    uintptr_t at = 0;
    while (jr_shadow_touch(shadow, places, 1, 4096 + at, 0, nothing, NULL))
        at += 8;
    assert_true(at > MOST / 8);
    assert_true(jr_shadow_bytes(shadow) <= MOST);
    jr_shadow_free(shadow);
}

/* Every allocation fails once. */
static int allocations_left;

static void *failing_resize(void *user, void *ptr, size_t size) {
    (void)user;
    return allocations_left-- > 0 ? realloc(ptr, size) : NULL;
}

static void failing_release(void *user, void *ptr) {
    (void)user;
    free(ptr);
}

static bool touch_some(JrShadow *shadow) {
    for (uintptr_t i = 0; i < 3000; i++)
        if (!jr_shadow_touch(shadow, places, (uint32_t)(i % PLACES), 4096 + 640 * i, 0,
                             nothing, NULL))
            return false;
    for (uintptr_t i = 0; i < 3000; i++)
        if (!jr_shadow_touch(shadow, places, 8, 4096 + 640 * i, 1, nothing, NULL))
            return false;
    return true;
}

static void test_no_memory(void **state) {
    (void)state;
    const JrAlloc failing = {failing_resize, failing_release, NULL};
    bool done = false;
    for (int n = 0; !done; n += n / 8 + 1) {
        allocations_left = n;
        JrShadow *shadow = jr_shadow_new(&failing, (size_t)256 << 20);
        done = shadow && touch_some(shadow);
        jr_shadow_free(shadow);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_size),         cmocka_unit_test(test_all_sizes),
        cmocka_unit_test(test_misaligned),       cmocka_unit_test(test_far_apart),
        cmocka_unit_test(test_forgetting_frees), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

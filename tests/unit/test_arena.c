/* The arena: alignment, zeroing, growth, and what happens when memory runs out. */
#include "tests/unit/ir_text.h"

#include <stdlib.h>

/* malloc that counts, and fails from the `fail_at`th request on. */
typedef struct Budget {
    int asked, fail_at, live;
} Budget;

static void *budget_resize(void *user, void *ptr, size_t size) {
    Budget *budget = user;
    if (budget->fail_at && ++budget->asked >= budget->fail_at) return NULL;
    budget->live += ptr == NULL;
    return realloc(ptr, size);
}

static void budget_release(void *user, void *ptr) {
    ((Budget *)user)->live--;
    free(ptr);
}

static JrAlloc budget_alloc(Budget *budget) {
    return (JrAlloc){budget_resize, budget_release, budget};
}

static void test_aligned_and_zeroed(void **state) {
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = jr_arena_alloc(*state, size);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
}

static void test_large_blocks(void **state) {
    size_t before = jr_arena_used(*state);
    char *big = jr_arena_alloc(*state, 5 * 1024 * 1024), *small = jr_arena_alloc(*state, 1);
    big[5 * 1024 * 1024 - 1] = *small = 1;
    assert_true(jr_arena_used(*state) - before >= 5 * 1024 * 1024 + 1);
}

static void test_strings(void **state) {
    assert_string_equal(jr_arena_strdup(*state, "text"), "text");
    assert_string_equal(jr_arena_strndup(*state, "text", 2), "te");
    assert_string_equal(jr_arena_printf(*state, "%s %d", "x", 42), "x 42");
    assert_string_equal(jr_arena_printf(*state, "%s", ""), "");
}

static void test_vector(void **state) {
    JR_VEC(int) list = {0};
    for (int i = 0; i < 10000; i++)
        JR_PUSH((JrArena *)*state, &list, i);
    assert_int_equal(list.len, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(list.data[i], i);
}

static void test_free_takes_everything(void **state) {
    (void)state;
    Budget budget = {0};
    JrAlloc alloc = budget_alloc(&budget);
    JrArena *arena = jr_arena_new(&alloc);
    for (int i = 0; i < 1000; i++)
        jr_arena_alloc(arena, 1000);
    assert_true(budget.live > 1);
    jr_arena_free(arena);
    assert_int_equal(budget.live, 0);
    jr_arena_free(NULL);
}

static void test_no_memory_without_target(void **state) {
    (void)state;
    Budget budget = {.fail_at = 2};
    JrAlloc alloc = budget_alloc(&budget);
    JrArena *arena = jr_arena_new(&alloc);
    assert_null(jr_arena_alloc(arena, 10));
    assert_null(jr_arena_strdup(arena, "x"));
    assert_null(jr_arena_alloc(arena, SIZE_MAX - 8));
    jr_arena_free(arena);
    budget.fail_at = 1;
    assert_null(jr_arena_new(&alloc));
    assert_int_equal(budget.live, 0);
}

static const char *long_module(JrArena *arena) {
    JrText text;
    jr_text_init(&text, arena);
    jr_text_puts(&text, "file \"x\"\nfunc f(%n: int64) -> int64 {\n%1 = add %n, 1\n");
    for (int i = 1; i < 500; i++)
        jr_text_printf(&text, "%%%d = add %%%d, %d\n", i + 1, i, i);
    jr_text_puts(&text, "return %1\n}\n");
    return text.data;
}

/* Whether reading and folding a module succeeds before the allocation numbered `at`. */
static bool read_with_budget(int at) {
    Budget budget = {.fail_at = at};
    JrAlloc alloc = budget_alloc(&budget);
    JrArena *arena = jr_arena_new(&alloc);
    jmp_buf target;
    JrDiags diags;
    assert_null(jr_arena_on_oom(arena, &target));
    bool jumped = setjmp(target) != 0;
    if (!jumped) {
        IrModule *module = read_text(arena, long_module(arena), &diags);
        assert_non_null(module);
        ir_fold_module(module);
    }
    assert_ptr_equal(jr_arena_on_oom(arena, NULL), &target);
    jr_arena_free(arena);
    assert_int_equal(budget.live, 0);
    return !jumped;
}

/* Fails one allocation after the other until the work succeeds: every failure jumps to the
 * target, and nothing leaks. */
static void test_every_failing_allocation_jumps(void **state) {
    (void)state;
    int at = 2;
    while (!read_with_budget(at))
        at++;
    assert_true(at > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_aligned_and_zeroed),
        ARENA_TEST(test_large_blocks),
        ARENA_TEST(test_strings),
        ARENA_TEST(test_vector),
        cmocka_unit_test(test_free_takes_everything),
        cmocka_unit_test(test_no_memory_without_target),
        cmocka_unit_test(test_every_failing_allocation_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

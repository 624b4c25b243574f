/* Which variables get a register for each value (ir/split.c). That they compute the same is for tests/lang/. */
#include "ir/split.h"

#include "tests/unit/ir_text.h"

/* The body, in a function with parameters, after the pass; it must be well-formed. */
static const char *after(JrArena *arena, const char *body) {
    const char *text =
        jr_arena_printf(arena,
                        "file \"t\"\n\nfunc f(%%x: float64[::1], %%n: int64) -> int64 {\n"
                        "  var %%k: int64\n  var %%s: int64\n  %%s = copy 0\n  %%k = copy 1\n"
                        "  for %%i = 0, %%n, 1 {\n%s  }\n  return %%k\n}\n",
                        body);
    IrModule *module = read_good(arena, text);
    ir_split_module(module);
    return print_good(arena, module);
}

#define LIMIT "%k = add %i, 3\n%k = max %k, 7\n%k = min %k, 9\n"

static void each_value_has_a_register(void **state) {
    const char *text = after(*state, LIMIT "%s = add %s, %k\n");
    assert_count(text, "%k = min %2, 9", 1);
    assert_count(text, "%k = ", 2); /* and the one in front of the loop */
    assert_count(text, "%2 = max %1, 7", 1);
    assert_count(text, "%s = add %s, %k", 1);
    assert_count(text, "return %k", 1);
}

static void uses_inside_of_an_if_follow(void **state) {
    const char *text =
        after(*state, "%k = add %i, 3\n%1 = lt %k, 5\nif %1 {\n%s = add %s, %k\n}\n"
                      "%k = max %k, 7\n");
    assert_count(text, "%s = add %s, %k", 0);
    assert_count(text, "%k = max %k", 0);
    assert_count(text, "%k = max %", 1);
}

static void others_stay(void **state) {
    /* Read before it is written: it is what the iteration before has left. */
    assert_count(after(*state, "%s = add %s, %k\n" LIMIT), "%k = max %k, 7", 1);
    assert_count(after(*state, "%k = add %k, 3\n%k = max %k, 7\n"), "%k = max %k, 7", 1);
    /* Written in an if. */
    assert_count(after(*state, LIMIT "%1 = lt %k, %n\nif %1 {\n%k = copy 2\n}\n"),
                 "%k = max %k, 7", 1);
    /* The loop may end between two of its values. */
    assert_count(
        after(*state, "%k = add %i, 3\n%1 = lt %k, %n\nif %1 {\nbreak\n}\n%k = max %k, 7\n"),
        "%k = max %k, 7", 1);
    assert_count(
        after(*state,
              "%k = add %i, 3\n%1 = lt %k, %n\nif %1 {\ncontinue\n}\n%k = max %k, 7\n"),
        "%k = max %k, 7", 1);
    /* Not innermost; the loop inside has nothing to split. */
    assert_count(after(*state, LIMIT "for %l = 0, %n, 1 {\n%s = add %s, %k\n}\n"),
                 "%k = max %k, 7", 1);
}

static void one_loop_after_another(void **state) {
    const char *text = after(*state, "for %l = 0, %n, 1 {\n" LIMIT "%s = add %s, %k\n}\n"
                                     "for %m = 0, %n, 1 {\n" LIMIT "%s = sub %s, %k\n}\n");
    assert_count(text, "%k = max", 0);
    assert_count(text, "%k = min %", 2);
    assert_count(text, "%s = sub %s, %k", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(each_value_has_a_register),
        ARENA_TEST(uses_inside_of_an_if_follow),
        ARENA_TEST(others_stay),
        ARENA_TEST(one_loop_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

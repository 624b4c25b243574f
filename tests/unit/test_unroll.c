/* Which loops are written round after round (ir/unroll.c), and what becomes of their variables. That they
 * compute the same is for tests/lang/. */
#include "ir/unroll.h"

#include "tests/unit/ir_text.h"

/* The body, in a function with parameters, after the pass and the fold; it must be well-formed. */
static const char *unrolled(JrArena *arena, const char *body) {
    const char *why,
        *text =
            jr_arena_printf(arena,
                            "file \"t\"\n\nfunc f(%%a: float64[:, ::1], %%x: float64[::1], "
                            "%%n: int64) -> float64 {\n"
                            "  var %%s: float64\n  var %%t: float64\n%s  return %%s\n}\n",
                            body);
    IrModule *module = read_good(arena, text);
    ir_unroll_module(module);
    if (!ir_verify_module(module, &why)) fail_msg("%s: %s", why, print_text(arena, module));
    ir_fold_module(module);
    return print_good(arena, module);
}

#define SUM                    \
    "      %1 = load %x[%k]\n" \
    "      %s = add %s, %1\n"

static void few_rounds_are_written_out(void **state) {
    const char *text = unrolled(*state, "for %k = 0, 3, 1 {\n" SUM "}\n");
    assert_count(text, "for ", 0);
    assert_count(text, "load %x[0]", 1);
    assert_count(text, "load %x[2]", 1);
    assert_count(text, "%s = add %s", 3);
    text = unrolled(*state, "for %k = 2, -2, -2 {\n" SUM "}\n");
    assert_count(text, "load %x[", 2);
    assert_count(text, "load %x[2]", 1);
    text = unrolled(*state, "for %k = 0, 8, 1 {\n" SUM "}\n");
    assert_count(text, "load %x[", 8);
}

static void inner_ones_first(void **state) {
    const char *text = unrolled(*state, "for %i = 0, %n, 1 {\nfor %k = 0, 3, 1 {\n"
                                        "for %l = 0, 2, 1 {\n"
                                        "%1 = load %a[%k, %l]\n%s = add %s, %1\n}\n}\n}\n");
    assert_count(text, "for ", 1);
    assert_count(text, "load %a[2, 1]", 1);
    assert_count(text, "load %a[", 6);
}

static void others_stay(void **state) {
    assert_count(unrolled(*state, "for %k = 0, 9, 1 {\n" SUM "}\n"), "for ", 1);
    assert_count(unrolled(*state, "for %k = 0, %n, 1 {\n" SUM "}\n"), "for ", 1);
    assert_count(unrolled(*state, "for %k = 0, 3, 0 {\n" SUM "}\n"), "for ", 1);
    assert_count(unrolled(*state, "for parallel %k = 0, 3, 1 {\n" SUM "}\n"), "for ", 1);
    assert_count(
        unrolled(*state, "for %k = 0, 3, 1 {\n" SUM "%2 = lt %s, 1.0\nif %2 {\nbreak\n}\n}\n"),
        "for ", 1);
    assert_count(unrolled(*state, "for %k = 0, 3, 1 {\nfor %i = 0, %n, 1 {\n"
                                  "%1 = load %x[%i]\n%s = add %s, %1\n}\n}\n"),
                 "for ", 2);
}

static void large_functions_stay(void **state) {
    const char *loops = "";
    for (int i = 0; i < 80; i++) {
        static const char loop[] =
            "for %%k.%d = 0, 8, 1 {\n%%1.%d = load %%x[%%k.%d]\n%%s = add %%s, %%1.%d\n"
            "%%s = mul %%s, %%1.%d\n%%s = sub %%s, %%1.%d\n}\n";
        const char *one = jr_arena_printf(*state, loop, i, i, i, i, i, i);
        loops = jr_arena_printf(*state, "%s%s", loops, one);
    }
    const char *text = unrolled(*state, loops);
    int left = 0;
    for (const char *at = text; (at = strstr(at, "for ")) != NULL; at++)
        left++;
    assert_in_range(left, 20, 60); /* those that still fit are written out */
}

static void variables_of_a_round(void **state) {
    /* t is a round's own; s goes on */
    const char *text = unrolled(*state, "for %i = 0, %n, 1 {\nfor %k = 0, 3, 1 {\n"
                                        "%t = load %x[%k]\n%s = add %s, %t\n}\n}\n");
    assert_count(text, "%t = load", 0);
    assert_count(text, "= load %x[", 3);
    assert_count(text, "%s = add %s, %t.", 3);
    /* read before it is written, or elsewhere: it is not */
    text = unrolled(*state, "for %k = 0, 3, 1 {\n%s = add %s, %t\n%t = load %x[%k]\n}\n");
    assert_count(text, "%t = load", 3);
    text = unrolled(*state, "for %k = 0, 3, 1 {\n%t = load %x[%k]\n}\n%s = add %t, 1.0\n");
    assert_count(text, "%t = load", 3);
    /* written in one arm, read in all */
    text = unrolled(*state, "for %k = 0, 3, 1 {\n%1 = lt %s, 1.0\nif %1 {\n"
                            "%t = load %x[%k]\n}\n%s = add %s, %t\n}\n");
    assert_count(text, "%t = load", 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(few_rounds_are_written_out),
        ARENA_TEST(inner_ones_first),
        ARENA_TEST(others_stay),
        ARENA_TEST(large_functions_stay),
        ARENA_TEST(variables_of_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

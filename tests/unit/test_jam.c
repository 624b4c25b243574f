/* Which nests run several iterations side by side, and what is asked before (ir/jam/). That they compute the
 * same is tests/python/nests.py's. */
#include "ir/jam.h"

#include "tests/unit/ir_text.h"

/* The body, in a function with parameters, after the pass; it must be well-formed and read back as it
 * is. */
static const char *jammed(JrArena *arena, const char *body) {
    const char *text =
        jr_arena_printf(arena,
                        "file \"t\"\n\nfunc f(%%a: float64[:, ::1], %%b: float64[:, ::1], "
                        "%%c: float64[:, ::1], %%x: float64[::1], %%y: float64[::1], %%g: "
                        "int64[::1], %%w: float64[:], %%n: int64, %%m: int64, %%k: int64) {\n"
                        "  var %%s: float64\n  var %%t: float64\n  var %%v: int64\n%s"
                        "  return\n}\n",
                        body);
    IrModule *module = read_good(arena, text);
    ir_jam_module(module);
    return print_good(arena, module);
}

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("no '%s' in\n%s", part, text);
}

static void assert_lanes(JrArena *arena, const char *body, int lanes) {
    const char *text = jammed(arena, body);
    if (!lanes && strstr(text, "jammed")) fail_msg("jammed:\n%s", text);
    if (!lanes) return;
    assert_has(text, "for jammed ");
    assert_has(text, jr_arena_printf(arena, ", %d {\n", lanes));
}

#define I(body) "  for %i = 0, %n, 1 {\n" body "  }\n"
#define J(body) "    for %j = 0, %m, 1 {\n" body "    }\n"
#define L(body) "    for %l = 0, %m, 1 {\n" body "    }\n"
#define K(body) "    for %q = 0, %k, 1 {\n" body "    }\n"
/* s += a[i, j] * x[j] */
#define ROW                  \
    "%1 = load %a[%i, %j]\n" \
    "%2 = load %x[%j]\n"     \
    "%3 = mul %1, %2\n"      \
    "%s = add %s, %3\n"
/* x[j] += a[i, j] */
#define ROUND                \
    "%1 = load %a[%i, %j]\n" \
    "%2 = load %x[%j]\n"     \
    "%3 = add %2, %1\n"      \
    "store %x[%j!] = %3\n"
#define ZERO "%s = copy 0.0\n"
#define KEEP "store %y[%i] = %s\n"

static void chains_run_side_by_side(void **state) {
    const char *text = jammed(*state, I(ZERO J(ROW) KEEP));
    assert_has(text, "for %i = 0, %");
    assert_count(text, "for jammed %j = 0, %m, 1", 1);
    assert_count(text, "mul ", 4 + 1);     /* four lanes, and the loop for the rest */
    assert_count(text, "load %x[", 4 + 1); /* LLVM finds out that they are one */
    assert_count(text, "store %y[", 4 + 1);
    assert_count(text, "var %s", 4);         /* the last lane has the loop's own */
    assert_count(text, " = apart ", 2);      /* a and x, from y */
    assert_has(text, "load %a[%i!, %j!]");   /* no checks in the lanes */
    assert_has(text, "load %a[%i.1, %j.1]"); /* but in the rest */
    assert_has(text, "le %m, 1099511627776");
}

static void elements_are_kept_in_registers(void **state) {
    const char *text = jammed(*state, I(J("%1 = load %a[%i, %j]\n"
                                          "%2 = load %y[%i]\n"
                                          "%3 = add %2, %1\n"
                                          "store %y[%i!] = %3\n")));
    /* before and behind the inner loop, for each lane */
    assert_count(text, "load %y[", 4 + 1);
    assert_count(text, "store %y[", 4 + 1);
    assert_has(text, "= load %y[%i!]");
    text = jammed(*state, I(J(ROUND)));
    assert_count(text, "load %x[", 1 + 1); /* once for four lanes */
    assert_count(text, "store %x[", 1 + 1);
}

static void columns_take_vectors(void **state) {
    assert_lanes(*state, I(ZERO J("%1 = load %a[%j, %i]\n%s = add %s, %1\n") KEEP), 8);
    assert_lanes(*state, I(ZERO J(ROW) KEEP), 4);
    /* which a strided array has not */
    assert_lanes(*state,
                 I(ZERO J("%1 = load %a[%i, %j]\n%2 = load %w[%i]\n%3 = add %1, %2\n"
                          "%s = add %s, %3\n") KEEP),
                 4);
}

static void nests_of_three(void **state) {
    const char *text =
        jammed(*state, I(K(J("%1 = load %a[%i, %q]\n%2 = load %b[%q, %j]\n%3 = mul %1, %2\n"
                             "%4 = load %c[%i, %j]\n%5 = add %4, %3\n"
                             "store %c[%i!, %j!] = %5\n"))));
    assert_has(text,
               ", 2 {\n"); /* two rows, and in these four rounds of q and the rest of it */
    assert_has(text, ", 4 {\n");
    assert_count(text, "for jammed %j", 2);
    assert_count(text, " = apart ", 2); /* once */
}

static void bounds_may_be_made_inside(void **state) {
    const char *text =
        jammed(*state, I("%l = dim %a, 1\n" ZERO "for %j = 0, %l, 1 {\n" ROW "}\n" KEEP));
    assert_has(text, "for jammed %j = 0, %l, 1");
    /* but not of what changes: a triangle */
    assert_lanes(*state, I(ZERO "for %j = 0, %i, 1 {\n" ROW "}\n" KEEP), 0);
    assert_lanes(*state, I("%v = load %g[%i]\n" ZERO "for %j = 0, %v, 1 {\n" ROW "}\n" KEEP),
                 0);
    /* nor of few rounds, nor with a step that is not known */
    assert_lanes(*state, I(ZERO "for %j = 0, 7, 1 {\n" ROW "}\n" KEEP), 0);
    assert_lanes(*state, I(ZERO "for %j = 0, 8, 1 {\n" ROW "}\n" KEEP), 4);
    assert_lanes(*state, I(ZERO "for %j = 0, %m, %k {\n" ROW "}\n" KEEP), 0);
    assert_lanes(*state, I(ZERO "for %j = %m, 0, -3 {\n" ROW "}\n" KEEP), 4);
    assert_lanes(*state, "for %i = 0, %n, 2 {\n" ZERO J(ROW) KEEP "}\n", 0);
    assert_lanes(*state, "for %i = %n, -1, -1 {\n" ZERO J(ROW) KEEP "}\n", -4);
    assert_lanes(*state, "for %i = 0, 3, 1 {\n" ZERO J(ROW) KEEP "}\n", 0);
}

static void what_gains_nothing_stays(void **state) {
    assert_lanes(*state, I(J("%1 = load %a[%i, %j]\nstore %c[%i, %j] = %1\n")), 0);
    assert_lanes(*state, I(J("%1 = load %g[%j]\n%v = add %v, %1\n") "store %g[%i] = %v\n"), 0);
}

static void iterations_that_depend_stay_in_order(void **state) {
    /* one sum over all */
    assert_lanes(*state, I(J(ROW)), 0);
    /* what one iteration leaves, the next one finds */
    assert_lanes(*state, I(J(ROW) KEEP "%s = copy 0.0\n"), 0);
    /* but between the loops, where they are in order still */
    assert_lanes(*state, I(ZERO J(ROW) "%t = add %t, %s\n"), 4);
    assert_lanes(*state, I(ZERO J(ROW) "%t = add %t, %s\n" L("store %c[%i, %l] = %t\n")), 0);
    /* y[i - 1] is of another lane */
    assert_lanes(*state, I("%p = sub %i, 1\n%s = load %y[%p]\n" J(ROW) KEEP), 0);
    /* x[j] would be complete before the second lane reads it */
    assert_lanes(*state, I(ZERO J(ROW) KEEP L("store %x[%l] = %s\n")), 0);
    assert_lanes(*state, I(J(ROUND "%4 = load %x[%i]\n%s = add %s, %4\n")), 0);
    /* different indices of a strided array may be one element */
    assert_lanes(*state, I(ZERO J(ROW) "store %w[%i] = %s\n"), 0);
}

static void what_is_not_understood_stays(void **state) {
    assert_lanes(*state,
                 I(ZERO J("%1 = load %g[%j]\n%2 = load %x[%1]\n%s = add %s, %2\n") KEEP), 0);
    assert_lanes(*state, I(ZERO J("%1 = load %x[-1]\n%s = add %s, %1\n") KEEP), 0);
    assert_lanes(*state, I(ZERO J(ROW "%4 = floordiv %m, %k\n") KEEP), 0);
    assert_lanes(*state, I(ZERO J(ROW "%4 = lt %3, 0.0\nif %4 {\nbreak\n}\n") KEEP), 0);
    assert_lanes(*state, I(ZERO J(ROW "rt.print_int %j\n") KEEP), 0);
    assert_lanes(*state,
                 I(ZERO J("%1 = load %x[%j]\n%2 = math.exp %1\n%s = add %s, %2\n") KEEP), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(chains_run_side_by_side),
        ARENA_TEST(elements_are_kept_in_registers),
        ARENA_TEST(columns_take_vectors),
        ARENA_TEST(nests_of_three),
        ARENA_TEST(bounds_may_be_made_inside),
        ARENA_TEST(what_gains_nothing_stays),
        ARENA_TEST(iterations_that_depend_stay_in_order),
        ARENA_TEST(what_is_not_understood_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

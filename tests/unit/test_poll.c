/* Where loops look whether they are to stop (ir/poll.c). */
#include "ir/poll.h"

#include "tests/unit/ir_text.h"

/* The body, in a function with parameters, after the pass; it must read back as it is. */
static const char *polled(JrArena *arena, const char *body) {
    const char *text = jr_arena_printf(arena,
                                       "file \"t\"\n\nfunc f(%%x: float64[::1], %%m: "
                                       "float64[:, ::1], %%n: int64, %%k: int64) {\n%s"
                                       "  return\n}\n",
                                       body);
    IrModule *module = read_good(arena, text);
    ir_poll_module(module);
    const char *printed = print_text(arena, module);
    assert_string_equal(print_text(arena, read_good(arena, printed)), printed);
    return printed;
}

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("no '%s' in\n%s", part, text);
}

static void assert_polls(const char *text, int wanted) {
    int polls = 0;
    for (const char *at = text; (at = strstr(at, "poll")) != NULL; at++)
        polls++;
    if (polls != wanted) fail_msg("%d polls, not %d, in\n%s", polls, wanted, text);
}

#define LOAD "    %a = load %x[%i]\n"
#define ADD "    %s = add %k, %i\n"

static void short_loops_need_no_look(void **state) {
    const char *text = polled(*state, "  for %i = 0, 1000, 1 {\n" ADD "  }\n");
    assert_has(text, "for %i = 0, 1000, 1 {");
    assert_polls(text, 0);
    assert_has(polled(*state, "  for %i = 0, 1000000, 1 {\n" ADD "  }\n"), "for strip ");
    assert_has(polled(*state, "  for %i = 5, 5, 1 {\n" ADD "  }\n"), "for %i = 5, 5");
    /* short ones around each other multiply */
    text = polled(*state, "  for %i = 0, 1000, 1 {\n    for %j = 0, 1000, 1 {\n"
                          "      %s = add %i, %j\n    }\n  }\n");
    assert_has(text, "for strip ");
    assert_has(text, "for %j");
}

static void counted_loops_run_in_strips(void **state) {
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n" ADD "  }\n"), "for strip 16384 %i");
    assert_has(polled(*state, "  for %i = %n, 0, -3 {\n" ADD "  }\n"), "for strip 16384 %i");
    /* a step that is not known, or is too long for a strip */
    const char *text = polled(*state, "  for %i = 0, %n, %k {\n" ADD "  }\n");
    assert_has(text, "for %i");
    assert_polls(text, 1);
    assert_polls(polled(*state, "  for %i = 0, %n, 4000000000 {\n" ADD "  }\n"), 1);
    assert_polls(polled(*state, "  for %i = %n, 0, -4000000000 {\n" ADD "  }\n"), 1);
}

/* A loop with a variable %j and a condition of two parts, of which the second is only looked at where the first holds. */
static const char *rounds(JrArena *arena, const char *second, const char *body) {
    return jr_arena_printf(arena,
                           "  %%j = copy 0\n  loop {\n"
                           "    %%c = ge %%j, 0\n    %%b = copy %%c\n    if %%c {\n%s"
                           "      %%b = copy %%d\n    }\n    %%e = not %%b\n"
                           "    if %%e {\n      break\n    }\n%s  }\n",
                           second, body);
}

static const char *polled_rounds(JrArena *arena, const char *second, const char *body) {
    const char *text =
        jr_arena_printf(arena,
                        "file \"t\"\n\nfunc f(%%x: float64[::1], %%n: int64) {\n"
                        "  var %%j: int64\n  var %%b: bool\n%s  return\n}\n",
                        rounds(arena, second, body));
    IrModule *module = read_good(arena, text);
    ir_poll_module(module);
    const char *printed = print_text(arena, module);
    assert_string_equal(print_text(arena, read_good(arena, printed)), printed);
    assert_polls(printed, 1); /* engines that want none in a pass leave it out */
    return printed;
}

#define FIND "      %a = load %x[%j]\n      %d = gt %a, 0.5\n"
#define ASK "      %d = gt %n, %j\n"
#define DOWN "    %j = sub %j, 1\n"

static void a_loop_that_leaves_the_array_is_a_pass(void **state) {
    JrArena *arena = *state;
    static const struct {
        const char *second, *body;
        bool pass;
    } cases[] = {
        {FIND, DOWN, true},
        {ASK, "    %a = load %x[%j]\n" DOWN, true},
        {ASK, "    %i = sub %n, %j\n    store %x[%i] = 1.5\n" DOWN, true},
        {ASK, DOWN, false},                                               /* no element */
        {ASK, "    %a = load %x[%n]\n" DOWN, false},                      /* always the same */
        {ASK, "    %i = mul %j, %n\n    %a = load %x[%i]\n" DOWN, false}, /* n may be 0 */
        {FIND, "    if %e {\n" DOWN "    }\n", false},                    /* it may stay */
        {FIND, DOWN "    %j = add %j, 1\n", false},                       /* there and back */
        {FIND, "    %j = mul %j, 2\n", false},
        {ASK, "    if %e {\n      %a = load %x[%j]\n    }\n" DOWN, false},
        {ASK, "    %a = load %x[%j]\n    if %e {\n      continue\n    }\n" DOWN, false},
        {FIND, "    %b = copy true\n" DOWN, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = polled_rounds(arena, cases[i].second, cases[i].body);
        bool pass = strstr(text, "loop pass {") != NULL;
        if (pass != cases[i].pass) fail_msg("%s in\n%s", pass ? "a pass" : "no pass", text);
    }
}

static void other_loops_look_each_time(void **state) {
    assert_polls(polled(*state, "  loop {\n    break\n  }\n"), 1);
    const char *text = polled(*state, "  for %i = 0, %n, 1 {\n    loop {\n      break\n    }\n"
                                      "  }\n");
    assert_polls(text, 2);
    text = polled(*state, "  for %i = 0, %n, 1 {\n    for %j = 0, %k, 1 {\n"
                          "      %s = add %i, %j\n    }\n  }\n");
    assert_polls(text, 1);
    assert_has(text, "for strip ");
    /* what takes its time at each iteration: new memory, and functions over whole arrays */
    text =
        polled(*state, "  for %i = 0, %n, 1 {\n    %a: owned float64[::1] = alloc %n\n  }\n");
    assert_polls(text, 1);
    assert_polls(polled(*state, "  for %i = 0, %n, 1 {\n    rt.array_sort %x\n  }\n"), 1);
}

static void passes_over_arrays_are_marked(void **state) {
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n" LOAD "  }\n"), "for pass strip ");
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n    %j = mul %i, 3\n"
                              "    %l = add %j, %k\n    %a = load %x[%l]\n  }\n"),
               "for pass strip ");
    /* with any step */
    const char *text = polled(*state, "  for %i = 0, %n, %k {\n" LOAD "  }\n");
    assert_has(text, "for pass strip 1024 %i");
    assert_polls(text, 0);
    assert_has(polled(*state, "  for %i = %n, 0, -4000000000 {\n" LOAD "  }\n"),
               "for pass strip 1024 %i");
    text = polled(*state, "  for %i = 0, %n, %k {\n    for %j = 0, %k, %n {\n"
                          "      %a = load %m[%i, %j]\n    }\n  }\n");
    assert_has(text, "for pass %i");
    assert_has(text, "for pass strip 1024 %j");
    assert_polls(text, 1);
    /* an index that comes round again, one that may never be used, and one that is skipped */
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n    %j = mod %i, 3\n"
                              "    %a = load %x[%j]\n  }\n"),
               "for strip ");
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n    %c = lt %i, %k\n    if %c {\n"
                              "      %a = load %x[%i]\n    }\n  }\n"),
               "for strip ");
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n    %c = lt %i, %k\n    if %c {\n"
                              "      continue\n    }\n" LOAD "  }\n"),
               "for strip ");
    /* more work for each element than memory takes */
    assert_has(polled(*state, "  for %i = 0, %n, 1 {\n" LOAD "    %e = math.exp %a\n  }\n"),
               "for strip ");
}

static void nests_of_loops_are_passes_too(void **state) {
    static const char nest[] = "  for %%i = 0, %%n, 1 {\n    for %%j = 0, %%k, 1 {\n"
                               "      %%a = load %s\n    }\n  }\n";
    const char *text = polled(*state, jr_arena_printf(*state, nest, "%m[%i, %j]"));
    assert_polls(text, 0);
    assert_has(text, "for pass strip 16 %i"); /* rows */
    assert_has(text, "for pass strip 4096 %j");
    /* over a row again and again is none */
    text = polled(*state, jr_arena_printf(*state, nest, "%m[%n, %j]"));
    assert_polls(text, 1);
    assert_has(text, "for %i");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(short_loops_need_no_look),
        ARENA_TEST(counted_loops_run_in_strips),
        ARENA_TEST(a_loop_that_leaves_the_array_is_a_pass),
        ARENA_TEST(other_loops_look_each_time),
        ARENA_TEST(passes_over_arrays_are_marked),
        ARENA_TEST(nests_of_loops_are_passes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How much work a function is seen to be. */
#include "ir/cost.h"

#include "tests/unit/ir_text.h"

static bool within(const char *text, uint64_t limit) {
    JrArena *arena = jr_arena_new(NULL);
    IrModule *module = read_good(arena, text);
    bool answer = ir_cost_within(module->funcs.data[0], limit);
    jr_arena_free(arena);
    return answer;
}

#define LOOP(hi)                                                          \
    "file \"x\"\nfunc f(%n: int64) {\n  var %s: int64\n  for %i = 0, " hi \
    ", 1 {\n    %s = add %s, %i\n  }\n  return\n}\n"

static void constant_trips(void **state) {
    (void)state;
    assert_true(within(LOOP("10"), 100));
    assert_false(within(LOOP("1000"), 100));
    assert_true(within(LOOP("-5"), 100));
    assert_false(within(LOOP("9223372036854775807"), UINT64_MAX - 1));
}

static void unknown_is_unbounded(void **state) {
    (void)state;
    assert_false(within(LOOP("%n"), 1000000));
    assert_false(
        within("file \"x\"\nfunc f() {\n  loop {\n    break\n  }\n  return\n}\n", 1000));
}

#define CALLER(n)                                            \
    "file \"x\"\nfunc f() {\n  call g(" n ")\n  return\n}\n" \
    "func g(%n: int64) {\n  for %i = 0, %n, 1 {\n    rt.print_int %i\n  }\n  return\n}\n"

static void constants_pass_through_calls(void **state) {
    (void)state;
    assert_true(within(CALLER("10"), 1000));
    assert_false(within(CALLER("100"), 1000));
}

static void constants_pass_through_variables(void **state) {
    (void)state;
    static const char once[] =
        "file \"x\"\nfunc f() {\n  var %n: int64\n  %n = copy 10\n"
        "  for %i = 0, %n, 1 {\n    rt.print_int %i\n  }\n  return\n}\n";
    static const char twice[] =
        "file \"x\"\nfunc f() {\n  var %n: int64\n  %n = copy 10\n  %n = copy 20\n"
        "  for %i = 0, %n, 1 {\n    rt.print_int %i\n  }\n  return\n}\n";
    assert_true(within(once, 1000));
    assert_false(within(twice, 1000));
}

static void recursion_is_unbounded(void **state) {
    (void)state;
    assert_false(within("file \"x\"\nfunc f() {\n  call f()\n  return\n}\n", 1000));
}

static bool soon(const char *text) {
    JrArena *arena = jr_arena_new(NULL);
    IrModule *module = read_good(arena, text);
    bool answer = ir_looks_soon(module->funcs.data[0]);
    jr_arena_free(arena);
    return answer;
}

static void loops_look(void **state) {
    (void)state;
    assert_true(soon(LOOP("%n")));
    assert_true(soon("file \"x\"\nfunc f() {\n  loop {\n    break\n  }\n  return\n}\n"));
    assert_true(soon("file \"x\"\nfunc f() {\n  call g()\n  return\n}\n"
                     "func g() {\n  %1 = rt.random_random\n  return\n}\n"));
}

static void what_may_wait_does_not(void **state) {
    (void)state;
    assert_false(soon(CALLER("10"))); /* prints */
    assert_false(soon("file \"x\"\nfunc f() {\n  call f()\n  return\n}\n"));
    assert_false(
        soon("file \"x\"\nfunc f(%x: float64[::1]) {\n  rt.array_sort %x\n  return\n}\n"));
}

static void broadcasts_to_one_axis_only(void **state) {
    (void)state;
    assert_true(soon("file \"x\"\nfunc f(%x: float64[::1], %n: int64) {\n"
                     "  %1: float64[:] = broadcast %x, %n\n  return\n}\n"));
    assert_false(soon("file \"x\"\nfunc f(%x: float64[::1], %n: int64) {\n"
                      "  %1: float64[:, :] = broadcast %x, %n, %n\n  return\n}\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_trips),
        cmocka_unit_test(unknown_is_unbounded),
        cmocka_unit_test(constants_pass_through_calls),
        cmocka_unit_test(constants_pass_through_variables),
        cmocka_unit_test(recursion_is_unbounded),
        cmocka_unit_test(loops_look),
        cmocka_unit_test(what_may_wait_does_not),
        cmocka_unit_test(broadcasts_to_one_axis_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

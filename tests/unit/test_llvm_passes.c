/* What loops become in LLVM's hands: vectors, and how often they stand there. What they compute is
 * test_llvm.c's. */
#include "tests/unit/llvm_harness.h"

/* What is made of a module holds `part`, or does not. */
static void check_text(JrEngineText kind, const char *source, const char *part, bool wanted) {
    Loaded l = load(source);
    JrEngineOptions options = fake_options();
    const char *why = NULL;
    JrText text;
    jr_text_init(&text, l.arena);
    assert_true(llvm_engine()->text(l.module, &options, kind, &text, &why));
    if ((strstr(text.data, part) != NULL) != wanted)
        fail_msg("'%s' %s in\n%s", part, wanted ? "is not" : "is", text.data);
    unload(&l);
}

static void check_optimised(const char *source, const char *part, bool wanted) {
    check_text(JR_TEXT_LLVM_OPT, source, part, wanted);
}

/* Integer sums with checks are made into vector code; so is y += a * x over two arrays. */
static void test_vectorised(void **state) {
    (void)state;
    static const char *const texts[] = {
        "func f(%x: int64[::1]) -> int64 exported {\n  var %s: int64\n  %n = dim %x, 0\n"
        "  for %i = 0, %n, 1 {\n    %1 = load %x[%i]\n    %s = add %s, %1\n  }\n  return "
        "%s\n}\n",
        "func f(%a: float64, %x: float64[::1], %y: float64[::1]) exported {\n  %n = dim %x, "
        "0\n"
        "  for %i = 0, %n, 1 {\n    %1 = load %x[%i]\n    %2 = mul %1, %a\n    %3 = load "
        "%y[%i]\n"
        "    %4 = add %3, %2\n    store %y[%i] = %4\n  }\n  return\n}\n",
    };
    for (unsigned i = 0; i < 2; i++)
        check_optimised(texts[i], "vector.body:", true);
}

#define SUM(params, value)                                                        \
    "func f(" params ") -> int64 exported {\n  var %s: int64\n  %n = dim %x, 0\n" \
    "  for %i = 0, %n, 1 {\n" value "    %s = add %s, %1\n  }\n  return %s\n}\n"
#define COLUMNS(y)                                         \
    SUM("%x: int64[:, ::1], %y: int64[:, ::1], %j: int64", \
        "    %2 = load %x[%i, %j]\n    %3 = load %" y "[%i, %j]\n    %1 = xor %2, %3\n")

/* Strides are added up in the loop, rather than multiplied by the counter each time, where there are
 * some: elsewhere it takes long to find out that there is nothing to gain. */
static void test_strides(void **state) {
    (void)state;
#if defined(__x86_64__)
    static const char made[] = "lsr.iv";
    check_optimised(SUM("%x: int64[::1]", "    %1 = load %x[%i]\n"), made, false);
    check_optimised(SUM("%x: int64[:]", "    %1 = load %x[%i]\n"), made, true);
    check_optimised(COLUMNS("x"), made, false);
    check_optimised(COLUMNS("y"), made, true);
#endif
}

/* a[c] = a[c - w] and the like: vectors in one twin where the sign of w is to be expected, else in two. */
#define DOWN(way)                                                          \
    "func f(%a: int64[::1], %w: int64, %v: int64, %n: int64) exported {\n" \
    "  for %c = %n, 0, -1 {\n" way "    %2 = load %a[%1]\n"                \
    "    %3 = load %a[%c]\n    %4 = max %2, %3\n    store %a[%c] = %4\n  }\n  return\n}\n"

static void test_in_one_piece(void **state) {
    (void)state;
    static const char one[] = DOWN("    %1 = sub %c, %w\n");
    static const char either[] = DOWN("    %5 = sub %c, %w\n    %1 = sub %5, %v\n");
    check_optimised(one, "vector.body:", true);
    check_text(JR_TEXT_LLVM, one, "whole:", false);
    check_text(JR_TEXT_LLVM, either, "whole:", true);
}

#define LOADS(more)                                                                       \
    "func f(%a: float64[::1], %b: float64[::1], %n: int64) exported {\n"                  \
    "  for %i = 4, %n, 1 {\n    %1 = sub %i, 1\n    %2 = sub %i, 2\n    %3 = sub %i, 3\n" \
    "    %4 = load %a[%i]\n    %5 = load %a[%1]\n    %6 = load %a[%2]\n    %7 = load "    \
    "%a[%3]\n    %8 = add %4, %5\n    %9 = add %6, %7\n" more                             \
    "    %10 = add %8, %9\n    store %b[%i] = %10\n  }\n  return\n}\n"

/* A loop of many loads stands there once, as a vector. */
static void test_many_loads(void **state) {
    (void)state;
    static const char four[] = LOADS("");
    static const char five[] = LOADS("    %11 = load %b[%i]\n    %12 = mul %9, %11\n");
    check_text(JR_TEXT_LLVM, four, "llvm.loop.interleave.count", false);
    check_text(JR_TEXT_LLVM, five, "llvm.loop.interleave.count", true);
    check_optimised(five, "vector.body:", true);
}

#define BACK(way, from)                                                              \
    "func f(%x: float64[::1], %y: float64[::1], %n: int64, %w: int64) exported {\n"  \
    "  for %i = %n, 0, -1 {\n    %1 = add %i, " way "\n    %2 = load " from "[%1]\n" \
    "    %3 = load %y[%i]\n    %4 = mul %2, %3\n    store %x[%i] = %4\n  }\n  return\n}\n"

/* x[i] = y[i] * x[i + 1] keeps the element that it has stored in a register, and no other element is known to be
 * it. */
static void test_carried(void **state) {
    (void)state;
    static const char kept[] = "store_forwarded";
    check_optimised(BACK("1", "%x"), kept, true);
    check_optimised(BACK("%w", "%x"), kept, false);
    check_optimised(BACK("1", "%y"), kept, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectorised),   cmocka_unit_test(test_strides),
        cmocka_unit_test(test_in_one_piece), cmocka_unit_test(test_many_loads),
        cmocka_unit_test(test_carried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

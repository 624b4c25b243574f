/* ir/par/apart.h: never true of two accesses that meet, found by trying all iterations; and true of
 * those that programs are made of. */
#include "ir/par/apart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static int64_t at(IrLine line, int64_t t) {
    return line.slope * t + line.base;
}

static int64_t place(int64_t index, bool wraps, int64_t n) {
    return wraps && index < 0 ? index + n : index;
}

/* Every index of both in every two iterations, or only in those where a's comes first. */
static bool meet_in(int64_t trip, int64_t n, IrReach a, IrReach b, bool ordered) {
    for (int64_t s = 0; s < trip; s++)
        for (int64_t t = ordered ? s : 0; t < trip; t++)
            for (int64_t x = at(a.lo, s); s != t && x <= at(a.hi, s); x++)
                for (int64_t y = at(b.lo, t); y <= at(b.hi, t); y++)
                    if (place(x, a.wraps, n) == place(y, b.wraps, n)) return true;
    return false;
}

static bool meet(int64_t trip, int64_t n, IrReach a, IrReach b) {
    return meet_in(trip, n, a, b, false);
}

static uint64_t state = 12345;

static int64_t pick(int64_t lo, int64_t hi) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return lo + (int64_t)((state >> 33) % (uint64_t)(hi - lo + 1));
}

static IrReach pick_reach(void) {
    IrReach r = {.lo = {pick(-3, 4), pick(-6, 12)}};
    r.hi = r.lo;
    if (pick(0, 1)) r.hi.base += pick(-1, 5);
    if (!pick(0, 3)) r.hi.slope += pick(-1, 1);
    r.wraps = pick(0, 1);
    return r;
}

static void never_says_apart_of_what_meets(void **unused) {
    (void)unused;
    uint32_t apart = 0, missed = 0;
    for (int i = 0; i < 60000; i++) {
        IrReach a = pick_reach(), b = pick(0, 2) ? pick_reach() : a;
        if (pick(0, 1)) b.lo.slope = b.hi.slope = a.hi.slope = a.lo.slope;
        int64_t trip = pick(0, 6), n = pick(1, 30);
        bool truth = !meet(trip, n, a, b), said = ir_reaches_apart(trip, n, a, b);
        if (said && !truth)
            fail_msg("trip %d n %d: [%d t %+d, %d t %+d] and [%d t %+d, %d t %+d]", (int)trip,
                     (int)n, (int)a.lo.slope, (int)a.lo.base, (int)a.hi.slope, (int)a.hi.base,
                     (int)b.lo.slope, (int)b.lo.base, (int)b.hi.slope, (int)b.hi.base);
        apart += said;
        missed += truth && !said && !a.wraps && !b.wraps;
    }
    assert_true(apart > 10000);      /* it says so often, */
    assert_true(missed < apart / 5); /* and where it is so it mostly says so */
}

static void nor_ahead(void **unused) {
    (void)unused;
    uint32_t ahead = 0;
    for (int i = 0; i < 60000; i++) {
        IrReach a = pick_reach(), b = pick_reach();
        int64_t trip = pick(0, 6), n = pick(1, 30);
        bool said = ir_reach_ahead(trip, n, a, b);
        assert_false(said && meet_in(trip, n, a, b, true));
        ahead += said;
    }
    assert_true(ahead > 10000);
}

static void modulo_too(void **unused) {
    (void)unused;
    uint32_t apart = 0;
    for (int i = 0; i < 60000; i++) {
        int64_t slope = pick(-3, 3), trip = pick(0, 7), m = pick(1, 12);
        IrReach a = {{slope, pick(-4, 9)}, {slope, 0}, false},
                b = {{slope, pick(-4, 9)}, {slope, 0}, false};
        a.hi.base = a.lo.base;
        b.hi.base = b.lo.base + pick(0, 2);
        bool met = false;
        for (int64_t s = 0; s < trip; s++)
            for (int64_t t = 0; t < trip; t++)
                for (int64_t y = at(b.lo, t); s != t && y <= at(b.hi, t); y++)
                    met |= (at(a.lo, s) - y) % m == 0;
        bool said = ir_reaches_apart_modulo(trip, m, a, b);
        assert_false(said && met);
        apart += said;
    }
    assert_true(apart > 10000);
}

/* The exact case: points that move alike. */
static void says_all_there_is_of_equal_slopes(void **unused) {
    (void)unused;
    for (int64_t slope = -3; slope <= 3; slope++)
        for (int64_t distance = -9; distance <= 9; distance++)
            for (int64_t trip = 0; trip <= 6; trip++) {
                IrReach a = {{slope, 50}, {slope, 50}, false},
                        b = {{slope, 50 + distance}, {slope, 50 + distance}, false};
                assert_int_equal(ir_reaches_apart(trip, 0, a, b), !meet(trip, 0, a, b));
            }
}

static void great_numbers(void **unused) {
    (void)unused;
    IrReach own = {{1, 0}, {1, 0}, true}, far = {{1, INT64_MAX}, {1, INT64_MAX}, true},
            steep = {{INT64_MIN, 0}, {INT64_MIN, 0}, false};
    assert_true(ir_reaches_apart((int64_t)1 << 46, 1, own, own));
    assert_false(ir_reaches_apart(10, 1, far, far)); /* it might wrap */
    assert_false(ir_reaches_apart(3, 1, steep, steep));
    assert_true(ir_reaches_apart(1, 1, steep, far)); /* one iteration meets no other */
}

static bool holds(const char *text, int64_t trip, int64_t a, int64_t b) {
    int64_t values[] = {a, b};
    return ir_test_holds(text, strlen(text), trip, values, 2);
}

static void texts(void **unused) {
    (void)unused;
    assert_true(holds("", 1, 0, 0));
    assert_true(holds("#0 #1 - 5 + nonneg ;", 1, 3, 8));
    assert_false(holds("#0 #1 - 5 + nonneg ;", 1, 2, 8));
    assert_true(holds("7 -2 min -2 max 3 * -6 - nonneg ; T 3 - nonneg ;", 3, 0, 0));
    assert_true(holds("-7 2 // 4 + nonneg ; -7 3 % 2 - nonneg ;", 3, 0, 0));
    assert_false(holds("-7 2 // 3 + nonneg ;", 3, 0, 0));
    assert_false(holds("1 #0 // nonneg ;", 3, 0, 0)); /* by zero */
    assert_false(holds("#0 #1 * nonneg ;", 3, INT64_MAX, 2));
    assert_true(holds("#0 #1 * nonneg 1 nonneg or ;", 3, INT64_MAX, 2));
    assert_false(holds("#0 #1 * nonneg 1 nonneg and ;", 3, INT64_MAX, 2));
    assert_true(holds("#0 #1 fits ;", 10, 5, 6));
    assert_false(holds("#0 #1 fits ;", 10, INT64_MAX / 2, 6));
    /* a[i * w + j], 0 <= j < w, by itself */
    const char *rows = "#0 0 #0 #0 1 - #0 0 #0 #0 1 - 0 0 apart ;";
    assert_true(holds(rows, 100, 8, 0));
    assert_false(holds("#0 0 #0 #0 #0 0 #0 #0 0 0 apart ;", 100, 8, 0)); /* one more */
    assert_true(holds(rows, 100, 0, 0));                                 /* no j */
    assert_false(holds("0 0 0 #0 0 0 0 #0 0 0 apart ;", 100, 8, 0));
    /* a[i - k] and a[i]: k = 0, or farther than there are iterations */
    const char *far = "1 0 #0 - 1 0 #0 - 1 0 1 0 #1 0 apart ;";
    assert_true(holds(far, 10, 0, 10));
    assert_false(holds(far, 10, 3, 10));
    assert_true(holds(far, 10, 10, 10));
    assert_true(holds("0 0 1 -1 1 0 1 0 0 0 ahead ;", 10, 0, 0)); /* j < i, and i */
    assert_false(holds("1 0 1 0 0 0 1 -1 0 0 ahead ;", 10, 0, 0));
    assert_true(holds("1 #0 1 #0 1 #0 1 #0 #1 modulo ;", 10, 7, 10));
    assert_false(holds("1 #0 1 #0 1 #0 1 #0 #1 modulo ;", 11, 7, 10));
}

static void what_is_no_test_is_false(void **unused) {
    (void)unused;
    static const char *const bad[] = {";",         "+",          "#2 nonneg ;",
                                      "1 apart ;", "1 2 word ;", "1 ; ;"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(holds(bad[i], 3, 1, 1));
    char deep[300];
    for (int i = 0; i < 149; i++)
        memcpy(deep + 2 * i, "1 ", 2);
    deep[298] = 0;
    assert_false(holds(deep, 3, 1, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_says_apart_of_what_meets),
        cmocka_unit_test(nor_ahead),
        cmocka_unit_test(modulo_too),
        cmocka_unit_test(says_all_there_is_of_equal_slopes),
        cmocka_unit_test(great_numbers),
        cmocka_unit_test(texts),
        cmocka_unit_test(what_is_no_test_is_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

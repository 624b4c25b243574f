/* The LLVM engine: control flow, arrays, calls, errors, ownership, and its own behaviour under
 * threads, many compilations and large functions. The instructions are in test_llvm_ops.c. */
#include "tests/unit/llvm_harness.h"
#include "tests/unit/resident.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* ---- Loops ---- */

static const char for_text[] =
    "func f(%lo: int64, %hi: int64, %step: int64) -> (int64, int64) exported {\n"
    "  var %n: int64\n  var %s: int64\n"
    "  for %i = %lo, %hi, %step {\n"
    "    %n = add %n, 1\n    %s = add %s, %i\n"
    "    %c = gt %n, 99\n    if %c {\n      break\n    }\n  }\n"
    "  return %n, %s\n}\n";

/* The text with a constant step. */
static char *with_step(JrArena *arena, int64_t step) {
    const char *at = strstr(for_text, "%hi, %step {");
    return jr_arena_printf(arena, "%.*s%%hi, %lld {%s", (int)(at - for_text), for_text,
                           (long long)step, at + strlen("%hi, %step {"));
}

static void check_for(Loaded *l, int64_t lo, int64_t hi, int64_t step) {
    Fake fake;
    fake_init(&fake);
    int64_t n = 0, n_want = 0, s = 0;
    uint64_t s_want = 0;
    __int128 i = lo;
    for (; step > 0 ? i < hi : step < 0 && i > hi; i += step) {
        n_want++;
        s_want += (uint64_t)i;
        if (n_want > 99) break;
    }
    assert_int_equal(call(l, "f", &fake, ARGS(&lo, &hi, &step), ARGS(&n, &s)), 0);
    if (n != n_want || (uint64_t)s != s_want)
        fail_msg("for %lld, %lld, %lld: %lld iterations, want %lld", (long long)lo,
                 (long long)hi, (long long)step, (long long)n, (long long)n_want);
}

static void check_bounds(Loaded *l, int64_t step) {
    static const int64_t ends[] = {0,
                                   1,
                                   2,
                                   7,
                                   10,
                                   50,
                                   -1,
                                   -10,
                                   1000,
                                   INT64_MAX,
                                   INT64_MAX - 1,
                                   INT64_MAX - 3,
                                   INT64_MIN,
                                   INT64_MIN + 1,
                                   INT64_MIN + 4};
    enum { N = sizeof ends / sizeof *ends };
    for (unsigned a = 0; a < N; a++)
        for (unsigned b = 0; b < N; b++)
            check_for(l, ends[a], ends[b], step);
}

static void test_for(void **state) {
    (void)state;
    static const int64_t steps[] = {1, 2,    3,         -1,        -2,
                                    7, 1000, INT64_MAX, INT64_MIN, -INT64_MAX};
    Loaded any = load(for_text);
    for (unsigned k = 0; k < sizeof steps / sizeof *steps; k++) {
        JrArena *arena = jr_arena_new(NULL);
        Loaded fixed = load(with_step(arena, steps[k]));
        check_bounds(&any, steps[k]);
        check_bounds(&fixed, steps[k]);
        unload(&fixed);
        jr_arena_free(arena);
    }
    unload(&any);
}

static void test_loop(void **state) {
    (void)state;
    /* The sum of the odd numbers below n, then a nested break. */
    Loaded l = load("func f(%n: int64) -> int64 exported {\n"
                    "  var %i: int64\n  var %s: int64\n  %i = copy -1\n"
                    "  loop {\n    %i = add %i, 1\n    %end = ge %i, %n\n"
                    "    if %end {\n      break\n    }\n"
                    "    %odd = and %i, 1\n    %even = eq %odd, 0\n"
                    "    if %even {\n      continue\n    }\n    %s = add %s, %i\n"
                    "    loop {\n      break\n    }\n  }\n  return %s\n}\n");
    Fake fake;
    fake_init(&fake);
    for (int64_t n = 0; n < 20; n++) {
        int64_t s = -1;
        assert_int_equal(call(&l, "f", &fake, ARGS(&n), ARGS(&s)), 0);
        assert_int_equal(s, (n / 2) * (n / 2));
    }
    unload(&l);
}

static void test_poll(void **state) {
    (void)state;
    Loaded l = load("func f() exported {\n  loop {\n    poll @7:1-2\n  }\n}\n"
                    "func g() exported {\n  poll\n  return\n}\n");
    Fake fake;
    fake_init(&fake);
    fake.cancel = 1;
    assert_int_equal(call(&l, "f", &fake, NOTHING, NOTHING), EXC_INTERRUPT);
    assert_int_equal(fake.where.line, 7);
    fake_init(&fake);
    assert_int_equal(call(&l, "g", &fake, NOTHING, NOTHING), 0);
    fake.cancel = 2;
    assert_int_equal(call(&l, "g", &fake, NOTHING, NOTHING), 0);
    assert_true(fake.printed == 1);
    unload(&l);
}

/* ---- Arrays and bounds ---- */

/* x[k * i + c] = i for i in lo..hi; what is done before an error stays done. */
static void check_store(int64_t k, int64_t c, int64_t step, const char *mark) {
    JrArena *arena = jr_arena_new(NULL);
    Loaded l = load(jr_arena_printf(
        arena,
        "func f(%%x: int64[::1], %%lo: int64, %%hi: int64, %%c: int64) exported {\n"
        "  for %%i = %%lo, %%hi, %lld {\n    %%a = mul %%i, %lld\n    %%b = add %%a, %%c\n"
        "    store %%x[%%b%s] = %%i @5:6-7\n  }\n  return\n}\n",
        (long long)step, (long long)k, mark));
    for (int64_t lo = -6; lo < 14; lo++)
        for (int64_t hi = -6; hi < 14; hi++) {
            int64_t got[8] = {0}, want[8] = {0}, at = 0, i = lo;
            bool bad = false;
            for (; !bad && (step > 0 ? i < hi : i > hi); i += step) {
                at = k * i + c;
                int64_t j = at < 0 && !*mark ? at + 8 : at;
                if (!(bad = j < 0 || j >= 8)) want[j] = i;
            }
            Fake fake;
            fake_init(&fake);
            Header x = vector(got, 8);
            int32_t status = call(&l, "f", &fake, ARGS(&x, &lo, &hi, &c), NOTHING);
            assert_int_equal(status, bad ? EXC_INDEX : 0);
            assert_memory_equal(got, want, sizeof got);
            if (!bad) continue;
            assert_int_equal(fake.index, at);
            assert_int_equal(fake.dim, 8);
            assert_int_equal(fake.where.line, 5);
        }
    unload(&l);
    jr_arena_free(arena);
}

static void test_ranges(void **state) {
    (void)state;
    check_store(1, 0, 1, "");
    check_store(1, 0, 1, "+");
    check_store(1, -1, 1, "");
    check_store(1, 3, 2, "+");
    check_store(-1, 7, 1, "+");
    check_store(2, -2, 1, "");
    check_store(1, 0, -1, "+");
    check_store(-3, 5, -2, "");
}

/* Huge terms must not fool the test in front of the loop. */
static void test_range_overflow(void **state) {
    (void)state;
    Loaded l = load("func f(%x: int64[::1], %a: int64, %b: int64, %n: int64) exported {\n"
                    "  for %i = 0, %n, 1 {\n    %1 = add %i, %a\n    %2 = add %1, %b\n"
                    "    store %x[%2+] = 1\n  }\n  return\n}\n");
    static const int64_t big[] = {INT64_MAX, INT64_MIN, INT64_MAX - 3, 0,
                                  5,         -5,        INT64_MIN + 2};
    for (unsigned p = 0; p < 49; p++) {
        int64_t a = big[p % 7], b = big[p / 7], n = 4, got[8] = {0}, want[8] = {0};
        bool bad = false;
        for (int64_t i = 0; i < n && !bad; i++) {
            uint64_t at = (uint64_t)i + (uint64_t)a + (uint64_t)b;
            if (!(bad = at >= 8)) want[at] = 1;
        }
        Fake fake;
        fake_init(&fake);
        Header x = vector(got, 8);
        assert_int_equal(call(&l, "f", &fake, ARGS(&x, &a, &b, &n), NOTHING),
                         bad ? EXC_INDEX : 0);
        assert_memory_equal(got, want, sizeof got);
    }
    unload(&l);
}

/* A variable as the index: followed while it holds one value, and not when it does not. */
static void test_range_variables(void **state) {
    (void)state;
    Loaded l = load("func f(%x: int64[::1], %n: int64) -> int64 exported {\n"
                    "  var %j: int64\n  var %k: int64\n  var %s: int64\n"
                    "  %k = copy 100\n"
                    "  for %i = 0, %n, 1 {\n"
                    "    %j = copy %i\n    %1 = load %x[%j+]\n    %s = add %s, %1\n"
                    "    %c = gt %i, 0\n"
                    "    if %c {\n      %2 = load %x[%k+]\n      %s = add %s, %2\n    }\n"
                    "    %k = copy %i\n  }\n  return %s\n}\n");
    int64_t data[6] = {1, 2, 4, 8, 16, 32}, n = 6, s = 0;
    Fake fake;
    fake_init(&fake);
    Header x = vector(data, 6);
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &n), ARGS(&s)), 0);
    assert_int_equal(s, 63 + 31);
    n = 7;
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &n), ARGS(&s)), EXC_INDEX);
    assert_int_equal(fake.index, 6);
    unload(&l);
}

static void test_elements(void **state) {
    (void)state;
    Loaded l =
        load("func f(%x: float64[:, :], %i: int64, %j: int64) -> float64 exported {\n"
             "  %v = load %x[%i, %j] @2:1-9\n  return %v\n}\n"
             "func b(%x: bool[::1], %i: int64, %v: bool) -> bool exported {\n"
             "  %old = load %x[%i]\n  store %x[%i] = %v\n  return %old\n}\n"
             "func g(%x: float32[:, ::1]) -> (int64, int64, int64, int64) exported {\n"
             "  %a = dim %x, 0\n  %b = dim %x, 1\n  %c = stride %x, 0\n  %d = stride %x, 1\n"
             "  return %a, %b, %c, %d\n}\n");
    double data[24];
    for (int i = 0; i < 24; i++)
        data[i] = i;
    Header x = {data + 23, NULL, {3, 4, -8, -2}};
    for (int64_t i = -4; i < 4; i++)
        for (int64_t j = -5; j < 5; j++) {
            Fake fake;
            fake_init(&fake);
            double got = -1;
            int64_t r = i < 0 ? i + 3 : i, c = j < 0 ? j + 4 : j;
            bool row = r < 0 || r >= 3, bad = row || c < 0 || c >= 4;
            assert_int_equal(call(&l, "f", &fake, ARGS(&x, &i, &j), ARGS(&got)),
                             bad ? EXC_INDEX : 0);
            if (!bad) assert_true(got == data[23 - 8 * r - 2 * c]);
            if (!bad) continue;
            assert_int_equal(fake.axis, row ? 0 : 1);
            assert_int_equal(fake.index, row ? i : j);
            assert_int_equal(fake.ndim, 2);
        }
    uint8_t flags[3] = {0, 1, 2}, v = 1, old = 9;
    Header y = vector(flags, 3);
    Fake fake;
    fake_init(&fake);
    int64_t at = 0, shape[4];
    call(&l, "b", &fake, ARGS(&y, &at, &v), ARGS(&old));
    assert_true(old == 0 && flags[0] == 1);
    at = -1;
    call(&l, "b", &fake, ARGS(&y, &at, &v), ARGS(&old));
    assert_true(old == 1 && flags[2] == 1);
    Header z = matrix(data, 5, 7);
    call(&l, "g", &fake, ARGS(&z), ARGS(&shape[0], &shape[1], &shape[2], &shape[3]));
    assert_true(shape[0] == 5 && shape[1] == 7 && shape[2] == 7 && shape[3] == 1);
    unload(&l);
}

static void test_views(void **state) {
    (void)state;
    Loaded l = load("func f(%x: float64[:, ::1], %i: int64) -> (float64, int64) exported {\n"
                    "  %r: float64[:, :] = view %x[range(1, 2, 1), range(3, 2, -2)]\n"
                    "  %t: float64[:, :] = transpose %r\n"
                    "  %c: float64[:] = view %t[%i]\n"
                    "  %n: float64[:, :] = view %c[new]\n"
                    "  %v = load %n[0, 1]\n  %s = stride %n, 1\n  return %v, %s\n}\n"
                    "func g(%x: float64[:], %n: int64) -> (float64, int64, int64) exported {\n"
                    "  %b: float64[:, :] = broadcast %x, 3, %n @4:1-2\n"
                    "  %v = load %b[2, -1]\n  %s = stride %b, 0\n  %u = stride %b, 1\n"
                    "  return %v, %s, %u\n}\n"
                    "func h(%x: float64[::1], %n: int64, %m: int64) -> float64 exported {\n"
                    "  %b: float64[:, ::1] = reshape %x, %n, %m\n"
                    "  %v = load %b[1, 1]\n  return %v\n}\n");
    double data[12], got = 0;
    for (int i = 0; i < 12; i++)
        data[i] = i;
    Header x = matrix(data, 3, 4), y = vector(data, 12), one = vector(data + 5, 1);
    Fake fake;
    fake_init(&fake);
    int64_t i = -1, s = 0, u = 9, n = 12;
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &i), ARGS(&got, &s)), 0);
    assert_true(got == 9 && s == 4); /* rows 1 and 2, columns 3 and 1; column 1, row 2 */
    i = 2;
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &i), ARGS(&got, &s)), EXC_INDEX);
    assert_int_equal(call(&l, "g", &fake, ARGS(&y, &n), ARGS(&got, &s, &u)), 0);
    assert_true(got == 11 && s == 0 && u == 1);
    assert_int_equal(call(&l, "g", &fake, ARGS(&one, &n), ARGS(&got, &s, &u)), 0);
    assert_true(got == 5 && s == 0 && u == 0);
    n = 5;
    assert_int_equal(call(&l, "g", &fake, ARGS(&y, &n), ARGS(&got, &s, &u)), EXC_VALUE);
    assert_true(fake.index == 12 && fake.dim == 5 && fake.axis == 0 && fake.where.line == 4);
    int64_t a = 3, b = 4;
    assert_int_equal(call(&l, "h", &fake, ARGS(&y, &a, &b), ARGS(&got)), 0);
    assert_true(got == 5);
    a = -3, b = -4;
    assert_int_equal(call(&l, "h", &fake, ARGS(&y, &a, &b), ARGS(&got)), EXC_VALUE);
    a = 1ll << 62, b = 4;
    Header none = vector(data, 0);
    assert_int_equal(call(&l, "h", &fake, ARGS(&none, &a, &b), ARGS(&got)), EXC_VALUE);
    assert_int_equal(fake.axis, 1);
    unload(&l);
}

/* ---- Calls and errors ---- */

static void test_calls(void **state) {
    (void)state;
    Loaded l = load(
        "func fib(%n: int64) -> int64 exported {\n  %c = lt %n, 2\n"
        "  if %c {\n    return %n\n  }\n"
        "  %1 = sub %n, 1\n  %2: int64 = call fib(%1)\n"
        "  %3 = sub %n, 2\n  %4: int64 = call fib(%3)\n  %5 = add %2, %4\n  return %5\n}\n"
        "func pair(%a: int32, %x: float64) -> (float64, int32) {\n  return %x, %a\n}\n"
        "func swap(%a: int32, %x: float64) -> (float64, int32) exported {\n"
        "  %y: float64, %b: int32 = call pair(%a, %x)\n"
        "  %z: float64, %c: int32 = call pair(%b, %y)\n  return %z, %c\n}\n"
        "func deep(%n: int64) -> int64 exported {\n  %1 = add %n, 1\n"
        "  %2: int64 = call deep(%1) @9:1-2\n  %3 = add %2, %n\n  return %3\n}\n");
    Fake fake;
    fake_init(&fake);
    int64_t n = 20, r = 0;
    assert_int_equal(call(&l, "fib", &fake, ARGS(&n), ARGS(&r)), 0);
    assert_int_equal(r, 6765);
    int32_t a = -7, b = 0;
    double x = 2.5, y = 0;
    assert_int_equal(call(&l, "swap", &fake, ARGS(&a, &x), ARGS(&y, &b)), 0);
    assert_true(b == -7 && y == 2.5);
    r = 42;
    assert_int_equal(call(&l, "deep", &fake, ARGS(&n), ARGS(&r)), EXC_RECURSION);
    assert_int_equal(r, 42);
    assert_true(fake.ntraces > 1000);
    unload(&l);
}

static void test_error_chain(void **state) {
    (void)state;
    Loaded l = load("func a(%x: int64[::1], %i: int64) -> int64 display \"inner\" {\n"
                    "  %v = load %x[%i] @3:5-9\n  return %v\n}\n"
                    "func b(%x: int64[::1], %i: int64) -> int64 {\n"
                    "  %v: int64 = call a(%x, %i) @6:5-9\n  return %v\n}\n"
                    "func c(%x: int64[::1], %i: int64) -> int64 exported {\n"
                    "  %v: int64 = call b(%x, %i) @9:5-9\n  return %v\n}\n"
                    "func r(%c: bool) exported {\n  if %c {\n"
                    "    raise ValueError \"no\\n good\" @12:3-4\n  }\n  return\n}\n");
    int64_t data[3] = {4, 5, 6}, i = 7, v = 1;
    Header x = vector(data, 3);
    Fake fake;
    fake_init(&fake);
    assert_int_equal(call(&l, "c", &fake, ARGS(&x, &i), ARGS(&v)), EXC_INDEX);
    assert_string_equal(fake.where.func, "inner");
    assert_string_equal(fake.where.file, "test.src");
    assert_true(fake.where.line == 3 && fake.where.col == 5 && fake.index == 7 &&
                fake.dim == 3);
    assert_true(fake.ntraces == 2 && fake.traces[0] == 6 && fake.traces[1] == 9 && v == 1);
    i = 1;
    assert_int_equal(call(&l, "c", &fake, ARGS(&x, &i), ARGS(&v)), 0);
    assert_int_equal(v, 5);
    uint8_t yes = 1, no = 0;
    assert_int_equal(call(&l, "r", &fake, ARGS(&no), NOTHING), 0);
    assert_int_equal(call(&l, "r", &fake, ARGS(&yes), NOTHING), EXC_VALUE);
    assert_string_equal(fake.message, "no\n good");
    assert_int_equal(fake.where.line, 12);
    unload(&l);
}

static void test_runtime_calls(void **state) {
    (void)state;
    Loaded l =
        load("func f(%x: float64[:], %d: float64, %b: bool) -> (float64, int64) exported {\n"
             "  rt.print_str \"hello\"\n  rt.print_float64 %d\n  rt.print_bool %b\n"
             "  rt.print_array %x\n"
             "  %m, %e = rt.frexp %d\n  return %m, %e\n}\n"
             "func g(%n: int64) -> int64 exported {\n  %r = rt.isqrt %n @5:1-2\n"
             "  return %r\n}\n");
    double data[6] = {1, 0, 2, 0, 4, 0}, d = 12, m = 0;
    Header x = {data, NULL, {3, 2}};
    uint8_t b = 1;
    int64_t e = 0, n = 50, r = 0;
    Fake fake;
    fake_init(&fake);
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &d, &b), ARGS(&m, &e)), 0);
    assert_string_equal(fake.message, "hello");
    assert_true(fake.printed == 1019 && m == 0.75 && e == 4);
    assert_int_equal(call(&l, "g", &fake, ARGS(&n), ARGS(&r)), 0);
    assert_int_equal(r, 7);
    n = -1;
    assert_int_equal(call(&l, "g", &fake, ARGS(&n), ARGS(&r)), EXC_VALUE);
    assert_true(fake.where.line == 5 && r == 7);
    unload(&l);
}

static void test_parallel(void **state) {
    (void)state;
    Loaded l =
        load("func body(%chunk: int64, %lo: int64, %hi: int64, %x: float64[:], %k: float32,"
             " %b: bool) exported {\n  for %i = %lo, %hi, 1 {\n    %1: float64 = cast %k\n"
             "    if %b {\n      store %x[%i] = %1 @4:1-2\n    }\n  }\n  return\n}\n"
             "func f(%x: float64[:], %n: int64, %k: float32, %b: bool) exported {\n"
             "  parallel body(%n, 2, 10, %x, %k, %b) @8:1-2\n  return\n}\n");
    double data[10] = {0};
    Header x = {data, NULL, {5, 2}};
    int64_t n = 5;
    float k = 2.5f;
    uint8_t b = 1;
    Fake fake;
    fake_init(&fake);
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &n, &k, &b), NOTHING), 0);
    for (int i = 0; i < 10; i++)
        assert_true(data[i] == (i % 2 ? 0 : 2.5));
    n = 9;
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &n, &k, &b), NOTHING), EXC_INDEX);
    assert_true(fake.where.line == 4 && fake.index == 5);
    b = 0;
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &n, &k, &b), NOTHING), 0);
    unload(&l);
}

/* ---- Ownership ---- */

static void test_ownership(void **state) {
    (void)state;
    Loaded l = load("func make(%n: int64) -> float64[::1] {\n  var %a: owned float64[::1]\n"
                    "  %a = alloc zeroed %n\n  store %a[0] = 1.5\n  return %a\n}\n"
                    "func churn(%n: int64, %stop: int64) -> float64[:] exported {\n"
                    "  var %a: owned float64[::1]\n  var %keep: owned float64[:]\n"
                    "  for %i = 0, %n, 1 {\n"
                    "    %t: owned float64[::1] = call make(4)\n    %a = assign %t\n"
                    "    %w: float64[:] = view %a[range(0, 2, 2)]\n    %keep = assign %w\n"
                    "    %k = sub %stop, %i\n    store %a[%k] = 2.0\n  }\n  return %keep\n}\n"
                    "func size(%n: int64) -> int64 exported {\n  var %a: owned int32[:, ::1]\n"
                    "  %a = alloc %n, 3\n  %d = dim %a, 0\n  return %d\n}\n");
    for (int64_t n = 1; n < 6; n++)
        for (int64_t stop = -1; stop < 12; stop++) {
            Fake fake;
            fake_init(&fake);
            Header out = {0};
            int32_t status = call(&l, "churn", &fake, ARGS(&n, &stop), ARGS(&out));
            bool bad = false;
            for (int64_t i = 0; i < n; i++)
                bad |= stop - i >= 4 || stop - i < -4;
            assert_int_equal(status, bad ? EXC_INDEX : 0);
            if (!bad) {
                assert_true(out.numbers[0] == 2 && out.numbers[1] == 2 &&
                            out.owner->refs == 1);
                fake_release(out.owner);
            }
            assert_int_equal(atomic_load(&live_buffers), 0);
        }
    Fake fake;
    fake_init(&fake);
    int64_t n = -1, d = 0;
    assert_int_equal(call(&l, "size", &fake, ARGS(&n), ARGS(&d)), EXC_VALUE);
    n = 9;
    assert_int_equal(call(&l, "size", &fake, ARGS(&n), ARGS(&d)), 0);
    assert_true(d == 9 && atomic_load(&live_buffers) == 0);
    unload(&l);
}

/* ---- The engine itself ---- */

static const char sum_text[] =
    "func sum(%x: float64[::1], %y: float64[::1]) -> float64 exported {\n  var %s: float64\n"
    "  %n = dim %x, 0\n  for %i = 0, %n, 1 {\n    %1 = load %x[%i]\n    %2 = load %y[%i]\n"
    "    %3 = mul %1, %2\n    %s = add %s, %3\n  }\n  return %s\n}\n";

static bool sum_works(Loaded *l) {
    double data[5] = {1, 2, 3, 4, 5}, s = 0;
    Header x = vector(data, 5);
    Fake fake;
    fake_init(&fake);
    JrCall c;
    return llvm_engine()->find(l->code, "sum", &c) &&
           c.run(&c, &fake.rt, ARGS(&x, &x), ARGS(&s)) == 0 && s == 55;
}

static void *compile_many(void *unused) {
    intptr_t bad = 0;
    (void)unused;
    JrEngineOptions options = fake_options();
    for (int i = 0; i < 30; i++) {
        Loaded l = load_with(sum_text, &options);
        bad += !l.code || !sum_works(&l);
        unload(&l);
    }
    return (void *)bad;
}

static void test_threads(void **state) {
    (void)state;
    fake_options();
    llvm_engine();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compile_many, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

static void cycles(int n) {
    for (int i = 0; i < n; i++) {
        Loaded l =
            load("func f(%a: int64) -> int64 exported {\n  %r = add %a, 1\n  return %r\n}\n");
        unload(&l);
    }
}

static void test_memory_is_flat(void **state) {
    (void)state;
    cycles(300);
    long before = resident_pages();
    cycles(2000);
    long grown = (resident_pages() - before) * (sysconf(_SC_PAGESIZE) / 1024);
    if (grown > 2000) fail_msg("2,000 compilations left %ld KiB behind", grown);
}

/* Of processor time, whatever else the machine does. */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check_huge(unsigned statements, const char *statement, int64_t want) {
    JrArena *arena = jr_arena_new(NULL);
    JrText text;
    jr_text_init(&text, arena);
    jr_text_puts(&text,
                 "func f(%x: int64[::1], %a: int64) -> int64 exported {\n  var %s: int64\n");
    for (unsigned i = 0; i < statements; i++)
        jr_text_puts(&text, statement);
    jr_text_puts(&text, "  return %s\n}\n");
    double start = seconds();
    Loaded l = load(text.data);
    double took = seconds() - start;
    int64_t data[3] = {1, 2, 0}, a = 5, s = 0;
    Header x = vector(data, 3);
    Fake fake;
    fake_init(&fake);
    assert_int_equal(call(&l, "f", &fake, ARGS(&x, &a), ARGS(&s)), 0);
    assert_int_equal(s, want);
    print_message("%u statements: %.2f s\n", statements, took);
    assert_true(took < 20); /* minutes, if a pass were quadratic */
    unload(&l);
    jr_arena_free(arena);
}

static void test_huge_functions(void **state) {
    (void)state;
    check_huge(20000, "  %s = add %s, %a\n", 100000);
    check_huge(20000, "  %s = add %s, %a\n  %s = xor %s, 12345\n", 88192);
    check_huge(10000, "  %s = load %x[%s] @9:1-2\n", 1);
    check_huge(2500, "  %s = add %s, %a\n", 12500);
}

static void test_refusals(void **state) {
    (void)state;
    JrEngineOptions options = fake_options();
    options.cpu = "no-such-cpu";
    Loaded l = load_with(sum_text, &options);
    assert_null(l.code);
    assert_non_null(strstr(l.why, "no-such-cpu"));
    unload(&l);
    options = fake_options();
    options.symbols = (JrSymbols){NULL, 0};
    l = load_with(sum_text, &options);
    assert_null(l.code);
    if (!strstr(l.why, "jr_rt_raise_index")) fail_msg("%s", l.why);
    unload(&l);
    JrCall c;
    l = load(sum_text);
    assert_false(llvm_engine()->find(l.code, "nothing", &c));
    unload(&l);
}

static void test_options(void **state) {
    (void)state;
    for (int level = 0; level <= 3; level++)
        for (int fast = 0; fast < 2; fast++) {
            JrEngineOptions options = fake_options();
            options.opt_level = level;
            options.fastmath = fast;
            options.cpu = level == 2 ? "generic" : NULL;
            Loaded l = load_with(sum_text, &options);
            if (!l.code) fail_msg("%s", l.why);
            assert_true(sum_works(&l));
            unload(&l);
        }
}

static void test_texts(void **state) {
    (void)state;
    static const struct {
        JrEngineText kind;
        const char *part;
    } texts[] = {
        {JR_TEXT_LLVM, "define internal { i32, double } @sum"},
        {JR_TEXT_LLVM_OPT, "fadd double"},
        {JR_TEXT_ASM, "retq"},
    };
    Loaded l = load(sum_text);
    JrEngineOptions options = fake_options();
    const char *why = NULL;
    for (unsigned i = 0; i < 3; i++) {
        JrText text;
        jr_text_init(&text, l.arena);
        assert_true(llvm_engine()->text(l.module, &options, texts[i].kind, &text, &why));
        assert_non_null(strstr(text.data, texts[i].part));
    }
    JrText text;
    jr_text_init(&text, l.arena);
    assert_false(llvm_engine()->text(l.module, &options, JR_TEXT_C, &text, &why));
    assert_non_null(why);
    unload(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_for),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_poll),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_range_overflow),
        cmocka_unit_test(test_range_variables),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_error_chain),
        cmocka_unit_test(test_runtime_calls),
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_memory_is_flat),
        cmocka_unit_test(test_huge_functions),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

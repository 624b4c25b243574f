/* Loops that look small and are not: they begin on the caller and are shared out on the way. The
 * results, what is printed and which error is raised are as if they had not been. */
#include "tests/unit/api_harness.h"

static const char source[] = "from jitrun import njit, prange\n"
                             "@njit\n"
                             "def spin(n: int) -> float:\n"
                             "    x = 0.5\n"
                             "    while n > 0:\n"
                             "        x = 3.7 * x * (1.0 - x)\n"
                             "        n -= 1\n"
                             "    return x\n"
                             "@njit(parallel=True)\n"
                             "def total(trips: int, inner: int) -> float:\n"
                             "    s = 0.0\n"
                             "    for i in prange(trips):\n"
                             "        s += spin(inner) * i\n"
                             "    return s\n"
                             "@njit(parallel=True)\n"
                             "def shows(trips: int, inner: int):\n"
                             "    for i in prange(trips):\n"
                             "        if spin(inner) < 2.0:\n"
                             "            print(i, end=' ')\n"
                             "@njit(parallel=True)\n"
                             "def fails(trips: int, inner: int, at: int):\n"
                             "    for i in prange(trips):\n"
                             "        if spin(inner) < 2.0 and i >= at:\n"
                             "            x = 1 // (i * 0)\n";

enum { TRIPS = 40, INNER = 3000 };

static double total(JrModule *module, int threads) {
    JrValue args[] = {jr_int(TRIPS), jr_int(INNER)}, result;
    assert_ok(jr_set_num_threads(threads));
    assert_ok(jr_call(env_function(module, "total", NULL), 2, args, &result));
    assert_ok(jr_set_num_threads(0));
    return result.as.f;
}

static void the_same_bits(void **state) {
    JrModule *module = env_compile(*state, source);
    double one = total(module, 1);
    for (int threads = 2; threads <= 8; threads += 3)
        assert_true(total(module, threads) == one);
    jr_module_free(module);
}

/* The threads are seen to have worked through their times. */
static void is_shared_out(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    char rows[64];
    snprintf(rows, sizeof rows, "%s-parallel", env->engine);
    JrValue args[] = {jr_int(TRIPS), jr_int(INNER)};
    JrBenchOptions options = {.size = sizeof options,
                              .name = "total",
                              .arg_count = 2,
                              .args = args,
                              .rows = rows,
                              .seconds = 0.01};
    JrBench *bench;
    JrBenchRow row = {.size = sizeof row};
    assert_ok(jr_set_num_threads(2));
    assert_ok(jr_bench(module, &options, &bench));
    assert_ok(jr_bench_row(bench, 0, &row));
    assert_true(row.imbalance > 0.999); /* 0 if no loop was shared out */
    jr_bench_free(bench);
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

static void prints_in_order(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrValue args[] = {jr_int(TRIPS), jr_int(INNER)};
    char expected[256] = "";
    for (int i = 0; i < TRIPS; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%d ", i);
    assert_ok(jr_set_num_threads(3));
    for (int round = 0; round < 5; round++) {
        env->out.len = 0;
        assert_ok(jr_call(env_function(module, "shows", NULL), 2, args, NULL));
        assert_string_equal(env->out.text, expected);
    }
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

/* Wherever the first failing iteration is: before or after the others were shared out. */
static void the_lowest_error(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    assert_ok(jr_set_num_threads(3));
    for (int at = 0; at < TRIPS; at += 13) {
        JrValue args[] = {jr_int(TRIPS), jr_int(INNER), jr_int(at)};
        assert_fails(jr_call(env_function(module, "fails", NULL), 3, args, NULL),
                     JR_ZERO_DIVISION_ERROR, "");
        assert_int_equal(jr_error()->frames[0].line, 24);
    }
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

/* ---- Arrays that an error leaves behind ---- */

/* An iteration that fails has done its part before. */
static const char accumulating[] = "from jitrun import njit, prange\n"
                                   "@njit(parallel=%s)\n"
                                   "def adds(n: int, at: int, h):\n"
                                   "    for i in prange(n):\n"
                                   "        h[i %% 5] += i %% 3\n"
                                   "        h[i // 10000] += 1\n"
                                   "        if i >= at:\n"
                                   "            x = 1 // (i * 0)\n"
                                   "@njit(parallel=%s)\n"
                                   "def counts(n: int, at: int, h):\n"
                                   "    for i in prange(n):\n"
                                   "        h[i %% 7] += 1\n"
                                   "        h[i // at * 1000] += 1\n"
                                   "@njit(parallel=%s)\n"
                                   "def least(n: int, at: int, h):\n"
                                   "    for i in prange(n):\n"
                                   "        if -i < h[i %% 9]:\n"
                                   "            h[i %% 9] = -i\n"
                                   "        if i >= at:\n"
                                   "            x = 1 // (i * 0)\n";

enum { BINS = 10, STRIDE = 3, MANY = 60000 };

/* What `name` leaves of an array of ones. */
static void run_until(JrModule *module, const char *name, int at, JrType dtype, int stride,
                      int64_t *bytes) {
    for (int i = 0; i < BINS * STRIDE; i++)
        if (dtype == JR_FLOAT64)
            ((double *)(void *)bytes)[i] = 1;
        else
            bytes[i] = 1;
    JrArrayValue h = {dtype, 1, bytes, {BINS}, {stride}, NULL, false};
    JrValue args[] = {jr_int(MANY), jr_int(at), jr_array(&h)};
    char signature[64];
    snprintf(signature, sizeof signature, "(int64, int64, %s[%s])",
             dtype == JR_FLOAT64 ? "float64" : "int64", stride == 1 ? "::1" : ":");
    JrFunction *function = env_function(module, name, signature);
    assert_int_not_equal(jr_call(function, 3, args, NULL), JR_OK);
}

/* The iterations before the one that failed have accumulated, and no other. */
static void accumulates_until_an_error(void **state) {
    static const char *const names[] = {"adds", "counts", "least"};
    static const JrType dtypes[] = {JR_INT64, JR_FLOAT64};
    JrModule *modules[2];
    for (int parallel = 0; parallel < 2; parallel++) {
        char text[2048];
        const char *flag = parallel ? "True" : "False";
        snprintf(text, sizeof text, accumulating, flag, flag, flag);
        modules[parallel] = env_compile(*state, text);
    }
    for (int which = 0; which < 3 * 2 + 1; which++) {
        const char *name = names[which % 3];
        int stride = which == 3 * 2 ? STRIDE : 1;
        for (int at = 1; at < MANY; at += 24001) {
            int64_t serial[BINS * STRIDE], parallel[BINS * STRIDE];
            run_until(modules[0], name, at, dtypes[which / 3 % 2], stride, serial);
            for (int threads = 1; threads < 5; threads += 2) {
                assert_ok(jr_set_num_threads(threads));
                run_until(modules[1], name, at, dtypes[which / 3 % 2], stride, parallel);
                assert_memory_equal(serial, parallel, sizeof serial);
            }
        }
    }
    assert_ok(jr_set_num_threads(0));
    jr_module_free(modules[0]);
    jr_module_free(modules[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits),
        cmocka_unit_test(is_shared_out),
        cmocka_unit_test(prints_in_order),
        cmocka_unit_test(the_lowest_error),
        cmocka_unit_test(accumulates_until_an_error),
    };
    return run_on_engines("parallel", tests, sizeof tests / sizeof *tests);
}

/* The generators against what CPython 3.11 and NumPy 1.24 draw, and the streams of iterations.
 */
#include "runtime/rt/array.h"
#include "runtime/rt/rt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double py_random[] = {0.6394267984578837,  0.025010755222666936,
                                   0.27502931836911926, 0.22321073814882275,
                                   0.7364712141640124,  0.6766994874229113};
static const double py_negative_seed[] = {0.32383276483316237, 0.15084917392450192};
static const double py_long_seed[] = {0.21978710637116716, 0.5494687768352203};
/* In one sequence after seed(1). */
static const double py_uniform[] = {-1.0594502912131913, 3.9320361585606287,
                                    3.3464223328362985};
static const int64_t py_randint[] = {3, 1, 4, 4, 4, 6, 4, 2};
static const int64_t py_randint_all[] = {-224005144201187700, 6193772968463592678};
static const int64_t py_randrange[] = {9, -33, -68, -68, 100};
static const double py_gauss[] = {0.47457329911600943, -0.4837454078216945, 1.855741615316722,
                                  -1.5343695484341797, 2.3995573755814084};
static const double py_normalvariate[] = {2.640476445702074, 1.277188227152845,
                                          3.538261533799627};
static const double py_expovariate[] = {2.0277733994937326, 1.7403733309066316};
static const int64_t py_getrandbits[] = {0,          0,          1798685007,
                                         3935348976, 6684920391, 922339758513678163};
/* In one sequence after seed(42). */
static const double np_random[] = {0.3745401188473625, 0.9507143064099162, 0.7319939418114051};
static const double np_uniform[] = {2.190609389379256, -0.9078695169029443,
                                    -0.9080383576465816};
static const double np_normal[] = {4.158425631014783, 2.534869458305818, 0.06105122813009578,
                                   2.085120087171929, 0.07316461437507549};
static const int64_t np_randint[] = {9, 5, 8, 0, 9, 2, 6, 3};
static const int64_t np_randint_32[] = {2544401210, 2004731379};
static const int64_t np_randint_64[] = {-8366513267196752412, 1983852346201383558};
static const double np_exponential[] = {0.5608837559322493, 0.20179179263791272};
static const double np_fill_random[] = {0.9488855372533332, 0.9656320330745594,
                                        0.8083973481164611, 0.3046137691733707};
static const double np_fill_normal[] = {0.06854049285948627, 1.5820680025243643,
                                        -0.2711194805492787, -1.0431043893511958,
                                        0.6764892272049581,  -0.06729760768497361};
static const double np_fill_uniform[] = {1.909320402078782, 1.258779981600017,
                                         1.662522284353982};
static const int64_t np_fill_randint[] = {4, 8, 24, 12, 6};
static const double py_after_2000[] = {0.20243881971614341};

#define LEN(a) (sizeof(a) / sizeof *(a))

static int setup(void **state) {
    static JrThread thread;
    jr_thread_init(&thread, NULL);
    *state = &thread;
    return 0;
}

static int teardown(void **state) {
    jr_thread_clear(*state);
    return 0;
}

static int32_t call(JrThread *thread, const char *name, const JrSlot *args, JrSlot *result) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "jr_rt_%s", name);
    JrRtFn fn = (JrRtFn)jr_symbol_find(jr_rt_symbols(), symbol);
    assert_non_null(fn);
    return fn(&thread->rt, NULL, args, result);
}

static void seed(JrThread *thread, const char *name, int64_t value) {
    JrSlot arg = {.i = value};
    assert_int_equal(call(thread, name, &arg, NULL), 0);
}

static double draw(JrThread *thread, const char *name, double a, double b) {
    JrSlot args[2] = {{.d = a}, {.d = b}}, result;
    assert_int_equal(call(thread, name, args, &result), 0);
    return result.d;
}

static int64_t draw_int(JrThread *thread, const char *name, int64_t a, int64_t b, int64_t c) {
    JrSlot args[3] = {{.i = a}, {.i = b}, {.i = c}}, result;
    assert_int_equal(call(thread, name, args, &result), 0);
    return result.i;
}

/* expected[] are the next draws. */
static void check(JrThread *thread, const char *name, double a, double b,
                  const double *expected, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double got = draw(thread, name, a, b);
        if (got != expected[i])
            fail_msg("%s %zu is %.17g, not %.17g", name, i, got, expected[i]);
    }
}

static void check_int(JrThread *thread, const char *name, int64_t a, int64_t b, int64_t c,
                      const int64_t *expected, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_true(draw_int(thread, name, a, b, c) == expected[i]);
}

/* ---- Python ---- */

static void seeds_as_python_does(void **state) {
    JrThread *thread = *state;
    seed(thread, "random_seed", 42);
    check(thread, "random_random", 0, 0, py_random, LEN(py_random));
    seed(thread, "random_seed", -7);
    check(thread, "random_random", 0, 0, py_negative_seed, LEN(py_negative_seed));
    seed(thread, "random_seed", ((int64_t)1 << 40) + 3);
    check(thread, "random_random", 0, 0, py_long_seed, LEN(py_long_seed));
    seed(thread, "random_seed", 5);
    for (int i = 0; i < 1999; i++)
        draw(thread, "random_random", 0, 0);
    check(thread, "random_random", 0, 0, py_after_2000, 1);
}

static void draws_as_python_does(void **state) {
    JrThread *thread = *state;
    seed(thread, "random_seed", 1);
    check(thread, "random_uniform", -2, 5, py_uniform, LEN(py_uniform));
    check_int(thread, "random_randint", 1, 6, 0, py_randint, LEN(py_randint));
    check_int(thread, "random_randint", INT64_MIN, INT64_MAX, 0, py_randint_all,
              LEN(py_randint_all));
    check_int(thread, "random_randrange", 100, -100, -7, py_randrange, LEN(py_randrange));
    check(thread, "random_gauss", 1, 2, py_gauss, LEN(py_gauss));
    check(thread, "random_normalvariate", 1, 2, py_normalvariate, LEN(py_normalvariate));
    check(thread, "random_expovariate", 1.5, 0, py_expovariate, LEN(py_expovariate));
    static const int bits[] = {0, 1, 31, 32, 33, 63};
    for (size_t i = 0; i < LEN(bits); i++)
        check_int(thread, "random_getrandbits", bits[i], 0, 0, &py_getrandbits[i], 1);
}

/* A pair's second value must not survive a new seed. */
static void a_seed_drops_the_waiting_gauss(void **state) {
    JrThread *thread = *state;
    seed(thread, "random_seed", 3);
    double first = draw(thread, "random_gauss", 0, 1);
    seed(thread, "random_seed", 3);
    assert_true(draw(thread, "random_gauss", 0, 1) == first);
    seed(thread, "np_random_seed", 3);
    first = draw(thread, "np_random_normal", 0, 1);
    seed(thread, "np_random_seed", 3);
    assert_true(draw(thread, "np_random_normal", 0, 1) == first);
}

/* ---- NumPy ---- */

static void draws_as_numpy_does(void **state) {
    JrThread *thread = *state;
    seed(thread, "np_random_seed", 42);
    check(thread, "np_random_random", 0, 0, np_random, LEN(np_random));
    check(thread, "np_random_uniform", -2, 5, np_uniform, LEN(np_uniform));
    check(thread, "np_random_normal", 1, 2, np_normal, LEN(np_normal));
    check_int(thread, "np_random_randint", 0, 10, 0, np_randint, LEN(np_randint));
    check_int(thread, "np_random_randint", -5, ((int64_t)1 << 32) - 5, 0, np_randint_32,
              LEN(np_randint_32));
    check_int(thread, "np_random_randint", INT64_MIN, INT64_MAX, 0, np_randint_64,
              LEN(np_randint_64));
    check(thread, "np_random_exponential", 3, 0, np_exponential, LEN(np_exponential));
}

typedef struct Fill {
    const char *name;
    JrSlot a, b;
    const void *expected;
    int64_t rows, columns;
} Fill;

/* Into an array whose columns lie apart: the draws follow C order, not memory. */
static void fills_in_c_order(void **state) {
    JrThread *thread = *state;
    const Fill fills[] = {
        {"np_random_fill_random", {.d = 0}, {.d = 0}, np_fill_random, 2, 2},
        {"np_random_fill_normal", {.d = 1}, {.d = 2}, np_fill_normal, 2, 3},
        {"np_random_fill_uniform", {.d = 1}, {.d = 2}, np_fill_uniform, 1, 3},
        {"np_random_fill_randint", {.i = 3}, {.i = 30}, np_fill_randint, 1, 5},
    };
    draws_as_numpy_does(state);
    for (size_t i = 0; i < LEN(fills); i++) {
        const Fill *f = &fills[i];
        int64_t items[16], expected[16];
        IrScalar scalar = i == 3 ? TY_INT64 : TY_FLOAT64;
        JrArrayRoom room = {.array.data = items};
        memcpy(room.array.dims, (int64_t[]){f->rows, f->columns, 1, f->rows}, 32);
        JrSlot args[4] = {{.u = ir_type_bits(ir_array(scalar, 2, LAYOUT_ANY))},
                          {.p = &room.array},
                          f->a,
                          f->b};
        assert_int_equal(call(thread, f->name, args, NULL), 0);
        for (int64_t k = 0; k < f->rows * f->columns; k++)
            memcpy(&expected[k % f->columns * f->rows + k / f->columns],
                   (const char *)f->expected + k * 8, 8);
        assert_memory_equal(items, expected, (size_t)(f->rows * f->columns) * 8);
    }
}

/* One that is to stop leaves what it has not come to, and makes the error. */
static void filling_ends_when_it_is_cancelled(void **state) {
    static const char *const names[] = {"np_random_fill_random", "np_random_fill_randint"};
    enum { MANY = 100000 };
    JrThread *thread = *state;
    int32_t flag = 0;
    JrCancel before = jr_thread_set_cancel(thread, &flag);
    flag = JR_CANCEL_ONCE | EXC_INTERRUPT;
    for (int i = 0; i < 2; i++) {
        double *items = calloc(MANY, sizeof *items);
        assert_non_null(items);
        JrArrayRoom room = {.array.data = items};
        room.array.dims[0] = MANY;
        room.array.dims[1] = 1;
        IrType type = ir_array(i ? TY_INT64 : TY_FLOAT64, 1, LAYOUT_C);
        JrSlot args[4] = {{.u = ir_type_bits(type)}, {.p = &room.array}, {.i = 5}, {.i = 30}};
        assert_int_equal(call(thread, names[i], args, NULL), EXC_INTERRUPT);
        assert_true(items[0] != 0 && items[MANY - 1] == 0);
        jr_thread_clear_error(thread);
        free(items);
    }
    jr_thread_restore_cancel(thread, before);
}

/* ---- Errors ---- */

typedef struct BadCall {
    const char *name;
    JrSlot args[3];
    const char *exception, *message;
} BadCall;

static void refuses_what_python_refuses(void **state) {
    JrThread *thread = *state;
    static const BadCall calls[] = {
        {"random_randint",
         {{.i = 5}, {.i = 3}},
         "ValueError",
         "empty range for randrange() (5, 4, -1)"},
        {"random_randrange",
         {{.i = 5}, {.i = 5}, {.i = 1}},
         "ValueError",
         "empty range for randrange() (5, 5, 0)"},
        {"random_randrange",
         {{.i = 5}, {.i = 3}, {.i = 2}},
         "ValueError",
         "empty range for randrange()"},
        {"random_randrange",
         {{.i = 5}, {.i = 9}, {.i = 0}},
         "ValueError",
         "zero step for randrange()"},
        {"random_getrandbits",
         {{.i = -1}},
         "ValueError",
         "number of bits must be non-negative"},
        {"random_getrandbits",
         {{.i = 64}},
         "OverflowError",
         "getrandbits(64) does not fit int64; ask for 63 bits at most"},
        {"random_expovariate", {{.d = 0}}, "ZeroDivisionError", "float division by zero"},
        {"np_random_seed", {{.i = -1}}, "ValueError", "Seed must be between 0 and 2**32 - 1"},
        {"np_random_seed",
         {{.i = (int64_t)1 << 32}},
         "ValueError",
         "Seed must be between 0 and 2**32 - 1"},
        {"np_random_randint", {{.i = 3}, {.i = 3}}, "ValueError", "low >= high"},
        {"np_random_randint", {{.i = 0}, {.i = -3}}, "ValueError", "high <= 0"},
        {"np_random_normal", {{.d = 0}, {.d = -1}}, "ValueError", "scale < 0"},
        {"np_random_exponential", {{.d = -1}}, "ValueError", "scale < 0"},
    };
    for (size_t i = 0; i < LEN(calls); i++) {
        JrSlot result;
        assert_int_not_equal(call(thread, calls[i].name, calls[i].args, &result), 0);
        assert_string_equal(jr_thread_exception(thread), calls[i].exception);
        assert_string_equal(jr_thread_message(thread, NULL), calls[i].message);
        jr_thread_clear_error(thread);
    }
}

/* ---- Streams of iterations ---- */

/* Random123's known answers for philox4x32, 10 rounds. */
static void philox_gives_the_known_answers(void **state) {
    (void)state;
    static const uint32_t cases[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        uint32_t out[4];
        jr_philox_block(cases[i], cases[i] + 4, out);
        assert_memory_equal(out, cases[i] + 6, sizeof out);
    }
}

enum { ITERATIONS = 50 };

static void draw_iteration(JrRandom *random, int64_t i, double *out) {
    jr_random_enter(random, i);
    out[0] = jr_random_double(random, JR_RANDOM_PY);
    out[1] = jr_random_double(random, JR_RANDOM_NP);
    out[2] = jr_random_double(random, JR_RANDOM_PY);
    jr_random_leave(random);
}

static void any_order_draws_the_same(void **state) {
    JrRandom *random = &((JrThread *)*state)->random;
    double forward[ITERATIONS][3], backward[ITERATIONS][3];
    jr_random_seed_py(random, 1);
    jr_random_seed_np(random, 1);
    jr_random_loop(random);
    for (int64_t i = 0; i < ITERATIONS; i++)
        draw_iteration(random, i - 7, forward[i]);
    for (int64_t i = ITERATIONS; i-- > 0;)
        draw_iteration(random, i - 7, backward[i]);
    assert_memory_equal(forward, backward, sizeof forward);
    for (int i = 1; i < ITERATIONS; i++)
        assert_true(forward[i][0] != forward[i - 1][0] && forward[i][0] != forward[i][1] &&
                    forward[i][0] != forward[i][2]);
}

typedef struct Worker {
    const JrRandom *caller;
    double draws[ITERATIONS][3];
} Worker;

static void *work(void *user) {
    Worker *worker = user;
    JrRandom random;
    jr_random_init(&random, NULL);
    jr_random_share(&random, worker->caller);
    for (int64_t i = 0; i < ITERATIONS; i++)
        draw_iteration(&random, i, worker->draws[i]);
    jr_random_clear(&random);
    return NULL;
}

static void other_threads_draw_the_same(void **state) {
    JrRandom *random = &((JrThread *)*state)->random;
    double here[ITERATIONS][3];
    jr_random_loop(random);
    Worker worker = {.caller = random};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work, &worker), 0);
    pthread_join(thread, NULL);
    for (int64_t i = 0; i < ITERATIONS; i++)
        draw_iteration(random, i, here[i]);
    assert_memory_equal(here, worker.draws, sizeof here);
}

/* The seed decides, each loop differs, and the outer generator goes on as if the loop had only
 * drawn its keys. */
static void loops_differ_and_repeat(void **state) {
    JrRandom *random = &((JrThread *)*state)->random;
    double runs[2][2][3], after[2];
    for (int run = 0; run < 2; run++) {
        jr_random_seed_py(random, 9);
        jr_random_seed_np(random, 9);
        for (int loop = 0; loop < 2; loop++) {
            jr_random_loop(random);
            draw_iteration(random, 0, runs[run][loop]);
        }
        after[run] = jr_random_double(random, JR_RANDOM_PY);
    }
    assert_memory_equal(runs[0], runs[1], sizeof runs[0]);
    assert_true(runs[0][0][0] != runs[0][1][0] && after[0] == after[1]);
    jr_random_seed_py(random, 9);
    for (int i = 0; i < 4; i++)
        jr_random_word(random, JR_RANDOM_PY);
    assert_true(jr_random_double(random, JR_RANDOM_PY) == after[0]);
}

/* A loop within an iteration: its numbers depend on the outer iteration, and after it the
 * outer stream goes on. */
static double nested(JrRandom *random, int64_t outer, bool with_inner, double *inner) {
    jr_random_enter(random, outer);
    jr_random_loop(random);
    if (with_inner) {
        double draws[3];
        draw_iteration(random, 4, draws);
        *inner = draws[0];
    }
    double after = jr_random_double(random, JR_RANDOM_PY);
    jr_random_leave(random);
    return after;
}

static void iterations_nest(void **state) {
    JrRandom *random = &((JrThread *)*state)->random;
    double a, b, unused;
    jr_random_seed_py(random, 9);
    jr_random_loop(random);
    double after = nested(random, 1, true, &a);
    assert_true(nested(random, 1, false, &unused) == after);
    nested(random, 2, true, &b);
    assert_true(a != b);
    assert_int_equal(jr_random_depth(random), 0);
}

/* An error leaves iterations without random_leave. */
static void unwinds(void **state) {
    JrRandom *random = &((JrThread *)*state)->random;
    jr_random_seed_py(random, 9);
    double first = jr_random_double(random, JR_RANDOM_PY);
    jr_random_seed_py(random, 9);
    random->now.has_keys = true;
    for (int i = 0; i < 20; i++)
        jr_random_enter(random, i);
    assert_int_equal(jr_random_depth(random), 20);
    jr_random_unwind(random, 0);
    assert_int_equal(jr_random_depth(random), 0);
    assert_true(jr_random_double(random, JR_RANDOM_PY) == first);
}

/* seed() in an iteration starts its own stream anew and leaves the outer one alone. */
static void seeds_one_iteration(void **state) {
    JrRandom *random = &((JrThread *)*state)->random;
    double first[2];
    jr_random_loop(random);
    for (int i = 0; i < 2; i++) {
        jr_random_enter(random, i);
        jr_random_seed_py(random, 77);
        jr_random_seed_np(random, 77);
        first[i] = jr_random_double(random, JR_RANDOM_PY);
        jr_random_leave(random);
    }
    assert_true(first[0] == first[1]);
}

static void unseeded_threads_differ(void **state) {
    (void)state;
    JrRandom a, b;
    jr_random_init(&a, NULL);
    jr_random_init(&b, NULL);
    assert_true(jr_random_double(&a, JR_RANDOM_PY) != jr_random_double(&b, JR_RANDOM_PY));
    assert_true(jr_random_double(&a, JR_RANDOM_NP) != jr_random_double(&b, JR_RANDOM_NP));
    jr_random_clear(&a);
    jr_random_clear(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(seeds_as_python_does),
        TEST(draws_as_python_does),
        TEST(a_seed_drops_the_waiting_gauss),
        TEST(draws_as_numpy_does),
        TEST(fills_in_c_order),
        TEST(filling_ends_when_it_is_cancelled),
        TEST(refuses_what_python_refuses),
        TEST(philox_gives_the_known_answers),
        TEST(any_order_draws_the_same),
        TEST(other_threads_draw_the_same),
        TEST(loops_differ_and_repeat),
        TEST(iterations_nest),
        TEST(unwinds),
        TEST(seeds_one_iteration),
        TEST(unseeded_threads_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

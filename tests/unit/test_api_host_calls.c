/* C functions that kernels call: errors from them, calls back into kernels, parallel loops. */
#include "tests/unit/host_harness.h"

#include <stdatomic.h>

/* ---- Errors ---- */

static int64_t refuse(int64_t n) {
    if (n > 3) jr_error_raise(JR_VALUE_ERROR, "too large");
    return n;
}

static const char refusing[] = "def inner(n: int) -> int:\n"
                               "    return refuse(n)\n"
                               "def outer(n: int) -> int:\n"
                               "    s = 0\n"
                               "    for i in range(n):\n"
                               "        s += inner(i)\n"
                               "    return s\n";

static void errors_have_the_kernels_place(void **state) {
    Env *env = *state;
    ADD("refuse", "int64(int64)", refuse, NULL);
    JrModule *module = env_compile(env, refusing);
    assert_ok(run_status(module, "outer", 4));
    assert_fails(run_status(module, "outer", 9), JR_VALUE_ERROR, "too large");
    const JrError *e = jr_error();
    assert_int_equal(e->frame_count, 2);
    assert_string_equal(e->frames[0].function, "inner");
    assert_int_equal(e->frames[0].line, 2);
    assert_int_equal(e->frames[0].column, 18);
    assert_string_equal(e->frames[1].function, "outer");
    assert_int_equal(e->frames[1].line, 6);
    assert_ok(run_status(module, "outer", 4)); /* and it is over */
    union {
        void *address;
        int64_t (*call)(int64_t);
    } p;
    assert_ok(jr_function_pointer(env_function(module, "outer", NULL), &p.address));
    assert_int_equal(p.call(4), 6);
    assert_int_equal(p.call(9), 0);
    assert_int_equal(jr_error()->status, JR_VALUE_ERROR);
    assert_int_equal(jr_error()->frame_count, 2);
    jr_module_free(module);
}

static int64_t raise_status(int64_t status) {
    return jr_error_raise((JrStatus)status, "why");
}

static void every_exception_can_be_raised(void **state) {
    Env *env = *state;
    ADD("fail", "int64(int64)", raise_status, NULL);
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n    return fail(n)\n");
    for (int status = JR_INDEX_ERROR; status <= JR_TIMEOUT_ERROR; status++)
        assert_fails(run_status(module, "f", status), (JrStatus)status, "why");
    for (int status = JR_ERR_COMPILE; status <= JR_ERR_IO; status++)
        assert_fails(run_status(module, "f", status), JR_RUNTIME_ERROR, "why");
    JrFunction *f = env_function(module, "f", NULL);
    static const int64_t none[] = {JR_OK, -1, 99, 1000};
    for (int i = 0; i < 4; i++) {
        JrValue n = jr_int(none[i]), r;
        assert_ok(jr_call(f, 1, &n, &r));
        assert_int_equal(r.as.i, JR_ERR_ARGUMENT);
    }
    assert_fails(jr_error_raise(JR_VALUE_ERROR, "x"), JR_ERR_ARGUMENT, "no kernel is running");
    jr_module_free(module);
}

/* ---- Back into kernels ---- */

typedef struct Inner {
    JrFunction *function;
    int mode;
} Inner;

static int64_t call_back(void *user, int64_t n) {
    const Inner *inner = user;
    JrValue arg = jr_int(n), r = {.type = JR_NONE};
    JrStatus status = jr_call(inner->function, 1, &arg, &r);
    if (!status) return r.as.i;
    if (inner->mode == 1) jr_error_raise(status, NULL);
    if (inner->mode == 3) jr_error_raise(JR_OK, NULL);
    if (inner->mode == 2) jr_error_raise(JR_LOOKUP_ERROR, jr_error()->message);
    return -1;
}

static const char calling_back[] = "def part(n: int) -> int:\n"
                                   "    return 100 // n\n"
                                   "def f(n: int) -> int:\n"
                                   "    print('before')\n"
                                   "    x = back(n)\n"
                                   "    print('after')\n"
                                   "    return x\n"
                                   "def speak(n: int) -> int:\n"
                                   "    print('within')\n"
                                   "    return n\n"
                                   "def down(n: int) -> int:\n"
                                   "    return back(n + 1)\n";

static void host_functions_call_kernels(void **state) {
    Env *env = *state;
    Inner inner = {0};
    ADD("back", "int64(user, int64)", call_back, &inner);
    JrModule *module = env_compile(env, calling_back);
    inner.function = env_function(module, "speak", NULL);
    JrFunction *f = env_function(module, "f", NULL);
    JrValue n = jr_int(5), r;
    assert_ok(jr_call(f, 1, &n, &r));
    assert_int_equal(r.as.i, 5);
    assert_string_equal(env->out.text, "before\nwithin\nafter\n");
    inner.function = env_function(module, "part", NULL);
    n = jr_int(0); /* fails, and the host function says nothing of it */
    assert_ok(jr_call(f, 1, &n, &r));
    assert_int_equal(r.as.i, -1);
    for (inner.mode = 1; inner.mode <= 3; inner.mode += 2) {
        assert_fails(jr_call(f, 1, &n, &r), JR_ZERO_DIVISION_ERROR, "integer division");
        assert_int_equal(jr_error()->frame_count, 2);
        assert_string_equal(jr_error()->frames[0].function, "part");
        assert_string_equal(jr_error()->frames[1].function, "f");
    }
    inner.mode = 2;
    assert_fails(jr_call(f, 1, &n, &r), JR_LOOKUP_ERROR, "integer division or modulo by zero");
    assert_int_equal(jr_error()->frame_count, 1);
    assert_int_equal(jr_error()->frames[0].line, 5);
    jr_module_free(module);
}

/* The recursion goes through C, where no kernel looks at the stack. */
static void endless_recursion_through_c_is_an_error(void **state) {
    Env *env = *state;
    Inner inner = {.mode = 1};
    ADD("back", "int64(user, int64)", call_back, &inner);
    JrModule *module = env_compile(env, calling_back);
    inner.function = env_function(module, "down", NULL);
    JrValue n = jr_int(0), r;
    assert_fails(jr_call(inner.function, 1, &n, &r), JR_RECURSION_ERROR, "recursion depth");
    jr_module_free(module);
}

static int64_t raise_and_go_on(void *user, int64_t n) {
    jr_error_raise(JR_VALUE_ERROR, "first");
    JrValue arg = jr_int(n), r;
    Inner *inner = user;
    inner->mode = (int)jr_call(inner->function, 1, &arg, &r);
    return 0;
}

static void after_raising_no_kernel_runs(void **state) {
    Env *env = *state;
    Inner inner = {0};
    ADD("back", "int64(user, int64)", raise_and_go_on, &inner);
    JrModule *module = env_compile(env, calling_back);
    inner.function = env_function(module, "part", NULL);
    assert_fails(run_status(module, "f", 1), JR_VALUE_ERROR, "first");
    assert_int_equal(inner.mode, JR_ERR_ARGUMENT);
    jr_module_free(module);
}

static int64_t compile_inside(void *user, int64_t n) {
    Env *env = user;
    JrModule *module = env_compile(env, "def g(n):\n    return n * n\n");
    JrValue arg = jr_int(n), r;
    JrFunction *g = env_function(module, "g", "(int64)");
    assert_ok(jr_call(g, 1, &arg, &r));
    jr_module_free(module);
    return r.as.i;
}

static void host_functions_compile(void **state) {
    Env *env = *state;
    ADD("square", "int64(user, int64)", compile_inside, env);
    JrModule *module =
        env_compile(env, "def f(n: int) -> int:\n    return square(n) + square(n + 1)\n");
    JrValue n = jr_int(3);
    assert_int_equal(run(module, "f", 1, &n).as.i, 25);
    jr_module_free(module);
}

static int64_t stop(void *user, int64_t n) {
    if (n == 1000) jr_cancel(user, JR_TIMEOUT_ERROR);
    return n;
}

static void host_functions_stop_their_run(void **state) {
    Env *env = *state;
    Inner inner = {.mode = 1};
    ADD("stop", "int64(user, int64)", stop, env->context);
    ADD("back", "int64(user, int64)", call_back, &inner);
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n"
                                        "    s = 0\n"
                                        "    while True:\n"
                                        "        s += stop(n)\n"
                                        "        n += 1\n"
                                        "    return s\n"
                                        "def forever(n: int) -> int:\n"
                                        "    while n >= 0:\n        n += n & 1\n"
                                        "    return n\n"
                                        "def g(n: int) -> int:\n"
                                        "    return stop(n) + back(n)\n");
    assert_int_equal(run_status(module, "f", 0), JR_TIMEOUT_ERROR);
    inner.function =
        env_function(module, "forever", NULL); /* begins after the cancel, within */
    assert_int_equal(run_status(module, "g", 1000), JR_TIMEOUT_ERROR);
    jr_module_free(module);
}

/* ---- Threads ---- */

static double weigh(void *user, const double *x, int64_t n, int64_t i) {
    atomic_fetch_add((_Atomic int64_t *)user, 1);
    if (i == n / 3 || i == n / 2)
        jr_error_raise(i == n / 3 ? JR_KEY_ERROR : JR_VALUE_ERROR, "i");
    return x[i] * 2;
}

static const char weighing[] = "from jitrun import njit, prange, float64\n"
                               "@njit(parallel=True)\n"
                               "def f(x: float64[::1], n: int) -> float:\n"
                               "    s = 0.0\n"
                               "    for i in prange(n):\n"
                               "        s += weigh(x, i)\n"
                               "    return s\n";

static void parallel_loops_call_them(void **state) {
    Env *env = *state;
    enum { N = 60000 };
    static double data[N];
    for (int i = 0; i < N; i++)
        data[i] = 1;
    _Atomic int64_t calls = 0;
    ADD("weigh", "float64(user, const float64[::1], int64)", weigh, &calls);
    JrModule *module = env_compile(env, weighing);
    Sink explained = {.len = 0};
    assert_ok(jr_module_explain(module, JR_REPORT_JSON, sink_write, &explained));
    assert_non_null(strstr(explained.text, "\"parallel\": true"));
    assert_ok(jr_set_num_threads(4));
    JrFunction *f = env_function(module, "f", NULL);
    JrArrayValue array = {JR_FLOAT64, 1, data, {N}, {1}, NULL, false};
    JrValue args[] = {jr_array(&array), jr_int(N / 3)}, r;
    assert_ok(jr_call(f, 2, args, &r));
    assert_true(r.as.f == 2 * (N / 3));
    assert_int_equal(calls, N / 3);
    args[1] = jr_int(N); /* two iterations fail: the lowest is the loop's error */
    for (int i = 0; i < 5; i++)
        assert_fails(jr_call(f, 2, args, &r), JR_KEY_ERROR, "i");
    assert_string_equal(jr_error()->frames[0].function, "f");
    assert_int_equal(jr_error()->frames[0].line, 6);
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

static void halves(int64_t i, double *half, bool *odd) {
    *half = (double)i / 2, *odd = i % 2;
}

static void parallel_loops_get_tuples(void **state) {
    Env *env = *state;
    ADD("halves", "tuple[float64, bool](int64)", halves, NULL);
    JrModule *module = env_compile(env, "from jitrun import njit, prange\n"
                                        "@njit(parallel=True)\n"
                                        "def f(n: int):\n"
                                        "    s = 0.0\n    odd = 0\n"
                                        "    for i in prange(n):\n"
                                        "        h, o = halves(i)\n"
                                        "        s += h\n        odd += o\n"
                                        "    return s, odd\n");
    assert_ok(jr_set_num_threads(4));
    JrValue n = jr_int(40001), r = run(module, "f", 1, &n);
    assert_true(r.as.tuple.items[0].as.f == 40000.0 * 40001.0 / 4);
    assert_int_equal(r.as.tuple.items[1].as.i, 20000);
    jr_value_clear(&r);
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

/* Kernels called from the threads of a parallel loop, with loops of their own. */
static void parallel_loops_go_back_into_kernels(void **state) {
    Env *env = *state;
    Inner inner = {.mode = 1};
    ADD("back", "int64(user, int64)", call_back, &inner);
    JrModule *module = env_compile(env, "from jitrun import njit, prange\n"
                                        "@njit(parallel=True)\n"
                                        "def inner(n: int) -> int:\n"
                                        "    if n == 30007:\n        print('here', n)\n"
                                        "    s = 0\n"
                                        "    for i in prange(3):\n        s += i * n\n"
                                        "    return s\n"
                                        "@njit(parallel=True)\n"
                                        "def f(n: int) -> int:\n"
                                        "    s = 0\n"
                                        "    for i in prange(n):\n"
                                        "        if i == 30007:\n            print('before')\n"
                                        "        s += back(i)\n"
                                        "        if i == 30007:\n            print('after')\n"
                                        "    return s\n");
    inner.function = env_function(module, "inner", NULL);
    assert_ok(jr_set_num_threads(4));
    JrValue n = jr_int(40000);
    assert_int_equal(run(module, "f", 1, &n).as.i, (int64_t)3 * 40000 * 39999 / 2);
    assert_string_equal(env->out.text, "before\nhere 30007\nafter\n");
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

static double total(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}
/* An array that a host function may write to is an output of the iteration. */
static void writes_of_host_functions_are_judged(void **state) {
    Env *env = *state;
    ADD("touch", "float64(float32[::1])", total, NULL);
    JrModule *module = env_compile(env, "from jitrun import njit, prange, float32\n"
                                        "@njit(parallel=True)\n"
                                        "def f(x: float32[:, ::1], y: float32[::1]):\n"
                                        "    for i in prange(len(x)):\n"
                                        "        touch(x[i])\n"
                                        "    for i in prange(len(x)):\n"
                                        "        touch(y)\n");
    Sink explained = {.len = 0};
    assert_ok(jr_module_explain(module, JR_REPORT_JSON, sink_write, &explained));
    const char *yes = strstr(explained.text, "\"parallel\": true");
    const char *no = strstr(explained.text, "\"parallel\": false");
    if (!yes || !no || yes > no) fail_msg("%s", explained.text);
    jr_module_free(module);
}

/* --check-races sees what they are handed, too. */
static void races_through_host_functions_are_found(void **state) {
    Env *env = *state;
    ADD("touch", "float64(float32[::1])", total, NULL);
    ADD("look", "float64(const float32[::1])", total, NULL);
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .check_races = true};
    JrModule *module;
    assert_ok(jr_compile(env->context,
                         "from jitrun import njit, prange, float32\n"
                         "@njit(parallel=True)\n"
                         "def own(x: float32[:, ::1], y: float32[::1]):\n"
                         "    for i in prange(len(x)):\n"
                         "        touch(x[i])\n        look(y)\n"
                         "@njit(parallel=True)\n"
                         "def shared(x: float32[:, ::1], y: float32[::1]):\n"
                         "    for i in prange(len(x)):\n"
                         "        touch(y)\n",
                         &o, &module));
    float x[3][2] = {{0}}, y[2] = {0};
    JrArrayValue ax = {JR_FLOAT32, 2, x, {3, 2}, {2, 1}, NULL, false};
    JrArrayValue ay = {JR_FLOAT32, 1, y, {2}, {1}, NULL, false};
    JrValue args[] = {jr_array(&ax), jr_array(&ay)};
    assert_ok(jr_call(env_function(module, "own", NULL), 2, args, NULL));
    assert_int_equal(jr_call(env_function(module, "shared", NULL), 2, args, NULL),
                     JR_ERR_RACE);
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_the_kernels_place),
        cmocka_unit_test(every_exception_can_be_raised),
        cmocka_unit_test(host_functions_call_kernels),
        cmocka_unit_test(endless_recursion_through_c_is_an_error),
        cmocka_unit_test(after_raising_no_kernel_runs),
        cmocka_unit_test(host_functions_compile),
        cmocka_unit_test(host_functions_stop_their_run),
        cmocka_unit_test(parallel_loops_call_them),
        cmocka_unit_test(parallel_loops_get_tuples),
        cmocka_unit_test(parallel_loops_go_back_into_kernels),
        cmocka_unit_test(writes_of_host_functions_are_judged),
        cmocka_unit_test(races_through_host_functions_are_found),
    };
    return run_on_engines("calls of host functions", tests, sizeof tests / sizeof *tests);
}

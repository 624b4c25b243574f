/* jr_function_pointer: the C signature of every kind of function, and calls through it. */
#include "tests/unit/api_harness.h"

#include <pthread.h>

static JrModule *module_of(Env *env, const char *source) {
    static const char imports[] = "import numpy as np\nfrom jitrun import *\n";
    char text[4096];
    snprintf(text, sizeof text, "%s%s", imports, source);
    return env_compile(env, text);
}

/* Checks the prototype, and stores the pointer in a variable of some function pointer type. */
#define assert_pointer(module, name, signature, prototype, into)   \
    do {                                                           \
        JrFunction *f_ = env_function(module, name, signature);    \
        void *p_ = NULL;                                           \
        assert_string_equal(jr_function_prototype(f_), prototype); \
        assert_ok(jr_function_pointer(f_, &p_));                   \
        memcpy(&(into), &p_, sizeof p_);                           \
    } while (0)

static void scalars_are_themselves(void **state) {
    Env *env = *state;
    JrModule *module = module_of(env, "def same(x):\n    return x\n"
                                      "def negated(x):\n    return -x\n");
#define SAME(c_type, name, value)                                                         \
    do {                                                                                  \
        c_type (*p)(c_type x);                                                            \
        assert_pointer(module, "same", "(" name ")", #c_type " same(" #c_type " x);", p); \
        assert_true(p(value) == (c_type)(value));                                         \
        assert_true(p(0) == 0);                                                           \
    } while (0)
    SAME(bool, "bool", true);
    SAME(int8_t, "int8", INT8_MIN);
    SAME(int16_t, "int16", INT16_MIN);
    SAME(int32_t, "int32", INT32_MIN);
    SAME(int64_t, "int64", INT64_MIN);
    SAME(uint8_t, "uint8", UINT8_MAX);
    SAME(uint16_t, "uint16", UINT16_MAX);
    SAME(uint32_t, "uint32", UINT32_MAX);
    SAME(uint64_t, "uint64", UINT64_MAX);
    SAME(float, "float32", 0.1f);
    SAME(double, "float64", 0.1);
    int8_t (*negated)(int8_t x);
    assert_pointer(module, "negated", "(int8)", "int8_t negated(int8_t x);", negated);
    assert_int_equal(negated(100), -100);
    assert_int_equal(negated(-128), -128);
    jr_module_free(module);
}

static void arrays_are_pointers_and_lengths(void **state) {
    Env *env = *state;
    JrModule *module = module_of(
        env, "def dot(x: float64[::1], y: float64[::1]) -> float:\n    s = 0.0\n"
             "    for i in range(len(x)):\n        s += x[i] * y[i]\n    return s\n"
             "def scale(a: float32[:, ::1], k: float32):\n    for i in range(a.shape[0]):\n"
             "        for j in range(a.shape[1]):\n            a[i, j] = a[i, j] * k\n"
             "def at(a: int16[:, :], i: int, j: int) -> int16:\n    return a[i, j]\n"
             "def last(a: bool[:]) -> bool:\n    return a[-1]\n");
    double x[] = {1, 2, 3}, y[] = {4, 5, 6};
    double (*dot)(const double *x, int64_t x_len, const double *y, int64_t y_len);
    assert_pointer(module, "dot", NULL,
                   "double dot(const double *x, int64_t x_len, const double *y, "
                   "int64_t y_len);",
                   dot);
    assert_true(dot(x, 3, y, 3) == 32);
    assert_true(dot(NULL, 0, NULL, 0) == 0);
    assert_int_equal(jr_error()->status, JR_OK);

    float a[2][3] = {{1, 2, 3}, {4, 5, 6}};
    JrStatus (*scale)(float *a, int64_t rows, int64_t columns, float k);
    assert_pointer(module, "scale", NULL,
                   "JrStatus scale(float *a, int64_t a_dim0, int64_t a_dim1, float k);",
                   scale);
    assert_ok(scale(a[0], 2, 3, 0.5f));
    assert_true(a[1][2] == 3 && a[0][0] == 0.5f);

    int16_t grid[] = {0, 1, 2, 3, 4, 5};
    int16_t (*at)(const int16_t *a, int64_t d0, int64_t d1, int64_t s0, int64_t s1, int64_t i,
                  int64_t j);
    assert_pointer(module, "at", NULL,
                   "int16_t at(const int16_t *a, int64_t a_dim0, int64_t a_dim1, "
                   "int64_t a_stride0, int64_t a_stride1, int64_t i, int64_t j);",
                   at);
    assert_int_equal(at(grid, 3, 2, 1, 3, 2, 1), 5); /* transposed */
    assert_int_equal(at(grid + 5, 2, 3, -3, -1, 1, 1), 1);
    assert_int_equal(at(grid, 2, 3, 3, 1, 2, 0), 0);
    assert_int_equal(jr_error()->status, JR_INDEX_ERROR);
    assert_string_equal(jr_error()->frames[0].function, "at");
    bool flags[] = {false, true, false};
    bool (*last)(const bool *a, int64_t len, int64_t stride);
    assert_pointer(module, "last", NULL,
                   "bool last(const bool *a, int64_t a_len, int64_t a_stride);", last);
    assert_true(last(flags, 2, 1));
    assert_false(last(flags + 1, 2, -1));
    jr_module_free(module);
}

static void arrays_have_up_to_8_dimensions(void **state) {
    Env *env = *state;
    JrModule *module = module_of(env, "def f(a, b):\n    a[1,0,1,0,1,0,1,0] = 7\n"
                                      "    return b[0,1,0,1,0,1,0,1] + a.ndim\n");
    int64_t (*f)(int64_t * a, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                 int64_t, const int64_t *b, int64_t, int64_t, int64_t, int64_t, int64_t,
                 int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                 int64_t, int64_t, int64_t);
    int64_t a[256] = {0}, b[256] = {0};
    void *p;
    JrFunction *function =
        env_function(module, "f", "(int64[:,:,:,:,:,:,:,::1], int64[:, :, :, :, :, :, :, :])");
    assert_ok(jr_function_pointer(function, &p));
    memcpy(&f, &p, sizeof p);
    b[0xaa] = 34; /* strides from small to large: the index's bits are reversed */
    assert_int_equal(
        f(a, 2, 2, 2, 2, 2, 2, 2, 2, b, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2, 4, 8, 16, 32, 64, 128),
        42);
    assert_int_equal(a[0xaa], 7);
    jr_module_free(module);
}

static void results_go_to_trailing_pointers(void **state) {
    Env *env = *state;
    JrModule *module = module_of(
        env, "def split(x: float):\n    return int(x), x - int(x), x > 0\n"
             "def ramp(n: int):\n    return np.arange(n)\n"
             "def both(x: float64[::1]):\n    if len(x) == 3:\n        print('three')\n"
             "    return x[1:], x * x, x[0]\n"
             "def pair(p):\n    return p[0] * p[1]\n");
    JrStatus (*split)(double x, int64_t *whole, double *part, bool *positive);
    int64_t whole = 9;
    double part = 9;
    bool positive = true;
    assert_pointer(module, "split", NULL,
                   "JrStatus split(double x, int64_t *result_0, double *result_1, "
                   "bool *result_2);",
                   split);
    assert_ok(split(-2.5, &whole, &part, &positive));
    assert_true(whole == -2 && part == -0.5 && !positive);
    assert_ok(split(1.5, NULL, &part, NULL));
    assert_true(part == 0.5);

    JrStatus (*ramp)(int64_t n, JrArrayValue * result);
    JrArrayValue a = {.owner = &a}, b;
    assert_pointer(module, "ramp", NULL, "JrStatus ramp(int64_t n, JrArrayValue *result);",
                   ramp);
    assert_ok(ramp(4, &a));
    assert_int_equal(((int64_t *)a.data)[3], 3);
    assert_true(a.dtype == JR_INT64 && a.shape[0] == 4 && !a.readonly);
    jr_array_clear(&a);
    assert_null(a.data);
    assert_ok(ramp(1000, NULL));

    JrStatus (*both)(const double *x, int64_t len, JrArrayValue *, JrArrayValue *, double *);
    double x[] = {1, 2, 3};
    void *p;
    assert_ok(jr_function_pointer(env_function(module, "both", NULL), &p));
    memcpy(&both, &p, sizeof p);
    assert_ok(both(x, 2, &a, &b, &part));
    assert_ptr_equal(a.data, x + 1);
    assert_null(a.owner);
    assert_true(a.readonly && !b.readonly && ((double *)b.data)[1] == 4);
    jr_array_clear(&a);
    jr_array_clear(&b);
    a.data = x, part = 9;
    assert_int_equal(both(x, 0, &a, &b, &part), JR_INDEX_ERROR);
    assert_true(a.data == NULL && part == 0);
    env->out.fail = true; /* it ran, but nobody gets what it made */
    assert_int_equal(both(x, 3, &a, &b, &part), JR_ERR_IO);
    assert_true(a.data == NULL && b.owner == NULL && part == 0);
    double (*pair)(double p_0, int8_t p_1);
    assert_pointer(module, "pair", "(tuple[float64, int8])",
                   "double pair(double p_0, int8_t p_1);", pair);
    assert_true(pair(1.5, -4) == -6);
    jr_module_free(module);
}

static void many_arguments_pass(void **state) {
    Env *env = *state;
    JrModule *module = module_of(
        env,
        "def f(a: float, b: int8, c: float32, d: bool, e: float, g: int, h: float, i: int,\n"
        "      j: float, k: int, l: float, m: int, n: float, o: int, p: float, q: int,\n"
        "      r: float32, s: uint16, t: float, u: int, v: float, w: int) -> float:\n"
        "    return a-b+c-d+e-g+h-i+j-k+l-m+n-o+p-q+r-s+t-u+v*w\n");
    double (*f)(double, int8_t, float, bool, double, int64_t, double, int64_t, double, int64_t,
                double, int64_t, double, int64_t, double, int64_t, float, uint16_t, double,
                int64_t, double, int64_t);
    void *p;
    assert_ok(jr_function_pointer(env_function(module, "f", NULL), &p));
    memcpy(&f, &p, sizeof p);
    double got = f(1.5, -2, 0.25f, true, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17.5f,
                   65535, 19, 20, 21, 22);
    assert_true(got == 1.5 + 2 + 0.25 - 1 + 5 - 6 + 7 - 8 + 9 - 10 + 11 - 12 + 13 - 14 + 15 -
                           16 + 17.5 - 65535 + 19 - 20 + 21 * 22);
    jr_module_free(module);
}

static void what_fails_returns_zero(void **state) {
    Env *env = *state;
    JrModule *module = module_of(env, "def div(a: int, b: int) -> int:\n    return a // b\n"
                                      "def head(x: float64[::1]) -> float:\n    return x[0]\n"
                                      "def deep(n: int) -> int:\n    return deep(n + 1) + 1\n"
                                      "def none():\n    pass\n");
    int64_t (*divide)(int64_t a, int64_t b), (*deep)(int64_t n);
    double (*head)(const double *x, int64_t len), x = 5;
    JrStatus (*none)(void);
    assert_pointer(module, "div", NULL, "int64_t div(int64_t a, int64_t b);", divide);
    assert_pointer(module, "deep", NULL, "int64_t deep(int64_t n);", deep);
    assert_pointer(module, "head", NULL, "double head(const double *x, int64_t x_len);", head);
    assert_pointer(module, "none", "()", "JrStatus none(void);", none);
    assert_int_equal(divide(1, 0), 0);
    assert_int_equal(jr_error()->status, JR_ZERO_DIVISION_ERROR);
    assert_int_equal(divide(7, 2), 3);
    assert_int_equal(jr_error()->status, JR_OK);
    assert_int_equal(deep(0), 0);
    assert_int_equal(jr_error()->status, JR_RECURSION_ERROR);
    assert_true(head(&x, 1) == 5);
    assert_true(head(&x, -1) == 0);
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    assert_non_null(strstr(jr_error()->message, "head: the array 'x' has a shape that is"));
    assert_true(head(NULL, 1) == 0);
    assert_non_null(strstr(jr_error()->message, "has no data"));
    assert_int_equal(none(), JR_OK); /* its own: it cannot fail, and leaves the slot alone */
    JrFunction *f = env_function(module, "div", NULL);
    void *one, *two;
    assert_ok(jr_function_pointer(f, &one));
    assert_ok(jr_function_pointer(f, &two));
    assert_ptr_equal(one, two);
    assert_fails(jr_function_pointer(NULL, &one), JR_ERR_ARGUMENT, "NULL");
    assert_null(one);
    assert_fails(jr_function_pointer(f, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_string_equal(jr_function_prototype(NULL), "");
    jr_module_free(module);
}

/* The message shows what was asked for and what there is. */
static void wrong_signatures_show_both(void **state) {
    Env *env = *state;
    JrModule *module =
        module_of(env, "def dot(x: float64[::1], y: float64[::1]) -> float:\n    return x[0]\n"
                       "@njit(['int64(int64)', 'float64(float64)', 'bool(bool)'])\n"
                       "def same(x):\n    return x\n"
                       "def add(x, y):\n    return x + y\n"
                       "def half(x: float, y):\n    return x / y\n"
                       "def none():\n    pass\n");
    static const char *const wrong[][3] = {
        {"dot", "(float64[:], float64[:])",
         "dot is float64(float64[::1], float64[::1]), which is not (float64[:], float64[:])"},
        {"dot", "(float64[::1])",
         "float64(float64[::1], float64[::1]), which is not (float64[::1])"},
        {"dot", "int64(float64[::1], float64[::1])",
         "which is not int64(float64[::1], float64[::1])"},
        {"same", "(int8)",
         "same is int64(int64), float64(float64) or bool(bool), which is not (int8)"},
        {"same", "float64(int64)", "which is not float64(int64)"},
        {"add", "(int64)", "add(x, y) has 2 parameters, which is not (int64)"},
        {"add", "int64(float64, int64)",
         "add is float64(float64, int64), which is not int64(float64, int64)"},
        {"half", "(int64, int64)",
         "half is float64(float64, int64), which is not (int64, int64)"},
        {"none", "(int64)", "none is None(), which is not (int64)"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        JrFunction *f = NULL;
        assert_fails(jr_function(module, wrong[i][0], wrong[i][1], &f), JR_ERR_SIGNATURE,
                     wrong[i][2]);
        assert_null(f);
    }
    env_function(module, "same", "float64(float64)");
    env_function(module, "half", "(float64, int64)");
    env_function(module, "none", "None()");
    jr_module_free(module);
}

/* Words that mean something in C, and names that would meet. */
static void names_are_made_fit_for_c(void **state) {
    Env *env = *state;
    JrModule *module = module_of(env, "def double(int, x: float64[::1], x_len):\n"
                                      "    return x[0] + x_len + int\n");
    JrFunction *f = env_function(module, "double", "(int64, float64[::1], int64)");
    assert_string_equal(jr_function_prototype(f),
                        "double double_(int64_t int_, const double *x, int64_t x_len_, "
                        "int64_t x_len);");
    jr_module_free(module);
}

static void headers_have_what_is_typed(void **state) {
    Env *env = *state;
    JrModule *module = module_of(env, "def a(x: float) -> float:\n    return x\n"
                                      "def b(x):\n    return x\n"
                                      "def c(x: int32[:]):\n    x[0] = 1\n");
    assert_ok(jr_module_header(module, sink_write, &env->out));
    assert_non_null(strstr(env->out.text, "/* t.src:3: a float64(float64) */\n"
                                          "double a(double x);\n"));
    assert_non_null(
        strstr(env->out.text, "JrStatus c(int32_t *x, int64_t x_len, int64_t x_stride);\n"));
    assert_null(strstr(env->out.text, " b("));
    env->out.fail = true;
    assert_fails(jr_module_header(module, sink_write, &env->out), JR_ERR_IO, "header");
    assert_fails(jr_module_header(NULL, sink_write, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_module_header(module, NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    jr_module_free(module);
}

/* ---- Threads ---- */

typedef double (*Dot)(const double *x, int64_t x_len, const double *y, int64_t y_len);

/* What was found by values may have been made without. Its callee is the module's, and has a pointer
 * of its own. */
static void pointers_come_later_too(void **state) {
    Env *env = *state;
    JrModule *module = module_of(env, "def inner(x):\n    return x + 1\n"
                                      "def outer(x):\n    s = x\n    for i in range(3):\n"
                                      "        s += inner(x)\n    return s\n");
    JrFunction *outer;
    JrValue two = jr_int(2), result;
    int64_t (*p)(int64_t x), (*again)(int64_t x);
    assert_ok(jr_function_for(module, "outer", 1, &two, &outer));
    assert_ok(jr_call(outer, 1, &two, &result));
    assert_int_equal(result.as.i, 11);
    assert_pointer(module, "outer", "(int64)", "int64_t outer(int64_t x);", p);
    assert_int_equal(p(2), 11);
    assert_pointer(module, "outer", "(int64)", "int64_t outer(int64_t x);", again);
    assert_ptr_equal(*(void **)&again, *(void **)&p);
    assert_pointer(module, "inner", "(int64)", "int64_t inner(int64_t x);", p);
    assert_int_equal(p(2), 3);
    assert_ok(jr_call(outer, 1, &two, &result));
    assert_int_equal(result.as.i, 11);
    jr_module_free(module);
}

static void *call_pointer(void *user) {
    Dot dot = *(Dot *)user;
    double x[64];
    for (int i = 0; i < 64; i++)
        x[i] = i;
    for (int i = 0; i < 500; i++) {
        int n = i % 64;
        if (dot(x, n, x, 64) != (n - 1) * n * (2 * n - 1) / 6) return "result";
        if (jr_error()->status) return "error";
        if (dot(x, 64, x, n) != 0 || jr_error()->status != JR_INDEX_ERROR) return "no error";
    }
    return NULL;
}

static void threads_share_a_pointer(void **state) {
    Env *env = *state;
    JrModule *module =
        module_of(env, "def dot(x, y):\n    s = 0.0\n    for i in range(len(x)):\n"
                       "        s += x[i] * y[i]\n    return s\n");
    void *p;
    Dot dot;
    assert_ok(
        jr_function_pointer(env_function(module, "dot", "(float64[::1], float64[::1])"), &p));
    memcpy(&dot, &p, sizeof p);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_pointer, &dot), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_themselves),
        cmocka_unit_test(arrays_are_pointers_and_lengths),
        cmocka_unit_test(arrays_have_up_to_8_dimensions),
        cmocka_unit_test(results_go_to_trailing_pointers),
        cmocka_unit_test(many_arguments_pass),
        cmocka_unit_test(what_fails_returns_zero),
        cmocka_unit_test(wrong_signatures_show_both),
        cmocka_unit_test(names_are_made_fit_for_c),
        cmocka_unit_test(headers_have_what_is_typed),
        cmocka_unit_test(pointers_come_later_too),
        cmocka_unit_test(threads_share_a_pointer),
    };
    return run_on_engines("pointers", tests, sizeof tests / sizeof *tests);
}

/* C functions that kernels call: what passes to and fro, how they are named and added. */
#include "tests/unit/host_harness.h"

#include <math.h>

/* ---- What passes ---- */

#define SAME(T)              \
    static T same_##T(T x) { \
        return x;            \
    }
SAME(int8_t)
SAME(int16_t)
SAME(int32_t)
SAME(int64_t)
SAME(uint8_t)
SAME(uint16_t)
SAME(uint32_t)
SAME(uint64_t)
SAME(bool)
SAME(float)
SAME(double)

static void every_scalar_passes(void **state) {
    Env *env = *state;
    static const struct {
        const char *type;
        JrHostFunction function;
        const char *values, *printed;
    } cases[] = {
        {"int8", (JrHostFunction)same_int8_t, "-128 127 -1", "-128 127 -1"},
        {"int16", (JrHostFunction)same_int16_t, "-32768 32767 -1", "-32768 32767 -1"},
        {"int32", (JrHostFunction)same_int32_t, "-2147483648 2147483647 -1",
         "-2147483648 2147483647 -1"},
        {"int64", (JrHostFunction)same_int64_t, "-9223372036854775808 -1 7",
         "-9223372036854775808 -1 7"},
        {"uint8", (JrHostFunction)same_uint8_t, "255 128 0", "255 128 0"},
        {"uint16", (JrHostFunction)same_uint16_t, "65535 32768 0", "65535 32768 0"},
        {"uint32", (JrHostFunction)same_uint32_t, "4294967295 2147483648 0",
         "4294967295 2147483648 0"},
        {"uint64", (JrHostFunction)same_uint64_t, "18446744073709551615 1 0",
         "18446744073709551615 1 0"},
        {"bool", (JrHostFunction)same_bool, "True False True", "True False True"},
        {"float32", (JrHostFunction)same_float, "0.1 -0.0 1e30", "0.1 -0.0 1e+30"},
        {"float64", (JrHostFunction)same_double, "0.1 -0.0 1e300", "0.1 -0.0 1e+300"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[16], signature[64], source[512], a[32], b[32], c[32];
        const char *type = cases[i].type;
        snprintf(name, sizeof name, "same_%s", type);
        snprintf(signature, sizeof signature, "%s(%s)", type, type);
        ADD(name, signature, cases[i].function, NULL);
        assert_int_equal(sscanf(cases[i].values, "%31s %31s %31s", a, b, c), 3);
        snprintf(source, sizeof source,
                 "from jitrun import *\nprint(%s(%s(%s)), %s(%s(%s)), %s(%s(%s)))\n", name,
                 type, a, name, type, b, name, type, c);
        env->out.len = 0;
        JrModule *module = env_compile(env, source);
        assert_ok(jr_run(module));
        char wanted[80];
        snprintf(wanted, sizeof wanted, "%s\n", cases[i].printed);
        assert_string_equal(env->out.text, wanted);
        jr_module_free(module);
    }
}

static double many(double a, int64_t b, float c, int8_t d, double e, uint16_t f, double g,
                   int64_t h, double i, int64_t j, double k, int64_t l, double m, double n,
                   double o, int64_t p, bool q, float r) {
    double sum = a + 2 * (double)b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * (double)h;
    sum += 9 * i + 10 * (double)j + 11 * k + 12 * (double)l + 13 * m + 14 * n + 15 * o;
    return sum + 16 * (double)p + 17 * q + 18 * r;
}

static void more_arguments_than_registers(void **state) {
    Env *env = *state;
    ADD("many",
        "float64(float64, int64, float32, int8, float64, uint16, float64, int64, float64, "
        "int64,"
        " float64, int64, float64, float64, float64, int64, bool, float32)",
        many, NULL);
    JrModule *module = env_compile(env, "def f(x: float, n: int) -> float:\n"
                                        "    return many(x, n, 3, -4, 5, 6, 7, 8, 9, 10, 11, "
                                        "12, 13, 14, 15, 16, n > 0, 18)\n");
    JrValue args[] = {jr_float(0.5), jr_int(2)};
    JrValue r = run(module, "f", 2, args);
    double wanted = many(0.5, 2, 3, -4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, true, 18);
    assert_true(r.as.f == wanted);
    jr_module_free(module);
}

typedef struct Seen {
    int calls;
    double last;
} Seen;

static void note_first(void *user, double x) {
    Seen *seen = user;
    seen->calls++, seen->last = x;
}
static double note_middle(double x, void *user, double y) {
    note_first(user, x);
    return x - y;
}
static int64_t note_last(double x, void *user) {
    note_first(user, x);
    return ((Seen *)user)->calls;
}
static int64_t note_only(void *user) {
    return ((Seen *)user)->calls;
}
static int64_t is_null(void *user) {
    return user == NULL;
}

static void the_user_pointer_stands_anywhere(void **state) {
    Env *env = *state;
    Seen seen = {0};
    ADD("first", "None(user, float64)", note_first, &seen);
    ADD("middle", " float64 ( float64 , user , float64 ) ", note_middle, &seen);
    ADD("last", "int64(float64, user)", note_last, &seen);
    ADD("only", "int64(user)", note_only, &seen);
    ADD("none", "int64(user)", is_null, NULL);
    JrModule *module =
        env_compile(env, "first(1)\nprint(first(2.5), middle(5, 3), last(4.0))\n"
                         "print(only(), none())\n");
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "None 2.0 4\n4 1\n");
    assert_true(seen.last == 4);
    jr_module_free(module);
}

static double total(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}
static void fill(double *x, int64_t rows, int64_t cols, int64_t down, int64_t right,
                 double v) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            x[i * down + j * right] = v + (double)(10 * i + j);
}
static int64_t cells(const uint8_t *x, int64_t a, int64_t b, int64_t c) {
    return a * 10000 + b * 100 + c + (a * b * c > 0 ? x[a * b * c - 1] : 0);
}

static void arrays_pass(void **state) {
    Env *env = *state;
    ADD("total", "float64(const float32[::1])", total, NULL);
    ADD("fill", "None(float64[:, :], float64)", fill, NULL);
    ADD("cells", "int64(const uint8[:, :, ::1])", cells, NULL);
    JrModule *module = env_compile(
        env,
        "import numpy as np\n"
        "m = np.zeros((2, 6))\nfill(m[:, ::-2], 1.5)\nprint(m)\nfill(m.T, 0)\nprint(m)\n"
        "print(total(np.arange(5).astype(np.float32)[2:]), total(np.zeros(0, np.float32)))\n"
        "print(cells(np.ones((2, 3, 4), np.uint8)), cells(np.ones((2, 0, 4), np.uint8)))\n");
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "[[ 0.   3.5  0.   2.5  0.   1.5]\n"
                                       " [ 0.  13.5  0.  12.5  0.  11.5]]\n"
                                       "[[ 0. 10. 20. 30. 40. 50.]\n"
                                       " [ 1. 11. 21. 31. 41. 51.]]\n"
                                       "9.0 0.0\n20305 20004\n");
    jr_module_free(module);
}

/* `const` is what tells a kernel's parameter from one that is written to. */
static void const_lets_readonly_arrays_through(void **state) {
    Env *env = *state;
    ADD("look", "float64(const float32[::1])", total, NULL);
    ADD("touch", "float64(float32[::1])", total, NULL);
    JrModule *module = env_compile(
        env, "from jitrun import float32\n"
             "def reads(x: float32[::1]) -> float:\n    return look(x) + look(x[1:])\n"
             "def writes(x: float32[::1]) -> float:\n    return look(x) + touch(x[1:])\n");
    float data[] = {1, 2, 3};
    JrArrayValue array = {JR_FLOAT32, 1, data, {3}, {1}, NULL, true};
    JrValue arg = jr_array(&array), r;
    assert_true(run(module, "reads", 1, &arg).as.f == 11);
    JrFunction *f = env_function(module, "writes", NULL);
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "read-only");
    array.readonly = false;
    assert_true(run(module, "writes", 1, &arg).as.f == 11);
    assert_non_null(strstr(jr_function_prototype(f), "writes(float *x"));
    f = env_function(module, "reads", NULL);
    assert_non_null(strstr(jr_function_prototype(f), "reads(const float *x"));
    jr_module_free(module);
}

static void arguments_convert_as_for_annotations(void **state) {
    Env *env = *state;
    ADD("hyp", "float64(float64, float64)", hypot, NULL);
    ADD("wide", "int64(int64)", same_int64_t, NULL);
    JrModule *module = env_compile(
        env, "from jitrun import *\nimport numpy as np\n"
             "print(hyp(3, 4), hyp(int8(6), float32(8)), wide(int8(-5)), wide(True))\n"
             "x = np.array([3.0])\nprint(hyp(x[0], wide(4)) + wide(1))\n");
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "5.0 10.0 -5 1\n6.0\n");
    jr_module_free(module);
}

/* ---- Tuples ---- */

static double dot2(double ax, double ay, double bx, double by, int64_t scale) {
    return (ax * bx + ay * by) * (double)scale;
}
static double picked(void *user, const double *x, int64_t x_len, bool last, int8_t k) {
    *(double *)user += 1;
    return last ? x[x_len - 1] : x[k];
}

static void tuples_pass_as_their_items(void **state) {
    Env *env = *state;
    double calls = 0;
    ADD("dot2", "float64(tuple[tuple[float64, float64], tuple[float64, float64]], int64)",
        dot2, NULL);
    ADD("picked", "float64(user, tuple[const float64[::1], tuple[bool, int8]])", picked,
        &calls);
    JrModule *module =
        env_compile(env, "import numpy as np\n"
                         "def f(v: tuple[float, float], n):\n    return dot2((v, (1, n)), 2)\n"
                         "print(f((3.0, 4.0), 5), dot2(((1, 2), (3, 4.5)), True))\n"
                         "x = np.array([7.0, 8.0, 9.0])\n"
                         "print(picked((x, (True, 0))), picked((x, (False, 1))), "
                         "picked((x[1:], (False, 0))))\n");
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "46.0 12.0\n9.0 8.0 8.0\n");
    assert_true(calls == 3);
    jr_module_free(module);
}

static void polar(double x, double y, double *r, double *angle) {
    *r = hypot(x, y), *angle = atan2(y, x);
}
static void every_kind(int64_t n, bool *b, int8_t *i8, int16_t *i16, int32_t *i32,
                       int64_t *i64, uint8_t *u8, uint16_t *u16, uint32_t *u32, uint64_t *u64,
                       float *f32, double *f64) {
    *b = n & 1;
    *i8 = (int8_t)n, *i16 = (int16_t)n, *i32 = (int32_t)n, *i64 = n;
    *u8 = (uint8_t)n, *u16 = (uint16_t)n, *u32 = (uint32_t)n, *u64 = (uint64_t)n;
    *f32 = (float)n / 4, *f64 = (double)n / 8;
}
static void half_told(int64_t n, void *user, int64_t *a, double *b, uint8_t *c) {
    *(int64_t *)user += *a == 0 && *b == 0 && *c == 0; /* as it should find them */
    *a = n;
    if (n > 3) jr_error_raise(JR_VALUE_ERROR, "told no more");
}
static void nothing_in(double *a, int64_t *b) {
    *a = 0.5, *b = 6;
}

static void results_can_be_tuples(void **state) {
    Env *env = *state;
    int64_t zeroed = 0;
    ADD("polar", "tuple[float64, float64](float64, float64)", polar, NULL);
    ADD("every",
        "tuple[bool, tuple[int8, int16, int32, int64], uint8, uint16, uint32, uint64, "
        "float32, "
        "float64](int64)",
        every_kind, NULL);
    ADD("half", "tuple[int64, tuple[float64, uint8]](int64, user)", half_told, &zeroed);
    ADD("nothing", "tuple[float64, int64]()", nothing_in, NULL);
    JrModule *module = env_compile(env, "r, a = polar(3, 4)\nprint(r, a > 0.9, polar(1, 0))\n"
                                        "print(every(-3))\nprint(every(100000))\n"
                                        "print(half(1), half(2)[1], nothing()[1])\n"
                                        "def f(n: int):\n    x, (y, z) = half(n)\n"
                                        "    return x, y, z\n"
                                        "def loop(n: int) -> int:\n"
                                        "    s = 0\n    k = 1\n"
                                        "    for i in range(n):\n"
                                        "        k, (y, z) = half(k)\n        s += k + z\n"
                                        "    return s\n");
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "5.0 True (1.0, 0.0)\n"
                                       "(True, (-3, -3, -3, -3), 253, 65533, 4294967293, "
                                       "18446744073709551613, -0.75, -0.375)\n"
                                       "(False, (-96, -31072, 100000, 100000), 160, 34464, "
                                       "100000, 100000, 25000.0, 12500.0)\n"
                                       "(1, (0.0, 0)) (0.0, 0) 6\n");
    assert_int_equal(zeroed, 2);
    JrValue n = jr_int(3), r = run(module, "f", 1, &n);
    assert_int_equal(r.as.tuple.count, 3);
    assert_int_equal(r.as.tuple.items[0].as.i, 3);
    jr_value_clear(&r);
    assert_int_equal(run(module, "loop", 1, &n).as.i, 3);
    assert_int_equal(zeroed, 6); /* zero each time */
    assert_fails(run_status(module, "f", 4), JR_VALUE_ERROR, "told no more");
    jr_module_free(module);
}

static void wrong_tuples_are_refused(void **state) {
    Env *env = *state;
    static const char *const sources[] = {"polar((3, 4))\n", "swap(1, 2)\n",
                                          "swap((1, 2, 3))\n", "swap((1, 2.5))\n",
                                          "a, b, c = polar(1, 2)\n"};
    ADD("polar", "tuple[float64, float64](float64, float64)", polar, NULL);
    ADD("swap", "float64(tuple[int64, int64])", polar, NULL);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        JrModule *module;
        JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .run_main = true};
        if (jr_compile(env->context, sources[i], &o, &module) != JR_ERR_COMPILE)
            fail_msg("%s", sources[i]);
        const char *report = jr_module_report(module, JR_REPORT_TEXT);
        if (i < 4 && !strstr(report, i ? "float64(tuple[int64, int64])"
                                       : "tuple[float64, float64](float64, float64)"))
            fail_msg("%s\ngave %s", sources[i], report);
        jr_module_free(module);
    }
}

/* ---- Names ---- */

static void names_are_looked_up_last(void **state) {
    Env *env = *state;
    ADD("rate", "int64(int64)", same_int64_t, NULL);
    JrModule *module = env_compile(env, "def rate(x):\n    return x * 2\nprint(rate(21))\n");
    assert_ok(jr_run(module));
    jr_module_free(module);
    module = env_compile(env, "from math import sqrt as rate\nprint(rate(9))\n");
    assert_ok(jr_run(module));
    jr_module_free(module);
    module = env_compile(env, "def f(rate):\n    return rate + 1\nprint(f(1), rate(5))\n");
    assert_ok(jr_run(module));
    jr_module_free(module);
    assert_string_equal(env->out.text, "42\n3.0\n2 5\n");
}

static void a_host_function_is_a_value(void **state) {
    Env *env = *state;
    ADD("same", "int64(int64)", same_int64_t, NULL);
    JrModule *module = env_compile(env, "def twice(g, x):\n    h = g\n    return h(h(x)) + x\n"
                                        "print(twice(same, 4), twice(abs, -4))\n");
    assert_ok(jr_run(module));
    jr_module_free(module);
    assert_string_equal(env->out.text, "8 0\n");
}

static const char *report_of(Env *env, const char *source, JrModule **module) {
    JrCompileOptions o = {.size = sizeof o, .name = "t.src", .engine = env->engine};
    assert_int_equal(jr_compile(env->context, source, &o, module), JR_ERR_COMPILE);
    return jr_module_report(*module, JR_REPORT_TEXT);
}

static void a_module_knows_what_there_was(void **state) {
    Env *env = *state;
    JrModule *module;
    assert_non_null(strstr(report_of(env, "def f(x):\n    return late(x)\n", &module),
                           "the name 'late' is not defined"));
    jr_module_free(module);
    ADD("late", "int64(int64)", same_int64_t, NULL);
    module = env_compile(env, "def f(x):\n    return late(x)\n");
    JrContext *other = jr_context_new(NULL);
    JrModule *there;
    assert_int_equal(jr_compile(other, "def f(x):\n    return late(x)\n", NULL, &there),
                     JR_ERR_COMPILE);
    jr_module_free(there);
    jr_context_free(other);
    JrValue x = jr_int(8);
    assert_int_equal(run(module, "f", 1, &x).as.i, 8);
    jr_module_free(module);
}

static void wrong_calls_show_both_signatures(void **state) {
    Env *env = *state;
    static const struct {
        const char *source, *message, *help;
    } cases[] = {
        {"sample(1.0)\n",
         "'sample' is float64(float64[::1], int64), and is called with (a float literal)",
         NULL},
        {"def f(x: float):\n    sample(np.ones(3), x)\n",
         "and is called with (float64[::1], float64)", "convert it: int64(...)"},
        {"sample(np.ones((3, 3)), 1)\n", "called with (float64[:, ::1], an int literal)",
         NULL},
        {"sample(np.ones(6)[::2], 1)\n", "called with (float64[:], an int literal)", NULL},
        {"sample(x=np.ones(3), k=1)\n", "'sample' has no parameter names",
         "leave out the name"},
        {"def f():\n    y = sample\n    y(1.0)\nf()\n",
         "is float64(float64[::1], int64), and is called with (a float literal)", NULL},
        {"smaple(np.ones(3), 1)\n", "the name 'smaple' is not defined",
         "did you mean 'sample'?"},
        {"sample(np.ones(3), 1)[0]\n", "float64", NULL},
    };
    ADD("sample", "float64(const float64[::1], int64)", total, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char source[256];
        JrModule *module;
        JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .run_main = true};
        snprintf(source, sizeof source, "import numpy as np\n%s", cases[i].source);
        if (jr_compile(env->context, source, &o, &module) != JR_ERR_COMPILE)
            fail_msg("%s", source);
        const char *report = jr_module_report(module, JR_REPORT_TEXT);
        if (!strstr(report, cases[i].message) ||
            (cases[i].help && !strstr(report, cases[i].help)))
            fail_msg("%s\ngave %s", source, report);
        jr_module_free(module);
    }
}

static void adding_says_what_is_wrong(void **state) {
    Env *env = *state;
    JrHostFunction f = (JrHostFunction)same_int64_t;
    static const struct {
        const char *name, *signature;
        JrStatus status;
        const char *message;
    } cases[] = {
        {"", "int64()", JR_ERR_ARGUMENT, "'' is no name"},
        {"2x", "int64()", JR_ERR_ARGUMENT, "is no name"},
        {"a b", "int64()", JR_ERR_ARGUMENT, "is no name"},
        {"a.b", "int64()", JR_ERR_ARGUMENT, "is no name"},
        {"while", "int64()", JR_ERR_ARGUMENT, "'while' means something"},
        {"len", "int64()", JR_ERR_ARGUMENT, "'len' means something"},
        {"ValueError", "int64()", JR_ERR_ARGUMENT, "means something"},
        {"__name__", "int64()", JR_ERR_ARGUMENT, "means something"},
        {"x", "", JR_ERR_SIGNATURE, "'' is no signature for 'x': it does not begin"},
        {"x", "(int64)", JR_ERR_SIGNATURE, "does not begin with the result's type"},
        {"x", "user(int64)", JR_ERR_SIGNATURE, "does not begin"},
        {"x", "int64", JR_ERR_SIGNATURE, "'(' is missing"},
        {"x", "int64(", JR_ERR_SIGNATURE, "a parameter is no number, array or tuple"},
        {"x", "int64(int64", JR_ERR_SIGNATURE, "',' or ')' is missing"},
        {"x", "int64(int64 int64)", JR_ERR_SIGNATURE, "',' or ')' is missing"},
        {"x", "str(int64)", JR_ERR_SIGNATURE, "does not begin"},
        {"x", "int64(str)", JR_ERR_SIGNATURE, "a parameter is no number"},
        {"x", "int64(tuple)", JR_ERR_SIGNATURE, "'[' is missing after tuple"},
        {"x", "int64(tuple[])", JR_ERR_SIGNATURE, "a parameter is no number"},
        {"x", "int64(tuple[int64)", JR_ERR_SIGNATURE, "',' or ']' is missing"},
        {"x", "int64(tuple[user])", JR_ERR_SIGNATURE, "a parameter is no number"},
        {"x", "tuple[int64]()", JR_ERR_SIGNATURE, "a tuple of one is no result"},
        {"x", "tuple[int64, const float64[:]]()", JR_ERR_SIGNATURE, "const is for parameters"},
        {"x",
         "tuple[int8, int8, int8, int8, int8, int8, int8, int8, int8, int8, int8, int8, int8, "
         "int8, int8, int8, int8]()",
         JR_ERR_SIGNATURE, "its result has too many items"},
        {"x", "int64(user, user)", JR_ERR_SIGNATURE, "'user' stands twice"},
        {"x", "int64[:, :, :, :, :, :, :, :, :](int64)", JR_ERR_SIGNATURE, "begin"},
        {"x", "int64() int64", JR_ERR_SIGNATURE, "something comes after it"},
        {"twice", "float64()", JR_ERR_ARGUMENT,
         "has a function 'twice' already: int64(int64)"},
    };
    ADD("twice", "int64(int64)", f, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(
            jr_context_add_function(env->context, cases[i].name, cases[i].signature, f, NULL),
            cases[i].status, cases[i].message);
    assert_fails(jr_context_add_function(NULL, "x", "int64()", f, NULL), JR_ERR_ARGUMENT,
                 "NULL");
    assert_fails(jr_context_add_function(env->context, NULL, "int64()", f, NULL),
                 JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_context_add_function(env->context, "x", NULL, f, NULL), JR_ERR_ARGUMENT,
                 "NULL");
    assert_fails(jr_context_add_function(env->context, "x", "int64()", NULL, NULL),
                 JR_ERR_ARGUMENT, "NULL");
    char most[512] = "int64(int64", more[512];
    for (int i = 1; i < 32; i++)
        strcat(most, ", int8");
    snprintf(more, sizeof more, "%s, int8)", most);
    strcat(most, ")");
    ADD("most", most, f, NULL);
    char deep[1024] = "int64(";
    for (int i = 0; i < 120; i++)
        strcat(deep, "tuple[");
    assert_fails(jr_context_add_function(env->context, "deep", deep, f, NULL),
                 JR_ERR_SIGNATURE, "too many types");
    assert_fails(jr_context_add_function(env->context, "more", more, f, NULL),
                 JR_ERR_SIGNATURE, "too many parameters");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_passes),
        cmocka_unit_test(more_arguments_than_registers),
        cmocka_unit_test(the_user_pointer_stands_anywhere),
        cmocka_unit_test(arrays_pass),
        cmocka_unit_test(const_lets_readonly_arrays_through),
        cmocka_unit_test(arguments_convert_as_for_annotations),
        cmocka_unit_test(names_are_looked_up_last),
        cmocka_unit_test(a_host_function_is_a_value),
        cmocka_unit_test(a_module_knows_what_there_was),
        cmocka_unit_test(wrong_calls_show_both_signatures),
        cmocka_unit_test(adding_says_what_is_wrong),
        cmocka_unit_test(tuples_pass_as_their_items),
        cmocka_unit_test(results_can_be_tuples),
        cmocka_unit_test(wrong_tuples_are_refused),
    };
    return run_on_engines("host functions", tests, sizeof tests / sizeof *tests);
}

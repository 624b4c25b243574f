/* C functions that kernels call: what passes, what fails, and what may call what. */
#include "tests/unit/api_harness.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

static void add(Env *env, const char *name, const char *signature, JrHostFunction function,
                void *user) {
    assert_ok(jr_context_add_function(env->context, name, signature, function, user));
}
#define ADD(name, signature, function, user) \
    add(env, name, signature, (JrHostFunction)(function), user)

static JrValue run(JrModule *module, const char *name, size_t count, const JrValue *args) {
    JrFunction *f;
    JrValue result = {.type = JR_NONE};
    assert_ok(jr_function_for(module, name, count, args, &f));
    assert_ok(jr_call(f, count, args, &result));
    return result;
}

static JrStatus run_status(JrModule *module, const char *name, int64_t n) {
    JrFunction *f = env_function(module, name, NULL);
    JrValue arg = jr_int(n);
    return jr_call(f, 1, &arg, NULL);
}

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
        {"def f():\n    y = sample\nf()\n", "the function 'sample' cannot be assigned", NULL},
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
        {"x", "int64(", JR_ERR_SIGNATURE, "a parameter is no number and no array"},
        {"x", "int64(int64", JR_ERR_SIGNATURE, "',' or ')' is missing"},
        {"x", "int64(int64 int64)", JR_ERR_SIGNATURE, "',' or ')' is missing"},
        {"x", "str(int64)", JR_ERR_SIGNATURE, "does not begin"},
        {"x", "int64(str)", JR_ERR_SIGNATURE, "a parameter is no number"},
        {"x", "int64(tuple[int64])", JR_ERR_SIGNATURE, "a parameter is no number"},
        {"x", "int64(user, user)", JR_ERR_SIGNATURE, "'user' stands twice"},
        {"x", "int64[:](int64)", JR_ERR_SIGNATURE, "the result is an array"},
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
    assert_fails(jr_context_add_function(env->context, "more", more, f, NULL),
                 JR_ERR_SIGNATURE, "too many parameters");
}

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
    inner.mode = 1;
    assert_fails(jr_call(f, 1, &n, &r), JR_ZERO_DIVISION_ERROR, "integer division");
    assert_int_equal(jr_error()->frame_count, 2);
    assert_string_equal(jr_error()->frames[0].function, "part");
    assert_string_equal(jr_error()->frames[1].function, "f");
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
        cmocka_unit_test(every_scalar_passes),
        cmocka_unit_test(more_arguments_than_registers),
        cmocka_unit_test(the_user_pointer_stands_anywhere),
        cmocka_unit_test(arrays_pass),
        cmocka_unit_test(const_lets_readonly_arrays_through),
        cmocka_unit_test(arguments_convert_as_for_annotations),
        cmocka_unit_test(names_are_looked_up_last),
        cmocka_unit_test(a_module_knows_what_there_was),
        cmocka_unit_test(wrong_calls_show_both_signatures),
        cmocka_unit_test(adding_says_what_is_wrong),
        cmocka_unit_test(errors_have_the_kernels_place),
        cmocka_unit_test(every_exception_can_be_raised),
        cmocka_unit_test(host_functions_call_kernels),
        cmocka_unit_test(endless_recursion_through_c_is_an_error),
        cmocka_unit_test(after_raising_no_kernel_runs),
        cmocka_unit_test(host_functions_compile),
        cmocka_unit_test(host_functions_stop_their_run),
        cmocka_unit_test(parallel_loops_call_them),
        cmocka_unit_test(parallel_loops_go_back_into_kernels),
        cmocka_unit_test(writes_of_host_functions_are_judged),
        cmocka_unit_test(races_through_host_functions_are_found),
    };
    return run_on_engines("host functions", tests, sizeof tests / sizeof *tests);
}

/* The C signature of typed pointers, all of it: every scalar type in every place, arrays of
 * every rank and layout, more arguments than there are registers of either kind. */
#include "tests/unit/api_harness.h"

/* clang-format off */
#define ALL_TYPES(X)                                                          \
    X(bool, bool, true, false)                                                \
    X(int8_t, int8, INT8_MIN, INT8_MAX)                                       \
    X(int16_t, int16, INT16_MIN, INT16_MAX)                                   \
    X(int32_t, int32, INT32_MIN, INT32_MAX)                                   \
    X(int64_t, int64, INT64_MIN, INT64_MAX)                                   \
    X(uint8_t, uint8, 200, UINT8_MAX)                                         \
    X(uint16_t, uint16, 40000, UINT16_MAX)                                    \
    X(uint32_t, uint32, 1u << 31, UINT32_MAX)                                 \
    X(uint64_t, uint64, 1ull << 63, UINT64_MAX)                               \
    X(float, float32, 0.1f, -1e30f)                                           \
    X(double, float64, 0.1, -1e300)
/* clang-format on */

/* Each type as a parameter, a result, an item of a tuple, an out-parameter, and an element that
 * is read and written, near and far. */
static void every_type_in_every_place(void **state) {
    Env *env = *state;
    JrModule *module =
        env_compile(env, "def second(x, y):\n    return y\n"
                         "def swap(p):\n    return p[1], p[0]\n"
                         "def move(a, b):\n    a[1] = b[-1]\n    return a[0]\n");
#define CHECK(T, name, one, other)                                                        \
    {                                                                                     \
        T (*second)(T, T), near[] = {one, one, one}, far[] = {other, one, other};         \
        JrStatus (*swap)(T, int8_t, int8_t *, T *);                                       \
        typedef T Move(T *a, int64_t a_len, const T *b, int64_t b_len, int64_t b_stride); \
        Move *move;                                                                       \
        T got = one;                                                                      \
        int8_t small = 0;                                                                 \
        take_pointer(second, module, "second", "(" #name ", " #name ")");                 \
        assert_true(second(one, other) == (T)(other) && second(other, one) == (T)(one));  \
        take_pointer(swap, module, "swap", "(tuple[" #name ", int8])");                   \
        assert_int_equal(swap(other, -7, &small, &got), JR_OK);                           \
        assert_true(small == -7 && got == (T)(other));                                    \
        take_pointer(move, module, "move", "(" #name "[::1], " #name "[:])");             \
        assert_true(move(near, 3, far, 2, 2) == (T)(one));                                \
        assert_true(near[0] == (T)(one) && near[1] == (T)(other) && near[2] == (T)(one)); \
    }
    ALL_TYPES(CHECK)
    jr_module_free(module);
}

/* A caller may leave anything in the upper half of a register. */
static void narrow_values_are_cut_and_extended(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def wide(x):\n    return int(x)\n"
                                        "def negated(x):\n    return -x\n");
    int64_t (*wide8)(uint64_t), (*wide16)(uint64_t);
    int8_t (*negated)(int8_t);
    take_pointer(wide8, module, "wide", "(int8)");
    take_pointer(wide16, module, "wide", "(uint16)");
    take_pointer(negated, module, "negated", "(int8)");
    assert_int_equal(wide8(0xabcdef0123456780u), -128);
    assert_int_equal(wide16(0xabcdef012345ffffu), 0xffff);
    volatile int wide = negated(1); /* what is returned is an int as C has it */
    assert_int_equal(wide, -1);
    jr_module_free(module);
}

/* A pack of as many arguments as an array has dimensions. */
#define P1(x) x
#define P2(x) P1(x), x
#define P3(x) P2(x), x
#define P4(x) P3(x), x
#define P5(x) P4(x), x
#define P6(x) P5(x), x
#define P7(x) P6(x), x
#define P8(x) P7(x), x
#define EACH_RANK(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)

static void type_of_rank(char *out, int ndim, bool contiguous) {
    char *at = out + sprintf(out, "int32[");
    for (int i = 0; i < ndim; i++)
        at += sprintf(at, "%s%s", i ? ", " : "", contiguous && i == ndim - 1 ? "::1" : ":");
    strcpy(at, "]");
}

/* The sum of the elements, and the array itself back, from dims of 2 and strides of 3: the
 * element at (i, j, ...) lies at 3 * (i + j + ...). */
static void every_rank_and_layout(void **state) {
    Env *env = *state;
    JrModule *module =
        env_compile(env, "import numpy as np\n"
                         "def total(a):\n    return np.sum(a)\n"
                         "def back(a):\n    return a\n"
                         "def fill(a, x):\n    a[...] = x\n    return a.size\n");
    int32_t data[256];
    for (int i = 0; i < 256; i++)
        data[i] = i;
#define CHECK_RANK(N)                                                                    \
    {                                                                                    \
        int64_t (*near)(const int32_t *, P##N(int64_t));                                 \
        int64_t (*far)(const int32_t *, P##N(int64_t), P##N(int64_t));                   \
        JrStatus (*back)(const int32_t *, P##N(int64_t), P##N(int64_t), JrArrayValue *); \
        char type[64], signature[80];                                                    \
        int64_t count = 1 << N;                                                          \
        JrArrayValue array;                                                              \
        type_of_rank(type, N, true);                                                     \
        snprintf(signature, sizeof signature, "(%s)", type);                             \
        take_pointer(near, module, "total", signature);                                  \
        assert_int_equal(near(data, P##N(2)), count *(count - 1) / 2);                   \
        assert_int_equal(near(data, P##N(0)), 0);                                        \
        assert_int_equal(jr_error()->status, JR_OK);                                     \
        assert_int_equal(near(data, P##N(-1)), 0);                                       \
        assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);                           \
        type_of_rank(type, N, false);                                                    \
        snprintf(signature, sizeof signature, "(%s)", type);                             \
        take_pointer(far, module, "total", signature);                                   \
        assert_int_equal(far(data, P##N(2), P##N(3)), 3 * N * count / 2);                \
        take_pointer(back, module, "back", signature);                                   \
        assert_int_equal(back(data + 24, P##N(2), P##N(-3), &array), JR_OK);             \
        assert_true(array.ndim == N && array.data == data + 24 && array.readonly);       \
        for (int i = 0; i < N; i++)                                                      \
            assert_true(array.shape[i] == 2 && array.strides[i] == -3);                  \
    }
    EACH_RANK(CHECK_RANK)
    jr_module_free(module);
}

/* Thirty of each kind, so that most lie on the stack, narrow ones too. */
static void arguments_beyond_the_registers(void **state) {
    Env *env = *state;
    char source[4096], *at = source;
    at += sprintf(at, "from jitrun import *\ndef f(");
    for (int i = 0; i < 30; i++)
        at += sprintf(at, "%sa%d: %s, b%d: %s", i ? ", " : "", i, i % 3 ? "int8" : "int64", i,
                      i % 2 ? "float32" : "float64");
    at += sprintf(at, ") -> float:\n    s = 0.0\n");
    for (int i = 0; i < 30; i++)
        at += sprintf(at, "    s = s * 0.5 + a%d * b%d\n", i, i);
    sprintf(at, "    return s\n");
    JrModule *module = env_compile(env, source);
    void *address = pointer_of(module, "f", NULL);
#define SIX(k)                                                                            \
    (int64_t)(k), 1.0 * (k), (int8_t)(-(k)), 0.5f * (k), (int8_t)((k) + 1), 0.25 * (k),   \
        (int64_t)((k)*1000), 0.125f * (k), (int8_t)((k) + 2), 3.0 * (k), (int8_t)((k)-5), \
        1.5f * (k)
    double (*f)(
#define TYPES                                                                               \
    int64_t, double, int8_t, float, int8_t, double, int64_t, float, int8_t, double, int8_t, \
        float
        TYPES, TYPES, TYPES, TYPES, TYPES);
    memcpy(&f, &address, sizeof address);
    double a[] = {SIX(1), SIX(2), SIX(3), SIX(4), SIX(5)}, s = 0;
    for (int i = 0; i < 30; i++)
        s = s * 0.5 + a[2 * i] * a[2 * i + 1];
    double got = f(SIX(1), SIX(2), SIX(3), SIX(4), SIX(5));
    assert_true(got == s);
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_in_every_place),
        cmocka_unit_test(narrow_values_are_cut_and_extended),
        cmocka_unit_test(every_rank_and_layout),
        cmocka_unit_test(arguments_beyond_the_registers),
    };
    return run_on_engines("signature", tests, sizeof tests / sizeof *tests);
}

/* Calling with values: conversions, arrays of every kind, tuples, ownership, files, jr_eval. */
#include "tests/unit/api_harness.h"

#include <math.h>
#include <unistd.h>

static const struct {
    JrType type;
    const char *name;
    unsigned size;
    int64_t low;
    uint64_t high;
} scalars[] = {
    {JR_BOOL, "bool", 1, 0, 1},
    {JR_INT8, "int8", 1, INT8_MIN, INT8_MAX},
    {JR_INT16, "int16", 2, INT16_MIN, INT16_MAX},
    {JR_INT32, "int32", 4, INT32_MIN, INT32_MAX},
    {JR_INT64, "int64", 8, INT64_MIN, INT64_MAX},
    {JR_UINT8, "uint8", 1, 0, UINT8_MAX},
    {JR_UINT16, "uint16", 2, 0, UINT16_MAX},
    {JR_UINT32, "uint32", 4, 0, UINT32_MAX},
    {JR_UINT64, "uint64", 8, 0, UINT64_MAX},
    {JR_FLOAT32, "float32", 4, 0, 0},
    {JR_FLOAT64, "float64", 8, 0, 0},
};
enum { SCALARS = sizeof scalars / sizeof *scalars };

static JrFunction *identity(JrModule *module, const char *type) {
    char signature[64];
    snprintf(signature, sizeof signature, "(%s)", type);
    return env_function(module, "same", signature);
}

/* ---- Scalars ---- */

static void scalars_come_back(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def same(x):\n    return x\n");
    for (int s = 1; s < SCALARS - 2; s++) {
        JrFunction *f = identity(module, scalars[s].name);
        JrValue low = jr_int(scalars[s].low), high = jr_uint(scalars[s].high), r;
        assert_ok(jr_call(f, 1, &low, &r));
        assert_int_equal(r.type, scalars[s].type);
        assert_true(r.as.i == scalars[s].low);
        assert_ok(jr_call(f, 1, &high, &r));
        assert_true(r.as.u == scalars[s].high);
        assert_false(r.owned);
    }
    JrValue r, values[] = {jr_bool(true), jr_float(0.1), jr_float(-INFINITY)};
    assert_ok(jr_call(identity(module, "bool"), 1, &values[0], &r));
    assert_true(r.type == JR_BOOL && r.as.b);
    assert_ok(jr_call(identity(module, "float32"), 1, &values[1], &r));
    assert_true(r.type == JR_FLOAT32 && r.as.f == (double)0.1f);
    assert_ok(jr_call(identity(module, "float64"), 1, &values[2], &r));
    assert_true(r.type == JR_FLOAT64 && r.as.f == -INFINITY);
    jr_module_free(module);
}

static void out_of_range_is_refused(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def same(x):\n    return x\n");
    for (int s = 1; s < SCALARS - 2; s++) {
        JrFunction *f = identity(module, scalars[s].name);
        JrValue r = jr_int(5), above = jr_uint(scalars[s].high + 1);
        bool has_below = scalars[s].low != INT64_MIN;
        JrValue below = jr_int(has_below ? scalars[s].low - 1 : 0), nan = jr_float(NAN);
        if (scalars[s].high != UINT64_MAX)
            assert_fails(jr_call(f, 1, &above, &r), JR_ERR_ARGUMENT, "cannot be passed");
        if (has_below)
            assert_fails(jr_call(f, 1, &below, &r), JR_ERR_ARGUMENT, scalars[s].name);
        assert_fails(jr_call(f, 1, &nan, &r), JR_ERR_ARGUMENT, "the float nan");
        assert_int_equal(r.type, JR_NONE);
    }
    jr_module_free(module);
}

static void floats_become_ints_only_exactly(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def same(x):\n    return x\n");
    JrFunction *i32 = identity(module, "int32"), *u64 = identity(module, "uint64");
    JrFunction *f64 = identity(module, "float64"), *flag = identity(module, "bool");
    JrValue r, whole = jr_float(-48), part = jr_float(6 * 2.3), big = jr_float(0x1p63);
    assert_ok(jr_call(i32, 1, &whole, &r));
    assert_int_equal(r.as.i, -48);
    assert_fails(jr_call(i32, 1, &part, &r), JR_ERR_ARGUMENT,
                 "argument 1 of same, 'x', is int32: the float 13.799999999999999");
    assert_ok(jr_call(u64, 1, &big, &r));
    assert_true(r.as.u == UINT64_C(1) << 63);
    assert_fails(jr_call(u64, 1, &whole, &r), JR_ERR_ARGUMENT, "uint64");
    JrValue one = jr_int(1), yes = jr_bool(true), none = {.type = JR_NONE};
    assert_ok(jr_call(f64, 1, &one, &r));
    assert_true(r.type == JR_FLOAT64 && r.as.f == 1);
    assert_ok(jr_call(i32, 1, &yes, &r));
    assert_int_equal(r.as.i, 1);
    assert_fails(jr_call(flag, 1, &one, &r), JR_ERR_ARGUMENT, "is bool: the int 1");
    assert_fails(jr_call(f64, 1, &none, &r), JR_ERR_ARGUMENT, "None cannot be passed");
    JrValue odd = {.type = (JrType)77};
    assert_fails(jr_call(f64, 1, &odd, &r), JR_ERR_ARGUMENT, "a value of no known type");
    assert_fails(jr_call(f64, 2, &odd, &r), JR_ERR_ARGUMENT, "takes 1 argument, not 2");
    assert_fails(jr_call(f64, 1, NULL, &r), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_call(NULL, 0, NULL, &r), JR_ERR_ARGUMENT, "NULL");
    assert_ok(jr_call(f64, 1, &one, NULL));
    assert_ok(jr_call(f64, 1, &one, &one)); /* the result in the argument's place */
    assert_true(one.type == JR_FLOAT64 && one.as.f == 1);
    jr_module_free(module);
}

static void many_arguments_pass(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(
        env, "def f(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w):\n"
             "    return a-b+c-d+e-g+h-i+j-k+l-m+n-o+p-q+r-s+t-u+v*w, a, w\n");
    JrValue args[22], r;
    for (int i = 0; i < 22; i++)
        args[i] = i % 2 ? jr_int(i + 1) : jr_float(i + 1.5);
    JrFunction *f;
    assert_ok(jr_function_for(module, "f", 22, args, &f));
    assert_ok(jr_call(f, 22, args, &r));
    assert_int_equal(r.as.tuple.count, 3);
    double want = 0;
    for (int i = 0; i < 20; i++)
        want += i % 2 ? -(i + 1) : i + 1.5;
    assert_true(r.as.tuple.items[0].as.f == want + 21.5 * 22);
    assert_true(r.as.tuple.items[1].as.f == 1.5);
    assert_int_equal(r.as.tuple.items[2].as.i, 22);
    jr_value_clear(&r);
    assert_int_equal(r.type, JR_NONE);
    jr_module_free(module);
}

/* ---- Arrays ---- */

static void every_dtype_passes(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def first(x):\n    return x[0], x[-1], len(x)\n"
                                        "def swap(x):\n    t = x[0]\n    x[0] = x[1]\n"
                                        "    x[1] = t\n");
    for (int s = 0; s < SCALARS; s++) {
        _Alignas(8) unsigned char data[24] = {0};
        data[0] = 1; /* bool: one byte of 0 or 1; floats: tiny numbers */
        JrArrayValue array = {
            .dtype = scalars[s].type, .ndim = 1, .data = data, .shape = {3}, .strides = {1}};
        JrValue arg = jr_array(&array), r;
        JrFunction *f;
        assert_ok(jr_function_for(module, "first", 1, &arg, &f));
        assert_ok(jr_call(f, 1, &arg, &r));
        assert_int_equal(r.as.tuple.items[0].type, scalars[s].type);
        assert_int_equal(r.as.tuple.items[2].as.i, 3);
        if (s < SCALARS - 2) assert_int_equal(r.as.tuple.items[0].as.u & 1, 1);
        jr_value_clear(&r);
        assert_ok(jr_function_for(module, "swap", 1, &arg, &f));
        assert_ok(jr_call(f, 1, &arg, NULL));
        assert_int_equal(data[0], 0);
        assert_int_equal(data[scalars[s].size], 1);
        array.readonly = true;
        assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT,
                     "argument 1 of swap, 'x', is written to by the function");
        assert_int_equal(data[scalars[s].size], 1);
    }
    jr_module_free(module);
}

/* Element (i, j, ...) of an array of ones of every rank, and steps of both signs. */
static void every_rank_and_stride_passes(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def total(x):\n    return x.sum()\n"
                                        "def ends(x):\n    return x[0], x[-1]\n");
    JrFunction *f;
    JrValue r;
    double data[1 << 8];
    for (int i = 0; i < 1 << 8; i++)
        data[i] = i;
    for (uint32_t ndim = 1; ndim <= JR_MAX_DIMS; ndim++) {
        JrArrayValue array = {.dtype = JR_FLOAT64, .ndim = ndim, .data = data};
        for (uint32_t i = 0; i < ndim; i++)
            array.shape[i] = 2, array.strides[i] = 1 << (ndim - 1 - i);
        JrValue arg = jr_array(&array);
        double n = 1 << ndim;
        assert_ok(jr_function_for(module, "total", 1, &arg, &f));
        assert_ok(jr_call(f, 1, &arg, &r));
        assert_true(r.as.f == n * (n - 1) / 2);
        array.strides[0] = -array.strides[0];
        array.data = data + (1 << (ndim - 1));
        assert_ok(jr_function_for(module, "total", 1, &arg, &f)); /* strided now */
        assert_ok(jr_call(f, 1, &arg, &r));
        assert_true(r.as.f == n * (n - 1) / 2);
        array.shape[ndim - 1] = 0;
        assert_ok(jr_function_for(module, "total", 1, &arg, &f));
        assert_ok(jr_call(f, 1, &arg, &r));
        assert_true(r.as.f == 0);
    }
    JrArrayValue array = {JR_FLOAT64, 1, data + 20, {7}, {-3}, NULL, false};
    JrValue arg = jr_array(&array);
    assert_ok(jr_function_for(module, "ends", 1, &arg, &f));
    assert_ok(jr_call(f, 1, &arg, &r));
    assert_true(r.as.tuple.items[0].as.f == 20 && r.as.tuple.items[1].as.f == 2);
    jr_value_clear(&r);
    JrFunction *contiguous = env_function(module, "ends", "(float64[::1])");
    assert_fails(jr_call(contiguous, 1, &arg, &r), JR_ERR_ARGUMENT, "a strided float64 array");
    jr_module_free(module);
}

static void arrays_that_cannot_be_trusted_are_refused(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(
        env, "from jitrun import float64\ndef f(x: float64[:]) -> float:\n    return x[0]\n");
    JrFunction *f = env_function(module, "f", NULL);
    double data[4] = {7, 8, 9, 10};
    const JrArrayValue good = {JR_FLOAT64, 1, data, {4}, {1}, NULL, false};
    JrArrayValue a = good;
    JrValue arg = jr_array(&a), r;
    assert_ok(jr_call(f, 1, &arg, &r));
    a.shape[0] = -1;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "shape that is negative");
    a = good, a.shape[0] = INT64_MAX;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "larger than memory");
    a = good, a.data = NULL;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "has no data");
    a = good, a.data = (char *)data + 1;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "not aligned");
    a = good, a.strides[0] = INT64_MAX;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "lead out of memory");
    a = good, a.strides[0] = INT64_MIN;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "lead out of memory");
    a = good, a.strides[0] = INT64_C(1) << 57; /* no overflow, and no such memory */
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "lead out of memory");
    a = good, a.ndim = 9;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "cannot be passed");
    a = good, a.dtype = JR_FLOAT32;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "float32 array");
    arg.as.array = NULL;
    assert_fails(jr_call(f, 1, &arg, &r), JR_ERR_ARGUMENT, "cannot be passed");
    JrValue hollow = {.type = JR_TUPLE, .as.tuple = {2, NULL}};
    assert_fails(jr_call(f, 1, &hollow, &r), JR_ERR_ARGUMENT, "cannot be passed");
    assert_fails(jr_value_print(&hollow, sink_write, &env->out), JR_ERR_ARGUMENT, "no items");
    assert_fails(jr_value_print(&arg, sink_write, &env->out), JR_ERR_ARGUMENT, "is NULL");
    assert_fails(jr_array_save("/tmp/never.npy", &arg), JR_ERR_ARGUMENT, "is NULL");
    jr_module_free(module);
}

static void results_are_owned(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "import numpy as np\n"
                                        "def make(n: int):\n"
                                        "    a = np.arange(n) * 1.5\n"
                                        "    return a, (a[::-1], n)\n"
                                        "def pair(p):\n    return p[1], p[0] + p[1]\n"
                                        "def none():\n    pass\n");
    JrValue n = jr_int(4), r, sums;
    assert_ok(jr_call(env_function(module, "make", NULL), 1, &n, &r));
    assert_int_equal(r.type, JR_TUPLE);
    assert_true(r.owned);
    JrArrayValue *a = r.as.tuple.items[0].as.array;
    JrArrayValue *b = r.as.tuple.items[1].as.tuple.items[0].as.array;
    assert_int_equal(a->shape[0], 4);
    assert_true(((double *)a->data)[3] == 4.5);
    assert_int_equal(b->strides[0], -1);
    assert_ptr_equal(a->owner, b->owner);
    assert_false(a->readonly);
    JrValue pair = {.type = JR_TUPLE, .as.tuple = {2, (JrValue[]){jr_int(3), jr_float(4)}}};
    JrFunction *f;
    assert_ok(jr_function_for(module, "pair", 1, &pair, &f));
    assert_ok(jr_call(f, 1, &pair, &sums));
    assert_true(sums.as.tuple.items[0].as.f == 4 && sums.as.tuple.items[1].as.f == 7);
    jr_value_clear(&sums);
    pair.as.tuple.count = 1;
    assert_fails(jr_call(f, 1, &pair, &sums), JR_ERR_ARGUMENT, "a tuple cannot be passed");
    assert_ok(jr_call(env_function(module, "none", NULL), 0, NULL, &sums));
    assert_int_equal(sums.type, JR_NONE);
    jr_module_free(module); /* arrays outlive what made them */
    assert_true(((double *)b->data)[-3] == 0 && ((double *)b->data)[0] == 4.5);
    jr_value_clear(&r);
    jr_value_clear(&r);
    jr_value_clear(NULL);
    jr_array_clear(NULL);
}

/* What jitrun.h makes values with. */
static void values_are_made(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(t, a):\n    return t[0] + a[1, 2, 0], t[1]\n");
    float data[2][3][1] = {{{1}, {2}, {3}}, {{4}, {5}, {6}}};
    const int64_t shape[] = {2, 3, 1};
    JrArrayValue array = jr_array_of(JR_FLOAT32, data, 3, shape);
    assert_true(array.strides[0] == 3 && array.strides[1] == 1 && array.strides[2] == 1);
    assert_true(array.shape[2] == 1 && !array.shape[3] && !array.readonly && !array.owner);
    JrValue items[] = {jr_float(0.5), jr_bool(true)}, r;
    JrValue args[] = {jr_tuple(2, items), jr_array(&array)};
    JrFunction *f;
    assert_ok(jr_function_for(module, "f", 2, args, &f));
    assert_string_equal(jr_function_signature(f),
                        "tuple[float64, bool](tuple[float64, bool], float32[:, :, ::1])");
    assert_ok(jr_call(f, 2, args, &r));
    assert_true(r.as.tuple.items[0].as.f == 6.5 && r.as.tuple.items[1].as.b);
    jr_value_clear(&r);
    args[0] = jr_none();
    assert_fails(jr_call(f, 2, args, &r), JR_ERR_ARGUMENT, "None cannot be passed");
    jr_module_free(module);
}

/* An array that comes back is the caller's own memory, and no more writable than it was. */
static void arguments_may_come_back(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def same(x):\n    return x\n"
                                        "def tail(x):\n    return x[1:], x.copy()\n");
    double data[3] = {1, 2, 3};
    JrArrayValue array = {JR_FLOAT64, 1, data, {3}, {1}, NULL, true};
    JrValue arg = jr_array(&array), r, rr;
    JrFunction *f;
    assert_ok(jr_function_for(module, "same", 1, &arg, &f));
    assert_ok(jr_call(f, 1, &arg, &r));
    assert_ptr_equal(r.as.array->data, data);
    assert_null(r.as.array->owner);
    assert_true(r.as.array->readonly);
    jr_value_clear(&r);
    assert_ok(jr_function_for(module, "tail", 1, &arg, &f));
    assert_ok(jr_call(f, 1, &arg, &r));
    assert_ptr_equal(r.as.tuple.items[0].as.array->data, data + 1);
    assert_true(r.as.tuple.items[0].as.array->readonly);
    assert_false(r.as.tuple.items[1].as.array->readonly);
    /* the library's own array goes in again; either may be freed first */
    JrValue copy = r.as.tuple.items[1];
    assert_ok(jr_function_for(module, "same", 1, &copy, &f));
    assert_ok(jr_call(f, 1, &copy, &rr));
    jr_value_clear(&r);
    assert_true(((double *)rr.as.array->data)[2] == 3);
    jr_value_clear(&rr);
    jr_module_free(module);
}

/* ---- Printing, evaluating, files ---- */

static void expressions_evaluate(void **state) {
    Env *env = *state;
    JrValue v;
    static const struct {
        const char *text, *printed;
    } good[] = {
        {"1e6", "1000000.0"},
        {"-3", "-3"},
        {"[1, 2, 3.5]", "[1.  2.  3.5]"},
        {"np.arange(4) * 2", "[0 2 4 6]"},
        {"(1, True)", "(1, True)"},
        {" math.floor(2.7)", "2"},
        {"None", "None"},
        {"np.zeros((2, 2))[0]", "[0. 0.]"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        env->out.len = 0;
        assert_ok(jr_eval(env->context, good[i].text, &v));
        assert_ok(jr_value_print(&v, sink_write, &env->out));
        assert_string_equal(env->out.text, good[i].printed);
        jr_value_clear(&v);
    }
    static const char *const bad[] = {"",     " ",          "#",   "1 +",   "x",       "1; 2",
                                      "1\n2", "np.arange(", "def", "'text", "[1, [2]]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        v = jr_int(1);
        assert_fails(jr_eval(env->context, bad[i], &v), JR_ERR_ARGUMENT, "");
        assert_int_equal(v.type, JR_NONE);
    }
    assert_fails(jr_eval(env->context, "1 // 0", &v), JR_ZERO_DIVISION_ERROR, "zero");
    assert_fails(jr_eval(env->context, "(1, abs)", &v), JR_ERR_ARGUMENT,
                 "tuple[an int literal, the function 'abs'] cannot be passed: write a number");
    assert_fails(jr_eval(NULL, "1", &v), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_eval(env->context, NULL, &v), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_eval(env->context, "1", NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_value_print(NULL, sink_write, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_value_print(&v, NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    env->out.fail = true;
    assert_fails(jr_value_print(&v, sink_write, &env->out), JR_ERR_IO, "written");
}

static void arrays_go_to_files_and_back(void **state) {
    (void)state;
    char path[] = "/tmp/jitrun-npy-XXXXXX";
    close(mkstemp(path));
    int16_t data[12];
    for (int i = 0; i < 12; i++)
        data[i] = (int16_t)(i * 11);
    JrArrayValue array = {JR_INT16, 2, data + 11, {3, 4}, {-4, -1}, NULL, true};
    JrValue v = jr_array(&array), back, one = jr_int(1);
    assert_ok(jr_array_save(path, &v));
    assert_ok(jr_array_load(path, &back));
    assert_int_equal(back.as.array->dtype, JR_INT16);
    assert_int_equal(back.as.array->shape[1], 4);
    assert_int_equal(((int16_t *)back.as.array->data)[0], 121);
    assert_false(back.as.array->readonly);
    jr_value_clear(&back);
    FILE *file = fopen(path, "w");
    fputs("not an array", file);
    fclose(file);
    assert_fails(jr_array_load(path, &back), JR_ERR_IO, path);
    unlink(path);
    assert_fails(jr_array_load(path, &back), JR_ERR_IO, "No such file");
    assert_int_equal(back.type, JR_NONE);
    assert_fails(jr_array_save("/nowhere/x.npy", &v), JR_ERR_IO, "cannot write");
    assert_fails(jr_array_save(path, &one), JR_ERR_ARGUMENT, "the int 1");
    assert_fails(jr_array_save(NULL, &v), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_array_save(path, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_array_load(NULL, &back), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_array_load(path, NULL), JR_ERR_ARGUMENT, "NULL");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_come_back),
        cmocka_unit_test(out_of_range_is_refused),
        cmocka_unit_test(floats_become_ints_only_exactly),
        cmocka_unit_test(many_arguments_pass),
        cmocka_unit_test(every_dtype_passes),
        cmocka_unit_test(every_rank_and_stride_passes),
        cmocka_unit_test(arrays_that_cannot_be_trusted_are_refused),
        cmocka_unit_test(results_are_owned),
        cmocka_unit_test(values_are_made),
        cmocka_unit_test(arguments_may_come_back),
        cmocka_unit_test(expressions_evaluate),
        cmocka_unit_test(arrays_go_to_files_and_back),
    };
    return run_on_engines("values", tests, sizeof tests / sizeof *tests);
}

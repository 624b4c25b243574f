/* Calls prepared once and made many times, and what converts. */
#include "tests/unit/api_harness.h"

#include <math.h>

static JrPrepared *prepare(JrModule *module, const char *name, const char *signature) {
    JrPrepared *p = NULL;
    assert_ok(jr_function_prepare(env_function(module, name, signature), &p));
    assert_non_null(p);
    return p;
}

static JrStatus set(JrPrepared *p, size_t index, JrValue value) {
    return jr_prepared_set(p, index, &value);
}

static void arguments_stay_set(void **state) {
    Env *env = *state;
    JrModule *module =
        env_compile(env, "def f(x: float, k: int) -> float:\n    return x * k\n");
    JrPrepared *p = prepare(module, "f", NULL);
    JrValue r;
    assert_fails(jr_prepared_call(p, &r), JR_ERR_ARGUMENT, "argument 1 of f, 'x', is not set");
    assert_int_equal(r.type, JR_NONE);
    assert_ok(set(p, 0, jr_float(2.3)));
    assert_fails(jr_prepared_call(p, &r), JR_ERR_ARGUMENT, "argument 2 of f, 'k', is not set");
    assert_ok(set(p, 1, jr_int(6)));
    assert_ok(jr_prepared_call(p, &r));
    assert_true(r.as.f == 2.3 * 6);
    for (int k = 0; k < 100; k++) {
        assert_ok(set(p, 1, jr_int(k)));
        assert_ok(jr_prepared_call(p, &r));
        assert_true(r.as.f == 2.3 * k);
    }
    assert_ok(jr_prepared_call(p, NULL));
    jr_prepared_free(p);
    jr_module_free(module);
}

/* What jr_call and a prepared call say of one value for one type. Never is a double read as
 * something else: 6 * 2.3 is 13.8 for a float, and nothing for an int. */
typedef struct Case {
    const char *type;
    JrValue value;
    const char *refused; /* or NULL */
    double result;
} Case;

static void values_convert_or_say_why(void **state) {
    Env *env = *state;
    const Case cases[] = {
        {"float64", jr_int(6), NULL, 6},
        {"float64", jr_float(6 * 2.3), NULL, 6 * 2.3},
        {"float64", jr_bool(true), NULL, 1},
        {"float64", jr_uint(UINT64_MAX), NULL, 18446744073709551616.0},
        {"float32", jr_float(0.1), NULL, (double)0.1f},
        {"float32", jr_int(16777217), NULL, 16777216},
        {"int32", jr_float(3), NULL, 3},
        {"int32", jr_float(-0.0), NULL, 0},
        {"int32", jr_float(6 * 2.3),
         "is int32: the float 13.799999999999999 cannot be passed: it is "
         "not a whole number",
         0},
        {"int32", jr_float(2147483648.0), "it does not fit", 0},
        {"int32", jr_float(NAN), "the float nan cannot be passed: it is not a whole number",
         0},
        {"int32", jr_float(INFINITY), "it is not a whole number", 0},
        {"int8", jr_int(127), NULL, 127},
        {"int8", jr_int(128), "is int8: the int 128 cannot be passed: it does not fit", 0},
        {"uint8", jr_int(-1), "is uint8: the int -1 cannot be passed: it does not fit", 0},
        {"uint64", jr_float(18446744073709549568.0), NULL, 18446744073709549568.0},
        {"int64", jr_uint((uint64_t)1 << 63), "the int 9223372036854775808 cannot be passed",
         0},
        {"int64", jr_bool(true), NULL, 1},
        {"bool", jr_int(1), "is bool: the int 1 cannot be passed: only True and False can be",
         0},
        {"bool", jr_bool(true), NULL, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char source[160];
        JrValue r;
        const Case *c = &cases[i];
        snprintf(source, sizeof source,
                 "from jitrun import *\ndef f(x: %s) -> float:\n    return float(x)\n",
                 c->type);
        JrModule *module = env_compile(env, source);
        JrFunction *f = env_function(module, "f", NULL);
        JrPrepared *p = prepare(module, "f", NULL);
        if (c->refused) {
            assert_fails(jr_call(f, 1, &c->value, &r), JR_ERR_ARGUMENT, c->refused);
            assert_fails(jr_prepared_set(p, 0, &c->value), JR_ERR_ARGUMENT, c->refused);
            assert_fails(jr_prepared_call(p, &r), JR_ERR_ARGUMENT, "is not set");
        } else {
            assert_ok(jr_call(f, 1, &c->value, &r));
            assert_true(r.as.f == c->result);
            assert_ok(jr_prepared_set(p, 0, &c->value));
            assert_ok(jr_prepared_call(p, &r));
            assert_true(r.as.f == c->result);
        }
        jr_prepared_free(p);
        jr_module_free(module);
    }
}

static void a_failed_set_unsets(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n    return n\n");
    JrPrepared *p = prepare(module, "f", NULL);
    JrValue r;
    assert_ok(set(p, 0, jr_int(1)));
    assert_int_equal(set(p, 0, jr_float(0.5)), JR_ERR_ARGUMENT);
    assert_int_equal(set(p, 0, jr_float(0.5)), JR_ERR_ARGUMENT);
    assert_fails(jr_prepared_call(p, &r), JR_ERR_ARGUMENT, "is not set");
    assert_ok(set(p, 0, jr_int(2)));
    assert_ok(jr_prepared_call(p, &r));
    assert_int_equal(r.as.i, 2);
    jr_prepared_free(p);
    jr_module_free(module);
}

static void arrays_and_tuples(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(x, t, k):\n"
                                        "    x[0] += t[1]\n"
                                        "    return x[k:], t[0], (x.sum(), t[2])\n"
                                        "def g(x):\n    return x[1:]\n");
    double data[3] = {1, 2, 3}, other[2] = {10, 20};
    JrArrayValue array = {JR_FLOAT64, 1, data, {3}, {1}, NULL, false};
    JrValue items[] = {jr_float(5), jr_float(0.5), jr_array(&array)};
    JrValue tuple = {.type = JR_TUPLE, .as.tuple = {3, items}}, r;
    JrPrepared *p =
        prepare(module, "f", "(float64[::1], tuple[float64, float64, float64[::1]], int64)");
    assert_ok(set(p, 2, jr_int(1)));
    assert_ok(jr_prepared_set(p, 1, &tuple));
    assert_ok(set(p, 0, jr_array(&array)));
    memset(&array, 0xff, sizeof array); /* copied: only the elements are borrowed */
    assert_ok(jr_prepared_call(p, &r));
    assert_true(data[0] == 1.5);
    assert_true(r.as.tuple.items[0].as.array->shape[0] == 2);
    assert_ptr_equal(r.as.tuple.items[0].as.array->data, &data[1]);
    assert_true(r.as.tuple.items[2].as.tuple.items[0].as.f == 6.5);
    jr_value_clear(&r);
    array = (JrArrayValue){JR_FLOAT64, 1, other, {2}, {1}, NULL, false};
    assert_ok(set(p, 0, jr_array(&array)));
    assert_ok(jr_prepared_call(p, &r));
    assert_true(other[0] == 10.5 && data[0] == 1.5);
    jr_value_clear(&r);
    array.readonly = true;
    assert_fails(set(p, 0, jr_array(&array)), JR_ERR_ARGUMENT, "is written to");
    jr_prepared_free(p);
    p = prepare(module, "g", "(float64[::1])"); /* a view of what may not be written to */
    assert_ok(set(p, 0, jr_array(&array)));
    assert_ok(jr_prepared_call(p, &r));
    assert_true(r.as.array->readonly);
    jr_value_clear(&r);
    jr_prepared_free(p);
    jr_module_free(module);
}

static void errors_come_back(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n    return 12 // n\n");
    JrPrepared *p = prepare(module, "f", NULL), *none = (JrPrepared *)&none;
    JrFunction *f = env_function(module, "f", NULL);
    JrValue r = jr_int(7);
    assert_ok(set(p, 0, jr_int(0)));
    assert_fails(jr_prepared_call(p, &r), JR_ZERO_DIVISION_ERROR, "division");
    assert_int_equal(r.type, JR_NONE);
    assert_int_equal(jr_error()->frames[0].line, 2);
    assert_ok(set(p, 0, jr_int(4)));
    assert_ok(jr_prepared_call(p, &r));
    assert_int_equal(r.as.i, 3);
    assert_fails(set(p, 1, jr_int(4)), JR_ERR_ARGUMENT,
                 "f takes 1 argument: there is no number 2");
    assert_fails(jr_prepared_set(p, 0, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_prepared_set(NULL, 0, &r), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_prepared_call(NULL, &r), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_function_prepare(NULL, &none), JR_ERR_ARGUMENT, "NULL");
    assert_null(none);
    assert_fails(jr_function_prepare(f, NULL), JR_ERR_ARGUMENT, "NULL");
    jr_prepared_free(NULL);
    jr_prepared_free(p);
    jr_module_free(module);
}

static void without_parameters(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f():\n    print('called')\n");
    JrPrepared *p = prepare(module, "f", NULL);
    assert_ok(jr_prepared_call(p, NULL));
    assert_ok(jr_prepared_call(p, NULL));
    assert_string_equal(env->out.text, "called\ncalled\n");
    jr_prepared_free(p);
    jr_module_free(module);
}

/* The module's owner lets go of it first. */
static void it_keeps_the_module(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n    return n * n\n");
    JrPrepared *p = prepare(module, "f", NULL), *q = prepare(module, "f", NULL);
    JrValue r;
    jr_module_free(module);
    assert_ok(set(p, 0, jr_int(9)));
    assert_ok(jr_prepared_call(p, &r));
    assert_int_equal(r.as.i, 81);
    jr_prepared_free(p);
    assert_ok(set(q, 0, jr_int(5)));
    assert_ok(jr_prepared_call(q, &r));
    assert_int_equal(r.as.i, 25);
    jr_prepared_free(q);
}

static int64_t again(void *user, int64_t n) {
    JrPrepared *p = *(JrPrepared **)user;
    JrValue r;
    if (jr_prepared_call(p, &r)) jr_error_raise(JR_RUNTIME_ERROR, NULL);
    if (set(p, 0, jr_int(n)) != JR_ERR_ARGUMENT) jr_error_raise(JR_RUNTIME_ERROR, "set");
    return n;
}

static void it_is_not_called_from_within(void **state) {
    Env *env = *state;
    JrPrepared *p;
    assert_ok(jr_context_add_function(env->context, "again", "int64(user, int64)",
                                      (JrHostFunction)again, &p));
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n    return again(n)\n");
    p = prepare(module, "f", NULL);
    assert_ok(set(p, 0, jr_int(1)));
    assert_fails(jr_prepared_call(p, NULL), JR_RUNTIME_ERROR,
                 "the prepared call of f is running");
    jr_prepared_free(p);
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_stay_set),  cmocka_unit_test(values_convert_or_say_why),
        cmocka_unit_test(a_failed_set_unsets), cmocka_unit_test(arrays_and_tuples),
        cmocka_unit_test(errors_come_back),    cmocka_unit_test(without_parameters),
        cmocka_unit_test(it_keeps_the_module), cmocka_unit_test(it_is_not_called_from_within),
    };
    return run_on_engines("prepared calls", tests, sizeof tests / sizeof *tests);
}

/* What a program can learn of modules and functions as it runs; and what the interface makes of NULL. */
#include "tests/unit/api_harness.h"

#include <math.h>

static const char source[] =
    "from jitrun import float64, float32, int8\n"
    "import numpy as np\n"
    "LIMIT = 3\n"
    "def plain(x: float64, n: int = 2) -> float64:\n    return x * n\n"
    "def untyped(a, b):\n    a[0] = b[0]\n    return a, (b[1], True)\n"
    "def nested(t: tuple[int8, tuple[float32[:, :], bool]], y: float64[:, ::1]) -> None:\n"
    "    y[0, 0] = t[1][0][0, 0]\n"
    "def tupled(t: tuple[float64[::1], int8]) -> int8:\n    t[0][1] = 1.0\n    return t[1]\n";

static JrTypeInfo param(const JrFunction *f, size_t index) {
    JrTypeInfo info = {.size = sizeof info};
    assert_ok(jr_function_param(f, index, &info));
    return info;
}

static void functions_of_a_module(void **state) {
    Env *env = *state;
    static const char *const names[] = {"plain", "untyped", "nested", "tupled"};
    JrModule *module = env_compile(env, source);
    assert_int_equal(jr_module_function_count(module), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(jr_module_function_name(module, i), names[i]);
    assert_null(jr_module_function_name(module, 4));
    assert_null(jr_module_function_name(module, SIZE_MAX));
    jr_module_free(module);
    module = env_compile(env, "print(1)\n");
    assert_int_equal(jr_module_function_count(module), 0);
    jr_module_free(module);
    JrCompileOptions options = {.size = sizeof options, .engine = env->engine};
    assert_int_equal(jr_compile(env->context, "def f(:\n", &options, &module), JR_ERR_COMPILE);
    assert_int_equal(jr_module_function_count(module), 0);
    assert_null(jr_module_function_name(module, 0));
    jr_module_free(module);
}

/* Only kernels can pass functions: such a specialisation is nobody else's. */
static void functions_that_take_functions(void **state) {
    Env *env = *state;
    JrFunction *f = NULL;
    JrModule *module = env_compile(env, "def apply(f, x):\n    return f(x)\n"
                                        "def double(x):\n    return x * 2\n"
                                        "def both(x: int):\n    return apply(double, x)\n");
    assert_string_equal(jr_function_signature(env_function(module, "both", NULL)),
                        "int64(int64)");
    assert_int_equal(jr_function(module, "apply", NULL, &f), JR_ERR_SIGNATURE);
    assert_non_null(strstr(jr_error()->message, "apply takes a function or a type for 'f'"));
    jr_module_free(module);
}

static void parameters_of_a_function(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrFunction *f = env_function(module, "plain", NULL);
    assert_string_equal(jr_function_name(f), "plain");
    JrTypeInfo info = param(f, 0);
    assert_string_equal(info.name, "x");
    assert_string_equal(info.text, "float64");
    assert_true(info.type == JR_FLOAT64 && !info.has_default && !info.written && !info.ndim);
    info = param(f, 1);
    assert_string_equal(info.text, "int64");
    assert_true(info.type == JR_INT64 && info.has_default);
    f = env_function(module, "untyped", "(int32[:], float64[::1])");
    info = param(f, 0);
    assert_string_equal(info.text, "int32[:]");
    assert_true(info.type == JR_ARRAY && info.dtype == JR_INT32 && info.ndim == 1);
    assert_true(info.written && !info.contiguous);
    info = param(f, 1);
    assert_true(info.dtype == JR_FLOAT64 && info.contiguous && !info.written);
    JrTypeInfo result = {.size = sizeof result};
    assert_ok(jr_function_result(f, &result));
    assert_string_equal(result.text, "tuple[int32[:], tuple[float64, bool]]");
    assert_true(result.type == JR_TUPLE && result.item_count == 2 && !result.name);
    jr_module_free(module);
}

static void tuples_among_them(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrFunction *f = env_function(module, "nested", NULL);
    JrTypeInfo info = param(f, 0);
    assert_string_equal(info.text, "tuple[int8, tuple[float32[:, :], bool]]");
    assert_true(info.type == JR_TUPLE && info.item_count == 2 && !info.written);
    info = param(f, 1);
    assert_true(info.ndim == 2 && info.contiguous && info.written);
    assert_ok(jr_function_result(f, &info));
    assert_string_equal(info.text, "None");
    assert_int_equal(info.type, JR_NONE);
    assert_true(param(env_function(module, "tupled", NULL), 0).written);
    assert_fails(jr_function_param(f, 2, &info), JR_ERR_ARGUMENT, "there is no parameter 2");
    info.size = 4;
    assert_fails(jr_function_param(f, 0, &info), JR_ERR_ARGUMENT, "sizeof(JrTypeInfo)");
    struct {
        JrTypeInfo info;
        double later;
    } longer = {.info.size = sizeof longer, .later = 7};
    assert_ok(jr_function_result(f, &longer.info));
    assert_true(longer.later == 0 && longer.info.size == sizeof longer);
    JrTypeInfo shorter = {.size = offsetof(JrTypeInfo, ndim), .ndim = 7};
    assert_ok(jr_function_param(f, 1, &shorter));
    assert_true(shorter.ndim == 7 && shorter.dtype == JR_FLOAT64);
    jr_module_free(module);
}

static void versions_and_names(void **state) {
    (void)state;
    assert_int_equal(jr_version_number(), JR_VERSION_NUMBER);
#if JR_VERSION_NUMBER < 100
    fail();
#endif
    assert_string_equal(jr_status_name(JR_OK), "");
    assert_string_equal(jr_status_name(JR_INDEX_ERROR), "IndexError");
    assert_string_equal(jr_status_name(JR_TIMEOUT_ERROR), "TimeoutError");
    assert_string_equal(jr_status_name(JR_ERR_SIGNATURE), "signature error");
    assert_string_equal(jr_status_name((JrStatus)99), "");
    for (int s = 0; s < 200; s++)
        assert_non_null(jr_status_name((JrStatus)s));
}

static void host_raises(int64_t status) {
    jr_error_raise((JrStatus)status, "as asked");
}

/* Raised by a kernel, and by a host function in one. */
static void every_exception_has_its_status(void **state) {
    Env *env = *state;
    assert_ok(jr_context_add_function(env->context, "raises", "None(int64)",
                                      (JrHostFunction)host_raises, NULL));
    for (JrStatus s = JR_INDEX_ERROR; s <= JR_EXCEPTION; s = (JrStatus)(s + 1)) {
        char text[160];
        snprintf(text, sizeof text,
                 "def f(n: int) -> int:\n    if n:\n        raise %s('why')\n    raises(%d)\n"
                 "    return n\n",
                 jr_status_name(s), (int)s);
        JrModule *module = env_compile(env, text);
        JrFunction *f = env_function(module, "f", NULL);
        JrValue n = jr_int(1);
        assert_fails(jr_call(f, 1, &n, NULL), s, "why");
        assert_string_equal(jr_error()->name, jr_status_name(s));
        assert_int_equal(jr_error()->frames[0].line, 3);
        n = jr_int(0);
        assert_fails(jr_call(f, 1, &n, NULL), s, "as asked");
        assert_int_equal(jr_error()->frames[0].line, 4);
        jr_module_free(module);
    }
}

/* ---- NULL ---- */

/* jr_error() has the status that the call returned, and a message. */
static void refused(JrStatus status) {
    assert_int_equal(status, JR_ERR_ARGUMENT);
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    assert_true(*jr_error()->message);
}

static void null_module(void **state) {
    Env *env = *state;
    JrTimes times = {.size = sizeof times};
    JrFunction *f;
    JrModule *module;
    JrBench *bench;
    JrDiagnostic diagnostic;
    JrEmitOptions emit = {.size = sizeof emit, .kind = "header"};
    JrBenchOptions options = {.size = sizeof options};
    refused(jr_compile(NULL, "", NULL, &module));
    refused(jr_compile(env->context, NULL, NULL, &module));
    refused(jr_compile(env->context, "", NULL, NULL));
    refused(jr_compile_file(NULL, "x", NULL, &module));
    refused(jr_compile_file(env->context, NULL, NULL, &module));
    refused(jr_cancel(NULL, JR_TIMEOUT_ERROR));
    refused(jr_function(NULL, "f", NULL, &f));
    refused(jr_function_for(NULL, "f", 0, NULL, &f));
    refused(jr_module_explain(NULL, JR_REPORT_TEXT, sink_write, &env->out));
    refused(jr_module_dump(NULL, "ir", sink_write, &env->out));
    refused(jr_module_header(NULL, sink_write, &env->out));
    refused(jr_module_emit(NULL, &emit, sink_write, &env->out));
    refused(jr_module_times(NULL, &times));
    refused(jr_run(NULL));
    refused(jr_bench(NULL, &options, &bench));
    assert_string_equal(jr_module_report(NULL, JR_REPORT_TEXT), "");
    assert_int_equal(jr_module_diagnostic_count(NULL), 0);
    assert_false(jr_module_diagnostic(NULL, 0, &diagnostic));
    assert_int_equal(jr_module_function_count(NULL), 0);
    assert_null(jr_module_function_name(NULL, 0));
    assert_false(jr_module_has_function(NULL, "f"));
    assert_int_equal(jr_module_param_index(NULL, "f", "x"), -1);
    assert_false(jr_module_has_body(NULL));
    assert_false(jr_engine_available(NULL, "interp") && false); /* does not crash */
    assert_false(jr_engine_available(env->context, NULL));
    jr_error_report(NULL, JR_REPORT_TEXT, NULL, NULL);
    jr_module_free(NULL);
    jr_context_free(NULL);
}

static void null_beside_a_module(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrEmitOptions emit = {.size = sizeof emit};
    JrFunction *f;
    refused(jr_function(module, NULL, NULL, &f));
    refused(jr_function(module, "plain", NULL, NULL));
    refused(jr_function_for(module, "untyped", 2, NULL, &f));
    refused(jr_module_explain(module, JR_REPORT_TEXT, NULL, NULL));
    refused(jr_module_dump(module, NULL, sink_write, &env->out));
    refused(jr_module_dump(module, "ir", NULL, NULL));
    refused(jr_module_header(module, NULL, NULL));
    refused(jr_module_emit(module, NULL, sink_write, &env->out));
    refused(jr_module_emit(module, &emit, sink_write, &env->out));
    refused(jr_module_emit(module, &emit, NULL, NULL));
    refused(jr_module_times(module, NULL));
    refused(jr_bench(module, NULL, NULL));
    assert_false(jr_module_diagnostic(module, 0, NULL));
    assert_false(jr_module_has_function(module, NULL));
    assert_int_equal(jr_module_param_index(module, NULL, "x"), -1);
    assert_int_equal(jr_module_param_index(module, "plain", NULL), -1);
    jr_error_report(module, JR_REPORT_TEXT, NULL, NULL);
    jr_module_free(module);
}

static void null_functions_and_values(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrFunction *f = env_function(module, "plain", NULL);
    JrTypeInfo info = {.size = sizeof info};
    JrPrepared *p;
    JrValue value = jr_int(1);
    int64_t shape = 1;
    JrArrayValue array;
    void *pointer;
    refused(jr_call(NULL, 0, NULL, NULL));
    refused(jr_call(f, 1, NULL, NULL));
    refused(jr_function_pointer(NULL, &pointer));
    refused(jr_function_pointer(f, NULL));
    refused(jr_function_param(NULL, 0, &info));
    refused(jr_function_param(f, 0, NULL));
    refused(jr_function_result(NULL, &info));
    refused(jr_function_result(f, NULL));
    refused(jr_function_prepare(NULL, &p));
    refused(jr_function_prepare(f, NULL));
    refused(jr_prepared_set(NULL, 0, &value));
    refused(jr_prepared_call(NULL, NULL));
    assert_ok(jr_function_prepare(f, &p));
    refused(jr_prepared_set(p, 0, NULL));
    jr_prepared_free(p);
    jr_prepared_free(NULL);
    assert_string_equal(jr_function_name(NULL), "");
    assert_string_equal(jr_function_signature(NULL), "");
    assert_string_equal(jr_function_prototype(NULL), "");
    assert_int_equal(jr_function_param_count(NULL), 0);
    refused(jr_eval(NULL, "1", &value));
    refused(jr_eval(env->context, NULL, &value));
    refused(jr_eval(env->context, "1", NULL));
    refused(jr_value_print(NULL, sink_write, &env->out));
    refused(jr_value_print(&value, NULL, NULL));
    refused(jr_array_load(NULL, &value));
    refused(jr_array_load("x.npy", NULL));
    refused(jr_array_save(NULL, &value));
    refused(jr_array_save("x.npy", NULL));
    refused(jr_array_new(NULL, JR_INT8, 1, NULL, &array));
    refused(jr_array_new(NULL, JR_INT8, 1, &shape, NULL));
    refused(jr_array_wrap(NULL, NULL, free, NULL));
    refused(jr_bench_row(NULL, 0, NULL));
    refused(jr_bench_report(NULL, JR_REPORT_TEXT, sink_write, &env->out));
    refused(jr_error_raise(JR_VALUE_ERROR, NULL));
    jr_value_clear(NULL);
    jr_array_clear(NULL);
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_a_module),
        cmocka_unit_test(functions_that_take_functions),
        cmocka_unit_test(parameters_of_a_function),
        cmocka_unit_test(tuples_among_them),
        cmocka_unit_test(versions_and_names),
        cmocka_unit_test(every_exception_has_its_status),
        cmocka_unit_test(null_module),
        cmocka_unit_test(null_beside_a_module),
        cmocka_unit_test(null_functions_and_values),
    };
    return run_on_engines("describing", tests, sizeof tests / sizeof *tests);
}

/* JrCompileOptions.check_races and jr_race_check, on every engine. */
#include "tests/unit/api_harness.h"

#include <pthread.h>

static const char source[] = "import numpy as np\n"
                             "from jitrun import njit, prange, float64, int64\n"
                             "def put(v, j, x):\n"
                             "    v[j] = x\n"
                             "@njit\n"
                             "def scatter(k: int64[::1], y: float64[::1]) -> int:\n"
                             "    for i in prange(len(k)):\n"
                             "        put(y, k[i], 1.0 * i)\n"
                             "    return len(k)\n"
                             "@njit\n"
                             "def shift(a: float64[:], b: float64[:]):\n"
                             "    for i in prange(len(a)):\n"
                             "        a[i] = b[i]\n"
                             "@njit\n"
                             "def large(n: int) -> float:\n"
                             "    y = np.zeros(n)\n"
                             "    for i in prange(n):\n"
                             "        y[i] = i\n"
                             "    return y.sum()\n"
                             "print('body')\n";

static JrModule *compile(Env *env) {
    JrCompileOptions options = {.size = sizeof options,
                                .name = "t.src",
                                .engine = env->engine,
                                .run_main = true,
                                .check_races = true};
    JrModule *module = NULL;
    if (jr_compile(env->context, source, &options, &module) != JR_OK)
        fail_msg("%s", jr_module_report(module, JR_REPORT_TEXT));
    return module;
}

static JrArrayValue ints(int64_t *data, int64_t count) {
    return (JrArrayValue){JR_INT64, 1, data, {count}, {1}, NULL, false};
}

static JrArrayValue floats(double *data, int64_t count) {
    return (JrArrayValue){JR_FLOAT64, 1, data, {count}, {1}, NULL, false};
}

static JrStatus scatter(JrModule *module, int64_t *k, int64_t count, double *y, int64_t size) {
    JrArrayValue indices = ints(k, count), into = floats(y, size);
    JrValue args[] = {jr_array(&indices), jr_array(&into)}, result;
    JrFunction *function;
    assert_ok(jr_function(module, "scatter", NULL, &function));
    return jr_call(function, 2, args, &result);
}

static void test_found(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    int64_t k[] = {2, 0, 2, 0};
    double y[3] = {0};
    assert_fails(scatter(module, k, 4, y, 3), JR_ERR_RACE,
                 "race: iterations i = 0 and i = 2 both write v[2]");
    assert_true(y[0] == 3 && y[1] == 0 && y[2] == 2); /* as from a serial run */
    assert_string_equal(jr_error()->name, "race");
    assert_int_equal(jr_error()->frame_count, 1);
    assert_int_equal(jr_error()->frames[0].line, 4);
    const JrRaceCheck *check = jr_race_check();
    assert_int_equal(check->loops, 1);
    assert_int_equal(check->iterations, 4);
    assert_int_equal(check->accesses, 8);
    assert_int_equal(check->race_count, 1);
    assert_false(check->more);
    const JrRace *race = &check->races[0];
    assert_int_equal(race->count, 2);
    assert_string_equal(race->counter, "i");
    assert_int_equal(race->loop.line, 7);
    assert_string_equal(race->loop.function, "scatter");
    assert_int_equal(race->first.iteration, 0);
    assert_int_equal(race->second.iteration, 2);
    assert_string_equal(race->first.at.function, "put");
    assert_string_equal(race->first.at.file, "t.src");
    assert_string_equal(race->first.kind, "write");
    assert_string_equal(race->first.array, "v");
    assert_string_equal(race->second.element, "v[2]");
    jr_module_free(module);
    assert_string_equal(race->first.at.function, "put"); /* the report outlives the module */
    assert_string_equal(race->loop.file, "t.src");
}

static void test_none(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    int64_t k[] = {2, 0, 1};
    double y[3];
    assert_ok(scatter(module, k, 3, y, 3));
    assert_int_equal(jr_race_check()->race_count, 0);
    assert_int_equal(jr_race_check()->iterations, 3);
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "body\n");
    assert_int_equal(jr_race_check()->loops, 0);
    jr_module_free(module);
}

static void test_error_and_race(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    int64_t k[] = {1, 1, 9, 0};
    double y[3];
    assert_fails(scatter(module, k, 4, y, 3), JR_INDEX_ERROR, "index 9 is out of bounds");
    assert_int_equal(jr_race_check()->race_count, 1);
    assert_int_equal(jr_race_check()->iterations, 3);
    Sink sink = {.len = 0};
    jr_error_report(module, JR_REPORT_TEXT, sink_write, &sink);
    assert_non_null(strstr(sink.text, "t.src:4:6: error: race: iterations i = 0 and i = 1"));
    assert_non_null(strstr(sink.text, "t.src:4:6: error: IndexError: index 9"));
    jr_module_free(module);
}

static void test_report(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    double a[5] = {1, 2, 3, 4, 5};
    JrArrayValue upper = floats(a + 1, 4), lower = floats(a, 4);
    JrValue args[] = {jr_array(&upper), jr_array(&lower)};
    JrFunction *function = env_function(module, "shift", NULL);
    assert_fails(jr_call(function, 2, args, NULL), JR_ERR_RACE,
                 "race: iteration i = 0 writes a[0]");
    assert_true(a[4] == 1);
    Sink sink = {.len = 0};
    jr_error_report(module, JR_REPORT_TEXT, sink_write, &sink);
    assert_string_equal(
        sink.text,
        "t.src:13:10: error: race: iteration i = 0 writes a[0], which iteration i = 1 reads\n"
        "   13 |         a[i] = b[i]\n"
        "      |          ^\n"
        "help: let each iteration write elements of its own, accumulate with an operator such "
        "as +=, or use range\n"
        "t.src:13:17: note: iteration i = 1 reads it here, as b[1]\n"
        "   13 |         a[i] = b[i]\n"
        "      |                 ^\n"
        "t.src:12:5: note: the prange loop; these two places met 3 times\n"
        "   12 |     for i in prange(len(a)):\n"
        "      |     ^\n");
    jr_module_free(module);
}

/* A plain pointer is checked as well: its errors are in the same slot. */
static void test_pointer(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    JrFunction *function = env_function(module, "scatter", NULL);
    int64_t (*call)(const int64_t *, int64_t, double *, int64_t);
    if (jr_function_pointer(function, (void **)&call) == JR_ERR_ENGINE) { /* no libffi */
        jr_module_free(module);
        return;
    }
    int64_t k[] = {0, 0};
    double y[1];
    assert_int_equal(call(k, 2, y, 1), 0);
    assert_int_equal(jr_error()->status, JR_ERR_RACE);
    k[1] = 1;
    double two[2];
    assert_int_equal(call(k, 2, two, 2), 2);
    assert_int_equal(jr_error()->status, JR_OK);
    jr_module_free(module);
}

static void test_memory_limit(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    JrFunction *function = env_function(module, "large", NULL);
    JrValue n = jr_int(100000), result;
    setenv("JITRUN_RACE_MEMORY", "1", 1);
    assert_fails(jr_call(function, 1, &n, &result), JR_MEMORY_ERROR, "JITRUN_RACE_MEMORY");
    unsetenv("JITRUN_RACE_MEMORY");
    assert_ok(jr_call(function, 1, &n, &result));
    assert_true(result.as.f == 4999950000.0);
    jr_module_free(module);
}

static void *run_other(void *user) {
    JrModule *module = user;
    int64_t k[] = {1, 1};
    double y[2];
    JrStatus status = JR_OK;
    for (int i = 0; i < 50; i++)
        status = scatter(module, k, 2, y, 2);
    return (void *)(intptr_t)(status * 1000 + (int)jr_race_check()->race_count);
}

/* Each thread has its own shadow and its own report. */
static void test_threads(void **state) {
    Env *env = *state;
    JrModule *module = compile(env);
    pthread_t other;
    int64_t k[] = {1, 0};
    double y[2];
    void *said;
    assert_int_equal(pthread_create(&other, NULL, run_other, module), 0);
    for (int i = 0; i < 50; i++)
        assert_ok(scatter(module, k, 2, y, 2));
    pthread_join(other, &said);
    assert_int_equal((intptr_t)said, JR_ERR_RACE * 1000 + 1);
    assert_int_equal(jr_race_check()->race_count, 0);
    jr_module_free(module);
}

static void test_before_any(void **state) {
    (void)state;
    const JrRaceCheck *check = jr_race_check();
    assert_int_equal(check->race_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_any),   cmocka_unit_test(test_found),
        cmocka_unit_test(test_none),         cmocka_unit_test(test_error_and_race),
        cmocka_unit_test(test_report),       cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_memory_limit), cmocka_unit_test(test_threads),
    };
    return run_on_engines("races", tests, sizeof tests / sizeof *tests);
}

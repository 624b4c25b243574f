/* The timer: jr_module_times, jr_bench and what shows its results. Nothing here depends on how
 * long something takes. */
#include "tests/unit/api_harness.h"
#include "tests/unit/memcheck.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static const char source[] = "import numpy as np\n"
                             "from jitrun import prange, njit\n"
                             "@njit(parallel=True)\n"
                             "def total(x):\n"
                             "    s = 0.0\n"
                             "    for i in prange(len(x)):\n"
                             "        s += x[i] * 0.1\n"
                             "    return s\n"
                             "def double(x):\n"
                             "    for i in range(len(x)):\n"
                             "        x[i] = x[i] * 2\n"
                             "def first(x, k: int):\n"
                             "    return x[k]\n"
                             "def forever():\n"
                             "    while True:\n"
                             "        pass\n"
                             "print('hello')\n";

/* ---- Helpers ---- */

static JrBenchOptions options_for(Env *env, const char *name, size_t count,
                                  const JrValue *args) {
    return (JrBenchOptions){.size = sizeof(JrBenchOptions),
                            .name = name,
                            .arg_count = count,
                            .args = args,
                            .rows = env->engine,
                            .seconds = 0.02};
}

static JrBench *bench(JrModule *module, const JrBenchOptions *options) {
    JrBench *out = NULL;
    assert_ok(jr_bench(module, options, &out));
    assert_non_null(out);
    return out;
}

static JrBenchRow row_of(const JrBench *bench, size_t index) {
    JrBenchRow row = {.size = sizeof row};
    assert_ok(jr_bench_row(bench, index, &row));
    return row;
}

static JrArrayValue array_of(double *data, int64_t count) {
    return (JrArrayValue){
        .dtype = JR_FLOAT64, .ndim = 1, .data = data, .shape = {count}, .strides = {1}};
}

/* ---- Stages ---- */

static void stage_times(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(x: float) -> float:\n    return x * x\n");
    JrTimes times = {.size = sizeof times};
    assert_ok(jr_module_times(module, &times));
    assert_true(times.parse > 0 && times.infer > 0 && times.lower > 0 && times.passes > 0);
    assert_true(times.read == 0 && times.generate == 0);
    env_function(module, "f", NULL);
    assert_ok(jr_module_times(module, &times));
    assert_true(times.generate > 0 && times.link > 0 && times.load >= 0);
    assert_true((times.optimise > 0) == (strcmp(env->engine, "llvm") == 0));
    assert_int_equal(times.size, sizeof times);
    times.size = 0;
    assert_fails(jr_module_times(module, &times), JR_ERR_ARGUMENT, "sizeof(JrTimes)");
    assert_fails(jr_module_times(NULL, &times), JR_ERR_ARGUMENT, "NULL");
    jr_module_free(module);
}

/* A caller built against an older header has a shorter structure, against a newer a longer. */
static void structures_of_other_sizes(void **state) {
    struct {
        JrTimes times;
        double later;
    } longer = {.times.size = sizeof longer, .later = 7};
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(x: float) -> float:\n    return x * x\n");
    assert_ok(jr_module_times(module, &longer.times));
    assert_true(longer.later == 0 && longer.times.parse > 0);
    JrTimes shorter = {.size = offsetof(JrTimes, infer), .infer = 7};
    assert_ok(jr_module_times(module, &shorter));
    assert_true(shorter.infer == 7 && shorter.parse > 0);
    jr_module_free(module);
}

/* ---- Rows ---- */

static void one_row(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double data[100] = {1, 2, 3};
    JrArrayValue array = array_of(data, 100);
    JrValue args[] = {jr_array(&array)};
    JrBenchOptions options = options_for(env, "total", 1, args);
    options.operations = 200;
    JrBench *b = bench(module, &options);
    assert_int_equal(jr_bench_row_count(b), 1);
    assert_true(jr_bench_agrees(b));
    JrBenchRow row = row_of(b, 0);
    assert_string_equal(row.name, env->engine);
    assert_null(row.error);
    assert_null(row.difference);
    assert_true(row.exact);
    assert_int_equal(row.threads, 1);
    assert_true(row.sample_count >= 1 && row.calls >= 1);
    assert_true(row.min <= row.low && row.low <= row.median && row.median <= row.high);
    assert_true(row.first_call > 0 && row.mean >= row.min && row.spread >= 0);
    for (size_t i = 0; i < row.sample_count; i++)
        assert_true(row.samples[i] >= row.min);
    assert_true(row.speedup == 1 && row.break_even == 0);
    assert_true(fabs(row.operations_rate * row.median - 200) < 1e-6);
    assert_true(fabs(row.bytes_rate * row.median - 800) < 1e-6);
    assert_true(row.stages.parse > 0 && row.stages.generate > 0);
    assert_string_equal(env->out.text, "");
    jr_bench_free(b);
    jr_module_free(module);
}

/* Every call finds the arguments as they were; doubled again and again they would overflow, and
 * the caller's own are not touched. */
static void arguments_are_fresh(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    JrArrayValue array = array_of(data, 8);
    JrValue args[] = {jr_array(&array)};
    char rows[64];
    snprintf(rows, sizeof rows, "interp,%s", env->engine);
    JrBenchOptions options = options_for(env, "double", 1, args);
    options.rows = rows;
    JrBench *b = bench(module, &options);
    assert_true(jr_bench_agrees(b));
    assert_true(row_of(b, 1).exact);
    assert_int_equal(row_of(b, 1).calls, 1);
    for (int i = 0; i < 8; i++)
        assert_true(data[i] == i + 1);
    jr_bench_free(b);
    jr_module_free(module);
}

/* Arrays that overlap do so in the copies: the second argument is seen to change with the first. */
static void aliases_stay_aliases(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(x, y):\n"
                                        "    x[1] = 5.0\n"
                                        "    assert y[0] == 5.0\n"
                                        "    x[3] = y[2]\n");
    double data[4] = {1, 2, 3, 4};
    JrArrayValue all = array_of(data, 4), tail = array_of(data + 1, 3);
    JrValue args[] = {jr_array(&all), jr_array(&tail)};
    JrBenchOptions options = options_for(env, "f", 2, args);
    JrBench *b = bench(module, &options);
    assert_true(jr_bench_agrees(b));
    assert_true(data[1] == 2);
    jr_bench_free(b);
    jr_module_free(module);
}

static void strided_and_empty(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double data[6] = {1, 2, 3, 4, 5, 6};
    JrArrayValue backwards = {
        .dtype = JR_FLOAT64, .ndim = 1, .data = data + 5, .shape = {3}, .strides = {-2}};
    JrArrayValue empty = array_of(NULL, 0);
    JrValue a[] = {jr_array(&backwards)}, none[] = {jr_array(&empty)};
    JrBenchOptions options = options_for(env, "double", 1, a);
    JrBench *b = bench(module, &options);
    assert_true(jr_bench_agrees(b));
    assert_true(data[5] == 6 && data[1] == 2);
    jr_bench_free(b);
    options = options_for(env, "total", 1, none);
    jr_bench_free(bench(module, &options));
    jr_module_free(module);
}

static void the_body(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrBenchOptions options = options_for(env, NULL, 0, NULL);
    options.rows = "interp,interp";
    JrBench *b = bench(module, &options);
    assert_int_equal(jr_bench_row_count(b), 2);
    assert_true(row_of(b, 1).exact);
    assert_string_equal(env->out.text, "");
    jr_bench_free(b);
    jr_module_free(module);
}

static void parallel_row(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    static double data[60000];
    for (int i = 0; i < 60000; i++)
        data[i] = i;
    JrArrayValue array = array_of(data, 60000);
    JrValue args[] = {jr_array(&array)};
    char rows[64];
    snprintf(rows, sizeof rows, "%s,%s-parallel", env->engine, env->engine);
    assert_ok(jr_set_num_threads(2));
    JrBenchOptions options = options_for(env, "total", 1, args);
    options.rows = rows;
    JrBench *b = bench(module, &options);
    JrBenchRow row = row_of(b, 1);
    assert_null(row.error);
    assert_null(row.difference);
    assert_int_equal(row.threads, 2);
    assert_true(row.efficiency > 0 && row.imbalance > 0.999 && row.imbalance < 2.001);
    assert_true(row_of(b, 0).efficiency == 0 && row_of(b, 0).imbalance == 0);
    assert_ok(jr_set_num_threads(0));
    jr_bench_free(b);
    jr_module_free(module);
}

/* Without a list there is a row for each engine, and one in parallel if there is a loop for it. */
static void default_rows(void **state) {
    Env *env = *state;
    static const char *const engines[] = {"interp", "tcc", "llvm"};
    if (under_memcheck() && !engine_is_wanted("llvm")) skip(); /* LLVM would take most of it */
    JrModule *module = env_compile(env, source);
    double data[10] = {0};
    JrArrayValue array = array_of(data, 10);
    JrValue args[] = {jr_array(&array)};
    size_t there = 0;
    for (int i = 0; i < 3; i++)
        there += jr_engine_available(env->context, engines[i]);
    assert_ok(jr_set_num_threads(3));
    JrBenchOptions options = options_for(env, "total", 1, args);
    options.rows = NULL;
    JrBench *b = bench(module, &options);
    assert_int_equal(jr_bench_row_count(b), there + 1);
    assert_non_null(strstr(row_of(b, there).name, "-parallel"));
    jr_bench_free(b);
    options = options_for(env, "double", 1, args);
    options.rows = NULL;
    b = bench(module, &options);
    assert_int_equal(jr_bench_row_count(b), there);
    jr_bench_free(b);
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

/* ---- Rivals ---- */

typedef struct Rival {
    double result;
    double each, first; /* seconds of a call, and of the first one beyond that */
    const char *why;
    int64_t calls;
    int outcomes;
    JrValue items[2];
    JrArrayValue *array;
} Rival;

static const char *rival_run(void *user, int64_t calls, double *seconds, JrValue *outcome) {
    Rival *rival = user;
    rival->calls += calls;
    *seconds = rival->each * (double)calls;
    if (!outcome) return rival->why;
    *seconds += rival->first;
    rival->outcomes++;
    rival->items[0] = jr_float(rival->result);
    rival->items[1] = jr_array(rival->array);
    *outcome = (JrValue){.type = JR_TUPLE, .as.tuple = {2, rival->items}};
    return rival->why;
}

static void rivals(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double data[4] = {1, 2, 3, 4};
    JrArrayValue array = array_of(data, 4);
    JrValue args[] = {jr_array(&array)};
    Rival right = {.each = 1e-4, .result = 1.0 + 1e-13, .array = &array};
    Rival wrong = {.each = 1e-4, .result = 2, .array = &array};
    Rival broken = {.each = 1e-4, .why = "it fell over", .array = &array};
    JrBenchRival all[] = {{"right", rival_run, &right},
                          {"wrong", rival_run, &wrong},
                          {"broken", rival_run, &broken}};
    JrBenchOptions options = options_for(env, "total", 1, args);
    options.rivals = all;
    options.rival_count = 3;
    JrBench *b = bench(module, &options);
    assert_int_equal(jr_bench_row_count(b), 4);
    assert_false(jr_bench_agrees(b));
    JrBenchRow row = row_of(b, 1);
    assert_true(!row.error && !row.difference && row.sample_count && !row.exact);
    assert_true(fabs(row.median - 1e-4) < 1e-6 && right.outcomes == 1 && right.calls > 1);
    row = row_of(b, 2);
    assert_non_null(strstr(row.difference, "the result is 2"));
    assert_true(row.sample_count == 0 && wrong.calls == 1);
    assert_string_equal(row_of(b, 3).error, "it fell over");
    jr_bench_free(b);
    jr_module_free(module);
}

/* What a rival compiles is in its first call, and is paid back like an engine's stages. */
static void rival_that_compiles(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    enum { MANY = 200000 }; /* which take far longer than the rival, and that than the clock */
    static double data[MANY];
    JrArrayValue array = array_of(data, MANY);
    JrValue args[] = {jr_array(&array)};
    Rival quick = {.each = 2e-6, .first = 1e4, .array = &array};
    JrBenchRival rival = {"quick", rival_run, &quick};
    JrBenchOptions options = options_for(env, "total", 1, args);
    options.rivals = &rival;
    options.rival_count = 1;
    JrBench *b = bench(module, &options);
    JrBenchRow row = row_of(b, 1), base = row_of(b, 0);
    assert_null(row.error);
    assert_null(row.difference);
    double gain = base.median - row.median;
    assert_true(gain > 0 && fabs(row.break_even * gain / quick.first - 1) < 0.01);
    jr_bench_free(b);
    jr_module_free(module);
}

/* ---- Errors ---- */

static void kernel_errors(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double data[4] = {0};
    JrArrayValue array = array_of(data, 4);
    JrValue args[] = {jr_array(&array), jr_int(4)};
    JrBenchOptions options = options_for(env, "first", 2, args);
    JrBench *b = (JrBench *)module;
    assert_fails(jr_bench(module, &options, &b), JR_INDEX_ERROR, "index 4");
    assert_null(b);
    assert_int_equal(jr_error()->frames[0].line, 13);
    assert_string_equal(jr_error()->frames[0].file, "t.src");
    options.arg_count = 1;
    assert_fails(jr_bench(module, &options, &b), JR_ERR_COMPILE, "argument");
    jr_module_free(module);
}

static void bad_options(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrBench *b;
    JrBenchOptions options = options_for(env, "forever", 0, NULL);
    assert_fails(jr_bench(NULL, &options, &b), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_bench(module, &options, NULL), JR_ERR_ARGUMENT, "NULL");
    options.rows = "interp,julia";
    assert_fails(jr_bench(module, &options, &b), JR_ERR_NOT_FOUND, "'julia'");
    options = options_for(env, "forever", 0, NULL);
    options.seconds = -1;
    assert_fails(jr_bench(module, &options, &b), JR_ERR_ARGUMENT, "seconds");
    options = options_for(env, "forever", 1, NULL);
    assert_fails(jr_bench(module, &options, &b), JR_ERR_ARGUMENT, "NULL");
    options = options_for(env, "nobody", 0, NULL);
    assert_fails(jr_bench(module, &options, &b), JR_ERR_NOT_FOUND, "nobody");
    JrArrayValue array = {.dtype = JR_FLOAT64, .ndim = 9};
    JrValue args[] = {jr_array(&array)};
    options = options_for(env, "total", 1, args);
    assert_fails(jr_bench(module, &options, &b), JR_ERR_ARGUMENT, "dimensions");
    JrBenchRival rival = {"x", NULL, NULL};
    options = options_for(env, "forever", 0, NULL);
    options.rivals = &rival;
    options.rival_count = 1;
    assert_fails(jr_bench(module, &options, &b), JR_ERR_ARGUMENT, "rival");
    options.size = 3;
    assert_fails(jr_bench(module, &options, &b), JR_ERR_ARGUMENT, "sizeof(JrBenchOptions)");
    assert_fails(jr_bench_row(NULL, 0, NULL), JR_ERR_ARGUMENT, "row");
    assert_int_equal(jr_bench_row_count(NULL), 0);
    assert_false(jr_bench_agrees(NULL));
    jr_bench_free(NULL);
    jr_module_free(module);
}

typedef struct Canceller {
    JrContext *context;
    _Atomic bool done;
} Canceller;

static void *cancel_again_and_again(void *user) {
    Canceller *c = user;
    while (!atomic_load(&c->done)) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        jr_cancel(c->context, JR_TIMEOUT_ERROR);
    }
    return NULL;
}

static void cancelled(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    Canceller canceller = {.context = env->context};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_again_and_again, &canceller), 0);
    JrBenchOptions options = options_for(env, "forever", 0, NULL);
    JrBench *b;
    assert_fails(jr_bench(module, &options, &b), JR_TIMEOUT_ERROR, "");
    atomic_store(&canceller.done, true);
    pthread_join(thread, NULL);
    jr_module_free(module);
}

/* ---- Reports ---- */

typedef struct Text {
    char *bytes;
    size_t len;
} Text;

static bool text_write(void *user, const char *bytes, size_t len) {
    Text *text = user;
    text->bytes = realloc(text->bytes, text->len + len + 1);
    if (!text->bytes) return false;
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = 0;
    return true;
}

static bool refuse(void *user, const char *bytes, size_t len) {
    (void)user, (void)bytes, (void)len;
    return false;
}

static size_t count_of(const char *text, const char *end, char c) {
    size_t count = 0;
    for (bool quoted = false; *text && text < end; text++) {
        quoted ^= *text == '"';
        count += *text == c && !quoted;
    }
    return count;
}

static void reports(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double data[10] = {0};
    JrArrayValue array = array_of(data, 10);
    JrValue args[] = {jr_array(&array)};
    JrBenchOptions options = options_for(env, "total", 1, args);
    JrBench *b = bench(module, &options);
    Text text = {0}, json = {0}, csv = {0}, svg = {0};
    assert_ok(jr_bench_report(b, JR_REPORT_TEXT, text_write, &text));
    assert_non_null(strstr(text.bytes, "total in t.src"));
    assert_non_null(strstr(text.bytes, env->engine));
    assert_non_null(strstr(text.bytes, "generate"));
    assert_ok(jr_bench_report(b, JR_REPORT_JSON, text_write, &json));
    assert_non_null(strstr(json.bytes, "\"median\": "));
    assert_non_null(strstr(json.bytes, "\"samples\": ["));
    assert_ok(jr_bench_report(b, JR_REPORT_CSV, text_write, &csv));
    const char *head_end = strchr(csv.bytes, '\n'), *row_end = strchr(head_end + 1, '\n');
    assert_non_null(row_end);
    assert_int_equal(count_of(csv.bytes, head_end, ','), count_of(head_end, row_end, ','));
    const JrBench *both[] = {b, b};
    double sizes[] = {10, 100}, falling[] = {100, 10};
    assert_ok(jr_bench_plot(1, both, NULL, text_write, &svg));
    assert_memory_equal(svg.bytes, "<svg", 4);
    assert_non_null(strstr(svg.bytes, "</svg>"));
    assert_ok(jr_bench_plot(2, both, sizes, text_write, &svg));
    assert_non_null(strstr(svg.bytes, "<polyline"));
    assert_fails(jr_bench_plot(2, both, falling, text_write, &svg), JR_ERR_ARGUMENT, "rise");
    assert_fails(jr_bench_plot(2, both, NULL, text_write, &svg), JR_ERR_ARGUMENT, "rise");
    assert_fails(jr_bench_plot(0, both, NULL, text_write, &svg), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_bench_report(b, JR_REPORT_TEXT, refuse, NULL), JR_ERR_IO, "report");
    assert_fails(jr_bench_plot(1, both, NULL, refuse, NULL), JR_ERR_IO, "picture");
    assert_fails(jr_bench_report(NULL, JR_REPORT_TEXT, text_write, &text), JR_ERR_ARGUMENT,
                 "");
    free(text.bytes), free(json.bytes), free(csv.bytes), free(svg.bytes);
    jr_bench_free(b);
    options.title = "a title of its own";
    b = bench(module, &options);
    text = (Text){0};
    assert_ok(jr_bench_report(b, JR_REPORT_TEXT, text_write, &text));
    assert_memory_equal(text.bytes, "a title of its own\n", 19);
    free(text.bytes);
    jr_bench_free(b);
    jr_module_free(module);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stage_times),
        cmocka_unit_test(structures_of_other_sizes),
        cmocka_unit_test(one_row),
        cmocka_unit_test(arguments_are_fresh),
        cmocka_unit_test(aliases_stay_aliases),
        cmocka_unit_test(strided_and_empty),
        cmocka_unit_test(the_body),
        cmocka_unit_test(parallel_row),
        cmocka_unit_test(default_rows),
        cmocka_unit_test(rivals),
        cmocka_unit_test(rival_that_compiles),
        cmocka_unit_test(kernel_errors),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(reports),
    };
    return run_on_engines("bench", tests, sizeof tests / sizeof *tests);
}

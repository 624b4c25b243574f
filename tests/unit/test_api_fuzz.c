/* Every function of jitrun.h, called at random: with what it is meant for, with NULL, with zero and huge
 * values, wrong types, damaged texts, and in any order. Whatever comes of it is a status with a message; under
 * the sanitizers nothing is read that should not be, and nothing is lost. `test_api_fuzz FROM TO` runs these seeds. */
#include "tests/unit/api_harness.h"

#include <pthread.h>

enum { CONTEXTS = 3, MODULES = 6, FUNCTIONS = 12, PREPARED = 4, ARRAYS = 8, STEPS = 400 };

static const char *const sources[] = {
    "def f(x: float, k: int = 3) -> float:\n    return x * k\n"
    "def g(n: int) -> int:\n    return 10 // n\n",
    "def f(x):\n    s = 0.0\n    for i in range(len(x)):\n        s += x[i]\n    return s\n"
    "def g(x):\n    x[0] = 1\n    return x\n",
    "import numpy as np\ndef f(n: int):\n    return np.arange(n % 50) * 2, n\n"
    "def g(t):\n    return t[0] + t[1]\nprint(f(4), g((1, 2.5)))\n",
    "from jitrun import njit, prange, float64\n@njit(parallel=True)\n"
    "def f(x: float64[::1]) -> float64:\n    s = 0.0\n    for i in prange(len(x)):\n"
    "        s += x[i]\n    return s\ndef g(x: float64[:, :]) -> None:\n    x += 1\n",
    "def f(x: int) -> int:\n    return int(twice(x)) + f(x - 1) if x > 0 else x\n"
    "def g(x: float):\n    return twice(int(x))\nprint(f(3))\n",
    "from jitrun import *\ndef f(a: int8, b: uint64, c: float32, d: bool):\n"
    "    return a, b, c, d\ndef g():\n    raise KeyError('no')\n",
    "def f(:\n",
    "x = 1 +\n",
    "",
    "def f(x): return y\n",
    "print(1 // 0)\n",
};
static const char *const words[] = {
    NULL,
    "",
    "f",
    "g",
    "nothing",
    "twice",
    "auto",
    "interp",
    "tcc",
    "llvm",
    "ir",
    "tokens",
    "bytecode",
    "c",
    "obj",
    "header",
    "float64(int64)",
    "(float64[::1])",
    "(int64)",
    "(",
    "x",
    "np.arange(5) * 2",
    "1e400",
    "[1, 2.5]",
    "(1, (2,))",
    "1 // 0",
    "1 +",
    "native",
    "i\xff\xfe",
    "[[1, 2], [3]]",
    "float64(float64[:, :, :, :, :, :, :, :, :])",
    "/nowhere/there.npy",
    ".",
    "interp,llvm-parallel",
};

#define COUNT(array) (sizeof array / sizeof *array)

typedef struct Held {
    JrFunction *function;
    int module;
} Held;

typedef struct Fuzz {
    uint64_t random;
    JrContext *contexts[CONTEXTS];
    JrModule *modules[MODULES];
    int shared; /* the first modules are other threads' too, as are all contexts then */
    Held functions[FUNCTIONS];
    JrPrepared *prepared[PREPARED];
    JrArrayValue arrays[ARRAYS];
    double room[64];
    bool bools[64 * sizeof(double)]; /* apart, as other bytes than 0 and 1 are no bools */
    JrValue items[4], values[6];
    Sink sink;
} Fuzz;

/* The thread's, for host functions of contexts that are shared. */
static _Thread_local Fuzz *current;

static uint64_t any(Fuzz *z, uint64_t below) {
    z->random ^= z->random << 13, z->random ^= z->random >> 7, z->random ^= z->random << 17;
    return z->random * 0x9e3779b97f4a7c15u % below;
}

static bool rarely(Fuzz *z) {
    return any(z, 12) == 0;
}

static const char *word(Fuzz *z) {
    return words[any(z, COUNT(words))];
}

static int64_t number(Fuzz *z) {
    static const int64_t edges[] = {0,  1,  -1,  2,         3,         7,
                                    63, 64, 255, INT32_MAX, INT64_MAX, INT64_MIN};
    return edges[any(z, COUNT(edges))];
}

static JrContext *context(Fuzz *z) {
    return rarely(z) ? NULL : z->contexts[any(z, CONTEXTS)];
}

static JrModule *module(Fuzz *z) {
    return rarely(z) ? NULL : z->modules[any(z, MODULES)];
}

static JrFunction *function(Fuzz *z) {
    return rarely(z) ? NULL : z->functions[any(z, FUNCTIONS)].function;
}

/* ---- Values ---- */

/* Arrays that there are, of the 64 elements of `room`, or that nobody could trust. */
static JrArrayValue *array(Fuzz *z) {
    static const JrType dtypes[] = {JR_FLOAT64, JR_INT64, JR_UINT64,
                                    JR_FLOAT32, JR_BOOL,  JR_UINT8};
    JrArrayValue *a = &z->arrays[any(z, ARRAYS)];
    int64_t shape[JR_MAX_DIMS] = {(int64_t)any(z, 9), (int64_t)any(z, 3), 1, 1, 1, 1, 1, 1};
    jr_array_clear(a);
    JrType dtype = dtypes[any(z, COUNT(dtypes))];
    void *room = dtype == JR_BOOL ? (void *)z->bools : z->room;
    *a = jr_array_of(dtype, room, 1 + (uint32_t)any(z, JR_MAX_DIMS), shape);
    a->readonly = rarely(z);
    if (any(z, 4) == 0) a->strides[0] = -a->strides[0], a->data = (char *)room + 256;
    switch (any(z, 40)) {
    case 0: a->ndim = 0; break;
    case 1: a->ndim = 9; break;
    case 2: a->ndim = UINT32_MAX; break;
    case 3: a->dtype = (JrType)77; break;
    case 4: a->dtype = JR_NONE; break;
    case 5: a->shape[0] = INT64_MAX; break;
    case 6: a->shape[0] = -1; break;
    case 7: a->strides[0] = INT64_MIN, a->shape[0] = 2; break;
    case 8: a->data = NULL, a->shape[0] = 1; break;
    case 9: a->data = (char *)z->room + 1; break;
    }
    return a;
}

static JrValue value(Fuzz *z, int depth) {
    switch (any(z, depth ? 9 : 12)) {
    case 0: return jr_int(number(z));
    case 1: return jr_uint((uint64_t)number(z));
    case 2: return jr_float((double)number(z) / 3);
    case 3: return jr_bool(any(z, 2));
    case 4: return jr_none();
    case 5: return jr_default();
    case 6: return jr_float(any(z, 2) ? 1.0 / 0.0 : 0.0 / 0.0);
    case 7: return rarely(z) ? jr_array(NULL) : jr_array(array(z));
    case 8: return (JrValue){.type = (JrType)(any(z, 2) ? 33 : 1000), .as.u = 5};
    default:
        for (size_t i = 0; i < COUNT(z->items); i++)
            z->items[i] = value(z, depth + 1);
        if (rarely(z)) return jr_tuple(3, NULL);
        return jr_tuple(any(z, COUNT(z->items) + 1), z->items);
    }
}

static const JrValue *values(Fuzz *z, size_t *count) {
    *count = any(z, COUNT(z->values) + 1);
    for (size_t i = 0; i < *count; i++)
        z->values[i] = value(z, 0);
    return rarely(z) ? NULL : z->values;
}

/* ---- What came of a call ---- */

static _Atomic int wrong;

/* CMocka's own ends the process on other threads than the test's. */
static void complain(int line, const char *condition) {
    fprintf(stderr, "line %d: %s\n", line, condition);
    wrong++;
}
#define demand(condition) ((condition) ? (void)0 : complain(__LINE__, #condition))

static void sound(JrStatus status) {
    const JrError *error = jr_error();
    if (error->status != status) fprintf(stderr, "%d: %s\n", error->status, error->message);
    demand((error->status) == (status));
    demand(error->message);
    demand(error->name);
    demand(!strcmp(error->name, jr_status_name(status)));
    demand(status == JR_OK || *error->name); /* a message may be empty, as in Python */
    for (size_t i = 0; i < error->frame_count; i++)
        demand(error->frames[i].function && error->frames[i].file &&
               error->frames[i].line > 0);
}

static void sound_value(JrStatus status, JrValue *result) {
    sound(status);
    if (status) demand((result->type) == (JR_NONE));
    jr_value_clear(result);
}

/* ---- Calls ---- */

static double twice(void *user, int64_t x) {
    Fuzz *z = current;
    JrValue result;
    size_t count;
    demand(user == words);
    if (any(z, 3) == 0) { /* back into the library */
        const JrValue *args = values(z, &count);
        sound_value(jr_call(function(z), count, args, &result), &result);
    }
    if (rarely(z)) jr_cancel(context(z), any(z, 2) ? JR_KEYBOARD_INTERRUPT : JR_TIMEOUT_ERROR);
    if (rarely(z)) jr_error_raise((JrStatus)any(z, 120), any(z, 2) ? NULL : "no");
    return (double)x * 2;
}

static void free_module(Fuzz *z, int at) {
    for (int i = 0; i < FUNCTIONS; i++)
        if (z->functions[i].module == at) z->functions[i].function = NULL;
    jr_module_free(z->modules[at]);
    z->modules[at] = NULL;
}

static void make_context(Fuzz *z) {
    if (z->shared) return;
    int at = (int)any(z, CONTEXTS);
    JrContextOptions options = {
        .size = sizeof options, .write = sink_write, .write_user = &z->sink};
    if (rarely(z)) options.size = any(z, 3) ? 0 : 4;
    if (rarely(z))
        options.release = (void (*)(void *, void *))(uintptr_t)1; /* without a resize */
    JrContext *made = jr_context_new(any(z, 6) ? &options : NULL);
    if (!made) demand((jr_error()->status) != (JR_OK));
    if (!made) return;
    jr_context_free(z->contexts[at]);
    z->contexts[at] = made;
    sound(jr_context_add_function(made, "twice", "float64(user, int64)", (JrHostFunction)twice,
                                  (void *)words));
    /* What comes of these is never called: no source has such a name. */
    sound(jr_context_add_function(context(z), word(z), word(z), (JrHostFunction)twice,
                                  (void *)words));
}

static void compile(Fuzz *z) {
    static const char *const engines[] = {"interp", "tcc",  "interp", "tcc",
                                          "interp", "llvm", NULL,     "gpu"};
    char text[600];
    int at = z->shared + (int)any(z, (uint64_t)(MODULES - z->shared));
    snprintf(text, sizeof text, "%s", sources[any(z, COUNT(sources))]);
    size_t len = strlen(text);
    if (len && rarely(z)) text[any(z, len)] = (char)any(z, 256);
    if (len && rarely(z)) text[any(z, len)] = 0;
    JrCompileOptions options = {.size = sizeof options,
                                .engine = engines[any(z, COUNT(engines))],
                                .run_main = any(z, 2),
                                .parallel = any(z, 2),
                                .fastmath = any(z, 2),
                                .check_races = rarely(z),
                                .opt_level = rarely(z) ? (int)number(z) : 0};
    if (rarely(z)) options.size = any(z, 2) ? 0 : SIZE_MAX;
    if (z->modules[at]) free_module(z, at);
    JrModule *made = NULL;
    JrStatus status = rarely(z)
                          ? jr_compile_file(context(z), word(z), &options, &made)
                          : jr_compile(context(z), rarely(z) ? NULL : text,
                                       any(z, 6) ? &options : NULL, rarely(z) ? NULL : &made);
    sound(status);
    z->modules[at] = made;
}

static void find(Fuzz *z) {
    int at = (int)any(z, MODULES);
    Held *held = &z->functions[any(z, FUNCTIONS)];
    JrFunction *found = NULL;
    size_t count;
    const JrValue *args = values(z, &count);
    const char *name = any(z, 3) ? (any(z, 2) ? "f" : "g") : word(z);
    JrStatus status = any(z, 2) ? jr_function(z->modules[at], name, word(z), &found)
                                : jr_function_for(z->modules[at], name, count, args, &found);
    sound(status);
    demand((status == JR_OK) == (found != NULL));
    if (found) *held = (Held){found, at};
    if (rarely(z)) sound(jr_function(module(z), name, NULL, NULL));
}

static void describe(Fuzz *z) {
    JrFunction *f = function(z);
    JrTypeInfo info = {.size = rarely(z) ? 0 : sizeof info};
    void *pointer;
    demand(jr_function_name(f));
    demand(jr_function_signature(f));
    demand(jr_function_prototype(f));
    sound(jr_function_param(f, any(z, 5), rarely(z) ? NULL : &info));
    sound(jr_function_param(f, SIZE_MAX, &info));
    sound(jr_function_result(f, rarely(z) ? NULL : &info));
    sound(jr_function_pointer(f, rarely(z) ? NULL : &pointer));
    (void)jr_function_param_count(f);
}

static void call(Fuzz *z) {
    size_t count;
    JrValue result;
    const JrValue *args = values(z, &count);
    switch (any(z, 4)) {
    case 0: sound(jr_call(function(z), count, args, NULL)); break;
    case 1:
        sound_value(jr_call_once(module(z), any(z, 2) ? "f" : word(z), count, args, &result),
                    &result);
        break;
    default: sound_value(jr_call(function(z), count, args, &result), &result);
    }
}

static void prepare(Fuzz *z) {
    JrPrepared **at = &z->prepared[any(z, PREPARED)];
    JrValue result, given = value(z, 0);
    switch (any(z, 4)) {
    case 0:
        jr_prepared_free(*at);
        *at = NULL;
        sound(jr_function_prepare(function(z), at));
        break;
    case 1:
        sound(jr_prepared_set(rarely(z) ? NULL : *at, any(z, 4), rarely(z) ? NULL : &given));
        break;
    case 2: sound(jr_prepared_set(*at, SIZE_MAX, &given)); break;
    default:
        jr_prepared_set(*at, any(z, 2), &given);
        sound_value(jr_prepared_call(rarely(z) ? NULL : *at, &result), &result);
        jr_prepared_free(*at); /* what it borrowed changes with the next step */
        *at = NULL;
    }
}

static void look(Fuzz *z) {
    JrModule *m = module(z);
    JrDiagnostic diagnostic;
    JrTimes times = {.size = rarely(z) ? 0 : sizeof times};
    JrCacheUse use = {.size = rarely(z) ? 3 : sizeof use};
    size_t count = jr_module_diagnostic_count(m); /* other threads may change it */
    for (size_t i = 0; i < count; i++)
        demand(!jr_module_diagnostic(m, i, &diagnostic) || diagnostic.message);
    demand(!jr_module_diagnostic(m, SIZE_MAX, &diagnostic));
    demand(!jr_module_diagnostic(m, 0, NULL));
    demand(jr_module_report(m, (JrReport)any(z, 4)));
    demand(!jr_module_function_name(m, jr_module_function_count(m)));
    demand(!jr_module_function_name(m, SIZE_MAX));
    (void)jr_module_checks_races(m), (void)jr_module_has_body(m);
    (void)jr_module_has_function(m, word(z));
    (void)jr_module_param_index(m, word(z), word(z));
    sound(jr_module_times(m, rarely(z) ? NULL : &times));
    sound(jr_module_cache(m, rarely(z) ? NULL : &use));
    (void)jr_engine_available(context(z), word(z));
    demand(jr_race_check());
    demand(jr_status_name((JrStatus)number(z)));
}

static void write(Fuzz *z) {
    JrEmitOptions emit = {.size = rarely(z) ? 1 : sizeof emit,
                          .kind = any(z, 2) ? "c" : word(z),
                          .function = word(z)};
    JrWrite to = rarely(z) ? NULL : sink_write;
    JrValue given = value(z, 0);
    z->sink.fail = rarely(z);
    switch (any(z, 6)) {
    case 0: sound(jr_module_dump(module(z), word(z), to, &z->sink)); break;
    case 1: sound(jr_module_header(module(z), to, &z->sink)); break;
    case 2: sound(jr_module_explain(module(z), (JrReport)any(z, 4), to, &z->sink)); break;
    case 3: jr_error_report(module(z), (JrReport)any(z, 4), to, &z->sink); break;
    case 4: sound(jr_module_emit(module(z), rarely(z) ? NULL : &emit, to, &z->sink)); break;
    default: sound(jr_value_print(rarely(z) ? NULL : &given, to, &z->sink));
    }
    z->sink.fail = false;
}

static void make_values(Fuzz *z) {
    JrArrayValue made;
    JrValue result, given = value(z, 0);
    int64_t shape[JR_MAX_DIMS];
    for (int i = 0; i < JR_MAX_DIMS; i++)
        shape[i] = any(z, 8) ? (int64_t)any(z, 3) : number(z);
    switch (any(z, 6)) {
    case 0:
        sound(jr_array_new(context(z), (JrType)any(z, 14), (uint32_t)any(z, 10),
                           rarely(z) ? NULL : shape, rarely(z) ? NULL : &made));
        if (!jr_error()->status) jr_array_clear(&made);
        break;
    case 1:
        made = *array(z);
        if (jr_array_wrap(context(z), rarely(z) ? NULL : &made, NULL, NULL))
            sound(jr_error()->status);
        else
            jr_array_clear(&made);
        break;
    case 2: sound_value(jr_eval(context(z), word(z), &result), &result); break;
    case 3: sound_value(jr_array_load(word(z), &result), &result); break;
    case 4: sound(jr_array_save(rarely(z) ? NULL : "/nowhere/a.npy", &given)); break;
    default: sound(jr_eval(context(z), word(z), NULL));
    }
}

static void others(Fuzz *z) {
    JrBenchRow row = {.size = rarely(z) ? 0 : sizeof row};
    JrBenchOptions options = {.size = rarely(z) ? 5 : sizeof options,
                              .name = word(z),
                              .rows = "interp",
                              .seconds = 1e-6};
    JrBench *bench = NULL;
    options.args = values(z, &options.arg_count);
    switch (any(z, 6)) {
    case 0: jr_cancel(context(z), (JrStatus)any(z, 120)); break; /* leaves jr_error() alone */
    case 1: sound(jr_error_raise((JrStatus)any(z, 120), word(z))); break;
    case 2: sound(jr_set_num_threads(any(z, 2) ? (int)any(z, 5) : (int)number(z))); break;
    case 3:
        jr_error_clear(), jr_value_clear(NULL), jr_array_clear(NULL), jr_module_free(NULL);
        break;
    case 4: sound(jr_run(module(z))); break;
    default:
        sound(jr_bench(module(z), rarely(z) ? NULL : &options, rarely(z) ? NULL : &bench));
        (void)jr_bench_agrees(bench);
        sound(jr_bench_row(bench, any(z, 2), rarely(z) ? NULL : &row));
        sound(jr_bench_report(bench, (JrReport)any(z, 4), rarely(z) ? NULL : sink_write,
                              &z->sink));
        sound(jr_bench_plot(any(z, 2), (const JrBench *const *)&bench, NULL, sink_write,
                            &z->sink));
        jr_bench_free(bench);
    }
    demand(jr_num_threads() >= 1 && jr_num_threads() <= 256);
}

static void begin(Fuzz *z, uint64_t seed) {
    current = z;
    z->random = seed * 0x9e3779b97f4a7c15u + 88172645463325252u;
    for (int i = 0; i < FUNCTIONS; i++)
        z->functions[i].module = -1;
}

static void take_steps(Fuzz *z) {
    static void (*const steps[])(Fuzz *) = {
        compile, compile, find,        find, find,    describe, call,   call,
        call,    write,   make_values, look, prepare, prepare,  others, make_context};
    for (int i = 0; i < STEPS; i++) {
        steps[any(z, COUNT(steps))](z);
        z->sink.len = 0;
    }
}

static void end(Fuzz *z) {
    for (int i = 0; i < PREPARED; i++)
        jr_prepared_free(z->prepared[i]);
    for (int i = z->shared; i < MODULES; i++)
        free_module(z, i);
}

static void run_seed(uint64_t seed) {
    Fuzz *z = calloc(1, sizeof *z);
    assert_non_null(z);
    begin(z, seed);
    make_context(z);
    take_steps(z);
    end(z);
    for (int i = 0; i < CONTEXTS; i++)
        jr_context_free(z->contexts[i]);
    jr_set_num_threads(0);
    free(z);
}

static uint64_t from = 1, to = 13;

static void everything_at_random(void **state) {
    (void)state;
    for (uint64_t seed = from; seed < to; seed++) {
        if (getenv("TEST_SEEDS")) fprintf(stderr, "seed %d\n", (int)seed);
        run_seed(seed);
        assert_int_equal(wrong, 0);
    }
}

/* ---- Threads ---- */

enum { THREADS = 8, SHARED = 4 };

static bool drop(void *user, const char *bytes, size_t len) {
    (void)user, (void)bytes;
    return len > 0;
}

static void *on_a_thread(void *own) {
    begin(own, ((Fuzz *)own)->random);
    take_steps(own);
    end(own);
    return NULL;
}

/* Contexts, modules and functions that all threads use, cancel and add to at once. */
static void run_threads(uint64_t seed) {
    static Fuzz all[THREADS];
    pthread_t threads[THREADS];
    JrContextOptions options = {.size = sizeof options, .write = drop};
    Fuzz shared = {.shared = SHARED};
    for (int i = 0; i < CONTEXTS; i++) {
        shared.contexts[i] = jr_context_new(&options);
        assert_ok(jr_context_add_function(shared.contexts[i], "twice", "float64(user, int64)",
                                          (JrHostFunction)twice, (void *)words));
    }
    for (int i = 0; i < SHARED; i++) {
        JrCompileOptions compiled = {
            .size = sizeof compiled, .run_main = true, .engine = i % 2 ? "interp" : NULL};
        assert_ok(jr_compile(shared.contexts[i % CONTEXTS], sources[(seed + (uint64_t)i) % 6],
                             &compiled, &shared.modules[i]));
    }
    for (uint64_t i = 0; i < THREADS; i++) {
        all[i] = shared;
        all[i].random = seed * THREADS + i;
        assert_int_equal(pthread_create(&threads[i], NULL, on_a_thread, &all[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHARED; i++)
        jr_module_free(shared.modules[i]);
    for (int i = 0; i < CONTEXTS; i++)
        jr_context_free(shared.contexts[i]);
    jr_set_num_threads(0);
}

static void everything_at_once(void **state) {
    (void)state;
    for (uint64_t seed = from; seed < from + (to - from + 3) / 4; seed++) {
        if (getenv("TEST_SEEDS")) fprintf(stderr, "seed %d, threads\n", (int)seed);
        run_threads(seed);
        assert_int_equal(wrong, 0);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_at_random),
                                       cmocka_unit_test(everything_at_once)};
    if (argc == 3) from = strtoull(argv[1], NULL, 10), to = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory that runs out: the first request fails, then the second, and so on until a scenario that uses
 * all of the interface succeeds. It ends in success or in JR_MEMORY_ERROR, and nothing leaks.
 *
 * Twice: what the library asks of a context's own functions, on every engine; and whatever else its
 * code asks of malloc, which this program puts its own in front of. */
#include "tests/unit/api_harness.h"

#include <stdatomic.h>

/* ---- malloc ---- */

enum { MOST_BLOCKS = 1 << 16 };

/* Requests that come straight from libjitrun's code, but not from libtcc in it, which ends its own way;
 * the blocks of them that are alive. */
static struct {
    struct {
        const char *from, *to;
    } code[4];    /* the library's and the plug-in's */
    int mappings; /* 0: nothing is counted */
    long requests, fail_at, alive;
    bool fail_all;
    void *blocks[MOST_BLOCKS];
    atomic_flag lock;
} heap = {.lock = ATOMIC_FLAG_INIT};

#ifndef JITRUN_SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);
void __libc_free(void *pointer);

static void lock_heap(void) {
    while (atomic_flag_test_and_set(&heap.lock))
        ;
}

static size_t place_of(const void *pointer) {
    size_t at = ((uintptr_t)pointer >> 4) * 0x9e3779b97f4a7c15u >> 48;
    while (heap.blocks[at % MOST_BLOCKS] && heap.blocks[at % MOST_BLOCKS] != pointer)
        at++;
    return at % MOST_BLOCKS;
}

static void *remember(void *pointer) {
    if (!pointer) return NULL;
    lock_heap();
    heap.blocks[place_of(pointer)] = pointer;
    heap.alive++;
    atomic_flag_clear(&heap.lock);
    return pointer;
}

/* What stood behind it in its run of places is put in again. */
static void forget(const void *pointer) {
    lock_heap();
    size_t at = place_of(pointer);
    if (heap.blocks[at]) {
        heap.blocks[at] = NULL;
        heap.alive--;
        for (at = (at + 1) % MOST_BLOCKS; heap.blocks[at]; at = (at + 1) % MOST_BLOCKS) {
            void *moved = heap.blocks[at];
            heap.blocks[at] = NULL;
            heap.blocks[place_of(moved)] = moved;
        }
    }
    atomic_flag_clear(&heap.lock);
}

static bool is_library(const char *caller) {
    bool within = false;
    for (int i = 0; i < heap.mappings; i++)
        within |= caller >= heap.code[i].from && caller < heap.code[i].to;
    return within;
}

static bool refuses(void) {
    long request = ++heap.requests;
    return heap.fail_at &&
           (request == heap.fail_at || (heap.fail_all && request > heap.fail_at));
}

JR_API void *malloc(size_t size) {
    if (!is_library(__builtin_return_address(0))) return __libc_malloc(size);
    return refuses() ? NULL : remember(__libc_malloc(size));
}

JR_API void *calloc(size_t count, size_t size) {
    if (!is_library(__builtin_return_address(0))) return __libc_calloc(count, size);
    return refuses() ? NULL : remember(__libc_calloc(count, size));
}

JR_API void *realloc(void *pointer, size_t size) {
    if (!is_library(__builtin_return_address(0))) return __libc_realloc(pointer, size);
    if (refuses()) return NULL;
    void *moved = __libc_realloc(pointer, size);
    if (!moved) return NULL;
    if (pointer) forget(pointer);
    return remember(moved);
}

JR_API void free(void *pointer) {
    if (pointer && heap.mappings) forget(pointer);
    __libc_free(pointer);
}

static bool find_library(void) {
    unsigned long from, to;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps) && heap.mappings < 4) {
        if (!strstr(line, " r-xp ") || !strstr(line, "/libjitrun")) continue;
        if (sscanf(line, "%lx-%lx", &from, &to) != 2) continue;
        heap.code[heap.mappings].from = (const char *)from;
        heap.code[heap.mappings++].to = (const char *)to;
    }
    if (maps) fclose(maps);
    return heap.mappings > 0;
}
#else
static bool find_library(void) {
    return false;
}
#endif

/* ---- A context's functions ---- */

/* Counts what is alive; from the `fail_at`th request on, one or all fail. */
typedef struct Meter {
    _Atomic long requests, alive;
    long fail_at;
    bool fail_all;
} Meter;

static void *meter_resize(void *user, void *pointer, size_t size) {
    Meter *m = user;
    long request = ++m->requests;
    if (m->fail_at && (request == m->fail_at || (m->fail_all && request > m->fail_at)))
        return NULL;
    void *moved = realloc(pointer, size);
    if (moved && !pointer) m->alive++;
    return moved;
}

static void meter_release(void *user, void *pointer) {
    Meter *m = user;
    m->alive--;
    free(pointer);
}

/* ---- The scenario ---- */

static const char scenario_source[] =
    "import numpy as np\nfrom jitrun import float64\n"
    "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
    "def work(x, n, t):\n"
    "    y = (x * 2.0)[1:].copy()\n"
    "    print('sum', y.sum(), fib(n), lent(t[0]), both(n), made(n)[0].sum())\n"
    "    return y, (y[::-1], n), x\n"
    "def fails(n):\n    if n < 0:\n        raise ValueError('less than nothing')\n    return "
    "n\n"
    "def typed(a: float64[:, :]) -> float:\n    return a[0, 0]\n";

/* What it does itself may run out of memory as well, and then the kernel does. */
static int64_t lent(void *user, int64_t n) {
    void *own = meter_resize(user, NULL, 8);
    if (own)
        meter_release(user, own);
    else
        jr_error_raise(JR_MEMORY_ERROR, "out of memory");
    return n;
}

static JrStatus through_pointer(JrFunction *typed) {
    union {
        void *address;
        double (*call)(const double *a, int64_t d0, int64_t d1, int64_t s0, int64_t s1);
    } p;
    double one = 1;
    JrStatus status = jr_function_pointer(typed, &p.address);
    if (status) return status;
    double got = p.call(&one, 1, 1, 1, 1);
    status = jr_error()->status;
    assert_true(got == (status ? 0 : 1));
    if (!status && !*jr_function_prototype(typed)) status = jr_error()->status;
    return status;
}

static JrStatus prepared(JrModule *module) {
    JrFunction *fib;
    JrPrepared *p = NULL;
    JrValue n = jr_int(6), r;
    JrStatus status = jr_function(module, "fib", "(int64)", &fib);
    if (!status) status = jr_function_prepare(fib, &p);
    if (!status) status = jr_prepared_set(p, 0, &n);
    if (!status) status = jr_prepared_call(p, &r);
    if (!status) assert_int_equal(r.as.i, 8);
    jr_prepared_free(p);
    return status;
}

static void both(int64_t n, int64_t *a, bool *b) {
    *a = n + 1, *b = true;
}

static void give_back(void *user) {
    ++*(int *)user;
}

static int wrapped, given_back;

/* Both of an array's kinds: the second may find no memory when there is a first. */
static void made(void *user, int64_t n, JrArrayValue *r0, JrArrayValue *r1) {
    static int32_t none[3];
    *r1 = (JrArrayValue){JR_INT32, 1, none, {3}, {1}, NULL, false};
    if (jr_array_new(user, JR_INT64, 1, &n, r0)) {
        jr_error_raise(jr_error()->status, NULL);
    } else if (jr_array_wrap(user, r1, give_back, &given_back)) {
        jr_error_raise(jr_error()->status, NULL);
    } else {
        ((int64_t *)r0->data)[0] = n;
        wrapped++;
    }
}

static JrStatus benched(JrModule *module) {
    JrValue n = jr_int(5);
    JrBench *bench = NULL;
    JrBenchOptions o = {.size = sizeof o,
                        .name = "fib",
                        .arg_count = 1,
                        .args = &n,
                        .rows = "interp",
                        .seconds = 1e-9};
    Sink out = {.len = 0};
    JrStatus status = jr_bench(module, &o, &bench);
    if (!status) {
        JrBenchRow row = {.size = sizeof row};
        status = jr_bench_row(bench, 0, &row);
        if (!status && row.error) status = JR_MEMORY_ERROR; /* or it would not be there */
    }
    if (!status) status = jr_bench_report(bench, JR_REPORT_JSON, sink_write, &out);
    jr_bench_free(bench);
    return status;
}

static bool count_bytes(void *user, const char *bytes, size_t len) {
    (void)bytes;
    *(size_t *)user += len;
    return true;
}

static JrStatus written(JrModule *module) {
    static const char *const stages[] = {"tokens", "ast", "typed", "ir", "opt", "bytecode"};
    size_t len = 0;
    JrStatus status = jr_module_header(module, count_bytes, &len);
    if (!status) status = jr_module_explain(module, JR_REPORT_JSON, count_bytes, &len);
    for (size_t i = 0; i < sizeof stages / sizeof *stages && !status; i++)
        status = jr_module_dump(module, stages[i], count_bytes, &len);
    return status;
}

/* Of what calls no host function. */
static JrStatus emitted(Env *env, JrContext *context) {
    JrCompileOptions o = {
        .size = sizeof o, .engine = env->engine, .name = "e.src", .opt_level = 1};
    JrEmitOptions eo = {.size = sizeof eo, .kind = "header", .function = "f(float64[:])"};
    JrModule *module = NULL;
    size_t len = 0;
    JrStatus status =
        jr_compile(context, "def f(x):\n    return x[0] + len(x)\n", &o, &module);
    if (!status) status = jr_module_emit(module, &eo, count_bytes, &len);
    if (!status && strcmp(env->engine, "llvm") == 0) eo.kind = "obj";
    if (!status && strcmp(env->engine, "tcc") == 0) eo.kind = "c";
    if (!status) status = jr_module_emit(module, &eo, count_bytes, &len);
    jr_module_free(module);
    return status;
}

static JrStatus evaluated(JrContext *context) {
    JrValue value = {.type = JR_NONE};
    size_t len = 0;
    JrStatus status = jr_eval(context, "np.arange(4) * 2", &value);
    if (!status) status = jr_value_print(&value, count_bytes, &len);
    jr_value_clear(&value);
    return status;
}

/* An error's message and places come from somewhere, too. */
static JrStatus failing(JrModule *module) {
    JrFunction *f;
    JrValue n = jr_int(-1), r;
    size_t len = 0;
    JrStatus status = jr_function(module, "fails", "(int64)", &f);
    if (status) return status;
    status = jr_call(f, 1, &n, &r);
    if (status == JR_MEMORY_ERROR) return status;
    assert_int_equal(status, JR_VALUE_ERROR);
    jr_error_report(module, JR_REPORT_TEXT, count_bytes, &len);
    return JR_OK;
}

static JrStatus called(Env *env, JrModule *module) {
    JrFunction *f;
    double data[3] = {3, 1, 2};
    JrArrayValue array = {JR_FLOAT64, 1, data, {3}, {1}, NULL, true};
    JrValue items[] = {jr_int(7), jr_array(&array), jr_bool(true), jr_array(&array)};
    JrValue tuple = {.type = JR_TUPLE, .as.tuple = {4, items}};
    JrValue args[] = {jr_array(&array), jr_int(5), tuple}, r = {.type = JR_NONE};
    env->out.len = 0;
    JrStatus status = jr_function_for(module, "work", 3, args, &f);
    if (!status) status = jr_call(f, 3, args, &r);
    if (!status) assert_true(((double *)r.as.tuple.items[0].as.array->data)[1] == 4);
    if (!status) assert_string_equal(env->out.text, "sum 6.0 5 7 (6, True) 5\n");
    jr_value_clear(&r);
    return status;
}

static JrStatus in_module(Env *env, JrModule *module) {
    JrFunction *f;
    JrStatus status = called(env, module);
    if (!status) jr_module_report(module, JR_REPORT_TEXT), status = jr_error()->status;
    if (!status) status = prepared(module);
    if (!status) status = jr_function(module, "typed", NULL, &f);
    if (!status) status = through_pointer(f);
    if (!status) status = failing(module);
    if (!status) status = written(module);
    if (!status) status = benched(module);
    return status;
}

/* Everything a program does, once; meter is NULL for malloc's memory. */
static JrStatus scenario(Env *env, Meter *meter) {
    JrContextOptions co = {.size = sizeof co, .write = sink_write, .write_user = &env->out};
    Meter none = {.fail_at = 0};
    if (meter) co.resize = meter_resize, co.release = meter_release, co.alloc_user = meter;
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .opt_level = 1};
    JrContext *context = jr_context_new(&co);
    if (!context) return jr_error()->status;
    JrModule *module = NULL;
    JrStatus status = jr_context_add_function(context, "lent", "int64(user, int64)",
                                              (JrHostFunction)lent, meter ? meter : &none);
    if (!status)
        status = jr_context_add_function(context, "both", "tuple[int64, bool](int64)",
                                         (JrHostFunction)both, NULL);
    if (!status)
        status = jr_context_add_function(context, "made",
                                         "tuple[int64[::1], int32[:]](user, int64)",
                                         (JrHostFunction)made, context);
    if (!status) status = jr_compile(context, scenario_source, &o, &module);
    if (!status) status = in_module(env, module);
    if (!status) status = emitted(env, context);
    if (!status) status = evaluated(context);
    jr_module_free(module);
    jr_context_free(context);
    assert_int_equal(wrapped, given_back);
    return status;
}

static void judge(long request, JrStatus status) {
    if (status != JR_OK && status != JR_MEMORY_ERROR)
        fail_msg("request %ld fails: %d %s: %s", request, status, jr_error()->name,
                 jr_error()->message);
}

static void fail_each_request(Env *env, bool all) {
    for (long at = 1;; at++) {
        Meter meter = {.fail_at = at, .fail_all = all};
        JrStatus status = scenario(env, &meter);
        if (meter.alive) fail_msg("request %ld fails: %ld leak", at, meter.alive);
        judge(at, status);
        if (meter.requests < at) {
            assert_int_equal(status, JR_OK);
            assert_true(at > 10);
            return;
        }
    }
}

static void each_request_for_memory_may_fail(void **state) {
    Env *env = *state;
    Meter meter = {.fail_at = 0};
    assert_ok(scenario(env, &meter));
    assert_int_equal(meter.alive, 0);
    fail_each_request(env, false);
    fail_each_request(env, true);
    assert_int_equal(scenario(env, &meter), JR_OK);
}

/* What a thread and the process keep is there after the first rounds. */
static void fail_each_malloc(Env *env, bool all) {
    for (int i = 0; i < 3; i++)
        assert_int_equal(scenario(env, NULL), JR_OK);
    long before = heap.alive;
    for (long at = 1;; at++) {
        heap.requests = 0, heap.fail_at = at, heap.fail_all = all;
        JrStatus status = scenario(env, NULL);
        bool enough = heap.requests < at;
        heap.fail_at = 0;
        if (heap.alive > before)
            fail_msg("malloc %ld fails: %ld leak", at, heap.alive - before);
        judge(at, status);
        if (enough) {
            assert_int_equal(status, JR_OK);
            print_message("%ld requests\n", at - 1);
            return;
        }
    }
}

static void each_malloc_may_fail(void **state) {
    Env *env = *state;
    if (strcmp(env->engine, "tcc") == 0 || !find_library()) skip();
    fail_each_malloc(env, false);
    fail_each_malloc(env, true);
    heap.mappings = 0;
}

/* A module whose memory ran out says so from then on; what it had goes on working. */
static void a_module_survives_running_out(void **state) {
    Env *env = *state;
    Meter meter = {.fail_at = 0};
    JrContextOptions co = {.size = sizeof co,
                           .resize = meter_resize,
                           .release = meter_release,
                           .alloc_user = &meter};
    JrContext *context = jr_context_new(&co);
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine};
    JrModule *module;
    JrFunction *f, *g;
    JrValue x = jr_int(20), r;
    assert_ok(jr_compile(context, "def f(x):\n    return x + 1\n", &o, &module));
    assert_ok(jr_function(module, "f", "(int64)", &f));
    meter.fail_at = meter.requests + 1, meter.fail_all = true;
    JrStatus status = JR_OK;
    static const char *const types[] = {"(int8)", "(int16)", "(int32)", "(uint8)",
                                        "(float64)"};
    for (int i = 0; i < 5 && !status; i++)
        status = jr_function(module, "f", types[i], &g);
    assert_int_equal(status, JR_MEMORY_ERROR);
    meter.fail_at = 0;
    assert_ok(jr_call(f, 1, &x, &r));
    assert_int_equal(r.as.i, 21);
    jr_module_free(module);
    jr_context_free(context);
    assert_int_equal(meter.alive, 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_for_memory_may_fail),
        cmocka_unit_test(each_malloc_may_fail),
        cmocka_unit_test(a_module_survives_running_out),
    };
    return run_on_engines("memory", tests, sizeof tests / sizeof *tests);
}

/* Threads, the order of freeing, and memory that runs out. */
#include "tests/unit/api_harness.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- Threads ---- */

enum { THREADS = 8, ROUNDS = 200 };

typedef struct Work {
    Env *env;
    JrModule *module;
    JrFunction *function;
    int64_t number;
    const char *wrong; /* what went wrong: cmocka's checks belong to the main thread */
} Work;

/* Even threads succeed, odd ones fail, each with an index of its own in the message. */
static void *call_often(void *user) {
    Work *w = user;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "index %d is", (int)w->number);
    double data[THREADS] = {0, 1, 2, 3, 4, 5, 6, 7};
    JrArrayValue array = {JR_FLOAT64, 1,    data, {w->number + 1 - w->number % 2},
                          {1},        NULL, true};
    JrValue args[] = {jr_array(&array), jr_int(w->number)}, r;
    for (int i = 0; i < ROUNDS && !w->wrong; i++) {
        JrStatus status = jr_call(w->function, 2, args, &r);
        if (w->number % 2 == 0 && (status || r.as.f != (double)w->number)) w->wrong = "result";
        if (w->number % 2 == 1 &&
            (status != JR_INDEX_ERROR || !strstr(jr_error()->message, wanted)))
            w->wrong = "error";
    }
    return NULL;
}

static void threads_share_a_function(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def at(x, i):\n    return x[i]\n");
    JrFunction *f = env_function(module, "at", "(float64[::1], int64)");
    pthread_t threads[THREADS];
    Work work[THREADS];
    for (int i = 0; i < THREADS; i++) {
        work[i] = (Work){.function = f, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_null(work[i].wrong);
    }
    assert_int_equal(jr_error()->status, JR_OK); /* theirs stayed theirs */
    jr_module_free(module);
}

static void *compile_often(void *user) {
    Work *w = user;
    JrContextOptions co = {.size = sizeof co};
    JrContext *context = jr_context_new(&co);
    JrCompileOptions o = {.size = sizeof o, .engine = w->env->engine};
    for (int i = 0; i < 5 && !w->wrong; i++) {
        char source[128];
        snprintf(source, sizeof source, "def f(x: int) -> int:\n    return x + %d\n",
                 (int)(w->number * 100 + i));
        JrModule *module;
        JrFunction *f;
        JrValue x = jr_int(1), r;
        if (jr_compile(context, source, &o, &module) || jr_function(module, "f", NULL, &f) ||
            jr_call(f, 1, &x, &r) || r.as.i != w->number * 100 + i + 1)
            w->wrong = "compile";
        jr_module_free(module);
    }
    jr_context_free(context);
    return NULL;
}

/* And all specialise one module meanwhile. */
static void *specialise_often(void *user) {
    static const char *const types[] = {"(int8)", "(int16)", "(int32)", "(float64[:])"};
    Work *w = user;
    for (int i = 0; i < 8 && !w->wrong; i++) {
        JrFunction *f;
        JrStatus status = jr_function(w->module, "twice", types[i % 4], &f);
        if (status != (i % 4 == 3 ? JR_ERR_COMPILE : JR_OK)) w->wrong = "specialise";
        jr_module_diagnostic_count(w->module);
    }
    return NULL;
}

static void contexts_are_independent(void **state) {
    Env *env = *state;
    pthread_t threads[4];
    Work work[4];
    JrModule *module = env_compile(env, "def twice(x):\n    return 2 if x > 0 else 1\n");
    for (int i = 0; i < 4; i++) {
        work[i] = (Work){.env = env, .module = module, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL,
                                        i < 2 ? compile_often : specialise_often, &work[i]),
                         0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_null(work[i].wrong);
    }
    jr_module_free(module);
}

/* ---- Lifetime ---- */

static void freeing_in_any_order(void **state) {
    Env *env = *state;
    JrContext *context = jr_context_new(NULL);
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine};
    JrModule *module;
    JrFunction *f;
    JrValue n = jr_int(5), r;
    assert_ok(jr_compile(
        context, "import numpy as np\ndef f(n: int):\n    return np.ones(n)\n", &o, &module));
    jr_context_free(context); /* the module keeps it */
    assert_ok(jr_function(module, "f", NULL, &f));
    assert_ok(jr_call(f, 1, &n, &r));
    jr_module_free(module);
    assert_true(((double *)r.as.array->data)[4] == 1);
    jr_value_clear(&r);
}

/* ---- Memory that runs out ---- */

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

static const char scenario_source[] =
    "import numpy as np\nfrom jitrun import float64\n"
    "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
    "def work(x, n, t):\n"
    "    y = (x * 2.0)[1:].copy()\n"
    "    print('sum', y.sum(), fib(n), lent(t[0]))\n"
    "    return y, (y[::-1], n), x\n"
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

/* Everything a host does, once. */
static JrStatus scenario(Env *env, Meter *meter) {
    JrContextOptions co = {.size = sizeof co,
                           .write = sink_write,
                           .write_user = &env->out,
                           .resize = meter_resize,
                           .release = meter_release,
                           .alloc_user = meter};
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine};
    JrContext *context = jr_context_new(&co);
    if (!context) return jr_error()->status;
    JrModule *module = NULL;
    JrFunction *f;
    double data[3] = {3, 1, 2};
    JrArrayValue array = {JR_FLOAT64, 1, data, {3}, {1}, NULL, true};
    JrValue items[] = {jr_int(7), jr_array(&array), jr_bool(true), jr_array(&array)};
    JrValue tuple = {.type = JR_TUPLE, .as.tuple = {4, items}};
    JrValue args[] = {jr_array(&array), jr_int(5), tuple}, r = {.type = JR_NONE};
    env->out.len = 0;
    JrStatus status = jr_context_add_function(context, "lent", "int64(user, int64)",
                                              (JrHostFunction)lent, meter);
    if (!status) status = jr_compile(context, scenario_source, &o, &module);
    if (!status) status = jr_function_for(module, "work", 3, args, &f);
    if (!status) status = jr_call(f, 3, args, &r);
    if (!status) assert_true(((double *)r.as.tuple.items[0].as.array->data)[1] == 4);
    if (!status) assert_string_equal(env->out.text, "sum 6.0 5 7\n");
    jr_value_clear(&r);
    if (module && jr_error()->status == JR_OK) jr_module_report(module, JR_REPORT_TEXT);
    if (!status) status = prepared(module);
    if (!status) status = jr_function(module, "typed", NULL, &f);
    if (!status) status = through_pointer(f);
    if (!status) status = jr_module_header(module, sink_write, &env->out);
    jr_module_free(module);
    jr_context_free(context);
    return status;
}

static void fail_each_request(Env *env, bool all) {
    for (long at = 1;; at++) {
        Meter meter = {.fail_at = at, .fail_all = all};
        JrStatus status = scenario(env, &meter);
        if (meter.alive) fail_msg("request %ld fails: %ld leak", at, meter.alive);
        if (meter.requests < at) {
            assert_int_equal(status, JR_OK);
            assert_true(at > 10);
            return;
        }
        if (status != JR_OK && status != JR_MEMORY_ERROR)
            fail_msg("request %ld fails: %s: %s", at, jr_error()->name, jr_error()->message);
    }
}

static void each_request_for_memory_may_fail(void **state) {
    Env *env = *state;
    Meter meter = {.fail_at = 0};
    assert_int_equal(scenario(env, &meter), JR_OK);
    assert_int_equal(meter.alive, 0);
    fail_each_request(env, false);
    fail_each_request(env, true);
    assert_int_equal(scenario(env, &meter), JR_OK);
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
        cmocka_unit_test(threads_share_a_function),
        cmocka_unit_test(contexts_are_independent),
        cmocka_unit_test(freeing_in_any_order),
        cmocka_unit_test(each_request_for_memory_may_fail),
        cmocka_unit_test(a_module_survives_running_out),
    };
    return run_on_engines("lifetime", tests, sizeof tests / sizeof *tests);
}

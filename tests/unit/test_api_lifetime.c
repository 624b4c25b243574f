/* Threads, and the order of freeing. */
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

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_function),
        cmocka_unit_test(contexts_are_independent),
        cmocka_unit_test(freeing_in_any_order),
    };
    return run_on_engines("lifetime", tests, sizeof tests / sizeof *tests);
}

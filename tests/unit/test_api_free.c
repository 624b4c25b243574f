/* Modules that are freed while they run: on another thread, and from inside. */
#include "tests/unit/api_harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* What the context has taken and not given back. */
static _Atomic long alive;

static void *counted_resize(void *user, void *pointer, size_t size) {
    void *moved = realloc(pointer, size);
    (void)user;
    if (moved && !pointer) alive++;
    return moved;
}

static void counted_release(void *user, void *pointer) {
    (void)user;
    alive--;
    free(pointer);
}

static JrContext *counted_context(void) {
    JrContextOptions o = {
        .size = sizeof o, .resize = counted_resize, .release = counted_release};
    JrContext *context = jr_context_new(&o);
    assert_non_null(context);
    return context;
}

static JrModule *compile(JrContext *context, const Env *env, const char *source) {
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .run_main = true};
    JrModule *module = NULL;
    assert_ok(jr_compile(context, source, &o, &module));
    return module;
}

/* ---- From inside ---- */

typedef struct Self {
    JrContext *context;
    JrModule *module;
    JrFunction *function;
    bool freed, with_context;
} Self;

/* Frees the module it is called from, and its context, at the bottom of n calls. */
static int64_t free_self(void *user, int64_t n) {
    Self *self = user;
    if (n > 0) {
        JrValue arg = jr_int(n - 1), r;
        if (jr_call(self->function, 1, &arg, &r)) jr_error_raise(jr_error()->status, NULL);
        return r.as.i;
    }
    long before = alive;
    jr_module_free(self->module);
    if (self->with_context) jr_context_free(self->context);
    self->freed = true;
    return alive == before ? 7 : -7; /* nothing may be gone yet */
}

static const char leaving[] = "import numpy as np\n"
                              "def f(n: int) -> int:\n"
                              "    a = np.ones(100)\n"
                              "    k = leave(n)\n"
                              "    a += k\n"
                              "    return int(a.sum()) // 100 - 1\n"
                              "leave(0)\n";

static Self self_make(const Env *env) {
    Self self = {.context = counted_context()};
    (void)env;
    return self;
}

static void self_compile(Self *self, const Env *env) {
    assert_ok(jr_context_add_function(self->context, "leave", "int64(user, int64)",
                                      (JrHostFunction)free_self, self));
    self->module = compile(self->context, env, leaving);
    self->function = env_function(self->module, "f", NULL);
}

/* More calls deep than a thread notes down one by one, too. */
static void a_module_frees_itself(void **state) {
    for (int depth = 0; depth < 20; depth++) {
        Self self = self_make(*state);
        self_compile(&self, *state);
        JrValue n = jr_int(depth), r;
        self.with_context = depth % 2;
        assert_ok(jr_call(self.function, 1, &n, &r));
        assert_int_equal(r.as.i, 7);
        assert_true(self.freed);
        if (!self.with_context) jr_context_free(self.context);
        assert_int_equal(alive, 0);
    }
}

static void a_module_frees_itself_through_a_pointer(void **state) {
    for (int depth = 0; depth < 2; depth++) {
        Self self = self_make(*state);
        self_compile(&self, *state);
        union {
            void *address;
            int64_t (*call)(int64_t);
        } p;
        assert_ok(jr_function_pointer(self.function, &p.address));
        self.with_context = true;
        assert_int_equal(p.call(depth), 7);
        assert_true(self.freed);
        jr_module_free(NULL); /* machine code that was returned to goes with the next call */
        assert_int_equal(alive, 0);
    }
}

static void a_body_frees_its_module(void **state) {
    Self self = self_make(*state);
    self_compile(&self, *state);
    self.with_context = true;
    assert_ok(jr_run(self.module));
    assert_true(self.freed);
    assert_int_equal(alive, 0);
}

static bool free_in_write(void *user, const char *bytes, size_t len) {
    Self *self = user;
    (void)bytes, (void)len;
    if (!self->freed) jr_module_free(self->module);
    self->freed = true;
    return true;
}

static void a_module_is_freed_as_it_prints(void **state) {
    Env *env = *state;
    Self self = {0};
    JrContextOptions o = {.size = sizeof o, .write = free_in_write, .write_user = &self};
    self.context = jr_context_new(&o);
    self.module =
        compile(self.context, env, "def f(n: int) -> int:\n    print(n)\n    return n\n");
    JrFunction *f = env_function(self.module, "f", NULL);
    JrValue n = jr_int(3), r;
    assert_ok(jr_call(f, 1, &n, &r));
    assert_int_equal(r.as.i, 3);
    assert_true(self.freed);
    jr_context_free(self.context);
}

/* ---- On other threads ---- */

typedef struct Runner {
    JrFunction *function;
    _Atomic int *started;
    JrStatus status;
    int64_t result;
} Runner;

static int64_t started(void *user, int64_t n) {
    atomic_fetch_add((_Atomic int *)user, 1);
    return n;
}

static void *run_it(void *user) {
    Runner *runner = user;
    JrValue n = jr_int(1), r = {.type = JR_NONE};
    runner->status = jr_call(runner->function, 1, &n, &r);
    runner->result = r.as.i;
    return NULL;
}

enum { RUNNERS = 4 };

/* What a program does that has had enough: it cancels, frees, and does not wait. */
static void cancel_and_free(void **state) {
    Env *env = *state;
    JrContext *context = counted_context();
    _Atomic int count = 0;
    assert_ok(jr_context_add_function(context, "started", "int64(user, int64)",
                                      (JrHostFunction)started, &count));
    JrModule *module = compile(context, env,
                               "def f(n: int) -> int:\n"
                               "    started(n)\n"
                               "    while n > 0:\n        n += n % 2\n"
                               "    return n\n");
    Runner runners[RUNNERS];
    pthread_t threads[RUNNERS];
    JrFunction *f = env_function(module, "f", NULL);
    for (int i = 0; i < RUNNERS; i++) {
        runners[i] = (Runner){.function = f, .started = &count};
        assert_int_equal(pthread_create(&threads[i], NULL, run_it, &runners[i]), 0);
    }
    while (count < RUNNERS)
        usleep(1000);
    assert_int_equal(jr_cancel(context, JR_TIMEOUT_ERROR), JR_OK);
    jr_module_free(module);
    jr_context_free(context);
    for (int i = 0; i < RUNNERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(runners[i].status, JR_TIMEOUT_ERROR);
    }
    assert_int_equal(alive, 0);
}

/* Each run ends by itself, one after the other, long after its module was freed. */
static int64_t wait_for(void *user, int64_t n) {
    _Atomic int *gate = user;
    atomic_fetch_add(&gate[0], 1);
    while (gate[1] == 0)
        usleep(500);
    return n;
}

static void a_run_outlives_its_module(void **state) {
    Env *env = *state;
    JrContext *context = counted_context();
    _Atomic int gate[2] = {0, 0};
    assert_ok(jr_context_add_function(context, "wait_for", "int64(user, int64)",
                                      (JrHostFunction)wait_for, gate));
    JrModule *module = compile(context, env,
                               "import numpy as np\n"
                               "def f(n: int) -> int:\n"
                               "    a = np.full(1000, wait_for(n))\n"
                               "    s = 0\n"
                               "    for i in range(len(a)):\n        s += a[i]\n"
                               "    return s\n");
    Runner runners[RUNNERS];
    pthread_t threads[RUNNERS];
    JrFunction *f = env_function(module, "f", NULL);
    for (int i = 0; i < RUNNERS; i++) {
        runners[i] = (Runner){.function = f};
        assert_int_equal(pthread_create(&threads[i], NULL, run_it, &runners[i]), 0);
    }
    while (gate[0] < RUNNERS)
        usleep(500);
    jr_module_free(module);
    jr_context_free(context);
    assert_true(alive > 0);
    gate[1] = 1;
    for (int i = 0; i < RUNNERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(runners[i].status, JR_OK);
        assert_int_equal(runners[i].result, 1000);
    }
    assert_int_equal(alive, 0);
}

typedef struct Idler {
    int64_t (*call)(int64_t n);
    _Atomic bool back, end;
} Idler;

static void *call_and_idle(void *user) {
    Idler *idler = user;
    if (idler->call(3) != 4) return user;
    idler->back = true;
    while (!idler->end)
        usleep(500);
    return NULL;
}

/* A pointer's call is over when its thread makes another one, or ends. */
static void a_thread_that_ends_lets_go(void **state) {
    Env *env = *state;
    JrContext *context = counted_context();
    _Atomic int count = 0;
    assert_ok(jr_context_add_function(context, "started", "int64(user, int64)",
                                      (JrHostFunction)started, &count));
    JrModule *module =
        compile(context, env, "def f(n: int) -> int:\n    return started(n) + 1\n");
    union {
        void *address;
        int64_t (*call)(int64_t);
    } p;
    Idler idler = {.back = false};
    pthread_t thread;
    void *wrong;
    assert_ok(jr_function_pointer(env_function(module, "f", NULL), &p.address));
    idler.call = p.call;
    assert_int_equal(pthread_create(&thread, NULL, call_and_idle, &idler), 0);
    while (!idler.back)
        usleep(500);
    jr_module_free(module);
    jr_context_free(context);
    if (strcmp(env->engine, "interp") != 0) assert_true(alive > 0);
    idler.end = true;
    pthread_join(thread, &wrong);
    assert_null(wrong);
    assert_int_equal(alive, 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_frees_itself),
        cmocka_unit_test(a_module_frees_itself_through_a_pointer),
        cmocka_unit_test(a_body_frees_its_module),
        cmocka_unit_test(a_module_is_freed_as_it_prints),
        cmocka_unit_test(cancel_and_free),
        cmocka_unit_test(a_run_outlives_its_module),
        cmocka_unit_test(a_thread_that_ends_lets_go),
    };
    return run_on_engines("freeing", tests, sizeof tests / sizeof *tests);
}

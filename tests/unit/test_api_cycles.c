/* Compile, call, free, many times over: memory stays flat.
 *
 *     build/tests/test_api_cycles [CYCLES [ENGINES]]
 *
 * Without arguments a few hundred cycles on each engine; 10000 takes the LLVM engine some minutes.
 * Every cycle is another program, called in each of the ways there are, one of them an error. Says what
 * a cycle took and by how much resident memory grew after the first quarter, in which caches fill
 * and malloc finds its size. */
#include "tests/unit/api_harness.h"
#include "tests/unit/memcheck.h"

#include <time.h>
#include <unistd.h>

static int cycles; /* 0: as many as the engine does in a few seconds */

static long resident_kib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double lent(void *user, const double *x, int64_t x_len, double by) {
    ++*(int64_t *)user;
    return x_len ? x[x_len - 1] * by : 0;
}

/* LLVM takes a while for it. */
static bool has_loop(int number) {
    return number % 8 == 0;
}

static const char parallel_loop[] = "@njit(parallel=True)\n"
                                    "def adds(x: float64[:]) -> float:\n    s = 0.0\n"
                                    "    for i in prange(len(x)):\n        s += x[i]\n"
                                    "    return s\n";

static JrModule *compile(Env *env, int number) {
    char source[768];
    snprintf(source, sizeof source,
             "import numpy as np\nfrom jitrun import float64, njit, prange\n%s"
             "def made_%d(n: int):\n    a = np.zeros(n)\n    a[n - 1] = %d.5\n"
             "    return a, a[:2]\n"
             "def borrows(x: float64[::1], by: float) -> float:\n"
             "    return lent(x, by) + %d\n"
             "def grows(x):\n    return x + %d\n",
             has_loop(number) ? parallel_loop : "", number, number, number, number);
    return env_compile(env, source);
}

static void call_with_values(JrModule *module, int number) {
    char name[32];
    snprintf(name, sizeof name, "made_%d", number);
    JrValue n = jr_int(3), bad = jr_int(0), r;
    JrFunction *f = env_function(module, name, NULL);
    assert_ok(jr_call(f, 1, &n, &r));
    assert_true(((double *)r.as.tuple.items[0].as.array->data)[2] == number + 0.5);
    jr_value_clear(&r);
    assert_int_equal(jr_call(f, 1, &bad, &r), JR_INDEX_ERROR);
    JrPrepared *prepared;
    assert_ok(jr_function_prepare(env_function(module, "grows", "(int64)"), &prepared));
    assert_ok(jr_prepared_set(prepared, 0, &n));
    assert_ok(jr_prepared_call(prepared, &r));
    assert_int_equal(r.as.i, 3 + number);
    jr_prepared_free(prepared);
}

static void call_through_pointers(JrModule *module, int number) {
    union {
        void *address;
        double (*borrows)(const double *x, int64_t x_len, double by);
        double (*adds)(const double *x, int64_t x_len, int64_t x_stride);
        float (*grows)(float x);
    } p;
    static const double x[] = {1, 2, 4};
    assert_ok(jr_function_pointer(env_function(module, "borrows", NULL), &p.address));
    assert_true(p.borrows(x, 3, 2) == 8 + number);
    assert_ok(jr_function_pointer(env_function(module, "grows", "(float32)"), &p.address));
    assert_true(p.grows(0.5f) == 0.5f + (float)number);
    if (!has_loop(number)) return;
    assert_ok(jr_function_pointer(env_function(module, "adds", NULL), &p.address));
    assert_true(p.adds(x + 2, 3, -1) == 7);
}

static void compile_call_free(Env *env, int number) {
    JrModule *module = compile(env, number);
    call_with_values(module, number);
    call_through_pointers(module, number);
    jr_module_free(module);
}

/* A module that is freed by a function it has called, so that its code goes later. */
static int64_t leave(void *user, int64_t n) {
    jr_module_free(*(JrModule **)user);
    return n;
}

static JrModule *leaving; /* compiled, and about to be freed from inside */

static void freed_while_called(Env *env, int number) {
    leaving = env_compile(env, "def f(n: int) -> int:\n    return leave(n) + 1\n");
    JrFunction *f = env_function(leaving, "f", NULL);
    union {
        void *address;
        int64_t (*call)(int64_t);
    } p;
    JrValue n = jr_int(number), r;
    if (number % 2) {
        assert_ok(jr_call(f, 1, &n, &r));
        assert_int_equal(r.as.i, number + 1);
        return;
    }
    assert_ok(jr_function_pointer(f, &p.address));
    assert_int_equal(p.call(number), number + 1);
}

/* Whether resident memory says something: it does not under valgrind and the sanitizers, which keep
 * what was freed. */
static bool memory_is_judged(void) {
#ifdef JITRUN_SANITIZED
    return false;
#else
    return !under_memcheck();
#endif
}

static void repeat(Env *env, void (*cycle)(Env *env, int number)) {
    int count = cycles ? cycles : strcmp(env->engine, "llvm") == 0 ? 60 : 600;
    long before = 0;
    double start = cpu_seconds();
    for (int i = 0; i < count; i++) {
        if (i == count / 4) before = resident_kib();
        if (cycles && i % (count / 8 + 1) == 0)
            print_message("%6d cycles, %6ld KiB resident, %.1f s of CPU\n", i, resident_kib(),
                          cpu_seconds() - start);
        cycle(env, i);
    }
    long grown = resident_kib() - before;
    print_message("%6d cycles, %.2f ms of CPU each, %ld KiB more after the first quarter\n",
                  count, (cpu_seconds() - start) * 1e3 / count, grown);
    if (memory_is_judged() && grown > 2048)
        fail_msg("%ld KiB more after %d cycles", grown, count);
}

static void memory_stays_flat(void **state) {
    Env *env = *state;
    int64_t lent_out = 0;
    assert_ok(jr_context_add_function(env->context, "lent",
                                      "float64(user, const float64[::1], float64)",
                                      (JrHostFunction)lent, &lent_out));
    repeat(env, compile_call_free);
    assert_true(lent_out > 0);
}

static void memory_stays_flat_when_freed_late(void **state) {
    Env *env = *state;
    assert_ok(jr_context_add_function(env->context, "leave", "int64(user, int64)",
                                      (JrHostFunction)leave, &leaving));
    repeat(env, freed_while_called);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_stays_flat),
        cmocka_unit_test(memory_stays_flat_when_freed_late),
    };
    if (argc > 1) cycles = atoi(argv[1]);
    if (argc > 2) setenv("TEST_ENGINES", argv[2], 1);
    return run_on_engines("cycles", tests, sizeof tests / sizeof *tests);
}

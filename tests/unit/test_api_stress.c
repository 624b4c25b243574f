/* 64 threads in nested parallel loops, while others fork, change how many threads there are, and
 * free code. Bounded by time; each engine has its share of the threads. */
#include "tests/unit/api_harness.h"
#include "tests/unit/memcheck.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_HOSTS = 64,
    FORKERS = 2,
    RESIZERS = 2,
    ROWS = 12,
    COLUMNS = 700,
    ROUNDS_EACH = 15
};

static const int seconds = 5;

/* Sums of whole numbers: exact, so that every one can be checked. */
static const char source[] = "from jitrun import njit, prange, float64, int64\n"
                             "import numpy as np\n"
                             "@njit(parallel=True)\n"
                             "def inner(x: float64[::1]) -> float64:\n"
                             "    s = 0.0\n"
                             "    for i in prange(len(x)):\n"
                             "        s += x[i]\n"
                             "    return s\n"
                             "@njit(parallel=True)\n"
                             "def outer(a: float64[:, ::1]) -> float64:\n"
                             "    t = 0.0\n"
                             "    for i in prange(len(a)):\n"
                             "        t += inner(a[i])\n"
                             "    b = a * 2.0\n"
                             "    return t + b.sum() + b.max()\n"
                             "@njit(parallel=True)\n"
                             "def fails(a: float64[:, ::1], n: int64) -> float64:\n"
                             "    s = 0.0\n"
                             "    for i in prange(n):\n"
                             "        s += a[i, 0]\n"
                             "    return s\n";

static _Atomic bool over;
static _Atomic long calls, freed, children, raised;
static const char *engines[3];
static int engine_count;

typedef double Outer(const double *a, int64_t rows, int64_t columns);
typedef double Fails(const double *a, int64_t rows, int64_t columns, int64_t n);

typedef struct Kernels {
    JrModule *module;
    Outer *outer;
    Fails *fails;
} Kernels;

static void *pointer_to(JrModule *module, const char *name) {
    JrFunction *function;
    void *pointer;
    if (jr_function(module, name, NULL, &function)) return NULL;
    return jr_function_pointer(function, &pointer) ? NULL : pointer;
}

static bool compile(JrContext *context, const char *engine, Kernels *kernels) {
    JrCompileOptions options = {.size = sizeof options, .engine = engine};
    if (jr_compile(context, source, &options, &kernels->module)) return false;
    *(void **)&kernels->outer = pointer_to(kernels->module, "outer");
    *(void **)&kernels->fails = pointer_to(kernels->module, "fails");
    return kernels->outer && kernels->fails;
}

static double fill(double *a, int seed) {
    double sum = 0, most = 0;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        a[i] = (i * 7 + seed) % 1000;
        sum += a[i];
        most = a[i] > most ? a[i] : most;
    }
    return 3 * sum + 2 * most;
}

static const char *call_both(const Kernels *kernels, const double *a, double want) {
    if (kernels->outer(a, ROWS, COLUMNS) != want) return "a wrong sum";
    if (jr_error()->status != JR_OK) return "an error that was none";
    kernels->fails(a, ROWS, COLUMNS, ROWS + 50);
    const JrError *error = jr_error();
    if (error->status != JR_INDEX_ERROR) return "no error";
    if (!strstr(error->message, "index 12 is out of bounds"))
        return "another iteration's error";
    atomic_fetch_add(&calls, 1);
    atomic_fetch_add(&raised, 1);
    return NULL;
}

static void *host(void *user) {
    int self = (int)(intptr_t)user;
    const char *engine = engines[self % engine_count], *problem = NULL;
    double *a = malloc(sizeof *a * ROWS * COLUMNS), want = a ? fill(a, self) : 0;
    JrContext *context = jr_context_new(NULL);
    while (!atomic_load(&over) && !problem) {
        Kernels kernels = {0};
        if (!a || !context || !compile(context, engine, &kernels)) problem = "not compiled";
        for (int i = 0; i < ROUNDS_EACH && !atomic_load(&over) && !problem; i++)
            problem = call_both(&kernels, a, want);
        jr_module_free(kernels.module);
        atomic_fetch_add(&freed, 1);
    }
    jr_context_free(context);
    free(a);
    return (void *)problem;
}

static void *resizer(void *user) {
    struct timespec brief = {.tv_nsec = 300000};
    for (int n = (int)(intptr_t)user; !atomic_load(&over); n = (n * 5 + 1) % 10) {
        jr_set_num_threads(n); /* 0 is the default */
        nanosleep(&brief, NULL);
    }
    return NULL;
}

#ifndef JITRUN_SANITIZED
/* The forker alone uses its context; locks of others may be held for ever in the child. */
static void *forker(void *user) {
    const char *problem = NULL;
    double *a = malloc(sizeof *a * ROWS * COLUMNS), want = a ? fill(a, 1) : 0;
    JrContext *context = jr_context_new(NULL);
    Kernels kernels = {0};
    const char *engine = engines[(int)(intptr_t)user % engine_count];
    if (!a || !context || !compile(context, engine, &kernels)) problem = "not compiled";
    while (!atomic_load(&over) && !problem) {
        pid_t child = fork();
        if (child == 0) {
            alarm(memcheck_size(30, 600));
            _exit(call_both(&kernels, a, want) ? 1 : 0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            problem =
                WIFSIGNALED(status) ? "a child hangs or crashes" : "a child computes wrong";
        atomic_fetch_add(&children, 1);
    }
    jr_module_free(kernels.module);
    jr_context_free(context);
    free(a);
    return (void *)problem;
}
#endif

static void everything_at_once(void **state) {
    (void)state;
    pthread_t threads[MOST_HOSTS + FORKERS + RESIZERS];
    int count = 0, hosts = memcheck_size(MOST_HOSTS, 8);
    for (intptr_t i = 0; i < hosts; i++)
        assert_int_equal(pthread_create(&threads[count++], NULL, host, (void *)i), 0);
    for (intptr_t i = 0; i < RESIZERS; i++)
        assert_int_equal(pthread_create(&threads[count++], NULL, resizer, (void *)i), 0);
#ifndef JITRUN_SANITIZED
    for (intptr_t i = 0; i < FORKERS; i++)
        assert_int_equal(pthread_create(&threads[count++], NULL, forker, (void *)i), 0);
#endif
    struct timespec time = {.tv_sec = seconds};
    nanosleep(&time, NULL);
    atomic_store(&over, true);
    const char *problem = NULL;
    for (int i = 0; i < count; i++) {
        void *found;
        pthread_join(threads[i], &found);
        if (found) problem = found;
    }
    if (problem) fail_msg("%s", problem);
    print_message("%ld calls, %ld errors, %ld modules freed, %ld children\n",
                  atomic_load(&calls), atomic_load(&raised), atomic_load(&freed),
                  atomic_load(&children));
    assert_true(atomic_load(&calls) > 0);
    jr_set_num_threads(0);
}

int main(void) {
    setenv("JITRUN_PARALLEL_THRESHOLD", "0", 1);
    JrContext *context = jr_context_new(NULL);
    static const char *const all[] = {"interp", "tcc", "llvm"};
    for (int i = 0; i < 3; i++)
        if (engine_is_wanted(all[i]) && jr_engine_available(context, all[i]))
            engines[engine_count++] = all[i];
    jr_context_free(context);
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

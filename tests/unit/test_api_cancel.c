/* jr_cancel: on every engine, what runs for ever ends at once when another thread, or a signal
 * handler, says so. */
#include "tests/unit/api_harness.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static const char source[] = "import numpy as np\n"
                             "from jitrun import njit, prange, float64\n"
                             "def quick(n: int) -> int:\n"
                             "    return n + 1\n"
                             "def waiting(n: int) -> int:\n"
                             "    while n >= 0:\n"
                             "        n = (n + 1) % 7\n"
                             "    return n\n"
                             "def returning(n: int) -> int:\n"
                             "    while True:\n"
                             "        n = (n + 1) % 7\n"
                             "        if n < 7:\n"
                             "            continue\n"
                             "        n = 0\n"
                             "    return n\n"
                             "def counting(n: int) -> int:\n"
                             "    s = 0\n"
                             "    for i in range(n, 2**62):\n"
                             "        s ^= i\n"
                             "    return s\n"
                             "def downwards(n: int) -> int:\n"
                             "    s = 0\n"
                             "    for i in range(2**62, n, -3):\n"
                             "        if s == -1:\n"
                             "            break\n"
                             "        s = (s ^ i) & 1023\n"
                             "    return s\n"
                             "def strange(n: int) -> int:\n"
                             "    s = 0\n"
                             "    for i in range(0, 2**62, n):\n"
                             "        s ^= i\n"
                             "    return s\n"
                             "def striding(n: int) -> int:\n"
                             "    x = np.ones(1, np.int64)\n"
                             "    s = 0\n"
                             "    for i in range(0, 2**62, n):\n"
                             "        s += x[i * 0]\n"
                             "    return s\n"
                             "def nested(n: int) -> int:\n"
                             "    x = np.zeros(100)\n"
                             "    for i in range(2**62):\n"
                             "        y = x + 1.0\n"
                             "        for j in range(100):\n"
                             "            x[j] = y[j] * 0.5 + n\n"
                             "    return 0\n"
                             "def fib(n: int) -> int:\n"
                             "    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
                             "def recursion(n: int) -> int:\n"
                             "    return fib(90 + n)\n"
                             "def even(n: int) -> int:\n"
                             "    return 0 if n <= 0 else odd(n - 1) + odd(n - 2)\n"
                             "def odd(n: int) -> int:\n"
                             "    return 1 if n <= 0 else even(n - 1) + even(n - 2)\n"
                             "def mutual(n: int) -> int:\n"
                             "    return even(90 + n)\n"
                             "@njit(parallel=True)\n"
                             "def threads(n: int) -> int:\n"
                             "    s = 0\n"
                             "    for i in prange(2**40):\n"
                             "        s += i & n\n"
                             "    return s\n"
                             "@njit(parallel=True)\n"
                             "def unbalanced(n: int) -> int:\n"
                             "    s = 0\n"
                             "    for i in prange(100):\n"
                             "        k = i\n"
                             "        while k >= 0:\n"
                             "            k = (k + n) % 1000\n"
                             "        s += k\n"
                             "    return s\n";

static const char *const endless[] = {"waiting", "returning", "counting",  "downwards",
                                      "strange", "striding",  "nested",    "recursion",
                                      "mutual",  "threads",   "unbalanced"};
enum { ENDLESS = sizeof endless / sizeof endless[0] };

/* The LLVM engine leaves a pass whole. */
static const char *endless_on(const Env *env, int k) {
    bool pass = !strcmp(endless[k], "striding");
    return pass && !strcmp(env->engine, "llvm") ? "strange" : endless[k];
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pause_ms(int ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

typedef struct Stopper {
    JrContext *context;
    JrStatus reason;
    double at; /* when */
    _Atomic bool done;
} Stopper;

/* Again and again, as on a busy machine the first may come before the run has begun. */
static void *stop_soon(void *user) {
    Stopper *stopper = user;
    pause_ms(30);
    stopper->at = now();
    do {
        jr_cancel(stopper->context, stopper->reason);
        pause_ms(30);
    } while (!stopper->done);
    return NULL;
}

/* A machine that is busy elsewhere may take its time; that it ends at all is what counts. */
enum { PATIENCE = 20 };

static void what_runs_for_ever_ends(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    for (int k = 0; k < ENDLESS; k++) {
        JrFunction *function = env_function(module, endless_on(env, k), NULL);
        JrStatus reason = k % 2 ? JR_TIMEOUT_ERROR : JR_KEYBOARD_INTERRUPT;
        Stopper stopper = {.context = env->context, .reason = reason};
        JrValue n = jr_int(1), result = jr_int(7);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stopper), 0);
        JrStatus status = jr_call(function, 1, &n, &result);
        double end = now();
        stopper.done = true;
        pthread_join(thread, NULL);
        if (status != reason) fail_msg("%s: %s", endless[k], jr_error()->message);
        assert_true(end >= stopper.at && end < stopper.at + PATIENCE);
        assert_string_equal(jr_error()->message, k % 2 ? "timed out" : "interrupted");
        assert_true(jr_error()->frame_count > 0);
        assert_int_equal(result.type, JR_NONE);
    }
    /* nothing is left of it */
    JrValue n = jr_int(1), result;
    assert_ok(jr_call(env_function(module, "quick", NULL), 1, &n, &result));
    assert_int_equal(result.as.i, 2);
    n = jr_int(-88);
    assert_ok(jr_call(env_function(module, "recursion", NULL), 1, &n, &result));
    assert_int_equal(result.as.i, 1);
    jr_module_free(module);
}

/* ThreadSanitizer keeps signals back until the thread calls something. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { SIGNALS_COME_LATE = true };
#else
enum { SIGNALS_COME_LATE = false };
#endif
#else
enum { SIGNALS_COME_LATE = false };
#endif

static JrContext *signalled;

static void on_alarm(int number) {
    (void)number;
    jr_cancel(signalled, JR_TIMEOUT_ERROR);
}

static void signal_handlers_may_cancel(void **state) {
    Env *env = *state;
    if (SIGNALS_COME_LATE) skip();
    JrModule *module = env_compile(env, source);
    signalled = env->context;
    signal(SIGALRM, on_alarm);
    for (int k = 0; k < ENDLESS; k++) {
        JrFunction *function = env_function(module, endless_on(env, k), NULL);
        JrValue n = jr_int(1);
        struct itimerval timer = {.it_value = {.tv_usec = 20000},
                                  .it_interval = {.tv_usec = 20000}};
        setitimer(ITIMER_REAL, &timer, NULL);
        assert_fails(jr_call(function, 1, &n, NULL), JR_TIMEOUT_ERROR, "timed out");
        setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    }
    signal(SIGALRM, SIG_DFL);
    jr_module_free(module);
}

static void later_calls_and_other_contexts_go_on(void **state) {
    Env *env = *state;
    JrContext *other = jr_context_new(NULL);
    JrModule *module = env_compile(env, source);
    JrFunction *fib = env_function(module, "fib", NULL);
    JrValue n = jr_int(15), result;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(jr_cancel(env->context, JR_KEYBOARD_INTERRUPT), JR_OK);
        assert_int_equal(jr_cancel(other, JR_KEYBOARD_INTERRUPT), JR_OK);
        assert_ok(jr_call(fib, 1, &n, &result));
        assert_int_equal(result.as.i, 610);
    }
    jr_module_free(module);
    jr_context_free(other);
}

/* Deep recursion is still found, also just after an alarm. */
static void recursion_is_still_limited(void **state) {
    Env *env = *state;
    JrModule *module =
        env_compile(env, "def down(n: int) -> int:\n    return down(n + 1) + 1\n");
    JrValue n = jr_int(0);
    for (int i = 0; i < 3; i++) {
        jr_cancel(env->context, JR_KEYBOARD_INTERRUPT);
        assert_fails(jr_call(env_function(module, "down", NULL), 1, &n, NULL),
                     JR_RECURSION_ERROR, "recursion");
    }
    jr_module_free(module);
}

static void wrong_arguments_are_refused(void **state) {
    Env *env = *state;
    assert_int_equal(jr_cancel(NULL, JR_KEYBOARD_INTERRUPT), JR_ERR_ARGUMENT);
    assert_int_equal(jr_cancel(env->context, JR_OK), JR_ERR_ARGUMENT);
    assert_int_equal(jr_cancel(env->context, JR_INDEX_ERROR), JR_ERR_ARGUMENT);
    assert_int_equal(jr_error()->status, JR_OK);
}

typedef struct Worker {
    JrFunction *function;
    JrStatus status;
    _Atomic bool started;
} Worker;

static void *work(void *user) {
    Worker *worker = user;
    JrValue n = jr_int(1);
    worker->started = true;
    worker->status = jr_call(worker->function, 1, &n, NULL);
    return NULL;
}

/* Threads come and go meanwhile: their slots are used again. */
static void every_thread_is_stopped(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    enum { THREADS = 6 };
    for (int round = 0; round < 3; round++) {
        Worker workers[THREADS];
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            workers[i] = (Worker){.function = env_function(
                                      module, endless_on(env, (i + round) % ENDLESS), NULL)};
            assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
            while (!workers[i].started)
                pause_ms(1);
        pause_ms(30);
        jr_cancel(env->context, JR_KEYBOARD_INTERRUPT);
        for (int i = 0; i < THREADS; i++) {
            /* one that had not got to its kernel yet is told again */
            struct timespec soon;
            clock_gettime(CLOCK_REALTIME, &soon);
            soon.tv_sec += 1;
            while (pthread_timedjoin_np(threads[i], NULL, &soon) != 0) {
                jr_cancel(env->context, JR_KEYBOARD_INTERRUPT);
                soon.tv_sec += 1;
            }
            assert_int_equal(workers[i].status, JR_KEYBOARD_INTERRUPT);
        }
    }
    jr_module_free(module);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_for_ever_ends),
        cmocka_unit_test(signal_handlers_may_cancel),
        cmocka_unit_test(later_calls_and_other_contexts_go_on),
        cmocka_unit_test(recursion_is_still_limited),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(every_thread_is_stopped),
    };
    return run_on_engines("cancelling", tests, sizeof tests / sizeof tests[0]);
}

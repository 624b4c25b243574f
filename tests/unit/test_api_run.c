/* jr_run with the engine left to the library: a body is tried in the interpreter, and begun anew on a
 * faster engine when that takes too long. What a program sees is one run. */
#include "tests/unit/api_harness.h"

#include <pthread.h>
#include <stdatomic.h>

/* Whatever is printed, by kind of line: large outputs are counted. */
typedef struct Out {
    char text[4096];
    size_t len, total;
    uint32_t hash;
} Out;

static bool out_write(void *user, const char *bytes, size_t len) {
    Out *out = user;
    for (size_t i = 0; i < len; i++) {
        if (out->len + 1 < sizeof out->text) out->text[out->len++] = bytes[i];
        out->hash = out->hash * 31 + (unsigned char)bytes[i];
    }
    out->text[out->len] = 0;
    out->total += len;
    return true;
}

static void keep_line(void *user, const char *line) {
    Sink *log = user;
    sink_write(log, line, strlen(line));
    sink_write(log, "\n", 1);
}

static int32_t twice(int32_t x) {
    return 2 * x;
}

typedef struct Run {
    Out out;
    Sink log;
    JrContext *context;
    JrModule *module;
    JrStatus status;
} Run;

/* Compiles for `engine`, NULL for auto, and runs. */
static Run *run_new(const char *source, const char *engine) {
    Run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    JrContextOptions co = {.size = sizeof co,
                           .write = out_write,
                           .write_user = &run->out,
                           .log = keep_line,
                           .log_user = &run->log};
    run->context = jr_context_new(&co);
    assert_ok(jr_context_add_function(run->context, "twice", "int32(int32)",
                                      (void (*)(void))twice, NULL));
    JrCompileOptions options = {
        .size = sizeof options, .name = "t.src", .run_main = true, .engine = engine};
    if (jr_compile(run->context, source, &options, &run->module) != JR_OK)
        fail_msg("%s", jr_module_report(run->module, JR_REPORT_TEXT));
    run->status = jr_run(run->module);
    return run;
}

static void run_free(Run *run) {
    jr_module_free(run->module);
    jr_context_free(run->context);
    free(run);
}

static bool made_for(const Run *run, const char *engine) {
    char line[64];
    snprintf(line, sizeof line, "made for %s", engine);
    return strstr(run->log.text, line) != NULL;
}

/* The best engine there is. */
static const char *best(void) {
    JrContext *context = jr_context_new(NULL);
    const char *name = jr_engine_available(context, "llvm")  ? "llvm"
                       : jr_engine_available(context, "tcc") ? "tcc"
                                                             : "interp";
    jr_context_free(context);
    return name;
}

/* The library may have been built with the interpreter alone. */
static bool has_another(void) {
    JrContext *context = jr_context_new(NULL);
    bool another = jr_engine_available(context, "llvm") || jr_engine_available(context, "tcc");
    jr_context_free(context);
    return another;
}

/* What became of a trial, where there is another engine. */
typedef enum Trial {
    NONE,
    STAYS, /* on a machine that is busy it may be given up: not every time */
    GIVEN_UP,
    EITHER
} Trial;

static bool is_as_expected(const Run *run, Trial trial) {
    if (!has_another()) return true;
    if (trial == EITHER) return made_for(run, "interp");
    return made_for(run, "interp") == (trial != NONE) &&
           made_for(run, best()) == (trial != STAYS);
}

/* The same output and the same end as on one engine from beginning to end. */
static void check(const char *source, Trial trial) {
    Run *plain = run_new(source, best());
    bool expected = false;
    for (int i = 0; i < 20 && !expected; i++) {
        Run *run = run_new(source, NULL);
        expected = is_as_expected(run, trial);
        assert_int_equal(run->status, plain->status);
        assert_string_equal(run->out.text, plain->out.text);
        assert_int_equal(run->out.total, plain->out.total);
        assert_int_equal(run->out.hash, plain->out.hash);
        run_free(run);
        if (trial != STAYS) break;
    }
    assert_true(expected);
    run_free(plain);
}

#define HEAD                                                                                  \
    "import numpy as np\nimport random\nfrom jitrun import njit, prange\n"                    \
    "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"                       \
    "def deep(n: int) -> int:\n    return deep(n + 1) + 1\n"                                  \
    "def count(n):\n    s = 0\n    while n:\n        s += n & 1\n        n -= 1\n    return " \
    "s\n"

static void short_ones_stay(void **state) {
    (void)state;
    check(HEAD "x = np.zeros(5)\nprint(np.mean(x), count(len(x)))\n", STAYS);
    check(HEAD "print(fib(len(np.zeros(9))))\n", STAYS);
    check(HEAD "a = np.zeros(40000)\nb = a + 1\nprint(b[-1])\n", STAYS);
}

static void long_ones_begin_anew(void **state) {
    (void)state;
    check(HEAD "print('begin')\nprint(count(len(np.zeros(20000000))))\nprint('end')\n",
          GIVEN_UP);
    check(HEAD "print(1)\nprint(fib(len(np.zeros(30))))\n", GIVEN_UP);
    check(HEAD "a = np.zeros(6000)\nfor i in range(len(a)):\n    a += np.sqrt(a + i)\n"
               "print(a.sum())\n",
          GIVEN_UP);
    check(HEAD "for i in range(len(np.zeros(1000000))):\n    print(i)\n", GIVEN_UP);
}

static void errors_are_the_first(void **state) {
    (void)state;
    check(HEAD "print(1)\na = np.zeros(3)\nprint(a[len(a)])\n", STAYS);
    check(HEAD "print(1)\nprint(deep(len(np.zeros(3))))\n", EITHER);
    check(HEAD "x = count(len(np.zeros(20000000)))\nprint(x)\nassert x < 0\n", GIVEN_UP);
}

/* What a second beginning would show: another draw, another call of the program's. */
static void some_are_not_tried(void **state) {
    (void)state;
    check(HEAD "random.seed(3)\nprint(random.random())\nprint(count(len(np.zeros(5))))\n",
          NONE);
    check(HEAD "np.random.seed(3)\nprint(np.random.rand(3), count(len(np.zeros(5))))\n", NONE);
    check(HEAD "print(twice(np.int32(count(len(np.zeros(5))))))\n", NONE);
    check(HEAD "@njit(parallel=True)\ndef f(x):\n    s = 0.0\n    for i in prange(len(x)):\n"
               "        s += x[i]\n    return s\nprint(f(np.ones(9)))\n",
          NONE);
}

static void the_second_run_knows(void **state) {
    (void)state;
    Run *run = run_new(HEAD "print(count(len(np.zeros(20000000))))\n", NULL);
    size_t before = run->log.len;
    assert_ok(jr_run(run->module));
    assert_string_equal(run->out.text, "10000000\n10000000\n");
    assert_int_equal(run->log.len, before); /* nothing was made */
    run_free(run);
}

/* A function, called once with n: 10 is short, 10,000,000 is long. */
static void call_once(const char *name, int64_t n, JrStatus status, Trial trial) {
    static const char source[] =
        HEAD "def sizes(n):\n    return count(n), np.arange(n)[-1]\n"
             "def fails(n):\n    print(n)\n    return np.zeros(n)[count(n) + n]\n"
             "def writes(a, n):\n    for i in range(n):\n        a[0] += 1\n    return a[0]\n";
    Run *run = run_new(source, NULL);
    JrArrayValue array = {.dtype = JR_FLOAT64, .ndim = 1, .shape = {1}, .strides = {1}};
    double element = 0;
    array.data = &element;
    JrValue args[] = {{.type = JR_ARRAY, .as.array = &array}, jr_int(n)}, result;
    bool writes = strcmp(name, "writes") == 0;
    run->log = (Sink){.len = 0}; /* of the body */
    assert_int_equal(
        jr_call_once(run->module, name, writes ? 2 : 1, writes ? args : args + 1, &result),
        status);
    if (!status && !writes) {
        assert_int_equal(result.as.tuple.items[0].as.i, n / 2);
        assert_int_equal(result.as.tuple.items[1].as.i, n - 1);
    }
    if (writes) assert_true(element == (double)n);
    if (status) assert_int_equal(result.type, JR_NONE);
    if (has_another() && trial != EITHER) {
        assert_int_equal(made_for(run, "interp"), trial != NONE);
        if (trial == NONE || trial == GIVEN_UP) assert_true(made_for(run, best()));
    }
    jr_value_clear(&result);
    run_free(run);
}

static void functions_are_called_once(void **state) {
    (void)state;
    call_once("sizes", 10, JR_OK, STAYS);
    call_once("sizes", 10000000, JR_OK, GIVEN_UP);
    call_once("fails", 10, JR_INDEX_ERROR, STAYS);
    call_once("fails", 10000000, JR_INDEX_ERROR, GIVEN_UP);
    call_once("writes", 10000000, JR_OK, NONE);
    call_once("nothing", 1, JR_ERR_NOT_FOUND, EITHER);
    call_once("deep", 1, JR_RECURSION_ERROR, EITHER);
}

static atomic_bool over;

/* Again and again: one that comes before jr_run does nothing. */
static void *cancel(void *user) {
    struct timespec soon = {.tv_nsec = 10000000};
    while (!atomic_load(&over)) {
        nanosleep(&soon, NULL);
        jr_cancel(user, JR_KEYBOARD_INTERRUPT);
    }
    return NULL;
}

static void it_can_be_cancelled(void **state) {
    (void)state;
    static const char forever[] = HEAD "n = len(np.zeros(3))\nwhile n:\n    n = n % 7 + 1\n";
    Run *run = run_new("print(1)\n", NULL);
    JrCompileOptions options = {.size = sizeof options, .run_main = true};
    JrModule *module;
    pthread_t thread;
    assert_ok(jr_compile(run->context, forever, &options, &module));
    for (int i = 0; i < 2; i++) {
        atomic_store(&over, false);
        assert_int_equal(pthread_create(&thread, NULL, cancel, run->context), 0);
        assert_int_equal(jr_run(module), JR_KEYBOARD_INTERRUPT);
        atomic_store(&over, true);
        pthread_join(thread, NULL);
    }
    jr_module_free(module);
    run_free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_ones_stay),      cmocka_unit_test(long_ones_begin_anew),
        cmocka_unit_test(errors_are_the_first), cmocka_unit_test(some_are_not_tried),
        cmocka_unit_test(the_second_run_knows), cmocka_unit_test(functions_are_called_once),
        cmocka_unit_test(it_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("jr_run", tests, NULL, NULL);
}

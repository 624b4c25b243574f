/* What a call through a typed pointer takes with it into the kernel and back: where it prints,
 * the error slot, cancelling, other contexts, the arrays it is handed. */
#include "tests/unit/api_harness.h"

#include <pthread.h>
#include <time.h>

static const char source[] = "import numpy as np\n"
                             "import random\n"
                             "from jitrun import njit, prange, float64, int64\n"
                             "def add(x: float, y: float) -> float:\n"
                             "    return x + y\n"
                             "def say(n: int) -> int:\n"
                             "    print('n is', n)\n"
                             "    return n + 1\n"
                             "def part(a: int, b: int) -> int:\n"
                             "    return a // b\n"
                             "def inner(a: int) -> int:\n"
                             "    return 100 // a\n"
                             "def outer(a: int) -> int:\n"
                             "    s = 0\n"
                             "    for i in range(3, a, -1):\n"
                             "        s += inner(i)\n"
                             "    return s\n"
                             "def spin(n: int) -> int:\n"
                             "    while n >= 0:\n"
                             "        n = (n + 1) % 7\n"
                             "    return n\n"
                             "def fib(n: int) -> int:\n"
                             "    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
                             "def squares(n: int):\n"
                             "    a = np.arange(n)\n"
                             "    return a * a\n"
                             "@njit(parallel=True)\n"
                             "def total(x: int64[:]) -> int:\n"
                             "    s = 0\n"
                             "    for i in prange(len(x)):\n"
                             "        s += 10 // x[i]\n"
                             "    return s\n"
                             "def draw(seed: int) -> float:\n"
                             "    random.seed(seed)\n"
                             "    return random.random()\n"
                             "def size(x: float64[:, :]) -> int:\n"
                             "    return x.shape[0] * x.shape[1]\n"
                             "def first(x: float64[:]) -> float:\n"
                             "    return x[0]\n";

static void output_goes_to_the_context(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    int64_t (*say)(int64_t n);
    take_pointer(say, module, "say", NULL);
    assert_int_equal(say(4), 5);
    assert_string_equal(env->out.text, "n is 4\n");
    assert_int_equal(jr_error()->status, JR_OK);
    env->out.fail = true;
    assert_int_equal(say(5), 0);
    assert_int_equal(jr_error()->status, JR_ERR_IO);
    env->out.fail = false;
    assert_int_equal(say(6), 7);
    assert_string_equal(env->out.text, "n is 4\nn is 6\n");
    jr_module_free(module);
}

/* Each context has its own place for what is printed. */
static void contexts_are_kept_apart(void **state) {
    Env *env = *state, other = {.engine = env->engine};
    JrContextOptions options = {
        .size = sizeof options, .write = sink_write, .write_user = &other.out};
    other.context = jr_context_new(&options);
    JrModule *module = env_compile(env, source), *theirs = env_compile(&other, source);
    int64_t (*say)(int64_t n), (*say_there)(int64_t n);
    take_pointer(say, module, "say", NULL);
    take_pointer(say_there, theirs, "say", NULL);
    for (int64_t i = 0; i < 3; i++)
        say(i), say_there(i + 10);
    assert_string_equal(env->out.text, "n is 0\nn is 1\nn is 2\n");
    assert_string_equal(other.out.text, "n is 10\nn is 11\nn is 12\n");
    jr_module_free(module);
    jr_module_free(theirs);
    jr_context_free(other.context);
}

static void errors_have_their_call_chain(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    int64_t (*outer)(int64_t a), (*part)(int64_t a, int64_t b), *x, values[] = {1, 2, 0, 5};
    int64_t (*total)(const int64_t *x, int64_t len, int64_t stride);
    take_pointer(outer, module, "outer", NULL);
    take_pointer(part, module, "part", NULL);
    take_pointer(total, module, "total", NULL);
    assert_int_equal(outer(0), 33 + 50 + 100);
    assert_int_equal(outer(-1), 0);
    const JrError *e = jr_error();
    assert_int_equal(e->status, JR_ZERO_DIVISION_ERROR);
    assert_int_equal(e->frame_count, 2);
    assert_string_equal(e->frames[0].function, "inner");
    assert_int_equal(e->frames[0].line, 12);
    assert_string_equal(e->frames[1].function, "outer");
    assert_string_equal(e->frames[1].file, "t.src");
    assert_int_equal(part(-7, 2), -4); /* a function that can fail says that it did not */
    assert_int_equal(jr_error()->status, JR_OK);
    x = values;
    assert_int_equal(total(x, 2, 1), 15);
    assert_int_equal(total(x + 3, 2, -3), 12);
    assert_int_equal(jr_error()->status, JR_OK);
    assert_int_equal(total(x, 4, 1), 0);
    assert_int_equal(jr_error()->status, JR_ZERO_DIVISION_ERROR);
    jr_module_free(module);
}

/* What cannot fail asks for nothing, so it does not touch the slot where it is machine code. */
static void what_cannot_fail_leaves_the_error(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    double (*add)(double x, double y);
    int64_t (*part)(int64_t a, int64_t b);
    take_pointer(add, module, "add", NULL);
    take_pointer(part, module, "part", NULL);
    part(1, 0);
    assert_true(add(1, 2) == 3);
    assert_int_equal(jr_error()->status,
                     strcmp(env->engine, "interp") ? JR_ZERO_DIVISION_ERROR : JR_OK);
    jr_module_free(module);
}

static void *cancel_soon(void *user) {
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    jr_cancel(user, JR_TIMEOUT_ERROR);
    return NULL;
}

static void a_running_pointer_can_be_stopped(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    static const char *const names[] = {"spin", "fib"};
    for (int i = 0; i < 2; i++) {
        int64_t (*f)(int64_t n);
        pthread_t thread;
        take_pointer(f, module, names[i], NULL);
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, env->context), 0);
        assert_int_equal(f(90), 0);
        assert_int_equal(jr_error()->status, JR_TIMEOUT_ERROR);
        pthread_join(thread, NULL);
    }
    int64_t (*fib)(int64_t n);
    take_pointer(fib, module, "fib", NULL);
    assert_int_equal(fib(20), 6765);
    assert_int_equal(jr_error()->status, JR_OK);
    jr_module_free(module);
}

static void arrays_and_numbers_as_from_jr_call(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrStatus (*squares)(int64_t n, JrArrayValue * out);
    double (*draw)(int64_t seed);
    take_pointer(squares, module, "squares", NULL);
    take_pointer(draw, module, "draw", NULL);
    for (int64_t n = 0; n < 100; n++) {
        JrArrayValue a;
        assert_ok(squares(n, &a));
        assert_true(a.shape[0] == n && a.dtype == JR_INT64 && !a.readonly);
        if (n) assert_int_equal(((int64_t *)a.data)[n - 1], (n - 1) * (n - 1));
        jr_array_clear(&a);
    }
    assert_int_equal(squares(-1, NULL), JR_OK);
    JrArrayValue none = {.data = &none};
    assert_int_equal(squares(1l << 46, &none), JR_MEMORY_ERROR);
    assert_true(none.data == NULL && none.ndim == 0);
    JrValue seed = jr_int(7), drawn;
    assert_ok(jr_call(env_function(module, "draw", NULL), 1, &seed, &drawn));
    assert_true(draw(7) == drawn.as.f && draw(8) != drawn.as.f);
    jr_module_free(module);
}

/* Arrays that a kernel could not trust are refused; odd ones that it can are not. */
static void arrays_are_looked_at(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    int64_t (*size)(const double *x, int64_t d0, int64_t d1, int64_t s0, int64_t s1);
    double (*first)(const double *x, int64_t len, int64_t stride), x[4] = {4, 3, 2, 1};
    take_pointer(size, module, "size", NULL);
    take_pointer(first, module, "first", NULL);
    assert_int_equal(size(x, 2, 2, 2, 1), 4);
    assert_int_equal(size(NULL, 0, 1 << 20, 1 << 20, 1), 0);
    assert_int_equal(jr_error()->status, JR_OK);
    assert_int_equal(size(x, 1 << 30, 1 << 29, 0, 0), 1l << 59); /* one element, often */
    assert_int_equal(jr_error()->status, JR_OK);
    static const struct {
        int64_t d0, d1, s0, s1;
        const char *what;
    } bad[] = {
        {-1, 2, 2, 1, "negative"},
        {2, INT64_MIN, 2, 1, "negative"},
        {INT64_MAX, INT64_MAX, 0, 0, "larger than memory"},
        {2, 2, INT64_MIN, 1, "strides"},
        {3, 3, INT64_MAX / 2, 1, "strides"},
        {1 << 20, 1, 1l << 50, 1, "strides"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(size(x, bad[i].d0, bad[i].d1, bad[i].s0, bad[i].s1), 0);
        assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
        assert_non_null(strstr(jr_error()->message, "size: the array 'x' has "));
        assert_non_null(strstr(jr_error()->message, bad[i].what));
    }
    assert_true(first((double *)((char *)x + 4), 2, 1) == 0);
    assert_non_null(strstr(jr_error()->message, "not aligned"));
    assert_true(first(NULL, 2, 1) == 0);
    assert_non_null(strstr(jr_error()->message, "has no data"));
    assert_true(first(x + 3, 4, -1) == 1);
    assert_true(first(x + 1, 1, INT64_MAX) ==
                3); /* the stride of a single element is not used */
    assert_int_equal(jr_error()->status, JR_OK);
    jr_module_free(module);
}

/* A callback that text is written to may not run kernels. */
typedef struct Nosy {
    int64_t (*part)(int64_t a, int64_t b);
    int64_t got;
    JrStatus status;
    int calls;
} Nosy;

static bool write_nosily(void *user, const char *bytes, size_t len) {
    Nosy *nosy = user;
    (void)bytes;
    (void)len;
    nosy->got = nosy->part(6, 3);
    nosy->status = jr_error()->status;
    nosy->calls++;
    return true;
}

static void callbacks_run_no_kernels(void **state) {
    Env *env = *state, other = {.engine = env->engine};
    Nosy nosy = {.got = 9};
    JrContextOptions options = {
        .size = sizeof options, .write = write_nosily, .write_user = &nosy};
    other.context = jr_context_new(&options);
    JrModule *module = env_compile(&other, source);
    int64_t (*say)(int64_t n);
    take_pointer(nosy.part, module, "part", NULL);
    take_pointer(say, module, "say", NULL);
    say(1);
    assert_int_equal(nosy.calls, 1);
    assert_int_equal(nosy.got, 0);
    assert_int_equal(nosy.status, JR_ERR_ARGUMENT);
    jr_module_free(module);
    jr_context_free(other.context);
}

/* A specialisation made later has a pointer too, and the older ones go on. */
static void pointers_come_and_stay(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def twice(x):\n    return x + x\n");
    int64_t (*ints)(int64_t x);
    float (*floats)(float x);
    uint8_t (*bytes)(uint8_t x);
    take_pointer(ints, module, "twice", "(int64)");
    take_pointer(floats, module, "twice", "(float32)");
    take_pointer(bytes, module, "twice", "(uint8)");
    for (int i = 0; i < 3; i++)
        assert_true(ints(1l << 40) == 1l << 41 && floats(0.25f) == 0.5f && bytes(200) == 144);
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_goes_to_the_context),
        cmocka_unit_test(contexts_are_kept_apart),
        cmocka_unit_test(errors_have_their_call_chain),
        cmocka_unit_test(what_cannot_fail_leaves_the_error),
        cmocka_unit_test(a_running_pointer_can_be_stopped),
        cmocka_unit_test(arrays_and_numbers_as_from_jr_call),
        cmocka_unit_test(arrays_are_looked_at),
        cmocka_unit_test(callbacks_run_no_kernels),
        cmocka_unit_test(pointers_come_and_stay),
    };
    return run_on_engines("gate", tests, sizeof tests / sizeof *tests);
}

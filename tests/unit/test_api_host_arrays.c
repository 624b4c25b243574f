/* Host functions that give kernels arrays: jr_array_new, jr_array_wrap, and what may come back. */
#include "tests/unit/host_harness.h"

#include <stdatomic.h>

/* ---- Functions that make arrays ---- */

static void counting(void *user, int64_t n, JrArrayValue *r0) {
    if (jr_array_new(user, JR_FLOAT64, 1, &n, r0)) {
        jr_error_raise(jr_error()->status, NULL);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        ((double *)r0->data)[i] = (double)i;
}

static _Atomic int lent, given_back;

static void give_back(void *user) {
    free(user);
    atomic_fetch_add(&given_back, 1);
}

/* Backwards, every second element. */
static bool lend(JrContext *context, int32_t *data, int64_t n, JrArrayValue *r0) {
    *r0 = (JrArrayValue){.dtype = JR_INT32,
                         .ndim = 2,
                         .data = data + 4 * n - 2,
                         .shape = {n, 2},
                         .strides = {-4, -2}};
    if (jr_array_wrap(context, r0, give_back, data) == JR_OK) {
        atomic_fetch_add(&lent, 1);
        return true;
    }
    free(data);
    *r0 = (JrArrayValue){.data = NULL};
    jr_error_raise(jr_error()->status, NULL);
    return false;
}

static void table(void *user, int64_t n, double *r0, JrArrayValue *r1, bool *r2, int8_t *r3) {
    int32_t *data = malloc((size_t)n * 4 * sizeof *data);
    for (int64_t i = 0; data && i < 4 * n; i++)
        data[i] = (int32_t)i;
    *r0 = 0.5, *r2 = true, *r3 = -3;
    lend(user, data, n, r1);
}

/* ---- What passes ---- */

static void arrays_come_back(void **state) {
    Env *env = *state;
    ADD("counting", "float64[::1](user, int64)", counting, env->context);
    JrModule *module = env_compile(env, "def total(n: int) -> float:\n"
                                        "    x = counting(n)\n"
                                        "    x[0] = 100.0\n"
                                        "    return x.sum() + counting(3)[2] + len(x)\n"
                                        "def made(n: int):\n"
                                        "    return counting(n)[1:], n\n"
                                        "print(counting(4) * 2, counting(0))\n");
    JrFunction *f = env_function(module, "total", NULL);
    JrValue n = jr_int(5), r;
    assert_ok(jr_call(f, 1, &n, &r));
    assert_true(r.as.f == 100 + 10 + 2 + 5);
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "[0. 2. 4. 6.] []\n");
    r = run(module, "made", 1, &n);
    const JrArrayValue *a = r.as.tuple.items[0].as.array;
    jr_module_free(module); /* the array outlives it */
    assert_int_equal(a->shape[0], 4);
    assert_true(a->owner && ((double *)a->data)[3] == 4);
    jr_value_clear(&r);
}

static const char table_signature[] =
    "tuple[float64, tuple[int32[:, :], bool], int8](user, int64)";

static void among_other_results(void **state) {
    Env *env = *state;
    atomic_store(&lent, 0), atomic_store(&given_back, 0);
    ADD("table", table_signature, table, env->context);
    JrModule *module = env_compile(env, "def f(n: int):\n"
                                        "    s, (x, yes), k = table(n)\n"
                                        "    x[0, 0] += 1000\n"
                                        "    print(s, x, yes, k)\n"
                                        "    for i in range(n):\n"
                                        "        s, (x, yes), k = table(i + 1)\n"
                                        "        if i == 5:\n"
                                        "            break\n"
                                        "    return x.T, yes\n");
    JrValue n = jr_int(2), r = run(module, "f", 1, &n);
    assert_string_equal(env->out.text, "0.5 [[1006    4]\n [   2    0]] True -3\n");
    const JrArrayValue *a = r.as.tuple.items[0].as.array;
    assert_int_equal(a->shape[0], 2);
    assert_int_equal(a->strides[0], -2);
    assert_int_equal(((int32_t *)a->data)[-6], 0);
    assert_int_equal(atomic_load(&lent), 3);
    assert_int_equal(atomic_load(&given_back), 2);
    jr_value_clear(&r);
    assert_int_equal(atomic_load(&given_back), 3);
    n = jr_int(100);
    r = run(module, "f", 1, &n);
    jr_value_clear(&r);
    assert_int_equal(atomic_load(&lent), atomic_load(&given_back));
    jr_module_free(module);
}

static void any_type(void *user, int64_t seed, JrArrayValue *r0) {
    JrType dtype = *(const JrType *)user;
    int64_t shape[8] = {2, 1, 1, 2, 1, 1, 1, 3};
    assert_int_equal(jr_array_new(NULL, dtype, 8, shape, r0), JR_OK);
    ((unsigned char *)r0->data)[0] = (unsigned char)seed;
}

static void every_type_in_eight_dimensions(void **state) {
    Env *env = *state;
    static const char *const names[] = {"bool",   "int8",    "int16",  "int32",
                                        "int64",  "uint8",   "uint16", "uint32",
                                        "uint64", "float32", "float64"};
    static JrType types[11];
    for (int i = 0; i < 11; i++) {
        char name[32], signature[96], source[160];
        types[i] = (JrType)(JR_BOOL + i);
        snprintf(name, sizeof name, "make_%s", names[i]);
        snprintf(signature, sizeof signature, "%s[:, :, :, :, :, :, :, ::1](user, int64)",
                 names[i]);
        ADD(name, signature, any_type, &types[i]);
        snprintf(source, sizeof source,
                 "def f(n: int):\n    x = %s(n)\n    return x, x[1, 0, 0, -1, 0, 0, 0, 2]\n",
                 name);
        JrModule *module = env_compile(env, source);
        JrValue n = jr_int(1), r = run(module, "f", 1, &n);
        const JrArrayValue *a = r.as.tuple.items[0].as.array;
        assert_int_equal(a->dtype, types[i]);
        assert_int_equal(a->ndim, 8);
        assert_int_equal(a->strides[0], 6);
        assert_int_equal(((unsigned char *)a->data)[0], 1);
        assert_int_equal(r.as.tuple.items[1].as.u, 0);
        jr_value_clear(&r);
        jr_module_free(module);
    }
}

/* ---- From kernels to kernels ---- */

typedef struct Inner {
    union {
        void *address;
        JrStatus (*call)(int64_t n, JrArrayValue *out);
    } squares;
    JrArrayValue kept;
} Inner;

static void from_pointer(void *user, int64_t n, JrArrayValue *r0) {
    if (((Inner *)user)->squares.call(n, r0)) jr_error_raise(jr_error()->status, NULL);
}

static void from_call(void *user, int64_t n, JrArrayValue *r0) {
    JrFunction *f = user;
    JrValue arg = jr_int(n), r;
    if (jr_call(f, 1, &arg, &r)) {
        jr_error_raise(jr_error()->status, NULL);
        return;
    }
    *r0 = *r.as.array; /* with what it holds */
    r.as.array->owner = NULL;
    jr_value_clear(&r);
}

static void results_of_kernels_go_on(void **state) {
    Env *env = *state;
    Inner inner = {.squares = {NULL}};
    JrModule *module = env_compile(env, "import numpy as np\n"
                                        "def squares(n: int):\n"
                                        "    assert n < 9, 'too many'\n"
                                        "    return np.arange(n) ** 2\n");
    JrFunction *f = env_function(module, "squares", NULL);
    assert_ok(jr_function_pointer(f, &inner.squares.address));
    ADD("pointed", "int64[::1](user, int64)", from_pointer, &inner);
    ADD("called", "int64[:](user, int64)", from_call, f);
    JrModule *outer = env_compile(env, "def f(n: int) -> int:\n"
                                       "    return pointed(n)[n - 1] * called(n)[-1]\n");
    JrFunction *g = env_function(outer, "f", NULL);
    JrValue n = jr_int(4), r;
    assert_ok(jr_call(g, 1, &n, &r));
    assert_int_equal(r.as.i, 81);
    n = jr_int(9);
    assert_fails(jr_call(g, 1, &n, &r), JR_ASSERTION_ERROR, "too many");
    assert_string_equal(jr_error()->frames[0].function, "squares");
    assert_string_equal(jr_error()->frames[1].function, "f");
    jr_module_free(outer);
    jr_module_free(module);
}

/* ---- What may not come back ---- */

typedef struct Bad {
    JrContext *context;
    JrArrayValue kept;
} Bad;

static double own_data[4] = {1, 2, 3, 4};

/* `how` makes each kind of result that a kernel cannot have. */
static void bad(void *user, int64_t how, JrArrayValue *r0, JrArrayValue *r1) {
    Bad *b = user;
    static const int64_t shape[] = {2, 3};
    jr_array_new(b->context, JR_FLOAT64, 2, shape, r0);
    jr_array_new(b->context, JR_INT8, 1, shape, r1);
    switch (how) {
    case 1: jr_array_clear(r1); break;
    case 2:
        jr_array_clear(r0);
        jr_array_new(b->context, JR_FLOAT32, 2, shape, r0);
        break;
    case 3: r0->ndim = 1; break;
    case 4: r0->strides[0] = 1, r0->strides[1] = 2; break;
    case 5: r0->readonly = true; break;
    case 6:
        jr_array_clear(r0);
        *r0 = (JrArrayValue){JR_FLOAT64, 2, own_data, {2, 2}, {2, 1}, NULL, false};
        break;
    case 7: r0->shape[0] = -1; break;
    case 8: r0->data = NULL; break;
    case 9: jr_error_raise(JR_KEY_ERROR, "after all"); break;
    default: break;
    }
}

static const struct {
    JrStatus status;
    const char *message;
} faults[] = {
    {JR_OK, NULL},
    {JR_RUNTIME_ERROR, "result 2 was not filled in"},
    {JR_RUNTIME_ERROR, "result 1 has another element type"},
    {JR_RUNTIME_ERROR, "number of dimensions"},
    {JR_RUNTIME_ERROR, "result 1 is not contiguous"},
    {JR_RUNTIME_ERROR, "result 1 is read-only"},
    {JR_RUNTIME_ERROR, "result 1 is memory that nobody counts"},
    {JR_RUNTIME_ERROR, "result 1 has a shape that is negative"},
    {JR_RUNTIME_ERROR, "result 1 has no data"},
    {JR_KEY_ERROR, "after all"},
};

static void what_cannot_come_back_is_released(void **state) {
    Env *env = *state;
    Bad b = {.context = env->context};
    ADD("bad", "tuple[float64[:, ::1], int8[:]](user, int64)", bad, &b);
    JrModule *module = env_compile(env, "def f(n: int) -> int:\n"
                                        "    x, y = bad(0)\n"
                                        "    x, y = bad(n)\n"
                                        "    return len(x) + len(y)\n");
    JrFunction *f = env_function(module, "f", NULL);
    for (int64_t how = 0; how < (int64_t)(sizeof faults / sizeof *faults); how++) {
        JrValue n = jr_int(how);
        if (!faults[how].status) {
            assert_ok(jr_call(f, 1, &n, NULL));
            continue;
        }
        assert_fails(jr_call(f, 1, &n, NULL), faults[how].status, faults[how].message);
        assert_int_equal(jr_error()->frame_count, 1);
        assert_int_equal(jr_error()->frames[0].line, 3);
    }
    jr_module_free(module);
}

static void shared(void *user, JrArrayValue *r0) {
    *r0 = *(JrArrayValue *)user;
}

/* Kernels take it that nobody else has what they are given. */
static void what_others_use_is_refused(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "import numpy as np\n"
                                        "def pair(n: int):\n"
                                        "    x = np.zeros(n)\n"
                                        "    return x, x[1:]\n");
    JrArrayValue whole, tail;
    union {
        void *address;
        JrStatus (*call)(int64_t n, JrArrayValue *a, JrArrayValue *b);
    } pair;
    assert_ok(jr_function_pointer(env_function(module, "pair", NULL), &pair.address));
    assert_ok(pair.call(4, &whole, &tail));
    ADD("shared", "float64[:](user)", shared, &tail);
    JrModule *outer = env_compile(env, "def f() -> float:\n    return shared().sum()\n");
    JrFunction *f = env_function(outer, "f", NULL);
    assert_fails(jr_call(f, 0, NULL, NULL), JR_RUNTIME_ERROR, "is in use elsewhere");
    assert_true(((double *)whole.data)[1] == 0); /* the view is gone, not this */
    jr_array_clear(&whole);
    jr_module_free(outer);
    jr_module_free(module);
}

/* ---- Parallel loops ---- */

static const char parallel_source[] = "from jitrun import njit, prange, float64\n"
                                      "@njit(parallel=True)\n"
                                      "def f(y: float64[::1]) -> float64:\n"
                                      "    t = 0.0\n"
                                      "    for i in prange(len(y)):\n"
                                      "        x = counting(i % 50)\n"
                                      "        x += 1.0\n"
                                      "        y[i] = x.sum()\n"
                                      "        t += table(2)[1][0][0, 0]\n"
                                      "    return t\n";

static void threads_get_arrays(void **state) {
    Env *env = *state;
    atomic_store(&lent, 0), atomic_store(&given_back, 0);
    ADD("counting", "float64[::1](user, int64)", counting, env->context);
    ADD("table", table_signature, table, env->context);
    JrModule *module = env_compile(env, parallel_source);
    enum { N = 4000 };
    static double y[N];
    JrArrayValue array = {JR_FLOAT64, 1, y, {N}, {1}, NULL, false};
    JrValue arg = jr_array(&array), r;
    JrFunction *f = env_function(module, "f", NULL);
    Sink explained = {.len = 0};
    assert_ok(jr_module_explain(module, JR_REPORT_JSON, sink_write, &explained));
    assert_non_null(strstr(explained.text, "\"parallel\": true"));
    assert_ok(jr_set_num_threads(4));
    assert_ok(jr_call(f, 1, &arg, &r));
    assert_ok(jr_set_num_threads(0));
    assert_true(r.as.f == 6.0 * N);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == (i % 50) * (i % 50 + 1) / 2.0);
    assert_int_equal(atomic_load(&lent), N);
    assert_int_equal(atomic_load(&given_back), N);
    jr_module_free(module);
}

static void their_memory_is_no_race(void **state) {
    Env *env = *state;
    ADD("counting", "float64[::1](user, int64)", counting, env->context);
    ADD("table", table_signature, table, env->context);
    JrCompileOptions options = {
        .size = sizeof options, .engine = env->engine, .check_races = true};
    JrModule *module;
    assert_ok(jr_compile(env->context, parallel_source, &options, &module));
    double y[200];
    JrArrayValue array = {JR_FLOAT64, 1, y, {200}, {1}, NULL, false};
    JrValue arg = jr_array(&array);
    assert_ok(jr_call(env_function(module, "f", NULL), 1, &arg, NULL));
    assert_int_equal(jr_race_check()->race_count, 0);
    assert_int_equal(jr_race_check()->iterations, 200);
    jr_module_free(module);
}

/* ---- jr_array_new and jr_array_wrap by themselves ---- */

static void the_program_makes_arrays(void **state) {
    Env *env = *state;
    int64_t shape[9] = {3, 4, 1, 1, 1, 1, 1, 1, 1}, none[] = {5, 0}, wrong[] = {-1},
            vast[] = {INT64_MAX, 8};
    JrArrayValue a, before;
    assert_ok(jr_array_new(env->context, JR_UINT16, 2, shape, &a));
    assert_true(a.strides[0] == 4 && a.strides[1] == 1 && a.owner && !a.readonly);
    for (int i = 0; i < 12; i++)
        assert_int_equal(((uint16_t *)a.data)[i], 0);
    jr_array_clear(&a);
    assert_ok(jr_array_new(NULL, JR_BOOL, 2, none, &a));
    jr_array_clear(&a);
    assert_null(a.owner);
    assert_fails(jr_array_new(NULL, JR_NONE, 1, shape, &a), JR_ERR_ARGUMENT, "dtype");
    assert_int_equal(a.ndim, 0);
    assert_fails(jr_array_new(NULL, JR_ARRAY, 1, shape, &a), JR_ERR_ARGUMENT, "dtype");
    assert_fails(jr_array_new(NULL, JR_INT8, 0, shape, &a), JR_ERR_ARGUMENT, "dimensions");
    assert_fails(jr_array_new(NULL, JR_INT8, 9, shape, &a), JR_ERR_ARGUMENT, "dimensions");
    assert_fails(jr_array_new(NULL, JR_INT8, 1, wrong, &a), JR_ERR_ARGUMENT, "negative");
    assert_fails(jr_array_new(NULL, JR_INT8, 2, vast, &a), JR_ERR_ARGUMENT, "larger");
    assert_fails(jr_array_new(NULL, JR_INT64, 1, (int64_t[]){INT64_C(1) << 58}, &a),
                 JR_MEMORY_ERROR, "memory");
    assert_fails(jr_array_new(NULL, JR_INT8, 1, NULL, &a), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_array_new(NULL, JR_INT8, 1, shape, NULL), JR_ERR_ARGUMENT, "NULL");
    atomic_store(&given_back, 0);
    before = a = (JrArrayValue){JR_INT8, 1, malloc(3), {3}, {1}, NULL, false};
    a.ndim = 0;
    assert_fails(jr_array_wrap(NULL, &a, give_back, a.data), JR_ERR_ARGUMENT, "dimensions");
    a = before;
    assert_fails(jr_array_wrap(NULL, NULL, give_back, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_array_wrap(NULL, &a, NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_null(a.owner);
    assert_ok(jr_array_wrap(env->context, &a, give_back, a.data));
    assert_fails(jr_array_wrap(NULL, &a, give_back, NULL), JR_ERR_ARGUMENT, "counted already");
    assert_int_equal(atomic_load(&given_back), 0);
    jr_array_clear(&a);
    assert_int_equal(atomic_load(&given_back), 1);
}

/* A kernel that returns what it was given, or a view of it, shares it. */
static void wrapped_arrays_are_counted(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def tail(x):\n    return x[1:]\n");
    atomic_store(&given_back, 0);
    double *data = calloc(4, sizeof *data);
    JrArrayValue a = {JR_FLOAT64, 1, data, {4}, {1}, NULL, false};
    assert_ok(jr_array_wrap(NULL, &a, give_back, data));
    JrValue arg = jr_array(&a), r = run(module, "tail", 1, &arg);
    jr_array_clear(&a);
    jr_module_free(module);
    assert_int_equal(atomic_load(&given_back), 0);
    assert_ptr_equal(r.as.array->data, data + 1);
    jr_value_clear(&r);
    assert_int_equal(atomic_load(&given_back), 1);
}

int main(void) {
    setenv("JITRUN_PARALLEL_THRESHOLD", "0", 1);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_come_back),
        cmocka_unit_test(among_other_results),
        cmocka_unit_test(every_type_in_eight_dimensions),
        cmocka_unit_test(results_of_kernels_go_on),
        cmocka_unit_test(what_cannot_come_back_is_released),
        cmocka_unit_test(what_others_use_is_refused),
        cmocka_unit_test(threads_get_arrays),
        cmocka_unit_test(their_memory_is_no_race),
        cmocka_unit_test(the_program_makes_arrays),
        cmocka_unit_test(wrapped_arrays_are_counted),
    };
    return run_on_engines("host functions that give arrays", tests,
                          sizeof tests / sizeof *tests);
}

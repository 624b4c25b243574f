/* jr_module_emit: what it takes and what it refuses. What it makes is compiled and run by
 * tests/embed/check_emit.py. */
#include "tests/unit/api_harness.h"

static const char source[] = "from jitrun import float64\n"
                             "def dot(x: float64[::1], y: float64[::1]) -> float:\n"
                             "    s = 0.0\n    for i in range(len(x)):\n"
                             "        s += x[i] * y[i]\n    return s\n"
                             "def twice(x):\n    return x + x\n"
                             "def double(x: int) -> int:\n    return x + x\n";

static JrStatus emit(JrModule *module, const char *kind, const char *function, Sink *out) {
    JrEmitOptions options = {.size = sizeof options, .kind = kind, .function = function};
    *out = (Sink){.len = 0};
    return jr_module_emit(module, &options, sink_write, out);
}

static void headers_name_what_is_asked_for(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    assert_ok(emit(module, "header", NULL, &env->out));
    assert_non_null(strstr(env->out.text, "double dot(const double *x, int64_t x_len, "));
    assert_non_null(strstr(env->out.text, "int64_t double_(int64_t x);"));
    assert_null(strstr(env->out.text, "twice"));
    assert_ok(emit(module, "header", "twice (int8)", &env->out));
    assert_non_null(strstr(env->out.text, "int8_t twice(int8_t x);"));
    assert_null(strstr(env->out.text, " dot("));
    jr_module_free(module);
}

/* Bytes that arrive, and how many. */
typedef struct Bytes {
    char first[4];
    size_t len;
} Bytes;

static bool count_bytes(void *user, const char *bytes, size_t len) {
    Bytes *b = user;
    for (size_t i = 0; i < len && b->len + i < sizeof b->first; i++)
        b->first[b->len + i] = bytes[i];
    b->len += len;
    return true;
}

static void objects_are_elf(void **state) {
    Env *env = *state;
    if (!jr_engine_available(env->context, "llvm")) return;
    JrModule *module = env_compile(env, source);
    static const char *const cpus[] = {NULL, "native", "generic"};
    for (int i = 0; i < 3; i++) {
        JrEmitOptions options = {.size = sizeof options, .kind = "obj", .cpu = cpus[i]};
        Bytes bytes = {.len = 0};
        assert_ok(jr_module_emit(module, &options, count_bytes, &bytes));
        assert_true(bytes.len > 500);
        assert_memory_equal(bytes.first, "\177ELF", 4);
    }
    JrEmitOptions options = {.size = sizeof options, .kind = "obj", .cpu = "z80"};
    assert_fails(jr_module_emit(module, &options, count_bytes, &(Bytes){.len = 0}),
                 JR_ERR_ENGINE, "unknown CPU 'z80'");
    jr_module_free(module);
}

static void what_is_wrong_is_said(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrEmitOptions options = {.size = sizeof options, .kind = "header"};
    assert_fails(jr_module_emit(NULL, &options, sink_write, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_module_emit(module, NULL, sink_write, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_module_emit(module, &options, NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    env->out.fail = true;
    assert_fails(jr_module_emit(module, &options, sink_write, &env->out), JR_ERR_IO,
                 "written");
    options.size = 3;
    assert_fails(jr_module_emit(module, &options, sink_write, NULL), JR_ERR_ARGUMENT, "size");
    assert_fails(emit(module, "elf", NULL, &env->out), JR_ERR_NOT_FOUND, "cannot emit 'elf'");
    assert_fails(emit(module, NULL, NULL, &env->out), JR_ERR_ARGUMENT, "kind is NULL");
    assert_fails(emit(module, "header", "dog", &env->out), JR_ERR_NOT_FOUND, "'dot'?");
    assert_fails(emit(module, "header", "twice", &env->out), JR_ERR_SIGNATURE, "signature");
    assert_fails(emit(module, "header", "twice(int9)", &env->out), JR_ERR_SIGNATURE, "(int9)");
    assert_fails(emit(module, "header", "dot(int64)", &env->out), JR_ERR_SIGNATURE,
                 "dot is float64(float64[::1], float64[::1]), which is not (int64)");
    jr_module_free(module);

    module = env_compile(env, "def twice(x):\n    return x + x\n");
    assert_fails(emit(module, "header", NULL, &env->out), JR_ERR_SIGNATURE, "annotate one");
    jr_module_free(module);
    JrCompileOptions broken = {.size = sizeof broken, .engine = env->engine};
    assert_int_equal(jr_compile(env->context, "def f(:\n", &broken, &module), JR_ERR_COMPILE);
    assert_fails(emit(module, "header", NULL, &env->out), JR_ERR_COMPILE, "has errors");
    jr_module_free(module);
}

static void names_are_the_programs_own(void **state) {
    Env *env = *state;
    if (!jr_engine_available(env->context, "tcc")) return;
    JrModule *module = env_compile(env, "def sin(x: float) -> float:\n    return x\n"
                                        "def jr_error(x: float) -> float:\n    return x\n"
                                        "def double(x: float) -> float:\n    return x\n"
                                        "def double_(x: float) -> float:\n    return x\n");
    assert_fails(emit(module, "c", "sin", &env->out), JR_ERR_ARGUMENT, "another sin");
    assert_fails(emit(module, "c", "jr_error", &env->out), JR_ERR_ARGUMENT,
                 "another jr_error");
    assert_fails(emit(module, "c", NULL, &env->out), JR_ERR_ARGUMENT, "another sin");
    assert_ok(emit(module, "c", "double", &env->out));
    assert_non_null(strstr(env->out.text, "double double_(double p0)"));
    jr_module_free(module);
    module = env_compile(env, "def double(x: float) -> float:\n    return x\n"
                              "def double_(x: float) -> float:\n    return x\n");
    assert_fails(emit(module, "c", NULL, &env->out), JR_ERR_ARGUMENT, "called double_ in C");
    jr_module_free(module);
}

/* Emitting leaves the module as it was. */
static void functions_go_on(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    JrFunction *twice = env_function(module, "twice", "(int64)");
    assert_ok(emit(module, "header", "twice(float64)", &env->out));
    JrValue x = jr_int(21), y;
    assert_ok(jr_call(twice, 1, &x, &y));
    assert_int_equal(y.as.i, 42);
    jr_error_clear();
    assert_int_equal(jr_call(twice, 2, &x, &y), JR_ERR_ARGUMENT);
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    jr_error_clear();
    assert_int_equal(jr_error()->status, JR_OK);
    jr_module_free(module);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_name_what_is_asked_for),
        cmocka_unit_test(objects_are_elf),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(names_are_the_programs_own),
        cmocka_unit_test(functions_go_on),
    };
    return run_on_engines("emit", tests, sizeof tests / sizeof *tests);
}

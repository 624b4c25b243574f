/* Contexts, modules, diagnostics, reports, dumps and running: jitrun.h up to its values. */
#include "tests/unit/api_harness.h"

#include <unistd.h>

/* ---- Contexts and options ---- */

static void versions_agree(void **state) {
    (void)state;
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", JR_VERSION_MAJOR, JR_VERSION_MINOR,
             JR_VERSION_PATCH);
    assert_string_equal(jr_version(), version);
}

static void release_nothing(void *user, void *pointer) {
    (void)user, (void)pointer;
}

static void context_options_are_checked(void **state) {
    (void)state;
    struct {
        JrContextOptions known;
        char later[16];
    } newer = {.known = {.size = sizeof newer}};
    JrContext *context = jr_context_new(&newer.known);
    assert_non_null(context); /* what we do not know is zero */
    jr_context_free(context);
    newer.later[3] = 1;
    assert_null(jr_context_new(&newer.known));
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    newer.known.size = 0;
    assert_null(jr_context_new(&newer.known));
    assert_non_null(strstr(jr_error()->message, "JrContextOptions.size is 0"));
    newer.known.size = SIZE_MAX;
    assert_null(jr_context_new(&newer.known));
    JrContextOptions half = {.size = sizeof half};
    half.release = release_nothing;
    assert_null(jr_context_new(&half));
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    half.size = offsetof(JrContextOptions, resize); /* an older program has no such fields */
    context = jr_context_new(&half);
    assert_non_null(context);
    jr_context_free(context);
    jr_context_free(NULL);
}

static void engines_are_known(void **state) {
    Env *env = *state;
    assert_true(jr_engine_available(env->context, "auto"));
    assert_true(jr_engine_available(env->context, env->engine));
    assert_int_equal(jr_error()->status, JR_OK);
    assert_false(jr_engine_available(env->context, "gpu"));
    assert_int_equal(jr_error()->status, JR_ERR_NOT_FOUND);
    assert_non_null(strstr(jr_error()->message, "unknown engine 'gpu'"));
    assert_false(jr_engine_available(NULL, "interp"));
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    assert_false(jr_engine_available(env->context, NULL));
}

static void compile_options_are_checked(void **state) {
    Env *env = *state;
    JrModule *module = (JrModule *)env;
    JrCompileOptions o = {.size = sizeof o, .opt_level = 5};
    assert_fails(jr_compile(env->context, "", &o, &module), JR_ERR_ARGUMENT, "opt_level is 5");
    assert_null(module);
    o.opt_level = -1;
    assert_fails(jr_compile(env->context, "", &o, &module), JR_ERR_ARGUMENT,
                 "opt_level is -1");
    o = (JrCompileOptions){.size = sizeof o, .engine = "fast"};
    assert_fails(jr_compile(env->context, "", &o, &module), JR_ERR_NOT_FOUND, "'fast'");
    o = (JrCompileOptions){.size = 0};
    assert_fails(jr_compile(env->context, "", &o, &module), JR_ERR_ARGUMENT, "size is 0");
    assert_fails(jr_compile_file(env->context, "/dev/null", &o, &module), JR_ERR_ARGUMENT,
                 "size is 0");
    assert_fails(jr_compile(NULL, "", NULL, &module), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_compile(env->context, NULL, NULL, &module), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_compile(env->context, "", NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    for (int level = 1; level <= 4; level++) {
        o = (JrCompileOptions){.size = sizeof o, .opt_level = level, .engine = env->engine};
        assert_ok(jr_compile(env->context, "def f(x: int) -> int:\n    return x + 1\n", &o,
                             &module));
        JrValue x = jr_int(41), r;
        assert_ok(jr_call(env_function(module, "f", NULL), 1, &x, &r));
        assert_int_equal(r.as.i, 42);
        jr_module_free(module);
    }
}

/* ---- Files ---- */

static void files_compile(void **state) {
    Env *env = *state;
    char path[] = "/tmp/jitrun-api-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "def f() -> int:\n    return 7\n\0tail";
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine};
    JrModule *module;
    JrValue r;
    assert_ok(jr_compile_file(env->context, path, &o, &module));
    assert_ok(jr_call(env_function(module, "f", NULL), 0, NULL, &r));
    assert_int_equal(r.as.i, 7);
    jr_module_free(module);
    assert_int_equal(write(fd, text + strlen(text), 3), 3);
    close(fd);
    assert_fails(jr_compile_file(env->context, path, &o, &module), JR_ERR_IO, "zero byte at");
    assert_null(module);
    unlink(path);
    assert_fails(jr_compile_file(env->context, path, &o, &module), JR_ERR_IO, "cannot read");
    assert_fails(jr_compile_file(env->context, "/", &o, &module), JR_ERR_IO, "directory");
    assert_fails(jr_compile_file(env->context, NULL, &o, &module), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_compile_file(NULL, path, &o, &module), JR_ERR_ARGUMENT, "NULL");
}

/* ---- Diagnostics ---- */

static void errors_have_places(void **state) {
    Env *env = *state;
    JrCompileOptions o = {.size = sizeof o, .name = "bad.src", .engine = env->engine};
    JrModule *module;
    JrDiagnostic d;
    assert_fails(
        jr_compile(env->context, "def f(x: int) -> int:\n    return x + y\n", &o, &module),
        JR_ERR_COMPILE, "bad.src has 1 error");
    assert_non_null(module);
    assert_int_equal(jr_module_diagnostic_count(module), 1);
    assert_true(jr_module_diagnostic(module, 0, &d));
    assert_int_equal(d.kind, JR_ERROR);
    assert_string_equal(d.file, "bad.src");
    assert_int_equal(d.line, 2);
    assert_int_equal(d.column, 16);
    assert_int_equal(d.end_column, 17);
    assert_non_null(strstr(d.message, "y"));
    assert_false(jr_module_diagnostic(module, 1, &d));
    assert_false(jr_module_diagnostic(module, 0, NULL));
    assert_non_null(strstr(jr_module_report(module, JR_REPORT_TEXT), "bad.src:2:16: error: "));
    assert_non_null(strstr(jr_module_report(module, JR_REPORT_TEXT), "return x + y\n"));
    assert_int_equal(jr_module_report(module, JR_REPORT_JSON)[0], '[');
    assert_non_null(strstr(jr_module_report(module, JR_REPORT_JSON), "\"line\": 2"));
    JrFunction *function = (JrFunction *)env;
    assert_fails(jr_function(module, "f", NULL, &function), JR_ERR_COMPILE, "has errors");
    assert_null(function);
    assert_fails(jr_run(module), JR_ERR_ARGUMENT, "run_main");
    assert_fails(jr_module_dump(module, "ir", sink_write, &env->out), JR_ERR_COMPILE,
                 "errors");
    assert_ok(jr_module_dump(module, "ast", sink_write, &env->out));
    assert_true(env->out.len > 0);
    jr_module_free(module);
}

static void nothing_is_reported_of_a_good_module(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "x = 1\n");
    assert_int_equal(jr_module_diagnostic_count(module), 0);
    assert_string_equal(jr_module_report(module, JR_REPORT_TEXT), "");
    assert_non_null(strstr(jr_module_report(module, JR_REPORT_JSON), "[]"));
    jr_module_free(module);
    assert_int_equal(jr_module_diagnostic_count(NULL), 0);
    assert_false(jr_module_diagnostic(NULL, 0, NULL));
    assert_string_equal(jr_module_report(NULL, JR_REPORT_TEXT), "");
    assert_false(jr_module_has_function(NULL, "f"));
    assert_false(jr_module_has_body(NULL));
    assert_false(jr_module_checks_races(NULL));
    jr_module_free(NULL);
}

static void modules_say_what_they_have(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "\"doc\"\nimport math\nN = 3\n"
                                        "def main():\n    pass\n"
                                        "def one(x):\n    return x\n");
    assert_true(jr_module_has_function(module, "main"));
    assert_false(jr_module_has_function(module, "one"));
    assert_false(jr_module_has_function(module, "two"));
    assert_false(jr_module_has_function(module, NULL));
    assert_false(jr_module_has_body(module));
    jr_module_free(module);
    module = env_compile(env, "print(1)\n");
    assert_true(jr_module_has_body(module));
    jr_module_free(module);
    assert_fails(jr_compile(env->context, "print(1)\n(", NULL, &module), JR_ERR_COMPILE, "");
    assert_true(jr_module_has_body(module)); /* though its last statement has no value */
    jr_module_free(module);
}

static void stages_can_be_shown(void **state) {
    Env *env = *state;
    static const char *const stages[] = {"tokens", "ast", "typed", "ir", "opt", "bytecode"};
    JrModule *module = env_compile(env, "def f(x: int) -> int:\n    return x * 3\n");
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        env->out.len = 0;
        assert_ok(jr_module_dump(module, stages[i], sink_write, &env->out));
        assert_true(env->out.len > 10);
    }
    const char *own = strcmp(env->engine, "tcc") == 0    ? "c"
                      : strcmp(env->engine, "llvm") == 0 ? "llvm"
                                                         : "bytecode";
    env->out.len = 0;
    assert_ok(jr_module_dump(module, own, sink_write, &env->out));
    assert_non_null(strchr(env->out.text, '3'));
    assert_fails(jr_module_dump(module, "pictures", sink_write, NULL), JR_ERR_NOT_FOUND,
                 "unknown stage 'pictures'");
    assert_fails(jr_module_dump(NULL, "ir", sink_write, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_module_dump(module, NULL, sink_write, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_module_dump(module, "ir", NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    env->out.fail = true;
    assert_fails(jr_module_dump(module, "ir", sink_write, &env->out), JR_ERR_IO, "written");
    jr_module_free(module);
}

/* ---- Running ---- */

static void bodies_run_and_print(void **state) {
    Env *env = *state;
    JrModule *module =
        env_compile(env, "def f(n: int) -> float:\n    return n / 2\n"
                         "if __name__ == '__main__':\n    print('half', f(3))\n");
    assert_ok(jr_run(module));
    assert_ok(jr_run(module));
    assert_string_equal(env->out.text, "half 1.5\nhalf 1.5\n");
    env->out.fail = true;
    assert_fails(jr_run(module), JR_ERR_IO, "could not be written");
    env->out.fail = false;
    assert_ok(jr_run(module));
    jr_module_free(module);
    assert_fails(jr_run(NULL), JR_ERR_ARGUMENT, "NULL argument");
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine};
    assert_ok(jr_compile(env->context, "print(1)\n", &o, &module));
    assert_fails(jr_run(module), JR_ERR_ARGUMENT, "run_main");
    jr_module_free(module);
}

static void output_may_be_dropped(void **state) {
    Env *env = *state;
    JrContext *context = jr_context_new(NULL);
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .run_main = true};
    JrModule *module;
    assert_ok(jr_compile(context, "print(1)\n", &o, &module));
    assert_ok(jr_run(module));
    jr_module_free(module);
    jr_context_free(context);
}

static JrFunction *inner;
static void keep_line(void *user, const char *line) {
    Sink *sink = user;
    sink_write(sink, line, strlen(line));
    sink_write(sink, "\n", 1);
}

static void work_is_logged(void **state) {
    Env *env = *state;
    Sink log = {.len = 0};
    JrContextOptions co = {.size = sizeof co, .log = keep_line, .log_user = &log};
    JrContext *context = jr_context_new(&co);
    JrCompileOptions o = {.size = sizeof o, .name = "k.src", .engine = env->engine};
    JrModule *module;
    char wanted[64];
    assert_ok(jr_compile(context, "def f(x):\n    return x\n", &o, &module));
    assert_non_null(strstr(log.text, "k.src: 1 function checked in "));
    env_function(module, "f", "(int64)");
    snprintf(wanted, sizeof wanted, "k.src: 1 function made for %s in ", env->engine);
    assert_non_null(strstr(log.text, wanted));
    size_t len = log.len;
    env_function(module, "f", "(int64)"); /* known already */
    assert_int_equal(log.len, len);
    env_function(module, "f", "(float64)");
    /* Compiling takes LLVM so long that it makes what is asked for. */
    bool is_llvm = strcmp(env->engine, "llvm") == 0;
    assert_non_null(strstr(log.text + len, is_llvm ? "k.src: 1 function made for "
                                                   : "k.src: 2 functions made for "));
    jr_module_free(module);
    assert_int_equal(jr_compile(context, "def f(:\n", &o, &module), JR_ERR_COMPILE);
    assert_non_null(strstr(log.text, "k.src: 1 error, 0 warnings\n"));
    jr_module_free(module);
    o.run_main = true, o.engine = NULL;
    assert_ok(jr_compile(context, "print(1)\n", &o, &module));
    assert_ok(jr_run(module));
    assert_non_null(strstr(log.text, "made for interp, to run the body once, in "));
    jr_module_free(module);
    jr_context_free(context);
}

static JrStatus inner_status, inner_print;
static bool calls_back(void *user, const char *bytes, size_t len) {
    JrValue v = jr_int(1);
    inner_status = jr_call(inner, 0, NULL, NULL);
    inner_print = jr_value_print(&v, sink_write, user);
    return sink_write(user, bytes, len);
}

/* A callback that runs kernels would print into the buffer it is reading. */
static void callbacks_cannot_run_kernels(void **state) {
    Env *env = *state;
    JrContextOptions c = {.size = sizeof c, .write = calls_back, .write_user = &env->out};
    JrContext *context = jr_context_new(&c);
    JrCompileOptions o = {.size = sizeof o, .engine = env->engine, .name = "t.src"};
    JrModule *module;
    assert_ok(jr_compile(context,
                         "def f():\n    print('out')\n"
                         "def g(a: int) -> int:\n    print('g')\n    return 1 // a\n",
                         &o, &module));
    inner = env_function(module, "f", "()");
    JrValue zero = jr_int(0);
    assert_fails(jr_call(env_function(module, "g", NULL), 1, &zero, NULL),
                 JR_ZERO_DIVISION_ERROR, "division");
    assert_int_equal(inner_status, JR_ERR_ARGUMENT);
    assert_int_equal(inner_print, JR_ERR_ARGUMENT);
    assert_string_equal(env->out.text, "g\n");
    jr_module_free(module);
    jr_context_free(context);
}

/* ---- Kernel errors ---- */

static const char failing[] = "import numpy as np\n"
                              "def at(x, i):\n"
                              "    return x[i]\n"
                              "def outer(i: int) -> float:\n"
                              "    return at(np.zeros(3), i)\n"
                              "def deep(n: int) -> int:\n"
                              "    return deep(n + 1) + 1\n"
                              "def said(n: int):\n"
                              "    raise ValueError('no')\n";

static void kernel_errors_have_frames(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, failing);
    JrValue i = jr_int(3), r = jr_int(9);
    assert_fails(jr_call(env_function(module, "outer", NULL), 1, &i, &r), JR_INDEX_ERROR,
                 "index 3 is out of bounds");
    const JrError *e = jr_error();
    assert_int_equal(r.type, JR_NONE);
    assert_string_equal(e->name, "IndexError");
    assert_int_equal(e->frame_count, 2);
    assert_string_equal(e->frames[0].function, "at");
    assert_string_equal(e->frames[0].file, "t.src");
    assert_int_equal(e->frames[0].line, 3);
    assert_string_equal(e->frames[1].function, "outer");
    assert_int_equal(e->frames[1].line, 5);
    assert_int_equal(e->frames_dropped, 0);
    Sink text = {0}, json = {0};
    jr_error_report(module, JR_REPORT_TEXT, sink_write, &text);
    jr_error_report(module, JR_REPORT_JSON, sink_write, &json);
    jr_error_report(NULL, JR_REPORT_TEXT, sink_write, &env->out);
    assert_non_null(strstr(text.text, "t.src:3:"));
    assert_non_null(strstr(text.text, "error: IndexError: index 3"));
    assert_non_null(strstr(text.text, "    return x[i]\n"));
    assert_non_null(strstr(text.text, "in at, called at t.src:5:"));
    assert_non_null(strstr(json.text, "\"name\": \"IndexError\""));
    assert_non_null(strstr(json.text, "\"line\": 5"));
    assert_non_null(strstr(env->out.text, "IndexError"));
    assert_int_equal(jr_error()->status, JR_INDEX_ERROR); /* reports leave it */
    jr_module_free(module);
    assert_string_equal(jr_error()->frames[0].function, "at"); /* and so does freeing */
    jr_error_report(NULL, JR_REPORT_TEXT, NULL, NULL);
}

static void deep_recursion_is_an_error(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, failing);
    JrFunction *deep = env_function(module, "deep", NULL);
    JrValue n = jr_int(0);
    for (int i = 0; i < 2; i++) {
        assert_fails(jr_call(deep, 1, &n, NULL), JR_RECURSION_ERROR, "recursion");
        assert_int_equal(jr_error()->frame_count, 64);
        assert_true(jr_error()->frames_dropped > 100);
    }
    Sink text = {0};
    jr_error_report(module, JR_REPORT_TEXT, sink_write, &text);
    assert_non_null(strstr(text.text, " more calls ..."));
    jr_module_free(module);
}

static void raised_messages_arrive(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, failing);
    JrValue n = jr_int(0);
    assert_fails(jr_call(env_function(module, "said", NULL), 1, &n, NULL), JR_VALUE_ERROR,
                 "no");
    assert_string_equal(jr_error()->name, "ValueError");
    JrContext *fine = jr_context_new(NULL); /* the next call clears it */
    assert_int_equal(jr_error()->status, JR_OK);
    assert_string_equal(jr_error()->message, "");
    jr_context_free(fine);
    jr_module_free(module);
}

/* ---- Functions ---- */

static void functions_are_found(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def both(x, y):\n    return x + y\n"
                                        "def typed(x: float, k: int) -> float:\n"
                                        "    return x * k\n"
                                        "def none():\n    pass\n");
    JrFunction *f, *again;
    f = env_function(module, "typed", NULL);
    assert_string_equal(jr_function_signature(f), "float64(float64, int64)");
    assert_int_equal(jr_function_param_count(f), 2);
    assert_ptr_equal(env_function(module, "typed", "(float64, int64)"), f);
    assert_ptr_equal(env_function(module, "typed", " float64 ( float64 , int64 ) "), f);
    f = env_function(module, "both", "(int32, float32)");
    assert_string_equal(jr_function_signature(f), "float64(int32, float32)");
    JrValue args[] = {jr_float(1.5), jr_int(2)};
    assert_ok(jr_function_for(module, "both", 2, args, &again));
    assert_string_equal(jr_function_signature(again), "float64(float64, int64)");
    assert_ptr_equal(env_function(module, "both", "(float64, int64)"), again);
    assert_string_equal(jr_function_signature(env_function(module, "none", NULL)), "None()");
    assert_string_equal(jr_function_signature(NULL), "");
    assert_int_equal(jr_function_param_count(NULL), 0);
    assert_fails(jr_function(module, "bath", NULL, &f), JR_ERR_NOT_FOUND,
                 "did you mean 'both'?");
    assert_null(f);
    assert_fails(jr_function_for(module, "bath", 2, args, &f), JR_ERR_NOT_FOUND, "both");
    assert_fails(jr_function(module, "both", NULL, &f), JR_ERR_SIGNATURE, "has no types");
    static const char *const wrong[] = {"",          "(",        "float64",    "(float64",
                                        "(float99)", "(int64))", "(int64, )x", "(,)"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(jr_function(module, "both", wrong[i], &f), JR_ERR_SIGNATURE,
                     "is no signature");
    assert_fails(jr_function(module, "both", "(int64, song)", &f), JR_ERR_SIGNATURE,
                 "'(int64, song)' is no signature, from 'song)' on: write");
    assert_fails(jr_function(NULL, "both", NULL, &f), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_function(module, NULL, NULL, &f), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_function(module, "both", NULL, NULL), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_function_for(module, "both", 2, NULL, &f), JR_ERR_ARGUMENT, "NULL");
    assert_fails(jr_function_for(module, "both", 1000, args, &f), JR_ERR_ARGUMENT, "1000");
    jr_module_free(module);
}

static void defaults_are_taken(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(n, /, k=3, *, p=(1, 0.5)):\n"
                                        "    return n + k * p[1]\n"
                                        "def typed(x: float, n: int = 4) -> float:\n"
                                        "    return x + n\n"
                                        "def maybe(x, k=None):\n"
                                        "    return x if k is None else x * k\n"
                                        "def all(n=1, m=2.5):\n    return n + m\n");
    JrFunction *f;
    JrValue result, args[] = {jr_int(2), jr_default(), jr_default(), jr_int(1)};
    assert_ok(jr_function_for(module, "f", 1, args, &f));
    assert_string_equal(jr_function_signature(f),
                        "float64(int64, int64, tuple[int64, float64])");
    assert_ok(jr_call(f, 1, args, &result));
    assert_true(result.as.f == 3.5);
    assert_ok(jr_call(f, 3, args, &result));
    assert_true(result.as.f == 3.5);
    assert_fails(jr_call(f, 4, args, &result), JR_ERR_ARGUMENT, "takes 3 arguments, not 4");
    args[0] = jr_default();
    assert_fails(jr_call(f, 3, args, &result), JR_ERR_ARGUMENT, "an argument for 'n'");
    assert_fails(jr_call(f, 0, NULL, &result), JR_ERR_ARGUMENT, "an argument for 'n'");
    assert_fails(jr_function_for(module, "f", 1, args, &f), JR_ERR_COMPILE, "for 'n'");
    assert_fails(jr_function(module, "f", "(int64)", &f), JR_ERR_SIGNATURE,
                 "the types of all");
    f = env_function(module, "typed", NULL);
    args[0] = jr_float(0.5);
    assert_ok(jr_call(f, 1, args, &result));
    assert_true(result.as.f == 4.5);
    args[0] = jr_float(0.5), args[1] = jr_default();
    assert_ok(jr_function_for(module, "maybe", 1, args, &f));
    assert_string_equal(jr_function_signature(f), "float64(float64, None)");
    assert_ok(jr_call(f, 1, args, &result));
    assert_true(result.as.f == 0.5);
    args[1] = jr_float(4);
    assert_ok(jr_function_for(module, "maybe", 2, args, &f));
    assert_ok(jr_call(f, 2, args, &result));
    assert_true(result.as.f == 2.0);
    assert_ok(jr_function_for(module, "all", 0, NULL, &f));
    assert_ok(jr_call(f, 0, NULL, &result));
    assert_true(result.as.f == 3.5);
    assert_true(jr_module_has_function(module, "all"));
    assert_false(jr_module_has_function(module, "typed"));
    assert_int_equal(jr_module_param_index(module, "f", "p"), 2);
    assert_int_equal(jr_module_param_index(module, "f", "n"), -1);
    assert_int_equal(jr_module_param_index(module, "f", "z"), -1);
    assert_int_equal(jr_module_param_index(module, "g", "n"), -1);
    assert_int_equal(jr_module_param_index(NULL, "f", "p"), -1);
    assert_int_equal(jr_module_param_index(module, "f", NULL), -1);
    jr_module_free(module);
}

/* A result type that the function does not have, and parameters it cannot take, name both. */
static void signatures_must_fit(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def f(x: float) -> float:\n    return x\n");
    JrFunction *f;
    assert_fails(jr_function(module, "f", "int32(float64)", &f), JR_ERR_SIGNATURE,
                 "float64(float64)");
    assert_fails(jr_function(module, "f", "(int32)", &f), JR_ERR_SIGNATURE,
                 "float64(float64)");
    assert_fails(jr_function(module, "f", "(float64[:])", &f), JR_ERR_SIGNATURE,
                 "f is float64(float64), which is not (float64[:])");
    assert_fails(jr_function(module, "f", "(float64, float64)", &f), JR_ERR_SIGNATURE,
                 "f is float64(float64), which is not (float64, float64)");
    env_function(module, "f", "float64(float64)");
    jr_module_free(module);
    module = env_compile(env, "def g(p):\n    return p[0] + p[1][0], p[1][1]\n");
    f = env_function(module, "g", "(tuple[int64, tuple[float64, bool]])");
    assert_string_equal(jr_function_signature(f),
                        "tuple[float64, bool](tuple[int64, tuple[float64, bool]])");
    assert_ptr_equal(env_function(module, "g", jr_function_signature(f)), f);
    jr_module_free(module);
}

/* Types that a function cannot be compiled for are an error each time, and leave it usable. */
static void failed_specialisations_are_taken_back(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, "def one(x):\n    return x[0] + helper(x)\n"
                                        "def helper(x):\n    return x[1] * 2\n"
                                        "def twice(x):\n    return x * 2\n");
    JrFunction *f;
    for (int i = 0; i < 3; i++) {
        assert_fails(jr_function(module, "one", "(float64)", &f), JR_ERR_COMPILE, "indexed");
        assert_null(f);
        assert_int_equal(jr_module_diagnostic_count(module), 2);
        assert_non_null(strstr(jr_module_report(module, JR_REPORT_TEXT), "t.src:2:"));
        assert_fails(jr_function(module, "one", "(float64, float64)", &f), JR_ERR_SIGNATURE,
                     "one(x) has 1 parameter, which is not (float64, float64)");
        f = env_function(module, "one", i == 1 ? "(float64[::1])" : "(int64[:])");
        assert_int_equal(jr_module_diagnostic_count(module), 0);
        assert_ok(jr_function(module, "twice", i == 2 ? "(int8)" : "(float32)", &f));
    }
    double data[] = {1, 2};
    JrArrayValue array = {JR_FLOAT64, 1, data, {2}, {1}, NULL, true};
    JrValue arg = jr_array(&array), r;
    assert_ok(jr_function_for(module, "one", 1, &arg, &f));
    assert_ok(jr_call(f, 1, &arg, &r));
    assert_true(r.as.f == 5);
    jr_module_free(module);
}

/* The rest of jr_python_* is for tests/python. */
static void no_python_in_this_process(void **state) {
    (void)state;
    void *vectorcall = &vectorcall;
    assert_int_equal(jr_python_open(16, 64, &vectorcall), JR_ERR_NOT_FOUND);
    assert_null(vectorcall);
    assert_int_equal(jr_python_open(16, 64, NULL), JR_ERR_ARGUMENT);
    assert_int_equal(jr_python_open(0, 64, &vectorcall), JR_ERR_ARGUMENT);
    assert_null(jr_python_calls_new(NULL, 0, 0, state, state));
    assert_null(jr_python_calls_new(state, 1, 0, state, state));
    jr_python_calls_free(NULL);
    JrPyCalls *calls = jr_python_calls_new(state, 0, 0, state, state);
    assert_non_null(calls);
    assert_int_equal(jr_python_calls_add(calls, NULL, state, 0, NULL), JR_ERR_ARGUMENT);
    jr_python_calls_free(calls);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_agree),
        cmocka_unit_test(context_options_are_checked),
        cmocka_unit_test(engines_are_known),
        cmocka_unit_test(compile_options_are_checked),
        cmocka_unit_test(files_compile),
        cmocka_unit_test(errors_have_places),
        cmocka_unit_test(nothing_is_reported_of_a_good_module),
        cmocka_unit_test(modules_say_what_they_have),
        cmocka_unit_test(stages_can_be_shown),
        cmocka_unit_test(work_is_logged),
        cmocka_unit_test(bodies_run_and_print),
        cmocka_unit_test(output_may_be_dropped),
        cmocka_unit_test(callbacks_cannot_run_kernels),
        cmocka_unit_test(kernel_errors_have_frames),
        cmocka_unit_test(deep_recursion_is_an_error),
        cmocka_unit_test(raised_messages_arrive),
        cmocka_unit_test(functions_are_found),
        cmocka_unit_test(no_python_in_this_process),
        cmocka_unit_test(defaults_are_taken),
        cmocka_unit_test(signatures_must_fit),
        cmocka_unit_test(failed_specialisations_are_taken_back),
    };
    return run_on_engines("api", tests, sizeof tests / sizeof *tests);
}

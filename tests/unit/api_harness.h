/* For tests of the public interface: they include jitrun.h alone and link the library itself.
 * Each test runs once on every engine that is there. */
#ifndef TESTS_API_HARNESS_H
#define TESTS_API_HARNESS_H

#include <jitrun.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that a JrWrite received. */
typedef struct Sink {
    char text[8192];
    size_t len;
    bool fail;
} Sink;

static inline bool sink_write(void *user, const char *bytes, size_t len) {
    Sink *sink = user;
    if (sink->fail || sink->len + len >= sizeof sink->text) return false;
    memcpy(sink->text + sink->len, bytes, len);
    sink->len += len;
    sink->text[sink->len] = 0;
    return true;
}

/* The engine the tests of a group run on, and a context that prints into `out`. */
typedef struct Env {
    const char *engine;
    JrContext *context;
    Sink out;
} Env;

static inline int env_setup(void **state) {
    Env *env = calloc(1, sizeof *env);
    if (!env) return -1;
    env->engine = *state;
    JrContextOptions options = {
        .size = sizeof options, .write = sink_write, .write_user = &env->out};
    env->context = jr_context_new(&options);
    *state = env;
    return env->context ? 0 : -1;
}

static inline int env_teardown(void **state) {
    Env *env = *state;
    jr_context_free(env->context);
    free(env);
    return 0;
}

#define assert_ok(call)                                                              \
    do {                                                                             \
        JrStatus status_ = (call);                                                   \
        if (status_) print_error("%s: %s\n", jr_error()->name, jr_error()->message); \
        assert_int_equal(status_, JR_OK);                                            \
        assert_int_equal(jr_error()->status, JR_OK);                                 \
    } while (0)

/* The call fails with this status, and its message holds `part`. */
#define assert_fails(call, expected, part)                                  \
    do {                                                                    \
        JrStatus status_ = (call);                                          \
        assert_int_equal(status_, expected);                                \
        assert_int_equal(jr_error()->status, expected);                     \
        if (!strstr(jr_error()->message, part))                             \
            fail_msg("message: %s\nwanted: %s", jr_error()->message, part); \
    } while (0)

static inline JrModule *env_compile(Env *env, const char *source) {
    JrCompileOptions options = {
        .size = sizeof options, .name = "t.src", .engine = env->engine, .run_main = true};
    JrModule *module = NULL;
    if (jr_compile(env->context, source, &options, &module) != JR_OK)
        fail_msg("%s",
                 module ? jr_module_report(module, JR_REPORT_TEXT) : jr_error()->message);
    return module;
}

static inline JrFunction *env_function(JrModule *module, const char *name,
                                       const char *signature) {
    JrFunction *function = NULL;
    assert_ok(jr_function(module, name, signature, &function));
    assert_non_null(function);
    return function;
}

/* Whether TEST_ENGINES, "interp,tcc" say, leaves this one in: valgrind is slow with LLVM. */
static inline bool engine_is_wanted(const char *engine) {
    const char *wanted = getenv("TEST_ENGINES");
    return !wanted || strstr(wanted, engine) != NULL;
}

/* Runs the tests once for each engine; groups are named after it. */
static inline int run_on_engines(const char *suite, const struct CMUnitTest *tests,
                                 size_t count) {
    static const char *const engines[] = {"interp", "tcc", "llvm"};
    JrContext *context = jr_context_new(NULL);
    int failed = 0;
    for (int e = 0; e < 3; e++) {
        if (!engine_is_wanted(engines[e]) || !jr_engine_available(context, engines[e]))
            continue;
        struct CMUnitTest *group = calloc(count, sizeof *group);
        if (!group) return 1;
        for (size_t i = 0; i < count; i++) {
            group[i] = tests[i];
            group[i].setup_func = env_setup;
            group[i].teardown_func = env_teardown;
            group[i].initial_state = (void *)engines[e];
        }
        char name[64];
        snprintf(name, sizeof name, "%s on %s", suite, engines[e]);
        failed += _cmocka_run_group_tests(name, group, count, NULL, NULL);
        free(group);
    }
    jr_context_free(context);
    return failed;
}

static inline void *pointer_of(JrModule *module, const char *name, const char *signature) {
    void *address = NULL;
    assert_ok(jr_function_pointer(env_function(module, name, signature), &address));
    assert_non_null(address);
    return address;
}

/* Stores a function's address in a variable of some function pointer type. */
#define take_pointer(into, module, name, signature)     \
    do {                                                \
        void *p_ = pointer_of(module, name, signature); \
        memcpy(&(into), &p_, sizeof p_);                \
    } while (0)

#endif

/* For tests of host functions: adding one, and running a kernel that calls it. */
#ifndef TESTS_HOST_HARNESS_H
#define TESTS_HOST_HARNESS_H

#include "tests/unit/api_harness.h"

static inline void add_host(Env *env, const char *name, const char *signature,
                            JrHostFunction function, void *user) {
    assert_ok(jr_context_add_function(env->context, name, signature, function, user));
}
#define ADD(name, signature, function, user) \
    add_host(env, name, signature, (JrHostFunction)(function), user)

static inline JrValue run(JrModule *module, const char *name, size_t count,
                          const JrValue *args) {
    JrFunction *f;
    JrValue result = {.type = JR_NONE};
    assert_ok(jr_function_for(module, name, count, args, &f));
    assert_ok(jr_call(f, count, args, &result));
    return result;
}

static inline JrStatus run_status(JrModule *module, const char *name, int64_t n) {
    JrFunction *f = env_function(module, name, NULL);
    JrValue arg = jr_int(n);
    return jr_call(f, 1, &arg, NULL);
}

#endif

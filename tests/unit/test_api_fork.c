/* Forks while other threads compile into the context that the child goes on with: each lock and each
 * half-made thing of theirs would be there for ever. */
#include "tests/unit/api_harness.h"
#include "tests/unit/memcheck.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMPILERS = 3, CHILDREN = 40, HANGS = 60 /* seconds: then it has */ };

static const char source[] = "def poly(x, n):\n"
                             "    s = x * 0\n"
                             "    for i in range(n):\n"
                             "        s = s * 3 + x\n"
                             "    return s\n";

typedef struct Shared {
    JrContext *context;
    JrModule *module;
    const char *engine;
    _Atomic bool over;
} Shared;

static JrModule *compile(Shared *s) {
    JrCompileOptions options = {.size = sizeof options, .engine = s->engine};
    JrModule *module = NULL;
    return jr_compile(s->context, source, &options, &module) == JR_OK ? module : NULL;
}

/* Whether poly(2, 3) of a type is 26. */
static bool computes(JrModule *module, const char *type) {
    char signature[40];
    JrFunction *f;
    JrValue result, args[] = {jr_float(2), jr_int(3)};
    bool is_float = type[0] == 'f';
    if (!is_float) args[0] = jr_int(2);
    snprintf(signature, sizeof signature, "(%s, int64)", type);
    if (jr_function(module, "poly", signature, &f) || jr_call(f, 2, args, &result))
        return false;
    return is_float ? result.as.f == 26 : result.as.i == 26;
}

static const char *const types[] = {"int64", "float64", "int32", "float32", "int16"};
enum { TYPES = sizeof types / sizeof *types };

static void *compiler(void *user) {
    Shared *s = user;
    for (unsigned i = 0; !atomic_load(&s->over); i++) {
        JrModule *module = compile(s);
        if (!module || !computes(module, types[i % TYPES])) return "a compiler fails";
        jr_module_free(module);
        if (!computes(s->module, types[i % TYPES])) return "the shared module fails";
    }
    return NULL;
}

static bool child_can_all(Shared *s) {
    JrModule *own = compile(s);
    bool good = own != NULL;
    for (int i = 0; i < TYPES && good; i++)
        good = computes(s->module, types[i]) && computes(own, types[i]);
    jr_module_free(own);
    jr_module_free(s->module);
    s->module = NULL;
    return good;
}

/* Whether a child, forked now, can do all that. */
static bool child_of(Shared *s) {
    JrModule *fresh = compile(s);
    pid_t child = fork();
    if (child == 0) {
        alarm(memcheck_size(HANGS, 600));
        _exit(child_can_all(s) && fresh && computes(fresh, "float64") ? 0 : 1);
    }
    int status = -1;
    bool good = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    jr_module_free(fresh);
    return good;
}

static void a_fork_while_others_compile(void **state) {
    Env *env = *state;
    Shared s = {.context = env->context, .engine = env->engine};
    pthread_t threads[COMPILERS];
    const char *problem = NULL;
    s.module = compile(&s);
    assert_non_null(s.module);
    for (int i = 0; i < COMPILERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compiler, &s), 0);
    for (int i = memcheck_size(CHILDREN, 5); i > 0 && !problem; i--) {
        struct timespec brief = {.tv_nsec = 37000 * i};
        nanosleep(&brief, NULL);
        if (!child_of(&s)) problem = "a child hangs, crashes or computes wrong";
    }
    atomic_store(&s.over, true);
    for (int i = 0; i < COMPILERS; i++) {
        void *found;
        pthread_join(threads[i], &found);
        if (found) problem = found;
    }
    jr_module_free(s.module);
    if (problem) fail_msg("%s", problem);
}

/* The sanitizers have locks of their own, which a fork does not wait for. */
int main(void) {
#ifdef JITRUN_SANITIZED
    return 0;
#endif
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_fork_while_others_compile)};
    return run_on_engines("fork", tests, sizeof tests / sizeof *tests);
}

/* One source on every engine there is: they give the same bits. With an argument, how long each takes
 * to be ready and to run goes to standard error. */
#include <jitrun.h>

#include <stdio.h>
#include <time.h>

static const char source[] = "def leibniz(n: int) -> float:\n"
                             "    s, sign = 0.0, 1.0\n"
                             "    for k in range(n):\n"
                             "        s += sign / (2 * k + 1)\n"
                             "        sign = -sign\n"
                             "    return 4.0 * s\n";

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static bool run(JrContext *context, const char *engine, bool timed, double *result) {
    JrCompileOptions options = {.size = sizeof options, .engine = engine};
    JrModule *module;
    JrFunction *f;
    JrValue n = jr_int(1000000), r = {.type = JR_NONE};
    double start = now();
    JrStatus status = jr_compile(context, source, &options, &module);
    if (!status) status = jr_function(module, "leibniz", NULL, &f);
    double ready = now();
    if (!status) status = jr_call(f, 1, &n, &r);
    if (timed)
        fprintf(stderr, "%s: ready %.2f ms, %.2f ms\n", engine, ready - start, now() - ready);
    *result = r.as.f;
    jr_module_free(module);
    return status == JR_OK;
}

int main(int argc, char **argv) {
    static const char *const engines[] = {"interp", "tcc", "llvm"};
    JrContext *context = jr_context_new(NULL);
    double first = 0, result;
    (void)argv;
    for (int i = 0; i < 3; i++) {
        if (!jr_engine_available(context, engines[i])) continue;
        if (!run(context, engines[i], argc > 1, &result)) return 1;
        if (first == 0) first = result;
        printf("%s %.15f%s\n", engines[i], result,
               result == first ? "" : ", which is different");
    }
    jr_context_free(context);
    return 0;
}

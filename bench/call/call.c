/* What a call costs: the same small function as a C function behind a pointer, as a typed
 * pointer of each engine (the interpreter's is a libffi closure), through a prepared call of which
 * one argument is set anew, and through jr_call; the last two on the fastest engine.
 *
 * Each call's argument depends on the result of the one before, as in the loops where calls
 * matter; the best of several rounds counts. Prints nanoseconds per call. Results are compared
 * with C's first. */
#define _GNU_SOURCE
#include "call.h"

#include <jitrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char source[] =
    "from jitrun import float64\n"
    "def add(x: float, y: float) -> float:\n    return x + y\n"
    "def part(a: int, b: int) -> int:\n    return a // b\n"
    "def at(x: float64[::1], i: int) -> float:\n    return x[i]\n"
    "def sum_of(x: float64[::1]) -> float:\n    s = 0.0\n    for i in range(len(x)):\n"
    "        s += x[i]\n    return s\n";

enum { ROUNDS = 21, LEN = 8 };

static double data[LEN] = {0, 0, 0, 0, 0, 0, 0, 0};

typedef union Pointer {
    void *address;
    double (*add)(double x, double y);
    int64_t (*part)(int64_t a, int64_t b);
    double (*at)(const double *x, int64_t x_len, int64_t i);
    double (*sum_of)(const double *x, int64_t x_len);
} Pointer;

static double loop_add(Pointer p, long n) {
    double s = 0;
    for (long i = 0; i < n; i++)
        s = p.add(s, 1);
    return s;
}
static double loop_part(Pointer p, long n) {
    int64_t s = 0;
    for (long i = 0; i < n; i++)
        s = p.part(s + 9, 2);
    return (double)s;
}
static double loop_at(Pointer p, long n) {
    int64_t s = 3;
    for (long i = 0; i < n; i++)
        s = (int64_t)p.at(data, LEN, s);
    return (double)s;
}
static double loop_sum(Pointer p, long n) {
    double s = 0;
    for (long i = 0; i < n; i++)
        s = p.sum_of(data, LEN - (s != 0));
    return s;
}

static const struct Kernel {
    const char *name, *what;
    Pointer c;
    double (*loop)(Pointer p, long n);
} kernels[] = {
    {"add", "x + y: cannot fail", {.add = c_add}, loop_add},
    {"part", "a // b: can fail", {.part = c_part}, loop_part},
    {"at", "x[i]: an array", {.at = c_at}, loop_at},
    {"sum_of", "a sum of 8: a loop", {.sum_of = c_sum}, loop_sum},
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Nanoseconds per call; negative if the result is not `wanted`. */
static double measure(const struct Kernel *k, Pointer p, long n, double wanted) {
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        double got = k->loop(p, n);
        double took = (now() - start) * 1e9 / (double)n;
        if (got != wanted) return -1;
        if (took < best) best = took;
    }
    return best;
}

/* Calls with values; what they are is the same each time. */
typedef struct Values {
    JrFunction *function;
    JrPrepared *prepared;
    size_t count;
    JrValue args[2];
} Values;

static double through_values(Values *v, long n) {
    double start = now();
    JrValue result;
    for (long i = 0; i < n; i++)
        if (jr_call(v->function, v->count, v->args, &result)) return -1;
    return (now() - start) * 1e9 / (double)n;
}

/* One argument is another one each time. */
static double through_prepared(Values *v, long n) {
    double start = now();
    JrValue result;
    for (long i = 0; i < n; i++)
        if (jr_prepared_set(v->prepared, 0, &v->args[0]) ||
            jr_prepared_call(v->prepared, &result))
            return -1;
    return (now() - start) * 1e9 / (double)n;
}

static double best_of(double (*measured)(Values *v, long n), Values *v, long n) {
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double took = measured(v, n);
        if (took < 0) return took;
        if (took < best) best = took;
    }
    return best;
}

static void show(double ns) {
    if (ns < 0)
        printf("  %9s", "WRONG");
    else
        printf("  %9.2f", ns);
}

/* Through values, prepared and not. */
static void show_values(JrModule *module, const char *name, long n) {
    JrArrayValue array = {
        .dtype = JR_FLOAT64, .ndim = 1, .data = data, .shape = {LEN}, .strides = {1}};
    Values v = {.args = {jr_array(&array), jr_int(3)}};
    if (!strcmp(name, "add")) v.args[0] = jr_float(1), v.args[1] = jr_float(2);
    if (!strcmp(name, "part")) v.args[0] = jr_int(9), v.args[1] = jr_int(2);
    if (jr_function(module, name, NULL, &v.function) ||
        jr_function_prepare(v.function, &v.prepared))
        return;
    v.count = jr_function_param_count(v.function);
    for (size_t i = 0; i < v.count; i++)
        jr_prepared_set(v.prepared, i, &v.args[i]);
    show(best_of(through_prepared, &v, n));
    show(best_of(through_values, &v, n));
    jr_prepared_free(v.prepared);
}

int main(void) {
    static const char *const engines[] = {"llvm", "tcc", "interp"};
    JrContext *context = jr_context_new(NULL);
    JrModule *modules[3] = {NULL};
    for (int e = 0; e < 3; e++) {
        JrCompileOptions options = {.size = sizeof options, .engine = engines[e]};
        if (jr_engine_available(context, engines[e]) &&
            jr_compile(context, source, &options, &modules[e]) != JR_OK)
            return fputs(jr_module_report(modules[e], JR_REPORT_TEXT), stderr), 1;
    }
    printf("ns per call%9s  %9s  %9s  %9s  %9s  %9s  %9s\n", "", "C", "llvm", "tcc", "closure",
           "prepared", "jr_call");
    for (int i = 0; i < KERNELS; i++) {
        const struct Kernel *k = &kernels[i];
        enum { MANY = 3000000, SOME = 300000 };
        double many = k->loop(k->c, MANY), some = k->loop(k->c, SOME);
        printf("%-20s", k->what);
        show(measure(k, k->c, MANY, many));
        for (int e = 0; e < 3; e++) {
            JrFunction *function;
            Pointer p;
            if (!modules[e] || jr_function(modules[e], k->name, NULL, &function) ||
                jr_function_pointer(function, &p.address)) {
                printf("  %9s", "-");
                continue;
            }
            show(measure(k, p, e == 2 ? SOME : MANY, e == 2 ? some : many));
        }
        JrModule *best = modules[0] ? modules[0] : modules[1] ? modules[1] : modules[2];
        show_values(best, k->name, SOME);
        printf("\n");
    }
    for (int e = 0; e < 3; e++)
        jr_module_free(modules[e]);
    jr_context_free(context);
    return 0;
}

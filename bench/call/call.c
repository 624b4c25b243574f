/* What a call costs: the same small function as a C function behind a pointer, as a typed
 * pointer of each engine (the interpreter's is a libffi closure), and through jr_call.
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

enum { ROUNDS = 7, LEN = 8 };

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

static double measure_call(JrFunction *function, const struct Kernel *k, long n) {
    JrArrayValue array = {
        .dtype = JR_FLOAT64, .ndim = 1, .data = data, .shape = {LEN}, .strides = {1}};
    JrValue args[2] = {jr_array(&array), jr_int(3)}, result;
    if (!strcmp(k->name, "add")) args[0] = jr_float(1), args[1] = jr_float(2);
    if (!strcmp(k->name, "part")) args[0] = jr_int(9), args[1] = jr_int(2);
    double best = 1e9;
    size_t count = jr_function_param_count(function);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (long i = 0; i < n; i++)
            if (jr_call(function, count, args, &result)) return -1;
        double took = (now() - start) * 1e9 / (double)n;
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
    printf("ns per call%9s  %9s  %9s  %9s  %9s  %9s\n", "", "C", "llvm", "tcc", "closure",
           "jr_call");
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
        JrFunction *function;
        JrModule *best = modules[0] ? modules[0] : modules[1] ? modules[1] : modules[2];
        if (jr_function(best, k->name, NULL, &function) == JR_OK)
            show(measure_call(function, k, SOME));
        printf("\n");
    }
    for (int e = 0; e < 3; e++)
        jr_module_free(modules[e]);
    jr_context_free(context);
    return 0;
}

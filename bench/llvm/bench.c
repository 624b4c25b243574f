/* The LLVM engine against clang on the same loops, bounds checks on.
 *
 *     bench PLUGIN KERNELS.ir KERNELS.so
 *
 * For each kernel: the results are compared first, bit for bit; then both sides run in turns,
 * and the least CPU time of each counts, which other work on the machine disturbs least.
 * Prints milliseconds, the ratio, and what compiling the kernel alone took. */
#include "backend/engine.h"
#include "ir/poll.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { N = 4096, DIM = 192, SIEVE = 1 << 18, ROUNDS = 25 };

typedef struct Header {
    void *data;
    JrBuffer *owner;
    int64_t numbers[4];
} Header;

static double x[N], y[2][N], a[DIM * DIM], b[DIM * DIM], c[2][DIM * DIM];
static int64_t ints[N];
static uint8_t flags[2][SIEVE];
static void *clang_side;
static JrRt rt;
static const int32_t never;

static Header vector(void *data, int64_t n) {
    return (Header){data, NULL, {n, 1}};
}
static Header square(void *data) {
    return (Header){data, NULL, {DIM, DIM, DIM, 1}};
}

#define RUN(results, ...) \
    call->run(call, &rt, (void *const[]){__VA_ARGS__, NULL}, (void *const[]){results, NULL})
#define C(type, name) ((type)(uintptr_t)dlsym(clang_side, name))

/* Each kernel on one side or, with call NULL, the other; the bits to compare. */
static double bench_dot(const JrCall *call) {
    static double (*fn)(const double *, const double *, int64_t);
    if (!fn) fn = C(double (*)(const double *, const double *, int64_t), "c_dot");
    Header hx = vector(x, N), hy = vector(a, N);
    double s = 0;
    for (int r = 0; r < 100; r++) {
        double t = 0;
        if (call)
            RUN(&t, &hx, &hy);
        else
            t = fn(x, a, N);
        s += t;
    }
    return s;
}

static double bench_axpy(const JrCall *call) {
    static void (*fn)(double, const double *, double *, int64_t);
    if (!fn) fn = C(void (*)(double, const double *, double *, int64_t), "c_axpy");
    Header hx = vector(x, N), hy = vector(y[call != NULL], N);
    double k = 1e-3;
    for (int r = 0; r < 300; r++) {
        if (call)
            RUN(NULL, &k, &hx, &hy);
        else
            fn(k, x, y[0], N);
    }
    return y[call != NULL][N / 3];
}

static double bench_mandelbrot(const JrCall *call) {
    static int64_t (*fn)(int64_t, int64_t);
    if (!fn) fn = C(int64_t(*)(int64_t, int64_t), "c_mandelbrot");
    int64_t n = 120, limit = 100, count = 0;
    if (call)
        RUN(&count, &n, &limit);
    else
        count = fn(n, limit);
    return (double)count;
}

static double bench_sieve(const JrCall *call) {
    static int64_t (*fn)(uint8_t *, int64_t);
    if (!fn) fn = C(int64_t(*)(uint8_t *, int64_t), "c_sieve");
    Header h = vector(flags[1], SIEVE);
    int64_t count = 0;
    if (call)
        RUN(&count, &h);
    else
        count = fn(flags[0], SIEVE);
    return (double)count;
}

static double bench_matmul(const JrCall *call) {
    static void (*fn)(const double *, const double *, double *, int64_t, int64_t, int64_t);
    if (!fn)
        fn = C(void (*)(const double *, const double *, double *, int64_t, int64_t, int64_t),
               "c_matmul");
    Header ha = square(a), hb = square(b), hc = square(c[1]);
    if (call)
        RUN(NULL, &ha, &hb, &hc);
    else
        fn(a, b, c[0], DIM, DIM, DIM);
    return c[call != NULL][DIM * DIM / 2 + 7];
}

static double bench_fib(const JrCall *call) {
    static int64_t (*fn)(int64_t);
    if (!fn) fn = C(int64_t(*)(int64_t), "c_fib");
    int64_t n = 25, r = 0;
    if (call)
        RUN(&r, &n);
    else
        r = fn(n);
    return (double)r;
}

static double bench_sum(const JrCall *call) {
    static int64_t (*fn)(const int64_t *, int64_t);
    if (!fn) fn = C(int64_t(*)(const int64_t *, int64_t), "c_sum");
    Header h = vector(ints, N);
    int64_t s = 0;
    for (int r = 0; r < 1000; r++) {
        int64_t t = 0;
        if (call)
            RUN(&t, &h);
        else
            t = fn(ints, N);
        s += t;
    }
    return (double)s;
}

static double bench_smooth(const JrCall *call) {
    static void (*fn)(const double *, double *, int64_t);
    if (!fn) fn = C(void (*)(const double *, double *, int64_t), "c_smooth");
    Header hx = vector(x, N), hy = vector(y[call != NULL], N);
    for (int r = 0; r < 300; r++) {
        if (call)
            RUN(NULL, &hx, &hy);
        else
            fn(x, y[0], N);
    }
    return y[call != NULL][N / 3];
}

typedef struct Bench {
    const char *name;
    double (*run)(const JrCall *call);
} Bench;

static const Bench benches[] = {
    {"dot", bench_dot},     {"axpy", bench_axpy},     {"mandelbrot", bench_mandelbrot},
    {"sieve", bench_sieve}, {"matmul", bench_matmul}, {"fib", bench_fib},
    {"sum", bench_sum},     {"smooth", bench_smooth},
};

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* Helpers that the kernels name and, being right, never call. */
static int32_t unreachable(void) {
    return 1;
}

static JrSymbol symbols[] = {
    {"jr_rt_deep", (void *)(uintptr_t)unreachable},
    {"jr_rt_poll", (void *)(uintptr_t)unreachable},
    {"jr_rt_raise_index", (void *)(uintptr_t)unreachable},
    {"jr_rt_trace", (void *)(uintptr_t)unreachable},
};

static IrModule *read_kernels(JrArena *arena, const char *path, const char *only) {
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    JrSource source = {path, text, strlen(text), 0};
    JrDiags diags;
    jr_diags_init(&diags, arena, &source);
    IrModule *module = ir_read_module(arena, &source, &diags);
    uint32_t kept = 0;
    for (uint32_t i = 0; module && i < module->funcs.len; i++)
        if (!only || !strcmp(module->funcs.data[i]->name, only))
            module->funcs.data[kept++] = module->funcs.data[i];
    if (!module) return NULL;
    module->funcs.len = kept;
    ir_poll_module(module); /* as the pipeline does */
    ir_module_finish(module);
    return module;
}

/* The least of a few compilations of this kernel alone. */
static double compile_ms(const JrEngine *engine, const JrEngineOptions *options,
                         const char *path, const char *name) {
    double least = 1e9;
    for (int i = 0; i < 7; i++) {
        JrArena *arena = jr_arena_new(NULL);
        const char *why = NULL;
        IrModule *module = read_kernels(arena, path, name);
        double start = cpu_ms();
        JrCode *code = engine->compile(module, options, &why);
        least = fmin(least, cpu_ms() - start);
        engine->release(code);
        jr_arena_free(arena);
    }
    return least;
}

static void reset(void) {
    for (int i = 0; i < N; i++) {
        x[i] = sin(i);
        ints[i] = i * 7919 % 1000;
        y[0][i] = y[1][i] = cos(i);
    }
    for (int i = 0; i < DIM * DIM; i++) {
        a[i] = sin(i * 0.37);
        b[i] = cos(i * 0.11);
        c[0][i] = c[1][i] = 0;
    }
}

/* The ratio, or 0 when the results differ. */
static double compare(const Bench *bench, const JrCall *call, double compile) {
    reset();
    double want = bench->run(NULL), got = bench->run(call);
    if (memcmp(&want, &got, sizeof got) != 0) {
        printf("%-12s results differ: %.17g and %.17g\n", bench->name, got, want);
        return 0;
    }
    double least[2] = {1e9, 1e9};
    for (int i = 0; i < 2 * ROUNDS; i++) {
        reset();
        double start = cpu_ms();
        bench->run(i & 1 ? call : NULL);
        least[i & 1] = fmin(least[i & 1], cpu_ms() - start);
    }
    double ratio = least[1] / least[0];
    printf("%-12s %9.3f %9.3f %8.3f %11.2f\n", bench->name, least[1], least[0], ratio,
           compile);
    return ratio;
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: bench PLUGIN KERNELS.ir KERNELS.so\n"), 2;
    void *plugin = dlopen(argv[1], RTLD_NOW);
    clang_side = dlopen(argv[3], RTLD_NOW);
    if (!plugin || !clang_side) return fprintf(stderr, "%s\n", dlerror()), 2;
    JrEnginePlugin get = (JrEnginePlugin)(uintptr_t)dlsym(plugin, JR_ENGINE_PLUGIN_SYMBOL);
    const JrEngine *engine = get ? get(JR_ENGINE_ABI, sizeof *engine) : NULL;
    if (!engine) return fprintf(stderr, "%s is no engine of this build\n", argv[1]), 2;
    rt = (JrRt){(char *)__builtin_frame_address(0) - (1 << 20), &never, 0, 0};
    JrEngineOptions options = {.symbols = {symbols, 4}, .opt_level = -1};
    JrArena *arena = jr_arena_new(NULL);
    IrModule *module = read_kernels(arena, argv[2], NULL);
    const char *why = "the kernels cannot be read";
    JrCode *code = module ? engine->compile(module, &options, &why) : NULL;
    if (!code) return fprintf(stderr, "%s\n", why), 2;
    double product = 1, worst = 0;
    size_t count = sizeof benches / sizeof *benches;
    printf("%-12s %9s %9s %8s %11s\n", "kernel", "ours ms", "clang ms", "ratio", "compile ms");
    for (size_t i = 0; i < count; i++) {
        JrCall call;
        if (!engine->find(code, benches[i].name, &call)) return 2;
        double compile = compile_ms(engine, &options, argv[2], benches[i].name);
        double ratio = compare(&benches[i], &call, compile);
        product *= ratio;
        worst = fmax(worst, ratio);
    }
    printf("geometric mean %.3f, worst %.3f\n", pow(product, 1.0 / (double)count), worst);
    engine->release(code);
    jr_arena_free(arena);
    return product == 0;
}

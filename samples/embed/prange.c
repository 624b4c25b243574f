/* A parallel loop over the program's own arrays: the same bits on any number of threads. */
#include <jitrun.h>

#include <math.h>
#include <stdio.h>

static const char source[] = "from jitrun import njit, prange, float64\n"
                             "@njit(parallel=True)\n"
                             "def norm(x: float64[::1], y: float64[::1]) -> float:\n"
                             "    total = 0.0\n"
                             "    for i in prange(len(x)):\n"
                             "        y[i] = x[i] / (1.0 + i)\n"
                             "        total += y[i] * y[i]\n"
                             "    return total ** 0.5\n";

enum { N = 1000000 };
static double x[N], y[N];

int main(void) {
    JrContext *context = jr_context_new(NULL);
    JrModule *module;
    JrFunction *f;
    union {
        void *address;
        double (*call)(const double *x, int64_t x_len, double *y, int64_t y_len);
    } norm;
    if (jr_compile(context, source, NULL, &module) != JR_OK) {
        fputs(jr_module_report(module, JR_REPORT_TEXT), stderr);
        return 1;
    }
    if (jr_function(module, "norm", NULL, &f) || jr_function_pointer(f, &norm.address))
        return 1;
    for (int i = 0; i < N; i++)
        x[i] = sin(i);
    double first = 0;
    for (int threads = 1; threads <= 4; threads *= 2) {
        jr_set_num_threads(threads);
        double got = norm.call(x, N, y, N);
        if (threads == 1) first = got;
        printf("%d: %s\n", threads, got == first ? "the same" : "different");
    }
    norm.call(x, N, y, N - 1); /* an error in an iteration comes back, the lowest one's */
    printf("%s: %s\n", jr_error()->name, jr_error()->message);
    jr_module_free(module);
    jr_context_free(context);
    return 0;
}

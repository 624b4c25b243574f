/* A kernel that calls back into the program, which sees what it is asked and can refuse. */
#include <jitrun.h>

#include <math.h>
#include <stdio.h>

static const char source[] = "def integral(a: float, b: float, n: int) -> float:\n"
                             "    h = (b - a) / n\n"
                             "    s = curve(a) + curve(b)\n"
                             "    for i in range(1, n):\n"
                             "        s += (4.0 if i % 2 else 2.0) * curve(a + i * h)\n"
                             "    return s * h / 3.0\n";

typedef struct Curve {
    double power;
    int asked;
} Curve;

static double curve(void *user, double x) {
    Curve *c = user;
    c->asked++;
    if (x < 0) jr_error_raise(JR_VALUE_ERROR, "the curve begins at 0");
    return x < 0 ? 0 : pow(x, c->power);
}

static bool to_stdout(void *user, const char *bytes, size_t len) {
    (void)user;
    return fwrite(bytes, 1, len, stdout) == len;
}

int main(void) {
    Curve square = {.power = 2};
    JrContext *context = jr_context_new(NULL);
    JrModule *module;
    JrFunction *integral;
    JrValue args[] = {jr_float(0), jr_float(3), jr_int(100)}, result;
    if (jr_context_add_function(context, "curve", "float64(user, float64)",
                                (JrHostFunction)curve, &square))
        return 1;
    JrCompileOptions options = {.size = sizeof options, .name = "integral.src"};
    if (jr_compile(context, source, &options, &module)) return 1;
    if (jr_function(module, "integral", NULL, &integral)) return 1;
    if (jr_call(integral, 3, args, &result)) return 1;
    printf("%g, after %d calls\n", result.as.f, square.asked);
    args[0] = jr_float(-1);
    if (jr_call(integral, 3, args, &result))
        jr_error_report(module, JR_REPORT_TEXT, to_stdout, NULL);
    jr_module_free(module);
    jr_context_free(context);
    return 0;
}

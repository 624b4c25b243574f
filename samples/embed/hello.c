/* Compile a kernel, take it as a C function, call it. */
#include <jitrun.h>

#include <stdio.h>

static const char source[] = "def hypot2(x: float, y: float) -> float:\n"
                             "    return x * x + y * y\n";

int main(void) {
    JrContext *context = jr_context_new(NULL);
    JrModule *module = NULL;
    JrFunction *function;
    union {
        void *address;
        double (*call)(double x, double y);
    } hypot2;
    JrStatus status = jr_compile(context, source, NULL, &module);
    if (status == JR_OK) status = jr_function(module, "hypot2", NULL, &function);
    if (status == JR_OK) status = jr_function_pointer(function, &hypot2.address);
    if (status == JR_OK)
        printf("%g\n", hypot2.call(3, 4));
    else
        fprintf(stderr, "%s\n%s", jr_error()->message,
                jr_module_report(module, JR_REPORT_TEXT));
    jr_module_free(module);
    jr_context_free(context);
    return status != JR_OK;
}

/* Arrays in, without a copy, and arrays out. */
#include <jitrun.h>

#include <stdio.h>

static const char source[] = "import numpy as np\n"
                             "def smooth(x):\n"
                             "    return (x[:-2] + x[1:-1] + x[2:]) / 3.0\n"
                             "def scale(x, k):\n"
                             "    for i in range(len(x)):\n"
                             "        x[i] = x[i] * k\n";

static bool to_stdout(void *user, const char *bytes, size_t len) {
    (void)user;
    return fwrite(bytes, 1, len, stdout) == len;
}

static int fail(JrModule *module) {
    jr_error_report(module, JR_REPORT_TEXT, to_stdout, NULL);
    return 1;
}

int main(void) {
    double column[3][2] = {{1, 10}, {2, 20}, {6, 30}}; /* the first column is strided */
    JrArrayValue array = {.dtype = JR_FLOAT64, .ndim = 1, .data = column};
    array.shape[0] = 3;
    array.strides[0] = 2;
    JrValue args[] = {jr_array(&array), jr_int(10)}, result;
    JrContext *context = jr_context_new(NULL);
    JrModule *module;
    JrFunction *smooth, *scale;
    if (jr_compile(context, source, NULL, &module) != JR_OK) return fail(module);
    if (jr_function_for(module, "smooth", 1, args, &smooth) != JR_OK) return fail(module);
    if (jr_function_for(module, "scale", 2, args, &scale) != JR_OK) return fail(module);

    if (jr_call(smooth, 1, args, &result) != JR_OK) return fail(module);
    jr_value_print(&result, to_stdout, NULL);
    printf(" from %s\n", jr_function_signature(smooth));
    jr_value_clear(&result);

    if (jr_call(scale, 2, args, NULL) != JR_OK) return fail(module);
    printf("%g %g %g, %g untouched\n", column[0][0], column[1][0], column[2][0], column[2][1]);

    array.readonly = true; /* what a kernel writes to must be writable */
    if (jr_call(scale, 2, args, NULL) != JR_OK) fail(module);
    jr_module_free(module);
    jr_context_free(context);
    return 0;
}

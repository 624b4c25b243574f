/* plot EXPRESSION > picture.ppm: colours the square -2 <= x, y <= 2 by an expression of x and y that
 * the user types, at the speed of compiled code and on every core. */
#include <jitrun.h>

#include <stdio.h>
#include <stdlib.h>

static const char kernel[] =
    "from jitrun import njit, prange, uint8\n"
    "from math import *\n"
    "def value(x: float, y: float) -> float:\n"
    "    return %s\n"
    "@njit(parallel=True)\n"
    "def paint(image: uint8[:, :, ::1]):\n"
    "    n = len(image)\n"
    "    for row in prange(n):\n"
    "        for col in range(n):\n"
    "            v = value(4.0 * col / n - 2.0, 2.0 - 4.0 * row / n)\n"
    "            near = exp(-v * v)\n"
    "            image[row, col, 0] = uint8(255.0 * near)\n"
    "            image[row, col, 1] = uint8(90.0 + 80.0 * sin(3.0 * v))\n"
    "            image[row, col, 2] = uint8(255.0 * (v < 0.0))\n";

enum { SIZE = 512, LONGEST = 2000 };
static uint8_t image[SIZE][SIZE][3];

int main(int argc, char **argv) {
    char source[sizeof kernel + LONGEST];
    const char *expression = argc > 1 ? argv[1] : "sin(x * x) - cos(x * y)";
    int length = snprintf(source, sizeof source, kernel, expression);
    if (length < 0 || (size_t)length >= sizeof source) return 2;
    JrContext *context = jr_context_new(NULL);
    JrCompileOptions options = {.size = sizeof options, .name = "expression"};
    JrModule *module;
    JrFunction *f;
    union {
        void *address;
        JrStatus (*call)(uint8_t *image, int64_t rows, int64_t cols, int64_t channels);
    } paint;
    if (jr_compile(context, source, &options, &module) != JR_OK) {
        fputs(jr_module_report(module, JR_REPORT_TEXT), stderr);
        return 1;
    }
    if (jr_function(module, "paint", NULL, &f) || jr_function_pointer(f, &paint.address) ||
        paint.call(&image[0][0][0], SIZE, SIZE, 3)) {
        fprintf(stderr, "%s: %s\n", jr_error()->name, jr_error()->message);
        return 1;
    }
    printf("P6\n%d %d\n255\n", SIZE, SIZE);
    if (fwrite(image, sizeof image, 1, stdout) != 1) return 1;
    jr_module_free(module);
    jr_context_free(context);
    return 0;
}

/* As mandelbrot.src. */
#include "native.h"

KERNEL static int64_t mandelbrot(int64_t width, int64_t height, int64_t limit) {
    int64_t total = 0;
    for (int64_t row = 0; row < height; row++) {
        const double ci = 2.4 * (double)row / (double)height - 1.2;
        for (int64_t col = 0; col < width; col++) {
            const double cr = 3.0 * (double)col / (double)width - 2.1;
            double zr = 0.0, zi = 0.0;
            int64_t n = 0;
            while (n < limit && zr * zr + zi * zi <= 4.0) {
                const double t = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = t;
                n++;
            }
            total += n;
        }
    }
    return total;
}

int main(void) {
    printf("%" PRId64 "\n", mandelbrot(640, 480, 200));
}

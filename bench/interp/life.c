/* As life.src. */
#include "native.h"

KERNEL static void step(const uint8_t *a, uint8_t *b, int64_t rows, int64_t cols) {
    for (int64_t i = 1; i < rows - 1; i++)
        for (int64_t j = 1; j < cols - 1; j++) {
            const uint8_t *up = a + (i - 1) * cols + j, *here = up + cols, *down = here + cols;
            const int64_t n = (int64_t)up[-1] + up[0] + up[1] + here[-1] + here[1] + down[-1] +
                              down[0] + down[1];
            b[i * cols + j] = n == 3 || (n == 2 && here[0] == 1);
        }
}

int main(void) {
    const int64_t rows = 128, cols = 128;
    uint8_t *a = zeros((size_t)(rows * cols), 1), *b = zeros((size_t)(rows * cols), 1);
    int64_t alive = 0;
    for (int64_t i = 1; i < rows - 1; i++)
        for (int64_t j = 1; j < cols - 1; j++)
            if ((i * 3 + j * j * 5 + i * j) % 7 < 3) a[i * cols + j] = 1;
    for (int k = 0; k < 175; k++) {
        step(a, b, rows, cols);
        step(b, a, rows, cols);
    }
    for (int64_t i = 0; i < rows * cols; i++)
        alive += a[i];
    printf("%" PRId64 "\n", alive);
    free(a);
    free(b);
}

/* As floyd.src. */
#include "native.h"

KERNEL static void floyd(int64_t *d, int64_t n) {
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                const int64_t through = d[i * n + k] + d[k * n + j];
                if (through < d[i * n + j]) d[i * n + j] = through;
            }
}

int main(void) {
    const int64_t n = 300;
    int64_t *d = zeros((size_t)(n * n), sizeof *d), total = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (i != j) d[i * n + j] = 1 + (i * 17 + j * 31) % 97;
    floyd(d, n);
    for (int64_t i = 0; i < n * n; i++)
        total += d[i];
    printf("%" PRId64 "\n", total);
    free(d);
}

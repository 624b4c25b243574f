/* As quicksort.src. */
#include "native.h"

KERNEL static void quicksort(double *a, int64_t lo, int64_t hi) {
    while (lo < hi) {
        const double pivot = a[(lo + hi) / 2];
        int64_t i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                const double t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        quicksort(a, lo, j);
        lo = i;
    }
}

static void fill(double *a, int64_t len) {
    int64_t seed = 42;
    for (int64_t i = 0; i < len; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        a[i] = (double)seed / 2147483648.0;
    }
}

int main(void) {
    const int64_t len = 300000;
    double *a = zeros((size_t)len, sizeof *a), total = 0.0;
    for (int k = 0; k < 4; k++) {
        fill(a, len);
        quicksort(a, 0, len - 1);
    }
    for (int64_t i = 0; i < len; i++)
        total += a[i] * (double)i;
    printf("%.17g\n", total);
    free(a);
}

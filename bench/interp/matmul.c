/* As matmul.src. */
#include "native.h"

KERNEL static void matmul(const double *a, const double *b, double *c, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = 0.0;
            for (int64_t k = 0; k < n; k++)
                s += a[i * n + k] * b[k * n + j];
            c[i * n + j] = s;
        }
}

int main(void) {
    enum { N = 200 };
    static double a[N * N], b[N * N], c[N * N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i * N + j] = 0.5 * i - 0.25 * j;
            b[i * N + j] = 0.125 * i + j;
        }
    for (int k = 0; k < 4; k++)
        matmul(a, b, c, N);
    double total = 0.0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            total += c[i * N + j] * (i - j);
    printf("%.17g\n", total);
}

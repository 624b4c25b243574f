/* The kernels of kernels.ir as a C programmer writes them. */
#include <stdbool.h>
#include <stdint.h>

double c_dot(const double *x, const double *y, int64_t n) {
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += x[i] * y[i];
    return s;
}

void c_axpy(double a, const double *x, double *y, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

int64_t c_mandelbrot(int64_t n, int64_t limit) {
    int64_t count = 0;
    for (int64_t row = 0; row < n; row++) {
        double ci = (double)row / (double)n * 2.0 - 1.0;
        for (int64_t col = 0; col < n; col++) {
            double cr = (double)col / (double)n * 3.0 - 2.0, zr = 0, zi = 0;
            int64_t k = 0;
            while (k < limit) {
                double a = zr * zr, b = zi * zi;
                if (a + b > 4.0) break;
                zi = zr * zi * 2.0 + ci;
                zr = a - b + cr;
                k++;
            }
            count += k;
        }
    }
    return count;
}

int64_t c_sieve(bool *flags, int64_t n) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        flags[i] = true;
    for (int64_t p = 2; p < n; p++) {
        if (!flags[p]) continue;
        count++;
        for (int64_t q = p * p; q < n; q += p)
            flags[q] = false;
    }
    return count;
}

void c_matmul(const double *a, const double *b, double *c, int64_t n, int64_t l, int64_t m) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < l; k++)
            for (int64_t j = 0; j < m; j++)
                c[i * m + j] += a[i * l + k] * b[k * m + j];
}

int64_t c_fib(int64_t n) {
    return n < 2 ? n : c_fib(n - 1) + c_fib(n - 2);
}

int64_t c_sum(const int64_t *x, int64_t n) {
    int64_t s = 0;
    for (int64_t i = 0; i < n; i++)
        s += x[i];
    return s;
}

void c_smooth(const double *x, double *y, int64_t n) {
    for (int64_t i = 1; i < n - 1; i++)
        y[i] = (x[i - 1] + x[i] + x[i + 1]) / 3.0;
}

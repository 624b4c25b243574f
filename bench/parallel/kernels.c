/* kernels.src in C with OpenMP: compiled without it for the serial column. Prototypes are those
 * jitrun gives the same functions. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int regions(double *y, int64_t len, int64_t n) {
    (void)len;
    for (int64_t r = 0; r < n; r++)
#pragma omp parallel for
        for (int64_t i = 0; i < 2; i++)
            y[i] = (double)r;
    return 0;
}

double total(const double *x, int64_t n) {
    double s = 0;
#pragma omp parallel for reduction(+ : s)
    for (int64_t i = 0; i < n; i++)
        s += x[i];
    return s;
}

int axpy(double a, const double *restrict x, int64_t n, double *restrict y, int64_t n2) {
    (void)n2;
#pragma omp parallel for
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
    return 0;
}

int mandelbrot(int64_t *counts, int64_t rows, int64_t columns, int64_t limit) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t row = 0; row < rows; row++) {
        double ci = 3.0 * (double)row / (double)rows - 1.5;
        for (int64_t column = 0; column < columns; column++) {
            double cr = 3.0 * (double)column / (double)columns - 2.0, zr = 0, zi = 0;
            int64_t k = 0;
            while (k < limit && zr * zr + zi * zi < 4.0) {
                double t = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = t;
                k++;
            }
            counts[row * columns + column] = k;
        }
    }
    return 0;
}

int triangle(double *out, int64_t n) {
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t i = 0; i < n; i++) {
        double s = 0;
        for (int64_t j = 0; j < i; j++)
            s += 1.0 / (1.0 + (double)i + (double)j);
        out[i] = s;
    }
    return 0;
}

/* Copies for the threads where they are small, atomics where they are not. */
int histogram(const int64_t *x, int64_t n, int64_t *counts, int64_t bins) {
    if (bins <= 4096) {
#pragma omp parallel for reduction(+ : counts[:bins])
        for (int64_t i = 0; i < n; i++)
            counts[x[i]]++;
    } else {
#pragma omp parallel for
        for (int64_t i = 0; i < n; i++)
#pragma omp atomic
            counts[x[i]]++;
    }
    return 0;
}

/* Philox4x32-10: a stream for each iteration, as jitrun has. */
static void philox(uint64_t counter, uint64_t key, double *x, double *y) {
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                            (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};
        memcpy(c, next, sizeof c);
    }
    *x = (double)(((uint64_t)c[0] << 32 | c[1]) >> 11) * 0x1p-53;
    *y = (double)(((uint64_t)c[2] << 32 | c[3]) >> 11) * 0x1p-53;
}

double pi(int64_t n) {
    int64_t inside = 0;
#pragma omp parallel for reduction(+ : inside)
    for (int64_t i = 0; i < n; i++) {
        double x, y;
        philox((uint64_t)i, 42, &x, &y);
        inside += x * x + y * y < 1.0;
    }
    return 4.0 * (double)inside / (double)n;
}

int stencil(const double *restrict a, int64_t rows, int64_t columns, double *restrict b,
            int64_t rows2, int64_t columns2) {
    (void)rows2, (void)columns2;
#pragma omp parallel for
    for (int64_t i = 1; i < rows - 1; i++)
        for (int64_t j = 1; j < columns - 1; j++) {
            const double *p = a + i * columns + j;
            b[i * columns + j] = 0.2 * (p[0] + p[-columns] + p[columns] + p[-1] + p[1]);
        }
    return 0;
}

/* Each of the three statements is a loop of its own, as a person would write it by hand. */
double whole(double a, const double *restrict x, int64_t n, double *restrict y, int64_t n2,
             double *restrict z, int64_t n3) {
    double s = 0;
    (void)n2, (void)n3;
#pragma omp parallel for
    for (int64_t i = 0; i < n; i++)
        z[i] = a * x[i] + sqrt(y[i]);
#pragma omp parallel for
    for (int64_t i = 0; i < n; i++)
        y[i] = z[i] > 1.0 ? z[i] - x[i] : y[i];
#pragma omp parallel for reduction(+ : s)
    for (int64_t i = 0; i < n; i++)
        s += y[i] * z[i];
    return s;
}

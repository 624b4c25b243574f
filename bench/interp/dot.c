/* As dot.src. */
#include "native.h"

KERNEL static double dot(const double *a, const double *b, int64_t len, int64_t times) {
    double s = 0.0;
    for (int64_t k = 0; k < times; k++)
        for (int64_t i = 0; i < len; i++)
            s += a[i] * b[i];
    return s;
}

int main(void) {
    enum { LEN = 10000 };
    static double a[LEN], b[LEN];
    for (int i = 0; i < LEN; i++) {
        a[i] = 1.0 + 0.5 * i;
        b[i] = 2.0 + 0.5 * i;
    }
    printf("%.17g\n", dot(a, b, LEN, 6000));
}

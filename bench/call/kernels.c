#include "call.h"

double c_add(double x, double y) {
    return x + y;
}

int64_t c_part(int64_t a, int64_t b) {
    if (b == 0) return 0;
    int64_t q = a / b;
    return q - (q * b != a && (a < 0) != (b < 0));
}

double c_at(const double *x, int64_t x_len, int64_t i) {
    if (i < 0) i += x_len;
    return i >= 0 && i < x_len ? x[i] : 0;
}

double c_sum(const double *x, int64_t x_len) {
    double s = 0;
    for (int64_t i = 0; i < x_len; i++)
        s += x[i];
    return s;
}

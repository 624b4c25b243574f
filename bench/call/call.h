/* The kernels of call.c in C, in a file of their own so that no compiler sees both sides. */
#include <stdint.h>

double c_add(double x, double y);
int64_t c_part(int64_t a, int64_t b);
double c_at(const double *x, int64_t x_len, int64_t i);
double c_sum(const double *x, int64_t x_len);

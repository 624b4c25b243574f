/* Functions of numbers that are too long, or too rare, for compiled code to hold. */
#include "ir/numeric.h"
#include "runtime/rt/format.h"
#include "runtime/rt/rt.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Arithmetic of ir/numeric.h ---- */

int64_t jr_rt_ipow(int64_t base, int64_t exponent) {
    return jr_num_ipow(base, (uint64_t)exponent);
}

double jr_rt_fmod(double a, double b) {
    return jr_num_fmod(a, b);
}

float jr_rt_fmodf(float a, float b) {
    return jr_num_fmodf(a, b);
}

double jr_rt_ffloordiv(double a, double b) {
    return jr_num_ffloordiv(a, b);
}

float jr_rt_ffloordivf(float a, float b) {
    return jr_num_ffloordivf(a, b);
}

JR_RT_FN(float_divmod) {
    double a = args[0].d, b = args[1].d;
    results[0].d = jr_num_ffloordiv(a, b);
    results[1].d = jr_num_fmod(a, b);
    return 0;
}

/* ---- Rounding to digits ---- */

/* Python's round(x, n) is correctly rounded: from the exact decimal expansion of x, ties to
 * even. Beyond these places x has no digit, or is less than half of the last one. */
enum { MOST_PLACES = 323, LEAST_PLACES = -308 };

/* n >= 0: printf rounds the expansion. Only its digits are used: see format.c on locales. */
static double round_fraction(double x, int places) {
    char text[700], digits[700];
    int len = snprintf(text, sizeof text, "%.*f", places, fabs(x)), count = 0;
    for (int i = 0; i < len; i++)
        if (text[i] >= '0' && text[i] <= '9' && (count || text[i] != '0'))
            digits[count++] = text[i];
    snprintf(digits + count, sizeof digits - (size_t)count, "%se%d", count ? "" : "0",
             -places);
    return strtod(digits, NULL);
}

/* n < 0: rounds the digits of the integer part by hand; the fraction only breaks ties. */
static double round_integer(double x, int places) {
    char digits[400];
    double whole = trunc(fabs(x));
    int count = snprintf(digits + 1, sizeof digits - 1, "%.0f", whole), keep = count - places;
    digits[0] = '0'; /* room for a carry, which also stands for a leading zero */
    if (keep < 0) return 0;
    const char *rest = digits + 1 + keep;
    bool above = strspn(rest + 1, "0") < strlen(rest + 1) || whole != fabs(x);
    bool odd = (digits[keep] - '0') & 1;
    bool up = *rest > '5' || (*rest == '5' && (above || odd));
    int at = keep;
    for (; up && digits[at] == '9'; at--)
        digits[at] = '0';
    if (up) digits[at]++;
    sprintf(digits + 1 + keep, "e%d", places);
    return strtod(digits, NULL);
}

JR_RT_FN(round_digits) {
    double x = args[0].d;
    int64_t n = args[1].i;
    if (!isfinite(x) || n > MOST_PLACES || x == 0)
        results[0].d = x;
    else if (n < LEAST_PLACES)
        results[0].d = 0.0 * x;
    else
        results[0].d =
            copysign(n >= 0 ? round_fraction(x, (int)n) : round_integer(x, (int)-n), x);
    return 0;
}

/* A power of ten as NumPy makes it: a table's first nine, then by multiplying. */
static double power_of_ten(uint64_t n) {
    static const double small[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    if (n < 9) return small[n];
    double power = 1e9;
    for (; n > 9 && power <= 1e308; n--)
        power *= 10;
    return power;
}

JR_RT_FN(np_round_digits) {
    double x = args[0].d;
    int64_t n = args[1].i;
    double scale = power_of_ten(n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    results[0].d = n >= 0 ? rint(x * scale) / scale : rint(x / scale) * scale;
    return 0;
}

/* ---- math's integers ---- */

JR_RT_FN(factorial) {
    int64_t n = args[0].i, product = 1;
    if (n < 0) return jr_raise_value(rt, where, "factorial() not defined for negative values");
    if (n > 20)
        return jr_raise(
            rt, where, EXC_OVERFLOW,
            "factorial(%" PRId64 ") does not fit int64, which ends at factorial(20)", n);
    for (int64_t i = 2; i <= n; i++)
        product *= i;
    results[0].i = product;
    return 0;
}

JR_RT_FN(isqrt) {
    int64_t n = args[0].i;
    if (n < 0) return jr_raise_value(rt, where, "isqrt() argument must be nonnegative");
    /* sqrt of the rounded n is at most one off. */
    int64_t root = (int64_t)sqrt((double)n);
    if (root > 3037000499) root = 3037000499; /* isqrt(INT64_MAX) */
    while (root * root > n)
        root--;
    while (root < 3037000499 && (root + 1) * (root + 1) <= n)
        root++;
    results[0].i = root;
    return 0;
}

/* Partial products are binomials themselves and grow, so one too large means the result is. */
JR_RT_FN(comb) {
    int64_t n = args[0].i, k = args[1].i;
    if (n < 0) return jr_raise_value(rt, where, "n must be a non-negative integer");
    if (k < 0) return jr_raise_value(rt, where, "k must be a non-negative integer");
    if (k > n - k) k = n - k;
    __int128 value = k < 0 ? 0 : 1;
    for (int64_t i = 0; i < k; i++) {
        value = value * (n - i) / (i + 1);
        if (value > INT64_MAX)
            return jr_raise(rt, where, EXC_OVERFLOW,
                            "comb(%" PRId64 ", %" PRId64 ") does not fit int64", n, args[1].i);
    }
    results[0].i = (int64_t)value;
    return 0;
}

/* ---- math's floats ---- */

JR_RT_FN(frexp) {
    int exponent = 0;
    double x = args[0].d;
    results[0].d = isfinite(x) ? frexp(x, &exponent) : x;
    results[1].i = exponent;
    return 0;
}

JR_RT_FN(ldexp) {
    double x = args[0].d;
    int64_t n = args[1].i;
    int exponent = n > INT_MAX ? INT_MAX : n < INT_MIN ? INT_MIN : (int)n;
    double value = isfinite(x) ? ldexp(x, exponent) : x;
    if (isfinite(x) && isinf(value))
        return jr_raise(rt, where, EXC_OVERFLOW, "math range error");
    results[0].d = value;
    return 0;
}

JR_RT_FN(perf_counter) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    results[0].d = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    return 0;
}

/* Shortest digits by trial: the C library's conversions round correctly in both directions, so
 * try 15, 16, 17 digits until one reads back. Four things make that exact, and fast enough:
 *
 *   - a decimal of up to 15 digits survives the way through a normal double, so if x has one,
 *     rounding x to 15 digits finds it, with zeros at its end. float32: 6 digits.
 *     Subnormals have less precision: there the trial starts at one digit.
 *   - at a power of two the doubles below x lie twice as dense as those above. The nearest
 *     n-digit decimal may then fall outside on the near side while the next one up still reads
 *     back, so that one is tried too.
 *   - a 15-digit form can be found without the library, as in find_fifteen.
 *   - integers below 2**53 need no trial: every shorter decimal is further away than half a
 *     unit.
 *
 * printf and strtod write and expect the locale's decimal point. Only digits are taken from
 * the one, and the other is given an integer with an exponent. */
#include "runtime/rt/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void trim_zeros(JrDecimal *d) {
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
    if (d->count == 1 && d->digits[0] == '0') d->point = 1;
}

static void set_zero(JrDecimal *d) {
    d->digits[0] = '0';
    d->count = d->point = 1;
}

void jr_decimal_significant(JrDecimal *out, double x, int count) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", count - 1, fabs(x));
    const char *p = text;
    out->negative = signbit(x);
    out->count = 0;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9') out->digits[out->count++] = *p;
    out->point = atoi(p + 1) + 1;
    trim_zeros(out);
}

/* printf's %f of a huge number is long, but then all of its digits are before the point. */
void jr_decimal_fixed(JrDecimal *out, double x, int places) {
    char text[400];
    if (places > 60) places = 60;
    int len = snprintf(text, sizeof text, "%.*f", places, fabs(x));
    out->negative = signbit(x);
    out->count = out->point = 0;
    bool leading = true, fraction = false;
    for (int i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        fraction |= !digit;
        if (!digit || (leading && text[i] == '0')) {
            if (digit && fraction) out->point--;
            continue;
        }
        leading = false;
        if (out->count < (int)sizeof out->digits) out->digits[out->count++] = text[i];
        if (!fraction) out->point++;
    }
    if (leading)
        set_zero(out);
    else
        trim_zeros(out);
}

double jr_decimal_read(const char *digits, int count, int exponent) {
    char text[400];
    if (count > 350) {
        exponent += count - 350;
        count = 350;
    }
    memcpy(text, digits, (size_t)count);
    snprintf(text + count, sizeof text - (size_t)count, "e%d", exponent);
    return strtod(text, NULL);
}

static bool reads_back(const JrDecimal *d, double x, bool single) {
    char text[64];
    memcpy(text, d->digits, (size_t)d->count);
    snprintf(text + d->count, sizeof text - (size_t)d->count, "e%d", d->point - d->count);
    return single ? (double)strtof(text, NULL) == x : strtod(text, NULL) == x;
}

/* The 15-digit form of x without the C library, for x from 1e-7 to 1e36: the integer n is its
 * 15 digits if it has such a form, and powers of ten up to 22 are exact doubles, so that one
 * multiplication or division rounds as reading the decimal would. */
typedef enum { FORM_FOUND, FORM_NONE, FORM_UNKNOWN } Form;

static void set_integer(JrDecimal *out, double n, int scale);

static double scaled(double x, int power) {
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return power >= 0 ? x * tens[power] : x / tens[-power];
}

static Form find_fifteen(JrDecimal *out, double x) {
    if (!(x >= 1e-7 && x < 1e36)) return FORM_UNKNOWN;
    int binary;
    frexp(x, &binary);
    int power = 14 - (int)floor((binary - 1) * 0.30102999566398120);
    if (scaled(x, power) >= 1e15) power--;
    if (power > 22 || power < -22) return FORM_UNKNOWN;
    double n = rint(scaled(x, power));
    if (n < 1e14 || n > 1e15) return FORM_UNKNOWN;
    if (scaled(n, -power) != x) return FORM_NONE;
    set_integer(out, n, power);
    return FORM_FOUND;
}

/* The next decimal up with `count` digits. */
static void step_up(JrDecimal *d, int count) {
    while (d->count < count)
        d->digits[d->count++] = '0';
    int i = count - 1;
    for (; i >= 0 && d->digits[i] == '9'; i--)
        d->digits[i] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->point++;
    }
    trim_zeros(d);
}

static bool try_digits(JrDecimal *out, double x, bool single, int count) {
    jr_decimal_significant(out, x, count);
    if (reads_back(out, x, single)) return true;
    int exponent;
    if (frexp(x, &exponent) != 0.5) return false;
    step_up(out, count);
    return reads_back(out, x, single);
}

/* n / 10**scale, for an integer n below 2**53. */
static void set_integer(JrDecimal *out, double n, int scale) {
    char text[24];
    out->count = snprintf(text, sizeof text, "%lld", (long long)n);
    out->point = out->count - scale;
    memcpy(out->digits, text, (size_t)out->count);
    trim_zeros(out);
}

static void shortest_by_trial(JrDecimal *out, double x, bool single, int first) {
    int last = single ? 9 : 17;
    while (first < last && !try_digits(out, x, single, first))
        first++;
    if (first == last) jr_decimal_significant(out, x, last);
}

static void shortest_double(JrDecimal *out, double x) {
    Form form = find_fifteen(out, x);
    int first = x < 0x1p-1022 ? 1 : form == FORM_NONE ? 16 : 15;
    if (form != FORM_FOUND) shortest_by_trial(out, x, false, first);
}

void jr_decimal_shortest(JrDecimal *out, double x, bool single) {
    double size = fabs(x);
    if (size < (single ? 0x1p24 : 0x1p53) && size == floor(size))
        set_integer(out, size, 0);
    else if (single)
        shortest_by_trial(out, size, true, size < 0x1p-126 ? 1 : 6);
    else
        shortest_double(out, size);
    out->negative = signbit(x);
}

/* ---- Python's layouts ---- */

/* 1.5e-07: one digit before the point, no point with a single digit, two exponent digits. */
static size_t write_exponent(char *out, const JrDecimal *d) {
    char *p = out;
    *p++ = d->digits[0];
    if (d->count > 1) *p++ = '.';
    memcpy(p, d->digits + 1, (size_t)d->count - 1);
    p += d->count - 1;
    p += sprintf(p, "e%+03d", d->point - 1);
    return (size_t)(p - out);
}

/* 1200.0, 0.0012, 12.5 */
static size_t write_plain(char *out, const JrDecimal *d) {
    char *p = out;
    int i = 0;
    if (d->point <= 0) *p++ = '0';
    for (; i < d->point; i++)
        *p++ = i < d->count ? d->digits[i] : '0';
    *p++ = '.';
    for (int zeros = d->point; zeros < 0; zeros++)
        *p++ = '0';
    if (i >= d->count) *p++ = '0';
    for (; i < d->count; i++)
        *p++ = d->digits[i];
    return (size_t)(p - out);
}

static size_t write_special(char *out, double x) {
    const char *text = isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

static size_t write_decimal(char *out, const JrDecimal *d, bool plain) {
    size_t sign = d->negative;
    if (sign) *out++ = '-';
    return sign + (plain ? write_plain(out, d) : write_exponent(out, d));
}

size_t jr_format_float64(char out[JR_FLOAT_CHARS], double x) {
    JrDecimal d;
    if (!isfinite(x)) return write_special(out, x);
    jr_decimal_shortest(&d, x, false);
    return write_decimal(out, &d, d.point > -4 && d.point <= 16);
}

size_t jr_format_float32(char out[JR_FLOAT_CHARS], float x) {
    JrDecimal d;
    if (!isfinite(x)) return write_special(out, x);
    jr_decimal_shortest(&d, x, true);
    /* NumPy decides by the value, not by its digits: float32(0.0001) lies below 1e-4. */
    bool plain = x == 0 || (fabs((double)x) >= 1e-4 && fabs((double)x) < 1e16);
    return write_decimal(out, &d, plain);
}

size_t jr_format_uint64(char *out, uint64_t x) {
    char text[JR_INT_CHARS];
    size_t len = 0;
    do
        text[len++] = (char)('0' + x % 10);
    while (x /= 10);
    for (size_t i = 0; i < len; i++)
        out[i] = text[len - 1 - i];
    return len;
}

size_t jr_format_int64(char *out, int64_t x) {
    if (x >= 0) return jr_format_uint64(out, (uint64_t)x);
    *out = '-';
    return 1 + jr_format_uint64(out + 1, 0 - (uint64_t)x);
}

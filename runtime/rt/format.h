/* Numbers as text, to the byte as Python and NumPy write them, in any locale. */
#ifndef JR_RUNTIME_FORMAT_H
#define JR_RUNTIME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A finite number in decimal: 0.DIGITS x 10**point. Zero is one digit "0" with point 1. */
typedef struct JrDecimal {
    char digits[340]; /* not NUL-terminated; no zeros at either end, but for zero itself */
    int count, point;
    bool negative;
} JrDecimal;

/* The fewest digits that read back as x, and of those the nearest to x; single: read back as a
 * float32. x is finite. */
void jr_decimal_shortest(JrDecimal *out, double x, bool single);
/* x rounded to `places` digits after the point (places >= 0), the exact value's ties to even.
 * At most 17 + places significant digits are meant to be asked for. */
void jr_decimal_fixed(JrDecimal *out, double x, int places);
/* x rounded to `count` significant digits, 1 to 40, in the same way. */
void jr_decimal_significant(JrDecimal *out, double x, int count);

enum { JR_FLOAT_CHARS = 32, JR_INT_CHARS = 24 };

/* Each writes without a NUL and returns the length. */
size_t jr_format_float64(char out[JR_FLOAT_CHARS], double x); /* Python's repr(x) */
size_t jr_format_float32(char out[JR_FLOAT_CHARS], float x);  /* NumPy's str(np.float32(x)) */
size_t jr_format_int64(char *out, int64_t x);                 /* JR_INT_CHARS at most */
size_t jr_format_uint64(char *out, uint64_t x);

/* DIGITS x 10**exponent read as the nearest double, ties to even; inf when it is too large. */
double jr_decimal_read(const char *digits, int count, int exponent);

#endif

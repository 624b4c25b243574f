/* What arithmetic means, once: the reference for the interpreter, the folder and the runtime;
 * the compiled engines generate code that agrees with it to the bit. All of it is defined
 * behaviour in C for every argument. */
#ifndef JR_IR_NUMERIC_H
#define JR_IR_NUMERIC_H

#include <math.h>
#include <stdint.h>

/* Floor division and modulo of integers, b != 0. The divisor -1 is negation, which wraps. */
#define JR_NUM_SIGNED(bits)                                                                 \
    static inline int##bits##_t jr_num_floordiv_i##bits(int##bits##_t a, int##bits##_t b) { \
        if (b == -1) return (int##bits##_t)(0 - (uint##bits##_t)a);                         \
        int##bits##_t q = (int##bits##_t)(a / b);                                           \
        return (int##bits##_t)(q - ((a % b != 0) & ((a < 0) != (b < 0))));                  \
    }                                                                                       \
    static inline int##bits##_t jr_num_mod_i##bits(int##bits##_t a, int##bits##_t b) {      \
        if (b == -1) return 0;                                                              \
        int##bits##_t r = (int##bits##_t)(a % b);                                           \
        return (int##bits##_t)(r + (r != 0 && (r < 0) != (b < 0) ? b : 0));                 \
    }                                                                                       \
    static inline int##bits##_t jr_num_shl_i##bits(int##bits##_t a, int##bits##_t n) {      \
        return n >= bits ? 0 : (int##bits##_t)((uint64_t)(int64_t)a << n);                  \
    }                                                                                       \
    static inline int##bits##_t jr_num_shr_i##bits(int##bits##_t a, int##bits##_t n) {      \
        return (int##bits##_t)(a >> (n >= bits ? bits - 1 : n));                            \
    }                                                                                       \
    static inline uint##bits##_t jr_num_shl_u##bits(uint##bits##_t a, uint##bits##_t n) {   \
        return n >= bits ? 0 : (uint##bits##_t)((uint64_t)a << n);                          \
    }                                                                                       \
    static inline uint##bits##_t jr_num_shr_u##bits(uint##bits##_t a, uint##bits##_t n) {   \
        return n >= bits ? 0 : (uint##bits##_t)(a >> n);                                    \
    }
JR_NUM_SIGNED(8)
JR_NUM_SIGNED(16)
JR_NUM_SIGNED(32)
JR_NUM_SIGNED(64)
#undef JR_NUM_SIGNED

/* By squaring, wrapping; narrower types compute in 64 bits and truncate. exponent >= 0 (as
 * unsigned: a uint64 exponent above INT64_MAX works too). */
static inline int64_t jr_num_ipow(int64_t base, uint64_t exponent) {
    uint64_t result = 1, b = (uint64_t)base;
    for (; exponent; exponent >>= 1, b *= b)
        if (exponent & 1) result *= b;
    return (int64_t)result;
}

/* CPython's float_rem and float_floor_div, without the ZeroDivisionError: IEEE results. */
static inline double jr_num_fmod(double a, double b) {
    double r = fmod(a, b);
    if (r != 0) return (b < 0) != (r < 0) ? r + b : r;
    return copysign(r, b); /* a zero takes b's sign */
}
static inline float jr_num_fmodf(float a, float b) {
    float r = fmodf(a, b);
    if (r != 0) return (b < 0) != (r < 0) ? r + b : r;
    return copysignf(r, b);
}
static inline double jr_num_ffloordiv(double a, double b) {
    if (b == 0) return a / b;
    double r = fmod(a, b), q = (a - r) / b;
    if (r != 0 && (b < 0) != (r < 0)) q -= 1;
    if (q == 0) return copysign(0, a / b);
    double f = floor(q);
    return q - f > 0.5 ? f + 1 : f;
}
static inline float jr_num_ffloordivf(float a, float b) {
    if (b == 0) return a / b;
    float r = fmodf(a, b), q = (a - r) / b;
    if (r != 0 && (b < 0) != (r < 0)) q -= 1;
    if (q == 0) return copysignf(0, a / b);
    float f = floorf(q);
    return q - f > 0.5f ? f + 1 : f;
}

/* Float to integer: truncate, saturate at the type's ends, NaN is 0. The bounds are the first
 * doubles outside the type, so that the comparisons are exact. */
#define JR_NUM_CONVERT(bits)                                             \
    static inline int##bits##_t jr_num_to_i##bits(double x) {            \
        if (x != x) return 0;                                            \
        if (x >= 0x1p##bits / 2) return INT##bits##_MAX;                 \
        return x < -0x1p##bits / 2 ? INT##bits##_MIN : (int##bits##_t)x; \
    }                                                                    \
    static inline uint##bits##_t jr_num_to_u##bits(double x) {           \
        if (!(x > -1)) return 0;                                         \
        return x >= 0x1p##bits ? UINT##bits##_MAX : (uint##bits##_t)x;   \
    }
JR_NUM_CONVERT(8)
JR_NUM_CONVERT(16)
JR_NUM_CONVERT(32)
JR_NUM_CONVERT(64)
#undef JR_NUM_CONVERT

#endif

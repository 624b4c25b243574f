/* Python's random module, drawing what CPython 3.11 draws from the same seed: each function
 * uses the same words in the same order and the same arithmetic. */
#include "runtime/rt/rt.h"

#include <inttypes.h>
#include <math.h>

typedef unsigned __int128 u128;

static JrRandom *random_of(JrRt *rt) {
    return &jr_thread_of(rt)->random;
}

static double draw(JrRt *rt) {
    return jr_random_double(random_of(rt), JR_RANDOM_PY);
}

JR_RT_FN(random_seed) {
    jr_random_seed_py(random_of(rt), args[0].i);
    return 0;
}

JR_RT_FN(random_random) {
    results[0].d = draw(rt);
    return 0;
}

JR_RT_FN(random_uniform) {
    results[0].d = args[0].d + (args[1].d - args[0].d) * draw(rt);
    return 0;
}

/* bits in 0..128; words come lowest first, and the last one gives its high bits. */
static u128 draw_bits(JrRt *rt, int bits) {
    u128 value = 0;
    for (int at = 0; at < bits; at += 32) {
        uint32_t word = jr_random_word(random_of(rt), JR_RANDOM_PY);
        if (bits - at < 32) word >>= 32 - (bits - at);
        value |= (u128)word << at;
    }
    return value;
}

/* 0 <= result < n, by rejection. n > 0 may be 2**64. */
static u128 draw_below(JrRt *rt, u128 n) {
    int bits = 0;
    for (u128 rest = n; rest; rest >>= 1)
        bits++;
    u128 value = draw_bits(rt, bits);
    while (value >= n)
        value = draw_bits(rt, bits);
    return value;
}

JR_RT_FN(random_getrandbits) {
    int64_t bits = args[0].i;
    if (bits < 0) return jr_raise_value(rt, where, "number of bits must be non-negative");
    if (bits > 63)
        return jr_raise(rt, where, EXC_OVERFLOW,
                        "getrandbits(%" PRId64 ") does not fit int64; ask for 63 bits at most",
                        bits);
    results[0].i = (int64_t)draw_bits(rt, (int)bits);
    return 0;
}

/* start <= r < stop; the stop of randint may lie one past int64. */
static int32_t unit_range(JrRt *rt, const JrWhere *where, __int128 start, __int128 stop,
                          JrSlot *result) {
    if (stop <= start) {
        int64_t shown = stop > INT64_MAX ? INT64_MAX : (int64_t)stop;
        __int128 width = stop - start;
        return jr_raise(rt, where, EXC_VALUE,
                        "empty range for randrange() (%" PRId64 ", %" PRId64 ", %" PRId64 ")",
                        (int64_t)start, shown, width < INT64_MIN ? INT64_MIN : (int64_t)width);
    }
    result->i = (int64_t)(start + (__int128)draw_below(rt, (u128)(stop - start)));
    return 0;
}

JR_RT_FN(random_randint) {
    return unit_range(rt, where, args[0].i, (__int128)args[1].i + 1, results);
}

JR_RT_FN(random_randrange) {
    __int128 start = args[0].i, stop = args[1].i, step = args[2].i;
    if (step == 1) return unit_range(rt, where, start, stop, results);
    if (step == 0) return jr_raise_value(rt, where, "zero step for randrange()");
    __int128 width = step > 0 ? stop - start : start - stop, size = step > 0 ? step : -step;
    if (width <= 0) return jr_raise_value(rt, where, "empty range for randrange()");
    u128 count = (u128)((width + size - 1) / size);
    results[0].i = (int64_t)(start + step * (__int128)draw_below(rt, count));
    return 0;
}

/* Pairs, by the polar form of Box and Muller; the second waits for the next call. */
JR_RT_FN(random_gauss) {
    JrRandomSource *source = &random_of(rt)->now.sources[JR_RANDOM_PY];
    double z = source->gauss;
    if (!source->has_gauss) {
        double angle = draw(rt) * (2.0 * M_PI);
        double radius = sqrt(-2.0 * log(1.0 - draw(rt)));
        z = cos(angle) * radius;
        source->gauss = sin(angle) * radius;
    }
    source->has_gauss = !source->has_gauss;
    results[0].d = args[0].d + z * args[1].d;
    return 0;
}

/* Kinderman and Monahan's ratio of uniforms. */
JR_RT_FN(random_normalvariate) {
    const double magic = 4 * exp(-0.5) / sqrt(2.0);
    double u, v, z;
    do {
        u = draw(rt);
        v = 1.0 - draw(rt);
        z = magic * (u - 0.5) / v;
    } while (!(z * z / 4.0 <= -log(v)));
    results[0].d = args[0].d + z * args[1].d;
    return 0;
}

JR_RT_FN(random_expovariate) {
    double value = -log(1.0 - draw(rt));
    if (args[0].d == 0)
        return jr_raise(rt, where, EXC_ZERO_DIVISION, "float division by zero");
    results[0].d = value / args[0].d;
    return 0;
}

JR_RT_FN(random_loop) {
    jr_random_loop(random_of(rt));
    return 0;
}

JR_RT_FN(random_key) {
    JrRandom *random = random_of(rt);
    if (!random->now.has_keys) jr_random_loop(random);
    results[0].u = random->now.keys[args[0].i != JR_RANDOM_PY];
    return 0;
}

JR_RT_FN(random_enter) {
    jr_random_enter(random_of(rt), args[0].i);
    return 0;
}

JR_RT_FN(random_leave) {
    jr_random_leave(random_of(rt));
    return 0;
}

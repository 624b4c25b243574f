/* numpy.random's legacy functions, drawing what NumPy's RandomState draws from the same seed.
 */
#include "runtime/rt/array.h"
#include "runtime/rt/rt.h"

#include <math.h>
#include <string.h>

static JrRandom *random_of(JrRt *rt) {
    return &jr_thread_of(rt)->random;
}

static double draw(JrRandom *random) {
    return jr_random_double(random, JR_RANDOM_NP);
}

static uint32_t draw32(JrRandom *random) {
    return jr_random_word(random, JR_RANDOM_NP);
}

static uint64_t draw64(JrRandom *random) {
    uint64_t high = draw32(random);
    return high << 32 | draw32(random);
}

JR_RT_FN(np_random_seed) {
    if (args[0].i < 0 || args[0].i > UINT32_MAX)
        return jr_raise_value(rt, where, "Seed must be between 0 and 2**32 - 1");
    jr_random_seed_np(random_of(rt), (uint32_t)args[0].i);
    return 0;
}

/* ---- One value ---- */

/* Marsaglia's polar method; the pair's first value is the second to be handed out. */
static double draw_gauss(JrRandom *random) {
    JrRandomSource *source = &random->now.sources[JR_RANDOM_NP];
    if (source->has_gauss) {
        source->has_gauss = false;
        return source->gauss;
    }
    double x, y, r;
    do {
        x = 2.0 * draw(random) - 1.0;
        y = 2.0 * draw(random) - 1.0;
        r = x * x + y * y;
    } while (r >= 1.0 || r == 0.0);
    double scale = sqrt(-2.0 * log(r) / r);
    source->gauss = scale * x;
    source->has_gauss = true;
    return scale * y;
}

/* 0 <= result <= range: rejection under the smallest mask, with 32-bit draws where they do. */
static uint64_t draw_bounded(JrRandom *random, uint64_t range) {
    if (range == 0) return 0;
    bool narrow = range <= UINT32_MAX;
    uint64_t mask = UINT64_MAX >> __builtin_clzll(range), value;
    do
        value = (narrow ? draw32(random) : draw64(random)) & mask;
    while (value > range);
    return value;
}

static bool negative(double x) {
    return !isnan(x) && signbit(x);
}

static int32_t check_range(JrRt *rt, const JrWhere *where, int64_t low, int64_t high) {
    if (low < high) return 0;
    return jr_raise_value(rt, where, low == 0 ? "high <= 0" : "low >= high");
}

JR_RT_FN(np_random_random) {
    results[0].d = draw(random_of(rt));
    return 0;
}

JR_RT_FN(np_random_uniform) {
    results[0].d = args[0].d + (args[1].d - args[0].d) * draw(random_of(rt));
    return 0;
}

JR_RT_FN(np_random_normal) {
    if (negative(args[1].d)) return jr_raise_value(rt, where, "scale < 0");
    results[0].d = args[0].d + args[1].d * draw_gauss(random_of(rt));
    return 0;
}

JR_RT_FN(np_random_randint) {
    uint64_t low = args[0].u, range = args[1].u - 1 - low;
    if (check_range(rt, where, args[0].i, args[1].i)) return rt->status;
    results[0].u = low + draw_bounded(random_of(rt), range);
    return 0;
}

JR_RT_FN(np_random_exponential) {
    if (negative(args[0].d)) return jr_raise_value(rt, where, "scale < 0");
    results[0].d = args[0].d * -log(1.0 - draw(random_of(rt)));
    return 0;
}

/* ---- Filling an array, in C order ---- */

/* Large arrays take long: the cancel flag is looked at between so many draws, some 100 us. */
enum { DRAWS_BETWEEN = 1 << 14 };

static int32_t look(JrRt *rt, const JrWhere *where, uint64_t *drawn) {
    return ++*drawn % DRAWS_BETWEEN == 0 ? jr_rt_poll(rt, where) : 0;
}

typedef struct Fill {
    double (*value)(JrRandom *random, double a, double b);
    double a, b;
} Fill;

static double fill_uniform(JrRandom *random, double low, double range) {
    return low + range * draw(random);
}

static double fill_random(JrRandom *random, double a, double b) {
    (void)a, (void)b;
    return draw(random);
}

static double fill_normal(JrRandom *random, double mean, double scale) {
    return mean + scale * draw_gauss(random);
}

static int32_t fill(JrRt *rt, const JrWhere *where, const JrSlot *args, Fill how) {
    IrType type = ir_type_of_bits((uint32_t)args[0].u);
    uint64_t drawn = 0;
    int32_t status = 0;
    for (JrWalk w = jr_walk(type, args[1].cp); !w.done && !status; jr_walk_next(&w)) {
        double value = how.value(random_of(rt), how.a, how.b);
        float narrow = (float)value;
        if (type.scalar == TY_FLOAT32) memcpy(w.at, &narrow, sizeof narrow);
        if (type.scalar == TY_FLOAT64) memcpy(w.at, &value, sizeof value);
        status = look(rt, where, &drawn);
    }
    return status;
}

JR_RT_FN(np_random_fill_random) {
    return fill(rt, where, args, (Fill){fill_random, 0, 0});
}

JR_RT_FN(np_random_fill_uniform) {
    return fill(rt, where, args, (Fill){fill_uniform, args[2].d, args[3].d - args[2].d});
}

JR_RT_FN(np_random_fill_normal) {
    if (negative(args[3].d)) return jr_raise_value(rt, where, "scale < 0");
    return fill(rt, where, args, (Fill){fill_normal, args[2].d, args[3].d});
}

/* An int64 or uint64 array: what np.random.randint(low, high, size) makes. NumPy draws
 * narrower ones in another way. */
JR_RT_FN(np_random_fill_randint) {
    IrType type = ir_type_of_bits((uint32_t)args[0].u);
    uint64_t low = args[2].u, range = args[3].u - 1 - low;
    if (check_range(rt, where, args[2].i, args[3].i)) return rt->status;
    if (type.scalar != TY_INT64 && type.scalar != TY_UINT64)
        return jr_raise(rt, where, EXC_TYPE, "randint fills int64 arrays, not %s",
                        ir_scalar_name((IrScalar)type.scalar));
    uint64_t drawn = 0;
    int32_t status = 0;
    for (JrWalk w = jr_walk(type, args[1].cp); !w.done && !status; jr_walk_next(&w)) {
        *(uint64_t *)(void *)w.at = low + draw_bounded(random_of(rt), range);
        status = look(rt, where, &drawn);
    }
    return status;
}

/* Two or three fusions in a row that do the same with the same indices, for run.c alone, where its own end:
 * x[i] += u * t, y[i] += v * t, z[i] += w * t. What they share is read once, since most of what a handler does is to
 * load, and the processor looks ahead over so many loads and no more. A unit whose elements are not all in range does
 * nothing: slow.c goes on from its first instruction, a load. */
#ifndef JR_INTERP_ALIKE_H
#define JR_INTERP_ALIKE_H

/* `one` and `two`: what is shared. */
#define UNIT(ID, via)                                                           \
    STEP bool unit_##ID##_##via(const Instr *ip, char *fp, Run *run, Slot *one, \
                                Slot *two UNUSED)
#define UNIT_LOAD(n, into, array, index) \
    if (UNLIKELY(!do_LOAD_1C_D64(run, ip + n, into, array, index, NULL))) return false;

/* x[i] += y; y may be a product with a factor that is shared. */
#define UPDATE_OPERANDS_same &sum, &x, S(ip[1].c), NULL
#define UPDATE_OPERANDS_same_b &sum, two, S(ip[1].c), &x
#define UPDATE_OPERANDS_same_c &sum, S(ip[1].b), two, &x
#define SHARED_UPDATE_same(ip) S((ip)->c)
#define SHARED_UPDATE_same_b(ip) S((ip)[1].b)
#define SHARED_UPDATE_same_c(ip) S((ip)[1].c)
#define UNIT_UPDATE(ID, OP, via)                                        \
    UNIT(ID, via) {                                                     \
        Slot x, sum;                                                    \
        UNIT_LOAD(0, &x, S(ip->b), one)                                 \
        do_##OP(run, ip + 1, UPDATE_OPERANDS_##via);                    \
        return do_STORE_1C_D64(run, ip + 2, S(ip->b), one, &sum, NULL); \
    }
/* x[i] += k * u[i] */
#define SHARED_SCALED_same_b(ip) S((ip)[2].b)
#define UNIT_SCALED(ID, OP, via)                                        \
    UNIT(ID, via) {                                                     \
        Slot x, u, sum;                                                 \
        UNIT_LOAD(0, &x, S(ip->b), one)                                 \
        UNIT_LOAD(1, &u, S(ip[1].b), one)                               \
        do_##OP(run, ip + 2, &sum, two, &u, &x);                        \
        return do_STORE_1C_D64(run, ip + 3, S(ip->b), one, &sum, NULL); \
    }
/* d = x[i] - x[j] */
#define SHARED_PAIR_same(ip) S((ip)[1].c)
#define UNIT_PAIR(ID, OP, via)                                 \
    UNIT(ID, via) {                                            \
        Slot x, y;                                             \
        UNIT_LOAD(0, &x, S(ip->b), one)                        \
        UNIT_LOAD(1, &y, S(ip->b), two)                        \
        return do_##OP(run, ip + 2, S(ip[2].a), &x, &y, NULL); \
    }
#define RUN_UNIT(ID, via)                                                         \
    if (UNLIKELY(!unit_##ID##_##via(ip, fp, run, &one, &two))) INSTEAD(slow, ip); \
    ip += LENGTH_##ID;

/* s = x[i] * k, t = x[j] * k */
#define EACH                                                                              \
    if (UNLIKELY(!do_LOAD_1C_D64(run, ip, &x, array, S(ip->c), NULL))) INSTEAD(slow, ip); \
    S(ip[1].a)->d = x.d * factor.d;                                                       \
    ip += 2;
HANDLER(LOAD_1C_D64_MUL_FLOAT64_b_LOAD_1C_D64_MUL_FLOAT64_b_each) {
    Slot x, *const array = S(ip->b), factor = *S(ip[1].c);
    EACH EACH GO;
}

/* The sum of the squares of such differences, the first `n` numbers of which are in registers then, and what is done
 * with it. */
#define DIFFERENCE(n)                                                         \
    {                                                                         \
        Slot x, y;                                                            \
        if (UNLIKELY(!do_LOAD_1C_D64(run, ip, &x, S(ip->b), &one, NULL) ||    \
                     !do_LOAD_1C_D64(run, ip + 1, &y, S(ip->b), &two, NULL))) \
            INSTEAD(slow, ip);                                                \
        by[n].d = x.d - y.d;                                                  \
        *S(ip[2].a) = by[n];                                                  \
        ip += 3;                                                              \
    }
#define DIFFERENCES_2 DIFFERENCE(0) DIFFERENCE(1)
#define DIFFERENCES_3 DIFFERENCES_2 DIFFERENCE(2)
#define JB_FUSE_NORM(N, PAIRS, SQUARES, FIRST, via)          \
    HANDLER(PAIRS##_##SQUARES##_norm) {                      \
        Slot one = *S(ip->c), two = *S(ip[1].c), by[N], sum; \
        Stream none[1], *const streams UNUSED = none;        \
        DIFFERENCES_##N sum.d = by[0].d * by[0].d;           \
        for (unsigned n = 1; n < N; n++)                     \
            sum.d = by[n].d * by[n].d + sum.d;               \
        ip += N;                                             \
        NORM_##via(FIRST) GO;                                \
    }
#define NORM_slot(FIRST) *S(ip[-1].a) = sum;
#define NORM_b(FIRST)                                                             \
    const Carried carried = {.first_b = &sum};                                    \
    round_##FIRST(ip, fp, run, LAST(FIRST), PREV(FIRST), NULL, streams, carried); \
    ip += LENGTH_##FIRST;

#define JB_FUSE_ALIKE(KIND, ID, OP, via)                        \
    UNIT_##KIND(ID, OP, via) HANDLER(ID##_##ID##_##via) {       \
        Slot one = *S(ip->c), two = *SHARED_##KIND##_##via(ip); \
        RUN_UNIT(ID, via)                                       \
        RUN_UNIT(ID, via)                                       \
        GO;                                                     \
    }                                                           \
    HANDLER(ID##_##ID##_##via##_##ID##_##via) {                 \
        Slot one = *S(ip->c), two = *SHARED_##KIND##_##via(ip); \
        RUN_UNIT(ID, via)                                       \
        RUN_UNIT(ID, via)                                       \
        RUN_UNIT(ID, via)                                       \
        GO;                                                     \
    }
#include "backend/interp/fuse.def"

#endif

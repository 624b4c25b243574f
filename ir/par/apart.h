/* Whether iterations of a loop touch different elements, asked with numbers that only the run
 * knows: the tests that stand where a parallel loop begins. ir/par/par_test.c writes them, and
 * runtime/threads/parallel.c asks. */
#ifndef JR_IR_APART_H
#define JR_IR_APART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* slope * t + base, t the number of the iteration. */
typedef struct IrLine {
    int64_t slope, base;
} IrLine;

/* The indices of one access in iteration t lie from lo to hi; with lo > hi it has none. */
typedef struct IrReach {
    IrLine lo, hi;
    bool wraps; /* a negative index counts from the end */
} IrReach;

/* Whether no index of `a` in one iteration is one of `b` in another, of `trip` iterations, on
 * an axis of length n. False if it cannot be told. */
bool ir_reaches_apart(int64_t trip, int64_t n, IrReach a, IrReach b);

/* The same of iterations of a that come before those of b, alone. */
bool ir_reach_ahead(int64_t trip, int64_t n, IrReach a, IrReach b);

/* As the first, for indices that are taken modulo m > 0. */
bool ir_reaches_apart_modulo(int64_t trip, int64_t m, IrReach a, IrReach b);

/* Evaluates a test, a text of words in reverse Polish order on a stack of int64:
 *
 *     12  #3  T             a number, values[3], the trip count
 *     + - * min max         arithmetic
 *     // %                  by a positive number, floored
 *     nonneg                v: v >= 0
 *     fits                  slope base: the line stays within int64 in every iteration
 *     apart                 ir_reaches_apart: the lines a.lo a.hi b.lo b.hi, each slope base,
 *                           then n, and a.wraps + 2 * b.wraps
 *     ahead                 ir_reach_ahead: as apart
 *     modulo                ir_reaches_apart_modulo: the lines, then m
 *     and or                of two truths
 *     ;                     v: it has to be true
 *
 * True if every `;` has found a true value. Arithmetic that overflows makes whatever is asked
 * of its result false. */
bool ir_test_holds(const char *text, size_t len, int64_t trip, const int64_t *values,
                   size_t nvalues);

#endif

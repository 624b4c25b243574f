/* The questions about bounds that stand in front of a loop (range.c). They are asked in 128 bits, where the few terms of an
 * index cannot overflow, or in 64 where there is one; an index that is exact and within the array is
 * what the 64-bit instructions compute, even if a step of theirs wraps. */
#include "backend/llvm/range.h"

static LLVMValueRef widen(Range *r, LLVMValueRef value) {
    return LLVMBuildSExt(r->f->g->b, value, r->f->g->i128, "");
}

static LLVMValueRef wide_const(Range *r, int64_t value) {
    return LLVMConstInt(r->f->g->i128, (unsigned long long)value, 1);
}

void jr_range_require(Range *r, LLVMValueRef ok) {
    LLVMValueRef sure = r->plan->sure;
    r->plan->sure = sure ? LLVMBuildAnd(r->f->g->b, sure, ok, "") : ok;
}

/* 0 <= a + least and b + most < dim, in 64 bits; a <= b and least <= most where it matters. No sum
 * is formed that wraps unnoticed: with most < -1 the first comparison makes b positive. */
static void require_simple(Range *r, LLVMValueRef a, int64_t least, LLVMValueRef b,
                           int64_t most, LLVMValueRef dim) {
    Gen *g = r->f->g;
    if (a == b && least == 0 && most == 0) {
        jr_range_require(r, LLVMBuildICmp(g->b, LLVMIntULT, a, dim, ""));
        return;
    }
    jr_range_require(r, LLVMBuildICmp(g->b, LLVMIntSGE, a, jr_gen_int(g, -least), ""));
    if (most == -1 && b == dim) return;
    if (most > -1) dim = LLVMBuildSub(g->b, dim, jr_gen_int(g, most + 1), "");
    if (most < -1) b = LLVMBuildAdd(g->b, b, jr_gen_int(g, most + 1), "");
    jr_range_require(r, LLVMBuildICmp(g->b, LLVMIntSLE, b, dim, ""));
}

/* What the last step leaves between the counter and the end, for a loop that runs: `way` is how far it goes. */
static LLVMValueRef left_over(Range *r, LLVMValueRef way, LLVMValueRef by) {
    LLVMBuilderRef b = r->f->g->b;
    return LLVMBuildURem(b, LLVMBuildSub(b, way, jr_gen_int(r->f->g, 1), ""), by, "");
}

static void range_in_constant_steps(Range *r, LLVMValueRef lo, LLVMValueRef hi, int64_t step) {
    LLVMBuilderRef b = r->f->g->b;
    bool up = step > 0;
    uint64_t by = up ? (uint64_t)step : 0 - (uint64_t)step;
    if (by > 1) {
        LLVMValueRef way = LLVMBuildSub(b, up ? hi : lo, up ? lo : hi, "");
        LLVMValueRef left = left_over(r, way, jr_gen_int(r->f->g, (int64_t)by));
        hi = up ? LLVMBuildSub(b, hi, left, "") : LLVMBuildAdd(b, hi, left, "");
    }
    r->first = up ? lo : hi;
    r->last = up ? hi : lo;
    r->first_plus += up ? 0 : 1;
    r->last_plus += up ? -1 : 0;
}

/* The counter's least value is first + first_plus, its greatest last + last_plus: from lo to
 * hi - 1 when counting up, from hi + 1 to lo when counting down; less what the last step leaves over. */
static void counter_range(Range *r) {
    if (r->first) return;
    Gen *g = r->f->g;
    LLVMBuilderRef b = g->b;
    LLVMValueRef lo = jr_gen_value(r->f, r->loop->args[0]);
    LLVMValueRef hi = jr_gen_value(r->f, r->loop->args[1]);
    LLVMValueRef step = jr_gen_value(r->f, r->loop->args[2]);
    if (LLVMIsAConstantInt(step)) {
        range_in_constant_steps(r, lo, hi, LLVMConstIntGetSExtValue(step));
        return;
    }
    LLVMValueRef up = LLVMBuildICmp(b, LLVMIntSGT, step, jr_gen_int(g, 0), "");
    LLVMValueRef by[] = {LLVMBuildSelect(b, up, step, LLVMBuildNeg(b, step, ""), ""),
                         jr_gen_int(g, 1)};
    by[0] = jr_gen_intrinsic(g, "llvm.umax", 1, &g->i64, 2,
                             by); /* a step of 0 has failed before */
    LLVMValueRef way = LLVMBuildSub(b, hi, lo, "");
    way = LLVMBuildSelect(b, up, way, LLVMBuildNeg(b, way, ""), "");
    LLVMValueRef left = widen(r, left_over(r, way, by[0]));
    lo = widen(r, lo);
    hi = widen(r, hi);
    LLVMValueRef below = LLVMBuildSub(b, LLVMBuildSub(b, hi, wide_const(r, 1), ""), left, "");
    LLVMValueRef above = LLVMBuildAdd(b, LLVMBuildAdd(b, hi, wide_const(r, 1), ""), left, "");
    r->first = LLVMBuildSelect(b, up, lo, above, "");
    r->last = LLVMBuildSelect(b, up, below, lo, "");
}

/* by * (counter + plus): two of 64 bits. */
static LLVMValueRef rows_of(Range *r, const Affine *a, LLVMValueRef counter, int64_t plus) {
    LLVMBuilderRef b = r->f->g->b;
    if (LLVMTypeOf(counter) == r->f->g->i64) counter = widen(r, counter);
    LLVMValueRef at = LLVMBuildAdd(b, counter, wide_const(r, plus), "");
    LLVMValueRef by = widen(r, jr_range_term(r, a->by));
    LLVMValueRef rows = LLVMBuildMul(b, at, by, "");
    return a->by_sign < 0 ? LLVMBuildNeg(b, rows, "") : rows;
}

LLVMValueRef jr_range_evaluate(Range *r, const Affine *a, LLVMValueRef counter, int64_t plus,
                               int64_t offset) {
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef sum = wide_const(r, a->factor * plus + offset);
    if (a->factor) {
        if (LLVMTypeOf(counter) == r->f->g->i64) counter = widen(r, counter);
        LLVMValueRef part = LLVMBuildMul(b, counter, wide_const(r, a->factor), "");
        sum = LLVMBuildAdd(b, sum, part, "");
    }
    if (a->by_sign) sum = LLVMBuildAdd(b, sum, rows_of(r, a, counter, plus), "");
    for (uint32_t i = 0; i < a->nterms; i++) {
        LLVMValueRef term = widen(r, jr_range_term(r, a->term[i]));
        sum = LLVMBuildAdd(b, sum, LLVMBuildMul(b, term, wide_const(r, a->scale[i]), ""), "");
    }
    return sum;
}

static void require_wide(Range *r, LLVMValueRef least, LLVMValueRef most, LLVMValueRef dim) {
    LLVMBuilderRef b = r->f->g->b;
    jr_range_require(r, LLVMBuildICmp(b, LLVMIntSGE, least, wide_const(r, 0), ""));
    jr_range_require(r, LLVMBuildICmp(b, LLVMIntSLT, most, widen(r, dim), ""));
}

/* Whichever end is the greater one. */
static void ask_both_ends(Range *r, const Question *q, LLVMValueRef dim) {
    const Affine *a = &q->index;
    LLVMValueRef first = jr_range_evaluate(r, a, r->first, r->first_plus, 0);
    LLVMValueRef last = jr_range_evaluate(r, a, r->last, r->last_plus, 0);
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef least = wide_const(r, q->least), most = wide_const(r, q->most);
    require_wide(r, LLVMBuildAdd(b, first, least, ""), LLVMBuildAdd(b, first, most, ""), dim);
    require_wide(r, LLVMBuildAdd(b, last, least, ""), LLVMBuildAdd(b, last, most, ""), dim);
}

static void ask_wide(Range *r, const Question *q, LLVMValueRef dim) {
    const Affine *a = &q->index;
    bool falls = a->factor < 0;
    LLVMValueRef least = jr_range_evaluate(r, a, falls ? r->last : r->first,
                                           falls ? r->last_plus : r->first_plus, q->least);
    LLVMValueRef most = jr_range_evaluate(r, a, falls ? r->first : r->last,
                                          falls ? r->first_plus : r->last_plus, q->most);
    require_wide(r, least, most, dim);
}

static LLVMValueRef scaled(Range *r, LLVMValueRef value, int64_t scale) {
    return LLVMBuildMul(r->f->g->b, widen(r, value), wide_const(r, scale), "");
}

/* At either end of the counter, and of what is spread. */
static void ask_spread(Range *r, const Question *q, LLVMValueRef dim) {
    LLVMBuilderRef b = r->f->g->b;
    const Affine *a = &q->index;
    const GenUse *use = &r->uses[a->spread - 1];
    bool up = a->spread_scale > 0;
    r->plan->exact = false;
    LLVMValueRef least = scaled(r, up ? use->low : use->high, a->spread_scale);
    LLVMValueRef most = scaled(r, up ? use->high : use->low, a->spread_scale);
    least = LLVMBuildAdd(b, least, wide_const(r, q->least), "");
    most = LLVMBuildAdd(b, most, wide_const(r, q->most), "");
    for (int end = 0; end < (a->factor || a->by_sign ? 2 : 1); end++) {
        LLVMValueRef counter = end ? r->last : r->first;
        int64_t plus = end ? r->last_plus : r->first_plus;
        LLVMValueRef at = jr_range_evaluate(r, a, counter, plus, 0);
        require_wide(r, LLVMBuildAdd(b, at, least, ""), LLVMBuildAdd(b, at, most, ""), dim);
    }
}

/* How far it gets by the last round, for loops whose step is a constant. */
static LLVMValueRef way_of_rounds(Range *r, const Affine *a) {
    Gen *g = r->f->g;
    const IrReg *args = r->loop->args;
    LLVMValueRef from = jr_gen_value(r->f, args[0]), to = jr_gen_value(r->f, args[1]);
    int64_t step = LLVMConstIntGetSExtValue(jr_gen_value(r->f, args[2]));
    LLVMValueRef way = LLVMBuildSub(g->b, step > 0 ? to : from, step > 0 ? from : to, "");
    way = LLVMBuildSub(g->b, way, jr_gen_int(g, 1), "");
    way = LLVMBuildUDiv(g->b, way, jr_gen_int(g, step > 0 ? step : -step), "");
    way = LLVMBuildZExt(g->b, way, g->i128, "");
    return LLVMBuildMul(g->b, way, wide_const(r, a->rounds), "");
}

static void ask_rounds(Range *r, const Question *q, LLVMValueRef dim) {
    const Affine *a = &q->index;
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef least = jr_range_evaluate(r, a, NULL, 0, q->least);
    LLVMValueRef most = jr_range_evaluate(r, a, NULL, 0, q->most);
    LLVMValueRef way = way_of_rounds(r, a);
    if (a->rounds > 0)
        most = LLVMBuildAdd(b, most, way, "");
    else
        least = LLVMBuildAdd(b, least, way, "");
    require_wide(r, least, most, dim);
}

void jr_range_ask(Range *r, const Question *q) {
    const Affine *a = &q->index;
    LLVMValueRef dim = q->array == IR_NO_REG ? jr_range_term(r, q->bound)
                                             : jr_gen_array(r->f, q->array).dims[q->axis];
    counter_range(r);
    if (a->rounds) {
        ask_rounds(r, q, dim);
    } else if (a->spread) {
        ask_spread(r, q, dim);
    } else if (a->by_sign) {
        ask_both_ends(r, q, dim);
    } else if (a->factor == 0 && a->nterms == 0) {
        jr_range_require(
            r, LLVMBuildICmp(r->f->g->b, LLVMIntSGT, dim, jr_gen_int(r->f->g, q->most), ""));
    } else if (a->factor == 0 && a->nterms == 1 && a->scale[0] == 1) {
        LLVMValueRef index = jr_range_term(r, a->term[0]);
        require_simple(r, index, q->least, index, q->most, dim);
    } else if (a->factor == 1 && a->nterms == 0 && LLVMTypeOf(r->first) == r->f->g->i64) {
        require_simple(r, r->first, q->least + r->first_plus, r->last, q->most + r->last_plus,
                       dim);
    } else {
        ask_wide(r, q, dim);
    }
}

/* Parts of an index of which only the ends are known.
 *
 *     table[h & 255]      x[k % n]      y[min(max(k, 0), n - 1)]      row[int(j * scale)]
 *
 * What is added to such a part may be affine, so that one question does: with the part's least value the
 * index is not below 0, and with its greatest it is within the array. Ends are constants or have
 * a value in front of the loop.
 *
 * An integer made from floats lies between what it is for the first and the last value of the counter, where each step
 * from the counter to it keeps or reverses the order: conversions, sums and products with what the
 * loop does not change, division by it, floor and the like. Rounding keeps the order. Infinities and NaNs do not
 * become numbers again in these steps unless all become one number, so that where both ends are numbers,
 * all between them are, too. Both are required to be small enough for an integer, so that the quick twin
 * converts without looking.
 *
 * Nothing is asked where a small type is all that is known, as of h[labels[i]] with labels of uint8: that says
 * nothing of how many there are. */
#include "backend/llvm/range.h"

#include <math.h>

enum { DEEPEST = 10, SMALL_BITS = 50 };

#define SMALL ((int64_t)1 << SMALL_BITS)

/* NULL: not known. Of 64 bits, whatever the register's type. */
typedef struct Ends {
    LLVMValueRef low, high;
} Ends;

static const Ends unknown;

static Ends between(Range *r, IrReg reg, uint32_t pos, int depth);

/* ---- Constants ---- */

static Ends const_ends(Range *r, int64_t low, int64_t high) {
    return (Ends){jr_gen_int(r->f->g, low), jr_gen_int(r->f->g, high)};
}

static bool get_const(LLVMValueRef value, int64_t *out) {
    if (!value || !LLVMIsAConstantInt(value)) return false;
    *out = LLVMConstIntGetSExtValue(value);
    return *out >= -SMALL && *out <= SMALL;
}

static bool get_consts(Ends e, int64_t *low, int64_t *high) {
    return get_const(e.low, low) && get_const(e.high, high);
}

static IrScalar scalar_of(const Range *r, IrReg reg) {
    return (IrScalar)ir_reg_type(r->f->ir, reg).scalar;
}

static bool small_int(const Range *r, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(r->f->ir, reg);
    if (info->kind != REG_CONST || !ir_scalar_is_int((IrScalar)info->type.scalar))
        return false;
    *value = info->value.i;
    return *value >= -SMALL && *value <= SMALL;
}

/* What every value of the type is between. */
static Ends ends_of_type(Range *r, IrScalar scalar) {
    unsigned bits = 8 * ir_scalar_size(scalar);
    if (scalar == TY_BOOL) return const_ends(r, 0, 1);
    if (!ir_scalar_is_int(scalar) || bits > 32) return unknown;
    if (!ir_scalar_is_signed(scalar)) return const_ends(r, 0, ((int64_t)1 << bits) - 1);
    return const_ends(r, -((int64_t)1 << (bits - 1)), ((int64_t)1 << (bits - 1)) - 1);
}

/* Constants, if no operation of this type wraps between them. */
static Ends within_type(Range *r, IrScalar scalar, int64_t low, int64_t high) {
    int64_t least = scalar == TY_UINT64 ? 0 : -SMALL, most = SMALL;
    get_consts(ends_of_type(r, scalar), &least, &most);
    return low >= least && high <= most ? const_ends(r, low, high) : unknown;
}

/* ---- Operations ---- */

static LLVMValueRef lesser(Range *r, LLVMValueRef a, LLVMValueRef b) {
    LLVMBuilderRef build = r->f->g->b;
    return LLVMBuildSelect(build, LLVMBuildICmp(build, LLVMIntSLT, a, b, ""), a, b, "");
}

static LLVMValueRef greater(Range *r, LLVMValueRef a, LLVMValueRef b) {
    LLVMBuilderRef build = r->f->g->b;
    return LLVMBuildSelect(build, LLVMBuildICmp(build, LLVMIntSGT, a, b, ""), a, b, "");
}

/* x & c, with either of them known not to be negative. */
static Ends masked(Range *r, const IrStmt *s, uint32_t pos, int depth) {
    for (int i = 0; i < 2; i++) {
        int64_t mask;
        if (small_int(r, s->args[i], &mask) && mask >= 0) return const_ends(r, 0, mask);
    }
    for (int i = 0; i < 2; i++) {
        int64_t low, high;
        Ends e = between(r, s->args[i], pos, depth);
        if (get_consts(e, &low, &high) && low >= 0) return const_ends(r, 0, high);
        IrReg front = jr_range_front(r, s->args[i], pos);
        if (front == IR_NO_REG) continue;
        LLVMValueRef zero = jr_gen_int(r->f->g, 0), mask = jr_range_term(r, front);
        jr_range_require(r, LLVMBuildICmp(r->f->g->b, LLVMIntSGE, mask, zero, ""));
        return (Ends){zero, mask};
    }
    return unknown;
}

static Ends modulo(Range *r, const IrStmt *s, uint32_t pos) {
    Gen *g = r->f->g;
    int64_t n;
    if (small_int(r, s->args[1], &n)) return n > 0 ? const_ends(r, 0, n - 1) : unknown;
    IrReg front = jr_range_front(r, s->args[1], pos);
    if (front == IR_NO_REG) return unknown;
    LLVMValueRef bound = jr_range_term(r, front), one = jr_gen_int(g, 1);
    jr_range_require(r, LLVMBuildICmp(g->b, LLVMIntSGE, bound, one, ""));
    return (Ends){jr_gen_int(g, 0), LLVMBuildSub(g->b, bound, one, "")};
}

static Ends shifted(Range *r, const IrStmt *s, Ends a) {
    int64_t count, low, high;
    if (!small_int(r, s->args[1], &count) || count < 0 || count > 63) return unknown;
    if (get_consts(a, &low, &high)) return const_ends(r, low >> count, high >> count);
    int bits = 64 - (int)count;
    if (scalar_of(r, s->dsts[0]) != TY_UINT64 || bits > SMALL_BITS) return unknown;
    return const_ends(r, 0, ((int64_t)1 << bits) - 1);
}

static int64_t floor_by(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && a < 0);
}

static Ends quotient(Range *r, const IrStmt *s, Ends a) {
    int64_t by, low, high;
    if (!small_int(r, s->args[1], &by) || by <= 0 || !get_consts(a, &low, &high))
        return unknown;
    return const_ends(r, floor_by(low, by), floor_by(high, by));
}

static Ends smallest(Range *r, Ends a, Ends b, bool min) {
    if (min) {
        LLVMValueRef high = !a.high ? b.high : !b.high ? a.high : lesser(r, a.high, b.high);
        return (Ends){a.low && b.low ? lesser(r, a.low, b.low) : NULL, high};
    }
    LLVMValueRef low = !a.low ? b.low : !b.low ? a.low : greater(r, a.low, b.low);
    return (Ends){low, a.high && b.high ? greater(r, a.high, b.high) : NULL};
}

static Ends either(Range *r, Ends a, Ends b) {
    if (!a.low || !a.high || !b.low || !b.high) return unknown;
    return (Ends){lesser(r, a.low, b.low), greater(r, a.high, b.high)};
}

/* Of constants alone. */
static Ends combined(Range *r, const IrStmt *s, Ends a, Ends b) {
    IrScalar scalar = scalar_of(r, s->dsts[0]);
    int64_t al, ah, bl, bh, some = 1;
    if (!get_consts(a, &al, &ah) || !get_consts(b, &bl, &bh)) return unknown;
    switch (s->op) {
    case OP_ADD: return within_type(r, scalar, al + bl, ah + bh);
    case OP_SUB: return within_type(r, scalar, al - bh, ah - bl);
    case OP_MUL:
        if (al < 0 || bl < 0 || (bh && ah > SMALL / bh)) return unknown;
        return within_type(r, scalar, al * bl, ah * bh);
    case OP_OR:
    case OP_XOR:
        if (al < 0 || bl < 0) return unknown;
        while (some <= ah || some <= bh)
            some *= 2;
        return const_ends(r, 0, some - 1);
    default: return unknown;
    }
}

/* ---- The counter ---- */

/* The first and the last value that the counter may have, in either order. */
static LLVMValueRef counter_end(Range *r, bool last) {
    Gen *g = r->f->g;
    LLVMValueRef lo = jr_gen_value(r->f, r->loop->args[0]);
    if (!last) return lo;
    LLVMValueRef hi = jr_gen_value(r->f, r->loop->args[1]);
    LLVMValueRef step = jr_gen_value(r->f, r->loop->args[2]);
    LLVMValueRef up = LLVMBuildICmp(g->b, LLVMIntSGT, step, jr_gen_int(g, 0), "");
    LLVMValueRef back = LLVMBuildSelect(g->b, up, jr_gen_int(g, -1), jr_gen_int(g, 1), "");
    return LLVMBuildAdd(g->b, hi, back, "");
}

/* The sum for that value of the counter. It is required to be small, so that it is what 64 bits compute. */
static LLVMValueRef affine_end(Range *r, const Affine *a, bool last) {
    Gen *g = r->f->g;
    LLVMValueRef at = counter_end(r, last);
    if (a->factor == 1 && !a->by_sign && !a->nterms && !a->offset) return at;
    LLVMValueRef sum = jr_range_evaluate(r, a, at, 0, a->offset);
    LLVMValueRef most = LLVMConstInt(g->i128, (uint64_t)1 << 62, 0);
    LLVMValueRef small = LLVMBuildICmp(g->b, LLVMIntSLE, sum, most, "");
    jr_range_require(r, small);
    small = LLVMBuildICmp(g->b, LLVMIntSGE, sum, LLVMConstNeg(most), "");
    jr_range_require(r, small);
    return LLVMBuildTrunc(g->b, sum, g->i64, "");
}

static Ends affine_ends(Range *r, IrReg reg, uint32_t pos) {
    Affine a;
    if (!jr_range_affine(r, &a, reg, pos)) return unknown;
    LLVMValueRef first = affine_end(r, &a, false), last = affine_end(r, &a, true);
    return (Ends){lesser(r, first, last), greater(r, first, last)};
}

/* ---- Floats ---- */

typedef enum Shape { SHAPE_NONE, SHAPE_FIXED, SHAPE_ORDERED } Shape;

static const IrStmt *def_of(const Range *r, IrReg reg, uint32_t pos) {
    const GenUse *use = &r->uses[reg];
    return use->writes == 1 && use->pos < pos ? use->def : NULL;
}

static bool keeps_order(const IrStmt *s) {
    return s->u.math == MATH_FLOOR || s->u.math == MATH_CEIL || s->u.math == MATH_TRUNC ||
           s->u.math == MATH_RINT;
}

static Shape shape_of(Range *r, IrReg reg, uint32_t pos, int depth) {
    if (ir_reg_type(r->f->ir, reg).ndim || depth > DEEPEST) return SHAPE_NONE;
    if (jr_range_is_invariant(r, reg)) return SHAPE_FIXED;
    if (scalar_of(r, reg) == TY_INT64) {
        Affine a;
        if (!jr_range_affine(r, &a, reg, pos)) return SHAPE_NONE;
        return a.factor || a.by_sign ? SHAPE_ORDERED : SHAPE_FIXED;
    }
    const IrStmt *s = def_of(r, reg, pos);
    if (!s || s->ndsts != 1 || !ir_scalar_is_float(scalar_of(r, reg))) return SHAPE_NONE;
    pos = r->uses[reg].pos;
    Shape a = SHAPE_NONE, b = SHAPE_FIXED;
    switch (s->op) {
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
        a = shape_of(r, s->args[0], pos, depth + 1);
        b = a ? shape_of(r, s->args[1], pos, depth + 1) : SHAPE_NONE;
        if (b == SHAPE_ORDERED && (a == SHAPE_ORDERED || s->op == OP_DIV)) return SHAPE_NONE;
        return !b ? SHAPE_NONE : a > b ? a : b;
    case OP_CAST:
    case OP_COPY:
    case OP_NEG: return shape_of(r, s->args[0], pos, depth + 1);
    case OP_MATH: return keeps_order(s) ? shape_of(r, s->args[0], pos, depth + 1) : SHAPE_NONE;
    default: return SHAPE_NONE;
    }
}

static LLVMValueRef float_end(Range *r, IrReg reg, uint32_t pos, bool last);

static LLVMValueRef convert(Range *r, const IrStmt *s, LLVMValueRef a) {
    LLVMBuilderRef b = r->f->g->b;
    IrScalar from = scalar_of(r, s->args[0]);
    LLVMTypeRef to = r->f->g->scalar[scalar_of(r, s->dsts[0])];
    if (ir_scalar_is_float(from)) return LLVMBuildFPCast(b, a, to, "");
    return ir_scalar_is_signed(from) ? LLVMBuildSIToFP(b, a, to, "")
                                     : LLVMBuildUIToFP(b, a, to, "");
}

static LLVMValueRef compute(Range *r, const IrStmt *s, uint32_t pos, bool last) {
    static const char *const roundings[MATH_COUNT] = {[MATH_FLOOR] = "llvm.floor",
                                                      [MATH_CEIL] = "llvm.ceil",
                                                      [MATH_TRUNC] = "llvm.trunc",
                                                      [MATH_RINT] = "llvm.rint"};
    Gen *g = r->f->g;
    LLVMValueRef a = float_end(r, s->args[0], pos, last);
    LLVMValueRef b = s->nargs > 1 ? float_end(r, s->args[1], pos, last) : NULL;
    LLVMTypeRef type = LLVMTypeOf(a);
    switch (s->op) {
    case OP_ADD: return LLVMBuildFAdd(g->b, a, b, "");
    case OP_SUB: return LLVMBuildFSub(g->b, a, b, "");
    case OP_MUL: return LLVMBuildFMul(g->b, a, b, "");
    case OP_DIV: return LLVMBuildFDiv(g->b, a, b, "");
    case OP_NEG: return LLVMBuildFNeg(g->b, a, "");
    case OP_CAST: return convert(r, s, a);
    case OP_MATH: return jr_gen_intrinsic(g, roundings[s->u.math], 1, &type, 1, &a);
    default: return a;
    }
}

/* What a register that has a shape is for the first or the last value of the counter. */
static LLVMValueRef float_end(Range *r, IrReg reg, uint32_t pos, bool last) {
    if (jr_range_is_invariant(r, reg)) return jr_gen_value(r->f, reg);
    if (scalar_of(r, reg) != TY_INT64)
        return compute(r, r->uses[reg].def, r->uses[reg].pos, last);
    Affine a;
    jr_range_affine(r, &a, reg, pos);
    return affine_end(r, &a, last);
}

static LLVMValueRef int_end(Range *r, const IrStmt *s, uint32_t pos, bool last) {
    Gen *g = r->f->g;
    LLVMValueRef value = float_end(r, s->args[0], pos, last);
    LLVMTypeRef type = LLVMTypeOf(value);
    int bits = 8 * (int)ir_scalar_size(scalar_of(r, s->dsts[0]));
    LLVMValueRef limit = LLVMConstReal(type, ldexp(1.0, bits - 2));
    LLVMValueRef size = jr_gen_intrinsic(g, "llvm.fabs", 1, &type, 1, &value);
    jr_range_require(r, LLVMBuildFCmp(g->b, LLVMRealOLT, size, limit, ""));
    LLVMTypeRef types[] = {g->i64, type};
    return jr_gen_intrinsic(g, "llvm.fptosi.sat", 2, types, 1, &value);
}

static Ends ends_of_float(Range *r, const IrStmt *s, uint32_t pos) {
    if (r->f->fast || !ir_scalar_is_signed(scalar_of(r, s->dsts[0]))) return unknown;
    if (shape_of(r, s->args[0], pos, 0) == SHAPE_NONE) return unknown;
    LLVMValueRef first = int_end(r, s, pos, false), last = int_end(r, s, pos, true);
    GenProof proof = {.stmt = s, .exact = true};
    JR_PUSH(r->f->g->arena, &r->plan->proofs, proof);
    return (Ends){lesser(r, first, last), greater(r, first, last)};
}

/* ---- Any register ---- */

static Ends ends_of_stmt(Range *r, const IrStmt *s, uint32_t pos, int depth) {
    IrScalar scalar = scalar_of(r, s->dsts[0]);
    int64_t low, high;
    switch (s->op) {
    case OP_COPY: return between(r, s->args[0], pos, depth);
    case OP_CAST: {
        if (ir_scalar_is_float(scalar_of(r, s->args[0]))) return ends_of_float(r, s, pos);
        Ends a = between(r, s->args[0], pos, depth);
        return get_consts(a, &low, &high) ? within_type(r, scalar, low, high) : unknown;
    }
    case OP_AND: return masked(r, s, pos, depth);
    case OP_MOD: return modulo(r, s, pos);
    case OP_SHR: return shifted(r, s, between(r, s->args[0], pos, depth));
    case OP_FLOORDIV: return quotient(r, s, between(r, s->args[0], pos, depth));
    case OP_MIN:
    case OP_MAX:
        if (scalar != TY_INT64) return unknown;
        return smallest(r, between(r, s->args[0], pos, depth),
                        between(r, s->args[1], pos, depth), s->op == OP_MIN);
    case OP_SELECT:
        return either(r, between(r, s->args[1], pos, depth),
                      between(r, s->args[2], pos, depth));
    case OP_ADD:
    case OP_SUB:
    case OP_MUL: {
        Ends whole = scalar == TY_INT64 ? affine_ends(r, s->dsts[0], pos + 1) : unknown;
        if (whole.low) return whole;
    } /* fall through */
    case OP_OR:
    case OP_XOR:
        return combined(r, s, between(r, s->args[0], pos, depth),
                        between(r, s->args[1], pos, depth));
    default: return unknown;
    }
}

static Ends between(Range *r, IrReg reg, uint32_t pos, int depth) {
    int64_t value;
    IrType type = ir_reg_type(r->f->ir, reg);
    if (type.ndim || depth > DEEPEST) return unknown;
    if (small_int(r, reg, &value)) return const_ends(r, value, value);
    if (reg == r->loop->dsts[0]) return affine_ends(r, reg, pos);
    IrReg front = type.scalar == TY_INT64 ? jr_range_front(r, reg, pos) : IR_NO_REG;
    if (front != IR_NO_REG) return (Ends){jr_range_term(r, front), jr_range_term(r, front)};
    const IrStmt *s = def_of(r, reg, pos);
    Ends e = s && s->ndsts == 1 ? ends_of_stmt(r, s, r->uses[reg].pos, depth + 1) : unknown;
    return e.low || e.high ? e : ends_of_type(r, (IrScalar)type.scalar);
}

bool jr_range_spread(Range *r, IrReg reg, uint32_t pos) {
    GenUse *use = &r->uses[reg];
    const IrStmt *s = def_of(r, reg, pos);
    int64_t low;
    if (!s || s->ndsts != 1 || s->op == OP_LOAD) return false;
    if (use->low) return true;
    bool is_float = s->op == OP_CAST && ir_scalar_is_float(scalar_of(r, s->args[0]));
    if (s->op == OP_CAST && !is_float && !jr_range_spread(r, s->args[0], use->pos))
        return false;
    Ends e = between(r, reg, pos, 0);
    if (!e.low || !e.high || (get_const(e.low, &low) && low < 0)) return false;
    use->low = e.low;
    use->high = e.high;
    return true;
}

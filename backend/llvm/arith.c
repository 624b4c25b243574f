/* Scalar arithmetic, with exactly the meaning of ir/numeric.h. Nothing here is undefined
 * behaviour in LLVM's sense either: divisors are made safe before a division, shift counts
 * before a shift. LLVM sees through the guards wherever it knows the operands. */
#include "backend/llvm/gen.h"

typedef struct Pair {
    LLVMValueRef a, b;
} Pair;

static IrScalar stmt_scalar(GenFunc *f, const IrStmt *s) {
    return (IrScalar)ir_reg_type(f->ir, s->dsts[0]).scalar;
}

static bool is_signed(IrScalar scalar) {
    return ir_scalar_is_signed(scalar);
}

LLVMValueRef jr_gen_fast(GenFunc *f, LLVMValueRef value) {
    if (f->fast && LLVMCanValueUseFastMathFlags(value))
        LLVMSetFastMathFlags(value, LLVMFastMathAll);
    return value;
}

static LLVMValueRef zero_like(LLVMValueRef value) {
    return LLVMConstNull(LLVMTypeOf(value));
}

static LLVMValueRef is_negative(Gen *g, LLVMValueRef value) {
    return LLVMBuildICmp(g->b, LLVMIntSLT, value, zero_like(value), "");
}

/* ---- Division ---- */

/* The power of two that a constant divisor is, or -1. */
static int const_log2(LLVMValueRef b) {
    if (!LLVMIsAConstantInt(b)) return -1;
    unsigned long long v = LLVMConstIntGetZExtValue(b);
    unsigned width = LLVMGetIntTypeWidth(LLVMTypeOf(b));
    if (v == 0 || (v & (v - 1)) || v == 1ull << (width - 1)) return -1;
    return __builtin_ctzll(v);
}

/* -1 gives 1: the one divisor for which the machine's division may overflow. */
static LLVMValueRef safe_divisor(Gen *g, LLVMValueRef b, LLVMValueRef *minus_one) {
    *minus_one = LLVMBuildICmp(g->b, LLVMIntEQ, b, LLVMConstAllOnes(LLVMTypeOf(b)), "");
    return LLVMBuildSelect(g->b, *minus_one, LLVMConstInt(LLVMTypeOf(b), 1, 0), b, "");
}

/* Whether truncated division left a remainder of the wrong sign for Python. */
static LLVMValueRef wrong_sign(Gen *g, LLVMValueRef r, LLVMValueRef b) {
    LLVMValueRef some = LLVMBuildICmp(g->b, LLVMIntNE, r, zero_like(r), "");
    LLVMValueRef differ = is_negative(g, LLVMBuildXor(g->b, r, b, ""));
    return LLVMBuildAnd(g->b, some, differ, "");
}

static LLVMValueRef floordiv_signed(Gen *g, Pair p) {
    int shift = const_log2(p.b);
    if (shift >= 0)
        return LLVMBuildAShr(g->b, p.a, LLVMConstInt(LLVMTypeOf(p.a), (unsigned)shift, 0), "");
    LLVMValueRef minus_one, b = safe_divisor(g, p.b, &minus_one);
    LLVMValueRef q = LLVMBuildSDiv(g->b, p.a, b, ""), r = LLVMBuildSRem(g->b, p.a, b, "");
    LLVMValueRef less = LLVMBuildZExt(g->b, wrong_sign(g, r, b), LLVMTypeOf(q), "");
    q = LLVMBuildSub(g->b, q, less, "");
    return LLVMBuildSelect(g->b, minus_one, LLVMBuildNeg(g->b, p.a, ""), q, "");
}

static LLVMValueRef mod_signed(Gen *g, Pair p) {
    if (const_log2(p.b) >= 0) {
        LLVMValueRef mask =
            LLVMConstInt(LLVMTypeOf(p.b), LLVMConstIntGetZExtValue(p.b) - 1, 0);
        return LLVMBuildAnd(g->b, p.a, mask, "");
    }
    LLVMValueRef minus_one, b = safe_divisor(g, p.b, &minus_one);
    LLVMValueRef r = LLVMBuildSRem(g->b, p.a, b, "");
    LLVMValueRef add = LLVMBuildSelect(g->b, wrong_sign(g, r, b), b, zero_like(b), "");
    return LLVMBuildAdd(g->b, r, add, "");
}

static LLVMValueRef unsigned_division(Gen *g, Pair p, bool is_mod) {
    return is_mod ? LLVMBuildURem(g->b, p.a, p.b, "") : LLVMBuildUDiv(g->b, p.a, p.b, "");
}

static LLVMValueRef signed_division(Gen *g, Pair p, bool is_mod) {
    return is_mod ? mod_signed(g, p) : floordiv_signed(g, p);
}

/* Division by a constant of up to 32 bits has a vector form, which a branch would keep it from; powers of two
 * need no correction. */
static bool has_branch(LLVMValueRef b) {
    if (!LLVMIsAConstantInt(b)) return true;
    return LLVMGetIntTypeWidth(LLVMTypeOf(b)) == 64 && LLVMConstIntGetSExtValue(b) > 0 &&
           const_log2(b) < 0;
}

/* A product is likely to be large, as in modular arithmetic. */
static bool is_product(const GenFunc *f, const IrStmt *s) {
    const IrRegInfo *info = ir_reg(f->ir, s->args[0]);
    return info->kind == REG_TEMP && info->def->op == OP_MUL;
}

/* Two numbers that are not negative, as most are, have a quotient and a remainder that need no
 * correction, which is four instructions that wait for the division. */
static LLVMValueRef usual_division(GenFunc *f, Pair p, bool is_mod) {
    Gen *g = f->g;
    LLVMValueRef either = LLVMBuildOr(g->b, p.a, p.b, "");
    LLVMValueRef ok = LLVMBuildNot(g->b, is_negative(g, either), "");
    LLVMBasicBlockRef plain = jr_gen_unless(f, ok, "negative"), join = jr_gen_label(f, "");
    LLVMBasicBlockRef cold = LLVMGetInsertBlock(g->b);
    LLVMValueRef values[] = {signed_division(g, p, is_mod), NULL};
    LLVMBuildBr(g->b, join);
    jr_gen_start(f, plain);
    values[1] = unsigned_division(g, p, is_mod);
    LLVMBasicBlockRef from[] = {cold, plain};
    LLVMBuildBr(g->b, join);
    jr_gen_start(f, join);
    LLVMValueRef value = LLVMBuildPhi(g->b, LLVMTypeOf(p.a), "");
    LLVMAddIncoming(value, values, from, 2);
    return value;
}

static LLVMValueRef int_division(GenFunc *f, const IrStmt *s, Pair p, bool is_mod) {
    Gen *g = f->g;
    LLVMValueRef ok = LLVMBuildICmp(g->b, LLVMIntNE, p.b, zero_like(p.b), "");
    jr_gen_trap_unless(f, ok, TRAP_DIV_ZERO, s->span);
    if (LLVMIsAConstantInt(p.b) && LLVMIsNull(p.b)) return zero_like(p.a); /* never reached */
    if (!is_signed(stmt_scalar(f, s))) return unsigned_division(g, p, is_mod);
    g->needs.long_division |= LLVMTypeOf(p.a) == g->i64 && is_product(f, s);
    return has_branch(p.b) ? usual_division(f, p, is_mod) : signed_division(g, p, is_mod);
}

static LLVMValueRef float_helper(GenFunc *f, const IrStmt *s, Pair p, const char *wide,
                                 const char *narrow) {
    LLVMValueRef args[] = {p.a, p.b};
    return jr_gen_helper(f->g, stmt_scalar(f, s) == TY_FLOAT64 ? wide : narrow, 2, args);
}

static LLVMValueRef gen_floordiv(GenFunc *f, const IrStmt *s, Pair p) {
    if (!ir_scalar_is_float(stmt_scalar(f, s))) return int_division(f, s, p, false);
    return float_helper(f, s, p, "jr_rt_ffloordiv", "jr_rt_ffloordivf");
}

static LLVMValueRef gen_mod(GenFunc *f, const IrStmt *s, Pair p) {
    if (!ir_scalar_is_float(stmt_scalar(f, s))) return int_division(f, s, p, true);
    return float_helper(f, s, p, "jr_rt_fmod", "jr_rt_fmodf");
}

/* ---- Powers and shifts ---- */

enum { POW_INLINE = 64 }; /* the largest constant exponent that is multiplied out */

static LLVMValueRef small_power(Gen *g, LLVMValueRef base, uint64_t n) {
    LLVMValueRef result = LLVMConstInt(LLVMTypeOf(base), 1, 0);
    for (; n; n >>= 1) {
        if (n & 1) result = LLVMBuildMul(g->b, result, base, "");
        if (n > 1) base = LLVMBuildMul(g->b, base, base, "");
    }
    return result;
}

static LLVMValueRef int_power(GenFunc *f, const IrStmt *s, Pair p) {
    Gen *g = f->g;
    IrScalar scalar = stmt_scalar(f, s);
    if (is_signed(scalar)) {
        LLVMValueRef ok = LLVMBuildNot(g->b, is_negative(g, p.b), "");
        jr_gen_trap_unless(f, ok, TRAP_NEGATIVE_POWER, s->span);
    }
    if (LLVMIsAConstantInt(p.b) && LLVMConstIntGetZExtValue(p.b) <= POW_INLINE)
        return small_power(g, p.a, LLVMConstIntGetZExtValue(p.b));
    LLVMValueRef args[] = {LLVMBuildIntCast2(g->b, p.a, g->i64, is_signed(scalar), ""),
                           LLVMBuildIntCast2(g->b, p.b, g->i64, is_signed(scalar), "")};
    LLVMValueRef wide = jr_gen_helper(g, "jr_rt_ipow", 2, args);
    return LLVMBuildTruncOrBitCast(g->b, wide, g->scalar[scalar], "");
}

static LLVMValueRef gen_pow(GenFunc *f, const IrStmt *s, Pair p) {
    IrScalar scalar = stmt_scalar(f, s);
    if (!ir_scalar_is_float(scalar)) return int_power(f, s, p);
    LLVMValueRef args[] = {p.a, p.b};
    LLVMTypeRef type = f->g->scalar[scalar];
    if (f->fast) return jr_gen_fast(f, jr_gen_intrinsic(f->g, "llvm.pow", 1, &type, 2, args));
    return jr_gen_libm(f->g, ir_math_symbol(MATH_POW, scalar), type, 2, args, true);
}

/* The count's check, then whether it is below the width. */
static LLVMValueRef count_fits(GenFunc *f, const IrStmt *s, LLVMValueRef count) {
    Gen *g = f->g;
    if (is_signed(stmt_scalar(f, s))) {
        LLVMValueRef ok = LLVMBuildNot(g->b, is_negative(g, count), "");
        jr_gen_trap_unless(f, ok, TRAP_NEGATIVE_SHIFT, s->span);
    }
    LLVMTypeRef type = LLVMTypeOf(count);
    LLVMValueRef width = LLVMConstInt(type, LLVMGetIntTypeWidth(type), 0);
    return LLVMBuildICmp(g->b, LLVMIntULT, count, width, "");
}

static LLVMValueRef gen_shl(GenFunc *f, const IrStmt *s, Pair p) {
    LLVMBuilderRef b = f->g->b;
    LLVMValueRef fits = count_fits(f, s, p.b), zero = zero_like(p.a);
    LLVMValueRef count = LLVMBuildSelect(b, fits, p.b, zero, "");
    return LLVMBuildSelect(b, fits, LLVMBuildShl(b, p.a, count, ""), zero, "");
}

static LLVMValueRef gen_shr(GenFunc *f, const IrStmt *s, Pair p) {
    LLVMBuilderRef b = f->g->b;
    LLVMTypeRef type = LLVMTypeOf(p.a);
    LLVMValueRef fits = count_fits(f, s, p.b), zero = zero_like(p.a);
    LLVMValueRef most = LLVMConstInt(type, LLVMGetIntTypeWidth(type) - 1, 0);
    if (is_signed(stmt_scalar(f, s)))
        return LLVMBuildAShr(b, p.a, LLVMBuildSelect(b, fits, p.b, most, ""), "");
    LLVMValueRef count = LLVMBuildSelect(b, fits, p.b, zero, "");
    return LLVMBuildSelect(b, fits, LLVMBuildLShr(b, p.a, count, ""), zero, "");
}

/* ---- Plain operators ---- */

/* The LLVM opcodes of what both have: X(op, integers, floats). */
#define PLAIN_OPS(X)           \
    X(ADD, LLVMAdd, LLVMFAdd)  \
    X(SUB, LLVMSub, LLVMFSub)  \
    X(MUL, LLVMMul, LLVMFMul)  \
    X(DIV, LLVMUDiv, LLVMFDiv) \
    X(AND, LLVMAnd, LLVMAnd)   \
    X(OR, LLVMOr, LLVMOr)      \
    X(XOR, LLVMXor, LLVMXor)

static LLVMOpcode plain_opcode(IrOp op, bool is_float) {
    switch (op) {
#define X(ID, ints, floats) \
    case OP_##ID: return is_float ? floats : ints;
        PLAIN_OPS(X)
#undef X
    default: return LLVMAdd;
    }
}

/* X(op, signed, unsigned, floats) */
#define COMPARISONS(X)                         \
    X(EQ, LLVMIntEQ, LLVMIntEQ, LLVMRealOEQ)   \
    X(NE, LLVMIntNE, LLVMIntNE, LLVMRealUNE)   \
    X(LT, LLVMIntSLT, LLVMIntULT, LLVMRealOLT) \
    X(LE, LLVMIntSLE, LLVMIntULE, LLVMRealOLE) \
    X(GT, LLVMIntSGT, LLVMIntUGT, LLVMRealOGT) \
    X(GE, LLVMIntSGE, LLVMIntUGE, LLVMRealOGE)

static LLVMValueRef compare(GenFunc *f, IrOp op, IrScalar scalar, LLVMValueRef a,
                            LLVMValueRef b) {
    LLVMBuilderRef builder = f->g->b;
    switch (op) {
#define X(ID, ints, uints, floats)                                           \
    case OP_##ID:                                                            \
        if (ir_scalar_is_float(scalar))                                      \
            return jr_gen_fast(f, LLVMBuildFCmp(builder, floats, a, b, "")); \
        return LLVMBuildICmp(builder, is_signed(scalar) ? ints : uints, a, b, "");
        COMPARISONS(X)
#undef X
    default: return NULL;
    }
}

void jr_gen_compare(GenFunc *f, const IrStmt *s) {
    const GenProof *proof = jr_gen_proof(f, s);
    if (proof) {
        jr_gen_set(f, s->dsts[0], LLVMConstInt(f->g->i1, proof->truth, 0));
        return;
    }
    IrScalar scalar = (IrScalar)ir_reg_type(f->ir, s->args[0]).scalar;
    LLVMValueRef a = jr_gen_value(f, s->args[0]), b = jr_gen_value(f, s->args[1]);
    jr_gen_set(f, s->dsts[0], compare(f, (IrOp)s->op, scalar, a, b));
}

static LLVMValueRef gen_min_max(GenFunc *f, const IrStmt *s, Pair p) {
    IrOp op = s->op == OP_MIN ? OP_LT : OP_GT;
    LLVMValueRef take_b = compare(f, op, stmt_scalar(f, s), p.b, p.a);
    return jr_gen_fast(f, LLVMBuildSelect(f->g->b, take_b, p.b, p.a, ""));
}

static LLVMValueRef binary(GenFunc *f, const IrStmt *s, Pair p) {
    switch (s->op) {
    case OP_FLOORDIV: return gen_floordiv(f, s, p);
    case OP_MOD: return gen_mod(f, s, p);
    case OP_POW: return gen_pow(f, s, p);
    case OP_MIN:
    case OP_MAX: return gen_min_max(f, s, p);
    case OP_SHL: return gen_shl(f, s, p);
    case OP_SHR: return gen_shr(f, s, p);
    default: break;
    }
    LLVMOpcode opcode = plain_opcode((IrOp)s->op, ir_scalar_is_float(stmt_scalar(f, s)));
    return jr_gen_fast(f, LLVMBuildBinOp(f->g->b, opcode, p.a, p.b, ""));
}

void jr_gen_binary(GenFunc *f, const IrStmt *s) {
    Pair p = {jr_gen_value(f, s->args[0]), jr_gen_value(f, s->args[1])};
    const GenProof *proof = jr_gen_proof(f, s);
    LLVMValueRef known = proof && proof->dividend ? p.a : proof ? proof->value : NULL;
    jr_gen_set(f, s->dsts[0], known ? known : binary(f, s, p));
}

LLVMValueRef jr_gen_int_op(GenFunc *f, const IrStmt *s, LLVMValueRef a, LLVMValueRef b) {
    bool is_mod = s->op == OP_MOD;
    if (is_mod || s->op == OP_FLOORDIV) return signed_division(f->g, (Pair){a, b}, is_mod);
    return binary(f, s, (Pair){a, b});
}

static LLVMValueRef gen_abs(GenFunc *f, IrScalar scalar, LLVMValueRef a) {
    LLVMTypeRef type = LLVMTypeOf(a);
    if (ir_scalar_is_float(scalar))
        return jr_gen_fast(f, jr_gen_intrinsic(f->g, "llvm.fabs", 1, &type, 1, &a));
    if (!is_signed(scalar)) return a;
    LLVMValueRef args[] = {a, LLVMConstInt(f->g->i1, 0, 0)};
    return jr_gen_intrinsic(f->g, "llvm.abs", 1, &type, 2, args);
}

static LLVMValueRef gen_neg(GenFunc *f, IrScalar scalar, LLVMValueRef a) {
    if (ir_scalar_is_float(scalar)) return jr_gen_fast(f, LLVMBuildFNeg(f->g->b, a, ""));
    return LLVMBuildNeg(f->g->b, a, "");
}

void jr_gen_unary(GenFunc *f, const IrStmt *s) {
    IrScalar scalar = stmt_scalar(f, s);
    LLVMValueRef a = jr_gen_value(f, s->args[0]), result;
    switch (s->op) {
    case OP_NEG: result = gen_neg(f, scalar, a); break;
    case OP_ABS: result = gen_abs(f, scalar, a); break;
    default: result = LLVMBuildNot(f->g->b, a, ""); break; /* INV, NOT */
    }
    jr_gen_set(f, s->dsts[0], result);
}

/* ---- Functions ---- */

static const char *const exact_intrinsics[MATH_COUNT] = {
    [MATH_SQRT] = "llvm.sqrt", [MATH_FLOOR] = "llvm.floor",
    [MATH_CEIL] = "llvm.ceil", [MATH_TRUNC] = "llvm.trunc",
    [MATH_RINT] = "llvm.rint", [MATH_COPYSIGN] = "llvm.copysign",
    [MATH_FMA] = "llvm.fma",
};

void jr_gen_math(GenFunc *f, const IrStmt *s) {
    IrScalar scalar = stmt_scalar(f, s);
    LLVMTypeRef type = f->g->scalar[scalar];
    LLVMValueRef args[3], result;
    for (uint32_t i = 0; i < s->nargs; i++)
        args[i] = jr_gen_value(f, s->args[i]);
    const char *name = exact_intrinsics[s->u.math];
    if (name)
        result = jr_gen_intrinsic(f->g, name, 1, &type, s->nargs, args);
    else
        result = jr_gen_libm(f->g, ir_math_symbol(s->u.math, scalar), type, s->nargs, args,
                             !f->fast);
    jr_gen_set(f, s->dsts[0], jr_gen_fast(f, result));
}

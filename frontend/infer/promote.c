/* Promotion: NumPy 2's rules (NEP 50), with Python's for bools and an error in place of the
 * float64 that NumPy makes of signed and unsigned 64-bit integers.
 *
 * A weak type gives way to any other of its class or above: weak int to every int and float,
 * weak float to every float. Against something lower it takes its default: True + 1 is int64,
 * int8 * 0.5 is float64. */
#include "frontend/infer/types.h"

static bool is_weak(const FeType *type) {
    return type->kind == FE_WEAK_INT || type->kind == FE_WEAK_FLOAT;
}

static IrScalar promote_ints(IrScalar a, IrScalar b) {
    if (ir_scalar_is_signed(a) == ir_scalar_is_signed(b))
        return ir_scalar_size(a) >= ir_scalar_size(b) ? a : b;
    IrScalar s = ir_scalar_is_signed(a) ? a : b, u = s == a ? b : a;
    if (ir_scalar_size(s) > ir_scalar_size(u)) return s;
    switch (u) {
    case TY_UINT8: return TY_INT16;
    case TY_UINT16: return TY_INT32;
    case TY_UINT32: return TY_INT64;
    default: return TY_NONE;
    }
}

static IrScalar promote_scalars(IrScalar a, IrScalar b) {
    if (a == b || b == TY_BOOL) return a;
    if (a == TY_BOOL) return b;
    if (!ir_scalar_is_float(a) && !ir_scalar_is_float(b)) return promote_ints(a, b);
    if (a == TY_FLOAT64 || b == TY_FLOAT64) return TY_FLOAT64;
    IrScalar other = ir_scalar_is_float(a) ? b : a;
    return ir_scalar_is_float(other) || ir_scalar_size(other) <= 2 ? TY_FLOAT32 : TY_FLOAT64;
}

static IrScalar promote_weak(FeKind weak, IrScalar other) {
    if (weak == FE_WEAK_INT) return other == TY_BOOL ? TY_INT64 : other;
    return ir_scalar_is_float(other) ? other : TY_FLOAT64;
}

const FeType *fe_promote(FeTypes *types, const FeType *a, const FeType *b) {
    if (a == b && (a->kind == FE_SCALAR || is_weak(a))) return a;
    if (is_weak(a) && is_weak(b)) return types->weak_float;
    IrScalar scalar = TY_NONE;
    if (a->kind == FE_SCALAR && b->kind == FE_SCALAR)
        scalar = promote_scalars(a->ir.scalar, b->ir.scalar);
    else if (is_weak(a) && b->kind == FE_SCALAR)
        scalar = promote_weak(a->kind, b->ir.scalar);
    else if (is_weak(b) && a->kind == FE_SCALAR)
        scalar = promote_weak(b->kind, a->ir.scalar);
    return scalar == TY_NONE ? NULL : types->scalars[scalar];
}

static bool is_bitwise(AstOp op) {
    return op >= AST_AND && op <= AST_SHR;
}
static bool is_comparison(AstOp op) {
    return op >= AST_EQ && op <= AST_GE;
}

static bool unary_operation(AstOp op, IrScalar a, FeOperation *out) {
    if (op == AST_INVERT) {
        *out = (FeOperation){a, a};
        return !ir_scalar_is_float(a);
    }
    IrScalar to = a == TY_BOOL ? TY_INT64 : a;
    *out = (FeOperation){to, to};
    return true;
}

/* The type two operands of `op` are cast to, and what comes out. */
static bool binary_operation(AstOp op, IrScalar common, FeOperation *out) {
    if (is_comparison(op)) {
        *out = (FeOperation){common, TY_BOOL};
        return true;
    }
    if (is_bitwise(op) && ir_scalar_is_float(common)) return false;
    if (op == AST_DIV && !ir_scalar_is_float(common)) common = TY_FLOAT64;
    bool keeps_bool = op == AST_AND || op == AST_OR || op == AST_XOR;
    if (common == TY_BOOL && !keeps_bool) common = TY_INT64;
    *out = (FeOperation){common, common};
    return op <= AST_SHR && op != AST_MATMUL;
}

bool fe_operation(FeTypes *types, AstOp op, const FeType *a, const FeType *b,
                  FeOperation *out) {
    if (!b || (is_weak(a) && is_weak(b))) a = fe_type_strong(types, a);
    if (!b) return a->kind == FE_SCALAR && unary_operation(op, a->ir.scalar, out);
    const FeType *common = fe_promote(types, a, b);
    return common && common->kind == FE_SCALAR && binary_operation(op, common->ir.scalar, out);
}

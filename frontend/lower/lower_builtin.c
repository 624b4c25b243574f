/* Builtins of scalars: conversions, math, and the NumPy functions that act on one number. */
#include "frontend/lower/lower.h"

#include <math.h>

static IrScalar target_of(const Call *call) {
    const FeType *target = call->node->target ? call->node->target : call->node->type;
    return (IrScalar)target->ir.scalar;
}

static IrReg binary(Lower *low, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&low->b, op, ir_reg_type(low->func, a), a, b);
}

static IrReg unary(Lower *low, IrOp op, IrReg a) {
    return ir_build_unary(&low->b, op, ir_reg_type(low->func, a), a);
}

static IrReg compare(Lower *low, IrOp op, IrReg a, IrReg b) {
    return ir_build_compare(&low->b, op, a, b);
}

static IrReg math1(Lower *low, IrMath math, IrReg a) {
    return ir_build_math(&low->b, math, ir_reg_type(low->func, a), 1, &a);
}

static IrReg number(Lower *low, IrReg like, double value) {
    return ir_const_float(low->func, (IrScalar)ir_reg_type(low->func, like).scalar, value);
}

static bool is_float(Lower *low, IrReg reg) {
    return ir_scalar_is_float((IrScalar)ir_reg_type(low->func, reg).scalar);
}

static bool is_signed(Lower *low, IrReg reg) {
    return is_float(low, reg) ||
           ir_scalar_is_signed((IrScalar)ir_reg_type(low->func, reg).scalar);
}

/* ---- Kinds that one rule serves ---- */

static IrReg lower_math(Lower *low, const Call *call) {
    IrReg args[3];
    uint32_t n = call->node->nargs < 3 ? call->node->nargs : 3;
    for (uint32_t i = 0; i < n; i++)
        args[i] = fe_call_scalar(low, call, i, target_of(call));
    return ir_build_math(&low->b, (IrMath)call->node->builtin->detail,
                         ir_scalar(target_of(call)), n, args);
}

static IrReg lower_test(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    switch (call->node->builtin->id) {
    case BI_MATH_ISNAN:
    case BI_NP_ISNAN: return compare(low, OP_NE, x, x);
    case BI_MATH_ISINF:
    case BI_NP_ISINF:
        return compare(low, OP_EQ, unary(low, OP_ABS, x), number(low, x, INFINITY));
    case BI_NP_SIGNBIT: {
        IrReg args[] = {number(low, x, 1), x};
        IrReg sign = ir_build_math(&low->b, MATH_COPYSIGN, ir_reg_type(low->func, x), 2, args);
        return compare(low, OP_LT, sign, number(low, x, 0));
    }
    default: return compare(low, OP_LT, unary(low, OP_ABS, x), number(low, x, INFINITY));
    }
}

static IrReg lower_logical(Lower *low, const Call *call) {
    IrReg a = fe_truth_reg(low, fe_call_value(low, call, 0));
    IrReg b = fe_truth_reg(low, fe_call_value(low, call, 1));
    AstOp op = (AstOp)call->node->builtin->detail;
    return binary(low, op == AST_AND ? OP_AND : op == AST_OR ? OP_OR : OP_XOR, a, b);
}

static Value lower_operator(Lower *low, const Call *call) {
    AstOp op = (AstOp)call->node->builtin->detail;
    const FeOperation *operation = &call->node->operations[0];
    Value a = fe_call_value(low, call, 0), b = fe_call_value(low, call, 1);
    if (op >= AST_EQ && op <= AST_GE) return fe_lower_compare_pair(low, op, a, b, operation);
    return fe_lower_arith(low, op, a, b, operation);
}

static IrReg lower_unary_operator(Lower *low, const Call *call) {
    AstOp op = (AstOp)call->node->builtin->detail;
    Value a = fe_call_value(low, call, 0);
    if (op == AST_NOT) return fe_invert(low, fe_truth_reg(low, a));
    return fe_lower_unary_op(low, op, a, &call->node->operations[0]);
}

/* ---- min, max and their like ---- */

/* Of bools, False is the smaller. */
static IrReg extreme(Lower *low, IrOp op, IrReg a, IrReg b) {
    bool truth = ir_reg_type(low->func, a).scalar == TY_BOOL;
    return binary(low, !truth ? op : op == OP_MIN ? OP_AND : OP_OR, a, b);
}

IrReg fe_pick(Lower *low, IrOp op, bool keep_nan, IrReg a, IrReg b) {
    if (!is_float(low, a)) return extreme(low, op == OP_LT ? OP_MIN : OP_MAX, a, b);
    IrReg other = keep_nan ? a : b;
    IrOp prefers = keep_nan ? op : op == OP_LT ? OP_LE : OP_GE;
    IrReg first = compare(low, prefers, a, b), nan = compare(low, OP_NE, other, other);
    return ir_build_select(&low->b, binary(low, OP_OR, first, nan), a, b);
}

/* Python's: the first of equals, NaN as the comparisons have it. */
static IrReg lower_extreme(Lower *low, const Call *call, IrOp op) {
    IrReg best = fe_call_scalar(low, call, 0, target_of(call));
    for (uint32_t i = 1; i < call->node->nargs; i++)
        best = extreme(low, op, best, fe_call_scalar(low, call, i, target_of(call)));
    return best;
}

static IrReg lower_pick(Lower *low, const Call *call, IrOp op, bool keep_nan) {
    IrReg a = fe_call_scalar(low, call, 0, target_of(call));
    return fe_pick(low, op, keep_nan, a, fe_call_scalar(low, call, 1, target_of(call)));
}

static bool is_given(Lower *low, const Call *call, uint32_t i) {
    if (!fe_call_has(call, i)) return false;
    const AstExpr *arg = fe_call_arg(call, i);
    return !arg || fe_type_of(low, arg)->kind != FE_NONE;
}

static IrReg lower_clip(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    IrReg least =
        is_given(low, call, 1) ? fe_call_scalar(low, call, 1, target_of(call)) : IR_NO_REG;
    IrReg most =
        is_given(low, call, 2) ? fe_call_scalar(low, call, 2, target_of(call)) : IR_NO_REG;
    if (least != IR_NO_REG) x = fe_pick(low, OP_GT, true, x, least);
    return most != IR_NO_REG ? fe_pick(low, OP_LT, true, x, most) : x;
}

/* ---- Rounding ---- */

static IrReg round_to_int(Lower *low, const Call *call, IrMath math) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    if (is_float(low, x)) x = math1(low, math, x);
    return ir_build_cast(&low->b, TY_INT64, x);
}

static IrReg round_digits(Lower *low, const Call *call, IrRtCall rt) {
    IrReg args[] = {fe_call_scalar(low, call, 0, target_of(call)), IR_NO_REG};
    args[0] = ir_build_cast(&low->b, TY_FLOAT64, args[0]);
    args[1] = fe_index_reg(low, fe_call_value(low, call, 1));
    return ir_build_cast(&low->b, target_of(call), fe_build_rt(low, rt, 2, args).reg);
}

static IrReg lower_round(Lower *low, const Call *call) {
    if (!is_given(low, call, 1)) return round_to_int(low, call, MATH_RINT);
    return round_digits(low, call, RT_ROUND_DIGITS);
}

static IrReg lower_np_round(Lower *low, const Call *call) {
    if (!ir_scalar_is_float(target_of(call)))
        return fe_call_scalar(low, call, 0, target_of(call));
    Value digits = is_given(low, call, 1) ? fe_call_value(low, call, 1) : fe_value_int(low, 0);
    int64_t known;
    if (fe_known_int(low, fe_index_reg(low, digits), &known) && known == 0)
        return math1(low, MATH_RINT, fe_call_scalar(low, call, 0, target_of(call)));
    return round_digits(low, call, RT_NP_ROUND_DIGITS);
}

/* ---- Numbers ---- */

static IrReg lower_abs(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    return is_signed(low, x) ? unary(low, OP_ABS, x) : x;
}

/* -1, 0 or 1; a NaN is returned as it is. */
static IrReg lower_sign(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call)), zero = number(low, x, 0);
    IrReg above = compare(low, OP_GT, x, zero);
    IrReg sign = is_float(low, x)
                     ? ir_build_select(&low->b, compare(low, OP_EQ, x, zero), zero, x)
                     : zero;
    if (is_signed(low, x))
        sign =
            ir_build_select(&low->b, compare(low, OP_LT, x, zero), number(low, x, -1), sign);
    return ir_build_select(&low->b, above, number(low, x, 1), sign);
}

static IrReg lower_scaled(Lower *low, const Call *call, double factor, float factor32) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    double by = target_of(call) == TY_FLOAT32 ? (double)factor32 : factor;
    return binary(low, OP_MUL, x, number(low, x, by));
}

static IrReg lower_log(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    if (!is_given(low, call, 1)) return math1(low, MATH_LOG, x);
    IrReg base = fe_call_scalar(low, call, 1, target_of(call));
    IrReg top = math1(low, MATH_LOG, x);
    return binary(low, OP_DIV, top, math1(low, MATH_LOG, base));
}

/* (fraction, whole part), both with the sign of x; the fraction of an infinity is a zero. */
static Value lower_modf(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, TY_FLOAT64);
    IrReg whole = math1(low, MATH_TRUNC, x);
    IrReg infinite = compare(low, OP_EQ, unary(low, OP_ABS, x), number(low, x, INFINITY));
    IrReg rest = binary(low, OP_SUB, x, whole);
    IrReg args[] = {ir_build_select(&low->b, infinite, number(low, x, 0), rest), x};
    IrReg fraction = ir_build_math(&low->b, MATH_COPYSIGN, ir_scalar(TY_FLOAT64), 2, args);
    return fe_value_tuple(low, 2,
                          (Value[]){fe_value_ir(low, fraction), fe_value_ir(low, whole)});
}

static Value lower_divmod(Lower *low, const Call *call) {
    Value a = fe_call_value(low, call, 0), b = fe_call_value(low, call, 1);
    IrScalar scalar = target_of(call);
    if (call->node->type->kind == FE_TUPLE) scalar = call->node->type->items[0]->ir.scalar;
    FeOperation operation = {scalar, scalar};
    a = fe_value_ir(low, fe_scalar_as(low, a, scalar));
    b = fe_value_ir(low, fe_scalar_as(low, b, scalar));
    Value quotient = fe_lower_arith(low, AST_FLOORDIV, a, b, &operation);
    Value rest = fe_lower_arith(low, AST_MOD, a, b, &operation);
    return fe_value_tuple(low, 2, (Value[]){quotient, rest});
}

/* Euclid's: while b: a, b = b, a % b. */
static IrReg build_gcd(Lower *low, IrReg x, IrReg y) {
    IrType type = ir_reg_type(low->func, x);
    bool negative = is_signed(low, x);
    IrReg a = ir_var(low->func, type, NULL), b = ir_var(low->func, type, NULL);
    ir_build_copy(&low->b, a, negative ? unary(low, OP_ABS, x) : x);
    ir_build_copy(&low->b, b, negative ? unary(low, OP_ABS, y) : y);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    IrStmt *done = ir_build_if(&low->b, compare(low, OP_EQ, b, number(low, b, 0)));
    fe_block_swap(low, &done->u.blocks.then);
    ir_build_break(&low->b);
    fe_block_swap(low, &loop->u.blocks.then);
    IrReg rest = binary(low, OP_MOD, a, b);
    ir_build_copy(&low->b, a, b);
    ir_build_copy(&low->b, b, rest);
    fe_block_swap(low, outer);
    return negative ? unary(low, OP_ABS, a) : a;
}

static IrReg lower_gcd(Lower *low, const Call *call, bool multiple) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    IrReg y = fe_call_scalar(low, call, 1, target_of(call));
    IrReg gcd = build_gcd(low, x, y);
    if (!multiple) return gcd;
    /* |x / gcd * y|; where the gcd is 0 so is x, and any other divisor does. */
    IrReg none = compare(low, OP_EQ, gcd, number(low, gcd, 0));
    IrReg divisor = ir_build_select(&low->b, none, number(low, gcd, 1), gcd);
    IrReg product = binary(low, OP_MUL, binary(low, OP_FLOORDIV, x, divisor), y);
    return is_signed(low, product) ? unary(low, OP_ABS, product) : product;
}

static IrReg lower_where(Lower *low, const Call *call) {
    IrReg cond = fe_truth_reg(low, fe_call_value(low, call, 0));
    IrReg a = fe_call_scalar(low, call, 1, target_of(call));
    return ir_build_select(&low->b, cond, a, fe_call_scalar(low, call, 2, target_of(call)));
}

static IrReg lower_square(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    return binary(low, OP_MUL, x, x);
}

static IrReg lower_reciprocal(Lower *low, const Call *call) {
    IrReg x = fe_call_scalar(low, call, 0, target_of(call));
    return binary(low, OP_DIV, number(low, x, 1), x);
}

static IrReg lower_len(Lower *low, const Call *call) {
    Value value = fe_call_value(low, call, 0);
    if (value.type->kind == FE_TUPLE) return fe_int_const(low, value.type->count);
    return ir_build_dim(&low->b, value.reg, 0);
}

static IrReg lower_scalar_case(Lower *low, const Call *call) {
    static const double PI = 3.141592653589793;
    switch (call->node->builtin->id) {
    case BI_LEN: return lower_len(low, call);
    case BI_ABS:
    case BI_NP_ABS:
    case BI_NP_ABSOLUTE:
    case BI_MATH_FABS:
    case BI_NP_FABS: return lower_abs(low, call);
    case BI_MIN: return lower_extreme(low, call, OP_MIN);
    case BI_MAX: return lower_extreme(low, call, OP_MAX);
    case BI_NP_MINIMUM: return lower_pick(low, call, OP_LT, true);
    case BI_NP_MAXIMUM: return lower_pick(low, call, OP_GT, true);
    case BI_NP_FMIN: return lower_pick(low, call, OP_LT, false);
    case BI_NP_FMAX: return lower_pick(low, call, OP_GT, false);
    case BI_NP_CLIP: return lower_clip(low, call);
    case BI_ROUND: return lower_round(low, call);
    case BI_NP_ROUND:
    case BI_NP_AROUND: return lower_np_round(low, call);
    case BI_MATH_FLOOR:
    case BI_MATH_CEIL:
    case BI_MATH_TRUNC: return round_to_int(low, call, (IrMath)call->node->builtin->detail);
    case BI_MATH_LOG: return lower_log(low, call);
    case BI_NP_SIGN: return lower_sign(low, call);
    case BI_NP_SQUARE: return lower_square(low, call);
    case BI_NP_RECIPROCAL: return lower_reciprocal(low, call);
    case BI_NP_WHERE: return lower_where(low, call);
    case BI_MATH_GCD:
    case BI_NP_GCD: return lower_gcd(low, call, false);
    case BI_MATH_LCM:
    case BI_NP_LCM: return lower_gcd(low, call, true);
    case BI_MATH_DEGREES:
    case BI_NP_RAD2DEG:
    case BI_NP_DEGREES: return lower_scaled(low, call, 180.0 / PI, 180.0f / (float)PI);
    case BI_MATH_RADIANS:
    case BI_NP_DEG2RAD:
    case BI_NP_RADIANS: return lower_scaled(low, call, PI / 180.0, (float)PI / 180.0f);
    default: return IR_NO_REG;
    }
}

Value fe_lower_scalar_builtin(Lower *low, const Call *call) {
    const FeBuiltin *builtin = call->node->builtin;
    if (builtin->id == BI_DIVMOD) return lower_divmod(low, call);
    if (builtin->id == BI_MATH_MODF) return lower_modf(low, call);
    switch (builtin->kind) {
    case BK_CAST:
        return fe_value_ir(low, fe_call_scalar(low, call, 0, call->node->type->ir.scalar));
    case BK_MATH: return fe_value_ir(low, lower_math(low, call));
    case BK_TEST: return fe_value_ir(low, lower_test(low, call));
    case BK_LOGICAL: return fe_value_ir(low, lower_logical(low, call));
    case BK_BINARY: return lower_operator(low, call);
    case BK_UNARY: return fe_value_ir(low, lower_unary_operator(low, call));
    case BK_SCALAR: return fe_value_ir(low, lower_scalar_case(low, call));
    default: return fe_value_none(low);
    }
}

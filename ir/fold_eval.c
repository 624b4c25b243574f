/* Operations on constants, with the meaning that ir/numeric.h gives them. Integers compute in
 * 64 bits, sign- or zero-extended: wrapping the result to its width afterwards gives what the
 * narrow operation gives. Functions of math.def are folded by calling the very symbol that
 * compiled code would call, so that the bits are the same. */
#include "ir/fold.h"
#include "ir/numeric.h"

#include <string.h>

/* ---- Integers ---- */

static bool eval_signed(IrOp op, int64_t a, int64_t b, int64_t *out) {
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    switch (op) {
    case OP_ADD: *out = (int64_t)(ua + ub); return true;
    case OP_SUB: *out = (int64_t)(ua - ub); return true;
    case OP_MUL: *out = (int64_t)(ua * ub); return true;
    case OP_FLOORDIV: *out = b ? jr_num_floordiv_i64(a, b) : 0; return b != 0;
    case OP_MOD: *out = b ? jr_num_mod_i64(a, b) : 0; return b != 0;
    case OP_POW: *out = b >= 0 ? jr_num_ipow(a, ub) : 0; return b >= 0;
    case OP_SHL: *out = b >= 0 ? jr_num_shl_i64(a, b) : 0; return b >= 0;
    case OP_SHR: *out = b >= 0 ? jr_num_shr_i64(a, b) : 0; return b >= 0;
    case OP_MIN: *out = b < a ? b : a; return true;
    case OP_MAX: *out = b > a ? b : a; return true;
    case OP_AND: *out = a & b; return true;
    case OP_OR: *out = a | b; return true;
    case OP_XOR: *out = a ^ b; return true;
    case OP_NEG: *out = (int64_t)(0 - ua); return true;
    case OP_INV: *out = ~a; return true;
    case OP_ABS: *out = a < 0 ? (int64_t)(0 - ua) : a; return true;
    default: return false;
    }
}

static bool eval_unsigned(IrOp op, uint64_t a, uint64_t b, uint64_t *out) {
    switch (op) {
    case OP_ADD: *out = a + b; return true;
    case OP_SUB: *out = a - b; return true;
    case OP_MUL: *out = a * b; return true;
    case OP_FLOORDIV: *out = b ? a / b : 0; return b != 0;
    case OP_MOD: *out = b ? a % b : 0; return b != 0;
    case OP_POW: *out = (uint64_t)jr_num_ipow((int64_t)a, b); return true;
    case OP_SHL: *out = jr_num_shl_u64(a, b); return true;
    case OP_SHR: *out = jr_num_shr_u64(a, b); return true;
    case OP_MIN: *out = b < a ? b : a; return true;
    case OP_MAX: *out = b > a ? b : a; return true;
    case OP_AND: *out = a & b; return true;
    case OP_OR: *out = a | b; return true;
    case OP_XOR: *out = a ^ b; return true;
    case OP_NEG: *out = 0 - a; return true;
    case OP_INV: *out = ~a; return true;
    case OP_ABS: *out = a; return true;
    default: return false;
    }
}

static bool eval_bool(IrOp op, int64_t a, int64_t b, int64_t *out) {
    switch (op) {
    case OP_AND: *out = a & b; return true;
    case OP_OR: *out = a | b; return true;
    case OP_XOR: *out = a ^ b; return true;
    case OP_NOT: *out = !a; return true;
    default: return false;
    }
}

/* ---- Floats ---- */

#define EVAL_FLOAT(T, suffix)                                                 \
    static bool eval_##T(IrOp op, T a, T b, T *out) {                         \
        switch (op) {                                                         \
        case OP_ADD: *out = a + b; return true;                               \
        case OP_SUB: *out = a - b; return true;                               \
        case OP_MUL: *out = a * b; return true;                               \
        case OP_DIV: *out = a / b; return true;                               \
        case OP_FLOORDIV: *out = jr_num_ffloordiv##suffix(a, b); return true; \
        case OP_MOD: *out = jr_num_fmod##suffix(a, b); return true;           \
        case OP_POW: *out = pow##suffix(a, b); return true;                   \
        case OP_MIN: *out = b < a ? b : a; return true;                       \
        case OP_MAX: *out = b > a ? b : a; return true;                       \
        case OP_NEG: *out = -a; return true;                                  \
        case OP_ABS: *out = fabs##suffix(a); return true;                     \
        default: return false;                                                \
        }                                                                     \
    }
EVAL_FLOAT(double, )
EVAL_FLOAT(float, f)

/* ---- Comparisons ---- */

#define COMPARE(op, a, b)         \
    ((op) == OP_EQ   ? (a) == (b) \
     : (op) == OP_NE ? (a) != (b) \
     : (op) == OP_LT ? (a) < (b)  \
     : (op) == OP_LE ? (a) <= (b) \
     : (op) == OP_GT ? (a) > (b)  \
                     : (a) >= (b))

static bool compare(IrOp op, IrScalar from, IrConst a, IrConst b) {
    if (from == TY_FLOAT64) return COMPARE(op, a.d, b.d);
    if (from == TY_FLOAT32) return COMPARE(op, a.f, b.f);
    if (ir_scalar_class(from) == 'U') return COMPARE(op, a.u, b.u);
    return COMPARE(op, a.i, b.i);
}

/* ---- Conversions ---- */

static bool float_to_int(double x, IrScalar to, IrConst *out) {
    switch (to) {
    case TY_INT8: out->i = jr_num_to_i8(x); return true;
    case TY_INT16: out->i = jr_num_to_i16(x); return true;
    case TY_INT32: out->i = jr_num_to_i32(x); return true;
    case TY_INT64: out->i = jr_num_to_i64(x); return true;
    case TY_UINT8: out->u = jr_num_to_u8(x); return true;
    case TY_UINT16: out->u = jr_num_to_u16(x); return true;
    case TY_UINT32: out->u = jr_num_to_u32(x); return true;
    case TY_UINT64: out->u = jr_num_to_u64(x); return true;
    case TY_BOOL: out->i = x != 0; return true;
    default: return false;
    }
}

static bool cast_float(double x, IrScalar to, IrConst *out) {
    if (to == TY_FLOAT64)
        out->d = x;
    else if (to == TY_FLOAT32)
        out->f = (float)x;
    else
        return float_to_int(x, to, out);
    return true;
}

static bool cast(IrScalar from, IrScalar to, IrConst value, IrConst *out) {
    if (from == TY_FLOAT64) return cast_float(value.d, to, out);
    if (from == TY_FLOAT32) return cast_float((double)value.f, to, out);
    bool is_signed = ir_scalar_class(from) != 'U';
    if (to == TY_FLOAT64)
        out->d = is_signed ? (double)value.i : (double)value.u;
    else if (to == TY_FLOAT32)
        out->f = is_signed ? (float)value.i : (float)value.u;
    else if (to == TY_BOOL)
        out->i = value.u != 0;
    else
        out->u = value.u; /* wrapped when it becomes a constant */
    return true;
}

static bool reinterpret(IrScalar from, IrScalar to, IrConst value, IrConst *out) {
    uint32_t narrow;
    if (from == TY_FLOAT32) {
        memcpy(&narrow, &value.f, sizeof narrow);
        value.u = narrow;
    }
    narrow = (uint32_t)value.u;
    if (to == TY_FLOAT32)
        memcpy(&out->f, &narrow, sizeof narrow);
    else
        out->u = value.u;
    return true;
}

/* ---- Functions ---- */

typedef void (*AnyFn)(void);
static const struct {
    AnyFn f64, f32;
} FUNCTIONS[] = {
#define JR_MATH(ID, text, arity, f64, f32, exact) [MATH_##ID] = {(AnyFn)f64, (AnyFn)f32},
#include "ir/math.def"
#undef JR_MATH
};

static double call_double(AnyFn fn, unsigned arity, const IrConst *x) {
    if (arity == 1) return ((double (*)(double))fn)(x[0].d);
    if (arity == 2) return ((double (*)(double, double))fn)(x[0].d, x[1].d);
    return ((double (*)(double, double, double))fn)(x[0].d, x[1].d, x[2].d);
}

static float call_float(AnyFn fn, unsigned arity, const IrConst *x) {
    if (arity == 1) return ((float (*)(float))fn)(x[0].f);
    if (arity == 2) return ((float (*)(float, float))fn)(x[0].f, x[1].f);
    return ((float (*)(float, float, float))fn)(x[0].f, x[1].f, x[2].f);
}

static bool eval_math(IrMath fn, IrScalar type, const IrConst *args, IrConst *out) {
    unsigned arity = ir_math_arity(fn);
    if (type == TY_FLOAT64)
        out->d = call_double(FUNCTIONS[fn].f64, arity, args);
    else
        out->f = call_float(FUNCTIONS[fn].f32, arity, args);
    return true;
}

static bool eval_arithmetic(IrOp op, IrScalar type, const IrConst *args, IrConst *out) {
    IrConst a = args[0], b = args[ir_op_form(op) == FORM_BIN];
    if (type == TY_FLOAT64) return eval_double(op, a.d, b.d, &out->d);
    if (type == TY_FLOAT32) return eval_float(op, a.f, b.f, &out->f);
    if (type == TY_BOOL) return eval_bool(op, a.i, b.i, &out->i);
    if (ir_scalar_is_signed(type)) return eval_signed(op, a.i, b.i, &out->i);
    return ir_scalar_is_int(type) && eval_unsigned(op, a.u, b.u, &out->u);
}

bool ir_fold_eval(IrOp op, IrMath fn, IrScalar from, IrScalar to, const IrConst *args,
                  IrConst *out) {
    *out = (IrConst){.u = 0};
    switch (ir_op_form(op)) {
    case FORM_BIN:
    case FORM_UN: return eval_arithmetic(op, to, args, out);
    case FORM_CMP: out->i = compare(op, from, args[0], args[1]); return true;
    case FORM_CAST: return cast(from, to, args[0], out);
    case FORM_BITS: return reinterpret(from, to, args[0], out);
    case FORM_MATH: return eval_math(fn, to, args, out);
    default: return false;
    }
}

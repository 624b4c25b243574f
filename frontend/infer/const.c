/* Constant expressions: literals, module constants, and what is made of them.
 *
 * Ints are Python's, unbounded in principle: 127 bits here, past which there is an error. A
 * float is a double. A result that only running can tell (1 // 0) is left to run time. */
#include "frontend/infer/infer.h"

#include "frontend/syntax/unicode.h"
#include "ir/numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static FeConst *const_new(FeInfer *in, int kind) {
    FeConst *value = JR_NEW(in->arena, FeConst);
    value->kind = kind;
    return value;
}

const FeConst *fe_const_int(FeInfer *in, __int128 i) {
    FeConst *value = const_new(in, FE_CONST_INT);
    value->i = i;
    return value;
}

const FeConst *fe_const_float(FeInfer *in, double d) {
    FeConst *value = const_new(in, FE_CONST_FLOAT);
    value->d = d;
    return value;
}

const FeConst *fe_const_bool(FeInfer *in, bool truth) {
    FeConst *value = const_new(in, FE_CONST_BOOL);
    value->i = truth;
    return value;
}

const FeType *fe_const_type(FeInfer *in, const FeConst *value) {
    switch (value->kind) {
    case FE_CONST_BOOL: return scalar_type(in, TY_BOOL);
    case FE_CONST_INT: return in->types->weak_int;
    case FE_CONST_FLOAT: return in->types->weak_float;
    case FE_CONST_STR: return fe_type_str(in->types, value);
    case FE_CONST_TUPLE: return value->type;
    default: return in->types->none;
    }
}

const FeConst *fe_const_literal(FeInfer *in, const AstExpr *expr, const FeType **type) {
    const FeConst *value = NULL;
    switch (expr->kind) {
    case AST_INT: value = fe_const_int(in, (__int128)expr->u.big); break;
    case AST_FLOAT: value = fe_const_float(in, expr->u.real); break;
    case AST_TRUE:
    case AST_FALSE: value = fe_const_bool(in, expr->kind == AST_TRUE); break;
    case AST_STR: {
        FeConst *text = const_new(in, FE_CONST_STR);
        text->bytes = expr->u.str.bytes;
        text->len = expr->u.str.len;
        value = text;
        break;
    }
    default: return NULL;
    }
    *type = fe_const_type(in, value);
    return value;
}

static bool is_numeric(const FeConst *a) {
    return a->kind == FE_CONST_BOOL || a->kind == FE_CONST_INT || a->kind == FE_CONST_FLOAT;
}

static double as_double(const FeConst *a) {
    return a->kind == FE_CONST_FLOAT ? a->d : (double)a->i;
}

bool fe_const_fits(const FeConst *value, IrScalar scalar) {
    if (value->kind != FE_CONST_INT || !ir_scalar_is_int(scalar)) return true;
    unsigned bits = ir_scalar_size(scalar) * 8;
    if (!ir_scalar_is_signed(scalar)) return value->i >= 0 && value->i >> bits == 0;
    __int128 half = (__int128)1 << (bits - 1);
    return value->i >= -half && value->i < half;
}

/* Whether it keeps its value in a type that it may be used as. */
bool fe_const_fits_type(const FeConst *value, const FeType *type) {
    if (value->kind != FE_CONST_TUPLE || type->kind != FE_TUPLE)
        return type->kind != FE_SCALAR || fe_const_fits(value, (IrScalar)type->ir.scalar);
    for (uint32_t i = 0; i < type->count; i++)
        if (!fe_const_fits_type(value->items[i], type->items[i])) return false;
    return true;
}

const FeConst *fe_const_unary(FeInfer *in, AstOp op, const FeConst *a) {
    if (op == AST_NOT) return fe_const_bool(in, !fe_const_truth(a));
    if (!is_numeric(a)) return NULL;
    bool real = a->kind == FE_CONST_FLOAT;
    switch (op) {
    case AST_NEG: return real ? fe_const_float(in, -a->d) : fe_const_int(in, -a->i);
    case AST_POS: return real ? a : fe_const_int(in, a->i);
    case AST_INVERT: return real || a->kind == FE_CONST_BOOL ? NULL : fe_const_int(in, ~a->i);
    default: return NULL;
    }
}

static const FeConst *too_large(FeInfer *in, JrSpan at) {
    JrDiag *diag = jr_diag_error(in->diags, at, "this constant needs more than 127 bits");
    jr_diag_help(in->diags, diag, "write it as a float, such as 2.0 ** 200");
    return fe_const_int(in, 0);
}

static bool int_power(__int128 base, __int128 exponent, __int128 *out) {
    __int128 result = 1;
    if (base == 0 || base == 1 || base == -1)
        exponent = exponent > 1 ? 2 - (exponent & 1) : exponent;
    while (exponent-- > 0)
        if (__builtin_mul_overflow(result, base, &result)) return false;
    *out = result;
    return true;
}

static __int128 floor_div(__int128 a, __int128 b) {
    __int128 q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

/* Ints, with true division apart. False past 127 bits; *has is false without a constant
 * result. */
static bool int_binary(AstOp op, __int128 a, __int128 b, __int128 *out, bool *has) {
    *has = true;
    switch (op) {
    case AST_ADD: return !__builtin_add_overflow(a, b, out);
    case AST_SUB: return !__builtin_sub_overflow(a, b, out);
    case AST_MUL: return !__builtin_mul_overflow(a, b, out);
    case AST_AND: *out = a & b; return true;
    case AST_OR: *out = a | b; return true;
    case AST_XOR: *out = a ^ b; return true;
    default: break;
    }
    *has = b >= 0;
    if (op == AST_POW) return !*has || int_power(a, b, out);
    if (op == AST_SHL) {
        if (!*has || a == 0) return *out = 0, true;
        return b < 127 && !__builtin_mul_overflow(a, (__int128)1 << b, out);
    }
    if (op == AST_SHR) return *out = a >> (b > 127 || b < 0 ? 127 : (int)b), true;
    *has = b != 0 && (op == AST_FLOORDIV || op == AST_MOD);
    if (*has && b == -1)
        return op == AST_MOD ? (*out = 0, true) : !__builtin_sub_overflow(0, a, out);
    if (*has) *out = op == AST_FLOORDIV ? floor_div(a, b) : a - floor_div(a, b) * b;
    return true;
}

static const FeConst *float_binary(FeInfer *in, AstOp op, double a, double b) {
    switch (op) {
    case AST_ADD: return fe_const_float(in, a + b);
    case AST_SUB: return fe_const_float(in, a - b);
    case AST_MUL: return fe_const_float(in, a * b);
    case AST_DIV: return fe_const_float(in, a / b);
    case AST_FLOORDIV: return fe_const_float(in, jr_num_ffloordiv(a, b));
    case AST_MOD: return fe_const_float(in, jr_num_fmod(a, b));
    case AST_POW: return fe_const_float(in, pow(a, b));
    default: return NULL;
    }
}

const FeConst *fe_const_binary(FeInfer *in, AstOp op, const FeConst *a, const FeConst *b,
                               JrSpan at) {
    if (!is_numeric(a) || !is_numeric(b)) return NULL;
    bool real = a->kind == FE_CONST_FLOAT || b->kind == FE_CONST_FLOAT;
    if (real || op == AST_DIV) return float_binary(in, op, as_double(a), as_double(b));
    __int128 result = 0;
    bool has;
    if (!int_binary(op, a->i, b->i, &result, &has)) return too_large(in, at);
    if (!has) return NULL;
    bool bits = op == AST_AND || op == AST_OR || op == AST_XOR;
    if (bits && a->kind == FE_CONST_BOOL && b->kind == FE_CONST_BOOL)
        return fe_const_bool(in, result != 0);
    return fe_const_int(in, result);
}

/* Below 0, 0, above 0, or 2 when unordered. */
static int compare(const FeConst *a, const FeConst *b) {
    if (a->kind != FE_CONST_FLOAT && b->kind != FE_CONST_FLOAT)
        return a->i < b->i ? -1 : a->i > b->i;
    double x = as_double(a), y = as_double(b);
    if (x != x || y != y) return 2;
    return x < y ? -1 : x > y;
}

const FeConst *fe_const_compare(FeInfer *in, AstOp op, const FeConst *a, const FeConst *b) {
    int c;
    if (a->kind == FE_CONST_STR && b->kind == FE_CONST_STR)
        c = a->len == b->len && !memcmp(a->bytes, b->bytes, a->len) ? 0 : 2;
    else if (is_numeric(a) && is_numeric(b))
        c = compare(a, b);
    else
        return NULL;
    if (a->kind == FE_CONST_STR && op != AST_EQ && op != AST_NE) return NULL;
    switch (op) {
    case AST_EQ: return fe_const_bool(in, c == 0);
    case AST_NE: return fe_const_bool(in, c != 0);
    case AST_LT: return fe_const_bool(in, c == -1);
    case AST_LE: return fe_const_bool(in, c == -1 || c == 0);
    case AST_GT: return fe_const_bool(in, c == 1);
    case AST_GE: return fe_const_bool(in, c == 1 || c == 0);
    default: return NULL;
    }
}

const FeConst *fe_const_builtin(FeInfer *in, const FeBuiltin *builtin) {
    switch (builtin->id) {
    case BI_MATH_PI:
    case BI_NP_PI: return fe_const_float(in, 3.141592653589793);
    case BI_MATH_E:
    case BI_NP_E: return fe_const_float(in, 2.718281828459045);
    case BI_MATH_TAU: return fe_const_float(in, 6.283185307179586);
    case BI_NP_EULER_GAMMA: return fe_const_float(in, 0.5772156649015329);
    case BI_MATH_INF:
    case BI_NP_INF: return fe_const_float(in, INFINITY);
    case BI_MATH_NAN:
    case BI_NP_NAN: return fe_const_float(in, NAN);
    default: return NULL;
    }
}

static double math_1(IrMath id, double x) {
    switch (id) {
#define MATH_ARITY_1(ID, f) \
    case MATH_##ID:         \
        return f(x);
#define MATH_ARITY_2(ID, f)
#define MATH_ARITY_3(ID, f)
#define JR_MATH(ID, text, arity, f64, f32, exact) MATH_ARITY_##arity(ID, f64)
#include "ir/math.def"
#undef JR_MATH
#undef MATH_ARITY_1
#undef MATH_ARITY_2
    default: return NAN;
    }
}

static double math_2(IrMath id, double x, double y) {
    switch (id) {
#define MATH_ARITY_1(ID, f)
#define MATH_ARITY_2(ID, f) \
    case MATH_##ID:         \
        return f(x, y);
#define JR_MATH(ID, text, arity, f64, f32, exact) MATH_ARITY_##arity(ID, f64)
#include "ir/math.def"
#undef JR_MATH
    default: return NAN;
    }
}

/* A conversion of a constant. Python's own give a Python number, weak as its literals are;
 * NumPy's give their type. */
static const FeConst *const_cast(FeInfer *in, const FeBuiltin *builtin, const FeConst *a,
                                 const FeType **type) {
    IrScalar to = (IrScalar)builtin->detail;
    const FeConst *value = a;
    if (!is_numeric(a)) return NULL;
    if (to == TY_BOOL)
        value = fe_const_bool(in, fe_const_truth(a));
    else if (ir_scalar_is_float(to))
        value = fe_const_float(in, to == TY_FLOAT32 ? (float)as_double(a) : as_double(a));
    else if (a->kind == FE_CONST_FLOAT)
        value = fabs(a->d) < 0x1p62 ? fe_const_int(in, (__int128)a->d) : NULL;
    else
        value = fe_const_int(in, a->i);
    if (!value || !fe_const_fits(value, to)) return NULL;
    bool python = builtin->id == BI_INT || builtin->id == BI_FLOAT;
    *type = python ? fe_const_type(in, value) : scalar_type(in, to);
    return value;
}

static const FeConst *const_extreme(FeInfer *in, FeBuiltinId id, uint32_t n,
                                    const FeConst *const *args, const FeType **type) {
    const FeConst *best = args[0];
    bool real = best->kind == FE_CONST_FLOAT;
    for (uint32_t i = 1; i < n; i++) {
        if (!is_numeric(args[i])) return NULL;
        real |= args[i]->kind == FE_CONST_FLOAT;
        if (compare(args[i], best) == (id == BI_MIN ? -1 : 1)) best = args[i];
    }
    if (real && best->kind != FE_CONST_FLOAT) best = fe_const_float(in, as_double(best));
    *type = fe_const_type(in, best);
    return best;
}

/* ord("a"), float("inf"); NULL for other strings. */
static const FeConst *const_of_text(FeInfer *in, FeBuiltinId id, const FeConst *text,
                                    const FeType **type) {
    const FeConst *value = NULL;
    char *copy = jr_arena_strndup(in->arena, text->bytes, text->len), *end = copy;
    uint32_t code;
    if (id == BI_ORD && text->len && jr_unicode_next(copy, text->len, &code) == text->len)
        value = fe_const_int(in, code);
    if (id == BI_FLOAT) {
        double number = strtod(copy, &end);
        bool all = text->len && end == copy + text->len && !strpbrk(copy, "xX( \t\n");
        if (all) value = fe_const_float(in, number);
    }
    if (value) *type = fe_const_type(in, value);
    return value;
}

const FeConst *fe_const_call(FeInfer *in, const FeBuiltin *builtin, uint32_t n,
                             const FeConst *const *args, const FeType **type) {
    if (n == 1 && builtin->id == BI_LEN && args[0]->kind == FE_CONST_TUPLE) {
        *type = in->types->weak_int;
        return fe_const_int(in, args[0]->type->count);
    }
    if (n == 1 && args[0]->kind == FE_CONST_STR)
        return const_of_text(in, builtin->id, args[0], type);
    if (n == 0 || !is_numeric(args[0])) return NULL;
    if (builtin->kind == BK_CAST && n == 1) return const_cast(in, builtin, args[0], type);
    if ((builtin->id == BI_MIN || builtin->id == BI_MAX) && n >= 2)
        return const_extreme(in, builtin->id, n, args, type);
    const FeConst *value = NULL;
    if (builtin->id == BI_ABS && n == 1)
        value = compare(args[0], fe_const_int(in, 0)) < 0
                    ? fe_const_unary(in, AST_NEG, args[0])
                : args[0]->kind == FE_CONST_FLOAT ? fe_const_float(in, fabs(args[0]->d))
                                                  : fe_const_unary(in, AST_POS, args[0]);
    bool math = builtin->kind == BK_MATH && !strncmp(builtin->path, "math.", 5);
    if (math && n == ir_math_arity((IrMath)builtin->detail) && n <= 2) {
        if (n == 2 && !is_numeric(args[1])) return NULL;
        double x = as_double(args[0]);
        IrMath id = (IrMath)builtin->detail;
        value = fe_const_float(in, n == 1 ? math_1(id, x) : math_2(id, x, as_double(args[1])));
    }
    if (builtin->id == BI_MATH_LOG && n == 1)
        value = fe_const_float(in, log(as_double(args[0])));
    if (value) *type = fe_const_type(in, value);
    return value;
}

/* ---- Whole expressions, at module scope ---- */

static const FeConst *eval_binary(FeInfer *in, const AstExpr *expr) {
    const FeType *a, *b;
    const FeConst *left = fe_const_eval(in, expr->left, &a);
    const FeConst *right = left ? fe_const_eval(in, expr->right, &b) : NULL;
    if (!right || a != fe_const_type(in, left) || b != fe_const_type(in, right)) return NULL;
    return fe_const_binary(in, expr->op, left, right, expr->at);
}

static const FeConst *eval_compare(FeInfer *in, const AstExpr *expr) {
    bool truth = true;
    const FeType *type;
    const FeConst *left = fe_const_eval(in, expr->items.data[0], &type);
    for (uint32_t i = 0; left && i < expr->ops.len; i++) {
        const FeConst *right = fe_const_eval(in, expr->items.data[i + 1], &type);
        const FeConst *result =
            right ? fe_const_compare(in, expr->ops.data[i], left, right) : NULL;
        if (!result) return NULL;
        truth &= result->i != 0;
        left = right;
    }
    return left ? fe_const_bool(in, truth) : NULL;
}

static const FeConst *eval_call(FeInfer *in, const AstExpr *expr, const FeType **type) {
    const Entry *callee = fe_scope_path(in, expr->left);
    if (!callee || callee->kind != ENTRY_TYPE || expr->keywords.len) return NULL;
    const FeBuiltin *builtin = callee->type->builtin;
    if (!builtin || expr->items.len > 8) return NULL;
    const FeConst *args[8];
    const FeType *ignored;
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (!(args[i] = fe_const_eval(in, expr->items.data[i], &ignored))) return NULL;
    return fe_const_call(in, builtin, expr->items.len, args, type);
}

/* np.iinfo(T).max */
static const FeConst *eval_limit(FeInfer *in, const AstExpr *expr, const FeType **type) {
    const FeBuiltin *builtin = fe_limits_asked(in, expr);
    const Entry *of = builtin ? fe_scope_path(in, expr->left->items.data[0]) : NULL;
    if (!of || of->kind != ENTRY_TYPE) return NULL;
    return fe_limits_value(in, builtin, of->type, expr->name, type);
}

static const FeConst *eval_unary(FeInfer *in, const AstExpr *expr, const FeType **type) {
    const FeConst *a = fe_const_eval(in, expr->left, type);
    return a && *type == fe_const_type(in, a) ? fe_const_unary(in, expr->op, a) : NULL;
}

static const FeConst *eval_tuple(FeInfer *in, const AstExpr *expr) {
    uint32_t n = expr->items.len;
    const FeType **types = JR_NEW_ARRAY(in->arena, const FeType *, n + 1);
    const FeConst **items = JR_NEW_ARRAY(in->arena, const FeConst *, n + 1);
    for (uint32_t i = 0; i < n; i++)
        if (!(items[i] = fe_const_eval(in, expr->items.data[i], &types[i]))) return NULL;
    FeConst *tuple = const_new(in, FE_CONST_TUPLE);
    tuple->items = items;
    tuple->type = fe_type_tuple(in->types, n, types);
    return tuple->type->size <= FE_MAX_TUPLE ? tuple : NULL;
}

const FeConst *fe_const_item(const FeConst *tuple, const FeConst *index, uint32_t *position) {
    bool indexes = tuple && tuple->kind == FE_CONST_TUPLE && index &&
                   (index->kind == FE_CONST_INT || index->kind == FE_CONST_BOOL);
    if (!indexes) return NULL;
    __int128 at = index->i < 0 ? index->i + tuple->type->count : index->i;
    if (at < 0 || at >= tuple->type->count) return NULL;
    *position = (uint32_t)at;
    return tuple->items[at];
}

static const FeConst *eval_subscript(FeInfer *in, const AstExpr *expr, const FeType **type) {
    const FeType *left, *ignored;
    uint32_t at;
    if (expr->items.len != 1) return NULL;
    const FeConst *tuple = fe_const_eval(in, expr->left, &left);
    const FeConst *index = tuple ? fe_const_eval(in, expr->items.data[0], &ignored) : NULL;
    const FeConst *item = fe_const_item(tuple, index, &at);
    if (item) *type = left->items[at];
    return item;
}

/* The value of a constant expression, and its type in *type; NULL if it is not constant. */
const FeConst *fe_const_eval(FeInfer *in, const AstExpr *expr, const FeType **type) {
    const FeConst *value = NULL;
    switch (expr->kind) {
    case AST_NAME:
    case AST_ATTR: {
        const Entry *entry = fe_scope_path(in, expr);
        if (!entry && expr->kind == AST_ATTR) return eval_limit(in, expr, type);
        if (!entry || entry->kind != ENTRY_CONST) return NULL;
        *type = entry->type;
        return entry->value;
    }
    case AST_CALL: return eval_call(in, expr, type);
    case AST_SUBSCRIPT: return eval_subscript(in, expr, type);
    case AST_TERNARY: {
        const FeConst *cond = fe_const_eval(in, expr->cond, type);
        return cond ? fe_const_eval(in, fe_const_truth(cond) ? expr->left : expr->right, type)
                    : NULL;
    }
    case AST_UNARY: value = eval_unary(in, expr, type); break;
    case AST_BINARY: value = eval_binary(in, expr); break;
    case AST_COMPARE: value = eval_compare(in, expr); break;
    case AST_TUPLE: value = eval_tuple(in, expr); break;
    default: return fe_const_literal(in, expr, type);
    }
    if (value) *type = fe_const_type(in, value);
    return value;
}

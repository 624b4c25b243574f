/* np.iinfo(T).max, np.finfo(T).eps and the like: constants. What iinfo says are Python's ints, weak ones; what
 * finfo says has the type it is about, but for `bits`. What no int64 holds is a uint64. */
#include "frontend/infer/infer.h"

#include <float.h>
#include <string.h>

static const struct {
    const char *name;
    double in_float32, in_float64;
} floats[] = {
    {"eps", FLT_EPSILON, DBL_EPSILON},     {"max", FLT_MAX, DBL_MAX},
    {"min", -FLT_MAX, -DBL_MAX},           {"tiny", FLT_MIN, DBL_MIN},
    {"smallest_normal", FLT_MIN, DBL_MIN}, {"smallest_subnormal", FLT_TRUE_MIN, DBL_TRUE_MIN},
    {"resolution", 1e-6F, 1e-15},
};

static const FeConst *of_int(FeInfer *in, IrScalar scalar, const char *name) {
    int bits = 8 * (int)ir_scalar_size(scalar);
    bool is_signed = ir_scalar_is_signed(scalar);
    __int128 beyond = (__int128)1 << (bits - is_signed);
    if (strcmp(name, "max") == 0) return fe_const_int(in, beyond - 1);
    if (strcmp(name, "min") == 0) return fe_const_int(in, is_signed ? -beyond : 0);
    return NULL;
}

static const FeConst *of_float(FeInfer *in, IrScalar scalar, const char *name) {
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        if (strcmp(floats[i].name, name) == 0)
            return fe_const_float(in, scalar == TY_FLOAT32 ? floats[i].in_float32
                                                           : floats[i].in_float64);
    return NULL;
}

const FeBuiltin *fe_limits_asked(FeInfer *in, const AstExpr *expr) {
    bool called = expr->kind == AST_ATTR && expr->left->kind == AST_CALL;
    const Entry *entry = called ? fe_scope_path(in, expr->left->left) : NULL;
    const FeBuiltin *builtin =
        entry && entry->kind == ENTRY_TYPE ? entry->type->builtin : NULL;
    const AstExpr *call = expr->left;
    if (!builtin || builtin->kind != BK_LIMITS) return NULL;
    return call->items.len == 1 && call->keywords.len == 0 ? builtin : NULL;
}

const FeConst *fe_limits_value(FeInfer *in, const FeBuiltin *builtin, const FeType *of,
                               const char *name, const FeType **type) {
    bool floating = builtin->id == BI_NP_FINFO;
    if (of->kind != FE_DTYPE && !type_is_number(of)) return NULL;
    of = fe_type_strong(in->types, of);
    IrScalar scalar = (IrScalar)of->ir.scalar;
    if (floating != ir_scalar_is_float(scalar) || scalar == TY_BOOL) return NULL;
    const FeConst *value = strcmp(name, "bits") == 0
                               ? fe_const_int(in, 8 * (int)ir_scalar_size(scalar))
                           : floating ? of_float(in, scalar, name)
                                      : of_int(in, scalar, name);
    if (!value) return NULL;
    bool weak = value->kind == FE_CONST_INT && fe_const_fits(value, TY_INT64);
    *type = weak ? fe_const_type(in, value) : scalar_type(in, scalar);
    return value;
}

const FeType *fe_infer_limits(FeInfer *in, const AstExpr *expr) {
    const FeBuiltin *builtin = fe_limits_asked(in, expr);
    if (!builtin) return NULL;
    const AstExpr *arg = expr->left->items.data[0];
    const FeType *of = fe_infer_expr(in, arg), *type;
    if (type_is_void(of)) return fe_infer_silent(in);
    const FeConst *value = fe_limits_value(in, builtin, of, expr->name, &type);
    if (!value)
        return fe_infer_fail(
            in, expr->at,
            builtin->id == BI_NP_FINFO
                ? "finfo is of a type of floats: eps, max, min, tiny, bits ..."
                : "iinfo is of a type of ints: max, min, bits",
            "%s(%s) has no '%s' in kernels", builtin->path, fe_infer_name(in, of), expr->name);
    fe_infer_settle(in, arg);
    node_at(in, expr)->value = value;
    return type;
}

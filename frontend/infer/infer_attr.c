/* Attributes, and calls of methods. */
#include "frontend/infer/library.h"

/* ---- Attributes ---- */

static const FeType *unknown_attribute(FeInfer *in, const AstExpr *expr, const FeType *type) {
    const char *near =
        type->kind == FE_ARRAY ? fe_scope_nearest_member(in, "array", expr->name) : NULL;
    const char *help = near ? jr_arena_printf(in->arena, "did you mean '%s'?", near) : NULL;
    if (type->kind == FE_TUPLE)
        help = "write t[0], or make it a named tuple: namedtuple(\"T\", \"x y\")";
    return fe_infer_fail(in, expr->at, help, "%s has no attribute '%s'",
                         fe_infer_name(in, type), expr->name);
}

static const FeType *array_attribute(FeInfer *in, const AstExpr *expr, const FeType *array) {
    FeNode *node = node_at(in, expr);
    const FeType *int64 = scalar_type(in, TY_INT64);
    const FeType *axes[IR_MAX_DIMS];
    node->builtin =
        jr_table_get(&in->builtins, jr_arena_printf(in->arena, "array.%s", expr->name));
    if (!node->builtin) return unknown_attribute(in, expr, array);
    for (unsigned i = 0; i < array->ir.ndim; i++)
        axes[i] = int64;
    switch (node->builtin->id) {
    case BI_ARRAY_SHAPE:
    case BI_ARRAY_STRIDES: return fe_type_tuple(in->types, array->ir.ndim, axes);
    case BI_ARRAY_NDIM: node->value = fe_const_int(in, array->ir.ndim); return int64;
    case BI_ARRAY_ITEMSIZE:
        node->value = fe_const_int(in, ir_scalar_size(array->ir.scalar));
        return int64;
    case BI_ARRAY_SIZE:
    case BI_ARRAY_NBYTES: return int64;
    case BI_ARRAY_T: return fe_infer_element(in, array, 0, array->ir.ndim < 2);
    case BI_ARRAY_FLAT: return in->types->range;
    case BI_ARRAY_DTYPE: return fe_type_dtype(in->types, array->ir.scalar);
    default:
        return fe_infer_fail(in, expr->at,
                             jr_arena_printf(in->arena, "call it: .%s()", expr->name),
                             "'%s' is a method", expr->name);
    }
}

const FeType *fe_infer_attr(FeInfer *in, const AstExpr *expr) {
    const Entry *entry = fe_scope_path(in, expr);
    if (entry && entry->type) {
        node_at(in, expr)->value = entry->value;
        return entry->type->kind == FE_ERROR ? fe_infer_silent(in) : entry->type;
    }
    const FeType *limit = fe_infer_limits(in, expr);
    if (limit) return limit;
    const FeType *left = fe_infer_expr(in, expr->left);
    if (left->kind == FE_MODULE || type_is_void(left)) return fe_infer_silent(in);
    if (left->kind == FE_ARRAY) return array_attribute(in, expr, left);
    if (left->kind == FE_TUPLE && left->record) return fe_infer_field(in, expr, left);
    return unknown_attribute(in, expr, left);
}

/* ---- Methods ---- */

/* The same call with the array as its first argument, as if NumPy's function were called. It has the node
 * of the call that is written there. */
static AstExpr *with_receiver(FeInfer *in, const AstExpr *expr) {
    AstExpr *call = JR_NEW(in->arena, AstExpr);
    *call = *expr;
    call->items = (AstExprs){0};
    JR_PUSH(in->arena, &call->items, expr->left->left);
    for (uint32_t i = 0; i < expr->items.len; i++)
        JR_PUSH(in->arena, &call->items, expr->items.data[i]);
    return call;
}

/* BK_SAME: a.clip(0, 1) is np.clip(a, 0, 1). */
static const FeType *call_same(FeInfer *in, const AstExpr *expr, const FeBuiltin *row) {
    const char *path = jr_arena_printf(in->arena, "np.%s", expr->left->name);
    const FeBuiltin *builtin = jr_table_get(&in->builtins, path);
    if (builtin) return fe_infer_call_builtin(in, expr, row, builtin, expr->left->left);
    FeFunc *func = fe_library_find(in, path);
    return fe_infer_call_func(in, with_receiver(in, expr), fe_type_func(in->types, func));
}

/* p.f(x) of a named tuple with a function among its items. */
static const FeType *call_field(FeInfer *in, const AstExpr *expr, const FeType *tuple) {
    const FeType *type = fe_infer_field(in, expr->left, tuple);
    node_at(in, expr->left)->type = type;
    if (type->kind == FE_FUNC) return fe_infer_call_func(in, expr, type);
    fe_infer_arguments(in, expr);
    if (type_is_void(type)) return fe_infer_silent(in);
    return fe_infer_fail(in, expr->left->at, NULL, "%s cannot be called",
                         fe_infer_name(in, type));
}

/* a.method(...): the callee of a call that is no path of modules. */
const FeType *fe_infer_method_call(FeInfer *in, const AstExpr *expr) {
    const AstExpr *callee = expr->left;
    const FeType *left = fe_infer_expr(in, callee->left);
    if (left->kind == FE_TUPLE && left->record) return call_field(in, expr, left);
    if (left->kind != FE_ARRAY) {
        fe_infer_arguments(in, expr);
        if (type_is_void(left) || left->kind == FE_MODULE) return fe_infer_silent(in);
        return unknown_attribute(in, callee, left);
    }
    const FeBuiltin *row =
        jr_table_get(&in->builtins, jr_arena_printf(in->arena, "array.%s", callee->name));
    if (!row || row->kind == BK_ATTRIBUTE) {
        fe_infer_arguments(in, expr);
        if (!row) return unknown_attribute(in, callee, left);
        return fe_infer_fail(in, callee->at, "leave the () out", "'%s' is not a method",
                             callee->name);
    }
    if (row->kind == BK_SAME) return call_same(in, expr, row);
    return fe_infer_call_builtin(in, expr, row, row, callee->left);
}

/* a[indices], an array of the elements that an array of ints names, a[indices] = value, and a[mask] =
 * an array: calls of functions of frontend/numpy/. The indices may be a list, or the tuple that np.nonzero gives for
 * one axis. */
#include "frontend/infer/library.h"

static bool is_indices(const FeType *type) {
    return type->kind == FE_ARRAY && ir_scalar_is_int((IrScalar)type->ir.scalar);
}

static bool are_ints(const FeType *list) {
    for (uint32_t i = 0; i < list->count; i++)
        if (!type_is_int(list->items[i])) return false;
    return list->count > 0;
}

const FeType *fe_infer_indices(FeInfer *in, const AstExpr *item) {
    const FeType *type = node_at(in, item)->type;
    if (!type) return NULL;
    if (is_indices(type)) return type;
    if (type->kind == FE_LIST && are_ints(type))
        return fe_type_ir(in->types, ir_array(TY_INT64, 1, LAYOUT_C));
    bool one = type->kind == FE_TUPLE && type->count == 1 && is_indices(type->items[0]);
    return one ? type->items[0] : NULL;
}

bool fe_infer_is_gather(FeInfer *in, const AstExpr *expr) {
    if (expr->kind != AST_SUBSCRIPT || expr->items.len != 1) return false;
    const AstExpr *item = expr->items.data[0];
    if (item->kind == AST_SLICE || item->kind == AST_ELLIPSIS) return false;
    return fe_infer_indices(in, item) != NULL;
}

static AstExpr **arguments(FeInfer *in, const AstExpr *expr) {
    AstExpr **args = JR_NEW_ARRAY(in->arena, AstExpr *, 3);
    args[0] = expr->left;
    args[1] = expr->items.data[0];
    return args;
}

static FeFunc *own(FeInfer *in, const char *name, unsigned array, unsigned indices,
                   const char *more) {
    return fe_library_own(in, name,
                          jr_arena_printf(in->arena, "%u%u%s", array, indices, more));
}

const FeType *fe_infer_gather(FeInfer *in, const AstExpr *expr, const FeType *array,
                              const FeType *indices, bool store) {
    if (expr->items.len != 1)
        return fe_infer_fail(in, expr->at, "take the rows or columns first, or write a loop",
                             "an array of indices cannot be combined with other indices");
    unsigned ndim = array->ir.ndim, n = indices->ir.ndim;
    if (store && ndim <= 2 && n == 1)
        return fe_type_ir(in->types, ir_array(array->ir.scalar, ndim, LAYOUT_ANY));
    FeFunc *func = store ? NULL : own(in, "_taken", ndim, n, "");
    if (!func)
        return fe_infer_fail(in, expr->at, "write a loop",
                             "%s cannot be %s with an array of indices of %u dimension%s",
                             fe_infer_name(in, array), store ? "changed" : "indexed", n,
                             n == 1 ? "" : "s");
    const FeType *types[] = {array, indices};
    return fe_infer_call_own(in, expr, func, arguments(in, expr), types);
}

/* The function that stores an array where a mask is true, for ranks there are. */
static FeFunc *put_masked(FeInfer *in, const AstExpr *target) {
    unsigned ndim = node_at(in, target->left)->type->ir.ndim;
    return own(in, "_put_masked", ndim, ndim, "1");
}

bool fe_infer_can_put_masked(FeInfer *in, const AstExpr *target, const FeType *value) {
    return value->ir.ndim == 1 && put_masked(in, target) != NULL;
}

void fe_infer_put(FeInfer *in, const AstExpr *target, const FeType *value) {
    const FeType *array = node_at(in, target->left)->type;
    const FeType *element = scalar_type(in, (IrScalar)array->ir.scalar);
    bool many = value->kind == FE_ARRAY;
    bool masked = fe_infer_is_mask(in, target);
    const AstExpr *index = target->items.data[0];
    const FeType *types[] = {array,
                             masked ? node_at(in, index)->type : fe_infer_indices(in, index),
                             many ? value : element};
    const FeType *into = node_at(in, target)->type;
    const char *rank = jr_arena_printf(in->arena, "%u", many ? value->ir.ndim : 0U);
    FeFunc *func = masked ? put_masked(in, target) : own(in, "_put", array->ir.ndim, 1, rank);
    fe_infer_call_own(in, target, func, arguments(in, target), types);
    node_at(in, target)->type = into;
}

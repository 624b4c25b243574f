/* What a for goes over. */
#include "frontend/infer/infer.h"

/* ---- Calls that only a for can use ---- */

/* np.ndindex(2, 3) or np.ndindex((2, 3)): how many axes. */
static uint32_t index_count(FeInfer *in, const FeNode *node) {
    const FeType *first = node->nargs == 1 ? node_at(in, node->args[0])->type : NULL;
    return first && first->kind == FE_TUPLE ? first->count : node->nargs;
}

static const FeType *index_loop(FeInfer *in, BuiltinCall *call) {
    const FeType *first = call->nargs ? call->types[0] : NULL;
    bool tuple = call->nargs == 1 && first->kind == FE_TUPLE, ok = call->nargs > 0;
    for (uint32_t i = 0; tuple && i < first->count; i++)
        ok &= type_is_int(first->items[i]);
    ok &= !tuple || first->count > 0;
    if (!ok)
        return fe_infer_fail(in, call->expr->span,
                             "write np.ndindex(2, 3) or np.ndindex(a.shape)",
                             "np.ndindex() takes the lengths of axes, one or more integers");
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (!tuple && !fe_arg_int(in, call, i)) return fe_infer_silent(in);
        fe_infer_settle(in, call->args[i]);
    }
    return in->types->range;
}

const FeType *fe_infer_loop(FeInfer *in, BuiltinCall *call) {
    FeBuiltinId id = call->builtin->id;
    const FeType *int64 = scalar_type(in, TY_INT64);
    bool range = id == BI_RANGE || id == BI_PRANGE;
    bool ok = true;
    if (id == BI_NP_NDINDEX) return index_loop(in, call);
    if (id == BI_NP_NDENUMERATE && call->types[0]->kind != FE_ARRAY)
        return fe_arg_fail(in, call, 0, "an array");
    for (uint32_t i = range ? 0 : 1; id != BI_ZIP && i < call->nargs && i < 3; i++) {
        ok = fe_arg_int(in, call, i) && ok;
        fe_arg_use(in, call, i, int64);
    }
    const FeConst *step = range && call->args[2] ? node_at(in, call->args[2])->value : NULL;
    if (step && !fe_const_truth(step))
        fe_infer_fail(in, call->args[2]->span, NULL, "%s() needs a step that is not 0",
                      call->builtin->path);
    const FeConst *flag =
        id == BI_PRANGE && call->args[3] ? node_at(in, call->args[3])->value : NULL;
    if (id == BI_PRANGE && call->args[3] && (!flag || flag->kind != FE_CONST_BOOL))
        fe_infer_fail(in, call->args[3]->span, NULL, "unchecked= takes True or False");
    return ok ? in->types->range : fe_infer_silent(in);
}

/* ---- What each iteration has ---- */

static const FeType *iterate_tuple(FeInfer *in, const AstExpr *expr, const FeType *tuple) {
    fe_infer_settle(in, expr);
    if (in->checking) tuple = node_at(in, expr)->type;
    if (!tuple->count)
        return fe_infer_fail(in, expr->span, NULL, "an empty tuple cannot be looped over");
    const FeType *one = fe_infer_uniform_item(in, tuple);
    if (one) return fe_type_strong(in->types, one); /* no literal: one of several */
    return fe_infer_fail(in, expr->span, "convert them to one type",
                         "the items of this tuple have different types");
}

/* reversed() of a range, an array or a tuple: what these give. */
static const FeType *iterate_reversed(FeInfer *in, const AstExpr *arg) {
    const FeType *item = fe_infer_iterable(in, arg);
    const FeNode *node = node_at(in, arg);
    if (type_is_void(item) || node->type->kind != FE_RANGE) return item;
    FeBuiltinId id = node->builtin->id;
    if (id == BI_RANGE) return item;
    return fe_infer_fail(in, arg->span,
                         id == BI_PRANGE      ? "write prange(n), and n - 1 - i for the index"
                         : id == BI_ENUMERATE ? "write for i in reversed(range(len(a)))"
                         : id == BI_ZIP       ? "reverse each: zip(reversed(a), reversed(b))"
                         : id == BI_REVERSED  ? "leave both out"
                                              : NULL,
                         "%s() cannot be reversed", node->builtin->path);
}

static const FeType *indices(FeInfer *in, uint32_t count) {
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, count + 1);
    for (uint32_t i = 0; i < count; i++)
        items[i] = scalar_type(in, TY_INT64);
    return fe_type_tuple(in->types, count, items);
}

/* np.ndenumerate(a): ((i, j), a[i, j]); a.flat: a[i, j] */
static const FeType *iterate_elements(FeInfer *in, const AstExpr *expr) {
    const FeNode *node = node_at(in, expr);
    bool flat = node->builtin->id == BI_ARRAY_FLAT;
    const FeType *array = node_at(in, flat ? expr->left : node->args[0])->type;
    const FeType *element = scalar_type(in, (IrScalar)array->ir.scalar);
    if (flat) return element;
    return fe_type_tuple(in->types, 2,
                         (const FeType *[]){indices(in, array->ir.ndim), element});
}

/* For enumerate and zip: the tuple of what their iterables give. */
static const FeType *iterate_call(FeInfer *in, const AstExpr *expr) {
    const FeNode *node = node_at(in, expr);
    const FeType *items[64];
    const FeType *int64 = scalar_type(in, TY_INT64);
    FeBuiltinId id = node->builtin->id;
    if (id == BI_RANGE || id == BI_PRANGE) return int64;
    if (id == BI_REVERSED) return iterate_reversed(in, node->args[0]);
    if (id == BI_NP_NDINDEX) return indices(in, index_count(in, node));
    if (id == BI_NP_NDENUMERATE || id == BI_ARRAY_FLAT) return iterate_elements(in, expr);
    uint32_t n = id == BI_ZIP ? node->nargs : 2;
    if (n > 64 || n == 0)
        return fe_infer_fail(in, expr->span, NULL, "zip() takes 1 to 64 iterables");
    for (uint32_t i = 0; i < n; i++) {
        const AstExpr *arg = node->args[id == BI_ZIP ? i : 0];
        items[i] = id == BI_ENUMERATE && i == 0 ? int64 : fe_infer_iterable(in, arg);
        if (type_is_void(items[i])) return fe_infer_silent(in);
    }
    return fe_type_tuple(in->types, n, items);
}

const FeType *fe_infer_iterable(FeInfer *in, const AstExpr *expr) {
    const FeType *type = fe_infer_expr(in, expr);
    switch (type->kind) {
    case FE_UNKNOWN:
    case FE_ERROR: return fe_infer_silent(in);
    case FE_RANGE: return iterate_call(in, expr);
    case FE_ARRAY: return fe_infer_element(in, type, 1, true);
    case FE_TUPLE: return iterate_tuple(in, expr, type);
    default:
        return fe_infer_fail(in, expr->span, type_is_number(type) ? "write range(...)" : NULL,
                             "%s cannot be looped over", fe_infer_name(in, type));
    }
}

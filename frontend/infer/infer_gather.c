/* Subscripts with arrays among their indices. a[indices] and m[rows, columns] are new arrays of the elements that
 * arrays of ints name; assignments to them, and a[mask] = an array, store there. All are calls of functions of
 * frontend/numpy/. For an array of ints may stand a list, a mask of one axis, and the tuples that np.nonzero gives. */
#include "frontend/infer/library.h"

static bool is_indices(const FeType *type) {
    return type->kind == FE_ARRAY && ir_scalar_is_int((IrScalar)type->ir.scalar);
}

static bool are_ints(const FeType *list) {
    for (uint32_t i = 0; i < list->count; i++)
        if (!type_is_int(list->items[i])) return false;
    return list->count > 0;
}

static bool is_mask(const FeType *type) {
    return type->kind == FE_ARRAY && type->ir.scalar == TY_BOOL;
}

/* Arrays of indices, one for each axis but for one of a single axis: what np.nonzero gives. */
static bool is_places(const FeType *type) {
    if (type->kind != FE_TUPLE || type->count == 0) return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!is_indices(type->items[i])) return false;
    return true;
}

/* The array or the tuple of arrays that an index, inferred already, stands for; NULL if it is none. */
static const FeType *indices_of(FeInfer *in, const AstExpr *item) {
    if (item->kind == AST_SLICE || item->kind == AST_ELLIPSIS) return NULL;
    const FeType *type = node_at(in, item)->type;
    if (!type) return NULL;
    if (is_indices(type) || is_mask(type)) return type;
    if (type->kind == FE_LIST && are_ints(type))
        return fe_type_ir(in->types, ir_array(TY_INT64, 1, LAYOUT_C));
    if (!is_places(type)) return NULL;
    return type->count == 1 ? type->items[0] : type;
}

bool fe_infer_is_indices(FeInfer *in, const AstExpr *item) {
    return indices_of(in, item) != NULL;
}

bool fe_infer_is_gather(FeInfer *in, const AstExpr *expr) {
    if (expr->kind != AST_SUBSCRIPT || fe_infer_is_mask(in, expr)) return false;
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (indices_of(in, expr->items.data[i])) return true;
    return false;
}

/* What a function of the library is given. */
typedef struct Picked {
    const char *name; /* "_taken", "_picked", "_columns" */
    JrText letters;   /* of the arguments: FeFunc.library */
    uint32_t count;
    AstExpr **args;
    const FeType **types;
    unsigned ndim; /* of what is picked */
} Picked;

static void give(FeInfer *in, Picked *picked, AstExpr *arg, const FeType *type) {
    bool array = type->kind == FE_ARRAY;
    if (type->kind == FE_TUPLE)
        jr_text_puts(&picked->letters, "t");
    else if (array && is_mask(type) && picked->count)
        jr_text_puts(&picked->letters, type->ir.ndim == 1 ? "m" : "?");
    else
        jr_text_printf(&picked->letters, "%u", array ? type->ir.ndim : 0U);
    picked->args[picked->count] = arg;
    picked->types[picked->count++] = type;
    (void)in;
}

static bool is_whole(const AstExpr *item) {
    return item->kind == AST_SLICE && !item->left && !item->right && !item->cond;
}

/* m[rows, columns], one of which may be a number, or all of them. */
static bool pick_two(FeInfer *in, const AstExpr *expr, Picked *picked) {
    AstExpr *rows = expr->items.data[0], *columns = expr->items.data[1];
    picked->name = is_whole(rows) ? "_columns" : is_whole(columns) ? "_taken" : "_picked";
    picked->ndim = is_whole(rows) || is_whole(columns) ? 2 : 1;
    for (uint32_t i = 0; i < 2; i++) {
        AstExpr *item = expr->items.data[i];
        const FeType *indices = indices_of(in, item);
        if (is_whole(item)) continue;
        if (indices)
            give(in, picked, item, indices);
        else if (item->kind != AST_SLICE && item->kind != AST_ELLIPSIS &&
                 type_is_int(node_at(in, item)->type))
            give(in, picked, item, scalar_type(in, TY_INT64));
        else
            return false;
    }
    return true;
}

/* Which function of the library a subscript is, `into` it or of it, and its first arguments. */
static bool pick(FeInfer *in, const AstExpr *expr, const FeType *array, Picked *picked) {
    *picked = (Picked){.name = "_taken"};
    jr_text_init(&picked->letters, in->arena);
    picked->args = JR_NEW_ARRAY(in->arena, AstExpr *, 4);
    picked->types = JR_NEW_ARRAY(in->arena, const FeType *, 4);
    give(in, picked, expr->left, array);
    if (expr->items.len == 2 && array->ir.ndim == 2) return pick_two(in, expr, picked);
    if (expr->items.len != 1) return false;
    const FeType *indices = indices_of(in, expr->items.data[0]);
    give(in, picked, expr->items.data[0], indices);
    bool places = indices->kind == FE_TUPLE;
    picked->ndim = places ? 1 : array->ir.ndim + indices->ir.ndim - 1;
    return !places || indices->count == array->ir.ndim;
}

static const FeType *refuse(FeInfer *in, const AstExpr *expr, const FeType *array) {
    if (expr->items.len == 1)
        return fe_infer_fail(in, expr->at, "write a loop", "%s cannot be indexed with %s here",
                             fe_infer_name(in, array),
                             fe_infer_name(in, node_at(in, expr->items.data[0])->type));
    return fe_infer_fail(in, expr->at,
                         "take the slice first, m[1:][rows, columns], or write a loop",
                         "arrays among indices are supported in m[rows, columns] of a matrix, "
                         "where one may be a "
                         "number or ':'");
}

static FeFunc *function_of(FeInfer *in, const Picked *picked, const char *before,
                           const char *more) {
    const char *name = jr_arena_printf(in->arena, "%s%s", before, picked->name);
    return fe_library_own(in, name,
                          jr_arena_printf(in->arena, "%s%s", picked->letters.data, more));
}

static void settle_indices(FeInfer *in, const AstExpr *expr) {
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (expr->items.data[i]->kind != AST_SLICE) fe_infer_settle(in, expr->items.data[i]);
}

const FeType *fe_infer_gather(FeInfer *in, const AstExpr *expr, const FeType *array,
                              bool store) {
    Picked picked;
    if (!pick(in, expr, array, &picked)) return refuse(in, expr, array);
    settle_indices(in, expr);
    FeFunc *func = function_of(in, &picked, store ? "_put" : "", store ? "0" : "");
    if (!func) return refuse(in, expr, array);
    if (store)
        return fe_type_ir(in->types, ir_array(array->ir.scalar, picked.ndim, LAYOUT_ANY));
    return fe_infer_call_own(in, expr, func, picked.args, picked.types);
}

/* a[mask] = an array, for ranks there are. */
static FeFunc *put_masked(FeInfer *in, const AstExpr *target) {
    unsigned ndim = node_at(in, target->left)->type->ir.ndim;
    return fe_library_own(in, "_put_masked", jr_arena_printf(in->arena, "%u%u1", ndim, ndim));
}

bool fe_infer_can_put_masked(FeInfer *in, const AstExpr *target, const FeType *value) {
    return value->ir.ndim == 1 && put_masked(in, target) != NULL;
}

void fe_infer_put(FeInfer *in, const AstExpr *target, const FeType *value) {
    const FeType *array = node_at(in, target->left)->type;
    const FeType *into = node_at(in, target)->type;
    bool many = value->kind == FE_ARRAY;
    Picked picked;
    pick(in, target, array, &picked);
    const char *rank = jr_arena_printf(in->arena, "%u", many ? value->ir.ndim : 0U);
    FeFunc *func = fe_infer_is_mask(in, target) ? put_masked(in, target)
                                                : function_of(in, &picked, "_put", rank);
    picked.types[picked.count] = many ? value : scalar_type(in, (IrScalar)array->ir.scalar);
    fe_infer_call_own(in, target, func, picked.args, picked.types);
    node_at(in, target)->type = into;
}

/* Subscripts: elements, views and items of tuples. */
#include "frontend/infer/infer.h"

/* What the indices of a[...] take from an array's axes. */
typedef struct Shape {
    unsigned taken;   /* axes that an index or a slice stands for */
    unsigned dropped; /* by integers */
    unsigned added;   /* by None */
    unsigned ellipses;
    bool contiguous; /* of a contiguous array: the result is too */
    bool arrays;     /* there are arrays among the indices */
    bool ok;
} Shape;

static void check_bound(FeInfer *in, const AstExpr *expr, Shape *shape) {
    if (!expr) return;
    const FeType *type = fe_infer_expr(in, expr);
    if (!type_is_void(type) && !type_is_int(type))
        fe_infer_fail(in, expr->span, "convert it: int(x), or leave it out",
                      "a slice takes integers, not %s", fe_infer_name(in, type));
    shape->ok &= !type_is_void(type);
    fe_infer_settle(in, expr);
}

static bool is_whole(const AstExpr *slice) {
    return !slice->left && !slice->right && !slice->cond;
}

static void take_slice(FeInfer *in, const AstExpr *slice, Shape *shape) {
    check_bound(in, slice->left, shape);
    check_bound(in, slice->right, shape);
    check_bound(in, slice->cond, shape);
    const FeConst *step = slice->cond ? node_at(in, slice->cond)->value : NULL;
    bool one = !slice->cond || (step && step->kind == FE_CONST_INT && step->i == 1);
    if (step && step->kind == FE_CONST_INT && step->i == 0)
        fe_infer_fail(in, slice->cond->span, NULL, "a slice's step cannot be 0");
    /* Leading integers, then one slice, then whole axes: no gaps. */
    bool leading = shape->taken == shape->dropped;
    shape->contiguous &= is_whole(slice) || (one && leading);
    shape->taken++;
}

static void take_index(FeInfer *in, const AstExpr *item, Shape *shape) {
    const FeType *type = fe_infer_expr(in, item);
    if (type->kind == FE_NONE) {
        shape->added++;
        shape->contiguous = false;
        return;
    }
    if (fe_infer_is_indices(in, item)) {
        shape->arrays = true;
        return;
    }
    if (!type_is_void(type) && !type_is_int(type))
        fe_infer_fail(in, item->span,
                      type_is_bool(type) ? "convert it: int(x)"
                                         : "convert it: int(x), or use //",
                      "an index must be an integer, not %s", fe_infer_name(in, type));
    shape->ok &= type_is_int(type);
    shape->contiguous &= shape->taken == shape->dropped;
    shape->taken++;
    shape->dropped++;
    fe_infer_settle(in, item);
}

/* a[t] of a tuple of ints is a[t[0], t[1]]. */
static bool take_tuple(FeInfer *in, const AstExpr *item, Shape *shape) {
    const FeType *type = fe_infer_expr(in, item);
    if (type->kind != FE_TUPLE) return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!type_is_int(type->items[i])) return false;
    shape->taken = shape->dropped = type->count;
    fe_infer_settle(in, item);
    return true;
}

static void take_item(FeInfer *in, const AstExpr *item, Shape *shape) {
    if (item->kind == AST_SLICE) {
        take_slice(in, item, shape);
    } else if (item->kind == AST_ELLIPSIS) {
        shape->ellipses++;
    } else {
        take_index(in, item, shape);
    }
}

static const FeType *array_subscript(FeInfer *in, const AstExpr *expr, const FeType *array,
                                     bool store) {
    Shape shape = {.contiguous = array->ir.layout == LAYOUT_C, .ok = true};
    unsigned ndim = array->ir.ndim;
    const AstExpr *only = expr->items.len == 1 ? expr->items.data[0] : NULL;
    bool value = only && only->kind != AST_SLICE && only->kind != AST_ELLIPSIS;
    if (!value || !take_tuple(in, only, &shape))
        for (uint32_t i = 0; i < expr->items.len; i++)
            take_item(in, expr->items.data[i], &shape);
    if (fe_infer_is_mask(in, expr)) return fe_infer_mask(in, array);
    if (shape.arrays && !shape.ok) return fe_infer_silent(in);
    if (shape.arrays) return fe_infer_gather(in, expr, array, store);
    if (shape.ellipses > 1)
        return fe_infer_fail(in, expr->at, NULL, "only one '...' may stand in a subscript");
    if (shape.taken > ndim)
        return fe_infer_fail(in, expr->at, NULL, "%s has %u dimension%s, but this takes %u",
                             fe_infer_name(in, array), ndim, ndim == 1 ? "" : "s",
                             shape.taken);
    unsigned left = ndim - shape.dropped + shape.added;
    if (left > IR_MAX_DIMS)
        return fe_infer_fail(in, expr->at, NULL, "an array has at most %d dimensions",
                             IR_MAX_DIMS);
    if (!shape.ok) return fe_infer_silent(in);
    if (left == 0) return scalar_type(in, array->ir.scalar);
    /* An ellipsis stands for whole axes; only at the end do they stay where they are. */
    bool inner = shape.ellipses && expr->items.data[expr->items.len - 1]->kind != AST_ELLIPSIS;
    bool contiguous = shape.contiguous && !(inner && shape.taken > 0);
    return fe_type_ir(in->types,
                      ir_array(array->ir.scalar, left, contiguous ? LAYOUT_C : LAYOUT_ANY));
}

/* Whether no number has to be converted to make one type of both. */
static bool differ_in_layout(FeTypes *types, const FeType *a, const FeType *b) {
    if (a->kind != FE_TUPLE || b->kind != FE_TUPLE)
        return a->kind == FE_ARRAY ? fe_unify(types, a, b) != NULL
                                   : fe_type_strong(types, a) == fe_type_strong(types, b);
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!differ_in_layout(types, a->items[i], b->items[i])) return false;
    return true;
}

const FeType *fe_infer_uniform_item(FeInfer *in, const FeType *tuple) {
    const FeType *type = tuple->count ? tuple->items[0] : NULL;
    for (uint32_t i = 1; i < tuple->count; i++) {
        if (!differ_in_layout(in->types, type, tuple->items[i])) return NULL;
        type = fe_unify(in->types, type, tuple->items[i]);
    }
    return type;
}

/* A bound of t[a:b:c]: NULL in *out if it is left out. */
static bool tuple_bound(FeInfer *in, const AstExpr *expr, const FeConst **out) {
    *out = NULL;
    if (!expr) return true;
    const FeType *type = fe_infer_expr(in, expr);
    fe_infer_settle(in, expr);
    if (type->kind == FE_NONE) return true;
    *out = node_at(in, expr)->value;
    if (*out && (*out)->kind == FE_CONST_INT) return true;
    if (!type_is_void(type))
        fe_infer_fail(in, expr->span, "index an array instead, or take the items one by one",
                      "a slice of a tuple takes constant integers");
    return false;
}

static __int128 clamped(const FeConst *bound, __int128 otherwise, __int128 n, bool down) {
    if (!bound) return otherwise;
    __int128 at = bound->i < 0 ? bound->i + n : bound->i, low = down ? -1 : 0;
    __int128 high = down ? n - 1 : n;
    return at < low ? low : at > high ? high : at;
}

bool fe_tuple_slice(const FeConst *const bounds[3], uint32_t count, FeTupleSlice *out) {
    __int128 n = count, step = bounds[2] ? bounds[2]->i : 1;
    if (step == 0) return false;
    bool down = step < 0;
    __int128 first = clamped(bounds[0], down ? n - 1 : 0, n, down);
    __int128 last = clamped(bounds[1], down ? -1 : n, n, down);
    __int128 distance = down ? first - last : last - first, size = down ? -step : step;
    *out = (FeTupleSlice){.first = (int64_t)first};
    out->count = distance > 0 ? (uint32_t)((distance - 1) / size + 1) : 0;
    out->step = out->count > 1 ? (int64_t)step : 1;
    return true;
}

static const FeType *sliced_tuple(FeInfer *in, const AstExpr *expr) {
    const AstExpr *slice = expr->items.data[0];
    const FeConst *bounds[3];
    FeTupleSlice part;
    fe_infer_settle(in, expr->left);
    const FeType *tuple = node_at(in, expr->left)->type;
    if (!tuple_bound(in, slice->left, &bounds[0]) ||
        !tuple_bound(in, slice->right, &bounds[1]) ||
        !tuple_bound(in, slice->cond, &bounds[2]))
        return fe_infer_silent(in);
    if (!fe_tuple_slice(bounds, tuple->count, &part))
        return fe_infer_fail(in, slice->cond->span, NULL, "a slice's step cannot be 0");
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, part.count + 1);
    for (uint32_t i = 0; i < part.count; i++)
        items[i] = tuple->items[part.first + i * part.step];
    return fe_type_tuple(in->types, part.count, items);
}

static const FeType *tuple_subscript(FeInfer *in, const AstExpr *expr, const FeType *tuple) {
    const AstExpr *item = expr->items.data[0];
    if (expr->items.len != 1)
        return fe_infer_fail(in, expr->at, "take its items one by one",
                             "a tuple takes one index");
    if (item->kind == AST_SLICE) return sliced_tuple(in, expr);
    const FeType *type = fe_infer_expr(in, item);
    if (type_is_void(type)) return fe_infer_silent(in);
    if (!type_is_int(type))
        return fe_infer_fail(in, item->span, NULL, "an index must be an integer, not %s",
                             fe_infer_name(in, type));
    fe_infer_settle(in, item);
    const FeConst *value = node_at(in, item)->value;
    uint32_t at;
    const FeConst *known = fe_const_item(node_at(in, expr->left)->value, value, &at);
    if (known) {
        node_at(in, expr)->value = known;
        return tuple->items[at];
    }
    if (!value) {
        fe_infer_settle(in, expr->left);
        const FeType *one = fe_infer_uniform_item(in, tuple);
        if (one) return in->checking ? fe_type_strong(in->types, one) : one;
        return fe_infer_fail(
            in, item->span, "use a constant, or items of one type",
            "the items of this tuple have different types: the index must be a constant");
    }
    __int128 index = value->i < 0 ? value->i + tuple->count : value->i;
    if (index < 0 || index >= tuple->count)
        return fe_infer_fail(in, item->span, NULL, "this tuple has %u item%s", tuple->count,
                             tuple->count == 1 ? "" : "s");
    const FeType *found = tuple->items[index];
    fe_infer_settle(in, expr->left);
    return in->checking ? node_at(in, expr->left)->type->items[index] : found;
}

const FeType *fe_infer_subscript(FeInfer *in, const AstExpr *expr, bool store) {
    const FeType *type = fe_infer_expr(in, expr->left);
    if (type->kind == FE_ARRAY) return array_subscript(in, expr, type, store);
    if (type->kind == FE_TUPLE && !store) return tuple_subscript(in, expr, type);
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (expr->items.data[i]->kind != AST_SLICE &&
            expr->items.data[i]->kind != AST_ELLIPSIS)
            fe_infer_expr(in, expr->items.data[i]);
    if (type_is_void(type)) return fe_infer_silent(in);
    if (type->kind == FE_TUPLE)
        return fe_infer_fail(in, expr->at, "make a new tuple, or use an array",
                             "a tuple cannot be changed");
    return fe_infer_fail(in, expr->at, NULL, "%s cannot be indexed", fe_infer_name(in, type));
}

const FeType *fe_infer_element(FeInfer *in, const FeType *array, unsigned drop,
                               bool contiguous) {
    unsigned ndim = array->ir.ndim - drop;
    if (ndim == 0) return scalar_type(in, array->ir.scalar);
    bool c = contiguous && array->ir.layout == LAYOUT_C;
    return fe_type_ir(in->types, ir_array(array->ir.scalar, ndim, c ? LAYOUT_C : LAYOUT_ANY));
}

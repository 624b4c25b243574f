/* Subscripts. An index for every axis is a LOAD or a STORE; anything else is a VIEW, whose
 * slices are worked out here, as CPython's PySlice_AdjustIndices has it: a negative bound
 * counts from the end, then both are clamped to the axis (for a negative step to one before
 * its start and its last element), and what lies between, divided by the step and rounded up,
 * is the length. The arithmetic folds what is known, so that a[1:-1] costs a minimum, two
 * maxima and three sums. */
#include "frontend/lower/lower.h"

#include <string.h>

typedef struct Bounds {
    IrReg start, length, step;
} Bounds;

/* A bound of a slice with a positive step, within 0..n. */
static IrReg clamp_bound(Lower *low, IrReg bound, IrReg n) {
    int64_t known;
    IrReg zero = fe_int_const(low, 0);
    bool constant = fe_known_int(low, bound, &known);
    if (constant && known == 0) return bound;
    if (constant && known < 0)
        return fe_int_binary(low, OP_MAX, fe_int_binary(low, OP_ADD, n, bound), zero);
    if (fe_reg_nonnegative(low, bound, 4)) return fe_int_binary(low, OP_MIN, bound, n);
    IrReg negative = fe_int_compare(low, OP_LT, bound, zero);
    IrReg counted = fe_int_select(low, negative, fe_int_binary(low, OP_ADD, bound, n), bound);
    return fe_int_binary(low, OP_MIN, fe_int_binary(low, OP_MAX, counted, zero), n);
}

/* The same between any two limits, which go with the sign of the step. */
static IrReg clamp_between(Lower *low, IrReg bound, IrReg n, IrReg least, IrReg most) {
    IrReg negative = fe_int_compare(low, OP_LT, bound, fe_int_const(low, 0));
    IrReg counted = fe_int_select(low, negative, fe_int_binary(low, OP_ADD, bound, n), bound);
    return fe_int_binary(low, OP_MIN, fe_int_binary(low, OP_MAX, counted, least), most);
}

/* ceil(span / step) for span >= 0, step > 0, without overflow. */
static IrReg steps_in(Lower *low, IrReg span, IrReg step) {
    int64_t known;
    if (fe_known_int(low, step, &known) && known == 1) return span;
    IrReg one = fe_int_const(low, 1);
    IrReg whole = fe_int_binary(low, OP_FLOORDIV, fe_int_binary(low, OP_SUB, span, one), step);
    return fe_int_binary(low, OP_ADD, whole, one);
}

static Bounds slice_up(Lower *low, IrReg lo, IrReg hi, IrReg step, IrReg n) {
    IrReg zero = fe_int_const(low, 0);
    IrReg start = lo == IR_NO_REG ? zero : clamp_bound(low, lo, n);
    IrReg stop = hi == IR_NO_REG ? n : clamp_bound(low, hi, n);
    IrReg span = fe_int_binary(low, OP_SUB, stop, start);
    if (start != zero && stop != n) span = fe_int_binary(low, OP_MAX, span, zero);
    return (Bounds){start, steps_in(low, span, step), step};
}

static Bounds slice_down(Lower *low, IrReg lo, IrReg hi, int64_t step, IrReg n) {
    IrReg zero = fe_int_const(low, 0), before = fe_int_const(low, -1);
    IrReg last = fe_int_binary(low, OP_ADD, n, before);
    IrReg start = lo == IR_NO_REG ? last : clamp_between(low, lo, n, before, last);
    IrReg stop = hi == IR_NO_REG ? before : clamp_between(low, hi, n, before, last);
    IrReg span =
        lo == IR_NO_REG && hi == IR_NO_REG ? n : fe_int_binary(low, OP_SUB, start, stop);
    if (hi != IR_NO_REG) span = fe_int_binary(low, OP_MAX, span, zero);
    int64_t size = step == INT64_MIN ? INT64_MAX : -step;
    return (Bounds){fe_int_binary(low, OP_MAX, start, zero),
                    steps_in(low, span, fe_int_const(low, size)), fe_int_const(low, -size)};
}

/* A step that only the run knows: each part is selected by its sign. */
static Bounds slice_either(Lower *low, IrReg lo, IrReg hi, IrReg step, IrReg n) {
    IrReg zero = fe_int_const(low, 0), before = fe_int_const(low, -1);
    fe_raise_if(low, fe_int_compare(low, OP_EQ, step, zero), EXC_VALUE,
                "slice step cannot be zero");
    step = fe_int_binary(low, OP_MAX, step, fe_int_const(low, -INT64_MAX));
    IrReg down = fe_int_compare(low, OP_LT, step, zero);
    IrReg least = fe_int_select(low, down, before, zero);
    IrReg most = fe_int_binary(low, OP_ADD, n, least);
    IrReg start = lo == IR_NO_REG ? fe_int_select(low, down, most, zero)
                                  : clamp_between(low, lo, n, least, most);
    IrReg stop = hi == IR_NO_REG ? fe_int_select(low, down, before, n)
                                 : clamp_between(low, hi, n, least, most);
    IrReg span = fe_int_select(low, down, fe_int_binary(low, OP_SUB, start, stop),
                               fe_int_binary(low, OP_SUB, stop, start));
    IrReg size = fe_int_select(low, down, fe_int_binary(low, OP_SUB, zero, step), step);
    span = fe_int_binary(low, OP_MAX, span, zero);
    return (Bounds){fe_int_binary(low, OP_MAX, start, zero), steps_in(low, span, size), step};
}

static bool is_none(Lower *low, const AstExpr *part) {
    return !part || part->kind == AST_NONE || fe_type_of(low, part)->kind == FE_NONE;
}

static IrReg bound(Lower *low, const AstExpr *part, IrReg absent) {
    return is_none(low, part) ? absent : fe_lower_index(low, part);
}

static Bounds slice_bounds(Lower *low, const AstExpr *slice, IrReg n) {
    IrReg lo = bound(low, slice->left, IR_NO_REG), hi = bound(low, slice->right, IR_NO_REG);
    IrReg step = bound(low, slice->cond, fe_int_const(low, 1));
    int64_t known;
    if (!fe_known_int(low, step, &known) || known == 0)
        return slice_either(low, lo, hi, step, n);
    return known > 0 ? slice_up(low, lo, hi, step, n) : slice_down(low, lo, hi, known, n);
}

/* ---- The parts of a subscript ---- */

typedef enum PartKind { PART_INDEX, PART_SLICE, PART_WHOLE, PART_NEW, PART_ELLIPSIS } PartKind;

static PartKind part_kind(Lower *low, const AstExpr *part) {
    if (part->kind == AST_ELLIPSIS) return PART_ELLIPSIS;
    if (part->kind != AST_SLICE) return is_none(low, part) ? PART_NEW : PART_INDEX;
    bool whole = is_none(low, part->left) && is_none(low, part->right);
    return whole && is_none(low, part->cond) ? PART_WHOLE : PART_SLICE;
}

static void take_range(Subscript *sub, Bounds bounds) {
    sub->axes[strlen(sub->axes)] = 'r';
    sub->operands[sub->n++] = bounds.start;
    sub->operands[sub->n++] = bounds.length;
    sub->operands[sub->n++] = bounds.step;
}

static void take_whole(Lower *low, Subscript *sub, uint8_t axis) {
    IrReg n = ir_build_dim(&low->b, sub->array, axis);
    take_range(sub, (Bounds){fe_int_const(low, 0), n, fe_int_const(low, 1)});
}

static void take_part(Lower *low, Subscript *sub, const AstExpr *part, PartKind kind,
                      uint8_t axis) {
    if (kind == PART_INDEX) {
        sub->axes[strlen(sub->axes)] = 'i';
        sub->operands[sub->n++] = fe_lower_index(low, part);
    } else if (kind == PART_NEW) {
        sub->axes[strlen(sub->axes)] = 'n';
    } else if (kind == PART_WHOLE) {
        take_whole(low, sub, axis);
    } else {
        take_range(sub, slice_bounds(low, part, ir_build_dim(&low->b, sub->array, axis)));
    }
}

/* The steps after which every axis left stays whole; they are not written down. */
static uint32_t parts_needed(Lower *low, const AstExprs *parts) {
    uint32_t n = parts->len;
    while (n) {
        PartKind kind = part_kind(low, parts->data[n - 1]);
        if (kind != PART_WHOLE && kind != PART_ELLIPSIS) break;
        n--;
    }
    return n;
}

static unsigned axes_taken(Lower *low, const AstExprs *parts) {
    unsigned taken = 0;
    for (uint32_t i = 0; i < parts->len; i++) {
        PartKind kind = part_kind(low, parts->data[i]);
        taken += kind != PART_NEW && kind != PART_ELLIPSIS;
    }
    return taken;
}

/* a[t]: the items of a tuple are the indices. */
static void take_tuple(Lower *low, Subscript *sub, const AstExpr *part) {
    Value tuple = fe_lower_expr(low, part);
    for (uint32_t i = 0; i < tuple.type->count; i++) {
        sub->axes[i] = 'i';
        sub->operands[sub->n++] = fe_index_reg(low, tuple.items[i]);
    }
}

static bool is_tuple(Lower *low, const AstExprs *parts) {
    PartKind kind = parts->len == 1 ? part_kind(low, parts->data[0]) : PART_SLICE;
    return kind == PART_INDEX && fe_type_of(low, parts->data[0])->kind == FE_TUPLE;
}

Subscript fe_subscript_eval(Lower *low, const AstExpr *expr) {
    const AstExprs *parts = &expr->items;
    Subscript sub = {.array = fe_lower_expr(low, expr->left).reg,
                     .type = fe_type_of(low, expr)};
    sub.element = sub.type->kind == FE_SCALAR;
    if (is_tuple(low, parts)) {
        take_tuple(low, &sub, parts->data[0]);
        return sub;
    }
    unsigned ndim = ir_reg_type(low->func, sub.array).ndim;
    unsigned between = ndim - axes_taken(low, parts);
    uint32_t needed = parts_needed(low, parts);
    uint8_t axis = 0;
    for (uint32_t i = 0; i < needed; i++) {
        PartKind kind = part_kind(low, parts->data[i]);
        for (unsigned k = 0; kind == PART_ELLIPSIS && k < between; k++)
            take_whole(low, &sub, axis++);
        if (kind == PART_ELLIPSIS) continue;
        take_part(low, &sub, parts->data[i], kind, axis);
        axis += kind != PART_NEW;
    }
    return sub;
}

/* ---- LOAD, STORE, VIEW ---- */

/* Bit by axis: an index that is known not to be negative need not wrap. */
static void set_checks(Lower *low, const Subscript *sub, IrStmt *stmt, bool checked) {
    uint8_t axis = 0, wrap = 0, all = 0;
    uint32_t at = 0;
    for (const char *step = sub->axes; *step; step++) {
        if (*step == 'i') {
            all |= (uint8_t)(1u << axis);
            if (!fe_reg_nonnegative(low, sub->operands[at], 4)) wrap |= (uint8_t)(1u << axis);
        }
        at += *step == 'r' ? 3 : *step == 'i';
        axis += *step != 'n';
    }
    stmt->u.mem.wrap = wrap;
    stmt->u.mem.check = checked && low->spec->func->options.boundscheck ? all : 0;
}

static IrReg build_view(Lower *low, const Subscript *sub, bool checked) {
    IrReg dst = ir_temp(low->func, sub->type->ir);
    IrReg args[1 + 3 * IR_MAX_DIMS] = {sub->array};
    for (uint32_t i = 0; i < sub->n; i++)
        args[i + 1] = sub->operands[i];
    IrStmt *view = ir_build(&low->b, OP_VIEW, 1, &dst, sub->n + 1, args);
    memcpy(view->u.mem.axes, sub->axes, sizeof sub->axes);
    set_checks(low, sub, view, checked);
    return dst;
}

static Value get(Lower *low, const Subscript *sub, bool checked) {
    if (!sub->element) return fe_value_reg(sub->type, build_view(low, sub, checked));
    IrScalar scalar = ir_reg_type(low->func, sub->array).scalar;
    IrReg dst = ir_temp(low->func, ir_scalar(scalar));
    set_checks(low, sub, ir_build_load(&low->b, dst, sub->array, sub->n, sub->operands),
               checked);
    return fe_value_ir(low, dst);
}

Value fe_subscript_get(Lower *low, const Subscript *sub) {
    return get(low, sub, true);
}

Value fe_subscript_get_unchecked(Lower *low, const Subscript *sub) {
    return get(low, sub, false);
}

void fe_subscript_set(Lower *low, const Subscript *sub, Value value, bool checked) {
    IrReg reg = fe_scalar_as(low, value, ir_reg_type(low->func, sub->array).scalar);
    set_checks(low, sub, ir_build_store(&low->b, sub->array, sub->n, sub->operands, reg),
               checked);
}

/* ---- Tuples ---- */

/* The item at an index that is right; all items have one type. */
Value fe_tuple_item(Lower *low, Value tuple, IrReg index, const FeType *type) {
    uint32_t n = tuple.type->count;
    if (n == 0) return fe_value_none(low);
    Value chosen = tuple.items[0];
    if (type->kind != FE_SCALAR) {
        chosen = fe_slot_new(low, type, NULL);
        fe_slot_assign(low, chosen, fe_value_converted(low, tuple.items[0], type));
    }
    for (uint32_t i = 1; i < n; i++) {
        IrReg here = fe_int_compare(low, OP_EQ, index, fe_int_const(low, i));
        if (type->kind == FE_SCALAR) {
            IrReg one = fe_scalar_as(low, tuple.items[i], type->ir.scalar);
            IrReg other = fe_scalar_as(low, chosen, type->ir.scalar);
            chosen = fe_value_ir(low, fe_int_select(low, here, one, other));
            continue;
        }
        IrStmt *branch = ir_build_if(&low->b, here);
        IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
        fe_slot_assign(low, chosen, fe_value_converted(low, tuple.items[i], type));
        fe_block_swap(low, outer);
    }
    return chosen;
}

static Value tuple_at(Lower *low, Value tuple, const AstExpr *expr) {
    IrReg n = fe_int_const(low, tuple.type->count), zero = fe_int_const(low, 0);
    IrReg index = fe_lower_index(low, expr->items.data[0]);
    IrReg negative = fe_int_compare(low, OP_LT, index, zero);
    index = fe_int_select(low, negative, fe_int_binary(low, OP_ADD, index, n), index);
    IrReg below = fe_int_compare(low, OP_LT, index, zero),
          above = fe_int_compare(low, OP_GE, index, n);
    IrReg outside = ir_build_binary(&low->b, OP_OR, ir_scalar(TY_BOOL), below, above);
    fe_raise_if(low, outside, EXC_INDEX, "tuple index out of range");
    return fe_tuple_item(low, tuple, index, fe_type_of(low, expr));
}

static const FeConst *tuple_bound(Lower *low, const AstExpr *expr) {
    const FeConst *value = expr ? fe_node_of(low, expr)->value : NULL;
    return value && value->kind == FE_CONST_INT ? value : NULL;
}

static Value sliced_tuple(Lower *low, const AstExpr *expr) {
    const AstExpr *slice = expr->items.data[0];
    const FeConst *bounds[] = {tuple_bound(low, slice->left), tuple_bound(low, slice->right),
                               tuple_bound(low, slice->cond)};
    Value tuple = fe_lower_expr(low, expr->left);
    FeTupleSlice part = {0};
    fe_tuple_slice(bounds, tuple.type->count, &part);
    Value *items = JR_NEW_ARRAY(low->arena, Value, part.count + 1);
    for (uint32_t i = 0; i < part.count; i++)
        items[i] = tuple.items[part.first + i * part.step];
    return fe_value_tuple(low, part.count, items);
}

static Value lower_tuple_subscript(Lower *low, const AstExpr *expr) {
    if (expr->items.data[0]->kind == AST_SLICE) return sliced_tuple(low, expr);
    const FeConst *known = fe_node_of(low, expr->items.data[0])->value;
    const AstExpr *left = expr->left;
    if (!known) return tuple_at(low, fe_lower_expr(low, left), expr);
    const FeNode *node = fe_node_of(low, left);
    uint32_t count = node->type->count;
    int64_t at = (int64_t)(known->i < 0 ? known->i + count : known->i);
    if (left->kind == AST_ATTR && node->builtin && node->builtin->id == BI_ARRAY_SHAPE)
        return fe_value_ir(
            low, ir_build_dim(&low->b, fe_lower_expr(low, left->left).reg, (uint8_t)at));
    return fe_lower_expr(low, left).items[at];
}

Value fe_lower_subscript(Lower *low, const AstExpr *expr) {
    if (fe_type_of(low, expr->left)->kind == FE_TUPLE) return lower_tuple_subscript(low, expr);
    if (fe_is_gather(low, expr)) return fe_lower_gather(low, expr);
    if (fe_is_mask(low, expr)) return fe_lower_mask(low, expr);
    Subscript sub = fe_subscript_eval(low, expr);
    return fe_subscript_get(low, &sub);
}

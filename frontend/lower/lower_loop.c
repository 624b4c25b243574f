/* Loops. `while` is LOOP { cond; if not cond: break; body }. `for` over a range is FOR with a
 * counter of its own, which is the variable when that needs no storage (lower_scan.c). `for`
 * over anything else (arrays, tuples, enumerate, zip, ranges within these) is a FOR over
 * positions: an Iter knows how many there are and makes the value at one.
 *
 * for and while may have an `else`: run when no break happened. A flag says so, and only if
 * the body has a break at all. */
#include "frontend/lower/lower.h"

/* ---- else ---- */

static void scope_enter(Lower *low, LoopScope *scope, const AstStmt *stmt) {
    *scope = (LoopScope){.outer = low->loop, .completed = IR_NO_REG};
    if (stmt->orelse.len && fe_block_breaks(&stmt->body)) {
        scope->completed = ir_var(low->func, ir_scalar(TY_BOOL), NULL);
        ir_build_copy(&low->b, scope->completed, fe_bool_const(low, true));
    }
}

/* After the loop, outside its scope: a break in the else is for the loop around. */
static void lower_else(Lower *low, const LoopScope *scope, const AstStmt *stmt) {
    if (!stmt->orelse.len) return;
    if (scope->completed == IR_NO_REG) {
        fe_lower_block(low, &stmt->orelse);
        return;
    }
    IrStmt *branch = ir_build_if(&low->b, scope->completed);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    fe_lower_block(low, &stmt->orelse);
    fe_block_swap(low, outer);
}

/* ---- while ---- */

static void lower_while_test(Lower *low, const AstExpr *cond) {
    IrReg done = fe_invert(low, fe_lower_cond(low, cond));
    const IrRegInfo *info = ir_reg(low->func, done);
    if (info->kind == REG_CONST && !info->value.i) return; /* while True */
    IrStmt *leave = ir_build_if(&low->b, done);
    IrBlock *outer = fe_block_swap(low, &leave->u.blocks.then);
    ir_build_break(&low->b);
    fe_block_swap(low, outer);
}

void fe_lower_while(Lower *low, const AstStmt *stmt) {
    LoopScope scope;
    scope_enter(low, &scope, stmt);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    lower_while_test(low, stmt->value);
    low->loop = &scope;
    fe_lower_block(low, &stmt->body);
    low->loop = scope.outer;
    fe_block_swap(low, outer);
    if (!fe_block_ends(low->b.block)) lower_else(low, &scope, stmt);
}

/* ---- Counting ---- */

IrBlock *fe_loop_range(Lower *low, IrReg lo, IrReg hi, IrReg *counter) {
    IrStmt *loop = ir_build_for(&low->b, lo, hi, fe_int_const(low, 1), counter);
    return fe_block_swap(low, &loop->u.blocks.then);
}

IrBlock *fe_loop_begin(Lower *low, IrReg n, IrReg *counter) {
    return fe_loop_range(low, fe_int_const(low, 0), n, counter);
}

void fe_loop_end(Lower *low, IrBlock *outer) {
    fe_block_swap(low, outer);
}

static IrReg build_u64(Lower *low, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&low->b, op, ir_scalar(TY_UINT64), a, b);
}

/* How many numbers range(lo, hi, step) has, step not 0. The distance may need all 64 bits, so
 * it is unsigned; more than INT64_MAX of them are as good as INT64_MAX. */
IrReg fe_range_length(Lower *low, IrReg lo, IrReg hi, IrReg step) {
    int64_t known;
    IrReg zero = fe_int_const(low, 0), one = ir_const_int(low->func, TY_UINT64, 1);
    if (fe_known_int(low, step, &known) && known == 1 && fe_known_int(low, lo, &known) &&
        known == 0)
        return fe_int_binary(low, OP_MAX, hi, zero);
    IrReg up = fe_int_compare(low, OP_GT, step, zero);
    IrReg first = fe_int_select(low, up, lo, hi), last = fe_int_select(low, up, hi, lo);
    IrReg stride = fe_int_select(low, up, step, fe_int_binary(low, OP_SUB, zero, step));
    IrReg some = fe_int_compare(low, OP_LT, first, last);
    IrReg distance = build_u64(low, OP_SUB, ir_build_cast(&low->b, TY_UINT64, last),
                               ir_build_cast(&low->b, TY_UINT64, first));
    IrReg whole = build_u64(low, OP_FLOORDIV, build_u64(low, OP_SUB, distance, one),
                            ir_build_cast(&low->b, TY_UINT64, stride));
    IrReg most = ir_const(low->func, TY_UINT64, (IrConst){.u = INT64_MAX - 1});
    IrReg count = ir_build_cast(&low->b, TY_INT64, build_u64(low, OP_MIN, whole, most));
    return fe_int_select(low, some, fe_int_binary(low, OP_ADD, count, fe_int_const(low, 1)),
                         zero);
}

typedef struct Range {
    IrReg lo, hi, step;
} Range;

/* A register that keeps its value whatever the body assigns. */
static IrReg steady(Lower *low, IrReg reg) {
    if (ir_reg(low->func, reg)->kind != REG_VAR) return reg;
    IrReg copy = ir_temp(low->func, ir_reg_type(low->func, reg));
    ir_build_copy(&low->b, copy, reg);
    return copy;
}

static IrReg range_bound(Lower *low, const FeNode *node, uint32_t i, int64_t otherwise) {
    const AstExpr *expr = i < node->nargs ? node->args[i] : NULL;
    return expr ? steady(low, fe_lower_index(low, expr)) : fe_int_const(low, otherwise);
}

static Range lower_range(Lower *low, const AstExpr *expr) {
    const FeNode *node = fe_node_of(low, expr);
    JrSpan outer = low->b.span;
    low->b.span = expr->span;
    Range range;
    range.lo = range_bound(low, node, 0, 0);
    range.hi = range_bound(low, node, 1, 0);
    range.step = range_bound(low, node, 2, 1);
    IrReg is_zero = fe_int_compare(low, OP_EQ, range.step, fe_int_const(low, 0));
    fe_raise_if(low, is_zero, EXC_VALUE, "range() arg 3 must not be zero");
    low->b.span = outer;
    return range;
}

/* ---- Iterables other than a plain range ---- */

typedef enum IterKind {
    ITER_RANGE,
    ITER_ARRAY,
    ITER_TUPLE,
    ITER_ENUMERATE,
    ITER_ZIP,
    ITER_REVERSED,
    ITER_INDICES,
    ITER_ELEMENTS
} IterKind;

typedef struct Iter Iter;
struct Iter {
    IterKind kind;
    IrReg length;
    Range range;        /* RANGE */
    Value value;        /* ARRAY, TUPLE: pinned */
    const FeType *item; /* TUPLE: the type of every item */
    IrReg start;        /* ENUMERATE */
    uint32_t count;     /* ENUMERATE, REVERSED: 1, ZIP: any */
    Iter *parts;
    unsigned ndim; /* INDICES, ELEMENTS, whose array is `value` */
    IrReg *dims, *index;
    bool flat; /* ELEMENTS: without the indices */
};

static Iter iter_make(Lower *low, const AstExpr *expr);

static Iter iter_zip(Lower *low, const FeNode *node) {
    Iter iter = {.kind = ITER_ZIP, .count = node->nargs, .length = fe_int_const(low, 0)};
    iter.parts = JR_NEW_ARRAY(low->arena, Iter, node->nargs + 1);
    for (uint32_t i = 0; i < node->nargs; i++) {
        iter.parts[i] = iter_make(low, node->args[i]);
        IrReg length = iter.parts[i].length;
        iter.length = i ? fe_int_binary(low, OP_MIN, iter.length, length) : length;
    }
    return iter;
}

static Iter iter_enumerate(Lower *low, const FeNode *node) {
    Iter iter = {.kind = ITER_ENUMERATE, .count = 1};
    iter.parts = JR_NEW(low->arena, Iter);
    iter.parts[0] = iter_make(low, node->args[0]);
    iter.length = iter.parts[0].length;
    iter.start = range_bound(low, node, 1, 0);
    return iter;
}

static Iter iter_reversed(Lower *low, const FeNode *node) {
    Iter iter = {.kind = ITER_REVERSED, .count = 1};
    iter.parts = JR_NEW(low->arena, Iter);
    iter.parts[0] = iter_make(low, node->args[0]);
    iter.length = iter.parts[0].length;
    return iter;
}

/* ---- np.ndindex, np.ndenumerate, a.flat: indices that count like an odometer ---- */

/* Before the first iteration, which moves them to the first indices. */
static Iter iter_indices(Lower *low, unsigned ndim, const IrReg *dims) {
    Iter iter = {.kind = ITER_INDICES, .ndim = ndim, .length = fe_product(low, ndim, dims)};
    iter.dims = JR_NEW_ARRAY(low->arena, IrReg, ndim);
    iter.index = JR_NEW_ARRAY(low->arena, IrReg, ndim);
    for (unsigned i = 0; i < ndim; i++) {
        iter.dims[i] = dims[i];
        iter.index[i] = ir_var(low->func, ir_scalar(TY_INT64), NULL);
        ir_build_copy(&low->b, iter.index[i], fe_int_const(low, i + 1 == ndim ? -1 : 0));
    }
    return iter;
}

static Iter iter_ndindex(Lower *low, const FeNode *node) {
    Value tuple = fe_lower_expr(low, node->args[0]);
    bool one = node->nargs == 1 && tuple.type->kind == FE_TUPLE;
    uint32_t n = one ? tuple.type->count : node->nargs;
    IrReg *dims = JR_NEW_ARRAY(low->arena, IrReg, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        Value dim = one ? tuple.items[i] : i ? fe_lower_expr(low, node->args[i]) : tuple;
        dims[i] = steady(low, fe_index_reg(low, dim));
        fe_raise_if(low, fe_int_compare(low, OP_LT, dims[i], fe_int_const(low, 0)), EXC_VALUE,
                    "negative dimensions are not allowed");
    }
    return iter_indices(low, n, dims);
}

static Iter iter_elements(Lower *low, const AstExpr *expr, bool flat) {
    Value array = fe_value_pinned(low, fe_lower_expr(low, expr));
    IrReg dims[IR_MAX_DIMS];
    unsigned ndim = fe_array_dims(low, array.reg, dims);
    IrType type = ir_reg_type(low->func, array.reg);
    if (flat && type.layout == LAYOUT_C) {
        IrReg size = fe_product(low, ndim, dims);
        IrType row = ir_array((IrScalar)type.scalar, 1, LAYOUT_C);
        IrReg all = fe_array_reshaped(low, array.reg, row, 1, &size);
        return (Iter){.kind = ITER_ARRAY, .value = fe_value_ir(low, all), .length = size};
    }
    Iter iter = iter_indices(low, ndim, dims);
    iter.kind = ITER_ELEMENTS;
    iter.value = array;
    iter.flat = flat;
    return iter;
}

/* index[axis] += 1, and where that is its end, 0 and the one before it += 1. */
static void advance(Lower *low, const Iter *iter, unsigned axis) {
    IrReg at = iter->index[axis];
    ir_build_copy(&low->b, at, fe_int_binary(low, OP_ADD, at, fe_int_const(low, 1)));
    if (axis == 0) return;
    IrStmt *wrap = ir_build_if(&low->b, fe_int_compare(low, OP_EQ, at, iter->dims[axis]));
    IrBlock *outer = fe_block_swap(low, &wrap->u.blocks.then);
    ir_build_copy(&low->b, at, fe_int_const(low, 0));
    advance(low, iter, axis - 1);
    fe_block_swap(low, outer);
}

static Value next_indices(Lower *low, const Iter *iter) {
    IrReg *at = JR_NEW_ARRAY(low->arena, IrReg, iter->ndim);
    Value *items = JR_NEW_ARRAY(low->arena, Value, iter->ndim);
    advance(low, iter, iter->ndim - 1);
    for (unsigned i = 0; i < iter->ndim; i++) {
        at[i] = steady(low, iter->index[i]);
        items[i] = fe_value_ir(low, at[i]);
    }
    Value indices = fe_value_tuple(low, iter->ndim, items);
    if (iter->kind == ITER_INDICES) return indices;
    Value element = fe_value_ir(low, fe_array_load(low, iter->value.reg, iter->ndim, at));
    return iter->flat ? element : fe_value_tuple(low, 2, (Value[]){indices, element});
}

/* Inference saw to it that there is one; arrays may differ in layout. */
static const FeType *common_item(Lower *low, const FeType *tuple) {
    const FeType *type = tuple->count ? tuple->items[0] : NULL;
    for (uint32_t i = 1; i < tuple->count; i++)
        type = fe_unify(&low->module->types, type, tuple->items[i]);
    return type;
}

static Iter iter_value(Lower *low, const AstExpr *expr) {
    Value value = fe_value_pinned(low, fe_lower_expr(low, expr));
    if (value.type->kind == FE_TUPLE)
        return (Iter){.kind = ITER_TUPLE,
                      .value = value,
                      .item = common_item(low, value.type),
                      .length = fe_int_const(low, value.type->count)};
    return (Iter){
        .kind = ITER_ARRAY, .value = value, .length = ir_build_dim(&low->b, value.reg, 0)};
}

static Iter iter_make(Lower *low, const AstExpr *expr) {
    const FeNode *node = fe_node_of(low, expr);
    FeBuiltinId id = expr->kind == AST_CALL && node->builtin ? node->builtin->id : BI_COUNT;
    if (id == BI_ENUMERATE) return iter_enumerate(low, node);
    if (id == BI_ZIP) return iter_zip(low, node);
    if (id == BI_REVERSED) return iter_reversed(low, node);
    if (id == BI_NP_NDINDEX) return iter_ndindex(low, node);
    if (id == BI_NP_NDENUMERATE) return iter_elements(low, node->args[0], false);
    if (expr->kind == AST_ATTR && node->builtin && node->builtin->id == BI_ARRAY_FLAT)
        return iter_elements(low, expr->left, true);
    if (id != BI_RANGE && id != BI_PRANGE) return iter_value(low, expr);
    Iter iter = {.kind = ITER_RANGE, .range = lower_range(low, expr)};
    iter.length = fe_range_length(low, iter.range.lo, iter.range.hi, iter.range.step);
    return iter;
}

Value fe_array_item(Lower *low, Value array, IrReg at) {
    IrType type = ir_reg_type(low->func, array.reg);
    Subscript sub = {.array = array.reg, .n = 1, .operands = {at}, .axes = "i"};
    sub.element = type.ndim == 1;
    IrType item = ir_array((IrScalar)type.scalar, type.ndim - 1u, type.layout);
    sub.type = fe_type_ir(&low->module->types, sub.element ? ir_scalar(type.scalar) : item);
    return fe_subscript_get_unchecked(low, &sub);
}

static Value iter_at(Lower *low, const Iter *iter, IrReg at) {
    switch (iter->kind) {
    case ITER_RANGE: {
        IrReg offset = fe_int_binary(low, OP_MUL, at, iter->range.step);
        return fe_value_ir(low, fe_int_binary(low, OP_ADD, iter->range.lo, offset));
    }
    case ITER_ARRAY: return fe_array_item(low, iter->value, at);
    case ITER_INDICES:
    case ITER_ELEMENTS: return next_indices(low, iter);
    case ITER_TUPLE: return fe_tuple_item(low, iter->value, at, iter->item);
    case ITER_REVERSED: {
        IrReg last = fe_int_binary(low, OP_SUB, iter->length, fe_int_const(low, 1));
        return iter_at(low, &iter->parts[0], fe_int_binary(low, OP_SUB, last, at));
    }
    default: break;
    }
    Value *items = JR_NEW_ARRAY(low->arena, Value, iter->count + 2);
    uint32_t n = 0;
    if (iter->kind == ITER_ENUMERATE)
        items[n++] = fe_value_ir(low, fe_int_binary(low, OP_ADD, iter->start, at));
    for (uint32_t i = 0; i < iter->count; i++)
        items[n++] = iter_at(low, &iter->parts[i], at);
    return fe_value_tuple(low, n, items);
}

/* ---- for ---- */

/* The iterations of a prange that draws random numbers each have a stream of their own, so
 * that they draw the same in any order. */
static void lower_body(Lower *low, const AstStmt *stmt, LoopScope *scope, IrReg counter) {
    low->loop = scope;
    if (scope->stream) ir_build_rt(&low->b, RT_RANDOM_ENTER, 0, NULL, 1, &counter);
    fe_lower_block(low, &stmt->body);
    if (scope->stream && !fe_block_ends(low->b.block))
        ir_build_rt(&low->b, RT_RANDOM_LEAVE, 0, NULL, 0, NULL);
    low->loop = scope->outer;
}

static bool is_asserted(Lower *low, const FeNode *node) {
    const AstExpr *arg = node->nargs > 3 ? node->args[3] : NULL;
    const FeConst *value = arg ? fe_node_of(low, arg)->value : NULL;
    return value && value->i != 0;
}

/* ---- Ranges that are FORs of their own ---- */

static FeBuiltinId called(Lower *low, const AstExpr *expr) {
    const FeNode *node = fe_node_of(low, expr);
    return expr->kind == AST_CALL && node->builtin ? node->builtin->id : BI_COUNT;
}

static bool known_bound(Lower *low, const FeNode *node, uint32_t i, int64_t otherwise,
                        int64_t *out) {
    const AstExpr *expr = node->args[i];
    const FeConst *value = expr ? fe_node_of(low, expr)->value : NULL;
    *out = value ? (int64_t)value->i : otherwise;
    return !expr || (value && value->kind == FE_CONST_INT);
}

/* Whether range(start, stop, step) from its end is a range too: its end, one step before the start, has
 * to be a number, which is known if start and step are. */
static bool is_reversible(Lower *low, const FeNode *node) {
    int64_t start, step, end;
    return known_bound(low, node, 0, 0, &start) && known_bound(low, node, 2, 1, &step) &&
           step != INT64_MIN && !__builtin_sub_overflow(start, step, &end);
}

/* reversed(range(n)) is range(n - 1, -1, -1). */
static Range reversed_range(Lower *low, Range range) {
    IrReg length = fe_range_length(low, range.lo, range.hi, range.step);
    IrReg last = fe_int_binary(low, OP_SUB, length, fe_int_const(low, 1));
    IrReg offset = fe_int_binary(low, OP_MUL, last, range.step);
    return (Range){
        .lo = fe_int_binary(low, OP_ADD, range.lo, offset),
        .hi = fe_int_binary(low, OP_SUB, range.lo, range.step),
        .step = fe_int_binary(low, OP_SUB, fe_int_const(low, 0), range.step),
    };
}

/* The call of range or prange that a for goes over, from its end too; NULL if it is something else. */
static const AstExpr *plain_range(Lower *low, const AstExpr *expr) {
    FeBuiltinId id = called(low, expr);
    if (id == BI_RANGE || id == BI_PRANGE) return expr;
    if (id != BI_REVERSED) return NULL;
    const AstExpr *range = fe_node_of(low, expr)->args[0];
    bool plain = called(low, range) == BI_RANGE && is_reversible(low, fe_node_of(low, range));
    return plain ? range : NULL;
}

static IrStmt *build_range(Lower *low, const AstStmt *stmt, LoopScope *scope, IrReg *counter) {
    const AstExpr *expr = plain_range(low, stmt->value);
    const FeNode *node = fe_node_of(low, expr);
    Range range = lower_range(low, expr);
    if (expr != stmt->value) range = reversed_range(low, range);
    bool prange = node->builtin->id == BI_PRANGE;
    scope->stream = prange && fe_block_draws(low, &stmt->body);
    if (scope->stream) ir_build_rt(&low->b, RT_RANDOM_LOOP, 0, NULL, 0, NULL);
    IrStmt *loop = ir_build_for(&low->b, range.lo, range.hi, range.step, counter);
    loop->parallel = prange && low->spec->func->options.parallel;
    loop->asserted = prange && is_asserted(low, node);
    scope->parallel = loop->parallel;
    return loop;
}

void fe_lower_for(Lower *low, const AstStmt *stmt) {
    LoopScope scope;
    IrReg counter;
    bool plain = plain_range(low, stmt->value) != NULL;
    scope_enter(low, &scope, stmt);
    Iter iter = {0};
    IrStmt *loop;
    if (plain) {
        loop = build_range(low, stmt, &scope, &counter);
    } else {
        iter = iter_make(low, stmt->value);
        loop = ir_build_for(&low->b, fe_int_const(low, 0), iter.length, fe_int_const(low, 1),
                            &counter);
    }
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    Value item = plain ? fe_value_ir(low, counter) : iter_at(low, &iter, counter);
    fe_bind_target(low, stmt->targets.data[0], item);
    lower_body(low, stmt, &scope, counter);
    fe_block_swap(low, outer);
    lower_else(low, &scope, stmt);
}

/* Reductions: sum, prod, min, max, mean, argmin, argmax, any, all, and running sums.
 *
 * The expression that is reduced becomes part of the loop, without an array of its own. */
#include "frontend/lower/whole.h"

#include <math.h>
#include <string.h>

typedef enum Kind { SUM, PROD, MIN, MAX, MEAN, ARGMIN, ARGMAX, ANY, ALL, CUMSUM, PLAIN } Kind;

static Kind kind_of(FeBuiltinId id) {
    switch (id) {
    case BI_SUM: return PLAIN;
    case BI_NP_PROD:
    case BI_ARRAY_PROD: return PROD;
    case BI_NP_MIN:
    case BI_ARRAY_MIN: return MIN;
    case BI_NP_MAX:
    case BI_ARRAY_MAX: return MAX;
    case BI_NP_MEAN:
    case BI_ARRAY_MEAN: return MEAN;
    case BI_NP_ARGMIN:
    case BI_ARRAY_ARGMIN: return ARGMIN;
    case BI_NP_ARGMAX:
    case BI_ARRAY_ARGMAX: return ARGMAX;
    case BI_NP_ANY:
    case BI_ARRAY_ANY: return ANY;
    case BI_NP_ALL:
    case BI_ARRAY_ALL: return ALL;
    case BI_NP_CUMSUM:
    case BI_ARRAY_CUMSUM: return CUMSUM;
    default: return SUM;
    }
}

static bool is_arg(Kind kind) {
    return kind == ARGMIN || kind == ARGMAX;
}

/* ---- Combining one more element ---- */

typedef struct Acc {
    Kind kind;
    IrScalar element, result;
    IrReg value;          /* VAR: the result so far; for argmin the best element */
    IrReg count;          /* VAR: elements seen, where the position matters */
    IrReg where;          /* VAR: the position of the best */
    IrReg values, wheres; /* arrays, by part, where parts run on threads */
    IrReg total[3];       /* in a part: the value, count and where of the whole */
} Acc;

static IrReg combine(Lower *low, Kind kind, IrReg acc, IrReg next) {
    IrType type = ir_reg_type(low->func, acc);
    switch (kind) {
    case PROD: return ir_build_binary(&low->b, OP_MUL, type, acc, next);
    case MIN:
    case MAX:
        if (type.scalar == TY_BOOL)
            return ir_build_binary(&low->b, kind == MIN ? OP_AND : OP_OR, type, acc, next);
        return fe_pick(low, kind == MIN ? OP_LT : OP_GT, true, acc, next);
    case ANY: return ir_build_binary(&low->b, OP_OR, type, acc, next);
    case ALL: return ir_build_binary(&low->b, OP_AND, type, acc, next);
    default: return ir_build_binary(&low->b, OP_ADD, type, acc, next);
    }
}

/* The type it is accumulated in. */
static IrScalar acc_scalar(const Acc *acc) {
    return is_arg(acc->kind) ? acc->element : acc->result;
}

/* What to start from: neutral, but for a minimum or maximum, which starts from any of its
 * elements and is never asked for without one: an end of the type, or an infinity. */
static IrReg start_value(Lower *low, Kind kind, IrScalar scalar) {
    bool least = kind == MIN || kind == ARGMIN, most = kind == MAX || kind == ARGMAX;
    if (!least && !most) return ir_const_int(low->func, scalar, kind == PROD || kind == ALL);
    if (scalar == TY_BOOL) return fe_bool_const(low, least);
    if (ir_scalar_is_float(scalar))
        return ir_const_float(low->func, scalar, least ? INFINITY : -INFINITY);
    unsigned bits = 8 * ir_scalar_size(scalar);
    if (!ir_scalar_is_signed(scalar))
        return ir_const(low->func, scalar,
                        (IrConst){.u = least ? UINT64_MAX >> (64 - bits) : 0});
    int64_t high = (int64_t)(UINT64_MAX >> (65 - bits));
    return ir_const_int(low->func, scalar, least ? high : -high - 1);
}

static void acc_begin(Lower *low, Acc *acc) {
    IrScalar scalar = acc_scalar(acc);
    acc->value = ir_var(low->func, ir_scalar(scalar), NULL);
    ir_build_copy(&low->b, acc->value, start_value(low, acc->kind, scalar));
    if (!is_arg(acc->kind)) return;
    acc->count = ir_var(low->func, ir_scalar(TY_INT64), NULL);
    acc->where = ir_var(low->func, ir_scalar(TY_INT64), NULL);
    ir_build_copy(&low->b, acc->count, fe_int_const(low, 0));
    ir_build_copy(&low->b, acc->where, fe_int_const(low, 0));
}

/* Whether `next` takes the place of the best: better, or the first NaN. */
static IrReg is_better(Lower *low, const Acc *acc, IrReg next) {
    IrOp op = acc->kind == ARGMIN ? OP_LT : OP_GT;
    if (acc->element == TY_BOOL) {
        IrReg yes = acc->kind == ARGMIN ? acc->value : next;
        IrReg no = acc->kind == ARGMIN ? next : acc->value;
        IrReg rest = ir_build_unary(&low->b, OP_NOT, ir_scalar(TY_BOOL), no);
        return ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), yes, rest);
    }
    IrReg better = ir_build_compare(&low->b, op, next, acc->value);
    if (!ir_scalar_is_float(acc->element)) return better;
    IrReg nan = ir_build_compare(&low->b, OP_NE, next, next);
    IrReg none = ir_build_compare(&low->b, OP_EQ, acc->value, acc->value);
    IrReg first = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), nan, none);
    return ir_build_binary(&low->b, OP_OR, ir_scalar(TY_BOOL), better, first);
}

static void acc_add(Lower *low, void *data, Value element, IrReg target, unsigned n,
                    const IrReg *index) {
    (void)target, (void)n, (void)index;
    Acc *acc = data;
    bool truth = acc->kind == ANY || acc->kind == ALL;
    IrReg next =
        truth ? fe_truth_reg(low, element) : fe_scalar_as(low, element, acc_scalar(acc));
    if (!is_arg(acc->kind)) {
        ir_build_copy(&low->b, acc->value, combine(low, acc->kind, acc->value, next));
        return;
    }
    IrStmt *branch = ir_build_if(&low->b, is_better(low, acc, next));
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    ir_build_copy(&low->b, acc->value, next);
    ir_build_copy(&low->b, acc->where, acc->count);
    fe_block_swap(low, outer);
    ir_build_copy(&low->b, acc->count,
                  fe_int_binary(low, OP_ADD, acc->count, fe_int_const(low, 1)));
}

/* ---- In parts, on threads ---- */

static IrReg part_array(Lower *low, IrScalar scalar, IrReg parts) {
    IrReg array = fe_array_owned_temp(low, ir_array(scalar, 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &array, 1, &parts)->u.imm = false;
    return array;
}

static void parts_prepare(Lower *low, void *data, IrReg parts) {
    Acc *acc = data;
    acc->values = part_array(low, acc_scalar(acc), parts);
    if (is_arg(acc->kind)) acc->wheres = part_array(low, TY_INT64, parts);
}

static void parts_enter(Lower *low, void *data, IrReg first) {
    Acc *acc = data;
    IrReg total[] = {acc->value, acc->count, acc->where};
    memcpy(acc->total, total, sizeof total);
    acc_begin(low, acc);
    if (is_arg(acc->kind)) ir_build_copy(&low->b, acc->count, first);
}

static void parts_leave(Lower *low, void *data, IrReg part) {
    Acc *acc = data;
    fe_array_store(low, acc->values, 1, &part, acc->value);
    if (is_arg(acc->kind)) fe_array_store(low, acc->wheres, 1, &part, acc->where);
    acc->value = acc->total[0];
    acc->count = acc->total[1];
    acc->where = acc->total[2];
}

static void parts_finish(Lower *low, void *data, IrReg parts) {
    Acc *acc = data;
    IrReg part;
    IrBlock *outer = fe_loop_begin(low, parts, &part);
    IrReg next = fe_array_load(low, acc->values, 1, &part);
    if (is_arg(acc->kind)) {
        IrStmt *branch = ir_build_if(&low->b, is_better(low, acc, next));
        fe_block_swap(low, &branch->u.blocks.then);
        ir_build_copy(&low->b, acc->value, next);
        ir_build_copy(&low->b, acc->where, fe_array_load(low, acc->wheres, 1, &part));
    } else {
        ir_build_copy(&low->b, acc->value, combine(low, acc->kind, acc->value, next));
    }
    fe_loop_end(low, outer);
}

static const WholeJoin join_parts = {parts_prepare, parts_enter, parts_leave, parts_finish};

/* Whether the result is the same bits however the elements are cut into parts. */
static bool has_no_order(const Acc *acc) {
    bool adds = acc->kind != MIN && acc->kind != MAX && acc->kind != ANY && acc->kind != ALL;
    return is_arg(acc->kind) || !adds || !ir_scalar_is_float(acc->result);
}

static IrReg divided(Lower *low, IrReg sum, IrReg count) {
    IrType type = ir_reg_type(low->func, sum);
    IrReg by = ir_build_cast(&low->b, (IrScalar)type.scalar, count);
    return ir_build_binary(&low->b, OP_DIV, type, sum, by);
}

static IrReg acc_result(Lower *low, const Acc *acc, IrReg count) {
    if (is_arg(acc->kind)) return acc->where;
    return acc->kind == MEAN ? divided(low, acc->value, count) : acc->value;
}

/* An empty array has no minimum. */
static void check_some(Lower *low, Kind kind, IrReg empty) {
    const char *message =
        kind == MIN   ? "zero-size array to reduction operation minimum which has no identity"
        : kind == MAX ? "zero-size array to reduction operation maximum which has no identity"
        : kind == ARGMIN ? "attempt to get argmin of an empty sequence"
        : kind == ARGMAX ? "attempt to get argmax of an empty sequence"
                         : NULL;
    if (message) fe_raise_if(low, empty, EXC_VALUE, message);
}

static bool is_pairwise(Kind kind, IrScalar result) {
    return (kind == SUM || kind == MEAN) && ir_scalar_is_float(result);
}

/* ---- Of everything ---- */

static IrReg whole_size(Lower *low, const Whole *whole) {
    return fe_product(low, whole->ndim, whole->dims);
}

static IrReg reduce_all(Lower *low, Kind kind, Whole *whole, const FeOperation *operation) {
    IrReg size = whole_size(low, whole);
    if (is_pairwise(kind, operation->result)) {
        IrReg sum = fe_whole_sum(low, whole, operation->result);
        return kind == MEAN ? divided(low, sum, size) : sum;
    }
    check_some(low, kind, fe_int_compare(low, OP_EQ, size, fe_int_const(low, 0)));
    Acc acc = {.kind = kind, .element = operation->operand, .result = operation->result};
    acc_begin(low, &acc);
    whole->spreads = has_no_order(&acc);
    if (!whole->spreads) fe_note_serial(low, "a product of floats goes from left to right");
    whole->join = &join_parts;
    fe_whole_run_any(low, whole, IR_NO_REG, acc_add, &acc);
    return acc_result(low, &acc, size);
}

/* ---- Along an axis ---- */

typedef struct Along {
    Kind kind;
    IrScalar element, result;
    Whole *whole;
    IrScalar scalar; /* of its elements */
    IrReg into;
    unsigned ndim, axis;
    IrReg dims[IR_MAX_DIMS];
    IrReg index[IR_MAX_DIMS]; /* of the array; all but `axis` are loops around */
    WholeRow row;             /* of a pairwise sum */
} Along;

static Value element_at(Lower *low, const Along *along) {
    Value value = fe_whole_element(low, along->whole, along->ndim, along->index);
    return fe_value_ir(low, fe_scalar_as(low, value, along->scalar));
}

/* What is left of `from` without the axis. */
static unsigned without_axis(const Along *along, const IrReg *from, IrReg *to) {
    unsigned n = 0;
    for (unsigned i = 0; i < along->ndim; i++)
        if (i != along->axis) to[n++] = from[i];
    return n;
}

/* The result at the current index, by a loop along the axis. */
static IrReg reduce_row(Lower *low, Along *along) {
    IrReg n = along->dims[along->axis];
    if (is_pairwise(along->kind, along->result) && along->axis == along->ndim - 1) {
        WholeRow row = along->row;
        memcpy(row.index, along->index, sizeof row.index);
        IrReg sum = ir_var(low->func, ir_scalar(along->result), NULL);
        fe_whole_row_sum(low, &row, n, sum);
        return along->kind == MEAN ? divided(low, sum, n) : sum;
    }
    Acc acc = {.kind = along->kind, .element = along->element, .result = along->result};
    acc_begin(low, &acc);
    IrBlock *outer = fe_loop_begin(low, n, &along->index[along->axis]);
    acc_add(low, &acc, element_at(low, along), IR_NO_REG, 0, NULL);
    fe_loop_end(low, outer);
    return acc_result(low, &acc, n);
}

/* Elements for each index of one axis. */
static IrReg size_without(Lower *low, const Along *along, unsigned axis) {
    IrReg size = fe_int_const(low, 1);
    for (unsigned i = 0; i < along->ndim; i++)
        if (i != axis) size = fe_int_binary(low, OP_MUL, size, along->dims[i]);
    return size;
}

/* What the sums of rows need; long expressions are computed in blocks. */
static void prepare_rows(Lower *low, Along *along) {
    bool pairwise = is_pairwise(along->kind, along->result) && along->axis == along->ndim - 1;
    along->row = (WholeRow){.along = along->whole,
                            .n = along->ndim,
                            .axis = along->axis,
                            .scalar = along->result,
                            .buffer = IR_NO_REG};
    if (pairwise && along->whole->ops > WHOLE_MAX_SUMMED)
        fe_whole_begin_blocks(low, &along->row, IR_NO_REG);
}

static void reduce_rows(Lower *low, Along *along) {
    IrReg at[IR_MAX_DIMS];
    IrBlock *outer = low->b.block;
    unsigned first = along->axis == 0;
    Spread spread = fe_spread(low, along->dims[first], size_without(low, along, first));
    prepare_rows(low, along);
    fe_loop_range(low, spread.lo, spread.hi, &along->index[first]);
    for (unsigned i = first + 1; i < along->ndim; i++)
        if (i != along->axis) fe_loop_begin(low, along->dims[i], &along->index[i]);
    IrReg value = reduce_row(low, along);
    unsigned n = without_axis(along, along->index, at);
    fe_array_store(low, along->into, n, at, value);
    fe_loop_end(low, outer);
}

enum { BLOCK = 64 }; /* elements that threads write: on cache lines of their own */

/* Parts of the columns, in blocks. */
static Spread spread_columns(Lower *low, IrReg n, IrReg work) {
    IrReg block = fe_int_const(low, BLOCK), up = fe_int_const(low, BLOCK - 1);
    IrReg blocks = fe_int_binary(low, OP_FLOORDIV, fe_int_binary(low, OP_ADD, n, up), block);
    Spread spread = fe_spread(low, blocks, fe_int_binary(low, OP_MUL, work, block));
    spread.lo = fe_int_binary(low, OP_MUL, spread.lo, block);
    spread.hi = fe_int_binary(low, OP_MIN, n, fe_int_binary(low, OP_MUL, spread.hi, block));
    return spread;
}

/* All slices across the axis are added to the result, one after the other: the last axis stays
 * the inner loop. */
static void reduce_slices(Lower *low, Along *along) {
    IrReg at[IR_MAX_DIMS], dims[IR_MAX_DIMS];
    Value start = fe_value_ir(low, start_value(low, along->kind, along->result));
    fe_array_assign(low, along->into, start);
    unsigned n = without_axis(along, along->dims, dims);
    IrBlock *outer = low->b.block;
    unsigned last = along->ndim - 1;
    Spread spread = spread_columns(low, along->dims[last], size_without(low, along, last));
    for (unsigned i = 0; i < last; i++)
        fe_loop_begin(low, along->dims[i], &along->index[i]);
    fe_loop_range(low, spread.lo, spread.hi, &along->index[last]);
    without_axis(along, along->index, at);
    Value element = element_at(low, along);
    bool truth = along->kind == ANY || along->kind == ALL;
    IrReg next =
        truth ? fe_truth_reg(low, element) : fe_scalar_as(low, element, along->result);
    IrReg so_far = fe_array_load(low, along->into, n, at);
    fe_array_store(low, along->into, n, at, combine(low, along->kind, so_far, next));
    fe_loop_end(low, outer);
    if (along->kind != MEAN) return;
    for (unsigned i = 0; i < n; i++)
        fe_loop_begin(low, dims[i], &at[i]);
    IrReg sum = fe_array_load(low, along->into, n, at);
    fe_array_store(low, along->into, n, at, divided(low, sum, along->dims[along->axis]));
    fe_loop_end(low, outer);
}

static void check_axis_some(Lower *low, const Along *along, const IrReg *dims) {
    IrReg zero = fe_int_const(low, 0);
    IrReg empty = fe_int_compare(low, OP_EQ, along->dims[along->axis], zero);
    IrReg some = fe_int_compare(low, OP_NE, fe_product(low, along->ndim - 1, dims), zero);
    check_some(low, along->kind,
               ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), empty, some));
}

/* Each element is added to the result before it on the axis. */
static IrReg running_axis(Lower *low, Along *along) {
    IrReg *index = along->index, one = fe_int_const(low, 1);
    IrType type = ir_scalar(along->result);
    along->into = fe_array_owned_temp(low, ir_array(along->result, along->ndim, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &along->into, along->ndim, along->dims)->u.imm = false;
    IrBlock *outer = low->b.block;
    for (unsigned i = 0; i < along->ndim; i++)
        fe_loop_begin(low, along->dims[i], &index[i]);
    IrReg sum = ir_var(low->func, type, NULL);
    ir_build_copy(&low->b, sum,
                  ir_build_cast(&low->b, along->result, element_at(low, along).reg));
    IrReg here = index[along->axis];
    IrStmt *later =
        ir_build_if(&low->b, fe_int_compare(low, OP_GT, here, fe_int_const(low, 0)));
    IrBlock *body = fe_block_swap(low, &later->u.blocks.then);
    index[along->axis] = fe_int_binary(low, OP_SUB, here, one);
    IrReg before = fe_array_load(low, along->into, along->ndim, index);
    ir_build_copy(&low->b, sum, ir_build_binary(&low->b, OP_ADD, type, before, sum));
    fe_block_swap(low, body);
    index[along->axis] = here;
    fe_array_store(low, along->into, along->ndim, index, sum);
    fe_loop_end(low, outer);
    return along->into;
}

/* The scalar type of the plan's elements. */
static IrScalar scalar_of(Lower *low, const Whole *whole) {
    const Elem *root = whole->root;
    IrType type = root->leaf ? ir_reg_type(low->func, root->leaf->array)
                             : fe_type_of(low, root->expr)->ir;
    return (IrScalar)type.scalar;
}

static IrReg reduce_axis(Lower *low, Kind kind, Whole *whole, unsigned axis,
                         const FeOperation *operation) {
    Along along = {.kind = kind,
                   .element = operation->operand,
                   .result = operation->result,
                   .whole = whole,
                   .scalar = scalar_of(low, whole),
                   .ndim = whole->ndim,
                   .axis = axis};
    IrReg dims[IR_MAX_DIMS];
    memcpy(along.dims, whole->dims, sizeof along.dims);
    fe_whole_show_any(low, whole);
    if (kind == CUMSUM) return running_axis(low, &along);
    without_axis(&along, along.dims, dims);
    bool checks = kind == MIN || kind == MAX || is_arg(kind);
    if (checks) check_axis_some(low, &along, dims);
    along.into =
        fe_array_owned_temp(low, ir_array(operation->result, along.ndim - 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &along.into, along.ndim - 1, dims)->u.imm = false;
    if (is_arg(kind) || axis == along.ndim - 1)
        reduce_rows(low, &along);
    else
        reduce_slices(low, &along);
    return along.into;
}

/* ---- Running sums ---- */

static void run_on(Lower *low, void *data, Value element, IrReg target, unsigned n,
                   const IrReg *index) {
    (void)target, (void)n, (void)index;
    const Along *run = data; /* dims[0]: position, dims[1]: sum so far */
    fe_whole_add_to(low, run->dims[1], fe_scalar_as(low, element, run->result));
    fe_array_store(low, run->into, 1, &run->dims[0], run->dims[1]);
    fe_whole_add_to(low, run->dims[0], fe_int_const(low, 1));
}

static IrReg running_all(Lower *low, Whole *whole, const FeOperation *operation) {
    Along run = {.result = operation->result};
    IrReg size = whole_size(low, whole);
    run.into = fe_array_owned_temp(low, ir_array(operation->result, 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &run.into, 1, &size)->u.imm = false;
    run.dims[0] = fe_whole_int_var(low, fe_int_const(low, 0));
    run.dims[1] = ir_var(low->func, ir_scalar(operation->result), NULL);
    ir_build_copy(&low->b, run.dims[1],
                  ir_const_float(low->func, operation->result, -0.0)); /* -0.0 + x is x */
    fe_whole_run_any(low, whole, IR_NO_REG, run_on, &run);
    return run.into;
}

/* ---- Calls ---- */

static bool axis_given(Lower *low, const Call *call, unsigned ndim, unsigned *axis) {
    const AstExpr *arg = call->node->nargs > 1 ? fe_call_arg(call, 1) : NULL;
    const FeConst *value = arg ? fe_node_of(low, arg)->value : NULL;
    if (!value || value->kind != FE_CONST_INT) return false;
    *axis = (unsigned)(value->i < 0 ? value->i + ndim : value->i);
    return true;
}

Value fe_lower_reduce(Lower *low, const Call *call) {
    FeBuiltinId id = call->node->builtin->id;
    if (id == BI_NP_DOT || id == BI_ARRAY_DOT) {
        return fe_lower_matmul(low, call->expr, fe_call_arg(call, 0), fe_call_arg(call, 1));
    }
    Kind kind = kind_of(id);
    const FeOperation *operation = &call->node->operations[0];
    Whole *whole = fe_whole_plan(low, fe_call_arg(call, 0));
    unsigned axis;
    bool along = axis_given(low, call, whole->ndim, &axis) && whole->ndim > 1;
    IrReg result;
    if (kind == CUMSUM) fe_note_serial(low, "a running sum goes from left to right");
    if (along)
        result = reduce_axis(low, kind, whole, axis, operation);
    else if (kind == CUMSUM)
        result = running_all(low, whole, operation);
    else
        result = reduce_all(low, kind, whole, operation);
    return fe_value_converted(low, fe_value_ir(low, result), call->node->type);
}

/* ---- Products ---- */

static void check_aligned(Lower *low, IrReg a, IrReg k, IrReg b, IrReg k2) {
    IrStmt *branch = ir_build_if(&low->b, fe_int_compare(low, OP_NE, k, k2));
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    ir_build_rt(&low->b, RT_MATMUL_ERROR, 0, NULL, 2, (IrReg[]){a, b});
    fe_block_swap(low, outer);
}

static IrReg multiplied(Lower *low, IrReg so_far, IrReg a, IrReg b) {
    IrType type = ir_reg_type(low->func, so_far);
    bool bools = type.scalar == TY_BOOL;
    a = ir_build_cast(&low->b, (IrScalar)type.scalar, a);
    b = ir_build_cast(&low->b, (IrScalar)type.scalar, b);
    IrReg product = ir_build_binary(&low->b, bools ? OP_AND : OP_MUL, type, a, b);
    return ir_build_binary(&low->b, bools ? OP_OR : OP_ADD, type, so_far, product);
}

/* A row of a by the vector b: left to right. */
static IrReg dot_row(Lower *low, IrReg a, IrReg *index, IrReg b, IrReg k, IrScalar scalar) {
    IrReg sum = ir_var(low->func, ir_scalar(scalar), NULL);
    ir_build_copy(&low->b, sum, ir_const_int(low->func, scalar, 0));
    IrBlock *outer = fe_loop_begin(low, k, &index[1]);
    IrReg x = fe_array_load(low, a, 2, index), y = fe_array_load(low, b, 1, &index[1]);
    ir_build_copy(&low->b, sum, multiplied(low, sum, x, y));
    fe_loop_end(low, outer);
    return sum;
}

/* Two vectors, which may be expressions: left to right. */
static Value dot_vectors(Lower *low, const AstExpr *left, const AstExpr *right,
                         IrScalar scalar) {
    Whole *a = fe_whole_plan_before(low, left, right), *b = fe_whole_plan(low, right);
    IrReg sum = ir_var(low->func, ir_scalar(scalar), NULL), p;
    fe_note_serial(low, "a product of two vectors adds from left to right");
    check_aligned(low, fe_whole_sample(low, a->root), a->dims[0],
                  fe_whole_sample(low, b->root), b->dims[0]);
    fe_whole_show_any(low, a);
    fe_whole_show_any(low, b);
    ir_build_copy(&low->b, sum, ir_const_int(low->func, scalar, 0));
    IrBlock *outer = fe_loop_begin(low, a->dims[0], &p);
    IrReg x = fe_scalar_as(low, fe_whole_element(low, a, 1, &p), scalar_of(low, a));
    IrReg y = fe_scalar_as(low, fe_whole_element(low, b, 1, &p), scalar_of(low, b));
    ir_build_copy(&low->b, sum, multiplied(low, sum, x, y));
    fe_loop_end(low, outer);
    return fe_value_ir(low, sum);
}

/* into[i, :] += a[i, p] * b[p, :], with or without the i; the inner loop goes along rows. */
static void add_rows(Lower *low, IrReg into, IrReg a, unsigned rank, IrReg b,
                     const IrReg *dims) {
    IrReg i = IR_NO_REG, p, j;
    IrBlock *outer = low->b.block;
    Spread columns = {.lo = fe_int_const(low, 0), .hi = dims[2]};
    if (rank == 2) {
        Spread rows = fe_spread(low, dims[0], fe_int_binary(low, OP_MUL, dims[1], dims[2]));
        fe_loop_range(low, rows.lo, rows.hi, &i);
    } else {
        columns = spread_columns(low, dims[2], dims[1]);
    }
    fe_loop_begin(low, dims[1], &p);
    IrReg x =
        rank == 2 ? fe_array_load(low, a, 2, (IrReg[]){i, p}) : fe_array_load(low, a, 1, &p);
    fe_loop_range(low, columns.lo, columns.hi, &j);
    IrReg at[] = {i, j};
    IrReg *where = rank == 2 ? at : at + 1;
    IrReg y = fe_array_load(low, b, 2, (IrReg[]){p, j});
    IrReg old = fe_array_load(low, into, rank, where);
    fe_array_store(low, into, rank, where, multiplied(low, old, x, y));
    fe_loop_end(low, outer);
}

static bool is_vector(Lower *low, const AstExpr *expr) {
    return fe_type_of(low, expr)->ir.ndim == 1;
}

static IrReg operand_array(Lower *low, const AstExpr *expr) {
    if (fe_is_whole(low, expr))
        fe_note_array(low, "an operand of a product is made before it", false);
    return fe_lower_expr(low, expr).reg;
}

Value fe_lower_matmul(Lower *low, const AstExpr *expr, const AstExpr *left,
                      const AstExpr *right) {
    IrScalar scalar = fe_node_of(low, expr)->operations[0].result;
    IrReg da[IR_MAX_DIMS], db[IR_MAX_DIMS], index[2];
    if (is_vector(low, left) && is_vector(low, right))
        return dot_vectors(low, left, right, scalar);
    IrReg a = operand_array(low, left), b = operand_array(low, right);
    unsigned m = fe_array_dims(low, a, da), n = fe_array_dims(low, b, db);
    check_aligned(low, a, da[m - 1], b, db[0]);
    IrReg shape[] = {da[0], db[1]};
    unsigned rank = m + n - 2;
    IrReg into = fe_array_owned_temp(low, ir_array(scalar, rank, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &into, rank, m == 2 ? shape : shape + 1)->u.imm = n == 2;
    if (n == 2) {
        add_rows(low, into, a, m, b, (IrReg[]){da[0], da[m - 1], db[1]});
    } else {
        IrBlock *outer = low->b.block;
        Spread rows = fe_spread(low, da[0], da[1]);
        fe_loop_range(low, rows.lo, rows.hi, &index[0]);
        IrReg sum = dot_row(low, a, index, b, da[1], scalar);
        fe_array_store(low, into, 1, index, sum);
        fe_loop_end(low, outer);
    }
    return fe_value_converted(low, fe_value_ir(low, into), fe_type_of(low, expr));
}

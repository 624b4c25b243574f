/* Reductions: sum, prod, min, max, mean, argmin, argmax, any, all, and running sums.
 *
 * Of a whole array, the expression that is reduced becomes part of the loop, without an array of
 * its own. Along an axis it is made first, if it is not an array already.
 *
 * Sums of floats are pairwise, as NumPy's are, to the bit: blocks of at most 128 elements are
 * added up in eight partial sums, and a longer stretch is the sum of its two halves, the first
 * one rounded down to a multiple of eight. The recursion is a loop here, with a stack of what is
 * left to do and of left halves' sums:
 *
 *     loop { while len > 128: push the right half; len = left half
 *            s = block(pos, len); pos += len
 *            while there is a left half whose right half is this: s = left + s; pop
 *            leave if the stack is empty; else keep s as a left half; len = its right half } */
#include "frontend/whole.h"

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
    IrReg value; /* VAR: the result so far; for argmin the best element */
    IrReg count; /* VAR: elements seen, where the position matters */
    IrReg where; /* VAR: the position of the best */
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

/* ---- Pairwise sums ---- */

enum { LANES = 8, BLOCK = 128 };

/* Elements in a row: of a plan that is one loop, or along one axis of an array. */
typedef struct Row {
    Whole *whole; /* or NULL: */
    IrReg array;
    unsigned n, axis;
    IrReg index[IR_MAX_DIMS]; /* that of `axis` is to be filled in */
    IrScalar scalar;
} Row;

static IrReg row_at(Lower *low, Row *row, IrReg at) {
    if (row->whole)
        return fe_scalar_as(low, whole_element(low, row->whole, 1, &at), row->scalar);
    row->index[row->axis] = at;
    return ir_build_cast(&low->b, row->scalar,
                         fe_array_load(low, row->array, row->n, row->index));
}

static IrReg int_var(Lower *low, IrReg start) {
    IrReg var = ir_var(low->func, ir_scalar(TY_INT64), NULL);
    ir_build_copy(&low->b, var, start);
    return var;
}

static void add_to(Lower *low, IrReg var, IrReg what) {
    IrType type = ir_reg_type(low->func, var);
    ir_build_copy(&low->b, var, ir_build_binary(&low->b, OP_ADD, type, var, what));
}

/* s = the sum of len elements from pos on. */
static void add_block(Lower *low, Row *row, IrReg s, IrReg pos, IrReg len) {
    IrType type = ir_scalar(row->scalar);
    IrReg part[LANES], counter, zero = fe_int_const(low, 0), lanes = fe_int_const(low, LANES);
    IrReg rest = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_INT64), len,
                                 fe_int_const(low, LANES - 1));
    IrReg even = ir_build_binary(&low->b, OP_SUB, ir_scalar(TY_INT64), len, rest);
    for (int i = 0; i < LANES; i++) {
        part[i] = ir_var(low->func, type, NULL);
        ir_build_copy(&low->b, part[i], ir_const_float(low->func, row->scalar, 0));
    }
    IrStmt *loop = ir_build_for(&low->b, zero, even, lanes, &counter);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    IrReg base = fe_int_binary(low, OP_ADD, pos, counter);
    for (int i = 0; i < LANES; i++)
        add_to(low, part[i],
               row_at(low, row, fe_int_binary(low, OP_ADD, base, fe_int_const(low, i))));
    fe_block_swap(low, outer);
    for (int gap = 1; gap < LANES; gap *= 2)
        for (int i = 0; i < LANES; i += 2 * gap)
            part[i] = ir_build_binary(&low->b, OP_ADD, type, part[i], part[i + gap]);
    ir_build_copy(&low->b, s, part[0]);
    loop = ir_build_for(&low->b, even, len, fe_int_const(low, 1), &counter);
    outer = fe_block_swap(low, &loop->u.blocks.then);
    add_to(low, s, row_at(low, row, fe_int_binary(low, OP_ADD, pos, counter)));
    fe_block_swap(low, outer);
}

typedef struct Stack {
    IrReg right, left, depth; /* arrays of what is left to do and of sums; how many */
} Stack;

static IrReg stack_array(Lower *low, IrScalar scalar) {
    IrReg array = fe_array_owned_temp(low, ir_array(scalar, 1, LAYOUT_C));
    IrReg room = fe_int_const(low, 64);
    ir_build(&low->b, OP_ALLOC, 1, &array, 1, &room)->u.imm = false;
    return array;
}

static void break_if(Lower *low, IrReg cond) {
    IrStmt *branch = ir_build_if(&low->b, cond);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    ir_build_break(&low->b);
    fe_block_swap(low, outer);
}

/* Halves len until it is a block; the right halves wait. */
static void descend(Lower *low, const Stack *stack, IrReg len) {
    IrReg one = fe_int_const(low, 1), lanes = fe_int_const(low, -LANES);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    break_if(low, fe_int_compare(low, OP_LE, len, fe_int_const(low, BLOCK)));
    IrReg half = ir_build_binary(&low->b, OP_SHR, ir_scalar(TY_INT64), len, one);
    half = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_INT64), half, lanes);
    IrReg rest = fe_int_binary(low, OP_SUB, len, half);
    fe_array_store(low, stack->right, 1, &stack->depth, rest);
    add_to(low, stack->depth, one);
    ir_build_copy(&low->b, len, half);
    fe_block_swap(low, outer);
}

/* Adds s to the left halves it completes. Then len is the right half that comes next, or 0. */
static void ascend(Lower *low, const Stack *stack, IrReg s, IrReg len) {
    IrReg zero = fe_int_const(low, 0), last;
    IrType type = ir_reg_type(low->func, s);
    ir_build_copy(&low->b, len, zero);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    break_if(low, fe_int_compare(low, OP_EQ, stack->depth, zero));
    last = fe_int_binary(low, OP_SUB, stack->depth, fe_int_const(low, 1));
    IrReg right = fe_array_load(low, stack->right, 1, &last);
    IrStmt *waits = ir_build_if(&low->b, fe_int_compare(low, OP_GT, right, zero));
    IrBlock *body = fe_block_swap(low, &waits->u.blocks.then);
    fe_array_store(low, stack->left, 1, &last, s);
    fe_array_store(low, stack->right, 1, &last, zero);
    ir_build_copy(&low->b, len, right);
    ir_build_break(&low->b);
    fe_block_swap(low, body);
    IrReg left = fe_array_load(low, stack->left, 1, &last);
    ir_build_copy(&low->b, s, ir_build_binary(&low->b, OP_ADD, type, left, s));
    ir_build_copy(&low->b, stack->depth, last);
    fe_block_swap(low, outer);
}

static void sum_long(Lower *low, Row *row, IrReg n, IrReg sum) {
    IrReg pos = int_var(low, fe_int_const(low, 0)), len = int_var(low, n);
    Stack stack = {.right = stack_array(low, TY_INT64), .left = stack_array(low, row->scalar)};
    stack.depth = int_var(low, fe_int_const(low, 0));
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    descend(low, &stack, len);
    add_block(low, row, sum, pos, len);
    add_to(low, pos, len);
    ascend(low, &stack, sum, len);
    break_if(low, fe_int_compare(low, OP_EQ, len, fe_int_const(low, 0)));
    fe_block_swap(low, outer);
}

/* sum = the pairwise sum of n elements. A few need no stack. */
static void pairwise(Lower *low, Row *row, IrReg n, IrReg sum) {
    IrReg few = fe_int_compare(low, OP_LE, n, fe_int_const(low, BLOCK));
    IrStmt *branch = ir_build_if(&low->b, few);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    add_block(low, row, sum, fe_int_const(low, 0), n);
    fe_block_swap(low, &branch->u.blocks.els);
    sum_long(low, row, n, sum);
    fe_block_swap(low, outer);
}

static bool is_pairwise(Kind kind, IrScalar result) {
    return (kind == SUM || kind == MEAN) && ir_scalar_is_float(result);
}

/* ---- Of everything ---- */

static IrReg whole_size(Lower *low, const Whole *whole) {
    return fe_product(low, whole->ndim, whole->dims);
}

static void sum_plan(Lower *low, Whole *whole, IrReg sum, IrScalar scalar) {
    Row row = {.whole = whole, .scalar = scalar};
    whole_show(whole);
    if (whole->ndim > 1) whole_flatten(low, whole);
    pairwise(low, &row, whole_size(low, whole), sum);
}

/* The rows along the last axis, one after the other. */
static void sum_rows(Lower *low, IrReg array, IrReg sum, IrScalar scalar) {
    Row row = {.array = array, .scalar = scalar};
    IrReg dims[IR_MAX_DIMS];
    IrBlock *outer = low->b.block;
    row.n = fe_array_dims(low, array, dims);
    row.axis = row.n - 1;
    for (unsigned i = 0; i < row.axis; i++)
        fe_loop_begin(low, dims[i], &row.index[i]);
    IrReg part = ir_var(low->func, ir_scalar(scalar), NULL);
    pairwise(low, &row, dims[row.axis], part);
    add_to(low, sum, part);
    fe_loop_end(low, outer);
}

static void sum_array(Lower *low, IrReg array, IrReg sum, IrScalar scalar) {
    IrType type = ir_reg_type(low->func, array);
    Whole *whole = whole_of(low, array);
    if (type.ndim == 1 || type.layout == LAYOUT_C)
        sum_plan(low, whole, sum, scalar);
    else
        sum_rows(low, array, sum, scalar);
}

enum { MAX_SUMMED = 16 }; /* operations; they are emitted eighteen times */

static IrReg sum_floats(Lower *low, Whole *whole, IrScalar scalar) {
    IrReg sum = ir_var(low->func, ir_scalar(scalar), NULL);
    ir_build_copy(&low->b, sum, ir_const_float(low->func, scalar, 0));
    bool row = whole->ndim == 1 || whole_is_flat(low, whole, IR_NO_REG);
    if (!row || whole->ops > MAX_SUMMED || whole->root->leaf) {
        sum_array(low, whole_array(low, whole), sum, scalar);
        return sum;
    }
    IrReg direct = whole_direct(low, whole);
    if (direct == IR_NO_REG) {
        sum_plan(low, whole, sum, scalar);
        return sum;
    }
    IrStmt *branch = ir_build_if(&low->b, direct);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    sum_plan(low, whole, sum, scalar);
    fe_block_swap(low, &branch->u.blocks.els);
    sum_array(low, whole_array(low, whole), sum, scalar);
    fe_block_swap(low, outer);
    return sum;
}

static IrReg reduce_all(Lower *low, Kind kind, Whole *whole, const FeOperation *operation) {
    IrReg size = whole_size(low, whole);
    if (is_pairwise(kind, operation->result)) {
        IrReg sum = sum_floats(low, whole, operation->result);
        return kind == MEAN ? divided(low, sum, size) : sum;
    }
    check_some(low, kind, fe_int_compare(low, OP_EQ, size, fe_int_const(low, 0)));
    Acc acc = {.kind = kind, .element = operation->operand, .result = operation->result};
    acc_begin(low, &acc);
    whole_run_any(low, whole, IR_NO_REG, acc_add, &acc);
    return acc_result(low, &acc, size);
}

/* ---- Along an axis ---- */

typedef struct Along {
    Kind kind;
    IrScalar element, result;
    IrReg array, into;
    unsigned ndim, axis;
    IrReg dims[IR_MAX_DIMS];
    IrReg index[IR_MAX_DIMS]; /* of the array; all but `axis` are loops around */
} Along;

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
        Row row = {.array = along->array, .n = along->ndim, .axis = along->axis};
        memcpy(row.index, along->index, sizeof row.index);
        row.scalar = along->result;
        IrReg sum = ir_var(low->func, ir_scalar(along->result), NULL);
        pairwise(low, &row, n, sum);
        return along->kind == MEAN ? divided(low, sum, n) : sum;
    }
    Acc acc = {.kind = along->kind, .element = along->element, .result = along->result};
    acc_begin(low, &acc);
    IrBlock *outer = fe_loop_begin(low, n, &along->index[along->axis]);
    IrReg next = fe_array_load(low, along->array, along->ndim, along->index);
    acc_add(low, &acc, fe_value_ir(low, next), IR_NO_REG, 0, NULL);
    fe_loop_end(low, outer);
    return acc_result(low, &acc, n);
}

static void reduce_rows(Lower *low, Along *along) {
    IrReg at[IR_MAX_DIMS];
    IrBlock *outer = low->b.block;
    for (unsigned i = 0; i < along->ndim; i++)
        if (i != along->axis) fe_loop_begin(low, along->dims[i], &along->index[i]);
    IrReg value = reduce_row(low, along);
    unsigned n = without_axis(along, along->index, at);
    fe_array_store(low, along->into, n, at, value);
    fe_loop_end(low, outer);
}

/* All slices across the axis are added to the result, one after the other: the last axis stays
 * the inner loop. */
static void reduce_slices(Lower *low, Along *along) {
    IrReg at[IR_MAX_DIMS], dims[IR_MAX_DIMS];
    Value start = fe_value_ir(low, start_value(low, along->kind, along->result));
    fe_array_assign(low, along->into, start);
    unsigned n = without_axis(along, along->dims, dims);
    IrBlock *outer = low->b.block;
    for (unsigned i = 0; i < along->ndim; i++)
        fe_loop_begin(low, along->dims[i], &along->index[i]);
    without_axis(along, along->index, at);
    Value element =
        fe_value_ir(low, fe_array_load(low, along->array, along->ndim, along->index));
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

static IrReg reduce_axis(Lower *low, Kind kind, IrReg array, unsigned axis,
                         const FeOperation *operation) {
    Along along = {.kind = kind,
                   .element = operation->operand,
                   .result = operation->result,
                   .array = array,
                   .axis = axis};
    IrReg dims[IR_MAX_DIMS];
    along.ndim = fe_array_dims(low, array, along.dims);
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
    add_to(low, run->dims[1], fe_scalar_as(low, element, run->result));
    fe_array_store(low, run->into, 1, &run->dims[0], run->dims[1]);
    add_to(low, run->dims[0], fe_int_const(low, 1));
}

static IrReg running_all(Lower *low, Whole *whole, const FeOperation *operation) {
    Along run = {.result = operation->result};
    IrReg size = whole_size(low, whole);
    run.into = fe_array_owned_temp(low, ir_array(operation->result, 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &run.into, 1, &size)->u.imm = false;
    run.dims[0] = int_var(low, fe_int_const(low, 0));
    run.dims[1] = ir_var(low->func, ir_scalar(operation->result), NULL);
    ir_build_copy(&low->b, run.dims[1],
                  ir_const_float(low->func, operation->result, -0.0)); /* -0.0 + x is x */
    whole_run_any(low, whole, IR_NO_REG, run_on, &run);
    return run.into;
}

/* Each element is added to the one before it on the axis. */
static IrReg running_axis(Lower *low, IrReg array, unsigned axis,
                          const FeOperation *operation) {
    IrReg dims[IR_MAX_DIMS], index[IR_MAX_DIMS], one = fe_int_const(low, 1);
    unsigned n = fe_array_dims(low, array, dims);
    IrReg into = fe_array_owned_temp(low, ir_array(operation->result, n, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &into, n, dims)->u.imm = false;
    IrBlock *outer = low->b.block;
    for (unsigned i = 0; i < n; i++)
        fe_loop_begin(low, dims[i], &index[i]);
    IrReg sum = ir_var(low->func, ir_scalar(operation->result), NULL);
    ir_build_copy(
        &low->b, sum,
        ir_build_cast(&low->b, operation->result, fe_array_load(low, array, n, index)));
    IrReg here = index[axis];
    IrStmt *later =
        ir_build_if(&low->b, fe_int_compare(low, OP_GT, here, fe_int_const(low, 0)));
    IrBlock *body = fe_block_swap(low, &later->u.blocks.then);
    index[axis] = fe_int_binary(low, OP_SUB, here, one);
    IrReg before = fe_array_load(low, into, n, index);
    IrType type = ir_reg_type(low->func, sum);
    ir_build_copy(&low->b, sum, ir_build_binary(&low->b, OP_ADD, type, before, sum));
    fe_block_swap(low, body);
    index[axis] = here;
    fe_array_store(low, into, n, index, sum);
    fe_loop_end(low, outer);
    return into;
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
        IrReg a = fe_call_value(low, call, 0).reg;
        return fe_lower_matmul(low, call->expr, a, fe_call_value(low, call, 1).reg);
    }
    Kind kind = kind_of(id);
    const FeOperation *operation = &call->node->operations[0];
    Whole *whole = whole_plan(low, fe_call_arg(call, 0));
    unsigned axis;
    bool along = axis_given(low, call, whole->ndim, &axis) && whole->ndim > 1;
    IrReg result;
    if (kind == CUMSUM)
        result = along ? running_axis(low, whole_array(low, whole), axis, operation)
                       : running_all(low, whole, operation);
    else if (along)
        result = reduce_axis(low, kind, whole_array(low, whole), axis, operation);
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

/* A row of a (or all of it) by the vector b: left to right. */
static IrReg dot_row(Lower *low, IrReg a, unsigned n, IrReg *index, IrReg b, IrReg k,
                     IrScalar scalar) {
    IrReg sum = ir_var(low->func, ir_scalar(scalar), NULL);
    ir_build_copy(&low->b, sum, ir_const_int(low->func, scalar, 0));
    IrBlock *outer = fe_loop_begin(low, k, &index[n - 1]);
    IrReg x = fe_array_load(low, a, n, index), y = fe_array_load(low, b, 1, &index[n - 1]);
    ir_build_copy(&low->b, sum, multiplied(low, sum, x, y));
    fe_loop_end(low, outer);
    return sum;
}

/* into[i, :] += a[i, p] * b[p, :], with or without the i; the inner loop goes along rows. */
static void add_rows(Lower *low, IrReg into, IrReg a, unsigned rank, IrReg b,
                     const IrReg *dims) {
    IrReg i = IR_NO_REG, p, j;
    IrBlock *outer = low->b.block;
    if (rank == 2) fe_loop_begin(low, dims[0], &i);
    fe_loop_begin(low, dims[1], &p);
    IrReg x =
        rank == 2 ? fe_array_load(low, a, 2, (IrReg[]){i, p}) : fe_array_load(low, a, 1, &p);
    fe_loop_begin(low, dims[2], &j);
    IrReg at[] = {i, j};
    IrReg *where = rank == 2 ? at : at + 1;
    IrReg y = fe_array_load(low, b, 2, (IrReg[]){p, j});
    IrReg old = fe_array_load(low, into, rank, where);
    fe_array_store(low, into, rank, where, multiplied(low, old, x, y));
    fe_loop_end(low, outer);
}

Value fe_lower_matmul(Lower *low, const AstExpr *expr, IrReg a, IrReg b) {
    IrScalar scalar = fe_node_of(low, expr)->operations[0].result;
    IrReg da[IR_MAX_DIMS], db[IR_MAX_DIMS], index[2];
    unsigned m = fe_array_dims(low, a, da), n = fe_array_dims(low, b, db);
    check_aligned(low, a, da[m - 1], b, db[0]);
    if (m == 1 && n == 1) return fe_value_ir(low, dot_row(low, a, 1, index, b, da[0], scalar));
    IrReg shape[] = {da[0], db[1]};
    unsigned rank = m + n - 2;
    IrReg into = fe_array_owned_temp(low, ir_array(scalar, rank, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &into, rank, m == 2 ? shape : shape + 1)->u.imm = n == 2;
    if (n == 2) {
        add_rows(low, into, a, m, b, (IrReg[]){da[0], da[m - 1], db[1]});
    } else {
        IrBlock *outer = fe_loop_begin(low, da[0], &index[0]);
        IrReg sum = dot_row(low, a, 2, index, b, da[1], scalar);
        fe_array_store(low, into, 1, index, sum);
        fe_loop_end(low, outer);
    }
    return fe_value_converted(low, fe_value_ir(low, into), fe_type_of(low, expr));
}

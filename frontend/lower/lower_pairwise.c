/* Sums of floats are pairwise, as NumPy's are, to the bit: blocks of at most 128 elements are
 * added up in eight partial sums, and a longer stretch is the sum of its two halves, the first
 * one rounded down to a multiple of eight. The recursion is a loop here, with a stack of what is
 * left to do and of left halves' sums:
 *
 *     loop { while len > 128: push the right half; len = left half
 *            s = block(pos, len); pos += len
 *            while there is a left half whose right half is this: s = left + s; pop
 *            leave if the stack is empty; else keep s as a left half; len = its right half }
 *
 * On threads the parts are subtrees of that same tree, so its shape, and hence the sum, does not
 * depend on how many there are: part p of 2^k is found by going down from the root, left or
 * right by the bits of p from the highest, and sums are joined level by level.
 *
 * Elements that cannot be told by one number (m[1:] * row), or whose expression is too long to be written
 * out for each of the eight sums, are computed block by block into 128 places that are used again and
 * again (lower_blocks.c). */
#include "frontend/lower/whole.h"

enum { LANES = 8, BLOCK = WHOLE_BLOCK, WAITING = 1024 };

static IrReg row_at(Lower *low, WholeRow *row, IrReg at) {
    if (row->buffer != IR_NO_REG) return fe_array_load(low, row->buffer, 1, &at);
    if (row->whole)
        return fe_scalar_as(low, fe_whole_element(low, row->whole, 1, &at), row->scalar);
    row->index[row->axis] = at;
    if (row->along)
        return fe_scalar_as(low, fe_whole_element(low, row->along, row->n, row->index),
                            row->scalar);
    return ir_build_cast(&low->b, row->scalar,
                         fe_array_load(low, row->array, row->n, row->index));
}

IrReg fe_whole_int_var(Lower *low, IrReg start) {
    IrReg var = ir_var(low->func, ir_scalar(TY_INT64), NULL);
    ir_build_copy(&low->b, var, start);
    return var;
}

void fe_whole_add_to(Lower *low, IrReg var, IrReg what) {
    IrType type = ir_reg_type(low->func, var);
    ir_build_copy(&low->b, var, ir_build_binary(&low->b, OP_ADD, type, var, what));
}

/* ---- A block ---- */

/* s = the sum of len elements from pos on. */
static void add_block(Lower *low, WholeRow *row, IrReg s, IrReg pos, IrReg len) {
    IrType type = ir_scalar(row->scalar);
    IrReg part[LANES], counter, zero = fe_int_const(low, 0), lanes = fe_int_const(low, LANES);
    IrReg rest = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_INT64), len,
                                 fe_int_const(low, LANES - 1));
    IrReg even = ir_build_binary(&low->b, OP_SUB, ir_scalar(TY_INT64), len, rest);
    if (row->buffer != IR_NO_REG) {
        fe_whole_fill_block(low, row, pos, len);
        pos = zero;
    }
    for (int i = 0; i < LANES; i++) {
        part[i] = ir_var(low->func, type, NULL);
        ir_build_copy(&low->b, part[i], ir_const_float(low->func, row->scalar, 0));
    }
    IrStmt *loop = ir_build_for(&low->b, zero, even, lanes, &counter);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    IrReg base = fe_int_binary(low, OP_ADD, pos, counter);
    for (int i = 0; i < LANES; i++)
        fe_whole_add_to(
            low, part[i],
            row_at(low, row, fe_int_binary(low, OP_ADD, base, fe_int_const(low, i))));
    fe_block_swap(low, outer);
    for (int gap = 1; gap < LANES; gap *= 2)
        for (int i = 0; i < LANES; i += 2 * gap)
            part[i] = ir_build_binary(&low->b, OP_ADD, type, part[i], part[i + gap]);
    ir_build_copy(&low->b, s, part[0]);
    loop = ir_build_for(&low->b, even, len, fe_int_const(low, 1), &counter);
    outer = fe_block_swap(low, &loop->u.blocks.then);
    fe_whole_add_to(low, s, row_at(low, row, fe_int_binary(low, OP_ADD, pos, counter)));
    fe_block_swap(low, outer);
}

/* ---- The tree ---- */

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

/* The length of a stretch's left half. */
static IrReg left_half(Lower *low, IrReg len) {
    IrReg half =
        ir_build_binary(&low->b, OP_SHR, ir_scalar(TY_INT64), len, fe_int_const(low, 1));
    return ir_build_binary(&low->b, OP_AND, ir_scalar(TY_INT64), half,
                           fe_int_const(low, -LANES));
}

/* Halves len until it is a block; the right halves wait. */
static void descend(Lower *low, const Stack *stack, IrReg len) {
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    break_if(low, fe_int_compare(low, OP_LE, len, fe_int_const(low, BLOCK)));
    IrReg half = left_half(low, len);
    IrReg rest = fe_int_binary(low, OP_SUB, len, half);
    fe_array_store(low, stack->right, 1, &stack->depth, rest);
    fe_whole_add_to(low, stack->depth, fe_int_const(low, 1));
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

/* sum = that of len elements from pos on; both are variables and change. */
static void sum_tree(Lower *low, WholeRow *row, IrReg pos, IrReg len, IrReg sum) {
    Stack stack = {.right = stack_array(low, TY_INT64), .left = stack_array(low, row->scalar)};
    stack.depth = fe_whole_int_var(low, fe_int_const(low, 0));
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    descend(low, &stack, len);
    add_block(low, row, sum, pos, len);
    fe_whole_add_to(low, pos, len);
    ascend(low, &stack, sum, len);
    break_if(low, fe_int_compare(low, OP_EQ, len, fe_int_const(low, 0)));
    fe_block_swap(low, outer);
}

/* ---- On threads ---- */

/* pos and len, which are the whole stretch, become that of the part. */
static void go_down(Lower *low, IrReg parts, IrReg part, IrReg pos, IrReg len) {
    IrReg zero = fe_int_const(low, 0), one = fe_int_const(low, 1);
    IrReg bit = fe_whole_int_var(low, parts);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    ir_build_copy(&low->b, bit,
                  ir_build_binary(&low->b, OP_SHR, ir_scalar(TY_INT64), bit, one));
    break_if(low, fe_int_compare(low, OP_EQ, bit, zero));
    IrReg half = left_half(low, len), rest = fe_int_binary(low, OP_SUB, len, half);
    IrReg side = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_INT64), part, bit);
    IrReg left = fe_int_compare(low, OP_EQ, side, zero);
    fe_whole_add_to(low, pos, fe_int_select(low, left, zero, half));
    ir_build_copy(&low->b, len, fe_int_select(low, left, half, rest));
    fe_block_swap(low, outer);
}

/* Neighbours are added until one is left. */
static void join_sums(Lower *low, IrReg sums, IrReg parts, IrReg sum) {
    IrReg zero = fe_int_const(low, 0), one = fe_int_const(low, 1), i;
    IrReg left = fe_whole_int_var(low, parts);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    ir_build_copy(&low->b, left,
                  ir_build_binary(&low->b, OP_SHR, ir_scalar(TY_INT64), left, one));
    break_if(low, fe_int_compare(low, OP_EQ, left, zero));
    IrBlock *body = fe_loop_begin(low, left, &i);
    IrReg even = fe_int_binary(low, OP_ADD, i, i), odd = fe_int_binary(low, OP_ADD, even, one);
    IrReg a = fe_array_load(low, sums, 1, &even), b = fe_array_load(low, sums, 1, &odd);
    IrType type = ir_reg_type(low->func, sum);
    fe_array_store(low, sums, 1, &i, ir_build_binary(&low->b, OP_ADD, type, a, b));
    fe_loop_end(low, body);
    fe_block_swap(low, outer);
    ir_build_copy(&low->b, sum, fe_array_load(low, sums, 1, &zero));
}

static void sum_parts(Lower *low, WholeRow *row, IrReg n, IrReg sum) {
    IrReg work = fe_int_const(low, 1 + (int64_t)row->whole->ops + row->whole->leaves.len);
    IrReg parts = ir_temp(low->func, ir_scalar(TY_INT64));
    ir_build_rt(&low->b, RT_SPREAD_HALVES, 1, &parts, 2, (IrReg[]){n, work});
    IrReg sums = fe_array_owned_temp(low, ir_array(row->scalar, 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &sums, 1, &parts)->u.imm = false;
    IrBlock *outer = low->b.block;
    IrReg part = fe_spread_parts(low, parts);
    IrReg pos = fe_whole_int_var(low, fe_int_const(low, 0)), len = fe_whole_int_var(low, n);
    IrReg own = ir_var(low->func, ir_scalar(row->scalar), NULL);
    go_down(low, parts, part, pos, len);
    WholeRow mine = *row;
    if (row->buffer != IR_NO_REG) fe_whole_begin_blocks(low, &mine, pos);
    sum_tree(low, &mine, pos, len, own);
    fe_array_store(low, sums, 1, &part, own);
    fe_loop_end(low, outer);
    join_sums(low, sums, parts, sum);
}

/* ---- A row ---- */

/* A few need no stack. */
void fe_whole_row_sum(Lower *low, WholeRow *row, IrReg n, IrReg sum) {
    IrReg zero = fe_int_const(low, 0);
    IrReg few = fe_int_compare(low, OP_LE, n, fe_int_const(low, BLOCK));
    IrStmt *branch = ir_build_if(&low->b, few);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    add_block(low, row, sum, zero, n);
    fe_block_swap(low, &branch->u.blocks.els);
    if (row->whole && fe_note_spread(low))
        sum_parts(low, row, n, sum);
    else
        sum_tree(low, row, fe_whole_int_var(low, zero), fe_whole_int_var(low, n), sum);
    fe_block_swap(low, outer);
}

/* ---- Of everything ---- */

static IrReg size_of(Lower *low, const Whole *whole) {
    return fe_product(low, whole->ndim, whole->dims);
}

/* Of a plan that one number can count through. */
static void sum_flat(Lower *low, Whole *whole, IrReg sum, IrScalar scalar) {
    WholeRow row = {.whole = whole, .scalar = scalar, .buffer = IR_NO_REG};
    fe_whole_show(whole);
    if (whole->ndim > 1) fe_whole_flatten(low, whole);
    fe_whole_row_sum(low, &row, size_of(low, whole), sum);
}

static void sum_blocks(Lower *low, Whole *whole, IrReg sum, IrScalar scalar) {
    WholeRow row = {.whole = whole, .scalar = scalar};
    fe_whole_show_any(low, whole);
    fe_whole_begin_blocks(low, &row, IR_NO_REG);
    fe_whole_row_sum(low, &row, size_of(low, whole), sum);
}

/* ---- Row by row, what is not contiguous ---- */

/* s = the sum of the row along the last axis at row->index. */
static IrReg sum_row(Lower *low, WholeRow *row, IrReg length) {
    IrReg part = ir_var(low->func, ir_scalar(row->scalar), NULL);
    fe_whole_row_sum(low, row, length, part);
    return part;
}

/* The index of row number r. */
static void find_row(Lower *low, WholeRow *row, const IrReg *dims, IrReg r) {
    for (unsigned i = row->axis; i-- > 1;) {
        row->index[i] = fe_int_binary(low, OP_MOD, r, dims[i]);
        r = fe_int_binary(low, OP_FLOORDIV, r, dims[i]);
    }
    row->index[0] = r;
}

/* The sums of so many rows at once wait to be added up in order. */
static void spread_rows(Lower *low, WholeRow *row, const IrReg *dims, IrReg sum) {
    IrReg room = fe_int_const(low, WAITING), all = fe_product(low, row->axis, dims), base, r;
    IrReg sums = fe_array_owned_temp(low, ir_array(row->scalar, 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &sums, 1, &room)->u.imm = false;
    IrStmt *loop = ir_build_for(&low->b, fe_int_const(low, 0), all, room, &base);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then), *body = low->b.block;
    IrReg n = fe_int_binary(low, OP_MIN, room, fe_int_binary(low, OP_SUB, all, base));
    Spread spread = fe_spread(low, n, dims[row->axis]);
    fe_loop_range(low, spread.lo, spread.hi, &r);
    find_row(low, row, dims, fe_int_binary(low, OP_ADD, base, r));
    fe_array_store(low, sums, 1, &r, sum_row(low, row, dims[row->axis]));
    fe_loop_end(low, body);
    fe_loop_begin(low, n, &r);
    fe_whole_add_to(low, sum, fe_array_load(low, sums, 1, &r));
    fe_loop_end(low, outer);
}

static void sum_rows(Lower *low, IrReg array, IrReg sum, IrScalar scalar) {
    WholeRow row = {.array = array, .scalar = scalar, .buffer = IR_NO_REG};
    IrReg dims[IR_MAX_DIMS];
    row.n = fe_array_dims(low, array, dims);
    row.axis = row.n - 1;
    if (fe_spreads(low)) {
        spread_rows(low, &row, dims, sum);
        return;
    }
    IrBlock *outer = low->b.block;
    for (unsigned i = 0; i < row.axis; i++)
        fe_loop_begin(low, dims[i], &row.index[i]);
    fe_whole_add_to(low, sum, sum_row(low, &row, dims[row.axis]));
    fe_loop_end(low, outer);
}

static void sum_array(Lower *low, Whole *whole, IrReg sum, IrScalar scalar) {
    IrReg array = whole->root->leaf->array;
    IrType type = ir_reg_type(low->func, array);
    if (type.ndim == 1 || type.layout == LAYOUT_C)
        sum_flat(low, whole, sum, scalar);
    else
        sum_rows(low, array, sum, scalar);
}

static void sum_expression(Lower *low, Whole *whole, IrReg sum, IrScalar scalar) {
    bool row = whole->ndim == 1 || fe_whole_is_flat(low, whole, IR_NO_REG);
    IrReg direct = fe_whole_direct(low, whole);
    if (!row || whole->ops > WHOLE_MAX_SUMMED) {
        sum_blocks(low, whole, sum, scalar);
    } else if (direct == IR_NO_REG) {
        sum_flat(low, whole, sum, scalar);
    } else {
        IrStmt *branch = ir_build_if(&low->b, direct);
        IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
        sum_flat(low, whole, sum, scalar);
        fe_block_swap(low, &branch->u.blocks.els);
        sum_blocks(low, whole, sum, scalar);
        fe_block_swap(low, outer);
    }
}

IrReg fe_whole_sum(Lower *low, Whole *whole, IrScalar scalar) {
    IrReg sum = ir_var(low->func, ir_scalar(scalar), NULL);
    ir_build_copy(&low->b, sum, ir_const_float(low->func, scalar, 0));
    if (whole->root->leaf)
        sum_array(low, whole, sum, scalar);
    else
        sum_expression(low, whole, sum, scalar);
    return sum;
}

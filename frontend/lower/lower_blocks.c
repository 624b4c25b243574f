/* Blocks of a sum's elements, for lower_pairwise.c: they are computed into 128 places, in the order of their
 * indices, and added up from there. So an expression is written out once, and elements need not be
 * where one number finds them:
 *
 *     loop { leave if done = len
 *            take = min(length of the last axis - index there, len - done)
 *            for k in [0, take): buffer[done + k] = element(index + k)
 *            done += take; the index moves on by take, with carry }
 *
 * Blocks are asked for from left to right, so that only the first one has to look for its index. */
#include "frontend/lower/whole.h"

/* index = that of element number pos. No axis is empty. */
static void seek(Lower *low, const WholeRow *row, IrReg pos) {
    const IrReg *dims = row->whole->dims;
    for (unsigned i = row->whole->ndim; i-- > 1;) {
        ir_build_copy(&low->b, row->index[i], fe_int_binary(low, OP_MOD, pos, dims[i]));
        pos = fe_int_binary(low, OP_FLOORDIV, pos, dims[i]);
    }
    ir_build_copy(&low->b, row->index[0], pos);
}

void fe_whole_begin_blocks(Lower *low, WholeRow *row, IrReg pos) {
    IrReg room = fe_int_const(low, WHOLE_BLOCK);
    row->buffer = fe_array_owned_temp(low, ir_array(row->scalar, 1, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &row->buffer, 1, &room)->u.imm = false;
    if (!row->whole) return;
    for (unsigned i = 0; i < row->whole->ndim; i++)
        row->index[i] = fe_whole_int_var(low, fe_int_const(low, 0));
    if (pos != IR_NO_REG) seek(low, row, pos);
}

/* buffer[to + k] = the element at `index`, moved on by k on an axis, for k in [0, n). */
static void fill(Lower *low, WholeRow *row, Whole *whole, unsigned axis, IrReg to, IrReg n) {
    IrReg index[IR_MAX_DIMS], k;
    for (unsigned i = 0; i < whole->ndim; i++)
        index[i] = row->index[i];
    IrBlock *outer = fe_loop_begin(low, n, &k);
    index[axis] = fe_int_binary(low, OP_ADD, row->index[axis], k);
    IrReg at = fe_int_binary(low, OP_ADD, to, k);
    Value value = fe_whole_element(low, whole, whole->ndim, index);
    fe_array_store(low, row->buffer, 1, &at, fe_scalar_as(low, value, row->scalar));
    fe_loop_end(low, outer);
}

/* The last axis is at its end: the one before it moves on, and so forth. */
static void carry(Lower *low, const WholeRow *row) {
    IrBlock *outer = low->b.block;
    for (unsigned i = row->whole->ndim; i-- > 1;) {
        IrReg end = fe_int_compare(low, OP_GE, row->index[i], row->whole->dims[i]);
        IrStmt *branch = ir_build_if(&low->b, end);
        fe_block_swap(low, &branch->u.blocks.then);
        ir_build_copy(&low->b, row->index[i], fe_int_const(low, 0));
        fe_whole_add_to(low, row->index[i - 1], fe_int_const(low, 1));
    }
    fe_block_swap(low, outer);
}

static void fill_in_order(Lower *low, WholeRow *row, IrReg len) {
    unsigned last = row->whole->ndim - 1;
    IrReg done = fe_whole_int_var(low, fe_int_const(low, 0));
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    IrStmt *full = ir_build_if(&low->b, fe_int_compare(low, OP_GE, done, len));
    IrBlock *body = fe_block_swap(low, &full->u.blocks.then);
    ir_build_break(&low->b);
    fe_block_swap(low, body);
    IrReg room = fe_int_binary(low, OP_SUB, row->whole->dims[last], row->index[last]);
    IrReg take = fe_int_binary(low, OP_MIN, room, fe_int_binary(low, OP_SUB, len, done));
    fill(low, row, row->whole, last, done, take);
    fe_whole_add_to(low, done, take);
    fe_whole_add_to(low, row->index[last], take);
    carry(low, row);
    fe_block_swap(low, outer);
}

void fe_whole_fill_block(Lower *low, WholeRow *row, IrReg pos, IrReg len) {
    if (row->whole) {
        fill_in_order(low, row, len);
        return;
    }
    row->index[row->axis] = pos;
    fill(low, row, row->along, row->axis, fe_int_const(low, 0), len);
}

/* Statements whose target shares memory with what is read: each element is as if the right side had been
 * evaluated first.
 *
 * Where a leaf is the very same view, each element is read before it is written and all is well. Anything
 * else that might overlap is tested when the statement runs. If it does,
 *
 *     a[1:] = a[:-1] + 1                 runs in the direction that reads each element before it is written;
 *     a[1:-1] = a[:-2] + a[2:]           goes through a buffer of two blocks, and a block is stored when the
 *                                        next one has been computed. A block is as long as the views are
 *                                        apart, and 16,384 elements at least;
 *     a -= a[0]                          likewise, with the row, which is small, copied before;
 *     a += a[::-1], a += a.T             read the last element before the first one is written and the other
 *                                        way round: the block is the whole array. */
#include "frontend/lower/whole.h"

enum { BLOCK = 16384 }; /* elements */

/* Whether no leaf but the target's own view shares memory with it; IR_NO_REG: surely. */
static IrReg is_apart(Lower *low, const Whole *whole, IrReg target) {
    IrReg apart = IR_NO_REG;
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        IrReg array = whole->leaves.data[i]->array;
        if (!fe_whole_may_overlap(low, target, array) ||
            fe_whole_same_view(low, target, array))
            continue;
        IrReg meets = ir_temp(low->func, ir_scalar(TY_BOOL));
        ir_build_rt(&low->b, RT_ARRAYS_OVERLAP, 1, &meets, 2, (IrReg[]){target, array});
        IrReg not_met = ir_build_unary(&low->b, OP_NOT, ir_scalar(TY_BOOL), meets);
        apart = fe_whole_any_reg(low, apart, OP_AND, not_met);
    }
    return apart;
}

/* ---- How far what is read lies behind ---- */

typedef struct Lag {
    IrReg least, most; /* over the leaves, as RT_ARRAYS_LAG says it */
} Lag;

static Lag lag_of(Lower *low, const Whole *whole, IrReg target) {
    Lag lag = {fe_int_const(low, 0), fe_int_const(low, 0)};
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        IrReg array = whole->leaves.data[i]->array, one;
        if (!fe_whole_may_overlap(low, target, array) ||
            fe_whole_same_view(low, target, array))
            continue;
        one = ir_temp(low->func, ir_scalar(TY_INT64));
        ir_build_rt(&low->b, RT_ARRAYS_LAG, 1, &one, 2, (IrReg[]){target, array});
        lag.least = fe_int_binary(low, OP_MIN, lag.least, one);
        lag.most = fe_int_binary(low, OP_MAX, lag.most, one);
    }
    return lag;
}

static bool in_parallel_loop(const Lower *low) {
    for (const LoopScope *loop = low->loop; loop; loop = loop->outer)
        if (loop->parallel) return true;
    return false;
}

/* Smaller than the target, whatever the run brings: of a lower rank, or with an axis of np.newaxis. */
static bool is_small(Lower *low, const Whole *whole, const Leaf *leaf) {
    int64_t known;
    bool small = leaf->ndim < whole->ndim;
    for (unsigned i = 0; i < leaf->ndim; i++)
        small |= fe_known_int(low, leaf->dims[i], &known) && known == 1;
    return small;
}

/* What people are told: whether the block may come to be all of the array. */
static void note(Lower *low, const Whole *whole, IrReg target) {
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        const Leaf *leaf = whole->leaves.data[i];
        bool harmless = !fe_whole_may_overlap(low, target, leaf->array) ||
                        fe_whole_is_shift(low, target, leaf->array) ||
                        is_small(low, whole, leaf);
        if (!harmless)
            fe_note_array(
                low, "what is read may overlap what is written, otherwise than shifted", true);
    }
}

/* ---- In one direction ---- */

/* Inside: the loop in this direction, if it is safe. The builder then stands where it is not. */
static void run_if(Lower *low, Whole *whole, const Store *store, IrReg safe, bool backwards) {
    IrStmt *branch = ir_build_if(&low->b, safe);
    fe_block_swap(low, &branch->u.blocks.then);
    whole->backwards = backwards;
    fe_whole_run(low, whole, true, store->target, store->body, store->data);
    whole->backwards = false;
    fe_block_swap(low, &branch->u.blocks.els);
}

/* `direct`: whether no leaf is stretched; IR_NO_REG: none is. */
static void run_directions(Lower *low, Whole *whole, const Store *store, IrReg direct) {
    bool spreads = whole->spreads;
    IrReg zero = fe_int_const(low, 0);
    Lag lag = lag_of(low, whole, store->target);
    IrReg forwards = fe_int_compare(low, OP_LE, lag.most, zero);
    IrReg never = fe_int_compare(low, OP_EQ, lag.most, fe_int_const(low, INT64_MAX));
    IrReg rising = fe_int_compare(low, OP_GE, lag.least, zero);
    IrReg sure = ir_build_unary(&low->b, OP_NOT, ir_scalar(TY_BOOL), never);
    IrReg backwards = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), rising, sure);
    whole->spreads = false;
    run_if(low, whole, store, fe_whole_any_reg(low, direct, OP_AND, forwards), false);
    run_if(low, whole, store, fe_whole_any_reg(low, direct, OP_AND, backwards), true);
    whole->spreads = spreads;
}

/* ---- In blocks ---- */

static IrReg copied(Lower *low, IrReg array) {
    IrReg dims[IR_MAX_DIMS];
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, array).scalar;
    unsigned ndim = fe_array_dims(low, array, dims);
    IrReg copy = fe_array_owned_temp(low, ir_array(scalar, ndim, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &copy, ndim, dims)->u.imm = false;
    ir_build_rt(&low->b, RT_ARRAY_COPY, 0, NULL, 2, (IrReg[]){copy, array});
    return copy;
}

static void copy_small_leaves(Lower *low, Whole *whole, IrReg target) {
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        Leaf *leaf = whole->leaves.data[i];
        if (fe_whole_may_overlap(low, target, leaf->array) && is_small(low, whole, leaf))
            leaf->array = copied(low, leaf->array);
    }
}

/* How many indices of the first axis make a block: all, if two blocks would be more. */
static IrReg block_rows(Lower *low, const Whole *whole, IrReg lag) {
    IrReg one = fe_int_const(low, 1), n = whole->dims[0];
    IrReg row =
        fe_int_binary(low, OP_MAX, one, fe_product(low, whole->ndim - 1, whole->dims + 1));
    IrReg rows = fe_int_binary(low, OP_MAX, one,
                               fe_int_binary(low, OP_FLOORDIV, fe_int_const(low, BLOCK), row));
    rows = fe_int_binary(low, OP_MAX, rows, lag);
    IrReg half = ir_build_binary(&low->b, OP_SHR, ir_scalar(TY_INT64), n, one);
    return fe_int_select(low, fe_int_compare(low, OP_LE, rows, half), rows, n);
}

/* Inside the loop over blocks: `count` rows of the plan, from `from` on, into the buffer at `to`. */
static void compute_block(Lower *low, Whole *whole, IrReg buffer, WholeBlock block) {
    whole->block = &block;
    fe_whole_run(low, whole, false, buffer, fe_whole_store, NULL);
    whole->block = NULL;
}

static void store_block(Lower *low, const Whole *whole, const Store *store, IrReg buffer,
                        WholeBlock block) {
    Whole *made = fe_whole_of(low, buffer);
    made->block = &block;
    made->spreads = whole->spreads;
    fe_whole_run(low, made, true, store->target, store->body, store->data);
}

static void run_blocks(Lower *low, Whole *whole, const Store *store) {
    IrReg zero = fe_int_const(low, 0), n = whole->dims[0], dims[IR_MAX_DIMS];
    IrReg rows = block_rows(low, whole, lag_of(low, whole, store->target).most);
    IrReg all = fe_int_compare(low, OP_EQ, rows, n);
    dims[0] = fe_int_select(low, all, n, fe_int_binary(low, OP_ADD, rows, rows));
    for (unsigned i = 1; i < whole->ndim; i++)
        dims[i] = whole->dims[i];
    IrReg buffer = fe_array_owned_temp(low, ir_array(store->scalar, whole->ndim, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &buffer, whole->ndim, dims)->u.imm = false;
    IrReg at = fe_whole_int_var(low, zero), half = fe_whole_int_var(low, zero),
          before = fe_whole_int_var(low, zero);
    IrStmt *loop = ir_build_loop(&low->b);
    IrBlock *outer = fe_block_swap(low, &loop->u.blocks.then);
    IrReg count = fe_int_binary(low, OP_MIN, rows, fe_int_binary(low, OP_SUB, n, at));
    compute_block(low, whole, buffer, (WholeBlock){.rows = count, .from = at, .to = half});
    IrReg other = fe_int_binary(low, OP_SUB, rows, half);
    IrReg begun = fe_int_binary(low, OP_SUB, at, before);
    store_block(low, whole, store, buffer,
                (WholeBlock){.rows = before, .from = other, .to = begun});
    fe_whole_add_to(low, at, count);
    ir_build_copy(&low->b, half, other);
    ir_build_copy(&low->b, before, count);
    IrStmt *end = ir_build_if(&low->b, fe_int_compare(low, OP_EQ, count, zero));
    fe_block_swap(low, &end->u.blocks.then);
    ir_build_break(&low->b);
    fe_block_swap(low, outer);
}

/* In prange loops, whose analysis follows plain loops and copies: through an array. */
static void run_through(Lower *low, Whole *whole, const Store *store) {
    IrReg spare = fe_array_owned_temp(low, ir_array(store->scalar, whole->ndim, LAYOUT_C));
    ir_build(&low->b, OP_ALLOC, 1, &spare, whole->ndim, whole->dims)->u.imm = false;
    fe_whole_run(low, whole, false, spare, fe_whole_store, NULL);
    if (store->body == fe_whole_store)
        ir_build_rt(&low->b, RT_ARRAY_COPY, 0, NULL, 2, (IrReg[]){store->target, spare});
    else
        fe_whole_run(low, fe_whole_of(low, spare), true, store->target, store->body,
                     store->data);
}

/* ---- Any ---- */

void fe_whole_store_safely(Lower *low, Whole *whole, const Store *store) {
    IrReg unstretched = fe_whole_direct(low, whole), direct = unstretched;
    IrReg apart = is_apart(low, whole, store->target);
    whole->spreads = true;
    if (apart == IR_NO_REG) { /* stretching alone needs no other array */
        fe_whole_run_any(low, whole, store->target, store->body, store->data);
        return;
    }
    direct = fe_whole_any_reg(low, direct, OP_AND, apart);
    IrStmt *branch = ir_build_if(&low->b, direct);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    fe_whole_run(low, whole, true, store->target, store->body, store->data);
    fe_block_swap(low, &branch->u.blocks.els);
    if (in_parallel_loop(low)) {
        fe_note_array(low, "what is read may overlap what is written", true);
        run_through(low, whole, store);
    } else {
        note(low, whole, store->target);
        run_directions(low, whole, store, unstretched);
        copy_small_leaves(low, whole, store->target);
        run_blocks(low, whole, store);
    }
    fe_block_swap(low, outer);
}

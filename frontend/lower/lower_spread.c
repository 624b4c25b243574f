/* Loops over whole arrays, on threads: y[:] = a * x + b, x.sum(), np.arange(n).
 *
 * In a function with parallel=True, and outside prange loops, such a loop is cut into parts, and
 * the loop over these is a parallel one:
 *
 *     for i in [0, n) { ... }   ->   %parts, %span = rt spread n, work
 *                                    for parallel asserted weighed %p = 0, %parts, 1 {
 *                                      for i in [p * span, min(n, p * span + span)) { ... }
 *
 * How many parts there are is decided when it runs, by the size and by who asks: one, if threads
 * gain nothing. That must not be seen in the result, so what is spread is independent from
 * element to element, or is joined so that it is the same however it was cut: sums of floats
 * are a tree that the length alone decides (lower_pairwise.c). */
#include "frontend/lower/lower.h"

enum { SMALL = 1000 }; /* statements, if that is known here: not worth the question */

bool fe_spreads(Lower *low) {
    if (!low->spec->func->options.parallel) return false;
    for (const LoopScope *loop = low->loop; loop; loop = loop->outer)
        if (loop->parallel) return false;
    return true;
}

static bool is_small(Lower *low, IrReg n, IrReg work) {
    int64_t length, each, all;
    return fe_known_int(low, n, &length) && fe_known_int(low, work, &each) &&
           !__builtin_mul_overflow(length, each, &all) && all <= SMALL;
}

IrReg fe_spread_parts(Lower *low, IrReg parts) {
    IrReg part;
    IrStmt *loop =
        ir_build_for(&low->b, fe_int_const(low, 0), parts, fe_int_const(low, 1), &part);
    loop->parallel = loop->asserted = loop->weighed = true;
    fe_block_swap(low, &loop->u.blocks.then);
    return part;
}

Spread fe_spread_plan(Lower *low, IrReg n, IrReg work) {
    Spread spread = {.parts = IR_NO_REG, .lo = fe_int_const(low, 0), .hi = n};
    bool small = is_small(low, n, work);
    if (small) fe_note_serial(low, "it is over few elements");
    if (small || !fe_note_spread(low)) return spread;
    IrReg made[2];
    for (int i = 0; i < 2; i++)
        made[i] = ir_temp(low->func, ir_scalar(TY_INT64));
    ir_build_rt(&low->b, RT_SPREAD, 2, made, 2, (IrReg[]){n, work});
    spread.parts = made[0];
    spread.span = made[1];
    return spread;
}

void fe_spread_begin(Lower *low, Spread *spread) {
    if (spread->parts == IR_NO_REG) return;
    spread->part = fe_spread_parts(low, spread->parts);
    spread->lo = fe_int_binary(low, OP_MUL, spread->part, spread->span);
    IrReg end = fe_int_binary(low, OP_ADD, spread->lo, spread->span);
    spread->hi = fe_int_binary(low, OP_MIN, spread->hi, end);
}

Spread fe_spread(Lower *low, IrReg n, IrReg work) {
    Spread spread = fe_spread_plan(low, n, work);
    fe_spread_begin(low, &spread);
    return spread;
}

IrReg fe_spread_into(Lower *low, IrReg work, IrReg array) {
    if (!fe_spreads(low) || ir_reg_type(low->func, array).layout == LAYOUT_C) return work;
    IrReg distinct = ir_temp(low->func, ir_scalar(TY_BOOL));
    ir_build_rt(&low->b, RT_ARRAY_DISTINCT, 1, &distinct, 1, &array);
    return fe_int_select(low, distinct, work, fe_int_const(low, 0));
}

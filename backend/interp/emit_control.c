/* Branches and loops.
 *
 * `if` with a lone break or continue branches straight out. A loop that begins with a test, as
 * `while` does, ends in a copy of that test turned round, which saves the jump back to the
 * top:
 *
 *     top:   jnlt i, n -> out            top:   jnlt i, n -> out
 *            ...                 =>      next:  ...
 *            jump -> top                        jlt i, n -> next
 *     out:                               out:
 *
 * A counted loop is a test before it and one instruction behind it that counts, compares and
 * branches. */
#include "backend/interp/compile.h"

enum { LONGEST_TEST = 8 }; /* instructions worth copying to the end of a loop */

/* ---- if ---- */

static bool is_alone(const IrBlock *block, IrOp op) {
    return block->first && block->first == block->last && block->first->op == op;
}

static uint32_t *exit_chain(Compiler *c, const IrBlock *block) {
    if (!c->scope) return NULL;
    if (is_alone(block, OP_BREAK)) return &c->scope->breaks;
    if (is_alone(block, OP_CONTINUE)) return &c->scope->continues;
    return NULL;
}

/* Remembers the first way out of a loop, if only plain code leads to it. */
static void note_test(Compiler *c, const uint32_t *chain, uint32_t at) {
    LoopScope *scope = c->scope;
    if (chain == &scope->breaks && scope->test == NO_CHAIN && c->barrier <= scope->top &&
        at - scope->top < LONGEST_TEST)
        scope->test = at;
}

/* The lone statement of a block still has a position. */
static void skip_block(Compiler *c, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        c->position++;
}

static void emit_exit(Compiler *c, uint32_t *chain) {
    const uint32_t at = c->code.len;
    jr_emit(c, BC_JUMP, NO_CHAIN, 0, 0, 0);
    jr_chain_add(c, chain, at);
}

/* The branch of an `if`, and those taken in advance, on the chain; those that find the condition
 * to be the other way go on behind it. */
static uint32_t emit_condition(Compiler *c, IrReg cond, bool sense, uint32_t *chain) {
    const uint32_t with = c->early[sense], against = c->early[!sense];
    c->early[0] = c->early[1] = NO_CHAIN;
    const uint32_t at = jr_emit_branch(c, cond, sense);
    jr_chain_add(c, chain, at);
    jr_chain_join(c, chain, with);
    jr_chain_here(c, against);
    return at;
}

/* The right side of an `and` or `or`: where the left one has decided, the next `if` is told. */
static void emit_right_side(Compiler *c, const IrStmt *stmt, bool decides) {
    uint32_t skip = NO_CHAIN;
    emit_condition(c, stmt->args[0], false, &skip);
    jr_bury(c);
    jr_emit_block(c, &stmt->u.blocks.then);
    jr_chain_join(c, &c->early[decides], skip);
}

static void emit_if(Compiler *c, const IrStmt *stmt) {
    if (jr_is_select(c, stmt)) {
        jr_emit_select(c, stmt);
        return;
    }
    const RegPlan *variable = jr_short_of_test(c, stmt);
    if (variable) {
        emit_right_side(c, stmt, variable->decides);
        return;
    }
    const IrBlock *then = &stmt->u.blocks.then, *els = &stmt->u.blocks.els;
    uint32_t *out = exit_chain(c, then), *other = exit_chain(c, els);
    if (out || other) {
        uint32_t *chain = out ? out : other;
        note_test(c, chain, emit_condition(c, stmt->args[0], out != NULL, chain));
        jr_bury(c);
        if (out) skip_block(c, then);
        jr_emit_block(c, out ? els : then);
        if (!out) skip_block(c, els);
        return;
    }
    uint32_t skip = NO_CHAIN, end = NO_CHAIN;
    const bool only_else = !then->first;
    emit_condition(c, stmt->args[0], only_else, &skip);
    jr_bury(c);
    jr_emit_block(c, only_else ? els : then);
    if (!only_else && els->first) {
        const IrOp last = (IrOp)then->last->op;
        if (last != OP_BREAK && last != OP_CONTINUE && last != OP_RETURN && last != OP_RAISE)
            emit_exit(c, &end);
        jr_chain_here(c, skip);
        jr_emit_block(c, els);
        jr_chain_here(c, end);
    } else {
        jr_chain_here(c, skip);
    }
}

/* ---- Loops ---- */

static LoopScope enter_loop(Compiler *c) {
    c->barrier = c->code.len;
    return (LoopScope){.outer = c->scope,
                       .breaks = NO_CHAIN,
                       .continues = NO_CHAIN,
                       .top = c->code.len,
                       .test = NO_CHAIN,
                       .poll = NO_PLACE};
}

/* The end of a loop's body, where `continue` goes. */
static void end_body(Compiler *c, const LoopScope *scope) {
    jr_chain_here(c, scope->continues);
    if (scope->poll == NO_PLACE) return;
    c->where = scope->poll;
    jr_emit(c, BC_POLL, 0, 0, 0, 0);
}

static void leave_loop(Compiler *c, LoopScope *scope) {
    c->scope = scope->outer;
    jr_chain_here(c, scope->breaks);
    c->position++;
    jr_bury(c);
}

BcOp jr_bc_opposite(BcOp op) {
    return (BcOp)(BC_JEQ_I + ((op - BC_JEQ_I) ^ 1));
}

static bool is_chained(Compiler *c, uint32_t chain, uint32_t at) {
    for (; chain != NO_CHAIN; chain = *jr_jump_field(&c->code.data[chain]))
        if (chain == at) return true;
    return false;
}

static void repeat_test(Compiler *c, LoopScope *scope) {
    const uint32_t breaks = scope->breaks;
    for (uint32_t at = scope->top; at <= scope->test; at++) {
        const Instr instr = c->code.data[at];
        const Place place = c->places.data[at];
        jr_emit(c, (BcOp)instr.op, 0, 0, 0, 0);
        c->code.data[c->code.len - 1] = instr;
        c->places.data[c->code.len - 1] = place;
        if (at < scope->test && is_chained(c, breaks, at))
            jr_chain_add(c, &scope->breaks, c->code.len - 1);
    }
    Instr *last = &c->code.data[c->code.len - 1];
    last->op = jr_bc_opposite((BcOp)last->op);
    jr_jump_to(c, c->code.len - 1, scope->test + 1);
}

static void emit_loop(Compiler *c, const IrStmt *stmt) {
    LoopScope scope = enter_loop(c);
    c->scope = &scope;
    jr_emit_block(c, &stmt->u.blocks.then);
    end_body(c, &scope);
    if (scope.test != NO_CHAIN)
        repeat_test(c, &scope);
    else
        jr_emit(c, BC_JUMP, scope.top, 0, 0, 0);
    leave_loop(c, &scope);
}

/* A register of the loop's head that the body cannot change: itself, or a copy. */
static uint32_t stable_slot(Compiler *c, IrReg reg, uint32_t *copy) {
    const uint32_t slot = jr_read_slot(c, reg);
    *copy = NO_SLOT;
    if (ir_reg(c->func, jr_plan_resolve(c, reg))->kind != REG_VAR) return slot;
    *copy = jr_take_slots(c, 0);
    jr_emit_copy(c, *copy, slot);
    return *copy;
}

typedef struct Counted {
    uint32_t counter, hi, step; /* slots */
    int64_t by;                 /* the step, if it is known */
    bool known;
    bool any_strip; /* its strips are of IR_ANY_STRIP iterations, by the step's slot */
} Counted;

static uint32_t emit_for_test(Compiler *c, const Counted *loop, uint32_t lo) {
    if (!loop->known) {
        jr_emit_copy(c, loop->counter, lo);
        jr_emit(c, BC_FOR_TEST, loop->counter, loop->hi, loop->step, NO_CHAIN);
    } else {
        jr_emit(c, loop->by > 0 ? BC_FOR_UP_TEST : BC_FOR_DOWN_TEST, loop->counter, lo,
                loop->hi, NO_CHAIN);
    }
    return c->code.len - 1;
}

static bool strip_fits(int64_t by, uint32_t strip) {
    const __int128 stride = (__int128)by * strip;
    return stride <= INT32_MAX && -stride <= INT32_MAX;
}

/* From here the loop runs to the end of a strip. */
static uint32_t emit_strip(Compiler *c, Counted *loop, const IrStmt *stmt) {
    const uint32_t at = c->code.len, hi = loop->hi;
    const uint64_t by = loop->by > 0 ? (uint64_t)loop->by : 0 - (uint64_t)loop->by;
    loop->hi = jr_take_slots(c, 0);
    if (loop->any_strip)
        jr_emit(c, BC_STRIP_ANY, loop->hi, loop->counter, hi, loop->step);
    else
        jr_emit(c, loop->by > 0 ? BC_STRIP_UP : BC_STRIP_DOWN, loop->hi, loop->counter, hi,
                (uint32_t)(by * stmt->strip));
    return at;
}

static void emit_for_next(Compiler *c, const Counted *loop, uint32_t top) {
    if (loop->known && loop->by == 1)
        jr_emit(c, BC_FOR_ONE, loop->counter, loop->hi, top, 0);
    else if (loop->known && loop->by > 0 && loop->by <= UINT32_MAX)
        jr_emit(c, BC_FOR_UP, loop->counter, loop->hi, top, (uint32_t)loop->by);
    else if (loop->known && loop->by < 0 && loop->by >= -(int64_t)UINT32_MAX)
        jr_emit(c, BC_FOR_DOWN, loop->counter, loop->hi, top, (uint32_t)-loop->by);
    else
        jr_emit(c, BC_FOR_ANY, loop->counter, loop->hi, top, loop->step);
}

static void emit_for(Compiler *c, const IrStmt *stmt) {
    uint32_t hi_copy, step_copy = NO_SLOT;
    Counted loop = {.counter = 0};
    const uint32_t lo = jr_read_slot(c, stmt->args[0]);
    loop.hi = stable_slot(c, stmt->args[1], &hi_copy);
    loop.known = jr_const_value(c, stmt->args[2], &loop.by);
    const bool small = loop.by <= UINT32_MAX && loop.by >= -(int64_t)UINT32_MAX;
    loop.any_strip = stmt->strip && (!loop.known || !strip_fits(loop.by, stmt->strip));
    if (!loop.known || !small || loop.any_strip)
        loop.step = stable_slot(c, stmt->args[2], &step_copy);
    loop.counter = jr_write_slot(c, stmt->dsts[0]);
    const uint32_t skip = emit_for_test(c, &loop, lo);
    jr_bury(c);
    const uint32_t where = c->where, hi = loop.hi;
    const uint32_t strip = stmt->strip ? emit_strip(c, &loop, stmt) : 0;
    LoopScope scope = enter_loop(c);
    c->scope = &scope;
    jr_chain_add(c, &scope.breaks, skip);
    jr_emit_block(c, &stmt->u.blocks.then);
    end_body(c, &scope);
    c->where = where;
    emit_for_next(c, &loop, scope.top);
    const uint32_t back = c->code.len - 1;
    if (stmt->strip) jr_emit(c, BC_STRIP_NEXT, loop.counter, loop.hi, hi, strip);
    leave_loop(c, &scope);
    jr_open_loop(c, skip, scope.top, back);
    if (stmt->strip) jr_give_slots(c, 0, loop.hi);
    if (hi_copy != NO_SLOT) jr_give_slots(c, 0, hi_copy);
    if (step_copy != NO_SLOT) jr_give_slots(c, 0, step_copy);
}

bool jr_emit_control(Compiler *c, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_IF: emit_if(c, stmt); return true;
    case OP_LOOP: emit_loop(c, stmt); return true;
    case OP_FOR: emit_for(c, stmt); return true;
    case OP_BREAK: emit_exit(c, &c->scope->breaks); return true;
    case OP_CONTINUE: emit_exit(c, &c->scope->continues); return true;
    default: return false;
    }
}

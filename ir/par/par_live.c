/* Which variables are read after a loop, and which an iteration reads before it writes them.
 *
 * Liveness over structured code, backwards: the set holds the variables that some path from
 * here reads before writing. A loop is walked until its set stops growing; since sets only
 * grow, and nesting multiplies the walks only by the loop's own depth, this is cheap. Break
 * and continue take the set of where they go. An error leaves the function, and nothing is
 * live there. */
#include "ir/par/par.h"

#include <string.h>

ParSet ir_par_set_new(JrArena *arena, uint32_t registers) {
    uint32_t count = registers / 64 + 1;
    return (ParSet){.words = JR_NEW_ARRAY(arena, uint64_t, count), .count = count};
}

void ir_par_set_clear(ParSet set) {
    memset(set.words, 0, set.count * sizeof *set.words);
}

void ir_par_set_copy(ParSet to, ParSet from) {
    memcpy(to.words, from.words, to.count * sizeof *to.words);
}

bool ir_par_set_union(ParSet to, ParSet from) {
    uint64_t grown = 0;
    for (uint32_t i = 0; i < to.count; i++) {
        grown |= from.words[i] & ~to.words[i];
        to.words[i] |= from.words[i];
    }
    return grown != 0;
}

/* Sets are as long as the function has registers, and a walk needs a few at each depth: they
 * go back to `spare` when it leaves. */
typedef struct Live {
    IrFunc *func;
    JrArena *arena;
    ParAfters *after; /* NULL: nobody asks */
    JR_VEC(ParSet) spare;
    ParSet at_break, at_continue;
} Live;

static void live_block(Live *live, const IrBlock *block, ParSet set);

static ParSet borrow(Live *live, ParSet like) {
    ParSet set = live->spare.len ? live->spare.data[--live->spare.len]
                                 : ir_par_set_new(live->arena, live->func->regs.len);
    ir_par_set_copy(set, like);
    return set;
}

static void give_back(Live *live, ParSet set) {
    JR_PUSH(live->arena, &live->spare, set);
}

static bool is_var(const Live *live, IrReg reg) {
    return ir_reg(live->func, reg)->kind == REG_VAR;
}

static void read_args(const Live *live, const IrStmt *stmt, ParSet set) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (is_var(live, stmt->args[i])) par_set_add(set, stmt->args[i]);
}

/* A loop's set: what is live at its head, with `set` live behind it. */
static void live_loop(Live *live, const IrStmt *stmt, ParSet set) {
    ParSet outer_break = live->at_break, outer_continue = live->at_continue;
    ParSet behind = borrow(live, set), head = borrow(live, set), now = borrow(live, set);
    if (stmt->op == OP_LOOP) ir_par_set_clear(head); /* a for may run zero times */
    live->at_break = behind;
    live->at_continue = head;
    do {
        ir_par_set_copy(now, head);
        live_block(live, &stmt->u.blocks.then, now);
    } while (ir_par_set_union(head, now));
    ir_par_set_copy(set, head);
    read_args(live, stmt, set);
    live->at_break = outer_break;
    live->at_continue = outer_continue;
    give_back(live, now);
    give_back(live, head);
    give_back(live, behind);
}

static void live_if(Live *live, const IrStmt *stmt, ParSet set) {
    ParSet other = borrow(live, set);
    live_block(live, &stmt->u.blocks.then, set);
    live_block(live, &stmt->u.blocks.els, other);
    ir_par_set_union(set, other);
    give_back(live, other);
    read_args(live, stmt, set);
}

static void note_after(Live *live, const IrStmt *loop, ParSet set) {
    for (uint32_t i = live->after->len; i-- > 0;)
        if (live->after->data[i].loop == loop) {
            ir_par_set_union(live->after->data[i].live, set);
            return;
        }
    ParAfter after = {loop, ir_par_set_new(live->arena, live->func->regs.len)};
    ir_par_set_copy(after.live, set);
    JR_PUSH(live->arena, live->after, after);
}

static void live_stmt(Live *live, const IrStmt *stmt, ParSet set) {
    if (live->after && stmt->op == OP_FOR && stmt->parallel) note_after(live, stmt, set);
    switch ((IrOp)stmt->op) {
    case OP_IF: live_if(live, stmt, set); return;
    case OP_LOOP:
    case OP_FOR: live_loop(live, stmt, set); return;
    case OP_BREAK: ir_par_set_copy(set, live->at_break); return;
    case OP_CONTINUE: ir_par_set_copy(set, live->at_continue); return;
    case OP_RETURN:
    case OP_RAISE: ir_par_set_clear(set); break;
    default: break;
    }
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (is_var(live, stmt->dsts[i])) par_set_remove(set, stmt->dsts[i]);
    read_args(live, stmt, set);
}

static void live_block(Live *live, const IrBlock *block, ParSet set) {
    for (const IrStmt *stmt = block->last; stmt; stmt = stmt->prev)
        live_stmt(live, stmt, set);
}

static Live live_new(IrFunc *func, ParAfters *after) {
    Live live = {.func = func, .arena = func->module->arena, .after = after};
    live.at_break = live.at_continue = ir_par_set_new(live.arena, func->regs.len);
    return live;
}

void ir_par_live_after(IrFunc *func, ParAfters *out) {
    Live live = live_new(func, out);
    ParSet set = borrow(&live, live.at_break);
    live_block(&live, &func->body, set);
}

void ir_par_live_inside(ParLoop *p) {
    Live live = live_new(p->func, NULL);
    p->exposed = ir_par_set_new(p->arena, p->func->regs.len);
    live_block(&live, &p->loop->u.blocks.then, p->exposed);
}

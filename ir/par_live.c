/* Which variables are read after a loop, and which an iteration reads before it writes them.
 *
 * Liveness over structured code, backwards: the set holds the variables that some path from
 * here reads before writing. A loop is walked until its set stops growing; since sets only
 * grow, and nesting multiplies the walks only by the loop's own depth, this is cheap. Break
 * and continue take the set of where they go. An error leaves the function, and nothing is
 * live there. */
#include "ir/par.h"

#include <string.h>

ParSet par_set_new(JrArena *arena, uint32_t registers) {
    uint32_t count = registers / 64 + 1;
    return (ParSet){.words = JR_NEW_ARRAY(arena, uint64_t, count), .count = count};
}

void par_set_clear(ParSet set) {
    memset(set.words, 0, set.count * sizeof *set.words);
}

void par_set_copy(ParSet to, ParSet from) {
    memcpy(to.words, from.words, to.count * sizeof *to.words);
}

bool par_set_union(ParSet to, ParSet from) {
    uint64_t grown = 0;
    for (uint32_t i = 0; i < to.count; i++) {
        grown |= from.words[i] & ~to.words[i];
        to.words[i] |= from.words[i];
    }
    return grown != 0;
}

typedef struct Live {
    ParLoop *p;
    ParSet at_break, at_continue;
} Live;

static void live_block(Live *live, const IrBlock *block, ParSet set);

static bool is_var(const Live *live, IrReg reg) {
    return ir_reg(live->p->func, reg)->kind == REG_VAR;
}

static void read_args(const Live *live, const IrStmt *stmt, ParSet set) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (is_var(live, stmt->args[i])) par_set_add(set, stmt->args[i]);
}

/* A loop's set: what is live at its head, with `out` live behind it. */
static void live_loop(Live *live, const IrStmt *stmt, ParSet set) {
    Live inner = *live;
    uint32_t registers = live->p->func->regs.len;
    ParSet head = par_set_new(live->p->arena, registers);
    ParSet now = par_set_new(live->p->arena, registers);
    inner.at_break = par_set_new(live->p->arena, registers);
    inner.at_continue = head;
    par_set_copy(inner.at_break, set);
    if (stmt->op == OP_FOR) par_set_copy(head, set); /* it may run zero times */
    do {
        par_set_copy(now, head);
        live_block(&inner, &stmt->u.blocks.then, now);
    } while (par_set_union(head, now));
    par_set_copy(set, head);
    read_args(live, stmt, set);
}

static void live_if(Live *live, const IrStmt *stmt, ParSet set) {
    ParSet other = par_set_new(live->p->arena, live->p->func->regs.len);
    par_set_copy(other, set);
    live_block(live, &stmt->u.blocks.then, set);
    live_block(live, &stmt->u.blocks.els, other);
    par_set_union(set, other);
    read_args(live, stmt, set);
}

static void live_stmt(Live *live, const IrStmt *stmt, ParSet set) {
    if (stmt == live->p->loop) par_set_union(live->p->live_after, set);
    switch ((IrOp)stmt->op) {
    case OP_IF: live_if(live, stmt, set); return;
    case OP_LOOP:
    case OP_FOR: live_loop(live, stmt, set); return;
    case OP_BREAK: par_set_copy(set, live->at_break); return;
    case OP_CONTINUE: par_set_copy(set, live->at_continue); return;
    case OP_RETURN:
    case OP_RAISE: par_set_clear(set); break;
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

void par_live(ParLoop *p) {
    uint32_t registers = p->func->regs.len;
    Live live = {.p = p};
    ParSet set = par_set_new(p->arena, registers);
    live.at_break = live.at_continue = par_set_new(p->arena, registers);
    p->live_after = par_set_new(p->arena, registers);
    live_block(&live, &p->func->body, set);
    p->exposed = par_set_new(p->arena, registers);
    live_block(&live, &p->loop->u.blocks.then, p->exposed);
}

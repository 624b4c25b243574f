/* Index arithmetic that a block repeats, as a stencil does: a[i - 1, j - 1] + a[i - 1, j] + ...
 *
 * What comes three times or more is computed once, and its slot is read by all: at the top of the block, if that
 * is the body of a counted loop and nothing there changes the index before. Then the loads stand side
 * by side, and fuse.def knows what to do with them. (Twice is not worth it: an index that one load
 * reads never leaves a register.) */
#include "backend/interp/compile.h"

enum { LOOK_AROUND = 48 /* keeps planning linear */, OFTEN = 3 };

static bool is_index(const Compiler *c, const IrStmt *stmt) {
    if (stmt->op != OP_ADD && stmt->op != OP_SUB) return false;
    const IrRegInfo *result = ir_reg(c->func, stmt->dsts[0]);
    return result->kind == REG_TEMP && !result->type.ndim && result->type.scalar == TY_INT64 &&
           ir_reg(c->func, stmt->args[1])->kind == REG_CONST;
}

static bool is_same(const Compiler *c, const IrStmt *one, const IrStmt *two) {
    return one->op == two->op && one->args[0] == two->args[0] && is_index(c, one) &&
           ir_reg(c->func, one->args[1])->value.i == ir_reg(c->func, two->args[1])->value.i;
}

/* Whether the register may not be the same behind the statement. */
static bool changes(const IrStmt *stmt, IrReg reg) {
    if (stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR) return true;
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        if (stmt->dsts[n] == reg) return true;
    return false;
}

static const IrStmt *find_before(const Compiler *c, const IrStmt *stmt) {
    const IrStmt *before = stmt->prev;
    for (int n = 0; before && n < LOOK_AROUND && !changes(before, stmt->args[0]); n++) {
        if (is_same(c, before, stmt)) return before;
        before = before->prev;
    }
    return NULL;
}

static bool comes_often(const Compiler *c, const IrStmt *stmt) {
    int count = 2; /* itself and the one before */
    const IrStmt *next = stmt->next;
    for (int n = 0; next && n < LOOK_AROUND && !changes(next, stmt->args[0]); n++) {
        count += is_same(c, next, stmt);
        next = next->next;
    }
    return count >= OFTEN;
}

static bool may_come_first(const IrStmt *stmt) {
    const IrStmt *before = stmt->prev;
    for (int n = 0; before; n++, before = before->prev)
        if (n == LOOK_AROUND || changes(before, stmt->args[0])) return false;
    return true;
}

bool jr_plan_reuse(Compiler *c, const IrStmt *stmt) {
    const IrStmt *before = is_index(c, stmt) ? find_before(c, stmt) : NULL;
    if (!before) return false;
    IrReg first = before->dsts[0];
    while (c->plans[first].recast)
        first = c->plans[first].alias;
    RegPlan *plan = &c->plans[first];
    if (!plan->reused && !comes_often(c, stmt)) return false;
    if (!plan->reused) plan->early = c->block == c->loop_body && may_come_first(before);
    plan->reused = true;
    c->plans[stmt->dsts[0]].alias = first;
    return c->plans[stmt->dsts[0]].recast = true;
}

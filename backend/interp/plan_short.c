/* `a or b` and `a and b` whose right side is computed only when it counts: the IR has a variable
 *
 *     %v = copy %a
 *     %1 = not %a                   (of `or`)
 *     if %1 {
 *       ...
 *       %v = copy %b                jtrue a -> then
 *     }                        =>   ...
 *     if %v { then }                jfalse b -> behind
 *
 * that nothing but one `if` reads. It gets no slot: where the left side decides, the branch goes straight to
 * where that `if` would go, and behind the right side the variable is %b itself. They nest, on the right. */
#include "backend/interp/compile.h"

static void count_block(Compiler *c, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        for (uint32_t n = 0; n < stmt->nargs; n++)
            c->plans[stmt->args[n]].reads++;
        for (uint32_t n = 0; n < stmt->ndsts; n++)
            c->plans[stmt->dsts[n]].sets++;
        if (stmt->op != OP_IF && stmt->op != OP_FOR && stmt->op != OP_LOOP) continue;
        count_block(c, &stmt->u.blocks.then);
        if (stmt->op == OP_IF) count_block(c, &stmt->u.blocks.els);
    }
}

void jr_plan_count(Compiler *c) {
    count_block(c, &c->func->body);
}

static bool takes(const IrStmt *stmt, IrOp op, IrReg reg) {
    return stmt && stmt->op == op && stmt->args[0] == reg;
}

/* The `if` around the right side, behind the copy of the left one. */
static const IrStmt *find_test(const IrStmt *copy, bool *is_or) {
    const IrStmt *next = copy->next;
    IrReg cond = copy->args[0];
    *is_or = takes(next, OP_NOT, cond);
    if (*is_or) {
        cond = next->dsts[0];
        next = next->next;
    }
    return takes(next, OP_IF, cond) && !next->u.blocks.els.first ? next : NULL;
}

/* Whether the variable goes, perhaps through `not`s, to the `if` behind `test`: or is the right side of
 * another. */
static bool leads_to_if(const Compiler *c, const IrStmt *test, IrReg var, bool *negated) {
    const IrStmt *next = test->next;
    *negated = false;
    if (takes(next, OP_COPY, var)) {
        const RegPlan *outer = &c->plans[next->dsts[0]];
        *negated = outer->negated;
        return outer->tail == next;
    }
    for (; takes(next, OP_NOT, var); next = next->next) {
        if (c->plans[next->dsts[0]].reads != 1) return false;
        var = next->dsts[0];
        *negated ^= true;
    }
    return takes(next, OP_IF, var) && !jr_is_select(c, next);
}

bool jr_plan_short(Compiler *c, const IrStmt *copy) {
    if (copy->op != OP_COPY) return false;
    const IrReg var = copy->dsts[0];
    const IrRegInfo *info = ir_reg(c->func, var);
    RegPlan *plan = &c->plans[var];
    if (info->kind != REG_VAR || info->type.ndim || info->type.scalar != TY_BOOL ||
        plan->reads != 1 || plan->sets != 2 || plan->tail)
        return false;
    bool is_or, negated;
    const IrStmt *test = find_test(copy, &is_or);
    const IrStmt *tail = test ? test->u.blocks.then.last : NULL;
    if (!tail || tail->op != OP_COPY || tail->dsts[0] != var ||
        !leads_to_if(c, test, var, &negated))
        return false;
    plan->tail = tail;
    plan->negated = negated;
    plan->decides = is_or != negated;
    return true;
}

IrReg jr_plan_condition(const Compiler *c, IrReg cond) {
    while (c->plans[cond].tail)
        cond = c->plans[cond].tail->args[0];
    return cond;
}

bool jr_is_short_copy(const Compiler *c, const IrStmt *stmt) {
    return stmt->op == OP_COPY && c->plans[stmt->dsts[0]].tail;
}

const RegPlan *jr_short_of_test(const Compiler *c, const IrStmt *stmt) {
    const IrStmt *tail = stmt->u.blocks.then.last;
    if (!tail || tail->op != OP_COPY) return NULL;
    const RegPlan *plan = &c->plans[tail->dsts[0]];
    return plan->tail == tail ? plan : NULL;
}

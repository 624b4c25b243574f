/* `v and e` and `v or e` as the operations they are.
 *
 * The front end lowers both to a branch, since e is only evaluated where v does not decide:
 *
 *     %t = copy %v                               %1 = lt ...
 *     if %v { %1 = lt ... ; %t = copy %1 }  ->   %t = and %v, %1
 *
 * Where evaluating e always cannot be noticed they are the same, and par_reduce.c sees an
 * accumulation. */
#include "ir/par.h"

/* `%t = copy %c` before the branch, with the branch taken if c (AND) or if not c (OR). */
static IrStmt *start_of(const ParLoop *p, const IrStmt *branch, IrOp *op) {
    const IrRegInfo *test = ir_reg(p->func, branch->args[0]);
    IrStmt *before = branch->prev;
    IrReg decides = branch->args[0];
    *op = OP_AND;
    if (before && before->op == OP_NOT && test->def == before) {
        decides = before->args[0];
        before = before->prev;
        *op = OP_OR;
    }
    bool fits = before && before->op == OP_COPY && before->args[0] == decides &&
                ir_reg(p->func, before->dsts[0])->kind == REG_VAR &&
                !ir_reg(p->func, before->dsts[0])->name &&
                ir_reg_type(p->func, before->dsts[0]).scalar == TY_BOOL;
    return fits ? before : NULL;
}

static uint32_t count_writes(const ParLoop *p, IrReg reg) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->stmts.len; i++)
        for (uint32_t d = 0; d < p->stmts.data[i]->ndsts; d++)
            count += p->stmts.data[i]->dsts[d] == reg;
    return count;
}

/* The arm computes its value and does nothing else. */
static bool is_plain_arm(const ParLoop *p, const IrStmt *branch, IrReg result) {
    const IrStmt *last = branch->u.blocks.then.last;
    if (!last || branch->u.blocks.els.first) return false;
    if (last->op != OP_COPY || last->dsts[0] != result) return false;
    for (const IrStmt *s = branch->u.blocks.then.first; s != last; s = s->next)
        if (!par_is_pure(s) || ir_reg(p->func, s->dsts[0])->kind != REG_TEMP ||
            par_may_fail_alone(p, s, branch))
            return false;
    return true;
}

static void replace_reads(ParLoop *p, IrReg from, IrReg to) {
    for (uint32_t i = 0; i < p->stmts.len; i++)
        for (uint32_t a = 0; a < p->stmts.data[i]->nargs; a++)
            if (p->stmts.data[i]->args[a] == from) p->stmts.data[i]->args[a] = to;
}

static void flatten(ParLoop *p, IrBlock *block, IrStmt *branch, IrStmt *start, IrOp op) {
    IrReg result = start->dsts[0];
    IrStmt *last = branch->u.blocks.then.last;
    for (IrStmt *s = branch->u.blocks.then.first, *next; s != last; s = next) {
        next = s->next;
        ir_block_remove(&branch->u.blocks.then, s);
        ir_block_insert_before(block, branch, s);
    }
    IrBlock made = {0};
    IrBuilder b = {.func = p->func, .block = &made, .span = last->span};
    IrReg value =
        ir_build_binary(&b, op, (IrType){.scalar = TY_BOOL}, start->args[0], last->args[0]);
    IrStmt *join = made.first;
    join->prev = join->next = NULL;
    ir_block_insert_before(block, branch, join);
    const IrRegInfo *test = ir_reg(p->func, branch->args[0]);
    if (op == OP_OR && p->reads[branch->args[0]] == 1) ir_block_remove(block, test->def);
    ir_block_remove(block, branch);
    ir_block_remove(block, start);
    replace_reads(p, result, value);
}

static bool shape_block(ParLoop *p, IrBlock *block) {
    bool changed = false;
    for (IrStmt *stmt = block->first, *next; stmt; stmt = next) {
        next = stmt->next;
        if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) continue;
        changed |= shape_block(p, &stmt->u.blocks.then);
        if (stmt->op != OP_IF) continue;
        changed |= shape_block(p, &stmt->u.blocks.els);
        IrOp op;
        IrStmt *start = start_of(p, stmt, &op);
        if (!start || count_writes(p, start->dsts[0]) != 2 ||
            !is_plain_arm(p, stmt, start->dsts[0]))
            continue;
        flatten(p, block, stmt, start, op);
        changed = true;
    }
    return changed;
}

bool par_shape(ParLoop *p) {
    return shape_block(p, &p->loop->u.blocks.then);
}

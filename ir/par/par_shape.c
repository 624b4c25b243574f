/* `v and e`, `v or e` and `a if c else b` as the operations they are.
 *
 * The front end lowers them to branches, since not everything in them is always evaluated:
 *
 *     %t = copy %v                               %1 = lt ...
 *     if %v { %1 = lt ... ; %t = copy %1 }  ->   %t = and %v, %1
 *
 * Where evaluating all of it cannot be noticed the two are the same, and par_reduce.c sees an
 * accumulation. Where it can, and v is accumulated, the order of the iterations would decide
 * what is evaluated, and the loop stays serial. */
#include "ir/par/par.h"

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
    bool fits = before && before->op == OP_COPY &&
                (before->args[0] == decides || before->dsts[0] == decides) &&
                ir_reg(p->func, before->dsts[0])->kind == REG_VAR &&
                !ir_reg(p->func, before->dsts[0])->name &&
                ir_reg_type(p->func, before->dsts[0]).scalar == TY_BOOL;
    return fits ? before : NULL;
}

typedef enum Arm { ARM_OTHER, ARM_MAY_FAIL, ARM_PLAIN } Arm;

/* Whether the block computes `result` and does nothing else. */
static Arm arm_of(const ParLoop *p, const IrBlock *block, const IrStmt *branch, IrReg result) {
    const IrStmt *last = block->last;
    Arm arm = ARM_PLAIN;
    if (!last || last->ndsts != 1 || last->dsts[0] != result) return ARM_OTHER;
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (!ir_par_is_pure(s)) return ARM_OTHER;
        if (s != last && ir_reg(p->func, s->dsts[0])->kind != REG_TEMP) return ARM_OTHER;
        if (ir_par_may_fail_alone(p, s, branch)) arm = ARM_MAY_FAIL;
    }
    return arm;
}

/* Moves a plain arm before the branch; its value, in a register of its own. */
static IrReg hoist(ParLoop *p, IrBlock *block, IrStmt *branch, IrBlock *arm) {
    IrStmt *last = arm->last;
    IrReg value = last->op == OP_COPY ? last->args[0]
                                      : ir_temp(p->func, ir_reg_type(p->func, last->dsts[0]));
    for (IrStmt *s = arm->first, *next; s; s = next) {
        next = s->next;
        ir_block_remove(arm, s);
        if (s == last && s->op == OP_COPY) continue;
        ir_block_insert_before(block, branch, s);
        if (s != last) continue;
        s->dsts[0] = value;
        ir_reg(p->func, value)->def = s;
    }
    return value;
}

static bool writes_inside(const IrStmt *stmt, IrReg reg);

static bool block_writes(const IrBlock *block, IrReg reg) {
    for (const IrStmt *s = block->first; s; s = s->next)
        if (writes_inside(s, reg)) return true;
    return false;
}

static bool writes_inside(const IrStmt *stmt, IrReg reg) {
    for (uint32_t d = 0; d < stmt->ndsts; d++)
        if (stmt->dsts[d] == reg) return true;
    if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) return false;
    return block_writes(&stmt->u.blocks.then, reg) || block_writes(&stmt->u.blocks.els, reg);
}

static void use_instead(IrStmt *stmt, IrReg from, IrReg to, bool inside) {
    for (uint32_t a = 0; a < stmt->nargs; a++)
        if (stmt->args[a] == from) stmt->args[a] = to;
    if (!inside || (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR)) return;
    for (IrStmt *s = stmt->u.blocks.then.first; s; s = s->next)
        use_instead(s, from, to, true);
    for (IrStmt *s = stmt->u.blocks.els.first; s; s = s->next)
        use_instead(s, from, to, true);
}

/* After `%from = copy %to`: reads of one are reads of the other until it is written. */
static void spread(IrStmt *copy) {
    IrReg from = copy->dsts[0], to = copy->args[0];
    for (IrStmt *s = copy->next; s; s = s->next) {
        bool ends = writes_inside(s, from);
        use_instead(s, from, to, !ends);
        if (ends) return;
    }
}

/* The branch is replaced by one operation, and what it set by that one's result. */
static void replace(ParLoop *p, IrBlock *block, IrStmt *branch, IrReg result, IrOp op,
                    uint32_t n, const IrReg *args) {
    IrBlock made = {0};
    IrBuilder b = {.func = p->func, .block = &made, .span = branch->span};
    IrReg value = ir_temp(p->func, ir_reg_type(p->func, result));
    IrStmt *stmt = ir_build(&b, op, 1, &value, n, args);
    ir_build_copy(&b, result, value);
    IrStmt *copy = made.last;
    stmt->prev = stmt->next = copy->prev = copy->next = NULL;
    ir_block_insert_before(block, branch, stmt);
    ir_block_insert_before(block, branch, copy);
    ir_block_remove(block, branch);
    spread(copy);
}

/* Whether the value comes from an accumulator, through `and` and `or` alone. */
static bool is_carried(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    if (info->kind == REG_VAR)
        return par_set_has(p->exposed, reg) && par_set_has(p->written, reg);
    if (info->kind != REG_TEMP || !info->def) return false;
    if (info->def->op != OP_AND && info->def->op != OP_OR) return false;
    return is_carried(p, info->def->args[0]) || is_carried(p, info->def->args[1]);
}

static bool shape_short(ParLoop *p, IrBlock *block, IrStmt *branch) {
    IrOp op;
    IrStmt *start = start_of(p, branch, &op);
    if (!start || branch->u.blocks.els.first) return false;
    IrReg result = start->dsts[0], decides = start->args[0];
    Arm arm = arm_of(p, &branch->u.blocks.then, branch, result);
    if (arm == ARM_MAY_FAIL && is_carried(p, decides))
        ir_par_stay_serial(p, branch,
                           "what follows 'and' or 'or' may raise an error, and whether it is "
                           "evaluated depends on the order of the iterations");
    if (arm != ARM_PLAIN) return false;
    const IrRegInfo *test = ir_reg(p->func, branch->args[0]);
    if (op == OP_OR && p->reads[branch->args[0]] == 1) ir_block_remove(block, test->def);
    IrReg args[] = {decides, hoist(p, block, branch, &branch->u.blocks.then)};
    ir_block_remove(block, start);
    replace(p, block, branch, result, op, 2, args);
    return true;
}

static bool shape_choice(ParLoop *p, IrBlock *block, IrStmt *branch) {
    IrBlock *then = &branch->u.blocks.then, *els = &branch->u.blocks.els;
    if (!then->last || !els->last || then->last->ndsts != 1) return false;
    IrReg result = then->last->dsts[0];
    const IrRegInfo *info = ir_reg(p->func, result);
    if (info->kind != REG_VAR || info->name || info->type.ndim) return false;
    if (arm_of(p, then, branch, result) != ARM_PLAIN ||
        arm_of(p, els, branch, result) != ARM_PLAIN)
        return false;
    IrReg args[] = {branch->args[0], hoist(p, block, branch, then), IR_NO_REG};
    args[2] = hoist(p, block, branch, els);
    replace(p, block, branch, result, OP_SELECT, 3, args);
    return true;
}

static bool shape_block(ParLoop *p, IrBlock *block) {
    bool changed = false;
    for (IrStmt *stmt = block->first, *next; stmt; stmt = next) {
        next = stmt->next;
        if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) continue;
        changed |= shape_block(p, &stmt->u.blocks.then);
        if (stmt->op != OP_IF) continue;
        changed |= shape_block(p, &stmt->u.blocks.els);
        changed |= shape_short(p, block, stmt) || shape_choice(p, block, stmt);
    }
    return changed;
}

static void add_reads(const IrBlock *block, ParSet set) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t a = 0; a < s->nargs; a++)
            par_set_add(set, s->args[a]);
        if (s->op != OP_IF && s->op != OP_LOOP && s->op != OP_FOR) continue;
        add_reads(&s->u.blocks.then, set);
        add_reads(&s->u.blocks.els, set);
    }
}

/* Copies into variables of the front end's that nothing reads any more. */
static void drop_copies(ParLoop *p, IrBlock *block, ParSet read) {
    for (IrStmt *s = block->first, *next; s; s = next) {
        next = s->next;
        if (s->op == OP_IF || s->op == OP_LOOP || s->op == OP_FOR) {
            drop_copies(p, &s->u.blocks.then, read);
            drop_copies(p, &s->u.blocks.els, read);
        }
        if (s->op != OP_COPY || ir_reg(p->func, s->dsts[0])->kind != REG_VAR) continue;
        if (ir_reg(p->func, s->dsts[0])->name || par_set_has(read, s->dsts[0]) ||
            par_set_has(p->live_after, s->dsts[0]))
            continue;
        ir_block_remove(block, s);
    }
}

bool ir_par_shape(ParLoop *p) {
    IrBlock *body = &p->loop->u.blocks.then;
    if (!shape_block(p, body)) return false;
    ParSet read = ir_par_set_new(p->arena, p->func->regs.len);
    add_reads(body, read);
    drop_copies(p, body, read);
    return true;
}

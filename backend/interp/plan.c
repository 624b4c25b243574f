/* Where the values of a function live.
 *
 * Statements are numbered in the order in which they are emitted; the end of a loop has a
 * number too. A TEMP is alive from its definition to its last use, or, if it was defined
 * outside of a loop that uses it, to the end of that loop: then its slot serves another.
 * Variables and owned registers keep theirs.
 *
 * Three kinds of copies go away here, because both sides can share one slot:
 *   %t = op ...; %v = copy %t            the value is computed where it is wanted
 *   %t = copy 1; %t = dim %param, 0      the value lies somewhere that never changes
 *   %t = op ...; %u = cast %t            ... and the slot holds the other type's value already
 *   %t = op ...; call f(%t)              the value is computed where the callee expects it
 *   for %i ...: %v = copy %i             the loop counts in the variable itself */
#include "backend/interp/compile.h"

enum { LOOK_BACK = 24 }; /* keeps planning linear */

uint32_t jr_plan_slots(IrType type) {
    return type.ndim ? 2 + 2 * (uint32_t)type.ndim : 1;
}

IrReg jr_plan_resolve(const Compiler *c, IrReg reg) {
    while (c->plans[reg].alias != IR_NO_REG)
        reg = c->plans[reg].alias;
    return reg;
}

static bool is_kind(const Compiler *c, IrReg reg, IrRegKind kind) {
    return ir_reg(c->func, reg)->kind == kind;
}

uint32_t jr_plan_dim(Compiler *c, const IrStmt *stmt) {
    const uint32_t skip = stmt->op == OP_STRIDE ? ir_reg_type(c->func, stmt->args[0]).ndim : 0;
    return jr_read_slot(c, stmt->args[0]) + (2 + stmt->u.imm + skip) * (uint32_t)sizeof(Slot);
}

/* ---- Uses, writes and lifetimes ---- */

static IrReg before_recast(const Compiler *c, IrReg reg) {
    while (c->plans[reg].recast)
        reg = c->plans[reg].alias;
    return reg;
}

static void note_use(Compiler *c, IrReg reg) {
    reg = before_recast(c, reg);
    RegPlan *plan = &c->plans[reg];
    if (plan->tail) return;
    plan->uses++;
    if (!plan->writes || plan->block != c->block) plan->spread = true;
    if (!is_kind(c, reg, REG_TEMP)) return;
    plan->last = c->position;
    plan->loop = c->depth > plan->depth ? 1 + c->loop_stack[plan->depth] : 0;
}

static void note_write(Compiler *c, IrReg reg) {
    RegPlan *plan = &c->plans[reg];
    if (plan->tail) return;
    plan->writes++;
    plan->last = c->position;
    plan->depth = c->depth;
    plan->block = c->block;
}

/* A CAST that is one in name only: uses of its result are uses of what it casts. */
static bool note_recast(Compiler *c, const IrStmt *stmt) {
    if (stmt->op != OP_CAST || !jr_plan_keeps_bits(c, stmt)) return false;
    const IrReg src = before_recast(c, stmt->args[0]), dst = stmt->dsts[0];
    if (!is_kind(c, src, REG_TEMP) || !is_kind(c, dst, REG_TEMP)) return false;
    c->plans[dst].alias = src;
    return c->plans[dst].recast = true;
}

static void scan_block(Compiler *c, const IrBlock *block);

/* The variable that a loop's body starts by setting to the counter, or IR_NO_REG. */
static IrReg loop_variable(const Compiler *c, const IrStmt *loop) {
    const IrStmt *first = loop->u.blocks.then.first;
    while (first && first->op == OP_POLL)
        first = first->next;
    if (!first || first->op != OP_COPY || first->args[0] != loop->dsts[0]) return IR_NO_REG;
    return is_kind(c, first->dsts[0], REG_VAR) ? first->dsts[0] : IR_NO_REG;
}

/* The back edge reads hi, step and the counter. If nothing else in the loop writes the
 * variable that holds the counter, they are one. */
static void scan_loop(Compiler *c, const IrStmt *stmt) {
    const bool counted = stmt->op == OP_FOR;
    if (counted) note_use(c, stmt->args[0]);
    const uint32_t loop = c->loop_ends.len;
    JR_PUSH(c->arena, &c->loop_ends, 0);
    c->loop_stack[c->depth++] = loop;
    if (counted) note_write(c, stmt->dsts[0]);
    const IrReg var = counted ? loop_variable(c, stmt) : IR_NO_REG;
    const uint32_t writes = var == IR_NO_REG ? 0 : c->plans[var].writes;
    const IrBlock *outer_body = c->loop_body;
    c->loop_body = counted ? &stmt->u.blocks.then : NULL;
    scan_block(c, &stmt->u.blocks.then);
    c->loop_body = outer_body;
    if (var != IR_NO_REG && c->plans[var].writes == writes + 1 &&
        is_kind(c, stmt->args[2], REG_CONST))
        c->plans[stmt->dsts[0]].alias = var;
    c->position++;
    for (uint32_t n = 1; n < stmt->nargs; n++)
        note_use(c, stmt->args[n]);
    if (counted) {
        note_use(c, stmt->dsts[0]);
        c->plans[stmt->dsts[0]].uses--; /* keeps it alive, but is no read by the program */
    }
    c->loop_ends.data[loop] = c->position;
    c->depth--;
}

static void keep_alive(Compiler *c, IrReg reg) {
    reg = before_recast(c, reg);
    if (is_kind(c, reg, REG_TEMP)) c->plans[reg].last = c->position;
}

/* Arms may be emitted in any order, and what decides is read behind both: there is one more position. */
static void keep_for_select(Compiler *c, const IrStmt *stmt) {
    c->position++;
    const IrStmt *arms[] = {stmt->u.blocks.then.first, stmt->u.blocks.els.first};
    for (int n = 0; n < 2; n++)
        for (const IrStmt *step = arms[n]; step; step = step->next)
            for (uint32_t k = 0; k < step->nargs; k++)
                keep_alive(c, step->args[k]);
    for (IrReg cond = stmt->args[0];;) {
        keep_alive(c, cond);
        const IrRegInfo *info = ir_reg(c->func, cond);
        const IrStmt *def = info->kind == REG_TEMP ? info->def : NULL;
        if (!def || !(def->op == OP_NOT || def->op == OP_CAST ||
                      ir_op_form((IrOp)def->op) == FORM_CMP))
            return;
        if (def->nargs > 1) keep_alive(c, def->args[1]);
        cond = def->args[0];
    }
}

static void scan_stmt(Compiler *c, const IrStmt *stmt) {
    c->position++;
    if (stmt->op == OP_FOR || stmt->op == OP_LOOP) {
        scan_loop(c, stmt);
        return;
    }
    if (note_recast(c, stmt) || jr_plan_reuse(c, stmt) || jr_plan_short(c, stmt)) return;
    for (uint32_t n = 0; n < stmt->nargs; n++)
        note_use(c, stmt->args[n]);
    if (stmt->op == OP_CALL && jr_inlines(c, stmt)) /* it may read them any number of times */
        for (uint32_t n = 0; n < stmt->nargs; n++)
            note_use(c, stmt->args[n]);
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        note_write(c, stmt->dsts[n]);
    if (stmt->op == OP_IF) {
        scan_block(c, &stmt->u.blocks.then);
        scan_block(c, &stmt->u.blocks.els);
        if (jr_is_select(c, stmt)) keep_for_select(c, stmt);
    }
}

static void scan_block(Compiler *c, const IrBlock *block) {
    const IrBlock *outer = c->block;
    c->block = block;
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        scan_stmt(c, stmt);
    c->block = outer;
}

static uint32_t nesting(const IrBlock *block) {
    uint32_t deepest = 0;
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) continue;
        const uint32_t then = nesting(&stmt->u.blocks.then);
        const uint32_t els = stmt->op == OP_IF ? nesting(&stmt->u.blocks.els) : 0;
        const uint32_t depth = 1 + (then > els ? then : els);
        if (depth > deepest) deepest = depth;
    }
    return deepest;
}

/* ---- Sharing slots ---- */

static bool touches(const IrStmt *stmt, IrReg reg) {
    for (uint32_t n = 0; n < stmt->nargs; n++)
        if (stmt->args[n] == reg) return true;
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        if (stmt->dsts[n] == reg) return true;
    return false;
}

static bool has_blocks(const IrStmt *stmt) {
    return stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR;
}

/* A scalar TEMP with a single use, which may live elsewhere than in a slot of its own. */
static bool is_movable(const Compiler *c, IrReg reg) {
    const IrRegInfo *info = ir_reg(c->func, reg);
    const RegPlan *plan = &c->plans[reg];
    return info->kind == REG_TEMP && !info->type.ndim && plan->uses == 1 &&
           plan->alias == IR_NO_REG && plan->slot == NO_SLOT;
}

/* Whether `temp` can be computed straight into `var`: nothing between its definition and this
 * copy knows of the variable. */
static bool is_recast(const Compiler *c, const IrStmt *stmt) {
    return stmt->ndsts == 1 && c->plans[stmt->dsts[0]].recast;
}

static bool reaches_copy(const Compiler *c, const IrStmt *copy, IrReg temp, IrReg var) {
    const IrStmt *stmt = copy->prev;
    for (int n = 0; stmt && n < LOOK_BACK; n++, stmt = stmt->prev) {
        if (has_blocks(stmt)) return false;
        if (is_recast(c, stmt)) continue;
        if (stmt->ndsts && touches(stmt, temp)) return true;
        if (touches(stmt, var)) return false;
    }
    return false;
}

/* t = ...; y = ... x ...; x = t: x is computed where t would be, and what reads x in between reads a
 * copy made before. The next round of a loop then waits for x alone, not for t to be copied too. */
typedef struct Advance {
    const IrStmt *def;  /* of t */
    const IrStmt *from; /* where its expression begins */
    bool read;          /* x, in between */
} Advance;

static bool find_advance(const Compiler *c, const IrStmt *copy, IrReg var, Advance *found) {
    const IrReg temp = copy->args[0];
    const IrStmt *stmt = copy->prev;
    *found = (Advance){.def = NULL};
    for (int n = 0; stmt && n < LOOK_BACK; n++, stmt = stmt->prev) {
        if (has_blocks(stmt)) break;
        const IrReg dst = stmt->ndsts == 1 ? jr_plan_resolve(c, stmt->dsts[0]) : IR_NO_REG;
        if (found->def) {
            if (dst == IR_NO_REG || !is_kind(c, dst, REG_TEMP)) break;
            found->from = stmt;
            continue;
        }
        if (stmt->ndsts > 1 || dst == var) return false;
        if (dst == temp && stmt->op != OP_COPY) {
            found->def = found->from = stmt;
        } else {
            for (uint32_t k = 0; k < stmt->nargs; k++)
                found->read |= jr_plan_resolve(c, stmt->args[k]) == var;
        }
    }
    return found->def != NULL;
}

static void advance_copy(Compiler *c, const IrStmt *stmt) {
    const IrReg var = stmt->dsts[0], temp = stmt->args[0];
    const RegPlan *plan = &c->plans[temp];
    Advance found;
    if (!is_kind(c, var, REG_VAR) || !is_kind(c, temp, REG_VAR) || plan->uses != 1 ||
        plan->writes != 1 || plan->spread || ir_reg_type(c->func, var).ndim ||
        plan->alias != IR_NO_REG || !find_advance(c, stmt, var, &found))
        return;
    RegPlan *from = &c->plans[found.from->dsts[0]];
    if (found.read && from->saves) return;
    c->plans[temp].alias = var;
    if (!found.read) return;
    from->saves = 1 + var;
    c->plans[found.def->dsts[0]].after = 1 + var;
}

static void share_copy(Compiler *c, const IrStmt *stmt) {
    const IrReg dst = stmt->dsts[0], src = before_recast(c, stmt->args[0]);
    const IrRegInfo *to = ir_reg(c->func, dst), *from = ir_reg(c->func, src);
    const IrReg origin = jr_plan_resolve(c, src);
    if (to->kind == REG_TEMP && !to->owned && c->plans[dst].alias == IR_NO_REG &&
        (is_kind(c, origin, REG_CONST) || is_kind(c, origin, REG_PARAM))) {
        c->plans[dst].alias = origin;
        return;
    }
    if (to->kind == REG_VAR && !from->type.ndim && is_movable(c, src) &&
        reaches_copy(c, stmt, src, dst))
        c->plans[src].alias = dst;
    else
        advance_copy(c, stmt);
}

/* The dims and strides of a parameter lie in its header and stay. */
static void share_dim(Compiler *c, const IrStmt *stmt) {
    if (is_kind(c, jr_plan_resolve(c, stmt->args[0]), REG_PARAM) &&
        is_kind(c, stmt->dsts[0], REG_TEMP))
        c->plans[stmt->dsts[0]].slot = jr_plan_dim(c, stmt);
}

/* Whether nothing between the definition of `temp` and this call makes another call. */
static bool reaches_call(const Compiler *c, const IrStmt *call, IrReg temp) {
    const IrStmt *stmt = call->prev;
    for (int n = 0; stmt && n < LOOK_BACK; n++, stmt = stmt->prev) {
        if (has_blocks(stmt) || stmt->op == OP_CALL) return false;
        if (is_recast(c, stmt)) continue;
        if (stmt->ndsts && touches(stmt, temp)) return true;
    }
    return false;
}

static void share_arguments(Compiler *c, const IrStmt *stmt) {
    uint32_t offset = 0;
    for (uint32_t n = 0; n < stmt->nargs; n++) {
        const IrReg arg = before_recast(c, stmt->args[n]);
        if (is_movable(c, arg) && reaches_call(c, stmt, arg))
            c->plans[arg].slot = WINDOW_SLOT | offset;
        offset += jr_plan_slots(ir_reg_type(c->func, arg)) * (uint32_t)sizeof(Slot);
    }
    if (offset > c->window) c->window = offset;
}

/* Within another function a result is computed where it is wanted, if that is done last. */
static void share_result(Compiler *c, const IrStmt *stmt) {
    const IrStmt *before = stmt->prev;
    if (c->result == NO_SLOT || !stmt->nargs || !before || before->ndsts != 1) return;
    if (before->dsts[0] == stmt->args[0] && is_movable(c, stmt->args[0]))
        c->plans[stmt->args[0]].slot = c->result;
}

static void share_block(Compiler *c, const IrBlock *block);

static void share_stmt(Compiler *c, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_COPY:
        if (!jr_is_short_copy(c, stmt)) share_copy(c, stmt);
        break;
    case OP_DIM:
    case OP_STRIDE: share_dim(c, stmt); break;
    case OP_CALL:
        if (!stmt->u.callee->host && !jr_inlines(c, stmt)) share_arguments(c, stmt);
        break;
    case OP_RETURN: share_result(c, stmt); break;
    case OP_IF:
        if (jr_is_select(c, stmt)) break;
        share_block(c, &stmt->u.blocks.then);
        share_block(c, &stmt->u.blocks.els);
        break;
    case OP_FOR:
    case OP_LOOP: share_block(c, &stmt->u.blocks.then); break;
    default: break;
    }
}

static void share_block(Compiler *c, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        share_stmt(c, stmt);
}

/* ---- Fixed slots ---- */

static void place(Compiler *c, IrReg reg) {
    c->plans[reg].slot = c->frame;
    c->frame += jr_plan_slots(ir_reg_type(c->func, reg)) * (uint32_t)sizeof(Slot);
}

static void place_variables(Compiler *c, void (*place)(Compiler *c, IrReg reg)) {
    const IrFunc *func = c->func;
    for (IrReg reg = func->nparams; reg < func->regs.len; reg++) {
        const IrRegInfo *info = ir_reg(func, reg);
        const RegPlan *plan = &c->plans[reg];
        if (!plan->uses && !plan->writes) continue;
        if (info->kind == REG_VAR || (info->kind == REG_TEMP && info->owned)) place(c, reg);
    }
}

/* Lists the TEMPs by the position at which they die. */
static void bury(Compiler *c) {
    c->dying = JR_NEW_ARRAY(c->arena, uint32_t, c->position + 1);
    for (IrReg reg = 0; reg < c->func->regs.len; reg++) {
        RegPlan *plan = &c->plans[reg];
        if (!is_kind(c, reg, REG_TEMP) || plan->slot != NO_SLOT) continue;
        const uint32_t at = plan->loop ? c->loop_ends.data[plan->loop - 1] : plan->last;
        plan->next = c->dying[at];
        c->dying[at] = 1 + reg;
    }
}

static void plan_registers(Compiler *c) {
    const uint32_t nregs = c->func->regs.len;
    c->plans = JR_NEW_ARRAY(c->arena, RegPlan, nregs + 1);
    for (uint32_t n = 0; n < nregs; n++)
        c->plans[n].alias = c->plans[n].slot = NO_SLOT;
    c->loop_stack = JR_NEW_ARRAY(c->arena, uint32_t, nesting(&c->func->body) + 1);
    c->loop_ends.len = c->depth = c->position = 0;
    c->loop_body = NULL;
    jr_plan_count(c);
    scan_block(c, &c->func->body);
}

static void plan_sharing(Compiler *c) {
    share_block(c, &c->func->body);
    bury(c);
    c->position = 0;
}

void jr_plan_function(Compiler *c) {
    c->frame = c->window = 0;
    for (int n = 0; n <= IR_MAX_DIMS; n++)
        c->free_slots[n].len = 0;
    plan_registers(c);
    for (IrReg reg = 0; reg < c->func->nparams; reg++)
        place(c, reg);
    place_variables(c, place);
    plan_sharing(c);
}

static void place_for_now(Compiler *c, IrReg reg) {
    c->plans[reg].slot = jr_take_slots(c, 0);
}

void jr_plan_inlined(Compiler *c, const uint32_t *params) {
    plan_registers(c);
    for (IrReg reg = 0; reg < c->func->nparams; reg++)
        c->plans[reg].slot = params[reg];
    place_variables(c, place_for_now);
    plan_sharing(c);
}

/* An `if` that chooses between two values of one variable, each a step or two from a constant,
 * computes both and then takes one:
 *
 *     if %odd {
 *       %1 = mul %n, 3                   mul t, n, 3
 *       %n = add %1, 1           =>      add t, t, 1
 *     } else {                           shr u, n, 1
 *       %n = shr %n, 1                   select n, odd, t, u
 *     }
 *
 * That is one handler (fuse.def) that has nothing to guess, where branching is two, and a wrong guess
 * whenever the data are not regular. */
#include "backend/interp/compile.h"

enum { LONGEST_ARM = 2 };

/* ---- Which ---- */

static bool is_const(const Compiler *c, IrReg reg) {
    return ir_reg(c->func, reg)->kind == REG_CONST;
}

/* int64 and a constant, such that one instruction does it (emit_scalar.c). */
static bool is_cheap(const Compiler *c, const IrStmt *stmt) {
    if (ir_op_form((IrOp)stmt->op) != FORM_BIN) return false;
    const IrType type = ir_reg_type(c->func, stmt->dsts[0]);
    if (type.ndim || type.scalar != TY_INT64) return false;
    const bool right = is_const(c, stmt->args[1]);
    const int64_t k = right ? ir_reg(c->func, stmt->args[1])->value.i : 0;
    switch (stmt->op) {
    case OP_ADD:
    case OP_MUL: return right || is_const(c, stmt->args[0]);
    case OP_SUB: return right;
    case OP_SHR: return k > 0 && k < 64;
    case OP_FLOORDIV: return k > 0 && (k & (k - 1)) == 0;
    default: return false;
    }
}

/* The variable that an arm gives a value in its last statement and cheaply; or IR_NO_REG. */
static IrReg chosen(const Compiler *c, const IrBlock *arm) {
    int n = 0;
    for (const IrStmt *stmt = arm->first; stmt; stmt = stmt->next, n++) {
        if (stmt->op != OP_COPY && (n == LONGEST_ARM || !is_cheap(c, stmt))) return IR_NO_REG;
        const IrRegInfo *to = ir_reg(c->func, stmt->dsts[0]);
        if (to->type.ndim || to->kind != (stmt->next ? REG_TEMP : REG_VAR)) return IR_NO_REG;
        if (!stmt->next) return stmt->dsts[0];
    }
    return IR_NO_REG;
}

bool jr_is_select(const Compiler *c, const IrStmt *stmt) {
    if (stmt->op != OP_IF) return false;
    const IrReg var = chosen(c, &stmt->u.blocks.then);
    return var != IR_NO_REG && chosen(c, &stmt->u.blocks.els) == var;
}

/* ---- Emitting it ---- */

/* The slot that decides: not 0 when the condition is `sense`. */
static uint32_t emit_decider(Compiler *c, IrReg cond, bool *sense) {
    *sense = true;
    for (;;) {
        const IrRegInfo *info = ir_reg(c->func, cond);
        const IrStmt *def = info->kind == REG_TEMP ? info->def : NULL;
        if (!def || !jr_is_deferred(c, def)) return jr_read_slot(c, cond);
        int64_t k;
        const bool equal = def->op == OP_EQ;
        if ((equal || def->op == OP_NE) && jr_const_value(c, def->args[1], &k) && k == 0) {
            *sense ^= equal;
            return jr_read_slot(c, def->args[0]);
        }
        if (def->nargs == 2) {
            jr_emit_compare(c, def);
            return jr_write_slot(c, cond);
        }
        *sense ^= def->op == OP_NOT;
        cond = def->args[0];
    }
}

/* The arm's value, in a slot that is not the variable's; `scratch` is one to give back, or NO_SLOT. */
static uint32_t emit_arm(Compiler *c, const IrBlock *arm, uint32_t *scratch) {
    *scratch = NO_SLOT;
    if (arm->last->op == OP_COPY) {
        jr_emit_until(c, arm, arm->last);
        c->position++;
        return jr_read_slot(c, arm->last->args[0]);
    }
    RegPlan *plan = &c->plans[jr_plan_resolve(c, arm->last->dsts[0])];
    const RegPlan before = *plan;
    if (!plan->old_meant) plan->old = jr_write_slot(c, arm->last->dsts[0]);
    plan->old_meant = true;
    plan->slot = *scratch = jr_take_slots(c, 0);
    jr_emit_block(c, arm);
    c->places.data[c->code.len - 1].once = true;
    *plan = before;
    return *scratch;
}

static uint32_t length(const IrBlock *arm) {
    uint32_t n = 0;
    for (const IrStmt *stmt = arm->first; stmt; stmt = stmt->next)
        n++;
    return n;
}

/* The longer arm comes first, since the last two results are handed on in registers. */
void jr_emit_select(Compiler *c, const IrStmt *stmt) {
    const IrBlock *arms[] = {&stmt->u.blocks.then, &stmt->u.blocks.els};
    const uint32_t lengths[] = {length(arms[0]), length(arms[1])}, position = c->position;
    const uint32_t first = lengths[0] < lengths[1];
    bool sense;
    uint32_t scratch[2], slots[2];
    const uint32_t decider = emit_decider(c, stmt->args[0], &sense);
    for (uint32_t n = 0; n < 2; n++) {
        const uint32_t arm = n ^ first;
        c->position = position + (arm ? lengths[0] : 0);
        slots[arm] = emit_arm(c, arms[arm], &scratch[arm]);
    }
    c->position = position + lengths[0] + lengths[1] + 1;
    jr_bury(c);
    const uint32_t var = jr_write_slot(c, arms[0]->last->dsts[0]);
    jr_emit(c, BC_SELECT, var, decider, slots[!sense], slots[sense]);
    for (int n = 0; n < 2; n++)
        if (scratch[n] != NO_SLOT) jr_give_slots(c, 0, scratch[n]);
}

/* Comparisons, and the branches made of them.
 *
 * A comparison that only an `if` reads becomes a branch. So does each comparison of an `and` or
 * `or` that only an `if` reads: the first ones branch where they are computed,
 *
 *     %1 = lt %n, %limit          jnlt n, limit -> out
 *     %2 = mul %z, %z             mul z2, z, z
 *     %3 = le %2, 4.0      =>
 *     %4 = and %1, %3
 *     %5 = not %4
 *     if %5 { break }             jnle z2, 4.0 -> out
 *
 * if nothing in between is missed: the operands on the right are computed already in the IR, so
 * they neither fail nor have effects, and all of it must be dead behind the `if`. A register
 * whose comparison has branched is `decided`: past that branch its value is known. */
#include "backend/interp/compile.h"

/* ---- Comparisons ---- */

/* Which comparison serves a type: 0 int64 and all that is extended to it, 1 uint64, 2 float64,
 * 3 float32. */
static unsigned compare_class(IrScalar scalar) {
    switch (scalar) {
    case TY_UINT64: return 1;
    case TY_FLOAT64: return 2;
    case TY_FLOAT32: return 3;
    default: return 0;
    }
}

/* EQ NE LT LE, and whether the operands change places. */
static unsigned compare_kind(IrOp op, bool *swap) {
    *swap = op == OP_GT || op == OP_GE;
    switch (op) {
    case OP_EQ: return 0;
    case OP_NE: return 1;
    case OP_LT:
    case OP_GT: return 2;
    default: return 3;
    }
}

void jr_emit_compare(Compiler *c, const IrStmt *stmt) {
    static const BcOp FIRST[] = {BC_EQ_I, BC_EQ_U, BC_EQ_D, BC_EQ_F};
    bool swap;
    const unsigned kind = compare_kind((IrOp)stmt->op, &swap);
    const uint32_t a = jr_read_slot(c, stmt->args[swap]),
                   b = jr_read_slot(c, stmt->args[!swap]);
    const unsigned class = compare_class(ir_reg_type(c->func, stmt->args[0]).scalar);
    jr_bury(c);
    jr_emit(c, FIRST[class] + kind, jr_write_slot(c, stmt->dsts[0]), a, b, 0);
}

static bool is_compare(const IrStmt *stmt) {
    return ir_op_form((IrOp)stmt->op) == FORM_CMP;
}

/* ---- Branches ---- */

/* A branch on an integer against a constant, which is in the instruction. */
static bool emit_branch_const(Compiler *c, const IrStmt *cmp, bool sense, uint32_t *at) {
    const bool left = ir_reg(c->func, jr_plan_resolve(c, cmp->args[0]))->kind == REG_CONST;
    int64_t k;
    if (compare_class(ir_reg_type(c->func, cmp->args[0]).scalar) != 0 ||
        !jr_const_value(c, cmp->args[!left], &k))
        return false;
    BcOp op;
    switch (cmp->op) {
    case OP_EQ: op = BC_JEQ_K; break;
    case OP_NE: op = BC_JNE_K; break;
    case OP_LT: op = left ? BC_JNLE_K : BC_JLT_K; break;
    case OP_LE: op = left ? BC_JNLT_K : BC_JLE_K; break;
    case OP_GT: op = left ? BC_JLT_K : BC_JNLE_K; break;
    default: op = left ? BC_JLE_K : BC_JNLT_K; break;
    }
    *at = c->code.len;
    jr_emit_k(c, sense ? op : op + 1 - 2 * ((op - BC_JEQ_K) & 1),
              jr_read_slot(c, cmp->args[left]), NO_CHAIN, k);
    return true;
}

static uint32_t emit_branch_compare(Compiler *c, const IrStmt *cmp, bool sense) {
    static const BcOp FIRST[] = {BC_JEQ_I, BC_JEQ_U, BC_JEQ_D, BC_JEQ_F};
    static const unsigned OFFSET[] = {0, 1, 2,
                                      4}; /* each but NE's is followed by its opposite */
    uint32_t at;
    if (emit_branch_const(c, cmp, sense, &at)) return at;
    bool swap;
    unsigned kind = OFFSET[compare_kind((IrOp)cmp->op, &swap)];
    if (!sense) kind ^= 1;
    const uint32_t a = jr_read_slot(c, cmp->args[swap]), b = jr_read_slot(c, cmp->args[!swap]);
    const unsigned class = compare_class(ir_reg_type(c->func, cmp->args[0]).scalar);
    at = c->code.len;
    jr_emit(c, FIRST[class] + kind, a, b, NO_CHAIN, 0);
    return at;
}

/* ---- Conditions of several comparisons ---- */

enum { LOOK_AHEAD = 24 }; /* keeps this linear */

static bool is_join(const IrStmt *stmt) {
    return stmt->op == OP_AND || stmt->op == OP_OR;
}

/* The operand that is left of an `and` or `or` when the other has branched already. */
static IrReg undecided(const Compiler *c, const IrStmt *join) {
    return join->args[c->plans[join->args[0]].decided];
}

static bool is_half_decided(const Compiler *c, const IrStmt *stmt) {
    return is_join(stmt) && c->plans[stmt->args[0]].decided != c->plans[stmt->args[1]].decided;
}

static bool is_used_once(const Compiler *c, IrReg reg) {
    const RegPlan *plan = &c->plans[reg];
    return ir_reg(c->func, reg)->kind == REG_TEMP && plan->uses == 1 &&
           plan->alias == IR_NO_REG;
}

static bool takes(const IrStmt *stmt, IrReg reg) {
    for (uint32_t n = 0; n < stmt->nargs; n++)
        if (stmt->args[n] == reg) return true;
    return false;
}

/* Whether the statement may be skipped: it does nothing but give a TEMP that is dead behind the
 * statement at position `end`. */
static bool is_skippable(const Compiler *c, const IrStmt *stmt, uint32_t end) {
    if (stmt->ndsts == 1 && c->plans[stmt->dsts[0]].recast) return true;
    if (jr_is_short_copy(c, stmt)) return true;
    switch (ir_op_form((IrOp)stmt->op)) {
    case FORM_BIN:
    case FORM_CMP:
    case FORM_UN:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_MATH:
    case FORM_BITS:
    case FORM_LOAD:
    case FORM_DIM: break;
    default: return false;
    }
    const RegPlan *plan = &c->plans[stmt->dsts[0]];
    return !ir_stmt_may_fail(c->func, stmt) && plan->alias == IR_NO_REG &&
           ir_reg(c->func, stmt->dsts[0])->kind == REG_TEMP && !plan->loop &&
           plan->last <= end;
}

/* The `if` to which a comparison leads through `and`s alone or `or`s alone, and then perhaps
 * `not`s. */
typedef struct Route {
    const IrStmt *branch;
    IrOp join; /* OP_COUNT: none */
    bool negated;
    uint32_t distance; /* statements from the comparison to the branch */
} Route;

static bool find_route(const Compiler *c, const IrStmt *compare, Route *route) {
    IrReg reg = compare->dsts[0];
    bool inverted = false;
    *route = (Route){.join = OP_COUNT};
    for (const IrStmt *stmt = compare->next; stmt; stmt = stmt->next) {
        if (++route->distance > LOOK_AHEAD || !is_used_once(c, reg)) return false;
        if (jr_is_short_copy(c, stmt)) continue;
        if (!takes(stmt, reg)) continue;
        route->branch = stmt;
        if (stmt->op == OP_IF) return route->join != OP_COUNT && !jr_is_select(c, stmt);
        if (stmt->op == OP_NOT && route->join != OP_COUNT) {
            route->negated = !route->negated;
            inverted = true;
        } else if (is_join(stmt) && !inverted &&
                   (route->join == OP_COUNT || route->join == stmt->op)) {
            route->join = (IrOp)stmt->op;
        } else {
            return false;
        }
        reg = stmt->dsts[0];
    }
    return false;
}

static bool is_route_clear(const Compiler *c, const IrStmt *compare, const Route *route) {
    for (const IrStmt *stmt = compare->next; stmt != route->branch; stmt = stmt->next)
        if (!is_skippable(c, stmt, c->position + route->distance)) return false;
    return true;
}

bool jr_emit_early(Compiler *c, const IrStmt *stmt) {
    if (is_join(stmt) && c->plans[stmt->args[0]].decided && c->plans[stmt->args[1]].decided) {
        c->plans[stmt->dsts[0]].decided = true;
        return true;
    }
    if (is_half_decided(c, stmt) && !jr_is_deferred(c, stmt)) {
        const uint32_t left = jr_read_slot(c, undecided(c, stmt));
        jr_emit_copy(c, jr_write_slot(c, stmt->dsts[0]), left);
        return true;
    }
    Route route;
    if (!is_compare(stmt) || jr_is_deferred(c, stmt) || !find_route(c, stmt, &route) ||
        !is_route_clear(c, stmt, &route))
        return false;
    const bool decides = route.join == OP_OR;
    jr_chain_add(c, &c->early[decides != route.negated],
                 emit_branch_compare(c, stmt, decides));
    c->plans[stmt->dsts[0]].decided = true;
    return true;
}

/* An integer as a condition: branches test integers too. */
static bool is_int_test(const Compiler *c, const IrStmt *stmt) {
    return stmt->op == OP_CAST && ir_reg_type(c->func, stmt->dsts[0]).scalar == TY_BOOL &&
           !ir_scalar_is_float(ir_reg_type(c->func, stmt->args[0]).scalar);
}

bool jr_is_deferred(const Compiler *c, const IrStmt *stmt) {
    for (;;) {
        if (!is_compare(stmt) && stmt->op != OP_NOT && !is_int_test(c, stmt) &&
            !is_half_decided(c, stmt))
            return false;
        const IrReg dst = stmt->dsts[0];
        stmt = stmt->next;
        if (!is_used_once(c, dst) || !stmt || !takes(stmt, dst)) return false;
        if (jr_is_short_copy(c, stmt)) {
            stmt = stmt->next;
            if (!stmt) return true;
        }
        if (stmt->op == OP_IF) return true;
    }
}

uint32_t jr_emit_branch(Compiler *c, IrReg cond, bool sense) {
    cond = jr_plan_condition(c, cond);
    const IrRegInfo *info = ir_reg(c->func, cond);
    while (info->kind == REG_TEMP && info->def && jr_is_deferred(c, info->def)) {
        if (is_compare(info->def)) return emit_branch_compare(c, info->def, sense);
        sense ^= info->def->op == OP_NOT;
        cond = info->def->nargs == 1 ? info->def->args[0] : undecided(c, info->def);
        cond = jr_plan_condition(c, cond);
        info = ir_reg(c->func, cond);
    }
    const uint32_t slot = jr_read_slot(c, cond), at = c->code.len;
    jr_emit(c, sense ? BC_JTRUE : BC_JFALSE, slot, NO_CHAIN, 0, 0);
    return at;
}

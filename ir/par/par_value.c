/* Whether values of a parallel loop's body are the same, and whether what computes them can be
 * noticed: by an error that nothing else would have raised. */
#include "ir/par/par.h"

static const IrStmt *def_of(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP ? info->def : NULL;
}

bool ir_par_is_pure(const IrStmt *stmt) {
    switch (ir_op_form(stmt->op)) {
    case FORM_BIN:
    case FORM_CMP:
    case FORM_UN:
    case FORM_COPY:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_MATH:
    case FORM_DIM:
    case FORM_LOAD: return stmt->ndsts == 1;
    default: return false;
    }
}

enum { SAME_DEPTH = 12 };

static uint32_t index_of(const ParLoop *p, const IrStmt *stmt) {
    for (uint32_t i = 0; i < p->stmts.len; i++)
        if (p->stmts.data[i] == stmt) return i;
    return UINT32_MAX; /* outside the loop, before it */
}

static const IrStmt *parent_of(const ParLoop *p, const IrStmt *stmt) {
    uint32_t at = index_of(p, stmt);
    return at == UINT32_MAX ? NULL : p->parents.data[at];
}

bool ir_par_is_within(const ParLoop *p, const IrStmt *stmt, const IrStmt *outer) {
    for (; stmt && stmt != p->loop; stmt = parent_of(p, stmt))
        if (stmt == outer) return true;
    return outer == p->loop;
}

static bool writes(const IrStmt *stmt, IrReg reg) {
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (stmt->dsts[i] == reg) return true;
    return false;
}

/* `reg`, or with IR_NO_REG some memory. */
static bool changes(const IrStmt *stmt, IrReg reg) {
    if (reg != IR_NO_REG) return writes(stmt, reg);
    return stmt->op == OP_STORE || stmt->op == OP_CALL || stmt->op == OP_RT;
}

/* Whether `reg` may change between two statements of one iteration, of which a runs before b:
 * in what stands between them, and in the loops that b is inside and a is not. */
static bool changed_between(const ParLoop *p, IrReg reg, const IrStmt *a, const IrStmt *b) {
    uint32_t from = index_of(p, a), to = index_of(p, b);
    from = from == UINT32_MAX ? 0 : from + 1;
    for (const IrStmt *s = parent_of(p, b); s && s != p->loop; s = parent_of(p, s)) {
        if (ir_par_is_within(p, a, s)) break;
        if (s->op != OP_LOOP && s->op != OP_FOR) continue;
        for (uint32_t i = 0; i < p->stmts.len; i++)
            if (changes(p->stmts.data[i], reg) && ir_par_is_within(p, p->stmts.data[i], s))
                return true;
    }
    for (uint32_t i = from; i < to && i < p->stmts.len; i++)
        if (changes(p->stmts.data[i], reg)) return true;
    return false;
}

static bool same_value(const ParLoop *p, IrReg a, const IrStmt *at_a, IrReg b,
                       const IrStmt *at_b, int depth);

/* Whether two statements compute the same. */
static bool same_result(const ParLoop *p, const IrStmt *x, const IrStmt *y, int depth) {
    if (x->op != y->op || x->nargs != y->nargs || depth == 0) return false;
    if (!ir_par_is_pure(x) || !ir_par_is_pure(y)) return false;
    if (x->op == OP_MATH && x->u.math != y->u.math) return false;
    if (ir_op_form(x->op) == FORM_DIM && x->u.imm != y->u.imm) return false;
    if (!ir_type_same(ir_reg_type(p->func, x->dsts[0]), ir_reg_type(p->func, y->dsts[0])))
        return false;
    bool ordered = index_of(p, x) + 1 <= index_of(p, y) + 1;
    if (x->op == OP_LOAD && changed_between(p, IR_NO_REG, ordered ? x : y, ordered ? y : x))
        return false;
    for (uint32_t i = 0; i < x->nargs; i++)
        if (!same_value(p, x->args[i], x, y->args[i], y, depth - 1)) return false;
    return true;
}

static bool same_value(const ParLoop *p, IrReg a, const IrStmt *at_a, IrReg b,
                       const IrStmt *at_b, int depth) {
    if (a == b && (ir_reg(p->func, a)->kind != REG_VAR || !par_set_has(p->written, a)))
        return true;
    bool ordered = index_of(p, at_a) + 1 <= index_of(p, at_b) + 1;
    if (a == b) return !changed_between(p, a, ordered ? at_a : at_b, ordered ? at_b : at_a);
    const IrStmt *x = def_of(p, a), *y = def_of(p, b);
    return x && y && same_result(p, x, y, depth);
}

bool ir_par_same_result(const ParLoop *p, const IrStmt *x, const IrStmt *y) {
    return same_result(p, x, y, SAME_DEPTH);
}

bool ir_par_same_value(const ParLoop *p, IrReg a, const IrStmt *at_a, IrReg b,
                       const IrStmt *at_b) {
    return same_value(p, a, at_a, b, at_b, SAME_DEPTH);
}

/* The load's index is the loop's own counter, which goes from zero or more up to the length.
 */
static bool is_in_bounds(const ParLoop *p, const IrStmt *load) {
    const IrRegInfo *lo = ir_reg(p->func, p->loop->args[0]),
                    *step = ir_reg(p->func, p->loop->args[2]);
    const IrStmt *hi = def_of(p, p->loop->args[1]);
    if (load->nargs != 2 || load->args[1] != par_counter(p)) return false;
    if (lo->kind != REG_CONST || lo->value.i < 0 || step->kind != REG_CONST ||
        step->value.i <= 0)
        return false;
    return hi && hi->op == OP_DIM && hi->u.imm == 0 && hi->args[0] == load->args[0] &&
           !par_set_has(p->written, load->args[0]);
}

/* Whether a statement that the order of iterations decides on can raise an error. One like it
 * that has run before cannot have failed. */
bool ir_par_may_fail_alone(const ParLoop *p, const IrStmt *stmt, const IrStmt *branch) {
    if (!ir_stmt_may_fail(p->func, stmt)) return false;
    if (stmt->op != OP_LOAD) return true;
    if (is_in_bounds(p, stmt)) return false;
    for (uint32_t i = 0; i < p->stmts.len && p->stmts.data[i] != branch; i++) {
        const IrStmt *s = p->stmts.data[i];
        if (s->op == OP_LOAD && ir_par_is_within(p, branch, p->parents.data[i]) &&
            same_result(p, s, stmt, SAME_DEPTH))
            return false;
    }
    return true;
}

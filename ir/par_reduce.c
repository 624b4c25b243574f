/* Variables of a parallel loop's body: private, accumulated, or wrong.
 *
 * A variable that every iteration writes before reading it, and that nothing reads afterwards,
 * is private. Any other is carried from one iteration to the next, which is allowed in one
 * form only: accumulating with one operator that may be applied in any order. It may stand in
 * any number of places, under conditions and in inner loops, as
 *
 *     t = op v, e ; v = t             v += e, v = v * e, v = max(v, e), v -= e as adding -e
 *     if e < v: v = e                 a minimum or maximum; with  k = ...  beside it, its
 * position if c: v = True                  an `or`; False an `and`
 *
 * and the body may not read it anywhere else: what it holds there depends on the order. */
#include "ir/par.h"

#include <math.h>
#include <string.h>

/* ---- Values ---- */

static const IrStmt *def_of(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP ? info->def : NULL;
}

static bool is_pure(const ParLoop *p, const IrStmt *stmt) {
    switch (ir_op_form(stmt->op)) {
    case FORM_BIN:
    case FORM_CMP:
    case FORM_UN:
    case FORM_COPY:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_MATH:
    case FORM_DIM: return stmt->ndsts == 1;
    case FORM_LOAD: return !par_set_has(p->touched, stmt->args[0]);
    default: return false;
    }
}

enum { SAME_DEPTH = 12 };

static bool same_value(const ParLoop *p, IrReg a, IrReg b, int depth) {
    if (a == b) return ir_reg(p->func, a)->kind != REG_VAR || !par_set_has(p->written, a);
    const IrStmt *x = def_of(p, a), *y = def_of(p, b);
    if (!x || !y || x->op != y->op || x->nargs != y->nargs || depth == 0) return false;
    if (!is_pure(p, x) || !is_pure(p, y)) return false;
    if (x->op == OP_MATH && x->u.math != y->u.math) return false;
    if (ir_op_form(x->op) == FORM_DIM && x->u.imm != y->u.imm) return false;
    if (!ir_type_same(ir_reg_type(p->func, a), ir_reg_type(p->func, b))) return false;
    for (uint32_t i = 0; i < x->nargs; i++)
        if (!same_value(p, x->args[i], y->args[i], depth - 1)) return false;
    return true;
}

bool par_same_value(const ParLoop *p, IrReg a, IrReg b) {
    return same_value(p, a, b, SAME_DEPTH);
}

/* ---- Operators ---- */

/* The class a way of accumulating belongs to; OP_COUNT if it is none. `left`: the accumulator
 * is the left operand. */
static IrOp reduction_class(IrOp op, bool left) {
    switch (op) {
    case OP_ADD:
    case OP_MUL:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_MIN:
    case OP_MAX: return op;
    case OP_SUB: return left ? OP_ADD : OP_COUNT;
    case OP_DIV: return left ? OP_MUL : OP_COUNT;
    default: return OP_COUNT;
    }
}

static int64_t lowest(IrScalar scalar) {
    unsigned bits = 8 * ir_scalar_size(scalar);
    return ir_scalar_is_signed(scalar) ? (int64_t)(UINT64_MAX << (bits - 1)) : 0;
}

static uint64_t highest(IrScalar scalar) {
    unsigned bits = 8 * ir_scalar_size(scalar);
    uint64_t all = UINT64_MAX >> (64 - bits);
    return ir_scalar_is_signed(scalar) ? all >> 1 : all;
}

static IrConst identity_float(IrOp op, IrScalar scalar) {
    double d = op == OP_MUL ? 1 : op == OP_MIN ? INFINITY : op == OP_MAX ? -INFINITY : -0.0;
    IrConst value = {.d = d};
    if (scalar == TY_FLOAT32) value.u = 0, value.f = (float)d;
    return value;
}

/* The sum starts from -0.0, which leaves every float as it is; 0.0 turns -0.0 into 0.0. */
IrConst par_identity(IrOp op, IrScalar scalar) {
    if (ir_scalar_is_float(scalar)) return identity_float(op, scalar);
    if (scalar == TY_BOOL) return (IrConst){.i = op == OP_AND};
    switch (op) {
    case OP_MUL: return (IrConst){.i = 1};
    case OP_AND:
        return ir_scalar_is_signed(scalar) ? (IrConst){.i = -1}
                                           : (IrConst){.u = highest(scalar)};
    case OP_MIN: return (IrConst){.u = highest(scalar)};
    case OP_MAX: return (IrConst){.i = lowest(scalar)};
    default: return (IrConst){.i = 0};
    }
}

/* ---- Uses of one variable ---- */

typedef struct Use {
    ParLoop *p;
    ParVar *var;
    IrStmt *clash; /* a use that does not fit */
    bool reads;    /* ... because it reads the accumulator */
} Use;

static void handle(Use *use, IrStmt *stmt) {
    JR_PUSH(use->p->arena, &use->p->handled, stmt);
}

static bool is_handled(const ParLoop *p, const IrStmt *stmt) {
    for (uint32_t i = 0; i < p->handled.len; i++)
        if (p->handled.data[i] == stmt) return true;
    return false;
}

static bool accept(Use *use, IrStmt *stmt, IrOp op) {
    ParVar *var = use->var;
    if (op == OP_COUNT || (var->op != OP_COUNT && var->op != op)) {
        use->clash = stmt;
        return false;
    }
    var->op = op;
    handle(use, stmt);
    return true;
}

/* `op v, e` or `op e, v`, e not v: its class. */
static IrOp update_class(const IrStmt *stmt, IrReg v) {
    if (ir_op_form(stmt->op) != FORM_BIN) return OP_COUNT;
    bool left = stmt->args[0] == v, right = stmt->args[1] == v;
    return left == right ? OP_COUNT : reduction_class(stmt->op, left);
}

/* Chains such as v = (v + a) + b: the accumulator is the leftmost leaf, all operators alike.
 */
static IrOp chain_class(Use *use, IrReg value, int depth) {
    IrStmt *stmt = (IrStmt *)def_of(use->p, value);
    if (!stmt || depth == 0 || !par_set_has(use->p->inside, value)) return OP_COUNT;
    IrOp op = update_class(stmt, use->var->reg);
    if (op == OP_COUNT && ir_op_form(stmt->op) == FORM_BIN) {
        IrOp inner = chain_class(use, stmt->args[0], depth - 1);
        op = inner == reduction_class(stmt->op, true) ? inner : OP_COUNT;
    }
    if (op == OP_COUNT || use->p->reads[value] != 1) return OP_COUNT;
    handle(use, stmt);
    return op;
}

/* ---- if e < v: v = e ---- */

static bool reverses(IrOp op, IrOp *out) {
    switch (op) {
    case OP_LT: *out = OP_GT; return true;
    case OP_LE: *out = OP_GE; return true;
    case OP_GT: *out = OP_LT; return true;
    case OP_GE: *out = OP_LE; return true;
    default: return false;
    }
}

/* The branch's test as `e compare v`; e is returned. */
static bool branch_test(const Use *use, const IrStmt *branch, IrReg *e, IrOp *compare) {
    const IrStmt *test = def_of(use->p, branch->args[0]);
    if (!test || ir_op_form(test->op) != FORM_CMP) return false;
    if (test->args[1] == use->var->reg && test->args[0] != use->var->reg) {
        *e = test->args[0];
        *compare = test->op;
        IrOp unused;
        return reverses(test->op, &unused);
    }
    *e = test->args[1];
    return test->args[0] == use->var->reg && reverses(test->op, compare);
}

/* The write is `v = e` in the then-arm of `if e < v`. */
static bool is_selection(Use *use, IrStmt *write, IrStmt *branch) {
    IrReg e;
    IrOp compare = OP_COUNT;
    if (branch->op != OP_IF || branch->u.blocks.els.first || write->op != OP_COPY)
        return false;
    if (!branch_test(use, branch, &e, &compare)) return false;
    if (!par_same_value(use->p, write->args[0], e)) return false;
    if (use->p->reads[branch->args[0]] != 1) return false;
    bool least = compare == OP_LT || compare == OP_LE;
    if (use->var->by_compare && use->var->compare != compare) return false;
    if (!accept(use, write, least ? OP_MIN : OP_MAX)) return false;
    use->var->by_compare = true;
    use->var->compare = compare;
    handle(use, (IrStmt *)def_of(use->p, branch->args[0]));
    return true;
}

/* ---- if c: v = True ---- */

static bool is_flag(Use *use, IrStmt *write) {
    IrReg v = use->var->reg;
    if (write->op != OP_COPY || ir_reg_type(use->p->func, v).scalar != TY_BOOL) return false;
    const IrRegInfo *value = ir_reg(use->p->func, write->args[0]);
    return value->kind == REG_CONST && accept(use, write, value->value.i ? OP_OR : OP_AND);
}

/* ---- Deciding ---- */

static bool writes(const IrStmt *stmt, IrReg reg) {
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (stmt->dsts[i] == reg) return true;
    return false;
}

static bool reads(const IrStmt *stmt, IrReg reg) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (stmt->args[i] == reg) return true;
    return false;
}

static bool fits(Use *use, IrStmt *write, IrStmt *parent) {
    IrOp op = update_class(write, use->var->reg);
    if (op != OP_COUNT) return accept(use, write, op);
    if (write->op == OP_COPY &&
        (op = chain_class(use, write->args[0], SAME_DEPTH)) != OP_COUNT)
        return accept(use, write, op);
    return is_selection(use, write, parent) || is_flag(use, write);
}

static bool is_reduction(Use *use) {
    ParLoop *p = use->p;
    IrReg v = use->var->reg;
    if (ir_reg_type(p->func, v).ndim) return false;
    for (uint32_t i = 0; i < p->stmts.len; i++)
        if (writes(p->stmts.data[i], v) && !fits(use, p->stmts.data[i], p->parents.data[i])) {
            if (!use->clash) use->clash = p->stmts.data[i];
            return false;
        }
    for (uint32_t i = 0; i < p->stmts.len; i++)
        if (reads(p->stmts.data[i], v) && !is_handled(p, p->stmts.data[i])) {
            use->clash = p->stmts.data[i];
            use->reads = true;
            return false;
        }
    return use->var->op != OP_COUNT;
}

/* A variable all of whose writes stand beside those of a minimum or maximum is its position:
 * `if e < v: v = e; k = i`. Its value must not come from the loop's own accumulators. */
static bool follows(ParLoop *p, ParVar *var) {
    IrReg leader = IR_NO_REG;
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        IrStmt *stmt = p->stmts.data[i], *parent = p->parents.data[i];
        if (reads(stmt, var->reg)) return false;
        if (!writes(stmt, var->reg)) continue;
        if (stmt->op != OP_COPY || parent->op != OP_IF) return false;
        IrReg found = IR_NO_REG;
        for (uint32_t j = 0; j < p->vars.len; j++) {
            const ParVar *other = &p->vars.data[j];
            if (other->role != PAR_REDUCE || !other->by_compare) continue;
            for (IrStmt *s = parent->u.blocks.then.first; s; s = s->next)
                if (writes(s, other->reg)) found = other->reg;
        }
        if (found == IR_NO_REG || (leader != IR_NO_REG && leader != found)) return false;
        leader = found;
    }
    var->leader = leader;
    return leader != IR_NO_REG;
}

/* ---- Errors ---- */

static const char *name_of(const ParLoop *p, IrReg reg) {
    const char *name = ir_reg(p->func, reg)->name;
    return name ? name : "a value";
}

static void report_carried(ParLoop *p, const Use *use) {
    const char *name = name_of(p, use->var->reg);
    IrStmt *at = use->clash ? use->clash : use->var->where;
    bool exposed = par_set_has(p->exposed, use->var->reg);
    JrDiag *d;
    if (use->reads && use->var->op != OP_COUNT) {
        d = jr_diag_error(
            p->diags, at->span,
            "'%s' is accumulated by this prange loop, so its value within an iteration "
            "depends on the order in which they run",
            name);
        jr_diag_help(p->diags, d, "read it after the loop, or use range");
        jr_diag_note(p->diags, d, use->var->where->span, "'%s' is accumulated here", name);
    } else if (exposed) {
        d = jr_diag_error(
            p->diags, at->span,
            "'%s' carries a value from one iteration of a prange loop to the next", name);
        jr_diag_help(
            p->diags, d,
            "accumulate with one of + - * / & | ^ and or min max, the same one throughout, "
            "or use range");
    } else {
        d = jr_diag_error(
            p->diags, at->span,
            "'%s' is set by each iteration of a prange loop and read after it: which one "
            "comes last is not defined",
            name);
        jr_diag_help(p->diags, d, "write to an array, or use range");
    }
    jr_diag_note(p->diags, d, p->loop->span, "the prange loop");
}

static void classify(ParLoop *p, ParVar *var) {
    bool carried = par_set_has(p->exposed, var->reg) || par_set_has(p->live_after, var->reg);
    if (!carried) {
        var->role = PAR_PRIVATE;
        return;
    }
    Use use = {.p = p, .var = var};
    var->op = OP_COUNT;
    var->role = is_reduction(&use) ? PAR_REDUCE : PAR_BAD;
    if (var->role == PAR_BAD) var->where = use.clash ? use.clash : var->where;
}

bool par_classify(ParLoop *p) {
    bool good = true;
    for (uint32_t i = 0; i < p->vars.len; i++)
        classify(p, &p->vars.data[i]);
    for (uint32_t i = 0; i < p->vars.len; i++) {
        ParVar *var = &p->vars.data[i];
        if (var->role != PAR_BAD) continue;
        if (!par_set_has(p->exposed, var->reg) && follows(p, var)) {
            var->role = PAR_FOLLOW;
            continue;
        }
        Use use = {.p = p, .var = var};
        var->op = OP_COUNT;
        is_reduction(&use);
        report_carried(p, &use);
        good = false;
    }
    return good;
}

/* ---- a[i] op= e ---- */

bool par_is_update(const ParLoop *p, const IrStmt *store, IrOp *op, IrStmt **load) {
    if (store->op != OP_STORE) return false;
    const IrStmt *update = def_of(p, store->args[store->nargs - 1]);
    if (!update || ir_op_form(update->op) != FORM_BIN) return false;
    for (uint32_t side = 0; side < 2; side++) {
        const IrStmt *old = def_of(p, update->args[side]);
        *op = reduction_class(update->op, side == 0);
        if (!old || old->op != OP_LOAD || *op == OP_COUNT || old->args[0] != store->args[0] ||
            old->nargs + 1 != store->nargs || p->reads[update->args[side]] != 1 ||
            p->reads[store->args[store->nargs - 1]] != 1)
            continue;
        bool same = true;
        for (uint32_t i = 1; i < old->nargs; i++)
            same &= par_same_value(p, old->args[i], store->args[i]);
        if (same) return *load = (IrStmt *)old, true;
    }
    return false;
}

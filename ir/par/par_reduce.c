/* Variables of a parallel loop's body: private, accumulated, or wrong.
 *
 * A variable that every iteration writes before reading it, and that nothing reads afterwards,
 * is private. Any other is carried from one iteration to the next, which is allowed in one
 * form only: accumulating with one operator that may be applied in any order. It may stand in
 * any number of places, under conditions and in inner loops, as
 *
 *     t = op v, e ; v = t             v += e, v = v * e, v = max(v, e), v -= e as adding -e
 *     v = v + e if c else v           either arm may leave it as it is
 *     if e < v: v = e                 a minimum or maximum; with  k = ...  beside it, its
 * position if c: v = True                  an `or`; False an `and`
 *
 * and the body may not read it anywhere else: what it holds there depends on the order. */
#include "ir/par/par.h"

#include <math.h>
#include <string.h>

static const IrStmt *def_of(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP ? info->def : NULL;
}

static bool writes(const IrStmt *stmt, IrReg reg) {
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (stmt->dsts[i] == reg) return true;
    return false;
}

enum { SAME_DEPTH = 12 };

/* ---- Operators ---- */

IrOp ir_par_reduction_class(IrOp op, bool left) {
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
IrConst ir_par_identity(IrOp op, IrScalar scalar) {
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

bool ir_par_is_loose(const ParLoop *p, const IrStmt *stmt) {
    return (stmt->op == OP_MIN || stmt->op == OP_MAX) &&
           ir_scalar_is_float((IrScalar)ir_reg_type(p->func, stmt->dsts[0]).scalar);
}

/* ---- Uses of one variable ---- */

typedef struct Use {
    ParLoop *p;
    ParVar *var;
    IrStmt *clash; /* a use that does not fit */
    IrStmt *added; /* the first that does */
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
    if (!use->added) use->added = stmt;
    handle(use, stmt);
    return true;
}

/* `op v, e` or `op e, v`, e not v: its class. min(e, v) on floats is no minimum where e may be
 * NaN: it forgets what came before. */
static IrOp update_class(const Use *use, const IrStmt *stmt) {
    IrReg v = use->var->reg;
    if (ir_op_form(stmt->op) != FORM_BIN) return OP_COUNT;
    bool left = stmt->args[0] == v, right = stmt->args[1] == v;
    if (left == right) return OP_COUNT;
    if (right && ir_par_is_loose(use->p, stmt)) use->var->loose = true;
    return ir_par_reduction_class(stmt->op, left);
}

/* Chains such as v = (v + a) + b: the accumulator is one leaf, all operators alike. */
static IrOp chain_class(Use *use, IrReg value, int depth) {
    IrStmt *stmt = (IrStmt *)def_of(use->p, value);
    if (!stmt || depth == 0 || !par_set_has(use->p->inside, value)) return OP_COUNT;
    IrOp op = update_class(use, stmt);
    for (uint32_t side = 0; side < 2 && op == OP_COUNT; side++) {
        if (ir_op_form(stmt->op) != FORM_BIN) return OP_COUNT;
        IrOp inner = chain_class(use, stmt->args[side], depth - 1);
        op = inner == ir_par_reduction_class(stmt->op, side == 0) ? inner : OP_COUNT;
        if (op != OP_COUNT && side == 1 && ir_par_is_loose(use->p, stmt))
            use->var->loose = true;
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

/* A test as `e compare v`; e is returned. */
static bool branch_test(const Use *use, IrReg condition, IrReg *e, IrOp *compare) {
    const IrStmt *test = def_of(use->p, condition);
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
    ParVar *var = use->var;
    IrReg e;
    IrOp compare = OP_COUNT;
    if (branch->op != OP_IF || branch->u.blocks.els.first) return false;
    if (!branch_test(use, branch->args[0], &e, &compare)) return false;
    const IrStmt *test = def_of(use->p, branch->args[0]), *value = def_of(use->p, e);
    bool same = write->op == OP_COPY
                    ? ir_par_same_value(use->p, e, test, write->args[0], write)
                    : value && ir_par_same_result(use->p, value, write);
    if (!same) return false;
    if (use->p->reads[branch->args[0]] != 1) return false;
    bool least = compare == OP_LT || compare == OP_LE;
    if (var->by_compare && var->compare != compare) return false;
    if (!accept(use, write, least ? OP_MIN : OP_MAX)) return false;
    var->by_compare = true;
    var->compare = compare;
    handle(use, (IrStmt *)test);
    ParArm arm = {.branch = branch, .leader = var->reg};
    JR_PUSH(use->p->arena, &use->p->arms, arm);
    return true;
}

/* v = e if e < v else v: min(v, e) by another name. */
static bool is_choice(Use *use, IrStmt *write) {
    const ParLoop *p = use->p;
    IrReg e;
    IrOp compare = OP_COUNT;
    IrStmt *choice = write;
    if (write->op == OP_COPY && p->reads[write->args[0]] == 1)
        choice = (IrStmt *)def_of(p, write->args[0]);
    if (!choice || choice->op != OP_SELECT || choice->args[2] != use->var->reg) return false;
    if (!branch_test(use, choice->args[0], &e, &compare)) return false;
    const IrStmt *test = def_of(p, choice->args[0]);
    if (!ir_par_same_value(p, e, test, choice->args[1], choice)) return false;
    if (p->reads[choice->args[0]] != 1) return false;
    bool least = compare == OP_LT || compare == OP_LE;
    bool strict = compare == OP_LT || compare == OP_GT;
    if (!strict && ir_scalar_is_float((IrScalar)ir_reg_type(p->func, e).scalar))
        use->var->loose = true; /* which of 0.0 and -0.0 is kept */
    handle(use, (IrStmt *)test);
    handle(use, choice);
    use->var->updates = true;
    return accept(use, write, least ? OP_MIN : OP_MAX);
}

/* v = v + e if c else v, and the other way round: each arm leaves v or adds to it. */
static bool is_kept(Use *use, IrStmt *write) {
    const ParLoop *p = use->p;
    IrOp op = OP_COUNT;
    IrStmt *choice = write;
    if (write->op == OP_COPY && p->reads[write->args[0]] == 1)
        choice = (IrStmt *)def_of(p, write->args[0]);
    if (!choice || choice->op != OP_SELECT || choice->args[0] == use->var->reg) return false;
    for (uint32_t side = 1; side < 3; side++) {
        if (choice->args[side] == use->var->reg) continue;
        IrOp arm = chain_class(use, choice->args[side], SAME_DEPTH);
        if (arm == OP_COUNT || (op != OP_COUNT && arm != op)) return false;
        op = arm;
    }
    if (op == OP_COUNT || !accept(use, write, op)) return false;
    handle(use, choice);
    use->var->updates = true;
    return true;
}

/* ---- v = np.maximum(v, e) ---- */

/* Its tests read v as well. */
static bool is_numpy_extreme(Use *use, IrStmt *write) {
    const ParLoop *p = use->p;
    ParUpdate update;
    IrStmt *choice = write;
    if (write->op == OP_COPY && p->reads[write->args[0]] == 1)
        choice = (IrStmt *)def_of(p, write->args[0]);
    if (!choice || !ir_par_is_extreme(p, choice, &update)) return false;
    if ((choice->args[1] == use->var->reg) == (choice->args[2] == use->var->reg)) return false;
    update.right = choice->args[2] == use->var->reg;
    if ((use->var->nan && use->var->right != update.right) || use->var->updates)
        use->var->loose = true; /* which of 0.0 and -0.0 is kept */
    use->var->nan = true;
    use->var->right = update.right;
    const IrStmt *both = def_of(p, choice->args[0]);
    handle(use, (IrStmt *)def_of(p, both->args[0]));
    handle(use, (IrStmt *)def_of(p, both->args[1]));
    handle(use, choice);
    return accept(use, write, update.op);
}

/* ---- if c: v = True ---- */

static bool is_flag(Use *use, IrStmt *write) {
    IrReg v = use->var->reg;
    if (write->op != OP_COPY || ir_reg_type(use->p->func, v).scalar != TY_BOOL) return false;
    const IrRegInfo *value = ir_reg(use->p->func, write->args[0]);
    return value->kind == REG_CONST && accept(use, write, value->value.i ? OP_OR : OP_AND);
}

/* ---- Deciding ---- */

static bool reads(const IrStmt *stmt, IrReg reg) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (stmt->args[i] == reg) return true;
    return false;
}

/* The write itself is the last operation of a chain. */
static IrOp chain_of(Use *use, const IrStmt *write) {
    for (uint32_t side = 0; side < 2; side++) {
        IrOp inner = chain_class(use, write->args[side], SAME_DEPTH);
        if (inner == OP_COUNT || inner != ir_par_reduction_class(write->op, side == 0))
            continue;
        if (side == 1 && ir_par_is_loose(use->p, write)) use->var->loose = true;
        return inner;
    }
    return OP_COUNT;
}

static bool fits(Use *use, IrStmt *write, IrStmt *parent) {
    IrOp op = update_class(use, write);
    if (op == OP_COUNT && write->op == OP_COPY)
        op = chain_class(use, write->args[0], SAME_DEPTH);
    if (op == OP_COUNT && ir_op_form(write->op) == FORM_BIN) op = chain_of(use, write);
    if (op != OP_COUNT) {
        use->var->updates = true;
        return accept(use, write, op);
    }
    return is_selection(use, write, parent) || is_choice(use, write) || is_kept(use, write) ||
           is_numpy_extreme(use, write) || is_flag(use, write);
}

static bool is_reduction(Use *use) {
    ParLoop *p = use->p;
    IrReg v = use->var->reg;
    if (ir_reg_type(p->func, v).ndim) return false;
    p->handled.len = 0;
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

static bool is_arm_of(const ParLoop *p, const IrStmt *branch, IrReg leader) {
    for (uint32_t i = 0; i < p->arms.len; i++)
        if (p->arms.data[i].branch == branch && p->arms.data[i].leader == leader) return true;
    return false;
}

/* The leader whose arm the write stands in. */
static IrReg leader_of(const ParLoop *p, const IrStmt *parent) {
    for (uint32_t i = 0; i < p->vars.len; i++) {
        const ParVar *var = &p->vars.data[i];
        if (var->role == PAR_REDUCE && var->by_compare && !var->updates &&
            is_arm_of(p, parent, var->reg))
            return var->reg;
    }
    return IR_NO_REG;
}

static bool writes_in(const IrBlock *block, IrReg reg) {
    for (const IrStmt *s = block->first; s; s = s->next)
        if (writes(s, reg)) return true;
    return false;
}

/* A variable that is written in each arm of a minimum or maximum, and nowhere else, is its
 * position: `if e < v: v = e; k = i`. */
static bool follows(ParLoop *p, ParVar *var) {
    IrReg leader = IR_NO_REG;
    if (ir_reg_type(p->func, var->reg).ndim) return false;
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        IrStmt *stmt = p->stmts.data[i], *parent = p->parents.data[i];
        if (reads(stmt, var->reg)) return false;
        if (!writes(stmt, var->reg)) continue;
        IrReg found = leader_of(p, parent);
        if (found == IR_NO_REG || (leader != IR_NO_REG && leader != found)) return false;
        leader = found;
    }
    for (uint32_t i = 0; i < p->arms.len; i++)
        if (p->arms.data[i].leader == leader &&
            !writes_in(&p->arms.data[i].branch->u.blocks.then, var->reg))
            return false;
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
        if (use->added)
            jr_diag_note(p->diags, d, use->added->span, "'%s' is accumulated here", name);
    } else if (exposed) {
        d = jr_diag_error(
            p->diags, at->span,
            "'%s' carries a value from one iteration of a prange loop to the next", name);
        jr_diag_help(
            p->diags, d,
            ir_reg_type(p->func, use->var->reg).ndim
                ? "accumulate in place, as in y += e or y[:] = np.maximum(y, e), or use range"
                : "accumulate with one of + - * / & | ^ and or min max, the same one "
                  "throughout, or use range");
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

static bool is_used_in(const ParLoop *p, const IrBlock *block, IrReg reg) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (reads(s, reg) || writes(s, reg)) return true;
        if (s == p->loop || (s->op != OP_IF && s->op != OP_LOOP && s->op != OP_FOR)) continue;
        if (is_used_in(p, &s->u.blocks.then, reg) || is_used_in(p, &s->u.blocks.els, reg))
            return true;
    }
    return false;
}

/* A variable of the front end's own, of this loop alone. It is never read before it is written,
 * in the first iteration as in any other, though the paths alone may not show it: the scratch
 * arrays of a sum, made only if it is long. */
static bool is_scratch(const ParLoop *p, IrReg reg) {
    return !ir_reg(p->func, reg)->name && !is_used_in(p, &p->func->body, reg);
}

static void classify(ParLoop *p, ParVar *var) {
    bool carried =
        (par_set_has(p->exposed, var->reg) || par_set_has(p->live_after, var->reg)) &&
        !is_scratch(p, var->reg);
    if (!carried) {
        var->role = PAR_PRIVATE;
        return;
    }
    Use use = {.p = p, .var = var};
    var->op = OP_COUNT;
    var->role = is_reduction(&use) ? PAR_REDUCE : PAR_BAD;
    if (var->role == PAR_BAD) var->where = use.clash ? use.clash : var->where;
}

/* ---- The arms of minima and maxima ---- */

static ParVar *var_of(ParLoop *p, IrReg reg) {
    for (uint32_t i = 0; i < p->vars.len; i++)
        if (p->vars.data[i].reg == reg) return &p->vars.data[i];
    return NULL;
}

static bool read_outside(const ParLoop *p, IrReg reg, const IrStmt *branch) {
    for (uint32_t i = 0; i < p->stmts.len; i++)
        if (reads(p->stmts.data[i], reg) && !ir_par_is_within(p, p->stmts.data[i], branch))
            return true;
    return false;
}

/* Nothing but the leader and its followers may learn whether the arm ran. */
static bool fits_arm(ParLoop *p, const ParArm *arm, const IrStmt *stmt) {
    if (stmt->op == OP_IF) return true;
    if (!ir_par_is_pure(stmt)) return false;
    if (ir_reg(p->func, stmt->dsts[0])->kind == REG_TEMP) return true;
    const ParVar *var = var_of(p, stmt->dsts[0]);
    if (var->reg == arm->leader) return true;
    if (var->role == PAR_FOLLOW) return var->leader == arm->leader;
    return var->role == PAR_PRIVATE && !read_outside(p, var->reg, arm->branch);
}

static bool check_arm(ParLoop *p, const ParArm *arm) {
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        IrStmt *stmt = p->stmts.data[i];
        if (stmt == arm->branch || !ir_par_is_within(p, stmt, arm->branch)) continue;
        if (!fits_arm(p, arm, stmt)) {
            JrDiag *d = jr_diag_error(
                p->diags, stmt->span,
                "in this prange loop it depends on the order of the iterations whether this "
                "runs: '%s' is accumulated",
                name_of(p, arm->leader));
            jr_diag_help(p->diags, d, "do it after the loop, or use range");
            jr_diag_note(p->diags, d, arm->branch->span, "the condition");
            return false;
        }
        if (ir_par_may_fail_alone(p, stmt, arm->branch))
            ir_par_stay_serial(
                p, stmt,
                "whether this runs depends on the order of the iterations, and it "
                "may raise an error");
    }
    return true;
}

/* What has to be known of all uses together. */
static void settle(ParLoop *p, ParVar *var) {
    if (var->role != PAR_REDUCE) return;
    bool is_float = ir_scalar_is_float((IrScalar)ir_reg_type(p->func, var->reg).scalar);
    if (var->by_compare && var->updates) {
        var->by_compare = false;
        var->loose |= is_float && (var->compare == OP_LE || var->compare == OP_GE);
    }
    var->loose |= var->nan && (var->by_compare || var->updates);
    if (var->loose)
        ir_par_stay_serial(
            p, var->where,
            "a NaN or a negative zero would make this minimum or maximum depend "
            "on the order; write min(m, e), with the accumulator first");
}

static bool is_carried_well(ParLoop *p, ParVar *var) {
    if (var->role != PAR_BAD) return true;
    if (!par_set_has(p->exposed, var->reg) && follows(p, var)) {
        var->role = PAR_FOLLOW;
        return true;
    }
    Use use = {.p = p, .var = var};
    var->op = OP_COUNT;
    is_reduction(&use);
    report_carried(p, &use);
    return false;
}

bool ir_par_classify(ParLoop *p) {
    bool good = true;
    for (uint32_t i = 0; i < p->vars.len; i++)
        classify(p, &p->vars.data[i]);
    for (uint32_t i = 0; i < p->vars.len; i++)
        good &= is_carried_well(p, &p->vars.data[i]);
    for (uint32_t i = 0; i < p->arms.len && good; i++)
        good &= check_arm(p, &p->arms.data[i]);
    for (uint32_t i = 0; i < p->vars.len && good; i++)
        settle(p, &p->vars.data[i]);
    return good;
}

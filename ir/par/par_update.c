/* Updates of array elements: a[i] += e, y[1:] += x[i], a[i] = np.maximum(a[i], e), and
 * if e > a[i]: a[i] = e. What is loaded and stored is one element if both arrays are made alike
 * and the indices have the same values. */
#include "ir/par/par.h"

enum { SAME_DEPTH = 8 };

static const IrStmt *def_of(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP ? info->def : NULL;
}

/* ---- np.minimum and np.maximum ---- */

/*     %t = gt %a, %b ; %n = ne %a, %a ; %c = or %t, %n ; %m = select %c, %a, %b */
bool ir_par_is_extreme(const ParLoop *p, const IrStmt *stmt, ParUpdate *update) {
    const IrStmt *both = stmt->op == OP_SELECT ? def_of(p, stmt->args[0]) : NULL;
    if (!both || both->op != OP_OR || p->reads[stmt->args[0]] != 1) return false;
    const IrStmt *test = def_of(p, both->args[0]), *nan = def_of(p, both->args[1]);
    IrReg a = stmt->args[1], b = stmt->args[2];
    if (!test || !nan || (test->op != OP_GT && test->op != OP_LT) || nan->op != OP_NE)
        return false;
    *update = (ParUpdate){.op = test->op == OP_GT ? OP_MAX : OP_MIN, .nan = true};
    return test->args[0] == a && test->args[1] == b && nan->args[0] == a &&
           nan->args[1] == a && p->reads[both->args[0]] == 1 && p->reads[both->args[1]] == 1;
}

IrReg ir_par_join(IrBuilder *b, ParUpdate update, IrReg before, IrReg after) {
    IrType type = ir_reg_type(b->func, before), truth = {.scalar = TY_BOOL};
    if (!update.nan) return ir_build_binary(b, update.op, type, before, after);
    IrReg first = update.right ? after : before, second = update.right ? before : after;
    IrReg better = ir_build_compare(b, update.op == OP_MAX ? OP_GT : OP_LT, first, second);
    IrReg nan = ir_build_compare(b, OP_NE, first, first);
    IrReg take = ir_build_binary(b, OP_OR, truth, better, nan);
    return ir_build_select(b, take, first, second);
}

/* ---- The same element ---- */

static bool same_array(const ParLoop *p, IrReg a, const IrStmt *at_a, IrReg b,
                       const IrStmt *at_b, int depth);

/* An array stretched to its own lengths is itself. */
static IrReg unstretched(const ParLoop *p, IrReg array, int depth) {
    const IrStmt *def = def_of(p, array);
    if (!def || def->op != OP_BROADCAST ||
        ir_reg_type(p->func, def->args[0]).ndim + 1u != def->nargs)
        return array;
    for (uint32_t i = 1; i < def->nargs; i++) {
        const IrStmt *n = def_of(p, def->args[i]);
        if (!n || n->op != OP_DIM || n->u.imm != i - 1 || depth == 0 ||
            !same_array(p, n->args[0], n, def->args[0], def, depth - 1))
            return array;
    }
    return def->args[0];
}

static bool same_axes(const IrStmt *x, const IrStmt *y) {
    const char *a = x->u.mem.axes, *b = y->u.mem.axes;
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static bool same_array(const ParLoop *p, IrReg a, const IrStmt *at_a, IrReg b,
                       const IrStmt *at_b, int depth) {
    a = unstretched(p, a, depth);
    b = unstretched(p, b, depth);
    if (a == b) return ir_par_same_value(p, a, at_a, b, at_b);
    const IrStmt *x = def_of(p, a), *y = def_of(p, b);
    if (!x || !y || depth == 0 || x->op != y->op || x->nargs != y->nargs) return false;
    if (x->op == OP_VIEW
            ? !same_axes(x, y)
            : x->op != OP_RESHAPE && x->op != OP_TRANSPOSE && x->op != OP_BROADCAST)
        return false;
    if (!same_array(p, x->args[0], x, y->args[0], y, depth - 1)) return false;
    for (uint32_t i = 1; i < x->nargs; i++)
        if (!ir_par_same_value(p, x->args[i], x, y->args[i], y)) return false;
    return true;
}

/* `array`, at statement `at`, is what ends up with what is stored. */
static bool same_element(const ParLoop *p, const IrStmt *load, const IrStmt *store,
                         IrReg array, const IrStmt *at) {
    if (load->op != OP_LOAD || load->nargs + 1 != store->nargs) return false;
    if (!same_array(p, load->args[0], load, array, at, SAME_DEPTH)) return false;
    for (uint32_t i = 1; i < load->nargs; i++)
        if (!ir_par_same_value(p, load->args[i], load, store->args[i], store)) return false;
    return true;
}

/* ---- Updates ---- */

typedef struct Target {
    const IrStmt *store; /* of the value, */
    IrReg array;         /* which ends up here, */
    const IrStmt *at;    /* by this statement */
} Target;

static bool is_same(const ParLoop *p, const IrStmt *load, const Target *into) {
    return same_element(p, load, into->store, into->array, into->at);
}

static bool is_operation(const ParLoop *p, const Target *into, const IrStmt *update,
                         ParUpdate *out) {
    if (ir_op_form(update->op) != FORM_BIN) return false;
    for (uint32_t side = 0; side < 2; side++) {
        const IrStmt *old = def_of(p, update->args[side]);
        *out = (ParUpdate){.op = ir_par_reduction_class(update->op, side == 0)};
        if (!old || out->op == OP_COUNT || (side == 1 && ir_par_is_loose(p, update))) continue;
        if (p->reads[update->args[side]] == 1 && is_same(p, old, into)) return true;
    }
    return false;
}

/* Its tests read the first operand three times, and the second once. */
static bool is_extreme(const ParLoop *p, const Target *into, const IrStmt *update,
                       ParUpdate *out) {
    if (!ir_par_is_extreme(p, update, out)) return false;
    for (uint32_t side = 0; side < 2; side++) {
        const IrStmt *old = def_of(p, update->args[1 + side]);
        out->right = side == 1;
        if (old && p->reads[update->args[1 + side]] == (side ? 2 : 4) && is_same(p, old, into))
            return true;
    }
    return false;
}

/* Nothing else may learn whether the arm runs. */
static bool is_bare_arm(const ParLoop *p, const IrStmt *branch, const IrStmt *store) {
    if (branch->u.blocks.els.first) return false;
    for (const IrStmt *s = branch->u.blocks.then.first; s; s = s->next) {
        if (s == store) continue;
        if (!ir_par_is_pure(s) || ir_reg(p->func, s->dsts[0])->kind != REG_TEMP ||
            ir_par_may_fail_alone(p, s, branch))
            return false;
    }
    return true;
}

/* if e > a[i]: a[i] = e. With >= it is the same but for floats, where 0.0 may replace -0.0. */
static bool is_selection(const ParLoop *p, const IrStmt *store, const IrStmt *branch,
                         ParUpdate *out) {
    const IrStmt *test = branch->op == OP_IF ? def_of(p, branch->args[0]) : NULL;
    if (!test || ir_op_form(test->op) != FORM_CMP || p->reads[branch->args[0]] != 1)
        return false;
    IrReg value = store->args[store->nargs - 1];
    bool is_float = ir_scalar_is_float((IrScalar)ir_reg_type(p->func, value).scalar);
    for (uint32_t side = 0; side < 2; side++) {
        const IrStmt *old = def_of(p, test->args[side]);
        bool greater = test->op == OP_GT || test->op == OP_GE,
             strict = test->op == OP_GT || test->op == OP_LT;
        if (!greater && test->op != OP_LT && test->op != OP_LE) return false;
        if (!old || (is_float && !strict) || p->reads[test->args[side]] != 1) continue;
        if (!same_element(p, old, store, store->args[0], store) ||
            !ir_par_same_value(p, test->args[1 - side], test, value, store))
            continue;
        *out = (ParUpdate){.op = greater == (side == 1) ? OP_MAX : OP_MIN};
        return is_bare_arm(p, branch, store);
    }
    return false;
}

static bool same_span(const IrStmt *a, const IrStmt *b) {
    return a->span.line == b->span.line && a->span.col == b->span.col &&
           a->span.end_col == b->span.end_col;
}

/* The one store to an array that is made, filled and copied by one statement of the source:
 * where what is assigned may overlap what it is computed from. */
static const IrStmt *store_before_copy(const ParLoop *p, const IrStmt *copy) {
    IrReg from = copy->args[1];
    const IrStmt *made = def_of(p, from), *store = NULL;
    if (!made || made->op != OP_ALLOC || !same_span(made, copy)) return NULL;
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        const IrStmt *s = p->stmts.data[i];
        for (uint32_t a = 0; a < s->nargs; a++) {
            if (s->args[a] != from || s == copy) continue;
            if (store || s->op != OP_STORE || a || !same_span(s, copy)) return NULL;
            store = s;
        }
    }
    return store;
}

bool ir_par_is_update(const ParLoop *p, const IrStmt *stmt, const IrStmt *parent,
                      ParUpdate *update) {
    Target into = {stmt, stmt->nargs ? stmt->args[0] : IR_NO_REG, stmt};
    if (stmt->op == OP_RT && stmt->u.rt == RT_ARRAY_COPY)
        into.store = store_before_copy(p, stmt);
    else if (stmt->op != OP_STORE)
        return false;
    else if (is_selection(p, stmt, parent, update))
        return true;
    const IrStmt *made =
        into.store ? def_of(p, into.store->args[into.store->nargs - 1]) : NULL;
    if (!made) return false;
    return is_operation(p, &into, made, update) || is_extreme(p, &into, made, update);
}

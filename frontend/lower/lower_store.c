/* Whole-array expressions stored in an array that is there already: y[:] = a + b, m[i] += row,
 * a += b, a[mask] = 0.
 *
 * The target may share memory with what is read: lower_overlap.c. */
#include "frontend/lower/whole.h"

#include <string.h>

/* ---- Telling views apart ---- */

static const IrStmt *def_of(Lower *low, IrReg reg) {
    const IrRegInfo *info = ir_reg(low->func, reg);
    return info->kind == REG_TEMP ? info->def : NULL;
}

/* Through views of everything. */
static IrReg plain_array(Lower *low, IrReg array) {
    for (const IrStmt *def = def_of(low, array);
         def && def->op == OP_VIEW && !def->u.mem.axes[0]; def = def_of(low, array))
        array = def->args[0];
    return array;
}

static bool is_pure(const IrStmt *def) {
    switch (ir_op_form((IrOp)def->op)) {
    case FORM_BIN:
    case FORM_CMP:
    case FORM_UN:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_DIM: return true;
    default: return false;
    }
}

/* Whether two registers hold the same number: computed alike from the same ones. Variables are
 * not assigned within a statement. */
static bool same_number(Lower *low, IrReg a, IrReg b, int depth) {
    if (a == b) return true;
    const IrStmt *x = def_of(low, a), *y = def_of(low, b);
    if (depth == 0 || !x || !y || x->op != y->op || x->nargs != y->nargs || !is_pure(x))
        return false;
    if (ir_op_form((IrOp)x->op) == FORM_DIM && x->u.imm != y->u.imm) return false;
    for (uint32_t i = 0; i < x->nargs; i++)
        if (!same_number(low, x->args[i], y->args[i], depth - 1)) return false;
    return true;
}

bool fe_whole_same_view(Lower *low, IrReg a, IrReg b) {
    a = plain_array(low, a);
    b = plain_array(low, b);
    if (a == b) return true;
    const IrStmt *x = def_of(low, a), *y = def_of(low, b);
    if (!x || !y || x->op != OP_VIEW || y->op != OP_VIEW || x->nargs != y->nargs) return false;
    if (strcmp(x->u.mem.axes, y->u.mem.axes) != 0) return false;
    for (uint32_t i = 1; i < x->nargs; i++)
        if (!same_number(low, x->args[i], y->args[i], 8)) return false;
    return fe_whole_same_view(low, x->args[0], y->args[0]);
}

/* Views of one array that differ in nothing but where they begin and end. */
bool fe_whole_is_shift(Lower *low, IrReg a, IrReg b) {
    if (fe_whole_same_view(low, a, b)) return true;
    const IrStmt *x = def_of(low, plain_array(low, a)), *y = def_of(low, plain_array(low, b));
    if (!x || !y || x->op != OP_VIEW || y->op != OP_VIEW || x->nargs != y->nargs) return false;
    if (strcmp(x->u.mem.axes, y->u.mem.axes) != 0) return false;
    uint32_t at = 1;
    for (const char *axis = x->u.mem.axes; *axis; axis++) {
        int64_t step = 1;
        if (*axis == 'r' && !same_number(low, x->args[at + 2], y->args[at + 2], 8))
            return false;
        if (*axis == 'r' && (!fe_known_int(low, x->args[at + 2], &step) || step < 1))
            return false;
        at += *axis == 'r' ? 3 : *axis == 'i';
    }
    return fe_whole_is_shift(low, x->args[0], y->args[0]);
}

static bool is_new(Lower *low, IrReg array) {
    const IrStmt *def = def_of(low, fe_array_root(low, array));
    return def && def->op == OP_ALLOC;
}

/* The variable holds nothing but arrays made for it. */
static bool is_own(Lower *low, IrReg root) {
    if (ir_reg(low->func, root)->kind != REG_VAR) return false;
    for (uint32_t i = 0; i < low->spec->vars.len; i++) {
        VarInfo *info = fe_var_info(low, low->spec->vars.data[i]);
        if (info->has_slot && info->slot.reg == root) return !info->shared;
    }
    return false;
}

/* Two that are made for different variables, or one made and one passed in, are apart. */
static bool are_apart(Lower *low, IrReg a, IrReg b) {
    a = fe_array_root(low, a);
    b = fe_array_root(low, b);
    if (a == b) return false;
    bool own_a = is_own(low, a), own_b = is_own(low, b);
    return (own_a && (own_b || ir_reg(low->func, b)->kind == REG_PARAM)) ||
           (own_b && ir_reg(low->func, a)->kind == REG_PARAM);
}

bool fe_whole_may_overlap(Lower *low, IrReg target, IrReg array) {
    return !is_new(low, target) && !is_new(low, array) && !are_apart(low, target, array);
}

/* ---- Storing ---- */

/* target[...] = the plan, whose shape is known to fit. */
static void store_whole(Lower *low, Whole *whole, IrReg target) {
    Store store = {.target = target, .body = fe_whole_store};
    store.scalar = (IrScalar)ir_reg_type(low->func, target).scalar;
    fe_whole_store_safely(low, whole, &store);
}

void fe_store_array(Lower *low, IrReg target, IrReg array) {
    Whole *whole = fe_whole_of(low, array);
    fe_array_dims(low, target, whole->dims);
    store_whole(low, whole, target);
}

/* Checks that the plan's shape broadcasts to the target's, and makes that the loops'. */
static void fit_target(Lower *low, Whole *whole, IrReg target, bool in_place) {
    const Elem *root = whole->root;
    IrReg dims[IR_MAX_DIMS], bad = IR_NO_REG, one = fe_int_const(low, 1);
    unsigned ndim = fe_array_dims(low, target, dims);
    for (unsigned i = 0; i < root->ndim; i++) {
        IrReg own = root->dims[i], dim = dims[ndim - root->ndim + i];
        IrReg differs = fe_int_compare(low, OP_NE, own, dim);
        IrReg rigid = fe_int_compare(low, OP_NE, own, one);
        const IrRegInfo *info = ir_reg(low->func, rigid);
        if (info->kind == REG_CONST && !info->value.i) continue;
        IrReg both = ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), differs, rigid);
        bad = fe_whole_any_reg(low, bad, OP_OR, both);
    }
    if (bad != IR_NO_REG) {
        IrStmt *branch = ir_build_if(&low->b, bad);
        IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
        IrReg args[] = {target, fe_whole_sample(low, root)};
        IrScalar scalar = (IrScalar)ir_reg_type(low->func, args[1]).scalar;
        if (in_place)
            ir_build_rt(&low->b, RT_BROADCAST_ERROR, 0, NULL, 2, args);
        else
            fe_array_stretched(low, args[1], ir_array(scalar, ndim, LAYOUT_ANY), ndim, dims);
        fe_block_swap(low, outer);
    }
    whole->ndim = ndim;
    for (unsigned i = 0; i < ndim; i++)
        whole->dims[i] = dims[i];
}

void fe_lower_whole_assign(Lower *low, const AstExpr *target, const AstExpr *value) {
    Whole *whole = fe_whole_plan(low, value);
    JrSpan outer = low->b.span;
    low->b.span = target->at.line ? target->at : target->span;
    Subscript sub = fe_subscript_eval(low, target);
    IrReg array = plain_array(low, fe_subscript_get(low, &sub).reg);
    fit_target(low, whole, array, false);
    low->b.span = outer;
    store_whole(low, whole, array);
}

/* The plan `target op value`, to be stored in target again. */
static void augment(Lower *low, Whole *whole, AstOp op, IrReg target,
                    const FeOperation *operation) {
    Elem *old = JR_NEW(low->arena, Elem), *sum = JR_NEW(low->arena, Elem);
    if (whole->root->ndim) fit_target(low, whole, target, true);
    old->leaf = fe_whole_leaf(low, whole, target);
    old->ndim = whole->ndim = old->leaf->ndim;
    sum->op = op;
    sum->operation = operation;
    sum->nargs = 2;
    sum->args = JR_NEW_ARRAY(low->arena, Elem *, 2);
    sum->args[0] = old;
    sum->args[1] = whole->root;
    Value *scalar = &whole->root->scalar;
    if (!whole->root->ndim && !scalar->constant)
        *scalar = fe_value_ir(low, fe_scalar_as(low, *scalar, operation->operand));
    for (unsigned i = 0; i < old->ndim; i++)
        whole->dims[i] = old->dims[i] = sum->dims[i] = old->leaf->dims[i];
    sum->ndim = old->ndim;
    whole->root = sum;
    store_whole(low, whole, target);
}

void fe_lower_whole_augmented(Lower *low, const AstStmt *stmt) {
    const AstExpr *target = stmt->targets.data[0];
    const FeOperation *operation = fe_node_of(low, target)->operations;
    IrReg array;
    FeVar *var = target->kind == AST_NAME ? fe_var_of(low, target) : NULL;
    if (target->kind == AST_NAME) {
        if (!var) return;
        Value slot = fe_var_slot(low, var);
        array = (var->named ? fe_value_pinned(low, slot) : slot).reg;
    } else {
        Subscript sub = fe_subscript_eval(low, target);
        array = plain_array(low, fe_subscript_get(low, &sub).reg);
    }
    augment(low, fe_whole_plan(low, stmt->value), stmt->op, array, operation);
    if (var && var->named) fe_slot_assign(low, fe_var_slot(low, var), fe_value_ir(low, array));
}

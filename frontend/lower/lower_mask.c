/* Masks: a[mask] as a value counts, then copies; a[mask] = x and a[mask] += x test each
 * element. The mask may be an expression, a[a > 0]: it is part of the loop, unless the run finds that it
 * reads memory of the target's at other places. */
#include "frontend/lower/whole.h"

bool fe_is_mask(Lower *low, const AstExpr *expr) {
    if (expr->kind != AST_SUBSCRIPT || expr->items.len != 1) return false;
    const AstExpr *item = expr->items.data[0];
    if (item->kind == AST_SLICE || item->kind == AST_ELLIPSIS) return false;
    const FeType *mask = fe_type_of(low, item), *array = fe_type_of(low, expr->left);
    return mask && mask->kind == FE_ARRAY && mask->ir.scalar == TY_BOOL &&
           array->ir.ndim == mask->ir.ndim;
}

/* The mask's shape is the array's, exactly. */
static void check_shape(Lower *low, const Whole *mask, IrReg array) {
    IrReg bad = IR_NO_REG;
    for (unsigned i = 0; i < mask->ndim; i++) {
        IrReg dim = ir_build_dim(&low->b, array, (uint8_t)i);
        if (dim == mask->dims[i]) continue;
        bad =
            fe_whole_any_reg(low, bad, OP_OR, fe_int_compare(low, OP_NE, dim, mask->dims[i]));
    }
    if (bad == IR_NO_REG) return;
    IrStmt *branch = ir_build_if(&low->b, bad);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    IrReg args[] = {array, fe_whole_sample(low, mask->root)};
    ir_build_rt(&low->b, RT_MASK_ERROR, 0, NULL, 2, args);
    fe_block_swap(low, outer);
}

static Whole *plan_mask(Lower *low, const AstExpr *expr, IrReg *array) {
    *array = fe_lower_expr(low, expr->left).reg;
    Whole *mask = fe_whole_plan(low, expr->items.data[0]);
    check_shape(low, mask, *array);
    return mask;
}

static void increment(Lower *low, IrReg var) {
    ir_build_copy(&low->b, var, fe_int_binary(low, OP_ADD, var, fe_int_const(low, 1)));
}

static IrReg zero_var(Lower *low) {
    IrReg var = ir_var(low->func, ir_scalar(TY_INT64), NULL);
    ir_build_copy(&low->b, var, fe_int_const(low, 0));
    return var;
}

/* ---- As a value ---- */

static void count_one(Lower *low, void *data, Value element, IrReg target, unsigned n,
                      const IrReg *index) {
    (void)target, (void)n, (void)index;
    IrReg *count = data;
    IrReg one = ir_build_cast(&low->b, TY_INT64, fe_truth_reg(low, element));
    ir_build_copy(&low->b, *count, fe_int_binary(low, OP_ADD, *count, one));
}

typedef struct Taken {
    IrReg into, next;
} Taken;

static void take_one(Lower *low, void *data, Value element, IrReg source, unsigned n,
                     const IrReg *index) {
    const Taken *taken = data;
    IrStmt *branch = ir_build_if(&low->b, fe_truth_reg(low, element));
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    IrReg value = fe_array_load(low, source, n, index);
    fe_array_store(low, taken->into, 1, &taken->next, value);
    increment(low, taken->next);
    fe_block_swap(low, outer);
}

Value fe_lower_mask(Lower *low, const AstExpr *expr) {
    IrReg array, count = zero_var(low);
    fe_note_serial(low, "what a mask chooses is taken in order");
    Whole *mask = plan_mask(low, expr, &array);
    fe_whole_run_any(low, mask, IR_NO_REG, count_one, &count);
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, array).scalar;
    Taken taken = {.into = fe_array_owned_temp(low, ir_array(scalar, 1, LAYOUT_C)),
                   .next = zero_var(low)};
    ir_build(&low->b, OP_ALLOC, 1, &taken.into, 1, &count)->u.imm = false;
    fe_whole_run_any(low, mask, array, take_one, &taken);
    return fe_value_ir(low, taken.into);
}

/* ---- As a target ---- */

typedef struct Change {
    Value value;
    AstOp op;
    const FeOperation *operation; /* NULL for = */
} Change;

static void change_one(Lower *low, void *data, Value element, IrReg target, unsigned n,
                       const IrReg *index) {
    const Change *change = data;
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, target).scalar;
    IrStmt *branch = ir_build_if(&low->b, fe_truth_reg(low, element));
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    Value value = change->value;
    if (change->operation) {
        Value old = fe_value_ir(low, fe_array_load(low, target, n, index));
        value = fe_lower_arith(low, change->op, old, value, change->operation);
    }
    fe_array_store(low, target, n, index, fe_scalar_as(low, value, scalar));
    fe_block_swap(low, outer);
}

static void change_masked(Lower *low, const AstExpr *target, Change *change) {
    IrReg array;
    Whole *mask = plan_mask(low, target, &array);
    Store store = {.target = array, .body = change_one, .data = change, .scalar = TY_BOOL};
    fe_whole_store_safely(low, mask, &store);
}

void fe_lower_mask_assign(Lower *low, const AstExpr *target, Value value) {
    IrScalar scalar = (IrScalar)fe_type_of(low, target)->ir.scalar;
    Change change = {.value = fe_value_ir(low, fe_scalar_as(low, value, scalar))};
    change_masked(low, target, &change);
}

void fe_lower_mask_augmented(Lower *low, const AstStmt *stmt) {
    const AstExpr *target = stmt->targets.data[0];
    Change change = {.value = fe_lower_expr(low, stmt->value), .op = stmt->op};
    change.operation = fe_node_of(low, target)->operations;
    change_masked(low, target, &change);
}

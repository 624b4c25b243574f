/* Expressions: operands left to right, as Python evaluates them. */
#include "frontend/lower/lower.h"

/* ---- Names, constants, tuples ---- */

/* A function inside another, under its own name in its body: with what it captures itself. */
static Value own_function(Lower *low, const FeType *type) {
    const FeSpec *spec = low->spec;
    Value value = {.type = type, .reg = IR_NO_REG};
    value.items = JR_NEW_ARRAY(low->arena, Value, type->count + 1);
    for (uint32_t i = 0; i < type->count; i++)
        value.items[i] = fe_var_slot(low, spec->vars.data[spec->nparams - type->count + i]);
    return value;
}

/* What has been read of a variable that := changes keeps its value. */
static Value lower_name(Lower *low, const AstExpr *expr) {
    FeVar *var = fe_var_of(low, expr);
    const FeType *type = fe_type_of(low, expr);
    if (!var && type && type->kind == FE_FUNC && type->count) return own_function(low, type);
    if (!var) return fe_value_none(low);
    Value slot = fe_var_slot(low, var);
    return var->named ? fe_value_pinned(low, slot) : slot;
}

/* name := left */
static Value lower_named(Lower *low, const AstExpr *expr) {
    FeVar *var = fe_var_of(low, expr);
    Value value = fe_lower_expr(low, expr->left);
    if (!var) return value;
    Value slot = fe_var_slot(low, var);
    fe_slot_assign(low, slot, fe_value_converted(low, value, var->type));
    return fe_value_pinned(low, slot);
}

void fe_lower_effects(Lower *low, const AstExpr *expr) {
    if (!expr || !expr->acts) return;
    const FeNode *node = fe_node_of(low, expr);
    bool called =
        expr->kind == AST_CALL && !node->value && node->type && !fe_type_is_static(node->type);
    if (called) fe_lower_expr(low, expr);
    if (expr->kind == AST_NAMED) lower_named(low, expr);
    if (called || expr->kind == AST_NAMED) return;
    fe_lower_effects(low, expr->cond);
    const FeConst *cond = expr->cond ? fe_node_of(low, expr->cond)->value : NULL;
    bool choice = expr->kind == AST_TERNARY && cond;
    if (!choice || fe_const_truth(cond)) fe_lower_effects(low, expr->left);
    if (!choice || !fe_const_truth(cond)) fe_lower_effects(low, expr->right);
    for (uint32_t i = 0; i < expr->items.len; i++) {
        const FeConst *value = fe_node_of(low, expr->items.data[i])->value;
        fe_lower_effects(low, expr->items.data[i]);
        if (expr->kind == AST_BOOL && value &&
            fe_const_truth(value) == (expr->op == AST_BOOL_OR))
            return;
    }
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        fe_lower_effects(low, expr->keywords.data[i].value);
}

static Value lower_tuple(Lower *low, const AstExpr *expr) {
    uint32_t n = expr->items.len;
    Value *items = JR_NEW_ARRAY(low->arena, Value, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        items[i] = fe_lower_expr(low, expr->items.data[i]);
        items[i] = fe_value_converted(low, items[i],
                                      fe_type_strong(&low->module->types, items[i].type));
    }
    return fe_value_tuple(low, n, items);
}

/* ---- Arithmetic ---- */

typedef struct ArithOp {
    AstOp ast;
    IrOp ir;
} ArithOp;

static const ArithOp arith_ops[] = {
    {AST_ADD, OP_ADD}, {AST_SUB, OP_SUB}, {AST_MUL, OP_MUL},
    {AST_DIV, OP_DIV}, {AST_POW, OP_POW}, {AST_FLOORDIV, OP_FLOORDIV},
    {AST_MOD, OP_MOD}, {AST_AND, OP_AND}, {AST_OR, OP_OR},
    {AST_XOR, OP_XOR}, {AST_SHL, OP_SHL}, {AST_SHR, OP_SHR},
    {AST_EQ, OP_EQ},   {AST_NE, OP_NE},   {AST_LT, OP_LT},
    {AST_LE, OP_LE},   {AST_GT, OP_GT},   {AST_GE, OP_GE},
};

IrOp fe_arith_op(AstOp op) {
    for (uint32_t i = 0; i < sizeof arith_ops / sizeof *arith_ops; i++)
        if (arith_ops[i].ast == op) return arith_ops[i].ir;
    return OP_COUNT;
}

/* error_model='python': float division by zero raises, as int division always does. */
static void guard_division(Lower *low, AstOp op, IrReg divisor) {
    IrScalar scalar = ir_reg_type(low->func, divisor).scalar;
    bool divides = op == AST_DIV || op == AST_FLOORDIV || op == AST_MOD;
    if (!divides || !ir_scalar_is_float(scalar) || !low->spec->func->options.python_errors)
        return;
    const IrRegInfo *info = ir_reg(low->func, divisor);
    double value = scalar == TY_FLOAT32 ? info->value.f : info->value.d;
    if (info->kind == REG_CONST && value != 0) return;
    IrReg zero = ir_const_float(low->func, scalar, 0);
    fe_raise_if(low, ir_build_compare(&low->b, OP_EQ, divisor, zero), EXC_ZERO_DIVISION,
                op == AST_DIV        ? "float division by zero"
                : op == AST_FLOORDIV ? "float floor division by zero"
                                     : "float modulo");
}

/* x ** 2 is x * x, and x ** 3 of integers two products: exact, and what the author means. */
static bool lower_small_power(Lower *low, IrReg base, Value exponent, IrReg *out) {
    if (!exponent.constant || exponent.constant->kind != FE_CONST_INT) return false;
    IrType type = ir_reg_type(low->func, base);
    bool cube = exponent.constant->i == 3 && ir_scalar_is_int(type.scalar);
    if (exponent.constant->i != 2 && !cube) return false;
    *out = ir_build_binary(&low->b, OP_MUL, type, base, base);
    if (cube) *out = ir_build_binary(&low->b, OP_MUL, type, *out, base);
    return true;
}

Value fe_lower_arith(Lower *low, AstOp op, Value a, Value b, const FeOperation *operation) {
    IrReg left = fe_scalar_as(low, a, operation->operand), result;
    if (op == AST_POW && lower_small_power(low, left, b, &result))
        return fe_value_ir(low, result);
    IrReg right = fe_scalar_as(low, b, operation->operand);
    guard_division(low, op, right);
    IrOp ir = fe_arith_op(op);
    if (operation->operand == TY_BOOL && op == AST_ADD) ir = OP_OR; /* elements of arrays */
    if (operation->operand == TY_BOOL && op == AST_MUL) ir = OP_AND;
    result = ir_build_binary(&low->b, ir, ir_scalar(operation->operand), left, right);
    return fe_value_ir(low, ir_build_cast(&low->b, operation->result, result));
}

static Value concatenated(Lower *low, Value a, Value b) {
    uint32_t n = a.type->count + b.type->count;
    Value *items = JR_NEW_ARRAY(low->arena, Value, n + 1);
    for (uint32_t i = 0; i < n; i++)
        items[i] = i < a.type->count ? a.items[i] : b.items[i - a.type->count];
    return fe_value_tuple(low, n, items);
}

static Value lower_binary(Lower *low, const AstExpr *expr) {
    const FeNode *node = fe_node_of(low, expr);
    if (expr->op == AST_MATMUL) return fe_lower_matmul(low, expr, expr->left, expr->right);
    Value a = fe_lower_expr(low, expr->left);
    Value b = fe_lower_expr(low, expr->right);
    if (a.type->kind == FE_TUPLE && b.type->kind == FE_TUPLE) return concatenated(low, a, b);
    if (node->operations) return fe_lower_arith(low, expr->op, a, b, &node->operations[0]);
    FeOperation operation;
    if (fe_operation(&low->module->types, expr->op, a.type, b.type, &operation))
        return fe_lower_arith(low, expr->op, a, b, &operation);
    return fe_value_none(low);
}

IrReg fe_lower_unary_op(Lower *low, AstOp op, Value a, const FeOperation *operation) {
    IrReg reg = fe_scalar_as(low, a, operation->operand);
    IrOp ir = op == AST_NEG ? OP_NEG : operation->operand == TY_BOOL ? OP_NOT : OP_INV;
    if (op != AST_POS) reg = ir_build_unary(&low->b, ir, ir_scalar(operation->operand), reg);
    return ir_build_cast(&low->b, operation->result, reg);
}

static Value lower_unary(Lower *low, const AstExpr *expr) {
    if (expr->op == AST_NOT)
        return fe_value_ir(low, fe_invert(low, fe_lower_cond(low, expr->left)));
    const FeOperation *operation = fe_node_of(low, expr)->operations;
    Value a = fe_lower_expr(low, expr->left);
    return operation ? fe_value_ir(low, fe_lower_unary_op(low, expr->op, a, operation)) : a;
}

/* ---- Conditions ---- */

static bool flip(IrOp op, bool ordered, IrOp *out) {
    static const struct {
        IrOp op, inverse;
    } inverses[] = {{OP_EQ, OP_NE}, {OP_NE, OP_EQ}, {OP_LT, OP_GE},
                    {OP_GE, OP_LT}, {OP_GT, OP_LE}, {OP_LE, OP_GT}};
    for (unsigned i = 0; i < sizeof inverses / sizeof *inverses; i++)
        if (inverses[i].op == op && (ordered || i < 2)) {
            *out = inverses[i].inverse;
            return true;
        }
    return false;
}

/* not cond. A comparison that was built a moment ago, for this alone, is turned round instead;
 * with NaN about, `not a < b` is not `a >= b`. */
IrReg fe_invert(Lower *low, IrReg cond) {
    const IrRegInfo *info = ir_reg(low->func, cond);
    if (info->kind == REG_CONST) return fe_bool_const(low, !info->value.i);
    IrStmt *last = low->b.block->last;
    IrOp inverse;
    if (last && last == info->def && last->ndsts == 1 && ir_op_form(last->op) == FORM_CMP &&
        flip(last->op, !ir_scalar_is_float(ir_reg_type(low->func, last->args[0]).scalar),
             &inverse)) {
        last->op = (uint8_t)inverse;
        return cond;
    }
    return ir_build_unary(&low->b, OP_NOT, ir_scalar(TY_BOOL), cond);
}

/* cond and arm, or cond or arm, where `arm` was built aside and gives `value`, both bools.
 * *own is the variable that the results of a chain share, once it needs one. */
static IrReg join_bool(Lower *low, bool both, IrReg cond, const IrBlock *arm, IrReg value,
                       IrReg *own) {
    if (fe_block_is_cheap(low, arm)) {
        fe_block_splice(low->b.block, arm);
        return ir_build_binary(&low->b, both ? OP_AND : OP_OR, ir_scalar(TY_BOOL), cond,
                               value);
    }
    if (*own == IR_NO_REG) *own = ir_var(low->func, ir_scalar(TY_BOOL), NULL);
    if (cond != *own) ir_build_copy(&low->b, *own, cond);
    IrStmt *branch = ir_build_if(&low->b, both ? cond : fe_invert(low, cond));
    fe_block_splice(&branch->u.blocks.then, arm);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    ir_build_copy(&low->b, *own, value);
    fe_block_swap(low, outer);
    return *own;
}

/* Whether this operand is known and decides: those behind it are never computed, and may have no types. */
static bool decides(Lower *low, const AstExpr *expr, uint32_t i) {
    const FeConst *value = fe_node_of(low, expr->items.data[i])->value;
    return value && fe_const_truth(value) == (expr->op == AST_BOOL_OR);
}

/* and, or as conditions: what counts is the truth of the operands. */
static IrReg lower_bool_cond(Lower *low, const AstExpr *expr) {
    bool both = expr->op == AST_BOOL_AND;
    IrReg cond = fe_lower_cond(low, expr->items.data[0]), own = IR_NO_REG;
    for (uint32_t i = 1; i < expr->items.len && !decides(low, expr, i - 1); i++) {
        const IrRegInfo *info = ir_reg(low->func, cond);
        bool known = info->kind == REG_CONST;
        if (known && !info->value.i == both) return cond;
        IrBlock arm = {0};
        IrBlock *outer = fe_block_swap(low, &arm);
        IrReg value = fe_lower_cond(low, expr->items.data[i]);
        fe_block_swap(low, outer);
        if (known) fe_block_splice(low->b.block, &arm);
        cond = known ? value : join_bool(low, both, cond, &arm, value, &own);
    }
    return cond;
}

IrReg fe_lower_cond(Lower *low, const AstExpr *expr) {
    if (expr->kind == AST_BOOL && !fe_node_of(low, expr)->value) {
        JrSpan outer = low->b.span;
        low->b.span = expr->span;
        IrReg cond = lower_bool_cond(low, expr);
        low->b.span = outer;
        return cond;
    }
    return fe_truth_reg(low, fe_lower_expr(low, expr));
}

/* ---- Comparison ---- */

static IrReg lower_in_tuple(Lower *low, Value needle, Value tuple) {
    IrReg found = IR_NO_REG;
    for (uint32_t i = 0; i < tuple.type->count; i++) {
        IrReg same = fe_scalar_reg(
            low, fe_lower_compare_pair(low, AST_EQ, needle, tuple.items[i], NULL));
        found = found == IR_NO_REG
                    ? same
                    : ir_build_binary(&low->b, OP_OR, ir_scalar(TY_BOOL), found, same);
    }
    return found == IR_NO_REG ? fe_bool_const(low, false) : found;
}

/* == of tuples: of all their items. */
static IrReg lower_same_tuples(Lower *low, Value a, Value b) {
    IrReg same = fe_bool_const(low, a.type->count == b.type->count);
    for (uint32_t i = 0; i < a.type->count && a.type->count == b.type->count; i++) {
        Value item = fe_lower_compare_pair(low, AST_EQ, a.items[i], b.items[i], NULL);
        IrReg next = fe_scalar_reg(low, item);
        same = i ? ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), same, next) : next;
    }
    return same;
}

/* < <= > >= of tuples: what the first items that differ say, or else the lengths. */
static IrReg lower_order(Lower *low, AstOp op, Value a, Value b) {
    uint32_t na = a.type->count, nb = b.type->count, n = na < nb ? na : nb;
    bool less = op == AST_LT || op == AST_LE, equal = op == AST_LE || op == AST_GE;
    IrReg result = fe_bool_const(low, na == nb ? equal : less == (na < nb));
    while (n-- > 0) {
        Value x = a.items[n], y = b.items[n];
        IrReg same = fe_scalar_reg(low, fe_lower_compare_pair(low, AST_EQ, x, y, NULL));
        IrReg here = fe_scalar_reg(low, fe_lower_compare_pair(low, op, x, y, NULL));
        result = ir_build_select(&low->b, same, result, here);
    }
    return result;
}

static bool is_number(Value value) {
    FeKind kind = value.type->kind;
    return kind == FE_SCALAR || kind == FE_WEAK_INT || kind == FE_WEAK_FLOAT;
}

Value fe_lower_compare_pair(Lower *low, AstOp op, Value a, Value b,
                            const FeOperation *operation) {
    if ((op == AST_IN || op == AST_NOT_IN) && b.type->kind == FE_TUPLE) {
        IrReg found = lower_in_tuple(low, a, b);
        return fe_value_ir(low, op == AST_IN ? found : fe_invert(low, found));
    }
    bool order = op == AST_LT || op == AST_LE || op == AST_GT || op == AST_GE;
    if (a.type->kind == FE_TUPLE && b.type->kind == FE_TUPLE && order)
        return fe_value_ir(low, lower_order(low, op, a, b));
    if (a.type->kind == FE_TUPLE && b.type->kind == FE_TUPLE) {
        IrReg same = lower_same_tuples(low, a, b);
        return fe_value_ir(low, op == AST_EQ ? same : fe_invert(low, same));
    }
    if (!is_number(a) || !is_number(b)) /* a string with another */
        return fe_value_ir(low, fe_bool_const(low, op == AST_NE));
    FeOperation own;
    if (!operation || operation->operand == TY_NONE) {
        if (!fe_operation(&low->module->types, op, a.type, b.type, &own))
            return fe_value_none(low);
        operation = &own;
    }
    IrReg left = fe_scalar_as(low, a, operation->operand);
    IrReg right = fe_scalar_as(low, b, operation->operand);
    return fe_value_ir(low, ir_build_compare(&low->b, fe_arith_op(op), left, right));
}

/* a < b < c: b is evaluated once, c only if a < b. `left` is the operand before ops[at]. */
static IrReg lower_chain(Lower *low, const AstExpr *expr, uint32_t at, Value left) {
    const FeNode *node = fe_node_of(low, expr);
    Value right = fe_lower_expr(low, expr->items.data[at + 1]);
    const FeOperation *operation = node->operations ? &node->operations[at] : NULL;
    IrReg here = fe_scalar_reg(
        low, fe_lower_compare_pair(low, expr->ops.data[at], left, right, operation));
    if (at + 1 == expr->ops.len) return here;
    IrBlock arm = {0};
    IrBlock *outer = fe_block_swap(low, &arm);
    IrReg rest = lower_chain(low, expr, at + 1, right);
    fe_block_swap(low, outer);
    IrReg own = IR_NO_REG;
    return join_bool(low, true, here, &arm, rest, &own);
}

enum { MAX_CHAIN = 100 }; /* a < b < c < ... nests, in the IR too */

static Value lower_compare(Lower *low, const AstExpr *expr) {
    if (expr->ops.len > MAX_CHAIN) {
        JrDiag *diag = jr_diag_error(low->module->diags, expr->span,
                                     "a chain of more than %d comparisons", MAX_CHAIN);
        jr_diag_help(low->module->diags, diag, "join shorter ones with 'and'");
        return fe_value_ir(low, fe_bool_const(low, false));
    }
    Value first = fe_lower_expr(low, expr->items.data[0]);
    return fe_value_ir(low, lower_chain(low, expr, 0, first));
}

/* ---- and, or, ternary as values ---- */

static const FeType *arms_type(Lower *low, const AstExpr *expr) {
    const FeNode *node = fe_node_of(low, expr);
    const FeType *type = node->target ? node->target : node->type;
    return fe_type_strong(&low->module->types, type);
}

/* The value of `arm` if cond, else that of `other`; both were built aside. */
static Value join_values(Lower *low, IrReg cond, const IrBlock *arm, Value a,
                         const IrBlock *other, Value b, const FeType *type) {
    bool cheap = fe_block_is_cheap(low, arm) && fe_block_is_cheap(low, other);
    if (type->kind == FE_SCALAR && cheap) {
        fe_block_splice(low->b.block, arm);
        fe_block_splice(low->b.block, other);
        return fe_value_reg(type, ir_build_select(&low->b, cond, a.reg, b.reg));
    }
    Value slot = fe_slot_new(low, type, NULL);
    IrStmt *branch = ir_build_if(&low->b, cond);
    fe_block_splice(&branch->u.blocks.then, arm);
    fe_block_splice(&branch->u.blocks.els, other);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    fe_slot_take(low, slot, a);
    fe_block_swap(low, &branch->u.blocks.els);
    fe_slot_take(low, slot, b);
    fe_block_swap(low, outer);
    return slot;
}

static Value lower_aside(Lower *low, const AstExpr *expr, const FeType *type, IrBlock *block) {
    IrBlock *outer = fe_block_swap(low, block);
    Value value = fe_value_converted(low, fe_lower_expr(low, expr), type);
    fe_block_swap(low, outer);
    return value;
}

static Value lower_ternary(Lower *low, const AstExpr *expr) {
    const FeType *type = arms_type(low, expr);
    const FeConst *known = fe_node_of(low, expr->cond)->value;
    IrReg cond = fe_lower_cond(low, expr->cond);
    if (known) {
        const AstExpr *arm = fe_const_truth(known) ? expr->left : expr->right;
        return fe_value_converted(low, fe_lower_expr(low, arm), type);
    }
    IrBlock left = {0}, right = {0};
    Value a = lower_aside(low, expr->left, type, &left);
    Value b = lower_aside(low, expr->right, type, &right);
    return join_values(low, cond, &left, a, &right, b, type);
}

/* a and b is b if a is true, else a; the operands after the first from right to left would
 * nest the other way, so each step joins what there is with the next. */
static Value lower_bool(Lower *low, const AstExpr *expr) {
    const FeType *type = arms_type(low, expr);
    if (type->kind == FE_SCALAR && type->ir.scalar == TY_BOOL)
        return fe_value_ir(low, lower_bool_cond(low, expr));
    Value value = fe_value_converted(low, fe_lower_expr(low, expr->items.data[0]), type);
    for (uint32_t i = 1; i < expr->items.len && !decides(low, expr, i - 1); i++) {
        IrBlock arm = {0}, none = {0};
        IrReg cond = fe_truth_reg(low, value);
        Value next = lower_aside(low, expr->items.data[i], type, &arm);
        value = expr->op == AST_BOOL_AND
                    ? join_values(low, cond, &arm, next, &none, value, type)
                    : join_values(low, cond, &none, value, &arm, next, type);
    }
    return value;
}

/* ---- All of them ---- */

static Value lower_kind(Lower *low, const AstExpr *expr, IrReg want) {
    if (fe_is_whole(low, expr)) return fe_lower_whole(low, expr, want);
    switch (expr->kind) {
    case AST_NAME: return lower_name(low, expr);
    case AST_LIST: /* that is assigned to a row */
    case AST_TUPLE: return lower_tuple(low, expr);
    case AST_UNARY: return lower_unary(low, expr);
    case AST_BINARY: return lower_binary(low, expr);
    case AST_BOOL: return lower_bool(low, expr);
    case AST_COMPARE: return lower_compare(low, expr);
    case AST_TERNARY: return lower_ternary(low, expr);
    case AST_CALL: return fe_lower_call(low, expr, want);
    case AST_ATTR: return fe_lower_attr(low, expr);
    case AST_SUBSCRIPT: return fe_lower_subscript(low, expr);
    case AST_NAMED: return lower_named(low, expr);
    default: return fe_value_none(low);
    }
}

Value fe_lower_expr_into(Lower *low, const AstExpr *expr, IrReg want) {
    const FeNode *node = fe_node_of(low, expr);
    bool known = node->value && node->value->kind != FE_CONST_NONE;
    if (known || (node->type && fe_type_is_static(node->type))) fe_lower_effects(low, expr);
    if (known) return fe_value_const(low, node->type, node->value);
    JrSpan outer = low->b.span;
    low->b.span = expr->at.line ? expr->at : expr->span;
    Value value = lower_kind(low, expr, want);
    low->b.span = outer;
    return value;
}

Value fe_lower_expr(Lower *low, const AstExpr *expr) {
    return fe_lower_expr_into(low, expr, IR_NO_REG);
}

IrReg fe_lower_index(Lower *low, const AstExpr *expr) {
    return fe_index_reg(low, fe_lower_expr(low, expr));
}

IrReg fe_lower_as(Lower *low, const AstExpr *expr, IrScalar to) {
    return fe_scalar_as(low, fe_lower_expr(low, expr), to);
}

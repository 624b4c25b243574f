/* Calls: of the program's own functions here, of builtins by kind. */
#include "frontend/lower/lower.h"

/* ---- Functions of the program ---- */

static const FeType *fe_const_type(Lower *low, const FeConst *constant) {
    const FeTypes *types = &low->module->types;
    switch (constant->kind) {
    case FE_CONST_BOOL: return types->scalars[TY_BOOL];
    case FE_CONST_INT: return types->weak_int;
    case FE_CONST_FLOAT: return types->weak_float;
    case FE_CONST_STR: return fe_type_str(&low->module->types, constant);
    case FE_CONST_TUPLE: return constant->type;
    default: return types->none;
    }
}

static uint32_t arg_position(const FeNode *node, const AstExpr *arg, uint32_t likely) {
    if (likely < node->nargs && node->args[likely] == arg) return likely;
    for (uint32_t i = 0; i < node->nargs; i++)
        if (node->args[i] == arg) return i;
    return node->nargs;
}

static void eval_arg(Lower *low, const FeNode *node, const AstExpr *arg, uint32_t likely,
                     Value *values) {
    uint32_t i = arg_position(node, arg, likely);
    if (i == node->nargs) return;
    values[i] = fe_value_converted(low, fe_lower_expr(low, arg), node->callee->params[i]);
}

/* In the order they are written in, which keywords may make another one than the parameters'.
 */
static Value *eval_args(Lower *low, const AstExpr *expr, const FeNode *node) {
    Value *values = JR_NEW_ARRAY(low->arena, Value, node->nargs + 1);
    const AstExpr *array =
        expr->left && expr->left->kind == AST_ATTR ? expr->left->left : NULL;
    uint32_t first = array && node->nargs && node->args[0] == array; /* of a method */
    if (first) eval_arg(low, node, array, 0, values);
    for (uint32_t i = 0; i < expr->items.len; i++)
        eval_arg(low, node, expr->items.data[i], first + i, values);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        eval_arg(low, node, expr->keywords.data[i].value, first + expr->items.len + i, values);
    uint32_t captures = node->callee->func->captures.len;
    Value function = captures ? fe_lower_expr(low, expr->left) : fe_value_none(low);
    for (uint32_t i = 0; i < captures; i++) {
        uint32_t at = node->nargs - captures + i;
        values[at] = fe_value_converted(low, function.items[i], node->callee->params[at]);
    }
    for (uint32_t i = 0; i < node->nargs - captures; i++) {
        const FeConst *fallback =
            node->args[i] || !node->arg_values ? NULL : node->arg_values[i];
        if (fallback)
            values[i] = fe_value_converted(
                low, fe_value_const(low, fe_const_type(low, fallback), fallback),
                node->callee->params[i]);
    }
    return values;
}

/* An array may be returned straight into the variable it is for, unless the call reads that.
 */
static bool may_return_into(Lower *low, IrReg want, IrType type, uint32_t n,
                            const IrReg *args) {
    if (want == IR_NO_REG || !ir_type_same(ir_reg_type(low->func, want), type)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (ir_reg_type(low->func, args[i]).ndim && fe_array_root(low, args[i]) == want)
            return false;
    return true;
}

static Value lower_own_call(Lower *low, const AstExpr *expr, const FeNode *node, IrReg want) {
    FeSpec *callee = node->callee;
    Value *values = eval_args(low, expr, node);
    uint32_t leaves = 0, n = 0, nrets = fe_type_leaves(callee->ret);
    for (uint32_t i = 0; i < node->nargs; i++)
        leaves += fe_type_leaves(callee->params[i]);
    IrReg *args = JR_NEW_ARRAY(low->arena, IrReg, leaves + 1);
    for (uint32_t i = 0; i < node->nargs; i++)
        n += fe_value_flatten(low, values[i], args + n);
    IrReg *dsts = JR_NEW_ARRAY(low->arena, IrReg, nrets + 1);
    for (uint32_t i = 0; i < nrets; i++) {
        IrType type = callee->lowered->rets[i];
        if (nrets == 1 && type.ndim && may_return_into(low, want, type, n, args))
            dsts[i] = want;
        else
            dsts[i] = type.ndim ? fe_array_owned_temp(low, type) : ir_temp(low->func, type);
    }
    ir_build_call(&low->b, callee->lowered, nrets, dsts, n, args);
    const IrReg *cursor = dsts;
    return fe_value_unflatten(low, callee->ret, &cursor);
}

bool fe_is_gather(Lower *low, const AstExpr *expr) {
    return expr->kind == AST_SUBSCRIPT && fe_node_of(low, expr)->callee;
}

/* A list of ints as an array. */
static IrReg listed(Lower *low, Value value) {
    uint32_t n = value.type->count;
    IrReg array = fe_array_owned_temp(low, ir_array(TY_INT64, 1, LAYOUT_C));
    IrReg length = fe_int_const(low, n);
    ir_build(&low->b, OP_ALLOC, 1, &array, 1, &length);
    for (uint32_t i = 0; i < n; i++) {
        IrReg at = fe_int_const(low, i);
        fe_array_store(low, array, 1, &at, fe_index_reg(low, value.items[i]));
    }
    return array;
}

/* What an index is for a function of the library: a number, an array, or several. */
static Value index_value(Lower *low, const AstExpr *item, const FeType *wanted) {
    Value value = fe_lower_expr(low, item);
    bool product = fe_type_is_product(value.type) && wanted->kind == FE_ARRAY;
    if (product && value.items[0].type->kind != FE_ARRAY)
        return fe_value_ir(low, listed(low, value));
    return fe_value_converted(low, product ? value.items[0] : value, wanted);
}

/* The array and its indices, of a subscript that is a call; how many registers. */
static uint32_t gather_args(Lower *low, const AstExpr *expr, IrReg *args) {
    const FeNode *node = fe_node_of(low, expr);
    const FeSpec *callee = node->callee;
    uint32_t n = 0, indices = expr->items.len;
    args[n++] = fe_lower_expr(low, expr->left).reg;
    for (uint32_t i = 0, k = 1; i < indices; i++) {
        const AstExpr *item = expr->items.data[i];
        if (item->kind == AST_SLICE) continue;
        n += fe_value_flatten(low, index_value(low, item, callee->params[k++]), args + n);
    }
    return n;
}

enum { GATHER_ARGS = IR_MAX_DIMS + 2 };

Value fe_lower_gather(Lower *low, const AstExpr *expr) {
    const FeSpec *callee = fe_node_of(low, expr)->callee;
    IrReg args[GATHER_ARGS];
    uint32_t n = gather_args(low, expr, args);
    IrReg made = fe_array_owned_temp(low, callee->lowered->rets[0]);
    ir_build_call(&low->b, callee->lowered, 1, &made, n, args);
    return fe_value_ir(low, made);
}

void fe_lower_put(Lower *low, const AstExpr *target, Value value) {
    const FeSpec *callee = fe_node_of(low, target)->callee;
    value = fe_value_converted(low, value, callee->params[callee->nparams - 1]);
    IrReg args[GATHER_ARGS];
    uint32_t n = gather_args(low, target, args);
    args[n++] = value.reg;
    ir_build_call(&low->b, callee->lowered, 0, NULL, n, args);
}

/* ---- Builtins ---- */

const AstExpr *fe_call_arg(const Call *call, uint32_t i) {
    return i < call->node->nargs ? call->node->args[i] : NULL;
}

bool fe_call_has(const Call *call, uint32_t i) {
    if (i >= call->node->nargs) return false;
    return call->node->args[i] || (call->node->arg_values && call->node->arg_values[i]);
}

Value fe_call_value(Lower *low, const Call *call, uint32_t i) {
    const FeNode *node = call->node;
    if (call->given && fe_call_arg(call, i)) return call->given[i];
    if (fe_call_arg(call, i)) return fe_lower_expr(low, node->args[i]);
    if (!fe_call_has(call, i)) return fe_value_none(low);
    const FeConst *constant = node->arg_values[i];
    return fe_value_const(low, fe_const_type(low, constant), constant);
}

IrReg fe_call_scalar(Lower *low, const Call *call, uint32_t i, IrScalar to) {
    return fe_scalar_as(low, fe_call_value(low, call, i), to);
}

static IrScalar letter_scalar(char letter) {
    switch (letter) {
    case 'b': return TY_BOOL;
    case 'u': return TY_UINT64;
    case 'f': return TY_FLOAT32;
    case 'd': return TY_FLOAT64;
    default: return TY_INT64;
    }
}

Value fe_build_rt(Lower *low, IrRtCall rt, uint32_t n, const IrReg *args) {
    IrReg dsts[4];
    Value values[4];
    uint32_t count = 0;
    for (const char *letter = ir_rt_results(rt); *letter; letter++)
        dsts[count++] = ir_temp(low->func, ir_scalar(letter_scalar(*letter)));
    ir_build_rt(&low->b, rt, count, dsts, n, args);
    for (uint32_t i = 0; i < count; i++)
        values[i] = fe_value_ir(low, dsts[i]);
    if (count == 0) return fe_value_none(low);
    return count == 1 ? values[0] : fe_value_tuple(low, count, values);
}

static Value call_rt(Lower *low, const Call *call, IrRtCall rt) {
    IrReg args[8];
    uint32_t n = 0;
    for (const char *letter = ir_rt_params(rt); *letter; letter++, n++)
        args[n] = *letter == 'a' ? fe_call_value(low, call, n).reg
                                 : fe_call_scalar(low, call, n, letter_scalar(*letter));
    return fe_build_rt(low, rt, n, args);
}

static Value lower_builtin_call(Lower *low, const Call *call) {
    const FeBuiltin *builtin = call->node->builtin;
    switch (builtin->kind) {
    case BK_PRINT: return fe_lower_print(low, call);
    case BK_RT: return call_rt(low, call, (IrRtCall)builtin->detail);
    case BK_MAKE: return fe_lower_make(low, call);
    case BK_METHOD: return fe_lower_method(low, call);
    case BK_RANDOM: return fe_lower_random(low, call);
    case BK_REDUCE: return fe_lower_reduce(low, call);
    default: return fe_lower_scalar_builtin(low, call);
    }
}

/* Point(y=2.0, x=1.0): evaluated as written, in the order of the fields. */
static Value lower_record(Lower *low, const AstExpr *expr, const FeNode *node) {
    Value value = {.type = node->type, .reg = IR_NO_REG};
    value.items = JR_NEW_ARRAY(low->arena, Value, node->nargs + 1);
    uint32_t n = expr->items.len;
    for (uint32_t i = 0; i < n + expr->keywords.len; i++) {
        const AstExpr *arg = i < n ? expr->items.data[i] : expr->keywords.data[i - n].value;
        uint32_t at = arg_position(node, arg, i);
        Value item = fe_value_converted(low, fe_lower_expr(low, arg), node->type->items[at]);
        value.items[at] = fe_value_pinned(low, item);
    }
    return value;
}

Value fe_lower_call(Lower *low, const AstExpr *expr, IrReg want) {
    const FeNode *node = fe_node_of(low, expr);
    if (node->type && node->type->record && !node->callee && !node->host)
        return lower_record(low, expr, node);
    if (node->callee) return lower_own_call(low, expr, node, want);
    if (node->host) return fe_lower_host(low, expr, node->host);
    if (!node->builtin) return fe_value_none(low);
    Call call = {.expr = expr, .node = node, .want = want};
    return lower_builtin_call(low, &call);
}

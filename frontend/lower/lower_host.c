/* Calls of C functions that the program lends its kernels: CALL of a function without a body. */
#include "frontend/lower/lower.h"

static void add_leaves(IrFunc *func, const FeHostType *types, uint32_t count) {
    for (const FeHostType *t = types; func->nparams < count; t++)
        if (!t->count) ir_reg(func, ir_param(func, t->ir, NULL))->written = t->written;
}

/* It is declared in the module where it is first called. */
static IrFunc *declare_host(Lower *low, const FeHost *host) {
    IrFunc *func = ir_host_find(low->ir, host->name);
    if (func) return func;
    func = ir_host_new(low->ir, host->name);
    add_leaves(func, host->params, host->nleaves);
    func->rets = JR_NEW_ARRAY(low->arena, IrType, host->nrets + 1);
    for (const FeHostType *t = host->ret; func->nrets < host->nrets; t++)
        if (!t->count) func->rets[func->nrets++] = t->ir;
    func->user_at = host->user_at;
    return func;
}

Value fe_lower_host(Lower *low, const AstExpr *expr, const FeHost *host) {
    IrFunc *func = declare_host(low, host);
    IrReg *args = JR_NEW_ARRAY(low->arena, IrReg, host->nleaves + 1);
    IrReg *results = JR_NEW_ARRAY(low->arena, IrReg, host->nrets + 1);
    const FeHostType *at = host->params;
    for (uint32_t i = 0, leaf = 0; i < host->nparams; i++) {
        const FeType *type = fe_type_of_host(&low->module->types, &at);
        Value value = fe_lower_expr(low, expr->items.data[i]);
        leaf += fe_value_flatten(low, fe_value_converted(low, value, type), &args[leaf]);
    }
    for (uint32_t i = 0; i < func->nrets; i++)
        results[i] = func->rets[i].ndim ? fe_array_owned_temp(low, func->rets[i])
                                        : ir_temp(low->func, func->rets[i]);
    ir_build_call(&low->b, func, func->nrets, results, host->nleaves, args);
    if (!func->nrets) return fe_value_none(low);
    const IrReg *first = results;
    at = host->ret;
    return fe_value_unflatten(low, fe_type_of_host(&low->module->types, &at), &first);
}

/* Calls of C functions that the program lends its kernels: CALL of a function without a body. */
#include "frontend/lower/lower.h"

/* It is declared in the module where it is first called. */
static IrFunc *declare_host(Lower *low, const FeHost *host) {
    IrFunc *func = ir_host_find(low->ir, host->name);
    if (func) return func;
    func = ir_host_new(low->ir, host->name);
    for (uint32_t i = 0; i < host->nparams; i++) {
        IrReg param = ir_param(func, host->params[i], NULL);
        ir_reg(func, param)->written = host->written[i];
    }
    func->nrets = host->ret.scalar != TY_NONE;
    func->rets = JR_NEW_ARRAY(low->arena, IrType, 1);
    func->rets[0] = host->ret;
    func->user_at = host->user_at;
    return func;
}

Value fe_lower_host(Lower *low, const AstExpr *expr, const FeHost *host) {
    IrFunc *func = declare_host(low, host);
    IrReg *args = JR_NEW_ARRAY(low->arena, IrReg, host->nparams + 1), result;
    for (uint32_t i = 0; i < host->nparams; i++) {
        const FeType *type = fe_type_ir(&low->module->types, host->params[i]);
        Value value = fe_lower_expr(low, expr->items.data[i]);
        fe_value_flatten(low, fe_value_converted(low, value, type), &args[i]);
    }
    if (func->nrets) result = ir_temp(low->func, host->ret);
    ir_build_call(&low->b, func, func->nrets, &result, host->nparams, args);
    return func->nrets ? fe_value_ir(low, result) : fe_value_none(low);
}

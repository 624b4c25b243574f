/* Lowering: from the typed tree of inference to the IR (frontend/lower/lower.h draws the idea).
 *
 * Every specialisation becomes a function. All are declared first, so that calls find their
 * callees whatever the order. What each file does:
 *     lower_scan.c     looks ahead: loop variables without storage, functions that draw
 *     lower_value.c    values, conversion, storage, pinning
 *     lower_fold.c     small builders
 *     lower_stmt.c     statements
 *     lower_loop.c     while, for and what they go over
 *     lower_expr.c     operators
 *     lower_slice.c    subscripts
 *     lower_call.c     calls
 *     lower_builtin.c, lower_array.c, lower_print.c    builtins */
#include "frontend/lower/lower.h"

static void declare_params(IrFunc *func, const FeType *type, const char *name) {
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) ir_param(func, type->ir, name);
    if (!fe_type_is_product(type)) return;
    for (uint32_t i = 0; i < type->count; i++)
        declare_params(func, type->items[i], name);
}

static void declare_rets(IrFunc *func, const FeType *type) {
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY)
        func->rets[func->nrets++] = type->ir;
    if (type->kind != FE_TUPLE) return;
    for (uint32_t i = 0; i < type->count; i++)
        declare_rets(func, type->items[i]);
}

static void declare_spec(Lower *low, FeSpec *spec) {
    const FeFunc *source = spec->func;
    IrFunc *func = ir_func_new(low->ir, spec->name, source->ast->name);
    for (uint32_t i = 0; i < spec->nparams; i++)
        declare_params(func, spec->params[i], source->ast->params.data[i].name);
    func->rets = JR_NEW_ARRAY(low->arena, IrType, fe_type_leaves(spec->ret) + 1);
    declare_rets(func, spec->ret);
    func->span = source->ast->span;
    func->exported = true;
    func->parallel = source->options.parallel;
    func->fastmath = source->options.fastmath;
    spec->lowered = func;
}

/* A parameter is its own register; one that is assigned to gets a variable that starts as it.
 */
static void lower_params(Lower *low) {
    IrReg next = 0;
    for (uint32_t i = 0; i < low->spec->nparams; i++) {
        FeVar *var = low->spec->vars.data[i];
        VarInfo *info = fe_var_info(low, var);
        uint32_t leaves = fe_type_leaves(low->spec->params[i]);
        IrReg *regs = JR_NEW_ARRAY(low->arena, IrReg, leaves + 1);
        for (uint32_t k = 0; k < leaves; k++)
            regs[k] = next++;
        const IrReg *cursor = regs;
        Value param = fe_value_unflatten(low, low->spec->params[i], &cursor);
        info->has_slot = true;
        info->slot = param;
        if (leaves == 0 && var->type != low->spec->params[i])
            info->has_slot = false; /* None */
        if (!info->written || !info->has_slot) continue;
        info->slot = fe_slot_new(low, var->type, var->name);
        fe_slot_assign(low, info->slot, fe_value_converted(low, param, var->type));
    }
}

static void lower_spec(Lower *low, FeSpec *spec) {
    IrFunc *func = spec->lowered;
    low->spec = spec;
    low->func = func;
    low->loop = NULL;
    low->b = (IrBuilder){.func = func, .block = &func->body, .span = func->span};
    lower_params(low);
    fe_lower_block(low, &spec->func->ast->body);
    if (fe_block_ends(&func->body)) return;
    low->b.span = func->span;
    if (func->nrets == 0)
        ir_build_return(&low->b, 0, NULL);
    else /* inference saw that this end is never reached, the structure does not show it */
        ir_build_raise(&low->b, EXC_RUNTIME, "end of function reached", 23);
}

IrModule *fe_lower(FeModule *module) {
    Lower low = {.module = module,
                 .arena = module->arena,
                 .ir = ir_module_new(module->arena, module->source->name)};
    jr_table_init(&low.spec_infos, module->arena);
    fe_scan_module(&low);
    for (uint32_t i = 0; i < module->specs.len; i++)
        declare_spec(&low, module->specs.data[i]);
    for (uint32_t i = 0; i < module->specs.len; i++)
        lower_spec(&low, module->specs.data[i]);
    ir_module_finish(low.ir);
    return low.ir;
}

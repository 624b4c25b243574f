/* The rules of the IR, checked: what ir/ops.def says of each operation (verify_types.c) and
 * what ir/ir.h says of registers, blocks and paths.
 *
 * One walk in structured order does it. A TEMP is live from its definition to the end of the
 * block that holds it (a loop's counter: in the loop's body), which is what "before every use
 * in an enclosing or the same block" means. The walk of a block tells whether control can run
 * off its end: statements after a return, raise, break or continue are legal, and dead. An
 * endless loop ends only by a break that can be reached. */
#include "ir/verify.h"

static bool verify_block(IrVerifier *v, const IrBlock *block, bool *reached);

bool ir_verify_fail(IrVerifier *v, const char *format, ...) {
    if (v->why) return false;
    va_list args;
    va_start(args, format);
    const char *message = jr_arena_vprintf(v->arena, format, args);
    va_end(args);
    const char *func = v->func ? v->func->name : "?";
    if (!v->stmt)
        v->why = jr_arena_printf(v->arena, "func %s: %s", func, message);
    else
        v->why =
            jr_arena_printf(v->arena, "func %s, line %d, %s: %s", func, v->stmt->span.line,
                            v->stmt->op < OP_COUNT ? ir_op_name(v->stmt->op) : "?", message);
    return false;
}

/* ---- Registers ---- */

static bool is_canonical(const IrRegInfo *info) {
    unsigned shift = 64 - 8 * ir_scalar_size(info->type.scalar);
    uint64_t bits = info->value.u;
    switch (ir_scalar_class(info->type.scalar)) {
    case 'B': return bits <= 1;
    case 'I': return info->value.i == (int64_t)(bits << shift) >> shift;
    case 'U': return bits == bits << shift >> shift;
    default: return true;
    }
}

static bool verify_reg(IrVerifier *v, IrReg reg) {
    const IrRegInfo *info = ir_reg(v->func, reg);
    if ((info->kind == REG_PARAM) != (reg < v->func->nparams))
        return ir_verify_fail(v, "register %u: the first registers are the parameters", reg);
    if (!ir_verify_type(info->type, info->kind == REG_CONST))
        return ir_verify_fail(v, "register %u cannot have its type", reg);
    if (info->owned && (!info->type.ndim || info->kind == REG_PARAM))
        return ir_verify_fail(v, "register %u cannot own an array", reg);
    if (info->kind == REG_CONST && !is_canonical(info))
        return ir_verify_fail(v, "constant %u does not fit its type", reg);
    return true;
}

static bool in_range(IrVerifier *v, uint32_t n, const IrReg *regs) {
    for (uint32_t i = 0; i < n; i++)
        if (regs[i] >= v->func->regs.len)
            return ir_verify_fail(v, "there is no register %u", regs[i]);
    return true;
}

static bool verify_uses(IrVerifier *v, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrReg reg = stmt->args[i];
        if (ir_reg(v->func, reg)->kind == REG_TEMP && !v->live[reg])
            return ir_verify_fail(v, "TEMP %u is used where it may not be written yet", reg);
    }
    return true;
}

static bool define(IrVerifier *v, const IrStmt *stmt, uint32_t i) {
    IrReg reg = stmt->dsts[i];
    const IrRegInfo *info = ir_reg(v->func, reg);
    if (info->kind == REG_CONST || info->kind == REG_PARAM)
        return ir_verify_fail(v, "register %u is a %s and never written", reg,
                              info->kind == REG_CONST ? "constant" : "parameter");
    for (uint32_t k = 0; k < i; k++)
        if (stmt->dsts[k] == reg)
            return ir_verify_fail(v, "register %u is written twice", reg);
    if (info->kind == REG_VAR) return true;
    if (v->defined[reg]) return ir_verify_fail(v, "TEMP %u has two definitions", reg);
    if (info->def != stmt)
        return ir_verify_fail(v, "TEMP %u does not know its definition", reg);
    v->defined[reg] = v->live[reg] = true;
    JR_PUSH(v->arena, &v->scope, reg);
    return true;
}

static bool define_all(IrVerifier *v, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (!define(v, stmt, i)) return false;
    return true;
}

static void leave_scope(IrVerifier *v, uint32_t mark) {
    while (v->scope.len > mark)
        v->live[v->scope.data[--v->scope.len]] = false;
}

/* ---- Control ---- */

/* *reached: whether control gets here, and then whether it gets past. */
static bool verify_if(IrVerifier *v, const IrStmt *stmt, bool *reached) {
    bool then = *reached, els = *reached;
    if (!verify_block(v, &stmt->u.blocks.then, &then)) return false;
    if (!verify_block(v, &stmt->u.blocks.els, &els)) return false;
    *reached = then || els;
    return true;
}

static bool verify_loop(IrVerifier *v, const IrStmt *stmt, bool *reached) {
    bool broken = false, body = *reached, *outer = v->broken;
    uint32_t mark = v->scope.len;
    if (stmt->u.blocks.els.first) return ir_verify_fail(v, "a loop has no else block");
    if (!define_all(v, stmt)) return false; /* a for's counter */
    v->broken = &broken;
    bool ok = verify_block(v, &stmt->u.blocks.then, &body);
    v->broken = outer;
    leave_scope(v, mark);
    if (stmt->op == OP_LOOP) *reached = broken;
    return ok;
}

static bool verify_control(IrVerifier *v, const IrStmt *stmt, bool *reached) {
    switch (stmt->op) {
    case OP_IF: return verify_if(v, stmt, reached);
    case OP_LOOP:
    case OP_FOR: return verify_loop(v, stmt, reached);
    case OP_BREAK:
    case OP_CONTINUE:
        if (!v->broken) return ir_verify_fail(v, "not in a loop");
        if (stmt->op == OP_BREAK && *reached) *v->broken = true;
        *reached = false;
        return true;
    case OP_RETURN:
    case OP_RAISE: *reached = false; return true;
    default: return define_all(v, stmt);
    }
}

static bool verify_stmt(IrVerifier *v, const IrStmt *stmt, bool *reached) {
    v->stmt = stmt;
    if (stmt->op >= OP_COUNT) return ir_verify_fail(v, "unknown operation");
    return in_range(v, stmt->ndsts, stmt->dsts) && in_range(v, stmt->nargs, stmt->args) &&
           ir_verify_operands(v, stmt) && verify_uses(v, stmt) &&
           verify_control(v, stmt, reached);
}

static bool verify_block(IrVerifier *v, const IrBlock *block, bool *reached) {
    uint32_t mark = v->scope.len;
    const IrStmt *prev = NULL;
    for (const IrStmt *stmt = block->first; stmt; prev = stmt, stmt = stmt->next) {
        if (!verify_stmt(v, stmt, reached)) return false;
        v->stmt = stmt;
        if (stmt->prev != prev) return ir_verify_fail(v, "the statements' links are broken");
    }
    if (block->last != prev)
        return ir_verify_fail(v, "the block's end is not its last statement");
    leave_scope(v, mark);
    return true;
}

/* ---- Functions ---- */

static bool verify_results(IrVerifier *v) {
    for (uint32_t i = 0; i < v->func->nrets; i++)
        if (!ir_verify_type(v->func->rets[i], false))
            return ir_verify_fail(v, "result %u cannot have its type", i);
    return true;
}

static bool verify_func(IrVerifier *v, const IrFunc *func) {
    bool reached = true;
    v->func = func;
    v->stmt = NULL;
    if (func->module != v->module || ir_module_find(v->module, func->name) != func)
        return ir_verify_fail(v, "not in the module under its name, or not the only one");
    if (func->nparams > func->regs.len) return ir_verify_fail(v, "parameters are missing");
    for (IrReg reg = 0; reg < func->regs.len; reg++)
        if (!verify_reg(v, reg)) return false;
    v->defined = JR_NEW_ARRAY(v->arena, bool, func->regs.len);
    v->live = JR_NEW_ARRAY(v->arena, bool, func->regs.len);
    if (!verify_results(v) || !verify_block(v, &func->body, &reached)) return false;
    v->stmt = NULL;
    if (reached) return ir_verify_fail(v, "control can run off the end: end it with a return");
    return true;
}

static bool verify_host(IrVerifier *v, const IrFunc *host) {
    v->func = host;
    v->stmt = NULL;
    for (IrReg reg = 0; reg < host->regs.len; reg++)
        if (!verify_reg(v, reg)) return false;
    if (!verify_results(v)) return false;
    if (!host->host || !host->may_fail || host->body.first || host->regs.len != host->nparams)
        return ir_verify_fail(v, "a host function has parameters and nothing else");
    return host->user_at <= host->nparams + 1 ||
           ir_verify_fail(v, "a host function's pointer is beyond its arguments");
}

bool ir_verify_module(const IrModule *module, const char **why) {
    IrVerifier v = {.arena = module->arena, .module = module};
    for (uint32_t i = 0; i < module->hosts.len && !v.why; i++)
        verify_host(&v, module->hosts.data[i]);
    for (uint32_t i = 0; i < module->funcs.len && !v.why; i++)
        verify_func(&v, module->funcs.data[i]);
    if (why) *why = v.why;
    return !v.why;
}

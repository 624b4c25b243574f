/* Calls without a call: a small function's instructions stand where it is called, working in the
 * caller's frame.
 *
 * The callee's registers get a plan of their own for each such call. Its parameters are the slots
 * where the arguments lie already: neither the callee nor anything else writes there while it
 * runs. What it returns is computed into the slot that the caller wants it in. A place in such
 * code also names the call it stands for (Compiler.callers), so that an error's chain of calls is
 * the same as if it were one.
 *
 * Recursive functions are put into themselves a few levels deep. Each real call still checks the
 * stack, and whether to stop. */
#include "backend/interp/compile.h"

enum {
    LARGEST = 40, /* statements, with those of the functions put into it */
    DEEPEST = 3,
    LARGEST_CALLER = 2000, /* keeps generated code from growing out of all measure */
};

/* ---- Which calls ---- */

typedef struct Walk {
    const Compiler *c;
    uint32_t depth, weight;
    bool plain;
} Walk;

static uint32_t number_of(const Compiler *c, const IrFunc *func) {
    return (uint32_t)(uintptr_t)jr_table_get(&c->numbers, func->name) - 1;
}

static void weigh_block(Walk *walk, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        walk->weight++;
        if (walk->weight > LARGEST_CALLER) return;
        if (stmt->op == OP_IF) {
            weigh_block(walk, &stmt->u.blocks.then);
            weigh_block(walk, &stmt->u.blocks.els);
        } else if (stmt->op == OP_PARALLEL) {
            walk->plain = false;
        } else if (stmt->op == OP_FOR || stmt->op == OP_LOOP) {
            walk->plain = false;
            weigh_block(walk, &stmt->u.blocks.then);
        } else if (stmt->op == OP_CALL && walk->depth && walk->weight <= LARGEST) {
            walk->depth--;
            weigh_block(walk, &stmt->u.callee->body);
            walk->depth++;
        }
    }
}

static Walk weigh(const Compiler *c, const IrFunc *func, uint32_t depth) {
    Walk walk = {.c = c, .depth = depth, .plain = true};
    weigh_block(&walk, &func->body);
    return walk;
}

static bool has_simple_registers(const IrFunc *func) {
    for (IrReg reg = func->nparams; reg < func->regs.len; reg++) {
        const IrRegInfo *info = ir_reg(func, reg);
        if (info->owned || (info->type.ndim && info->kind == REG_VAR)) return false;
    }
    return func->nrets == 0 || (func->nrets == 1 && !func->rets[0].ndim);
}

/* How deep in other functions a function may stand: 0 for not at all. */
static uint32_t deepest(const Compiler *c, const IrFunc *func) {
    const Walk alone = weigh(c, func, 0);
    if (!alone.plain || alone.weight > LARGEST || !has_simple_registers(func)) return 0;
    uint32_t depth = 1;
    while (depth < DEEPEST && weigh(c, func, depth).weight <= LARGEST)
        depth++;
    return depth;
}

void jr_inline_judge(Compiler *c) {
    for (uint32_t n = 0; n < c->funcs.len; n++) {
        const IrFunc *func = c->module->funcs.data[n];
        c->funcs.data[n].inlined = (uint8_t)deepest(c, func);
        c->funcs.data[n].large = weigh(c, func, 0).weight > LARGEST_CALLER;
    }
}

bool jr_inlines(const Compiler *c, const IrStmt *call) {
    return !call->u.callee->host && !c->funcs.data[c->number].large &&
           c->depth_inlined < c->funcs.data[number_of(c, call->u.callee)].inlined;
}

/* ---- In its place ---- */

/* What belongs to the function under way, while another is put into it. */
typedef struct Outer {
    const IrFunc *func;
    RegPlan *plans;
    uint32_t *dying;
    uint32_t position, where, caller, early[2], result, returns;
    LoopScope *scope;
} Outer;

static Outer leave_for(Compiler *c, const IrFunc *callee, uint32_t result) {
    const Outer outer = {c->func,
                         c->plans,
                         c->dying,
                         c->position,
                         c->where,
                         c->caller,
                         {c->early[0], c->early[1]},
                         c->result,
                         c->returns,
                         c->scope};
    c->func = callee;
    c->caller = 1 + c->where;
    c->early[0] = c->early[1] = c->returns = NO_CHAIN;
    c->result = result;
    c->scope = NULL;
    c->barrier = c->code.len;
    c->depth_inlined++;
    return outer;
}

static void come_back(Compiler *c, const Outer *outer) {
    c->depth_inlined--;
    c->func = outer->func;
    c->plans = outer->plans;
    c->dying = outer->dying;
    c->position = outer->position;
    c->where = outer->where;
    c->caller = outer->caller;
    c->early[0] = outer->early[0];
    c->early[1] = outer->early[1];
    c->result = outer->result;
    c->returns = outer->returns;
    c->scope = outer->scope;
}

static void give_back_variables(Compiler *c) {
    for (IrReg reg = c->func->nparams; reg < c->func->regs.len; reg++)
        if (ir_reg(c->func, reg)->kind == REG_VAR && c->plans[reg].slot != NO_SLOT)
            jr_give_slots(c, 0, c->plans[reg].slot);
}

void jr_inline_call(Compiler *c, const IrStmt *call) {
    const IrFunc *callee = call->u.callee;
    uint32_t *params = JR_NEW_ARRAY(c->arena, uint32_t, callee->nparams + 1);
    for (uint32_t n = 0; n < callee->nparams; n++)
        params[n] = jr_read_slot(c, call->args[n]);
    const uint32_t result = call->ndsts ? jr_write_slot(c, call->dsts[0]) : NO_SLOT;
    const Outer outer = leave_for(c, callee, result);
    jr_plan_inlined(c, params);
    jr_emit_block(c, &callee->body);
    jr_chain_here(c, c->returns);
    c->barrier = c->code.len;
    give_back_variables(c);
    come_back(c, &outer);
}

void jr_inline_return(Compiler *c, const IrStmt *stmt) {
    if (stmt->nargs && c->result != NO_SLOT) jr_emit_value(c, c->result, stmt->args[0]);
    if (stmt == c->func->body.last) return;
    const uint32_t at = c->code.len;
    jr_emit(c, BC_JUMP, NO_CHAIN, 0, 0, 0);
    jr_chain_add(c, &c->returns, at);
}

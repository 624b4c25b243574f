/* Calls, returns and errors. Arguments are written where the callee's frame will be; most were
 * computed there in the first place (plan.c). */
#include "backend/interp/compile.h"

#include <string.h>

static void emit_arguments(Compiler *c, const IrStmt *stmt) {
    uint32_t offset = 0;
    for (uint32_t n = 0; n < stmt->nargs; n++) {
        const IrReg arg = stmt->args[n];
        const uint32_t slots = jr_plan_slots(ir_reg_type(c->func, arg)),
                       to = WINDOW_SLOT | offset;
        if (slots == 1)
            jr_emit_value(c, to, arg);
        else
            jr_emit(c, BC_HEADER, to, jr_read_slot(c, arg), slots, 0);
        offset += slots * (uint32_t)sizeof(Slot);
    }
}

static bool returns_many(const IrFunc *func) {
    return func->nrets > 1 || (func->nrets == 1 && func->rets[0].ndim);
}

void jr_emit_call(Compiler *c, const IrStmt *stmt) {
    if (jr_inlines(c, stmt)) {
        jr_inline_call(c, stmt);
        return;
    }
    const IrFunc *callee = stmt->u.callee;
    if (callee->host) {
        jr_emit_host(c, stmt);
        return;
    }
    const uint32_t number = (uint32_t)(uintptr_t)jr_table_get(&c->numbers, callee->name) - 1;
    emit_arguments(c, stmt);
    jr_bury(c);
    if (!returns_many(callee)) {
        const uint32_t dst = stmt->ndsts ? jr_write_slot(c, stmt->dsts[0]) : 0;
        jr_emit(c, BC_CALL, dst, 0, number, 0);
        return;
    }
    uint32_t index;
    jr_record_new(c, &index);
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        jr_operand_reg(c, stmt->dsts[n], true);
    c->records.data[index].ndsts = stmt->ndsts;
    jr_emit(c, BC_CALL_MANY, index, 0, number, 0);
}

static void return_many(Compiler *c, const IrStmt *stmt) {
    uint32_t index;
    jr_record_new(c, &index);
    for (uint32_t n = 0; n < stmt->nargs; n++)
        jr_operand_reg(c, stmt->args[n], false);
    Record *record = &c->records.data[index];
    record->nargs = stmt->nargs;
    record->func = c->number;
    jr_emit(c, BC_RETURN_MANY, index, 0, 0, 0);
}

void jr_emit_return(Compiler *c, const IrStmt *stmt) {
    if (c->depth_inlined) {
        jr_inline_return(c, stmt);
        return;
    }
    if (returns_many(c->func)) {
        return_many(c, stmt);
        return;
    }
    if (c->funcs.data[c->number].nowned) jr_emit(c, BC_LEAVE, 0, 0, 0, 0);
    int64_t bits;
    if (!stmt->nargs)
        jr_emit(c, BC_RETURN, 0, 0, 0, 0);
    else if (jr_const_bits(c, stmt->args[0], &bits))
        jr_emit_k(c, BC_RETURN_CONST, 0, 0, bits);
    else
        jr_emit(c, BC_RETURN_ONE, jr_read_slot(c, stmt->args[0]), 0, 0, 0);
}

static void add_string(Compiler *c, IrReg reg) {
    const IrRegInfo *info = ir_reg(c->func, jr_plan_resolve(c, reg));
    const uint32_t at = jr_string_add(c, info->value.str.bytes, info->value.str.len);
    jr_operand_add(c, 's', info->type, at, false);
    c->operands.data[c->operands.len - 1].bits = info->value.str.len;
}

static void add_rt_operand(Compiler *c, char letter, IrReg reg, bool write) {
    if (letter == 's') {
        add_string(c, reg);
        return;
    }
    jr_operand_reg(c, reg, write);
    c->operands.data[c->operands.len - 1].kind = letter;
}

void jr_emit_runtime(Compiler *c, const IrStmt *stmt) {
    const IrRtCall call = stmt->u.rt;
    const char *params = ir_rt_params(call), *results = ir_rt_results(call);
    uint32_t index;
    jr_record_new(c, &index);
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        add_rt_operand(c, results[n], stmt->dsts[n], true);
    for (uint32_t n = 0; n < stmt->nargs; n++)
        add_rt_operand(c, params[n], stmt->args[n], false);
    Record *record = &c->records.data[index];
    record->ndsts = stmt->ndsts;
    record->nargs = stmt->nargs;
    record->address =
        jr_resolve_symbol(c, jr_arena_printf(c->arena, "jr_rt_%s", ir_rt_name(call)));
    jr_emit(c, BC_RT, index, 0, 0, 0);
}

/* The operands are laid out as letters say, behind the letters themselves. */
void jr_emit_parallel(Compiler *c, const IrStmt *stmt) {
    const char *letters = ir_parallel_letters(c->func, stmt, c->arena);
    const uint32_t at = jr_string_add(c, letters, strlen(letters));
    const uint32_t number =
        (uint32_t)(uintptr_t)jr_table_get(&c->numbers, stmt->u.callee->name) - 1;
    uint32_t index;
    jr_record_new(c, &index);
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        add_rt_operand(c, 'i', stmt->dsts[n], true);
    jr_operand_add(c, 's', ir_scalar(TY_STR), at, false);
    c->operands.data[c->operands.len - 1].bits = (uint32_t)strlen(letters);
    for (uint32_t n = 0; n < stmt->nargs; n++)
        add_rt_operand(c, letters[n], stmt->args[n], false);
    Record *record = &c->records.data[index];
    record->ndsts = stmt->ndsts;
    record->nargs = 1 + stmt->nargs;
    record->func = number;
    record->address = jr_resolve_symbol(c, "jr_rt_parallel_body");
    c->funcs.data[number].entered = true;
    jr_emit(c, BC_PARALLEL, index, 0, 0, 0);
}

void jr_emit_raise(Compiler *c, const IrStmt *stmt) {
    uint32_t index;
    jr_record_new(c, &index);
    add_string(c, stmt->args[0]);
    c->records.data[index].imm = (uint8_t)stmt->u.exc;
    jr_emit(c, BC_RAISE, index, 0, 0, 0);
}

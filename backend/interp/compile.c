/* The compiler's frame: tables made from bytecode.def, slots, instructions, jumps, functions.
 */
#include "backend/interp/compile.h"

#include <string.h>

/* ---- Tables ---- */

#define JB_VALUE(ID, text, operands, member, expr) {text, operands},
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) {text, operands},
#define JB_JUMP(ID, text, operands, target, condition) {text, operands},
#define JB_LOAD(ID, text, operands, check, ctype, member, index) {text, operands},
#define JB_STORE(ID, text, operands, check, ctype, value, index) {text, operands},
#define JB_SPECIAL(ID, text, operands) {text, operands},
#define JB_PICK(op, type, ID)
static const struct {
    const char *name, *operands;
} ROWS[BC_FUSED] = {
#include "backend/interp/bytecode.def"
};
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#undef JB_PICK

const char *jr_bc_name(BcOp op) {
    return ROWS[op].name;
}

const char *jr_bc_operands(BcOp op) {
    return ROWS[op].operands;
}

#define JB_VALUE(ID, text, operands, member, expr)
#define JB_GUARD(ID, text, operands, trap, bad, member, expr)
#define JB_JUMP(ID, text, operands, target, condition)
#define JB_LOAD(ID, text, operands, check, ctype, member, index)
#define JB_STORE(ID, text, operands, check, ctype, value, index)
#define JB_SPECIAL(ID, text, operands)
#define JB_PICK(op, type, ID) \
    case OP_##op *TY_COUNT + TY_##type: return BC_##ID;

BcOp jr_bc_pick(IrOp op, IrScalar scalar) {
    switch ((unsigned)op * TY_COUNT + scalar) {
#include "backend/interp/bytecode.def"
    default: return BC_COUNT;
    }
}
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#undef JB_PICK

/* ---- What may go wrong ---- */

void jr_fail(Compiler *c, const char *symbol) {
    if (!c->why)
        c->why = jr_arena_printf(
            c->arena, "the runtime has no function '%s' for the interpreter", symbol);
}

void *jr_resolve_symbol(Compiler *c, const char *name) {
    void *address = jr_symbol_find(&c->options->symbols, name);
    if (!address) jr_fail(c, name);
    return address;
}

/* ---- Slots ---- */

uint32_t jr_take_slots(Compiler *c, uint32_t ndim) {
    if (c->free_slots[ndim].len) return c->free_slots[ndim].data[--c->free_slots[ndim].len];
    const uint32_t slot = c->frame;
    c->frame += (ndim ? 2 + 2 * ndim : 1) * (uint32_t)sizeof(Slot);
    return slot;
}

void jr_give_slots(Compiler *c, uint32_t ndim, uint32_t slot) {
    JR_PUSH(c->arena, &c->free_slots[ndim], slot);
}

/* A constant as its slot holds it: integers extended by their own sign. */
static uint64_t const_bits(const IrRegInfo *info) {
    Slot slot = {.u = 0};
    switch (ir_scalar_class(info->type.scalar)) {
    case 'F':
        if (info->type.scalar == TY_FLOAT32)
            slot.f = info->value.f;
        else
            slot.d = info->value.d;
        return slot.u;
    case 'B': return info->value.i != 0;
    default: return info->value.u;
    }
}

static uint32_t const_slot(Compiler *c, IrReg reg) {
    RegPlan *plan = &c->plans[reg];
    if (plan->slot == NO_SLOT) {
        const uint32_t n = c->constants.len - c->first_const;
        plan->slot = CONST_SLOT | (n * (uint32_t)sizeof(Slot));
        JR_PUSH(c->arena, &c->constants, const_bits(ir_reg(c->func, reg)));
    }
    return plan->slot;
}

uint32_t jr_read_slot(Compiler *c, IrReg reg) {
    reg = jr_plan_resolve(c, reg);
    if (ir_reg(c->func, reg)->kind == REG_CONST) return const_slot(c, reg);
    if (c->plans[reg].old_meant) return c->plans[reg].old;
    return jr_write_slot(c, reg);
}

uint32_t jr_write_slot(Compiler *c, IrReg reg) {
    reg = jr_plan_resolve(c, reg);
    RegPlan *plan = &c->plans[reg];
    if (plan->slot == NO_SLOT) {
        plan->slot = jr_take_slots(c, ir_reg_type(c->func, reg).ndim);
        plan->owns_slot = true;
    }
    return plan->slot;
}

bool jr_is_once(const Compiler *c, IrReg reg) {
    reg = jr_plan_resolve(c, reg);
    const IrRegInfo *info = ir_reg(c->func, reg);
    const RegPlan *plan = &c->plans[reg];
    if (plan->uses != 1 || plan->writes != 1 || info->type.ndim) return false;
    return info->kind == REG_VAR ? !plan->spread
                                 : info->kind == REG_TEMP && !plan->loop && plan->owns_slot;
}

bool jr_is_brief(const Compiler *c, IrReg reg) {
    reg = jr_plan_resolve(c, reg);
    const RegPlan *plan = &c->plans[reg];
    return ir_reg(c->func, reg)->kind == REG_TEMP && plan->writes == 1 && !plan->loop &&
           plan->owns_slot;
}

bool jr_const_value(const Compiler *c, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(c->func, jr_plan_resolve(c, reg));
    if (info->kind != REG_CONST || !ir_scalar_is_int(info->type.scalar)) return false;
    *value = info->value.i;
    return true;
}

bool jr_const_bits(const Compiler *c, IrReg reg, int64_t *bits) {
    const IrRegInfo *info = ir_reg(c->func, jr_plan_resolve(c, reg));
    if (info->kind != REG_CONST) return false;
    *bits = (int64_t)const_bits(info);
    return true;
}

/* ---- Instructions ---- */

static Instr *emit(Compiler *c, Instr instr) {
    JR_PUSH(c->arena, &c->code, instr);
    JR_PUSH(c->arena, &c->places, (Place){.where = c->where});
    return &c->code.data[c->code.len - 1];
}

Instr *jr_emit(Compiler *c, BcOp op, uint32_t a, uint32_t b, uint32_t x, uint32_t y) {
    Instr instr = {.op = op, .a = a, .b = b};
    instr.c = x;
    instr.d = y;
    return emit(c, instr);
}

Instr *jr_emit_k(Compiler *c, BcOp op, uint32_t a, uint32_t b, int64_t k) {
    Instr instr = {.op = op, .a = a, .b = b};
    instr.k = k;
    return emit(c, instr);
}

void jr_emit_copy(Compiler *c, uint32_t dst, uint32_t src) {
    if (dst != src) jr_emit(c, BC_COPY, dst, src, 0, 0);
}

void jr_emit_value(Compiler *c, uint32_t dst, IrReg src) {
    int64_t bits;
    if (jr_const_bits(c, src, &bits))
        jr_emit_k(c, BC_CONST, dst, 0, bits);
    else
        jr_emit_copy(c, dst, jr_read_slot(c, src));
}

Record *jr_record_new(Compiler *c, uint32_t *index) {
    *index = c->records.len;
    JR_PUSH(c->arena, &c->records, (Record){.first = c->operands.len});
    return &c->records.data[*index];
}

void jr_operand_add(Compiler *c, char kind, IrType type, uint32_t slot, bool owned) {
    Operand operand = {.slot = slot, .kind = kind, .ndim = type.ndim, .owned = owned};
    operand.bits = ir_type_bits(type);
    JR_PUSH(c->arena, &c->operands, operand);
}

void jr_operand_reg(Compiler *c, IrReg reg, bool write) {
    const IrRegInfo *info = ir_reg(c->func, reg);
    const uint32_t slot = write ? jr_write_slot(c, reg) : jr_read_slot(c, reg);
    jr_operand_add(c, info->type.ndim ? 'a' : 'r', info->type, slot, info->owned);
}

uint32_t jr_string_add(Compiler *c, const char *bytes, size_t len) {
    const uint32_t at = (uint32_t)c->strings.len;
    jr_text_add(&c->strings, bytes, len);
    jr_text_add(&c->strings, "", 1);
    return at;
}

/* ---- Jumps ---- */

/* While a target is unknown the field holds the previous branch of the chain; then the
 * target's index, until settle() makes it relative. */
uint32_t *jr_jump_field(Instr *instr) {
    uint32_t *fields[] = {&instr->a, &instr->b, &instr->c, &instr->d};
    const char *operands = jr_bc_operands((BcOp)instr->op);
    const char *j = strchr(operands, 'j');
    return j ? fields[j - operands] : NULL;
}

void jr_jump_to(Compiler *c, uint32_t at, uint32_t target) {
    *jr_jump_field(&c->code.data[at]) = target;
}

void jr_chain_add(Compiler *c, uint32_t *chain, uint32_t at) {
    jr_jump_to(c, at, *chain);
    *chain = at;
}

void jr_chain_here(Compiler *c, uint32_t chain) {
    if (chain == NO_CHAIN) return;
    while (chain != NO_CHAIN) {
        uint32_t *field = jr_jump_field(&c->code.data[chain]);
        chain = *field;
        *field = c->code.len;
    }
    c->barrier = c->code.len;
}

void jr_chain_join(Compiler *c, uint32_t *chain, uint32_t more) {
    while (more != NO_CHAIN) {
        const uint32_t at = more;
        more = *jr_jump_field(&c->code.data[at]);
        jr_chain_add(c, chain, at);
    }
}

/* ---- Statements ---- */

static void bury_dead(Compiler *c, uint32_t position) {
    for (uint32_t n = c->dying[position]; n;) {
        RegPlan *plan = &c->plans[n - 1];
        if (plan->owns_slot) {
            jr_give_slots(c, ir_reg_type(c->func, n - 1).ndim, plan->slot);
            plan->owns_slot = false;
        }
        n = plan->next;
    }
}

static void set_where(Compiler *c, JrSpan span) {
    const JrWhere *last = c->wheres.len ? &c->wheres.data[c->wheres.len - 1] : NULL;
    if (last && last->line == span.line && last->col == span.col &&
        last->func == c->func->display && c->callers.data[c->callers.len - 1] == c->caller) {
        c->where = c->wheres.len - 1;
        return;
    }
    c->where = c->wheres.len;
    JrWhere where = {.func = c->func->display, .line = span.line, .col = span.col};
    JR_PUSH(c->arena, &c->wheres, where);
    JR_PUSH(c->arena, &c->callers, c->caller);
}

/* Emitters take the slots of operands first and of results last; scalar ones bury in between
 * (jr_emit_scalar), so that a result may replace an operand. */
static void emit_leaf(Compiler *c, const IrStmt *stmt) {
    switch (ir_op_form((IrOp)stmt->op)) {
    case FORM_LOAD:
    case FORM_STORE:
    case FORM_DIM:
    case FORM_APART:
    case FORM_ALLOC:
    case FORM_VIEW:
    case FORM_COPYA:
    case FORM_SHAPED: jr_emit_array(c, stmt); break;
    case FORM_CALL: jr_emit_call(c, stmt); break;
    case FORM_RT: jr_emit_runtime(c, stmt); break;
    case FORM_PARALLEL: jr_emit_parallel(c, stmt); break;
    case FORM_RAISE: jr_emit_raise(c, stmt); break;
    case FORM_RETURN: jr_emit_return(c, stmt); break;
    default: jr_emit_scalar(c, stmt); break;
    }
}

static bool writes_first(const Instr *instr) {
    return jr_bc_operands((BcOp)instr->op)[0] == 'w';
}

/* A variable whose next value is computed early, while its old one is still read (plan.c). */
static void before_advance(Compiler *c, const IrStmt *stmt) {
    if (stmt->ndsts != 1 || !c->plans[stmt->dsts[0]].saves) return;
    const IrReg var = c->plans[stmt->dsts[0]].saves - 1;
    c->plans[var].old = jr_take_slots(c, 0);
    jr_emit_copy(c, c->plans[var].old, jr_write_slot(c, var));
}

static void after_advance(Compiler *c, const IrStmt *stmt) {
    if (stmt->ndsts != 1) return;
    RegPlan *plan = &c->plans[stmt->dsts[0]];
    if (plan->after) c->plans[plan->after - 1].old_meant = true;
    if (stmt->op != OP_COPY || !plan->old_meant) return;
    plan->old_meant = false;
    jr_give_slots(c, 0, plan->old);
}

/* What the block computes before all else (plan_reuse.c). */
static void emit_early(Compiler *c, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->ndsts != 1 || !c->plans[stmt->dsts[0]].early) continue;
        set_where(c, stmt->span);
        emit_leaf(c, stmt);
        c->places.data[c->code.len - 1].brief = jr_is_brief(c, stmt->dsts[0]);
    }
}

/* Whether nothing is left to do for a statement. */
static bool is_done(const Compiler *c, const IrStmt *stmt) {
    return stmt->ndsts == 1 && (c->plans[stmt->dsts[0]].recast ||
                                c->plans[stmt->dsts[0]].early || c->plans[stmt->dsts[0]].tail);
}

static void emit_stmt(Compiler *c, const IrStmt *stmt) {
    const uint32_t position = c->position, from = c->code.len;
    if (!is_done(c, stmt) && !jr_emit_early(c, stmt) && !jr_is_deferred(c, stmt))
        emit_leaf(c, stmt);
    if (c->code.len > from && stmt->ndsts == 1 &&
        writes_first(&c->code.data[c->code.len - 1])) {
        Place *place = &c->places.data[c->code.len - 1];
        place->once = jr_is_once(c, stmt->dsts[0]);
        place->brief = jr_is_brief(c, stmt->dsts[0]);
    }
    after_advance(c, stmt);
    bury_dead(c, position);
}

void jr_emit_until(Compiler *c, const IrBlock *block, const IrStmt *end) {
    bool begun = false;
    for (const IrStmt *stmt = block->first; stmt != end; stmt = stmt->next) {
        if (!begun && stmt->op != OP_POLL) {
            emit_early(c, block);
            begun = true;
        }
        c->position++;
        set_where(c, stmt->span);
        if (jr_emit_control(c, stmt)) continue;
        before_advance(c, stmt);
        emit_stmt(c, stmt);
    }
}

void jr_emit_block(Compiler *c, const IrBlock *block) {
    jr_emit_until(c, block, NULL);
}

void jr_bury(Compiler *c) {
    bury_dead(c, c->position);
}

/* ---- Functions ---- */

static uint32_t settled(const Compiler *c, uint32_t slot, uint32_t frame_bytes) {
    if (slot == NO_SLOT) return slot;
    if (slot & WINDOW_SLOT) return frame_bytes + (slot & ~WINDOW_SLOT);
    if (slot & CONST_SLOT) return c->frame + (slot & ~CONST_SLOT);
    if (slot & POINTER_SLOT)
        return frame_bytes - (uint32_t)sizeof(Slot) - c->pointer_bytes +
               (slot & ~POINTER_SLOT);
    return slot;
}

/* What loops that are opened refer to. */
static void settle_openings(Compiler *c, uint32_t frame_bytes) {
    for (uint32_t n = c->first_opening; n < c->openings.len; n++) {
        Opening *opening = &c->openings.data[n];
        opening->step = settled(c, opening->step, frame_bytes);
    }
    for (uint32_t n = c->first_pointer; n < c->open_pointers.len; n++) {
        OpenPointer *pointer = &c->open_pointers.data[n];
        pointer->array = settled(c, pointer->array, frame_bytes);
        pointer->to = settled(c, pointer->to, frame_bytes);
        pointer->step = settled(c, pointer->step, frame_bytes);
    }
    for (uint32_t n = c->first_index; n < c->index_sums.len; n++) {
        IndexSum *index = &c->index_sums.data[n];
        index->p = settled(c, index->p, frame_bytes);
        index->q = settled(c, index->q, frame_bytes);
        index->base = settled(c, index->base, frame_bytes);
        index->more = settled(c, index->more, frame_bytes);
    }
}

static void settle_instr(Compiler *c, uint32_t at, uint32_t frame_bytes) {
    Instr *instr = &c->code.data[at];
    uint32_t *fields[] = {&instr->a, &instr->b, &instr->c, &instr->d};
    const char *operands = jr_bc_operands((BcOp)instr->op);
    for (int n = 0; operands[n]; n++) {
        if (strchr("wrHh", operands[n])) *fields[n] = settled(c, *fields[n], frame_bytes);
        if (operands[n] == 'n' && instr->op != BC_ENTER) *fields[n] = frame_bytes;
        if (operands[n] == 'j') *fields[n] = (*fields[n] - at) * (uint32_t)sizeof(Instr);
    }
}

/* The frame's size is known now: put real offsets in the function's instructions. */
static void settle(Compiler *c, Func *func) {
    const uint32_t nconsts = c->constants.len - c->first_const;
    const uint32_t frame_bytes =
        c->frame + (nconsts + 1) * (uint32_t)sizeof(Slot) + c->pointer_bytes;
    func->code_end = c->code.len;
    func->frame_bytes = frame_bytes;
    func->window_bytes = c->window;
    for (uint32_t at = func->code; at < c->code.len; at++)
        settle_instr(c, at, frame_bytes);
    for (uint32_t n = c->first_operand; n < c->operands.len; n++)
        if (c->operands.data[n].kind != 's')
            c->operands.data[n].slot = settled(c, c->operands.data[n].slot, frame_bytes);
    settle_openings(c, frame_bytes);
    Instr *enter = &c->code.data[func->code];
    enter->b = nconsts;
    enter->c = c->first_const;
    if (!nconsts) func->code++;
}

static void list_owned(Compiler *c, Func *func) {
    func->owned = c->operands.len;
    for (IrReg reg = c->func->nparams; reg < c->func->regs.len; reg++) {
        const IrRegInfo *info = ir_reg(c->func, reg);
        if (!info->owned || c->plans[reg].slot == NO_SLOT) continue;
        jr_operand_reg(c, reg, true);
        jr_emit(c, BC_EMPTY, c->plans[reg].slot, 0, 0, 0);
        func->nowned++;
    }
}

static void list_params(Compiler *c, Func *func) {
    func->params = c->operands.len;
    func->nparams = c->func->nparams;
    for (IrReg reg = 0; reg < func->nparams; reg++)
        jr_operand_reg(c, reg, true);
}

static void compile_function(Compiler *c, uint32_t number) {
    Func func = c->funcs.data[number];
    c->func = c->module->funcs.data[number];
    c->number = number;
    c->first_operand = c->operands.len;
    c->first_const = c->constants.len;
    c->first_opening = c->openings.len;
    c->first_pointer = c->open_pointers.len;
    c->first_index = c->index_sums.len;
    c->pointer_bytes = 0;
    c->scope = NULL;
    c->early[0] = c->early[1] = NO_CHAIN;
    c->caller = 0;
    c->result = NO_SLOT;
    jr_plan_function(c);
    set_where(c, c->func->span);
    func.where = c->where;
    func.code = c->code.len;
    c->barrier = func.code;
    list_params(c, &func);
    jr_emit(c, BC_ENTER, CONST_SLOT, 0, 0, 0);
    list_owned(c, &func);
    c->funcs.data[number] = func; /* returns ask whether anything is owned */
    jr_emit_block(c, &c->func->body);
    settle(c, &func);
    func.entered |= c->funcs.data[number].entered;
    c->funcs.data[number] = func;
}

/* ---- Modules ---- */

static void declare_functions(Compiler *c) {
    jr_table_init(&c->numbers, c->arena);
    for (uint32_t n = 0; n < c->module->funcs.len; n++) {
        const IrFunc *func = c->module->funcs.data[n];
        JR_PUSH(c->arena, &c->funcs,
                ((Func){.name = func->name,
                        .display = func->display,

                        .exported = func->exported,
                        .entered = func->exported}));
        jr_table_put(&c->numbers, func->name, (void *)(uintptr_t)(1 + n));
    }
}

/* A frame that calls the function and keeps its results, for jr_interp_enter. */
static void compile_stub(Compiler *c, uint32_t number) {
    Func *func = &c->funcs.data[number];
    c->func = c->module->funcs.data[number];
    c->where = func->where;
    uint32_t frame = 0, record;
    Record *results = jr_record_new(c, &record);
    results->ndsts = func->nrets = c->func->nrets;
    func->rets = c->operands.len;
    for (uint32_t n = 0; n < func->nrets; n++) {
        const IrType type = c->func->rets[n];
        jr_operand_add(c, type.ndim ? 'a' : 'r', type, frame, false);
        frame += jr_plan_slots(type) * (uint32_t)sizeof(Slot);
    }
    const bool many = func->nrets > 1 || (func->nrets && c->func->rets[0].ndim);
    func->stub = c->code.len;
    func->stub_bytes = frame + (uint32_t)sizeof(Slot);
    jr_emit(c, many ? BC_CALL_MANY : BC_CALL, many ? record : 0, func->stub_bytes, number, 0);
    jr_emit(c, BC_EXIT, 0, 0, 0, 0);
}

static bool is_call(const Instr *instr) {
    return instr->op == BC_CALL || instr->op == BC_CALL_MANY;
}

/* Returns hold the size of the frame that they most likely return to: a recursive function's own,
 * or that of some caller. */
static void guess_callers(Compiler *c) {
    uint32_t *usual = JR_NEW_ARRAY(c->arena, uint32_t, c->funcs.len + 1);
    for (uint32_t n = 0; n < c->funcs.len; n++) {
        for (uint32_t at = c->funcs.data[n].code; at < c->funcs.data[n].code_end; at++) {
            const Instr *instr = &c->code.data[at];
            if (is_call(instr) && (!usual[instr->c] || instr->c == n))
                usual[instr->c] = instr->b;
        }
    }
    for (uint32_t n = 0; n < c->funcs.len; n++) {
        for (uint32_t at = c->funcs.data[n].code; at < c->funcs.data[n].code_end; at++) {
            Instr *instr = &c->code.data[at];
            if (instr->op == BC_RETURN || instr->op == BC_RETURN_ONE ||
                instr->op == BC_RETURN_CONST)
                instr->b = usual[n];
        }
    }
}

/* Calls hold the number of their callee until all frames are known. */
static void settle_calls(Compiler *c) {
    for (uint32_t at = 0; at < c->code.len; at++) {
        Instr *instr = &c->code.data[at];
        if (!is_call(instr)) continue;
        const Func *callee = &c->funcs.data[instr->c];
        instr->c = (callee->code - at) * (uint32_t)sizeof(Instr);
        instr->d = callee->frame_bytes + callee->window_bytes;
    }
}

static void resolve_helpers(Compiler *c) {
#define JB_HELPER(name) \
    c->helpers.name = (__typeof__(c->helpers.name))jr_resolve_symbol(c, "jr_rt_" #name);
    JB_HELPERS(JB_HELPER)
#undef JB_HELPER
}

bool jr_compile_module(Compiler *c, const IrModule *module, const JrEngineOptions *options) {
    *c = (Compiler){.module = module, .options = options, .arena = module->arena};
    jr_text_init(&c->strings, c->arena);
    resolve_helpers(c);
    declare_functions(c);
    jr_inline_judge(c);
    for (uint32_t n = 0; n < c->funcs.len; n++)
        compile_function(c, n);
    c->stubs = c->code.len;
    for (uint32_t n = 0; n < c->funcs.len; n++)
        if (c->funcs.data[n].entered) compile_stub(c, n);
    guess_callers(c);
    settle_calls(c);
    jr_fuse(c);
    return !c->why;
}

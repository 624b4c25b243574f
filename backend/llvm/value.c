/* Registers. What is written once is an LLVM value; what is written many times is an alloca in
 * the entry block, which LLVM's first pass turns back into values. Owned arrays are always in
 * memory, because the exit block releases them wherever the function was left. */
#include "backend/llvm/gen.h"

LLVMValueRef jr_gen_alloca(GenFunc *f, LLVMTypeRef type, const char *name) {
    return LLVMBuildAlloca(f->allocas, type, name);
}

uint32_t jr_gen_nparts(IrType type) {
    if (!type.ndim) return 1;
    return 2 + (type.layout == LAYOUT_ANY ? 2u : 1u) * type.ndim;
}

void jr_gen_part_types(Gen *g, IrType type, LLVMTypeRef *out) {
    if (!type.ndim) {
        out[0] = g->scalar[type.scalar];
        return;
    }
    out[0] = out[1] = g->ptr;
    for (uint32_t i = 2; i < jr_gen_nparts(type); i++)
        out[i] = g->i64;
}

void jr_gen_explode(const GenArray *array, IrType type, LLVMValueRef *parts) {
    *parts++ = array->data;
    *parts++ = array->owner;
    for (unsigned i = 0; i < type.ndim; i++)
        *parts++ = array->dims[i];
    for (unsigned i = 0; type.layout == LAYOUT_ANY && i < type.ndim; i++)
        *parts++ = array->strides[i];
}

void jr_gen_implode(GenArray *array, IrType type, const LLVMValueRef *parts) {
    array->data = *parts++;
    array->owner = *parts++;
    for (unsigned i = 0; i < type.ndim; i++)
        array->dims[i] = *parts++;
    for (unsigned i = 0; type.layout == LAYOUT_ANY && i < type.ndim; i++)
        array->strides[i] = *parts++;
}

enum { MAX_PARTS = 2 + 2 * IR_MAX_DIMS };

/* A zeroed alloca. */
static LLVMValueRef new_slot(GenFunc *f, LLVMTypeRef type, const char *name) {
    LLVMValueRef slot = jr_gen_alloca(f, type, name ? name : "");
    LLVMBuildStore(f->allocas, LLVMConstNull(type), slot);
    return slot;
}

static void array_slots(GenFunc *f, GenReg *reg, const IrRegInfo *info) {
    LLVMTypeRef types[MAX_PARTS];
    LLVMValueRef slots[MAX_PARTS];
    jr_gen_part_types(f->g, info->type, types);
    for (uint32_t i = 0; i < jr_gen_nparts(info->type); i++)
        slots[i] = new_slot(f, types[i], info->name);
    jr_gen_implode(reg->array, info->type, slots);
}

static void prepare(GenFunc *f, GenReg *reg, const IrRegInfo *info) {
    bool is_var = info->kind == REG_VAR;
    if (info->type.ndim) {
        reg->array = JR_NEW(f->g->arena, GenArray);
        reg->in_memory = is_var || info->owned;
        if (reg->in_memory) array_slots(f, reg, info);
    } else if (info->kind == REG_CONST) {
        reg->value = jr_gen_const(f->g, (IrScalar)info->type.scalar, info->value);
    } else if (is_var) {
        reg->in_memory = true;
        reg->value = new_slot(f, f->g->scalar[info->type.scalar], info->name);
    }
}

enum { MANY_OWNED = 12 };

/* The exit block reads every owner, and is reached from wherever there may be an error: as values,
 * n owners would be n values that meet there from n places. A volatile store keeps them in memory.
 */
static bool has_many_owned(const IrFunc *ir) {
    uint32_t n = 0;
    for (uint32_t i = ir->nparams; i < ir->regs.len; i++)
        n += ir->regs.data[i].type.ndim && ir->regs.data[i].owned;
    return n > MANY_OWNED;
}

/* Everything but the parameters' values, which module.c sets. */
void jr_gen_regs(GenFunc *f) {
    f->many_owned = has_many_owned(f->ir);
    f->regs = JR_NEW_ARRAY(f->g->arena, GenReg, f->ir->regs.len);
    for (uint32_t i = 0; i < f->ir->regs.len; i++)
        prepare(f, &f->regs[i], &f->ir->regs.data[i]);
}

LLVMValueRef jr_gen_value(GenFunc *f, IrReg reg) {
    const GenReg *r = &f->regs[reg];
    if (!r->in_memory) return r->value;
    return LLVMBuildLoad2(f->g->b, f->g->scalar[ir_reg_type(f->ir, reg).scalar], r->value, "");
}

void jr_gen_set(GenFunc *f, IrReg reg, LLVMValueRef value) {
    GenReg *r = &f->regs[reg];
    if (r->in_memory)
        LLVMBuildStore(f->g->b, value, r->value);
    else
        r->value = value;
}

GenArray jr_gen_array(GenFunc *f, IrReg reg) {
    const GenReg *r = &f->regs[reg];
    if (!r->in_memory) return *r->array;
    IrType type = ir_reg_type(f->ir, reg);
    LLVMTypeRef types[MAX_PARTS];
    LLVMValueRef parts[MAX_PARTS];
    jr_gen_part_types(f->g, type, types);
    jr_gen_explode(r->array, type, parts);
    for (uint32_t i = 0; i < jr_gen_nparts(type); i++)
        parts[i] = LLVMBuildLoad2(f->g->b, types[i], parts[i], "");
    GenArray array = {0};
    jr_gen_implode(&array, type, parts);
    return array;
}

void jr_gen_set_array(GenFunc *f, IrReg reg, const GenArray *array) {
    const GenReg *r = &f->regs[reg];
    if (!r->in_memory) {
        *r->array = *array;
        return;
    }
    IrType type = ir_reg_type(f->ir, reg);
    LLVMValueRef parts[MAX_PARTS], slots[MAX_PARTS];
    jr_gen_explode(array, type, parts);
    jr_gen_explode(r->array, type, slots);
    for (uint32_t i = 0; i < jr_gen_nparts(type); i++) {
        LLVMValueRef store = LLVMBuildStore(f->g->b, parts[i], slots[i]);
        bool owner = slots[i] == r->array->owner;
        if (owner && f->many_owned && ir_reg(f->ir, reg)->owned) LLVMSetVolatile(store, 1);
    }
}

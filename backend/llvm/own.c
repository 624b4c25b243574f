/* Allocation and counted references. The owner of an owned register lives in memory from the
 * function's entry to its exit; NULL, which most borrowed arrays have, costs one test. */
#include "backend/llvm/gen.h"

static void call_if_set(GenFunc *f, const char *helper, LLVMValueRef owner) {
    Gen *g = f->g;
    LLVMBasicBlockRef call = jr_gen_label(f, "counted"), next = jr_gen_label(f, "");
    LLVMBuildCondBr(g->b, LLVMBuildIsNotNull(g->b, owner, ""), call, next);
    LLVMPositionBuilderAtEnd(g->b, call);
    jr_gen_helper(g, helper, 1, &owner);
    LLVMBuildBr(g->b, next);
    LLVMPositionBuilderAtEnd(g->b, next);
}

void jr_gen_retain(GenFunc *f, LLVMValueRef owner) {
    call_if_set(f, "jr_rt_retain", owner);
}

void jr_gen_release(GenFunc *f, LLVMValueRef owner) {
    call_if_set(f, "jr_rt_release", owner);
}

void jr_gen_take(GenFunc *f, IrReg reg, const GenArray *array) {
    LLVMValueRef old = NULL;
    if (f->regs[reg].in_memory)
        old = LLVMBuildLoad2(f->g->b, f->g->ptr, f->regs[reg].array->owner, "old");
    jr_gen_set_array(f, reg, array);
    if (old && ir_reg(f->ir, reg)->owned) jr_gen_release(f, old);
}

void jr_gen_assign(GenFunc *f, const IrStmt *s) {
    GenArray array = jr_gen_array_as(f, s->args[0], ir_reg_type(f->ir, s->dsts[0]));
    jr_gen_retain(f, array.owner);
    jr_gen_take(f, s->dsts[0], &array);
}

void jr_gen_alloc(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    IrType type = ir_reg_type(f->ir, s->dsts[0]), dense = type;
    dense.layout = LAYOUT_C;
    GenArray array = {.data = LLVMConstNull(g->ptr), .owner = LLVMConstNull(g->ptr)};
    for (uint32_t i = 0; i < s->nargs; i++)
        array.dims[i] = jr_gen_value(f, s->args[i]);
    LLVMValueRef header = jr_gen_header(f, 0);
    jr_gen_header_store(f, header, dense, &array);
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, s->span),
                           jr_gen_int32(g, (int32_t)ir_type_bits(type)), header,
                           jr_gen_int32(g, s->u.imm)};
    jr_gen_check_status(f, jr_gen_helper(g, "jr_rt_array_new", 5, args), NULL);
    GenArray made = array;
    jr_gen_header_load(g, header, dense, &made);
    array.data = made.data;
    array.owner = made.owner;
    for (unsigned i = 0; i < type.ndim; i++)
        array.strides[i] = jr_gen_stride(f, dense, &array, i);
    jr_gen_take(f, s->dsts[0], &array);
}

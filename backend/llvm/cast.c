/* Conversions between scalars. */
#include "backend/llvm/gen.h"

static LLVMValueRef to_bool(GenFunc *f, IrScalar from, LLVMValueRef a) {
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(a));
    if (!ir_scalar_is_float(from)) return LLVMBuildICmp(f->g->b, LLVMIntNE, a, zero, "");
    return LLVMBuildFCmp(f->g->b, LLVMRealUNE, a, zero, "");
}

static LLVMValueRef float_to_int(GenFunc *f, IrScalar to, LLVMValueRef a) {
    LLVMTypeRef types[] = {f->g->scalar[to], LLVMTypeOf(a)};
    const char *name = ir_scalar_is_signed(to) ? "llvm.fptosi.sat" : "llvm.fptoui.sat";
    return jr_gen_intrinsic(f->g, name, 2, types, 1, &a);
}

static LLVMValueRef to_float(GenFunc *f, IrScalar from, IrScalar to, LLVMValueRef a) {
    LLVMTypeRef type = f->g->scalar[to];
    if (ir_scalar_is_float(from)) return LLVMBuildFPCast(f->g->b, a, type, "");
    if (ir_scalar_is_signed(from)) return LLVMBuildSIToFP(f->g->b, a, type, "");
    return LLVMBuildUIToFP(f->g->b, a, type, "");
}

static LLVMValueRef cast(GenFunc *f, IrScalar from, IrScalar to, LLVMValueRef a) {
    if (from == to) return a;
    if (to == TY_BOOL) return to_bool(f, from, a);
    if (ir_scalar_is_float(to)) return to_float(f, from, to, a);
    if (ir_scalar_is_float(from)) return float_to_int(f, to, a);
    return LLVMBuildIntCast2(f->g->b, a, f->g->scalar[to], ir_scalar_is_signed(from), "");
}

void jr_gen_cast(GenFunc *f, const IrStmt *s) {
    IrScalar from = (IrScalar)ir_reg_type(f->ir, s->args[0]).scalar;
    IrScalar to = (IrScalar)ir_reg_type(f->ir, s->dsts[0]).scalar;
    jr_gen_set(f, s->dsts[0], cast(f, from, to, jr_gen_value(f, s->args[0])));
}

/* The bits of a bool are those of its byte. */
void jr_gen_bits(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    IrScalar from = (IrScalar)ir_reg_type(f->ir, s->args[0]).scalar;
    IrScalar to = (IrScalar)ir_reg_type(f->ir, s->dsts[0]).scalar;
    LLVMValueRef a = jr_gen_value(f, s->args[0]);
    if (from == TY_BOOL) a = LLVMBuildZExt(g->b, a, g->i8, "");
    a = LLVMBuildBitCast(g->b, a, g->memory[to], "");
    if (to == TY_BOOL) a = to_bool(f, TY_UINT8, a);
    jr_gen_set(f, s->dsts[0], a);
}

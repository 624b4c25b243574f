/* Conversions between scalars. */
#include "backend/llvm/gen.h"

#include <math.h>

static LLVMValueRef to_bool(GenFunc *f, IrScalar from, LLVMValueRef a) {
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(a));
    if (!ir_scalar_is_float(from)) return LLVMBuildICmp(f->g->b, LLVMIntNE, a, zero, "");
    return LLVMBuildFCmp(f->g->b, LLVMRealUNE, a, zero, "");
}

/* In how many bits the float type tells all integers apart. */
static unsigned exact_bits(IrScalar from) {
    return from == TY_FLOAT32 ? 24 : 53;
}

/* As the intrinsics have it: what is beyond the ends is the end, and a NaN is 0. LLVM takes vectors apart for
 * them where the greatest integer is no float. The least one is. */
static LLVMValueRef clamped_to_int(Gen *g, IrScalar to, unsigned bits, LLVMValueRef a) {
    LLVMTypeRef type = g->scalar[to], real = LLVMTypeOf(a);
    bool is_signed = ir_scalar_is_signed(to);
    double end = ldexp(1.0, (int)bits - is_signed);
    LLVMValueRef least = LLVMConstReal(real, is_signed ? -end : 0.0);
    LLVMValueRef over = LLVMBuildFCmp(g->b, LLVMRealOGE, a, LLVMConstReal(real, end), "");
    LLVMValueRef above = LLVMBuildFCmp(g->b, LLVMRealOGT, a, least, "");
    LLVMValueRef inside = LLVMBuildSelect(g->b, above, a, least, ""); /* a NaN is least, too */
    if (!is_signed)
        return LLVMBuildSelect(g->b, over, LLVMConstAllOnes(type),
                               LLVMBuildFPToUI(g->b, inside, type, ""), "");
    LLVMValueRef most = LLVMConstInt(type, UINT64_MAX >> (65 - bits), 0);
    LLVMValueRef value =
        LLVMBuildSelect(g->b, over, most, LLVMBuildFPToSI(g->b, inside, type, ""), "");
    LLVMValueRef none = LLVMBuildFCmp(g->b, LLVMRealUNO, a, a, "");
    return LLVMBuildSelect(g->b, none, LLVMConstNull(type), value, "");
}

static LLVMValueRef float_to_int(GenFunc *f, IrScalar from, IrScalar to, LLVMValueRef a) {
    LLVMTypeRef types[] = {f->g->scalar[to], LLVMTypeOf(a)};
    unsigned bits = LLVMGetIntTypeWidth(types[0]);
    if (f->loop && f->loop->clear && bits - ir_scalar_is_signed(to) > exact_bits(from))
        return clamped_to_int(f->g, to, bits, a);
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
    if (ir_scalar_is_float(from)) return float_to_int(f, from, to, a);
    f->g->needs.narrows |= f->loop && ir_scalar_size(to) < ir_scalar_size(from);
    return LLVMBuildIntCast2(f->g->b, a, f->g->scalar[to], ir_scalar_is_signed(from), "");
}

void jr_gen_cast(GenFunc *f, const IrStmt *s) {
    IrScalar from = (IrScalar)ir_reg_type(f->ir, s->args[0]).scalar;
    IrScalar to = (IrScalar)ir_reg_type(f->ir, s->dsts[0]).scalar;
    LLVMValueRef a = jr_gen_value(f, s->args[0]);
    const GenProof *proof = jr_gen_proof(f, s);
    bool exact = proof && proof->exact;
    jr_gen_set(f, s->dsts[0],
               exact ? LLVMBuildFPToSI(f->g->b, a, f->g->scalar[to], "")
                     : cast(f, from, to, a));
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

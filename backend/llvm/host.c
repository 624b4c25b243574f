/* Calls of the program's own functions: straight to their address, with the C signature that
 * JrHostEntry says. Narrow integers are widened by the caller, as C's ABIs have it; what comes back in
 * the upper bits of one is not trusted. */
#include "backend/llvm/gen.h"

typedef struct HostCall {
    GenFunc *f;
    LLVMTypeRef *types;
    LLVMValueRef *args;
    uint32_t n;
} HostCall;

static void push(HostCall *c, LLVMValueRef value) {
    c->types[c->n] = LLVMTypeOf(value);
    c->args[c->n++] = value;
}

static void push_array(HostCall *c, IrReg reg, IrType type) {
    GenArray array = jr_gen_array_as(c->f, reg, type);
    push(c, array.data);
    for (unsigned i = 0; i < type.ndim; i++)
        push(c, array.dims[i]);
    for (unsigned i = 0; i < type.ndim && type.layout == LAYOUT_ANY; i++)
        push(c, array.strides[i]);
}

static void push_user(HostCall *c, const JrHostEntry *host) {
    Gen *g = c->f->g;
    LLVMValueRef address = jr_gen_int(g, (int64_t)(intptr_t)host->user);
    push(c, LLVMConstIntToPtr(address, g->ptr));
}

static void push_args(HostCall *c, const IrStmt *s, const JrHostEntry *host) {
    const IrFunc *callee = s->u.callee;
    Gen *g = c->f->g;
    uint32_t at = 0; /* C arguments, in IrFunc.user_at's count */
    for (uint32_t i = 0; i < s->nargs; i++) {
        IrType type = ir_reg_type(callee, i);
        if (callee->user_at == ++at) push_user(c, host), at++;
        if (type.ndim)
            push_array(c, s->args[i], type);
        else if (type.scalar == TY_BOOL)
            push(c, LLVMBuildZExt(g->b, jr_gen_value(c->f, s->args[i]), g->i8, ""));
        else
            push(c, jr_gen_value(c->f, s->args[i]));
    }
    if (callee->user_at > at) push_user(c, host);
}

/* How the ABI widens what is narrower than a register, argument by argument. */
static void widen(Gen *g, LLVMValueRef call, const IrFunc *callee) {
    uint32_t at = 1, position = 0;
    for (uint32_t i = 0; i < callee->nparams; i++) {
        IrType type = ir_reg_type(callee, i);
        if (callee->user_at == ++position) at++, position++;
        if (!type.ndim && ir_scalar_size((IrScalar)type.scalar) < 4) {
            const char *how =
                ir_scalar_is_signed((IrScalar)type.scalar) ? "signext" : "zeroext";
            unsigned kind = LLVMGetEnumAttributeKindForName(how, 7);
            LLVMAddCallSiteAttribute(call, at, LLVMCreateEnumAttribute(g->ctx, kind, 0));
        }
        at += !type.ndim ? 1 : 1u + type.ndim * (type.layout == LAYOUT_ANY ? 2 : 1);
    }
}

/* rt->status: the host function changed it behind LLVM's back. */
static LLVMValueRef load_status(GenFunc *f) {
    Gen *g = f->g;
    LLVMValueRef offset = jr_gen_int(g, offsetof(JrRt, status));
    LLVMValueRef at = LLVMBuildInBoundsGEP2(g->b, g->i8, f->rt, &offset, 1, "");
    LLVMValueRef status = LLVMBuildLoad2(g->b, g->i32, at, "status");
    LLVMSetVolatile(status, 1);
    return status;
}

/* Memory for each result but the one that is returned. */
static void push_scalars(HostCall *c, const IrFunc *callee, LLVMValueRef *outs) {
    Gen *g = c->f->g;
    for (uint32_t i = 0; i < callee->nrets && !ir_returns_scalar(callee); i++) {
        LLVMTypeRef type = g->memory[callee->rets[i].scalar];
        outs[i] = jr_gen_alloca(c->f, type, "out");
        LLVMBuildStore(g->b, LLVMConstNull(type), outs[i]);
        push(c, outs[i]);
    }
}

/* With arrays among them: JrHostOuts, one behind the other. */
static void push_outs(HostCall *c, const IrFunc *callee, LLVMValueRef *outs) {
    Gen *g = c->f->g;
    uint32_t words = callee->nrets * (uint32_t)JR_HOST_OUT_WORDS;
    LLVMValueRef block = jr_gen_alloca(c->f, LLVMArrayType2(g->i64, words), "outs");
    LLVMBuildMemSet(g->b, block, LLVMConstInt(g->i8, 0, 0), jr_gen_int(g, words * 8), 8);
    for (uint32_t i = 0; i < callee->nrets; i++) {
        LLVMValueRef at = jr_gen_int(g, i * (uint32_t)JR_HOST_OUT_WORDS);
        outs[i] = LLVMBuildInBoundsGEP2(g->b, g->i64, block, &at, 1, "");
        push(c, outs[i]);
    }
}

static void check_results(GenFunc *f, const IrStmt *s, const JrHostEntry *host,
                          LLVMValueRef outs) {
    Gen *g = f->g;
    LLVMValueRef entry = jr_gen_int(g, (int64_t)(intptr_t)host);
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, s->span), LLVMConstIntToPtr(entry, g->ptr),
                           outs};
    jr_gen_check_status(f, jr_gen_helper(g, "jr_rt_host_results", 4, args), NULL);
}

static void take_array(GenFunc *f, IrReg dst, IrType type, LLVMValueRef out) {
    GenArray array = {0};
    jr_gen_header_load(f->g, out, type, &array);
    jr_gen_take(f, dst, &array);
}

static void take_results(GenFunc *f, const IrStmt *s, LLVMValueRef returned,
                         const LLVMValueRef *outs) {
    Gen *g = f->g;
    const IrFunc *callee = s->u.callee;
    for (uint32_t i = 0; i < s->ndsts; i++) {
        IrScalar scalar = (IrScalar)callee->rets[i].scalar;
        LLVMValueRef value = returned;
        if (callee->rets[i].ndim) {
            take_array(f, s->dsts[i], callee->rets[i], outs[i]);
            continue;
        }
        if (!ir_returns_scalar(callee))
            value = LLVMBuildLoad2(g->b, g->memory[scalar], outs[i], "");
        if (scalar == TY_BOOL) value = LLVMBuildIsNotNull(g->b, value, "");
        jr_gen_set(f, s->dsts[i], value);
    }
}

void jr_gen_host(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    const IrFunc *callee = s->u.callee;
    const JrHostEntry *host = jr_host_named(&g->options->hosts, callee->name);
    uint32_t room = s->nargs * (1 + 2 * IR_MAX_DIMS) + 1 + callee->nrets;
    LLVMValueRef *outs = JR_NEW_ARRAY(g->arena, LLVMValueRef, callee->nrets + 1);
    HostCall c = {.f = f,
                  .types = JR_NEW_ARRAY(g->arena, LLVMTypeRef, room),
                  .args = JR_NEW_ARRAY(g->arena, LLVMValueRef, room)};
    push_args(&c, s, host);
    bool arrays = ir_returns_arrays(callee);
    if (arrays)
        push_outs(&c, callee, outs);
    else
        push_scalars(&c, callee, outs);
    LLVMTypeRef result =
        ir_returns_scalar(callee) ? g->memory[callee->rets[0].scalar] : g->none;
    LLVMTypeRef type = LLVMFunctionType(result, c.types, c.n, 0);
    LLVMValueRef address = jr_gen_int(g, (int64_t)(intptr_t)host->function);
    LLVMValueRef target = LLVMConstIntToPtr(address, g->ptr);
    LLVMValueRef call = LLVMBuildCall2(g->b, type, target, c.args, c.n, "");
    widen(g, call, callee);
    if (arrays)
        check_results(f, s, host, outs[0]);
    else
        jr_gen_check_status(f, load_status(f), s);
    take_results(f, s, call, outs);
}

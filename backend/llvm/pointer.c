/* Functions with a C signature (JrCSignature): a shell around the internal function, which LLVM
 * inlines where that is small.
 *
 *     double f(ptr x, i64 x_len, double k) {
 *         if (!(x is an array one can trust at a glance)) look closely, or go to failed
 *         rt = jr_rt_here()             or jr_rt_enter(gate, host), jr_rt_begin(gate, host); or nothing
 *         status, result = kernel(rt, x, null, x_len, k)
 *         if (status) go to failed      jr_rt_leave(rt, gate, status) or jr_rt_end first, if it was entered
 *         return result
 *     failed:
 *         return 0
 *     }
 *
 * What a caller passes in a register wider than its type is not looked at, and what it gets is
 * extended: so callers compiled by either school of C compilers are served. */
#include "backend/llvm/gen.h"

#include <string.h>

typedef struct Shell {
    GenFunc f; /* what the helpers of the other files work on */
    GenSig sig;
    const GenSig *kernel;
    const JrCSignature *c;
    LLVMValueRef fn, rt, gate;
    LLVMValueRef *args; /* of the kernel */
    LLVMValueRef *outs; /* the trailing pointers, by result */
    LLVMBasicBlockRef failed;
    LLVMValueRef why; /* failed's phi */
    bool has_arrays, context;
} Shell;

/* ---- The signature ---- */

static LLVMTypeRef return_type(Gen *g, const GenSig *sig, const JrCSignature *c) {
    return c->returns_scalar ? g->memory[sig->ir->rets[0].scalar] : g->i32;
}

static LLVMTypeRef pointer_type(Gen *g, const GenSig *sig, const JrCSignature *c) {
    const IrFunc *ir = sig->ir;
    LLVMTypeRef *types =
        JR_NEW_ARRAY(g->arena, LLVMTypeRef, LLVMCountParams(sig->fn) + ir->nrets);
    uint32_t n = 0;
    for (uint32_t i = 0; i < ir->nparams; i++) {
        IrType type = ir_reg_type(ir, i);
        types[n++] = type.ndim ? g->ptr : g->memory[type.scalar];
        for (unsigned k = 2; type.ndim && k < jr_gen_nparts(type); k++)
            types[n++] = g->i64;
    }
    for (uint32_t i = 0; i < ir->nrets && !c->returns_scalar; i++)
        types[n++] = g->ptr;
    return LLVMFunctionType(return_type(g, sig, c), types, n, 0);
}

void jr_gen_declare_pointer(Gen *g, GenSig *sig, const JrCSignature *c) {
    sig->pointer = LLVMAddFunction(g->module, c->symbol, pointer_type(g, sig, c));
    LLVMSetLinkage(sig->pointer,
                   g->options->ahead ? LLVMExternalLinkage : LLVMInternalLinkage);
    jr_gen_function_attrs(g, sig->pointer);
    IrScalar scalar = c->returns_scalar ? (IrScalar)sig->ir->rets[0].scalar : TY_INT32;
    if (ir_scalar_is_float(scalar) || ir_scalar_size(scalar) > 4) return;
    const char *extend = ir_scalar_is_signed(scalar) ? "signext" : "zeroext";
    jr_gen_attr(g, sig->pointer, LLVMAttributeReturnIndex, extend, 0);
}

/* ---- Arguments ---- */

static void take_args(Shell *s) {
    Gen *g = s->f.g;
    const IrFunc *ir = s->kernel->ir;
    unsigned at = 0, n = 1;
    for (uint32_t i = 0; i < ir->nparams; i++) {
        IrType type = ir_reg_type(ir, i);
        LLVMValueRef first = LLVMGetParam(s->fn, at++);
        if (type.ndim) {
            s->args[n++] = first;
            s->args[n++] = LLVMConstNull(g->ptr); /* the owner: it is the caller's */
            for (unsigned k = 2; k < jr_gen_nparts(type); k++)
                s->args[n++] = LLVMGetParam(s->fn, at++);
            s->has_arrays = true;
        } else {
            bool is_bool = type.scalar == TY_BOOL;
            s->args[n++] = is_bool ? LLVMBuildIsNotNull(g->b, first, "") : first;
        }
    }
    for (uint32_t i = 0; i < ir->nrets && !s->c->returns_scalar; i++)
        s->outs[i] = LLVMGetParam(s->fn, at++);
}

static LLVMValueRef both(Gen *g, LLVMValueRef a, LLVMValueRef b) {
    return a ? LLVMBuildAnd(g->b, a, b, "") : b;
}

/* 0 <= value < 2^bits, or -2^bits <= value < 2^bits. */
static LLVMValueRef is_small(Gen *g, LLVMValueRef value, unsigned bits, bool is_signed) {
    if (is_signed) value = LLVMBuildAdd(g->b, value, jr_gen_int(g, 1ll << bits), "");
    return LLVMBuildICmp(g->b, LLVMIntULT, value, jr_gen_int(g, 1ll << (bits + is_signed)),
                         "");
}

/* An array that is not NULL, aligned, and so small on every axis that no product of its dims
 * and strides can overflow. What this does not let pass may be good for all that. */
static LLVMValueRef looks_good(Gen *g, IrType type, const LLVMValueRef *parts,
                               LLVMValueRef ok) {
    unsigned size = ir_scalar_size((IrScalar)type.scalar), item = 0;
    while (1u << item < size)
        item++;
    unsigned bits = (62 - item) / type.ndim;
    if (type.layout == LAYOUT_ANY && bits > 29) bits = 29;
    for (unsigned i = 0; i < type.ndim; i++)
        ok = both(g, ok, is_small(g, parts[2 + i], bits, false));
    for (unsigned i = 0; i < type.ndim && type.layout == LAYOUT_ANY; i++)
        ok = both(g, ok, is_small(g, parts[2 + type.ndim + i], (56 - item) - bits, true));
    LLVMValueRef at = LLVMBuildPtrToInt(g->b, parts[0], g->i64, "");
    ok = both(g, ok, LLVMBuildIsNotNull(g->b, parts[0], ""));
    if (!item) return ok;
    LLVMValueRef low = LLVMBuildAnd(g->b, at, jr_gen_int(g, size - 1), "");
    return both(g, ok, LLVMBuildIsNull(g->b, low, ""));
}

static void fail_unless_ok(Shell *s, LLVMValueRef status) {
    Gen *g = s->f.g;
    LLVMBasicBlockRef next = jr_gen_label(&s->f, ""), from = LLVMGetInsertBlock(g->b);
    LLVMBuildCondBr(g->b, LLVMBuildIsNull(g->b, status, ""), next, s->failed);
    LLVMAddIncoming(s->why, &status, &from, 1);
    LLVMPositionBuilderAtEnd(g->b, next);
}

static void look_closely(Shell *s, IrReg reg, const LLVMValueRef *parts) {
    Gen *g = s->f.g;
    const IrRegInfo *info = ir_reg(s->kernel->ir, reg);
    const char *name = info->name ? info->name : "?";
    LLVMValueRef header = jr_gen_header(&s->f, 0);
    GenArray array = {0};
    jr_gen_implode(&array, info->type, parts);
    jr_gen_header_store(&s->f, header, info->type, &array);
    LLVMValueRef args[] = {s->f.name, jr_gen_string(g, name, strlen(name) + 1),
                           jr_gen_int32(g, (int32_t)ir_type_bits(info->type)), header};
    fail_unless_ok(s, jr_gen_helper(g, "jr_rt_check_array", 4, args));
}

static void check_arrays(Shell *s) {
    Gen *g = s->f.g;
    const IrFunc *ir = s->kernel->ir;
    LLVMValueRef ok = NULL;
    for (uint32_t i = 0, at = 1; i < ir->nparams; at += jr_gen_nparts(ir_reg_type(ir, i++)))
        if (ir_reg_type(ir, i).ndim) ok = looks_good(g, ir_reg_type(ir, i), &s->args[at], ok);
    LLVMBasicBlockRef usual = jr_gen_unless(&s->f, ok, "closer");
    for (uint32_t i = 0, at = 1; i < ir->nparams; at += jr_gen_nparts(ir_reg_type(ir, i++)))
        if (ir_reg_type(ir, i).ndim) look_closely(s, i, &s->args[at]);
    LLVMBuildBr(g->b, usual);
    LLVMPositionBuilderAtEnd(g->b, usual);
}

/* ---- The runtime ---- */

/* Code that is kept holds no addresses of this process: who links it puts this one into a variable. */
static LLVMValueRef load_host(Gen *g) {
    if (!g->host) {
        g->host = LLVMAddGlobal(g->module, g->ptr, "jitrun.host");
        LLVMSetInitializer(g->host, LLVMConstNull(g->ptr));
        LLVMSetLinkage(g->host, LLVMInternalLinkage);
        LLVMSetExternallyInitialized(g->host, 1);
    }
    return LLVMBuildLoad2(g->b, g->ptr, g->host, "");
}

static LLVMValueRef host_address(Gen *g) {
    if (g->options->ahead) return LLVMConstNull(g->ptr);
    if (g->options->cache) return load_host(g);
    return LLVMConstIntToPtr(jr_gen_int(g, (int64_t)(intptr_t)g->options->host), g->ptr);
}

/* What a kernel that looks at no JrRt is given for one. */
static LLVMValueRef no_rt(Gen *g) {
    LLVMValueRef global = LLVMGetNamedGlobal(g->module, "jitrun.no-rt");
    if (global) return global;
    LLVMTypeRef type = LLVMArrayType2(g->i64, (sizeof(JrRt) + 7) / 8);
    global = LLVMAddGlobal(g->module, type, "jitrun.no-rt");
    LLVMSetInitializer(global, LLVMConstNull(type));
    LLVMSetGlobalConstant(global, 1);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    return global;
}

static void enter(Shell *s) {
    Gen *g = s->f.g;
    if (!s->kernel->ir->needs_rt && !s->has_arrays) {
        s->rt = no_rt(g);
        return;
    }
    if (s->context) {
        s->gate = jr_gen_alloca(&s->f, LLVMArrayType2(g->ptr, sizeof(JrGate) / sizeof(void *)),
                                "gate");
        LLVMValueRef args[] = {s->gate, host_address(g)};
        bool all = s->kernel->ir->needs_all;
        s->rt = jr_gen_helper(g, all ? "jr_rt_enter" : "jr_rt_begin", 2, args);
    } else {
        s->rt = jr_gen_helper(g, "jr_rt_here", 0, NULL);
    }
    LLVMBasicBlockRef usual =
        jr_gen_unless(&s->f, LLVMBuildIsNotNull(g->b, s->rt, ""), "refused");
    LLVMValueRef null = LLVMConstNull(g->ptr);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(g->b);
    LLVMValueRef status = jr_gen_helper(g, "jr_rt_failed", 1, &null);
    LLVMAddIncoming(s->why, &status, &from, 1);
    LLVMBuildBr(g->b, s->failed);
    LLVMPositionBuilderAtEnd(g->b, usual);
}

/* ---- Results ---- */

/* The kernel ran, but its results are nobody's: printing failed. */
static void release_results(Shell *s, const LLVMValueRef *parts) {
    for (uint32_t i = 0, at = 0; i < s->kernel->ir->nrets; i++) {
        IrType type = s->kernel->ir->rets[i];
        if (type.ndim) jr_gen_release(&s->f, parts[at + 1]);
        at += jr_gen_nparts(type);
    }
}

/* Goes on only if all went well. */
static void leave(Shell *s, LLVMValueRef status, const LLVMValueRef *parts) {
    Gen *g = s->f.g;
    LLVMValueRef args[] = {s->rt, s->gate, status};
    const char *helper = s->kernel->ir->needs_all ? "jr_rt_leave" : "jr_rt_end";
    LLVMValueRef end = s->context ? jr_gen_helper(g, helper, 3, args) : status;
    LLVMBasicBlockRef usual = jr_gen_unless(&s->f, LLVMBuildIsNull(g->b, end, ""), "unhappy");
    if (!s->context) end = jr_gen_helper(g, "jr_rt_failed", 1, &s->rt);
    if (s->context && ir_returns_arrays(s->kernel->ir)) {
        LLVMBasicBlockRef ran = jr_gen_label(&s->f, "ran"), on = jr_gen_label(&s->f, "");
        LLVMBuildCondBr(g->b, LLVMBuildIsNull(g->b, status, ""), ran, on);
        LLVMPositionBuilderAtEnd(g->b, ran);
        release_results(s, parts);
        LLVMBuildBr(g->b, on);
        LLVMPositionBuilderAtEnd(g->b, on);
    }
    LLVMBasicBlockRef from = LLVMGetInsertBlock(g->b);
    LLVMAddIncoming(s->why, &end, &from, 1);
    LLVMBuildBr(g->b, s->failed);
    LLVMPositionBuilderAtEnd(g->b, usual);
}

static LLVMValueRef in_memory(Gen *g, IrType type, LLVMValueRef value) {
    return type.scalar == TY_BOOL ? LLVMBuildZExt(g->b, value, g->i8, "") : value;
}

static void store_unless_null(Shell *s, LLVMValueRef to, LLVMValueRef value) {
    Gen *g = s->f.g;
    LLVMBasicBlockRef store = jr_gen_label(&s->f, "wanted"), next = jr_gen_label(&s->f, "");
    LLVMBuildCondBr(g->b, LLVMBuildIsNotNull(g->b, to, ""), store, next);
    LLVMPositionBuilderAtEnd(g->b, store);
    LLVMBuildStore(g->b, value, to);
    LLVMBuildBr(g->b, next);
    LLVMPositionBuilderAtEnd(g->b, next);
}

/* An array that nobody owns may be a view of one that the caller has as const. */
static bool takes_const(const IrFunc *ir) {
    for (uint32_t i = 0; i < ir->nparams; i++)
        if (ir_reg_type(ir, i).ndim && !ir_reg(ir, i)->written) return true;
    return false;
}

static void give_results(Shell *s, const LLVMValueRef *parts) {
    Gen *g = s->f.g;
    const IrFunc *ir = s->kernel->ir;
    for (uint32_t i = 0, at = 0; i < ir->nrets; i++) {
        IrType type = ir->rets[i];
        if (type.ndim) {
            GenArray array = {0};
            LLVMValueRef header = jr_gen_header(&s->f, 0);
            jr_gen_implode(&array, type, &parts[at]);
            jr_gen_header_store(&s->f, header, type, &array);
            LLVMValueRef args[] = {s->outs[i], jr_gen_int32(g, (int32_t)ir_type_bits(type)),
                                   header, jr_gen_int32(g, takes_const(ir))};
            jr_gen_helper(g, "jr_rt_give_array", 4, args);
        } else {
            store_unless_null(s, s->outs[i], in_memory(g, type, parts[at]));
        }
        at += jr_gen_nparts(type);
    }
}

static void fail(Shell *s) {
    Gen *g = s->f.g;
    const IrFunc *ir = s->kernel->ir;
    LLVMPositionBuilderAtEnd(g->b, s->failed);
    if (s->c->returns_scalar) {
        LLVMBuildRet(g->b, LLVMConstNull(g->memory[ir->rets[0].scalar]));
        return;
    }
    for (uint32_t i = 0; i < ir->nrets; i++) {
        LLVMValueRef args[] = {s->outs[i],
                               jr_gen_int32(g, (int32_t)ir_type_bits(ir->rets[i]))};
        jr_gen_helper(g, "jr_rt_give_nothing", 2, args);
    }
    LLVMBuildRet(g->b, s->why);
}

/* Calls the kernel; its results less the status, in parts. */
static LLVMValueRef call_kernel(Shell *s, LLVMValueRef *parts) {
    Gen *g = s->f.g;
    const GenSig *k = s->kernel;
    s->args[0] = s->rt;
    LLVMValueRef result =
        LLVMBuildCall2(g->b, k->type, k->fn, s->args, LLVMCountParams(k->fn), "");
    bool is_struct = k->fails || k->nparts > 1;
    for (uint32_t i = 0; i < k->nparts; i++)
        parts[i] = is_struct ? LLVMBuildExtractValue(g->b, result, i + k->fails, "") : result;
    return k->fails ? LLVMBuildExtractValue(g->b, result, 0, "") : jr_gen_int32(g, 0);
}

static void run_kernel(Shell *s) {
    Gen *g = s->f.g;
    const IrFunc *ir = s->kernel->ir;
    LLVMValueRef *parts = JR_NEW_ARRAY(g->arena, LLVMValueRef, s->kernel->nparts + 1);
    LLVMValueRef status = call_kernel(s, parts);
    if (s->kernel->fails || s->context) leave(s, status, parts);
    if (s->c->returns_scalar) {
        LLVMBuildRet(g->b, in_memory(g, ir->rets[0], parts[0]));
        return;
    }
    give_results(s, parts);
    LLVMBuildRet(g->b, jr_gen_int32(g, 0));
}

void jr_gen_define_pointer(Gen *g, const GenSig *kernel, const JrCSignature *c) {
    const IrFunc *ir = kernel->ir;
    Shell s = {.sig = *kernel, .kernel = kernel, .c = c, .fn = kernel->pointer};
    s.sig.fn = s.fn;
    s.f = (GenFunc){.g = g, .ir = ir, .sig = &s.sig, .allocas = g->allocas};
    s.args = JR_NEW_ARRAY(g->arena, LLVMValueRef, LLVMCountParams(kernel->fn));
    s.outs = JR_NEW_ARRAY(g->arena, LLVMValueRef, ir->nrets + 1);
    s.context = ir->needs_context;
    LLVMBasicBlockRef entry = jr_gen_label(&s.f, "entry"), body = jr_gen_label(&s.f, "body");
    s.failed = jr_gen_label(&s.f, "failed");
    LLVMPositionBuilderAtEnd(g->b, s.failed);
    s.why = LLVMBuildPhi(g->b, g->i32, "");
    LLVMPositionBuilderAtEnd(g->allocas, entry);
    LLVMPositionBuilderAtEnd(g->b, body);
    s.f.name = jr_gen_string(g, ir->display, strlen(ir->display) + 1);
    take_args(&s);
    if (s.has_arrays) check_arrays(&s);
    enter(&s);
    run_kernel(&s);
    if (LLVMCountIncoming(s.why)) {
        fail(&s);
        LLVMMoveBasicBlockAfter(s.failed, LLVMGetLastBasicBlock(s.fn));
    } else {
        LLVMDeleteBasicBlock(s.failed);
    }
    LLVMBuildBr(g->allocas, body);
}

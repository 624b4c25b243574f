/* Functions: their signatures, their frames, and the entries through which they are called
 * from outside with the convention of ir/rt.h. */
#include "backend/llvm/gen.h"

#include <string.h>

/* ---- Signatures ---- */

static LLVMTypeRef result_type(Gen *g, GenSig *sig) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < sig->ir->nrets; i++)
        n += jr_gen_nparts(sig->ir->rets[i]);
    LLVMTypeRef *types = JR_NEW_ARRAY(g->arena, LLVMTypeRef, n + 1);
    types[0] = g->i32;
    sig->nparts = n;
    n = 1;
    for (uint32_t i = 0; i < sig->ir->nrets; i++) {
        jr_gen_part_types(g, sig->ir->rets[i], &types[n]);
        n += jr_gen_nparts(sig->ir->rets[i]);
    }
    if (sig->fails) return LLVMStructTypeInContext(g->ctx, types, n, 0);
    if (sig->nparts == 0) return g->none;
    return sig->nparts == 1 ? types[1] : LLVMStructTypeInContext(g->ctx, &types[1], n - 1, 0);
}

static LLVMTypeRef function_type(Gen *g, GenSig *sig) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < sig->ir->nparams; i++)
        n += jr_gen_nparts(ir_reg_type(sig->ir, i));
    LLVMTypeRef *params = JR_NEW_ARRAY(g->arena, LLVMTypeRef, n);
    params[0] = g->ptr;
    n = 1;
    for (uint32_t i = 0; i < sig->ir->nparams; i++) {
        jr_gen_part_types(g, ir_reg_type(sig->ir, i), &params[n]);
        n += jr_gen_nparts(ir_reg_type(sig->ir, i));
    }
    sig->ret = result_type(g, sig);
    return LLVMFunctionType(sig->ret, params, n, 0);
}

void jr_gen_rt_param_attrs(Gen *g, LLVMValueRef fn) {
    static const char *const attrs[] = {"noalias", "nonnull", "noundef"};
    for (unsigned i = 0; i < 3; i++)
        jr_gen_attr(g, fn, 1, attrs[i], 0);
    jr_gen_attr(g, fn, 1, "dereferenceable", sizeof(JrRt));
}

void jr_gen_function_attrs(Gen *g, LLVMValueRef fn) {
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "nounwind", 0);
    /* Without it LLVM takes 512-bit registers to be wanted wherever there are any. */
    LLVMAttributeRef width =
        LLVMCreateStringAttribute(g->ctx, "min-legal-vector-width", 22, "0", 1);
    LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex, width);
}

static void inline_always(Gen *g, LLVMValueRef fn) {
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "alwaysinline", 0);
}

/* The suffix keeps a kernel called exp apart from libm's, which LLVM knows by its name. */
static void declare_one(Gen *g, GenSig *sig) {
    const char *name = jr_arena_printf(g->arena, "%s.kernel", sig->ir->name);
    sig->fn = LLVMAddFunction(g->module, name, sig->type);
    LLVMSetLinkage(sig->fn, LLVMInternalLinkage);
    jr_gen_function_attrs(g, sig->fn);
    if (sig->ir->inlined) inline_always(g, sig->fn);
    jr_gen_rt_param_attrs(g, sig->fn);
    for (unsigned i = 1; i < LLVMCountParams(sig->fn); i++)
        jr_gen_attr(g, sig->fn, i + 1, "noundef", 0);
}

/* ---- Declarations ---- */

/* Another function with the same signature, which is called in place of it. */
static GenSig *insert_before(Gen *g, GenSig *next, GenSigKind kind) {
    GenSig *sig = JR_NEW(g->arena, GenSig);
    *sig = *next;
    sig->kind = kind;
    sig->next = next;
    declare_one(g, sig);
    inline_always(g, sig->fn);
    return sig;
}

static void declare(Gen *g, GenSig *sig) {
    sig->fails = sig->ir->may_fail || sig->ir->recursive;
    sig->type = function_type(g, sig);
    declare_one(g, sig);
    GenSig *next = sig;
    if (jr_gen_wants_base(g, sig->ir)) next = insert_before(g, next, SIG_BASE);
    for (uint32_t n = jr_gen_count_copies(g, sig->ir); n > 0; n--)
        next = insert_before(g, next, SIG_COPY);
    sig->next = next;
}

static GenSig *sig_of(Gen *g, uint32_t i) {
    return jr_table_get(&g->sigs, g->ir->funcs.data[i]->name);
}

/* ---- Functions ---- */

/* Dims are never negative: told as a range, so that `i < len(x)` settles an index. */
static void dim_range(Gen *g, LLVMValueRef fn, unsigned param) {
    static const uint64_t lo = 0, hi = 1ull << 63;
    unsigned kind = LLVMGetEnumAttributeKindForName("range", 5);
    LLVMAttributeRef range = LLVMCreateConstantRangeAttribute(g->ctx, kind, 64, &lo, &hi);
    LLVMAddAttributeAtIndex(fn, param + 1, range);
}

static void name_param(GenFunc *f, unsigned param, const IrRegInfo *info) {
    if (info->name)
        LLVMSetValueName2(LLVMGetParam(f->sig->fn, param), info->name, strlen(info->name));
}

static unsigned bind_array(GenFunc *f, IrReg reg, unsigned at) {
    LLVMValueRef parts[2 + 2 * IR_MAX_DIMS];
    IrType type = ir_reg_type(f->ir, reg);
    for (uint32_t k = 0; k < jr_gen_nparts(type); k++)
        parts[k] = LLVMGetParam(f->sig->fn, at + k);
    for (unsigned k = 0; k < type.ndim; k++)
        dim_range(f->g, f->sig->fn, at + 2 + k);
    jr_gen_implode(f->regs[reg].array, type, parts);
    return at + jr_gen_nparts(type);
}

static void bind_params(GenFunc *f) {
    unsigned at = 1;
    for (IrReg i = 0; i < f->ir->nparams; i++) {
        name_param(f, at, ir_reg(f->ir, i));
        if (ir_reg_type(f->ir, i).ndim)
            at = bind_array(f, i, at);
        else
            f->regs[i].value = LLVMGetParam(f->sig->fn, at++);
    }
}

/* Reading the register costs nothing; the frame's address would cost a frame pointer. */
static LLVMValueRef stack_pointer(Gen *g) {
#if defined(__x86_64__) || defined(__aarch64__)
    static const char name[] =
#if defined(__x86_64__)
        "rsp";
#else
        "sp";
#endif
    LLVMMetadataRef text = LLVMMDStringInContext2(g->ctx, name, strlen(name));
    LLVMValueRef reg = LLVMMetadataAsValue(g->ctx, LLVMMDNodeInContext2(g->ctx, &text, 1));
    return jr_gen_intrinsic(g, "llvm.read_register", 1, &g->i64, 1, &reg);
#else
    LLVMValueRef level = jr_gen_int32(g, 0);
    LLVMValueRef frame = jr_gen_intrinsic(g, "llvm.frameaddress", 1, &g->ptr, 1, &level);
    return LLVMBuildPtrToInt(g->b, frame, g->i64, "");
#endif
}

static void check_stack(GenFunc *f) {
    Gen *g = f->g;
    LLVMValueRef here = stack_pointer(g);
    LLVMValueRef limit = LLVMBuildLoad2(g->b, g->ptr, f->rt, "limit");
    LLVMSetMetadata(limit, g->md_invariant,
                    LLVMMetadataAsValue(g->ctx, LLVMMDNodeInContext2(g->ctx, NULL, 0)));
    LLVMValueRef ok =
        LLVMBuildICmp(g->b, LLVMIntUGE, here, LLVMBuildPtrToInt(g->b, limit, g->i64, ""), "");
    LLVMBasicBlockRef usual = jr_gen_unless(f, ok, "deep");
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, f->ir->span)};
    LLVMValueRef status = jr_gen_helper(g, "jr_rt_deep", 2, args);
    LLVMBasicBlockRef stop = jr_gen_label(f, "stop");
    LLVMBuildCondBr(g->b, LLVMBuildIsNull(g->b, status, ""), usual, stop);
    LLVMPositionBuilderAtEnd(g->b, stop);
    jr_gen_fail(f, status, usual);
}

static void result_slots(GenFunc *f) {
    f->status = jr_gen_alloca(f, f->g->i32, "status");
    f->parts = JR_NEW_ARRAY(f->g->arena, LLVMValueRef, f->sig->nparts + 1);
    for (uint32_t i = 0, at = 0; i < f->ir->nrets; i++) {
        LLVMTypeRef types[2 + 2 * IR_MAX_DIMS];
        jr_gen_part_types(f->g, f->ir->rets[i], types);
        for (uint32_t k = 0; k < jr_gen_nparts(f->ir->rets[i]); k++)
            f->parts[at++] = jr_gen_alloca(f, types[k], "result");
    }
}

static void release_owned(GenFunc *f) {
    for (IrReg i = f->ir->nparams; i < f->ir->regs.len; i++) {
        if (!ir_reg_type(f->ir, i).ndim || !ir_reg(f->ir, i)->owned) continue;
        LLVMValueRef slot = f->regs[i].array->owner;
        jr_gen_release(f, LLVMBuildLoad2(f->g->b, f->g->ptr, slot, ""));
    }
}

static void leave(GenFunc *f) {
    Gen *g = f->g;
    const GenSig *sig = f->sig;
    release_owned(f);
    if (!sig->fails && sig->nparts == 0) {
        LLVMBuildRetVoid(g->b);
        return;
    }
    LLVMTypeRef result = sig->ret;
    if (!sig->fails && sig->nparts == 1) {
        LLVMBuildRet(g->b, LLVMBuildLoad2(g->b, result, f->parts[0], ""));
        return;
    }
    LLVMValueRef all = LLVMGetPoison(result);
    if (sig->fails)
        all = LLVMBuildInsertValue(g->b, all, LLVMBuildLoad2(g->b, g->i32, f->status, ""), 0,
                                   "");
    for (uint32_t i = 0; i < sig->nparts; i++) {
        unsigned at = i + sig->fails;
        LLVMTypeRef type = LLVMStructGetTypeAtIndex(result, at);
        LLVMValueRef part = LLVMBuildLoad2(g->b, type, f->parts[i], "");
        all = LLVMBuildInsertValue(g->b, all, part, at, "");
    }
    LLVMBuildRet(g->b, all);
}

/* LLVM weighs what raises an error, half of a small function, as if it ran like the rest. */
static void weigh(const GenFunc *f) {
    enum { SMALL = 36, STMT_COST = 6 }; /* LLVM inlines below 225 */
    static const char name[] = "function-inline-cost";
    const GenSig *sig = f->sig;
    if (!f->ncold || sig->stmts > SMALL) return;
    const char *cost = jr_arena_printf(f->g->arena, "%u", sig->stmts * STMT_COST);
    LLVMAttributeRef attr = LLVMCreateStringAttribute(f->g->ctx, name, sizeof name - 1, cost,
                                                      (unsigned)strlen(cost));
    LLVMAddAttributeAtIndex(sig->fn, LLVMAttributeFunctionIndex, attr);
}

/* The entry block holds the allocas alone and is closed last, so that they may be added any
 * time. The exit block is where every path ends, whether with results or with an error. */
static void define(Gen *g, GenSig *sig) {
    GenFunc f = {.g = g, .ir = sig->ir, .sig = sig, .rt = LLVMGetParam(sig->fn, 0)};
    f.fast = sig->ir->fastmath || g->options->fastmath;
    LLVMBasicBlockRef entry = jr_gen_label(&f, "entry"), body = jr_gen_label(&f, "body");
    f.exit = jr_gen_label(&f, "exit");
    LLVMPositionBuilderAtEnd(f.allocas = g->allocas, entry);
    LLVMPositionBuilderAtEnd(g->b, body);
    f.name = jr_gen_string(g, sig->ir->display, strlen(sig->ir->display) + 1);
    jr_gen_regs(&f);
    bind_params(&f);
    result_slots(&f);
    if (sig->ir->recursive && sig->kind == SIG_ITSELF) check_stack(&f);
    if (sig->kind == SIG_BASE)
        jr_gen_base(&f);
    else
        jr_gen_block(&f, &sig->ir->body);
    if (!LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(g->b))) LLVMBuildUnreachable(g->b);
    LLVMPositionBuilderAtEnd(g->b, f.exit);
    leave(&f);
    LLVMMoveBasicBlockAfter(f.exit, LLVMGetLastBasicBlock(sig->fn));
    weigh(&f);
    LLVMBuildBr(f.allocas, body);
}

static void define_all_kinds(Gen *g, GenSig *sig) {
    define(g, sig);
    for (GenSig *other = sig->next; other != sig; other = other->next)
        define(g, other);
    /* Only one function calls it: going there first, before the passes, saves them half the
     * work. With a second one it stays by itself, unless it is small. */
    if (g->level > 0 && !sig->called && (!sig->entry || !sig->pointer))
        inline_always(g, sig->fn);
    /* Functions that are small apart would become one that is not. */
    if (g->stmts > JR_GEN_LARGE && sig->called && sig->is_large)
        jr_gen_attr(g, sig->fn, LLVMAttributeFunctionIndex, "noinline", 0);
}

/* What calls a large function from outside moves its arguments and no more. Where the function stays by
 * itself, the passes and the code generator need not look at that: they take half as
 * long over one that is called in two ways. */
static void define_plainly(Gen *g, const GenSig *sig) {
    bool shared = sig->called || (sig->entry && sig->pointer);
    if (g->level == 0 || !shared || !sig->is_large) return;
    LLVMValueRef shells[] = {sig->entry, sig->pointer};
    for (unsigned i = 0; i < 2; i++) {
        if (!shells[i]) continue;
        jr_gen_attr(g, shells[i], LLVMAttributeFunctionIndex, "optnone", 0);
        jr_gen_attr(g, shells[i], LLVMAttributeFunctionIndex, "noinline", 0);
    }
}

/* ---- Entries ---- */

static LLVMValueRef pointer_at(Gen *g, LLVMValueRef list, uint32_t index) {
    LLVMValueRef at = jr_gen_int(g, index);
    LLVMValueRef slot = LLVMBuildInBoundsGEP2(g->b, g->ptr, list, &at, 1, "");
    return LLVMBuildLoad2(g->b, g->ptr, slot, "");
}

static LLVMValueRef load_scalar(Gen *g, LLVMValueRef from, IrType type) {
    LLVMValueRef value = LLVMBuildLoad2(g->b, g->memory[type.scalar], from, "");
    return type.scalar == TY_BOOL ? LLVMBuildIsNotNull(g->b, value, "") : value;
}

static uint32_t load_args(Gen *g, const GenSig *sig, LLVMValueRef list, LLVMValueRef *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < sig->ir->nparams; i++) {
        IrType type = ir_reg_type(sig->ir, i);
        LLVMValueRef from = pointer_at(g, list, i);
        if (type.ndim) {
            GenArray array = {0};
            jr_gen_header_load(g, from, type, &array);
            jr_gen_explode(&array, type, &out[n]);
        } else {
            out[n] = load_scalar(g, from, type);
        }
        n += jr_gen_nparts(type);
    }
    return n;
}

static void store_results(GenFunc *f, LLVMValueRef list, LLVMValueRef result) {
    Gen *g = f->g;
    const GenSig *sig = f->sig;
    bool is_struct = sig->fails || sig->nparts > 1;
    for (uint32_t i = 0, at = sig->fails; i < sig->ir->nrets; i++) {
        IrType type = sig->ir->rets[i];
        LLVMValueRef parts[2 + 2 * IR_MAX_DIMS], to = pointer_at(g, list, i);
        for (uint32_t k = 0; k < jr_gen_nparts(type); k++)
            parts[k] = is_struct ? LLVMBuildExtractValue(g->b, result, at++, "") : result;
        if (type.ndim) {
            GenArray array = {0};
            jr_gen_implode(&array, type, parts);
            jr_gen_header_store(f, to, type, &array);
        } else {
            if (type.scalar == TY_BOOL) parts[0] = LLVMBuildZExt(g->b, parts[0], g->i8, "");
            LLVMBuildStore(g->b, parts[0], to);
        }
    }
}

/* On failure the results stay as they are. */
static void check_entry_status(Gen *g, LLVMValueRef fn, LLVMValueRef status) {
    LLVMBasicBlockRef good = LLVMAppendBasicBlockInContext(g->ctx, fn, "good");
    LLVMBasicBlockRef bad = LLVMAppendBasicBlockInContext(g->ctx, fn, "bad");
    LLVMValueRef ok = LLVMBuildIsNull(g->b, status, "");
    LLVMSetMetadata(LLVMBuildCondBr(g->b, ok, good, bad), g->md_prof, g->likely);
    LLVMPositionBuilderAtEnd(g->b, bad);
    LLVMBuildRet(g->b, status);
    LLVMPositionBuilderAtEnd(g->b, good);
}

static void declare_entry(Gen *g, GenSig *sig) {
    LLVMTypeRef params[] = {g->ptr, g->ptr, g->ptr};
    const char *name = jr_arena_printf(g->arena, "%s.entry", sig->ir->name);
    sig->entry = LLVMAddFunction(g->module, name, LLVMFunctionType(g->i32, params, 3, 0));
    LLVMSetLinkage(sig->entry, LLVMInternalLinkage);
    jr_gen_function_attrs(g, sig->entry);
    jr_gen_rt_param_attrs(g, sig->entry);
}

static void define_entry(Gen *g, const GenSig *sig) {
    LLVMValueRef fn = sig->entry;
    LLVMPositionBuilderAtEnd(g->b, LLVMAppendBasicBlockInContext(g->ctx, fn, "entry"));
    LLVMValueRef *args = JR_NEW_ARRAY(g->arena, LLVMValueRef, LLVMCountParams(sig->fn));
    args[0] = LLVMGetParam(fn, 0);
    uint32_t n = 1 + load_args(g, sig, LLVMGetParam(fn, 1), &args[1]);
    LLVMValueRef result = LLVMBuildCall2(g->b, sig->type, sig->fn, args, n, "");
    if (sig->fails) check_entry_status(g, fn, LLVMBuildExtractValue(g->b, result, 0, ""));
    GenFunc f = {.g = g, .ir = sig->ir, .sig = sig};
    store_results(&f, LLVMGetParam(fn, 2), result);
    LLVMBuildRet(g->b, jr_gen_int32(g, 0));
}

static bool is_outside(const Gen *g, const IrFunc *ir) {
    return jr_gen_wants_entry(g->options, ir) || jr_gen_wants_pointer(g->options, ir);
}

static void define_table(Gen *g, const char *name) {
    const IrModule *ir = g->ir;
    LLVMValueRef *items = JR_NEW_ARRAY(g->arena, LLVMValueRef, 2 * ir->funcs.len + 1);
    LLVMValueRef null = LLVMConstNull(g->ptr);
    uint32_t n = 0, count = 0;
    for (uint32_t i = 0; i < ir->funcs.len; i++)
        count += is_outside(g, ir->funcs.data[i]);
    for (uint32_t i = 0; i < ir->funcs.len; i++) {
        const GenSig *sig = sig_of(g, i);
        if (!is_outside(g, sig->ir)) continue;
        bool entry = jr_gen_wants_entry(g->options, sig->ir);
        items[n] = entry ? sig->entry : null;
        items[count + n++] = sig->pointer ? sig->pointer : null;
    }
    n += count;
    items[n++] = g->host ? g->host : null;
    LLVMValueRef init = LLVMConstArray2(g->ptr, items, n);
    LLVMValueRef table = LLVMAddGlobal(g->module, LLVMTypeOf(init), name);
    LLVMSetInitializer(table, init);
    LLVMSetGlobalConstant(table, 1);
}

/* What calls the function from outside. */
static void declare_outside(Gen *g, GenSig *sig, bool entries) {
    bool wanted = entries && jr_gen_wants_entry(g->options, sig->ir);
    if (wanted || sig->is_region) declare_entry(g, sig);
    if (jr_gen_wants_pointer(g->options, sig->ir))
        jr_gen_declare_pointer(g, sig, &g->options->signatures[sig->ir->index]);
}

static void define_all(Gen *g, GenSig *sig) {
    define_all_kinds(g, sig);
    if (sig->entry) define_entry(g, sig);
    if (sig->pointer) jr_gen_define_pointer(g, sig, &g->options->signatures[sig->ir->index]);
    define_plainly(g, sig);
}

void jr_gen_module(Gen *g, const char *table) {
    const IrModule *ir = g->ir;
    const char *file = ir->file ? ir->file : "";
    g->file = jr_gen_string(g, file, strlen(file) + 1);
    for (uint32_t i = 0; i < ir->funcs.len; i++)
        if (sig_of(g, i)->reached) declare(g, sig_of(g, i));
    for (uint32_t i = 0; i < ir->funcs.len; i++)
        if (sig_of(g, i)->reached) declare_outside(g, sig_of(g, i), table != NULL);
    for (uint32_t i = 0; i < ir->funcs.len; i++)
        if (sig_of(g, i)->reached) define_all(g, sig_of(g, i));
    if (table) define_table(g, table);
}

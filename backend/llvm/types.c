/* Types, constants and metadata, and the declarations of everything outside that is called. */
#include "backend/llvm/gen.h"

#include <string.h>

static void init_scalars(Gen *g) {
    g->scalar[TY_BOOL] = g->i1;
    for (unsigned t = TY_INT8; t <= TY_UINT64; t++)
        g->scalar[t] = LLVMIntTypeInContext(g->ctx, 8 * ir_scalar_size((IrScalar)t));
    g->scalar[TY_FLOAT32] = LLVMFloatTypeInContext(g->ctx);
    g->scalar[TY_FLOAT64] = LLVMDoubleTypeInContext(g->ctx);
    memcpy(g->memory, g->scalar, sizeof g->memory);
    g->memory[TY_BOOL] = g->i8;
}

static void init_metadata(Gen *g) {
    g->md_prof = LLVMGetMDKindIDInContext(g->ctx, "prof", 4);
    g->md_unpredictable = LLVMGetMDKindIDInContext(g->ctx, "unpredictable", 13);
    g->md_scope = LLVMGetMDKindIDInContext(g->ctx, "alias.scope", 11);
    g->md_noalias = LLVMGetMDKindIDInContext(g->ctx, "noalias", 7);
    g->md_invariant = LLVMGetMDKindIDInContext(g->ctx, "invariant.load", 14);
    LLVMMetadataRef weights[] = {LLVMMDStringInContext2(g->ctx, "branch_weights", 14),
                                 LLVMValueAsMetadata(jr_gen_int32(g, 1 << 20)),
                                 LLVMValueAsMetadata(jr_gen_int32(g, 1))};
    g->likely = LLVMMetadataAsValue(g->ctx, LLVMMDNodeInContext2(g->ctx, weights, 3));
}

void jr_gen_init(Gen *g) {
    g->i1 = LLVMInt1TypeInContext(g->ctx);
    g->i8 = LLVMInt8TypeInContext(g->ctx);
    g->i32 = LLVMInt32TypeInContext(g->ctx);
    g->i64 = LLVMInt64TypeInContext(g->ctx);
    g->i128 = LLVMInt128TypeInContext(g->ctx);
    g->ptr = LLVMPointerTypeInContext(g->ctx, 0);
    g->none = LLVMVoidTypeInContext(g->ctx);
    init_scalars(g);
    init_metadata(g);
    LLVMTypeRef where[] = {g->ptr, g->ptr, g->i32, g->i32};
    g->where = LLVMStructTypeInContext(g->ctx, where, 4, 0);
}

LLVMValueRef jr_gen_int(Gen *g, int64_t value) {
    return LLVMConstInt(g->i64, (unsigned long long)value, 1);
}

LLVMValueRef jr_gen_int32(Gen *g, int32_t value) {
    return LLVMConstInt(g->i32, (unsigned long long)value, 1);
}

/* By their bits: the one way that keeps a NaN's payload. */
static LLVMValueRef const_float(Gen *g, IrScalar scalar, IrConst value) {
    uint64_t bits = 0;
    if (scalar == TY_FLOAT64)
        memcpy(&bits, &value.d, 8);
    else
        memcpy(&bits, &value.f, 4);
    LLVMTypeRef type = scalar == TY_FLOAT64 ? g->i64 : g->i32;
    return LLVMConstBitCast(LLVMConstInt(type, bits, 0), g->scalar[scalar]);
}

LLVMValueRef jr_gen_const(Gen *g, IrScalar scalar, IrConst value) {
    if (scalar == TY_STR) return jr_gen_string(g, value.str.bytes, value.str.len);
    if (ir_scalar_is_float(scalar)) return const_float(g, scalar, value);
    return LLVMConstInt(g->scalar[scalar], scalar == TY_BOOL ? value.i != 0 : value.u, 0);
}

static LLVMValueRef constant_global(Gen *g, LLVMValueRef init, const char *name) {
    LLVMValueRef global = LLVMAddGlobal(g->module, LLVMTypeOf(init), name);
    LLVMSetInitializer(global, init);
    LLVMSetGlobalConstant(global, 1);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    return global;
}

LLVMValueRef jr_gen_string(Gen *g, const char *bytes, size_t len) {
    return constant_global(g, LLVMConstStringInContext2(g->ctx, bytes, len, 0), "text");
}

/* One for all of a statement's calls that follow one another. */
LLVMValueRef jr_gen_where(GenFunc *f, JrSpan span) {
    Gen *g = f->g;
    if (f->where && f->where_span.line == span.line && f->where_span.col == span.col)
        return f->where;
    f->where_span = span;
    LLVMValueRef fields[] = {g->file, f->name, jr_gen_int32(g, span.line),
                             jr_gen_int32(g, span.col)};
    return f->where =
               constant_global(g, LLVMConstStructInContext(g->ctx, fields, 4, 0), "where");
}

void jr_gen_attr(Gen *g, LLVMValueRef fn, unsigned index, const char *name, uint64_t value) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(fn, index, LLVMCreateEnumAttribute(g->ctx, kind, value));
}

LLVMValueRef jr_gen_intrinsic(Gen *g, const char *name, uint32_t ntypes, LLVMTypeRef *types,
                              uint32_t nargs, LLVMValueRef *args) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef fn = LLVMGetIntrinsicDeclaration(g->module, id, types, ntypes);
    LLVMTypeRef type = LLVMIntrinsicGetType(g->ctx, id, types, ntypes);
    return LLVMBuildCall2(g->b, type, fn, args, nargs, "");
}

/* ---- What is called ---- */

/* No memory is read or written, and it returns: calls may be merged, hoisted and dropped. */
static void make_pure(Gen *g, LLVMValueRef fn) {
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "memory", 0);
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "willreturn", 0);
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "nosync", 0);
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "nofree", 0);
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "nocallback", 0);
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "speculatable", 0);
}

static LLVMValueRef declare(Gen *g, const char *name, LLVMTypeRef type) {
    LLVMValueRef fn = LLVMGetNamedFunction(g->module, name);
    if (fn) return fn;
    fn = LLVMAddFunction(g->module, name, type);
    jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "nounwind", 0);
    return fn;
}

/* The helpers' C types, result first: p pointer, i int32, l int64, d, f, v void. Kinds: 'c' is
 * only called when something failed, or may have; 'f' returns the status of what did; 'p' is pure. */
typedef struct Helper {
    const char *name, *types;
    char kind;
} Helper;

static const Helper helpers[] = {
    {"jr_rt_raise", "ippipl", 'f'},
    {"jr_rt_raise_index", "ippllll", 'f'},
    {"jr_rt_trap", "ippi", 'f'},
    {"jr_rt_trace", "ipp", 'f'},
    {"jr_rt_poll", "ipp", 'c'},
    {"jr_rt_deep", "ipp", 'c'},
    {"jr_rt_parallel", "ippppp", 0},
    {"jr_rt_host_results", "ipppp", 0},
    {"jr_rt_raise_shape", "ippippll", 'f'},
    {"jr_rt_array_new", "ippipi", 0},
    {"jr_rt_retain", "vp", 0},
    {"jr_rt_release", "vp", 0},
    {"jr_rt_ipow", "lll", 'p'},
    {"jr_rt_enter", "ppp", 0},
    {"jr_rt_leave", "ippi", 0},
    {"jr_rt_begin", "ppp", 0},
    {"jr_rt_end", "ippi", 0},
    {"jr_rt_here", "p", 0},
    {"jr_rt_failed", "ip", 'c'},
    {"jr_rt_check_array", "ippip", 'c'},
    {"jr_rt_give_array", "vpipi", 0},
    {"jr_rt_give_nothing", "vpi", 'c'},
    {"jr_rt_fmod", "ddd", 'p'},
    {"jr_rt_fmodf", "fff", 'p'},
    {"jr_rt_ffloordiv", "ddd", 'p'},
    {"jr_rt_ffloordivf", "fff", 'p'},
};

static const Helper *find_helper(const char *name) {
    const Helper *h = helpers;
    while (strcmp(h->name, name) != 0)
        h++;
    return h;
}

static LLVMTypeRef letter_type(Gen *g, char letter) {
    switch (letter) {
    case 'p': return g->ptr;
    case 'i': return g->i32;
    case 'l': return g->i64;
    case 'd': return g->scalar[TY_FLOAT64];
    case 'f': return g->scalar[TY_FLOAT32];
    default: return g->none;
    }
}

/* A status that a caller need not look at again, where the function is inlined that returns it. */
static void never_zero(Gen *g, LLVMValueRef fn) {
    static const uint64_t lo = 1, hi = 1ull << 31;
    unsigned kind = LLVMGetEnumAttributeKindForName("range", 5);
    LLVMAttributeRef range = LLVMCreateConstantRangeAttribute(g->ctx, kind, 32, &lo, &hi);
    LLVMAddAttributeAtIndex(fn, LLVMAttributeReturnIndex, range);
}

LLVMValueRef jr_gen_helper(Gen *g, const char *name, uint32_t nargs, LLVMValueRef *args) {
    const Helper *h = find_helper(name);
    LLVMTypeRef params[8];
    for (uint32_t i = 0; i < nargs; i++)
        params[i] = letter_type(g, h->types[i + 1]);
    LLVMTypeRef type = LLVMFunctionType(letter_type(g, h->types[0]), params, nargs, 0);
    LLVMValueRef fn = declare(g, name, type);
    if (h->kind == 'c' || h->kind == 'f')
        jr_gen_attr(g, fn, LLVMAttributeFunctionIndex, "cold", 0);
    if (h->kind == 'f') never_zero(g, fn);
    if (h->kind == 'p') make_pure(g, fn);
    return LLVMBuildCall2(g->b, type, fn, args, nargs, "");
}

/* LLVM knows libm's names and rewrites their calls, not always to the same last bit.
 * `nobuiltin` forbids that; `exactly` is off under fast math. */
LLVMValueRef jr_gen_libm(Gen *g, const char *name, LLVMTypeRef type, uint32_t nargs,
                         LLVMValueRef *args, bool exactly) {
    LLVMTypeRef params[] = {type, type, type};
    LLVMTypeRef fn_type = LLVMFunctionType(type, params, nargs, 0);
    LLVMValueRef fn = declare(g, name, fn_type);
    make_pure(g, fn);
    LLVMValueRef call = LLVMBuildCall2(g->b, fn_type, fn, args, nargs, "");
    if (exactly) {
        unsigned kind = LLVMGetEnumAttributeKindForName("nobuiltin", 9);
        LLVMAddCallSiteAttribute(call, LLVMAttributeFunctionIndex,
                                 LLVMCreateEnumAttribute(g->ctx, kind, 0));
    }
    return call;
}

LLVMValueRef jr_gen_runtime(Gen *g, const char *name, LLVMValueRef *args) {
    LLVMTypeRef params[] = {g->ptr, g->ptr, g->ptr, g->ptr};
    LLVMTypeRef type = LLVMFunctionType(g->i32, params, 4, 0);
    return LLVMBuildCall2(g->b, type, declare(g, name, type), args, 4, "");
}

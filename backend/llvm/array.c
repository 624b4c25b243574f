/* Array headers, elements and views. An array is a few scalars here, so LLVM sees through
 * views, keeps dims in registers and compares indices with them for nothing where it can. */
#include "backend/llvm/gen.h"

#include <string.h>

static LLVMValueRef mul(Gen *g, LLVMValueRef a, LLVMValueRef b) {
    return LLVMBuildNSWMul(g->b, a, b, "");
}

LLVMValueRef jr_gen_stride(GenFunc *f, IrType type, const GenArray *array, unsigned axis) {
    if (type.layout == LAYOUT_ANY) return array->strides[axis];
    LLVMValueRef stride = jr_gen_int(f->g, 1);
    for (unsigned i = type.ndim; i-- > axis + 1u;)
        stride = mul(f->g, array->dims[i], stride);
    return stride;
}

GenArray jr_gen_array_as(GenFunc *f, IrReg reg, IrType to) {
    GenArray array = jr_gen_array(f, reg);
    IrType from = ir_reg_type(f->ir, reg);
    for (unsigned i = 0; from.layout != to.layout && i < from.ndim; i++)
        array.strides[i] = jr_gen_stride(f, from, &array, i);
    return array;
}

/* ---- Headers in memory ---- */

LLVMValueRef jr_gen_header(GenFunc *f, unsigned which) {
    if (!f->headers[which]) {
        LLVMTypeRef type = LLVMArrayType2(f->g->i64, 2 + 2 * IR_MAX_DIMS);
        f->headers[which] = jr_gen_alloca(f, type, "header");
    }
    return f->headers[which];
}

static LLVMValueRef word(Gen *g, LLVMValueRef base, unsigned index) {
    LLVMValueRef at = jr_gen_int(g, index);
    return index ? LLVMBuildInBoundsGEP2(g->b, g->i64, base, &at, 1, "") : base;
}

void jr_gen_header_store(GenFunc *f, LLVMValueRef header, IrType type, const GenArray *array) {
    Gen *g = f->g;
    LLVMBuildStore(g->b, array->data, word(g, header, 0));
    LLVMBuildStore(g->b, array->owner, word(g, header, 1));
    for (unsigned i = 0; i < type.ndim; i++) {
        LLVMBuildStore(g->b, array->dims[i], word(g, header, 2 + i));
        LLVMBuildStore(g->b, jr_gen_stride(f, type, array, i),
                       word(g, header, 2 + type.ndim + i));
    }
}

void jr_gen_header_load(Gen *g, LLVMValueRef header, IrType type, GenArray *array) {
    LLVMBuilderRef b = g->b;
    array->data = LLVMBuildLoad2(b, g->ptr, word(g, header, 0), "data");
    array->owner = LLVMBuildLoad2(b, g->ptr, word(g, header, 1), "owner");
    for (unsigned i = 0; i < type.ndim; i++)
        array->dims[i] = LLVMBuildLoad2(b, g->i64, word(g, header, 2 + i), "dim");
    for (unsigned i = 0; type.layout == LAYOUT_ANY && i < type.ndim; i++)
        array->strides[i] =
            LLVMBuildLoad2(b, g->i64, word(g, header, 2 + type.ndim + i), "stride");
}

/* ---- Indices ---- */

typedef struct Access {
    const IrStmt *stmt;
    const GenArray *array; /* once its code is being generated */
    IrType type;
    uint32_t check, wrap; /* a bit per axis, less what is proven */
} Access;

static Access access_of(const GenFunc *f, const IrStmt *s) {
    const GenProof *proof = jr_gen_proof(f, s);
    uint32_t proven = proof ? proof->axes : 0;
    return (Access){s, NULL, ir_reg_type(f->ir, s->args[0]), s->u.mem.check & ~proven,
                    s->u.mem.wrap & ~proven};
}

/* One that is not within the array may count from the end. If it does not, it is an error. */
static LLVMValueRef checked_index(GenFunc *f, const Access *a, unsigned axis,
                                  LLVMValueRef index) {
    Gen *g = f->g;
    LLVMValueRef dim = a->array->dims[axis], wrapped = NULL, at = index;
    if (f->plan && f->plan->guess.bad) return jr_gen_guess_index(f, index, dim);
    LLVMValueRef inside = LLVMBuildICmp(g->b, LLVMIntULT, index, dim, "");
    LLVMBasicBlockRef here = LLVMGetInsertBlock(g->b);
    LLVMBasicBlockRef usual = jr_gen_unless(f, inside, "outside");
    if (a->wrap >> axis & 1) {
        wrapped = LLVMBuildAdd(g->b, index, dim, "");
        LLVMBasicBlockRef cold = LLVMGetInsertBlock(g->b), fails = jr_gen_label(f, "fails");
        LLVMBuildCondBr(g->b, LLVMBuildICmp(g->b, LLVMIntULT, wrapped, dim, ""), usual, fails);
        LLVMPositionBuilderAtEnd(g->b, usual);
        at = LLVMBuildPhi(g->b, g->i64, "");
        LLVMAddIncoming(at, (LLVMValueRef[]){index, wrapped},
                        (LLVMBasicBlockRef[]){here, cold}, 2);
        jr_gen_start(f, fails);
    }
    LLVMValueRef args[] = {f->rt,
                           jr_gen_where(f, a->stmt->span),
                           index,
                           dim,
                           jr_gen_int(g, axis),
                           jr_gen_int(g, a->type.ndim)};
    jr_gen_fail(f, jr_gen_helper(g, "jr_rt_raise_index", 6, args), usual);
    return at;
}

/* Unchecked, and it may count from the end: hardly any does. A select would be on the way from the index to
 * the element, but keeps a loop that may have vectors without branches. */
static LLVMValueRef wrapped_index(GenFunc *f, const Access *a, unsigned axis,
                                  LLVMValueRef index) {
    Gen *g = f->g;
    LLVMValueRef zero = jr_gen_int(g, 0), dim = a->array->dims[axis];
    if (f->plan && a->stmt->op == OP_LOAD) {
        LLVMValueRef negative = LLVMBuildICmp(g->b, LLVMIntSLT, index, zero, "");
        LLVMValueRef wrapped = LLVMBuildAdd(g->b, index, dim, "");
        return LLVMBuildSelect(g->b, negative, wrapped, index, "");
    }
    LLVMBasicBlockRef here = LLVMGetInsertBlock(g->b);
    LLVMBasicBlockRef usual =
        jr_gen_unless(f, LLVMBuildICmp(g->b, LLVMIntSGE, index, zero, ""), "negative");
    LLVMBasicBlockRef cold = LLVMGetInsertBlock(g->b);
    LLVMValueRef values[] = {index, LLVMBuildAdd(g->b, index, dim, "")};
    LLVMBuildBr(g->b, usual);
    jr_gen_start(f, usual);
    LLVMValueRef at = LLVMBuildPhi(g->b, g->i64, "");
    LLVMAddIncoming(at, values, (LLVMBasicBlockRef[]){here, cold}, 2);
    return at;
}

static LLVMValueRef index_on(GenFunc *f, const Access *a, unsigned axis, LLVMValueRef index) {
    if (a->check >> axis & 1) return checked_index(f, a, axis, index);
    return a->wrap >> axis & 1 ? wrapped_index(f, a, axis, index) : index;
}

/* ---- h[k] += 1: what follows is at the place that the load has found ---- */

enum { MAX_BETWEEN = 16 }; /* statements */

/* Writes the access' array or one of its indices. */
static bool writes_any(const IrStmt *s, const IrStmt *access, unsigned ndim);

static bool block_writes_any(const IrBlock *block, const IrStmt *access, unsigned ndim) {
    for (const IrStmt *s = block->first; s; s = s->next)
        if (writes_any(s, access, ndim)) return true;
    return false;
}

static bool writes_any(const IrStmt *s, const IrStmt *access, unsigned ndim) {
    for (uint32_t i = 0; i < s->ndsts; i++)
        for (unsigned k = 0; k <= ndim; k++)
            if (s->dsts[i] == access->args[k]) return true;
    return ir_stmt_is_nested(s) && (block_writes_any(&s->u.blocks.then, access, ndim) ||
                                    block_writes_any(&s->u.blocks.els, access, ndim));
}

/* Whether the access comes behind `s` in its block, or in an arm of an `if` there, with its array and indices as they are. */
static bool leads_to(const IrStmt *s, const IrStmt *access, unsigned ndim, int *left) {
    for (; s; s = s->next) {
        if (s == access) return true;
        if (--*left < 0) return false;
        if (s->op == OP_IF && (leads_to(s->u.blocks.then.first, access, ndim, left) ||
                               leads_to(s->u.blocks.els.first, access, ndim, left)))
            return true;
        if (writes_any(s, access, ndim)) return false;
    }
    return false;
}

/* Whether the load is in front of the access, and reads the element that it reads or writes. */
static bool is_for(const IrStmt *load, const IrStmt *access, unsigned ndim) {
    int left = MAX_BETWEEN;
    if (load == access || load->nargs != ndim + 1) return false;
    for (unsigned k = 0; k <= ndim; k++)
        if (load->args[k] != access->args[k]) return false;
    return leads_to(load, access, ndim, &left);
}

static LLVMValueRef found_by_load(const GenFunc *f, const IrStmt *access, unsigned ndim) {
    for (int i = 0; i < GEN_FOUND; i++)
        if (f->found[i].load && is_for(f->found[i].load, access, ndim)) return f->found[i].at;
    return NULL;
}

bool jr_gen_was_found(const GenFunc *f, const IrStmt *s) {
    return found_by_load(f, s, ir_reg_type(f->ir, s->args[0]).ndim) != NULL;
}

/* What the twin of a loop has found for the same load is no more. */
static void note_found(GenFunc *f, const IrStmt *load, LLVMValueRef at) {
    unsigned next = f->nfound % GEN_FOUND;
    for (unsigned i = 0; i < GEN_FOUND; i++)
        if (f->found[i].load == load) next = i;
    f->nfound += next == f->nfound % GEN_FOUND;
    f->found[next] = (GenFound){load, at};
}

static LLVMValueRef element_of(GenFunc *f, const IrStmt *s, Access a);

static LLVMValueRef element(GenFunc *f, const IrStmt *s) {
    unsigned ndim = ir_reg_type(f->ir, s->args[0]).ndim;
    if (f->either.at && (s == f->either.stores[0] || s == f->either.stores[1]))
        return f->either.at;
    LLVMValueRef at = found_by_load(f, s, ndim);
    if (at) return at;
    at = element_of(f, s, access_of(f, s));
    if (s->op == OP_LOAD) note_found(f, s, at);
    return at;
}

/* Offsets cannot overflow: every index is within an array that exists. */
static LLVMValueRef element_of(GenFunc *f, const IrStmt *s, Access a) {
    Gen *g = f->g;
    GenArray array = jr_gen_array(f, s->args[0]);
    a.array = &array;
    LLVMValueRef offset = NULL;
    g->needs.strided |= f->loop && a.type.layout == LAYOUT_ANY;
    for (unsigned i = 0; i < a.type.ndim; i++) {
        LLVMValueRef at = i + 1 == a.type.ndim ? jr_gen_index_ahead(f, s) : NULL;
        if (!at) at = index_on(f, &a, i, jr_gen_value(f, s->args[1 + i]));
        if (a.type.layout == LAYOUT_ANY)
            at = mul(g, at, array.strides[i]);
        else if (offset)
            offset = mul(g, offset, array.dims[i]);
        offset = offset ? LLVMBuildNSWAdd(g->b, offset, at, "") : at;
    }
    return LLVMBuildInBoundsGEP2(g->b, g->memory[a.type.scalar], array.data, &offset, 1, "");
}

LLVMValueRef jr_gen_is_inside(GenFunc *f, const IrStmt *s) {
    LLVMBuilderRef b = f->g->b;
    GenArray array = jr_gen_array(f, s->args[0]);
    LLVMValueRef all = LLVMConstInt(f->g->i1, 1, 0);
    for (unsigned i = 0; i < ir_reg_type(f->ir, s->args[0]).ndim; i++) {
        LLVMValueRef index = jr_gen_value(f, s->args[1 + i]);
        LLVMValueRef inside = LLVMBuildICmp(b, LLVMIntULT, index, array.dims[i], "");
        all = LLVMBuildAnd(b, all, inside, "");
    }
    return all;
}

LLVMValueRef jr_gen_element_inside(GenFunc *f, const IrStmt *s) {
    Access a = access_of(f, s);
    a.check = a.wrap = 0;
    return element_of(f, s, a);
}

void jr_gen_load(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    unsigned scalar = ir_reg_type(f->ir, s->args[0]).scalar;
    LLVMValueRef value = LLVMBuildLoad2(g->b, g->memory[scalar], element(f, s), "");
    jr_gen_set_scope(f, s, value);
    if (scalar == TY_BOOL)
        value = LLVMBuildICmp(g->b, LLVMIntNE, value, LLVMConstNull(g->i8), "");
    jr_gen_set(f, s->dsts[0], value);
}

void jr_gen_store_value(GenFunc *f, const IrStmt *s, LLVMValueRef value) {
    Gen *g = f->g;
    unsigned scalar = ir_reg_type(f->ir, s->args[0]).scalar;
    if (scalar == TY_BOOL) value = LLVMBuildZExt(g->b, value, g->i8, "");
    if (jr_gen_guess_store(f, s, value)) return;
    LLVMValueRef at = element(f, s);
    jr_gen_set_scope(f, s, LLVMBuildStore(g->b, value, at));
}

void jr_gen_store(GenFunc *f, const IrStmt *s) {
    LLVMValueRef value = jr_gen_value(f, s->args[s->nargs - 1]);
    if (f->held)
        *f->held = (GenHeld){s, value};
    else
        jr_gen_store_value(f, s, value);
}

void jr_gen_dim(GenFunc *f, const IrStmt *s) {
    GenArray array = jr_gen_array(f, s->args[0]);
    LLVMValueRef value =
        s->op == OP_DIM ? array.dims[s->u.imm]
                        : jr_gen_stride(f, ir_reg_type(f->ir, s->args[0]), &array, s->u.imm);
    jr_gen_set(f, s->dsts[0], value);
}

/* ---- Views ---- */

/* Not inbounds: the start of an empty slice may lie outside. */
static void advance(Gen *g, GenArray *view, IrType type, LLVMValueRef index,
                    LLVMValueRef stride) {
    LLVMValueRef offset = LLVMBuildMul(g->b, index, stride, "");
    view->data = LLVMBuildGEP2(g->b, g->memory[type.scalar], view->data, &offset, 1, "");
}

typedef struct ViewState {
    GenArray view;
    unsigned axis, out; /* the next of the array, and of the view */
    uint32_t arg;
} ViewState;

static void view_append(ViewState *v, LLVMValueRef dim, LLVMValueRef stride) {
    v->view.dims[v->out] = dim;
    v->view.strides[v->out++] = stride;
}

static void view_step(GenFunc *f, const Access *a, ViewState *v, char step) {
    Gen *g = f->g;
    const IrReg *args = a->stmt->args;
    if (step == 'n') {
        view_append(v, jr_gen_int(g, 1), jr_gen_int(g, 0));
        return;
    }
    LLVMValueRef stride = jr_gen_stride(f, a->type, a->array, v->axis);
    LLVMValueRef start = jr_gen_value(f, args[v->arg++]);
    if (step == 'i') start = index_on(f, a, v->axis, start);
    advance(g, &v->view, a->type, start, stride);
    if (step == 'r') {
        LLVMValueRef length = jr_gen_value(f, args[v->arg++]);
        LLVMValueRef by = jr_gen_value(f, args[v->arg++]);
        view_append(v, length, LLVMBuildMul(g->b, stride, by, ""));
    }
    v->axis++;
}

void jr_gen_view(GenFunc *f, const IrStmt *s) {
    GenArray array = jr_gen_array(f, s->args[0]);
    Access a = access_of(f, s);
    a.array = &array;
    ViewState v = {.view = {.data = array.data, .owner = array.owner}, .arg = 1};
    for (const char *step = s->u.mem.axes; *step; step++)
        view_step(f, &a, &v, *step);
    for (; v.axis < a.type.ndim; v.axis++)
        view_append(&v, array.dims[v.axis], jr_gen_stride(f, a.type, &array, v.axis));
    jr_gen_set_array(f, s->dsts[0], &v.view);
}

void jr_gen_transpose(GenFunc *f, const IrStmt *s) {
    GenArray array = jr_gen_array(f, s->args[0]), out = array;
    IrType type = ir_reg_type(f->ir, s->args[0]);
    for (unsigned i = 0; i < type.ndim; i++) {
        unsigned from = type.ndim - 1u - i;
        out.dims[i] = array.dims[from];
        out.strides[i] = jr_gen_stride(f, type, &array, from);
    }
    jr_gen_set_array(f, s->dsts[0], &out);
}

/* ---- Shapes ---- */

static void fail_shape(GenFunc *f, const IrStmt *s, const GenArray *array, LLVMValueRef ok) {
    Gen *g = f->g;
    IrType type = ir_reg_type(f->ir, s->args[0]);
    LLVMBasicBlockRef usual = jr_gen_unless(f, ok, "misshaped");
    LLVMValueRef header = jr_gen_header(f, 0), dims = jr_gen_header(f, 1);
    jr_gen_header_store(f, header, type, array);
    for (uint32_t i = 1; i < s->nargs; i++)
        LLVMBuildStore(g->b, jr_gen_value(f, s->args[i]), word(g, dims, i - 1));
    LLVMValueRef args[] = {f->rt,
                           jr_gen_where(f, s->span),
                           jr_gen_int32(g, (int32_t)ir_type_bits(type)),
                           header,
                           dims,
                           jr_gen_int(g, s->nargs - 1),
                           jr_gen_int(g, s->op == OP_RESHAPE)};
    jr_gen_fail(f, jr_gen_helper(g, "jr_rt_raise_shape", 7, args), usual);
}

/* Axes are aligned at the right; those of length 1 stretch. */
void jr_gen_broadcast(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    GenArray array = jr_gen_array(f, s->args[0]), out = array;
    IrType type = ir_reg_type(f->ir, s->args[0]);
    unsigned added = s->nargs - 1 - type.ndim;
    LLVMValueRef ok = LLVMConstInt(g->i1, 1, 0), zero = jr_gen_int(g, 0);
    for (unsigned i = 0; i < s->nargs - 1; i++) {
        out.dims[i] = jr_gen_value(f, s->args[1 + i]);
        out.strides[i] = zero;
        if (i < added) continue;
        LLVMValueRef dim = array.dims[i - added];
        LLVMValueRef same = LLVMBuildICmp(g->b, LLVMIntEQ, dim, out.dims[i], "");
        LLVMValueRef one = LLVMBuildICmp(g->b, LLVMIntEQ, dim, jr_gen_int(g, 1), "");
        ok = LLVMBuildAnd(g->b, ok, LLVMBuildOr(g->b, same, one, ""), "");
        LLVMValueRef stride = jr_gen_stride(f, type, &array, i - added);
        out.strides[i] = LLVMBuildSelect(g->b, same, stride, zero, "");
    }
    fail_shape(f, s, &array, ok);
    jr_gen_set_array(f, s->dsts[0], &out);
}

/* *product *= dim; *ok turns false when that overflows or dim is negative. */
static void times(Gen *g, LLVMValueRef *product, LLVMValueRef *ok, LLVMValueRef dim) {
    LLVMValueRef args[] = {*product, dim};
    LLVMValueRef pair = jr_gen_intrinsic(g, "llvm.umul.with.overflow", 1, &g->i64, 2, args);
    *product = LLVMBuildExtractValue(g->b, pair, 0, "");
    LLVMValueRef fits = LLVMBuildNot(g->b, LLVMBuildExtractValue(g->b, pair, 1, ""), "");
    LLVMValueRef positive = LLVMBuildICmp(g->b, LLVMIntSGE, dim, jr_gen_int(g, 0), "");
    *ok = LLVMBuildAnd(g->b, *ok, LLVMBuildAnd(g->b, fits, positive, ""), "");
}

void jr_gen_reshape(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    GenArray array = jr_gen_array(f, s->args[0]), out = array;
    LLVMValueRef ok = LLVMConstInt(g->i1, 1, 0), have = jr_gen_int(g, 1), want = have;
    for (unsigned i = 0; i < ir_reg_type(f->ir, s->args[0]).ndim; i++)
        have = LLVMBuildMul(g->b, have, array.dims[i], "");
    for (uint32_t i = 1; i < s->nargs; i++) {
        out.dims[i - 1] = jr_gen_value(f, s->args[i]);
        times(g, &want, &ok, out.dims[i - 1]);
    }
    ok = LLVMBuildAnd(g->b, ok, LLVMBuildICmp(g->b, LLVMIntEQ, have, want, ""), "");
    fail_shape(f, s, &array, ok);
    IrType type = ir_reg_type(f->ir, s->dsts[0]), dense = type;
    dense.layout = LAYOUT_C;
    for (unsigned i = 0; i < type.ndim; i++)
        out.strides[i] = jr_gen_stride(f, dense, &out, i);
    jr_gen_set_array(f, s->dsts[0], &out);
}

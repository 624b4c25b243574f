/* Calls between functions of the module, calls of the runtime, and errors. */
#include "backend/llvm/gen.h"

#include <string.h>

/* ---- Functions of the module ---- */

static uint32_t push_args(GenFunc *f, const IrStmt *s, LLVMValueRef *args) {
    const IrFunc *callee = s->u.callee;
    uint32_t n = 0;
    args[n++] = f->rt;
    for (uint32_t i = 0; i < s->nargs; i++) {
        IrType type = ir_reg_type(callee, i);
        if (type.ndim) {
            GenArray array = jr_gen_array_as(f, s->args[i], type);
            jr_gen_explode(&array, type, &args[n]);
        } else {
            args[n] = jr_gen_value(f, s->args[i]);
        }
        n += jr_gen_nparts(type);
    }
    return n;
}

static void set_results(GenFunc *f, const IrStmt *s, const LLVMValueRef *parts) {
    for (uint32_t i = 0; i < s->ndsts; i++) {
        IrType type = s->u.callee->rets[i];
        if (type.ndim) {
            GenArray array = {0};
            jr_gen_implode(&array, type, parts);
            jr_gen_take(f, s->dsts[i], &array);
        } else {
            jr_gen_set(f, s->dsts[i], parts[0]);
        }
        parts += jr_gen_nparts(type);
    }
}

static uint32_t args_room(const IrFunc *callee) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < callee->nparams; i++)
        n += jr_gen_nparts(ir_reg_type(callee, i));
    return n;
}

void jr_gen_call(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    if (s->u.callee->host) {
        jr_gen_host(f, s);
        return;
    }
    const GenSig *sig = jr_table_get(&g->sigs, s->u.callee->name);
    if (sig->ir == f->ir) sig = f->sig->next;
    LLVMValueRef *args = JR_NEW_ARRAY(g->arena, LLVMValueRef, args_room(sig->ir));
    LLVMValueRef *parts = JR_NEW_ARRAY(g->arena, LLVMValueRef, sig->nparts + 1);
    uint32_t nargs = push_args(f, s, args);
    LLVMValueRef result = LLVMBuildCall2(g->b, sig->type, sig->fn, args, nargs, "");
    if (sig->fails || sig->nparts > 1) {
        for (uint32_t i = 0; i < sig->nparts; i++)
            parts[i] = LLVMBuildExtractValue(g->b, result, i + sig->fails, "");
        if (sig->fails)
            jr_gen_check_status(f, LLVMBuildExtractValue(g->b, result, 0, "status"), s);
    } else {
        parts[0] = result;
    }
    set_results(f, s, parts);
}

void jr_gen_return(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    LLVMValueRef parts[2 + 2 * IR_MAX_DIMS];
    for (uint32_t i = 0, at = 0; i < s->nargs; i++) {
        IrType type = f->ir->rets[i];
        if (type.ndim) {
            GenArray array = jr_gen_array_as(f, s->args[i], type);
            jr_gen_retain(f, array.owner);
            jr_gen_explode(&array, type, parts);
        } else {
            parts[0] = jr_gen_value(f, s->args[i]);
        }
        for (uint32_t k = 0; k < jr_gen_nparts(type); k++)
            LLVMBuildStore(g->b, parts[k], f->parts[at++]);
    }
    LLVMBuildStore(g->b, jr_gen_int32(g, 0), f->status);
    LLVMBuildBr(g->b, f->exit);
}

/* ---- The runtime ---- */

enum { MAX_SLOTS = 16 };

static LLVMValueRef slots(GenFunc *f, LLVMValueRef *buffer) {
    if (!*buffer) *buffer = jr_gen_alloca(f, LLVMArrayType2(f->g->i64, MAX_SLOTS), "slots");
    return *buffer;
}

static LLVMValueRef slot(Gen *g, LLVMValueRef base, uint32_t index) {
    LLVMValueRef at = jr_gen_int(g, index);
    return LLVMBuildInBoundsGEP2(g->b, g->i64, base, &at, 1, "");
}

static void put(Gen *g, LLVMValueRef base, uint32_t index, LLVMValueRef value) {
    LLVMBuildStore(g->b, value, slot(g, base, index));
}

static LLVMValueRef type_bits(Gen *g, IrType type) {
    return jr_gen_int(g, ir_type_bits(type));
}

/* One operand; returns the slots it took. An array's header is written to `header`. */
static uint32_t put_arg(GenFunc *f, LLVMValueRef base, uint32_t at, IrReg reg,
                        LLVMValueRef header) {
    Gen *g = f->g;
    IrType type = ir_reg_type(f->ir, reg);
    if (type.ndim) {
        GenArray array = jr_gen_array(f, reg);
        jr_gen_header_store(f, header, type, &array);
        put(g, base, at, type_bits(g, type));
        put(g, base, at + 1, header);
        return 2;
    }
    LLVMValueRef value = jr_gen_value(f, reg);
    if (type.scalar == TY_BOOL) value = LLVMBuildZExt(g->b, value, g->i8, "");
    put(g, base, at, value);
    if (type.scalar != TY_STR) return 1;
    put(g, base, at + 1, jr_gen_int(g, ir_reg(f->ir, reg)->value.str.len));
    return 2;
}

/* Tells the runtime where to write array results. */
static void prepare_results(GenFunc *f, const IrStmt *s, LLVMValueRef base) {
    for (uint32_t i = 0, at = 0; i < s->ndsts; i++, at++) {
        IrType type = ir_reg_type(f->ir, s->dsts[i]);
        if (!type.ndim) continue;
        put(f->g, base, at++, jr_gen_header(f, 3 - i));
        put(f->g, base, at, type_bits(f->g, type));
    }
}

static void get_results(GenFunc *f, const IrStmt *s, LLVMValueRef base) {
    Gen *g = f->g;
    for (uint32_t i = 0, at = 0; i < s->ndsts; i++, at++) {
        IrType type = ir_reg_type(f->ir, s->dsts[i]);
        if (type.ndim) {
            GenArray array = {0};
            jr_gen_header_load(g, jr_gen_header(f, 3 - i), type, &array);
            jr_gen_take(f, s->dsts[i], &array);
            at++;
            continue;
        }
        LLVMValueRef value =
            LLVMBuildLoad2(g->b, g->memory[type.scalar], slot(g, base, at), "");
        if (type.scalar == TY_BOOL) value = LLVMBuildIsNotNull(g->b, value, "");
        jr_gen_set(f, s->dsts[i], value);
    }
}

void jr_gen_rt(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    LLVMValueRef in = LLVMConstNull(g->ptr), out = in;
    if (s->nargs) in = slots(f, &f->rt_args);
    if (s->ndsts) out = slots(f, &f->rt_results);
    for (uint32_t i = 0, at = 0; i < s->nargs; i++)
        at += put_arg(f, in, at, s->args[i],
                      ir_reg_type(f->ir, s->args[i]).ndim ? jr_gen_header(f, i) : NULL);
    prepare_results(f, s, out);
    char name[64] = "jr_rt_";
    strncat(name, ir_rt_name(s->u.rt), sizeof name - sizeof "jr_rt_");
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, s->span), in, out};
    LLVMValueRef status = jr_gen_runtime(g, name, args);
    if (ir_rt_fails(s->u.rt)) jr_gen_check_status(f, status, NULL);
    get_results(f, s, out);
}

/* A region's operands may be many, so they have room of their own. */
void jr_gen_parallel(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    const GenSig *body = jr_table_get(&g->sigs, s->u.callee->name);
    LLVMTypeRef header = LLVMArrayType2(g->i64, 2 + 2 * IR_MAX_DIMS);
    LLVMValueRef operands = jr_gen_alloca(f, LLVMArrayType2(g->i64, 2 * s->nargs), "operands");
    for (uint32_t i = 0, at = 0; i < s->nargs; i++) {
        bool is_array = ir_reg_type(f->ir, s->args[i]).ndim > 0;
        at += put_arg(f, operands, at, s->args[i],
                      is_array ? jr_gen_alloca(f, header, "capture") : NULL);
    }
    const char *letters = ir_parallel_letters(f->ir, s, g->arena);
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, s->span), body->entry,
                           jr_gen_string(g, letters, strlen(letters) + 1), operands};
    LLVMValueRef status = jr_gen_helper(g, "jr_rt_parallel", 5, args);
    if (s->ndsts)
        get_results(f, s, operands);
    else if (f->sig->fails)
        jr_gen_check_status(f, status, NULL);
}

/* ---- Errors ---- */

void jr_gen_raise(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, s->span), jr_gen_int32(g, (int32_t)s->u.exc),
                           jr_gen_value(f, s->args[0]),
                           jr_gen_int(g, ir_reg(f->ir, s->args[0])->value.str.len)};
    jr_gen_fail(f, jr_gen_helper(g, "jr_rt_raise", 5, args), NULL);
}

/* A member of JrRt that a run does not change. */
static LLVMValueRef rt_member(GenFunc *f, size_t offset, LLVMTypeRef type) {
    Gen *g = f->g;
    LLVMValueRef index = jr_gen_int(g, (int64_t)offset);
    LLVMValueRef at = LLVMBuildInBoundsGEP2(g->b, g->i8, f->rt, &index, 1, "");
    LLVMValueRef value = LLVMBuildLoad2(g->b, type, at, "");
    LLVMSetMetadata(value, g->md_invariant,
                    LLVMMetadataAsValue(g->ctx, LLVMMDNodeInContext2(g->ctx, NULL, 0)));
    return value;
}

void jr_gen_poll(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    LLVMValueRef flag = rt_member(f, offsetof(JrRt, cancel), g->ptr);
    LLVMValueRef now = LLVMBuildLoad2(g->b, g->i32, flag, "cancel");
    LLVMSetVolatile(now, 1);
    LLVMValueRef seen = rt_member(f, offsetof(JrRt, seen), g->i32);
    LLVMValueRef same = LLVMBuildICmp(g->b, LLVMIntEQ, now, seen, "");
    LLVMBasicBlockRef usual = jr_gen_unless(f, same, "poll");
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, s->span)};
    LLVMValueRef status = jr_gen_helper(g, "jr_rt_poll", 2, args);
    LLVMBasicBlockRef stop = jr_gen_label(f, "stop");
    LLVMBuildCondBr(g->b, LLVMBuildIsNull(g->b, status, ""), usual, stop);
    LLVMPositionBuilderAtEnd(g->b, stop);
    jr_gen_fail(f, status, usual);
}

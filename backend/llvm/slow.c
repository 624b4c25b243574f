/* Slow twins, as functions of their own.
 *
 * The slow twin of a loop (range.c, apart.c) runs where an index is wrong or counts from the end, or where arrays share
 * memory. To LLVM it is code like any other, and more of it than the quick twin. Of a function that only
 * the first passes see (target.c) it makes machine code in a third of the time, and the function that calls it is
 * smaller.
 *
 *     status, s, m = slow(rt, lo, hi, step, a.data, a.dims, k, s, m)
 *
 * gets the values of what the loop reads and gives back the variables that it writes. */
#include "backend/llvm/gen.h"

#include <string.h>

enum {
    MIN_STMTS = 6,   /* with fewer there is nothing to gain, unless the loop is in another */
    MAX_VALUES = 40, /* that go in and out */
};

/* ---- What a loop reads and writes ---- */

/* How often a register is mentioned: in the function, in the loop. */
typedef struct GenMention {
    uint32_t all, inside;
    bool written;
} GenMention;

static void count_block(const IrBlock *block, GenMention *mentions) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->ndsts; i++)
            mentions[s->dsts[i]].all++;
        for (uint32_t i = 0; i < s->nargs; i++)
            mentions[s->args[i]].all++;
        if (!ir_stmt_is_nested(s)) continue;
        count_block(&s->u.blocks.then, mentions);
        count_block(&s->u.blocks.els, mentions);
    }
}

static void count_once(GenFunc *f) {
    if (f->mentions) return;
    f->mentions = JR_NEW_ARRAY(f->g->arena, GenMention, f->ir->regs.len);
    count_block(&f->ir->body, f->mentions);
}

typedef struct Slow {
    GenFunc *f;
    const IrStmt *loop;
    JR_VEC(IrReg) regs; /* mentioned in the loop, no constants */
    GenReg *outside;    /* what they are outside of it, in that order */
    LLVMValueRef args[MAX_VALUES], slots[MAX_VALUES];
    LLVMTypeRef outs[MAX_VALUES]; /* the status first */
    uint32_t nargs, nouts;
} Slow;

static void mention(Slow *s, IrReg reg, bool written) {
    GenMention *m = &s->f->mentions[reg];
    if (ir_reg(s->f->ir, reg)->kind == REG_CONST) return;
    if (m->inside++ == 0) JR_PUSH(s->f->g->arena, &s->regs, reg);
    m->written |= written;
}

/* Whether the statement can be done elsewhere: it keeps no count of arrays, and ends the loop alone. */
static bool can_move(const IrFunc *ir, const IrStmt *s) {
    switch (ir_op_form((IrOp)s->op)) {
    case FORM_CALL:
        if (s->u.callee == ir || s->u.callee->host) return false;
        break;
    case FORM_RT:
    case FORM_PARALLEL:
    case FORM_ALLOC:
    case FORM_COPYA:
    case FORM_RETURN:
    case FORM_LOOP:
    case FORM_FOR: return false;
    default: break;
    }
    for (uint32_t i = 0; i < s->ndsts; i++) {
        const IrRegInfo *info = ir_reg(ir, s->dsts[i]);
        if (info->type.ndim && (info->owned || info->kind != REG_TEMP)) return false;
    }
    return true;
}

static bool mention_block(Slow *s, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (!can_move(s->f->ir, stmt)) return false;
        for (uint32_t i = 0; i < stmt->nargs; i++)
            mention(s, stmt->args[i], false);
        for (uint32_t i = 0; i < stmt->ndsts; i++)
            mention(s, stmt->dsts[i], true);
        if (stmt->op != OP_IF) continue;
        if (!mention_block(s, &stmt->u.blocks.then) || !mention_block(s, &stmt->u.blocks.els))
            return false;
    }
    return true;
}

static void forget(Slow *s) {
    for (uint32_t i = 0; i < s->regs.len; i++) {
        GenMention *m = &s->f->mentions[s->regs.data[i]];
        m->inside = 0;
        m->written = false;
    }
}

/* ---- In and out ---- */

typedef enum Passing { PASS_NOT, PASS_IN, PASS_IN_AND_OUT } Passing;

static Passing passing(const Slow *s, IrReg reg) {
    const GenMention *m = &s->f->mentions[reg];
    if (!m->written) return PASS_IN;
    if (ir_reg(s->f->ir, reg)->kind != REG_VAR) return PASS_NOT;
    return m->all > m->inside ? PASS_IN_AND_OUT : PASS_NOT;
}

static uint32_t nparts_of(const IrFunc *ir, IrReg reg) {
    return jr_gen_nparts(ir_reg_type(ir, reg));
}

/* Whether not too much goes in and out. */
static bool fits(const Slow *s) {
    uint32_t in = 4, out = 1;
    for (uint32_t i = 0; i < s->regs.len; i++) {
        Passing how = passing(s, s->regs.data[i]);
        if (how != PASS_NOT) in += nparts_of(s->f->ir, s->regs.data[i]);
        out += how == PASS_IN_AND_OUT;
    }
    return in <= MAX_VALUES && out <= MAX_VALUES;
}

static void push_arg(Slow *s, LLVMValueRef value) {
    s->args[s->nargs++] = value;
}

static void push_args(Slow *s, const LLVMValueRef bounds[3]) {
    GenFunc *f = s->f;
    push_arg(s, f->rt);
    for (int i = 0; i < 3; i++)
        push_arg(s, bounds[i]);
    for (uint32_t i = 0; i < s->regs.len; i++) {
        IrReg reg = s->regs.data[i];
        if (passing(s, reg) == PASS_NOT) continue;
        IrType type = ir_reg_type(f->ir, reg);
        if (!type.ndim) {
            push_arg(s, jr_gen_value(f, reg));
            continue;
        }
        GenArray array = jr_gen_array(f, reg);
        jr_gen_explode(&array, type, &s->args[s->nargs]);
        s->nargs += jr_gen_nparts(type);
    }
}

static void find_outs(Slow *s) {
    s->outs[s->nouts++] = s->f->g->i32;
    for (uint32_t i = 0; i < s->regs.len; i++) {
        IrReg reg = s->regs.data[i];
        if (passing(s, reg) == PASS_IN_AND_OUT)
            s->outs[s->nouts++] = s->f->g->scalar[ir_reg_type(s->f->ir, reg).scalar];
    }
}

/* ---- The function ---- */

static void declare(Slow *s, GenSig *sig) {
    Gen *g = s->f->g;
    LLVMTypeRef params[MAX_VALUES];
    find_outs(s);
    for (uint32_t i = 0; i < s->nargs; i++)
        params[i] = LLVMTypeOf(s->args[i]);
    *sig = (GenSig){.ir = s->f->ir, .fails = true, .nparts = s->nouts - 1};
    sig->ret = LLVMStructTypeInContext(g->ctx, s->outs, s->nouts, 0);
    sig->type = LLVMFunctionType(sig->ret, params, s->nargs, 0);
    sig->fn = LLVMAddFunction(g->module, jr_arena_printf(g->arena, "%s.slow", s->f->ir->name),
                              sig->type);
    LLVMSetLinkage(sig->fn, LLVMInternalLinkage);
    jr_gen_function_attrs(g, sig->fn);
    jr_gen_rt_param_attrs(g, sig->fn);
    jr_gen_attr(g, sig->fn, LLVMAttributeFunctionIndex, "noinline", 0);
    jr_gen_attr(g, sig->fn, LLVMAttributeFunctionIndex, "cold", 0); /* says which they are */
}

/* A variable that the loop writes, from where it has its first value. */
static GenReg variable(GenFunc *in, IrReg reg, LLVMValueRef first) {
    LLVMTypeRef type = in->g->scalar[ir_reg_type(in->ir, reg).scalar];
    LLVMValueRef slot = jr_gen_alloca(in, type, "");
    LLVMBuildStore(in->allocas, first ? first : LLVMConstNull(type), slot);
    return (GenReg){.value = slot, .in_memory = true};
}

/* The registers as they are in the function. */
static void bind(Slow *s, GenFunc *in) {
    const IrFunc *ir = in->ir;
    uint32_t at = 4, out = 1;
    for (uint32_t i = 0; i < s->regs.len; i++) {
        IrReg reg = s->regs.data[i];
        IrType type = ir_reg_type(ir, reg);
        Passing how = passing(s, reg);
        GenReg *r = &in->regs[reg];
        if (type.ndim && how == PASS_IN) {
            LLVMValueRef parts[2 + 2 * IR_MAX_DIMS];
            for (uint32_t k = 0; k < jr_gen_nparts(type); k++)
                parts[k] = LLVMGetParam(in->sig->fn, at++);
            *r = (GenReg){.array = JR_NEW(in->g->arena, GenArray)};
            jr_gen_implode(r->array, type, parts);
        } else if (how == PASS_IN) {
            *r = (GenReg){.value = LLVMGetParam(in->sig->fn, at++)};
        } else if (ir_reg(ir, reg)->kind == REG_VAR) {
            *r = variable(in, reg, how == PASS_NOT ? NULL : LLVMGetParam(in->sig->fn, at++));
            if (how == PASS_IN_AND_OUT) s->slots[out++] = r->value;
        }
    }
    s->slots[0] = in->status;
}

static LLVMValueRef bound(const Slow *s, const GenSig *sig, unsigned at) {
    return LLVMIsConstant(s->args[at]) ? s->args[at] : LLVMGetParam(sig->fn, at);
}

static void leave(const Slow *s, const GenFunc *in) {
    LLVMBuilderRef b = in->g->b;
    LLVMValueRef all = LLVMGetPoison(in->sig->ret);
    LLVMPositionBuilderAtEnd(b, in->exit);
    for (uint32_t i = 0; i < s->nouts; i++) {
        LLVMValueRef value = LLVMBuildLoad2(b, s->outs[i], s->slots[i], "");
        all = LLVMBuildInsertValue(b, all, value, i, "");
    }
    LLVMBuildRet(b, all);
    LLVMMoveBasicBlockAfter(in->exit, LLVMGetLastBasicBlock(in->sig->fn));
}

static void define(Slow *s, const GenSig *sig) {
    const GenFunc *f = s->f;
    Gen *g = f->g;
    GenFunc in = {.g = g, .ir = f->ir, .sig = sig, .regs = f->regs, .name = f->name};
    LLVMBasicBlockRef entry = jr_gen_label(&in, "entry"), body = jr_gen_label(&in, "body");
    in.rt = LLVMGetParam(sig->fn, 0);
    in.fast = f->fast;
    in.exit = jr_gen_label(&in, "exit");
    LLVMPositionBuilderAtEnd(in.allocas = g->allocas, entry);
    LLVMPositionBuilderAtEnd(g->b, body);
    in.status = jr_gen_alloca(&in, g->i32, "status");
    bind(s, &in);
    jr_gen_iterate(&in, s->loop, bound(s, sig, 1), bound(s, sig, 2), bound(s, sig, 3));
    jr_gen_fail(&in, jr_gen_int32(g, 0), NULL);
    leave(s, &in);
    LLVMBuildBr(g->allocas, body);
}

/* Generates the function, with the builders and the registers borrowed from the one around the loop. */
static void define_apart(Slow *s, const GenSig *sig) {
    GenFunc *f = s->f;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->g->b);
    LLVMBasicBlockRef entry = LLVMGetInsertBlock(f->allocas);
    s->outside = JR_NEW_ARRAY(f->g->arena, GenReg, s->regs.len + 1);
    for (uint32_t i = 0; i < s->regs.len; i++)
        s->outside[i] = f->regs[s->regs.data[i]];
    define(s, sig);
    for (uint32_t i = 0; i < s->regs.len; i++)
        f->regs[s->regs.data[i]] = s->outside[i];
    LLVMPositionBuilderAtEnd(f->allocas, entry);
    LLVMPositionBuilderAtEnd(f->g->b, here);
}

static void call(const Slow *s, const GenSig *sig) {
    GenFunc *f = s->f;
    LLVMBuilderRef b = f->g->b;
    LLVMValueRef args[MAX_VALUES];
    memcpy(args, s->args, sizeof args);
    LLVMValueRef all = LLVMBuildCall2(b, sig->type, sig->fn, args, s->nargs, "");
    if (f->sig->fails)
        jr_gen_check_status(f, LLVMBuildExtractValue(b, all, 0, "status"), NULL);
    for (uint32_t i = 0, out = 1; i < s->regs.len; i++)
        if (passing(s, s->regs.data[i]) == PASS_IN_AND_OUT)
            jr_gen_set(f, s->regs.data[i], LLVMBuildExtractValue(b, all, out++, ""));
}

/* Finds out what is mentioned, until forget. */
static bool look(Slow *s) {
    count_once(s->f);
    mention(s, s->loop->dsts[0], true);
    return mention_block(s, &s->loop->u.blocks.then) && fits(s);
}

bool jr_gen_can_be_slow(GenFunc *f, const IrStmt *loop) {
    Slow s = {.f = f, .loop = loop};
    if (f->g->level != 2) return false;
    if (!f->loop && ir_block_count(&loop->u.blocks.then) < MIN_STMTS) return false;
    bool can = look(&s);
    forget(&s);
    return can;
}

void jr_gen_slow(GenFunc *f, const IrStmt *loop, const LLVMValueRef bounds[3]) {
    Slow s = {.f = f, .loop = loop};
    GenSig *sig = JR_NEW(f->g->arena, GenSig);
    look(&s);
    push_args(&s, bounds);
    declare(&s, sig);
    define_apart(&s, sig);
    call(&s, sig);
    forget(&s);
    f->g->needs.slow = true;
}

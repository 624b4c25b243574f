/* Functions that call themselves, and what they call then.
 *
 *     fib -> copy -> copy -> base -> fib -> ...
 *
 * A copy is all of a small function, without the check of the stack; the smallest have two. One that calls itself once may do so in a
 * loop. The base is the function up to
 * where it may call itself, such as
 *
 *     if n < 2: return n
 *
 * and then a call of the function. All are always inlined. So of two or three calls one is left; and of
 * these none that would return at once, which in a tree of calls is more than half of them, and costs
 * least to find out before registers are saved. Errors pass through the base as if it was not
 * there: it has no place of its own. */
#include "backend/llvm/gen.h"

enum {
    COPY_STMTS = 40,  /* the largest function that is copied into itself */
    COPY_CALLS = 3,   /* the most calls of itself that it may have */
    TWICE_STMTS = 80, /* of a function and all of its copies, if there are copies in copies */
    BASE_STMTS = 12,  /* the most that are done before a call */
    BASE_CALLS = 8,
};

/* ---- The copy ---- */

static uint32_t count_self_calls(const IrFunc *ir, const IrBlock *block) {
    uint32_t calls = 0;
    for (const IrStmt *s = block->first; s; s = s->next) {
        calls += s->op == OP_CALL && s->u.callee == ir;
        if (!ir_stmt_is_nested(s)) continue;
        calls += count_self_calls(ir, &s->u.blocks.then);
        calls += count_self_calls(ir, &s->u.blocks.els);
    }
    return calls;
}

/* Has few statements, and loops only where these are allowed. */
static bool is_small(const IrBlock *block, bool loops, uint32_t *stmts) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        bool is_loop = s->op == OP_FOR || s->op == OP_LOOP;
        if ((is_loop && !loops) || ++*stmts > COPY_STMTS) return false;
        if (ir_stmt_is_nested(s) && (!is_small(&s->u.blocks.then, loops, stmts) ||
                                     !is_small(&s->u.blocks.els, loops, stmts)))
            return false;
    }
    return true;
}

/* What does all that it does in a loop gains as much. */
static bool calls_in_loop(const IrFunc *ir, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next)
        if ((s->op == OP_FOR || s->op == OP_LOOP) &&
            count_self_calls(ir, &s->u.blocks.then) > 0)
            return true;
    return false;
}

uint32_t jr_gen_count_copies(const Gen *g, const IrFunc *ir) {
    uint32_t stmts = 0;
    if (g->level < 2 || !ir->recursive) return 0;
    uint32_t calls = count_self_calls(ir, &ir->body);
    bool loops = calls == 1 && calls_in_loop(ir, &ir->body);
    if (!is_small(&ir->body, loops, &stmts)) return 0;
    if (calls == 0 || calls > COPY_CALLS) return 0;
    return stmts * (1 + calls + calls * calls) <= TWICE_STMTS ? 2 : 1;
}

/* ---- The base ---- */

/* Can be done a second time. */
static bool only_computes(const IrFunc *ir, const IrStmt *s) {
    return s->op == OP_LOAD || ir_stmt_is_pure(ir, s);
}

/* Whether no more is done than compute something and return, in few statements. */
static bool just_returns(const IrFunc *ir, const IrStmt *s, uint32_t *stmts) {
    for (; s && s->op != OP_RETURN; s = s->next)
        if (!only_computes(ir, s) || ++*stmts > BASE_STMTS) return false;
    return s;
}

/* What a branch that returns does, from where on, and for which condition. */
typedef struct Base {
    const IrStmt *branch, *first;
    bool truth;
} Base;

static Base find_base(const IrFunc *ir) {
    uint32_t stmts = 0;
    const IrStmt *s = ir->body.first;
    for (; s && s->op != OP_IF; s = s->next)
        if (!only_computes(ir, s) || ++stmts > BASE_STMTS) return (Base){0};
    if (!s) return (Base){0};
    const IrStmt *then = s->u.blocks.then.first, *els = s->u.blocks.els.first;
    uint32_t more = stmts;
    if (just_returns(ir, then, &more)) return (Base){s, then, true};
    if (!els) els = s->next;
    return just_returns(ir, els, &stmts) ? (Base){s, els, false} : (Base){0};
}

/* They are released where a function is left, which is not where the base calls. */
static bool owns_arrays(const IrFunc *ir) {
    for (uint32_t i = ir->nparams; i < ir->regs.len; i++)
        if (ir->regs.data[i].type.ndim && ir->regs.data[i].owned) return true;
    return false;
}

bool jr_gen_wants_base(const Gen *g, const IrFunc *ir) {
    if (g->level < 2 || !ir->recursive || owns_arrays(ir)) return false;
    uint32_t calls = count_self_calls(ir, &ir->body);
    return calls > 0 && calls <= BASE_CALLS && find_base(ir).branch;
}

static void up_to_return(GenFunc *f, const IrStmt *s) {
    for (; s->op != OP_RETURN; s = s->next)
        jr_gen_stmt(f, s);
    jr_gen_return(f, s);
}

/* Calls the function with the same arguments. The results go through the slots: as one struct they
 * would stay together past the pass that sees a return's status to be 0. */
static void call_it(GenFunc *f) {
    Gen *g = f->g;
    const GenSig *callee = f->sig->next;
    unsigned n = LLVMCountParams(f->sig->fn);
    LLVMValueRef *args = JR_NEW_ARRAY(g->arena, LLVMValueRef, n);
    LLVMGetParams(f->sig->fn, args);
    LLVMValueRef result = LLVMBuildCall2(g->b, callee->type, callee->fn, args, n, "");
    LLVMBuildStore(g->b, LLVMBuildExtractValue(g->b, result, 0, "status"), f->status);
    for (uint32_t i = 0; i < callee->nparts; i++)
        LLVMBuildStore(g->b, LLVMBuildExtractValue(g->b, result, i + 1, ""), f->parts[i]);
    LLVMBuildBr(g->b, f->exit);
}

void jr_gen_base(GenFunc *f) {
    Gen *g = f->g;
    Base base = find_base(f->ir);
    for (const IrStmt *s = f->ir->body.first; s != base.branch; s = s->next)
        jr_gen_stmt(f, s);
    LLVMBasicBlockRef yes = jr_gen_label(f, "base"), no = jr_gen_label(f, "");
    LLVMBuildCondBr(g->b, jr_gen_value(f, base.branch->args[0]), base.truth ? yes : no,
                    base.truth ? no : yes);
    LLVMPositionBuilderAtEnd(g->b, yes);
    up_to_return(f, base.first);

    LLVMPositionBuilderAtEnd(g->b, no);
    call_it(f);
}

/* Statements and control flow.
 *
 * A FOR becomes the loop that LLVM's passes know best: a guard, then a body that ends in the
 * test,
 *
 *     if (lo < hi) { i = lo; do { body; more = i < hi - step; i += step; } while (more); }
 *
 * with a saturating subtraction in front of the loop, so that i + step can never overflow, and
 * is marked so, whatever the bounds and the step are. A loop in strips has this one inside
 * another, whose body is a strip and a poll. */
#include "backend/llvm/gen.h"

#include <llvm-c/DebugInfo.h>

#include <string.h>

LLVMBasicBlockRef jr_gen_label(GenFunc *f, const char *name) {
    return LLVMAppendBasicBlockInContext(f->g->ctx, f->sig->fn, name);
}

static bool terminated(GenFunc *f) {
    return LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(f->g->b)) != NULL;
}

static void go_to(GenFunc *f, LLVMBasicBlockRef target) {
    if (!terminated(f)) LLVMBuildBr(f->g->b, target);
}

static void start(GenFunc *f, LLVMBasicBlockRef block) {
    LLVMPositionBuilderAtEnd(f->g->b, block);
}

/* ---- Errors ---- */

LLVMBasicBlockRef jr_gen_unless(GenFunc *f, LLVMValueRef ok, const char *name) {
    LLVMBasicBlockRef cold = jr_gen_label(f, name), usual = jr_gen_label(f, "");
    LLVMValueRef branch = LLVMBuildCondBr(f->g->b, ok, usual, cold);
    LLVMSetMetadata(branch, f->g->md_prof, f->g->likely);
    start(f, cold);
    return usual;
}

void jr_gen_fail(GenFunc *f, LLVMValueRef status, LLVMBasicBlockRef usual) {
    LLVMBuildStore(f->g->b, status, f->status);
    LLVMBuildBr(f->g->b, f->exit);
    if (usual) start(f, usual);
}

void jr_gen_trap_unless(GenFunc *f, LLVMValueRef ok, IrTrap trap, JrSpan span) {
    if (LLVMIsAConstantInt(ok) && !LLVMIsNull(ok)) return;
    LLVMBasicBlockRef usual = jr_gen_unless(f, ok, "trap");
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, span), jr_gen_int32(f->g, (int32_t)trap)};
    jr_gen_fail(f, jr_gen_helper(f->g, "jr_rt_trap", 3, args), usual);
}

void jr_gen_check_status(GenFunc *f, LLVMValueRef status, const IrStmt *call) {
    LLVMValueRef ok = LLVMBuildIsNull(f->g->b, status, "");
    LLVMBasicBlockRef usual = jr_gen_unless(f, ok, "failed");
    LLVMValueRef args[] = {f->rt, call ? jr_gen_where(f, call->span) : NULL};
    if (call) status = jr_gen_helper(f->g, "jr_rt_trace", 2, args);
    jr_gen_fail(f, status, usual);
}

/* ---- Branches and loops ---- */

static void gen_if(GenFunc *f, const IrStmt *s) {
    bool has_else = s->u.blocks.els.first != NULL;
    LLVMBasicBlockRef then = jr_gen_label(f, "then"), join = jr_gen_label(f, "");
    LLVMBasicBlockRef els = has_else ? jr_gen_label(f, "else") : join;
    LLVMBuildCondBr(f->g->b, jr_gen_value(f, s->args[0]), then, els);
    start(f, then);
    jr_gen_block(f, &s->u.blocks.then);
    go_to(f, join);
    if (has_else) {
        start(f, els);
        jr_gen_block(f, &s->u.blocks.els);
        go_to(f, join);
    }
    start(f, join);
}

/* How a counted loop looks whether it is to stop. A loop that may leave early has no vector form
 * to lose, and a look at every iteration is less code than strips. */
typedef enum Looks { LOOKS_NEVER, LOOKS_EACH, LOOKS_STRIPS } Looks;

static bool leaves_early(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_BREAK || s->op == OP_RETURN) return true;
        if (s->op == OP_IF &&
            (leaves_early(&s->u.blocks.then) || leaves_early(&s->u.blocks.els)))
            return true;
    }
    return false;
}

static Looks looks_of(const IrStmt *s) {
    if (!s->strip || s->pass) return LOOKS_NEVER;
    return leaves_early(&s->u.blocks.then) ? LOOKS_EACH : LOOKS_STRIPS;
}

static void loop_body(GenFunc *f, const IrStmt *s, Looks looks, LLVMBasicBlockRef on_break,
                      LLVMBasicBlockRef on_continue) {
    GenLoop loop = {f->loop, on_break, on_continue};
    f->loop = &loop;
    if (looks == LOOKS_EACH) jr_gen_poll(f, s);
    jr_gen_block(f, &s->u.blocks.then);
    go_to(f, on_continue);
    f->loop = loop.outer;
}

static void gen_loop(GenFunc *f, const IrStmt *s) {
    LLVMBasicBlockRef top = jr_gen_label(f, "loop"), after = jr_gen_label(f, "");
    LLVMBuildBr(f->g->b, top);
    start(f, top);
    loop_body(f, s, LOOKS_NEVER, after, top);
    start(f, after);
}

typedef struct Bounds {
    LLVMValueRef lo, hi, step;
} Bounds;

/* a < b when counting up, a > b when counting down. */
static LLVMValueRef before(Gen *g, LLVMValueRef step, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef up = LLVMBuildICmp(g->b, LLVMIntSGT, step, jr_gen_int(g, 0), "up");
    if (LLVMIsAConstantInt(up))
        return LLVMBuildICmp(g->b, LLVMIsNull(up) ? LLVMIntSGT : LLVMIntSLT, a, b, "");
    return LLVMBuildSelect(g->b, up, LLVMBuildICmp(g->b, LLVMIntSLT, a, b, ""),
                           LLVMBuildICmp(g->b, LLVMIntSGT, a, b, ""), "");
}

static LLVMValueRef guard(Gen *g, const Bounds *bounds) {
    LLVMValueRef some = before(g, bounds->step, bounds->lo, bounds->hi);
    return LLVMBuildAnd(g->b, some, LLVMBuildIsNotNull(g->b, bounds->step, ""), "");
}

/* Tells LLVM what to do with the loop whose last branch this is. */
static void mark_loop(Gen *g, LLVMValueRef branch, const char *what) {
    LLVMMetadataRef self = LLVMTemporaryMDNode(g->ctx, NULL, 0);
    LLVMMetadataRef name = LLVMMDStringInContext2(g->ctx, what, strlen(what));
    LLVMMetadataRef parts[] = {self, LLVMMDNodeInContext2(g->ctx, &name, 1)};
    LLVMMetadataRef node = LLVMMDNodeInContext2(g->ctx, parts, 2);
    LLVMMetadataReplaceAllUsesWith(self, node);
    LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(g->ctx, "llvm.loop", 9),
                    LLVMMetadataAsValue(g->ctx, node));
}

enum {
    FEW_TRIPS = 8,
    UNROLLED_STMTS = 64, /* all copies of the body together */
};

static uint32_t count_stmts(const IrBlock *block) {
    uint32_t n = 0;
    for (const IrStmt *s = block->first; s; s = s->next) {
        n++;
        if (ir_stmt_is_nested(s))
            n += count_stmts(&s->u.blocks.then) + count_stmts(&s->u.blocks.els);
    }
    return n;
}

/* `for k in range(3)` over a few statements is better off as these three times. */
static bool worth_unrolling(const IrStmt *s, const Bounds *bounds) {
    if (!LLVMIsAConstantInt(bounds->lo) || !LLVMIsAConstantInt(bounds->hi) ||
        !LLVMIsAConstantInt(bounds->step))
        return false;
    __int128 way =
        (__int128)LLVMConstIntGetSExtValue(bounds->hi) - LLVMConstIntGetSExtValue(bounds->lo);
    __int128 step = LLVMConstIntGetSExtValue(bounds->step), reach = step * FEW_TRIPS;
    if (step > 0 ? way > reach : way < reach) return false;
    uint32_t size = count_stmts(&s->u.blocks.then);
    __int128 trips = step ? (way + step - (step > 0 ? 1 : -1)) / step : 0;
    return trips > 0 && trips * size <= UNROLLED_STMTS;
}

static LLVMValueRef less_saturated(Gen *g, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef args[] = {a, b};
    return jr_gen_intrinsic(g, "llvm.ssub.sat", 1, &g->i64, 2, args);
}

/* The loop itself, for bounds between which it is known to run; ends in `done`, and for a break
 * in `after`. */
static void iterations(GenFunc *f, const IrStmt *s, const Bounds *bounds,
                       LLVMBasicBlockRef done, LLVMBasicBlockRef after, bool rare) {
    Gen *g = f->g;
    LLVMBasicBlockRef from = LLVMGetInsertBlock(g->b);
    LLVMBasicBlockRef body = jr_gen_label(f, "for"), next = jr_gen_label(f, "next");
    bool by_one =
        LLVMIsAConstantInt(bounds->step) && LLVMConstIntGetSExtValue(bounds->step) == 1;
    LLVMValueRef last = by_one ? bounds->hi : less_saturated(g, bounds->hi, bounds->step);
    LLVMBuildBr(g->b, body);

    start(f, body);
    LLVMValueRef counter = LLVMBuildPhi(g->b, g->i64, "i");
    LLVMValueRef lo = bounds->lo;
    LLVMAddIncoming(counter, &lo, &from, 1);
    jr_gen_set(f, s->dsts[0], counter);
    loop_body(f, s, looks_of(s), after, next);

    start(f, next);
    LLVMValueRef sum = LLVMBuildNSWAdd(g->b, counter, bounds->step, "");
    LLVMValueRef more = by_one ? LLVMBuildICmp(g->b, LLVMIntSLT, sum, bounds->hi, "")
                               : before(g, bounds->step, counter, last);
    LLVMValueRef branch = LLVMBuildCondBr(g->b, more, body, done);
    if (rare) /* the slow twin (range.c) is not worth transforming */
        mark_loop(g, branch, "llvm.loop.disable_nonforced");
    else if (g->level > 1 && worth_unrolling(s, bounds))
        mark_loop(g, branch, "llvm.loop.unroll.full");
    LLVMAddIncoming(counter, &sum, &next, 1);
}

/* The same, strip by strip, with a poll between two:
 *
 *     from = lo;
 *     for (;;) {
 *         more = from < hi - stride;   end = more ? from + stride : hi;
 *         the iterations [from, end)
 *         if (!more) break;
 *         poll;   from = end;
 *     } */
static void strips(GenFunc *f, const IrStmt *s, const Bounds *bounds, LLVMBasicBlockRef after,
                   bool rare) {
    Gen *g = f->g;
    LLVMBasicBlockRef entry = LLVMGetInsertBlock(g->b), top = jr_gen_label(f, "strip");
    LLVMBasicBlockRef done = jr_gen_label(f, "strip.done"), poll = jr_gen_label(f, "");
    LLVMValueRef stride =
        jr_gen_int(g, LLVMConstIntGetSExtValue(bounds->step) * (int64_t)s->strip);
    LLVMValueRef limit = less_saturated(g, bounds->hi, stride), lo = bounds->lo;
    LLVMBuildBr(g->b, top);

    start(f, top);
    LLVMValueRef from = LLVMBuildPhi(g->b, g->i64, "from");
    LLVMAddIncoming(from, &lo, &entry, 1);
    LLVMValueRef more = before(g, bounds->step, from, limit);
    LLVMValueRef next = LLVMBuildAdd(g->b, from, stride, "");
    LLVMValueRef end = LLVMBuildSelect(g->b, more, next, bounds->hi, "end");
    iterations(f, s, &(Bounds){from, end, bounds->step}, done, after, rare);

    start(f, done);
    LLVMBuildCondBr(g->b, more, poll, after);
    start(f, poll);
    jr_gen_poll(f, s);
    LLVMBasicBlockRef back = LLVMGetInsertBlock(g->b);
    LLVMAddIncoming(from, &end, &back, 1);
    LLVMBuildBr(g->b, top);
}

static void for_loop(GenFunc *f, const IrStmt *s, const Bounds *bounds, bool rare) {
    LLVMBasicBlockRef some = jr_gen_label(f, ""), after = jr_gen_label(f, "");
    LLVMBuildCondBr(f->g->b, guard(f->g, bounds), some, after);
    start(f, some);
    if (looks_of(s) == LOOKS_STRIPS)
        strips(f, s, bounds, after, rare);
    else
        iterations(f, s, bounds, after, after, rare);
    start(f, after);
}

/* The loop twice (range.c): quick where `sure` holds, else as it is. */
static void twins(GenFunc *f, const IrStmt *s, const Bounds *bounds, LLVMValueRef sure,
                  GenArrays *arrays) {
    Gen *g = f->g;
    LLVMBasicBlockRef quick = jr_gen_label(f, "quick"), slow = jr_gen_label(f, "slow");
    LLVMBasicBlockRef join = jr_gen_label(f, "");
    LLVMSetMetadata(LLVMBuildCondBr(g->b, sure, quick, slow), g->md_prof, g->likely);
    start(f, quick);
    jr_gen_open_scopes(f, arrays);
    for_loop(f, s, bounds, false);
    LLVMBuildBr(g->b, join);
    jr_gen_forget_proofs(f);
    start(f, slow);
    for_loop(f, s, bounds, true);
    LLVMBuildBr(g->b, join);
    start(f, join);
}

static void gen_for(GenFunc *f, const IrStmt *s) {
    Bounds bounds = {jr_gen_value(f, s->args[0]), jr_gen_value(f, s->args[1]),
                     jr_gen_value(f, s->args[2])};
    GenArrays arrays = {0};
    LLVMValueRef sure = jr_gen_range_condition(f, s, &arrays);
    if (sure && !LLVMIsAConstantInt(sure)) {
        twins(f, s, &bounds, sure, &arrays);
        return;
    }
    if (sure && !LLVMIsNull(sure))
        jr_gen_open_scopes(f, &arrays);
    else
        jr_gen_forget_proofs(f);
    for_loop(f, s, &bounds, false);
    jr_gen_forget_proofs(f);
}

/* ---- Statements ---- */

static void gen_copy(GenFunc *f, const IrStmt *s) {
    IrType type = ir_reg_type(f->ir, s->dsts[0]);
    if (!type.ndim) {
        jr_gen_set(f, s->dsts[0], jr_gen_value(f, s->args[0]));
        return;
    }
    GenArray array = jr_gen_array_as(f, s->args[0], type);
    jr_gen_set_array(f, s->dsts[0], &array);
}

static void gen_select(GenFunc *f, const IrStmt *s) {
    LLVMValueRef a = jr_gen_value(f, s->args[1]), b = jr_gen_value(f, s->args[2]);
    LLVMValueRef value = LLVMBuildSelect(f->g->b, jr_gen_value(f, s->args[0]), a, b, "");
    jr_gen_set(f, s->dsts[0], jr_gen_fast(f, value));
}

static void gen_copy_form(GenFunc *f, const IrStmt *s) {
    if (s->op == OP_TRANSPOSE)
        jr_gen_transpose(f, s);
    else
        jr_gen_assign(f, s);
}

static void gen_shaped(GenFunc *f, const IrStmt *s) {
    if (s->op == OP_BROADCAST)
        jr_gen_broadcast(f, s);
    else
        jr_gen_reshape(f, s);
}

static void gen_jump(GenFunc *f, const IrStmt *s) {
    if (s->op == OP_POLL)
        jr_gen_poll(f, s);
    else
        LLVMBuildBr(f->g->b, s->op == OP_BREAK ? f->loop->on_break : f->loop->on_continue);
}

typedef void GenFn(GenFunc *f, const IrStmt *s);

static GenFn *const by_form[] = {
    [FORM_BIN] = jr_gen_binary,
    [FORM_CMP] = jr_gen_compare,
    [FORM_UN] = jr_gen_unary,
    [FORM_COPY] = gen_copy,
    [FORM_CAST] = jr_gen_cast,
    [FORM_SELECT] = gen_select,
    [FORM_MATH] = jr_gen_math,
    [FORM_BITS] = jr_gen_bits,
    [FORM_LOAD] = jr_gen_load,
    [FORM_STORE] = jr_gen_store,
    [FORM_DIM] = jr_gen_dim,
    [FORM_ALLOC] = jr_gen_alloc,
    [FORM_VIEW] = jr_gen_view,
    [FORM_COPYA] = gen_copy_form,
    [FORM_SHAPED] = gen_shaped,
    [FORM_CALL] = jr_gen_call,
    [FORM_RT] = jr_gen_rt,
    [FORM_PARALLEL] = jr_gen_parallel,
    [FORM_IF] = gen_if,
    [FORM_LOOP] = gen_loop,
    [FORM_FOR] = gen_for,
    [FORM_NONE] = gen_jump,
    [FORM_RETURN] = jr_gen_return,
    [FORM_RAISE] = jr_gen_raise,
};

enum { BLOCK_STMTS = 200 };

/* Without the passes, the time for a basic block grows with its square. */
static void cut_block(GenFunc *f) {
    LLVMBasicBlockRef next = jr_gen_label(f, "on");
    LLVMBuildBr(f->g->b, next);
    LLVMPositionBuilderAtEnd(f->g->b, next);
}

/* What follows a jump in its block is never reached. */
void jr_gen_block(GenFunc *f, const IrBlock *block) {
    uint32_t n = 0;
    for (const IrStmt *s = block->first; s && !terminated(f); s = s->next) {
        by_form[ir_op_form((IrOp)s->op)](f, s);
        if (f->g->level == 0 && ++n % BLOCK_STMTS == 0 && !terminated(f)) cut_block(f);
    }
}

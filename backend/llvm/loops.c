/* Loops.
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

static void go_to(GenFunc *f, LLVMBasicBlockRef target) {
    if (!LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(f->g->b)))
        LLVMBuildBr(f->g->b, target);
}

static void start(GenFunc *f, LLVMBasicBlockRef block) {
    LLVMPositionBuilderAtEnd(f->g->b, block);
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

/* The look of a `while` loop. It is done where the loop goes back to the top, not at the top as in the IR: there it would
 * be in front of the condition, which LLVM then does not move to the end. */
static const IrStmt *poll_of(const IrStmt *s) {
    const IrStmt *first = s->u.blocks.then.first;
    return first && first->op == OP_POLL ? first : NULL;
}

static void loop_body(GenFunc *f, const IrStmt *s, Looks looks, LLVMBasicBlockRef on_break,
                      LLVMBasicBlockRef on_continue) {
    GenLoop loop = {f->loop, on_break, on_continue, s->op == OP_LOOP,
                    f->plan && (!f->plan->checks || f->plan->guess.bad)};
    IrBlock body = s->u.blocks.then;
    f->loop = &loop;
    if (looks == LOOKS_EACH) jr_gen_poll(f, s);
    if (s->op == OP_LOOP && poll_of(s)) body.first = body.first->next;
    jr_gen_block(f, &body);
    go_to(f, on_continue);
    f->loop = loop.outer;
}

void jr_gen_loop(GenFunc *f, const IrStmt *s) {
    LLVMBasicBlockRef top = jr_gen_label(f, "loop"), after = jr_gen_label(f, "");
    LLVMBasicBlockRef next = jr_gen_label(f, "next");
    const IrStmt *poll = s->pass && f->loop ? NULL : poll_of(s); /* the loop around looks */
    LLVMBuildBr(f->g->b, top);
    start(f, top);
    f->g->needs.carried |= jr_gen_carries(f, s, false);
    loop_body(f, s, LOOKS_NEVER, after, next);
    start(f, next);
    if (poll) jr_gen_poll(f, poll);
    LLVMBuildBr(f->g->b, top);
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

/* Tells LLVM what to do with the loop whose last branch this is; with a number, if it is not 0. */
static void mark_loop(Gen *g, LLVMValueRef branch, const char *what, int32_t number) {
    LLVMMetadataRef self = LLVMTemporaryMDNode(g->ctx, NULL, 0);
    LLVMMetadataRef words[] = {LLVMMDStringInContext2(g->ctx, what, strlen(what)),
                               LLVMValueAsMetadata(jr_gen_int32(g, number))};
    LLVMMetadataRef parts[] = {self, LLVMMDNodeInContext2(g->ctx, words, number ? 2 : 1)};
    LLVMMetadataRef node = LLVMMDNodeInContext2(g->ctx, parts, 2);
    LLVMMetadataReplaceAllUsesWith(self, node);
    LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(g->ctx, "llvm.loop", 9),
                    LLVMMetadataAsValue(g->ctx, node));
}

enum {
    FEW_TRIPS = 8,
    UNROLLED_STMTS = 64, /* all copies of the body together */
};

/* `for k in range(3)` over a few statements is better off as these three times. */
static bool worth_unrolling(const IrStmt *s, const Bounds *bounds) {
    if (!LLVMIsAConstantInt(bounds->lo) || !LLVMIsAConstantInt(bounds->hi) ||
        !LLVMIsAConstantInt(bounds->step))
        return false;
    __int128 way =
        (__int128)LLVMConstIntGetSExtValue(bounds->hi) - LLVMConstIntGetSExtValue(bounds->lo);
    __int128 step = LLVMConstIntGetSExtValue(bounds->step), reach = step * FEW_TRIPS;
    if (step > 0 ? way > reach : way < reach) return false;
    uint32_t size = ir_block_count(&s->u.blocks.then);
    __int128 trips = step ? (way + step - (step > 0 ? 1 : -1)) / step : 0;
    return trips > 0 && trips * size <= UNROLLED_STMTS;
}

/* What a body does that matters to whether vectors would help it. */
typedef struct Work {
    bool in_order; /* adds to a float that the iteration before has left */
    bool divides;
} Work;

static bool is_float(const IrFunc *ir, IrReg reg) {
    return ir_scalar_is_float((IrScalar)ir_reg_type(ir, reg).scalar);
}

enum { LOOKED_BACK = 200 };

/* `t = c[j]; t += x` begins anew each time. */
static bool is_new(const IrStmt *s, IrReg reg) {
    uint32_t n = 0;
    for (s = s->prev; s && n++ < LOOKED_BACK; s = s->prev)
        if (s->ndsts == 1 && s->dsts[0] == reg) return true;
    return false;
}

static void note_work(Work *work, const GenFunc *f, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        const GenProof *proof = s->op == OP_STORE ? jr_gen_proof(f, s) : NULL;
        if (s->ndsts == 1 && is_float(f->ir, s->dsts[0])) {
            work->divides |= s->op == OP_DIV || s->op == OP_MATH;
            work->in_order |= (s->op == OP_ADD || s->op == OP_SUB) &&
                              (s->args[0] == s->dsts[0] || s->args[1] == s->dsts[0]) &&
                              !is_new(s, s->dsts[0]);
        }
        work->in_order |= proof && jr_gen_stays(proof, f) && is_float(f->ir, s->args[0]);
        if (s->op != OP_IF) continue;
        note_work(work, f, &s->u.blocks.then);
        note_work(work, f, &s->u.blocks.els);
    }
}

/* Sums of floats are added in order, with vectors too (target.c). That takes as long as without
 * unless there is something to gain in front of the sum, and longer to compile. */
bool jr_gen_gains_nothing(const GenFunc *f, const IrStmt *s) {
    Work work = {0};
    if (f->fast) return false;
    note_work(&work, f, &s->u.blocks.then);
    return work.in_order && !work.divides;
}

static LLVMValueRef less_saturated(Gen *g, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef args[] = {a, b};
    return jr_gen_intrinsic(g, "llvm.ssub.sat", 1, &g->i64, 2, args);
}

static bool is_small(const IrFunc *ir, IrReg reg) {
    unsigned size = ir_scalar_size((IrScalar)ir_reg_type(ir, reg).scalar);
    return size > 0 && size <= 2;
}

/* The elements of a byte or two that are loaded, if none of them becomes wider. */
static uint32_t count_small(const IrFunc *ir, const IrBlock *block) {
    uint32_t n = 0;
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_CAST && is_small(ir, s->args[0])) return 0;
        n += s->op == OP_LOAD && is_small(ir, s->args[0]);
    }
    return n;
}

static uint32_t count_loads(const IrBlock *block) {
    uint32_t n = 0;
    for (const IrStmt *s = block->first; s; s = s->next) {
        n += s->op == OP_LOAD;
        if (s->op == OP_IF)
            n += count_loads(&s->u.blocks.then) + count_loads(&s->u.blocks.els);
    }
    return n;
}

enum { MANY_LOADS = 5 };

/* LLVM would interleave a loop that loads and stores to keep the processor's ports for loads busy. They are, and its
 * code would be four times as long. */
static bool keeps_loading(const GenFunc *f, const IrStmt *s) {
    return !f->fast && count_loads(&s->u.blocks.then) >= MANY_LOADS;
}

enum { FEW_STMTS = 8 };

static bool is_plain(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        IrForm form = ir_op_form((IrOp)s->op);
        if (s->op == OP_MIN || s->op == OP_MAX) return false;
        if (form != FORM_LOAD && form != FORM_STORE && form != FORM_BIN && form != FORM_CAST &&
            form != FORM_COPY)
            return false;
    }
    return true;
}

/* Whether an element is stored to whose index has its check. */
static bool scatters(const GenFunc *f, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        const GenProof *proof = s->op == OP_STORE ? jr_gen_proof(f, s) : NULL;
        if (s->op == OP_STORE && s->u.mem.check & ~(proof ? proof->axes : 0)) return true;
    }
    return false;
}

/* Histograms, and sums of gathered elements, have no vectors if their checks are left. The counter and its test take as
 * long as they do. */
static bool worth_pairing(const GenFunc *f, const IrStmt *s, const Bounds *bounds) {
    const IrBlock *body = &s->u.blocks.then;
    return f->plan && f->plan->checks && !f->plan->guess.bad &&
           LLVMIsAConstantInt(bounds->step) && LLVMConstIntGetSExtValue(bounds->step) == 1 &&
           is_plain(body) && ir_block_count(body) <= FEW_STMTS &&
           (scatters(f, body) || jr_gen_gains_nothing(f, s));
}

static void one_iteration(GenFunc *f, const IrStmt *s, LLVMValueRef counter,
                          LLVMBasicBlockRef next) {
    jr_gen_set(f, s->dsts[0], counter);
    loop_body(f, s, LOOKS_NEVER, next, next);
    start(f, next);
}

/* Two iterations at a time, and one more if their number is odd:
 *
 *     odd = (hi - lo) & 1;   end = hi - odd;
 *     if (lo < end) { i = lo; do { body(i); body(i + 1); i += 2; } while (i < end); }
 *     if (odd) body(end); */
static void pairs(GenFunc *f, const IrStmt *s, const Bounds *bounds, LLVMBasicBlockRef done) {
    LLVMBuilderRef b = f->g->b;
    LLVMValueRef one = jr_gen_int(f->g, 1), lo = bounds->lo;
    LLVMBasicBlockRef from = LLVMGetInsertBlock(b), top = jr_gen_label(f, "pair");
    LLVMBasicBlockRef next = jr_gen_label(f, "next"), rest = jr_gen_label(f, "rest");
    LLVMBasicBlockRef last = jr_gen_label(f, "last"), after = jr_gen_label(f, "");
    LLVMValueRef odd = LLVMBuildAnd(b, LLVMBuildSub(b, bounds->hi, lo, ""), one, "odd");
    LLVMValueRef end = LLVMBuildSub(b, bounds->hi, odd, "");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, lo, end, ""), top, rest);

    start(f, top);
    LLVMValueRef counter = LLVMBuildPhi(b, f->g->i64, "i");
    LLVMAddIncoming(counter, &lo, &from, 1);
    one_iteration(f, s, counter, jr_gen_label(f, "second"));
    one_iteration(f, s, LLVMBuildNSWAdd(b, counter, one, ""), next);
    LLVMValueRef sum = LLVMBuildNSWAdd(b, counter, jr_gen_int(f->g, 2), "");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, sum, end, ""), top, rest);
    LLVMAddIncoming(counter, &sum, &next, 1);

    start(f, rest);
    LLVMBuildCondBr(b, LLVMBuildIsNotNull(b, odd, ""), last, done);
    start(f, last);
    one_iteration(f, s, end, after);
    LLVMBuildBr(b, done);
}

/* The loop itself, for bounds between which it is known to run; ends in `done`, and for a break
 * in `after`. */
static void iterations(GenFunc *f, const IrStmt *s, const Bounds *bounds,
                       LLVMBasicBlockRef done, LLVMBasicBlockRef after, bool rare) {
    Gen *g = f->g;
    if (!rare)
        g->needs.carried |= jr_gen_carries(f, s, g->level > 1 && worth_unrolling(s, bounds));
    if (!rare && worth_pairing(f, s, bounds)) {
        pairs(f, s, bounds, done);
        return;
    }
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
    if (!rare && g->level > 1 && worth_unrolling(s, bounds))
        mark_loop(g, branch, "llvm.loop.unroll.full", 0);
    else if (rare || f->one_by_one || jr_gen_gains_nothing(f, s)) /* no vectors wanted */
        mark_loop(g, branch, "llvm.loop.disable_nonforced", 0);
    else if (s->jammed || keeps_loading(f, s)) /* there is enough to do at the same time */
        mark_loop(g, branch, "llvm.loop.interleave.count", 1);
    g->needs.packed |= f->plan && count_small(f->ir, &s->u.blocks.then) > 1;
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

void jr_gen_iterate(GenFunc *f, const IrStmt *s, LLVMValueRef lo, LLVMValueRef hi,
                    LLVMValueRef step) {
    for_loop(f, s, &(Bounds){lo, hi, step}, true);
}

/* ---- Twins ---- */

/* Both ways into a loop: a value and where it comes from. */
static void come_from(LLVMValueRef phi, LLVMValueRef value, LLVMBasicBlockRef from) {
    LLVMAddIncoming(phi, &value, &from, 1);
}

/* The first of the plan's points from `at` on, or hi. */
static LLVMValueRef next_point(Gen *g, const GenPlan *plan, const Bounds *bounds,
                               LLVMValueRef at) {
    LLVMValueRef gap = bounds->hi;
    for (uint32_t i = 0; i < plan->npoints; i++) {
        LLVMValueRef point = plan->points[i];
        LLVMValueRef passed = before(g, bounds->step, point, at);
        LLVMValueRef sooner = before(g, bounds->step, point, gap);
        sooner = LLVMBuildAnd(g->b, sooner, LLVMBuildNot(g->b, passed, ""), "");
        gap = LLVMBuildSelect(g->b, sooner, point, gap, "");
    }
    return gap;
}

/* At most plan->length iterations from `at`, but not beyond `gap`. */
static LLVMValueRef end_of_piece(Gen *g, const GenPlan *plan, const Bounds *bounds,
                                 LLVMValueRef at, LLVMValueRef gap) {
    if (!plan->length) return gap;
    LLVMValueRef way = LLVMBuildSub(g->b, gap, at, "");
    LLVMValueRef least[] = {LLVMBuildMul(g->b, way, bounds->step, ""), plan->length};
    way = jr_gen_intrinsic(g, "llvm.umin", 1, &g->i64, 2, least);
    return LLVMBuildAdd(g->b, at, LLVMBuildMul(g->b, way, bounds->step, ""), "");
}

typedef struct Twins {
    LLVMBasicBlockRef quick, slow, join;
    LLVMValueRef at;       /* where the next piece begins */
    LLVMValueRef from, to; /* the bounds of the slow twin */
} Twins;

static void quick_twin(GenFunc *f, const IrStmt *s, const Bounds *bounds, GenPlan *plan,
                       const Twins *t) {
    Gen *g = f->g;
    if (plan->length && looks_of(s) != LOOKS_NEVER) jr_gen_poll(f, s);
    LLVMValueRef gap = next_point(g, plan, bounds, t->at);
    LLVMValueRef end = end_of_piece(g, plan, bounds, t->at, gap);
    jr_gen_open_scopes(f, plan);
    f->plan = plan;
    for_loop(f, s, &(Bounds){t->at, end, bounds->step}, false);
    f->plan = NULL;
    if (plan->length) {
        LLVMBasicBlockRef whole = jr_gen_label(f, "");
        LLVMValueRef all = LLVMBuildICmp(g->b, LLVMIntEQ, end, gap, "");
        come_from(t->at, end, LLVMGetInsertBlock(g->b));
        LLVMBuildCondBr(g->b, all, whole, t->quick);
        start(f, whole);
    }
    if (plan->npoints == 0) {
        LLVMBuildBr(g->b, t->join);
        return;
    }
    LLVMBasicBlockRef here = LLVMGetInsertBlock(g->b);
    come_from(t->from, gap, here);
    come_from(t->to, LLVMBuildAdd(g->b, gap, bounds->step, ""), here);
    LLVMValueRef left = LLVMBuildICmp(g->b, LLVMIntNE, gap, bounds->hi, "");
    LLVMBuildCondBr(g->b, left, t->slow, t->join);
}

/* The slow twin as a function (slow.c), where it runs for errors, indices that count from the end and arrays that overlap, and
 * not for some iterations of each loop. */
static bool slow_call(GenFunc *f, const IrStmt *s, const Bounds *bounds, const GenPlan *plan) {
    if (!plan->exact || plan->npoints || plan->length || plan->in_order) return false;
    if (!jr_gen_can_be_slow(f, s)) return false;
    LLVMBasicBlockRef some = jr_gen_label(f, ""), after = jr_gen_label(f, "");
    LLVMBuildCondBr(f->g->b, guard(f->g, bounds), some, after);
    start(f, some);
    jr_gen_slow(f, s, (LLVMValueRef[]){bounds->lo, bounds->hi, bounds->step});
    LLVMBuildBr(f->g->b, after);
    start(f, after);
    return true;
}

static void slow_twin(GenFunc *f, const IrStmt *s, const Bounds *bounds, const GenPlan *plan,
                      const Twins *t) {
    Gen *g = f->g;
    bool needed = plan->npoints || !LLVMIsAConstantInt(plan->sure);
    if (needed && !slow_call(f, s, bounds, plan))
        for_loop(f, s, &(Bounds){t->from, t->to, bounds->step}, true);
    if (plan->npoints == 0) {
        LLVMBuildBr(g->b, t->join);
        return;
    }
    come_from(t->at, t->to, LLVMGetInsertBlock(g->b));
    LLVMValueRef more = LLVMBuildICmp(g->b, LLVMIntNE, t->to, bounds->hi, "");
    LLVMBuildCondBr(g->b, more, t->quick, t->join);
}

/* The loop twice (range.c): as it is where `sure` does not hold, else quick but for some
 * iterations:
 *
 *     at = lo;
 *     for (;;) {
 *         gap = the next of the plan's points from `at` on, or hi
 *         the quick twin, [at, gap)
 *         if (gap == hi) break;
 *         the slow twin, [gap, gap + 1)
 *         at = gap + 1;   if (at == hi) break;
 *     } */
static void twins(GenFunc *f, const IrStmt *s, const Bounds *bounds, GenPlan *plan) {
    Gen *g = f->g;
    LLVMBasicBlockRef entry = LLVMGetInsertBlock(g->b);
    Twins t = {jr_gen_label(f, "quick"),
               jr_gen_label(f, "slow"),
               jr_gen_label(f, ""),
               bounds->lo,
               bounds->lo,
               bounds->hi};
    LLVMValueRef branch = LLVMBuildCondBr(g->b, plan->sure, t.quick, t.slow);
    LLVMSetMetadata(branch, g->md_prof, g->likely);
    if (plan->npoints) {
        start(f, t.slow);
        t.from = LLVMBuildPhi(g->b, g->i64, "from");
        t.to = LLVMBuildPhi(g->b, g->i64, "to");
        come_from(t.from, bounds->lo, entry);
        come_from(t.to, bounds->hi, entry);
    }
    start(f, t.quick);
    if (plan->npoints || plan->length) {
        t.at = LLVMBuildPhi(g->b, g->i64, "at");
        come_from(t.at, bounds->lo, entry);
    }
    quick_twin(f, s, bounds, plan, &t);
    start(f, t.slow);
    slow_twin(f, s, bounds, plan, &t);
    start(f, t.join);
}

/* As if all indices were within their arrays (guess.c):
 *
 *     for (at = lo; ; at = end) {
 *         end = min(at + GEN_PIECE, hi)
 *         the quick twin, [at, end); if one was not, the slow twin, [at, hi), and leave
 *         if (end == hi) break;
 *     } */
static void guessed_twins(GenFunc *f, const IrStmt *s, const Bounds *bounds, GenPlan *plan) {
    Gen *g = f->g;
    GenGuess *guess = &plan->guess;
    LLVMBasicBlockRef entry = LLVMGetInsertBlock(g->b), quick = jr_gen_label(f, "quick");
    LLVMBasicBlockRef slow = jr_gen_label(f, "slow"), join = jr_gen_label(f, "");
    LLVMBasicBlockRef done = jr_gen_label(f, ""), right = jr_gen_label(f, "right");
    LLVMValueRef branch = LLVMBuildCondBr(g->b, plan->sure, quick, slow);
    LLVMSetMetadata(branch, g->md_prof, g->likely);

    start(f, slow);
    LLVMValueRef from = LLVMBuildPhi(g->b, g->i64, "from");
    come_from(from, bounds->lo, entry);
    for_loop(f, s, &(Bounds){from, bounds->hi, bounds->step}, true);
    LLVMBuildBr(g->b, join);

    start(f, quick);
    guess->at = LLVMBuildPhi(g->b, g->i64, "at");
    come_from(guess->at, bounds->lo, entry);
    if (looks_of(s) != LOOKS_NEVER) jr_gen_poll(f, s);
    LLVMValueRef length[] = {LLVMBuildSub(g->b, bounds->hi, guess->at, ""),
                             jr_gen_int(g, GEN_PIECE)};
    length[0] = jr_gen_intrinsic(g, "llvm.umin", 1, &g->i64, 2, length);
    LLVMValueRef end = LLVMBuildAdd(g->b, guess->at, length[0], "end");
    LLVMBuildStore(g->b, LLVMConstInt(g->i1, 0, 0), guess->bad);
    jr_gen_open_scopes(f, plan);
    f->plan = plan;
    iterations(f, s, &(Bounds){guess->at, end, bounds->step}, done, done, false);
    f->plan = NULL;

    start(f, done);
    LLVMValueRef bad = LLVMBuildLoad2(g->b, g->i1, guess->bad, "");
    come_from(from, guess->at, done);
    branch = LLVMBuildCondBr(g->b, LLVMBuildNot(g->b, bad, ""), right, slow);
    LLVMSetMetadata(branch, g->md_prof, g->likely);
    start(f, right);
    jr_gen_guessed_right(f, guess, length[0]);
    come_from(guess->at, end, right);
    LLVMBuildCondBr(g->b, LLVMBuildICmp(g->b, LLVMIntEQ, end, bounds->hi, ""), join, quick);
    start(f, join);
}

/* Where it is right in one piece, the loop is run so; the builder is then where it is not. */
static void whole_twin(GenFunc *f, const IrStmt *s, const Bounds *bounds, GenPlan *plan,
                       LLVMBasicBlockRef after) {
    Gen *g = f->g;
    LLVMBasicBlockRef whole = jr_gen_label(f, "whole"), other = jr_gen_label(f, "");
    LLVMValueRef sure = LLVMBuildAnd(g->b, plan->sure, plan->in_order, "");
    LLVMValueRef branch = LLVMBuildCondBr(g->b, sure, whole, other);
    LLVMSetMetadata(branch, g->md_prof, g->likely);
    start(f, whole);
    plan->whole = true;
    jr_gen_open_scopes(f, plan);
    f->plan = plan;
    for_loop(f, s, bounds, false);
    f->plan = NULL;
    plan->whole = false;
    LLVMBuildBr(g->b, after);
    start(f, other);
    plan->sure = LLVMBuildAnd(g->b, plan->sure, plan->in_pieces, "");
}

void jr_gen_for_once(GenFunc *f, const IrStmt *s) {
    Gen *g = f->g;
    Bounds bounds = {jr_gen_value(f, s->args[0]), jr_gen_value(f, s->args[1]),
                     jr_gen_value(f, s->args[2])};
    GenPlan plan = {.counter = s->dsts[0]};
    if (!s->leftover) jr_gen_plan(f, s, &plan);
    if (!plan.sure) {
        for_loop(f, s, &bounds, s->leftover);
        return;
    }
    LLVMBasicBlockRef after = jr_gen_label(f, "");
    if (plan.npoints || plan.length || plan.guess.bad) {
        LLVMBasicBlockRef some = jr_gen_label(f, "");
        LLVMBuildCondBr(g->b, guard(g, &bounds), some, after);
        start(f, some);
    }
    if (plan.in_order && plan.in_pieces) {
        whole_twin(f, s, &bounds, &plan, after);
    } else if (plan.in_order) {
        plan.sure = LLVMBuildAnd(g->b, plan.sure, plan.in_order, "");
        plan.whole = true;
    }
    if (plan.guess.bad)
        guessed_twins(f, s, &bounds, &plan);
    else
        twins(f, s, &bounds, &plan);
    LLVMBuildBr(g->b, after);
    start(f, after);
}

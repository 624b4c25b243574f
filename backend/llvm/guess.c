/* Loops with indices that come from elements, run as if all of these were within their arrays.
 *
 *     for j: out[j] = x[k[j]] * (1.0 - f[j]) + x[k[j] + 1] * f[j]
 *
 * A check that leaves a loop keeps it from being vectorised. So the quick twin of such a loop does not leave: it takes
 * pieces of at most GEN_PIECE iterations, replaces an index that is not within its array by 0, makes a
 * note of that, and stores to a buffer. If nothing was noted, the buffer goes where it belongs behind the piece. Otherwise the
 * piece has left no trace, and the slow twin takes it and all that is left, over an index that counts
 * from the end, or to the error (loops.c).
 *
 * For that, nothing but what is stored may outlive an iteration. It is stored at the top level of the body, to
 * elements that follow each other in arrays that the loop does not load from and that lie apart from all others (apart.c).
 *
 * Clamped indices and the buffer cost more than checks that are never true where a loop does little else, so it
 * has to compute something with what it finds. */
#include "backend/llvm/range.h"

enum { LARGE_CALLEE = 40, MOST_IN_FUNC = 4 };

/* What the body comes to. */
typedef struct Sum {
    uint32_t gathers, work;
} Sum;

static bool is_float(const IrFunc *ir, IrReg reg) {
    return ir_scalar_is_float((IrScalar)ir_reg_type(ir, reg).scalar);
}

static bool computes(const IrFunc *ir, const IrStmt *s) {
    if (!ir_stmt_is_pure(ir, s) || s->op == OP_LOAD || ir_reg_type(ir, s->dsts[0]).ndim)
        return false;
    return s->op != OP_MATH || ir_math_exact(s->u.math);
}

/* A small function that is inlined and only computes. */
static bool callee_computes(const IrFunc *callee, Sum *sum) {
    if (callee->host || callee->recursive || callee->may_fail || callee->nrets != 1)
        return false;
    uint32_t n = 0;
    for (const IrStmt *s = callee->body.first; s; s = s->next) {
        if (++n > LARGE_CALLEE) return false;
        if (s->op == OP_RETURN) break;
        if (!computes(callee, s)) return false;
    }
    sum->work += n;
    return true;
}

static bool note_load(Range *r, const IrStmt *s, Sum *sum) {
    const GenProof *proof = jr_range_proof(r->plan, s);
    if (r->uses[s->args[0]].stored || !jr_range_is_invariant(r, s->args[0])) return false;
    sum->gathers += (s->u.mem.check & ~(proof ? proof->axes : 0u)) != 0;
    return true;
}

/* All places of the loop but this one are apart from it. */
static bool is_apart(const GenPlan *plan, const GenPlace *place) {
    for (uint32_t i = 0; i < plan->nplaces; i++)
        if (&plan->places[i] != place && !(place->apart >> i & 1)) return false;
    return true;
}

static bool note_store(Range *r, const IrStmt *s) {
    GenGuess *guess = &r->plan->guess;
    IrType type = ir_reg_type(r->f->ir, s->args[0]);
    const GenProof *proof = jr_range_proof(r->plan, s);
    const GenPlace *place = proof ? proof->place : NULL;
    if (!place || !place->index || (s->u.mem.check & ~proof->axes)) return false;
    if (type.layout == LAYOUT_ANY || !is_apart(r->plan, place)) return false;
    for (unsigned i = 0; i < type.ndim; i++) {
        const Affine *a = &place->index[i];
        if (a->by_sign || a->factor != (i + 1u == type.ndim)) return false;
    }
    for (uint32_t i = 0; i < guess->nstores; i++)
        if (guess->stores[i].stmt->args[0] == s->args[0]) return false;
    if (guess->nstores == GEN_GUESSED_STORES) return false;
    guess->stores[guess->nstores++] = (GenGuessedStore){.stmt = s};
    return true;
}

static bool note_stmts(Range *r, Sum *sum) {
    const IrFunc *ir = r->f->ir;
    for (const IrStmt *s = r->loop->u.blocks.then.first; s; s = s->next) {
        bool ok = false;
        if (s->op == OP_LOAD)
            ok = note_load(r, s, sum);
        else if (s->op == OP_STORE)
            ok = note_store(r, s);
        else if (s->op == OP_CALL)
            ok = callee_computes(s->u.callee, sum);
        else
            ok = computes(ir, s);
        if (!ok) return false;
        sum->work += s->ndsts == 1 && s->op != OP_LOAD && is_float(ir, s->dsts[0]);
    }
    return true;
}

/* Whether an iteration reads what one before it has left in a variable. */
static bool carries_any(Range *r) {
    bool *written = JR_NEW_ARRAY(r->f->g->arena, bool, r->f->ir->regs.len);
    for (const IrStmt *s = r->loop->u.blocks.then.first; s; s = s->next) {
        for (uint32_t i = 0; i < s->nargs; i++)
            if (r->uses[s->args[i]].writes && !written[s->args[i]]) return true;
        for (uint32_t i = 0; i < s->ndsts; i++)
            written[s->dsts[i]] = true;
    }
    return false;
}

static bool suits(const Range *r) {
    const GenPlan *plan = r->plan;
    return plan->checks && plan->sure && r->step == 1 && !r->loop->jammed && !plan->npoints &&
           !plan->length && !plan->in_order && !r->f->ir->recursive &&
           r->f->nguesses < MOST_IN_FUNC;
}

/* Where the element for a counter of 0 would be. */
static LLVMValueRef first_element(Range *r, const IrStmt *store) {
    Gen *g = r->f->g;
    IrType type = ir_reg_type(r->f->ir, store->args[0]);
    GenArray array = jr_gen_array(r->f, store->args[0]);
    const GenPlace *place = jr_range_proof(r->plan, store)->place;
    LLVMValueRef offset = jr_range_value(r, &place->index[0]);
    for (unsigned i = 1; i < type.ndim; i++) {
        offset = LLVMBuildMul(g->b, offset, array.dims[i], "");
        offset = LLVMBuildAdd(g->b, offset, jr_range_value(r, &place->index[i]), "");
    }
    return LLVMBuildGEP2(g->b, g->memory[type.scalar], array.data, &offset, 1, "");
}

/* The index that stands for one that is not within the array has to be. */
static void require_elements(Range *r) {
    Gen *g = r->f->g;
    for (const IrStmt *s = r->loop->u.blocks.then.first; s; s = s->next) {
        if (s->op != OP_LOAD) continue;
        const GenProof *proof = jr_range_proof(r->plan, s);
        GenArray array = jr_gen_array(r->f, s->args[0]);
        uint32_t checks = s->u.mem.check & ~(proof ? proof->axes : 0u);
        for (unsigned i = 0; i < ir_reg_type(r->f->ir, s->args[0]).ndim; i++)
            if (checks >> i & 1)
                jr_range_require(r, LLVMBuildIsNotNull(g->b, array.dims[i], ""));
    }
}

void jr_range_guess(Range *r) {
    GenGuess *guess = &r->plan->guess;
    Gen *g = r->f->g;
    Sum sum = {0};
    if (!suits(r) || !note_stmts(r, &sum) || !guess->nstores || !sum.gathers) return;
    if (sum.work < 2 * sum.gathers + 2 || carries_any(r)) return;
    for (uint32_t i = 0; i < guess->nstores; i++) {
        GenGuessedStore *store = &guess->stores[i];
        LLVMTypeRef element = g->memory[ir_reg_type(r->f->ir, store->stmt->args[0]).scalar];
        store->first = first_element(r, store->stmt);
        store->buffer = jr_gen_alloca(r->f, LLVMArrayType2(element, GEN_PIECE), "piece");
    }
    require_elements(r);
    guess->bad = jr_gen_alloca(r->f, g->i1, "bad");
    r->f->nguesses++;
}

LLVMValueRef jr_gen_guess_index(GenFunc *f, LLVMValueRef index, LLVMValueRef dim) {
    LLVMBuilderRef b = f->g->b;
    LLVMValueRef bad = f->plan->guess.bad;
    LLVMValueRef outside = LLVMBuildICmp(b, LLVMIntUGE, index, dim, "");
    LLVMValueRef before = LLVMBuildLoad2(b, f->g->i1, bad, "");
    LLVMBuildStore(b, LLVMBuildOr(b, before, outside, ""), bad);
    return LLVMBuildSelect(b, outside, jr_gen_int(f->g, 0), index, "");
}

bool jr_gen_guess_store(GenFunc *f, const IrStmt *s, LLVMValueRef value) {
    const GenGuess *guess = f->plan ? &f->plan->guess : NULL;
    LLVMBuilderRef b = f->g->b;
    for (uint32_t i = 0; guess && guess->bad && i < guess->nstores; i++) {
        if (guess->stores[i].stmt != s) continue;
        LLVMValueRef counter = jr_gen_value(f, f->plan->counter);
        LLVMValueRef at = LLVMBuildNSWSub(b, counter, guess->at, "");
        LLVMValueRef place =
            LLVMBuildInBoundsGEP2(b, LLVMTypeOf(value), guess->stores[i].buffer, &at, 1, "");
        LLVMBuildStore(b, value, place);
        return true;
    }
    return false;
}

void jr_gen_guessed_right(GenFunc *f, const GenGuess *guess, LLVMValueRef length) {
    Gen *g = f->g;
    for (uint32_t i = 0; i < guess->nstores; i++) {
        const GenGuessedStore *store = &guess->stores[i];
        IrScalar scalar = (IrScalar)ir_reg_type(f->ir, store->stmt->args[0]).scalar;
        unsigned size = ir_scalar_size(scalar);
        LLVMValueRef at = guess->at;
        LLVMValueRef to = LLVMBuildGEP2(g->b, g->memory[scalar], store->first, &at, 1, "");
        LLVMValueRef bytes = LLVMBuildMul(g->b, length, jr_gen_int(g, size), "");
        LLVMBuildMemCpy(g->b, to, size, store->buffer, size, bytes);
    }
}

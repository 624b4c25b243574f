/* Bounds checks moved in front of innermost loops.
 *
 * A checked access in a loop leaves it early, and a loop that may do that is not vectorised.
 * But most indices are affine: an invariant amount plus k times the counter. Whether such an
 * index stays inside the array for all of the iterations can be asked once, before the first:
 *
 *     for i = lo, hi, 1                       if lo - 1 >= 0 and hi - 1 - 1 < dim x and ...
 *       ... x[i - 1] ... y[i] ...      =>         the loop without those checks
 *                                             else
 *                                                 the loop as it is
 *
 * so that the meaning stays the same to the last iteration before an error. The question is
 * asked in 128 bits, where the few terms of an index cannot overflow; an index that is exact
 * there and within the array is what the 64-bit instructions compute, even if a step of theirs
 * wraps. The twin loop costs code, so outer loops are left alone.
 *
 * A value is followed from its use to the counter through the instructions that make it:
 * TEMPs, and variables that the body writes once, at its top level and before the use, which
 * hence hold one value per iteration. */
#include "backend/llvm/gen.h"

enum {
    MAX_TERMS = 6,
    MAX_STMTS = 200, /* in the body */
    MAX_AXES = 24,   /* questions asked in front of one loop */
    MAX_FACTOR = 1 << 20,
    MAX_DEPTH = 12,
};

/* factor * counter + sum of terms */
typedef struct Affine {
    int64_t factor;
    uint32_t nterms;
    IrReg term[MAX_TERMS];
    int64_t scale[MAX_TERMS];
} Affine;

typedef struct Range {
    GenFunc *f;
    const IrStmt *loop;
    GenUse *uses; /* by register */
    uint32_t pos, naxes;
    LLVMValueRef condition;
    LLVMValueRef first, last; /* the counter's least and greatest value, made on first use */
} Range;

/* ---- What is written where ---- */

static bool note_block(Range *r, const IrBlock *block, bool top);

static bool note_stmt(Range *r, const IrStmt *s, bool top) {
    if (++r->pos > MAX_STMTS || s->op == OP_FOR || s->op == OP_LOOP) return false;
    for (uint32_t i = 0; i < s->ndsts; i++) {
        GenUse *use = &r->uses[s->dsts[i]];
        bool is_temp = ir_reg(r->f->ir, s->dsts[i])->kind == REG_TEMP;
        use->writes++;
        use->pos = r->pos;
        use->def = top || is_temp ? s : NULL;
    }
    if (s->op != OP_IF) return true;
    return note_block(r, &s->u.blocks.then, false) && note_block(r, &s->u.blocks.els, false);
}

static bool note_block(Range *r, const IrBlock *block, bool top) {
    for (const IrStmt *s = block->first; s; s = s->next)
        if (!note_stmt(r, s, top)) return false;
    return true;
}

static bool invariant(const Range *r, IrReg reg) {
    return r->uses[reg].writes == 0 && reg != r->loop->dsts[0];
}

/* ---- Indices as sums ---- */

static bool add_term(Affine *a, IrReg reg, int64_t scale) {
    if (a->nterms == MAX_TERMS) return false;
    a->term[a->nterms] = reg;
    a->scale[a->nterms++] = scale;
    return true;
}

/* The small constant that a register is; false for any other. */
static bool small_const(const IrFunc *func, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(func, reg);
    if (info->kind != REG_CONST || info->type.scalar != TY_INT64) return false;
    *value = info->value.i;
    return *value > -MAX_FACTOR && *value < MAX_FACTOR;
}

static bool add_value(const Range *r, Affine *a, IrReg reg, int64_t scale, uint32_t pos,
                      int depth);

static bool add_product(const Range *r, Affine *a, const IrStmt *s, int64_t scale,
                        uint32_t pos, int depth) {
    int64_t k = 0;
    IrReg other = s->args[0];
    if (!small_const(r->f->ir, s->args[1], &k)) {
        other = s->args[1];
        if (!small_const(r->f->ir, s->args[0], &k)) return false;
    }
    if (scale <= -MAX_FACTOR || scale >= MAX_FACTOR) return false;
    return add_value(r, a, other, scale * k, pos, depth);
}

/* reg, as the statement at position `pos` sees it, times scale. */
static bool add_value(const Range *r, Affine *a, IrReg reg, int64_t scale, uint32_t pos,
                      int depth) {
    if (depth > MAX_DEPTH) return false;
    if (reg == r->loop->dsts[0]) {
        a->factor += scale;
        return true;
    }
    if (invariant(r, reg)) return add_term(a, reg, scale);
    const GenUse *use = &r->uses[reg];
    if (!use->def || use->writes != 1 || use->pos >= pos) return false;
    const IrStmt *s = use->def;
    switch (s->op) {
    case OP_COPY: return add_value(r, a, s->args[0], scale, use->pos, depth + 1);
    case OP_MUL: return add_product(r, a, s, scale, use->pos, depth + 1);
    case OP_ADD:
    case OP_SUB:
        return add_value(r, a, s->args[0], scale, use->pos, depth + 1) &&
               add_value(r, a, s->args[1], s->op == OP_ADD ? scale : -scale, use->pos,
                         depth + 1);
    default: return false;
    }
}

/* ---- The question ---- */

static LLVMValueRef widen(Range *r, LLVMValueRef value) {
    return LLVMBuildSExt(r->f->g->b, value, r->f->g->i128, "");
}

static LLVMValueRef wide_const(Range *r, int64_t value) {
    return LLVMConstInt(r->f->g->i128, (unsigned long long)value, 1);
}

/* From lo to hi - 1 when counting up, from hi + 1 to lo when counting down. */
static void counter_range(Range *r) {
    if (r->first) return;
    Gen *g = r->f->g;
    LLVMValueRef lo = jr_gen_value(r->f, r->loop->args[0]);
    LLVMValueRef hi = jr_gen_value(r->f, r->loop->args[1]);
    LLVMValueRef step = jr_gen_value(r->f, r->loop->args[2]);
    LLVMValueRef up = LLVMBuildICmp(g->b, LLVMIntSGT, step, jr_gen_int(g, 0), "");
    lo = widen(r, lo);
    hi = widen(r, hi);
    LLVMValueRef below = LLVMBuildSub(g->b, hi, wide_const(r, 1), "");
    LLVMValueRef above = LLVMBuildAdd(g->b, hi, wide_const(r, 1), "");
    r->first = LLVMBuildSelect(g->b, up, lo, above, "");
    r->last = LLVMBuildSelect(g->b, up, below, lo, "");
}

static LLVMValueRef evaluate(Range *r, const Affine *a, LLVMValueRef counter) {
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef sum = LLVMBuildMul(b, counter, wide_const(r, a->factor), "");
    for (uint32_t i = 0; i < a->nterms; i++) {
        LLVMValueRef term = widen(r, jr_gen_value(r->f, a->term[i]));
        sum = LLVMBuildAdd(b, sum, LLVMBuildMul(b, term, wide_const(r, a->scale[i]), ""), "");
    }
    return sum;
}

static void require(Range *r, LLVMValueRef ok) {
    r->condition = LLVMBuildAnd(r->f->g->b, r->condition, ok, "");
}

/* 0 <= the counter < dim, in 64 bits, in the words that LLVM finds in `i < len(x)`. */
static void require_plain(Range *r, LLVMValueRef dim) {
    Gen *g = r->f->g;
    LLVMValueRef lo = jr_gen_value(r->f, r->loop->args[0]);
    LLVMValueRef hi = jr_gen_value(r->f, r->loop->args[1]);
    require(r, LLVMBuildICmp(g->b, LLVMIntSGE, lo, jr_gen_int(g, 0), ""));
    if (hi != dim) require(r, LLVMBuildICmp(g->b, LLVMIntSLE, hi, dim, ""));
}

static void require_inside(Range *r, const Affine *a, LLVMValueRef dim) {
    Gen *g = r->f->g;
    int64_t step = 0;
    bool plain_step = small_const(r->f->ir, r->loop->args[2], &step) && step > 0;
    if (a->factor == 1 && a->nterms == 0 && plain_step) {
        require_plain(r, dim);
        return;
    }
    if (a->factor == 0 && a->nterms == 1 && a->scale[0] == 1) {
        LLVMValueRef index = jr_gen_value(r->f, a->term[0]);
        require(r, LLVMBuildICmp(g->b, LLVMIntULT, index, dim, ""));
        return;
    }
    counter_range(r);
    LLVMValueRef least = evaluate(r, a, a->factor < 0 ? r->last : r->first);
    LLVMValueRef most = evaluate(r, a, a->factor < 0 ? r->first : r->last);
    require(r, LLVMBuildICmp(g->b, LLVMIntSGE, least, wide_const(r, 0), ""));
    require(r, LLVMBuildICmp(g->b, LLVMIntSLT, most, widen(r, dim), ""));
}

/* ---- The accesses ---- */

static uint32_t prove_axes(Range *r, const IrStmt *s) {
    IrReg array = s->args[0];
    uint32_t proven = 0, wanted = s->u.mem.check | s->u.mem.wrap;
    for (unsigned axis = 0; axis < ir_reg_type(r->f->ir, array).ndim; axis++) {
        Affine a = {0};
        if (!(wanted >> axis & 1) || r->naxes == MAX_AXES) continue;
        if (!add_value(r, &a, s->args[1 + axis], 1, r->pos, 0)) continue;
        GenArray header = jr_gen_array(r->f, array);
        require_inside(r, &a, header.dims[axis]);
        proven |= 1u << axis;
        r->naxes++;
    }
    return proven;
}

static void prove_block(Range *r, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        r->pos++;
        if ((s->op == OP_LOAD || s->op == OP_STORE) && invariant(r, s->args[0])) {
            GenProof proof = {s, prove_axes(r, s)};
            if (proof.axes) JR_PUSH(r->f->g->arena, &r->f->proofs, proof);
        } else if (s->op == OP_IF) {
            prove_block(r, &s->u.blocks.then);
            prove_block(r, &s->u.blocks.els);
        }
    }
}

/* True if there is a checked access at all: most loops over nothing else are done here. */
static bool has_checks(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if ((s->op == OP_LOAD || s->op == OP_STORE) && (s->u.mem.check | s->u.mem.wrap))
            return true;
        if (s->op == OP_IF && (has_checks(&s->u.blocks.then) || has_checks(&s->u.blocks.els)))
            return true;
    }
    return false;
}

static void forget_block(Range *r, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->ndsts; i++)
            r->uses[s->dsts[i]] = (GenUse){0};
        if (ir_stmt_is_nested(s)) {
            forget_block(r, &s->u.blocks.then);
            forget_block(r, &s->u.blocks.els);
        }
    }
}

LLVMValueRef jr_gen_range_condition(GenFunc *f, const IrStmt *loop) {
    const IrBlock *body = &loop->u.blocks.then;
    if (f->g->level < 2 || !has_checks(body)) return NULL;
    if (!f->uses) f->uses = JR_NEW_ARRAY(f->g->arena, GenUse, f->ir->regs.len);
    Range r = {.f = f, .loop = loop, .uses = f->uses};
    r.condition = LLVMConstInt(f->g->i1, 1, 0);
    f->proofs.len = 0;
    if (note_block(&r, body, true)) {
        r.pos = 0;
        prove_block(&r, body);
    }
    forget_block(&r, body);
    return r.naxes ? r.condition : NULL;
}

uint32_t jr_gen_proven(const GenFunc *f, const IrStmt *s) {
    for (uint32_t i = 0; i < f->proofs.len; i++)
        if (f->proofs.data[i].stmt == s) return f->proofs.data[i].axes;
    return 0;
}

/* Bounds checks moved in front of innermost loops.
 *
 * A checked access in a loop leaves it early, and a loop that may do that is not vectorised.
 * But most indices are affine: an invariant amount plus k times the counter. Whether such an
 * index stays inside the array for all of the iterations can be asked once, before the first:
 *
 *     for i = lo, hi, 1                       if lo - 1 >= 0 and hi <= dim x and ...
 *       ... x[i - 1] ... x[i] ...      =>         the loop without those checks
 *                                             else
 *                                                 the loop as it is
 *
 * so that the meaning stays the same to the last iteration before an error. Indices that differ
 * by a constant are one question, of the least and the greatest. It is asked in 128 bits,
 * where the few terms of an index cannot overflow, or in 64 where there is one; an index that is exact
 * and within the array is what the 64-bit instructions compute, even if a step of theirs
 * wraps. The twin loop costs code, so outer loops are left alone. The same question asks
 * whether arrays lie apart (apart.c).
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

/* factor * counter + sum of terms + offset */
typedef struct Affine {
    int64_t factor, offset;
    uint32_t nterms;
    IrReg term[MAX_TERMS];
    int64_t scale[MAX_TERMS];
} Affine;

/* Indices on one axis that differ by their offsets alone. */
typedef struct Question {
    IrReg array;
    unsigned axis;
    Affine index; /* but for its offset */
    int64_t least, most;
} Question;

typedef struct Range {
    GenFunc *f;
    const IrStmt *loop;
    GenUse *uses; /* by register */
    uint32_t pos, nquestions;
    Question questions[MAX_AXES];
    LLVMValueRef condition;
    LLVMValueRef first, last; /* the counter's range, made on first use: counter_range */
    int64_t first_plus, last_plus;
    GenArrays *arrays;
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
    for (uint32_t i = 0; i < a->nterms; i++) {
        if (a->term[i] != reg) continue;
        a->scale[i] += scale;
        return true;
    }
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
    int64_t constant;
    if (small_const(r->f->ir, reg, &constant)) {
        a->offset += scale * constant;
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

/* ---- The questions ---- */

static bool same_but_offset(const Affine *a, const Affine *b) {
    if (a->factor != b->factor || a->nterms != b->nterms) return false;
    for (uint32_t i = 0; i < a->nterms; i++)
        if (a->term[i] != b->term[i] || a->scale[i] != b->scale[i]) return false;
    return true;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Whether there is room for the question. */
static bool note_index(Range *r, IrReg array, unsigned axis, const Affine *a) {
    for (uint32_t i = 0; i < r->nquestions; i++) {
        Question *q = &r->questions[i];
        if (q->array != array || q->axis != axis || !same_but_offset(&q->index, a)) continue;
        q->least = smaller(q->least, a->offset);
        q->most = -smaller(-q->most, -a->offset);
        return true;
    }
    if (r->nquestions == MAX_AXES) return false;
    r->questions[r->nquestions++] = (Question){array, axis, *a, a->offset, a->offset};
    return true;
}

static LLVMValueRef widen(Range *r, LLVMValueRef value) {
    return LLVMBuildSExt(r->f->g->b, value, r->f->g->i128, "");
}

static LLVMValueRef wide_const(Range *r, int64_t value) {
    return LLVMConstInt(r->f->g->i128, (unsigned long long)value, 1);
}

static void require(Range *r, LLVMValueRef ok) {
    LLVMBuilderRef b = r->f->g->b;
    r->condition = r->condition ? LLVMBuildAnd(b, r->condition, ok, "") : ok;
}

/* 0 <= a + least and b + most < dim, in 64 bits; a <= b and least <= most where it matters. No sum
 * is formed that wraps unnoticed: with most < -1 the first comparison makes b positive. */
static void require_simple(Range *r, LLVMValueRef a, int64_t least, LLVMValueRef b,
                           int64_t most, LLVMValueRef dim) {
    Gen *g = r->f->g;
    if (a == b && least == 0 && most == 0) {
        require(r, LLVMBuildICmp(g->b, LLVMIntULT, a, dim, ""));
        return;
    }
    require(r, LLVMBuildICmp(g->b, LLVMIntSGE, a, jr_gen_int(g, -least), ""));
    if (most == -1 && b == dim) return;
    if (most > -1) dim = LLVMBuildSub(g->b, dim, jr_gen_int(g, most + 1), "");
    if (most < -1) b = LLVMBuildAdd(g->b, b, jr_gen_int(g, most + 1), "");
    require(r, LLVMBuildICmp(g->b, LLVMIntSLE, b, dim, ""));
}

/* The counter's least value is first + first_plus, its greatest last + last_plus: from lo to
 * hi - 1 when counting up, from hi + 1 to lo when counting down. */
static void counter_range(Range *r) {
    if (r->first) return;
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef lo = jr_gen_value(r->f, r->loop->args[0]);
    LLVMValueRef hi = jr_gen_value(r->f, r->loop->args[1]);
    LLVMValueRef step = jr_gen_value(r->f, r->loop->args[2]);
    if (LLVMIsAConstantInt(step)) {
        bool up = LLVMConstIntGetSExtValue(step) > 0;
        r->first = up ? lo : hi;
        r->last = up ? hi : lo;
        r->first_plus = up ? 0 : 1;
        r->last_plus = up ? -1 : 0;
        return;
    }
    LLVMValueRef up = LLVMBuildICmp(b, LLVMIntSGT, step, jr_gen_int(r->f->g, 0), "");
    lo = widen(r, lo);
    hi = widen(r, hi);
    LLVMValueRef below = LLVMBuildSub(b, hi, wide_const(r, 1), "");
    LLVMValueRef above = LLVMBuildAdd(b, hi, wide_const(r, 1), "");
    r->first = LLVMBuildSelect(b, up, lo, above, "");
    r->last = LLVMBuildSelect(b, up, below, lo, "");
}

/* The index for a counter of `counter + plus`, in 128 bits. */
static LLVMValueRef evaluate(Range *r, const Affine *a, LLVMValueRef counter, int64_t plus,
                             int64_t offset) {
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef sum = wide_const(r, a->factor * plus + offset);
    if (a->factor) {
        if (LLVMTypeOf(counter) == r->f->g->i64) counter = widen(r, counter);
        LLVMValueRef part = LLVMBuildMul(b, counter, wide_const(r, a->factor), "");
        sum = LLVMBuildAdd(b, sum, part, "");
    }
    for (uint32_t i = 0; i < a->nterms; i++) {
        LLVMValueRef term = widen(r, jr_gen_value(r->f, a->term[i]));
        sum = LLVMBuildAdd(b, sum, LLVMBuildMul(b, term, wide_const(r, a->scale[i]), ""), "");
    }
    return sum;
}

static void ask_wide(Range *r, const Question *q, LLVMValueRef dim) {
    const Affine *a = &q->index;
    bool falls = a->factor < 0;
    LLVMValueRef least = evaluate(r, a, falls ? r->last : r->first,
                                  falls ? r->last_plus : r->first_plus, q->least);
    LLVMValueRef most = evaluate(r, a, falls ? r->first : r->last,
                                 falls ? r->first_plus : r->last_plus, q->most);
    LLVMBuilderRef b = r->f->g->b;
    require(r, LLVMBuildICmp(b, LLVMIntSGE, least, wide_const(r, 0), ""));
    require(r, LLVMBuildICmp(b, LLVMIntSLT, most, widen(r, dim), ""));
}

static void ask(Range *r, const Question *q) {
    const Affine *a = &q->index;
    GenArray header = jr_gen_array(r->f, q->array);
    LLVMValueRef dim = header.dims[q->axis];
    counter_range(r);
    if (a->factor == 0 && a->nterms == 0) {
        require(r,
                LLVMBuildICmp(r->f->g->b, LLVMIntSGT, dim, jr_gen_int(r->f->g, q->most), ""));
    } else if (a->factor == 0 && a->nterms == 1 && a->scale[0] == 1) {
        LLVMValueRef index = jr_gen_value(r->f, a->term[0]);
        require_simple(r, index, q->least, index, q->most, dim);
    } else if (a->factor == 1 && a->nterms == 0 && LLVMTypeOf(r->first) == r->f->g->i64) {
        require_simple(r, r->first, q->least + r->first_plus, r->last, q->most + r->last_plus,
                       dim);
    } else {
        ask_wide(r, q, dim);
    }
}

/* ---- The accesses ---- */

/* A constant below zero is left to its own check, which is cheap. */
static bool always_negative(const Affine *a) {
    return a->factor == 0 && a->nterms == 0 && a->offset < 0;
}

static uint32_t prove_axes(Range *r, const IrStmt *s) {
    IrReg array = s->args[0];
    uint32_t proven = 0, wanted = s->u.mem.check | s->u.mem.wrap;
    for (unsigned axis = 0; axis < ir_reg_type(r->f->ir, array).ndim; axis++) {
        Affine a = {0};
        if (!(wanted >> axis & 1)) continue;
        if (!add_value(r, &a, s->args[1 + axis], 1, r->pos, 0) || always_negative(&a))
            continue;
        if (note_index(r, array, axis, &a)) proven |= 1u << axis;
    }
    return proven;
}

static void prove_block(Range *r, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        r->pos++;
        if ((s->op == OP_LOAD || s->op == OP_STORE) && invariant(r, s->args[0])) {
            GenProof proof = {s, prove_axes(r, s)};
            if (proof.axes) JR_PUSH(r->f->g->arena, &r->f->proofs, proof);
            jr_gen_note_array(r->f, r->arrays, s->args[0], s->op == OP_STORE);
        } else if (s->op == OP_IF) {
            prove_block(r, &s->u.blocks.then);
            prove_block(r, &s->u.blocks.els);
        }
    }
}

/* True if there is an access at all about which to ask: most loops over nothing else are done
 * here. */
static bool has_doubts(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_STORE || (s->op == OP_LOAD && (s->u.mem.check | s->u.mem.wrap)))
            return true;
        if (s->op == OP_IF && (has_doubts(&s->u.blocks.then) || has_doubts(&s->u.blocks.els)))
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

LLVMValueRef jr_gen_range_condition(GenFunc *f, const IrStmt *loop, GenArrays *arrays) {
    const IrBlock *body = &loop->u.blocks.then;
    if (f->g->level < 2 || !has_doubts(body)) return NULL;
    if (!f->uses) f->uses = JR_NEW_ARRAY(f->g->arena, GenUse, f->ir->regs.len);
    Range r = {.f = f, .loop = loop, .uses = f->uses, .arrays = arrays};
    if (note_block(&r, body, true)) {
        r.pos = 0;
        prove_block(&r, body);
        for (uint32_t i = 0; i < r.nquestions; i++)
            ask(&r, &r.questions[i]);
        LLVMValueRef apart = jr_gen_apart_condition(f, arrays);
        if (apart) require(&r, apart);
    }
    forget_block(&r, body);
    return r.condition;
}

void jr_gen_forget_proofs(GenFunc *f) {
    f->proofs.len = 0;
    f->apart = NULL;
}

uint32_t jr_gen_proven(const GenFunc *f, const IrStmt *s) {
    for (uint32_t i = 0; i < f->proofs.len; i++)
        if (f->proofs.data[i].stmt == s) return f->proofs.data[i].axes;
    return 0;
}

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
 * by a constant are one question, of the least and the greatest (ask.c). The twin loop costs
 * code, so outer loops are left alone. The same question asks whether accesses share anything
 * (apart.c).
 *
 * Iterations in which something would be otherwise, points of the plan, go through the slow twin
 * while all others are quick: those that the body compares the counter with, and the first one of x[i - 1] from
 * 0. If they are the first or the last, the question is about the others alone.
 *
 * A value is followed from its use to the counter through the instructions that make it:
 * TEMPs, and variables that the body writes once, at its top level and before the use, which
 * hence hold one value per iteration. A variable to which each iteration adds the same, `k += 4`, follows the
 * counter too: it is what it was in front of the loop, and 4 for each iteration since. */
#include "backend/llvm/range.h"

enum {
    MAX_STMTS = 200, /* in the body */
    MAX_FACTOR = 1 << 20,
    MAX_DEPTH = 12,
};

#define MAX_OFFSET ((int64_t)1 << 50)

/* ---- What is written where ---- */

static bool note_block(Range *r, const IrBlock *block, bool top);

static bool note_stmt(Range *r, const IrStmt *s, bool top) {
    if (++r->pos > MAX_STMTS || s->op == OP_FOR || s->op == OP_LOOP) return false;
    r->continues |= s->op == OP_CONTINUE;
    for (uint32_t i = 0; i < s->ndsts; i++) {
        GenUse *use = &r->uses[s->dsts[i]];
        bool is_temp = ir_reg(r->f->ir, s->dsts[i])->kind == REG_TEMP;
        use->writes++;
        use->pos = r->pos;
        use->def = top || is_temp ? s : NULL;
    }
    if (s->op == OP_STORE) r->uses[s->args[0]].stored = true;
    if (s->op != OP_IF) return true;
    return note_block(r, &s->u.blocks.then, false) && note_block(r, &s->u.blocks.els, false);
}

static bool note_block(Range *r, const IrBlock *block, bool top) {
    for (const IrStmt *s = block->first; s; s = s->next)
        if (!note_stmt(r, s, top)) return false;
    return true;
}

bool jr_range_is_invariant(const Range *r, IrReg reg) {
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

bool jr_range_const(const IrFunc *func, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(func, reg);
    if (info->kind != REG_CONST || info->type.scalar != TY_INT64) return false;
    *value = info->value.i;
    return *value > -MAX_FACTOR && *value < MAX_FACTOR;
}

static bool add_value(Range *r, Affine *a, IrReg reg, int64_t scale, uint32_t pos, int depth);

/* k * m + j with k the counter: the part that grows with it. */
static bool add_rows(Range *r, Affine *a, const IrStmt *s, int64_t scale, uint32_t pos,
                     int depth) {
    for (int i = 0; i < 2; i++) {
        Affine k = {0};
        IrReg by = jr_range_front(r, s->args[1 - i], pos);
        if (by == IR_NO_REG || !add_value(r, &k, s->args[i], scale, pos, depth)) continue;
        bool one = k.factor == 1 || k.factor == -1;
        if (!one || k.by_sign || k.nterms || a->by_sign) continue;
        a->by = by;
        a->by_sign = (int)k.factor;
        return k.offset == 0 || add_term(a, by, k.offset);
    }
    return false;
}

static bool add_front(Range *r, Affine *a, const IrStmt *s, int64_t scale, uint32_t pos) {
    IrReg front = jr_range_front(r, s->dsts[0], pos);
    return front != IR_NO_REG && add_term(a, front, scale);
}

/* Once in an index. */
static bool add_spread(Range *r, Affine *a, IrReg reg, int64_t scale, uint32_t pos) {
    if (!r->loose || a->spread || !jr_range_spread(r, reg, pos)) return false;
    a->spread = 1 + reg;
    a->spread_scale = scale;
    return true;
}

static bool add_product(Range *r, Affine *a, const IrStmt *s, int64_t scale, uint32_t pos,
                        int depth) {
    int64_t k = 0;
    IrReg other = s->args[0];
    if (scale <= -MAX_FACTOR || scale >= MAX_FACTOR) return false;
    if (!jr_range_const(r->f->ir, s->args[1], &k)) {
        other = s->args[1];
        if (!jr_range_const(r->f->ir, s->args[0], &k))
            return add_front(r, a, s, scale, pos + 1) || add_rows(r, a, s, scale, pos, depth);
    }
    return add_value(r, a, other, scale * k, pos, depth);
}

/* A variable to which each round adds `by`: what it is in front of the loop, and that for each round before. */
static bool add_grown(Range *r, Affine *a, IrReg reg, int64_t scale, uint32_t pos,
                      int64_t by) {
    int64_t all = scale * by, lo;
    if (all <= -MAX_OFFSET || all >= MAX_OFFSET || !add_term(a, reg, scale)) return false;
    if (r->uses[reg].pos < pos) a->offset += all;
    if (r->by != 1 && r->by != -1) {
        a->rounds += all;
        return true;
    }
    all *= r->by;
    a->factor += all;
    if (!jr_range_const(r->f->ir, r->loop->args[0], &lo))
        return add_term(a, r->loop->args[0], -all);
    a->offset -= all * lo;
    return a->offset > -MAX_OFFSET && a->offset < MAX_OFFSET;
}

static bool add_remainder(Range *r, Affine *a, const IrStmt *s, int64_t scale, uint32_t pos,
                          int depth);

GenProof *jr_range_proof(const GenPlan *plan, const IrStmt *s) {
    for (uint32_t i = 0; i < plan->proofs.len; i++)
        if (plan->proofs.data[i].stmt == s) return &plan->proofs.data[i];
    return NULL;
}

/* reg, as the statement at position `pos` sees it, times scale. */
static bool add_value(Range *r, Affine *a, IrReg reg, int64_t scale, uint32_t pos, int depth) {
    if (depth > MAX_DEPTH) return false;
    if (reg == r->loop->dsts[0]) {
        a->factor += scale;
        return true;
    }
    int64_t constant;
    if (jr_range_const(r->f->ir, reg, &constant)) {
        a->offset += scale * constant;
        return a->offset > -MAX_OFFSET && a->offset < MAX_OFFSET;
    }
    if (jr_range_is_invariant(r, reg)) {
        int64_t plus = 0;
        reg = jr_range_base(r->f->ir, reg, &plus);
        a->offset += scale * plus;
        return add_term(a, reg, scale);
    }
    int64_t by = jr_range_growth(r, reg);
    if (by) return add_grown(r, a, reg, scale, pos, by);
    const GenUse *use = &r->uses[reg];
    if (!use->def || use->writes != 1 || use->pos >= pos) return false;
    const IrStmt *s = use->def;
    switch (s->op) {
    case OP_COPY: return add_value(r, a, s->args[0], scale, use->pos, depth + 1);
    case OP_MUL: return add_product(r, a, s, scale, use->pos, depth + 1);
    case OP_MOD:
        return add_remainder(r, a, s, scale, use->pos, depth + 1) ||
               add_spread(r, a, reg, scale, pos);
    case OP_ADD:
    case OP_SUB:
        return add_value(r, a, s->args[0], scale, use->pos, depth + 1) &&
               add_value(r, a, s->args[1], s->op == OP_ADD ? scale : -scale, use->pos,
                         depth + 1);
    case OP_SELECT: {
        const IrStmt *test = r->uses[s->args[0]].def;
        const GenProof *proof = test ? jr_range_proof(r->plan, test) : NULL;
        if (!proof) return add_spread(r, a, reg, scale, pos);
        IrReg arm = s->args[proof->truth ? 1 : 2];
        return add_value(r, a, arm, scale, use->pos, depth + 1);
    }
    default: return add_front(r, a, s, scale, pos) || add_spread(r, a, reg, scale, pos);
    }
}

bool jr_range_affine(Range *r, Affine *a, IrReg reg, uint32_t pos) {
    bool loose = r->loose;
    *a = (Affine){0};
    r->loose = false;
    bool ok = add_value(r, a, reg, 1, pos, 0) && !a->rounds;
    r->loose = loose;
    return ok;
}

/* The same, or grows by the round. */
static bool affine(Range *r, Affine *a, IrReg reg) {
    *a = (Affine){0};
    return add_value(r, a, reg, 1, r->pos, 0) && (!a->rounds || (!a->factor && !a->by_sign));
}

/* An index of which at least the ends are known. */
static bool loosely_affine(Range *r, Affine *a, IrReg reg) {
    *a = (Affine){0};
    r->loose = true;
    bool ok = add_value(r, a, reg, 1, r->pos, 0) && !a->rounds;
    r->loose = false;
    return ok;
}

/* ---- The questions ---- */

bool jr_range_same(const Affine *a, const Affine *b) {
    if (a->factor != b->factor || a->rounds != b->rounds || a->nterms != b->nterms ||
        a->by_sign != b->by_sign)
        return false;
    if (a->by_sign && a->by != b->by) return false;
    if (a->spread != b->spread || a->spread_scale != b->spread_scale) return false;
    for (uint32_t i = 0; i < a->nterms; i++)
        if (a->term[i] != b->term[i] || a->scale[i] != b->scale[i]) return false;
    return true;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Whether there is room for the question. */
static bool note_index(Range *r, IrReg array, unsigned axis, IrReg bound, const Affine *a) {
    for (uint32_t i = 0; i < r->nquestions; i++) {
        Question *q = &r->questions[i];
        if (q->array != array || q->axis != axis || q->bound != bound) continue;
        if (!jr_range_same(&q->index, a)) continue;
        q->least = smaller(q->least, a->offset);
        q->most = -smaller(-q->most, -a->offset);
        return true;
    }
    if (r->nquestions == MAX_AXES) return false;
    r->questions[r->nquestions++] = (Question){array, bound, axis, *a, a->offset, a->offset};
    return true;
}

/* ---- Points ---- */

bool jr_range_minus(const Affine *a, const Affine *b, Affine *difference) {
    Affine d = *a;
    d.factor -= b->factor;
    d.offset -= b->offset;
    d.rounds = 0;
    if (a->by_sign != b->by_sign || (a->by_sign && a->by != b->by)) return false;
    if (a->rounds != b->rounds) return false;
    d.by_sign = 0;
    for (uint32_t i = 0; i < b->nterms; i++)
        if (!add_term(&d, b->term[i], -b->scale[i])) return false;
    *difference = d;
    difference->nterms = 0;
    for (uint32_t i = 0; i < d.nterms; i++)
        if (d.scale[i]) add_term(difference, d.term[i], d.scale[i]);
    return true;
}

LLVMValueRef jr_range_value(Range *r, const Affine *a) {
    Gen *g = r->f->g;
    LLVMValueRef sum = jr_gen_int(g, a->offset);
    for (uint32_t i = 0; i < a->nterms; i++) {
        LLVMValueRef term = jr_range_term(r, a->term[i]);
        term = LLVMBuildMul(g->b, term, jr_gen_int(g, a->scale[i]), "");
        sum = LLVMBuildAdd(g->b, sum, term, "");
    }
    return sum;
}

/* The value of the counter for which a is zero. */
static Affine zero_of(const Affine *a) {
    Affine point = {.offset = -a->factor * a->offset};
    for (uint32_t i = 0; i < a->nterms; i++)
        add_term(&point, a->term[i], -a->factor * a->scale[i]);
    return point;
}

static bool add_point(Range *r, const Affine *a) {
    GenPlan *plan = r->plan;
    if (!r->step || a->by_sign || (a->factor != 1 && a->factor != -1)) return false;
    Affine point = zero_of(a);
    for (uint32_t i = 0; i < plan->npoints; i++)
        if (jr_range_same(&r->points[i], &point) && r->points[i].offset == point.offset)
            return true;
    if (plan->npoints == GEN_MAX_POINTS) return false;
    r->points[plan->npoints++] = point;
    return true;
}

/* In the quick twin, where the counter is at none of the points. */
static void note_compare(Range *r, const IrStmt *s) {
    Affine a, b, difference;
    if (ir_reg_type(r->f->ir, s->args[0]).scalar != TY_INT64 || !r->step) return;
    if (!affine(r, &a, s->args[0]) || !affine(r, &b, s->args[1])) return;
    if (!jr_range_minus(&a, &b, &difference) || !add_point(r, &difference)) return;
    GenProof proof = {.stmt = s, .truth = s->op == OP_NE};
    JR_PUSH(r->f->g->arena, &r->plan->proofs, proof);
}

/* What a register outside of the loop was computed as: another one, or none, plus an offset. */
static IrReg source_of(const IrFunc *func, IrReg reg, int64_t *offset) {
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        int64_t k = 0;
        if (jr_range_const(func, reg, &k)) {
            *offset += k;
            return IR_NO_REG;
        }
        const IrStmt *def =
            ir_reg(func, reg)->kind == REG_TEMP ? ir_reg(func, reg)->def : NULL;
        if (!def || (def->op != OP_COPY && def->op != OP_ADD && def->op != OP_SUB)) break;
        if (def->op != OP_COPY && !jr_range_const(func, def->args[1], &k)) break;
        *offset += def->op == OP_SUB ? -k : k;
        reg = def->args[0];
    }
    return reg;
}

static bool same_length(const IrFunc *func, IrReg a, IrReg b) {
    if (a == b || a == IR_NO_REG || b == IR_NO_REG) return a == b;
    const IrRegInfo *x = ir_reg(func, a), *y = ir_reg(func, b);
    return x->kind == REG_TEMP && y->kind == REG_TEMP && x->def->op == OP_DIM &&
           y->def->op == OP_DIM && x->def->args[0] == y->def->args[0] &&
           x->def->u.imm == y->def->u.imm;
}

/* Whether the point looks like bound + plus; the run finds out. */
static bool looks_like(const Range *r, const Affine *point, IrReg bound, int64_t plus) {
    const IrFunc *func = r->f->ir;
    int64_t offset = point->offset;
    IrReg mine = IR_NO_REG, its = source_of(func, bound, &plus);
    if (point->nterms > 1 || (point->nterms == 1 && point->scale[0] != 1)) return false;
    if (point->nterms == 1) mine = source_of(func, point->term[0], &offset);
    return same_length(func, mine, its) && offset == plus;
}

/* The first or last iteration that is a point is not in the quick twin's range. */
static void narrow_range(Range *r, LLVMValueRef point, LLVMValueRef end, bool at_low_end) {
    jr_range_require(r, LLVMBuildICmp(r->f->g->b, LLVMIntEQ, point, end, ""));
    if (at_low_end)
        r->first_plus = 1;
    else
        r->last_plus = -1;
}

static void make_points(Range *r) {
    Gen *g = r->f->g;
    const IrReg *args = r->loop->args;
    bool up = r->step > 0;
    for (uint32_t i = 0; i < r->plan->npoints; i++) {
        const Affine *point = &r->points[i];
        LLVMValueRef value = jr_range_value(r, point);
        r->plan->points[i] = value;
        if (looks_like(r, point, args[0], 0))
            narrow_range(r, value, jr_gen_value(r->f, args[0]), up);
        if (!looks_like(r, point, args[1], -r->step)) continue;
        LLVMValueRef end =
            LLVMBuildSub(g->b, jr_gen_value(r->f, args[1]), jr_gen_int(g, r->step), "");
        narrow_range(r, value, end, !up);
    }
}

/* `for j in range(i + 1, n): a[i] = a[j]`: one comparison says that j == i does not come. */
static bool ask_outside(Range *r, const Affine *point) {
    const IrReg *args = r->loop->args;
    if (!looks_like(r, point, args[0], -r->step) && !looks_like(r, point, args[1], 0))
        return false;
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef value = jr_range_value(r, point);
    LLVMValueRef lo = jr_gen_value(r->f, args[0]), hi = jr_gen_value(r->f, args[1]);
    LLVMIntPredicate less = r->step > 0 ? LLVMIntSLT : LLVMIntSGT;
    LLVMIntPredicate not_less = r->step > 0 ? LLVMIntSGE : LLVMIntSLE;
    LLVMValueRef ahead = LLVMBuildICmp(b, less, value, lo, "");
    LLVMValueRef behind = LLVMBuildICmp(b, not_less, value, hi, "");
    jr_range_require(r, LLVMBuildOr(b, ahead, behind, ""));
    return true;
}

bool jr_range_spare(Range *r, const Affine *a) {
    Affine point = zero_of(a);
    return (r->step && !a->by_sign && ask_outside(r, &point)) || add_point(r, a);
}

/* x[(i - 1) % n] and x[(i + 1) % n] where i goes from 0 to n: the first or the last iteration gets to
 * the other end, in the others the remainder is what is divided. */
static bool goes_around(Range *r, const IrStmt *s, const Affine *x, Affine *point) {
    int64_t lo, n;
    if (r->step != 1 || !jr_range_const(r->f->ir, r->loop->args[0], &lo) || lo != 0)
        return false;
    if (x->factor != 1 || x->by_sign || x->nterms || (x->offset != 1 && x->offset != -1))
        return false;
    IrReg bound = jr_range_front(r, s->args[1], r->pos + 1);
    Affine end = {0};
    if (jr_range_const(r->f->ir, s->args[1], &n))
        end.offset = n;
    else if (bound == IR_NO_REG || !add_term(&end, bound, 1))
        return false;
    if (!looks_like(r, &end, r->loop->args[1], 0)) return false;
    *point = (Affine){.factor = 1};
    return x->offset < 0 || (jr_range_minus(point, &end, point) && ++point->offset);
}

static bool add_remainder(Range *r, Affine *a, const IrStmt *s, int64_t scale, uint32_t pos,
                          int depth) {
    Affine x = {0}, point;
    GenProof proof = {.stmt = s, .dividend = true};
    if (add_front(r, a, s, scale, pos + 1)) return true;
    if (!add_value(r, &x, s->args[0], 1, pos, depth)) return false;
    if (!jr_range_proof(r->plan, s)) {
        if (!goes_around(r, s, &x, &point) || !add_point(r, &point)) return false;
        IrReg bound = jr_range_front(r, s->args[1], pos);
        if (!note_index(r, IR_NO_REG, 0, bound, &x)) return false;
        JR_PUSH(r->f->g->arena, &r->plan->proofs, proof);
    }
    return add_value(r, a, s->args[0], scale, pos, depth);
}

/* x[i - 1] where i begins at 0: the first iteration counts from the end, the others do not. */
static void spare_first(Range *r) {
    int64_t lo;
    if (r->step != 1 || !jr_range_const(r->f->ir, r->loop->args[0], &lo)) return;
    for (uint32_t i = 0; i < r->nquestions; i++) {
        const Question *q = &r->questions[i];
        if (q->index.factor != 1 || q->index.nterms || q->index.by_sign) continue;
        if (lo + q->least != -1) continue;
        Affine first = {.factor = 1, .offset = -lo};
        add_point(r, &first);
        return;
    }
}

/* ---- The accesses ---- */

/* A constant below zero is left to its own check, which is cheap. */
static bool always_negative(const Affine *a) {
    return a->factor == 0 && a->nterms == 0 && !a->spread && a->offset < 0;
}

/* One multiplication an iteration is nothing; one for each of several arrays is worth replacing by
 * additions. */
static void note_columns(Range *r, IrReg array, unsigned ndim, const Affine *index) {
    for (unsigned axis = 0; axis + 1 < ndim && !r->loop->jammed; axis++) {
        if (!index[axis].factor) continue;
        if (r->column != IR_NO_REG && r->column != array) r->f->g->needs.strided = true;
        r->column = array;
    }
}

/* A load in an `if` is asked about in full: within bounds it may be done whether or not. */
static void note_access(Range *r, const IrStmt *s, bool top) {
    IrReg array = s->args[0];
    unsigned ndim = ir_reg_type(r->f->ir, array).ndim;
    bool full = !top && s->op == OP_LOAD;
    uint32_t wanted = full ? UINT32_MAX : s->u.mem.check | s->u.mem.wrap;
    Affine *index = JR_NEW_ARRAY(r->f->g->arena, Affine, ndim);
    GenProof proof = {.stmt = s};
    bool all = true, grows = false;
    for (unsigned axis = 0; axis < ndim; axis++) {
        bool exact = affine(r, &index[axis], s->args[1 + axis]), asked = wanted >> axis & 1;
        bool known = exact || (asked && loosely_affine(r, &index[axis], s->args[1 + axis]));
        if (known && asked) {
            known =
                !always_negative(&index[axis]) && note_index(r, array, axis, 0, &index[axis]);
            if (known) proof.axes |= 1u << axis;
        }
        all &= known && exact;
        grows |= known && index[axis].rounds;
    }
    r->plan->checks |= (s->u.mem.check & ~proof.axes) != 0;
    r->plan->exact &= top || !proof.axes;
    if (all) note_columns(r, array, ndim, index);
    proof.place = jr_range_note_access(r, s, all && !grows ? index : NULL);
    if (proof.axes || proof.place) JR_PUSH(r->f->g->arena, &r->plan->proofs, proof);
}

static void look_at_block(Range *r, const IrBlock *block, bool top) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        r->pos++;
        if ((s->op == OP_LOAD || s->op == OP_STORE) && jr_range_is_invariant(r, s->args[0])) {
            note_access(r, s, top);
        } else if (s->op == OP_EQ || s->op == OP_NE) {
            note_compare(r, s);
        } else if (s->op == OP_IF) {
            look_at_block(r, &s->u.blocks.then, false);
            look_at_block(r, &s->u.blocks.els, false);
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

static bool leaves_early(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_BREAK) return true;
        if (s->op == OP_IF &&
            (leaves_early(&s->u.blocks.then) || leaves_early(&s->u.blocks.els)))
            return true;
    }
    return false;
}

/* A loop that may end anywhere is not run in pieces. */
static int64_t step_of(const Range *r) {
    if (r->by != 1 && r->by != -1) return 0;
    return leaves_early(&r->loop->u.blocks.then) ? 0 : r->by;
}

static void forget_block(Range *r, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->ndsts; i++)
            r->uses[s->dsts[i]] = (GenUse){0};
        if (s->op == OP_STORE) r->uses[s->args[0]] = (GenUse){0};
        if (ir_stmt_is_nested(s)) {
            forget_block(r, &s->u.blocks.then);
            forget_block(r, &s->u.blocks.els);
        }
    }
}

void jr_gen_plan(GenFunc *f, const IrStmt *loop, GenPlan *plan) {
    const IrBlock *body = &loop->u.blocks.then;
    if (f->g->level < 2 || !has_doubts(body)) return;
    if (!f->uses) f->uses = JR_NEW_ARRAY(f->g->arena, GenUse, f->ir->regs.len);
    Range r = {.f = f, .loop = loop, .plan = plan, .uses = f->uses, .column = IR_NO_REG};
    if (!jr_range_const(f->ir, loop->args[2], &r.by)) r.by = 0;
    r.step = step_of(&r);
    plan->exact = r.by && !leaves_early(body);
    if (note_block(&r, body, true)) {
        r.pos = 0;
        look_at_block(&r, body, true);
        spare_first(&r);
        jr_range_ask_apart(&r);
        make_points(&r);
        jr_range_ask_in_order(&r);
        for (uint32_t i = 0; i < r.nquestions; i++)
            jr_range_ask(&r, &r.questions[i]);
        if (plan->in_pieces && !plan->in_order) jr_range_require(&r, plan->in_pieces);
        jr_range_guess(&r);
    }
    forget_block(&r, body);
    if (plan->in_order && !plan->sure) plan->sure = LLVMConstInt(f->g->i1, 1, 0);
    if (plan->sure && LLVMIsAConstantInt(plan->sure) && LLVMIsNull(plan->sure))
        plan->sure = NULL;
}

const GenProof *jr_gen_proof(const GenFunc *f, const IrStmt *s) {
    return f->plan ? jr_range_proof(f->plan, s) : NULL;
}

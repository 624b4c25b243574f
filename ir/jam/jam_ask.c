/* What only the run knows of a nest, asked once in front of it:
 *
 *     every loop inside runs at least once, and the innermost ones not for long
 *     every index stays within its array, for all iterations of all loops
 *     arrays that are stored to lie apart from the others
 *
 * The numbers that indices are made of have to be small, so that no sum of them wraps. */
#include "ir/fold.h"
#include "ir/jam/jam.h"

#include <string.h>

enum {
    MOST_ROUNDS = 1 << 18, /* of an innermost loop, in which nobody looks whether to stop */
    MAX_QUESTIONS = 32,
    MAX_SMALL = 32,
};

#define LARGEST ((int64_t)1 << 40)

/* Indices on one axis that differ by their offsets alone. */
typedef struct Question {
    IrReg array;
    unsigned axis;
    const JamSum *index;
    int64_t least, most;
} Question;

typedef struct Asking {
    Jam *j;
    IrBuilder *b;
    IrReg sure;
    uint32_t nquestions, nsmall;
    Question questions[MAX_QUESTIONS];
    IrReg small[MAX_SMALL]; /* known to be between -LARGEST and LARGEST */
} Asking;

static const IrType int_type = {.scalar = TY_INT64};

static IrReg number(Asking *a, int64_t value) {
    return ir_const_int(a->b->func, TY_INT64, value);
}

static void require(Asking *a, IrReg ok) {
    a->sure = a->sure == IR_NO_REG
                  ? ok
                  : ir_build_binary(a->b, OP_AND, ir_scalar(TY_BOOL), a->sure, ok);
}

static bool is_const(const Asking *a, IrReg reg) {
    return ir_reg(a->b->func, reg)->kind == REG_CONST;
}

static void require_compare(Asking *a, IrOp op, IrReg x, IrReg y) {
    IrConst values[2], result;
    if (is_const(a, x) && is_const(a, y)) {
        values[0] = ir_reg(a->b->func, x)->value;
        values[1] = ir_reg(a->b->func, y)->value;
        if (ir_fold_eval(op, MATH_COUNT, TY_INT64, TY_BOOL, values, &result) && result.i)
            return;
    }
    require(a, ir_build_compare(a->b, op, x, y));
}

/* No array that has elements is too long. */
static bool is_length(const Asking *a, IrReg reg) {
    const IrRegInfo *info = ir_reg(a->b->func, reg);
    while (info->kind == REG_TEMP && info->def && info->def->op == OP_COPY)
        info = ir_reg(a->b->func, info->def->args[0]);
    return info->kind == REG_TEMP && info->def && info->def->op == OP_DIM;
}

static void require_small(Asking *a, IrReg reg) {
    const IrRegInfo *info = ir_reg(a->b->func, reg);
    if (is_length(a, reg)) return;
    if (info->kind == REG_CONST && info->value.i >= -LARGEST && info->value.i <= LARGEST)
        return;
    for (uint32_t i = 0; i < a->nsmall; i++)
        if (a->small[i] == reg) return;
    if (a->nsmall < MAX_SMALL) a->small[a->nsmall++] = reg;
    require_compare(a, OP_GE, reg, number(a, -LARGEST));
    require_compare(a, OP_LE, reg, number(a, LARGEST));
}

/* ---- Loops ---- */

static void ask_loops(Asking *a) {
    for (uint32_t i = 0; i < a->j->nloops; i++) {
        const JamLoop *loop = &a->j->loops[i];
        IrReg lo = loop->stmt->args[0], hi = loop->stmt->args[1];
        bool up = loop->step > 0;
        require_small(a, lo);
        require_small(a, hi);
        if (i) require_compare(a, up ? OP_LT : OP_GT, lo, hi);
        if (!loop->innermost) continue;
        IrReg length = ir_build_binary(a->b, OP_SUB, int_type, up ? hi : lo, up ? lo : hi);
        int64_t most = MOST_ROUNDS * (up ? loop->step : -loop->step);
        require_compare(a, OP_LE, length, number(a, most));
    }
}

/* ---- Indices ---- */

static bool note_index(Asking *a, IrReg array, unsigned axis, const JamSum *index) {
    for (uint32_t i = 0; i < a->nquestions; i++) {
        Question *q = &a->questions[i];
        JamSum d;
        if (q->array != array || q->axis != axis || !ir_jam_minus(index, q->index, &d) ||
            d.nterms)
            continue;
        if (index->offset < q->least) q->least = index->offset;
        if (index->offset > q->most) q->most = index->offset;
        return true;
    }
    if (a->nquestions == MAX_QUESTIONS) return false;
    a->questions[a->nquestions++] =
        (Question){array, axis, index, index->offset, index->offset};
    return true;
}

static bool note_access(Asking *a, const JamAccess *access) {
    const IrStmt *s = access->stmt;
    uint32_t asked = s->u.mem.check | s->u.mem.wrap;
    for (unsigned i = 0; i < ir_reg_type(a->j->func, s->args[0]).ndim; i++)
        if (asked >> i & 1 && !note_index(a, s->args[0], i, &access->index[i])) return false;
    return true;
}

static const JamLoop *loop_of(const Jam *j, IrReg counter) {
    for (uint32_t i = 0; i < j->nloops; i++)
        if (jam_counter(j, i) == counter) return &j->loops[i];
    return NULL;
}

static IrReg plus(Asking *a, IrReg sum, IrReg term, int64_t factor) {
    if (factor != 1) term = ir_build_binary(a->b, OP_MUL, int_type, term, number(a, factor));
    return sum == IR_NO_REG ? term : ir_build_binary(a->b, OP_ADD, int_type, sum, term);
}

/* The least the index can be, or the greatest, with this offset: counters go from lo to hi - 1, or
 * down from lo to hi + 1. */
static IrReg end_of(Asking *a, const JamSum *index, int64_t offset, bool greatest) {
    IrReg sum = IR_NO_REG;
    for (uint32_t i = 0; i < index->nterms; i++) {
        int64_t factor = index->factor[i];
        const JamLoop *loop = loop_of(a->j, index->term[i]);
        IrReg term = index->term[i];
        if (loop) {
            bool last = (factor > 0) == greatest, up = loop->step > 0;
            term = loop->stmt->args[last == up ? 1 : 0];
            if (last == up) offset += up ? -factor : factor;
        } else {
            require_small(a, term);
        }
        sum = plus(a, sum, term, factor);
    }
    if (sum == IR_NO_REG) return number(a, offset);
    return offset ? plus(a, sum, number(a, offset), 1) : sum;
}

static void ask(Asking *a, const Question *q) {
    IrReg least = end_of(a, q->index, q->least, false);
    IrReg most = end_of(a, q->index, q->most, true);
    if (q->index->nterms) require_compare(a, OP_GE, least, number(a, 0));
    require_compare(a, OP_LT, most, ir_build_dim(a->b, q->array, (uint8_t)q->axis));
}

static bool note_accesses(Asking *a) {
    for (uint32_t i = 0; i < a->j->accesses.len; i++)
        if (!note_access(a, a->j->accesses.data[i])) return false;
    return true;
}

bool ir_jam_can_ask(Jam *j) {
    Asking a = {.j = j};
    return note_accesses(&a);
}

IrReg ir_jam_ask(Jam *j, IrBuilder *b) {
    Asking a = {.j = j, .b = b, .sure = IR_NO_REG};
    note_accesses(&a);
    ask_loops(&a);
    for (uint32_t i = 0; i < a.nquestions; i++)
        ask(&a, &a.questions[i]);
    for (uint32_t i = 0; i < j->npairs; i++) {
        IrReg pair[] = {j->pairs[i].a, j->pairs[i].b},
              apart = ir_temp(b->func, ir_scalar(TY_BOOL));
        ir_build(b, OP_APART, 1, &apart, 2, pair);
        require(&a, apart);
    }
    return a.sure;
}

/* What range.c finds out of an innermost loop, and apart.c asks on. */
#ifndef JR_BACKEND_LLVM_RANGE_H
#define JR_BACKEND_LLVM_RANGE_H

#include "backend/llvm/gen.h"

enum {
    MAX_TERMS = 6,
    MAX_AXES = 24, /* questions asked in front of one loop */
};

/* factor * counter + by_sign * by * counter + sum of terms + offset. Registers are those that front.c
 * gives, by and terms: what they are can be had in front of the loop. In loops by more than one it may also grow
 * with the number of the round, from 0, but not with the counter then. */
typedef struct Affine {
    int64_t factor, offset, rounds;
    int by_sign; /* 1, -1, or 0: there is no such part */
    IrReg by;
    uint32_t nterms;
    IrReg term[MAX_TERMS];
    int64_t scale[MAX_TERMS];
    IrReg
        spread; /* 1 + a register that is added, times spread_scale, of which the ends are known; 0: none */
    int64_t spread_scale;
} Affine;

/* Indices on one axis that differ by their offsets alone. Or what is divided by `bound`, so that the
 * remainder is the same; there is no array then. */
typedef struct Question {
    IrReg array, bound;
    unsigned axis;
    Affine index; /* but for its offset */
    int64_t least, most;
} Question;

typedef struct Range {
    GenFunc *f;
    const IrStmt *loop;
    GenPlan *plan;
    GenUse *uses; /* by register */
    JR_VEC(IrReg)
    fronts;         /* registers of the body that have a value in front of it, all different */
    bool continues; /* there is a `continue` in it */
    uint32_t pos, nquestions;
    Question questions[MAX_AXES];
    Affine points[GEN_MAX_POINTS]; /* of plan->points */
    int64_t by;                    /* the loop's step if it is a small constant, else 0 */
    int64_t step;                  /* 1 or -1 if the loop can be run in pieces, else 0 */
    LLVMValueRef first, last;      /* the counter's range, made on first use: counter_range */
    int64_t first_plus, last_plus;
    bool loose;   /* an index may have a part of which the ends are known */
    IrReg column; /* an array that is gone through by its columns, or IR_NO_REG */
} Range;

/* front.c: the register that stands for this one, as the statement at `pos` sees it, in front of the
 * loop; IR_NO_REG if it may change. What had to be asked for it is required. */
IrReg jr_range_front(Range *r, IrReg reg, uint32_t pos);
LLVMValueRef jr_range_term(Range *r, IrReg front); /* its value */

/* The small constant that a register is; false for any other. */
bool jr_range_const(const IrFunc *func, IrReg reg, int64_t *value);
/* How much each round adds to a variable that is otherwise left alone; 0 if there is no such constant. */
int64_t jr_range_growth(const Range *r, IrReg reg);
/* front.c: what a register that the loop does not change is the sum of, and a constant: the i + 1 of a lane (ir/jam/) is one
 * more than i. Adds the constant to *offset. */
IrReg jr_range_base(const IrFunc *func, IrReg reg, int64_t *offset);

bool jr_range_is_invariant(const Range *r, IrReg reg);
GenProof *jr_range_proof(const GenPlan *plan, const IrStmt *s);
bool jr_range_same(const Affine *a, const Affine *b); /* but for the offset */
/* False if there are too many terms. */
bool jr_range_minus(const Affine *a, const Affine *b, Affine *difference);
/* Its invariant part, in wrapping 64 bits. */
LLVMValueRef jr_range_value(Range *r, const Affine *a);
void jr_range_require(Range *r, LLVMValueRef ok);
/* What the register is, as the statement at `pos` sees it, as an exact sum; or false. */
bool jr_range_affine(Range *r, Affine *a, IrReg reg, uint32_t pos);
/* Less its offset and spread, and plus `offset`, for a counter of `counter + plus`, in 128 bits. */
LLVMValueRef jr_range_evaluate(Range *r, const Affine *a, LLVMValueRef counter, int64_t plus,
                               int64_t offset);
/* Keeps the iteration in which a, whose factor is 1 or -1, is zero out of the quick twin. False if
 * that cannot be. */
bool jr_range_spare(Range *r, const Affine *a);

/* spread.c: whether the ends of the register's values are known: its use's low and high. */
bool jr_range_spread(Range *r, IrReg reg, uint32_t pos);

/* ask.c: requires that the index is within its array in all rounds. */
void jr_range_ask(Range *r, const Question *q);

/* apart.c: an access, at r->pos, to an array that the loop does not assign; `index` is NULL if not all
 * of its indices are affine and known to be within the array. */
GenPlace *jr_range_note_access(Range *r, const IrStmt *s, const Affine *index);
/* Adds to the plan what has to hold for the accesses' places to lie apart. */
void jr_range_ask_apart(Range *r);
/* ... and for the loop to be right in one piece where they do not. */
void jr_range_ask_in_order(Range *r);

/* guess.c: makes the plan's guess, where that gains something. */
void jr_range_guess(Range *r);

#endif

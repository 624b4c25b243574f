/* How far an index reaches in each iteration, as a test where the loop begins computes it
 * (par_reach.c). */
#ifndef JR_IR_PAR_REACH_H
#define JR_IR_PAR_REACH_H

#include "ir/par/par.h"

/* The loop's own function, or a function that its body calls: a parameter there is the operand
 * of `call` in `up`. */
typedef struct ParFrame {
    const IrFunc *func;
    const IrStmt *call; /* CALL or PARALLEL; NULL in the loop's own function */
    const struct ParFrame *up;
} ParFrame;

/* A number that is known where the loop begins: as a constant, or as words of ir/par/apart.h. */
typedef struct ParExpr {
    const char *text; /* NULL: not known */
    bool constant;
    int64_t value;
} ParExpr;

/* slope * t + base, t the number of the iteration. */
typedef struct ParLine {
    ParExpr slope, base;
} ParLine;

typedef struct ParReach {
    bool known;
    bool exact;        /* lo and hi are one: the value, not just its limits */
    bool doubtful;     /* it needs what may well be false */
    ParLine lo, hi;    /* inclusive; with lo > hi there is no such value */
    const char *needs; /* words that leave a truth: what else has to hold; or NULL */
    ParExpr modulo; /* text: the reach is that of the value before it was taken modulo this */
} ParReach;

/* Of an integer register, in terms of the loop's iterations. */
ParReach ir_par_reach(ParLoop *p, const ParFrame *frame, IrReg reg);
/* As it is used in anything else: a remainder is then known by its limits alone. */
ParReach ir_par_settled(ParLoop *p, ParReach reach);
/* Of the indices of the part of an axis that a VIEW takes; `arg` is the operand with its start. */
ParReach ir_par_reach_of_part(ParLoop *p, const ParFrame *frame, const IrStmt *view,
                              uint32_t arg, uint8_t axis);
/* The statement that gives a register its value, if there is one alone: in a callee, or in the
 * loop's body. NULL for what comes from outside the loop. */
const IrStmt *ir_par_frame_def(const ParLoop *p, const ParFrame *frame, IrReg reg);
/* The function's last statement, if it is its only return; or NULL. */
const IrStmt *ir_par_only_return(const IrFunc *func);
/* Whether it is a parameter of a callee, to be looked up in frame->up as *outer. A body of an
 * inner region has three parameters of its own, which are not. */
bool ir_par_is_argument(const ParFrame *frame, IrReg reg, IrReg *outer);
/* Whether the loop finds the register made, and does not change it. */
bool ir_par_is_outside(const ParLoop *p, const ParFrame *frame, IrReg reg);

/* par_line.c: what has no text, or no room for it, is not known, and nothing made of it is. */
ParExpr ir_par_number(ParLoop *p, int64_t value);
bool ir_par_is_number(ParExpr e, int64_t value);
/* A value that the test is given: a register, or with an axis >= 0 that length of an array. */
ParExpr ir_par_given(ParLoop *p, IrReg reg, int axis);
/* "a b op" */
ParExpr ir_par_words(ParLoop *p, ParExpr a, ParExpr b, const char *op);
ParExpr ir_par_plus(ParLoop *p, ParExpr a, ParExpr b);
ParExpr ir_par_times(ParLoop *p, ParExpr a, ParExpr b);
ParExpr ir_par_least(ParLoop *p, ParExpr a, ParExpr b, const char *op);   /* "min" or "max" */
ParExpr ir_par_divided(ParLoop *p, ParExpr a, ParExpr b, const char *op); /* "//" or "%" */
/* "a b word", with what is NULL left out. */
const char *ir_par_both(ParLoop *p, const char *a, const char *b, const char *word);

bool ir_par_is_line(ParLine a); /* known */
ParLine ir_par_flat_line(ParLoop *p, ParExpr base);
ParLine ir_par_add_lines(ParLoop *p, ParLine a, ParLine b);
ParLine ir_par_scale_line(ParLoop *p, ParLine a, ParExpr factor);
ParLine ir_par_shift_line(ParLoop *p, ParLine a, int64_t by);
/* The least, or with "max" the greatest, of a line in all iterations. */
ParExpr ir_par_end_of_line(ParLoop *p, ParLine a, const char *op);
/* A line on no point above both, or with "max" below both. */
ParLine ir_par_outer_line(ParLoop *p, ParLine a, ParLine b, const char *op);

#endif

/* The array accesses of a parallel loop's body, and whether two of them meet: what the files
 * about races share. */
#ifndef JR_IR_PAR_ACCESS_H
#define JR_IR_PAR_ACCESS_H

#include "ir/par/par_reach.h"

typedef enum ParAxisKind { AXIS_WHOLE, AXIS_POINT, AXIS_PART } ParAxisKind;

/* Which of an axis of the array an access touches. */
typedef struct ParAxis {
    ParAxisKind kind;
    bool wrap;    /* POINT: the index may count from the end */
    ParAffine at; /* POINT: the index, if it is in the loop's own function */
    const ParFrame *frame;
    IrReg index;        /* POINT */
    const IrStmt *view; /* PART: made by this VIEW, */
    uint32_t arg;       /* from its operands here, */
    uint8_t view_axis;  /* of this axis of what it is a view of */
} ParAxis;

typedef struct ParAccess {
    IrReg root; /* an array from outside the loop; IR_NO_REG: memory of the iteration's own */
    bool stores;
    bool conditional; /* under an if, in a loop that may not run, or in a function */
    bool whole; /* part of a statement over a whole array, which runs in each iteration */
    IrStmt *stmt, *parent;
    uint32_t ndim; /* the root's */
    ParAxis axes[IR_MAX_DIMS];
    uint32_t
        open; /* axes of the view so far: which of the root's, or UINT32_MAX for a new one */
    uint32_t map[2 * IR_MAX_DIMS];
} ParAccess;

typedef JR_VEC(ParAccess) ParAccesses;

/* par_access.c */
/* Every access of the body, those of the functions it calls too. What cannot be resolved makes
 * the loop serial. */
void ir_par_collect(ParLoop *p, ParAccesses *out);

/* par_test.c */
typedef enum ParAnswer { ANSWER_NO, ANSWER_APART, ANSWER_TEST } ParAnswer;

/* Whether a test where the loop begins can tell that two accesses of one array are apart in
 * different iterations: *test is then its text. ANSWER_APART: they are, without a test. */
ParAnswer ir_par_test_of(ParLoop *p, const ParAccess *a, const ParAccess *b, const char **test,
                         bool *doubtful);
/* The loop is parallel only if the test holds. */
void ir_par_add_test(ParLoop *p, IrReg array, const char *test);

#endif

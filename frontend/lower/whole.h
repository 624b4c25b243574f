/* Whole-array expressions, planned: shared by the lowering's files for them (lower_whole.c,
 * lower_store.c, lower_reduce.c, lower_pairwise.c, lower_blocks.c, lower_overlap.c,
 * lower_mask.c), by nobody else.
 *
 * A plan is the expression as a tree whose leaves are evaluated: scalars in registers, arrays in
 * theirs. What is left is to emit one element of it at an index, any number of times. */
#ifndef JR_FRONTEND_WHOLE_H
#define JR_FRONTEND_WHOLE_H

#include "frontend/lower/lower.h"

typedef struct Leaf {
    IrReg array;
    unsigned ndim;
    IrReg dims[IR_MAX_DIMS];
    IrReg shown;  /* what the loops being emitted read: the array, or a view of it */
    IrReg loaded; /* its element in the body being emitted, or IR_NO_REG */
} Leaf;

typedef struct Elem Elem;
struct Elem {
    const AstExpr *expr; /* an operation; NULL for a leaf */
    const FeOperation
        *operation; /* for an operation that no expression stands for, with `op` */
    AstOp op;
    Leaf *leaf;   /* an array, or NULL */
    Value scalar; /* neither: evaluated */
    uint32_t nargs;
    Elem **args; /* NULL where a call has none */
    unsigned ndim;
    IrReg dims[IR_MAX_DIMS]; /* the shape, checked */
};

/* How parts of the loops that ran on threads come to one result; `data` is the body's. */
typedef struct WholeJoin {
    void (*prepare)(Lower *low, void *data, IrReg parts); /* before the loop over parts */
    void (*enter)(Lower *low, void *data, IrReg first);   /* in a part; its first element */
    void (*leave)(Lower *low, void *data, IrReg part);
    void (*finish)(Lower *low, void *data, IrReg parts); /* after the loop */
} WholeJoin;

/* The loops are over so many indices of the first axis: from one on those of the plan, from another those of
 * the target. */
typedef struct WholeBlock {
    IrReg rows, from, to;
} WholeBlock;

typedef struct Whole {
    JR_VEC(Leaf *) leaves;
    Elem *root;
    uint32_t ops;
    bool backwards;          /* the loops go from the last index to the first */
    bool spreads;            /* parts of the loops may run at the same time, */
    const WholeJoin *join;   /* ... and what is done about that, or NULL: nothing */
    const WholeBlock *block; /* NULL: the loops are over all indices */
    unsigned ndim;           /* of the loops */
    IrReg dims[IR_MAX_DIMS];
} Whole;

/* One element, at an index, for the body of the loops: what to do with it. `target` is the array
 * the loops were given, or a view of it that the index is for. */
typedef void (*WholeBody)(Lower *low, void *data, Value element, IrReg target, unsigned n,
                          const IrReg *index);

/* ---- lower_whole.c ---- */
Whole *fe_whole_plan(Lower *low, const AstExpr *expr);
/* The same; its elements are computed after `later` has been evaluated, which may be a call. */
Whole *fe_whole_plan_before(Lower *low, const AstExpr *expr, const AstExpr *later);
Whole *fe_whole_of(Lower *low, IrReg array); /* the plan that is just an array */
/* Where leaves need no stretching but that of axes known to have length 1: each leaf's dims are
 * those of the loops. IR_NO_REG when that is so whatever the run brings. */
IrReg fe_whole_direct(Lower *low, const Whole *whole);
/* The loops, over whole->dims: direct ones, or with every leaf stretched to them. */
void fe_whole_run(Lower *low, Whole *whole, bool direct, IrReg target, WholeBody body,
                  void *data);
/* Either, by fe_whole_direct. */
void fe_whole_run_any(Lower *low, Whole *whole, IrReg target, WholeBody body, void *data);
/* Either, storing every element in its place of target. */
void fe_whole_store_all(Lower *low, Whole *whole, IrReg target);
/* Whether direct loops are one loop: all leaves contiguous and of full rank. */
bool fe_whole_is_flat(Lower *low, const Whole *whole, IrReg target);
void fe_whole_flatten(Lower *low, Whole *whole); /* makes the plan that one loop */
Value fe_whole_element(Lower *low, Whole *whole, unsigned n, const IrReg *index);
void fe_whole_show(Whole *whole); /* leaves as they are */
/* Leaves so that elements can be computed at each index of whole->dims, whatever the run brings. */
void fe_whole_show_any(Lower *low, Whole *whole);
Leaf *fe_whole_leaf(Lower *low, Whole *whole, IrReg array);
void fe_whole_store(Lower *low, void *unused, Value element, IrReg target, unsigned n,
                    const IrReg *index);
/* A view of some array in the shape of the plan's result, for messages. */
IrReg fe_whole_sample(Lower *low, const Elem *elem);
IrReg fe_whole_any_reg(Lower *low, IrReg so_far, IrOp op,
                       IrReg next); /* bools; IR_NO_REG: none yet */

/* ---- lower_pairwise.c ---- */
enum { WHOLE_MAX_SUMMED = 16 }; /* operations in a sum: they are emitted eighteen times */
enum { WHOLE_BLOCK = 128 };     /* elements that are added up at once */
/* Elements in a row: of a plan, all of them in the order of their indices, or along one axis of a plan
 * or an array. */
typedef struct WholeRow {
    Whole *whole; /* or NULL: */
    Whole *along; /* or NULL: */
    IrReg array;
    unsigned n, axis;
    IrReg index
        [IR_MAX_DIMS]; /* along: that of `axis` is to be filled in; in blocks: of the next */
    IrScalar scalar;
    IrReg buffer; /* a block of elements; IR_NO_REG: `whole` is one loop, and none is needed */
} WholeRow;
/* sum (a variable) = the pairwise sum of n elements. */
void fe_whole_row_sum(Lower *low, WholeRow *row, IrReg n, IrReg sum);
/* The pairwise sum of all elements. */
IrReg fe_whole_sum(Lower *low, Whole *whole, IrScalar scalar);
IrReg fe_whole_int_var(Lower *low, IrReg start);         /* a new variable */
void fe_whole_add_to(Lower *low, IrReg var, IrReg what); /* var += what */

/* ---- lower_blocks.c ---- */
/* Gives the row its buffer, for blocks from element number pos on; IR_NO_REG: from the first. */
void fe_whole_begin_blocks(Lower *low, WholeRow *row, IrReg pos);
/* The buffer = the next len elements, which begin at pos. */
void fe_whole_fill_block(Lower *low, WholeRow *row, IrReg pos, IrReg len);

/* ---- lower_store.c ---- */
bool fe_whole_same_view(Lower *low, IrReg a, IrReg b);
bool fe_whole_may_overlap(Lower *low, IrReg target, IrReg array);
bool fe_whole_is_shift(Lower *low, IrReg a, IrReg b);

/* ---- lower_overlap.c ---- */
/* What is done with the elements of a plan that are for the elements of an array. */
typedef struct Store {
    IrReg target;
    WholeBody body; /* writes nothing but its element of the target */
    void *data;
    IrScalar scalar; /* of the plan's elements, where they have to wait */
} Store;
/* The loops, so that each element of the plan is as if all were read before the target is written. */
void fe_whole_store_safely(Lower *low, Whole *whole, const Store *store);

#endif

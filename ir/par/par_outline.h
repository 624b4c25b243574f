/* The region that takes a parallel loop's place: what the files that build it share. */
#ifndef JR_IR_PAR_OUTLINE_H
#define JR_IR_PAR_OUTLINE_H

#include "ir/par/par.h"

typedef struct ParPart {
    IrReg array; /* in the parent: a part for each chunk */
    IrReg param; /* of the body */
    IrReg value; /* in the body: what is stored there at the end */
} ParPart;

typedef struct ParOutline {
    ParLoop *p;
    IrBuilder parent, body;
    IrFunc *func; /* the body's */
    IrReg *map;   /* registers of the parent to the body's; IR_NO_REG: not yet */
    uint32_t mapped;
    JR_VEC(IrReg) captures;
    IrReg chunk, lo, hi, trip, chunks;
    IrReg copies_most; /* chunks of a region that has copies of the arrays it accumulates in */
    IrReg status, done; /* of the region, where there are copies: PARALLEL's results */
    ParPart *parts;     /* by variable: of those that are accumulated */
    ParPart *flags;     /* by variable: whether a selection was made */
    ParPart *copies;    /* by indexed array: a copy of it for each chunk */
} ParOutline;

static const IrType par_bool_type = {.scalar = TY_BOOL};
static const IrType par_int_type = {.scalar = TY_INT64};

static inline IrReg par_int(IrFunc *func, int64_t value) {
    return ir_const_int(func, TY_INT64, value);
}
static inline IrReg par_parent_binary(ParOutline *o, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&o->parent, op, par_int_type, a, b);
}
/* For an index that is known to be within bounds. */
static inline void par_clear_checks(IrStmt *stmt) {
    stmt->u.mem.check = stmt->u.mem.wrap = 0;
}
static inline bool par_is_inside(const ParLoop *p, IrReg reg) {
    return par_set_has(p->inside, reg) || par_set_has(p->written, reg);
}

/* par_outline.c */
/* Statements that running the block is, roughly. */
int64_t ir_par_work(const IrBlock *block);
/* Hands a register of the parent to the body: the body's parameter for it. */
IrReg ir_par_capture(ParOutline *o, IrReg reg);

/* par_copies.c */
/* In the parent, before the chunks are counted: how many copies are worth it. */
void ir_par_limit_copies(ParOutline *o);
/* In the parent, before the region; in the body; in the parent, after the region. */
void ir_par_make_copies(ParOutline *o);
void ir_par_use_copies(ParOutline *o);
void ir_par_join_copies(ParOutline *o);

/* par_entry.c */
/* In the parent: a bool, whether the loop can be a region; IR_NO_REG if it always can. */
IrReg ir_par_conditions(ParOutline *o);

#endif

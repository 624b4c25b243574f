/* Parallel loops: what the files of the pass share (par.c is the driver and says how it
 * works). */
#ifndef JR_IR_PAR_H
#define JR_IR_PAR_H

#include "ir/ir.h"
#include "ir/par/parallel.h"

/* A set of registers of one function. */
typedef struct ParSet {
    uint64_t *words;
    uint32_t count; /* of words */
} ParSet;

ParSet ir_par_set_new(JrArena *arena, uint32_t registers);
static inline bool par_set_has(ParSet set, IrReg reg) {
    return reg / 64 < set.count && (set.words[reg / 64] >> (reg % 64) & 1);
}
static inline void par_set_add(ParSet set, IrReg reg) {
    set.words[reg / 64] |= (uint64_t)1 << (reg % 64);
}
static inline void par_set_remove(ParSet set, IrReg reg) {
    set.words[reg / 64] &= ~((uint64_t)1 << (reg % 64));
}
void ir_par_set_clear(ParSet set);
void ir_par_set_copy(ParSet to, ParSet from);
bool ir_par_set_union(ParSet to, ParSet from); /* whether `to` grew */

/* How a variable or an array of the loop's body is used. */
typedef enum ParRole {
    PAR_CAPTURE, /* read only: handed to the body */
    PAR_PRIVATE, /* written before it is read, in each iteration, and not read after the loop
                  */
    PAR_REDUCE,  /* accumulated: each chunk has a part, joined after the loop */
    PAR_FOLLOW,  /* set along with a minimum or maximum: the position of it */
    PAR_BAD,     /* an error was reported */
} ParRole;

typedef struct ParVar {
    IrReg reg;
    ParRole role;
    IrOp op;      /* REDUCE: ADD, MUL, AND, OR, XOR, MIN, MAX */
    IrReg leader; /* FOLLOW: the minimum or maximum it goes with */
    IrOp compare; /* MIN and MAX found as a comparison: how a part replaces the whole */
    bool by_compare;
    bool updates;  /* ... or with an operator */
    bool nan;      /* ... or with np.minimum or np.maximum, which keep a NaN; */
    bool right;    /* the accumulator is their second operand */
    bool loose;    /* a minimum or maximum that NaN or -0.0 make depend on the order */
    IrStmt *where; /* its first write in the body */
} ParVar;

/* A way of accumulating; nan and right as in ParVar. */
typedef struct ParUpdate {
    IrOp op;
    bool nan, right;
} ParUpdate;

/* An array with elements accumulated at indices that may repeat: h[k] += e. */
typedef struct ParIndexed {
    IrReg array;
    ParUpdate update;
    IrStmt *where;
} ParIndexed;

/* The arm of `if e < v: v = e`: whether it runs depends on the order of the iterations. */
typedef struct ParArm {
    IrStmt *branch;
    IrReg leader;
} ParArm;

enum { PAR_MAX_TERMS = 8 };

/* counter * (the loop's counter) + constant + sum of factors[i] * regs[i], none of which the
 * loop changes. */
typedef struct ParAffine {
    bool known;
    bool from_array; /* not known because it was read from an array */
    bool inner;      /* some term is a counter of an inner loop */
    uint32_t terms;
    int64_t counter, constant;
    IrReg regs[PAR_MAX_TERMS];
    int64_t factors[PAR_MAX_TERMS];
} ParAffine;

/* Tables as long as the function has registers, made once for all its loops. */
typedef struct ParTable {
    uint32_t *words, room;
} ParTable;

/* With `count` words, all of them `value`; what was in it is lost. */
uint32_t *ir_par_table(ParTable *table, JrArena *arena, uint32_t count, uint32_t value);

typedef struct ParTables {
    ParTable reads, map;
} ParTables;

/* A number that a test where the loop begins is given: an integer, or with an axis the length
 * of an array's. */
typedef struct ParGiven {
    IrReg reg;
    int axis; /* -1: none */
} ParGiven;

/* Everything found out about one loop. */
typedef struct ParLoop {
    IrFunc *func;
    IrStmt *loop;
    IrBlock *home; /* the loop's block */
    JrArena *arena;
    JrDiags *diags;
    ParTables *tables;
    JR_VEC(IrStmt *) stmts; /* of the body, nested ones too, in order */
    JR_VEC(IrStmt *)
    parents; /* of each: the statement whose block it is in; the loop at the top */
    ParSet written, exposed; /* by the body; read by an iteration before it writes them */
    ParSet live_after;       /* read after the loop */
    ParSet inside;           /* TEMPs defined in the body, and the counter */
    ParSet touched;          /* arrays the body stores to, or hands to a function */
    uint32_t *reads;         /* by register: how many operands of the body it is */
    JR_VEC(ParVar) vars;     /* every VAR the body writes */
    JR_VEC(ParIndexed) indexed;
    JR_VEC(ParArm) arms;
    JR_VEC(IrStmt *) handled; /* reads of accumulators that are part of accumulating */
    JR_VEC(IrReg)
    overlap;           /* pairs of arrays that must not overlap, for the loop to be parallel */
    JR_VEC(IrReg) own; /* arrays of which iterations write different elements */
    JR_VEC(IrReg) distinct;         /* arrays whose elements must not share memory, likewise */
    JR_VEC(ParAffine) not_negative; /* indices that must not be negative, likewise */
    JR_VEC(IrReg) invariants;   /* TEMPs of the body with the same value in each iteration */
    JR_VEC(const char *) tests; /* words of ir/par/apart.h: what has to be true, likewise */
    JR_VEC(ParGiven) given;     /* ... and what they are given */
    JR_VEC(IrReg) tested;       /* arrays that they are about */
    uint32_t visits;            /* for par_reach.c */
    const char *serial;         /* why it has to run serially, or NULL */
    IrStmt *serial_at;
} ParLoop;

static inline IrReg par_counter(const ParLoop *p) {
    return p->loop->dsts[0];
}

/* par_live.c */
/* For each parallel loop of a function: what is read after it. */
typedef struct ParAfter {
    const IrStmt *loop;
    ParSet live;
} ParAfter;

typedef JR_VEC(ParAfter) ParAfters;

/* Before anything is changed: one walk serves all loops. */
void ir_par_live_after(IrFunc *func, ParAfters *out);
/* Fills in exposed. */
void ir_par_live_inside(ParLoop *p);

/* par_shape.c */
/* Makes `v and e`, `v or e` operations where that cannot be noticed; true if it did. */
bool ir_par_shape(ParLoop *p);

/* par_reduce.c */
/* Gives each variable the body writes its role; errors go to diags. False if there were any.
 */
bool ir_par_classify(ParLoop *p);
/* The class a way of accumulating belongs to; OP_COUNT if it is none. `left`: the accumulator
 * is the left operand. */
IrOp ir_par_reduction_class(IrOp op, bool left);
/* A minimum or maximum of floats, which NaN and -0.0 make depend on the order. */
bool ir_par_is_loose(const ParLoop *p, const IrStmt *stmt);
/* Makes the loop serial, for the first reason given. */
void ir_par_stay_serial(ParLoop *p, IrStmt *at, const char *why);
/* The neutral element of a reduction. */
IrConst ir_par_identity(IrOp op, IrScalar scalar);

/* par_value.c */
/* Whether operand a of one statement has the same value as operand b of another, wherever both
 * run in one iteration. */
bool ir_par_same_value(const ParLoop *p, IrReg a, const IrStmt *at_a, IrReg b,
                       const IrStmt *at_b);
/* A value and nothing else, the same for the same operands and memory. */
bool ir_par_is_pure(const IrStmt *stmt);
/* Whether a statement under `branch` can raise an error that no other statement would have
 * raised before it. */
bool ir_par_may_fail_alone(const ParLoop *p, const IrStmt *stmt, const IrStmt *branch);
bool ir_par_is_within(const ParLoop *p, const IrStmt *stmt, const IrStmt *outer);
/* Whether two statements compute the same. */
bool ir_par_same_result(const ParLoop *p, const IrStmt *x, const IrStmt *y);

/* par_update.c */
/* Whether the statement is np.minimum or np.maximum of two floats, args[1] and args[2]. */
bool ir_par_is_extreme(const ParLoop *p, const IrStmt *stmt, ParUpdate *update);
/* Whether the statement, which stands in `parent`, stores what makes it `a[i...] op= e`, or is
 * `a[i...] = e` under `if e > a[i...]`. */
bool ir_par_is_update(const ParLoop *p, const IrStmt *stmt, const IrStmt *parent,
                      ParUpdate *update);
/* What was accumulated before, joined with what a later chunk has. */
IrReg ir_par_join(IrBuilder *b, ParUpdate update, IrReg before, IrReg after);

/* par_affine.c */
/* The statement of the body that writes a TEMP, or NULL. */
const IrStmt *ir_par_temp_def(const ParLoop *p, IrReg reg);
/* The one statement of the body that writes the register, or NULL. */
IrStmt *ir_par_only_write(const ParLoop *p, IrReg reg);
/* Whether a variable is set as in v = e; if v > c: v = c. */
bool ir_par_is_clamped(const ParLoop *p, IrReg reg, const IrStmt **first,
                       const IrStmt **second, const IrStmt **branch);
/* a + factor * b; not known when it does not fit. */
ParAffine ir_par_combine(ParAffine a, const ParAffine *b, int64_t factor);
/* The register as a sum, following at most `depth` definitions. */
ParAffine ir_par_affine(ParLoop *p, IrReg reg, int depth);

/* par_race.c */
/* Judges every array access; errors go to diags. False if there were any. */
bool ir_par_races(ParLoop *p);
/* For a loop that stays serial: finds the stores that accumulate and no more. */
void ir_par_find_updates(ParLoop *p);

/* par_explain.c */
/* Adds to module->loops, when all is decided. */
void ir_par_explain(const ParLoop *p);

/* par_lanes.c */
/* An accumulator of the region's body: a variable, and what it is accumulated with. */
typedef struct ParLane {
    IrReg value;
    IrOp op;
} ParLane;

/* A loop of b's block, whose accumulators are neutral when it begins. If it is short and sums floats
 * up, it is made to do so in eight partial sums. */
void ir_par_lanes(IrBuilder *b, IrStmt *loop, uint32_t n, const ParLane *accs);

/* par_outline.c */
/* Whether the value of a register of the body can be computed before the loop. */
bool ir_par_can_rebuild(const ParLoop *p, IrReg reg);
/* Replaces the loop by a region whose body is a function of its own. */
void ir_par_outline(ParLoop *p);

#endif

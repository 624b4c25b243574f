/* What the files of unroll-and-jam share: one nest of loops, and what is known of it.
 *
 *   jam.c        which loops, how many iterations side by side, and the tests in front
 *   jam_look.c   what the nest does: its statements, its variables, its indices as sums
 *   jam_meet.c   whether iterations side by side may get in each other's way
 *   jam_ask.c    what only the run knows: bounds, lengths, arrays that overlap
 *   jam_lanes.c  writing the iterations side by side
 *
 * The loop that is unrolled is the outer one. An iteration of it that runs beside others is a
 * lane. */
#ifndef JR_IR_JAM_JAM_H
#define JR_IR_JAM_JAM_H

#include "ir/ir.h"

enum {
    JAM_MOST_LANES = 8,
    JAM_TERMS = 6,
    JAM_LOOPS = 8,
    JAM_PAIRS = 16,
    JAM_ACCESSES = 48,
};

/* factor * register + ... + offset */
typedef struct JamSum {
    uint32_t nterms;
    int64_t offset;
    IrReg term[JAM_TERMS];
    int64_t factor[JAM_TERMS];
} JamSum;

/* loops[0] is the outer loop. */
typedef struct JamLoop {
    IrStmt *stmt;
    uint32_t parent; /* in loops; of the outer loop itself */
    bool innermost;
    int64_t step;
} JamLoop;

/* What the nest does to a register. */
typedef struct JamUse {
    uint32_t writes, local; /* local: 1 + its place among the registers that the nest writes */
    uint32_t pos, loop;     /* of the last write */
    const IrStmt *def;      /* ... itself */
    uint32_t segment;       /* of the first use */
    bool counter;           /* of a loop of the nest */
    bool hoisted;           /* what it is can be computed in front of the nest */
    bool carried;           /* an iteration of the outer loop reads what the one before left */
    bool scattered;         /* it is used in more than one segment */
} JamUse;

/* A statement that is no loop. Those with no loop between them are a segment. */
typedef struct JamEntry {
    IrStmt *stmt;
    uint32_t loop, segment;
    bool hoisted;
    struct JamAccess *access; /* of an element */
} JamEntry;

typedef struct JamAccess {
    const IrStmt *stmt;
    uint32_t loop, segment;
    bool stored;
    JamSum *index;          /* one per axis */
    struct JamPlace *place; /* in an innermost loop */
} JamAccess;

/* How an element is kept in a register: while one iteration of the innermost loop runs, for all lanes;
 * or as long as that loop runs, one for each lane. */
typedef enum JamKeep { KEEP_NOT, KEEP_ROUND, KEEP_LOOP } JamKeep;

/* What accesses of one innermost loop with the same indices touch. */
typedef struct JamPlace {
    const JamAccess *first;
    uint32_t loop;
    bool loaded, stored, read_first;
    JamKeep keep;
    /* while it is written: the register that holds the element, for each lane or, in KEEP_ROUND, the
     * first; and the last store of a round, if there was one */
    IrReg value[JAM_MOST_LANES];
    const IrStmt *store;
    uint32_t store_lane;
} JamPlace;

typedef struct JamPair {
    IrReg a, b;
} JamPair;

typedef struct Jam {
    IrFunc *func;
    JrArena *arena;
    JamUse *uses;   /* by register; all zero between nests */
    uint32_t nuses; /* registers added since have no uses */
    bool apart; /* it is known already that arrays do not overlap, and that trips are few */
    uint32_t nloops, nsegments, nlocals;
    JamLoop loops[JAM_LOOPS];
    JR_VEC(JamEntry) entries;
    JR_VEC(JamAccess *) accesses;
    JR_VEC(JamPlace *) places;
    uint32_t npairs;
    JamPair pairs[JAM_PAIRS]; /* arrays that must not overlap */
    uint32_t lanes;
} Jam;

static inline IrStmt *jam_outer(const Jam *j) {
    return j->loops[0].stmt;
}
static inline IrReg jam_counter(const Jam *j, uint32_t loop) {
    return j->loops[loop].stmt->dsts[0];
}

/* ---- jam_look.c ---- */
/* False if something in the nest is not understood. */
bool ir_jam_look(Jam *j, IrStmt *outer);
/* Clears what it noted of registers; by their statements, which have to be as they were. */
void ir_jam_forget(Jam *j);
JamUse *ir_jam_use(const Jam *j, IrReg reg);
/* The value is the same in all of the nest. */
bool ir_jam_is_invariant(const Jam *j, IrReg reg);
bool ir_jam_is_within(const Jam *j, uint32_t loop, uint32_t outer); /* or it is that loop */
int64_t ir_jam_factor(const JamSum *sum, IrReg reg);
/* Whether a counter of the nest has a part in it; other than `but`, which may be IR_NO_REG. */
bool ir_jam_moves(const Jam *j, const JamSum *sum, IrReg but);
/* a - b; false if there are too many terms. */
bool ir_jam_minus(const JamSum *a, const JamSum *b, JamSum *difference);
bool ir_jam_same_index(const Jam *j, const JamAccess *a, const JamAccess *b);

/* ---- jam_meet.c ---- */
/* Whether lanes may run side by side, if the arrays of the pairs do not overlap. */
bool ir_jam_may_run(Jam *j);
/* Finds the places, and how they are kept. */
void ir_jam_find_places(Jam *j);

/* ---- jam_ask.c ---- */
/* Whether there is room for all questions. */
bool ir_jam_can_ask(Jam *j);
/* A register that is true if all accesses are within bounds and arrays do not overlap; in the block
 * of `b`. */
IrReg ir_jam_ask(Jam *j, IrBuilder *b);

/* ---- jam_lanes.c ---- */
/* The loop with lanes side by side, up to `end`; at the end of the block of `b`. */
IrStmt *ir_jam_lanes(Jam *j, IrBuilder *b, IrReg end);

#endif

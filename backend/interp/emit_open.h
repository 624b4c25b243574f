/* A loop under way in emit_open.c, and what index_sum.c finds out of it. */
#ifndef JR_INTERP_EMIT_OPEN_H
#define JR_INTERP_EMIT_OPEN_H

#include "backend/interp/compile.h"

enum {
    MOST_INSTRUCTIONS = 300, /* in a loop */
    MOST_POINTERS = 24,
    MOST_ACCESSES = 64
};

typedef struct Access {
    uint32_t at, pointer;
    uint32_t from; /* its first instruction: INDEX of the first axis, or itself */
    int32_t beside;
    uint8_t form, kind; /* how it finds its element, and row of JB_ELEMENTS */
    bool store;
} Access;

typedef struct OpenLoop {
    Compiler *c;
    uint32_t top, back, counter, end;
    uint32_t length; /* of the body */
    /* By place in the body, and the end: */
    uint32_t lowest[MOST_INSTRUCTIONS + 1]; /* the first branch to it; UINT32_MAX for none */
    uint32_t copies[MOST_INSTRUCTIONS + 1]; /* where the copy is */
    bool gone[MOST_INSTRUCTIONS + 1];       /* not in the copy */
    Access accesses[MOST_ACCESSES];
    OpenPointer pointers[MOST_POINTERS];
    IndexSum indices[MOST_POINTERS][IR_MAX_DIMS];
    uint32_t naccesses, npointers, nmoving;
} Loop;

static inline const Instr *loop_instr(const Loop *loop, uint32_t at) {
    return &loop->c->code.data[at];
}

static inline bool instr_writes(const Instr *instr, uint32_t slot) {
    return instr->a == slot && jr_bc_operands((BcOp)instr->op)[0] == 'w';
}

/* ---- index_sum.c ---- */

/* The value of a slot in front of the instruction at `at`; false if it is no such sum. */
bool jr_index_sum(const Loop *loop, uint32_t slot, uint32_t at, IndexSum *sum);
/* Whether they are equal, or, if they may lie `apart`, differ by a small constant. */
bool jr_index_same(const IndexSum *one, const IndexSum *two, bool apart);
bool jr_index_moves(const IndexSum *sum);

#endif

/* Loops over arrays whose last axis is short: pixels, points.
 *
 *     for j: out[j] = 77 * rgb[i, j, 0] + 150 * rgb[i, j, 1] + 29 * rgb[i, j, 2]
 *     for j: dx = p[i, 0] - p[j, 0]; dy = p[i, 1] - p[j, 1]
 *
 * From one iteration to the next is as far as the last axis is long. LLVM does not know how far that is, guesses that it is one
 * element, asks, and does the loop one by one, as it is more. A loop that mentions all of the columns 0 to w - 1 of an array,
 * and no other, is generated twice: with w in place of the length where the length is w, and as it is, for which vectors are not
 * tried: the length is no 1. */
#include "backend/llvm/gen.h"

enum { MAX_WIDTH = 8, MAX_NARROW = 4 };

typedef struct Narrow {
    IrReg array;
    uint32_t columns; /* a bit for each that is mentioned */
} Narrow;

typedef struct Narrows {
    uint32_t n;
    uint32_t accesses, others; /* statements */
    Narrow all[MAX_NARROW];
} Narrows;

static bool is_known(const GenFunc *f, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(f->ir, reg);
    *value = info->value.i;
    return info->kind == REG_CONST;
}

/* p[j, 0], with j the counter. */
static bool is_column(const GenFunc *f, const IrStmt *access, IrReg counter, int64_t *column) {
    IrType type = ir_reg_type(f->ir, access->args[0]);
    return type.ndim >= 2 && type.layout == LAYOUT_C && !f->regs[access->args[0]].in_memory &&
           access->args[type.ndim - 1] == counter &&
           is_known(f, access->args[type.ndim], column) && *column >= 0 && *column < MAX_WIDTH;
}

static void note_access(const GenFunc *f, const IrStmt *access, IrReg counter,
                        Narrows *narrows) {
    int64_t column;
    if (!is_column(f, access, counter, &column)) return;
    uint32_t i = 0;
    while (i < narrows->n && narrows->all[i].array != access->args[0])
        i++;
    if (i == MAX_NARROW) return;
    if (i == narrows->n) narrows->all[narrows->n++] = (Narrow){access->args[0], 0};
    narrows->all[i].columns |= 1u << column;
}

/* A sum in v[i, 0], in a loop over j. */
static bool stays(const GenFunc *f, const IrStmt *store, IrReg counter) {
    for (unsigned i = 1; i <= ir_reg_type(f->ir, store->args[0]).ndim; i++) {
        const IrRegInfo *index = ir_reg(f->ir, store->args[i]);
        bool is_other_counter = index->def && index->def->op == OP_FOR;
        if (store->args[i] == counter || (index->kind == REG_TEMP && !is_other_counter))
            return false;
    }
    return true;
}

/* False if the loop has others inside, makes arrays, may be left early, or stores to one element all the time: then
 * there are no vectors. */
static bool note_block(const GenFunc *f, const IrBlock *block, IrReg counter,
                       Narrows *narrows) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_FOR || s->op == OP_LOOP || s->op == OP_BREAK || s->op == OP_RETURN)
            return false;
        if (s->ndsts && ir_reg_type(f->ir, s->dsts[0]).ndim) return false;
        if (s->op == OP_STORE && stays(f, s, counter)) return false;
        if (s->op == OP_LOAD || s->op == OP_STORE)
            narrows->accesses++, note_access(f, s, counter, narrows);
        else
            narrows->others++;
        if (s->op == OP_IF && (!note_block(f, &s->u.blocks.then, counter, narrows) ||
                               !note_block(f, &s->u.blocks.els, counter, narrows)))
            return false;
    }
    return true;
}

/* The length of the last axis, where it is what the columns say. */
static LLVMValueRef *length_of(const GenFunc *f, const Narrow *narrow) {
    IrType type = ir_reg_type(f->ir, narrow->array);
    return &f->regs[narrow->array].array->dims[type.ndim - 1];
}

static int64_t width_of(const Narrow *narrow) {
    return __builtin_popcount(narrow->columns);
}

static void keep_those_with_all(Narrows *narrows) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < narrows->n; i++) {
        uint32_t columns = narrows->all[i].columns;
        if (columns > 1 && (columns & (columns + 1)) == 0)
            narrows->all[kept++] = narrows->all[i];
    }
    narrows->n = kept;
}

static void run_narrow(GenFunc *f, const IrStmt *loop, const Narrows *narrows) {
    LLVMValueRef before[MAX_NARROW];
    for (uint32_t i = 0; i < narrows->n; i++) {
        before[i] = *length_of(f, &narrows->all[i]);
        *length_of(f, &narrows->all[i]) = jr_gen_int(f->g, width_of(&narrows->all[i]));
    }
    jr_gen_for_once(f, loop);
    for (uint32_t i = 0; i < narrows->n; i++)
        *length_of(f, &narrows->all[i]) = before[i];
}

static void find_narrow(const GenFunc *f, const IrStmt *loop, Narrows *narrows) {
    bool good = f->g->level > 1 && !loop->leftover &&
                note_block(f, &loop->u.blocks.then, loop->dsts[0], narrows);
    keep_those_with_all(narrows);
    good &= narrows->others >= narrows->accesses; /* else memory decides */
    if (!good || jr_gen_gains_nothing(f, loop)) narrows->n = 0;
}

static LLVMValueRef are_narrow(const GenFunc *f, const Narrows *narrows) {
    LLVMBuilderRef b = f->g->b;
    LLVMValueRef all = LLVMConstInt(f->g->i1, 1, 0);
    for (uint32_t i = 0; i < narrows->n; i++) {
        LLVMValueRef width = jr_gen_int(f->g, width_of(&narrows->all[i]));
        LLVMValueRef length = *length_of(f, &narrows->all[i]);
        all = LLVMBuildAnd(b, all, LLVMBuildICmp(b, LLVMIntEQ, length, width, ""), "narrow");
    }
    return all;
}

void jr_gen_for(GenFunc *f, const IrStmt *loop) {
    LLVMBuilderRef b = f->g->b;
    Narrows narrows = {0};
    find_narrow(f, loop, &narrows);
    if (narrows.n == 0) {
        jr_gen_for_once(f, loop);
        return;
    }
    LLVMBasicBlockRef narrow = jr_gen_label(f, "narrow"), other = jr_gen_label(f, "");
    LLVMBasicBlockRef after = jr_gen_label(f, "");
    LLVMBuildCondBr(b, are_narrow(f, &narrows), narrow, other);
    jr_gen_start(f, narrow);
    run_narrow(f, loop, &narrows);
    LLVMBuildBr(b, after);
    jr_gen_start(f, other);
    f->one_by_one = true;
    jr_gen_for_once(f, loop);
    f->one_by_one = false;
    LLVMBuildBr(b, after);
    jr_gen_start(f, after);
}

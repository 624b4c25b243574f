/* Loops over arrays whose bounds are asked once.
 *
 * A counted loop around no other gets a second copy of its code:
 *
 *           for_up_test i, lo, hi -> behind          for_up_test i, lo, hi -> behind
 *                                                    open        -> quick
 *     top:  add       t, i, 1                  top:  ...                       as it was
 *           load_2c   x, a, j, t                     for_one     i, hi, -> top
 *           ...                          =>          jump        -> behind
 *           for_one   i, hi, -> top            quick: load_p     x, p0, 1
 *                                                    ...
 *                                                    advance     p0, ...
 *                                                    for_one     i, hi, -> quick
 *     behind:                                behind:
 *
 * OPEN (open.c) asks whether every index is in range in every round, without wrapping. Then an element is
 * found by a pointer, which OPEN sets and ADVANCE moves, and a distance that the code knows; index arithmetic
 * that nothing else reads is gone. Where the answer is no, the code as it was does what is right.
 *
 * Which indices: those that are a sum of the counter and of what the loop does not change (IndexSum). Other accesses stay
 * as they are. So do those that a branch may pass over, if their index is not the plain one: `if i > 0: ... x[i - 1]`
 * would make the answer no. */
#include "backend/interp/emit_open.h"

#include <string.h>

/* ---- Instructions ---- */

static bool is_element(BcOp op, bool *store) {
    *store = op >= BC_STORE_1C_X8;
    return op >= BC_LOAD_1C_S8 && op <= BC_STORE_P_D64;
}

static bool reads(const Instr *instr, uint32_t slot) {
    const uint32_t fields[] = {instr->a, instr->b, instr->c, instr->d};
    const char *operands = jr_bc_operands((BcOp)instr->op);
    for (int n = 0; operands[n]; n++)
        if (operands[n] == 'r' && fields[n] == slot) return true;
    return false;
}

/* Whether the instruction may be in a loop that is copied: it changes no array's header, and where it writes is
 * plain to see. */
static bool is_plain(const Instr *instr) {
    if (instr->op < BC_JUMP) return true; /* values and branches */
    if (instr->op >= BC_LOAD_1C_S8 && instr->op <= BC_INDEX_NEXT) return true;
    switch (instr->op) {
    case BC_JUMP:
    case BC_POLL:
    case BC_RAISE:
    case BC_LEAVE:
    case BC_RETURN:
    case BC_RETURN_ONE:
    case BC_RETURN_CONST:
    case BC_CALL: return true;
    case BC_HEADER: return instr->a & WINDOW_SLOT;
    default: return false;
    }
}

/* ---- Accesses ---- */

/* Whether elements of one pointer may lie beside each other along the last axis. */
static bool is_dense(const OpenPointer *pointer) {
    return !pointer->strided;
}

static bool joins(const OpenPointer *pointer, const IndexSum *indices,
                  const OpenPointer *other, const IndexSum *others) {
    if (pointer->array != other->array || pointer->ndim != other->ndim) return false;
    for (unsigned axis = 0; axis < pointer->ndim; axis++) {
        const bool last = axis + 1u == pointer->ndim;
        if (!jr_index_same(&indices[axis], &others[axis], last && is_dense(pointer)))
            return false;
    }
    return true;
}

static bool is_far(int64_t beside) {
    return beside > COEFFICIENT_LIMIT || beside < -COEFFICIENT_LIMIT;
}

/* The pointer that leads to the access, perhaps a new one. */
static bool find_pointer(Loop *loop, Access *access, const OpenPointer *wanted,
                         const IndexSum *indices, bool conditional) {
    const unsigned last = wanted->ndim - 1u;
    for (uint32_t n = 0; n < loop->npointers; n++) {
        OpenPointer *pointer = &loop->pointers[n];
        if (!joins(pointer, loop->indices[n], wanted, indices)) continue;
        const int64_t beside = (int64_t)((uint64_t)indices[last].constant -
                                         (uint64_t)loop->indices[n][last].constant);
        const bool within = beside >= pointer->low && beside <= pointer->high;
        if (is_far(beside) || (conditional && !within && indices[last].constant)) return false;
        if (beside < pointer->low) pointer->low = (int32_t)beside;
        if (beside > pointer->high) pointer->high = (int32_t)beside;
        access->pointer = n;
        access->beside = (int32_t)beside;
        return true;
    }
    bool plain = true;
    for (unsigned axis = 0; axis <= last; axis++)
        plain &= !indices[axis].constant;
    if ((conditional && !plain) || loop->npointers == MOST_POINTERS) return false;
    access->pointer = loop->npointers;
    loop->pointers[loop->npointers] = *wanted;
    memcpy(loop->indices[loop->npointers++], indices, (last + 1) * sizeof *indices);
    return true;
}

/* The array and its indices. */
static bool find_indices(const Loop *loop, Access *access, OpenPointer *pointer,
                         IndexSum *indices) {
    const Instr *instr = loop_instr(loop, access->at);
    const uint32_t fields[] = {instr->a, instr->b, instr->c, instr->d};
    const uint32_t array = access->store ? 0 : 1;
    pointer->array = fields[array];
    access->from = access->at;
    if (access->form == FORM_AT) {
        const Instr *index = instr - 1;
        if (access->at == loop->top || (index->op != BC_INDEX_NEXT && index->op != BC_INDEX))
            return false;
        pointer->ndim = (uint8_t)(index->d >> 4);
        if (access->at - loop->top < pointer->ndim) return false;
        access->from = access->at - pointer->ndim;
        for (unsigned axis = 0; axis < pointer->ndim; axis++)
            if (!jr_index_sum(loop, loop_instr(loop, access->from + axis)->c, access->from,
                              &indices[axis]))
                return false;
        return true;
    }
    const unsigned form = access->form % FORM_RAW;
    pointer->ndim = form >= FORM_2C ? 2 : 1;
    pointer->strided = form & 1;
    for (unsigned axis = 0; axis < pointer->ndim; axis++)
        if (!jr_index_sum(loop, fields[array + 1 + axis], access->at, &indices[axis]))
            return false;
    return true;
}

static void note_access(Loop *loop, uint32_t at, bool conditional) {
    static const uint8_t LOADED[] = {1, 1, 2, 2, 4, 4, 8, 8}, STORED[] = {1, 2, 4, 8, 8};
    Access access = {.at = at};
    const BcOp op = (BcOp)loop_instr(loop, at)->op;
    if (!is_element(op, &access.store) || loop->naccesses == MOST_ACCESSES) return;
    const unsigned row = op - (access.store ? BC_STORE_1C_X8 : BC_LOAD_1C_S8);
    access.form = (uint8_t)(row % FORMS);
    access.kind = (uint8_t)(row / FORMS);
    IndexSum indices[IR_MAX_DIMS];
    OpenPointer pointer = {.size = access.store ? STORED[access.kind] : LOADED[access.kind]};
    if (find_indices(loop, &access, &pointer, indices) &&
        find_pointer(loop, &access, &pointer, indices, conditional))
        loop->accesses[loop->naccesses++] = access;
}

static void find_accesses(Loop *loop) {
    uint32_t passed = loop->top; /* up to here a branch may lead past */
    for (uint32_t at = loop->top; at < loop->back; at++) {
        const uint32_t *field = jr_jump_field((Instr *)loop_instr(loop, at));
        note_access(loop, at, passed > at);
        if (field && *field <= loop->back && *field > passed) passed = *field;
    }
}

/* ---- What is not needed any more ---- */

static bool is_read_by_copy(const Loop *loop, uint32_t from, uint32_t slot) {
    for (uint32_t at = from + 1; at < loop->back; at++) {
        const Instr *instr = loop_instr(loop, at);
        if (!loop->gone[at - loop->top] && reads(instr, slot)) {
            bool converted = false;
            for (uint32_t n = 0; n < loop->naccesses && !converted; n++)
                converted = loop->accesses[n].at == at;
            /* It reads no index any more, but a store reads its value. */
            if (!converted) return true;
            if (instr->op >= BC_STORE_1C_X8) {
                const bool two = jr_bc_operands((BcOp)instr->op)[3] == 'r';
                if ((two ? instr->d : instr->c) == slot) return true;
            }
        }
        if (instr_writes(instr, slot)) return false;
    }
    return false;
}

/* Without INDEX and DOT, and without what computed indices, from the last to the first. */
static void find_gone(Loop *loop) {
    for (uint32_t n = 0; n < loop->naccesses; n++)
        for (uint32_t at = loop->accesses[n].from; at < loop->accesses[n].at; at++)
            loop->gone[at - loop->top] = true;
    for (uint32_t at = loop->top; at < loop->back; at++) {
        const uint64_t op = loop_instr(loop, at)->op;
        if (op == BC_DOT_D || op == BC_DOT_I) loop->gone[at - loop->top] = true;
    }
    for (uint32_t at = loop->back; at-- > loop->top;) {
        const Instr *instr = loop_instr(loop, at);
        if (!loop->c->places.data[at].brief) continue;
        switch (instr->op) {
        case BC_COPY:
        case BC_CONST:
        case BC_ADD_K:
        case BC_MUL_K:
        case BC_SHL_K:
        case BC_ADD_INT64:
        case BC_SUB_INT64:
        case BC_MUL_INT64:
        case BC_MUL_ADD_I:
            loop->gone[at - loop->top] = !is_read_by_copy(loop, at, instr->a);
            break;
        default: break;
        }
    }
}

/* In machine instructions, about. */
static bool is_worth_it(const Loop *loop) {
    static const uint8_t SAVED[] = {3, 5, 9, 11, 2, 4, 6, 8, 0};
    uint32_t saved = 0;
    for (uint32_t n = 0; n < loop->naccesses; n++)
        saved += SAVED[loop->accesses[n].form];
    for (uint32_t n = 0; n < loop->length; n++)
        if (loop->gone[n]) saved += 8;
    return saved > 4 + (loop->nmoving ? 2 + 2 * loop->nmoving : 0);
}

/* ---- The copy ---- */

/* Where pointers and steps are: those that move first. */
static void place_pointers(Loop *loop) {
    uint32_t moving = 0, fixed = 0;
    const uint32_t bytes = sizeof(Slot), some = (loop->nmoving + 1) / 2 * 2;
    for (uint32_t n = 0; n < loop->npointers; n++) {
        OpenPointer *pointer = &loop->pointers[n];
        bool mobile = false;
        for (unsigned axis = 0; axis < pointer->ndim; axis++)
            mobile |= jr_index_moves(&loop->indices[n][axis]);
        pointer->step = mobile ? POINTER_SLOT | (some + moving) * bytes : NO_STEP;
        pointer->to = POINTER_SLOT | (mobile ? moving : 2 * some + fixed) * bytes;
        moving += mobile;
        fixed += !mobile;
    }
    const uint32_t all = (2 * some + fixed) * bytes;
    if (all > loop->c->pointer_bytes) loop->c->pointer_bytes = all;
}

static void count_moving(Loop *loop) {
    for (uint32_t n = 0; n < loop->npointers; n++) {
        bool mobile = false;
        for (unsigned axis = 0; axis < loop->pointers[n].ndim; axis++)
            mobile |= jr_index_moves(&loop->indices[n][axis]);
        loop->nmoving += mobile;
    }
}

static void convert(const Loop *loop, const Access *access, Instr *copy) {
    const uint32_t pointer = loop->pointers[access->pointer].to;
    if (access->store) {
        const bool two = jr_bc_operands((BcOp)copy->op)[3] == 'r';
        const uint32_t value = two ? copy->d : copy->c;
        copy->op = BC_STORE_1C_X8 + access->kind * FORMS + FORM_P;
        copy->a = pointer;
        copy->b = (uint32_t)access->beside;
        copy->c = value;
    } else {
        copy->op = BC_LOAD_1C_S8 + access->kind * FORMS + FORM_P;
        copy->b = pointer;
        copy->c = (uint32_t)access->beside;
    }
    copy->d = 0;
}

static void push(Compiler *c, Instr instr, Place place) {
    JR_PUSH(c->arena, &c->code, instr);
    JR_PUSH(c->arena, &c->places, place);
}

static void emit_advance(Loop *loop) {
    if (!loop->nmoving) return;
    const uint32_t pairs = (loop->nmoving + 1) / 2;
    jr_emit(loop->c, pairs <= 4 ? BC_ADVANCE_1 + pairs - 1 : BC_ADVANCE, POINTER_SLOT, pairs,
            0, 0);
}

/* The body's copy, up to `back`. Jumps still go where those of the original do. */
static void emit_copy(Loop *loop) {
    Compiler *c = loop->c;
    const uint32_t last = loop->back - (loop_instr(loop, loop->back - 1)->op == BC_POLL);
    uint32_t access = 0;
    for (uint32_t at = loop->top; at <= loop->back; at++) {
        loop->copies[at - loop->top] = c->code.len;
        if (at == last) emit_advance(loop);
        if (at < loop->back && loop->gone[at - loop->top]) continue;
        Instr copy = *loop_instr(loop, at);
        if (access < loop->naccesses && loop->accesses[access].at == at)
            convert(loop, &loop->accesses[access++], &copy);
        push(c, copy, c->places.data[at]);
    }
}

/* Makes room for OPEN: all from `top` on moves by one. */
static void insert_open(Loop *loop, uint32_t skip) {
    Compiler *c = loop->c;
    push(c, (Instr){.op = BC_OPEN}, c->places.data[skip]);
    const uint32_t end = c->code.len - 1;
    memmove(&c->code.data[loop->top + 1], &c->code.data[loop->top],
            (end - loop->top) * sizeof(Instr));
    memmove(&c->places.data[loop->top + 1], &c->places.data[loop->top],
            (end - loop->top) * sizeof(Place));
    for (uint32_t at = skip; at < c->code.len; at++) {
        uint32_t *field = at == loop->top ? NULL : jr_jump_field(&c->code.data[at]);
        if (field && *field >= loop->top) ++*field;
    }
    Instr *open = &c->code.data[loop->top];
    *open = (Instr){.op = BC_OPEN, .a = c->openings.len};
    open->c = loop->counter;
    open->d = loop->end;
    c->places.data[loop->top] = c->places.data[skip];
    for (uint32_t n = 0; n < loop->naccesses; n++)
        loop->accesses[n].at++;
    loop->top++;
    loop->back++;
}

static void add_opening(Loop *loop) {
    Compiler *c = loop->c;
    const Instr *back = loop_instr(loop, loop->back);
    Opening opening = {.step = back->op == BC_FOR_ANY ? back->d : NO_STEP,
                       .pointers = c->open_pointers.len,
                       .npointers = loop->npointers,
                       .by = 1};
    if (back->op == BC_FOR_UP) opening.by = back->d;
    if (back->op == BC_FOR_DOWN) opening.by = -(int64_t)back->d;
    JR_PUSH(c->arena, &c->openings, opening);
    for (uint32_t n = 0; n < loop->npointers; n++) {
        loop->pointers[n].indices = c->index_sums.len;
        JR_PUSH(c->arena, &c->open_pointers, loop->pointers[n]);
        for (unsigned axis = 0; axis < loop->pointers[n].ndim; axis++)
            JR_PUSH(c->arena, &c->index_sums, loop->indices[n][axis]);
    }
}

/* Where a jump of the original goes in the copy; `old_end` is what is behind the original. */
static uint32_t copied_target(const Loop *loop, uint32_t target, uint32_t old_end) {
    if (target >= loop->top && target <= loop->back) return loop->copies[target - loop->top];
    return target == old_end ? loop->c->code.len : target;
}

static void emit_quick(Loop *loop, uint32_t skip) {
    Compiler *c = loop->c;
    place_pointers(loop);
    insert_open(loop, skip);
    const uint32_t old_end = c->code.len, quick = old_end + 1;
    push(c, (Instr){.op = BC_JUMP}, c->places.data[loop->back]);
    jr_jump_to(c, loop->top - 1, quick);
    emit_copy(loop);
    for (uint32_t at = loop->back + 1; at < old_end; at++) /* STRIP_NEXT */
        push(c, c->code.data[at], c->places.data[at]);
    c->code.data[old_end].a = c->code.len;
    for (uint32_t at = quick; at < c->code.len; at++) {
        uint32_t *field = jr_jump_field(&c->code.data[at]);
        if (field) *field = copied_target(loop, *field, old_end);
    }
    for (uint32_t at = skip; at < old_end; at++) {
        uint32_t *field = jr_jump_field(&c->code.data[at]);
        if (field && *field == old_end) *field = c->code.len;
    }
    add_opening(loop);
    c->barrier = c->code.len;
}

/* ---- Which loops ---- */

/* Reads the branches. Nothing in the loop goes back but its end. */
static bool read_branches(Loop *loop) {
    for (uint32_t at = loop->top; at <= loop->back; at++) {
        const uint32_t *field = jr_jump_field((Instr *)loop_instr(loop, at));
        if (!field) continue;
        if (at == loop->back) return *field == loop->top;
        if (*field <= at) return false;
        if (*field <= loop->back && at < loop->lowest[*field - loop->top])
            loop->lowest[*field - loop->top] = at;
    }
    return false;
}

/* Whether the loop is a handler that runs it by rounds already (stream.h). */
static bool runs_by_rounds(const Loop *loop) {
    Compiler *c = loop->c;
    const uint32_t bytes = sizeof(Instr);
    for (uint32_t at = loop->top; at <= loop->back; at++) {
        uint32_t *field = jr_jump_field(&c->code.data[at]);
        if (field) *field = (*field - at) * bytes;
    }
    const bool rounds = jr_fuses_rounds(c, loop->top, loop->back);
    for (uint32_t at = loop->top; at <= loop->back; at++) {
        uint32_t *field = jr_jump_field(&c->code.data[at]);
        if (field) *field = at + (uint32_t)((int32_t)*field / (int32_t)bytes);
    }
    return rounds;
}

static bool may_be_opened(const Loop *loop) {
    bool any = false, store;
    for (uint32_t at = loop->top; at < loop->back; at++) {
        const Instr *instr = loop_instr(loop, at);
        if (!is_plain(instr) || instr_writes(instr, loop->counter) ||
            instr_writes(instr, loop->end))
            return false;
        any |= is_element((BcOp)instr->op, &store);
    }
    return any;
}

/* Whether the loop is known to have few rounds. */
static bool is_short(const Compiler *c, const Instr *test) {
    if (test->op != BC_FOR_UP_TEST || !(test->b & CONST_SLOT) || !(test->c & CONST_SLOT))
        return false;
    const uint64_t *constants = &c->constants.data[c->first_const];
    const uint32_t lo = (test->b & ~CONST_SLOT) / sizeof(Slot),
                   hi = (test->c & ~CONST_SLOT) / sizeof(Slot);
    return constants[hi] - constants[lo] <= FEW_ROUNDS;
}

void jr_open_loop(Compiler *c, uint32_t skip, uint32_t top, uint32_t back) {
    const Instr *end = &c->code.data[back];
    if (back - top > MOST_INSTRUCTIONS || back == top || end->op < BC_FOR_ONE ||
        end->op > BC_FOR_ANY || is_short(c, &c->code.data[skip]))
        return;
    if (!c->open_loop) c->open_loop = JR_NEW(c->arena, Loop);
    Loop *loop = c->open_loop;
    loop->c = c;
    loop->top = top;
    loop->back = back;
    loop->counter = end->a;
    loop->end = end->b;
    loop->length = back - top;
    loop->naccesses = loop->npointers = loop->nmoving = 0;
    if (!may_be_opened(loop)) return;
    memset(loop->lowest, 0xff, (loop->length + 1) * sizeof *loop->lowest);
    memset(loop->gone, 0, (loop->length + 1) * sizeof *loop->gone);
    if (!read_branches(loop) || runs_by_rounds(loop)) return;
    find_accesses(loop);
    if (!loop->naccesses) return;
    count_moving(loop);
    find_gone(loop);
    if (is_worth_it(loop)) emit_quick(loop, skip);
}

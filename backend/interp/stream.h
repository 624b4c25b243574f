/* Innermost loops that one handler runs, for run.c alone.
 *
 * What a round of such a loop needs from the frame does not change while it lasts, so most of it
 * is done once, where the loop begins: each load and store becomes a stream, an address and how far it
 * moves in a round, and the bounds of all arrays together say how many rounds can be run without a look
 * at them. What is left of a round is the elements and the arithmetic. The round in which an index is
 * not plainly in range is done one instruction at a time.
 *
 * fuse.c sees to it that nothing in the loop writes an index, the counter or its end. */
#ifndef JR_INTERP_STREAM_H
#define JR_INTERP_STREAM_H

#include "backend/interp/steps.h"

typedef struct Stream {
    uintptr_t at;
    uint64_t step;
} Stream;

typedef struct Rounds {
    Slot *counter;
    int64_t by;    /* what is added to it in a round */
    uint64_t left; /* to the loop's end, or to an index out of range */
} Rounds;

/* Where operands lie that are results of the round before, if not in their slots (NULL): of the
 * first instruction, of the last one, and of all. */
typedef struct Carried {
    Slot *first_b, *first_c, *last_b, *last_d;
    Slot *every_b; /* all that are b and not handed on within the round */
} Carried;

STEP void limit_rounds(Rounds *rounds, uint64_t to) {
    if (to < rounds->left) rounds->left = to;
}

/* To the last one whose index is in range, as this one's is. */
STEP void limit_index(Rounds *rounds, uint64_t index, uint64_t dim) {
    const uint64_t room = rounds->by > 0 ? dim - 1 - index : index;
    const uint64_t by = rounds->by > 0 ? (uint64_t)rounds->by : 0 - (uint64_t)rounds->by;
    limit_rounds(rounds, 1 + (by == 1 ? room : room / by));
}

/* ---- Rows: open_ID makes the stream, or says that the index is not in range; step_ID is do_ID
 * in a round ---- */

#undef RAW0
#undef RAW1
#undef RAW2
#define A(m) a->m
#define H(operand) ((Header *)(void *)operand)
#define RAW(n, x) n = x->i, n##_by = x == rounds->counter ? rounds->by : 0;
#define RAW0(field) \
    i = (int32_t)(field), i_by = 0; /* pointers that move are in no such loop */
#define RAW1(x) RAW(i, x)
#define RAW2(x, y) RAW(i, x) RAW(j, y)
#define CHECK(n, array, axis)                              \
    if (UNLIKELY(!IN_RANGE(n, array, axis))) return false; \
    if (n##_by) limit_index(rounds, (uint64_t)n, DIMS(array, axis));
#define CHECK1(array, x) RAW1(x) CHECK(i, array, 0)
#define CHECK2(array, x, y) RAW2(x, y) CHECK(i, array, 0) CHECK(j, array, 1)

#define UNUSED __attribute__((unused))
#define OPEN_PARAMS Stream *stream UNUSED, Rounds *rounds UNUSED
#define ROUND_PARAMS Stream *stream UNUSED, const Carried carried UNUSED

#define JB_VALUE(ID, text, operands, member, expr)                         \
    enum { STREAMS_##ID = 0, VALUES_##ID = 1 };                            \
    STEP bool open_##ID(OPEN_PARAMS, STEP_PARAMS) {                        \
        return true;                                                       \
    }                                                                      \
    STEP bool step_##ID(ROUND_PARAMS, STEP_PARAMS) {                       \
        return do_##ID(run, ip, a, carried.last_b ? carried.last_b : b, c, \
                       carried.last_d ? carried.last_d : d);               \
    }
#define JB_ELEMENT(ID, array, ctype, index, ...)                            \
    enum { STREAMS_##ID = 1, VALUES_##ID = 0 };                             \
    STEP bool open_##ID(OPEN_PARAMS, STEP_PARAMS) {                         \
        int64_t i, i_by, j UNUSED = 0, j_by UNUSED = 0;                     \
        __VA_ARGS__ stream->at =                                            \
            (uintptr_t)H(array)->data + (uintptr_t)(index) * sizeof(ctype); \
        i = i_by, j = j_by;                                                 \
        stream->step = (uint64_t)(index) * sizeof(ctype);                   \
        return true;                                                        \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) JB_VALUE(ID, , , , )
#define JB_JUMP(ID, text, operands, target, condition)
#define JB_LOAD(ID, text, operands, check, ctype, member, index) \
    JB_ELEMENT(ID, b, ctype, index, check)                       \
    STEP bool step_##ID(ROUND_PARAMS, STEP_PARAMS) {             \
        A(member) = *(const ctype##_element *)stream->at;        \
        stream->at += stream->step;                              \
        return true;                                             \
    }
#define JB_STORE(ID, text, operands, check, ctype, value, index) \
    JB_ELEMENT(ID, a, ctype, index, check)                       \
    STEP bool step_##ID(ROUND_PARAMS, STEP_PARAMS) {             \
        *(ctype##_element *)stream->at = (ctype)(value);         \
        stream->at += stream->step;                              \
        return true;                                             \
    }
#define JB_SPECIAL(ID, text, operands)
#define JB_PICK(op, type, ID)
#include "backend/interp/bytecode.def"
JB_VALUE(POLL, , , , )
JB_VALUE(ADVANCE_1, , , , )
JB_VALUE(ADVANCE_2, , , , )
JB_VALUE(ADVANCE_3, , , , )
JB_VALUE(ADVANCE_4, , , , )
JB_VALUE(ADVANCE, , , , )
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef A
#undef H
#undef CHECK1
#undef CHECK2
#undef RAW1
#undef RAW2

/* ---- One instruction or several: start_ID opens their streams, round_ID runs them, as run_ID
 * does ---- */

#define START_PARAMS OPEN_PARAMS, const Instr *ip, char *fp, Run *run

#define JB_VALUE(ID, text, operands, member, expr)                                      \
    STEP bool start_##ID(START_PARAMS) {                                                \
        return open_##ID(stream, rounds, run, ip, OPERANDS_any(S(ip->a)));              \
    }                                                                                   \
    STEP const Instr *round_##ID(RUN_PARAMS, ROUND_PARAMS) {                            \
        if (!LIKELY(step_##ID(stream, carried, run, ip, RESULT(ID, last),               \
                              carried.first_b ? carried.first_b : S(ip->b),             \
                              carried.first_c ? carried.first_c : S(ip->c), S(ip->d)))) \
            return ip;                                                                  \
        if (WRITES_##ID && head) *head = *last;                                         \
        return NULL;                                                                    \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) JB_VALUE(ID, , , , )
#define JB_JUMP(ID, text, operands, target, condition)
#define JB_LOAD(ID, text, operands, check, ctype, member, index) JB_VALUE(ID, , , , )
#define JB_STORE(ID, text, operands, check, ctype, value, index) JB_VALUE(ID, , , , )
#include "backend/interp/bytecode.def"
JB_VALUE(POLL, , , , )
JB_VALUE(ADVANCE_1, , , , )
JB_VALUE(ADVANCE_2, , , , )
JB_VALUE(ADVANCE_3, , , , )
JB_VALUE(ADVANCE_4, , , , )
JB_VALUE(ADVANCE, , , , )
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#undef JB_PICK

#define ROUND(FIRST, last, prev, head)                   \
    round_##FIRST(ip, fp, run, last, prev, head, stream, \
                  (Carried){carried.first_b, carried.first_c, NULL, NULL, carried.every_b})
#undef OPERANDS_any
#define OPERANDS_any(a) a, carried.every_b ? carried.every_b : S(ip->b), S(ip->c), S(ip->d)
#define JB_FUSE(FIRST, SECOND, via)                                                      \
    enum {                                                                               \
        STREAMS_##FIRST##_##SECOND##_##via = STREAMS_##FIRST + STREAMS_##SECOND,         \
        VALUES_##FIRST##_##SECOND##_##via = VALUES_##FIRST + VALUES_##SECOND             \
    };                                                                                   \
    STEP bool start_##FIRST##_##SECOND##_##via(START_PARAMS) {                           \
        return start_##FIRST(stream, rounds, ip, fp, run) &&                             \
               start_##SECOND(stream + STREAMS_##FIRST, rounds, ip + LENGTH_##FIRST, fp, \
                              run);                                                      \
    }                                                                                    \
    STEP const Instr *round_##FIRST##_##SECOND##_##via(RUN_PARAMS, ROUND_PARAMS) {       \
        const Instr *const begin UNUSED = ip;                                            \
        START(via, ROUND, FIRST, head)                                                   \
        if (UNLIKELY(odd)) return odd;                                                   \
        ip += LENGTH_##FIRST;                                                            \
        if (LIKELY(step_##SECOND(stream + STREAMS_##FIRST, carried, run, ip,             \
                                 OPERANDS_##via(RESULT(SECOND, last)))))                 \
            return NULL;                                                                 \
        STOP(via)                                                                        \
        return ip;                                                                       \
    }
#include "backend/interp/fuse.def"
#undef OPERANDS_any
#define OPERANDS_any(a) a, S(ip->b), S(ip->c), S(ip->d)

#endif

/* What the rows of bytecode.def do, for run.c alone.
 *
 * One function for each, over the instruction's operands as slots, which is what fusions pass on
 * to each other. It does the usual case, or nothing: false leaves the instruction to slow.c,
 * which wraps the index or raises the error. So handlers call nothing they must come back from,
 * and have no registers to save. */
#ifndef JR_INTERP_STEPS_H
#define JR_INTERP_STEPS_H

#include "backend/interp/bytecode.h"
#include "ir/numeric.h"

/* Where IR_ANY_STRIP steps lead, if that is not beyond hi. */
static inline uint64_t strip_end(uint64_t counter, uint64_t hi, int64_t step) {
    const uint64_t by = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    const uint64_t way = step > 0 ? hi - counter : counter - hi;
    return way / IR_ANY_STRIP < by ? hi : counter + (uint64_t)step * IR_ANY_STRIP;
}

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define S(offset) frame_slot(fp, offset)
#define RECORD(field) (&run->code->records[ip->field])

typedef int8_t __attribute__((may_alias)) int8_t_element;
typedef int16_t __attribute__((may_alias)) int16_t_element;
typedef int32_t __attribute__((may_alias)) int32_t_element;
typedef uint8_t __attribute__((may_alias)) uint8_t_element;
typedef uint16_t __attribute__((may_alias)) uint16_t_element;
typedef uint32_t __attribute__((may_alias)) uint32_t_element;
typedef uint64_t __attribute__((may_alias)) uint64_t_element;
typedef double __attribute__((may_alias)) double_element;

#define STEP_PARAMS                                                            \
    Run *run __attribute__((unused)), const Instr *ip __attribute__((unused)), \
        Slot *a __attribute__((unused)), Slot *b __attribute__((unused)),      \
        Slot *c __attribute__((unused)), Slot *d __attribute__((unused))
#define STEP static inline __attribute__((always_inline))

/* The element's number; unchecked indices may be anything, so it wraps. */
#define DIMS(array, n) ((uint64_t)H(array)->dims[n])
#define INDEX_1C(array, x) (uint64_t) i
#define INDEX_1S(array, x) ((uint64_t)i * DIMS(array, 1))
#define INDEX_2C(array) ((uint64_t)i * DIMS(array, 1) + (uint64_t)j)
#define INDEX_2S(array) ((uint64_t)i * DIMS(array, 2) + (uint64_t)j * DIMS(array, 3))
#define ELEMENT(array, ctype, n) \
    ((ctype##_element *)((uintptr_t)H(array)->data + (uintptr_t)(n) * sizeof(ctype)))

/* Leave the indices in i and j. */
#define IN_RANGE(i, array, axis) LIKELY((uint64_t)(i) < DIMS(array, axis))
#define CHECK1(array, x) \
    int64_t i = x->i;    \
    if (!IN_RANGE(i, array, 0)) return false;
#define CHECK2(array, x, y)                   \
    int64_t i = x->i, j = y->i;               \
    if (!IN_RANGE(i, array, 0)) return false; \
    if (!IN_RANGE(j, array, 1)) return false;
#define RAW0(field) int64_t i = (int32_t)(field);
#define RAW1(x) int64_t i = x->i;
#define RAW2(x, y) int64_t i = x->i, j = y->i;

/* `one` unless the condition is 0, without a branch: both are there before the choice. */
STEP uint64_t choose(uint64_t condition, uint64_t one, uint64_t two) {
    __asm__("" : "+r"(one), "+r"(two));
    return condition ? one : two;
}

#define A(m) a->m
#define B(m) b->m
#define C(m) c->m
#define D(m) d->m
#define H(operand) ((Header *)(void *)operand)

#define JB_VALUE(ID, text, operands, member, expr) \
    enum { LENGTH_##ID = 1, WRITES_##ID = 1 };     \
    STEP bool do_##ID(STEP_PARAMS) {               \
        A(member) = (expr);                        \
        return true;                               \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) \
    enum { LENGTH_##ID = 1, WRITES_##ID = 1 };                \
    STEP bool do_##ID(STEP_PARAMS) {                          \
        if (UNLIKELY(bad)) return false;                      \
        A(member) = (expr);                                   \
        return true;                                          \
    }
#define JB_JUMP(ID, text, operands, target, condition) \
    STEP bool test_##ID(STEP_PARAMS) {                 \
        return condition;                              \
    }                                                  \
    STEP int32_t jump_##ID(const Instr *ip) {          \
        return (int32_t)ip->target;                    \
    }
#define JB_LOAD(ID, text, operands, check, ctype, member, index) \
    enum { LENGTH_##ID = 1, WRITES_##ID = 1 };                   \
    STEP bool do_##ID(STEP_PARAMS) {                             \
        check A(member) = *ELEMENT(b, ctype, index);             \
        return true;                                             \
    }
#define JB_STORE(ID, text, operands, check, ctype, value, index) \
    enum { LENGTH_##ID = 1, WRITES_##ID = 0 };                   \
    STEP bool do_##ID(STEP_PARAMS) {                             \
        check *ELEMENT(a, ctype, index) = (ctype)(value);        \
        return true;                                             \
    }
#define JB_SPECIAL(ID, text, operands)
#define JB_PICK(op, type, ID)
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE

/* Not asked to stop. */
enum { LENGTH_POLL = 1, WRITES_POLL = 0 };
STEP bool do_POLL(STEP_PARAMS) {
    return LIKELY(!jr_rt_is_asked(run->rt));
}

/* Pointers move by the steps behind them. One by one: a pointer that is stored with another is slower to load. */
STEP void move_pointer(Slot *pointers, uint32_t n, uint32_t count) {
    uint64_t at = pointers[n].u + pointers[count + n].u;
    __asm__("" : "+r"(at));
    pointers[n].u = at;
}
#define JB_ADVANCE(ID, pairs)                     \
    enum { LENGTH_##ID = 1, WRITES_##ID = 0 };    \
    STEP bool do_##ID(STEP_PARAMS) {              \
        const uint32_t count = 2 * (pairs);       \
        for (uint32_t n = 0; n < count; n += 2) { \
            move_pointer(a, n, count);            \
            move_pointer(a, n + 1, count);        \
        }                                         \
        return true;                              \
    }
JB_ADVANCE(ADVANCE_1, 1)
JB_ADVANCE(ADVANCE_2, 2)
JB_ADVANCE(ADVANCE_3, 3)
JB_ADVANCE(ADVANCE_4, 4)
JB_ADVANCE(ADVANCE, ip->b)
#undef JB_ADVANCE

/* ---- One instruction or several, from ip: NULL, or where the usual case ended ----
 *
 * `last` and `prev` say where the results of the last one and the one before it go: to their slots
 * (LAST, PREV), or to the C variables of a fusion that hands them on. `head`, if not NULL, is where the
 * first one's result goes too. */

#define LAST(ID) S(ip[LENGTH_##ID - 1].a)
#define PREV(ID) S(ip[LENGTH_##ID > 1 ? LENGTH_##ID - 2 : 0].a)
#define RUN_PARAMS                                                                       \
    const Instr *ip, char *fp __attribute__((unused)), Run *run __attribute__((unused)), \
        Slot *last __attribute__((unused)), Slot *prev __attribute__((unused)),          \
        Slot *head __attribute__((unused))
/* Slot a: not always a result. */
#define RESULT(ID, where) (WRITES_##ID ? (where) : S(ip->a))

#define JB_VALUE(ID, text, operands, member, expr)                                     \
    STEP const Instr *run_##ID(RUN_PARAMS) {                                           \
        if (!LIKELY(do_##ID(run, ip, RESULT(ID, last), S(ip->b), S(ip->c), S(ip->d)))) \
            return ip;                                                                 \
        if (WRITES_##ID && head) *head = *last;                                        \
        return NULL;                                                                   \
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

/* How a fusion hands on results: START runs FIRST (by run_FIRST, as RUN says), OPERANDS are SECOND's then (`a` is where its own
 * result goes, or its operand), and STOP puts into slots what a SECOND that is not the usual case will
 * look for there. */
#define RUN(FIRST, last, prev, head) run_##FIRST(ip, fp, run, last, prev, head)
#define START_any(RUN, FIRST, head) \
    const Instr *const odd = RUN(FIRST, prev, PREV(FIRST), head);
#define START_head(RUN, FIRST, head)                                \
    Slot first, *const outer = head;                                \
    const Instr *const odd = RUN(FIRST, prev, PREV(FIRST), &first); \
    if (outer) *outer = first;
#define START_kept(RUN, FIRST, head) \
    Slot *const kept = prev;         \
    const Instr *const odd = RUN(FIRST, kept, PREV(FIRST), head);
#define START_one(RUN, FIRST, head) \
    Slot one;                       \
    const Instr *const odd = RUN(FIRST, &one, PREV(FIRST), head);
#define START_two(RUN, FIRST, head)                        \
    Slot one, two = {.u = 0};                              \
    const Instr *const odd = RUN(FIRST, &one, &two, head); \
    if (UNLIKELY(odd == ip + LENGTH_##FIRST - 1)) *PREV(FIRST) = two;
#define START_three(RUN, FIRST, head)                        \
    Slot one, two = {.u = 0}, first, *const outer = head;    \
    const Instr *const odd = RUN(FIRST, &one, &two, &first); \
    if (outer) *outer = first;                               \
    if (UNLIKELY(odd == ip + LENGTH_##FIRST - 1)) *PREV(FIRST) = two;
#define STOP_any
#define STOP_head
#define STOP_kept
#define STOP_one *S(ip[-1].a) = one;
#define STOP_two STOP_one *S(ip[-2].a) = two;
#define STOP_three STOP_two

#define HOW_any any
#define HOW_a one
#define HOW_b one
#define HOW_c one
#define HOW_d one
#define HOW_bc two
#define HOW_cd two
#define HOW_up one
#define HOW_hb head
#define HOW_hc head
#define HOW_hcd three
#define HOW_hdc three
#define HOW_hbc three
#define HOW_fa one
#define HOW_fb one
#define HOW_sa one
#define HOW_sb one
#define HOW_xa kept
#define HOW_ka kept
#define HOW_kb kept
#define HOW_kc kept
#define OPERANDS_any(a) a, S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_a(a) &one, S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_b(a) a, &one, S(ip->c), S(ip->d)
#define OPERANDS_c(a) a, S(ip->b), &one, S(ip->d)
#define OPERANDS_d(a) a, S(ip->b), S(ip->c), &one
#define OPERANDS_bc(a) a, &two, &one, S(ip->d)
#define OPERANDS_cd(a) a, S(ip->b), &two, &one
#define OPERANDS_up(a) S(begin->b), S(begin->c), &one, NULL
#define OPERANDS_hb(a) a, &first, S(ip->c), S(ip->d)
#define OPERANDS_hc(a) a, S(ip->b), &first, S(ip->d)
#define OPERANDS_hcd(a) a, &first, &two, &one
#define OPERANDS_hdc(a) a, &first, &one, &two
#define OPERANDS_hbc(a) a, &two, &one, &first
#define OPERANDS_fa OPERANDS_a
#define OPERANDS_fb OPERANDS_b
#define OPERANDS_sa OPERANDS_a
#define OPERANDS_sb OPERANDS_b
#define OPERANDS_xa OPERANDS_ka
#define OPERANDS_ka(a) kept, S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_kb(a) a, kept, S(ip->c), S(ip->d)
#define OPERANDS_kc(a) a, S(ip->b), kept, S(ip->d)
#define PASTE(a, b) PASTED(a, b)
#define PASTED(a, b) a##b
#define START(via, RUN, FIRST, head) PASTE(START_, HOW_##via)(RUN, FIRST, head)
#define STOP(via) PASTE(STOP_, HOW_##via)

#define JB_FUSE(FIRST, SECOND, via)                                                          \
    enum {                                                                                   \
        LENGTH_##FIRST##_##SECOND##_##via = LENGTH_##FIRST + 1,                              \
        WRITES_##FIRST##_##SECOND##_##via = WRITES_##SECOND                                  \
    };                                                                                       \
    STEP const Instr *run_##FIRST##_##SECOND##_##via(RUN_PARAMS) {                           \
        const Instr *const begin __attribute__((unused)) = ip;                               \
        START(via, RUN, FIRST, head)                                                         \
        if (UNLIKELY(odd)) return odd;                                                       \
        ip += LENGTH_##FIRST;                                                                \
        if (LIKELY(do_##SECOND(run, ip, OPERANDS_##via(RESULT(SECOND, last))))) return NULL; \
        STOP(via)                                                                            \
        return ip;                                                                           \
    }
#include "backend/interp/fuse.def"

#undef A
#undef B
#undef C
#undef D
#undef H
#undef CHECK1
#undef CHECK2

#endif

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
#define RAW1(x) int64_t i = x->i;
#define RAW2(x, y) int64_t i = x->i, j = y->i;

#define A(m) a->m
#define B(m) b->m
#define C(m) c->m
#define D(m) d->m
#define H(operand) ((Header *)(void *)operand)

#define JB_VALUE(ID, text, operands, member, expr) \
    enum { LENGTH_##ID = 1 };                      \
    STEP bool do_##ID(STEP_PARAMS) {               \
        A(member) = (expr);                        \
        return true;                               \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) \
    enum { LENGTH_##ID = 1 };                                 \
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
    enum { LENGTH_##ID = 1 };                                    \
    STEP bool do_##ID(STEP_PARAMS) {                             \
        check A(member) = *ELEMENT(b, ctype, index);             \
        return true;                                             \
    }
#define JB_STORE(ID, text, operands, check, ctype, value, index) \
    enum { LENGTH_##ID = 1 };                                    \
    STEP bool do_##ID(STEP_PARAMS) {                             \
        check *ELEMENT(a, ctype, index) = (ctype)value->u;       \
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

/* ---- The instruction at ip: NULL, or where the usual case ended ---- */

/* The operands of an instruction, one of them the slot that the instruction before it wrote. */
#define OPERANDS_any S(ip->a), S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_a before, S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_b S(ip->a), before, S(ip->c), S(ip->d)
#define OPERANDS_c S(ip->a), S(ip->b), before, S(ip->d)
#define OPERANDS_d S(ip->a), S(ip->b), S(ip->c), before
/* Found before FIRST runs: the compiler then sees that it is what FIRST writes to. */
#define BEFORE(FIRST) Slot *const before __attribute__((unused)) = S(ip[LENGTH_##FIRST - 1].a)

#define JB_VALUE(ID, text, operands, member, expr)                    \
    STEP const Instr *run_##ID(const Instr *ip, char *fp, Run *run) { \
        return LIKELY(do_##ID(run, ip, OPERANDS_any)) ? NULL : ip;    \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) JB_VALUE(ID, , , , )
#define JB_JUMP(ID, text, operands, target, condition)
#define JB_LOAD(ID, text, operands, check, ctype, member, index) JB_VALUE(ID, , , , )
#define JB_STORE(ID, text, operands, check, ctype, value, index) JB_VALUE(ID, , , , )
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#undef JB_PICK

#define JB_FUSE(FIRST, SECOND, via)                                                         \
    enum { LENGTH_##FIRST##_##SECOND##_##via = LENGTH_##FIRST + 1 };                        \
    STEP const Instr *run_##FIRST##_##SECOND##_##via(const Instr *ip, char *fp, Run *run) { \
        BEFORE(FIRST);                                                                      \
        const Instr *slow = run_##FIRST(ip, fp, run);                                       \
        if (UNLIKELY(slow)) return slow;                                                    \
        ip += LENGTH_##FIRST;                                                               \
        return LIKELY(do_##SECOND(run, ip, OPERANDS_##via)) ? NULL : ip;                    \
    }
#define JB_FUSE_TEST(FIRST, SECOND, via)
#define JB_FUSE_LOOP(FIRST, SECOND, via)
#define JB_FUSE_SPECIAL(FIRST, SECOND, via)
#define JB_FUSE_FILL(STORE, FOR, ctype, bound, step)
#include "backend/interp/fuse.def"
#undef JB_FUSE
#undef JB_FUSE_TEST
#undef JB_FUSE_LOOP
#undef JB_FUSE_SPECIAL
#undef JB_FUSE_FILL

#undef A
#undef B
#undef C
#undef D
#undef H
#undef CHECK1
#undef CHECK2

#endif

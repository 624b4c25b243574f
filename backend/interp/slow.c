/* Instructions that are not the usual case: an index that is negative or out of range, a zero
 * divisor. Handlers leave such an instruction alone, before it has done anything, and it is
 * done here. */
#include "backend/interp/steps.h"

#define A(m) S(ip->a)->m
#define B(m) S(ip->b)->m
#define C(m) S(ip->c)->m
#define H(operand) ((Header *)(void *)operand)

/* Leave the indices in i and j: in range, or wherever the program said it may be. */
#define FIX(var, array, axis, ndim)                                    \
    if (!IN_RANGE(var, array, axis)) {                                 \
        var = jr_interp_fix_index(run, ip, H(array), axis, ndim, var); \
        if (run->status) return false;                                 \
    }
#define CHECK1(array, x) \
    int64_t i = x->i;    \
    FIX(i, array, 0, 1)
#define CHECK2(array, x, y)     \
    int64_t i = x->i, j = y->i; \
    FIX(i, array, 0, 2)         \
    FIX(j, array, 1, 2)

#define JB_VALUE(ID, text, operands, member, expr)
#define JB_GUARD(ID, text, operands, trap, bad, member, expr)
#define JB_JUMP(ID, text, operands, target, condition)
#define JB_LOAD(ID, text, operands, check, ctype, member, index) \
    static bool slow_##ID(STEP_PARAMS) {                         \
        check a->member = *ELEMENT(b, ctype, index);             \
        return true;                                             \
    }
#define JB_STORE(ID, text, operands, check, ctype, value, index) \
    static bool slow_##ID(STEP_PARAMS) {                         \
        check *ELEMENT(a, ctype, index) = (ctype)(value);        \
        return true;                                             \
    }
#define JB_SPECIAL(ID, text, operands)
#define JB_PICK(op, type, ID)
#include "backend/interp/bytecode.def"
#undef JB_GUARD
#undef JB_LOAD
#undef JB_STORE

bool jr_interp_slow(Run *run, const Instr *ip, char *fp) {
    int32_t trap;
    switch (run->code->places[ip - run->code->code].op) {
#define JB_GUARD(ID, text, operands, why, bad, member, expr) \
    case BC_##ID:                                            \
        trap = TRAP_##why;                                   \
        break;
#define JB_LOAD(ID, text, operands, check, ctype, member, index) \
    case BC_##ID:                                                \
        return slow_##ID(run, ip, OPERANDS_any(S(ip->a)));
#define JB_STORE(ID, text, operands, check, ctype, value, index) JB_LOAD(ID, , , , , , )
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#undef JB_PICK
    case BC_POLL:
        run->status = run->code->helpers.poll(run->rt, place_where(run->code, ip));
        return !run->status;
    default: return true;
    }
    run->status = run->code->helpers.trap(run->rt, place_where(run->code, ip), trap);
    return false;
}

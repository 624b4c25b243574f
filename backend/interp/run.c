/* The dispatch loop: direct-threaded code. Every instruction holds the address of its handler,
 * every handler ends in its own indirect jump, so that the processor predicts each by what
 * came before. Handlers are made from the rows of bytecode.def; the ones below them are the
 * rest.
 *
 * Only ip and fp change from one instruction to the next. A handler reads its operands before
 * it writes, so that a result may take the slot of an operand that dies there. What is rare
 * (errors, indices that wrap, a full stack) is out of line, to keep the handlers short. */
#include "backend/interp/bytecode.h"
#include "ir/numeric.h"

#if defined(__GNUC__) && !defined(__clang__)
/* Common subexpressions over computed gotos only add moves. */
#pragma GCC optimize("no-gcse")
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define S(offset) frame_slot(fp, offset)
#define RECORD(field) (&run->code->records[ip->field])

#define NEXT              \
    do {                  \
        ip++;             \
        goto * ip->label; \
    } while (0)
#define JUMP_BY(field)                                                             \
    do {                                                                           \
        ip = (const Instr *)(const void *)((const char *)ip + (int32_t)ip->field); \
        goto * ip->label;                                                          \
    } while (0)
/* A helper that returns 0 or the status of what it raised. */
#define TRY(call)                               \
    do {                                        \
        run->status = (call);                   \
        if (UNLIKELY(run->status)) goto unwind; \
        NEXT;                                   \
    } while (0)

typedef int8_t __attribute__((may_alias)) int8_t_element;
typedef int16_t __attribute__((may_alias)) int16_t_element;
typedef int32_t __attribute__((may_alias)) int32_t_element;
typedef uint8_t __attribute__((may_alias)) uint8_t_element;
typedef uint16_t __attribute__((may_alias)) uint16_t_element;
typedef uint32_t __attribute__((may_alias)) uint32_t_element;
typedef uint64_t __attribute__((may_alias)) uint64_t_element;
typedef double __attribute__((may_alias)) double_element;

/* ---- What the rows of bytecode.def do ----
 *
 * One function for each, over the instruction's operands as slots, which is what fusions pass
 * on to each other. False: an error, whose status is set. */

#define A(m) a->m
#define B(m) b->m
#define C(m) c->m
#define D(m) d->m
#define H(operand) ((Header *)(void *)operand)
#define STEP_PARAMS                                                            \
    Run *run __attribute__((unused)), const Instr *ip __attribute__((unused)), \
        Slot *a __attribute__((unused)), Slot *b __attribute__((unused)),      \
        Slot *c __attribute__((unused)), Slot *d __attribute__((unused))
#define STEP static inline __attribute__((always_inline))

static __attribute__((noinline, cold)) bool trapped(Run *run, const Instr *ip, int32_t trap) {
    run->status = run->code->helpers.trap(run->rt, place_where(run->code, ip), trap);
    return false;
}

/* Leave the indices in i and j: in range, or wherever the program said it may be. */
#define FIX(var, array, axis, ndim)                                    \
    if (UNLIKELY((uint64_t)var >= (uint64_t)H(array)->dims[axis])) {   \
        var = jr_interp_fix_index(run, ip, H(array), axis, ndim, var); \
        if (UNLIKELY(run->status)) return false;                       \
    }
#define CHECK1(array, x) \
    int64_t i = x->i;    \
    FIX(i, array, 0, 1)
#define CHECK2(array, x, y)     \
    int64_t i = x->i, j = y->i; \
    FIX(i, array, 0, 2)         \
    FIX(j, array, 1, 2)
#define RAW1(x) int64_t i = x->i;
#define RAW2(x, y) int64_t i = x->i, j = y->i;
/* The element's number; unchecked indices may be anything, so it wraps. */
#define DIMS(array, n) ((uint64_t)H(array)->dims[n])
#define INDEX_1C(array, x) (uint64_t) i
#define INDEX_1S(array, x) ((uint64_t)i * DIMS(array, 1))
#define INDEX_2C(array) ((uint64_t)i * DIMS(array, 1) + (uint64_t)j)
#define INDEX_2S(array) ((uint64_t)i * DIMS(array, 2) + (uint64_t)j * DIMS(array, 3))
#define ELEMENT(array, ctype, n) \
    ((ctype##_element *)((uintptr_t)H(array)->data + (uintptr_t)(n) * sizeof(ctype)))

#define JB_VALUE(ID, text, operands, member, expr) \
    enum { LENGTH_##ID = 1 };                      \
    STEP bool do_##ID(STEP_PARAMS) {               \
        A(member) = (expr);                        \
        return true;                               \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr)    \
    enum { LENGTH_##ID = 1 };                                    \
    STEP bool do_##ID(STEP_PARAMS) {                             \
        if (UNLIKELY(bad)) return trapped(run, ip, TRAP_##trap); \
        A(member) = (expr);                                      \
        return true;                                             \
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
#undef A
#undef B
#undef C
#undef D
#undef H
#undef FIX

/* ---- One instruction or several ----
 *
 * NULL, or the instruction at which an error arose. */

/* The operands of an instruction, one of them the slot that the instruction before it wrote. */
#define OPERANDS_any S(ip->a), S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_a before, S(ip->b), S(ip->c), S(ip->d)
#define OPERANDS_b S(ip->a), before, S(ip->c), S(ip->d)
#define OPERANDS_c S(ip->a), S(ip->b), before, S(ip->d)
#define OPERANDS_d S(ip->a), S(ip->b), S(ip->c), before
/* Found before FIRST runs: the compiler then sees that it is what FIRST writes to. */
#define BEFORE(FIRST) Slot *const before __attribute__((unused)) = S(ip[LENGTH_##FIRST - 1].a)

#define JB_VALUE(ID, text, operands, member, expr)                    \
    STEP const Instr *run_##ID(Run *run, const Instr *ip, char *fp) { \
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

#define JB_FUSE(FIRST, SECOND, via)                                                         \
    enum { LENGTH_##FIRST##_##SECOND##_##via = LENGTH_##FIRST + 1 };                        \
    STEP const Instr *run_##FIRST##_##SECOND##_##via(Run *run, const Instr *ip, char *fp) { \
        BEFORE(FIRST);                                                                      \
        const Instr *failed = run_##FIRST(run, ip, fp);                                     \
        if (UNLIKELY(failed)) return failed;                                                \
        ip += LENGTH_##FIRST;                                                               \
        return LIKELY(do_##SECOND(run, ip, OPERANDS_##via)) ? NULL : ip;                    \
    }
#define JB_FUSE_TEST(FIRST, SECOND, via)
#define JB_FUSE_SPECIAL(FIRST, SECOND, via)
#define JB_FUSE_FILL(STORE, FOR, ctype, bound, step)
#include "backend/interp/fuse.def"
#undef JB_FUSE
#undef JB_FUSE_TEST
#undef JB_FUSE_SPECIAL
#undef JB_FUSE_FILL

/* ---- The loop ---- */

#define A(m) S(ip->a)->m
#define B(m) S(ip->b)->m
#define C(m) S(ip->c)->m
#define D(m) S(ip->d)->m
#define H(field) frame_header(fp, ip->field)
#define FIX(var, array, axis, ndim)                                    \
    if (UNLIKELY((uint64_t)var >= (uint64_t)H(array)->dims[axis])) {   \
        var = jr_interp_fix_index(run, ip, H(array), axis, ndim, var); \
        if (UNLIKELY(run->status)) goto unwind;                        \
    }

/* Runs what FIRST stands for, one or several; ip is behind it. */
#define BEGIN(FIRST)                                \
    const Instr *failed = run_##FIRST(run, ip, fp); \
    if (UNLIKELY(failed)) {                         \
        ip = failed;                                \
        goto unwind;                                \
    }                                               \
    ip += LENGTH_##FIRST
#define TEST(ID, via)                                                         \
    if (test_##ID(run, ip, OPERANDS_##via)) {                                 \
        ip = (const Instr *)(const void *)((const char *)ip + jump_##ID(ip)); \
        goto * ip->label;                                                     \
    }                                                                         \
    NEXT;
#define DO_CALL(operand)                                                            \
    {                                                                               \
        char *callee = fp + ip->b;                                                  \
        if (UNLIKELY((size_t)(run->limit - callee) < ip->d)) {                      \
            fp = jr_interp_grow(run, fp, (size_t)(callee - run->stack), ip->d, ip); \
            if (run->status) goto unwind;                                           \
            callee = fp + ip->b;                                                    \
        }                                                                           \
        ((Slot *)(void *)callee)[-1].site = ip;                                     \
        fp = callee;                                                                \
        JUMP_BY(c);                                                                 \
    }
#define DO_RETURN_ONE(operand)                \
    {                                         \
        const uint64_t result = (operand)->u; \
        ip = ((Slot *)(void *)fp)[-1].site;   \
        fp -= ip->b;                          \
        A(u) = result;                        \
        NEXT;                                 \
    }

static inline bool goes_to(const Instr *from, int32_t jump, const Instr *to) {
    return (const char *)from + jump == (const char *)to;
}

/* With no run: tells the addresses of the handlers, which exist only in here. */
static int32_t dispatch(Run *run, const Instr *ip, const void *const **labels_out) {
    static const void *const labels[BC_COUNT] = {
#define JB_VALUE(ID, text, operands, member, expr) &&L_##ID,
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) &&L_##ID,
#define JB_JUMP(ID, text, operands, target, condition) &&L_##ID,
#define JB_LOAD(ID, text, operands, check, ctype, member, index) &&L_##ID,
#define JB_STORE(ID, text, operands, check, ctype, value, index) &&L_##ID,
#define JB_SPECIAL(ID, text, operands) &&L_##ID,
#define JB_PICK(op, type, ID)
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#define JB_FUSE(FIRST, SECOND, via) &&L_##FIRST##_##SECOND##_##via,
#define JB_FUSE_TEST JB_FUSE
#define JB_FUSE_SPECIAL JB_FUSE
#define JB_FUSE_FILL(STORE, FOR, ctype, bound, step) JB_FUSE(STORE, FOR, any)
#include "backend/interp/fuse.def"
#undef JB_FUSE
#undef JB_FUSE_TEST
#undef JB_FUSE_SPECIAL
#undef JB_FUSE_FILL
    };
    if (!run) {
        *labels_out = labels;
        return 0;
    }
    char *fp = run->stack;
    goto * ip->label;

#define JB_VALUE(ID, text, operands, member, expr) \
    L_##ID : {                                     \
        BEGIN(ID);                                 \
        goto * ip->label;                          \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) JB_VALUE(ID, , , , )
#define JB_JUMP(ID, text, operands, target, condition) L_##ID : TEST(ID, any)
#define JB_LOAD(ID, text, operands, check, ctype, member, index) JB_VALUE(ID, , , , )
#define JB_STORE(ID, text, operands, check, ctype, value, index) JB_VALUE(ID, , , , )
#define JB_SPECIAL(ID, text, operands)
#include "backend/interp/bytecode.def"

#define JB_FUSE(FIRST, SECOND, via) JB_VALUE(FIRST##_##SECOND##_##via, , , , )
#define JB_FUSE_TEST(FIRST, SECOND, via)                                                  \
    L_##FIRST##_##SECOND##_##via : {                                                      \
        const Instr *const head = ip, *const last = head + LENGTH_##FIRST;                \
        for (;;) {                                                                        \
            Slot *const before __attribute__((unused)) = S(last[-1].a);                   \
            const Instr *failed = run_##FIRST(run, head, fp);                             \
            if (UNLIKELY(failed)) {                                                       \
                ip = failed;                                                              \
                goto unwind;                                                              \
            }                                                                             \
            ip = last;                                                                    \
            if (!test_##SECOND(run, last, OPERANDS_##via)) break;                         \
            ip = (const Instr *)(const void *)((const char *)last + jump_##SECOND(last)); \
            if (ip != head) goto * ip->label;                                             \
        }                                                                                 \
        ip = last;                                                                        \
        NEXT;                                                                             \
    }
#define JB_FUSE_SPECIAL(FIRST, SECOND, via) \
    L_##FIRST##_##SECOND##_##via : {        \
        BEFORE(FIRST);                      \
        BEGIN(FIRST);                       \
        DO_##SECOND(before)                 \
    }
/* While the index is plainly in range the loop runs right here; what else comes (an index that
 * wraps or raises, the loop's last round) is left to the single steps. */
#define JB_FUSE_FILL(STORE, FOR, ctype, bound, step)                          \
    L_##STORE##_##FOR##_any : {                                               \
        const Instr *const back = ip + 1;                                     \
        if (LIKELY(goes_to(back, jump_##FOR(back), ip) && ip->b == back->a && \
                   ip->c != back->a)) {                                       \
            const uint64_t limit = bound, hi = S(back->b)->u, by = step;      \
            const ctype value = (ctype)C(u);                                  \
            const uintptr_t data = (uintptr_t)H(a)->data;                     \
            uint64_t i = B(u);                                                \
            if (LIKELY((int64_t)by > 0)) {                                    \
                for (; i < limit && hi - i > by; i += by)                     \
                    *(ctype##_element *)(data + i * sizeof(ctype)) = value;   \
                B(u) = i;                                                     \
            }                                                                 \
        }                                                                     \
        BEGIN(STORE);                                                         \
        TEST(FOR, any)                                                        \
    }
#include "backend/interp/fuse.def"

L_JUMP:
    JUMP_BY(a);

L_FOR_UP_TEST:
    if (B(i) >= C(i)) JUMP_BY(d);
    A(i) = B(i);
    NEXT;
L_FOR_DOWN_TEST:
    if (B(i) <= C(i)) JUMP_BY(d);
    A(i) = B(i);
    NEXT;
L_FOR_TEST:
    if (C(i) > 0 ? A(i) >= B(i) : A(i) <= B(i)) JUMP_BY(d);
    NEXT;

L_STRIP_NEXT:
    if (B(i) == C(i)) NEXT;
    if (UNLIKELY(*run->rt->cancel != run->rt->seen)) {
        run->status = run->code->helpers.poll(run->rt, place_where(run->code, ip));
        if (run->status) goto unwind;
    }
    A(i) = B(i);
    JUMP_BY(d);
L_POLL:
    if (LIKELY(*run->rt->cancel == run->rt->seen)) NEXT;
    TRY(run->code->helpers.poll(run->rt, place_where(run->code, ip)));

/* Here too a loop of nothing else runs to its end, or to the end of an array. */
#define DOT(m, ctype)                                                                      \
    {                                                                                      \
        const Instr *const back = ip + 4;                                                  \
        const ctype *const x = H(b)->data, *const y = H(c)->data;                          \
        const uint64_t nx = DIMS(b, 0), ny = DIMS(c, 0), end = nx < ny ? nx : ny;          \
        uint64_t i = D(u);                                                                 \
        if (UNLIKELY(i >= end)) NEXT;                                                      \
        if (UNLIKELY(back->label != &&L_FOR_ONE || ip->d != back->a || ip->a == back->a || \
                     !goes_to(back, jump_FOR_ONE(back), ip))) {                            \
            A(m) = A(m) + x[i] * y[i];                                                     \
            ip = back;                                                                     \
            goto * ip->label;                                                              \
        }                                                                                  \
        const uint64_t hi = S(back->b)->u, stop = hi < end ? hi : end;                     \
        __typeof__(A(m)) sum = A(m);                                                       \
        do                                                                                 \
            sum = sum + x[i] * y[i];                                                       \
        while (++i < stop);                                                                \
        A(m) = sum;                                                                        \
        D(u) = i - (i == hi);                                                              \
        if (i == hi) ip = back + 1;                                                        \
        goto * ip->label;                                                                  \
    }
L_DOT_D:
    DOT(d, double_element)
L_DOT_I:
    DOT(u, uint64_t_element)

L_WRAP : {
    int64_t i = C(i);
    if ((uint64_t)i >= (uint64_t)H(b)->dims[ip->d & 15]) {
        i = jr_interp_fix_index(run, ip, H(b), ip->d & 15, ip->d >> 4, i);
        if (run->status) goto unwind;
    }
    A(i) = i;
    NEXT;
}
L_INDEX : {
    const unsigned axis = ip->d & 15, ndim = ip->d >> 4;
    int64_t i = C(i);
    FIX(i, b, axis, ndim)
    A(u) = (uint64_t)i * DIMS(b, ndim + axis);
    NEXT;
}
L_INDEX_NEXT : {
    const unsigned axis = ip->d & 15, ndim = ip->d >> 4;
    int64_t i = C(i);
    FIX(i, b, axis, ndim)
    A(u) += (uint64_t)i * DIMS(b, ndim + axis);
    NEXT;
}

L_HEADER:
    __builtin_memmove(fp + ip->a, fp + ip->b, ip->c * sizeof(Slot));
    NEXT;
L_ASSIGN:
    jr_interp_assign(run->code, H(a), H(b), ip->c);
    NEXT;
L_TRANSPOSE:
    jr_interp_transpose(H(a), H(b), ip->c);
    NEXT;
L_ALLOC:
    TRY(jr_interp_alloc(run, ip, fp, RECORD(a)));
L_VIEW:
    TRY(jr_interp_view(run, ip, fp, RECORD(a)));
L_BROADCAST:
    TRY(jr_interp_broadcast(run, ip, fp, RECORD(a)));
L_RESHAPE:
    TRY(jr_interp_reshape(run, ip, fp, RECORD(a)));
L_RT:
    TRY(jr_interp_rt(run, ip, fp, RECORD(a)));
L_PARALLEL:
    TRY(jr_interp_parallel(run, ip, fp, RECORD(a)));
L_RAISE:
    TRY(jr_interp_raise(run, ip, RECORD(a)));

L_ENTER : {
    const uint64_t *constant = run->code->constants + ip->c;
    Slot *to = S(ip->a);
    for (uint32_t n = 0; n < ip->b; n++)
        to[n].u = constant[n];
    NEXT;
}
L_EMPTY:
    H(a)->owner = NULL;
    NEXT;

L_CALL:
L_CALL_MANY:
    DO_CALL(S(ip->a))
L_LEAVE:
    jr_interp_leave(run->code, ip, fp);
    NEXT;
L_RETURN_ONE:
    DO_RETURN_ONE(S(ip->a))
L_RETURN_CONST : {
    const int64_t result = ip->k;
    ip = ((Slot *)(void *)fp)[-1].site;
    fp -= ip->b;
    A(i) = result;
    NEXT;
}
L_RETURN:
    ip = ((Slot *)(void *)fp)[-1].site;
    fp -= ip->b;
    NEXT;
L_RETURN_MANY:
    jr_interp_return(run->code, fp, RECORD(a));
    ip = ((Slot *)(void *)fp)[-1].site;
    fp -= ip->b;
    NEXT;
L_EXIT:
    return 0;

unwind:
    return jr_interp_unwind(run, ip, fp);
}

const void *const *jr_interp_labels(void) {
    const void *const *labels;
    dispatch(NULL, NULL, &labels);
    return labels;
}

int32_t jr_interp_run(Run *run, const Instr *ip) {
    return dispatch(run, ip, NULL);
}

/* The handlers: direct-threaded code. Every instruction holds the address of its handler, every
 * handler ends in a jump to the next one's, so that the processor predicts each by what came
 * before. Handlers are made from the rows of bytecode.def; the ones below them are the rest.
 *
 * A handler is a function of what changes from one instruction to the next, and calls the next
 * handler as the last thing it does: a jump, with everything in registers. It reads its operands
 * before it writes, so that a result may take the slot of an operand that dies there. */
#include "backend/interp/stream.h"

/* clang promises the jump; gcc makes it when it optimises. Otherwise each handler returns to a
 * loop that calls the next. */
#if defined(__clang__)
#define TAIL __attribute__((musttail))
#elif defined(__OPTIMIZE__)
#define TAIL
#pragma GCC optimize("optimize-sibling-calls", "no-gcse")
#else
#define TAIL
#define RETURNING 1
#endif

#define STATE                                                                  \
    const Instr *ip __attribute__((unused)), char *fp __attribute__((unused)), \
        Run *run __attribute__((unused))
#define HANDLER(ID) static const Instr *on_##ID(STATE)
#define COLD static __attribute__((noinline, cold))
#ifdef RETURNING
#define GO return run->fp = fp, ip
#else
#define GO TAIL return ip->handler(ip, fp, run)
#endif
#define NEXT  \
    do {      \
        ip++; \
        GO;   \
    } while (0)
#define JUMP_BY(field)                     \
    do {                                   \
        ip = jump(ip, (int32_t)ip->field); \
        GO;                                \
    } while (0)
/* In last place: what is rare, so that a handler need not save ip and fp for it. */
#define INSTEAD(function, at) TAIL return function(at, fp, run)
/* A helper that returns 0 or the status of what it raised. */
#define TRY(call)                                       \
    do {                                                \
        run->status = (call);                           \
        if (UNLIKELY(run->status)) INSTEAD(unwind, ip); \
        NEXT;                                           \
    } while (0)

#define A(m) S(ip->a)->m
#define B(m) S(ip->b)->m
#define C(m) S(ip->c)->m
#define D(m) S(ip->d)->m
#define H(field) frame_header(fp, ip->field)

STEP const Instr *jump(const Instr *from, int32_t distance) {
    return (const Instr *)(const void *)((const char *)from + distance);
}

COLD const Instr *unwind(STATE) {
    jr_interp_unwind(run, ip, fp);
    return NULL;
}

COLD const Instr *slow(STATE) {
    if (!jr_interp_slow(run, ip, fp)) INSTEAD(unwind, ip);
    NEXT;
}

/* ---- Rows ---- */

/* Runs what ID stands for, one or several; ip is behind it. */
#define BEGIN(ID)                                                             \
    const Instr *const odd = run_##ID(ip, fp, run, LAST(ID), PREV(ID), NULL); \
    if (UNLIKELY(odd)) INSTEAD(slow, odd);                                    \
    ip += LENGTH_##ID
#define TEST(ID, via)                                   \
    if (test_##ID(run, ip, OPERANDS_##via(S(ip->a)))) { \
        ip = jump(ip, jump_##ID(ip));                   \
        GO;                                             \
    }                                                   \
    NEXT;

#define JB_VALUE(ID, text, operands, member, expr) \
    HANDLER(ID) {                                  \
        BEGIN(ID);                                 \
        GO;                                        \
    }
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) JB_VALUE(ID, , , , )
#define JB_JUMP(ID, text, operands, target, condition) \
    HANDLER(ID) {                                      \
        TEST(ID, any)                                  \
    }
#define JB_LOAD(ID, text, operands, check, ctype, member, index) JB_VALUE(ID, , , , )
#define JB_STORE(ID, text, operands, check, ctype, value, index) JB_VALUE(ID, , , , )
#define JB_SPECIAL(ID, text, operands)
#define JB_PICK(op, type, ID)
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL

/* ---- Loops ---- */

HANDLER(JUMP) {
    JUMP_BY(a);
}

HANDLER(FOR_UP_TEST) {
    if (B(i) >= C(i)) JUMP_BY(d);
    A(i) = B(i);
    NEXT;
}

HANDLER(FOR_DOWN_TEST) {
    if (B(i) <= C(i)) JUMP_BY(d);
    A(i) = B(i);
    NEXT;
}

HANDLER(FOR_TEST) {
    if (C(i) > 0 ? A(i) >= B(i) : A(i) <= B(i)) JUMP_BY(d);
    NEXT;
}

HANDLER(POLL) {
    BEGIN(POLL);
    GO;
}

#define ADVANCE_HANDLER(ID) \
    HANDLER(ID) {           \
        BEGIN(ID);          \
        GO;                 \
    }
ADVANCE_HANDLER(ADVANCE_1)
ADVANCE_HANDLER(ADVANCE_2)
ADVANCE_HANDLER(ADVANCE_3)
ADVANCE_HANDLER(ADVANCE_4)
ADVANCE_HANDLER(ADVANCE)
#undef ADVANCE_HANDLER

static __attribute__((noinline)) const Instr *open_loop(STATE) {
    if (jr_interp_open(run->code, ip, fp)) JUMP_BY(b);
    NEXT;
}

/* A loop of a few rounds, either way, is not worth asking. */
HANDLER(OPEN) {
    const uint64_t distance = D(u) - C(u);
    if (distance + FEW_ROUNDS <= 2 * FEW_ROUNDS) NEXT;
    INSTEAD(open_loop, ip);
}

COLD const Instr *poll_strip(STATE) {
    run->status = run->code->helpers.poll(run->rt, place_where(run->code, ip));
    if (run->status) INSTEAD(unwind, ip);
    A(i) = B(i);
    JUMP_BY(d);
}

HANDLER(STRIP_NEXT) {
    if (B(i) == C(i)) NEXT;
    if (UNLIKELY(jr_rt_is_asked(run->rt))) INSTEAD(poll_strip, ip);
    A(i) = B(i);
    JUMP_BY(d);
}

static inline bool goes_to(const Instr *from, int32_t distance, const Instr *to) {
    return jump(from, distance) == to;
}

/* A loop of nothing else runs to its end, or to the end of an array, right here. */
#define DOT(m, ctype)                                                                       \
    {                                                                                       \
        const Instr *const back = ip + 4;                                                   \
        const ctype *const x = H(b)->data, *const y = H(c)->data;                           \
        const uint64_t nx = DIMS(b, 0), ny = DIMS(c, 0), end = nx < ny ? nx : ny;           \
        uint64_t i = D(u);                                                                  \
        if (UNLIKELY(i >= end)) NEXT;                                                       \
        if (UNLIKELY(back->handler != on_FOR_ONE || ip->d != back->a || ip->a == back->a || \
                     !goes_to(back, jump_FOR_ONE(back), ip))) {                             \
            A(m) = A(m) + x[i] * y[i];                                                      \
            ip = back;                                                                      \
            GO;                                                                             \
        }                                                                                   \
        const uint64_t hi = S(back->b)->u, stop = hi < end ? hi : end;                      \
        __typeof__(A(m)) sum = A(m);                                                        \
        do                                                                                  \
            sum = sum + x[i] * y[i];                                                        \
        while (++i < stop);                                                                 \
        A(m) = sum;                                                                         \
        D(u) = i - (i == hi);                                                               \
        if (i == hi) ip = back + 1;                                                         \
        GO;                                                                                 \
    }
HANDLER(DOT_D)
DOT(d, double_element)
HANDLER(DOT_I)
DOT(u, uint64_t_element)
#undef DOT

/* ---- Arrays ---- */

/* The index in slot c, wrapped and checked. */
#define FIX(i, axis, ndim)                                     \
    int64_t i = C(i);                                          \
    if (!IN_RANGE(i, b, axis)) {                               \
        i = jr_interp_fix_index(run, ip, H(b), axis, ndim, i); \
        if (UNLIKELY(run->status)) INSTEAD(unwind, ip);        \
    }

HANDLER(INDEX) {
    const unsigned axis = ip->d & 15, ndim = ip->d >> 4;
    FIX(i, axis, ndim)
    A(u) = (uint64_t)i * DIMS(b, ndim + axis);
    NEXT;
}

HANDLER(INDEX_NEXT) {
    const unsigned axis = ip->d & 15, ndim = ip->d >> 4;
    FIX(i, axis, ndim)
    A(u) += (uint64_t)i * DIMS(b, ndim + axis);
    NEXT;
}

HANDLER(HEADER) {
    __builtin_memmove(fp + ip->a, fp + ip->b, ip->c * sizeof(Slot));
    NEXT;
}

HANDLER(ASSIGN) {
    jr_interp_assign(run->code, H(a), H(b), ip->c);
    NEXT;
}

HANDLER(TRANSPOSE) {
    jr_interp_transpose(H(a), H(b), ip->c);
    NEXT;
}

HANDLER(EMPTY) {
    H(a)->owner = NULL;
    NEXT;
}

#define RECORD_HANDLER(ID, function)           \
    HANDLER(ID) {                              \
        TRY(function(run, ip, fp, RECORD(a))); \
    }
RECORD_HANDLER(ALLOC, jr_interp_alloc)
RECORD_HANDLER(VIEW, jr_interp_view)
RECORD_HANDLER(BROADCAST, jr_interp_broadcast)
RECORD_HANDLER(RESHAPE, jr_interp_reshape)
RECORD_HANDLER(RT, jr_interp_rt)
RECORD_HANDLER(HOST, jr_interp_host)
RECORD_HANDLER(PARALLEL, jr_interp_parallel)
#undef RECORD_HANDLER

HANDLER(RAISE) {
    TRY(jr_interp_raise(run, ip, RECORD(a)));
}

/* ---- Functions ---- */

HANDLER(ENTER) {
    const uint64_t *constant = run->code->constants + ip->c;
    Slot *to = S(ip->a);
    for (uint32_t n = 0; n < ip->b; n++)
        to[n].u = constant[n];
    NEXT;
}

#define LINK(fp) ((Slot *)(void *)(fp))[-1].site

COLD const Instr *call_slowly(STATE) {
    fp = jr_interp_make_room(run, fp, ip);
    if (run->status) INSTEAD(unwind, ip);
    fp += ip->b;
    LINK(fp) = ip;
    JUMP_BY(c);
}

/* A call also looks whether to stop (ir/rt.h). */
#define DO_JUMP(operand) \
    { JUMP_BY(a); }
#define MUST_STOP(callee)                               \
    UNLIKELY((size_t)(run->limit - (callee)) < ip->d || \
             jr_rt_stack_limit(run->rt) == JR_STACK_ALARM)
#define DO_CALL(operand)                                 \
    {                                                    \
        char *const callee = fp + ip->b;                 \
        if (MUST_STOP(callee)) INSTEAD(call_slowly, ip); \
        LINK(callee) = ip;                               \
        fp = callee;                                     \
        JUMP_BY(c);                                      \
    }
/* The caller's frame is most often as large as it was last time: where the next instructions find
 * their operands depends on the processor's guess, then, not on two loads. */
#define LEAVE_FRAME(usual)              \
    {                                   \
        size_t bytes = (usual);         \
        ip = LINK(fp);                  \
        if (UNLIKELY(ip->b != bytes)) { \
            __asm__("" : "+r"(bytes));  \
            bytes = ip->b;              \
        }                               \
        fp -= bytes;                    \
    }
#define DO_RETURN_ONE(operand)                \
    {                                         \
        const uint64_t result = (operand)->u; \
        LEAVE_FRAME(ip->b)                    \
        A(u) = result;                        \
        NEXT;                                 \
    }

HANDLER(CALL)
DO_CALL(S(ip->a))
HANDLER(CALL_MANY)
DO_CALL(S(ip->a))

HANDLER(LEAVE) {
    jr_interp_leave(run->code, ip, fp);
    NEXT;
}

HANDLER(RETURN_ONE)
DO_RETURN_ONE(S(ip->a))

HANDLER(RETURN_CONST) {
    const int64_t result = ip->k;
    LEAVE_FRAME(ip->b)
    A(i) = result;
    NEXT;
}

HANDLER(RETURN) {
    LEAVE_FRAME(ip->b)
    NEXT;
}

HANDLER(RETURN_MANY) {
    jr_interp_return(run->code, fp, RECORD(a));
    ip = LINK(fp);
    fp -= ip->b;
    NEXT;
}

HANDLER(EXIT) {
    return NULL;
}

/* ---- Fusions ---- */

#include "backend/interp/alike.h"
#include "backend/interp/fused.h"

/* ---- From outside ---- */

BcHandler *const jr_interp_handlers[BC_COUNT] = {
#define JB_VALUE(ID, text, operands, member, expr) on_##ID,
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) on_##ID,
#define JB_JUMP(ID, text, operands, target, condition) on_##ID,
#define JB_LOAD(ID, text, operands, check, ctype, member, index) on_##ID,
#define JB_STORE(ID, text, operands, check, ctype, value, index) on_##ID,
#define JB_SPECIAL(ID, text, operands) on_##ID,
#include "backend/interp/bytecode.def"
#define JB_FUSE_EVERY(FIRST, SECOND, via) on_##FIRST##_##SECOND##_##via,
#include "backend/interp/fuse.def"
};

int32_t jr_interp_run(Run *run, const Instr *ip) {
#ifdef RETURNING
    for (run->fp = run->stack; ip;)
        ip = ip->handler(ip, run->fp, run);
#else
    ip->handler(ip, run->stack, run);
#endif
    return run->status;
}

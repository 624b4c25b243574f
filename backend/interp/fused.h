/* The handlers of fusions, for run.c alone, which includes this where its own end: what each kind of row
 * in fuse.def becomes. */
#ifndef JR_INTERP_FUSED_H
#define JR_INTERP_FUSED_H

/* FIRST of a fusion that ends in a handler's own way. */
#define BEGIN_VIA(FIRST, via)                               \
    Slot *const prev __attribute__((unused)) = LAST(FIRST); \
    START(via, RUN, FIRST, NULL)                            \
    if (UNLIKELY(odd)) INSTEAD(slow, odd);                  \
    ip += LENGTH_##FIRST

/* Branches that something follows in the same handler: where the run goes on, and how it got there. */
typedef enum Way { WAY_ON, WAY_AWAY, WAY_ODD } Way;
#define BRANCH(ID)                                           \
    STEP const Instr *branch_##ID(const Instr *ip, char *fp, \
                                  Run *run __attribute__((unused)), Way *way)
#define BRANCH_END(ID, via)                                         \
    const bool away = test_##ID(run, ip, OPERANDS_##via(S(ip->a))); \
    *way = away ? WAY_AWAY : WAY_ON;                                \
    return away ? jump(ip, jump_##ID(ip)) : ip + 1;
#define JB_VALUE(ID, text, operands, member, expr)
#define JB_GUARD(ID, text, operands, trap, bad, member, expr)
#define JB_JUMP(ID, text, operands, target, condition) \
    BRANCH(ID) {                                       \
        BRANCH_END(ID, any)                            \
    }
#define JB_LOAD(ID, text, operands, check, ctype, member, index)
#define JB_STORE(ID, text, operands, check, ctype, value, index)
#define JB_SPECIAL(ID, text, operands)
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#define JB_FUSE_TEST(FIRST, SECOND, via)                        \
    BRANCH(FIRST##_##SECOND##_##via) {                          \
        Slot *const prev __attribute__((unused)) = LAST(FIRST); \
        START(via, RUN, FIRST, NULL)                            \
        if (UNLIKELY(odd)) {                                    \
            *way = WAY_ODD;                                     \
            return odd;                                         \
        }                                                       \
        ip += LENGTH_##FIRST;                                   \
        BRANCH_END(SECOND, via)                                 \
    }
#include "backend/interp/fuse.def"
/* Two elements of one array change places; both have been loaded into slots, too. */
#define JB_FUSE_EXCHANGE(LOADS, STORES, LOAD, ctype, m)                     \
    BRANCH(LOADS##_##STORES##_exchange) {                                   \
        Slot *const array = S(ip->b), p = *S(ip->c), q = *S(ip[1].c), x, y; \
        *way = WAY_ODD;                                                     \
        if (UNLIKELY(!do_##LOAD(run, ip, &x, array, &p, NULL) ||            \
                     !do_##LOAD(run, ip + 1, &y, array, &q, NULL)))         \
            return ip;                                                      \
        ctype *const data = frame_header(fp, ip->b)->data;                  \
        *S(ip->a) = x;                                                      \
        *S(ip[1].a) = y;                                                    \
        data[p.u] = y.m;                                                    \
        data[q.u] = x.m;                                                    \
        *way = WAY_ON;                                                      \
        return ip + 4;                                                      \
    }                                                                       \
    HANDLER(LOADS##_##STORES##_exchange) {                                  \
        Way way;                                                            \
        ip = branch_##LOADS##_##STORES##_exchange(ip, fp, run, &way);       \
        if (UNLIKELY(way == WAY_ODD)) INSTEAD(slow, ip);                    \
        GO;                                                                 \
    }
#include "backend/interp/fuse.def"

#define JB_FUSE(FIRST, SECOND, via)      \
    HANDLER(FIRST##_##SECOND##_##via) {  \
        BEGIN(FIRST##_##SECOND##_##via); \
        GO;                              \
    }
#define JB_FUSE_TEST(FIRST, SECOND, via) \
    HANDLER(FIRST##_##SECOND##_##via) {  \
        BEGIN_VIA(FIRST, via);           \
        TEST(SECOND, via)                \
    }
#define JB_FUSE_THEN(ONE, TWO, via)                      \
    HANDLER(ONE##_##TWO##_##via) {                       \
        Way way;                                         \
        ip = branch_##ONE(ip, fp, run, &way);            \
        if (UNLIKELY(way == WAY_ODD)) INSTEAD(slow, ip); \
        if (way == WAY_AWAY) GO;                         \
        ip = branch_##TWO(ip, fp, run, &way);            \
        if (UNLIKELY(way == WAY_ODD)) INSTEAD(slow, ip); \
        GO;                                              \
    }

enum { LONG = 1024 }; /* rounds between two looks whether to stop */
/* The streams of the loop that begins at ip, at the round that `count` counts to; `else_` is what to
 * do when an index is not in range now. */
#define STREAMS(FIRST, count, add, end)                                     \
    Stream streams[STREAMS_##FIRST + 1], *const stream UNUSED = streams;    \
    Rounds rounds = {.counter = count, .by = add, .left = (uint64_t)(end)}; \
    const bool opened = start_##FIRST(streams, &rounds, ip, fp, run);
/* One instruction after the other. */
#define SINGLY(FIRST, SECOND, via) \
    {                              \
        BEGIN_VIA(FIRST, via);     \
        TEST(SECOND, via)          \
    }
#define ROUNDS(FIRST, result, done, ...)                                             \
    do {                                                                             \
        const Carried carried = {__VA_ARGS__};                                       \
        const Instr *const odd =                                                     \
            round_##FIRST(ip, fp, run, result, PREV(FIRST), NULL, streams, carried); \
        done;                                                                        \
        if (UNLIKELY(odd)) INSTEAD(slow, odd);                                       \
        i++;                                                                         \
        if (VALUES_##FIRST) rounds.counter->u = i;                                   \
    } while (--rounds.left)
/* What the last instruction adds to (`s += ...`) is handed on to the next round in a register, and
 * so is what the first one begins with, in a loop of arithmetic alone (x = x * a + ...). Other
 * instructions find it in its slot. */
#define CARRYING(FIRST, ...)                                 \
    {                                                        \
        Slot carry = *result;                                \
        ROUNDS(FIRST, &carry, *result = carry, __VA_ARGS__); \
    }
#define JB_FUSE_LOOP(FIRST, SECOND, via)                                       \
    HANDLER(FIRST##_##SECOND##_##via) {                                        \
        const Instr *const back = ip + LENGTH_##FIRST, *const last = back - 1; \
        const bool rings = STREAMS_##FIRST == 0 && LENGTH_##FIRST > 1;         \
        STREAMS(FIRST, S(back->a), 1, S(back->b)->u - S(back->a)->u)           \
        if (UNLIKELY(!opened)) SINGLY(FIRST, SECOND, any)                      \
        uint64_t i = rounds.counter->u;                                        \
        Slot *const result = S(last->a);                                       \
        if (!WRITES_##FIRST)                                                   \
            ROUNDS(FIRST, result, , .last_b = NULL);                           \
        else if (rings && ip->b == last->a && last->d == last->a)              \
            CARRYING(FIRST, .first_b = &carry, .last_d = &carry)               \
        else if (rings && ip->b == last->a)                                    \
            CARRYING(FIRST, .first_b = &carry)                                 \
        else if (rings && ip->c == last->a && last->d == last->a)              \
            CARRYING(FIRST, .first_c = &carry, .last_d = &carry)               \
        else if (rings && ip->c == last->a)                                    \
            CARRYING(FIRST, .first_c = &carry)                                 \
        else if (last->b == last->a)                                           \
            CARRYING(FIRST, .last_b = &carry)                                  \
        else if (last->d == last->a)                                           \
            CARRYING(FIRST, .last_d = &carry)                                  \
        else                                                                   \
            ROUNDS(FIRST, result, , .last_b = NULL);                           \
        rounds.counter->u = i - 1;                                             \
        ip = back;                                                             \
        TEST(SECOND, any)                                                      \
    }
/* FIRST and SECOND begin a loop; where SECOND branches to, the loop goes on. */
#define JB_FUSE_FILTER(FIRST, SECOND, via)                                    \
    HANDLER(FIRST##_##SECOND##_##via) {                                       \
        const Instr *const branch = ip + LENGTH_##FIRST;                      \
        const Instr *const end = jump(branch, jump_##SECOND(branch));         \
        const bool polls = end->handler != on_FOR_ONE;                        \
        const Instr *const back = end + polls;                                \
        STREAMS(FIRST, S(back->a), 1, S(back->b)->u - S(back->a)->u)          \
        if (UNLIKELY(!opened)) SINGLY(FIRST, SECOND, via)                     \
        if (polls) limit_rounds(&rounds, LONG);                               \
        uint64_t i = rounds.counter->u;                                       \
        for (;; i++) {                                                        \
            const Instr *const head = ip;                                     \
            const Carried carried = {.first_b = NULL};                        \
            Slot *const prev UNUSED = LAST(FIRST);                            \
            if (VALUES_##FIRST) rounds.counter->u = i;                        \
            START(via, ROUND, FIRST, NULL)                                    \
            if (UNLIKELY(odd)) INSTEAD(slow, odd);                            \
            ip = branch;                                                      \
            const bool on = test_##SECOND(run, ip, OPERANDS_##via(S(ip->a))); \
            if (on && --rounds.left) {                                        \
                ip = head;                                                    \
                continue;                                                     \
            }                                                                 \
            rounds.counter->u = i;                                            \
            if (!on) NEXT;                                                    \
            ip = end;                                                         \
            GO;                                                               \
        }                                                                     \
    }
/* while x[i] < limit: i += 1, from the test in front of the loop on. Most searches are short, and how
 * short nobody can guess: so AHEAD elements are looked at together, without a branch for each. Where
 * that finds nothing the search goes on by rounds. */
enum { AHEAD = 4 };
#define FOUND_AT(rounds)                                           \
    do {                                                           \
        S(head->c)->u += (uint64_t)(rounds) * (uint64_t)head[2].k; \
        JUMP_BY(c);                                                \
    } while (0)
#define ENDS(SECOND, via) test_##SECOND(run, ip, OPERANDS_##via(S(ip->a)))
#define STEP_AND_END(FIRST, SECOND, via)                                                   \
    (step_##FIRST(&stream, (Carried){.first_b = NULL}, run, head, &one, NULL, NULL, NULL), \
     ENDS(SECOND, via))
#define JB_FUSE_SEARCH(FIRST, SECOND, via)                                                 \
    static __attribute__((noinline)) const Instr *long_##FIRST##_##SECOND##_##via(STATE) { \
        const Instr *const head = ip;                                                      \
        Slot one;                                                                          \
        do {                                                                               \
            Stream stream;                                                                 \
            Rounds rounds = {.counter = S(head->c), .by = head[2].k, .left = LONG};        \
            ip = head;                                                                     \
            if (UNLIKELY(!start_##FIRST(&stream, &rounds, ip, fp, run))) break;            \
            ip++;                                                                          \
            uint64_t n = 0;                                                                \
            for (; LIKELY(n + AHEAD <= rounds.left); n += AHEAD) {                         \
                uint32_t found = 0;                                                        \
                for (uint32_t k = 0; k < AHEAD; k++)                                       \
                    found |= (uint32_t)STEP_AND_END(FIRST, SECOND, via) << k;              \
                if (found) FOUND_AT(n + (uint64_t)__builtin_ctz(found));                   \
            }                                                                              \
            for (; n < rounds.left; n++)                                                   \
                if (STEP_AND_END(FIRST, SECOND, via)) FOUND_AT(n);                         \
            S(head->c)->u += n * (uint64_t)rounds.by;                                      \
        } while (do_POLL(run, ip, NULL, NULL, NULL, NULL));                                \
        ip = head;                                                                         \
        SINGLY(FIRST, SECOND, via)                                                         \
    }                                                                                      \
    HANDLER(FIRST##_##SECOND##_##via) {                                                    \
        const Instr *const head = ip++;                                                    \
        Slot index = *S(head->c), one;                                                     \
        uint32_t found = 0;                                                                \
        bool in = true;                                                                    \
        for (uint32_t k = 0; in && k < AHEAD; k++) {                                       \
            in = do_##FIRST(run, head, &one, S(head->b), &index, NULL);                    \
            if (in) found |= (uint32_t)ENDS(SECOND, via) << k;                             \
            index.u += (uint64_t)head[2].k;                                                \
        }                                                                                  \
        if (UNLIKELY(!found)) INSTEAD(long_##FIRST##_##SECOND##_##via, head);              \
        FOUND_AT(__builtin_ctz(found));                                                    \
    }
/* while x != 1: x = ...; n += 1. Both stay in registers from round to round. */
#define GOES_ON_ne(x, limit) ((x) != (limit))
#define GOES_ON_gt(x, limit) ((x) > (limit))
#define JB_FUSE_REPEAT(FIRST, SECOND, via)                                       \
    HANDLER(FIRST##_##SECOND##_##via) {                                          \
        const Instr *const add = ip + LENGTH_##FIRST, *const poll = add + 1,     \
                           *const back = add + 2;                                \
        Stream none[1], *const streams UNUSED = none;                            \
        Slot x = *S(back->a);                                                    \
        const Carried carried = {.first_b = &x, .every_b = &x};                  \
        uint64_t count = S(add->a)->u;                                           \
        uint32_t left = LONG;                                                    \
        bool on;                                                                 \
        do {                                                                     \
            round_##FIRST(ip, fp, run, &x, PREV(FIRST), NULL, streams, carried); \
            count += (uint64_t)add->k;                                           \
            on = GOES_ON_##via(x.i, back->k);                                    \
        } while (on && --left);                                                  \
        *S(back->a) = x;                                                         \
        S(add->a)->u = count;                                                    \
        ip = on ? poll : back + 1;                                               \
        GO;                                                                      \
    }
/* while y != 0: x, y = y, x % y. All stay in registers from round to round. */
#define JB_FUSE_TURN(FIRST, OP)                                                     \
    HANDLER(FIRST##_JNE_K_turn) {                                                   \
        const Instr *const op = ip + 1, *const poll = ip + 3, *const back = ip + 4; \
        Slot x = *S(op->b), y = *S(op->c), z;                                       \
        uint32_t left = LONG;                                                       \
        bool done, on = true;                                                       \
        do {                                                                        \
            done = do_##OP(run, op, &z, &x, &y, NULL);                              \
            if (UNLIKELY(!done)) break;                                             \
            x = y;                                                                  \
            y = z;                                                                  \
            on = y.i != back->k;                                                    \
        } while (on && --left);                                                     \
        *S(op->b) = x;                                                              \
        *S(op->c) = y;                                                              \
        *S(ip->a) = done ? x : y;                                                   \
        if (UNLIKELY(!done)) INSTEAD(slow, op);                                     \
        ip = on ? poll : back + 1;                                                  \
        GO;                                                                         \
    }
/* x < LOW or x > HIGH in one branch, so that there is one guess; the two go to where the second one goes if x is `in`. */
#define JB_FUSE_BETWEEN(ONE, TWO, LOW, HIGH, in)                                     \
    HANDLER(ONE##_##TWO##_between) {                                                 \
        const uint64_t low = (uint64_t)ip[LOW].k, span = (uint64_t)ip[HIGH].k - low; \
        const bool within = S(ip->a)->u - low <= span;                               \
        ip++;                                                                        \
        if (within == in) JUMP_BY(b);                                                \
        NEXT;                                                                        \
    }
#define JB_FUSE_ONTO(FIRST)                  \
    HANDLER(FIRST##_JUMP_any_FOR_ONE_onto) { \
        BEGIN_VIA(FIRST, any);               \
        ip = jump(ip, (int32_t)ip->a);       \
        TEST(FOR_ONE, any)                   \
    }
/* The branch, and what stands behind it: a copy and a jump. */
#define ARM(ID)                                                    \
    do {                                                           \
        if (test_##ID(run, ip, OPERANDS_xa(S(ip->a)))) JUMP_BY(b); \
        *S(ip[1].a) = *kept;                                       \
        ip += 2;                                                   \
        JUMP_BY(a);                                                \
    } while (0)
#define JB_FUSE_ARM(FIRST, SECOND, via) \
    HANDLER(FIRST##_##SECOND##_##via) { \
        BEGIN_VIA(FIRST, via);          \
        ARM(SECOND);                    \
    }
/* f(x) where f begins with `if x < 2: return x`, or what else x is compared with: a call that ends there
 * is over at once, and needs no room on the stack. */
#define CALL_GUARDED(GUARD)                                     \
    do {                                                        \
        const Instr *const guard = jump(ip, (int32_t)ip->c);    \
        if (test_##GUARD(run, guard, kept, NULL, NULL, NULL)) { \
            char *const callee = fp + ip->b;                    \
            if (MUST_STOP(callee)) INSTEAD(call_slowly, ip);    \
            LINK(callee) = ip;                                  \
            fp = callee;                                        \
            ip = jump(guard, jump_##GUARD(guard));              \
            GO;                                                 \
        }                                                       \
        *S(ip->a) = *kept;                                      \
        NEXT;                                                   \
    } while (0)
/* The value is handed on, and its slot written too. */
#define KEEP(FIRST)                                                             \
    Slot value, *const kept = &value;                                           \
    const Instr *const odd = run_##FIRST(ip, fp, run, kept, PREV(FIRST), NULL); \
    if (UNLIKELY(odd)) INSTEAD(slow, odd);                                      \
    *LAST(FIRST) = *kept;                                                       \
    ip += LENGTH_##FIRST
#define JB_FUSE_INTO(FIRST, GUARD)                            \
    HANDLER(FIRST##_CALL_any_##GUARD##_RETURN_ONE_any_into) { \
        KEEP(FIRST);                                          \
        CALL_GUARDED(GUARD);                                  \
    }
/* An arm, and from where its branch goes to an ADD_K of the same value, and what follows that. */
#define KEEP_ON(ID)                                   \
    KEEP(ADD_K);                                      \
    if (!test_##ID(run, ip, OPERANDS_xa(S(ip->a)))) { \
        *S(ip[1].a) = *kept;                          \
        ip += 2;                                      \
        JUMP_BY(a);                                   \
    }                                                 \
    ip = jump(ip, (int32_t)ip->b);                    \
    kept->u += (uint64_t)ip->k;                       \
    *S(ip->a) = *kept;                                \
    ip++
#define JB_FUSE_ARMS(ID)                          \
    HANDLER(ADD_K_##ID##_xa_ADD_K_##ID##_xa_on) { \
        KEEP_ON(ID);                              \
        ARM(ID);                                  \
    }
#define JB_FUSE_ARM_INTO(ID)                                                \
    HANDLER(ADD_K_##ID##_xa_ADD_K_CALL_any_##ID##_RETURN_ONE_any_into_on) { \
        KEEP_ON(ID);                                                        \
        CALL_GUARDED(ID);                                                   \
    }
#define OPERAND_any S(ip->a)
#define OPERAND_a &one
#define JB_FUSE_SPECIAL(FIRST, SECOND, via) \
    HANDLER(FIRST##_##SECOND##_##via) {     \
        BEGIN_VIA(FIRST, via);              \
        DO_##SECOND(OPERAND_##via)          \
    }
#define JB_FUSE_GUARD(FIRST, SECOND, via)                      \
    HANDLER(FIRST##_##SECOND##_##via) {                        \
        if (test_##FIRST(run, ip, OPERANDS_##via(S(ip->a)))) { \
            ip = jump(ip, jump_##FIRST(ip));                   \
            GO;                                                \
        }                                                      \
        ip++;                                                  \
        DO_##SECOND(OPERAND_##via)                             \
    }
/* While the index is plainly in range the loop runs right here; what else comes (an index that
 * wraps or raises, the loop's last round) is left to the single steps. */
#define JB_FUSE_FILL(STORE, FOR, ctype, source, bound, step)                  \
    HANDLER(STORE##_##FOR##_any) {                                            \
        const Instr *const back = ip + 1;                                     \
        if (LIKELY(goes_to(back, jump_##FOR(back), ip) && ip->b == back->a && \
                   ip->c != back->a)) {                                       \
            const uint64_t limit = bound, hi = S(back->b)->u, by = step;      \
            const ctype value = (ctype)(source);                              \
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

#endif

/* An iteration of a prange loop that draws has a stream of its own (runtime/rt/random.h), which the runtime
 * keeps between RANDOM_ENTER and RANDOM_LEAVE. Putting it in place and asking for each number costs
 * more than the numbers, and no loop with calls in it is vectorised. But all that a stream is are three
 * numbers, the loop's key, the iteration and how many blocks were drawn, and a block is a function of these:
 *
 *     for %i = ... {                            %key = rt random_key 0
 *       rt random_enter %i                      for %i = ... {
 *       %x = rt random_random                     %x, %y = call philox(%key, %i, 0)
 *       %y = rt random_random            ->       ...
 *       ...                                     }
 *       rt random_leave
 *     }
 *
 * A block holds two floats. Where all draws of a loop's body stand in a row it is known which of them
 * each one is; where one is under an `if` or in an inner loop, variables count the blocks and keep the float
 * that is left of one. Loops whose draws do not all give floats, or that call functions which draw, stay as
 * they are: then the stream has to be where the runtime finds it. */
#include "ir/draws.h"

#include <string.h>

enum {
    KINDS = 2,           /* random and np.random, numbered as the runtime does */
    ROUNDS = 10,         /* of Philox4x32-10 */
    MOST_INLINE = 6,     /* sites in a module for which engines are to inline the generator */
    LARGEST_DEPTH = 100, /* of calls that are looked through */
};

typedef struct Draws {
    IrModule *module;
    IrFunc *philox; /* made when it is first wanted */
    uint32_t sites; /* calls of it */
} Draws;

/* The streams of one loop. */
typedef struct Loop {
    Draws *draws;
    IrFunc *func;
    IrReg iteration; /* as uint64 */
    struct {
        bool drawn, nested; /* from, in the body; below its top level */
        IrReg key;
        uint64_t blocks;        /* in a row: made so far */
        IrReg left;             /* in a row: the float left of the last one, or IR_NO_REG */
        IrReg next, has, spare; /* not in a row: variables for these */
    } kind[KINDS];
} Loop;

static IrType type_of(IrScalar scalar) {
    return ir_scalar(scalar);
}

/* ---- What a loop's body does ---- */

/* From which stream a statement draws one float, or -1. */
static int draws_float(const IrStmt *stmt) {
    if (stmt->op != OP_RT) return -1;
    switch (stmt->u.rt) {
    case RT_RANDOM_RANDOM:
    case RT_RANDOM_UNIFORM: return 0;
    case RT_NP_RANDOM_RANDOM:
    case RT_NP_RANDOM_UNIFORM: return 1;
    default: return -1;
    }
}

static bool is_random(IrRtCall call) {
    return strstr(ir_rt_name(call), "random_") != NULL;
}

/* Whether running the block may need a stream, or make one: a host function may run any kernel. */
static bool touches_streams(const IrBlock *block, int depth) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op == OP_RT && is_random(stmt->u.rt)) return true;
        if (stmt->op == OP_CALL || stmt->op == OP_PARALLEL)
            if (depth == 0 || stmt->u.callee->host ||
                touches_streams(&stmt->u.callee->body, depth - 1))
                return true;
        if (ir_stmt_is_nested(stmt) && (touches_streams(&stmt->u.blocks.then, depth) ||
                                        touches_streams(&stmt->u.blocks.els, depth)))
            return true;
    }
    return false;
}

/* Whether the body draws floats and no more; notes which streams from, and where. */
static bool find_draws(Loop *loop, const IrBlock *block, bool top) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        int kind = draws_float(stmt);
        if (kind >= 0) {
            loop->kind[kind].drawn = true;
            loop->kind[kind].nested |= !top;
        } else if (stmt->op == OP_RT) {
            bool frame =
                stmt->u.rt == RT_RANDOM_LEAVE || (stmt->u.rt == RT_RANDOM_ENTER && top);
            if (is_random(stmt->u.rt) && !frame) return false;
        } else if (stmt->op == OP_CALL || stmt->op == OP_PARALLEL) {
            if (stmt->u.callee->host || touches_streams(&stmt->u.callee->body, LARGEST_DEPTH))
                return false;
        } else if (ir_stmt_is_nested(stmt) &&
                   (!find_draws(loop, &stmt->u.blocks.then, false) ||
                    !find_draws(loop, &stmt->u.blocks.els, false))) {
            return false;
        }
    }
    return true;
}

/* The statement that begins an iteration's stream, or NULL. */
static IrStmt *entered(const IrStmt *loop) {
    for (IrStmt *stmt = loop->u.blocks.then.first; stmt; stmt = stmt->next)
        if (stmt->op == OP_RT && stmt->u.rt == RT_RANDOM_ENTER) return stmt;
    return NULL;
}

/* ---- The generator ---- */

static IrReg word(IrBuilder *b, uint64_t value) {
    return ir_const(b->func, TY_UINT64, (IrConst){.u = value});
}

static IrReg op(IrBuilder *b, IrOp code, IrReg x, IrReg y) {
    return ir_build_binary(b, code, type_of(TY_UINT64), x, y);
}

static IrReg low_half(IrBuilder *b, IrReg x) {
    return op(b, OP_AND, x, word(b, UINT32_MAX));
}

static IrReg high_half(IrBuilder *b, IrReg x) {
    return op(b, OP_SHR, x, word(b, 32));
}

/* Words of 32 bits in registers of 64, as jr_philox_block has it. */
static void build_round(IrBuilder *b, IrReg c[4], const IrReg key[2]) {
    IrReg p0 = op(b, OP_MUL, c[0], word(b, 0xd2511f53u));
    IrReg p1 = op(b, OP_MUL, c[2], word(b, 0xcd9e8d57u));
    IrReg next0 = op(b, OP_XOR, op(b, OP_XOR, high_half(b, p1), c[1]), key[0]);
    IrReg next2 = op(b, OP_XOR, op(b, OP_XOR, high_half(b, p0), c[3]), key[1]);
    c[1] = low_half(b, p1);
    c[3] = low_half(b, p0);
    c[0] = next0;
    c[2] = next2;
}

/* A float of 53 bits from two words, as jr_random_double has it: 27 of one and 26 of the other. */
static IrReg build_float(IrBuilder *b, IrReg high, IrReg low) {
    IrReg bits = op(b, OP_SHL, op(b, OP_SHR, high, word(b, 5)), word(b, 26));
    bits = op(b, OP_OR, bits, op(b, OP_SHR, low, word(b, 6)));
    IrReg whole = ir_build_cast(b, TY_FLOAT64, ir_build_cast(b, TY_INT64, bits));
    return ir_build_binary(b, OP_MUL, type_of(TY_FLOAT64), whole,
                           ir_const_float(b->func, TY_FLOAT64, 0x1p-53));
}

/* philox(key, stream, block) -> the two floats of this block */
static IrFunc *philox(Draws *draws, JrSpan span) {
    if (draws->philox) return draws->philox;
    IrFunc *func = ir_func_new(draws->module, "philox.draws", "random");
    IrBuilder b = {.func = func, .block = &func->body, .span = span};
    func->span = span;
    IrReg key = ir_param(func, type_of(TY_UINT64), "key");
    IrReg stream = ir_param(func, type_of(TY_UINT64), "stream");
    IrReg block = ir_param(func, type_of(TY_UINT64), "block");
    func->nrets = 2;
    func->rets = JR_NEW_ARRAY(draws->module->arena, IrType, 2);
    func->rets[0] = func->rets[1] = type_of(TY_FLOAT64);
    IrReg keys[] = {low_half(&b, key), high_half(&b, key)};
    IrReg c[] = {low_half(&b, block), high_half(&b, block), low_half(&b, stream),
                 high_half(&b, stream)};
    for (int round = 0; round < ROUNDS; round++) {
        build_round(&b, c, keys);
        keys[0] = low_half(&b, op(&b, OP_ADD, keys[0], word(&b, 0x9e3779b9u)));
        keys[1] = low_half(&b, op(&b, OP_ADD, keys[1], word(&b, 0xbb67ae85u)));
    }
    IrReg floats[] = {build_float(&b, c[0], c[1]), build_float(&b, c[2], c[3])};
    ir_build_return(&b, 2, floats);
    return draws->philox = func;
}

static void build_call(IrBuilder *b, Loop *loop, int kind, IrReg block, IrReg floats[2]) {
    IrReg args[] = {loop->kind[kind].key, loop->iteration, block};
    ir_build_call(b, philox(loop->draws, b->span), 2, floats, 3, args);
    loop->draws->sites++;
}

/* ---- Draws ---- */

static void insert_all(IrBlock *block, IrStmt *at, IrBlock *made) {
    for (IrStmt *stmt = made->first, *next; stmt; stmt = next) {
        next = stmt->next;
        stmt->prev = stmt->next = NULL;
        ir_block_insert_before(block, at, stmt);
    }
}

static IrReg draw_in_a_row(IrBuilder *b, Loop *loop, int kind) {
    IrReg left = loop->kind[kind].left, floats[2];
    loop->kind[kind].left = IR_NO_REG;
    if (left != IR_NO_REG) return left;
    for (int i = 0; i < 2; i++)
        floats[i] = ir_temp(b->func, type_of(TY_FLOAT64));
    build_call(b, loop, kind, word(b, loop->kind[kind].blocks++), floats);
    loop->kind[kind].left = floats[1];
    return floats[0];
}

static IrReg draw_counted(IrBuilder *b, Loop *loop, int kind) {
    IrReg next = loop->kind[kind].next, has = loop->kind[kind].has;
    IrReg drawn = ir_var(b->func, type_of(TY_FLOAT64), NULL);
    IrReg floats[] = {drawn, loop->kind[kind].spare};
    IrStmt *branch = ir_build_if(b, has);
    IrBlock *outer = b->block;
    b->block = &branch->u.blocks.then;
    ir_build_copy(b, drawn, loop->kind[kind].spare);
    ir_build_copy(b, has, ir_const_int(b->func, TY_BOOL, 0));
    b->block = &branch->u.blocks.els;
    build_call(b, loop, kind, next, floats);
    ir_build_copy(b, next, op(b, OP_ADD, next, word(b, 1)));
    ir_build_copy(b, has, ir_const_int(b->func, TY_BOOL, 1));
    b->block = outer;
    return drawn;
}

/* In front of the statement, instead of it. */
static void replace_draw(Loop *loop, IrBlock *block, IrStmt *stmt, int kind) {
    IrBlock made = {0};
    IrBuilder b = {.func = loop->func, .block = &made, .span = stmt->span};
    IrReg drawn =
        loop->kind[kind].nested ? draw_counted(&b, loop, kind) : draw_in_a_row(&b, loop, kind);
    if (stmt->nargs == 2) { /* uniform: low + (high - low) * drawn */
        IrType type = type_of(TY_FLOAT64);
        IrReg width = ir_build_binary(&b, OP_SUB, type, stmt->args[1], stmt->args[0]);
        drawn = ir_build_binary(&b, OP_MUL, type, width, drawn);
        drawn = ir_build_binary(&b, OP_ADD, type, stmt->args[0], drawn);
    }
    if (stmt->ndsts) ir_build_copy(&b, stmt->dsts[0], drawn);
    insert_all(block, stmt, &made);
    ir_block_remove(block, stmt);
}

static void replace_draws(Loop *loop, IrBlock *block) {
    for (IrStmt *stmt = block->first, *next; stmt; stmt = next) {
        next = stmt->next;
        int kind = draws_float(stmt);
        if (kind >= 0)
            replace_draw(loop, block, stmt, kind);
        else if (stmt->op == OP_RT && stmt->u.rt == RT_RANDOM_LEAVE)
            ir_block_remove(block, stmt);
        if (!ir_stmt_is_nested(stmt)) continue;
        replace_draws(loop, &stmt->u.blocks.then);
        replace_draws(loop, &stmt->u.blocks.els);
    }
}

/* ---- Loops ---- */

/* What an iteration starts with, in the place of RANDOM_ENTER. */
static void start_iteration(Loop *loop, IrBlock *body, IrStmt *enter) {
    IrBlock made = {0};
    IrBuilder b = {.func = loop->func, .block = &made, .span = enter->span};
    loop->iteration = ir_build_cast(&b, TY_UINT64, enter->args[0]);
    for (int kind = 0; kind < KINDS; kind++) {
        if (!loop->kind[kind].nested) continue;
        loop->kind[kind].next = ir_var(b.func, type_of(TY_UINT64), NULL);
        loop->kind[kind].has = ir_var(b.func, type_of(TY_BOOL), NULL);
        loop->kind[kind].spare = ir_var(b.func, type_of(TY_FLOAT64), NULL);
        ir_build_copy(&b, loop->kind[kind].next, word(&b, 0));
        ir_build_copy(&b, loop->kind[kind].has, ir_const_int(b.func, TY_BOOL, 0));
    }
    insert_all(body, enter, &made);
    ir_block_remove(body, enter);
}

static void fetch_keys(Loop *loop, IrBlock *home, IrStmt *stmt) {
    IrBlock made = {0};
    IrBuilder b = {.func = loop->func, .block = &made, .span = stmt->span};
    for (int kind = 0; kind < KINDS; kind++) {
        if (!loop->kind[kind].drawn) continue;
        IrReg which = ir_const_int(b.func, TY_INT64, kind);
        loop->kind[kind].key = ir_temp(b.func, type_of(TY_UINT64));
        ir_build_rt(&b, RT_RANDOM_KEY, 1, &loop->kind[kind].key, 1, &which);
    }
    insert_all(home, stmt, &made);
}

static void convert_loop(Draws *draws, IrFunc *func, IrBlock *home, IrStmt *stmt) {
    Loop loop = {.draws = draws, .func = func};
    IrStmt *enter = entered(stmt);
    if (!enter || !find_draws(&loop, &stmt->u.blocks.then, true)) return;
    for (int kind = 0; kind < KINDS; kind++)
        loop.kind[kind].left = IR_NO_REG;
    fetch_keys(&loop, home, stmt);
    start_iteration(&loop, &stmt->u.blocks.then, enter);
    replace_draws(&loop, &stmt->u.blocks.then);
}

static void convert_block(Draws *draws, IrFunc *func, IrBlock *block) {
    for (IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (!ir_stmt_is_nested(stmt)) continue;
        if (stmt->op == OP_FOR) convert_loop(draws, func, block, stmt);
        convert_block(draws, func, &stmt->u.blocks.then);
        convert_block(draws, func, &stmt->u.blocks.els);
    }
}

void ir_draw_inline(IrModule *module) {
    Draws draws = {.module = module};
    uint32_t count = module->funcs.len; /* the generator is added at the end */
    for (uint32_t i = 0; i < count; i++)
        convert_block(&draws, module->funcs.data[i], &module->funcs.data[i]->body);
    if (draws.philox) draws.philox->inlined = draws.sites <= MOST_INLINE;
}

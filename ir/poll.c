/* A look at the flag costs a load and a comparison, and in machine code the loop's vector form:
 * a loop that may leave at any iteration cannot be vectorised. So an innermost counted loop
 * runs in strips and looks once behind each (IrStmt.strip; the engines make the strips):
 *
 *     for strip 8192 %i = 0, %n, 1 {        8,192 iterations, then poll, then on
 *       ...
 *
 * A strip still costs the machine code some: what could be moved in front of the loops around,
 * such as a test that two arrays do not overlap, now depends on the strip. So a quick pass over
 * an array is marked, which an engine may leave whole: it takes no longer than memory takes. A
 * pass by rows has strips of a few rows, since rows that are shorter than a strip never look.
 *
 * Where the step is a variable, or large, only a pass has strips, of IR_ANY_STRIP iterations.
 *
 * A loop that ir/jam/ has made is over soon enough not to look at all: the loop around it looks.
 *
 * Loops around others, `while` loops, and what cannot be cut into strips look once per
 * iteration, in a POLL at the top. A `while` loop that is a pass is marked as well: inside another
 * loop, which looks, an engine may leave it whole. A loop with so few iterations that it is over in
 * microseconds needs nothing, and counts as the statements it runs. Recursion is a loop too:
 * the check of the stack on entry serves for it (ir/rt.h). */
#include "ir/poll.h"

enum {
    BETWEEN = 1 << 15, /* statements that may run between two looks: some ten microseconds */
    SHORTEST_STRIP = 8,
    PASS_STRIP =
        4096, /* of a pass, at most: each element may be on a page that is still to be made */
    WHOLE_VECTORS = 64, /* strips of a multiple of this leave no rest after vector loops */
    ROWS = 16,          /* of a pass, each of which may end just before its own first look */
    LARGEST_STEP = 1 << 15,
    LONGEST_PASS = 32, /* statements for each element */
    DEEPEST_SUM = 4,
    CALL_COST = LONGEST_PASS + 1, /* of a callee, whose own loops look for themselves */
};

/* What running a block once comes to. */
typedef struct Weight {
    uint64_t cost; /* statements between looks */
    bool looks;    /* has a loop that may run for long */
    bool passes;   /* ... and each such loop is a pass */
} Weight;

static Weight weigh_block(IrFunc *func, IrBlock *block);

static Weight heavier(Weight a, Weight b) {
    return (Weight){a.cost > b.cost ? a.cost : b.cost, a.looks || b.looks, false};
}

/* Takes time in proportion to an array's size. */
static bool is_bulk(const IrFunc *func, const IrStmt *stmt) {
    if (stmt->op == OP_ALLOC) return true;
    for (uint32_t i = 0; stmt->op == OP_RT && i < stmt->nargs; i++)
        if (ir_reg_type(func, stmt->args[i]).ndim) return true;
    return false;
}

static bool known_int(const IrFunc *func, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(func, reg);
    *value = info->value.i;
    return info->kind == REG_CONST;
}

/* How often the loop runs, if its bounds are constants and that is not often. */
static bool few_trips(const IrFunc *func, const IrStmt *loop, uint64_t *trips) {
    int64_t lo, hi, step;
    if (!known_int(func, loop->args[0], &lo) || !known_int(func, loop->args[1], &hi) ||
        !known_int(func, loop->args[2], &step))
        return false;
    __int128 distance = step > 0 ? (__int128)hi - lo : (__int128)lo - hi;
    __int128 by = step > 0 ? step : -(__int128)step;
    if (by == 0 || distance <= 0) return *trips = 0, true;
    if ((distance - 1) / by >= BETWEEN) return false;
    return *trips = (uint64_t)((distance - 1) / by + 1), true;
}

static void add_poll(IrFunc *func, IrBlock *block, JrSpan span) {
    IrBlock fresh = {0};
    IrBuilder b = {.func = func, .block = &fresh, .span = span};
    IrStmt *poll = ir_build(&b, OP_POLL, 0, NULL, 0, NULL);
    ir_block_insert_before(block, block->first, poll);
}

/* ---- Passes ---- */

/* Whether the register is a sum or product of the counter and other things. */
static bool follows(const IrFunc *func, IrReg reg, IrReg counter, int depth) {
    if (reg == counter) return true;
    const IrStmt *def = ir_reg(func, reg)->kind == REG_TEMP ? ir_reg(func, reg)->def : NULL;
    if (!def || !depth) return false;
    if (def->op == OP_COPY) return follows(func, def->args[0], counter, depth - 1);
    if (def->op != OP_ADD && def->op != OP_SUB && def->op != OP_MUL) return false;
    return follows(func, def->args[0], counter, depth - 1) ||
           follows(func, def->args[1], counter, depth - 1);
}

/* The loops around a statement, from the inside. */
typedef struct Nest {
    const struct Nest *outer;
    const IrStmt *loop;
} Nest;

/* Whether every loop of the nest has its part in which element this is. */
static bool chosen_by(const IrFunc *func, const IrStmt *access, const Nest *nest) {
    unsigned ndim = ir_reg_type(func, access->args[0]).ndim;
    for (; nest; nest = nest->outer) {
        bool found = false;
        for (unsigned axis = 0; axis < ndim && !found; axis++)
            found = follows(func, access->args[1 + axis], nest->loop->dsts[0], DEEPEST_SUM);
        if (!found) return false;
    }
    return true;
}

static bool continues(const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        if (stmt->op == OP_CONTINUE ||
            (stmt->op == OP_IF &&
             (continues(&stmt->u.blocks.then) || continues(&stmt->u.blocks.els))))
            return true;
    return false;
}

/* Whether each run of the loops goes on to another element of some array: each iteration of an
 * innermost one does, not just in an arm of an `if`, and all counters choose it. */
static bool is_pass(const IrFunc *func, const IrStmt *loop, const Nest *outer) {
    Nest nest = {outer, loop};
    bool inner = false, access = false, skips = false;
    for (const IrStmt *stmt = loop->u.blocks.then.first; stmt; stmt = stmt->next) {
        bool element = stmt->op == OP_LOAD || stmt->op == OP_STORE;
        access |= element && !skips && chosen_by(func, stmt, &nest);
        skips |= stmt->op == OP_IF &&
                 (continues(&stmt->u.blocks.then) || continues(&stmt->u.blocks.els));
        if (stmt->op == OP_FOR && stmt->pass && !is_pass(func, stmt, &nest)) return false;
        inner |= stmt->op == OP_FOR && stmt->pass;
    }
    return inner ? !skips : access;
}

/* ---- `while` loops that are passes ----
 *
 *     while j >= 0 and a[j] > x:
 *         a[j + 1] = a[j]
 *         j -= 1
 *
 * goes on to another element in each round, and has left the array after as many as it is long, or twice as many where j counts from the
 * end. */

enum { FURTHEST_INDEX = 3 }; /* statements from the counter to an index */

static uint32_t count_writes(const IrBlock *block, IrReg reg) {
    uint32_t n = 0;
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        for (uint32_t i = 0; i < stmt->ndsts; i++)
            n += stmt->dsts[i] == reg;
        if (ir_stmt_is_nested(stmt))
            n += count_writes(&stmt->u.blocks.then, reg) +
                 count_writes(&stmt->u.blocks.els, reg);
    }
    return n;
}

/* `j += 1`, which is in each round if it is in the loop's own block. */
static bool is_step(const IrFunc *func, const IrBlock *body, const IrStmt *stmt) {
    int64_t by;
    return (stmt->op == OP_ADD || stmt->op == OP_SUB) && stmt->dsts[0] == stmt->args[0] &&
           ir_reg_type(func, stmt->dsts[0]).scalar == TY_INT64 &&
           known_int(func, stmt->args[1], &by) && by != 0 &&
           count_writes(body, stmt->dsts[0]) == 1;
}

/* j, or j and what the loop does not change. */
static bool moves_with(const IrFunc *func, const IrBlock *body, IrReg index, IrReg counter,
                       int depth) {
    if (index == counter) return true;
    const IrRegInfo *info = ir_reg(func, index);
    const IrStmt *def = info->kind == REG_TEMP ? info->def : NULL;
    if (!def || !depth || (def->op != OP_ADD && def->op != OP_SUB)) return false;
    IrReg a = def->args[0], b = def->args[1];
    if (!count_writes(body, b)) return moves_with(func, body, a, counter, depth - 1);
    return !count_writes(body, a) && moves_with(func, body, b, counter, depth - 1);
}

static bool is_access_by(const IrFunc *func, const IrBlock *body, const IrStmt *stmt,
                         IrReg counter) {
    if ((stmt->op != OP_LOAD && stmt->op != OP_STORE) || count_writes(body, stmt->args[0]))
        return false;
    for (unsigned i = 0; i < ir_reg_type(func, stmt->args[0]).ndim; i++)
        if (moves_with(func, body, stmt->args[1 + i], counter, FURTHEST_INDEX)) return true;
    return false;
}

/* `both = a; if a: both = b`, which is `a and b`: in a round that is gone through the `if` was. */
static bool is_and(const IrFunc *func, const IrBlock *body, const IrStmt *stmt,
                   IrReg condition) {
    const IrStmt *copy = stmt->prev;
    const IrStmt *negated = ir_reg(func, condition)->def;
    return stmt->op == OP_IF && !stmt->u.blocks.els.first && copy && copy->op == OP_COPY &&
           copy->args[0] == stmt->args[0] && negated && negated->op == OP_NOT &&
           negated->args[0] == copy->dsts[0] &&
           count_writes(body, copy->dsts[0]) ==
               1 + count_writes(&stmt->u.blocks.then, copy->dsts[0]);
}

static const IrStmt *leave_of(const IrBlock *body) {
    for (const IrStmt *stmt = body->first; stmt; stmt = stmt->next) {
        const IrStmt *only = stmt->op == OP_IF ? stmt->u.blocks.then.first : NULL;
        if (only && only->op == OP_BREAK && !stmt->u.blocks.els.first) return stmt;
    }
    return NULL;
}

static bool is_accessed_by(const IrFunc *func, const IrBlock *body, IrReg counter) {
    const IrStmt *leave = leave_of(body);
    for (const IrStmt *stmt = body->first; stmt; stmt = stmt->next) {
        if (is_access_by(func, body, stmt, counter)) return true;
        if (!leave || !is_and(func, body, stmt, leave->args[0])) continue;
        for (const IrStmt *inner = stmt->u.blocks.then.first; inner; inner = inner->next)
            if (is_access_by(func, body, inner, counter)) return true;
    }
    return false;
}

static bool is_pass_of_rounds(const IrFunc *func, const IrStmt *loop) {
    const IrBlock *body = &loop->u.blocks.then;
    if (continues(body)) return false;
    for (const IrStmt *stmt = body->first; stmt; stmt = stmt->next)
        if (is_step(func, body, stmt) && is_accessed_by(func, body, stmt->dsts[0]))
            return true;
    return false;
}

/* ---- Loops ---- */

static uint64_t strip_length(uint64_t cost) {
    uint64_t length = BETWEEN / (cost + 1);
    return length >= WHOLE_VECTORS ? length / WHOLE_VECTORS * WHOLE_VECTORS : length;
}

/* Whether the loop can do without a POLL at each iteration. */
static bool make_strips(const IrFunc *func, IrStmt *loop, Weight body) {
    int64_t step;
    uint64_t length = body.looks ? ROWS : strip_length(body.cost);
    if ((body.looks && !loop->pass) || length < SHORTEST_STRIP) return false;
    if (!known_int(func, loop->args[2], &step) || step == 0 || step > LARGEST_STEP ||
        step < -LARGEST_STEP) {
        if (body.looks || !loop->pass) return false;
        length = IR_ANY_STRIP;
    }
    if (loop->pass && length > PASS_STRIP) length = PASS_STRIP;
    loop->strip = (uint32_t)length;
    return true;
}

static Weight weigh_for(IrFunc *func, IrStmt *loop) {
    Weight body = weigh_block(func, &loop->u.blocks.then);
    uint64_t trips;
    if (loop->jammed && !body.looks) return (Weight){BETWEEN, false, false};
    if (!body.looks && few_trips(func, loop, &trips) && trips * (body.cost + 1) <= BETWEEN)
        return (Weight){1 + trips * (body.cost + 1), false, false};
    loop->pass =
        body.cost <= LONGEST_PASS && body.looks == body.passes && is_pass(func, loop, NULL);
    if (!make_strips(func, loop, body)) add_poll(func, &loop->u.blocks.then, loop->span);
    return (Weight){1 + body.cost, true, loop->pass};
}

static Weight weigh_stmt(IrFunc *func, IrStmt *stmt) {
    switch (stmt->op) {
    case OP_IF:
        return heavier(weigh_block(func, &stmt->u.blocks.then),
                       weigh_block(func, &stmt->u.blocks.els));
    case OP_FOR: return weigh_for(func, stmt);
    case OP_LOOP: {
        Weight body = weigh_block(func, &stmt->u.blocks.then);
        stmt->pass = body.cost <= LONGEST_PASS && !body.looks && is_pass_of_rounds(func, stmt);
        add_poll(func, &stmt->u.blocks.then, stmt->span);
        return (Weight){1 + body.cost, true, false};
    }
    case OP_CALL: return (Weight){CALL_COST, false, false};
    case OP_RT: return (Weight){CALL_COST, is_bulk(func, stmt), false};
    case OP_MATH: return (Weight){ir_math_exact(stmt->u.math) ? 1 : CALL_COST, false, false};
    default: return (Weight){1, is_bulk(func, stmt), false};
    }
}

static Weight weigh_block(IrFunc *func, IrBlock *block) {
    Weight sum = {0, false, false};
    bool others = false; /* loops that are no passes */
    for (IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        Weight one = weigh_stmt(func, stmt);
        sum.cost += sum.cost < BETWEEN ? one.cost : 0;
        sum.looks |= one.looks;
        others |= one.looks && !one.passes;
    }
    sum.passes = sum.looks && !others;
    return sum;
}

void ir_poll_module(IrModule *module) {
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        IrFunc *func = module->funcs.data[i];
        weigh_block(func, &func->body);
    }
}

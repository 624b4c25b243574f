#include "ir/cost.h"

/* No bound is known. */
#define UNKNOWN UINT64_MAX

enum { RT_COST = 20, MAX_CALL_DEPTH = 16, MAX_HOPS = 8, MAX_REGISTERS = 2000 };

/* A function with the integers its caller is known to pass. */
typedef struct Frame {
    const IrFunc *func;
    const bool *known; /* by parameter; NULL: none */
    const int64_t *values;
} Frame;

typedef struct Walk {
    uint64_t limit; /* past it the answer is known, and looking on would only take time */
    int depth;      /* of calls */
    JrArena *arena;
} Walk;

static uint64_t block_cost(Walk walk, const Frame *frame, const IrBlock *block);

static uint64_t add(uint64_t a, uint64_t b) {
    return a > UNKNOWN - b ? UNKNOWN : a + b;
}

static uint64_t multiply(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UNKNOWN : product;
}

/* ---- Integers that are known ---- */

/* The statement that alone writes the variable, or NULL; *count is how many there are. */
static const IrStmt *find_write(const IrBlock *block, IrReg var, int *count) {
    const IrStmt *found = NULL;
    for (const IrStmt *stmt = block->first; stmt && *count < 2; stmt = stmt->next) {
        for (uint32_t i = 0; i < stmt->ndsts; i++)
            if (stmt->dsts[i] == var) found = stmt, ++*count;
        if (!ir_stmt_is_nested(stmt)) continue;
        const IrStmt *inner = find_write(&stmt->u.blocks.then, var, count);
        if (stmt->op == OP_IF && !inner) inner = find_write(&stmt->u.blocks.els, var, count);
        if (inner) found = inner;
    }
    return *count == 1 ? found : NULL;
}

static bool known_int(const Frame *frame, IrReg reg, int64_t *value) {
    for (int hops = 0; hops < MAX_HOPS; hops++) {
        const IrRegInfo *info = ir_reg(frame->func, reg);
        int count = 0;
        if (info->kind == REG_CONST) return *value = info->value.i, true;
        if (info->kind == REG_PARAM) {
            if (!frame->known || !frame->known[reg]) return false;
            return *value = frame->values[reg], true;
        }
        if (info->kind == REG_VAR && frame->func->regs.len > MAX_REGISTERS) return false;
        const IrStmt *def =
            info->kind == REG_TEMP ? info->def : find_write(&frame->func->body, reg, &count);
        if (!def || def->op != OP_COPY) return false;
        reg = def->args[0];
    }
    return false;
}

/* Iterations of `for lo, hi, step`; 0 <= the result, or unknown. */
static uint64_t trip_count(const Frame *frame, const IrStmt *stmt) {
    int64_t lo, hi, step;
    if (!known_int(frame, stmt->args[0], &lo) || !known_int(frame, stmt->args[1], &hi) ||
        !known_int(frame, stmt->args[2], &step) || step == 0)
        return UNKNOWN;
    if (step > 0 ? lo >= hi : lo <= hi) return 0;
    uint64_t distance = step > 0 ? (uint64_t)hi - (uint64_t)lo : (uint64_t)lo - (uint64_t)hi;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    return (distance - 1) / stride + 1;
}

/* New memory costs its elements: they are cleared, or about to be written. */
static uint64_t alloc_cost(const Frame *frame, const IrStmt *stmt) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        int64_t dim;
        if (!known_int(frame, stmt->args[i], &dim) || dim < 0) return UNKNOWN;
        elements = multiply(elements, (uint64_t)dim);
    }
    return add(RT_COST, elements);
}

static uint64_t rt_cost(const IrFunc *func, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (ir_reg_type(func, stmt->args[i]).ndim) return UNKNOWN;
    return RT_COST;
}

static uint64_t call_cost(Walk walk, const Frame *frame, const IrStmt *stmt) {
    const IrFunc *callee = stmt->u.callee;
    if (walk.depth++ >= MAX_CALL_DEPTH || callee->recursive || callee->host) return UNKNOWN;
    bool *known = JR_NEW_ARRAY(walk.arena, bool, stmt->nargs + 1);
    int64_t *values = JR_NEW_ARRAY(walk.arena, int64_t, stmt->nargs + 1);
    for (uint32_t i = 0; i < stmt->nargs; i++)
        known[i] = ir_scalar_is_int((IrScalar)ir_reg_type(callee, i).scalar) &&
                   !ir_reg_type(callee, i).ndim && known_int(frame, stmt->args[i], &values[i]);
    Frame inner = {.func = callee, .known = known, .values = values};
    return block_cost(walk, &inner, &callee->body);
}

static uint64_t stmt_cost(Walk walk, const Frame *frame, const IrStmt *stmt) {
    switch ((IrOp)stmt->op) {
    case OP_IF: {
        uint64_t then = block_cost(walk, frame, &stmt->u.blocks.then);
        uint64_t els = block_cost(walk, frame, &stmt->u.blocks.els);
        return add(1, then > els ? then : els);
    }
    case OP_LOOP: return UNKNOWN;
    case OP_FOR: {
        uint64_t trips = trip_count(frame, stmt);
        if (trips == 0 || trips == UNKNOWN) return trips ? UNKNOWN : 1;
        return add(1, multiply(trips, add(1, block_cost(walk, frame, &stmt->u.blocks.then))));
    }
    case OP_CALL: return add(1, call_cost(walk, frame, stmt));
    case OP_PARALLEL: return UNKNOWN;
    case OP_ALLOC: return alloc_cost(frame, stmt);
    case OP_RT: return rt_cost(frame->func, stmt);
    default: return 1;
    }
}

static uint64_t block_cost(Walk walk, const Frame *frame, const IrBlock *block) {
    uint64_t cost = 0;
    for (const IrStmt *stmt = block->first; stmt && cost <= walk.limit; stmt = stmt->next)
        cost = add(cost, stmt_cost(walk, frame, stmt));
    return cost;
}

bool ir_cost_within(const IrFunc *func, uint64_t limit) {
    Frame frame = {.func = func};
    Walk walk = {.limit = limit, .arena = func->module->arena};
    return !func->recursive && block_cost(walk, &frame, &func->body) <= limit;
}

/* ---- Looking soon ---- */

enum { MOST_STATEMENTS = 4000 }; /* that are worth going through */

static bool block_looks_soon(const IrFunc *func, const IrBlock *block, int depth, int *left);

/* Those that write to a sink wait for whoever reads there, and some take longer than in
 * proportion to their arrays. */
static bool rt_is_quick(const IrFunc *func, const IrStmt *stmt) {
    switch (stmt->u.rt) {
    case RT_PRINT_STR:
    case RT_PRINT_BOOL:
    case RT_PRINT_INT:
    case RT_PRINT_UINT:
    case RT_PRINT_FLOAT32:
    case RT_PRINT_FLOAT64: return false;
    case RT_ARRAY_COPY:
    case RT_ARRAYS_OVERLAP:
    case RT_ARRAYS_LAG:
    case RT_BROADCAST_ERROR:
    case RT_MATMUL_ERROR:
    case RT_MASK_ERROR: return true;
    default: return rt_cost(func, stmt) != UNKNOWN;
    }
}

/* A view with more axes than memory has elements takes any time to go through. */
static bool stays_small(const IrFunc *func, const IrStmt *stmt) {
    return ir_reg_type(func, stmt->dsts[0]).ndim == 1;
}

static bool looks_soon(const IrFunc *func, const IrStmt *stmt, int depth, int *left) {
    switch ((IrOp)stmt->op) {
    case OP_PARALLEL: return false;
    case OP_BROADCAST: return stays_small(func, stmt);
    case OP_RT: return rt_is_quick(func, stmt);
    case OP_CALL: {
        const IrFunc *callee = stmt->u.callee;
        return depth < MAX_CALL_DEPTH && !callee->recursive && !callee->host &&
               block_looks_soon(callee, &callee->body, depth + 1, left);
    }
    case OP_IF:
        return block_looks_soon(func, &stmt->u.blocks.then, depth, left) &&
               block_looks_soon(func, &stmt->u.blocks.els, depth, left);
    case OP_FOR:
    case OP_LOOP: return block_looks_soon(func, &stmt->u.blocks.then, depth, left);
    default: return true;
    }
}

static bool block_looks_soon(const IrFunc *func, const IrBlock *block, int depth, int *left) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        if (--*left < 0 || !looks_soon(func, stmt, depth, left)) return false;
    return true;
}

bool ir_looks_soon(const IrFunc *func) {
    int left = MOST_STATEMENTS;
    return !func->recursive && block_looks_soon(func, &func->body, 0, &left);
}

#include "ir/cost.h"

/* No bound is known. */
#define UNKNOWN UINT64_MAX

enum { RT_COST = 20, MAX_CALL_DEPTH = 16 };

typedef struct Walk {
    uint64_t limit; /* past it the answer is known, and looking on would only take time */
    int depth;      /* of calls */
} Walk;

static uint64_t block_cost(Walk walk, const IrFunc *func, const IrBlock *block);

static uint64_t add(uint64_t a, uint64_t b) {
    return a > UNKNOWN - b ? UNKNOWN : a + b;
}

static uint64_t multiply(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UNKNOWN : product;
}

static bool constant(const IrFunc *func, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(func, reg);
    *value = info->value.i;
    return info->kind == REG_CONST;
}

/* Iterations of `for lo, hi, step`; 0 <= the result, or unknown. */
static uint64_t trip_count(const IrFunc *func, const IrStmt *stmt) {
    int64_t lo, hi, step;
    if (!constant(func, stmt->args[0], &lo) || !constant(func, stmt->args[1], &hi) ||
        !constant(func, stmt->args[2], &step) || step == 0)
        return UNKNOWN;
    if (step > 0 ? lo >= hi : lo <= hi) return 0;
    uint64_t distance = step > 0 ? (uint64_t)hi - (uint64_t)lo : (uint64_t)lo - (uint64_t)hi;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    return (distance - 1) / stride + 1;
}

/* New memory costs its elements: they are cleared, or about to be written. */
static uint64_t alloc_cost(const IrFunc *func, const IrStmt *stmt) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        int64_t dim;
        if (!constant(func, stmt->args[i], &dim) || dim < 0) return UNKNOWN;
        elements = multiply(elements, (uint64_t)dim);
    }
    return add(RT_COST, elements);
}

static uint64_t rt_cost(const IrFunc *func, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (ir_reg_type(func, stmt->args[i]).ndim) return UNKNOWN;
    return RT_COST;
}

static uint64_t stmt_cost(Walk walk, const IrFunc *func, const IrStmt *stmt) {
    switch ((IrOp)stmt->op) {
    case OP_IF: {
        uint64_t then = block_cost(walk, func, &stmt->u.blocks.then);
        uint64_t els = block_cost(walk, func, &stmt->u.blocks.els);
        return add(1, then > els ? then : els);
    }
    case OP_LOOP: return UNKNOWN;
    case OP_FOR: {
        uint64_t trips = trip_count(func, stmt);
        if (trips == 0) return 1;
        return add(1, multiply(trips, block_cost(walk, func, &stmt->u.blocks.then)));
    }
    case OP_CALL:
        if (walk.depth++ >= MAX_CALL_DEPTH || stmt->u.callee->recursive) return UNKNOWN;
        return add(1, block_cost(walk, stmt->u.callee, &stmt->u.callee->body));
    case OP_ALLOC: return alloc_cost(func, stmt);
    case OP_RT: return rt_cost(func, stmt);
    default: return 1;
    }
}

static uint64_t block_cost(Walk walk, const IrFunc *func, const IrBlock *block) {
    uint64_t cost = 0;
    for (const IrStmt *stmt = block->first; stmt && cost <= walk.limit; stmt = stmt->next)
        cost = add(cost, stmt_cost(walk, func, stmt));
    return cost;
}

bool ir_cost_within(const IrFunc *func, uint64_t limit) {
    return !func->recursive && block_cost((Walk){.limit = limit}, func, &func->body) <= limit;
}

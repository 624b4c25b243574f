#include "ir/restart.h"

typedef struct Search {
    bool *seen; /* by IrFunc.index */
    JR_VEC(const IrFunc *) waiting;
    JrArena *arena;
} Search;

static bool draws(IrRtCall rt) {
    switch (rt) {
    case RT_RANDOM_SEED:
    case RT_RANDOM_RANDOM:
    case RT_RANDOM_UNIFORM:
    case RT_RANDOM_RANDINT:
    case RT_RANDOM_RANDRANGE:
    case RT_RANDOM_GAUSS:
    case RT_RANDOM_NORMALVARIATE:
    case RT_RANDOM_EXPOVARIATE:
    case RT_RANDOM_GETRANDBITS:
    case RT_NP_RANDOM_SEED:
    case RT_NP_RANDOM_RANDOM:
    case RT_NP_RANDOM_UNIFORM:
    case RT_NP_RANDOM_NORMAL:
    case RT_NP_RANDOM_RANDINT:
    case RT_NP_RANDOM_EXPONENTIAL:
    case RT_NP_RANDOM_FILL_RANDOM:
    case RT_NP_RANDOM_FILL_NORMAL:
    case RT_NP_RANDOM_FILL_UNIFORM:
    case RT_NP_RANDOM_FILL_RANDINT:
    case RT_RANDOM_KEY:
    case RT_RANDOM_LOOP: return true;
    default: return false;
    }
}

static bool block_can(Search *search, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op == OP_PARALLEL || (stmt->op == OP_RT && draws(stmt->u.rt))) return false;
        if (stmt->op == OP_CALL && stmt->u.callee->host) return false;
        if (stmt->op == OP_CALL && !search->seen[stmt->u.callee->index]) {
            search->seen[stmt->u.callee->index] = true;
            JR_PUSH(search->arena, &search->waiting, stmt->u.callee);
        }
        if (!ir_stmt_is_nested(stmt)) continue;
        if (!block_can(search, &stmt->u.blocks.then)) return false;
        if (stmt->op == OP_IF && !block_can(search, &stmt->u.blocks.els)) return false;
    }
    return true;
}

bool ir_can_restart(const IrFunc *func) {
    JrArena *arena = func->module->arena;
    Search search = {.seen = JR_NEW_ARRAY(arena, bool, func->module->funcs.len),
                     .arena = arena};
    search.seen[func->index] = true;
    JR_PUSH(arena, &search.waiting, func);
    while (search.waiting.len)
        if (!block_can(&search, &search.waiting.data[--search.waiting.len]->body))
            return false;
    return true;
}

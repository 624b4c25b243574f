/* --check-races: a prange loop that tells the runtime what each iteration touches.
 *
 *     for parallel %i = 0, %n, 1 {            rt race_loop "i"
 *       %1 = load %x[%i]                      for parallel %i = 0, %n, 1 {
 *       store %y[%1], %i             ->         rt race_iteration %i
 *     }                                         rt race_touch %x, %x, "x", 0, ..., %i, 0, ...
 *                                               %1 = load %x[%i]
 *                                               rt race_touch %y, %y, "y", 1, ..., %1, 0, ...
 *                                               store %y[%1], %i
 *                                             }
 *                                             rt race_done
 *
 * The loop itself stays serial, so what it computes is what serial Python computes, and
 * runtime/threads/races.c finds each element that two iterations met at. It keeps track of loops by
 * their dynamic extent: a loop within another is part of the outer one's iteration, wherever
 * the inner one stands, and functions that a body may call, all of them, are watched throughout
 * and say nothing to it while no loop runs.
 *
 * A touch stands before its access, since a load may overwrite its own index; one that is out
 * of bounds touches nothing, and raises next. What is allocated within an iteration is its own,
 * even where another iteration's freed memory comes back: so an ALLOC says that it is fresh. */
#include "ir/par/parallel.h"

#include <string.h>

typedef struct Watch {
    IrModule *module;
    JR_VEC(IrFunc *) waiting; /* functions to be watched throughout */
    bool *known;              /* by function: has been in `waiting` */
    int64_t places;           /* accesses so far */
    const IrStmt **defs; /* by register of the function: the one statement that writes it */
    bool *many;          /* ... there are several */
} Watch;

/* Where new statements go: before or behind one of `block`. */
typedef struct Spot {
    IrFunc *func;
    IrBlock *block;
    IrStmt *at; /* NULL: the end */
    JrSpan span;
} Spot;

static void put(const Spot *spot, IrRtCall call, uint32_t n, const IrReg *args) {
    IrBlock fresh = {0};
    IrBuilder b = {.func = spot->func, .block = &fresh, .span = spot->span};
    IrStmt *stmt = ir_build_rt(&b, call, 0, NULL, n, args);
    if (spot->at)
        ir_block_insert_before(spot->block, spot->at, stmt);
    else
        ir_block_append(spot->block, stmt);
}

static IrReg number(IrFunc *func, int64_t value) {
    return ir_const_int(func, TY_INT64, value);
}

static IrReg text(IrFunc *func, const char *bytes) {
    return ir_const_str(func, bytes, (uint32_t)strlen(bytes));
}

static void find_defs(Watch *w, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        for (uint32_t i = 0; i < stmt->ndsts; i++) {
            w->many[stmt->dsts[i]] |= w->defs[stmt->dsts[i]] != NULL;
            w->defs[stmt->dsts[i]] = stmt;
        }
        if (!ir_stmt_is_nested(stmt)) continue;
        find_defs(w, &stmt->u.blocks.then);
        find_defs(w, &stmt->u.blocks.els);
    }
}

/* What reports call it: the array that this one is a view of, if the source has a name for that. */
static IrReg named_array(const Watch *w, const IrFunc *func, IrReg array) {
    IrReg named = array;
    for (IrReg reg = array;;) {
        const IrStmt *def = w->many[reg] ? NULL : w->defs[reg];
        if (ir_reg(func, reg)->name) named = reg;
        if (!def) return named;
        switch ((IrOp)def->op) {
        case OP_VIEW:
        case OP_TRANSPOSE:
        case OP_BROADCAST:
        case OP_RESHAPE:
        case OP_COPY:
        case OP_ASSIGN: reg = def->args[0]; break;
        default: return named;
        }
    }
}

/* ---- Accesses ---- */

static IrWatched kind_of(const IrStmt *stmt) {
    if (stmt->op != OP_STORE) return WATCHED_READ;
    return stmt->accumulates ? WATCHED_UPDATE + stmt->accumulates : WATCHED_WRITE;
}

enum { TOUCH_ARGS = 5 + IR_MAX_DIMS };

/* The arguments that race_touch and race_touch_all have in common. */
static void describe(Watch *w, const Spot *spot, IrReg array, IrWatched kind, IrReg *args) {
    IrFunc *func = spot->func;
    IrReg source = named_array(w, func, array);
    const char *name = ir_reg(func, source)->name;
    args[0] = array;
    args[1] = source;
    args[2] = text(func, name ? name : "");
    args[3] = number(func, w->places++);
    args[4] = number(func, (int64_t)spot->span.end_col << WATCHED_BITS | (int64_t)kind);
}

static void watch_element(Watch *w, const Spot *spot, const IrStmt *stmt) {
    IrReg args[TOUCH_ARGS];
    uint32_t ndim = ir_reg_type(spot->func, stmt->args[0]).ndim;
    if (stmt->op == OP_LOAD && stmt->accumulates) return; /* its store tells */
    describe(w, spot, stmt->args[0], kind_of(stmt), args);
    for (uint32_t i = 0; i < IR_MAX_DIMS; i++)
        args[5 + i] = i < ndim ? stmt->args[1 + i] : number(spot->func, 0);
    put(spot, RT_RACE_TOUCH, TOUCH_ARGS, args);
}

/* What runtime functions, and the program's, do to the arrays they are given. */
static void watch_whole(Watch *w, const Spot *spot, const IrStmt *stmt) {
    if (stmt->op == OP_RT && ir_rt_leaves_elements(stmt->u.rt)) return;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrReg args[5];
        if (!ir_reg_type(spot->func, stmt->args[i]).ndim) continue;
        bool writes = stmt->op == OP_RT ? ir_rt_writes(stmt->u.rt, i)
                                        : ir_reg(stmt->u.callee, i)->written;
        IrWatched kind = !writes             ? WATCHED_READ
                         : stmt->accumulates ? WATCHED_UPDATE + stmt->accumulates
                                             : WATCHED_WRITE;
        describe(w, spot, stmt->args[i], kind, args);
        put(spot, RT_RACE_TOUCH_ALL, 5, args);
    }
}

static void watch_function(Watch *w, IrFunc *func) {
    if (w->known[func->index]) return;
    w->known[func->index] = true;
    JR_PUSH(w->module->arena, &w->waiting, func);
}

static void watch_fresh(Spot *behind, IrStmt *stmt) {
    behind->at = stmt->next;
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (ir_reg_type(behind->func, stmt->dsts[i]).ndim)
            put(behind, RT_RACE_FRESH, 1, &stmt->dsts[i]);
}

static void watch_stmt(Watch *w, const Spot *spot, IrStmt *stmt) {
    Spot behind = *spot;
    switch ((IrOp)stmt->op) {
    case OP_LOAD:
    case OP_STORE: watch_element(w, spot, stmt); break;
    case OP_RT: watch_whole(w, spot, stmt); break;
    case OP_CALL:
        if (!stmt->u.callee->host) {
            watch_function(w, stmt->u.callee);
            break;
        }
        watch_whole(w, spot, stmt);
        watch_fresh(&behind, stmt);
        break;
    case OP_ALLOC: watch_fresh(&behind, stmt); break;
    default: break;
    }
}

/* ---- Loops ---- */

static void watch_loop(IrFunc *func, IrBlock *block, IrStmt *loop) {
    IrReg counter = loop->dsts[0];
    const char *name = ir_reg(func, counter)->name;
    IrReg named = text(func, name ? name : "");
    IrBlock *body = &loop->u.blocks.then;
    put(&(Spot){func, block, loop, loop->span}, RT_RACE_LOOP, 1, &named);
    put(&(Spot){func, block, loop->next, loop->span}, RT_RACE_DONE, 0, NULL);
    put(&(Spot){func, body, body->first, loop->span}, RT_RACE_ITERATION, 1, &counter);
}

/* `inside`: what stands here may run in an iteration of a loop that is watched. */
static void watch_block(Watch *w, IrFunc *func, IrBlock *block, bool inside) {
    for (IrStmt *stmt = block->first, *next; stmt; stmt = next) {
        next = stmt->next;
        bool loop = stmt->op == OP_FOR && stmt->parallel;
        if (ir_stmt_is_nested(stmt)) {
            watch_block(w, func, &stmt->u.blocks.then, inside || loop);
            watch_block(w, func, &stmt->u.blocks.els, inside);
        } else if (inside) {
            watch_stmt(w, &(Spot){func, block, stmt, stmt->span}, stmt);
        }
        if (loop) watch_loop(func, block, stmt);
    }
}

/* The registers that there are, not those that are made on the way. */
static void watch_body(Watch *w, IrFunc *func, bool inside) {
    w->defs = JR_NEW_ARRAY(w->module->arena, const IrStmt *, func->regs.len);
    w->many = JR_NEW_ARRAY(w->module->arena, bool, func->regs.len);
    find_defs(w, &func->body);
    watch_block(w, func, &func->body, inside);
}

/* Whether a loop is to be watched; what it may call is noted. */
static void find_loops(Watch *w, const IrBlock *block, bool inside) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (inside && stmt->op == OP_CALL && !stmt->u.callee->host)
            watch_function(w, stmt->u.callee);
        if (!ir_stmt_is_nested(stmt)) continue;
        find_loops(w, &stmt->u.blocks.then, inside || (stmt->op == OP_FOR && stmt->parallel));
        find_loops(w, &stmt->u.blocks.els, inside);
    }
}

void ir_watch_races(IrModule *module) {
    Watch w = {.module = module};
    w.known = JR_NEW_ARRAY(module->arena, bool, module->funcs.len + 1);
    for (uint32_t i = 0; i < module->funcs.len; i++)
        find_loops(&w, &module->funcs.data[i]->body, false);
    for (uint32_t i = 0; i < w.waiting.len; i++) {
        find_loops(&w, &w.waiting.data[i]->body, true);
        watch_body(&w, w.waiting.data[i], true);
    }
    for (uint32_t i = 0; i < module->funcs.len; i++)
        if (!w.known[i]) watch_body(&w, module->funcs.data[i], false);
}

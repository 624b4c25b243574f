/* prange: from a loop to a region.
 *
 *     for parallel %i = lo, hi, 1 {          %trip = rt range_trip lo, hi, 1
 *       %1 = load %x[%i]                     %chunks = rt parallel_chunks %trip
 *       %s = add %s, %1            ->        %parts = alloc %chunks
 *     }                                      parallel body(%trip, %chunks, work; %x, %parts)
 *                                            for %c = 0, %chunks, 1 { %s = add %s, %parts[%c]
 * }
 *
 * with  body(%chunk, %lo, %hi, %x, %parts): the same loop over [lo, hi), on a %s of its own
 * that starts neutral and ends in %parts[%chunk]. How many chunks there are depends on the
 * trip count alone, and parts are joined in their order, so threads cannot be seen in the
 * result.
 *
 * For that the iterations have to be independent, which is shown in three steps:
 *     par_live.c    which variables pass from one iteration to the next, or out of the loop
 *     par_reduce.c  those that do are accumulated with one operator, or it is an error
 *     par_race.c    no two iterations touch one array element, one of them writing
 * and then par_outline.c makes the region. What cannot be shown to be right stays a serial
 * loop, which always is. */
#include "ir/par/par.h"

#include <string.h>

uint32_t *ir_par_table(ParTable *table, JrArena *arena, uint32_t count, uint32_t value) {
    if (count > table->room) {
        table->room = 2 * count;
        table->words = JR_NEW_ARRAY(arena, uint32_t, table->room);
    }
    for (uint32_t i = 0; i < count; i++)
        table->words[i] = value;
    return table->words;
}

void ir_par_stay_serial(ParLoop *p, IrStmt *at, const char *why) {
    if (p->serial) return;
    p->serial = why;
    p->serial_at = at;
}

static void add_stmts(ParLoop *p, const IrBlock *block, IrStmt *parent) {
    for (IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        JR_PUSH(p->arena, &p->stmts, stmt);
        JR_PUSH(p->arena, &p->parents, parent);
        switch ((IrOp)stmt->op) {
        case OP_IF:
            add_stmts(p, &stmt->u.blocks.then, stmt);
            add_stmts(p, &stmt->u.blocks.els, stmt);
            break;
        case OP_LOOP:
        case OP_FOR: add_stmts(p, &stmt->u.blocks.then, stmt); break;
        default: break;
        }
    }
}

static void note_write(ParLoop *p, IrStmt *stmt, IrReg reg) {
    if (ir_reg(p->func, reg)->kind != REG_VAR) {
        par_set_add(p->inside, reg);
        return;
    }
    if (par_set_has(p->written, reg)) return;
    par_set_add(p->written, reg);
    ParVar var = {.reg = reg, .op = OP_COUNT, .leader = IR_NO_REG, .where = stmt};
    JR_PUSH(p->arena, &p->vars, var);
}

static void index_body(ParLoop *p) {
    uint32_t registers = p->func->regs.len;
    p->written = ir_par_set_new(p->arena, registers);
    p->inside = ir_par_set_new(p->arena, registers);
    p->touched = ir_par_set_new(p->arena, registers);
    p->reads = ir_par_table(&p->tables->reads, p->arena, registers, 0);
    par_set_add(p->inside, par_counter(p));
    add_stmts(p, &p->loop->u.blocks.then, p->loop);
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        IrStmt *stmt = p->stmts.data[i];
        bool hands_on = stmt->op == OP_CALL || stmt->op == OP_RT;
        for (uint32_t a = 0; a < stmt->nargs; a++) {
            p->reads[stmt->args[a]]++;
            if (hands_on || (stmt->op == OP_STORE && a == 0))
                par_set_add(p->touched, stmt->args[a]);
        }
        for (uint32_t d = 0; d < stmt->ndsts; d++)
            note_write(p, stmt, stmt->dsts[d]);
    }
}

/* A view of an array that is stored to is stored to as well. */
static void spread_touched(ParLoop *p) {
    for (bool grown = true; grown;) {
        grown = false;
        for (uint32_t i = 0; i < p->stmts.len; i++) {
            const IrStmt *s = p->stmts.data[i];
            if (s->ndsts != 1 || s->op == OP_LOAD || !ir_reg_type(p->func, s->dsts[0]).ndim ||
                !s->nargs || !ir_reg_type(p->func, s->args[0]).ndim)
                continue;
            bool either =
                par_set_has(p->touched, s->dsts[0]) || par_set_has(p->touched, s->args[0]);
            if (!either ||
                (par_set_has(p->touched, s->dsts[0]) && par_set_has(p->touched, s->args[0])))
                continue;
            par_set_add(p->touched, s->dsts[0]);
            par_set_add(p->touched, s->args[0]);
            grown = true;
        }
    }
}

/* The loop that a break or continue is of. */
static const IrStmt *loop_around(const ParLoop *p, uint32_t at) {
    const IrStmt *s = p->parents.data[at];
    while (s->op == OP_IF) {
        uint32_t i = 0;
        while (p->stmts.data[i] != s)
            i++;
        s = p->parents.data[i];
    }
    return s;
}

/* The loop's variable is a copy of its counter only where the body assigns to it. */
static bool check_variable(ParLoop *p) {
    const IrStmt *first = p->stmts.len ? p->stmts.data[0] : NULL;
    if (!first || first->op != OP_COPY || first->args[0] != par_counter(p) ||
        ir_reg(p->func, par_counter(p))->name ||
        ir_reg(p->func, first->dsts[0])->kind != REG_VAR)
        return true;
    const char *name = ir_reg(p->func, first->dsts[0])->name;
    for (uint32_t i = 1; i < p->stmts.len && name; i++) {
        IrStmt *stmt = p->stmts.data[i];
        for (uint32_t d = 0; d < stmt->ndsts; d++) {
            if (stmt->dsts[d] != first->dsts[0]) continue;
            JrDiag *at =
                jr_diag_error(p->diags, stmt->span,
                              "assignment to '%s', the variable of a prange loop", name);
            jr_diag_help(p->diags, at, "use another name, or range");
            jr_diag_note(p->diags, at, p->loop->span, "the prange loop");
            return false;
        }
    }
    return true;
}

/* What leaves the loop early leaves only the chunk. */
static bool check_exits(ParLoop *p) {
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        IrStmt *stmt = p->stmts.data[i];
        bool leaves = stmt->op == OP_BREAK && loop_around(p, i) == p->loop;
        if (!leaves && stmt->op != OP_RETURN) continue;
        JrDiag *d =
            jr_diag_error(p->diags, stmt->span,
                          "'%s' in a prange loop: other iterations run at the same time",
                          leaves ? "break" : "return");
        jr_diag_help(p->diags, d,
                     "use range, or let the iterations go on without doing anything");
        jr_diag_note(p->diags, d, p->loop->span, "the prange loop");
        return false;
    }
    return true;
}

static void look_at_body(ParLoop *p) {
    p->stmts.len = p->parents.len = p->vars.len = 0;
    index_body(p);
    spread_touched(p);
}

static bool is_constant(const ParLoop *p, IrReg reg, int64_t *value) {
    *value = ir_reg(p->func, reg)->value.i;
    return ir_reg(p->func, reg)->kind == REG_CONST;
}

/* Loops that gain nothing, and what lowering does not make but the IR allows. */
static void look_at_range(ParLoop *p) {
    int64_t lo, hi, step;
    for (uint32_t i = 0; i < 3; i++)
        if (par_set_has(p->written, p->loop->args[i]))
            ir_par_stay_serial(p, p->loop, "its range is a variable that the body changes");
    if (is_constant(p, p->loop->args[0], &lo) && is_constant(p, p->loop->args[1], &hi) &&
        is_constant(p, p->loop->args[2], &step) &&
        ((step > 0 && (lo >= hi || hi - 1 == lo)) || (step < 0 && (lo <= hi || lo - 1 == hi))))
        ir_par_stay_serial(p, p->loop, "it has one iteration at most");
}

static ParSet live_after(const ParAfters *after, const IrStmt *loop) {
    for (uint32_t i = 0; i < after->len; i++)
        if (after->data[i].loop == loop) return after->data[i].live;
    return (ParSet){0}; /* code that is never reached */
}

typedef struct Walk {
    IrFunc *func;
    ParAfters after;
    JrDiags *diags;
    ParTables *tables;
    bool watch;
} Walk;

/* True if the loop is a region now. */
static bool parallelise_loop(const Walk *w, IrBlock *home, IrStmt *loop) {
    ParLoop p = {.func = w->func, .loop = loop, .home = home, .diags = w->diags};
    p.tables = w->tables;
    p.arena = w->func->module->arena;
    p.live_after = live_after(&w->after, loop);
    loop->parallel = false; /* what stays, stays serial */
    look_at_body(&p);
    if (!check_exits(&p) || !check_variable(&p)) return false;
    ir_par_live_inside(&p);
    if (ir_par_shape(&p)) {
        look_at_body(&p);
        ir_par_live_inside(&p);
    }
    look_at_range(&p);
    if (!p.serial && !ir_par_classify(&p)) return false;
    if (!p.serial && !loop->asserted && !ir_par_races(&p)) return false;
    if (!loop->weighed) ir_par_explain(&p);
    loop->parallel = w->watch && !loop->weighed;
    if (w->watch && p.serial && !loop->asserted) ir_par_find_updates(&p);
    if (!p.serial && !w->watch) ir_par_outline(&p);
    return !p.serial;
}

static void walk(Walk *w, IrBlock *block) {
    for (IrStmt *stmt = block->first, *next; stmt; stmt = next) {
        next = stmt->next;
        if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) continue;
        if (stmt->op == OP_FOR && stmt->parallel && parallelise_loop(w, block, stmt)) continue;
        walk(w, &stmt->u.blocks.then);
        walk(w, &stmt->u.blocks.els);
    }
}

static bool has_parallel(const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) continue;
        if (stmt->op == OP_FOR && stmt->parallel) return true;
        if (has_parallel(&stmt->u.blocks.then) || has_parallel(&stmt->u.blocks.els))
            return true;
    }
    return false;
}

void ir_parallelise(IrModule *module, JrDiags *diags, bool watch) {
    uint32_t count = module->funcs.len; /* bodies are added at the end */
    ParTables tables = {0};
    for (uint32_t i = 0; i < count; i++) {
        Walk w = {.func = module->funcs.data[i], .diags = diags, .watch = watch};
        w.tables = &tables;
        if (!has_parallel(&w.func->body)) continue;
        ir_par_live_after(w.func, &w.after);
        walk(&w, &w.func->body);
    }
}

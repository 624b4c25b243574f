/* Unrolling of loops with a small constant number of rounds.
 *
 *     for u in range(3):                        s += w[0, 0] * x[i, j]
 *         for v in range(3):             =>     s += w[0, 1] * x[i, j + 1]
 *             s += w[u, v] * x[i + u, j + v]    ...
 *
 * LLVM does that by itself, but what stands in front of innermost loops (bounds, arrays that overlap,
 * iterations side by side) is decided before, and the loop over j that is around these two is the one
 * that matters. Loops inside go first.
 *
 * Variables that are an iteration's own, written before they are read and not used elsewhere, become
 * one for each round, so that each has one value as before. `home` says where a variable is used: in the
 * innermost loop that holds all its uses. */
#include "ir/unroll.h"

#include <string.h>

enum {
    MOST_ROUNDS = 8,
    MOST_STMTS = 160,  /* of all rounds together */
    LARGE_FUNC = 1500, /* statements; what is larger gets fewer passes */
};

typedef struct UnrollLoop {
    uint32_t parent, depth; /* of loops[0], the function itself, they mean nothing */
} UnrollLoop;

typedef struct Unroll {
    IrBuilder b;
    JrArena *arena;
    JR_VEC(UnrollLoop) loops;
    JR_VEC(uint32_t) home; /* by register: 1 + a loop; 0: not seen */
    JR_VEC(IrReg) map;     /* by register, in a round: itself if it is not there */
    JR_VEC(IrReg) mapped;  /* those that are not themselves */
    uint32_t number;       /* of the loop that is looked at */
    uint32_t
        next; /* how many loops visit() has met, in the order in which note_homes() numbers them */
    uint32_t size; /* of the function, in statements */
    bool changed;
} Unroll;

/* ---- Where variables are at home ---- */

static uint32_t common_loop(const Unroll *u, uint32_t a, uint32_t b) {
    while (a != b) {
        bool up = u->loops.data[a].depth >= u->loops.data[b].depth;
        if (up)
            a = u->loops.data[a].parent;
        else
            b = u->loops.data[b].parent;
    }
    return a;
}

static void note_use(Unroll *u, IrReg reg, uint32_t loop) {
    uint32_t *home = &u->home.data[reg];
    *home = 1 + (*home ? common_loop(u, *home - 1, loop) : loop);
}

static void note_homes(Unroll *u, const IrBlock *block, uint32_t loop) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->nargs; i++)
            note_use(u, s->args[i], loop);
        for (uint32_t i = 0; i < s->ndsts; i++)
            note_use(u, s->dsts[i], loop);
        if (!ir_stmt_is_nested(s)) continue;
        uint32_t inside = loop;
        if (s->op != OP_IF) {
            UnrollLoop made = {loop, u->loops.data[loop].depth + 1};
            inside = u->loops.len;
            JR_PUSH(u->arena, &u->loops, made);
        }
        note_homes(u, &s->u.blocks.then, inside);
        note_homes(u, &s->u.blocks.els, inside);
    }
}

/* ---- Which loops ---- */

static bool is_straight(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_FOR || s->op == OP_LOOP || s->op == OP_BREAK || s->op == OP_CONTINUE)
            return false;
        if (s->op == OP_IF &&
            (!is_straight(&s->u.blocks.then) || !is_straight(&s->u.blocks.els)))
            return false;
    }
    return true;
}

/* How often the loop runs, or 0: too often, never, or who knows. */
static uint32_t rounds_of(const IrFunc *func, const IrStmt *loop) {
    int64_t bound[3];
    for (int i = 0; i < 3; i++) {
        const IrRegInfo *info = ir_reg(func, loop->args[i]);
        if (info->kind != REG_CONST) return 0;
        bound[i] = info->value.i;
    }
    __int128 way = (__int128)bound[1] - bound[0], step = bound[2];
    if (step == 0 || (way < 0) != (step < 0) || way == 0) return 0;
    __int128 rounds = (way + step - (step > 0 ? 1 : -1)) / step;
    return rounds <= MOST_ROUNDS ? (uint32_t)rounds : 0;
}

static bool is_worth_it(const Unroll *u, const IrStmt *loop) {
    uint32_t rounds = rounds_of(u->b.func, loop);
    if (!rounds || loop->parallel || !is_straight(&loop->u.blocks.then)) return false;
    uint32_t stmts = rounds * ir_block_count(&loop->u.blocks.then);
    return stmts <= MOST_STMTS && u->size + stmts <= LARGE_FUNC;
}

/* ---- One round ---- */

static IrReg mapped(const Unroll *u, IrReg reg) {
    return reg < u->map.len ? u->map.data[reg] : reg;
}

static void set_map(Unroll *u, IrReg reg, IrReg to) {
    for (IrReg i = u->map.len; i <= reg; i++)
        JR_PUSH(u->arena, &u->map, i);
    u->map.data[reg] = to;
    JR_PUSH(u->arena, &u->mapped, reg);
}

static void clear_map(Unroll *u) {
    for (uint32_t i = 0; i < u->mapped.len; i++)
        u->map.data[u->mapped.data[i]] = u->mapped.data[i];
    u->mapped.len = 0;
}

/* A register like this one, at home in the loop around. */
static void copy_reg(Unroll *u, IrReg reg) {
    IrFunc *func = u->b.func;
    IrRegInfo info = *ir_reg(func, reg);
    IrReg made =
        info.kind == REG_VAR ? ir_var(func, info.type, info.name) : ir_temp(func, info.type);
    ir_reg(func, made)->owned = info.owned;
    ir_reg(func, made)->name = info.name;
    while (u->home.len <= made)
        JR_PUSH(u->arena, &u->home, 0);
    u->home.data[made] = 1 + u->loops.data[u->number].parent;
    set_map(u, reg, made);
}

static bool is_own(const Unroll *u, IrReg reg) {
    const IrRegInfo *info = ir_reg(u->b.func, reg);
    return info->kind == REG_VAR && info->type.ndim == 0 && mapped(u, reg) == reg &&
           u->home.data[reg] == 1 + u->number;
}

/* Variables that the block may read before they are its own keep their register in all rounds. */
static void note_reads(Unroll *u, const IrStmt *s) {
    for (uint32_t i = 0; i < s->nargs; i++)
        if (is_own(u, s->args[i])) u->home.data[s->args[i]] = 0;
}

static void note_everything(Unroll *u, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        note_reads(u, s);
        for (uint32_t i = 0; i < s->ndsts; i++)
            if (is_own(u, s->dsts[i])) u->home.data[s->dsts[i]] = 0;
        if (!ir_stmt_is_nested(s)) continue;
        note_everything(u, &s->u.blocks.then);
        note_everything(u, &s->u.blocks.els);
    }
}

static void rename_own(Unroll *u, const IrBlock *body) {
    for (const IrStmt *s = body->first; s; s = s->next) {
        note_reads(u, s);
        if (ir_stmt_is_nested(s)) {
            note_everything(u, &s->u.blocks.then);
            note_everything(u, &s->u.blocks.els);
        }
        for (uint32_t i = 0; i < s->ndsts; i++)
            if (is_own(u, s->dsts[i])) copy_reg(u, s->dsts[i]);
    }
}

static void copy_block(Unroll *u, IrBlock *to, const IrBlock *from);

static void copy_stmt(Unroll *u, const IrStmt *s) {
    IrReg *args = JR_NEW_ARRAY(u->arena, IrReg, s->nargs + 1);
    IrReg *dsts = JR_NEW_ARRAY(u->arena, IrReg, s->ndsts + 1);
    for (uint32_t i = 0; i < s->nargs; i++)
        args[i] = mapped(u, s->args[i]);
    for (uint32_t i = 0; i < s->ndsts; i++) {
        if (ir_reg(u->b.func, s->dsts[i])->kind == REG_TEMP) copy_reg(u, s->dsts[i]);
        dsts[i] = mapped(u, s->dsts[i]);
    }
    u->b.span = s->span;
    IrStmt *made = ir_build(&u->b, (IrOp)s->op, s->ndsts, dsts, s->nargs, args);
    made->accumulates = s->accumulates;
    made->u = s->u;
    if (s->op != OP_IF) return;
    memset(&made->u.blocks, 0, sizeof made->u.blocks);
    copy_block(u, &made->u.blocks.then, &s->u.blocks.then);
    copy_block(u, &made->u.blocks.els, &s->u.blocks.els);
}

static void copy_block(Unroll *u, IrBlock *to, const IrBlock *from) {
    IrBlock *outer = u->b.block;
    u->b.block = to;
    for (const IrStmt *s = from->first; s; s = s->next)
        copy_stmt(u, s);
    u->b.block = outer;
}

/* ---- All rounds ---- */

/* What was at home in the loop is now in the one around it, as far as it is left. */
static void move_home(Unroll *u, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->ndsts; i++) {
            uint32_t *home = &u->home.data[s->dsts[i]];
            if (*home == 1 + u->number) *home = 1 + u->loops.data[u->number].parent;
        }
        if (!ir_stmt_is_nested(s)) continue;
        move_home(u, &s->u.blocks.then);
        move_home(u, &s->u.blocks.els);
    }
}

static void unroll(Unroll *u, IrBlock *block, IrStmt *loop) {
    const IrBlock *body = &loop->u.blocks.then;
    IrFunc *func = u->b.func;
    uint32_t rounds = rounds_of(func, loop);
    int64_t first = ir_reg(func, loop->args[0])->value.i,
            step = ir_reg(func, loop->args[2])->value.i;
    IrBlock made = {0};
    for (uint32_t i = 0; i < rounds; i++) {
        clear_map(u);
        set_map(u, loop->dsts[0], ir_const_int(func, TY_INT64, first + (int64_t)i * step));
        rename_own(u, body);
        copy_block(u, &made, body);
    }
    move_home(u, &made);
    u->size += ir_block_count(&made);
    for (IrStmt *s = made.first, *next; s; s = next) {
        next = s->next;
        ir_block_insert_before(block, loop, s);
    }
    ir_block_remove(block, loop);
    u->changed = true;
}

static void visit(Unroll *u, IrBlock *block) {
    for (IrStmt *s = block->first, *next; s; s = next) {
        next = s->next;
        if (!ir_stmt_is_nested(s)) continue;
        uint32_t number = s->op == OP_IF ? 0 : ++u->next;
        visit(u, &s->u.blocks.then);
        visit(u, &s->u.blocks.els);
        u->number = number;
        if (s->op == OP_FOR && is_worth_it(u, s)) unroll(u, block, s);
    }
}

static bool unroll_func(IrFunc *func) {
    Unroll u = {.b.func = func, .arena = func->module->arena};
    u.size = ir_block_count(&func->body);
    UnrollLoop whole = {0, 0};
    JR_PUSH(u.arena, &u.loops, whole);
    while (u.home.len < func->regs.len)
        JR_PUSH(u.arena, &u.home, 0);
    note_homes(&u, &func->body, 0);
    visit(&u, &func->body);
    return u.changed;
}

static bool has_few_rounds(const IrFunc *func, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_FOR && rounds_of(func, s)) return true;
        if (ir_stmt_is_nested(s) && (has_few_rounds(func, &s->u.blocks.then) ||
                                     has_few_rounds(func, &s->u.blocks.els)))
            return true;
    }
    return false;
}

bool ir_unroll_module(IrModule *module) {
    bool changed = false;
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        IrFunc *func = module->funcs.data[i];
        if (has_few_rounds(func, &func->body)) changed |= unroll_func(func);
    }
    return changed;
}

/* Lanes: a sum of floats in a region's body, in eight partial sums.
 *
 *     for %k = %lo, %hi, 1 { %s = add %s, x[%k] }
 *
 * waits for each addition to end before it begins the next, and may not be vectorised, since the
 * order of the additions is the order of the roundings. But the parts of a region are added in
 * another order than the serial loop's in any case (docs/decisions/009): what is promised is the
 * same bits for any number of threads, on any engine. So the order is chosen to be fast:
 *
 *     %main = %lo + ((%hi - %lo) & -8)
 *     for %k = %lo, %main, 8 { %s0 = add %s0, x[%k]; %s1 = add %s1, x[%k + 1]; ... %s7 }
 *     %s = ((%s0 + %s4) + (%s2 + %s6)) + ((%s1 + %s5) + (%s3 + %s7))
 *     for %k = %main, %hi, 1 { %s = add %s, x[%k] }
 *
 * Eight additions then run at the same time, or as one on a vector. The iterations still run in
 * their order, so errors are those of the lowest. Only short bodies without branches and loops
 * are worth it. */
#include "ir/par/par.h"

enum {
    LANES = 8,
    MAX_STMTS = 16,   /* of the body: eight times as many are compiled */
    MAX_ACCESSES = 3, /* checked; engines ask for so many axes in front of a loop */
};

typedef struct Lanes {
    IrBuilder b;
    const IrStmt *loop;
    uint32_t n;
    const ParLane *accs;
    IrReg *sums; /* of accumulator i in lane l: sums[i * LANES + l] */
    IrReg *map;  /* by register: TEMPs of the copy being made, or IR_NO_REG */
} Lanes;

static const IrType int_type = {.scalar = TY_INT64};

/* Whether the result is the same bits in any order, or is promised to be nothing in particular.
 * Of floats, minima are not: they depend on which of 0.0 and -0.0 came first. */
static bool has_free_order(const IrFunc *func, const ParLane *acc, bool *is_float_sum) {
    bool is_float = ir_scalar_is_float((IrScalar)ir_reg_type(func, acc->value).scalar);
    bool sum = acc->op == OP_ADD || acc->op == OP_MUL;
    *is_float_sum = is_float && sum;
    return !is_float || sum;
}

static bool is_worth_it(const IrFunc *func, const IrStmt *loop, uint32_t n,
                        const ParLane *accs) {
    bool any = false, is_float_sum;
    uint32_t stmts = 0, accesses = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!has_free_order(func, &accs[i], &is_float_sum)) return false;
        any |= is_float_sum;
    }
    for (const IrStmt *s = loop->u.blocks.then.first; any && s; s = s->next) {
        if (!ir_par_is_pure(s) && s->op != OP_STORE) return false;
        if (s->op == OP_LOAD || s->op == OP_STORE)
            for (uint8_t check = s->u.mem.check; check; check &= check - 1)
                accesses++;
        if (++stmts > MAX_STMTS || accesses > MAX_ACCESSES) return false;
    }
    return any;
}

/* A register of the body as lane `lane` has it. */
static IrReg in_lane(const Lanes *l, uint32_t lane, IrReg reg) {
    for (uint32_t i = 0; i < l->n; i++)
        if (l->accs[i].value == reg) return l->sums[i * LANES + lane];
    return l->map[reg] == IR_NO_REG ? reg : l->map[reg];
}

static void copy_stmt(Lanes *l, uint32_t lane, const IrStmt *stmt) {
    IrFunc *func = l->b.func;
    JrArena *arena = func->module->arena;
    IrReg *args = JR_NEW_ARRAY(arena, IrReg, stmt->nargs + 1), dst = IR_NO_REG;
    for (uint32_t i = 0; i < stmt->nargs; i++)
        args[i] = in_lane(l, lane, stmt->args[i]);
    if (stmt->ndsts) {
        dst = in_lane(l, lane, stmt->dsts[0]);
        if (ir_reg(func, stmt->dsts[0])->kind == REG_TEMP)
            dst = l->map[stmt->dsts[0]] = ir_temp(func, ir_reg_type(func, stmt->dsts[0]));
    }
    l->b.span = stmt->span;
    ir_build(&l->b, (IrOp)stmt->op, stmt->ndsts, &dst, stmt->nargs, args)->u = stmt->u;
}

static void copy_body(Lanes *l, uint32_t lane, IrReg counter) {
    l->map[l->loop->dsts[0]] = counter;
    for (const IrStmt *s = l->loop->u.blocks.then.first; s; s = s->next)
        copy_stmt(l, lane, s);
}

static IrReg build_int(Lanes *l, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&l->b, op, int_type, a, b);
}

static IrReg int_const(Lanes *l, int64_t value) {
    return ir_const_int(l->b.func, TY_INT64, value);
}

static void start_lanes(Lanes *l) {
    IrFunc *func = l->b.func;
    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t lane = 0; lane < LANES; lane++) {
            IrType type = ir_reg_type(func, l->accs[i].value);
            IrReg *sum = &l->sums[i * LANES + lane];
            *sum = ir_var(func, type, NULL);
            ir_build_copy(&l->b, *sum,
                          ir_const(func, (IrScalar)type.scalar,
                                   ir_par_identity(l->accs[i].op, (IrScalar)type.scalar)));
        }
}

/* The loop over whole groups of lanes; returns where the rest begins. */
static IrReg build_groups(Lanes *l) {
    IrReg lo = l->loop->args[0], hi = l->loop->args[1], counter;
    IrReg length =
        build_int(l, OP_AND, build_int(l, OP_SUB, hi, lo), int_const(l, -(int64_t)LANES));
    IrReg rest = build_int(l, OP_ADD, lo, length);
    IrStmt *groups = ir_build_for(&l->b, lo, rest, int_const(l, LANES), &counter);
    IrBlock *outer = l->b.block;
    l->b.block = &groups->u.blocks.then;
    copy_body(l, 0, counter);
    for (uint32_t lane = 1; lane < LANES; lane++)
        copy_body(l, lane, build_int(l, OP_ADD, counter, int_const(l, lane)));
    l->b.block = outer;
    return rest;
}

static void join_lanes(Lanes *l) {
    for (uint32_t i = 0; i < l->n; i++) {
        IrReg *lanes = &l->sums[i * LANES];
        IrType type = ir_reg_type(l->b.func, l->accs[i].value);
        for (uint32_t gap = LANES / 2; gap > 0; gap /= 2) /* as halves of a vector are added */
            for (uint32_t lane = 0; lane < gap; lane++)
                lanes[lane] = ir_build_binary(&l->b, l->accs[i].op, type, lanes[lane],
                                              lanes[lane + gap]);
        ir_build_copy(&l->b, l->accs[i].value, lanes[0]);
    }
}

static void move_before(IrBlock *block, IrStmt *at, const IrBlock *made) {
    for (IrStmt *stmt = made->first, *next; stmt; stmt = next) {
        next = stmt->next;
        stmt->prev = stmt->next = NULL;
        ir_block_insert_before(block, at, stmt);
    }
}

void ir_par_lanes(IrBuilder *b, IrStmt *loop, uint32_t n, const ParLane *accs) {
    if (!is_worth_it(b->func, loop, n, accs)) return;
    JrArena *arena = b->func->module->arena;
    IrBlock groups = {0}, *home = b->block;
    Lanes l = {.b = *b, .loop = loop, .n = n, .accs = accs};
    uint32_t registers = b->func->regs.len; /* of the body that is copied */
    l.b.block = &groups;
    l.sums = JR_NEW_ARRAY(arena, IrReg, n * LANES + 1);
    l.map = JR_NEW_ARRAY(arena, IrReg, registers);
    for (uint32_t i = 0; i < registers; i++)
        l.map[i] = IR_NO_REG;
    start_lanes(&l);
    loop->args[0] = build_groups(&l);
    join_lanes(&l);
    move_before(home, loop, &groups);
    loop->leftover = true; /* fewer than there are lanes */
}

/* Unroll-and-jam. A loop around others runs several iterations at a time, side by side:
 *
 *     for i: s = 0.0                      for i, 4 at a time: s0 = 0.0 ... s3 = 0.0
 *            for j: s += a[i, j] * x[j]       for j: s0 += a[i, j] * x[j]; ... s3 += a[i + 3, j] * x[j]
 *            y[i] = s                         y[i] = s0 ... y[i + 3] = s3
 *
 * Every sum still adds in its order, so results are the same bits; but the four do not wait for each
 * other, where one alone waits for each addition. That is one of three gains:
 *
 *     chains   a float that each round of the inner loop computes from the round before
 *     rounds   c[j] += a[k] * b[k, j], k outside: c[j] is loaded and stored once for all lanes
 *     reuse    for i: for k: for j: ... b[k, j]: all of b is read once for all lanes of i
 *
 * Where neither is to be had the loop stays. The code is
 *
 *     first = lo
 *     if there are enough iterations:
 *         if what jam_ask.c asks is true:
 *             for i = lo, main, lanes: the lanes
 *             first = main
 *     for i = first, hi, 1: the loop as it was
 *
 * Nothing in the lanes can fail, and no innermost loop of theirs looks whether to stop; so where an
 * error or a cancel comes, all iterations before are done, and none behind. (A nest of three
 * loops looks in the middle one.) Nests inside the lanes are looked at again: gemm gets two rows side
 * by side, and in these four rounds of k. */
#include "ir/jam.h"

#include "ir/jam/jam.h"

enum {
    ROW_LANES = 4,    /* chains over elements that are apart */
    COLUMN_LANES = 8, /* ... that are neighbours: vectors */
    ROUND_LANES = 4,
    REUSE_LANES = 2,
    FEWEST_ROUNDS = 8, /* of an inner loop, if they are known: fewer are unrolled */
    MAX_LANE_STMTS = 256,
    LARGEST_FUNC = 1500, /* statements: larger ones get fewer passes as they grow */
    MAX_NEST_DEPTH = 3,
};

static const IrType int_type = {.scalar = TY_INT64};

/* ---- What is gained ---- */

static bool is_float(const Jam *j, IrReg reg) {
    return ir_scalar_is_float((IrScalar)ir_reg_type(j->func, reg).scalar);
}

/* The variable is read in the loop's body before it is written there: its last value is the round's
 * before. */
static bool goes_round(const Jam *j, uint32_t loop, IrReg reg) {
    for (uint32_t i = 0; i < j->entries.len; i++) {
        const JamEntry *entry = &j->entries.data[i];
        if (entry->loop != loop) continue;
        for (uint32_t k = 0; k < entry->stmt->nargs; k++)
            if (entry->stmt->args[k] == reg) return true;
        if (entry->stmt->ndsts && entry->stmt->dsts[0] == reg) return false;
    }
    return false;
}

static bool has_chain(const Jam *j, uint32_t loop) {
    for (uint32_t i = 0; i < j->places.len; i++) {
        const JamPlace *place = j->places.data[i];
        if (place->loop == loop && place->keep == KEEP_LOOP && place->read_first &&
            is_float(j, place->first->stmt->args[0]))
            return true;
    }
    for (uint32_t i = 0; i < j->entries.len; i++) {
        const JamEntry *entry = &j->entries.data[i];
        if (entry->loop != loop || !entry->stmt->ndsts) continue;
        IrReg dst = entry->stmt->dsts[0];
        if (ir_reg(j->func, dst)->kind == REG_VAR && is_float(j, dst) &&
            goes_round(j, loop, dst))
            return true;
    }
    return false;
}

static bool has_rounds(const Jam *j, uint32_t loop) {
    for (uint32_t i = 0; i < j->places.len; i++) {
        const JamPlace *place = j->places.data[i];
        if (place->loop == loop && place->keep == KEEP_ROUND && place->read_first) return true;
    }
    return false;
}

static bool moves_with(const Jam *j, const JamAccess *access, IrReg counter) {
    for (unsigned i = 0; i < ir_reg_type(j->func, access->stmt->args[0]).ndim; i++)
        if (ir_jam_factor(&access->index[i], counter)) return true;
    return false;
}

/* In each round neighbouring lanes use neighbouring elements. */
static bool has_columns(const Jam *j, uint32_t loop) {
    for (uint32_t i = 0; i < j->accesses.len; i++) {
        const JamAccess *access = j->accesses.data[i];
        IrType type = ir_reg_type(j->func, access->stmt->args[0]);
        const JamSum *last = &access->index[type.ndim - 1];
        if (access->loop == loop && !access->stored && type.layout == LAYOUT_C &&
            ir_jam_factor(last, jam_counter(j, 0)) == 1 &&
            ir_jam_factor(last, jam_counter(j, loop)) == 0 &&
            moves_with(j, access, jam_counter(j, loop)))
            return true;
    }
    return false;
}

/* Something is read that two loops inside go through, and that the outer one has no part in, while
 * an element is stored that the middle loop goes over again: that will be jammed too. */
static bool has_reuse(const Jam *j, uint32_t loop) {
    IrReg middle = jam_counter(j, j->loops[loop].parent);
    bool reads = false, rounds = false;
    if (j->loops[loop].parent == 0) return false;
    for (uint32_t i = 0; i < j->accesses.len; i++) {
        const JamAccess *access = j->accesses.data[i];
        bool outer = moves_with(j, access, jam_counter(j, 0));
        bool inner = moves_with(j, access, jam_counter(j, loop));
        bool mid = moves_with(j, access, middle);
        if (access->loop != loop) continue;
        reads |= !access->stored && !outer && inner && mid;
        rounds |= access->stored && outer && inner && !mid;
    }
    return reads && rounds;
}

static uint32_t lanes_of_loop(const Jam *j, uint32_t loop) {
    if (has_chain(j, loop)) {
        if (has_columns(j, loop)) return COLUMN_LANES;
        if (!j->func->fastmath) return ROW_LANES; /* else the sum itself is made of vectors */
    }
    if (has_rounds(j, loop)) return ROUND_LANES;
    return has_reuse(j, loop) ? REUSE_LANES : 0;
}

/* The rounds of a loop with constant bounds, if these are few; else `most`. */
static int64_t few_rounds(const Jam *j, const JamLoop *loop, int64_t most) {
    const IrRegInfo *lo = ir_reg(j->func, loop->stmt->args[0]),
                    *hi = ir_reg(j->func, loop->stmt->args[1]);
    if (lo->kind != REG_CONST || hi->kind != REG_CONST) return most;
    __int128 way = (__int128)hi->value.i - lo->value.i;
    if (loop->step < 0) way = -way;
    __int128 step = loop->step < 0 ? -loop->step : loop->step;
    if (way <= 0) return 0;
    return (way - 1) / step + 1 < most ? (int64_t)((way - 1) / step + 1) : most;
}

static uint32_t choose_lanes(const Jam *j) {
    uint32_t lanes = 0;
    for (uint32_t i = 1; i < j->nloops; i++) {
        if (!j->loops[i].innermost) continue;
        if (few_rounds(j, &j->loops[i], FEWEST_ROUNDS) < FEWEST_ROUNDS) return 0;
        uint32_t wanted = lanes_of_loop(j, i);
        if (wanted > lanes) lanes = wanted;
    }
    if (few_rounds(j, &j->loops[0], lanes) < lanes) return 0;
    return lanes * j->entries.len <= MAX_LANE_STMTS ? lanes : 0;
}

/* ---- Rewriting ---- */

static void move_before(IrBlock *block, IrStmt *at, const IrBlock *made) {
    for (IrStmt *s = made->first, *next; s; s = next) {
        next = s->next;
        s->prev = s->next = NULL;
        ir_block_insert_before(block, at, s);
    }
}

static void hoist_block(Jam *j, IrBlock *from, IrBlock *to) {
    for (IrStmt *s = from->first, *next; s; s = next) {
        next = s->next;
        if (s->op == OP_FOR) {
            hoist_block(j, &s->u.blocks.then, to);
        } else if (s->ndsts && ir_jam_use(j, s->dsts[0])->hoisted) {
            ir_block_remove(from, s);
            s->prev = s->next = NULL;
            ir_block_append(to, s);
        }
    }
}

/* Where the lanes end: lo plus a whole number of times the lanes. `way` is how many iterations
 * there are. */
static IrReg end_of_lanes(const Jam *j, IrBuilder *b, IrReg way) {
    IrReg whole = ir_build_binary(b, OP_AND, int_type, way,
                                  ir_const_int(b->func, TY_INT64, -(int64_t)j->lanes));
    IrOp op = j->loops[0].step > 0 ? OP_ADD : OP_SUB;
    return ir_build_binary(b, op, int_type, jam_outer(j)->args[0], whole);
}

static IrStmt *write_lanes(Jam *j, IrBuilder *b, IrReg way, IrReg first) {
    IrReg end = end_of_lanes(j, b, way);
    IrStmt *made = ir_jam_lanes(j, b, end);
    ir_build_copy(b, first, end);
    return made;
}

static void mark_leftovers(const Jam *j) {
    for (uint32_t i = 1; i < j->nloops; i++)
        if (j->loops[i].innermost && !j->func->fastmath && has_chain(j, i))
            j->loops[i].stmt->leftover = true;
}

/* Writes the lanes in front of the loop, and leaves it what remains. Returns the loop of the lanes. */
static IrStmt *rewrite(Jam *j, IrBlock *home) {
    IrStmt *outer = jam_outer(j), *made;
    IrBlock front = {0};
    IrBuilder b = {.func = j->func, .block = &front, .span = outer->span};
    bool up = j->loops[0].step > 0;
    IrReg lo = outer->args[0], hi = outer->args[1];
    IrReg first = ir_var(j->func, int_type, NULL);
    hoist_block(j, &outer->u.blocks.then, &front);
    ir_build_copy(&b, first, lo);
    IrReg way = ir_build_binary(&b, OP_SUB, int_type, up ? hi : lo, up ? lo : hi);
    IrReg lanes = ir_const_int(j->func, TY_INT64, j->lanes);
    b.block = &ir_build_if(&b, ir_build_compare(&b, OP_GE, way, lanes))->u.blocks.then;
    if (!j->apart) {
        IrReg sure = ir_jam_ask(j, &b);
        b.block = &ir_build_if(&b, sure)->u.blocks.then;
    }
    made = write_lanes(j, &b, way, first);
    move_before(home, outer, &front);
    mark_leftovers(j);
    ir_jam_forget(j); /* by the operands it had */
    outer->args[0] = first;
    return made;
}

/* ---- Finding nests ---- */

typedef struct Search {
    IrFunc *func;
    JrArena *arena;
    JamUse *uses;
    uint32_t nuses;
} Search;

static void search_block(Search *s, IrBlock *block, uint32_t depth, bool apart);

/* The loop of the lanes, or NULL. */
static IrStmt *try_loop(Search *s, IrBlock *block, IrStmt *loop, bool apart) {
    Jam *j = JR_NEW(s->arena, Jam);
    *j = (Jam){.func = s->func,
               .arena = s->arena,
               .uses = s->uses,
               .nuses = s->nuses,
               .apart = apart};
    IrStmt *made = NULL;
    if (ir_jam_look(j, loop) && (j->loops[0].step == 1 || j->loops[0].step == -1) &&
        ir_jam_can_ask(j) && ir_jam_may_run(j)) {
        ir_jam_find_places(j);
        j->lanes = choose_lanes(j);
        if (j->lanes) made = rewrite(j, block);
    }
    ir_jam_forget(j);
    s->uses = j->uses;
    s->nuses = j->nuses;
    return made;
}

static void search_block(Search *s, IrBlock *block, uint32_t depth, bool apart) {
    for (IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (!ir_stmt_is_nested(stmt)) continue;
        IrStmt *made = NULL;
        if (stmt->op == OP_FOR) made = try_loop(s, block, stmt, apart);
        if (made) {
            if (depth < MAX_NEST_DEPTH) search_block(s, &made->u.blocks.then, depth + 1, true);
            continue;
        }
        search_block(s, &stmt->u.blocks.then, depth, apart);
        search_block(s, &stmt->u.blocks.els, depth, apart);
    }
}

void ir_jam_module(IrModule *module) {
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        IrFunc *func = module->funcs.data[i];
        if (ir_block_count(&func->body) > LARGEST_FUNC) continue;
        Search search = {.func = func, .arena = module->arena};
        search_block(&search, &func->body, 0, false);
    }
}

/* Writing lanes side by side. Each lane has registers of its own for what the nest computes; variables
 * too, but for those that go on from one iteration to the next, and the last lane, which uses the
 * nest's own: behind the loop they hold what the last iteration left.
 *
 * In the innermost loops, elements that are stored to stay in registers where nothing else touches
 * them: the c[j] that all lanes add to for one round, the s[i] of each lane for the whole loop. */
#include "ir/jam/jam.h"

typedef struct Lanes {
    Jam *j;
    IrBuilder b;
    IrReg *map;  /* of lane l, the local register r: map[l * nlocals + r] */
    uint32_t at; /* in the entries */
} Lanes;

static IrReg *slot_of(const Lanes *l, uint32_t lane, IrReg reg) {
    const Jam *j = l->j;
    if (reg >= j->nuses || !j->uses[reg].local) return NULL;
    return &l->map[lane * j->nlocals + j->uses[reg].local - 1];
}

/* The register as this lane has it. */
static IrReg in_lane(const Lanes *l, uint32_t lane, IrReg reg) {
    const IrReg *slot = slot_of(l, lane, reg);
    return slot && *slot != IR_NO_REG ? *slot : reg;
}

static IrReg make_dst(const Lanes *l, uint32_t lane, IrReg reg) {
    IrFunc *func = l->b.func;
    IrRegInfo info = *ir_reg(func, reg);
    const JamUse *use = ir_jam_use(l->j, reg);
    IrReg *slot = slot_of(l, lane, reg);
    if (info.kind == REG_TEMP) return *slot = ir_temp(func, info.type);
    if (use->carried || lane + 1 == l->j->lanes) return reg;
    if (*slot == IR_NO_REG) *slot = ir_var(func, info.type, info.name);
    return *slot;
}

/* ---- Elements in registers ---- */

/* A value that stays what it is. */
static IrReg settle(Lanes *l, IrReg value) {
    if (ir_reg(l->b.func, value)->kind != REG_VAR) return value;
    return ir_build_unary(&l->b, OP_COPY, ir_reg_type(l->b.func, value), value);
}

static void use_element(Lanes *l, uint32_t lane, const IrStmt *s, IrReg value) {
    IrReg dst = s->dsts[0];
    if (ir_reg(l->b.func, dst)->kind == REG_TEMP)
        *slot_of(l, lane, dst) = settle(l, value);
    else
        ir_build_copy(&l->b, make_dst(l, lane, dst), value);
}

/* The element, loaded or stored as the statement does it in a lane. */
static IrStmt *touch(Lanes *l, uint32_t lane, const IrStmt *s, IrOp op, IrReg value) {
    uint32_t ndim = ir_reg_type(l->b.func, s->args[0]).ndim;
    IrReg args[IR_MAX_DIMS + 2] = {s->args[0]};
    for (uint32_t i = 1; i <= ndim; i++)
        args[i] = in_lane(l, lane, s->args[i]);
    args[ndim + 1] = value;
    l->b.span = s->span;
    bool loads = op == OP_LOAD;
    return ir_build(&l->b, op, loads, &value, loads ? 1 + ndim : 2 + ndim, args);
}

static void keep_access(Lanes *l, uint32_t lane, const JamAccess *access) {
    const IrStmt *s = access->stmt;
    JamPlace *place = access->place;
    IrReg *value = &place->value[place->keep == KEEP_LOOP ? lane : 0];
    l->b.span = s->span;
    if (access->stored) {
        IrReg stored = in_lane(l, lane, s->args[s->nargs - 1]);
        if (place->keep == KEEP_LOOP) {
            ir_build_copy(&l->b, *value, stored);
            return;
        }
        *value = settle(l, stored);
        place->store = s;
        place->store_lane = lane;
        return;
    }
    if (*value == IR_NO_REG) {
        *value = ir_temp(l->b.func, ir_reg_type(l->b.func, s->dsts[0]));
        touch(l, lane, s, OP_LOAD, *value);
    }
    use_element(l, lane, s, *value);
}

static bool is_in(const JamPlace *place, uint32_t loop, JamKeep keep) {
    return place->loop == loop && place->keep == keep;
}

static void start_round(Lanes *l, uint32_t loop) {
    for (uint32_t i = 0; i < l->j->places.len; i++) {
        JamPlace *place = l->j->places.data[i];
        if (!is_in(place, loop, KEEP_ROUND)) continue;
        place->value[0] = IR_NO_REG;
        place->store = NULL;
    }
}

static void end_round(Lanes *l, uint32_t loop) {
    for (uint32_t i = 0; i < l->j->places.len; i++) {
        const JamPlace *place = l->j->places.data[i];
        if (is_in(place, loop, KEEP_ROUND) && place->store)
            touch(l, place->store_lane, place->store, OP_STORE, place->value[0]);
    }
}

/* ---- Statements ---- */

static void copy_stmt(Lanes *l, uint32_t lane, const JamEntry *entry) {
    const IrStmt *s = entry->stmt;
    IrReg args[IR_MAX_DIMS + 2], dst = IR_NO_REG;
    if (entry->hoisted) return;
    if (entry->access && entry->access->place && entry->access->place->keep != KEEP_NOT) {
        keep_access(l, lane, entry->access);
        return;
    }
    for (uint32_t i = 0; i < s->nargs; i++)
        args[i] = in_lane(l, lane, s->args[i]);
    if (s->ndsts) dst = make_dst(l, lane, s->dsts[0]);
    l->b.span = s->span;
    IrStmt *made = ir_build(&l->b, (IrOp)s->op, s->ndsts, &dst, s->nargs, args);
    made->u = s->u;
    if (entry->access) made->u.mem.check = made->u.mem.wrap = 0;
}

static uint32_t end_of_segment(const Lanes *l) {
    uint32_t end = l->at;
    while (end < l->j->entries.len &&
           l->j->entries.data[end].segment == l->j->entries.data[l->at].segment)
        end++;
    return end;
}

static void write_segment(Lanes *l) {
    uint32_t end = end_of_segment(l);
    for (uint32_t lane = 0; lane < l->j->lanes; lane++)
        for (uint32_t i = l->at; i < end; i++)
            copy_stmt(l, lane, &l->j->entries.data[i]);
    l->at = end;
}

static void write_block(Lanes *l, const IrBlock *block);

static uint32_t loop_number(const Jam *j, const IrStmt *s) {
    uint32_t loop = 0;
    while (j->loops[loop].stmt != s)
        loop++;
    return loop;
}

/* Before the loop the elements that it keeps are loaded. Its first access to one tells where it is: the
 * index does not depend on the loop's counter, but may be computed in its body; so it is made of
 * the sum. */
static IrReg index_value(Lanes *l, uint32_t lane, const JamSum *sum) {
    IrReg value = IR_NO_REG;
    for (uint32_t i = 0; i < sum->nterms; i++) {
        IrReg term = in_lane(l, lane, sum->term[i]);
        IrReg factor = ir_const_int(l->b.func, TY_INT64, sum->factor[i]);
        IrType type = ir_scalar(TY_INT64);
        if (sum->factor[i] != 1) term = ir_build_binary(&l->b, OP_MUL, type, term, factor);
        value = value == IR_NO_REG ? term : ir_build_binary(&l->b, OP_ADD, type, value, term);
    }
    IrReg offset = ir_const_int(l->b.func, TY_INT64, sum->offset);
    if (value == IR_NO_REG) return offset;
    return sum->offset ? ir_build_binary(&l->b, OP_ADD, ir_scalar(TY_INT64), value, offset)
                       : value;
}

static void touch_kept(Lanes *l, uint32_t lane, const JamPlace *place, bool store) {
    const IrStmt *s = place->first->stmt;
    IrType type = ir_reg_type(l->b.func, s->args[0]);
    IrReg args[IR_MAX_DIMS + 2] = {s->args[0]}, value = place->value[lane];
    l->b.span = s->span;
    for (uint32_t i = 0; i < type.ndim; i++)
        args[1 + i] = index_value(l, lane, &place->first->index[i]);
    args[1u + type.ndim] = value;
    if (store)
        ir_build(&l->b, OP_STORE, 0, NULL, 2u + type.ndim, args);
    else
        ir_build(&l->b, OP_LOAD, 1, &value, 1u + type.ndim, args);
}

static void keep_around(Lanes *l, uint32_t loop, bool store) {
    for (uint32_t i = 0; i < l->j->places.len; i++) {
        JamPlace *place = l->j->places.data[i];
        if (!is_in(place, loop, KEEP_LOOP)) continue;
        for (uint32_t lane = 0; lane < l->j->lanes; lane++) {
            IrType type = ir_reg_type(l->b.func, place->first->stmt->args[0]);
            if (!store)
                place->value[lane] = ir_var(l->b.func, ir_scalar((IrScalar)type.scalar), NULL);
            touch_kept(l, lane, place, store);
        }
    }
}

static void write_loop(Lanes *l, const IrStmt *s) {
    uint32_t loop = loop_number(l->j, s);
    bool innermost = l->j->loops[loop].innermost;
    IrBlock *outer = l->b.block;
    IrReg counter;
    keep_around(l, loop, false);
    l->b.span = s->span;
    IrStmt *made = ir_build_for(&l->b, s->args[0], s->args[1], s->args[2], &counter);
    ir_reg(l->b.func, counter)->name = ir_reg(l->b.func, s->dsts[0])->name;
    made->jammed = innermost;
    for (uint32_t lane = 0; lane < l->j->lanes; lane++)
        *slot_of(l, lane, s->dsts[0]) = counter;
    l->b.block = &made->u.blocks.then;
    start_round(l, loop);
    write_block(l, &s->u.blocks.then);
    end_round(l, loop);
    l->b.block = outer;
    keep_around(l, loop, true);
}

/* The entry that comes next and is still here, or NULL. */
static const JamEntry *next_entry(Lanes *l) {
    while (l->at < l->j->entries.len && l->j->entries.data[l->at].hoisted)
        l->at++;
    return l->at < l->j->entries.len ? &l->j->entries.data[l->at] : NULL;
}

static void write_block(Lanes *l, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        const JamEntry *next = next_entry(l);
        if (s->op == OP_FOR)
            write_loop(l, s);
        else if (next && next->stmt == s)
            write_segment(l);
    }
}

/* lane l's iteration is l steps behind the first one's. */
static void number_lanes(Lanes *l, IrReg first) {
    const Jam *j = l->j;
    IrReg counter = jam_counter(j, 0);
    *slot_of(l, 0, counter) = first;
    for (uint32_t lane = 1; lane < j->lanes; lane++) {
        IrReg by = ir_const_int(l->b.func, TY_INT64, (int64_t)lane * j->loops[0].step);
        *slot_of(l, lane, counter) =
            ir_build_binary(&l->b, OP_ADD, ir_scalar(TY_INT64), first, by);
    }
}

IrStmt *ir_jam_lanes(Jam *j, IrBuilder *b, IrReg end) {
    Lanes l = {.j = j, .b = *b};
    const IrStmt *outer = jam_outer(j);
    IrReg counter, by = ir_const_int(b->func, TY_INT64, j->lanes * j->loops[0].step);
    l.map = JR_NEW_ARRAY(j->arena, IrReg, j->lanes * j->nlocals);
    for (uint32_t i = 0; i < j->lanes * j->nlocals; i++)
        l.map[i] = IR_NO_REG;
    IrStmt *made = ir_build_for(&l.b, outer->args[0], end, by, &counter);
    ir_reg(b->func, counter)->name = ir_reg(b->func, outer->dsts[0])->name;
    l.b.block = &made->u.blocks.then;
    number_lanes(&l, counter);
    write_block(&l, &outer->u.blocks.then);
    return made;
}

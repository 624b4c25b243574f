/* What a nest does. It is understood if it holds nothing but loops with bounds that it does not
 * change, arithmetic that cannot fail, and loads and stores of which every index is a sum of
 * counters times constants and of values that stay. */
#include "ir/jam/jam.h"

enum {
    MAX_STMTS = 96,
    MAX_DEPTH = 12,
    MAX_FACTOR = 1 << 16,
};

#define MAX_OFFSET ((int64_t)1 << 40)

JamUse *ir_jam_use(const Jam *j, IrReg reg) {
    return &j->uses[reg];
}

bool ir_jam_is_invariant(const Jam *j, IrReg reg) {
    const JamUse *use = ir_jam_use(j, reg);
    return use->hoisted || (!use->writes && !use->counter);
}

bool ir_jam_is_within(const Jam *j, uint32_t loop, uint32_t outer) {
    while (loop != outer && loop != 0)
        loop = j->loops[loop].parent;
    return loop == outer;
}

/* ---- Statements ---- */

static bool is_scalar(const Jam *j, const IrStmt *s) {
    return s->ndsts == 1 && !ir_reg_type(j->func, s->dsts[0]).ndim;
}

static bool is_simple(const Jam *j, const IrStmt *s) {
    switch (ir_op_form((IrOp)s->op)) {
    case FORM_LOAD: return is_scalar(j, s);
    case FORM_STORE: return true;
    case FORM_BIN:
    case FORM_CMP:
    case FORM_UN:
    case FORM_COPY:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_BITS:
    case FORM_DIM: return is_scalar(j, s) && !ir_stmt_may_fail(j->func, s);
    case FORM_MATH: return is_scalar(j, s) && ir_math_exact(s->u.math);
    default: return false;
    }
}

static void note_segment(Jam *j, IrReg reg) {
    JamUse *use = ir_jam_use(j, reg);
    if (!use->segment) use->segment = j->nsegments;
    use->scattered |= use->segment != j->nsegments;
}

/* A variable whose first use, in the order that is written, reads it has its value from the
 * iteration before: loops inside run at least once where lanes are used. */
static void note_read(Jam *j, IrReg reg) {
    JamUse *use = ir_jam_use(j, reg);
    if (ir_reg(j->func, reg)->kind != REG_VAR) return;
    use->carried |= !use->writes;
    note_segment(j, reg);
}

static void note_write(Jam *j, IrReg reg, const IrStmt *def, uint32_t loop) {
    JamUse *use = ir_jam_use(j, reg);
    use->writes++;
    use->def = def;
    use->pos = j->entries.len;
    use->loop = loop;
    if (!use->local) use->local = ++j->nlocals;
    if (ir_reg(j->func, reg)->kind == REG_VAR) note_segment(j, reg);
}

static bool look_at_block(Jam *j, IrBlock *block, uint32_t loop);

static bool look_at_loop(Jam *j, IrStmt *s, uint32_t parent) {
    const IrRegInfo *step = ir_reg(j->func, s->args[2]);
    if (j->nloops == JAM_LOOPS || s->parallel || step->kind != REG_CONST) return false;
    int64_t by = step->value.i;
    if (by == 0 || by < -MAX_FACTOR || by > MAX_FACTOR) return false;
    uint32_t loop = j->nloops++;
    j->loops[loop] = (JamLoop){s, parent, true, by};
    if (loop) j->loops[parent].innermost = false;
    for (uint32_t i = 0; i < 2; i++)
        note_read(j, s->args[i]);
    JamUse *use = ir_jam_use(j, s->dsts[0]);
    use->counter = true;
    use->loop = loop;
    use->local = ++j->nlocals;
    j->nsegments++;
    bool known = look_at_block(j, &s->u.blocks.then, loop);
    j->nsegments++;
    return known;
}

static bool look_at_stmt(Jam *j, IrStmt *s, uint32_t loop) {
    if (s->op == OP_FOR) return look_at_loop(j, s, loop);
    if (!is_simple(j, s) || j->entries.len == MAX_STMTS) return false;
    for (uint32_t i = 0; i < s->nargs; i++)
        note_read(j, s->args[i]);
    if (s->ndsts) note_write(j, s->dsts[0], s, loop);
    JamEntry entry = {.stmt = s, .loop = loop, .segment = j->nsegments};
    JR_PUSH(j->arena, &j->entries, entry);
    return true;
}

static bool look_at_block(Jam *j, IrBlock *block, uint32_t loop) {
    for (IrStmt *s = block->first; s; s = s->next)
        if (!look_at_stmt(j, s, loop)) return false;
    return true;
}

/* ---- What can be computed in front ---- */

static void find_hoisted(Jam *j) {
    for (uint32_t i = 0; i < j->entries.len; i++) {
        JamEntry *entry = &j->entries.data[i];
        const IrStmt *s = entry->stmt;
        if (s->op == OP_LOAD || s->op == OP_STORE) continue;
        bool all = ir_reg(j->func, s->dsts[0])->kind == REG_TEMP;
        for (uint32_t k = 0; k < s->nargs; k++)
            all &= ir_jam_is_invariant(j, s->args[k]);
        entry->hoisted = ir_jam_use(j, s->dsts[0])->hoisted = all;
    }
}

static bool bounds_stay(const Jam *j) {
    for (uint32_t i = 0; i < j->nloops; i++)
        for (uint32_t k = 0; k < 2; k++)
            if (!ir_jam_is_invariant(j, j->loops[i].stmt->args[k])) return false;
    return true;
}

/* A variable that goes on from one iteration to the next is used in one segment of the outer loop
 * alone, where lanes come one after the other. */
static bool variables_part(const Jam *j) {
    for (uint32_t i = 0; i < j->entries.len; i++) {
        const IrStmt *s = j->entries.data[i].stmt;
        const JamUse *use = s->ndsts ? ir_jam_use(j, s->dsts[0]) : NULL;
        if (!use || !use->carried) continue;
        if (use->scattered || j->entries.data[i].loop != 0) return false;
    }
    return true;
}

/* ---- Indices as sums ---- */

static bool add_term(JamSum *sum, IrReg reg, int64_t factor) {
    for (uint32_t i = 0; i < sum->nterms; i++) {
        if (sum->term[i] != reg) continue;
        sum->factor[i] += factor;
        if (sum->factor[i] == 0) {
            sum->nterms--;
            sum->term[i] = sum->term[sum->nterms];
            sum->factor[i] = sum->factor[sum->nterms];
            return true;
        }
        return sum->factor[i] > -MAX_FACTOR && sum->factor[i] < MAX_FACTOR;
    }
    if (sum->nterms == JAM_TERMS) return false;
    sum->term[sum->nterms] = reg;
    sum->factor[sum->nterms++] = factor;
    return true;
}

static bool small_const(const IrFunc *func, IrReg reg, int64_t *value) {
    const IrRegInfo *info = ir_reg(func, reg);
    if (info->kind != REG_CONST || info->type.scalar != TY_INT64) return false;
    *value = info->value.i;
    return *value > -MAX_FACTOR && *value < MAX_FACTOR;
}

static bool add_const(JamSum *sum, int64_t value) {
    sum->offset += value;
    return sum->offset > -MAX_OFFSET && sum->offset < MAX_OFFSET;
}

/* Invariant: i + 1, computed in front of the nest from what does not change either, is i plus 1. */
static bool add_invariant(const Jam *j, JamSum *sum, IrReg reg, int64_t factor) {
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        const IrRegInfo *info = ir_reg(j->func, reg);
        int64_t k = 0;
        if (small_const(j->func, reg, &k)) return add_const(sum, factor * k);
        const IrStmt *def = info->kind == REG_TEMP ? info->def : NULL;
        if (!def || (def->op != OP_COPY && def->op != OP_ADD && def->op != OP_SUB)) break;
        if (def->op != OP_COPY && !small_const(j->func, def->args[1], &k)) break;
        bool inside = ir_jam_use(j, reg)->hoisted;
        if (ir_reg(j->func, def->args[0])->kind == REG_VAR && !inside) break;
        if (!add_const(sum, factor * (def->op == OP_SUB ? -k : k))) return false;
        reg = def->args[0];
    }
    return add_term(sum, reg, factor);
}

/* Where a register is used: the number of the entry, and its loop. */
typedef struct Spot {
    uint32_t pos, loop;
} Spot;

static bool add_value(const Jam *j, JamSum *sum, IrReg reg, int64_t factor, Spot at,
                      int depth);

static bool add_product(const Jam *j, JamSum *sum, const IrStmt *s, int64_t factor, Spot at,
                        int depth) {
    int64_t k = 0;
    IrReg other = s->args[0];
    if (!small_const(j->func, s->args[1], &k)) {
        other = s->args[1];
        if (!small_const(j->func, s->args[0], &k)) return false;
    }
    factor *= k;
    if (factor <= -MAX_FACTOR || factor >= MAX_FACTOR) return false;
    return k == 0 || add_value(j, sum, other, factor, at, depth + 1);
}

static bool add_value(const Jam *j, JamSum *sum, IrReg reg, int64_t factor, Spot at,
                      int depth) {
    const JamUse *use = ir_jam_use(j, reg);
    if (depth > MAX_DEPTH || ir_reg_type(j->func, reg).scalar != TY_INT64) return false;
    if (use->counter) return add_term(sum, reg, factor);
    if (ir_jam_is_invariant(j, reg)) return add_invariant(j, sum, reg, factor);
    if (use->writes != 1 || use->pos >= at.pos || !ir_jam_is_within(j, at.loop, use->loop))
        return false;
    const IrStmt *s = use->def;
    Spot there = {use->pos, use->loop};
    switch (s->op) {
    case OP_COPY: return add_value(j, sum, s->args[0], factor, there, depth + 1);
    case OP_MUL: return add_product(j, sum, s, factor, there, depth);
    case OP_ADD:
    case OP_SUB:
        return add_value(j, sum, s->args[0], factor, there, depth + 1) &&
               add_value(j, sum, s->args[1], s->op == OP_ADD ? factor : -factor, there,
                         depth + 1);
    default: return false;
    }
}

int64_t ir_jam_factor(const JamSum *sum, IrReg reg) {
    for (uint32_t i = 0; i < sum->nterms; i++)
        if (sum->term[i] == reg) return sum->factor[i];
    return 0;
}

bool ir_jam_moves(const Jam *j, const JamSum *sum, IrReg but) {
    for (uint32_t i = 0; i < sum->nterms; i++)
        if (sum->term[i] != but && ir_jam_use(j, sum->term[i])->counter) return true;
    return false;
}

bool ir_jam_minus(const JamSum *a, const JamSum *b, JamSum *difference) {
    *difference = *a;
    difference->offset -= b->offset;
    for (uint32_t i = 0; i < b->nterms; i++)
        if (!add_term(difference, b->term[i], -b->factor[i])) return false;
    return true;
}

bool ir_jam_same_index(const Jam *j, const JamAccess *a, const JamAccess *b) {
    if (a->stmt->args[0] != b->stmt->args[0]) return false;
    for (unsigned i = 0; i < ir_reg_type(j->func, a->stmt->args[0]).ndim; i++) {
        JamSum d;
        if (!ir_jam_minus(&a->index[i], &b->index[i], &d) || d.nterms || d.offset)
            return false;
    }
    return true;
}

/* An index below zero counts from the end, or is an error. */
static bool is_negative(const JamSum *sum) {
    return sum->nterms == 0 && sum->offset < 0;
}

static bool look_at_access(Jam *j, uint32_t pos) {
    JamEntry *entry = &j->entries.data[pos];
    const IrStmt *s = entry->stmt;
    unsigned ndim = ir_reg_type(j->func, s->args[0]).ndim;
    JamAccess *access = JR_NEW(j->arena, JamAccess);
    if (j->accesses.len == JAM_ACCESSES) return false;
    *access = (JamAccess){s,
                          entry->loop,
                          entry->segment,
                          s->op == OP_STORE,
                          JR_NEW_ARRAY(j->arena, JamSum, ndim),
                          NULL};
    for (unsigned i = 0; i < ndim; i++)
        if (!add_value(j, &access->index[i], s->args[1 + i], 1, (Spot){pos, entry->loop}, 0) ||
            is_negative(&access->index[i]))
            return false;
    entry->access = access;
    JR_PUSH(j->arena, &j->accesses, access);
    return true;
}

/* Room for the registers there are now. Those of the last nest are forgotten: all is zero. */
static void make_room(Jam *j) {
    if (j->nuses >= j->func->regs.len) return;
    j->nuses = 2 * j->func->regs.len;
    j->uses = JR_NEW_ARRAY(j->arena, JamUse, j->nuses);
}

bool ir_jam_look(Jam *j, IrStmt *outer) {
    make_room(j);
    j->nloops = j->nsegments = j->nlocals = j->npairs = 0;
    j->entries.len = j->accesses.len = j->places.len = 0;
    if (!look_at_loop(j, outer, 0) || j->nloops == 1) return false;
    find_hoisted(j);
    if (!bounds_stay(j) || !variables_part(j)) return false;
    for (uint32_t i = 0; i < j->entries.len; i++) {
        IrOp op = (IrOp)j->entries.data[i].stmt->op;
        if ((op == OP_LOAD || op == OP_STORE) && !look_at_access(j, i)) return false;
    }
    return true;
}

static void forget_stmt(Jam *j, const IrStmt *s) {
    for (uint32_t i = 0; i < s->ndsts; i++)
        j->uses[s->dsts[i]] = (JamUse){0};
    for (uint32_t i = 0; i < s->nargs; i++)
        j->uses[s->args[i]] = (JamUse){0};
}

void ir_jam_forget(Jam *j) {
    for (uint32_t i = 0; i < j->nloops; i++)
        forget_stmt(j, j->loops[i].stmt);
    for (uint32_t i = 0; i < j->entries.len; i++)
        forget_stmt(j, j->entries.data[i].stmt);
    j->nloops = j->entries.len = 0;
}

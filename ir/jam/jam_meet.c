/* Whether lanes may get in each other's way.
 *
 * One after the other, the lanes would do all of the first, then all of the second. Side by side,
 *
 *     for i: A; for j: B; C      A0 A1; for j: B0 B1; C0 C1
 *
 * the order changes between lanes alone, and there between everything but what is done in the same
 * segment in the same round of the loops inside. So two accesses to one array, one of them a store, do
 * no harm if one axis tells that they touch different elements, or that they can only meet
 *
 *     a[i, j], a[i, k]           within one lane: the counter of the outer loop stands alone
 *     c[j], c[j], one segment    in the same round of each loop inside: its counter stands alone
 *
 * or a number that the nest does not change tells them apart. This holds of indices within
 * an array that is contiguous: elsewhere two indices may be one element. */
#include "ir/jam/jam.h"

/* On this axis both are the same, and of the nest's counters this one alone has a part in it. */
static bool is_told_by(const Jam *j, const JamSum *a, const JamSum *b, IrReg counter) {
    JamSum d;
    return ir_jam_minus(a, b, &d) && !d.nterms && !d.offset && ir_jam_factor(a, counter) &&
           !ir_jam_moves(j, a, counter);
}

static bool never_same(const Jam *j, const JamAccess *a, const JamAccess *b) {
    for (unsigned i = 0; i < ir_reg_type(j->func, a->stmt->args[0]).ndim; i++) {
        JamSum d;
        if (ir_jam_minus(&a->index[i], &b->index[i], &d) && !d.nterms && d.offset &&
            !ir_jam_moves(j, &a->index[i], IR_NO_REG))
            return true;
    }
    return false;
}

static bool some_axis_tells(const Jam *j, const JamAccess *a, const JamAccess *b,
                            IrReg counter) {
    for (unsigned i = 0; i < ir_reg_type(j->func, a->stmt->args[0]).ndim; i++)
        if (is_told_by(j, &a->index[i], &b->index[i], counter)) return true;
    return false;
}

static bool in_one_round(const Jam *j, const JamAccess *a, const JamAccess *b) {
    if (a->segment != b->segment) return false;
    for (uint32_t loop = a->loop; loop != 0; loop = j->loops[loop].parent)
        if (!some_axis_tells(j, a, b, jam_counter(j, loop))) return false;
    return true;
}

static bool note_pair(Jam *j, IrReg a, IrReg b) {
    for (uint32_t i = 0; i < j->npairs; i++)
        if ((j->pairs[i].a == a && j->pairs[i].b == b) ||
            (j->pairs[i].a == b && j->pairs[i].b == a))
            return true;
    if (j->npairs == JAM_PAIRS) return false;
    j->pairs[j->npairs++] = (JamPair){a, b};
    return true;
}

static bool may_meet(Jam *j, const JamAccess *a, const JamAccess *b) {
    IrReg array = a->stmt->args[0];
    if (!a->stored && !b->stored) return false;
    if (array != b->stmt->args[0]) return !note_pair(j, array, b->stmt->args[0]);
    return ir_reg_type(j->func, array).layout != LAYOUT_C ||
           !(never_same(j, a, b) || some_axis_tells(j, a, b, jam_counter(j, 0)) ||
             in_one_round(j, a, b));
}

bool ir_jam_may_run(Jam *j) {
    for (uint32_t i = 0; i < j->accesses.len; i++)
        for (uint32_t k = 0; k <= i; k++)
            if (may_meet(j, j->accesses.data[i], j->accesses.data[k])) return false;
    return true;
}

/* ---- Places ---- */

static JamPlace *place_of(Jam *j, const JamAccess *access) {
    for (uint32_t i = 0; i < j->places.len; i++) {
        JamPlace *place = j->places.data[i];
        if (place->loop == access->loop && ir_jam_same_index(j, place->first, access))
            return place;
    }
    JamPlace *place = JR_NEW(j->arena, JamPlace);
    *place = (JamPlace){.first = access, .loop = access->loop, .read_first = !access->stored};
    JR_PUSH(j->arena, &j->places, place);
    return place;
}

static bool moves_with(const Jam *j, const JamAccess *access, IrReg counter) {
    for (unsigned i = 0; i < ir_reg_type(j->func, access->stmt->args[0]).ndim; i++)
        if (ir_jam_factor(&access->index[i], counter)) return true;
    return false;
}

/* Nothing else in the loop touches the element. */
static bool is_alone(const Jam *j, const JamPlace *place) {
    for (uint32_t i = 0; i < j->places.len; i++) {
        const JamPlace *other = j->places.data[i];
        if (other == place || other->loop != place->loop) continue;
        if (other->first->stmt->args[0] != place->first->stmt->args[0]) continue;
        if (!never_same(j, place->first, other->first)) return false;
    }
    return true;
}

static JamKeep keep_of(const Jam *j, const JamPlace *place) {
    if (!place->stored || !is_alone(j, place)) return KEEP_NOT;
    if (!moves_with(j, place->first, jam_counter(j, place->loop))) return KEEP_LOOP;
    return moves_with(j, place->first, jam_counter(j, 0)) ? KEEP_NOT : KEEP_ROUND;
}

void ir_jam_find_places(Jam *j) {
    for (uint32_t i = 0; i < j->accesses.len; i++) {
        JamAccess *access = j->accesses.data[i];
        if (!j->loops[access->loop].innermost) continue;
        access->place = place_of(j, access);
        access->place->loaded |= !access->stored;
        access->place->stored |= access->stored;
    }
    for (uint32_t i = 0; i < j->places.len; i++)
        j->places.data[i]->keep = keep_of(j, j->places.data[i]);
}

/* OPEN: before a loop's first round, whether all its accesses are in range in every round (emit_open.c). */
#include "backend/interp/bytecode.h"

#define FARTHEST ((uint64_t)1 << 40) /* with COEFFICIENT_LIMIT no product below overflows */

/* Where the counter is, and how far it goes. */
typedef struct Journey {
    uint64_t now;
    int64_t by, distance; /* in a round, and in all rounds but the first */
} Journey;

static bool plan_journey(const Opening *opening, const Instr *ip, char *fp, Journey *journey) {
    const uint64_t now = frame_slot(fp, ip->c)->u, end = frame_slot(fp, ip->d)->u;
    const int64_t by =
        opening->step == NO_STEP ? opening->by : frame_slot(fp, opening->step)->i;
    const uint64_t stride = by > 0 ? (uint64_t)by : 0 - (uint64_t)by;
    const uint64_t room = (by > 0 ? end - now : now - end) - 1;
    if (room > FARTHEST || stride - 1 >= FARTHEST) return false;
    const uint64_t rounds = stride == 1 ? room : room / stride;
    if (rounds < FEW_ROUNDS) return false;
    *journey = (Journey){now, by, (int64_t)rounds * by};
    return true;
}

static uint64_t factor(const char *fp, uint32_t slot, int32_t more) {
    return frame_slot((char *)fp, slot)->u + (uint64_t)(int64_t)more;
}

/* How far the index moves when the counter moves by one; false if that is too far. */
static bool find_coefficient(const IndexSum *index, const char *fp, int64_t *coefficient) {
    *coefficient = index->coefficient;
    if (!index->varies) return true;
    const uint64_t more = factor(fp, index->q, index->q_more);
    if (more + COEFFICIENT_LIMIT > 2 * (uint64_t)COEFFICIENT_LIMIT) return false;
    *coefficient += (int64_t)more;
    return true;
}

/* The index in the first round. All wraps as the program's arithmetic does. */
static uint64_t first_index(const IndexSum *index, const Journey *journey, const char *fp) {
    uint64_t value = (uint64_t)index->constant;
    if (index->coefficient) value += (uint64_t)(int64_t)index->coefficient * journey->now;
    if (index->base != NO_STEP) value += factor(fp, index->base, 0);
    if (index->more != NO_STEP) value += factor(fp, index->more, 0);
    if (index->q != NO_STEP)
        value += factor(fp, index->p, index->p_more) * factor(fp, index->q, index->q_more);
    return value;
}

static uint64_t stride_of(const OpenPointer *pointer, const Header *array, unsigned axis) {
    const unsigned ndim = pointer->ndim;
    if (pointer->strided || ndim > 2) return (uint64_t)array->dims[ndim + axis];
    return axis + 1 == ndim ? 1 : (uint64_t)array->dims[1];
}

/* Elements `low` to `high` beside the index, in its axis, are in range in all rounds. */
static bool stays_in_range(uint64_t index, int64_t moves, int32_t low, int32_t high,
                           uint64_t dim) {
    const uint64_t least = index + (uint64_t)(int64_t)low + (moves < 0 ? (uint64_t)moves : 0);
    const uint64_t span =
        (moves < 0 ? 0 - (uint64_t)moves : (uint64_t)moves) + (uint64_t)((int64_t)high - low);
    return least < dim && span < dim - least;
}

static bool open_pointer(const OpenPointer *pointer, const IndexSum *index,
                         const Journey *journey, char *fp) {
    const Header *array = frame_header(fp, pointer->array);
    uint64_t offset = 0, step = 0;
    for (unsigned axis = 0; axis < pointer->ndim; axis++, index++) {
        const bool last = axis + 1u == pointer->ndim;
        const uint64_t stride = stride_of(pointer, array, axis),
                       first = first_index(index, journey, fp);
        int64_t coefficient;
        if (!find_coefficient(index, fp, &coefficient)) return false;
        if (!stays_in_range(first, coefficient * journey->distance, last ? pointer->low : 0,
                            last ? pointer->high : 0, (uint64_t)array->dims[axis]))
            return false;
        if (last && pointer->low != pointer->high && stride != 1) return false;
        offset += first * stride;
        step += (uint64_t)coefficient * (uint64_t)journey->by * stride;
    }
    const uintptr_t data = (uintptr_t)array->data;
    frame_slot(fp, pointer->to)->p = (void *)(data + (uintptr_t)(offset * pointer->size));
    if (pointer->step != NO_STEP) frame_slot(fp, pointer->step)->u = step * pointer->size;
    return true;
}

bool jr_interp_open(const JrCode *code, const Instr *ip, char *fp) {
    const Opening *opening = &code->openings[ip->a];
    Journey journey;
    if (!plan_journey(opening, ip, fp, &journey)) return false;
    for (uint32_t n = 0; n < opening->npointers; n++) {
        const OpenPointer *pointer = &code->open_pointers[opening->pointers + n];
        if (!open_pointer(pointer, &code->index_sums[pointer->indices], &journey, fp))
            return false;
    }
    return true;
}

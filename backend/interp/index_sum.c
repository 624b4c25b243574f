/* What the index of an element is made of, as far as its loop knows where it begins (IndexSum). */
#include "backend/interp/emit_open.h"

enum {
    LOOK_BACK = 48, /* keeps this linear */
    DEEPEST = 6     /* instructions that an index is made by, one from another */
};

static const IndexSum NOTHING = {NO_STEP, NO_STEP, NO_STEP, NO_STEP, 0, 0, 0, 0, false};

static bool is_changed(const Loop *loop, uint32_t slot) {
    for (uint32_t at = loop->top; at < loop->back; at++)
        if (instr_writes(loop_instr(loop, at), slot)) return true;
    return false;
}

/* The instruction that gave the slot the value it has at `at`, whatever way led there; `at` itself if it is not
 * in the loop's body, and false if nobody can tell. */
static bool find_writer(const Loop *loop, uint32_t slot, uint32_t at, uint32_t *writer) {
    uint32_t lowest = UINT32_MAX;
    *writer = at;
    for (uint32_t n = at, count = 0; n > loop->top; n--) {
        if (loop->lowest[n - loop->top] < lowest) lowest = loop->lowest[n - loop->top];
        if (!instr_writes(loop_instr(loop, n - 1), slot)) {
            if (++count == LOOK_BACK) return !is_changed(loop, slot);
            continue;
        }
        *writer = n - 1;
        return lowest > n - 1;
    }
    return !is_changed(loop, slot);
}

static bool fits(int64_t value) {
    return value == (int32_t)value;
}

static bool add_sums(IndexSum *sum, const IndexSum *more) {
    if (more->base != NO_STEP) {
        if (sum->base != NO_STEP && (sum->more != NO_STEP || more->more != NO_STEP))
            return false;
        if (sum->base == NO_STEP) sum->more = more->more;
        *(sum->base == NO_STEP ? &sum->base : &sum->more) = more->base;
    }
    if (more->q != NO_STEP) {
        if (sum->q != NO_STEP) return false;
        sum->p = more->p;
        sum->q = more->q;
        sum->p_more = more->p_more;
        sum->q_more = more->q_more;
        sum->varies = more->varies;
    }
    sum->coefficient += more->coefficient;
    sum->constant = (int64_t)((uint64_t)sum->constant + (uint64_t)more->constant);
    return sum->coefficient < COEFFICIENT_LIMIT && sum->coefficient > -COEFFICIENT_LIMIT;
}

static bool scale_sum(IndexSum *sum, int64_t factor) {
    if (sum->base != NO_STEP || sum->q != NO_STEP || factor >= COEFFICIENT_LIMIT ||
        factor <= -COEFFICIENT_LIMIT)
        return false;
    const int64_t coefficient = sum->coefficient * factor;
    if (coefficient >= COEFFICIENT_LIMIT || coefficient <= -COEFFICIENT_LIMIT) return false;
    sum->coefficient = (int32_t)coefficient;
    sum->constant = (int64_t)((uint64_t)sum->constant * (uint64_t)factor);
    return true;
}

/* One slot and a small constant: a factor of a product. */
static bool as_factor(const Loop *loop, const IndexSum *sum, uint32_t *slot, int32_t *more) {
    if (sum->q != NO_STEP || sum->more != NO_STEP || !fits(sum->constant)) return false;
    const bool counts = sum->coefficient == 1 && sum->base == NO_STEP;
    if (!counts && (sum->coefficient || sum->base == NO_STEP)) return false;
    *slot = counts ? loop->counter : sum->base;
    *more = (int32_t)sum->constant;
    return true;
}

static bool multiply_sums(const Loop *loop, const IndexSum *one, const IndexSum *two,
                          IndexSum *product) {
    *product = NOTHING;
    if (!as_factor(loop, one, &product->p, &product->p_more) ||
        !as_factor(loop, two, &product->q, &product->q_more))
        return false;
    const bool varies[] = {one->coefficient != 0, two->coefficient != 0};
    if (varies[0] && varies[1]) return false;
    product->varies = varies[0] || varies[1];
    if (!varies[1]) return true;
    const IndexSum turned = *product;
    product->p = turned.q;
    product->p_more = turned.q_more;
    product->q = turned.p;
    product->q_more = turned.p_more;
    return true;
}

static bool find_sum(const Loop *loop, uint32_t slot, uint32_t at, int depth, IndexSum *sum);

static bool find_result(const Loop *loop, uint32_t at, int depth, IndexSum *sum) {
    const Instr *instr = loop_instr(loop, at);
    IndexSum one, two;
    switch (instr->op) {
    case BC_CONST:
        *sum = NOTHING;
        sum->constant = instr->k;
        return true;
    case BC_COPY: return find_sum(loop, instr->b, at, depth, sum);
    case BC_ADD_K:
        if (!find_sum(loop, instr->b, at, depth, sum)) return false;
        sum->constant = (int64_t)((uint64_t)sum->constant + (uint64_t)instr->k);
        return true;
    case BC_MUL_K: return find_sum(loop, instr->b, at, depth, sum) && scale_sum(sum, instr->k);
    case BC_SHL_K:
        return find_sum(loop, instr->b, at, depth, sum) && instr->k < 20 &&
               scale_sum(sum, (int64_t)1 << instr->k);
    case BC_ADD_INT64:
        return find_sum(loop, instr->b, at, depth, sum) &&
               find_sum(loop, instr->c, at, depth, &two) && add_sums(sum, &two);
    case BC_SUB_INT64:
        return find_sum(loop, instr->b, at, depth, sum) &&
               find_sum(loop, instr->c, at, depth, &two) && scale_sum(&two, -1) &&
               add_sums(sum, &two);
    case BC_MUL_INT64:
        return find_sum(loop, instr->b, at, depth, &one) &&
               find_sum(loop, instr->c, at, depth, &two) &&
               multiply_sums(loop, &one, &two, sum);
    case BC_MUL_ADD_I:
        if (!find_sum(loop, instr->b, at, depth, &one) ||
            !find_sum(loop, instr->c, at, depth, &two) ||
            !multiply_sums(loop, &one, &two, sum))
            return false;
        return find_sum(loop, instr->d, at, depth, &one) && add_sums(sum, &one);
    default: return false;
    }
}

/* The value of a slot in front of the instruction at `at`. */
static bool find_sum(const Loop *loop, uint32_t slot, uint32_t at, int depth, IndexSum *sum) {
    uint32_t writer;
    *sum = NOTHING;
    if (depth == DEEPEST || !find_writer(loop, slot, at, &writer)) return false;
    if (writer != at) return find_result(loop, writer, depth + 1, sum);
    if (slot == loop->counter)
        sum->coefficient = 1;
    else
        sum->base = slot;
    return true;
}

bool jr_index_same(const IndexSum *one, const IndexSum *two, bool apart) {
    return one->p == two->p && one->q == two->q && one->base == two->base &&
           one->more == two->more && one->p_more == two->p_more &&
           one->q_more == two->q_more && one->coefficient == two->coefficient &&
           one->varies == two->varies &&
           (apart ? fits((int64_t)((uint64_t)one->constant - (uint64_t)two->constant))
                  : one->constant == two->constant);
}

bool jr_index_moves(const IndexSum *sum) {
    return sum->varies || sum->coefficient;
}

bool jr_index_sum(const Loop *loop, uint32_t slot, uint32_t at, IndexSum *sum) {
    return find_sum(loop, slot, at, 0, sum);
}

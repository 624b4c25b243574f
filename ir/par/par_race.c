/* Do two iterations touch the same element, one of them writing?
 *
 * Every access is resolved to a root, an array from outside the loop, and one subscript for
 * each of the root's axes: a point, or some part of the axis. Points are written as
 *
 *     a * counter + sum of (coefficient * value the loop does not change) + inner + k
 *
 * where `inner` are counters of loops inside. Two accesses of one root are apart if on some
 * axis no two different iterations have the same index:
 *
 *     a[i], a[2 * i + j]   same a, all else alike: the index is the iteration's own
 *     a[i], a[i - 1]       same a, constants k1 and k2: (k2 - k1) / a iterations apart, if
 * whole a[2 * i], a[4 * i + 1]   different a: the gcd test (Banerjee, Dependence Analysis,
 * 1997)
 *
 * If no axis keeps them apart and every axis is understood, the iterations are known and it is
 * an error that names them. What is not understood, such as an index from an array, keeps the
 * loop serial. Different roots may be the same memory: that is tested where the loop begins.
 *
 * Indices are int64 and wrap; arguments that divide hold only for those that change so slowly
 * that they cannot come round. A negative index counts from the end, so i and i - n may be one
 * element: what keeps two accesses apart counts only where neither index is negative, which
 * is known or tested where the loop begins. */
#include "ir/par/par_access.h"

enum {
    BOUND_DEPTH = 24, /* of what the bounds of an inner loop are computed from */
    FEWEST = 16,      /* iterations that a loop is taken to have, if how many is not known */
    STEEPEST = 65536, /* of an index per iteration: no loop lives to see it wrap at 2^64 */
    MOST_ASKED = 400, /* pairs, before all of them are known to matter */
};

typedef ParAffine Affine;
typedef ParAxis Axis;
typedef ParAccess Access;

typedef struct Race {
    ParLoop *p;
    ParAccesses accesses;
    uint32_t asked; /* so often for a test */
    bool good;
} Race;

static void stay_serial(Race *race, IrStmt *at, const char *why) {
    ir_par_stay_serial(race->p, at, why);
}

/* ---- Two accesses ---- */

typedef enum Verdict { APART, TOGETHER, UNDECIDED } Verdict;

static bool same_terms(const Affine *a, const Affine *b) {
    Affine difference = ir_par_combine(*a, b, -1);
    if (!difference.known) return false;
    for (uint32_t i = 0; i < difference.terms; i++)
        if (difference.factors[i]) return false;
    return true;
}

/* The largest power of two that divides both; all arithmetic is modulo 2^64, where no other
 * divisor says anything. */
static int64_t common_power(int64_t a, int64_t b) {
    uint64_t bits = (uint64_t)a | (uint64_t)b;
    return (int64_t)(bits & (0 - bits) & ~((uint64_t)1 << 63));
}

static bool constant(const ParLoop *p, IrReg reg, int64_t *value) {
    *value = ir_reg(p->func, reg)->value.i;
    return ir_reg(p->func, reg)->kind == REG_CONST;
}

/* Whether the loop has two iterations whose counters are `distance` apart. */
typedef enum Reach { REACH_NEVER, REACH_UNKNOWN, REACH_CERTAIN } Reach;

static Reach reach_of(const ParLoop *p, int64_t distance) {
    int64_t lo, hi, step;
    if (!constant(p, p->loop->args[2], &step) || step == 0) return REACH_UNKNOWN;
    if (distance % step != 0) return REACH_NEVER;
    __int128 far = distance < 0 ? -(__int128)distance : distance;
    if (!constant(p, p->loop->args[0], &lo) || !constant(p, p->loop->args[1], &hi)) {
        __int128 by = step < 0 ? -(__int128)step : step;
        return far / by <= FEWEST ? REACH_CERTAIN : REACH_UNKNOWN;
    }
    __int128 span = step > 0 ? (__int128)hi - lo : (__int128)lo - hi;
    return far < span ? REACH_CERTAIN : REACH_NEVER;
}

/* Whether the index changes by so little from one iteration to the next that it cannot come
 * round 2^64 to where it was. */
static bool is_gentle(const ParLoop *p, const Affine *at) {
    int64_t step, slope;
    if (at->counter == 1 || at->counter == -1 || at->counter == 0) return true;
    return constant(p, p->loop->args[2], &step) &&
           !__builtin_mul_overflow(step, at->counter, &slope) && slope <= STEEPEST &&
           slope >= -STEEPEST;
}

typedef struct Meeting {
    bool unsure;      /* whether the loop goes so far is not known */
    bool fixed;       /* they meet in iterations `distance` apart, and in no others */
    int64_t distance; /* the second access's iteration less the first's */
} Meeting;

static Verdict judge_slopes(const ParLoop *p, const Affine *a, const Affine *b, int64_t delta,
                            Meeting *meeting) {
    if (a->counter != b->counter) {
        int64_t power = common_power(a->counter, b->counter);
        return power > 1 && delta % power != 0 ? APART : UNDECIDED;
    }
    if (a->counter == 0) return delta ? APART : TOGETHER;
    if (!is_gentle(p, a)) return UNDECIDED;
    /* a t1 + k1 = a t2 + k2: t2 - t1 = (k1 - k2) / a */
    if (delta % a->counter != 0) return APART;
    int64_t d = delta / a->counter;
    Reach reach = d ? reach_of(p, d) : REACH_NEVER;
    if (reach == REACH_NEVER) return APART;
    *meeting = (Meeting){.unsure = reach == REACH_UNKNOWN, .fixed = true, .distance = d};
    return TOGETHER;
}

static Verdict judge_axis(const ParLoop *p, const Axis *x, const Axis *y, Meeting *meeting) {
    if (x->kind != AXIS_POINT || y->kind != AXIS_POINT) return UNDECIDED;
    const Affine *a = &x->at, *b = &y->at;
    int64_t delta;
    if (!a->known || !b->known) return UNDECIDED;
    if (__builtin_sub_overflow(a->constant, b->constant, &delta) || delta > INT64_MAX / 2 ||
        delta < INT64_MIN / 2)
        return UNDECIDED;
    if (a->inner || b->inner)
        return UNDECIDED; /* the inner counters differ in other iterations */
    Affine left = *a, right = *b;
    left.counter = right.counter = 0;
    if (!same_terms(&left, &right)) return UNDECIDED;
    return judge_slopes(p, a, b, delta, meeting);
}

/* ---- Negative indices ---- */

static bool is_never_negative(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP && info->def && info->def->op == OP_DIM;
}

/* The least value the counter's part of an index takes; false if that is not known. */
static bool least_part(const ParLoop *p, const Affine *at, __int128 *least) {
    int64_t lo, hi, step;
    *least = 0;
    if (!at->counter) return true;
    if (!constant(p, p->loop->args[2], &step) || step == 0) return false;
    bool from_start = (at->counter > 0) == (step > 0);
    if (from_start && !constant(p, p->loop->args[0], &lo)) return false;
    if (!from_start && !constant(p, p->loop->args[1], &hi)) return false;
    __int128 end = from_start ? lo : (__int128)hi + (step > 0 ? -1 : 1);
    *least = at->counter * end;
    return true;
}

static bool is_not_negative(const ParLoop *p, const Affine *at) {
    __int128 least;
    if (!at->known || !is_gentle(p, at) || !least_part(p, at, &least)) return false;
    for (uint32_t i = 0; i < at->terms; i++)
        if (at->factors[i] < 0 || !is_never_negative(p, at->regs[i])) return false;
    return least + at->constant >= 0;
}

/* Whether a test where the loop begins can tell: of its first and last iteration, since an
 * index goes evenly from one to the other. */
static bool is_testable(const ParLoop *p, const Affine *at) {
    int64_t step;
    bool small = constant(p, p->loop->args[2], &step) && step >= -STEEPEST && step <= STEEPEST;
    if (!at->known || at->inner || !is_gentle(p, at)) return false;
    if (!small && (at->counter != 1 || at->constant || at->terms)) return false;
    for (uint32_t i = 0; i < at->terms; i++)
        if (!ir_par_can_rebuild(p, at->regs[i])) return false;
    return true;
}

typedef enum Sign { SIGN_KNOWN, SIGN_TESTED, SIGN_UNKNOWN } Sign;

static Sign sign_of(const ParLoop *p, const Axis *axis) {
    if (!axis->wrap || is_not_negative(p, &axis->at)) return SIGN_KNOWN;
    return is_testable(p, &axis->at) ? SIGN_TESTED : SIGN_UNKNOWN;
}

static bool is_negative_constant(const Axis *axis) {
    return axis->at.constant < 0 && !axis->at.terms && !axis->at.counter;
}

/* An index i - n is the element i. Two indices that differ are different elements if neither
 * counts from the end. */
static Sign signs_of(const ParLoop *p, const Axis *x, const Axis *y) {
    if (is_negative_constant(x) && is_negative_constant(y)) return SIGN_KNOWN;
    Sign a = sign_of(p, x), b = sign_of(p, y);
    return a > b ? a : b;
}

static void note_not_negative(ParLoop *p, const Axis *axis) {
    if (sign_of(p, axis) != SIGN_TESTED) return;
    for (uint32_t i = 0; i < p->not_negative.len; i++) {
        const Affine *known = &p->not_negative.data[i];
        if (known->counter == axis->at.counter && known->constant == axis->at.constant &&
            same_terms(known, &axis->at))
            return;
    }
    JR_PUSH(p->arena, &p->not_negative, axis->at);
}

/* ---- All axes ---- */

typedef struct Judgement {
    Verdict verdict;
    Meeting meeting;
    uint32_t tested; /* axes whose indices must not be negative, for APART */
    bool negative;   /* they are apart but for negative indices */
} Judgement;

static Judgement judge(const ParLoop *p, const Access *a, const Access *b) {
    Judgement j = {.verdict = TOGETHER};
    uint32_t met = 0, apart = 0;
    for (uint32_t i = 0; i < a->ndim; i++) {
        Meeting meeting = {0};
        uint32_t axes = 1u << i;
        Verdict verdict = judge_axis(p, &a->axes[i], &b->axes[i], &meeting);
        if (verdict == TOGETHER && meeting.fixed) {
            if (j.meeting.fixed && j.meeting.distance != meeting.distance) {
                verdict = APART;
                axes |= met;
            }
            j.meeting = meeting;
            met = 1u << i;
        }
        if (verdict == UNDECIDED) j.verdict = UNDECIDED;
        if (verdict != APART) continue;
        Sign sign = SIGN_KNOWN;
        for (uint32_t k = 0; k < a->ndim; k++)
            if (axes >> k & 1) {
                Sign one = signs_of(p, &a->axes[k], &b->axes[k]);
                sign = one > sign ? one : sign;
            }
        if (sign == SIGN_KNOWN) return (Judgement){.verdict = APART};
        if (sign == SIGN_TESTED && !apart) apart = axes;
        j.verdict = UNDECIDED;
        j.negative = true;
    }
    if (apart) return (Judgement){.verdict = APART, .tested = apart};
    if (j.verdict == TOGETHER && j.meeting.unsure) j.verdict = UNDECIDED;
    return j;
}

/* ---- Accumulating ---- */

static bool same_update(ParUpdate a, ParUpdate b) {
    return a.op == b.op && a.nan == b.nan && a.right == b.right;
}

/* All accesses of the root are updates with one operator: h[k] += e. */
static bool is_indexed_reduction(Race *race, IrReg root) {
    ParLoop *p = race->p;
    ParIndexed indexed = {.array = root};
    uint32_t loads = 0, updates = 0;
    for (uint32_t i = 0; i < race->accesses.len; i++) {
        Access *access = &race->accesses.data[i];
        ParUpdate update;
        if (access->root != root) continue;
        if (access->stmt->op == OP_LOAD) {
            loads++;
            continue;
        }
        if (!access->stores || !ir_par_is_update(p, access->stmt, access->parent, &update) ||
            (updates && !same_update(update, indexed.update)))
            return false;
        indexed.update = update;
        if (!updates++) indexed.where = access->stmt;
    }
    if (!updates || loads != updates) return false;
    if (ir_reg_type(p->func, root).ndim == IR_MAX_DIMS) return false; /* no copies of it */
    for (uint32_t i = 0; i < race->accesses.len; i++)
        if (race->accesses.data[i].root == root)
            race->accesses.data[i].stmt->accumulates = (uint8_t)(1 + indexed.update.op);
    JR_PUSH(p->arena, &p->indexed, indexed);
    return true;
}

/* ---- Errors ---- */

static const char *array_name(const ParLoop *p, IrReg reg) {
    const char *name = ir_reg(p->func, reg)->name;
    return name ? name : "an array";
}

static const char *iterations(const ParLoop *p, int64_t distance) {
    int64_t lo, step;
    const char *name = ir_reg(p->func, par_counter(p))->name;
    if (!name) name = "i";
    if (constant(p, p->loop->args[0], &lo) && constant(p, p->loop->args[2], &step) &&
        step != 0) {
        __int128 other = (__int128)lo + distance;
        if (distance % step == 0 && (distance > 0) == (step > 0) && other <= INT64_MAX &&
            other >= INT64_MIN)
            return jr_arena_printf(p->arena, "%s = %lld and %s = %lld", name, (long long)lo,
                                   name, (long long)other);
    }
    return jr_arena_printf(p->arena, "%s and %s %c %lld", name, name, distance < 0 ? '-' : '+',
                           (long long)(distance < 0 ? -distance : distance));
}

/* x[0] += x[i] */
static bool accumulates(const ParLoop *p, const Access *access) {
    ParUpdate update;
    return access->stores && ir_par_is_update(p, access->stmt, access->parent, &update);
}

static void report_race(Race *race, const Access *a, const Access *b, int64_t distance,
                        bool fixed) {
    ParLoop *p = race->p;
    int64_t step;
    if (!fixed) distance = constant(p, p->loop->args[2], &step) ? step : 1;
    if (fixed && distance < 0) { /* name the earlier iteration first */
        const Access *swap = a;
        a = b;
        b = swap;
        distance = -distance;
    }
    JrDiag *d =
        jr_diag_error(p->diags, a->stmt->span,
                      "this prange loop has a race: iterations %s both use the same element "
                      "of '%s', and one writes it",
                      iterations(p, distance), array_name(p, a->root));
    if (accumulates(p, a) || accumulates(p, b))
        jr_diag_help(
            p->diags, d,
            "'%s' is used in the loop otherwise than by accumulating in it: accumulate "
            "in an array of its own, or use range",
            array_name(p, a->root));
    else
        jr_diag_help(
            p->diags, d,
            "use range, accumulate with an operator such as +=, or write to an element "
            "of the iteration's own");
    jr_diag_note(p->diags, d, b->stmt->span, "the other access, a %s",
                 b->stores ? "write" : "read");
    jr_diag_note(p->diags, d, p->loop->span, "the prange loop");
    race->good = false;
}

/* j in range(start[i], start[i + 1]) */
static bool counts_between_elements(ParLoop *p, const ParAffine *at) {
    for (uint32_t i = 0; at->known && i < at->terms; i++) {
        const IrStmt *loop = ir_reg(p->func, at->regs[i])->def;
        if (loop && loop->op == OP_FOR &&
            (ir_par_affine(p, loop->args[0], BOUND_DEPTH).from_array ||
             ir_par_affine(p, loop->args[1], BOUND_DEPTH).from_array))
            return true;
    }
    return false;
}

static bool from_array(ParLoop *p, const Access *a) {
    for (uint32_t i = 0; i < a->ndim; i++)
        if (a->axes[i].kind == AXIS_POINT &&
            (a->axes[i].at.from_array || counts_between_elements(p, &a->axes[i].at)))
            return true;
    return false;
}

static void undecided(Race *race, const Access *a, const Access *b) {
    ParLoop *p = race->p;
    if (!p->serial && (from_array(p, a) || from_array(p, b))) {
        JrDiag *d =
            jr_diag_warning(p->diags, a->stmt->span,
                            "this prange loop runs serially: whether its iterations write "
                            "different elements of '%s' depends on the contents of an array",
                            array_name(p, a->root));
        jr_diag_help(
            p->diags, d,
            "--check-races looks for iterations that do not, in one run; if there are "
            "none, say so: prange(..., unchecked=True)");
    }
    stay_serial(race, a->stmt,
                jr_arena_printf(p->arena,
                                "it is not known whether iterations write different "
                                "elements of '%s'",
                                array_name(p, a->root)));
}

/* ---- The loop ---- */

/* A store of a statement over all of an array, or of a part that is the same in each iteration,
 * meets itself. */
static bool is_overwritten(const Access *a, const Access *b) {
    if (a != b || !a->whole) return false;
    for (uint32_t i = 0; i < a->ndim; i++) {
        const Axis *axis = &a->axes[i];
        if (axis->kind == AXIS_PART) return false;
        if (axis->kind == AXIS_POINT && (!axis->at.known || axis->at.counter)) return false;
    }
    return true;
}

/* Leaves it to a test where the loop begins, or finds that none is needed. */
static bool is_tested(Race *race, const Access *a, const Access *b) {
    const char *test;
    bool doubtful;
    if (race->p->serial) return true; /* nothing depends on it any more */
    ParAnswer answer = ir_par_test_of(race->p, a, b, &test, &doubtful);
    if (answer == ANSWER_TEST) ir_par_add_test(race->p, a->root, test);
    return answer != ANSWER_NO;
}

static void judge_pair(Race *race, const Access *a, const Access *b) {
    ParLoop *p = race->p;
    Judgement j = judge(p, a, b);
    for (uint32_t i = 0; i < a->ndim && j.verdict == APART; i++)
        if (j.tested >> i & 1) {
            note_not_negative(p, &a->axes[i]);
            note_not_negative(p, &b->axes[i]);
        }
    if (j.verdict == APART) return;
    bool certain = j.verdict == TOGETHER && !a->conditional && !b->conditional;
    certain |= is_overwritten(a, b);
    if (!certain && is_tested(race, a, b)) return;
    if (certain)
        report_race(race, a, b, j.meeting.distance, j.meeting.fixed);
    else if (j.negative)
        stay_serial(
            race, a->stmt,
            jr_arena_printf(p->arena,
                            "an index of '%s' may be negative, and then counts from the end",
                            array_name(p, a->root)));
    else
        undecided(race, a, b);
}

/* In all likelihood: elements of its own are better than copies of the array. */
static bool will_be_apart(Race *race, const Access *a, const Access *b) {
    const char *test;
    bool doubtful;
    if (race->asked++ >= MOST_ASKED) return false;
    ParAnswer answer = ir_par_test_of(race->p, a, b, &test, &doubtful);
    return answer == ANSWER_APART || (answer == ANSWER_TEST && !doubtful);
}

static bool all_apart(Race *race, IrReg root) {
    for (uint32_t i = 0; i < race->accesses.len; i++)
        for (uint32_t j = 0; j < race->accesses.len; j++) {
            const Access *a = &race->accesses.data[i], *b = &race->accesses.data[j];
            if (a->root != root || b->root != root || !a->stores) continue;
            if (judge(race->p, a, b).verdict != APART && !will_be_apart(race, a, b))
                return false;
        }
    return true;
}

static bool judged(const Race *race, uint32_t count, IrReg root) {
    for (uint32_t i = 0; i < count; i++)
        if (race->accesses.data[i].root == root && race->accesses.data[i].stores) return true;
    return false;
}

/* The elements of an array whose strides anyone may choose can be one memory. */
static void note_distinct(ParLoop *p, IrReg root) {
    if (ir_reg_type(p->func, root).layout != LAYOUT_C) JR_PUSH(p->arena, &p->distinct, root);
}

static void judge_root(Race *race, IrReg root) {
    if (!all_apart(race, root) && is_indexed_reduction(race, root)) return;
    note_distinct(race->p, root);
    JR_PUSH(race->p->arena, &race->p->own, root);
    for (uint32_t i = 0; i < race->accesses.len && race->good; i++)
        for (uint32_t j = 0; j < race->accesses.len && race->good; j++) {
            const Access *a = &race->accesses.data[i], *b = &race->accesses.data[j];
            if (a->root != root || b->root != root || !a->stores || (b->stores && j < i))
                continue;
            judge_pair(race, a, b);
        }
}

/* Two roots may be one memory: the loop tests that where it begins. */
static void note_overlap(Race *race, IrReg a, IrReg b) {
    ParLoop *p = race->p;
    for (uint32_t i = 0; i + 1 < p->overlap.len; i += 2)
        if ((p->overlap.data[i] == a && p->overlap.data[i + 1] == b) ||
            (p->overlap.data[i] == b && p->overlap.data[i + 1] == a))
            return;
    JR_PUSH(p->arena, &p->overlap, a);
    JR_PUSH(p->arena, &p->overlap, b);
}

bool ir_par_races(ParLoop *p) {
    Race race = {.p = p, .good = true};
    ir_par_collect(p, &race.accesses);
    for (uint32_t i = 0; i < race.accesses.len; i++) {
        const Access *a = &race.accesses.data[i];
        if (!a->stores) continue;
        if (!judged(&race, i, a->root)) judge_root(&race, a->root);
        for (uint32_t j = 0; j < race.accesses.len; j++)
            if (race.accesses.data[j].root != a->root)
                note_overlap(&race, a->root, race.accesses.data[j].root);
    }
    return race.good;
}

void ir_par_find_updates(ParLoop *p) {
    Race race = {.p = p, .good = true};
    ir_par_collect(p, &race.accesses);
    for (uint32_t i = 0; i < race.accesses.len; i++) {
        const Access *a = &race.accesses.data[i];
        if (a->stores && !judged(&race, i, a->root) && !all_apart(&race, a->root))
            is_indexed_reduction(&race, a->root);
    }
}

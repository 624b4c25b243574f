/* Tests where a loop begins: whether two accesses of one array stay apart, in numbers that only
 * the run knows. par_reach.c says how far each index reaches, ir/par/apart.h what can be asked. If
 * a test fails the loop runs serially. */
#include "ir/par/apart.h"
#include "ir/par/par_access.h"

#include <string.h>

enum {
    MOST_TESTS = 64,
    FEW = 16, /* iterations: what keeps only fewer apart is not worth asking */
};

static const int64_t FOREVER = (int64_t)1 << 46; /* more iterations than any loop ends */

static ParReach find_reach(ParLoop *p, const ParAxis *axis) {
    switch (axis->kind) {
    case AXIS_POINT: return ir_par_reach(p, axis->frame, axis->index);
    case AXIS_PART:
        return ir_par_reach_of_part(p, axis->frame, axis->view, axis->arg, axis->view_axis);
    default: return (ParReach){0};
    }
}

/* ---- Without the run ---- */

static bool constant_reach(const ParReach *reach, bool wraps, IrReach *out) {
    const ParExpr *all[] = {&reach->lo.slope, &reach->lo.base, &reach->hi.slope,
                            &reach->hi.base};
    for (int i = 0; i < 4; i++)
        if (!all[i]->constant) return false;
    *out = (IrReach){{all[0]->value, all[1]->value}, {all[2]->value, all[3]->value}, wraps};
    return reach->needs == NULL && !reach->modulo.text;
}

static bool is_constant(const ParLoop *p, IrReg reg, int64_t *value) {
    *value = ir_reg(p->func, reg)->value.i;
    return ir_reg(p->func, reg)->kind == REG_CONST;
}

/* The trip count, or -1. */
static int64_t known_trip(const ParLoop *p) {
    int64_t lo, hi, step;
    if (!is_constant(p, p->loop->args[0], &lo) || !is_constant(p, p->loop->args[1], &hi) ||
        !is_constant(p, p->loop->args[2], &step) || step == 0)
        return -1;
    __int128 span = step > 0 ? (__int128)hi - lo : (__int128)lo - hi;
    __int128 size = step > 0 ? step : -(__int128)step;
    if (span <= 0) return 0;
    __int128 trip = (span - 1) / size + 1;
    return trip > FOREVER ? FOREVER : (int64_t)trip;
}

/* What is asked of an axis: whether the two are apart there, or whether all that one touches lies on
 * one side of what the other does in later iterations. */
typedef enum Question { APART, AHEAD, BEHIND, QUESTIONS } Question;

/* One axis of two accesses. */
typedef struct Axes {
    ParReach left, right;
    bool wraps_left, wraps_right, modulo;
} Axes;

static bool holds(Question question, int64_t trip, IrReach x, IrReach y) {
    switch (question) {
    case AHEAD: return ir_reach_ahead(trip, 0, x, y);
    case BEHIND: return ir_reach_ahead(trip, 0, y, x);
    default: return ir_reaches_apart(trip, 0, x, y);
    }
}

static ParAnswer decide(const ParLoop *p, const Axes *on, Question question) {
    IrReach x, y;
    int64_t trip = known_trip(p);
    if (on->modulo) return question == APART ? ANSWER_TEST : ANSWER_NO;
    if (!constant_reach(&on->left, on->wraps_left, &x) ||
        !constant_reach(&on->right, on->wraps_right, &y))
        return ANSWER_TEST;
    if ((x.wraps && x.lo.base < 0) || (y.wraps && y.lo.base < 0)) return ANSWER_TEST;
    if (holds(question, trip < 0 ? FOREVER : trip, x, y)) return ANSWER_APART;
    bool hopeless = trip >= 0 || !holds(question, FEW, x, y);
    return hopeless ? ANSWER_NO : ANSWER_TEST;
}

/* Nothing about them changes from one iteration to the next. */
static bool stands_still(const ParReach *a) {
    return a->lo.slope.constant && a->lo.slope.value == 0 && a->hi.slope.constant &&
           a->hi.slope.value == 0;
}

static bool same_line(const ParLine *a, const ParLine *b) {
    return !strcmp(a->slope.text, b->slope.text) && !strcmp(a->base.text, b->base.text);
}

/* ---- One axis ---- */

/* False if it cannot keep them apart. */
static bool look_at_axis(ParLoop *p, const ParAccess *a, const ParAccess *b, uint8_t i,
                         Axes *on) {
    const ParAxis *x = &a->axes[i], *y = &b->axes[i];
    ParReach left = find_reach(p, x), right = find_reach(p, y);
    if (!left.known || !right.known) return false;
    on->modulo = left.modulo.text && right.modulo.text &&
                 !strcmp(left.modulo.text, right.modulo.text) &&
                 (!left.modulo.constant || left.modulo.value > FEW);
    on->left = on->modulo ? left : ir_par_settled(p, left);
    on->right = on->modulo ? right : ir_par_settled(p, right);
    on->wraps_left = x->kind == AXIS_POINT && x->wrap && !on->modulo;
    on->wraps_right = y->kind == AXIS_POINT && y->wrap && !on->modulo;
    return !stands_still(&on->left) || !stands_still(&on->right) ||
           !same_line(&on->left.lo, &on->right.lo) || !same_line(&on->left.hi, &on->right.hi);
}

static const char *lines_text(ParLoop *p, const ParReach *a) {
    return jr_arena_printf(p->arena, "%s %s %s %s", a->lo.slope.text, a->lo.base.text,
                           a->hi.slope.text, a->hi.base.text);
}

static const char *question_text(ParLoop *p, IrReg array, uint8_t i, const Axes *on,
                                 Question question) {
    bool turned = question == BEHIND;
    const ParReach *first = turned ? &on->right : &on->left,
                   *second = turned ? &on->left : &on->right;
    bool wraps = turned ? on->wraps_right : on->wraps_left,
         wraps_too = turned ? on->wraps_left : on->wraps_right;
    const char *lines = jr_arena_printf(p->arena, "%s %s", lines_text(p, first),
                                        lines_text(p, second)),
               *text;
    if (on->modulo) {
        text = jr_arena_printf(p->arena, "%s %s modulo", lines, on->left.modulo.text);
    } else {
        const char *n = wraps || wraps_too ? ir_par_given(p, array, i).text : "0";
        text = jr_arena_printf(p->arena, "%s %s %d %s", lines, n, wraps + 2 * wraps_too,
                               question == APART ? "apart" : "ahead");
    }
    return ir_par_both(p, text, ir_par_both(p, on->left.needs, on->right.needs, "and"), "and");
}

/* ---- All axes ---- */

typedef struct Asked {
    ParAnswer answer;
    const char *text;
    bool doubtful;
} Asked;

/* One axis is enough. */
static Asked ask(ParLoop *p, IrReg array, uint32_t n, const Axes *on, const uint8_t *axis,
                 Question question) {
    Asked all = {.answer = ANSWER_NO, .doubtful = true};
    for (uint32_t i = 0; i < n; i++) {
        ParAnswer found = decide(p, &on[i], question);
        if (found == ANSWER_APART) return (Asked){.answer = ANSWER_APART};
        if (found == ANSWER_NO) continue;
        const char *text = question_text(p, array, axis[i], &on[i], question);
        all.answer = ANSWER_TEST;
        all.text = ir_par_both(p, all.text, text, "or");
        all.doubtful &=
            on[i].left.doubtful || on[i].right.doubtful || stands_still(&on[i].left);
    }
    return all;
}

/* One axis for the iterations of one that come first, and another for those of the other. */
static Asked ask_twice(ParLoop *p, IrReg array, uint32_t n, const Axes *on,
                       const uint8_t *axis) {
    Asked ahead = ask(p, array, n, on, axis, AHEAD), behind = ahead;
    if (ahead.answer == ANSWER_NO) return ahead;
    behind = ask(p, array, n, on, axis, BEHIND);
    if (behind.answer == ANSWER_NO || ahead.answer == ANSWER_APART) return behind;
    if (behind.answer == ANSWER_APART) return ahead;
    return (Asked){ANSWER_TEST, ir_par_both(p, ahead.text, behind.text, "and"),
                   ahead.doubtful || behind.doubtful};
}

ParAnswer ir_par_test_of(ParLoop *p, const ParAccess *a, const ParAccess *b, const char **test,
                         bool *doubtful) {
    Axes on[IR_MAX_DIMS] = {0};
    uint8_t axis[IR_MAX_DIMS] = {0};
    uint32_t n = 0;
    for (uint8_t i = 0; i < a->ndim; i++)
        if (look_at_axis(p, a, b, i, &on[n])) axis[n++] = i;
    Asked one = ask(p, a->root, n, on, axis, APART), two = {.answer = ANSWER_NO};
    if (n > 1 && one.answer != ANSWER_APART) two = ask_twice(p, a->root, n, on, axis);
    *test = one.text;
    *doubtful = one.doubtful;
    if (two.answer == ANSWER_NO || one.answer == ANSWER_APART) return one.answer;
    *test = ir_par_both(p, one.text, two.text, "or");
    *doubtful &= two.doubtful;
    return two.answer;
}

void ir_par_add_test(ParLoop *p, IrReg array, const char *test) {
    for (uint32_t i = 0; i < p->tests.len; i++)
        if (!strcmp(p->tests.data[i], test)) return;
    if (p->tests.len == MOST_TESTS)
        ir_par_stay_serial(p, p->loop,
                           "it would take too many tests to show that its iterations "
                           "write different elements");
    JR_PUSH(p->arena, &p->tests, test);
    for (uint32_t i = 0; i < p->tested.len; i++)
        if (p->tested.data[i] == array) return;
    JR_PUSH(p->arena, &p->tested, array);
}

/* What indices an access has in each iteration, as two lines: no less than one, no more than
 * the other. Their slopes and bases are numbers that only the run knows, such as a width, so
 * they are texts that a test evaluates where the loop begins (ir/par/apart.h):
 *
 *     i * w + j, 0 <= j < w        lo: slope w, base 0        hi: slope w, base w - 1
 *
 * The test computes with numbers that do not wrap. The program's do; but an index that ends
 * within an array is the same as one computed modulo 2^64, so sums and products may wrap on the
 * way. What does not go with that, such as a minimum or a quotient, needs its operands to fit.
 *
 * A variable with several writes, a while loop's, or a value from an array is not known. */
#include "ir/par/par_reach.h"

#include <string.h>

enum {
    DEPTH = 24,
    VISITS =
        4000, /* of registers, for one index: an expression can meet itself at each level */
    STEEPEST = 65536, /* a constant slope: no loop lives to see it wrap at 2^64 */
};

static const int64_t LARGEST = (int64_t)1 << 47; /* no array is longer */

/* ---- Two lines ---- */

static ParReach between(ParLine lo, ParLine hi) {
    return (ParReach){.known = ir_par_is_line(lo) && ir_par_is_line(hi), .lo = lo, .hi = hi};
}

static ParReach exactly(ParLine line) {
    return (ParReach){.known = ir_par_is_line(line), .exact = true, .lo = line, .hi = line};
}

static ParReach limits(ParLoop *p, int64_t lo, int64_t hi) {
    return between(ir_par_flat_line(p, ir_par_number(p, lo)),
                   ir_par_flat_line(p, ir_par_number(p, hi)));
}

static ParReach with_needs(ParLoop *p, ParReach made, const ParReach *a, const ParReach *b) {
    made.needs = ir_par_both(p, made.needs, a->needs, "and");
    if (b) made.needs = ir_par_both(p, made.needs, b->needs, "and");
    made.doubtful |= a->doubtful || (b && b->doubtful);
    if (a->modulo.text || (b && b->modulo.text)) made.known = false;
    return made;
}

static bool is_flat(const ParReach *a) {
    return a->exact && ir_par_is_number(a->lo.slope, 0);
}

static bool is_moderate(ParExpr e, int64_t most) {
    return e.constant && e.value <= most && e.value >= -most;
}

/* The program's own value is the one the test computes, not that modulo 2^64. */
static const char *fits(ParLoop *p, const ParReach *a) {
    const char *made = NULL;
    for (int i = 0; i < 2; i++) {
        ParLine line = i ? a->hi : a->lo;
        if (is_moderate(line.slope, STEEPEST) && is_moderate(line.base, LARGEST)) continue;
        if (ir_par_is_number(line.slope, 0) && line.base.text[0] == '#' &&
            !strchr(line.base.text, ' '))
            continue; /* a value as it was given */
        made = ir_par_both(
            p, made, jr_arena_printf(p->arena, "%s %s fits", line.slope.text, line.base.text),
            "and");
    }
    return made;
}

static const char *not_negative(ParLoop *p, ParLine line) {
    if (line.base.constant && line.base.value >= 0 && line.slope.constant &&
        line.slope.value >= 0)
        return NULL;
    return jr_arena_printf(p->arena, "%s nonneg", ir_par_end_of_line(p, line, "min").text);
}

/* ---- Operations ---- */

static ParReach reach(ParLoop *p, const ParFrame *frame, IrReg reg, int depth);
static ParReach of_stmt(ParLoop *p, const ParFrame *frame, const IrStmt *s, IrReg reg,
                        int depth);

static ParReach sum(ParLoop *p, ParReach a, ParReach b) {
    ParReach made = between(ir_par_add_lines(p, a.lo, b.lo), ir_par_add_lines(p, a.hi, b.hi));
    made.exact = a.exact && b.exact;
    return with_needs(p, made, &a, &b);
}

static ParReach negated(ParLoop *p, ParReach a) {
    ParExpr minus = ir_par_number(p, -1);
    ParReach made =
        between(ir_par_scale_line(p, a.hi, minus), ir_par_scale_line(p, a.lo, minus));
    made.exact = a.exact;
    return with_needs(p, made, &a, NULL);
}

/* By a factor that is the same in all iterations; one that only the run knows must not be
 * negative if there is more than one value to turn over. */
static ParReach product(ParLoop *p, ParReach a, ParReach b) {
    if (!is_flat(&b)) {
        ParReach other = a;
        a = b, b = other;
    }
    if (!is_flat(&b)) return (ParReach){0};
    ParExpr factor = b.lo.base;
    if (factor.constant && factor.value < 0 && factor.value > -LARGEST)
        return with_needs(
            p,
            product(p, negated(p, a),
                    exactly(ir_par_flat_line(p, ir_par_number(p, -factor.value)))),
            &b, NULL);
    ParReach made =
        between(ir_par_scale_line(p, a.lo, factor), ir_par_scale_line(p, a.hi, factor));
    made.exact = a.exact;
    if (!a.exact) made.needs = not_negative(p, b.lo);
    return with_needs(p, made, &a, &b);
}

static ParReach either(ParLoop *p, ParReach a, ParReach b) {
    ParReach made = between(ir_par_outer_line(p, a.lo, b.lo, "min"),
                            ir_par_outer_line(p, a.hi, b.hi, "max"));
    return with_needs(p, made, &a, &b);
}

/* min(a, b) is no more than either, and no less than the lesser of both. */
static ParReach minimum(ParLoop *p, ParReach a, ParReach b, bool max) {
    const char *op = max ? "max" : "min";
    ParReach made;
    if (is_flat(&a) && is_flat(&b)) {
        made = exactly(ir_par_flat_line(p, ir_par_least(p, a.lo.base, b.lo.base, op)));
    } else {
        const ParReach *moving = ir_par_is_number(a.hi.slope, 0) ? &b : &a;
        if (max)
            made = between(moving->lo, ir_par_outer_line(p, a.hi, b.hi, op));
        else
            made = between(ir_par_outer_line(p, a.lo, b.lo, op), moving->hi);
        if (!strcmp(a.hi.slope.text, b.hi.slope.text) && !max)
            made.hi.base = ir_par_least(p, a.hi.base, b.hi.base, op);
        if (!strcmp(a.lo.slope.text, b.lo.slope.text) && max)
            made.lo.base = ir_par_least(p, a.lo.base, b.lo.base, op);
        made.known = ir_par_is_line(made.lo) && ir_par_is_line(made.hi);
    }
    made.needs = ir_par_both(p, fits(p, &a), fits(p, &b), "and");
    return with_needs(p, made, &a, &b);
}

static bool divides(ParExpr by, ParExpr what) {
    return by.constant && what.constant && by.value > 0 && what.value % by.value == 0;
}

static ParLine quotient_line(ParLoop *p, ParLine line, ParExpr by, const char *op) {
    if (divides(by, line.slope))
        return (ParLine){ir_par_number(p, line.slope.value / by.value),
                         ir_par_divided(p, line.base, by, "//")};
    return ir_par_flat_line(p, ir_par_divided(p, ir_par_end_of_line(p, line, op), by, "//"));
}

/* A floored quotient grows with its dividend. */
static ParReach quotient(ParLoop *p, ParReach a, ParReach b) {
    if (!is_flat(&b)) return (ParReach){0};
    ParReach made = between(quotient_line(p, a.lo, b.lo.base, "min"),
                            quotient_line(p, a.hi, b.lo.base, "max"));
    made.exact = a.exact && divides(b.lo.base, a.lo.slope);
    made.needs = ir_par_both(p, fits(p, &a), fits(p, &b), "and");
    return with_needs(p, made, &a, &b);
}

static ParReach remainder_of(ParLoop *p, ParReach a, ParReach b) {
    if (!is_flat(&b) || (b.lo.base.constant && b.lo.base.value <= 0)) return (ParReach){0};
    ParReach made =
        between(ir_par_flat_line(p, ir_par_number(p, 0)),
                ir_par_flat_line(p, ir_par_plus(p, b.lo.base, ir_par_number(p, -1))));
    if (is_flat(&a))
        made = exactly(ir_par_flat_line(p, ir_par_divided(p, a.lo.base, b.lo.base, "%")));
    made.needs = ir_par_both(p, fits(p, &a), fits(p, &b), "and");
    if (!b.lo.base.constant)
        made.needs =
            ir_par_both(p, made.needs, not_negative(p, ir_par_shift_line(p, b.lo, -1)), "and");
    made = with_needs(p, made, &a, &b);
    if (is_flat(&a) || !made.known || !ir_par_is_line(a.lo)) return made;
    made.modulo = b.lo.base; /* what it is a remainder of says more */
    made.doubtful = true;
    made.lo = a.lo;
    made.hi = a.hi;
    return made;
}

/* As it is used in anything else, a remainder is known by its limits alone. */
ParReach ir_par_settled(ParLoop *p, ParReach a) {
    if (!a.modulo.text) return a;
    ParReach made =
        between(ir_par_flat_line(p, ir_par_number(p, 0)),
                ir_par_flat_line(p, ir_par_plus(p, a.modulo, ir_par_number(p, -1))));
    made.needs = a.needs;
    made.doubtful = a.doubtful;
    return made;
}

/* ---- Definitions ---- */

static IrReg only_write_in(const IrBlock *block, IrReg reg, const IrStmt **found,
                           uint32_t *count) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t d = 0; d < s->ndsts; d++)
            if (s->dsts[d] == reg) *found = s, ++*count;
        if (!ir_stmt_is_nested(s)) continue;
        only_write_in(&s->u.blocks.then, reg, found, count);
        only_write_in(&s->u.blocks.els, reg, found, count);
    }
    return reg;
}

const IrStmt *ir_par_frame_def(const ParLoop *p, const ParFrame *frame, IrReg reg) {
    const IrRegInfo *info = ir_reg(frame->func, reg);
    if (!frame->call) {
        const IrStmt *def = ir_par_temp_def(p, reg);
        return def || !par_set_has(p->written, reg) ? def : ir_par_only_write(p, reg);
    }
    if (info->kind == REG_TEMP) return info->def;
    if (info->kind != REG_VAR) return NULL;
    const IrStmt *found = NULL;
    uint32_t count = 0;
    only_write_in(&frame->func->body, reg, &found, &count);
    return count == 1 ? found : NULL;
}

bool ir_par_is_outside(const ParLoop *p, const ParFrame *frame, IrReg reg) {
    return !frame->call && !par_set_has(p->inside, reg) && !par_set_has(p->written, reg);
}

bool ir_par_is_argument(const ParFrame *frame, IrReg reg, IrReg *outer) {
    if (!frame->call || ir_reg(frame->func, reg)->kind != REG_PARAM) return false;
    if (frame->call->op == OP_PARALLEL && reg < 3) return false;
    *outer = frame->call->args[reg];
    return true;
}

/* A region's body is given its chunk and the bounds of it: all of them lie in [0, trip]. */
static ParReach chunk_bounds(ParLoop *p, const ParFrame *frame, int depth) {
    ParReach trip = reach(p, frame->up, frame->call->args[0], depth - 1);
    if (!trip.known) return limits(p, 0, LARGEST);
    return with_needs(p, between(ir_par_flat_line(p, ir_par_number(p, 0)), trip.hi), &trip,
                      NULL);
}

/* ---- Lengths ---- */

static ParReach length(ParLoop *p, const ParFrame *frame, IrReg array, uint8_t axis,
                       int depth);

static ParReach length_of_view(ParLoop *p, const ParFrame *frame, const IrStmt *view,
                               uint8_t axis, int depth) {
    uint32_t from = 0, to = 0, arg = 1;
    for (const char *step = view->u.mem.axes; *step; step++) {
        if (*step == 'i') {
            from++, arg++;
            continue;
        }
        if (to++ == axis) {
            if (*step == 'n') return limits(p, 1, 1);
            return reach(p, frame, view->args[arg + 1], depth);
        }
        if (*step == 'r') from++, arg += 3;
    }
    return length(p, frame, view->args[0], (uint8_t)(from + axis - to), depth);
}

static ParReach length(ParLoop *p, const ParFrame *frame, IrReg array, uint8_t axis,
                       int depth) {
    IrReg outer;
    ParReach any = limits(p, 0, LARGEST);
    if (depth <= 0) return any;
    if (ir_par_is_outside(p, frame, array))
        return exactly(ir_par_flat_line(p, ir_par_given(p, array, axis)));
    if (ir_par_is_argument(frame, array, &outer))
        return length(p, frame->up, outer, axis, depth - 1);
    const IrStmt *def = ir_par_frame_def(p, frame, array);
    if (!def) return any;
    ParReach made = any;
    uint8_t last = (uint8_t)(ir_reg_type(frame->func, array).ndim - 1);
    switch ((IrOp)def->op) {
    case OP_COPY:
    case OP_ASSIGN: return length(p, frame, def->args[0], axis, depth - 1);
    case OP_TRANSPOSE:
        return length(p, frame, def->args[0], (uint8_t)(last - axis), depth - 1);
    case OP_VIEW: made = length_of_view(p, frame, def, axis, depth - 1); break;
    case OP_ALLOC: made = reach(p, frame, def->args[axis], depth - 1); break;
    default: break;
    }
    return made.known ? ir_par_settled(p, made) : any;
}

/* ---- Registers ---- */

/* %x < 0 ? %x + n : %x: a bound of a slice that may count from the end. It is %x where that is
 * not negative. */
static bool is_wrapped(const ParFrame *frame, const IrStmt *select, IrReg *x) {
    const IrRegInfo *test = ir_reg(frame->func, select->args[0]);
    const IrRegInfo *sum_of = ir_reg(frame->func, select->args[1]);
    *x = select->args[2];
    return test->kind == REG_TEMP && test->def && test->def->op == OP_LT &&
           test->def->args[0] == *x &&
           ir_reg(frame->func, test->def->args[1])->kind == REG_CONST &&
           ir_reg(frame->func, test->def->args[1])->value.i == 0 && sum_of->kind == REG_TEMP &&
           sum_of->def && sum_of->def->op == OP_ADD &&
           (sum_of->def->args[0] == *x || sum_of->def->args[1] == *x);
}

static ParReach of_select(ParLoop *p, const ParFrame *frame, const IrStmt *s, int depth) {
    IrReg x;
    ParReach a = ir_par_settled(p, reach(p, frame, s->args[2], depth));
    if (is_wrapped(frame, s, &x)) {
        if (!a.known) return a;
        const char *needs = ir_par_both(p, not_negative(p, a.lo), fits(p, &a), "and");
        a.needs = ir_par_both(p, a.needs, needs, "and");
        return a;
    }
    ParReach b = ir_par_settled(p, reach(p, frame, s->args[1], depth));
    return a.known && b.known ? either(p, a, b) : (ParReach){0};
}

/* An inner loop's counter. */
static ParReach of_counter(ParLoop *p, const ParFrame *frame, const IrStmt *s, int depth) {
    const IrRegInfo *step = ir_reg(frame->func, s->args[2]);
    if (step->kind != REG_CONST || step->value.i == 0) return (ParReach){0};
    ParReach from = ir_par_settled(p, reach(p, frame, s->args[0], depth)),
             to = ir_par_settled(p, reach(p, frame, s->args[1], depth));
    if (!from.known || !to.known) return (ParReach){0};
    ParReach made = step->value.i > 0 ? between(from.lo, ir_par_shift_line(p, to.hi, -1))
                                      : between(ir_par_shift_line(p, to.lo, 1), from.hi);
    made.needs = ir_par_both(p, fits(p, &from), fits(p, &to), "and");
    return with_needs(p, made, &from, &to);
}

static ParReach of_two(ParLoop *p, const ParFrame *frame, const IrStmt *s, int depth) {
    ParReach a = ir_par_settled(p, reach(p, frame, s->args[0], depth)),
             b = ir_par_settled(p, reach(p, frame, s->args[1], depth));
    if (s->op == OP_AND && b.known && is_flat(&b) && b.lo.base.constant &&
        b.lo.base.value >= 0)
        return limits(p, 0, b.lo.base.value);
    if (!a.known || !b.known) return (ParReach){0};
    switch ((IrOp)s->op) {
    case OP_ADD: return sum(p, a, b);
    case OP_SUB: return sum(p, a, negated(p, b));
    case OP_MUL: return product(p, a, b);
    case OP_MIN:
    case OP_MAX: return minimum(p, a, b, s->op == OP_MAX);
    case OP_FLOORDIV: return quotient(p, a, b);
    case OP_MOD: return remainder_of(p, a, b);
    case OP_SHL:
    case OP_SHR:
        if (!is_flat(&b) || !b.lo.base.constant || b.lo.base.value < 0 || b.lo.base.value > 61)
            return (ParReach){0};
        b = exactly(ir_par_flat_line(p, ir_par_number(p, (int64_t)1 << b.lo.base.value)));
        return s->op == OP_SHL ? product(p, a, b) : quotient(p, a, b);
    default: return (ParReach){0};
    }
}

static uint32_t count_returns(const IrBlock *block) {
    uint32_t count = 0;
    for (const IrStmt *s = block->first; s; s = s->next) {
        count += s->op == OP_RETURN;
        if (ir_stmt_is_nested(s))
            count += count_returns(&s->u.blocks.then) + count_returns(&s->u.blocks.els);
    }
    return count;
}

const IrStmt *ir_par_only_return(const IrFunc *func) {
    const IrStmt *last = func->body.last;
    return last && last->op == OP_RETURN && count_returns(&func->body) == 1 ? last : NULL;
}

static ParReach of_call(ParLoop *p, const ParFrame *frame, const IrStmt *s, IrReg reg,
                        int depth) {
    const IrStmt *gives = ir_par_only_return(s->u.callee);
    ParFrame *inner = JR_NEW(p->arena, ParFrame);
    *inner = (ParFrame){s->u.callee, s, frame};
    if (!gives) return (ParReach){0};
    for (uint32_t i = 0; i < s->ndsts; i++)
        if (s->dsts[i] == reg) return reach(p, inner, gives->args[i], depth);
    return (ParReach){0};
}

/* v = e; if v > c: v = c. Wherever it is read, v is no more than e, and no less than the lesser of
 * e and c; the other way round with <. */
static ParReach of_clamped(ParLoop *p, const ParFrame *frame, IrReg reg, int depth) {
    const IrStmt *first, *second, *branch;
    if (frame->call || !ir_par_is_clamped(p, reg, &first, &second, &branch))
        return (ParReach){0};
    const IrStmt *test = ir_reg(p->func, branch->args[0])->def;
    bool greater = (test->op == OP_GT || test->op == OP_GE) == (test->args[0] == reg);
    ParReach a = ir_par_settled(p, of_stmt(p, frame, first, reg, depth)),
             b = ir_par_settled(p, of_stmt(p, frame, second, reg, depth));
    if (!a.known || !b.known) return (ParReach){0};
    ParReach made = greater ? between(ir_par_outer_line(p, a.lo, b.lo, "min"), a.hi)
                            : between(a.lo, ir_par_outer_line(p, a.hi, b.hi, "max"));
    made.needs = ir_par_both(p, fits(p, &a), fits(p, &b), "and");
    return with_needs(p, made, &a, &b);
}

static ParReach of_stmt(ParLoop *p, const ParFrame *frame, const IrStmt *s, IrReg reg,
                        int depth) {
    ParReach a;
    switch ((IrOp)s->op) {
    case OP_COPY:
    case OP_CAST: return reach(p, frame, s->args[0], depth);
    case OP_NEG:
        a = ir_par_settled(p, reach(p, frame, s->args[0], depth));
        return a.known ? negated(p, a) : a;
    case OP_FOR: return of_counter(p, frame, s, depth);
    case OP_SELECT: return of_select(p, frame, s, depth);
    case OP_DIM: return length(p, frame, s->args[0], s->u.imm, depth);
    case OP_CALL: return of_call(p, frame, s, reg, depth);
    default:
        if (ir_op_form(s->op) == FORM_BIN) return of_two(p, frame, s, depth);
        return (ParReach){0};
    }
}

/* Arithmetic narrower than int64 wraps at its width: only what the type allows is known. */
static ParReach of_type(ParLoop *p, IrType type) {
    if (type.scalar == TY_BOOL) return limits(p, 0, 1);
    if (!ir_scalar_is_int((IrScalar)type.scalar) || ir_scalar_size((IrScalar)type.scalar) == 8)
        return (ParReach){0};
    IrConst lo = ir_par_identity(OP_MAX, (IrScalar)type.scalar),
            hi = ir_par_identity(OP_MIN, (IrScalar)type.scalar);
    return limits(p, lo.i, hi.i);
}

static bool can_be_given(IrType type) {
    return !type.ndim && ir_scalar_is_int((IrScalar)type.scalar) && type.scalar != TY_UINT64;
}

static ParReach reach(ParLoop *p, const ParFrame *frame, IrReg reg, int depth) {
    const IrRegInfo *info = ir_reg(frame->func, reg);
    IrReg outer;
    if (depth <= 0 || info->type.ndim || p->visits++ > VISITS) return (ParReach){0};
    if (info->kind == REG_CONST)
        return ir_scalar_is_int((IrScalar)info->type.scalar)
                   ? exactly(ir_par_flat_line(p, ir_par_number(p, info->value.i)))
                   : (ParReach){0};
    if (!frame->call && reg == par_counter(p)) {
        ParReach lo = reach(p, frame, p->loop->args[0], depth - 1),
                 step = reach(p, frame, p->loop->args[2], depth - 1);
        if (!lo.known || !step.known || !is_flat(&lo) || !is_flat(&step)) return (ParReach){0};
        return exactly((ParLine){step.lo.base, lo.lo.base});
    }
    if (ir_par_is_outside(p, frame, reg))
        return can_be_given(info->type)
                   ? exactly(ir_par_flat_line(p, ir_par_given(p, reg, -1)))
                   : (ParReach){0};
    if (ir_par_is_argument(frame, reg, &outer)) return reach(p, frame->up, outer, depth - 1);
    if (info->kind == REG_PARAM && frame->call) return chunk_bounds(p, frame, depth);
    if (info->type.scalar != TY_INT64) return of_type(p, info->type);
    const IrStmt *def = ir_par_frame_def(p, frame, reg);
    return def ? of_stmt(p, frame, def, reg, depth - 1) : of_clamped(p, frame, reg, depth - 1);
}

ParReach ir_par_reach(ParLoop *p, const ParFrame *frame, IrReg reg) {
    p->visits = 0;
    return reach(p, frame, reg, DEPTH);
}

/* ---- Slices ---- */

static const IrStmt *temp_def(const ParFrame *frame, IrReg reg, IrOp op) {
    const IrRegInfo *info = ir_reg(frame->func, reg);
    return info->kind == REG_TEMP && info->def && info->def->op == op ? info->def : NULL;
}

/* start = min(E, n): where E is beyond n the part is empty, so no element lies before E. */
static IrReg unclamped_start(const ParFrame *frame, const IrStmt *view, IrReg start,
                             uint8_t axis) {
    const IrStmt *clamp = temp_def(frame, start, OP_MIN);
    const IrStmt *n = clamp ? temp_def(frame, clamp->args[1], OP_DIM) : NULL;
    return n && n->args[0] == view->args[0] && n->u.imm == axis ? clamp->args[0] : start;
}

/* length = max(stop - start, 0), with a step of s: (that - 1) // s + 1. The stop, or IR_NO_REG. */
static IrReg stop_of(const ParFrame *frame, IrReg start, IrReg length, int64_t step) {
    const IrStmt *s = step == 1 ? NULL : temp_def(frame, length, OP_ADD);
    if (step != 1) {
        s = s ? temp_def(frame, s->args[0], OP_FLOORDIV) : NULL;
        if (s && ir_reg(frame->func, s->args[1])->value.i != step) return IR_NO_REG;
        s = s ? temp_def(frame, s->args[0], OP_SUB) : NULL;
        if (!s) return IR_NO_REG;
        length = s->args[0];
    }
    const IrStmt *most = temp_def(frame, length, OP_MAX);
    if (most) length = most->args[0];
    const IrRegInfo *first = ir_reg(frame->func, start);
    if (first->kind == REG_CONST && first->value.i == 0) return length;
    const IrStmt *span = temp_def(frame, length, OP_SUB);
    return span && span->args[1] == start ? span->args[0] : IR_NO_REG;
}

/* stop = min(max(E, 0), n) is no more than E, where the part has any element. */
static IrReg unclamped_stop(const ParFrame *frame, IrReg stop) {
    const IrStmt *clamp = temp_def(frame, stop, OP_MIN);
    if (clamp) {
        const IrRegInfo *first = ir_reg(frame->func, clamp->args[0]);
        if (first->kind != REG_CONST) stop = clamp->args[0];
    }
    const IrStmt *most = temp_def(frame, stop, OP_MAX);
    const IrRegInfo *zero = most ? ir_reg(frame->func, most->args[1]) : NULL;
    return zero && zero->kind == REG_CONST && zero->value.i == 0 ? most->args[0] : stop;
}

ParReach ir_par_reach_of_part(ParLoop *p, const ParFrame *frame, const IrStmt *view,
                              uint32_t arg, uint8_t axis) {
    IrReg start = view->args[arg], length = view->args[arg + 1];
    const IrRegInfo *step = ir_reg(frame->func, view->args[arg + 2]);
    if (step->kind != REG_CONST || step->value.i < 1) return (ParReach){0};
    IrReg stop = stop_of(frame, start, length, step->value.i);
    if (stop == IR_NO_REG) return (ParReach){0};
    IrReg first = unclamped_start(frame, view, start, axis);
    const IrStmt *most = first != start ? temp_def(frame, first, OP_MAX) : NULL;
    if (most) first = most->args[0]; /* max(E, 0) is no less than E */
    ParReach lo = ir_par_settled(p, ir_par_reach(p, frame, first)),
             hi = ir_par_settled(p, ir_par_reach(p, frame, unclamped_stop(frame, stop)));
    if (!lo.known || !hi.known) return (ParReach){0};
    ParReach made = between(lo.lo, ir_par_shift_line(p, hi.hi, -1));
    made.needs = ir_par_both(p, fits(p, &lo), fits(p, &hi), "and");
    return with_needs(p, made, &lo, &hi);
}

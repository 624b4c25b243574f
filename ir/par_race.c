/* Do two iterations touch the same element, one of them writing?
 *
 * Every access is resolved to a root, an array from outside the loop, and one subscript for
 * each of the root's axes: a point, or all of the axis. Points are written as
 *
 *     a * counter + sum of (coefficient * register that the loop does not change) + inner + k
 *
 * where `inner` are counters of loops inside. Two accesses of one root are apart if on some
 * axis no two different iterations have the same index:
 *
 *     same a, everything else alike      the index is the iteration's own        (a[i], a[2 *
 * i + j]) same a, constants k1 and k2        iterations (k2 - k1) / a apart, if whole (a[i],
 * a[i - 1]) different a                        the gcd test (Banerjee, Dependence Analysis,
 * 1997)
 *
 * If no axis keeps them apart and every axis is understood, the iterations are known and it is
 * an error that names them. What is not understood, such as an index from an array, keeps the
 * loop serial. Different roots may be the same memory: that is tested where the loop begins.
 *
 * Negative indices count from the end, so i and i - n may be one element. A point that may be
 * negative is fine if every iteration's is, or none's; a test where the loop begins sees to
 * the latter. */
#include "ir/par.h"

#include <string.h>

enum { MAX_TERMS = 8, DEPTH = 24 };

typedef struct Affine {
    bool known;
    bool from_array; /* not known because it was read from an array */
    int64_t counter; /* coefficient of the loop's counter */
    int64_t constant;
    uint32_t terms;
    IrReg regs[MAX_TERMS];
    int64_t factors[MAX_TERMS];
    bool inner; /* some term is a counter of an inner loop */
} Affine;

typedef enum AxisKind { AXIS_WHOLE, AXIS_POINT, AXIS_PART } AxisKind;

typedef struct Axis {
    AxisKind kind;
    bool wrap;
    Affine at;
} Axis;

typedef struct Access {
    IrReg root;  /* IR_NO_REG: memory of the iteration's own */
    bool opaque; /* the root is known, the elements are not */
    bool stores;
    bool conditional; /* under an if, or in a loop that may not run */
    IrStmt *stmt, *parent;
    uint32_t ndim; /* the root's */
    Axis axes[IR_MAX_DIMS];
    uint32_t
        open; /* axes of the view so far: which of the root's, or UINT32_MAX for a new one */
    uint32_t map[2 * IR_MAX_DIMS];
} Access;

typedef struct Race {
    ParLoop *p;
    JR_VEC(Access) accesses;
    bool good;
} Race;

/* ---- Subscripts ---- */

static const IrStmt *temp_def(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP && par_set_has(p->inside, reg) ? info->def : NULL;
}

/* The one statement of the body that writes a private variable, or NULL. */
static IrStmt *only_write(const ParLoop *p, IrReg reg) {
    IrStmt *found = NULL;
    for (uint32_t i = 0; i < p->stmts.len; i++)
        for (uint32_t d = 0; d < p->stmts.data[i]->ndsts; d++)
            if (p->stmts.data[i]->dsts[d] == reg) {
                if (found) return NULL;
                found = p->stmts.data[i];
            }
    return found;
}

static Affine unknown(bool from_array) {
    return (Affine){.from_array = from_array};
}

static Affine term(IrReg reg, bool inner) {
    return (Affine){.known = true, .terms = 1, .regs = {reg}, .factors = {1}, .inner = inner};
}

static bool add_term(Affine *a, IrReg reg, int64_t factor) {
    for (uint32_t i = 0; i < a->terms; i++)
        if (a->regs[i] == reg)
            return !__builtin_add_overflow(a->factors[i], factor, &a->factors[i]);
    if (a->terms == MAX_TERMS) return false;
    a->regs[a->terms] = reg;
    a->factors[a->terms++] = factor;
    return true;
}

/* a + factor * b */
static Affine combine(Affine a, const Affine *b, int64_t factor) {
    int64_t x;
    a.from_array |= b->from_array;
    if (!a.known || !b->known) return unknown(a.from_array);
    a.inner |= b->inner;
    a.known = !__builtin_mul_overflow(b->counter, factor, &x) &&
              !__builtin_add_overflow(a.counter, x, &a.counter) &&
              !__builtin_mul_overflow(b->constant, factor, &x) &&
              !__builtin_add_overflow(a.constant, x, &a.constant);
    for (uint32_t i = 0; i < b->terms && a.known; i++)
        a.known =
            !__builtin_mul_overflow(b->factors[i], factor, &x) && add_term(&a, b->regs[i], x);
    return a;
}

static Affine affine(const ParLoop *p, IrReg reg, int depth);

static Affine affine_of_stmt(const ParLoop *p, const IrStmt *stmt, int depth) {
    static const Affine zero = {.known = true};
    Affine a, b;
    switch ((IrOp)stmt->op) {
    case OP_COPY: return affine(p, stmt->args[0], depth);
    case OP_CAST:
        if (!ir_scalar_is_int((IrScalar)ir_reg_type(p->func, stmt->args[0]).scalar))
            return unknown(false);
        a = affine(p, stmt->args[0], depth);
        return ir_reg_type(p->func, stmt->args[0]).scalar == TY_INT64 ? a
                                                                      : unknown(a.from_array);
    case OP_ADD:
    case OP_SUB:
        a = affine(p, stmt->args[0], depth);
        b = affine(p, stmt->args[1], depth);
        return combine(a, &b, stmt->op == OP_ADD ? 1 : -1);
    case OP_NEG: a = affine(p, stmt->args[0], depth); return combine(zero, &a, -1);
    case OP_MUL:
        a = affine(p, stmt->args[0], depth);
        b = affine(p, stmt->args[1], depth);
        if (b.known && !b.terms && !b.counter) return combine(zero, &a, b.constant);
        if (a.known && !a.terms && !a.counter) return combine(zero, &b, a.constant);
        return unknown(a.from_array || b.from_array);
    case OP_LOAD: return unknown(true);
    case OP_FOR: return term(stmt->dsts[0], true);
    default: {
        bool from_array = false;
        for (uint32_t i = 0; i < stmt->nargs; i++)
            if (ir_reg_type(p->func, stmt->args[i]).ndim == 0)
                from_array |= affine(p, stmt->args[i], depth).from_array;
        return unknown(from_array);
    }
    }
}

static Affine affine(const ParLoop *p, IrReg reg, int depth) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    if (depth == 0) return unknown(false);
    if (reg == par_counter(p)) return (Affine){.known = true, .counter = 1};
    if (info->kind == REG_CONST) {
        if (!ir_scalar_is_int((IrScalar)info->type.scalar)) return unknown(false);
        return (Affine){.known = true, .constant = info->value.i};
    }
    const IrStmt *def = temp_def(p, reg);
    if (def) return affine_of_stmt(p, def, depth - 1);
    if (!par_set_has(p->written, reg)) return term(reg, false);
    def = only_write(p, reg);
    return def && def->ndsts == 1 ? affine_of_stmt(p, def, depth - 1) : unknown(false);
}

/* ---- Accesses ---- */

static void open_root(const ParLoop *p, Access *access, IrReg root) {
    access->root = root;
    access->ndim = access->open = ir_reg_type(p->func, root).ndim;
    for (uint32_t i = 0; i < access->ndim; i++) {
        access->axes[i].kind = AXIS_WHOLE;
        access->map[i] = i;
    }
}

static void set_point(const ParLoop *p, Access *access, uint32_t view_axis, IrReg index,
                      bool wrap) {
    uint32_t axis = access->map[view_axis];
    if (axis == UINT32_MAX) return;
    if (access->axes[axis].kind != AXIS_WHOLE) return; /* a point of a part: somewhere in it */
    access->axes[axis] =
        (Axis){.kind = AXIS_POINT, .wrap = wrap, .at = affine(p, index, DEPTH)};
}

static bool resolve(const ParLoop *p, Access *access, IrReg array, int depth);

static bool resolve_view(const ParLoop *p, Access *access, const IrStmt *view, int depth) {
    if (!resolve(p, access, view->args[0], depth)) return false;
    if (access->root == IR_NO_REG) return true;
    uint32_t map[2 * IR_MAX_DIMS], n = 0, axis = 0, arg = 1;
    for (const char *step = view->u.mem.axes; *step; step++) {
        if (*step == 'n') {
            map[n++] = UINT32_MAX;
            continue;
        }
        if (*step == 'i') {
            set_point(p, access, axis, view->args[arg], view->u.mem.wrap >> axis & 1);
            arg++;
        } else {
            if (access->map[axis] != UINT32_MAX &&
                access->axes[access->map[axis]].kind == AXIS_WHOLE)
                access->axes[access->map[axis]].kind = AXIS_PART;
            map[n++] = access->map[axis];
            arg += 3;
        }
        axis++;
    }
    while (axis < access->open)
        map[n++] = access->map[axis++];
    memcpy(access->map, map, n * sizeof *map);
    access->open = n;
    return true;
}

/* The memory that a CALL's array result may be: that of an argument, or new. */
static bool takes_arrays(const ParLoop *p, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (ir_reg_type(p->func, stmt->args[i]).ndim) return true;
    return false;
}

static bool resolve_def(const ParLoop *p, Access *access, const IrStmt *def, int depth) {
    switch ((IrOp)def->op) {
    case OP_ALLOC: access->root = IR_NO_REG; return true;
    case OP_COPY:
    case OP_ASSIGN: return resolve(p, access, def->args[0], depth);
    case OP_VIEW: return resolve_view(p, access, def, depth);
    case OP_TRANSPOSE:
    case OP_BROADCAST:
    case OP_RESHAPE: access->opaque = true; return resolve(p, access, def->args[0], depth);
    case OP_CALL:
    case OP_RT: access->root = IR_NO_REG; return !takes_arrays(p, def);
    default: return false;
    }
}

/* False if the memory cannot be told. */
static bool resolve(const ParLoop *p, Access *access, IrReg array, int depth) {
    if (depth == 0) return false;
    const IrStmt *def = temp_def(p, array);
    if (!def && par_set_has(p->written, array)) {
        def = only_write(p, array);
        if (!def) { /* several writes: fine if all are new arrays */
            for (uint32_t i = 0; i < p->stmts.len; i++)
                for (uint32_t d = 0; d < p->stmts.data[i]->ndsts; d++)
                    if (p->stmts.data[i]->dsts[d] == array && p->stmts.data[i]->op != OP_ALLOC)
                        return false;
            access->root = IR_NO_REG;
            return true;
        }
    }
    if (def) return resolve_def(p, access, def, depth - 1);
    open_root(p, access, array);
    return true;
}

static void stay_serial(Race *race, IrStmt *at, const char *why) {
    if (race->p->serial) return;
    race->p->serial = why;
    race->p->serial_at = at;
}

static bool always_runs(const ParLoop *p, const IrStmt *parent) {
    return parent == p->loop;
}

static void add_access(Race *race, IrStmt *stmt, IrStmt *parent, IrReg array, uint32_t points,
                       bool stores) {
    Access access = {.stmt = stmt,
                     .parent = parent,
                     .stores = stores,
                     .conditional = !always_runs(race->p, parent)};
    if (!resolve(race->p, &access, array, DEPTH)) {
        stay_serial(race, stmt, "which array this is cannot be told");
        return;
    }
    if (access.root == IR_NO_REG) return;
    for (uint32_t i = 0; i < points && i < access.open; i++)
        set_point(race->p, &access, i, stmt->args[1 + i], stmt->u.mem.wrap >> i & 1);
    JR_PUSH(race->p->arena, &race->accesses, access);
}

static bool rt_writes(const IrStmt *stmt, uint32_t arg) {
    switch (stmt->u.rt) {
    case RT_ARRAY_COPY:
    case RT_ARRAY_SORT:
    case RT_NP_RANDOM_FILL_RANDOM:
    case RT_NP_RANDOM_FILL_NORMAL:
    case RT_NP_RANDOM_FILL_UNIFORM:
    case RT_NP_RANDOM_FILL_RANDINT: return arg == 0;
    default: return false;
    }
}

static void collect(Race *race) {
    ParLoop *p = race->p;
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        IrStmt *stmt = p->stmts.data[i], *parent = p->parents.data[i];
        if (stmt->op == OP_LOAD)
            add_access(race, stmt, parent, stmt->args[0], stmt->nargs - 1, false);
        if (stmt->op == OP_STORE)
            add_access(race, stmt, parent, stmt->args[0], stmt->nargs - 2, true);
        if (stmt->op != OP_CALL && stmt->op != OP_RT) continue;
        for (uint32_t a = 0; a < stmt->nargs; a++) {
            if (!ir_reg_type(p->func, stmt->args[a]).ndim) continue;
            bool writes =
                stmt->op == OP_RT ? rt_writes(stmt, a) : ir_reg(stmt->u.callee, a)->written;
            add_access(race, stmt, parent, stmt->args[a], 0, writes);
        }
    }
}

/* ---- Two accesses ---- */

typedef enum Verdict { APART, TOGETHER, UNDECIDED } Verdict;

static bool same_terms(const Affine *a, const Affine *b) {
    Affine difference = combine(*a, b, -1);
    if (!difference.known) return false;
    for (uint32_t i = 0; i < difference.terms; i++)
        if (difference.factors[i]) return false;
    return true;
}

static int64_t gcd(int64_t a, int64_t b) {
    uint64_t x = a < 0 ? 0 - (uint64_t)a : (uint64_t)a,
             y = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
    while (y) {
        uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return (int64_t)x;
}

static bool constant(const ParLoop *p, IrReg reg, int64_t *value) {
    *value = ir_reg(p->func, reg)->value.i;
    return ir_reg(p->func, reg)->kind == REG_CONST;
}

/* Whether the loop can have two iterations whose counters are `distance` apart. */
static bool can_be_apart(const ParLoop *p, int64_t distance) {
    int64_t lo, hi, step;
    if (!constant(p, p->loop->args[2], &step) || step == 0) return true;
    if (distance % step != 0) return false;
    if (!constant(p, p->loop->args[0], &lo) || !constant(p, p->loop->args[1], &hi))
        return true;
    __int128 span = step > 0 ? (__int128)hi - lo : (__int128)lo - hi;
    __int128 far = distance < 0 ? -(__int128)distance : distance;
    return far < span;
}

/* One axis. *distance: the second access's iteration less the first's, where they meet; left
 * alone if they meet in every pair of iterations. */
static Verdict judge_axis(const ParLoop *p, const Axis *x, const Axis *y, int64_t *distance,
                          bool *fixed) {
    if (x->kind != AXIS_POINT || y->kind != AXIS_POINT) return UNDECIDED;
    const Affine *a = &x->at, *b = &y->at;
    if (!a->known || !b->known) return UNDECIDED;
    int64_t delta;
    if (__builtin_sub_overflow(a->constant, b->constant, &delta)) return UNDECIDED;
    if (a->inner || b->inner)
        return UNDECIDED; /* the inner counters differ in other iterations */
    Affine left = *a, right = *b;
    left.counter = right.counter = 0;
    if (!same_terms(&left, &right)) return UNDECIDED;
    if (a->counter == b->counter && a->counter == 0) return delta ? APART : TOGETHER;
    if (a->counter == b->counter) {
        /* a t1 + k1 = a t2 + k2: t2 - t1 = (k1 - k2) / a */
        if (delta % a->counter != 0) return APART;
        int64_t d = delta / a->counter;
        if (d == 0 || !can_be_apart(p, d)) return APART;
        if (*fixed && *distance != d) return APART;
        *fixed = true;
        *distance = d;
        return TOGETHER;
    }
    return delta % gcd(a->counter, b->counter) != 0 ? APART : UNDECIDED;
}

static Verdict judge(const ParLoop *p, const Access *a, const Access *b, int64_t *distance,
                     bool *fixed) {
    Verdict verdict = TOGETHER;
    *fixed = false;
    if (a->opaque || b->opaque) return UNDECIDED;
    for (uint32_t i = 0; i < a->ndim; i++) {
        Verdict axis = judge_axis(p, &a->axes[i], &b->axes[i], distance, fixed);
        if (axis == APART) return APART;
        if (axis == UNDECIDED) verdict = UNDECIDED;
    }
    return verdict;
}

/* ---- Accumulating ---- */

/* All accesses of the root are updates with one operator: h[k] += e. */
static bool is_indexed_reduction(Race *race, IrReg root) {
    ParLoop *p = race->p;
    IrOp op = OP_COUNT;
    IrStmt *first = NULL;
    uint32_t loads = 0, updates = 0;
    for (uint32_t i = 0; i < race->accesses.len; i++) {
        Access *access = &race->accesses.data[i];
        IrStmt *load;
        IrOp found;
        if (access->root != root) continue;
        if (access->stmt->op == OP_LOAD) {
            loads++;
            continue;
        }
        if (!par_is_update(p, access->stmt, &found, &load) || (op != OP_COUNT && op != found))
            return false;
        op = found;
        updates++;
        if (!first) first = access->stmt;
    }
    if (op == OP_COUNT || loads != updates) return false;
    ParIndexed indexed = {.array = root, .op = op, .where = first};
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
    jr_diag_help(
        p->diags, d,
        "use range, accumulate with an operator such as +=, or write to an element of the "
        "iteration's own");
    jr_diag_note(p->diags, d, b->stmt->span, "the other access, a %s",
                 b->stores ? "write" : "read");
    jr_diag_note(p->diags, d, p->loop->span, "the prange loop");
    race->good = false;
}

static bool from_array(const Access *a) {
    for (uint32_t i = 0; i < a->ndim; i++)
        if (a->axes[i].kind == AXIS_POINT && a->axes[i].at.from_array) return true;
    return false;
}

static void undecided(Race *race, const Access *a, const Access *b) {
    ParLoop *p = race->p;
    if (!p->serial && (from_array(a) || from_array(b))) {
        JrDiag *d =
            jr_diag_warning(p->diags, a->stmt->span,
                            "this prange loop runs serially: whether its iterations write "
                            "different elements of '%s' depends on the contents of an array",
                            array_name(p, a->root));
        jr_diag_help(p->diags, d, "if they do, say so: prange(..., unchecked=True)");
    }
    stay_serial(race, a->stmt, "it is not known whether iterations write different elements");
}

/* ---- The loop ---- */

/* Whether every value of the point is known not to be negative, or can be made sure of by a
 * test before the loop (which is then noted). */
static bool not_negative(ParLoop *p, const Affine *at) {
    int64_t lo, step;
    if (!at->known || at->constant < 0 || at->counter < 0) return false;
    for (uint32_t i = 0; i < at->terms; i++)
        if (at->factors[i]) return false;
    if (!at->counter) return true;
    if (!constant(p, p->loop->args[2], &step) || step <= 0) return false;
    if (constant(p, p->loop->args[0], &lo)) return lo >= 0;
    for (uint32_t i = 0; i < p->from_zero.len; i++)
        if (p->from_zero.data[i] == p->loop->args[0]) return true;
    JR_PUSH(p->arena, &p->from_zero, p->loop->args[0]);
    return true;
}

/* Same subscript, but for a constant lo: lo * a + k >= 0 is what counts. */
static bool starts_not_negative(const ParLoop *p, const Affine *at) {
    int64_t lo, step;
    __int128 first;
    if (!at->known || at->terms || at->counter < 0) return false;
    if (!constant(p, p->loop->args[0], &lo) || !constant(p, p->loop->args[2], &step) ||
        step <= 0)
        return false;
    first = (__int128)at->counter * lo + at->constant;
    return first >= 0;
}

static bool wraps(ParLoop *p, const Access *a) {
    for (uint32_t i = 0; i < a->ndim; i++)
        if (a->axes[i].kind == AXIS_POINT && a->axes[i].wrap && a->axes[i].at.counter &&
            !starts_not_negative(p, &a->axes[i].at) && !not_negative(p, &a->axes[i].at))
            return true;
    return false;
}

static void judge_pair(Race *race, const Access *a, const Access *b) {
    ParLoop *p = race->p;
    int64_t distance = 0;
    bool fixed = false;
    Verdict verdict = judge(p, a, b, &distance, &fixed);
    if (verdict == TOGETHER && !a->conditional && !b->conditional)
        report_race(race, a, b, distance, fixed);
    else if (verdict != APART)
        undecided(race, a, b);
    else if (wraps(p, a) || wraps(p, b))
        stay_serial(race, a->stmt, "an index may be negative, and then counts from the end");
}

static Verdict worst_of_root(Race *race, IrReg root) {
    Verdict worst = APART;
    for (uint32_t i = 0; i < race->accesses.len; i++)
        for (uint32_t j = 0; j < race->accesses.len; j++) {
            const Access *a = &race->accesses.data[i], *b = &race->accesses.data[j];
            int64_t distance = 0;
            bool fixed;
            if (a->root != root || b->root != root || !a->stores) continue;
            if (judge(race->p, a, b, &distance, &fixed) != APART) worst = UNDECIDED;
        }
    return worst;
}

static bool judged(const Race *race, uint32_t count, IrReg root) {
    for (uint32_t i = 0; i < count; i++)
        if (race->accesses.data[i].root == root && race->accesses.data[i].stores) return true;
    return false;
}

static void judge_root(Race *race, IrReg root) {
    if (worst_of_root(race, root) != APART && is_indexed_reduction(race, root)) return;
    for (uint32_t i = 0; i < race->accesses.len && race->good; i++)
        for (uint32_t j = 0; j < race->accesses.len && race->good; j++) {
            const Access *a = &race->accesses.data[i], *b = &race->accesses.data[j];
            if (a->root != root || b->root != root || !a->stores || (b->stores && j < i))
                continue;
            judge_pair(race, a, b);
        }
}

static bool is_new_array(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP && info->def && info->def->op == OP_ALLOC;
}

/* Two roots may be one memory: the loop tests that where it begins. */
static void note_overlap(Race *race, IrReg a, IrReg b) {
    ParLoop *p = race->p;
    if (is_new_array(p, a) || is_new_array(p, b)) return;
    for (uint32_t i = 0; i + 1 < p->overlap.len; i += 2)
        if ((p->overlap.data[i] == a && p->overlap.data[i + 1] == b) ||
            (p->overlap.data[i] == b && p->overlap.data[i + 1] == a))
            return;
    JR_PUSH(p->arena, &p->overlap, a);
    JR_PUSH(p->arena, &p->overlap, b);
}

bool par_races(ParLoop *p) {
    Race race = {.p = p, .good = true};
    collect(&race);
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

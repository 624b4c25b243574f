/* Subscripts as sums: the loop's counter times something, values that the loop does not change,
 * counters of inner loops, a constant. par_race.c compares them. Arithmetic narrower than int64
 * wraps, so what it gives is not taken apart; if the loop does not change it, it is one term. */
#include "ir/par/par.h"

const IrStmt *ir_par_temp_def(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->kind == REG_TEMP && par_set_has(p->inside, reg) ? info->def : NULL;
}

/* The one statement of the body that writes a private variable, or NULL. */
IrStmt *ir_par_only_write(const ParLoop *p, IrReg reg) {
    IrStmt *found = NULL;
    for (uint32_t i = 0; i < p->stmts.len; i++)
        for (uint32_t d = 0; d < p->stmts.data[i]->ndsts; d++)
            if (p->stmts.data[i]->dsts[d] == reg) {
                if (found) return NULL;
                found = p->stmts.data[i];
            }
    return found;
}

/* The register is written twice, and the second write is `v = c` under `if v > c`, or <, and there
 * is no other way to it than past the first. */
bool ir_par_is_clamped(const ParLoop *p, IrReg reg, const IrStmt **first,
                       const IrStmt **second, const IrStmt **branch) {
    const IrStmt *writes[2], *parents[2];
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        const IrStmt *s = p->stmts.data[i];
        if (s->ndsts != 1 || s->dsts[0] != reg) continue;
        if (n == 2) return false;
        writes[n] = s;
        parents[n++] = p->parents.data[i];
    }
    if (n != 2 || parents[1]->op != OP_IF) return false;
    const IrStmt *test = ir_reg(p->func, parents[1]->args[0])->def;
    if (ir_reg(p->func, parents[1]->args[0])->kind != REG_TEMP || !test ||
        writes[1]->op != OP_COPY)
        return false;
    if (test->op != OP_GT && test->op != OP_GE && test->op != OP_LT && test->op != OP_LE)
        return false;
    IrReg other = test->args[0] == reg ? test->args[1] : test->args[0];
    *first = writes[0];
    *second = writes[1];
    *branch = parents[1];
    return (test->args[0] == reg) != (test->args[1] == reg) &&
           parents[1]->u.blocks.then.first == writes[1] && !parents[1]->u.blocks.els.first &&
           other == writes[1]->args[0] && ir_par_is_within(p, parents[1], parents[0]);
}

static ParAffine unknown(bool from_array) {
    return (ParAffine){.from_array = from_array};
}

static ParAffine term(IrReg reg, bool inner) {
    return (ParAffine){
        .known = true, .terms = 1, .regs = {reg}, .factors = {1}, .inner = inner};
}

static bool add_term(ParAffine *a, IrReg reg, int64_t factor) {
    for (uint32_t i = 0; i < a->terms; i++)
        if (a->regs[i] == reg)
            return !__builtin_add_overflow(a->factors[i], factor, &a->factors[i]);
    if (a->terms == PAR_MAX_TERMS) return false;
    a->regs[a->terms] = reg;
    a->factors[a->terms++] = factor;
    return true;
}

/* a + factor * b */
ParAffine ir_par_combine(ParAffine a, const ParAffine *b, int64_t factor) {
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

static bool is_invariant(const ParLoop *p, IrReg reg, int depth) {
    if (ir_reg(p->func, reg)->kind == REG_CONST) return true;
    if (!par_set_has(p->inside, reg)) return !par_set_has(p->written, reg);
    const IrStmt *def = ir_par_temp_def(p, reg);
    if (!def || depth == 0 || !ir_par_is_pure(def)) return false;
    if (def->op == OP_LOAD && par_set_has(p->touched, def->args[0])) return false;
    for (uint32_t i = 0; i < def->nargs; i++)
        if (!is_invariant(p, def->args[i], depth - 1)) return false;
    return true;
}

/* The loop computes the same value each time: one register stands for all that do. */
static ParAffine invariant(ParLoop *p, IrReg reg) {
    for (uint32_t i = 0; i < p->invariants.len; i++) {
        IrReg known = p->invariants.data[i];
        if (known == reg || ir_par_same_value(p, known, ir_reg(p->func, known)->def, reg,
                                              ir_reg(p->func, reg)->def))
            return term(known, false);
    }
    JR_PUSH(p->arena, &p->invariants, reg);
    return term(reg, false);
}

static bool is_int(const ParLoop *p, IrReg reg) {
    IrType type = ir_reg_type(p->func, reg);
    return !type.ndim && ir_scalar_is_int((IrScalar)type.scalar);
}

static ParAffine affine_of_stmt(ParLoop *p, const IrStmt *stmt, int depth);

static ParAffine affine_of_cast(ParLoop *p, IrReg from, int depth) {
    const IrStmt *def = ir_par_temp_def(p, from);
    if (!is_int(p, from))
        return unknown(def && depth > 0 && affine_of_stmt(p, def, depth - 1).from_array);
    if (ir_reg_type(p->func, from).scalar == TY_INT64) return ir_par_affine(p, from, depth);
    if (ir_reg(p->func, from)->kind == REG_CONST || !is_invariant(p, from, depth))
        return unknown(ir_par_affine(p, from, depth).from_array);
    return ir_par_affine(p, from, depth); /* a narrow register counts as what it is cast to */
}

static ParAffine affine_of_stmt(ParLoop *p, const IrStmt *stmt, int depth) {
    static const ParAffine zero = {.known = true};
    ParAffine a, b;
    switch ((IrOp)stmt->op) {
    case OP_COPY: return ir_par_affine(p, stmt->args[0], depth);
    case OP_CAST: return affine_of_cast(p, stmt->args[0], depth);
    case OP_ADD:
    case OP_SUB:
        a = ir_par_affine(p, stmt->args[0], depth);
        b = ir_par_affine(p, stmt->args[1], depth);
        return ir_par_combine(a, &b, stmt->op == OP_ADD ? 1 : -1);
    case OP_NEG:
        a = ir_par_affine(p, stmt->args[0], depth);
        return ir_par_combine(zero, &a, -1);
    case OP_MUL:
        a = ir_par_affine(p, stmt->args[0], depth);
        b = ir_par_affine(p, stmt->args[1], depth);
        if (b.known && !b.terms && !b.counter) return ir_par_combine(zero, &a, b.constant);
        if (a.known && !a.terms && !a.counter) return ir_par_combine(zero, &b, a.constant);
        return unknown(a.from_array || b.from_array);
    case OP_LOAD: return unknown(true);
    case OP_FOR: return term(stmt->dsts[0], true);
    default: {
        bool from_array = false;
        for (uint32_t i = 0; i < stmt->nargs; i++)
            if (ir_reg_type(p->func, stmt->args[i]).ndim == 0)
                from_array |= ir_par_affine(p, stmt->args[i], depth).from_array;
        return unknown(from_array);
    }
    }
}

ParAffine ir_par_affine(ParLoop *p, IrReg reg, int depth) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    if (depth == 0) return unknown(false);
    if (reg == par_counter(p)) return (ParAffine){.known = true, .counter = 1};
    if (info->kind == REG_CONST) {
        if (!ir_scalar_is_int((IrScalar)info->type.scalar)) return unknown(false);
        return (ParAffine){.known = true, .constant = info->value.i};
    }
    const IrStmt *def = ir_par_temp_def(p, reg);
    if (!def) {
        if (!par_set_has(p->written, reg)) return term(reg, false);
        def = info->type.scalar == TY_INT64 ? ir_par_only_write(p, reg) : NULL;
        return def && def->ndsts == 1 ? affine_of_stmt(p, def, depth - 1) : unknown(false);
    }
    if (info->type.scalar != TY_INT64) /* narrower arithmetic wraps */
        return is_invariant(p, reg, depth)
                   ? invariant(p, reg)
                   : unknown(affine_of_stmt(p, def, depth - 1).from_array);
    ParAffine made = affine_of_stmt(p, def, depth - 1);
    return made.known || !is_invariant(p, reg, depth) ? made : invariant(p, reg);
}

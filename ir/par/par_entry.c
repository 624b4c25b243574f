/* What is tested where a loop begins, for it to be a region: that arrays share no memory, that
 * indices are not negative, that iterations touch different elements. Values of the loop's body
 * that all of its iterations compute alike are computed here once more. */
#include "ir/par/par_outline.h"

#include <string.h>

typedef ParOutline Outline;

enum { REBUILD_DEPTH = 8 };

static bool can_rebuild(const ParLoop *p, IrReg reg, int depth) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    if (!par_is_inside(p, reg)) return true;
    if (info->kind != REG_TEMP || !info->def || depth == 0) return false;
    if (!ir_par_is_pure(info->def) || info->def->op == OP_LOAD ||
        ir_stmt_may_fail(p->func, info->def))
        return false;
    for (uint32_t i = 0; i < info->def->nargs; i++)
        if (!can_rebuild(p, info->def->args[i], depth - 1)) return false;
    return true;
}

bool ir_par_can_rebuild(const ParLoop *p, IrReg reg) {
    return can_rebuild(p, reg, REBUILD_DEPTH);
}

static IrReg rebuild(Outline *o, IrReg reg) {
    ParLoop *p = o->p;
    if (!par_is_inside(p, reg)) return reg;
    const IrStmt *def = ir_reg(p->func, reg)->def;
    IrReg *args = JR_NEW_ARRAY(p->arena, IrReg, def->nargs + 1);
    for (uint32_t i = 0; i < def->nargs; i++)
        args[i] = rebuild(o, def->args[i]);
    IrReg made = ir_temp(p->func, ir_reg_type(p->func, reg));
    ir_build(&o->parent, (IrOp)def->op, 1, &made, def->nargs, args)->u = def->u;
    return made;
}

static IrReg parent_scaled(Outline *o, IrReg reg, int64_t factor) {
    IrReg value = ir_build_cast(&o->parent, TY_INT64, reg);
    return factor == 1 ? value
                       : par_parent_binary(o, OP_MUL, value, par_int(o->p->func, factor));
}

/* The index where the loop's counter is `counter`. */
static IrReg index_at(Outline *o, const ParAffine *at, IrReg counter) {
    IrReg sum = par_int(o->p->func, at->constant);
    if (at->counter)
        sum = par_parent_binary(o, OP_ADD, sum, parent_scaled(o, counter, at->counter));
    for (uint32_t i = 0; i < at->terms; i++)
        if (at->factors[i])
            sum = par_parent_binary(o, OP_ADD, sum,
                                    parent_scaled(o, rebuild(o, at->regs[i]), at->factors[i]));
    return sum;
}

static IrReg also(Outline *o, IrReg all, IrReg one) {
    return all == IR_NO_REG ? one
                            : ir_build_binary(&o->parent, OP_AND, par_bool_type, all, one);
}

static IrReg also_not_negative(Outline *o, IrReg all, IrReg value) {
    return also(o, all, ir_build_compare(&o->parent, OP_GE, value, par_int(o->p->func, 0)));
}

static IrReg last_counter(Outline *o) {
    const IrReg *args = o->p->loop->args;
    IrReg steps = par_parent_binary(o, OP_SUB, o->trip, par_int(o->p->func, 1));
    return par_parent_binary(o, OP_ADD, args[0], par_parent_binary(o, OP_MUL, steps, args[2]));
}

static IrReg ask(Outline *o, IrRtCall call, uint32_t n, const IrReg *args) {
    IrReg answer = ir_temp(o->p->func, par_bool_type);
    ir_build_rt(&o->parent, call, 1, &answer, n, args);
    return answer;
}

/* All tests as one text, and what they are given as one array. */
static IrReg ask_tests(Outline *o) {
    ParLoop *p = o->p;
    const char *text = p->tests.data[0];
    for (uint32_t i = 1; i < p->tests.len; i++)
        text = jr_arena_printf(p->arena, "%s ; %s", text, p->tests.data[i]);
    text = jr_arena_printf(p->arena, "%s ;", text);
    IrReg values = ir_temp(p->func, ir_array(TY_INT64, 1, LAYOUT_C)),
          length = par_int(p->func, p->given.len);
    ir_reg(p->func, values)->owned = true;
    ir_build(&o->parent, OP_ALLOC, 1, &values, 1, &length)->u.imm = 0;
    for (uint32_t i = 0; i < p->given.len; i++) {
        ParGiven given = p->given.data[i];
        IrReg at = par_int(p->func, i);
        IrReg value = given.axis < 0
                          ? ir_build_cast(&o->parent, TY_INT64, given.reg)
                          : ir_build_dim(&o->parent, given.reg, (uint8_t)given.axis);
        par_clear_checks(ir_build_store(&o->parent, values, 1, &at, value));
    }
    IrReg args[] = {ir_const_str(p->func, text, (uint32_t)strlen(text)), o->trip, values};
    return ask(o, RT_TEST_HOLDS, 3, args);
}

IrReg ir_par_conditions(Outline *o) {
    ParLoop *p = o->p;
    IrReg all = IR_NO_REG;
    for (uint32_t i = 0; i + 1 < p->overlap.len; i += 2) {
        IrReg overlaps = ask(o, RT_ARRAYS_OVERLAP, 2, p->overlap.data + i);
        all = also(o, all, ir_build_unary(&o->parent, OP_NOT, par_bool_type, overlaps));
    }
    for (uint32_t i = 0; i < p->distinct.len; i++)
        all = also(o, all, ask(o, RT_ARRAY_DISTINCT, 1, &p->distinct.data[i]));
    for (uint32_t i = 0; i < p->not_negative.len; i++) {
        const ParAffine *at = &p->not_negative.data[i];
        all = also_not_negative(o, all, index_at(o, at, p->loop->args[0]));
        if (at->counter) all = also_not_negative(o, all, index_at(o, at, last_counter(o)));
    }
    if (p->tests.len) all = also(o, all, ask_tests(o));
    if (p->indexed.len)
        all = also(o, all,
                   ir_build_compare(&o->parent, OP_GE, o->copies_most, par_int(p->func, 2)));
    return all;
}

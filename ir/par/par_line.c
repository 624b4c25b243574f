/* Numbers that are known where a loop begins, and lines of them. What is constant is computed, and
 * the rest is a text for a test (ir/par/apart.h). */
#include "ir/numeric.h"
#include "ir/par/par_reach.h"

#include <string.h>

enum { LONGEST = 600 }; /* characters of one number's text */

/* ---- Numbers ---- */

ParExpr ir_par_number(ParLoop *p, int64_t value) {
    return (ParExpr){jr_arena_printf(p->arena, "%lld", (long long)value), true, value};
}

bool ir_par_is_number(ParExpr e, int64_t value) {
    return e.constant && e.value == value;
}

ParExpr ir_par_words(ParLoop *p, ParExpr a, ParExpr b, const char *op) {
    if (strlen(a.text) + strlen(b.text) > LONGEST) return (ParExpr){0};
    return (ParExpr){.text = jr_arena_printf(p->arena, "%s %s %s", a.text, b.text, op)};
}

ParExpr ir_par_plus(ParLoop *p, ParExpr a, ParExpr b) {
    int64_t sum;
    if (!a.text || !b.text) return (ParExpr){0};
    if (a.constant && b.constant)
        return __builtin_add_overflow(a.value, b.value, &sum) ? (ParExpr){0}
                                                              : ir_par_number(p, sum);
    if (ir_par_is_number(a, 0)) return b;
    return ir_par_is_number(b, 0) ? a : ir_par_words(p, a, b, "+");
}

ParExpr ir_par_times(ParLoop *p, ParExpr a, ParExpr b) {
    int64_t product;
    if (!a.text || !b.text) return (ParExpr){0};
    if (a.constant && b.constant)
        return __builtin_mul_overflow(a.value, b.value, &product) ? (ParExpr){0}
                                                                  : ir_par_number(p, product);
    if (ir_par_is_number(a, 0) || ir_par_is_number(b, 1)) return a;
    return ir_par_is_number(b, 0) || ir_par_is_number(a, 1) ? b : ir_par_words(p, a, b, "*");
}

ParExpr ir_par_least(ParLoop *p, ParExpr a, ParExpr b, const char *op) {
    if (!a.text || !b.text || !strcmp(a.text, b.text)) return a.text ? b : a;
    if (a.constant && b.constant) return (a.value < b.value) == (op[1] == 'i') ? a : b;
    return ir_par_words(p, a, b, op);
}

ParExpr ir_par_divided(ParLoop *p, ParExpr a, ParExpr b, const char *op) {
    if (!a.text || !b.text || (b.constant && b.value <= 0)) return (ParExpr){0};
    if (!a.constant || !b.constant)
        return ir_par_is_number(b, 1) && op[0] == '/' ? a : ir_par_words(p, a, b, op);
    return ir_par_number(p, op[0] == '/' ? jr_num_floordiv_i64(a.value, b.value)
                                         : jr_num_mod_i64(a.value, b.value));
}

const char *ir_par_both(ParLoop *p, const char *a, const char *b, const char *word) {
    if (!a || !b || !strcmp(a, b)) return a ? a : b;
    return jr_arena_printf(p->arena, "%s %s %s", a, b, word);
}

ParExpr ir_par_given(ParLoop *p, IrReg reg, int axis) {
    uint32_t at = 0;
    while (at < p->given.len &&
           (p->given.data[at].reg != reg || p->given.data[at].axis != axis))
        at++;
    if (at == p->given.len) {
        ParGiven value = {reg, axis};
        JR_PUSH(p->arena, &p->given, value);
    }
    return (ParExpr){.text = jr_arena_printf(p->arena, "#%u", at)};
}

/* ---- Lines ---- */

ParLine ir_par_flat_line(ParLoop *p, ParExpr base) {
    return (ParLine){ir_par_number(p, 0), base};
}

ParLine ir_par_add_lines(ParLoop *p, ParLine a, ParLine b) {
    return (ParLine){ir_par_plus(p, a.slope, b.slope), ir_par_plus(p, a.base, b.base)};
}

ParLine ir_par_scale_line(ParLoop *p, ParLine a, ParExpr factor) {
    return (ParLine){ir_par_times(p, a.slope, factor), ir_par_times(p, a.base, factor)};
}

ParLine ir_par_shift_line(ParLoop *p, ParLine a, int64_t by) {
    return (ParLine){a.slope, ir_par_plus(p, a.base, ir_par_number(p, by))};
}

bool ir_par_is_line(ParLine a) {
    return a.slope.text && a.base.text;
}

ParExpr ir_par_end_of_line(ParLoop *p, ParLine a, const char *op) {
    if (ir_par_is_number(a.slope, 0)) return a.base;
    ParExpr steps = ir_par_words(p, (ParExpr){.text = "T"}, ir_par_number(p, 1), "-");
    return ir_par_least(p, a.base, ir_par_plus(p, a.base, ir_par_times(p, a.slope, steps)),
                        op);
}

ParLine ir_par_outer_line(ParLoop *p, ParLine a, ParLine b, const char *op) {
    if (!strcmp(a.slope.text, b.slope.text))
        return (ParLine){a.slope, ir_par_least(p, a.base, b.base, op)};
    return ir_par_flat_line(
        p, ir_par_least(p, ir_par_end_of_line(p, a, op), ir_par_end_of_line(p, b, op), op));
}

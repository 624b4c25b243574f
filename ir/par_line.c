/* Numbers that are known where a loop begins, and lines of them. What is constant is computed, and
 * the rest is a text for a test (ir/apart.h). */
#include "ir/numeric.h"
#include "ir/par_reach.h"

#include <string.h>

enum { LONGEST = 600 }; /* characters of one number's text */

/* ---- Numbers ---- */

ParExpr par_number(ParLoop *p, int64_t value) {
    return (ParExpr){jr_arena_printf(p->arena, "%lld", (long long)value), true, value};
}

bool par_is_number(ParExpr e, int64_t value) {
    return e.constant && e.value == value;
}

ParExpr par_words(ParLoop *p, ParExpr a, ParExpr b, const char *op) {
    if (strlen(a.text) + strlen(b.text) > LONGEST) return (ParExpr){0};
    return (ParExpr){.text = jr_arena_printf(p->arena, "%s %s %s", a.text, b.text, op)};
}

ParExpr par_plus(ParLoop *p, ParExpr a, ParExpr b) {
    int64_t sum;
    if (!a.text || !b.text) return (ParExpr){0};
    if (a.constant && b.constant)
        return __builtin_add_overflow(a.value, b.value, &sum) ? (ParExpr){0}
                                                              : par_number(p, sum);
    if (par_is_number(a, 0)) return b;
    return par_is_number(b, 0) ? a : par_words(p, a, b, "+");
}

ParExpr par_times(ParLoop *p, ParExpr a, ParExpr b) {
    int64_t product;
    if (!a.text || !b.text) return (ParExpr){0};
    if (a.constant && b.constant)
        return __builtin_mul_overflow(a.value, b.value, &product) ? (ParExpr){0}
                                                                  : par_number(p, product);
    if (par_is_number(a, 0) || par_is_number(b, 1)) return a;
    return par_is_number(b, 0) || par_is_number(a, 1) ? b : par_words(p, a, b, "*");
}

ParExpr par_least(ParLoop *p, ParExpr a, ParExpr b, const char *op) {
    if (!a.text || !b.text || !strcmp(a.text, b.text)) return a.text ? b : a;
    if (a.constant && b.constant) return (a.value < b.value) == (op[1] == 'i') ? a : b;
    return par_words(p, a, b, op);
}

ParExpr par_divided(ParLoop *p, ParExpr a, ParExpr b, const char *op) {
    if (!a.text || !b.text || (b.constant && b.value <= 0)) return (ParExpr){0};
    if (!a.constant || !b.constant)
        return par_is_number(b, 1) && op[0] == '/' ? a : par_words(p, a, b, op);
    return par_number(p, op[0] == '/' ? jr_num_floordiv_i64(a.value, b.value)
                                      : jr_num_mod_i64(a.value, b.value));
}

const char *par_both(ParLoop *p, const char *a, const char *b, const char *word) {
    if (!a || !b || !strcmp(a, b)) return a ? a : b;
    return jr_arena_printf(p->arena, "%s %s %s", a, b, word);
}

ParExpr par_given(ParLoop *p, IrReg reg, int axis) {
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

ParLine par_flat_line(ParLoop *p, ParExpr base) {
    return (ParLine){par_number(p, 0), base};
}

ParLine par_add_lines(ParLoop *p, ParLine a, ParLine b) {
    return (ParLine){par_plus(p, a.slope, b.slope), par_plus(p, a.base, b.base)};
}

ParLine par_scale_line(ParLoop *p, ParLine a, ParExpr factor) {
    return (ParLine){par_times(p, a.slope, factor), par_times(p, a.base, factor)};
}

ParLine par_shift_line(ParLoop *p, ParLine a, int64_t by) {
    return (ParLine){a.slope, par_plus(p, a.base, par_number(p, by))};
}

bool par_is_line(ParLine a) {
    return a.slope.text && a.base.text;
}

ParExpr par_end_of_line(ParLoop *p, ParLine a, const char *op) {
    if (par_is_number(a.slope, 0)) return a.base;
    ParExpr steps = par_words(p, (ParExpr){.text = "T"}, par_number(p, 1), "-");
    return par_least(p, a.base, par_plus(p, a.base, par_times(p, a.slope, steps)), op);
}

ParLine par_outer_line(ParLoop *p, ParLine a, ParLine b, const char *op) {
    if (!strcmp(a.slope.text, b.slope.text))
        return (ParLine){a.slope, par_least(p, a.base, b.base, op)};
    return par_flat_line(
        p, par_least(p, par_end_of_line(p, a, op), par_end_of_line(p, b, op), op));
}

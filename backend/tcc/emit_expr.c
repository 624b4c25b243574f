/* Expressions of the generated C, and when they are written.
 *
 * libtcc translates one statement at a time and keeps every variable in memory, so a TEMP that
 * is stored and read again costs a round trip that an optimising compiler would not make. A
 * TEMP with a single use in the block that computes it is therefore not stored: its expression
 * waits
 * ("pending") and becomes part of the statement that uses it. That is right as long as nothing
 * it reads changes in between, so
 *
 *   - a write to a VAR first stores what waits and reads that VAR (jr_c_flush_readers),
 *   - a statement that may write memory stores what waits and loads (jr_c_flush_loads),
 *   - a nested block stores all that waits (jr_c_flush_all).
 *
 * Checks are never delayed: they are statements, and only the value behind them waits. Depth
 * and length are bounded, since libtcc recurses on parentheses, and so is the number that
 * wait, which keeps this linear. */
#include "backend/tcc/emit.h"

#include <inttypes.h>
#include <string.h>

static void indent(Fn *fn) {
    static const char spaces[] =
        "                                                            ";
    size_t want = (size_t)fn->indent * 4;
    jr_text_add(&fn->text, spaces, want < sizeof spaces - 1 ? want : sizeof spaces - 1);
}

void jr_c_line(Fn *fn, const char *format, ...) {
    if (fn->source_line > 0 && fn->source_line != fn->line) {
        indent(fn);
        jr_text_printf(&fn->text, "/* line %" PRId32 " */\n", fn->source_line);
        fn->line = fn->source_line;
    }
    indent(fn);
    va_list args;
    va_start(args, format);
    const char *text = jr_arena_vprintf(fn->em->arena, format, args);
    va_end(args);
    jr_text_puts(&fn->text, text);
    jr_text_add(&fn->text, "\n", 1);
}

const char *jr_c_ctype(IrScalar scalar) {
    static const char *const names[TY_COUNT] = {
#define JR_TYPE(ID, name, ctype, bytes, cls) [TY_##ID] = #ctype,
#include "ir/types.def"
#undef JR_TYPE
    };
    return names[scalar];
}

const char *jr_c_utype(IrScalar scalar) {
    return ir_scalar_size(scalar) == 8 ? "uint64_t" : "uint32_t";
}

/* The user's name as far as C can spell it, made unique by the register's number. */
const char *jr_c_name(Fn *fn, IrReg reg) {
    const IrRegInfo *info = ir_reg(fn->func, reg);
    char name[32];
    size_t len = 0;
    for (const char *c = info->name ? info->name : ""; *c && len < sizeof name - 1; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
                    (*c >= '0' && *c <= '9' && len);
        if (word) name[len++] = *c;
    }
    if (!len) name[len++] = 't';
    return jr_arena_printf(fn->em->arena, "%.*s_%" PRIu32, (int)len, name, reg);
}

static void inherit(Expr *into, const Expr *part) {
    into->loads |= part->loads;
    if (part->depth >= into->depth) into->depth = (uint8_t)(part->depth + 1);
    for (unsigned i = 0; i < part->nvars && i < EXPR_VARS; i++) {
        if (into->nvars < EXPR_VARS) into->vars[into->nvars] = part->vars[i];
        if (into->nvars <= EXPR_VARS) into->nvars++;
    }
    if (part->nvars > EXPR_VARS) into->nvars = EXPR_VARS + 1;
}

Expr jr_c_expr(Fn *fn, uint32_t nparts, const Expr *parts, const char *format, ...) {
    Expr expr = {0};
    for (uint32_t i = 0; i < nparts; i++)
        inherit(&expr, &parts[i]);
    va_list args;
    va_start(args, format);
    expr.text = jr_arena_vprintf(fn->em->arena, format, args);
    va_end(args);
    return expr;
}

const char *jr_c_paren(Fn *fn, const Expr *expr) {
    return expr->atom ? expr->text : jr_arena_printf(fn->em->arena, "(%s)", expr->text);
}

/* ---- Operands ---- */

static void unlist(Fn *fn, IrReg reg) {
    uint32_t at = 0;
    while (fn->pending[at] != reg)
        at++;
    memmove(&fn->pending[at], &fn->pending[at + 1],
            (fn->npending - at - 1) * sizeof fn->pending[0]);
    fn->npending--;
    fn->regs[reg].pending = false;
}

Expr jr_c_operand(Fn *fn, IrReg reg) {
    const IrRegInfo *info = ir_reg(fn->func, reg);
    if (info->kind == REG_CONST) return jr_c_constant(fn, reg);
    if (fn->regs[reg].pending) {
        unlist(fn, reg);
        return fn->regs[reg].expr;
    }
    Expr expr = {.text = jr_c_name(fn, reg), .atom = true};
    if (info->kind == REG_VAR) expr.vars[expr.nvars++] = reg;
    return expr;
}

Expr jr_c_store_atom(Fn *fn, IrScalar scalar, Expr expr) {
    Expr atom = {.text = jr_arena_printf(fn->em->arena, "k%" PRIu32, fn->names++),
                 .atom = true};
    jr_c_line(fn, "%s %s = %s;", jr_c_ctype(scalar), atom.text, expr.text);
    return atom;
}

Expr jr_c_atom(Fn *fn, IrReg reg) {
    Expr expr = jr_c_operand(fn, reg);
    return expr.atom ? expr : jr_c_store_atom(fn, ir_reg_type(fn->func, reg).scalar, expr);
}

/* ---- Definitions ---- */

static void flush_one(Fn *fn, IrReg reg) {
    unlist(fn, reg);
    jr_c_line(fn, "%s %s = %s;", jr_c_ctype(ir_reg_type(fn->func, reg).scalar),
              jr_c_name(fn, reg), fn->regs[reg].expr.text);
}

void jr_c_flush_all(Fn *fn) {
    while (fn->npending)
        flush_one(fn, fn->pending[0]);
}

void jr_c_flush_loads(Fn *fn) {
    for (uint32_t i = 0; i < fn->npending;)
        if (fn->regs[fn->pending[i]].expr.loads)
            flush_one(fn, fn->pending[i]);
        else
            i++;
}

static bool reads(const Expr *expr, IrReg var) {
    for (unsigned i = 0; i < expr->nvars; i++)
        if (expr->vars[i] == var) return true;
    return false;
}

void jr_c_flush_readers(Fn *fn, IrReg var) {
    for (uint32_t i = 0; i < fn->npending;)
        if (reads(&fn->regs[fn->pending[i]].expr, var))
            flush_one(fn, fn->pending[i]);
        else
            i++;
}

/* Whether the register's value may wait for its use. */
static bool may_wait(const RegUse *use, const Expr *expr) {
    return use->uses == 1 && use->use_block == use->def_block && expr->depth < EXPR_DEPTH &&
           expr->nvars <= EXPR_VARS && strlen(expr->text) < EXPR_TEXT;
}

void jr_c_define(Fn *fn, IrReg dst, Expr expr) {
    const IrRegInfo *info = ir_reg(fn->func, dst);
    RegUse *use = &fn->regs[dst];
    if (info->kind == REG_VAR) {
        jr_c_flush_readers(fn, dst);
        jr_c_line(fn, "%s = %s;", jr_c_name(fn, dst), expr.text);
    } else if (use->uses == 0) {
        jr_c_line(fn, "(void)(%s);", expr.text);
    } else if (may_wait(use, &expr)) {
        if (fn->npending == PENDING_MAX) flush_one(fn, fn->pending[0]);
        fn->pending[fn->npending++] = dst;
        use->pending = true;
        use->expr = expr;
    } else {
        jr_c_line(fn, "%s %s = %s;", jr_c_ctype(info->type.scalar), jr_c_name(fn, dst),
                  expr.text);
    }
}

void jr_c_declare(Fn *fn, IrReg dst) {
    const IrRegInfo *info = ir_reg(fn->func, dst);
    if (info->kind == REG_VAR)
        jr_c_flush_readers(fn, dst);
    else if (!info->owned && info->type.ndim == 0)
        jr_c_line(fn, "%s %s;", jr_c_ctype(info->type.scalar), jr_c_name(fn, dst));
}

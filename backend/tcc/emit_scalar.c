/* Scalar instructions as C expressions. Integer arithmetic goes through unsigned types, which
 * wrap; int8 and int16 compute in int, which cannot overflow there, and are cut back.
 * Divisions, shifts and conversions test first what C leaves undefined. */
#include "backend/tcc/emit.h"

#include <inttypes.h>

static const char *const binary_symbols[OP_COUNT] = {
    [OP_ADD] = "+", [OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/", [OP_AND] = "&",
    [OP_OR] = "|",  [OP_XOR] = "^", [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<",
    [OP_LE] = "<=", [OP_GT] = ">",  [OP_GE] = ">=",
};

static IrConst *constant_of(Fn *fn, IrReg reg) {
    IrRegInfo *info = ir_reg(fn->func, reg);
    return info->kind == REG_CONST ? &info->value : NULL;
}

static unsigned width_of(IrScalar scalar) {
    return 8 * ir_scalar_size(scalar);
}

/* a op b with C's operator, in the type that makes it wrap. */
static Expr plain_binary(Fn *fn, const IrStmt *stmt, IrScalar type) {
    Expr parts[2] = {jr_c_operand(fn, stmt->args[0]), jr_c_operand(fn, stmt->args[1])};
    /* libtcc would fold two literals in long double and round twice. */
    if (ir_scalar_is_float(type) && parts[0].constant && parts[1].constant)
        parts[0] = jr_c_store_atom(fn, type, parts[0]);
    const char *a = jr_c_paren(fn, &parts[0]), *b = jr_c_paren(fn, &parts[1]);
    const char *symbol = binary_symbols[stmt->op], *t = jr_c_ctype(type),
               *u = jr_c_utype(type);
    bool bitwise = stmt->op == OP_AND || stmt->op == OP_OR || stmt->op == OP_XOR;
    if (!ir_scalar_is_int(type) || bitwise || type == TY_UINT32 || type == TY_UINT64)
        return jr_c_expr(fn, 2, parts, "%s %s %s", a, symbol, b);
    if (ir_scalar_size(type) < 4 && stmt->op != OP_MUL)
        return jr_c_expr(fn, 2, parts, "(%s)(%s %s %s)", t, a, symbol, b);
    return jr_c_expr(fn, 2, parts, "(%s)((%s)%s %s (%s)%s)", t, u, a, symbol, u, b);
}

static Expr compare(Fn *fn, const IrStmt *stmt) {
    Expr parts[2] = {jr_c_operand(fn, stmt->args[0]), jr_c_operand(fn, stmt->args[1])};
    if (parts[0].constant && parts[1].constant)
        parts[0] = jr_c_store_atom(fn, ir_reg_type(fn->func, stmt->args[0]).scalar, parts[0]);
    return jr_c_expr(fn, 2, parts, "%s %s %s", jr_c_paren(fn, &parts[0]),
                     binary_symbols[stmt->op], jr_c_paren(fn, &parts[1]));
}

static Expr min_max(Fn *fn, const IrStmt *stmt) {
    Expr parts[2] = {jr_c_atom(fn, stmt->args[0]), jr_c_atom(fn, stmt->args[1])};
    if (parts[0].constant && parts[1].constant)
        parts[0] = jr_c_store_atom(fn, ir_reg_type(fn->func, stmt->args[0]).scalar, parts[0]);
    const char *a = parts[0].text, *b = parts[1].text;
    return jr_c_expr(fn, 2, parts, "%s %s %s ? %s : %s", b, stmt->op == OP_MIN ? "<" : ">", a,
                     b, a);
}

/* ---- Division ---- */

static void trap_if(Fn *fn, const IrStmt *stmt, const char *condition, const char *trap_text,
                    IrTrap trap) {
    jr_c_need(fn, USE_jr_rt_trap);
    jr_c_line(fn, "if (%s) {", condition);
    fn->indent++;
    jr_c_fail(fn, "jr_rt_trap(rt, %s, %d /* %s */)", jr_c_where(fn, stmt->span), (int)trap,
              trap_text);
    fn->indent--;
    jr_c_line(fn, "}");
}

static void trap_zero(Fn *fn, const IrStmt *stmt, const char *b) {
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (value && value->u != 0) return;
    trap_if(fn, stmt, jr_arena_printf(fn->em->arena, "%s == 0", b), "division by zero",
            TRAP_DIV_ZERO);
}

/* A divisor 2**k: the shift, or the mask, is the floor. */
static bool power_of_two(Fn *fn, const IrStmt *stmt, unsigned *k) {
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (!value || value->i <= 0 || (value->u & (value->u - 1))) return false;
    *k = (unsigned)__builtin_ctzll(value->u);
    return true;
}

static Expr divide_by_power(Fn *fn, const IrStmt *stmt, unsigned k) {
    Expr a = jr_c_operand(fn, stmt->args[0]);
    if (stmt->op == OP_FLOORDIV)
        return jr_c_expr(fn, 1, &a, "%s >> %u", jr_c_paren(fn, &a), k);
    Expr mask = jr_c_constant(fn, stmt->args[1]);
    return jr_c_expr(fn, 1, &a, "%s & (%s - 1)", jr_c_paren(fn, &a), mask.text);
}

/* C's quotient rounds towards zero and its remainder has a's sign: both are mended where the
 * signs differ. The divisor -1 is apart, since INT_MIN / -1 is undefined. */
static void signed_quotient(Fn *fn, const IrStmt *stmt, IrScalar type, const char *q,
                            const char *a, const char *b) {
    const char *t = jr_c_ctype(type);
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (value && value->i > 0) {
        jr_c_line(fn, "%s %s = (%s)(%s / %s);", t, q, t, a, b);
        jr_c_line(fn, "if (%s < %s * %s) %s--;", a, q, b, q);
        return;
    }
    jr_c_line(fn, "%s %s;", t, q);
    jr_c_line(fn, "if (%s == -1) {", b);
    jr_c_line(fn, "    %s = (%s)(0 - (%s)%s);", q, t, jr_c_utype(type), a);
    jr_c_line(fn, "} else {");
    jr_c_line(fn, "    %s = (%s)(%s / %s);", q, t, a, b);
    jr_c_line(fn, "    if (%s * %s != %s && (%s < 0) != (%s < 0)) %s--;", q, b, a, a, b, q);
    jr_c_line(fn, "}");
}

static void signed_remainder(Fn *fn, const IrStmt *stmt, IrScalar type, const char *r,
                             const char *a, const char *b) {
    const char *t = jr_c_ctype(type);
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (value && value->i > 0) {
        jr_c_line(fn, "%s %s = (%s)(%s %% %s);", t, r, t, a, b);
        jr_c_line(fn, "if (%s < 0) %s = (%s)(%s + %s);", r, r, t, r, b);
        return;
    }
    jr_c_line(fn, "%s %s = 0;", t, r);
    jr_c_line(fn, "if (%s != -1) {", b);
    jr_c_line(fn, "    %s = (%s)(%s %% %s);", r, t, a, b);
    jr_c_line(fn, "    if (%s != 0 && (%s < 0) != (%s < 0)) %s = (%s)(%s + %s);", r, r, b, r,
              t, r, b);
    jr_c_line(fn, "}");
}

static Expr integer_division(Fn *fn, const IrStmt *stmt, IrScalar type) {
    unsigned k;
    if (power_of_two(fn, stmt, &k)) return divide_by_power(fn, stmt, k);
    Expr parts[2] = {jr_c_atom(fn, stmt->args[0]), jr_c_atom(fn, stmt->args[1])};
    const char *a = parts[0].text, *b = parts[1].text;
    bool divides = stmt->op == OP_FLOORDIV;
    trap_zero(fn, stmt, b);
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (value && value->u == 0) return (Expr){.text = "0", .atom = true};
    if (!ir_scalar_is_signed(type))
        return jr_c_expr(fn, 2, parts, "%s %s %s", a, divides ? "/" : "%", b);
    Expr result = {.text = jr_arena_printf(fn->em->arena, "k%" PRIu32, fn->names++),
                   .atom = true};
    (divides ? signed_quotient : signed_remainder)(fn, stmt, type, result.text, a, b);
    return result;
}

static Expr call_runtime(Fn *fn, const IrStmt *stmt, RtHelper helper, const char *name) {
    Expr parts[2] = {jr_c_operand(fn, stmt->args[0]), jr_c_operand(fn, stmt->args[1])};
    jr_c_need(fn, helper);
    return jr_c_expr(fn, 2, parts, "%s(%s, %s)", name, parts[0].text, parts[1].text);
}

static Expr division(Fn *fn, const IrStmt *stmt, IrScalar type) {
    if (type == TY_FLOAT64)
        return stmt->op == OP_MOD
                   ? call_runtime(fn, stmt, USE_jr_rt_fmod, "jr_rt_fmod")
                   : call_runtime(fn, stmt, USE_jr_rt_ffloordiv, "jr_rt_ffloordiv");
    if (type == TY_FLOAT32)
        return stmt->op == OP_MOD
                   ? call_runtime(fn, stmt, USE_jr_rt_fmodf, "jr_rt_fmodf")
                   : call_runtime(fn, stmt, USE_jr_rt_ffloordivf, "jr_rt_ffloordivf");
    return integer_division(fn, stmt, type);
}

/* ---- Powers and shifts ---- */

static Expr math_call(Fn *fn, IrMath math, IrScalar type, const IrStmt *stmt) {
    Expr parts[3] = {{0}};
    const char *texts[3] = {"", "", ""};
    for (uint32_t i = 0; i < stmt->nargs && i < 3; i++) {
        parts[i] = jr_c_operand(fn, stmt->args[i]);
        texts[i] = parts[i].text;
    }
    fn->em->math[math][type == TY_FLOAT32] = true;
    return jr_c_expr(fn, stmt->nargs, parts, "%s(%s%s%s%s%s)", ir_math_symbol(math, type),
                     texts[0], stmt->nargs > 1 ? ", " : "", texts[1],
                     stmt->nargs > 2 ? ", " : "", texts[2]);
}

static void trap_negative(Fn *fn, const IrStmt *stmt, IrScalar type, const char *n,
                          const char *text, IrTrap trap) {
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (!ir_scalar_is_signed(type) || (value && value->i >= 0)) return;
    trap_if(fn, stmt, jr_arena_printf(fn->em->arena, "%s < 0", n), text, trap);
}

static Expr power(Fn *fn, const IrStmt *stmt, IrScalar type) {
    if (ir_scalar_is_float(type)) return math_call(fn, MATH_POW, type, stmt);
    const char *t = jr_c_ctype(type), *u = jr_c_utype(type);
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (value && value->u == 2) {
        Expr a = jr_c_atom(fn, stmt->args[0]);
        return jr_c_expr(fn, 1, &a, "(%s)((%s)%s * (%s)%s)", t, u, a.text, u, a.text);
    }
    Expr parts[2] = {jr_c_operand(fn, stmt->args[0]), jr_c_atom(fn, stmt->args[1])};
    trap_negative(fn, stmt, type, parts[1].text, "negative power", TRAP_NEGATIVE_POWER);
    jr_c_need(fn, USE_jr_rt_ipow);
    return jr_c_expr(fn, 2, parts, "(%s)jr_rt_ipow((int64_t)%s, (int64_t)%s)", t,
                     jr_c_paren(fn, &parts[0]), parts[1].text);
}

static Expr shift_by_constant(Fn *fn, const IrStmt *stmt, IrScalar type, uint64_t n) {
    Expr a = jr_c_operand(fn, stmt->args[0]);
    const char *text = jr_c_paren(fn, &a), *t = jr_c_ctype(type);
    unsigned width = width_of(type);
    if (n >= width && (stmt->op == OP_SHL || !ir_scalar_is_signed(type)))
        return jr_c_expr(fn, 1, &a, "%s & 0", text);
    if (n >= width) n = width - 1;
    if (stmt->op == OP_SHR) return jr_c_expr(fn, 1, &a, "%s >> %u", text, (unsigned)n);
    return jr_c_expr(fn, 1, &a, "(%s)((%s)%s << %u)", t, jr_c_utype(type), text, (unsigned)n);
}

static Expr shift(Fn *fn, const IrStmt *stmt, IrScalar type) {
    IrConst *value = constant_of(fn, stmt->args[1]);
    if (value && (value->i >= 0 || !ir_scalar_is_signed(type)))
        return shift_by_constant(fn, stmt, type, value->u);
    Expr parts[2] = {jr_c_operand(fn, stmt->args[0]), jr_c_atom(fn, stmt->args[1])};
    if (value) parts[1] = jr_c_store_atom(fn, type, parts[1]); /* negative: not for C to see */
    const char *n = parts[1].text, *a = jr_c_paren(fn, &parts[0]), *t = jr_c_ctype(type);
    unsigned width = width_of(type);
    trap_negative(fn, stmt, type, n, "negative shift", TRAP_NEGATIVE_SHIFT);
    if (stmt->op == OP_SHL)
        return jr_c_expr(fn, 2, parts, "(%s)(%s >= %u ? 0 : (%s)%s << %s)", t, n, width,
                         jr_c_utype(type), a, n);
    if (ir_scalar_is_signed(type))
        return jr_c_expr(fn, 2, parts, "(%s)(%s >> (%s >= %u ? %u : %s))", t, a, n, width,
                         width - 1, n);
    return jr_c_expr(fn, 2, parts, "(%s)(%s >= %u ? 0 : %s >> %s)", t, n, width, a, n);
}

/* ---- One operand ---- */

/* The sign bit of a float, changed through its bits: -x of libtcc is 0 - x, wrong for NaN. */
static Expr float_sign(Fn *fn, const IrStmt *stmt, IrScalar type) {
    Expr a = jr_c_operand(fn, stmt->args[0]);
    const char *name = jr_arena_printf(fn->em->arena, "k%" PRIu32, fn->names++);
    const char *member = type == TY_FLOAT32 ? "f" : "d",
               *bits = type == TY_FLOAT32 ? "w" : "u";
    const char *flip = type == TY_FLOAT32 ? "^= 0x80000000U" : "^= 0x8000000000000000UL";
    const char *clear = type == TY_FLOAT32 ? "&= 0x7fffffffU" : "&= 0x7fffffffffffffffUL";
    fn->em->bits = true;
    jr_c_line(fn, "JrBits %s;", name);
    jr_c_line(fn, "%s.%s = %s;", name, member, a.text);
    jr_c_line(fn, "%s.%s %s;", name, bits, stmt->op == OP_NEG ? flip : clear);
    Expr result = {.text = jr_arena_printf(fn->em->arena, "%s.%s", name, member),
                   .atom = true};
    return result;
}

static Expr unary(Fn *fn, const IrStmt *stmt, IrScalar type) {
    if (ir_scalar_is_float(type)) return float_sign(fn, stmt, type);
    const char *t = jr_c_ctype(type), *u = jr_c_utype(type);
    if (stmt->op == OP_ABS) {
        Expr a = jr_c_atom(fn, stmt->args[0]);
        if (!ir_scalar_is_signed(type)) return a;
        return jr_c_expr(fn, 1, &a, "%s < 0 ? (%s)(0 - (%s)%s) : %s", a.text, t, u, a.text,
                         a.text);
    }
    Expr a = jr_c_operand(fn, stmt->args[0]);
    const char *text = jr_c_paren(fn, &a);
    if (stmt->op == OP_NOT) return jr_c_expr(fn, 1, &a, "!%s", text);
    if (stmt->op == OP_INV) return jr_c_expr(fn, 1, &a, "(%s)~%s", t, text);
    return jr_c_expr(fn, 1, &a, "(%s)(0 - (%s)%s)", t, u, text);
}

/* ---- Conversions ---- */

static Expr float_to_int(Fn *fn, Expr from, IrScalar source, IrScalar to) {
    if (source == TY_FLOAT32)
        from = jr_c_store_atom(fn, TY_FLOAT64,
                               jr_c_expr(fn, 1, &from, "(double)%s", jr_c_paren(fn, &from)));
    const char *t = jr_c_ctype(to);
    if (to == TY_UINT64) {
        fn->em->helpers[HELP_F64_U64] = true;
        return jr_c_expr(fn, 1, &from, "jr_f64_u64(%s)", from.text);
    }
    if (!from.atom || from.constant) from = jr_c_store_atom(fn, TY_FLOAT64, from);
    const char *x = from.text;
    unsigned width = width_of(to);
    int64_t hi =
        ir_scalar_is_signed(to) ? INT64_MAX >> (64 - width) : (INT64_C(1) << width) - 1;
    int64_t lo = ir_scalar_is_signed(to) ? -hi - 1 : 0;
    fn->em->helpers[HELP_SATURATE] = true;
    if (to == TY_INT64)
        return jr_c_expr(fn, 1, &from,
                         "%s >= -0x1p63 && %s < 0x1p63 ? (int64_t)%s : jr_saturate(%s, "
                         "-9223372036854775807L - 1, 9223372036854775807L)",
                         x, x, x, x);
    return jr_c_expr(fn, 1, &from,
                     "(%s)(%s > %" PRId64 ".0 && %s < %" PRId64
                     ".0 ? (int64_t)%s : jr_saturate(%s, "
                     "%" PRId64 "L, %" PRId64 "L))",
                     t, x, lo - 1, x, hi + 1, x, x, lo, hi);
}

static Expr unsigned_to_float(Fn *fn, Expr from, IrScalar to) {
    Helper helper = to == TY_FLOAT64 ? HELP_U64_F64 : HELP_U64_F32;
    fn->em->helpers[helper] = true;
    return jr_c_expr(fn, 1, &from, "%s(%s)", to == TY_FLOAT64 ? "jr_u64_f64" : "jr_u64_f32",
                     from.text);
}

static Expr cast(Fn *fn, const IrStmt *stmt, IrScalar to) {
    IrScalar source = ir_reg_type(fn->func, stmt->args[0]).scalar;
    Expr from = jr_c_operand(fn, stmt->args[0]);
    if (source == to) return from;
    const char *text = jr_c_paren(fn, &from);
    if (to == TY_BOOL) return jr_c_expr(fn, 1, &from, "%s != 0", text);
    if (ir_scalar_is_float(source) && !ir_scalar_is_float(to))
        return float_to_int(fn, from, source, to);
    if (ir_scalar_is_float(to) && source == TY_UINT64) return unsigned_to_float(fn, from, to);
    if (ir_scalar_is_float(to) && source == TY_UINT32)
        return jr_c_expr(fn, 1, &from, "(%s)(int64_t)%s", jr_c_ctype(to), text);
    return jr_c_expr(fn, 1, &from, "(%s)%s", jr_c_ctype(to), text);
}

static const char *bits_member(IrScalar scalar) {
    static const char *const members[TY_COUNT] = {
        [TY_BOOL] = "b",   [TY_INT8] = "i8",   [TY_INT16] = "i16",  [TY_INT32] = "i32",
        [TY_INT64] = "i",  [TY_UINT8] = "b",   [TY_UINT16] = "u16", [TY_UINT32] = "w",
        [TY_UINT64] = "u", [TY_FLOAT32] = "f", [TY_FLOAT64] = "d",
    };
    return members[scalar];
}

static Expr same_bits(Fn *fn, const IrStmt *stmt, IrScalar to) {
    IrScalar source = ir_reg_type(fn->func, stmt->args[0]).scalar;
    Expr a = jr_c_operand(fn, stmt->args[0]);
    const char *name = jr_arena_printf(fn->em->arena, "k%" PRIu32, fn->names++);
    fn->em->bits = true;
    jr_c_line(fn, "JrBits %s;", name);
    jr_c_line(fn, "%s.%s = %s;", name, bits_member(source), a.text);
    Expr result = {.text = jr_arena_printf(fn->em->arena, "%s.%s", name, bits_member(to)),
                   .atom = true};
    return result;
}

static Expr choose(Fn *fn, const IrStmt *stmt) {
    Expr parts[3] = {jr_c_operand(fn, stmt->args[0]), jr_c_operand(fn, stmt->args[1]),
                     jr_c_operand(fn, stmt->args[2])};
    if (parts[0].constant) parts[0] = jr_c_store_atom(fn, TY_BOOL, parts[0]);
    return jr_c_expr(fn, 3, parts, "%s ? %s : %s", jr_c_paren(fn, &parts[0]),
                     jr_c_paren(fn, &parts[1]), jr_c_paren(fn, &parts[2]));
}

static Expr binary(Fn *fn, const IrStmt *stmt, IrScalar type) {
    switch (stmt->op) {
    case OP_FLOORDIV:
    case OP_MOD: return division(fn, stmt, type);
    case OP_POW: return power(fn, stmt, type);
    case OP_MIN:
    case OP_MAX: return min_max(fn, stmt);
    case OP_SHL:
    case OP_SHR: return shift(fn, stmt, type);
    default: return plain_binary(fn, stmt, type);
    }
}

void jr_c_scalar(Fn *fn, const IrStmt *stmt) {
    IrScalar type = ir_reg_type(fn->func, stmt->dsts[0]).scalar;
    Expr expr;
    switch (ir_op_form(stmt->op)) {
    case FORM_BIN: expr = binary(fn, stmt, type); break;
    case FORM_CMP: expr = compare(fn, stmt); break;
    case FORM_UN: expr = unary(fn, stmt, type); break;
    case FORM_CAST: expr = cast(fn, stmt, type); break;
    case FORM_SELECT: expr = choose(fn, stmt); break;
    case FORM_MATH: expr = math_call(fn, stmt->u.math, type, stmt); break;
    case FORM_BITS: expr = same_bits(fn, stmt, type); break;
    default: expr = jr_c_operand(fn, stmt->args[0]); break;
    }
    jr_c_define(fn, stmt->dsts[0], expr);
}

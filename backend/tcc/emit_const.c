/* Literals of the generated C. Floats are written in hexadecimal, from their bits: exact, and
 * neither printf nor libtcc's strtod is asked, both of which follow the host's locale. */
#include "backend/tcc/emit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *signed_text(JrArena *arena, IrScalar scalar, int64_t value) {
    if (value == INT64_MIN) return "(-9223372036854775807L - 1)";
    if (value == INT32_MIN && scalar == TY_INT32) return "(-2147483647 - 1)";
    return jr_arena_printf(arena, "%" PRId64 "%s", value, scalar == TY_INT64 ? "L" : "");
}

static const char *unsigned_text(JrArena *arena, IrScalar scalar, uint64_t value) {
    const char *suffix = scalar == TY_UINT64 ? "UL" : scalar == TY_UINT32 ? "U" : "";
    return jr_arena_printf(arena, "%" PRIu64 "%s", value, suffix);
}

/* What a person calls the number, for the comment beside it. */
static const char *readable(JrArena *arena, double value) {
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        for (char *c = text; *c; c++)
            if (*c == ',') *c = '.';
        if (digits == 9 || digits == 15 || digits == 17 || strlen(text) < (size_t)digits)
            break;
    }
    return jr_arena_strdup(arena, text);
}

/* A finite float64, which every float32 is. */
static const char *finite_text(JrArena *arena, double value, const char *suffix) {
    if (fabs(value) < 1e15 && value == (double)(int64_t)value)
        return jr_arena_printf(arena, "%s%" PRId64 ".0%s", signbit(value) ? "-" : "",
                               (int64_t)fabs(value), suffix);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & 0xfffffffffffff, biased = bits >> 52 & 0x7ff;
    int digits = 13;
    for (; digits > 1 && (fraction & 15) == 0; digits--)
        fraction >>= 4;
    return jr_arena_printf(
        arena, "%s0x%d.%0*" PRIx64 "p%d%s /* %s */", bits >> 63 ? "-" : "", biased ? 1 : 0,
        digits, fraction, biased ? (int)biased - 1023 : -1022, suffix, readable(arena, value));
}

/* Infinities and NaNs have no literal: a union made of their bits. */
static const char *special_text(Fn *fn, IrScalar scalar, IrConst value) {
    uint64_t bits = value.u;
    if (scalar == TY_FLOAT32) {
        uint32_t narrow;
        memcpy(&narrow, &value.f, sizeof narrow);
        bits = narrow;
    }
    fn->em->bits = true;
    const char *name = jr_arena_printf(fn->em->arena, "k%" PRIu32, fn->names++);
    jr_c_line(fn, "JrBits %s;", name);
    jr_c_line(fn, "%s.u = 0x%" PRIx64 "UL; /* %s */", name, bits,
              isnan(scalar == TY_FLOAT32 ? value.f : value.d) ? "nan" : "inf");
    return jr_arena_printf(fn->em->arena, "%s.%s", name, scalar == TY_FLOAT32 ? "f" : "d");
}

Expr jr_c_constant(Fn *fn, IrReg reg) {
    const IrRegInfo *info = ir_reg(fn->func, reg);
    JrArena *arena = fn->em->arena;
    IrScalar scalar = info->type.scalar;
    Expr expr = {.atom = true, .constant = true};
    if (scalar == TY_FLOAT64)
        expr.text = isfinite(info->value.d) ? finite_text(arena, info->value.d, "")
                                            : special_text(fn, scalar, info->value);
    else if (scalar == TY_FLOAT32)
        expr.text = isfinite(info->value.f) ? finite_text(arena, (double)info->value.f, "f")
                                            : special_text(fn, scalar, info->value);
    else if (scalar == TY_STR)
        expr.text = jr_c_string(arena, info->value.str.bytes, info->value.str.len);
    else if (ir_scalar_class(scalar) == 'U')
        expr.text = unsigned_text(arena, scalar, info->value.u);
    else
        expr.text = signed_text(arena, scalar, info->value.i);
    return expr;
}

/* Octal escapes of three digits end by themselves; `?` is escaped so that none makes a
 * trigraph. */
const char *jr_c_string(JrArena *arena, const char *bytes, size_t len) {
    char *out = jr_arena_alloc(arena, 4 * len + 3), *at = out;
    if (!out) return NULL;
    *at++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= ' ' && c < 127 && c != '"' && c != '\\' && c != '?')
            *at++ = (char)c;
        else
            at += sprintf(at, "\\%03o", c);
    }
    *at++ = '"';
    return out;
}

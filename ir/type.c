#include "ir/type.h"

#include <string.h>

typedef struct ScalarInfo {
    const char *name;
    uint8_t bytes;
    char cls;
} ScalarInfo;

#define CLASS_OF(letter) #letter[0]
static const ScalarInfo SCALARS[TY_COUNT] = {
    [TY_NONE] = {"none", 0, 0},
#define JR_TYPE(ID, name, ctype, bytes, cls) [TY_##ID] = {name, bytes, CLASS_OF(cls)},
#include "ir/types.def"
#undef JR_TYPE
    [TY_STR] = {"str", 0, 0},
};

/* Other names of the same types. `float_` is NumPy's, 64 bits wide; `i4` and the like are both
 * NumPy's and numba's. */
static const struct {
    const char *name;
    IrScalar scalar;
} ALIASES[] = {
    {"int", TY_INT64},      {"float", TY_FLOAT64},    {"boolean", TY_BOOL},
    {"bool_", TY_BOOL},     {"b1", TY_BOOL},          {"byte", TY_INT8},
    {"ubyte", TY_UINT8},    {"short", TY_INT16},      {"ushort", TY_UINT16},
    {"intc", TY_INT32},     {"uintc", TY_UINT32},     {"int_", TY_INT64},
    {"uint", TY_UINT64},    {"intp", TY_INT64},       {"uintp", TY_UINT64},
    {"long", TY_INT64},     {"long_", TY_INT64},      {"ulong", TY_UINT64},
    {"longlong", TY_INT64}, {"ulonglong", TY_UINT64}, {"single", TY_FLOAT32},
    {"double", TY_FLOAT64}, {"float_", TY_FLOAT64},   {"i1", TY_INT8},
    {"i2", TY_INT16},       {"i4", TY_INT32},         {"i8", TY_INT64},
    {"u1", TY_UINT8},       {"u2", TY_UINT16},        {"u4", TY_UINT32},
    {"u8", TY_UINT64},      {"f4", TY_FLOAT32},       {"f8", TY_FLOAT64},
};

const char *ir_scalar_name(IrScalar scalar) {
    return scalar < TY_COUNT ? SCALARS[scalar].name : "invalid";
}

unsigned ir_scalar_size(IrScalar scalar) {
    return scalar < TY_COUNT ? SCALARS[scalar].bytes : 0;
}

char ir_scalar_class(IrScalar scalar) {
    return scalar < TY_COUNT ? SCALARS[scalar].cls : 0;
}

static bool is_named(const char *wanted, const char *name, size_t len) {
    return strlen(wanted) == len && memcmp(wanted, name, len) == 0;
}

IrScalar ir_scalar_named(const char *name, size_t len) {
    for (IrScalar s = TY_NONE + 1; s < TY_STR; s++)
        if (is_named(SCALARS[s].name, name, len)) return s;
    for (size_t i = 0; i < sizeof ALIASES / sizeof *ALIASES; i++)
        if (is_named(ALIASES[i].name, name, len)) return ALIASES[i].scalar;
    return TY_NONE;
}

const char *ir_type_name(IrType type, JrArena *arena) {
    const char *scalar = ir_scalar_name(type.scalar);
    if (!type.ndim) return scalar;
    char dims[4 * IR_MAX_DIMS + 4], *at = dims;
    *at++ = '[';
    for (unsigned i = 0; i < type.ndim && i < IR_MAX_DIMS; i++)
        at = stpcpy(at, i ? ", :" : ":");
    if (type.layout == LAYOUT_C) at = stpcpy(at, ":1");
    strcpy(at, "]");
    return jr_arena_printf(arena, "%s%s", scalar, dims);
}

static const char *skip_blanks(const char *text) {
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

/* The axes between the brackets: `:` each, the last one `::1` when contiguous. */
static bool parse_axes(const char **at, IrType *type) {
    const char *text = *at;
    for (;;) {
        text = skip_blanks(text);
        if (*text++ != ':' || type->layout == LAYOUT_C || type->ndim == IR_MAX_DIMS)
            return false;
        type->ndim++;
        if (text[0] == ':' && text[1] == '1') {
            type->layout = LAYOUT_C;
            text += 2;
        }
        text = skip_blanks(text);
        if (*text == ']') break;
        if (*text++ != ',') return false;
    }
    *at = text + 1;
    return true;
}

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

bool ir_type_parse(const char *text, const char **end, IrType *type) {
    const char *at = text;
    while (is_name_byte(*at))
        at++;
    IrType parsed = ir_scalar(ir_scalar_named(text, (size_t)(at - text)));
    if (parsed.scalar == TY_NONE && is_named("str", text, (size_t)(at - text)))
        parsed.scalar = TY_STR;
    else if (parsed.scalar == TY_NONE && !is_named("none", text, (size_t)(at - text)))
        return false;
    if (*at == '[') {
        at++;
        if (!ir_scalar_size(parsed.scalar) || !parse_axes(&at, &parsed)) return false;
    }
    if (end) *end = at;
    *type = parsed;
    return true;
}

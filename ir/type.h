/* The types of the IR: a scalar, or an array of scalars with a rank and a layout. Four bytes,
 * passed by value. A 0-initialised IrType is IR_NONE. */
#ifndef JR_IR_TYPE_H
#define JR_IR_TYPE_H

#include "ir/base/arena.h"

typedef enum IrScalar {
    TY_NONE, /* no value */
#define JR_TYPE(ID, name, ctype, bytes, cls) TY_##ID,
#include "ir/types.def"
#undef JR_TYPE
    TY_STR, /* a constant string: only as a REG_CONST operand of RT and RAISE */
    TY_COUNT
} IrScalar;

typedef enum IrLayout {
    LAYOUT_ANY, /* any strides, in elements, negative and zero ones too: T[:, :] */
    LAYOUT_C,   /* C-contiguous: T[:, ::1] */
} IrLayout;

enum { IR_MAX_DIMS = 8 };

typedef struct IrType {
    uint8_t scalar; /* IrScalar: the element type if ndim > 0 */
    uint8_t ndim;   /* 0 for a scalar */
    uint8_t layout; /* IrLayout */
    uint8_t spare;
} IrType;

static inline IrType ir_scalar(IrScalar scalar) {
    return (IrType){.scalar = (uint8_t)scalar};
}
static inline IrType ir_array(IrScalar scalar, unsigned ndim, IrLayout layout) {
    return (IrType){
        .scalar = (uint8_t)scalar, .ndim = (uint8_t)ndim, .layout = (uint8_t)layout};
}
static inline bool ir_type_same(IrType a, IrType b) {
    return a.scalar == b.scalar && a.ndim == b.ndim && a.layout == b.layout;
}
static inline uint32_t ir_type_bits(IrType t) {
    return (uint32_t)t.scalar | (uint32_t)t.ndim << 8 | (uint32_t)t.layout << 16;
}
static inline IrType ir_type_of_bits(uint32_t bits) {
    return (IrType){.scalar = (uint8_t)bits,
                    .ndim = (uint8_t)(bits >> 8),
                    .layout = (uint8_t)(bits >> 16)};
}

const char *ir_scalar_name(IrScalar scalar); /* "float64", "none", "str" */
unsigned ir_scalar_size(IrScalar scalar);    /* bytes; 0 for none and str */
char ir_scalar_class(IrScalar scalar);       /* 'B' 'I' 'U' 'F', 0 for none and str */
static inline bool ir_scalar_is_int(IrScalar s) {
    return s >= TY_INT8 && s <= TY_UINT64;
}
static inline bool ir_scalar_is_signed(IrScalar s) {
    return s >= TY_INT8 && s <= TY_INT64;
}
static inline bool ir_scalar_is_float(IrScalar s) {
    return s == TY_FLOAT32 || s == TY_FLOAT64;
}

/* TY_NONE when there is no such scalar. Also knows the aliases int, float and boolean, intp,
 * float_ and the like that numba and NumPy have. */
IrScalar ir_scalar_named(const char *name, size_t len);

/* "float64[:, ::1]". The text lives in the arena. */
const char *ir_type_name(IrType type, JrArena *arena);
/* Reads what ir_type_name wrote; *end is set past it. False when the text is no type. */
bool ir_type_parse(const char *text, const char **end, IrType *type);

#endif

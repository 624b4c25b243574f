/* Errors of whole-array expressions: shapes that do not go together, in NumPy's words. */
#include "runtime/rt/array.h"
#include "runtime/rt/rt.h"

#include <inttypes.h>

typedef struct Pair {
    IrType a_type, b_type;
    const JrArray *a, *b;
    char a_text[JR_SHAPE_CHARS], b_text[JR_SHAPE_CHARS];
} Pair;

static Pair pair_of(const JrSlot *args) {
    Pair pair = {.a_type = ir_type_of_bits((uint32_t)args[0].u),
                 .b_type = ir_type_of_bits((uint32_t)args[2].u),
                 .a = args[1].cp,
                 .b = args[3].cp};
    jr_shape_text(pair.a_text, pair.a->dims, pair.a_type.ndim);
    jr_shape_text(pair.b_text, pair.b->dims, pair.b_type.ndim);
    return pair;
}

JR_RT_FN(broadcast_error) {
    Pair pair = pair_of(args);
    return jr_raise(rt, where, EXC_VALUE,
                    "operands could not be broadcast together with shapes %s %s", pair.a_text,
                    pair.b_text);
}

JR_RT_FN(matmul_error) {
    Pair pair = pair_of(args);
    unsigned last = pair.a_type.ndim - 1u,
             first = pair.b_type.ndim > 1 ? pair.b_type.ndim - 2u : 0;
    return jr_raise(
        rt, where, EXC_VALUE,
        "shapes %s and %s not aligned: %" PRId64 " (dim %u) != %" PRId64 " (dim %u)",
        pair.a_text, pair.b_text, pair.a->dims[last], last, pair.b->dims[first], first);
}

JR_RT_FN(mask_error) {
    Pair pair = pair_of(args);
    unsigned axis = 0;
    while (axis + 1u < pair.a_type.ndim && pair.a->dims[axis] == pair.b->dims[axis])
        axis++;
    return jr_raise(rt, where, EXC_INDEX,
                    "boolean index did not match indexed array along axis %u; size of axis is "
                    "%" PRId64 " but size of corresponding boolean axis is %" PRId64,
                    axis, pair.a->dims[axis], pair.b->dims[axis]);
}

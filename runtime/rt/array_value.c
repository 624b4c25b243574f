/* JrArrayValue, as far as kernels compiled ahead of time need it too. */
#include "runtime/value.h"

#include <string.h>

/* No memory is larger: addresses have at most 57 bits on what there is, of which half is the kernel's. */
static const int64_t most_memory = INT64_C(1) << 56;

/* Whether every element's address can be computed: kernels trust shapes and strides. */
static bool has_offsets(const JrArrayValue *array, unsigned item_size) {
    int64_t reach = 0;
    for (uint32_t i = 0; i < array->ndim; i++) {
        int64_t part, stride = array->strides[i];
        if (stride == INT64_MIN) return false;
        if (__builtin_mul_overflow(array->shape[i] - 1, stride < 0 ? -stride : stride, &part))
            return false;
        if (__builtin_add_overflow(reach, part, &reach)) return false;
    }
    return reach < most_memory / item_size;
}

const char *jr_array_fault(const JrArrayValue *array) {
    int64_t count;
    if (!array) return "is NULL";
    if (!jr_array_has_type(array)) return "has an unknown dtype, or not 1 to 8 dimensions";
    unsigned size = ir_scalar_size((IrScalar)array->dtype);
    if (!jr_shape_count(array->shape, array->ndim, size, &count))
        return "has a shape that is negative or larger than memory";
    if (count == 0) return NULL;
    if (!array->data) return "has no data";
    if ((uintptr_t)array->data % size) return "has data that is not aligned to its elements";
    return has_offsets(array, size) ? NULL : "has strides that lead out of memory";
}

void jr_value_fill_array(IrType type, const JrArray *array, JrArrayValue *out) {
    *out = (JrArrayValue){.dtype = (JrType)type.scalar,
                          .ndim = type.ndim,
                          .data = array->data,
                          .owner = array->owner};
    memcpy(out->shape, array->dims, type.ndim * sizeof(int64_t));
    memcpy(out->strides, array->dims + type.ndim, type.ndim * sizeof(int64_t));
}

void jr_array_clear(JrArrayValue *array) {
    if (!array) return;
    jr_rt_release(array->owner);
    *array = (JrArrayValue){.data = NULL};
}

/* jr_array_load and jr_array_save: .npy files as values. */
#include "runtime/compile.h"
#include "runtime/npy.h"
#include "runtime/rt/rt.h"
#include "runtime/value.h"

#include <string.h>

/* A file of one number makes a scalar. */
static bool to_value(const JrNpy *npy, JrValue *out) {
    int64_t room[JR_ARRAY_BYTES(IR_MAX_DIMS) / sizeof(int64_t)];
    JrArray *array = (JrArray *)room;
    if (npy->ndim == 0) {
        jr_value_of_scalar(ir_scalar(npy->scalar), npy->data, out);
        jr_rt_release(npy->owner);
        return true;
    }
    array->data = npy->data;
    array->owner = npy->owner;
    memcpy(array->dims, npy->dims, npy->ndim * sizeof(int64_t));
    memcpy(jr_array_strides(array, npy->ndim), npy->strides, npy->ndim * sizeof(int64_t));
    return jr_value_of_array(NULL, ir_array(npy->scalar, npy->ndim, LAYOUT_ANY), array, out);
}

JrStatus jr_array_load(const char *path, JrValue *out) {
    char why[256];
    JrNpy npy;
    jr_error_clear();
    if (out) *out = (JrValue){.type = JR_NONE};
    if (!path || !out) return jr_error_set(JR_ERR_ARGUMENT, "jr_array_load: NULL argument");
    if (!jr_npy_read(path, NULL, &npy, why, sizeof why))
        return jr_error_set(JR_ERR_IO, "cannot read %s: %s", path, why);
    if (to_value(&npy, out)) return JR_OK;
    jr_rt_release(npy.owner);
    return jr_error_set(JR_MEMORY_ERROR, "out of memory");
}

JrStatus jr_array_save(const char *path, const JrValue *value) {
    char why[256], given[96];
    jr_error_clear();
    if (!path || !value) return jr_error_set(JR_ERR_ARGUMENT, "jr_array_save: NULL argument");
    if (value->type != JR_ARRAY)
        return jr_error_set(JR_ERR_ARGUMENT, "a .npy file holds an array, not %s",
                            jr_value_type_name(value, given, sizeof given));
    const JrArrayValue *array = value->as.array;
    const char *fault = jr_array_fault(array);
    if (fault) return jr_error_set(JR_ERR_ARGUMENT, "jr_array_save: the array %s", fault);
    JrNpy npy = {.scalar = (IrScalar)array->dtype, .ndim = array->ndim, .data = array->data};
    memcpy(npy.dims, array->shape, array->ndim * sizeof(int64_t));
    memcpy(npy.strides, array->strides, array->ndim * sizeof(int64_t));
    if (jr_npy_write(path, &npy, why, sizeof why)) return JR_OK;
    return jr_error_set(JR_ERR_IO, "cannot write %s: %s", path, why);
}

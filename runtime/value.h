/* Values of jitrun.h to and from what compiled code takes. */
#ifndef JR_RUNTIME_VALUE_H
#define JR_RUNTIME_VALUE_H

#include "ir/rt.h"
#include "jitrun.h"
#include "runtime/rt/array.h"

enum { JR_MAX_PARAMS = 255 };

/* Into storage of `type`, a scalar's C type; false if the value does not convert without loss.
 */
bool jr_value_to_scalar(const JrValue *value, IrType type, void *storage);
/* Why jr_value_to_scalar says no to a number; NULL for what is none. */
const char *jr_value_misfit(const JrValue *value, IrType type);
/* The header of the caller's array, borrowed; dtype, rank and layout must be those of `type`.
 * On false *why is what is wrong with the array itself, in words that follow the parameter's
 * name, or NULL if it has another type. */
bool jr_value_to_array(const JrValue *value, IrType type, bool written, JrArray *storage,
                       const char **why);

void jr_value_of_scalar(IrType type, const void *storage, JrValue *out);
/* Takes over the header's reference. False when there is no memory; the reference is then
 * still the caller's. The value's own memory is the heap's. */
bool jr_value_of_array(JrHeap *heap, IrType type, const JrArray *array, JrValue *out);
void jr_value_fill_array(IrType type, const JrArray *array, JrArrayValue *out);
/* Room for `count` items, all None; NULL when there is no memory. */
JrValue *jr_value_new_items(JrHeap *heap, size_t count);

/* Whether the type and the rank are some that arrays have. */
static inline bool jr_array_has_type(const JrArrayValue *array) {
    return array && array->dtype >= JR_BOOL && array->dtype <= JR_FLOAT64 &&
           array->ndim >= 1 && array->ndim <= JR_MAX_DIMS;
}
bool jr_array_is_contiguous(const JrArrayValue *array);
/* What is wrong with an array as such: dtype, rank, shape, data. NULL if nothing is. */
const char *jr_array_fault(const JrArrayValue *array);

#endif

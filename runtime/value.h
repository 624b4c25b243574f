/* Values of jitrun.h to and from what compiled code takes. */
#ifndef JR_RUNTIME_VALUE_H
#define JR_RUNTIME_VALUE_H

#include "ir/rt.h"
#include "jitrun.h"

enum { JR_MAX_PARAMS = 255 };

/* Into storage of `type`; JR_ERR_ARGUMENT, with no message set, if the value does not convert
 * without loss. `storage` is a scalar's C type. */
JrStatus jr_value_to_scalar(const JrValue *value, IrType type, void *storage);
/* The header of the caller's array, borrowed; dtype, rank and layout must be those of `type`.
 */
JrStatus jr_value_to_array(const JrValue *value, IrType type, JrArray *storage);

void jr_value_of_scalar(IrType type, const void *storage, JrValue *out);
/* Takes over the header's reference. False when there is no memory; the reference is then
 * still the caller's. */
bool jr_value_of_array(IrType type, const JrArray *array, JrValue *out);

#endif

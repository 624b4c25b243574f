/* Scalars as libffi knows them. */
#ifndef JR_RUNTIME_FFI_TYPES_H
#define JR_RUNTIME_FFI_TYPES_H

#include "ir/type.h"

#include <ffi.h>

static inline ffi_type *jr_ffi_scalar(IrScalar scalar) {
    switch (scalar) {
    case TY_INT8: return &ffi_type_sint8;
    case TY_INT16: return &ffi_type_sint16;
    case TY_INT32: return &ffi_type_sint32;
    case TY_INT64: return &ffi_type_sint64;
    case TY_BOOL:
    case TY_UINT8: return &ffi_type_uint8;
    case TY_UINT16: return &ffi_type_uint16;
    case TY_UINT32: return &ffi_type_uint32;
    case TY_UINT64: return &ffi_type_uint64;
    case TY_FLOAT32: return &ffi_type_float;
    case TY_FLOAT64: return &ffi_type_double;
    default: return &ffi_type_void;
    }
}

/* The description of a C signature; NULL when there is no memory. In
 * ffi_cif.c, for good. */
ffi_cif *jr_ffi_cif(ffi_type *result, uint32_t n, ffi_type *const *types);

#endif

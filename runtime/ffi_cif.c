/* libffi's descriptions of C signatures, one for each that there is (two, where two threads ask for a
 * new one at once). They stay until the process ends: libffi reads one after the function that a
 * closure called has returned, and by then the module that wanted it may have been freed by that
 * very call. */
#ifdef JITRUN_HAVE_FFI
#include "runtime/ffi_types.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef struct Known {
    struct Known *next;
    ffi_cif cif;
    ffi_type *types[];
} Known;

static Known *_Atomic first;

static bool is_same(const Known *known, ffi_type *result, uint32_t n, ffi_type *const *types) {
    if (known->cif.rtype != result || known->cif.nargs != n) return false;
    for (uint32_t i = 0; i < n; i++)
        if (known->types[i] != types[i]) return false;
    return true;
}

static Known *make(ffi_type *result, uint32_t n, ffi_type *const *types) {
    Known *known = malloc(sizeof *known + n * sizeof *types);
    if (!known) return NULL;
    for (uint32_t i = 0; i < n; i++)
        known->types[i] = types[i];
    if (ffi_prep_cif(&known->cif, FFI_DEFAULT_ABI, n, result, known->types) == FFI_OK)
        return known;
    free(known);
    return NULL;
}

ffi_cif *jr_ffi_cif(ffi_type *result, uint32_t n, ffi_type *const *types) {
    Known *known = atomic_load(&first);
    while (known && !is_same(known, result, n, types))
        known = known->next;
    if (known) return &known->cif;
    if (!(known = make(result, n, types))) return NULL;
    known->next = atomic_load(&first);
    while (!atomic_compare_exchange_weak(&first, &known->next, known))
        ;
    return &known->cif;
}

#endif

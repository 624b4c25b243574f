/* Arrays in NumPy's .npy files, formats 1.0 to 3.0. A file is read with suspicion: nothing is
 * allocated before its size is known to be true, and whatever cannot be right is refused with
 * the reason. */
#ifndef JR_RUNTIME_NPY_H
#define JR_RUNTIME_NPY_H

#include "runtime/rt/array.h"

typedef struct JrNpy {
    IrScalar scalar;
    unsigned ndim; /* 0: one number */
    int64_t dims[IR_MAX_DIMS];
    int64_t strides[IR_MAX_DIMS]; /* in elements; a file in Fortran order is not rearranged */
    void *data;
    JrBuffer *owner; /* one reference when read; not looked at when written */
} JrNpy;

/* Reads the file at path into *out, in the machine's byte order. On failure says why, as a
 * sentence without the path, in why[0..room), and leaves *out untouched. */
bool jr_npy_read(const char *path, JrHeap *heap, JrNpy *out, char *why, size_t room);
/* Writes in C order, as np.save would. A file that cannot be finished is removed. */
bool jr_npy_write(const char *path, const JrNpy *array, char *why, size_t room);

#endif

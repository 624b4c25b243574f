/* Arrays of kernels as NumPy's. With the GIL held. */
#ifndef JR_RUNTIME_PYARRAY_H
#define JR_RUNTIME_PYARRAY_H

#include "ir/rt.h"
#include "runtime/python/python.h"

/* Whether jr_python_numpy has been called. */
bool jr_py_has_arrays(void);
/* A new numpy.ndarray over the array's memory. It takes over the reference to the array's owner, on
 * failure too; memory without an owner lives as long as `args`. NULL with Python's error set. */
PyObject *jr_py_array(IrType type, const JrArray *array, bool writeable, PyObject *args);

#endif

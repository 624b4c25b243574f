/* Arrays of kernels as NumPy's, through NumPy's C interface. The array's base keeps the memory: a
 * capsule with a reference to the buffer, or, for a view of an argument, the arguments. */
#include "runtime/python/pyarray.h"

#include "runtime/compile.h"

/* Places in NumPy's table of functions, the same since NumPy 1.7. */
enum { ARRAY_TYPE = 2, DESCR_FROM_TYPE = 45, NEW_FROM_DESCR = 94, SET_BASE_OBJECT = 282 };

static struct {
    PyObject *type;
    PyObject *(*descr_from_type)(int);
    PyObject *(*new_from_descr)(PyObject *type, PyObject *descr, int ndim,
                                const intptr_t *dims, const intptr_t *strides, void *data,
                                int flags, PyObject *);
    int (*set_base_object)(PyObject *array,
                           PyObject *base); /* takes the reference, on failure too */
    int numbers[JR_FLOAT64 + 1];
} numpy;

static const char capsule_name[] = "jitrun.memory";

static void release(PyObject *capsule) {
    jr_rt_release(jr_py.PyCapsule_GetPointer(capsule, capsule_name));
}

static PyObject *keeper_of(JrBuffer *owner, PyObject *args) {
    if (!owner) return jr_py.Py_IncRef(args), args;
    PyObject *capsule = jr_py.PyCapsule_New(owner, capsule_name, release);
    if (!capsule) jr_rt_release(owner);
    return capsule;
}

PyObject *jr_py_array(IrType type, const JrArray *array, bool writeable, PyObject *args) {
    intptr_t shape[IR_MAX_DIMS], strides[IR_MAX_DIMS],
        size = ir_scalar_size((IrScalar)type.scalar);
    for (unsigned i = 0; i < type.ndim; i++) {
        shape[i] = array->dims[i];
        strides[i] = array->dims[type.ndim + i] * size;
    }
    PyObject *keeper = keeper_of(array->owner, args);
    if (!keeper) return NULL;
    PyObject *made = numpy.new_from_descr(
        numpy.type, numpy.descr_from_type(numpy.numbers[type.scalar]), type.ndim, shape,
        strides, array->data, writeable ? JR_PY_WRITEABLE : 0, NULL);
    if (!made) return jr_py.Py_DecRef(keeper), NULL;
    if (numpy.set_base_object(made, keeper) == 0) return made;
    jr_py.Py_DecRef(made);
    return NULL;
}

bool jr_py_has_arrays(void) {
    return numpy.type != NULL;
}

JrStatus jr_python_numpy(void *const *table, const int32_t *numbers, size_t count) {
    jr_error_clear();
    if (!table || !numbers || count != JR_FLOAT64 + 1)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_python_numpy: NULL, or not as many types");
    for (size_t i = 0; i < count; i++)
        numpy.numbers[i] = numbers[i];
    *(void **)&numpy.descr_from_type = table[DESCR_FROM_TYPE];
    *(void **)&numpy.new_from_descr = table[NEW_FROM_DESCR];
    *(void **)&numpy.set_base_object = table[SET_BASE_OBJECT];
    numpy.type = table[ARRAY_TYPE];
    return JR_OK;
}

/* CPython, as far as calls from it need: its functions, found in the running process, and where the
 * fields of its objects lie. Nothing here is compiled against Python's headers. What is relied on is
 * either a function that every CPython since 3.9 exports, or a layout that its binary interface or
 * NumPy's fixes; the caller of jr_python_open has checked the latter on live objects. */
#ifndef JR_RUNTIME_PYTHON_H
#define JR_RUNTIME_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PyObject PyObject;

/* name, result, parameters */
#define JR_PY_FUNCTIONS(X)                                                     \
    X(PyBool_FromLong, PyObject *, (long))                                     \
    X(PyCapsule_GetPointer, void *, (PyObject *, const char *))                \
    X(PyCapsule_New, PyObject *, (void *, const char *, void (*)(PyObject *))) \
    X(PyDict_New, PyObject *, (void))                                          \
    X(PyDict_SetItem, int, (PyObject *, PyObject *, PyObject *))               \
    X(PyErr_CheckSignals, int, (void))                                         \
    X(PyErr_Clear, void, (void))                                               \
    X(PyErr_ExceptionMatches, int, (PyObject *))                               \
    X(PyErr_SetObject, void, (PyObject *, PyObject *))                         \
    X(PyEval_RestoreThread, void, (void *))                                    \
    X(PyEval_SaveThread, void *, (void))                                       \
    X(PyFloat_AsDouble, double, (PyObject *))                                  \
    X(PyFloat_FromDouble, PyObject *, (double))                                \
    X(PyGILState_Ensure, int, (void))                                          \
    X(PyGILState_Release, void, (int))                                         \
    X(PyLong_AsLongLongAndOverflow, long long, (PyObject *, int *))            \
    X(PyLong_FromLongLong, PyObject *, (long long))                            \
    X(PyLong_FromUnsignedLongLong, PyObject *, (unsigned long long))           \
    X(PyObject_Call, PyObject *, (PyObject *, PyObject *, PyObject *))         \
    X(PyObject_CallFunctionObjArgs, PyObject *, (PyObject *, ...))             \
    X(PyTuple_GetItem, PyObject *, (PyObject *, ptrdiff_t))                    \
    X(PyTuple_New, PyObject *, (ptrdiff_t))                                    \
    X(PyTuple_SetItem, int, (PyObject *, ptrdiff_t, PyObject *))               \
    X(PyTuple_Size, ptrdiff_t, (PyObject *))                                   \
    X(Py_DecRef, void, (PyObject *))                                           \
    X(Py_IncRef, void, (PyObject *))

typedef struct JrPython {
#define JR_PY_FIELD(name, result, parameters) result(*name) parameters;
    JR_PY_FUNCTIONS(JR_PY_FIELD)
#undef JR_PY_FIELD
    PyObject *none, *true_, *not_implemented, *keyboard_interrupt;
    size_t object_size; /* of an object's header, whose last field is its type */
} JrPython;

/* Filled in by jr_python_open, before anything can be called from Python. */
extern JrPython jr_py;

/* False if this process has no CPython that will do. */
bool jr_python_find(size_t object_size);

static inline void *jr_py_behind(PyObject *object) {
    return (char *)object + jr_py.object_size;
}

static inline PyObject *jr_py_type(PyObject *object) {
    return ((PyObject **)jr_py_behind(object))[-1];
}

/* A numpy.ndarray behind its header. */
typedef struct JrNumpyArray {
    void *data;
    int ndim;
    const intptr_t *shape, *strides; /* strides in bytes */
    PyObject *base, *descr;
    int flags;
} JrNumpyArray;

/* A numpy.dtype behind its header. */
typedef struct JrNumpyDescr {
    PyObject *scalar_type;
    char kind, type, byteorder, flags;
    int type_num;
} JrNumpyDescr;

#endif

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
    X(PyErr_Fetch, void, (PyObject **, PyObject **, PyObject **))              \
    X(PyErr_NoMemory, PyObject *, (void))                                      \
    X(PyErr_Restore, void, (PyObject *, PyObject *, PyObject *))               \
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
    X(PyObject_GetAttrString, PyObject *, (PyObject *, const char *))          \
    X(PySys_GetObject, PyObject *, (const char *))                             \
    X(PyTuple_GetItem, PyObject *, (PyObject *, ptrdiff_t))                    \
    X(PyTuple_New, PyObject *, (ptrdiff_t))                                    \
    X(PyTuple_SetItem, int, (PyObject *, ptrdiff_t, PyObject *))               \
    X(PyTuple_Size, ptrdiff_t, (PyObject *))                                   \
    X(PyUnicode_DecodeUTF8Stateful, PyObject *,                                \
      (const char *, ptrdiff_t, const char *, ptrdiff_t *))                    \
    X(Py_DecRef, void, (PyObject *))                                           \
    X(Py_IncRef, void, (PyObject *))

/* How an int of at most 30 bits lies behind its header: a word that says its sign, and its digit. */
typedef enum JrPyInts {
    INTS_UNKNOWN,
    INTS_SIZED, /* the word is -1, 0 or 1 (to 3.11) */
    INTS_TAGGED, /* 0, 1 or 2 for positive, zero and negative, and 8 unless it is zero (from 3.12) */
} JrPyInts;

typedef struct JrPython {
#define JR_PY_FIELD(name, result, parameters) result(*name) parameters;
    JR_PY_FUNCTIONS(JR_PY_FIELD)
#undef JR_PY_FIELD
    PyObject *none, *true_, *not_implemented, *keyboard_interrupt;
    size_t object_size;  /* of an object's header, whose last field is its type */
    size_t calls_offset; /* of a kernel's JrPyCalls */
    JrPyInts ints;
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

/* Such an int's value; false if the object may be another one. */
static inline bool jr_py_small_int(PyObject *object, int64_t *out) {
    const int64_t *word = jr_py_behind(object);
    int64_t digit = *(const uint32_t *)(word + 1), sign = *word;
    if (jr_py.ints == INTS_TAGGED && (uint64_t)*word < 16)
        sign = 1 - (*word & 3);
    else if (jr_py.ints != INTS_SIZED || (uint64_t)(*word + 1) > 2)
        return false;
    *out = sign * digit;
    return true;
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

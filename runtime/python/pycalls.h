/* What an object that CPython calls remembers of calls: pylearn.c makes it, pycall.c goes by it. */
#ifndef JR_RUNTIME_PYCALLS_H
#define JR_RUNTIME_PYCALLS_H

#include "runtime/compile.h"
#include "runtime/python/python.h"

enum { JR_PY_LEAVES = 64, JR_PY_ITEMS = 255, JR_PY_DEPTH = 16 }; /* at most, of a call */

/* How an argument is read. */
typedef enum JrPyReading {
    READ_NONE,
    READ_DOUBLE, /* a Python float for a float64 */
    READ_INT64,  /* a Python int for an int64 */
    READ_NUMBER, /* any other number, by way of a JrValue */
    READ_ARRAY,
    READ_TUPLE,
} JrPyReading;

typedef struct JrPyArg {
    JrPyParam given;
    JrPyReading reading;
    IrType leaf;
} JrPyArg;

/* One combination of argument types. */
typedef struct JrPyEntry {
    struct JrPyEntry *next;
    JrFunction *function;
    PyObject *failed;
    size_t count; /* of arguments */
    uint32_t nargs, nleaves;
    bool readonly;  /* some argument is a read-only array, and so is what is a view of it */
    JrPyArg args[]; /* tuples with their items behind them */
} JrPyEntry;

struct JrPyCalls {
    PyObject *slow;
    size_t positional, count;   /* parameters: that may be passed by position, and all */
    PyObject *names, *defaults; /* tuples, by parameter; NotImplemented for no default */
    JrPyEntry *_Atomic first;
};

/* A vectorcallfunc, of objects that have a JrPyCalls at jr_py.calls_offset. */
PyObject *jr_py_enter(PyObject *self, PyObject *const *args, size_t flagged, PyObject *names);

#endif

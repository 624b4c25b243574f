/* Calls from CPython without a Python function in between.
 *
 * A kernel is an object whose type has the vectorcall protocol (python/jitrun/fast.py makes it), and
 * `jr_py_enter` below is what CPython calls. The object has a JrPyCalls: a list of entries, one for each
 * combination of argument types that it was called with before (pylearn.c). An entry reads the arguments
 * straight into a kernel's leaves:
 *
 *     jr_py_enter -> the first entry whose every parameter accepts its argument
 *                  -> jr_function_run, without the GIL -> box the result
 *           -> otherwise `slow`, a function in Python, which converts, compiles, adds an entry, or
 *              raises the TypeError
 *
 * An entry accepts only what needs no conversion that could fail: exact types, arrays of the
 * very dtype, rank and contiguity. Entries are added while other threads look for theirs (without a
 * GIL, on free-threaded Pythons), so the list only grows, at its head, and goes with its object.
 *
 * A kernel that is known to be done in a moment keeps the GIL: releasing and taking it again costs
 * more than such a kernel does. Of the others most are done in a moment too when they are given
 * little to do, which only the run shows: these begin with the GIL, and release it when they have
 * been running for some ten microseconds (JrYield). */
#include "runtime/python/interrupt.h"
#include "runtime/python/pyarray.h"
#include "runtime/python/pycalls.h"
#include "runtime/value.h"

#define OFFSET_FLAG ((size_t)1 << (8 * sizeof(size_t) - 1)) /* of vectorcall's count */

enum {
    FEW_ELEMENTS = 4096, /* that a kernel goes through in a few microseconds */
    LOOKS = 1,           /* of a kernel at the cancel flag, before it releases the GIL */
};

/* ---- Reading arguments ---- */

/* Where reading has come to. */
typedef struct Reader {
    const JrPyArg *arg;
    JrLeaf *leaves, *leaf;
    uint64_t elements; /* of all arrays */
} Reader;

static inline bool read_int(PyObject *object, int64_t *out) {
    if (jr_py_small_int(object, out)) return true;
    int overflow;
    *out = jr_py.PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

/* A Python number, or a NumPy scalar: its C value is all that follows its header. */
static bool read_number(const JrPyArg *arg, PyObject *object, JrLeaf *leaf) {
    JrValue value = {.type = arg->given.type};
    IrType type = ir_scalar((IrScalar)value.type);
    if (arg->given.numpy)
        jr_value_of_scalar(type, jr_py_behind(object), &value);
    else if (value.type == JR_FLOAT64)
        value.as.f = jr_py.PyFloat_AsDouble(object);
    else if (value.type == JR_BOOL)
        value.as.b = object == jr_py.true_;
    else if (!read_int(object, &value.as.i))
        return false;
    return jr_value_to_scalar(&value, arg->leaf, leaf);
}

/* The dtype as the entry has it, or another object of the same meaning. */
static bool has_dtype(const JrPyArg *arg, PyObject *descr) {
    if (descr == arg->given.descr) return true;
    const JrNumpyDescr *d = jr_py_behind(descr);
    return d->type_num == arg->given.type_num && (d->byteorder == '=' || d->byteorder == '|');
}

/* NumPy's own strides mean nothing where a length is 0 or 1. */
static inline void make_strides(unsigned ndim, JrArray *array) {
    uint64_t stride = 1;
    for (unsigned axis = ndim; axis-- > 0;) {
        array->dims[ndim + axis] = (int64_t)stride;
        stride *= (uint64_t)array->dims[axis];
    }
}

static bool read_strides(const JrPyArg *arg, const JrNumpyArray *from, JrArray *to) {
    unsigned ndim = arg->leaf.ndim, size = ir_scalar_size((IrScalar)arg->leaf.scalar);
    int shift = __builtin_ctz(size);
    for (unsigned i = 0; i < ndim; i++) {
        if (from->strides[i] & (intptr_t)(size - 1)) return false;
        to->dims[ndim + i] = from->strides[i] >> shift;
    }
    return true;
}

static inline bool read_array(Reader *reader, const JrPyArg *arg, PyObject *object,
                              JrArray *to) {
    const JrNumpyArray *from = jr_py_behind(object);
    if (from->ndim != arg->leaf.ndim) return false;
    if (((uint32_t)from->flags & arg->given.flags_mask) != arg->given.flags) return false;
    if (!has_dtype(arg, from->descr)) return false;
    to->data = from->data;
    to->owner = NULL;
    uint64_t elements = 1;
    for (unsigned i = 0; i < arg->leaf.ndim; i++) {
        to->dims[i] = from->shape[i];
        elements *= (uint64_t)from->shape[i];
    }
    reader->elements += elements;
    if (arg->leaf.layout != LAYOUT_C) return read_strides(arg, from, to);
    make_strides(arg->leaf.ndim, to);
    return true;
}

static bool read_tuple(Reader *reader, const JrPyArg *arg, PyObject *tuple);

/* Reads arguments, or items of a tuple. */
static bool read_all(Reader *reader, PyObject *const *objects, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const JrPyArg *arg = reader->arg++;
        PyObject *object = objects[i];
        bool read = jr_py_type(object) == arg->given.python_type;
        if (!read) return false;
        switch (arg->reading) {
        case READ_NONE: break;
        case READ_DOUBLE:
            reader->leaf++->scalar.d = *(const double *)jr_py_behind(object);
            break;
        case READ_INT64: read = read_int(object, &reader->leaf++->scalar.i); break;
        case READ_NUMBER: read = read_number(arg, object, reader->leaf++); break;
        case READ_ARRAY: read = read_array(reader, arg, object, &reader->leaf++->array); break;
        case READ_TUPLE: read = read_tuple(reader, arg, object); break;
        }
        if (!read) return false;
    }
    return true;
}

static bool read_tuple(Reader *reader, const JrPyArg *arg, PyObject *tuple) {
    if (jr_py.PyTuple_Size(tuple) != (ptrdiff_t)arg->given.count) return false;
    for (uint32_t i = 0; i < arg->given.count; i++) {
        PyObject *item = jr_py.PyTuple_GetItem(tuple, i);
        if (!read_all(reader, &item, 1)) return false;
    }
    return true;
}

/* ---- Results ---- */

static PyObject *box_scalar(IrScalar scalar, const JrLeaf *leaf) {
    JrValue value;
    switch (scalar) {
    case TY_FLOAT64: return jr_py.PyFloat_FromDouble(leaf->scalar.d);
    case TY_FLOAT32: return jr_py.PyFloat_FromDouble((double)leaf->scalar.f);
    case TY_INT64: return jr_py.PyLong_FromLongLong(leaf->scalar.i);
    case TY_BOOL: return jr_py.PyBool_FromLong(leaf->scalar.b);
    default: break;
    }
    jr_value_of_scalar(ir_scalar(scalar), leaf, &value);
    if (ir_scalar_class(scalar) == 'U') return jr_py.PyLong_FromUnsignedLongLong(value.as.u);
    return jr_py.PyLong_FromLongLong(value.as.i);
}

/* A call whose results become Python's objects. */
typedef struct Results {
    const JrPyEntry *entry;
    PyObject *const *args;
    const JrLeaf *leaf; /* the next one */
} Results;

/* Gives a new reference away. */
static bool set_item(PyObject *tuple, ptrdiff_t index, PyObject *item) {
    jr_py.Py_IncRef(item);
    return jr_py.PyTuple_SetItem(tuple, index, item) == 0;
}

static PyObject *box_array(const Results *results, IrType type, const JrArray *array) {
    if (array->owner) return jr_py_array(type, array, true, NULL);
    PyObject *args = jr_py.PyTuple_New((ptrdiff_t)results->entry->count), *made = NULL;
    bool good = args != NULL;
    for (size_t i = 0; good && i < results->entry->count; i++)
        good = set_item(args, (ptrdiff_t)i, results->args[i]);
    if (good) made = jr_py_array(type, array, !results->entry->readonly, args);
    if (args) jr_py.Py_DecRef(args);
    return made;
}

static PyObject *box_other(Results *results, const FeType *type);

static inline PyObject *box(Results *results, const FeType *type) {
    if (type->kind == FE_SCALAR) return box_scalar((IrScalar)type->ir.scalar, results->leaf++);
    return box_other(results, type);
}

static PyObject *box_other(Results *results, const FeType *type) {
    if (type->kind == FE_ARRAY) return box_array(results, type->ir, &results->leaf++->array);
    if (type->kind == FE_NONE) return jr_py.Py_IncRef(jr_py.none), jr_py.none;
    PyObject *tuple = jr_py.PyTuple_New(type->count);
    for (uint32_t i = 0; i < type->count; i++) {
        PyObject *item = box(results, type->items[i]); /* when one fails, to free the others */
        if (tuple && item)
            jr_py.PyTuple_SetItem(tuple, i, item);
        else if (item)
            jr_py.Py_DecRef(item);
        if (tuple && !item) jr_py.Py_DecRef(tuple), tuple = NULL;
    }
    return tuple;
}

/* ---- Calling ---- */

/* The exception that `failed` makes of this thread's error, with the traceback it has. The signal
 * that stopped a kernel is still noted in the interpreter, which would raise a KeyboardInterrupt of
 * its own, without the kernel's lines, as soon as it ran `failed`. */
__attribute__((cold)) static PyObject *raise(const JrPyEntry *entry, JrStatus status) {
    if (status == JR_KEYBOARD_INTERRUPT && jr_py.PyErr_CheckSignals() != 0) {
        if (!jr_py.PyErr_ExceptionMatches(jr_py.keyboard_interrupt)) return NULL;
        jr_py.PyErr_Clear();
    }
    PyObject *error = jr_py.PyObject_CallFunctionObjArgs(entry->failed, NULL);
    if (!error) return NULL;
    jr_py.PyErr_SetObject(jr_py_type(error), error);
    jr_py.Py_DecRef(error);
    return NULL;
}

/* Releases the GIL; *thread is for PyEval_RestoreThread. */
static void let_go(void *thread) {
    jr_interrupt_watch();
    *(void **)thread = jr_py.PyEval_SaveThread();
}

/* Whether it is over before anyone has waited long for the GIL, or will look whether to release it. */
static inline bool keeps_gil(const JrFunction *function, uint64_t elements) {
    return function->pace == PACE_BRIEF ||
           (function->pace == PACE_LOOKS && elements <= FEW_ELEMENTS);
}

/* A function that needs no context does not look, but then it is over at once. */
static inline JrStatus run_with_gil(const JrFunction *function, void *const *args,
                                    void *const *results) {
    JrThread *thread = NULL;
    if (function->needs == NEEDS_THREAD && !(thread = jr_slot_ready()))
        return jr_error()->status;
    const JrCall *call = &function->call;
    int32_t status = call->run(call, &thread->rt, args, results);
    return status ? jr_error_take(thread) : JR_OK;
}

static JrStatus run_in_context(const JrFunction *function, uint64_t elements,
                               void *const *args, void *const *results) {
    void *thread = NULL;
    bool ran;
    JrYield yield = {let_go, &thread, LOOKS};
    bool keeps = keeps_gil(function, elements), looks = keeps && function->pace == PACE_LOOKS;
    if (!keeps) let_go(&thread);
    JrStatus status = jr_function_run_yielding(function->module, &function->call, args,
                                               results, &ran, looks ? &yield : NULL);
    if (thread) jr_py.PyEval_RestoreThread(thread);
    return status;
}

static inline PyObject *run(const JrPyEntry *entry, PyObject *const *objects,
                            const Reader *read) {
    void *pointers[JR_PY_LEAVES];
    const JrFunction *function = entry->function;
    for (uint32_t i = 0; i < entry->nleaves; i++)
        pointers[i] = &read->leaves[i];
    void **into = pointers + entry->nargs;
    bool simple = function->needs != NEEDS_CONTEXT && keeps_gil(function, read->elements);
    JrStatus status = simple ? run_with_gil(function, pointers, into)
                             : run_in_context(function, read->elements, pointers, into);
    if (status) return raise(entry, status);
    Results results = {entry, objects, read->leaves + entry->nargs};
    return box(&results, function->spec->ret);
}

/* Whether the entry took the arguments; *result is then what the call came to. */
static inline bool try_entry(const JrPyEntry *entry, PyObject *const *objects,
                             PyObject **result) {
    JrLeaf leaves[entry->nleaves + 1];
    Reader reader = {.arg = entry->args, .leaves = leaves, .leaf = leaves};
    if (!read_all(&reader, objects, entry->count)) return false;
    *result = run(entry, objects, &reader);
    return true;
}

static PyObject *make_keywords(PyObject *names, PyObject *const *values) {
    PyObject *keywords = jr_py.PyDict_New();
    ptrdiff_t count = jr_py.PyTuple_Size(names);
    for (ptrdiff_t i = 0; keywords && i < count; i++) {
        PyObject *name = jr_py.PyTuple_GetItem(names, i);
        if (jr_py.PyDict_SetItem(keywords, name, values[i]) == 0) continue;
        jr_py.Py_DecRef(keywords);
        keywords = NULL;
    }
    return keywords;
}

/* slow(self, *args, **keywords) */
static PyObject *call_slow(PyObject *slow, PyObject *self, PyObject *const *args, size_t count,
                           PyObject *names) {
    PyObject *keywords = names ? make_keywords(names, args + count) : NULL;
    if (names && !keywords) return NULL;
    PyObject *tuple = jr_py.PyTuple_New((ptrdiff_t)count + 1), *result = NULL;
    bool good = tuple && set_item(tuple, 0, self);
    for (size_t i = 0; good && i < count; i++)
        good = set_item(tuple, (ptrdiff_t)i + 1, args[i]);
    if (good) result = jr_py.PyObject_Call(slow, tuple, keywords);
    if (tuple) jr_py.Py_DecRef(tuple);
    if (keywords) jr_py.Py_DecRef(keywords);
    return result;
}

static inline bool try_entries(const JrPyCalls *calls, PyObject *const *args, size_t count,
                               PyObject **result) {
    JrPyEntry *entry = atomic_load_explicit(&calls->first, memory_order_acquire);
    for (; entry; entry = entry->next)
        if (entry->count == count && try_entry(entry, args, result)) return true;
    return false;
}

/* A call as it was made: `names` of the arguments passed by keyword, which come last. */
typedef struct Call {
    PyObject *const *args;
    size_t count; /* by position */
    PyObject *names;
} Call;

/* The parameter of that name; names in programs are interned, so that the same one is the same
 * object. */
static size_t find_parameter(const JrPyCalls *calls, PyObject *name) {
    size_t i = 0;
    while (i < calls->count && jr_py.PyTuple_GetItem(calls->names, (ptrdiff_t)i) != name)
        i++;
    return i;
}

/* Borrows an argument for each parameter. False for what Python would raise a TypeError for, and
 * for names that are not interned: `slow` tells them apart. */
static bool bind(const JrPyCalls *calls, const Call *call, PyObject **bound) {
    ptrdiff_t keywords = call->names ? jr_py.PyTuple_Size(call->names) : 0;
    if (call->count > calls->positional || calls->count > JR_PY_LEAVES) return false;
    for (size_t i = 0; i < calls->count; i++)
        bound[i] = i < call->count ? call->args[i] : NULL;
    for (ptrdiff_t i = 0; i < keywords; i++) {
        size_t at = find_parameter(calls, jr_py.PyTuple_GetItem(call->names, i));
        if (at == calls->count || bound[at]) return false;
        bound[at] = call->args[call->count + (size_t)i];
    }
    for (size_t i = call->count; i < calls->count; i++) {
        if (!bound[i]) bound[i] = jr_py.PyTuple_GetItem(calls->defaults, (ptrdiff_t)i);
        if (bound[i] == jr_py.not_implemented) return false;
    }
    return true;
}

static bool try_bound(const JrPyCalls *calls, const Call *call, PyObject **result) {
    PyObject *bound[JR_PY_LEAVES];
    return bind(calls, call, bound) && try_entries(calls, bound, calls->count, result);
}

static inline bool try_call(const JrPyCalls *calls, const Call *call, PyObject **result) {
    if (!call->names && call->count == calls->count && call->count == calls->positional)
        return try_entries(calls, call->args, call->count, result);
    return try_bound(calls, call, result);
}

/* A vectorcallfunc. `slow` returns NotImplemented to say that it added an entry for these very
 * arguments and left the call to that. */
PyObject *jr_py_enter(PyObject *self, PyObject *const *args, size_t flagged, PyObject *names) {
    JrPyCalls *calls = *(JrPyCalls **)((char *)self + jr_py.calls_offset);
    Call call = {args, flagged & ~OFFSET_FLAG, names};
    PyObject *result;
    if (try_call(calls, &call, &result)) return result;
    result = call_slow(calls->slow, self, args, call.count, names);
    if (result != jr_py.not_implemented) return result;
    jr_py.Py_DecRef(result);
    if (try_call(calls, &call, &result)) return result;
    return call_slow(calls->slow, self, args, call.count, names);
}

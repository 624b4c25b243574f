/* Calls from CPython without a Python function in between.
 *
 * A kernel is an object whose type has the vectorcall protocol (python/jitrun/fast.py makes it), and
 * `enter` below is what CPython calls. The object has a JrPyCalls: a list of entries, one for each
 * combination of argument types that it was called with before. An entry reads the arguments
 * straight into a kernel's leaves:
 *
 *     enter -> the first entry whose every parameter accepts its argument
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
#include "runtime/compile.h"
#include "runtime/python/interrupt.h"
#include "runtime/python/pyarray.h"
#include "runtime/python/python.h"
#include "runtime/rt/rt.h"
#include "runtime/value.h"

#include <stdlib.h>
#include <string.h>

#define OFFSET_FLAG ((size_t)1 << (8 * sizeof(size_t) - 1)) /* of vectorcall's count */

enum { MAX_LEAVES = 64, MAX_ITEMS = 255, MAX_DEPTH = 16 };
enum {
    FEW_ELEMENTS = 4096, /* that a kernel goes through in a few microseconds */
    LOOKS = 1,           /* of a kernel at the cancel flag, before it releases the GIL */
};

/* How an argument is read. */
typedef enum Reading {
    READ_NONE,
    READ_DOUBLE, /* a Python float for a float64 */
    READ_INT64,  /* a Python int for an int64 */
    READ_NUMBER, /* any other number, by way of a JrValue */
    READ_ARRAY,
    READ_TUPLE,
} Reading;

typedef struct Param {
    JrPyParam given;
    Reading reading;
    IrType leaf;
} Param;

typedef struct Entry {
    struct Entry *next;
    JrFunction *function;
    PyObject *failed;
    size_t count; /* of arguments */
    uint32_t nargs, nleaves;
    bool readonly;  /* some argument is a read-only array, and so is what is a view of it */
    Param params[]; /* tuples with their items behind them */
} Entry;

struct JrPyCalls {
    PyObject *slow;
    size_t positional, count;   /* parameters: that may be passed by position, and all */
    PyObject *names, *defaults; /* tuples, by parameter; NotImplemented for no default */
    Entry *_Atomic first;
};

static size_t calls_offset; /* of an object's JrPyCalls */

/* ---- Reading arguments ---- */

/* Where reading has come to. */
typedef struct Reader {
    const Param *param;
    JrLeaf *leaves, *leaf;
    uint64_t elements; /* of all arrays */
} Reader;

static bool read_int(PyObject *object, int64_t *out) {
    int overflow;
    *out = jr_py.PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow;
}

/* A Python number, or a NumPy scalar: its C value is all that follows its header. */
static bool read_number(const Param *param, PyObject *object, JrLeaf *leaf) {
    JrValue value = {.type = param->given.type};
    IrType type = ir_scalar((IrScalar)value.type);
    if (param->given.numpy)
        jr_value_of_scalar(type, jr_py_behind(object), &value);
    else if (value.type == JR_FLOAT64)
        value.as.f = jr_py.PyFloat_AsDouble(object);
    else if (value.type == JR_BOOL)
        value.as.b = object == jr_py.true_;
    else if (!read_int(object, &value.as.i))
        return false;
    return jr_value_to_scalar(&value, param->leaf, leaf);
}

/* The dtype as the entry has it, or another object of the same meaning. */
static bool has_dtype(const Param *param, PyObject *descr) {
    if (descr == param->given.descr) return true;
    const JrNumpyDescr *d = jr_py_behind(descr);
    return d->type_num == param->given.type_num &&
           (d->byteorder == '=' || d->byteorder == '|');
}

static bool read_strides(const Param *param, const JrNumpyArray *from, JrArray *to) {
    unsigned ndim = param->leaf.ndim, size = ir_scalar_size((IrScalar)param->leaf.scalar);
    int64_t *strides = jr_array_strides(to, ndim);
    if (param->leaf.layout ==
        LAYOUT_C) { /* NumPy's own mean nothing where a length is 0 or 1 */
        jr_shape_strides(to->dims, ndim, strides);
        return true;
    }
    for (unsigned i = 0; i < ndim; i++) {
        if (from->strides[i] % (intptr_t)size) return false;
        strides[i] = from->strides[i] / (intptr_t)size;
    }
    return true;
}

static bool read_array(Reader *reader, const Param *param, PyObject *object, JrArray *to) {
    const JrNumpyArray *from = jr_py_behind(object);
    if (from->ndim != param->leaf.ndim) return false;
    if (((uint32_t)from->flags & param->given.flags_mask) != param->given.flags) return false;
    if (!has_dtype(param, from->descr)) return false;
    to->data = from->data;
    to->owner = NULL;
    uint64_t elements = 1;
    for (int i = 0; i < from->ndim; i++) {
        to->dims[i] = from->shape[i];
        elements *= (uint64_t)from->shape[i];
    }
    reader->elements += elements;
    return read_strides(param, from, to);
}

/* Reads an argument and, of a tuple, its items. */
static bool read_argument(Reader *reader, PyObject *object) {
    const Param *param = reader->param++;
    if (jr_py_type(object) != param->given.python_type) return false;
    switch (param->reading) {
    case READ_NONE: return true;
    case READ_DOUBLE:
        reader->leaf++->scalar.d = *(const double *)jr_py_behind(object);
        return true;
    case READ_INT64: return read_int(object, &reader->leaf++->scalar.i);
    case READ_NUMBER: return read_number(param, object, reader->leaf++);
    case READ_ARRAY: return read_array(reader, param, object, &reader->leaf++->array);
    default: break;
    }
    if (jr_py.PyTuple_Size(object) != (ptrdiff_t)param->given.count) return false;
    for (uint32_t i = 0; i < param->given.count; i++)
        if (!read_argument(reader, jr_py.PyTuple_GetItem(object, i))) return false;
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
    const Entry *entry;
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

static PyObject *box(Results *results, const FeType *type) {
    if (type->kind == FE_SCALAR) return box_scalar((IrScalar)type->ir.scalar, results->leaf++);
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

static bool can_box(const FeType *type) {
    bool can = type->kind != FE_ARRAY || jr_py_has_arrays();
    for (uint32_t i = 0; type->kind == FE_TUPLE && i < type->count; i++)
        can &= can_box(type->items[i]);
    return can;
}

/* ---- Calling ---- */

/* The exception that `failed` makes of this thread's error, with the traceback it has. The signal
 * that stopped a kernel is still noted in the interpreter, which would raise a KeyboardInterrupt of
 * its own, without the kernel's lines, as soon as it ran `failed`. */
static PyObject *raise(const Entry *entry, JrStatus status) {
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

static PyObject *run(const Entry *entry, PyObject *const *args, const Reader *read) {
    void *pointers[MAX_LEAVES], *thread = NULL;
    JrFunction *function = entry->function;
    for (uint32_t i = 0; i < entry->nleaves; i++)
        pointers[i] = &read->leaves[i];
    bool ran, looks = function->pace == PACE_LOOKS && read->elements <= FEW_ELEMENTS;
    JrYield yield = {let_go, &thread, LOOKS};
    if (!looks && function->pace != PACE_BRIEF) let_go(&thread);
    JrStatus status =
        jr_function_run_yielding(function->module, &function->call, pointers,
                                 pointers + entry->nargs, &ran, looks ? &yield : NULL);
    if (thread) jr_py.PyEval_RestoreThread(thread);
    if (status) return raise(entry, status);
    Results results = {entry, args, read->leaves + entry->nargs};
    return box(&results, function->spec->ret);
}

/* Whether the entry took the arguments; *result is then what the call came to. */
static bool try_entry(const Entry *entry, PyObject *const *args, PyObject **result) {
    JrLeaf leaves[entry->nleaves + 1];
    Reader reader = {.param = entry->params, .leaves = leaves, .leaf = leaves};
    for (size_t i = 0; i < entry->count; i++)
        if (!read_argument(&reader, args[i])) return false;
    *result = run(entry, args, &reader);
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

static bool try_entries(const JrPyCalls *calls, PyObject *const *args, size_t count,
                        PyObject **result) {
    Entry *entry = atomic_load_explicit(&calls->first, memory_order_acquire);
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
    if (call->count > calls->positional || calls->count > MAX_LEAVES) return false;
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

static bool try_call(const JrPyCalls *calls, const Call *call, PyObject **result) {
    PyObject *bound[MAX_LEAVES];
    if (!call->names && call->count == calls->count && call->count == calls->positional)
        return try_entries(calls, call->args, call->count, result);
    return bind(calls, call, bound) && try_entries(calls, bound, calls->count, result);
}

/* A vectorcallfunc. `slow` returns NotImplemented to say that it added an entry for these very
 * arguments and left the call to that. */
static PyObject *enter(PyObject *self, PyObject *const *args, size_t flagged,
                       PyObject *names) {
    JrPyCalls *calls = *(JrPyCalls **)((char *)self + calls_offset);
    Call call = {args, flagged & ~OFFSET_FLAG, names};
    PyObject *result;
    if (try_call(calls, &call, &result)) return result;
    result = call_slow(calls->slow, self, args, call.count, names);
    if (result != jr_py.not_implemented) return result;
    jr_py.Py_DecRef(result);
    if (try_call(calls, &call, &result)) return result;
    return call_slow(calls->slow, self, args, call.count, names);
}

/* ---- Making entries ---- */

static Reading reading_of(const JrPyParam *given, const FeType *type) {
    if (type->kind == FE_NONE) return READ_NONE;
    if (type->kind == FE_ARRAY) return READ_ARRAY;
    if (type->kind == FE_TUPLE) return READ_TUPLE;
    if (given->type == JR_FLOAT64 && type->ir.scalar == TY_FLOAT64) return READ_DOUBLE;
    if (given->type == JR_INT64 && !given->numpy && type->ir.scalar == TY_INT64)
        return READ_INT64;
    return READ_NUMBER;
}

/* A JrPyCalls in the making: what is left of the caller's description. */
typedef struct Making {
    Entry *entry;
    const JrPyParam *given, *end;
    Param *param;
    int depth;
} Making;

static bool add_array(const Making *m, Param *param) {
    const JrFunction *function = m->entry->function;
    bool readonly = !(param->given.flags & JR_PY_WRITEABLE);
    bool strided = !(param->given.flags & JR_PY_CONTIGUOUS);
    param->given.flags_mask = JR_PY_CONTIGUOUS | JR_PY_ALIGNED | JR_PY_WRITEABLE;
    if (param->given.count != param->leaf.ndim ||
        param->given.item != (JrType)param->leaf.scalar)
        return false;
    if (readonly && function->written[m->entry->nargs]) return false;
    m->entry->readonly |= readonly;
    return (param->given.flags & JR_PY_ALIGNED) &&
           !(strided && param->leaf.layout == LAYOUT_C);
}

/* False if the parameter's type does not take what is given for it. */
static bool add_param(Making *m, const FeType *type) {
    static const uint8_t kinds[] = {
        [FE_NONE] = JR_NONE, [FE_ARRAY] = JR_ARRAY, [FE_TUPLE] = JR_TUPLE};
    if (m->given == m->end || m->depth == MAX_DEPTH) return false;
    Param *param = m->param++;
    *param = (Param){.given = *m->given++, .reading = reading_of(m->given - 1, type)};
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) {
        if (m->entry->nargs == MAX_LEAVES) return false;
        param->leaf = type->ir;
    }
    bool number = param->given.type >= JR_BOOL && param->given.type <= JR_FLOAT64;
    if (type->kind == FE_SCALAR ? !number : param->given.type != (JrType)kinds[type->kind])
        return false;
    if (type->kind == FE_ARRAY && !add_array(m, param)) return false;
    if (type->kind != FE_TUPLE) return m->entry->nargs += jr_leaf_count(type), true;
    if (param->given.count != type->count) return false;
    m->depth++;
    for (uint32_t i = 0; i < type->count; i++)
        if (!add_param(m, type->items[i])) return false;
    m->depth--;
    return true;
}

static bool fill_entry(Entry *entry, size_t count, const JrPyParam *params) {
    const FeSpec *spec = entry->function->spec;
    Making making = {
        .entry = entry, .given = params, .end = params + count, .param = entry->params};
    entry->count = spec->nparams;
    for (uint32_t i = 0; i < spec->nparams; i++)
        if (!add_param(&making, spec->params[i])) return false;
    entry->nleaves = entry->nargs + jr_leaf_count(spec->ret);
    return making.given == making.end && entry->nleaves <= MAX_LEAVES && can_box(spec->ret);
}

JrStatus jr_python_calls_add(JrPyCalls *calls, JrFunction *function, void *failed,
                             size_t count, const JrPyParam *params) {
    jr_error_clear();
    if (!calls || !function || !failed || (count && !params) || count > MAX_ITEMS)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_python_calls_add: NULL or too many arguments");
    Entry *entry = calloc(1, sizeof *entry + count * sizeof *entry->params);
    if (!entry) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    entry->function = function;
    entry->failed = failed;
    if (!fill_entry(entry, count, params)) {
        free(entry);
        return jr_error_set(JR_ERR_SIGNATURE, "such a call of %s has no short way",
                            function->spec->func->ast->name);
    }
    entry->next = atomic_load(&calls->first);
    while (!atomic_compare_exchange_weak(&calls->first, &entry->next, entry))
        ;
    return JR_OK;
}

JrPyCalls *jr_python_calls_new(void *slow, size_t positional, size_t count, void *names,
                               void *defaults) {
    if (!slow || !names || !defaults || positional > count) return NULL;
    JrPyCalls *calls = calloc(1, sizeof *calls);
    if (!calls) return NULL;
    calls->slow = slow;
    calls->positional = positional;
    calls->count = count;
    calls->names = names;
    calls->defaults = defaults;
    return calls;
}

void jr_python_calls_free(JrPyCalls *calls) {
    Entry *entry = calls ? atomic_load(&calls->first) : NULL;
    while (entry) {
        Entry *next = entry->next;
        free(entry);
        entry = next;
    }
    free(calls);
}

JrStatus jr_python_open(size_t object_size, size_t offset, void **vectorcall) {
    jr_error_clear();
    if (!vectorcall || object_size < 2 * sizeof(void *))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_python_open: NULL, or no size of an object");
    *vectorcall = NULL;
    if (sizeof(void *) != 8 || !jr_python_find(object_size))
        return jr_error_set(JR_ERR_NOT_FOUND, "this process runs no CPython that can call "
                                              "kernels directly");
    calls_offset = offset;
    *(PyObject * (**)(PyObject *, PyObject *const *, size_t, PyObject *)) vectorcall = enter;
    return JR_OK;
}

/* What a JrPyCalls learns: an entry for each combination of argument types that a first call has shown to
 * work, with a plan of how to read them (pycalls.h).
 *
 * An entry accepts only what needs no conversion that could fail: exact types, arrays of the
 * very dtype, rank and contiguity. Entries are added while other threads look for theirs (without a
 * GIL, on free-threaded Pythons), so the list only grows, at its head, and goes with its object. */
#include "runtime/python/pyarray.h"
#include "runtime/python/pycalls.h"

#include <stdlib.h>

static bool can_box(const FeType *type) {
    bool can = type->kind != FE_ARRAY || jr_py_has_arrays();
    for (uint32_t i = 0; type->kind == FE_TUPLE && i < type->count; i++)
        can &= can_box(type->items[i]);
    return can;
}

static JrPyReading reading_of(const JrPyParam *given, const FeType *type) {
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
    JrPyEntry *entry;
    const JrPyParam *given, *end;
    JrPyArg *arg;
    int depth;
} Making;

static bool add_array(const Making *m, JrPyArg *arg) {
    const JrFunction *function = m->entry->function;
    bool readonly = !(arg->given.flags & JR_PY_WRITEABLE);
    bool strided = !(arg->given.flags & JR_PY_CONTIGUOUS);
    arg->given.flags_mask = JR_PY_CONTIGUOUS | JR_PY_ALIGNED | JR_PY_WRITEABLE;
    if (arg->given.count != arg->leaf.ndim || arg->given.item != (JrType)arg->leaf.scalar)
        return false;
    if (readonly && function->written[m->entry->nargs]) return false;
    m->entry->readonly |= readonly;
    return (arg->given.flags & JR_PY_ALIGNED) && !(strided && arg->leaf.layout == LAYOUT_C);
}

/* False if the parameter's type does not take what is given for it. */
static bool add_param(Making *m, const FeType *type) {
    static const uint8_t kinds[] = {
        [FE_NONE] = JR_NONE, [FE_ARRAY] = JR_ARRAY, [FE_TUPLE] = JR_TUPLE};
    if (m->given == m->end || m->depth == JR_PY_DEPTH) return false;
    JrPyArg *arg = m->arg++;
    *arg = (JrPyArg){.given = *m->given++, .reading = reading_of(m->given - 1, type)};
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) {
        if (m->entry->nargs == JR_PY_LEAVES) return false;
        arg->leaf = type->ir;
    }
    bool number = arg->given.type >= JR_BOOL && arg->given.type <= JR_FLOAT64;
    if (type->kind == FE_SCALAR ? !number : arg->given.type != (JrType)kinds[type->kind])
        return false;
    if (type->kind == FE_ARRAY && !add_array(m, arg)) return false;
    if (type->kind != FE_TUPLE) return m->entry->nargs += jr_leaf_count(type), true;
    if (arg->given.count != type->count) return false;
    m->depth++;
    for (uint32_t i = 0; i < type->count; i++)
        if (!add_param(m, type->items[i])) return false;
    m->depth--;
    return true;
}

static bool fill_entry(JrPyEntry *entry, size_t count, const JrPyParam *params) {
    const FeSpec *spec = entry->function->spec;
    Making making = {
        .entry = entry, .given = params, .end = params + count, .arg = entry->args};
    entry->count = spec->nparams;
    for (uint32_t i = 0; i < spec->nparams; i++)
        if (!add_param(&making, spec->params[i])) return false;
    entry->nleaves = entry->nargs + jr_leaf_count(spec->ret);
    return making.given == making.end && entry->nleaves <= JR_PY_LEAVES && can_box(spec->ret);
}

JrStatus jr_python_calls_add(JrPyCalls *calls, JrFunction *function, void *failed,
                             size_t count, const JrPyParam *params) {
    jr_error_clear();
    if (!calls || !function || !failed || (count && !params) || count > JR_PY_ITEMS)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_python_calls_add: NULL or too many arguments");
    JrPyEntry *entry = calloc(1, sizeof *entry + count * sizeof *entry->args);
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
    JrPyEntry *entry = calls ? atomic_load(&calls->first) : NULL;
    while (entry) {
        JrPyEntry *next = entry->next;
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
    jr_py.calls_offset = offset;
    *(PyObject * (**)(PyObject *, PyObject *const *, size_t, PyObject *)) vectorcall =
        jr_py_enter;
    return JR_OK;
}

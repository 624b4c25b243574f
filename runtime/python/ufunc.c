/* The inner loop of a NumPy ufunc that is a kernel (python/jitrun/vectorize.py).
 *
 * NumPy broadcasts, casts and buffers; what is left is one dimension: a pointer and a step in
 * bytes for each input and for the output. These become 1-D arrays of the caller's memory for a
 * kernel that loops over them. There are two, since what is contiguous, nearly always everything,
 * is to be vectorised. NumPy hands over data that is aligned, so steps are whole elements.
 *
 * NumPy may or may not hold the GIL here. */
#include "runtime/compile.h"
#include "runtime/python/python.h"
#include "runtime/value.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_OPERANDS = 32, /* NumPy's own limit */
    MAX_TABLES = 32
};

typedef struct Kernel {
    JrFunction *function;
    PyObject *failed;
} Kernel;

struct JrPyLoop {
    Kernel contiguous, strided;
    uint32_t count; /* of operands, the output last */
    uint32_t ntables;
    JrLeaf tables[]; /* arrays that the kernels take behind the operands */
};

static unsigned item_size(const Kernel *kernel, uint32_t operand) {
    return ir_scalar_size((IrScalar)kernel->function->spec->params[operand]->ir.scalar);
}

static const Kernel *choose(const JrPyLoop *loop, const intptr_t *steps) {
    for (uint32_t i = 0; i < loop->count; i++)
        if (steps[i] != (intptr_t)item_size(&loop->contiguous, i)) return &loop->strided;
    return &loop->contiguous;
}

static void raise(const Kernel *kernel) {
    int state = jr_py.PyGILState_Ensure();
    PyObject *error = jr_py.PyObject_CallFunctionObjArgs(kernel->failed, NULL);
    if (error) {
        jr_py.PyErr_SetObject(jr_py_type(error), error);
        jr_py.Py_DecRef(error);
    }
    jr_py.PyGILState_Release(state);
}

/* A PyUFuncGenericFunction. */
static void run_loop(char **args, const intptr_t *dims, const intptr_t *steps, void *data) {
    const JrPyLoop *loop = data;
    const Kernel *kernel = choose(loop, steps);
    JrLeaf leaves[MAX_OPERANDS];
    void *pointers[MAX_OPERANDS + MAX_TABLES];
    for (uint32_t i = 0; i < loop->count; i++) {
        JrArray *array = &leaves[i].array;
        array->data = args[i];
        array->owner = NULL;
        array->dims[0] = dims[0];
        array->dims[1] = steps[i] / (intptr_t)item_size(kernel, i);
        pointers[i] = array;
    }
    for (uint32_t i = 0; i < loop->ntables; i++) /* which the kernels do not write to */
        pointers[loop->count + i] = (void *)(uintptr_t)&loop->tables[i];
    bool ran;
    JrFunction *function = kernel->function;
    if (jr_function_run(function->module, &function->call, pointers, NULL, &ran))
        raise(kernel);
}

/* Whether the function takes 1-D arrays of this layout, and as many tables, and returns nothing. */
static bool fits(const JrFunction *function, IrLayout layout, size_t tables) {
    const FeSpec *spec = function->spec;
    if (spec->ret->kind != FE_NONE || tables > MAX_TABLES || spec->nparams <= tables ||
        spec->nparams - tables > MAX_OPERANDS)
        return false;
    for (uint32_t i = 0; i < spec->nparams; i++) {
        const FeType *type = spec->params[i];
        bool operand = i < spec->nparams - tables;
        if (type->kind != FE_ARRAY || (operand && type->ir.ndim != 1) ||
            type->ir.layout != (operand ? layout : LAYOUT_C))
            return false;
    }
    return true;
}

/* Copies the arrays' headers. */
static bool take_tables(JrPyLoop *loop, const JrValue *tables) {
    const JrFunction *function = loop->contiguous.function;
    const char *why = NULL;
    for (uint32_t i = 0; i < loop->ntables; i++) {
        IrType type = function->spec->params[loop->count + i]->ir;
        if (function->written[loop->count + i] ||
            !jr_value_to_array(&tables[i], type, false, &loop->tables[i].array, &why))
            return false;
    }
    return true;
}

JrStatus jr_python_loop_new(JrFunction *contiguous, void *failed, JrFunction *strided,
                            void *strided_failed, size_t table_count, const JrValue *tables,
                            void **function, JrPyLoop **out) {
    jr_error_clear();
    if (!contiguous || !strided || !failed || !strided_failed || (table_count && !tables) ||
        !function || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_python_loop_new: NULL argument");
    *out = NULL;
    *(void (**)(char **, const intptr_t *, const intptr_t *, void *))function = run_loop;
    bool good =
        fits(contiguous, LAYOUT_C, table_count) && fits(strided, LAYOUT_ANY, table_count);
    if (!good || contiguous->spec->nparams != strided->spec->nparams)
        return jr_error_set(JR_ERR_SIGNATURE, "%s is no loop over arrays of one dimension",
                            contiguous->signature);
    JrPyLoop *loop = calloc(1, sizeof *loop + table_count * sizeof *loop->tables);
    if (!loop) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    loop->contiguous = (Kernel){contiguous, failed};
    loop->strided = (Kernel){strided, strided_failed};
    loop->count = contiguous->spec->nparams - (uint32_t)table_count;
    loop->ntables = (uint32_t)table_count;
    if (take_tables(loop, tables)) return *out = loop, JR_OK;
    free(loop);
    return jr_error_set(JR_ERR_SIGNATURE, "%s does not take these tables",
                        contiguous->signature);
}

void jr_python_loop_free(JrPyLoop *loop) {
    free(loop);
}

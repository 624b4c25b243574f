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

#include <stdlib.h>
#include <string.h>

enum { MAX_OPERANDS = 32 }; /* NumPy's own limit */

typedef struct Kernel {
    JrFunction *function;
    PyObject *failed;
} Kernel;

struct JrPyLoop {
    Kernel contiguous, strided;
    uint32_t count; /* of operands, the output last */
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
    void *pointers[MAX_OPERANDS];
    for (uint32_t i = 0; i < loop->count; i++) {
        JrArray *array = &leaves[i].array;
        array->data = args[i];
        array->owner = NULL;
        array->dims[0] = dims[0];
        array->dims[1] = steps[i] / (intptr_t)item_size(kernel, i);
        pointers[i] = array;
    }
    bool ran;
    JrFunction *function = kernel->function;
    if (jr_function_run(function->module, &function->call, pointers, NULL, &ran))
        raise(kernel);
}

/* Whether the function takes 1-D arrays of this layout and returns nothing. */
static bool fits(const JrFunction *function, IrLayout layout) {
    const FeSpec *spec = function->spec;
    if (spec->ret->kind != FE_NONE || spec->nparams < 1 || spec->nparams > MAX_OPERANDS)
        return false;
    for (uint32_t i = 0; i < spec->nparams; i++) {
        const FeType *type = spec->params[i];
        if (type->kind != FE_ARRAY || type->ir.ndim != 1 || type->ir.layout != layout)
            return false;
    }
    return true;
}

JrStatus jr_python_loop_new(JrFunction *contiguous, void *failed, JrFunction *strided,
                            void *strided_failed, void **function, JrPyLoop **out) {
    jr_error_clear();
    if (!contiguous || !strided || !failed || !strided_failed || !function || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_python_loop_new: NULL argument");
    *out = NULL;
    *(void (**)(char **, const intptr_t *, const intptr_t *, void *))function = run_loop;
    bool good = fits(contiguous, LAYOUT_C) && fits(strided, LAYOUT_ANY);
    if (!good || contiguous->spec->nparams != strided->spec->nparams)
        return jr_error_set(JR_ERR_SIGNATURE, "%s is no loop over arrays of one dimension",
                            contiguous->signature);
    JrPyLoop *loop = calloc(1, sizeof *loop);
    if (!loop) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    *loop = (JrPyLoop){.contiguous = {contiguous, failed},
                       .strided = {strided, strided_failed},
                       .count = contiguous->spec->nparams};
    return *out = loop, JR_OK;
}

void jr_python_loop_free(JrPyLoop *loop) {
    free(loop);
}

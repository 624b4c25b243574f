/* Calls that are prepared once and made many times: the arguments stay converted in a frame
 * between calls, and what is not set anew is passed again. */
#include "runtime/frame.h"

#include <string.h>

struct JrPrepared {
    JrCallFrame frame;
    bool running;
    uint32_t unset;   /* arguments that have no value yet */
    uint32_t *starts; /* by argument: its first leaf */
    bool *set;        /* by argument */
};

static size_t room_for(const JrFunction *function, uint32_t leaves) {
    size_t params = function->spec->nparams;
    return sizeof(JrPrepared) + JR_FRAME_BYTES(leaves) + _Alignof(uint32_t) +
           params * (sizeof(uint32_t) + sizeof(bool));
}

JrStatus jr_function_prepare(JrFunction *function, JrPrepared **out) {
    jr_error_clear();
    if (out) *out = NULL;
    if (!function || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_function_prepare: NULL argument");
    const FeSpec *spec = function->spec;
    uint32_t leaves = jr_frame_leaves(function), leaf = 0;
    JrPrepared *p = jr_alloc_new(function->module->context->alloc, room_for(function, leaves));
    if (!p) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    *p = (JrPrepared){.unset = spec->nparams};
    char *memory = (char *)(p + 1), *rest = memory + JR_FRAME_BYTES(leaves);
    jr_frame_init(&p->frame, function, leaves, memory);
    rest += (size_t)(-(uintptr_t)rest % _Alignof(uint32_t));
    p->starts = (uint32_t *)rest;
    p->set = (bool *)(p->starts + spec->nparams);
    for (uint32_t i = 0; i < spec->nparams; i++) {
        p->starts[i] = leaf;
        p->set[i] = false;
        leaf += jr_leaf_count(spec->params[i]);
    }
    jr_module_ref(function->module);
    *out = p;
    return JR_OK;
}

JrStatus jr_prepared_set(JrPrepared *prepared, size_t index, const JrValue *value) {
    jr_error_clear();
    if (!prepared || !value)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_prepared_set: NULL argument");
    JrCallFrame *f = &prepared->frame;
    const FeSpec *spec = f->function->spec;
    if (index >= spec->nparams)
        return jr_error_set(JR_ERR_ARGUMENT, "%s takes %u argument%s: there is no number %zu",
                            spec->func->ast->name, spec->nparams,
                            spec->nparams == 1 ? "" : "s", index + 1);
    if (prepared->running)
        return jr_error_set(JR_ERR_ARGUMENT, "the prepared call of %s is running",
                            spec->func->ast->name);
    f->leaf = f->leaves + prepared->starts[index];
    JrStatus status = jr_frame_set(f, index, value);
    bool set = status == JR_OK;
    prepared->unset += (uint32_t)prepared->set[index] - (uint32_t)set;
    prepared->set[index] = set;
    return status;
}

static JrStatus refuse(const JrPrepared *prepared) {
    const FeSpec *spec = prepared->frame.function->spec;
    const AstFunc *ast = spec->func->ast;
    if (prepared->running)
        return jr_error_set(JR_ERR_ARGUMENT, "the prepared call of %s is running", ast->name);
    uint32_t i = 0;
    while (prepared->set[i])
        i++;
    return jr_error_set(JR_ERR_ARGUMENT, "argument %u of %s, '%s', is not set", i + 1,
                        ast->name, ast->params.data[i].name);
}

JrStatus jr_prepared_call(JrPrepared *prepared, JrValue *result) {
    JrStatus status;
    jr_error_clear();
    if (!prepared)
        status = jr_error_set(JR_ERR_ARGUMENT, "jr_prepared_call: NULL argument");
    else if (prepared->running || prepared->unset) {
        status = refuse(prepared);
    } else {
        prepared->running = true;
        status = jr_frame_run(&prepared->frame, result);
        prepared->running = false;
    }
    if (status && result) *result = (JrValue){.type = JR_NONE};
    return status;
}

void jr_prepared_free(JrPrepared *prepared) {
    if (!prepared) return;
    JrModule *module = prepared->frame.function->module;
    jr_alloc_free(module->context->alloc, prepared);
    jr_module_unref(module);
}

/* What a module has and what its functions take, for programs that learn of kernels as they run. */
#include "runtime/compile.h"

/* The first of the module's functions is its body. */
size_t jr_module_function_count(const JrModule *module) {
    return module && module->fe && module->fe->funcs.len ? module->fe->funcs.len - 1 : 0;
}

const char *jr_module_function_name(const JrModule *module, size_t index) {
    if (index >= jr_module_function_count(module)) return NULL;
    return module->fe->funcs.data[index + 1]->ast->name;
}

const char *jr_function_name(const JrFunction *function) {
    return function ? function->spec->func->ast->name : "";
}

static JrType type_of(const FeType *type) {
    switch (type->kind) {
    case FE_SCALAR: return (JrType)type->ir.scalar;
    case FE_ARRAY: return JR_ARRAY;
    case FE_TUPLE: return JR_TUPLE;
    default: return JR_NONE;
    }
}

/* The type's name is there since the signature was written. */
static JrTypeInfo describe(const FeType *type, FeTypes *types) {
    JrTypeInfo info = {
        .size = sizeof info, .text = fe_type_name(types, type), .type = type_of(type)};
    if (type->kind == FE_TUPLE) info.item_count = type->count;
    if (type->kind == FE_ARRAY) {
        info.dtype = (JrType)type->ir.scalar;
        info.ndim = type->ir.ndim;
        info.contiguous = type->ir.layout == LAYOUT_C;
    }
    return info;
}

/* Whether the function writes to the parameter's array, or to one in its tuple. */
static bool is_written(const JrFunction *function, size_t index) {
    uint32_t leaf = 0;
    for (size_t i = 0; i < index; i++)
        leaf += jr_leaf_count(function->spec->params[i]);
    bool written = false;
    for (uint32_t n = jr_leaf_count(function->spec->params[index]); n > 0; n--)
        written |= function->written[leaf++];
    return written;
}

static JrStatus give(const JrTypeInfo *info, JrTypeInfo *out) {
    return jr_give_result(out, info, sizeof *info, "JrTypeInfo") ? JR_OK : JR_ERR_ARGUMENT;
}

JrStatus jr_function_param(const JrFunction *function, size_t index, JrTypeInfo *out) {
    jr_error_clear();
    if (!function || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_function_param: NULL argument");
    const FeSpec *spec = function->spec;
    if (index >= spec->nparams)
        return jr_error_set(
            JR_ERR_ARGUMENT, "%s has %u parameter%s: there is no parameter %zu",
            spec->func->ast->name, spec->nparams, spec->nparams == 1 ? "" : "s", index);
    JrTypeInfo info = describe(spec->params[index], &function->module->fe->types);
    const AstParam *param = &spec->func->ast->params.data[index];
    info.name = param->name;
    info.has_default = param->fallback != NULL;
    info.written = is_written(function, index);
    return give(&info, out);
}

JrStatus jr_function_result(const JrFunction *function, JrTypeInfo *out) {
    jr_error_clear();
    if (!function || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_function_result: NULL argument");
    JrTypeInfo info = describe(function->spec->ret, &function->module->fe->types);
    return give(&info, out);
}

#include "runtime/frame.h"

#include "runtime/rt/array.h"
#include "runtime/rt/gate.h"
#include "runtime/value.h"

#include <string.h>

uint32_t jr_frame_leaves(const JrFunction *function) {
    return function->nargs + function->nresults;
}

void jr_frame_init(JrCallFrame *f, JrFunction *function, uint32_t leaves, void *memory) {
    *f = (JrCallFrame){.function = function, .leaves = memory, .leaf = memory};
    f->pointers = (void **)(f->leaves + leaves);
    f->readonly = (bool *)(f->pointers + leaves);
    f->nargs = function->nargs;
    for (uint32_t i = 0; i < leaves; i++)
        f->pointers[i] = &f->leaves[i];
    memset(f->readonly, 0, leaves * sizeof *f->readonly);
}

/* Stores one argument into the leaves of its parameter. */
static bool store_argument(JrCallFrame *f, const FeType *type, const JrValue *value) {
    if (type->kind == FE_NONE) return value->type == JR_NONE;
    if (type->kind == FE_SCALAR) return jr_value_to_scalar(value, type->ir, f->leaf++);
    if (type->kind == FE_ARRAY) {
        ptrdiff_t at = f->leaf - f->leaves;
        bool written = f->function->written[at];
        f->readonly[at] =
            value->type == JR_ARRAY && value->as.array && value->as.array->readonly;
        f->any_readonly |= f->readonly[at];
        return jr_value_to_array(value, type->ir, written, &f->leaf++->array, &f->why);
    }
    if (value->type != JR_TUPLE || value->as.tuple.count != type->count) return false;
    if (type->count && !value->as.tuple.items) return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!store_argument(f, type->items[i], &value->as.tuple.items[i])) return false;
    return true;
}

/* A default, which is a constant of the source. */
static bool store_default(JrCallFrame *f, const FeType *type, const FeConst *value) {
    if (type->kind == FE_TUPLE && value->kind == FE_CONST_TUPLE &&
        type->count == value->type->count) {
        for (uint32_t i = 0; i < type->count; i++)
            if (!store_default(f, type->items[i], value->items[i])) return false;
        return true;
    }
    if (value->kind == FE_CONST_NONE) return type->kind == FE_NONE;
    JrValue scalar = jr_float((double)value->i);
    if (value->kind == FE_CONST_FLOAT) scalar = jr_float(value->d);
    if (value->kind == FE_CONST_BOOL) scalar = jr_bool(value->i != 0);
    if (value->kind == FE_CONST_INT && value->i >= INT64_MIN && value->i <= INT64_MAX)
        scalar = jr_int((int64_t)value->i);
    else if (value->kind == FE_CONST_INT && value->i >= 0 && value->i <= UINT64_MAX)
        scalar = jr_uint((uint64_t)value->i);
    return type->kind == FE_SCALAR && jr_value_to_scalar(&scalar, type->ir, f->leaf++);
}

static JrStatus bad_argument(const JrCallFrame *f, size_t index, const JrValue *value) {
    char given[96];
    const FeSpec *spec = f->function->spec;
    const AstFunc *ast = spec->func->ast;
    const char *name = ast->params.data[index].name;
    const FeType *type = spec->params[index];
    const char *reason = type->kind == FE_SCALAR ? jr_value_misfit(value, type->ir) : NULL;
    if (value->type == JR_DEFAULT && fe_default(spec->func, (uint32_t)index))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "the default of argument %zu of %s, '%s', is no %s", index + 1,
                            ast->name, name, type->name);
    if (value->type == JR_DEFAULT)
        return jr_error_set(JR_ERR_ARGUMENT, "%s needs an argument for '%s'", ast->name, name);
    if (f->why)
        return jr_error_set(JR_ERR_ARGUMENT, "argument %zu of %s, '%s', %s", index + 1,
                            ast->name, name, f->why);
    return jr_error_set(
        JR_ERR_ARGUMENT, "argument %zu of %s, '%s', is %s: %s cannot be passed%s%s", index + 1,
        ast->name, name, type->name, jr_value_type_name(value, given, sizeof given),
        reason ? ": " : "", reason ? reason : "");
}

JrStatus jr_frame_set(JrCallFrame *f, size_t index, const JrValue *value) {
    const FeSpec *spec = f->function->spec;
    const FeType *type = spec->params[index];
    const FeConst *fallback =
        value->type == JR_DEFAULT ? fe_default(spec->func, (uint32_t)index) : NULL;
    f->why = NULL;
    if (fallback ? store_default(f, type, fallback) : store_argument(f, type, value))
        return JR_OK;
    return bad_argument(f, index, value);
}

/* A result may be a view of an argument: it is then no more writable than that was. */
static bool is_readonly(const JrCallFrame *f, const void *owner) {
    for (uint32_t i = 0; i < f->nargs && f->any_readonly; i++)
        if (f->readonly[i] && f->leaves[i].array.owner == owner) return true;
    return false;
}

/* Builds the result from its leaves, taking over the references of arrays. On false memory ran
 * out: *out holds what could be made, and the rest was released. */
static bool load_result(JrCallFrame *f, const FeType *type, JrValue *out) {
    JrHeap *heap = f->function->module->context->heap;
    *out = (JrValue){.type = JR_NONE};
    if (type->kind == FE_NONE) return true;
    if (type->kind == FE_SCALAR) return jr_value_of_scalar(type->ir, f->leaf++, out), true;
    if (type->kind == FE_ARRAY) {
        const JrArray *array = &f->leaf++->array;
        bool made = jr_value_of_array(heap, type->ir, array, out);
        if (!made) jr_rt_release(array->owner);
        return made;
    }
    JrValue *items = jr_value_new_items(heap, type->count);
    bool good = items != NULL;
    for (uint32_t i = 0; i < type->count; i++) {
        JrValue item;
        good &= load_result(f, type->items[i], &item);
        if (items)
            items[i] = item;
        else
            jr_value_clear(&item);
    }
    if (items)
        *out = (JrValue){.type = JR_TUPLE, .owned = true, .as.tuple = {type->count, items}};
    return good;
}

static void mark_readonly(const JrCallFrame *f, JrValue *value) {
    if (value->type == JR_TUPLE)
        for (size_t i = 0; i < value->as.tuple.count; i++)
            mark_readonly(f, &value->as.tuple.items[i]);
    if (value->type == JR_ARRAY)
        value->as.array->readonly = is_readonly(f, value->as.array->owner);
}

/* With as much around the code as it needs. */
static JrStatus run(const JrCallFrame *f, bool *ran) {
    const JrFunction *function = f->function;
    const JrCall *call = &function->call;
    void *const *results = f->pointers + f->nargs;
    if (f->once)
        return jr_run_once(function->module, function->spec->name, f->pointers, results, ran);
    if (function->needs == NEEDS_CONTEXT)
        return jr_function_run(function->module, call, f->pointers, results, ran);
    *ran = false;
    JrThread *thread = jr_gate_ready();
    if (!thread) return jr_error()->status;
    int32_t status = call->run(call, &thread->rt, f->pointers, results);
    *ran = status == 0;
    return status ? jr_error_take(thread) : JR_OK;
}

/* A status that is not JR_OK: it ran, but what it printed could not be written. */
static JrStatus give_result(JrCallFrame *f, JrStatus status, JrValue *result) {
    JrValue value;
    if (!load_result(f, f->function->spec->ret, &value))
        status = jr_error_set(JR_MEMORY_ERROR, "out of memory");
    mark_readonly(f, &value);
    if (status == JR_OK && result)
        *result = value; /* last: it may be one of the arguments */
    else
        jr_value_clear(&value);
    return status;
}

JrStatus jr_frame_run(JrCallFrame *f, JrValue *result) {
    const FeType *type = f->function->spec->ret;
    bool ran;
    JrStatus status = run(f, &ran);
    if (!ran) return status;
    f->leaf = f->leaves + f->nargs;
    if (status || type->kind != FE_SCALAR) return give_result(f, status, result);
    if (result) jr_value_of_scalar(type->ir, f->leaf, result);
    return JR_OK;
}

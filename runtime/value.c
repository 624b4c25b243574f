/* Values: conversion to and from what compiled code takes, printing, .npy files, jr_eval. */
#include "runtime/value.h"

#include "runtime/compile.h"
#include "runtime/rt/array.h"
#include "runtime/rt/format.h"
#include "runtime/rt/rt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Kinds ---- */

static bool is_scalar(JrType type) {
    return type >= JR_BOOL && type <= JR_FLOAT64;
}

static char class_of(JrType type) {
    return is_scalar(type) ? ir_scalar_class((IrScalar)type) : 0;
}

bool jr_array_is_contiguous(const JrArrayValue *array) {
    int64_t expected = 1;
    for (uint32_t axis = array->ndim; axis-- > 0;) {
        if (array->shape[axis] == 0) return true;
        if (array->shape[axis] != 1 && array->strides[axis] != expected) return false;
        /* A shape that nobody has looked at yet: jr_array_fault will refuse it. */
        if (__builtin_mul_overflow(expected, array->shape[axis], &expected)) return false;
    }
    return true;
}

static const FeType *tuple_type(FeTypes *types, const JrValue *value) {
    const FeType *items[JR_MAX_PARAMS];
    if (value->as.tuple.count > JR_MAX_PARAMS) return NULL;
    if (value->as.tuple.count && !value->as.tuple.items) return NULL;
    for (size_t i = 0; i < value->as.tuple.count; i++)
        if (!(items[i] = jr_value_fe_type(types, &value->as.tuple.items[i]))) return NULL;
    return fe_type_tuple(types, (uint32_t)value->as.tuple.count, items);
}

const FeType *jr_value_fe_type(FeTypes *types, const JrValue *value) {
    if (is_scalar(value->type)) return fe_type_ir(types, ir_scalar((IrScalar)value->type));
    if (value->type == JR_NONE) return types->none;
    if (value->type == JR_TUPLE) return tuple_type(types, value);
    const JrArrayValue *array = value->type == JR_ARRAY ? value->as.array : NULL;
    if (!jr_array_has_type(array)) return NULL;
    return fe_type_ir(types, ir_array((IrScalar)array->dtype, array->ndim,
                                      jr_array_is_contiguous(array) ? LAYOUT_C : LAYOUT_ANY));
}

/* "float64 array of shape (3,4)", "the int64 300", "None": what a message calls a value. */
const char *jr_value_type_name(const JrValue *value, char *buffer, size_t size) {
    char number[JR_FLOAT_CHARS + 1];
    switch (class_of(value->type)) {
    case 'B':
        snprintf(buffer, size, "the bool %s", value->as.b ? "True" : "False");
        return buffer;
    case 'I': snprintf(buffer, size, "the int %" PRId64, value->as.i); return buffer;
    case 'U': snprintf(buffer, size, "the int %" PRIu64, value->as.u); return buffer;
    case 'F':
        number[jr_format_float64(number, value->as.f)] = 0;
        snprintf(buffer, size, "the float %s", number);
        return buffer;
    default: break;
    }
    if (value->type == JR_ARRAY && jr_array_has_type(value->as.array))
        snprintf(buffer, size, "%s%s array of %" PRIu32 " dimension%s",
                 jr_array_is_contiguous(value->as.array) ? "a contiguous " : "a strided ",
                 ir_scalar_name((IrScalar)value->as.array->dtype), value->as.array->ndim,
                 value->as.array->ndim == 1 ? "" : "s");
    else
        snprintf(buffer, size, "%s",
                 value->type == JR_NONE    ? "None"
                 : value->type == JR_TUPLE ? "a tuple"
                                           : "a value of no known type");
    return buffer;
}

/* ---- To compiled code ---- */

/* A whole number in [-2^127, 2^127), if the value is one exactly. */
static bool exact_integer(const JrValue *value, __int128 *out) {
    switch (class_of(value->type)) {
    case 'B': *out = value->as.b; return true;
    case 'I': *out = value->as.i; return true;
    case 'U': *out = value->as.u; return true;
    case 'F':
        if (!(fabs(value->as.f) < 0x1p120) || value->as.f != trunc(value->as.f)) return false;
        *out = (__int128)value->as.f;
        return true;
    default: return false;
    }
}

static bool fits(__int128 i, IrScalar scalar) {
    unsigned bits = ir_scalar_size(scalar) * 8;
    if (scalar == TY_BOOL) return i == 0 || i == 1;
    if (!ir_scalar_is_signed(scalar)) return i >= 0 && i >> bits == 0;
    return i >> (bits - 1) == 0 || i >> (bits - 1) == -1;
}

static double as_double(const JrValue *value) {
    switch (class_of(value->type)) {
    case 'B': return value->as.b;
    case 'I': return (double)value->as.i;
    case 'U': return (double)value->as.u;
    default: return value->as.f;
    }
}

bool jr_value_to_scalar(const JrValue *value, IrType type, void *storage) {
    IrScalar scalar = (IrScalar)type.scalar;
    __int128 i;
    if (!is_scalar(value->type)) return false;
    if (scalar == TY_BOOL && value->type != JR_BOOL) return false;
    if (scalar == TY_FLOAT64) {
        *(double *)storage = as_double(value);
    } else if (scalar == TY_FLOAT32) {
        *(float *)storage = (float)as_double(value);
    } else {
        if (!exact_integer(value, &i) || !fits(i, scalar)) return false;
        uint64_t bits = (uint64_t)i; /* little-endian: the low bytes come first */
        memcpy(storage, &bits, ir_scalar_size(scalar));
    }
    return true;
}

const char *jr_value_misfit(const JrValue *value, IrType type) {
    __int128 i;
    if (!is_scalar(value->type)) return NULL;
    if (type.scalar == TY_BOOL) return "only True and False can be";
    return exact_integer(value, &i) ? "it does not fit" : "it is not a whole number";
}

bool jr_value_to_array(const JrValue *value, IrType type, bool written, JrArray *storage,
                       const char **why) {
    const JrArrayValue *array = value->type == JR_ARRAY ? value->as.array : NULL;
    *why = NULL;
    if (!jr_array_has_type(array) || (IrScalar)array->dtype != (IrScalar)type.scalar ||
        array->ndim != type.ndim)
        return false;
    if ((*why = jr_array_fault(array))) return false;
    if (type.layout == LAYOUT_C && !jr_array_is_contiguous(array)) return false;
    if (written && array->readonly) {
        *why = "is written to by the function, so it cannot be a read-only array";
        return false;
    }
    storage->data = array->data;
    storage->owner = array->owner;
    memcpy(storage->dims, array->shape, array->ndim * sizeof(int64_t));
    memcpy(jr_array_strides(storage, array->ndim), array->strides,
           array->ndim * sizeof(int64_t));
    return true;
}

/* ---- From compiled code ---- */

void jr_value_of_scalar(IrType type, const void *storage, JrValue *out) {
    *out = (JrValue){.type = (JrType)type.scalar};
    switch ((IrScalar)type.scalar) {
    case TY_BOOL: out->as.b = *(const uint8_t *)storage; break;
    case TY_INT8: out->as.i = *(const int8_t *)storage; break;
    case TY_INT16: out->as.i = *(const int16_t *)storage; break;
    case TY_INT32: out->as.i = *(const int32_t *)storage; break;
    case TY_INT64: out->as.i = *(const int64_t *)storage; break;
    case TY_UINT8: out->as.u = *(const uint8_t *)storage; break;
    case TY_UINT16: out->as.u = *(const uint16_t *)storage; break;
    case TY_UINT32: out->as.u = *(const uint32_t *)storage; break;
    case TY_UINT64: out->as.u = *(const uint64_t *)storage; break;
    case TY_FLOAT32: out->as.f = *(const float *)storage; break;
    default: out->as.f = *(const double *)storage; break;
    }
}

/* What a value owns lies behind the heap it came from, which it keeps alive. */
typedef union Owned {
    JrHeap *heap;
    max_align_t align;
} Owned;

static void *owned_new(JrHeap *heap, size_t size) {
    Owned *block = jr_alloc_new(jr_heap_alloc(heap), sizeof *block + size);
    if (!block) return NULL;
    block->heap = jr_heap_ref(heap);
    return memset(block + 1, 0, size);
}

static void owned_free(void *memory) {
    if (!memory) return;
    Owned *block = (Owned *)memory - 1;
    JrHeap *heap = block->heap;
    jr_alloc_free(jr_heap_alloc(heap), block);
    jr_heap_unref(heap);
}

JrValue *jr_value_new_items(JrHeap *heap, size_t count) {
    return owned_new(heap, count * sizeof(JrValue));
}

bool jr_value_of_array(JrHeap *heap, IrType type, const JrArray *array, JrValue *out) {
    JrArrayValue *value = owned_new(heap, sizeof *value);
    if (!value) return false;
    jr_value_fill_array(type, array, value);
    *out = (JrValue){.type = JR_ARRAY, .owned = true, .as.array = value};
    return true;
}

void jr_value_clear(JrValue *value) {
    if (!value) return;
    if (value->owned && value->type == JR_ARRAY) {
        jr_rt_release(value->as.array->owner);
        owned_free(value->as.array);
    } else if (value->owned && value->type == JR_TUPLE) {
        for (size_t i = 0; i < value->as.tuple.count; i++)
            jr_value_clear(&value->as.tuple.items[i]);
        owned_free(value->as.tuple.items);
    }
    *value = (JrValue){.type = JR_NONE};
}

/* ---- Arrays that the program makes ---- */

static JrHeap *heap_of(JrContext *context) {
    return context ? context->heap : NULL;
}

JrStatus jr_array_new(JrContext *context, JrType dtype, uint32_t ndim, const int64_t *shape,
                      JrArrayValue *out) {
    jr_error_clear();
    if (out) *out = (JrArrayValue){.dtype = JR_NONE};
    if (!shape || !out) return jr_error_set(JR_ERR_ARGUMENT, "jr_array_new: NULL argument");
    JrArrayValue made = {.dtype = dtype, .ndim = ndim};
    if (!jr_array_has_type(&made))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_array_new: an unknown dtype, or not 1 to 8 dimensions");
    unsigned size = ir_scalar_size((IrScalar)dtype);
    int64_t count;
    if (!jr_shape_count(shape, ndim, size, &count))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_array_new: a shape that is negative or larger than memory");
    JrBuffer *buffer = jr_buffer_new(heap_of(context), (size_t)count * size, true);
    if (!buffer) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    made.data = jr_buffer_data(buffer);
    made.owner = buffer;
    memcpy(made.shape, shape, ndim * sizeof *shape);
    jr_shape_strides(shape, ndim, made.strides);
    *out = made;
    return JR_OK;
}

JrStatus jr_array_wrap(JrContext *context, JrArrayValue *array, void (*release)(void *user),
                       void *user) {
    jr_error_clear();
    if (!array || !release)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_array_wrap: NULL argument");
    const char *fault = jr_array_fault(array);
    if (fault) return jr_error_set(JR_ERR_ARGUMENT, "jr_array_wrap: the array %s", fault);
    if (array->owner)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_array_wrap: the array is counted already");
    JrBuffer *buffer = jr_buffer_wrap(heap_of(context), array->data, 0, release, user);
    if (!buffer) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    array->owner = buffer;
    return JR_OK;
}

/* ---- Printing ---- */

static void print_text(JrThread *thread, const char *text) {
    jr_thread_write(thread, text, strlen(text));
}

static int32_t print_array(JrThread *thread, const JrArrayValue *value, bool inside) {
    int64_t room[JR_ARRAY_BYTES(IR_MAX_DIMS) / sizeof(int64_t)];
    JrArray *array = (JrArray *)room;
    IrType type = ir_array((IrScalar)value->dtype, value->ndim, LAYOUT_ANY);
    JrValue borrowed = {.type = JR_ARRAY, .as.array = (JrArrayValue *)value};
    const char *why;
    jr_value_to_array(&borrowed, type, false, array, &why);
    JrSlot args[2] = {{.u = ir_type_bits(type)}, {.p = array}};
    static const JrWhere nowhere = {"", "", 0, 0};
    JrRtFn print = (JrRtFn)jr_symbol_find(jr_rt_symbols(), inside ? "jr_rt_print_array_repr"
                                                                  : "jr_rt_print_array");
    return print(&thread->rt, &nowhere, args, NULL);
}

static int32_t print_scalar(JrThread *thread, const JrValue *value) {
    static const char *const calls[TY_COUNT] = {[TY_BOOL] = "jr_rt_print_bool",
                                                [TY_FLOAT32] = "jr_rt_print_float32",
                                                [TY_FLOAT64] = "jr_rt_print_float64",
                                                [TY_UINT64] = "jr_rt_print_uint"};
    JrSlot arg = {.i = value->as.i};
    if (value->type == JR_BOOL) arg.b = value->as.b;
    if (value->type == JR_FLOAT32) arg.f = (float)value->as.f;
    const char *name = calls[value->type];
    if (!name) name = class_of(value->type) == 'U' ? "jr_rt_print_uint" : "jr_rt_print_int";
    return ((JrRtFn)jr_symbol_find(jr_rt_symbols(), name))(&thread->rt, NULL, &arg, NULL);
}

static int32_t print_value(JrThread *thread, const JrValue *value, bool inside) {
    if (is_scalar(value->type)) return print_scalar(thread, value);
    if (value->type == JR_ARRAY) return print_array(thread, value->as.array, inside);
    if (value->type != JR_TUPLE) return print_text(thread, "None"), 0;
    print_text(thread, "(");
    for (size_t i = 0; i < value->as.tuple.count; i++) {
        if (i) print_text(thread, ", ");
        int32_t status = print_value(thread, &value->as.tuple.items[i], true);
        if (status) return status;
    }
    print_text(thread, value->as.tuple.count == 1 ? ",)" : ")");
    return 0;
}

/* What is wrong with a value that the caller made; NULL if nothing is. */
static const char *value_fault(const JrValue *value) {
    if (value->type == JR_ARRAY) return jr_array_fault(value->as.array);
    if (value->type != JR_TUPLE)
        return is_scalar(value->type) || value->type == JR_NONE ? NULL : "has no known type";
    if (value->as.tuple.count && !value->as.tuple.items) return "has no items";
    const char *fault = NULL;
    for (size_t i = 0; i < value->as.tuple.count && !fault; i++)
        fault = value_fault(&value->as.tuple.items[i]);
    return fault;
}

JrStatus jr_value_print(const JrValue *value, JrWrite write, void *user) {
    jr_error_clear();
    if (!value || !write)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_value_print: NULL argument");
    const char *fault = value_fault(value);
    if (fault) return jr_error_set(JR_ERR_ARGUMENT, "a value to print %s", fault);
    JrThread *thread = jr_thread_current();
    if (!thread) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    if (thread->writing) return jr_error_in_write();
    JrSink outer = jr_thread_swap_sink(thread, (JrSink){write, user});
    int32_t status = print_value(thread, value, false);
    bool written = jr_thread_flush(thread);
    jr_thread_swap_sink(thread, outer);
    if (status) return jr_error_take(thread);
    return written ? JR_OK : jr_error_set(JR_ERR_IO, "the value could not be written");
}

/* ---- jr_eval ---- */

static const char *first_error(JrModule *module) {
    JrDiagnostic d;
    for (size_t i = 0; jr_module_diagnostic(module, i, &d); i++)
        if (d.kind == JR_ERROR) return d.message;
    return jr_error()->message;
}

/* `[1, 2]` within np.array(...) is still one list: `[1]) + ([2]` is not. */
static bool is_array_of_list(const JrModule *module) {
    const FeFunc *func = module->fe->funcs.data[module->fe->funcs.len - 1];
    const AstExpr *value = func->ast->body.data[0]->value;
    const AstExpr *made = value->kind == AST_CALL ? value->left : NULL;
    return made && made->kind == AST_ATTR && made->left->kind == AST_NAME &&
           strcmp(made->name, "array") == 0 && value->items.len == 1 &&
           value->keywords.len == 0 && value->items.data[0]->kind == AST_LIST;
}

static const char NOT_ONE[] = "it is not one expression on one line";

static JrStatus eval_source(JrContext *context, const char *source, bool list, JrValue *out) {
    JrCompileOptions options = {
        .size = sizeof options, .name = "<expression>", .engine = "interp"};
    JrModule *module;
    JrFunction *function;
    JrStatus status = jr_compile_expression(context, source, &options, &module);
    if (status == JR_ERR_COMPILE)
        status = jr_error_set(JR_ERR_ARGUMENT, "%s", first_error(module));
    if (status == JR_OK && list && !is_array_of_list(module))
        status = jr_error_set(JR_ERR_ARGUMENT, "%s", NOT_ONE);
    if (status == JR_OK) status = jr_function(module, "expression", "()", &function);
    if (status == JR_ERR_COMPILE)
        status = jr_error_set(JR_ERR_ARGUMENT, "%s", first_error(module));
    if (status == JR_OK) status = jr_call(function, 0, NULL, out);
    if (status != JR_OK) /* frames point into the module */
        status = jr_error_set(status, "%s", jr_error()->message);
    jr_module_free(module);
    return status;
}

JrStatus jr_eval(JrContext *context, const char *expression, JrValue *out) {
    static const char format[] = "import math\nimport numpy\nimport numpy as np\n"
                                 "def expression():\n    return %s%s\n%s\n";
    /* No brackets of ours around it: they would make an expression of `1) + (2`. */
    jr_error_clear();
    if (out) *out = (JrValue){.type = JR_NONE};
    if (!context || !expression || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_eval: NULL argument");
    expression += strspn(expression, " \t");
    if (!*expression || *expression == '#')
        return jr_error_set(JR_ERR_ARGUMENT, "there is no expression");
    if (strpbrk(expression, "\r\n;")) return jr_error_set(JR_ERR_ARGUMENT, "%s", NOT_ONE);
    bool list = expression[0] == '[';
    size_t size = sizeof format + strlen(expression) + 16;
    char *source = malloc(size);
    if (!source) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    snprintf(source, size, format, list ? "np.array(" : "", expression, list ? ")" : "");
    JrStatus status = eval_source(context, source, list, out);
    free(source);
    return status;
}

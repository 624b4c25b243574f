/* Finding functions and calling them with values chosen at run time.
 *
 * A function's parameters and result, as inference knows them, are scalars, arrays and tuples
 * of such; compiled code takes the leaves of these, in order, each behind a pointer (ir/rt.h).
 * `Leaf` is one of them with room for its storage. */
#include "runtime/array.h"
#include "runtime/compile.h"
#include "runtime/rt.h"
#include "runtime/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef union Leaf {
    JrSlot scalar;
    JrArray array;
    int64_t room[JR_ARRAY_BYTES(IR_MAX_DIMS) / sizeof(int64_t)];
} Leaf;

static uint32_t leaf_count(const FeType *type) {
    uint32_t n = 0;
    if (type->kind == FE_NONE) return 0;
    if (type->kind != FE_TUPLE) return 1;
    for (uint32_t i = 0; i < type->count; i++)
        n += leaf_count(type->items[i]);
    return n;
}

/* ---- Finding ---- */

/* `int64(float64[::1], int64)` or `(float64[::1], int64)`: the types between the parentheses.
 * False if it is no signature. */
static bool parse_signature(JrModule *module, const char *text, const FeType **types,
                            uint32_t *count) {
    const char *open = strchr(text, '(');
    *count = 0;
    if (!open) return false;
    const char *p = open + 1;
    for (p += strspn(p, " "); *p && *p != ')'; p += strspn(p, " ")) {
        IrType type;
        if (*count == JR_MAX_PARAMS || !ir_type_parse(p, &p, &type)) return false;
        types[(*count)++] = fe_type_ir(&module->fe->types, type);
        p += strspn(p, " ");
        if (*p == ',')
            p++;
        else if (*p != ')')
            return false;
    }
    return *p == ')' && p[1 + strspn(p + 1, " ")] == 0;
}

static FeFunc *find_source_function(const JrModule *module, const char *name) {
    for (uint32_t i = 1; i < module->fe->funcs.len; i++)
        if (strcmp(module->fe->funcs.data[i]->ast->name, name) == 0)
            return module->fe->funcs.data[i];
    return NULL;
}

static JrStatus no_such_function(const JrModule *module, const char *name) {
    const char *names[64];
    uint32_t n = 0;
    for (uint32_t i = 1; i < module->fe->funcs.len && n < 64; i++)
        names[n++] = module->fe->funcs.data[i]->ast->name;
    const char *near = jr_nearest(name, names, n);
    return jr_error_set(JR_ERR_NOT_FOUND, "%s has no function '%s'%s%s%s", module->source.name,
                        name, near ? ": did you mean '" : "", near ? near : "",
                        near ? "'?" : "");
}

static const char *signature_of(JrModule *module, const FeSpec *spec) {
    JrText text;
    jr_text_init(&text, module->arena);
    jr_text_printf(&text, "%s(", fe_type_name(&module->fe->types, spec->ret));
    for (uint32_t i = 0; i < spec->nparams; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "",
                       fe_type_name(&module->fe->types, spec->params[i]));
    jr_text_puts(&text, ")");
    return text.data;
}

static JrStatus make_function(JrModule *module, const FeSpec *spec, JrFunction **out) {
    for (JrFunction *f = module->functions; f; f = f->next)
        if (f->spec == spec) return *out = f, JR_OK;
    const JrUnit *unit = jr_pipeline_build(module, false);
    if (!unit) return jr_error()->status;
    JrFunction *f = JR_NEW(module->arena, JrFunction);
    *f = (JrFunction){.next = module->functions,
                      .module = module,
                      .spec = spec,
                      .signature = signature_of(module, spec)};
    if (!unit->engine->find(unit->code, spec->name, &f->call))
        return jr_error_set(JR_ERR_ENGINE, "internal error: the %s engine has no code for %s",
                            unit->engine->name, spec->name);
    module->functions = f;
    *out = f;
    return JR_OK;
}

/* Specialises and reports what inference says on failure, which it adds to the module's
 * diagnostics. They are taken back: another call with other types must start clean. */
static JrStatus specialise(JrModule *module, const char *name, uint32_t count,
                           const FeType *const *types, JrFunction **out) {
    FeSpec *spec = fe_specialise(module->fe, name, count, types);
    if (spec && module->diags.errors == 0) return make_function(module, spec, out);
    const JrDiag *d = module->diags.first;
    while (d && d->severity != JR_SEVERITY_ERROR)
        d = d->next;
    return jr_error_set(JR_ERR_COMPILE, "%s",
                        d ? d->message : "the function cannot be compiled");
}

/* The one specialisation that the source itself asks for, if there is just one. */
static const FeSpec *declared_spec(const FeFunc *func) {
    return func->has_signature && func->specs.len == 1 ? func->specs.data[0] : NULL;
}

static JrStatus find_by_signature(JrModule *module, const char *name, const char *signature,
                                  JrFunction **out) {
    const FeType *types[JR_MAX_PARAMS];
    uint32_t count = 0;
    FeFunc *func = find_source_function(module, name);
    if (!func) return no_such_function(module, name);
    if (signature && !parse_signature(module, signature, types, &count))
        return jr_error_set(JR_ERR_SIGNATURE,
                            "'%s' is no signature: write the parameters' types, such as "
                            "(float64[::1], int64)",
                            signature);
    if (!signature && declared_spec(func))
        return make_function(module, declared_spec(func), out);
    if (!signature && func->ast->params.len && func->specs.len != 1)
        return jr_error_set(JR_ERR_SIGNATURE,
                            "%s has no types of its own: ask for it with a signature, such as "
                            "(float64[::1], int64)",
                            name);
    if (!signature && func->ast->params.len)
        return make_function(module, func->specs.data[0], out);
    return specialise(module, name, count, types, out);
}

static JrStatus find_by_values(JrModule *module, const char *name, size_t count,
                               const JrValue *args, JrFunction **out) {
    const FeType *types[JR_MAX_PARAMS];
    char given[64];
    FeFunc *func = find_source_function(module, name);
    if (!func) return no_such_function(module, name);
    if (declared_spec(func)) return make_function(module, declared_spec(func), out);
    if (count > JR_MAX_PARAMS)
        return jr_error_set(JR_ERR_ARGUMENT, "%zu arguments are more than %d", count,
                            JR_MAX_PARAMS);
    for (size_t i = 0; i < count; i++) {
        types[i] = jr_value_fe_type(&module->fe->types, &args[i]);
        if (!types[i])
            return jr_error_set(JR_ERR_ARGUMENT, "argument %zu of %s: %s cannot be passed",
                                i + 1, name,
                                jr_value_type_name(&args[i], given, sizeof given));
    }
    return specialise(module, name, (uint32_t)count, types, out);
}

typedef struct Query {
    const char *signature;
    bool by_values;
    size_t count;
    const JrValue *args;
} Query;

static JrStatus find_function(JrModule *module, const char *name, Query query,
                              JrFunction **out) {
    jmp_buf oom;
    jr_error_clear();
    if (out) *out = NULL;
    if (!module || !name || !out || (query.count && !query.args))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_function: NULL argument");
    if (!module->fe || (!module->units && module->diags.errors))
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    pthread_mutex_lock(&module->lock);
    JrStatus status = JR_MEMORY_ERROR;
    if (setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        status = query.by_values ? find_by_values(module, name, query.count, query.args, out)
                                 : find_by_signature(module, name, query.signature, out);
    } else {
        jr_error_set(JR_MEMORY_ERROR, "out of memory");
    }
    jr_arena_on_oom(module->arena, NULL);
    pthread_mutex_unlock(&module->lock);
    return status;
}

JrStatus jr_function(JrModule *module, const char *name, const char *signature,
                     JrFunction **out) {
    return find_function(module, name, (Query){.signature = signature}, out);
}

JrStatus jr_function_for(JrModule *module, const char *name, size_t count, const JrValue *args,
                         JrFunction **out) {
    return find_function(module, name,
                         (Query){.by_values = true, .count = count, .args = args}, out);
}

const char *jr_function_signature(const JrFunction *function) {
    return function ? function->signature : "";
}

size_t jr_function_param_count(const JrFunction *function) {
    return function ? function->spec->nparams : 0;
}

/* ---- Calling ---- */

/* Stores one argument into the leaves of its parameter; advances *leaf. */
static JrStatus store_argument(const FeType *type, const JrValue *value, Leaf **leaf) {
    if (type->kind == FE_NONE) return value->type == JR_NONE ? JR_OK : JR_ERR_ARGUMENT;
    if (type->kind != FE_TUPLE) {
        JrStatus status = type->kind == FE_ARRAY
                              ? jr_value_to_array(value, type->ir, &(*leaf)->array)
                              : jr_value_to_scalar(value, type->ir, *leaf);
        (*leaf)++;
        return status;
    }
    if (value->type != JR_TUPLE || value->as.tuple.count != type->count)
        return JR_ERR_ARGUMENT;
    for (uint32_t i = 0; i < type->count; i++) {
        JrStatus status = store_argument(type->items[i], &value->as.tuple.items[i], leaf);
        if (status) return status;
    }
    return JR_OK;
}

static JrStatus bad_argument(const JrFunction *function, size_t index, const JrValue *value) {
    char given[96];
    const FeSpec *spec = function->spec;
    const AstFunc *ast = spec->func->ast;
    return jr_error_set(JR_ERR_ARGUMENT,
                        "argument %zu of %s, '%s', is %s: %s cannot be passed", index + 1,
                        ast->name, ast->params.data[index].name, spec->params[index]->name,
                        jr_value_type_name(value, given, sizeof given));
}

/* Builds the result from its leaves, taking over the references of arrays. False when memory
 * ran out; the rest is then released by the caller through jr_value_clear and release_leaves.
 */
static bool load_result(const FeType *type, Leaf **leaf, JrValue *out) {
    *out = (JrValue){.type = JR_NONE};
    if (type->kind == FE_NONE) return true;
    if (type->kind == FE_SCALAR) return jr_value_of_scalar(type->ir, (*leaf)++, out), true;
    if (type->kind == FE_ARRAY) {
        bool made = jr_value_of_array(type->ir, &(*leaf)->array, out);
        if (!made) jr_rt_release((*leaf)->array.owner);
        (*leaf)++;
        return made;
    }
    JrValue *items = calloc(type->count + 1, sizeof *items);
    bool good = items != NULL;
    JrValue unused;
    for (uint32_t i = 0; i < type->count; i++)
        good &= load_result(type->items[i], leaf, items ? &items[i] : &unused);
    if (!items) return false;
    *out = (JrValue){.type = JR_TUPLE, .owned = true, .as.tuple = {type->count, items}};
    return good;
}

static JrStatus run(const JrModule *module, const JrCall *call, void *const *args,
                    void *const *results) {
    JrThread *thread = jr_thread_current();
    if (!thread) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    JrSink sink = {module->context->write, module->context->write_user};
    JrSink outer = jr_thread_swap_sink(thread, sink);
    uint32_t depth = jr_random_depth(&thread->random);
    int32_t status = call->run(call, &thread->rt, args, results);
    jr_random_unwind(&thread->random, depth);
    bool written = jr_thread_flush(thread);
    jr_thread_swap_sink(thread, outer);
    if (status) return jr_error_take(thread);
    if (!written)
        return jr_error_set(JR_ERR_IO, "what the kernel printed could not be written");
    return JR_OK;
}

static JrStatus call_with(JrFunction *function, size_t count, const JrValue *args,
                          Leaf *leaves, void **pointers, JrValue *result) {
    const FeSpec *spec = function->spec;
    Leaf *leaf = leaves;
    for (size_t i = 0; i < count; i++)
        if (store_argument(spec->params[i], &args[i], &leaf))
            return bad_argument(function, i, &args[i]);
    Leaf *first_result = leaf, *end = leaf + leaf_count(spec->ret);
    for (Leaf *l = leaves; l < end; l++)
        pointers[l - leaves] = l;
    JrStatus status =
        run(function->module, &function->call, pointers, pointers + (first_result - leaves));
    if (status) return status;
    JrValue value;
    if (!load_result(spec->ret, &first_result, &value))
        status = jr_error_set(JR_MEMORY_ERROR, "out of memory");
    if (status == JR_OK && result)
        *result = value;
    else
        jr_value_clear(&value);
    return status;
}

JrStatus jr_call(JrFunction *function, size_t count, const JrValue *args, JrValue *result) {
    jr_error_clear();
    if (result) *result = (JrValue){.type = JR_NONE};
    if (!function || (count && !args))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_call: NULL argument");
    const FeSpec *spec = function->spec;
    if (count != spec->nparams)
        return jr_error_set(JR_ERR_ARGUMENT, "%s takes %u argument%s, not %zu",
                            spec->func->ast->name, spec->nparams,
                            spec->nparams == 1 ? "" : "s", count);
    size_t n = leaf_count(spec->ret);
    for (size_t i = 0; i < count; i++)
        n += leaf_count(spec->params[i]);
    enum { FEW = 8 };
    Leaf few[FEW];
    void *few_pointers[FEW];
    if (n <= FEW) return call_with(function, count, args, few, few_pointers, result);
    Leaf *leaves = calloc(n, sizeof *leaves + sizeof(void *));
    if (!leaves) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    JrStatus status = call_with(function, count, args, leaves, (void **)(leaves + n), result);
    free(leaves);
    return status;
}

static JrStatus find_body(JrModule *module, JrCall *body) {
    const JrUnit *unit = jr_pipeline_build(module, true);
    if (!unit) return jr_error()->status;
    if (unit->engine->find(unit->code, "<module>", body)) return JR_OK;
    return jr_error_set(JR_ERR_ENGINE, "internal error: the body has no code");
}

JrStatus jr_run(JrModule *module) {
    jr_error_clear();
    if (!module || !module->fe || !module->options.run_main)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_run: the module was not compiled with run_main");
    if (module->diags.errors)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    JrCall body;
    JrStatus status;
    jmp_buf oom;
    pthread_mutex_lock(&module->lock);
    if (setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        status = find_body(module, &body);
    } else {
        status = jr_error_set(JR_MEMORY_ERROR, "out of memory");
    }
    jr_arena_on_oom(module->arena, NULL);
    pthread_mutex_unlock(&module->lock);
    return status ? status : run(module, &body, NULL, NULL);
}

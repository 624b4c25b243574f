/* Finding functions and calling them with values chosen at run time.
 *
 * A function's parameters and result, as inference knows them, are scalars, arrays and tuples
 * of such; compiled code takes the leaves of these, in order, each behind a pointer (ir/rt.h).
 */
#include "ir/cost.h"
#include "runtime/array.h"
#include "runtime/compile.h"
#include "runtime/races.h"
#include "runtime/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t jr_leaf_count(const FeType *type) {
    uint32_t n = 0;
    if (type->kind == FE_NONE) return 0;
    if (type->kind != FE_TUPLE) return 1;
    for (uint32_t i = 0; i < type->count; i++)
        n += jr_leaf_count(type->items[i]);
    return n;
}

/* ---- Finding ---- */

enum { BRIEF = 500 }; /* statements, of a function that is over in a microsecond */

/* The text of a signature, as far as it has been read. */
typedef struct SignatureText {
    FeTypes *types;
    const char *at;
    int depth;
} SignatureText;

enum { MAX_TUPLE_DEPTH = 16 };

static void skip_spaces(SignatureText *t) {
    t->at += strspn(t->at, " \t");
}

static bool take(SignatureText *t, const char *word) {
    skip_spaces(t);
    size_t len = strlen(word);
    if (strncmp(t->at, word, len) != 0) return false;
    t->at += len;
    skip_spaces(t);
    return true;
}

static const FeType *parse_type(SignatureText *t);

/* `int64, float64)`: the types up to the closing bracket, at most `room`. */
static bool parse_types(SignatureText *t, const char *close, const FeType **types,
                        uint32_t room, uint32_t *count) {
    for (*count = 0; !take(t, close);) {
        if (*count == room || !(types[*count] = parse_type(t))) return false;
        ++*count;
        if (!take(t, ",") && *t->at != *close) return false;
    }
    return true;
}

static const FeType *parse_tuple(SignatureText *t) {
    enum { MAX_ITEMS = 64 };
    const FeType *items[MAX_ITEMS];
    uint32_t count;
    if (take(t, "()")) return take(t, "]") ? fe_type_tuple(t->types, 0, NULL) : NULL;
    if (++t->depth > MAX_TUPLE_DEPTH || !parse_types(t, "]", items, MAX_ITEMS, &count))
        return NULL;
    t->depth--;
    return fe_type_tuple(t->types, count, items);
}

static const FeType *parse_type(SignatureText *t) {
    IrType type;
    skip_spaces(t);
    if (take(t, "None")) return t->types->none;
    if (take(t, "tuple")) return take(t, "[") ? parse_tuple(t) : NULL;
    return ir_type_parse(t->at, &t->at, &type) ? fe_type_ir(t->types, type) : NULL;
}

/* `int64(float64[::1], int64)`, or without the result, which is then left NULL. */
typedef struct Signature {
    const FeType *ret;
    uint32_t count;
    const FeType *params[JR_MAX_PARAMS];
} Signature;

static bool parse_signature(JrModule *module, const char *text, Signature *out) {
    SignatureText t = {.types = &module->fe->types, .at = text};
    out->ret = NULL;
    if (!take(&t, "(") && (!(out->ret = parse_type(&t)) || !take(&t, "("))) return false;
    return parse_types(&t, ")", out->params, JR_MAX_PARAMS, &out->count) && !*t.at;
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

/* The parameters of the IR's function are the leaves of the source's. */
static const bool *written_of(JrModule *module, const IrFunc *ir) {
    bool *written = JR_NEW_ARRAY(module->arena, bool, ir->nparams);
    for (uint32_t i = 0; i < ir->nparams; i++)
        written[i] = ir_reg(ir, i)->written;
    return written;
}

JrStatus jr_function_of_spec(JrModule *module, const FeSpec *spec, JrFunction **out) {
    for (JrFunction *f = module->functions; f; f = f->next)
        if (f->spec == spec) return *out = f, JR_OK;
    const JrUnit *unit = jr_pipeline_build(module, false);
    if (!unit) return jr_error()->status;
    const IrFunc *ir = ir_module_find(module->ir, spec->name);
    JrFunction *f = JR_NEW(module->arena, JrFunction);
    *f = (JrFunction){.next = module->functions,
                      .module = module,
                      .spec = spec,
                      .signature = signature_of(module, spec),
                      .written = written_of(module, ir),
                      .brief = ir_cost_within(ir, BRIEF)};
    if (!unit->engine->find(unit->code, spec->name, &f->call))
        return jr_error_set(JR_ERR_ENGINE, "internal error: the %s engine has no code for %s",
                            unit->engine->name, spec->name);
    module->functions = f;
    *out = f;
    return JR_OK;
}

static JrStatus report_first(const JrModule *module) {
    const JrDiag *d = module->diags.first;
    while (d && d->severity != JR_SEVERITY_ERROR)
        d = d->next;
    return jr_error_set(JR_ERR_COMPILE, "%s",
                        d ? d->message : "the function cannot be compiled");
}

/* One more specialisation, and code for it. If any of that fails it is taken back: a call with
 * other types must start clean. Only the errors stay, for jr_module_report, until then. */
static JrStatus specialise(JrModule *module, const char *name, uint32_t count,
                           const FeType *const *types, JrFunction **out) {
    FeMark mark = fe_mark(module->fe);
    FeSpec *spec = fe_specialise(module->fe, name, count, types);
    bool good = spec && module->diags.errors == 0;
    JrStatus status = good ? jr_function_of_spec(module, spec, out) : JR_ERR_COMPILE;
    if (module->diags.errors) status = report_first(module);
    if (status == JR_OK) {
        jr_module_mark_diags(module);
    } else if (module->fe->specs.len != mark.specs) {
        fe_undo(module->fe, mark);
        module->ir = NULL;
    }
    return status;
}

/* The one specialisation that the source itself asks for, if there is just one. */
static const FeSpec *declared_spec(const FeFunc *func) {
    return func->has_signature && func->specs.len == 1 ? func->specs.data[0] : NULL;
}

/* Annotations convert what a call passes; one who asks for a signature is to get just that. */
static bool has_signature(const FeSpec *spec, const Signature *wanted) {
    bool same = spec->nparams == wanted->count && (!wanted->ret || wanted->ret == spec->ret);
    for (uint32_t i = 0; same && i < spec->nparams; i++)
        same = spec->params[i] == wanted->params[i];
    return same;
}

/* "dot is float64(float64[::1], float64[::1]), which is not (int64)". */
static JrStatus wrong_signature(JrModule *module, const FeFunc *func, const char *wanted) {
    JrText text;
    jr_text_init(&text, module->arena);
    for (uint32_t i = 0; i < func->specs.len; i++)
        jr_text_printf(&text, "%s%s",
                       i == 0                    ? ""
                       : i + 1 < func->specs.len ? ", "
                                                 : " or ",
                       signature_of(module, func->specs.data[i]));
    return jr_error_set(JR_ERR_SIGNATURE, "%s is %s, which is not %s", func->ast->name,
                        text.data, wanted);
}

/* A function whose source says what it is: one of these, or none. */
static JrStatus find_declared(JrModule *module, const FeFunc *func, const Signature *wanted,
                              const char *signature, JrFunction **out) {
    for (uint32_t i = 0; i < func->specs.len; i++)
        if (has_signature(func->specs.data[i], wanted))
            return jr_function_of_spec(module, func->specs.data[i], out);
    return wrong_signature(module, func, signature);
}

/* "add(x, y) has 2 parameters, which is not (int64)". */
static JrStatus wrong_count(JrModule *module, const FeFunc *func, const char *wanted) {
    const AstFunc *ast = func->ast;
    JrText text;
    jr_text_init(&text, module->arena);
    for (uint32_t i = 0; i < ast->params.len; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "", ast->params.data[i].name);
    return jr_error_set(
        JR_ERR_SIGNATURE,
        "%s(%s) has %u parameter%s, which is not %s: a signature has the types of all",
        ast->name, text.data ? text.data : "", ast->params.len,
        ast->params.len == 1 ? "" : "s", wanted);
}

JrStatus jr_function_by_signature(JrModule *module, const char *name, const char *signature,
                                  JrFunction **out) {
    Signature wanted = {.count = 0};
    FeFunc *func = find_source_function(module, name);
    if (!func) return no_such_function(module, name);
    if (signature && !parse_signature(module, signature, &wanted))
        return jr_error_set(JR_ERR_SIGNATURE,
                            "'%s' is no signature: write the parameters' types, such as "
                            "(float64[::1], int64)",
                            signature);
    if (!signature && declared_spec(func))
        return jr_function_of_spec(module, declared_spec(func), out);
    if (!signature && func->ast->params.len && func->specs.len != 1)
        return jr_error_set(JR_ERR_SIGNATURE,
                            "%s has no types of its own: ask for it with a signature, such as "
                            "(float64[::1], int64)",
                            name);
    if (!signature && func->ast->params.len)
        return jr_function_of_spec(module, func->specs.data[0], out);
    if (signature && func->has_signature)
        return find_declared(module, func, &wanted, signature, out);
    if (signature && wanted.count != func->ast->params.len)
        return wrong_count(module, func, signature);
    JrStatus status = specialise(module, name, wanted.count, wanted.params, out);
    if (status || !signature || has_signature((*out)->spec, &wanted)) return status;
    status = jr_error_set(JR_ERR_SIGNATURE, "%s is %s, which is not %s", name,
                          (*out)->signature, signature);
    *out = NULL;
    return status;
}

/* The type of an argument; of a number for a parameter that declares a number's type, that: whether
 * it can be converted is for the call to say. */
static const FeType *argument_type(JrModule *module, const FeFunc *func, size_t i,
                                   const JrValue *value) {
    const FeType *type = jr_value_fe_type(&module->fe->types, value);
    const FeType *declared = i < func->ast->params.len ? fe_declared(func, (uint32_t)i) : NULL;
    bool numbers = type && declared && type->kind == FE_SCALAR && declared->kind == FE_SCALAR;
    return numbers ? declared : type;
}

static JrStatus find_by_values(JrModule *module, const char *name, size_t count,
                               const JrValue *args, JrFunction **out) {
    const FeType *types[JR_MAX_PARAMS];
    char given[64];
    FeFunc *func = find_source_function(module, name);
    if (!func) return no_such_function(module, name);
    if (declared_spec(func)) return jr_function_of_spec(module, declared_spec(func), out);
    if (count > JR_MAX_PARAMS)
        return jr_error_set(JR_ERR_ARGUMENT, "%zu arguments are more than %d", count,
                            JR_MAX_PARAMS);
    for (size_t i = 0; i < count; i++) {
        bool passed = args[i].type != JR_DEFAULT;
        types[i] = passed ? argument_type(module, func, i, &args[i]) : NULL;
        if (passed && !types[i])
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
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    pthread_mutex_lock(&module->lock);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_module_reset_diags(module);
        if (query.by_values)
            find_by_values(module, name, query.count, query.args, out);
        else
            jr_function_by_signature(module, name, query.signature, out);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    pthread_mutex_unlock(&module->lock);
    return jr_error()->status;
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

/* A call being made: the leaves of its arguments, and after them those of its result. */
typedef struct Frame {
    JrFunction *function;
    JrLeaf *leaves, *leaf; /* leaf: the next one to be filled or read */
    void **pointers;
    const char *why; /* an argument does not do, if not for its type */
    bool readonly;   /* some argument is a read-only array */
} Frame;

/* Stores one argument into the leaves of its parameter. */
static bool store_argument(Frame *f, const FeType *type, const JrValue *value) {
    if (type->kind == FE_NONE) return value->type == JR_NONE;
    if (type->kind == FE_SCALAR) return jr_value_to_scalar(value, type->ir, f->leaf++);
    if (type->kind == FE_ARRAY) {
        bool written = f->function->written[f->leaf - f->leaves];
        f->readonly |= value->type == JR_ARRAY && value->as.array && value->as.array->readonly;
        return jr_value_to_array(value, type->ir, written, &f->leaf++->array, &f->why);
    }
    if (value->type != JR_TUPLE || value->as.tuple.count != type->count) return false;
    if (type->count && !value->as.tuple.items) return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!store_argument(f, type->items[i], &value->as.tuple.items[i])) return false;
    return true;
}

/* A default, which is a constant of the source. */
static bool store_default(Frame *f, const FeType *type, const FeConst *value) {
    if (type->kind == FE_TUPLE && value->kind == FE_CONST_TUPLE &&
        type->count == value->type->count) {
        for (uint32_t i = 0; i < type->count; i++)
            if (!store_default(f, type->items[i], value->items[i])) return false;
        return true;
    }
    JrValue scalar = jr_float((double)value->i);
    if (value->kind == FE_CONST_FLOAT) scalar = jr_float(value->d);
    if (value->kind == FE_CONST_BOOL) scalar = jr_bool(value->i != 0);
    if (value->kind == FE_CONST_INT && value->i >= INT64_MIN && value->i <= INT64_MAX)
        scalar = jr_int((int64_t)value->i);
    else if (value->kind == FE_CONST_INT && value->i >= 0 && value->i <= UINT64_MAX)
        scalar = jr_uint((uint64_t)value->i);
    return type->kind == FE_SCALAR && jr_value_to_scalar(&scalar, type->ir, f->leaf++);
}

static JrStatus bad_argument(const Frame *f, size_t index, const JrValue *value) {
    char given[96];
    const FeSpec *spec = f->function->spec;
    const AstFunc *ast = spec->func->ast;
    const char *name = ast->params.data[index].name;
    if (value->type == JR_DEFAULT && fe_default(spec->func, (uint32_t)index))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "the default of argument %zu of %s, '%s', is no %s", index + 1,
                            ast->name, name, spec->params[index]->name);
    if (value->type == JR_DEFAULT)
        return jr_error_set(JR_ERR_ARGUMENT, "%s needs an argument for '%s'", ast->name, name);
    if (f->why)
        return jr_error_set(JR_ERR_ARGUMENT, "argument %zu of %s, '%s', %s", index + 1,
                            ast->name, name, f->why);
    return jr_error_set(JR_ERR_ARGUMENT,
                        "argument %zu of %s, '%s', is %s: %s cannot be passed", index + 1,
                        ast->name, name, spec->params[index]->name,
                        jr_value_type_name(value, given, sizeof given));
}

/* A result may be a view of an argument: it is then no more writable than that was. */
static bool is_readonly(const Frame *f, const JrArray *result, size_t count,
                        const JrValue *args) {
    for (size_t i = 0; f->readonly && i < count; i++) {
        const JrArrayValue *array = args[i].type == JR_ARRAY ? args[i].as.array : NULL;
        if (args[i].type == JR_TUPLE &&
            is_readonly(f, result, args[i].as.tuple.count, args[i].as.tuple.items))
            return true;
        if (array && array->readonly && array->owner == (void *)result->owner) return true;
    }
    return false;
}

/* Builds the result from its leaves, taking over the references of arrays. On false memory ran
 * out: *out holds what could be made, and the rest was released. */
static bool load_result(Frame *f, const FeType *type, JrValue *out) {
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

static void mark_readonly(const Frame *f, JrValue *value, size_t count, const JrValue *args) {
    if (value->type == JR_TUPLE)
        for (size_t i = 0; i < value->as.tuple.count; i++)
            mark_readonly(f, &value->as.tuple.items[i], count, args);
    if (value->type != JR_ARRAY) return;
    JrArray header = {.owner = value->as.array->owner};
    value->as.array->readonly = is_readonly(f, &header, count, args);
}

/* A run of a module that was compiled with check_races. */
static int32_t run_checked(JrThread *thread, const JrCall *call, void *const *args,
                           void *const *results, bool *races) {
    JrRaces *outer;
    if (!jr_races_begin(thread, &outer))
        return jr_raise(&thread->rt, NULL, EXC_MEMORY, "out of memory");
    int32_t status = call->run(call, &thread->rt, args, results);
    *races = jr_races_end(thread, outer);
    return status;
}

JrStatus jr_function_run(const JrModule *module, const JrCall *call, void *const *args,
                         void *const *results, bool *ran) {
    JrGate gate;
    *ran = false;
    JrRt *rt = jr_rt_enter(&gate, &module->host);
    if (!rt) return jr_error()->status;
    bool races = false;
    int32_t status = module->options.check_races
                         ? run_checked(jr_thread_of(rt), call, args, results, &races)
                         : call->run(call, rt, args, results);
    *ran = status == 0;
    JrStatus end = (JrStatus)jr_rt_leave(rt, &gate, status);
    if (*ran && races) return jr_error_races(jr_races_result(jr_thread_of(rt)->checked));
    return end;
}

static JrStatus call_with(Frame *f, size_t count, const JrValue *args, JrValue *result) {
    const FeSpec *spec = f->function->spec;
    const JrValue missing = jr_default();
    for (uint32_t i = 0; i < spec->nparams; i++) {
        const JrValue *value = i < count ? &args[i] : &missing;
        const FeConst *fallback = value->type == JR_DEFAULT ? fe_default(spec->func, i) : NULL;
        if (!(fallback ? store_default(f, spec->params[i], fallback)
                       : store_argument(f, spec->params[i], value)))
            return bad_argument(f, i, value);
    }
    ptrdiff_t nargs = f->leaf - f->leaves, n = nargs + jr_leaf_count(spec->ret);
    for (ptrdiff_t i = 0; i < n; i++)
        f->pointers[i] = &f->leaves[i];
    bool ran;
    JrStatus status = jr_function_run(f->function->module, &f->function->call, f->pointers,
                                      f->pointers + nargs, &ran);
    if (!ran) return status;
    JrValue value;
    if (!load_result(f, spec->ret, &value))
        status = jr_error_set(JR_MEMORY_ERROR, "out of memory");
    mark_readonly(f, &value, count, args);
    if (status == JR_OK && result)
        *result = value; /* last: it may be one of the arguments */
    else
        jr_value_clear(&value);
    return status;
}

static JrStatus call(JrFunction *function, size_t count, const JrValue *args,
                     JrValue *result) {
    const FeSpec *spec = function->spec;
    const JrAlloc *alloc = function->module->context->alloc;
    size_t n = jr_leaf_count(spec->ret);
    for (size_t i = 0; i < spec->nparams; i++)
        n += jr_leaf_count(spec->params[i]);
    enum { FEW = 8 };
    JrLeaf few[FEW];
    void *few_pointers[FEW];
    JrLeaf *leaves =
        n <= FEW ? few : jr_alloc_new(alloc, n * (sizeof *leaves + sizeof(void *)));
    if (!leaves) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    Frame frame = {.function = function,
                   .leaves = leaves,
                   .leaf = leaves,
                   .pointers = leaves == few ? few_pointers : (void **)(leaves + n)};
    JrStatus status = call_with(&frame, count, args, result);
    if (leaves != few) jr_alloc_free(alloc, leaves);
    return status;
}

JrStatus jr_call(JrFunction *function, size_t count, const JrValue *args, JrValue *result) {
    jr_error_clear();
    JrStatus status;
    if (!function || (count && !args))
        status = jr_error_set(JR_ERR_ARGUMENT, "jr_call: NULL argument");
    else if (count > function->spec->nparams)
        status = jr_error_set(JR_ERR_ARGUMENT, "%s takes %u argument%s, not %zu",
                              function->spec->func->ast->name, function->spec->nparams,
                              function->spec->nparams == 1 ? "" : "s", count);
    else
        status = call(function, count, args, result);
    if (status && result) *result = (JrValue){.type = JR_NONE};
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
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    JrCall body;
    jmp_buf oom;
    pthread_mutex_lock(&module->lock);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_module_reset_diags(module);
        find_body(module, &body);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    pthread_mutex_unlock(&module->lock);
    bool ran;
    JrStatus status = jr_error()->status;
    return status ? status : jr_function_run(module, &body, NULL, NULL, &ran);
}

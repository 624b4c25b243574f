/* Finding functions and calling them with values chosen at run time.
 *
 * A function's parameters and result, as inference knows them, are scalars, arrays and tuples
 * of such; compiled code takes the leaves of these, in order, each behind a pointer (ir/rt.h).
 */
#include "ir/cost.h"
#include "runtime/compile.h"
#include "runtime/fork.h"
#include "runtime/frame.h"
#include "runtime/lifetime.h"
#include "runtime/rt/array.h"
#include "runtime/rt/gate.h"
#include "runtime/threads/races.h"
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
    const char *rest; /* of the text: what could not be read */
} Signature;

static bool parse_signature(JrModule *module, const char *text, Signature *out) {
    SignatureText t = {.types = &module->fe->types, .at = text};
    out->ret = NULL;
    bool good = (take(&t, "(") || ((out->ret = parse_type(&t)) && take(&t, "("))) &&
                parse_types(&t, ")", out->params, JR_MAX_PARAMS, &out->count) && !*t.at;
    out->rest = t.at;
    return good;
}

static JrStatus no_signature(const char *text, const Signature *wanted) {
    bool part = *wanted->rest && wanted->rest != text;
    return jr_error_set(JR_ERR_SIGNATURE,
                        "'%s' is no signature%s%s%s: write the parameters' types, such as "
                        "(float64[::1], int64)",
                        text, part ? ", from '" : "", part ? wanted->rest : "",
                        part ? "' on" : "");
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

/* What is soon for compiled code takes the interpreter a good while. */
static JrPace pace_of(const IrFunc *ir, const JrEngine *engine) {
    if (ir_cost_within(ir, BRIEF)) return PACE_BRIEF;
    bool compiled = strcmp(engine->name, "interp") != 0;
    return compiled && ir_looks_soon(ir) ? PACE_LOOKS : PACE_UNKNOWN;
}

/* The interpreter uses the thread's state for itself. */
static JrNeeds needs_of(const JrModule *module, const IrFunc *ir, const JrEngine *engine) {
    bool compiled = strcmp(engine->name, "interp") != 0;
    if (!compiled || module->options.check_races || ir->needs_context) return NEEDS_CONTEXT;
    return ir->needs_rt ? NEEDS_THREAD : NEEDS_NOTHING;
}

static JrFunction *find_handle(const JrModule *module, const FeSpec *spec) {
    JrFunction *f = module->functions;
    while (f && f->spec != spec)
        f = f->next;
    return f;
}

static JrFunction *new_handle(JrModule *module, const FeSpec *spec) {
    const IrModule *ir = jr_pipeline_lower(module, true);
    if (!ir) return NULL;
    uint32_t nargs = 0;
    for (uint32_t i = 0; i < spec->nparams; i++)
        nargs += jr_leaf_count(spec->params[i]);
    JrFunction *f = JR_NEW(module->arena, JrFunction);
    *f = (JrFunction){.module = module,
                      .spec = spec,
                      .signature = signature_of(module, spec),
                      .nargs = nargs,
                      .nresults = jr_leaf_count(spec->ret),
                      .written = written_of(module, ir_module_find(ir, spec->name))};
    return f;
}

static bool add_code(JrFunction *f, bool pointer) {
    JrModule *module = f->module;
    JrWanted wanted = {.name = f->spec->name, .entry = true, .pointer = pointer};
    const IrModule *ir = jr_pipeline_lower(module, true);
    const JrUnit *unit = ir ? jr_pipeline_build(module, wanted, &f->call) : NULL;
    if (!unit) return false;
    const IrFunc *func = ir_module_find(ir, f->spec->name);
    f->pace = pace_of(func, unit->engine);
    f->needs = needs_of(module, func, unit->engine);
    return true;
}

/* What a function or an element type is passed for has no value that a caller outside could give. */
static JrStatus refuse_static(const FeSpec *spec) {
    for (uint32_t i = 0; i < spec->nparams; i++)
        if (fe_type_has_static(spec->params[i]))
            return jr_error_set(
                JR_ERR_SIGNATURE,
                "%s takes a function or a type for '%s', which only kernels can "
                "pass: ask for a kernel that calls it",
                spec->func->ast->name, spec->func->ast->params.data[i].name);
    return JR_OK;
}

JrStatus jr_function_of_spec(JrModule *module, const FeSpec *spec, JrPurpose purpose,
                             JrFunction **out) {
    if (refuse_static(spec)) return JR_ERR_SIGNATURE;
    JrFunction *known = find_handle(module, spec), *f = known;
    if (!f && !(f = new_handle(module, spec))) return jr_error()->status;
    if (purpose != JR_TO_DESCRIBE && !f->call.run &&
        !add_code(f, purpose == JR_TO_CALL_FROM_C))
        return jr_error()->status;
    if (!known) {
        f->next = module->functions;
        module->functions = f;
    }
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
                           const FeType *const *types, JrPurpose purpose, JrFunction **out) {
    FeMark mark = fe_mark(module->fe);
    FeSpec *spec = fe_specialise(module->fe, name, count, types);
    bool good = spec && module->diags.errors == 0;
    JrStatus status = good ? jr_function_of_spec(module, spec, purpose, out) : JR_ERR_COMPILE;
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
                              const char *signature, JrPurpose purpose, JrFunction **out) {
    for (uint32_t i = 0; i < func->specs.len; i++)
        if (has_signature(func->specs.data[i], wanted))
            return jr_function_of_spec(module, func->specs.data[i], purpose, out);
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
                                  JrPurpose purpose, JrFunction **out) {
    Signature wanted = {.count = 0};
    FeFunc *func = find_source_function(module, name);
    if (!func) return no_such_function(module, name);
    if (signature && !parse_signature(module, signature, &wanted))
        return no_signature(signature, &wanted);
    if (!signature && declared_spec(func))
        return jr_function_of_spec(module, declared_spec(func), purpose, out);
    if (!signature && func->ast->params.len && func->specs.len != 1)
        return jr_error_set(JR_ERR_SIGNATURE,
                            "%s has no types of its own: ask for it with a signature, such as "
                            "(float64[::1], int64)",
                            name);
    if (!signature && func->ast->params.len)
        return jr_function_of_spec(module, func->specs.data[0], purpose, out);
    if (signature && func->has_signature)
        return find_declared(module, func, &wanted, signature, purpose, out);
    if (signature && wanted.count != func->ast->params.len)
        return wrong_count(module, func, signature);
    JrStatus status = specialise(module, name, wanted.count, wanted.params, purpose, out);
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

typedef struct Query {
    const char *signature;
    bool by_values;
    size_t count;
    const JrValue *args;
    JrPurpose purpose;
} Query;

static JrStatus find_by_values(JrModule *module, const char *name, Query query,
                               JrFunction **out) {
    size_t count = query.count;
    const JrValue *args = query.args;
    const FeType *types[JR_MAX_PARAMS];
    char given[64];
    FeFunc *func = find_source_function(module, name);
    if (!func) return no_such_function(module, name);
    if (declared_spec(func))
        return jr_function_of_spec(module, declared_spec(func), query.purpose, out);
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
    return specialise(module, name, (uint32_t)count, types, query.purpose, out);
}

static JrStatus find_function(JrModule *module, const char *name, Query query,
                              JrFunction **out) {
    jmp_buf oom;
    jr_error_clear();
    if (out) *out = NULL;
    if (!module || !name || !out || (query.count && !query.args))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_function: NULL argument");
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    jr_module_lock(module);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_module_reset_diags(module);
        if (query.by_values)
            find_by_values(module, name, query, out);
        else
            jr_function_by_signature(module, name, query.signature, query.purpose, out);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    jr_module_unlock(module);
    return jr_error()->status;
}

JrStatus jr_function(JrModule *module, const char *name, const char *signature,
                     JrFunction **out) {
    Query query = {.signature = signature, .purpose = JR_TO_CALL_FROM_C};
    return find_function(module, name, query, out);
}

JrStatus jr_function_for(JrModule *module, const char *name, size_t count, const JrValue *args,
                         JrFunction **out) {
    Query query = {.by_values = true, .count = count, .args = args, .purpose = JR_TO_CALL};
    return find_function(module, name, query, out);
}

const char *jr_function_signature(const JrFunction *function) {
    return function ? function->signature : "";
}

size_t jr_function_param_count(const JrFunction *function) {
    return function ? function->spec->nparams : 0;
}

/* ---- Calling ---- */

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
    return jr_function_run_yielding(module, call, args, results, ran, NULL);
}

JrStatus jr_function_run_yielding(const JrModule *module, const JrCall *call,
                                  void *const *args, void *const *results, bool *ran,
                                  const JrYield *yield) {
    JrOutside outside;
    bool races = false;
    *ran = false;
    JrThread *thread = jr_gate_enter(&outside, &module->host);
    if (!thread) return jr_error()->status;
    if (yield) jr_gate_let_yield(thread, &outside, yield);
    int32_t status = module->options.check_races
                         ? run_checked(thread, call, args, results, &races)
                         : call->run(call, &thread->rt, args, results);
    *ran = status == 0;
    JrStatus end = (JrStatus)jr_gate_leave(thread, &outside, status);
    if (*ran && races) return jr_error_races(jr_races_result(thread->checked));
    return end;
}

static JrStatus call(JrFunction *function, size_t count, const JrValue *args, JrValue *result,
                     bool once) {
    enum { FEW = 8 };
    _Alignas(JrLeaf) char few[JR_FRAME_BYTES(FEW)];
    const JrAlloc *alloc = function->module->context->alloc;
    uint32_t leaves = jr_frame_leaves(function);
    void *memory = leaves <= FEW ? few : jr_alloc_new(alloc, JR_FRAME_BYTES(leaves));
    if (!memory) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    JrCallFrame frame;
    JrStatus status = JR_OK;
    jr_frame_init(&frame, function, leaves, memory);
    frame.once = once;
    const JrValue missing = jr_default();
    for (size_t i = 0; i < function->spec->nparams && !status; i++)
        status = jr_frame_set(&frame, i, i < count ? &args[i] : &missing);
    if (!status) status = jr_frame_run(&frame, result);
    if (memory != few) jr_alloc_free(alloc, memory);
    return status;
}

/* A function that needs no context is over before another thread can know that it has begun. */
static JrStatus call_within(JrFunction *function, size_t count, const JrValue *args,
                            JrValue *result, bool once) {
    JrModule *module = function->module;
    if (!once && function->needs != NEEDS_CONTEXT)
        return call(function, count, args, result, false);
    if (!jr_module_enter(module)) return JR_MEMORY_ERROR;
    JrStatus status = call(function, count, args, result, once);
    jr_module_leave(module);
    return status;
}

static JrStatus call_checked(JrFunction *function, size_t count, const JrValue *args,
                             JrValue *result, bool once) {
    JrStatus status;
    if (!function || (count && !args))
        status = jr_error_set(JR_ERR_ARGUMENT, "jr_call: NULL argument");
    else if (count > function->spec->nparams)
        status = jr_error_set(JR_ERR_ARGUMENT, "%s takes %u argument%s, not %zu",
                              function->spec->func->ast->name, function->spec->nparams,
                              function->spec->nparams == 1 ? "" : "s", count);
    else
        status = call_within(function, count, args, result, once);
    if (status && result) *result = (JrValue){.type = JR_NONE};
    return status;
}

JrStatus jr_call(JrFunction *function, size_t count, const JrValue *args, JrValue *result) {
    jr_error_clear();
    return call_checked(function, count, args, result, false);
}

JrStatus jr_call_once(JrModule *module, const char *name, size_t count, const JrValue *args,
                      JrValue *result) {
    Query query = {.by_values = true, .count = count, .args = args, .purpose = JR_TO_DESCRIBE};
    JrFunction *function;
    JrStatus status = find_function(module, name, query, &function);
    if (!status) return call_checked(function, count, args, result, true);
    if (result) *result = (JrValue){.type = JR_NONE};
    return status;
}

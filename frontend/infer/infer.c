/* The driver of inference: specialisations, the worklist, and the phases that infer.h
 * describes. */
#include "frontend/infer/library.h"

#include <stdarg.h>
#include <string.h>

/* ---- Messages ---- */

const char *fe_infer_name(FeInfer *in, const FeType *type) {
    return fe_type_name(in->types, type);
}

const FeType *fe_infer_silent(FeInfer *in) {
    return in->checking ? in->types->error : in->types->unknown;
}

const FeType *fe_infer_fail(FeInfer *in, JrSpan span, const char *help, const char *format,
                            ...) {
    if (!in->checking) return in->types->unknown;
    va_list args;
    va_start(args, format);
    const char *message = jr_arena_vprintf(in->arena, format, args);
    va_end(args);
    const FeSpec *spec = in->spec, *called = NULL;
    for (; spec->func->library && spec->units->caller; spec = spec->units->caller)
        called = spec;
    JrDiag *diag = called ? jr_diag_error(in->diags, called->units->called, "in %.100s: %s",
                                          called->name, message)
                          : jr_diag_error(in->diags, span, "%s", message);
    if (help) jr_diag_help(in->diags, diag, "%s", help);
    if (spec->units->called.line && !spec->func->has_signature)
        jr_diag_note(in->diags, diag, spec->units->called, "in %.100s%s, called here",
                     spec->name, strlen(spec->name) > 100 ? "..." : "");
    return in->types->error;
}

/* ---- The queue ---- */

static void enqueue(FeInfer *in, Unit *unit) {
    if (unit->queued) return;
    unit->queued = true;
    JR_PUSH(in->arena, &in->queue, unit);
}

void fe_infer_look_again(FeInfer *in, const Units *units) {
    in->changes++;
    for (uint32_t i = 0; i < units->len; i++)
        enqueue(in, units->data[i]);
}

static void run_queue(FeInfer *in) {
    while (in->queue_head < in->queue.len) {
        Unit *unit = in->queue.data[in->queue_head++];
        unit->queued = false;
        fe_infer_unit(in, unit);
        unit->seen = true;
    }
    in->queue.len = in->queue_head = 0;
}

/* ---- Specialisations ---- */

static void add_unit(FeInfer *in, FeSpec *spec, const AstStmt *stmt) {
    Unit *unit = JR_NEW(in->arena, Unit);
    unit->spec = spec;
    unit->stmt = stmt;
    JR_PUSH(in->arena, &spec->units->units, unit);
    if (stmt->kind == AST_RETURN) {
        spec->units->returns |= stmt->value != NULL;
        if (!spec->units->returned.line) spec->units->returned = stmt->span;
    }
}

static void add_units(FeInfer *in, FeSpec *spec, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++) {
        const AstStmt *stmt = block->data[i];
        int truth = stmt->kind == AST_IF ? fe_absent_truth(spec, stmt->value) : -1;
        add_unit(in, spec, stmt);
        if (truth != 0) add_units(in, spec, &stmt->body);
        if (truth != 1) add_units(in, spec, &stmt->orelse);
        if (fe_absent_ends(spec, stmt)) return;
    }
}

static void add_vars(FeInfer *in, FeSpec *spec) {
    FuncInfo *info = spec->func->info;
    jr_table_init(&spec->var_by_name, in->arena);
    for (uint32_t i = 0; i < info->locals.len; i++) {
        const Local *local = info->locals.data[i];
        Var *var = JR_NEW(in->arena, Var);
        var->base = (FeVar){.name = local->name,
                            .span = local->span,
                            .param = local->param,
                            .named = local->named,
                            .assigned = local->param ? local->writes > 0 : local->loop_written,
                            .index = i,
                            .type = local->param ? spec->params[i] : in->types->unknown};
        if (local->annotation && !local->param) {
            const FeType *declared = fe_options_type(in, local->annotation);
            var->base.type = declared ? declared : in->types->error;
            var->declared = true;
        }
        JR_PUSH(in->arena, &spec->vars, &var->base);
        jr_table_put(&spec->var_by_name, local->name, var);
    }
}

static FeSpec *spec_new(FeInfer *in, FeFunc *func, const FeType *const *params,
                        const FeType *ret) {
    FeSpec *spec = JR_NEW(in->arena, FeSpec);
    uint32_t n = func->ast->params.len;
    spec->func = func;
    spec->nparams = n;
    spec->params = JR_NEW_ARRAY(in->arena, const FeType *, n + 1);
    if (n) memcpy(spec->params, params, n * sizeof *params);
    spec->name = fe_spec_name(in, func, n, params);
    spec->nodes = JR_NEW_ARRAY(in->arena, FeNode, func->ast->expr_count + 1);
    spec->units = JR_NEW(in->arena, struct FeUnits);
    spec->units->declared = ret != NULL;
    add_vars(in, spec);
    fe_absent_flow(in, spec);
    add_units(in, spec, &func->ast->body);
    spec->ret = ret ? ret : spec->units->returns ? in->types->unknown : in->types->none;
    JR_PUSH(in->arena, &func->specs, spec);
    JR_PUSH(in->arena, &in->all, spec);
    in->changes++;
    for (uint32_t i = 0; i < spec->units->units.len; i++)
        enqueue(in, spec->units->units.data[i]);
    return spec;
}

static void solve(FeInfer *in);

/* A literal argument may get its type only now: the new specialisation is inferred at once. */
static void solve_within_check(FeInfer *in) {
    FeSpec *spec = in->spec;
    Unit *unit = in->unit;
    in->checking = false;
    solve(in);
    in->checking = true;
    in->spec = spec;
    in->unit = unit;
    in->info = spec->func->info;
}

FeSpec *fe_infer_spec(FeInfer *in, FeFunc *func, const FeType *const *params,
                      const FeType *ret, JrSpan called) {
    uint32_t n = func->ast->params.len;
    for (uint32_t i = 0; i < func->specs.len; i++)
        if (!n || !memcmp(func->specs.data[i]->params, params, n * sizeof *params))
            return func->specs.data[i];
    if (func->specs.len >= INFER_MAX_SPECS) return NULL;
    FuncInfo *info = in->info;
    in->info = func->info;
    FeSpec *spec = spec_new(in, func, params, ret);
    in->info = info;
    spec->units->called = called;
    spec->units->caller = in->spec;
    if (in->checking) solve_within_check(in);
    return spec;
}

/* ---- Weak variables take their defaults ---- */

static bool settle_var(FeInfer *in, FeVar *var) {
    const FeType *strong = fe_type_strong(in->types, var->type);
    if (strong == var->type) return false;
    var->type = strong;
    fe_infer_look_again(in, &((Var *)var)->readers);
    return true;
}

/* Those that a waiting call reads. */
static bool settle_waited(FeInfer *in) {
    bool any = false;
    for (uint32_t i = 0; i < in->all.len; i++) {
        const Units *units = &in->all.data[i]->units->units;
        for (uint32_t k = 0; k < units->len; k++)
            for (uint32_t r = 0; units->data[k]->waits && r < units->data[k]->reads.len; r++)
                any |= settle_var(in, units->data[k]->reads.data[r]);
    }
    return any;
}

static bool settle_rest(FeInfer *in) {
    bool any = false;
    for (uint32_t i = 0; i < in->all.len; i++) {
        FeSpec *spec = in->all.data[i];
        for (uint32_t k = 0; k < spec->vars.len; k++)
            any |= settle_var(in, spec->vars.data[k]);
        const FeType *strong = fe_type_strong(in->types, spec->ret);
        if (strong == spec->ret) continue;
        spec->ret = strong;
        fe_infer_look_again(in, &spec->units->callers);
        any = true;
    }
    return any;
}

/* Calls with weak arguments that no variable can decide: f(1 if c else 2). */
static void release_waiting(FeInfer *in) {
    for (uint32_t i = 0; i < in->all.len; i++) {
        const Units *units = &in->all.data[i]->units->units;
        for (uint32_t k = 0; k < units->len; k++)
            if (units->data[k]->waits) enqueue(in, units->data[k]);
    }
    in->settle_all = true;
    run_queue(in);
    in->settle_all = false;
}

static void solve(FeInfer *in) {
    for (;;) {
        run_queue(in);
        uint64_t before = in->changes;
        if (settle_waited(in) || settle_rest(in)) continue;
        release_waiting(in);
        if (in->changes == before) return;
    }
}

/* ---- Checking ---- */

void fe_infer_reach(FeInfer *in, FeSpec *spec) {
    if (spec->units->reachable) return;
    spec->units->reachable = true;
    JR_PUSH(in->arena, &in->to_check, spec);
}

static void check_result(FeInfer *in, FeSpec *spec) {
    const char *name = spec->func->ast->name;
    bool value = spec->ret->kind != FE_NONE && !type_is_void(spec->ret);
    if (!value || !spec->func->info->ends) return;
    JrDiag *diag = jr_diag_error(in->diags, spec->func->ast->span,
                                 "'%s' may end without returning a value", name);
    jr_diag_help(in->diags, diag, "end it with a return or a raise");
    if (spec->units->returned.line)
        jr_diag_note(in->diags, diag, spec->units->returned, "it returns %s here",
                     fe_infer_name(in, spec->ret));
}

/* Once all else is right: with errors, an unknown result may follow from them. */
static void check_known(FeInfer *in, FeSpec *spec) {
    if (spec->ret->kind != FE_UNKNOWN || in->diags->errors) return;
    JrDiag *diag = jr_diag_error(
        in->diags, spec->func->ast->span,
        "what '%s' returns cannot be inferred: every way to a return calls it again",
        spec->func->ast->name);
    jr_diag_help(in->diags, diag, "annotate the result: def f(...) -> float64");
}

static void check_spec(FeInfer *in, FeSpec *spec) {
    in->spec = spec;
    for (uint32_t i = 0; i < spec->units->units.len && !in->diags->full; i++)
        fe_infer_unit(in, spec->units->units.data[i]);
    for (uint32_t i = 0; i < spec->vars.len; i++)
        if (spec->vars.data[i]->type->kind == FE_UNKNOWN)
            spec->vars.data[i]->type = in->types->error;
    in->spec = spec;
    in->info = spec->func->info;
    check_result(in, spec);
}

/* Adds the specialisations to module->specs, callees first, and finds the recursive ones:
 * Tarjan's strongly connected components, https://doi.org/10.1137/0201010, with a stack of its
 * own. */
typedef struct Order {
    FeInfer *in;
    uint32_t count;
    JR_VEC(FeSpec *) path, stack;
} Order;

static void order_enter(Order *o, FeSpec *spec) {
    struct FeUnits *u = spec->units;
    u->order = u->low = ++o->count;
    u->on_stack = true;
    JR_PUSH(o->in->arena, &o->path, spec);
    JR_PUSH(o->in->arena, &o->stack, spec);
}

static void order_leave(Order *o, FeSpec *spec) {
    FeSpec *member;
    o->path.len--;
    if (o->path.len) {
        struct FeUnits *outer = o->path.data[o->path.len - 1]->units;
        if (spec->units->low < outer->low) outer->low = spec->units->low;
    }
    if (spec->units->low != spec->units->order) return;
    bool alone = o->stack.data[o->stack.len - 1] == spec;
    do {
        member = o->stack.data[--o->stack.len];
        member->units->on_stack = false;
        member->recursive |= !alone;
        JR_PUSH(o->in->arena, &o->in->module->specs, member);
    } while (member != spec);
}

static void order_from(Order *o, FeSpec *root) {
    if (root->units->order) return;
    order_enter(o, root);
    while (o->path.len) {
        FeSpec *spec = o->path.data[o->path.len - 1];
        struct FeUnits *u = spec->units;
        if (u->next == u->callees.len) {
            order_leave(o, spec);
            continue;
        }
        FeSpec *callee = u->callees.data[u->next++];
        spec->recursive |= callee == spec;
        if (!callee->units->order)
            order_enter(o, callee);
        else if (callee->units->on_stack && callee->units->order < u->low)
            u->low = callee->units->order;
    }
}

static void check(FeInfer *in) {
    Order order = {.in = in, .count = (uint32_t)in->module->specs.len};
    in->checking = true;
    for (uint32_t i = 0; i < in->to_check.len && !in->diags->full; i++)
        check_spec(in, in->to_check.data[i]);
    in->checking = false;
    for (uint32_t i = 0; i < in->to_check.len; i++)
        check_known(in, in->to_check.data[i]);
    for (uint32_t i = 0; i < in->to_check.len; i++)
        order_from(&order, in->to_check.data[i]);
    in->to_check.len = 0;
    in->info = NULL;
    in->spec = NULL;
}

/* ---- Entry points ---- */

static FeInfer *infer_new(FeModule *module, const FeConfig *config) {
    FeInfer *in = JR_NEW(module->arena, FeInfer);
    in->module = module;
    in->types = &module->types;
    in->arena = module->arena;
    in->diags = module->diags;
    in->config = *config;
    jr_table_init(&in->builtins, in->arena);
    jr_table_init(&in->python, in->arena);
    for (int id = 0; id < BI_COUNT; id++)
        jr_table_put(&in->builtins, fe_builtin((FeBuiltinId)id)->path,
                     (void *)fe_builtin((FeBuiltinId)id));
    return in;
}

static FeModule *module_new(JrArena *arena, AstModule *ast, JrDiags *diags, bool run_main) {
    FeModule *module = JR_NEW(arena, FeModule);
    module->arena = arena;
    module->source = ast->source;
    module->diags = diags;
    module->ast = ast;
    module->run_main = run_main;
    fe_types_init(&module->types, arena);
    jr_table_init(&module->names, arena);
    return module;
}

/* All that can be said about a function before its parameters have types. */
static void prepare(FeInfer *in, FeFunc *func) {
    uint32_t errors = in->diags->errors;
    if (func->outer)
        fe_inner_locals(in, func);
    else
        fe_scope_locals(in, func);
    fe_options_decorators(in, func);
    if (func->outer && !func->ast->decorators.len) func->options = func->outer->options;
    if (in->diags->errors != errors) func->info->ok = false;
    for (uint32_t i = 0; i < func->inner.len; i++)
        prepare(in, func->inner.data[i]);
    fe_scope_names(in, func);
    fe_assign_check(in, func);
}

void fe_infer_prepare(FeInfer *in, FeFunc *func) {
    FuncInfo *info = in->info;
    if (!func->info) prepare(in, func);
    in->info = info;
}

static void add_roots(FeInfer *in, FeFunc *func) {
    FuncInfo *info = func->info;
    JrSpan nowhere = {0, 0, 0};
    for (uint32_t i = 0; i < info->signatures.len; i++)
        fe_infer_reach(in, fe_infer_spec(in, func, info->signatures.data[i].params,
                                         info->signatures.data[i].ret, nowhere));
    if (func->has_signature && !info->signatures.len)
        fe_infer_reach(in, fe_infer_spec(in, func, info->params, info->ret, nowhere));
}

FeModule *fe_infer(JrArena *arena, AstModule *ast, JrDiags *diags, const FeConfig *config) {
    FeModule *module = module_new(arena, ast, diags, config->run_main);
    FeInfer *in = module->infer = infer_new(module, config);
    fe_scope_module(in);
    for (uint32_t i = 0; i < module->funcs.len; i++)
        prepare(in, module->funcs.data[i]);
    for (uint32_t i = 0; i < module->funcs.len; i++)
        module->funcs.data[i]->options.parallel |= module->check_races;
    for (uint32_t i = 1; i < module->funcs.len; i++)
        if (module->funcs.data[i]->info->ok) add_roots(in, module->funcs.data[i]);
    FeFunc *body = module->funcs.data[0];
    if (config->run_main)
        fe_infer_reach(in, fe_infer_spec(in, body, NULL, in->types->none, (JrSpan){0, 0, 0}));
    solve(in);
    check(in);
    return module;
}

static const FeType *root_param(FeInfer *in, FeFunc *func, uint32_t i, const FeType *given) {
    const FeType *declared = func->info->params[i];
    if (!declared || fe_accepts(declared, given)) return declared ? declared : given;
    jr_diag_error(in->diags, func->ast->params.data[i].span, "'%s' takes %s for '%s', not %s",
                  func->ast->name, fe_infer_name(in, declared), func->ast->params.data[i].name,
                  fe_infer_name(in, given));
    return NULL;
}

/* The eager signature that takes these types, the same ones before convertible ones. */
static const Signature *root_signature(const FuncInfo *info, const FeType *const *params) {
    for (int exact = 1; exact >= 0; exact--)
        for (uint32_t i = 0; i < info->signatures.len; i++) {
            const Signature *signature = &info->signatures.data[i];
            uint32_t k = 0;
            while (k < signature->count &&
                   (exact ? signature->params[k] == params[k]
                          : fe_accepts(signature->params[k], params[k])))
                k++;
            if (k == signature->count) return signature;
        }
    return NULL;
}

static FeFunc *find_func(FeInfer *in, const char *name) {
    for (uint32_t i = 1; i < in->module->funcs.len; i++)
        if (!strcmp(in->module->funcs.data[i]->ast->name, name))
            return in->module->funcs.data[i];
    JR_VEC(const char *) names = {0};
    for (uint32_t i = 1; i < in->module->funcs.len; i++)
        JR_PUSH(in->arena, &names, in->module->funcs.data[i]->ast->name);
    const char *near = jr_nearest(name, names.data, names.len);
    JrDiag *diag =
        jr_diag_error(in->diags, (JrSpan){0, 0, 0}, "there is no function '%s'", name);
    if (near) jr_diag_help(in->diags, diag, "did you mean '%s'?", near);
    return NULL;
}

const FeType *fe_declared(const FeFunc *func, uint32_t param) {
    return func->info->params[param];
}

const FeConst *fe_default(const FeFunc *func, uint32_t param) {
    return func->info->defaults[param];
}

/* The types of all parameters, those of defaults among them; NULL with an error. */
static const FeType **root_given(FeInfer *in, const FeFunc *func, uint32_t count,
                                 const FeType *const *given) {
    uint32_t n = func->ast->params.len;
    const FeType **types = JR_NEW_ARRAY(in->arena, const FeType *, n + 1);
    if (count > n) {
        jr_diag_error(in->diags, func->ast->span, "'%s' takes %u argument%s, not %u",
                      func->ast->name, n, n == 1 ? "" : "s", count);
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        types[i] = i < count && given[i] ? given[i] : func->info->default_types[i];
        if (types[i]) continue;
        jr_diag_error(in->diags, func->ast->params.data[i].span,
                      "'%s' needs an argument for '%s'", func->ast->name,
                      func->ast->params.data[i].name);
        return NULL;
    }
    return types;
}

FeSpec *fe_specialise(FeModule *module, const char *name, uint32_t nparams,
                      const FeType *const *params) {
    FeInfer *in = module->infer;
    FeFunc *func = find_func(in, name);
    if (!func || !func->info->ok) return NULL;
    const FeType **types = root_given(in, func, nparams, params);
    if (!types) return NULL;
    const FeType *ret = func->info->ret;
    const Signature *eager =
        func->info->signatures.len ? root_signature(func->info, types) : NULL;
    if (func->info->signatures.len && !eager) {
        jr_diag_error(in->diags, func->ast->span, "no signature of '%s' takes these arguments",
                      name);
        return NULL;
    }
    for (uint32_t i = 0; i < func->ast->params.len; i++)
        if (!(types[i] = eager ? eager->params[i] : root_param(in, func, i, types[i])))
            return NULL;
    uint32_t errors = in->diags->errors;
    FeSpec *spec = fe_infer_spec(in, func, types, eager ? eager->ret : ret, (JrSpan){0, 0, 0});
    if (!spec) {
        jr_diag_error(in->diags, func->ast->span, "'%s' has more than %d specialisations",
                      name, INFER_MAX_SPECS);
        return NULL;
    }
    fe_infer_reach(in, spec);
    solve(in);
    check(in);
    return in->diags->errors == errors ? spec : NULL;
}

/* ---- Taking back ---- */

FeMark fe_mark(const FeModule *module) {
    return (FeMark){.specs = module->specs.len, .all = module->infer->all.len};
}

/* Specialisations made since are dropped. Older ones may have become reachable since: those
 * are checked anew when they are next. */
void fe_undo(FeModule *module, FeMark mark) {
    FeInfer *in = module->infer;
    for (uint32_t i = mark.specs; i < module->specs.len; i++) {
        struct FeUnits *units = module->specs.data[i]->units;
        units->reachable = false;
        units->order = units->low = units->next = 0;
        units->callees.len = 0;
    }
    module->specs.len = mark.specs;
    while (in->all.len > mark.all)
        in->all.data[--in->all.len]->func->specs.len--; /* the newest of its function */
}

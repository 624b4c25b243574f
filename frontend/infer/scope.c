/* What names mean: the module's scope (imports, constants, functions, variables of the body),
 * the modules that can be imported, and the locals of each function.
 *
 * A name assigned once, at the top level and to a constant expression, is a constant:
 * functions may use it, and it is as weak as the literals it is made of. Any other name
 * assigned there is a variable of the body, which functions cannot see. */
#include "frontend/infer/library.h"

#include <string.h>

/* ---- Modules that can be imported ---- */

static const struct {
    const char *name, *path;
} MODULES[] = {
    {"jitrun", "jitrun"},
    {"numba", "jitrun"},
    {"numba.types", "jitrun"},
    {"numba.core.types", "jitrun"},
    {"numpy", "np"},
    {"numpy.random", "np.random"},
    {"numpy.linalg", "np.linalg"},
    {"math", "math"},
    {"random", "random"},
    {"time", "time"},
    {"operator", "operator"},
    {"typing", "typing"},
    {"collections", "collections"},
};
enum { MODULE_COUNT = sizeof MODULES / sizeof *MODULES };

static const char *module_path(const char *name) {
    for (int i = 0; i < MODULE_COUNT; i++)
        if (!strcmp(MODULES[i].name, name)) return MODULES[i].path;
    return NULL;
}

/* Names that only annotations use, and fe_options_type knows by their text. */
static bool is_type_former(const char *module, const char *name) {
    static const char *const NAMES[] = {"Tuple", "UniTuple", "void", "none"};
    for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (!strcmp(NAMES[i], name)) return !strcmp(module, "jitrun") || i == 0;
    return false;
}

static const FeType *member_scalar(FeInfer *in, const char *module, const char *name) {
    bool numpy = !strcmp(module, "np");
    if (!numpy && strcmp(module, "jitrun")) return NULL;
    bool short_name = strlen(name) == 2 || !strcmp(name, "boolean") ||
                      !strcmp(name, "float") || !strcmp(name, "int");
    IrScalar scalar = numpy && short_name ? TY_NONE : ir_scalar_named(name, strlen(name));
    for (int id = BI_NP_BOOL; scalar != TY_NONE && id <= BI_NP_FLOAT64; id++)
        if (fe_builtin((FeBuiltinId)id)->detail == (int)scalar)
            return fe_type_builtin(in->types, fe_builtin((FeBuiltinId)id));
    return NULL;
}

const FeType *fe_scope_member(FeInfer *in, const char *module, const char *name) {
    const char *path = jr_arena_printf(in->arena, "%s.%s", module, name);
    const FeBuiltin *row = jr_table_get(&in->builtins, path);
    if (row) return fe_type_builtin(in->types, row);
    if (!strcmp(path, "np.random") || !strcmp(path, "np.linalg"))
        return fe_type_module(in->types, path);
    const FeType *scalar = member_scalar(in, module, name);
    if (scalar) return scalar;
    FeFunc *func = fe_library_find(in, path);
    if (func) return fe_type_func(in->types, func);
    if (!strcmp(module, "jitrun") && !strcmp(name, "types"))
        return fe_type_module(in->types, "jitrun");
    return is_type_former(module, name) ? fe_type_module(in->types, "typing") : NULL;
}

const char *fe_scope_nearest_member(FeInfer *in, const char *module, const char *name) {
    const char *names[BI_COUNT + 128];
    uint32_t count = fe_library_members(in, module, names, 128);
    size_t len = strlen(module);
    for (int id = 0; id < BI_COUNT; id++) {
        const char *path = fe_builtin((FeBuiltinId)id)->path;
        bool inside = !strncmp(path, module, len) && path[len] == '.';
        if (inside && !strchr(path + len + 1, '.')) names[count++] = path + len + 1;
    }
    return jr_nearest(name, names, count);
}

/* ---- Entries ---- */

static Entry *entry_new(FeInfer *in, int kind, const FeType *type, JrSpan span) {
    Entry *entry = JR_NEW(in->arena, Entry);
    entry->kind = kind;
    entry->type = type;
    entry->span = span;
    return entry;
}

static Entry *entry_const(FeInfer *in, const FeType *type, const FeConst *value, JrSpan span) {
    Entry *entry = entry_new(in, ENTRY_CONST, type, span);
    entry->value = value;
    return entry;
}

/* The constants among builtins are values; np.newaxis, which has none, is None. */
static Entry *entry_of_type(FeInfer *in, const FeType *type, JrSpan span) {
    if (type->kind != FE_BUILTIN || type->builtin->kind != BK_CONSTANT)
        return entry_new(in, ENTRY_TYPE, type, span);
    const FeConst *value = fe_const_builtin(in, type->builtin);
    if (value) return entry_const(in, fe_const_type(in, value), value, span);
    return entry_new(in, ENTRY_TYPE, in->types->none, span);
}

static const FeHost *find_host(const FeInfer *in, const char *name) {
    for (uint32_t i = 0; i < in->config.nhosts; i++)
        if (!strcmp(in->config.hosts[i]->name, name)) return in->config.hosts[i];
    return NULL;
}

static Entry *python_entry(FeInfer *in, const char *name) {
    const JrSpan nowhere = {0, 0, 0};
    if (!strcmp(name, "__name__")) {
        FeConst *value = JR_NEW(in->arena, FeConst);
        value->kind = FE_CONST_STR;
        value->bytes = in->config.run_main ? "__main__" : "kernel";
        value->len = (uint32_t)strlen(value->bytes);
        return entry_const(in, fe_const_type(in, value), value, nowhere);
    }
    const FeBuiltin *row = strchr(name, '.') ? NULL : jr_table_get(&in->builtins, name);
    if (row) return entry_of_type(in, fe_type_builtin(in->types, row), nowhere);
    const FeHost *host = find_host(in, name);
    if (host) return entry_new(in, ENTRY_TYPE, fe_type_host(in->types, host), nowhere);
    IrExc exc = ir_exc_named(name, strlen(name));
    if (exc != EXC_NONE)
        return entry_new(in, ENTRY_TYPE, fe_type_exception(in->types, exc), nowhere);
    FeFunc *func =
        in->numpy_star ? fe_library_find(in, jr_arena_printf(in->arena, "np.%s", name)) : NULL;
    return func ? entry_new(in, ENTRY_TYPE, fe_type_func(in->types, func), nowhere) : NULL;
}

Entry *fe_scope_find(FeInfer *in, const char *name) {
    bool library = in->info && in->info->library;
    const FeType *own = library ? fe_library_name(in, name) : NULL;
    if (own) return entry_new(in, ENTRY_TYPE, own, (JrSpan){0, 0, 0});
    Entry *entry = library ? NULL : jr_table_get(&in->module->names, name);
    if (entry) return entry;
    entry = jr_table_get(&in->python, name);
    if (!entry && (entry = python_entry(in, name))) jr_table_put(&in->python, name, entry);
    return entry;
}

const Entry *fe_scope_path(FeInfer *in, const AstExpr *expr) {
    if (expr->kind == AST_NAME) {
        if (in->info && jr_table_get(&in->info->by_name, expr->name)) return NULL;
        return fe_scope_find(in, expr->name);
    }
    if (expr->kind != AST_ATTR) return NULL;
    const Entry *left = fe_scope_path(in, expr->left);
    if (!left || left->kind != ENTRY_TYPE || left->type->kind != FE_MODULE) return NULL;
    const char *key = jr_arena_printf(in->arena, "%s.%s", left->type->name, expr->name);
    Entry *entry = jr_table_get(&in->python, key);
    if (entry) return entry;
    const FeType *type = fe_scope_member(in, left->type->name, expr->name);
    if (!type) return NULL;
    entry = entry_of_type(in, type, expr->at);
    jr_table_put(&in->python, key, entry);
    return entry;
}

void fe_scope_silence(FeInfer *in, const char *name) {
    const JrSpan nowhere = {0, 0, 0};
    if (!fe_scope_find(in, name))
        jr_table_put(&in->module->names, name,
                     entry_new(in, ENTRY_TYPE, in->types->error, nowhere));
}

/* ---- Imports ---- */

static void import_unknown_module(FeInfer *in, const AstImport *import) {
    const char *names[MODULE_COUNT];
    for (int i = 0; i < MODULE_COUNT; i++)
        names[i] = MODULES[i].name;
    const char *near = jr_nearest(import->module, names, MODULE_COUNT);
    JrDiag *diag = jr_diag_error(in->diags, import->span,
                                 "there is no module '%s' for kernels", import->module);
    if (near)
        jr_diag_help(in->diags, diag, "did you mean '%s'?", near);
    else
        jr_diag_help(in->diags, diag,
                     "numpy, math, random, time, operator, jitrun and numba can be imported");
}

static void import_star(FeInfer *in, const AstImport *import, const char *path) {
    size_t len = strlen(path);
    for (int id = 0; id < BI_COUNT; id++) {
        const FeBuiltin *row = fe_builtin((FeBuiltinId)id);
        if (strncmp(row->path, path, len) || row->path[len] != '.') continue;
        const char *name = row->path + len + 1;
        if (strchr(name, '.') || fe_scope_find(in, name)) continue;
        jr_table_put(&in->module->names, name,
                     entry_of_type(in, fe_type_builtin(in->types, row), import->span));
    }
    in->numpy_star |= !strcmp(path, "np");
    if (strcmp(path, "jitrun")) return;
    jr_table_put(&in->module->names, "boolean",
                 entry_of_type(in, member_scalar(in, path, "boolean"), import->span));
    for (IrScalar s = TY_BOOL; s <= TY_FLOAT64; s++)
        jr_table_put(
            &in->module->names, ir_scalar_name(s),
            entry_of_type(in, member_scalar(in, path, ir_scalar_name(s)), import->span));
}

/* What numba has and kernels do not, and what to write instead. */
static const char *instead_of(const char *name) {
    static const struct {
        const char *name, *help;
    } MISSING[] = {
        {"stencil",
         "write the loop: for i in prange(1, len(a) - 1): out[i] = a[i - 1] + a[i + 1]"},
        {"objmode", "call Python before or after the kernel"},
        {"literal_unroll", "loop over the tuple, or index it with constants"},
        {"generated_jit",
         "a kernel is compiled for each type: test x.ndim, x.dtype or x is None"},
        {"typed", "use an array that is long enough, and count what is in it"},
        {"cuda", "kernels run on the processor's cores: use prange"},
    };
    for (unsigned i = 0; i < sizeof MISSING / sizeof *MISSING; i++)
        if (!strcmp(MISSING[i].name, name)) return MISSING[i].help;
    return NULL;
}

static void import_item(FeInfer *in, const AstImport *import, const char *path) {
    const FeType *type = fe_scope_member(in, path, import->item);
    if (type) {
        jr_table_put(&in->module->names, import->name, entry_of_type(in, type, import->span));
        return;
    }
    const char *near = fe_scope_nearest_member(in, path, import->item);
    JrDiag *diag =
        jr_diag_error(in->diags, import->span, "there is no '%s' in '%s' for kernels",
                      import->item, import->module);
    const char *instead = !strcmp(path, "jitrun") ? instead_of(import->item) : NULL;
    if (instead)
        jr_diag_help(in->diags, diag, "%s", instead);
    else if (near)
        jr_diag_help(in->diags, diag, "did you mean '%s'?", near);
    /* One message is enough: what uses it is silent. */
    jr_table_put(&in->module->names, import->name,
                 entry_new(in, ENTRY_TYPE, in->types->error, import->span));
}

static void import_one(FeInfer *in, const AstImport *import) {
    if (!strcmp(import->module, "__future__")) return;
    const char *path = module_path(import->module);
    if (!path) {
        import_unknown_module(in, import);
        if (strcmp(import->name, "*"))
            jr_table_put(&in->module->names, import->name,
                         entry_new(in, ENTRY_TYPE, in->types->error, import->span));
        return;
    }
    if (import->item && !strcmp(import->item, "*"))
        import_star(in, import, path);
    else if (import->item)
        import_item(in, import, path);
    else
        jr_table_put(&in->module->names, import->name,
                     entry_new(in, ENTRY_TYPE, fe_type_module(in->types, path), import->span));
}

/* ---- Locals ---- */

typedef struct Collect {
    FeInfer *in;
    FuncInfo *info;
    FeFunc *func;          /* whose inner functions are collected too, or NULL */
    bool module;           /* constants are no variables */
    bool deletes;          /* within del: what is collected is no assignment */
    JR_VEC(Local *) loops; /* targets of the enclosing fors */
} Collect;

static Local *local_add(FeInfer *in, FuncInfo *info, const char *name, JrSpan span) {
    Local *local = jr_table_get(&info->by_name, name);
    if (local) return local;
    local = JR_NEW(in->arena, Local);
    local->name = name;
    local->span = span;
    local->index = info->locals.len;
    JR_PUSH(in->arena, &info->locals, local);
    jr_table_put(&info->by_name, name, local);
    return local;
}

static bool is_constant(FeInfer *in, const char *name) {
    const Entry *entry = jr_table_get(&in->module->names, name);
    return entry && entry->kind != ENTRY_VAR;
}

static Local *collect_write(Collect *c, const char *name, JrSpan span) {
    Local *local = local_add(c->in, c->info, name, span);
    local->deleted |= !local->writes && c->deletes;
    local->writes++;
    local->last = span;
    for (uint32_t i = 0; i < c->loops.len; i++)
        local->loop_written |= c->loops.data[i] == local;
    return local;
}

/* The names that := in an expression assigns. */
static void collect_named(Collect *c, const AstExpr *expr) {
    if (!expr || !expr->assigns) return;
    if (expr->kind == AST_NAMED && !(c->module && is_constant(c->in, expr->name)))
        collect_write(c, expr->name, expr->at)->named = true;
    collect_named(c, expr->left);
    collect_named(c, expr->right);
    collect_named(c, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        collect_named(c, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        collect_named(c, expr->keywords.data[i].value);
}

static void collect_target(Collect *c, const AstExpr *target, bool loop) {
    if (target->kind == AST_TUPLE || target->kind == AST_LIST)
        for (uint32_t i = 0; i < target->items.len; i++)
            collect_target(c, target->items.data[i], loop);
    if (target->kind != AST_NAME || (c->module && is_constant(c->in, target->name))) return;
    Local *local = collect_write(c, target->name, target->span);
    if (loop) JR_PUSH(c->in->arena, &c->loops, local);
}

static void collect_block(Collect *c, const AstBlock *block);

static void collect_stmt(Collect *c, const AstStmt *stmt) {
    uint32_t loops = c->loops.len;
    if (stmt->kind == AST_DEF && c->func) {
        collect_write(c, stmt->func->name, stmt->func->span);
        fe_inner_define(c->in, c->func, stmt);
    }
    collect_named(c, stmt->value);
    collect_named(c, stmt->message);
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        collect_named(c, stmt->targets.data[i]);
    c->deletes = stmt->kind == AST_DEL;
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        collect_target(c, stmt->targets.data[i], stmt->kind == AST_FOR);
    c->deletes = false;
    if (stmt->kind == AST_ANN && stmt->targets.data[0]->kind == AST_NAME) {
        Local *local = jr_table_get(&c->info->by_name, stmt->targets.data[0]->name);
        if (local && !local->annotation) local->annotation = stmt->annotation;
    }
    collect_block(c, &stmt->body);
    c->loops.len = loops;
    collect_block(c, &stmt->orelse);
}

static void collect_block(Collect *c, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++)
        collect_stmt(c, block->data[i]);
}

/* ---- The module ---- */

/* How often a name is assigned anywhere in the body, to tell constants from variables. */
static void count_writes(FeInfer *in, FuncInfo *counts) {
    Collect collect = {.in = in, .info = counts};
    jr_table_init(&counts->by_name, in->arena);
    collect_block(&collect, &in->module->ast->body->body);
}

/* Assigned to all the same: an error, after which the name is silent. */
static bool is_function(FeInfer *in, const AstExpr *target) {
    Entry *entry = jr_table_get(&in->module->names, target->name);
    if (!entry || entry->kind != ENTRY_TYPE || entry->type->kind != FE_FUNC) return false;
    JrDiag *diag = jr_diag_error(in->diags, target->span,
                                 "'%s' is a function: it cannot be assigned to", target->name);
    jr_diag_help(in->diags, diag, "use another name");
    entry->type = in->types->error;
    return true;
}

/* What a name at module scope is assigned. */
typedef struct Value {
    const AstExpr *expr;  /* NULL: an item of something that is no display */
    const FeConst *known; /* the constant it is, or NULL */
    const FeType *type;   /* of `known` */
    const AstExpr *annotation;
} Value;

static Value value_of(FeInfer *in, const AstExpr *expr, const AstExpr *annotation) {
    Value value = {.expr = expr, .annotation = annotation};
    if (expr) value.known = fe_const_eval(in, expr, &value.type);
    return value;
}

static Value value_item(const Value *value, uint32_t i, uint32_t count) {
    const AstExpr *expr = value->expr;
    Value item = {.expr = NULL};
    if (expr && expr->kind == AST_TUPLE && expr->items.len == count)
        item.expr = expr->items.data[i];
    const FeConst *known = value->known;
    if (!known || known->kind != FE_CONST_TUPLE || known->type->count != count) return item;
    item.known = known->items[i];
    item.type = value->type->items[i];
    return item;
}

static void define_name(FeInfer *in, const AstExpr *target, Value value) {
    Entry *entry = entry_new(in, ENTRY_VAR, NULL, target->span);
    const Entry *alias = value.expr ? fe_scope_path(in, value.expr) : NULL;
    if (value.known && value.annotation) {
        const FeType *declared = fe_options_type(in, value.annotation);
        bool fits = declared && fe_accepts(declared, value.type) &&
                    fe_const_fits_type(value.known, declared);
        value.type = fits ? declared : NULL;
    }
    const FeType *record = value.expr ? fe_record_defined(in, value.expr) : NULL;
    if (record)
        entry = entry_new(in, ENTRY_TYPE, record, target->span);
    else if (value.known && value.type)
        entry = entry_const(in, value.type, value.known, target->span);
    else if (alias && alias->kind == ENTRY_TYPE &&
             (alias->type->kind != FE_FUNC || alias->type->func->library))
        entry = entry_new(in, ENTRY_TYPE, alias->type, target->span);
    jr_table_put(&in->module->names, target->name, entry);
}

static void define(FeInfer *in, const FuncInfo *counts, const AstExpr *target, Value value) {
    if (target->kind == AST_TUPLE)
        for (uint32_t i = 0; i < target->items.len; i++)
            define(in, counts, target->items.data[i],
                   value_item(&value, i, target->items.len));
    if (target->kind != AST_NAME || is_function(in, target)) return;
    const Local *local = jr_table_get(&counts->by_name, target->name);
    define_name(in, target, local->writes == 1 ? value : (Value){.expr = NULL});
}

static void define_func(FeInfer *in, AstStmt *stmt) {
    FeFunc *func = JR_NEW(in->arena, FeFunc);
    func->ast = stmt->func;
    JR_PUSH(in->arena, &in->module->funcs, func);
    const Entry *before = jr_table_get(&in->module->names, func->ast->name);
    if (before) {
        JrDiag *diag = jr_diag_error(in->diags, func->ast->span, "'%s' is defined twice",
                                     func->ast->name);
        jr_diag_note(in->diags, diag, before->span, "the first one is here");
        return;
    }
    jr_table_put(&in->module->names, func->ast->name,
                 entry_new(in, ENTRY_TYPE, fe_type_func(in->types, func), func->ast->span));
}

/* An import, which would be the one thing or the other by what happens when the program runs. */
static void refuse_import(FeInfer *in, const Entry *entry, const Local *local) {
    JrDiag *diag = jr_diag_error(
        in->diags, local->span,
        "'%s' is imported: it cannot be assigned to in a loop or an if", local->name);
    jr_diag_help(in->diags, diag, "use another name");
    jr_diag_note(in->diags, diag, entry->span, "it is imported here");
}

/* Names assigned below the top level are variables, whatever they are assigned. */
static void define_rest(FeInfer *in, const FuncInfo *counts) {
    for (uint32_t i = 0; i < counts->locals.len; i++) {
        const Local *local = counts->locals.data[i];
        const Entry *entry = jr_table_get(&in->module->names, local->name);
        if (!entry)
            jr_table_put(&in->module->names, local->name,
                         entry_new(in, ENTRY_VAR, NULL, local->span));
        else if (entry->kind == ENTRY_TYPE && entry->type->kind == FE_FUNC &&
                 !entry->type->func->library)
            jr_diag_error(in->diags, local->span,
                          "'%s' is a function: it cannot be assigned to", local->name);
        else if (entry->kind != ENTRY_VAR && !local->deleted &&
                 entry->type != in->types->error && entry->span.line != local->span.line)
            refuse_import(in, entry, local);
    }
}

void fe_scope_module(FeInfer *in) {
    AstBlock *block = &in->module->ast->body->body;
    FuncInfo counts = {0};
    FeFunc *body = JR_NEW(in->arena, FeFunc);
    body->ast = in->module->ast->body;
    JR_PUSH(in->arena, &in->module->funcs, body);
    count_writes(in, &counts);
    for (uint32_t i = 0; i < block->len; i++) {
        AstStmt *stmt = block->data[i];
        if (stmt->kind == AST_DEF) define_func(in, stmt);
        for (uint32_t k = 0; stmt->kind == AST_IMPORT && k < stmt->imports.len; k++)
            import_one(in, &stmt->imports.data[k]);
        bool assigns = stmt->kind == AST_ASSIGN || stmt->kind == AST_ANN;
        for (uint32_t k = 0; assigns && k < stmt->targets.len; k++)
            define(in, &counts, stmt->targets.data[k],
                   value_of(in, stmt->value, stmt->annotation));
    }
    define_rest(in, &counts);
}

/* ---- One function ---- */

void fe_scope_locals(FeInfer *in, FeFunc *func) {
    FuncInfo *info = JR_NEW(in->arena, FuncInfo);
    func->info = info;
    info->library = func->library != NULL;
    jr_table_init(&info->by_name, in->arena);
    for (uint32_t i = 0; i < func->ast->params.len; i++) {
        const AstParam *param = &func->ast->params.data[i];
        if (jr_table_get(&info->by_name, param->name))
            jr_diag_error(in->diags, param->span, "there are two parameters '%s'",
                          param->name);
        Local *local = local_add(in, info, param->name, param->span);
        local->param = true;
    }
    bool module = func->ast == in->module->ast->body;
    Collect collect = {.in = in, .info = info, .module = module};
    if (!module) collect.func = func;
    collect_block(&collect, &func->ast->body);
}

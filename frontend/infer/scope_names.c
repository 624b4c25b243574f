/* Checks once per function, called or not, that every name means something and that no
 * statement stands where it cannot. Inference is then silent about names. */
#include "frontend/infer/infer.h"

#include <string.h>

typedef struct Names {
    FeInfer *in;
    FeFunc *func;
    bool module;
} Names;

/* Python's own that people reach for. */
static const struct {
    const char *name, *help;
} ABSENT[] = {
    {"list", "use an array: np.zeros(n)"},
    {"dict", "use an array, or separate variables"},
    {"set", "use an array of bool, indexed by the member"},
    {"str", "print its parts: print(a, b)"},
    {"tuple", "write the items out: (a, b)"},
    {"complex", "keep the real and the imaginary part in two floats"},
    {"sorted", "copy the array and call its sort method"},
    {"map", "write a for loop"},
    {"filter", "write a for loop"},
    {"input", "pass it as an argument"},
    {"open", "pass an array; the command reads .npy files"},
    {"type", "types are fixed when the function is compiled"},
    {"isinstance",
     "types are fixed when the function is compiled: compare x.dtype, or x.ndim"},
    {"slice", "write it in the subscript: a[i:j]"},
    {"hash", NULL},
    {"iter", NULL},
    {"next", NULL},
    {"object", NULL},
    {"super", NULL},
    {"chr", NULL},
    {"hex", NULL},
    {"bin", NULL},
    {"repr", NULL},
    {"id", NULL},
    {"getattr", NULL},
    {"globals", NULL},
    {"eval", NULL},
    {"exec", NULL},
};

/* A name whose own import failed is no suggestion. */
static bool is_meant(const Entry *entry) {
    return !entry->type || entry->type->kind != FE_ERROR;
}

static const char *nearest_name(const Names *n, const char *name) {
    FeInfer *in = n->in;
    JR_VEC(const char *) names = {0};
    for (uint32_t i = 0; i < n->func->info->locals.len; i++)
        JR_PUSH(in->arena, &names, n->func->info->locals.data[i]->name);
    const JrTable *scope = &in->module->names;
    for (uint32_t i = 0; i < scope->cap; i++)
        if (scope->slots[i].key && is_meant(scope->slots[i].value))
            JR_PUSH(in->arena, &names, scope->slots[i].key);
    for (int id = 0; id < BI_COUNT; id++)
        if (!strchr(fe_builtin((FeBuiltinId)id)->path, '.'))
            JR_PUSH(in->arena, &names, fe_builtin((FeBuiltinId)id)->path);
    for (uint32_t i = 0; i < in->config.nhosts; i++)
        JR_PUSH(in->arena, &names, in->config.hosts[i]->name);
    for (int exc = EXC_NONE + 1; exc < EXC_COUNT; exc++)
        JR_PUSH(in->arena, &names, ir_exc_name((IrExc)exc));
    return jr_nearest(name, names.data, names.len);
}

/* What a bare name would be if it had been imported. */
static const char *import_for(FeInfer *in, const char *name) {
    static const char *const MODULES[] = {"jitrun", "math", "np",
                                          "random", "time", "operator"};
    if (!strcmp(name, "np") || !strcmp(name, "numpy")) return "import numpy as np";
    if (!strcmp(name, "math") || !strcmp(name, "random") || !strcmp(name, "time") ||
        !strcmp(name, "operator"))
        return jr_arena_printf(in->arena, "import %s", name);
    for (unsigned i = 0; i < sizeof MODULES / sizeof *MODULES; i++)
        if (fe_scope_member(in, MODULES[i], name))
            return jr_arena_printf(in->arena, "from %s import %s",
                                   strcmp(MODULES[i], "np") ? MODULES[i] : "numpy", name);
    return NULL;
}

void fe_scope_undefined(FeInfer *in, FeFunc *func, const AstExpr *expr) {
    Names names = {in, func, false};
    const char *name = expr->name;
    for (unsigned i = 0; i < sizeof ABSENT / sizeof *ABSENT; i++)
        if (!strcmp(ABSENT[i].name, name)) {
            JrDiag *diag = jr_diag_error(in->diags, expr->span,
                                         "Python's '%s' is not in the language", name);
            if (ABSENT[i].help) jr_diag_help(in->diags, diag, "%s", ABSENT[i].help);
            return;
        }
    for (const FeFunc *around = func->outer; around && around->outer; around = around->outer)
        if (!strcmp(around->ast->name, name)) {
            JrDiag *diag = jr_diag_error(
                in->diags, expr->span, "'%s' cannot be used by a function inside of it", name);
            jr_diag_help(in->diags, diag, "move '%s' out of '%s', or write a loop",
                         func->ast->name, name);
            return;
        }
    JrDiag *diag = jr_diag_error(in->diags, expr->span, "the name '%s' is not defined", name);
    const char *import = import_for(in, name);
    const char *near = import ? NULL : nearest_name(&names, name);
    if (import) jr_diag_help(in->diags, diag, "write `%s` at the top", import);
    if (near) jr_diag_help(in->diags, diag, "did you mean '%s'?", near);
}

static void check_name(Names *n, const AstExpr *expr) {
    if (jr_table_get(&n->func->info->by_name, expr->name)) return;
    if (n->func->outer && !strcmp(expr->name, n->func->ast->name)) return; /* itself */
    const Entry *entry = fe_scope_find(n->in, expr->name);
    if (!entry) {
        fe_scope_undefined(n->in, n->func, expr);
    } else if (entry->kind == ENTRY_VAR && !n->module) {
        JrDiag *diag = jr_diag_error(
            n->in->diags, expr->span,
            "'%s' is a variable of the program, which functions cannot see", expr->name);
        jr_diag_help(n->in->diags, diag,
                     "pass it to '%s' as a parameter; only constants (numbers, strings and "
                     "tuples of these) that are assigned once at the top level can be used",
                     n->func->ast->name);
        jr_diag_note(n->in->diags, diag, entry->span, "it is assigned here");
    }
}

static void check_expr(Names *n, const AstExpr *expr);

static void check_attr(Names *n, const AstExpr *expr) {
    const Entry *left = fe_scope_path(n->in, expr->left);
    if (!left || left->kind != ENTRY_TYPE || left->type->kind != FE_MODULE) {
        check_expr(n, expr->left);
        return;
    }
    const char *module = left->type->name;
    if (fe_scope_member(n->in, module, expr->name)) return;
    const char *near = fe_scope_nearest_member(n->in, module, expr->name);
    JrDiag *diag = jr_diag_error(n->in->diags, expr->at, "there is no '%s.%s' for kernels",
                                 module, expr->name);
    if (near) jr_diag_help(n->in->diags, diag, "did you mean '%s.%s'?", module, near);
}

static void check_expr(Names *n, const AstExpr *expr) {
    if (!expr) return;
    if (expr->kind == AST_NAME) {
        check_name(n, expr);
        return;
    }
    if (expr->kind == AST_ATTR) {
        check_attr(n, expr);
        return;
    }
    check_expr(n, expr->left);
    check_expr(n, expr->right);
    check_expr(n, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        check_expr(n, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        check_expr(n, expr->keywords.data[i].value);
}

/* A name or a tuple of names is being defined; anything else is read first. */
static void check_target(Names *n, const AstExpr *target) {
    if (target->kind == AST_NAME) return;
    if (target->kind != AST_TUPLE && target->kind != AST_LIST) {
        check_expr(n, target);
        return;
    }
    for (uint32_t i = 0; i < target->items.len; i++)
        check_target(n, target->items.data[i]);
}

static void check_place(Names *n, const AstStmt *stmt) {
    JrDiag *diag = NULL;
    if (stmt->kind == AST_GLOBAL) {
        diag = jr_diag_error(n->in->diags, stmt->span, "global variables are not supported");
        jr_diag_help(n->in->diags, diag,
                     "pass the value as a parameter and return the new one");
    }
    for (uint32_t i = 0; stmt->kind == AST_DEL && i < stmt->targets.len; i++) {
        const AstExpr *name = stmt->targets.data[i];
        const Entry *entry = n->module ? fe_scope_find(n->in, name->name) : NULL;
        if (entry && entry->kind != ENTRY_VAR)
            jr_diag_error(n->in->diags, name->span,
                          "'%s' is no variable: it cannot be deleted", name->name);
    }
    if (stmt->kind == AST_IMPORT && !n->module) {
        diag =
            jr_diag_error(n->in->diags, stmt->span, "imports belong at the top of the file");
        jr_diag_help(n->in->diags, diag, "move this line there");
        for (uint32_t i = 0; i < stmt->imports.len; i++)
            fe_scope_silence(n->in, stmt->imports.data[i].name);
    }
}

static void check_block(Names *n, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++) {
        const AstStmt *stmt = block->data[i];
        check_place(n, stmt);
        if (stmt->kind == AST_DEF || stmt->kind == AST_IMPORT) continue;
        check_expr(n, stmt->value);
        check_expr(n, stmt->message);
        for (uint32_t k = 0; k < stmt->targets.len; k++)
            check_target(n, stmt->targets.data[k]);
        check_block(n, &stmt->body);
        check_block(n, &stmt->orelse);
    }
}

void fe_scope_names(FeInfer *in, FeFunc *func) {
    Names names = {in, func, func->ast == in->module->ast->body};
    in->info = func->info;
    check_block(&names, &func->ast->body);
    in->info = NULL;
}

/* Functions inside functions.
 *
 *     def f(x, k):                 def g(y, k): return y * k
 *         def g(y):                def f(x, k):
 *             return y * k    is       g = (g, k)
 *         return g(x)                  return g(x)          # with the k that g has
 *
 * What such a function uses of the one around is captured when its def runs: it is a parameter that no
 * caller passes, and a value of the function has it along, as a tuple has its items (FE_FUNC in types.h).
 * So it can be passed on like any other, and is compiled for what it captures.
 *
 * In Python it would see a value that is assigned later; such an assignment is an error. One before the
 * def, in a loop around both, is none: until the def has run again, nothing may read the function's name
 * that was not sure to be assigned anyway.
 *
 * What a function two deep uses of the outermost, the one between them captures as well, to hand it on. */
#include "frontend/infer/infer.h"

#include <string.h>

FeFunc *fe_inner_find(const FeFunc *func, const AstStmt *stmt) {
    for (uint32_t i = 0; i < func->inner.len; i++)
        if (func->inner.data[i]->def == stmt) return func->inner.data[i];
    return NULL;
}

void fe_inner_define(FeInfer *in, FeFunc *outer, const AstStmt *stmt) {
    if (fe_inner_find(outer, stmt)) return; /* the locals of `outer` are collected twice */
    AstFunc *ast = JR_NEW(in->arena, AstFunc);
    FeFunc *func = JR_NEW(in->arena, FeFunc);
    *ast = *stmt->func;
    *func = (FeFunc){.ast = ast, .outer = outer, .def = stmt, .library = outer->library};
    for (uint32_t i = 0; i < outer->inner.len; i++)
        if (!strcmp(outer->inner.data[i]->ast->name, ast->name)) {
            JrDiag *diag =
                jr_diag_error(in->diags, ast->span, "'%s' is defined twice", ast->name);
            jr_diag_note(in->diags, diag, outer->inner.data[i]->ast->span,
                         "the first one is here");
        }
    JR_PUSH(in->arena, &outer->inner, func);
}

/* ---- What is captured ---- */

static bool is_after(JrSpan a, JrSpan b) {
    return a.line > b.line || (a.line == b.line && a.col > b.col);
}

static void capture(FeInfer *in, FeFunc *func, const AstExpr *use, const Local *local) {
    for (uint32_t i = 0; i < func->captures.len; i++)
        if (!strcmp(func->captures.data[i].name, use->name)) return;
    FeCapture captured = {use->name, use};
    JR_PUSH(in->arena, &func->captures, captured);
    AstParam param = {.name = use->name, .captured = true, .span = local->span};
    JR_PUSH(in->arena, &func->ast->params, param);
    if (!is_after(local->last, func->ast->span)) return;
    JrDiag *diag =
        jr_diag_error(in->diags, use->span, "'%s' is assigned after '%s', which uses it",
                      use->name, func->ast->name);
    jr_diag_note(in->diags, diag, local->last, "it is assigned here");
    if (is_after(local->span, func->ast->span))
        jr_diag_help(in->diags, diag, "move it above the def of '%s'", func->ast->name);
    else
        jr_diag_help(in->diags, diag,
                     "pass it to '%s' as an argument, or use another name there",
                     func->ast->name);
}

/* Whether a name that is used in `user` is one of its own, or of those between it and `func`, that too. */
static bool is_own(const FeFunc *func, const FeFunc *user, const char *name) {
    for (; user != func->outer; user = user->outer)
        if (jr_table_get(&user->info->by_name, name) || !strcmp(name, user->ast->name))
            return true;
    return false;
}

/* What `user`, which is `func` or inside of it, uses of the function around `func`. */
static void capture_expr(FeInfer *in, FeFunc *func, const FeFunc *user, const AstExpr *expr) {
    if (!expr) return;
    if (expr->kind == AST_NAME && !is_own(func, user, expr->name)) {
        const Local *local = jr_table_get(&func->outer->info->by_name, expr->name);
        if (local) capture(in, func, expr, local);
    }
    capture_expr(in, func, user, expr->left);
    capture_expr(in, func, user, expr->right);
    capture_expr(in, func, user, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        capture_expr(in, func, user, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        capture_expr(in, func, user, expr->keywords.data[i].value);
}

static void capture_block(FeInfer *in, FeFunc *func, const FeFunc *user,
                          const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++) {
        const AstStmt *stmt = block->data[i];
        for (uint32_t k = 0; k < stmt->targets.len; k++)
            capture_expr(in, func, user, stmt->targets.data[k]);
        capture_expr(in, func, user, stmt->value);
        capture_expr(in, func, user, stmt->message);
        capture_block(in, func, user, &stmt->body);
        capture_block(in, func, user, &stmt->orelse);
    }
}

/* The names that a function has without what it captures, and those inside of it. */
static void own_names(FeInfer *in, FeFunc *func) {
    fe_scope_locals(in, func);
    for (uint32_t i = 0; i < func->inner.len; i++)
        own_names(in, func->inner.data[i]);
}

/* What those inside use of the functions around is captured all the way down. */
static void capture_all(FeInfer *in, FeFunc *func, const FeFunc *user) {
    capture_block(in, func, user, &user->ast->body);
    for (uint32_t i = 0; i < user->inner.len; i++)
        capture_all(in, func, user->inner.data[i]);
}

/* Once to know its own names, then again with what it captures, since parameters come first. */
void fe_inner_locals(FeInfer *in, FeFunc *func) {
    own_names(in, func);
    capture_all(in, func, func);
    fe_scope_locals(in, func);
}

/* ---- Types ---- */

const FeType *fe_inner_self(FeInfer *in, const char *name) {
    FeFunc *func = in->spec->func;
    if (!func->outer || strcmp(name, func->ast->name) != 0) return NULL;
    if (jr_table_get(&in->spec->var_by_name, name)) return NULL;
    uint32_t n = func->captures.len;
    return fe_type_closure(in->types, func, n, in->spec->params + in->spec->nparams - n);
}

/* def g(...) in a function: a variable is assigned what it captures. */
void fe_infer_def(FeInfer *in, const AstStmt *stmt) {
    FeFunc *func = fe_inner_find(in->spec->func, stmt);
    FeVar *name = func ? jr_table_get(&in->spec->var_by_name, func->ast->name) : NULL;
    if (!name) return;
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, func->captures.len + 1);
    bool known = true;
    for (uint32_t i = 0; i < func->captures.len; i++) {
        const FeCapture *capture = &func->captures.data[i];
        FeVar *var = jr_table_get(&in->spec->var_by_name, capture->name);
        fe_infer_read(in, var);
        items[i] = var->type;
        if (var->param && var->type != in->spec->params[var->index] &&
            fe_absent_here(in->spec, capture->use) != FE_GIVEN)
            items[i] = fe_absent_either(in, capture->use);
        known &= !type_is_void(items[i]);
    }
    const FeType *type = known ? fe_type_closure(in->types, func, func->captures.len, items)
                               : fe_infer_silent(in);
    if (type->size > FE_MAX_TUPLE)
        type =
            fe_infer_fail(in, func->ast->span, "pass what it uses as arguments",
                          "'%s' captures more than %u values", func->ast->name, FE_MAX_TUPLE);
    fe_infer_assign(in, name, type, func->ast->span);
}

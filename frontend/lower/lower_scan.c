/* What the lowering has to know before it starts: which variables of `for` loops need storage
 * of their own, and which functions draw random numbers.
 *
 * A variable that only `for` statements assign, and that is read only inside those loops, is
 * the loop's counter itself: no copy in the body, and the index is known to be in range. */
#include "frontend/lower/lower.h"

#include <string.h>

typedef struct Scan {
    Lower *low;
    FeSpec *spec;
    bool draws;
    bool draws_only; /* leave the variables alone */
    JR_VEC(const FeSpec *) callees;
} Scan;

static void scan_block(Scan *scan, const AstBlock *block);

FeVar *fe_var_of(Lower *low, const AstExpr *name) {
    return fe_node_of(low, name)->var;
}

VarInfo *fe_var_info(Lower *low, FeVar *var) {
    if (!var->lowered) var->lowered = JR_NEW(low->arena, VarInfo);
    return var->lowered;
}

static VarInfo *info_named(Scan *scan, const AstExpr *name) {
    if (scan->draws_only) return NULL;
    FeVar *var = jr_table_get(&scan->spec->var_by_name, name->name);
    return var ? fe_var_info(scan->low, var) : NULL;
}

static void scan_call(Scan *scan, const AstExpr *expr) {
    const FeNode *node = &scan->spec->nodes[expr->id];
    if (node->callee) JR_PUSH(scan->low->arena, &scan->callees, node->callee);
    if (!node->builtin) return;
    const char *path = node->builtin->path;
    if (!strncmp(path, "random.", 7) || !strncmp(path, "np.random.", 10)) scan->draws = true;
}

static void scan_expr(Scan *scan, const AstExpr *expr) {
    if (!expr) return;
    if (expr->kind == AST_NAME) {
        VarInfo *info = info_named(scan, expr);
        if (info && !info->active) info->escapes = true;
    }
    if (expr->kind == AST_NAMED) {
        VarInfo *info = info_named(scan, expr);
        if (info) info->escapes = info->written = info->shared = true;
    }
    if (expr->kind == AST_CALL) scan_call(scan, expr);
    scan_expr(scan, expr->left);
    scan_expr(scan, expr->right);
    scan_expr(scan, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        scan_expr(scan, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        scan_expr(scan, expr->keywords.data[i].value);
}

static void scan_target(Scan *scan, const AstExpr *target) {
    if (target->kind == AST_NAME) {
        VarInfo *info = info_named(scan, target);
        if (info) info->escapes = info->written = true;
    } else if (target->kind == AST_TUPLE || target->kind == AST_LIST) {
        for (uint32_t i = 0; i < target->items.len; i++)
            scan_target(scan, target->items.data[i]);
    } else {
        scan_expr(scan, target);
    }
}

/* Enters (delta 1) or leaves (-1) a loop over the names of its target. */
static void scan_for_target(Scan *scan, const AstExpr *target, int delta) {
    if (target->kind == AST_NAME) {
        VarInfo *info = info_named(scan, target);
        if (!info) return;
        info->written = true;
        if (delta > 0 && info->active) info->escapes = true;
        info->active += (uint32_t)delta;
    } else if (target->kind == AST_TUPLE || target->kind == AST_LIST) {
        for (uint32_t i = 0; i < target->items.len; i++)
            scan_for_target(scan, target->items.data[i], delta);
    } else if (delta > 0) {
        scan_expr(scan, target);
    }
}

/* Names assigned to, that may then show memory of another array's. */
static void scan_shared(Scan *scan, const AstExpr *target) {
    if (target->kind == AST_NAME) {
        VarInfo *info = info_named(scan, target);
        if (info) info->shared = true;
    }
    for (uint32_t i = 0; i < target->items.len && target->kind != AST_SUBSCRIPT; i++)
        scan_shared(scan, target->items.data[i]);
}

static void scan_sharing(Scan *scan, const AstStmt *stmt) {
    if (scan->draws_only || stmt->kind == AST_AUG || stmt->kind == AST_DEL) return;
    bool one = stmt->targets.len == 1 && stmt->targets.data[0]->kind == AST_NAME;
    if (stmt->kind != AST_FOR && one && stmt->value && fe_makes_array(scan->low, stmt->value))
        return;
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        scan_shared(scan, stmt->targets.data[i]);
}

/* A def in a function reads what it captures, and assigns its name. */
static void scan_def(Scan *scan, const AstStmt *stmt) {
    const FeFunc *inner = fe_inner_find(scan->spec->func, stmt);
    if (!inner || scan->draws_only) return;
    for (uint32_t i = 0; i < inner->captures.len; i++) {
        VarInfo *info = info_named(scan, inner->captures.data[i].use);
        if (info && !info->active) info->escapes = true;
    }
    FeVar *var = jr_table_get(&scan->spec->var_by_name, inner->ast->name);
    if (var)
        fe_var_info(scan->low, var)->escapes = fe_var_info(scan->low, var)->written = true;
}

static void scan_stmt(Scan *scan, const AstStmt *stmt) {
    scan_sharing(scan, stmt);
    scan_expr(scan, stmt->value);
    scan_expr(scan, stmt->message);
    if (stmt->kind == AST_DEF) scan_def(scan, stmt);
    if (stmt->kind == AST_DEF || stmt->kind == AST_IMPORT) return;
    if (stmt->kind == AST_FOR)
        scan_for_target(scan, stmt->targets.data[0], 1);
    else
        for (uint32_t i = 0; i < stmt->targets.len; i++)
            scan_target(scan, stmt->targets.data[i]);
    const FeConst *known =
        stmt->kind == AST_IF ? scan->spec->nodes[stmt->value->id].value : NULL;
    if (!known || fe_const_truth(known)) scan_block(scan, &stmt->body);
    if (stmt->kind == AST_FOR) scan_for_target(scan, stmt->targets.data[0], -1);
    if (!known || !fe_const_truth(known)) scan_block(scan, &stmt->orelse);
}

static void scan_block(Scan *scan, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++)
        scan_stmt(scan, block->data[i]);
}

/* ---- Random numbers ---- */

static SpecInfo *spec_info(Lower *low, const FeSpec *spec) {
    return jr_table_get(&low->spec_infos, spec->name);
}

static bool spec_draws(Lower *low, const FeSpec *spec) {
    const SpecInfo *info = spec_info(low, spec);
    return info && info->draws;
}

static bool draws_now(Lower *low, const Scan *scan) {
    bool draws = scan->draws;
    for (uint32_t i = 0; i < scan->callees.len && !draws; i++)
        draws = spec_draws(low, scan->callees.data[i]);
    return draws;
}

/* Draws, to a fixpoint, since functions may call each other: two rounds when callees come
 * first, one for each link of a chain at worst. */
static void settle_draws(Lower *low, const Scan *scans, uint32_t n) {
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < n; i++) {
            SpecInfo *info = spec_info(low, scans[i].spec);
            if (info->draws || !draws_now(low, &scans[i])) continue;
            info->draws = changed = true;
        }
    }
}

void fe_scan_module(Lower *low) {
    uint32_t n = low->module->specs.len;
    Scan *scans = JR_NEW_ARRAY(low->arena, Scan, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        FeSpec *spec = low->module->specs.data[i];
        scans[i] = (Scan){.low = low, .spec = spec};
        low->spec = spec;
        jr_table_put(&low->spec_infos, spec->name, JR_NEW(low->arena, SpecInfo));
        for (uint32_t v = 0; v < spec->vars.len; v++)
            spec->vars.data[v]->lowered = NULL; /* of an earlier lowering */
        for (uint32_t p = 0; p < spec->nparams; p++)
            fe_var_info(low, spec->vars.data[p])->escapes =
                fe_var_info(low, spec->vars.data[p])->shared = true;
        scan_block(&scans[i], &spec->func->ast->body);
    }
    settle_draws(low, scans, n);
}

bool fe_block_draws(Lower *low, const AstBlock *block) {
    Scan scan = {.low = low, .spec = low->spec, .draws_only = true};
    scan_block(&scan, block);
    return draws_now(low, &scan);
}

bool fe_block_breaks(const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++) {
        const AstStmt *stmt = block->data[i];
        if (stmt->kind == AST_BREAK) return true;
        bool loop = stmt->kind == AST_FOR || stmt->kind == AST_WHILE;
        if (!loop && fe_block_breaks(&stmt->body)) return true;
        if (fe_block_breaks(&stmt->orelse)) return true;
    }
    return false;
}

/* Arguments that are None.
 *
 *     def mean(x, w=None):
 *         if w is None:                 # known when mean is specialised for what it is given
 *             return x.sum() / len(x)
 *         return (x * w).sum() / w.sum()
 *
 * What is not reached then is no part of the specialisation: it need not make sense for None. */
#include "frontend/infer/infer.h"

/* Whether it names a parameter that is None; -1 where that is not known: it is something else, or is assigned to. */
static int is_absent(const FeSpec *spec, const AstExpr *expr) {
    const Local *local =
        expr->kind == AST_NAME ? jr_table_get(&spec->func->info->by_name, expr->name) : NULL;
    if (!local || !local->param || local->writes) return -1;
    return spec->params[local->index]->kind == FE_NONE;
}

static int truth_of_comparison(const FeSpec *spec, const AstExpr *expr) {
    AstOp op = expr->ops.data[0];
    if (expr->ops.len != 1 || (op != AST_IS && op != AST_IS_NOT)) return -1;
    const AstExpr *a = expr->items.data[0], *b = expr->items.data[1];
    if (a->kind != AST_NONE && b->kind != AST_NONE) return -1;
    int absent = is_absent(spec, a->kind == AST_NONE ? b : a);
    return absent < 0 ? -1 : absent == (op == AST_IS);
}

int fe_absent_truth(const FeSpec *spec, const AstExpr *cond) {
    int truth = -1;
    switch (cond->kind) {
    case AST_COMPARE: return truth_of_comparison(spec, cond);
    case AST_UNARY:
        if (cond->op == AST_NOT) truth = fe_absent_truth(spec, cond->left);
        return truth < 0 ? -1 : !truth;
    case AST_BOOL:
        for (uint32_t i = 0; i < cond->items.len; i++) {
            truth = fe_absent_truth(spec, cond->items.data[i]);
            if (truth != (cond->op == AST_BOOL_AND)) return truth;
        }
        return truth;
    default: return -1;
    }
}

static bool block_ends(const FeSpec *spec, const AstBlock *block);

static bool stmt_ends(const FeSpec *spec, const AstStmt *stmt) {
    switch (stmt->kind) {
    case AST_RETURN:
    case AST_RAISE:
    case AST_BREAK:
    case AST_CONTINUE: return true;
    case AST_IF: {
        int truth = fe_absent_truth(spec, stmt->value);
        return (truth == 0 || block_ends(spec, &stmt->body)) &&
               (truth == 1 || block_ends(spec, &stmt->orelse));
    }
    default: return false;
    }
}

static bool block_ends(const FeSpec *spec, const AstBlock *block) {
    return block->len && stmt_ends(spec, block->data[block->len - 1]);
}

bool fe_absent_ends(const FeSpec *spec, const AstStmt *stmt) {
    return stmt->kind == AST_IF && fe_absent_truth(spec, stmt->value) >= 0 &&
           stmt_ends(spec, stmt);
}

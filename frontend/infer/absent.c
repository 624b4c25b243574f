/* Arguments that are None.
 *
 *     def mean(x, w=None):
 *         if w is None:                 # known when mean is specialised for what it is given
 *             return x.sum() / len(x)
 *         return (x * w).sum() / w.sum()
 *
 * What is not reached then is no part of the specialisation: it need not make sense for None. A parameter
 * that is assigned to may be None in one place and not in another: absent_flow.c. */
#include "frontend/infer/infer.h"

FeAbsence fe_absent_here(const FeSpec *spec, const AstExpr *name) {
    const Local *local = jr_table_get(&spec->func->info->by_name, name->name);
    if (!local || !local->param) return FE_ELSE;
    if (spec->params[local->index]->kind != FE_NONE) return FE_GIVEN;
    if (!local->writes) return FE_ABSENT;
    return spec->absent ? (FeAbsence)spec->absent[name->id] : FE_ELSE;
}

const FeType *fe_absent_either(FeInfer *in, const AstExpr *name) {
    return fe_infer_fail(
        in, name->span,
        "give it its value where nothing else decides: before the loop, not in another if",
        "'%s' may be None here, or may have been assigned to: that is not known before it "
        "runs",
        name->name);
}

/* Whether it names a parameter that is None there; -1 where that is not known. */
static int is_absent(const FeSpec *spec, const AstExpr *expr) {
    FeAbsence here = expr->kind == AST_NAME ? fe_absent_here(spec, expr) : FE_ELSE;
    return here == FE_ABSENT ? 1 : here == FE_GIVEN ? 0 : -1;
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

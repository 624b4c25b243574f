/* Parameters that are None and are assigned to.
 *
 *     def mean(x, w=None):
 *         if w is None:
 *             w = np.ones(len(x))       # of the specialisation for None: w is None above, an array below
 *         return (x * w).sum() / w.sum()
 *
 * One walk over the body of such a specialisation finds, for each place that names the parameter, whether it
 * is still None there, or was assigned, on all ways. Where that differs by the way, or by the iteration, it has
 * no one type, and naming it is an error. Of an `if` that is decided so, only the arm that runs is walked.
 *
 * What may have been assigned grows from one iteration to the next, so a loop is walked until it does not;
 * what surely was does not, as in assign.c. */
#include "frontend/infer/infer.h"

enum { MOST = 64 }; /* parameters, in the bits of a Ways */

typedef struct Ways {
    uint64_t may, must; /* by parameter: assigned on some way, on all ways */
    bool lost;          /* control does not get here */
} Ways;

typedef struct Loop {
    struct Loop *outer;
    Ways breaks, again;
} Loop;

typedef struct Flow {
    FeSpec *spec;
    uint64_t asked; /* the parameters that are looked at */
    uint64_t assigned;
    Ways now;
    Loop *loop;
} Flow;

static void meet(Ways *into, Ways other) {
    if (other.lost) return;
    if (into->lost) {
        *into = other;
        return;
    }
    into->may |= other.may;
    into->must &= other.must;
}

static uint64_t bit_of(const Flow *f, const char *name) {
    const Local *local = jr_table_get(&f->spec->func->info->by_name, name);
    return local && local->index < MOST ? f->asked & (uint64_t)1 << local->index : 0;
}

static void set(Flow *f, const char *name) {
    uint64_t bit = bit_of(f, name);
    f->now.may |= bit;
    f->now.must |= bit;
    if (!f->now.lost) f->assigned |= bit;
}

static void note(Flow *f, const AstExpr *name) {
    uint64_t bit = bit_of(f, name->name);
    if (!bit || f->now.lost) return;
    f->spec->absent[name->id] = !(f->now.may & bit) ? FE_ABSENT
                                : f->now.must & bit ? FE_GIVEN
                                                    : FE_EITHER;
}

static void walk_expr(Flow *f, const AstExpr *expr);

/* Operands of and, or: those behind one that is not decided may be left out. */
static void walk_bool(Flow *f, const AstExpr *expr) {
    bool goes_on = expr->op == AST_BOOL_AND, sure = true;
    for (uint32_t i = 0; i < expr->items.len; i++) {
        Ways before = f->now;
        walk_expr(f, expr->items.data[i]);
        if (!sure) meet(&f->now, before);
        int truth = fe_absent_truth(f->spec, expr->items.data[i]);
        if (truth == !goes_on) return;
        sure &= truth == goes_on;
    }
}

static void walk_ternary(Flow *f, const AstExpr *expr) {
    walk_expr(f, expr->cond);
    int truth = fe_absent_truth(f->spec, expr->cond);
    Ways before = f->now;
    if (truth != 0) walk_expr(f, expr->left);
    Ways left = f->now;
    f->now = before;
    if (truth != 1) walk_expr(f, expr->right);
    if (truth == 1)
        f->now = left;
    else if (truth < 0)
        meet(&f->now, left);
}

static void walk_parts(Flow *f, const AstExpr *expr) {
    walk_expr(f, expr->left);
    walk_expr(f, expr->right);
    walk_expr(f, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        walk_expr(f, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        walk_expr(f, expr->keywords.data[i].value);
}

static void walk_expr(Flow *f, const AstExpr *expr) {
    if (!expr) return;
    switch (expr->kind) {
    case AST_NAME: note(f, expr); break;
    case AST_NAMED:
        walk_expr(f, expr->left);
        set(f, expr->name);
        break;
    case AST_BOOL: walk_bool(f, expr); break;
    case AST_TERNARY: walk_ternary(f, expr); break;
    default: walk_parts(f, expr);
    }
}

static void walk_target(Flow *f, const AstExpr *target) {
    if (target->kind == AST_TUPLE || target->kind == AST_LIST)
        for (uint32_t i = 0; i < target->items.len; i++)
            walk_target(f, target->items.data[i]);
    else if (target->kind == AST_NAME)
        set(f, target->name);
    else
        walk_expr(f, target);
}

static void walk_block(Flow *f, const AstBlock *block);

/* if, and its elifs one after the other: a chain of them is not a recursion */
static void walk_if(Flow *f, const AstStmt *stmt) {
    Ways after = {.lost = true};
    for (;;) {
        walk_expr(f, stmt->value);
        int truth = fe_absent_truth(f->spec, stmt->value);
        Ways before = f->now;
        f->now.lost |= truth == 0;
        walk_block(f, &stmt->body);
        meet(&after, f->now);
        f->now = before;
        f->now.lost |= truth == 1;
        if (stmt->orelse.len != 1 || stmt->orelse.data[0]->kind != AST_IF) break;
        stmt = stmt->orelse.data[0];
    }
    walk_block(f, &stmt->orelse);
    meet(&after, f->now);
    f->now = after;
}

static void walk_loop(Flow *f, const AstStmt *stmt) {
    bool counts = stmt->kind == AST_FOR;
    bool forever = !counts && stmt->value->kind == AST_TRUE;
    if (counts) walk_expr(f, stmt->value);
    Ways head = f->now, left;
    Loop loop = {.outer = f->loop};
    for (bool grown = true; grown;) {
        f->now = head;
        loop.breaks = loop.again = (Ways){.lost = true};
        if (!counts) walk_expr(f, stmt->value);
        left = f->now;
        if (counts) walk_target(f, stmt->targets.data[0]);
        f->loop = &loop;
        walk_block(f, &stmt->body);
        f->loop = loop.outer;
        meet(&loop.again, f->now);
        grown = !loop.again.lost && !head.lost && (loop.again.may & ~head.may);
        if (grown) head.may |= loop.again.may;
    }
    f->now = left;
    f->now.lost |= forever;
    walk_block(f, &stmt->orelse);
    meet(&f->now, loop.breaks);
}

static void walk_jump(Flow *f, const AstStmt *stmt) {
    if (stmt->kind == AST_RETURN || stmt->kind == AST_RAISE) walk_expr(f, stmt->value);
    if (f->loop && stmt->kind == AST_BREAK) meet(&f->loop->breaks, f->now);
    if (f->loop && stmt->kind == AST_CONTINUE) meet(&f->loop->again, f->now);
    f->now.lost = true;
}

static void walk_def(Flow *f, const AstStmt *stmt) {
    const FeFunc *inner = fe_inner_find(f->spec->func, stmt);
    for (uint32_t i = 0; inner && i < inner->captures.len; i++)
        note(f, inner->captures.data[i].use);
}

static void walk_stmt(Flow *f, const AstStmt *stmt) {
    switch (stmt->kind) {
    case AST_IF: walk_if(f, stmt); break;
    case AST_WHILE:
    case AST_FOR: walk_loop(f, stmt); break;
    case AST_BREAK:
    case AST_CONTINUE:
    case AST_RETURN:
    case AST_RAISE: walk_jump(f, stmt); break;
    case AST_DEF: walk_def(f, stmt); break;
    default:
        walk_expr(f, stmt->value);
        if (stmt->kind == AST_AUG || stmt->kind == AST_DEL)
            for (uint32_t i = 0; i < stmt->targets.len; i++)
                walk_expr(f, stmt->targets.data[i]);
        if (stmt->kind == AST_ANN && !stmt->value) return;
        for (uint32_t i = 0; i < stmt->targets.len; i++)
            walk_target(f, stmt->targets.data[i]);
    }
}

static void walk_block(Flow *f, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++)
        walk_stmt(f, block->data[i]);
}

void fe_absent_flow(FeInfer *in, FeSpec *spec) {
    Flow f = {.spec = spec};
    const FuncInfo *info = spec->func->info;
    for (uint32_t i = 0; i < spec->nparams && i < MOST; i++)
        if (spec->params[i]->kind == FE_NONE && info->locals.data[i]->writes)
            f.asked |= (uint64_t)1 << i;
    if (!f.asked) return;
    spec->absent = JR_NEW_ARRAY(in->arena, uint8_t, spec->func->ast->expr_count + 1);
    walk_block(&f, &spec->func->ast->body);
    for (uint32_t i = 0; i < spec->nparams && i < MOST; i++)
        if (f.assigned >> i & 1) spec->vars.data[i]->type = in->types->unknown;
}

/* Definite assignment: no variable is read before it is assigned, whatever way control took.
 *
 * One walk over the statements with the set of variables that are surely assigned. Branches
 * meet in the intersection of their sets; a way that does not come back (return, raise, break)
 * counts as having assigned everything. A loop's body may run zero times, except that of
 * `while True`, which is left by break alone. Sets only grow along a way, so the set on entry
 * to a loop is that of all its iterations, and one walk is enough. What a loop's body deletes counts as
 * deleted when the body begins, since the iteration before may have done it. */
#include "frontend/infer/infer.h"

#include <string.h>

typedef struct Set {
    uint64_t *words;
    bool lost; /* control does not get here: everything counts as assigned */
} Set;

typedef struct Loop {
    struct Loop *outer;
    Set breaks;
} Loop;

typedef struct Assign {
    JrSpan *deleted; /* by index: the del that was met last */
    FeInfer *in;
    FeFunc *func;
    uint32_t words;
    Set now;
    Loop *loop;
    bool module;
} Assign;

static Set set_new(Assign *a, const Set *from) {
    Set set = {JR_NEW_ARRAY(a->in->arena, uint64_t, a->words), from ? from->lost : true};
    if (from) memcpy(set.words, from->words, a->words * sizeof *set.words);
    return set;
}

/* a->now becomes what is sure after either way. */
static void set_meet(Assign *a, Set *into, const Set *other) {
    if (other->lost) return;
    if (into->lost)
        memcpy(into->words, other->words, a->words * sizeof *into->words);
    else
        for (uint32_t i = 0; i < a->words; i++)
            into->words[i] &= other->words[i];
    into->lost = false;
}

static void report(Assign *a, const AstExpr *expr, const Local *local) {
    JrDiag *diag = jr_diag_error(a->in->diags, expr->span,
                                 "'%s' may be read here before it is assigned", local->name);
    if (a->deleted[local->index].line) {
        jr_diag_note(a->in->diags, diag, a->deleted[local->index], "it is deleted here");
        return;
    }
    bool later = local->span.line > expr->span.line ||
                 (local->span.line == expr->span.line && local->span.col >= expr->span.col);
    jr_diag_note(a->in->diags, diag, local->span,
                 later ? "it is assigned here, later"
                       : "it is assigned here, which may not run");
    if (!later) jr_diag_help(a->in->diags, diag, "give '%s' a value first", local->name);
}

static void mark(Assign *a, uint32_t index) {
    a->now.words[index / 64] |= (uint64_t)1 << (index % 64);
}

static void read_expr(Assign *a, const AstExpr *expr);

static void read_name(Assign *a, const AstExpr *expr) {
    const Local *local = jr_table_get(&a->func->info->by_name, expr->name);
    if (!local || a->now.lost) return;
    if (a->now.words[local->index / 64] >> (local->index % 64) & 1) return;
    report(a, expr, local);
    mark(a, local->index);
}

static void read_parts(Assign *a, const AstExpr *expr) {
    read_expr(a, expr->left);
    read_expr(a, expr->right);
    read_expr(a, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        read_expr(a, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        read_expr(a, expr->keywords.data[i].value);
}

/* Reads a condition: a->now is then what is sure where it is true, the result where it is false. They
 * differ by what := assigns behind an `and` or an `or`. */
static Set read_cond(Assign *a, const AstExpr *expr) {
    if (expr->kind == AST_UNARY && expr->op == AST_NOT && expr->assigns) {
        Set no = read_cond(a, expr->left), yes = a->now;
        a->now = no;
        return yes;
    }
    if (expr->kind != AST_BOOL || !expr->assigns) {
        read_expr(a, expr);
        return set_new(a, &a->now);
    }
    Set early = set_new(a, NULL); /* where an operand decides before the last */
    bool all = expr->op == AST_BOOL_AND;
    for (uint32_t i = 0; i < expr->items.len; i++) {
        Set no = read_cond(a, expr->items.data[i]), *leaves = all ? &no : &a->now;
        set_meet(a, &early, leaves);
        if (!all) a->now = no;
    }
    Set last = a->now;
    a->now = all ? last : early;
    return all ? early : last;
}

/* a < (b := c) < d: what follows the first pair may not be evaluated. */
static void read_chain(Assign *a, const AstExpr *expr) {
    Set sure = {0};
    for (uint32_t i = 0; i < expr->items.len; i++) {
        if (i == 2) sure = set_new(a, &a->now);
        read_expr(a, expr->items.data[i]);
    }
    if (expr->items.len > 2) set_meet(a, &a->now, &sure);
}

/* An expression that := is in. */
static void read_assigning(Assign *a, const AstExpr *expr) {
    Set other = {0};
    switch (expr->kind) {
    case AST_NAMED: {
        const Local *local = jr_table_get(&a->func->info->by_name, expr->name);
        read_expr(a, expr->left);
        if (local) mark(a, local->index);
        break;
    }
    case AST_BOOL:
        other = read_cond(a, expr);
        set_meet(a, &a->now, &other);
        break;
    case AST_COMPARE: read_chain(a, expr); break;
    case AST_TERNARY: {
        Set no = read_cond(a, expr->cond);
        read_expr(a, expr->left);
        other = a->now;
        a->now = no;
        read_expr(a, expr->right);
        set_meet(a, &a->now, &other);
        break;
    }
    default: read_parts(a, expr);
    }
}

static void read_expr(Assign *a, const AstExpr *expr) {
    if (!expr) return;
    if (expr->kind == AST_NAME)
        read_name(a, expr);
    else if (expr->assigns)
        read_assigning(a, expr);
    else
        read_parts(a, expr);
}

static void write_target(Assign *a, const AstExpr *target) {
    if (target->kind == AST_TUPLE || target->kind == AST_LIST) {
        for (uint32_t i = 0; i < target->items.len; i++)
            write_target(a, target->items.data[i]);
    } else if (target->kind == AST_NAME) {
        const Local *local = jr_table_get(&a->func->info->by_name, target->name);
        if (local) mark(a, local->index);
    } else {
        read_expr(a, target);
    }
}

static void unmark(Assign *a, const AstExpr *name) {
    const Local *local = jr_table_get(&a->func->info->by_name, name->name);
    if (!local) return;
    a->now.words[local->index / 64] &= ~((uint64_t)1 << (local->index % 64));
    a->deleted[local->index] = name->span;
}

static void walk_del(Assign *a, const AstStmt *stmt) {
    for (uint32_t i = 0; i < stmt->targets.len; i++) {
        read_expr(a, stmt->targets.data[i]);
        unmark(a, stmt->targets.data[i]);
    }
}

/* What the iteration before may have deleted. */
static void unmark_deleted(Assign *a, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++) {
        const AstStmt *stmt = block->data[i];
        for (uint32_t k = 0; stmt->kind == AST_DEL && k < stmt->targets.len; k++)
            unmark(a, stmt->targets.data[k]);
        unmark_deleted(a, &stmt->body);
        unmark_deleted(a, &stmt->orelse);
    }
}

static void walk_block(Assign *a, const AstBlock *block);

/* The truth of a condition that is constant by its form, or -1. */
static int known(Assign *a, const AstExpr *cond) {
    const FeType *type;
    if (cond->kind == AST_TRUE || cond->kind == AST_FALSE) return cond->kind == AST_TRUE;
    if (cond->kind == AST_INT) return cond->u.big != 0;
    bool asks_name = a->module && cond->kind == AST_COMPARE && cond->items.len == 2 &&
                     cond->items.data[0]->kind == AST_NAME &&
                     !strcmp(cond->items.data[0]->name, "__name__");
    const FeConst *value = asks_name ? fe_const_eval(a->in, cond, &type) : NULL;
    return value ? fe_const_truth(value) : -1;
}

/* if, and its elifs one after the other: a chain of them is not a recursion */
static void walk_if(Assign *a, const AstStmt *stmt) {
    Set after = set_new(a, NULL);
    for (;;) {
        int truth = known(a, stmt->value);
        Set before = read_cond(a, stmt->value);
        if (truth == 0) a->now.lost = true;
        walk_block(a, &stmt->body);
        set_meet(a, &after, &a->now);
        a->now = before;
        if (truth == 1) a->now.lost = true;
        if (stmt->orelse.len != 1 || stmt->orelse.data[0]->kind != AST_IF) break;
        stmt = stmt->orelse.data[0];
    }
    walk_block(a, &stmt->orelse);
    set_meet(a, &after, &a->now);
    a->now = after;
}

static void walk_loop(Assign *a, const AstStmt *stmt) {
    Loop loop = {a->loop, set_new(a, NULL)};
    if (stmt->kind == AST_FOR) read_expr(a, stmt->value);
    unmark_deleted(a, &stmt->body);
    Set before = stmt->kind == AST_WHILE ? read_cond(a, stmt->value) : set_new(a, &a->now);
    bool forever = stmt->kind == AST_WHILE && known(a, stmt->value) == 1;
    if (stmt->kind == AST_FOR) write_target(a, stmt->targets.data[0]);
    a->loop = &loop;
    walk_block(a, &stmt->body);
    a->loop = loop.outer;
    a->now = before;
    if (forever) a->now.lost = true;
    walk_block(a, &stmt->orelse);
    set_meet(a, &a->now, &loop.breaks);
}

static void walk_assign(Assign *a, const AstStmt *stmt) {
    read_expr(a, stmt->value);
    if (stmt->kind == AST_AUG) read_expr(a, stmt->targets.data[0]);
    if (stmt->kind == AST_ANN && !stmt->value) return;
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        write_target(a, stmt->targets.data[i]);
}

/* In a function: it captures what has to be there, and its name is assigned. */
static void walk_def(Assign *a, const AstStmt *stmt) {
    const FeFunc *inner = fe_inner_find(a->func, stmt);
    const Local *local =
        inner ? jr_table_get(&a->func->info->by_name, inner->ast->name) : NULL;
    for (uint32_t i = 0; inner && i < inner->captures.len; i++)
        read_name(a, inner->captures.data[i].use);
    if (local) mark(a, local->index);
}

static void walk_stmt(Assign *a, const AstStmt *stmt) {
    switch (stmt->kind) {
    case AST_ASSIGN:
    case AST_AUG:
    case AST_ANN: walk_assign(a, stmt); break;
    case AST_IF: walk_if(a, stmt); break;
    case AST_WHILE:
    case AST_FOR: walk_loop(a, stmt); break;
    case AST_BREAK:
        if (a->loop) set_meet(a, &a->loop->breaks, &a->now);
        a->now.lost = true;
        break;
    case AST_CONTINUE: a->now.lost = true; break;
    case AST_DEL: walk_del(a, stmt); break;
    case AST_DEF: walk_def(a, stmt); break;
    case AST_RETURN:
    case AST_RAISE:
        if (stmt->kind == AST_RETURN) read_expr(a, stmt->value);
        a->now.lost = true;
        break;
    case AST_ASSERT: read_cond(a, stmt->value); break;
    default: read_expr(a, stmt->value); break;
    }
}

static void walk_block(Assign *a, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++)
        walk_stmt(a, block->data[i]);
}

void fe_assign_check(FeInfer *in, FeFunc *func) {
    Assign a = {.in = in, .func = func, .module = func->ast == in->module->ast->body};
    a.words = (func->info->locals.len + 63) / 64 + 1;
    a.deleted = JR_NEW_ARRAY(in->arena, JrSpan, func->info->locals.len + 1);
    a.now = (Set){JR_NEW_ARRAY(in->arena, uint64_t, a.words), false};
    for (uint32_t i = 0; i < func->ast->params.len; i++)
        mark(&a, i);
    in->info = func->info;
    walk_block(&a, &func->ast->body);
    in->info = NULL;
    func->info->ends = !a.now.lost;
}

/* Statements, but for functions and imports (parse_def.c). */
#include "frontend/syntax/parse.h"

#include <string.h>

AstStmt *fe_parse_new_stmt(Parser *p, AstBlock *block, AstStmtKind kind, const Token *start) {
    AstStmt *stmt = JR_NEW(p->arena, AstStmt);
    stmt->kind = kind;
    stmt->span = token_span(start);
    JR_PUSH(p->arena, block, stmt);
    return stmt;
}

/* Assignment. */

/* Whether all of it can be assigned to. [a, b] as a target means the same as (a, b). */
static void check_target(Parser *p, AstExpr *target) {
    switch (target->kind) {
    case AST_NAME:
    case AST_ATTR:
    case AST_SUBSCRIPT: return;
    case AST_LIST: target->kind = AST_TUPLE; break;
    case AST_TUPLE: break;
    default: fe_parse_bad_target(p, target, false);
    }
    for (uint32_t i = 0; i < target->items.len; i++)
        check_target(p, target->items.data[i]);
}

static bool is_single_target(const AstExpr *target) {
    return target->kind == AST_NAME || target->kind == AST_ATTR ||
           target->kind == AST_SUBSCRIPT;
}

/* a = b = value */
static void parse_assign(Parser *p, AstStmt *stmt, AstExpr *first) {
    AstExpr *value = first;
    stmt->kind = AST_ASSIGN;
    while (fe_parse_accept(p, TOK_ASSIGN)) {
        check_target(p, value);
        JR_PUSH(p->arena, &stmt->targets, value);
        if (parse_at(p, TOK_YIELD)) fe_parse_refuse_here(p, UNSUPPORTED_YIELD);
        value = fe_parse_expr_list(p);
    }
    stmt->value = value;
}

/* a: int, a: int = value */
static void parse_annotated(Parser *p, AstStmt *stmt, AstExpr *target) {
    if (!is_single_target(target)) {
        if (target->kind == AST_CALL) fe_parse_check_first_word(p);
        if (target->kind == AST_TUPLE)
            fe_parse_fail(p, target->span, "only one name can be annotated at a time",
                          "write an annotated assignment for each");
        fe_parse_bad_target(p, target, false);
    }
    stmt->kind = AST_ANN;
    JR_PUSH(p->arena, &stmt->targets, target);
    fe_parse_advance(p);
    stmt->annotation = fe_parse_expr(p);
    if (fe_parse_accept(p, TOK_ASSIGN)) stmt->value = fe_parse_expr_list(p);
}

static bool augmented_op(TokenKind kind, AstOp *op) {
    static const AstOp ops[TOK_COUNT] = {
        [TOK_POW_ASSIGN] = AST_POW, [TOK_FLOORDIV_ASSIGN] = AST_FLOORDIV,
        [TOK_SHL_ASSIGN] = AST_SHL, [TOK_SHR_ASSIGN] = AST_SHR,
        [TOK_SUB_ASSIGN] = AST_SUB, [TOK_MUL_ASSIGN] = AST_MUL,
        [TOK_DIV_ASSIGN] = AST_DIV, [TOK_MOD_ASSIGN] = AST_MOD,
        [TOK_AND_ASSIGN] = AST_AND, [TOK_OR_ASSIGN] = AST_OR,
        [TOK_XOR_ASSIGN] = AST_XOR, [TOK_MATMUL_ASSIGN] = AST_MATMUL,
    };
    *op = ops[kind];
    return *op || kind == TOK_ADD_ASSIGN; /* AST_ADD is 0 */
}

/* a += value */
static void parse_augmented(Parser *p, AstStmt *stmt, AstExpr *target, AstOp op) {
    if (!is_single_target(target)) fe_parse_bad_target(p, target, true);
    stmt->kind = AST_AUG;
    stmt->op = op;
    JR_PUSH(p->arena, &stmt->targets, target);
    fe_parse_advance(p);
    stmt->value = fe_parse_expr_list(p);
}

static void check_prefix_increment(Parser *p) {
    if ((!parse_at(p, TOK_PLUS) && !parse_at(p, TOK_MINUS)) ||
        fe_parse_ahead(p)->kind != p->tok.kind || p->ahead.pos != p->tok.pos + 1)
        return;
    bool plus = parse_at(p, TOK_PLUS);
    JrSpan span = {p->tok.line, p->tok.col, p->ahead.end_col};
    fe_parse_fail(p, span, plus ? "'++' is not an operator" : "'--' is not an operator",
                  plus ? "write `x += 1`" : "write `x -= 1`");
}

static bool is_numpy(const AstExpr *callee) {
    if (callee->kind == AST_ATTR)
        return callee->left->kind == AST_NAME &&
               (!strcmp(callee->left->name, "np") || !strcmp(callee->left->name, "numpy"));
    return false;
}

/* The statement np.add(a, b, out=c) is c[...] = np.add(a, b). */
static void take_out(Parser *p, AstStmt *stmt, AstExpr *call, const Token *start) {
    if (call->kind != AST_CALL || !is_numpy(call->left)) return;
    uint32_t at = 0, n = call->keywords.len;
    while (at < n && strcmp(call->keywords.data[at].name, "out") != 0)
        at++;
    if (at == n) return;
    AstExpr *target = fe_parse_new(p, AST_SUBSCRIPT, start);
    target->left = call->keywords.data[at].value;
    target->span = target->at = call->keywords.data[at].span;
    AstExpr *all = fe_parse_new(p, AST_ELLIPSIS, start);
    all->span = all->at = target->span;
    JR_PUSH(p->arena, &target->items, all);
    for (; at + 1 < n; at++)
        call->keywords.data[at] = call->keywords.data[at + 1];
    call->keywords.len--;
    stmt->kind = AST_ASSIGN;
    stmt->out = true;
    JR_PUSH(p->arena, &stmt->targets, target);
}

static void parse_expr_stmt(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstOp op;
    check_prefix_increment(p);
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_EXPR, &start);
    p->in_target = true;
    AstExpr *expr = fe_parse_expr_list(p);
    p->in_target = false;
    if (parse_at(p, TOK_ASSIGN)) {
        parse_assign(p, stmt, expr);
    } else if (parse_at(p, TOK_COLON)) {
        parse_annotated(p, stmt, expr);
    } else if (augmented_op(p->tok.kind, &op)) {
        parse_augmented(p, stmt, expr, op);
    } else {
        stmt->value = expr;
        take_out(p, stmt, expr, &start);
        if (expr->kind == AST_STR || expr->kind == AST_ELLIPSIS) stmt->kind = AST_PASS;
    }
    stmt->span = fe_parse_span(p, &start);
}

/* The other simple statements. */

static bool at_statement_end(const Parser *p) {
    return parse_at(p, TOK_NEWLINE) || parse_at(p, TOK_SEMICOLON) || parse_at(p, TOK_EOF);
}

static void parse_jump(Parser *p, AstBlock *block) {
    bool is_break = parse_at(p, TOK_BREAK);
    if (!p->loops)
        fe_parse_error(p, token_span(&p->tok),
                       is_break ? "'break' outside a loop" : "'continue' outside a loop",
                       NULL);
    fe_parse_new_stmt(p, block, is_break ? AST_BREAK : AST_CONTINUE, &p->tok);
    fe_parse_advance(p);
}

static void parse_return(Parser *p, AstBlock *block) {
    Token start = p->tok;
    if (!p->in_def) fe_parse_error(p, token_span(&start), "'return' outside a function", NULL);
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_RETURN, &start);
    fe_parse_advance(p);
    if (!at_statement_end(p)) stmt->value = fe_parse_expr_list(p);
    stmt->span = fe_parse_span(p, &start);
}

static void parse_assert(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_ASSERT, &start);
    fe_parse_advance(p);
    stmt->value = fe_parse_expr(p);
    if (fe_parse_accept(p, TOK_COMMA)) stmt->message = fe_parse_expr(p);
    stmt->span = fe_parse_span(p, &start);
}

static void parse_raise(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_RAISE, &start);
    fe_parse_advance(p);
    if (!at_statement_end(p)) stmt->value = fe_parse_expr(p);
    if (parse_at(p, TOK_FROM)) fe_parse_refuse_here(p, UNSUPPORTED_RAISE_FROM);
    stmt->span = fe_parse_span(p, &start);
}

static void parse_global(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_GLOBAL, &start);
    fe_parse_advance(p);
    do {
        AstImport import = {.span = token_span(&p->tok)};
        import.name = fe_parse_name(p, "a name");
        JR_PUSH(p->arena, &stmt->imports, import);
    } while (fe_parse_accept(p, TOK_COMMA));
    stmt->span = fe_parse_span(p, &start);
}

/* Names, also in brackets: del a, (b, c) */
static void take_deleted(Parser *p, AstStmt *stmt, AstExpr *expr) {
    if (expr->kind == AST_SUBSCRIPT || expr->kind == AST_ATTR) {
        fe_parse_refuse(p, expr->span, UNSUPPORTED_DEL);
        fe_parse_give_up(p);
    }
    if (expr->kind == AST_NAME) JR_PUSH(p->arena, &stmt->targets, expr);
    if (expr->kind == AST_NAME) return;
    if (expr->kind != AST_TUPLE && expr->kind != AST_LIST)
        fe_parse_fail(p, expr->span, "only variables can be deleted", NULL);
    for (uint32_t i = 0; i < expr->items.len; i++)
        take_deleted(p, stmt, expr->items.data[i]);
}

static void parse_del(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_DEL, &start);
    fe_parse_advance(p);
    take_deleted(p, stmt, fe_parse_expr_list(p));
    stmt->span = fe_parse_span(p, &start);
}

static _Noreturn void refuse_compound(Parser *p) {
    const char *message =
        jr_arena_printf(p->arena, "'%s' cannot follow another statement on a line",
                        fe_token_kind_text(p->tok.kind));
    fe_parse_fail_here(p, message, "begin a new line");
}

static void parse_simple(Parser *p, AstBlock *block) {
    switch (p->tok.kind) {
    case TOK_PASS:
        fe_parse_new_stmt(p, block, AST_PASS, &p->tok);
        fe_parse_advance(p);
        break;
    case TOK_BREAK:
    case TOK_CONTINUE: parse_jump(p, block); break;
    case TOK_RETURN: parse_return(p, block); break;
    case TOK_ASSERT: parse_assert(p, block); break;
    case TOK_RAISE: parse_raise(p, block); break;
    case TOK_GLOBAL: parse_global(p, block); break;
    case TOK_IMPORT: fe_parse_import(p, block); break;
    case TOK_FROM: fe_parse_from(p, block); break;
    case TOK_NONLOCAL: fe_parse_refuse_here(p, UNSUPPORTED_NONLOCAL);
    case TOK_DEL: parse_del(p, block); break;
    case TOK_IF:
    case TOK_WHILE:
    case TOK_FOR:
    case TOK_DEF:
    case TOK_CLASS:
    case TOK_TRY:
    case TOK_WITH: refuse_compound(p);
    default: parse_expr_stmt(p, block);
    }
}

/* Statements up to the end of the line, separated by semicolons. */
void fe_parse_simple_line(Parser *p, AstBlock *block) {
    do {
        parse_simple(p, block);
    } while (fe_parse_accept(p, TOK_SEMICOLON) && !parse_at(p, TOK_NEWLINE));
    if (!fe_parse_accept(p, TOK_NEWLINE) && !parse_at(p, TOK_EOF)) fe_parse_end_unexpected(p);
}

/* Compound statements. */

/* The word, for errors after it, and what it starts. */
static Token begin_clause(Parser *p) {
    p->first = p->tok;
    fe_parse_advance(p);
    return p->first;
}

static void parse_else(Parser *p, AstBlock *block) {
    if (!parse_at(p, TOK_ELSE)) return;
    Token header = begin_clause(p);
    fe_parse_suite(p, "else", &header, block);
}

/* `if` or `elif`, without what comes after its block */
static AstStmt *parse_branch(Parser *p, AstBlock *block, const char *after) {
    Token header = begin_clause(p);
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_IF, &header);
    stmt->value = fe_parse_named(p);
    stmt->span = fe_parse_span(p, &header);
    fe_parse_suite(p, after, &header, &stmt->body);
    return stmt;
}

static void parse_if(Parser *p, AstBlock *block) {
    AstStmt *last = parse_branch(p, block, "the if condition");
    for (uint32_t count = 0; parse_at(p, TOK_ELIF); count++) {
        if (count >= AST_MAX_HEIGHT)
            fe_parse_fail_here(p, "this if has too many branches",
                               "look the answer up in an array");
        last = parse_branch(p, &last->orelse, "the elif condition");
    }
    parse_else(p, &last->orelse);
}

static void parse_while(Parser *p, AstBlock *block) {
    Token header = begin_clause(p);
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_WHILE, &header);
    stmt->value = fe_parse_named(p);
    stmt->span = fe_parse_span(p, &header);
    p->loops++;
    fe_parse_suite(p, "the while condition", &header, &stmt->body);
    p->loops--;
    parse_else(p, &stmt->orelse);
}

static void parse_for(Parser *p, AstBlock *block) {
    Token header = begin_clause(p);
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_FOR, &header);
    p->in_for = true;
    AstExpr *target = fe_parse_target_list(p);
    if (!parse_at(p, TOK_IN)) fe_parse_unexpected(p, "'in' after the loop variable");
    p->in_for = false;
    check_target(p, target);
    JR_PUSH(p->arena, &stmt->targets, target);
    fe_parse_advance(p);
    stmt->value = fe_parse_expr_list(p);
    stmt->span = fe_parse_span(p, &header);
    p->loops++;
    fe_parse_suite(p, "the for header", &header, &stmt->body);
    p->loops--;
    parse_else(p, &stmt->orelse);
}

static void parse_unexpected_indent(Parser *p, AstBlock *block) {
    JrSpan span = token_span(&p->tok);
    fe_parse_error(p, (JrSpan){span.line, 1, span.col > 1 ? span.col : 2},
                   "unexpected indentation", "only the block after a ':' is indented");
    if (p->blocks >= AST_MAX_DEPTH) {
        p->skip_block = true;
        fe_parse_give_up(p);
    }
    fe_parse_indented(p, block);
}

/* else, elif, except, finally where no statement has one */
static _Noreturn void parse_orphan(Parser *p) {
    if (p->orphans) fe_parse_give_up(p);
    if (parse_at(p, TOK_EXCEPT) || parse_at(p, TOK_FINALLY))
        fe_parse_refuse_here(p, UNSUPPORTED_TRY);
    bool is_else = parse_at(p, TOK_ELSE);
    fe_parse_fail_here(p,
                       is_else ? "'else' without an if, for or while" : "'elif' without an if",
                       "align it with the statement it belongs to");
}

static _Noreturn void refuse_async(Parser *p) {
    fe_parse_refuse(p, token_span(&p->tok), UNSUPPORTED_ASYNC);
    begin_clause(p);
    p->first = p->tok;
    fe_parse_give_up(p);
}

void fe_parse_dispatch(Parser *p, AstBlock *block) {
    switch (p->tok.kind) {
    case TOK_ELSE:
    case TOK_ELIF:
    case TOK_EXCEPT:
    case TOK_FINALLY: parse_orphan(p);
    default: p->orphans = p->in_for = p->in_target = p->in_options = false;
    }
    switch (p->tok.kind) {
    case TOK_INDENT: parse_unexpected_indent(p, block); break;
    case TOK_IF: parse_if(p, block); break;
    case TOK_WHILE: parse_while(p, block); break;
    case TOK_FOR: parse_for(p, block); break;
    case TOK_AT:
    case TOK_DEF: fe_parse_def(p, block); break;
    case TOK_CLASS: p->skip_block = true; fe_parse_refuse_here(p, UNSUPPORTED_CLASS);
    case TOK_TRY: fe_parse_refuse_here(p, UNSUPPORTED_TRY);
    case TOK_WITH: fe_parse_refuse_here(p, UNSUPPORTED_WITH);
    case TOK_ASYNC: refuse_async(p);
    default: fe_parse_simple_line(p, block);
    }
}

/* Expressions, from the loosest binding to the tightest:
 *
 *     a if c else b      or      and      not      < == in is ...      |      ^      &
 *     << >>      + -      * / // % @      - + ~ (prefix)      **      call, index, attribute
 *
 * The binary operators between comparison and prefix share one loop with a table of
 * precedences; what is not a plain binary operator has a function of its own. Depth of
 * recursion is counted in fe_parse_enter, the height of the tree in fe_parse_done, because a long
 * sum makes a high tree without any recursion here. */
#include "frontend/syntax/parse.h"

#include <string.h>

typedef struct Binary {
    AstOp op;
    uint8_t level; /* 0: not a binary operator */
} Binary;

static const Binary binaries[TOK_COUNT] = {
    [TOK_PIPE] = {AST_OR, 1},           [TOK_CARET] = {AST_XOR, 2},
    [TOK_AMP] = {AST_AND, 3},           [TOK_SHL] = {AST_SHL, 4},
    [TOK_SHR] = {AST_SHR, 4},           [TOK_PLUS] = {AST_ADD, 5},
    [TOK_MINUS] = {AST_SUB, 5},         [TOK_STAR] = {AST_MUL, 6},
    [TOK_SLASH] = {AST_DIV, 6},         [TOK_PERCENT] = {AST_MOD, 6},
    [TOK_FLOORDIV] = {AST_FLOORDIV, 6}, [TOK_AT] = {AST_MATMUL, 6},
};

static AstExpr *parse_unary(Parser *p);

/* Nodes. */

AstExpr *fe_parse_new(Parser *p, AstExprKind kind, const Token *start) {
    AstExpr *expr = JR_NEW(p->arena, AstExpr);
    expr->kind = kind;
    expr->id = p->func->expr_count++;
    expr->span = expr->at = token_span(start);
    return expr;
}

static void raise_height(AstExpr *expr, const AstExpr *child) {
    expr->assigns |= child && child->assigns;
    expr->acts |= child && child->acts;
    if (child && child->height >= expr->height) expr->height = child->height + 1;
}

AstExpr *fe_parse_done(Parser *p, AstExpr *expr, const Token *start) {
    expr->span = fe_parse_span(p, start);
    raise_height(expr, expr->left);
    raise_height(expr, expr->right);
    raise_height(expr, expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        raise_height(expr, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        raise_height(expr, expr->keywords.data[i].value);
    if (expr->height > AST_MAX_HEIGHT)
        fe_parse_fail(p, expr->at, "this expression is too long",
                      "split it: give parts of it a name, or use a loop");
    return expr;
}

void fe_parse_enter(Parser *p) {
    if (p->depth >= AST_MAX_DEPTH)
        fe_parse_fail_here(p, "this expression is nested too deeply",
                           "split it: give parts of it a name");
    p->depth++;
}

static AstExpr *leaf(Parser *p, AstExprKind kind) {
    AstExpr *expr = fe_parse_new(p, kind, &p->tok);
    fe_parse_advance(p);
    return expr;
}

/* Atoms. */

static AstExpr *parse_identifier(Parser *p) {
    const char *name = fe_parse_token_text(p, &p->tok);
    AstExpr *expr = leaf(p, AST_NAME);
    expr->name = name;
    return expr;
}

/* One element of a display, a call or an index, in brackets. */
static AstExpr *parse_element(Parser *p, Unsupported comprehension) {
    if (parse_at(p, TOK_STAR)) fe_parse_refuse_here(p, UNSUPPORTED_STAR_EXPR);
    AstExpr *expr = fe_parse_named(p);
    if (parse_at(p, TOK_FOR) || parse_at(p, TOK_ASYNC)) fe_parse_refuse_here(p, comprehension);
    return expr;
}

/* The rest of the elements, up to the closing bracket and with it. */
static void parse_elements(Parser *p, AstExpr *expr, TokenKind close,
                           Unsupported comprehension) {
    while (!parse_at(p, close)) {
        JR_PUSH(p->arena, &expr->items, parse_element(p, comprehension));
        if (!fe_parse_accept(p, TOK_COMMA)) break;
    }
}

static void close_bracket(Parser *p, const Token *open, const Token *outer, TokenKind close) {
    if (!parse_at(p, close)) fe_parse_bad_close(p, open, close);
    p->open = outer;
    fe_parse_advance(p);
}

/* Consumes the bracket that opens; returns the one around it. */
static const Token *open_bracket(Parser *p, Token *open) {
    const Token *outer = p->open;
    *open = p->tok;
    p->open = open;
    fe_parse_advance(p);
    return outer;
}

/* (a), (a, b), () */
static AstExpr *parse_parentheses(Parser *p) {
    Token open;
    const Token *outer = open_bracket(p, &open);
    if (parse_at(p, TOK_YIELD)) fe_parse_refuse_here(p, UNSUPPORTED_YIELD);
    AstExpr *only = NULL;
    if (!parse_at(p, TOK_RPAREN)) {
        only = parse_element(p, UNSUPPORTED_GENERATOR);
        if (!parse_at(p, TOK_COMMA)) {
            close_bracket(p, &open, outer, TOK_RPAREN);
            only->span = fe_parse_span(p, &open);
            return only;
        }
        fe_parse_advance(p);
    }
    AstExpr *tuple = fe_parse_new(p, AST_TUPLE, &open);
    if (only) JR_PUSH(p->arena, &tuple->items, only);
    parse_elements(p, tuple, TOK_RPAREN, UNSUPPORTED_GENERATOR);
    close_bracket(p, &open, outer, TOK_RPAREN);
    return fe_parse_done(p, tuple, &open);
}

/* [a, b] */
static AstExpr *parse_list(Parser *p) {
    Token open;
    const Token *outer = open_bracket(p, &open);
    AstExpr *list = fe_parse_new(p, AST_LIST, &open);
    parse_elements(p, list, TOK_RBRACKET, UNSUPPORTED_LIST_COMP);
    close_bracket(p, &open, outer, TOK_RBRACKET);
    return fe_parse_done(p, list, &open);
}

/* {a, b}, {a: b}: refused, by what it is. */
static _Noreturn void refuse_braces(Parser *p) {
    Token open;
    open_bracket(p, &open);
    JrSpan span = token_span(&open);
    Unsupported what = UNSUPPORTED_DICT;
    if (!parse_at(p, TOK_RBRACE) && !parse_at(p, TOK_POW)) {
        if (parse_at(p, TOK_NEWLINE)) fe_parse_unexpected(p, "an expression");
        fe_parse_expr(p);
        bool dict = fe_parse_accept(p, TOK_COLON);
        if (dict) fe_parse_expr(p);
        bool comprehension = parse_at(p, TOK_FOR) || parse_at(p, TOK_ASYNC);
        what = comprehension ? (dict ? UNSUPPORTED_DICT_COMP : UNSUPPORTED_SET_COMP)
                             : (dict ? UNSUPPORTED_DICT : UNSUPPORTED_SET);
    }
    fe_parse_refuse(p, span, what);
    fe_parse_give_up(p);
}

/* {"x": int64}, an option that is accepted and means nothing: None stands for it. */
static AstExpr *skip_dict(Parser *p) {
    Token open;
    const Token *outer = open_bracket(p, &open);
    AstExpr *none = fe_parse_new(p, AST_NONE, &open);
    while (!parse_at(p, TOK_RBRACE)) {
        fe_parse_expr(p);
        if (!fe_parse_accept(p, TOK_COLON)) fe_parse_unexpected(p, "a ':'");
        fe_parse_expr(p);
        if (!fe_parse_accept(p, TOK_COMMA)) break;
    }
    close_bracket(p, &open, outer, TOK_RBRACE);
    return fe_parse_done(p, none, &open);
}

static AstExpr *parse_atom(Parser *p) {
    switch (p->tok.kind) {
    case TOK_NAME: return parse_identifier(p);
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_IMAG: return fe_parse_number(p);
    case TOK_STRING: return fe_parse_strings(p);
    case TOK_TRUE: return leaf(p, AST_TRUE);
    case TOK_FALSE: return leaf(p, AST_FALSE);
    case TOK_NONE: return leaf(p, AST_NONE);
    case TOK_DOTS: return leaf(p, AST_ELLIPSIS);
    case TOK_LPAREN: return parse_parentheses(p);
    case TOK_LBRACKET: return parse_list(p);
    case TOK_LBRACE:
        if (p->in_options) return skip_dict(p);
        refuse_braces(p);
    case TOK_LAMBDA: fe_parse_refuse_here(p, UNSUPPORTED_LAMBDA);
    case TOK_YIELD: fe_parse_refuse_here(p, UNSUPPORTED_YIELD);
    case TOK_AWAIT: fe_parse_refuse_here(p, UNSUPPORTED_AWAIT);
    case TOK_STAR:
        fe_parse_refuse_here(p, p->in_target && !p->open ? UNSUPPORTED_STAR_TARGET
                                                         : UNSUPPORTED_STAR_EXPR);
    default: fe_parse_unexpected(p, "an expression");
    }
}

/* Calls, indices, attributes. */

static bool has_keyword(const AstExpr *call, const char *name) {
    for (uint32_t i = 0; i < call->keywords.len; i++)
        if (!strcmp(call->keywords.data[i].name, name)) return true;
    return false;
}

/* name=value */
static void parse_keyword(Parser *p, AstExpr *call) {
    AstKeyword keyword = {.span = token_span(&p->tok)};
    keyword.name = fe_parse_token_text(p, &p->tok);
    if (has_keyword(call, keyword.name))
        fe_parse_fail(p, keyword.span, "this keyword argument appears twice", NULL);
    fe_parse_advance(p);
    fe_parse_advance(p);
    keyword.value = fe_parse_expr(p);
    JR_PUSH(p->arena, &call->keywords, keyword);
}

static void parse_argument(Parser *p, AstExpr *call) {
    if (parse_at(p, TOK_STAR) || parse_at(p, TOK_POW))
        fe_parse_refuse_here(p, UNSUPPORTED_STAR_CALL);
    if (parse_at(p, TOK_NAME) && fe_parse_ahead(p)->kind == TOK_ASSIGN) {
        parse_keyword(p, call);
        return;
    }
    AstExpr *value = parse_element(p, UNSUPPORTED_GENERATOR);
    if (parse_at(p, TOK_ASSIGN))
        fe_parse_fail(p, value->span, "only a name can stand before '=' in a call",
                      "to compare, write ==");
    if (call->keywords.len)
        fe_parse_fail(p, value->span, "a positional argument after a keyword argument",
                      "put the positional arguments first");
    JR_PUSH(p->arena, &call->items, value);
}

static AstExpr *parse_call(Parser *p, AstExpr *callee, const Token *start) {
    Token open;
    const Token *outer = open_bracket(p, &open);
    AstExpr *call = fe_parse_new(p, AST_CALL, &open);
    call->acts = true;
    call->left = callee;
    while (!parse_at(p, TOK_RPAREN)) {
        parse_argument(p, call);
        if (!fe_parse_accept(p, TOK_COMMA)) break;
    }
    close_bracket(p, &open, outer, TOK_RPAREN);
    return fe_parse_done(p, call, start);
}

static bool at_index_end(const Parser *p) {
    return parse_at(p, TOK_COLON) || parse_at(p, TOK_COMMA) || parse_at(p, TOK_RBRACKET);
}

/* a, a:b, a:b:c, each part optional in a slice */
static AstExpr *parse_index(Parser *p) {
    Token start = p->tok;
    AstExpr *first = NULL;
    if (!parse_at(p, TOK_COLON)) first = parse_element(p, UNSUPPORTED_GENERATOR);
    if (!parse_at(p, TOK_COLON)) return first;
    AstExpr *slice = fe_parse_new(p, AST_SLICE, &p->tok);
    slice->left = first;
    fe_parse_advance(p);
    if (!at_index_end(p)) slice->right = fe_parse_expr(p);
    if (fe_parse_accept(p, TOK_COLON) && !at_index_end(p)) slice->cond = fe_parse_expr(p);
    return fe_parse_done(p, slice, &start);
}

static AstExpr *parse_subscript(Parser *p, AstExpr *base, const Token *start) {
    Token open;
    const Token *outer = open_bracket(p, &open);
    AstExpr *expr = fe_parse_new(p, AST_SUBSCRIPT, &open);
    expr->left = base;
    bool comma = false;
    while (!parse_at(p, TOK_RBRACKET) || !expr->items.len) {
        JR_PUSH(p->arena, &expr->items, parse_index(p));
        if (!fe_parse_accept(p, TOK_COMMA)) break;
        comma = true;
    }
    close_bracket(p, &open, outer, TOK_RBRACKET);
    AstExpr *only = expr->items.data[0];
    if (!comma && only->kind == AST_TUPLE && only->items.len) /* a[(i, j)] is a[i, j] */
        expr->items = only->items;
    return fe_parse_done(p, expr, start);
}

static AstExpr *parse_attribute(Parser *p, AstExpr *base, const Token *start) {
    fe_parse_advance(p);
    AstExpr *expr = fe_parse_new(p, AST_ATTR, &p->tok);
    expr->left = base;
    expr->name = fe_parse_name(p, "an attribute's name");
    return fe_parse_done(p, expr, start);
}

static AstExpr *parse_postfix(Parser *p) {
    Token start = p->tok;
    AstExpr *expr = parse_atom(p);
    for (;;) {
        if (parse_at(p, TOK_LPAREN))
            expr = parse_call(p, expr, &start);
        else if (parse_at(p, TOK_LBRACKET))
            expr = parse_subscript(p, expr, &start);
        else if (parse_at(p, TOK_DOT))
            expr = parse_attribute(p, expr, &start);
        else
            return expr;
    }
}

/* Operators. */

static AstExpr *new_binary(Parser *p, AstOp op, AstExpr *left) {
    AstExpr *expr = fe_parse_new(p, AST_BINARY, &p->tok);
    expr->op = op;
    expr->left = left;
    return expr;
}

/* a ** b: to the right, and tighter than a prefix on its left, looser than one on its right.
 */
static AstExpr *parse_power(Parser *p) {
    Token start = p->tok;
    AstExpr *base = parse_postfix(p);
    if (!parse_at(p, TOK_POW)) return base;
    AstExpr *expr = new_binary(p, AST_POW, base);
    fe_parse_enter(p);
    fe_parse_advance(p);
    expr->right = parse_unary(p);
    parse_leave(p);
    return fe_parse_done(p, expr, &start);
}

/* x++ and x--: two operators, the second without an operand. */
static void check_increment(Parser *p) {
    if (p->prev.kind != p->tok.kind || p->prev.pos + 1 != p->tok.pos) return;
    TokenKind after = fe_parse_ahead(p)->kind;
    if (after != TOK_NEWLINE && after != TOK_SEMICOLON && after != TOK_RPAREN) return;
    bool plus = parse_at(p, TOK_PLUS);
    JrSpan span = {p->prev.line, p->prev.col, p->tok.end_col};
    fe_parse_fail(p, span, plus ? "'++' is not an operator" : "'--' is not an operator",
                  plus ? "write `x += 1`" : "write `x -= 1`");
}

static AstExpr *parse_prefix(Parser *p, AstOp op) {
    Token start = p->tok;
    if (op != AST_NOT) check_increment(p);
    AstExpr *expr = fe_parse_new(p, AST_UNARY, &start);
    expr->op = op;
    fe_parse_enter(p);
    fe_parse_advance(p);
    return expr;
}

/* -a, +a, ~a */
static AstExpr *parse_unary(Parser *p) {
    Token start = p->tok;
    AstExpr *expr;
    switch (start.kind) {
    case TOK_MINUS: expr = parse_prefix(p, AST_NEG); break;
    case TOK_PLUS: expr = parse_prefix(p, AST_POS); break;
    case TOK_TILDE: expr = parse_prefix(p, AST_INVERT); break;
    default: return parse_power(p);
    }
    expr->left = parse_unary(p);
    parse_leave(p);
    return fe_parse_done(p, expr, &start);
}

/* && and ||, which C programmers write */
static void check_doubled(Parser *p) {
    if (p->prev.kind != p->tok.kind || p->prev.pos + 1 != p->tok.pos) return;
    JrSpan span = {p->prev.line, p->prev.col, p->tok.end_col};
    if (parse_at(p, TOK_AMP)) fe_parse_fail(p, span, "'&&' is not an operator", "write `and`");
    if (parse_at(p, TOK_PIPE)) fe_parse_fail(p, span, "'||' is not an operator", "write `or`");
}

static AstExpr *parse_binary(Parser *p, uint8_t level) {
    Token start = p->tok;
    AstExpr *left = parse_unary(p);
    for (;;) {
        Binary binary = binaries[p->tok.kind];
        if (!binary.level || binary.level < level) return left;
        AstExpr *expr = new_binary(p, binary.op, left);
        fe_parse_advance(p);
        check_doubled(p);
        expr->right = parse_binary(p, binary.level + 1);
        left = fe_parse_done(p, expr, &start);
    }
}

/* Comparisons. */

/* Consumes `<`, `is not`, ...; false if there is none. */
static bool accept_comparison(Parser *p, AstOp *op) {
    switch (p->tok.kind) {
    case TOK_EQ: *op = AST_EQ; break;
    case TOK_NE: *op = AST_NE; break;
    case TOK_LESS: *op = AST_LT; break;
    case TOK_LE: *op = AST_LE; break;
    case TOK_GREATER: *op = AST_GT; break;
    case TOK_GE: *op = AST_GE; break;
    case TOK_IN: *op = AST_IN; break;
    case TOK_IS:
        fe_parse_advance(p);
        *op = fe_parse_accept(p, TOK_NOT) ? AST_IS_NOT : AST_IS;
        return true;
    case TOK_NOT:
        if (fe_parse_ahead(p)->kind != TOK_IN) return false;
        fe_parse_advance(p);
        *op = AST_NOT_IN;
        break;
    default: return false;
    }
    fe_parse_advance(p);
    return true;
}

static void check_triple_equal(Parser *p, AstOp op) {
    if ((op == AST_EQ || op == AST_NE) && parse_at(p, TOK_ASSIGN) &&
        p->tok.pos == p->prev.pos + 2) {
        JrSpan span = {p->prev.line, p->prev.col, p->tok.end_col};
        fe_parse_fail(p, span,
                      op == AST_EQ ? "'===' is not an operator" : "'!==' is not an operator",
                      op == AST_EQ ? "write `==`" : "write `!=`");
    }
}

static AstExpr *parse_comparison(Parser *p) {
    Token start = p->tok, at;
    AstOp op;
    AstExpr *first = parse_binary(p, 1), *expr = NULL;
    for (;;) {
        at = p->tok;
        if (!accept_comparison(p, &op)) break;
        check_triple_equal(p, op);
        if (!expr) {
            expr = fe_parse_new(p, AST_COMPARE, &at);
            JR_PUSH(p->arena, &expr->items, first);
        }
        JR_PUSH(p->arena, &expr->ops, op);
        AstExpr *operand = parse_binary(p, 1);
        JR_PUSH(p->arena, &expr->items, operand);
    }
    return expr ? fe_parse_done(p, expr, &start) : first;
}

static AstExpr *parse_not(Parser *p) {
    Token start = p->tok;
    if (!parse_at(p, TOK_NOT)) return parse_comparison(p);
    AstExpr *expr = parse_prefix(p, AST_NOT);
    expr->left = parse_not(p);
    parse_leave(p);
    return fe_parse_done(p, expr, &start);
}

/* a and b and c, or the same with `or`: one node */
static AstExpr *parse_bool(Parser *p, AstOp op) {
    TokenKind word = op == AST_BOOL_OR ? TOK_OR : TOK_AND;
    Token start = p->tok;
    AstExpr *first = op == AST_BOOL_OR ? parse_bool(p, AST_BOOL_AND) : parse_not(p);
    if (!parse_at(p, word)) return first;
    AstExpr *expr = fe_parse_new(p, AST_BOOL, &p->tok);
    expr->op = op;
    JR_PUSH(p->arena, &expr->items, first);
    while (fe_parse_accept(p, word)) {
        AstExpr *operand = op == AST_BOOL_OR ? parse_bool(p, AST_BOOL_AND) : parse_not(p);
        JR_PUSH(p->arena, &expr->items, operand);
    }
    return fe_parse_done(p, expr, &start);
}

/* a if c else b */
static AstExpr *parse_ternary(Parser *p) {
    Token start = p->tok;
    AstExpr *value = parse_bool(p, AST_BOOL_OR);
    if (!parse_at(p, TOK_IF)) return value;
    AstExpr *expr = fe_parse_new(p, AST_TERNARY, &p->tok);
    fe_parse_advance(p);
    expr->left = value;
    expr->cond = parse_bool(p, AST_BOOL_OR);
    if (!parse_at(p, TOK_ELSE)) fe_parse_unexpected(p, "'else' and another value");
    fe_parse_advance(p);
    expr->right = fe_parse_expr(p);
    return fe_parse_done(p, expr, &start);
}

AstExpr *fe_parse_expr(Parser *p) {
    fe_parse_enter(p);
    AstExpr *expr = parse_ternary(p);
    parse_leave(p);
    if (parse_at(p, TOK_WALRUS)) fe_parse_bad_walrus(p, expr);
    return expr;
}

/* name := value, where it needs no brackets of its own */
AstExpr *fe_parse_named(Parser *p) {
    if (!parse_at(p, TOK_NAME) || fe_parse_ahead(p)->kind != TOK_WALRUS)
        return fe_parse_expr(p);
    Token start = p->tok;
    AstExpr *expr = fe_parse_new(p, AST_NAMED, &start);
    expr->name = fe_parse_token_text(p, &start);
    expr->assigns = expr->acts = true;
    fe_parse_advance(p);
    fe_parse_advance(p);
    expr->left = fe_parse_expr(p);
    return fe_parse_done(p, expr, &start);
}

/* Tuples without brackets. */

static bool ends_list(TokenKind kind) {
    return kind == TOK_NEWLINE || kind == TOK_SEMICOLON || kind == TOK_ASSIGN ||
           kind == TOK_COLON || kind == TOK_IN || kind == TOK_EOF;
}

static AstExpr *parse_list_of(Parser *p, AstExpr *(*element)(Parser *)) {
    Token start = p->tok;
    AstExpr *first = element(p);
    if (!parse_at(p, TOK_COMMA)) return first;
    AstExpr *tuple = fe_parse_new(p, AST_TUPLE, &start);
    JR_PUSH(p->arena, &tuple->items, first);
    while (fe_parse_accept(p, TOK_COMMA) && !ends_list(p->tok.kind)) {
        AstExpr *item = element(p);
        JR_PUSH(p->arena, &tuple->items, item);
    }
    return fe_parse_done(p, tuple, &start);
}

AstExpr *fe_parse_expr_list(Parser *p) {
    return parse_list_of(p, fe_parse_expr);
}

/* A target binds tighter than `in`, which follows it. */
static AstExpr *parse_target(Parser *p) {
    if (parse_at(p, TOK_STAR)) fe_parse_refuse_here(p, UNSUPPORTED_STAR_TARGET);
    return parse_binary(p, 1);
}

AstExpr *fe_parse_target_list(Parser *p) {
    return parse_list_of(p, parse_target);
}

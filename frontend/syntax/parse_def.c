/* Functions and imports. */
#include "frontend/syntax/parse.h"

#include "ir/base/table.h"

#include <string.h>

/* Parameters. */

static void check_duplicate(Parser *p, JrTable *names, const AstParam *param) {
    if (jr_table_put(names, param->name, names))
        fe_parse_fail(p, param->span,
                      jr_arena_printf(p->arena, "parameter '%s' appears twice", param->name),
                      NULL);
}

static void check_default(Parser *p, const AstFunc *func, const AstParam *param) {
    if (param->fallback || param->keyword_only || !func->params.len) return;
    if (!func->params.data[func->params.len - 1].fallback) return;
    fe_parse_fail(p, param->span,
                  jr_arena_printf(p->arena,
                                  "parameter '%s' needs a default, like the one before it",
                                  param->name),
                  "put parameters with a default last");
}

/* name: annotation = default */
static void parse_param(Parser *p, AstFunc *func, JrTable *names, bool keyword_only) {
    AstParam param = {.span = token_span(&p->tok), .keyword_only = keyword_only};
    if (parse_at(p, TOK_LPAREN))
        fe_parse_fail_here(p, "a parameter is a name, not a tuple", "unpack it in the body");
    param.name = fe_parse_name(p, "a parameter's name");
    check_duplicate(p, names, &param);
    if (fe_parse_accept(p, TOK_COLON)) param.annotation = fe_parse_expr(p);
    if (fe_parse_accept(p, TOK_ASSIGN)) param.fallback = fe_parse_expr(p);
    check_default(p, func, &param);
    JR_PUSH(p->arena, &func->params, param);
}

/* A bare `*`: what follows is passed by keyword. */
static void parse_star(Parser *p, bool *keyword_only) {
    Token star = p->tok;
    fe_parse_advance(p);
    if (parse_at(p, TOK_NAME)) {
        fe_parse_refuse(p, fe_parse_span(p, &star), UNSUPPORTED_STAR_ARGS);
        fe_parse_give_up(p);
    }
    if (*keyword_only) fe_parse_fail(p, token_span(&star), "'*' may appear only once", NULL);
    if (!parse_at(p, TOK_COMMA) || fe_parse_ahead(p)->kind == TOK_RPAREN ||
        fe_parse_ahead(p)->kind == TOK_POW)
        fe_parse_fail(p, token_span(&star), "parameters must follow '*'",
                      "a bare '*' makes those after it keyword-only");
    *keyword_only = true;
}

/* A `/`: what stands before it is passed by position. */
static void parse_slash(Parser *p, AstFunc *func, bool keyword_only) {
    AstParam *params = func->params.data;
    if (!func->params.len) fe_parse_fail_here(p, "parameters must stand before '/'", NULL);
    if (keyword_only) fe_parse_fail_here(p, "'/' must stand before '*'", NULL);
    if (params[0].positional_only) fe_parse_fail_here(p, "'/' may appear only once", NULL);
    for (uint32_t i = 0; i < func->params.len; i++)
        params[i].positional_only = true;
    fe_parse_advance(p);
}

static void parse_params(Parser *p, AstFunc *func) {
    Token open = p->tok;
    bool keyword_only = false;
    JrTable names;
    jr_table_init(&names, p->arena);
    fe_parse_expect(p, TOK_LPAREN, "'(' and the parameters");
    p->open = &open;
    while (!parse_at(p, TOK_RPAREN)) {
        if (parse_at(p, TOK_POW)) fe_parse_refuse_here(p, UNSUPPORTED_STAR_KWARGS);
        if (parse_at(p, TOK_STAR))
            parse_star(p, &keyword_only);
        else if (parse_at(p, TOK_SLASH))
            parse_slash(p, func, keyword_only);
        else
            parse_param(p, func, &names, keyword_only);
        if (!fe_parse_accept(p, TOK_COMMA)) break;
    }
    if (!parse_at(p, TOK_RPAREN)) fe_parse_bad_close(p, &open, TOK_RPAREN);
    p->open = NULL;
    fe_parse_advance(p);
}

/* Functions. */

static void parse_decorators(Parser *p, AstFunc *func) {
    while (fe_parse_accept(p, TOK_AT)) {
        p->in_options = true;
        JR_PUSH(p->arena, &func->decorators, fe_parse_expr(p));
        p->in_options = false;
        if (!fe_parse_accept(p, TOK_NEWLINE)) fe_parse_unexpected(p, "the end of the line");
        p->first = p->tok;
    }
    p->skip_block = parse_at(p, TOK_CLASS);
    if (parse_at(p, TOK_CLASS)) fe_parse_refuse_here(p, UNSUPPORTED_CLASS);
    if (parse_at(p, TOK_ASYNC)) fe_parse_refuse_here(p, UNSUPPORTED_ASYNC);
    if (!parse_at(p, TOK_DEF)) fe_parse_unexpected(p, "def after a decorator");
}

static void take_docstring(AstFunc *func) {
    AstBlock *body = &func->body;
    if (!body->len) return;
    const AstStmt *first = body->data[0];
    if (first->kind != AST_PASS || !first->value || first->value->kind != AST_STR) return;
    func->docstring = first->value->u.str.bytes;
    if (body->len == 1) return;
    body->len--;
    memmove(body->data, body->data + 1, body->len * sizeof *body->data);
}

static void parse_signature(Parser *p, AstFunc *func) {
    Token def = p->tok;
    fe_parse_advance(p);
    func->name = fe_parse_name(p, "the function's name");
    func->span = fe_parse_span(p, &def);
    if (parse_at(p, TOK_LBRACKET)) fe_parse_refuse_here(p, UNSUPPORTED_TYPE_PARAMS);
    parse_params(p, func);
    if (fe_parse_accept(p, TOK_ARROW)) func->returns = fe_parse_expr(p);
}

/* The caller restores p->func and the like. */
void fe_parse_def(Parser *p, AstBlock *block) {
    AstFunc *func = JR_NEW(p->arena, AstFunc);
    bool refused = p->blocks && !p->in_def;
    p->func = func;
    parse_decorators(p, func);
    Token def = p->tok;
    if (refused) fe_parse_refuse(p, token_span(&def), UNSUPPORTED_NESTED_DEF);
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_DEF, &def);
    stmt->func = func;
    parse_signature(p, func);
    stmt->span = fe_parse_span(p, &def);
    p->in_def = true;
    p->loops = 0;
    fe_parse_suite(p, "the function's header", &def, &func->body);
    take_docstring(func);
}

/* Imports. */

/* a.b.c */
static const char *parse_dotted(Parser *p) {
    JrText name;
    jr_text_init(&name, p->arena);
    jr_text_puts(&name, fe_parse_name(p, "a module's name"));
    while (fe_parse_accept(p, TOK_DOT)) {
        jr_text_puts(&name, ".");
        jr_text_puts(&name, fe_parse_name(p, "a module's name"));
    }
    return name.data;
}

static const char *first_part(Parser *p, const char *dotted) {
    return jr_arena_strndup(p->arena, dotted, strcspn(dotted, "."));
}

/* import a.b, c as d */
void fe_parse_import(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_IMPORT, &start);
    fe_parse_advance(p);
    do {
        Token at = p->tok;
        AstImport import = {.module = parse_dotted(p)};
        import.name = fe_parse_accept(p, TOK_AS) ? fe_parse_name(p, "a name")
                                                 : first_part(p, import.module);
        import.span = fe_parse_span(p, &at);
        JR_PUSH(p->arena, &stmt->imports, import);
    } while (fe_parse_accept(p, TOK_COMMA));
    stmt->span = fe_parse_span(p, &start);
}

/* name [as other] */
static void parse_imported(Parser *p, AstStmt *stmt, const char *module) {
    Token at = p->tok;
    AstImport import = {.module = module, .item = fe_parse_name(p, "a name to import")};
    import.name = fe_parse_accept(p, TOK_AS) ? fe_parse_name(p, "a name") : import.item;
    import.span = fe_parse_span(p, &at);
    JR_PUSH(p->arena, &stmt->imports, import);
}

static void parse_imported_list(Parser *p, AstStmt *stmt, const char *module) {
    Token open = p->tok;
    bool bracket = fe_parse_accept(p, TOK_LPAREN);
    if (bracket) p->open = &open;
    do {
        if (bracket && parse_at(p, TOK_RPAREN) && stmt->imports.len) break;
        parse_imported(p, stmt, module);
    } while (fe_parse_accept(p, TOK_COMMA));
    if (!bracket) return;
    if (!parse_at(p, TOK_RPAREN)) fe_parse_bad_close(p, &open, TOK_RPAREN);
    p->open = NULL;
    fe_parse_advance(p);
}

/* from a.b import c as d, e */
void fe_parse_from(Parser *p, AstBlock *block) {
    Token start = p->tok;
    AstStmt *stmt = fe_parse_new_stmt(p, block, AST_IMPORT, &start);
    fe_parse_advance(p);
    if (parse_at(p, TOK_DOT) || parse_at(p, TOK_DOTS))
        fe_parse_refuse_here(p, UNSUPPORTED_RELATIVE_IMPORT);
    const char *module = parse_dotted(p);
    fe_parse_expect(p, TOK_IMPORT, "'import'");
    if (parse_at(p, TOK_STAR)) {
        AstImport import = {.module = module, .item = "*", .name = "*"};
        import.span = token_span(&p->tok);
        JR_PUSH(p->arena, &stmt->imports, import);
        fe_parse_advance(p);
    } else {
        parse_imported_list(p, stmt, module);
    }
    stmt->span = fe_parse_span(p, &start);
}

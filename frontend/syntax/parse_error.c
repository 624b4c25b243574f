/* The wording of syntax errors. Most of this is about what people mean when they write what is
 * not Python: habits from C, Python 2 and mathematics. */
#include "frontend/syntax/parse.h"

#include <string.h>

/* Raising. */

_Noreturn void fe_parse_give_up(Parser *p) {
    longjmp(*p->recover, 1);
}

void fe_parse_error(Parser *p, JrSpan span, const char *message, const char *help) {
    JrDiag *diag = jr_diag_error(p->diags, span, "%s", message);
    if (help) jr_diag_help(p->diags, diag, "%s", help);
}

_Noreturn void fe_parse_fail(Parser *p, JrSpan span, const char *message, const char *help) {
    fe_parse_error(p, span, message, help);
    fe_parse_give_up(p);
}

_Noreturn void fe_parse_fail_here(Parser *p, const char *message, const char *help) {
    if (parse_at(p, TOK_ERROR)) fe_parse_give_up(p);
    fe_parse_fail(p, token_span(&p->tok), message, help);
}

void fe_parse_refuse(Parser *p, JrSpan span, Unsupported what) {
    static const char *const table[][2] = {
#define JR_UNSUPPORTED(ID, what, help) {what " not supported", help},
#include "frontend/syntax/unsupported.def"
#undef JR_UNSUPPORTED
    };
    p->refused = true;
    fe_parse_error(p, span, table[what][0], table[what][1]);
}

_Noreturn void fe_parse_refuse_here(Parser *p, Unsupported what) {
    fe_parse_refuse(p, token_span(&p->tok), what);
    fe_parse_give_up(p);
}

/* What a token is called: 'x', 'if', ',', "the end of the line". */
static const char *describe(Parser *p, const Token *token) {
    if (token->kind <= TOK_ERROR || token->kind == TOK_STRING)
        return fe_token_kind_text(token->kind);
    return jr_arena_printf(p->arena, "'%.*s'", token->len > 40 ? 40 : (int)token->len,
                           p->lexer.source->text + token->pos);
}

/* Words that can stand only at the start of a statement: after one, no bracket is still open.
 */
bool fe_parse_starts_statement(TokenKind kind) {
    switch (kind) {
    case TOK_ASSERT:
    case TOK_BREAK:
    case TOK_CLASS:
    case TOK_CONTINUE:
    case TOK_DEF:
    case TOK_DEL:
    case TOK_ELIF:
    case TOK_EXCEPT:
    case TOK_FINALLY:
    case TOK_FROM:
    case TOK_GLOBAL:
    case TOK_IMPORT:
    case TOK_NONLOCAL:
    case TOK_PASS:
    case TOK_RAISE:
    case TOK_RETURN:
    case TOK_TRY:
    case TOK_WHILE:
    case TOK_WITH: return true;
    default: return false;
    }
}

static bool is_close(TokenKind kind) {
    return kind == TOK_RPAREN || kind == TOK_RBRACKET || kind == TOK_RBRACE;
}

static bool is_assignment(TokenKind kind) {
    return kind == TOK_ASSIGN || kind == TOK_COLON ||
           (kind >= TOK_POW_ASSIGN && kind <= TOK_SHR_ASSIGN) ||
           (kind >= TOK_ADD_ASSIGN && kind <= TOK_MATMUL_ASSIGN);
}

/* Whether the current token belongs to another statement, so that a bracket was left open. */
static bool statement_is_over(const Parser *p) {
    const Token *token = &p->tok;
    if (token->kind == TOK_NEWLINE || token->kind == TOK_EOF) return true;
    if (token->line == p->first.line || is_close(token->kind)) return false;
    if (token->first && fe_parse_starts_statement(token->kind)) return true;
    return p->line_col <= p->first.col && (token->first || is_assignment(token->kind));
}

static void check_open_bracket(Parser *p) {
    if (!p->open || !statement_is_over(p)) return;
    p->resume = p->tok.line > p->first.line;
    fe_parse_fail(p, token_span(p->open),
                  jr_arena_printf(p->arena, "%s is never closed", describe(p, p->open)), NULL);
}

/* Brackets. */

static _Noreturn void mismatched(Parser *p, const Token *open, TokenKind close) {
    const char *message = jr_arena_printf(p->arena, "%s does not close %s",
                                          describe(p, &p->tok), describe(p, open));
    JrDiag *diag = jr_diag_error(p->diags, token_span(&p->tok), "%s", message);
    jr_diag_help(p->diags, diag, "write '%s' here", fe_token_kind_text(close));
    jr_diag_note(p->diags, diag, token_span(open), "%s is opened here", describe(p, open));
    fe_parse_give_up(p);
}

static void check_c_loop(Parser *p) {
    if (p->in_for)
        fe_parse_fail(p, token_span(&p->first), "expected `for name in ...`",
                      "to count, write `for i in range(n):`");
}

static void check_equals(Parser *p) {
    if (parse_at(p, TOK_ASSIGN))
        fe_parse_fail_here(p, "'=' assigns a value and cannot stand in an expression",
                           "to compare, write ==");
}

_Noreturn void fe_parse_bad_close(Parser *p, const Token *open, TokenKind close) {
    if (parse_at(p, TOK_ERROR)) fe_parse_give_up(p);
    check_open_bracket(p);
    check_c_loop(p);
    check_equals(p);
    if (is_close(p->tok.kind)) mismatched(p, open, close);
    fe_parse_unexpected(p,
                        jr_arena_printf(p->arena, "',' or '%s'", fe_token_kind_text(close)));
}

/* Where something was expected and something else stands. */

static void check_habits(Parser *p) {
    if (parse_at(p, TOK_RBRACE) && !p->open)
        fe_parse_fail_here(p, "unmatched '}'",
                           "blocks are made by indentation, without braces");
    if (is_close(p->tok.kind) && !p->open)
        fe_parse_fail_here(p, jr_arena_printf(p->arena, "unmatched %s", describe(p, &p->tok)),
                           NULL);
}

_Noreturn void fe_parse_unexpected(Parser *p, const char *expected) {
    if (parse_at(p, TOK_ERROR)) fe_parse_give_up(p);
    check_open_bracket(p);
    check_habits(p);
    const char *found = describe(p, &p->tok);
    const char *help = NULL;
    if (token_is_keyword(p->tok.kind) && !strcmp(expected, "a name"))
        help = "this word has a meaning of its own; choose another name";
    fe_parse_fail_here(p, jr_arena_printf(p->arena, "expected %s, not %s", expected, found),
                       help);
}

/* := behind an expression: Python wants a name before it, and brackets around both. */
_Noreturn void fe_parse_bad_walrus(Parser *p, const AstExpr *before) {
    if (before->kind != AST_NAME)
        fe_parse_fail_here(p, "only a name can stand before ':='", NULL);
    fe_parse_fail_here(
        p, "':=' needs brackets here",
        jr_arena_printf(p->arena, "write (%s := value), or `%s = value` on a line of its own",
                        before->name, before->name));
}

_Noreturn void fe_parse_bad_colon(Parser *p, const char *after) {
    if (parse_at(p, TOK_ERROR)) fe_parse_give_up(p);
    check_equals(p);
    if (parse_at(p, TOK_LBRACE))
        fe_parse_fail_here(p, "expected ':', not '{'",
                           "end the line with ':' and indent the block below it");
    if (parse_at(p, TOK_IF) && !strcmp(after, "else"))
        fe_parse_fail_here(p, "expected ':', not 'if'", "write `elif`");
    if (is_close(p->tok.kind)) check_habits(p);
    JrSpan span = {p->prev.end_line, p->prev.end_col, p->prev.end_col + 1};
    fe_parse_fail(p, span, jr_arena_printf(p->arena, "expected ':' after %s", after), NULL);
}

/* After a statement that could have ended. */

static bool is_one_of(const Parser *p, const Token *token, const char *const *words,
                      size_t n) {
    for (size_t i = 0; i < n; i++)
        if (fe_parse_token_is(p, token, words[i])) return true;
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* `word something`: what the word shows was meant, if it is the statement's first. */
void fe_parse_check_first_word(Parser *p) {
    static const char *const declare[] = {"let", "var", "const", "auto", "local"};
    static const char *const types[] = {"int",   "float", "double",  "long",    "char",
                                        "int32", "int64", "float32", "float64", "bool"};
    static const char *const defines[] = {"function", "func", "fn", "fun", "void", "sub"};
    static const char *const elses[] = {"elseif", "elsif", "elsei", "elif"};
    const Token *word = &p->first;
    JrSpan span = token_span(word);
    if (word->kind != TOK_NAME) return;
    if (fe_parse_token_is(p, word, "match")) {
        p->skip_block = true;
        fe_parse_refuse(p, span, UNSUPPORTED_MATCH);
        fe_parse_give_up(p);
    }
    if (fe_parse_token_is(p, word, "type") && parse_at(p, TOK_NAME)) {
        fe_parse_refuse(p, span, UNSUPPORTED_TYPE_ALIAS);
        fe_parse_give_up(p);
    }
    if (fe_parse_token_is(p, word, "print"))
        fe_parse_fail(p, span, "print is a function", "write print(...)");
    if (is_one_of(p, word, elses, COUNT(elses)))
        fe_parse_fail(p, span, "expected 'elif'", "write `elif condition:`");
    if (fe_parse_token_is(p, word, "switch"))
        fe_parse_fail(p, span, "there is no switch statement", "use if, elif and else");
    if (!parse_at(p, TOK_NAME)) return;
    if (is_one_of(p, word, declare, COUNT(declare)))
        fe_parse_fail(p, span, "variables are not declared", "write only `name = value`");
    if (is_one_of(p, word, types, COUNT(types)))
        fe_parse_fail(
            p, span, "a type does not stand before a name",
            "write `name = value`: its type is inferred, or annotate it: `name: type`");
    if (is_one_of(p, word, defines, COUNT(defines)))
        fe_parse_fail(p, span, "functions are defined with def",
                      "write `def name(parameters):`");
}

_Noreturn void fe_parse_end_unexpected(Parser *p) {
    if (parse_at(p, TOK_ERROR)) fe_parse_give_up(p);
    if (p->prev.pos == p->first.pos) fe_parse_check_first_word(p);
    check_habits(p);
    if (parse_at(p, TOK_LBRACE))
        fe_parse_fail_here(p, "expected the end of the line, not '{'",
                           "blocks are made by ':' and indentation, without braces");
    fe_parse_fail_here(p, jr_arena_printf(p->arena, "unexpected %s", describe(p, &p->tok)),
                       "a statement ends with its line; is an operator or a comma missing?");
}

/* Targets. */

static const char *target_kind(const AstExpr *target) {
    switch (target->kind) {
    case AST_INT:
    case AST_FLOAT:
    case AST_IMAG:
    case AST_STR: return "a literal";
    case AST_TRUE: return "True";
    case AST_FALSE: return "False";
    case AST_NONE: return "None";
    case AST_ELLIPSIS: return "'...'";
    case AST_TUPLE: return "a tuple";
    case AST_LIST: return "a list";
    case AST_UNARY:
    case AST_BINARY:
    case AST_BOOL:
    case AST_NAMED:
    case AST_TERNARY: return "an expression";
    case AST_COMPARE: return "a comparison";
    case AST_CALL: return "the result of a call";
    default: return "this";
    }
}

_Noreturn void fe_parse_bad_target(Parser *p, const AstExpr *target, bool augmented) {
    const char *help = NULL;
    if (augmented && (target->kind == AST_TUPLE || target->kind == AST_LIST))
        help = "an augmented assignment has one target";
    else if (target->kind == AST_CALL)
        help = "an element is written with square brackets: a[i] = value";
    else
        help = "to compare, write ==";
    fe_parse_fail(p, target->span,
                  jr_arena_printf(p->arena, "cannot assign to %s", target_kind(target)), help);
}

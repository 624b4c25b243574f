/* The parser's driver: tokens, blocks, and recovery from errors.
 *
 * A statement that turns out wrong is skipped to the end of its logical line. If brackets are
 * open then, that end may be far off, so a line that is not indented deeper than the
 * statement, or begins with a word like `def`, ends it too. A block under a header that was
 * given up on is still parsed, for the errors in it; so an error in a header costs no errors
 * elsewhere. */
#include "frontend/syntax/parse.h"

#include "frontend/syntax/unicode.h"

#include <string.h>

/* Tokens. */

void fe_parse_advance(Parser *p) {
    p->prev = p->tok;
    if (p->has_ahead)
        p->tok = p->ahead;
    else
        fe_lexer_next(&p->lexer, &p->tok);
    p->has_ahead = false;
    if (p->tok.first) p->line_col = p->tok.col;
}

const Token *fe_parse_ahead(Parser *p) {
    if (!p->has_ahead) fe_lexer_next(&p->lexer, &p->ahead);
    p->has_ahead = true;
    return &p->ahead;
}

bool fe_parse_accept(Parser *p, TokenKind kind) {
    if (p->tok.kind != kind) return false;
    fe_parse_advance(p);
    return true;
}

void fe_parse_expect(Parser *p, TokenKind kind, const char *expected) {
    if (!fe_parse_accept(p, kind)) fe_parse_unexpected(p, expected);
}

bool fe_parse_token_is(const Parser *p, const Token *token, const char *text) {
    return token->kind == TOK_NAME && strlen(text) == token->len &&
           !memcmp(p->lexer.source->text + token->pos, text, token->len);
}

const char *fe_parse_token_text(Parser *p, const Token *token) {
    return jr_unicode_name(p->arena, p->lexer.source->text + token->pos, token->len);
}

JrSpan fe_parse_span(const Parser *p, const Token *start) {
    bool same = p->prev.end_line == start->line;
    return (JrSpan){start->line, start->col, same ? p->prev.end_col : start->line_end};
}

const char *fe_parse_name(Parser *p, const char *expected) {
    if (!parse_at(p, TOK_NAME)) fe_parse_unexpected(p, expected);
    const char *name = fe_parse_token_text(p, &p->tok);
    fe_parse_advance(p);
    return name;
}

/* Blocks. */

static bool at_block_end(const Parser *p) {
    return parse_at(p, TOK_EOF) || parse_at(p, TOK_DEDENT) || p->diags->full;
}

void fe_parse_block(Parser *p, AstBlock *block) {
    while (!at_block_end(p))
        fe_parse_statement(p, block);
}

/* From an INDENT past its DEDENT, without looking. */
static void skip_block(Parser *p) {
    uint32_t depth = 0;
    do {
        if (parse_at(p, TOK_INDENT)) depth++;
        if (parse_at(p, TOK_DEDENT)) depth--;
        fe_parse_advance(p);
    } while (depth && !parse_at(p, TOK_EOF));
}

void fe_parse_indented(Parser *p, AstBlock *block) {
    p->blocks++;
    fe_parse_advance(p);
    p->orphans = false;
    fe_parse_block(p, block);
    fe_parse_accept(p, TOK_DEDENT);
    p->blocks--;
    p->orphans = false;
}

/* What follows a ':', on the same line or indented below. */
void fe_parse_suite(Parser *p, const char *after, const Token *header, AstBlock *block) {
    if (!parse_at(p, TOK_COLON)) fe_parse_bad_colon(p, after);
    fe_parse_advance(p);
    if (!parse_at(p, TOK_NEWLINE)) {
        fe_parse_simple_line(p, block);
        return;
    }
    fe_parse_advance(p);
    if (!parse_at(p, TOK_INDENT)) {
        JrDiag *diag = jr_diag_error(p->diags, token_span(&p->tok),
                                     "expected an indented block after %s", after);
        jr_diag_note(p->diags, diag, token_span(header), "the block belongs to this");
        jr_diag_help(p->diags, diag, "indent its statements, or write pass");
        return;
    }
    if (p->blocks >= AST_MAX_DEPTH) {
        p->skip_block = true;
        fe_parse_fail_here(p, "blocks are nested too deeply",
                           "move the inner ones into a function");
    }
    fe_parse_indented(p, block);
}

/* Recovery. */

typedef struct Saved {
    const Token *open;
    AstFunc *func;
    jmp_buf *recover;
    uint32_t depth, blocks, loops;
    bool in_def;
} Saved;

static Saved save(const Parser *p) {
    return (Saved){p->open, p->func, p->recover, p->depth, p->blocks, p->loops, p->in_def};
}

static void restore(Parser *p, const Saved *saved) {
    p->open = saved->open;
    p->func = saved->func;
    p->recover = saved->recover;
    p->depth = saved->depth;
    p->blocks = saved->blocks;
    p->loops = saved->loops;
    p->in_def = saved->in_def;
}

/* Whether the current token, inside brackets, begins a new statement for all we can tell. */
static bool resumes_here(const Parser *p, const Token *first) {
    const Token *token = &p->tok;
    if (!token->first || token->line == first->line) return false;
    if (token->kind == TOK_RPAREN || token->kind == TOK_RBRACKET || token->kind == TOK_RBRACE)
        return false;
    return (token->col <= first->col && !p->refused) || fe_parse_starts_statement(token->kind);
}

static bool at_line_end(const Parser *p) {
    return p->tok.kind <= TOK_DEDENT;
}

static void skip_line(Parser *p, const Token *first) {
    while (!at_line_end(p)) {
        if (p->resume || resumes_here(p, first)) {
            p->resume = p->refused = p->has_ahead = false;
            fe_lexer_resume_at(&p->lexer, &p->tok);
            fe_parse_advance(p);
            return;
        }
        fe_parse_advance(p);
    }
    p->resume = p->refused = false;
    fe_parse_accept(p, TOK_NEWLINE);
}

/* The block of a header that was given up on. */
static void parse_lost_block(Parser *p, const Token *first) {
    if (p->skip_block || p->blocks >= AST_MAX_DEPTH) {
        p->skip_block = false;
        skip_block(p);
        return;
    }
    Saved saved = save(p);
    if (first->kind == TOK_DEF) {
        p->in_def = true;
        p->func = JR_NEW(p->arena, AstFunc);
    }
    if (first->kind == TOK_FOR || first->kind == TOK_WHILE) p->loops++;
    AstBlock lost = {0};
    fe_parse_indented(p, &lost);
    restore(p, &saved);
}

static void recover(Parser *p, const Saved *saved, Token first) {
    restore(p, saved);
    skip_line(p, &first);
    if (p->diags->full) return;
    if (parse_at(p, TOK_INDENT)) parse_lost_block(p, &first);
    p->skip_block = false;
    p->orphans = true;
}

/* On its own, so that nothing but `p` and `block` lives across the jump. */
static __attribute__((noinline)) bool attempt(Parser *p, AstBlock *block, jmp_buf *target,
                                              void (*parse)(Parser *, AstBlock *)) {
    p->recover = target;
    if (setjmp(*target)) return false;
    parse(p, block);
    return true;
}

/* One statement, or several on a line. Progress is certain: recovery skips a token at least,
 * because every statement consumes its first token or fails at it. */
void fe_parse_statement(Parser *p, AstBlock *block) {
    Saved saved = save(p);
    jmp_buf target;
    p->first = p->tok;
    p->open = NULL;
    p->depth = 0;
    if (attempt(p, block, &target, fe_parse_dispatch))
        restore(p, &saved);
    else
        recover(p, &saved, p->first);
}

/* The whole. */

AstModule *fe_ast_parse(JrArena *arena, const JrSource *source, JrDiags *diags) {
    AstModule *module = JR_NEW(arena, AstModule);
    *module = (AstModule){.arena = arena, .source = source, .body = JR_NEW(arena, AstFunc)};
    module->body->name = "<module>";
    module->body->span = (JrSpan){1, 1, 1};
    Parser *p = JR_NEW(arena, Parser);
    *p = (Parser){.arena = arena, .diags = diags, .func = module->body};
    if (!fe_lexer_init(&p->lexer, arena, source, diags)) return module;
    fe_parse_advance(p);
    while (!parse_at(p, TOK_EOF) && !diags->full) {
        fe_parse_block(p, &module->body->body);
        fe_parse_accept(p, TOK_DEDENT); /* of a block that was skipped */
    }
    return module;
}

/* The parser's parts and what they share. Recursive descent, in six files: parse.c has the
 * driver and recovery, parse_stmt.c statements, parse_def.c functions and imports,
 * parse_expr.c expressions, parse_literal.c what a literal's text is worth, parse_error.c the
 * wording of errors.
 *
 * A syntax error jumps to the statement it is in (fe_parse_fail...): nothing is held there but
 * arena memory. The statement is given up, the parser skips to its end, and goes on. */
#ifndef JR_FRONTEND_PARSE_H
#define JR_FRONTEND_PARSE_H

#include "frontend/syntax/ast.h"
#include "frontend/syntax/lexer.h"

typedef struct Parser {
    JrArena *arena;
    JrDiags *diags;
    Lexer lexer;
    Token tok;   /* the current one */
    Token prev;  /* the one before */
    Token ahead; /* the one after, if has_ahead */
    bool has_ahead;
    Token first;       /* of the current statement */
    const Token *open; /* the innermost open bracket */
    AstFunc *func;     /* whose expressions are numbered */
    uint32_t depth;    /* of brackets and prefix operators */
    uint32_t blocks;   /* that enclose the statement */
    uint32_t loops;    /* that enclose it in its function */
    int32_t line_col;  /* where the first token on the current physical line stands */
    bool resume;  /* recovery goes on with the current line: a bracket was left open above */
    bool refused; /* the error is no slip: brackets are as they should be */
    bool in_def;
    bool in_for;     /* between `for` and its `in` */
    bool in_target;  /* before the first `=` of a statement */
    bool in_options; /* of a decorator, where `locals={"x": int64}` is accepted */
    bool skip_block; /* the statement given up on has a block that is not worth parsing */
    bool orphans;    /* an else here belongs to a statement that was given up on */
    jmp_buf *recover;
} Parser;

/* Tokens. */
void fe_parse_advance(Parser *p);
const Token *fe_parse_ahead(Parser *p);
static inline bool parse_at(const Parser *p, TokenKind kind) {
    return p->tok.kind == kind;
}
bool fe_parse_accept(Parser *p, TokenKind kind);
bool fe_parse_token_is(const Parser *p, const Token *token, const char *text);
const char *fe_parse_token_text(Parser *p, const Token *token); /* a copy in the arena */
/* From start to the end of the token before the current one. */
JrSpan fe_parse_span(const Parser *p, const Token *start);

/* Errors: these do not return. Nothing is added where the lexer has reported the token. */
_Noreturn void fe_parse_give_up(Parser *p);
_Noreturn void fe_parse_fail(Parser *p, JrSpan span, const char *message, const char *help);
_Noreturn void fe_parse_fail_here(Parser *p, const char *message, const char *help);
_Noreturn void fe_parse_unexpected(Parser *p, const char *expected);
_Noreturn void fe_parse_end_unexpected(Parser *p); /* after a complete statement */
_Noreturn void fe_parse_bad_close(Parser *p, const Token *open, TokenKind close);
_Noreturn void fe_parse_bad_colon(Parser *p, const char *after);
_Noreturn void fe_parse_bad_walrus(Parser *p, const AstExpr *before);
void fe_parse_check_first_word(Parser *p); /* fails if it shows what was meant */
_Noreturn void fe_parse_bad_target(Parser *p, const AstExpr *target, bool augmented);
/* These do. */
void fe_parse_error(Parser *p, JrSpan span, const char *message, const char *help);
typedef enum Unsupported {
#define JR_UNSUPPORTED(ID, what, help) UNSUPPORTED_##ID,
#include "frontend/syntax/unsupported.def"
#undef JR_UNSUPPORTED
} Unsupported;
void fe_parse_refuse(Parser *p, JrSpan span, Unsupported what);
_Noreturn void fe_parse_refuse_here(Parser *p, Unsupported what);
bool fe_parse_starts_statement(TokenKind kind);

/* Expressions. */
AstExpr *fe_parse_expr(Parser *p);
AstExpr *fe_parse_named(Parser *p);     /* name := value, or an expression */
AstExpr *fe_parse_expr_list(Parser *p); /* a, b: a tuple without brackets, or one expression */
AstExpr *fe_parse_target_list(Parser *p); /* likewise, but stops at `in` */
AstExpr *fe_parse_new(Parser *p, AstExprKind kind, const Token *start);
AstExpr *fe_parse_done(Parser *p, AstExpr *expr,
                       const Token *start); /* sets span and height */
void fe_parse_enter(Parser *p);
static inline void parse_leave(Parser *p) {
    p->depth--;
}

/* Literals: at the current token, which is consumed. */
AstExpr *fe_parse_number(Parser *p);
AstExpr *fe_parse_strings(Parser *p);

/* Statements. */
void fe_parse_statement(Parser *p, AstBlock *block); /* and those after it on its line */
void fe_parse_suite(Parser *p, const char *after, const Token *header, AstBlock *block);
void fe_parse_block(Parser *p, AstBlock *block); /* up to the end of the block or file */
AstStmt *fe_parse_new_stmt(Parser *p, AstBlock *block, AstStmtKind kind, const Token *start);
void fe_parse_expect(Parser *p, TokenKind kind, const char *expected);
void fe_parse_indented(Parser *p, AstBlock *block); /* from the INDENT on */
void fe_parse_dispatch(Parser *p, AstBlock *block);
void fe_parse_simple_line(Parser *p, AstBlock *block);
void fe_parse_def(Parser *p, AstBlock *block); /* from its decorators on */
void fe_parse_import(Parser *p, AstBlock *block);
void fe_parse_from(Parser *p, AstBlock *block);
const char *fe_parse_name(Parser *p, const char *expected);

#endif

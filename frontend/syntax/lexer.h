/* The lexer: source text to tokens, one at a time, with Python's indentation as INDENT and
 * DEDENT.
 *
 * It knows no grammar. Brackets are counted only so that a line break within them is no
 * NEWLINE; whether they match is the parser's business, because the parser can say more about
 * it. */
#ifndef JR_FRONTEND_LEXER_H
#define JR_FRONTEND_LEXER_H

#include "ir/base/diag.h"

typedef enum TokenKind {
#define JR_TOKEN(ID, text) TOK_##ID,
#define JR_KEYWORD(ID, text) TOK_##ID,
#define JR_PUNCT(ID, text) TOK_##ID,
#include "frontend/syntax/token.def"
    TOK_COUNT
} TokenKind;

typedef struct Token {
    TokenKind kind;
    bool first; /* on its physical line */
    size_t pos; /* bytes from the start of the source */
    uint32_t len;
    int32_t line, col;
    int32_t end_line, end_col; /* one past its last byte */
    int32_t line_end; /* one past the last byte of `line`, where long spans are clipped */
} Token;

typedef struct Indent {
    int32_t column;      /* a tab goes to the next multiple of 8 */
    int32_t alternative; /* a tab counts 1: both must agree, or tabs and spaces are mixed */
} Indent;

typedef struct Lexer {
    JrArena *arena;
    const JrSource *source;
    JrDiags *diags; /* NULL: errors show as ERROR tokens only */
    size_t pos, line_start;
    int32_t line, line_end;
    uint32_t brackets;  /* open ones */
    bool at_line_start; /* of a logical line: indentation counts */
    bool first;         /* no token on this physical line yet */
    bool ended;         /* the last logical line was closed by a NEWLINE */
    uint32_t dedents;   /* to be handed out */
    JR_VEC(Indent) indents;
} Lexer;

/* False, with an error, if the text is not UTF-8 or holds a NUL: it then reads as empty. */
bool fe_lexer_init(Lexer *lexer, JrArena *arena, const JrSource *source, JrDiags *diags);
/* At the end, EOF forever. */
void fe_lexer_next(Lexer *lexer, Token *token);
/* Forgets open brackets and goes on from the line on which `token`, the latest one read or
 * looked ahead to, stands, as a new logical line. */
void fe_lexer_resume_at(Lexer *lexer, const Token *token);

/* Its text in messages: "if", "+=", "the end of the line". */
const char *fe_token_kind_text(TokenKind kind);
static inline bool token_is_keyword(TokenKind kind) {
    return kind >= TOK_FALSE && kind <= TOK_YIELD;
}
static inline JrSpan token_span(const Token *token) {
    int32_t end = token->end_line == token->line ? token->end_col : token->line_end;
    return (JrSpan){token->line, token->col, end};
}

#endif

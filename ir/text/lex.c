#include "ir/text/lex.h"

#include <stdlib.h>
#include <string.h>

void ir_lex_start(IrLexer *lex, const JrSource *source, JrDiags *diags) {
    *lex = (IrLexer){.diags = diags, .at = source->text, .end = source->text + source->len};
    lex->line_start = lex->at;
    lex->line = 1;
    ir_lex_next(lex);
}

/* ---- Characters ---- */

static char peek(const IrLexer *lex, size_t ahead) {
    return (size_t)(lex->end - lex->at) > ahead ? lex->at[ahead] : 0;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word(char c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || is_digit(c) || c == '.' || ((unsigned char)c & 0x80);
}

static void skip_blanks(IrLexer *lex) {
    while (peek(lex, 0) == ' ' || peek(lex, 0) == '\t' || peek(lex, 0) == '\r')
        lex->at++;
    if (peek(lex, 0) == '#')
        while (lex->at < lex->end && *lex->at != '\n')
            lex->at++;
}

static void take_words(IrLexer *lex) {
    while (lex->at < lex->end && is_word(*lex->at))
        lex->at++;
}

/* From one quote past the other; false when the line ends first. */
static bool take_quoted(IrLexer *lex) {
    for (lex->at++; lex->at < lex->end && *lex->at != '\n'; lex->at++) {
        if (*lex->at == '\\' && peek(lex, 1) && peek(lex, 1) != '\n') {
            lex->at++;
        } else if (*lex->at == '"') {
            lex->at++;
            return true;
        }
    }
    return false;
}

/* ---- Tokens ---- */

/* 12, 1.5e-07, inf, nan(0x7ff8000000000001); a sign was seen to belong to it. */
static IrTokenKind take_number(IrLexer *lex) {
    if (*lex->at == '-') lex->at++;
    const char *start = lex->at;
    for (;;) {
        take_words(lex);
        char last = lex->at > start ? lex->at[-1] : 0;
        bool sign = peek(lex, 0) == '-' || peek(lex, 0) == '+';
        if (!sign || last != 'e' || !is_digit(*start) || !is_digit(peek(lex, 1))) break;
        lex->at++;
    }
    if (lex->at - start == 3 && memcmp(start, "nan", 3) == 0 && peek(lex, 0) == '(') {
        while (lex->at < lex->end && *lex->at != ')' && *lex->at != '\n')
            lex->at++;
        if (peek(lex, 0) == ')') lex->at++;
    }
    return IR_TOKEN_NUMBER;
}

static bool at_word(const IrLexer *lex, size_t ahead, const char *word) {
    for (size_t i = 0; word[i]; i++)
        if (peek(lex, ahead + i) != word[i]) return false;
    return !is_word(peek(lex, ahead + strlen(word)));
}

static bool at_number(const IrLexer *lex) {
    size_t sign = peek(lex, 0) == '-';
    return is_digit(peek(lex, sign)) || at_word(lex, sign, "inf") || at_word(lex, sign, "nan");
}

static IrTokenKind take_reg(IrLexer *lex) {
    lex->at++;
    if (peek(lex, 0) == '"' && !take_quoted(lex)) return IR_TOKEN_MARK;
    take_words(lex);
    return IR_TOKEN_REG;
}

static IrTokenKind take_token(IrLexer *lex) {
    char c = *lex->at;
    if (c == '%') return take_reg(lex);
    if (c == '"') return take_quoted(lex) ? IR_TOKEN_STRING : IR_TOKEN_MARK;
    if (at_number(lex)) return take_number(lex);
    if (is_word(c)) {
        take_words(lex);
        return IR_TOKEN_NAME;
    }
    lex->at++;
    if (c == '-' && peek(lex, 0) == '>') lex->at++;
    if (c != '@') return IR_TOKEN_MARK;
    while (is_digit(peek(lex, 0)) || peek(lex, 0) == ':' || peek(lex, 0) == '-')
        lex->at++;
    return IR_TOKEN_SPAN;
}

static void skip_empty_lines(IrLexer *lex) {
    for (skip_blanks(lex); lex->at < lex->end && *lex->at == '\n'; skip_blanks(lex)) {
        lex->line++;
        lex->line_start = ++lex->at;
    }
}

void ir_lex_next(IrLexer *lex) {
    if (lex->failed) return;
    bool after_line = lex->token.kind == IR_TOKEN_LINE || lex->token.kind == IR_TOKEN_END;
    if (after_line)
        skip_empty_lines(lex);
    else
        skip_blanks(lex);
    IrToken *token = &lex->token;
    token->text = lex->at;
    token->line = lex->line;
    token->col = (int32_t)(lex->at - lex->line_start) + 1;
    if (lex->at == lex->end) {
        token->kind = after_line ? IR_TOKEN_END : IR_TOKEN_LINE;
    } else if (*lex->at == '\n') {
        token->kind = IR_TOKEN_LINE;
        lex->line++;
        lex->line_start = ++lex->at;
    } else {
        token->kind = take_token(lex);
    }
    token->len = (size_t)(lex->at - token->text);
}

bool ir_lex_is(const IrLexer *lex, const char *text) {
    const IrToken *token = &lex->token;
    if (token->kind != IR_TOKEN_NAME && token->kind != IR_TOKEN_MARK) return false;
    return token->len == strlen(text) && memcmp(token->text, text, token->len) == 0;
}

bool ir_lex_accept(IrLexer *lex, const char *text) {
    if (!ir_lex_is(lex, text)) return false;
    ir_lex_next(lex);
    return true;
}

void ir_lex_expect(IrLexer *lex, const char *text) {
    if (!ir_lex_accept(lex, text))
        ir_lex_error_expected(lex, jr_arena_printf(lex->diags->arena, "'%s'", text));
}

/* ---- Errors ---- */

void ir_lex_error(IrLexer *lex, const char *format, ...) {
    if (lex->failed) return;
    const IrToken *token = &lex->token;
    size_t len = token->kind == IR_TOKEN_LINE || !token->len ? 1 : token->len;
    JrSpan span = {token->line, token->col, token->col + (int32_t)len};
    va_list args;
    va_start(args, format);
    jr_diag_error(lex->diags, span, "%s", jr_arena_vprintf(lex->diags->arena, format, args));
    va_end(args);
    lex->failed = true;
    lex->token =
        (IrToken){.kind = IR_TOKEN_END, .text = lex->end, .line = span.line, .col = span.col};
}

void ir_lex_error_expected(IrLexer *lex, const char *what) {
    const IrToken *token = &lex->token;
    int len = token->len < 40 ? (int)token->len : 40;
    if (token->kind == IR_TOKEN_END)
        ir_lex_error(lex, "expected %s, found the end of the text", what);
    else if (token->kind == IR_TOKEN_LINE)
        ir_lex_error(lex, "expected %s, found the end of the line", what);
    else
        ir_lex_error(lex, "expected %s, found '%.*s'", what, len, token->text);
}

/* ---- Tokens with a value ---- */

IrType ir_lex_type(IrLexer *lex) {
    IrType type = {0};
    const char *end;
    if (lex->token.kind != IR_TOKEN_NAME || !ir_type_parse(lex->token.text, &end, &type) ||
        end > lex->end) {
        ir_lex_error_expected(lex, "a type");
        return (IrType){0};
    }
    lex->at = end;
    ir_lex_next(lex);
    return type;
}

static bool take_int(const char **at, const char *end, int32_t *value) {
    char *stop;
    long number = strtol(*at, &stop, 10);
    if (stop == *at || stop > end || number > INT32_MAX || number < INT32_MIN) return false;
    *value = (int32_t)number;
    *at = stop;
    return true;
}

JrSpan ir_lex_span(IrLexer *lex) {
    JrSpan span = {0};
    if (lex->token.kind != IR_TOKEN_SPAN) return span;
    const char *at = lex->token.text + 1, *end = lex->at;
    bool ok = take_int(&at, end, &span.line) && *at++ == ':' &&
              take_int(&at, end, &span.col) && *at++ == '-' &&
              take_int(&at, end, &span.end_col) && at == end;
    if (!ok) ir_lex_error(lex, "a span is written @line:column-end");
    ir_lex_next(lex);
    return span;
}

const char *ir_lex_string(IrLexer *lex, uint32_t *len) {
    if (lex->token.kind != IR_TOKEN_STRING) {
        ir_lex_error_expected(lex, "a string in double quotes");
        return NULL;
    }
    char *text = jr_arena_alloc(lex->diags->arena, lex->token.len);
    if (!ir_string_parse(lex->token.text + 1, lex->token.len - 2, text, len)) {
        ir_lex_error(lex, "bad escape in a string: use \\\", \\\\, \\n or \\xHH");
        return NULL;
    }
    text[*len] = 0;
    ir_lex_next(lex);
    return text;
}

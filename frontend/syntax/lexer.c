#include "frontend/syntax/lexer.h"

#include "frontend/syntax/unicode.h"

#include <string.h>

enum { TAB_WIDTH = 8 };

static const char *const token_texts[] = {
#define JR_TOKEN(ID, text) [TOK_##ID] = text,
#define JR_KEYWORD(ID, text) [TOK_##ID] = text,
#define JR_PUNCT(ID, text) [TOK_##ID] = text,
#include "frontend/syntax/token.def"
};

const char *fe_token_kind_text(TokenKind kind) {
    return token_texts[kind];
}

/* Characters. The text is NUL-terminated and was checked to hold no NUL, so looking one or two
 * bytes ahead of any byte that is not the terminator is safe. */

static unsigned char peek(const Lexer *lexer, size_t ahead) {
    return (unsigned char)lexer->source->text[lexer->pos + ahead];
}

static bool at_end(const Lexer *lexer) {
    return lexer->pos >= lexer->source->len;
}

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static bool is_ascii_start(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The bytes of the next character, if it may begin a name, or go on with one; else 0. */
static size_t name_start(const Lexer *lexer) {
    unsigned char c = peek(lexer, 0);
    if (c < 0x80) return is_ascii_start(c);
    const JrSource *source = lexer->source;
    return jr_unicode_name_char(source->text + lexer->pos, source->len - lexer->pos, true);
}

static size_t name_part(const Lexer *lexer) {
    unsigned char c = peek(lexer, 0);
    if (c < 0x80) return is_ascii_start(c) || is_digit(c);
    const JrSource *source = lexer->source;
    return jr_unicode_name_char(source->text + lexer->pos, source->len - lexer->pos, false);
}

/* 1 for "\n", 2 for "\r\n", else 0. */
static size_t line_break(const Lexer *lexer) {
    if (peek(lexer, 0) == '\n') return 1;
    return peek(lexer, 0) == '\r' && peek(lexer, 1) == '\n' ? 2 : 0;
}

static int32_t column(const Lexer *lexer) {
    return (int32_t)(lexer->pos - lexer->line_start) + 1;
}

/* Errors. */

static JrSpan span_from(const Lexer *lexer, const Token *start) {
    int32_t end = lexer->line == start->line ? column(lexer) : start->line_end;
    return (JrSpan){start->line, start->col, end > start->col ? end : start->col + 1};
}

static void report(Lexer *lexer, JrSpan span, const char *message, const char *help) {
    if (!lexer->diags) return;
    JrDiag *diag = jr_diag_error(lexer->diags, span, "%s", message);
    if (help) jr_diag_help(lexer->diags, diag, "%s", help);
}

static TokenKind bad_token(Lexer *lexer, const Token *start, const char *message,
                           const char *help) {
    report(lexer, span_from(lexer, start), message, help);
    return TOK_ERROR;
}

/* Lines. */

static void find_line_end(Lexer *lexer) {
    const char *start = lexer->source->text + lexer->line_start;
    size_t rest = lexer->source->len - lexer->line_start;
    const char *end = memchr(start, '\n', rest);
    size_t len = end ? (size_t)(end - start) : rest;
    if (len && start[len - 1] == '\r') len--;
    lexer->line_end = (int32_t)len + 1;
}

static void begin_line(Lexer *lexer) {
    lexer->line_start = lexer->pos;
    lexer->line++;
    lexer->first = true;
    find_line_end(lexer);
}

static void skip_line_break(Lexer *lexer) {
    lexer->pos += line_break(lexer);
    begin_line(lexer);
}

static void skip_comment(Lexer *lexer) {
    while (!at_end(lexer) && peek(lexer, 0) != '\n')
        lexer->pos++;
    if (peek(lexer, 0) == '\n' && lexer->pos > lexer->line_start &&
        lexer->source->text[lexer->pos - 1] == '\r')
        lexer->pos--;
}

/* The text as a whole. */

/* The length of the UTF-8 sequence at s, of which `rest` bytes are there; 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t rest) {
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] > 0xf4 || len > rest) return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool outside = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90);
    return overlong || outside ? 0 : len;
}

static bool check_text(Lexer *lexer) {
    const unsigned char *text = (const unsigned char *)lexer->source->text;
    int32_t line = 1;
    size_t line_start = 0, len = lexer->source->len;
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_len(text + i, len - i);
        if (step && text[i]) {
            if (text[i] == '\n') line++, line_start = i + 1;
            continue;
        }
        int32_t col = (int32_t)(i - line_start) + 1;
        report(lexer, (JrSpan){line, col, col + 1},
               step ? "the source holds a NUL byte" : "the source is not valid UTF-8",
               step ? "is this a text file?" : "save the file as UTF-8");
        return false;
    }
    return true;
}

bool fe_lexer_init(Lexer *lexer, JrArena *arena, const JrSource *source, JrDiags *diags) {
    *lexer = (Lexer){.arena = arena, .source = source, .diags = diags, .at_line_start = true};
    bool good = check_text(lexer);
    if (good && source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3)) lexer->pos = 3;
    if (!good) lexer->pos = source->len;
    lexer->ended = true;
    begin_line(lexer);
    return good;
}

/* Indentation. */

static Indent measure_indent(Lexer *lexer) {
    Indent indent = {0};
    for (;; lexer->pos++) {
        switch (peek(lexer, 0)) {
        case ' ': indent.column++, indent.alternative++; break;
        case '\t':
            indent.column = (indent.column / TAB_WIDTH + 1) * TAB_WIDTH;
            indent.alternative++;
            break;
        case '\f': indent = (Indent){0}; break;
        default: return indent;
        }
    }
}

static Indent current_indent(const Lexer *lexer) {
    return lexer->indents.len ? lexer->indents.data[lexer->indents.len - 1] : (Indent){0};
}

static void start_token(const Lexer *lexer, Token *token) {
    *token = (Token){.first = lexer->first,
                     .pos = lexer->pos,
                     .line = lexer->line,
                     .col = column(lexer),
                     .line_end = lexer->line_end};
}

static void end_token(Lexer *lexer, Token *token, TokenKind kind) {
    token->kind = kind;
    token->len = (uint32_t)(lexer->pos - token->pos);
    token->end_line = lexer->line;
    token->end_col = column(lexer);
}

static void mixed_tabs(Lexer *lexer, const Token *start) {
    report(lexer, (JrSpan){start->line, 1, start->col},
           "tabs and spaces are mixed in the indentation", "use four spaces for each level");
}

static TokenKind dedent(Lexer *lexer, const Token *start, Indent indent) {
    uint32_t count = 0;
    while (current_indent(lexer).column > indent.column)
        lexer->indents.len--, count++;
    lexer->dedents = count;
    Indent now = current_indent(lexer);
    if (now.column != indent.column) {
        /* Take it as the block it comes after, so that one slip is one error. */
        report(lexer, (JrSpan){start->line, 1, start->col},
               "the indentation matches no enclosing block",
               "align the line with the block it belongs to");
    } else if (now.alternative != indent.alternative) {
        mixed_tabs(lexer, start);
    }
    lexer->dedents--;
    return TOK_DEDENT;
}

/* INDENT, DEDENT, or NEWLINE for "neither". */
static TokenKind compare_indent(Lexer *lexer, const Token *start, Indent indent) {
    Indent now = current_indent(lexer);
    if (indent.column == now.column) {
        if (indent.alternative != now.alternative) mixed_tabs(lexer, start);
        return TOK_NEWLINE;
    }
    if (indent.column < now.column) return dedent(lexer, start, indent);
    if (indent.alternative <= now.alternative) mixed_tabs(lexer, start);
    JR_PUSH(lexer->arena, &lexer->indents, indent);
    return TOK_INDENT;
}

/* Skips blank and comment lines, then measures. True if there is a token to hand out. */
static bool line_start(Lexer *lexer, Token *token) {
    Indent indent;
    for (;;) {
        indent = measure_indent(lexer);
        if (peek(lexer, 0) == '#') skip_comment(lexer);
        if (at_end(lexer)) return false;
        if (!line_break(lexer)) break;
        skip_line_break(lexer);
    }
    lexer->at_line_start = false;
    start_token(lexer, token);
    TokenKind kind = compare_indent(lexer, token, indent);
    if (kind == TOK_NEWLINE) return false;
    end_token(lexer, token, kind);
    return true;
}

/* Names, keywords, numbers. */

static TokenKind keyword(const char *text, size_t len) {
#define JR_KEYWORD(ID, word) \
    if (len == sizeof word - 1 && !memcmp(text, word, len)) return TOK_##ID;
#include "frontend/syntax/token.def"
    return TOK_NAME;
}

static void skip_name(Lexer *lexer) {
    for (size_t step; (step = name_part(lexer)) != 0;)
        lexer->pos += step;
}

static int digit_value(unsigned char c) {
    if (is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Digits with single underscores between them. */
static bool skip_digits(Lexer *lexer, int base) {
    while (digit_value(peek(lexer, 0)) < base) {
        lexer->pos++;
        if (peek(lexer, 0) == '_') {
            lexer->pos++;
            if (digit_value(peek(lexer, 0)) >= base) return false;
        }
    }
    return true;
}

static TokenKind bad_number(Lexer *lexer, const Token *start, const char *message,
                            const char *help) {
    skip_name(lexer);
    return bad_token(lexer, start, message, help);
}

static TokenKind lex_radix(Lexer *lexer, const Token *start, int base, const char *message) {
    lexer->pos += 2;
    if (peek(lexer, 0) == '_') lexer->pos++;
    size_t digits = lexer->pos;
    if (!skip_digits(lexer, base) || lexer->pos == digits || name_part(lexer))
        return bad_number(lexer, start, message, NULL);
    return TOK_INT;
}

static bool skip_exponent(Lexer *lexer) {
    size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
    lexer->pos += 1 + sign;
    return is_digit(peek(lexer, 0)) && skip_digits(lexer, 10);
}

/* 012 is an error in Python, 00 and 012.5 are not. */
static bool has_leading_zero(const Lexer *lexer, const Token *start) {
    const char *text = lexer->source->text + start->pos;
    size_t len = lexer->pos - start->pos;
    return text[0] == '0' && strspn(text, "0_") < len;
}

static TokenKind lex_decimal(Lexer *lexer, const Token *start) {
    bool good = skip_digits(lexer, 10), real = false;
    if (good && peek(lexer, 0) == '.') {
        lexer->pos++;
        real = true;
        good = skip_digits(lexer, 10);
    }
    if (good && (peek(lexer, 0) | 0x20) == 'e') {
        real = true;
        good = skip_exponent(lexer);
    }
    bool imaginary = good && (peek(lexer, 0) | 0x20) == 'j';
    if (imaginary) lexer->pos++;
    if (!good || peek(lexer, 0) == '_')
        return bad_number(lexer, start, "invalid number", NULL);
    if (name_part(lexer))
        return bad_number(lexer, start, "invalid number",
                          "a name cannot start with a digit; put a space after a number");
    if (imaginary) return TOK_IMAG;
    if (real) return TOK_FLOAT;
    if (has_leading_zero(lexer, start))
        return bad_token(lexer, start, "leading zeros in a decimal integer",
                         "write 0o for octal, or drop the zeros");
    return TOK_INT;
}

static TokenKind lex_number(Lexer *lexer, const Token *start) {
    if (peek(lexer, 0) == '0') {
        switch (peek(lexer, 1) | 0x20) {
        case 'x': return lex_radix(lexer, start, 16, "invalid hexadecimal number");
        case 'o': return lex_radix(lexer, start, 8, "invalid octal number");
        case 'b': return lex_radix(lexer, start, 2, "invalid binary number");
        default: break;
        }
    }
    return lex_decimal(lexer, start);
}

/* Strings. Escapes are resolved by the parser (frontend/syntax/parse_literal.c). */

/* The length of a string prefix (r, b, u, f and pairs of them) that stands before a quote. */
static bool string_starts(const Lexer *lexer, size_t *prefix) {
    for (*prefix = 0; *prefix <= 2; ++*prefix) {
        unsigned char c = peek(lexer, *prefix);
        if (c == '"' || c == '\'') return true;
        if (!c || !strchr("rRbBuUfF", c)) return false;
    }
    return false;
}

static bool at_quotes(const Lexer *lexer, unsigned char quote, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (peek(lexer, i) != quote) return false;
    return true;
}

static TokenKind unclosed_string(Lexer *lexer, const Token *start, size_t count) {
    JrSpan span = {start->line, start->col, start->col + (int32_t)count};
    report(lexer, span,
           count == 3 ? "this triple-quoted string is never closed"
                      : "this string is not closed on its line",
           count == 3 ? NULL : "close it, or use triple quotes for several lines");
    return TOK_ERROR;
}

static TokenKind lex_string(Lexer *lexer, const Token *start, size_t prefix) {
    lexer->pos += prefix;
    unsigned char quote = peek(lexer, 0);
    size_t count = at_quotes(lexer, quote, 3) ? 3 : 1;
    lexer->pos += count;
    while (!at_end(lexer)) {
        if (at_quotes(lexer, quote, count)) {
            lexer->pos += count;
            return TOK_STRING;
        }
        if (peek(lexer, 0) == '\\' && lexer->pos + 1 < lexer->source->len) {
            lexer->pos++;
            if (!line_break(lexer)) {
                lexer->pos++;
                continue;
            }
        } else if (count == 1 && line_break(lexer)) {
            return unclosed_string(lexer, start, count);
        }
        if (line_break(lexer))
            skip_line_break(lexer);
        else
            lexer->pos++;
    }
    return unclosed_string(lexer, start, count);
}

/* Punctuation. */

/* What word processors and mathematicians make of ASCII. */
static const char *meant(uint32_t code) {
    switch (code) {
    case 0x2018:
    case 0x2019: return "write '";
    case 0x201c:
    case 0x201d: return "write \"";
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212: return "write -";
    case 0xd7:
    case 0xb7:
    case 0x22c5: return "write *";
    case 0xf7: return "write /";
    case 0x2260: return "write !=";
    case 0x2264: return "write <=";
    case 0x2265: return "write >=";
    case 0xa0:
    case 0x2003:
    case 0x200b:
    case 0x3000: return "it looks like a space: write a plain one";
    default:
#ifdef JITRUN_HAVE_UTF8PROC
        return "names have letters, digits and _";
#else
        return "this jitrun was built without libutf8proc: names are ASCII";
#endif
    }
}

static TokenKind not_ascii(Lexer *lexer, const Token *start) {
    uint32_t code;
    const JrSource *source = lexer->source;
    const char *text = source->text + lexer->pos;
    size_t len = jr_unicode_next(text, source->len - lexer->pos, &code);
    lexer->pos += len;
    const char *message = jr_arena_printf(lexer->arena, "'%.*s' (U+%04X) means nothing here",
                                          (int)len, text, code);
    return bad_token(lexer, start, message, meant(code));
}

static TokenKind lex_unknown(Lexer *lexer, const Token *start) {
    if (peek(lexer, 0) >= 0x80) return not_ascii(lexer, start);
    unsigned char c = peek(lexer, 0);
    lexer->pos++;
    switch (c) {
    case '!': return bad_token(lexer, start, "'!' is not an operator", "write `not`");
    case '?':
        return bad_token(lexer, start, "'?' is not an operator",
                         "write `a if condition else b`");
    case '$':
    case '`': break;
    case '\r':
        return bad_token(lexer, start, "a carriage return without a line feed",
                         "save the file with LF or CRLF line ends");
    default:
        if (c < ' ' || c == 0x7f)
            return bad_token(lexer, start, "a control character outside a string", NULL);
    }
    char message[] = "'?' means nothing here";
    message[1] = (char)c;
    return bad_token(lexer, start, message, NULL);
}

static void count_bracket(Lexer *lexer, TokenKind kind) {
    if (kind == TOK_LPAREN || kind == TOK_LBRACKET || kind == TOK_LBRACE)
        lexer->brackets++;
    else if ((kind == TOK_RPAREN || kind == TOK_RBRACKET || kind == TOK_RBRACE) &&
             lexer->brackets)
        lexer->brackets--;
}

static TokenKind lex_punctuation(Lexer *lexer, const Token *start) {
    const char *text = lexer->source->text + lexer->pos;
    if (text[0] == '<' && text[1] == '>') {
        lexer->pos += 2;
        return bad_token(lexer, start, "'<>' is not an operator", "write `!=`");
    }
#define JR_PUNCT(ID, word)                                             \
    if (text[0] == word[0] && !strncmp(text, word, sizeof word - 1)) { \
        lexer->pos += sizeof word - 1;                                 \
        count_bracket(lexer, TOK_##ID);                                \
        return TOK_##ID;                                               \
    }
#include "frontend/syntax/token.def"
    return lex_unknown(lexer, start);
}

/* The line break that comes is the last thing in the source. */
static bool joins_nothing(const Lexer *lexer) {
    return !lexer->brackets && lexer->pos + line_break(lexer) == lexer->source->len;
}

/* Between tokens: blanks, comments, joined lines. False at a backslash that joins nothing. */
static bool skip_blanks(Lexer *lexer) {
    for (;;) {
        unsigned char c = peek(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\f') {
            lexer->pos++;
        } else if (c == '#') {
            skip_comment(lexer);
        } else if (c == '\\') {
            lexer->pos++;
            if (!line_break(lexer) || joins_nothing(lexer)) return false;
            skip_line_break(lexer);
        } else if (lexer->brackets && line_break(lexer)) {
            skip_line_break(lexer);
        } else {
            return true;
        }
    }
}

static TokenKind bad_backslash(Lexer *lexer, const Token *start) {
    if (at_end(lexer) || line_break(lexer))
        return bad_token(lexer, start, "a backslash that joins nothing: the file ends here",
                         "leave it out");
    return bad_token(lexer, start, "a backslash that does not end its line",
                     "nothing, not even a blank, may follow a joining backslash");
}

static TokenKind lex_end(Lexer *lexer) {
    if (!lexer->ended) {
        lexer->ended = true;
        lexer->brackets = 0;
        return TOK_NEWLINE;
    }
    if (lexer->indents.len) {
        lexer->indents.len--;
        return TOK_DEDENT;
    }
    return TOK_EOF;
}

static TokenKind lex_token(Lexer *lexer, const Token *start) {
    unsigned char c = peek(lexer, 0);
    size_t prefix;
    if (at_end(lexer)) return lex_end(lexer);
    if (line_break(lexer)) {
        skip_line_break(lexer);
        lexer->at_line_start = lexer->ended = true;
        return TOK_NEWLINE;
    }
    lexer->first = lexer->ended = false;
    if (string_starts(lexer, &prefix)) return lex_string(lexer, start, prefix);
    if (name_start(lexer)) {
        skip_name(lexer);
        return keyword(lexer->source->text + start->pos, lexer->pos - start->pos);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) return lex_number(lexer, start);
    return lex_punctuation(lexer, start);
}

void fe_lexer_next(Lexer *lexer, Token *token) {
    if (lexer->dedents) {
        lexer->dedents--;
        start_token(lexer, token);
        end_token(lexer, token, TOK_DEDENT);
        return;
    }
    if (lexer->at_line_start && line_start(lexer, token)) return;
    bool good = skip_blanks(lexer);
    start_token(lexer, token);
    if (!good) {
        token->pos--, token->col--;
        end_token(lexer, token, bad_backslash(lexer, token));
        return;
    }
    TokenKind kind = lex_token(lexer, token);
    end_token(lexer, token, kind);
    if (kind != TOK_NEWLINE) return;
    token->len = 0; /* a NEWLINE is a place, not the bytes of the line break */
    token->end_line = token->line;
    token->end_col = token->col;
}

void fe_lexer_resume_at(Lexer *lexer, const Token *token) {
    lexer->line_start = token->pos - (size_t)(token->col - 1);
    lexer->pos = lexer->line_start;
    lexer->line = token->line;
    lexer->first = lexer->at_line_start = lexer->ended = true;
    lexer->brackets = 0;
    lexer->dedents = 0;
    find_line_end(lexer);
}

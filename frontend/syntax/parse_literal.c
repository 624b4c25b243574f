/* What the text of a literal is worth: numbers and strings. */
#include "frontend/syntax/parse.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* Numbers. */

/* The digits without underscores, in the arena. */
static char *plain_digits(Parser *p) {
    char *text = jr_arena_strndup(p->arena, p->lexer.source->text + p->tok.pos, p->tok.len);
    char *to = text;
    for (const char *from = text; *from; from++)
        if (*from != '_') *to++ = *from;
    *to = 0;
    return text;
}

static unsigned digit_of(char c) {
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static unsigned radix_of(const char *digits) {
    if (digits[0] != '0') return 10;
    switch (digits[1] | 0x20) {
    case 'x': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 10;
    }
}

static unsigned __int128 parse_int(Parser *p, const char *digits) {
    const unsigned __int128 limit = ~(unsigned __int128)0 >> 1;
    unsigned radix = radix_of(digits);
    unsigned __int128 value = 0;
    for (const char *c = radix == 10 ? digits : digits + 2; *c; c++) {
        unsigned digit = digit_of(*c);
        if (value > (limit - digit) / radix)
            fe_parse_fail_here(p, "this integer literal is too large",
                               "an int has 64 bits; write 1e40 for a float");
        value = value * radix + digit;
    }
    return value;
}

/* strtod in the C locale: the host program may have set another. */
static double parse_real(const char *digits) {
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) return strtod(digits, NULL);
    double value = strtod_l(digits, NULL, c_locale);
    freelocale(c_locale);
    return value;
}

AstExpr *fe_parse_number(Parser *p) {
    TokenKind kind = p->tok.kind;
    const char *digits = plain_digits(p);
    AstExpr *expr = fe_parse_new(p,
                                 kind == TOK_INT     ? AST_INT
                                 : kind == TOK_FLOAT ? AST_FLOAT
                                                     : AST_IMAG,
                                 &p->tok);
    if (kind == TOK_INT)
        expr->u.big = parse_int(p, digits);
    else
        expr->u.real = parse_real(digits);
    fe_parse_advance(p);
    return expr;
}

/* Strings. */

typedef struct Escapes {
    const char *at, *end;
    JrText *out;
} Escapes;

static void add_utf8(JrText *out, uint32_t c) {
    char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[len] | c);
    jr_text_add(out, bytes, len);
}

/* Up to `count` digits; how many there were. */
static size_t read_digits(Escapes *e, unsigned radix, size_t count, uint32_t *value) {
    size_t n = 0;
    for (*value = 0; n < count && e->at < e->end; n++, e->at++) {
        char c = *e->at;
        bool digit = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        if (!digit || digit_of(c) >= radix) break;
        *value = *value * radix + digit_of(c);
    }
    return n;
}

/* \xhh, \uhhhh, \Uhhhhhhhh */
static void add_code_point(Parser *p, Escapes *e, size_t digits) {
    uint32_t value;
    if (read_digits(e, 16, digits, &value) != digits)
        fe_parse_fail_here(p, "an escape in this string has too few hexadecimal digits",
                           "write \\xhh, \\uhhhh or \\Uhhhhhhhh, or \\\\ for a backslash");
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        fe_parse_fail_here(p, "an escape in this string is no Unicode character", NULL);
    add_utf8(e->out, value);
}

static void add_octal(Escapes *e) {
    uint32_t value;
    e->at--;
    read_digits(e, 8, 3, &value);
    add_utf8(e->out, value);
}

static bool add_simple(JrText *out, char c) {
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) return false;
    jr_text_add(out, to + (found - from), 1);
    return true;
}

static void add_escape(Parser *p, Escapes *e) {
    char c = *e->at++;
    switch (c) {
    case '\n': return;
    case '\r':
        if (e->at < e->end && *e->at == '\n') e->at++;
        return;
    case 'x': add_code_point(p, e, 2); return;
    case 'u': add_code_point(p, e, 4); return;
    case 'U': add_code_point(p, e, 8); return;
    case 'N':
        fe_parse_fail_here(p, "named characters (\\N{...}) are not supported",
                           "write the character itself, or \\uhhhh");
    default: break;
    }
    if (c >= '0' && c <= '7') {
        add_octal(e);
    } else if (!add_simple(e->out,
                           c)) { /* as in Python, an unknown escape stands for itself */
        jr_text_add(e->out, "\\", 1);
        jr_text_add(e->out, &c, 1);
    }
}

/* The next run of plain bytes; "\r\n" becomes "\n", as Python reads it. */
static void add_plain(Escapes *e, bool raw) {
    const char *start = e->at;
    while (e->at < e->end && (raw || *e->at != '\\') && *e->at != '\r')
        e->at++;
    jr_text_add(e->out, start, (size_t)(e->at - start));
    if (e->at < e->end && *e->at == '\r') {
        bool pair = e->at + 1 < e->end && e->at[1] == '\n';
        if (!pair) jr_text_add(e->out, "\r", 1);
        e->at++;
    }
}

static void add_string(Parser *p, JrText *out) {
    const char *text = p->lexer.source->text + p->tok.pos;
    size_t prefix = strcspn(text, "'\"");
    if (memchr(text, 'f', prefix) || memchr(text, 'F', prefix))
        fe_parse_refuse_here(p, UNSUPPORTED_FSTRING);
    if (memchr(text, 'b', prefix) || memchr(text, 'B', prefix))
        fe_parse_refuse_here(p, UNSUPPORTED_BYTES);
    bool raw = memchr(text, 'r', prefix) || memchr(text, 'R', prefix);
    if (prefix == 2) fe_parse_fail_here(p, "an invalid string prefix", NULL);
    size_t quotes = p->tok.len >= prefix + 6 && text[prefix + 1] == text[prefix] &&
                            text[prefix + 2] == text[prefix]
                        ? 3
                        : 1;
    Escapes e = {text + prefix + quotes, text + p->tok.len - quotes, out};
    while (e.at < e.end) {
        add_plain(&e, raw);
        if (e.at < e.end && *e.at == '\\' && !raw) {
            e.at++;
            add_escape(p, &e);
        }
    }
}

/* "a" "b" is "ab" */
AstExpr *fe_parse_strings(Parser *p) {
    Token start = p->tok;
    AstExpr *expr = fe_parse_new(p, AST_STR, &start);
    JrText text;
    jr_text_init(&text, p->arena);
    jr_text_add(&text, "", 0);
    while (parse_at(p, TOK_STRING)) {
        add_string(p, &text);
        fe_parse_advance(p);
    }
    expr->u.str.bytes = text.data ? text.data : "";
    expr->u.str.len = (uint32_t)text.len;
    return fe_parse_done(p, expr, &start);
}

/* Tokens of the IR's text, one at a time. After an error the rest of the text reads as its
 * end, so that every loop over tokens stops and only the first error is reported. */
#ifndef JR_IR_LEX_H
#define JR_IR_LEX_H

#include "ir/text/text.h"

typedef enum IrTokenKind {
    IR_TOKEN_END,
    IR_TOKEN_LINE,   /* the end of a line that had a token on it */
    IR_TOKEN_NAME,   /* add, rt.print_int, float64 */
    IR_TOKEN_REG,    /* %x, %x.1, %12, %"odd name" */
    IR_TOKEN_NUMBER, /* -1, 0.5, inf, nan(0x7ff8000000000001) */
    IR_TOKEN_STRING, /* with its quotes */
    IR_TOKEN_SPAN,   /* @4:5-12 */
    IR_TOKEN_MARK,   /* one byte, or -> */
} IrTokenKind;

typedef struct IrToken {
    IrTokenKind kind;
    const char *text;
    size_t len;
    int32_t line, col;
} IrToken;

typedef struct IrLexer {
    JrDiags *diags;
    const char *at, *end, *line_start;
    int32_t line;
    IrToken token; /* the current one */
    bool failed;
} IrLexer;

void ir_lex_start(IrLexer *lex, const JrSource *source, JrDiags *diags);
void ir_lex_next(IrLexer *lex);
/* Whether the current token is this name or mark. */
bool ir_lex_is(const IrLexer *lex, const char *text);
/* Takes it if so. */
bool ir_lex_accept(IrLexer *lex, const char *text);
void ir_lex_expect(IrLexer *lex, const char *text);
/* An error at the current token. */
void ir_lex_error(IrLexer *lex, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ir_lex_error_expected(IrLexer *lex, const char *what);
/* Takes a type, such as float64[:, ::1], starting at the current token. */
IrType ir_lex_type(IrLexer *lex);
JrSpan ir_lex_span(IrLexer *lex); /* takes a span if there is one */
/* Takes a string; the text is in the arena. NULL after an error. */
const char *ir_lex_string(IrLexer *lex, uint32_t *len);

#endif

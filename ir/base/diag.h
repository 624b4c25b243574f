/* Diagnostics: what the compiler has to say about a source text, as values with a place.
 *
 * Every stage adds to one JrDiags; the CLI and the API read it. Messages start in lower case,
 * name what is wrong in the user's words, and a `help` says what to write instead. */
#ifndef JR_IR_BASE_DIAG_H
#define JR_IR_BASE_DIAG_H

#include "ir/base/table.h"

typedef struct JrSource {
    const char *name; /* as the user named it: a path, "<stdin>", "<string>" */
    const char *text; /* NUL-terminated; borrowed, must outlive the compilation */
    size_t len;
    int32_t first_line; /* added to every line number; 0 for a whole file */
} JrSource;

/* A place in a source text. Lines and columns count from 1, columns in bytes; 0 is "none".
 * end_col is one past the last byte on `line` (spans over several lines end with the line). */
typedef struct JrSpan {
    int32_t line, col, end_col;
} JrSpan;

typedef enum { JR_SEVERITY_ERROR, JR_SEVERITY_WARNING, JR_SEVERITY_NOTE } JrSeverity;

typedef struct JrDiag {
    struct JrDiag *next;
    JrSeverity severity;
    JrSpan span;
    const char *message;
    size_t message_len;   /* it may hold zeros; 0: up to the first one */
    const char *help;     /* or NULL */
    struct JrDiag *notes; /* other places with a message each */
} JrDiag;

enum { JR_DIAGS_MAX_ERRORS = 20 };

typedef struct JrDiags {
    JrArena *arena;
    const JrSource *source;
    JrDiag *first, **last;
    uint32_t errors, warnings;
    bool full; /* the error limit was reached: the stage should stop */
} JrDiags;

void jr_diags_init(JrDiags *diags, JrArena *arena, const JrSource *source);

/* Add one. A second error on the same line and column is dropped, and so is everything past the
 * limit; the result is never NULL, so that help and notes can be added unseen. */
JrDiag *jr_diag_error(JrDiags *diags, JrSpan span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
JrDiag *jr_diag_warning(JrDiags *diags, JrSpan span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void jr_diag_help(JrDiags *diags, JrDiag *diag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void jr_diag_note(JrDiags *diags, JrDiag *diag, JrSpan span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The picture a person sees: `file:line:col: error: message`, the source line, a caret under the
 * span, `help:` and the notes. */
void jr_diag_render(const JrDiags *diags, const JrDiag *diag, JrText *out);
/* All of them as one JSON array (docs/cli.md describes the fields). */
void jr_diags_render_json(const JrDiags *diags, JrText *out);

/* Writes a JSON string literal. */
void jr_text_json(JrText *out, const char *string);
void jr_text_json_bytes(JrText *out, const char *string, size_t len);

/* The name in names[0..count) closest to `name` by edit distance, or NULL when none is near
 * enough to be what was meant. */
const char *jr_nearest(const char *name, const char *const *names, uint32_t count);

#endif

#include "ir/base/diag.h"

#include <string.h>

void jr_diags_init(JrDiags *diags, JrArena *arena, const JrSource *source) {
    *diags = (JrDiags){.arena = arena, .source = source};
    diags->last = &diags->first;
}

/* ---- Adding ---- */

static bool is_repeated(const JrDiags *diags, const JrDiag *diag) {
    for (const JrDiag *old = diags->first; old; old = old->next) {
        if (old->severity != diag->severity || old->span.line != diag->span.line) continue;
        if (old->span.col != diag->span.col) continue;
        if (diag->severity == JR_SEVERITY_ERROR && diag->span.line > 0) return true;
        if (strcmp(old->message, diag->message) == 0) return true;
    }
    return false;
}

static JrDiag *add(JrDiags *diags, JrSeverity severity, JrSpan span, const char *format,
                   va_list args) {
    JrDiag *diag = JR_NEW(diags->arena, JrDiag);
    diag->severity = severity;
    diag->span = span;
    diag->message = jr_arena_vprintf(diags->arena, format, args);
    if (diags->full || is_repeated(diags, diag)) return diag;
    *diags->last = diag;
    diags->last = &diag->next;
    if (severity == JR_SEVERITY_WARNING)
        diags->warnings++;
    else if (++diags->errors >= JR_DIAGS_MAX_ERRORS)
        diags->full = true;
    return diag;
}

JrDiag *jr_diag_error(JrDiags *diags, JrSpan span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    JrDiag *diag = add(diags, JR_SEVERITY_ERROR, span, format, args);
    va_end(args);
    return diag;
}

JrDiag *jr_diag_warning(JrDiags *diags, JrSpan span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    JrDiag *diag = add(diags, JR_SEVERITY_WARNING, span, format, args);
    va_end(args);
    return diag;
}

void jr_diag_help(JrDiags *diags, JrDiag *diag, const char *format, ...) {
    va_list args;
    va_start(args, format);
    diag->help = jr_arena_vprintf(diags->arena, format, args);
    va_end(args);
}

void jr_diag_note(JrDiags *diags, JrDiag *diag, JrSpan span, const char *format, ...) {
    JrDiag *note = JR_NEW(diags->arena, JrDiag), **last = &diag->notes;
    va_list args;
    va_start(args, format);
    note->message = jr_arena_vprintf(diags->arena, format, args);
    va_end(args);
    note->severity = JR_SEVERITY_NOTE;
    note->span = span;
    while (*last)
        last = &(*last)->next;
    *last = note;
}

/* ---- UTF-8 ---- */

/* The length of the well-formed character at text, its code point in *code; 0 if there is
 * none. */
static size_t utf8_next(const char *text, size_t len, uint32_t *code) {
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text;
    if (!len) return 0;
    *code = byte[0];
    if (byte[0] < 0x80) return 1;
    size_t size = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || size > len) return 0;
    *code &= 0xffu >> (size + 1);
    for (size_t i = 1; i < size; i++) {
        if ((byte[i] & 0xc0) != 0x80) return 0;
        *code = *code << 6 | (byte[i] & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < LEAST[size] || *code > 0x10ffff || surrogate ? 0 : size;
}

/* Columns a terminal gives a character: East Asian ones take two, combining marks none. */
static unsigned char_width(uint32_t code) {
    static const struct {
        uint32_t first, last;
        unsigned width;
    } RANGES[] = {
        {0x0300, 0x036f, 0}, {0x1100, 0x115f, 2}, {0x200b, 0x200f, 0},   {0x2e80, 0xa4cf, 2},
        {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2}, {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++)
        if (code >= RANGES[i].first && code <= RANGES[i].last) return RANGES[i].width;
    return 1;
}

/* ---- The picture ----
 *
 *     k.src:3:9: error: unknown name 'foo'
 *        3 |     x = foo(1)
 *          |         ^~~
 *     help: did you mean 'for'?
 *
 * The source line is shown as it stands, tabs too; the caret's line repeats its tabs, so that
 * the two agree whatever a tab is worth. Control characters and malformed UTF-8 show as '?'.
 * Of a long line only the part around the span is shown. */

enum { WINDOW = 160, LEAD = 60 }; /* bytes of a long line shown; of these, before the span */

typedef struct Line {
    const char *text;
    size_t len;
} Line;

static bool find_line(const JrSource *source, int32_t number, Line *line) {
    if (!source || number < 1) return false;
    const char *at = source->text, *end = at + source->len;
    for (int32_t i = 1; i < number; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at) return false;
        at++;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop) stop = end;
    if (stop > at && stop[-1] == '\r') stop--;
    *line = (Line){at, (size_t)(stop - at)};
    return true;
}

static bool is_continuation(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Cuts a long line to a window that holds the span's start; *col moves along. */
static void clip(Line *line, size_t *col, size_t *end_col) {
    if (line->len <= WINDOW) return;
    size_t from = *col > LEAD ? *col - LEAD : 0;
    if (from > line->len - WINDOW) from = line->len - WINDOW;
    while (from < line->len && is_continuation(line->text[from]))
        from++;
    size_t len = line->len - from < WINDOW ? line->len - from : WINDOW;
    while (len && from + len < line->len && is_continuation(line->text[from + len]))
        len--;
    *line = (Line){line->text + from, len};
    *col = *col > from ? *col - from : 0;
    *end_col = *end_col > from ? *end_col - from : 0;
}

static size_t show_char(JrText *out, const char *text, size_t len, unsigned *width) {
    uint32_t code = 0;
    size_t size = utf8_next(text, len, &code);
    bool shown = size && (code == '\t' || (code >= 0x20 && (code < 0x7f || code >= 0xa0)));
    *width = shown ? char_width(code) : 1;
    if (out && shown)
        jr_text_add(out, text, size);
    else if (out)
        jr_text_puts(out, "?");
    return size ? size : 1;
}

static void render_text(const Line *line, JrText *out) {
    unsigned width;
    for (size_t i = 0; i < line->len;)
        i += show_char(out, line->text + i, line->len - i, &width);
}

static void repeat(JrText *out, const char *what, unsigned n) {
    while (n--)
        jr_text_puts(out, what);
}

/* Blanks up to byte offset col, then a caret and tildes up to end_col. */
static void render_caret(const Line *line, size_t col, size_t end_col, JrText *out) {
    unsigned width;
    size_t i = 0;
    while (i < line->len && i < col) {
        bool tab = line->text[i] == '\t';
        i += show_char(NULL, line->text + i, line->len - i, &width);
        repeat(out, tab ? "\t" : " ", tab ? 1 : width);
    }
    jr_text_puts(out, "^");
    unsigned total = 0;
    while (i < line->len && i < end_col) {
        i += show_char(NULL, line->text + i, line->len - i, &width);
        total += width;
    }
    repeat(out, "~", total ? total - 1 : 0);
}

static void render_source(const JrDiags *diags, JrSpan span, JrText *out) {
    Line line;
    if (!find_line(diags->source, span.line, &line) || span.col < 1) return;
    size_t col = (size_t)span.col - 1;
    size_t end_col = span.end_col > span.col ? (size_t)span.end_col - 1 : col + 1;
    clip(&line, &col, &end_col);
    jr_text_printf(out, "%5d | ", span.line + diags->source->first_line);
    render_text(&line, out);
    jr_text_puts(out, "\n      | ");
    render_caret(&line, col, end_col, out);
    jr_text_puts(out, "\n");
}

static const char *const SEVERITIES[] = {"error", "warning", "note"};

static const char *source_name(const JrDiags *diags) {
    return diags->source && diags->source->name ? diags->source->name : "<string>";
}

static int32_t shown_line(const JrDiags *diags, JrSpan span) {
    return span.line + (span.line > 0 && diags->source ? diags->source->first_line : 0);
}

static void render_one(const JrDiags *diags, const JrDiag *diag, JrText *out) {
    jr_text_puts(out, source_name(diags));
    if (diag->span.line > 0) jr_text_printf(out, ":%d", shown_line(diags, diag->span));
    if (diag->span.line > 0 && diag->span.col > 0) jr_text_printf(out, ":%d", diag->span.col);
    jr_text_printf(out, ": %s: ", SEVERITIES[diag->severity]);
    jr_text_add(out, diag->message,
                diag->message_len ? diag->message_len : strlen(diag->message));
    jr_text_puts(out, "\n");
    render_source(diags, diag->span, out);
}

void jr_diag_render(const JrDiags *diags, const JrDiag *diag, JrText *out) {
    render_one(diags, diag, out);
    if (diag->help) jr_text_printf(out, "help: %s\n", diag->help);
    for (const JrDiag *note = diag->notes; note; note = note->next)
        render_one(diags, note, out);
}

/* ---- JSON ---- */

void jr_text_json(JrText *out, const char *string) {
    jr_text_json_bytes(out, string, strlen(string));
}

void jr_text_json_bytes(JrText *out, const char *string, size_t len) {
    static const char ESCAPED[] = "\"\\\b\f\n\r\t", LETTERS[] = "\"\\bfnrt";
    size_t size;
    uint32_t code = 0;
    jr_text_puts(out, "\"");
    for (size_t i = 0; i < len; i += size ? size : 1) {
        size = utf8_next(string + i, len - i, &code);
        const char *escape = size ? memchr(ESCAPED, string[i], sizeof ESCAPED - 1) : NULL;
        if (escape)
            jr_text_printf(out, "\\%c", LETTERS[escape - ESCAPED]);
        else if (!size)
            jr_text_puts(out, "\\ufffd");
        else if (code < 0x20 || code == 0x7f)
            jr_text_printf(out, "\\u%04x", code);
        else
            jr_text_add(out, string + i, size);
    }
    jr_text_puts(out, "\"");
}

static void json_place(const JrDiags *diags, JrSpan span, JrText *out) {
    jr_text_puts(out, "{\"file\": ");
    jr_text_json(out, source_name(diags));
    jr_text_printf(out, ", \"line\": %d, \"column\": %d, \"end_column\": %d",
                   shown_line(diags, span), span.col, span.end_col);
}

static void json_notes(const JrDiags *diags, const JrDiag *note, JrText *out) {
    jr_text_puts(out, ", \"notes\": [");
    for (const char *between = ""; note; note = note->next, between = ", ") {
        jr_text_puts(out, between);
        json_place(diags, note->span, out);
        jr_text_puts(out, ", \"message\": ");
        jr_text_json(out, note->message);
        jr_text_puts(out, "}");
    }
    jr_text_puts(out, "]");
}

static void json_diag(const JrDiags *diags, const JrDiag *diag, JrText *out) {
    json_place(diags, diag->span, out);
    jr_text_printf(out, ", \"severity\": \"%s\", \"message\": ", SEVERITIES[diag->severity]);
    jr_text_json(out, diag->message);
    jr_text_puts(out, ", \"help\": ");
    if (diag->help)
        jr_text_json(out, diag->help);
    else
        jr_text_puts(out, "null");
    json_notes(diags, diag->notes, out);
    jr_text_puts(out, "}");
}

void jr_diags_render_json(const JrDiags *diags, JrText *out) {
    jr_text_puts(out, "[");
    for (const JrDiag *diag = diags->first; diag; diag = diag->next) {
        jr_text_puts(out, diag == diags->first ? "\n  " : ",\n  ");
        json_diag(diags, diag, out);
    }
    jr_text_puts(out, diags->first ? "\n]\n" : "]\n");
}

/* ---- Did you mean ---- */

enum { LONGEST_NAME = 63 };

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) that turn a into b: the optimal string
 * alignment distance, with three rows of its table. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb) {
    unsigned rows[3][LONGEST_NAME + 1];
    unsigned *older = rows[0], *old = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++)
        old[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(old[j - 1] + (a[i - 1] != b[j - 1]), least(old[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = least(row[j], older[j - 2] + 1);
        }
        unsigned *spare = older;
        older = old;
        old = row;
        row = spare;
    }
    return old[nb];
}

const char *jr_nearest(const char *name, const char *const *names, uint32_t count) {
    size_t len = strlen(name);
    if (!len || len > LONGEST_NAME) return NULL;
    unsigned best = len < 6 ? 2 : (unsigned)len / 3 + 1; /* one more than is near enough */
    const char *nearest = NULL;
    for (uint32_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        if (!other || other > LONGEST_NAME) continue;
        unsigned d = distance(name, len, names[i], other);
        if (d >= best || d >= len) continue;
        best = d;
        nearest = names[i];
    }
    return nearest;
}

/* Python's identifiers: https://docs.python.org/3/reference/lexical_analysis.html#identifiers.
 * libutf8proc knows the characters; without it, names are ASCII. */
#include "frontend/syntax/unicode.h"

#include <string.h>

size_t jr_unicode_next(const char *text, size_t rest, uint32_t *code) {
    unsigned char c = (unsigned char)text[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    *code = len == 1 ? c : c & (0x7fu >> len);
    for (size_t i = 1; i < len && i < rest; i++)
        *code = *code << 6 | ((unsigned char)text[i] & 0x3f);
    return len;
}

#ifdef JITRUN_HAVE_UTF8PROC

#include <utf8proc.h>

/* What the general categories leave out: Other_ID_Start and Other_ID_Continue. */
static bool is_among(uint32_t code, const uint16_t (*ranges)[2], unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
    return false;
}

static bool is_start(uint32_t code) {
    static const uint16_t more[][2] = {
        {0x1885, 0x1886}, {0x2118, 0x2118}, {0x212e, 0x212e}, {0x309b, 0x309c}};
    if (code == '_' || is_among(code, more, 4)) return true;
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL: return true;
    default: return false;
    }
}

static bool is_part(uint32_t code) {
    static const uint16_t more[][2] = {
        {0x00b7, 0x00b7}, {0x0387, 0x0387}, {0x1369, 0x1371}, {0x19da, 0x19da}};
    if (is_start(code) || is_among(code, more, 4)) return true;
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_PC: return true;
    default: return false;
    }
}

/* A character also has to be one of a name's in the form NFKC: some letters have blanks there. */
size_t jr_unicode_name_char(const char *text, size_t rest, bool first) {
    enum { LONGEST = 32 }; /* of any character's decomposition it is 18 */
    utf8proc_int32_t codes[LONGEST];
    uint32_t code;
    size_t len = jr_unicode_next(text, rest, &code);
    if (!(first ? is_start(code) : is_part(code))) return 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)code, codes, LONGEST, UTF8PROC_COMPAT, NULL);
    if (n < 1 || n > LONGEST) return 0;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        if (!(first && i == 0 ? is_start((uint32_t)codes[i]) : is_part((uint32_t)codes[i])))
            return 0;
    return len;
}

static bool is_ascii(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (text[i] & 0x80) return false;
    return true;
}

const char *jr_unicode_name(JrArena *arena, const char *text, size_t len) {
    const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    if (is_ascii(text, len)) return jr_arena_strndup(arena, text, len);
    utf8proc_ssize_t n = utf8proc_decompose(bytes, (utf8proc_ssize_t)len, NULL, 0, form);
    utf8proc_int32_t *codes = JR_NEW_ARRAY(arena, utf8proc_int32_t, n > 0 ? (size_t)n + 1 : 1);
    n = utf8proc_decompose(bytes, (utf8proc_ssize_t)len, codes, n, form);
    if (n < 0 || utf8proc_reencode(codes, n, form) < 0)
        return jr_arena_strndup(arena, text, len);
    return (const char *)codes; /* in place: the text is no longer than the codes */
}

#else

size_t jr_unicode_name_char(const char *text, size_t rest, bool first) {
    (void)text, (void)rest, (void)first;
    return 0;
}

const char *jr_unicode_name(JrArena *arena, const char *text, size_t len) {
    return jr_arena_strndup(arena, text, len);
}

#endif

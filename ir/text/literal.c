/* Constants as text, such that every bit survives: floats print with the fewest digits that
 * read back as the same number, NaNs other than the plain one with their bits. */
#include "ir/text/text.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 63 };

/* printf and strtod write the decimal point of the host program's locale. */
typedef struct Point {
    char text[8];
    size_t len;
} Point;

static Point decimal_point(void) {
    char probe[16];
    int len = snprintf(probe, sizeof probe, "%.1f", 0.5);
    Point point = {".", 1};
    if (len < 3 || len > 8) return point;
    point.len = (size_t)len - 2;
    memcpy(point.text, probe + 1, point.len);
    point.text[point.len] = 0;
    return point;
}

/* ---- Printing ---- */

static bool reads_back(const char *text, IrScalar scalar, double value) {
    return scalar == TY_FLOAT32 ? strtof(text, NULL) == (float)value
                                : strtod(text, NULL) == value;
}

static void print_finite(IrScalar scalar, double value, JrText *out) {
    char text[40];
    bool narrow = scalar == TY_FLOAT32;
    int least = narrow ? FLT_DIG : DBL_DIG, most = narrow ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    if (fabs(value) < (narrow ? FLT_MIN : DBL_MIN)) least = 1; /* subnormals have fewer */
    for (int digits = least; digits <= most; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (reads_back(text, scalar, value)) break;
    }
    Point point = decimal_point();
    char *at = strstr(text, point.text);
    if (at) {
        jr_text_add(out, text, (size_t)(at - text));
        jr_text_puts(out, ".");
        jr_text_puts(out, at + point.len);
    } else {
        jr_text_puts(out, text);
        if (!strchr(text, 'e')) jr_text_puts(out, ".0");
    }
}

static void print_nan(IrScalar scalar, IrConst value, JrText *out) {
    uint64_t plain = scalar == TY_FLOAT32 ? 0x7fc00000u : 0x7ff8000000000000u;
    uint32_t bits32;
    memcpy(&bits32, &value.f, sizeof bits32);
    uint64_t bits = scalar == TY_FLOAT32 ? bits32 : value.u;
    if (bits == plain)
        jr_text_puts(out, "nan");
    else
        jr_text_printf(out, "nan(0x%" PRIx64 ")", bits);
}

static void print_float(IrScalar scalar, IrConst value, JrText *out) {
    double number = scalar == TY_FLOAT32 ? (double)value.f : value.d;
    if (number != number)
        print_nan(scalar, value, out);
    else if (number - number != 0)
        jr_text_puts(out, number < 0 ? "-inf" : "inf");
    else
        print_finite(scalar, number, out);
}

void ir_string_print(const char *bytes, size_t len, JrText *out) {
    jr_text_puts(out, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            jr_text_printf(out, "\\%c", c);
        else if (c == '\n')
            jr_text_puts(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            jr_text_printf(out, "\\x%02x", c);
        else
            jr_text_add(out, bytes + i, 1);
    }
    jr_text_puts(out, "\"");
}

void ir_literal_print(IrScalar scalar, IrConst value, JrText *out) {
    switch (ir_scalar_class(scalar)) {
    case 'B': jr_text_puts(out, value.i ? "true" : "false"); return;
    case 'I': jr_text_printf(out, "%" PRId64, value.i); break;
    case 'U': jr_text_printf(out, "%" PRIu64, value.u); break;
    case 'F': print_float(scalar, value, out); break;
    default:
        if (scalar == TY_STR)
            ir_string_print(value.str.bytes, value.str.len, out);
        else
            jr_text_puts(out, "none");
        return;
    }
    if (scalar != TY_INT64 && scalar != TY_FLOAT64)
        jr_text_printf(out, ":%s", ir_scalar_name(scalar));
}

/* ---- Reading ---- */

static const char *parse_int(const char *text, IrScalar scalar, IrConst *value) {
    char *end;
    unsigned shift = 64 - 8 * ir_scalar_size(scalar);
    errno = 0;
    if (ir_scalar_is_signed(scalar))
        value->i = strtoll(text, &end, 10);
    else
        value->u = strtoull(text, &end, 10);
    if (*end || end == text) return "not an integer";
    bool narrow = ir_scalar_is_signed(scalar)
                      ? value->i == (int64_t)(value->u << shift) >> shift
                      : value->u == value->u << shift >> shift && text[0] != '-';
    return errno || !narrow ? "the integer does not fit its type" : NULL;
}

static const char *parse_nan(const char *text, IrScalar scalar, IrConst *value) {
    uint64_t bits = scalar == TY_FLOAT32 ? 0x7fc00000u : 0x7ff8000000000000u;
    if (text[3]) {
        char *end;
        errno = 0;
        bits = strtoull(text + 4, &end, 16);
        if (errno || strncmp(text + 3, "(0x", 3) != 0 || strcmp(end, ")") != 0)
            return "a NaN is nan or nan(0xBITS)";
    }
    value->u = bits;
    bool is_nan = value->d != value->d;
    if (scalar == TY_FLOAT32) {
        uint32_t narrow = (uint32_t)bits;
        memcpy(&value->f, &narrow, sizeof narrow);
        is_nan = value->f != value->f && narrow == bits;
    }
    return is_nan ? NULL : "these bits are not a NaN of the type";
}

/* text with the locale's decimal point; it has room. */
static void localise(char *text) {
    char *dot = strchr(text, '.');
    Point point = decimal_point();
    if (!dot) return;
    memmove(dot + point.len, dot + 1, strlen(dot + 1) + 1);
    memcpy(dot, point.text, point.len);
}

static const char *parse_float(char *text, IrScalar scalar, IrConst *value) {
    if (strncmp(text, "nan", 3) == 0) return parse_nan(text, scalar, value);
    char *end;
    localise(text);
    double number = scalar == TY_FLOAT32 ? (double)strtof(text, &end) : strtod(text, &end);
    if (*end || end == text) return "not a number";
    bool said_inf = strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0;
    if (number - number != 0 && !said_inf) return "the number does not fit its type";
    if (scalar == TY_FLOAT32)
        value->f = (float)number;
    else
        value->d = number;
    return NULL;
}

const char *ir_literal_parse(const char *text, size_t len, IrScalar scalar, IrConst *value) {
    char copy[LONGEST_NUMBER + 9]; /* room for a long decimal point */
    if (len > LONGEST_NUMBER) return "the number is too long";
    memcpy(copy, text, len);
    copy[len] = 0;
    *value = (IrConst){.u = 0};
    switch (ir_scalar_class(scalar)) {
    case 'I':
    case 'U': return parse_int(copy, scalar, value);
    case 'F': return parse_float(copy, scalar, value);
    default: return "a number cannot have this type";
    }
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ir_string_parse(const char *text, size_t len, char *out, uint32_t *out_len) {
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\\') {
            out[n++] = text[i];
            continue;
        }
        if (++i == len) return false;
        if (text[i] == '"' || text[i] == '\\') {
            out[n++] = text[i];
        } else if (text[i] == 'n') {
            out[n++] = '\n';
        } else {
            if (text[i] != 'x' || len - i < 3) return false;
            int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) return false;
            out[n++] = (char)(high << 4 | low);
            i += 2;
        }
    }
    *out_len = n;
    return true;
}

/* Arrays as NumPy prints them.
 *
 * Two passes over the elements that are shown. The first finds one layout for all of them: the
 * width of integers; for floats whether they need exponents (a value of 1e8 and more, one
 * below 1e-4, or a ratio above 1000) and how much stands before and after the point, with at
 * most 8 digits after it. The second writes rows in nested brackets: the innermost axis flows
 * into lines of 75 columns, each outer axis puts newlines between its parts, one more per
 * level.
 *
 * Arrays of more than 1000 elements show the first and last three of each axis longer than
 * six. */
#include "runtime/rt/array.h"
#include "runtime/rt/format.h"
#include "runtime/rt/rt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { THRESHOLD = 1000, EDGE = 3, LINE_WIDTH = 75, PRECISION = 8, WORD = 64, LINE = 256 };

typedef struct Printer {
    JrThread *thread;
    IrType type;
    const JrArray *array;
    bool summarise;
    const char *separator; /* " " or ", " */
    int width, indent;     /* columns of a line; of what stands before the outermost bracket */
    int column;            /* where the text written so far ends */
    /* The layout. */
    bool exponents;
    int left, right; /* characters before and after the point; ints have only left */
    int exponent_digits;
} Printer;

/* ---- Elements ---- */

static int64_t item_int(IrScalar scalar, const char *at) {
    switch (scalar) {
#define JR_TYPE(ID, name, ctype, bytes, cls) \
    case TY_##ID: {                          \
        ctype value;                         \
        memcpy(&value, at, sizeof value);    \
        return (int64_t)value;               \
    }
#include "ir/types.def"
#undef JR_TYPE
    default: return 0;
    }
}

static double item_float(IrScalar scalar, const char *at) {
    double d;
    float f;
    if (scalar == TY_FLOAT64) return memcpy(&d, at, sizeof d), d;
    return memcpy(&f, at, sizeof f), f;
}

/* How many of an axis's elements are shown, and which the i-th shown one is. */
static bool cut(const Printer *p, int64_t dim) {
    return p->summarise && dim > 2 * EDGE;
}

static int64_t shown(const Printer *p, int64_t dim) {
    return cut(p, dim) ? 2 * EDGE : dim;
}

static int64_t shown_index(const Printer *p, int64_t dim, int64_t i) {
    return cut(p, dim) && i >= EDGE ? dim - 2 * EDGE + i : i;
}

static const char *part_at(const Printer *p, unsigned axis, const char *at, int64_t i) {
    int64_t stride = p->array->dims[p->type.ndim + axis];
    int64_t index = shown_index(p, p->array->dims[axis], i);
    return at + index * stride * (int64_t)ir_scalar_size((IrScalar)p->type.scalar);
}

typedef void Visit(Printer *p, const char *at, void *state);

static void visit(Printer *p, unsigned axis, const char *at, Visit *each, void *state) {
    if (axis == p->type.ndim) {
        each(p, at, state);
        return;
    }
    for (int64_t i = 0, n = shown(p, p->array->dims[axis]); i < n; i++)
        visit(p, axis + 1, part_at(p, axis, at, i), each, state);
}

static void visit_all(Printer *p, Visit *each, void *state) {
    visit(p, 0, p->array->data, each, state);
}

/* ---- The layout of integers ---- */

static size_t int_text(const Printer *p, const char *at, char *out) {
    IrScalar scalar = (IrScalar)p->type.scalar;
    int64_t value = item_int(scalar, at);
    return ir_scalar_is_signed(scalar) ? jr_format_int64(out, value)
                                       : jr_format_uint64(out, (uint64_t)value);
}

static void measure_int(Printer *p, const char *at, void *state) {
    (void)state;
    char text[JR_INT_CHARS];
    int len = (int)int_text(p, at, text);
    if (len > p->left) p->left = len;
}

/* ---- The layout of floats ---- */

typedef struct FloatStats {
    double least, most; /* of the sizes of finite values that are not zero */
    bool any_finite, any_special, any_negative_inf;
} FloatStats;

static void gather(Printer *p, const char *at, void *state) {
    FloatStats *stats = state;
    double x = item_float((IrScalar)p->type.scalar, at), size = fabs(x);
    if (!isfinite(x)) {
        stats->any_special = true;
        stats->any_negative_inf |= x < 0;
        return;
    }
    stats->any_finite = true;
    if (size == 0) return;
    if (stats->most == 0 || size < stats->least) stats->least = size;
    if (size > stats->most) stats->most = size;
}

/* The comparisons are made in the array's own type, as NumPy's are. */
static bool needs_exponents(IrScalar scalar, const FloatStats *stats) {
    if (stats->most == 0) return false;
    if (scalar == TY_FLOAT32) {
        float least = (float)stats->least, most = (float)stats->most;
        return most >= 1e8f || least < 0.0001f || most / least > 1000.0f;
    }
    return stats->most >= 1e8 || stats->least < 0.0001 || stats->most / stats->least > 1000.0;
}

static bool is_single(const Printer *p) {
    return p->type.scalar == TY_FLOAT32;
}

/* The shortest digits, or 8 after the point if that is fewer; before the point all of them, which is
 * more for a float32 from 2**24 up. */
static void fixed_digits(const Printer *p, JrDecimal *d, double x) {
    jr_decimal_shortest(d, x, is_single(p));
    if (d->count - d->point > PRECISION) jr_decimal_fixed(d, x, PRECISION);
    if (d->count < d->point) jr_decimal_fixed(d, x, 0);
}

/* How many digits x needs is found with its shortest form; all are then written with the most
 * that any needs, and those digits are the exact value's. */
static void exponent_digits(const Printer *p, JrDecimal *d, double x) {
    jr_decimal_shortest(d, x, is_single(p));
    if (d->count - 1 > PRECISION) jr_decimal_significant(d, x, PRECISION + 1);
}

static void grow(int *width, int needed) {
    if (needed > *width) *width = needed;
}

static void measure_float(Printer *p, const char *at, void *state) {
    (void)state;
    double x = item_float((IrScalar)p->type.scalar, at);
    JrDecimal d;
    if (!isfinite(x)) return;
    if (p->exponents) {
        exponent_digits(p, &d, x);
        grow(&p->left, 1 + d.negative);
        grow(&p->right, d.count - 1);
        int exponent = x == 0 ? 0 : d.point - 1;
        grow(&p->exponent_digits, exponent <= -100 || exponent >= 100 ? 3 : 2);
    } else {
        fixed_digits(p, &d, x);
        grow(&p->left, (d.point > 1 ? d.point : 1) + d.negative);
        grow(&p->right, d.count - d.point);
    }
}

/* What stands right of the point, exponent and all. */
static int right_width(const Printer *p) {
    return p->exponents ? p->right + 2 + p->exponent_digits : p->right;
}

static void measure(Printer *p) {
    FloatStats stats = {0};
    if (!ir_scalar_is_float((IrScalar)p->type.scalar)) {
        visit_all(p, measure_int, NULL);
        return;
    }
    visit_all(p, gather, &stats);
    p->exponents = needs_exponents((IrScalar)p->type.scalar, &stats);
    visit_all(p, measure_float, NULL);
    if (stats.any_special) grow(&p->left, 3 + stats.any_negative_inf - (right_width(p) + 1));
}

/* ---- Words: one element each, all of one width ---- */

static int write_special(const Printer *p, char *out, double x) {
    const char *text = isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
    return snprintf(out, WORD, "%*s", p->left + 1 + right_width(p), text);
}

static int write_fixed(const Printer *p, char *out, double x) {
    JrDecimal d;
    fixed_digits(p, &d, x);
    int whole = d.point > 1 ? d.point : 1, n = 0;
    for (int pad = p->left - whole - d.negative; pad > 0; pad--)
        out[n++] = ' ';
    if (d.negative) out[n++] = '-';
    int first = d.point > 0 ? 0 : d.point - 1; /* index of the first written digit */
    for (int i = first; i < first + whole || i < d.count; i++) {
        if (i == first + whole) out[n++] = '.';
        out[n++] = i >= 0 && i < d.count ? d.digits[i] : '0';
    }
    int places = d.count - d.point > 0 ? d.count - d.point : 0;
    if (places == 0) out[n++] = '.';
    for (; places < p->right; places++)
        out[n++] = ' ';
    return n;
}

static int write_exponent(const Printer *p, char *out, double x) {
    JrDecimal d;
    jr_decimal_significant(&d, x, p->right + 1);
    int n = 0;
    for (int pad = p->left - 1 - d.negative; pad > 0; pad--)
        out[n++] = ' ';
    if (d.negative) out[n++] = '-';
    out[n++] = d.digits[0];
    out[n++] = '.';
    for (int i = 1; i <= p->right; i++)
        out[n++] = i < d.count ? d.digits[i] : '0';
    int exponent = x == 0 ? 0 : d.point - 1;
    return n + sprintf(out + n, "e%c%0*d", exponent < 0 ? '-' : '+', p->exponent_digits,
                       exponent < 0 ? -exponent : exponent);
}

static int write_int(const Printer *p, char *out, const char *at) {
    char text[JR_INT_CHARS];
    int len = (int)int_text(p, at, text);
    return snprintf(out, WORD, "%*s%.*s", p->left - len, "", len, text);
}

static int write_word(const Printer *p, char *out, const char *at) {
    IrScalar scalar = (IrScalar)p->type.scalar;
    if (scalar == TY_BOOL) return sprintf(out, "%s", *at ? " True" : "False");
    if (!ir_scalar_is_float(scalar)) return write_int(p, out, at);
    double x = item_float(scalar, at);
    if (!isfinite(x)) return write_special(p, out, x);
    return p->exponents ? write_exponent(p, out, x) : write_fixed(p, out, x);
}

/* ---- Rows ---- */

static void emit(Printer *p, const char *text, size_t len) {
    jr_thread_write(p->thread, text, len);
    for (size_t i = 0; i < len; i++)
        p->column = text[i] == '\n' ? 0 : p->column + 1;
}

static void emit_str(Printer *p, const char *text) {
    emit(p, text, strlen(text));
}

static void emit_repeated(Printer *p, char c, int count) {
    for (; count > 0; count--)
        emit(p, &c, 1);
}

/* The separator without the space that a line does not end in. */
static size_t bare_separator(const Printer *p) {
    return strlen(p->separator) - 1;
}

/* The line being filled; its first `indent` columns stand for what is before it. */
typedef struct Line {
    char text[LINE];
    int len, indent, room;
    bool first; /* the indent is taken by brackets already written */
} Line;

static void line_flush(Printer *p, Line *line) {
    if (!line->first) emit_repeated(p, ' ', line->indent);
    emit(p, line->text, (size_t)line->len);
    line->len = 0;
    line->first = false;
}

/* A line that is too full for the next word ends without its trailing spaces. */
static void line_add(Printer *p, Line *line, const char *word, int len) {
    if (line->len && line->indent + line->len + len > line->room) {
        while (line->len && line->text[line->len - 1] == ' ')
            line->len--;
        line_flush(p, line);
        emit_str(p, "\n");
    }
    memcpy(line->text + line->len, word, (size_t)len);
    line->len += len;
}

static void line_separate(Printer *p, Line *line) {
    line->len += sprintf(line->text + line->len, "%s", p->separator);
}

static void print_row(Printer *p, unsigned axis, const char *at, int indent) {
    int64_t dim = p->array->dims[axis], count = shown(p, dim);
    Line line = {.indent = indent, .room = p->width - (int)axis - 1, .first = true};
    char word[WORD];
    for (int64_t i = 0; i < count; i++) {
        if (i) line_separate(p, &line);
        if (i == EDGE && cut(p, dim)) {
            line_add(p, &line, "...", 3);
            line_separate(p, &line);
        }
        line_add(p, &line, word, write_word(p, word, part_at(p, axis, at, i)));
    }
    line_flush(p, &line);
}

static void next_part(Printer *p, unsigned axis, int indent) {
    emit(p, p->separator, bare_separator(p));
    emit_repeated(p, '\n', p->type.ndim - (int)axis - 1);
    emit_repeated(p, ' ', indent);
}

static void print_axis(Printer *p, unsigned axis, const char *at) {
    int indent = p->indent + 1 + (int)axis;
    int64_t dim = p->array->dims[axis], count = shown(p, dim);
    emit_str(p, "[");
    if (axis + 1u == p->type.ndim) {
        print_row(p, axis, at, indent);
    } else {
        for (int64_t i = 0; i < count; i++) {
            if (i) next_part(p, axis, indent);
            if (i == EDGE && cut(p, dim)) {
                emit_str(p, "...");
                next_part(p, axis, indent);
            }
            print_axis(p, axis + 1, part_at(p, axis, at, i));
        }
    }
    emit_str(p, "]");
}

static Printer printer_of(JrRt *rt, const JrSlot *args, int64_t *count) {
    Printer p = {.thread = jr_thread_of(rt),
                 .type = ir_type_of_bits((uint32_t)args[0].u),
                 .array = args[1].cp,
                 .separator = " ",
                 .width = LINE_WIDTH};
    *count = 0;
    jr_shape_count(p.array->dims, p.type.ndim, 1, count);
    p.summarise = *count > THRESHOLD;
    return p;
}

static void print_body(Printer *p, int64_t count) {
    if (count == 0) {
        emit_str(p, "[]");
        return;
    }
    measure(p);
    print_axis(p, 0, p->array->data);
}

JR_RT_FN(print_array) {
    int64_t count;
    Printer p = printer_of(rt, args, &count);
    print_body(&p, count);
    return 0;
}

/* ---- repr ---- */

/* ", shape=(0, 3)", which an empty array needs unless it is (0,). */
static void print_shape(Printer *p) {
    char text[JR_INT_CHARS];
    if (p->type.ndim == 1) return;
    emit_str(p, ", shape=(");
    for (unsigned i = 0; i < p->type.ndim; i++) {
        if (i) emit_str(p, ", ");
        emit(p, text, jr_format_int64(text, p->array->dims[i]));
    }
    emit_str(p, ")");
}

/* Types that the elements show by themselves are not named. */
static bool type_is_implied(IrType type, int64_t count) {
    return count > 0 &&
           (type.scalar == TY_BOOL || type.scalar == TY_INT64 || type.scalar == TY_FLOAT64);
}

JR_RT_FN(print_array_repr) {
    static const char head[] = "array(";
    int64_t count;
    Printer p = printer_of(rt, args, &count);
    p.separator = ", ";
    p.indent = sizeof head - 1;
    p.width = LINE_WIDTH - 1; /* the bracket or comma behind it */
    emit_str(&p, head);
    print_body(&p, count);
    if (count == 0) print_shape(&p);
    if (type_is_implied(p.type, count)) {
        emit_str(&p, ")");
        return 0;
    }
    char type[32];
    int len =
        snprintf(type, sizeof type, "dtype=%s)", ir_scalar_name((IrScalar)p.type.scalar));
    emit_str(&p, ",");
    emit_str(&p, p.column + len + 1 > LINE_WIDTH ? "\n      " : " ");
    emit(&p, type, (size_t)len);
    return 0;
}

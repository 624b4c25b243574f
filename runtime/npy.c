/* The file: "\x93NUMPY", two bytes of version, the header's length in two bytes (1.0) or four,
 * little-endian, then the header, the text of a Python dict:
 *
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
 *
 * padded so that the elements, which are all that follows, start at a multiple of 64. */
#include "runtime/npy.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAGIC = 6, MOST_HEADER = 10000, GROWTH_DIGITS = 21 };
static const char magic[] = "\x93NUMPY";

typedef struct Why {
    char *text;
    size_t room;
} Why;

static bool refuse(Why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(Why *why, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(why->text, why->room, format, list);
    va_end(list);
    return false;
}

/* ---- The header's text ---- */

typedef struct Header {
    const char *p, *end;
    Why *why;
    char order;
    bool fortran;
    bool has_descr, has_order, has_shape;
    JrNpy *out;
} Header;

static bool malformed(Header *h, const char *expected) {
    return refuse(h->why, "its header is damaged: %s expected", expected);
}

static void skip_spaces(Header *h) {
    while (h->p < h->end && isspace((unsigned char)*h->p))
        h->p++;
}

static bool accept(Header *h, char c) {
    skip_spaces(h);
    if (h->p == h->end || *h->p != c) return false;
    h->p++;
    return true;
}

static bool accept_word(Header *h, const char *word) {
    size_t len = strlen(word);
    skip_spaces(h);
    if ((size_t)(h->end - h->p) < len || memcmp(h->p, word, len) != 0) return false;
    h->p += len;
    return true;
}

/* Cut to room; what cannot be shown in a message reads as '?'. */
static bool read_string(Header *h, char *out, size_t room) {
    skip_spaces(h);
    char quote = accept(h, '"') ? '"' : '\'';
    if (quote == '\'' && !accept(h, '\'')) return malformed(h, "a string");
    size_t len = 0;
    for (; h->p < h->end && *h->p != quote; h->p++)
        if (len + 1 < room) out[len++] = *h->p >= ' ' && *h->p < 127 ? *h->p : '?';
    out[len] = '\0';
    return accept(h, quote) || malformed(h, "the end of a string");
}

static bool read_number(Header *h, int64_t *out) {
    int64_t value = 0;
    skip_spaces(h);
    const char *start = h->p;
    for (; h->p < h->end && isdigit((unsigned char)*h->p); h->p++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *h->p - '0', &value))
            return refuse(h->why, "its shape does not fit 64 bits");
    if (h->p == start) return malformed(h, "a dimension");
    accept(h, 'L'); /* written by Python 2 */
    *out = value;
    return true;
}

/* ---- descr ---- */

typedef struct Kind {
    const char *code;
    const char *what;
} Kind;

static const Kind refused[] = {
    {"O", "Python objects"},
    {"c", "complex numbers"},
    {"S", "byte strings"},
    {"a", "byte strings"},
    {"U", "text"},
    {"V", "raw records"},
    {"M", "dates"},
    {"m", "time differences"},
    {"f2", "float16 numbers"},
    {"f16", "long doubles"},
    {"f12", "long doubles"},
};

static IrScalar scalar_of(const char *code) {
    static const struct {
        const char *code;
        IrScalar scalar;
    } known[] = {
        {"b1", TY_BOOL},   {"i1", TY_INT8},    {"i2", TY_INT16},   {"i4", TY_INT32},
        {"i8", TY_INT64},  {"u1", TY_UINT8},   {"u2", TY_UINT16},  {"u4", TY_UINT32},
        {"u8", TY_UINT64}, {"f4", TY_FLOAT32}, {"f8", TY_FLOAT64},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(code, known[i].code) == 0) return known[i].scalar;
    return TY_NONE;
}

static bool refuse_kind(Header *h, const char *descr, const char *code) {
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strncmp(code, refused[i].code, strlen(refused[i].code)) == 0)
            return refuse(h->why,
                          "it holds %s (dtype '%s'); bool, integers, float32 and float64 can "
                          "be read",
                          refused[i].what, descr);
    return refuse(h->why, "its dtype '%s' is not known", descr);
}

static bool read_descr(Header *h) {
    char descr[32];
    skip_spaces(h);
    if (h->p < h->end && *h->p == '[')
        return refuse(h->why, "it holds records with named fields; save each field by itself");
    if (!read_string(h, descr, sizeof descr)) return false;
    const char *code = descr + (*descr && strchr("<>|=", *descr) != NULL);
    h->order = *descr;
    h->out->scalar = scalar_of(code);
    return h->out->scalar != TY_NONE || refuse_kind(h, descr, code);
}

/* ---- The other keys ---- */

static bool read_order(Header *h) {
    if (accept_word(h, "True")) return h->fortran = true;
    return accept_word(h, "False") || malformed(h, "True or False");
}

static bool read_shape(Header *h) {
    JrNpy *out = h->out;
    if (!accept(h, '(')) return malformed(h, "a shape");
    for (out->ndim = 0; !accept(h, ')'); out->ndim++) {
        if (out->ndim && !accept(h, ',')) return malformed(h, "',' or ')'");
        if (out->ndim && accept(h, ')')) break;
        if (out->ndim == IR_MAX_DIMS)
            return refuse(h->why, "it has more than %d dimensions", IR_MAX_DIMS);
        if (!read_number(h, &out->dims[out->ndim])) return false;
    }
    return true;
}

static bool read_entry(Header *h) {
    char key[32];
    if (!read_string(h, key, sizeof key)) return false;
    if (!accept(h, ':')) return malformed(h, "':'");
    if (strcmp(key, "descr") == 0) return h->has_descr = read_descr(h);
    if (strcmp(key, "fortran_order") == 0) return h->has_order = read_order(h);
    if (strcmp(key, "shape") == 0) return h->has_shape = read_shape(h);
    return refuse(h->why, "its header is damaged: the key '%.20s' is not known", key);
}

static bool read_dict(Header *h) {
    if (!accept(h, '{')) return malformed(h, "'{'");
    while (!accept(h, '}')) {
        if (!read_entry(h)) return false;
        if (!accept(h, ',') && (skip_spaces(h), h->p == h->end || *h->p != '}'))
            return malformed(h, "',' or '}'");
    }
    skip_spaces(h);
    if (h->p != h->end) return malformed(h, "the end of the header");
    if (!h->has_descr) return malformed(h, "the key 'descr'");
    if (!h->has_order) return malformed(h, "the key 'fortran_order'");
    return h->has_shape || malformed(h, "the key 'shape'");
}

/* ---- Reading ---- */

static bool read_exactly(FILE *file, void *into, size_t bytes, Why *why, const char *what) {
    if (fread(into, 1, bytes, file) == bytes) return true;
    if (ferror(file)) return refuse(why, "it cannot be read: %m");
    return refuse(why, "it ends in the middle of its %s", what);
}

static bool read_header_size(FILE *file, uint32_t *size, Why *why) {
    unsigned char head[MAGIC + 2], length[4] = {0};
    size_t got = fread(head, 1, sizeof head, file);
    if (ferror(file)) return refuse(why, "it cannot be read: %m");
    if (got < sizeof head || memcmp(head, magic, MAGIC) != 0)
        return refuse(why, "it is not a .npy file");
    int version = head[MAGIC];
    if (version < 1 || version > 3 || head[MAGIC + 1] != 0)
        return refuse(why, "its format %d.%d is not known; 1.0, 2.0 and 3.0 are", version,
                      head[MAGIC + 1]);
    if (!read_exactly(file, length, version == 1 ? 2 : 4, why, "header")) return false;
    *size = length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 |
            (uint32_t)length[3] << 24;
    return *size <= MOST_HEADER ||
           refuse(why, "its header claims %" PRIu32 " bytes, and %d are allowed", *size,
                  MOST_HEADER);
}

static void set_strides(JrNpy *array, bool fortran) {
    if (!fortran) {
        jr_shape_strides(array->dims, array->ndim, array->strides);
        return;
    }
    uint64_t stride = 1;
    for (unsigned i = 0; i < array->ndim; i++) {
        array->strides[i] = (int64_t)stride;
        stride *= (uint64_t)array->dims[i];
    }
}

static bool read_header(FILE *file, JrNpy *out, bool *swap, Why *why) {
    char text[MOST_HEADER];
    uint32_t size = 0;
    if (!read_header_size(file, &size, why) || !read_exactly(file, text, size, why, "header"))
        return false;
    Header header = {.p = text, .end = text + size, .why = why, .out = out};
    if (!read_dict(&header)) return false;
    char foreign = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<';
    *swap = header.order == foreign;
    set_strides(out, header.fortran);
    return true;
}

static void swap_items(unsigned char *data, size_t bytes, unsigned size) {
    for (size_t at = 0; at < bytes; at += size)
        for (unsigned i = 0; i < size / 2; i++) {
            unsigned char byte = data[at + i];
            data[at + i] = data[at + size - 1 - i];
            data[at + size - 1 - i] = byte;
        }
}

/* Compiled code relies on a bool being 0 or 1. */
static void settle_items(JrNpy *out, size_t bytes, bool swap) {
    unsigned char *data = out->data;
    if (swap) swap_items(data, bytes, ir_scalar_size(out->scalar));
    for (size_t i = 0; out->scalar == TY_BOOL && i < bytes; i++)
        data[i] = data[i] != 0;
}

static bool read_data(FILE *file, JrHeap *heap, JrNpy *out, bool swap, Why *why) {
    struct stat info;
    int64_t count, size = ir_scalar_size(out->scalar);
    if (!jr_shape_count(out->dims, out->ndim, (unsigned)size, &count))
        return refuse(why, "its shape does not fit 64 bits");
    if (fstat(fileno(file), &info) != 0) return refuse(why, "it cannot be read: %m");
    int64_t there = (int64_t)info.st_size - (int64_t)ftell(file), bytes = count * size;
    if (there < bytes)
        return refuse(
            why, "its header promises %" PRId64 " bytes of data, and %" PRId64 " are there",
            bytes, there);
    JrBuffer *buffer = jr_buffer_new(heap, (size_t)bytes, false);
    if (!buffer) return refuse(why, "there is no memory for its %" PRId64 " bytes", bytes);
    out->owner = buffer;
    out->data = jr_buffer_data(buffer);
    if (!read_exactly(file, out->data, (size_t)bytes, why, "data")) {
        jr_rt_release(buffer);
        return false;
    }
    settle_items(out, (size_t)bytes, swap);
    return true;
}

/* Asked before opening, which waits on a pipe. */
static bool check_regular(const char *path, Why *why) {
    struct stat info;
    if (stat(path, &info) != 0) return refuse(why, "it cannot be opened: %m");
    return S_ISREG(info.st_mode) || refuse(why, "it is not a regular file");
}

bool jr_npy_read(const char *path, JrHeap *heap, JrNpy *out, char *why_text, size_t room) {
    Why why = {why_text, room};
    JrNpy array = {0};
    bool swap = false;
    if (!check_regular(path, &why)) return false;
    FILE *file = fopen(path, "rbe");
    if (!file) return refuse(&why, "it cannot be opened: %m");
    bool done =
        read_header(file, &array, &swap, &why) && read_data(file, heap, &array, swap, &why);
    fclose(file);
    if (done) *out = array;
    return done;
}

/* ---- Writing ---- */

static size_t write_shape(char *text, const JrNpy *array) {
    size_t len = 0;
    text[len++] = '(';
    for (unsigned i = 0; i < array->ndim; i++)
        len += (size_t)sprintf(text + len, i ? ", %" PRId64 : "%" PRId64, array->dims[i]);
    return len + (size_t)sprintf(text + len, array->ndim == 1 ? ",)" : ")");
}

static int decimal_digits(int64_t value) {
    return snprintf(NULL, 0, "%" PRId64, value);
}

/* NumPy leaves room for the first dimension to grow in place, and so do we: the files are the
 * same to the byte. Returns the length with the newline. */
static size_t make_header(char *text, const JrNpy *array) {
    unsigned size = ir_scalar_size(array->scalar);
    char class = ir_scalar_class(array->scalar);
    char kind = class == 'B' ? 'b' : class == 'I' ? 'i' : class == 'U' ? 'u' : 'f';
    char host = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    size_t len = (size_t)sprintf(text, "{'descr': '%c%c%u', 'fortran_order': False, 'shape': ",
                                 size == 1 ? '|' : host, kind, size);
    len += write_shape(text + len, array);
    len += (size_t)sprintf(text + len, ", }");
    size_t pad = array->ndim ? (size_t)(GROWTH_DIGITS - decimal_digits(array->dims[0])) : 0;
    pad += 64 - (MAGIC + 4 + len + pad + 1) % 64;
    memset(text + len, ' ', pad);
    text[len + pad] = '\n';
    return len + pad + 1;
}

static bool write_header(FILE *file, const JrNpy *array) {
    char text[1024];
    size_t len = make_header(text, array);
    unsigned char head[MAGIC + 4] = {[MAGIC] = 1,
                                     [MAGIC + 2] = (unsigned char)(len & 0xff),
                                     [MAGIC + 3] = (unsigned char)(len >> 8)};
    memcpy(head, magic, MAGIC);
    return fwrite(head, 1, sizeof head, file) == sizeof head &&
           fwrite(text, 1, len, file) == len;
}

/* By elements, or by whole rows where they are contiguous. */
static bool write_data(FILE *file, const JrNpy *array) {
    JrArrayRoom view;
    size_t size = ir_scalar_size(array->scalar), ndim = array->ndim;
    view.array.data = array->data;
    memcpy(view.array.dims, array->dims, ndim * sizeof(int64_t));
    memcpy(view.array.dims + ndim, array->strides, ndim * sizeof(int64_t));
    JrWalk w = jr_walk(ir_array(array->scalar, array->ndim, LAYOUT_ANY), &view.array);
    if (ndim && array->strides[ndim - 1] == 1) {
        size *= (size_t)array->dims[ndim - 1];
        w.ndim--;
    }
    for (; !w.done; jr_walk_next(&w))
        if (fwrite(w.at, 1, size, file) != size) return false;
    return true;
}

bool jr_npy_write(const char *path, const JrNpy *array, char *why_text, size_t room) {
    Why why = {why_text, room};
    FILE *file = fopen(path, "wbe");
    if (!file) return refuse(&why, "it cannot be created: %m");
    bool done = write_header(file, array) && write_data(file, array);
    struct stat info;
    bool regular = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode);
    if (!done) refuse(&why, "it cannot be written: %m");
    if (fclose(file) != 0 && done) done = refuse(&why, "it cannot be written: %m");
    if (!done && regular) remove(path);
    return done;
}

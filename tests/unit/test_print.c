/* print's output, to the byte. The expectations are what CPython 3.11 and NumPy print. */
#include "runtime/rt/array.h"
#include "runtime/rt/format.h"
#include "runtime/rt/rt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct FloatCase {
    double x;
    const char *expected;
} FloatCase;

typedef struct ArrayCase {
    IrScalar scalar;
    unsigned ndim;
    int64_t dims[4];
    bool ramp; /* the values are first + i * step, given as the first two */
    double values[12];
    const char *str, *repr;
} ArrayCase;

#include "tests/unit/print_cases.h"

/* ---- A sink that keeps what is printed ---- */

typedef struct Output {
    char text[16384];
    size_t len;
} Output;

static bool keep(void *user, const char *bytes, size_t len) {
    Output *output = user;
    assert_true(output->len + len < sizeof output->text);
    memcpy(output->text + output->len, bytes, len);
    output->text[output->len += len] = '\0';
    return true;
}

static const char *printed(const char *symbol, const JrSlot *args, Output *output) {
    JrThread thread;
    jr_thread_init(&thread, NULL);
    output->len = 0;
    output->text[0] = '\0';
    thread.sink = (JrSink){keep, output};
    JrRtFn fn = (JrRtFn)jr_symbol_find(jr_rt_symbols(), symbol);
    assert_int_equal(fn(&thread.rt, NULL, args, NULL), 0);
    assert_true(jr_thread_flush(&thread));
    jr_thread_clear(&thread);
    return output->text;
}

/* ---- Scalars ---- */

static void prints_float64(void **state) {
    (void)state;
    Output output;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        JrSlot arg = {.d = doubles[i].x};
        assert_string_equal(printed("jr_rt_print_float64", &arg, &output),
                            doubles[i].expected);
    }
}

static void prints_float32(void **state) {
    (void)state;
    Output output;
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        JrSlot arg = {.f = (float)singles[i].x};
        assert_string_equal(printed("jr_rt_print_float32", &arg, &output),
                            singles[i].expected);
    }
}

static void prints_in_any_locale(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++)
        if (setlocale(LC_ALL, locales[i])) break;
    prints_float64(state);
    prints_float32(state);
    setlocale(LC_ALL, "C");
}

static void prints_the_rest(void **state) {
    (void)state;
    Output output;
    JrSlot arg = {.i = INT64_MIN};
    assert_string_equal(printed("jr_rt_print_int", &arg, &output), "-9223372036854775808");
    assert_string_equal(printed("jr_rt_print_uint", &arg, &output), "9223372036854775808");
    arg.u = UINT64_MAX;
    assert_string_equal(printed("jr_rt_print_int", &arg, &output), "-1");
    assert_string_equal(printed("jr_rt_print_uint", &arg, &output), "18446744073709551615");
    arg.u = 0;
    assert_string_equal(printed("jr_rt_print_int", &arg, &output), "0");
    assert_string_equal(printed("jr_rt_print_bool", &arg, &output), "False");
    arg.b = 1;
    assert_string_equal(printed("jr_rt_print_bool", &arg, &output), "True");
    JrSlot text[2] = {{.cp = "a\0b"}, {.u = 3}};
    printed("jr_rt_print_str", text, &output);
    assert_int_equal(output.len, 3);
    assert_memory_equal(output.text, "a\0b", 3);
}

/* Doubles drawn over the whole range read back as themselves, from at most 17 digits. */
static void digits_read_back(void **state) {
    (void)state;
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double x;
        float y;
        uint32_t half = (uint32_t)bits;
        memcpy(&x, &bits, sizeof x);
        memcpy(&y, &half, sizeof y);
        char text[JR_FLOAT_CHARS + 1];
        if (isfinite(x)) {
            text[jr_format_float64(text, x)] = '\0';
            assert_true(strtod(text, NULL) == x);
        }
        if (isfinite(y)) {
            text[jr_format_float32(text, y)] = '\0';
            assert_true(strtof(text, NULL) == y);
        }
    }
}

/* ---- Arrays ---- */

static void store(IrScalar scalar, char *at, double value) {
    switch (scalar) {
#define JR_TYPE(ID, name, ctype, bytes, cls)                 \
    case TY_##ID: {                                          \
        bool top = TY_##ID == TY_UINT64 && value >= 0x1p64;  \
        ctype item = top ? (ctype)UINT64_MAX : (ctype)value; \
        memcpy(at, &item, sizeof item);                      \
        break;                                               \
    }
#include "ir/types.def"
#undef JR_TYPE
    default: break;
    }
}

/* Fills an array of the case's shape, with the axes in reverse in memory if `flipped`: what is
 * printed depends on the values and their order alone. */
static void *build(const ArrayCase *c, bool flipped, JrArrayRoom *room) {
    IrType type = ir_array(c->scalar, c->ndim, LAYOUT_ANY);
    size_t size = ir_scalar_size(c->scalar);
    int64_t count = 1, stride = 1, *strides = room->array.dims + c->ndim;
    memcpy(room->array.dims, c->dims, c->ndim * sizeof(int64_t));
    jr_shape_strides(c->dims, c->ndim, strides);
    for (unsigned i = 0; i < c->ndim; i++) {
        if (flipped) strides[i] = stride;
        stride *= c->dims[i];
        count *= c->dims[i];
    }
    room->array.data = malloc((size_t)count * size + 1);
    int64_t i = 0;
    for (JrWalk w = jr_walk(type, &room->array); !w.done; jr_walk_next(&w), i++)
        store(c->scalar, w.at,
              c->ramp ? c->values[0] + (double)i * c->values[1] : c->values[i]);
    assert_int_equal(i, count);
    return room->array.data;
}

static void check_arrays(bool flipped) {
    Output output;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        const ArrayCase *c = &arrays[i];
        JrArrayRoom room;
        void *data = build(c, flipped, &room);
        JrSlot args[2] = {{.u = ir_type_bits(ir_array(c->scalar, c->ndim, LAYOUT_ANY))},
                          {.p = &room.array}};
        assert_string_equal(printed("jr_rt_print_array", args, &output), c->str);
        assert_string_equal(printed("jr_rt_print_array_repr", args, &output), c->repr);
        free(data);
    }
}

static void prints_arrays(void **state) {
    (void)state;
    check_arrays(false);
}

static void prints_strided_arrays(void **state) {
    (void)state;
    check_arrays(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_float64),        cmocka_unit_test(prints_float32),
        cmocka_unit_test(prints_in_any_locale),  cmocka_unit_test(prints_the_rest),
        cmocka_unit_test(digits_read_back),      cmocka_unit_test(prints_arrays),
        cmocka_unit_test(prints_strided_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

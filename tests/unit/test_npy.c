/* .npy files: what is written is what np.save writes, every form is read, and a file that
 * cannot be right is refused with the reason. */
#include "runtime/npy.h"
#include "runtime/rt/rt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Fixture {
    char path[64];
    JrHeap *heap;
    char why[200];
} Fixture;

static int setup(void **state) {
    static Fixture fixture;
    strcpy(fixture.path, "jitrun-npy-XXXXXX");
    int file = mkstemp(fixture.path);
    if (file < 0) return 1;
    close(file);
    fixture.heap = jr_heap_new(NULL);
    *state = &fixture;
    return 0;
}

/* No test may leave a buffer behind. */
static int teardown(void **state) {
    Fixture *fixture = *state;
    int leaked = jr_heap_buffers(fixture->heap) != 0;
    jr_heap_unref(fixture->heap);
    unlink(fixture->path);
    return leaked;
}

static void put_file(const Fixture *f, const void *bytes, size_t len) {
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static size_t get_file(const Fixture *f, void *bytes, size_t room) {
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, room, file);
    fclose(file);
    return len;
}

/* A file of the given version, header text and data. */
static void put_npy(const Fixture *f, int version, const char *header, const void *data,
                    size_t len) {
    unsigned char bytes[4096] = "\x93NUMPY";
    size_t size = strlen(header), at = version == 1 ? 10 : 12;
    bytes[6] = (unsigned char)version;
    bytes[8] = (unsigned char)size;
    bytes[9] = (unsigned char)(size >> 8);
    memcpy(bytes + at, header, size);
    if (len) memcpy(bytes + at + size, data, len);
    put_file(f, bytes, at + size + len);
}

static bool get_npy(Fixture *f, JrNpy *out) {
    strcpy(f->why, "");
    return jr_npy_read(f->path, f->heap, out, f->why, sizeof f->why);
}

/* ---- Round trips ---- */

static void writes_what_numpy_writes(void **state) {
    Fixture *f = *state;
    double data[] = {1, 2, 3, 4, 5, 6};
    JrNpy array = {
        .scalar = TY_FLOAT64, .ndim = 2, .dims = {2, 3}, .strides = {3, 1}, .data = data};
    assert_true(jr_npy_write(f->path, &array, f->why, sizeof f->why));
    char bytes[512];
    size_t len = get_file(f, bytes, sizeof bytes);
    char expected[129] = "\x93NUMPY\x01\x00v\x00"
                         "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
    memcpy(expected, "\x93NUMPY\x01\x00v\x00", 10);
    size_t text = 10 + strlen(expected + 10);
    memset(expected + text, ' ', 127 - text);
    expected[127] = '\n';
    assert_int_equal(len, 128 + sizeof data);
    assert_memory_equal(bytes, expected, 128);
    assert_memory_equal(bytes + 128, data, sizeof data);
}

static void reads_back_every_type(void **state) {
    Fixture *f = *state;
    for (IrScalar scalar = TY_BOOL; scalar <= TY_FLOAT64; scalar++) {
        unsigned char data[64];
        for (int i = 0; i < 64; i++)
            data[i] = (unsigned char)(scalar == TY_BOOL ? i % 3 == 0 : 37 * i);
        /* Every other row of four, columns in reverse. */
        unsigned size = ir_scalar_size(scalar);
        JrNpy array = {.scalar = scalar,
                       .ndim = 2,
                       .dims = {2, 2},
                       .strides = {4, -1},
                       .data = data + size};
        assert_true(jr_npy_write(f->path, &array, f->why, sizeof f->why));
        JrNpy back;
        assert_true(get_npy(f, &back));
        assert_int_equal(back.scalar, scalar);
        assert_int_equal(back.ndim, 2);
        static const int64_t expected[] = {1, 0, 5, 4};
        for (int i = 0; i < 4; i++)
            assert_memory_equal((char *)back.data + (unsigned)i * size,
                                data + expected[i] * size, size);
        jr_rt_release(back.owner);
    }
}

static void writes_empty_arrays_and_numbers(void **state) {
    Fixture *f = *state;
    double number = 2.5;
    JrNpy array = {.scalar = TY_FLOAT64, .ndim = 0, .data = &number}, back;
    assert_true(jr_npy_write(f->path, &array, f->why, sizeof f->why));
    assert_true(get_npy(f, &back));
    assert_int_equal(back.ndim, 0);
    assert_true(*(double *)back.data == 2.5);
    jr_rt_release(back.owner);
    array.ndim = 2;
    array.dims[0] = 3;
    assert_true(jr_npy_write(f->path, &array, f->why, sizeof f->why));
    assert_true(get_npy(f, &back));
    assert_int_equal(back.dims[0], 3);
    assert_int_equal(back.dims[1], 0);
    jr_rt_release(back.owner);
}

/* ---- Forms of the header ---- */

static void reads_other_headers(void **state) {
    Fixture *f = *state;
    static const int16_t big[] = {0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0600};
    static const char *const headers[] = {
        "{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3), }\n",
        "{\"shape\":(2L,3L,),\"fortran_order\":False,\"descr\":\">i2\"}",
        " { 'fortran_order' : False , 'descr' : '>i2' , 'shape' : ( 2 , 3 ) } \n\n",
    };
    for (int version = 1; version <= 3; version++) {
        put_npy(f, version, headers[version - 1], big, sizeof big);
        JrNpy array;
        if (!get_npy(f, &array)) fail_msg("%s", f->why);
        assert_int_equal(array.scalar, TY_INT16);
        for (int i = 0; i < 6; i++)
            assert_int_equal(((int16_t *)array.data)[i], i + 1);
        jr_rt_release(array.owner);
    }
}

static void keeps_fortran_order(void **state) {
    Fixture *f = *state;
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 99};
    put_npy(f, 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", data,
            sizeof data);
    JrNpy array;
    assert_true(get_npy(f, &array));
    assert_int_equal(array.strides[0], 1);
    assert_int_equal(array.strides[1], 2);
    assert_int_equal(jr_buffer_bytes(array.owner), 6);
    jr_rt_release(array.owner);
}

static void makes_bools_zero_or_one(void **state) {
    Fixture *f = *state;
    static const uint8_t data[] = {0, 1, 2, 255}, expected[] = {0, 1, 1, 1};
    put_npy(f, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}", data,
            sizeof data);
    JrNpy array;
    assert_true(get_npy(f, &array));
    assert_memory_equal(array.data, expected, 4);
    jr_rt_release(array.owner);
}

/* ---- Refusals ---- */

typedef struct Refusal {
    const char *header, *why;
} Refusal;

#define F8(shape) "{'descr': '<f8', 'fortran_order': False, 'shape': " shape ", }"
#define DTYPE(code) "{'descr': '" code "', 'fortran_order': False, 'shape': (1,), }"
#define KINDS "; bool, integers, float32 and float64 can be read"

static const Refusal refusals[] = {
    {DTYPE("|O"), "it holds Python objects (dtype '|O')" KINDS},
    {DTYPE("<c16"), "it holds complex numbers (dtype '<c16')" KINDS},
    {DTYPE("<f2"), "it holds float16 numbers (dtype '<f2')" KINDS},
    {DTYPE("<f16"), "it holds long doubles (dtype '<f16')" KINDS},
    {DTYPE("<U3"), "it holds text (dtype '<U3')" KINDS},
    {DTYPE("|S3"), "it holds byte strings (dtype '|S3')" KINDS},
    {DTYPE("<M8[s]"), "it holds dates (dtype '<M8[s]')" KINDS},
    {DTYPE("|V8"), "it holds raw records (dtype '|V8')" KINDS},
    {DTYPE("<q8"), "its dtype '<q8' is not known"},
    {DTYPE("\xff"), "its dtype '?' is not known"},
    {DTYPE(""), "its dtype '' is not known"},
    {"{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }",
     "it holds records with named fields; save each field by itself"},
    {F8("(1,1,1,1,1,1,1,1,1)"), "it has more than 8 dimensions"},
    {F8("(99999999999999999999,)"), "its shape does not fit 64 bits"},
    {F8("(9223372036854775807, 9)"), "its shape does not fit 64 bits"},
    {F8("(0, 9223372036854775807)"), "its shape does not fit 64 bits"},
    {F8("(1000000000000000,)"),
     "its header promises 8000000000000000 bytes of data, and 8 are there"},
    {F8("(2,)"), "its header promises 16 bytes of data, and 8 are there"},
    {F8("(-1,)"), "its header is damaged: a dimension expected"},
    {F8("(1 2)"), "its header is damaged: ',' or ')' expected"},
    {F8("3"), "its header is damaged: a shape expected"},
    {"{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }",
     "its header is damaged: True or False expected"},
    {"{'descr': '<f8', 'shape': (1,), }",
     "its header is damaged: the key 'fortran_order' expected"},
    {"{'fortran_order': True, 'shape': (1,), }",
     "its header is damaged: the key 'descr' expected"},
    {"{'descr': '<f8', 'fortran_order': True}",
     "its header is damaged: the key 'shape' expected"},
    {"{'other': 1}", "its header is damaged: the key 'other' is not known"},
    {"{'descr': '<f8", "its header is damaged: the end of a string expected"},
    {"{'descr' '<f8'}", "its header is damaged: ':' expected"},
    {"{'descr': '<f8' 'shape'}", "its header is damaged: ',' or '}' expected"},
    {"{", "its header is damaged: a string expected"},
    {"", "its header is damaged: '{' expected"},
    {F8("(1,)") " x", "its header is damaged: the end of the header expected"},
};

static void refuses_with_the_reason(void **state) {
    Fixture *f = *state;
    double one = 1;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        JrNpy array = {.ndim = 77};
        put_npy(f, 1, refusals[i].header, &one, sizeof one);
        assert_false(get_npy(f, &array));
        assert_string_equal(f->why, refusals[i].why);
        assert_int_equal(array.ndim, 77);
    }
}

static void refuses_other_files(void **state) {
    Fixture *f = *state;
    JrNpy array;
    put_file(f, "x,y\n1,2\n", 8);
    assert_false(get_npy(f, &array));
    assert_string_equal(f->why, "it is not a .npy file");
    put_file(f, "\x93NUMPY\x04\x00", 8);
    assert_false(get_npy(f, &array));
    assert_string_equal(f->why, "its format 4.0 is not known; 1.0, 2.0 and 3.0 are");
    put_file(f, "\x93NUMPY\x02\x00\xff\xff\xff\xff", 12);
    assert_false(get_npy(f, &array));
    assert_string_equal(f->why, "its header claims 4294967295 bytes, and 10000 are allowed");
    assert_false(jr_npy_read("/", f->heap, &array, f->why, sizeof f->why));
    assert_string_equal(f->why, "it is not a regular file");
    assert_false(jr_npy_read("/no/such.npy", f->heap, &array, f->why, sizeof f->why));
    assert_string_equal(f->why, "it cannot be opened: No such file or directory");
}

/* A good file cut anywhere, or with any byte changed, is refused or read: never worse. */
static void survives_damage(void **state) {
    Fixture *f = *state;
    float data[] = {1, 2, 3, 4};
    JrNpy array = {.scalar = TY_FLOAT32,
                   .ndim = 2,
                   .dims = {2, 2},
                   .strides = {2, 1},
                   .data = data},
          back;
    assert_true(jr_npy_write(f->path, &array, f->why, sizeof f->why));
    char good[256];
    size_t len = get_file(f, good, sizeof good);
    for (size_t cut = 0; cut < len; cut++) {
        put_file(f, good, cut);
        assert_false(get_npy(f, &back));
        assert_true(strlen(f->why) > 10);
    }
    for (size_t at = 0; at < 80; at++)
        for (int change = 1; change < 256; change *= 2) {
            char bad[256];
            memcpy(bad, good, len);
            bad[at] = (char)(bad[at] ^ change);
            put_file(f, bad, len);
            if (get_npy(f, &back)) jr_rt_release(back.owner);
        }
}

static void reports_what_cannot_be_written(void **state) {
    Fixture *f = *state;
    double number = 1;
    JrNpy array = {.scalar = TY_FLOAT64, .ndim = 0, .data = &number};
    assert_false(jr_npy_write("/no/such.npy", &array, f->why, sizeof f->why));
    assert_string_equal(f->why, "it cannot be created: No such file or directory");
    if (access("/dev/full", W_OK) != 0) return;
    assert_false(jr_npy_write("/dev/full", &array, f->why, sizeof f->why));
    assert_string_equal(f->why, "it cannot be written: No space left on device");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(writes_what_numpy_writes),
        TEST(reads_back_every_type),
        TEST(writes_empty_arrays_and_numbers),
        TEST(reads_other_headers),
        TEST(keeps_fortran_order),
        TEST(makes_bools_zero_or_one),
        TEST(refuses_with_the_reason),
        TEST(refuses_other_files),
        TEST(survives_damage),
        TEST(reports_what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

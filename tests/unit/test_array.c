/* Counted memory, shapes, copying, sorting and overlap. */
#include "runtime/rt/array.h"
#include "runtime/rt/rt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Fixture {
    JrHeap *heap;
    JrThread thread;
} Fixture;

static int setup(void **state) {
    static Fixture fixture;
    fixture.heap = jr_heap_new(NULL);
    jr_thread_init(&fixture.thread, fixture.heap);
    *state = &fixture;
    return 0;
}

/* No test may leave a buffer behind. */
static int teardown(void **state) {
    Fixture *fixture = *state;
    int leaked = jr_heap_buffers(fixture->heap) != 0 || jr_heap_bytes(fixture->heap) != 0;
    jr_thread_clear(&fixture->thread);
    jr_heap_unref(fixture->heap);
    return leaked;
}

static int32_t call(JrThread *thread, const char *name, const JrSlot *args, JrSlot *result) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "jr_rt_%s", name);
    JrRtFn fn = (JrRtFn)jr_symbol_find(jr_rt_symbols(), symbol);
    assert_non_null(fn);
    return fn(&thread->rt, NULL, args, result);
}

static int32_t new_array(JrThread *thread, IrType type, JrArray *array, bool zeroed) {
    return jr_rt_array_new(&thread->rt, NULL, ir_type_bits(type), array, zeroed);
}

/* ---- Buffers ---- */

static void makes_aligned_arrays(void **state) {
    Fixture *f = *state;
    JrArrayRoom a = {.room = {0}};
    memcpy(a.array.dims, (int64_t[]){3, 4, 5}, 24);
    assert_int_equal(new_array(&f->thread, ir_array(TY_INT16, 3, LAYOUT_C), &a.array, true),
                     0);
    assert_int_equal((uintptr_t)a.array.data % 64, 0);
    static const int64_t strides[] = {20, 5, 1};
    assert_memory_equal(a.array.dims + 3, strides, sizeof strides);
    for (int i = 0; i < 60; i++)
        assert_int_equal(((int16_t *)a.array.data)[i], 0);
    assert_int_equal(jr_heap_buffers(f->heap), 1);
    assert_int_equal(jr_heap_bytes(f->heap), 120);
    assert_int_equal(jr_buffer_bytes(a.array.owner), 120);
    assert_ptr_equal(jr_buffer_data(a.array.owner), a.array.data);
    jr_rt_retain(a.array.owner);
    assert_int_equal(jr_buffer_refs(a.array.owner), 2);
    jr_rt_release(a.array.owner);
    assert_int_equal(jr_heap_buffers(f->heap), 1);
    jr_rt_release(a.array.owner);
    assert_int_equal(jr_heap_buffers(f->heap), 0);
    jr_rt_retain(NULL);
    jr_rt_release(NULL);
}

/* Zero pages are not touched: this much memory is not there. */
static void makes_large_zeroed_arrays(void **state) {
    Fixture *f = *state;
    JrArrayRoom a;
    a.array.dims[0] = (int64_t)1 << 28;
    assert_int_equal(new_array(&f->thread, ir_array(TY_FLOAT64, 1, LAYOUT_C), &a.array, true),
                     0);
    assert_true(((double *)a.array.data)[123456789] == 0);
    jr_rt_release(a.array.owner);
}

static void makes_empty_arrays(void **state) {
    Fixture *f = *state;
    JrArrayRoom a = {.room = {0}};
    memcpy(a.array.dims, (int64_t[]){3, 0}, 16);
    assert_int_equal(new_array(&f->thread, ir_array(TY_FLOAT32, 2, LAYOUT_C), &a.array, false),
                     0);
    assert_non_null(a.array.data);
    assert_int_equal(jr_heap_bytes(f->heap), 0);
    jr_rt_release(a.array.owner);
}

typedef struct BadShape {
    unsigned ndim;
    int64_t dims[3];
    const char *exception, *message;
} BadShape;

static void refuses_shapes(void **state) {
    Fixture *f = *state;
    static const BadShape shapes[] = {
        {1, {-1}, "ValueError", "negative dimensions are not allowed"},
        {2, {0, -5}, "ValueError", "negative dimensions are not allowed"},
        {1,
         {INT64_MAX},
         "ValueError",
         "array is too big: shape (9223372036854775807,) of float64 is more than 64 bits can "
         "address"},
        {3,
         {1 << 21, 1 << 21, 1 << 21},
         "ValueError",
         "array is too big: shape (2097152,2097152,2097152) of float64 is more than 64 bits "
         "can "
         "address"},
        {2,
         {0, INT64_MAX},
         "ValueError",
         "array is too big: shape (0,9223372036854775807) of float64 is more than 64 bits can "
         "address"},
        {1,
         {INT64_MAX / 8},
         "MemoryError",
         "unable to allocate 8.00 EiB for an array with shape (1152921504606846975,) and type "
         "float64"},
        {1,
         {(int64_t)1 << 58},
         "MemoryError",
         "unable to allocate 2.00 EiB for an array with shape (288230376151711744,) and type "
         "float64"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        JrArrayRoom a = {.room = {0}};
        memcpy(a.array.dims, shapes[i].dims, sizeof shapes[i].dims);
        IrType type = ir_array(TY_FLOAT64, shapes[i].ndim, LAYOUT_C);
        assert_int_not_equal(new_array(&f->thread, type, &a.array, true), 0);
        assert_null(a.array.data);
        assert_null(a.array.owner);
        assert_string_equal(jr_thread_exception(&f->thread), shapes[i].exception);
        assert_string_equal(jr_thread_message(&f->thread, NULL), shapes[i].message);
    }
}

static void words_shape_errors_as_numpy_does(void **state) {
    Fixture *f = *state;
    JrArrayRoom a = {.room = {0}};
    memcpy(a.array.dims, (int64_t[]){3, 4}, 16);
    uint32_t bits = ir_type_bits(ir_array(TY_INT8, 2, LAYOUT_C));
    int64_t wanted[] = {5, 2};
    assert_int_equal(jr_rt_raise_shape(&f->thread.rt, NULL, bits, &a.array, wanted, 2, 1),
                     EXC_VALUE);
    assert_string_equal(jr_thread_message(&f->thread, NULL),
                        "cannot reshape array of size 12 into shape (5,2)");
    jr_rt_raise_shape(&f->thread.rt, NULL, bits, &a.array, wanted, 1, 0);
    assert_string_equal(jr_thread_message(&f->thread, NULL),
                        "could not broadcast input array from shape (3,4) into shape (5,)");
}

static void count_release(void *user) {
    ++*(int *)user;
}

static void wraps_the_hosts_memory(void **state) {
    Fixture *f = *state;
    double data[4];
    int released = 0;
    JrBuffer *buffer = jr_buffer_wrap(f->heap, data, sizeof data, count_release, &released);
    assert_ptr_equal(jr_buffer_data(buffer), data);
    jr_rt_retain(buffer);
    jr_rt_release(buffer);
    assert_int_equal(released, 0);
    jr_rt_release(buffer);
    assert_int_equal(released, 1);
}

/* The last buffer frees the heap it came from. */
static void buffers_outlive_their_heap(void **state) {
    (void)state;
    JrHeap *heap = jr_heap_new(NULL);
    JrBuffer *buffer = jr_buffer_new(heap, 1000, false);
    jr_heap_unref(heap);
    memset(jr_buffer_data(buffer), 1, 1000);
    jr_rt_release(buffer);
    buffer = jr_buffer_new(NULL, 10, true);
    assert_non_null(buffer);
    jr_rt_release(buffer);
}

/* The heap's own hooks are used, and each failure of theirs is a MemoryError. */
typedef struct Hooks {
    int allowed, live;
} Hooks;

static void *hook_resize(void *user, void *ptr, size_t size) {
    Hooks *hooks = user;
    if (hooks->allowed-- <= 0) return NULL;
    hooks->live += ptr == NULL;
    return realloc(ptr, size);
}
static void hook_release(void *user, void *ptr) {
    ((Hooks *)user)->live--;
    free(ptr);
}

static void uses_the_hooks(void **state) {
    (void)state;
    Hooks hooks = {.allowed = 2};
    JrAlloc alloc = {hook_resize, hook_release, &hooks};
    JrHeap *heap = jr_heap_new(&alloc);
    JrThread thread;
    JrArrayRoom a;
    jr_thread_init(&thread, heap);
    a.array.dims[0] = 8;
    IrType type = ir_array(TY_INT32, 1, LAYOUT_C);
    assert_int_equal(new_array(&thread, type, &a.array, true), 0);
    assert_int_equal(((int32_t *)a.array.data)[7], 0);
    assert_int_equal(hooks.live, 2);
    jr_rt_release(a.array.owner);
    assert_int_equal(new_array(&thread, type, &a.array, true), EXC_MEMORY);
    assert_string_equal(jr_thread_message(&thread, NULL),
                        "unable to allocate 32 bytes for an array with shape (8,) and type "
                        "int32");
    jr_thread_clear(&thread);
    jr_heap_unref(heap);
    assert_int_equal(hooks.live, 0);
    hooks.allowed = 0;
    assert_null(jr_heap_new(&alloc));
}

static void *retain_and_release(void *buffer) {
    for (int i = 0; i < 20000; i++) {
        jr_rt_retain(buffer);
        jr_rt_release(buffer);
    }
    jr_rt_release(buffer);
    return NULL;
}

static void counts_from_any_thread(void **state) {
    Fixture *f = *state;
    pthread_t threads[3];
    JrBuffer *buffer = jr_buffer_new(f->heap, 64, false);
    for (int i = 0; i < 3; i++) {
        jr_rt_retain(buffer);
        assert_int_equal(pthread_create(&threads[i], NULL, retain_and_release, buffer), 0);
    }
    jr_rt_release(buffer);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

/* ---- Views into one small matrix, for copying and overlap ---- */

enum { SIDE = 6 };

/* rows and columns of a SIDE x SIDE int32 matrix, from a start, in steps. */
typedef struct View {
    int start, rows, row_step, columns, column_step;
} View;

static JrArray *view(const View *v, int32_t *base, JrArrayRoom *room) {
    room->array.data = base + v->start;
    room->array.owner = NULL;
    memcpy(room->array.dims, (int64_t[]){v->rows, v->columns, v->row_step, v->column_step},
           32);
    return &room->array;
}

static const View views[] = {
    {0, 3, 6, 3, 1},    {0, 3, 1, 3, 6},    {7, 3, 6, 3, 1},  {1, 3, 6, 3, 1},
    {20, 3, -6, 3, -1}, {14, 3, -6, 3, 1},  {0, 3, 12, 3, 2}, {0, 3, 0, 3, 1},
    {21, 3, 3, 3, 1},   {35, 3, -1, 3, -6}, {0, 3, 3, 3, 1},  {1, 3, 3, 3, 1},
};
enum { VIEWS = sizeof views / sizeof *views };

static void copy_args(JrSlot args[4], JrArray *into, JrArray *from) {
    uint32_t bits = ir_type_bits(ir_array(TY_INT32, 2, LAYOUT_ANY));
    args[0].u = args[2].u = bits;
    args[1].p = into;
    args[3].p = from;
}

/* As if the right side had been read in whole before anything was written. */
static void copies_between_any_views(void **state) {
    Fixture *f = *state;
    for (int i = 0; i < VIEWS * VIEWS; i++) {
        const View *to = &views[i / VIEWS], *of = &views[i % VIEWS];
        int32_t real[SIDE * SIDE], model[SIDE * SIDE], values[9];
        for (int k = 0; k < SIDE * SIDE; k++)
            real[k] = model[k] = k;
        for (int k = 0; k < 9; k++)
            values[k] = model[of->start + k / 3 * of->row_step + k % 3 * of->column_step];
        for (int k = 0; k < 9; k++)
            model[to->start + k / 3 * to->row_step + k % 3 * to->column_step] = values[k];
        JrArrayRoom a, b;
        JrSlot args[4];
        copy_args(args, view(to, real, &a), view(of, real, &b));
        assert_int_equal(call(&f->thread, "array_copy", args, NULL), 0);
        assert_memory_equal(real, model, sizeof real);
    }
}

static void refuses_to_copy_other_shapes(void **state) {
    Fixture *f = *state;
    int32_t base[SIDE * SIDE] = {0};
    View to = {0, 2, 6, 3, 1}, of = {0, 3, 6, 3, 1};
    JrArrayRoom a, b;
    JrSlot args[4];
    copy_args(args, view(&to, base, &a), view(&of, base, &b));
    assert_int_equal(call(&f->thread, "array_copy", args, NULL), EXC_VALUE);
    assert_string_equal(jr_thread_message(&f->thread, NULL),
                        "could not broadcast input array from shape (3,3) into shape (2,3)");
}

static void range_of(const View *v, int *low, int *high) {
    *low = *high = v->start;
    int ends[] = {2 * v->row_step, 2 * v->column_step};
    for (int i = 0; i < 2; i++)
        *(ends[i] < 0 ? low : high) += ends[i];
}

static void tells_overlap_by_extents(void **state) {
    Fixture *f = *state;
    int32_t base[SIDE * SIDE] = {0};
    JrArrayRoom a, b;
    JrSlot args[4], result;
    for (int i = 0; i < VIEWS * VIEWS; i++) {
        int low, high, other_low, other_high;
        range_of(&views[i / VIEWS], &low, &high);
        range_of(&views[i % VIEWS], &other_low, &other_high);
        copy_args(args, view(&views[i / VIEWS], base, &a), view(&views[i % VIEWS], base, &b));
        assert_int_equal(call(&f->thread, "arrays_overlap", args, &result), 0);
        assert_int_equal(result.b, low <= other_high && other_low <= high);
    }
    View none = {0, 0, 6, 3, 1};
    copy_args(args, view(&none, base, &a), view(&views[0], base, &b));
    call(&f->thread, "arrays_overlap", args, &result);
    assert_int_equal(result.b, 0);
}

/* ---- Sorting ---- */

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

/* The orders that make bad quicksorts slow, and some that do not. */
static int64_t pattern(int kind, int64_t i, int64_t n, uint64_t *random) {
    switch (kind) {
    case 0: return i;
    case 1: return n - i;
    case 2: return 7;
    case 3: return i < n / 2 ? i : n - i;
    case 4: return (int64_t)(next_random(random) % 10);
    case 5: return i % 2 ? i : -i;
    default: return (int64_t)next_random(random);
    }
}

#define JR_TYPE(ID, name, ctype, bytes, cls)                                             \
    static int compare_##ID(const void *a, const void *b) {                              \
        ctype x = *(const ctype *)a, y = *(const ctype *)b;                              \
        return (x > y) - (x < y);                                                        \
    }                                                                                    \
    static void check_sort_##ID(JrThread *thread, int kind, int64_t n, int64_t stride) { \
        ctype *data = calloc((size_t)(n * stride), sizeof *data);                        \
        ctype *model = calloc((size_t)n, sizeof *model);                                 \
        uint64_t random = 88172645463325252u;                                            \
        for (int64_t i = 0; i < n; i++)                                                  \
            data[i * stride] = model[i] = (ctype)pattern(kind, i, n, &random);           \
        JrArrayRoom a = {.array.data = data};                                            \
        a.array.dims[0] = n;                                                             \
        a.array.dims[1] = stride;                                                        \
        JrSlot args[2] = {{.u = ir_type_bits(ir_array(TY_##ID, 1, LAYOUT_ANY))},         \
                          {.p = &a.array}};                                              \
        assert_int_equal(call(thread, "array_sort", args, NULL), 0);                     \
        qsort(model, (size_t)n, sizeof *model, compare_##ID);                            \
        for (int64_t i = 0; i < n; i++)                                                  \
            assert_true(data[i * stride] == model[i]);                                   \
        for (int64_t i = 0; i < n * stride; i++)                                         \
            assert_true(i % stride == 0 || data[i] == 0);                                \
        free(data);                                                                      \
        free(model);                                                                     \
    }
#include "ir/types.def"
#undef JR_TYPE

static void sorts_every_type(void **state) {
    Fixture *f = *state;
    static const int64_t sizes[] = {1, 2, 3, 16, 17, 40, 1000};
    for (int kind = 0; kind < 7; kind++)
        for (int i = 0; i < 7; i++) {
#define JR_TYPE(ID, name, ctype, bytes, cls) \
    check_sort_##ID(&f->thread, kind, sizes[i], 1 + (kind + i) % 2);
#include "ir/types.def"
#undef JR_TYPE
        }
}

static void sorts_nan_to_the_end(void **state) {
    Fixture *f = *state;
    double data[] = {NAN, 2, INFINITY, NAN, -1, -INFINITY, NAN, 0.5};
    JrArrayRoom a = {.array.data = data};
    a.array.dims[0] = 8;
    a.array.dims[1] = 1;
    JrSlot args[2] = {{.u = ir_type_bits(ir_array(TY_FLOAT64, 1, LAYOUT_ANY))},
                      {.p = &a.array}};
    assert_int_equal(call(&f->thread, "array_sort", args, NULL), 0);
    static const double sorted[] = {-INFINITY, -1, 0.5, 2, INFINITY};
    assert_memory_equal(data, sorted, sizeof sorted);
    assert_true(isnan(data[5]) && isnan(data[6]) && isnan(data[7]));
}

/* McIlroy's adversary needs a comparison function; large runs of the patterns do instead. A
 * quadratic sort would take minutes here. */
static void sorts_in_reasonable_time(void **state) {
    Fixture *f = *state;
    for (int kind = 0; kind < 7; kind++)
        check_sort_INT64(&f->thread, kind, 200000, 1);
}

/* ---- Cancelling ---- */

enum { MANY = 3 << 20 };

/* A strided view of every second one of 2 * MANY items, or MANY of them as they lie. */
static void many(JrSlot args[2], JrArrayRoom *room, int64_t *items, int64_t stride) {
    room->array.data = items;
    room->array.dims[0] = MANY;
    room->array.dims[1] = stride;
    args[0].u = ir_type_bits(ir_array(TY_INT64, 1, LAYOUT_ANY));
    args[1].p = &room->array;
}

/* Cancelled from the start: each ends at its first look, long before its end. */
static void ends_when_it_is_cancelled(void **state) {
    Fixture *f = *state;
    int64_t *from = calloc(2 * MANY, sizeof *from), *to = calloc(2 * MANY, sizeof *to),
            sum = 0;
    assert_true(from && to);
    for (int64_t i = 0; i < 2 * MANY; i++)
        from[i] = 2 * MANY - i;
    int32_t flag = 0;
    JrCancel before = jr_thread_set_cancel(&f->thread, &flag);
    flag = JR_CANCEL_ONCE | EXC_TIMEOUT;
    for (int64_t stride = 1; stride <= 2; stride++) {
        JrArrayRoom a, b;
        JrSlot args[4];
        many(args, &a, to, stride);
        many(args + 2, &b, from, stride);
        assert_int_equal(call(&f->thread, "array_copy", args, NULL), EXC_TIMEOUT);
        assert_true(to[0] == from[0] && to[(MANY - 1) * stride] == 0);
        jr_thread_clear_error(&f->thread);
        memset(to, 0, 2 * MANY * sizeof *to);
        assert_int_equal(call(&f->thread, "array_sort", args + 2, NULL), EXC_TIMEOUT);
        jr_thread_clear_error(&f->thread);
    }
    jr_thread_restore_cancel(&f->thread, before);
    for (int64_t i = 0; i < 2 * MANY; i++)
        sum += from[i]; /* all are still there */
    assert_int_equal(sum, (int64_t)MANY * (2 * MANY + 1));
    free(from);
    free(to);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(makes_aligned_arrays),
        TEST(makes_large_zeroed_arrays),
        TEST(makes_empty_arrays),
        TEST(refuses_shapes),
        TEST(words_shape_errors_as_numpy_does),
        TEST(wraps_the_hosts_memory),
        TEST(buffers_outlive_their_heap),
        TEST(uses_the_hooks),
        TEST(counts_from_any_thread),
        TEST(copies_between_any_views),
        TEST(refuses_to_copy_other_shapes),
        TEST(tells_overlap_by_extents),
        TEST(sorts_every_type),
        TEST(sorts_nan_to_the_end),
        TEST(sorts_in_reasonable_time),
        TEST(ends_when_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a thread carries: errors, print's sink, the stack limit, cancelling; the symbol table;
 * and functions of numbers. */
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

static const JrWhere here = {"a.src", "f", 3, 7};

static int32_t call(JrThread *thread, const char *name, const JrSlot *args, JrSlot *results) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "jr_rt_%s", name);
    JrRtFn fn = (JrRtFn)jr_symbol_find(jr_rt_symbols(), symbol);
    assert_non_null(fn);
    return fn(&thread->rt, &here, args, results);
}

static void check_error(JrThread *thread, const char *name, const char *message) {
    assert_string_equal(jr_thread_exception(thread), name);
    assert_string_equal(jr_thread_message(thread, NULL), message);
}

/* ---- Errors ---- */

static void raises_with_a_place(void **state) {
    (void)state;
    JrThread thread;
    jr_thread_init(&thread, NULL);
    assert_null(jr_thread_exception(&thread));
    assert_string_equal(jr_thread_message(&thread, NULL), "");
    assert_int_equal(jr_rt_raise_index(&thread.rt, &here, -12, 10, 1, 2), EXC_INDEX);
    assert_int_equal(thread.rt.status, EXC_INDEX);
    check_error(&thread, "IndexError", "index -12 is out of bounds for axis 1 with size 10");
    assert_int_equal(jr_thread_frames(&thread), 1);
    JrWhere where = jr_thread_frame(&thread, 0);
    assert_string_equal(where.file, "a.src");
    assert_string_equal(where.func, "f");
    assert_int_equal(where.line, 3);
    assert_int_equal(where.col, 7);
    jr_thread_clear_error(&thread);
    assert_null(jr_thread_exception(&thread));
    assert_int_equal(jr_thread_frames(&thread), 0);
    jr_thread_clear(&thread);
}

static void traps_have_their_messages(void **state) {
    (void)state;
    JrThread thread;
    jr_thread_init(&thread, NULL);
#define JR_TRAP(ID, exc, text)                                             \
    assert_int_equal(jr_rt_trap(&thread.rt, &here, TRAP_##ID), EXC_##exc); \
    assert_string_equal(jr_thread_message(&thread, NULL), text);
#include "ir/traps.def"
#undef JR_TRAP
    assert_int_equal(jr_rt_deep(&thread.rt, &here), EXC_RECURSION);
    jr_thread_clear(&thread);
}

/* The code that raised may be freed before the error is read: nothing may point into it. */
static void keeps_copies_of_names(void **state) {
    (void)state;
    JrThread thread;
    jr_thread_init(&thread, NULL);
    char file[] = "gone.src", func[] = "gone", message[] = "was here";
    JrWhere where = {file, func, 1, 2};
    assert_int_equal(jr_rt_raise(&thread.rt, &where, EXC_VALUE, message, 8), EXC_VALUE);
    memset(file, 'x', sizeof file - 1);
    memset(func, 'x', sizeof func - 1);
    memset(message, 'x', sizeof message - 1);
    check_error(&thread, "ValueError", "was here");
    assert_string_equal(jr_thread_frame(&thread, 0).file, "gone.src");
    assert_string_equal(jr_thread_frame(&thread, 0).func, "gone");
    jr_thread_clear(&thread);
}

static void takes_messages_of_any_length(void **state) {
    (void)state;
    JrThread thread;
    jr_thread_init(&thread, NULL);
    static const size_t sizes[] = {0, 1, JR_MESSAGE_SHORT - 1, JR_MESSAGE_SHORT, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = malloc(sizes[i] + 1);
        memset(text, 'm', sizes[i] + 1);
        jr_rt_raise(&thread.rt, NULL, EXC_RUNTIME, text, (int64_t)sizes[i]);
        size_t len;
        const char *got = jr_thread_message(&thread, &len);
        assert_int_equal(len, sizes[i]);
        assert_int_equal(strlen(got), sizes[i]);
        assert_memory_equal(got, text, len);
        free(text);
    }
    assert_int_equal(jr_thread_frames(&thread), 0);
    jr_thread_clear(&thread);
}

/* Both ends of a deep chain stay. */
static void drops_the_middle_of_a_deep_chain(void **state) {
    (void)state;
    JrThread thread;
    jr_thread_init(&thread, NULL);
    jr_rt_deep(&thread.rt, &here);
    for (int i = 1; i < 1000; i++) {
        JrWhere where = {"a.src", i % 2 ? "even" : "odd", i, 1};
        assert_int_equal(jr_rt_trace(&thread.rt, &where), EXC_RECURSION);
    }
    uint32_t before;
    assert_int_equal(jr_thread_frames(&thread), 64);
    assert_int_equal(jr_thread_dropped(&thread, &before), 936);
    assert_int_equal(before, 32);
    assert_int_equal(jr_thread_frame(&thread, 31).line, 31);
    assert_int_equal(jr_thread_frame(&thread, 32).line, 968);
    assert_int_equal(jr_thread_frame(&thread, 63).line, 999);
    assert_string_equal(jr_thread_frame(&thread, 63).func, "even");
    jr_thread_clear(&thread);
}

/* An error must come out even when nothing can be allocated for it. */
static void *no_memory(void *user, void *ptr, size_t size) {
    (void)user, (void)ptr, (void)size;
    return NULL;
}
static void no_release(void *user, void *ptr) {
    (void)user, (void)ptr;
}

static void raises_without_memory(void **state) {
    (void)state;
    JrAlloc none = {no_memory, no_release, NULL};
    JrThread thread;
    jr_thread_init(&thread, NULL);
    thread.alloc = &none;
    char text[1000];
    memset(text, 'm', sizeof text);
    assert_int_equal(jr_rt_raise(&thread.rt, &here, EXC_VALUE, text, sizeof text), EXC_VALUE);
    assert_int_equal(strlen(jr_thread_message(&thread, NULL)), JR_MESSAGE_SHORT - 1);
    assert_string_equal(jr_thread_frame(&thread, 0).func, "?");
    assert_int_equal(jr_thread_frame(&thread, 0).line, 3);
    jr_thread_clear(&thread);
}

/* ---- Cancelling ---- */

static void polls_the_flag(void **state) {
    (void)state;
    JrThread thread;
    volatile int32_t flag = 0;
    jr_thread_init(&thread, NULL);
    assert_int_equal(*thread.rt.cancel, 0);
    jr_thread_set_cancel(&thread, &flag);
    assert_int_equal(jr_rt_poll(&thread.rt, &here), 0);
    flag = 12345;
    assert_int_equal(jr_rt_poll(&thread.rt, &here), 0);
    flag = EXC_INTERRUPT;
    assert_int_equal(jr_rt_poll(&thread.rt, &here), EXC_INTERRUPT);
    assert_string_equal(jr_thread_exception(&thread), "KeyboardInterrupt");
    flag = EXC_TIMEOUT;
    assert_int_equal(jr_rt_poll(&thread.rt, &here), EXC_TIMEOUT);
    jr_thread_set_cancel(&thread, NULL);
    assert_int_equal(*thread.rt.cancel, 0);
    jr_thread_clear(&thread);
}

static void count_yield(void *user) {
    ++*(int *)user;
}

/* As compiled code looks. */
static int32_t look(JrThread *thread) {
    if (*thread->rt.cancel == thread->rt.seen) return 0;
    return jr_rt_poll(&thread->rt, &here);
}

static void yields_at_a_look(void **state) {
    (void)state;
    JrThread thread;
    int yields = 0;
    volatile int32_t flag =
        0x100 | EXC_INTERRUPT; /* an old cancel, that is no business of ours */
    const JrYield yield = {count_yield, &yields, 3};
    jr_thread_init(&thread, NULL);
    JrCancel before = jr_thread_set_cancel(&thread, &flag);
    jr_thread_set_yield(&thread, &yield);
    assert_true(jr_thread_is_within(&thread, &flag));
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(look(&thread), 0);
        assert_int_equal(yields, i >= 3);
    }
    assert_int_equal(*thread.rt.cancel, thread.rt.seen); /* the way to jr_rt_poll is spared */
    flag += 0x100;
    jr_thread_alarm(&thread); /* as jr_cancel does */
    assert_int_equal(look(&thread), EXC_INTERRUPT);
    jr_thread_restore_cancel(&thread, before);
    assert_false(jr_thread_is_within(&thread, &flag));
    jr_thread_clear(&thread);
}

static void stops_before_it_yields(void **state) {
    (void)state;
    JrThread thread;
    int yields = 0;
    volatile int32_t flag = 0;
    const JrYield yield = {count_yield, &yields, 3};
    jr_thread_init(&thread, NULL);
    JrCancel before = jr_thread_set_cancel(&thread, &flag);
    jr_thread_set_yield(&thread, &yield);
    flag = EXC_TIMEOUT;
    jr_thread_alarm(&thread);
    assert_int_equal(look(&thread), EXC_TIMEOUT);
    assert_int_equal(yields, 0);
    jr_thread_restore_cancel(&thread, before);
    assert_int_equal(*thread.rt.cancel, 0);
    jr_thread_clear(&thread);
}

static void yields_before_large_arrays(void **state) {
    (void)state;
    JrThread thread;
    int yields = 0;
    volatile int32_t flag = 0;
    const JrYield yield = {count_yield, &yields, 1000};
    int64_t room[JR_ARRAY_BYTES(1) / sizeof(int64_t)];
    JrArray *made = (JrArray *)room;
    jr_thread_init(&thread, NULL);
    JrCancel before = jr_thread_set_cancel(&thread, &flag);
    jr_thread_set_yield(&thread, &yield);
    uint32_t type = ir_type_bits(ir_array(TY_FLOAT64, 1, LAYOUT_C));
    for (int i = 0; i < 4; i++) {
        made->dims[0] = i < 2 ? 100 : 1000000;
        assert_int_equal(jr_rt_array_new(&thread.rt, &here, type, made, 0), 0);
        jr_rt_release(made->owner);
        assert_int_equal(yields, i >= 2);
    }
    jr_thread_restore_cancel(&thread, before);
    jr_thread_clear(&thread);
}

/* ---- The stack ---- */

/* Uses the stack down to the limit, touching every page. */
static int descend(const char *limit) {
    volatile char page[4096];
    page[0] = 1;
    if ((const char *)__builtin_frame_address(0) < limit) return page[0];
    return descend(limit) + page[0];
}

/* The pages that fitted, as a pointer. */
static void *descend_thread(void *unused) {
    (void)unused;
    JrThread thread;
    jr_thread_init(&thread, NULL);
    jr_thread_set_stack(&thread);
    intptr_t pages = descend(thread.rt.stack_limit);
    jr_thread_clear(&thread);
    return (void *)pages;
}

/* In the main thread, and in threads with little and with much stack. */
static void finds_the_end_of_the_stack(void **state) {
    (void)state;
    assert_true((intptr_t)descend_thread(NULL) >= 16);
    static const size_t sizes[] = {128 * 1024, 1 << 20, 8 << 20, 64 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pthread_attr_t attr;
        pthread_t thread;
        void *pages;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, sizes[i]);
        assert_int_equal(pthread_create(&thread, &attr, descend_thread, NULL), 0);
        pthread_join(thread, &pages);
        pthread_attr_destroy(&attr);
        assert_true((intptr_t)pages >= (intptr_t)(sizes[i] / 32768));
    }
}

/* ---- print's sink ---- */

typedef struct Sink {
    char *text;
    size_t len;
    int writes, allowed;
} Sink;

static bool sink_write(void *user, const char *bytes, size_t len) {
    Sink *sink = user;
    if (sink->writes++ >= sink->allowed) return false;
    sink->text = realloc(sink->text, sink->len + len + 1);
    memcpy(sink->text + sink->len, bytes, len);
    sink->text[sink->len += len] = '\0';
    return true;
}

static void buffers_what_is_printed(void **state) {
    (void)state;
    JrThread thread;
    Sink sink = {.allowed = 1000}, other = {.allowed = 1000};
    jr_thread_init(&thread, NULL);
    jr_thread_write(&thread, "lost", 4);
    assert_true(jr_thread_flush(&thread));
    thread.sink = (JrSink){sink_write, &sink};
    for (int i = 0; i < 40000; i++)
        jr_thread_write(&thread, "abcd", 4);
    assert_int_equal(sink.writes, 2);
    JrSink old = jr_thread_swap_sink(&thread, (JrSink){sink_write, &other});
    assert_ptr_equal(old.user, &sink);
    assert_int_equal(sink.len, 160000);
    char *big = calloc(1, JR_PRINT_BUFFER + 1);
    jr_thread_write(&thread, "x", 1);
    jr_thread_write(&thread, big, JR_PRINT_BUFFER + 1);
    assert_int_equal(other.len, JR_PRINT_BUFFER + 2);
    assert_int_equal(other.text[0], 'x');
    free(big);
    free(sink.text);
    free(other.text);
    jr_thread_clear(&thread);
}

static void reports_a_failed_write(void **state) {
    (void)state;
    JrThread thread;
    Sink sink = {.allowed = 1};
    jr_thread_init(&thread, NULL);
    thread.sink = (JrSink){sink_write, &sink};
    jr_thread_write(&thread, "a", 1);
    assert_true(jr_thread_flush(&thread));
    jr_thread_write(&thread, "b", 1);
    assert_false(jr_thread_flush(&thread));
    jr_thread_write(&thread, "c", 1);
    assert_false(jr_thread_flush(&thread));
    assert_int_equal(sink.writes, 2);
    assert_string_equal(sink.text, "a");
    free(sink.text);
    jr_thread_clear(&thread);
}

/* ---- Symbols ---- */

static void check_symbol(const char *name) {
    const JrSymbols *symbols = jr_rt_symbols();
    bool found = false;
    for (uint32_t i = 0; i < symbols->count; i++)
        found |= strcmp(symbols->items[i].name, name) == 0 && symbols->items[i].address;
    if (!found) fail_msg("%s is missing", name);
    assert_non_null(jr_symbol_find(symbols, name));
}

static void symbols_are_sorted_and_complete(void **state) {
    (void)state;
    const JrSymbols *symbols = jr_rt_symbols();
    for (uint32_t i = 1; i < symbols->count; i++)
        assert_true(strcmp(symbols->items[i - 1].name, symbols->items[i].name) < 0);
#define JR_MATH(ID, text, arity, f64, f32, exact) check_symbol(#f64), check_symbol(#f32);
#include "ir/math.def"
#undef JR_MATH
#define JR_RTCALL(ID, text, takes, gives, fails) check_symbol("jr_rt_" text);
#include "ir/rtcalls.def"
#undef JR_RTCALL
#define HELPER(name) check_symbol(#name);
    JR_RT_HELPERS(HELPER)
    check_symbol("memcpy");
    check_symbol("memmove");
    check_symbol("memset");
    assert_null(jr_symbol_find(symbols, "system"));
    assert_ptr_equal(jr_symbol_find(symbols, "jr_rt_raise"), (void *)jr_rt_raise);
    assert_ptr_equal(jr_symbol_find(symbols, "cosf"), (void *)cosf);
}

/* ---- Numbers ---- */

/* NaN equals itself here, and zeros differ by sign. */
static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

typedef struct Rounding {
    double x;
    int64_t n;
    double expected;
} Rounding;

static void check_rounding(const char *name, const Rounding *cases, size_t count) {
    JrThread thread;
    jr_thread_init(&thread, NULL);
    for (size_t i = 0; i < count; i++) {
        JrSlot args[2] = {{.d = cases[i].x}, {.i = cases[i].n}}, result;
        assert_int_equal(call(&thread, name, args, &result), 0);
        if (!same(result.d, cases[i].expected))
            fail_msg("%s(%.17g, %d) is %.17g, not %.17g", name, cases[i].x, (int)cases[i].n,
                     result.d, cases[i].expected);
    }
    jr_thread_clear(&thread);
}

/* Expectations are CPython's. */
static void rounds_as_python_does(void **state) {
    (void)state;
    static const Rounding cases[] = {
        {2.675, 2, 2.67},
        {0.5, 0, 0.0},
        {1.5, 0, 2.0},
        {2.5, 0, 2.0},
        {-0.4, 0, -0.0},
        {0.285, 2, 0.28},
        {1.005, 2, 1.0},
        {0.125, 2, 0.12},
        {0.375, 2, 0.38},
        {123456.789, -2, 1.235e5},
        {15, -1, 20},
        {25, -1, 20},
        {25.000000001, -1, 30},
        {5, -1, 0},
        {-5, -1, -0.0},
        {6, -1, 10},
        {99.5, -2, 100},
        {50, -2, 0},
        {49.9, -2, 0},
        {9.99, 1, 10},
        {1e300, 300, 1e300},
        {5e-324, 323, 0.0},
        {5e-324, 324, 5e-324},
        {1e22, -22, 1e22},
        {1.7e308, -307, 1.7e308},
        {1e-5, 400, 1e-5},
        {-1234.5, -400, -0.0},
        {INFINITY, 2, INFINITY},
        {NAN, 2, NAN},
        {-0.0, 3, -0.0},
        {2.5, INT64_MAX, 2.5},
        {2.5, INT64_MIN, 0.0},
    };
    check_rounding("round_digits", cases, sizeof cases / sizeof *cases);
}

static void rounds_as_numpy_does(void **state) {
    (void)state;
    static const Rounding cases[] = {
        {2.675, 2, 2.68}, {1.005, 2, 1.0},    {0.5, 0, 0.0},
        {2.5, 0, 2.0},    {1234.5, -2, 1200}, {0.285, 2, 0.28},
        {-0.04, 1, -0.0}, {5.015, 2, 5.01},   {1e-9, 12, 1e-9},
    };
    check_rounding("np_round_digits", cases, sizeof cases / sizeof *cases);
}

typedef struct IntCase {
    const char *name;
    int64_t a, b, expected;
    const char *exception; /* NULL: none */
} IntCase;

static void computes_integers(void **state) {
    (void)state;
    static const IntCase cases[] = {
        {"factorial", 0, 0, 1, NULL},
        {"factorial", 20, 0, 2432902008176640000, NULL},
        {"factorial", 21, 0, 0, "OverflowError"},
        {"factorial", -1, 0, 0, "ValueError"},
        {"isqrt", 0, 0, 0, NULL},
        {"isqrt", 15, 0, 3, NULL},
        {"isqrt", 16, 0, 4, NULL},
        {"isqrt", INT64_MAX, 0, 3037000499, NULL},
        {"isqrt", 9223372030926249000, 0, 3037000498, NULL},
        {"isqrt", 9223372030926249001, 0, 3037000499, NULL},
        {"isqrt", -1, 0, 0, "ValueError"},
        {"comb", 5, 2, 10, NULL},
        {"comb", 5, 6, 0, NULL},
        {"comb", 0, 0, 1, NULL},
        {"comb", 66, 33, 7219428434016265740, NULL},
        {"comb", 67, 33, 0, "OverflowError"},
        {"comb", INT64_MAX, INT64_MAX - 1, INT64_MAX, NULL},
        {"comb", INT64_MAX, INT64_MAX / 2, 0, "OverflowError"},
        {"comb", -1, 2, 0, "ValueError"},
        {"comb", 1, -2, 0, "ValueError"},
    };
    JrThread thread;
    jr_thread_init(&thread, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const IntCase *c = &cases[i];
        JrSlot args[2] = {{.i = c->a}, {.i = c->b}}, result = {.i = 0};
        int32_t status = call(&thread, c->name, args, &result);
        assert_int_equal(status != 0, c->exception != NULL);
        if (c->exception)
            assert_string_equal(jr_thread_exception(&thread), c->exception);
        else
            assert_true(result.i == c->expected);
        jr_thread_clear_error(&thread);
    }
    jr_thread_clear(&thread);
}

static void computes_floats(void **state) {
    (void)state;
    JrThread thread;
    JrSlot results[2];
    jr_thread_init(&thread, NULL);
    JrSlot pair[2] = {{.d = -7.5}, {.d = 2}};
    call(&thread, "float_divmod", pair, results);
    assert_true(results[0].d == -4 && results[1].d == 0.5);
    JrSlot x[2] = {{.d = 10}, {.i = 2000}};
    call(&thread, "frexp", x, results);
    assert_true(results[0].d == 0.625 && results[1].i == 4);
    assert_int_equal(call(&thread, "ldexp", x, results), EXC_OVERFLOW);
    check_error(&thread, "OverflowError", "math range error");
    x[1].i = INT64_MIN;
    assert_int_equal(call(&thread, "ldexp", x, results), 0);
    assert_true(results[0].d == 0);
    x[0].d = INFINITY;
    x[1].i = INT64_MAX;
    assert_int_equal(call(&thread, "ldexp", x, results), 0);
    assert_true(isinf(results[0].d));
    call(&thread, "frexp", x, results);
    assert_true(isinf(results[0].d) && results[1].i == 0);
    call(&thread, "perf_counter", NULL, &results[0]);
    call(&thread, "perf_counter", NULL, &results[1]);
    assert_true(results[1].d >= results[0].d && results[0].d > 0);
    jr_thread_clear(&thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raises_with_a_place),
        cmocka_unit_test(traps_have_their_messages),
        cmocka_unit_test(keeps_copies_of_names),
        cmocka_unit_test(takes_messages_of_any_length),
        cmocka_unit_test(drops_the_middle_of_a_deep_chain),
        cmocka_unit_test(raises_without_memory),
        cmocka_unit_test(polls_the_flag),
        cmocka_unit_test(yields_at_a_look),
        cmocka_unit_test(stops_before_it_yields),
        cmocka_unit_test(yields_before_large_arrays),
        cmocka_unit_test(finds_the_end_of_the_stack),
        cmocka_unit_test(buffers_what_is_printed),
        cmocka_unit_test(reports_a_failed_write),
        cmocka_unit_test(symbols_are_sorted_and_complete),
        cmocka_unit_test(rounds_as_python_does),
        cmocka_unit_test(rounds_as_numpy_does),
        cmocka_unit_test(computes_integers),
        cmocka_unit_test(computes_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a program that was built against this header relies on: where members lie, how large
 * structures are, what constants are worth. A structure that begins with `size`, and JrError, may grow at its
 * end. Nothing else may change without a new SONAME. */
#include "tests/unit/api_harness.h"

#define AT(structure, member, offset) \
    { #structure "." #member, offsetof(structure, member), offset }
#define SIZE(structure, size) \
    { "sizeof " #structure, sizeof(structure), size }
#define VALUE(constant, value) \
    { #constant, (size_t)(constant), value }

static const struct {
    const char *what;
    size_t is, wanted;
} facts[] = {
    SIZE(JrFrame, 24),
    AT(JrFrame, file, 8),
    AT(JrFrame, line, 16),
    AT(JrFrame, column, 20),
    AT(JrError, name, 8),
    AT(JrError, message, 16),
    AT(JrError, frame_count, 24),
    AT(JrError, frames, 32),
    AT(JrError, frames_dropped, 40),
    SIZE(JrDiagnostic, 48),
    AT(JrDiagnostic, file, 8),
    AT(JrDiagnostic, line, 16),
    AT(JrDiagnostic, column, 20),
    AT(JrDiagnostic, end_column, 24),
    AT(JrDiagnostic, message, 32),
    AT(JrDiagnostic, help, 40),
    SIZE(JrArrayValue, 160),
    AT(JrArrayValue, ndim, 4),
    AT(JrArrayValue, data, 8),
    AT(JrArrayValue, shape, 16),
    AT(JrArrayValue, strides, 80),
    AT(JrArrayValue, owner, 144),
    AT(JrArrayValue, readonly, 152),
    SIZE(JrValue, 24),
    AT(JrValue, owned, 4),
    AT(JrValue, as, 8),
    AT(JrValue, as.tuple.items, 16),
    AT(JrContextOptions, write, 8),
    AT(JrContextOptions, write_user, 16),
    AT(JrContextOptions, resize, 24),
    AT(JrContextOptions, release, 32),
    AT(JrContextOptions, alloc_user, 40),
    AT(JrContextOptions, log, 48),
    AT(JrContextOptions, log_user, 56),
    AT(JrCompileOptions, name, 8),
    AT(JrCompileOptions, engine, 16),
    AT(JrCompileOptions, opt_level, 24),
    AT(JrCompileOptions, run_main, 28),
    AT(JrCompileOptions, parallel, 29),
    AT(JrCompileOptions, unchecked, 30),
    AT(JrCompileOptions, fastmath, 31),
    AT(JrCompileOptions, check_races, 32),
    AT(JrCompileOptions, cache, 33),
    AT(JrTypeInfo, name, 8),
    AT(JrTypeInfo, text, 16),
    AT(JrTypeInfo, type, 24),
    AT(JrTypeInfo, dtype, 28),
    AT(JrTypeInfo, ndim, 32),
    AT(JrTypeInfo, item_count, 36),
    AT(JrTypeInfo, contiguous, 40),
    AT(JrTypeInfo, written, 41),
    AT(JrTypeInfo, has_default, 42),
    VALUE(JR_INDEX_ERROR, 1),
    VALUE(JR_MEMORY_ERROR, 12),
    VALUE(JR_TIMEOUT_ERROR, 18),
    VALUE(JR_ERR_COMPILE, 100),
    VALUE(JR_ERR_IO, 105),
    VALUE(JR_ERR_RACE, 106),
    VALUE(JR_BOOL, 1),
    VALUE(JR_INT8, 2),
    VALUE(JR_UINT8, 6),
    VALUE(JR_FLOAT64, 11),
    VALUE(JR_ARRAY, 64),
    VALUE(JR_TUPLE, 65),
    VALUE(JR_MAX_DIMS, 8),
    VALUE(JR_REPORT_JSON, 1),
    VALUE(JR_WARNING, 1),
};

static void layouts_and_constants(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].is != facts[i].wanted)
            fail_msg("%s is %zu, was %zu", facts[i].what, facts[i].is, facts[i].wanted);
}

/* A program of today's structures on a later library, and the other way round. */
static void structures_grow(void **state) {
    (void)state;
    struct Later {
        JrContextOptions options;
        size_t more[4];
    } later = {.options = {.size = sizeof later}};
    JrContext *context = jr_context_new(&later.options);
    assert_non_null(context);
    jr_context_free(context);
    later.more[3] = 1;
    assert_null(jr_context_new(&later.options));
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
    JrContextOptions first = {.size = offsetof(JrContextOptions, resize)};
    context = jr_context_new(&first);
    assert_non_null(context);
    jr_context_free(context);
    first.size = 0;
    assert_null(jr_context_new(&first));
    assert_int_equal(jr_error()->status, JR_ERR_ARGUMENT);
}

static void the_number_of_threads(void **state) {
    (void)state;
    assert_ok(jr_set_num_threads(3));
    assert_int_equal(jr_num_threads(), 3);
    assert_fails(jr_set_num_threads(-1), JR_ERR_ARGUMENT, "256");
    assert_fails(jr_set_num_threads(257), JR_ERR_ARGUMENT, "256");
    assert_int_equal(jr_num_threads(), 3);
    assert_ok(jr_set_num_threads(0));
    assert_true(jr_num_threads() >= 1 && jr_num_threads() <= 256);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_and_constants),
        cmocka_unit_test(structures_grow),
        cmocka_unit_test(the_number_of_threads),
    };
    return cmocka_run_group_tests_name("the interface", tests, NULL, NULL);
}

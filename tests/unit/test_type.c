/* Names of types, their aliases, and reading them back. */
#include "tests/unit/ir_text.h"

static void test_scalars(void **state) {
    (void)state;
#define JR_TYPE(ID, name, ctype, bytes, cls)                        \
    assert_string_equal(ir_scalar_name(TY_##ID), name);             \
    assert_int_equal(ir_scalar_named(name, strlen(name)), TY_##ID); \
    assert_int_equal(ir_scalar_size(TY_##ID), bytes);               \
    assert_int_equal(sizeof(ctype), bytes);                         \
    assert_int_equal(ir_scalar_class(TY_##ID), #cls[0]);
#include "ir/types.def"
#undef JR_TYPE
    assert_string_equal(ir_scalar_name(TY_NONE), "none");
    assert_string_equal(ir_scalar_name(TY_STR), "str");
    assert_int_equal(ir_scalar_size(TY_STR), 0);
    assert_int_equal(ir_scalar_class(TY_NONE), 0);
    assert_int_equal(ir_scalar_size(TY_COUNT), 0);
}

static void test_aliases(void **state) {
    static const struct {
        const char *name;
        IrScalar scalar;
    } CASES[] = {
        {"int", TY_INT64},      {"float", TY_FLOAT64},  {"boolean", TY_BOOL},
        {"bool_", TY_BOOL},     {"intp", TY_INT64},     {"uintp", TY_UINT64},
        {"intc", TY_INT32},     {"uintc", TY_UINT32},   {"single", TY_FLOAT32},
        {"double", TY_FLOAT64}, {"float_", TY_FLOAT64}, {"byte", TY_INT8},
        {"ubyte", TY_UINT8},    {"short", TY_INT16},    {"ushort", TY_UINT16},
        {"int_", TY_INT64},     {"i1", TY_INT8},        {"i4", TY_INT32},
        {"u8", TY_UINT64},      {"f4", TY_FLOAT32},     {"f8", TY_FLOAT64},
        {"b1", TY_BOOL},        {"uint", TY_UINT64},    {"longlong", TY_INT64},
        {"none", TY_NONE},      {"str", TY_NONE},       {"complex128", TY_NONE},
        {"", TY_NONE},          {"int6", TY_NONE},      {"int644", TY_NONE},
        {"Float64", TY_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (ir_scalar_named(CASES[i].name, strlen(CASES[i].name)) != CASES[i].scalar)
            fail_msg("%s", CASES[i].name);
}

static void test_print_and_parse(void **state) {
    for (IrScalar scalar = TY_BOOL; scalar < TY_STR; scalar++)
        for (unsigned ndim = 0; ndim <= IR_MAX_DIMS; ndim++)
            for (IrLayout layout = LAYOUT_ANY; layout <= (ndim ? LAYOUT_C : LAYOUT_ANY);
                 layout++) {
                IrType type = ir_array(scalar, ndim, layout), back;
                const char *name = ir_type_name(type, *state), *end;
                assert_true(ir_type_parse(name, &end, &back));
                assert_true(ir_type_same(type, back));
                assert_int_equal(*end, 0);
                assert_true(ir_type_same(type, ir_type_of_bits(ir_type_bits(type))));
            }
    assert_string_equal(ir_type_name(ir_array(TY_FLOAT64, 2, LAYOUT_C), *state),
                        "float64[:, ::1]");
    assert_string_equal(ir_type_name(ir_array(TY_INT8, 3, LAYOUT_ANY), *state),
                        "int8[:, :, :]");
    assert_string_equal(ir_type_name(ir_scalar(TY_NONE), *state), "none");
}

static void test_parse(void **state) {
    static const char *const BAD[] = {
        "",
        "foo",
        "int64[",
        "int64[]",
        "int64[:",
        "int64[::]",
        "int64[::1, :]",
        "int64[:,]",
        "int64[:,:,:,:,:,:,:,:,:]",
        "int64[::2]",
        "none[:]",
        "str[:]",
        "[:]",
        " int64",
        "int64[1]",
    };
    IrType type;
    const char *end;
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (ir_type_parse(BAD[i], &end, &type)) fail_msg("'%s' is no type", BAD[i]);
    assert_true(ir_type_parse("float[ : ,::1 ] x", &end, &type));
    assert_string_equal(end, " x");
    assert_true(ir_type_same(type, ir_array(TY_FLOAT64, 2, LAYOUT_C)));
    assert_true(ir_type_parse("str)", &end, &type));
    assert_int_equal(type.scalar, TY_STR);
    assert_true(ir_type_parse("none", NULL, &type));
    assert_int_equal(type.scalar, TY_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_scalars),
        ARENA_TEST(test_aliases),
        ARENA_TEST(test_print_and_parse),
        ARENA_TEST(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Promotion against NumPy's own answers under NEP 50, for every pair of types. The table was
 * printed by NumPy; the two places where the language differs on purpose are in `expected`. */
#include "frontend/infer/sema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The rows and columns: bool, int8 to int64, uint8 to uint64, float32, float64; then two
 * columns for an int and a float literal on the right. */
enum { TYPE_COUNT = 11, COLUMN_COUNT = 13 };

static const struct {
    AstOp op;
    const char *rows[TYPE_COUNT];
} NUMPY[] = {
    // clang-format off
    {AST_ADD, {
         "B i1 i2 i4 i8 u1 u2 u4 u8 f4 f8 i8 f8",
         "i1 i1 i2 i4 i8 i2 i4 i8 f8 f4 f8 i1 f8",
         "i2 i2 i2 i4 i8 i2 i4 i8 f8 f4 f8 i2 f8",
         "i4 i4 i4 i4 i8 i4 i4 i8 f8 f8 f8 i4 f8",
         "i8 i8 i8 i8 i8 i8 i8 i8 f8 f8 f8 i8 f8",
         "u1 i2 i2 i4 i8 u1 u2 u4 u8 f4 f8 u1 f8",
         "u2 i4 i4 i4 i8 u2 u2 u4 u8 f4 f8 u2 f8",
         "u4 i8 i8 i8 i8 u4 u4 u4 u8 f8 f8 u4 f8",
         "u8 f8 f8 f8 f8 u8 u8 u8 u8 f8 f8 u8 f8",
         "f4 f4 f4 f8 f8 f4 f4 f8 f8 f4 f8 f4 f4",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
     }},
    {AST_DIV, {
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f4 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f4 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f4 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f4 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f4 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
         "f4 f4 f4 f8 f8 f4 f4 f8 f8 f4 f8 f4 f4",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
     }},
    {AST_FLOORDIV, {
         "i1 i1 i2 i4 i8 u1 u2 u4 u8 f4 f8 i8 f8",
         "i1 i1 i2 i4 i8 i2 i4 i8 f8 f4 f8 i1 f8",
         "i2 i2 i2 i4 i8 i2 i4 i8 f8 f4 f8 i2 f8",
         "i4 i4 i4 i4 i8 i4 i4 i8 f8 f8 f8 i4 f8",
         "i8 i8 i8 i8 i8 i8 i8 i8 f8 f8 f8 i8 f8",
         "u1 i2 i2 i4 i8 u1 u2 u4 u8 f4 f8 u1 f8",
         "u2 i4 i4 i4 i8 u2 u2 u4 u8 f4 f8 u2 f8",
         "u4 i8 i8 i8 i8 u4 u4 u4 u8 f8 f8 u4 f8",
         "u8 f8 f8 f8 f8 u8 u8 u8 u8 f8 f8 u8 f8",
         "f4 f4 f4 f8 f8 f4 f4 f8 f8 f4 f8 f4 f4",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
     }},
    {AST_POW, {
         "i1 i1 i2 i4 i8 u1 u2 u4 u8 f4 f8 i8 f8",
         "i1 i1 i2 i4 i8 i2 i4 i8 f8 f4 f8 i1 f8",
         "i2 i2 i2 i4 i8 i2 i4 i8 f8 f4 f8 i2 f8",
         "i4 i4 i4 i4 i8 i4 i4 i8 f8 f8 f8 i4 f8",
         "i8 i8 i8 i8 i8 i8 i8 i8 f8 f8 f8 i8 f8",
         "u1 i2 i2 i4 i8 u1 u2 u4 u8 f4 f8 u1 f8",
         "u2 i4 i4 i4 i8 u2 u2 u4 u8 f4 f8 u2 f8",
         "u4 i8 i8 i8 i8 u4 u4 u4 u8 f8 f8 u4 f8",
         "u8 f8 f8 f8 f8 u8 u8 u8 u8 f8 f8 u8 f8",
         "f4 f4 f4 f8 f8 f4 f4 f8 f8 f4 f8 f4 f4",
         "f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8",
     }},
    {AST_SHL, {
         "i1 i1 i2 i4 i8 u1 u2 u4 u8 -- -- i8 --",
         "i1 i1 i2 i4 i8 i2 i4 i8 -- -- -- i1 --",
         "i2 i2 i2 i4 i8 i2 i4 i8 -- -- -- i2 --",
         "i4 i4 i4 i4 i8 i4 i4 i8 -- -- -- i4 --",
         "i8 i8 i8 i8 i8 i8 i8 i8 -- -- -- i8 --",
         "u1 i2 i2 i4 i8 u1 u2 u4 u8 -- -- u1 --",
         "u2 i4 i4 i4 i8 u2 u2 u4 u8 -- -- u2 --",
         "u4 i8 i8 i8 i8 u4 u4 u4 u8 -- -- u4 --",
         "u8 -- -- -- -- u8 u8 u8 u8 -- -- u8 --",
         "-- -- -- -- -- -- -- -- -- -- -- -- --",
         "-- -- -- -- -- -- -- -- -- -- -- -- --",
     }},
    {AST_AND, {
         "B i1 i2 i4 i8 u1 u2 u4 u8 -- -- i8 --",
         "i1 i1 i2 i4 i8 i2 i4 i8 -- -- -- i1 --",
         "i2 i2 i2 i4 i8 i2 i4 i8 -- -- -- i2 --",
         "i4 i4 i4 i4 i8 i4 i4 i8 -- -- -- i4 --",
         "i8 i8 i8 i8 i8 i8 i8 i8 -- -- -- i8 --",
         "u1 i2 i2 i4 i8 u1 u2 u4 u8 -- -- u1 --",
         "u2 i4 i4 i4 i8 u2 u2 u4 u8 -- -- u2 --",
         "u4 i8 i8 i8 i8 u4 u4 u4 u8 -- -- u4 --",
         "u8 -- -- -- -- u8 u8 u8 u8 -- -- u8 --",
         "-- -- -- -- -- -- -- -- -- -- -- -- --",
         "-- -- -- -- -- -- -- -- -- -- -- -- --",
     }},
    {AST_LT, {
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
         "B B B B B B B B B B B B B",
     }},
    // clang-format on
};

static const char *const NAMES[TYPE_COUNT] = {"B",  "i1", "i2", "i4", "i8", "u1",
                                              "u2", "u4", "u8", "f4", "f8"};

static IrScalar scalar_of(const char *text, size_t len) {
    for (int i = 0; i < TYPE_COUNT; i++)
        if (strlen(NAMES[i]) == len && !strncmp(NAMES[i], text, len))
            return (IrScalar)(TY_BOOL + i);
    return TY_NONE;
}

/* What the language says: NumPy's answer, but arithmetic on two bools is Python's, and nothing
 * mixes signed integers with uint64. */
static IrScalar expected(AstOp op, const char *row, IrScalar a, int column) {
    for (int i = 0; i < column; i++)
        row = strchr(row, ' ') + 1;
    IrScalar b = column < TYPE_COUNT ? (IrScalar)(TY_BOOL + column) : TY_NONE;
    bool mixed = (a == TY_UINT64 && ir_scalar_is_signed(b)) ||
                 (b == TY_UINT64 && ir_scalar_is_signed(a));
    if (mixed) return TY_NONE;
    if (a == TY_BOOL && b == TY_BOOL && op != AST_AND && op != AST_LT && op != AST_DIV)
        return TY_INT64;
    return scalar_of(row, strcspn(row, " "));
}

static FeTypes types;
static JrArena *arena;

static int set_up(void **state) {
    (void)state;
    arena = jr_arena_new(NULL);
    fe_types_init(&types, arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    jr_arena_free(arena);
    return 0;
}

static const FeType *column_type(int column) {
    if (column == TYPE_COUNT) return types.weak_int;
    return column > TYPE_COUNT ? types.weak_float : types.scalars[TY_BOOL + column];
}

static void check_pair(AstOp op, const char *row, int a, int column) {
    const FeType *left = types.scalars[TY_BOOL + a], *right = column_type(column);
    IrScalar wanted = expected(op, row, left->ir.scalar, column);
    FeOperation operation = {TY_NONE, TY_NONE}, mirrored = {TY_NONE, TY_NONE};
    bool ok = fe_operation(&types, op, left, right, &operation);
    if (ok != (wanted != TY_NONE) || (ok && operation.result != wanted))
        fail_msg("%s %s %s: %s, not %s", NAMES[a], fe_ast_op_text(op),
                 fe_type_name(&types, right),
                 ok ? ir_scalar_name(operation.result) : "refused", ir_scalar_name(wanted));
    assert_int_equal(fe_operation(&types, op, right, left, &mirrored), ok);
    if (ok) assert_memory_equal(&operation, &mirrored, sizeof operation);
}

static void test_numpy(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof NUMPY / sizeof *NUMPY; i++)
        for (int a = 0; a < TYPE_COUNT; a++)
            for (int column = 0; column < COLUMN_COUNT; column++)
                check_pair(NUMPY[i].op, NUMPY[i].rows[a], a, column);
}

/* Joining assignments is commutative and idempotent, and never lower than either side. */
static void test_unify(void **state) {
    (void)state;
    for (int a = 0; a < COLUMN_COUNT; a++)
        for (int b = 0; b < COLUMN_COUNT; b++) {
            const FeType *x = column_type(a), *y = column_type(b);
            const FeType *join = fe_unify(&types, x, y);
            assert_ptr_equal(join, fe_unify(&types, y, x));
            if (!join) continue;
            assert_ptr_equal(fe_unify(&types, join, x), join);
            assert_ptr_equal(fe_unify(&types, join, join), join);
        }
    assert_ptr_equal(fe_unify(&types, types.weak_int, types.scalars[TY_UINT64]),
                     types.scalars[TY_UINT64]);
    assert_null(fe_unify(&types, types.scalars[TY_INT64], types.scalars[TY_UINT64]));
    assert_null(fe_unify(&types, types.none, types.scalars[TY_INT64]));
}

static void test_unify_arrays(void **state) {
    (void)state;
    const FeType *c = fe_type_ir(&types, ir_array(TY_FLOAT64, 2, LAYOUT_C));
    const FeType *any = fe_type_ir(&types, ir_array(TY_FLOAT64, 2, LAYOUT_ANY));
    const FeType *flat = fe_type_ir(&types, ir_array(TY_FLOAT64, 1, LAYOUT_C));
    const FeType *other = fe_type_ir(&types, ir_array(TY_FLOAT32, 2, LAYOUT_C));
    assert_ptr_equal(fe_unify(&types, c, any), any);
    assert_ptr_equal(fe_unify(&types, c, c), c);
    assert_null(fe_unify(&types, c, flat));
    assert_null(fe_unify(&types, c, other));
    assert_true(fe_accepts(any, c));
    assert_false(fe_accepts(c, any));
    assert_false(fe_accepts(any, flat));
}

static void test_tuples(void **state) {
    (void)state;
    const FeType *int64 = types.scalars[TY_INT64], *float64 = types.scalars[TY_FLOAT64];
    const FeType *a = fe_type_tuple(&types, 2, (const FeType *[]){int64, types.weak_int});
    const FeType *b =
        fe_type_tuple(&types, 2, (const FeType *[]){float64, types.scalars[TY_INT8]});
    const FeType *join = fe_unify(&types, a, b);
    assert_string_equal(fe_type_name(&types, join), "tuple[float64, int8]");
    assert_ptr_equal(a, fe_type_tuple(&types, 2, (const FeType *[]){int64, types.weak_int}));
    assert_ptr_equal(fe_type_strong(&types, a),
                     fe_type_tuple(&types, 2, (const FeType *[]){int64, int64}));
    assert_null(fe_unify(&types, a, fe_type_tuple(&types, 1, &int64)));
    assert_null(fe_unify(&types, a, int64));
}

static void test_accepts(void **state) {
    (void)state;
    static const struct {
        IrScalar to, from;
        bool ok;
    } CASES[] = {
        {TY_FLOAT64, TY_INT64, true},    {TY_INT64, TY_FLOAT64, false},
        {TY_INT64, TY_INT32, true},      {TY_INT32, TY_INT64, false},
        {TY_FLOAT32, TY_FLOAT64, false}, {TY_FLOAT64, TY_FLOAT32, true},
        {TY_INT16, TY_UINT8, true},      {TY_INT16, TY_UINT16, false},
        {TY_UINT64, TY_INT8, false},     {TY_UINT64, TY_UINT8, true},
        {TY_INT64, TY_BOOL, true},       {TY_BOOL, TY_INT64, false},
        {TY_FLOAT32, TY_INT64, true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(fe_accepts(types.scalars[CASES[i].to], types.scalars[CASES[i].from]),
                         CASES[i].ok);
    assert_true(fe_accepts(types.scalars[TY_FLOAT32], types.weak_float));
    assert_false(fe_accepts(types.scalars[TY_INT32], types.weak_float));
    assert_true(fe_accepts(types.scalars[TY_UINT8], types.weak_int));
}

static void test_unary(void **state) {
    const FeConst text = {.kind = FE_CONST_STR, .bytes = "a", .len = 1};
    (void)state;
    FeOperation out;
    assert_true(fe_operation(&types, AST_NEG, types.scalars[TY_BOOL], NULL, &out));
    assert_int_equal(out.result, TY_INT64);
    assert_true(fe_operation(&types, AST_NEG, types.scalars[TY_UINT8], NULL, &out));
    assert_int_equal(out.result, TY_UINT8);
    assert_true(fe_operation(&types, AST_INVERT, types.scalars[TY_BOOL], NULL, &out));
    assert_int_equal(out.result, TY_BOOL);
    assert_false(fe_operation(&types, AST_INVERT, types.scalars[TY_FLOAT32], NULL, &out));
    assert_false(fe_operation(&types, AST_NEG, fe_type_str(&types, &text), NULL, &out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy),  cmocka_unit_test(test_unify),
        cmocka_unit_test(test_tuples), cmocka_unit_test(test_unify_arrays),
        cmocka_unit_test(test_unary),  cmocka_unit_test(test_accepts),
    };
    return cmocka_run_group_tests_name("promote", tests, set_up, tear_down);
}

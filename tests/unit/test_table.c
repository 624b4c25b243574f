/* The string table and the text buffer; the IR's tables; and diagnostics, which are made of
 * them. */
#include "tests/unit/ir_text.h"

#include "ir/rt.h"

#include <stdio.h>
#include <stdlib.h>

static void test_put_and_get(void **state) {
    JrTable table;
    char key[16];
    int values[5000];
    jr_table_init(&table, *state);
    assert_null(jr_table_get(&table, "none"));
    for (int i = 0; i < 5000; i++) {
        sprintf(key, "key%d", i);
        assert_null(jr_table_put(&table, key, &values[i]));
    }
    strcpy(key, "overwritten"); /* the table keeps its own copy of a key */
    assert_int_equal(table.len, 5000);
    for (int i = 0; i < 5000; i++) {
        sprintf(key, "key%d", i);
        assert_ptr_equal(jr_table_get(&table, key), &values[i]);
    }
    assert_null(jr_table_get(&table, "key5000"));
    assert_ptr_equal(jr_table_put(&table, "key7", &values[0]), &values[7]);
    assert_ptr_equal(jr_table_get(&table, "key7"), &values[0]);
    assert_int_equal(table.len, 5000);
    assert_null(jr_table_put(&table, "", &values[1]));
    assert_ptr_equal(jr_table_get(&table, ""), &values[1]);
}

static void test_text(void **state) {
    JrText text;
    jr_text_init(&text, *state);
    for (int i = 0; i < 1000; i++)
        jr_text_printf(&text, "%03d,", i);
    jr_text_puts(&text, "");
    jr_text_add(&text, "a\0b", 3);
    assert_int_equal(text.len, 4003);
    assert_memory_equal(text.data + 3996, "999,a\0b", 8);
}

/* ---- The tables of the .def files ---- */

static void test_op_tables(void **state) {
    (void)state;
#define JR_OP(ID, text, form, fails)                    \
    assert_string_equal(ir_op_name(OP_##ID), text);     \
    assert_int_equal(ir_op_form(OP_##ID), FORM_##form); \
    assert_int_equal(ir_op_may_fail(OP_##ID), fails);
#include "ir/ops.def"
#undef JR_OP
#define JR_MATH(ID, text, arity, f64, f32, exact)                     \
    assert_string_equal(ir_math_name(MATH_##ID), text);               \
    assert_int_equal(ir_math_arity(MATH_##ID), arity);                \
    assert_int_equal(ir_math_exact(MATH_##ID), exact);                \
    assert_string_equal(ir_math_symbol(MATH_##ID, TY_FLOAT64), #f64); \
    assert_string_equal(ir_math_symbol(MATH_##ID, TY_FLOAT32), #f32);
#include "ir/math.def"
#undef JR_MATH
#define JR_RTCALL(ID, text, params, results, fails)       \
    assert_string_equal(ir_rt_name(RT_##ID), text);       \
    assert_string_equal(ir_rt_params(RT_##ID), params);   \
    assert_string_equal(ir_rt_results(RT_##ID), results); \
    assert_int_equal(ir_rt_fails(RT_##ID), fails);
#include "ir/rtcalls.def"
#undef JR_RTCALL
#define JR_EXC(ID, name)                              \
    assert_string_equal(ir_exc_name(EXC_##ID), name); \
    assert_int_equal(ir_exc_named(name, strlen(name)), EXC_##ID);
#include "ir/errors.def"
#undef JR_EXC
    assert_int_equal(ir_exc_named("Value", 5), EXC_NONE);
    assert_int_equal(ir_exc_named("none", 4), EXC_NONE);
#define JR_TRAP(ID, exc, message)                        \
    assert_int_equal(ir_trap_exc(TRAP_##ID), EXC_##exc); \
    assert_string_equal(ir_trap_message(TRAP_##ID), message);
#include "ir/traps.def"
#undef JR_TRAP
}

static void test_symbol_find(void **state) {
    int a, b, c;
    JrSymbol items[] = {{"acos", &a}, {"cos", &b}, {"cosf", &c}};
    (void)state;
    for (uint32_t count = 0; count <= 3; count++) {
        JrSymbols symbols = {items, count};
        for (uint32_t i = 0; i < 3; i++)
            assert_ptr_equal(jr_symbol_find(&symbols, items[i].name),
                             i < count ? items[i].address : NULL);
        assert_null(jr_symbol_find(&symbols, "a"));
        assert_null(jr_symbol_find(&symbols, "coss"));
        assert_null(jr_symbol_find(&symbols, "z"));
    }
}

/* ---- Diagnostics ---- */

static const char *render_all(const JrDiags *diags) {
    JrText out;
    jr_text_init(&out, diags->arena);
    for (const JrDiag *diag = diags->first; diag; diag = diag->next)
        jr_diag_render(diags, diag, &out);
    return out.data;
}

static void start(JrDiags *diags, JrArena *arena, const char *text) {
    JrSource *source = JR_NEW(arena, JrSource);
    *source = (JrSource){.name = "k.src", .text = text, .len = strlen(text)};
    jr_diags_init(diags, arena, source);
}

static void test_diag_picture(void **state) {
    JrDiags diags;
    start(&diags, *state, "x = 1\r\n\ty = foo(x)\n");
    JrDiag *diag = jr_diag_error(&diags, (JrSpan){2, 6, 9}, "unknown name '%s'", "foo");
    jr_diag_help(&diags, diag, "did you mean '%s'?", "for");
    jr_diag_note(&diags, diag, (JrSpan){1, 1, 2}, "x is assigned here");
    assert_string_equal(render_all(&diags), "k.src:2:6: error: unknown name 'foo'\n"
                                            "    2 | \ty = foo(x)\n"
                                            "      | \t    ^~~\n"
                                            "help: did you mean 'for'?\n"
                                            "k.src:1:1: note: x is assigned here\n"
                                            "    1 | x = 1\n"
                                            "      | ^\n");
}

static void test_diag_utf8(void **state) {
    JrDiags diags;
    start(&diags, *state, "\xc3\xa9\xe4\xb8\xad = \xff\x1b+b\xc3\xa9");
    jr_diag_warning(&diags, (JrSpan){1, 11, 14}, "odd");
    assert_string_equal(render_all(&diags), "k.src:1:11: warning: odd\n"
                                            "    1 | \xc3\xa9\xe4\xb8\xad = ??+b\xc3\xa9\n"
                                            "      |         ^~~\n");
    assert_int_equal(diags.warnings, 1);
}

static void test_diag_edges(void **state) {
    JrSource source = {.name = "k.src", .text = "abc", .len = 3, .first_line = 40};
    JrDiags diags;
    jr_diags_init(&diags, *state, &source);
    jr_diag_error(&diags, (JrSpan){1, 9, 9}, "past the line");
    jr_diag_error(&diags, (JrSpan){7, 1, 1}, "past the text");
    jr_diag_error(&diags, (JrSpan){0, 0, 0}, "nowhere");
    assert_string_equal(render_all(&diags), "k.src:41:9: error: past the line\n"
                                            "   41 | abc\n"
                                            "      |    ^\n"
                                            "k.src:47:1: error: past the text\n"
                                            "k.src: error: nowhere\n");
}

static void test_diag_long_line(void **state) {
    char *text = jr_arena_alloc(*state, 100001);
    memset(text, 'x', 100000);
    memcpy(text + 70000, "HERE", 4);
    JrDiags diags;
    start(&diags, *state, text);
    jr_diag_error(&diags, (JrSpan){1, 70001, 70005}, "far out");
    const char *shown = render_all(&diags);
    assert_true(strlen(shown) < 400);
    const char *here = strstr(shown, "HERE"), *caret = strstr(shown, "^~~~\n");
    const char *line = strstr(shown, "    1 | "), *below = strstr(shown, "      | ");
    assert_true(here && caret && here - line == caret - below);
}

static void test_diag_limits(void **state) {
    JrDiags diags;
    start(&diags, *state, "x\n");
    jr_diag_error(&diags, (JrSpan){1, 1, 2}, "first");
    jr_diag_error(&diags, (JrSpan){1, 1, 2}, "second in the same place");
    assert_int_equal(diags.errors, 1);
    for (int i = 2; i < 100; i++)
        assert_non_null(jr_diag_error(&diags, (JrSpan){i, 1, 2}, "more"));
    jr_diag_help(&diags, jr_diag_error(&diags, (JrSpan){200, 1, 2}, "too late"), "unseen");
    assert_int_equal(diags.errors, JR_DIAGS_MAX_ERRORS);
    assert_true(diags.full);
}

static void test_diag_json(void **state) {
    JrDiags diags;
    start(&diags, *state, "x\n");
    JrText out;
    jr_text_init(&out, *state);
    jr_diags_render_json(&diags, &out);
    assert_string_equal(out.data, "[]\n");
    JrDiag *diag = jr_diag_error(&diags, (JrSpan){1, 1, 2}, "a \"b\" \\ \n\x01\xff\xc3\xa9");
    jr_diag_note(&diags, diag, (JrSpan){1, 1, 2}, "n");
    jr_diag_help(&diags, jr_diag_warning(&diags, (JrSpan){1, 1, 2}, "w"), "h");
    jr_text_init(&out, *state);
    jr_diags_render_json(&diags, &out);
    assert_string_equal(
        out.data,
        "[\n"
        "  {\"file\": \"k.src\", \"line\": 1, \"column\": 1, \"end_column\": 2, "
        "\"severity\": \"error\", \"message\": \"a \\\"b\\\" \\\\ "
        "\\n\\u0001\\ufffd\xc3\xa9\", "
        "\"help\": null, \"notes\": [{\"file\": \"k.src\", \"line\": 1, \"column\": 1, "
        "\"end_column\": 2, \"message\": \"n\"}]},\n"
        "  {\"file\": \"k.src\", \"line\": 1, \"column\": 1, \"end_column\": 2, "
        "\"severity\": \"warning\", \"message\": \"w\", \"help\": \"h\", \"notes\": []}\n"
        "]\n");
}

static void test_nearest(void **state) {
    static const char *const NAMES[] = {"range", "prange", "print", "len", "np", "sqrt"};
    (void)state;
    assert_string_equal(jr_nearest("rnage", NAMES, 6), "range");
    assert_string_equal(jr_nearest("prang", NAMES, 6), "prange");
    assert_string_equal(jr_nearest("pritn", NAMES, 6), "print");
    assert_string_equal(jr_nearest("lem", NAMES, 6), "len");
    assert_string_equal(jr_nearest("nq", NAMES, 6), "np");
    assert_null(jr_nearest("zebra", NAMES, 6));
    assert_null(jr_nearest("x", NAMES, 6));
    assert_null(jr_nearest("", NAMES, 6));
    assert_null(jr_nearest("range", NAMES, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_put_and_get),  ARENA_TEST(test_text),
        ARENA_TEST(test_op_tables),    ARENA_TEST(test_symbol_find),
        ARENA_TEST(test_diag_picture), ARENA_TEST(test_diag_utf8),
        ARENA_TEST(test_diag_edges),   ARENA_TEST(test_diag_long_line),
        ARENA_TEST(test_diag_limits),  ARENA_TEST(test_diag_json),
        ARENA_TEST(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

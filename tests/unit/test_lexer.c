/* The lexer: what a source text is as tokens, through the dump, and what it reports. */
#include "frontend/syntax/ast.h"
#include "frontend/syntax/lexer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct Case {
    const char *text, *expected;
} Case;

static void check_tokens(const char *text, const char *expected) {
    JrArena *arena = jr_arena_new(NULL);
    JrSource source = {"test.src", text, strlen(text), 0};
    JrText out;
    jr_text_init(&out, arena);
    fe_ast_dump_tokens(arena, &source, &out);
    assert_string_equal(out.data, expected);
    jr_arena_free(arena);
}

static void check_table(const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        check_tokens(cases[i].text, cases[i].expected);
}

#define CHECK(cases) check_table(cases, sizeof(cases) / sizeof *(cases))

static void lines_and_blocks(void **state) {
    (void)state;
    static const Case cases[] = {
        {"", "1:1 EOF\n"},
        {"x", "1:1 NAME x\n1:2 NEWLINE\n1:2 EOF\n"},
        {"\n\n# only a comment\n", "4:1 EOF\n"},
        {"x\n", "1:1 NAME x\n1:2 NEWLINE\n2:1 EOF\n"},
        {"x\r\ny\r\n", "1:1 NAME x\n1:2 NEWLINE\n2:1 NAME y\n2:2 NEWLINE\n3:1 EOF\n"},
        {"\xef\xbb\xbfx", "1:1 NAME x\n1:2 NEWLINE\n1:2 EOF\n"},
        {"if\n  x\n\n  # c\n y",
         "1:1 keyword if\n1:3 NEWLINE\n2:3 INDENT\n2:3 NAME x\n2:4 NEWLINE\n"
         "5:2 DEDENT\n5:2 NAME y\n5:3 NEWLINE\n5:3 EOF\n"},
        {"a\n b\n  c\nd", "1:1 NAME a\n1:2 NEWLINE\n2:2 INDENT\n2:2 NAME b\n2:3 NEWLINE\n"
                          "3:3 INDENT\n3:3 NAME c\n3:4 NEWLINE\n4:1 DEDENT\n4:1 DEDENT\n"
                          "4:1 NAME d\n4:2 NEWLINE\n4:2 EOF\n"},
        {"a\n\tb", "1:1 NAME a\n1:2 NEWLINE\n2:2 INDENT\n2:2 NAME b\n2:3 NEWLINE\n"
                   "2:3 DEDENT\n2:3 EOF\n"},
        {"(\n a)", "1:1 punctuation (\n2:2 NAME a\n2:3 punctuation )\n2:4 NEWLINE\n2:4 EOF\n"},
        {"a \\\n b", "1:1 NAME a\n2:2 NAME b\n2:3 NEWLINE\n2:3 EOF\n"},
        {"[ # c\n]", "1:1 punctuation [\n2:1 punctuation ]\n2:2 NEWLINE\n2:2 EOF\n"},
    };
    CHECK(cases);
}

static void words_and_numbers(void **state) {
    (void)state;
    static const Case cases[] = {
        {"ifx if", "1:1 NAME ifx\n1:5 keyword if\n1:7 NEWLINE\n1:7 EOF\n"},
        {"\xc3\xa9t\xc3\xa9", "1:1 NAME \xc3\xa9t\xc3\xa9\n1:6 NEWLINE\n1:6 EOF\n"},
        {"1_000", "1:1 INT 1_000\n1:6 NEWLINE\n1:6 EOF\n"},
        {"0xFf 0o17 0B1_0 00",
         "1:1 INT 0xFf\n1:6 INT 0o17\n1:11 INT 0B1_0\n1:17 INT 00\n1:19 NEWLINE\n1:19 EOF\n"},
        {"1. .5 1e9 1_0.0_1E-2 012.5",
         "1:1 FLOAT 1.\n1:4 FLOAT .5\n1:7 FLOAT 1e9\n1:11 FLOAT 1_0.0_1E-2\n1:22 FLOAT 012.5\n"
         "1:27 NEWLINE\n1:27 EOF\n"},
        {"2j 1.5J", "1:1 IMAG 2j\n1:4 IMAG 1.5J\n1:8 NEWLINE\n1:8 EOF\n"},
        {"1.x", "1:1 ERROR 1.x\n1:4 NEWLINE\n1:4 EOF\n"},
        {"a.b", "1:1 NAME a\n1:2 punctuation .\n1:3 NAME b\n1:4 NEWLINE\n1:4 EOF\n"},
    };
    CHECK(cases);
}

static void strings_and_operators(void **state) {
    (void)state;
    static const Case cases[] = {
        {"'a' \"b\" r'\\'", "1:1 STRING 'a'\n1:5 STRING \"b\"\n1:9 ERROR r'\\'\n1:13 NEWLINE\n"
                            "1:13 EOF\n"},
        {"'''a\nb''' c", "1:1 STRING '''a\nb'''\n2:6 NAME c\n2:7 NEWLINE\n2:7 EOF\n"},
        {"'a\\\nb'", "1:1 STRING 'a\\\nb'\n2:3 NEWLINE\n2:3 EOF\n"},
        {"a**=b//c", "1:1 NAME a\n1:2 punctuation **=\n1:5 NAME b\n1:6 punctuation //\n"
                     "1:8 NAME c\n1:9 NEWLINE\n1:9 EOF\n"},
        {"a<<b!=c->d...", "1:1 NAME a\n1:2 punctuation <<\n1:4 NAME b\n1:5 punctuation !=\n"
                          "1:7 NAME c\n1:8 punctuation ->\n1:10 NAME d\n1:11 punctuation ...\n"
                          "1:14 NEWLINE\n1:14 EOF\n"},
    };
    CHECK(cases);
}

/* Lexical errors: "line:column message" of the first, for each text. */
static void errors(void **state) {
    (void)state;
    static const Case cases[] = {
        {"x = 'abc\ny", "1:5 this string is not closed on its line"},
        {"x = '''abc\ny", "1:5 this triple-quoted string is never closed"},
        {"0x", "1:1 invalid hexadecimal number"},
        {"0xg", "1:1 invalid hexadecimal number"},
        {"0b12", "1:1 invalid binary number"},
        {"0o8", "1:1 invalid octal number"},
        {"1__0", "1:1 invalid number"},
        {"1_", "1:1 invalid number"},
        {"1e", "1:1 invalid number"},
        {"1e+", "1:1 invalid number"},
        {"3x", "1:1 invalid number"},
        {"012", "1:1 leading zeros in a decimal integer"},
        {"a = 1 $", "1:7 '$' means nothing here"},
        {"a = `b`", "1:5 '`' means nothing here"},
        {"!a", "1:1 '!' is not an operator"},
        {"a ? b : c", "1:3 '?' is not an operator"},
        {"a <> b", "1:3 '<>' is not an operator"},
        {"a = 1 \\", "1:7 a backslash that joins nothing: the file ends here"},
        {"a = 1 \\\n", "1:7 a backslash that joins nothing: the file ends here"},
        {"a = 1 \\\r\n", "1:7 a backslash that joins nothing: the file ends here"},
        {"a = 1\n\\\n", "2:1 a backslash that joins nothing: the file ends here"},
        {"a = 1 \\ + 2", "1:7 a backslash that does not end its line"},
        {"a\rb", "1:2 a carriage return without a line feed"},
        {"a = \x01", "1:5 a control character outside a string"},
        {"if a:\n        b\n\tc", "3:1 tabs and spaces are mixed in the indentation"},
        {"if a:\n    b\n  c", "3:1 the indentation matches no enclosing block"},
        {"a = '\xff'", "1:6 the source is not valid UTF-8"},
        {"a\n\xc3", "2:1 the source is not valid UTF-8"},
        {"\xed\xa0\x80", "1:1 the source is not valid UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        JrArena *arena = jr_arena_new(NULL);
        JrSource source = {"test.src", cases[i].text, strlen(cases[i].text), 0};
        JrDiags diags;
        jr_diags_init(&diags, arena, &source);
        fe_ast_parse(arena, &source, &diags);
        assert_non_null(diags.first);
        JrSpan span = diags.first->span;
        char *found =
            jr_arena_printf(arena, "%d:%d %s", span.line, span.col, diags.first->message);
        assert_string_equal(found, cases[i].expected);
        jr_arena_free(arena);
    }
}

static void nul_byte(void **state) {
    (void)state;
    JrArena *arena = jr_arena_new(NULL);
    JrSource source = {"test.src", "x = 1\n\0y", 8, 0};
    JrDiags diags;
    jr_diags_init(&diags, arena, &source);
    AstModule *module = fe_ast_parse(arena, &source, &diags);
    assert_int_equal(diags.errors, 1);
    assert_string_equal(diags.first->message, "the source holds a NUL byte");
    assert_int_equal(diags.first->span.line, 2);
    assert_int_equal(module->body->body.len, 0);
    jr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_blocks),
        cmocka_unit_test(words_and_numbers),
        cmocka_unit_test(strings_and_operators),
        cmocka_unit_test(errors),
        cmocka_unit_test(nul_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

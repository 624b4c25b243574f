/* How much code there is for large programs, as other programs write them: it grows as they do and no
 * faster. Counts, not times. */
#include "tests/unit/api_harness.h"

#include <stdarg.h>

typedef struct Text {
    char *data;
    size_t len, room;
} Text;

static bool text_write(void *user, const char *bytes, size_t len) {
    Text *t = user;
    while (t->len + len + 1 > t->room)
        assert_non_null(t->data = realloc(t->data, t->room = 2 * t->room + len + 1));
    memcpy(t->data + t->len, bytes, len);
    t->data[t->len += len] = '\0';
    return true;
}

__attribute__((format(printf, 2, 3))) static void text_add(Text *t, const char *format, ...) {
    char line[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_write(t, line, (size_t)len);
}

static size_t count(const char *text, const char *word) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        n++;
    return n;
}

/* How often `word` is in what the stage shows of the program, which is freed. */
static size_t count_in(Env *env, Text *source, const char *stage, const char *word) {
    Text shown = {NULL, 0, 0};
    JrModule *module = env_compile(env, source->data);
    assert_ok(jr_module_dump(module, stage, text_write, &shown));
    size_t n = count(shown.data, word);
    jr_module_free(module);
    free(shown.data);
    free(source->data);
    return n;
}

/* What an engine gets to see of a program, as lines. */
static size_t count_lines(Env *env, Text *source) {
    const char *stage = strcmp(env->engine, "interp") == 0 ? "bytecode"
                        : strcmp(env->engine, "tcc") == 0  ? "c"
                                                           : "llvm";
    return count_in(env, source, stage, "\n");
}

static Text program(void) {
    Text t = {NULL, 0, 0};
    text_add(&t, "from jitrun import *\n");
    return t;
}

static Text many_statements(int n) {
    Text t = program();
    text_add(&t, "def f(x: float64[::1], a: float) -> float:\n");
    for (int i = 0; i < n; i++)
        text_add(&t, "    a = a * 1.5 + x[%d]\n", i % 16);
    text_add(&t, "    return a\n");
    return t;
}

static Text many_loops(int n) {
    Text t = program();
    text_add(&t, "def f(x: float64[::1], a: float) -> float:\n");
    for (int i = 0; i < n; i++)
        text_add(&t, "    for i in range(len(x)):\n        a += x[i] * %d.0\n", i);
    text_add(&t, "    return a\n");
    return t;
}

static Text nested_loops(int depth) {
    Text t = program();
    text_add(&t, "def f(x: float64[::1], a: float) -> float:\n");
    for (int i = 1; i <= depth; i++)
        text_add(&t, "%*sfor i%d in range(len(x)):\n%*sa += x[i%d]\n", 4 * i, "", i, 4 * i + 4,
                 "", i);
    text_add(&t, "    return a\n");
    return t;
}

static Text many_functions(int n) {
    Text t = program();
    for (int i = 0; i < n; i++)
        text_add(&t,
                 "def f%d(x: float64[::1]) -> float:\n    s = 0.0\n"
                 "    for i in range(len(x)):\n        s += x[i] * %d.0\n    return s\n",
                 i, i);
    text_add(&t, "def f(x: float64[::1]) -> float:\n    s = 0.0\n");
    for (int i = 0; i < n; i++)
        text_add(&t, "    s += f%d(x)\n", i);
    text_add(&t, "    return s\n");
    return t;
}

/* Four times the program is at most five times the code. */
static void code_grows_with_the_program(void **state) {
    static Text (*const programs[])(int n) = {many_statements, many_loops, many_functions};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        Text small = programs[i](50), large = programs[i](200);
        size_t before = count_lines(*state, &small);
        size_t after = count_lines(*state, &large);
        assert_true(after > 2 * before);
        assert_true(after <= 5 * before);
    }
}

/* A loop with checks has two forms, but loops in loops have not two to the power of their depth. */
static void loops_in_loops_have_two_forms(void **state) {
    Text small = nested_loops(4), large = nested_loops(12);
    size_t before = count_lines(*state, &small);
    assert_true(count_lines(*state, &large) <= 5 * before);
}

/* One function with the loops of hundreds takes the passes much longer than hundreds of functions: so
 * each is there, and is called by its entry and by f. A few go into f. */
static void many_functions_stay_apart(void **state) {
    enum { FEW = 3, MANY = 300 };
    if (strcmp(((Env *)*state)->engine, "llvm") != 0) return;
    Text few = many_functions(FEW), many = many_functions(MANY);
    assert_true(count_in(*state, &few, "llvm-opt", ".kernel(") < 3 * FEW);
    assert_true(count_in(*state, &many, "llvm-opt", ".kernel(") >= 3 * MANY);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_grows_with_the_program),
        cmocka_unit_test(loops_in_loops_have_two_forms),
        cmocka_unit_test(many_functions_stay_apart),
    };
    return run_on_engines("sizes", tests, sizeof tests / sizeof *tests);
}

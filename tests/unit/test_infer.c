/* Inference through its dump and its messages: a source, and what must be said of it. */
#include "frontend/infer/sema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct Result {
    JrArena *arena;
    JrDiags diags;
    FeModule *module;
    JrText dump;
} Result;

static void infer(Result *result, const char *text) {
    JrArena *arena = result->arena = jr_arena_new(NULL);
    JrSource *source = JR_NEW(arena, JrSource);
    *source = (JrSource){"test", text, strlen(text), 0};
    jr_diags_init(&result->diags, arena, source);
    AstModule *ast = fe_ast_parse(arena, source, &result->diags);
    const FeConfig config = {.run_main = true};
    jr_text_init(&result->dump, arena);
    result->module = NULL;
    if (result->diags.errors) return;
    result->module = fe_infer(arena, ast, &result->diags, &config);
    fe_dump(result->module, &result->dump);
}

static void fail_with_diags(const char *text, Result *result) {
    JrText out;
    jr_text_init(&out, result->arena);
    for (const JrDiag *diag = result->diags.first; diag; diag = diag->next)
        jr_diag_render(&result->diags, diag, &out);
    fail_msg("in:\n%s\nthere is:\n%s%s", text, result->dump.data ? result->dump.data : "",
             out.data ? out.data : "");
}

/* Each source is inferred without an error, and its dump holds the text. */
static void check_types(const char *const (*cases)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        Result result;
        infer(&result, cases[i][0]);
        if (result.diags.errors || !strstr(result.dump.data, cases[i][1]))
            fail_with_diags(cases[i][0], &result);
        jr_arena_free(result.arena);
    }
}

/* Each source has exactly one error, on line 2 for those that say so by being there, and its
 * message or help holds the text. */
static void check_errors(const char *const (*cases)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        Result result;
        infer(&result, cases[i][0]);
        const JrDiag *diag = result.diags.first;
        bool said = diag && (strstr(diag->message, cases[i][1]) ||
                             (diag->help && strstr(diag->help, cases[i][1])));
        if (result.diags.errors != 1 || !said || !diag->span.line)
            fail_with_diags(cases[i][0], &result);
        jr_arena_free(result.arena);
    }
}

#define NP "import numpy as np\n"
#define TYPES(name, ...)                                     \
    static void name(void **state) {                         \
        static const char *const CASES[][2] = {__VA_ARGS__}; \
        (void)state;                                         \
        check_types(CASES, sizeof CASES / sizeof *CASES);    \
    }
#define ERRORS(name, ...)                                    \
    static void name(void **state) {                         \
        static const char *const CASES[][2] = {__VA_ARGS__}; \
        (void)state;                                         \
        check_errors(CASES, sizeof CASES / sizeof *CASES);   \
    }

TYPES(test_weak, {NP "def f(a: np.uint64):\n s = 0\n s += a\n return s\n", "-> uint64"},
      {NP "def f(a: np.float32):\n s = 0.0\n s += a\n return s\n", "-> float32"},
      {NP "def f(a: np.float32):\n s = 0\n s = s + a * 0.5\n return s\n", "-> float32"},
      {NP "def f(a: np.int32):\n return a * 2\n", "-> int32"},
      {NP "def f(a: np.int32):\n return a * 2.0\n", "-> float64"},
      {NP "def f(a: np.float32, c: bool):\n return a * (0.5 if c else 2)\n", "-> float32"},
      {NP "K = 3\ndef f(a: np.int8):\n return a + K\n", "-> int8"},
      {NP "R = 1 / 3\ndef f(a: np.float32):\n return a * R\n", "-> float32"},
      {"def f(a: int):\n s = 0\n s += a / 2\n return s\n", "-> float64"},
      {"def f():\n s = 0\n return s\n", "-> int64"},
      {"def f(c: bool):\n return 1 if c else 2.5\n", "-> float64"},
      {NP "def g(x): return x\ndef f(a: np.float32):\n s = 0.0\n s += a\n return g(s)\n",
       "def g(x: float32) -> float32"},
      {"def g(x): return x * 0.5\ndef f():\n i = 0\n t = 0.0\n while i < 3:\n  t += g(i)\n  i "
       "+= 1\n return t\n",
       "def g(x: int64) -> float64"})

TYPES(test_flow,
      {"def f(n: int):\n if n < 2: return n\n return f(n - 1) + f(n - 2)\n",
       "-> int64:  # line 1, recursive"},
      {"def a(n):\n if n == 0: return 0.5\n return b(n - 1)\ndef b(n): return "
       "a(n)\nprint(a(3))\n",
       "def b(n: int64) -> float64:  # line 4, recursive"},
      {"def f(n: int):\n n = n / 2\n return n\n", "n: float64"},
      {"def f(a: float):\n x = 1\n y = 2.5\n x, y = y, x\n return x\n", "x: float64"},
      {"def f(a: float, b: int):\n return a, b\nx, y = f(1, 2)\n", "x: float64"},
      {"def f(n: int):\n while True:\n  if n > 3: return 1\n  n += 1\n", "-> int64"},
      {"def f(n: int):\n if n: return 1\n raise ValueError('no')\n", "-> int64"},
      {NP "def f(a: int):\n for i, x in enumerate(np.zeros((2, 3), np.int8)):\n  y = x[0]\n "
          "return 1\n",
       "x: int8[::1]"},
      {"def f(k=2, *, s=0.5): return k * s\nprint(f(), f(s=1))\n",
       "def f(k: int64, s: int64)"})

TYPES(test_arrays, {NP "x = np.zeros((2, 3), dtype=np.float32)\n", "x: float32[:, ::1]"},
      {NP "x = np.zeros((2, 3))[0]\n", "x: float64[::1]"},
      {NP "x = np.zeros((2, 3))[:, 0]\n", "x: float64[:]"},
      {NP "x = np.zeros((2, 3))[0, 1:]\n", "x: float64[::1]"},
      {NP "x = np.zeros((2, 3))[:, 1:]\n", "x: float64[:, :]"},
      {NP "x = np.zeros((2, 3)).T\n", "x: float64[:, :]"},
      {NP "x = np.zeros(4)[::2]\n", "x: float64[:]"},
      {NP "x = np.zeros(4)[1:3]\n", "x: float64[::1]"},
      {NP "x = np.zeros(4)[None, :]\n", "x: float64[:, :]"},
      {NP "x = np.full(3, 7)\n", "x: int64[::1]"},
      {NP "x = np.arange(3)\ny = np.arange(0, 1, 0.1)\n", "y: float64[::1]"},
      {NP "x = np.array([[1, 2.5], [3, 4]])\n", "x: float64[:, ::1]"},
      {NP "x = np.array([1, 2], dtype=np.uint8)\n", "x: uint8[::1]"},
      {NP "x = np.zeros(3)\ny = x[::2]\ny = x\n", "y: float64[:]"},
      {NP "x = np.zeros((4, 5))\ns = x.shape\n", "s: tuple[int64, int64]"},
      {NP "x = np.zeros(6).reshape(2, 3)\n", "x: float64[:, ::1]"},
      {NP "x = np.random.rand(2, 3)\n", "x: float64[:, ::1]"},
      {NP "x = np.sqrt(np.float32(2))\n", "x: float32"},
      {"import math\nx = math.floor(2.5) + 1\n", "x: int64"})

TYPES(
    test_signatures,
    {"from numba import njit\n@njit('float64(float64, int32)')\ndef f(a, b): return a + b\n",
     "def f(a: float64, b: int32) -> float64"},
    {"from numba import njit, int32\n@njit(int32(int32, int32))\ndef f(a, b): return a + b\n",
     "def f(a: int32, b: int32) -> int32"},
    {"from numba import njit, float32, float64\n@njit([float32(float32), float64(float64)])\n"
     "def f(a): return a\n",
     "def f(a: float32)"},
    {"from numba import float64\ndef f(a: float64[:, ::1]): return a[0, 0]\n",
     "a: float64[:, ::1]"},
    {"def f(a: tuple[int, float]) -> float: return a[1]\n", "tuple[int64, float64]"},
    {"from numba import njit\n@njit('Tuple((f8, i4))(f8, i4)', cache=True, nogil=True)\n"
     "def f(a, b): return a, b\n",
     "-> tuple[float64, int32]"})

ERRORS(test_name_errors, {"print(lenn)\n", "did you mean 'len'"},
       {"def f(a: int):\n return b\n", "'b' is not defined"},
       {"import numpi\n", "did you mean 'numpy'"}, {NP "x = np.zerros(3)\n", "np.zeros"},
       {"x = 1\nx = 2\ndef f(a: int): return x\n", "functions cannot see"},
       {"x = sqrt(2)\n", "from math import sqrt"},
       {"def f(a: float64): return a\n", "not imported"},
       {"def f(a: int):\n x = a\n x.foo\n", "no attribute 'foo'"},
       {"from jitrun import njit\n@njit(paralel=True)\ndef f(): pass\n",
        "did you mean 'parallel'"},
       {"def f(): pass\ndef f(): pass\n", "defined twice"},
       {"x = sorted(3)\n", "not in the language"})

ERRORS(test_assignment_errors,
       {"def f(c: bool):\n if c: x = 1\n return x\n", "may be read here before"},
       {"def f(n: int):\n for i in range(n): x = i\n return x\n", "may be read here before"},
       {"def f(n: int):\n while n: x = 1; n -= 1\n return x\n", "may be read here before"},
       {"def f(n: int):\n while True:\n  if n: break\n  x = 1\n return x\n",
        "may be read here before"},
       {"def f(n: int):\n for i in range(n): pass\n return i\n", "may be read here before"},
       {"print(x)\nx = f()\ndef f(): return 1\n", "may be read here before"})

TYPES(
    test_assigned, {"def f(c: bool):\n if c: x = 1\n else: x = 2\n return x\n", "-> int64"},
    {"def f(c: bool):\n if c: x = 1\n else: raise ValueError('x')\n return x\n", "-> int64"},
    {"def f(n: int):\n while True:\n  x = n\n  if x: break\n return x\n", "-> int64"},
    {"def f(n: int):\n for i in range(n):\n  x = i\n  if x: break\n else: x = 0\n return x\n",
     "-> int64"},
    {"if __name__ == '__main__':\n y = len((1, 2))\nprint(y)\n", "y: int64"})

ERRORS(test_type_errors,
       {NP "def f(a: int, b: np.uint64): return a + b\n", "no integer type holds both"},
       {NP "def f(a: int, b: np.uint64): return a < b\n", "no integer type holds both"},
       {NP "def f(a: int, b: np.uint64):\n x = a\n x = b\n return 1\n", "np.uint64(x)"},
       {NP "def f(a: np.uint8): return a + 300\n", "300 does not fit in uint8"},
       {"x = 1 << 64\ny = 1\nx = y\n", "does not fit in int64"},
       {"x = 2 ** 300\n", "127 bits"}, {"x = 2 ** -1\n", "2.0 ** -1"},
       {NP "x = np.zeros(3)\nx = 1\n", "a variable has one type"},
       {NP "x = np.zeros(3)\ny = x & 1\n",
        "does not take float64 and an int literal elements"},
       {NP "x = np.zeros(3)\nif x: pass\n", "neither true nor false"},
       {NP "x = np.zeros(3)\ny = x[1, 2]\n", "has 1 dimension, but this takes 2"},
       {NP "x = np.zeros(3)\ny = x[1.5]\n", "an index must be an integer"},
       {"def f(a: int):\n s = 'abc' + 'd'\n", "compared with == and !="},
       {"s = [1, 2]\n", "np.array"}, {"z = 2j\n", "complex numbers are not supported yet"},
       {"t = (1, 2.5)\nfor i in range(2): print(t[i])\n", "must be a constant"},
       {"t = (1, 2)\nx = t[2]\n", "2 items"},
       {"a, b = 1, 2, 3\n", "3 values cannot be unpacked into 2"},
       {"def f(x: int): return x\nf(2.5)\n", "takes int64 for 'x'"},
       {"def f(x: int): return x\nf(1, 2)\n", "takes 1 positional"},
       {"def f(x: int): return x\nf()\n", "needs an argument for 'x'"},
       {"def f(x: int): return x\nf(y=1)\n", "no parameter 'y'"},
       {"def f(x: int):\n if x: return 1\n", "may end without returning"},
       {"def f(x: int):\n if x: return 1\n return\n", "returns None here"},
       {"def f(x: int): return f(x)\n", "cannot be inferred"},
       {"def g(x): return g((x, 1))\nprint(g(1))\n", "combinations of types"},
       {"x: int = 2.5\nx += 1\n", "is declared int64"},
       {"def f(x: float) -> int: return x\n", "declared to return int64"},
       {"import math\nx = math.sqrt('a')\n", "takes a number for 'x'"},
       {"x = range(3)\n", "in the for itself"}, {"print(1, spe=2)\n", "did you mean 'sep'"})

/* Errors are reported once each, all of them, and at most as many as the limit. */
static void test_many_errors(void **state) {
    (void)state;
    Result result;
    JrText text;
    JrArena *arena = jr_arena_new(NULL);
    jr_text_init(&text, arena);
    for (int i = 0; i < 100; i++)
        jr_text_printf(&text, "x%d = nothing%d + (1).y\n", i, i);
    infer(&result, text.data);
    assert_int_equal(result.diags.errors, JR_DIAGS_MAX_ERRORS);
    jr_arena_free(result.arena);
    jr_arena_free(arena);
}

/* A specialisation asked for by name after the module was inferred. */
static void test_specialise(void **state) {
    (void)state;
    Result result;
    infer(&result,
          "def f(x, y): return g(x) * y\ndef g(x): return x + 1\ndef h(x: float): return x\n");
    FeTypes *types = &result.module->types;
    const FeType *float32 = types->scalars[TY_FLOAT32], *int64 = types->scalars[TY_INT64];
    FeSpec *spec = fe_specialise(result.module, "f", 2, (const FeType *[]){float32, float32});
    assert_non_null(spec);
    assert_ptr_equal(spec->ret, float32);
    assert_string_equal(spec->name, "f(float32, float32)");
    assert_ptr_equal(
        spec, fe_specialise(result.module, "f", 2, (const FeType *[]){float32, float32}));
    assert_ptr_equal(fe_specialise(result.module, "h", 1, &int64)->ret,
                     types->scalars[TY_FLOAT64]);
    assert_int_equal(result.diags.errors, 0);
    assert_null(fe_specialise(result.module, "f", 1, &int64));
    assert_null(fe_specialise(result.module, "nothing", 0, NULL));
    assert_int_equal(result.diags.errors, 2);
    jr_arena_free(result.arena);
}

/* Twenty thousand lines, each depending on the one before, in the order that suits least. */
static void test_long_chain(void **state) {
    (void)state;
    enum { LINES = 20000 };
    Result result;
    JrText text;
    JrArena *arena = jr_arena_new(NULL);
    jr_text_init(&text, arena);
    jr_text_puts(&text, "def f(a: float):\n");
    for (int i = 0; i < LINES; i++)
        jr_text_printf(&text, " x%d = 0\n", i);
    jr_text_puts(&text, " while a > 0:\n");
    for (int i = 0; i + 1 < LINES; i++)
        jr_text_printf(&text, "  x%d = x%d\n", i, i + 1);
    jr_text_printf(&text, "  x%d = a\n return x0\n", LINES - 1);
    infer(&result, text.data);
    assert_int_equal(result.diags.errors, 0);
    assert_non_null(strstr(result.dump.data, "def f(a: float64) -> float64"));
    jr_arena_free(result.arena);
    jr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weak),        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_arrays),      cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_name_errors), cmocka_unit_test(test_assignment_errors),
        cmocka_unit_test(test_assigned),    cmocka_unit_test(test_type_errors),
        cmocka_unit_test(test_many_errors), cmocka_unit_test(test_specialise),
        cmocka_unit_test(test_long_chain),
    };
    return cmocka_run_group_tests_name("infer", tests, NULL, NULL);
}

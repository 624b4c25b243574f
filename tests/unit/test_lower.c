/* Lowering: the IR of small programs, as text. What the IR means is tested elsewhere; here it
 * is that each construct becomes the few statements it should, and that all of it verifies. */
#include "frontend/infer/sema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The module's IR, or its first diagnostic. The text lives in the arena. */
static const char *lower(JrArena *arena, const char *text, const FeConfig *config) {
    JrSource source = {"test.src", text, strlen(text), 0};
    JrDiags diags;
    JrText out;
    jr_diags_init(&diags, arena, &source);
    jr_text_init(&out, arena);
    AstModule *ast = fe_ast_parse(arena, &source, &diags);
    FeModule *module = diags.errors ? NULL : fe_infer(arena, ast, &diags, config);
    IrModule *ir = diags.errors ? NULL : fe_lower(module);
    const char *why = NULL;
    if (diags.errors)
        jr_diag_render(&diags, diags.first, &out);
    else if (!ir_verify_module(ir, &why))
        jr_text_puts(&out, why);
    else
        ir_print_module(ir, &out);
    return out.data;
}

/* Without the places, " @4:1-6": they are checked apart. */
static char *without_spans(char *text) {
    char *to = text;
    for (const char *from = text; *from;) {
        if (from[0] == ' ' && from[1] == '@')
            from += 2 + strspn(from + 2, "0123456789:-");
        else
            *to++ = *from++;
    }
    *to = 0;
    return text;
}

static const char HEADER[] = "from jitrun import njit, prange, float64, int64, int32\n"
                             "import numpy as np\n"
                             "import math, random\n";

static char *lower_source(JrArena *arena, const char *text, FeConfig config) {
    const char *ir = lower(arena, jr_arena_printf(arena, "%s%s", HEADER, text), &config);
    return jr_arena_strdup(arena, ir);
}

static void check(const char *text, const char *expected) {
    JrArena *arena = jr_arena_new(NULL);
    char *ir = without_spans(lower_source(arena, text, (FeConfig){0}));
    const char *func = strstr(ir, "func ");
    assert_string_equal(func ? func : ir, expected);
    jr_arena_free(arena);
}

/* How often `part` occurs in the IR of `text`. */
static unsigned count(const char *text, const char *part, FeConfig config) {
    JrArena *arena = jr_arena_new(NULL);
    unsigned n = 0;
    for (const char *at = lower_source(arena, text, config); (at = strstr(at, part)); at++)
        n++;
    jr_arena_free(arena);
    return n;
}

/* A while tests at the top of the loop; x ** 2 of a float is a product. */
static void while_loop(void **state) {
    (void)state;
    check("def f(x: float64) -> float64:\n"
          "    while x < 100.0:\n"
          "        x = x ** 2\n"
          "    return x\n",
          "func f(%x: float64) -> float64 exported {\n"
          "  var %x.1: float64\n"
          "  %x.1 = copy %x\n"
          "  loop {\n"
          "    %1 = lt %x.1, 100.0\n"
          "    %2 = not %1\n"
          "    if %2 {\n"
          "      break\n"
          "    }\n"
          "    %x.1 = mul %x.1, %x.1\n"
          "  }\n"
          "  return %x.1\n"
          "}\n");
}

/* The loop variable is the counter; its index cannot be negative; += stores to the variable.
 */
static void counted_loop(void **state) {
    (void)state;
    check("def f(x: float64[::1]) -> float64:\n"
          "    s = 0.0\n"
          "    for i in range(len(x)):\n"
          "        s += x[i]\n"
          "    return s\n",
          "func f(%x: float64[::1]) -> float64 exported {\n"
          "  var %s: float64\n"
          "  %s = copy 0.0\n"
          "  %1 = dim %x, 0\n"
          "  for %i = 0, %1, 1 {\n"
          "    %2 = load %x[%i+]\n"
          "    %s = add %s, %2\n"
          "  }\n"
          "  return %s\n"
          "}\n");
}

/* A variable read after the loop is copied from the counter, and so is one that is assigned.
 */
static void loop_variable_read_later(void **state) {
    (void)state;
    check("def f(n: int64) -> int64:\n"
          "    i = -1\n"
          "    for i in range(n):\n"
          "        if i == 3:\n"
          "            break\n"
          "    else:\n"
          "        i = n\n"
          "    return i\n",
          "func f(%n: int64) -> int64 exported {\n"
          "  var %i: int64\n"
          "  var %1: bool\n"
          "  %i = copy -1\n"
          "  %1 = copy true\n"
          "  for %2 = 0, %n, 1 {\n"
          "    %i = copy %2\n"
          "    %3 = eq %i, 3\n"
          "    if %3 {\n"
          "      %1 = copy false\n"
          "      break\n"
          "    }\n"
          "  }\n"
          "  if %1 {\n"
          "    %i = copy %n\n"
          "  }\n"
          "  return %i\n"
          "}\n");
}

/* A step of 0 raises; a known one is not tested. */
static void unknown_step(void **state) {
    (void)state;
    check("def f(n: int64, k: int64) -> int64:\n"
          "    c = 0\n"
          "    for i in range(n, 0, k):\n"
          "        c += i\n"
          "    for j in range(10, 0, -1):\n"
          "        c += j\n"
          "    return c\n",
          "func f(%n: int64, %k: int64) -> int64 exported {\n"
          "  var %c: int64\n"
          "  %c = copy 0\n"
          "  %1 = eq %k, 0\n"
          "  if %1 {\n"
          "    raise ValueError \"range() arg 3 must not be zero\"\n"
          "  }\n"
          "  for %i = %n, 0, %k {\n"
          "    %c = add %c, %i\n"
          "  }\n"
          "  for %j = 10, 0, -1 {\n"
          "    %c = add %c, %j\n"
          "  }\n"
          "  return %c\n"
          "}\n");
}

/* Both sides are read before either is written. */
static void swap(void **state) {
    (void)state;
    check("def f(a: int64, b: int64) -> int64:\n"
          "    c = a\n"
          "    c, d = b, c\n"
          "    return c - d\n",
          "func f(%a: int64, %b: int64) -> int64 exported {\n"
          "  var %c: int64\n"
          "  var %d: int64\n"
          "  %c = copy %a\n"
          "  %1 = copy %c\n"
          "  %c = copy %b\n"
          "  %d = copy %1\n"
          "  %2 = sub %c, %d\n"
          "  return %2\n"
          "}\n");
}

/* Cheap operands join without a branch, others are evaluated only if they count. */
static void conditions(void **state) {
    (void)state;
    check("def f(x: float64[:], i: int64, n: int64) -> int64:\n"
          "    if i >= 0 and i < n:\n"
          "        return 1\n"
          "    if i < n and x[i] > 0.0:\n"
          "        return 2\n"
          "    return 3 if i == 7 else n\n",
          "func f(%x: float64[:], %i: int64, %n: int64) -> int64 exported {\n"
          "  var %1: bool\n"
          "  %2 = ge %i, 0\n"
          "  %3 = lt %i, %n\n"
          "  %4 = and %2, %3\n"
          "  if %4 {\n"
          "    return 1\n"
          "  }\n"
          "  %5 = lt %i, %n\n"
          "  %1 = copy %5\n"
          "  if %5 {\n"
          "    %6 = load %x[%i]\n"
          "    %7 = gt %6, 0.0\n"
          "    %1 = copy %7\n"
          "  }\n"
          "  if %1 {\n"
          "    return 2\n"
          "  }\n"
          "  %8 = eq %i, 7\n"
          "  %9 = select %8, 3, %n\n"
          "  return %9\n"
          "}\n");
}

/* The middle operand is evaluated once. */
static void chained_comparison(void **state) {
    (void)state;
    check("def g(n: int64) -> int64:\n"
          "    return n\n"
          "def f(a: int64, b: int64) -> bool:\n"
          "    return a < g(b) < 10\n",
          "func g(%n: int64) -> int64 exported {\n"
          "  return %n\n"
          "}\n"
          "\n"
          "func f(%a: int64, %b: int64) -> bool exported {\n"
          "  %1: int64 = call g(%b)\n"
          "  %2 = lt %a, %1\n"
          "  %3 = lt %1, 10\n"
          "  %4 = and %2, %3\n"
          "  return %4\n"
          "}\n");
}

/* Slices of known sign are a few instructions. */
static void slices(void **state) {
    (void)state;
    check("def f(a: float64[::1], n: int64) -> float64:\n"
          "    return g(a[1:-1]) + g(a[::-1]) + g(a[:n])\n"
          "def g(a: float64[:]) -> float64:\n"
          "    return a[0]\n",
          "func g(%a: float64[:]) -> float64 exported {\n"
          "  %1 = load %a[0+]\n"
          "  return %1\n"
          "}\n"
          "\n"
          "func f(%a: float64[::1], %n: int64) -> float64 exported {\n"
          "  %1 = dim %a, 0\n"
          "  %2 = min 1, %1\n"
          "  %3 = add %1, -1\n"
          "  %4 = max %3, 0\n"
          "  %5 = sub %4, %2\n"
          "  %6 = max %5, 0\n"
          "  %7: float64[::1] = view %a[range(%2, %6, 1)]\n"
          "  %8: float64[:] = view %7[]\n"
          "  %9: float64 = call g(%8)\n"
          "  %10 = dim %a, 0\n"
          "  %11 = add %10, -1\n"
          "  %12 = max %11, 0\n"
          "  %13: float64[:] = view %a[range(%12, %10, -1)]\n"
          "  %14: float64 = call g(%13)\n"
          "  %15 = add %9, %14\n"
          "  %16 = dim %a, 0\n"
          "  %17 = lt %n, 0\n"
          "  %18 = add %n, %16\n"
          "  %19 = select %17, %18, %n\n"
          "  %20 = max %19, 0\n"
          "  %21 = min %20, %16\n"
          "  %22: float64[::1] = view %a[range(0, %21, 1)]\n"
          "  %23: float64[:] = view %22[]\n"
          "  %24: float64 = call g(%23)\n"
          "  %25 = add %15, %24\n"
          "  return %25\n"
          "}\n");
}

/* Leading indices and slices of a contiguous array are contiguous views. */
static void rows(void **state) {
    (void)state;
    check("def f(a: float64[:, ::1], i: int64) -> float64:\n"
          "    r = a[i]\n"
          "    a[1:, 0] = 2.0\n"
          "    return r[-1]\n",
          "func f(%a: float64[:, ::1], %i: int64) -> float64 exported {\n"
          "  var %r: owned float64[::1]\n"
          "  %1: float64[::1] = view %a[%i]\n"
          "  %r = assign %1\n"
          "  %2 = dim %a, 0\n"
          "  %3 = min 1, %2\n"
          "  %4 = sub %2, %3\n"
          "  %5: float64[:] = view %a[range(%3, %4, 1), 0+]\n"
          "  %6 = dim %5, 0\n"
          "  for %7 = 0, %6, 1 {\n"
          "    store %5[%7!] = 2.0\n"
          "  }\n"
          "  %8 = load %r[-1]\n"
          "  return %8\n"
          "}\n");
}

/* The subscript is evaluated and checked once. */
static void augmented_element(void **state) {
    (void)state;
    check("def f(a: int32[::1], i: int64):\n"
          "    a[i] += 1\n",
          "func f(%a: int32[::1], %i: int64) exported {\n"
          "  %1 = load %a[%i]\n"
          "  %2 = add %1, 1:int32\n"
          "  store %a[%i-] = %2\n"
          "  return\n"
          "}\n");
}

/* A result is made in the variable, unless the call still reads it. */
static void array_variables(void **state) {
    (void)state;
    check("def f(n: int64) -> float64:\n"
          "    a = np.zeros(n)\n"
          "    a = g(a[1:])\n"
          "    a = np.ones(n)\n"
          "    return a[0]\n"
          "def g(a: float64[::1]) -> float64[::1]:\n"
          "    return a\n",
          "func g(%a: float64[::1]) -> float64[::1] exported {\n"
          "  return %a\n"
          "}\n"
          "\n"
          "func f(%n: int64) -> float64 exported {\n"
          "  var %a: owned float64[::1]\n"
          "  %a = alloc zeroed %n\n"
          "  %1 = dim %a, 0\n"
          "  %2 = min 1, %1\n"
          "  %3 = sub %1, %2\n"
          "  %4: float64[::1] = view %a[range(%2, %3, 1)]\n"
          "  %5: owned float64[::1] = call g(%4)\n"
          "  %a = assign %5\n"
          "  %a = alloc %n\n"
          "  for %6 = 0, %n, 1 {\n"
          "    store %a[%6!] = 1.0\n"
          "  }\n"
          "  %7 = load %a[0+]\n"
          "  return %7\n"
          "}\n");
}

/* One counter; the shortest decides. */
static void enumerate_zip(void **state) {
    (void)state;
    check("def f(a: float64[:], b: float64[:]) -> float64:\n"
          "    s = 0.0\n"
          "    for i, (x, y) in enumerate(zip(a, b), 1):\n"
          "        s += i * x * y\n"
          "    return s\n",
          "func f(%a: float64[:], %b: float64[:]) -> float64 exported {\n"
          "  var %s: float64\n"
          "  %s = copy 0.0\n"
          "  %1 = dim %a, 0\n"
          "  %2 = dim %b, 0\n"
          "  %3 = min %1, %2\n"
          "  for %4 = 0, %3, 1 {\n"
          "    %i = add 1, %4\n"
          "    %x = load %a[%4!]\n"
          "    %y = load %b[%4!]\n"
          "    %5: float64 = cast %i\n"
          "    %6 = mul %5, %x\n"
          "    %7 = mul %6, %y\n"
          "    %s = add %s, %7\n"
          "  }\n"
          "  return %s\n"
          "}\n");
}

/* Each iteration of a prange that draws has its own stream, left on every way out. */
static void random_streams(void **state) {
    (void)state;
    check("def f(n: int64) -> float64:\n"
          "    s = 0.0\n"
          "    for i in prange(n):\n"
          "        if i == 2:\n"
          "            continue\n"
          "        s += random.random()\n"
          "    return s\n",
          "func f(%n: int64) -> float64 exported {\n"
          "  var %s: float64\n"
          "  %s = copy 0.0\n"
          "  rt.random_loop\n"
          "  for %i = 0, %n, 1 {\n"
          "    rt.random_enter %i\n"
          "    %1 = eq %i, 2\n"
          "    if %1 {\n"
          "      rt.random_leave\n"
          "      continue\n"
          "    }\n"
          "    %2 = rt.random_random\n"
          "    %s = add %s, %2\n"
          "    rt.random_leave\n"
          "  }\n"
          "  return %s\n"
          "}\n");
}

/* Literal text is gathered. */
static void printing(void **state) {
    (void)state;
    check("def f(x: int64, y: float64):\n"
          "    print(\"x =\", (x, y), None, sep=\"|\")\n",
          "func f(%x: int64, %y: float64) exported {\n"
          "  rt.print_str \"x =|(\"\n"
          "  rt.print_int %x\n"
          "  rt.print_str \", \"\n"
          "  rt.print_float64 %y\n"
          "  rt.print_str \")|None\\n\"\n"
          "  return\n"
          "}\n");
}

/* Tuples are several registers. */
static void tuples(void **state) {
    (void)state;
    check("def f(t: tuple[int64, tuple[float64, bool]]) -> float64:\n"
          "    a, (b, c) = t\n"
          "    return b if c else 0.0\n",
          "func f(%t: int64, %t.1: float64, %t.2: bool) -> float64 exported {\n"
          "  var %a: int64\n"
          "  var %b: float64\n"
          "  var %c: bool\n"
          "  %a = copy %t\n"
          "  %b = copy %t.1\n"
          "  %c = copy %t.2\n"
          "  %1 = select %c, %b, 0.0\n"
          "  return %1\n"
          "}\n");
}

static void raising(void **state) {
    (void)state;
    check("def f(x: int64):\n"
          "    assert x > 0, \"positive\"\n"
          "    if x > 9:\n"
          "        raise ValueError(\"large\")\n",
          "func f(%x: int64) exported {\n"
          "  %1 = le %x, 0\n"
          "  if %1 {\n"
          "    raise AssertionError \"positive\"\n"
          "  }\n"
          "  %2 = gt %x, 9\n"
          "  if %2 {\n"
          "    raise ValueError \"large\"\n"
          "  }\n"
          "  return\n"
          "}\n");
}

/* ---- Options ---- */

static const char GATHER[] = "@njit(%s)\n"
                             "def f(a: float64[:], i: int64, d: float64) -> float64:\n"
                             "    for k in prange(i):\n"
                             "        a[k] = a[i - k] / d\n"
                             "    return a[i]\n";

static unsigned count_with(const char *option, const char *part, FeConfig config) {
    char text[512];
    snprintf(text, sizeof text, GATHER, option);
    return count(text, part, config);
}

static void options_change_the_code(void **state) {
    (void)state;
    FeConfig plain = {0}, unchecked = {.unchecked = true}, parallel = {.parallel = true};
    assert_int_equal(count_with("nogil=True", "for parallel", plain), 0);
    assert_int_equal(count_with("parallel=True", "for parallel", plain), 1);
    assert_int_equal(count_with("nogil=True", "for parallel", parallel), 1);
    assert_int_equal(count_with("nogil=True", "-]", plain), 0);
    assert_int_equal(count_with("boundscheck=False", "-]", plain), 2);
    assert_int_equal(count_with("boundscheck=False", "!]", plain), 1);
    assert_int_equal(count_with("nogil=True", "-]", unchecked), 2);
    assert_int_equal(count_with("nogil=True", "raise", plain), 0);
    assert_int_equal(count_with("error_model='python'", "raise ZeroDivisionError", plain), 1);
}

/* Statements stand where their operator or their bracket does. */
static void places(void **state) {
    (void)state;
    const char *text = "def f(a: float64[:], i: int64) -> float64:\n    return a[i] + 1.0\n";
    assert_int_equal(count(text, "load %a[%i] @5:13-14", (FeConfig){0}), 1);
    assert_int_equal(count(text, "add %1, 1.0 @5:17-18", (FeConfig){0}), 1);
    assert_int_equal(count(text, "return %2 @5:5-22", (FeConfig){0}), 1);
}

/* ---- All of it verifies ---- */

/* Each is the body of a function of these parameters. */
static const char *const BODIES[] = {
    "while True:\n        k += 1\n        if k > 9: break\n    print(k)",
    "while c: pass",
    "for i in range(3): pass\n    else: print(k)",
    "for i in range(k, -k, -2): print(i)",
    "for i in range(k):\n        for i in range(i): print(i)",
    "for r in m:\n        for v in r: print(v)",
    "for i, r in enumerate(m, k): print(i, r)",
    "for i, (p, q) in enumerate(zip(a, range(k, 9, 2))): print(i, p, q)",
    "for t in ((1, x), (k, 2.0)): print(t)",
    "for t in (m[0], m[1]): t[0] = x",
    "for r in m[::-1]:\n        m = m[1:]\n        print(r)",
    "b = a\n    b, a = a[1:], b[::2]\n    print(a, b)",
    "t = (k, x)\n    t = (k + 1, t[1])\n    print(t, t[0])",
    "b = a if c else a[::-1]\n    b[0] = 1",
    "b = h(h(a))\n    b = h(b)\n    print(b)",
    "a = a.copy()\n    a.fill(x)\n    a.sort()",
    "print(a.astype(np.int32), a.T, m.T, m.ravel(), m.flatten(), a.item(0), m.item(0, 0))",
    "print(m.reshape(-1), m.reshape(k, 2), np.reshape(a, (2, -1)))",
    "print(np.zeros((k, 2)), np.ones(k), np.full(k, x), np.empty(0), np.zeros_like(m), "
    "np.full_like(a, k))",
    "print(np.arange(k), np.arange(x), np.arange(0.0, x, 0.5), np.linspace(0, x, k), "
    "np.array([[1, k], [2, 3]]))",
    "print(a.shape, m.shape[k], m.size, m.ndim, len(m), m.nbytes, a.itemsize)",
    "m[k] = a\n    m[:, 0] = x\n    m[1:, ::2] = m[:-1, 1:]\n    a[:] = 0",
    "m[k, -1] += x\n    m[0][1] -= k\n    a[k] //= 2\n    a[k] **= 2",
    "print(m[k:, :k:2], m[..., 0], m[None, k], a[::k], a[k:k + 3], m[-1], a[-k:])",
    "print(0 < x < 10 < k, c and k > 1 or not c, (k or 3), (c and True), x if c else k)",
    "print(k // 3, k % 3, k ** k, x // 2, x % 2, -k, ~k, not c, k << 2, k >> 1, k & 3, k | 4, "
    "k ^ 5)",
    "print(abs(k), min(k, 2, x), max(x, 1), round(x), round(x, 2), divmod(k, 3), divmod(x, "
    "2.0), pow(k, 2))",
    "print(int(x), float(k), bool(k), np.int8(k), np.uint64(k), np.float32(x), np.bool_(x))",
    "print(math.floor(x), math.sqrt(k), math.log(x, 2), math.modf(x), math.gcd(k, 6), "
    "math.lcm(k, 6), math.frexp(x))",
    "print(np.sign(x), np.sign(k), np.clip(x, 0, 1), np.where(c, x, k), np.minimum(x, k), "
    "np.fmax(x, 1.0))",
    "print(np.round(x, 2), np.round(x), np.isnan(x), np.signbit(x), np.logical_xor(c, x), "
    "np.deg2rad(x))",
    "print(random.random(), random.randint(1, k), np.random.rand(), np.random.randn(2, 3), "
    "np.random.randint(9, size=k))",
    "print(np.random.uniform(0, x, (2, k)), np.random.normal(size=3), "
    "np.random.standard_normal())",
    "random.seed(k)\n    np.random.seed(k)",
    "for i in prange(k):\n        a[i] = random.gauss(0.0, 1.0)",
    "if k == 1:\n        return\n    elif c:\n        raise IndexError\n    assert c",
    "print()\n    print(1, \"b\", end=\"\")\n    print((\"it's\", None, (1,)), sep=\"\")",
    "u = np.uint64(k)\n    print(a[u], a[np.int8(1)], a[:np.uint8(3)])",
    "if False: print(1)\n    if True: print(2)",
    "k = 3\n    x = 1\n    c = k == x",
};

static void everything_verifies(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
        JrArena *arena = jr_arena_new(NULL);
        const char *text = jr_arena_printf(arena,
                                           "def h(a):\n    return a[1:]\n"
                                           "def f(a: float64[:], m: float64[:, ::1], k: "
                                           "int64, x: float64, c: bool):\n    %s\n",
                                           BODIES[i]);
        const char *ir = lower_source(arena, text, (FeConfig){0});
        if (strncmp(ir, "file ", 5)) fail_msg("%s\n%s", BODIES[i], ir);
        jr_arena_free(arena);
    }
}

/* A later specialisation lowers the whole module again. */
static void lowers_again(void **state) {
    (void)state;
    static const char TEXT[] = "def f(a: float64[:], n: int64) -> float64:\n"
                               "    for i in range(n):\n"
                               "        a = a[i:]\n"
                               "    for i in range(n):\n"
                               "        n = n - i\n"
                               "    return a[0] if n else 0.0\n";
    JrArena *arena = jr_arena_new(NULL);
    const char *text = jr_arena_printf(arena, "%s%s", HEADER, TEXT);
    JrSource source = {"test.src", text, strlen(text), 0};
    JrDiags diags;
    JrText first, second;
    jr_diags_init(&diags, arena, &source);
    jr_text_init(&first, arena);
    jr_text_init(&second, arena);
    FeConfig config = {0};
    FeModule *module = fe_infer(arena, fe_ast_parse(arena, &source, &diags), &diags, &config);
    ir_print_module(fe_lower(module), &first);
    ir_print_module(fe_lower(module), &second);
    assert_string_equal(first.data, second.data);
    jr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_loop),
        cmocka_unit_test(counted_loop),
        cmocka_unit_test(loop_variable_read_later),
        cmocka_unit_test(unknown_step),
        cmocka_unit_test(swap),
        cmocka_unit_test(conditions),
        cmocka_unit_test(chained_comparison),
        cmocka_unit_test(slices),
        cmocka_unit_test(rows),
        cmocka_unit_test(augmented_element),
        cmocka_unit_test(array_variables),
        cmocka_unit_test(enumerate_zip),
        cmocka_unit_test(random_streams),
        cmocka_unit_test(printing),
        cmocka_unit_test(tuples),
        cmocka_unit_test(raising),
        cmocka_unit_test(options_change_the_code),
        cmocka_unit_test(places),
        cmocka_unit_test(everything_verifies),
        cmocka_unit_test(lowers_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

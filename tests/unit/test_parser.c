/* The parser: trees through the dump, every error with its place, spans, limits, and a small
 * mutation fuzz: whatever the text, there is a tree or an error, and nothing else. */
#include "frontend/syntax/ast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Parsed {
    JrArena *arena;
    JrSource source;
    JrDiags diags;
    AstModule *module;
} Parsed;

static void parse_bytes(Parsed *parsed, const char *text, size_t len) {
    parsed->arena = jr_arena_new(NULL);
    parsed->source = (JrSource){"test.src", text, len, 0};
    jr_diags_init(&parsed->diags, parsed->arena, &parsed->source);
    parsed->module = fe_ast_parse(parsed->arena, &parsed->source, &parsed->diags);
}

static void parse(Parsed *parsed, const char *text) {
    parse_bytes(parsed, text, strlen(text));
}

typedef struct Case {
    const char *text, *expected;
} Case;

static void check_trees(const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        Parsed parsed;
        JrText out;
        parse(&parsed, cases[i].text);
        jr_text_init(&out, parsed.arena);
        if (parsed.diags.errors) jr_diag_render(&parsed.diags, parsed.diags.first, &out);
        fe_ast_dump(parsed.module, &out);
        assert_string_equal(out.data, cases[i].expected);
        jr_arena_free(parsed.arena);
    }
}

#define CHECK(cases) check_trees(cases, sizeof(cases) / sizeof *(cases))

static void expressions(void **state) {
    (void)state;
    static const Case cases[] = {
        {"-2**2", "expr (- (** 2 2))\n"},
        {"2**-1", "expr (** 2 (- 1))\n"},
        {"2**3**4", "expr (** 2 (** 3 4))\n"},
        {"a - b - c", "expr (- (- a b) c)\n"},
        {"a + b * c", "expr (+ a (* b c))\n"},
        {"(a + b) * c", "expr (* (+ a b) c)\n"},
        {"a | b ^ c & d << e + f", "expr (| a (^ b (& c (<< d (+ e f)))))\n"},
        {"a // b % c @ d", "expr (@ (% (// a b) c) d)\n"},
        {"~a + +b", "expr (+ (~ a) (+ b))\n"},
        {"- -a", "expr (- (- a))\n"},
        {"a < b <= c != d", "expr (compare a < b <= c != d)\n"},
        {"a not in b", "expr (compare a not in b)\n"},
        {"a is not b is c", "expr (compare a is not b is c)\n"},
        {"not a == b", "expr (not (compare a == b))\n"},
        {"a or b and not c or d", "expr (or a (and b (not c)) d)\n"},
        {"a if b else c if d else e", "expr (if a b (if c d e))\n"},
        {"a.b.c(d)(e)[f]", "expr (index (call (call (. (. a b) c) d) e) f)\n"},
        {"f(a, b, c=d, e=1,)", "expr (call f a b c=d e=1)\n"},
        {"a[1:2, ::3, :, i]", "expr (index a (slice 1 2) (slice _ _ 3) (slice _ _) i)\n"},
        {"a[..., None]", "expr (index a ... None)\n"},
        {"a[(i, j)]", "expr (index a i j)\n"},
        {"a[i,]", "expr (index a i)\n"},
        {"()", "expr (tuple)\n"},
        {"(a,)", "expr (tuple a)\n"},
        {"(a)", "expr a\n"},
        {"a, b,", "expr (tuple a b)\n"},
        {"[1, 2.5, []]", "expr (list 1 2.5 (list))\n"},
        {"True, False, None", "expr (tuple True False None)\n"},
        {"0x1F + 1_000 + 0b11 + 0o17", "expr (+ (+ (+ 31 1000) 3) 15)\n"},
        {"170141183460469231731687303715884105727",
         "expr 170141183460469231731687303715884105727\n"},
        {"1e3 + .1 + 1e999 + 2.5j", "expr (+ (+ (+ 1000.0 0.1) inf) 2.5j)\n"},
        {"f('a' \"b\" r'\\n' u'\\x41\\101\\u00e9\\t\\q')",
         "expr (call f \"ab\\\\nAA\xc3\xa9\\x09\\\\q\")\n"},
        {"f('''a\nb\\\nc''')", "expr (call f \"a\\x0abc\")\n"},
        {"f('''a\r\nb''')", "expr (call f \"a\\x0ab\")\n"},
    };
    CHECK(cases);
}

static void statements(void **state) {
    (void)state;
    static const Case cases[] = {
        {"a = b = c, d = 1", "= a b (tuple c d) 1\n"},
        {"(a, (b, c)), d = e", "= (tuple (tuple a (tuple b c)) d) e\n"},
        {"[a, b] = c", "= (tuple a b) c\n"},
        {"f(y := 1)", "expr (call f (:= y 1))\n"},
        {"del a, (b, c)", "del a b c\n"},
        {"a[0], b.c = 1, 2", "= (tuple (index a 0) (. b c)) (tuple 1 2)\n"},
        {"a += 1; b **= 2; c[i] >>= 3;", "+= a 1\n**= b 2\n>>= (index c i) 3\n"},
        {"a: int\nb: float64[::1] = c", ": a int\n: b (index float64 (slice _ _ 1)) c\n"},
        {"if a: b\nelif c: d\nelse: e", "if a\n  expr b\nelse\n  if c\n    expr d\n  else\n"
                                        "    expr e\n"},
        {"while a:\n  break\nelse:\n  pass", "while a\n  break\nelse\n  pass\n"},
        {"for i, (a, b) in c:\n  continue\nelse: d",
         "for (tuple i (tuple a b)) c\n  continue\nelse\n  expr d\n"},
        {"for i in a, b: pass", "for i (tuple a b)\n  pass\n"},
        {"assert a, 'm'\nassert a", "assert a \"m\"\nassert a\n"},
        {"raise\nraise E\nraise E('m')", "raise\nraise E\nraise (call E \"m\")\n"},
        {"import a.b, c as d", "import (a.b _ as a) (c _ as d)\n"},
        {"from a.b import (c as d, e,)", "import (a.b c as d) (a.b e as e)\n"},
        {"from a import *", "import (a * as *)\n"},
        {"global a, b", "global a b\n"},
        {"'text'\n...", "pass \"text\"\npass ...\n"},
        {"x = (1 +\n# c\n 2)", "= x (+ 1 2)\n"},
    };
    CHECK(cases);
}

static void functions(void **state) {
    (void)state;
    static const Case cases[] = {
        {"def f(): return", "def f\n  return\n"},
        {"def f(a, b: int, c=1, *, d: float = 2.0) -> int:\n  'doc'\n  return a, b",
         "def f (a) (b : int) (c = 1) (d : float = 2.0 keyword-only) -> int\n  \"doc\"\n"
         "  return (tuple a b)\n"},
        {"def f(a, /, b): pass", "def f (a positional-only) (b)\n  pass\n"},
        {"def f(*, a): pass", "def f (a keyword-only)\n  pass\n"},
        {"def f():\n  'doc'", "def f\n  \"doc\"\n  pass \"doc\"\n"},
        {"@a\n@b.c(d=1)\ndef f(): pass", "@a @(call (. b c) d=1) def f\n  pass\n"},
        {"@njit(int32(int32, int32))\ndef f(a, b): pass",
         "@(call njit (call int32 int32 int32)) def f (a) (b)\n  pass\n"},
    };
    CHECK(cases);
}

/* "line:column message", and "..." at the end for one message among several. */
static void syntax_errors(void **state) {
    (void)state;
    static const Case cases[] = {
        {"x = ", "1:5 expected an expression, not the end of the line"},
        {"x = 1 +", "1:8 expected an expression, not the end of the line"},
        {"x = = 1", "1:5 expected an expression, not '='"},
        {"x = (1, 2", "1:5 '(' is never closed"},
        {"x = (1, 2\ny = 3", "1:5 '(' is never closed"},
        {"x = [1,\ndef f(): pass", "1:5 '[' is never closed"},
        {"x = (1]", "1:7 ']' does not close '('"},
        {"x = 1)", "1:6 unmatched ')'"},
        {"}", "1:1 unmatched '}'"},
        {"x = (1 2)", "1:8 expected ',' or ')', not '2'"},
        {"a[]", "1:3 expected an expression, not ']'"},
        {"x y", "1:3 unexpected 'y'"},
        {"x = 1 if y", "1:11 expected 'else' and another value, not the end of the line"},
        {"a.1", "1:2 unexpected '.1'"},
        {"a. = 1", "1:4 expected an attribute's name, not '='"},
        {"if x\n  y", "1:5 expected ':' after the if condition"},
        {"while x\n  y", "1:8 expected ':' after the while condition"},
        {"for i in x\n  y", "1:11 expected ':' after the for header"},
        {"def f()\n  y", "1:8 expected ':' after the function's header"},
        {"if x:\ny", "2:1 expected an indented block after the if condition"},
        {"def f():\n", "2:1 expected an indented block after the function's header"},
        {"if x:\n  y\nelse\n  z", "3:5 expected ':' after else"},
        {"if x:\n  y\nelse if z:\n  w", "3:6 expected ':', not 'if'"},
        {"x\n  y", "2:1 unexpected indentation"},
        {"else: x", "1:1 'else' without an if, for or while"},
        {"elif x: y", "1:1 'elif' without an if"},
        {"if x: if y: z", "1:7 'if' cannot follow another statement on a line"},
        {"x = 1; for i in y: z", "1:8 'for' cannot follow another statement on a line"},
        {"if x = 1: y", "1:6 '=' assigns a value and cannot stand in an expression"},
        {"if (x = 1): y", "1:7 '=' assigns a value and cannot stand in an expression"},
        {"a && b", "1:3 '&&' is not an operator"},
        {"a || b", "1:3 '||' is not an operator"},
        {"a === b", "1:3 '===' is not an operator"},
        {"a !== b", "1:3 '!==' is not an operator"},
        {"x++", "1:2 '++' is not an operator"},
        {"x--;", "1:2 '--' is not an operator"},
        {"++x", "1:1 '++' is not an operator"},
        {"if (x) {\n  y\n}", "1:8 expected ':', not '{'"},
        {"x {", "1:3 expected the end of the line, not '{'"},
        {"int x = 1", "1:1 a type does not stand before a name"},
        {"let x = 1", "1:1 variables are not declared"},
        {"function f():\n  x", "1:1 functions are defined with def"},
        {"print x", "1:1 print is a function"},
        {"print 'x'", "1:1 print is a function"},
        {"if a: b\nelsif c: d", "2:1 expected 'elif'"},
        {"elseif (c):\n  d", "1:1 expected 'elif'"},
        {"switch (x):\n  y", "1:1 there is no switch statement"},
        {"for (int i = 0; i < n; i++) x", "1:1 expected `for name in ...`"},
        {"for i = 0: x", "1:7 expected 'in' after the loop variable, not '='"},
        {"f(x) = 1", "1:1 cannot assign to the result of a call"},
        {"1 = x", "1:1 cannot assign to a literal"},
        {"'a' = x", "1:1 cannot assign to a literal"},
        {"None = x", "1:1 cannot assign to None"},
        {"True = x", "1:1 cannot assign to True"},
        {"a + b = x", "1:1 cannot assign to an expression"},
        {"-a = x", "1:1 cannot assign to an expression"},
        {"a < b = x", "1:1 cannot assign to a comparison"},
        {"a, 1 = x", "1:4 cannot assign to a literal"},
        {"a, b += x", "1:1 cannot assign to a tuple"},
        {"f() += x", "1:1 cannot assign to the result of a call"},
        {"a, b: int = x", "1:1 only one name can be annotated at a time"},
        {"for f(x) in y: z", "1:5 cannot assign to the result of a call"},
        {"for 1 in y: z", "1:5 cannot assign to a literal"},
        {"f(a=1, a=2)", "1:8 this keyword argument appears twice"},
        {"f(a=1, b)", "1:8 a positional argument after a keyword argument"},
        {"f(a.b=1)", "1:3 only a name can stand before '=' in a call"},
        {"def f(a, a): pass", "1:10 parameter 'a' appears twice"},
        {"def f(a=1, b): pass", "1:12 parameter 'b' needs a default, like the one before it"},
        {"def f((a, b)): pass", "1:7 a parameter is a name, not a tuple"},
        {"def f(*): pass", "1:7 parameters must follow '*'"},
        {"def f(*, a, *, b): pass", "1:13 '*' may appear only once"},
        {"def f(/, a): pass", "1:7 parameters must stand before '/'"},
        {"def f(a, /, b, /): pass", "1:16 '/' may appear only once"},
        {"def f(*, a, /): pass", "1:13 '/' must stand before '*'"},
        {"def 1(): pass", "1:5 expected the function's name, not '1'"},
        {"def f: pass", "1:6 expected '(' and the parameters, not ':'"},
        {"@a\nx = 1", "2:1 expected def after a decorator, not 'x'"},
        {"return 1", "1:1 'return' outside a function"},
        {"break", "1:1 'break' outside a loop"},
        {"def f():\n  continue", "2:3 'continue' outside a loop"},
        {"while x:\n  pass\nelse:\n  break", "4:3 'break' outside a loop"},
        {"import 1", "1:8 expected a module's name, not '1'"},
        {"import a as", "1:12 expected a name, not the end of the line"},
        {"from a import", "1:14 expected a name to import, not the end of the line"},
        {"from a import (b", "1:15 '(' is never closed"},
        {"from a", "1:7 expected 'import', not the end of the line"},
        {"global", "1:7 expected a name, not the end of the line"},
        {"if = 1", "1:4 expected an expression, not '='"},
        {"x = 170141183460469231731687303715884105728",
         "1:5 this integer literal is too large"},
        {"x = '\\xg'", "1:5 an escape in this string has too few hexadecimal digits"},
        {"x = '\\ud800'", "1:5 an escape in this string is no Unicode character"},
        {"x = '\\N{DASH}'", "1:5 named characters (\\N{...}) are not supported"},
        {"x := 1", "1:3 ':=' needs brackets here"},
        {"if (x := 1).y := 2: y", "1:15 only a name can stand before ':='"},
        {"x = ur'a'", "1:5 an invalid string prefix"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Parsed parsed;
        parse(&parsed, cases[i].text);
        if (!parsed.diags.first) fail_msg("no error in: %s", cases[i].text);
        JrDiag *first = parsed.diags.first;
        char *found = jr_arena_printf(parsed.arena, "%d:%d %s", first->span.line,
                                      first->span.col, first->message);
        assert_string_equal(found, cases[i].expected);
        if (parsed.diags.errors != 1) fail_msg("more than one error in: %s", cases[i].text);
        jr_arena_free(parsed.arena);
    }
}

static void unsupported(void **state) {
    (void)state;
    static const Case cases[] = {
        {"class A:\n  def f(self, *a): 1 = 2", "classes are"},
        {"@a\nclass A: pass", "classes are"},
        {"try:\n  x\nexcept E as e:\n  y\nelse:\n  z\nfinally:\n  w", "try statements are"},
        {"with a as b:\n  x", "with statements are"},
        {"async def f():\n  return 1", "async functions and statements are"},
        {"x = await y", "await expressions are"},
        {"match x:\n  case 1: y", "match statements are"},
        {"match (x):\n  case 1: y", "match statements are"},
        {"del x[0]", "deleted elements and attributes (del a[i]) are"},
        {"def f():\n  nonlocal x", "nonlocal declarations are"},
        {"type X = int", "type aliases are"},
        {"x = lambda a: a", "lambda expressions are"},
        {"def f():\n  yield 1", "generators (yield) are"},
        {"def f():\n  x = yield", "generators (yield) are"},
        {"x = [i for i in y]", "list comprehensions are"},
        {"f(i for i in y)", "generator expressions are"},
        {"x = (i for i in y)", "generator expressions are"},
        {"x = {}", "dicts are"},
        {"x = {1: 2}", "dicts are"},
        {"x = {**a}", "dicts are"},
        {"x = {1, 2}", "sets are"},
        {"x = {i: i for i in y}", "dict comprehensions are"},
        {"x = {i for i in y}", "set comprehensions are"},
        {"print(f'{x}')", "f-strings are"},
        {"x = b'a'", "bytes literals are"},
        {"def f(*args): pass", "*args parameters are"},
        {"def f(a, **kw): pass", "**kwargs parameters are"},
        {"f(*a)", "unpacked arguments (*x, **x) are"},
        {"f(**a)", "unpacked arguments (*x, **x) are"},
        {"x = [*a]", "starred expressions (*x) are"},
        {"x = *a, b", "starred expressions (*x) are"},
        {"*a, b = x", "starred targets (*x) are"},
        {"for *a, b in x: y", "starred targets (*x) are"},
        {"if x:\n  def g(): pass", "functions in an if or a loop at the top level are"},
        {"def f[T](x: T): pass", "type parameters are"},
        {"raise A from B", "raise ... from is"},
        {"from . import x", "relative imports are"},
        {"from ...a import x", "relative imports are"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Parsed parsed;
        parse(&parsed, cases[i].text);
        if (!parsed.diags.first) fail_msg("no error in: %s", cases[i].text);
        char *expected = jr_arena_printf(parsed.arena, "%s not supported", cases[i].expected);
        assert_string_equal(parsed.diags.first->message, expected);
        assert_non_null(parsed.diags.first->help);
        if (parsed.diags.errors != 1) fail_msg("more than one error in: %s", cases[i].text);
        jr_arena_free(parsed.arena);
    }
}

/* Independent errors are all found, in order, and none follows from another. */
static void recovery(void **state) {
    (void)state;
    static const char text[] = "x = (1, 2\n"
                               "y = [1, 2)\n"
                               "if x = 3:\n"
                               "    z = }\n"
                               "elif w:\n"
                               "    return\n"
                               "class A:\n"
                               "    def f(self, *args): pass\n"
                               "def g(a, b:\n"
                               "    return a + \n"
                               "for i in range(3)\n"
                               "    break\n"
                               "q = 3 3\n";
    static const int32_t lines[] = {1, 2, 3, 4, 6, 7, 9, 10, 11, 13};
    Parsed parsed;
    parse(&parsed, text);
    const JrDiag *diag = parsed.diags.first;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++, diag = diag->next) {
        assert_non_null(diag);
        assert_int_equal(diag->span.line, lines[i]);
    }
    assert_null(diag);
    jr_arena_free(parsed.arena);
}

static void error_limit(void **state) {
    (void)state;
    Parsed parsed;
    char text[3000] = "";
    for (int i = 0; i < 300; i++)
        strcat(text, "x = )\n");
    parse(&parsed, text);
    assert_int_equal(parsed.diags.errors, JR_DIAGS_MAX_ERRORS);
    jr_arena_free(parsed.arena);
}

static void check_span(JrSpan span, int32_t line, int32_t col, int32_t end_col) {
    assert_int_equal(span.line, line);
    assert_int_equal(span.col, col);
    assert_int_equal(span.end_col, end_col);
}

static void spans(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "x = aa + f(b,\n  c)[i].name\ny = (d)\n");
    const AstStmt *stmt = parsed.module->body->body.data[0];
    check_span(stmt->span, 1, 1, 14);
    check_span(stmt->value->span, 1, 5, 14); /* clipped to its first line */
    check_span(stmt->value->at, 1, 8, 9);
    check_span(stmt->value->left->span, 1, 5, 7);
    const AstExpr *attr = stmt->value->right;
    check_span(attr->at, 2, 9, 13);
    check_span(attr->left->at, 2, 5, 6);
    check_span(attr->left->left->span, 1, 10, 14);
    stmt = parsed.module->body->body.data[1];
    check_span(stmt->value->span, 3, 5, 8);
    jr_arena_free(parsed.arena);
}

static void mark_ids(const AstExpr *expr, bool *seen, uint32_t count) {
    if (!expr) return;
    assert_true(expr->id < count);
    assert_false(seen[expr->id]);
    seen[expr->id] = true;
    mark_ids(expr->left, seen, count);
    mark_ids(expr->right, seen, count);
    mark_ids(expr->cond, seen, count);
    for (uint32_t i = 0; i < expr->items.len; i++)
        mark_ids(expr->items.data[i], seen, count);
}

/* Annotations, defaults and decorators are numbered with the function they belong to. */
static void expression_ids(void **state) {
    (void)state;
    Parsed parsed;
    parse(&parsed, "a = 1\n@d\ndef f(x: t = 2) -> r:\n  return x + 1\nb = f(a)\n");
    const AstFunc *body = parsed.module->body, *func = body->body.data[1]->func;
    bool seen[16] = {0};
    mark_ids(body->body.data[0]->targets.data[0], seen, body->expr_count);
    mark_ids(body->body.data[0]->value, seen, body->expr_count);
    mark_ids(body->body.data[2]->targets.data[0], seen, body->expr_count);
    mark_ids(body->body.data[2]->value, seen, body->expr_count);
    assert_int_equal(body->expr_count, 6);
    bool inner[16] = {0};
    mark_ids(func->decorators.data[0], inner, func->expr_count);
    mark_ids(func->params.data[0].annotation, inner, func->expr_count);
    mark_ids(func->params.data[0].fallback, inner, func->expr_count);
    mark_ids(func->returns, inner, func->expr_count);
    mark_ids(func->body.data[0]->value, inner, func->expr_count);
    assert_int_equal(func->expr_count, 7);
    jr_arena_free(parsed.arena);
}

/* Limits: a piece of text repeated, between two others. */
static void check_repeated(const char *before, const char *piece, size_t count,
                           const char *after, const char *message) {
    size_t step = strlen(piece), head = strlen(before);
    char *text = malloc(head + step * count + strlen(after) + 1);
    strcpy(text, before);
    for (size_t i = 0; i < count; i++)
        memcpy(text + head + i * step, piece, step);
    strcpy(text + head + step * count, after);
    Parsed parsed;
    parse(&parsed, text);
    if (message) {
        assert_int_equal(parsed.diags.errors, 1);
        assert_string_equal(parsed.diags.first->message, message);
    } else {
        assert_int_equal(parsed.diags.errors, 0);
    }
    jr_arena_free(parsed.arena);
    free(text);
}

static void limits(void **state) {
    (void)state;
    const char *deep = "this expression is nested too deeply";
    const char *lengthy = "this expression is too long";
    check_repeated("", "(", 1 << 20, "", deep);
    check_repeated("x = ", "[", 1 << 20, "", deep);
    check_repeated("x = ", "-", 1 << 20, "1", deep);
    check_repeated("x = ", "not ", 1 << 18, "1", deep);
    check_repeated("x = a", "**a", 1 << 18, "", deep);
    check_repeated("x = ", "a if b else ", 1 << 16, "c", deep);
    check_repeated("x = ", "f(", 1 << 18, "", deep);
    check_repeated("x = a", " + a", 1 << 18, "", lengthy);
    check_repeated("x = a", ".a", 1 << 18, "", lengthy);
    check_repeated("x = a", "[0]", 1 << 18, "", lengthy);
    check_repeated("if a: b\n", "elif a: b\n", 1 << 16, "", "this if has too many branches");
    check_repeated("x = a", " + a", 900, "", NULL);
    check_repeated("x = a", " and a", 1 << 16, "", NULL);
    check_repeated("x = [", "1, ", 1 << 16, "]", NULL);
    check_repeated("if a: b\n", "elif a: b\n", 900, "", NULL);
    check_repeated("", "x = a[i] + f(b)\n", 20000, "", NULL);
    check_repeated("import a", ".a", 1 << 17, "", NULL);
}

static void block_limit(void **state) {
    (void)state;
    char *text = calloc(1, 400 * 420);
    char *end = text;
    for (int i = 0; i < 400; i++) {
        memset(end, ' ', (size_t)i);
        end += i;
        end = stpcpy(end, "if x:\n");
    }
    Parsed parsed;
    parse(&parsed, text);
    assert_int_equal(parsed.diags.errors, 1);
    assert_string_equal(parsed.diags.first->message, "blocks are nested too deeply");
    jr_arena_free(parsed.arena);
    free(text);
}

/* Mutations of a program that holds nearly everything. */

static const char program[] =
    "'''doc'''\nfrom jitrun import njit, (prange as p)\nimport numpy as np, math\n"
    "@njit(parallel=True)\ndef f(x: float64[::1], y=3, *, k: int = 0x1F) -> float64:\n"
    "    s, (t, u) = 0.0, (1, 2)\n    for i, j in zip(x, range(10, 0, -1)):\n"
    "        if s < 3 <= t and not u or i is not None:\n            s += x[i, 1:, ::2] ** -2\n"
    "        elif t: continue\n        else:\n            break\n    else:\n"
    "        a[0] = b = s if t else u\n    while True: pass; z: int = 3\n"
    "    raise ValueError(\"a\" 'b\\n\\x41', 1e-3, .5,\n        [1, 2])\n"
    "if __name__ == '__main__':\n    print(f(np.ones(3), y=1_000), sep='')\n"
    "    assert s, '''m\nn'''\n\treturn {1: 2}\ntry:\n    x = lambda: 3\nfinally: pass\n";

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Deletes, doubles or moves a stretch, or overwrites a byte with one from elsewhere. */
static size_t mutate(char *text, size_t len, uint32_t *seed) {
    size_t at = next_random(seed) % len, count = 1 + next_random(seed) % 12;
    if (at + count > len) count = len - at;
    switch (next_random(seed) % 4) {
    case 0: memmove(text + at, text + at + count, len - at - count); return len - count;
    case 1: memmove(text + at + count, text + at, len - at); return len + count;
    case 2: memmove(text + at, text + next_random(seed) % (len - count), count); return len;
    default: text[at] = text[next_random(seed) % len]; return len;
    }
}

static void fuzz(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 4000; round++) {
        char *text = malloc(sizeof program + 200);
        size_t len = sizeof program - 1;
        memcpy(text, program, len);
        for (uint32_t i = 0, n = 1 + next_random(&seed) % 6; i < n; i++)
            len = mutate(text, len, &seed);
        char *exact = malloc(len + 1); /* so that a sanitizer sees a read past the end */
        memcpy(exact, text, len);
        exact[len] = 0;
        Parsed parsed;
        JrText out;
        parse_bytes(&parsed, exact, len);
        assert_non_null(parsed.module);
        assert_true(parsed.diags.errors <= JR_DIAGS_MAX_ERRORS);
        jr_text_init(&out, parsed.arena);
        fe_ast_dump_tokens(parsed.arena, &parsed.source, &out);
        if (!parsed.diags.errors) fe_ast_dump(parsed.module, &out);
        for (const JrDiag *diag = parsed.diags.first; diag; diag = diag->next)
            jr_diag_render(&parsed.diags, diag, &out);
        jr_arena_free(parsed.arena);
        free(exact);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions),    cmocka_unit_test(statements),
        cmocka_unit_test(functions),      cmocka_unit_test(syntax_errors),
        cmocka_unit_test(unsupported),    cmocka_unit_test(recovery),
        cmocka_unit_test(error_limit),    cmocka_unit_test(spans),
        cmocka_unit_test(expression_ids), cmocka_unit_test(limits),
        cmocka_unit_test(block_limit),    cmocka_unit_test(fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

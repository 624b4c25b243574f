/* The verifier, one text for each rule it knows, and what a finished module says of its
 * functions. */
#include "tests/unit/ir_text.h"

/* ---- The verifier ---- */

/* One broken rule each: the body of `func f(parameters) -> float64`, and the message. */
static const struct {
    const char *body, *why;
} BROKEN[] = {
    {"%1 = add %x, %n\nreturn %x", "an operand is int64, not float64"},
    {"%1: float64 = add %n, %n\nreturn %x", "an operand is int64, not float64"},
    {"%1 = add %c, %c\nreturn %x", "an operand cannot be bool"},
    {"%1 = add %x\nreturn %x", "1 operands, not 2"},
    {"%1 = add %x, %x, %x\nreturn %x", "3 operands, not 2"},
    {"%1 = div %n, %n\nreturn %x", "an operand cannot be int64"},
    {"%1 = and %x, %x\nreturn %x", "an operand cannot be float64"},
    {"%1 = shl %c, %c\nreturn %x", "an operand cannot be bool"},
    {"%1 = inv %x\nreturn %x", "an operand cannot be float64"},
    {"%1 = not %n\nreturn %x", "an operand cannot be int64"},
    {"%1 = neg %c\nreturn %x", "an operand cannot be bool"},
    {"%1: float64[:] = neg %a\nreturn %x", "an operand cannot be float64[:]"},
    {"%1 = eq %x, %n\nreturn %x", "the second operand is int64, not float64"},
    {"%1: int8 = eq %x, %x\nreturn %x", "the result is int8, not bool"},
    {"%1 = eq \"a\", \"a\"\nreturn %x", "an operand cannot be str"},
    {"%1 = copy \"a\"\nreturn %x", "cannot have its type"},
    {"%s = copy %n\nreturn %x", "the operand is int64, not float64"},
    {"%1: float64[:] = copy %b\nreturn %x", "the operand is float64[:, ::1], not float64[:]"},
    {"%1: int8 = cast %a\nreturn %x", "an operand cannot be float64[:]"},
    {"%1: int8[:] = cast %x\nreturn %x", "an operand cannot be int8[:]"},
    {"%1: int8 = bits %x\nreturn %x", "float64 and int8 differ in size"},
    {"%1: bool = bits %k\nreturn %x", "an operand cannot be bool"},
    {"%1 = select %n, %x, %x\nreturn %x", "the condition is int64, not bool"},
    {"%1 = select %c, %x, %n\nreturn %x", "an operand is int64, not float64"},
    {"%1: float64[:] = select %c, %a, %a\nreturn %x", "an operand cannot be float64[:]"},
    {"%1 = math.sin %n\nreturn %x", "an operand cannot be int64"},
    {"%1 = math.pow %x\nreturn %x", "1 operands, not 2"},
    {"%1 = load %x[%n]\nreturn %x", "the operand is float64, not an array"},
    {"%1 = load %b[%n]\nreturn %x", "2 operands, not 3"},
    {"%1 = load %a[%k]\nreturn %x", "an index or size is uint8, not int64"},
    {"%1: int8 = load %a[%n]\nreturn %x", "the element is int8, not float64"},
    {"store %a[%n] = %n\nreturn %x", "the element is int64, not float64"},
    {"store %a[%n, %n] = %x\nreturn %x", "4 operands, not 3"},
    {"%1 = store %a[%n] = %x\nreturn %x", "the type of '%1' does not follow"},
    {"%s = store %a[%n] = %x\nreturn %x", "1 destinations, not 0"},
    {"%1 = dim %x, 0\nreturn %x", "the operand is float64, not an array"},
    {"%1 = dim %a, 1\nreturn %x", "the array has no axis 1"},
    {"%1 = apart %a, %n\nreturn %x", "operand 2 must be an array"},
    {"%1: int8 = apart %a, %a\nreturn %x", "the result is int8, not bool"},
    {"%1: int8 = stride %a, 0\nreturn %x", "the result is int8, not int64"},
    {"%1: owned float64[:] = alloc %n, %n\nreturn %x", "2 sizes for float64[:]"},
    {"%1: float64 = alloc\nreturn %x", "0 sizes for float64"},
    {"%1: owned float64[:] = alloc %x\nreturn %x", "an index or size is float64, not int64"},
    {"%1: float64[:] = alloc %n\nreturn %x", "must be owned"},
    {"%1: float64[:] = view %x[]\nreturn %x", "the operand is float64, not an array"},
    {"%1: float64[:] = view %a[%n, new, %n]\nreturn %x", "steps for 2 axes of float64[:]"},
    {"%1: float64[:] = view %a[%n]\nreturn %x", "a view of float64[:] with 0 axes"},
    {"%1: int8[:] = view %a[]\nreturn %x", "is not int8[:]"},
    {"%1: float64[::1] = view %a[]\nreturn %x", "the view need not be C-contiguous"},
    {"%1: float64[:, ::1] = view %b[range(0, 1, 2)]\nreturn %x", "need not be C-contiguous"},
    {"%1: float64[::1] = view %b[range(0, 1, 1), 0]\nreturn %x", "need not be C-contiguous"},
    {"%1: float64[:] = view %a[range(0, %x, 1)]\nreturn %x", "is float64, not int64"},
    {"%1: owned float64[:] = view %a[]\nreturn %x", "must not be owned"},
    {"%1: float64[:, ::1] = transpose %b\nreturn %x", "is float64[:, ::1], not float64[:, :]"},
    {"%1: float64[:, :] = broadcast %a, 3\nreturn %x",
     "do not make float64[:, :] of float64[:]"},
    {"%1: float64[::1] = broadcast %a, 3\nreturn %x", "does not stretch to float64[::1]"},
    {"%1: float64[:] = broadcast %b, 3\nreturn %x", "does not stretch to float64[:]"},
    {"%1: float64[:] = reshape %a, 3\nreturn %x", "not C-contiguous"},
    {"%1: float64[:] = reshape %b, %x\nreturn %x", "is float64, not int64"},
    {"%1: int8[:] = reshape %b, 3\nreturn %x", "1 sizes do not make int8[:]"},
    {"%1: float64[:] = assign %a\nreturn %x", "must be owned"},
    {"%1: float64[::1] = transpose %a\nreturn %x", "is float64[::1], not float64[:]"},
    {"%1: owned float64[::1] = assign %a\nreturn %x", "is float64[::1], not float64[:]"},
    {"call g()\nreturn %x", "0 destinations, not 1"},
    {"%1: int8 = call g()\nreturn %x", "a destination is int8, not float64"},
    {"%1: float64 = call g(%x)\nreturn %x", "1 operands, not 0"},
    {"%1: float64 = call h(%n)\nreturn %x", "an argument is int64, not float64"},
    {"parallel h(%n)\nreturn %x", "the body must take a chunk and its bounds"},
    {"parallel inner(1, 2, 3)\nreturn %x", "the body must be exported"},
    {"parallel body(1, 2)\nreturn %x", "2 operands, not 5"},
    {"parallel body(1, 2, %x, %x, %k)\nreturn %x", "an operand is float64, not int64"},
    {"parallel body(1, 2, 3, %n, %k)\nreturn %x", "a capture is int64, not float64"},
    {"parallel body(1, 2, 3, %x, %k)\nreturn %x", "a capture is uint8"},
    {"rt.print_int %x\nreturn %x", "an operand is float64 where 'i' is wanted"},
    {"rt.print_array %x\nreturn %x", "an operand is float64 where 'a' is wanted"},
    {"rt.print_str %x\nreturn %x", "an operand is float64 where 's' is wanted"},
    {"rt.print_int\nreturn %x", "0 operands, not 1"},
    {"%1: int8 = rt.isqrt %n\nreturn %x", "an operand is int8 where 'i' is wanted"},
    {"rt.isqrt %n\nreturn %x", "0 destinations, not 1"},
    {"if %n {\n}\nreturn %x", "the condition is int64, not bool"},
    {"if {\n}\nreturn %x", "0 operands, not 1"},
    {"loop %n {\n}\nreturn %x", "1 operands, not 0"},
    {"for %i = 0, %n {\n}\nreturn %x", "2 operands, not 3"},
    {"for %i = 0, %x, 1 {\n}\nreturn %x", "an index or size is float64, not int64"},
    {"for %m = 0, 1, 1 {\n}\nreturn %x", "the counter must be a TEMP"},
    {"for %i: int8 = 0, 1, 1 {\n}\nreturn %x", "the counter is int8, not int64"},
    {"break\nreturn %x", "not in a loop"},
    {"continue\nreturn %x", "not in a loop"},
    {"loop {\n}\nbreak", "not in a loop"},
    {"return", "0 operands, not 1"},
    {"return %n", "a result is int64, not float64"},
    {"return %x, %x", "2 operands, not 1"},
    {"raise ValueError %x", "the message is float64, not str"},
    {"raise ValueError", "0 operands, not 1"},
    {"%x = copy 1.0\nreturn %x", "is a parameter and never written"},
    {"%s, %s = call two()\nreturn %x", "is written twice"},
    {"if %c {\n%t = copy %x\n}\nreturn %t", "may not be written yet"},
    {"for %t = 0, 1, 1 {\n}\n%u = copy %t\nreturn %x", "may not be written yet"},
    {"loop {\n%t = copy %x\nbreak\n}\nreturn %t", "may not be written yet"},
    {"", "control can run off the end"},
    {"if %c {\nreturn %x\n}", "control can run off the end"},
    {"loop {\nif %c {\nbreak\n}\n}", "control can run off the end"},
    {"for %i = 0, 1, 1 {\nreturn %x\n}", "control can run off the end"},
    {"%s = copy %x", "control can run off the end"},
};

static const char *with_body(JrArena *arena, const char *body) {
    return jr_arena_printf(
        arena,
        "file \"x\"\nfunc f(%%x: float64, %%n: int64, %%c: bool, %%k: uint8, %%a: float64[:], "
        "%%b: float64[:, ::1]) -> float64 {\nvar %%s: float64\nvar %%m: int64\n%s\n}\n"
        "func g() -> float64 {\nreturn 1.0\n}\n"
        "func h(%%x: float64) -> float64 {\nreturn %%x\n}\n"
        "func inner(%%i: int64, %%j: int64, %%l: int64) {\nreturn\n}\n"
        "func body(%%i: int64, %%j: int64, %%l: int64, %%x: float64, %%k: uint8) exported {\n"
        "return\n}\n"
        "func two() -> (float64, float64) {\nreturn 1.0, 2.0\n}\n",
        body);
}

static void test_host_rules(void **state) {
    const char *why = NULL;
    IrModule *module = read_good(*state, "file \"x\"\nhost f(int8, user)\n");
    IrFunc *host = ir_host_find(module, "f");
    host->user_at = 3;
    assert_false(ir_verify_module(module, &why));
    assert_non_null(strstr(why, "beyond its arguments"));
    host->user_at = 0;
    host->may_fail = false;
    assert_false(ir_verify_module(module, &why));
    assert_non_null(strstr(why, "parameters and nothing else"));
}

static void test_verifier_rules(void **state) {
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
        JrDiags diags;
        IrModule *module = read_text(*state, with_body(*state, BROKEN[i].body), &diags);
        if (module) fail_msg("accepted:\n%s", BROKEN[i].body);
        if (!strstr(diags.first->message, BROKEN[i].why))
            fail_msg("%s\ngave: %s\nnot: %s", BROKEN[i].body, diags.first->message,
                     BROKEN[i].why);
    }
}

/* What looks odd and is allowed. */
static void test_verifier_accepts(void **state) {
    static const char *const GOOD[] = {
        "return %x\nreturn %x",
        "loop {\n}",
        "loop {\nif %c {\nreturn %x\n}\ncontinue\n}",
        "loop {\nreturn %x\nbreak\n}",
        "if %c {\nreturn %x\n} else {\nraise ValueError \"a\"\n}",
        "loop {\nloop {\nbreak\n}\n}",
        "%t = copy %x\nif %c {\nreturn %t\n}\nreturn %t",
        "%1: float64[::1] = view %b[%n]\nreturn %x",
        "%1: float64[:] = view %a[new, %n]\nreturn %x",
        "%1: float64[:, :] = view %b[]\nreturn %x",
        "%1: owned float64[:] = alloc %n\nreturn %x",
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        read_good(*state, with_body(*state, GOOD[i]));
}

/* Rules the text form cannot break. */
static void check_broken(IrFunc *func, const char *expected) {
    const char *why = NULL;
    assert_false(ir_verify_module(func->module, &why));
    if (!strstr(why, expected)) fail_msg("%s, not %s", why, expected);
}

static void test_verifier_structure(void **state) {
    IrFunc *func = build_sum(*state);
    IrStmt *last = func->body.last, *load = func->body.first->next->next->u.blocks.then.first;
    func->body.last = func->body.first;
    check_broken(func, "the block's end");
    func->body.last = last;
    last->prev = NULL;
    check_broken(func, "links are broken");
    last->prev = func->body.first->next->next;
    last->args[0] = 1000;
    check_broken(func, "there is no register 1000");
    last->args[0] = 1;
    IrReg saved = load->dsts[0];
    ir_reg(func, saved)->def = last;
    check_broken(func, "does not know its definition");
    ir_reg(func, saved)->def = load;
    load->dsts[0] = load->args[1];
    ir_reg(func, load->args[1])->type = ir_scalar(TY_FLOAT64);
    check_broken(func, "not int64");
    ir_reg(func, load->args[1])->type = ir_scalar(TY_INT64);
    load->dsts[0] = saved;
    last->op = OP_COUNT;
    check_broken(func, "unknown operation");
    last->op = OP_RETURN;
    ir_reg(func, 0)->owned = true;
    check_broken(func, "cannot own");
    ir_reg(func, 0)->owned = false;
    ir_reg(func, 1)->type.layout = LAYOUT_C;
    check_broken(func, "cannot have its type");
    ir_reg(func, 1)->type.layout = LAYOUT_ANY;
    ir_reg(func, 1)->kind = REG_PARAM;
    check_broken(func, "the first registers are the parameters");
    ir_reg(func, 1)->kind = REG_VAR;
    IrReg c = ir_const_int(func, TY_INT8, 1);
    ir_reg(func, c)->value.i = 300;
    check_broken(func, "does not fit its type");
    ir_reg(func, c)->value.i = 3;
    func->rets[0] = ir_scalar(TY_STR);
    check_broken(func, "result 0 cannot have its type");
    func->rets[0] = ir_scalar(TY_FLOAT64);
    const char *why;
    assert_true(ir_verify_module(func->module, &why));
}

static void test_verifier_second_definition(void **state) {
    IrFunc *func = build_sum(*state);
    IrBlock *body = &func->body.first->next->next->u.blocks.then;
    IrBuilder b = {.func = func, .block = body};
    IrReg e = body->first->dsts[0];
    ir_build_copy(&b, e, ir_const_float(func, TY_FLOAT64, 1));
    ir_reg(func, e)->def = body->first;
    check_broken(func, "two definitions");
}

/* ---- What a finished module knows ---- */

static const char CALLS[] =
    "file \"x\"\n"
    "func leaf(%a: int8[:], %b: int8[:]) {\nstore %a[0!] = 1:int8\nreturn\n}\n"
    "func top(%a: int8[:], %b: int8[:], %c: int8[:], %d: int8[:]) {\n"
    "%v: int8[:] = view %b[range(0, 1, 1)]\ncall leaf(%v, %a)\n"
    "%r: owned int8[:] = call id(%c)\nstore %r[0!] = 1:int8\n"
    "rt.print_array %d\nreturn\n}\n"
    "func id(%a: int8[:]) -> int8[:] {\nreturn %a\n}\n"
    "func even(%n: int64, %a: int8[:]) {\ncall odd(%n, %a)\nreturn\n}\n"
    "func odd(%n: int64, %a: int8[:]) {\ncall even(%n, %a)\ncall leaf(%a, %a)\nreturn\n}\n"
    "func uses(%n: int64, %a: int8[:]) {\ncall even(%n, %a)\nreturn\n}\n"
    "func sorts(%a: int8[:], %b: int8[:]) {\nrt.array_sort %a\nrt.array_copy %a, "
    "%b\nreturn\n}\n";

static void test_finish(void **state) {
    IrModule *module = read_good(*state, CALLS);
#define FUNC(name) ir_module_find(module, name)
    assert_false(FUNC("leaf")->may_fail || FUNC("leaf")->recursive || FUNC("id")->may_fail);
    assert_true(FUNC("even")->recursive && FUNC("odd")->recursive && FUNC("even")->may_fail);
    assert_false(FUNC("uses")->recursive);
    assert_true(FUNC("uses")->may_fail); /* the recursion may go too deep */
    assert_true(FUNC("top")->may_fail);  /* print_array can fail */
    assert_true(ir_reg(FUNC("leaf"), 0)->written);
    assert_false(ir_reg(FUNC("leaf"), 1)->written);
    assert_false(ir_reg(FUNC("top"), 0)->written);
    assert_true(ir_reg(FUNC("top"), 1)->written);  /* through a view and a call */
    assert_true(ir_reg(FUNC("top"), 2)->written);  /* through a result that may be it */
    assert_false(ir_reg(FUNC("top"), 3)->written); /* printing reads */
    assert_true(ir_reg(FUNC("even"), 1)->written);
    assert_true(ir_reg(FUNC("sorts"), 0)->written);
    assert_false(ir_reg(FUNC("sorts"), 1)->written);
#undef FUNC
}

static void test_finish_long_chain(void **state) {
    JrText text;
    jr_text_init(&text, *state);
    jr_text_puts(&text, "file \"x\"\n");
    for (int i = 0; i < 5000; i++)
        jr_text_printf(&text, "func f%d() {\ncall f%d()\nreturn\n}\n", i, i + 1);
    jr_text_puts(&text, "func f5000() {\npoll\nreturn\n}\n");
    IrModule *module = read_good(*state, text.data);
    assert_true(module->funcs.data[0]->may_fail);
    assert_false(module->funcs.data[0]->recursive);
}

static void test_stmt_may_fail(void **state) {
    static const struct {
        const char *stmt;
        bool fails;
    } CASES[] = {
        {"%1 = floordiv %n, %n", true},
        {"%1 = floordiv %n, 0", true},
        {"%1 = floordiv %n, 3", false},
        {"%1 = mod %x, %x", false},
        {"%1 = mod %k, %k", true},
        {"%1 = pow %n, -1", true},
        {"%1 = pow %n, 2", false},
        {"%1 = pow %k, %k", false},
        {"%1 = pow %x, %x", false},
        {"%1 = shl %n, %n", true},
        {"%1 = shr %k, %k", false},
        {"%1 = shl %n, -1", true},
        {"%1 = shl %n, 70", false},
        {"%1 = load %a[%n]", true},
        {"%1 = load %a[%n-]", false},
        {"store %a[%n!] = %x", false},
        {"store %a[%n+] = %x", true},
        {"%1: float64[::1] = view %b[%n]", true},
        {"%1: float64[::1] = view %b[%n!]", false},
        {"%1: float64[:, :] = view %b[range(%n, %n, %n)]", false},
        {"%1: float64 = call g()", false},
        {"rt.print_int %n", false},
        {"%1 = rt.isqrt %n", true},
        {"poll", true},
        {"%1 = div %x, %x", false},
        {"%1: owned float64[:] = alloc %n", true},
        {"%1: float64[:] = reshape %b, %n", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *body = jr_arena_printf(*state, "%s\nreturn %%x", CASES[i].stmt);
        IrFunc *func = read_good(*state, with_body(*state, body))->funcs.data[0];
        if (ir_stmt_may_fail(func, func->body.first) != CASES[i].fails)
            fail_msg("%s", CASES[i].stmt);
        assert_int_equal(func->may_fail, CASES[i].fails);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_host_rules),
        ARENA_TEST(test_verifier_rules),
        ARENA_TEST(test_verifier_accepts),
        ARENA_TEST(test_verifier_structure),
        ARENA_TEST(test_verifier_second_definition),
        ARENA_TEST(test_finish),
        ARENA_TEST(test_finish_long_chain),
        ARENA_TEST(test_stmt_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

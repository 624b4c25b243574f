/* The IR's builders and its text form. The verifier and the fold have tests of their own. */
#include "tests/unit/ir_text.h"

#include <stdio.h>
#include <stdlib.h>

/* Every operation, every form of operand. */
static const char EVERYTHING[] =
    "file \"k \\\"q\\\".src\"\n"
    "\n"
    "func \"all(int64)\"(%n: int64, %k: uint8, %x: float64, %y: float32, %c: bool, "
    "%a: float64[:, ::1], %b: float64[:, :], %v: int32[::1]) -> (float64, float64[:]) "
    "exported "
    "parallel fastmath inlined display \"all\" @3:1-40 {\n"
    "  var %s: float64\n"
    "  var %s.1: int64\n"
    "  var %1: uint8\n"
    "  var %\"odd name\": bool\n"
    "  var %w: owned float64[:]\n"
    "  var %d: float64[:]\n"
    "  %s = copy 0.0 @4:5-12\n"
    "  %2 = add %n, 5\n"
    "  %3 = sub %k, 5:uint8\n"
    "  %4 = mul %x, 0.1\n"
    "  %5 = div %y, 0.1:float32\n"
    "  %6 = floordiv %n, -3\n"
    "  %7 = mod %k, %3\n"
    "  %8 = pow %x, inf\n"
    "  %9 = min %x, -inf\n"
    "  %10 = max %x, nan\n"
    "  %11 = and %n, 9223372036854775807\n"
    "  %12 = or %n, -9223372036854775808\n"
    "  %13 = xor %c, true\n"
    "  %14 = shl %n, 3\n"
    "  %15 = shr %k, 255:uint8\n"
    "  %16 = neg %x\n"
    "  %17 = inv %n\n"
    "  %18 = not %c\n"
    "  %19 = abs %y\n"
    "  %20 = eq %x, nan(0x7ff8000000000001)\n"
    "  %21 = ne %k, 0:uint8\n"
    "  %22 = lt %x, -0.0\n"
    "  %23 = le %y, 1e-45:float32\n"
    "  %24 = gt %x, 1e+300\n"
    "  %25 = ge %c, false\n"
    "  %26: int8 = cast %x\n"
    "  %27 = select %c, %x, 2.5\n"
    "  %28 = math.sin %x\n"
    "  %29 = math.fma %y, %y, nan(0xffc00000):float32\n"
    "  %30: uint64 = bits %x\n"
    "  %31 = load %a[%n, %6+]\n"
    "  %32 = load %b[-1-, 0!]\n"
    "  store %v[%n+] = 7:int32\n"
    "  %rows = dim %a, 0\n"
    "  %33 = stride %b, 1\n"
    "  %apart = apart %a, %v\n"
    "  %34: owned float64[:, ::1] = alloc %n, %rows\n"
    "  %35: owned float64[::1] = alloc zeroed %n\n"
    "  %36: float64[::1] = view %a[%n]\n"
    "  %37: float64[:, :] = view %a[new, range(%n, 4, 2), %n-]\n"
    "  %38: float64[:, ::1] = view %a[]\n"
    "  %39: float64[:, :, ::1] = view %a[range(0, %n, 1), new]\n"
    "  %40: float64[:, :] = transpose %a\n"
    "  %41: float64[:, :, :] = broadcast %a, 2, %n, %rows\n"
    "  %42: float64[::1] = reshape %a, %n\n"
    "  %d = view %b[0]\n"
    "  %w = assign %d\n"
    "  %43: float64[:] = copy %d\n"
    "  %44: float64, %45: owned float64[:] = call \"all(int64)\"(%n, %k, %x, %y, %c, %a, %b, "
    "%v)\n"
    "  call f()\n"
    "  parallel part(%n, %rows, 7, %a, %c, %x)\n"
    "  rt.print_str \"a\\n\\\"\\\\\\x00\\x1b\\xc3\"\n"
    "  %46, %47 = rt.frexp %x\n"
    "  rt.print_array %a\n"
    "  if %c @9:1-2 {\n"
    "    %i = copy %n\n"
    "    %s.1 = copy %i\n"
    "  } else {\n"
    "    %i.1 = copy %n\n"
    "    raise ValueError \"no\" @10:3-9\n"
    "  }\n"
    "  loop {\n"
    "    if %18 {\n"
    "      break\n"
    "    }\n"
    "    poll\n"
    "    continue\n"
    "  }\n"
    "  for parallel asserted %i.2 = 0, %n, 1 @12:5-6 {\n"
    "    %1 = cast %i.2\n"
    "    for jammed %j = %n, %i.2, -1 {\n"
    "      %\"odd name\" = eq %j, %i.2\n"
    "    }\n"
    "  }\n"
    "  return %s, %w\n"
    "}\n"
    "\n"
    "func f() {\n"
    "  return\n"
    "}\n"
    "\n"
    "func part(%chunk: int64, %lo: int64, %hi: int64, %a: float64[:, ::1], %c: bool, %x: "
    "float64) "
    "exported {\n"
    "  return\n"
    "}\n";

static bool uses_op(const IrBlock *block, IrOp op) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op == op) return true;
        bool nested = stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR;
        if (nested && (uses_op(&stmt->u.blocks.then, op) || uses_op(&stmt->u.blocks.els, op)))
            return true;
    }
    return false;
}

/* "\xc3" prints as the byte itself, so the text is canonical but for that one. */
static void test_round_trip(void **state) {
    const char *once = print_text(*state, read_good(*state, EVERYTHING));
    const char *twice = print_text(*state, read_good(*state, once));
    assert_string_equal(once, twice);
    const char *odd = strstr(EVERYTHING, "\\xc3");
    size_t same = (size_t)(odd - EVERYTHING);
    assert_memory_equal(once, EVERYTHING, same);
    assert_string_equal(once + same + 1, odd + 4);
}

static const char HOSTS[] =
    "file \"h.src\"\n"
    "\n"
    "host now(user) -> float64\n"
    "\n"
    "host note(float64[:, ::1], user, written int8[:], bool)\n"
    "\n"
    "host last(int32, user) -> bool\n"
    "\n"
    "host plain()\n"
    "\n"
    "host both(user) -> (float64, int8[:, ::1])\n"
    "\n"
    "func f(%a: float64[:, ::1], %b: int8[:], %k: int32) -> float64 exported {\n"
    "  %1: float64 = call now()\n"
    "  %2: bool = call last(%k)\n"
    "  call note(%a, %b, %2)\n"
    "  call plain()\n"
    "  %3: float64, %4: owned int8[:, ::1] = call both()\n"
    "  return %3\n"
    "}\n";

static void test_round_trip_of_hosts(void **state) {
    IrModule *module = read_good(*state, HOSTS);
    assert_string_equal(print_text(*state, module), HOSTS);
    IrFunc *f = ir_module_find(module, "f"), *note = ir_host_find(module, "note");
    assert_null(ir_module_find(module, "note"));
    assert_int_equal(note->user_at, 2);
    assert_true(f->may_fail && !ir_reg(f, 0)->written && ir_reg(f, 1)->written);
    ir_fold_module(module);
    assert_non_null(strstr(print_text(*state, module), "call plain()"));
}

static void test_round_trip_uses_every_op(void **state) {
    IrModule *module = read_good(*state, EVERYTHING);
    for (IrOp op = 0; op < OP_COUNT; op++)
        if (!uses_op(&module->funcs.data[0]->body, op))
            fail_msg("%s is not in it", ir_op_name(op));
}

static void test_read_fills_in(void **state) {
    IrModule *module = read_good(*state, EVERYTHING);
    IrFunc *func = ir_module_find(module, "all(int64)");
    assert_non_null(func);
    assert_string_equal(func->display, "all");
    assert_true(func->exported && func->parallel && func->fastmath && func->inlined);
    assert_true(func->recursive && func->may_fail);
    assert_int_equal(func->nparams, 8);
    assert_int_equal(func->nrets, 2);
    assert_int_equal(func->span.line, 3);
    assert_int_equal(func->span.end_col, 40);
    assert_string_equal(ir_reg(func, 0)->name, "n");
    assert_true(ir_reg(func, 7)->written); /* %v is stored to, %a only read */
    assert_false(ir_reg(func, 5)->written);
    IrFunc *f = ir_module_find(module, "f");
    assert_false(f->recursive || f->may_fail || f->exported);
}

/* Every function of math.def and rtcalls.def reads back by its name. */
static void test_every_function_reads(void **state) {
    JrText text;
    jr_text_init(&text, *state);
    jr_text_puts(&text,
                 "file \"x\"\n\nfunc f(%x: float64, %a: float64[:], %i: int64, %u: uint64, "
                 "%b: bool, %f: float32) {\n");
    for (IrMath fn = 0; fn < MATH_COUNT; fn++) {
        static const char *const ARGS[] = {"", "%x", "%x, %x", "%x, %x, %x"};
        jr_text_printf(&text, "  %%%d = math.%s %s\n", (int)fn + 1, ir_math_name(fn),
                       ARGS[ir_math_arity(fn)]);
    }
    unsigned next = MATH_COUNT + 1;
    for (IrRtCall call = 0; call < RT_COUNT; call++) {
        const char *between = "  ";
        for (const char *r = ir_rt_results(call); *r; r++, between = ", ")
            jr_text_printf(&text, "%s%%%u", between, next++);
        jr_text_printf(&text, "%srt.%s", *ir_rt_results(call) ? " = " : "  ",
                       ir_rt_name(call));
        between = " ";
        for (const char *p = ir_rt_params(call); *p; p++, between = ", ") {
            jr_text_puts(&text, between);
            jr_text_puts(&text, *p == 's' ? "\"s\"" : "%");
            if (*p != 's') jr_text_add(&text, *p == 'd' ? "x" : p, 1);
        }
        jr_text_puts(&text, "\n");
    }
    jr_text_puts(&text, "  return\n}\n");
    assert_string_equal(print_text(*state, read_good(*state, text.data)), text.data);
}

/* ---- Constants ---- */

static void check_float_round_trip(JrArena *arena, IrScalar scalar, uint64_t bits) {
    IrModule *module = ir_module_new(arena, "x");
    IrFunc *func = ir_func_new(module, "f", NULL);
    IrType type = ir_scalar(scalar);
    func->rets = &type;
    func->nrets = 1;
    IrConst value = {.u = bits};
    uint32_t narrow = (uint32_t)bits;
    if (scalar == TY_FLOAT32) memcpy(&value.f, &narrow, 4);
    IrBuilder b = {.func = func, .block = &func->body};
    IrReg reg = ir_const(func, scalar, value);
    ir_build_return(&b, 1, &reg);
    IrModule *again = read_good(arena, print_text(arena, module));
    IrFunc *copy = again->funcs.data[0];
    const IrRegInfo *info = ir_reg(copy, copy->body.first->args[0]);
    assert_int_equal(info->type.scalar, scalar);
    if (memcmp(&info->value, &ir_reg(func, reg)->value, sizeof info->value.u))
        fail_msg("%llx came back as %llx", (unsigned long long)bits,
                 (unsigned long long)info->value.u);
}

static void test_float_bits_survive(void **state) {
    static const uint64_t EDGES[] = {
        0,
        1,
        0x8000000000000000u,
        0x7ff0000000000000u,
        0xfff0000000000000u,
        0x7ff8000000000000u,
        0xfff8000000000000u,
        0x7ff0000000000001u,
        0x7fefffffffffffffu,
        0x0010000000000000u,
        0x3fb999999999999au,
        0x4340000000000000u,
        0x444b1ae4d6e2ef50u,
    };
    for (size_t i = 0; i < sizeof EDGES / sizeof *EDGES; i++) {
        check_float_round_trip(*state, TY_FLOAT64, EDGES[i]);
        check_float_round_trip(*state, TY_FLOAT32, EDGES[i] >> 32);
    }
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 500; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        check_float_round_trip(*state, TY_FLOAT64, random);
        check_float_round_trip(*state, TY_FLOAT32, random >> 32);
    }
}

static void test_constants_are_shared(void **state) {
    IrFunc *func = ir_func_new(ir_module_new(*state, "x"), "f", NULL);
    assert_int_equal(ir_const_int(func, TY_INT8, 255), ir_const_int(func, TY_INT8, -1));
    assert_int_not_equal(ir_const_int(func, TY_INT8, -1), ir_const_int(func, TY_UINT8, -1));
    assert_int_not_equal(ir_const_float(func, TY_FLOAT64, 0.0),
                         ir_const_float(func, TY_FLOAT64, -0.0));
    assert_int_equal(ir_const_str(func, "a\0b", 3), ir_const_str(func, "a\0b", 3));
    assert_int_not_equal(ir_const_str(func, "a\0b", 3), ir_const_str(func, "a\\0b", 4));
    assert_int_not_equal(ir_const_str(func, "", 0), ir_const_int(func, TY_BOOL, 0));
    IrReg last = ir_const_float(func, TY_UINT8, 300.5);
    assert_int_equal(ir_reg(func, last)->value.u, 255);
    assert_int_equal(ir_reg(func, ir_const_float(func, TY_INT16, -1e9))->value.i, INT16_MIN);
    assert_int_equal(ir_reg(func, ir_const_int(func, TY_UINT16, -1))->value.u, 65535);
    assert_true(ir_reg(func, ir_const_int(func, TY_FLOAT32, 3))->value.f == 3.0f);
}

/* ---- Builders ---- */

static void test_build(void **state) {
    IrFunc *func = build_sum(*state);
    const char *why;
    assert_true(ir_verify_module(func->module, &why));
    assert_null(why);
    ir_module_finish(func->module);
    assert_true(func->may_fail);
    assert_false(func->recursive || ir_reg(func, 0)->written);
    assert_string_equal(print_text(*state, func->module),
                        "file \"sum.src\"\n\n"
                        "func sum(%x: float64[::1]) -> float64 {\n"
                        "  var %s: float64\n"
                        "  %s = copy 0.0 @2:5-9\n"
                        "  %1 = dim %x, 0 @2:5-9\n"
                        "  for %2 = 0, %1, 1 @2:5-9 {\n"
                        "    %3 = load %x[%2+] @2:5-9\n"
                        "    %4 = add %s, %3 @2:5-9\n"
                        "    %s = copy %4 @2:5-9\n"
                        "  }\n"
                        "  return %s @2:5-9\n"
                        "}\n");
}

static void test_build_every_kind(void **state) {
    IrModule *module = ir_module_new(*state, "x");
    IrFunc *func = ir_func_new(module, "f", "display");
    IrReg x = ir_param(func, ir_scalar(TY_FLOAT64), "x");
    IrReg a = ir_param(func, ir_array(TY_FLOAT64, 1, LAYOUT_ANY), "a");
    IrBuilder b = {.func = func, .block = &func->body};
    IrReg one = ir_const_int(func, TY_INT64, 1);
    IrReg less = ir_build_compare(&b, OP_LT, x, x);
    IrReg chosen =
        ir_build_select(&b, less, x, ir_build_unary(&b, OP_NEG, ir_scalar(TY_FLOAT64), x));
    assert_int_equal(ir_build_cast(&b, TY_FLOAT64, chosen), chosen);
    assert_int_equal(ir_reg_type(func, ir_build_cast(&b, TY_INT8, chosen)).scalar, TY_INT8);
    ir_build_store(&b, a, 1, &one, ir_build_math(&b, MATH_SIN, ir_scalar(TY_FLOAT64), 1, &x));
    IrStmt *branch = ir_build_if(&b, less), *loop;
    b.block = &branch->u.blocks.then;
    ir_build_raise(&b, EXC_VALUE, "bad", 3);
    b.block = &func->body;
    loop = ir_build_loop(&b);
    b.block = &loop->u.blocks.then;
    ir_build_call(&b, func, 0, NULL, 2, (IrReg[]){x, a});
    ir_build_rt(&b, RT_PRINT_INT, 0, NULL, 1, &one);
    ir_build_break(&b);
    ir_build_continue(&b);
    b.block = &func->body;
    ir_build_return(&b, 0, NULL);
    const char *why = NULL;
    if (!ir_verify_module(module, &why)) fail_msg("%s", why);
    ir_module_finish(module);
    assert_true(func->recursive && func->may_fail && ir_reg(func, a)->written);
    assert_string_equal(func->display, "display");
    const char *text = print_text(*state, module);
    assert_string_equal(print_text(*state, read_good(*state, text)), text);
}

static void test_blocks(void **state) {
    IrStmt s[3] = {{0}};
    IrBlock block = {0};
    (void)state;
    ir_block_append(&block, &s[1]);
    ir_block_insert_before(&block, &s[1], &s[0]);
    ir_block_insert_before(&block, NULL, &s[2]);
    assert_ptr_equal(block.first, &s[0]);
    assert_ptr_equal(s[0].next, &s[1]);
    assert_ptr_equal(s[2].prev, &s[1]);
    ir_block_remove(&block, &s[1]);
    assert_ptr_equal(s[0].next, &s[2]);
    ir_block_remove(&block, &s[0]);
    ir_block_remove(&block, &s[2]);
    assert_null(block.first);
    assert_null(block.last);
}

/* ---- What the reader says ---- */

static const struct {
    const char *text, *message;
    int line, col;
} UNREADABLE[] = {
    {"", "expected 'file', found the end of the text", 1, 1},
    {"file x\n", "expected a string in double quotes, found 'x'", 1, 6},
    {"file \"x\n", "found '\"x'", 1, 6},
    {"file \"\\q\"\n", "bad escape", 1, 6},
    {"file \"x\"\nfun f()\n", "expected 'func', found 'fun'", 2, 1},
    {"file \"x\"\nfunc ()\n", "expected a string", 2, 6},
    {"file \"x\"\nhost ()\n", "expected a string", 2, 6},
    {"file \"x\"\nhost f\n", "expected '('", 2, 7},
    {"file \"x\"\nhost f(int8 int8)\n", "expected ','", 2, 13},
    {"file \"x\"\nhost f(written)\n", "expected a type", 2, 15},
    {"file \"x\"\nhost f() g\n", "expected the end of the line", 2, 10},
    {"file \"x\"\nhost f()\nhost f()\n", "a second function", 3, 7},
    {"file \"x\"\nfunc f(x)\n", "expected a register, found 'x'", 2, 8},
    {"file \"x\"\nfunc f(%x)\n", "expected ':', found ')'", 2, 10},
    {"file \"x\"\nfunc f(%x: flot)\n", "expected a type, found 'flot'", 2, 12},
    {"file \"x\"\nfunc f(%x: int8, %x: int8) {\n}\n", "'%x' is declared twice", 2, 18},
    {"file \"x\"\nfunc f() -> {\n}\n", "expected a type", 2, 13},
    {"file \"x\"\nfunc f() fast {\n}\n", "expected exported, parallel", 2, 10},
    {"file \"x\"\nfunc f()\n", "expected '{', found the end of the line", 2, 9},
    {"file \"x\"\nfunc f() @1:2 {\n}\n", "a span is written", 2, 10},
    {"file \"x\"\nfunc f() {\nreturn\n}\nfunc f() {\nreturn\n}\n", "a second function", 5, 6},
    {"file \"x\"\nfunc f() {\nreturn\n", "expected '}', found the end of the text", 4, 1},
    {"file \"x\"\nfunc f() {\nvar x\n", "expected a register", 3, 5},
    {"file \"x\"\nfunc f() {\nvar %x: int8 1\n", "expected the end of the line", 3, 14},
    {"file \"x\"\nfunc f() {\nfrob\n", "expected an operation, found 'frob'", 3, 1},
    {"file \"x\"\nfunc f() {\nadd.x 1\n", "expected an operation, found 'add.x'", 3, 1},
    {"file \"x\"\nfunc f() {\n%1 = math.foo 1.0\n", "expected an operation", 3, 6},
    {"file \"x\"\nfunc f() {\n%1 = rt.foo 1.0\n", "expected an operation", 3, 6},
    {"file \"x\"\nfunc f() {\n%1 add 1\n", "expected '=', found 'add'", 3, 4},
    {"file \"x\"\nfunc f() {\n%1, = add 1\n", "expected a register, found '='", 3, 5},
    {"file \"x\"\nfunc f() {\n%1 = add %z, 1\n", "unknown register '%z'", 3, 10},
    {"file \"x\"\nfunc f() {\n%1 = add 1, \n", "expected a register or a constant", 3, 13},
    {"file \"x\"\nfunc f() {\n%1 = add 300:uint8, 1\n", "does not fit its type", 3, 19},
    {"file \"x\"\nfunc f() {\n%1 = add 1x, 1\n", "not a number", 3, 12},
    {"file \"x\"\nfunc f() {\n%1 = add 1:str, 1\n", "a number cannot have this type", 3, 15},
    {"file \"x\"\nfunc f() {\n%1 = add 1e999, 1\n", "does not fit its type", 3, 15},
    {"file \"x\"\nfunc f() {\n%1 = add nan(0x1), 1\n", "not a NaN", 3, 18},
    {"file \"x\"\nfunc f() {\n%1 = add nan(zz), 1\n", "a NaN is", 3, 17},
    {"file \"x\"\nfunc f() {\n%1 = cast 1\n", "does not follow from the operands", 3, 1},
    {"file \"x\"\nfunc f() {\n%1 = copy 1\n%1 = copy 2\n", "is written already", 4, 1},
    {"file \"x\"\nfunc f(%a: int8[:]) {\n%1 = load %a(1)\n", "expected '[', found '('", 3, 13},
    {"file \"x\"\nfunc f(%a: int8[:]) {\n%1 = load %a[1\n", "expected ']'", 3, 15},
    {"file \"x\"\nfunc f(%a: int8[:]) {\n%1 = dim %a, %a\n", "expected the number of an axis",
     3, 14},
    {"file \"x\"\nfunc f(%a: int8[:]) {\n%1: int8[:] = view %a[range 1]\n", "expected '('", 3,
     29},
    {"file \"x\"\nfunc f() {\ncall g()\n", "no function is called 'g'", 3, 6},
    {"file \"x\"\nfunc f() {\nraise Oops \"x\"\n", "expected the name of an exception", 3, 7},
    {"file \"x\"\nfunc f() {\nloop\n", "expected '{', found the end of the line", 3, 5},
    {"file \"x\"\nfunc f() {\n$\n", "expected an operation, found '$'", 3, 1},
};

static void test_reader_errors(void **state) {
    for (size_t i = 0; i < sizeof UNREADABLE / sizeof *UNREADABLE; i++) {
        JrDiags diags;
        assert_null(read_text(*state, UNREADABLE[i].text, &diags));
        assert_int_equal(diags.errors, 1);
        const JrDiag *diag = diags.first;
        if (!strstr(diag->message, UNREADABLE[i].message))
            fail_msg("%s\ngave: %s", UNREADABLE[i].text, diag->message);
        if (diag->span.line != UNREADABLE[i].line || diag->span.col != UNREADABLE[i].col)
            fail_msg("%s\n%s at %d:%d", UNREADABLE[i].text, diag->message, diag->span.line,
                     diag->span.col);
    }
}

static void test_reader_depth(void **state) {
    JrText text;
    jr_text_init(&text, *state);
    jr_text_puts(&text, "file \"x\"\nfunc f() {\n");
    for (int i = 0; i < 5000; i++)
        jr_text_puts(&text, "loop {\n");
    JrDiags diags;
    assert_null(read_text(*state, text.data, &diags));
    assert_string_equal(diags.first->message, "blocks are nested too deeply");
}

/* Damaged text is refused or read, and what was read prints, reads again and folds. */
static void test_reader_survives_damage(void **state) {
    static const char SPICE[] = "%\"[]{}():,@-.=#\n 0xn";
    uint64_t random = 2463534242u;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        JrArena *arena = jr_arena_new(NULL);
        char *text = jr_arena_strdup(arena, EVERYTHING);
        size_t len = strlen(text);
        for (int hit = 0; hit <= round % 4; hit++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            size_t at = random % len;
            if (random >> 40 & 1)
                text[at] = SPICE[(random >> 32) % (sizeof SPICE - 1)];
            else if (random >> 41 & 1)
                memmove(text + at, text + at + 1, len - at);
            else
                text[at] = text[(random >> 20) % len];
        }
        JrDiags diags;
        IrModule *module = read_text(arena, text, &diags);
        assert_true((module != NULL) == (diags.errors == 0));
        if (module) {
            const char *once = print_text(arena, module);
            assert_string_equal(print_text(arena, read_good(arena, once)), once);
            const char *why = NULL;
            ir_fold_module(module);
            if (!ir_verify_module(module, &why))
                fail_msg("folding broke it: %s in\n%s", why, once);
        }
        jr_arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_round_trip),
        ARENA_TEST(test_round_trip_of_hosts),
        ARENA_TEST(test_round_trip_uses_every_op),
        ARENA_TEST(test_read_fills_in),
        ARENA_TEST(test_every_function_reads),
        ARENA_TEST(test_float_bits_survive),
        ARENA_TEST(test_constants_are_shared),
        ARENA_TEST(test_build),
        ARENA_TEST(test_build_every_kind),
        ARENA_TEST(test_blocks),
        ARENA_TEST(test_reader_errors),
        ARENA_TEST(test_reader_depth),
        ARENA_TEST(test_reader_survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The interpreter: every operation on every type against the reference, with operands in
 * registers and as constants and in branches; counted loops at the ends of int64; calls,
 * errors with their places and call chains; array elements of every type and shape, views;
 * counts of references; threads; failing allocations. */
#include "tests/unit/engine_random.h"

#include <pthread.h>

/* ---- Every operation ---- */

enum { MANY = 40 };

static uint32_t edges_of(IrScalar type, IrConst *out) {
    static const int64_t ints[] = {0,
                                   1,
                                   -1,
                                   2,
                                   3,
                                   7,
                                   -7,
                                   8,
                                   31,
                                   32,
                                   63,
                                   64,
                                   INT8_MIN,
                                   INT8_MAX,
                                   INT16_MIN,
                                   INT16_MAX,
                                   INT32_MIN,
                                   INT32_MAX,
                                   INT64_MIN,
                                   INT64_MAX,
                                   INT64_MIN + 1,
                                   (INT64_C(1) << 53) + 1};
    static const double floats[] = {
        0.0,    -0.0,   1,      -1,       0.5,       -2.5,   7,          -7,     0.1,
        1e300,  5e-324, 1e-45,  HUGE_VAL, -HUGE_VAL, 0x1p31, 0x1p53,     0x1p63, -0x1p63,
        0x1p64, 255.5,  -128.9, -0.9,     65536,     -32769, (double)NAN};
    uint32_t n = 0;
    if (type == TY_BOOL) {
        for (; n < 2; n++)
            out[n] = ref_of_int(n);
    } else if (ir_scalar_is_float(type)) {
        for (; n < sizeof floats / sizeof *floats; n++)
            out[n] = ref_float(type, floats[n]);
    } else {
        for (; n < sizeof ints / sizeof *ints; n++)
            out[n] = ref_norm(type, ref_of_int(ints[n]));
    }
    return n;
}

static bool has_op(IrOp op, IrScalar type) {
    if (ir_op_form(op) == FORM_CMP) return true;
    switch (op) {
    case OP_DIV: return ir_scalar_is_float(type);
    case OP_AND:
    case OP_OR:
    case OP_XOR: return !ir_scalar_is_float(type);
    case OP_SHL:
    case OP_SHR:
    case OP_INV: return ir_scalar_is_int(type);
    case OP_NOT: return type == TY_BOOL;
    default: return type != TY_BOOL;
    }
}

enum { IN_REGISTERS, RIGHT_CONST, LEFT_CONST, IN_BRANCH, IN_BRANCH_CONST, SHAPES };

/* f(a, b) = a op b, in one of several shapes. */
static void build_binary(Program *p, IrOp op, IrScalar type, unsigned shape,
                         const IrConst *k) {
    IrFunc *func = ir_func_new(p->module, "f", "f");
    const bool compare = ir_op_form(op) == FORM_CMP;
    IrReg a = ir_param(func, ir_scalar(type), "a"), b = ir_param(func, ir_scalar(type), "b");
    IrBuilder at = {.func = func, .block = &func->body, .span = {7, 3, 9}};
    const IrType result = ir_scalar(compare ? TY_BOOL : type);
    func->exported = true;
    func->nrets = 1;
    func->rets = JR_NEW(p->arena, IrType);
    *func->rets = result;
    if (shape == RIGHT_CONST || shape == IN_BRANCH_CONST) b = ir_const(func, type, k[1]);
    if (shape == LEFT_CONST) a = ir_const(func, type, k[0]);
    IrReg value =
        compare ? ir_build_compare(&at, op, a, b) : ir_build_binary(&at, op, result, a, b);
    if (shape >= IN_BRANCH && compare) {
        IrStmt *branch = ir_build_if(&at, value);
        IrReg yes = ir_const_int(func, TY_BOOL, 1), no = ir_const_int(func, TY_BOOL, 0);
        at.block = &branch->u.blocks.then;
        ir_build_return(&at, 1, &yes);
        at.block = &func->body;
        ir_build_return(&at, 1, &no);
    } else {
        ir_build_return(&at, 1, &value);
    }
    compile(p);
}

static void check_binary(Program *p, IrOp op, IrScalar type, IrConst a, IrConst b) {
    Fake fake = new_fake();
    IrConst got = {.u = 0};
    int trap;
    const IrConst want = ref_binary(op, type, a, b, &trap);
    const IrScalar result = ir_op_form(op) == FORM_CMP ? TY_BOOL : type;
    int32_t status = call(p, "f", &fake, (void *[]){&a, &b}, (void *[]){&got});
    if (trap >= 0) {
        assert_int_equal(status, ir_trap_exc((IrTrap)trap));
        assert_int_equal(fake.trap, trap);
        assert_int_equal(fake.where.line, 7);
        assert_int_equal(fake.where.col, 3);
        assert_string_equal(fake.where.func, "f");
        assert_int_equal(got.u, 0);
    } else if (status || !ref_same(result, want, got, false)) {
        fail_msg("%s %s: %llx, %llx gave %llx, not %llx", ir_op_name(op), ir_scalar_name(type),
                 (unsigned long long)a.u, (unsigned long long)b.u, (unsigned long long)got.u,
                 (unsigned long long)want.u);
    }
}

static void check_shape(IrOp op, IrScalar type, unsigned shape, const IrConst *edges,
                        uint32_t n) {
    const bool right = shape == RIGHT_CONST || shape == IN_BRANCH_CONST,
               left = shape == LEFT_CONST;
    for (uint32_t c = 0; c < (right || left ? n : 1); c++) {
        Program p = new_program(jr_engine_interp());
        build_binary(&p, op, type, shape, (IrConst[]){edges[c], edges[c]});
        for (uint32_t i = 0; i < (left ? 1 : n); i++)
            for (uint32_t j = 0; j < (right ? 1 : n); j++)
                check_binary(&p, op, type, edges[left ? c : i], edges[right ? c : j]);
        end_program(&p);
    }
}

static void test_binary(void **state) {
    (void)state;
    IrConst edges[MANY];
    for (IrOp op = 0; op < OP_COUNT; op++) {
        if (ir_op_form(op) != FORM_BIN && ir_op_form(op) != FORM_CMP) continue;
        for (IrScalar type = TY_BOOL; type < TY_STR; type++) {
            const uint32_t n = edges_of(type, edges);
            for (unsigned shape = 0; has_op(op, type) && shape < SHAPES; shape++)
                check_shape(op, type, shape, edges, n);
        }
    }
}

static void build_unary(Program *p, IrOp op, IrScalar from, IrScalar to) {
    IrFunc *func = ir_func_new(p->module, "f", "f");
    IrReg a = ir_param(func, ir_scalar(from), "a");
    IrBuilder at = {.func = func, .block = &func->body};
    func->exported = true;
    func->nrets = 1;
    func->rets = JR_NEW(p->arena, IrType);
    *func->rets = ir_scalar(to);
    IrReg value = ir_build_unary(&at, op, ir_scalar(to), a);
    ir_build_return(&at, 1, &value);
    compile(p);
}

static void check_unary(IrOp op, IrScalar from, IrScalar to) {
    IrConst edges[MANY];
    const uint32_t n = edges_of(from, edges);
    Program p = new_program(jr_engine_interp());
    build_unary(&p, op, from, to);
    for (uint32_t i = 0; i < n; i++) {
        Fake fake = new_fake();
        IrConst got = {.u = 0}, a = edges[i], want = a;
        if (op == OP_CAST) want = ref_cast(from, to, a);
        if (ir_op_form(op) == FORM_UN) want = ref_unary(op, from, a);
        assert_int_equal(call(&p, "f", &fake, (void *[]){&a}, (void *[]){&got}), 0);
        if (!ref_same(to, want, got, op != OP_CAST && op != OP_NEG))
            fail_msg("%s %s -> %s: %llx gave %llx, not %llx", ir_op_name(op),
                     ir_scalar_name(from), ir_scalar_name(to), (unsigned long long)a.u,
                     (unsigned long long)got.u, (unsigned long long)want.u);
    }
    end_program(&p);
}

static void test_unary(void **state) {
    (void)state;
    for (IrScalar from = TY_BOOL; from < TY_STR; from++) {
        for (IrOp op = 0; op < OP_COUNT; op++)
            if (ir_op_form(op) == FORM_UN && has_op(op, from)) check_unary(op, from, from);
        for (IrScalar to = TY_BOOL; to < TY_STR; to++) {
            if (to != from) check_unary(OP_CAST, from, to);
            if (from != TY_BOOL && to != TY_BOOL && ir_scalar_size(from) == ir_scalar_size(to))
                check_unary(OP_BITS, from, to);
        }
    }
}

/* Products that are added or subtracted become one instruction, and round as two. */
static void test_products(void **state) {
    (void)state;
    Program p =
        read_program(jr_engine_interp(),
                     "file \"k\"\n"
                     "func f(%a: float64, %b: float64, %c: float64) -> (float64, float64, "
                     "float64, float64) exported {\n"
                     "  %1 = mul %a, %b\n  %2 = add %1, %c\n"
                     "  %3 = mul %a, %b\n  %4 = add %c, %3\n"
                     "  %5 = mul %a, %b\n  %6 = sub %5, %c\n"
                     "  %7 = mul %a, %b\n  %8 = sub %c, %7\n"
                     "  return %2, %4, %6, %8\n}\n"
                     "func g(%a: int64, %b: int64, %c: int64) -> (int64, int64, int64) "
                     "exported {\n"
                     "  %1 = mul %a, %b\n  %2 = add %1, %c\n"
                     "  %5 = mul %a, %b\n  %6 = sub %5, %c\n"
                     "  %7 = mul %a, %b\n  %8 = sub %c, %7\n"
                     "  return %2, %6, %8\n}\n");
    Fake fake = new_fake();
    volatile double a = 1 + 0x1p-30, b = 1 - 0x1p-30, c = -1, ab = a * b;
    double x = a, y = b, z = c, r[4];
    assert_int_equal(
        call(&p, "f", &fake, (void *[]){&x, &y, &z}, (void *[]){&r[0], &r[1], &r[2], &r[3]}),
        0);
    assert_true(r[0] == ab + c && r[1] == ab + c && r[2] == ab - c && r[3] == c - ab);
    int64_t i = 7, j = -3, k = 100, s[3];
    assert_int_equal(
        call(&p, "g", &fake, (void *[]){&i, &j, &k}, (void *[]){&s[0], &s[1], &s[2]}), 0);
    assert_true(s[0] == 79 && s[1] == -121 && s[2] == 121);
    end_program(&p);
}

/* ---- Loops ---- */

static const char LOOPS[] = "file \"k\"\n"
                            "func any(%lo: int64, %hi: int64, %step: int64) -> (int64, int64) "
                            "exported {\n"
                            "  var %n: int64\n  var %last: int64\n"
                            "  %n = copy 0\n  %last = copy -5\n"
                            "  for %i = %lo, %hi, %step {\n"
                            "    %1 = add %n, 1\n    %n = copy %1\n    %last = copy %i\n"
                            "    %stop = ge %n, 5\n    if %stop {\n      break\n    }\n  }\n"
                            "  return %n, %last\n}\n";

/* The same with the step in the instruction, and counting in the variable itself. */
static Program loop_program(int64_t step) {
    char text[2000];
    snprintf(
        text, sizeof text,
        "%sfunc fixed(%%lo: int64, %%hi: int64) -> (int64, int64) exported {\n"
        "  var %%n: int64\n  var %%i: int64\n  var %%h: int64\n"
        "  %%n = copy 0\n  %%i = copy -5\n  %%h = copy %%hi\n"
        "  for %%k = %%lo, %%h, %lld {\n"
        "    %%i = copy %%k\n    %%h = copy 0\n    %%1 = add %%n, 1\n    %%n = copy %%1\n"
        "    %%stop = ge %%n, 5\n    if %%stop {\n      break\n    }\n"
        "    %%odd = and %%n, 1\n    %%c = eq %%odd, 1\n    if %%c {\n      continue\n    }\n"
        "  }\n  return %%n, %%i\n}\n",
        LOOPS, (long long)step);
    return read_program(jr_engine_interp(), text);
}

static void check_loop(Program *p, int64_t lo, int64_t hi, int64_t step) {
    Fake fake = new_fake();
    int64_t n = 0, last = -5, got[2][2];
    for (__int128 i = lo; n < 5 && (step > 0 ? i < hi : i > hi); i += step, n++)
        last = (int64_t)i;
    call(p, "any", &fake, (void *[]){&lo, &hi, &step}, (void *[]){&got[0][0], &got[0][1]});
    call(p, "fixed", &fake, (void *[]){&lo, &hi}, (void *[]){&got[1][0], &got[1][1]});
    for (int k = 0; k < 2; k++)
        if (got[k][0] != n || got[k][1] != last)
            fail_msg("%d: range(%lld, %lld, %lld) ran %lld times to %lld", k, (long long)lo,
                     (long long)hi, (long long)step, (long long)got[k][0],
                     (long long)got[k][1]);
}

static void test_loops(void **state) {
    (void)state;
    static const int64_t ends[] = {
        0, 1, -1, 3, 10, -9, INT64_MIN, INT64_MIN + 2, INT64_MAX, INT64_MAX - 2};
    static const int64_t steps[] = {1,
                                    -1,
                                    2,
                                    -3,
                                    UINT32_MAX,
                                    -(int64_t)UINT32_MAX,
                                    INT64_C(1) << 33,
                                    INT64_MIN,
                                    INT64_MAX,
                                    INT64_MIN + 1};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        Program p = loop_program(steps[s]);
        for (int i = 0; i < 10; i++)
            for (int j = 0; j < 10; j++)
                check_loop(&p, ends[i], ends[j], steps[s]);
        end_program(&p);
    }
}

static void test_while(void **state) {
    (void)state;
    Program p = read_program(
        jr_engine_interp(),
        "file \"k\"\n"
        "func f(%n: int64) -> int64 exported {\n"
        "  var %i: int64\n  var %s: int64\n"
        "  %i = copy 0\n  %s = copy 0\n  loop {\n"
        "    %c = lt %i, %n\n    %d = not %c\n    if %d {\n      break\n    }\n"
        "    %1 = add %i, 1\n    %i = copy %1\n"
        "    %2 = mod %i, 3\n    %3 = eq %2, 0\n    if %3 {\n      continue\n    }\n"
        "    %4 = add %s, %i\n    %s = copy %4\n"
        "    %5 = gt %s, 1000\n    if %5 {\n      break\n    }\n  }\n"
        "  return %s\n}\n");
    for (int64_t n = -2; n < 80; n++) {
        Fake fake = new_fake();
        int64_t got, want = 0;
        for (int64_t i = 1; i <= n && want <= 1000; i++)
            want += i % 3 ? i : 0;
        assert_int_equal(call(&p, "f", &fake, (void *[]){&n}, (void *[]){&got}), 0);
        assert_int_equal(got, want);
    }
    end_program(&p);
}

/* a, b = b, a % b: the snapshot of b must not be taken for b itself. */
static void test_swap(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(),
                             "file \"k\"\n"
                             "func gcd(%x: int64, %y: int64) -> int64 exported {\n"
                             "  var %a: int64\n  var %b: int64\n"
                             "  %a = copy %x\n  %b = copy %y\n  loop {\n"
                             "    %1 = eq %b, 0\n    if %1 {\n      break\n    }\n"
                             "    %2 = mod %a, %b\n    %3 = copy %b\n"
                             "    %a = copy %3\n    %b = copy %2\n  }\n  return %a\n}\n");
    Fake fake = new_fake();
    int64_t x = 1071, y = 462, got = 0;
    assert_int_equal(call(&p, "gcd", &fake, (void *[]){&x, &y}, (void *[]){&got}), 0);
    assert_int_equal(got, 21);
    end_program(&p);
}

/* ---- Calls and errors ---- */

static const char CALLS[] =
    "file \"k.src\"\n"
    "func fib(%n: int64) -> int64 exported display \"fib\" {\n"
    "  %c = lt %n, 2\n  if %c {\n    return %n\n  }\n"
    "  %1 = sub %n, 1\n  %2: int64 = call fib(%1)\n"
    "  %3 = sub %n, 2\n  %4: int64 = call fib(%3)\n"
    "  %5 = add %2, %4\n  return %5\n}\n"
    "func down(%n: int64) -> int64 exported display \"down\" {\n"
    "  %c = le %n, 0\n  if %c {\n    %z = floordiv 1, %n @4:5-9\n"
    "    return %z\n  }\n"
    "  %1 = sub %n, 1\n  %2: int64 = call down(%1) @5:7-9\n"
    "  %3 = add %2, 1\n  return %3\n}\n"
    "func swap(%a: float32, %b: int8, %c: bool) -> (bool, int8, float32) "
    "display \"swap\" {\n"
    "  return %c, %b, %a\n}\n"
    "func twice(%a: float32, %b: int8, %c: bool) -> (bool, int8, float32) "
    "exported display \"twice\" {\n"
    "  %x: bool, %y: int8, %z: float32 = call swap(%a, %b, %c)\n"
    "  %u: bool, %v: int8, %w: float32 = call swap(%z, %y, %x)\n"
    "  return %u, %v, %w\n}\n";

static void test_calls(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), CALLS);
    Fake fake = new_fake();
    int64_t n = 20, got = 0;
    assert_int_equal(call(&p, "fib", &fake, (void *[]){&n}, (void *[]){&got}), 0);
    assert_int_equal(got, 6765);
    float a = 2.5f, x = 0;
    int8_t b = -7, y = 0;
    uint8_t c = 1, z = 0;
    assert_int_equal(call(&p, "twice", &fake, (void *[]){&a, &b, &c}, (void *[]){&z, &y, &x}),
                     0);
    assert_true(x == a && y == b && z == c);
    JrCall found;
    assert_false(jr_engine_interp()->find(p.code, "swap", &found));
    assert_false(jr_engine_interp()->find(p.code, "", &found));
    end_program(&p);
}

static void test_chain(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), CALLS);
    Fake fake = new_fake();
    int64_t n = 3, got = 77;
    assert_int_equal(call(&p, "down", &fake, (void *[]){&n}, (void *[]){&got}),
                     EXC_ZERO_DIVISION);
    assert_int_equal(got, 77);
    assert_int_equal(fake.where.line, 4);
    assert_string_equal(fake.where.file, "k.src");
    assert_string_equal(fake.where.func, "down");
    assert_int_equal(fake.traces, 3);
    assert_int_equal(fake.trace_line, 5);
    end_program(&p);
}

static void test_depth(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), CALLS);
    Fake fake = new_fake();
    int64_t n = INT64_MAX, got;
    assert_int_equal(call(&p, "down", &fake, (void *[]){&n}, (void *[]){&got}), EXC_RECURSION);
    assert_true(fake.traces > 50000);
    n = 20000; /* the stack moves, and what is on it stays right */
    fake = new_fake();
    assert_int_equal(call(&p, "down", &fake, (void *[]){&n}, (void *[]){&got}),
                     EXC_ZERO_DIVISION);
    assert_int_equal(fake.traces, 20000);
    fake.rt.stack_limit = (char *)__builtin_frame_address(0);
    assert_int_equal(call(&p, "down", &fake, (void *[]){&n}, (void *[]){&got}), EXC_RECURSION);
    end_program(&p);
}

static void test_runtime(void **state) {
    (void)state;
    Program p =
        read_program(jr_engine_interp(),
                     "file \"k\"\n"
                     "func f(%n: int64, %x: float64) -> (float64, int64) exported {\n"
                     "  rt.print_str \"n = \"\n  rt.print_int %n\n"
                     "  %m, %e = rt.frexp %x\n  %g = rt.factorial %n\n"
                     "  %h = add %g, %e\n  return %m, %h\n}\n"
                     "func stop() exported {\n  poll\n  raise ValueError \"no\\n good\"\n}\n");
    Fake fake = new_fake();
    int64_t n = 5, h;
    double x = 10, m;
    assert_int_equal(call(&p, "f", &fake, (void *[]){&n, &x}, (void *[]){&m, &h}), 0);
    assert_string_equal(fake.text, "n = 5");
    int exponent;
    assert_true(m == frexp(x, &exponent));
    assert_int_equal(call(&p, "stop", &fake, NULL, NULL), EXC_VALUE);
    assert_string_equal(fake.text, "no\n good");
    fake.rt.cancel = &cancelled;
    assert_int_equal(call(&p, "stop", &fake, NULL, NULL), EXC_INTERRUPT);
    n = -1;
    assert_int_equal(call(&p, "f", &fake, (void *[]){&n, &x}, (void *[]){&m, &h}), EXC_VALUE);
    end_program(&p);
}

/* ---- Arrays ---- */

typedef struct Array {
    void *data;
    JrBuffer *owner;
    int64_t dims[6];
} Array;

static Program element_program(const char *type, unsigned ndim, bool contiguous,
                               const char *mark) {
    static const char *const DIMS[2][4] = {{"", "[:]", "[:, :]", "[:, :, :]"},
                                           {"", "[::1]", "[:, ::1]", "[:, :, ::1]"}};
    static const char *const INDEX[] = {"", "%i", "%i@, %j@", "%i@, %j@, %k@"};
    char text[1200], index[60] = "", element[80];
    for (const char *c = ndim == 1 ? "%i@" : INDEX[ndim]; *c; c++)
        snprintf(index + strlen(index), sizeof index - strlen(index), "%.*s",
                 *c == '@' ? (int)strlen(mark) : 1, *c == '@' ? mark : c);
    snprintf(element, sizeof element, "%%a[%s]", index);
    snprintf(text, sizeof text,
             "file \"k\"\n"
             "func get(%%a: %s%s, %%i: int64, %%j: int64, %%k: int64) -> %s exported {\n"
             "  %%1 = load %s @3:1-2\n  return %%1\n}\n"
             "func set(%%a: %s%s, %%i: int64, %%j: int64, %%k: int64, %%v: %s) exported {\n"
             "  store %s = %%v @4:1-2\n  return\n}\n",
             type, DIMS[contiguous][ndim], type, element, type, DIMS[contiguous][ndim], type,
             element);
    return read_program(jr_engine_interp(), text);
}

/* The element's place by the definition, or the axis whose index is out of range. */
static bool find_place(const Array *a, unsigned ndim, const int64_t *index, bool wrap,
                       int64_t *place) {
    int64_t at = 0;
    for (unsigned n = 0; n < ndim; n++) {
        int64_t i = index[n] < 0 && wrap ? index[n] + a->dims[n] : index[n];
        *place = n;
        if (i < 0 || i >= a->dims[n]) return false;
        at += i * a->dims[ndim + n];
    }
    *place = at;
    return true;
}

static void check_element(Program *p, IrScalar type, Array *a, unsigned ndim, int64_t *index,
                          bool checked, bool wrap) {
    const unsigned size = ir_scalar_size(type);
    int64_t place;
    const bool found = find_place(a, ndim, index, wrap, &place);
    if (!found && !checked) return;
    Fake fake = new_fake();
    IrConst got = {.u = 0}, v = {.u = 0x9182736455463728};
    void *args[] = {a, &index[0], &index[1], &index[2], &v};
    int32_t status = call(p, "get", &fake, args, (void *[]){&got});
    if (type == TY_BOOL) v.u = 1;
    int32_t stored = call(p, "set", &fake, args, NULL);
    if (!found) {
        const int64_t axis = place;
        assert_int_equal(status, EXC_INDEX);
        assert_int_equal(stored, EXC_INDEX);
        assert_int_equal(fake.axis, axis);
        assert_int_equal(fake.index, index[axis]);
        assert_int_equal(fake.dim, a->dims[axis]);
        assert_int_equal(fake.ndim, ndim);
        assert_int_equal(fake.where.line, 4);
        return;
    }
    char *element = (char *)a->data + place * size;
    assert_int_equal(status, 0);
    assert_int_equal(stored, 0);
    assert_memory_equal(element, &v, size);
    assert_int_equal(call(p, "get", &fake, args, (void *[]){&got}), 0);
    assert_memory_equal(element, &got, size);
    memset(element, 1, size);
}

static void check_elements(IrScalar type, unsigned ndim, bool contiguous, unsigned how) {
    static const char *const MARKS[] = {"", "+", "-", "!"};
    static uint64_t memory[512];
    Program p = element_program(ir_scalar_name(type), ndim, contiguous, MARKS[how]);
    Array a = {.data = memory + 256};
    int64_t stride = contiguous ? 1 : -2;
    memset(memory, 1, sizeof memory);
    for (unsigned n = ndim; n-- > 0;) {
        a.dims[n] = 2 + (int64_t)n;
        a.dims[ndim + n] = stride;
        stride *= a.dims[n];
    }
    int64_t index[3];
    for (index[0] = -5; index[0] < 6; index[0]++)
        for (index[1] = -4; index[1] < (ndim > 1 ? 5 : -3); index[1]++)
            for (index[2] = -5; index[2] < (ndim > 2 ? 6 : -4); index[2] += 2)
                check_element(&p, type, &a, ndim, index, how < 2, how % 2 == 0);
    index[0] = INT64_MIN, index[1] = INT64_MAX, index[2] = 0;
    check_element(&p, type, &a, ndim, index, how < 2, how % 2 == 0);
    end_program(&p);
}

static void test_elements(void **state) {
    (void)state;
    for (IrScalar type = TY_BOOL; type < TY_STR; type++)
        for (unsigned ndim = 1; ndim < 4; ndim++)
            for (unsigned how = 0; how < 8; how++)
                check_elements(type, ndim, how & 1, how >> 1);
}

static const char VIEWS[] =
    "file \"k\"\n"
    "func f(%a: float64[:, :], %i: int64) -> (float64, float64, float64, int64) exported {\n"
    "  %row: float64[:] = view %a[%i] @3:1-2\n"
    "  %part: float64[:, :] = view %a[range(2, 2, -1), new, 1]\n"
    "  %t: float64[:, :] = transpose %a\n"
    "  %1 = load %row[-1]\n  %2 = load %part[1, 0]\n  %3 = load %t[1, 2]\n"
    "  %d = dim %part, 0\n  return %1, %2, %3, %d\n}\n"
    "func g(%a: float64[::1], %n: int64, %m: int64) -> float64 exported {\n"
    "  %b: float64[:, ::1] = reshape %a, %n, %m @9:1-2\n"
    "  %c: float64[:, :] = broadcast %a, 3, %n @10:1-2\n"
    "  %1 = load %b[1, 0]\n  %2 = load %c[2, 1]\n  %3 = mul %1, 1000.0\n"
    "  %4 = add %3, %2\n  return %4\n}\n";

static void test_views(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), VIEWS);
    Fake fake = new_fake();
    double m[3][4], r[3];
    for (int i = 0; i < 12; i++)
        m[i / 4][i % 4] = i;
    Array a = {.data = m, .dims = {3, 4, 4, 1}};
    int64_t i = -2, d;
    void *results[] = {&r[0], &r[1], &r[2], &d};
    assert_int_equal(call(&p, "f", &fake, (void *[]){&a, &i}, results), 0);
    assert_true(r[0] == 7 && r[1] == 5 && r[2] == 9 && d == 2);
    i = 3;
    assert_int_equal(call(&p, "f", &fake, (void *[]){&a, &i}, results), EXC_INDEX);
    assert_true(fake.index == 3 && fake.dim == 3 && fake.axis == 0 && fake.ndim == 2);
    Array flat = {.data = m, .dims = {4, 1}};
    int64_t n = 4, one = 1, bad = 3;
    assert_int_equal(call(&p, "g", &fake, (void *[]){&flat, &n, &one}, results), 0);
    assert_true(r[0] == 1001);
    assert_int_equal(call(&p, "g", &fake, (void *[]){&flat, &n, &bad}, results), EXC_VALUE);
    assert_true(fake.reshape == 1 && fake.where.line == 9);
    n = 2, one = 2;
    assert_int_equal(call(&p, "g", &fake, (void *[]){&flat, &n, &one}, results), EXC_VALUE);
    assert_true(fake.reshape == 0 && fake.where.line == 10);
    end_program(&p);
}

/* s += x[i] * y[i] has an instruction of its own; the plain ones behind it take over at ends.
 */
static void test_dot(void **state) {
    (void)state;
    Program p = read_program(
        jr_engine_interp(),
        "file \"k\"\n"
        "func f(%x: float64[::1], %y: float64[::1], %lo: int64, %hi: int64) -> float64 "
        "exported {\n"
        "  var %s: float64\n  %s = copy 1.0\n  for %i = %lo, %hi, 1 {\n"
        "    %1 = load %x[%i] @3:1-2\n    %2 = load %y[%i] @4:1-2\n"
        "    %3 = mul %1, %2\n    %4 = add %s, %3\n    %s = copy %4\n  }\n  return %s\n}\n");
    double x[] = {1, 2, 3}, y[] = {10, 100, 1000, 0}, got = 0;
    Array a = {.data = x, .dims = {3, 1}}, b = {.data = y, .dims = {3, 1}};
    for (int64_t lo = -4; lo < 3; lo++) {
        Fake fake = new_fake();
        int64_t hi = 3;
        double want = 1;
        for (int64_t i = lo; i < hi && lo >= -3; i++)
            want += x[i < 0 ? i + 3 : i] * y[i < 0 ? i + 3 : i];
        int32_t status = call(&p, "f", &fake, (void *[]){&a, &b, &lo, &hi}, (void *[]){&got});
        assert_int_equal(status, lo < -3 ? EXC_INDEX : 0);
        if (!status) assert_true(got == want);
    }
    Fake fake = new_fake();
    int64_t lo = 0, hi = 4;
    b.dims[0] = 2;
    assert_int_equal(call(&p, "f", &fake, (void *[]){&a, &b, &lo, &hi}, (void *[]){&got}),
                     EXC_INDEX);
    assert_true(fake.where.line == 4 && fake.index == 2 && fake.dim == 2);
    b.dims[0] = 4;
    assert_int_equal(call(&p, "f", &fake, (void *[]){&a, &b, &lo, &hi}, (void *[]){&got}),
                     EXC_INDEX);
    assert_true(fake.where.line == 3 && fake.index == 3 && fake.dim == 3);
    end_program(&p);
}

/* ---- Ownership ---- */

static const char OWNED[] =
    "file \"k\"\n"
    "func make(%n: int64) -> float64[::1] exported {\n"
    "  %a: owned float64[::1] = alloc zeroed %n\n  store %a[0] = 4.0\n  return %a\n}\n"
    "func churn(%n: int64, %fail: int64) -> (float64[::1], float64) exported {\n"
    "  var %keep: owned float64[::1]\n  var %s: float64\n  %s = copy 0.0\n"
    "  for %i = 0, %n, 1 {\n"
    "    %b: owned float64[::1] = call make(3)\n    %keep = assign %b\n"
    "    %x = load %keep[%i]\n    %1 = add %s, %x\n    %s = copy %1\n"
    "    %c = eq %i, %fail\n    if %c {\n      raise ValueError \"stop\"\n    }\n  }\n"
    "  return %keep, %s\n}\n"
    "func outer(%n: int64, %fail: int64) -> float64 exported {\n"
    "  %k: owned float64[::1] = alloc %n\n"
    "  %a: owned float64[::1], %s: float64 = call churn(%n, %fail)\n  return %s\n}\n";

static void check_churn(Program *p, const char *name, int64_t n, int64_t fail, int fail_alloc,
                        int32_t want) {
    Fake fake = new_fake();
    fake.fail_alloc = fail_alloc;
    counting = &fake;
    Array a = {.data = NULL};
    double s = 0;
    const bool array = strcmp(name, "churn") == 0;
    void *both[] = {&a, &s}, *one[] = {&s};
    assert_int_equal(call(p, name, &fake, (void *[]){&n, &fail}, array ? both : one), want);
    assert_int_equal(fake.live, want == 0 && array);
    if (want == 0) assert_true(s == 4);
    if (want == 0 && array) {
        assert_int_equal(a.owner->refs, 1);
        assert_int_equal(a.dims[0], 3);
        fake_release(a.owner);
    }
}

static void test_ownership(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), OWNED);
    check_churn(&p, "churn", 3, -1, 0, 0);
    check_churn(&p, "churn", 3, 2, 0, EXC_VALUE);
    check_churn(&p, "churn", 4, -1, 0, EXC_INDEX);
    check_churn(&p, "churn", 3, -1, 2, EXC_MEMORY);
    check_churn(&p, "outer", 3, -1, 0, 0);
    check_churn(&p, "outer", 3, 1, 0, EXC_VALUE);
    check_churn(&p, "outer", 3, -1, 1, EXC_MEMORY);
    check_churn(&p, "outer", 3, -1, 3, EXC_MEMORY);
    end_program(&p);
}

/* ---- Fusions ---- */

static const IrOp FUSED_OPS[] = {OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_XOR, OP_AND, OP_MOD};
enum { NFUSED = sizeof FUSED_OPS / sizeof *FUSED_OPS };

static bool is_fused_op(IrOp op, IrScalar type) {
    return has_op(op, type) && !(op == OP_MOD && type == TY_FLOAT64);
}

static IrReg fused_operand(IrFunc *func, IrOp op, IrScalar type, IrReg reg) {
    return op == OP_MOD ? ir_const_int(func, type, 7) : reg;
}

/* %s = %s <third> (%x <first> %y <second> ...) in a loop that a comparison may leave. */
static IrFunc *build_chain(Program *p, IrScalar type, const IrOp *ops, unsigned shape) {
    IrFunc *func = ir_func_new(p->module, "f", "f");
    IrReg x = ir_param(func, ir_scalar(type), "x"), y = ir_param(func, ir_scalar(type), "y");
    IrReg n = ir_param(func, ir_scalar(TY_INT64), "n");
    IrReg s = ir_var(func, ir_scalar(type), "s"), counter;
    IrBuilder at = {.func = func, .block = &func->body};
    func->exported = true;
    func->nrets = 1;
    func->rets = JR_NEW(p->arena, IrType);
    *func->rets = ir_scalar(type);
    ir_build_copy(&at, s, y);
    IrStmt *loop = ir_build_for(&at, ir_const_int(func, TY_INT64, 0), n,
                                ir_const_int(func, TY_INT64, 1), &counter);
    at.block = &loop->u.blocks.then;
    IrReg i = ir_build_cast(&at, type, counter);
    IrReg t = ir_build_binary(&at, ops[0], ir_scalar(type), shape & 1 ? s : x,
                              fused_operand(func, ops[0], type, i));
    IrReg k = fused_operand(func, ops[1], type, y);
    const bool swap = shape & 2 && ops[1] != OP_MOD;
    IrReg u = ir_build_binary(&at, ops[1], ir_scalar(type), swap ? k : t, swap ? t : k);
    IrReg v =
        ir_build_binary(&at, ops[2], ir_scalar(type), u, fused_operand(func, ops[2], type, s));
    ir_build_copy(&at, s, v);
    if (shape & 4) {
        IrReg leave = ir_build_compare(&at, shape & 2 ? OP_LT : OP_LE, v, x);
        IrStmt *branch = ir_build_if(&at, leave);
        at.block = &branch->u.blocks.then;
        ir_build_break(&at);
    }
    at.block = &func->body;
    ir_build_return(&at, 1, &s);
    compile(p);
    return func;
}

static void check_chain(IrScalar type, const IrOp *ops, unsigned shape) {
    static const double values[] = {3, -2.5, 1e6};
    Program p = new_program(jr_engine_interp());
    IrFunc *func = build_chain(&p, type, ops, shape);
    for (int k = 0; k < 6; k++) {
        IrConst args[3] = {ref_cast(TY_FLOAT64, type, (IrConst){.d = values[k % 3]}),
                           ref_cast(TY_FLOAT64, type, (IrConst){.d = values[(k + 1) % 3]}),
                           ref_of_int(k * 3)};
        RefFrame frame = {.func = func,
                          .values = JR_NEW_ARRAY(p.arena, IrConst, func->regs.len)};
        memcpy(frame.values, args, sizeof args);
        ref_block(&frame, &func->body);
        Fake fake = new_fake();
        IrConst got = {.u = 0};
        assert_int_equal(
            call(&p, "f", &fake, (void *[]){&args[0], &args[1], &args[2]}, (void *[]){&got}),
            0);
        if (!ref_same(type, frame.results[0], got, false))
            fail_msg("%s %s %s, shape %u, run %d: %llx, not %llx", ir_op_name(ops[0]),
                     ir_op_name(ops[1]), ir_op_name(ops[2]), shape, k,
                     (unsigned long long)got.u, (unsigned long long)frame.results[0].u);
    }
    end_program(&p);
}

static void check_chains(IrScalar type) {
    for (unsigned n = 0; n < NFUSED * NFUSED * NFUSED; n++) {
        const IrOp ops[] = {FUSED_OPS[n % NFUSED], FUSED_OPS[n / NFUSED % NFUSED],
                            FUSED_OPS[n / NFUSED / NFUSED]};
        if (!is_fused_op(ops[0], type) || !is_fused_op(ops[1], type) ||
            !is_fused_op(ops[2], type))
            continue;
        for (unsigned shape = 0; shape < 8; shape++)
            check_chain(type, ops, shape);
    }
}

static void test_chains(void **state) {
    (void)state;
    check_chains(TY_INT64);
    check_chains(TY_FLOAT64);
}

static void test_random(void **state) {
    (void)state;
    run_random_programs(jr_engine_interp());
}

/* Three comparisons under `and` or `or`, branched on one by one. */
static Program condition_program(const char *op, bool negated) {
    char text[1600], cond[300];
    snprintf(cond, sizeof cond,
             "%%1 = lt %%a, %%b\n %%2 = add %%a, %%b\n %%3 = lt %%2, %%c\n %%4 = %s %%1, %%3\n"
             " %%5 = mul %%2, %%b\n %%6 = ne %%5, %%c\n %%7 = %s %%4, %%6\n %%8 = %s %%7%s\n",
             op, op, negated ? "not" : "and", negated ? "" : ", true");
    if (!negated) *strstr(cond, " %8") = 0;
    const char *value = negated ? "%8" : "%7";
    snprintf(
        text, sizeof text,
        "file \"k\"\n"
        "func pick(%%a: int64, %%b: int64, %%c: int64) -> int64 exported {\n %s"
        " if %s {\n return 1\n } else {\n return 2\n }\n}\n"
        "func count(%%a: int64, %%b: int64, %%c: int64) -> int64 exported {\n"
        " var %%n: int64\n %%n = copy 0\n loop {\n %s if %s {\n break\n }\n"
        " %%9 = add %%n, 1\n %%n = copy %%9\n %%x = ge %%n, 3\n if %%x {\n break\n }\n }\n"
        " return %%n\n}\n",
        cond, value, cond, value);
    return read_program(jr_engine_interp(), text);
}

static void check_conditions(bool is_and, bool negated) {
    Program p = condition_program(is_and ? "and" : "or", negated);
    for (int k = 0; k < 343; k++) {
        Fake fake = new_fake();
        int64_t a = k % 7 - 3, b = k / 7 % 7 - 3, c = k / 49 - 3, got;
        const bool x = a < b, y = a + b < c, z = (a + b) * b != c;
        const bool want = (is_and ? x && y && z : x || y || z) != negated;
        call(&p, "pick", &fake, (void *[]){&a, &b, &c}, (void *[]){&got});
        assert_int_equal(got, want ? 1 : 2);
        call(&p, "count", &fake, (void *[]){&a, &b, &c}, (void *[]){&got});
        assert_int_equal(got, want ? 0 : 3);
    }
    end_program(&p);
}

static void test_conditions(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++)
        check_conditions(k & 1, k >> 1);
}

/* Loops of one store: all of it where the indices are in range, wrapped where they are negative,
 * and up to the first that is not. */
static void check_fill(Program *p, IrScalar type, int64_t lo, int64_t hi, int64_t step) {
    enum { LEN = 9 };
    Fake fake = new_fake();
    const unsigned size = ir_scalar_size(type);
    uint8_t got[LEN * 8], want[LEN * 8];
    IrConst v = {.u = 0x4142434445464748};
    if (type == TY_BOOL) v.u = 1;
    memset(got, 0, sizeof got);
    memset(want, 0, sizeof want);
    int64_t bad = INT64_MIN;
    for (int64_t i = lo; (step > 0 ? i < hi : i > hi) && bad == INT64_MIN; i += step) {
        if (i < -LEN || i >= LEN)
            bad = i;
        else
            memcpy(want + (size_t)(i < 0 ? i + LEN : i) * size, &v, size);
    }
    Array a = {.data = got, .dims = {LEN, 1}};
    for (int k = 0; k < 2; k++) {
        int32_t status =
            call(p, k ? "any" : "fixed", &fake, (void *[]){&a, &lo, &hi, &v, &step}, NULL);
        assert_int_equal(status, bad == INT64_MIN ? 0 : EXC_INDEX);
        if (status) assert_true(fake.index == bad && fake.where.line == 3);
        assert_memory_equal(got, want, sizeof got);
    }
}

static void check_fills(IrScalar type, int64_t step) {
    char text[800];
    const char *name = ir_scalar_name(type);
    snprintf(
        text, sizeof text,
        "file \"k\"\n"
        "func fixed(%%a: %s[::1], %%lo: int64, %%hi: int64, %%v: %s, %%s: int64) exported {\n"
        "  for %%i = %%lo, %%hi, %lld {\n    store %%a[%%i] = %%v @3:1-2\n  }\n  return\n}\n"
        "func any(%%a: %s[::1], %%lo: int64, %%hi: int64, %%v: %s, %%s: int64) exported {\n"
        "  for %%i = %%lo, %%hi, %%s {\n    store %%a[%%i] = %%v @3:1-2\n  }\n  return\n}\n",
        name, name, (long long)step, name, name);
    Program p = read_program(jr_engine_interp(), text);
    for (int64_t lo = -11; lo < 12; lo++)
        for (int64_t hi = -11; hi < 12; hi++)
            check_fill(&p, type, lo, hi, step);
    end_program(&p);
}

static void test_fills(void **state) {
    (void)state;
    for (IrScalar type = TY_BOOL; type < TY_STR; type++)
        for (int64_t step = -3; step < 4; step++)
            if (step) check_fills(type, step);
}

static void test_parallel(void **state) {
    (void)state;
    check_parallel(jr_engine_interp());
}

/* ---- Threads, memory, text ---- */

static void *run_fib(void *data) {
    Fake fake = new_fake();
    int64_t n = 18, got = 0, deep = 3000, sum = 0;
    for (int k = 0; k < 20; k++) {
        call(data, "fib", &fake, (void *[]){&n}, (void *[]){&got});
        if (call(data, "down", &fake, (void *[]){&deep}, (void *[]){&got}) ==
            EXC_ZERO_DIVISION)
            sum += 1;
    }
    return (void *)(intptr_t)sum;
}

static void test_threads(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), CALLS);
    pthread_t threads[2];
    for (int k = 0; k < 2; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, run_fib, &p), 0);
    for (int k = 0; k < 2; k++) {
        void *sum;
        pthread_join(threads[k], &sum);
        assert_int_equal((intptr_t)sum, 20);
    }
    end_program(&p);
}

typedef struct Counter {
    int live, until; /* the allocation that fails; -1: none */
} Counter;

static void *count_resize(void *user, void *ptr, size_t size) {
    Counter *counter = user;
    if (counter->until >= 0 && counter->until-- == 0) return NULL;
    counter->live += ptr == NULL;
    return realloc(ptr, size);
}

static void count_release(void *user, void *ptr) {
    ((Counter *)user)->live--;
    free(ptr);
}

static void test_memory(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), CALLS);
    Counter counter = {0, -1};
    const JrAlloc alloc = {count_resize, count_release, &counter};
    JrEngineOptions with = *options();
    with.alloc = &alloc;
    const char *why = NULL;
    counter.until = 0;
    assert_null(jr_engine_interp()->compile(p.module, &with, &why));
    assert_non_null(why);
    counter.until = -1;
    JrCode *code = jr_engine_interp()->compile(p.module, &with, &why);
    JrCall found;
    assert_true(jr_engine_interp()->find(code, "down", &found));
    Fake fake = new_fake();
    int64_t n = 5000, got;
    counter.until = 0; /* the stack cannot grow */
    assert_int_equal(found.run(&found, &fake.rt, (void *[]){&n}, (void *[]){&got}),
                     EXC_MEMORY);
    counter.until = -1;
    assert_int_equal(found.run(&found, &fake.rt, (void *[]){&n}, (void *[]){&got}),
                     EXC_ZERO_DIVISION);
    jr_engine_interp()->release(code);
    assert_int_equal(counter.live, 0);
    with.symbols.count = 3;
    assert_null(jr_engine_interp()->compile(p.module, &with, &why));
    assert_non_null(strstr(why, "jr_rt_"));
    end_program(&p);
}

static void test_text(void **state) {
    (void)state;
    Program p = read_program(jr_engine_interp(), CALLS);
    JrText text;
    const char *why = NULL;
    jr_text_init(&text, p.arena);
    assert_true(jr_engine_interp()->text(p.module, options(), JR_TEXT_BYTECODE, &text, &why));
    assert_non_null(strstr(text.data, "func fib: frame"));
    assert_non_null(strstr(text.data, ", fib\n"));
    assert_non_null(strstr(text.data, "add.i64        out0, "));
    assert_false(jr_engine_interp()->text(p.module, options(), JR_TEXT_ASM, &text, &why));
    assert_non_null(why);
    end_program(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary),   cmocka_unit_test(test_unary),
        cmocka_unit_test(test_products), cmocka_unit_test(test_loops),
        cmocka_unit_test(test_while),    cmocka_unit_test(test_calls),
        cmocka_unit_test(test_chain),    cmocka_unit_test(test_depth),
        cmocka_unit_test(test_runtime),  cmocka_unit_test(test_elements),
        cmocka_unit_test(test_views),    cmocka_unit_test(test_dot),
        cmocka_unit_test(test_swap),     cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_text),     cmocka_unit_test(test_chains),
        cmocka_unit_test(test_random),   cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_fills),    cmocka_unit_test(test_parallel),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

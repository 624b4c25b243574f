/* The interpreter: every operation on every type against the reference, with operands in
 * registers and as constants and in branches; counted loops at the ends of int64; calls,
 * errors with their places and call chains; threads; failing allocations. */
#include "tests/unit/edges.h"
#include "tests/unit/engine_random.h"

#include <pthread.h>

/* ---- Every operation ---- */

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
    IrConst edges[EDGES];
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
    IrConst edges[EDGES];
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
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary),   cmocka_unit_test(test_unary),
        cmocka_unit_test(test_products), cmocka_unit_test(test_loops),
        cmocka_unit_test(test_while),    cmocka_unit_test(test_calls),
        cmocka_unit_test(test_chain),    cmocka_unit_test(test_depth),
        cmocka_unit_test(test_runtime),  cmocka_unit_test(test_swap),
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

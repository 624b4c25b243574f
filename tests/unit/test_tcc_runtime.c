/* The tcc engine where it meets the runtime: arrays and who owns them, calls, errors with
 * their places, the stack, threads, and memory over many compilations. */
#include "tests/unit/engine_fake.h"
#include "tests/unit/memcheck.h"
#include "tests/unit/resident.h"

#include <pthread.h>
#include <unistd.h>

typedef struct Array2 {
    void *data;
    JrBuffer *owner;
    int64_t dims[4]; /* rows, columns, strides */
} Array2;

typedef struct Array1 {
    void *data;
    JrBuffer *owner;
    int64_t dim, stride;
} Array1;

static int64_t call_int(Program *p, const char *name, Fake *fake, void **args) {
    int64_t result = -99;
    int32_t status = call(p, name, fake, args, (void *[]){&result});
    return status ? -status : result;
}

/* ---- Elements and views ---- */

static const char views[] =
    "file \"v.src\"\n"
    "func at(%a: int64[:, :], %i: int64, %j: int64) -> int64 exported {\n"
    "  %v = load %a[%i, %j] @5:7-9\n"
    "  return %v\n"
    "}\n"
    "func c_at(%a: int64[:, ::1], %i: int64, %j: int64) -> int64 exported {\n"
    "  %v = load %a[%i+, %j-] @5:7-9\n"
    "  return %v\n"
    "}\n"
    "func row_sum(%a: int64[:, ::1]) -> int64 exported {\n"
    "  var %s: int64\n"
    "  %s = copy 0\n"
    "  %n = dim %a, 0\n"
    "  for %i = 0, %n, 1 {\n"
    "    %row: int64[::1] = view %a[%i]\n"
    "    %m = dim %row, 0\n"
    "    for %j = 0, %m, 1 {\n"
    "      %v = load %row[%j!]\n"
    "      %s = add %s, %v\n"
    "    }\n"
    "  }\n"
    "  return %s\n"
    "}\n"
    "func cut(%a: int64[:, :], %i: int64, %j: int64) -> int64 exported {\n"
    "  %b: int64[:, :] = view %a[range(1, 2, 2), range(2, 3, -1)]\n"
    "  %t: int64[:, :] = transpose %b\n"
    "  %v = load %t[%j, %i]\n"
    "  return %v\n"
    "}\n"
    "func lift(%a: int64[:, :], %i: int64) -> (int64, int64, int64) exported {\n"
    "  %b: int64[:, :, :] = view %a[range(0, 2, 1), new, range(%i, 1, 1)]\n"
    "  %d = dim %b, 1\n"
    "  %v = load %b[1, -1, 0]\n"
    "  %s = stride %b, 0\n"
    "  return %d, %v, %s\n"
    "}\n"
    "func spread(%x: int64[:], %n: int64, %m: int64, %i: int64) -> int64 exported {\n"
    "  %b: int64[:, :] = broadcast %x, %n, %m @9:2-3\n"
    "  %v = load %b[%i, -1]\n"
    "  return %v\n"
    "}\n"
    "func shape(%x: int64[::1], %n: int64, %m: int64) -> int64 exported {\n"
    "  %b: int64[:, ::1] = reshape %x, %n, %m @9:2-3\n"
    "  %v = load %b[-1, 0]\n"
    "  return %v\n"
    "}\n"
    "func put(%a: int64[:, :], %i: int64, %j: int64, %v: int64) exported {\n"
    "  store %a[%i, %j] = %v @5:7-9\n"
    "  return\n"
    "}\n"
    "func walk(%x: int64[:]) -> int64 exported {\n"
    "  var %r: int64[:]\n"
    "  var %s: int64\n"
    "  %r = copy %x\n"
    "  loop {\n"
    "    %n = dim %r, 0\n"
    "    %d = eq %n, 0\n"
    "    if %d {\n"
    "      break\n"
    "    }\n"
    "    %v = load %r[0]\n"
    "    %ten = mul %s, 10\n"
    "    %s = add %ten, %v\n"
    "    %m = sub %n, 1\n"
    "    %r = view %r[range(1, %m, 1)]\n"
    "  }\n"
    "  return %s\n"
    "}\n";

static int64_t grid[4][5];

static Array2 whole_grid(void) {
    for (int i = 0; i < 20; i++)
        grid[i / 5][i % 5] = 10 * (i / 5) + i % 5;
    return (Array2){grid, NULL, {4, 5, 5, 1}};
}

static void test_elements(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), views);
    Fake fake = new_fake();
    Array2 a = whole_grid();
    static const int64_t index[][3] = {
        {0, 0, 0}, {3, 4, 34}, {-1, -5, 30}, {1, -1, 14}, {2, 0, 20}};
    for (int k = 0; k < 5; k++) {
        int64_t i = index[k][0], j = index[k][1];
        assert_int_equal(index[k][2], call_int(&p, "at", &fake, (void *[]){&a, &i, &j}));
        if (i >= 0)
            assert_int_equal(index[k][2], call_int(&p, "c_at", &fake, (void *[]){&a, &i, &j}));
    }
    int64_t i = 1, j = 2, v = 77;
    assert_int_equal(0, call(&p, "put", &fake, (void *[]){&a, &i, &j, &v}, NULL));
    assert_int_equal(77, grid[1][2]);
    a = whole_grid();
    assert_int_equal(20 * 17, call_int(&p, "row_sum", &fake, (void *[]){&a}));
    end_program(&p);
}

static void check_index_error(Program *p, const char *name, int64_t i, int64_t j,
                              int64_t axis) {
    Fake fake = new_fake();
    Array2 a = whole_grid();
    assert_int_equal(-EXC_INDEX, call_int(p, name, &fake, (void *[]){&a, &i, &j}));
    assert_int_equal(axis ? j : i, fake.index);
    assert_int_equal(axis ? 5 : 4, fake.dim);
    assert_int_equal(axis, fake.axis);
    assert_int_equal(2, fake.ndim);
    assert_int_equal(5, fake.where.line);
    assert_int_equal(7, fake.where.col);
    assert_string_equal(name, fake.where.func);
}

static void test_index_errors(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), views);
    check_index_error(&p, "at", 4, 0, 0);
    check_index_error(&p, "at", -5, 0, 0);
    check_index_error(&p, "at", INT64_MIN, 0, 0);
    check_index_error(&p, "at", INT64_MAX, 9, 0);
    check_index_error(&p, "at", 0, 5, 1);
    check_index_error(&p, "at", 0, -6, 1);
    check_index_error(&p, "c_at", -1, 0, 0);
    end_program(&p);
}

static void test_views(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), views);
    Fake fake = new_fake();
    Array2 a = whole_grid();
    for (int64_t i = 0; i < 2; i++)
        for (int64_t j = 0; j < 3; j++)
            assert_int_equal(10 * (1 + 2 * i) + 2 - j,
                             call_int(&p, "cut", &fake, (void *[]){&a, &i, &j}));
    int64_t i = 3, results[3];
    assert_int_equal(0, call(&p, "lift", &fake, (void *[]){&a, &i},
                             (void *[]){&results[0], &results[1], &results[2]}));
    assert_int_equal(1, results[0]);
    assert_int_equal(13, results[1]);
    assert_int_equal(5, results[2]);
    Array1 x = {(int64_t[]){9, 0, 8, 0, 7}, NULL, 3, 2};
    assert_int_equal(987, call_int(&p, "walk", &fake, (void *[]){&x}));
    end_program(&p);
}

static void test_shapes(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), views);
    Fake fake = new_fake();
    Array1 x = {(int64_t[]){1, 2, 3, 4, 5, 6}, NULL, 6, 1};
    static const struct {
        const char *name;
        int64_t n, m, want;
    } cases[] = {{"spread", 3, 6, 6},
                 {"spread", 3, 5, -EXC_VALUE},
                 {"spread", 1, 6, 6},
                 {"shape", 2, 3, 4},
                 {"shape", 3, 2, 5},
                 {"shape", 4, 2, -EXC_VALUE},
                 {"shape", -2, -3, -EXC_VALUE},
                 {"shape", 0, 6, -EXC_VALUE},
                 {"shape", INT64_C(1) << 33, INT64_C(1) << 33, -EXC_VALUE}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        int64_t n = cases[k].n, m = cases[k].m, i = -1;
        assert_int_equal(cases[k].want,
                         call_int(&p, cases[k].name, &fake, (void *[]){&x, &n, &m, &i}));
    }
    assert_int_equal(1, fake.reshape);
    assert_int_equal(6, fake.index);
    assert_int_equal(9, fake.where.line);
    Array1 one = {(int64_t[]){5}, NULL, 1, 1};
    int64_t n = 2, m = 4, i = 1;
    assert_int_equal(5, call_int(&p, "spread", &fake, (void *[]){&one, &n, &m, &i}));
    end_program(&p);
}

/* ---- Ownership ---- */

static const char owners[] =
    "file \"o.src\"\n"
    "func make(%n: int64) -> float64[::1] exported {\n"
    "  %a: owned float64[::1] = alloc zeroed %n @2:3-4\n"
    "  store %a[0] = 1.5 @3:3-4\n"
    "  return %a\n"
    "}\n"
    "func loop(%n: int64) -> float64 exported {\n"
    "  var %a: owned float64[::1]\n"
    "  var %s: float64\n"
    "  for %i = 0, %n, 1 {\n"
    "    %t: owned float64[::1] = alloc 3 @6:3-4\n"
    "    %u: owned float64[::1] = call make(%n) @7:3-4\n"
    "    %a = assign %u\n"
    "    %a = assign %a\n"
    "    %v = load %a[0]\n"
    "    %s = add %s, %v\n"
    "  }\n"
    "  return %s\n"
    "}\n"
    "func pair(%x: float64[::1]) -> (float64[::1], int64, float64[::1]) exported {\n"
    "  %a: owned float64[::1] = alloc zeroed 2\n"
    "  return %x, 7, %a\n"
    "}\n"
    "func swap() -> float64 exported {\n"
    "  var %a: owned float64[::1]\n"
    "  var %b: owned float64[::1]\n"
    "  %c: owned float64[::1] = call make(1)\n"
    "  %a = assign %c\n"
    "  %d: owned float64[::1], %k: int64, %e: owned float64[::1] = call pair(%a)\n"
    "  %b = assign %e\n"
    "  %v = load %d[0]\n"
    "  return %v\n"
    "}\n"
    "func copied(%x: float64[:]) -> float64 exported {\n"
    "  %n = dim %x, 0\n"
    "  %a: owned float64[::1] = alloc %n\n"
    "  rt.array_copy %a, %x\n"
    "  %v = load %a[-1]\n"
    "  return %v\n"
    "}\n";

static void test_ownership(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), owners);
    Fake fake = new_fake();
    int64_t n = 10;
    double sum = 0;
    assert_int_equal(0, call(&p, "loop", &fake, (void *[]){&n}, (void *[]){&sum}));
    assert_true(sum == 15);
    assert_int_equal(0, fake.live);
    assert_int_equal(0, call(&p, "swap", &fake, NULL, (void *[]){&sum}));
    assert_true(sum == 1.5);
    assert_int_equal(0, fake.live);
    Array1 made = {0};
    assert_int_equal(0, call(&p, "make", &fake, (void *[]){&n}, (void *[]){&made}));
    assert_int_equal(1, fake.live);
    assert_int_equal(1, made.owner->refs);
    assert_int_equal(10, made.dim);
    assert_int_equal(1, made.stride);
    fake_release(made.owner);
    Array1 x = {(double[]){3, 4, 5}, NULL, 2, 2};
    assert_int_equal(0, call(&p, "copied", &fake, (void *[]){&x}, (void *[]){&sum}));
    assert_true(sum == 5);
    assert_int_equal(0, fake.live);
    end_program(&p);
}

/* Whichever allocation fails, everything is given back. */
static void test_failing_allocations(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), owners);
    int64_t n = 4;
    for (int k = 1; k <= 8; k++) {
        Fake fake = new_fake();
        double sum = 1;
        fake.fail_alloc = k;
        assert_int_equal(EXC_MEMORY,
                         call(&p, "loop", &fake, (void *[]){&n}, (void *[]){&sum}));
        assert_true(sum == 1);
        assert_int_equal(0, fake.live);
        assert_int_equal(k % 2 ? 6 : 2, fake.where.line);
        assert_int_equal(k % 2 ? 0 : 7, fake.trace_line);
    }
    Fake fake = new_fake();
    double sum = 1;
    n = 0;
    Array1 made = {0};
    assert_int_equal(EXC_INDEX, call(&p, "make", &fake, (void *[]){&n}, (void *[]){&made}));
    assert_null(made.data);
    assert_int_equal(0, fake.live);
    assert_int_equal(0, call(&p, "loop", &fake, (void *[]){&n}, (void *[]){&sum}));
    end_program(&p);
}

/* ---- Calls and errors ---- */

static const char calls[] = "file \"c \\\" \?\?/\"\n"
                            "func fib(%n: int64) -> int64 exported {\n"
                            "  %c = lt %n, 2\n"
                            "  if %c {\n"
                            "    return %n\n"
                            "  }\n"
                            "  %a = sub %n, 1\n"
                            "  %b: int64 = call fib(%a)\n"
                            "  %d = sub %n, 2\n"
                            "  %e: int64 = call fib(%d)\n"
                            "  %f = add %b, %e\n"
                            "  return %f\n"
                            "}\n"
                            "func forever(%n: int64) -> int64 exported {\n"
                            "  %a: int64 = call again(%n) @3:4-5\n"
                            "  return %a\n"
                            "}\n"
                            "func again(%n: int64) -> int64 {\n"
                            "  %a: int64 = call forever(%n) @4:4-5\n"
                            "  return %a\n"
                            "}\n"
                            "func unused(%n: int64) -> int64 {\n"
                            "  return %n\n"
                            "}\n"
                            "func divmod(%a: int8, %b: int8) -> (int8, int8, float32) {\n"
                            "  %q = floordiv %a, %b @5:1-2\n"
                            "  %r = mod %a, %b @5:3-4\n"
                            "  %f: float32 = cast %q\n"
                            "  return %q, %r, %f\n"
                            "}\n"
                            "func use(%a: int8, %b: int8) -> float32 exported {\n"
                            "  %q: int8, %r: int8, %f: float32 = call divmod(%a, %b) @8:2-3\n"
                            "  %g: float32 = cast %r\n"
                            "  %h = div %g, 8.0:float32\n"
                            "  %i = add %f, %h\n"
                            "  return %i\n"
                            "}\n"
                            "func boom(%n: int64) exported {\n"
                            "  %c = gt %n, 0\n"
                            "  if %c {\n"
                            "    raise ValueError \"no \\\"good\\\" \?\?/\" @9:5-6\n"
                            "  }\n"
                            "  return\n"
                            "}\n"
                            "func stop() exported {\n"
                            "  loop {\n"
                            "    poll @7:7-8\n"
                            "  }\n"
                            "}\n"
                            "func say(%n: int64, %x: float64) -> (float64, int64) exported {\n"
                            "  rt.print_int %n\n"
                            "  rt.print_str \"a\\n%\"\n"
                            "  %f = rt.factorial %n @6:1-2\n"
                            "  rt.print_int %f\n"
                            "  %m, %e = rt.frexp %x\n"
                            "  return %m, %e\n"
                            "}\n";

static void test_calls(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), calls);
    Fake fake = new_fake();
    int64_t n = 20, e = 0;
    assert_int_equal(6765, call_int(&p, "fib", &fake, (void *[]){&n}));
    int8_t a = -7, b = 2, zero = 0;
    float f = 0;
    assert_int_equal(0, call(&p, "use", &fake, (void *[]){&a, &b}, (void *[]){&f}));
    assert_true(f == -3.875f);
    assert_int_equal(EXC_ZERO_DIVISION,
                     call(&p, "use", &fake, (void *[]){&a, &zero}, (void *[]){&f}));
    assert_true(f == -3.875f);
    assert_int_equal(1, fake.traces);
    assert_int_equal(8, fake.trace_line);
    assert_int_equal(5, fake.where.line);
    assert_string_equal("c \" \?\?/", fake.where.file);
    JrCall found;
    assert_false(jr_engine_tcc()->find(p.code, "unused", &found));
    assert_false(jr_engine_tcc()->find(p.code, "divmod", &found));
    double x = 48, m = 0;
    n = 5;
    assert_int_equal(0, call(&p, "say", &fake, (void *[]){&n, &x}, (void *[]){&m, &e}));
    assert_string_equal("5a\n%6", fake.text);
    assert_true(m == 0.75 && e == 6);
    n = -1;
    assert_int_equal(EXC_VALUE,
                     call(&p, "say", &fake, (void *[]){&n, &x}, (void *[]){&m, &e}));
    assert_int_equal(6, fake.where.line);
    end_program(&p);
}

static void test_ends(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), calls);
    Fake fake = new_fake();
    int64_t n = 1;
    assert_int_equal(EXC_VALUE, call(&p, "boom", &fake, (void *[]){&n}, NULL));
    assert_string_equal("no \"good\" \?\?/", fake.text);
    assert_int_equal(9, fake.where.line);
    fake.rt.cancel = &cancelled;
    assert_int_equal(EXC_INTERRUPT, call(&p, "stop", &fake, NULL, NULL));
    assert_int_equal(7, fake.where.line);
    fake.rt.stack_limit = (char *)__builtin_frame_address(0) - 100000;
    fake.traces = 0;
    assert_int_equal(-EXC_RECURSION, call_int(&p, "forever", &fake, (void *[]){&n}));
    assert_true(fake.traces > 100);
    end_program(&p);
}

static void test_refusals(void **state) {
    (void)state;
    Program p = read_program(jr_engine_tcc(), calls);
    JrEngineOptions none = {.symbols = {symbol_table, 0}};
    const char *why = NULL;
    assert_null(jr_engine_tcc()->compile(p.module, &none, &why));
    assert_non_null(strstr(why, "jr_rt_"));
    JrText text;
    jr_text_init(&text, p.arena);
    assert_false(jr_engine_tcc()->text(p.module, options(), JR_TEXT_ASM, &text, &why));
    assert_true(jr_engine_tcc()->text(p.module, options(), JR_TEXT_C, &text, &why));
    assert_non_null(strstr(text.data, "f0_fib(JrRt *rt, int64_t n_0, int64_t *out0)"));
    jr_engine_tcc()->release(NULL);
    end_program(&p);
}

/* ---- Size, threads, memory ---- */

/* One block of many statements, and one expression as deep as a chain of them. */
static void test_large(void **state) {
    (void)state;
    Program p = new_program(jr_engine_tcc());
    IrFunc *func = ir_func_new(p.module, "big", "big");
    func->exported = true;
    IrReg x = ir_param(func, ir_scalar(TY_INT64), "x"), y = x;
    IrBuilder at = {.func = func, .block = &func->body, .span = {1, 1, 2}};
    for (int i = 0; i < 20000; i++)
        y = ir_build_binary(&at, i % 3 ? OP_ADD : OP_XOR, ir_scalar(TY_INT64), y,
                            ir_const_int(func, TY_INT64, i));
    func->rets = JR_NEW_ARRAY(p.arena, IrType, 1);
    func->nrets = 1;
    func->rets[0] = ir_scalar(TY_INT64);
    ir_build_return(&at, 1, &y);
    compile(&p);
    int64_t n = 5, want = 5;
    for (int i = 0; i < 20000; i++)
        want = i % 3 ? want + i : want ^ i;
    Fake fake = new_fake();
    assert_int_equal(want, call_int(&p, "big", &fake, (void *[]){&n}));
    fake.rt.stack_limit = (char *)__builtin_frame_address(0) - 8192;
    assert_int_equal(-EXC_RECURSION, call_int(&p, "big", &fake, (void *[]){&n}));
    end_program(&p);
}

static void *compile_and_run(void *arg) {
    intptr_t wrong = 0;
    for (int i = 0; i < memcheck_size(40, 6); i++) {
        Program p = read_program(jr_engine_tcc(), i % 2 ? calls : owners);
        Fake fake = new_fake();
        int64_t n = 15;
        double sum = 0;
        if (i % 2)
            wrong += call_int(&p, "fib", &fake, (void *[]){&n}) != 610;
        else
            wrong +=
                call(&p, "loop", &fake, (void *[]){&n}, (void *[]){&sum}) != 0 || fake.live;
        end_program(&p);
    }
    (void)arg;
    return (void *)wrong;
}

static void test_threads(void **state) {
    (void)state;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, compile_and_run, NULL));
    for (int i = 0; i < 3; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

/* A sanitizer keeps what was freed for a while. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MAY_GROW = 64 << 20 };
#else
enum { MAY_GROW = 256 << 10 };
#endif

static void test_memory(void **state) {
    (void)state;
    const char *given = getenv("TCC_CYCLES");
    int cycles = given ? atoi(given) : memcheck_size(1000, 10);
    long before = 0;
    int warm = memcheck_size(200, 10);
    for (int i = 0; i < cycles + warm; i++) {
        if (i == warm) before = resident_pages();
        Program p = read_program(jr_engine_tcc(), i % 2 ? owners : views);
        end_program(&p);
    }
    long grown = (resident_pages() - before) * sysconf(_SC_PAGESIZE);
    if (grown > MAY_GROW && !under_memcheck())
        fail_msg("%d compilations kept %ld bytes", cycles, grown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),  cmocka_unit_test(test_index_errors),
        cmocka_unit_test(test_views),     cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_ownership), cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_calls),     cmocka_unit_test(test_ends),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_threads),   cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

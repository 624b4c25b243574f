/* The interpreter: array elements of every type and shape, views, counts of references, loops
 * that fill. */
#include "tests/unit/engine_random.h"

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

/* ---- Loops that fill ---- */

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

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements), cmocka_unit_test(test_views),
        cmocka_unit_test(test_dot),      cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_fills),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

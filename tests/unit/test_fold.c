/* Folding: every operation on edge values, against ir/numeric.h at the type's own width; and
 * what the walk does to copies, branches, loops and dead statements, as text. */
#include "tests/unit/ir_text.h"

#include "ir/numeric.h"

#include <float.h>
#include <math.h>
#include <time.h>

/* ---- One operation on constants ---- */

typedef struct Fold {
    JrArena *arena;
    IrScalar type, result;
    IrOp op;
    IrMath math;
} Fold;

/* f() { return op values... }, folded: true if the constant that is returned is in *out. */
static bool fold_values(const Fold *fold, unsigned n, const IrConst *values, IrConst *out) {
    IrFunc *func = ir_func_new(ir_module_new(fold->arena, "x"), "f", NULL);
    IrType result = ir_scalar(fold->result);
    func->rets = &result;
    func->nrets = 1;
    IrReg args[3], dst = ir_temp(func, result);
    for (unsigned i = 0; i < n; i++)
        args[i] = ir_const(func, fold->type, values[i]);
    IrBuilder b = {.func = func, .block = &func->body};
    IrStmt *stmt = ir_build(&b, fold->op, 1, &dst, n, args);
    if (fold->op == OP_MATH) stmt->u.math = fold->math;
    ir_build_return(&b, 1, &dst);
    const char *why = NULL;
    if (!ir_verify_module(func->module, &why)) fail_msg("%s", why);
    ir_fold_module(func->module);
    if (!ir_verify_module(func->module, &why)) fail_msg("after folding: %s", why);
    const IrRegInfo *info = ir_reg(func, func->body.last->args[0]);
    if (info->kind != REG_CONST) {
        assert_ptr_equal(func->body.first, stmt); /* still there, to trap */
        return false;
    }
    assert_ptr_equal(func->body.first, func->body.last);
    *out = info->value;
    return true;
}

static void expect(const Fold *fold, bool folded, IrConst got, bool defined, IrConst wanted) {
    bool is_float = ir_scalar_is_float(fold->result);
    double g = fold->result == TY_FLOAT32 ? (double)got.f : got.d;
    double w = fold->result == TY_FLOAT32 ? (double)wanted.f : wanted.d;
    bool same = is_float && g != g ? w != w : got.u == wanted.u;
    if (folded == defined && (!folded || same)) return;
    fail_msg("%s of %s: folded %d to %lld (%g), wanted %d %lld (%g)", ir_op_name(fold->op),
             ir_scalar_name(fold->type), folded, (long long)got.i, g, defined,
             (long long)wanted.i, w);
}

/* ---- Integers ---- */

static const IrOp INT_OPS[] = {
    OP_ADD, OP_SUB, OP_MUL, OP_FLOORDIV, OP_MOD, OP_POW, OP_MIN, OP_MAX,
    OP_AND, OP_OR,  OP_XOR, OP_SHL,      OP_SHR, OP_NEG, OP_INV, OP_ABS,
};
static const IrOp CMP_OPS[] = {OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE};
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define COMPARED(op, a, b)        \
    ((op) == OP_EQ   ? (a) == (b) \
     : (op) == OP_NE ? (a) != (b) \
     : (op) == OP_LT ? (a) < (b)  \
     : (op) == OP_LE ? (a) <= (b) \
     : (op) == OP_GT ? (a) > (b)  \
                     : (a) >= (b))

/* What the operation gives at the width of T; *defined is false where it traps. The arithmetic
 * is done in uint64_t so that it wraps. */
#define SIGNED_REFERENCE(bits)                                                \
    static int64_t reference_i##bits(IrOp op, int64_t wide_a, int64_t wide_b, \
                                     bool *defined) {                         \
        int##bits##_t a = (int##bits##_t)wide_a, b = (int##bits##_t)wide_b;   \
        uint64_t ua = (uint64_t)wide_a, ub = (uint64_t)wide_b;                \
        bool divides = op == OP_FLOORDIV || op == OP_MOD;                     \
        bool counts = op == OP_SHL || op == OP_SHR || op == OP_POW;           \
        *defined = divides ? b != 0 : !(counts && b < 0);                     \
        if (!*defined) return 0;                                              \
        switch (op) {                                                         \
        case OP_ADD: return (int##bits##_t)(ua + ub);                         \
        case OP_SUB: return (int##bits##_t)(ua - ub);                         \
        case OP_MUL: return (int##bits##_t)(ua * ub);                         \
        case OP_FLOORDIV: return jr_num_floordiv_i##bits(a, b);               \
        case OP_MOD: return jr_num_mod_i##bits(a, b);                         \
        case OP_POW: return (int##bits##_t)jr_num_ipow(a, (uint64_t)b);       \
        case OP_MIN: return b < a ? b : a;                                    \
        case OP_MAX: return b > a ? b : a;                                    \
        case OP_AND: return a & b;                                            \
        case OP_OR: return a | b;                                             \
        case OP_XOR: return a ^ b;                                            \
        case OP_SHL: return jr_num_shl_i##bits(a, b);                         \
        case OP_SHR: return jr_num_shr_i##bits(a, b);                         \
        case OP_NEG: return (int##bits##_t)(0 - ua);                          \
        case OP_INV: return (int##bits##_t) ~a;                               \
        case OP_ABS: return (int##bits##_t)(a < 0 ? 0 - ua : ua);             \
        default: return COMPARED(op, a, b);                                   \
        }                                                                     \
    }
#define UNSIGNED_REFERENCE(bits)                                                   \
    static int64_t reference_u##bits(IrOp op, int64_t wide_a, int64_t wide_b,      \
                                     bool *defined) {                              \
        uint##bits##_t a = (uint##bits##_t)wide_a, b = (uint##bits##_t)wide_b;     \
        uint64_t ua = a, ub = b;                                                   \
        *defined = !(op == OP_FLOORDIV || op == OP_MOD) || b != 0;                 \
        if (!*defined) return 0;                                                   \
        switch (op) {                                                              \
        case OP_ADD: return (int64_t)(uint##bits##_t)(ua + ub);                    \
        case OP_SUB: return (int64_t)(uint##bits##_t)(ua - ub);                    \
        case OP_MUL: return (int64_t)(uint##bits##_t)(ua * ub);                    \
        case OP_FLOORDIV: return (int64_t)(a / b);                                 \
        case OP_MOD: return (int64_t)(a % b);                                      \
        case OP_POW: return (int64_t)(uint##bits##_t)jr_num_ipow((int64_t)ua, ub); \
        case OP_MIN: return (int64_t)(b < a ? b : a);                              \
        case OP_MAX: return (int64_t)(b > a ? b : a);                              \
        case OP_AND: return (int64_t)(ua & ub);                                    \
        case OP_OR: return (int64_t)(ua | ub);                                     \
        case OP_XOR: return (int64_t)(ua ^ ub);                                    \
        case OP_SHL: return (int64_t)jr_num_shl_u##bits(a, b);                     \
        case OP_SHR: return (int64_t)jr_num_shr_u##bits(a, b);                     \
        case OP_NEG: return (int64_t)(uint##bits##_t)(0 - ua);                     \
        case OP_INV: return (int64_t)(uint##bits##_t) ~ua;                         \
        case OP_ABS: return (int64_t)a;                                            \
        default: return COMPARED(op, a, b);                                        \
        }                                                                          \
    }
SIGNED_REFERENCE(8)
SIGNED_REFERENCE(16)
SIGNED_REFERENCE(32)
SIGNED_REFERENCE(64)
UNSIGNED_REFERENCE(8)
UNSIGNED_REFERENCE(16)
UNSIGNED_REFERENCE(32)
UNSIGNED_REFERENCE(64)

typedef int64_t (*Reference)(IrOp op, int64_t a, int64_t b, bool *defined);
static const Reference REFERENCES[TY_COUNT] = {
    [TY_INT8] = reference_i8,    [TY_INT16] = reference_i16,  [TY_INT32] = reference_i32,
    [TY_INT64] = reference_i64,  [TY_UINT8] = reference_u8,   [TY_UINT16] = reference_u16,
    [TY_UINT32] = reference_u32, [TY_UINT64] = reference_u64,
};

/* Wrapped to each type by ir_const; the ends of every width are among them. */
static const int64_t INTS[] = {
    0,         1,         2,          3,         7,         8,
    10,        31,        32,         63,        64,        65,
    127,       128,       255,        -1,        -2,        -3,
    -7,        -127,      -128,       INT16_MAX, INT16_MIN, UINT16_MAX,
    INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1,
};

static IrConst wrapped(JrArena *arena, IrScalar type, int64_t value) {
    IrFunc *func = ir_func_new(ir_module_new(arena, "x"), "f", NULL);
    return ir_reg(func, ir_const_int(func, type, value))->value;
}

static void check_int(const Fold *fold, unsigned nargs, int64_t a, int64_t b) {
    IrConst args[] = {wrapped(fold->arena, fold->type, a),
                      wrapped(fold->arena, fold->type, b)};
    IrConst got = {0}, wanted;
    bool defined, folded = fold_values(fold, nargs, args, &got);
    wanted.i = REFERENCES[fold->type](fold->op, args[0].i, args[1].i, &defined);
    expect(fold, folded, got, defined, wanted);
}

static void check_int_op(IrScalar type, IrOp op) {
    unsigned nargs = ir_op_form(op) == FORM_UN ? 1 : 2;
    JrArena *arena = jr_arena_new(NULL);
    Fold fold = {arena, type, ir_op_form(op) == FORM_CMP ? TY_BOOL : type, op, MATH_COUNT};
    for (size_t i = 0; i < COUNT(INTS); i++)
        for (size_t k = 0; k < (nargs == 2 ? COUNT(INTS) : 1); k++)
            check_int(&fold, nargs, INTS[i], INTS[k]);
    jr_arena_free(arena);
}

static void test_ints(void **state) {
    (void)state;
    for (IrScalar type = TY_INT8; type <= TY_UINT64; type++) {
        for (size_t i = 0; i < COUNT(INT_OPS); i++)
            check_int_op(type, INT_OPS[i]);
        for (size_t i = 0; i < COUNT(CMP_OPS); i++)
            check_int_op(type, CMP_OPS[i]);
    }
}

static void test_bools(void **state) {
    for (int bits = 0; bits < 4; bits++) {
        IrConst ab[] = {{.i = bits & 1}, {.i = bits >> 1}}, got = {0};
        const struct {
            IrOp op;
            bool value;
        } cases[] = {
            {OP_AND, bits == 3},   {OP_OR, bits != 0},     {OP_XOR, bits == 1 || bits == 2},
            {OP_NOT, !(bits & 1)}, {OP_EQ, bits % 3 == 0}, {OP_NE, bits % 3 != 0},
            {OP_LT, bits == 2},    {OP_LE, bits != 1},     {OP_GT, bits == 1},
            {OP_GE, bits != 2},
        };
        for (size_t i = 0; i < COUNT(cases); i++) {
            Fold fold = {*state, TY_BOOL, TY_BOOL, cases[i].op, MATH_COUNT};
            assert_true(fold_values(&fold, cases[i].op == OP_NOT ? 1 : 2, ab, &got));
            expect(&fold, true, got, true, (IrConst){.i = cases[i].value});
        }
    }
}

/* ---- Floats ---- */

static const IrOp FLOAT_OPS[] = {
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_FLOORDIV, OP_MOD,
    OP_POW, OP_MIN, OP_MAX, OP_NEG, OP_ABS,
};
static const double FLOATS[] = {
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    -2.5,
    3.0,
    0.1,
    1e10,
    1e-3,
    INFINITY,
    -INFINITY,
    NAN,
    DBL_MAX,
    DBL_MIN,
    5e-324,
    -5e-324,
    127.5,
    255.0,
    256.0,
    -128.9,
    32767.9,
    2147483648.0,
    4294967296.0,
    9223372036854775808.0,
    -9223372036854775808.0,
    18446744073709551616.0,
    -1.5,
    -0.9,
    0x1.fffffep127,
};

#define FLOAT_REFERENCE(T, suffix)                               \
    static T reference_##T(IrOp op, T a, T b) {                  \
        switch (op) {                                            \
        case OP_ADD: return a + b;                               \
        case OP_SUB: return a - b;                               \
        case OP_MUL: return a * b;                               \
        case OP_DIV: return a / b;                               \
        case OP_FLOORDIV: return jr_num_ffloordiv##suffix(a, b); \
        case OP_MOD: return jr_num_fmod##suffix(a, b);           \
        case OP_POW: return pow##suffix(a, b);                   \
        case OP_MIN: return b < a ? b : a;                       \
        case OP_MAX: return b > a ? b : a;                       \
        case OP_NEG: return -a;                                  \
        default: return fabs##suffix(a);                         \
        }                                                        \
    }
FLOAT_REFERENCE(double, )
FLOAT_REFERENCE(float, f)

static void check_float(JrArena *arena, IrOp op, double a, double b) {
    unsigned nargs = ir_op_form(op) == FORM_UN ? 1 : 2;
    bool compares = ir_op_form(op) == FORM_CMP;
    IrConst wide[] = {{.d = a}, {.d = b}}, narrow[2] = {{0}, {0}}, got = {0}, wanted = {0};
    narrow[0].f = (float)a;
    narrow[1].f = (float)b;
    Fold fold = {arena, TY_FLOAT64, compares ? TY_BOOL : TY_FLOAT64, op, MATH_COUNT};
    bool folded = fold_values(&fold, nargs, wide, &got);
    if (compares)
        wanted.i = COMPARED(op, a, b);
    else
        wanted.d = reference_double(op, a, b);
    expect(&fold, folded, got, true, wanted);
    fold.type = TY_FLOAT32;
    fold.result = compares ? TY_BOOL : TY_FLOAT32;
    folded = fold_values(&fold, nargs, narrow, &got);
    wanted = (IrConst){0};
    if (compares)
        wanted.i = COMPARED(op, narrow[0].f, narrow[1].f);
    else
        wanted.f = reference_float(op, narrow[0].f, narrow[1].f);
    expect(&fold, folded, got, true, wanted);
}

static void test_floats(void **state) {
    for (size_t i = 0; i < COUNT(FLOATS); i++)
        for (size_t k = 0; k < COUNT(FLOATS); k++) {
            for (size_t op = 0; op < COUNT(FLOAT_OPS); op++)
                check_float(*state, FLOAT_OPS[op], FLOATS[i], FLOATS[k]);
            for (size_t op = 0; op < COUNT(CMP_OPS); op++)
                check_float(*state, CMP_OPS[op], FLOATS[i], FLOATS[k]);
        }
}

/* The libm functions of math.def, called here by their names. */
static void test_math(void **state) {
    for (size_t i = 0; i < COUNT(FLOATS); i++) {
        volatile double x = FLOATS[i], y = FLOATS[(i + 5) % COUNT(FLOATS)], z = 0.3;
        volatile float xf = (float)x, yf = (float)y, zf = (float)z;
        IrConst wide[] = {{.d = x}, {.d = y}, {.d = z}}, narrow[3] = {{0}, {0}, {0}};
        narrow[0].f = xf, narrow[1].f = yf, narrow[2].f = zf;
        IrConst got, wanted;
#define CALL1(fn, a, b, c) fn(a)
#define CALL2(fn, a, b, c) fn(a, b)
#define CALL3(fn, a, b, c) fn(a, b, c)
#define JR_MATH(ID, text, arity, f64, f32, exact)                         \
    {                                                                     \
        Fold fold = {*state, TY_FLOAT64, TY_FLOAT64, OP_MATH, MATH_##ID}; \
        assert_true(fold_values(&fold, arity, wide, &got));               \
        wanted.d = CALL##arity(f64, x, y, z);                             \
        expect(&fold, true, got, true, wanted);                           \
        fold.type = fold.result = TY_FLOAT32;                             \
        assert_true(fold_values(&fold, arity, narrow, &got));             \
        wanted = (IrConst){0};                                            \
        wanted.f = CALL##arity(f32, xf, yf, zf);                          \
        expect(&fold, true, got, true, wanted);                           \
    }
#include "ir/math.def"
#undef JR_MATH
    }
}

/* ---- Conversions ---- */

/* The value of `from` as an IrConst of type `to`, by C's own conversions and numeric.h. */
#define FROM_FLOAT(x, out)                           \
    switch (to) {                                    \
    case TY_BOOL: out.i = (x) != 0; break;           \
    case TY_INT8: out.i = jr_num_to_i8(x); break;    \
    case TY_INT16: out.i = jr_num_to_i16(x); break;  \
    case TY_INT32: out.i = jr_num_to_i32(x); break;  \
    case TY_INT64: out.i = jr_num_to_i64(x); break;  \
    case TY_UINT8: out.u = jr_num_to_u8(x); break;   \
    case TY_UINT16: out.u = jr_num_to_u16(x); break; \
    case TY_UINT32: out.u = jr_num_to_u32(x); break; \
    case TY_UINT64: out.u = jr_num_to_u64(x); break; \
    case TY_FLOAT32: out.f = (float)(x); break;      \
    default: out.d = (double)(x);                    \
    }
#define FROM_INT(x, out)                          \
    switch (to) {                                 \
    case TY_BOOL: out.i = (x) != 0; break;        \
    case TY_INT8: out.i = (int8_t)(x); break;     \
    case TY_INT16: out.i = (int16_t)(x); break;   \
    case TY_INT32: out.i = (int32_t)(x); break;   \
    case TY_INT64: out.i = (int64_t)(x); break;   \
    case TY_UINT8: out.u = (uint8_t)(x); break;   \
    case TY_UINT16: out.u = (uint16_t)(x); break; \
    case TY_UINT32: out.u = (uint32_t)(x); break; \
    case TY_UINT64: out.u = (uint64_t)(x); break; \
    case TY_FLOAT32: out.f = (float)(x); break;   \
    default: out.d = (double)(x);                 \
    }

static IrConst converted(IrScalar from, IrScalar to, IrConst x) {
    IrConst out = {0};
    if (from == TY_FLOAT64) {
        FROM_FLOAT(x.d, out)
    } else if (from == TY_FLOAT32) {
        FROM_FLOAT(x.f, out)
    } else if (ir_scalar_class(from) == 'U') {
        FROM_INT(x.u, out)
    } else {
        FROM_INT(x.i, out)
    }
    return out;
}

static void check_cast(JrArena *arena, IrScalar from, IrConst value) {
    for (IrScalar to = TY_BOOL; to < TY_STR; to++) {
        Fold fold = {arena, from, to, OP_CAST, MATH_COUNT};
        IrConst got = {0};
        bool folded = fold_values(&fold, 1, &value, &got);
        expect(&fold, folded, got, true, converted(from, to, value));
    }
}

static void test_casts(void **state) {
    for (IrScalar from = TY_BOOL; from <= TY_UINT64; from++)
        for (size_t i = 0; i < COUNT(INTS); i++)
            check_cast(*state, from, wrapped(*state, from, INTS[i]));
    for (size_t i = 0; i < COUNT(FLOATS); i++) {
        IrConst narrow = {0};
        narrow.f = (float)FLOATS[i];
        check_cast(*state, TY_FLOAT64, (IrConst){.d = FLOATS[i]});
        check_cast(*state, TY_FLOAT32, narrow);
    }
}

static void test_bits(void **state) {
    IrConst got, minus = {.d = -0.0}, narrow = {0}, back = {.u = 0x7ff8000000000001u};
    Fold fold = {*state, TY_FLOAT64, TY_INT64, OP_BITS, MATH_COUNT};
    assert_true(fold_values(&fold, 1, &minus, &got));
    assert_true(got.i == INT64_MIN);
    fold = (Fold){*state, TY_UINT64, TY_FLOAT64, OP_BITS, MATH_COUNT};
    assert_true(fold_values(&fold, 1, &back, &got));
    assert_true(got.u == 0x7ff8000000000001u);
    narrow.f = -1.5f;
    fold = (Fold){*state, TY_FLOAT32, TY_INT32, OP_BITS, MATH_COUNT};
    assert_true(fold_values(&fold, 1, &narrow, &got));
    assert_true(got.i == (int32_t)0xbfc00000);
    fold = (Fold){*state, TY_INT32, TY_FLOAT32, OP_BITS, MATH_COUNT};
    narrow = got;
    assert_true(fold_values(&fold, 1, &narrow, &got));
    assert_true(got.f == -1.5f);
    fold = (Fold){*state, TY_UINT8, TY_INT8, OP_BITS, MATH_COUNT};
    assert_true(fold_values(&fold, 1, &(IrConst){.u = 255}, &got));
    assert_true(got.i == -1);
}

/* ---- What happens to statements ---- */

static const struct {
    const char *what, *before, *after;
} WALKS[] = {
    {"constants meet through TEMPs", "%1 = add 1, 2\n%2 = mul %1, %1\nreturn %2", "return 9"},
    {"a VAR gets the constant", "%v = add 1, 2\nreturn %v", "%v = copy 3\nreturn %v"},
    {"copies of a parameter go", "%1 = copy %n\n%2 = copy %1\nreturn %2", "return %n"},
    {"copies of a VAR stay", "%1 = copy %v\n%v = copy 5\nreturn %1",
     "%1 = copy %v\n%v = copy 5\nreturn %1"},
    {"a trap stays", "%1 = floordiv 1, 0\nreturn %n", "%1 = floordiv 1, 0\nreturn %n"},
    {"a dead check stays", "%1 = load %a[%n]\nreturn %n", "%1 = load %a[%n]\nreturn %n"},
    {"a dead load without one goes", "%1 = load %a[%n!]\nreturn %n", "return %n"},
    {"dead chains go", "%1 = add %n, 3\n%2 = mul %1, %1\n%3 = lt %2, %1\nreturn %n",
     "return %n"},
    {"a dead view goes", "%1: int64[:] = view %a[range(0, %n, 2)]\n%2 = dim %1, 0\nreturn %n",
     "return %n"},
    {"a dead reference stays", "%1: owned int64[:] = assign %a\nreturn %n",
     "%1: owned int64[:] = assign %a\nreturn %n"},
    {"writes to VARs stay", "%v = add %n, 3\nreturn %n", "%v = add %n, 3\nreturn %n"},
    {"calls stay", "%1 = rt.perf_counter\nreturn %n", "%1 = rt.perf_counter\nreturn %n"},
    {"a true branch is spliced",
     "if true {\n%v = copy %n\nrt.print_int 1\n} else {\n%v = copy 0\n}\nreturn %v",
     "%v = copy %n\nrt.print_int 1\nreturn %v"},
    {"a false branch is spliced",
     "if false {\n%v = copy %n\n} else {\n%v = copy 0\n}\nreturn %v",
     "%v = copy 0\nreturn %v"},
    {"a false branch without else", "if false {\npoll\n}\nreturn %n", "return %n"},
    {"branches nest", "%1 = lt 1, 2\nif %1 {\nif %1 {\nrt.print_int 1\n}\n}\nreturn %n",
     "rt.print_int 1\nreturn %n"},
    {"what follows a return goes", "if true {\nreturn %n\n}\nrt.print_int 1\nreturn 0",
     "return %n"},
    {"both arms return", "if %c {\nreturn %n\n} else {\nreturn 0\n}\nrt.print_int 1\nreturn 1",
     "if %c {\n  return %n\n} else {\n  return 0\n}"},
    {"an empty branch goes", "%1 = lt %n, 2\nif %1 {\n%2 = add %n, 1\n}\nreturn %n",
     "return %n"},
    {"break ends a block", "loop {\nbreak\nrt.print_int 1\n}\nreturn %n",
     "loop {\n  break\n}\nreturn %n"},
    {"a loop of no trips goes", "for %i = 5, 5, 1 {\nrt.print_int %i\n}\nreturn %n",
     "return %n"},
    {"nor backwards", "for %i = 3, 5, -1 {\nrt.print_int %i\n}\nreturn %n", "return %n"},
    {"a step of 0 stays", "for %i = 3, 5, 0 {\nrt.print_int %i\n}\nreturn %n",
     "for %i = 3, 5, 0 {\n  rt.print_int %i\n}\nreturn %n"},
    {"a loop that does nothing goes", "for %i = 0, %n, 1 {\n%1 = add %i, 1\n}\nreturn %n",
     "return %n"},
    {"an endless one stays", "loop {\n%1 = add %n, 1\n}", "loop {\n}"},
    {"uses in loops count", "%1 = add %n, 1\nfor %i = 0, 9, 1 {\n%v = copy %1\n}\nreturn %v",
     "%1 = add %n, 1\nfor %i = 0, 9, 1 {\n  %v = copy %1\n}\nreturn %v"},
    {"a select on a constant", "%1 = select true, %n, 3\nreturn %1", "return %n"},
    {"a select of a VAR", "%1 = select false, 3, %v\n%v = copy 1\nreturn %1",
     "%1 = copy %v\n%v = copy 1\nreturn %1"},
    {"a select of one thing", "%1 = select %c, %n, %n\nreturn %1", "return %n"},
    {"adding 0", "%1 = add %n, 0\n%2 = add 0, %1\n%3 = sub %2, 0\nreturn %3", "return %n"},
    {"multiplying by 1", "%1 = mul %n, 1\n%2 = mul 1, %1\n%3 = floordiv %2, 1\nreturn %3",
     "return %n"},
    {"shifting by 0", "%1 = shl %n, 0\n%2 = shr %1, 0\n%3 = xor %2, 0\nreturn %3",
     "return %n"},
    {"and with all ones", "%1 = and %n, -1\n%2 = or 0, %1\nreturn %2", "return %n"},
    {"shifting 0 may trap", "%1 = shl 0, %n\nreturn %1", "%1 = shl 0, %n\nreturn %1"},
    {"a cast to the same type", "%1: int64 = cast %n\nreturn %1", "return %n"},
    {"adding 0.0 is not nothing", "%1 = add %x, 0.0\n%2: int64 = cast %1\nreturn %2",
     "%1 = add %x, 0.0\n%2: int64 = cast %1\nreturn %2"},
    {"array copies go", "%1: int64[:] = copy %a\n%2 = load %1[%n]\nreturn %2",
     "%1 = load %a[%n]\nreturn %1"},
};

/* func f(...) with the body's lines indented as the printer does. */
static const char *wrap_body(JrArena *arena, const char *body) {
    JrText text;
    jr_text_init(&text, arena);
    jr_text_puts(
        &text,
        "file \"x\"\n\nfunc f(%n: int64, %c: bool, %x: float64, %a: int64[:]) -> int64 {\n"
        "  var %v: int64\n");
    for (const char *line = body; *line;) {
        size_t len = strcspn(line, "\n");
        jr_text_puts(&text, "  ");
        jr_text_add(&text, line, len);
        jr_text_puts(&text, "\n");
        line += len + (line[len] == '\n');
    }
    jr_text_puts(&text, "}\n");
    return text.data;
}

static void test_walks(void **state) {
    for (size_t i = 0; i < COUNT(WALKS); i++) {
        IrModule *module = read_good(*state, wrap_body(*state, WALKS[i].before));
        const char *why = NULL, *wanted = wrap_body(*state, WALKS[i].after);
        ir_fold_module(module);
        if (!ir_verify_module(module, &why)) fail_msg("%s: %s", WALKS[i].what, why);
        const char *got = print_text(*state, module);
        if (strcmp(got, wanted)) fail_msg("%s:\n%s\nnot\n%s", WALKS[i].what, got, wanted);
        ir_fold_module(module); /* nothing is left to do */
        assert_string_equal(print_text(*state, module), wanted);
    }
}

/* A function of 200,000 statements, half of them dead and all of them in a chain. */
static void test_long_function(void **state) {
    IrFunc *func = ir_func_new(ir_module_new(*state, "x"), "f", NULL);
    IrType type = ir_scalar(TY_INT64);
    IrReg n = ir_param(func, type, "n"), live = n, dead = n;
    IrReg one = ir_const_int(func, TY_INT64, 1), sum = one;
    IrBuilder b = {.func = func, .block = &func->body};
    for (int i = 0; i < 50000; i++) {
        live = ir_build_binary(&b, OP_ADD, type, live, one);
        dead = ir_build_binary(&b, OP_MUL, type, dead, live);
        sum = ir_build_binary(&b, OP_ADD, type, sum, one);
        IrStmt *branch = ir_build_if(&b, ir_build_compare(&b, OP_LT, sum, one));
        b.block = &branch->u.blocks.els;
        ir_build_rt(&b, RT_PRINT_INT, 0, NULL, 1, &live);
        b.block = &func->body;
    }
    ir_build_return(&b, 0, NULL);
    clock_t start = clock();
    ir_fold_module(func->module);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 5);
    const char *why;
    assert_true(ir_verify_module(func->module, &why));
    unsigned left = 0;
    for (const IrStmt *stmt = func->body.first; stmt; stmt = stmt->next)
        left++;
    assert_int_equal(left, 100001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_ints),  ARENA_TEST(test_bools),         ARENA_TEST(test_floats),
        ARENA_TEST(test_math),  ARENA_TEST(test_casts),         ARENA_TEST(test_bits),
        ARENA_TEST(test_walks), ARENA_TEST(test_long_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

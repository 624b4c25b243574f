/* Every scalar instruction on every type over edge values, against ir/numeric.h and C. */
#include "tests/unit/llvm_harness.h"

enum { MAX_VALUES = 24 };

typedef union Value {
    int64_t i;
    uint64_t u;
    double d;
    float f;
    uint8_t bytes[8];
} Value;

static unsigned values_of(IrScalar t, Value *out) {
    static const double floats[] = {0.0,     -0.0,   1.0,      -1.0,      0.5,   2.5,
                                    -2.5,    3.0,    7.0,      -7.0,      1e30,  -1e30,
                                    5e-324,  1e-40,  255.5,    -128.9,    65536, 0x1p31,
                                    -0x1p63, 0x1p64, INFINITY, -INFINITY, NAN,   123456.789};
    static const int64_t small[] = {0,  1,  2,  3,   4,  5,  7,  8,  31,
                                    32, 63, 64, 100, -1, -2, -3, -7, -64};
    memset(out, 0, sizeof(Value) * MAX_VALUES);
    unsigned n = 0, bits = 8 * ir_scalar_size(t);
    if (t == TY_BOOL) {
        out[1].u = 1;
        return 2;
    }
    if (ir_scalar_is_float(t)) {
        for (; n < sizeof floats / sizeof *floats; n++) {
            if (t == TY_FLOAT64)
                out[n].d = floats[n];
            else
                out[n].f = (float)floats[n];
        }
        return n;
    }
    for (unsigned i = 0; i < sizeof small / sizeof *small; i++)
        out[n++].i = small[i];
    uint64_t top = 1ull << (bits - 1);
    out[n++].u = top;
    out[n++].u = top - 1;
    out[n++].u = top + 1;
    out[n++].u = top / 3;
    return n;
}

static bool same(IrScalar t, const Value *a, const Value *b) {
    if (t == TY_FLOAT64 && isnan(a->d) && isnan(b->d)) return true;
    if (t == TY_FLOAT32 && isnan(a->f) && isnan(b->f)) return true;
    return memcmp(a, b, ir_scalar_size(t)) == 0;
}

/* ---- The reference ---- */

/* One function per type: *r = a op b; the trap, or -1. */
#define REF_INT(name, T, U, sign, bits, is_signed)                                          \
    static int ref_##name(IrOp op, const Value *va, const Value *vb, Value *vr) {           \
        T a, b, r = 0;                                                                      \
        memcpy(&a, va, sizeof a);                                                           \
        memcpy(&b, vb, sizeof b);                                                           \
        bool negative = is_signed && (T)(b >> (bits - 1)) != 0;                             \
        if ((op == OP_FLOORDIV || op == OP_MOD) && b == 0) return TRAP_DIV_ZERO;            \
        if ((op == OP_SHL || op == OP_SHR) && negative) return TRAP_NEGATIVE_SHIFT;         \
        if (op == OP_POW && negative) return TRAP_NEGATIVE_POWER;                           \
        switch (op) {                                                                       \
        case OP_ADD: r = (T)((U)a + (U)b); break;                                           \
        case OP_SUB: r = (T)((U)a - (U)b); break;                                           \
        case OP_MUL: r = (T)(U)((uint64_t)a * (uint64_t)b); break;                          \
        case OP_FLOORDIV: r = floordiv_##name(a, b); break;                                 \
        case OP_MOD: r = mod_##name(a, b); break;                                           \
        case OP_POW: r = (T)jr_num_ipow((int64_t)a, (uint64_t)b); break;                    \
        case OP_MIN: r = b < a ? b : a; break;                                              \
        case OP_MAX: r = b > a ? b : a; break;                                              \
        case OP_AND: r = a & b; break;                                                      \
        case OP_OR: r = a | b; break;                                                       \
        case OP_XOR: r = a ^ b; break;                                                      \
        case OP_SHL: r = jr_num_shl_##sign##bits(a, b); break;                              \
        case OP_SHR: r = jr_num_shr_##sign##bits(a, b); break;                              \
        case OP_NEG: r = (T)(0 - (U)a); break;                                              \
        case OP_INV: r = (T)~a; break;                                                      \
        case OP_ABS: r = is_signed && (T)(a >> (bits - 1)) != 0 ? (T)(0 - (U)a) : a; break; \
        case OP_EQ: vr->u = a == b; return -1;                                              \
        case OP_NE: vr->u = a != b; return -1;                                              \
        case OP_LT: vr->u = a < b; return -1;                                               \
        case OP_LE: vr->u = a <= b; return -1;                                              \
        case OP_GT: vr->u = a > b; return -1;                                               \
        case OP_GE: vr->u = a >= b; return -1;                                              \
        default: break;                                                                     \
        }                                                                                   \
        memcpy(vr, &r, sizeof r);                                                           \
        return -1;                                                                          \
    }
#define REF_SIGNED(bits)                                                        \
    static int##bits##_t floordiv_int##bits(int##bits##_t a, int##bits##_t b) { \
        return jr_num_floordiv_i##bits(a, b);                                   \
    }                                                                           \
    static int##bits##_t mod_int##bits(int##bits##_t a, int##bits##_t b) {      \
        return jr_num_mod_i##bits(a, b);                                        \
    }                                                                           \
    REF_INT(int##bits, int##bits##_t, uint##bits##_t, i, bits, true)
#define REF_UNSIGNED(bits)                                                          \
    static uint##bits##_t floordiv_uint##bits(uint##bits##_t a, uint##bits##_t b) { \
        return (uint##bits##_t)(a / b);                                             \
    }                                                                               \
    static uint##bits##_t mod_uint##bits(uint##bits##_t a, uint##bits##_t b) {      \
        return (uint##bits##_t)(a % b);                                             \
    }                                                                               \
    REF_INT(uint##bits, uint##bits##_t, uint##bits##_t, u, bits, false)
REF_SIGNED(8)
REF_SIGNED(16)
REF_SIGNED(32)
REF_SIGNED(64)
REF_UNSIGNED(8)
REF_UNSIGNED(16)
REF_UNSIGNED(32)
REF_UNSIGNED(64)

#define REF_FLOAT(name, T, suffix)                                                \
    static int ref_##name(IrOp op, const Value *va, const Value *vb, Value *vr) { \
        T a, b, r = 0;                                                            \
        memcpy(&a, va, sizeof a);                                                 \
        memcpy(&b, vb, sizeof b);                                                 \
        switch (op) {                                                             \
        case OP_ADD: r = a + b; break;                                            \
        case OP_SUB: r = a - b; break;                                            \
        case OP_MUL: r = a * b; break;                                            \
        case OP_DIV: r = a / b; break;                                            \
        case OP_FLOORDIV: r = jr_num_ffloordiv##suffix(a, b); break;              \
        case OP_MOD: r = jr_num_fmod##suffix(a, b); break;                        \
        case OP_POW: r = pow##suffix(a, b); break;                                \
        case OP_MIN: r = b < a ? b : a; break;                                    \
        case OP_MAX: r = b > a ? b : a; break;                                    \
        case OP_NEG: r = -a; break;                                               \
        case OP_ABS: r = fabs##suffix(a); break;                                  \
        case OP_EQ: vr->u = a == b; return -1;                                    \
        case OP_NE: vr->u = a != b; return -1;                                    \
        case OP_LT: vr->u = a < b; return -1;                                     \
        case OP_LE: vr->u = a <= b; return -1;                                    \
        case OP_GT: vr->u = a > b; return -1;                                     \
        case OP_GE: vr->u = a >= b; return -1;                                    \
        default: break;                                                           \
        }                                                                         \
        memcpy(vr, &r, sizeof r);                                                 \
        return -1;                                                                \
    }
REF_FLOAT(float32, float, f)
REF_FLOAT(float64, double, )

static int ref_bool(IrOp op, const Value *va, const Value *vb, Value *vr) {
    bool a = va->bytes[0], b = vb->bytes[0];
    switch (op) {
    case OP_AND: vr->u = a & b; break;
    case OP_OR: vr->u = a | b; break;
    case OP_XOR: vr->u = a ^ b; break;
    case OP_NOT: vr->u = !a; break;
    case OP_EQ: vr->u = a == b; break;
    case OP_NE: vr->u = a != b; break;
    case OP_LT: vr->u = a < b; break;
    case OP_LE: vr->u = a <= b; break;
    case OP_GT: vr->u = a > b; break;
    default: vr->u = a >= b; break;
    }
    return -1;
}

typedef int Reference(IrOp op, const Value *a, const Value *b, Value *r);

static Reference *const references[TY_COUNT] = {
    [TY_BOOL] = ref_bool,       [TY_INT8] = ref_int8,       [TY_INT16] = ref_int16,
    [TY_INT32] = ref_int32,     [TY_INT64] = ref_int64,     [TY_UINT8] = ref_uint8,
    [TY_UINT16] = ref_uint16,   [TY_UINT32] = ref_uint32,   [TY_UINT64] = ref_uint64,
    [TY_FLOAT32] = ref_float32, [TY_FLOAT64] = ref_float64,
};

/* ---- Operators ---- */

static bool has_op(IrOp op, IrScalar t) {
    IrForm form = ir_op_form(op);
    if (form == FORM_CMP) return true;
    if (form != FORM_BIN && form != FORM_UN) return false;
    if (t == TY_BOOL) return op == OP_AND || op == OP_OR || op == OP_XOR || op == OP_NOT;
    if (op == OP_NOT) return false;
    bool bitwise = op == OP_AND || op == OP_OR || op == OP_XOR || op == OP_SHL ||
                   op == OP_SHR || op == OP_INV;
    return ir_scalar_is_float(t) ? !bitwise : op != OP_DIV;
}

static void check_one(IrScalar t, IrOp op, const JrCall *c, const Value *a, const Value *b,
                      bool constant) {
    Fake fake;
    fake_init(&fake);
    fake.trap = -1;
    Value want = {0}, got = {0};
    int trap = references[t](op, a, b, &want);
    IrScalar result = ir_op_form(op) == FORM_CMP ? TY_BOOL : t;
    int32_t status = c->run(c, &fake.rt, ARGS((void *)a, (void *)b), ARGS(&got));
    if (trap != fake.trap || (trap >= 0) != (status != 0) ||
        (trap < 0 && !same(result, &want, &got)))
        fail_msg("%s %s%s: a=%llx b=%llx: got %llx trap %d, want %llx trap %d", ir_op_name(op),
                 ir_scalar_name(t), constant ? " (constant)" : "", (unsigned long long)a->u,
                 (unsigned long long)b->u, (unsigned long long)got.u, fake.trap,
                 (unsigned long long)want.u, trap);
}

static void add_op(JrText *text, IrOp op, IrScalar t) {
    const char *type = ir_scalar_name(t), *name = ir_op_name(op);
    const char *result = ir_op_form(op) == FORM_CMP ? "bool" : type;
    jr_text_printf(text, "func \"%s %s\"(%%a: %s, %%b: %s) -> %s exported {\n", name, type,
                   type, type, result);
    jr_text_printf(text, "  %%r = %s %%a%s\n  return %%r\n}\n", name,
                   ir_op_form(op) == FORM_UN ? "" : ", %b");
}

static void check_op(Loaded *l, IrOp op, IrScalar t) {
    char name[64];
    JrCall c;
    Value values[MAX_VALUES];
    unsigned n = values_of(t, values);
    snprintf(name, sizeof name, "%s %s", ir_op_name(op), ir_scalar_name(t));
    assert_true(llvm_engine()->find(l->code, name, &c));
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++)
            check_one(t, op, &c, &values[i], &values[k], false);
}

static void test_operators(void **state) {
    (void)state;
    for (unsigned t = TY_BOOL; t <= TY_FLOAT64; t++) {
        JrArena *arena = jr_arena_new(NULL);
        JrText text;
        jr_text_init(&text, arena);
        for (unsigned op = 0; op < OP_COUNT; op++)
            if (has_op((IrOp)op, (IrScalar)t)) add_op(&text, (IrOp)op, (IrScalar)t);
        Loaded l = load(text.data);
        for (unsigned op = 0; op < OP_COUNT; op++)
            if (has_op((IrOp)op, (IrScalar)t)) check_op(&l, (IrOp)op, (IrScalar)t);
        unload(&l);
        jr_arena_free(arena);
    }
}

/* The same with a constant on the right, where other code is generated. */
static void check_constant(IrScalar t, IrOp op) {
    JrArena *arena = jr_arena_new(NULL);
    JrText text;
    jr_text_init(&text, arena);
    Value values[MAX_VALUES];
    unsigned n = values_of(t, values);
    const char *type = ir_scalar_name(t);
    for (unsigned k = 0; k < n; k++) {
        Value v = {0};
        memcpy(&v, &values[k], ir_scalar_size(t));
        unsigned shift = 64 - 8 * ir_scalar_size(t);
        jr_text_printf(&text, "func f%u(%%a: %s, %%b: %s) -> %s exported {\n  %%r = %s %%a, ",
                       k, type, type, type, ir_op_name(op));
        if (ir_scalar_is_signed(t))
            jr_text_printf(&text, "%lld:%s", (long long)((int64_t)(v.u << shift) >> shift),
                           type);
        else
            jr_text_printf(&text, "%llu:%s", (unsigned long long)v.u, type);
        jr_text_puts(&text, "\n  return %r\n}\n");
    }
    Loaded l = load(text.data);
    for (unsigned k = 0; k < n; k++) {
        char name[16];
        JrCall c;
        snprintf(name, sizeof name, "f%u", k);
        assert_true(llvm_engine()->find(l.code, name, &c));
        for (unsigned i = 0; i < n; i++)
            check_one(t, op, &c, &values[i], &values[k], true);
    }
    unload(&l);
    jr_arena_free(arena);
}

static void test_constants(void **state) {
    (void)state;
    static const IrOp ops[] = {OP_FLOORDIV, OP_MOD, OP_POW, OP_SHL, OP_SHR};
    static const IrScalar types[] = {TY_INT8, TY_INT32, TY_INT64, TY_UINT16, TY_UINT64};
    for (unsigned t = 0; t < 5; t++)
        for (unsigned i = 0; i < 5; i++)
            check_constant(types[t], ops[i]);
}

/* ---- Conversions ---- */

#define TO_INT(name, T, sign, bits)                                                 \
    static void to_##name(IrScalar from, const Value *a, Value *r) {                \
        T out;                                                                      \
        if (ir_scalar_is_float(from))                                               \
            out = jr_num_to_##sign##bits(from == TY_FLOAT64 ? a->d : (double)a->f); \
        else                                                                        \
            out = (T)a->u;                                                          \
        memcpy(r, &out, sizeof out);                                                \
    }
TO_INT(int8, int8_t, i, 8)
TO_INT(int16, int16_t, i, 16)
TO_INT(int32, int32_t, i, 32)
TO_INT(int64, int64_t, i, 64)
TO_INT(uint8, uint8_t, u, 8)
TO_INT(uint16, uint16_t, u, 16)
TO_INT(uint32, uint32_t, u, 32)
TO_INT(uint64, uint64_t, u, 64)

static void to_bool(IrScalar from, const Value *a, Value *r) {
    r->u = from == TY_FLOAT64 ? a->d != 0 : from == TY_FLOAT32 ? a->f != 0 : a->u != 0;
}

static void to_float64(IrScalar from, const Value *a, Value *r) {
    r->d = from == TY_FLOAT64          ? a->d
           : from == TY_FLOAT32        ? (double)a->f
           : ir_scalar_is_signed(from) ? (double)a->i
                                       : (double)a->u;
}

static void to_float32(IrScalar from, const Value *a, Value *r) {
    r->f = from == TY_FLOAT64          ? (float)a->d
           : from == TY_FLOAT32        ? a->f
           : ir_scalar_is_signed(from) ? (float)a->i
                                       : (float)a->u;
}

typedef void Conversion(IrScalar from, const Value *a, Value *r);

static Conversion *const conversions[TY_COUNT] = {
    [TY_BOOL] = to_bool,       [TY_INT8] = to_int8,       [TY_INT16] = to_int16,
    [TY_INT32] = to_int32,     [TY_INT64] = to_int64,     [TY_UINT8] = to_uint8,
    [TY_UINT16] = to_uint16,   [TY_UINT32] = to_uint32,   [TY_UINT64] = to_uint64,
    [TY_FLOAT32] = to_float32, [TY_FLOAT64] = to_float64,
};

/* To 64 bits, as its type says. */
static Value extend(IrScalar t, Value v) {
    unsigned shift = 64 - 8 * ir_scalar_size(t);
    if (ir_scalar_is_float(t)) return v;
    if (ir_scalar_is_signed(t))
        v.i = (int64_t)(v.u << shift) >> shift;
    else
        v.u = v.u << shift >> shift;
    return v;
}

static void check_cast(IrScalar from, IrScalar to, const JrCall *c) {
    Value values[MAX_VALUES];
    unsigned n = values_of(from, values);
    Fake fake;
    fake_init(&fake);
    for (unsigned i = 0; i < n; i++) {
        Value want = {0}, got = {0}, a = extend(from, values[i]);
        conversions[to](from, &a, &want);
        assert_int_equal(c->run(c, &fake.rt, ARGS(&values[i]), ARGS(&got)), 0);
        if (!same(to, &want, &got))
            fail_msg("cast %s to %s of %llx: got %llx, want %llx", ir_scalar_name(from),
                     ir_scalar_name(to), (unsigned long long)a.u, (unsigned long long)got.u,
                     (unsigned long long)want.u);
    }
}

static void test_casts(void **state) {
    (void)state;
    JrArena *arena = jr_arena_new(NULL);
    JrText text;
    jr_text_init(&text, arena);
    for (unsigned i = TY_BOOL; i <= TY_FLOAT64; i++)
        for (unsigned k = TY_BOOL; k <= TY_FLOAT64; k++)
            jr_text_printf(&text,
                           "func f%u_%u(%%a: %s) -> %s exported {\n  %%r: %s = cast %%a\n"
                           "  return %%r\n}\n",
                           i, k, ir_scalar_name((IrScalar)i), ir_scalar_name((IrScalar)k),
                           ir_scalar_name((IrScalar)k));
    Loaded l = load(text.data);
    for (unsigned i = TY_BOOL; i <= TY_FLOAT64; i++)
        for (unsigned k = TY_BOOL; k <= TY_FLOAT64; k++) {
            char name[16];
            JrCall c;
            snprintf(name, sizeof name, "f%u_%u", i, k);
            assert_true(llvm_engine()->find(l.code, name, &c));
            check_cast((IrScalar)i, (IrScalar)k, &c);
        }
    unload(&l);
    jr_arena_free(arena);
}

/* ---- Functions ---- */

static double apply64(IrMath m, const double *v) {
    void *fn = jr_symbol_find(&(JrSymbols){fake_symbols, fake_options().symbols.count},
                              ir_math_symbol(m, TY_FLOAT64));
    switch (ir_math_arity(m)) {
    case 1: return ((double (*)(double))fn)(v[0]);
    case 2: return ((double (*)(double, double))fn)(v[0], v[1]);
    default: return ((double (*)(double, double, double))fn)(v[0], v[1], v[2]);
    }
}

static float apply32(IrMath m, const float *v) {
    void *fn = jr_symbol_find(&(JrSymbols){fake_symbols, fake_options().symbols.count},
                              ir_math_symbol(m, TY_FLOAT32));
    switch (ir_math_arity(m)) {
    case 1: return ((float (*)(float))fn)(v[0]);
    case 2: return ((float (*)(float, float))fn)(v[0], v[1]);
    default: return ((float (*)(float, float, float))fn)(v[0], v[1], v[2]);
    }
}

static void check_math(IrMath m, IrScalar t, const JrCall *c) {
    Value values[MAX_VALUES];
    unsigned n = values_of(t, values);
    Fake fake;
    fake_init(&fake);
    for (unsigned i = 0; i < n * n; i++) {
        Value v[3] = {values[i % n], values[i / n], values[(i + i / n) % n]}, got = {0},
              want = {0};
        if (t == TY_FLOAT64)
            want.d = apply64(m, (double[]){v[0].d, v[1].d, v[2].d});
        else
            want.f = apply32(m, (float[]){v[0].f, v[1].f, v[2].f});
        c->run(c, &fake.rt, ARGS(&v[0], &v[1], &v[2]), ARGS(&got));
        if (!same(t, &want, &got))
            fail_msg("%s %s: %llx %llx: got %llx, want %llx", ir_math_name(m),
                     ir_scalar_name(t), (unsigned long long)v[0].u, (unsigned long long)v[1].u,
                     (unsigned long long)got.u, (unsigned long long)want.u);
    }
}

static void test_math(void **state) {
    (void)state;
    static const char *const operands[] = {"", "%a", "%a, %b", "%a, %b, %c"};
    for (unsigned t = TY_FLOAT32; t <= TY_FLOAT64; t++) {
        JrArena *arena = jr_arena_new(NULL);
        JrText text;
        jr_text_init(&text, arena);
        const char *type = ir_scalar_name((IrScalar)t);
        for (unsigned m = 0; m < MATH_COUNT; m++)
            jr_text_printf(&text,
                           "func f%u(%%a: %s, %%b: %s, %%c: %s) -> %s exported {\n"
                           "  %%r = math.%s %s\n  return %%r\n}\n",
                           m, type, type, type, type, ir_math_name((IrMath)m),
                           operands[ir_math_arity((IrMath)m)]);
        Loaded l = load(text.data);
        for (unsigned m = 0; m < MATH_COUNT; m++) {
            char name[16];
            JrCall c;
            snprintf(name, sizeof name, "f%u", m);
            assert_true(llvm_engine()->find(l.code, name, &c));
            check_math((IrMath)m, (IrScalar)t, &c);
        }
        unload(&l);
        jr_arena_free(arena);
    }
}

/* pow(x, 0.5), exp2 of an integer and the like stay calls. */
static void test_strict_pow(void **state) {
    (void)state;
    Loaded l = load("func f(%x: float64) -> float64 exported {\n"
                    "  %a = pow %x, 0.5\n  %b = pow %x, 2.0\n  %c = pow 2.0, %x\n"
                    "  %d = add %a, %b\n  %e = add %d, %c\n  return %e\n}\n");
    Fake fake;
    fake_init(&fake);
    /* The compiler of this file rewrites pow too. */
    double (*volatile power)(double, double) = pow;
    for (double x = -1.7; x < 300; x += 0.37) {
        double got, want = power(x, 0.5) + power(x, 2.0) + power(2.0, x);
        call(&l, "f", &fake, ARGS(&x), ARGS(&got));
        assert_true(same(TY_FLOAT64, (Value *)&got, (Value *)&want));
    }
    unload(&l);
}

static void test_select_bits_copy(void **state) {
    (void)state;
    Loaded l =
        load("func f(%c: bool, %x: float64, %y: float64) -> (float64, int64) exported {\n"
             "  var %v: float64\n"
             "  %s = select %c, %x, %y\n  %v = copy %s\n  %b: int64 = bits %v\n"
             "  return %v, %b\n}\n");
    Fake fake;
    fake_init(&fake);
    for (int c = 0; c < 2; c++) {
        uint8_t cond = (uint8_t)c;
        double x = 1.5, y = -0.0, v;
        int64_t bits;
        assert_int_equal(call(&l, "f", &fake, ARGS(&cond, &x, &y), ARGS(&v, &bits)), 0);
        assert_memory_equal(&v, c ? &x : &y, 8);
        assert_memory_equal(&bits, c ? &x : &y, 8);
    }
    unload(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),  cmocka_unit_test(test_constants),
        cmocka_unit_test(test_casts),      cmocka_unit_test(test_math),
        cmocka_unit_test(test_strict_pow), cmocka_unit_test(test_select_bits_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

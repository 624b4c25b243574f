/* The tcc engine against the reference: every operation and conversion on every type, over the
 * values where things go wrong, with and without constants, and in branches. */
#include "tests/unit/edges.h"

/* ---- Every operation ---- */

static bool op_allows(IrOp op, IrScalar type) {
    bool bitwise = op == OP_AND || op == OP_OR || op == OP_XOR;
    IrForm form = ir_op_form(op);
    if (form != FORM_BIN && form != FORM_CMP && form != FORM_UN) return false;
    if (op == OP_NOT) return type == TY_BOOL;
    if (type == TY_BOOL) return form == FORM_CMP || bitwise;
    if (op == OP_DIV) return ir_scalar_is_float(type);
    return !ir_scalar_is_float(type) ||
           !(bitwise || op == OP_SHL || op == OP_SHR || op == OP_INV);
}

typedef enum Shape {
    BOTH_VARY,
    RIGHT_FIXED,
    LEFT_FIXED,
    BOTH_FIXED,
    BRANCH,
    BRANCH_NOT
} Shape;

/* op as a function of its two operands, with constants in their place as the shape says. */
static void add_function(Program *p, const char *name, IrOp op, IrScalar type, Shape shape,
                         IrConst left, IrConst right) {
    IrFunc *func = ir_func_new(p->module, jr_arena_strdup(p->arena, name), "f");
    func->exported = true;
    bool unary = ir_op_form(op) == FORM_UN;
    IrReg a = ir_param(func, ir_scalar(type), "a"), b = ir_param(func, ir_scalar(type), "b");
    IrBuilder at = {.func = func, .block = &func->body, .span = {3, 4, 5}};
    if (shape == LEFT_FIXED || shape == BOTH_FIXED) a = ir_const(func, type, left);
    if (shape == RIGHT_FIXED || shape == BOTH_FIXED) b = ir_const(func, type, right);
    IrScalar to = ir_op_form(op) == FORM_CMP ? TY_BOOL : type;
    IrReg result = unary ? ir_build_unary(&at, op, ir_scalar(to), a)
                   : ir_op_form(op) == FORM_CMP
                       ? ir_build_compare(&at, op, a, b)
                       : ir_build_binary(&at, op, ir_scalar(to), a, b);
    if (shape == BRANCH || shape == BRANCH_NOT) {
        if (shape == BRANCH_NOT)
            result = ir_build_unary(&at, OP_NOT, ir_scalar(TY_BOOL), result);
        IrStmt *branch = ir_build_if(&at, result);
        IrReg yes = ir_const_int(func, TY_BOOL, shape == BRANCH);
        at.block = &branch->u.blocks.then;
        ir_build_return(&at, 1, &yes);
        at.block = &func->body;
        result = ir_const_int(func, TY_BOOL, shape != BRANCH);
    }
    func->rets = JR_NEW_ARRAY(p->arena, IrType, 1);
    func->nrets = 1;
    func->rets[0] = ir_scalar(to);
    ir_build_return(&at, 1, &result);
}

static void check_binary(Program *p, const char *name, IrOp op, IrScalar type, IrConst a,
                         IrConst b) {
    Fake fake = new_fake();
    IrConst got = {.u = 0}, want;
    int trap = -1;
    bool unary = ir_op_form(op) == FORM_UN;
    IrScalar to = ir_op_form(op) == FORM_CMP ? TY_BOOL : type;
    want = unary ? ref_unary(op, type, a) : ref_binary(op, type, a, b, &trap);
    int32_t status = call(p, name, &fake, (void *[]){&a, &b}, (void *[]){&got});
    bool exact = unary || op == OP_MIN || op == OP_MAX;
    bool good = trap >= 0
                    ? status == (int32_t)ir_trap_exc((IrTrap)trap) && fake.trap == trap &&
                          fake.where.line == 3 && fake.where.col == 4
                    : status == 0 && ref_same(to, got, want, exact);
    if (!good)
        fail_msg("%s of %s: %llx %llx: got %llx (status %d), want %llx (trap %d)", name,
                 ir_scalar_name(type), (long long)a.u, (long long)b.u, (long long)got.u,
                 status, (long long)want.u, trap);
}

static const char *shape_name(char *out, IrOp op, Shape shape, uint32_t i) {
    sprintf(out, "%s.%d.%u", ir_op_name(op), (int)shape, i);
    return out;
}

static void add_functions(Program *p, IrScalar type, const IrConst *edges, uint32_t n) {
    char name[64];
    IrConst zero = {.u = 0};
    for (IrOp op = 0; op < OP_COUNT; op++) {
        if (!op_allows(op, type)) continue;
        add_function(p, shape_name(name, op, BOTH_VARY, 0), op, type, BOTH_VARY, zero, zero);
        for (uint32_t i = 0; i < n; i++) {
            add_function(p, shape_name(name, op, LEFT_FIXED, i), op, type, LEFT_FIXED,
                         edges[i], zero);
            add_function(p, shape_name(name, op, RIGHT_FIXED, i), op, type, RIGHT_FIXED, zero,
                         edges[i]);
            uint32_t j = (i * 7 + 3) % n;
            add_function(p, shape_name(name, op, BOTH_FIXED, i), op, type, BOTH_FIXED,
                         edges[i], edges[j]);
        }
        if (ir_op_form(op) != FORM_CMP) continue;
        add_function(p, shape_name(name, op, BRANCH, 0), op, type, BRANCH, zero, zero);
        add_function(p, shape_name(name, op, BRANCH_NOT, 0), op, type, BRANCH_NOT, zero, zero);
    }
}

static void check_pair(Program *p, IrOp op, IrScalar type, const IrConst *edges, uint32_t n,
                       uint32_t i, uint32_t j) {
    char name[64];
    IrConst a = edges[i], b = edges[j];
    check_binary(p, shape_name(name, op, BOTH_VARY, 0), op, type, a, b);
    check_binary(p, shape_name(name, op, LEFT_FIXED, i), op, type, a, b);
    check_binary(p, shape_name(name, op, RIGHT_FIXED, j), op, type, a, b);
    check_binary(p, shape_name(name, op, BOTH_FIXED, i), op, type, a, edges[(i * 7 + 3) % n]);
    if (ir_op_form(op) != FORM_CMP) return;
    check_binary(p, shape_name(name, op, BRANCH, 0), op, type, a, b);
    check_binary(p, shape_name(name, op, BRANCH_NOT, 0), op, type, a, b);
}

static void test_operations(void **state) {
    (void)state;
    for (IrScalar type = TY_BOOL; type <= TY_FLOAT64; type++) {
        IrConst edges[EDGES];
        uint32_t n = edges_of(type, edges);
        Program p = new_program(jr_engine_tcc());
        add_functions(&p, type, edges, n);
        compile(&p);
        for (IrOp op = 0; op < OP_COUNT; op++)
            for (uint32_t i = 0; op_allows(op, type) && i < n; i++)
                for (uint32_t j = 0; j < n; j++)
                    check_pair(&p, op, type, edges, n, i, j);
        end_program(&p);
    }
}

/* ---- Conversions ---- */

static void add_cast(Program *p, IrScalar from, IrScalar to, const IrConst *fixed,
                     const char *name) {
    IrFunc *func = ir_func_new(p->module, jr_arena_strdup(p->arena, name), "f");
    func->exported = true;
    IrReg a = ir_param(func, ir_scalar(from), "a");
    IrBuilder at = {.func = func, .block = &func->body};
    if (fixed) a = ir_const(func, from, *fixed);
    IrReg result = ir_temp(func, ir_scalar(to));
    ir_build(&at, OP_CAST, 1, &result, 1, &a);
    func->rets = JR_NEW_ARRAY(p->arena, IrType, 1);
    func->nrets = 1;
    func->rets[0] = ir_scalar(to);
    ir_build_return(&at, 1, &result);
}

static void check_cast(Program *p, const char *name, IrScalar from, IrScalar to, IrConst a) {
    Fake fake = new_fake();
    IrConst got = {.u = 0}, want = ref_cast(from, to, a);
    assert_int_equal(0, call(p, name, &fake, (void *[]){&a}, (void *[]){&got}));
    if (!ref_same(to, got, want, from == to))
        fail_msg("%s to %s of %llx: got %llx, want %llx", ir_scalar_name(from),
                 ir_scalar_name(to), (long long)a.u, (long long)got.u, (long long)want.u);
}

static void test_conversions(void **state) {
    (void)state;
    for (IrScalar from = TY_BOOL; from <= TY_FLOAT64; from++) {
        IrConst edges[EDGES];
        uint32_t n = edges_of(from, edges);
        char name[64];
        Program p = new_program(jr_engine_tcc());
        for (IrScalar to = TY_BOOL; to <= TY_FLOAT64; to++)
            for (uint32_t i = 0; i <= n; i++) {
                sprintf(name, "%d.%u", (int)to, i);
                add_cast(&p, from, to, i < n ? &edges[i] : NULL, name);
            }
        compile(&p);
        for (IrScalar to = TY_BOOL; to <= TY_FLOAT64; to++)
            for (uint32_t i = 0; i < n; i++) {
                sprintf(name, "%d.%u", (int)to, i);
                check_cast(&p, name, from, to, edges[i]);
                sprintf(name, "%d.%u", (int)to, n);
                check_cast(&p, name, from, to, edges[i]);
            }
        end_program(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_conversions),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

/* The interpreter: chains of instructions that become one, conditions, parallel regions. */
#include "tests/unit/engine_random.h"

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

static void test_parallel(void **state) {
    (void)state;
    check_parallel(jr_engine_interp());
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_parallel),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

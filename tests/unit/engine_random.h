/* Random programs over scalars and arrays, run on an engine and by the reference. */
#ifndef JR_TESTS_ENGINE_RANDOM_H
#define JR_TESTS_ENGINE_RANDOM_H

#include "tests/unit/engine_fake.h"

enum { POOL = 200, ARRAY_LEN = 8, STATEMENTS = 60 };

typedef struct Random {
    Program *p;
    IrBuilder at;
    uint64_t seed;
    IrReg pool[TY_COUNT][POOL];
    uint32_t len[TY_COUNT];
    IrReg vars[TY_COUNT], arrays[2];
    uint32_t depth, loops, left;
} Random;

static inline uint32_t pick(Random *r, uint32_t n) {
    r->seed = r->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(r->seed >> 33) % n;
}

static inline IrScalar pick_type(Random *r) {
    return TY_BOOL + pick(r, TY_FLOAT64 - TY_BOOL + 1);
}

static inline IrReg pick_const(Random *r, IrScalar type) {
    static const int64_t ints[] = {0, 1,   -1,   2,         3,         5,
                                   8, 100, -100, INT64_MIN, INT64_MAX, 1 << 20};
    static const double floats[] = {0.0,  -0.0, 1.5,  -2.25, 0.1, 1e20,
                                    -1e9, 3,    1e-3, 7,     255, HUGE_VAL};
    if (ir_scalar_is_float(type))
        return ir_const(r->at.func, type, ref_float(type, floats[pick(r, 12)]));
    if (type == TY_BOOL) return ir_const(r->at.func, type, ref_of_int(pick(r, 2)));
    return ir_const(r->at.func, type, ref_norm(type, ref_of_int(ints[pick(r, 12)])));
}

static inline IrReg pick_reg(Random *r, IrScalar type) {
    if (pick(r, 6) == 0) return pick_const(r, type);
    uint32_t n = r->len[type], recent = n > 4 && pick(r, 2) ? 4 : n;
    return r->pool[type][n - 1 - pick(r, recent)];
}

/* Where the value goes: a fresh TEMP, or the VAR of its type. */
static inline IrReg pick_dst(Random *r, IrScalar type) {
    if (pick(r, 4) == 0) return r->vars[type];
    return ir_temp(r->at.func, ir_scalar(type));
}

static inline void offer(Random *r, IrReg reg) {
    IrScalar type = ir_reg_type(r->at.func, reg).scalar;
    if (ir_reg(r->at.func, reg)->kind == REG_TEMP && r->len[type] < POOL)
        r->pool[type][r->len[type]++] = reg;
}

static inline void random_binary(Random *r) {
    static const IrOp ops[] = {OP_ADD, OP_SUB, OP_MUL,      OP_DIV, OP_MIN, OP_MAX, OP_AND,
                               OP_OR,  OP_XOR, OP_FLOORDIV, OP_MOD, OP_SHL, OP_SHR};
    IrScalar type = pick_type(r);
    IrOp op = ops[pick(r, 13)];
    bool bitwise = op == OP_AND || op == OP_OR || op == OP_XOR,
         is_float = ir_scalar_is_float(type);
    if (type == TY_BOOL ? !bitwise : is_float ? bitwise || op >= OP_SHL : op == OP_DIV) return;
    IrReg args[2] = {pick_reg(r, type), pick_reg(r, type)};
    if ((op == OP_FLOORDIV || op == OP_MOD || op == OP_SHL || op == OP_SHR) && !is_float)
        if (pick(r, 12)) args[1] = ir_const_int(r->at.func, type, 1 + pick(r, 100));
    IrReg dst = pick_dst(r, type);
    ir_build(&r->at, op, 1, &dst, 2, args);
    offer(r, dst);
}

static inline void random_compare(Random *r) {
    IrScalar type = pick_type(r);
    IrReg args[2] = {pick_reg(r, type), pick_reg(r, type)}, dst = pick_dst(r, TY_BOOL);
    ir_build(&r->at, OP_EQ + pick(r, 6), 1, &dst, 2, args);
    offer(r, dst);
}

static inline void random_unary(Random *r) {
    IrScalar type = pick_type(r), to = pick_type(r);
    IrOp op = pick(r, 3) ? OP_CAST : pick(r, 2) ? OP_NEG : OP_ABS;
    if (op != OP_CAST && type == TY_BOOL) op = OP_NOT;
    if (pick(r, 6) == 0) op = OP_COPY;
    IrReg arg = pick_reg(r, type), dst = pick_dst(r, op == OP_CAST ? to : type);
    ir_build(&r->at, op, 1, &dst, 1, &arg);
    offer(r, dst);
}

static inline void random_select(Random *r) {
    IrScalar type = pick_type(r);
    IrReg args[3] = {pick_reg(r, TY_BOOL), pick_reg(r, type), pick_reg(r, type)};
    IrReg dst = pick_dst(r, type);
    ir_build(&r->at, OP_SELECT, 1, &dst, 3, args);
    offer(r, dst);
}

static inline IrReg random_index(Random *r) {
    IrReg index = pick_reg(r, TY_INT64);
    if (pick(r, 10) == 0) return index;
    return ir_build_binary(&r->at, OP_AND, ir_scalar(TY_INT64), index,
                           ir_const_int(r->at.func, TY_INT64, ARRAY_LEN - 1));
}

static inline void random_access(Random *r) {
    IrReg array = r->arrays[pick(r, 2)], index = random_index(r);
    IrScalar type = ir_reg_type(r->at.func, array).scalar;
    IrStmt *stmt;
    if (pick(r, 2)) {
        stmt = ir_build_store(&r->at, array, 1, &index, pick_reg(r, type));
    } else {
        IrReg dst = pick_dst(r, type);
        stmt = ir_build_load(&r->at, dst, array, 1, &index);
        offer(r, dst);
    }
    if (pick(r, 3) == 0) stmt->u.mem.wrap = 0;
}

static inline void random_block(Random *r, IrBlock *block, uint32_t n);

static inline void random_if(Random *r) {
    IrStmt *stmt = ir_build_if(&r->at, pick_reg(r, TY_BOOL));
    random_block(r, &stmt->u.blocks.then, pick(r, 6));
    random_block(r, &stmt->u.blocks.els, pick(r, 2) ? pick(r, 6) : 0);
}

static inline void random_for(Random *r) {
    static const int64_t steps[] = {1, -1, 2, -3, INT64_MAX};
    IrReg lo = ir_const_int(r->at.func, TY_INT64, pick(r, 5));
    IrReg hi = ir_const_int(r->at.func, TY_INT64, (int64_t)pick(r, 5) - 1), counter;
    IrReg step = ir_const_int(r->at.func, TY_INT64, steps[pick(r, 5)]);
    if (pick(r, 8) == 0) step = r->vars[TY_INT64];
    if (pick(r, 4) == 0) {
        lo = ir_const_int(r->at.func, TY_INT64, INT64_MAX - 3);
        hi = ir_const_int(r->at.func, TY_INT64, INT64_MAX);
        step = ir_const_int(r->at.func, TY_INT64, 1 + pick(r, 3));
    } else if (ir_reg(r->at.func, step)->kind == REG_VAR) {
        step = ir_build_binary(&r->at, OP_OR, ir_scalar(TY_INT64), step,
                               ir_const_int(r->at.func, TY_INT64, INT64_C(1) << 60));
    }
    IrStmt *stmt = ir_build_for(&r->at, lo, hi, step, &counter);
    r->loops++;
    uint32_t n = r->len[TY_INT64];
    offer(r, counter);
    random_block(r, &stmt->u.blocks.then, 2 + pick(r, 8));
    r->len[TY_INT64] = n;
    r->loops--;
}

static inline void random_stmt(Random *r) {
    uint32_t kind = pick(r, 20);
    if (kind < 7)
        random_binary(r);
    else if (kind < 9)
        random_compare(r);
    else if (kind < 12)
        random_unary(r);
    else if (kind < 13)
        random_select(r);
    else if (kind < 16)
        random_access(r);
    else if (kind < 18 && r->depth < 4)
        random_if(r);
    else if (kind < 20 && r->depth < 4)
        random_for(r);
}

/* Registers made in the block are forgotten after it. A loop is left at a block's end at
 * times. */
static inline void random_block(Random *r, IrBlock *block, uint32_t n) {
    uint32_t saved[TY_COUNT];
    IrBlock *outer = r->at.block;
    memcpy(saved, r->len, sizeof saved);
    r->at.block = block;
    r->depth++;
    for (; n && r->left; n--) {
        r->left--;
        random_stmt(r);
    }
    if (r->loops && r->depth > 2 && pick(r, 12) == 0)
        (pick(r, 2) ? ir_build_break : ir_build_continue)(&r->at);
    r->depth--;
    memcpy(r->len, saved, sizeof saved);
    r->at.block = outer;
}

/* Everything it computed is returned: all that is at hand at the end. */
static inline void random_end(Random *r) {
    IrFunc *func = r->at.func;
    IrReg values[64];
    uint32_t n = 0;
    for (IrScalar type = TY_BOOL; type <= TY_FLOAT64; type++) {
        values[n++] = r->vars[type];
        for (uint32_t i = 0; i < 3; i++)
            values[n++] = r->pool[type][r->len[type] - 1 - pick(r, r->len[type])];
    }
    func->rets = JR_NEW_ARRAY(r->p->arena, IrType, n);
    func->nrets = n;
    for (uint32_t i = 0; i < n; i++)
        func->rets[i] = ir_reg_type(func, values[i]);
    ir_build_return(&r->at, n, values);
}

static inline IrFunc *random_function(Program *p, uint64_t seed) {
    Random r = {.p = p, .seed = seed * 7919 + 1, .left = STATEMENTS};
    IrFunc *func =
        ir_func_new(p->module, jr_arena_printf(p->arena, "r%u", (unsigned)seed), "r");
    func->exported = true;
    r.at = (IrBuilder){.func = func, .block = &func->body, .span = {1, 1, 2}};
    for (IrScalar type = TY_BOOL; type <= TY_FLOAT64; type++) {
        r.pool[type][r.len[type]++] = ir_param(func, ir_scalar(type), "p");
        r.pool[type][r.len[type]++] = ir_param(func, ir_scalar(type), NULL);
    }
    r.arrays[0] = ir_param(func, ir_array(TY_FLOAT64, 1, LAYOUT_C), "x");
    r.arrays[1] = ir_param(func, ir_array(TY_INT64, 1, LAYOUT_ANY), "int");
    for (IrScalar type = TY_BOOL; type <= TY_FLOAT64; type++)
        r.pool[type][r.len[type]++] = r.vars[type] = ir_var(func, ir_scalar(type), "v");
    for (IrScalar type = TY_BOOL; type <= TY_FLOAT64; type++) {
        IrReg first = r.pool[type][0];
        ir_build_copy(&r.at, r.vars[type], first);
    }
    while (r.left) {
        r.left--;
        random_stmt(&r);
    }
    random_end(&r);
    return func;
}

typedef struct ArrayOf1 {
    void *data;
    JrBuffer *owner;
    int64_t dim, stride;
} ArrayOf1;

static inline void fill_arrays(uint64_t data[2][ARRAY_LEN], Random *r) {
    for (int i = 0; i < ARRAY_LEN; i++) {
        double d = (double)pick(r, 1000) / 8 - 50;
        memcpy(&data[0][i], &d, sizeof d);
        data[1][i] = pick(r, 3) ? pick(r, 100) : (uint64_t)-7 << pick(r, 50);
    }
}

static inline void run_reference(RefFrame *frame, Program *p, const IrFunc *func,
                                 IrConst *args, uint64_t data[2][ARRAY_LEN]) {
    uint32_t n = func->regs.len;
    RefArray *arrays = JR_NEW_ARRAY(p->arena, RefArray, n);
    *frame = (RefFrame){
        .func = func, .values = JR_NEW_ARRAY(p->arena, IrConst, n), .arrays = arrays};
    memcpy(frame->values, args, (func->nparams - 2) * sizeof *args);
    arrays[func->nparams - 2] = (RefArray){data[0], ARRAY_LEN, 1};
    arrays[func->nparams - 1] = (RefArray){&data[1][ARRAY_LEN - 1], ARRAY_LEN, -1};
    ref_block(frame, &func->body);
}

static inline void show_difference(Program *p, const IrFunc *func, uint32_t result,
                                   int32_t got, int32_t want) {
    JrText out;
    jr_text_init(&out, p->arena);
    ir_print_func(func, &out);
    fprintf(stderr, "%s", out.data);
    fail_msg("%s: result %u, status %d, want %d", func->name, result, got, want);
}

static inline void compare_run(Program *p, const IrFunc *func, Random *r) {
    IrConst args[2 * TY_COUNT] = {{0}}, results[64] = {{0}};
    uint64_t data[2][ARRAY_LEN], copy[2][ARRAY_LEN];
    void *arg_list[2 * TY_COUNT + 2], *result_list[64];
    uint32_t nscalars = func->nparams - 2;
    fill_arrays(data, r);
    memcpy(copy, data, sizeof data);
    ArrayOf1 x = {data[0], NULL, ARRAY_LEN, 1},
             y = {&data[1][ARRAY_LEN - 1], NULL, ARRAY_LEN, -1};
    for (uint32_t i = 0; i < nscalars; i++) {
        IrScalar type = ir_reg_type(func, i).scalar;
        args[i] = ir_scalar_is_float(type)
                      ? ref_float(type, (double)pick(r, 2000) / 16 - 60)
                      : ref_norm(type, ref_of_int((int64_t)pick(r, 300) - 150));
        if (type == TY_BOOL) args[i] = ref_of_int(pick(r, 2));
        arg_list[i] = &args[i];
    }
    arg_list[nscalars] = &x;
    arg_list[nscalars + 1] = &y;
    for (uint32_t i = 0; i < func->nrets; i++)
        result_list[i] = &results[i];
    RefFrame frame;
    run_reference(&frame, p, func, args, copy);
    Fake fake = new_fake();
    int32_t status = call(p, func->name, &fake, arg_list, result_list);
    if (status != frame.status) show_difference(p, func, 999, status, frame.status);
    for (uint32_t i = 0; status == 0 && i < func->nrets; i++)
        if (!ref_same(func->rets[i].scalar, frame.results[i], results[i], false))
            show_difference(p, func, i, status, frame.status);
    for (int i = 0; i < ARRAY_LEN; i++)
        if (!ref_same(TY_FLOAT64, (IrConst){.u = copy[0][i]}, (IrConst){.u = data[0][i]},
                      false) ||
            copy[1][i] != data[1][i])
            show_difference(p, func, 100 + (uint32_t)i, status, frame.status);
}

/* The environment variable JITRUN_RANDOM asks for more. */
static inline void run_random_programs(const JrEngine *engine) {
    const char *count = getenv("JITRUN_RANDOM");
    for (uint64_t seed = 1; seed <= (count ? strtoull(count, NULL, 10) : 400); seed++) {
        Program p = new_program(engine);
        IrFunc *func = random_function(&p, seed);
        Random r = {.seed = seed};
        compile(&p);
        for (int i = 0; i < 6; i++)
            compare_run(&p, func, &r);
        end_program(&p);
    }
}

/* Whether the type has the operation. */
static inline bool has_op(IrOp op, IrScalar type) {
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

#endif

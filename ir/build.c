/* Making modules, functions, registers and statements. */
#include "ir/ir.h"
#include "ir/numeric.h"

#include <string.h>

IrModule *ir_module_new(JrArena *arena, const char *file) {
    IrModule *module = JR_NEW(arena, IrModule);
    module->arena = arena;
    module->file = jr_arena_strdup(arena, file ? file : "<string>");
    jr_table_init(&module->by_name, arena);
    return module;
}

static IrFunc *func_make(IrModule *module, const char *name, const char *display) {
    IrFunc *func = JR_NEW(module->arena, IrFunc);
    func->name = jr_arena_strdup(module->arena, name);
    func->display = display ? jr_arena_strdup(module->arena, display) : func->name;
    func->module = module;
    jr_table_init(&func->consts, module->arena);
    return func;
}

IrFunc *ir_func_new(IrModule *module, const char *name, const char *display) {
    IrFunc *func = func_make(module, name, display);
    func->index = module->funcs.len;
    JR_PUSH(module->arena, &module->funcs, func);
    jr_table_put(&module->by_name, name, func);
    return func;
}

IrFunc *ir_module_find(const IrModule *module, const char *name) {
    return jr_table_get(&module->by_name, name);
}

IrFunc *ir_host_new(IrModule *module, const char *name) {
    IrFunc *func = func_make(module, name, NULL);
    func->host = func->may_fail = true;
    JR_PUSH(module->arena, &module->hosts, func);
    return func;
}

bool ir_returns_scalar(const IrFunc *func) {
    return func->nrets == 1 && !func->rets[0].ndim;
}

bool ir_returns_arrays(const IrFunc *func) {
    for (uint32_t i = 0; i < func->nrets; i++)
        if (func->rets[i].ndim) return true;
    return false;
}

IrFunc *ir_host_find(const IrModule *module, const char *name) {
    for (uint32_t i = 0; i < module->hosts.len; i++)
        if (strcmp(module->hosts.data[i]->name, name) == 0) return module->hosts.data[i];
    return NULL;
}

/* ---- Registers ---- */

static IrReg add_reg(IrFunc *func, IrRegKind kind, IrType type, const char *name) {
    JrArena *arena = func->module->arena;
    IrRegInfo info = {
        .type = type, .kind = kind, .name = name ? jr_arena_strdup(arena, name) : NULL};
    JR_PUSH(arena, &func->regs, info);
    return func->regs.len - 1;
}

IrReg ir_param(IrFunc *func, IrType type, const char *name) {
    func->nparams++;
    return add_reg(func, REG_PARAM, type, name);
}

IrReg ir_var(IrFunc *func, IrType type, const char *name) {
    IrReg reg = add_reg(func, REG_VAR, type, name);
    ir_reg(func, reg)->owned = type.ndim > 0;
    return reg;
}

IrReg ir_temp(IrFunc *func, IrType type) {
    return add_reg(func, REG_TEMP, type, NULL);
}

/* Constants are shared through a table keyed by text, so each kind has its spelling as a key.
 */
static IrReg intern(IrFunc *func, const char *key, IrScalar scalar, IrConst value) {
    void *known = jr_table_get(&func->consts, key);
    if (known) return (IrReg)((uintptr_t)known - 1);
    IrReg reg = add_reg(func, REG_CONST, ir_scalar(scalar), NULL);
    ir_reg(func, reg)->value = value;
    jr_table_put(&func->consts, key, (void *)((uintptr_t)reg + 1));
    return reg;
}

static int64_t wrap_signed(IrScalar scalar, uint64_t bits) {
    unsigned shift = 64 - 8 * ir_scalar_size(scalar);
    return (int64_t)(bits << shift) >> shift;
}

static uint64_t wrap_unsigned(IrScalar scalar, uint64_t bits) {
    unsigned shift = 64 - 8 * ir_scalar_size(scalar);
    return bits << shift >> shift;
}

/* The one spelling of each value: what is outside the type's width is cleared, so that equal
 * constants have equal bits. */
static IrConst canonical(IrScalar scalar, IrConst value) {
    IrConst result = {.u = 0};
    switch (ir_scalar_class(scalar)) {
    case 'B': result.i = value.i != 0; break;
    case 'I': result.i = wrap_signed(scalar, value.u); break;
    case 'U': result.u = wrap_unsigned(scalar, value.u); break;
    case 'F':
        if (scalar == TY_FLOAT32)
            result.f = value.f;
        else
            result.d = value.d;
        break;
    default: break;
    }
    return result;
}

IrReg ir_const(IrFunc *func, IrScalar scalar, IrConst value) {
    if (scalar == TY_STR) return ir_const_str(func, value.str.bytes, value.str.len);
    static const char HEX[] = "0123456789abcdef";
    value = canonical(scalar, value);
    char key[20], *at = key;
    *at++ = (char)('A' + scalar);
    for (uint64_t bits = value.u; bits; bits >>= 4)
        *at++ = HEX[bits & 15];
    *at = 0;
    return intern(func, key, scalar, value);
}

IrReg ir_const_int(IrFunc *func, IrScalar scalar, int64_t value) {
    IrConst c = {.i = value};
    if (scalar == TY_FLOAT64) c.d = (double)value;
    if (scalar == TY_FLOAT32) c = (IrConst){.f = (float)value};
    return ir_const(func, scalar, c);
}

IrReg ir_const_float(IrFunc *func, IrScalar scalar, double value) {
    IrConst c = {.d = value};
    if (scalar == TY_FLOAT32) c = (IrConst){.f = (float)value};
    if (scalar == TY_BOOL) c.i = value != 0;
    switch (scalar) {
    case TY_INT8: c.i = jr_num_to_i8(value); break;
    case TY_INT16: c.i = jr_num_to_i16(value); break;
    case TY_INT32: c.i = jr_num_to_i32(value); break;
    case TY_INT64: c.i = jr_num_to_i64(value); break;
    case TY_UINT8: c.u = jr_num_to_u8(value); break;
    case TY_UINT16: c.u = jr_num_to_u16(value); break;
    case TY_UINT32: c.u = jr_num_to_u32(value); break;
    case TY_UINT64: c.u = jr_num_to_u64(value); break;
    default: break;
    }
    return ir_const(func, scalar, c);
}

/* A string may hold NUL bytes, a key may not: \ and NUL are written \\ and \0. */
static const char *string_key(JrArena *arena, const char *bytes, uint32_t len) {
    char *key = jr_arena_alloc(arena, 2 * (size_t)len + 2), *at = key;
    *at++ = '"';
    for (uint32_t i = 0; i < len; i++) {
        if (bytes[i] == 0 || bytes[i] == '\\') *at++ = '\\';
        *at++ = bytes[i] ? bytes[i] : '0';
    }
    *at = 0;
    return key;
}

IrReg ir_const_str(IrFunc *func, const char *bytes, uint32_t len) {
    JrArena *arena = func->module->arena;
    const char *key = string_key(arena, bytes, len);
    void *known = jr_table_get(&func->consts, key);
    if (known) return (IrReg)((uintptr_t)known - 1);
    IrConst value = {.u = 0};
    value.str.bytes = jr_arena_strndup(arena, bytes, len);
    value.str.len = len;
    return intern(func, key, TY_STR, value);
}

/* ---- Blocks ---- */

void ir_block_append(IrBlock *block, IrStmt *stmt) {
    stmt->prev = block->last;
    stmt->next = NULL;
    if (block->last)
        block->last->next = stmt;
    else
        block->first = stmt;
    block->last = stmt;
}

void ir_block_insert_before(IrBlock *block, IrStmt *at, IrStmt *stmt) {
    if (!at) {
        ir_block_append(block, stmt);
        return;
    }
    stmt->prev = at->prev;
    stmt->next = at;
    if (at->prev)
        at->prev->next = stmt;
    else
        block->first = stmt;
    at->prev = stmt;
}

void ir_block_remove(IrBlock *block, IrStmt *stmt) {
    if (stmt->prev)
        stmt->prev->next = stmt->next;
    else
        block->first = stmt->next;
    if (stmt->next)
        stmt->next->prev = stmt->prev;
    else
        block->last = stmt->prev;
    stmt->prev = stmt->next = NULL;
}

/* ---- Statements ---- */

static IrReg *copy_regs(JrArena *arena, uint32_t n, const IrReg *regs) {
    if (!n) return NULL;
    IrReg *copy = JR_NEW_ARRAY(arena, IrReg, n);
    return memcpy(copy, regs, n * sizeof *copy);
}

IrStmt *ir_build(IrBuilder *b, IrOp op, uint32_t ndsts, const IrReg *dsts, uint32_t nargs,
                 const IrReg *args) {
    JrArena *arena = b->func->module->arena;
    IrStmt *stmt = JR_NEW(arena, IrStmt);
    stmt->op = (uint8_t)op;
    stmt->span = b->span;
    stmt->ndsts = ndsts;
    stmt->nargs = nargs;
    stmt->dsts = copy_regs(arena, ndsts, dsts);
    stmt->args = copy_regs(arena, nargs, args);
    for (uint32_t i = 0; i < ndsts; i++) {
        IrRegInfo *dst = ir_reg(b->func, dsts[i]);
        if (dst->kind == REG_TEMP) dst->def = stmt;
    }
    ir_block_append(b->block, stmt);
    return stmt;
}

static IrReg build_temp(IrBuilder *b, IrOp op, IrType type, uint32_t nargs,
                        const IrReg *args) {
    IrReg dst = ir_temp(b->func, type);
    ir_build(b, op, 1, &dst, nargs, args);
    return dst;
}

IrReg ir_build_unary(IrBuilder *b, IrOp op, IrType type, IrReg a) {
    return build_temp(b, op, type, 1, &a);
}

IrReg ir_build_binary(IrBuilder *b, IrOp op, IrType type, IrReg a, IrReg c) {
    return build_temp(b, op, type, 2, (IrReg[]){a, c});
}

IrReg ir_build_compare(IrBuilder *b, IrOp op, IrReg a, IrReg c) {
    return build_temp(b, op, ir_scalar(TY_BOOL), 2, (IrReg[]){a, c});
}

IrReg ir_build_select(IrBuilder *b, IrReg cond, IrReg a, IrReg c) {
    return build_temp(b, OP_SELECT, ir_reg_type(b->func, a), 3, (IrReg[]){cond, a, c});
}

IrReg ir_build_cast(IrBuilder *b, IrScalar to, IrReg a) {
    if (ir_reg_type(b->func, a).scalar == to) return a;
    return build_temp(b, OP_CAST, ir_scalar(to), 1, &a);
}

void ir_build_copy(IrBuilder *b, IrReg dst, IrReg src) {
    ir_build(b, OP_COPY, 1, &dst, 1, &src);
}

IrReg ir_build_math(IrBuilder *b, IrMath math, IrType type, uint32_t nargs,
                    const IrReg *args) {
    IrReg dst = build_temp(b, OP_MATH, type, nargs, args);
    ir_reg(b->func, dst)->def->u.math = math;
    return dst;
}

IrReg ir_build_dim(IrBuilder *b, IrReg array, uint8_t axis) {
    IrReg dst = build_temp(b, OP_DIM, ir_scalar(TY_INT64), 1, &array);
    ir_reg(b->func, dst)->def->u.imm = axis;
    return dst;
}

static void check_every_axis(IrStmt *stmt, uint32_t n) {
    stmt->u.mem.check = stmt->u.mem.wrap = (uint8_t)((1u << n) - 1);
}

/* A whole operand list: the array, its indices and, for a store, the value. */
static IrReg *access_args(IrBuilder *b, IrReg array, uint32_t n, const IrReg *index,
                          IrReg value) {
    IrReg *args = JR_NEW_ARRAY(b->func->module->arena, IrReg, n + 2);
    args[0] = array;
    if (n) memcpy(args + 1, index, n * sizeof *args);
    args[n + 1] = value;
    return args;
}

IrStmt *ir_build_load(IrBuilder *b, IrReg dst, IrReg array, uint32_t n, const IrReg *index) {
    IrReg *args = access_args(b, array, n, index, 0);
    IrStmt *stmt = ir_build(b, OP_LOAD, 1, &dst, n + 1, args);
    check_every_axis(stmt, n);
    return stmt;
}

IrStmt *ir_build_store(IrBuilder *b, IrReg array, uint32_t n, const IrReg *index,
                       IrReg value) {
    IrReg *args = access_args(b, array, n, index, value);
    IrStmt *stmt = ir_build(b, OP_STORE, 0, NULL, n + 2, args);
    check_every_axis(stmt, n);
    return stmt;
}

IrStmt *ir_build_if(IrBuilder *b, IrReg cond) {
    return ir_build(b, OP_IF, 0, NULL, 1, &cond);
}

IrStmt *ir_build_loop(IrBuilder *b) {
    return ir_build(b, OP_LOOP, 0, NULL, 0, NULL);
}

IrStmt *ir_build_for(IrBuilder *b, IrReg lo, IrReg hi, IrReg step, IrReg *counter) {
    *counter = ir_temp(b->func, ir_scalar(TY_INT64));
    return ir_build(b, OP_FOR, 1, counter, 3, (IrReg[]){lo, hi, step});
}

void ir_build_break(IrBuilder *b) {
    ir_build(b, OP_BREAK, 0, NULL, 0, NULL);
}

void ir_build_continue(IrBuilder *b) {
    ir_build(b, OP_CONTINUE, 0, NULL, 0, NULL);
}

void ir_build_return(IrBuilder *b, uint32_t n, const IrReg *values) {
    ir_build(b, OP_RETURN, 0, NULL, n, values);
}

void ir_build_raise(IrBuilder *b, IrExc exc, const char *message, uint32_t len) {
    IrReg text = ir_const_str(b->func, message, len);
    ir_build(b, OP_RAISE, 0, NULL, 1, &text)->u.exc = exc;
}

IrStmt *ir_build_call(IrBuilder *b, IrFunc *callee, uint32_t ndsts, const IrReg *dsts,
                      uint32_t nargs, const IrReg *args) {
    IrStmt *stmt = ir_build(b, OP_CALL, ndsts, dsts, nargs, args);
    stmt->u.callee = callee;
    return stmt;
}

IrStmt *ir_build_rt(IrBuilder *b, IrRtCall call, uint32_t ndsts, const IrReg *dsts,
                    uint32_t nargs, const IrReg *args) {
    IrStmt *stmt = ir_build(b, OP_RT, ndsts, dsts, nargs, args);
    stmt->u.rt = call;
    return stmt;
}

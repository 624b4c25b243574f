/* Values of expressions: constants that wait for a type, conversion, tuples as several
 * registers, storage for variables, and the pinning of borrowed arrays. */
#include "frontend/lower.h"

#include <math.h>

const FeNode *node_of(Lower *low, const AstExpr *expr) {
    return &low->spec->nodes[expr->id];
}

const FeType *type_of(Lower *low, const AstExpr *expr) {
    return node_of(low, expr)->type;
}

Value value_none(Lower *low) {
    return (Value){.type = low->module->types.none, .reg = IR_NO_REG};
}

Value value_reg(const FeType *type, IrReg reg) {
    return (Value){.type = type, .reg = reg};
}

Value value_ir(Lower *low, IrReg reg) {
    return value_reg(fe_type_ir(&low->module->types, ir_reg_type(low->func, reg)), reg);
}

Value value_const(const FeType *type, const FeConst *constant) {
    return (Value){.type = type, .constant = constant, .reg = IR_NO_REG};
}

Value value_int(Lower *low, int64_t number) {
    return value_ir(low, int_const(low, number));
}

Value value_tuple(Lower *low, uint32_t count, const Value *items) {
    const FeType **types = JR_NEW_ARRAY(low->arena, const FeType *, count + 1);
    Value *copy = JR_NEW_ARRAY(low->arena, Value, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = items[i];
        types[i] = items[i].type;
    }
    return (Value){.type = fe_type_tuple(&low->module->types, count, types),
                   .reg = IR_NO_REG,
                   .items = copy};
}

bool value_is_string(Value value) {
    return value.constant && value.constant->kind == FE_CONST_STR;
}

/* ---- Constants ---- */

/* What a float constant is as an integer: as CAST has it. */
static __int128 float_to_int(double x) {
    if (x != x) return 0;
    if (x >= 0x1p64) return (__int128)1 << 64;
    if (x <= -0x1p63) return -((__int128)1 << 63);
    return (__int128)x;
}

static IrReg const_as(Lower *low, const FeConst *constant, IrScalar to) {
    bool is_float = constant->kind == FE_CONST_FLOAT;
    if (ir_scalar_is_float(to)) {
        double d = is_float ? constant->d : (double)constant->i;
        if (!is_float && to == TY_FLOAT32) d = (float)constant->i;
        return ir_const_float(low->func, to, d);
    }
    if (to == TY_BOOL) return bool_const(low, is_float ? constant->d != 0 : constant->i != 0);
    __int128 i = is_float ? float_to_int(constant->d) : constant->i;
    if (ir_scalar_is_signed(to)) return ir_const(low->func, to, (IrConst){.i = (int64_t)i});
    return ir_const(low->func, to, (IrConst){.u = (uint64_t)i});
}

IrReg bool_const(Lower *low, bool value) {
    return ir_const(low->func, TY_BOOL, (IrConst){.i = value});
}

/* ---- Scalars ---- */

static IrScalar const_scalar(const FeConst *constant) {
    if (constant->kind == FE_CONST_BOOL) return TY_BOOL;
    return constant->kind == FE_CONST_FLOAT ? TY_FLOAT64 : TY_INT64;
}

IrScalar value_scalar(Lower *low, Value value) {
    if (!value.constant) return ir_reg_type(low->func, value.reg).scalar;
    if (value.type && value.type->kind == FE_SCALAR) return value.type->ir.scalar;
    return const_scalar(value.constant);
}

IrReg scalar_as(Lower *low, Value value, IrScalar to) {
    if (!value.constant) return ir_build_cast(&low->b, to, value.reg);
    /* A constant of a type of its own is first that: np.float32(0.1) is not the float64 0.1.
     */
    if (value.type && value.type->kind == FE_SCALAR && value.type->ir.scalar != to)
        return ir_build_cast(&low->b, to,
                             const_as(low, value.constant, value.type->ir.scalar));
    return const_as(low, value.constant, to);
}

IrReg scalar_reg(Lower *low, Value value) {
    return scalar_as(low, value, value_scalar(low, value));
}

IrReg index_reg(Lower *low, Value value) {
    if (value_scalar(low, value) != TY_UINT64 || value.constant)
        return scalar_as(low, value, TY_INT64);
    IrReg most = ir_const(low->func, TY_UINT64, (IrConst){.u = INT64_MAX});
    IrReg capped = ir_build_binary(&low->b, OP_MIN, ir_scalar(TY_UINT64), value.reg, most);
    return ir_build_cast(&low->b, TY_INT64, capped);
}

IrReg truth_reg(Lower *low, Value value) {
    if (value_is_string(value)) return bool_const(low, value.constant->len != 0);
    if (value.constant) return scalar_as(low, value, TY_BOOL);
    if (value.type->kind == FE_TUPLE) return bool_const(low, value.type->count != 0);
    if (value.type->kind == FE_NONE) return bool_const(low, false);
    return ir_build_cast(&low->b, TY_BOOL, value.reg);
}

/* ---- Conversion, and tuples as lists of registers ---- */

static Value array_converted(Lower *low, Value value, const FeType *to) {
    if (ir_type_same(ir_reg_type(low->func, value.reg), to->ir))
        return value_reg(to, value.reg);
    IrReg relaxed = ir_temp(low->func, to->ir);
    ir_build_copy(&low->b, relaxed, value.reg);
    return value_reg(to, relaxed);
}

Value value_converted(Lower *low, Value value, const FeType *to) {
    switch (to->kind) {
    case FE_SCALAR: return value_reg(to, scalar_as(low, value, to->ir.scalar));
    case FE_ARRAY: return array_converted(low, value, to);
    case FE_WEAK_INT:
    case FE_WEAK_FLOAT:
        if (value.constant) return value;
        return value_converted(low, value, fe_type_strong(&low->module->types, to));
    case FE_TUPLE: {
        Value tuple = {.type = to, .reg = IR_NO_REG};
        tuple.items = JR_NEW_ARRAY(low->arena, Value, to->count + 1);
        for (uint32_t i = 0; i < to->count; i++)
            tuple.items[i] = value_converted(low, value.items[i], to->items[i]);
        return tuple;
    }
    default: return value;
    }
}

uint32_t type_leaves(const FeType *type) {
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) return 1;
    uint32_t leaves = 0;
    if (type->kind == FE_TUPLE)
        for (uint32_t i = 0; i < type->count; i++)
            leaves += type_leaves(type->items[i]);
    return leaves;
}

uint32_t value_flatten(Lower *low, Value value, IrReg *out) {
    uint32_t n = 0;
    if (value.type->kind == FE_TUPLE)
        for (uint32_t i = 0; i < value.type->count; i++)
            n += value_flatten(low, value.items[i], out + n);
    else if (value.constant)
        out[n++] = scalar_reg(low, value);
    else if (value.reg != IR_NO_REG)
        out[n++] = value.reg;
    return n;
}

Value value_unflatten(Lower *low, const FeType *type, const IrReg **regs) {
    Value value = {.type = type, .reg = IR_NO_REG};
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) value.reg = *(*regs)++;
    if (type->kind == FE_TUPLE) {
        value.items = JR_NEW_ARRAY(low->arena, Value, type->count + 1);
        for (uint32_t i = 0; i < type->count; i++)
            value.items[i] = value_unflatten(low, type->items[i], regs);
    }
    return value;
}

/* ---- Storage ---- */

Value slot_new(Lower *low, const FeType *type, const char *name) {
    Value slot = {.type = type, .reg = IR_NO_REG};
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY)
        slot.reg = ir_var(low->func, type->ir, name);
    if (type->kind == FE_TUPLE) {
        slot.items = JR_NEW_ARRAY(low->arena, Value, type->count + 1);
        for (uint32_t i = 0; i < type->count; i++)
            slot.items[i] = slot_new(low, type->items[i], name);
    }
    return slot;
}

static void array_store_var(Lower *low, IrReg dst, IrReg src) {
    ir_build(&low->b, OP_ASSIGN, 1, &dst, 1, &src);
}

void slot_assign(Lower *low, Value slot, Value value) {
    if (slot.type->kind == FE_TUPLE) {
        for (uint32_t i = 0; i < slot.type->count; i++)
            slot_assign(low, slot.items[i], value.items[i]);
        return;
    }
    if (slot.reg == IR_NO_REG || slot.reg == value.reg) return;
    if (slot.type->kind == FE_ARRAY)
        array_store_var(low, slot.reg, value.reg);
    else
        ir_build_copy(&low->b, slot.reg, scalar_as(low, value, slot.type->ir.scalar));
}

/* ---- Borrowed arrays ---- */

IrReg array_owned_temp(Lower *low, IrType type) {
    IrReg temp = ir_temp(low->func, type);
    ir_reg(low->func, temp)->owned = true;
    return temp;
}

/* The register that owns what `array` shows: through the views it was made by. */
IrReg array_root(Lower *low, IrReg array) {
    for (;;) {
        const IrRegInfo *info = ir_reg(low->func, array);
        if (info->kind != REG_TEMP || info->owned || !info->def) return array;
        array = info->def->args[0];
    }
}

/* A register that keeps the array alive whatever is assigned from here on. */
IrReg array_pinned(Lower *low, IrReg array) {
    if (ir_reg(low->func, array_root(low, array))->kind != REG_VAR) return array;
    IrReg pinned = array_owned_temp(low, ir_reg_type(low->func, array));
    array_store_var(low, pinned, array);
    return pinned;
}

/* The same value, in registers that no assignment changes. */
Value value_pinned(Lower *low, Value value) {
    if (value.type->kind == FE_TUPLE) {
        Value *items = JR_NEW_ARRAY(low->arena, Value, value.type->count + 1);
        for (uint32_t i = 0; i < value.type->count; i++)
            items[i] = value_pinned(low, value.items[i]);
        value.items = items;
    } else if (value.reg != IR_NO_REG && ir_reg_type(low->func, value.reg).ndim) {
        value.reg = array_pinned(low, value.reg);
    } else if (value.reg != IR_NO_REG && ir_reg(low->func, value.reg)->kind == REG_VAR) {
        IrReg copy = ir_temp(low->func, ir_reg_type(low->func, value.reg));
        ir_build_copy(&low->b, copy, value.reg);
        value.reg = copy;
    }
    return value;
}

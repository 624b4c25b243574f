/* Values of expressions: constants that wait for a type, conversion, tuples as several
 * registers, storage for variables, and the pinning of borrowed arrays. */
#include "frontend/lower/lower.h"

const FeNode *fe_node_of(Lower *low, const AstExpr *expr) {
    return &low->spec->nodes[expr->id];
}

const FeType *fe_type_of(Lower *low, const AstExpr *expr) {
    return fe_node_of(low, expr)->type;
}

Value fe_value_none(Lower *low) {
    return (Value){.type = low->module->types.none, .reg = IR_NO_REG};
}

Value fe_value_reg(const FeType *type, IrReg reg) {
    return (Value){.type = type, .reg = reg};
}

Value fe_value_ir(Lower *low, IrReg reg) {
    return fe_value_reg(fe_type_ir(&low->module->types, ir_reg_type(low->func, reg)), reg);
}

/* A scalar waits for the type its user wants; the items of a tuple have registers, as those of
 * any tuple. */
Value fe_value_const(Lower *low, const FeType *type, const FeConst *constant) {
    if (constant->kind == FE_CONST_NONE) return fe_value_none(low);
    if (constant->kind != FE_CONST_TUPLE)
        return (Value){.type = type, .constant = constant, .reg = IR_NO_REG};
    Value *items = JR_NEW_ARRAY(low->arena, Value, type->count + 1);
    for (uint32_t i = 0; i < type->count; i++) {
        const FeType *strong = fe_type_strong(&low->module->types, type->items[i]);
        Value item = fe_value_const(low, type->items[i], constant->items[i]);
        items[i] = fe_value_converted(low, item, strong);
    }
    return fe_value_tuple(low, type->count, items);
}

Value fe_value_int(Lower *low, int64_t number) {
    return fe_value_ir(low, fe_int_const(low, number));
}

Value fe_value_tuple(Lower *low, uint32_t count, const Value *items) {
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

bool fe_value_is_string(Value value) {
    return value.constant && value.constant->kind == FE_CONST_STR;
}

/* ---- Constants ---- */

static IrReg const_as(Lower *low, const FeConst *constant, IrScalar to) {
    if (constant->kind == FE_CONST_FLOAT) return ir_const_float(low->func, to, constant->d);
    if (to == TY_BOOL) return fe_bool_const(low, constant->i != 0);
    if (to == TY_FLOAT32) return ir_const(low->func, to, (IrConst){.f = (float)constant->i});
    if (to == TY_FLOAT64) return ir_const_float(low->func, to, (double)constant->i);
    return ir_const(low->func, to, (IrConst){.u = (uint64_t)constant->i});
}

IrReg fe_bool_const(Lower *low, bool value) {
    return ir_const(low->func, TY_BOOL, (IrConst){.i = value});
}

/* ---- Scalars ---- */

static IrScalar const_scalar(const FeConst *constant) {
    if (constant->kind == FE_CONST_BOOL) return TY_BOOL;
    return constant->kind == FE_CONST_FLOAT ? TY_FLOAT64 : TY_INT64;
}

IrScalar fe_value_scalar(Lower *low, Value value) {
    if (!value.constant) return ir_reg_type(low->func, value.reg).scalar;
    if (value.type && value.type->kind == FE_SCALAR) return value.type->ir.scalar;
    return const_scalar(value.constant);
}

IrReg fe_scalar_as(Lower *low, Value value, IrScalar to) {
    if (!value.constant) return ir_build_cast(&low->b, to, value.reg);
    /* A constant of a type of its own is first that: np.float32(0.1) is not the float64 0.1.
     */
    if (value.type && value.type->kind == FE_SCALAR && value.type->ir.scalar != to)
        return ir_build_cast(&low->b, to,
                             const_as(low, value.constant, value.type->ir.scalar));
    return const_as(low, value.constant, to);
}

IrReg fe_scalar_reg(Lower *low, Value value) {
    return fe_scalar_as(low, value, fe_value_scalar(low, value));
}

IrReg fe_index_reg(Lower *low, Value value) {
    const FeConst *constant = value.constant;
    if (constant && constant->kind == FE_CONST_INT && constant->i > INT64_MAX)
        return fe_int_const(low, INT64_MAX);
    if (constant || fe_value_scalar(low, value) != TY_UINT64)
        return fe_scalar_as(low, value, TY_INT64);
    IrReg most = ir_const(low->func, TY_UINT64, (IrConst){.u = INT64_MAX});
    IrReg capped = ir_build_binary(&low->b, OP_MIN, ir_scalar(TY_UINT64), value.reg, most);
    return ir_build_cast(&low->b, TY_INT64, capped);
}

IrReg fe_truth_reg(Lower *low, Value value) {
    if (fe_value_is_string(value)) return fe_bool_const(low, value.constant->len != 0);
    if (value.constant) return fe_scalar_as(low, value, TY_BOOL);
    if (value.type->kind == FE_TUPLE) return fe_bool_const(low, value.type->count != 0);
    if (value.type->kind == FE_NONE) return fe_bool_const(low, false);
    return ir_build_cast(&low->b, TY_BOOL, value.reg);
}

/* ---- Conversion, and tuples as lists of registers ---- */

/* A view of the whole array, where one of any layout is wanted. */
static Value array_converted(Lower *low, Value value, const FeType *to) {
    if (ir_type_same(ir_reg_type(low->func, value.reg), to->ir))
        return fe_value_reg(to, value.reg);
    IrReg relaxed = ir_temp(low->func, to->ir);
    ir_build(&low->b, OP_VIEW, 1, &relaxed, 1, &value.reg);
    return fe_value_reg(to, relaxed);
}

Value fe_value_converted(Lower *low, Value value, const FeType *to) {
    switch (to->kind) {
    case FE_SCALAR: return fe_value_reg(to, fe_scalar_as(low, value, to->ir.scalar));
    case FE_ARRAY: return array_converted(low, value, to);
    case FE_WEAK_INT:
    case FE_WEAK_FLOAT:
        if (value.constant) return value;
        return fe_value_converted(low, value, fe_type_strong(&low->module->types, to));
    case FE_FUNC:
        if (!to->count) return value; /* fall through */
    case FE_TUPLE: {
        Value tuple = {.type = to, .reg = IR_NO_REG};
        tuple.items = JR_NEW_ARRAY(low->arena, Value, to->count + 1);
        for (uint32_t i = 0; i < to->count; i++)
            tuple.items[i] = fe_value_converted(low, value.items[i], to->items[i]);
        return tuple;
    }
    default: return value;
    }
}

uint32_t fe_type_leaves(const FeType *type) {
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) return 1;
    uint32_t leaves = 0;
    if (fe_type_is_product(type))
        for (uint32_t i = 0; i < type->count; i++)
            leaves += fe_type_leaves(type->items[i]);
    return leaves;
}

uint32_t fe_value_flatten(Lower *low, Value value, IrReg *out) {
    uint32_t n = 0;
    if (fe_type_is_product(value.type))
        for (uint32_t i = 0; i < value.type->count; i++)
            n += fe_value_flatten(low, value.items[i], out + n);
    else if (value.constant && !fe_value_is_string(value))
        out[n++] = fe_scalar_reg(low, value);
    else if (value.reg != IR_NO_REG)
        out[n++] = value.reg;
    return n;
}

Value fe_value_unflatten(Lower *low, const FeType *type, const IrReg **regs) {
    Value value = {.type = type, .reg = IR_NO_REG};
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY) value.reg = *(*regs)++;
    if (fe_type_is_product(type)) {
        value.items = JR_NEW_ARRAY(low->arena, Value, type->count + 1);
        for (uint32_t i = 0; i < type->count; i++)
            value.items[i] = fe_value_unflatten(low, type->items[i], regs);
    }
    return value;
}

/* ---- Storage ---- */

Value fe_slot_new(Lower *low, const FeType *type, const char *name) {
    Value slot = {.type = type, .reg = IR_NO_REG};
    if (type->kind == FE_SCALAR || type->kind == FE_ARRAY)
        slot.reg = ir_var(low->func, type->ir, name);
    if (fe_type_is_product(type)) {
        slot.items = JR_NEW_ARRAY(low->arena, Value, type->count + 1);
        for (uint32_t i = 0; i < type->count; i++)
            slot.items[i] = fe_slot_new(low, type->items[i], name);
    }
    return slot;
}

static void array_store_var(Lower *low, IrReg dst, IrReg src) {
    ir_build(&low->b, OP_ASSIGN, 1, &dst, 1, &src);
}

void fe_slot_assign(Lower *low, Value slot, Value value) {
    if (fe_type_is_product(slot.type)) {
        for (uint32_t i = 0; i < slot.type->count; i++)
            fe_slot_assign(low, slot.items[i], value.items[i]);
        return;
    }
    if (slot.reg == IR_NO_REG || slot.reg == value.reg) return;
    if (slot.type->kind == FE_ARRAY)
        array_store_var(low, slot.reg, value.reg);
    else
        ir_build_copy(&low->b, slot.reg, fe_scalar_as(low, value, slot.type->ir.scalar));
}

/* Whether the last statement made the value, in a register that is nobody's: loop variables
 * are registers with names. */
static bool is_fresh(Lower *low, IrReg reg) {
    const IrStmt *last = low->b.block->last;
    const IrRegInfo *info = ir_reg(low->func, reg);
    return last && last->op != OP_FOR && last->ndsts == 1 && last->dsts[0] == reg &&
           info->kind == REG_TEMP && !info->name;
}

/* The same for a value that nothing else uses: what made it writes the variable at once. */
void fe_slot_take(Lower *low, Value slot, Value value) {
    bool scalar = slot.type->kind == FE_SCALAR && !value.constant;
    if (!scalar || !is_fresh(low, value.reg) ||
        !ir_type_same(ir_reg_type(low->func, value.reg), slot.type->ir)) {
        fe_slot_assign(low, slot, value);
        return;
    }
    ir_reg(low->func, value.reg)->def = NULL;
    low->b.block->last->dsts[0] = slot.reg;
}

/* ---- Borrowed arrays ---- */

IrReg fe_array_owned_temp(Lower *low, IrType type) {
    IrReg temp = ir_temp(low->func, type);
    ir_reg(low->func, temp)->owned = true;
    return temp;
}

/* The register that owns what `array` shows: through the views it was made by. */
IrReg fe_array_root(Lower *low, IrReg array) {
    for (;;) {
        const IrRegInfo *info = ir_reg(low->func, array);
        if (info->kind != REG_TEMP || info->owned || !info->def) return array;
        array = info->def->args[0];
    }
}

/* A register that keeps the array alive whatever is assigned from here on. */
static IrReg array_pinned(Lower *low, IrReg array) {
    if (ir_reg(low->func, fe_array_root(low, array))->kind != REG_VAR) return array;
    IrReg pinned = fe_array_owned_temp(low, ir_reg_type(low->func, array));
    array_store_var(low, pinned, array);
    return pinned;
}

/* The same value, in registers that no assignment changes. */
Value fe_value_pinned(Lower *low, Value value) {
    if (fe_type_is_product(value.type)) {
        Value *items = JR_NEW_ARRAY(low->arena, Value, value.type->count + 1);
        for (uint32_t i = 0; i < value.type->count; i++)
            items[i] = fe_value_pinned(low, value.items[i]);
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

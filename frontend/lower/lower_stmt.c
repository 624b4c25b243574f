/* Statements other than loops: assignment in its forms, if, return, assert, raise. */
#include "frontend/lower/lower.h"

/* ---- Variables ---- */

Value fe_var_slot(Lower *low, FeVar *var) {
    VarInfo *info = fe_var_info(low, var);
    if (!info->has_slot) {
        info->slot = fe_slot_new(low, var->type, var->name);
        info->has_slot = true;
    }
    return info->slot;
}

static void assign_name(Lower *low, const AstExpr *name, Value value) {
    FeVar *var = fe_var_of(low, name);
    if (!var) return; /* a module constant: its uses hold the value */
    fe_slot_assign(low, fe_var_slot(low, var), fe_value_converted(low, value, var->type));
}

/* Of a value that is only for this. */
static void assign_only(Lower *low, const AstExpr *name, Value value) {
    FeVar *var = fe_var_of(low, name);
    fe_slot_take(low, fe_var_slot(low, var), fe_value_converted(low, value, var->type));
}

/* A bound register is the variable: it has its name, which also keeps fe_slot_take off it. */
static void name_regs(Lower *low, Value value, const char *name) {
    for (uint32_t i = 0; value.items && i < value.type->count; i++)
        name_regs(low, value.items[i], name);
    if (value.reg == IR_NO_REG) return;
    IrRegInfo *info = ir_reg(low->func, value.reg);
    if (info->kind == REG_TEMP && !info->name) info->name = name;
}

static void bind_name(Lower *low, const AstExpr *name, Value value) {
    FeVar *var = fe_var_of(low, name);
    if (!var) return;
    VarInfo *info = fe_var_info(low, var);
    if (info->escapes) {
        assign_name(low, name, value);
        return;
    }
    info->slot = fe_value_converted(low, value, var->type);
    info->has_slot = true;
    name_regs(low, info->slot, var->name);
}

/* ---- Targets ---- */

/* array[:] = numbers, in as many elements. */
static void store_row(Lower *low, IrReg array, Value numbers) {
    IrScalar scalar = (IrScalar)ir_reg(low->func, array)->type.scalar;
    uint32_t n = numbers.type->count;
    IrReg other =
        fe_int_compare(low, OP_NE, ir_build_dim(&low->b, array, 0), fe_int_const(low, n));
    fe_raise_if(low, other, EXC_VALUE,
                jr_arena_printf(low->arena,
                                "could not broadcast input array from shape (%u,) into the "
                                "shape of the target",
                                n));
    for (uint32_t i = 0; i < n; i++) {
        IrReg at = fe_int_const(low, i);
        fe_array_store(low, array, 1, &at, fe_scalar_as(low, numbers.items[i], scalar));
    }
}

static void assign_subscript(Lower *low, const AstExpr *target, Value value) {
    if (fe_is_gather(low, target)) {
        fe_lower_put(low, target, value);
        return;
    }
    if (fe_is_mask(low, target)) {
        fe_lower_mask_assign(low, target, value);
        return;
    }
    Subscript sub = fe_subscript_eval(low, target);
    if (sub.element)
        fe_subscript_set(low, &sub, value, true);
    else if (fe_type_is_product(value.type) && value.type->count > 1)
        store_row(low, fe_subscript_get(low, &sub).reg, value);
    else if (fe_type_is_product(value.type))
        fe_array_assign(low, fe_subscript_get(low, &sub).reg, value.items[0]);
    else
        fe_array_assign(low, fe_subscript_get(low, &sub).reg, value);
}

/* a, b = array: raises CPython's errors unless its first axis has n items. */
static void check_length(Lower *low, IrReg length, uint32_t n) {
    IrReg other = fe_int_compare(low, OP_NE, length, fe_int_const(low, n));
    IrStmt *guard = ir_build_if(&low->b, other);
    IrBlock *outer = fe_block_swap(low, &guard->u.blocks.then);
    for (uint32_t got = 0; got < n; got++)
        fe_raise_if(low, fe_int_compare(low, OP_EQ, length, fe_int_const(low, got)), EXC_VALUE,
                    jr_arena_printf(low->arena,
                                    "not enough values to unpack (expected %u, got %u)", n,
                                    got));
    fe_raise_if(low, fe_bool_const(low, true), EXC_VALUE,
                jr_arena_printf(low->arena, "too many values to unpack (expected %u)", n));
    fe_block_swap(low, outer);
}

/* The items of an array's first axis, all read before any is assigned. */
static Value unpacked(Lower *low, const AstExpr *target, Value array) {
    uint32_t n = target->items.len;
    Value *items = JR_NEW_ARRAY(low->arena, Value, n + 1);
    array = fe_value_pinned(low, array);
    low->b.span = target->span;
    check_length(low, ir_build_dim(&low->b, array.reg, 0), n);
    for (uint32_t i = 0; i < n; i++)
        items[i] = fe_array_item(low, array, fe_int_const(low, i));
    return fe_value_tuple(low, n, items);
}

static void to_target(Lower *low, const AstExpr *target, Value value, bool bind) {
    JrSpan outer = low->b.span;
    low->b.span = target->at.line ? target->at : target->span;
    if (target->kind == AST_NAME && bind)
        bind_name(low, target, value);
    else if (target->kind == AST_NAME)
        assign_name(low, target, value);
    else if (target->kind == AST_SUBSCRIPT)
        assign_subscript(low, target, value);
    else { /* a tuple or list of targets */
        if (value.type->kind == FE_ARRAY) value = unpacked(low, target, value);
        for (uint32_t i = 0; i < target->items.len; i++)
            to_target(low, target->items.data[i], value.items[i], bind);
    }
    low->b.span = outer;
}

static void assign_target(Lower *low, const AstExpr *target, Value value) {
    to_target(low, target, value, false);
}

void fe_bind_target(Lower *low, const AstExpr *target, Value value) {
    to_target(low, target, value, true);
}

/* ---- Assignment ---- */

/* The variable an array result may be made in at once, instead of in a temporary. */
static IrReg wanted(Lower *low, const AstStmt *stmt) {
    const AstExpr *target = stmt->targets.data[0];
    if (stmt->targets.len != 1 || target->kind != AST_NAME) return IR_NO_REG;
    FeVar *var = fe_var_of(low, target);
    return var && var->type->kind == FE_ARRAY ? fe_var_slot(low, var).reg : IR_NO_REG;
}

/* Nothing but module constants: their uses hold the values. */
static bool is_definition(Lower *low, const AstExpr *target) {
    if (target->kind == AST_NAME) return !fe_var_of(low, target);
    if (target->kind != AST_TUPLE && target->kind != AST_LIST) return false;
    for (uint32_t i = 0; i < target->items.len; i++)
        if (!is_definition(low, target->items.data[i])) return false;
    return true;
}

static void lower_assign(Lower *low, const AstStmt *stmt) {
    bool definition = true;
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        definition &= is_definition(low, stmt->targets.data[i]);
    if (definition) return;
    if (stmt->targets.len == 1 && fe_is_whole(low, stmt->value) &&
        stmt->targets.data[0]->kind == AST_SUBSCRIPT &&
        !fe_is_gather(low, stmt->targets.data[0])) {
        fe_lower_whole_assign(low, stmt->targets.data[0], stmt->value);
        return;
    }
    Value value = fe_lower_expr_into(low, stmt->value, wanted(low, stmt));
    if (stmt->targets.data[0]->kind == AST_SUBSCRIPT) fe_whole_note_made(low, stmt->value);
    /* a, b = b, a: all of the right side is read before the first is assigned. */
    if (fe_type_is_product(value.type)) value = fe_value_pinned(low, value);
    if (stmt->targets.len == 1 && stmt->targets.data[0]->kind == AST_NAME) {
        assign_only(low, stmt->targets.data[0], value);
        return;
    }
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        assign_target(low, stmt->targets.data[i], value);
}

static void lower_augmented_element(Lower *low, const AstStmt *stmt,
                                    const FeOperation *operation) {
    const AstExpr *target = stmt->targets.data[0];
    JrSpan outer = low->b.span;
    low->b.span = target->at.line ? target->at : target->span;
    Subscript sub = fe_subscript_eval(low, target);
    Value old = fe_subscript_get(low, &sub);
    low->b.span = outer;
    Value operand = fe_lower_expr(low, stmt->value);
    Value result = fe_lower_arith(low, stmt->op, old, operand, operation);
    fe_subscript_set(low, &sub, result, false); /* the load has checked the index */
}

static void lower_augmented(Lower *low, const AstStmt *stmt) {
    const AstExpr *target = stmt->targets.data[0];
    const FeOperation *operation = fe_node_of(low, target)->operations;
    if (!operation) return;
    if (fe_type_of(low, target)->kind == FE_ARRAY) {
        if (fe_is_mask(low, target))
            fe_lower_mask_augmented(low, stmt);
        else
            fe_lower_whole_augmented(low, stmt);
        return;
    }
    if (target->kind == AST_SUBSCRIPT) {
        lower_augmented_element(low, stmt, operation);
        return;
    }
    FeVar *var = fe_var_of(low, target);
    if (!var) return;
    Value old = fe_var_slot(low, var);
    if (var->named) old = fe_value_pinned(low, old);
    Value operand = fe_lower_expr(low, stmt->value);
    assign_only(low, target, fe_lower_arith(low, stmt->op, old, operand, operation));
}

/* ---- The others ---- */

static void lower_into(Lower *low, IrBlock *block, const AstBlock *body) {
    IrBlock *outer = fe_block_swap(low, block);
    fe_lower_block(low, body);
    fe_block_swap(low, outer);
}

static void lower_if(Lower *low, const AstStmt *stmt) {
    const FeConst *known = fe_node_of(low, stmt->value)->value;
    if (known) {
        fe_lower_effects(low, stmt->value);
        fe_lower_block(low, fe_const_truth(known) ? &stmt->body : &stmt->orelse);
        return;
    }
    IrReg cond = fe_lower_cond(low, stmt->value);
    IrStmt *branch = ir_build_if(&low->b, cond);
    lower_into(low, &branch->u.blocks.then, &stmt->body);
    lower_into(low, &branch->u.blocks.els, &stmt->orelse);
}

static void lower_return(Lower *low, const AstStmt *stmt) {
    Value value = stmt->value ? fe_lower_expr(low, stmt->value) : fe_value_none(low);
    IrReg *regs = JR_NEW_ARRAY(low->arena, IrReg, fe_type_leaves(low->spec->ret) + 1);
    uint32_t n = 0;
    if (low->spec->ret->kind != FE_NONE)
        n = fe_value_flatten(low, fe_value_converted(low, value, low->spec->ret), regs);
    ir_build_return(&low->b, n, regs);
}

static void raise_text(Lower *low, IrExc exc, const AstExpr *message) {
    const FeConst *text = message ? fe_node_of(low, message)->value : NULL;
    if (!text || text->kind != FE_CONST_STR)
        ir_build_raise(&low->b, exc, "", 0);
    else
        ir_build_raise(&low->b, exc, text->bytes, text->len);
}

static void lower_assert(Lower *low, const AstStmt *stmt) {
    IrReg failed = fe_invert(low, fe_lower_cond(low, stmt->value));
    IrStmt *branch = ir_build_if(&low->b, failed);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    raise_text(low, EXC_ASSERTION, stmt->message);
    fe_block_swap(low, outer);
}

static void lower_raise(Lower *low, const AstStmt *stmt) {
    const AstExpr *name = stmt->value, *message = NULL;
    if (name->kind == AST_CALL) {
        message = name->items.len ? name->items.data[0] : NULL;
        name = name->left;
    }
    const FeType *type = fe_type_of(low, name);
    if (!type) type = fe_type_of(low, stmt->value);
    raise_text(low, type->exc, message);
}

/* Lets go of the arrays: what nothing else refers to is freed now, not when the function ends. */
static void release(Lower *low, Value slot) {
    for (uint32_t i = 0; slot.items && i < slot.type->count; i++)
        release(low, slot.items[i]);
    if (slot.reg == IR_NO_REG || ir_reg(low->func, slot.reg)->kind != REG_VAR) return;
    IrType type = ir_reg_type(low->func, slot.reg);
    if (!type.ndim) return;
    IrReg none =
        fe_array_owned_temp(low, ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_C));
    IrReg dims[IR_MAX_DIMS];
    for (unsigned i = 0; i < type.ndim; i++)
        dims[i] = fe_int_const(low, 0);
    ir_build(&low->b, OP_ALLOC, 1, &none, type.ndim, dims);
    fe_slot_assign(low, slot, fe_value_converted(low, fe_value_ir(low, none), slot.type));
}

static void lower_del(Lower *low, const AstStmt *stmt) {
    for (uint32_t i = 0; i < stmt->targets.len; i++) {
        FeVar *var = jr_table_get(&low->spec->var_by_name, stmt->targets.data[i]->name);
        if (var) release(low, fe_var_slot(low, var));
    }
}

/* A def in a function: its variable holds what it captures. */
static void lower_def(Lower *low, const AstStmt *stmt) {
    const FeFunc *inner = fe_inner_find(low->spec->func, stmt);
    FeVar *name = inner ? jr_table_get(&low->spec->var_by_name, inner->ast->name) : NULL;
    if (!name || name->type->kind != FE_FUNC) return;
    Value value = {.type = name->type, .reg = IR_NO_REG};
    value.items = JR_NEW_ARRAY(low->arena, Value, inner->captures.len + 1);
    for (uint32_t i = 0; i < inner->captures.len; i++) {
        FeVar *var = jr_table_get(&low->spec->var_by_name, inner->captures.data[i].name);
        value.items[i] = fe_var_slot(low, var);
    }
    fe_slot_assign(low, fe_var_slot(low, name), fe_value_converted(low, value, name->type));
}

static void lower_break(Lower *low) {
    if (low->loop->completed != IR_NO_REG)
        ir_build_copy(&low->b, low->loop->completed, fe_bool_const(low, false));
    ir_build_break(&low->b);
}

static void lower_continue(Lower *low) {
    if (low->loop->stream) ir_build_rt(&low->b, RT_RANDOM_LEAVE, 0, NULL, 0, NULL);
    ir_build_continue(&low->b);
}

static void lower_stmt(Lower *low, const AstStmt *stmt) {
    low->b.span = low->statement = stmt->span;
    switch (stmt->kind) {
    case AST_ASSIGN: lower_assign(low, stmt); break;
    case AST_ANN:
        if (stmt->value) lower_assign(low, stmt);
        break;
    case AST_AUG: lower_augmented(low, stmt); break;
    case AST_EXPR: fe_lower_expr(low, stmt->value); break;
    case AST_IF: lower_if(low, stmt); break;
    case AST_WHILE: fe_lower_while(low, stmt); break;
    case AST_FOR: fe_lower_for(low, stmt); break;
    case AST_BREAK: lower_break(low); break;
    case AST_DEL: lower_del(low, stmt); break;
    case AST_CONTINUE: lower_continue(low); break;
    case AST_RETURN: lower_return(low, stmt); break;
    case AST_ASSERT: lower_assert(low, stmt); break;
    case AST_RAISE: lower_raise(low, stmt); break;
    case AST_DEF: lower_def(low, stmt); break;
    case AST_PASS:
    case AST_IMPORT:
    case AST_GLOBAL: break;
    }
}

/* What follows a return, a break and the like is never reached and is left out. */
void fe_lower_block(Lower *low, const AstBlock *block) {
    for (uint32_t i = 0; i < block->len && !fe_block_ends(low->b.block); i++)
        lower_stmt(low, block->data[i]);
}

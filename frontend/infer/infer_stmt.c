/* Units: what a statement does to variables. */
#include "frontend/infer/infer.h"

#include <string.h>

static void assign_target(FeInfer *in, const AstExpr *target, const FeType *type,
                          const AstExpr *value, bool use);

static void assign_name(FeInfer *in, const AstExpr *target, const FeType *type,
                        const AstExpr *value, bool use) {
    FeVar *var = jr_table_get(&in->spec->var_by_name, target->name);
    if (!var) return; /* a constant of the module */
    FeNode *node = node_at(in, target);
    fe_infer_assign(in, var, type, value ? value->span : target->span);
    node->var = var;
    node->type = var->type;
    if (use && value) fe_infer_use(in, value, var->type);
}

static void assign_items(FeInfer *in, const AstExpr *target, const FeType *type,
                         const AstExpr *value, bool use) {
    uint32_t n = target->items.len;
    bool display = value && value->kind == AST_TUPLE && value->items.len == n;
    bool fits = type->kind == FE_TUPLE && type->count == n;
    bool array = type->kind == FE_ARRAY; /* that there are n is seen when it runs */
    const FeType *rest = array ? fe_infer_element(in, type, 1, true) : fe_infer_silent(in);
    node_at(in, target)->type = type;
    if (type->kind == FE_TUPLE && !fits)
        fe_infer_fail(in, target->span, NULL, "%u value%s cannot be unpacked into %u names",
                      type->count, type->count == 1 ? "" : "s", n);
    else if (!fits && !array && !type_is_void(type))
        fe_infer_fail(in, target->span, NULL, "%s cannot be unpacked",
                      fe_infer_name(in, type));
    for (uint32_t i = 0; i < n; i++)
        assign_target(in, target->items.data[i], fits ? type->items[i] : rest,
                      display ? value->items.data[i] : NULL, use);
}

/* m[i] = (x, y, z) or [x, y, z]: numbers for a view of one dimension. */
static bool is_row(FeInfer *in, const AstExpr *target, const FeType *into,
                   const FeType *type) {
    if (into->kind != FE_ARRAY || into->ir.ndim != 1 || type->count == 0 ||
        (type->kind != FE_TUPLE && type->kind != FE_LIST))
        return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!type_is_number(type->items[i])) return false;
    return !fe_infer_is_mask(in, target) && !fe_infer_is_gather(in, target);
}

/* a[i] = number; a[i:j] = a number for every element, or an array that broadcasts. */
static void assign_element(FeInfer *in, const AstExpr *target, const FeType *type,
                           const AstExpr *value, bool use) {
    const FeType *into = fe_infer_subscript(in, target, true);
    node_at(in, target)->type = into;
    if (type_is_void(into) || type_is_void(type)) return;
    const FeType *element = scalar_type(in, into->ir.scalar);
    bool array =
        into->kind == FE_ARRAY && type->kind == FE_ARRAY && type->ir.ndim <= into->ir.ndim;
    bool masked = array && fe_infer_is_mask(in, target);
    bool items = is_row(in, target, into, type);
    if (masked && !fe_infer_can_put_masked(in, target, type))
        fe_infer_fail(in, value ? value->span : target->span, "write a loop, or use np.where",
                      "the elements under a mask take one number, or an array of 1 dimension "
                      "where the mask has 1 or 2");
    else if (!array && !items && !type_is_number(type))
        fe_infer_fail(in, value ? value->span : target->span, NULL,
                      "%s cannot be stored in %s", fe_infer_name(in, type),
                      into->kind == FE_ARRAY
                          ? fe_infer_name(in, into)
                          : jr_arena_printf(in->arena, "an element of type %s",
                                            fe_infer_name(in, into)));
    else if (masked || fe_infer_is_gather(in, target))
        fe_infer_put(in, target, type);
    if (use && value && !array) fe_infer_use(in, value, element);
}

static void assign_target(FeInfer *in, const AstExpr *target, const FeType *type,
                          const AstExpr *value, bool use) {
    switch (target->kind) {
    case AST_NAME: assign_name(in, target, type, value, use); break;
    case AST_TUPLE:
    case AST_LIST: assign_items(in, target, type, value, use); break;
    case AST_SUBSCRIPT: assign_element(in, target, type, value, use); break;
    default:
        fe_infer_fail(in, target->span, "assign to a variable or an element",
                      "this cannot be assigned to");
    }
}

/* np.f(..., out=a): the elements are cast as NumPy allows it, which = does not ask. */
static void check_out(FeInfer *in, const AstStmt *stmt, const FeType *type) {
    const FeType *into = node_at(in, stmt->targets.data[0])->type;
    bool array = into && into->kind == FE_ARRAY && type->kind == FE_ARRAY;
    if (array && !fe_infer_same_kind((IrScalar)into->ir.scalar, (IrScalar)type->ir.scalar))
        fe_infer_fail(in, stmt->value->span,
                      "make an array of the result's type, or convert it",
                      "the result is %s, which out=, %s, cannot hold", fe_infer_name(in, type),
                      fe_infer_name(in, into));
}

/* Whether a target is made of module constants alone: their definition is no code. */
static bool is_definition(FeInfer *in, const AstExpr *target) {
    if (target->kind == AST_TUPLE)
        for (uint32_t i = 0; i < target->items.len; i++)
            if (!is_definition(in, target->items.data[i])) return false;
    if (target->kind == AST_TUPLE) return true;
    return target->kind == AST_NAME && !jr_table_get(&in->spec->var_by_name, target->name);
}

static void infer_assignment(FeInfer *in, const AstStmt *stmt) {
    bool definition = true;
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        definition &= is_definition(in, stmt->targets.data[i]);
    if (definition) return;
    const FeType *type = fe_infer_expr(in, stmt->value);
    bool one = stmt->targets.len == 1;
    for (uint32_t i = 0; i < stmt->targets.len; i++)
        assign_target(in, stmt->targets.data[i], type, stmt->value, one);
    if (stmt->out) check_out(in, stmt, type);
    fe_infer_settle(in, stmt->value);
}

static void infer_annotated(FeInfer *in, const AstStmt *stmt) {
    const AstExpr *target = stmt->targets.data[0];
    if (target->kind != AST_NAME) {
        fe_infer_fail(in, target->span, "leave the annotation out",
                      "only a variable can be annotated");
        return;
    }
    if (!stmt->value || is_definition(in, target)) return;
    assign_target(in, target, fe_infer_expr(in, stmt->value), stmt->value, true);
    fe_infer_settle(in, stmt->value);
}

/* s += e: reads, operates, joins the result. */
static void infer_augmented(FeInfer *in, const AstStmt *stmt) {
    const AstExpr *target = stmt->targets.data[0];
    bool name = target->kind == AST_NAME, element = target->kind == AST_SUBSCRIPT;
    const FeType *old = name      ? fe_infer_expr(in, target)
                        : element ? fe_infer_subscript(in, target, true)
                                  : fe_infer_silent(in);
    const FeType *type = fe_infer_expr(in, stmt->value);
    FeOperation operation = {TY_NONE, TY_NONE};
    if (element && fe_infer_is_gather(in, target))
        old = fe_infer_fail(
            in, target->span,
            "write a loop: for k in indices: a[k] += x. NumPy counts an index that is there "
            "twice once: a[indices] = a[indices] + x",
            "'%s=' is not supported of the elements at an array of indices",
            fe_ast_op_text(stmt->op));
    if (!name && !element)
        fe_infer_fail(in, target->span, "assign to a variable or an element",
                      "this cannot be assigned to");
    JrSpan at = stmt->span;
    AstExpr here = {.at = at, .span = at};
    const FeType *result =
        stmt->op == AST_MATMUL && old->kind == FE_ARRAY
            ? fe_infer_fail(in, at, "write a = a @ b", "'@=' is not supported")
            : fe_infer_operation(in, stmt->op, &here, target, old, stmt->value, type,
                                 &operation);
    bool whole = old->kind == FE_ARRAY || type->kind == FE_ARRAY;
    if (whole && result->kind == FE_ARRAY)
        result = fe_infer_in_place(in, stmt, old, type, &operation);
    FeNode *node = node_at(in, target);
    node->type = old;
    if (name) {
        FeVar *var = jr_table_get(&in->spec->var_by_name, target->name);
        if (var) fe_infer_assign(in, var, result, target->span);
        node->var = var;
    }
    if (!in->checking) return;
    node->operations = JR_NEW(in->arena, FeOperation);
    *node->operations = operation;
}

static void infer_for(FeInfer *in, const AstStmt *stmt) {
    const FeType *type = fe_infer_iterable(in, stmt->value);
    const AstExpr *target = stmt->targets.data[0];
    if (target->kind == AST_SUBSCRIPT || target->kind == AST_ATTR)
        fe_infer_fail(in, target->span, "loop over a name, and assign it in the body",
                      "a loop variable must be a name");
    else
        assign_target(in, target, type, NULL, false);
}

static void infer_message(FeInfer *in, const AstExpr *expr) {
    const FeType *type = fe_infer_expr(in, expr);
    if (!type_is_void(type) && type->kind != FE_STR)
        fe_infer_fail(in, expr->span, "print the values before",
                      "the message must be a literal string");
}

static void infer_raise(FeInfer *in, const AstStmt *stmt) {
    const AstExpr *value = stmt->value;
    if (!value) {
        fe_infer_fail(in, stmt->span, "write raise ValueError(\"...\")",
                      "raise needs an exception");
        return;
    }
    const AstExpr *name = value->kind == AST_CALL ? value->left : value;
    const Entry *entry = fe_scope_path(in, name);
    const FeType *type = entry && entry->type ? entry->type : in->types->none;
    bool undefined =
        !entry && name->kind == AST_NAME && !jr_table_get(&in->spec->var_by_name, name->name);
    if (!undefined && type->kind != FE_EXCEPTION && type->kind != FE_ERROR)
        fe_infer_fail(in, name->span, "ValueError, IndexError and the like can be raised",
                      "this is not an exception");
    node_at(in, name)->type = node_at(in, value)->type = type;
    if (value->kind != AST_CALL) return;
    for (uint32_t i = 0; i < value->items.len; i++)
        infer_message(in, value->items.data[i]);
    if (value->items.len > 1 || value->keywords.len)
        fe_infer_fail(in, value->span, NULL, "an exception takes one message");
}

static void infer_value(FeInfer *in, const AstStmt *stmt) {
    if (stmt->value->kind == AST_STR || stmt->value->kind == AST_ELLIPSIS) return;
    const FeType *type = fe_infer_expr(in, stmt->value);
    if (type->kind >= FE_RANGE && type->kind <= FE_EXCEPTION)
        fe_infer_fail(in, stmt->value->span, NULL, "this statement does nothing");
    fe_infer_settle(in, stmt->value);
}

static void infer_returned(FeInfer *in, const AstStmt *stmt) {
    if (in->spec->func == in->module->funcs.data[0]) {
        fe_infer_fail(in, stmt->span, NULL, "'return' outside a function");
        return;
    }
    fe_infer_return(in, stmt->value ? fe_infer_expr(in, stmt->value) : in->types->none,
                    stmt->value ? stmt->value->span : stmt->span);
    if (stmt->value) fe_infer_use(in, stmt->value, in->spec->ret);
    if (stmt->value) fe_infer_settle(in, stmt->value);
}

void fe_infer_unit(FeInfer *in, Unit *unit) {
    const AstStmt *stmt = unit->stmt;
    in->unit = unit;
    in->spec = unit->spec;
    in->info = unit->spec->func->info;
    unit->waits = false;
    switch (stmt->kind) {
    case AST_ASSIGN: infer_assignment(in, stmt); break;
    case AST_AUG: infer_augmented(in, stmt); break;
    case AST_ANN: infer_annotated(in, stmt); break;
    case AST_EXPR: infer_value(in, stmt); break;
    case AST_IF:
    case AST_WHILE: fe_infer_cond(in, stmt->value); break;
    case AST_FOR: infer_for(in, stmt); break;
    case AST_RETURN: infer_returned(in, stmt); break;
    case AST_ASSERT:
        fe_infer_cond(in, stmt->value);
        if (stmt->message) infer_message(in, stmt->message);
        break;
    case AST_RAISE: infer_raise(in, stmt); break;
    case AST_DEF: fe_infer_def(in, stmt); break;
    default: break;
    }
}

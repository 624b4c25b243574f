/* Expressions: their types, their constants, and what their literals become. */
#include "frontend/infer/infer.h"

#include <string.h>

/* ---- Names ---- */

void fe_infer_read(FeInfer *in, FeVar *var) {
    Unit *unit = in->unit;
    Units *readers = &((Var *)var)->readers;
    if (unit->seen || in->checking) return;
    if (readers->len && readers->data[readers->len - 1] == unit) return;
    JR_PUSH(in->arena, readers, unit);
    JR_PUSH(in->arena, &unit->reads, var);
}

static const FeType *infer_variable(FeInfer *in, const AstExpr *expr) {
    FeNode *node = node_at(in, expr);
    if (!node->var) node->var = jr_table_get(&in->spec->var_by_name, expr->name);
    const FeType *self = node->var ? NULL : fe_inner_self(in, expr->name);
    if (self) return self;
    if (!node->var) {
        const Entry *entry = fe_scope_find(in, expr->name);
        if (!entry || entry->kind == ENTRY_VAR || entry->type->kind == FE_ERROR)
            return fe_infer_silent(in);
        node->value = entry->value;
        return entry->type;
    }
    if (in->spec->absent && node->var->param) {
        FeAbsence here = fe_absent_here(in->spec, expr);
        if (here == FE_ABSENT) node->var = NULL;
        if (here == FE_ABSENT) return in->types->none;
        if (here == FE_EITHER) return fe_absent_either(in, expr);
    }
    fe_infer_read(in, node->var);
    const FeType *type = node->var->type;
    return type->kind == FE_UNKNOWN ? fe_infer_silent(in) : type;
}

/* name := left */
static const FeType *infer_named(FeInfer *in, const AstExpr *expr) {
    const FeType *type = fe_infer_expr(in, expr->left);
    FeVar *var = jr_table_get(&in->spec->var_by_name, expr->name);
    if (!var) return fe_infer_silent(in);
    FeNode *node = node_at(in, expr);
    node->var = var;
    fe_infer_read(in, var);
    fe_infer_assign(in, var, type, expr->left->span);
    fe_infer_use(in, expr->left, var->type);
    fe_infer_settle(in, expr->left);
    return var->type->kind == FE_UNKNOWN ? fe_infer_silent(in) : var->type;
}

/* ---- Using a value as a type ---- */

static void misfit(FeInfer *in, const AstExpr *expr, const FeConst *value, IrScalar scalar) {
    char digits[48], *at = digits + sizeof digits;
    unsigned __int128 rest =
        value->i < 0 ? -(unsigned __int128)value->i : (unsigned __int128)value->i;
    *--at = 0;
    do
        *--at = (char)('0' + (int)(rest % 10));
    while ((rest /= 10) != 0);
    if (value->i < 0) *--at = '-';
    const char *help = scalar == TY_INT64 && value->i > 0 && fe_const_fits(value, TY_UINT64)
                           ? jr_arena_printf(in->arena, "write np.uint64(%s)", at)
                           : "use a wider type";
    fe_infer_fail(in, expr->span, help, "%s does not fit in %s", at, ir_scalar_name(scalar));
}

static void use_weak(FeInfer *in, const AstExpr *expr, IrScalar scalar) {
    FeNode *node = node_at(in, expr);
    node->type = scalar_type(in, scalar);
    if (node->value) {
        if (!fe_const_fits(node->value, scalar)) misfit(in, expr, node->value, scalar);
        return;
    }
    if (expr->kind == AST_TERNARY || expr->kind == AST_BINARY || expr->kind == AST_UNARY) {
        fe_infer_use(in, expr->left, node->type);
        if (expr->right) fe_infer_use(in, expr->right, node->type);
    }
    for (uint32_t i = 0; expr->kind == AST_BOOL && i < expr->items.len; i++)
        fe_infer_use(in, expr->items.data[i], node->type);
    node->target = node->type;
    if (expr->kind != AST_BINARY && expr->kind != AST_UNARY) return;
    node->operations = JR_NEW(in->arena, FeOperation);
    *node->operations = (FeOperation){scalar, scalar};
}

static void use_tuple(FeInfer *in, const AstExpr *expr, const FeType *type) {
    FeNode *node = node_at(in, expr);
    bool alike = type->kind == FE_TUPLE && type->count == expr->items.len;
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, expr->items.len + 1);
    for (uint32_t i = 0; i < expr->items.len; i++) {
        const AstExpr *item = expr->items.data[i];
        fe_infer_use(in, item,
                     alike                  ? type->items[i]
                     : type_is_number(type) ? type
                                            : node_at(in, item)->type);
        items[i] = node_at(in, item)->type;
        if (fe_type_strong(in->types, items[i]) == items[i]) continue; /* no item twice */
        fe_infer_settle(in, item);
        items[i] = node_at(in, item)->type;
    }
    node->type = node->type->kind == FE_LIST
                     ? fe_type_list(in->types, expr->items.len, items)
                     : fe_type_tuple(in->types, expr->items.len, items);
}

/* What a weak number becomes where it is used as `type`. */
static IrScalar weak_scalar(const FeType *weak, const FeType *type) {
    IrScalar scalar = type->kind == FE_SCALAR ? (IrScalar)type->ir.scalar : TY_BOOL;
    if (weak->kind == FE_WEAK_FLOAT && !ir_scalar_is_float(scalar)) return TY_FLOAT64;
    return scalar == TY_BOOL ? TY_INT64 : scalar;
}

/* The same for a constant tuple's items; an item that does not fit is reported. */
static const FeType *use_const(FeInfer *in, const AstExpr *expr, const FeConst *value,
                               const FeType *now, const FeType *type) {
    if (type_is_weak(now)) {
        IrScalar scalar = weak_scalar(now, type);
        if (!fe_const_fits(value, scalar)) misfit(in, expr, value, scalar);
        return scalar_type(in, scalar);
    }
    if (now->kind != FE_TUPLE) return now;
    bool alike = type->kind == FE_TUPLE && type->count == now->count;
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, now->count + 1);
    for (uint32_t i = 0; i < now->count; i++)
        items[i] =
            use_const(in, expr, value->items[i], now->items[i], alike ? type->items[i] : type);
    return fe_type_tuple(in->types, now->count, items);
}

void fe_infer_use(FeInfer *in, const AstExpr *expr, const FeType *type) {
    if (!in->checking) return;
    FeNode *node = node_at(in, expr);
    const FeType *now = node->type;
    if (!now || type_is_void(now) || type_is_void(type)) return;
    if (type_is_weak(now)) {
        use_weak(in, expr, weak_scalar(now, type));
    } else if (node->value && node->value->kind == FE_CONST_TUPLE) {
        node->type = node->target = use_const(in, expr, node->value, now, type);
    } else if (expr->kind == AST_TUPLE || expr->kind == AST_LIST) {
        use_tuple(in, expr, type);
    } else if (now->kind == FE_TUPLE && fe_type_strong(in->types, now) != now) {
        node->type = node->target = fe_type_strong(in->types, now);
        if (expr->kind == AST_TERNARY) fe_infer_use(in, expr->left, node->type);
        if (expr->kind == AST_TERNARY) fe_infer_use(in, expr->right, node->type);
    }
}

void fe_infer_settle(FeInfer *in, const AstExpr *expr) {
    if (!in->checking) return;
    const FeType *type = node_at(in, expr)->type;
    if (type && type->kind != FE_NONE) fe_infer_use(in, expr, fe_type_strong(in->types, type));
}

/* Whether only variables make it weak that may still become something else. */
static bool must_wait(FeInfer *in, const AstExpr *expr, const FeType *type) {
    if (expr->kind == AST_TUPLE || expr->kind == AST_LIST) {
        for (uint32_t i = 0; i < expr->items.len; i++)
            if (must_wait(in, expr->items.data[i], type->items[i])) return true;
        return false;
    }
    return fe_type_strong(in->types, type) != type && !node_at(in, expr)->value;
}

const FeType *fe_infer_strong(FeInfer *in, const AstExpr *expr, const FeType *type) {
    if (in->checking || in->settle_all || !must_wait(in, expr, type))
        return fe_type_strong(in->types, type);
    in->unit->waits = true;
    return in->types->unknown;
}

/* ---- Operators ---- */

static const FeType *refuse_operands(FeInfer *in, AstOp op, const AstExpr *expr,
                                     const FeType *a, const FeType *b) {
    const char *text = fe_ast_op_text(op);
    if (!b)
        return fe_infer_fail(in, expr->at, NULL, "'%s' does not take %s", text,
                             fe_infer_name(in, a));
    if (type_is_int(a) && type_is_int(b))
        return fe_infer_fail(in, expr->at, "convert one of them: np.uint64(x) or np.int64(x)",
                             "'%s' of %s and %s: no integer type holds both", text,
                             fe_infer_name(in, a), fe_infer_name(in, b));
    const char *help = NULL;
    if (a->kind == FE_STR || b->kind == FE_STR)
        help = "strings can be compared with == and !=, and passed on";
    if (a->kind == FE_NONE || b->kind == FE_NONE)
        help = "a function that returns nothing has no value";
    if (op >= AST_AND && op <= AST_SHR && type_is_number(a) && type_is_number(b))
        help = "it works on integers: convert with int(x)";
    return fe_infer_fail(in, expr->at, help, "'%s' does not take %s and %s", text,
                         fe_infer_name(in, a), fe_infer_name(in, b));
}

void fe_infer_widen(FeInfer *in, const AstExpr *expr, FeOperation *operation) {
    const FeConst *value = node_at(in, expr)->value;
    bool weak = type_is_weak(node_at(in, expr)->type);
    if (value && weak && !fe_const_fits(value, operation->operand) &&
        fe_const_fits(value, TY_INT64) && operation->operand != TY_UINT64)
        operation->operand = TY_INT64;
}

const FeType *fe_infer_operation(FeInfer *in, AstOp op, const AstExpr *expr, const AstExpr *a,
                                 const FeType *ta, const AstExpr *b, const FeType *tb,
                                 FeOperation *out) {
    if (type_is_void(ta) || (tb && type_is_void(tb))) return fe_infer_silent(in);
    if (ta->kind == FE_ARRAY || (tb && tb->kind == FE_ARRAY))
        return fe_infer_array_operation(in, op, expr, a, ta, b, tb, out);
    if (!type_is_number(ta) || (tb && !type_is_number(tb)))
        return refuse_operands(in, op, expr, ta, tb);
    bool compares = op >= AST_EQ && op <= AST_GE;
    if (type_is_weak(ta) && (!tb || type_is_weak(tb)) && !compares && !in->checking) {
        FeOperation strong;
        if (!fe_operation(in->types, op, ta, tb, &strong))
            return refuse_operands(in, op, expr, ta, tb);
        return ir_scalar_is_float(strong.result) ? in->types->weak_float : in->types->weak_int;
    }
    if (!fe_operation(in->types, op, ta, tb, out))
        return refuse_operands(in, op, expr, ta, tb);
    if (in->checking && compares) {
        fe_infer_widen(in, a, out);
        fe_infer_widen(in, b, out);
    }
    fe_infer_use(in, a, scalar_type(in, out->operand));
    if (b) fe_infer_use(in, b, scalar_type(in, out->operand));
    return scalar_type(in, out->result);
}

static void keep_operation(FeInfer *in, const AstExpr *expr, FeOperation operation) {
    if (!in->checking || operation.operand == TY_NONE) return;
    FeNode *node = node_at(in, expr);
    node->operations = JR_NEW(in->arena, FeOperation);
    *node->operations = operation;
}

/* The constant an operand is, if it is as weak as its literals. */
static const FeConst *weak_value(FeInfer *in, const AstExpr *expr, const FeType *type) {
    const FeConst *value = node_at(in, expr)->value;
    return value && type == fe_const_type(in, value) ? value : NULL;
}

static const FeType *constant(FeInfer *in, const AstExpr *expr, const FeConst *value) {
    node_at(in, expr)->value = value;
    return fe_const_type(in, value);
}

/* Weak operands that are no constants (1.0 if c else 2.0): the result is weak, and its use
 * decides. */
static const FeType *weak_result(FeInfer *in, AstOp op, const AstExpr *expr, const FeType *a,
                                 const FeType *b) {
    FeOperation strong;
    if (!fe_operation(in->types, op, a, b, &strong))
        return refuse_operands(in, op, expr, a, b);
    return ir_scalar_is_float(strong.result) ? in->types->weak_float : in->types->weak_int;
}

static const FeType *infer_unary(FeInfer *in, const AstExpr *expr) {
    if (expr->op == AST_NOT) {
        fe_infer_cond(in, expr->left);
        const FeConst *known = node_at(in, expr->left)->value;
        return known ? constant(in, expr, fe_const_bool(in, !fe_const_truth(known)))
                     : scalar_type(in, TY_BOOL);
    }
    const FeType *type = fe_infer_expr(in, expr->left);
    const FeConst *value = weak_value(in, expr->left, type);
    const FeConst *folded = value ? fe_const_unary(in, expr->op, value) : NULL;
    if (folded) return constant(in, expr, folded);
    if (type_is_weak(type)) return weak_result(in, expr->op, expr, type, NULL);
    FeOperation operation = {TY_NONE, TY_NONE};
    const FeType *result =
        fe_infer_operation(in, expr->op, expr, expr->left, type, NULL, NULL, &operation);
    keep_operation(in, expr, operation);
    return result;
}

/* (1, 2) + (3,) */
static const FeType *concatenated(FeInfer *in, const AstExpr *expr) {
    fe_infer_settle(in, expr->left);
    fe_infer_settle(in, expr->right);
    const FeType *a = node_at(in, expr->left)->type, *b = node_at(in, expr->right)->type;
    uint32_t n = a->count + b->count;
    if (a->size + b->size > FE_MAX_TUPLE)
        return fe_infer_fail(in, expr->at, "use an array",
                             "this tuple has more than %u values", FE_MAX_TUPLE);
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, n + 1);
    for (uint32_t i = 0; i < n; i++)
        items[i] = i < a->count ? a->items[i] : b->items[i - a->count];
    return fe_type_tuple(in->types, n, items);
}

static const FeType *infer_binary(FeInfer *in, const AstExpr *expr) {
    const FeType *a = fe_infer_expr(in, expr->left), *b = fe_infer_expr(in, expr->right);
    if (expr->op == AST_ADD && a->kind == FE_TUPLE && b->kind == FE_TUPLE)
        return concatenated(in, expr);
    const FeConst *left = weak_value(in, expr->left, a),
                  *right = weak_value(in, expr->right, b);
    const FeConst *folded =
        left && right ? fe_const_binary(in, expr->op, left, right, expr->at) : NULL;
    if (folded) return constant(in, expr, folded);
    bool unfolded = left && right;
    if (expr->op == AST_POW && unfolded && a->kind == FE_WEAK_INT && b->kind == FE_WEAK_INT)
        return fe_infer_fail(in, expr->at, "write a float: 2.0 ** -1",
                             "an integer to a negative power is not an integer");
    if (expr->op == AST_MATMUL && !type_is_void(a) && !type_is_void(b))
        return fe_infer_matmul(in, expr, a, b);
    if (type_is_weak(a) && type_is_weak(b) && !unfolded)
        return weak_result(in, expr->op, expr, a, b);
    FeOperation operation = {TY_NONE, TY_NONE};
    const FeType *result =
        fe_infer_operation(in, expr->op, expr, expr->left, a, expr->right, b, &operation);
    keep_operation(in, expr, operation);
    return result;
}

/* ---- Comparisons ---- */

static bool is_identity(AstOp op) {
    return op == AST_IS || op == AST_IS_NOT;
}

/* x.dtype == np.float32 */
static bool are_dtypes(AstOp op, const FeType *a, const FeType *b) {
    return (op == AST_EQ || op == AST_NE) && a->kind == FE_DTYPE && b->kind == FE_DTYPE;
}

/* name in ("mean", "sum"), of strings. */
static const FeConst *fold_in(FeInfer *in, AstOp op, const FeType *name, const FeType *names) {
    bool found = false;
    if (name->kind != FE_STR || !name->text || names->kind != FE_TUPLE) return NULL;
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->items[i]->kind != FE_STR || !names->items[i]->text) return NULL;
        found |= names->items[i] == name;
    }
    return fe_const_bool(in, found == (op == AST_IN));
}

static const FeConst *fold_comparison(FeInfer *in, AstOp op, const AstExpr *a,
                                      const FeType *ta, const AstExpr *b, const FeType *tb) {
    bool none = ta->kind == FE_NONE || tb->kind == FE_NONE;
    if (is_identity(op) && none && !type_is_void(ta) && !type_is_void(tb))
        return fe_const_bool(in, (ta->kind == tb->kind) == (op == AST_IS));
    if (are_dtypes(op, ta, tb))
        return fe_const_bool(in, (ta->ir.scalar == tb->ir.scalar) == (op == AST_EQ));
    if (op == AST_IN || op == AST_NOT_IN) return fold_in(in, op, ta, tb);
    const FeConst *left = weak_value(in, a, ta), *right = weak_value(in, b, tb);
    return left && right ? fe_const_compare(in, op, left, right) : NULL;
}

/* x in (a, b, c): the items are compared one by one. */
static void compare_in(FeInfer *in, const AstExpr *expr, AstOp op, const AstExpr *a,
                       const FeType *ta, const AstExpr *b, const FeType *tb) {
    if (tb->kind != FE_TUPLE || !type_is_number(ta)) {
        fe_infer_fail(in, expr->at,
                      tb->kind == FE_ARRAY ? "write np.any(a == x)"
                                           : "write a tuple: x in (a, b, c)",
                      "'%s' looks for a number in a tuple, not for %s in %s",
                      fe_ast_op_text(op), fe_infer_name(in, ta), fe_infer_name(in, tb));
        return;
    }
    for (uint32_t i = 0; i < tb->count; i++)
        if (!type_is_number(tb->items[i]) || !fe_promote(in->types, ta, tb->items[i])) {
            refuse_operands(in, op, expr, ta, tb->items[i]);
            return;
        }
    fe_infer_settle(in, a);
    if (ta == scalar_type(in, TY_UINT64)) fe_infer_use(in, b, ta);
    fe_infer_settle(in, b);
}

/* Items of two tuples that are compared: numbers, and tuples of these. */
static bool are_comparable(FeInfer *in, const AstExpr *expr, AstOp op, const FeType *a,
                           const FeType *b) {
    if (a->kind == FE_TUPLE && b->kind == FE_TUPLE) {
        for (uint32_t i = 0; i < a->count && i < b->count; i++)
            if (!are_comparable(in, expr, op, a->items[i], b->items[i])) return false;
        return true;
    }
    if (type_is_number(a) && type_is_number(b) && fe_promote(in->types, a, b)) return true;
    refuse_operands(in, op, expr, a, b);
    return false;
}

/* The result's type: bool, an array of them, or of an error. */
static const FeType *compare_pair(FeInfer *in, const AstExpr *expr, AstOp op, const AstExpr *a,
                                  const FeType *ta, const AstExpr *b, const FeType *tb,
                                  FeOperation *out) {
    if (type_is_void(ta) || type_is_void(tb)) return fe_infer_silent(in);
    const FeType *type = scalar_type(in, TY_BOOL);
    if (are_dtypes(op, ta, tb)) return type;
    if (op == AST_IN || op == AST_NOT_IN)
        compare_in(in, expr, op, a, ta, b, tb);
    else if (is_identity(op))
        fe_infer_fail(in, expr->at, "write == or !=", "'%s' is only for None",
                      fe_ast_op_text(op));
    else if (ta->kind == FE_NONE || tb->kind == FE_NONE)
        fe_infer_fail(in, expr->at, "write `is None` or `is not None`",
                      "'%s' does not take None", fe_ast_op_text(op));
    else if (ta->kind == FE_TUPLE && tb->kind == FE_TUPLE && expr->ops.len == 1) {
        fe_infer_settle(in, a);
        fe_infer_settle(in, b);
        are_comparable(in, expr, op, ta, tb);
    } else if (expr->ops.len > 1 && (ta->kind == FE_ARRAY || tb->kind == FE_ARRAY)) {
        fe_infer_fail(in, expr->at, "write (a < b) & (b < c)",
                      "a chain of comparisons needs one truth, and arrays have many");
    } else {
        return fe_infer_operation(in, op, expr, a, ta, b, tb, out);
    }
    return type;
}

static const FeType *infer_compare(FeInfer *in, const AstExpr *expr) {
    uint32_t n = expr->ops.len;
    const FeType *type = scalar_type(in, TY_BOOL);
    const FeType *a = fe_infer_expr(in, expr->items.data[0]);
    FeNode *node = node_at(in, expr);
    bool truth = true, all = true;
    if (in->checking) node->operations = JR_NEW_ARRAY(in->arena, FeOperation, n);
    for (uint32_t i = 0; i < n; i++) {
        const AstExpr *left = expr->items.data[i], *right = expr->items.data[i + 1];
        FeOperation ignored, *out = in->checking ? &node->operations[i] : &ignored;
        const FeType *b = fe_infer_expr(in, right);
        const FeConst *known = fold_comparison(in, expr->ops.data[i], left, a, right, b);
        truth &= !known || known->i != 0;
        all &= known != NULL;
        if (!known || n > 1) {
            const FeType *one =
                compare_pair(in, expr, expr->ops.data[i], left, a, right, b, out);
            if (n == 1) type = one;
        }
        if (a->kind == FE_TUPLE && b->kind == FE_TUPLE) node->operations = NULL;
        a = b;
    }
    return all ? constant(in, expr, fe_const_bool(in, truth)) : type;
}

/* ---- and, or, conditional expressions ---- */

/* The value of `and` or `or` of constants alone. */
static const FeConst *fold_bool(FeInfer *in, const AstExpr *expr) {
    const FeConst *value = NULL;
    for (uint32_t i = 0; i < expr->items.len; i++) {
        value = node_at(in, expr->items.data[i])->value;
        if (!value) return NULL;
        if (fe_const_truth(value) == (expr->op == AST_BOOL_OR)) return value;
    }
    return value;
}

/* How many operands are looked at: those behind one that is decided by what is None are not. */
static uint32_t reached_items(FeInfer *in, const AstExpr *expr) {
    uint32_t n = 1;
    while (n < expr->items.len &&
           fe_absent_truth(in->spec, expr->items.data[n - 1]) != (expr->op == AST_BOOL_OR))
        n++;
    return n;
}

static const FeType *infer_bool(FeInfer *in, const AstExpr *expr) {
    const FeType *joined = in->types->unknown;
    bool all_weak = true;
    uint32_t n = reached_items(in, expr);
    for (uint32_t i = 0; i < n; i++) {
        const FeType *type = fe_infer_expr(in, expr->items.data[i]);
        all_weak &= weak_value(in, expr->items.data[i], type) != NULL;
        if (type_is_void(type)) return fe_infer_silent(in);
        if (!type_is_number(type))
            return fe_infer_fail(in, expr->items.data[i]->span, NULL, "'%s' does not take %s",
                                 fe_ast_op_text(expr->op), fe_infer_name(in, type));
        const FeType *next = fe_unify(in->types, joined, type);
        if (!next) return refuse_operands(in, expr->op, expr, joined, type);
        joined = next;
    }
    const FeConst *folded = all_weak ? fold_bool(in, expr) : NULL;
    if (folded && fe_const_type(in, folded) == joined) return constant(in, expr, folded);
    for (uint32_t i = 0; i < n && !type_is_weak(joined); i++)
        fe_infer_use(in, expr->items.data[i], joined);
    node_at(in, expr)->target = joined;
    return joined;
}

/* The other one does not exist for these arguments. */
static const FeType *chosen_arm(FeInfer *in, const AstExpr *expr, const AstExpr *arm) {
    const FeType *type = fe_infer_expr(in, arm);
    if (type_is_void(type)) return type;
    const FeConst *value = weak_value(in, arm, type);
    if (value) return constant(in, expr, value);
    node_at(in, expr)->target = type;
    return type;
}

static const FeType *infer_ternary(FeInfer *in, const AstExpr *expr) {
    fe_infer_cond(in, expr->cond);
    int absent = fe_absent_truth(in->spec, expr->cond);
    if (absent >= 0) return chosen_arm(in, expr, absent ? expr->left : expr->right);
    const FeType *a = fe_infer_expr(in, expr->left), *b = fe_infer_expr(in, expr->right);
    if (type_is_void(a) || type_is_void(b)) return type_is_void(a) ? b : a;
    const FeType *joined = fe_unify(in->types, a, b);
    const FeConst *decided = node_at(in, expr->cond)->value;
    if (!joined && decided && a->kind == FE_STR && b->kind == FE_STR)
        return constant(in, expr, fe_const_truth(decided) ? a->text : b->text);
    if (!joined)
        return fe_infer_fail(in, expr->span, "convert one, or use an if statement",
                             "the two values of this have different types: %s and %s",
                             fe_infer_name(in, a), fe_infer_name(in, b));
    if (joined->kind == FE_STR) return constant(in, expr, joined->text);
    const FeConst *left = weak_value(in, expr->left, a),
                  *right = weak_value(in, expr->right, b);
    if (decided && left && right) {
        const FeConst *chosen = fe_const_truth(decided) ? left : right;
        if (fe_const_type(in, chosen) == joined) return constant(in, expr, chosen);
    }
    if (!type_is_weak(joined)) {
        fe_infer_use(in, expr->left, joined);
        fe_infer_use(in, expr->right, joined);
    }
    node_at(in, expr)->target = joined;
    return joined;
}

static const FeType *cond_bool(FeInfer *in, const AstExpr *expr) {
    FeNode *node = node_at(in, expr);
    bool known = true;
    uint32_t n = reached_items(in, expr);
    for (uint32_t i = 0; i < n; i++) {
        fe_infer_cond(in, expr->items.data[i]);
        known &= node_at(in, expr->items.data[i])->value != NULL;
    }
    node->type = node->target = scalar_type(in, TY_BOOL);
    if (known) node->value = fe_const_bool(in, fe_const_truth(fold_bool(in, expr)));
    return node->type;
}

const FeType *fe_infer_cond(FeInfer *in, const AstExpr *expr) {
    if (expr->kind == AST_BOOL) return cond_bool(in, expr);
    const FeType *type = fe_infer_expr(in, expr);
    if (type->kind == FE_ARRAY)
        return fe_infer_fail(in, expr->span, "compare one element, or its size",
                             "an array is neither true nor false");
    bool known = node_at(in, expr)->value != NULL;
    if (!type_is_void(type) && !type_is_number(type) && !known && type->kind != FE_NONE)
        return fe_infer_fail(in, expr->span, NULL, "%s is not a condition",
                             fe_infer_name(in, type));
    fe_infer_settle(in, expr);
    return type;
}

/* ---- Displays ---- */

static const FeType *infer_items(FeInfer *in, const AstExpr *expr) {
    uint32_t n = expr->items.len;
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, n + 1);
    bool unknown = false;
    for (uint32_t i = 0; i < n; i++) {
        items[i] = fe_infer_expr(in, expr->items.data[i]);
        unknown |= type_is_void(items[i]);
    }
    if (unknown) return fe_infer_silent(in);
    bool tuple = expr->kind == AST_TUPLE;
    const FeType *type =
        tuple ? fe_type_tuple(in->types, n, items) : fe_type_list(in->types, n, items);
    uint32_t most = tuple ? FE_MAX_TUPLE : FE_MAX_LIST;
    if (type->size <= most) return type;
    return fe_infer_fail(in, expr->span, "use an array", "this %s has more than %u values",
                         tuple ? "tuple" : "list", most);
}

static const FeType *infer_kind(FeInfer *in, const AstExpr *expr) {
    const FeType *type;
    switch (expr->kind) {
    case AST_NAME: return infer_variable(in, expr);
    case AST_NONE: return in->types->none;
    case AST_TUPLE:
    case AST_LIST: return infer_items(in, expr);
    case AST_UNARY: return infer_unary(in, expr);
    case AST_BINARY: return infer_binary(in, expr);
    case AST_BOOL: return infer_bool(in, expr);
    case AST_COMPARE: return infer_compare(in, expr);
    case AST_TERNARY: return infer_ternary(in, expr);
    case AST_CALL: return fe_infer_call(in, expr);
    case AST_ATTR: return fe_infer_attr(in, expr);
    case AST_SUBSCRIPT: return fe_infer_subscript(in, expr, false);
    case AST_NAMED: return infer_named(in, expr);
    case AST_IMAG:
        return fe_infer_fail(in, expr->span,
                             "keep the real and the imaginary part in two floats",
                             "complex numbers are not supported yet");
    case AST_SLICE:
        return fe_infer_fail(in, expr->span, NULL, "a slice belongs in a subscript: a[i:j]");
    case AST_ELLIPSIS:
        return fe_infer_fail(in, expr->span, NULL, "'...' belongs in a subscript: a[..., 0]");
    default: node_at(in, expr)->value = fe_const_literal(in, expr, &type); return type;
    }
}

/* Constants keep what they were found to be: they are the same in every round. */
const FeType *fe_infer_expr(FeInfer *in, const AstExpr *expr) {
    FeNode *node = node_at(in, expr);
    bool literal = node->value && expr->kind >= AST_INT && expr->kind <= AST_FALSE;
    const FeType *type = literal ? fe_const_type(in, node->value) : infer_kind(in, expr);
    if (type->kind == FE_STR) node->value = type->text;
    node->type = type;
    return type;
}

/* Whole arrays: operators and functions that act on them element by element, reductions,
 * products and masks.
 *
 * An operation on arrays is typed as the same operation on their elements; the result is an
 * array of what that gives, of the highest rank, C-contiguous. A node of it holds what a
 * scalar's would (operations, target), for the elements, so the lowering of one element is the
 * lowering of a scalar. An array's element type cannot change once it is known, so a weak
 * variable beside an array has to be decided first. */
#include "frontend/infer/infer.h"

#include <string.h>

static const FeType *array_of(FeInfer *in, IrScalar scalar, unsigned ndim) {
    return fe_type_ir(in->types, ir_array(scalar, ndim, LAYOUT_C));
}

static unsigned rank_of(const FeType *type) {
    return type->kind == FE_ARRAY ? type->ir.ndim : 0;
}

static bool names_variable(FeInfer *in, const AstExpr *expr) {
    if (!expr) return false;
    if (expr->kind == AST_NAME) return !node_at(in, expr)->value;
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (names_variable(in, expr->items.data[i])) return true;
    return names_variable(in, expr->left) || names_variable(in, expr->right);
}

/* What an operand counts as: an array as its element. */
static const FeType *element_of(FeInfer *in, const AstExpr *expr, const FeType *type) {
    if (type->kind == FE_ARRAY) return scalar_type(in, (IrScalar)type->ir.scalar);
    if (type_is_weak(type) && names_variable(in, expr)) return fe_infer_strong(in, expr, type);
    return type;
}

/* ---- Operators ---- */

/* NumPy's meaning of an operator on two arrays of bools; false if it has none. */
static bool bool_operation(AstOp op, FeOperation *out) {
    switch (op) {
    case AST_ADD:
    case AST_MUL: *out = (FeOperation){TY_BOOL, TY_BOOL}; return true;
    case AST_FLOORDIV:
    case AST_MOD:
    case AST_POW:
    case AST_SHL:
    case AST_SHR: *out = (FeOperation){TY_INT8, TY_INT8}; return true;
    case AST_SUB:
    case AST_NEG:
    case AST_POS: return false;
    default: return true;
    }
}

static const FeType *refuse_arrays(FeInfer *in, AstOp op, const AstExpr *expr, const FeType *a,
                                   const FeType *b) {
    const char *text = fe_ast_op_text(op);
    if (b && type_is_int(a) && type_is_int(b))
        return fe_infer_fail(in, expr->at, "convert one of them: np.uint64(a) or np.int64(a)",
                             "'%s' of %s and %s elements: no integer type holds both", text,
                             fe_infer_name(in, a), fe_infer_name(in, b));
    bool bools = type_is_bool(a) && (!b || type_is_bool(b));
    const char *help =
        bools ? (b ? "write ^, or convert with np.int64(a)" : "write ~a") : NULL;
    if (op >= AST_AND && op <= AST_SHR)
        help = "it works on integers: convert with np.int64(a)";
    return fe_infer_fail(in, expr->at, help, "'%s' does not take %s%s%s elements", text,
                         fe_infer_name(in, a), b ? " and " : "",
                         b ? fe_infer_name(in, b) : "");
}

const FeType *fe_infer_array_operation(FeInfer *in, AstOp op, const AstExpr *expr,
                                       const AstExpr *a, const FeType *ta, const AstExpr *b,
                                       const FeType *tb, FeOperation *out) {
    const FeType *x = element_of(in, a, ta), *y = tb ? element_of(in, b, tb) : NULL;
    if (type_is_void(x) || (y && type_is_void(y))) return fe_infer_silent(in);
    unsigned ndim = rank_of(ta);
    if (tb && rank_of(tb) > ndim) ndim = rank_of(tb);
    if (!type_is_number(x) || (y && !type_is_number(y)))
        return fe_infer_fail(in, expr->at, NULL, "'%s' does not take %s and %s",
                             fe_ast_op_text(op), fe_infer_name(in, ta),
                             fe_infer_name(in, tb ? tb : ta));
    bool ok = fe_operation(in->types, op, x, y, out);
    if (ok && type_is_bool(x) && (!y || type_is_bool(y))) ok = bool_operation(op, out);
    if (!ok) return refuse_arrays(in, op, expr, x, y);
    bool compares = op >= AST_EQ && op <= AST_GE;
    if (compares && in->checking) {
        fe_infer_widen(in, a, out);
        fe_infer_widen(in, b, out);
    }
    fe_infer_use(in, a, scalar_type(in, out->operand));
    if (b) fe_infer_use(in, b, scalar_type(in, out->operand));
    return array_of(in, out->result, ndim);
}

/* Whether a result may be stored in place: NumPy's casting rule 'same_kind'. */
bool fe_infer_same_kind(IrScalar to, IrScalar from) {
    if (to == from || from == TY_BOOL || ir_scalar_is_float(to)) return true;
    if (to == TY_BOOL || ir_scalar_is_float(from)) return false;
    return ir_scalar_is_signed(to) || !ir_scalar_is_signed(from);
}

const FeType *fe_infer_in_place(FeInfer *in, const AstStmt *stmt, const FeType *old,
                                const FeType *operand, const FeOperation *operation) {
    const char *name = fe_infer_name(in, operand);
    if (old->kind != FE_ARRAY)
        return fe_infer_fail(in, stmt->span, "store in a slice, or in a new array",
                             "'%s=' would make an array of %s", fe_ast_op_text(stmt->op),
                             fe_infer_name(in, old));
    if (rank_of(operand) > old->ir.ndim)
        return fe_infer_fail(in, stmt->value->span, NULL,
                             "%s has more dimensions than %s, which it is to change", name,
                             fe_infer_name(in, old));
    if (fe_infer_is_mask(in, stmt->targets.data[0]) && operand->kind == FE_ARRAY)
        return fe_infer_fail(in, stmt->value->span, "write a loop, or use np.where",
                             "the elements under a mask take one number, not an array");
    if (!fe_infer_same_kind((IrScalar)old->ir.scalar, operation->result))
        return fe_infer_fail(in, stmt->span, "make a new array: a = a + b, or convert first",
                             "'%s=' gives %s, which %s cannot hold", fe_ast_op_text(stmt->op),
                             ir_scalar_name(operation->result), fe_infer_name(in, old));
    return old;
}

/* As fe_unify, before the check. What an array is computed from may still rise, and its
 * element type with it: a variable takes the wider one, and the check finds those that stayed
 * behind. */
const FeType *fe_infer_join(FeInfer *in, const FeType *a, const FeType *b) {
    const FeType *joined = fe_unify(in->types, a, b);
    if (joined || a->kind != FE_ARRAY || b->kind != FE_ARRAY || rank_of(a) != rank_of(b))
        return joined;
    const FeType *element = fe_promote(in->types, scalar_type(in, (IrScalar)a->ir.scalar),
                                       scalar_type(in, (IrScalar)b->ir.scalar));
    if (!element) return NULL;
    bool c = a->ir.layout == LAYOUT_C && b->ir.layout == LAYOUT_C;
    return fe_type_ir(in->types, ir_array((IrScalar)element->ir.scalar, rank_of(a),
                                          c ? LAYOUT_C : LAYOUT_ANY));
}

/* ---- Functions, element by element ---- */

bool fe_infer_is_elementwise(const FeBuiltin *builtin) {
    if (builtin->id == BI_ABS || builtin->id == BI_POW) return true;
    if (strncmp(builtin->path, "np.", 3) && strncmp(builtin->path, "operator.", 9))
        return false;
    switch (builtin->kind) {
    case BK_CAST:
    case BK_MATH:
    case BK_BINARY:
    case BK_UNARY:
    case BK_LOGICAL:
    case BK_TEST:
    case BK_SCALAR: return true;
    default: return false;
    }
}

static const FeType *whole_operator(FeInfer *in, BuiltinCall *call) {
    FeOperation operation = {TY_NONE, TY_NONE};
    bool two = call->nargs > 1;
    const FeType *type = fe_infer_array_operation(
        in, (AstOp)call->builtin->detail, call->expr, call->args[0], call->types[0],
        two ? call->args[1] : NULL, two ? call->types[1] : NULL, &operation);
    if (!in->checking) return type;
    FeNode *node = node_at(in, call->expr);
    node->operations = JR_NEW(in->arena, FeOperation);
    *node->operations = operation;
    return type;
}

const FeType *fe_infer_whole(FeInfer *in, BuiltinCall *call) {
    FeBuiltinId id = call->builtin->id;
    bool operates = call->builtin->kind == BK_BINARY || call->builtin->kind == BK_UNARY;
    if (operates && call->builtin->detail != AST_NOT) return whole_operator(in, call);
    BuiltinCall elements = *call;
    elements.types = JR_NEW_ARRAY(in->arena, const FeType *, call->nargs + 1);
    unsigned ndim = 0;
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (!call->args[i]) continue;
        elements.types[i] = element_of(in, call->args[i], call->types[i]);
        if (type_is_void(elements.types[i])) return fe_infer_silent(in);
        if (rank_of(call->types[i]) > ndim) ndim = rank_of(call->types[i]);
    }
    bool rounds = id == BI_NP_ROUND || id == BI_NP_AROUND;
    if (rounds && call->args[1] && call->types[1]->kind == FE_ARRAY)
        return fe_infer_fail(in, call->args[1]->span, NULL,
                             "%s() takes one number of decimals", call->builtin->path);
    const FeType *type = fe_infer_builtin(in, &elements);
    bool absolute = id == BI_ABS || id == BI_NP_ABS || id == BI_NP_ABSOLUTE;
    if (absolute && type_is_bool(elements.types[0])) /* not int64, as of one bool */
        type = node_at(in, call->expr)->target = elements.types[0];
    return type->kind == FE_SCALAR ? array_of(in, (IrScalar)type->ir.scalar, ndim) : type;
}

/* ---- Reductions ---- */

/* int64 and uint64 for what is narrower. */
static IrScalar widened(IrScalar scalar) {
    if (ir_scalar_is_float(scalar)) return scalar;
    return ir_scalar_is_signed(scalar) || scalar == TY_BOOL ? TY_INT64 : TY_UINT64;
}

static IrScalar reduced(FeBuiltinId id, IrScalar element) {
    switch (id) {
    case BI_SUM: return element == TY_BOOL ? TY_INT64 : element;
    case BI_NP_SUM:
    case BI_ARRAY_SUM:
    case BI_NP_PROD:
    case BI_ARRAY_PROD:
    case BI_NP_CUMSUM:
    case BI_ARRAY_CUMSUM: return widened(element);
    case BI_NP_MEAN:
    case BI_ARRAY_MEAN: return ir_scalar_is_float(element) ? element : TY_FLOAT64;
    case BI_NP_ARGMIN:
    case BI_ARRAY_ARGMIN:
    case BI_NP_ARGMAX:
    case BI_ARRAY_ARGMAX: return TY_INT64;
    case BI_NP_ANY:
    case BI_ARRAY_ANY:
    case BI_NP_ALL:
    case BI_ARRAY_ALL: return TY_BOOL;
    default: return element;
    }
}

static void keep(FeInfer *in, const AstExpr *expr, IrScalar operand, IrScalar result) {
    if (!in->checking) return;
    FeNode *node = node_at(in, expr);
    node->operations = JR_NEW(in->arena, FeOperation);
    *node->operations = (FeOperation){operand, result};
}

/* The axis argument, if there is one: a constant, since the rank of the result follows from
 * it. False with an error. */
static bool check_axis(FeInfer *in, BuiltinCall *call, unsigned ndim, bool *given) {
    *given = call->nargs > 1 && call->args[1] && call->types[1]->kind != FE_NONE;
    if (!*given) return true;
    const FeConst *axis = node_at(in, call->args[1])->value;
    fe_infer_settle(in, call->args[1]);
    if (!axis || axis->kind != FE_CONST_INT) {
        fe_infer_fail(in, call->args[1]->span, "write the number of the axis",
                      "%s() takes a constant integer for 'axis'", call->builtin->path);
        return false;
    }
    if (axis->i >= -(__int128)ndim && axis->i < ndim) return true;
    fe_infer_fail(in, call->args[1]->span, NULL, "axis %lld of an array with %u dimension%s",
                  (long long)axis->i, ndim, ndim == 1 ? "" : "s");
    return false;
}

static const FeType *infer_dot(FeInfer *in, BuiltinCall *call) {
    for (uint32_t i = 0; i < 2; i++)
        if (call->types[i]->kind != FE_ARRAY) return fe_arg_fail(in, call, i, "an array");
    return fe_infer_matmul(in, call->expr, call->types[0], call->types[1]);
}

const FeType *fe_infer_reduce(FeInfer *in, BuiltinCall *call) {
    FeBuiltinId id = call->builtin->id;
    const FeType *array = call->types[0];
    if (id == BI_NP_DOT || id == BI_ARRAY_DOT) return infer_dot(in, call);
    if (array->kind != FE_ARRAY) return fe_arg_fail(in, call, 0, "an array");
    unsigned ndim = array->ir.ndim;
    bool axis, running = id == BI_NP_CUMSUM || id == BI_ARRAY_CUMSUM;
    if (id == BI_SUM && ndim > 1)
        return fe_infer_fail(in, call->args[0]->span, "use np.sum(a), or np.sum(a, axis=0)",
                             "sum() takes an array of one dimension");
    if (!check_axis(in, call, ndim, &axis)) return fe_infer_silent(in);
    IrScalar scalar = reduced(id, (IrScalar)array->ir.scalar);
    keep(in, call->expr, (IrScalar)array->ir.scalar, scalar);
    if (running) return array_of(in, scalar, axis ? ndim : 1);
    return axis && ndim > 1 ? array_of(in, scalar, ndim - 1) : scalar_type(in, scalar);
}

const FeType *fe_infer_matmul(FeInfer *in, const AstExpr *expr, const FeType *a,
                              const FeType *b) {
    unsigned rank_a = rank_of(a), rank_b = rank_of(b);
    if (rank_a == 0 || rank_b == 0 || rank_a > 2 || rank_b > 2)
        return fe_infer_fail(in, expr->at, "write * for a product of the elements",
                             "a matrix product takes vectors and matrices, not %s and %s",
                             fe_infer_name(in, a), fe_infer_name(in, b));
    const FeType *x = scalar_type(in, (IrScalar)a->ir.scalar),
                 *y = scalar_type(in, (IrScalar)b->ir.scalar);
    const FeType *common = fe_promote(in->types, x, y);
    if (!common) return refuse_arrays(in, AST_MATMUL, expr, x, y);
    IrScalar scalar = (IrScalar)common->ir.scalar;
    keep(in, expr, scalar, scalar);
    unsigned ndim = rank_a + rank_b - 2;
    return ndim ? array_of(in, scalar, ndim) : common;
}

/* ---- Masks ---- */

bool fe_infer_is_mask(FeInfer *in, const AstExpr *target) {
    if (target->kind != AST_SUBSCRIPT || target->items.len != 1) return false;
    const AstExpr *item = target->items.data[0];
    if (item->kind == AST_SLICE || item->kind == AST_ELLIPSIS) return false;
    const FeType *mask = node_at(in, item)->type, *array = node_at(in, target->left)->type;
    return mask && mask->kind == FE_ARRAY && mask->ir.scalar == TY_BOOL && array &&
           array->kind == FE_ARRAY && array->ir.ndim == mask->ir.ndim;
}

const FeType *fe_infer_mask(FeInfer *in, const FeType *array) {
    return array_of(in, (IrScalar)array->ir.scalar, 1);
}

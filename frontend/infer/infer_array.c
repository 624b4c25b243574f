/* Calls that make arrays, and methods of arrays. */
#include "frontend/infer/infer.h"

#include <string.h>

static const FeType *array_type(FeInfer *in, IrScalar scalar, unsigned ndim) {
    return fe_type_ir(in->types, ir_array(scalar, ndim, LAYOUT_C));
}

/* The number of dimensions of a shape: an integer or a tuple of them. 0 with an error if it is
 * none. */
static unsigned shape_dims(FeInfer *in, BuiltinCall *call, uint32_t i) {
    const FeType *type = call->types[i];
    fe_infer_settle(in, call->args[i]);
    if (type_is_int(type)) return 1;
    bool ints = type->kind == FE_TUPLE && type->count > 0;
    for (uint32_t k = 0; ints && k < type->count; k++)
        ints = type_is_int(type->items[k]);
    if (!ints) {
        const char *help = type->kind == FE_LIST ? "write a tuple: (n, m)" : NULL;
        fe_infer_fail(in, call->args[i]->span, help,
                      "%s() takes an integer or a tuple of integers for '%s', not %s",
                      call->builtin->path, fe_arg_name(in, call, i), fe_infer_name(in, type));
        return 0;
    }
    if (type->count <= IR_MAX_DIMS) return type->count;
    fe_infer_fail(in, call->args[i]->span, NULL, "an array has at most %d dimensions",
                  IR_MAX_DIMS);
    return 0;
}

/* The element type a dtype= argument names; `otherwise` without one. TY_NONE with an error. */
static IrScalar dtype_scalar(FeInfer *in, BuiltinCall *call, uint32_t i, IrScalar otherwise) {
    if (!call->args[i] || call->types[i]->kind == FE_NONE) return otherwise;
    if (call->types[i]->kind == FE_DTYPE) return (IrScalar)call->types[i]->ir.scalar;
    const FeConst *text = node_at(in, call->args[i])->value;
    IrScalar named = TY_NONE;
    if (text && text->kind == FE_CONST_STR) named = ir_scalar_named(text->bytes, text->len);
    if (named == TY_NONE)
        fe_infer_fail(in, call->args[i]->span, "write one such as np.float64 or np.int32",
                      "%s() takes a type for 'dtype', not %s", call->builtin->path,
                      fe_infer_name(in, call->types[i]));
    return named;
}

static const FeType *made(FeInfer *in, BuiltinCall *call, IrScalar scalar, unsigned ndim) {
    if (scalar == TY_NONE || ndim == 0) return fe_infer_silent(in);
    node_at(in, call->expr)->target = scalar_type(in, scalar);
    return array_type(in, scalar, ndim);
}

/* The element type of a fill value: what is asked for, or its own. */
static IrScalar fill_scalar(FeInfer *in, BuiltinCall *call, uint32_t value, uint32_t dtype,
                            IrScalar otherwise) {
    if (!fe_arg_number(in, call, value)) return TY_NONE;
    if (otherwise == TY_NONE && (!call->args[dtype] || call->types[dtype]->kind == FE_NONE)) {
        const FeType *type = fe_infer_strong(in, call->args[value], call->types[value]);
        otherwise = type->kind == FE_SCALAR ? (IrScalar)type->ir.scalar : TY_NONE;
    }
    IrScalar scalar = dtype_scalar(in, call, dtype, otherwise);
    if (scalar != TY_NONE) fe_arg_use(in, call, value, scalar_type(in, scalar));
    return scalar;
}

static const FeType *make_like(FeInfer *in, BuiltinCall *call) {
    const FeType *array = call->types[0];
    if (array->kind != FE_ARRAY) return fe_arg_fail(in, call, 0, "an array");
    IrScalar own = (IrScalar)array->ir.scalar;
    bool full = call->builtin->id == BI_NP_FULL_LIKE;
    IrScalar scalar = full              ? fill_scalar(in, call, 1, 2, own)
                      : call->nargs > 1 ? dtype_scalar(in, call, 1, own)
                                        : own;
    return made(in, call, scalar, array->ir.ndim);
}

/* int64 or float64 in which the values are computed, and the dtype they become. */
static const FeType *make_arange(FeInfer *in, BuiltinCall *call) {
    IrScalar scalar = TY_INT64;
    for (uint32_t i = 0; i < 3; i++) {
        if (!call->args[i]) continue;
        if (!fe_arg_number(in, call, i)) return fe_infer_silent(in);
        const FeType *type = fe_infer_strong(in, call->args[i], call->types[i]);
        if (type_is_void(type)) return type;
        if (ir_scalar_is_float(type->ir.scalar)) scalar = TY_FLOAT64;
    }
    for (uint32_t i = 0; i < 3; i++)
        fe_arg_use(in, call, i, scalar_type(in, scalar));
    if (in->checking) {
        FeNode *node = node_at(in, call->expr);
        node->operations = JR_NEW(in->arena, FeOperation);
        *node->operations = (FeOperation){scalar, scalar};
    }
    return made(in, call, dtype_scalar(in, call, 3, scalar), 1);
}

static const FeType *make_linspace(FeInfer *in, BuiltinCall *call) {
    if (!fe_arg_number(in, call, 0) || !fe_arg_number(in, call, 1) || !fe_arg_int(in, call, 2))
        return fe_infer_silent(in);
    fe_arg_use(in, call, 0, scalar_type(in, TY_FLOAT64));
    fe_arg_use(in, call, 1, scalar_type(in, TY_FLOAT64));
    fe_arg_use(in, call, 2, scalar_type(in, TY_INT64));
    const FeConst *end = call->args[3] ? node_at(in, call->args[3])->value : NULL;
    if (call->args[3] && (!end || end->kind != FE_CONST_BOOL))
        return fe_arg_fail(in, call, 3, "True or False");
    return made(in, call, TY_FLOAT64, 1);
}

/* ---- np.array of lists and tuples ---- */

/* A box of numbers, as far as it has been seen. */
typedef struct Box {
    uint32_t lengths[IR_MAX_DIMS];
    unsigned ndim;
    const FeType *joined; /* the numbers' type */
} Box;

static bool add_number(FeInfer *in, Box *box, JrSpan span, const FeType *type,
                       unsigned depth) {
    if (box->ndim == 0) box->ndim = depth;
    if (!type_is_number(type) || depth != box->ndim) {
        fe_infer_fail(in, span, NULL,
                      type_is_number(type)
                          ? "the rows of this array differ in depth"
                          : "np.array() takes numbers, in lists of equal lengths");
        return false;
    }
    const FeType *next = box->joined ? fe_unify(in->types, box->joined, type) : type;
    if (!next)
        fe_infer_fail(in, span, "give a dtype, or convert it",
                      "these numbers have no type in common");
    box->joined = next;
    return next != NULL;
}

static bool add_row(FeInfer *in, Box *box, JrSpan span, uint32_t count, unsigned depth) {
    if (depth >= IR_MAX_DIMS || count == 0) {
        fe_infer_fail(in, span, count ? NULL : "write np.zeros(0)",
                      count ? "an array has at most 8 dimensions"
                            : "np.array() of nothing has no type");
        return false;
    }
    if (box->lengths[depth] == 0) box->lengths[depth] = count;
    if (box->lengths[depth] == count) return true;
    fe_infer_fail(in, span, NULL, "this row has %u items, the first has %u", count,
                  box->lengths[depth]);
    return false;
}

/* A tuple that is no display: a variable, a constant, a result. */
static bool scan_tuple(FeInfer *in, Box *box, JrSpan span, const FeType *type,
                       unsigned depth) {
    if (type->kind != FE_TUPLE) return add_number(in, box, span, type, depth);
    bool good = add_row(in, box, span, type->count, depth);
    for (uint32_t i = 0; good && i < type->count; i++)
        good = scan_tuple(in, box, span, type->items[i], depth + 1);
    return good;
}

static bool scan_display(FeInfer *in, Box *box, const AstExpr *expr, unsigned depth) {
    if (expr->kind != AST_LIST && expr->kind != AST_TUPLE) {
        const FeType *type = node_at(in, expr)->type;
        bool known = !type_is_void(fe_infer_strong(in, expr, type));
        return known && scan_tuple(in, box, expr->span, type, depth);
    }
    bool good = add_row(in, box, expr->span, expr->items.len, depth);
    for (uint32_t i = 0; good && i < expr->items.len; i++)
        good = scan_display(in, box, expr->items.data[i], depth + 1);
    return good;
}

static const FeType *make_array(FeInfer *in, BuiltinCall *call) {
    const AstExpr *object = call->args[0];
    const FeType *type = call->types[0];
    if (type->kind == FE_ARRAY)
        return made(in, call, dtype_scalar(in, call, 1, (IrScalar)type->ir.scalar),
                    type->ir.ndim);
    if (type->kind != FE_LIST && type->kind != FE_TUPLE)
        return fe_infer_fail(in, object->span, "write np.array([1.0, 2.0])",
                             "np.array() takes a list of numbers or an array, not %s",
                             fe_infer_name(in, type));
    Box box = {.ndim = 0};
    if (!scan_display(in, &box, object, 0)) return fe_infer_silent(in);
    const FeType *strong = fe_type_strong(in->types, box.joined);
    IrScalar scalar = dtype_scalar(in, call, 1, (IrScalar)strong->ir.scalar);
    if (scalar != TY_NONE) fe_infer_use(in, object, scalar_type(in, scalar));
    return made(in, call, scalar, box.ndim);
}

const FeType *fe_infer_make(FeInfer *in, BuiltinCall *call) {
    switch (call->builtin->id) {
    case BI_NP_FULL: {
        unsigned ndim = shape_dims(in, call, 0);
        return made(in, call, fill_scalar(in, call, 1, 2, TY_NONE), ndim);
    }
    case BI_NP_ZEROS_LIKE:
    case BI_NP_ONES_LIKE:
    case BI_NP_EMPTY_LIKE:
    case BI_NP_FULL_LIKE:
    case BI_NP_COPY: return make_like(in, call);
    case BI_NP_ARANGE: return make_arange(in, call);
    case BI_NP_LINSPACE: return make_linspace(in, call);
    case BI_NP_ARRAY: return make_array(in, call);
    default: {
        unsigned ndim = shape_dims(in, call, 0);
        return made(in, call, dtype_scalar(in, call, 1, TY_FLOAT64), ndim);
    }
    }
}

/* ---- Methods ---- */

/* reshape(n, m) or reshape((n, m)): how many axes. */
static unsigned reshape_dims(FeInfer *in, BuiltinCall *call) {
    if (call->nargs == 2) return shape_dims(in, call, 1);
    if (call->nargs < 2) fe_infer_fail(in, call->expr->span, NULL, "reshape() needs a shape");
    if (call->nargs > 1 + IR_MAX_DIMS)
        fe_infer_fail(in, call->expr->span, NULL, "an array has at most %d dimensions",
                      IR_MAX_DIMS);
    for (uint32_t i = 1; i < call->nargs; i++) {
        if (!fe_arg_int(in, call, i)) return 0;
        fe_infer_settle(in, call->args[i]);
    }
    return call->nargs < 2 || call->nargs > 1 + IR_MAX_DIMS ? 0 : call->nargs - 1;
}

static const FeType *method_item(FeInfer *in, BuiltinCall *call, const FeType *array) {
    uint32_t n = call->nargs - 1;
    for (uint32_t i = 1; i < call->nargs; i++) {
        if (!fe_arg_int(in, call, i)) return fe_infer_silent(in);
        fe_infer_settle(in, call->args[i]);
    }
    if (n != 0 && n != array->ir.ndim)
        return fe_infer_fail(in, call->expr->span, NULL, "item() of %s takes no index or %u",
                             fe_infer_name(in, array), array->ir.ndim);
    return scalar_type(in, (IrScalar)array->ir.scalar);
}

const FeType *fe_infer_method(FeInfer *in, BuiltinCall *call) {
    const FeType *array = call->types[0];
    if (array->kind != FE_ARRAY) return fe_arg_fail(in, call, 0, "an array");
    IrScalar own = (IrScalar)array->ir.scalar;
    switch (call->builtin->id) {
    case BI_ARRAY_COPY: return made(in, call, own, array->ir.ndim);
    case BI_ARRAY_ASTYPE:
        return made(in, call, dtype_scalar(in, call, 1, TY_NONE), array->ir.ndim);
    case BI_ARRAY_FLATTEN:
    case BI_ARRAY_RAVEL: return made(in, call, own, 1);
    case BI_ARRAY_RESHAPE:
    case BI_NP_RESHAPE: return made(in, call, own, reshape_dims(in, call));
    case BI_ARRAY_TRANSPOSE:
    case BI_NP_TRANSPOSE: return fe_infer_element(in, array, 0, array->ir.ndim < 2);
    case BI_ARRAY_ITEM: return method_item(in, call, array);
    case BI_ARRAY_SORT:
        if (array->ir.ndim != 1)
            return fe_infer_fail(in, call->expr->span, "sort its rows one by one",
                                 "only a 1-D array can be sorted");
        return in->types->none;
    default: /* fill */
        if (!fe_arg_number(in, call, 1)) return fe_infer_silent(in);
        node_at(in, call->expr)->target = scalar_type(in, own);
        fe_arg_use(in, call, 1, scalar_type(in, own));
        return in->types->none;
    }
}

/* ---- np.random with a size ---- */

static const FeType *random_shape(FeInfer *in, BuiltinCall *call) {
    if (call->nargs > IR_MAX_DIMS)
        return fe_infer_fail(in, call->expr->span, NULL, "an array has at most %d dimensions",
                             IR_MAX_DIMS);
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (!fe_arg_int(in, call, i)) return fe_infer_silent(in);
        fe_infer_settle(in, call->args[i]);
    }
    return call->nargs ? made(in, call, TY_FLOAT64, call->nargs) : scalar_type(in, TY_FLOAT64);
}

const FeType *fe_infer_random(FeInfer *in, BuiltinCall *call) {
    FeBuiltinId id = call->builtin->id;
    if (id == BI_NP_RANDOM_RAND || id == BI_NP_RANDOM_RANDN) return random_shape(in, call);
    bool ints = id == BI_NP_RANDOM_RANDINT;
    const FeType *element = scalar_type(in, ints ? TY_INT64 : TY_FLOAT64);
    uint32_t size = call->nargs - 1;
    for (uint32_t i = 0; i < call->nargs; i++)
        if (call->args[i] && call->types[i]->kind == FE_NONE) call->args[i] = NULL;
    for (uint32_t i = 0; i < size; i++) {
        if (!(ints ? fe_arg_int(in, call, i) : fe_arg_number(in, call, i)))
            return fe_infer_silent(in);
        fe_arg_use(in, call, i, element);
    }
    if (!call->args[size]) return element;
    return made(in, call, (IrScalar)element->ir.scalar, shape_dims(in, call, size));
}

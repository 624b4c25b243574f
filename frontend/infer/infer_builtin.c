/* Calls of builtins on scalars, by their kind (FeBuiltinKind says what each leaves for
 * lowering). */
#include "frontend/infer/library.h"

#include <string.h>

/* ---- Arguments ---- */

const FeType *fe_arg_fail(FeInfer *in, const BuiltinCall *call, uint32_t i,
                          const char *expected) {
    const AstExpr *at = call->args[i] ? call->args[i] : call->expr;
    const FeType *type = call->types[i] ? call->types[i] : in->types->none;
    const char *dot = strrchr(call->builtin->path, '.');
    const char *np = jr_arena_printf(in->arena, "np.%s", dot ? dot + 1 : call->builtin->path);
    const FeBuiltin *other = jr_table_get(&in->builtins, np);
    const char *help = NULL;
    if (type->kind == FE_ARRAY && other && other != call->builtin)
        help = jr_arena_printf(in->arena, "for arrays there is %s()", np);
    return fe_infer_fail(in, at->span, help, "%s() takes %s for '%s', not %s",
                         call->builtin->path, expected, fe_arg_name(in, call, i),
                         fe_infer_name(in, type));
}

bool fe_arg_number(FeInfer *in, const BuiltinCall *call, uint32_t i) {
    if (!call->args[i] || type_is_number(call->types[i])) return true;
    fe_arg_fail(in, call, i, "a number");
    return false;
}

bool fe_arg_int(FeInfer *in, const BuiltinCall *call, uint32_t i) {
    if (!call->args[i] || type_is_int(call->types[i]) || type_is_bool(call->types[i]))
        return true;
    fe_arg_fail(in, call, i, "an integer");
    return false;
}

void fe_arg_use(FeInfer *in, const BuiltinCall *call, uint32_t i, const FeType *type) {
    if (!call->args[i]) return;
    fe_infer_use(in, call->args[i], type);
    fe_infer_settle(in, call->args[i]);
}

static bool all_numbers(FeInfer *in, const BuiltinCall *call) {
    bool ok = true;
    for (uint32_t i = 0; i < call->nargs; i++)
        ok = fe_arg_number(in, call, i) && ok;
    return ok;
}

static bool all_ints(FeInfer *in, const BuiltinCall *call) {
    bool ok = true;
    for (uint32_t i = 0; i < call->nargs; i++)
        ok = fe_arg_int(in, call, i) && ok;
    return ok;
}

static const FeType *target(FeInfer *in, BuiltinCall *call, const FeType *type) {
    node_at(in, call->expr)->target = type;
    for (uint32_t i = 0; i < call->nargs; i++)
        fe_arg_use(in, call, i, type);
    return type;
}

/* The promotion of arguments from..to, decided; unknown while a weak variable may still rise.
 */
static const FeType *joined(FeInfer *in, BuiltinCall *call, uint32_t from) {
    const FeType *type = NULL;
    bool weak_variable = false;
    for (uint32_t i = from; i < call->nargs; i++) {
        if (!call->args[i]) continue;
        const FeType *next =
            type ? fe_promote(in->types, type, call->types[i]) : call->types[i];
        if (!next)
            return fe_infer_fail(
                in, call->args[i]->span, "convert one of them: np.uint64(x) or np.int64(x)",
                "%s() of %s and %s: no integer type holds both", call->builtin->path,
                fe_infer_name(in, type), fe_infer_name(in, call->types[i]));
        type = next;
        weak_variable |= type_is_weak(call->types[i]) && !node_at(in, call->args[i])->value;
    }
    if (!type_is_weak(type) || !weak_variable || in->checking || in->settle_all)
        return fe_type_strong(in->types, type);
    in->unit->waits = true;
    return in->types->unknown;
}

/* The float type a function works in: math's is float64, NumPy's float32 for small types. */
static const FeType *float_target(FeInfer *in, BuiltinCall *call) {
    const FeType *float64 = scalar_type(in, TY_FLOAT64);
    if (!strncmp(call->builtin->path, "math.", 5)) return float64;
    const FeType *type = joined(in, call, 0);
    if (type->kind != FE_SCALAR || ir_scalar_is_float(type->ir.scalar)) return type;
    return ir_scalar_size(type->ir.scalar) <= 2 ? scalar_type(in, TY_FLOAT32) : float64;
}

/* ---- By kind ---- */

static const FeType *infer_cast(FeInfer *in, BuiltinCall *call) {
    const FeType *type = scalar_type(in, (IrScalar)call->builtin->detail);
    if (!all_numbers(in, call)) return fe_infer_silent(in);
    const FeConst *value = call->args[0] ? node_at(in, call->args[0])->value : NULL;
    bool literal = value && value->kind == FE_CONST_INT && type_is_weak(call->types[0]);
    if (literal && ir_scalar_is_int(type->ir.scalar))
        fe_infer_use(in, call->args[0], type);
    else if (call->args[0])
        fe_infer_settle(in, call->args[0]);
    return type;
}

static const FeType *infer_math(FeInfer *in, BuiltinCall *call) {
    if (!all_numbers(in, call)) return fe_infer_silent(in);
    const FeType *type = float_target(in, call);
    if (type_is_void(type)) return type;
    if (call->builtin->id == BI_NP_FMOD && type_is_int(joined(in, call, 0)))
        return fe_infer_fail(in, call->expr->span, "write %, or convert with float(x)",
                             "np.fmod() of integers is not supported");
    return target(in, call, type);
}

static const FeType *infer_operator(FeInfer *in, BuiltinCall *call) {
    FeOperation operation = {TY_NONE, TY_NONE};
    AstOp op = (AstOp)call->builtin->detail;
    FeNode *node = node_at(in, call->expr);
    AstExpr *a = call->args[0], *b = call->nargs > 1 ? call->args[1] : NULL;
    if (!all_numbers(in, call)) return fe_infer_silent(in);
    if (op == AST_NOT) {
        fe_infer_settle(in, a);
        return scalar_type(in, TY_BOOL);
    }
    const FeType *common = joined(in, call, 0);
    if (type_is_void(common)) return common;
    const FeType *type = fe_infer_operation(in, op, call->expr, a, call->types[0], b,
                                            b ? call->types[1] : NULL, &operation);
    if (!in->checking) return fe_type_strong(in->types, type);
    node->operations = JR_NEW(in->arena, FeOperation);
    *node->operations = operation;
    return type;
}

static const FeType *infer_logical(FeInfer *in, BuiltinCall *call) {
    if (!all_numbers(in, call)) return fe_infer_silent(in);
    fe_infer_settle(in, call->args[0]);
    fe_infer_settle(in, call->args[1]);
    return scalar_type(in, TY_BOOL);
}

static const FeType *letter_type(FeInfer *in, char letter) {
    switch (letter) {
    case 'b': return scalar_type(in, TY_BOOL);
    case 'i': return scalar_type(in, TY_INT64);
    case 'u': return scalar_type(in, TY_UINT64);
    case 'f': return scalar_type(in, TY_FLOAT32);
    default: return scalar_type(in, TY_FLOAT64);
    }
}

static const FeType *rt_result(FeInfer *in, IrRtCall rt) {
    const char *letters = ir_rt_results(rt);
    const FeType *items[4];
    uint32_t n = 0;
    for (; letters[n] && n < 4; n++)
        items[n] = letter_type(in, letters[n]);
    if (n == 0) return in->types->none;
    return n == 1 ? items[0] : fe_type_tuple(in->types, n, items);
}

static bool rt_arguments(FeInfer *in, BuiltinCall *call, const char *letters) {
    bool ok = true;
    for (uint32_t i = 0; letters[i] && i < call->nargs; i++) {
        ok = (letters[i] == 'i' ? fe_arg_int(in, call, i) : fe_arg_number(in, call, i)) && ok;
        fe_arg_use(in, call, i, letter_type(in, letters[i]));
    }
    return ok;
}

static const FeType *infer_rt(FeInfer *in, BuiltinCall *call) {
    IrRtCall rt = (IrRtCall)call->builtin->detail;
    if (call->builtin->id == BI_RANDOM_RANDRANGE) {
        if (!call->args[0]) call->values[0] = fe_const_int(in, 0);
        if (!call->args[2]) call->values[2] = fe_const_int(in, 1);
    }
    return rt_arguments(in, call, ir_rt_params(rt)) ? rt_result(in, rt) : fe_infer_silent(in);
}

/* ---- Scalar functions, one by one ---- */

static const FeType *infer_len(FeInfer *in, BuiltinCall *call) {
    const FeType *type = call->types[0];
    if (type->kind == FE_TUPLE) {
        node_at(in, call->expr)->value = fe_const_int(in, type->count);
        fe_infer_settle(in, call->args[0]);
    } else if (type->kind != FE_ARRAY) {
        return fe_infer_fail(in, call->args[0]->span, NULL, "%s has no len()",
                             fe_infer_name(in, type));
    }
    return scalar_type(in, TY_INT64);
}

static const FeType *no_bool(FeInfer *in, const FeType *type) {
    return type_is_bool(type) ? scalar_type(in, TY_INT64) : type;
}

static const FeType *infer_round(FeInfer *in, BuiltinCall *call) {
    const FeType *type =
        no_bool(in, joined(in,
                           &(BuiltinCall){call->expr, call->builtin, 1, call->args,
                                          call->values, call->types},
                           0));
    bool python = call->builtin->id == BI_ROUND, digits = call->args[1] != NULL;
    if (type_is_void(type) || !fe_arg_int(in, call, 1)) return fe_infer_silent(in);
    if (digits && python && type_is_int(type))
        return fe_infer_fail(in, call->args[1]->span, "an integer is round already",
                             "round() with digits takes a float");
    if (digits && !python && type_is_int(type))
        return fe_infer_fail(in, call->args[1]->span, NULL, "%s() with decimals takes a float",
                             call->builtin->path);
    node_at(in, call->expr)->target = type;
    fe_arg_use(in, call, 0, type);
    fe_arg_use(in, call, 1, scalar_type(in, TY_INT64));
    return python && !digits ? scalar_type(in, TY_INT64) : type;
}

static const FeType *infer_where(FeInfer *in, BuiltinCall *call) {
    const FeType *type = joined(in, call, 1);
    if (type_is_void(type)) return type;
    fe_infer_settle(in, call->args[0]);
    node_at(in, call->expr)->target = type;
    fe_arg_use(in, call, 1, type);
    fe_arg_use(in, call, 2, type);
    return type;
}

/* min(t), max(t), sum(t) of a tuple, min and max of a 1-D array, np.where(a): a function of frontend/numpy/. */
static const FeType *of_items(FeInfer *in, BuiltinCall *call, const char *name) {
    const FeType *type = fe_infer_strong(in, call->args[0], call->types[0]);
    if (type_is_void(type)) return type;
    fe_infer_settle(in, call->args[0]);
    bool matrix = type->kind == FE_ARRAY && type->ir.ndim == 2;
    FeFunc *func = fe_library_own(in, name, type->kind == FE_TUPLE ? "t" : matrix ? "2" : "1");
    AstExpr **args = JR_NEW_ARRAY(in->arena, AstExpr *, 1);
    args[0] = call->args[0];
    node_at(in, call->expr)->builtin = NULL;
    node_at(in, call->expr)->arg_values = NULL;
    return fe_infer_call_own(in, call->expr, func, args, &type);
}

static bool has_items(const FeType *type) {
    return (type->kind == FE_TUPLE && type->count) ||
           (type->kind == FE_ARRAY && type->ir.ndim == 1);
}

static const FeType *infer_extreme(FeInfer *in, BuiltinCall *call) {
    bool python = call->builtin->id == BI_MIN || call->builtin->id == BI_MAX;
    if (python && call->nargs == 1 && has_items(call->types[0]))
        return of_items(in, call, call->builtin->id == BI_MIN ? "_least" : "_greatest");
    if (call->nargs == 1 && type_is_number(call->types[0]))
        return fe_infer_fail(in, call->expr->span, NULL, "%s() takes two or more numbers",
                             call->builtin->path);
    if (call->nargs == 0)
        return fe_infer_fail(in, call->expr->span, NULL, "%s() needs arguments",
                             call->builtin->path);
    if (!all_numbers(in, call)) return fe_infer_silent(in);
    const FeType *type = joined(in, call, 0);
    return type_is_void(type) ? type : target(in, call, type);
}

static const FeType *infer_truths(FeInfer *in, BuiltinCall *call) {
    bool any = call->builtin->id == BI_ANY;
    if (has_items(call->types[0])) return of_items(in, call, any ? "_some" : "_every");
    return fe_arg_fail(in, call, 0, "an array of one dimension or a tuple");
}

/* np.clip(a, None, high) leaves a bound out. */
static void drop_none(BuiltinCall *call) {
    for (uint32_t i = 1; i < call->nargs; i++)
        if (call->args[i] && call->types[i]->kind == FE_NONE) call->args[i] = NULL;
}

static const FeType *pair(FeInfer *in, const FeType *type) {
    return fe_type_tuple(in->types, 2, (const FeType *[]){type, type});
}

static const FeType *infer_to_int(FeInfer *in, BuiltinCall *call) {
    const FeType *type = joined(in, call, 0);
    if (type_is_void(type)) return type;
    bool real = ir_scalar_is_float(type->ir.scalar);
    target(in, call, real ? scalar_type(in, TY_FLOAT64) : no_bool(in, type));
    return scalar_type(in, TY_INT64);
}

static const FeType *infer_float(FeInfer *in, BuiltinCall *call) {
    const FeType *type = float_target(in, call);
    return type_is_void(type) ? type : target(in, call, type);
}

static const FeType *infer_integers(FeInfer *in, BuiltinCall *call) {
    if (!all_ints(in, call)) return fe_infer_silent(in);
    bool numpy = !strncmp(call->builtin->path, "np.", 3);
    const FeType *type = numpy ? no_bool(in, joined(in, call, 0)) : scalar_type(in, TY_INT64);
    return type_is_void(type) ? type : target(in, call, type);
}

static const FeType *infer_same(FeInfer *in, BuiltinCall *call) {
    const FeType *type = no_bool(in, joined(in, call, 0));
    if (type_is_void(type)) return type;
    if (call->builtin->id == BI_NP_RECIPROCAL && type_is_int(type))
        return fe_infer_fail(in, call->expr->span, "convert with float(x)",
                             "np.reciprocal() takes a float");
    return target(in, call, type);
}

static const FeType *infer_divmod(FeInfer *in, BuiltinCall *call) {
    const FeType *type = infer_same(in, call);
    return type_is_void(type) ? type : pair(in, type);
}

static const FeType *infer_scalar(FeInfer *in, BuiltinCall *call) {
    FeBuiltinId id = call->builtin->id;
    if (id == BI_LEN) return infer_len(in, call);
    if (id == BI_MIN || id == BI_MAX) return infer_extreme(in, call);
    if (id == BI_ANY || id == BI_ALL) return infer_truths(in, call);
    if (id == BI_ORD)
        return fe_arg_fail(in, call, 0, "one character, known when the program is compiled,");
    drop_none(call);
    if (!all_numbers(in, call)) return fe_infer_silent(in);
    switch (id) {
    case BI_ROUND:
    case BI_NP_ROUND:
    case BI_NP_AROUND: return infer_round(in, call);
    case BI_NP_WHERE: return infer_where(in, call);
    case BI_NP_MINIMUM:
    case BI_NP_MAXIMUM:
    case BI_NP_FMIN:
    case BI_NP_FMAX: return infer_extreme(in, call);
    case BI_NP_CLIP: return infer_extreme(in, call);
    case BI_DIVMOD: return infer_divmod(in, call);
    case BI_MATH_FLOOR:
    case BI_MATH_CEIL:
    case BI_MATH_TRUNC: return infer_to_int(in, call);
    case BI_MATH_GCD:
    case BI_MATH_LCM:
    case BI_NP_GCD:
    case BI_NP_LCM: return infer_integers(in, call);
    case BI_MATH_MODF: return pair(in, infer_float(in, call));
    case BI_ABS:
    case BI_NP_ABS:
    case BI_NP_ABSOLUTE:
    case BI_NP_SIGN:
    case BI_NP_SQUARE:
    case BI_NP_RECIPROCAL: return infer_same(in, call);
    default: return infer_float(in, call);
    }
}

/* ---- Printing ---- */

static bool is_printable(const FeType *type) {
    if (type->kind == FE_TUPLE)
        for (uint32_t i = 0; i < type->count; i++)
            if (!is_printable(type->items[i])) return false;
    return type_is_number(type) || type->kind == FE_ARRAY || type->kind == FE_TUPLE ||
           type->kind == FE_STR || type->kind == FE_NONE;
}

static const FeType *infer_print(FeInfer *in, BuiltinCall *call) {
    for (uint32_t i = 0; i < 2; i++) {
        if (call->args[i] && call->types[i]->kind == FE_NONE) call->args[i] = NULL;
        if (call->args[i] && call->types[i]->kind != FE_STR)
            fe_arg_fail(in, call, i, "a literal string");
    }
    for (uint32_t i = 2; i < call->nargs; i++) {
        if (!is_printable(call->types[i]))
            fe_infer_fail(in, call->args[i]->span,
                          call->types[i]->kind == FE_LIST ? "write np.array([...])" : NULL,
                          "%s cannot be printed", fe_infer_name(in, call->types[i]));
        fe_infer_settle(in, call->args[i]);
    }
    return in->types->none;
}

static bool has_array(const BuiltinCall *call) {
    for (uint32_t i = 0; i < call->nargs; i++)
        if (call->args[i] && call->types[i]->kind == FE_ARRAY) return true;
    return false;
}

static bool is_given(const BuiltinCall *call, uint32_t i) {
    return i < call->nargs && call->args[i] && call->types[i]->kind != FE_NONE;
}

/* np.where of a condition alone. */
static const FeType *infer_where_true(FeInfer *in, BuiltinCall *call) {
    const FeType *type = call->types[0];
    if (is_given(call, 1) || is_given(call, 2))
        return fe_infer_fail(in, call->expr->span, NULL,
                             "np.where() takes both x and y, or none");
    if (type->kind == FE_ARRAY && type->ir.ndim <= 2) return of_items(in, call, "nonzero");
    return fe_arg_fail(in, call, 0, "an array of 1 or 2 dimensions");
}

const FeType *fe_infer_builtin(FeInfer *in, BuiltinCall *call) {
    if (call->builtin->id == BI_NP_WHERE && !(is_given(call, 1) && is_given(call, 2)))
        return infer_where_true(in, call);
    if (fe_infer_is_elementwise(call->builtin) && has_array(call))
        return fe_infer_whole(in, call);
    switch (call->builtin->kind) {
    case BK_CAST: return infer_cast(in, call);
    case BK_MATH: return infer_math(in, call);
    case BK_BINARY:
    case BK_UNARY: return infer_operator(in, call);
    case BK_LOGICAL: return infer_logical(in, call);
    case BK_TEST:
        if (!all_numbers(in, call)) return fe_infer_silent(in);
        return type_is_void(infer_float(in, call)) ? fe_infer_silent(in)
                                                   : scalar_type(in, TY_BOOL);
    case BK_RT: return infer_rt(in, call);
    case BK_SCALAR: return infer_scalar(in, call);
    case BK_LOOP: return fe_infer_loop(in, call);
    case BK_PRINT: return infer_print(in, call);
    case BK_MAKE: return fe_infer_make(in, call);
    case BK_METHOD: return fe_infer_method(in, call);
    case BK_RANDOM: return fe_infer_random(in, call);
    case BK_REDUCE:
        if (call->builtin->id == BI_SUM && call->types[0]->kind == FE_TUPLE &&
            call->types[0]->count)
            return of_items(in, call, "_total");
        return fe_infer_reduce(in, call);
    case BK_LIMITS:
        return fe_infer_fail(in, call->expr->span,
                             "write the attribute behind the call: np.iinfo(T).max",
                             "%s() is not a value in kernels", call->builtin->path);
    default:
        return fe_infer_fail(in, call->expr->span, NULL, "%s cannot be called here",
                             call->builtin->path);
    }
}

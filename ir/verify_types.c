/* The types, number and ownership of one statement's operands, form by form. */
#include "ir/verify.h"

#include <string.h>

bool ir_verify_type(IrType type, bool constant) {
    if (type.scalar == TY_NONE || type.scalar >= TY_COUNT || type.ndim > IR_MAX_DIMS)
        return false;
    if (type.layout > (type.ndim ? LAYOUT_C : LAYOUT_ANY)) return false;
    return type.ndim ? !constant && type.scalar != TY_STR : constant || type.scalar != TY_STR;
}

static IrType arg_type(IrVerifier *v, const IrStmt *stmt, uint32_t i) {
    return ir_reg_type(v->func, stmt->args[i]);
}

static IrType dst_type(IrVerifier *v, const IrStmt *stmt) {
    return ir_reg_type(v->func, stmt->dsts[0]);
}

static const char *name_of(IrVerifier *v, IrType type) {
    return ir_type_name(type, v->arena);
}

static bool count(IrVerifier *v, const IrStmt *stmt, uint32_t ndsts, uint32_t nargs) {
    if (stmt->ndsts != ndsts)
        return ir_verify_fail(v, "%u destinations, not %u", stmt->ndsts, ndsts);
    if (stmt->nargs != nargs)
        return ir_verify_fail(v, "%u operands, not %u", stmt->nargs, nargs);
    return true;
}

static bool same(IrVerifier *v, const char *what, IrType type, IrType wanted) {
    if (ir_type_same(type, wanted)) return true;
    return ir_verify_fail(v, "%s is %s, not %s", what, name_of(v, type), name_of(v, wanted));
}

/* A scalar whose class is one of the letters. */
static bool classed(IrVerifier *v, IrType type, const char *classes) {
    char cls = ir_scalar_class(type.scalar);
    if (!type.ndim && cls && strchr(classes, cls)) return true;
    return ir_verify_fail(v, "an operand cannot be %s", name_of(v, type));
}

static bool int64_args(IrVerifier *v, const IrStmt *stmt, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++)
        if (!same(v, "an index or size", arg_type(v, stmt, i), ir_scalar(TY_INT64)))
            return false;
    return true;
}

static bool array_arg(IrVerifier *v, const IrStmt *stmt) {
    if (!stmt->nargs) return ir_verify_fail(v, "the array is missing");
    IrType type = arg_type(v, stmt, 0);
    return type.ndim || ir_verify_fail(v, "the operand is %s, not an array", name_of(v, type));
}

/* ---- Scalars ---- */

static const char *const CLASSES[OP_COUNT] = {
    [OP_ADD] = "IUF",      [OP_SUB] = "IUF", [OP_MUL] = "IUF", [OP_DIV] = "F",
    [OP_FLOORDIV] = "IUF", [OP_MOD] = "IUF", [OP_POW] = "IUF", [OP_MIN] = "IUF",
    [OP_MAX] = "IUF",      [OP_AND] = "BIU", [OP_OR] = "BIU",  [OP_XOR] = "BIU",
    [OP_SHL] = "IU",       [OP_SHR] = "IU",  [OP_NEG] = "IUF", [OP_INV] = "IU",
    [OP_NOT] = "B",        [OP_ABS] = "IUF", [OP_MATH] = "F",
};

/* dst:T = op a:T, ... */
static bool verify_alike(IrVerifier *v, const IrStmt *stmt, uint32_t nargs) {
    if (!count(v, stmt, 1, nargs)) return false;
    IrType type = dst_type(v, stmt);
    if (!classed(v, type, CLASSES[stmt->op])) return false;
    for (uint32_t i = 0; i < nargs; i++)
        if (!same(v, "an operand", arg_type(v, stmt, i), type)) return false;
    return true;
}

static bool verify_compare(IrVerifier *v, const IrStmt *stmt) {
    return count(v, stmt, 1, 2) && classed(v, arg_type(v, stmt, 0), "BIUF") &&
           same(v, "the second operand", arg_type(v, stmt, 1), arg_type(v, stmt, 0)) &&
           same(v, "the result", dst_type(v, stmt), ir_scalar(TY_BOOL));
}

static bool verify_copy(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 1)) return false;
    IrType type = dst_type(v, stmt);
    return (type.ndim || classed(v, type, "BIUF")) &&
           same(v, "the operand", arg_type(v, stmt, 0), type);
}

static bool verify_cast(IrVerifier *v, const IrStmt *stmt) {
    return count(v, stmt, 1, 1) && classed(v, arg_type(v, stmt, 0), "BIUF") &&
           classed(v, dst_type(v, stmt), "BIUF");
}

static bool verify_bits(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 1)) return false;
    IrType from = arg_type(v, stmt, 0), to = dst_type(v, stmt);
    if (!classed(v, from, "BIUF") || !classed(v, to, "IUF")) return false;
    if (ir_scalar_size(from.scalar) == ir_scalar_size(to.scalar)) return true;
    return ir_verify_fail(v, "%s and %s differ in size", name_of(v, from), name_of(v, to));
}

static bool verify_select(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 3)) return false;
    IrType type = dst_type(v, stmt);
    return same(v, "the condition", arg_type(v, stmt, 0), ir_scalar(TY_BOOL)) &&
           classed(v, type, "BIUF") && same(v, "an operand", arg_type(v, stmt, 1), type) &&
           same(v, "an operand", arg_type(v, stmt, 2), type);
}

static bool verify_math(IrVerifier *v, const IrStmt *stmt) {
    if (stmt->u.math >= MATH_COUNT) return ir_verify_fail(v, "unknown function");
    return verify_alike(v, stmt, ir_math_arity(stmt->u.math));
}

/* ---- Arrays ---- */

static bool verify_element(IrVerifier *v, const IrStmt *stmt, bool store) {
    if (!array_arg(v, stmt)) return false;
    IrType array = arg_type(v, stmt, 0);
    if (!count(v, stmt, !store, array.ndim + 1u + store)) return false;
    IrType value = store ? arg_type(v, stmt, array.ndim + 1u) : dst_type(v, stmt);
    return int64_args(v, stmt, 1, array.ndim + 1u) &&
           same(v, "the element", value, ir_scalar(array.scalar));
}

static bool verify_dim(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 1) || !array_arg(v, stmt)) return false;
    if (stmt->u.imm >= arg_type(v, stmt, 0).ndim)
        return ir_verify_fail(v, "the array has no axis %u", stmt->u.imm);
    return same(v, "the result", dst_type(v, stmt), ir_scalar(TY_INT64));
}

static bool verify_apart(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 2)) return false;
    for (uint32_t i = 0; i < 2; i++)
        if (!arg_type(v, stmt, i).ndim)
            return ir_verify_fail(v, "operand %u must be an array", i + 1);
    return same(v, "the result", dst_type(v, stmt), ir_scalar(TY_BOOL));
}

static bool verify_alloc(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, stmt->nargs)) return false;
    IrType type = dst_type(v, stmt);
    if (!type.ndim || stmt->nargs != type.ndim)
        return ir_verify_fail(v, "%u sizes for %s", stmt->nargs, name_of(v, type));
    return int64_args(v, stmt, 0, stmt->nargs);
}

static bool is_one(IrVerifier *v, IrReg reg) {
    const IrRegInfo *info = ir_reg(v->func, reg);
    return info->kind == REG_CONST && info->value.i == 1;
}

/* What the steps of a view take and leave. A view of a C-contiguous array is one itself as
 * long as leading axes are dropped, at most the next one is cut, in steps of 1, and the rest
 * is whole. */
typedef struct Steps {
    uint32_t operands, axes, made;
    bool contiguous;
} Steps;

static bool read_steps(IrVerifier *v, const IrStmt *stmt, Steps *steps) {
    const char *axes = stmt->u.mem.axes;
    bool cut = false;
    *steps = (Steps){.contiguous = arg_type(v, stmt, 0).layout == LAYOUT_C};
    if (!memchr(axes, 0, sizeof stmt->u.mem.axes)) return ir_verify_fail(v, "too many steps");
    for (; *axes; axes++) {
        if (!strchr("irn", *axes)) return ir_verify_fail(v, "unknown step '%c'", *axes);
        uint32_t takes = *axes == 'r' ? 3 : *axes == 'i';
        if (*axes != 'n' && cut) steps->contiguous = false;
        if (*axes == 'r') {
            uint32_t step = 1 + steps->operands + 2;
            if (step >= stmt->nargs || !is_one(v, stmt->args[step])) steps->contiguous = false;
            cut = true;
        }
        steps->operands += takes;
        steps->axes += *axes != 'n';
        steps->made += *axes != 'i';
    }
    return true;
}

static bool verify_view(IrVerifier *v, const IrStmt *stmt) {
    Steps steps;
    if (!array_arg(v, stmt) || !read_steps(v, stmt, &steps)) return false;
    if (!count(v, stmt, 1, 1 + steps.operands)) return false;
    IrType from = arg_type(v, stmt, 0), to = dst_type(v, stmt);
    if (steps.axes > from.ndim)
        return ir_verify_fail(v, "steps for %u axes of %s", steps.axes, name_of(v, from));
    IrType made = ir_array(from.scalar, from.ndim - steps.axes + steps.made, to.layout);
    if (!to.ndim || !ir_type_same(to, made))
        return ir_verify_fail(v, "a view of %s with %u axes is not %s", name_of(v, from),
                              made.ndim, name_of(v, to));
    if (to.layout == LAYOUT_C && !steps.contiguous)
        return ir_verify_fail(v, "the view need not be C-contiguous");
    return int64_args(v, stmt, 1, stmt->nargs);
}

static bool verify_whole(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 1) || !array_arg(v, stmt)) return false;
    IrType from = arg_type(v, stmt, 0), to = dst_type(v, stmt);
    if (stmt->op == OP_TRANSPOSE && (from.ndim > 1 || to.layout == LAYOUT_ANY))
        from.layout = LAYOUT_ANY;
    return same(v, "the result", to, from);
}

static bool verify_shaped(IrVerifier *v, const IrStmt *stmt) {
    if (!array_arg(v, stmt) || !count(v, stmt, 1, stmt->nargs)) return false;
    IrType from = arg_type(v, stmt, 0), to = dst_type(v, stmt);
    bool stretches = stmt->op == OP_BROADCAST;
    if (!to.ndim || to.scalar != from.scalar || stmt->nargs != to.ndim + 1u)
        return ir_verify_fail(v, "%u sizes do not make %s of %s", stmt->nargs - 1,
                              name_of(v, to), name_of(v, from));
    if (stretches && (to.layout != LAYOUT_ANY || to.ndim < from.ndim))
        return ir_verify_fail(v, "%s does not stretch to %s", name_of(v, from),
                              name_of(v, to));
    if (!stretches && from.layout != LAYOUT_C)
        return ir_verify_fail(v, "the operand is %s, not C-contiguous", name_of(v, from));
    return int64_args(v, stmt, 1, stmt->nargs);
}

/* ---- Calls and control ---- */

static bool verify_call(IrVerifier *v, const IrStmt *stmt) {
    const IrFunc *callee = stmt->u.callee;
    bool known = callee && (callee->host ? ir_host_find(v->module, callee->name)
                                         : ir_module_find(v->module, callee->name)) == callee;
    if (!known) return ir_verify_fail(v, "the function called is not in the module");
    if (!count(v, stmt, callee->nrets, callee->nparams)) return false;
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (!same(v, "an argument", arg_type(v, stmt, i), ir_reg_type(callee, i)))
            return false;
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (!same(v, "a destination", ir_reg_type(v->func, stmt->dsts[i]), callee->rets[i]))
            return false;
    return true;
}

static bool verify_parallel(IrVerifier *v, const IrStmt *stmt) {
    const IrFunc *callee = stmt->u.callee;
    if (!callee || ir_module_find(v->module, callee->name) != callee)
        return ir_verify_fail(v, "the body is not in the module");
    if (callee->nrets || callee->nparams < 3)
        return ir_verify_fail(v,
                              "the body must take a chunk and its bounds, and return nothing");
    if (!callee->exported) return ir_verify_fail(v, "the body must be exported");
    if (!count(v, stmt, stmt->ndsts ? 2 : 0, callee->nparams)) return false;
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (!same(v, "a result", ir_reg_type(v->func, stmt->dsts[i]), ir_scalar(TY_INT64)))
            return false;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrType type = arg_type(v, stmt, i);
        bool number = type.scalar == TY_BOOL || type.scalar == TY_INT64 ||
                      type.scalar == TY_UINT64 || ir_scalar_is_float((IrScalar)type.scalar);
        if (i < 3 ? !same(v, "an operand", type, ir_scalar(TY_INT64)) ||
                        !same(v, "a parameter", ir_reg_type(callee, i), type)
                  : !same(v, "a capture", type, ir_reg_type(callee, i)))
            return false;
        if (!type.ndim && !number)
            return ir_verify_fail(v, "a capture is %s", name_of(v, type));
    }
    return true;
}

static bool lettered(IrVerifier *v, IrType type, char letter) {
    static const IrScalar LETTERS[128] = {
        ['b'] = TY_BOOL,    ['i'] = TY_INT64,   ['u'] = TY_UINT64,
        ['f'] = TY_FLOAT32, ['d'] = TY_FLOAT64, ['s'] = TY_STR,
    };
    bool ok =
        letter == 'a' ? type.ndim > 0 : !type.ndim && type.scalar == LETTERS[letter & 127];
    return ok || ir_verify_fail(v, "an operand is %s where '%c' is wanted", name_of(v, type),
                                letter);
}

static bool verify_rt(IrVerifier *v, const IrStmt *stmt) {
    if (stmt->u.rt >= RT_COUNT) return ir_verify_fail(v, "unknown runtime function");
    const char *params = ir_rt_params(stmt->u.rt), *results = ir_rt_results(stmt->u.rt);
    if (!count(v, stmt, (uint32_t)strlen(results), (uint32_t)strlen(params))) return false;
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (!lettered(v, arg_type(v, stmt, i), params[i])) return false;
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (!lettered(v, ir_reg_type(v->func, stmt->dsts[i]), results[i])) return false;
    return true;
}

/* A pass may have any step. */
static bool has_strip_step(const IrVerifier *v, const IrStmt *stmt) {
    if (stmt->pass && stmt->strip == IR_ANY_STRIP) return true;
    const IrRegInfo *step = ir_reg(v->func, stmt->args[2]);
    __int128 stride = (__int128)step->value.i * stmt->strip;
    return step->kind == REG_CONST && stride != 0 && stride <= INT32_MAX &&
           -stride <= INT32_MAX;
}

static bool verify_for(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 1, 3) || !int64_args(v, stmt, 0, 3)) return false;
    if (ir_reg(v->func, stmt->dsts[0])->kind != REG_TEMP)
        return ir_verify_fail(v, "the counter must be a TEMP");
    if (stmt->strip && !has_strip_step(v, stmt))
        return ir_verify_fail(v, "strips need a constant step, and less than 2**31 in one");
    return same(v, "the counter", dst_type(v, stmt), ir_scalar(TY_INT64));
}

static bool verify_return(IrVerifier *v, const IrStmt *stmt) {
    if (!count(v, stmt, 0, v->func->nrets)) return false;
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (!same(v, "a result", arg_type(v, stmt, i), v->func->rets[i])) return false;
    return true;
}

static bool verify_raise(IrVerifier *v, const IrStmt *stmt) {
    if (stmt->u.exc == EXC_NONE || stmt->u.exc >= EXC_COUNT)
        return ir_verify_fail(v, "unknown exception");
    return count(v, stmt, 0, 1) &&
           same(v, "the message", arg_type(v, stmt, 0), ir_scalar(TY_STR));
}

static bool verify_form(IrVerifier *v, const IrStmt *stmt) {
    switch (ir_op_form(stmt->op)) {
    case FORM_BIN: return verify_alike(v, stmt, 2);
    case FORM_CMP: return verify_compare(v, stmt);
    case FORM_UN: return verify_alike(v, stmt, 1);
    case FORM_COPY: return verify_copy(v, stmt);
    case FORM_CAST: return verify_cast(v, stmt);
    case FORM_SELECT: return verify_select(v, stmt);
    case FORM_MATH: return verify_math(v, stmt);
    case FORM_BITS: return verify_bits(v, stmt);
    case FORM_LOAD: return verify_element(v, stmt, false);
    case FORM_STORE: return verify_element(v, stmt, true);
    case FORM_DIM: return verify_dim(v, stmt);
    case FORM_APART: return verify_apart(v, stmt);
    case FORM_ALLOC: return verify_alloc(v, stmt);
    case FORM_VIEW: return verify_view(v, stmt);
    case FORM_COPYA: return verify_whole(v, stmt);
    case FORM_SHAPED: return verify_shaped(v, stmt);
    case FORM_CALL: return verify_call(v, stmt);
    case FORM_RT: return verify_rt(v, stmt);
    case FORM_PARALLEL: return verify_parallel(v, stmt);
    case FORM_IF:
        return count(v, stmt, 0, 1) &&
               same(v, "the condition", arg_type(v, stmt, 0), ir_scalar(TY_BOOL));
    case FORM_FOR: return verify_for(v, stmt);
    case FORM_LOOP:
    case FORM_NONE: return count(v, stmt, 0, 0);
    case FORM_RETURN: return verify_return(v, stmt);
    case FORM_RAISE: return verify_raise(v, stmt);
    }
    return ir_verify_fail(v, "unknown form");
}

/* ALLOC, ASSIGN, RT and CALL hand over a reference; what makes a view or a copy does not. */
static bool verify_ownership(IrVerifier *v, const IrStmt *stmt) {
    bool counted = stmt->op == OP_ALLOC || stmt->op == OP_ASSIGN || stmt->op == OP_RT ||
                   stmt->op == OP_CALL;
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        const IrRegInfo *info = ir_reg(v->func, stmt->dsts[i]);
        if (!info->type.ndim || info->owned == counted) continue;
        return ir_verify_fail(v, counted ? "the array's register must be owned"
                                         : "the array's register must not be owned");
    }
    return true;
}

bool ir_verify_operands(IrVerifier *v, const IrStmt *stmt) {
    return verify_form(v, stmt) && verify_ownership(v, stmt);
}

/* What units find out: types that are assigned to variables, and returned. A variable, and what a
 * specialisation returns, has the type that unifies all of these. While types are inferred it rises, and the
 * units that read it look again; in the last phase it is known, and what does not fit is an error. */
#include "frontend/infer/infer.h"

/* A variable holds numbers, arrays, functions, and tuples of these. */
bool fe_infer_is_storable(const FeType *type) {
    if (type->kind == FE_TUPLE)
        for (uint32_t i = 0; i < type->count; i++)
            if (!fe_infer_is_storable(type->items[i])) return false;
    return type_is_number(type) || type->kind == FE_ARRAY || type->kind == FE_TUPLE ||
           fe_type_is_static(type);
}

/* ---- Variables ---- */

static const char *storable_help(const FeType *type) {
    switch (type->kind) {
    case FE_LIST:
        return type->count ? "write np.array([...]) for an array, or (a, b) for a tuple"
                           : "make an array that is long enough, a = np.empty(n), store with "
                             "a[k] = x and k += 1, and use a[:k]";
    case FE_RANGE: return "write the range in the for itself";
    case FE_NONE: return "a function that returns nothing is called on a line of its own";
    default: return "a variable holds a number, an array, a tuple or a function";
    }
}

static void conflict(FeInfer *in, FeVar *var, const FeType *type, JrSpan span) {
    if (((Var *)var)->declared)
        fe_infer_fail(in, span, "convert it, or change the annotation",
                      "'%s' is declared %s: %s is not accepted", var->name,
                      fe_infer_name(in, var->type), fe_infer_name(in, type));
    else if (type_is_number(var->type) && type_is_number(type))
        fe_infer_fail(in, span, "convert one of them: np.uint64(x) or np.int64(x)",
                      "'%s' would be both %s and %s, and no integer type holds both",
                      var->name, fe_infer_name(in, var->type), fe_infer_name(in, type));
    else
        fe_infer_fail(
            in, span,
            var->type->kind == FE_NONE
                ? jr_arena_printf(in->arena,
                                  "use another name: value = ... if %s is None else %s",
                                  var->name, var->name)
            : type->kind == FE_STR
                ? "strings are known when the program is compiled: use another name here"
                : "a variable has one type: use another name here",
            "'%s' is %s elsewhere and %s here", var->name, fe_infer_name(in, var->type),
            fe_infer_name(in, type));
    var->type = in->types->error;
}

static void assign_checked(FeInfer *in, FeVar *var, const FeType *type, JrSpan span) {
    if (type_is_void(type) || type_is_void(var->type)) {
        if (!type_is_void(type) && !fe_infer_is_storable(type))
            fe_infer_fail(in, span, storable_help(type), "%s cannot be assigned to a variable",
                          fe_infer_name(in, type));
        if (var->type->kind == FE_UNKNOWN) var->type = in->types->error;
        return;
    }
    if (!fe_infer_is_storable(type)) {
        fe_infer_fail(in, span, storable_help(type), "%s cannot be assigned to a variable",
                      fe_infer_name(in, type));
        return;
    }
    bool fits = ((Var *)var)->declared ? fe_accepts(var->type, type)
                                       : fe_unify(in->types, var->type, type) == var->type;
    if (!fits) conflict(in, var, type, span);
}

void fe_infer_assign(FeInfer *in, FeVar *var, const FeType *type, JrSpan span) {
    if (in->checking) {
        assign_checked(in, var, type, span);
        return;
    }
    if (type_is_void(type) || !fe_infer_is_storable(type) || ((Var *)var)->declared) return;
    const FeType *joined = fe_infer_join(in, var->type, type);
    if (!joined || joined == var->type) return;
    var->type = joined;
    fe_infer_look_again(in, &((Var *)var)->readers);
}

/* ---- Results ---- */

static bool is_returnable(const FeType *type) {
    return type->kind == FE_NONE || (fe_infer_is_storable(type) && !fe_type_has_static(type));
}

static void return_checked(FeInfer *in, const FeType *type, JrSpan span) {
    FeSpec *spec = in->spec;
    if (type_is_void(type)) return;
    if (!is_returnable(type) && in->config.expression) {
        fe_infer_fail(in, span, NULL,
                      "%s cannot be passed: write a number, an array or a tuple of these",
                      fe_infer_name(in, type));
        return;
    }
    if (!is_returnable(type)) {
        fe_infer_fail(in, span,
                      type->kind == FE_STR ? "return a number that stands for it"
                      : fe_type_has_static(type)
                          ? "call it here, or pass it to the function that calls it"
                          : "return a number, an array or a tuple",
                      "%s cannot be returned", fe_infer_name(in, type));
        return;
    }
    if (type_is_void(spec->ret)) return;
    if (spec->units->declared && !fe_accepts(spec->ret, type) && spec->ret != type)
        fe_infer_fail(in, span, "convert it, or change the annotation",
                      "'%s' is declared to return %s, not %s", spec->func->ast->name,
                      fe_infer_name(in, spec->ret), fe_infer_name(in, type));
    else if (!spec->units->declared && fe_unify(in->types, spec->ret, type) != spec->ret)
        fe_infer_fail(in, span, "make every return give the same type",
                      "'%s' returns %s here and %s elsewhere", spec->func->ast->name,
                      fe_infer_name(in, type), fe_infer_name(in, spec->ret));
}

void fe_infer_return(FeInfer *in, const FeType *type, JrSpan span) {
    FeSpec *spec = in->spec;
    if (in->checking) {
        return_checked(in, type, span);
        return;
    }
    if (type_is_void(type) || spec->units->declared) return;
    if (!is_returnable(type)) return;
    const FeType *joined = fe_infer_join(in, spec->ret, type);
    if (!joined || joined == spec->ret) return;
    spec->ret = joined;
    fe_infer_look_again(in, &spec->units->callers);
}

/* Calls: arguments matched to parameters, of the module's functions and of builtins. */
#include "frontend/infer/library.h"

#include <stdlib.h>
#include <string.h>

/* ---- The signatures of builtins ---- */

static const FeConst *default_value(FeInfer *in, const char *text, size_t len) {
    if (len == 5 && !strncmp(text, "False", 5)) return fe_const_bool(in, false);
    if (!len || !((*text >= '0' && *text <= '9') || *text == '-')) return NULL;
    double number = strtod(text, NULL);
    return memchr(text, '.', len) ? fe_const_float(in, number)
                                  : fe_const_int(in, (__int128)number);
}

/* "a", "a=1", "*a" or "/" from a signature, up to `end` */
static void parse_param(FeInfer *in, Params *params, const char *text, const char *end) {
    if (*text == '/') {
        params->positional_only = params->count;
        return;
    }
    if (*text == '*') {
        params->star = (int)params->count;
        params->star_name = jr_arena_strndup(in->arena, text + 1, (size_t)(end - text - 1));
        return;
    }
    const char *equals = memchr(text, '=', (size_t)(end - text));
    uint32_t i = params->count++;
    params->items[i].name =
        jr_arena_strndup(in->arena, text, (size_t)((equals ? equals : end) - text));
    params->items[i].optional = equals != NULL;
    if (equals)
        params->items[i].value = default_value(in, equals + 1, (size_t)(end - equals - 1));
}

const Params *fe_builtin_params(FeInfer *in, const FeBuiltin *builtin) {
    if (in->params[builtin->id]) return in->params[builtin->id];
    Params *params = in->params[builtin->id] = JR_NEW(in->arena, Params);
    params->star = -1;
    const char *text = builtin->signature;
    if (*text == '(') text++;
    while (*text && *text != ')') {
        const char *end = text;
        bool quoted = false;
        for (; *end && (quoted || (*end != ',' && *end != ')')); end++)
            if (*end == '\'') quoted = !quoted;
        parse_param(in, params, text, end);
        text = end + strspn(end, ", ");
    }
    return params;
}

/* (start, stop, step): one positional argument is the stop. */
static bool counts(const FeBuiltin *builtin) {
    return builtin->id == BI_RANGE || builtin->id == BI_PRANGE ||
           builtin->id == BI_NP_ARANGE || builtin->id == BI_RANDOM_RANDRANGE;
}

static void unknown_keyword(FeInfer *in, const char *callee, const AstKeyword *keyword,
                            uint32_t n, const char *const *names) {
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(names[i], keyword->name) != 0) continue;
        fe_infer_fail(in, keyword->span, "leave its name out",
                      "%s() takes '%s' by position only", callee, keyword->name);
        return;
    }
    const char *near = jr_nearest(keyword->name, names, n);
    const char *help = near ? jr_arena_printf(in->arena, "did you mean '%s'?", near) : NULL;
    if (!strcmp(keyword->name, "out") && !strncmp(callee, "np.", 3))
        help = jr_arena_printf(in->arena, "write out[...] = %s(...) as a statement", callee);
    fe_infer_fail(in, keyword->span, help, "%s() has no parameter '%s'", callee,
                  keyword->name);
}

static int find_param(const Params *params, const char *name) {
    for (uint32_t i = params->positional_only; i < params->count; i++)
        if (!strcmp(params->items[i].name, name)) return (int)i;
    return -1;
}

static bool match_keywords(FeInfer *in, BuiltinCall *call, const Params *params) {
    const char *path = call->builtin->path;
    for (uint32_t k = 0; k < call->expr->keywords.len; k++) {
        const AstKeyword *keyword = &call->expr->keywords.data[k];
        int i = find_param(params, keyword->name);
        if (i < 0) {
            const char *names[8];
            for (uint32_t p = 0; p < params->count; p++)
                names[p] = params->items[p].name;
            unknown_keyword(in, path, keyword, params->count, names);
            return false;
        }
        if (call->args[i]) {
            fe_infer_fail(in, keyword->span, NULL, "%s() is given '%s' twice", path,
                          keyword->name);
            return false;
        }
        call->args[i] = keyword->value;
    }
    return true;
}

static bool fill_defaults(FeInfer *in, BuiltinCall *call, const Params *params) {
    const FeBuiltin *builtin = call->builtin;
    for (uint32_t i = 0; i < params->count; i++) {
        bool optional = params->items[i].optional || (counts(builtin) && i != 1);
        if (call->args[i]) continue;
        call->values[i] = params->items[i].value;
        if (optional) continue;
        fe_infer_fail(
            in, call->expr->span,
            jr_arena_printf(in->arena, "it is %s%s", builtin->path, builtin->signature),
            "%s() needs '%s'", builtin->path, params->items[i].name);
        return false;
    }
    return true;
}

/* Puts the arguments in the order of the signature; those of *args come last. */
static bool match_builtin(FeInfer *in, BuiltinCall *call, AstExpr *receiver) {
    const Params *params = fe_builtin_params(in, call->builtin);
    const AstExprs *given = &call->expr->items;
    uint32_t n = given->len + (receiver != NULL), cap = params->count + n;
    call->args = JR_NEW_ARRAY(in->arena, AstExpr *, cap + 1);
    call->values = JR_NEW_ARRAY(in->arena, const FeConst *, cap + 1);
    call->types = JR_NEW_ARRAY(in->arena, const FeType *, cap + 1);
    uint32_t positional = params->star >= 0 ? (uint32_t)params->star : params->count;
    if (call->builtin->id == BI_PRANGE) positional = 3;
    call->nargs = params->count;
    for (uint32_t i = 0; i < n; i++) {
        AstExpr *arg = receiver ? (i ? given->data[i - 1] : receiver) : given->data[i];
        uint32_t slot = counts(call->builtin) && n == 1 ? 1 : i;
        if (i >= positional && params->star < 0) {
            fe_infer_fail(in, arg->span,
                          jr_arena_printf(in->arena, "it is %s%s", call->builtin->path,
                                          call->builtin->signature),
                          "%s() takes at most %u argument%s", call->builtin->path, positional,
                          positional == 1 ? "" : "s");
            return false;
        }
        call->args[i >= positional ? call->nargs++ : slot] = arg;
    }
    return match_keywords(in, call, params) && fill_defaults(in, call, params);
}

const char *fe_arg_name(FeInfer *in, const BuiltinCall *call, uint32_t i) {
    const Params *params = fe_builtin_params(in, call->builtin);
    return i < params->count ? params->items[i].name : params->star_name;
}

/* Every argument of a call that does not match is inferred all the same, for its own errors.
 */
void fe_infer_arguments(FeInfer *in, const AstExpr *expr) {
    for (uint32_t i = 0; i < expr->items.len; i++)
        fe_infer_expr(in, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++)
        fe_infer_expr(in, expr->keywords.data[i].value);
}

/* All arguments known, and as weak as literals: the call may have a constant result. */
static const FeConst *fold_call(FeInfer *in, const BuiltinCall *call, const FeType **type) {
    const FeConst *values[8];
    if (call->nargs > 8) return NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (!call->args[i]) continue;
        const FeConst *value = node_at(in, call->args[i])->value;
        if (!value || call->types[i] != fe_const_type(in, value)) return NULL;
        values[n++] = value;
    }
    return fe_const_call(in, call->builtin, n, values, type);
}

const FeType *fe_infer_call_builtin(FeInfer *in, const AstExpr *expr, const FeBuiltin *row,
                                    const FeBuiltin *builtin, AstExpr *receiver) {
    BuiltinCall call = {.expr = expr, .builtin = row};
    FeNode *node = node_at(in, expr);
    node->builtin = builtin;
    if (!match_builtin(in, &call, receiver)) {
        fe_infer_arguments(in, expr);
        return fe_infer_silent(in);
    }
    bool unknown = false;
    call.builtin = builtin;
    for (uint32_t i = 0; i < call.nargs; i++) {
        if (!call.args[i]) continue;
        bool loops = builtin->id == BI_ZIP || builtin->id == BI_REVERSED ||
                     (builtin->id == BI_ENUMERATE && i == 0);
        if (loops) fe_infer_iterable(in, call.args[i]);
        call.types[i] =
            loops ? node_at(in, call.args[i])->type : fe_infer_expr(in, call.args[i]);
        unknown |= type_is_void(call.types[i]);
    }
    node->nargs = call.nargs;
    node->args = call.args;
    node->arg_values = call.values;
    if (unknown) return fe_infer_silent(in);
    const FeType *type;
    if ((node->value = fold_call(in, &call, &type)) != NULL) return type;
    return fe_infer_builtin(in, &call);
}

/* ---- Functions of the module ---- */

typedef struct FuncCall {
    const AstExpr *expr; /* of a method a stand-in, with the receiver among the arguments */
    FeFunc *func;
    const FeType *callee; /* the function's type, with what it captures */
    AstExpr **args;
    const FeConst **values;
    const FeType **types;
} FuncCall;

static int func_param(const AstFunc *func, const char *name) {
    for (uint32_t i = 0; i < func->params.len && !func->params.data[i].captured; i++)
        if (!strcmp(func->params.data[i].name, name)) return (int)i;
    return -1;
}

static bool match_func_keywords(FeInfer *in, FuncCall *call) {
    const AstFunc *ast = call->func->ast;
    for (uint32_t k = 0; k < call->expr->keywords.len; k++) {
        const AstKeyword *keyword = &call->expr->keywords.data[k];
        int i = func_param(ast, keyword->name);
        if (i < 0 || ast->params.data[i].positional_only) {
            uint32_t n = ast->params.len - call->func->captures.len;
            const char **names = JR_NEW_ARRAY(in->arena, const char *, n + 1);
            for (uint32_t p = 0; p < n; p++)
                names[p] = ast->params.data[p].name;
            unknown_keyword(in, ast->name, keyword, n, names);
            return false;
        }
        if (call->args[i]) {
            fe_infer_fail(in, keyword->span, NULL, "%s() is given '%s' twice", ast->name,
                          keyword->name);
            return false;
        }
        call->args[i] = keyword->value;
    }
    return true;
}

static bool match_func(FeInfer *in, FuncCall *call) {
    const AstFunc *ast = call->func->ast;
    uint32_t positional = 0, n = ast->params.len - call->func->captures.len;
    while (positional < n && !ast->params.data[positional].keyword_only)
        positional++;
    if (call->expr->items.len > positional) {
        fe_infer_fail(in, call->expr->items.data[positional]->span, NULL,
                      "%s() takes %u positional argument%s, not %u", ast->name, positional,
                      positional == 1 ? "" : "s", call->expr->items.len);
        return false;
    }
    for (uint32_t i = 0; i < call->expr->items.len; i++)
        call->args[i] = call->expr->items.data[i];
    if (!match_func_keywords(in, call)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (call->args[i]) continue;
        if (!(call->values[i] = call->func->info->defaults[i])) {
            fe_infer_fail(in, call->expr->span, NULL, "%s() needs an argument for '%s'",
                          ast->name, ast->params.data[i].name);
            return false;
        }
        call->types[i] = call->func->info->default_types[i];
    }
    return true;
}

/* The types of what the function captures; unknown while one may still rise. */
static void take_captures(FeInfer *in, FuncCall *call) {
    uint32_t n = call->func->captures.len, first = call->func->ast->params.len - n;
    for (uint32_t i = 0; i < n; i++) {
        const FeType *type = call->callee->items[i];
        const FeType *strong = fe_type_strong(in->types, type);
        bool waits = strong != type && !in->checking && !in->settle_all;
        in->unit->waits |= waits;
        call->types[first + i] = waits ? in->types->unknown : strong;
    }
}

/* What one parameter becomes for its argument: the declared type, or the argument's. */
static const FeType *param_type(FeInfer *in, FuncCall *call, uint32_t i) {
    const FeType *declared = call->func->info->params[i], *given = call->types[i];
    if (!call->args[i]) return given;
    const AstParam *param = &call->func->ast->params.data[i];
    if (declared) {
        if (fe_accepts(declared, given)) return declared;
        return fe_infer_fail(in, call->args[i]->span,
                             given->kind == FE_SCALAR && declared->kind == FE_SCALAR
                                 ? jr_arena_printf(in->arena, "convert it: %s(...)",
                                                   fe_infer_name(in, declared))
                                 : NULL,
                             "%s() takes %s for '%s', not %s", call->func->ast->name,
                             fe_infer_name(in, declared), param->name,
                             fe_infer_name(in, given));
    }
    if (given->kind != FE_NONE && !fe_infer_is_storable(given))
        return fe_infer_fail(in, call->args[i]->span, NULL,
                             "%s cannot be passed to a function ('%s' of %s())",
                             fe_infer_name(in, given), param->name, call->func->ast->name);
    return fe_infer_strong(in, call->args[i], given);
}

static bool takes(const Signature *signature, const FuncCall *call, bool exact) {
    for (uint32_t i = 0; i < signature->count; i++)
        if (exact ? signature->params[i] != call->types[i]
                  : !fe_accepts(signature->params[i], call->types[i]))
            return false;
    return true;
}

/* The eager signature for these arguments: the same types first, then convertible ones. */
static const Signature *choose_signature(const FuncCall *call) {
    const FuncInfo *info = call->func->info;
    for (int exact = 1; exact >= 0; exact--)
        for (uint32_t i = 0; i < info->signatures.len; i++)
            if (takes(&info->signatures.data[i], call, exact))
                return &info->signatures.data[i];
    return NULL;
}

static const char *given_types(FeInfer *in, const FuncCall *call) {
    JrText text;
    jr_text_init(&text, in->arena);
    jr_text_puts(&text, "(");
    for (uint32_t i = 0; i < call->func->ast->params.len; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "", fe_infer_name(in, call->types[i]));
    jr_text_puts(&text, ")");
    return text.data;
}

static void note_call(FeInfer *in, FeSpec *callee) {
    Units *callers = &callee->units->callers;
    if (in->checking) {
        fe_infer_reach(in, callee);
        JR_PUSH(in->arena, &in->spec->units->callees, callee);
        return;
    }
    /* A unit may call the same one again with every round. */
    if (!callers->len || callers->data[callers->len - 1] != in->unit)
        JR_PUSH(in->arena, callers, in->unit);
}

const FeType *fe_infer_call_own(FeInfer *in, const AstExpr *expr, FeFunc *func, AstExpr **args,
                                const FeType *const *types) {
    FeSpec *callee = fe_infer_spec(in, func, types, NULL, expr->span);
    if (!callee)
        return fe_infer_fail(in, expr->span, NULL,
                             "%s takes more than %d combinations of types", func->ast->name,
                             INFER_MAX_SPECS);
    note_call(in, callee);
    FeNode *node = node_at(in, expr);
    node->callee = callee;
    node->nargs = callee->nparams;
    node->args = args;
    return callee->ret->kind == FE_UNKNOWN ? fe_infer_silent(in) : callee->ret;
}

static const FeType *call_spec(FeInfer *in, FuncCall *call, const FeType *const *params,
                               const FeType *ret) {
    const AstExpr *expr = call->expr;
    FeSpec *callee = fe_infer_spec(in, call->func, params, ret, expr->span);
    if (!callee)
        return fe_infer_fail(in, expr->span, "annotate its parameters",
                             "'%s' is called with more than %d combinations of types",
                             call->func->ast->name, INFER_MAX_SPECS);
    note_call(in, callee);
    FeNode *node = node_at(in, expr);
    node->callee = callee;
    node->nargs = callee->nparams;
    node->args = call->args;
    node->arg_values = call->values;
    for (uint32_t i = 0; i < callee->nparams; i++) {
        if (!call->args[i]) continue;
        fe_infer_use(in, call->args[i], params[i]);
        fe_infer_settle(in, call->args[i]);
    }
    return callee->ret->kind == FE_UNKNOWN ? fe_infer_silent(in) : callee->ret;
}

/* np.concatenate([a, b]): to the library a list display is a tuple. */
static void lists_as_tuples(FeInfer *in, const AstExpr *expr) {
    for (uint32_t i = 0; i < expr->items.len + expr->keywords.len; i++) {
        const AstExpr *arg = i < expr->items.len
                                 ? expr->items.data[i]
                                 : expr->keywords.data[i - expr->items.len].value;
        FeNode *node = node_at(in, arg);
        if (node->type && node->type->kind == FE_LIST)
            node->type = fe_type_tuple(in->types, node->type->count, node->type->items);
    }
}

const FeType *fe_infer_call_func(FeInfer *in, const AstExpr *expr, const FeType *callee) {
    FeFunc *func = callee->func;
    if (func->library) {
        fe_infer_arguments(in, expr);
        lists_as_tuples(in, expr);
        func = fe_library_choose(in, func, expr);
        if (!func) return fe_infer_silent(in);
    }
    uint32_t n = func->ast->params.len;
    FuncCall call = {expr,
                     func,
                     callee,
                     JR_NEW_ARRAY(in->arena, AstExpr *, n + 1),
                     JR_NEW_ARRAY(in->arena, const FeConst *, n + 1),
                     JR_NEW_ARRAY(in->arena, const FeType *, n + 1)};
    bool matched = func->info->ok && match_func(in, &call);
    if (matched) take_captures(in, &call);
    fe_infer_arguments(in, expr);
    if (func->library) lists_as_tuples(in, expr);
    if (!matched) return fe_infer_silent(in);
    for (uint32_t i = 0; i < n; i++) {
        if (call.args[i]) call.types[i] = node_at(in, call.args[i])->type;
        if (type_is_void(call.types[i])) return fe_infer_silent(in);
    }
    if (func->info->signatures.len) {
        const Signature *signature = choose_signature(&call);
        if (!signature)
            return fe_infer_fail(in, expr->span, NULL, "no signature of '%s' takes %s",
                                 func->ast->name, given_types(in, &call));
        return call_spec(in, &call, signature->params, signature->ret);
    }
    const FeType **params = JR_NEW_ARRAY(in->arena, const FeType *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        params[i] = param_type(in, &call, i);
        if (type_is_void(params[i])) return fe_infer_silent(in);
    }
    return call_spec(in, &call, params, func->info->ret);
}

/* ---- All calls ---- */

const FeType *fe_infer_call(FeInfer *in, const AstExpr *expr) {
    const AstExpr *callee = expr->left;
    const FeType *self = callee->kind == AST_NAME ? fe_inner_self(in, callee->name) : NULL;
    const Entry *entry = self ? NULL : fe_scope_path(in, callee);
    if (!entry && callee->kind == AST_ATTR) return fe_infer_method_call(in, expr);
    const FeType *type = entry ? entry->type : fe_infer_expr(in, callee);
    if (type && type->kind == FE_FUNC) return fe_infer_call_func(in, expr, type);
    if (type && type->kind == FE_RECORD) return fe_infer_record(in, expr, type->record);
    if (type && type->kind == FE_HOST) return fe_infer_host(in, expr, type->host);
    if (type && type->builtin)
        return fe_infer_call_builtin(in, expr, type->builtin, type->builtin, NULL);
    fe_infer_arguments(in, expr);
    if (!type || type_is_void(type)) return fe_infer_silent(in);
    const char *help = type->kind == FE_EXCEPTION ? "exceptions are only for raise" : NULL;
    return fe_infer_fail(in, callee->span, help, "%s cannot be called",
                         fe_infer_name(in, type));
}

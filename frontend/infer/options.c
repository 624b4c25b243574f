/* What stands around a function's body: decorators with their options and eager signatures,
 * annotations, and default values. */
#include "frontend/infer/infer.h"

#include <stddef.h>
#include <string.h>

/* ---- Types as text: "float64[:, ::1]", "Tuple((f8, i4))" ---- */

static const char *blanks(const char *text) {
    return text + strspn(text, " \t");
}

static bool take(const char **text, const char *token) {
    const char *at = blanks(*text);
    size_t len = strlen(token);
    if (strncmp(at, token, len)) return false;
    *text = at + len;
    return true;
}

static const FeType *text_type(FeInfer *in, const char **text, int depth);

/* Types up to the closing bracket, which is taken. NULL if there is anything else. */
static const FeType *text_items(FeInfer *in, const char **text, const char *close, int depth) {
    JR_VEC(const FeType *) items = {0};
    while (!take(text, close)) {
        if (items.len && !take(text, ",")) return NULL;
        if (items.len && take(text, close)) break;
        const FeType *item = text_type(in, text, depth + 1);
        if (!item) return NULL;
        JR_PUSH(in->arena, &items, item);
    }
    return fe_type_tuple(in->types, items.len, items.data);
}

static const FeType *uniform(FeInfer *in, const FeType *item, long count) {
    if (!item || count < 1 || count > 64) return NULL;
    const FeType *items[64];
    for (long i = 0; i < count; i++)
        items[i] = item;
    return fe_type_tuple(in->types, (uint32_t)count, items);
}

static const FeType *text_uniform(FeInfer *in, const char **text, int depth) {
    const FeType *item = text_type(in, text, depth + 1);
    if (!item || !take(text, ",")) return NULL;
    long count = 0;
    for (*text = blanks(*text); **text >= '0' && **text <= '9' && count < 1000; ++*text)
        count = count * 10 + (**text - '0');
    return take(text, ")") ? uniform(in, item, count) : NULL;
}

static const FeType *text_type(FeInfer *in, const char **text, int depth) {
    static const char *const PREFIXES[] = {"np.", "numpy.", "numba.",
                                           "nb.", "types.", "jitrun."};
    if (depth > 20) return NULL;
    for (unsigned i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (take(text, PREFIXES[i])) i = (unsigned)-1;
    if (take(text, "None") || take(text, "void") || take(text, "none")) return in->types->none;
    if (take(text, "UniTuple(")) return text_uniform(in, text, depth);
    if (take(text, "Tuple((")) {
        const FeType *tuple = text_items(in, text, ")", depth);
        return tuple && take(text, ")") ? tuple : NULL;
    }
    if (take(text, "tuple[") || take(text, "Tuple[")) return text_items(in, text, "]", depth);
    IrType type;
    const char *end = blanks(*text);
    if (!ir_type_parse(end, &end, &type) || type.scalar == TY_STR || !type.scalar) return NULL;
    *text = end;
    return fe_type_ir(in->types, type);
}

/* ---- Types as expressions ---- */

static const FeType *bad_type(FeInfer *in, const AstExpr *expr) {
    JrDiag *diag = jr_diag_error(in->diags, expr->span, "this is not a type");
    const char *near = NULL;
    const FeType *known =
        expr->kind == AST_NAME ? fe_scope_member(in, "jitrun", expr->name) : NULL;
    if (known && known->kind == FE_DTYPE) {
        diag->message =
            jr_arena_printf(in->arena, "the type '%s' is not imported", expr->name);
        jr_diag_help(in->diags, diag, "write `from jitrun import %s` at the top", expr->name);
        return NULL;
    }
    if (expr->kind == AST_NAME || expr->kind == AST_ATTR) {
        const char *names[TY_COUNT];
        for (int s = TY_BOOL; s <= TY_FLOAT64; s++)
            names[s - TY_BOOL] = ir_scalar_name((IrScalar)s);
        near = jr_nearest(expr->name, names, TY_FLOAT64);
        diag->message = jr_arena_printf(in->arena, "'%s' is not a type", expr->name);
    }
    if (near)
        jr_diag_help(in->diags, diag, "did you mean '%s'?", near);
    else
        jr_diag_help(in->diags, diag,
                     "write float64, an array such as float64[:] or int32[:, ::1], or "
                     "tuple[int64, float64]");
    return NULL;
}

static const char *last_name(const AstExpr *expr) {
    return expr->kind == AST_NAME || expr->kind == AST_ATTR ? expr->name : "";
}

static const FeType *tuple_of(FeInfer *in, const AstExprs *exprs) {
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, exprs->len + 1);
    for (uint32_t i = 0; i < exprs->len; i++)
        if (!(items[i] = fe_options_type(in, exprs->data[i]))) return NULL;
    return fe_type_tuple(in->types, exprs->len, items);
}

/* One axis: 0 for `:`, 1 for `::1`, -1 for anything else. */
static int axis(const AstExpr *expr) {
    if (expr->kind != AST_SLICE || expr->left || expr->right) return -1;
    if (!expr->cond) return 0;
    return expr->cond->kind == AST_INT && expr->cond->u.big == 1 ? 1 : -1;
}

static const FeType *array_of(FeInfer *in, const AstExpr *expr) {
    const FeType *element = fe_options_type(in, expr->left);
    uint32_t n = expr->items.len;
    if (!element) return NULL;
    if (element->kind != FE_SCALAR) return bad_type(in, expr);
    for (uint32_t i = 0; i < n; i++)
        if (axis(expr->items.data[i]) < 0) return bad_type(in, expr);
    if (n > IR_MAX_DIMS) {
        jr_diag_error(in->diags, expr->span, "an array has at most %d dimensions",
                      IR_MAX_DIMS);
        return NULL;
    }
    bool contiguous = axis(expr->items.data[n - 1]) == 1;
    return fe_type_ir(in->types,
                      ir_array(element->ir.scalar, n, contiguous ? LAYOUT_C : LAYOUT_ANY));
}

static const FeType *call_type(FeInfer *in, const AstExpr *expr) {
    const char *name = last_name(expr->left);
    const AstExprs *items = &expr->items;
    bool displays = items->len == 1 &&
                    (items->data[0]->kind == AST_TUPLE || items->data[0]->kind == AST_LIST);
    if (!strcmp(name, "Tuple") && displays) return tuple_of(in, &items->data[0]->items);
    if (!strcmp(name, "UniTuple") && items->len == 2 && items->data[1]->kind == AST_INT) {
        unsigned __int128 count = items->data[1]->u.big;
        const FeType *type =
            uniform(in, fe_options_type(in, items->data[0]), count > 64 ? 0 : (long)count);
        if (type) return type;
    }
    return bad_type(in, expr);
}

const FeType *fe_options_type(FeInfer *in, const AstExpr *expr) {
    const char *name = last_name(expr);
    switch (expr->kind) {
    case AST_NONE: return in->types->none;
    case AST_STR: {
        const char *text = expr->u.str.bytes;
        const FeType *type = text_type(in, &text, 0);
        return type && !*blanks(text) ? type : bad_type(in, expr);
    }
    case AST_NAME:
    case AST_ATTR: {
        const Entry *entry = fe_scope_path(in, expr);
        if (entry && entry->kind == ENTRY_TYPE && entry->type->kind == FE_DTYPE)
            return in->types->scalars[entry->type->ir.scalar];
        if (entry && entry->kind == ENTRY_TYPE && entry->type->kind == FE_ERROR) return NULL;
        if (entry && (!strcmp(name, "void") || !strcmp(name, "none"))) return in->types->none;
        return bad_type(in, expr);
    }
    case AST_SUBSCRIPT:
        if (!strcmp(last_name(expr->left), "tuple") || !strcmp(last_name(expr->left), "Tuple"))
            return tuple_of(in, &expr->items);
        return array_of(in, expr);
    case AST_CALL: return call_type(in, expr);
    default: return bad_type(in, expr);
    }
}

/* ---- Signatures ---- */

static void add_signature(FeInfer *in, FeFunc *func, const FeType *params, const FeType *ret,
                          JrSpan span) {
    if (!params) return;
    if (params->count != func->ast->params.len) {
        jr_diag_error(in->diags, span, "this signature has %u parameters, but '%s' has %u",
                      params->count, func->ast->name, func->ast->params.len);
        return;
    }
    Signature signature = {params->count, params->items, ret};
    JR_PUSH(in->arena, &func->info->signatures, signature);
}

/* "float64(float64, int32)", or "(float64, int32)" with the result inferred */
static void text_signature(FeInfer *in, FeFunc *func, const AstExpr *expr) {
    const char *text = expr->u.str.bytes;
    const FeType *ret = NULL, *params = NULL;
    bool ok = true;
    if (*blanks(text) != '(') ok = (ret = text_type(in, &text, 0)) != NULL;
    if (ok && take(&text, "(")) params = text_items(in, &text, ")", 0);
    if (!params || *blanks(text)) {
        JrDiag *diag = jr_diag_error(in->diags, expr->span, "this is not a signature");
        jr_diag_help(in->diags, diag, "write one like \"float64(float64, int32[:])\"");
        return;
    }
    add_signature(in, func, params, ret, expr->span);
}

static void signature(FeInfer *in, FeFunc *func, const AstExpr *expr) {
    switch (expr->kind) {
    case AST_STR: text_signature(in, func, expr); break;
    case AST_TUPLE:
        add_signature(in, func, tuple_of(in, &expr->items), NULL, expr->span);
        break;
    case AST_LIST:
        for (uint32_t i = 0; i < expr->items.len; i++)
            signature(in, func, expr->items.data[i]);
        break;
    case AST_CALL: {
        const FeType *ret = fe_options_type(in, expr->left);
        if (ret) add_signature(in, func, tuple_of(in, &expr->items), ret, expr->span);
        break;
    }
    case AST_NONE: break;
    default: bad_type(in, expr);
    }
}

/* ---- Decorators ---- */

/* USE_RACES is for the whole file: what is checked is a run, in all functions it comes to. */
typedef enum OptionUse { USE_BOOL, USE_RACES, USE_IGNORE, USE_MODEL, USE_REFUSE } OptionUse;

static const struct {
    const char *name;
    OptionUse use;
    size_t offset; /* of the bool in FeOptions */
} OPTIONS[] = {
    {"parallel", USE_BOOL, offsetof(FeOptions, parallel)},
    {"fastmath", USE_BOOL, offsetof(FeOptions, fastmath)},
    {"boundscheck", USE_BOOL, offsetof(FeOptions, boundscheck)},
    {"check_races", USE_RACES, 0},
    {"error_model", USE_MODEL, 0},
    {"forceobj", USE_REFUSE, 0},
    {"nopython", USE_IGNORE, 0},
    {"nogil", USE_IGNORE, 0},
    {"cache", USE_IGNORE, 0},
    {"inline", USE_IGNORE, 0},
    {"locals", USE_IGNORE, 0},
    {"looplift", USE_IGNORE, 0},
    {"debug", USE_IGNORE, 0},
    {"no_cpython_wrapper", USE_IGNORE, 0},
    {"no_cfunc_wrapper", USE_IGNORE, 0},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

static void unknown_option(FeInfer *in, const AstKeyword *option) {
    const char *names[OPTION_COUNT];
    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = OPTIONS[i].name;
    const char *near = jr_nearest(option->name, names, OPTION_COUNT);
    JrDiag *diag =
        jr_diag_error(in->diags, option->span, "njit has no option '%s'", option->name);
    if (strcmp(option->name, "engine") == 0)
        jr_diag_help(in->diags, diag, "it is for calls from Python: here give --backend");
    else if (near)
        jr_diag_help(in->diags, diag, "did you mean '%s'?", near);
    else
        jr_diag_help(in->diags, diag,
                     "it has parallel, fastmath, boundscheck, error_model, nogil and cache");
}

static void bool_option(FeInfer *in, bool *out, const AstKeyword *option) {
    const FeType *type;
    if (option->value->kind == AST_NONE) return;
    const FeConst *value = fe_const_eval(in, option->value, &type);
    if (value && value->kind == FE_CONST_BOOL)
        *out = value->i != 0;
    else
        jr_diag_error(in->diags, option->value->span, "%s= takes True or False", option->name);
}

static void model_option(FeInfer *in, FeFunc *func, const AstKeyword *option) {
    const AstExpr *value = option->value;
    const char *text = value->kind == AST_STR ? value->u.str.bytes : "";
    if (!strcmp(text, "python"))
        func->options.python_errors = true;
    else if (strcmp(text, "numpy"))
        jr_diag_error(in->diags, value->span, "error_model= takes 'python' or 'numpy'");
}

static void option(FeInfer *in, FeFunc *func, const AstKeyword *option) {
    int which = 0;
    bool races = false;
    while (which < OPTION_COUNT && strcmp(OPTIONS[which].name, option->name))
        which++;
    if (which == OPTION_COUNT) {
        unknown_option(in, option);
        return;
    }
    switch (OPTIONS[which].use) {
    case USE_BOOL:
        bool_option(in, (bool *)((char *)&func->options + OPTIONS[which].offset), option);
        break;
    case USE_RACES:
        bool_option(in, &races, option);
        in->module->check_races |= races;
        break;
    case USE_MODEL: model_option(in, func, option); break;
    case USE_REFUSE:
        if (option->value->kind != AST_FALSE)
            jr_diag_error(in->diags, option->span, "there is no object mode: leave '%s' out",
                          option->name);
        break;
    case USE_IGNORE: break;
    }
}

static void decorator(FeInfer *in, FeFunc *func, const AstExpr *expr) {
    const AstExpr *name = expr->kind == AST_CALL ? expr->left : expr;
    const Entry *entry = fe_scope_path(in, name);
    if (!entry && name->kind == AST_NAME) {
        fe_scope_undefined(in, func, name);
        return;
    }
    if (entry && entry->type && entry->type->kind == FE_ERROR) return;
    const FeBuiltin *builtin = entry && entry->type ? entry->type->builtin : NULL;
    if (!builtin || builtin->kind != BK_DECORATOR) {
        JrDiag *diag =
            jr_diag_error(in->diags, name->span, "this is not a decorator for kernels");
        jr_diag_help(in->diags, diag, "use @njit, or none: every function is compiled");
        return;
    }
    func->options.jit = true;
    if (expr->kind != AST_CALL) return;
    for (uint32_t i = 0; i < expr->items.len; i++)
        signature(in, func, expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++) {
        const AstKeyword *keyword = &expr->keywords.data[i];
        if (!strcmp(keyword->name, "signature"))
            signature(in, func, keyword->value);
        else
            option(in, func, keyword);
    }
}

/* ---- Parameters ---- */

static void fallback(FeInfer *in, FeFunc *func, uint32_t i) {
    const AstParam *param = &func->ast->params.data[i];
    FuncInfo *info = func->info;
    static const FeConst none = {.kind = FE_CONST_NONE};
    bool absent = param->fallback->kind == AST_NONE;
    const FeType *type = in->types->none;
    const FeConst *value = absent ? &none : fe_const_eval(in, param->fallback, &type);
    if (!value) {
        JrDiag *diag = jr_diag_error(in->diags, param->fallback->span,
                                     "the default of '%s' is not a constant", param->name);
        jr_diag_help(in->diags, diag,
                     "write a number, a string, True, False or None, or a module constant");
        info->ok = false;
        return;
    }
    const FeType *declared = info->params[i];
    if (declared &&
        (absent || !fe_accepts(declared, type) || !fe_const_fits_type(value, declared))) {
        jr_diag_error(in->diags, param->fallback->span,
                      "the default of '%s' does not fit in %s", param->name,
                      fe_type_name(in->types, declared));
        info->ok = false;
    }
    info->defaults[i] = value;
    info->default_types[i] = declared ? declared : fe_type_strong(in->types, type);
}

/* "name: str" says nothing: a parameter that is given strings is compiled for each. */
static bool is_str(const AstExpr *annotation) {
    return annotation && annotation->kind == AST_NAME && !strcmp(annotation->name, "str");
}

static void annotations(FeInfer *in, FeFunc *func) {
    FuncInfo *info = func->info;
    AstFunc *ast = func->ast;
    info->params = JR_NEW_ARRAY(in->arena, const FeType *, ast->params.len + 1);
    info->defaults = JR_NEW_ARRAY(in->arena, const FeConst *, ast->params.len + 1);
    info->default_types = JR_NEW_ARRAY(in->arena, const FeType *, ast->params.len + 1);
    func->has_signature = true;
    for (uint32_t i = 0; i < ast->params.len; i++) {
        const AstExpr *annotation = ast->params.data[i].annotation;
        if (is_str(annotation)) annotation = NULL;
        if (annotation && !(info->params[i] = fe_options_type(in, annotation)))
            info->ok = false;
        if (info->params[i] == in->types->none) {
            jr_diag_error(in->diags, annotation->span, "a parameter cannot be None");
            info->ok = false;
        }
        func->has_signature &= annotation != NULL;
    }
    if (ast->returns && !(info->ret = fe_options_type(in, ast->returns))) info->ok = false;
    for (uint32_t i = 0; i < ast->params.len; i++)
        if (ast->params.data[i].fallback) fallback(in, func, i);
}

void fe_options_decorators(FeInfer *in, FeFunc *func) {
    const FeConfig *config = &in->config;
    func->options = (FeOptions){.boundscheck = true};
    func->info->ok = true;
    annotations(in, func);
    for (uint32_t i = 0; i < func->ast->decorators.len; i++)
        decorator(in, func, func->ast->decorators.data[i]);
    func->has_signature |= func->info->signatures.len > 0;
    func->options.parallel |= config->parallel;
    func->options.fastmath |= config->fastmath;
    func->options.boundscheck &= !config->unchecked;
}

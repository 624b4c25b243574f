/* NumPy's functions that are kernels (frontend/numpy/). Each is parsed when it is first named. They see nothing of
 * the program's scope, and have no place in its source: what goes wrong in one is shown where the
 * program calls it. */
#include "frontend/infer/library.h"

#include <string.h>

static const char TEXT[] =
#include <numpy.inc>
    ;

/* ---- The tree loses its places ---- */

static void forget_expr(AstExpr *expr) {
    if (!expr) return;
    expr->span = expr->at = (JrSpan){0, 0, 0};
    forget_expr(expr->left);
    forget_expr(expr->right);
    forget_expr(expr->cond);
    for (uint32_t i = 0; i < expr->items.len; i++)
        forget_expr(expr->items.data[i]);
    for (uint32_t i = 0; i < expr->keywords.len; i++) {
        expr->keywords.data[i].span = (JrSpan){0, 0, 0};
        forget_expr(expr->keywords.data[i].value);
    }
}

static void forget_block(AstBlock *block) {
    for (uint32_t i = 0; i < block->len; i++) {
        AstStmt *stmt = block->data[i];
        stmt->span = (JrSpan){0, 0, 0};
        for (uint32_t k = 0; k < stmt->targets.len; k++)
            forget_expr(stmt->targets.data[k]);
        forget_expr(stmt->value);
        forget_expr(stmt->message);
        forget_block(&stmt->body);
        forget_block(&stmt->orelse);
    }
}

static void forget_places(AstFunc *func) {
    func->span = (JrSpan){0, 0, 0};
    for (uint32_t i = 0; i < func->params.len; i++) {
        func->params.data[i].span = (JrSpan){0, 0, 0};
        forget_expr(func->params.data[i].fallback);
    }
    forget_block(&func->body);
}

/* ---- Definitions ---- */

/* Where the text defines what is in nobody's scope: "def " at the beginning of a line. */
static const char *next_def(const char *from) {
    const char *found = strstr(from, "\ndef ");
    return found ? found + 1 : TEXT + sizeof TEXT - 1;
}

/* "linalg_norm__a" is np.linalg.norm. */
static const char *path_of(FeInfer *in, const char *name) {
    if (!strncmp(name, "linalg_", 7))
        return jr_arena_printf(in->arena, "np.linalg.%s", name + 7);
    if (!strncmp(name, "random_", 7))
        return jr_arena_printf(in->arena, "np.random.%s", name + 7);
    return jr_arena_printf(in->arena, "np.%s", name);
}

/* The name of the definition that begins with `text`, and the letters behind it, "" if it has none. */
static const char *split_name(FeInfer *in, const char *text, const char **letters) {
    const char *begin = text + strlen("def ");
    char *name = jr_arena_strndup(in->arena, begin, strcspn(begin, "("));
    char *ranks = strstr(name + 1, "__");
    *letters = ranks ? ranks + 2 : "";
    if (ranks) *ranks = 0;
    return name;
}

static void note_definition(FeInfer *in, FeLibrary *library, const char *text, size_t len) {
    FeDefinition def = {.text = text, .len = len};
    const char *name = split_name(in, text, &def.letters);
    FeNamed *named = jr_table_get(&library->names, name);
    if (!named) {
        named = JR_NEW(in->arena, FeNamed);
        *named = (FeNamed){.path = path_of(in, name)};
        JR_PUSH(in->arena, &library->named, named);
        jr_table_put(&library->names, name, named);
        jr_table_put(&library->paths, named->path, named);
    }
    JR_PUSH(in->arena, &named->definitions, def);
}

static FeLibrary *library_of(FeInfer *in) {
    if (in->library) return in->library;
    FeLibrary *library = in->library = JR_NEW(in->arena, FeLibrary);
    jr_table_init(&library->paths, in->arena);
    jr_table_init(&library->names, in->arena);
    for (const char *def = next_def(TEXT), *next; *def; def = next) {
        next = next_def(def);
        note_definition(in, library, def, (size_t)(next - def));
    }
    return library;
}

static AstFunc *parsed(FeInfer *in, const FeDefinition *def) {
    JrSource *source = JR_NEW(in->arena, JrSource);
    JrDiags diags;
    const char *text = jr_arena_strndup(in->arena, def->text, def->len);
    *source = (JrSource){.name = "<numpy>", .text = text, .len = def->len};
    jr_diags_init(&diags, in->arena, source);
    AstFunc *ast = fe_ast_parse(in->arena, source, &diags)->body->body.data[0]->func;
    forget_places(ast);
    return ast;
}

/* Its definitions, parsed; the first of them. */
static FeFunc *first_of(FeInfer *in, FeNamed *named) {
    FeFunc **link = &named->first;
    if (named->first) return named->first;
    for (uint32_t i = 0; i < named->definitions.len; i++, link = &(*link)->other) {
        const FeDefinition *def = &named->definitions.data[i];
        FeFunc *func = *link = JR_NEW(in->arena, FeFunc);
        *func = (FeFunc){.ast = parsed(in, def), .library = def->letters};
        func->ast->name = named->path;
    }
    return named->first;
}

static bool is_private(const char *path) {
    return strrchr(path, '.')[1] == '_';
}

FeFunc *fe_library_find(FeInfer *in, const char *path) {
    if (strncmp(path, "np.", 3) != 0 || is_private(path)) return NULL;
    FeNamed *named = jr_table_get(&library_of(in)->paths, path);
    return named ? first_of(in, named) : NULL;
}

const FeType *fe_library_name(FeInfer *in, const char *name) {
    if (!strcmp(name, "math")) return fe_type_module(in->types, "math");
    if (!strcmp(name, "np")) return fe_type_module(in->types, "np");
    FeNamed *named = jr_table_get(&library_of(in)->names, name);
    return named ? fe_type_func(in->types, first_of(in, named)) : NULL;
}

FeFunc *fe_library_own(FeInfer *in, const char *name, const char *letters) {
    FeFunc *func = first_of(in, jr_table_get(&library_of(in)->names, name));
    while (func && strcmp(func->library, letters) != 0)
        func = func->other;
    if (func) fe_infer_prepare(in, func);
    return func;
}

uint32_t fe_library_members(FeInfer *in, const char *module, const char **names,
                            uint32_t cap) {
    size_t len = strlen(module);
    uint32_t count = 0;
    if (strncmp(module, "np", 2) != 0) return 0;
    const FeLibrary *library = library_of(in);
    for (uint32_t i = 0; i < library->named.len && count < cap; i++) {
        const char *path = library->named.data[i]->path;
        bool inside = !strncmp(path, module, len) && path[len] == '.';
        if (inside && !strchr(path + len + 1, '.') && !is_private(path))
            names[count++] = path + len + 1;
    }
    return count;
}

/* ---- Which definition a call means ---- */

static bool fits(char letter, const FeType *type) {
    switch (letter) {
    case 'n': return type->kind == FE_NONE;
    case 'd': return type->kind == FE_DTYPE;
    case 'x': return type_is_number(type) || type->kind == FE_ARRAY;
    case 'a': return type->kind == FE_ARRAY && type->ir.ndim > 0;
    case 'm':
        return type->kind == FE_ARRAY && type->ir.ndim == 1 && type->ir.scalar == TY_BOOL;
    case 't': return type->kind == FE_TUPLE && type->count > 0;
    case '0': return type_is_number(type);
    default: return type->kind == FE_ARRAY && type->ir.ndim == (unsigned)(letter - '0');
    }
}

/* The argument for a parameter, or NULL: a default, or one that is missing. */
static const AstExpr *argument(const FeFunc *func, const AstExpr *call, uint32_t param) {
    if (param < call->items.len) return call->items.data[param];
    for (uint32_t k = 0; k < call->keywords.len; k++)
        if (!strcmp(call->keywords.data[k].name, func->ast->params.data[param].name))
            return call->keywords.data[k].value;
    return NULL;
}

static bool fits_argument(FeInfer *in, char letter, const AstExpr *arg) {
    const FeConst *value = node_at(in, arg)->value;
    if (letter != 'T' && letter != 'F') return fits(letter, node_at(in, arg)->type);
    return value && value->kind == FE_CONST_BOOL && fe_const_truth(value) == (letter == 'T');
}

static bool is_for(FeInfer *in, const FeFunc *func, const AstExpr *call) {
    uint32_t wanted = (uint32_t)strlen(func->library);
    for (uint32_t i = 0; i < wanted; i++) {
        const AstExpr *arg = argument(func, call, i);
        char letter = func->library[i];
        bool may_lack = letter == 'n' || letter == 'F';
        if (!arg && may_lack && func->ast->params.data[i].fallback) continue;
        if (!arg || !fits_argument(in, letter, arg)) return false;
    }
    for (uint32_t i = wanted; i < func->ast->params.len; i++)
        if (!func->ast->params.data[i].fallback && !argument(func, call, i)) return false;
    return call->items.len <= func->ast->params.len;
}

static bool knows_keywords(const FeFunc *func, const AstExpr *call) {
    for (uint32_t k = 0; k < call->keywords.len; k++) {
        uint32_t i = 0, n = func->ast->params.len;
        while (i < n &&
               strcmp(func->ast->params.data[i].name, call->keywords.data[k].name) != 0)
            i++;
        if (i == n) return false;
    }
    return true;
}

/* Letters that a message says nothing of. */
static const char LEFT_OUT[] = "nFT";

/* "a number and an array of 1 dimension" */
static const char *described(FeInfer *in, const char *letters) {
    JrText text;
    jr_text_init(&text, in->arena);
    for (uint32_t i = 0; letters[i]; i++) {
        if (strchr(LEFT_OUT, letters[i])) continue;
        bool last = letters[i + 1 + strspn(letters + i + 1, LEFT_OUT)] == 0;
        jr_text_puts(&text, !i ? "" : last ? " and " : ", ");
        switch (letters[i]) {
        case 'x': jr_text_puts(&text, "a number or an array"); break;
        case 'a': jr_text_puts(&text, "an array"); break;
        case 't': jr_text_puts(&text, "a tuple"); break;
        case 'd': jr_text_puts(&text, "an element type"); break;
        case 'm': jr_text_puts(&text, "a mask of 1 dimension"); break;
        case '0': jr_text_puts(&text, "a number"); break;
        case '1': jr_text_puts(&text, "an array of 1 dimension"); break;
        default: jr_text_printf(&text, "an array of %c dimensions", letters[i]);
        }
    }
    return text.data;
}

/* To a list in which some may differ by what is left out alone. */
static void add_described(FeInfer *in, JrText *list, const char *one) {
    const char *entry = jr_arena_printf(in->arena, "; or %s;", one);
    const char *before = jr_arena_printf(in->arena, "; or %s;", list->len ? list->data : "");
    if (!strstr(before, entry)) jr_text_printf(list, "%s%s", list->len ? "; or " : "", one);
}

FeFunc *fe_library_choose(FeInfer *in, FeFunc *func, const AstExpr *call) {
    JrText takes;
    for (uint32_t i = 0; i < call->items.len; i++)
        if (type_is_void(node_at(in, call->items.data[i])->type)) return NULL;
    for (uint32_t i = 0; i < call->keywords.len; i++)
        if (type_is_void(node_at(in, call->keywords.data[i].value)->type)) return NULL;
    FeFunc *near = NULL; /* but for a keyword: the call's own checks report it */
    for (FeFunc *one = func; one; one = one->other) {
        if (!is_for(in, one, call)) continue;
        near = one;
        if (knows_keywords(one, call)) break;
    }
    if (near) fe_infer_prepare(in, near);
    if (near) return near;
    jr_text_init(&takes, in->arena);
    for (const FeFunc *one = func; one; one = one->other)
        add_described(in, &takes, described(in, one->library));
    JrText given;
    jr_text_init(&given, in->arena);
    for (uint32_t i = 0; i < call->items.len; i++)
        jr_text_printf(&given, "%s%s", i ? ", " : "",
                       fe_infer_name(in, node_at(in, call->items.data[i])->type));
    fe_infer_fail(in, call->span, jr_arena_printf(in->arena, "it takes %s", takes.data),
                  "%s() in kernels does not take (%s)", func->ast->name,
                  given.data ? given.data : "");
    return NULL;
}

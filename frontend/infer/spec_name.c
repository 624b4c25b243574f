/* What specialisations are called: "dot(float64[::1], int64)", "integrate(def square, float64)". No two of a
 * module have one name. */
#include "frontend/infer/infer.h"

#include <string.h>

/* A function inside f is "f.g", one inside that "f.g.h". */
static const char *full_name(FeInfer *in, const FeFunc *func) {
    const char *name = func->ast->name;
    if (func->library && strpbrk(func->library, "TF")) /* for other values of one type */
        name = jr_arena_printf(in->arena, "%s.%s", name, func->library);
    for (const FeFunc *outer = func->outer; outer; outer = outer->outer)
        name = jr_arena_printf(in->arena, "%s.%s", outer->ast->name, name);
    return name;
}

static const char *param_name(FeInfer *in, const FeType *type);

/* "def square", "def f.g[float64]" with what it captures */
static const char *closure_name(FeInfer *in, const FeType *type) {
    JrText text;
    jr_text_init(&text, in->arena);
    jr_text_printf(&text, "def %s", full_name(in, type->func));
    for (uint32_t i = 0; i < type->count; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "[", param_name(in, type->items[i]));
    if (type->count) jr_text_puts(&text, "]");
    return text.data;
}

static const char *tuple_name(FeInfer *in, const FeType *type) {
    JrText text;
    jr_text_init(&text, in->arena);
    for (uint32_t i = 0; i < type->count; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "tuple[", param_name(in, type->items[i]));
    jr_text_puts(&text, "]");
    return text.data;
}

/* "'mean'", with what other characters there are by their numbers. */
static const char *string_name(FeInfer *in, const FeConst *text) {
    JrText name;
    jr_text_init(&name, in->arena);
    jr_text_puts(&name, "'");
    for (uint32_t i = 0; i < text->len; i++) {
        char c = text->bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        jr_text_printf(&name, plain ? "%c" : "{%x}", (unsigned char)c);
    }
    jr_text_puts(&name, "'");
    return name.data;
}

static const char *param_name(FeInfer *in, const FeType *type) {
    if (type->kind == FE_STR) return string_name(in, type->text);
    if (type->kind == FE_FUNC) return closure_name(in, type);
    if (type->kind == FE_TUPLE && fe_type_has_static(type)) return tuple_name(in, type);
    if (type->builtin) return jr_arena_printf(in->arena, "def %s", type->builtin->path);
    return fe_infer_name(in, type);
}

const char *fe_spec_name(FeInfer *in, const FeFunc *func, uint32_t n,
                         const FeType *const *params) {
    bool plain = func->info->signatures.len == 1 ||
                 (func->has_signature && !func->info->signatures.len);
    if (plain || func == in->module->funcs.data[0]) return full_name(in, func);
    JrText text;
    jr_text_init(&text, in->arena);
    jr_text_printf(&text, "%s(", full_name(in, func));
    for (uint32_t i = 0; i < n; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "", param_name(in, params[i]));
    jr_text_puts(&text, ")");
    return text.data;
}

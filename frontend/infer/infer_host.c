/* Calls of C functions that the program lends its kernels. Their parameters have types but no
 * names, so there are no keywords; an argument converts as it does for an annotated parameter. */
#include "frontend/infer/infer.h"

static const char *given_types(FeInfer *in, const AstExpr *expr) {
    JrText text;
    jr_text_init(&text, in->arena);
    jr_text_puts(&text, "(");
    for (uint32_t i = 0; i < expr->items.len; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "",
                       fe_infer_name(in, node_at(in, expr->items.data[i])->type));
    jr_text_puts(&text, ")");
    return text.data;
}

static const FeType *misfit(FeInfer *in, const AstExpr *expr, JrSpan span, const char *help,
                            const FeHost *host) {
    return fe_infer_fail(in, span, help, "'%s' is %s, and is called with %s", host->name,
                         host->signature, given_types(in, expr));
}

static const char *conversion(FeInfer *in, const FeType *declared, const FeType *given) {
    if (given->kind != FE_SCALAR || declared->kind != FE_SCALAR) return NULL;
    return jr_arena_printf(in->arena, "convert it: %s(...)", fe_infer_name(in, declared));
}

const FeType *fe_infer_host(FeInfer *in, const AstExpr *expr, const FeHost *host) {
    FeNode *node = node_at(in, expr);
    node->host = host;
    fe_infer_arguments(in, expr);
    if (expr->keywords.len)
        return fe_infer_fail(in, expr->keywords.data[0].span, "leave out the name",
                             "'%s' has no parameter names: it is a function of the program",
                             host->name);
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (type_is_void(node_at(in, expr->items.data[i])->type)) return fe_infer_silent(in);
    if (expr->items.len != host->nparams) return misfit(in, expr, expr->span, NULL, host);
    const FeHostType *at = host->params;
    for (uint32_t i = 0; i < host->nparams; i++) {
        const AstExpr *arg = expr->items.data[i];
        const FeType *declared = fe_type_of_host(in->types, &at);
        const FeType *given = node_at(in, arg)->type;
        if (!fe_accepts(declared, given))
            return misfit(in, expr, arg->span, conversion(in, declared, given), host);
        fe_infer_use(in, arg, declared);
        fe_infer_settle(in, arg);
    }
    at = host->ret;
    return fe_type_of_host(in->types, &at);
}

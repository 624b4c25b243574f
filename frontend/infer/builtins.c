/* The table of builtins, in memory. */
#include "frontend/infer/sema.h"

#include <string.h>

static const FeBuiltin builtins[] = {
#define FE_BUILTIN(ID, path, signature, kind, detail, doc) \
    {BI_##ID, path, signature, BK_##kind, detail, doc},
#include "frontend/infer/builtins.def"
#undef FE_BUILTIN
};

const FeBuiltin *fe_builtin(FeBuiltinId id) {
    return &builtins[id];
}

const FeBuiltin *fe_builtin_find(const char *path) {
    for (int i = 0; i < BI_COUNT; i++)
        if (strcmp(builtins[i].path, path) == 0) return &builtins[i];
    return NULL;
}

bool fe_is_builtin(const char *name) {
    static const char *const keywords[] = {
#define JR_KEYWORD(ID, text) text,
#include "frontend/syntax/token.def"
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcmp(keywords[i], name) == 0) return true;
    return fe_builtin_find(name) || ir_exc_named(name, strlen(name)) ||
           strcmp(name, "__name__") == 0;
}

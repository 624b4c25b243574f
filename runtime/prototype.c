/* A function's signature in C: the leaves of its parameters and results with names, and the
 * text of its prototype. What each leaf becomes is in pointer.c's comment. */
#include "runtime/fork.h"
#include "runtime/pointer.h"

#include <ctype.h>
#include <string.h>

/* ---- Names ---- */

/* Words of C and C++ that a parameter of Python may be called, and macros of old. */
static const char *const reserved[] = {
    "NULL",     "alignas",  "alignof",   "asm",     "auto",         "bool",
    "case",     "catch",    "char",      "const",   "constexpr",    "decltype",
    "default",  "delete",   "do",        "double",  "dynamic_cast", "enum",
    "errno",    "explicit", "export",    "extern",  "false",        "float",
    "friend",   "goto",     "inline",    "int",     "linux",        "long",
    "main",     "mutable",  "namespace", "new",     "noexcept",     "nullptr",
    "operator", "private",  "protected", "public",  "register",     "restrict",
    "short",    "signed",   "sizeof",    "static",  "struct",       "switch",
    "template", "this",     "throw",     "true",    "typedef",      "typeid",
    "typename", "typeof",   "union",     "unix",    "unsigned",     "using",
    "virtual",  "void",     "volatile",  "wchar_t", "thread_local", "static_assert",
};

static bool is_reserved(const char *name) {
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i], name) == 0) return true;
    return false;
}

typedef struct Naming {
    JrArena *arena;
    JrTable taken;
} Naming;

/* `base` followed by `suffix` as a C identifier that no other parameter has. */
static const char *c_name(Naming *n, const char *base, const char *suffix) {
    char *name = jr_arena_printf(n->arena, "%s%s", base, suffix);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_') *c = '_';
    while (is_reserved(name) || jr_table_get(&n->taken, name))
        name = jr_arena_printf(n->arena, "%s_", name);
    jr_table_put(&n->taken, name, name);
    return name;
}

/* ---- Leaves ---- */

typedef struct Leaves {
    Naming naming;
    const JrFunction *function;
    JrCLeaf *at;
    uint32_t count;
} Leaves;

static void add_leaves(Leaves *l, const FeType *type, const char *name, bool param) {
    if (type->kind == FE_NONE) return;
    if (type->kind == FE_TUPLE) {
        for (uint32_t i = 0; i < type->count; i++)
            add_leaves(l, type->items[i], jr_arena_printf(l->naming.arena, "%s_%u", name, i),
                       param);
        return;
    }
    l->at[l->count] = (JrCLeaf){.type = type->ir,
                                .written = param && l->function->written[l->count],
                                .name = c_name(&l->naming, name, "")};
    l->count++;
}

const char *jr_c_symbol(const JrFunction *function) {
    Naming n = {.arena = function->module->arena};
    jr_table_init(&n.taken, n.arena);
    return c_name(&n, function->spec->func->ast->name, "");
}

const JrCAbi *jr_c_abi(const JrFunction *function) {
    const FeSpec *spec = function->spec;
    JrArena *arena = function->module->arena;
    uint32_t n = jr_leaf_count(spec->ret);
    for (uint32_t i = 0; i < spec->nparams; i++)
        n += jr_leaf_count(spec->params[i]);
    Leaves l = {.naming = {.arena = arena},
                .function = function,
                .at = JR_NEW_ARRAY(arena, JrCLeaf, n)};
    jr_table_init(&l.naming.taken, arena);
    for (uint32_t i = 0; i < spec->nparams; i++)
        add_leaves(&l, spec->params[i], spec->func->ast->params.data[i].name, true);
    JrCAbi *abi = JR_NEW(arena, JrCAbi);
    *abi = (JrCAbi){
        .leaves = l.at, .nparams = l.count, .returns_scalar = spec->ret->kind == FE_SCALAR};
    add_leaves(&l, spec->ret, "result", false);
    abi->nresults = l.count - abi->nparams;
    return abi;
}

/* ---- Text ---- */

static const char *c_type(IrType type) {
    static const char *const names[TY_COUNT] = {
        [TY_BOOL] = "bool",       [TY_INT8] = "int8_t",     [TY_INT16] = "int16_t",
        [TY_INT32] = "int32_t",   [TY_INT64] = "int64_t",   [TY_UINT8] = "uint8_t",
        [TY_UINT16] = "uint16_t", [TY_UINT32] = "uint32_t", [TY_UINT64] = "uint64_t",
        [TY_FLOAT32] = "float",   [TY_FLOAT64] = "double"};
    return names[type.scalar];
}

static const char *separator(uint32_t *count) {
    return (*count)++ ? ", " : "";
}

/* `int64_t x_dim0, int64_t x_dim1`, or `int64_t x_len` for the only one. */
static void add_numbers(Naming *n, const JrCLeaf *leaf, const char *one, const char *many,
                        JrText *out) {
    for (unsigned i = 0; i < leaf->type.ndim; i++) {
        const char *suffix =
            leaf->type.ndim == 1 ? one : jr_arena_printf(n->arena, "%s%u", many, i);
        jr_text_printf(out, ", int64_t %s", c_name(n, leaf->name, suffix));
    }
}

static void add_param(Naming *n, const JrCLeaf *leaf, uint32_t *count, JrText *out) {
    jr_text_puts(out, separator(count));
    if (!leaf->type.ndim) {
        jr_text_printf(out, "%s %s", c_type(leaf->type), leaf->name);
        return;
    }
    jr_text_printf(out, "%s%s *%s", leaf->written ? "" : "const ", c_type(leaf->type),
                   leaf->name);
    add_numbers(n, leaf, "_len", "_dim", out);
    if (leaf->type.layout != LAYOUT_C) add_numbers(n, leaf, "_stride", "_stride", out);
}

static void add_prototype(const JrFunction *function, JrText *out) {
    const JrCAbi *abi = jr_c_abi(function);
    Naming n = {.arena = function->module->arena};
    uint32_t count = 0;
    jr_table_init(&n.taken, n.arena);
    const char *name = c_name(&n, function->spec->func->ast->name, "");
    for (uint32_t i = 0; i < abi->nparams + abi->nresults; i++)
        jr_table_put(&n.taken, abi->leaves[i].name, (void *)abi->leaves[i].name);
    jr_text_printf(out, "%s %s(",
                   abi->returns_scalar ? c_type(abi->leaves[abi->nparams].type) : "JrStatus",
                   name);
    for (uint32_t i = 0; i < abi->nparams; i++)
        add_param(&n, &abi->leaves[i], &count, out);
    for (uint32_t i = abi->nparams; i < abi->nparams + abi->nresults && !abi->returns_scalar;
         i++)
        jr_text_printf(out, "%s%s *%s", separator(&count),
                       abi->leaves[i].type.ndim ? "JrArrayValue" : c_type(abi->leaves[i].type),
                       abi->leaves[i].name);
    jr_text_puts(out, count ? ");" : "void);");
}

/* Runs `make` on the module with its lock held. What it wrote is in *made; NULL with the error
 * set if memory ran out. */
static void make_text(JrModule *module, void (*make)(void *user, JrText *out), void *user,
                      const char **made) {
    jmp_buf oom;
    JrText text;
    *made = NULL;
    jr_module_lock(module);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_text_init(&text, module->arena);
        make(user, &text);
        *made = text.data;
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    jr_module_unlock(module);
}

static void make_prototype(void *user, JrText *out) {
    JrFunction *function = user;
    if (!function->prototype) {
        add_prototype(function, out);
        function->prototype = out->data;
    }
    out->data = (char *)function->prototype;
}

const char *jr_function_prototype(JrFunction *function) {
    jr_error_clear();
    const char *text = NULL;
    if (function) make_text(function->module, make_prototype, function, &text);
    return text ? text : "";
}

/* ---- A header ---- */

/* A path may have the end of a comment in it. */
static void add_path(const char *path, JrText *out) {
    for (const char *p = path; *p; p++)
        jr_text_add(out, p[0] == '/' && p > path && p[-1] == '*' ? " /" : p,
                    p[0] == '/' && p > path && p[-1] == '*' ? 2 : 1);
}

static void add_function(const JrFunction *function, JrText *out) {
    const AstFunc *ast = function->spec->func->ast;
    jr_text_puts(out, "\n/* ");
    add_path(function->module->source.name, out);
    jr_text_printf(out, ":%d: %s %s */\n", ast->span.line, ast->name, function->signature);
    add_prototype(function, out);
    jr_text_puts(out, "\n");
}

static void add_functions(JrModule *module, JrText *out) {
    for (uint32_t i = 1; i < module->fe->funcs.len; i++) {
        const FeFunc *func = module->fe->funcs.data[i];
        JrFunction *function;
        if (!func->has_signature || func->specs.len != 1) continue;
        if (jr_function_of_spec(module, func->specs.data[0], JR_TO_DESCRIBE, &function))
            return;
        add_function(function, out);
    }
}

static void begin_header(const JrModule *module, const char *what, JrText *out) {
    jr_text_puts(out, "/* The functions of ");
    add_path(module->source.name, out);
    jr_text_printf(out, " %s\n * Made by jitrun " JITRUN_VERSION ". */\n", what);
    jr_text_puts(out, "#pragma once\n"
                      "#include <jitrun.h>\n"
                      "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
}

static void end_header(JrText *out) {
    jr_text_puts(out, "\n#ifdef __cplusplus\n}\n#endif\n");
}

void jr_header_write(JrModule *module, JrFunction *const *functions, uint32_t count,
                     JrText *out) {
    begin_header(module, "that are compiled ahead of time.", out);
    for (uint32_t i = 0; i < count; i++)
        add_function(functions[i], out);
    end_header(out);
}

static void make_header(void *user, JrText *out) {
    JrModule *module = user;
    begin_header(module,
                 "that have types of their own, as jr_function_pointer\n * hands them out.",
                 out);
    add_functions(module, out);
    end_header(out);
}

JrStatus jr_module_header(JrModule *module, JrWrite write, void *user) {
    jr_error_clear();
    if (!module || !write)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_module_header: NULL argument");
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    const char *text;
    make_text(module, make_header, module, &text);
    if (!text || jr_error()->status) return jr_error()->status;
    if (write(user, text, strlen(text))) return JR_OK;
    return jr_error_set(JR_ERR_IO, "the header could not be written");
}

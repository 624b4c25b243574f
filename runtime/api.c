/* Contexts and modules: jitrun.h's first half. */
#include "runtime/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)JR_MEMORY_ERROR == (int)EXC_MEMORY, "JrStatus follows ir/errors.def");
_Static_assert((int)JR_TIMEOUT_ERROR == (int)EXC_TIMEOUT, "JrStatus follows ir/errors.def");
_Static_assert((int)JR_FLOAT64 == (int)TY_FLOAT64 && (int)JR_BOOL == (int)TY_BOOL,
               "JrType follows ir/types.def");

const char *jr_version(void) {
    return JITRUN_VERSION;
}

/* Copies a caller's structure of `given` bytes over our zeroed one of `ours`: a program built
 * against an older header has a shorter one. */
static void take_options(void *to, size_t ours, const void *from, size_t given) {
    memset(to, 0, ours);
    if (from) memcpy(to, from, given < ours ? given : ours);
}

JrContext *jr_context_new(const JrContextOptions *options) {
    jr_error_clear();
    JrContextOptions o;
    take_options(&o, sizeof o, options, options ? options->size : 0);
    JrContext *context = malloc(sizeof *context);
    if (!context) {
        jr_error_set(JR_MEMORY_ERROR, "out of memory");
        return NULL;
    }
    *context = (JrContext){.write = o.write, .write_user = o.write_user};
    return context;
}

void jr_context_free(JrContext *context) {
    free(context);
}

/* ---- Modules ---- */

static JrModule *module_new(JrContext *context, const JrCompileOptions *options) {
    JrArena *arena = jr_arena_new(NULL);
    JrModule *module = arena ? calloc(1, sizeof *module) : NULL;
    if (!module) {
        jr_arena_free(arena);
        jr_error_set(JR_MEMORY_ERROR, "out of memory");
        return NULL;
    }
    module->context = context;
    module->arena = arena;
    pthread_mutex_init(&module->lock, NULL);
    take_options(&module->options, sizeof module->options, options,
                 options ? options->size : 0);
    return module;
}

void jr_module_free(JrModule *module) {
    if (!module) return;
    for (JrUnit *unit = module->units, *next; unit; unit = next) {
        next = unit->next;
        unit->engine->release(unit->code);
        free(unit);
    }
    pthread_mutex_destroy(&module->lock);
    jr_arena_free(module->arena);
    free(module);
}

/* Everything the module keeps is copied into its arena, options' strings too. */
static JrStatus check(JrModule *module, const char *source) {
    jmp_buf oom;
    if (setjmp(oom)) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    jr_arena_on_oom(module->arena, &oom);
    JrCompileOptions *o = &module->options;
    o->name = jr_arena_strdup(module->arena, o->name ? o->name : "<string>");
    if (o->engine) o->engine = jr_arena_strdup(module->arena, o->engine);
    size_t len = strlen(source);
    module->source = (JrSource){
        .name = o->name, .text = jr_arena_strndup(module->arena, source, len), .len = len};
    jr_diags_init(&module->diags, module->arena, &module->source);
    bool good = jr_pipeline_check(module);
    jr_arena_on_oom(module->arena, NULL);
    if (good) return JR_OK;
    return jr_error_set(JR_ERR_COMPILE, "%s has %u error%s", module->source.name,
                        module->diags.errors, module->diags.errors == 1 ? "" : "s");
}

JrStatus jr_compile(JrContext *context, const char *source, const JrCompileOptions *options,
                    JrModule **out) {
    jr_error_clear();
    if (out) *out = NULL;
    if (!context || !source || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_compile: NULL argument");
    if (options && (options->opt_level < 0 || options->opt_level > 4))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_compile: opt_level is %d, not 0 to 4",
                            options->opt_level);
    JrModule *module = module_new(context, options);
    if (!module) return JR_MEMORY_ERROR;
    JrStatus status = check(module, source);
    if (status != JR_MEMORY_ERROR)
        *out = module;
    else
        jr_module_free(module);
    return status;
}

/* The whole file as NUL-terminated malloc'd text, or NULL with errno set. */
static char *read_all(FILE *file, size_t *len) {
    size_t cap = 1 << 16;
    char *text = malloc(cap);
    for (*len = 0; text;) {
        *len += fread(text + *len, 1, cap - *len - 1, file);
        if (*len < cap - 1) break;
        char *bigger = realloc(text, cap *= 2);
        if (!bigger) free(text);
        text = bigger;
    }
    if (text && ferror(file)) {
        free(text);
        return NULL;
    }
    if (text) text[*len] = 0;
    return text;
}

static JrStatus read_source(const char *path, char **text) {
    bool standard_input = strcmp(path, "-") == 0;
    size_t len = 0;
    errno = 0;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    *text = file ? read_all(file, &len) : NULL;
    int error = errno;
    if (file && !standard_input) fclose(file);
    if (!*text)
        return jr_error_set(JR_ERR_IO, "cannot read %s: %s", path,
                            strerror(error ? error : EIO));
    size_t used = strlen(*text);
    if (used == len) return JR_OK;
    free(*text);
    return jr_error_set(JR_ERR_IO, "%s is not text: it has a zero byte at offset %zu", path,
                        used);
}

JrStatus jr_compile_file(JrContext *context, const char *path, const JrCompileOptions *options,
                         JrModule **out) {
    jr_error_clear();
    if (out) *out = NULL;
    if (!context || !path || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_compile_file: NULL argument");
    JrCompileOptions o;
    take_options(&o, sizeof o, options, options ? options->size : 0);
    o.size = sizeof o;
    if (!o.name) o.name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    char *text;
    JrStatus status = read_source(path, &text);
    if (status) return status;
    status = jr_compile(context, text, &o, out);
    free(text);
    return status;
}

/* ---- What compiling found ---- */

size_t jr_module_diagnostic_count(const JrModule *module) {
    size_t count = 0;
    for (const JrDiag *d = module ? module->diags.first : NULL; d; d = d->next)
        count++;
    return count;
}

bool jr_module_diagnostic(const JrModule *module, size_t index, JrDiagnostic *out) {
    const JrDiag *d = module ? module->diags.first : NULL;
    while (d && index--)
        d = d->next;
    if (!d || !out) return false;
    *out = (JrDiagnostic){
        .kind = d->severity == JR_SEVERITY_ERROR ? JR_ERROR : JR_WARNING,
        .file = module->source.name,
        .line = d->span.line + module->source.first_line,
        .column = d->span.col,
        .end_column = d->span.end_col,
        .message = d->message,
        .help = d->help,
    };
    return true;
}

const char *jr_module_report(JrModule *module, JrReport kind) {
    if (!module) return "";
    jmp_buf oom;
    JrText text;
    pthread_mutex_lock(&module->lock);
    if (setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_text_init(&text, module->arena);
        jr_text_puts(&text, "");
        if (kind == JR_REPORT_JSON)
            jr_diags_render_json(&module->diags, &text);
        else
            for (const JrDiag *d = module->diags.first; d; d = d->next)
                jr_diag_render(&module->diags, d, &text);
    } else {
        text.data = "error: out of memory\n";
    }
    jr_arena_on_oom(module->arena, NULL);
    pthread_mutex_unlock(&module->lock);
    return text.data;
}

bool jr_module_has_function(const JrModule *module, const char *name) {
    if (!module || !module->fe || !name) return false;
    for (uint32_t i = 1; i < module->fe->funcs.len; i++) {
        const AstFunc *f = module->fe->funcs.data[i]->ast;
        if (strcmp(f->name, name) == 0 && f->params.len == 0) return true;
    }
    return false;
}

/* Definitions, imports and plain constants do nothing one could see; neither does a docstring.
 */
static bool only_defines(const AstStmt *stmt) {
    switch (stmt->kind) {
    case AST_DEF:
    case AST_IMPORT:
    case AST_PASS:
    case AST_ASSIGN:
    case AST_ANN: return true;
    case AST_EXPR: return stmt->value->kind == AST_STR;
    default: return false;
    }
}

bool jr_module_has_body(const JrModule *module) {
    if (!module || !module->ast) return false;
    const AstBlock *body = &module->ast->body->body;
    for (uint32_t i = 0; i < body->len; i++)
        if (!only_defines(body->data[i])) return true;
    return false;
}

/* Contexts and modules: jitrun.h's first half. */
#include "ir/base/clock.h"
#include "runtime/cache.h"
#include "runtime/fork.h"
#include "runtime/host.h"
#include "runtime/pointer.h"

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

int jr_version_number(void) {
    return JR_VERSION_NUMBER;
}

bool jr_give_result(void *to, const void *from, size_t ours, const char *what) {
    size_t room = 0;
    if (to) memcpy(&room, to, sizeof room);
    if (!to || room < sizeof room) {
        jr_error_set(JR_ERR_ARGUMENT, "%s.size is %zu: set it to sizeof(%s)", what, room,
                     what);
        return false;
    }
    size_t known = room < ours ? room : ours;
    memcpy((char *)to + sizeof room, (const char *)from + sizeof room, known - sizeof room);
    if (room > known) memset((char *)to + known, 0, room - known);
    return true;
}

bool jr_take_options(void *to, size_t ours, const void *from, const char *what) {
    static const size_t most = 4096;
    size_t given = ours;
    memset(to, 0, ours);
    if (!from) return true;
    memcpy(&given, from, sizeof given);
    bool good = given >= sizeof given && given <= most;
    for (size_t i = ours; good && i < given; i++)
        good = ((const char *)from)[i] == 0;
    if (good)
        memcpy(to, from, given < ours ? given : ours);
    else
        jr_error_set(JR_ERR_ARGUMENT,
                     given < sizeof given || given > most
                         ? "%s.size is %zu: set it to sizeof(%s)"
                         : "%s of %zu bytes sets what this version of jitrun does not know",
                     what, given, what);
    return good;
}

static JrContext *context_make(const JrContextOptions *o) {
    JrAlloc hooks = {o->resize, o->release, o->alloc_user};
    JrContext *context = jr_alloc_new(o->resize ? &hooks : NULL, sizeof *context);
    if (!context) return NULL;
    *context = (JrContext){.hooks = hooks,
                           .write = o->write,
                           .write_user = o->write_user,
                           .log = o->log,
                           .log_user = o->log_user};
    if (o->resize) context->alloc = &context->hooks;
    atomic_init(&context->refs, 1);
    pthread_mutex_init(&context->hosts_lock, NULL);
    context->heap = jr_heap_new(context->alloc);
    if (context->heap) return context;
    jr_alloc_free(o->resize ? &hooks : NULL, context);
    return NULL;
}

JrContext *jr_context_new(const JrContextOptions *options) {
    jr_error_clear();
    jr_fork_watch();
    JrContextOptions o;
    if (!jr_take_options(&o, sizeof o, options, "JrContextOptions")) return NULL;
    if (!o.resize != !o.release) {
        jr_error_set(JR_ERR_ARGUMENT, "JrContextOptions: resize and release go together");
        return NULL;
    }
    JrContext *context = context_make(&o);
    if (!context) jr_error_set(JR_MEMORY_ERROR, "out of memory");
    return context;
}

JrContext *jr_context_ref(JrContext *context) {
    atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
    return context;
}

void jr_context_free(JrContext *context) {
    if (!context || atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1)
        return;
    JrAlloc hooks = context->hooks; /* the block that holds them goes */
    jr_hosts_free(context);
    pthread_mutex_destroy(&context->hosts_lock);
    jr_heap_unref(context->heap);
    jr_alloc_free(context->alloc ? &hooks : NULL, context);
}

/* In a signal handler: nothing but the flag is touched. */
JrStatus jr_cancel(JrContext *context, JrStatus reason) {
    if (!context || (reason != JR_KEYBOARD_INTERRUPT && reason != JR_TIMEOUT_ERROR))
        return JR_ERR_ARGUMENT;
    int32_t old = __atomic_load_n(&context->cancel, __ATOMIC_RELAXED), new;
    do {
        uint32_t count = ((uint32_t)old & ~(uint32_t)JR_CANCEL_REASON) + JR_CANCEL_ONCE;
        new = (int32_t)(count | (uint32_t)reason);
    } while (!__atomic_compare_exchange_n(&context->cancel, &old, new, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    jr_threads_alarm(&context->cancel);
    return JR_OK;
}

/* ---- Modules ---- */

static JrModule *module_new(JrContext *context, const JrCompileOptions *options) {
    JrArena *arena = jr_arena_new(context->alloc);
    JrModule *module = arena ? jr_alloc_new(context->alloc, sizeof *module) : NULL;
    if (!module) {
        jr_arena_free(arena);
        jr_error_set(JR_MEMORY_ERROR, "out of memory");
        return NULL;
    }
    *module = (JrModule){.context = jr_context_ref(context),
                         .arena = arena,
                         .options = *options,
                         .host = {.sink = {context->write, context->write_user},
                                  .heap = context->heap,
                                  .cancel = &context->cancel,
                                  .module = module}};
    atomic_init(&module->refs, 1);
    pthread_mutex_init(&module->lock, NULL);
    return module;
}

void jr_module_mark_diags(JrModule *module) {
    module->diags_end = module->diags.last;
    module->warnings = module->diags.warnings;
}

JrStatus jr_module_break(JrModule *module) {
    module->broken = true;
    return jr_error_set(JR_MEMORY_ERROR, "out of memory");
}

void jr_module_reset_diags(JrModule *module) {
    if (module->diags.errors == 0) return;
    *module->diags_end = NULL;
    module->diags.last = module->diags_end;
    module->diags.errors = 0;
    module->diags.warnings = module->warnings;
    module->diags.full = false;
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
    jr_hosts_copy(module->context, module->arena, &module->hosts);
    bool good = jr_pipeline_check(module);
    jr_arena_on_oom(module->arena, NULL);
    jr_module_mark_diags(module);
    module->sound = good;
    jr_log_checked(module);
    if (good) return JR_OK;
    if (!module->diags.errors)
        return jr_error()->status; /* the compiler's own, or no memory */
    return jr_error_set(JR_ERR_COMPILE, "%s has %u error%s", module->source.name,
                        module->diags.errors, module->diags.errors == 1 ? "" : "s");
}

static JrStatus compile(JrContext *context, const char *source,
                        const JrCompileOptions *options, bool expression, JrModule **out) {
    jr_error_clear();
    if (out) *out = NULL;
    if (!context || !source || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_compile: NULL argument");
    JrCompileOptions o;
    if (!jr_take_options(&o, sizeof o, options, "JrCompileOptions")) return JR_ERR_ARGUMENT;
    if (o.opt_level < 0 || o.opt_level > 4)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_compile: opt_level is %d, not 0 to 4",
                            o.opt_level);
    if (!jr_engine_is_known(o.engine)) return jr_error()->status;
    JrModule *module = module_new(context, &o);
    if (!module) return JR_MEMORY_ERROR;
    module->expression = expression;
    JrStatus status = check(module, source);
    if (status != JR_MEMORY_ERROR)
        *out = module;
    else
        jr_module_free(module);
    return status;
}

JrStatus jr_compile(JrContext *context, const char *source, const JrCompileOptions *options,
                    JrModule **out) {
    return compile(context, source, options, false, out);
}

JrStatus jr_compile_expression(JrContext *context, const char *source,
                               const JrCompileOptions *options, JrModule **out) {
    return compile(context, source, options, true, out);
}

static const char *unless_empty(const char *text) {
    return *text ? text : NULL;
}

JrStatus jr_module_cache(JrModule *module, JrCacheUse *out) {
    JrCacheUse use = {0};
    jr_error_clear();
    if (!module) return jr_error_set(JR_ERR_ARGUMENT, "jr_module_cache: NULL argument");
    jr_module_lock(module);
    if (module->cache)
        use = (JrCacheUse){.hits = module->cache->hits,
                           .misses = module->cache->misses,
                           .folder = unless_empty(module->cache->folder),
                           .problem = unless_empty(module->cache->problem)};
    jr_module_unlock(module);
    return jr_give_result(out, &use, sizeof use, "JrCacheUse") ? JR_OK : JR_ERR_ARGUMENT;
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
    if (!jr_take_options(&o, sizeof o, options, "JrCompileOptions")) return JR_ERR_ARGUMENT;
    o.size = sizeof o;
    if (!o.name) o.name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    char *text;
    double begun = jr_clock();
    JrStatus status = read_source(path, &text);
    double read = jr_clock() - begun;
    if (status) return status;
    status = jr_compile(context, text, &o, out);
    free(text);
    if (*out) (*out)->times.read = read;
    return status;
}

/* ---- What compiling found ---- */

/* jr_function adds to the list, on whatever thread: reading it takes the lock. */
static const JrDiag *diag_at(const JrModule *module, size_t index, size_t *count) {
    jr_module_lock((JrModule *)module);
    const JrDiag *found = NULL;
    *count = 0;
    for (const JrDiag *d = module->diags.first; d; d = d->next)
        if ((*count)++ == index) found = d;
    jr_module_unlock((JrModule *)module);
    return found;
}

size_t jr_module_diagnostic_count(const JrModule *module) {
    size_t count = 0;
    if (module) diag_at(module, 0, &count);
    return count;
}

bool jr_module_diagnostic(const JrModule *module, size_t index, JrDiagnostic *out) {
    size_t count;
    const JrDiag *d = module && out ? diag_at(module, index, &count) : NULL;
    if (!d) return false;
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
    jr_module_lock(module);
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
    jr_module_unlock(module);
    return text.data;
}

static const AstFunc *find_ast(const JrModule *module, const char *name) {
    if (!module || !module->fe || !name) return NULL;
    for (uint32_t i = 1; i < module->fe->funcs.len; i++) {
        const AstFunc *f = module->fe->funcs.data[i]->ast;
        if (strcmp(f->name, name) == 0) return f;
    }
    return NULL;
}

bool jr_module_has_function(const JrModule *module, const char *name) {
    const AstFunc *f = find_ast(module, name);
    for (uint32_t i = 0; f && i < f->params.len; i++)
        if (!f->params.data[i].fallback) return false;
    return f != NULL;
}

int jr_module_param_index(const JrModule *module, const char *function, const char *param) {
    const AstFunc *f = find_ast(module, function);
    for (uint32_t i = 0; f && param && i < f->params.len; i++)
        if (strcmp(f->params.data[i].name, param) == 0)
            return f->params.data[i].positional_only ? -1 : (int)i;
    return -1;
}

/* Definitions, imports and plain constants do nothing one could see; neither does a docstring. Of a source
 * with errors a statement may have no value. */
static bool only_defines(const AstStmt *stmt) {
    switch (stmt->kind) {
    case AST_DEF:
    case AST_IMPORT:
    case AST_PASS:
    case AST_ASSIGN:
    case AST_ANN: return true;
    case AST_EXPR: return stmt->value && stmt->value->kind == AST_STR;
    default: return false;
    }
}

bool jr_module_checks_races(const JrModule *module) {
    return module && module->options.check_races;
}

bool jr_module_has_body(const JrModule *module) {
    if (!module || !module->ast) return false;
    const AstBlock *body = &module->ast->body->body;
    for (uint32_t i = 0; i < body->len; i++)
        if (!only_defines(body->data[i])) return true;
    return false;
}

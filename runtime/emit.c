/* jr_module_emit: functions compiled ahead of time, for programs that run without jitrun.
 *
 * Engines write a function with its C signature anyway (JrCSignature); here it gets the name its
 * prototype has, and code that holds no addresses of this process. What it calls of the runtime
 * is in the text itself, or in libjitrun_rt.a, which is the same runtime. */
#include "runtime/fork.h"
#include "runtime/pointer.h"
#include "runtime/rt/rt.h"

#include <string.h>

/* The functions asked for. */
typedef struct Job {
    JrModule *module;
    const JrEmitOptions *options;
    JR_VEC(JrFunction *) functions;
    JrText text;
} Job;

/* "dot" or "dot(float64[::1], int64)". */
static JrStatus find_one(Job *job, const char *function) {
    JrArena *arena = job->module->arena;
    const char *bracket = strchr(function, '(');
    JrFunction *found;
    size_t len = bracket ? (size_t)(bracket - function) : strlen(function);
    while (len && function[len - 1] == ' ')
        len--;
    JrStatus status = jr_function_by_signature(
        job->module, jr_arena_strndup(arena, function, len), bracket, JR_TO_DESCRIBE, &found);
    if (status == JR_OK) JR_PUSH(arena, &job->functions, found);
    return status;
}

static JrStatus find_all(Job *job) {
    JrModule *module = job->module;
    for (uint32_t i = 1; i < module->fe->funcs.len; i++) {
        const FeFunc *func = module->fe->funcs.data[i];
        JrFunction *found;
        if (!func->has_signature || func->specs.len != 1) continue;
        JrStatus status =
            jr_function_of_spec(module, func->specs.data[0], JR_TO_DESCRIBE, &found);
        if (status) return status;
        JR_PUSH(module->arena, &job->functions, found);
    }
    if (job->functions.len) return JR_OK;
    return jr_error_set(
        JR_ERR_SIGNATURE,
        "%s has no function with types of its own: annotate one, or ask for one "
        "with a signature, such as dot(float64[::1], float64[::1])",
        module->source.name);
}

/* ---- Names ---- */

/* Another function of the program has it: libm's, which kernels call, or the runtime's. */
static JrStatus check_name(const Job *job, const char *symbol, uint32_t index) {
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(jr_c_symbol(job->functions.data[i]), symbol) == 0)
            return jr_error_set(JR_ERR_ARGUMENT, "two functions would be called %s in C",
                                symbol);
    if (!jr_symbol_find(jr_rt_symbols(), symbol) && strncmp(symbol, "jr_", 3) != 0)
        return JR_OK;
    return jr_error_set(JR_ERR_ARGUMENT,
                        "in a C program there is another %s: give the function a name of its "
                        "own",
                        symbol);
}

static JrStatus make_signatures(Job *job, const IrModule *ir, JrCSignature *all) {
    for (uint32_t i = 0; i < job->functions.len; i++) {
        JrFunction *function = job->functions.data[i];
        const FeSpec *spec = function->spec;
        const char *symbol = jr_c_symbol(function);
        JrStatus status = check_name(job, symbol, i);
        if (status) return status;
        all[ir_module_find(ir, spec->name)->index] =
            (JrCSignature){.symbol = symbol, .returns_scalar = spec->ret->kind == FE_SCALAR};
    }
    return JR_OK;
}

/* ---- What is written ---- */

static JrStatus emit_code(Job *job, const char *engine_name, JrEngineText kind) {
    const JrEngine *engine = jr_engine_get(engine_name);
    if (!engine) return jr_error()->status;
    IrModule *ir = jr_pipeline_lower(job->module, true);
    if (!ir) return jr_error()->status;
    if (ir->hosts.len)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_module_emit: kernels call the host function %s, which another "
                            "program has not",
                            ir->hosts.data[0]->name);
    JrCSignature *signatures = JR_NEW_ARRAY(job->module->arena, JrCSignature, ir->funcs.len);
    JrStatus status = make_signatures(job, ir, signatures);
    if (status) return status;
    JrEngineOptions options = jr_engine_options(job->module);
    options.signatures = signatures;
    options.ahead = true;
    options.cpu = job->options->cpu;
    const char *why = JR_NO_MEMORY;
    if (engine->text(ir, &options, kind, &job->text, &why)) return JR_OK;
    if (strcmp(why, JR_NO_MEMORY) == 0) return jr_error_set(JR_MEMORY_ERROR, "%s", why);
    return jr_error_set(JR_ERR_ENGINE, "%s", why);
}

static JrStatus emit(Job *job) {
    const char *kind = job->options->kind, *function = job->options->function;
    JrStatus status = function ? find_one(job, function) : find_all(job);
    if (status) return status;
    if (strcmp(kind, "c") == 0) return emit_code(job, "tcc", JR_TEXT_C);
    if (strcmp(kind, "obj") == 0) return emit_code(job, "llvm", JR_TEXT_OBJECT);
    jr_header_write(job->module, job->functions.data, job->functions.len, &job->text);
    return JR_OK;
}

static bool is_known(const char *kind) {
    return strcmp(kind, "header") == 0 || strcmp(kind, "c") == 0 || strcmp(kind, "obj") == 0;
}

JrStatus jr_module_emit(JrModule *module, const JrEmitOptions *options, JrWrite write,
                        void *user) {
    JrEmitOptions o;
    jr_error_clear();
    if (!module || !options || !write)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_module_emit: NULL argument");
    if (!jr_take_options(&o, sizeof o, options, "JrEmitOptions")) return JR_ERR_ARGUMENT;
    if (!o.kind)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_module_emit: JrEmitOptions.kind is NULL");
    if (!is_known(o.kind))
        return jr_error_set(JR_ERR_NOT_FOUND, "cannot emit '%s': use header, c or obj",
                            o.kind);
    if (module->options.check_races)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_module_emit: the module checks for races as it "
                            "runs, which code for later cannot");
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    Job job = {.module = module, .options = &o};
    jmp_buf oom;
    jr_module_lock(module);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_module_reset_diags(module);
        jr_text_init(&job.text, module->arena);
        emit(&job);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    jr_module_unlock(module);
    if (jr_error()->status) return jr_error()->status;
    if (jr_hand_over(&job.text, write, user)) return JR_OK;
    return jr_error_set(JR_ERR_IO, "what was made could not be written");
}

/* The whole pipeline, one screen: text -> tree -> types -> IR -> code. Every stage's result
 * can be shown (dump.c). All memory but the engine's code is the module's arena; running out
 * of it anywhere below lands in the setjmp of the function that started. */
#include "runtime/compile.h"

#include "ir/base/clock.h"
#include "ir/cost.h"
#include "ir/draws.h"
#include "ir/jam.h"
#include "ir/par/parallel.h"
#include "ir/poll.h"
#include "ir/restart.h"
#include "ir/split.h"
#include "ir/unroll.h"
#include "runtime/cache.h"

#include <string.h>

/* Statements the interpreter executes in a fraction of the time that LLVM takes to load. */
enum { SHORT_RUN = 100000 };

static FeConfig config_of(const JrModule *module) {
    return (FeConfig){.run_main = module->options.run_main,
                      .parallel = module->options.parallel || module->options.check_races,
                      .unchecked = module->options.unchecked,
                      .fastmath = module->options.fastmath,
                      .expression = module->expression,
                      .hosts = module->hosts.fe,
                      .nhosts = module->hosts.count};
}

/* Adds to *stage the time since *from, which is then now. */
static void clock_stage(double *from, double *stage) {
    double now = jr_clock();
    *stage += now - *from;
    *from = now;
}

/* Checked runs are no faster elsewhere. */
static void choose_checked_engine(JrModule *module) {
    const char *engine = module->options.engine;
    if (!engine || strcmp(engine, "auto") == 0) module->options.engine = "interp";
}

bool jr_pipeline_check(JrModule *module) {
    FeConfig config = config_of(module);
    double clock = jr_clock();
    module->ast = fe_ast_parse(module->arena, &module->source, &module->diags);
    clock_stage(&clock, &module->times.parse);
    if (module->diags.errors) return false;
    module->fe = fe_infer(module->arena, module->ast, &module->diags, &config);
    clock_stage(&clock, &module->times.infer);
    if (module->fe) module->options.check_races |= module->fe->check_races;
    if (module->options.check_races) choose_checked_engine(module);
    return module->fe && module->diags.errors == 0 && jr_pipeline_lower(module, true);
}

static IrModule *failed(JrModule *module, const char *why) {
    if (why)
        jr_error_set(JR_ERR_COMPILE, "internal error: the code made of %s is not valid: %s",
                     module->source.name, why);
    else
        jr_error_set(JR_ERR_COMPILE, "%s does not compile", module->source.name);
    return NULL;
}

/* The interpreter is quicker to call the generator than to run it. */
static bool draws_inline(const JrModule *module) {
    const char *engine = module->options.engine;
    return !module->options.check_races && !(engine && strcmp(engine, "interp") == 0);
}

/* LLVM keeps what is computed side by side in registers; the others do not. */
static bool gains_by_jam(const JrModule *module) {
    const char *engine = module->options.engine;
    return !module->options.check_races &&
           (!engine || strcmp(engine, "auto") == 0 || strcmp(engine, "llvm") == 0);
}

/* Passes run in this order; the verifier stands between lowering and all that trusts the IR.
 */
IrModule *jr_pipeline_lower(JrModule *module, bool optimise) {
    const char *why = NULL;
    if (optimise && module->ir && module->ir_specs == module->fe->specs.len) return module->ir;
    double clock = jr_clock();
    IrModule *ir = fe_lower(module->fe);
    clock_stage(&clock, &module->times.lower);
    if (!ir || module->diags.errors) return failed(module, NULL);
    if (!ir_verify_module(ir, &why)) return failed(module, why);
    if (!optimise) return ir;
    ir_fold_module(ir);
    ir_parallelise(ir, &module->diags, module->options.check_races);
    if (module->diags.errors) return failed(module, NULL);
    if (module->options.check_races) ir_watch_races(ir);
    if (draws_inline(module)) ir_draw_inline(ir);
    if (gains_by_jam(module)) {
        if (ir_unroll_module(ir)) ir_fold_module(ir);
        ir_split_module(ir);
        ir_jam_module(ir);
    }
    ir_poll_module(ir);
    ir_module_finish(ir);
    if (!ir_verify_module(ir, &why)) return failed(module, why);
    clock_stage(&clock, &module->times.passes);
    module->ir_specs = module->fe->specs.len;
    return module->ir = ir;
}

static bool add_unit(JrModule *module, const JrEngine *engine, JrCode *code, bool once) {
    JrUnit *unit = jr_alloc_new(module->context->alloc, sizeof *unit);
    if (!unit) {
        engine->release(code);
        jr_error_set(JR_MEMORY_ERROR, "out of memory");
        return false;
    }
    *unit = (JrUnit){.next = module->units, .engine = engine, .once = once, .code = code};
    module->units = unit;
    return true;
}

static bool writes_to_arguments(const IrFunc *func) {
    for (uint32_t i = 0; i < func->nparams; i++)
        if (ir_reg_type(func, i).ndim && ir_reg(func, i)->written) return true;
    return false;
}

JrOnce jr_pipeline_once(JrModule *module, const char *name) {
    const char *engine = module->options.engine;
    if (engine && strcmp(engine, "auto") != 0) return ONCE_ENGINE;
    for (const JrUnit *u = module->units; u; u = u->next)
        if (!u->once) return ONCE_ENGINE; /* is made, for another run or for a function */
    const IrModule *ir = jr_pipeline_lower(module, true);
    const IrFunc *func = ir ? ir_module_find(ir, name) : NULL;
    if (!func) return ONCE_ENGINE;
    if (ir_cost_within(func, SHORT_RUN)) return ONCE_INTERP;
    if (module->options.check_races || writes_to_arguments(func)) return ONCE_ENGINE;
    return ir_can_restart(func) ? ONCE_TRY : ONCE_ENGINE;
}

/* The C signatures of all functions of the source, or of one. The body has none. */
static const JrCSignature *make_signatures(JrModule *module, const IrModule *ir,
                                           const char *only) {
    JrCSignature *all = JR_NEW_ARRAY(module->arena, JrCSignature, ir->funcs.len);
    for (uint32_t i = 0; i < module->fe->specs.len; i++) {
        const FeSpec *spec = module->fe->specs.data[i];
        if (only && strcmp(spec->name, only) != 0) continue;
        const IrFunc *func = ir_module_find(ir, spec->name);
        if (!func || spec->func == module->fe->funcs.data[0]) continue;
        all[func->index].symbol = jr_arena_printf(module->arena, "jr_c_%u", func->index);
        all[func->index].returns_scalar = spec->ret->kind == FE_SCALAR;
    }
    return all;
}

static const bool *make_entries(JrModule *module, const IrModule *ir, JrWanted wanted) {
    bool *all = JR_NEW_ARRAY(module->arena, bool, ir->funcs.len);
    const IrFunc *func = ir_module_find(ir, wanted.name);
    if (func) all[func->index] = wanted.entry;
    return all;
}

/* What the engine is to make: all there is, or if it is selective what is wanted. */
static void select_code(JrModule *module, const IrModule *ir, const JrEngine *engine,
                        JrWanted wanted, JrEngineOptions *options) {
    bool pointers = engine->selective ? wanted.pointer : !wanted.once;
    const char *only = engine->selective ? wanted.name : NULL;
    if (engine->selective) options->entries = make_entries(module, ir, wanted);
    if (pointers && !module->options.check_races)
        options->signatures = make_signatures(module, ir, only);
}

static JrCache *cache_of(JrModule *module) {
    if (!module->cache) {
        module->cache = JR_NEW(module->arena, JrCache);
        jr_cache_init(module->cache, module->context->alloc);
    }
    return module->cache;
}

static bool build(JrModule *module, const IrModule *ir, JrWanted wanted) {
    double clock = jr_clock();
    const JrEngine *engine =
        wanted.once ? jr_engine_interp() : jr_engine_get(module->options.engine);
    clock_stage(&clock, &module->times.load);
    if (!engine) return false;
    const char *why = JR_NO_MEMORY;
    JrEngineTimes times = {0};
    JrEngineOptions options = jr_engine_options(module);
    options.times = &times;
    options.host = &module->host;
    select_code(module, ir, engine, wanted, &options);
    JrCodeCache cache;
    if (module->options.cache && engine->selective) {
        cache = jr_cache_for_engine(cache_of(module));
        options.cache = &cache;
    }
    JrCode *code = engine->compile(ir, &options, &why);
    module->times.generate += times.generate;
    module->times.link += times.link;
    module->times.optimise += times.optimise;
    if (code) {
        jr_log_built(module, engine, &times, wanted.once);
        return add_unit(module, engine, code, wanted.once);
    }
    if (strcmp(why, JR_NO_MEMORY) == 0) return jr_error_set(JR_MEMORY_ERROR, "%s", why), false;
    jr_error_set(JR_ERR_ENGINE, "the %s engine could not compile %s: %s", engine->name,
                 module->source.name, why);
    return false;
}

static const JrUnit *find_code(const JrModule *module, JrWanted wanted, JrCall *out) {
    for (const JrUnit *u = module->units; u; u = u->next) {
        if (u->once > wanted.once || !u->engine->find(u->code, wanted.name, out)) continue;
        bool has_entry = out->run || !wanted.entry;
        bool has_pointer = out->pointer || !wanted.pointer;
        if (!u->engine->selective || (has_entry && has_pointer)) return u;
    }
    return NULL;
}

const JrUnit *jr_pipeline_build(JrModule *module, JrWanted wanted, JrCall *out) {
    /* A run that is checked for races begins and ends in jr_function_run. */
    if (module->options.check_races) wanted.pointer = false, wanted.entry = true;
    const JrUnit *unit = find_code(module, wanted, out);
    if (unit) return unit;
    const IrModule *ir = jr_pipeline_lower(module, true);
    if (!ir) return NULL;
    if (!build(module, ir, wanted)) return NULL;
    unit = find_code(module, wanted, out);
    if (!unit)
        jr_error_set(JR_ERR_ENGINE, "internal error: there is no code for %s", wanted.name);
    return unit;
}

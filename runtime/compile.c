/* The whole pipeline, one screen: text -> tree -> types -> IR -> code. Every stage's result
 * can be shown (dump.c). All memory but the engine's code is the module's arena; running out
 * of it anywhere below lands in the setjmp of the function that started. */
#include "runtime/compile.h"

#include <stdlib.h>
#include <string.h>

static FeConfig config_of(const JrModule *module) {
    return (FeConfig){.run_main = module->options.run_main,
                      .parallel = module->options.parallel,
                      .unchecked = module->options.unchecked,
                      .fastmath = module->options.fastmath};
}

bool jr_pipeline_check(JrModule *module) {
    FeConfig config = config_of(module);
    module->ast = ast_parse(module->arena, &module->source, &module->diags);
    if (module->diags.errors) return false;
    module->fe = fe_infer(module->arena, module->ast, &module->diags, &config);
    return module->fe && module->diags.errors == 0;
}

/* Passes run in this order; the verifier stands between lowering and all that trusts the IR.
 */
IrModule *jr_pipeline_lower(JrModule *module, bool optimise) {
    IrModule *ir = fe_lower(module->fe);
    if (!ir || module->diags.errors) {
        jr_error_set(JR_ERR_COMPILE, "%s does not compile", module->source.name);
        return NULL;
    }
    const char *why = NULL;
    if (!ir_verify_module(ir, &why)) {
        jr_error_set(JR_ERR_COMPILE, "internal error: the lowered code is not valid: %s", why);
        return NULL;
    }
    if (optimise) {
        ir_fold_module(ir);
        ir_module_finish(ir);
    }
    return ir;
}

static JrStatus add_unit(JrModule *module, JrCode *code) {
    JrUnit *unit = malloc(sizeof *unit);
    if (!unit) {
        module->engine->release(code);
        return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    }
    *unit = (JrUnit){.next = module->units, .code = code, .spec_count = module->fe->specs.len};
    module->units = unit;
    return JR_OK;
}

JrStatus jr_pipeline_build(JrModule *module) {
    if (module->units && module->units->spec_count == module->fe->specs.len) return JR_OK;
    if (!module->engine) module->engine = jr_engine_get(module->options.engine);
    if (!module->engine) return jr_error()->status;
    IrModule *ir = jr_pipeline_lower(module, true);
    if (!ir) return jr_error()->status;
    const char *why = "out of memory";
    JrEngineOptions options = jr_engine_options(module);
    JrCode *code = module->engine->compile(ir, &options, &why);
    if (!code)
        return jr_error_set(JR_ERR_ENGINE, "the %s engine could not compile %s: %s",
                            module->engine->name, module->source.name, why);
    return add_unit(module, code);
}

/* --dump: what each stage of the compiler made of a module. */
#include "runtime/compile.h"
#include "runtime/fork.h"

#include <string.h>

typedef enum Needs { NEEDS_TEXT, NEEDS_TREE, NEEDS_TYPES, NEEDS_ENGINE } Needs;

static void dump_tokens(JrModule *module, JrText *out) {
    fe_ast_dump_tokens(module->arena, &module->source, out);
}
static void dump_tree(JrModule *module, JrText *out) {
    fe_ast_dump(module->ast, out);
}
static void dump_types(JrModule *module, JrText *out) {
    fe_dump(module->fe, out);
}
static void dump_lowered(JrModule *module, JrText *out) {
    IrModule *ir = jr_pipeline_lower(module, false);
    if (ir) ir_print_module(ir, out);
}
static void dump_optimised(JrModule *module, JrText *out) {
    IrModule *ir = jr_pipeline_lower(module, true);
    if (ir) ir_print_module(ir, out);
}

static const struct Stage {
    const char *name;
    Needs needs;
    void (*dump)(JrModule *module, JrText *out);
    const char *engine;
    JrEngineText text;
} stages[] = {
    {"tokens", NEEDS_TEXT, dump_tokens, NULL, 0},
    {"ast", NEEDS_TREE, dump_tree, NULL, 0},
    {"typed", NEEDS_TYPES, dump_types, NULL, 0},
    {"ir", NEEDS_TYPES, dump_lowered, NULL, 0},
    {"opt", NEEDS_TYPES, dump_optimised, NULL, 0},
    {"bytecode", NEEDS_ENGINE, NULL, "interp", JR_TEXT_BYTECODE},
    {"c", NEEDS_ENGINE, NULL, "tcc", JR_TEXT_C},
    {"llvm", NEEDS_ENGINE, NULL, "llvm", JR_TEXT_LLVM},
    {"llvm-opt", NEEDS_ENGINE, NULL, "llvm", JR_TEXT_LLVM_OPT},
    {"asm", NEEDS_ENGINE, NULL, "llvm", JR_TEXT_ASM},
};

static JrStatus dump_engine(JrModule *module, const struct Stage *stage, JrText *out) {
    const JrEngine *engine = jr_engine_get(stage->engine);
    IrModule *ir = engine ? jr_pipeline_lower(module, true) : NULL;
    if (!ir) return jr_error()->status;
    JrEngineOptions options = jr_engine_options(module);
    const char *why = "out of memory";
    if (engine->text(ir, &options, stage->text, out, &why)) return JR_OK;
    return jr_error_set(JR_ERR_ENGINE, "%s: %s", stage->name, why);
}

static bool can_show(const JrModule *module, Needs needs) {
    switch (needs) {
    case NEEDS_TEXT: return true;
    case NEEDS_TREE: return module->ast != NULL;
    default: return module->fe != NULL && module->diags.errors == 0;
    }
}

static const struct Stage *find_stage(const char *name) {
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (strcmp(stages[i].name, name) == 0) return &stages[i];
    return NULL;
}

JrStatus jr_module_dump(JrModule *module, const char *stage_name, JrWrite write, void *user) {
    jr_error_clear();
    if (!module || !stage_name || !write)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_module_dump: NULL argument");
    const struct Stage *stage = find_stage(stage_name);
    if (!stage)
        return jr_error_set(
            JR_ERR_NOT_FOUND,
            "unknown stage '%s': use tokens, ast, typed, ir, opt, bytecode, c, "
            "llvm, llvm-opt or asm",
            stage_name);
    if (!can_show(module, stage->needs))
        return jr_error_set(JR_ERR_COMPILE, "%s has errors, so it has no %s",
                            module->source.name, stage_name);
    jmp_buf oom;
    JrText text;
    jr_module_lock(module);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_text_init(&text, module->arena);
        jr_text_puts(&text, "");
        if (stage->dump)
            stage->dump(module, &text);
        else
            dump_engine(module, stage, &text);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    jr_module_unlock(module);
    if (jr_error()->status == JR_OK && !jr_hand_over(&text, write, user))
        return jr_error_set(JR_ERR_IO, "the dump could not be written");
    return jr_error()->status;
}

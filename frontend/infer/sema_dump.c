/* --dump typed: every specialisation with the types of its variables and its result. */
#include "frontend/infer/sema.h"

static void dump_vars(FeModule *module, const FeSpec *spec, JrText *out) {
    for (uint32_t i = 0; i < spec->vars.len; i++) {
        const FeVar *var = spec->vars.data[i];
        if (i < spec->nparams && var->type == spec->params[i]) continue;
        jr_text_printf(out, "    %s: %s", var->name, fe_type_name(&module->types, var->type));
        jr_text_printf(out,
                       var->param ? "  # from line %d, a parameter that is assigned to\n"
                                  : "  # from line %d\n",
                       var->span.line);
    }
}

static void dump_spec(FeModule *module, const FeSpec *spec, JrText *out) {
    jr_text_printf(out, "def %s(", spec->func->ast->name);
    for (uint32_t i = 0; i < spec->nparams; i++)
        jr_text_printf(out, "%s%s: %s", i ? ", " : "", spec->func->ast->params.data[i].name,
                       fe_type_name(&module->types, spec->params[i]));
    jr_text_printf(out, ") -> %s:", fe_type_name(&module->types, spec->ret));
    if (spec->func->library) {
        jr_text_puts(out, "  # of NumPy's\n");
        return;
    }
    jr_text_printf(out, "  # line %d%s\n", spec->func->ast->span.line,
                   spec->recursive ? ", recursive" : "");
    dump_vars(module, spec, out);
}

void fe_dump(FeModule *module, JrText *out) {
    for (uint32_t i = 0; i < module->specs.len; i++) {
        if (i) jr_text_puts(out, "\n");
        dump_spec(module, module->specs.data[i], out);
    }
}

#include "ir/text/text.h"

IrModule *ir_read_module(JrArena *arena, const JrSource *source, JrDiags *diags) {
    const char *why = NULL;
    IrModule *module = ir_parse_module(arena, source, diags);
    if (!module) return NULL;
    if (!ir_verify_module(module, &why)) {
        jr_diag_error(diags, (JrSpan){0}, "%s", why);
        return NULL;
    }
    ir_module_finish(module);
    return module;
}

/* Calls of the program's own functions: as C calls them, by names that tcc.c gives their
 * addresses to. */
#include "backend/tcc/emit.h"

#include <inttypes.h>

/* libtcc would take a narrow result as it finds it in a register, whose upper bits are anyone's:
 * it is said to be an int, and cut down. */
static bool is_narrow(IrType type) {
    return type.scalar != TY_FLOAT32 && ir_scalar_size((IrScalar)type.scalar) < 4;
}

static const char *result_type(const IrFunc *host) {
    if (!host->nrets) return "void";
    return is_narrow(host->rets[0]) ? "int32_t" : jr_c_ctype((IrScalar)host->rets[0].scalar);
}

static void add_type(JrText *out, IrType type) {
    if (!type.ndim) {
        jr_text_puts(out, jr_c_ctype((IrScalar)type.scalar));
        return;
    }
    jr_text_puts(out, "void *");
    for (unsigned i = 0; i < type.ndim * (type.layout == LAYOUT_ANY ? 2u : 1u); i++)
        jr_text_puts(out, ", int64_t");
}

void jr_c_host_prototypes(const Emit *em, JrText *out) {
    for (uint32_t i = 0; i < em->module->hosts.len; i++) {
        const IrFunc *host = em->module->hosts.data[i];
        uint32_t at = 0;
        jr_text_printf(out, "%s jr_host_%s(", result_type(host), host->name);
        for (uint32_t k = 0; k < host->nparams; k++) {
            if (host->user_at == ++at) jr_text_puts(out, at++ > 1 ? ", void *" : "void *");
            if (at > 1) jr_text_puts(out, ", ");
            add_type(out, ir_reg_type(host, k));
        }
        if (host->user_at > at) jr_text_puts(out, at++ ? ", void *" : "void *");
        jr_text_puts(out, at ? ");\n" : "void);\n");
    }
}

static void add_array(JrText *out, const char *header, IrType type) {
    jr_text_printf(out, "(%s)->data", header);
    for (unsigned i = 0; i < type.ndim; i++)
        jr_text_printf(out, ", (%s)->d%u", header, i);
    for (unsigned i = 0; i < type.ndim && type.layout == LAYOUT_ANY; i++)
        jr_text_printf(out, ", (%s)->s%u", header, i);
}

static void add_user(const Fn *fn, JrText *out, const char *name) {
    const JrHostEntry *host = jr_host_named(&fn->em->hosts, name);
    jr_text_printf(out, "(void *)0x%" PRIxPTR "UL", host ? (uintptr_t)host->user : 0);
}

void jr_c_host_call(Fn *fn, const IrStmt *stmt) {
    const IrFunc *host = stmt->u.callee;
    JrText args;
    uint32_t at = 0;
    jr_text_init(&args, fn->em->arena);
    jr_text_puts(&args, "");
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrType type = ir_reg_type(host, i);
        if (host->user_at == ++at) {
            if (at++ > 1) jr_text_puts(&args, ", ");
            add_user(fn, &args, host->name);
        }
        if (at > 1) jr_text_puts(&args, ", ");
        if (type.ndim)
            add_array(&args, jr_c_header(fn, stmt->args[i]), type);
        else
            jr_text_puts(&args, jr_c_operand(fn, stmt->args[i]).text);
    }
    if (host->user_at > at) {
        if (at) jr_text_puts(&args, ", ");
        add_user(fn, &args, host->name);
    }
    jr_c_flush_loads(fn);
    jr_c_need(fn, USE_jr_rt_trace);
    if (stmt->ndsts) {
        jr_c_declare(fn, stmt->dsts[0]);
        bool is_bool = host->rets[0].scalar == TY_BOOL;
        jr_c_line(fn, is_bool ? "%s = (uint8_t)jr_host_%s(%s) != 0;" : "%s = jr_host_%s(%s);",
                  jr_c_name(fn, stmt->dsts[0]), host->name, args.data);
    } else {
        jr_c_line(fn, "jr_host_%s(%s);", host->name, args.data);
    }
    jr_c_line(fn, "if (rt->status) {");
    fn->indent++;
    jr_c_fail(fn, "jr_rt_trace(rt, %s)", jr_c_where(fn, stmt->span));
    fn->indent--;
    jr_c_line(fn, "}");
}

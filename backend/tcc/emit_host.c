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
    if (host->nrets != 1) return "void";
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
        for (uint32_t k = 0; k < host->nrets && host->nrets > 1; k++)
            jr_text_puts(out, at++ ? ", void *" : "void *");
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

/* The call's arguments but those for results; returns whether there are any. */
static bool add_args(Fn *fn, JrText *args, const IrStmt *stmt) {
    const IrFunc *host = stmt->u.callee;
    uint32_t at = 0;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrType type = ir_reg_type(host, i);
        if (host->user_at == ++at) {
            if (at++ > 1) jr_text_puts(args, ", ");
            add_user(fn, args, host->name);
        }
        if (at > 1) jr_text_puts(args, ", ");
        if (type.ndim)
            add_array(args, jr_c_header(fn, stmt->args[i]), type);
        else
            jr_text_puts(args, jr_c_operand(fn, stmt->args[i]).text);
    }
    if (host->user_at > at) {
        if (at++) jr_text_puts(args, ", ");
        add_user(fn, args, host->name);
    }
    return at > 0;
}

/* Several results: a variable for each. Returns the first one's number. */
static uint32_t add_results(Fn *fn, JrText *args, const IrFunc *host, bool any) {
    uint32_t first = fn->names;
    for (uint32_t i = 0; i < host->nrets && host->nrets > 1; i++, any = true) {
        uint32_t name = fn->names++;
        jr_c_line(fn, "%s h%" PRIu32 " = 0;", jr_c_ctype((IrScalar)host->rets[i].scalar),
                  name);
        jr_text_printf(args, "%s&h%" PRIu32, any ? ", " : "", name);
    }
    return first;
}

static void take_results(Fn *fn, const IrStmt *stmt, uint32_t first) {
    const IrFunc *host = stmt->u.callee;
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        bool is_bool = host->rets[i].scalar == TY_BOOL;
        jr_c_line(fn, "%s = h%" PRIu32 "%s;", jr_c_name(fn, stmt->dsts[i]), first + i,
                  is_bool ? " != 0" : "");
    }
}

void jr_c_host_call(Fn *fn, const IrStmt *stmt) {
    const IrFunc *host = stmt->u.callee;
    bool one = host->nrets == 1;
    JrText args;
    jr_text_init(&args, fn->em->arena);
    jr_text_puts(&args, "");
    bool any = add_args(fn, &args, stmt);
    uint32_t outs = add_results(fn, &args, host, any);
    jr_c_flush_loads(fn);
    jr_c_need(fn, USE_jr_rt_trace);
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        jr_c_declare(fn, stmt->dsts[i]);
    if (one) {
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
    if (!one) take_results(fn, stmt, outs);
}

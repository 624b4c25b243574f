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
    if (!ir_returns_scalar(host)) return "void";
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
        for (uint32_t k = 0; k < host->nrets && !ir_returns_scalar(host); k++)
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

/* Memory for each result but the one that is returned: a variable; or, where there are arrays, JrHostOuts,
 * one behind the other. What the results are called comes back. */
static const char **add_results(Fn *fn, JrText *args, const IrFunc *host, bool any) {
    JrArena *arena = fn->em->arena;
    const char **names = JR_NEW_ARRAY(arena, const char *, host->nrets + 1);
    bool arrays = ir_returns_arrays(host);
    uint32_t block = fn->names;
    if (arrays) { /* an initialiser would be a call of memset */
        uint32_t words = host->nrets * (uint32_t)JR_HOST_OUT_WORDS;
        jr_c_line(fn, "int64_t h%" PRIu32 "[%" PRIu32 "];", fn->names++, words);
        jr_c_line(fn, "for (int32_t i = 0; i < %" PRIu32 "; i++)", words);
        jr_c_line(fn, "    h%" PRIu32 "[i] = 0;", block);
    }
    for (uint32_t i = 0; i < host->nrets && !ir_returns_scalar(host); i++, any = true) {
        IrType type = host->rets[i];
        const char *ctype = jr_c_ctype((IrScalar)type.scalar);
        if (arrays) {
            if (type.ndim) ctype = jr_arena_printf(arena, "JrArray%u", type.ndim);
            names[i] = jr_arena_printf(arena, "(*(%s *)(h%" PRIu32 " + %" PRIu32 "))", ctype,
                                       block, i * (uint32_t)JR_HOST_OUT_WORDS);
        } else {
            names[i] = jr_arena_printf(arena, "h%" PRIu32, fn->names++);
            jr_c_line(fn, "%s %s = 0;", ctype, names[i]);
        }
        jr_text_printf(args, "%s&%s", any ? ", " : "", names[i]);
    }
    return names;
}

static void take_results(Fn *fn, const IrStmt *stmt, const char *const *names) {
    const IrFunc *host = stmt->u.callee;
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        bool is_bool = host->rets[i].scalar == TY_BOOL;
        if (host->rets[i].ndim)
            jr_c_take_result(fn, stmt->dsts[i], names[i]);
        else
            jr_c_line(fn, "%s = %s%s;", jr_c_name(fn, stmt->dsts[i]), names[i],
                      is_bool ? " != 0" : "");
    }
}

/* Leaves unless the function succeeded. */
static void check_results(Fn *fn, const IrStmt *stmt, const char *first) {
    const IrFunc *host = stmt->u.callee;
    if (ir_returns_arrays(host)) {
        uint32_t number = fn->names++;
        const JrHostEntry *entry = jr_host_named(&fn->em->hosts, host->name);
        jr_c_need(fn, USE_jr_rt_host_results);
        jr_c_line(fn,
                  "int32_t k%" PRIu32 " = jr_rt_host_results(rt, %s, (void *)0x%" PRIxPTR
                  "UL, &%s);",
                  number, jr_c_where(fn, stmt->span), (uintptr_t)entry, first);
        jr_c_line(fn, "if (k%" PRIu32 ") {", number);
        fn->indent++;
        jr_c_fail(fn, "k%" PRIu32, number);
    } else {
        jr_c_need(fn, USE_jr_rt_trace);
        jr_c_line(fn, "if (rt->status) {");
        fn->indent++;
        jr_c_fail(fn, "jr_rt_trace(rt, %s)", jr_c_where(fn, stmt->span));
    }
    fn->indent--;
    jr_c_line(fn, "}");
}

void jr_c_host_call(Fn *fn, const IrStmt *stmt) {
    const IrFunc *host = stmt->u.callee;
    bool one = ir_returns_scalar(host);
    JrText args;
    jr_text_init(&args, fn->em->arena);
    jr_text_puts(&args, "");
    bool any = add_args(fn, &args, stmt);
    const char **outs = add_results(fn, &args, host, any);
    jr_c_flush_loads(fn);
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        jr_c_declare(fn, stmt->dsts[i]);
    if (one) {
        bool is_bool = host->rets[0].scalar == TY_BOOL;
        jr_c_line(fn, is_bool ? "%s = (uint8_t)jr_host_%s(%s) != 0;" : "%s = jr_host_%s(%s);",
                  jr_c_name(fn, stmt->dsts[0]), host->name, args.data);
    } else {
        jr_c_line(fn, "jr_host_%s(%s);", host->name, args.data);
    }
    check_results(fn, stmt, outs[0]);
    if (!one) take_results(fn, stmt, outs);
}

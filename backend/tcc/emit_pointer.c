/* Functions with a C signature (JrCSignature): a shell around the generated function.
 *
 *     double jr_c_0(double *p0, int64_t p0_d0, double p1)
 *     {
 *         an array at a second look is none: goto failed
 *         rt = jr_rt_here();            or jr_rt_enter(&gate, host), jr_rt_begin, or none
 *         status = f0_name(rt, &a0, p1, &r0);
 *         jr_rt_leave, jr_rt_end, jr_rt_failed
 *         return r0;
 *     failed:
 *         return 0;
 *     }
 *
 * The names of the parameters are this file's own: what a user calls them does not matter to C.
 */
#include "backend/tcc/emit.h"

#include <inttypes.h>
#include <string.h>

typedef struct Shell {
    Emit *em;
    const IrFunc *func;
    const JrCSignature *c;
    uint32_t index;
    bool has_arrays, has_rt;
    bool may_fail; /* something goes to `failed` */
} Shell;

static void line(Shell *s, const char *format, ...) LIKE_PRINTF(2, 3);
static void line(Shell *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    jr_text_puts(&s->em->body, jr_arena_vprintf(s->em->arena, format, args));
    jr_text_puts(&s->em->body, "\n");
    va_end(args);
}

static void need(Shell *s, RtHelper helper) {
    s->em->runtime[helper] = true;
}

static const char *quoted(Shell *s, const char *text) {
    return jr_c_string(s->em->arena, text, strlen(text));
}

/* ---- The signature ---- */

/* libtcc's text makes no difference between a bool and the byte it is. */
static const char *c_type(const Emit *em, IrType type) {
    if (em->options->ahead && type.scalar == TY_BOOL) return "bool";
    return jr_c_ctype(type.scalar);
}

static void add_param(const Emit *em, JrText *out, const IrFunc *func, uint32_t i) {
    IrType type = ir_reg_type(func, i);
    if (!type.ndim) {
        jr_text_printf(out, "%s p%" PRIu32, c_type(em, type), i);
        return;
    }
    jr_text_printf(out, "%s%s *p%" PRIu32, ir_reg(func, i)->written ? "" : "const ",
                   c_type(em, type), i);
    for (unsigned k = 0; k < type.ndim; k++)
        jr_text_printf(out, ", int64_t p%" PRIu32 "_d%u", i, k);
    for (unsigned k = 0; k < type.ndim && type.layout != LAYOUT_C; k++)
        jr_text_printf(out, ", int64_t p%" PRIu32 "_s%u", i, k);
}

const char *jr_c_pointer_signature(Emit *em, const IrFunc *func, const JrCSignature *c) {
    JrText out;
    uint32_t n = 0;
    jr_text_init(&out, em->arena);
    jr_text_printf(&out, "%s %s(", c->returns_scalar ? c_type(em, func->rets[0]) : "int32_t",
                   c->symbol);
    for (uint32_t i = 0; i < func->nparams; i++) {
        jr_text_puts(&out, n++ ? ", " : "");
        add_param(em, &out, func, i);
    }
    for (uint32_t i = 0; i < func->nrets && !c->returns_scalar; i++)
        jr_text_printf(&out, "%s%s *o%" PRIu32, n++ ? ", " : "",
                       func->rets[i].ndim ? "void" : c_type(em, func->rets[i]), i);
    jr_text_puts(&out, n ? ")" : "void)");
    return out.data;
}

/* ---- Arguments ---- */

static void make_header(Shell *s, uint32_t i) {
    IrType type = ir_reg_type(s->func, i);
    line(s, "    JrArray%u a%" PRIu32 ";", type.ndim, i);
    line(s, "    a%" PRIu32 ".data = (void *)p%" PRIu32 ";", i, i);
    line(s, "    a%" PRIu32 ".owner = 0;", i);
    for (unsigned k = 0; k < type.ndim; k++)
        line(s, "    a%" PRIu32 ".d%u = p%" PRIu32 "_d%u;", i, k, i, k);
    for (unsigned k = 0; k < type.ndim && type.layout != LAYOUT_C; k++)
        line(s, "    a%" PRIu32 ".s%u = p%" PRIu32 "_s%u;", i, k, i, k);
    if (type.layout != LAYOUT_C) return;
    line(s, "    a%" PRIu32 ".s%u = 1;", i, type.ndim - 1);
    for (unsigned k = type.ndim - 1; k-- > 0;) /* unsigned: nobody has looked at them yet */
        line(s,
             "    a%" PRIu32 ".s%u = (int64_t)((uint64_t)a%" PRIu32
             ".s%u * (uint64_t)a%" PRIu32 ".d%u);",
             i, k, i, k + 1, i, k + 1);
}

/* "p0 && (uint64_t)p0 % 8 == 0 && ...": not NULL, aligned, and so small on every axis that no
 * product of dims and strides can overflow. What this does not let pass may be good for all
 * that. */
static const char *looks_good(Shell *s, uint32_t i) {
    IrType type = ir_reg_type(s->func, i);
    unsigned size = ir_scalar_size(type.scalar), item = 0;
    while (1u << item < size)
        item++;
    unsigned bits = (62 - item) / type.ndim, steps;
    if (type.layout != LAYOUT_C && bits > 29) bits = 29;
    steps = 56 - item - bits;
    JrText out;
    jr_text_init(&out, s->em->arena);
    jr_text_printf(&out, "p%" PRIu32, i);
    if (item) jr_text_printf(&out, " && ((uint64_t)p%" PRIu32 " & %u) == 0", i, size - 1);
    for (unsigned k = 0; k < type.ndim; k++)
        jr_text_printf(&out, " && (uint64_t)p%" PRIu32 "_d%u < 1UL << %u", i, k, bits);
    for (unsigned k = 0; k < type.ndim && type.layout != LAYOUT_C; k++)
        jr_text_printf(&out, " && (uint64_t)p%" PRIu32 "_s%u + (1UL << %u) < 1UL << %u", i, k,
                       steps, steps + 1);
    return out.data;
}

static void check_array(Shell *s, uint32_t i) {
    const char *name = ir_reg(s->func, i)->name;
    need(s, USE_jr_rt_check_array);
    line(s, "    if (!(%s)) {", looks_good(s, i));
    line(s, "        status = jr_rt_check_array(%s, %s, %" PRIu32 ", &a%" PRIu32 ");",
         quoted(s, s->func->display), quoted(s, name ? name : "?"),
         ir_type_bits(ir_reg_type(s->func, i)), i);
    line(s, "        if (status) goto failed;\n    }");
    s->may_fail = true;
}

/* ---- The way in and out ---- */

static void enter(Shell *s) {
    if (!s->has_rt) return;
    need(s, USE_jr_rt_failed);
    if (s->func->needs_context) {
        need(s, s->func->needs_all ? USE_jr_rt_enter : USE_jr_rt_begin);
        line(s, "    JrGate gate;\n    JrRt *rt = %s(&gate, (const void *)%" PRIuPTR "UL);",
             s->func->needs_all ? "jr_rt_enter" : "jr_rt_begin",
             s->em->options->ahead ? 0 : (uintptr_t)s->em->options->host);
    } else {
        need(s, USE_jr_rt_here);
        line(s, "    JrRt *rt = jr_rt_here();");
    }
    line(s, "    if (!rt) {\n        status = jr_rt_failed(0);\n        goto failed;\n    }");
    s->may_fail = true;
}

static void call(Shell *s) {
    const IrFunc *func = s->func;
    JrText args;
    jr_text_init(&args, s->em->arena);
    jr_text_puts(&args, s->has_rt ? "rt" : "0");
    for (uint32_t i = 0; i < func->nparams; i++)
        jr_text_printf(&args,
                       ir_reg_type(func, i).ndim                ? ", &a%" PRIu32
                       : ir_reg_type(func, i).scalar == TY_BOOL ? ", p%" PRIu32 " != 0"
                                                                : ", p%" PRIu32,
                       i);
    for (uint32_t i = 0; i < func->nrets; i++)
        jr_text_printf(&args, ", &r%" PRIu32, i);
    line(s, "    status = %s(%s);", jr_c_func_name(s->em, func, s->index), args.data);
}

/* The kernel ran, but its results are nobody's: printing failed. */
static void release_results(Shell *s) {
    for (uint32_t i = 0; i < s->func->nrets; i++) {
        if (!s->func->rets[i].ndim) continue;
        need(s, USE_jr_rt_release);
        line(s, "        if (!status) jr_rt_release(r%" PRIu32 ".owner);", i);
    }
}

static void leave(Shell *s) {
    if (!s->has_rt) {
        line(s, "    (void)status;");
        return;
    }
    if (s->func->needs_context) {
        need(s, s->func->needs_all ? USE_jr_rt_leave : USE_jr_rt_end);
        line(s, "    int32_t end = %s(rt, &gate, status);\n    if (end) {",
             s->func->needs_all ? "jr_rt_leave" : "jr_rt_end");
        release_results(s);
        line(s, "        status = end;");
    } else {
        line(s, "    if (status) {\n        status = jr_rt_failed(rt);");
    }
    line(s, "        goto failed;\n    }");
}

/* An array that nobody owns may be a view of one that the caller has as const. */
static bool takes_const(const IrFunc *func) {
    for (uint32_t i = 0; i < func->nparams; i++)
        if (ir_reg_type(func, i).ndim && !ir_reg(func, i)->written) return true;
    return false;
}

static void give_results(Shell *s) {
    if (s->c->returns_scalar) {
        line(s, "    return r0;");
        return;
    }
    for (uint32_t i = 0; i < s->func->nrets; i++) {
        if (s->func->rets[i].ndim) {
            need(s, USE_jr_rt_give_array);
            line(s, "    jr_rt_give_array(o%" PRIu32 ", %" PRIu32 ", &r%" PRIu32 ", %d);", i,
                 ir_type_bits(s->func->rets[i]), i, takes_const(s->func));
        } else {
            line(s, "    if (o%" PRIu32 ") *o%" PRIu32 " = r%" PRIu32 ";", i, i, i);
        }
    }
    line(s, "    return 0;");
}

static void fail(Shell *s) {
    line(s, "failed:");
    for (uint32_t i = 0; i < s->func->nrets && !s->c->returns_scalar; i++) {
        need(s, USE_jr_rt_give_nothing);
        line(s, "    jr_rt_give_nothing(o%" PRIu32 ", %" PRIu32 ");", i,
             ir_type_bits(s->func->rets[i]));
    }
    line(s, "    return %s;", s->c->returns_scalar ? "0" : "status");
}

void jr_c_pointer(Emit *em, const IrFunc *func, uint32_t index) {
    Shell s = {.em = em, .func = func, .index = index};
    s.c = &em->options->signatures[index];
    line(&s, "%s\n{\n    int32_t status;", jr_c_pointer_signature(em, func, s.c));
    for (uint32_t i = 0; i < func->nrets; i++) {
        IrType type = func->rets[i];
        if (type.ndim)
            line(&s, "    JrArray%u r%" PRIu32 ";", type.ndim, i);
        else
            line(&s, "    %s r%" PRIu32 "%s;", jr_c_ctype(type.scalar), i,
                 em->options->ahead ? " = 0" : "");
    }
    for (uint32_t i = 0; i < func->nparams; i++)
        if (ir_reg_type(func, i).ndim) make_header(&s, i), s.has_arrays = true;
    s.has_rt = func->needs_rt || s.has_arrays;
    for (uint32_t i = 0; i < func->nparams; i++)
        if (ir_reg_type(func, i).ndim) check_array(&s, i);
    enter(&s);
    call(&s);
    leave(&s);
    give_results(&s);
    if (s.may_fail) fail(&s);
    line(&s, "}\n");
}

/* Calls and what ends a function: CALL, RT, PARALLEL, RETURN, RAISE, POLL, and every way out
 * on an error. */
#include "backend/tcc/emit.h"

#include <inttypes.h>
#include <string.h>

void jr_c_need(Fn *fn, RtHelper helper) {
    fn->em->runtime[helper] = true;
}

static void quote(Fn *fn, JrText *out, const char *text) {
    jr_text_puts(out, jr_c_string(fn->em->arena, text ? text : "", text ? strlen(text) : 0));
}

const char *jr_c_where(Fn *fn, JrSpan span) {
    JrSpan last = fn->last_where;
    if (!fn->nwheres || last.line != span.line || last.col != span.col) {
        jr_text_puts(&fn->wheres, fn->nwheres++ ? ",\n    {jr_file, " : "    {jr_file, ");
        quote(fn, &fn->wheres, fn->func->display);
        jr_text_printf(&fn->wheres, ", %" PRId32 ", %" PRId32 "}", span.line, span.col);
        fn->last_where = span;
    }
    return jr_arena_printf(fn->em->arena, "&at%" PRIu32 "[%" PRIu32 "]", fn->index,
                           fn->nwheres - 1);
}

void jr_c_fail(Fn *fn, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *status = jr_arena_vprintf(fn->em->arena, format, args);
    va_end(args);
    if (!fn->owns) {
        jr_c_line(fn, "return %s;", status);
        return;
    }
    fn->left = true;
    jr_c_line(fn, "status = %s;", status);
    jr_c_line(fn, "goto out;");
}

/* ---- CALL ---- */

/* A fresh header for an array result, so that a failed call leaves the register as it was. */
static const char *result_header(Fn *fn, IrReg reg) {
    const char *name = jr_arena_printf(fn->em->arena, "h%" PRIu32, fn->names++);
    jr_c_line(fn, "JrArray%u %s;", ir_reg_type(fn->func, reg).ndim, name);
    return name;
}

void jr_c_take_result(Fn *fn, IrReg reg, const char *header) {
    const char *name = jr_c_name(fn, reg);
    jr_c_need(fn, USE_jr_rt_release);
    jr_c_line(fn, "jr_rt_release(%s.owner);", name);
    jr_c_copy_header(fn, name, header, ir_reg_type(fn->func, reg).ndim, fn->regs[reg].fields);
}

static void add_argument(Fn *fn, JrText *args, IrReg reg) {
    bool array = ir_reg_type(fn->func, reg).ndim > 0;
    jr_text_printf(args, ", %s", array ? jr_c_header(fn, reg) : jr_c_operand(fn, reg).text);
}

static void call(Fn *fn, const IrStmt *stmt) {
    JrArena *arena = fn->em->arena;
    JrText args;
    jr_text_init(&args, arena);
    jr_text_puts(&args, "rt");
    for (uint32_t i = 0; i < stmt->nargs; i++)
        add_argument(fn, &args, stmt->args[i]);
    jr_c_flush_loads(fn);
    const char **headers = JR_NEW_ARRAY(arena, const char *, stmt->ndsts + 1);
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        IrReg dst = stmt->dsts[i];
        jr_c_declare(fn, dst);
        if (ir_reg_type(fn->func, dst).ndim > 0) headers[i] = result_header(fn, dst);
        jr_text_printf(&args, ", &%s", headers[i] ? headers[i] : jr_c_name(fn, dst));
    }
    uint32_t callee = jr_c_func_index(fn->em, stmt->u.callee);
    jr_c_need(fn, USE_jr_rt_trace);
    jr_c_line(fn, "if (%s(%s)) {", jr_c_func_name(fn->em, stmt->u.callee, callee), args.data);
    fn->indent++;
    jr_c_fail(fn, "jr_rt_trace(rt, %s)", jr_c_where(fn, stmt->span));
    fn->indent--;
    jr_c_line(fn, "}");
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        if (headers[i]) jr_c_take_result(fn, stmt->dsts[i], headers[i]);
}

/* ---- RT ---- */

static char slot_member(char letter) {
    return letter == 's' || letter == 'a' ? 'p' : letter;
}

static uint32_t slots_of(const char *letters) {
    uint32_t n = 0;
    for (; *letters; letters++)
        n += *letters == 's' || *letters == 'a' ? 2 : 1;
    return n;
}

static void fill_slots(Fn *fn, const IrStmt *stmt, const char *letters, const char *name) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrReg reg = stmt->args[i];
        const IrRegInfo *info = ir_reg(fn->func, reg);
        if (letters[i] == 's') {
            jr_c_line(fn, "%s[%" PRIu32 "].cp = %s;", name, at, jr_c_constant(fn, reg).text);
            jr_c_line(fn, "%s[%" PRIu32 "].u = %" PRIu32 ";", name, at + 1,
                      info->value.str.len);
        } else if (letters[i] == 'a') {
            jr_c_line(fn, "%s[%" PRIu32 "].u = %" PRIu32 ";", name, at,
                      ir_type_bits(info->type));
            jr_c_line(fn, "%s[%" PRIu32 "].cp = %s;", name, at + 1, jr_c_header(fn, reg));
        } else {
            jr_c_line(fn, "%s[%" PRIu32 "].%c = %s;", name, at, letters[i],
                      jr_c_operand(fn, reg).text);
        }
        at += slots_of((char[]){letters[i], 0});
    }
}

static void take_slots(Fn *fn, const IrStmt *stmt, const char *name,
                       const char *const *headers) {
    uint32_t at = 0;
    const char *letters = ir_rt_results(stmt->u.rt);
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        if (letters[i] == 'a')
            jr_c_take_result(fn, stmt->dsts[i], headers[i]);
        else
            jr_c_line(fn, "%s = %s[%" PRIu32 "].%c;", jr_c_name(fn, stmt->dsts[i]), name, at,
                      slot_member(letters[i]));
        at += slots_of((char[]){letters[i], 0});
    }
}

static void ready_results(Fn *fn, const IrStmt *stmt, const char *name, const char **headers) {
    uint32_t at = 0;
    const char *letters = ir_rt_results(stmt->u.rt);
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        jr_c_declare(fn, stmt->dsts[i]);
        if (letters[i] == 'a') {
            headers[i] = result_header(fn, stmt->dsts[i]);
            jr_c_line(fn, "%s[%" PRIu32 "].p = &%s;", name, at, headers[i]);
            jr_c_line(fn, "%s[%" PRIu32 "].u = %" PRIu32 ";", name, at + 1,
                      ir_type_bits(ir_reg_type(fn->func, stmt->dsts[i])));
        }
        at += slots_of((char[]){letters[i], 0});
    }
}

static void runtime_call(Fn *fn, const IrStmt *stmt) {
    JrArena *arena = fn->em->arena;
    uint32_t number = fn->names++, nargs = slots_of(ir_rt_params(stmt->u.rt));
    uint32_t nresults = slots_of(ir_rt_results(stmt->u.rt));
    const char *args = "0", *results = "0", **headers;
    headers = JR_NEW_ARRAY(arena, const char *, stmt->ndsts + 1);
    fn->em->rt_calls[stmt->u.rt] = true;
    jr_c_flush_loads(fn);
    if (nargs) {
        args = jr_arena_printf(arena, "a%" PRIu32, number);
        jr_c_line(fn, "JrSlot %s[%" PRIu32 "];", args, nargs);
        fill_slots(fn, stmt, ir_rt_params(stmt->u.rt), args);
    }
    if (nresults) {
        results = jr_arena_printf(arena, "r%" PRIu32, number);
        jr_c_line(fn, "JrSlot %s[%" PRIu32 "];", results, nresults);
        ready_results(fn, stmt, results, headers);
    }
    const char *call_text =
        jr_arena_printf(arena, "jr_rt_%s(rt, %s, %s, %s)", ir_rt_name(stmt->u.rt),
                        jr_c_where(fn, stmt->span), args, results);
    if (ir_rt_fails(stmt->u.rt)) {
        jr_c_line(fn, "int32_t k%" PRIu32 " = %s;", number, call_text);
        jr_c_line(fn, "if (k%" PRIu32 ") {", number);
        fn->indent++;
        jr_c_fail(fn, "k%" PRIu32, number);
        fn->indent--;
        jr_c_line(fn, "}");
    } else {
        jr_c_line(fn, "%s;", call_text);
    }
    take_slots(fn, stmt, results, headers);
}

/* ---- PARALLEL ---- */

static void parallel(Fn *fn, const IrStmt *stmt) {
    JrArena *arena = fn->em->arena;
    uint32_t number = fn->names++;
    const char *letters = ir_parallel_letters(fn->func, stmt, arena);
    const char *slots = jr_arena_printf(arena, "a%" PRIu32, number);
    jr_c_need(fn, USE_jr_rt_parallel);
    jr_c_flush_loads(fn);
    jr_c_line(fn, "JrSlot %s[%" PRIu32 "];", slots, slots_of(letters));
    fill_slots(fn, stmt, letters, slots);
    const char *run = jr_arena_printf(
        arena, "jr_rt_parallel(rt, %s, jr_entry_%" PRIu32 ", \"%s\", %s)",
        jr_c_where(fn, stmt->span), jr_c_func_index(fn->em, stmt->u.callee), letters, slots);
    if (stmt->ndsts)
        jr_c_line(fn, "%s;", run);
    else
        jr_c_line(fn, "int32_t k%" PRIu32 " = %s;", number, run);
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        jr_c_declare(fn, stmt->dsts[i]);
        jr_c_line(fn, "%s = %s[%" PRIu32 "].i;", jr_c_name(fn, stmt->dsts[i]), slots, i);
    }
    if (stmt->ndsts) return;
    jr_c_line(fn, "if (k%" PRIu32 ") {", number);
    fn->indent++;
    jr_c_fail(fn, "k%" PRIu32, number);
    fn->indent--;
    jr_c_line(fn, "}");
}

/* ---- Ends ---- */

static void return_array(Fn *fn, IrReg reg, uint32_t i) {
    bool param = ir_reg(fn->func, reg)->kind == REG_PARAM;
    const char *name = jr_c_name(fn, reg);
    const char *src = jr_arena_printf(fn->em->arena, param ? "(*%s_in)" : "%s", name);
    const char *dst = jr_arena_printf(fn->em->arena, "(*out%" PRIu32 ")", i);
    jr_c_need(fn, USE_jr_rt_retain);
    jr_c_line(fn, "jr_rt_retain(%s.owner);", src);
    jr_c_copy_header(fn, dst, src, ir_reg_type(fn->func, reg).ndim, FIELDS_ALL);
}

static void leave(Fn *fn, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        if (ir_reg_type(fn->func, stmt->args[i]).ndim > 0)
            return_array(fn, stmt->args[i], i);
        else
            jr_c_line(fn, "*out%" PRIu32 " = %s;", i, jr_c_operand(fn, stmt->args[i]).text);
    }
    jr_c_line(fn, fn->owns ? "goto out;" : "return 0;");
    fn->left |= fn->owns;
}

static void raise(Fn *fn, const IrStmt *stmt) {
    const IrRegInfo *message = ir_reg(fn->func, stmt->args[0]);
    jr_c_need(fn, USE_jr_rt_raise);
    jr_c_fail(fn, "jr_rt_raise(rt, %s, %d, %s, %" PRIu32 ")", jr_c_where(fn, stmt->span),
              (int)stmt->u.exc, jr_c_constant(fn, stmt->args[0]).text, message->value.str.len);
}

void jr_c_poll(Fn *fn, const IrStmt *stmt) {
    uint32_t number = fn->names++;
    jr_c_need(fn, USE_jr_rt_poll);
    jr_c_line(fn, "if (*rt->cancel != rt->seen) {");
    fn->indent++;
    jr_c_line(fn, "int32_t k%" PRIu32 " = jr_rt_poll(rt, %s);", number,
              jr_c_where(fn, stmt->span));
    jr_c_line(fn, "if (k%" PRIu32 ") {", number);
    fn->indent++;
    jr_c_fail(fn, "k%" PRIu32, number);
    fn->indent--;
    jr_c_line(fn, "}");
    fn->indent--;
    jr_c_line(fn, "}");
}

void jr_c_call(Fn *fn, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_CALL:
        if (stmt->u.callee->host)
            jr_c_host_call(fn, stmt);
        else
            call(fn, stmt);
        break;
    case OP_RT: runtime_call(fn, stmt); break;
    case OP_PARALLEL: parallel(fn, stmt); break;
    case OP_RETURN: leave(fn, stmt); break;
    case OP_RAISE: raise(fn, stmt); break;
    default: jr_c_poll(fn, stmt); break;
    }
}

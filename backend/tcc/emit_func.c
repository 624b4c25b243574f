/* One function of the generated C: its frame, its control flow, and its entry. */
#include "backend/tcc/emit.h"

#include <inttypes.h>

uint32_t jr_c_func_index(const Emit *em, const IrFunc *func) {
    return (uint32_t)(uintptr_t)jr_table_get(&em->numbers, func->name) - 1;
}

const char *jr_c_func_name(Emit *em, const IrFunc *func, uint32_t index) {
    char name[32];
    size_t len = 0;
    for (const char *c = func->display; *c && len < sizeof name - 1; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
                    (*c >= '0' && *c <= '9' && len);
        if (word) name[len++] = *c;
    }
    return jr_arena_printf(em->arena, "f%" PRIu32 "_%.*s", index, (int)len, name);
}

static void add_param(JrText *out, IrType type, const char *name) {
    if (type.ndim > 0)
        jr_text_printf(out, ", const JrArray%u *%s_in", type.ndim, name);
    else
        jr_text_printf(out, ", %s %s", jr_c_ctype(type.scalar), name);
}

const char *jr_c_signature(Emit *em, const IrFunc *func, uint32_t index) {
    Fn names = {.em = em, .func = func};
    JrText out;
    jr_text_init(&out, em->arena);
    jr_text_printf(&out, "static int32_t %s(JrRt *rt", jr_c_func_name(em, func, index));
    for (uint32_t i = 0; i < func->nparams; i++) {
        add_param(&out, ir_reg_type(func, i), jr_c_name(&names, i));
        em->ranks[ir_reg_type(func, i).ndim] = true;
    }
    for (uint32_t i = 0; i < func->nrets; i++) {
        em->ranks[func->rets[i].ndim] = true;
        if (func->rets[i].ndim > 0)
            jr_text_printf(&out, ", JrArray%u *out%" PRIu32, func->rets[i].ndim, i);
        else
            jr_text_printf(&out, ", %s *out%" PRIu32, jr_c_ctype(func->rets[i].scalar), i);
    }
    jr_text_puts(&out, ")");
    return out.data;
}

/* ---- Control flow ---- */

static void write_block(Fn *fn, const IrBlock *block);

static void nested(Fn *fn, const IrBlock *block) {
    uint32_t known = fn->nchecked;
    fn->indent++;
    write_block(fn, block);
    jr_c_flush_all(fn);
    fn->indent--;
    fn->nchecked = known;
}

static void write_if(Fn *fn, const IrStmt *stmt) {
    Expr condition = jr_c_operand(fn, stmt->args[0]);
    jr_c_flush_all(fn);
    const IrBlock *then = &stmt->u.blocks.then, *els = &stmt->u.blocks.els;
    if (!then->first && els->first) {
        jr_c_line(fn, "if (!%s) {", jr_c_paren(fn, &condition));
        nested(fn, els);
    } else {
        jr_c_line(fn, "if (%s) {", condition.text);
        nested(fn, then);
        if (els->first) {
            jr_c_line(fn, "} else {");
            nested(fn, els);
        }
    }
    jr_c_line(fn, "}");
}

static void write_loop(Fn *fn, const IrStmt *stmt) {
    jr_c_flush_all(fn);
    jr_c_line(fn, "for (;;) {");
    nested(fn, &stmt->u.blocks.then);
    jr_c_line(fn, "}");
}

/* A bound must keep its value while the body runs: what may change is copied. */
static Expr stable(Fn *fn, IrReg reg) {
    Expr expr = jr_c_operand(fn, reg);
    bool changes = !expr.atom || expr.loads || expr.nvars > 0;
    return changes ? jr_c_store_atom(fn, TY_INT64, expr) : expr;
}

/* A counted loop being written. */
typedef struct Counted {
    const IrStmt *stmt;
    uint32_t number;       /* of its helping variables */
    int64_t by;            /* the step, or 0 if it is no constant */
    bool unit;             /* by is 1 or -1 */
    const char *i, *order; /* the counter; "<" or ">" for a unit step */
    const char *copy;      /* where the body has the counter, if that is elsewhere, or NULL */
    Expr hi, stride;
} Counted;

static void write_iterations(Fn *fn, const Counted *loop, const char *hi) {
    if (loop->copy) jr_c_line(fn, "    %s = %s;", loop->copy, loop->i);
    nested(fn, &loop->stmt->u.blocks.then);
    if (loop->unit)
        jr_c_line(fn, "} while (%s%s %s %s);", loop->by == 1 ? "++" : "--", loop->i,
                  loop->order, hi);
    else
        jr_c_line(fn, "} while (%s = (int64_t)((uint64_t)%s + (uint64_t)%s), --%s != 0);",
                  loop->i, loop->i, loop->stride.text, hi);
}

/* The loop in a loop over strips; e is the end of the strip, or for other steps than 1 and -1
 * how many of its iterations are left. A break leaves before the end is reached. */
static void write_strips(Fn *fn, const Counted *loop) {
    uint32_t n = loop->number, length = loop->stmt->strip;
    const char *e = jr_arena_printf(fn->em->arena, "e%" PRIu32, n);
    fn->indent++;
    if (loop->unit) {
        const char *up = loop->by == 1 ? "+" : "-";
        const char *from = loop->by == 1 ? loop->hi.text : loop->i;
        const char *minus = loop->by == 1 ? loop->i : loop->hi.text;
        jr_c_line(fn,
                  "int64_t %s = (uint64_t)%s - (uint64_t)%s > %" PRIu32 " ? %s %s %" PRIu32
                  " : %s;",
                  e, from, minus, length, loop->i, up, length, loop->hi.text);
    } else {
        jr_c_line(fn, "uint64_t %s = n%" PRIu32 " > %" PRIu32 " ? %" PRIu32 " : n%" PRIu32 ";",
                  e, n, length, length, n);
        jr_c_line(fn, "n%" PRIu32 " -= %s;", n, e);
    }
    jr_c_line(fn, "do {");
    write_iterations(fn, loop, e);
    if (loop->unit)
        jr_c_line(fn, "if (%s != %s || %s == %s) break;", loop->i, e, e, loop->hi.text);
    else
        jr_c_line(fn, "if (%s != 0 || n%" PRIu32 " == 0) break;", e, n);
    jr_c_poll(fn, loop->stmt);
    fn->indent--;
    jr_c_line(fn, "}");
}

/* The loop's test is at its end, one jump per iteration, and `continue` goes to it. Steps of 1
 * and -1 stop at the bound itself; others count, since the last step could overflow. */
static void write_for(Fn *fn, const IrStmt *stmt) {
    IrReg dst = stmt->dsts[0];
    const IrRegInfo *step = ir_reg(fn->func, stmt->args[2]);
    bool variable = ir_reg(fn->func, dst)->kind == REG_VAR;
    Counted loop = {.stmt = stmt, .number = fn->names++};
    loop.by = step->kind == REG_CONST ? step->value.i : 0;
    loop.unit = loop.by == 1 || loop.by == -1;
    loop.order = loop.by == 1 ? "<" : ">";
    loop.copy = variable ? jr_c_name(fn, dst) : NULL;
    loop.i = variable ? jr_arena_printf(fn->em->arena, "k%" PRIu32, loop.number)
                      : jr_c_name(fn, dst);
    Expr lo = jr_c_operand(fn, stmt->args[0]);
    loop.hi = stable(fn, stmt->args[1]);
    if (!loop.unit) loop.stride = stable(fn, stmt->args[2]);
    jr_c_flush_all(fn);
    const char *body = stmt->strip ? "for (;;) {" : "do {";
    jr_c_line(fn, "int64_t %s = %s;", loop.i, lo.text);
    if (loop.unit) {
        jr_c_line(fn, "if (%s %s %s) %s", loop.i, loop.order, loop.hi.text, body);
    } else {
        fn->em->helpers[HELP_TRIPS] = true;
        jr_c_line(fn, "uint64_t n%" PRIu32 " = jr_trips(%s, %s, %s);", loop.number, loop.i,
                  loop.hi.text, loop.stride.text);
        jr_c_line(fn, "if (n%" PRIu32 " != 0) %s", loop.number, body);
    }
    if (stmt->strip)
        write_strips(fn, &loop);
    else
        write_iterations(fn, &loop,
                         loop.unit ? loop.hi.text
                                   : jr_arena_printf(fn->em->arena, "n%" PRIu32, loop.number));
}

static bool is_array_copy(const Fn *fn, const IrStmt *stmt) {
    return ir_reg_type(fn->func, stmt->dsts[0]).ndim > 0;
}

static void write_stmt(Fn *fn, const IrStmt *stmt) {
    switch (ir_op_form(stmt->op)) {
    case FORM_IF: write_if(fn, stmt); break;
    case FORM_LOOP: write_loop(fn, stmt); break;
    case FORM_FOR: write_for(fn, stmt); break;
    case FORM_NONE:
        if (stmt->op == OP_POLL)
            jr_c_call(fn, stmt);
        else
            jr_c_line(fn, stmt->op == OP_BREAK ? "break;" : "continue;");
        break;
    case FORM_CALL:
    case FORM_PARALLEL:
    case FORM_RT:
    case FORM_RETURN:
    case FORM_RAISE: jr_c_call(fn, stmt); break;
    case FORM_LOAD:
    case FORM_STORE:
    case FORM_DIM:
    case FORM_APART:
    case FORM_ALLOC:
    case FORM_VIEW:
    case FORM_COPYA:
    case FORM_SHAPED: jr_c_array(fn, stmt); break;
    case FORM_COPY:
        if (is_array_copy(fn, stmt)) {
            jr_c_array(fn, stmt);
        } else {
            jr_c_scalar(fn, stmt);
        }
        break;
    default: jr_c_scalar(fn, stmt); break;
    }
}

static void write_block(Fn *fn, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->ndsts == 1 && fn->regs[stmt->dsts[0]].dead) continue;
        fn->source_line = stmt->span.line;
        write_stmt(fn, stmt);
    }
}

/* ---- The frame ---- */

static void zero_header(Fn *fn, IrReg reg) {
    const char *name = jr_c_name(fn, reg);
    uint32_t fields = fn->regs[reg].fields;
    unsigned ndim = ir_reg_type(fn->func, reg).ndim;
    jr_c_line(fn, "JrArray%u %s;", ndim, name);
    if (fields & FIELD_DATA) jr_c_line(fn, "%s.data = 0;", name);
    if (fields & FIELD_OWNER) jr_c_line(fn, "%s.owner = 0;", name);
    for (unsigned i = 0; i < ndim; i++) {
        if (fields & (uint32_t)FIELD_DIM << i) jr_c_line(fn, "%s.d%u = 0;", name, i);
        if (fields & (uint32_t)FIELD_STRIDE << i) jr_c_line(fn, "%s.s%u = 0;", name, i);
    }
}

static void declare(Fn *fn, IrReg reg) {
    const IrRegInfo *info = ir_reg(fn->func, reg);
    const char *name = jr_c_name(fn, reg);
    if (info->kind == REG_PARAM && info->type.ndim > 0 && fn->regs[reg].fields) {
        jr_c_line(fn, "JrArray%u %s;", info->type.ndim, name);
        jr_c_copy_header(fn, name, jr_arena_printf(fn->em->arena, "(*%s_in)", name),
                         info->type.ndim, fn->regs[reg].fields);
    } else if (info->type.ndim > 0 && (info->kind == REG_VAR || info->owned)) {
        zero_header(fn, reg);
    } else if (info->kind == REG_VAR) {
        jr_c_line(fn, "%s %s = 0;", jr_c_ctype(info->type.scalar), name);
    } else {
        return;
    }
    if (!fn->regs[reg].uses) jr_c_line(fn, "(void)%s;", name);
}

/* What libtcc's frame may take: a slot for all that has a name, and as much again for spills.
 */
static uint32_t frame_size(const Fn *fn) {
    uint32_t size = 256;
    for (uint32_t i = 0; i < fn->func->regs.len; i++) {
        const IrRegInfo *info = ir_reg(fn->func, i);
        if (info->kind != REG_CONST) size += info->type.ndim ? 32 + 32u * info->type.ndim : 16;
    }
    return size + 32 * fn->names;
}

/* A frame that is deep, or would be. */
static void check_stack(Fn *fn, uint32_t frame) {
    if (!fn->func->recursive && frame < 4096) return;
    jr_c_need(fn, USE_jr_rt_deep);
    jr_c_line(fn,
              "if ((uint64_t)__builtin_frame_address(0) - %" PRIu32
              " < (uint64_t)rt->stack_limit) {",
              frame);
    jr_c_line(fn, "    int32_t deep = jr_rt_deep(rt, %s);", jr_c_where(fn, fn->func->span));
    jr_c_line(fn, "    if (deep) return deep;");
    jr_c_line(fn, "}");
}

static void write_end(Fn *fn) {
    fn->indent = 0;
    if (fn->left) {
        jr_c_line(fn, "out:");
        fn->indent = 1;
        for (uint32_t i = 0; i < fn->func->regs.len; i++)
            if (ir_reg(fn->func, i)->owned) {
                jr_c_need(fn, USE_jr_rt_release);
                jr_c_line(fn, "jr_rt_release(%s.owner);", jr_c_name(fn, i));
            }
        jr_c_line(fn, "return status;");
        fn->indent = 0;
    }
    jr_c_line(fn, "}\n");
}

/* How the outside calls it: ir/rt.h's convention. */
static void write_entry(Emit *em, const IrFunc *func, uint32_t index) {
    JrText *out = &em->body;
    jr_text_printf(out,
                   "%sint32_t jr_entry_%" PRIu32
                   "(JrRt *rt, void *const *args, void *const *results)\n{\n",
                   em->options->ahead ? "static " : "", index);
    if (!func->nparams) jr_text_puts(out, "    (void)args;\n");
    if (!func->nrets) jr_text_puts(out, "    (void)results;\n");
    jr_text_printf(out, "    return %s(rt", jr_c_func_name(em, func, index));
    for (uint32_t i = 0; i < func->nparams; i++) {
        IrType type = ir_reg_type(func, i);
        if (type.ndim > 0)
            jr_text_printf(out, ", args[%" PRIu32 "]", i);
        else
            jr_text_printf(out, ", *(%s *)args[%" PRIu32 "]", jr_c_ctype(type.scalar), i);
    }
    for (uint32_t i = 0; i < func->nrets; i++)
        jr_text_printf(out, ", results[%" PRIu32 "]", i);
    jr_text_puts(out, ");\n}\n\n");
}

static void note_ranks(Fn *fn) {
    for (uint32_t i = 0; i < fn->func->regs.len; i++)
        fn->em->ranks[ir_reg_type(fn->func, i).ndim] = true;
}

static void write_head(Fn *fn, const char *body) {
    Emit *em = fn->em;
    JrText statements = fn->text;
    jr_text_init(&fn->text, em->arena);
    fn->indent = 1;
    fn->source_line = fn->line = 0;
    uint32_t frame = frame_size(fn);
    check_stack(fn, frame);
    if (fn->owns) jr_c_line(fn, "int32_t status = 0;");
    for (uint32_t i = 0; i < fn->func->regs.len; i++)
        declare(fn, i);
    if (fn->nwheres)
        jr_text_printf(&em->body, "static const JrWhere at%" PRIu32 "[] = {\n%s,\n};\n\n",
                       fn->index, fn->wheres.data);
    jr_text_printf(&em->body, "%s\n{\n", body);
    if (fn->text.data) jr_text_add(&em->body, fn->text.data, fn->text.len);
    if (statements.data) jr_text_add(&em->body, statements.data, statements.len);
}

void jr_c_function(Emit *em, const IrFunc *func, uint32_t index) {
    Fn fn = {.em = em, .func = func, .index = index, .indent = 1};
    fn.regs = JR_NEW_ARRAY(em->arena, RegUse, func->regs.len + 1);
    jr_text_init(&fn.text, em->arena);
    jr_text_init(&fn.wheres, em->arena);
    jr_c_count_uses(&fn);
    note_ranks(&fn);
    write_block(&fn, &func->body);
    fn.source_line = fn.line;
    write_end(&fn);
    write_head(&fn, jr_c_signature(em, func, index));
    if (em->entered[index]) write_entry(em, func, index);
    if (jr_c_has_pointer(em, index)) jr_c_pointer(em, func, index);
}

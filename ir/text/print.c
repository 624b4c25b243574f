/* The IR as text. ir/text/read.c reads it back; printing that again gives the same bytes.
 *
 *     file "k.src"
 *
 *     func dot(%x: float64[::1], %n: int64) -> float64 exported display "dot" @3:1-8 {
 *       var %s: float64
 *       var %a: owned float64[::1]
 *       %s = copy 0.0 @4:5-12
 *       for parallel %i = 0, %n, 1 @5:5-30 {
 *         %1 = load %x[%i] @6:14-18
 *         %s = add %s, %1 @6:9-18
 *       }
 *       return %s
 *     }
 *
 * Registers are %name, %name.1, %name.2 ... in the order in which they first appear, or %1, %2
 * where they have no name; names that are not identifiers are quoted. VARs are declared first,
 * a TEMP's type stands behind it where the operands do not tell it, `owned` before a type says
 * that the array register counts its reference. Constants stand where they are used.
 *
 * A function of the program's that is called stands before all others, with the places of the
 * program's own pointer and of arrays that it writes to:
 *
 *     host sample(user, float64, written float64[::1]) -> float64
 *
 * An index without a mark is checked and may be negative: [%i]. Marks take that away:
 * [%i+] checked, never negative; [%i-] not checked, may be negative; [%i!] neither.
 * The steps of a view stand in brackets: an index, range(start, length, step), or new. */
#include "ir/text/text.h"

#include <string.h>

typedef struct Printer {
    const IrFunc *func;
    JrText *out;
    const char **names; /* by register; NULL until it is first printed */
    JrTable used;       /* a base name: how many registers have it */
    uint32_t unnamed, depth;
} Printer;

enum { DEEPEST_INDENT = 40 };

static void print_block(Printer *p, const IrBlock *block);

/* ---- What the text leaves out ---- */

IrType ir_stmt_implied_type(const IrFunc *func, const IrStmt *stmt, uint32_t i) {
    static const IrScalar LETTERS[128] = {
        ['b'] = TY_BOOL,    ['i'] = TY_INT64,   ['u'] = TY_UINT64,
        ['f'] = TY_FLOAT32, ['d'] = TY_FLOAT64,
    };
    uint32_t from = 0;
    switch (ir_op_form(stmt->op)) {
    case FORM_CMP:
    case FORM_APART: return ir_scalar(TY_BOOL);
    case FORM_DIM:
    case FORM_FOR: return ir_scalar(TY_INT64);
    case FORM_RT: {
        const char *results = ir_rt_results(stmt->u.rt);
        return ir_scalar(i < strlen(results) ? LETTERS[results[i] & 127] : TY_NONE);
    }
    case FORM_LOAD:
        return ir_scalar(stmt->nargs ? ir_reg_type(func, stmt->args[0]).scalar : TY_NONE);
    case FORM_SELECT: from = 1; break;
    case FORM_BIN:
    case FORM_UN:
    case FORM_COPY:
    case FORM_MATH: break;
    default: return ir_scalar(TY_NONE);
    }
    IrType type =
        from < stmt->nargs ? ir_reg_type(func, stmt->args[from]) : ir_scalar(TY_NONE);
    return type.ndim ? ir_scalar(TY_NONE) : type;
}

const char *ir_index_mark(bool check, bool wrap) {
    static const char *const MARKS[] = {"!", "-", "+", ""};
    return MARKS[check * 2 + wrap];
}

/* ---- Names ---- */

static bool is_plain(const char *name) {
    if (*name >= '0' && *name <= '9') return false;
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        if (!letter && !(*c >= '0' && *c <= '9') && !((unsigned char)*c & 0x80)) return false;
    }
    /* inf and nan are numbers where a function's name may stand too */
    return *name != 0 && strcmp(name, "inf") != 0 && strcmp(name, "nan") != 0;
}

static void print_name(const char *name, JrText *out) {
    if (is_plain(name))
        jr_text_puts(out, name);
    else
        ir_string_print(name, strlen(name), out);
}

static const char *make_name(Printer *p, const char *base) {
    JrText text;
    jr_text_init(&text, p->out->arena);
    jr_text_puts(&text, "%");
    if (!base || !*base) {
        jr_text_printf(&text, "%u", ++p->unnamed);
        return text.data;
    }
    print_name(base, &text);
    uintptr_t count = (uintptr_t)jr_table_get(&p->used, base);
    jr_table_put(&p->used, base, (void *)(count + 1));
    if (count) jr_text_printf(&text, ".%u", (unsigned)count);
    return text.data;
}

static void print_reg(Printer *p, IrReg reg) {
    if (reg >= p->func->regs.len) {
        jr_text_puts(p->out, "%?");
        return;
    }
    const IrRegInfo *info = ir_reg(p->func, reg);
    if (info->kind == REG_CONST) {
        ir_literal_print(info->type.scalar, info->value, p->out);
        return;
    }
    if (!p->names[reg]) p->names[reg] = make_name(p, info->name);
    jr_text_puts(p->out, p->names[reg]);
}

static void print_regs(Printer *p, uint32_t n, const IrReg *regs) {
    for (uint32_t i = 0; i < n; i++) {
        if (i) jr_text_puts(p->out, ", ");
        print_reg(p, regs[i]);
    }
}

static void print_type(Printer *p, const IrRegInfo *info) {
    if (info->owned) jr_text_puts(p->out, "owned ");
    jr_text_puts(p->out, ir_type_name(info->type, p->out->arena));
}

static void print_typed_reg(Printer *p, IrReg reg) {
    print_reg(p, reg);
    jr_text_puts(p->out, ": ");
    print_type(p, ir_reg(p->func, reg));
}

static void print_span(Printer *p, JrSpan span) {
    if (span.line || span.col || span.end_col)
        jr_text_printf(p->out, " @%d:%d-%d", span.line, span.col, span.end_col);
}

/* ---- Statements ---- */

static void indent(Printer *p) {
    uint32_t depth = p->depth < DEEPEST_INDENT ? p->depth : DEEPEST_INDENT;
    while (depth--)
        jr_text_puts(p->out, "  ");
}

static void print_dsts(Printer *p, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->ndsts; i++) {
        const IrRegInfo *info = ir_reg(p->func, stmt->dsts[i]);
        bool implied = ir_type_same(info->type, ir_stmt_implied_type(p->func, stmt, i));
        if (i) jr_text_puts(p->out, ", ");
        if (info->kind == REG_TEMP && !implied)
            print_typed_reg(p, stmt->dsts[i]);
        else
            print_reg(p, stmt->dsts[i]);
    }
    if (stmt->ndsts) jr_text_puts(p->out, " = ");
}

static void print_index(Printer *p, const IrStmt *stmt, uint32_t arg, unsigned axis) {
    print_reg(p, stmt->args[arg]);
    bool check = stmt->u.mem.check >> axis & 1, wrap = stmt->u.mem.wrap >> axis & 1;
    jr_text_puts(p->out, ir_index_mark(check, wrap));
}

/* %x[%i, %j] */
static void print_element(Printer *p, const IrStmt *stmt, uint32_t end) {
    print_reg(p, stmt->args[0]);
    jr_text_puts(p->out, "[");
    for (uint32_t i = 1; i < end; i++) {
        if (i > 1) jr_text_puts(p->out, ", ");
        print_index(p, stmt, i, i - 1);
    }
    jr_text_puts(p->out, "]");
}

static void print_view(Printer *p, const IrStmt *stmt) {
    uint32_t arg = 1;
    unsigned axis = 0;
    print_reg(p, stmt->args[0]);
    jr_text_puts(p->out, "[");
    for (const char *step = stmt->u.mem.axes; *step; step++) {
        uint32_t takes = *step == 'r' ? 3 : *step == 'i';
        if (step != stmt->u.mem.axes) jr_text_puts(p->out, ", ");
        if (arg + takes > stmt->nargs) break; /* malformed: the verifier says so */
        if (*step == 'i') {
            print_index(p, stmt, arg, axis);
        } else if (*step == 'r') {
            jr_text_puts(p->out, "range(");
            print_regs(p, 3, stmt->args + arg);
            jr_text_puts(p->out, ")");
        } else {
            jr_text_puts(p->out, "new");
        }
        axis += *step != 'n';
        arg += takes;
    }
    jr_text_puts(p->out, "]");
}

static void print_call(Printer *p, const IrStmt *stmt) {
    print_name(stmt->u.callee->name, p->out);
    jr_text_puts(p->out, "(");
    print_regs(p, stmt->nargs, stmt->args);
    jr_text_puts(p->out, ")");
}

/* `op operands`, after the destinations. */
static void print_operation(Printer *p, const IrStmt *stmt) {
    jr_text_puts(p->out, ir_op_name(stmt->op));
    if (stmt->op == OP_MATH) jr_text_printf(p->out, ".%s", ir_math_name(stmt->u.math));
    if (stmt->op == OP_RT) jr_text_printf(p->out, ".%s", ir_rt_name(stmt->u.rt));
    if (stmt->op == OP_ALLOC && stmt->u.imm) jr_text_puts(p->out, " zeroed");
    if (stmt->op == OP_RAISE) jr_text_printf(p->out, " %s", ir_exc_name(stmt->u.exc));
    if (stmt->nargs || stmt->op == OP_CALL || stmt->op == OP_PARALLEL)
        jr_text_puts(p->out, " ");
    switch (ir_op_form(stmt->op)) {
    case FORM_LOAD: print_element(p, stmt, stmt->nargs); break;
    case FORM_STORE:
        if (!stmt->nargs) break;
        print_element(p, stmt, stmt->nargs - 1);
        jr_text_puts(p->out, " = ");
        print_reg(p, stmt->args[stmt->nargs - 1]);
        break;
    case FORM_VIEW: print_view(p, stmt); break;
    case FORM_CALL:
    case FORM_PARALLEL: print_call(p, stmt); break;
    case FORM_DIM:
        print_regs(p, stmt->nargs, stmt->args);
        jr_text_printf(p->out, ", %u", stmt->u.imm);
        break;
    default: print_regs(p, stmt->nargs, stmt->args);
    }
}

static void print_nested(Printer *p, const IrBlock *block) {
    jr_text_puts(p->out, " {\n");
    p->depth++;
    print_block(p, block);
    p->depth--;
    indent(p);
    jr_text_puts(p->out, "}");
}

static void print_for(Printer *p, const IrStmt *stmt) {
    jr_text_puts(p->out, "for ");
    if (stmt->parallel) jr_text_puts(p->out, "parallel ");
    if (stmt->asserted) jr_text_puts(p->out, "asserted ");
    if (stmt->weighed) jr_text_puts(p->out, "weighed ");
    if (stmt->pass) jr_text_puts(p->out, "pass ");
    if (stmt->jammed) jr_text_puts(p->out, "jammed ");
    if (stmt->leftover) jr_text_puts(p->out, "leftover ");
    if (stmt->strip) jr_text_printf(p->out, "strip %u ", (unsigned)stmt->strip);
    print_dsts(p, stmt);
    print_regs(p, stmt->nargs, stmt->args);
}

static void print_stmt(Printer *p, const IrStmt *stmt) {
    IrForm form = ir_op_form(stmt->op);
    indent(p);
    if (form == FORM_FOR) {
        print_for(p, stmt);
    } else {
        print_dsts(p, stmt);
        print_operation(p, stmt);
        if (form == FORM_LOOP && stmt->pass) jr_text_puts(p->out, " pass");
    }
    print_span(p, stmt->span);
    if (ir_stmt_is_nested(stmt)) {
        print_nested(p, &stmt->u.blocks.then);
        if (form == FORM_IF && stmt->u.blocks.els.first) {
            jr_text_puts(p->out, " else");
            print_nested(p, &stmt->u.blocks.els);
        }
    }
    jr_text_puts(p->out, "\n");
}

static void print_block(Printer *p, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        print_stmt(p, stmt);
}

/* ---- Functions ---- */

static void print_results(Printer *p) {
    const IrFunc *func = p->func;
    if (!func->nrets) return;
    jr_text_puts(p->out, func->nrets > 1 ? " -> (" : " -> ");
    for (uint32_t i = 0; i < func->nrets; i++) {
        if (i) jr_text_puts(p->out, ", ");
        jr_text_puts(p->out, ir_type_name(func->rets[i], p->out->arena));
    }
    if (func->nrets > 1) jr_text_puts(p->out, ")");
}

/* What ir_module_finish works out is not printed: the reader calls it. */
static void print_attributes(Printer *p) {
    const IrFunc *func = p->func;
    if (func->exported) jr_text_puts(p->out, " exported");
    if (func->parallel) jr_text_puts(p->out, " parallel");
    if (func->fastmath) jr_text_puts(p->out, " fastmath");
    if (func->inlined) jr_text_puts(p->out, " inlined");
    if (func->display && strcmp(func->display, func->name) != 0) {
        jr_text_puts(p->out, " display ");
        ir_string_print(func->display, strlen(func->display), p->out);
    }
    print_span(p, func->span);
}

void ir_print_func(const IrFunc *func, JrText *out) {
    Printer p = {.func = func, .out = out};
    p.names = JR_NEW_ARRAY(out->arena, const char *, func->regs.len);
    jr_table_init(&p.used, out->arena);
    jr_text_puts(out, "func ");
    print_name(func->name, out);
    jr_text_puts(out, "(");
    for (uint32_t i = 0; i < func->nparams; i++) {
        if (i) jr_text_puts(out, ", ");
        print_typed_reg(&p, i);
    }
    jr_text_puts(out, ")");
    print_results(&p);
    print_attributes(&p);
    jr_text_puts(out, " {\n");
    p.depth = 1;
    for (IrReg reg = func->nparams; reg < func->regs.len; reg++) {
        if (ir_reg(func, reg)->kind != REG_VAR) continue;
        jr_text_puts(out, "  var ");
        print_typed_reg(&p, reg);
        jr_text_puts(out, "\n");
    }
    print_block(&p, &func->body);
    jr_text_puts(out, "}\n");
}

static void print_host(const IrFunc *host, JrText *out) {
    uint32_t at = 0;
    jr_text_puts(out, "\nhost ");
    print_name(host->name, out);
    jr_text_puts(out, "(");
    for (uint32_t i = 0; i < host->nparams; i++) {
        if (host->user_at == ++at) jr_text_puts(out, at++ > 1 ? ", user" : "user");
        if (at > 1) jr_text_puts(out, ", ");
        if (ir_reg(host, i)->written) jr_text_puts(out, "written ");
        jr_text_puts(out, ir_type_name(ir_reg_type(host, i), out->arena));
    }
    if (host->user_at > at) jr_text_puts(out, at ? ", user" : "user");
    jr_text_puts(out, ")");
    for (uint32_t i = 0; i < host->nrets; i++)
        jr_text_printf(out, "%s%s",
                       i                 ? ", "
                       : host->nrets > 1 ? " -> ("
                                         : " -> ",
                       ir_type_name(host->rets[i], out->arena));
    if (host->nrets > 1) jr_text_puts(out, ")");
    jr_text_puts(out, "\n");
}

void ir_print_module(const IrModule *module, JrText *out) {
    jr_text_puts(out, "file ");
    ir_string_print(module->file, strlen(module->file), out);
    jr_text_puts(out, "\n");
    for (uint32_t i = 0; i < module->hosts.len; i++)
        print_host(module->hosts.data[i], out);
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        jr_text_puts(out, "\n");
        ir_print_func(module->funcs.data[i], out);
    }
}

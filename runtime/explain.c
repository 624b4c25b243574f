/* jr_module_explain: what became of the prange loops, and of statements over whole arrays. And how many threads run them. */
#include "ir/par/parallel.h"
#include "runtime/compile.h"

#include <string.h>

static const char *sign_of(IrOp op) {
    switch (op) {
    case OP_ADD: return "+";
    case OP_MUL: return "*";
    case OP_AND: return "&";
    case OP_OR: return "|";
    case OP_XOR: return "^";
    case OP_MIN: return "min";
    case OP_MAX: return "max";
    default: return "?";
    }
}

/* ---- Text ---- */

/* "    private: a, b" for all names of one kind. */
static void list_names(const IrLoopReport *loop, int kind, const char *title, JrText *out) {
    bool first = true;
    for (uint32_t i = 0; i < loop->names.len; i++) {
        const IrLoopName *name = &loop->names.data[i];
        if ((int)name->kind != kind) continue;
        if (first) jr_text_printf(out, "    %s: ", title);
        jr_text_printf(out, "%s%s", first ? "" : ", ", name->name);
        first = false;
        if (kind == LOOP_REDUCTION || kind == LOOP_COPIES)
            jr_text_printf(out, " (%s)", sign_of(name->op));
        if (kind == LOOP_POSITION) jr_text_printf(out, " (beside %s)", name->other);
        if (kind == LOOP_APART) jr_text_printf(out, " and %s", name->other);
    }
    if (!first) jr_text_puts(out, "\n");
}

static void explain_text(const JrModule *module, const IrLoopReport *loop, JrText *out) {
    jr_text_printf(out, "%s:%d:%d: prange in %s: ", module->source.name, loop->span.line,
                   loop->span.col, loop->func);
    if (!loop->parallel) {
        jr_text_printf(out, "serial: %s", loop->reason);
        if (loop->reason_at.line) jr_text_printf(out, " (line %d)", loop->reason_at.line);
        jr_text_puts(out, "\n");
        return;
    }
    jr_text_puts(out, "parallel\n");
    list_names(loop, LOOP_REDUCTION, "reductions", out);
    list_names(loop, LOOP_POSITION, "positions", out);
    list_names(loop, LOOP_COPIES, "arrays accumulated in copies", out);
    list_names(loop, LOOP_OWN, "arrays with elements of each iteration's own", out);
    list_names(loop, LOOP_PRIVATE, "private", out);
    list_names(loop, LOOP_TESTED, "tested at entry, iterations touch different elements", out);
    list_names(loop, LOOP_APART, "tested at entry, share no memory", out);
    list_names(loop, LOOP_DISTINCT, "tested at entry, every element has memory of its own",
               out);
    if (loop->indices)
        jr_text_printf(out, "    tested at entry, not negative: %u ind%s\n", loop->indices,
                       loop->indices == 1 ? "ex" : "ices");
}

static void whole_text(const JrModule *module, const IrWholeReport *whole, JrText *out) {
    jr_text_printf(out, "%s:%d:%d: whole arrays in %s: ", module->source.name,
                   whole->span.line, whole->span.col, whole->func);
    if (whole->parallel) jr_text_puts(out, "parallel where large");
    if (whole->reason)
        jr_text_printf(out, "%s: %s", whole->parallel ? "; in part serial" : "serial",
                       whole->reason);
    jr_text_puts(out, whole->parallel || whole->reason ? "\n" : "serial\n");
    if (whole->array)
        jr_text_printf(out, "    temporary array%s: %s\n",
                       whole->maybe ? ", if it turns out to be needed" : "", whole->array);
}

/* ---- JSON ---- */

static const char *const kinds[] = {
    [LOOP_REDUCTION] = "reduction", [LOOP_POSITION] = "position",
    [LOOP_PRIVATE] = "private",     [LOOP_OWN] = "own elements",
    [LOOP_COPIES] = "copies",       [LOOP_TESTED] = "tested elements",
    [LOOP_APART] = "tested apart",  [LOOP_DISTINCT] = "tested distinct",
};

static void name_json(const IrLoopName *name, JrText *out) {
    jr_text_puts(out, "{\"kind\": ");
    jr_text_json(out, kinds[name->kind]);
    jr_text_puts(out, ", \"name\": ");
    jr_text_json(out, name->name);
    if (name->kind == LOOP_REDUCTION || name->kind == LOOP_COPIES) {
        jr_text_puts(out, ", \"operator\": ");
        jr_text_json(out, sign_of(name->op));
    }
    if (name->other) {
        jr_text_puts(out, ", \"other\": ");
        jr_text_json(out, name->other);
    }
    jr_text_puts(out, "}");
}

static void explain_json(const JrModule *module, const IrLoopReport *loop, JrText *out) {
    jr_text_puts(out, "{\"file\": ");
    jr_text_json(out, module->source.name);
    jr_text_printf(out, ", \"line\": %d, \"column\": %d, \"function\": ", loop->span.line,
                   loop->span.col);
    jr_text_json(out, loop->func);
    jr_text_printf(out, ", \"parallel\": %s", loop->parallel ? "true" : "false");
    if (!loop->parallel) {
        jr_text_puts(out, ", \"reason\": ");
        jr_text_json(out, loop->reason);
        jr_text_printf(out, ", \"reason_line\": %d", loop->reason_at.line);
    }
    jr_text_printf(out, ", \"indices_tested\": %u, \"names\": [", loop->indices);
    for (uint32_t i = 0; i < loop->names.len; i++) {
        if (i) jr_text_puts(out, ", ");
        name_json(&loop->names.data[i], out);
    }
    jr_text_puts(out, "]}");
}

static void text_or_null(const char *text, JrText *out) {
    if (text)
        jr_text_json(out, text);
    else
        jr_text_puts(out, "null");
}

static void whole_json(const JrModule *module, const IrWholeReport *whole, JrText *out) {
    jr_text_puts(out, "{\"file\": ");
    jr_text_json(out, module->source.name);
    jr_text_printf(out, ", \"line\": %d, \"column\": %d, \"function\": ", whole->span.line,
                   whole->span.col);
    jr_text_json(out, whole->func);
    jr_text_printf(out,
                   ", \"parallel\": %s, \"reason\": ", whole->parallel ? "true" : "false");
    text_or_null(whole->reason, out);
    jr_text_puts(out, ", \"temporary\": ");
    jr_text_json(out, !whole->array ? "none" : whole->maybe ? "maybe" : "always");
    jr_text_puts(out, ", \"temporary_reason\": ");
    text_or_null(whole->array, out);
    jr_text_puts(out, "}");
}

/* ---- The interface ---- */

static void explain(const JrModule *module, JrReport kind, JrText *out) {
    const IrLoops *loops = module->ir ? module->ir->loops : NULL;
    bool json = kind == JR_REPORT_JSON;
    if (json) jr_text_puts(out, "{\"loops\": [");
    for (uint32_t i = 0; loops && i < loops->all.len; i++) {
        if (json && i) jr_text_puts(out, ", ");
        (json ? explain_json : explain_text)(module, loops->all.data[i], out);
    }
    if (json) jr_text_puts(out, "], \"whole_arrays\": [");
    for (uint32_t i = 0; loops && i < loops->wholes.len; i++) {
        if (json && i) jr_text_puts(out, ", ");
        (json ? whole_json : whole_text)(module, loops->wholes.data[i], out);
    }
    if (json) jr_text_puts(out, "]}\n");
}

static void explain_as_text(const void *of, JrText *out) {
    explain(of, JR_REPORT_TEXT, out);
}

static void explain_as_json(const void *of, JrText *out) {
    explain(of, JR_REPORT_JSON, out);
}

JrStatus jr_module_explain(JrModule *module, JrReport kind, JrWrite write, void *user) {
    jr_error_clear();
    if (!module || !write) return jr_error_set(JR_ERR_ARGUMENT, "module and write are needed");
    JrMakeText make = kind == JR_REPORT_JSON ? explain_as_json : explain_as_text;
    return jr_write_text("the explanation", make, module, module, write, user);
}

/* What becomes of statements over whole arrays, for `jitrun --check`: whether threads run them, and which
 * arrays are made on the way. Prange loops get their reports in ir/par/par_explain.c. */
#include "frontend/lower/lower.h"
#include "ir/par/parallel.h"

static bool is_before(JrSpan a, JrSpan b) {
    return a.line < b.line || (a.line == b.line && a.col < b.col);
}

/* The statement's report, which is made at the first note; NULL where nothing is to be parallel. */
static IrWholeReport *report_of(Lower *low) {
    if (!low->spec->func->options.parallel || low->spec->func->library) return NULL;
    JrArena *arena = low->ir->arena;
    if (!low->ir->loops) low->ir->loops = JR_NEW(arena, IrLoops);
    IrLoops *loops = low->ir->loops;
    uint32_t at = loops->wholes.len;
    for (uint32_t i = 0; i < loops->wholes.len; i++) {
        IrWholeReport *known = loops->wholes.data[i];
        if (known->span.line == low->statement.line && known->span.col == low->statement.col &&
            known->func == low->func->name)
            return known;
    }
    IrWholeReport *report = JR_NEW(arena, IrWholeReport);
    *report = (IrWholeReport){.span = low->statement, .func = low->func->name};
    JR_PUSH(arena, &loops->wholes, report);
    for (; at > 0 && is_before(report->span, loops->wholes.data[at - 1]->span); at--)
        loops->wholes.data[at] = loops->wholes.data[at - 1];
    return loops->wholes.data[at] = report;
}

void fe_note_serial(Lower *low, const char *reason) {
    IrWholeReport *report = report_of(low);
    if (report && !report->reason) report->reason = reason;
}

bool fe_note_spread(Lower *low) {
    IrWholeReport *report = report_of(low);
    bool spreads = fe_spreads(low);
    if (spreads && report)
        report->parallel = true;
    else
        fe_note_serial(low, "it is in a prange loop, whose iterations are what is parallel");
    return spreads;
}

void fe_note_array(Lower *low, const char *reason, bool maybe) {
    IrWholeReport *report = report_of(low);
    if (!report || (report->array && !report->maybe)) return;
    report->array = reason;
    report->maybe = maybe;
}

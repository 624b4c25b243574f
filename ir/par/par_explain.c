/* What was found out about a parallel loop, for people: `jitrun --check`. */
#include "ir/par/par.h"

#include <stdlib.h>

static const char *name_of(const ParLoop *p, IrReg reg) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    return info->name ? info->name : "an unnamed array";
}

static void add(const ParLoop *p, IrLoopReport *report, IrLoopName name) {
    for (uint32_t i = 0; i < report->names.len; i++) {
        const IrLoopName *known = &report->names.data[i];
        if (known->kind == name.kind && known->name == name.name && known->other == name.other)
            return;
    }
    JR_PUSH(p->arena, &report->names, name);
}

static void add_vars(const ParLoop *p, IrLoopReport *report) {
    for (uint32_t i = 0; i < p->vars.len; i++) {
        const ParVar *var = &p->vars.data[i];
        IrLoopName name = {.name = ir_reg(p->func, var->reg)->name, .op = var->op};
        if (!name.name || var->role == PAR_CAPTURE || var->role == PAR_BAD) continue;
        name.kind = var->role == PAR_REDUCE   ? LOOP_REDUCTION
                    : var->role == PAR_FOLLOW ? LOOP_POSITION
                                              : LOOP_PRIVATE;
        if (var->role == PAR_FOLLOW) name.other = name_of(p, var->leader);
        add(p, report, name);
    }
}

static void add_arrays(const ParLoop *p, IrLoopReport *report) {
    for (uint32_t i = 0; i < p->indexed.len; i++)
        add(p, report,
            (IrLoopName){.kind = LOOP_COPIES,
                         .name = name_of(p, p->indexed.data[i].array),
                         .op = p->indexed.data[i].update.op});
    for (uint32_t i = 0; i < p->own.len; i++)
        add(p, report, (IrLoopName){.kind = LOOP_OWN, .name = name_of(p, p->own.data[i])});
    for (uint32_t i = 0; i < p->tested.len; i++)
        add(p, report,
            (IrLoopName){.kind = LOOP_TESTED, .name = name_of(p, p->tested.data[i])});
    for (uint32_t i = 0; i + 1 < p->overlap.len; i += 2)
        add(p, report,
            (IrLoopName){.kind = LOOP_APART,
                         .name = name_of(p, p->overlap.data[i]),
                         .other = name_of(p, p->overlap.data[i + 1])});
    for (uint32_t i = 0; i < p->distinct.len; i++)
        add(p, report,
            (IrLoopName){.kind = LOOP_DISTINCT, .name = name_of(p, p->distinct.data[i])});
}

static bool comes_before(JrSpan a, JrSpan b) {
    return a.line < b.line || (a.line == b.line && a.col < b.col);
}

void ir_par_explain(const ParLoop *p) {
    IrModule *module = p->func->module;
    IrLoopReport *report = JR_NEW(p->arena, IrLoopReport);
    if (!module->loops) module->loops = JR_NEW(p->arena, IrLoops);
    *report = (IrLoopReport){.span = p->loop->span,
                             .func = p->func->name,
                             .parallel = !p->serial,
                             .reason = p->serial,
                             .indices = p->not_negative.len};
    if (p->serial_at) report->reason_at = p->serial_at->span;
    if (!p->serial) {
        add_vars(p, report);
        add_arrays(p, report);
    }
    JR_PUSH(p->arena, &module->loops->all, report);
    for (uint32_t i = module->loops->all.len - 1; i > 0; i--) {
        IrLoopReport **two = module->loops->all.data + i - 1;
        if (!comes_before(two[1]->span, two[0]->span)) break;
        IrLoopReport *later = two[0];
        two[0] = two[1];
        two[1] = later;
    }
}

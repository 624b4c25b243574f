/* Parallel loops: prange in functions compiled with parallel=True. */
#ifndef JR_IR_PARALLEL_H
#define JR_IR_PARALLEL_H

#include "ir/ir.h"

/* What a parallel loop was found to do with one of its names. */
typedef struct IrLoopName {
    enum {
        LOOP_REDUCTION, /* accumulated with `op` */
        LOOP_POSITION,  /* set beside the minimum or maximum `other` */
        LOOP_PRIVATE,   /* each iteration has its own */
        LOOP_OWN,       /* array: iterations write different elements */
        LOOP_COPIES,    /* array: elements are accumulated with `op`, in copies */
        LOOP_APART,     /* tested at entry: `name` and `other` share no memory */
        LOOP_DISTINCT,  /* tested at entry: the elements of `name` share no memory */
    } kind;
    const char *name, *other;
    IrOp op;
} IrLoopName;

typedef struct IrLoopReport {
    JrSpan span;
    const char *func; /* as specialised */
    bool parallel;
    const char *reason; /* why not */
    JrSpan reason_at;
    uint32_t indices; /* tested at entry not to be negative */
    JR_VEC(IrLoopName) names;
} IrLoopReport;

/* In the order of the source. */
typedef struct IrLoops {
    JR_VEC(IrLoopReport *) all;
} IrLoops;

/* Turns every outermost FOR marked `parallel` into a PARALLEL region with a body function of
 * its own, after showing that its iterations can run in any order. A loop that cannot be shown
 * safe is an error if it is known to be wrong, and stays serial, with a warning where the
 * author can do something about it, if it is not known. Works on a folded module; call
 * ir_module_finish after it. Errors and warnings go to diags; module->loops says what was
 * found. */
void ir_parallelise(IrModule *module, JrDiags *diags);

#endif

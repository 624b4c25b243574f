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
        LOOP_TESTED,    /* tested at entry: iterations touch different elements of `name` */
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

/* What becomes of a statement over whole arrays in a function with parallel=True. */
typedef struct IrWholeReport {
    JrSpan span;
    const char *func;
    bool parallel;      /* some loop of it, where it is large enough */
    const char *reason; /* why some loop of it is serial, or NULL */
    const char *array;  /* why an array is made on the way, or NULL */
    bool maybe;         /* and whether that is decided when it runs */
} IrWholeReport;

/* In the order of the source. */
typedef struct IrLoops {
    JR_VEC(IrLoopReport *) all;
    JR_VEC(IrWholeReport *) wholes;
} IrLoops;

/* Turns every outermost FOR marked `parallel` into a PARALLEL region with a body function of
 * its own, after showing that its iterations can run in any order. A loop that cannot be shown
 * safe is an error if it is known to be wrong, and stays serial, with a warning where the
 * author can do something about it, if it is not known. Works on a folded module; call
 * ir_module_finish after it. Errors and warnings go to diags; module->loops says what was
 * found. With `watch` every loop stays serial and marked `parallel`, for ir_watch_races. */
void ir_parallelise(IrModule *module, JrDiags *diags, bool watch);

/* The last number of RT_RACE_TOUCH: how the element is accessed, and where the source's text of it
 * ends. */
typedef enum IrWatched {
    WATCHED_READ,
    WATCHED_WRITE,
    WATCHED_UPDATE, /* a[i] op= e, accumulated; something is added that tells operators apart */
} IrWatched;
enum { WATCHED_BITS = 8 }; /* the access's, below the end column */

/* Makes each loop marked `parallel` tell the runtime which iteration touches which element of an
 * array, in its body and in all that this calls: for --check-races. Nothing is made when there are
 * no such loops. */
void ir_watch_races(IrModule *module);

#endif

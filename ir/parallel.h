/* Parallel loops: prange in functions compiled with parallel=True. */
#ifndef JR_IR_PARALLEL_H
#define JR_IR_PARALLEL_H

#include "ir/ir.h"

/* Turns every outermost FOR marked `parallel` into a PARALLEL region with a body function of
 * its own, after showing that its iterations can run in any order. A loop that cannot be shown
 * safe is an error if it is known to be wrong, and stays serial, with a warning where the
 * author can do something about it, if it is not known. Works on a folded module; call
 * ir_module_finish after it. Errors and warnings go to diags. */
void ir_parallelise(IrModule *module, JrDiags *diags);

#endif

/* Loops of a few rounds, round after round. */
#ifndef JR_IR_UNROLL_H
#define JR_IR_UNROLL_H

#include "ir/ir.h"

/* Writes `for k in range(3)` over a few statements as these three times, so that a loop around it is
 * the innermost one. Fold afterwards, if it says that there was one. After ir_parallelise, before
 * ir_jam_module. */
bool ir_unroll_module(IrModule *module);

#endif

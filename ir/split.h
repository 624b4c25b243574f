/* Variables that stand for one value after another. */
#ifndef JR_IR_SPLIT_H
#define JR_IR_SPLIT_H

#include "ir/ir.h"

/* Gives each value but the last that a variable has in an iteration of an innermost counted loop a register
 * of its own. After ir_unroll_module. */
void ir_split_module(IrModule *module);

#endif

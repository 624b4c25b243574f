/* Cancelling: where a kernel looks whether it is to stop. */
#ifndef JR_IR_POLL_H
#define JR_IR_POLL_H

#include "ir/ir.h"

/* Puts a look at the cancel flag (ir/rt.h) into every loop that may run for long, so that some ten
 * thousand statements at most run between two of them. Call ir_module_finish after it. */
void ir_poll_module(IrModule *module);

#endif

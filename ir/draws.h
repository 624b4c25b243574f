/* Random numbers in the iterations of prange loops, drawn without calling the runtime. */
#ifndef JR_IR_DRAWS_H
#define JR_IR_DRAWS_H

#include "ir/ir.h"

/* Replaces the calls of loops that draw floats by the generator itself, for engines that make machine
 * code: an interpreter is quicker to call. The numbers are the same. Before ir_poll_module. */
void ir_draw_inline(IrModule *module);

#endif

/* Unroll-and-jam: several iterations of a loop side by side in the loops inside it. */
#ifndef JR_IR_JAM_H
#define JR_IR_JAM_H

#include "ir/ir.h"

/* A loop that is marked `jammed` is over in moments, and each array that it stores to lies apart from all
 * others that it touches. One that is `leftover` runs the few iterations that are left, or where that
 * is not so, and has no gain from vectors: engines need not make it quick. */

/* Rewrites nests of loops that gain by it, for engines whose code then keeps more in registers. What
 * they compute stays the same, in the same order for each variable and each element, and so does what
 * happened before an error. After ir_parallelise, before ir_poll_module. */
void ir_jam_module(IrModule *module);

#endif

/* How much work a function is, as far as the text tells. */
#ifndef JR_IR_COST_H
#define JR_IR_COST_H

#include "ir/ir.h"

/* Whether one call of the function executes at most `limit` statements, callees included, as far
 * as constant trip counts show: false for a loop of unknown length or recursion. A runtime call
 * counts as some, an array made as its elements. Takes time in proportion to `limit` at most. */
bool ir_cost_within(const IrFunc *func, uint64_t limit);

/* Whether a run of the function looks whether to stop (ir/poll.h) within some ten microseconds of
 * its beginning, or is over by then, as long as no array that it is passed or makes is large. It
 * then calls nothing that may wait for others either: no print, no host function, no threads. */
bool ir_looks_soon(const IrFunc *func);

#endif

/* Whether a run can be given up and begun again. */
#ifndef JR_IR_RESTART_H
#define JR_IR_RESTART_H

#include "ir/ir.h"

/* Whether a run of the function on one thread changes nothing outside but what it prints and the elements of
 * arrays it is passed: it calls no host function, starts no parallel loop and draws no random
 * numbers, callees included. Takes time in proportion to the module. */
bool ir_can_restart(const IrFunc *func);

#endif

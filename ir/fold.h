#ifndef JR_IR_FOLD_H
#define JR_IR_FOLD_H

#include "ir/ir.h"

/* The value of a scalar operation on constants: op, and for MATH fn, from operands of type
 * `from` to a result of type `to`. False if it must happen at run time: it traps, or is no
 * such operation. The result is to be wrapped to its type (ir_const does). */
bool ir_fold_eval(IrOp op, IrMath fn, IrScalar from, IrScalar to, const IrConst *args,
                  IrConst *out);

#endif

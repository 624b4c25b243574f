/* Between the two halves of the verifier: verify.c walks functions and follows control flow,
 * verify_types.c checks one statement's operands. */
#ifndef JR_IR_VERIFY_H
#define JR_IR_VERIFY_H

#include "ir/ir.h"

typedef struct IrVerifier {
    JrArena *arena;
    const IrModule *module;
    const IrFunc *func;
    const IrStmt *stmt;  /* the one being looked at, for the message */
    const char *why;     /* the first rule broken; NULL while all is well */
    bool *defined;       /* by register: a TEMP whose definition was seen */
    bool *live;          /* a TEMP that may be used here */
    JR_VEC(IrReg) scope; /* the live ones, innermost last */
    bool *broken; /* the innermost loop has a break that can be reached; NULL outside loops */
} IrVerifier;

/* Notes a broken rule, unless one was noted before. Always false. */
bool ir_verify_fail(IrVerifier *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether registers of this kind can have the type. */
bool ir_verify_type(IrType type, bool constant);

/* The number, types and ownership of the operands. Registers are in range. */
bool ir_verify_operands(IrVerifier *v, const IrStmt *stmt);

#endif

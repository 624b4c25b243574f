/* What reads the IR's text, in two files: parse.c modules and functions, parse_stmt.c what is in
 * their bodies. */
#ifndef JR_IR_PARSE_H
#define JR_IR_PARSE_H

#include "ir/text/lex.h"

/* A destination of the statement being read, before its register is made. */
typedef struct IrReaderDst {
    IrToken token; /* the register */
    IrType type;   /* none: implied */
    bool owned;
} IrReaderDst;

typedef struct IrReader {
    IrLexer lex;
    JrArena *arena;
    IrModule *module;
    IrFunc *func;
    JrTable regs; /* by their spelling, as index + 1 */
    JR_VEC(IrReaderDst) dsts;
    JR_VEC(IrReg) args;
    uint32_t depth;
} IrReader;

/* ---- parse_stmt.c ---- */

/* `float64[:]` or `owned float64[:]` */
IrType ir_parse_type(IrReader *r, bool *owned);
/* A function's name, bare or in quotes; or NULL after an error. */
const char *ir_parse_name(IrReader *r);
/* Takes a register that is new to the function; bind says which one the spelling means from now on. */
IrToken ir_parse_new_reg(IrReader *r);
void ir_parse_bind(IrReader *r, const IrToken *token, IrReg reg);
/* Statements up to the `}` that ends the block. */
void ir_parse_block(IrReader *r, IrBlock *block);
void ir_parse_line_end(IrReader *r);

#endif

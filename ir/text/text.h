/* What the printer and the reader of the IR's text share. */
#ifndef JR_IR_TEXT_H
#define JR_IR_TEXT_H

#include "ir/ir.h"

/* The type that destination i of stmt has when the text does not give one: it follows from the
 * operands. IR_NONE where it does not, and for every array, whose ownership must be said. */
IrType ir_stmt_implied_type(const IrFunc *func, const IrStmt *stmt, uint32_t i);

/* The marks on a checked index, by its check and wrap bits: "" for both. */
const char *ir_index_mark(bool check, bool wrap);

/* A constant as text: 5, 0.5, true, "text", 5:uint8, nan(0x7ff8000000000001). */
void ir_literal_print(IrScalar scalar, IrConst value, JrText *out);
void ir_string_print(const char *bytes, size_t len, JrText *out);

/* Reads the text of a number (digits, inf, nan) as a value of the type: NULL, or what is
 * wrong. */
const char *ir_literal_parse(const char *text, size_t len, IrScalar scalar, IrConst *value);
/* Undoes the escapes between the quotes; false for a bad one. *out has room for len bytes. */
bool ir_string_parse(const char *text, size_t len, char *out, uint32_t *out_len);

/* The module's text, no more: it may break the verifier's rules. For ir_read_module. */
IrModule *ir_parse_module(JrArena *arena, const JrSource *source, JrDiags *diags);

#endif

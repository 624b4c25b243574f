/* Shared by the lowering's files (lower*.c), by nobody else: from the typed tree to the IR.
 *
 * An expression becomes a Value: one register for a scalar or an array, a list of Values for a
 * tuple, nothing for None, or a constant that has not met a type yet (scalar_as gives it a
 * register of the type its user wants). A name's Value is the variable's own register: nothing
 * in an expression can assign, so no copy is needed. What outlives an expression (the right
 * side of a swap, the array a for loop walks) is copied or pinned by whoever keeps it.
 *
 * Borrowed arrays. VIEW and its like borrow from the register they were made of. Assignment to
 * a variable counts a reference, so a borrow is dangerous only where a variable can be
 * assigned between its making and its last use: tuple assignment and loops. Those call
 * value_pinned. */
#ifndef JR_FRONTEND_LOWER_H
#define JR_FRONTEND_LOWER_H

#include "frontend/sema.h"

typedef struct Value Value;
struct Value {
    const FeType *type;
    const FeConst *constant; /* scalars: known, and not in a register yet */
    IrReg reg;               /* scalars that are not constants, and arrays */
    Value *items;            /* tuples: type->count of them */
};

/* What the scan (lower_scan.c) and the statements know about a variable. */
typedef struct VarInfo {
    Value slot; /* its registers; for a loop variable that needs none, the counter */
    bool has_slot;
    bool escapes;    /* assigned otherwise than by `for`, or read outside those loops */
    bool written;    /* params: needs a variable besides the parameter */
    uint32_t active; /* loops over it that enclose the place being scanned */
} VarInfo;

/* What is kept per specialisation. */
typedef struct SpecInfo {
    bool draws; /* it, or what it calls, uses the random streams */
} SpecInfo;

/* A loop of the user's that encloses the statement being lowered. */
typedef struct LoopScope {
    struct LoopScope *outer;
    IrReg completed; /* bool VAR: no break happened; IR_NO_REG when there is no else to run */
    bool stream;     /* each iteration draws from its own stream: leave it before `continue` */
} LoopScope;

typedef struct Lower {
    FeModule *module;
    JrArena *arena;
    IrModule *ir;
    FeSpec *spec;
    IrFunc *func;
    IrBuilder b;
    LoopScope *loop;
    JrTable spec_infos; /* SpecInfo by the specialisation's name */
} Lower;

/* A call of a builtin: its arguments are in the order of its signature (FeNode.args), and
 * `want` is an owned array register the result may be built in, or IR_NO_REG. */
typedef struct Call {
    const AstExpr *expr;
    const FeNode *node;
    IrReg want;
} Call;

/* ---- lower_scan.c ---- */
void scan_module(Lower *low);
bool block_draws(Lower *low, const AstBlock *block);
bool block_breaks(const AstBlock *block); /* a break for the loop whose body this is */
bool spec_draws(Lower *low, const FeSpec *spec);
FeVar *var_of(Lower *low, const AstExpr *name);
VarInfo *var_info(Lower *low, FeVar *var);

/* ---- lower_value.c ---- */
const FeNode *node_of(Lower *low, const AstExpr *expr);
const FeType *type_of(Lower *low, const AstExpr *expr);
Value value_none(Lower *low);
Value value_reg(const FeType *type, IrReg reg);
Value value_ir(Lower *low, IrReg reg); /* with the type of the register */
Value value_const(const FeType *type, const FeConst *constant);
Value value_tuple(Lower *low, uint32_t count, const Value *items);
Value value_int(Lower *low, int64_t number); /* an int64 constant */
bool value_is_string(Value value);
IrScalar value_scalar(Lower *low, Value value); /* the strong scalar type it has */
IrReg scalar_as(Lower *low, Value value, IrScalar to);
IrReg scalar_reg(Lower *low, Value value); /* in its own strong type */
IrReg index_reg(Lower *low, Value value);  /* int64; a uint64 too large stays too large */
IrReg truth_reg(Lower *low, Value value);
Value value_converted(Lower *low, Value value, const FeType *to);
uint32_t type_leaves(const FeType *type);
uint32_t value_flatten(Lower *low, Value value, IrReg *out); /* registers; returns how many */
Value value_unflatten(Lower *low, const FeType *type, const IrReg **regs);
/* Storage of VARs for a type, and assignment to it (of a value already converted). */
Value slot_new(Lower *low, const FeType *type, const char *name);
void slot_assign(Lower *low, Value slot, Value value);
Value value_pinned(Lower *low, Value value);
IrReg array_pinned(Lower *low, IrReg array);
IrReg array_root(Lower *low, IrReg array);
IrReg array_owned_temp(Lower *low, IrType type);

/* Builders of int64 arithmetic that fold constants as they go. */
bool const_int(Lower *low, IrReg reg, int64_t *out);
IrReg int_const(Lower *low, int64_t number);
IrReg int_binary(Lower *low, IrOp op, IrReg a, IrReg b);
IrReg int_compare(Lower *low, IrOp op, IrReg a, IrReg b);
IrReg int_select(Lower *low, IrReg cond, IrReg a, IrReg b);
bool reg_nonnegative(Lower *low, IrReg reg, int depth);
IrReg bool_const(Lower *low, bool value);

/* Blocks built aside and placed later. */
IrBlock *block_swap(Lower *low, IrBlock *block); /* returns the one that was current */
void block_splice(IrBlock *into, const IrBlock *from);
bool block_is_cheap(Lower *low, const IrBlock *block);
bool block_ends(const IrBlock *block); /* control does not reach its end */
void raise_if(Lower *low, IrReg cond, IrExc exc, const char *message);

/* ---- lower_expr.c ---- */
Value lower_expr(Lower *low, const AstExpr *expr);
Value lower_expr_into(Lower *low, const AstExpr *expr, IrReg want);
IrReg lower_cond(Lower *low, const AstExpr *expr);
IrReg lower_index(Lower *low, const AstExpr *expr);
IrReg lower_as(Lower *low, const AstExpr *expr, IrScalar to);
Value lower_arith(Lower *low, AstOp op, Value a, Value b, const FeOperation *operation);
Value lower_compare_pair(Lower *low, AstOp op, Value a, Value b, const FeOperation *operation);
IrReg lower_unary_op(Lower *low, AstOp op, Value a, const FeOperation *operation);
IrReg invert(Lower *low, IrReg cond); /* not cond */

/* ---- lower_stmt.c ---- */
void lower_block(Lower *low, const AstBlock *block);
void lower_stmt(Lower *low, const AstStmt *stmt);
void assign_target(Lower *low, const AstExpr *target, Value value);
/* The same for a `for` target: a variable that does not escape is bound, not copied. */
void bind_target(Lower *low, const AstExpr *target, Value value);
Value var_slot(Lower *low, FeVar *var);

/* ---- lower_loop.c ---- */
void lower_while(Lower *low, const AstStmt *stmt);
void lower_for(Lower *low, const AstStmt *stmt);
/* A counted loop over [0, n) that the compiler adds; ends with loop_end. */
IrBlock *loop_begin(Lower *low, IrReg n, IrReg *counter);
void loop_end(Lower *low, IrBlock *outer);
IrReg range_length(Lower *low, IrReg lo, IrReg hi, IrReg step);

/* ---- lower_call.c ---- */
/* A builtin's arguments, in the order of its signature. */
const AstExpr *call_arg(const Call *call, uint32_t i); /* NULL when left out */
bool call_has(const Call *call, uint32_t i);           /* given, or a default filled in */
Value call_value(Lower *low, const Call *call, uint32_t i);
IrReg call_scalar(Lower *low, const Call *call, uint32_t i, IrScalar to);
/* Whatever `want` says, it is not used for an expression other than a call. */
Value lower_call(Lower *low, const AstExpr *expr, IrReg want);
Value call_rt(Lower *low, const Call *call, IrRtCall rt);
Value build_rt(Lower *low, IrRtCall rt, uint32_t n, const IrReg *args);

/* ---- lower_builtin.c, lower_array.c, lower_print.c ---- */
Value lower_scalar_builtin(Lower *low, const Call *call);
Value lower_print(Lower *low, const Call *call);
Value lower_make(Lower *low, const Call *call);   /* BK_MAKE */
Value lower_method(Lower *low, const Call *call); /* BK_METHOD */
Value lower_random(Lower *low, const Call *call); /* BK_RANDOM */
Value lower_attr(Lower *low, const AstExpr *expr);
/* array[...] = value, a scalar or an array that broadcasts to it. */
void array_assign(Lower *low, IrReg array, Value value);

/* ---- lower_slice.c ---- */
/* An evaluated subscript: the parts of a[...], so that += evaluates them once. */
typedef struct Subscript {
    IrReg array;
    uint32_t n; /* operands after the array: indices, or those of VIEW's axes */
    IrReg operands[3 * IR_MAX_DIMS];
    char axes[2 * IR_MAX_DIMS + 1];
    bool element;       /* only indices, one for each axis: LOAD and STORE */
    const FeType *type; /* of the result */
} Subscript;
Value lower_subscript(Lower *low, const AstExpr *expr);
Subscript subscript_eval(Lower *low, const AstExpr *expr);
Value subscript_get(Lower *low, const Subscript *sub);
Value subscript_get_unchecked(Lower *low,
                              const Subscript *sub); /* indices known to be right */
void subscript_set(Lower *low, const Subscript *sub, Value value, bool checked);
Value tuple_item(Lower *low, Value tuple, IrReg index, const FeType *type);

#endif

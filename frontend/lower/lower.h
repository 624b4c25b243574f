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
 * fe_value_pinned. */
#ifndef JR_FRONTEND_LOWER_H
#define JR_FRONTEND_LOWER_H

#include "frontend/infer/sema.h"

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
    bool shared;     /* arrays: assigned from something else than what makes a new array */
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
    bool parallel;   /* a prange loop that may run on threads */
} LoopScope;

typedef struct Lower {
    FeModule *module;
    JrArena *arena;
    IrModule *ir;
    FeSpec *spec;
    IrFunc *func;
    IrBuilder b;
    LoopScope *loop;
    JrSpan statement;   /* of the source, the one being lowered */
    JrTable spec_infos; /* SpecInfo by the specialisation's name */
} Lower;

/* A call of a builtin: its arguments are in the order of its signature (FeNode.args), and
 * `want` is an owned array register the result may be built in, or IR_NO_REG. */
typedef struct Call {
    const AstExpr *expr;
    const FeNode *node;
    IrReg want;
    const Value *given; /* the arguments, where they are evaluated already; or NULL */
} Call;

/* ---- lower_scan.c ---- */
void fe_scan_module(Lower *low);
bool fe_block_draws(Lower *low, const AstBlock *block);
bool fe_block_breaks(const AstBlock *block); /* a break for the loop whose body this is */
FeVar *fe_var_of(Lower *low, const AstExpr *name);
VarInfo *fe_var_info(Lower *low, FeVar *var);

/* ---- lower_value.c ---- */
const FeNode *fe_node_of(Lower *low, const AstExpr *expr);
const FeType *fe_type_of(Lower *low, const AstExpr *expr);
Value fe_value_none(Lower *low);
Value fe_value_reg(const FeType *type, IrReg reg);
Value fe_value_ir(Lower *low, IrReg reg); /* with the type of the register */
Value fe_value_const(Lower *low, const FeType *type, const FeConst *constant);
Value fe_value_tuple(Lower *low, uint32_t count, const Value *items);
Value fe_value_int(Lower *low, int64_t number); /* an int64 constant */
bool fe_value_is_string(Value value);
IrScalar fe_value_scalar(Lower *low, Value value); /* the strong scalar type it has */
IrReg fe_scalar_as(Lower *low, Value value, IrScalar to);
IrReg fe_scalar_reg(Lower *low, Value value); /* in its own strong type */
IrReg fe_index_reg(Lower *low, Value value);  /* int64; a uint64 too large stays too large */
IrReg fe_truth_reg(Lower *low, Value value);
Value fe_value_converted(Lower *low, Value value, const FeType *to);
uint32_t fe_type_leaves(const FeType *type);
uint32_t fe_value_flatten(Lower *low, Value value,
                          IrReg *out); /* registers; returns how many */
Value fe_value_unflatten(Lower *low, const FeType *type, const IrReg **regs);
/* Storage of VARs for a type, and assignment to it (of a value already converted). */
Value fe_slot_new(Lower *low, const FeType *type, const char *name);
void fe_slot_assign(Lower *low, Value slot, Value value);
void fe_slot_take(Lower *low, Value slot, Value value);
Value fe_value_pinned(Lower *low, Value value);
IrReg fe_array_root(Lower *low, IrReg array);
IrReg fe_array_owned_temp(Lower *low, IrType type);

/* Builders of int64 arithmetic that fold constants as they go. */
bool fe_known_int(Lower *low, IrReg reg, int64_t *out);
IrReg fe_int_const(Lower *low, int64_t number);
IrReg fe_int_binary(Lower *low, IrOp op, IrReg a, IrReg b);
IrReg fe_int_compare(Lower *low, IrOp op, IrReg a, IrReg b);
IrReg fe_int_select(Lower *low, IrReg cond, IrReg a, IrReg b);
bool fe_reg_nonnegative(Lower *low, IrReg reg, int depth);
IrReg fe_bool_const(Lower *low, bool value);

/* Blocks built aside and placed later. */
IrBlock *fe_block_swap(Lower *low, IrBlock *block); /* returns the one that was current */
void fe_block_splice(IrBlock *into, const IrBlock *from);
bool fe_block_is_cheap(Lower *low, const IrBlock *block);
bool fe_block_ends(const IrBlock *block); /* control does not reach its end */
void fe_raise_if(Lower *low, IrReg cond, IrExc exc, const char *message);

/* ---- lower_expr.c ---- */
Value fe_lower_expr(Lower *low, const AstExpr *expr);
Value fe_lower_expr_into(Lower *low, const AstExpr *expr, IrReg want);
/* The calls, and assignments by :=, in an expression whose value is known without them. */
void fe_lower_effects(Lower *low, const AstExpr *expr);
IrReg fe_lower_cond(Lower *low, const AstExpr *expr);
IrReg fe_lower_index(Lower *low, const AstExpr *expr);
IrReg fe_lower_as(Lower *low, const AstExpr *expr, IrScalar to);
Value fe_lower_arith(Lower *low, AstOp op, Value a, Value b, const FeOperation *operation);
Value fe_lower_compare_pair(Lower *low, AstOp op, Value a, Value b,
                            const FeOperation *operation);
IrReg fe_lower_unary_op(Lower *low, AstOp op, Value a, const FeOperation *operation);
IrReg fe_invert(Lower *low, IrReg cond); /* not cond */
IrOp fe_arith_op(AstOp op);
/* ---- lower_builtin.c ---- */
/* The one of a and b that `op` (LT for a minimum) prefers; NumPy's two ways with NaN. */
IrReg fe_pick(Lower *low, IrOp op, bool keep_nan, IrReg a, IrReg b);

/* ---- lower_stmt.c ---- */
void fe_lower_block(Lower *low, const AstBlock *block);
/* Gives the target of a `for` its value: a variable that does not escape is bound, not copied.
 */
void fe_bind_target(Lower *low, const AstExpr *target, Value value);
Value fe_var_slot(Lower *low, FeVar *var);

/* ---- lower_loop.c ---- */
void fe_lower_while(Lower *low, const AstStmt *stmt);
void fe_lower_for(Lower *low, const AstStmt *stmt);
/* A counted loop over [0, n) that the compiler adds; ends with loop_end. */
IrBlock *fe_loop_begin(Lower *low, IrReg n, IrReg *counter);
IrBlock *fe_loop_range(Lower *low, IrReg lo, IrReg hi, IrReg *counter);
void fe_loop_end(Lower *low, IrBlock *outer);
Value fe_array_item(Lower *low, Value array, IrReg at); /* along its first axis; unchecked */
IrReg fe_range_length(Lower *low, IrReg lo, IrReg hi, IrReg step);

/* ---- lower_note.c: for people, what becomes of the current statement over whole arrays ---- */
bool fe_note_spread(Lower *low); /* on threads where fe_spreads says so, which it returns */
void fe_note_serial(Lower *low, const char *reason);
/* An array is made that is not the result; `maybe`: if the run finds that it has to be. */
void fe_note_array(Lower *low, const char *reason, bool maybe);

/* ---- lower_spread.c ---- */
/* Whether loops over whole arrays run on threads here, where that gains. */
bool fe_spreads(Lower *low);
/* A loop over parts of [0, n), of which threads run several at once. What it contains are
 * iterations from lo up to hi; they do not depend on each other, and write nothing but
 * elements of arrays and variables that only the part uses. */
typedef struct Spread {
    IrReg parts; /* how many; IR_NO_REG: one, which is all of [0, n), and there is no loop */
    IrReg span;  /* how long a part is */
    IrReg part, lo, hi;
} Spread;
/* Begins it, for iterations of so many statements each. Ends with fe_loop_end. */
Spread fe_spread(Lower *low, IrReg n, IrReg work);
/* The same in two steps: the first decides how many parts there are. */
Spread fe_spread_plan(Lower *low, IrReg n, IrReg work);
void fe_spread_begin(Lower *low, Spread *spread);
/* A loop over `parts` (a register), however they are made; returns its counter. */
IrReg fe_spread_parts(Lower *low, IrReg parts);
/* work, or 0 if elements of `array` that differ may be one memory: then one part is made. */
IrReg fe_spread_into(Lower *low, IrReg work, IrReg array);

/* ---- lower_call.c ---- */
/* A builtin's arguments, in the order of its signature. */
const AstExpr *fe_call_arg(const Call *call, uint32_t i); /* NULL when left out */
bool fe_call_has(const Call *call, uint32_t i);           /* given, or a default filled in */
Value fe_call_value(Lower *low, const Call *call, uint32_t i);
IrReg fe_call_scalar(Lower *low, const Call *call, uint32_t i, IrScalar to);
/* Whatever `want` says, it is not used for an expression other than a call. */
Value fe_lower_call(Lower *low, const AstExpr *expr, IrReg want);
Value fe_lower_host(Lower *low, const AstExpr *expr, const FeHost *host); /* lower_host.c */
Value fe_build_rt(Lower *low, IrRtCall rt, uint32_t n, const IrReg *args);

/* ---- lower_builtin.c, lower_array.c, lower_print.c ---- */
Value fe_lower_scalar_builtin(Lower *low, const Call *call);
Value fe_lower_print(Lower *low, const Call *call);
Value fe_lower_make(Lower *low, const Call *call);   /* BK_MAKE */
Value fe_lower_method(Lower *low, const Call *call); /* BK_METHOD */
Value fe_lower_random(Lower *low, const Call *call); /* BK_RANDOM */
Value fe_lower_attr(Lower *low, const AstExpr *expr);
/* Small parts of loops over arrays. */
unsigned fe_array_dims(Lower *low, IrReg array, IrReg *dims); /* returns how many */
IrReg fe_product(Lower *low, unsigned n, const IrReg *dims);
IrReg fe_array_load(Lower *low, IrReg array, unsigned n, const IrReg *index); /* unchecked */
void fe_array_store(Lower *low, IrReg array, unsigned n, const IrReg *index, IrReg value);
IrReg fe_array_stretched(Lower *low, IrReg array, IrType type, unsigned n, const IrReg *dims);
IrReg fe_array_reshaped(Lower *low, IrReg array, IrType type, unsigned n, const IrReg *dims);
/* array[...] = value, a scalar or an array that broadcasts to it. */
void fe_array_assign(Lower *low, IrReg array, Value value);

/* ---- lower_whole.c, lower_store.c, lower_reduce.c, lower_mask.c: whole arrays ---- */
/* An operation that acts on arrays element by element. */
bool fe_is_whole(Lower *low, const AstExpr *expr);
/* An expression whose value is an array of its own, which nothing else refers to. */
bool fe_makes_array(Lower *low, const AstExpr *expr);
Value fe_lower_whole(Lower *low, const AstExpr *expr, IrReg want);
void fe_whole_note_made(Lower *low,
                        const AstExpr *expr); /* if it makes an array that is then read */
void fe_lower_whole_assign(Lower *low, const AstExpr *target, const AstExpr *value);
/* target[...] = array[...], of the same shape, whatever their element types. */
void fe_store_array(Lower *low, IrReg target, IrReg array);
void fe_lower_whole_augmented(Lower *low, const AstStmt *stmt);
Value fe_lower_reduce(Lower *low, const Call *call); /* BK_REDUCE */
Value fe_lower_matmul(Lower *low, const AstExpr *expr, const AstExpr *left,
                      const AstExpr *right);
/* a[mask] */
bool fe_is_mask(Lower *low, const AstExpr *expr);
/* a[indices], or a[mask] that an array is assigned to: a call of the library. */
bool fe_is_gather(Lower *low, const AstExpr *expr);
Value fe_lower_gather(Lower *low, const AstExpr *expr);
void fe_lower_put(Lower *low, const AstExpr *target, Value value);
Value fe_lower_mask(Lower *low, const AstExpr *expr);
void fe_lower_mask_assign(Lower *low, const AstExpr *target, Value value);
void fe_lower_mask_augmented(Lower *low, const AstStmt *stmt);

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
Value fe_lower_subscript(Lower *low, const AstExpr *expr);
Subscript fe_subscript_eval(Lower *low, const AstExpr *expr);
Value fe_subscript_get(Lower *low, const Subscript *sub);
Value fe_subscript_get_unchecked(Lower *low,
                                 const Subscript *sub); /* indices known to be right */
void fe_subscript_set(Lower *low, const Subscript *sub, Value value, bool checked);
Value fe_tuple_item(Lower *low, Value tuple, IrReg index, const FeType *type);

#endif

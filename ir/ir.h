/* The typed, structured IR: what the front end lowers to, what passes rewrite, what engines run.
 *
 *     func dot(%x: float64[::1], %y: float64[::1]) -> float64 {
 *       var %s: float64
 *       %s = copy 0.0
 *       %n = dim %x, 0
 *       for parallel %i = 0, %n, 1 {
 *         %1 = load %x[%i]
 *         ...
 *
 * A function is a list of registers and a block of statements. Loops stay loops: control flow is
 * nested blocks (if, loop, for) with break and continue for the innermost loop, so that passes
 * can reason about iterations, and engines that want branches make them.
 *
 * Registers are of five kinds. PARAM: never written. VAR: a variable, written any number of
 * times. TEMP: written by exactly one statement, which comes before every use in an enclosing or
 * the same block (so `def` gives the expression behind it). CONST: a value, never written, and
 * shared within the function. An engine may rely on VARs starting as zero; the front end proves
 * that this is never seen.
 *
 * Array ownership. An array register holds a header: data, owner, dims, strides (ir/rt.h). If it
 * is `owned` it holds one counted reference: it starts empty, a write releases what it held
 * before, and on every exit of the function, errors too, the engine releases it. If it is not,
 * it borrows, and the front end guarantees that something owned outlives the borrow. ALLOC,
 * ASSIGN, RT and CALL results go to owned registers; VIEW, TRANSPOSE, BROADCAST, RESHAPE and
 * COPY to borrowing ones. RETURN of an array retains it for the caller. Array PARAMs borrow.
 *
 * Types match exactly, layouts too: a VIEW without steps turns T[::1] into T[:]. Statements after
 * a return, raise, break or continue in the same block are legal, and dead; the fold drops them.
 *
 * Every statement has the span of the source it came from: errors, profiles and debug
 * information need it. */
#ifndef JR_IR_IR_H
#define JR_IR_IR_H

#include "ir/base/diag.h"
#include "ir/type.h"

typedef enum IrOp {
#define JR_OP(ID, text, form, may_fail) OP_##ID,
#include "ir/ops.def"
#undef JR_OP
    OP_COUNT
} IrOp;

/* clang-format off */
typedef enum IrForm {
    FORM_BIN, FORM_CMP, FORM_UN, FORM_COPY, FORM_CAST, FORM_SELECT, FORM_MATH, FORM_BITS,
    FORM_LOAD, FORM_STORE, FORM_DIM, FORM_APART, FORM_ALLOC, FORM_VIEW, FORM_COPYA, FORM_SHAPED, FORM_CALL,
    FORM_RT, FORM_PARALLEL, FORM_IF, FORM_LOOP, FORM_FOR, FORM_NONE, FORM_RETURN, FORM_RAISE,
} IrForm;
/* clang-format on */

typedef enum IrMath {
#define JR_MATH(ID, text, arity, f64, f32, exact) MATH_##ID,
#include "ir/math.def"
#undef JR_MATH
    MATH_COUNT
} IrMath;

typedef enum IrRtCall {
#define JR_RTCALL(ID, text, params, results, fails) RT_##ID,
#include "ir/rtcalls.def"
#undef JR_RTCALL
    RT_COUNT
} IrRtCall;

typedef enum IrExc {
    EXC_NONE, /* 0 is success everywhere */
#define JR_EXC(ID, name) EXC_##ID,
#include "ir/errors.def"
#undef JR_EXC
    EXC_COUNT
} IrExc;

typedef enum IrTrap {
#define JR_TRAP(ID, exc, message) TRAP_##ID,
#include "ir/traps.def"
#undef JR_TRAP
    TRAP_COUNT
} IrTrap;

typedef uint32_t IrReg; /* index into IrFunc.regs */
#define IR_NO_REG UINT32_MAX

typedef enum IrRegKind { REG_PARAM, REG_VAR, REG_TEMP, REG_CONST } IrRegKind;

/* A constant. Which member counts follows from the register's type: i for bool and signed
 * integers (sign-extended), u for unsigned ones, d for float64, f for float32, str for TY_STR. */
typedef union IrConst {
    int64_t i;
    uint64_t u;
    double d;
    float f;
    struct {
        const char *bytes; /* NUL-terminated besides */
        uint32_t len;
    } str;
} IrConst;

/* The strips of a pass whose step is not a small constant. Without one, the step of a loop in strips is. */
enum { IR_ANY_STRIP = 1024 };

typedef struct IrStmt IrStmt;
typedef struct IrFunc IrFunc;
typedef struct IrModule IrModule;

typedef struct IrRegInfo {
    IrType type;
    uint8_t kind;     /* IrRegKind */
    bool owned;       /* arrays: holds a counted reference */
    bool written;     /* array PARAMs: some STORE may reach it (const in the C ABI if not) */
    const char *name; /* the user's name for it, or NULL; need not be unique */
    IrConst value;    /* CONST */
    IrStmt *def;      /* TEMP: the statement that writes it */
} IrRegInfo;

typedef struct IrBlock {
    IrStmt *first, *last;
} IrBlock;

struct IrStmt {
    IrStmt *prev, *next;
    uint8_t op;    /* IrOp */
    bool parallel; /* FOR: written as prange in a function compiled with parallel=True */
    bool asserted; /* FOR: prange(..., unchecked=True) */
    bool weighed;  /* FOR, parallel: over parts of an array, which were made as many as gain */
    bool pass;     /* FOR, LOOP: one quick pass over an array, which ends where that ends */
    bool jammed;   /* FOR, innermost: it is soon over; its arrays lie apart (ir/jam.h) */
    bool leftover; /* FOR, innermost: not what most iterations go through (ir/jam.h) */
    uint8_t
        accumulates; /* LOAD, STORE, RT: of a[i] op= e that a prange accumulates: 1 + IrOp */
    uint32_t strip;  /* FOR: iterations between two polls; 0: none (IR_ANY_STRIP) */
    uint32_t ndsts;  /* 1 for most; any number for CALL and RT; 0 for STORE and control */
    uint32_t nargs;
    JrSpan span;
    IrReg *dsts;
    IrReg *args;
    union {
        uint8_t imm;       /* DIM, STRIDE: the axis. ALLOC: 1 if zeroed. */
        IrMath math;       /* MATH */
        IrRtCall rt;       /* RT */
        IrExc exc;         /* RAISE; args[0] is the message, a TY_STR constant */
        IrFunc *callee;    /* CALL, PARALLEL */
        struct {           /* LOAD, STORE, VIEW: one bit per axis of the array */
            uint8_t check; /* compare the index with the dim: IndexError */
            uint8_t wrap;  /* the index may be negative: it then counts from the end */
            /* VIEW: the steps that make the view, each taking operands after args[0]:
             *   i  one operand, the index on the next axis, which is dropped (check and wrap apply)
             *   r  three operands, start, length and step on the next axis: already clamped, never
             *      checked, start and length >= 0
             *   n  none: a new axis of length 1
             * Axes of the array that no step takes stay whole. */
            char axes[2 * IR_MAX_DIMS + 1];
        } mem;
        struct { /* IF: args[0] is the condition. LOOP and FOR have `then` alone. */
            IrBlock then, els;
        } blocks;
    } u;
};

struct IrFunc {
    const char *name;    /* unique in the module: "dot(float64[::1], int64)" if specialised */
    const char *display; /* what the user called it: "dot", "<module>" for the body */
    IrModule *module;
    uint32_t index;         /* in module->funcs */
    JR_VEC(IrRegInfo) regs; /* the first nparams are the PARAMs, in order */
    uint32_t nparams;
    IrType *rets;
    uint32_t nrets; /* a tuple result is several; None is 0 */
    IrBlock body;   /* every path ends in return, raise or an endless loop */
    JrSpan span;
    bool exported; /* callable from outside the module */
    bool parallel; /* parallel=True or --parallel */
    bool fastmath;
    bool inlined;   /* engines that can are to inline every call of it */
    bool recursive; /* may be on the stack twice: on entry engines check the stack, and poll */
    bool may_fail;  /* some path raises; set by ir_module_finish */
    /* A C function of the program's, called by its address (ir/rt.h, JrHostEntry). It has parameters
     * and results, but no body, and is in module->hosts instead of funcs. */
    bool host;
    uint32_t
        user_at; /* host: the C argument, from 1, that is the program's pointer; 0: none */
    /* What a call needs of the JrRt it is given, set by ir_module_finish: nothing at all; just a
     * place for errors; or one that knows where to print, allocate and look for a cancel. */
    bool needs_rt, needs_context;
    bool needs_all; /* more of a context than its flag: that much, loops and recursion need */
    JrTable consts; /* the shared CONST registers, by type and bits */
};

struct IrModule {
    JrArena *arena;
    const char *file; /* the source's name, for JrWhere */
    JR_VEC(IrFunc *) funcs;
    JR_VEC(IrFunc *) hosts;
    JrTable by_name;       /* funcs */
    struct IrLoops *loops; /* what ir_parallelise found (ir/par/parallel.h), or NULL */
};

/* ---- Tables ---- */

const char *ir_op_name(IrOp op);
IrForm ir_op_form(IrOp op);
bool ir_op_may_fail(IrOp op);
const char *ir_math_name(IrMath math);
unsigned ir_math_arity(IrMath math);
bool ir_math_exact(IrMath math);
const char *ir_math_symbol(IrMath math, IrScalar scalar); /* "sin", "sinf" */
const char *ir_rt_name(IrRtCall call); /* "print_int"; the symbol is "jr_rt_" before it */
const char *ir_rt_params(IrRtCall call);
const char *ir_rt_results(IrRtCall call);
bool ir_rt_fails(IrRtCall call);
bool ir_rt_writes(IrRtCall call, uint32_t arg); /* an array, operand `arg` */
bool ir_rt_leaves_elements(IrRtCall call);      /* looks at arrays' headers alone */
/* The operands of PARALLEL as letters of rtcalls.def: "iii" and one for each capture. */
const char *ir_parallel_letters(const IrFunc *func, const IrStmt *stmt, JrArena *arena);
const char *ir_exc_name(IrExc exc);
IrExc ir_exc_named(const char *name, size_t len); /* EXC_NONE when unknown */
IrExc ir_trap_exc(IrTrap trap);
const char *ir_trap_message(IrTrap trap);
/* Whether this very statement can raise, given its types, flags and (for CALL) its callee:
 * a float mod cannot, a load without `check` cannot. */
bool ir_stmt_may_fail(const IrFunc *func, const IrStmt *stmt);
/* Whether all that the statement does is compute its one result: without a use of that it is as
 * if it had not run. It may still read what others write: memory and variables. */
bool ir_stmt_is_pure(const IrFunc *func, const IrStmt *stmt);
/* Whether it has blocks inside: u.blocks, `els` empty for LOOP and FOR. */
bool ir_stmt_is_nested(const IrStmt *stmt);
uint32_t ir_block_count(const IrBlock *block); /* its statements, nested ones too */

/* ---- Building ---- */

IrModule *ir_module_new(JrArena *arena, const char *file);
/* A function with no registers; add its parameters first. The name must be new to the module. */
IrFunc *ir_func_new(IrModule *module, const char *name, const char *display);
IrFunc *ir_module_find(const IrModule *module, const char *name);
/* A function of the program's; add its parameters, with `written` where an array is, and result. */
IrFunc *ir_host_new(IrModule *module, const char *name);
IrFunc *ir_host_find(const IrModule *module, const char *name);
bool ir_returns_scalar(const IrFunc *func); /* one, and nothing else */
bool ir_returns_arrays(const IrFunc *func); /* among other things */

IrReg ir_param(IrFunc *func, IrType type, const char *name);
IrReg ir_var(IrFunc *func, IrType type, const char *name); /* arrays: owned */
IrReg ir_temp(IrFunc *func, IrType type); /* arrays: borrowing, unless made owned */
IrReg ir_const(IrFunc *func, IrScalar scalar, IrConst value);
IrReg ir_const_int(IrFunc *func, IrScalar scalar, int64_t value); /* converted to the type */
IrReg ir_const_float(IrFunc *func, IrScalar scalar, double value);
IrReg ir_const_str(IrFunc *func, const char *bytes, uint32_t len);
static inline IrRegInfo *ir_reg(const IrFunc *func, IrReg reg) {
    return &func->regs.data[reg];
}
static inline IrType ir_reg_type(const IrFunc *func, IrReg reg) {
    return func->regs.data[reg].type;
}

/* Where statements go. Building appends at the end of `block`. */
typedef struct IrBuilder {
    IrFunc *func;
    IrBlock *block;
    JrSpan span; /* given to every statement built */
} IrBuilder;

/* The general one: copies dsts and args, sets TEMP defs, appends. The caller fills in u. */
IrStmt *ir_build(IrBuilder *b, IrOp op, uint32_t ndsts, const IrReg *dsts, uint32_t nargs,
                 const IrReg *args);
/* dst = op args, into a fresh TEMP of type `type`, or into `dst`. */
IrReg ir_build_unary(IrBuilder *b, IrOp op, IrType type, IrReg a);
IrReg ir_build_binary(IrBuilder *b, IrOp op, IrType type, IrReg a, IrReg c);
IrReg ir_build_compare(IrBuilder *b, IrOp op, IrReg a, IrReg c);
IrReg ir_build_select(IrBuilder *b, IrReg cond, IrReg a, IrReg c);
IrReg ir_build_cast(IrBuilder *b, IrScalar to, IrReg a); /* `a` itself if it is one already */
void ir_build_copy(IrBuilder *b, IrReg dst, IrReg src);
IrReg ir_build_math(IrBuilder *b, IrMath math, IrType type, uint32_t nargs, const IrReg *args);
IrReg ir_build_dim(IrBuilder *b, IrReg array, uint8_t axis);
/* check and wrap are set for every axis; clear bits on the result where they are not wanted. */
IrStmt *ir_build_load(IrBuilder *b, IrReg dst, IrReg array, uint32_t n, const IrReg *index);
IrStmt *ir_build_store(IrBuilder *b, IrReg array, uint32_t n, const IrReg *index, IrReg value);
/* Control: fill the result's blocks by pointing b->block at them. */
IrStmt *ir_build_if(IrBuilder *b, IrReg cond);
IrStmt *ir_build_loop(IrBuilder *b);
IrStmt *ir_build_for(IrBuilder *b, IrReg lo, IrReg hi, IrReg step, IrReg *counter); /* int64 */
void ir_build_break(IrBuilder *b);
void ir_build_continue(IrBuilder *b);
void ir_build_return(IrBuilder *b, uint32_t n, const IrReg *values);
void ir_build_raise(IrBuilder *b, IrExc exc, const char *message, uint32_t len);
IrStmt *ir_build_call(IrBuilder *b, IrFunc *callee, uint32_t ndsts, const IrReg *dsts,
                      uint32_t nargs, const IrReg *args);
IrStmt *ir_build_rt(IrBuilder *b, IrRtCall call, uint32_t ndsts, const IrReg *dsts,
                    uint32_t nargs, const IrReg *args);

/* Unlink, insert and walk. */
void ir_block_append(IrBlock *block, IrStmt *stmt);
void ir_block_insert_before(IrBlock *block, IrStmt *at, IrStmt *stmt);
void ir_block_remove(IrBlock *block, IrStmt *stmt);

/* Call when a module is complete, and after passes: sets may_fail, needs_rt, needs_context and
 * recursive (over the call graph), and `written` on array parameters (through views and calls).
 */
void ir_module_finish(IrModule *module);

/* ---- ir/text/print.c, ir/text/read.c, ir/verify.c, ir/fold.c ---- */

/* The text form, described in ir/text/print.c. Reading what was printed and printing it again gives the
 * same bytes. What ir_module_finish works out is not in it: the reader finishes the module. */
void ir_print_module(const IrModule *module, JrText *out);
void ir_print_func(const IrFunc *func, JrText *out);
/* NULL with errors in diags when the text is not a module; what it returns is verified. */
IrModule *ir_read_module(JrArena *arena, const JrSource *source, JrDiags *diags);

/* False, with the reason in *why (in the arena), if the module breaks a rule of ops.def or of
 * the comment above. Cheap enough to run after every pass in debug builds. */
bool ir_verify_module(const IrModule *module, const char **why);

/* Constant folding, copy propagation of TEMPs, branches on constants, dead pure statements.
 * Leaves what may raise where it is. */
void ir_fold_module(IrModule *module);

#endif

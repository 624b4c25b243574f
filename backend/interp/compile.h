/* From IR to bytecode. One walk plans the registers of a function (plan.c), a second one emits
 * its instructions (emit_*.c); link.c packs the functions of a module into a JrCode.
 *
 * Offsets of constants and of the callee's frame are not known before a function's end, so
 * instructions hold them marked with a bit until compile.c settles them. */
#ifndef JR_INTERP_COMPILE_H
#define JR_INTERP_COMPILE_H

#include "backend/interp/bytecode.h"

#define NO_SLOT UINT32_MAX
#define WINDOW_SLOT 0x80000000u  /* an offset in the callee's frame */
#define CONST_SLOT 0x40000000u   /* an offset among the constants */
#define POINTER_SLOT 0x20000000u /* an offset among the pointers of loops (emit_open.c) */

/* The forms of LOAD and STORE in bytecode.def, in its order. */
enum { FORM_1C, FORM_1S, FORM_2C, FORM_2S, FORM_RAW, FORM_AT = 8, FORM_P, FORMS };

/* What is known of a register before code is emitted. */
typedef struct RegPlan {
    uint32_t uses, writes;
    uint32_t last; /* the position of a TEMP's last use, */
    uint32_t
        loop; /* or else the loop at whose end it dies (1 + index in loop_ends; 0: none) */
    uint32_t depth; /* loops around a TEMP's definition */
    uint32_t next;  /* another TEMP that dies at the same position (1 + register; 0: none) */
    uint32_t alias; /* the register whose slot this one shares, or IR_NO_REG */
    uint32_t slot;
    uint32_t
        saves; /* a TEMP: 1 + the variable that is copied before it is computed (plan.c), */
    uint32_t after;       /* 1 + the variable whose copy is meant from there on */
    uint32_t old;         /* a variable: the slot of the copy */
    bool old_meant;       /* by those who read the variable */
    const IrBlock *block; /* where a variable was written */
    bool spread; /* a variable that is read elsewhere than behind that, in that block */
    bool
        recast; /* alias holds its value already: it is a CAST that changes no bit, or the same again */
    bool reused;    /* others are the same again (plan_reuse.c), */
    bool early;     /* and it is computed at the top of its block */
    bool owns_slot; /* the slot can be used again when the TEMP is dead */
    bool decided;   /* an operand of `and` or `or` that has branched (emit_condition.c) */
    uint32_t reads, sets; /* as they stand in the IR */
    const IrStmt
        *tail;    /* a variable that has no slot (plan_short.c): the copy of its right side */
    bool negated; /* the `if` it leads to takes its opposite */
    bool decides; /* what the `if` finds where the left side has decided */
} RegPlan;

/* The loop being emitted: chains of branches that leave or go on. */
typedef struct LoopScope {
    struct LoopScope *outer;
    uint32_t breaks, continues;
    uint32_t top;  /* the loop's first instruction */
    uint32_t test; /* LOOP: its first branch out, if nothing but plain code leads there */
    uint32_t
        poll; /* the place of the POLL at its top, which is emitted at its end; or NO_PLACE */
} LoopScope;

#define NO_CHAIN UINT32_MAX
#define NO_PLACE UINT32_MAX

typedef struct Compiler {
    const IrModule *module;
    const JrEngineOptions *options;
    JrArena *arena;
    const char *why;
    Helpers helpers;

    /* The module so far. Instructions hold a BcOp and indices. */
    JR_VEC(Instr) code;
    JR_VEC(Place) places;
    JR_VEC(Record) records;
    JR_VEC(Operand) operands;
    JR_VEC(Opening) openings;
    JR_VEC(OpenPointer) open_pointers;
    JR_VEC(IndexSum) index_sums;
    JR_VEC(uint64_t) constants;
    JR_VEC(JrWhere) wheres;
    JR_VEC(uint32_t) callers; /* one for each of them: JrCode.callers */
    JR_VEC(Func) funcs;
    JrTable numbers; /* IrFunc.name: 1 + its index in funcs */
    JrText strings;
    uint32_t stubs;

    /* The function under way. */
    const IrFunc *func;
    uint32_t number;
    RegPlan *plans;
    JR_VEC(uint32_t) loop_ends; /* positions */
    uint32_t *loop_stack;
    const IrBlock *block, *loop_body; /* the latter: of the innermost counted loop */
    uint32_t depth, position;
    uint32_t *dying; /* by position: 1 + the first TEMP that dies there */
    uint32_t frame, window;
    JR_VEC(uint32_t) free_slots[IR_MAX_DIMS + 1]; /* by rank */
    uint32_t first_operand, first_const, first_pointer, first_index, first_opening;
    uint32_t pointer_bytes; /* for the loop that needs most */
    struct OpenLoop *open_loop;
    uint32_t barrier; /* no instruction before this one may be changed: jumps land here */
    uint32_t where;
    LoopScope *scope;
    uint32_t caller; /* 1 + the place of the call that the function stands for; 0: itself */
    uint32_t depth_inlined; /* functions around it */
    uint32_t result;        /* where its result goes, if it is in another; or NO_SLOT */
    uint32_t returns;       /* jumps to what comes behind it */
    uint32_t early[2];      /* branches taken before the `if` whose condition is this then */
} Compiler;

/* ---- plan.c ---- */

void jr_plan_function(Compiler *c);
/* The same for a function within another. */
void jr_plan_inlined(Compiler *c, const uint32_t *params);
uint32_t jr_plan_slots(IrType type);
/* Whether a statement before this one in its block has computed the same; then their results are one
 * (plan_reuse.c). */
bool jr_plan_reuse(Compiler *c, const IrStmt *stmt);
/* `and` and `or` whose right side is not always computed (plan_short.c): whether the copy is that of the
 * left side, before which nothing was known of the variable; what the variable is where it is
 * tested; whether a statement is such a copy; the plan of the variable whose right side an `if`
 * computes, or NULL. */
bool jr_plan_short(Compiler *c, const IrStmt *copy);
IrReg jr_plan_condition(const Compiler *c, IrReg cond);
bool jr_is_short_copy(const Compiler *c, const IrStmt *stmt);
const RegPlan *jr_short_of_test(const Compiler *c, const IrStmt *stmt);
void jr_plan_count(Compiler *c); /* RegPlan.reads and sets */
/* Where in an array's header lies what DIM or STRIDE asks for. */
uint32_t jr_plan_dim(Compiler *c, const IrStmt *stmt);
/* Whether a CAST changes no bit of a slot. */
bool jr_plan_keeps_bits(const Compiler *c, const IrStmt *cast);
/* The register that holds the value of this one. */
IrReg jr_plan_resolve(const Compiler *c, IrReg reg);

/* ---- compile.c ---- */

bool jr_compile_module(Compiler *c, const IrModule *module, const JrEngineOptions *options);
const char *jr_bc_name(BcOp op);
const char *jr_bc_operands(BcOp op);
/* The branch taken when this one is not. */
BcOp jr_bc_opposite(BcOp op);
/* The opcode that does IR op `op` at a scalar type; BC_COUNT when there is none. */
BcOp jr_bc_pick(IrOp op, IrScalar scalar);

/* Slots. */
uint32_t jr_take_slots(Compiler *c, uint32_t ndim);
void jr_give_slots(Compiler *c, uint32_t ndim, uint32_t slot);
/* Gives back the slots of the TEMPs that die at this position. */
void jr_bury(Compiler *c);
uint32_t jr_read_slot(Compiler *c, IrReg reg);
uint32_t jr_write_slot(Compiler *c, IrReg reg);
/* Whether the register is read once for each time it is written, and has a slot of its own: if the
 * reader comes next, the slot need not be written (fuse.c). */
bool jr_is_once(const Compiler *c, IrReg reg);
/* Whether it is dead before its slot is written again or the round of a loop ends (emit_open.c). */
bool jr_is_brief(const Compiler *c, IrReg reg);
bool jr_const_value(const Compiler *c, IrReg reg, int64_t *value); /* of an integer constant */
bool jr_const_bits(const Compiler *c, IrReg reg,
                   int64_t *bits); /* of any, as a slot holds it */

/* Instructions. */
Instr *jr_emit(Compiler *c, BcOp op, uint32_t a, uint32_t b, uint32_t x, uint32_t y);
Instr *jr_emit_k(Compiler *c, BcOp op, uint32_t a, uint32_t b, int64_t k);
void jr_emit_copy(Compiler *c, uint32_t dst, uint32_t src);
void jr_emit_value(Compiler *c, uint32_t dst, IrReg src); /* a scalar, constants too */
Record *jr_record_new(Compiler *c,
                      uint32_t *index); /* the operands are those added after it */
void jr_operand_add(Compiler *c, char kind, IrType type, uint32_t slot, bool owned);
void jr_operand_reg(Compiler *c, IrReg reg, bool write);
uint32_t jr_string_add(Compiler *c, const char *bytes, size_t len);
void jr_fail(Compiler *c, const char *symbol);
void *jr_resolve_symbol(Compiler *c, const char *name);

/* Jumps: the targets of a chain of branches are one label that comes later. */
uint32_t *jr_jump_field(Instr *instr);
void jr_chain_add(Compiler *c, uint32_t *chain, uint32_t at);
void jr_chain_here(Compiler *c, uint32_t chain);
void jr_chain_join(Compiler *c, uint32_t *chain, uint32_t more);
void jr_jump_to(Compiler *c, uint32_t at, uint32_t target);

/* ---- emit_*.c ---- */

void jr_emit_block(Compiler *c, const IrBlock *block);
void jr_emit_until(Compiler *c, const IrBlock *block, const IrStmt *end);
/* False if the statement is no control flow. */
bool jr_emit_control(Compiler *c, const IrStmt *stmt);
void jr_emit_scalar(Compiler *c, const IrStmt *stmt);
/* The code from `top` on is a counted loop, whose last instruction is at `back`: gives it a copy that
 * asks for no bounds, if that is worth it (emit_open.c). `skip` is the test in front of it. */
void jr_open_loop(Compiler *c, uint32_t skip, uint32_t top, uint32_t back);
void jr_emit_array(Compiler *c, const IrStmt *stmt);
void jr_emit_call(Compiler *c, const IrStmt *stmt);
void jr_emit_return(Compiler *c, const IrStmt *stmt);
void jr_emit_runtime(Compiler *c, const IrStmt *stmt);
void jr_emit_host(Compiler *c, const IrStmt *stmt);
void jr_emit_parallel(Compiler *c, const IrStmt *stmt);
void jr_emit_raise(Compiler *c, const IrStmt *stmt);
/* Whether an `if` computes both values of a variable and takes one (emit_select.c). */
bool jr_is_select(const Compiler *c, const IrStmt *stmt);
void jr_emit_select(Compiler *c, const IrStmt *stmt);
/* Whether the statement only makes the condition that the next one branches on, so that both
 * become one instruction; then nothing is emitted for it. */
bool jr_is_deferred(const Compiler *c, const IrStmt *stmt);
/* Whether a branch in advance does the statement's work: an `if` further on is told by
 * Compiler.early. */
bool jr_emit_early(Compiler *c, const IrStmt *stmt);
void jr_emit_compare(Compiler *c, const IrStmt *stmt);
/* A branch taken when `cond` is `sense`: its index. */
uint32_t jr_emit_branch(Compiler *c, IrReg cond, bool sense);

/* ---- inline.c ---- */

/* Sets Func.inlined and Func.large. */
void jr_inline_judge(Compiler *c);
/* Whether the callee is put in place of this call. */
bool jr_inlines(const Compiler *c, const IrStmt *call);
void jr_inline_call(Compiler *c, const IrStmt *call);
void jr_inline_return(Compiler *c, const IrStmt *stmt);

/* ---- fuse.c ---- */

void jr_fuse(Compiler *c);
/* Whether a loop from `top` to `back`, whose jumps are relative already, begins with a handler that runs
 * it by rounds. */
bool jr_fuses_rounds(Compiler *c, uint32_t top, uint32_t back);
BcOp jr_fused_first(BcOp op, uint32_t *length);

/* ---- link.c ---- */

JrCode *jr_link(Compiler *c);

/* ---- text.c ---- */

void jr_bytecode_print(const Compiler *c, JrText *out);

#endif

/* The C generator: what its files share. See emit.c for the whole. */
#ifndef JR_BACKEND_TCC_EMIT_H
#define JR_BACKEND_TCC_EMIT_H

#include "backend/engine.h"

/* Small functions of our own that the generated C may need: libtcc's code would call libtcc1.a
 * for some of them, and none is worth repeating at every use. */
typedef enum Helper {
#define JR_TCC_HELPER(ID, name, text) HELP_##ID,
#include "backend/tcc/helpers.def"
#undef JR_TCC_HELPER
    HELP_COUNT
} Helper;

/* The functions of ir/rt.h, by position in JR_RT_HELPERS and then JR_RT_GATES. */
typedef enum RtHelper {
#define JR_RT_ID(name) USE_##name,
    JR_RT_HELPERS(JR_RT_ID) JR_RT_GATES(JR_RT_ID)
#undef JR_RT_ID
        USE_COUNT
} RtHelper;

/* A module being written, and what its text turned out to need. */
typedef struct Emit {
    JrArena *arena;
    const IrModule *module;
    JrHostTable hosts;
    const JrEngineOptions *options;
    JrText body;
    bool helpers[HELP_COUNT];
    bool runtime[USE_COUNT];
    bool rt_calls[RT_COUNT];
    bool math[MATH_COUNT][2]; /* by IrMath; [1] for the float32 function */
    bool ranks[IR_MAX_DIMS + 1];
    bool bits;       /* JrBits is used */
    bool *reached;   /* by function: exported, or called from one that is reached */
    bool *entered;   /* by function: exported, or the body of a parallel region */
    JrTable numbers; /* functions by name, counted from 1 */
} Emit;

/* ---- Expressions (emit_expr.c) ---- */

enum { EXPR_VARS = 6, EXPR_DEPTH = 6, EXPR_TEXT = 160, PENDING_MAX = 16 };

/* C text that computes a value without side effects. */
typedef struct Expr {
    const char *text;
    bool atom;     /* a name or a constant: cheap to write twice, needs no parentheses */
    bool constant; /* a literal */
    bool loads;    /* reads array elements, or the header of an array variable */
    uint8_t depth;
    uint8_t nvars; /* the VARs it reads; EXPR_VARS + 1 when there are too many */
    IrReg vars[EXPR_VARS];
} Expr;

/* Which members of an array's header a function looks at. */
enum { FIELD_DATA = 1, FIELD_OWNER = 2, FIELD_DIM = 4, FIELD_STRIDE = 4 << IR_MAX_DIMS };
enum { FIELDS_ALL = (4 << 2 * IR_MAX_DIMS) - 1 };

typedef struct RegUse {
    uint32_t uses;
    uint32_t def_block, use_block;
    uint32_t fields; /* arrays */
    bool dead;       /* a TEMP that nothing uses, and whose statement does nothing else */
    bool pending;
    Expr expr; /* while pending */
} RegUse;

/* An index that was found good: of an array and with a register that do not change. What comes
 * after it in its block need not look again. */
typedef struct Checked {
    IrReg array, index;
    uint8_t axis;
    bool wrap;
    const char *at; /* the index as it counts from 0 */
} Checked;

enum { CHECKED_MAX = 32 };

/* A function being written. */
typedef struct Fn {
    Emit *em;
    const IrFunc *func;
    uint32_t index;
    RegUse *regs;
    IrReg pending[PENDING_MAX];
    uint32_t npending;
    Checked checked[CHECKED_MAX];
    uint32_t nchecked;
    uint32_t blocks; /* numbered so far */
    uint32_t names;  /* made up so far */
    int indent;
    int32_t source_line, line; /* of the statement, and of the last comment that says so */
    bool owns;                 /* has owned arrays: leaves through `out` */
    bool left;                 /* something goes to `out` */
    JrText text;
    JrText wheres;
    uint32_t nwheres;
    JrSpan last_where;
} Fn;

#define LIKE_PRINTF(at, first) __attribute__((format(printf, at, first)))

/* One line of C at the present depth. */
void jr_c_line(Fn *fn, const char *format, ...) LIKE_PRINTF(2, 3);
/* C text from the given parts, whose properties the result inherits. */
Expr jr_c_expr(Fn *fn, uint32_t nparts, const Expr *parts, const char *format, ...)
    LIKE_PRINTF(4, 5);
/* The text, in parentheses if it needs them. */
const char *jr_c_paren(Fn *fn, const Expr *expr);
/* A name for the register's C variable. */
const char *jr_c_name(Fn *fn, IrReg reg);
const char *jr_c_ctype(IrScalar scalar);
/* The unsigned type that arithmetic of this type wraps in. */
const char *jr_c_utype(IrScalar scalar);
/* The value of a register: its constant, its name, or the expression waiting for this use. */
Expr jr_c_operand(Fn *fn, IrReg reg);
/* The same, first stored in a variable if it is more than a name. */
Expr jr_c_atom(Fn *fn, IrReg reg);
Expr jr_c_store_atom(Fn *fn, IrScalar scalar, Expr expr);
/* dst = expr: now, or at its only use. */
void jr_c_define(Fn *fn, IrReg dst, Expr expr);
/* Declares a TEMP that a statement fills in another way, readies a VAR for being written. */
void jr_c_declare(Fn *fn, IrReg dst);
/* Stores expressions that wait for their use, before what they read changes. */
void jr_c_flush_all(Fn *fn);
void jr_c_flush_loads(Fn *fn);
void jr_c_flush_readers(Fn *fn, IrReg var);
/* A literal, and one in quotes. */
Expr jr_c_constant(Fn *fn, IrReg reg);
const char *jr_c_string(JrArena *arena, const char *bytes, size_t len);

/* ---- Statements ---- */

/* "&at_3[7]": the place of an error, as C. */
const char *jr_c_where(Fn *fn, JrSpan span);
/* Leaves the function with the status that `format` computes. */
/* An array that was made, in a struct named `header`, goes to an owned register. */
void jr_c_take_result(Fn *fn, IrReg reg, const char *header);
void jr_c_fail(Fn *fn, const char *format, ...) LIKE_PRINTF(2, 3);
void jr_c_need(Fn *fn, RtHelper helper);

void jr_c_scalar(Fn *fn, const IrStmt *stmt); /* BIN, CMP, UN, CAST, SELECT, MATH, BITS */
void jr_c_array(Fn *fn, const IrStmt *stmt);  /* LOAD to RESHAPE; COPY, ASSIGN of arrays */
void jr_c_call(Fn *fn, const IrStmt *stmt);   /* CALL, RT, PARALLEL, RETURN, RAISE, POLL */
void jr_c_poll(Fn *fn, const IrStmt *stmt);   /* behind a strip */
/* emit_host.c */
void jr_c_host_call(Fn *fn, const IrStmt *stmt);
void jr_c_host_prototypes(const Emit *em, JrText *out);
/* dst's header = src's, for the given members. */
void jr_c_copy_header(Fn *fn, const char *dst, const char *src, unsigned ndim,
                      uint32_t fields);
/* The header as a whole: "&x_3", or the parameter's pointer. */
const char *jr_c_header(Fn *fn, IrReg reg);

/* Counts uses and finds the header fields a function needs (emit_use.c). */
void jr_c_count_uses(Fn *fn);
/* Writes one function and its entry (emit_func.c). */
void jr_c_function(Emit *em, const IrFunc *func, uint32_t index);
const char *jr_c_signature(Emit *em, const IrFunc *func, uint32_t index);
const char *jr_c_func_name(Emit *em, const IrFunc *func, uint32_t index);
uint32_t jr_c_func_index(const Emit *em, const IrFunc *func);

/* Writes a function with its C signature (emit_pointer.c). */
void jr_c_pointer(Emit *em, const IrFunc *func, uint32_t index);
const char *jr_c_pointer_signature(Emit *em, const IrFunc *func, const JrCSignature *c);
/* Whether the function is to have one. */
bool jr_c_has_pointer(const Emit *em, uint32_t index);

/* For a file that is to be compiled ahead of time (emit_ahead.c): its first lines; and the
 * runtime, as `declare` has it or as text of its own. */
void jr_c_ahead_head(const Emit *em, JrText *out);
void jr_c_ahead_runtime(const Emit *em, void (*declare)(const Emit *em, JrText *out),
                        JrText *out);
/* Whether the text calls the runtime at all. */
bool jr_c_uses_runtime(const Emit *em);

/* Writes the module as C (emit.c). */
void jr_c_emit(Emit *em, const IrModule *module, const JrEngineOptions *options, JrText *out);

/* What the text refers to, to give to the linker: calls `each` for every name. */
void jr_c_each_symbol(const Emit *em, void (*each)(void *user, const char *name), void *user);

#endif

/* Shared by inference's own files (infer*.c, scope.c, const.c, assign.c, options.c), by nobody
 * else.
 *
 * How it works. A function is inferred once per specialisation, by a worklist of units. A unit
 * is a simple statement, or the head of a compound one. Inferring a unit types its expressions
 * and joins what it assigns into its variables; a variable that became more general queues the
 * units that read it, and a result that did queues the units that call. Types only rise (unknown,
 * weak literals, narrow to wide), so this ends, and each unit runs a few times whatever the order:
 * nearly linear in the source.
 *
 * That phase is optimistic and silent: what makes no sense yet is unknown. A variable that has
 * met only literals stays weak: `s = 0` becomes what is added to it later. When the queue is
 * empty, variables that are weak still take int64 or float64, first those that a call waits for
 * (no specialisation is made for a weak argument), and the queue runs again.
 *
 * Then comes the checking phase: the same code over each reachable specialisation's units in
 * order, now with `checking` set: it reports errors, fills in FeNode, and gives literals the type
 * of their use (fe_infer_use). An erroneous expression is FE_ERROR, which is accepted everywhere. */
#ifndef JR_FRONTEND_INFER_H
#define JR_FRONTEND_INFER_H

#include "frontend/infer/sema.h"

typedef struct Unit {
    FeSpec *spec;
    const AstStmt *stmt;
    bool queued, seen;
    bool waits; /* a call in it waits for weak variables to be settled */
    JR_VEC(FeVar *) reads;
} Unit;
typedef JR_VEC(Unit *) Units;

/* A variable, with inference's own knowledge of it. FeVar.lowered and this never meet. */
typedef struct Var {
    FeVar base;
    Units readers;
    bool declared; /* annotated: the type is fixed */
} Var;

struct FeUnits {
    Units units;
    Units callers;
    JR_VEC(FeSpec *) callees;          /* while checking */
    bool reachable, declared, returns; /* returns: some return has a value */
    uint32_t order, low, next;         /* for the strongly connected components */
    bool on_stack;
    JrSpan returned; /* the first return */
    JrSpan called;   /* where it was first called from; line 0 if it is a root */
    FeSpec *caller;  /* whose call that was */
};

/* A name assigned in a function. */
typedef struct Local {
    const char *name;
    JrSpan span;
    const AstExpr *annotation;
    bool param;
    uint32_t index;
    uint32_t writes;
    JrSpan last;       /* its last assignment in the text */
    bool named;        /* by := too */
    bool deleted;      /* by del, before it is assigned in the text */
    bool loop_written; /* a for's target that is assigned inside that for */
} Local;

typedef struct Signature {
    uint32_t count;
    const FeType **params;
    const FeType *ret; /* NULL: inferred */
} Signature;

/* What is known of a function once, for all its specialisations. */
typedef struct FuncInfo {
    JR_VEC(Local *) locals; /* parameters first */
    JrTable by_name;
    const FeType **params;    /* annotated types, NULL where there is none */
    const FeConst **defaults; /* NULL where there is none */
    const FeType **default_types;
    const FeType *ret;            /* annotated */
    JR_VEC(Signature) signatures; /* eager ones */
    bool ends;                    /* control can reach the end of the body */
    bool ok;                      /* its names and annotations resolve */
    bool library;                 /* it sees the library's names, not the module's */
} FuncInfo;

/* What a name means at module scope. */
typedef struct Entry {
    enum { ENTRY_TYPE, ENTRY_CONST, ENTRY_VAR } kind;
    const FeType *type;   /* TYPE: the function, module, dtype; CONST: its type, weak or not */
    const FeConst *value; /* CONST */
    JrSpan span;
} Entry;

typedef struct FeInfer {
    FeModule *module;
    FeTypes *types;
    JrArena *arena;
    JrDiags *diags;
    FeConfig config;
    Units queue;
    uint32_t queue_head;
    JR_VEC(FeSpec *) all; /* every specialisation, reachable or not */
    JR_VEC(FeSpec *) to_check;
    JrTable builtins;          /* rows by path */
    struct FeLibrary *library; /* NULL until one of its functions is named */
    bool numpy_star;           /* from numpy import * */
    JrTable python; /* entries of names that the module does not define, as they are needed */
    FuncInfo *info; /* of the function that is looked at: its locals hide module scope */
    bool checking;
    bool settle_all;  /* weak expressions need not wait any more */
    uint64_t changes; /* types that rose, specialisations made: progress */
    FeSpec *spec;
    Unit *unit;
    struct Params *params[BI_COUNT]; /* parsed signatures */
} FeInfer;

static inline FeNode *node_at(FeInfer *in, const AstExpr *expr) {
    return &in->spec->nodes[expr->id];
}
static inline const FeType *scalar_type(FeInfer *in, IrScalar s) {
    return in->types->scalars[s];
}
static inline bool type_is_weak(const FeType *t) {
    return t->kind == FE_WEAK_INT || t->kind == FE_WEAK_FLOAT;
}
static inline bool type_is_number(const FeType *t) {
    return t->kind == FE_SCALAR || type_is_weak(t);
}
static inline bool type_is_int(const FeType *t) {
    return t->kind == FE_WEAK_INT || (t->kind == FE_SCALAR && ir_scalar_is_int(t->ir.scalar));
}
static inline bool type_is_bool(const FeType *t) {
    return t->kind == FE_SCALAR && t->ir.scalar == TY_BOOL;
}
/* Unknown or erroneous: nothing more can be said about what uses it. */
static inline bool type_is_void(const FeType *t) {
    return t->kind == FE_UNKNOWN || t->kind == FE_ERROR;
}

/* ---- infer.c: the driver ---- */
/* The specialisation of a function for these parameters, made if it is new. NULL, without a
 * message, when there are too many. `ret` is what is declared, or NULL. */
FeSpec *fe_infer_spec(FeInfer *in, FeFunc *func, const FeType *const *params,
                      const FeType *ret, JrSpan called);
enum { INFER_MAX_SPECS = 128 };
/* Makes a function of the library ready for a call, where it is not: most programs call few of them. */
void fe_infer_prepare(FeInfer *in, FeFunc *func);
/* To be checked, and lowered, with all that it calls. */
void fe_infer_reach(FeInfer *in, FeSpec *spec);
/* While checking, silently before: the type of what an error was already reported for. */
const FeType *fe_infer_silent(FeInfer *in);
/* A type rose that these units read. */
void fe_infer_look_again(FeInfer *in, const Units *units);
/* An error while checking; unknown before. The result is what the expression's type is. */
const FeType *fe_infer_fail(FeInfer *in, JrSpan span, const char *help, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));
const char *fe_infer_name(FeInfer *in, const FeType *type); /* fe_type_name */

/* ---- infer_found.c: what units find out ---- */
/* Joins a type into a variable, and reports a conflict while checking; and into what the
 * specialisation returns. */
void fe_infer_assign(FeInfer *in, FeVar *var, const FeType *type, JrSpan span);
void fe_infer_return(FeInfer *in, const FeType *type, JrSpan span);
/* Whether variables and parameters can have the type. */
bool fe_infer_is_storable(const FeType *type);

/* ---- absent.c, absent_flow.c ---- */
/* What a name in a function stands for: no parameter; one that is None there; that is not, any more or at
 * all; or the one or the other, by the way that control took. */
typedef enum FeAbsence { FE_ELSE, FE_ABSENT, FE_GIVEN, FE_EITHER } FeAbsence;
FeAbsence fe_absent_here(const FeSpec *spec, const AstExpr *name);
/* The error of naming one that is the one or the other. */
const FeType *fe_absent_either(FeInfer *in, const AstExpr *name);
/* Finds that out where parameters are None and assigned to. */
void fe_absent_flow(FeInfer *in, FeSpec *spec);
/* The truth of a condition that is decided by which parameters are None, or -1. */
int fe_absent_truth(const FeSpec *spec, const AstExpr *cond);
/* An if whose condition is so decided, and does not go on behind it. */
bool fe_absent_ends(const FeSpec *spec, const AstStmt *stmt);

/* ---- infer_stmt.c ---- */
void fe_infer_unit(FeInfer *in, Unit *unit);

/* ---- infer_expr.c ---- */
const FeType *fe_infer_expr(FeInfer *in, const AstExpr *expr);
void fe_infer_read(FeInfer *in, FeVar *var); /* the unit is looked at again when it rises */
/* A condition: any number, or None. Mixed types may meet in its `and`s and `or`s. */
const FeType *fe_infer_cond(FeInfer *in, const AstExpr *expr);
/* While checking, gives the literals in an inferred expression the type they are used as. */
void fe_infer_use(FeInfer *in, const AstExpr *expr, const FeType *type);
void fe_infer_settle(FeInfer *in, const AstExpr *expr); /* the default type */
/* The expression's type for use where a weak one would have to be decided: unknown if it is the
 * type of a variable that may still rise. */
const FeType *fe_infer_strong(FeInfer *in, const AstExpr *expr, const FeType *type);
/* The operation on two inferred operands; void types pass through. NULL operand `b` for unary. */
const FeType *fe_infer_operation(FeInfer *in, AstOp op, const AstExpr *expr, const AstExpr *a,
                                 const FeType *ta, const AstExpr *b, const FeType *tb,
                                 FeOperation *out);

/* x_uint8 < 300 compares in a type that holds both. */
void fe_infer_widen(FeInfer *in, const AstExpr *expr, FeOperation *operation);

/* ---- infer_whole.c: whole arrays ---- */
/* fe_infer_operation where an operand is an array. */
const FeType *fe_infer_array_operation(FeInfer *in, AstOp op, const AstExpr *expr,
                                       const AstExpr *a, const FeType *ta, const AstExpr *b,
                                       const FeType *tb, FeOperation *out);
/* Whether elements of one type may be stored as another in place. */
bool fe_infer_same_kind(IrScalar to, IrScalar from);
/* What `old op= operand` leaves in the target: `old`, or an error. */
const FeType *fe_infer_in_place(FeInfer *in, const AstStmt *stmt, const FeType *old,
                                const FeType *operand, const FeOperation *operation);
/* The join of two assignments before the check. */
const FeType *fe_infer_join(FeInfer *in, const FeType *a, const FeType *b);
const FeType *fe_infer_matmul(FeInfer *in, const AstExpr *expr, const FeType *a,
                              const FeType *b);
/* a[mask], of as many dimensions as a, inferred already. */
bool fe_infer_is_mask(FeInfer *in, const AstExpr *target);
const FeType *fe_infer_mask(FeInfer *in, const FeType *array);

/* ---- infer_gather.c: a[indices], m[rows, columns] ---- */
const FeType *fe_infer_gather(FeInfer *in, const AstExpr *expr, const FeType *array,
                              bool store);
bool fe_infer_is_gather(FeInfer *in, const AstExpr *expr);
/* Whether an index, inferred already, stands for an array of indices, or for several. */
bool fe_infer_is_indices(FeInfer *in, const AstExpr *item);
/* Whether a[mask] = an array of this type is one of the forms there are. */
bool fe_infer_can_put_masked(FeInfer *in, const AstExpr *target, const FeType *value);
/* a[indices] = a value of this type, or a[mask] = an array. */
void fe_infer_put(FeInfer *in, const AstExpr *target, const FeType *value);

/* ---- infer_subscript.c ---- */
const FeType *fe_infer_subscript(FeInfer *in, const AstExpr *expr, bool store);
/* The items of a tuple as one type, if they differ at most in the layout of arrays; or NULL. */
const FeType *fe_infer_uniform_item(FeInfer *in, const FeType *tuple);
const FeType *fe_infer_element(FeInfer *in, const FeType *array, unsigned drop,
                               bool contiguous);

/* ---- infer_attr.c ---- */
const FeType *fe_infer_attr(FeInfer *in, const AstExpr *expr);
const FeType *fe_infer_method_call(FeInfer *in, const AstExpr *expr);

/* ---- limits.c: np.iinfo, np.finfo ---- */
/* The row, if it is an attribute of a call of one; NULL. */
const FeBuiltin *fe_limits_asked(FeInfer *in, const AstExpr *expr);
/* The attribute's value for a type, and the value's type; NULL where there is none. */
const FeConst *fe_limits_value(FeInfer *in, const FeBuiltin *builtin, const FeType *of,
                               const char *name, const FeType **type);
/* NULL: it is no such attribute. */
const FeType *fe_infer_limits(FeInfer *in, const AstExpr *expr);

/* ---- infer_loop.c ---- */
struct BuiltinCall;
const FeType *fe_infer_loop(FeInfer *in, struct BuiltinCall *call); /* BK_LOOP */
/* What goes into a for's target for each iteration. */
const FeType *fe_infer_iterable(FeInfer *in, const AstExpr *expr);

/* ---- infer_call.c ---- */
const FeType *fe_infer_call(FeInfer *in, const AstExpr *expr);
/* A call of a builtin, with the array first if it is a method's. The arguments are matched to the
 * signature of `row`, and mean what they mean to `builtin`. */
const FeType *fe_infer_call_builtin(FeInfer *in, const AstExpr *expr, const FeBuiltin *row,
                                    const FeBuiltin *builtin, AstExpr *receiver);
const FeType *fe_infer_call_func(FeInfer *in, const AstExpr *expr, const FeType *callee);
const FeType *fe_infer_host(FeInfer *in, const AstExpr *expr,
                            const FeHost *host); /* infer_host.c */
void fe_infer_arguments(FeInfer *in, const AstExpr *expr);
/* Has the expression call a function with these types of arguments; what it returns. `args` live on. */
const FeType *fe_infer_call_own(FeInfer *in, const AstExpr *expr, FeFunc *func, AstExpr **args,
                                const FeType *const *types);
/* One parameter of a builtin's signature. */
typedef struct Params {
    uint32_t count;
    int star; /* the position of *args, or -1 */
    uint32_t positional_only;
    const char *star_name;
    struct {
        const char *name;
        const FeConst *value; /* a numeric default */
        bool optional;
    } items[8];
} Params;
const Params *fe_builtin_params(FeInfer *in, const FeBuiltin *builtin);

/* A call of a builtin, its arguments matched to the signature and inferred. */
typedef struct BuiltinCall {
    const AstExpr *expr;
    const FeBuiltin *builtin;
    uint32_t nargs;
    AstExpr **args;
    const FeConst **values;
    const FeType **types; /* NULL for an absent one */
} BuiltinCall;
/* ---- infer_builtin.c, infer_array.c ---- */
const FeType *fe_infer_builtin(FeInfer *in, BuiltinCall *call);
const FeType *fe_infer_make(FeInfer *in, BuiltinCall *call);
const FeType *fe_infer_method(FeInfer *in, BuiltinCall *call);
const FeType *fe_infer_random(FeInfer *in, BuiltinCall *call);
/* infer_whole.c: a builtin that takes arrays element by element, with an array among its
 * arguments; and BK_REDUCE. */
bool fe_infer_is_elementwise(const FeBuiltin *builtin);
const FeType *fe_infer_whole(FeInfer *in, BuiltinCall *call);
const FeType *fe_infer_reduce(FeInfer *in, BuiltinCall *call);
/* The argument must be a number: true, or an error. Named in messages by its parameter. */
bool fe_arg_number(FeInfer *in, const BuiltinCall *call, uint32_t i);
bool fe_arg_int(FeInfer *in, const BuiltinCall *call, uint32_t i);
void fe_arg_use(FeInfer *in, const BuiltinCall *call, uint32_t i, const FeType *type);
const FeType *fe_arg_fail(FeInfer *in, const BuiltinCall *call, uint32_t i,
                          const char *expected);
const char *fe_arg_name(FeInfer *in, const BuiltinCall *call, uint32_t i);

/* ---- scope.c ---- */
void fe_scope_module(FeInfer *in);
void fe_scope_locals(FeInfer *in, FeFunc *func); /* makes func->info, with the locals */
/* Makes a name mean something whose error was reported, unless it means something already. */
void fe_scope_silence(FeInfer *in, const char *name);
Entry *fe_scope_find(FeInfer *in, const char *name); /* module scope, then Python's builtins */
const FeType *fe_scope_member(FeInfer *in, const char *module, const char *name);
/* A name or a chain of attributes, as a type or a module-level value; NULL if it is none. */
const Entry *fe_scope_path(FeInfer *in, const AstExpr *expr);
const char *fe_scope_nearest_member(FeInfer *in, const char *module, const char *name);

/* ---- record.c: named tuples ---- */
/* What a call of namedtuple() at the top level makes, or an error; NULL if it is none. */
const FeType *fe_record_defined(FeInfer *in, const AstExpr *expr);
const FeType *fe_infer_record(FeInfer *in, const AstExpr *expr, const FeRecord *record);
const FeType *fe_infer_field(FeInfer *in, const AstExpr *expr, const FeType *tuple);

/* ---- inner.c: functions inside functions ---- */
void fe_inner_define(FeInfer *in, FeFunc *outer, const AstStmt *stmt);
void fe_inner_locals(FeInfer *in,
                     FeFunc *func); /* makes its info, once that of `outer` is there */
void fe_infer_def(FeInfer *in, const AstStmt *stmt);
/* The type of the function that is looked at, under its own name in its body; or NULL. */
const FeType *fe_inner_self(FeInfer *in, const char *name);

/* ---- spec_name.c ---- */
const char *fe_spec_name(FeInfer *in, const FeFunc *func, uint32_t n,
                         const FeType *const *params);

/* ---- scope_names.c ---- */
/* Reports every name in a function that means nothing, and statements that have no place there. */
void fe_scope_names(FeInfer *in, FeFunc *func);

/* Reports that a name means nothing, with what was meant if that can be told. */
void fe_scope_undefined(FeInfer *in, FeFunc *func, const AstExpr *expr);

/* ---- const.c ---- */
const FeConst *fe_const_eval(FeInfer *in, const AstExpr *expr, const FeType **type);
const FeConst *fe_const_literal(FeInfer *in, const AstExpr *expr, const FeType **type);
const FeConst *fe_const_int(FeInfer *in, __int128 value);
const FeConst *fe_const_float(FeInfer *in, double value);
const FeConst *fe_const_bool(FeInfer *in, bool value);
/* NULL when the operation has no constant result; an overflow past 127 bits is an error. */
const FeConst *fe_const_unary(FeInfer *in, AstOp op, const FeConst *a);
const FeConst *fe_const_binary(FeInfer *in, AstOp op, const FeConst *a, const FeConst *b,
                               JrSpan at);
const FeConst *fe_const_compare(FeInfer *in, AstOp op, const FeConst *a, const FeConst *b);
const FeConst *fe_const_call(FeInfer *in, const FeBuiltin *builtin, uint32_t n,
                             const FeConst *const *args, const FeType **type);
const FeConst *fe_const_builtin(FeInfer *in, const FeBuiltin *builtin);
const FeType *fe_const_type(FeInfer *in, const FeConst *value); /* weak */
bool fe_const_fits(const FeConst *value, IrScalar scalar);
bool fe_const_fits_type(const FeConst *value, const FeType *type);
/* The item of a constant tuple at a constant index, and where that is; NULL if there is none. */
const FeConst *fe_const_item(const FeConst *tuple, const FeConst *index, uint32_t *position);

/* ---- options.c ---- */
void fe_options_decorators(FeInfer *in, FeFunc *func);
/* An annotation as a type; NULL with an error if it is none. */
const FeType *fe_options_type(FeInfer *in, const AstExpr *expr);

/* ---- assign.c ---- */
void fe_assign_check(FeInfer *in, FeFunc *func);

#endif

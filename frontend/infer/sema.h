/* What inference finds out, for the lowering: modules, functions, their specialisations, and for
 * each specialisation the type and meaning of every expression. */
#ifndef JR_FRONTEND_SEMA_H
#define JR_FRONTEND_SEMA_H

#include "frontend/infer/types.h"

/* One row of builtins.def. */
typedef enum FeBuiltinId {
#define FE_BUILTIN(ID, path, signature, kind, detail, doc) BI_##ID,
#include "frontend/infer/builtins.def"
#undef FE_BUILTIN
    BI_COUNT
} FeBuiltinId;

/* How a builtin is typed and lowered: what FeNode holds for a call of it. Below, `args` are in
 * the order of the row's signature; "may be absent" means args[i] and arg_values[i] are both
 * NULL. A default that is a number is filled in: args[i] is NULL and arg_values[i] set. Wherever
 * a type is said to be wanted, the argument is a scalar that the lowering casts to it (its own
 * node's type may differ, but never by more than a cast). */
typedef enum FeBuiltinKind {
    /* Not called. AST_ATTR or AST_NAME: node.value (float64), or type FE_NONE for np.newaxis. */
    BK_CONSTANT,
    /* args[0] (or arg_values[0]) cast to node.type, a scalar. */
    BK_CAST,
    /* IrMath `detail`; args are wanted in node.target, float32 or float64, which is node.type. */
    BK_MATH,
    /* AstOp `detail`, comparisons too: exactly as AST_BINARY with node.operations[0]. */
    BK_BINARY,
    /* AstOp `detail` on args[0]: exactly as AST_UNARY. */
    BK_UNARY,
    /* np.logical_*: both args to bool (x != 0), then AND, OR or XOR (`detail`). */
    BK_LOGICAL,
    /* isnan, isinf, isfinite, signbit: args[0] wanted in node.target, a float; gives bool. */
    BK_TEST,
    /* Runtime call `detail`, args and results as its letters say (i int64, d float64): several
     * results make a tuple, none is None. random.randrange has all three filled in. */
    BK_RT,
    /* Scalar functions, one case each. Unless said here: all args wanted in node.target, which is
     * node.type.
     *   len             args[0] an array or a tuple (then node.value is set); int64
     *   abs np.abs np.absolute sign square reciprocal   of one argument
     *   min max         nargs >= 2; np.minimum, maximum, fmin, fmax: 2; np.clip: 3, of which
     *                   args[1] or args[2] may be absent (None)
     *   round           one argument: int64 of args[0] in target (target an int: args[0] as it is);
     *                   with args[1] (wanted int64): in target float32 or float64, node.type too
     *   np.round, np.around   args[1] int64 or default 0; target an int: args[0] as it is
     *   divmod          node.type is a tuple of two targets
     *   math.floor ceil trunc   args[0] in target: float64, or an int, returned as it is; int64
     *   math.log        args[1], the base, may be absent: log(x) / log(base)
     *   math.modf       tuple of two float64
     *   gcd lcm         wanted in target, an int; the result is not negative
     *   np.where        args[0] to bool, args[1] and args[2] wanted in target; all are evaluated */
    BK_SCALAR,
    /* range, prange: nargs 3: start or NULL, stop, step or NULL, wanted as int64 (then for
     * prange args[3], `unchecked`, NULL or a constant bool). enumerate: the iterable, and start or
     * NULL (int64). zip: the iterables. reversed: a range, an array or a tuple.
     * np.ndindex: ints, or a tuple of ints; np.ndenumerate: an array. Only as the iterable of a for, or inside another. */
    BK_LOOP,
    /* args[0], args[1]: sep and end, NULL or (node.value) a constant string; then the values:
     * scalars, arrays, tuples of these, strings, None. */
    BK_PRINT,
    /* A new array: node.type, LAYOUT_C; node.target is its element's scalar type. A shape is an int
     * or a tuple of ints (its node.type says which). A fill value is wanted in target. dtype
     * arguments need no lowering. *_like: args[0] is the array whose shape it takes. arange: start or
     * NULL, stop, step or NULL, in node.operations[0].operand: int64 or float64, in which the values
     * are computed too; then cast to target. linspace: start, stop in float64; num int64, >= 0, 50
     * by default. np.array: args[0] is an AST_LIST or AST_TUPLE, nested to the array's rank, of
     * scalars wanted in target; or an array to copy (and cast to target). np.copy: the array. */
    BK_MAKE,
    /* args[0] is the array (the receiver for a method). copy, astype (to target), flatten: a new
     * one. fill: args[1] wanted in target, the element type. item: as args[0][args[1..]]; none for an
     * array of size 1 (IndexError otherwise). sort: in place. transpose: a view. reshape: args[1..]
     * are ints, or args[1] a tuple of ints; one may be -1; ravel: reshape to 1-D. Both copy if the
     * layout is not C. */
    BK_METHOD,
    /* A method that is NumPy's function of its name with the array first: node.builtin is that
     * function's row, or node.callee it. args[0] is the array. */
    BK_SAME,
    /* AST_ATTR; the array is expr->left. */
    BK_ATTRIBUTE,
    /* args[0] is the array, any expression; args[1], the axis, has a constant value, or is absent
     * or None. operations[0]: the element type, and that of the result (of its elements). dot: two
     * arrays, of which operations[0] is the type they are multiplied in; `@` has the same. */
    BK_REDUCE,
    /* np.random with a size: if node.type is a scalar, as BK_RT with the first args, those of its
     * letters. If it is an array, the size is args[2] for uniform, normal and randint, args[0] for
     * random, random_sample and standard_normal (an int or a tuple of ints), and all args, ints,
     * for rand and randn; the array is made and filled by the RT_NP_RANDOM_FILL_* that fits. randint
     * with args[1] absent: [0, low). randn and standard_normal: loc 0.0, scale 1.0. */
    BK_RANDOM,
    /* np.iinfo, np.finfo: only below an attribute, which has a value. */
    BK_LIMITS,
    /* njit, jit: not in expressions. */
    BK_DECORATOR,
} FeBuiltinKind;

typedef struct FeBuiltin {
    FeBuiltinId id;
    const char *path;      /* "math.sqrt", "np.zeros", "len", "array.sum" for a method */
    const char *signature; /* "(shape, dtype=float64)": for messages and documentation */
    FeBuiltinKind kind;
    int detail;
    const char *doc;
} FeBuiltin;
const FeBuiltin *fe_builtin(FeBuiltinId id);
/* The row at "np.zeros", or NULL. */
const FeBuiltin *fe_builtin_find(const char *path);

/* A C function of the program's that kernels may call: a name that is looked up where Python looks
 * for its builtins, last. */
typedef struct FeHostType {
    IrType ir;      /* a scalar, an array, TY_NONE */
    uint32_t count; /* of a tuple's items, which follow it; 0: no tuple */
    bool written;   /* an array that the function writes to */
} FeHostType;

typedef struct FeHost {
    const char *name;
    const char *signature; /* for messages: "float64(float64[::1], int64)" */
    uint32_t nparams;
    uint32_t nleaves, nrets;  /* what parameters and result come to, tuples taken apart */
    const FeHostType *params; /* one after the other */
    const FeHostType *ret;    /* None, a scalar, an array, or a tuple of two or more such */
    uint32_t user_at;         /* as in IrFunc */
} FeHost;

/* Whether the name is a keyword or one of the language's builtins. */
bool fe_is_builtin(const char *name);

/* A value known at compile time. Ints are unbounded in principle, 127 bits in practice. */
typedef struct FeConst FeConst;
struct FeConst {
    enum {
        FE_CONST_NONE,
        FE_CONST_BOOL,
        FE_CONST_INT,
        FE_CONST_FLOAT,
        FE_CONST_STR,
        FE_CONST_TUPLE,
    } kind;
    __int128 i; /* BOOL too */
    double d;
    const char *bytes; /* STR */
    uint32_t len;
    const FeType *type;          /* TUPLE: its items' types, weak or not */
    const FeConst *const *items; /* TUPLE: type->count of them */
};

static inline bool fe_const_truth(const FeConst *value) {
    if (value->kind == FE_CONST_FLOAT) return value->d != 0;
    if (value->kind == FE_CONST_STR) return value->len != 0;
    if (value->kind == FE_CONST_TUPLE) return value->type->count != 0;
    return value->i != 0;
}

/* A local variable of a function, or a variable of the module's body. */
typedef struct FeVar {
    const char *name;
    const FeType *type; /* never weak once inference is done */
    JrSpan span;        /* its first assignment, or the parameter */
    bool param;
    bool
        named; /* := assigns it: what an expression has read of it may be old when it is used */
    bool assigned;  /* a param, or a loop's counter within the loop, that is written */
    uint32_t index; /* among the spec's vars */
    void *lowered;  /* the lowering's own */
} FeVar;

typedef struct FeOptions { /* from the decorator, then the command line */
    bool jit;              /* has an njit, jit or the like (plain functions compile too) */
    bool parallel, fastmath, boundscheck, python_errors; /* error_model='python' */
} FeOptions;

typedef struct FeSpec FeSpec;

/* What a function inside another uses of that. */
typedef struct FeCapture {
    const char *name;
    const AstExpr *use; /* the first one */
} FeCapture;

/* A function of the source. */
typedef struct FeFunc {
    AstFunc
        *ast; /* of a function inside another a copy, whose last parameters are the captures */
    FeOptions options;
    JR_VEC(FeSpec *) specs;
    struct FuncInfo *info; /* inference's own */
    bool has_signature;    /* annotated or eager: compiled even if never called */
    /* Of the library (library.h), not of the source: what arguments it is for, and the next of its name. */
    const char *library;
    struct FeFunc *other;
    struct FeFunc *outer; /* the function it is in, or NULL */
    const AstStmt *def;   /* likewise: its statement there */
    JR_VEC(FeCapture) captures;
    JR_VEC(struct FeFunc *) inner; /* those in it; not among the module's funcs */
} FeFunc;

/* The function that a def in the body of `func` defines. */
FeFunc *fe_inner_find(const FeFunc *func, const AstStmt *stmt);

/* The meaning of one expression in one specialisation.
 *
 * Types are never weak or unknown once inference is done: a literal has the type its use gave it
 * (the 0.5 of x32 * 0.5 is a float32). An expression may still have to be cast where it is used:
 * to the variable, the parameter, the result, the element it is stored to, or the `operand` of the
 * operation; tuples element by element, arrays at most from LAYOUT_C to LAYOUT_ANY.
 *
 * Where an operand is an array, and so the type, AST_UNARY, AST_BINARY, AST_COMPARE (of two
 * operands) and calls of NumPy's functions hold for the elements what they would hold for scalars.
 *
 * By kind of expression:
 *   value set     a constant: emit it in `type` and do not look at its children. `type` may be a
 *                 bool, any number (the value is converted: an int for a float64), FE_STR, or a
 *                 tuple of these
 *   AST_NAME      var; or value. An assignment to a name with var NULL (a module constant's) is
 *                 no code at all
 *   AST_UNARY     NEG, POS, INVERT: operations[0]. NOT: the truth of `left` (x != 0; None false)
 *   AST_BINARY    operations[0] (for tuples + is not in the language)
 *   AST_BOOL      each item's truth is tested; the value is an item cast to `target`, which is
 *                 `type`. In a condition both are bool
 *   AST_COMPARE   operations[k] between items k and k + 1, each evaluated once, left to right, as
 *                 Python does. `is` with None has a value; IN is of a tuple. == and != of two
 *                 tuples of equal length: operations is NULL and the pairs are compared, scalars
 *                 in fe_operation's type
 *   AST_TERNARY   the arm is cast to `target`, which is `type`; scalars, tuples or arrays
 *   any           `type` may be a function, an element type or a string (fe_type_is_static), in names,
 *                 attributes, arguments and variables: known when it is compiled, no code
 *   AST_CALL      args are the fields, if `left` is FE_RECORD; or builtin, by its kind; or callee with args; or host, whose arguments are the
 *                 items; raise E("m") is not a call
 *   AST_ATTR      value; or builtin, an attribute of the array `left`; or a field of `left`, a named tuple
 *   AST_SUBSCRIPT left an array: type is a scalar (one integer index for every axis) or an array (a
 *                 view); indices are ints of any type. The one index may be a mask, an array of bool
 *                 of the same rank: the type is a 1-D array. AST_NONE or np.newaxis (type FE_NONE) is a
 *                 new axis, AST_ELLIPSIS the axes in between, at most one. left a tuple: items[0]
 *                 has a value (negative ones counted from the end), or is a slice of such
 *                 (fe_tuple_slice), or is any int and the tuple's
 *                 items all have one type: IndexError when outside
 *   AST_SLICE     no node of its own; its parts are ints or NULL
 *   AST_NAMED     var, which `left` is assigned to, and whose value it is; never a value. One that is
 *                 below a constant is assigned all the same
 *   AST_TUPLE, AST_LIST  items. As a target, `type` is what is unpacked: a tuple of so many, or an
 *                 array, whose first axis has to be so long: ValueError when it is not
 * Of statements:
 *   AST_AUG       nodes[targets[0]->id].operations[0] is the operation of the old value and `value`;
 *                 its result is cast to the variable's type or the element's. Target a variable or
 *                 an element of an array; or an array, a view or a[mask], changed in place
 *   AST_ASSIGN    to a subscript whose node has an array type: the value is a scalar (every element
 *                 is set) or, but for a[mask], an array that broadcasts to the view; elements are cast
 *   AST_FOR       the iterable is a call of a BK_LOOP builtin, an array (its first axis: scalars,
 *                 or views) or a tuple whose items have one type. The target is a name or a tuple
 *                 of targets to unpack into
 *   AST_ASSERT    message: NULL or an expression with a constant string
 *   AST_RAISE     value is AST_NAME (nodes[].type FE_EXCEPTION, exc) or AST_CALL of one, whose
 *                 items are none or one with a constant string
 *   AST_EXPR      a string (a comment) or any expression; its value is dropped
 *   AST_DEF       in a function: its variable takes the values of what fe_inner_find(...) captures, which
 *                 are behind the arguments in a call of it
 *   AST_IMPORT    nothing to do */
typedef struct FeNode {
    const FeType *type;
    const FeConst *value;     /* when it is known at compile time */
    FeVar *var;               /* AST_NAME: a variable */
    const FeBuiltin *builtin; /* AST_CALL: what is called. AST_ATTR: the attribute */
    FeSpec *callee;           /* AST_CALL: the function called */
    const FeHost *host;       /* AST_CALL: the program's function called */
    /* AST_CALL: the arguments in the order of the callee's parameters or the builtin's signature,
     * defaults filled in for functions, NULL where a builtin's optional one is absent. For a
     * method the receiver comes first. A default belongs to the callee's module scope: it is
     * always a compile-time constant, found in `arg_values`. */
    uint32_t nargs;
    AstExpr **args;
    const FeConst **arg_values; /* as long as args: args[i] is NULL where this is set */
    FeOperation *operations;
    const FeType *target;
} FeNode;

/* The position of a named tuple's field, or -1. */
int fe_record_field(const FeRecord *record, const char *name);

/* t[a:b:c] of a tuple of n items: which of them it has. False if the step is 0. */
typedef struct FeTupleSlice {
    int64_t first, step;
    uint32_t count;
} FeTupleSlice;
bool fe_tuple_slice(const FeConst *const bounds[3], uint32_t n, FeTupleSlice *out);

struct FeSpec {
    FeFunc *func;     /* func->ast is the body's AstFunc for the module's body */
    const char *name; /* unique: "dot" if all is annotated, else "dot(float64[::1], int64)" */
    uint32_t nparams;
    /* What callers pass; never weak. vars[i].type may be more general where the body assigns to the
     * parameter (n = n / 2): the lowering converts on entry. It is another one where a parameter that is None is
     * assigned to; names that still mean None have the type None then, and no var. */
    const FeType **params;
    const FeType *ret;    /* FE_NONE for a function that returns nothing */
    FeNode *nodes;        /* by AstExpr.id */
    JR_VEC(FeVar *) vars; /* the parameters first */
    JrTable var_by_name;
    bool recursive;  /* may call itself, through others too */
    uint8_t *absent; /* by AstExpr.id, FeAbsence; NULL: no parameter is None and assigned to */
    struct FeUnits *units; /* inference's own */
    IrFunc *lowered;       /* the lowering's own */
};

typedef struct FeModule {
    JrArena *arena;
    const JrSource *source;
    JrDiags *diags;
    FeTypes types;
    AstModule *ast;
    JR_VEC(FeFunc *) funcs; /* in source order; funcs.data[0] is the module's body */
    JR_VEC(FeSpec *) specs; /* all inferred, callees before callers where possible */
    JrTable names;          /* module scope: constants, functions, imports (inference's own) */
    struct FeInfer *infer;  /* inference's own */
    bool run_main;          /* __name__ == "__main__" */
    bool check_races; /* a decorator asks for it: prange loops of all functions are parallel */
} FeModule;

/* Command-line options that reach the language. */
typedef struct FeConfig {
    bool run_main;                      /* the file is the program: __name__ == "__main__" */
    bool parallel, unchecked, fastmath; /* for every function */
    bool expression; /* it is one, in a function that returns it: a value that is passed on */
    const char *entry;          /* besides the body, or NULL */
    const FeHost *const *hosts; /* what the program lends its kernels */
    uint32_t nhosts;
} FeConfig;

/* Resolves module scope and infers the body (if config->run_main) and every function with a
 * signature, with all they call. Errors go to diags. */
FeModule *fe_infer(JrArena *arena, AstModule *ast, JrDiags *diags, const FeConfig *config);

/* One more specialisation: `name` for these parameter types (FE_SCALAR, FE_ARRAY, FE_TUPLE), of a
 * function without annotations or with ones that accept them. Where one is NULL, or missing at
 * the end, the parameter's default is meant. NULL with an error in diags. */
FeSpec *fe_specialise(FeModule *module, const char *name, uint32_t nparams,
                      const FeType *const *params);
/* The annotation of a parameter, and its default; NULL if it has none. */
const FeType *fe_declared(const FeFunc *func, uint32_t param);
const FeConst *fe_default(const FeFunc *func, uint32_t param);

/* Specialisations there are now, and going back to them: what fe_specialise made since is as if
 * it had not been asked for. Needed where it failed, or a later stage did. */
typedef struct FeMark {
    uint32_t specs, all;
} FeMark;
FeMark fe_mark(const FeModule *module);
void fe_undo(FeModule *module, FeMark mark);

/* For --dump typed: the source's functions with the type of every variable and result. */
void fe_dump(FeModule *module, JrText *out);

/* Lowers every specialisation in module->specs (frontend/lower/lower.c). Cannot fail on what inference
 * accepted, but for limits, which go to diags. The body becomes an exported function "<module>". */
IrModule *fe_lower(FeModule *module);

#endif

/* What inference finds out, for the lowering: modules, functions, their specialisations, and for
 * each specialisation the type and meaning of every expression. */
#ifndef JR_FRONTEND_SEMA_H
#define JR_FRONTEND_SEMA_H

#include "frontend/types.h"

/* One row of builtins.def. */
typedef enum FeBuiltinId {
#define FE_BUILTIN(ID, path, signature, kind, doc) BI_##ID,
#include "frontend/builtins.def"
#undef FE_BUILTIN
    BI_COUNT
} FeBuiltinId;

typedef struct FeBuiltin {
    FeBuiltinId id;
    const char *path;      /* "math.sqrt", "np.zeros", "len", "array.sum" for a method */
    const char *signature; /* "(x)", "(shape, dtype=float64)": for messages and documentation */
    const char *doc;
} FeBuiltin;
const FeBuiltin *fe_builtin(FeBuiltinId id);

/* A value known at compile time. Ints are unbounded in principle, 127 bits in practice. */
typedef struct FeConst {
    enum { FE_CONST_NONE, FE_CONST_BOOL, FE_CONST_INT, FE_CONST_FLOAT, FE_CONST_STR } kind;
    __int128 i; /* BOOL too */
    double d;
    const char *bytes; /* STR */
    uint32_t len;
} FeConst;

/* A local variable of a function, or a variable of the module's body. */
typedef struct FeVar {
    const char *name;
    const FeType *type;   /* never weak once inference is done */
    JrSpan span;          /* its first assignment, or the parameter */
    bool param;
    bool assigned;        /* a param that is written, or a loop counter that is written in its loop */
    uint32_t index;       /* among the spec's vars */
    void *lowered;        /* the lowering's own */
} FeVar;

typedef struct FeOptions { /* from the decorator, then the command line */
    bool jit;         /* has an njit, jit or the like (plain functions compile too) */
    bool parallel, fastmath, boundscheck, python_errors; /* error_model='python' */
} FeOptions;

typedef struct FeSpec FeSpec;

/* A function of the source. */
typedef struct FeFunc {
    AstFunc *ast;
    FeOptions options;
    JR_VEC(FeSpec *) specs;
    bool has_signature; /* annotated or with an eager signature: compiled even if never called */
} FeFunc;

/* The meaning of one expression in one specialisation. */
typedef struct FeNode {
    const FeType *type;     /* weak for literals: the user of the value decides what it becomes */
    const FeConst *value;   /* when it is known at compile time */
    FeVar *var;             /* AST_NAME: a variable */
    const FeBuiltin *builtin; /* AST_CALL: the builtin called. AST_ATTR: the attribute (array.shape) */
    FeSpec *callee;         /* AST_CALL: the function called */
    /* AST_CALL: the arguments in the order of the callee's parameters or the builtin's signature,
     * defaults filled in for functions, NULL where a builtin's optional one is absent. For a
     * method the receiver comes first. A default belongs to the callee's module scope: it is
     * always a compile-time constant, found in `arg_values`. */
    uint32_t nargs;
    AstExpr **args;
    const FeConst **arg_values; /* for defaults filled in: args[i] is NULL and this is set */
    /* A binary operator or comparison on scalars. For AST_COMPARE one per operator. */
    FeOperation *operations;
    /* AST_CALL: the type whose element type a builtin makes or works in (np.zeros(dtype=...),
     * np.float32(x), math.sqrt of what); AST_TERNARY and AST_BOOL: what the arms become. */
    const FeType *target;
} FeNode;

struct FeSpec {
    FeFunc *func;          /* func->ast is the body's AstFunc for the module's body */
    const char *name;      /* unique: "dot" if all is annotated, else "dot(float64[::1], int64)" */
    uint32_t nparams;
    const FeType **params; /* what each parameter is; never weak */
    const FeType *ret;     /* FE_NONE for a function that returns nothing */
    FeNode *nodes;         /* by AstExpr.id */
    JR_VEC(FeVar *) vars;  /* the parameters first */
    JrTable var_by_name;
    bool recursive;
    IrFunc *lowered;       /* the lowering's own */
};

typedef struct FeModule {
    JrArena *arena;
    const JrSource *source;
    JrDiags *diags;
    FeTypes types;
    AstModule *ast;
    JR_VEC(FeFunc *) funcs;  /* in source order; funcs.data[0] is the module's body */
    JR_VEC(FeSpec *) specs;  /* every specialisation inferred, callees before callers where possible */
    JrTable names;           /* module scope: constants, functions, imports (inference's own) */
    bool run_main;           /* __name__ == "__main__" */
} FeModule;

/* Command-line options that reach the language. */
typedef struct FeConfig {
    bool run_main;   /* the file is the program: __name__ == "__main__", and the body is compiled */
    bool parallel, unchecked, fastmath; /* for every function */
    const char *entry; /* besides the body, or NULL */
} FeConfig;

/* Resolves module scope and infers the body (if config->run_main) and every function with a
 * signature, with all they call. Errors go to diags. */
FeModule *fe_infer(JrArena *arena, AstModule *ast, JrDiags *diags, const FeConfig *config);

/* One more specialisation: `name` for these parameter types (FE_SCALAR, FE_ARRAY, FE_TUPLE), of a
 * function without annotations or with ones that accept them. NULL with an error in diags. */
FeSpec *fe_specialise(FeModule *module, const char *name, uint32_t nparams,
                      const FeType *const *params);

/* For --dump typed: the source's functions with the type of every variable and result. */
void fe_dump(FeModule *module, JrText *out);

/* Lowers every specialisation in module->specs (frontend/lower.c). Cannot fail on what inference
 * accepted, but for limits, which go to diags. The body becomes an exported function "<module>". */
IrModule *fe_lower(FeModule *module);

#endif

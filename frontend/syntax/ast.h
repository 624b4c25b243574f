/* The syntax tree: what the parser makes of a source text, before anything has a type.
 *
 * Nodes live in the compilation's arena. Every expression has an id, dense within its function
 * (or the module's body), by which inference attaches what it found out, once per
 * specialisation (frontend/infer/sema.h): the tree itself is never written after parsing. */
#ifndef JR_FRONTEND_AST_H
#define JR_FRONTEND_AST_H

#include "ir/base/diag.h"

typedef struct AstExpr AstExpr;
typedef struct AstStmt AstStmt;
typedef struct AstFunc AstFunc;

typedef JR_VEC(AstExpr *) AstExprs;
typedef JR_VEC(AstStmt *) AstBlock;

/* clang-format off */
typedef enum AstOp {
    AST_ADD, AST_SUB, AST_MUL, AST_DIV, AST_FLOORDIV, AST_MOD, AST_POW, AST_MATMUL,
    AST_AND, AST_OR, AST_XOR, AST_SHL, AST_SHR,        /* & | ^ << >> */
    AST_NEG, AST_POS, AST_INVERT, AST_NOT,             /* unary */
    AST_EQ, AST_NE, AST_LT, AST_LE, AST_GT, AST_GE, AST_IS, AST_IS_NOT, AST_IN, AST_NOT_IN,
    AST_BOOL_AND, AST_BOOL_OR,                         /* and, or */
} AstOp;
/* clang-format on */
const char *fe_ast_op_text(AstOp op); /* "+", "not in" */

/* clang-format off */
typedef enum AstExprKind {
    AST_NAME,      /* name */
    AST_INT,       /* big, unsigned up to 2^127 - 1 */
    AST_FLOAT,     /* real */
    AST_IMAG,      /* real: 2j; rejected by inference */
    AST_STR,       /* str: escapes already resolved, adjacent literals joined */
    AST_TRUE, AST_FALSE, AST_NONE, AST_ELLIPSIS,
    AST_TUPLE,     /* items */
    AST_LIST,      /* items: only as an argument of np.array and the like */
    AST_UNARY,     /* op, left */
    AST_BINARY,    /* op, left, right */
    AST_BOOL,      /* op AND or OR: items, two or more */
    AST_COMPARE,   /* items: the n + 1 operands; ops: the n operators */
    AST_TERNARY,   /* left if cond else right */
    AST_CALL,      /* left is the callee; items the positional arguments; keywords */
    AST_ATTR,      /* left.name */
    AST_SUBSCRIPT, /* left[items]: one item or, for a[i, j], several; each an expression, AST_SLICE,
                      AST_ELLIPSIS or AST_NONE */
    AST_SLICE,     /* left : right : cond, each NULL when absent */
    AST_NAMED,     /* name := left */
} AstExprKind;
/* clang-format on */

typedef struct AstKeyword {
    const char *name;
    AstExpr *value;
    JrSpan span; /* of the name */
} AstKeyword;

struct AstExpr {
    AstExprKind kind;
    AstOp op;
    uint32_t id;     /* dense in the enclosing function */
    JrSpan span;     /* of the whole expression, clipped to its first line */
    JrSpan at;       /* where to point: the operator, the bracket, the attribute's name */
    uint32_t height; /* of the tree below, at most AST_MAX_HEIGHT: later stages recurse */
    bool assigns;    /* AST_NAMED, or one is below */
    bool acts;       /* AST_CALL or AST_NAMED, or one is below */
    const char *name;
    AstExpr *left, *right, *cond;
    AstExprs items;
    JR_VEC(AstOp) ops;
    JR_VEC(AstKeyword) keywords;
    union {
        unsigned __int128 big;
        double real;
        struct {
            const char *bytes;
            uint32_t len;
        } str;
    } u;
};

/* clang-format off */
typedef enum AstStmtKind {
    AST_ASSIGN,    /* targets = value; several targets for a = b = value */
    AST_AUG,       /* targets[0] op= value */
    AST_ANN,       /* targets[0]: annotation [= value] */
    AST_EXPR,      /* value */
    AST_IF,        /* value: the condition; body, orelse (elif is an If within orelse) */
    AST_WHILE,     /* value, body, orelse (the loop's else) */
    AST_FOR,       /* for targets[0] in value: body, orelse */
    AST_BREAK, AST_CONTINUE, AST_PASS,
    AST_RETURN,    /* value, or NULL */
    AST_ASSERT,    /* value, message (or NULL) */
    AST_RAISE,     /* value: the exception, a name or a call; NULL for a bare raise */
    AST_DEF,       /* func */
    AST_IMPORT,    /* imports */
    AST_DEL,       /* targets, names */
    AST_GLOBAL,    /* imports, for their names: refused by inference with what to do instead */
} AstStmtKind;
/* clang-format on */

/* `import module as name`, or `from module import item as name`. */
typedef struct AstImport {
    const char *module; /* "numpy", "os.path" */
    const char *item;   /* NULL for a plain import; "*" too */
    const char *name;   /* what it is called here */
    JrSpan span;
} AstImport;

struct AstStmt {
    AstStmtKind kind;
    AstOp op;
    bool out;    /* an assignment that was written np.f(..., out=a) */
    JrSpan span; /* of its first line, without a block */
    AstExprs targets;
    AstExpr *value, *annotation, *message;
    AstBlock body, orelse;
    AstFunc *func;
    JR_VEC(AstImport) imports;
};

typedef struct AstParam {
    const char *name;
    AstExpr *annotation;  /* or NULL */
    AstExpr *fallback;    /* the default value, or NULL */
    bool keyword_only;    /* after a bare * */
    bool positional_only; /* before a / */
    bool captured; /* no caller passes it: a variable of the function around (fe_inner_find) */
    JrSpan span;
} AstParam;

struct AstFunc {
    const char *name; /* "<module>" for the body */
    JrSpan span;      /* of `def name` */
    JR_VEC(AstParam) params;
    AstExpr *returns; /* the annotation, or NULL */
    AstExprs decorators;
    AstBlock body;
    const char *docstring; /* or NULL */
    uint32_t expr_count;   /* ids are below it; annotations, defaults and decorators too */
};

typedef struct AstModule {
    JrArena *arena;
    const JrSource *source;
    AstFunc *body; /* every top-level statement in order, DEF and IMPORT among them */
} AstModule;

/* Parses a whole source text. Errors go to diags, up to their limit, and parsing resumes at the
 * next statement; the result is never NULL but is to be used only if there were none. Python that
 * the language leaves out (class, try, with, lambda, yield, f-strings, comprehensions, ...) gets
 * an error that names it and says what to write. Brackets, blocks and unary operators nest
 * AST_MAX_DEPTH deep at most; chains (a + b + c ..., if/elif/elif ...) may be longer, up to
 * AST_MAX_HEIGHT. The parser resolves: break, continue and return stand where they may; functions
 * are defined at the top level, or in a function there; targets can be assigned to; a statement that is only a
 * string or `...` is AST_PASS, and a docstring is not in the body. */
enum { AST_MAX_DEPTH = 200, AST_MAX_HEIGHT = 1000 };
AstModule *fe_ast_parse(JrArena *arena, const JrSource *source, JrDiags *diags);

/* For --dump tokens and --dump ast. */
void fe_ast_dump_tokens(JrArena *arena, const JrSource *source, JrText *out);
void fe_ast_dump(const AstModule *module, JrText *out);

#endif

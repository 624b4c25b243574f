/* The types inference works with: those of the IR, and what only the compiler sees (tuples,
 * literals that have not met a type yet, functions, dtypes, modules). Interned per compilation:
 * two types are the same if their pointers are. */
#ifndef JR_FRONTEND_TYPES_H
#define JR_FRONTEND_TYPES_H

#include "frontend/syntax/ast.h"
#include "ir/ir.h"

typedef enum FeKind {
    FE_UNKNOWN,  /* not inferred yet: the bottom of the lattice */
    FE_ERROR,    /* an error was reported: silences everything that follows from it */
    FE_NONE,     /* None */
    FE_SCALAR,   /* ir: a scalar */
    FE_ARRAY,    /* ir: an array */
    FE_TUPLE,    /* items, count; elements are scalars, arrays, tuples or None */
    FE_WEAK_INT, /* an int literal, a module constant, or a variable that only ever held such */
    FE_WEAK_FLOAT, /* likewise */
    FE_STR,        /* a string, which is known when the function is compiled: text */
    FE_RANGE,     /* range(...), prange(...), enumerate(...), zip(...): what a for goes over */
    FE_DTYPE,     /* np.float32, int, bool as values: ir is the type they make */
    FE_FUNC,      /* a function of this module: func; items: what it captures, as in a tuple */
    FE_BUILTIN,   /* builtin: its row */
    FE_HOST,      /* a C function of the program's: host */
    FE_MODULE,    /* np, math: name is the real module name */
    FE_EXCEPTION, /* ValueError: exc */
    FE_RECORD,    /* what makes named tuples: record */
    FE_LIST,      /* a list display, as np.array's argument: items as in a tuple */
} FeKind;

/* What namedtuple("Point", "x y") made. */
typedef struct FeRecord {
    const char *name;
    uint32_t count;
    const char **fields;
} FeRecord;

typedef struct FeType FeType;
struct FeType {
    FeKind kind;
    IrType ir;
    const FeType **items;
    uint32_t count;
    uint32_t
        size; /* of a tuple or list: the items of its items, and so on, each one at least */
    struct FeFunc *func;
    const FeRecord *record; /* RECORD; TUPLE: its items' names, or NULL */
    const struct FeBuiltin *builtin;
    const struct FeHost *host;
    const struct FeConst *text; /* STR */
    const char *name;           /* MODULE; and what messages call any type: "float64[:]" */
    IrExc exc;
    FeType *next; /* the interning table's chain */
};

/* Of a tuple, and of a list: nesting makes them grow without bound in a few lines. */
enum { FE_MAX_TUPLE = 10000, FE_MAX_LIST = 1000000 };

typedef struct FeTypes {
    JrArena *arena;
    JrTable interned;
    const FeType *unknown, *error, *none, *weak_int, *weak_float, *range;
    const FeType *scalars[TY_COUNT];
} FeTypes;

void fe_types_init(FeTypes *types, JrArena *arena);
const FeType *fe_type_ir(FeTypes *types, IrType ir); /* a scalar or an array */
const FeType *fe_type_tuple(FeTypes *types, uint32_t count, const FeType *const *items);
const FeType *fe_type_record(FeTypes *types, const FeRecord *record);
/* A named tuple, of as many items as there are fields. */
const FeType *fe_type_named(FeTypes *types, const FeRecord *record,
                            const FeType *const *items);
const FeType *fe_type_list(FeTypes *types, uint32_t count, const FeType *const *items);
const FeType *fe_type_dtype(FeTypes *types, IrScalar scalar);
const FeType *fe_type_func(FeTypes *types, struct FeFunc *func);
/* A function inside another, with the types of what it captures. */
const FeType *fe_type_closure(FeTypes *types, struct FeFunc *func, uint32_t count,
                              const FeType *const *items);
/* FE_BUILTIN; a conversion is FE_DTYPE, with its row besides. */
const FeType *fe_type_builtin(FeTypes *types, const struct FeBuiltin *builtin);
const FeType *fe_type_host(FeTypes *types, const struct FeHost *host);
struct FeHostType;
/* The type that stands at *at; *at is moved beyond it. */
const FeType *fe_type_of_host(FeTypes *types, const struct FeHostType **at);
/* Of one string: two of the same characters have one type. */
const FeType *fe_type_str(FeTypes *types, const struct FeConst *text);
const FeType *fe_type_module(FeTypes *types, const char *name);
const FeType *fe_type_exception(FeTypes *types, IrExc exc);
/* How messages name it: "float64", "int literal", "tuple(int64, float64)". */
const char *fe_type_name(FeTypes *types, const FeType *type);

/* The type a weak one takes when nothing decides otherwise: int64, float64; tuples recursively. */
const FeType *fe_type_strong(FeTypes *types, const FeType *type);

/* NumPy 2's promotion (NEP 50) of two scalar or weak types, and Python's of bools; NULL for
 * int64 with uint64 and for kinds that do not mix. Weak with weak stays weak. */
const FeType *fe_promote(FeTypes *types, const FeType *a, const FeType *b);

/* The join of two assignments to one variable: as fe_promote for scalars, element by element for
 * tuples, the more general layout for arrays that differ in layout alone; NULL if there is none. */
const FeType *fe_unify(FeTypes *types, const FeType *a, const FeType *b);

/* Whether a value of type `from` may be passed where `to` is declared: same, a weak or narrower
 * number that converts without loss of kind (int to float yes, float to int no), T[::1] to T[:]. */
bool fe_accepts(const FeType *to, const FeType *from);

/* Whether a value of it is known when the function is compiled: a function, whose code takes no place but for
 * what it captures, an element type, or a string. It may be passed to functions, which are specialised for it. */
static inline bool fe_type_is_static(const FeType *type) {
    return type->kind == FE_FUNC || type->kind == FE_BUILTIN || type->kind == FE_HOST ||
           type->kind == FE_DTYPE || (type->kind == FE_STR && type->text);
}
/* Whether its values are those of its items: a tuple; a function with what it captures. */
static inline bool fe_type_is_product(const FeType *type) {
    return type->kind == FE_TUPLE || type->kind == FE_FUNC;
}
/* fe_type_is_static of an item, at any depth. */
bool fe_type_has_static(const FeType *type);

/* What an operator does with two scalars: both operands are cast to `operand`, the operation
 * gives `result`. b is NULL for a unary one. False if the operator does not take these types. */
typedef struct FeOperation {
    IrScalar operand;
    IrScalar result;
} FeOperation;
bool fe_operation(FeTypes *types, AstOp op, const FeType *a, const FeType *b,
                  FeOperation *out);

#endif

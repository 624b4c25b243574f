/* What the files of the LLVM engine share: the state of one compilation and of one function.
 *
 *   engine.c   the plug-in's face: compile, find, release, text
 *   reach.c    which functions there are to generate
 *   module.c   signatures, functions, the entries that are called from outside
 *   types.c    types, constants, metadata, declarations of what is called
 *   value.c    registers: where their values live
 *   arith.c    scalar instructions            cast.c  conversions
 *   array.c    headers, elements, views       own.c   allocation and counted references
 *   control.c  statements, branches           loops.c loops
 *   range.c    bounds checks moved in front   front.c what has a value there   ask.c  the questions
 *   apart.c    accesses that share nothing    slow.c  slow twins as functions
 *   carry.c    what goes from one iteration to the next
 *   call.c     calls, runtime calls, errors
 *   narrow.c   loops over arrays whose last axis is short
 *   spread.c   indices of which the ends are known   front.c what stays the same in a loop
 *   self.c     functions that call themselves
 *   pointer.c  functions with a C signature
 *   target.c   target machines, passes, machine code
 *   strength.c a pass of our own
 *   jit.c      linking machine code into the process
 *   keep.c     machine code kept for later processes
 *
 * An internal function takes the JrRt, then its parameters, arrays exploded into data, owner,
 * dims and (LAYOUT_ANY) strides. It returns its results the same way, in a struct after an
 * int32 status if it can fail. LLVM keeps all of that in registers, inlines it and drops what
 * is not used. A bool is an i1 in registers and a byte in memory. */
#ifndef JR_BACKEND_LLVM_GEN_H
#define JR_BACKEND_LLVM_GEN_H

#include "backend/engine.h"

#include <llvm-c/Core.h>

/* An array's parts: values, or the allocas that hold them. Strides only for LAYOUT_ANY. */
typedef struct GenArray {
    LLVMValueRef data, owner;
    LLVMValueRef dims[IR_MAX_DIMS], strides[IR_MAX_DIMS];
} GenArray;

typedef struct GenReg {
    LLVMValueRef value; /* scalars */
    GenArray *array;    /* arrays */
    bool in_memory;     /* both are allocas, which LLVM turns into values */
} GenReg;

/* What a function that calls itself has besides (self.c). */
typedef enum GenSigKind { SIG_ITSELF, SIG_COPY, SIG_BASE } GenSigKind;

/* An internal function and how it is called. */
typedef struct GenSig {
    const IrFunc *ir;
    LLVMValueRef fn;
    LLVMTypeRef type, ret;
    bool fails;          /* the first result is the status */
    uint32_t nparts;     /* values returned besides the status */
    struct GenSig *next; /* what a call of itself calls */
    GenSigKind kind;
    bool reached;                /* from outside: it has code */
    struct GenSig *next_reached; /* whose callees are to be looked at */
    bool called, is_region;      /* by CALL, by PARALLEL */
    bool is_large;        /* it has loops, or so many statements that they outweigh a call */
    uint32_t stmts;       /* its own, loops counting for many */
    LLVMValueRef entry;   /* of an exported function or a region's body, or NULL */
    LLVMValueRef pointer; /* with its C signature, or NULL */
} GenSig;

/* What a module's passes depend on. */
typedef struct TargetNeeds {
    bool strided; /* a loop goes through arrays that are not contiguous for it */
    bool packed;  /* a loop loads neighbours of a byte or two and computes in their type */
    bool narrows; /* a loop makes integers smaller */
    bool long_division; /* divides products */
    bool slow;          /* slow twins are functions (slow.c) */
    bool carried;       /* a loop may load what its iteration before has stored */
} TargetNeeds;

typedef struct Gen {
    const IrModule *ir;
    const JrEngineOptions *options;
    JrArena *arena; /* scratch, of this compilation */
    LLVMContextRef ctx;
    LLVMModuleRef module;
    LLVMBuilderRef b, allocas;
    LLVMTypeRef i1, i8, i32, i64, i128, ptr, none;
    LLVMTypeRef scalar[TY_COUNT]; /* in registers */
    LLVMTypeRef memory[TY_COUNT]; /* in memory */
    LLVMTypeRef where;
    LLVMValueRef file;
    LLVMValueRef likely;    /* branch weights: the first successor is the usual one */
    LLVMValueRef host;      /* where code that is kept finds options->host, if it needs it */
    LLVMMetadataRef scopes; /* the domain of alias scopes, made on first use */
    unsigned md_prof, md_invariant, md_scope, md_noalias, md_unpredictable;
    int level; /* of optimisation, 0 to 3 */
    TargetNeeds needs;
    JrTable sigs;               /* IrFunc.name -> GenSig */
    GenSig *reached;            /* those not looked at yet */
    uint32_t stmts, most_stmts; /* of all functions reached, of the largest */
} Gen;

typedef struct GenLoop {
    struct GenLoop *outer;
    LLVMBasicBlockRef on_break, on_continue;
    bool searches; /* a `while` loop, whose branches depend on what it finds */
    bool clear;    /* no access in it has a check left */
} GenLoop;

/* What is known of a statement inside the loop being generated: of an access, on which axes the
 * index is within the array, and what it touches; of a comparison, how it ends. */
typedef struct GenProof {
    const IrStmt *stmt;
    uint32_t axes;          /* a bit per axis */
    struct GenPlace *place; /* or NULL */
    bool truth;
    bool dividend;      /* a remainder: it is what is divided */
    bool exact;         /* a conversion to an integer: it is in its range */
    LLVMValueRef value; /* what it computes, known in front of the loop; or NULL */
} GenProof;

/* What the loop being looked at does to a register (range.c). */
typedef struct GenUse {
    const IrStmt *def; /* the write, if it is one, at the top level, or of a TEMP */
    uint32_t writes, pos;
    bool stored; /* an array: to an element */
    IrReg front; /* what stands for it in front of the loop: 1 + a register; 0: unknown */
    LLVMValueRef value;     /* ... if that is this one: what it is there */
    LLVMValueRef low, high; /* what its values are between in the quick twin; or NULL */
} GenUse;

enum { GEN_MAX_PLACES = 16, GEN_MAX_POINTS = 4 };

/* What one or more accesses of the loop being looked at touch: an array, or in an array that is stored to
 * the elements of one index (apart.c). */
typedef struct GenPlace {
    IrReg array;
    const struct Affine *index; /* one per axis; NULL: any element */
    bool stored;
    LLVMMetadataRef scope;           /* of its accesses, if it is stored to */
    LLVMValueRef inside, outside;    /* what its accesses are marked with, or NULL */
    uint32_t apart;                  /* a bit for each place that it shares nothing with */
    uint32_t apart_in_pieces;        /* ... and each with which it does not in a piece alone */
    uint32_t last_load, first_store; /* positions in the body; 0: none */
    LLVMValueRef ahead; /* in one piece: its last index less its factor times the counter */
} GenPlace;

enum { GEN_PIECE = 256, GEN_GUESSED_STORES = 2 };

typedef struct GenGuessedStore {
    const IrStmt *stmt;
    LLVMValueRef first,
        buffer; /* the element for a counter of 0; what stands for a piece of them */
} GenGuessedStore;

/* A quick twin that goes on where an index is not within its array (guess.c). */
typedef struct GenGuess {
    LLVMValueRef bad; /* holds whether one was not; NULL: there is no such twin */
    LLVMValueRef at;  /* where the piece begins */
    uint32_t nstores;
    GenGuessedStore stores[GEN_GUESSED_STORES];
} GenGuess;

/* How a loop is run as two (range.c): quick where `sure` holds, but for the iterations `points`, in
 * pieces of at most `length` iterations. Where `in_order` holds too, it needs no pieces, but takes
 * a twin of its own (apart.c); without `in_pieces` that is the only quick one. */
typedef struct GenPlan {
    LLVMValueRef sure;
    bool exact;             /* where it does not hold, something is wrong or unusual */
    LLVMValueRef in_order;  /* NULL: there is no such twin */
    LLVMValueRef in_pieces; /* what else has to hold if there are pieces */
    bool whole;             /* the twin in one piece is being generated */
    IrReg counter;
    uint32_t npoints;
    LLVMValueRef points[GEN_MAX_POINTS];
    LLVMValueRef length; /* NULL: any */
    uint32_t nplaces;
    bool too_many_places;
    bool checks; /* an access has a check left */
    GenPlace places[GEN_MAX_PLACES];
    GenGuess guess;
    JR_VEC(GenProof) proofs;
} GenPlan;

/* The element that a load has found. */
typedef struct GenFound {
    const IrStmt *load;
    LLVMValueRef at;
} GenFound;

enum { GEN_FOUND = 4 };

/* A store that both arms of an `if` end in, which is done behind it. */
typedef struct GenHeld {
    const IrStmt *store; /* one of them, once they have been generated */
    LLVMValueRef value;
} GenHeld;

/* Stores at the ends of an `if`, to one element that is within its array. */
typedef struct GenEither {
    const IrStmt *stores[2];
    LLVMValueRef at; /* NULL: there are none */
} GenEither;

typedef struct GenFunc {
    Gen *g;
    const IrFunc *ir;
    const GenSig *sig;
    LLVMValueRef rt, name;
    LLVMBuilderRef allocas; /* at the end of the entry block */
    LLVMBasicBlockRef exit; /* releases, then returns what status and parts hold */
    LLVMValueRef status, *parts;
    GenReg *regs;
    GenLoop *loop;
    const GenPlan *plan;         /* of the quick twin being generated, or NULL */
    GenUse *uses;                /* by register, all zero between loops */
    struct GenMention *mentions; /* by register (slow.c) */
    GenFound found[GEN_FOUND];   /* by the last loads; the next goes to nfound % GEN_FOUND */
    unsigned nfound;
    GenEither either;
    GenHeld *held; /* where stores go instead, or NULL */
    uint32_t nguesses;
    uint32_t ncold;                               /* branches to what hardly ever runs */
    LLVMValueRef rt_args, rt_results, headers[4]; /* buffers for calls, made on first use */
    LLVMValueRef where;                           /* the last one, of where_span */
    JrSpan where_span;
    bool fast;
    bool one_by_one; /* the loop being generated is not worth vectors */
    bool many_owned; /* owners stay in memory (value.c) */
} GenFunc;

/* ---- types.c ---- */
void jr_gen_init(Gen *g);
LLVMValueRef jr_gen_const(Gen *g, IrScalar scalar, IrConst value);
LLVMValueRef jr_gen_int(Gen *g, int64_t value);   /* an i64 */
LLVMValueRef jr_gen_int32(Gen *g, int32_t value); /* an i32 */
LLVMValueRef jr_gen_string(Gen *g, const char *bytes, size_t len);
LLVMValueRef jr_gen_where(GenFunc *f, JrSpan span);
void jr_gen_attr(Gen *g, LLVMValueRef fn, unsigned index, const char *name, uint64_t value);
LLVMValueRef jr_gen_intrinsic(Gen *g, const char *name, uint32_t ntypes, LLVMTypeRef *types,
                              uint32_t nargs, LLVMValueRef *args);
/* A call of one of the helpers of ir/rt.h. */
LLVMValueRef jr_gen_helper(Gen *g, const char *name, uint32_t nargs, LLVMValueRef *args);
/* A call of a function of libm or the like, exactly this one, free of side effects. */
LLVMValueRef jr_gen_libm(Gen *g, const char *name, LLVMTypeRef type, uint32_t nargs,
                         LLVMValueRef *args, bool exactly);
/* A call of a runtime function of rtcalls.def. */
LLVMValueRef jr_gen_runtime(Gen *g, const char *name, LLVMValueRef *args);

/* ---- value.c ---- */
void jr_gen_regs(GenFunc *f);
LLVMValueRef jr_gen_value(GenFunc *f, IrReg reg);
void jr_gen_set(GenFunc *f, IrReg reg, LLVMValueRef value);
GenArray jr_gen_array(GenFunc *f, IrReg reg);
/* Counted references are the caller's business. */
void jr_gen_set_array(GenFunc *f, IrReg reg, const GenArray *array);
LLVMValueRef jr_gen_alloca(GenFunc *f, LLVMTypeRef type, const char *name);
uint32_t jr_gen_nparts(IrType type);
void jr_gen_part_types(Gen *g, IrType type, LLVMTypeRef *out);
/* An array to and from its parts: data, owner, dims, strides. */
void jr_gen_explode(const GenArray *array, IrType type, LLVMValueRef *parts);
void jr_gen_implode(GenArray *array, IrType type, const LLVMValueRef *parts);

/* ---- arith.c, cast.c ---- */
/* What an operation on int64s gives, without branches; the divisor is not 0. */
LLVMValueRef jr_gen_int_op(GenFunc *f, const IrStmt *s, LLVMValueRef a, LLVMValueRef b);
void jr_gen_binary(GenFunc *f, const IrStmt *s);
void jr_gen_unary(GenFunc *f, const IrStmt *s);
void jr_gen_compare(GenFunc *f, const IrStmt *s);
void jr_gen_math(GenFunc *f, const IrStmt *s);
void jr_gen_cast(GenFunc *f, const IrStmt *s);
void jr_gen_bits(GenFunc *f, const IrStmt *s);
LLVMValueRef jr_gen_fast(GenFunc *f, LLVMValueRef value); /* adds the fast-math flags */

/* ---- array.c ---- */
LLVMValueRef jr_gen_stride(GenFunc *f, IrType type, const GenArray *array, unsigned axis);
/* The register as an array of type `to`, which differs in layout at most. */
GenArray jr_gen_array_as(GenFunc *f, IrReg reg, IrType to);
/* Whether all of the access' indices are within the array, none counting from the end; where it is then. */
LLVMValueRef jr_gen_is_inside(GenFunc *f, const IrStmt *s);
LLVMValueRef jr_gen_element_inside(GenFunc *f, const IrStmt *s);
/* Whether a load in front of the access has found the element. */
bool jr_gen_was_found(const GenFunc *f, const IrStmt *s);
void jr_gen_load(GenFunc *f, const IrStmt *s);
void jr_gen_store_value(GenFunc *f, const IrStmt *s, LLVMValueRef value);
void jr_gen_store(GenFunc *f, const IrStmt *s);
void jr_gen_dim(GenFunc *f, const IrStmt *s);
void jr_gen_view(GenFunc *f, const IrStmt *s);
void jr_gen_transpose(GenFunc *f, const IrStmt *s);
void jr_gen_broadcast(GenFunc *f, const IrStmt *s);
void jr_gen_reshape(GenFunc *f, const IrStmt *s);
/* Writes a JrArray header; reads one. */
void jr_gen_header_store(GenFunc *f, LLVMValueRef header, IrType type, const GenArray *array);
void jr_gen_header_load(Gen *g, LLVMValueRef header, IrType type, GenArray *array);
LLVMValueRef jr_gen_header(GenFunc *f, unsigned which); /* a buffer for one */

/* ---- own.c ---- */
void jr_gen_alloc(GenFunc *f, const IrStmt *s);
void jr_gen_assign(GenFunc *f, const IrStmt *s);
void jr_gen_retain(GenFunc *f, LLVMValueRef owner);
void jr_gen_release(GenFunc *f, LLVMValueRef owner);
/* Puts a counted array into an owned register and releases what it held. */
void jr_gen_take(GenFunc *f, IrReg reg, const GenArray *array);

/* ---- control.c ---- */
void jr_gen_block(GenFunc *f, const IrBlock *block);
void jr_gen_stmt(GenFunc *f, const IrStmt *s);
LLVMBasicBlockRef jr_gen_label(GenFunc *f, const char *name);
void jr_gen_start(GenFunc *f, LLVMBasicBlockRef block); /* what is built next goes there */
/* Branches to a new cold block unless `ok`, and goes on there; returns the block for the usual
 * way, where jr_gen_fail leaves the builder. */
LLVMBasicBlockRef jr_gen_unless(GenFunc *f, LLVMValueRef ok, const char *name);
void jr_gen_fail(GenFunc *f, LLVMValueRef status, LLVMBasicBlockRef usual);
void jr_gen_trap_unless(GenFunc *f, LLVMValueRef ok, IrTrap trap, JrSpan span);
/* The same for a status just returned. */
void jr_gen_check_status(GenFunc *f, LLVMValueRef status, const IrStmt *call);

/* ---- narrow.c ---- */
void jr_gen_for(GenFunc *f, const IrStmt *loop);

/* ---- loops.c ---- */
void jr_gen_for_once(GenFunc *f, const IrStmt *s);
void jr_gen_loop(GenFunc *f, const IrStmt *s);
/* Whether vectors would not help the counted loop. */
bool jr_gen_gains_nothing(const GenFunc *f, const IrStmt *s);
/* The loop once more, between other bounds, for what hardly ever runs. */
void jr_gen_iterate(GenFunc *f, const IrStmt *s, LLVMValueRef lo, LLVMValueRef hi,
                    LLVMValueRef step);

/* ---- slow.c ---- */
/* Whether that may be a call of a function of its own; the call. */
bool jr_gen_can_be_slow(GenFunc *f, const IrStmt *loop);
void jr_gen_slow(GenFunc *f, const IrStmt *loop, const LLVMValueRef bounds[3]);

/* ---- range.c ---- */
/* How the loop is best run as two; plan->sure is NULL if there is nothing to ask. Takes an empty
 * plan, which then has to live until its quick twin is generated. */
void jr_gen_plan(GenFunc *f, const IrStmt *loop, GenPlan *plan);
/* What is known of a statement in the quick twin; or NULL. */
const GenProof *jr_gen_proof(const GenFunc *f, const IrStmt *s);

/* ---- apart.c ---- */
void jr_gen_apart(GenFunc *f, const IrStmt *s);
/* From here on the plan's places are apart. */
void jr_gen_open_scopes(GenFunc *f, GenPlan *plan);
void jr_gen_set_scope(GenFunc *f, const IrStmt *s, LLVMValueRef access);
/* The index on the last axis if it is to be computed otherwise than it is written; or NULL. */
LLVMValueRef jr_gen_index_ahead(GenFunc *f, const IrStmt *s);
/* Whether the access is to one element in all iterations. */
bool jr_gen_stays(const GenProof *proof, const GenFunc *f);

/* ---- carry.c ---- */
/* Whether an iteration of the loop, whose plan is f->plan, may load what the one before has stored; or, if it is `unrolled`, one
 * of the loop around it. */
bool jr_gen_carries(const GenFunc *f, const IrStmt *loop, bool unrolled);

/* ---- guess.c ---- */
/* The index, or 0 and a note if it is not within the array. */
LLVMValueRef jr_gen_guess_index(GenFunc *f, LLVMValueRef index, LLVMValueRef dim);
/* Stores to the buffer; false if that is not what is to be done. */
bool jr_gen_guess_store(GenFunc *f, const IrStmt *s, LLVMValueRef value);
/* Copies `length` elements of each buffer to where they belong. */
void jr_gen_guessed_right(GenFunc *f, const GenGuess *guess, LLVMValueRef length);

/* ---- call.c ---- */
void jr_gen_call(GenFunc *f, const IrStmt *s);
void jr_gen_rt(GenFunc *f, const IrStmt *s);
void jr_gen_host(GenFunc *f, const IrStmt *s); /* host.c */
void jr_gen_parallel(GenFunc *f, const IrStmt *s);
void jr_gen_raise(GenFunc *f, const IrStmt *s);
void jr_gen_poll(GenFunc *f, const IrStmt *s);
void jr_gen_return(GenFunc *f, const IrStmt *s);

/* ---- self.c ---- */
uint32_t jr_gen_count_copies(const Gen *g, const IrFunc *ir);
bool jr_gen_wants_base(const Gen *g, const IrFunc *ir);
void jr_gen_base(GenFunc *f); /* the body of a SIG_BASE */

/* ---- pointer.c ---- */
/* sig->pointer: the function with its C signature. */
void jr_gen_declare_pointer(Gen *g, GenSig *sig, const JrCSignature *c);
void jr_gen_define_pointer(Gen *g, const GenSig *kernel, const JrCSignature *c);

/* ---- reach.c ---- */
/* In statements: what the passes get through in good time, as one function. */
enum { JR_GEN_LARGE = 3000 };
/* How the function is called from outside: through its entry; by its C signature. */
bool jr_gen_wants_entry(const JrEngineOptions *options, const IrFunc *func);
bool jr_gen_wants_pointer(const JrEngineOptions *options, const IrFunc *func);
/* Finds every function that is called from outside (through entries, if there are to be any) and
 * those that they reach. */
void jr_gen_reach(Gen *g, bool entries);

/* ---- module.c ---- */
void jr_gen_function_attrs(Gen *g, LLVMValueRef fn);
void jr_gen_rt_param_attrs(Gen *g, LLVMValueRef fn); /* of the first parameter */
/* Generates the functions that jr_gen_reach found; and under the
 * name `table` the entries of the former, followed by as many functions with C signatures, with
 * NULLs for those that are not wanted, and by where to put options->host, or NULL. Without a table
 * there are only the functions with C signatures. */
void jr_gen_module(Gen *g, const char *table);

#endif

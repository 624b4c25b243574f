/* What the interpreter runs: instructions, frames and the tables around them.
 *
 * A frame is a run of 8-byte slots, addressed by byte offset from its start:
 *
 *     params | variables, owned arrays, temporaries | constants | link || callee's params ...
 *     ^ fp                                                              ^ fp + frame_bytes
 *
 * A scalar takes one slot, an array its whole header (JrArray, 2 + 2 * ndim slots). A caller
 * writes arguments where the callee's frame will lie, so that a call moves nothing. The link
 * is the slot below a frame: the call instruction that made it. Frames hold no pointers into
 * frames, so the stack can move when it grows.
 *
 * Code of a module is one block: immutable, shared by any number of threads. */
#ifndef JR_INTERP_BYTECODE_H
#define JR_INTERP_BYTECODE_H

#include "backend/engine.h"

typedef enum BcOp {
#define JB_VALUE(ID, text, operands, member, expr) BC_##ID,
#define JB_GUARD(ID, text, operands, trap, bad, member, expr) BC_##ID,
#define JB_JUMP(ID, text, operands, target, condition) BC_##ID,
#define JB_LOAD(ID, text, operands, check, ctype, member, index) BC_##ID,
#define JB_STORE(ID, text, operands, check, ctype, value, index) BC_##ID,
#define JB_SPECIAL(ID, text, operands) BC_##ID,
#define JB_PICK(op, type, ID)
#include "backend/interp/bytecode.def"
#undef JB_VALUE
#undef JB_GUARD
#undef JB_JUMP
#undef JB_LOAD
#undef JB_STORE
#undef JB_SPECIAL
#undef JB_PICK
    BC_FUSED,
    BC_BEFORE_FUSED = BC_FUSED - 1,
#define JB_FUSE_EVERY(FIRST, SECOND, via) BC_##FIRST##_##SECOND##_##via,
#include "backend/interp/fuse.def"
    BC_COUNT
} BcOp;

typedef struct Instr Instr;
typedef struct Run Run;
/* Runs the instruction and, in the end, the next one's handler: NULL when all is done (or, where
 * the compiler cannot turn that call into a jump, the next instruction). */
typedef const Instr *BcHandler(const Instr *ip, char *fp, Run *run);

struct Instr {
    union {
        BcHandler *handler; /* once linked */
        uint64_t op;        /* BcOp before */
    };
    uint32_t a, b;
    union {
        struct {
            uint32_t c, d;
        };
        int64_t k;
        void *p;
    };
};

/* A slot and an array header in a frame: the memory is used as either. */
typedef union Slot {
    int64_t i;
    uint64_t u;
    double d;
    float f;
    void *p;
    const Instr *site;
} Slot;

typedef struct __attribute__((may_alias)) Header {
    void *data;
    JrBuffer *owner;
    int64_t dims[]; /* then the strides */
} Header;

/* What an error at an instruction needs, beside the code so that the code stays dense. */
typedef struct Place {
    uint32_t where;      /* index in wheres */
    uint8_t check, wrap; /* LOAD and STORE: a bit per axis */
    uint16_t op : 14;    /* the BcOp, without those fused to it */
    uint16_t once : 1;   /* its result is read once, and not by another round of a loop */
    uint16_t
        brief : 1; /* its result is dead before its slot is written again or the round of a loop ends */
} Place;

/* One operand of an instruction with many. */
typedef struct Operand {
    uint32_t slot; /* strings: the offset of the bytes */
    uint32_t bits; /* the type's; strings: their length */
    char kind;     /* rtcalls.def's letter; 'r' and 'a' a slot or array where no letter is */
    uint8_t ndim;
    bool owned;
} Operand;

typedef struct Record {
    void *address;           /* RT, MATH2: the function */
    const JrHostEntry *host; /* HOST: what is called */
    uint32_t first;          /* operands: ndsts destinations, then nargs arguments */
    uint32_t ndsts, nargs;
    uint32_t func; /* RETURN_MANY: the function that returns. PARALLEL: the body. */
    uint8_t imm;   /* ALLOC: zeroed. RAISE: the IrExc. */
    uint8_t check, wrap;
    char axes[2 * IR_MAX_DIMS + 1];
} Record;

/* An index of an element in terms of what is known where its loop begins:
 *
 *     (p + p_more) * (q + q_more) + base + more + coefficient * counter + constant
 *
 * p, q, base and more are slots, or NO_STEP. If it `varies`, p is the counter. */
typedef struct IndexSum {
    uint32_t p, q, base, more;
    int32_t p_more, q_more, coefficient;
    int64_t constant;
    bool varies;
} IndexSum;
enum { COEFFICIENT_LIMIT = 1 << 20 };
#define NO_STEP UINT32_MAX

/* Elements that lie at fixed distances from one that moves by a fixed step: slot `to` points to it, and
 * moves by what is in slot `step` in each round. */
typedef struct OpenPointer {
    uint32_t array, to, step; /* NO_STEP: it does not move */
    uint32_t indices;         /* one for each axis, in index_sums */
    int32_t low, high;        /* elements beside it, along the last axis */
    uint8_t ndim, size;       /* of an element, in bytes */
    bool strided;             /* not C-contiguous */
} OpenPointer;

/* A counted loop whose accesses are asked about before its first round (emit_open.c). */
typedef struct Opening {
    uint32_t step; /* a slot; NO_STEP: it is `by` */
    uint32_t pointers, npointers;
    int64_t by;
} Opening;

typedef struct Func {
    const char *name, *display;
    uint32_t code, code_end;            /* indices of instructions */
    uint32_t stub;                      /* exported: a call of it, then EXIT */
    uint32_t stub_bytes;                /* the stub's frame */
    uint32_t frame_bytes, window_bytes; /* own frame; the most that arguments take above it */
    uint32_t params, nparams;           /* operands */
    uint32_t rets, nrets;               /* operands; slots in the stub's frame */
    uint32_t owned, nowned;             /* operands: registers to release */
    uint32_t where;
    uint8_t inlined; /* how deep within other functions it may stand in place of a call */
    bool large;      /* too large to have others put into it */
    bool exported;
    bool entered; /* from outside: exported, or the body of a parallel region */
} Func;

/* The runtime's functions the interpreter itself calls. */
#define JB_HELPERS(X) \
    X(raise)          \
    X(raise_index)    \
    X(trap) X(trace) X(poll) X(array_new) X(retain) X(release) X(raise_shape) X(deep)
typedef struct Helpers {
#define JB_HELPER(name) __typeof__(&jr_rt_##name) name;
    JB_HELPERS(JB_HELPER)
#undef JB_HELPER
} Helpers;

struct JrCode {
    const JrAlloc *alloc;
    Helpers helpers;
    const Instr *code;
    const Place *places; /* one for each instruction */
    const Record *records;
    const Operand *operands;
    const Opening *openings;
    const OpenPointer *open_pointers;
    const IndexSum *index_sums;
    const JrWhere *wheres;
    const uint32_t
        *callers; /* for each: 1 + that of the call which is not there (inline.c), or 0 */
    const uint64_t *constants;
    const char *strings;
    const Func *funcs;      /* in the order of their code */
    const uint32_t *sorted; /* exported functions, by name */
    uint32_t nfuncs, nsorted, ncode;
    uint32_t stubs; /* code from here on is stubs */
};

/* One run on one thread. */
struct Run {
    const JrCode *code;
    JrRt *rt;
    char *stack, *limit; /* frames lie between */
    char *heap;          /* the stack, once it had to grow */
    char *fp;            /* between handlers that return (run.c) */
    int32_t status;      /* of the error under way */
};

static inline Slot *frame_slot(char *fp, uint32_t offset) {
    return (Slot *)(void *)(fp + offset);
}
static inline Header *frame_header(char *fp, uint32_t offset) {
    return (Header *)(void *)(fp + offset);
}
/* A header beside the frame, with room for any rank. */
typedef union Scratch {
    JrArray array;
    Slot room[2 + 2 * IR_MAX_DIMS];
} Scratch;
static inline const JrWhere *place_where(const JrCode *code, const Instr *ip) {
    return &code->wheres[code->places[ip - code->code].where];
}

/* By BcOp. */
extern BcHandler *const jr_interp_handlers[BC_COUNT];
/* Runs from `ip` in the frame at the bottom of the stack until EXIT: 0, or the error's status.
 */
int32_t jr_interp_run(Run *run, const Instr *ip);
/* JrCall.run. */
int32_t jr_interp_enter(const JrCall *call, JrRt *rt, void *const *args, void *const *results);

/* ---- slow.c ---- */

/* Does the instruction that a handler left alone; false: an error, whose status is set. */
bool jr_interp_slow(Run *run, const Instr *ip, char *fp);

/* ---- open.c ---- */

enum { FEW_ROUNDS = 6 };

/* Sets the pointers of the loop that the OPEN at ip begins; false: not all of its accesses are in range. */
bool jr_interp_open(const JrCode *code, const Instr *ip, char *fp);

/* ---- stack.c ---- */

/* Room for `need` bytes above offset `top`, for the call at `site`: where the frame at fp is
 * now, since the stack may have moved. Sets the status if there is none. (By value: a variable
 * whose address is taken gets no register in the dispatch loop.) */
char *jr_interp_grow(Run *run, char *fp, size_t top, size_t need, const Instr *site);
/* For the call at `site` in the frame at fp, which found too little room or that it is to look whether
 * to stop. The same result. */
char *jr_interp_make_room(Run *run, char *fp, const Instr *site);
/* Releases frames from `fp` down and adds the calls they made to the error's chain. */
int32_t jr_interp_unwind(Run *run, const Instr *ip, char *fp);
void jr_interp_leave(const JrCode *code, const Instr *ip, char *fp);
void jr_interp_return(const JrCode *code, char *fp, const Record *record);

/* ---- array.c ---- */

/* The index wrapped if it may be and is in range; -1 with the status set if not. */
int64_t jr_interp_fix_index(Run *run, const Instr *ip, const Header *array, unsigned axis,
                            unsigned ndim, int64_t index);
void jr_interp_assign(const JrCode *code, Header *dst, const Header *src, uint32_t slots);
void jr_interp_transpose(Header *dst, const Header *src, uint32_t ndim);
int32_t jr_interp_alloc(Run *run, const Instr *ip, char *fp, const Record *record);
int32_t jr_interp_view(Run *run, const Instr *ip, char *fp, const Record *record);
int32_t jr_interp_broadcast(Run *run, const Instr *ip, char *fp, const Record *record);
int32_t jr_interp_reshape(Run *run, const Instr *ip, char *fp, const Record *record);
int32_t jr_interp_rt(Run *run, const Instr *ip, char *fp, const Record *record);
/* An array result takes its place; what an owned register held before goes. */
void jr_interp_write_result(const Run *run, char *fp, const Operand *dst,
                            const Scratch *result);

/* ---- host.c ---- */

int32_t jr_interp_host(Run *run, const Instr *ip, char *fp, const Record *record);

/* ---- array.c, again ---- */

int32_t jr_interp_parallel(Run *run, const Instr *ip, char *fp, const Record *record);
int32_t jr_interp_raise(Run *run, const Instr *ip, const Record *record);

#endif

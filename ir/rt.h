/* The contract between compiled code and the runtime that it runs in. Engines know these layouts
 * and call these functions by name (JrSymbol); they never include runtime/.
 *
 * Calling a function of a module, whatever the engine, is
 *     status = entry(rt, args, results)
 * where args[i] and results[i] point at storage of the parameter's type: the scalar's C type
 * (ir/types.def) or, for an array, a JrArray header with room for 2 * ndim numbers. It is
 * libffi's convention. status is 0, or the IrExc that was raised; results are then untouched.
 * An array result is owned by the caller: release its owner. */
#ifndef JR_IR_RT_H
#define JR_IR_RT_H

#include "ir/ir.h"

/* Where in the source an error happened. Compiled code holds these as constant data. */
typedef struct JrWhere {
    const char *file;
    const char *func;
    int32_t line, col;
} JrWhere;

/* What one thread needs while it runs kernels. Compiled code reads these three members at fixed
 * offsets; the runtime's own state lies behind them (runtime/rt/rt.h). */
typedef struct JrRt {
    char *stack_limit;              /* call jr_rt_deep from a frame below this address */
    const volatile int32_t *cancel; /* other than `seen`: the run is to stop. Never NULL. */
    int32_t status;                 /* of the error being propagated */
    int32_t seen;                   /* *cancel when the run began */
} JrRt;

/* The limit above every frame: jr_rt_deep is to look whether the run must stop. */
#define JR_STACK_ALARM ((char *)UINTPTR_MAX)

/* Other threads change both as they please (jr_cancel). */
static inline bool jr_rt_is_asked(const JrRt *rt) {
    return __atomic_load_n(rt->cancel, __ATOMIC_RELAXED) != rt->seen;
}
static inline char *jr_rt_stack_limit(const JrRt *rt) {
    return __atomic_load_n(&rt->stack_limit, __ATOMIC_RELAXED);
}

typedef struct JrBuffer JrBuffer; /* counted memory behind arrays; runtime/rt/array.h */

/* An array value: dims[0..ndim) and then ndim strides, in elements. For LAYOUT_C the strides are
 * there and right, but compiled code computes them from the dims. */
typedef struct JrArray {
    void *data;
    JrBuffer *owner; /* NULL when the memory is the caller's */
    int64_t dims[];
} JrArray;

#define JR_ARRAY_BYTES(ndim) (sizeof(JrArray) + 2 * (size_t)(ndim) * sizeof(int64_t))

typedef union JrSlot {
    int64_t i;
    uint64_t u;
    double d;
    float f;
    uint8_t b;
    void *p;
    const void *cp;
} JrSlot;

typedef int32_t (*JrEntry)(JrRt *rt, void *const *args, void *const *results);
/* A function ready to be called, whatever runs behind it: status = call.run(&call, rt, args,
 * results), with the convention above. */
typedef struct JrCall {
    int32_t (*run)(const struct JrCall *call, JrRt *rt, void *const *args,
                   void *const *results);
    void *function; /* the engine's own: a JrEntry for the compiling engines */
    void *data;
    void *pointer; /* the function with its C signature (backend/engine.h), or NULL */
} JrCall;

/* A function of the program's that kernels call by `name`, with the C signature of its IrFunc:
 * scalars as they are, an array as its data, its dims and, unless it is T[::1], its strides in
 * elements; and `user`, where IrFunc.user_at says. One scalar result is returned; otherwise it returns
 * nothing, and a pointer for each result comes last, to memory that is zero: a scalar, or a JrArrayValue
 * (jitrun.h), which jr_rt_host_results looks at and takes. It has failed if rt->status is not 0 then. */
typedef struct JrHostEntry {
    const char *name;
    void (*function)(void);
    void *user;
    void *bridge; /* jr_rt_host's own */
} JrHostEntry;

typedef struct JrHostTable {
    const JrHostEntry *const *items;
    uint32_t count;
} JrHostTable;

enum { JR_MAX_HOST_PARAMS = 32, JR_MAX_HOST_RESULTS = 16 }; /* tuples taken apart */

/* Where a function with an array among its results leaves each of them. */
enum { JR_HOST_OUT_WORDS = 20 };
typedef struct JrHostOut {
    int64_t words[JR_HOST_OUT_WORDS];
} JrHostOut;

const JrHostEntry *jr_host_named(const JrHostTable *hosts,
                                 const char *name); /* NULL when absent */

typedef int32_t (*JrRtFn)(JrRt *rt, const JrWhere *where, const JrSlot *args, JrSlot *results);

/* ---- Functions compiled code calls besides those of rtcalls.def, all by these names ---- */
/* clang-format off */
#define JR_RT_HELPERS(X)                                                                      \
    X(jr_rt_raise) X(jr_rt_raise_index) X(jr_rt_trap) X(jr_rt_trace) X(jr_rt_poll)            \
    X(jr_rt_array_new) X(jr_rt_retain) X(jr_rt_release) X(jr_rt_raise_shape)                  \
    X(jr_rt_ipow) X(jr_rt_fmod) X(jr_rt_fmodf) X(jr_rt_ffloordiv) X(jr_rt_ffloordivf)         \
    X(jr_rt_deep) X(jr_rt_parallel) X(jr_rt_parallel_body) X(jr_rt_host)            \
    X(jr_rt_host_results)
/* clang-format on */

/* Each sets the pending error and returns its status (an IrExc). */
int32_t jr_rt_raise(JrRt *rt, const JrWhere *where, int32_t exc, const char *message,
                    int64_t len);
/* The index as the user wrote it, before wrapping. */
int32_t jr_rt_raise_index(JrRt *rt, const JrWhere *where, int64_t index, int64_t dim,
                          int64_t axis, int64_t ndim);
int32_t jr_rt_trap(JrRt *rt, const JrWhere *where, int32_t trap);
/* For a frame below rt->stack_limit: raises RecursionError. The limit may also have been raised to
 * have a recursive function come here when its run is to stop: then as jr_rt_poll, and 0 says to go
 * on. The limit is right again when this returns. */
int32_t jr_rt_deep(JrRt *rt, const JrWhere *where);
/* BROADCAST and RESHAPE failed: `array` has type `type`, `dims` are the ndim wanted ones. */
int32_t jr_rt_raise_shape(JrRt *rt, const JrWhere *where, uint32_t type, const JrArray *array,
                          const int64_t *dims, int64_t ndim, int64_t reshape);
/* A call at `where` failed and the error passes through: adds a frame to the call chain. Returns
 * the status. */
int32_t jr_rt_trace(JrRt *rt, const JrWhere *where);
/* For POLL, after *rt->cancel was seen to differ from rt->seen: raises KeyboardInterrupt or
 * TimeoutError, as its low byte says, or returns 0 if it is neither. */
int32_t jr_rt_poll(JrRt *rt, const JrWhere *where);

/* out->dims[0..ndim) say the shape; fills in data, owner (one reference) and strides.
 * ValueError for a negative dim, MemoryError when there is no memory; out is then untouched. */
int32_t jr_rt_array_new(JrRt *rt, const JrWhere *where, uint32_t type, JrArray *out,
                        int32_t zeroed);
void jr_rt_retain(JrBuffer *buffer);  /* NULL is fine */
void jr_rt_release(JrBuffer *buffer); /* NULL is fine; frees at the last reference */

/* PARALLEL: runs `body(chunk, lo, hi, captures...)` for each chunk. Its operands lie in slots,
 * laid out as for rtcalls.def by `letters`: "iii" for trip, chunks and work, then the captures.
 * Returns the error of the lowest chunk that failed, and leaves PARALLEL's results in the first two
 * slots. The second form is for engines whose functions are not plain entries. */
int32_t jr_rt_parallel(JrRt *rt, const JrWhere *where, JrEntry body, const char *letters,
                       JrSlot *slots);
int32_t jr_rt_parallel_body(JrRt *rt, const JrWhere *where, const JrCall *body,
                            const char *letters, JrSlot *slots);

/* Calls a host function, for engines that cannot do so themselves. Arguments lie in slots, laid
 * out as for rtcalls.def (narrow integers widened), and so do the results: for an array p says where to
 * write its header. Sets the status, and adds `where` to the error's chain. */
int32_t jr_rt_host(JrRt *rt, const JrWhere *where, const JrHostEntry *host, const JrSlot *args,
                   JrSlot *results);
/* What a host function with an array among its results left, one JrHostOut for each: arrays of the
 * declared types, of memory that is counted and nobody else's, become JrArray headers with one
 * reference. Otherwise, or when it failed, all are released; returns the status, with `where` in the
 * error's chain. */
int32_t jr_rt_host_results(JrRt *rt, const JrWhere *where, const JrHostEntry *host,
                           JrHostOut *outs);

/* ---- Functions that a function with a C signature calls (backend/engine.h) ---- */
/* clang-format off */
#define JR_RT_GATES(X)                                                                        \
    X(jr_rt_enter) X(jr_rt_leave) X(jr_rt_begin) X(jr_rt_end) X(jr_rt_here) X(jr_rt_failed) X(jr_rt_check_array)          \
    X(jr_rt_give_array) X(jr_rt_give_nothing)
/* clang-format on */

/* What a thread did before such a call, put aside on the stack of the call. */
typedef struct JrGate {
    void *room[12];
} JrGate;

/* Comes in from C, for a function that needs a context: `host` is the engine options'. Leaves
 * the thread's error empty. NULL if the thread cannot run kernels now: jr_rt_failed says why. */
JrRt *jr_rt_enter(JrGate *gate, const void *host);
/* Goes back, with the status of the kernel, and returns that of the call: the same, or what
 * printing came to. */
int32_t jr_rt_leave(JrRt *rt, JrGate *gate, int32_t status);
/* The same for a function that needs of the context just the flag that stops it (IrFunc.needs_all). */
JrRt *jr_rt_begin(JrGate *gate, const void *host);
int32_t jr_rt_end(JrRt *rt, JrGate *gate, int32_t status);
/* The same for a function that needs just a place for errors. There is no leaving it, but where
 * it failed: jr_rt_failed then makes the error the thread's, and returns its status. */
JrRt *jr_rt_here(void);
int32_t jr_rt_failed(JrRt *rt);
/* 0, or the status of the thread's new error, if a kernel could not trust this array, whose
 * type is `type` less its layout. */
int32_t jr_rt_check_array(const char *func, const char *param, uint32_t type,
                          const JrArray *array);
/* Fills in *out, a JrArrayValue, and takes over the array's reference; NULL drops it. */
void jr_rt_give_array(void *out, uint32_t type, const JrArray *array, int32_t readonly);
/* Zeroes a result of that type, after a failure; NULL is fine. */
void jr_rt_give_nothing(void *out, uint32_t type);

/* ir/numeric.h, as functions. */
/* exponent >= 0; wraps, so it serves uint64 too. */
int64_t jr_rt_ipow(int64_t base, int64_t exponent);
double jr_rt_fmod(double a, double b);
float jr_rt_fmodf(float a, float b);
double jr_rt_ffloordiv(double a, double b);
float jr_rt_ffloordivf(float a, float b);

/* The table engines resolve names in: libm's functions of math.def, the two lists above, the
 * functions of rtcalls.def, and memcpy, memmove and memset. Sorted by name. */
typedef struct JrSymbol {
    const char *name;
    void *address;
} JrSymbol;

typedef struct JrSymbols {
    const JrSymbol *items;
    uint32_t count;
} JrSymbols;

/* NULL when absent. In ir/tables.c. */
void *jr_symbol_find(const JrSymbols *symbols, const char *name);

#endif

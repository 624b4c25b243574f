/* Inside of the public handles, shared by the files behind jitrun.h. */
#ifndef JR_RUNTIME_COMPILE_H
#define JR_RUNTIME_COMPILE_H

#include "backend/engine.h"
#include "frontend/infer/sema.h"
#include "jitrun.h"
#include "runtime/rt/array.h"
#include "runtime/rt/error.h"
#include "runtime/rt/gate.h"
#include "runtime/rt/rt.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct JrHostFn JrHostFn; /* host.c */

/* The host functions a module knows, for inference and for the engines. */
typedef struct JrHosts {
    uint32_t count;
    const FeHost **fe;
    const JrHostEntry **entries;
} JrHosts;

/* Counted: its modules keep it alive. */
struct JrContext {
    _Atomic int32_t refs;
    JrAlloc hooks;
    const JrAlloc *alloc; /* &hooks, or NULL for malloc */
    JrHeap *heap;         /* where its kernels' arrays live */
    JrWrite write;
    void *write_user;
    JrLog log; /* or NULL */
    void *log_user;
    volatile int32_t cancel; /* as runtime/rt/rt.h says */
    pthread_mutex_t hosts_lock;
    JrHostFn *hosts; /* the last one first */
};

/* One engine's code, for what was asked of a selective engine, or else for the specialisations
 * there were when it was made. What it lacks is in another; older code stays, since functions
 * point into it. */
typedef struct JrUnit {
    struct JrUnit *next;
    const JrEngine *engine;
    bool once; /* made for a single short run: not what a caller of functions wants */
    JrCode *code;
} JrUnit;

/* How long a call takes, for callers that keep others waiting. */
typedef enum JrPace {
    PACE_UNKNOWN,
    PACE_BRIEF, /* it is over in a microsecond */
    PACE_LOOKS, /* unless it is given large arrays, it is over or looks whether to yield soon */
} JrPace;

/* Code that is wanted, of the IrFunc of this name. */
typedef struct JrWanted {
    const char *name; /* FeSpec.name, or "<module>" for the body */
    bool entry,
        pointer; /* for calls through the entry; by the C signature, where that can be */
    bool once;   /* the interpreter's will do: it is to run a single time (JrOnce) */
} JrWanted;

struct JrFunction {
    JrFunction *next;
    JrModule *module;
    const FeSpec *spec;
    const char *signature;
    uint32_t nargs, nresults; /* leaves */
    const bool *written; /* by leaf of the parameters: an array that the function writes to */
    JrCall call;         /* `run` is NULL if it was only to be described so far */
    JrPace pace;         /* of the code, as the next */
    JrNeeds needs;
    struct JrPointer *pointer; /* pointer.c's, once it was asked for */
    const char *prototype;
};
typedef struct JrPointer JrPointer;

/* Counted: by its owner and by prepared calls. */
struct JrModule {
    _Atomic int32_t refs;
    JrModule *next_doomed; /* lifetime.c's */
    JrContext *context;
    JrArena *arena;       /* all of the below but the units' code */
    pthread_mutex_t lock; /* held while the arena is used after jr_compile */
    JrSource source;
    JrCompileOptions options;
    bool expression; /* as in FeConfig */
    JrDiags diags;
    AstModule *ast;
    JrHosts hosts;
    FeModule *fe;
    IrModule *ir; /* lowered and through the passes, when ir_specs is fe->specs.len */
    uint32_t ir_specs;
    JrUnit *units;
    JrFunction *functions;
    /* What compiling left in `diags`. The errors of a specialisation that failed are there
     * too, until the next one is asked for. */
    JrDiag **diags_end;
    uint32_t warnings;
    JrTimes times;         /* of jr_module_times */
    struct JrCache *cache; /* or NULL: options.cache, once code was made */
    JrHost host; /* where its kernels run: in the context, but that bench.c may listen */
    bool sound;  /* jr_compile found no errors */
    bool broken; /* memory ran out in the middle of a change: nothing more can be added */
};

/* ---- api.c ---- */

/* Copies a caller's structure, whose first member is its size, over our zeroed one of `ours`
 * bytes. A program built against an older header has a shorter one; one built against a newer
 * header may have a longer one, if it sets nothing that this library does not know. */
bool jr_take_options(void *to, size_t ours, const void *from, const char *what);
/* The other way: as much of ours as the caller's has room for; its size stays. */
bool jr_give_result(void *to, const void *from, size_t ours, const char *what);
JrContext *jr_context_ref(JrContext *context);
/* jr_compile of a source that holds one expression, for jr_eval. */
JrStatus jr_compile_expression(JrContext *context, const char *source,
                               const JrCompileOptions *options, JrModule **out);
/* The end of what jr_module_diagnostic shows for good; and back to it. */
void jr_module_mark_diags(JrModule *module);
void jr_module_reset_diags(JrModule *module);
/* Its last reference frees a module, once no call is in it (lifetime.c). */
void jr_module_ref(JrModule *module);
void jr_module_unref(JrModule *module);
/* Memory ran out, now or before: sets the error. */
JrStatus jr_module_break(JrModule *module);

/* ---- compile.c: the pipeline ---- */

/* Text to typed tree. False with diagnostics, if there are errors. */
bool jr_pipeline_check(JrModule *module);
/* Typed tree to IR that is ready for an engine: lowered, verified, folded if `optimise`. NULL
 * with the reason in jr_error(). */
IrModule *jr_pipeline_lower(JrModule *module, bool optimise);
/* What is to run code that runs once: the module's body, or a function. */
typedef enum JrOnce {
    ONCE_ENGINE, /* the module's engine */
    ONCE_INTERP, /* the interpreter: it is done before another engine has started */
    ONCE_TRY,    /* the same, if run.c finds it so */
} JrOnce;
JrOnce jr_pipeline_once(JrModule *module, const char *name);
/* Code made before, or new. NULL with the reason in jr_error(). */
const JrUnit *jr_pipeline_build(JrModule *module, JrWanted wanted, JrCall *out);

/* ---- call.c ---- */

/* One leaf of a parameter or result, with room for its storage. */
typedef union JrLeaf {
    JrSlot scalar;
    JrArray array;
    int64_t room[JR_ARRAY_BYTES(IR_MAX_DIMS) / sizeof(int64_t)];
} JrLeaf;

uint32_t jr_leaf_count(const FeType *type);
/* What a JrFunction is for. A second way of calling it costs a selective engine little when it is
 * made with the first, and as much again later. */
typedef enum JrPurpose {
    JR_TO_DESCRIBE,    /* its types: no code */
    JR_TO_CALL,        /* with values */
    JR_TO_CALL_FROM_C, /* the same, and its pointer may be asked for */
} JrPurpose;

/* The function of a specialisation that there is. The module is locked. */
JrStatus jr_function_of_spec(JrModule *module, const FeSpec *spec, JrPurpose purpose,
                             JrFunction **out);
/* The same for what jr_function is asked for; signature may be NULL. */
JrStatus jr_function_by_signature(JrModule *module, const char *name, const char *signature,
                                  JrPurpose purpose, JrFunction **out);
/* Runs code of the module on this thread. *ran says that it returned, so that there are
 * results, whatever the status. */
JrStatus jr_function_run(const JrModule *module, const JrCall *call, void *const *args,
                         void *const *results, bool *ran);
/* The same of a function that looks soon, for a caller that keeps others waiting (rt.h). */
JrStatus jr_function_run_yielding(const JrModule *module, const JrCall *call,
                                  void *const *args, void *const *results, bool *ran,
                                  const JrYield *yield);

/* ---- run.c ---- */

/* jr_function_run for a single run of the IrFunc of this name: any engine will do if that is short. What it
 * needs is made here; the module is not locked. */
JrStatus jr_run_once(JrModule *module, const char *name, void *const *args,
                     void *const *results, bool *ran);
/* Whether the module's context was cancelled since its flag was `seen`, when no code ran that would have
 * seen it: the status, of jr_error() then, or JR_OK. */
JrStatus jr_run_cancelled_since(const JrModule *module, int32_t seen);

/* ---- report.c ---- */

/* Hands a text to a JrWrite, which is not bothered with none. */
static inline bool jr_hand_over(const JrText *text, JrWrite write, void *user) {
    return text->len == 0 || write(user, text->data, text->len);
}

/* Has `make` write a text about `of`, while it holds the lock of `locked` (NULL: none), and hands it to `write`.
 * Sets the error: no memory, or "WHAT could not be written". */
typedef void (*JrMakeText)(const void *of, JrText *out);
JrStatus jr_write_text(const char *what, JrMakeText make, const void *of, JrModule *locked,
                       JrWrite write, void *user);

/* ---- engines.c ---- */

/* The engine of that name, "auto" for the best there is; NULL with the reason in jr_error().
 */
const JrEngine *jr_engine_get(const char *name);
/* Whether there is an engine of that name, available or not; NULL is "auto". */
bool jr_engine_is_known(const char *name);
JrEngineOptions jr_engine_options(const JrModule *module);

const char *jr_engine_no_llvm(void); /* why it is not available, after it was asked for */

/* ---- log.c ---- */

void jr_log(const JrContext *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void jr_log_checked(const JrModule *module);
void jr_log_built(const JrModule *module, const JrEngine *engine, const JrEngineTimes *times,
                  bool once);

/* ---- race_report.c ---- */

/* The races of the module's last run on this thread, as pictures; nothing if it was not checked.
 */
void jr_races_report(const JrModule *module, JrArena *arena, JrText *out);
/* , "race_check": {...} of such a run. */
void jr_races_report_json(const JrModule *module, JrText *out);

/* ---- value.c ---- */

/* The type inference sees for a value; NULL if it has none. */
const FeType *jr_value_fe_type(FeTypes *types, const JrValue *value);
const char *jr_value_type_name(const JrValue *value, char *buffer, size_t size);

#endif

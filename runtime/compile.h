/* Inside of the public handles, shared by the files behind jitrun.h. */
#ifndef JR_RUNTIME_COMPILE_H
#define JR_RUNTIME_COMPILE_H

#include "backend/engine.h"
#include "frontend/sema.h"
#include "jitrun.h"

#include <pthread.h>

struct JrContext {
    JrWrite write;
    void *write_user;
};

/* One engine's code for the specialisations there were when it was made. A later
 * specialisation adds another; older code stays, since functions point into it. */
typedef struct JrUnit {
    struct JrUnit *next;
    const JrEngine *engine;
    bool once; /* made for a single short run: not what a caller of functions wants */
    JrCode *code;
    uint32_t spec_count;
} JrUnit;

struct JrFunction {
    JrFunction *next;
    JrModule *module;
    const FeSpec *spec;
    const char *signature;
    JrCall call;
};

struct JrModule {
    JrContext *context;
    JrArena *arena;       /* all of the below but the units' code */
    pthread_mutex_t lock; /* held while the arena is used after jr_compile */
    JrSource source;
    JrCompileOptions options;
    JrDiags diags;
    AstModule *ast;
    FeModule *fe;
    IrModule *ir; /* lowered and through the passes, when ir_specs is fe->specs.len */
    uint32_t ir_specs;
    JrUnit *units;
    JrFunction *functions;
};

/* ---- compile.c: the pipeline ---- */

/* Text to typed tree. False with diagnostics, if there are errors. */
bool jr_pipeline_check(JrModule *module);
/* Typed tree to IR that is ready for an engine: lowered, verified, folded if `optimise`. NULL
 * with the reason in jr_error(). */
IrModule *jr_pipeline_lower(JrModule *module, bool optimise);
/* Code for every specialisation there is: what was made before, or new. With `once` the code
 * is to run the body a single time, and an engine that starts at once will do if the body is
 * short. NULL with the reason in jr_error(). */
const JrUnit *jr_pipeline_build(JrModule *module, bool once);

/* ---- engines.c ---- */

/* The engine of that name, "auto" for the best there is; NULL with the reason in jr_error().
 */
const JrEngine *jr_engine_get(const char *name);
JrEngineOptions jr_engine_options(const JrModule *module);

/* ---- error.c: the per-thread slot ---- */

struct JrThread;
/* This thread's runtime state, or NULL when there is no memory. */
struct JrThread *jr_thread_current(void);
void jr_error_clear(void);
JrStatus jr_error_set(JrStatus status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes over the error that a kernel left in this thread's state. */
JrStatus jr_error_take(struct JrThread *thread);

/* ---- value.c ---- */

/* The type inference sees for a value; NULL if it has none. */
const FeType *jr_value_fe_type(FeTypes *types, const JrValue *value);
const char *jr_value_type_name(const JrValue *value, char *buffer, size_t size);

#endif

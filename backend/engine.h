/* The seam between the pipeline and what runs code: an engine turns a verified module into
 * callable functions. Engines know ir/ and nothing else; what compiled code may call reaches
 * them as a table of names and addresses. */
#ifndef JR_BACKEND_ENGINE_H
#define JR_BACKEND_ENGINE_H

#include "ir/rt.h"

typedef struct JrCode JrCode; /* compiled code of one module, with whatever keeps it alive */

/* Seconds that JrEngine.compile took. */
typedef struct JrEngineTimes {
    double generate; /* typed IR to bytecode, C and then machine code, or an object file */
    double link;     /* and that to functions that can be called */
    double optimise; /* passes of the engine's own, not counted in `generate` */
    bool found;      /* in the cache: it was not generated */
} JrEngineTimes;

/* Where an engine may keep what it made for later processes, by a key of bytes on which it depends in
 * every way: for the same key it would make the same again. */
typedef struct JrCodeCache {
    /* What was kept under the key, in memory of options->alloc that is the engine's to free; NULL if
     * there is nothing. */
    char *(*load)(void *user, const char *key, size_t key_len, size_t *len);
    void (*store)(void *user, const char *key, size_t key_len, const char *code, size_t len);
    void *user;
} JrCodeCache;

/* Besides the entry of ir/rt.h an exported function can have a C signature, the one a person
 * would write, for calls that cost what a C function's do. Its parameters are those of the
 * IrFunc: a scalar's C type, or for an array `T *data, int64_t dim...` and, unless the layout is
 * C, `int64_t stride...` in elements. One scalar is returned; otherwise an int32 status is, and
 * a pointer for each result comes last, to a scalar or a JrArrayValue. Engines write it around
 * the function, with the calls of JR_RT_GATES that the function needs. */
typedef struct JrCSignature {
    const char *symbol; /* NULL: this function has none */
    bool returns_scalar;
} JrCSignature;

typedef struct JrEngineOptions {
    JrSymbols symbols;
    JrHostTable hosts; /* holding what the module calls; they outlive the code */
    const JrAlloc *alloc;
    const JrCSignature *signatures; /* by IrFunc.index; or NULL */
    const bool
        *entries;     /* by IrFunc.index: called through their entries; NULL: all exported */
    const void *host; /* for jr_rt_enter: outlives the code */
    bool ahead;       /* code for a later process: symbols are global, no addresses */
    int opt_level;    /* 0..3; LLVM's pipeline. -1: the engine's default. */
    bool fastmath;    /* for every function, besides those that ask themselves */
    const char *cpu;  /* NULL: the host's */
    JrEngineTimes *times;     /* NULL, or where compile() says what it took */
    const JrCodeCache *cache; /* NULL, or where a selective engine keeps its code */
} JrEngineOptions;

/* The texts an engine can show of a module. */
typedef enum JrEngineText {
    JR_TEXT_BYTECODE, /* interp */
    JR_TEXT_C,        /* tcc */
    JR_TEXT_LLVM,     /* llvm: before and after optimisation, and machine code */
    JR_TEXT_LLVM_OPT,
    JR_TEXT_ASM,
    JR_TEXT_OBJECT, /* llvm: an object file, of the functions with C signatures; options->ahead */
} JrEngineText;

#define JR_NO_MEMORY "out of memory" /* the reason that is no fault of the module's */

typedef struct JrEngine {
    const char *name; /* "interp", "tcc", "llvm" */
    /* Compiling takes so long that only what is asked for should be: functions in
     * options->entries or with signatures, and those that they call. The others compile all. */
    bool selective;
    /* Compiles the module. NULL on failure, with the reason in *why (allocated
     * in the module's arena, or JR_NO_MEMORY). The code refers to nothing in the module's arena afterwards.
     * Thread-safe: modules of different arenas may be compiled at once. */
    JrCode *(*compile)(const IrModule *module, const JrEngineOptions *options,
                       const char **why);
    /* A function that is called from outside, by IrFunc.name; false when there is none. *out is
     * good until release. A selective engine leaves `run` or `pointer` NULL where it was not asked
     * for. */
    bool (*find)(JrCode *code, const char *name, JrCall *out);
    /* Nothing may be running in it. */
    void (*release)(JrCode *code);
    /* Appends text; false with *why when this engine has no such text. */
    bool (*text)(const IrModule *module, const JrEngineOptions *options, JrEngineText kind,
                 JrText *out, const char **why);
} JrEngine;

const JrEngine *jr_engine_interp(void);
const JrEngine *jr_engine_tcc(void); /* present when built with libtcc */

/* The one symbol of the LLVM plug-in, libjitrun-llvm.so, found with dlsym. The size of JrEngine
 * and the version guard against a plug-in of another build. */
#define JR_ENGINE_PLUGIN_SYMBOL "jr_engine_plugin"
#define JR_ENGINE_ABI 4
typedef const JrEngine *(*JrEnginePlugin)(uint32_t abi, uint32_t engine_size);

#endif

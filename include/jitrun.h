/* jitrun: numeric loops, compiled while the program runs.
 *
 *     JrContext *context = jr_context_new(NULL);
 *     JrModule *module;
 *     if (jr_compile(context, "def hypot2(x: float, y: float) -> float:\n"
 *                             "    return x * x + y * y\n", NULL, &module) != JR_OK)
 *         fputs(jr_module_report(module, JR_REPORT_TEXT), stderr);
 *     JrFunction *f;
 *     JrValue result, args[] = {jr_float(3), jr_float(4)};
 *     if (jr_function(module, "hypot2", NULL, &f) == JR_OK &&
 *         jr_call(f, 2, args, &result) == JR_OK)
 *         printf("%g\n", result.as.f);
 *     jr_module_free(module);
 *     jr_context_free(context);
 *
 * Everything that can fail returns a JrStatus; what went wrong is in jr_error(), one slot per
 * thread, until the next call of this library on that thread. Nothing here exits, aborts or
 * writes to standard output or standard error.
 *
 * Where nothing else is said: a NULL is JR_ERR_ARGUMENT, or of a function that returns no JrStatus false, 0,
 * NULL or ""; any call may end in JR_MEMORY_ERROR; what a JrWrite refuses is JR_ERR_IO; and the
 * caller's strings and structures are needed during the call alone.
 *
 * Threads: a context, and each module of it, may be used from any number of threads at once,
 * except that nothing new may be asked of what is being freed. Functions may be called from any number of
 * threads at once.
 *
 * Fork: the child has the contexts, modules and functions of its parent, and one thread. A fork waits
 * until compilations on other threads are done, and those asked for meanwhile wait for it; kernels may
 * run on.
 *
 * Structures that the caller fills in begin with `size`: set it to sizeof the structure, and
 * zero what you do not use. They can then grow without breaking programs built before.
 *
 * This header is the whole interface. Until version 1.0 any minor version may change it, but of what
 * is stable only for a reason that could not be foreseen. Experimental is what a heading or a comment
 * calls so: it may change with every version. The rest is stable, and grows: new functions, new
 * status codes, new members at the end of structures that begin with `size`. */
#ifndef JITRUN_H
#define JITRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JR_VERSION_MAJOR 0
#define JR_VERSION_MINOR 1
#define JR_VERSION_PATCH 0
/* For #if: 100 is version 0.1.0. */
#define JR_VERSION_NUMBER \
    (JR_VERSION_MAJOR * 10000 + JR_VERSION_MINOR * 100 + JR_VERSION_PATCH)

#if defined(__GNUC__)
#define JR_API __attribute__((visibility("default")))
#else
#define JR_API
#endif

/* "0.1.0": the version of the library that is running. */
JR_API const char *jr_version(void);
/* The same as JR_VERSION_NUMBER, which is the version that the program was compiled with. */
JR_API int jr_version_number(void);

/* ---- Errors ---- */

/* What a call came to. The first group are Python's exceptions, raised by a kernel; the second
 * says that no kernel ran, or that none could. */
typedef enum JrStatus {
    JR_OK = 0,
    JR_INDEX_ERROR,
    JR_ZERO_DIVISION_ERROR,
    JR_VALUE_ERROR,
    JR_TYPE_ERROR,
    JR_OVERFLOW_ERROR,
    JR_ARITHMETIC_ERROR,
    JR_FLOATING_POINT_ERROR,
    JR_ASSERTION_ERROR,
    JR_RUNTIME_ERROR,
    JR_NOT_IMPLEMENTED_ERROR,
    JR_RECURSION_ERROR,
    JR_MEMORY_ERROR, /* also: the library itself found no memory */
    JR_KEY_ERROR,
    JR_LOOKUP_ERROR,
    JR_STOP_ITERATION,
    JR_EXCEPTION,
    JR_KEYBOARD_INTERRUPT,
    JR_TIMEOUT_ERROR,

    JR_ERR_COMPILE = 100, /* the source has errors: see jr_module_report */
    JR_ERR_ARGUMENT,      /* a NULL, an unknown option, a value that does not convert */
    JR_ERR_NOT_FOUND,     /* no function, engine or stage of that name */
    JR_ERR_SIGNATURE,     /* the function cannot have this signature */
    JR_ERR_ENGINE,        /* the engine is not available or could not compile */
    JR_ERR_IO,            /* a file could not be read or written */
    JR_ERR_RACE /* a checked run ended, but its prange loops have races: jr_race_check */
} JrStatus;

/* "IndexError", "compile error"; "" for JR_OK and what is no status. Never NULL. */
JR_API const char *jr_status_name(JrStatus status);

/* A place a kernel's error passed through, innermost first. */
typedef struct JrFrame {
    const char *function;
    const char *file;
    int32_t line, column; /* from 1; column in bytes */
} JrFrame;

typedef struct JrError {
    JrStatus status;
    const char *name;    /* "IndexError", "compile error" */
    const char *message; /* never NULL */
    size_t frame_count;  /* 0 unless a kernel raised it; frames[0] is where */
    const JrFrame *frames;
    size_t frames_dropped; /* outer frames of a deep recursion that are not kept */
    size_t message_len;    /* bytes of message, of which a kernel's own may hold zeros */
} JrError;

/* The last error on this thread; status is JR_OK if the last call succeeded. Never NULL. Valid
 * until the next call of this library on this thread. */
JR_API const JrError *jr_error(void);
/* Empties it, as every call that succeeds does, but for those of functions behind typed pointers
 * that cannot fail. */
JR_API void jr_error_clear(void);

/* ---- Contexts ---- */

typedef struct JrContext JrContext;

/* Receives text: what kernels print (on the thread that runs the kernel; of a parallel loop
 * any of its threads, one at a time), a report, a dump. False if it could not be written. It
 * can neither run kernels nor print values: those fail with JR_ERR_ARGUMENT. */
typedef bool (*JrWrite)(void *user, const char *bytes, size_t len);

/* Receives a line about what was done: a source checked, code made and how long that took, an engine
 * that another one stands in for. The text, without a newline, is the library's and may change with
 * any version. On the thread that does the work, and it must not call this library. */
typedef void (*JrLog)(void *user, const char *line);

typedef struct JrContextOptions {
    size_t size;
    JrWrite write; /* NULL: output is dropped */
    void *write_user;
    /* Where the memory of the context, its modules and its kernels' arrays comes from; both or
     * neither (malloc's). resize is as realloc: pointer may be NULL, NULL says that there is
     * no memory, what it returns is aligned to 16 bytes. Both may be called on any thread,
     * until the last array of a kernel is freed. Not from here: each thread's error slot and
     * print buffer, what libffi needs to know of C signatures, code pages, and what LLVM and libtcc
     * take. */
    void *(*resize)(void *user, void *pointer, size_t size);
    void (*release)(void *user, void *pointer);
    void *alloc_user;
    JrLog log; /* NULL: nothing is logged */
    void *log_user;
} JrContextOptions;

/* A new context; options may be NULL. NULL when there is no memory, or options are wrong. */
JR_API JrContext *jr_context_new(const JrContextOptions *options);
/* Frees it, or leaves that to the last of its modules to be freed. NULL is fine. */
JR_API void jr_context_free(JrContext *context);

/* Stops every kernel that is running in the context, on whatever engine and thread, parallel
 * loops too: it raises KeyboardInterrupt (reason JR_KEYBOARD_INTERRUPT) or TimeoutError
 * (JR_TIMEOUT_ERROR) within milliseconds; a loop that does little more than go through an array
 * may finish that first. Arrays hold what was written until then. Calls that begin later are not
 * affected. May be called from any thread and from a signal handler; it leaves
 * jr_error() alone. JR_ERR_ARGUMENT for another reason or NULL. */
JR_API JrStatus jr_cancel(JrContext *context, JrStatus reason);

/* Whether an engine, "interp", "tcc" or "llvm", can be used here. On false jr_error() says
 * why. */
JR_API bool jr_engine_available(JrContext *context, const char *engine);

/* ---- Host functions (experimental) ---- */

/* Any C function, cast to this. */
typedef void (*JrHostFunction)(void);

/* Lets kernels call `function` as `name`, in modules compiled in the context from now on. The
 * signature has the types that kernels pass and get: "float64(float64[::1], int64)". The C
 * function takes them as jr_function_pointer's table says: double (*)(double *x, int64_t x_len,
 * int64_t k), a tuple as its items; up to 32 parameters, tuples taken apart. It returns a scalar; or
 * nothing, where the result is None, an array, or a tuple of 2 to 16 scalars and arrays, for each of which
 * a pointer comes last, to a zero: "tuple[float64, int64[:]](float64)" is void (*)(double x, double *r0,
 * JrArrayValue *r1). An array that it gives is one of jr_array_new, jr_array_wrap or a kernel's result, of
 * the declared type, that nothing else uses; from then on it is the kernel's, or released if
 * the function fails. Anything else there is a RuntimeError.
 *
 * Where an array is only read, `const` before its type says so: kernels may then pass what is read-only,
 * and a parallel loop what other iterations read too. Where `user` stands among the parameters, C gets
 * the pointer given here and kernels pass nothing: "float64(user, float64)" is double (*)(void *user,
 * double).
 *
 * Kernels find the name where Python finds its builtins: a def, an import or a variable of the
 * same name hides it. It must not be one of the language's names, or have been added before. The
 * function is called on the thread that runs the kernel, from a parallel loop on several at once
 * and in any order, with at least 128 KiB of stack. It may call kernels, fail with jr_error_raise, and
 * free the module that it is called from; it must return to its caller, neither jumping out nor
 * throwing C++'s exceptions. Of arrays it may touch those that it is given. JR_ERR_SIGNATURE for a
 * signature that is none, with the reason; JR_ERR_ENGINE without libffi. */
JR_API JrStatus jr_context_add_function(JrContext *context, const char *name,
                                        const char *signature, JrHostFunction function,
                                        void *user);

/* In a host function: makes the call fail, with an exception of JrStatus's first group (any other
 * error is a RuntimeError) and a message, which is copied; the kernel's place is added. The
 * function returns then, and what it returns is not looked at. With NULL for the message the error
 * is jr_error()'s, of a kernel that it called, with the calls that went through; its status may be given
 * as JR_OK. Returns the status, or JR_ERR_ARGUMENT where no kernel is running or it is no error. */
JR_API JrStatus jr_error_raise(JrStatus status, const char *message);

/* ---- Compiling ---- */

typedef struct JrModule JrModule;

typedef struct JrCompileOptions {
    size_t size;
    const char *name;   /* what errors call the source; NULL: "<string>" */
    const char *engine; /* "auto" (or NULL), "interp", "tcc" or "llvm" */
    int opt_level;      /* 1 to 4 stand for -O0 to -O3; 0: the engine's choice */
    bool run_main;      /* __name__ is "__main__", and jr_run may run the body */
    bool parallel;      /* prange loops of every function run on threads */
    bool unchecked;     /* no bounds checks */
    bool fastmath;      /* floating-point operations may be reordered and contracted */
    /* Every prange loop runs serially, and each run records which iteration touches which element
     * of an array: JR_ERR_RACE if two iterations of one loop meet (jr_race_check). On the
     * interpreter unless `engine` names another; many times slower. @njit(check_races=True) in the
     * source sets it too. */
    bool check_races;
    /* The LLVM engine's code is kept in files, where later processes find it if it would be the same.
     * The folder, $JITRUN_CACHE_DIR or jitrun in $XDG_CACHE_HOME or ~/.cache, must be this user's
     * alone to write to. docs/embedding.md has the rest. */
    bool cache;
} JrCompileOptions;

/* Parses and checks NUL-terminated `source`, which is copied. *out is always set unless there
 * was no memory or an argument is wrong: on JR_ERR_COMPILE it is a module that only has
 * diagnostics. Machine code is made when it is first needed, by jr_run or jr_function: LLVM makes
 * that of what is asked for and what it calls, the other engines that of the whole module. */
JR_API JrStatus jr_compile(JrContext *context, const char *source,
                           const JrCompileOptions *options, JrModule **out);
/* The same for a file; its name is the path unless options give another. "-" is standard
 * input. */
JR_API JrStatus jr_compile_file(JrContext *context, const char *path,
                                const JrCompileOptions *options, JrModule **out);
/* Frees it with its machine code and its functions; where calls of them are under way, on other
 * threads or on this one, when the last of these is over; if that was a call through a pointer, with
 * the thread's next call of a function here, or its end. What the context's functions gave is needed until then.
 * A call must not begin after this one, so the program knows that those under way have begun; calls through
 * a pointer or jr_call of which it cannot know that before they return, as they call and print nothing,
 * do not allocate and have no long loop, are not waited for. NULL frees nothing but what this thread has come back
 * from. */
JR_API void jr_module_free(JrModule *module);

/* What became of JrCompileOptions.cache. */
typedef struct JrCacheUse {
    size_t size;         /* sizeof(JrCacheUse), set by the caller */
    size_t hits, misses; /* pieces of code that were found in the cache, and that were made */
    const char *folder;  /* the module's, as the next; NULL: none was looked in so far */
    const char *problem; /* why the last piece made was not kept there; or NULL */
} JrCacheUse;
JR_API JrStatus jr_module_cache(JrModule *module, JrCacheUse *out);

typedef enum JrDiagnosticKind { JR_ERROR, JR_WARNING } JrDiagnosticKind;

typedef struct JrDiagnostic {
    JrDiagnosticKind kind;
    const char *file;
    int32_t line, column, end_column; /* from 1, in bytes; end_column is one past */
    const char *message;
    const char *help; /* or NULL */
} JrDiagnostic;

/* What compiling found, in the order of the source. Owned by the module. */
JR_API size_t jr_module_diagnostic_count(const JrModule *module);
JR_API bool jr_module_diagnostic(const JrModule *module, size_t index, JrDiagnostic *out);

/* JR_REPORT_CSV is for jr_bench_report alone. */
typedef enum JrReport { JR_REPORT_TEXT, JR_REPORT_JSON, JR_REPORT_CSV } JrReport;
/* All diagnostics as a person reads them (with the source line and a caret), or as JSON. Owned
 * by the module; "" if there are none (JSON: "[]"). */
JR_API const char *jr_module_report(JrModule *module, JrReport kind);

/* Experimental. Writes what became of each prange loop that may run in parallel: whether it does or why not,
 * what is accumulated, what each iteration has for itself, and what is tested where the loop
 * begins; and of each statement over whole arrays in such functions. JSON is one object,
 * {"loops": [...], "whole_arrays": [...]}; docs/cli.md describes it. */
JR_API JrStatus jr_module_explain(JrModule *module, JrReport kind, JrWrite write, void *user);

/* Writes jr_error() as a person reads it: `file:line:col: error: IndexError: ...`, the source
 * line with a caret, and the calls it passed through; or as one JSON object. The races of the
 * run come before it, if `module` was compiled with check_races. `module` gives
 * the source and may be NULL. Leaves the error as it is. */
JR_API void jr_error_report(JrModule *module, JrReport kind, JrWrite write, void *user);

/* One of the two accesses of a race. */
typedef struct JrRaceAccess {
    JrFrame at;
    int32_t end_column; /* of the source's text of it, one past */
    const char *kind;   /* "read", "write" or "update": a[i] op= e, accumulated by the loop */
    const char *array;  /* what the source calls it there; "" if it has no name */
    /* "y[0]"; "" if the name is of different arrays as the loop goes on */
    const char *element;
    int64_t iteration; /* the value of the loop's counter */
} JrRaceAccess;

/* Two iterations of a prange loop that touched one element, at least one of them to write it. */
typedef struct JrRace {
    JrRaceAccess first, second; /* in the order of the iterations */
    JrFrame loop;
    const char *counter; /* the loop's variable */
    int64_t count;       /* how often these two places met in the run */
} JrRace;

typedef struct JrRaceCheck {
    int64_t loops, iterations, accesses; /* prange loops run, and what was looked at in them */
    size_t race_count;                   /* one for each pair of places, 20 at most */
    const JrRace *races;
    bool more; /* there were more than 20 */
} JrRaceCheck;

/* What the last run on this thread of a module compiled with check_races did, if it is over: zeroes
 * before the first. Also when the run failed. Never NULL; valid until the next call of a
 * function or body of such a module on this thread. */
JR_API const JrRaceCheck *jr_race_check(void);

/* How many functions the source defines, and what they are called, in its order; NULL beyond the
 * last. Owned by the module. Of a source with errors, what was found before them. */
JR_API size_t jr_module_function_count(const JrModule *module);
JR_API const char *jr_module_function_name(const JrModule *module, size_t index);
/* Whether runs of the module are checked: check_races of its options, or of a decorator in its source. */
JR_API bool jr_module_checks_races(const JrModule *module);

/* Whether the source has a function of this name that can be called without arguments. */
JR_API bool jr_module_has_function(const JrModule *module, const char *name);
/* The position of a function's parameter, from 0; -1 if there is no such function or parameter,
 * or if its name cannot be used in calls (it stands before a `/`). */
JR_API int jr_module_param_index(const JrModule *module, const char *function,
                                 const char *param);
/* Whether the body does more than define names. */
JR_API bool jr_module_has_body(const JrModule *module);

/* Experimental. Writes what a stage of the compiler made of the module: "tokens", "ast", "typed", "ir",
 * "opt", "bytecode", "c", "llvm", "llvm-opt" or "asm". The first two work on sources with
 * errors. JR_ERR_NOT_FOUND for another stage, JR_ERR_ENGINE where the engine it is of is not available. */
JR_API JrStatus jr_module_dump(JrModule *module, const char *stage, JrWrite write, void *user);

/* Runs the module's body, once per call. With the engine left to the library ("auto"), a body that takes the
 * interpreter a few milliseconds never waits for another engine: one that draws no random numbers, calls no
 * host function and has no parallel loop is begun there, and when it turns out to be longer, begun anew on
 * the best engine; what it had printed is printed once. jr_cancel stops it from when jr_run was called.
 * JR_ERR_ARGUMENT unless compiled with run_main. */
JR_API JrStatus jr_run(JrModule *module);

/* ---- Values ---- */

typedef enum JrType {
    JR_NONE = 0,
    JR_BOOL,
    JR_INT8,
    JR_INT16,
    JR_INT32,
    JR_INT64,
    JR_UINT8,
    JR_UINT16,
    JR_UINT32,
    JR_UINT64,
    JR_FLOAT32,
    JR_FLOAT64,
    JR_ARRAY = 64, /* as.array */
    JR_TUPLE,      /* as.tuple */
    JR_DEFAULT     /* among arguments: the parameter's default */
} JrType;

enum { JR_MAX_DIMS = 8 };

/* An array: element (i, j, ...) is at data + (i * strides[0] + j * strides[1] + ...) elements.
 */
typedef struct JrArrayValue {
    JrType dtype; /* JR_BOOL to JR_FLOAT64 */
    uint32_t ndim;
    void *data;
    int64_t shape[JR_MAX_DIMS];
    int64_t strides[JR_MAX_DIMS]; /* in elements, may be negative */
    void *owner;                  /* the library's; NULL for memory of the caller's */
    bool readonly;
} JrArrayValue;

typedef struct JrValue {
    JrType type;
    bool owned; /* jr_value_clear has something to free */
    union {
        bool b;
        int64_t i;  /* every signed integer type */
        uint64_t u; /* every unsigned integer type */
        double f;   /* float32 too */
        JrArrayValue *array;
        struct {
            size_t count;
            struct JrValue *items;
        } tuple;
    } as;
} JrValue;

static inline JrValue jr_none(void) {
    JrValue v;
    v.type = JR_NONE, v.owned = false;
    v.as.tuple.count = 0, v.as.tuple.items = NULL; /* all of it */
    return v;
}
static inline JrValue jr_bool(bool b) {
    JrValue v = jr_none();
    v.type = JR_BOOL, v.as.b = b;
    return v;
}
static inline JrValue jr_int(int64_t i) {
    JrValue v = jr_none();
    v.type = JR_INT64, v.as.i = i;
    return v;
}
static inline JrValue jr_uint(uint64_t u) {
    JrValue v = jr_none();
    v.type = JR_UINT64, v.as.u = u;
    return v;
}
static inline JrValue jr_float(double f) {
    JrValue v = jr_none();
    v.type = JR_FLOAT64, v.as.f = f;
    return v;
}
/* The default of the parameter that it is passed for, to jr_function_for and jr_call. */
static inline JrValue jr_default(void) {
    JrValue v = jr_none();
    v.type = JR_DEFAULT;
    return v;
}
/* Borrows: the array must live as long as the value is used. */
static inline JrValue jr_array(JrArrayValue *array) {
    JrValue v = jr_none();
    v.type = JR_ARRAY, v.as.array = array;
    return v;
}

/* Borrows: the items must live as long as the value is used. */
static inline JrValue jr_tuple(size_t count, JrValue *items) {
    JrValue v = jr_none();
    v.type = JR_TUPLE, v.as.tuple.count = count, v.as.tuple.items = items;
    return v;
}
/* The caller's memory as an array in C order, of 1 to 8 dimensions; memory that must not be written to
 * is to be marked `readonly`. */
static inline JrArrayValue jr_array_of(JrType dtype, void *data, uint32_t ndim,
                                       const int64_t *shape) {
    JrArrayValue array;
    int64_t stride = 1;
    array.dtype = dtype, array.ndim = ndim, array.data = data;
    array.owner = NULL, array.readonly = false;
    for (uint32_t i = JR_MAX_DIMS; i-- > 0;) {
        array.shape[i] = i < ndim ? shape[i] : 0;
        array.strides[i] = i < ndim ? stride : 0;
        if (i < ndim) stride = (int64_t)((uint64_t)stride * (uint64_t)shape[i]);
    }
    return array;
}

/* Frees what the value owns and makes it None. NULL is fine. May be called on any thread, and
 * after the module and the context that the value came from are gone. */
JR_API void jr_value_clear(JrValue *value);
/* Releases what a JrArrayValue holds, if the library filled it in (jr_function_pointer, jr_array_new) or
 * wrapped it (jr_array_wrap), and zeroes it. NULL is fine. On any thread, as jr_value_clear. */
JR_API void jr_array_clear(JrArrayValue *array);

/* A new array of the type JR_BOOL to JR_FLOAT64, of `ndim` dimensions from 1 to 8, in C order, full of
 * zeros. The memory comes from the context's allocator; NULL: malloc. The caller's to jr_array_clear, also
 * after the context is gone, or a host function's to give to the kernel. *out is zeroed on failure. */
JR_API JrStatus jr_array_new(JrContext *context, JrType dtype, uint32_t ndim,
                             const int64_t *shape, JrArrayValue *out);
/* Makes memory of the program's that *array describes, all but its owner, into an array that is counted
 * as the library's are: release(user) is called once, when nothing uses it any more, on whatever thread
 * that was. On failure it is not, and *array stays as it is. The context as for jr_array_new. */
JR_API JrStatus jr_array_wrap(JrContext *context, JrArrayValue *array,
                              void (*release)(void *user), void *user);

/* Evaluates an expression of the language, "np.arange(10) * 2" or "1e6"; a list makes an
 * array. The caller clears *out, which is None on failure: JR_ERR_ARGUMENT if it is no expression or has
 * errors, or the exception it raised. */
JR_API JrStatus jr_eval(JrContext *context, const char *expression, JrValue *out);

/* Writes the value as Python's print would, without a newline. */
JR_API JrStatus jr_value_print(const JrValue *value, JrWrite write, void *user);

/* NumPy's .npy files: versions 1 to 3, every dtype of JrType, C and Fortran order. The caller
 * clears *out. A file that is damaged or of another kind is JR_ERR_IO, with the reason. */
JR_API JrStatus jr_array_load(const char *path, JrValue *out);
JR_API JrStatus jr_array_save(const char *path, const JrValue *value);

/* ---- Calling ---- */

typedef struct JrFunction JrFunction;

/* The function `name`. With a signature, "(float64[::1], int64)" or "float64(float64[::1],
 * int64)", it is specialised for these parameter types if it has no annotations; with NULL it
 * must have them (or take no arguments, or have just one specialisation). JR_ERR_SIGNATURE, with
 * the one asked for and those there are, if it cannot have this one. Owned by the module. */
JR_API JrStatus jr_function(JrModule *module, const char *name, const char *signature,
                            JrFunction **out);
/* The same, for the types of these values: an int is int64, a float float64, an array the most
 * particular array type it has. For a jr_default(), and for parameters after the last value, the
 * type of the parameter's default. */
JR_API JrStatus jr_function_for(JrModule *module, const char *name, size_t count,
                                const JrValue *args, JrFunction **out);

/* "dot", and "float64(float64[::1], int64)". Owned by the function. */
JR_API const char *jr_function_name(const JrFunction *function);
JR_API const char *jr_function_signature(const JrFunction *function);
JR_API size_t jr_function_param_count(const JrFunction *function);

/* What a parameter takes, or a function returns. Strings are the function's. */
typedef struct JrTypeInfo {
    size_t size;      /* sizeof(JrTypeInfo), set by the caller */
    const char *name; /* the parameter's; NULL for what is returned */
    const char *text; /* "int64", "float64[:, ::1]", "tuple[int64, bool]", "None" */
    JrType type;      /* JR_NONE, JR_BOOL to JR_FLOAT64, JR_ARRAY or JR_TUPLE */
    JrType dtype;     /* of an array's elements */
    uint32_t ndim;
    uint32_t item_count; /* of a tuple */
    bool contiguous;     /* an array is, or has to be, in C order */
    bool written;     /* to an array, or one in the tuple, that is passed for the parameter */
    bool has_default; /* the argument may be left out */
} JrTypeInfo;

/* Of a parameter, counted from 0: JR_ERR_ARGUMENT if there is none. */
JR_API JrStatus jr_function_param(const JrFunction *function, size_t index, JrTypeInfo *out);
JR_API JrStatus jr_function_result(const JrFunction *function, JrTypeInfo *out);

/* Calls it. A jr_default(), and parameters after the last argument, take the parameter's default;
 * JR_ERR_ARGUMENT where there is none. Arguments are converted where that is exact: an int that
 * fits a narrower type, a whole float for an int; and any number is rounded to a float parameter's
 * precision. Otherwise JR_ERR_ARGUMENT, with the argument, what was expected and what was given;
 * also for a read-only array that the function writes to. *result (may be NULL, or one of args) is set
 * without being cleared first, and is the caller's to clear; it is None on failure. An array
 * that the function was given and returns, or a view of it, shares its memory: if that is the
 * caller's own, as.array->owner is NULL. */
JR_API JrStatus jr_call(JrFunction *function, size_t count, const JrValue *args,
                        JrValue *result);
/* Experimental. jr_function_for and jr_call in one, of a function that is called a single time: as with jr_run,
 * a call that takes the interpreter a few milliseconds never waits for another engine, if the function writes to
 * no array that it is passed. */
JR_API JrStatus jr_call_once(JrModule *module, const char *name, size_t count,
                             const JrValue *args, JrValue *result);

/* Experimental: a call made ready to be made many times: its arguments are set one by one, are converted then,
 * and stay set from call to call. It is used by one thread at a time. */
typedef struct JrPrepared JrPrepared;

/* A call of the function with no argument set. The caller frees it; it keeps the module, which can
 * be freed before it. */
JR_API JrStatus jr_function_prepare(JrFunction *function, JrPrepared **out);
/* Sets argument `index`, counted from 0, with jr_call's conversions and errors; where it fails the
 * argument is not set any more. A scalar is copied. The memory of an array is borrowed, until another
 * one is set or the call is freed, its JrArrayValue is not. */
JR_API JrStatus jr_prepared_set(JrPrepared *prepared, size_t index, const JrValue *value);
/* Calls the function, as jr_call does. JR_ERR_ARGUMENT if an argument is not set, or from a host
 * function that this very call is in. */
JR_API JrStatus jr_prepared_call(JrPrepared *prepared, JrValue *result);
/* NULL is fine. Not while it runs. */
JR_API void jr_prepared_free(JrPrepared *prepared);

/* The function as a plain C pointer of its type, good until the module is freed, callable from
 * any thread. Cast *out to the type that jr_function_prototype writes:
 *
 *     float64, bool, ...    double x, bool x, ...
 *     float64[::1]          const double *x, int64_t x_len (const unless it is written to)
 *     float64[:, ::1]       const double *x, int64_t x_dim0, int64_t x_dim1
 *     float64[:, :]         ... followed by int64_t x_stride0, int64_t x_stride1, in elements
 *     tuple[...]            its items, one after the other
 *     a scalar result       is returned
 *     None                  a JrStatus is returned
 *     an array or a tuple   a JrStatus is returned; a pointer for each item comes last, to a
 *                           scalar or a JrArrayValue (the caller's to jr_array_clear). NULL
 *                           drops the item.
 *
 * What went wrong is in jr_error(), as for jr_call; the result is then zero. A call that
 * succeeds leaves JR_OK there, but for functions of scalars that cannot fail, which do not look.
 * LLVM and libtcc make a function of this type, which costs little more than one of C does; the
 * interpreter's is a closure of libffi. LLVM makes it along with what jr_function finds, and for what
 * jr_function_for finds now, which takes as long as compiling that did. */
JR_API JrStatus jr_function_pointer(JrFunction *function, void **out);
/* "double f(const double *x, int64_t x_len);": the C prototype of that pointer. Owned by the
 * function; "" when there is no memory. */
JR_API const char *jr_function_prototype(JrFunction *function);
/* Writes a C header with the prototypes of all functions whose source gives them one signature.
 */
JR_API JrStatus jr_module_header(JrModule *module, JrWrite write, void *user);

/* ---- Ahead of time (experimental) ---- */

typedef struct JrEmitOptions {
    size_t size;
    const char *kind; /* "header", "c" or "obj" */
    /* A function, which may have a signature behind it, "dot(float64[::1], float64[::1])"; or
     * NULL: all those whose source gives them one signature. */
    const char *function;
    /* obj: "native" (or NULL), "generic", "x86-64-v3", ... as LLVM has them */
    const char *cpu;
} JrEmitOptions;

/* Compiles functions ahead of time, into something that C programs link and call by name, with
 * the prototypes that jr_function_prototype gives: C11 text, or an object file, which takes the
 * LLVM engine. Where they need the runtime, an object file is to be linked with libjitrun_rt.a;
 * docs/embedding.md has the details. */
JR_API JrStatus jr_module_emit(JrModule *module, const JrEmitOptions *options, JrWrite write,
                               void *user);

/* ---- Timing (experimental) ---- */

/* What compiling a module took so far, in seconds. Stages that ran again for a later
 * specialisation are added up; a stage that did not run is 0. */
typedef struct JrTimes {
    size_t size;     /* sizeof(JrTimes), set by the caller */
    double read;     /* the file, for jr_compile_file */
    double parse;    /* text to tree */
    double infer;    /* types, and specialising */
    double lower;    /* typed tree to IR, verified */
    double passes;   /* folding, race analysis, outlining, polling */
    double load;     /* the engine itself: LLVM, when the process first uses it */
    double generate; /* IR to bytecode, to C and machine code, or to an object file */
    double link;     /* and that to functions that can be called */
    double optimise; /* LLVM's passes, which come between its IR and the object file */
} JrTimes;
JR_API JrStatus jr_module_times(JrModule *module, JrTimes *out);

/* Something to be measured beside the engines: the same function in Python, say. */
typedef struct JrBenchRival {
    const char *name;
    /* Calls it `calls` times in a row, with arguments as they were before the first, and says in
     * *seconds what that took. On the first call *outcome is to be filled in with a tuple of what
     * it returned and of each of the arguments as it left them; jr_bench clears it. Later it is
     * NULL. Returns NULL, or what went wrong, good until the next call. */
    const char *(*run)(void *user, int64_t calls, double *seconds, JrValue *outcome);
    void *user;
} JrBenchRival;

typedef struct JrBenchOptions {
    size_t size;
    const char *name; /* the function; NULL: the module's body, if compiled with run_main */
    size_t arg_count;
    const JrValue *args; /* copied; every call finds them as they were given */
    /* Rows, separated by commas: "interp", "tcc", "llvm", each also with "-parallel" behind it.
     * NULL: the engines there are, and the best of them in parallel if there is a prange loop or
     * a statement over whole arrays for it. */
    const char *rows;
    double seconds; /* for each row, beyond its first call; 0: 1 second */
    /* What one call does and moves, if known, for the rates. 0 of bytes: the arrays, read once,
     * and written once if they are written. */
    double operations, bytes;
    size_t rival_count;
    const JrBenchRival *rivals;
    /* Called now and then with the row being measured and the part of all that is done. */
    void (*progress)(void *user, const char *row, double done);
    void *progress_user;
    const char *title; /* of reports and pictures; NULL: the function and its file */
} JrBenchOptions;

/* Times are seconds; those of a call are on the clock, without what it takes to put the arguments
 * back. Strings and samples are the JrBench's. */
typedef struct JrBenchRow {
    size_t size;            /* sizeof(JrBenchRow), set by the caller */
    const char *name;       /* "llvm-parallel" */
    const char *error;      /* why there are no times; or NULL */
    const char *difference; /* in what its result differs from the first row's; or NULL */
    bool exact;             /* the result is the first row's to the bit */
    bool settled;           /* the median is known to 2%, with 95% confidence */
    int threads;            /* its parallel loops may use */
    JrTimes stages;         /* the least of a few compilations; load: what it took at first */
    double first_call;
    size_t sample_count;
    const double *samples; /* seconds per call, in the order they were taken */
    size_t calls;          /* in each sample */
    double min, median, mean;
    double low, high;   /* the median's 95% confidence interval */
    double spread;      /* between the quartiles */
    double cpu;         /* of all threads, per call; 0: too short to tell, or a rival */
    int64_t peak_bytes; /* of memory beyond what the process had before; -1: unknown */
    double speedup;     /* over the first row that was measured */
    /* Calls after which it has overtaken that row, compiling included, which of a rival is what its
     * first call took beyond the median. Infinity: never. */
    double break_even;
    double efficiency; /* of a parallel row: the speed-up over its serial row, per thread */
    double imbalance;  /* of a parallel row: the busiest thread's time over the mean, from 1 */
    double operations_rate; /* per second; 0 when not known */
    double bytes_rate;
} JrBenchRow;

typedef struct JrBench JrBench;

/* Measures a function, or the body, of the module's source on each engine. The source is compiled
 * anew for each row with the module's options. First the rows' results are compared: what is
 * returned, the arrays it wrote to, and what it printed; parallel rows with serial ones to 1e-9
 * (float32: 1e-4), as reductions add in another order. Then each is called until its
 * times have settled and the median is known to 2%, or its time is up. What kernels print is
 * dropped; the calling thread's random generators are reseeded. *out is NULL on failure: when a
 * kernel raises an error on the first row, or it was cancelled: jr_cancel ends it from when it was
 * called, between kernels too. */
JR_API JrStatus jr_bench(JrModule *module, const JrBenchOptions *options, JrBench **out);
/* With the strings and samples of its rows. NULL is fine. */
JR_API void jr_bench_free(JrBench *bench);
JR_API size_t jr_bench_row_count(const JrBench *bench);
/* A row, counted from 0: JR_ERR_ARGUMENT if there is none. */
JR_API JrStatus jr_bench_row(const JrBench *bench, size_t index, JrBenchRow *out);
/* Whether every row was measured, and agrees with the first. */
JR_API bool jr_bench_agrees(const JrBench *bench);
/* The rows as a table, as JSON or as CSV; docs/timer.md describes the fields. */
JR_API JrStatus jr_bench_report(const JrBench *bench, JrReport kind, JrWrite write,
                                void *user);
/* An SVG picture, which follows the reader's wish for dark pages: of one benchmark a bar for each row,
 * where sizes may be NULL; of several, of the same function, a curve for each row over their sizes,
 * numbers above 0 that rise. */
JR_API JrStatus jr_bench_plot(size_t count, const JrBench *const *benches, const double *sizes,
                              JrWrite write, void *user);

/* ---- Threads ---- */

/* How many threads a parallel loop uses, the caller's included: what was set last, or else
 * JITRUN_NUM_THREADS in the environment, or else the processors this process may use. */
JR_API int jr_num_threads(void);
/* Sets it for the whole process, from 1 to 256; 0 goes back to the default. Loops that run keep
 * theirs. Results are the same bits for any number. */
JR_API JrStatus jr_set_num_threads(int threads);

/* ---- Calls from CPython (experimental) ---- */

/* What the Python package is made of, and of no use to others: kernels as objects that CPython
 * calls directly. The library is not linked against Python; it finds Python's functions in the
 * process. All of these are called with the GIL held. The objects they are given are borrowed,
 * and must live as long as the JrPyCalls. */

/* What one object remembers: the kinds of calls that it has code for. */
typedef struct JrPyCalls JrPyCalls;

/* NumPy's flags of an array. */
enum { JR_PY_CONTIGUOUS = 0x1, JR_PY_ALIGNED = 0x100, JR_PY_WRITEABLE = 0x400 };

/* An argument as the call passes it. A tuple's items follow it. */
typedef struct JrPyParam {
    /* Of a number: what Python's int, float and bool are called here, or the type of a NumPy
     * scalar; else JR_NONE, JR_ARRAY, JR_TUPLE. */
    JrType type;
    bool numpy;        /* a NumPy scalar */
    uint32_t count;    /* a tuple's items, an array's dimensions */
    void *python_type; /* the object's type */
    JrType item;       /* of an array: its elements, its dtype, the dtype's `num`, its flags */
    int32_t type_num;
    void *descr;
    uint32_t flags, flags_mask; /* flags_mask: the library's */
} JrPyParam;

/* Finds CPython. object_size is object.__basicsize__; the JrPyCalls of an object will be at
 * calls_offset in it. *vectorcall is set to the function to put where the object's type has its
 * tp_vectorcall_offset. JR_ERR_NOT_FOUND where this cannot be done. */
JR_API JrStatus jr_python_open(size_t object_size, size_t calls_offset, void **vectorcall);
/* NumPy's C interface, for results that are arrays: `table` is what numpy's _ARRAY_API holds, numbers[t]
 * the dtype's `num` of the JrType t, of which there are `count`. */
JR_API JrStatus jr_python_numpy(void *const *table, const int32_t *numbers, size_t count);
/* slow(self, *args, **keywords) is called for whatever was not added. It may return NotImplemented
 * after it has added just that; the second time in a call it may not. `names` and `defaults` are
 * tuples of `count` items: the parameters' names, interned, None for one that cannot be passed by
 * keyword; and their defaults, NotImplemented for none. `positional` of them can be passed by position.
 * NULL when there is no memory, or an argument is NULL. Freed when the object is gone. */
JR_API JrPyCalls *jr_python_calls_new(void *slow, size_t positional, size_t count, void *names,
                                      void *defaults);
JR_API void jr_python_calls_free(JrPyCalls *calls);
/* The inner loop of a NumPy ufunc. Its kernels take 1-D arrays, the inputs and then the output, and behind
 * them the `tables`, which are contiguous arrays and always the same; they return None. `contiguous`
 * takes T[::1], `strided` T[:]. When one fails, its failed() makes the exception. *function is the
 * PyUFuncGenericFunction, *out its data, to be freed after the ufunc; the tables' memory lives as long. */
typedef struct JrPyLoop JrPyLoop;
JR_API JrStatus jr_python_loop_new(JrFunction *contiguous, void *failed, JrFunction *strided,
                                   void *strided_failed, size_t table_count,
                                   const JrValue *tables, void **function, JrPyLoop **out);
JR_API void jr_python_loop_free(JrPyLoop *loop);
/* From now on a SIGINT stops the kernels that run in the context, as jr_cancel does, and then goes
 * on to Python's handler; as long as getsignal(number), which is asked now and then and in the middle of
 * runs, is `handler`. It runs no Python code. The context and the objects must live as long as the
 * process. */
JR_API JrStatus jr_python_interrupts(JrContext *context, void *getsignal, void *number,
                                     void *handler);
/* Looks whether the handler is in place, which calls of an entry do by themselves: for a call from
 * the slow function. */
JR_API void jr_python_watch(void);
/* What the context's kernels print goes to Python's sys.stdout from now on, on any thread. Where that raises, the
 * call of the kernel is JR_ERR_IO. Not while kernels run in the context. */
JR_API JrStatus jr_python_output(JrContext *context);
/* Raises, as a C function called from Python does, what sys.stdout raised last, if that was not
 * raised yet. */
JR_API void jr_python_raise(void);
/* From now on calls with such arguments go to `function`, which must live as long; when it fails,
 * failed() makes the exception. JR_ERR_SIGNATURE if that cannot be done: they go on to slow. */
JR_API JrStatus jr_python_calls_add(JrPyCalls *calls, JrFunction *function, void *failed,
                                    size_t count, const JrPyParam *params);

#ifdef __cplusplus
}
#endif

#endif

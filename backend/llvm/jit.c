/* Linking machine code into the process, through ORC's LLJIT.
 *
 * There is one LLJIT per process, made on first use and never freed: LLVM's own locks make it
 * safe for threads. Its main library, which would find any symbol of the process, is not used.
 * Code is linked into a bare library that holds an allow-list, the engine's symbols; there is
 * one such library per distinct list, because ORC's C interface cannot remove a library, and
 * as a program has one list, or a few, that stays small. Each object has a resource tracker,
 * and its memory is freed with that. */
#include "backend/llvm/jit.h"

#include "backend/llvm/target.h"

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Library {
    struct Library *next;
    uint64_t hash; /* of the list's names and addresses */
    uint32_t count;
    LLVMOrcJITDylibRef dylib;
} Library;

static struct {
    pthread_once_t once;
    pthread_mutex_t lock; /* of `libraries` */
    LLVMOrcLLJITRef jit;
    LLVMOrcExecutionSessionRef session;
    Library *libraries;
    char why[TARGET_WHY];
} jit = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

struct JitCode {
    LLVMOrcResourceTrackerRef tracker;
};

static void take_error(char *why, const char *what, LLVMErrorRef error) {
    char *message = LLVMGetErrorMessage(error);
    snprintf(why, TARGET_WHY, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
}

/* The linker says what went wrong to the session, and only that it failed to who asked. Both
 * happen on the thread that asked, so the one can be told with the other; nothing is printed.
 */
static _Thread_local char reported[TARGET_WHY];

static void keep_report(void *user, LLVMErrorRef error) {
    (void)user;
    char *message = LLVMGetErrorMessage(error);
    if (!reported[0]) snprintf(reported, sizeof reported, "%s", message);
    LLVMDisposeErrorMessage(message);
}

static void jit_start(void) {
    if (!jr_target_start(jit.why)) return;
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&jit.jit, NULL);
    if (error) {
        take_error(jit.why, "LLVM's linker could not be started", error);
        return;
    }
    jit.session = LLVMOrcLLJITGetExecutionSession(jit.jit);
    LLVMOrcExecutionSessionSetErrorReporter(jit.session, keep_report, NULL);
}

/* ---- The allow-list ---- */

/* What LLVM itself may call, besides the engine's symbols: its idioms of memory and, under
 * fast math, of libm. */
/* clang-format off */
#define BOTH(X, name) X(name) X(name##f)
#define OWN_SYMBOLS(X)                                                                        \
    X(memcpy) X(memmove) X(memset) X(memcmp) X(bcmp)                                          \
    BOTH(X, sincos) BOTH(X, ldexp) BOTH(X, fmod) BOTH(X, fmin) BOTH(X, fmax) BOTH(X, fma)     \
    BOTH(X, round) BOTH(X, roundeven) BOTH(X, nearbyint) BOTH(X, rint)                        \
    BOTH(X, floor) BOTH(X, ceil) BOTH(X, trunc) BOTH(X, sqrt) BOTH(X, cbrt) BOTH(X, pow)      \
    BOTH(X, exp) BOTH(X, exp2) BOTH(X, exp10) BOTH(X, log) BOTH(X, log2) BOTH(X, log10)       \
    BOTH(X, log1p) BOTH(X, sin) BOTH(X, cos) BOTH(X, tan)
/* clang-format on */

static const JrSymbol own_symbols[] = {
#define X(name) {#name, (void *)(uintptr_t)name},
    OWN_SYMBOLS(X)
#undef X
};

enum { OWN_COUNT = sizeof own_symbols / sizeof *own_symbols };

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static uint64_t hash_symbols(const JrSymbols *symbols) {
    uint64_t hash = 14695981039346656037u;
    for (uint32_t i = 0; i < symbols->count; i++) {
        const JrSymbol *s = &symbols->items[i];
        hash = hash_bytes(hash, s->name, strlen(s->name) + 1);
        hash = hash_bytes(hash, &s->address, sizeof s->address);
    }
    return hash;
}

static LLVMOrcCSymbolMapPair symbol_pair(const JrSymbol *symbol) {
    uint8_t flags = LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
    return (LLVMOrcCSymbolMapPair){
        LLVMOrcLLJITMangleAndIntern(jit.jit, symbol->name),
        {(LLVMOrcExecutorAddress)(uintptr_t)symbol->address, {flags, 0}}};
}

static bool define_symbols(LLVMOrcJITDylibRef dylib, const JrSymbols *symbols, char *why) {
    LLVMOrcCSymbolMapPair *pairs = malloc((symbols->count + OWN_COUNT) * sizeof *pairs);
    if (!pairs) {
        snprintf(why, TARGET_WHY, "out of memory");
        return false;
    }
    size_t n = 0;
    for (uint32_t i = 0; i < symbols->count; i++)
        pairs[n++] = symbol_pair(&symbols->items[i]);
    for (uint32_t i = 0; i < OWN_COUNT; i++)
        if (!jr_symbol_find(symbols, own_symbols[i].name))
            pairs[n++] = symbol_pair(&own_symbols[i]);
    LLVMErrorRef error = LLVMOrcJITDylibDefine(dylib, LLVMOrcAbsoluteSymbols(pairs, n));
    free(pairs);
    if (error) take_error(why, "the engine's symbols could not be defined", error);
    return !error;
}

static Library *new_library(const JrSymbols *symbols, uint64_t hash, char *why) {
    Library *library = malloc(sizeof *library);
    if (!library) {
        snprintf(why, TARGET_WHY, "out of memory");
        return NULL;
    }
    char name[40];
    snprintf(name, sizeof name, "jitrun.%016llx.%u", (unsigned long long)hash, symbols->count);
    *library = (Library){jit.libraries, hash, symbols->count,
                         LLVMOrcExecutionSessionCreateBareJITDylib(jit.session, name)};
    if (!define_symbols(library->dylib, symbols, why)) {
        free(library);
        return NULL;
    }
    return jit.libraries = library;
}

static Library *find_library(const JrSymbols *symbols, char *why) {
    uint64_t hash = hash_symbols(symbols);
    pthread_mutex_lock(&jit.lock);
    Library *l = jit.libraries;
    while (l && (l->hash != hash || l->count != symbols->count))
        l = l->next;
    if (!l) l = new_library(symbols, hash, why);
    pthread_mutex_unlock(&jit.lock);
    return l;
}

/* ---- Objects ---- */

typedef struct Lookup {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool done;
    void *address;
    char *why;
} Lookup;

/* May be called on another thread, though LLJIT links on the thread that asks. */
static void found(LLVMErrorRef error, LLVMOrcCSymbolMapPairs result, size_t count,
                  void *user) {
    Lookup *lookup = user;
    pthread_mutex_lock(&lookup->lock);
    if (error)
        take_error(lookup->why, "linking failed", error);
    else if (count)
        lookup->address = (void *)(uintptr_t)result[0].Sym.Address;
    lookup->done = true;
    pthread_cond_signal(&lookup->ready);
    pthread_mutex_unlock(&lookup->lock);
}

static void *look_up(Library *library, const char *name, char *why) {
    Lookup lookup = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL, why};
    LLVMOrcCJITDylibSearchOrderElement order = {library->dylib,
                                                LLVMOrcJITDylibLookupFlagsMatchAllSymbols};
    LLVMOrcCLookupSetElement wanted = {LLVMOrcLLJITMangleAndIntern(jit.jit, name),
                                       LLVMOrcSymbolLookupFlagsRequiredSymbol};
    reported[0] = 0;
    LLVMOrcExecutionSessionLookup(jit.session, LLVMOrcLookupKindStatic, &order, 1, &wanted, 1,
                                  found, &lookup);
    pthread_mutex_lock(&lookup.lock);
    while (!lookup.done)
        pthread_cond_wait(&lookup.ready, &lookup.lock);
    pthread_mutex_unlock(&lookup.lock);
    if (!lookup.address && reported[0])
        snprintf(why, TARGET_WHY, "linking failed: %s", reported);
    return lookup.address;
}

static bool add_object(JitCode *code, Library *library, LLVMMemoryBufferRef object,
                       char *why) {
    code->tracker = LLVMOrcJITDylibCreateResourceTracker(library->dylib);
    LLVMErrorRef error = LLVMOrcLLJITAddObjectFileWithRT(jit.jit, code->tracker, object);
    if (error) take_error(why, "the object file could not be added", error);
    return !error;
}

JitCode *jr_jit_link(LLVMMemoryBufferRef object, const JrSymbols *symbols, const char *table,
                     void **address, char *why) {
    pthread_once(&jit.once, jit_start);
    Library *library = NULL;
    JitCode *code = NULL;
    if (jit.session)
        library = find_library(symbols, why);
    else
        memcpy(why, jit.why, TARGET_WHY);
    if (library && !(code = calloc(1, sizeof *code)))
        snprintf(why, TARGET_WHY, "out of memory");
    if (!code) {
        LLVMDisposeMemoryBuffer(object);
        return NULL;
    }
    *address = add_object(code, library, object, why) ? look_up(library, table, why) : NULL;
    if (*address) return code;
    jr_jit_unlink(code);
    return NULL;
}

void jr_jit_unlink(JitCode *code) {
    if (!code) return;
    LLVMErrorRef error = LLVMOrcResourceTrackerRemove(code->tracker);
    if (error) LLVMConsumeError(error);
    LLVMOrcReleaseResourceTracker(code->tracker);
    /* The names of what is gone would stay otherwise. */
    LLVMOrcSymbolStringPoolClearDeadEntries(
        LLVMOrcExecutionSessionGetSymbolStringPool(jit.session));
    free(code);
}

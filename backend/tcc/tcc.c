/* The tcc engine: C text through libtcc into memory.
 *
 * libtcc keeps its state in globals, so one mutex is held while it works. Its result is copied
 * into pages of our own, which are made executable and no longer writable, and the TCCState is
 * deleted at once: what a module keeps is its pages and its table of entries. Where libtcc is
 * too new to relocate into given memory (JITRUN_TCC_ONE_ARGUMENT), the state lives as long as
 * the code.
 *
 * The text includes nothing and calls only what the symbol table holds, so neither libtcc's
 * include folder nor its libtcc1.a is looked for when a program runs. */
#include "backend/tcc/emit.h"
#include "backend/tcc/shim.h"
#include "ir/base/clock.h"

#include <inttypes.h>
#include <libtcc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Entry {
    char *name;
    void *address, *pointer;
} Entry;

struct JrCode {
    const JrAlloc *alloc;
    TCCState *state; /* kept only where the pages are its own */
    void *pages;
    size_t size;
    uint32_t count;
    Entry entries[];
};

/* A compilation in progress: all that it needs of the module, gathered before the lock is
 * taken, because the arena may jump out of an allocation. */
typedef struct Job {
    const char *text;
    JR_VEC(JrSymbol) symbols;
    JR_VEC(uint32_t) exported; /* indices of functions */
    const JrCSignature *signatures;
    const JrSymbols *table;
    JrArena *arena;
    const char *missing;
    char message[256];
    double generated; /* when: what comes then is linking */
} Job;

static pthread_mutex_t libtcc_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_message(void *user, const char *message) {
    Job *job = user;
    if (!job->message[0]) snprintf(job->message, sizeof job->message, "%s", message);
}

/* ---- Before the lock ---- */

static void add_symbol(void *user, const char *name) {
    Job *job = user;
    JrSymbol symbol = {name, jr_symbol_find(job->table, name)};
    if (!symbol.address) job->missing = name;
    JR_PUSH(job->arena, &job->symbols, symbol);
}

static void add_host(Job *job, const char *name, const JrHostTable *hosts) {
    const JrHostEntry *host = jr_host_named(hosts, name);
    JrSymbol symbol = {jr_arena_printf(job->arena, "jr_host_%s", name),
                       host ? *(void **)&host->function : NULL};
    if (!host) job->missing = name;
    JR_PUSH(job->arena, &job->symbols, symbol);
}

static void prepare(Job *job, const IrModule *module, const JrEngineOptions *options) {
    Emit em;
    JrText text;
    job->arena = module->arena;
    job->table = &options->symbols;
    job->signatures = options->signatures;
    jr_text_init(&text, module->arena);
    jr_c_emit(&em, module, options, &text);
    job->text = text.data;
    jr_c_each_symbol(&em, add_symbol, job);
    for (uint32_t i = 0; i < module->hosts.len; i++)
        add_host(job, module->hosts.data[i]->name, &options->hosts);
    for (uint32_t i = 0; i < module->funcs.len; i++)
        if (module->funcs.data[i]->exported) JR_PUSH(module->arena, &job->exported, i);
}

/* libtcc keeps the values of a call on a stack of 256, with the function, the JrRt and the results. */
enum { MOST_VALUES = 250 };

/* Why libtcc could not compile a call of one of the functions, in the arena; or NULL. */
static const char *too_many_values(const IrModule *module) {
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        const IrFunc *func = module->funcs.data[i];
        if (func->nparams + func->nrets <= MOST_VALUES) continue;
        return jr_arena_printf(
            module->arena,
            "%s in line %" PRId32 " takes and returns %" PRIu32
            " values, counting the items of tuples, and libtcc can pass %d: "
            "use arrays, or another engine",
            func->display, func->span.line, func->nparams + func->nrets, MOST_VALUES);
    }
    return NULL;
}

static JrCode *new_code(const IrModule *module, const Job *job, const JrAlloc *alloc) {
    uint32_t count = job->exported.len;
    size_t names = 0, table = sizeof(JrCode) + count * sizeof(Entry);
    for (uint32_t i = 0; i < count; i++)
        names += strlen(module->funcs.data[job->exported.data[i]]->name) + 1;
    JrCode *code = jr_alloc_new(alloc, table + names);
    if (!code) return NULL;
    *code = (JrCode){.alloc = alloc, .count = count};
    char *at = (char *)code + table;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = module->funcs.data[job->exported.data[i]]->name;
        code->entries[i] = (Entry){.name = strcpy(at, name)};
        at += strlen(name) + 1;
    }
    return code;
}

/* ---- Under the lock ---- */

#ifdef JITRUN_TCC_ONE_ARGUMENT
static bool place(TCCState *state, JrCode *code) {
    if (tcc_relocate(state) < 0) return false;
    code->state = state;
    return true;
}
#else
static bool place(TCCState *state, JrCode *code) {
    int size = tcc_relocate(state, NULL);
    if (size < 0) return false;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    code->size = ((size_t)size + page) & ~(page - 1);
    void *pages =
        mmap(NULL, code->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return false;
    code->pages = pages;
    return tcc_relocate(state, pages) == 0 &&
           mprotect(pages, code->size, PROT_READ | PROT_EXEC) == 0;
}
#endif

static bool build(TCCState *state, Job *job, JrCode *code) {
    tcc_set_error_func(state, job, on_message);
    tcc_set_options(state, "-nostdlib -nostdinc");
    if (tcc_set_output_type(state, TCC_OUTPUT_MEMORY) < 0) return false;
    if (tcc_compile_string(state, job->text) < 0) return false;
    job->generated = jr_clock();
    for (uint32_t i = 0; i < job->symbols.len; i++)
        tcc_add_symbol(state, job->symbols.data[i].name, job->symbols.data[i].address);
    if (!place(state, code)) return false;
    for (uint32_t i = 0; i < code->count; i++) {
        char name[32];
        snprintf(name, sizeof name, "jr_entry_%u", job->exported.data[i]);
        code->entries[i].address = tcc_get_symbol(state, name);
        if (!code->entries[i].address) return false;
        const JrCSignature *c =
            job->signatures ? &job->signatures[job->exported.data[i]] : NULL;
        if (!c || !c->symbol) continue;
        code->entries[i].pointer = tcc_get_symbol(state, c->symbol);
        if (!code->entries[i].pointer) return false;
    }
    return true;
}

/* Out of memory, libtcc comes back by a jump and what it held then is lost: it cannot be asked
 * to free a state that is half made. */
static bool translate(Job *job, JrCode *code) {
    volatile bool ok = false;
    pthread_mutex_lock(&libtcc_lock);
    if (setjmp(jr_tcc_gave_up) == 0) {
        TCCState *state = tcc_new();
        ok = state && build(state, job, code);
        if (state && !code->state) tcc_delete(state);
    } else {
        ok = false;
    }
    pthread_mutex_unlock(&libtcc_lock);
    return ok;
}

/* ---- The engine ---- */

static void release(JrCode *code) {
    if (!code) return;
    if (code->pages) munmap(code->pages, code->size);
    if (code->state) {
        pthread_mutex_lock(&libtcc_lock);
        if (setjmp(jr_tcc_gave_up) == 0) tcc_delete(code->state);
        pthread_mutex_unlock(&libtcc_lock);
    }
    jr_alloc_free(code->alloc, code);
}

static JrCode *compile(const IrModule *module, const JrEngineOptions *options,
                       const char **why) {
    Job job = {0};
    double begun = jr_clock();
    *why = too_many_values(module);
    if (*why) return NULL;
    prepare(&job, module, options);
    if (job.missing) {
        *why =
            jr_arena_printf(module->arena, "the tcc engine has no function %s", job.missing);
        return NULL;
    }
    JrCode *code = new_code(module, &job, options->alloc);
    if (!code) {
        *why = "out of memory";
        return NULL;
    }
    bool good = translate(&job, code);
    if (options->times)
        *options->times = (JrEngineTimes){.generate = job.generated - begun,
                                          .link = jr_clock() - job.generated};
    if (good) return code;
    release(code);
    *why = jr_arena_printf(module->arena, "libtcc: %s",
                           job.message[0] ? job.message : "no memory for the code");
    return NULL;
}

static int32_t run(const JrCall *call, JrRt *rt, void *const *args, void *const *results) {
    return ((JrEntry)call->function)(rt, args, results);
}

static bool find(JrCode *code, const char *name, JrCall *out) {
    for (uint32_t i = 0; i < code->count; i++)
        if (strcmp(code->entries[i].name, name) == 0) {
            *out = (JrCall){.run = run,
                            .function = code->entries[i].address,
                            .pointer = code->entries[i].pointer};
            return true;
        }
    return false;
}

static bool text(const IrModule *module, const JrEngineOptions *options, JrEngineText kind,
                 JrText *out, const char **why) {
    if (kind != JR_TEXT_C) {
        *why = "the tcc engine shows C alone";
        return false;
    }
    Emit em;
    jr_c_emit(&em, module, options, out);
    return true;
}

const JrEngine *jr_engine_tcc(void) {
    static const JrEngine engine = {"tcc", false, compile, find, release, text};
    return &engine;
}

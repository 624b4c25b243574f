/* The LLVM engine, as the plug-in libjitrun-llvm.so.
 *
 * compile() is the whole way, from top to bottom: generate LLVM IR (module.c), check it,
 * optimise it and emit an object file (target.c), link it (jit.c); or find one that is kept and
 * link that (keep.c). Everything on the way
 * belongs to one Work, which is cleared on each path out, the jump out of an exhausted arena
 * too. Nothing is shared between compilations but LLVM's own once-initialised state. */
#include "backend/llvm/gen.h"
#include "backend/llvm/jit.h"
#include "backend/llvm/keep.h"
#include "backend/llvm/target.h"

#include <llvm-c/Analysis.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "ir/base/alloc.h"
#include "ir/base/clock.h"

/* ---- One compilation ---- */

typedef struct Work {
    Gen gen;
    Target target;
    LLVMMemoryBufferRef buffer;
    JrArena *keys;
    JrText key;       /* of what is kept; empty if nothing is to be */
    double generated; /* when there was an object file */
    char *text;
    double optimised; /* seconds that the passes took */
    char why[TARGET_WHY];
} Work;

static void work_clear(Work *w) {
    if (w->text) LLVMDisposeMessage(w->text);
    if (w->buffer) LLVMDisposeMemoryBuffer(w->buffer);
    if (w->gen.b) LLVMDisposeBuilder(w->gen.b);
    if (w->gen.allocas) LLVMDisposeBuilder(w->gen.allocas);
    if (w->gen.module) LLVMDisposeModule(w->gen.module);
    if (w->gen.ctx) LLVMContextDispose(w->gen.ctx);
    jr_target_clear(&w->target);
    jr_arena_free(w->gen.arena);
    jr_arena_free(w->keys);
}

/* What LLVM has to say goes into results; it prints the rest unless there is a handler. */
static void ignore_diagnostic(LLVMDiagnosticInfoRef info, void *user) {
    (void)info;
    (void)user;
}

static bool verified(Work *w) {
    char *message = NULL;
    bool bad = LLVMVerifyModule(w->gen.module, LLVMReturnStatusAction, &message);
    if (bad) snprintf(w->why, TARGET_WHY, "internal error in the LLVM engine: %s", message);
    LLVMDisposeMessage(message);
    return !bad;
}

static bool generate(Work *w, const char *table) {
    Gen *g = &w->gen;
    g->ctx = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(g->ctx, ignore_diagnostic, NULL);
    g->module = LLVMModuleCreateWithNameInContext("jitrun", g->ctx);
    g->b = LLVMCreateBuilderInContext(g->ctx);
    g->allocas = LLVMCreateBuilderInContext(g->ctx);
    g->level = w->target.level;
    jr_target_mark(&w->target, g->module);
    jr_gen_init(g);
    jr_gen_module(g, table);
    return verified(w);
}

static bool hosts_are_known(Work *w, const IrModule *module) {
    for (uint32_t i = 0; i < module->hosts.len; i++) {
        const char *name = module->hosts.data[i]->name;
        if (jr_host_named(&w->gen.options->hosts, name)) continue;
        snprintf(w->why, TARGET_WHY, "there is no function %s", name);
        return false;
    }
    return true;
}

/* LLVM ends the process when memory runs out. So we ask for about what it takes first, which finds limits
 * of address space and of the machine's; what other threads take meanwhile is not foreseen.
 * Measured: 4 to 7 KB for each statement, and 16 MB for the first module, linker included. */
static bool has_room(Work *w, uint32_t stmts) {
    size_t size = ((size_t)16 << 20) + (size_t)stmts * 10240;
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room != MAP_FAILED) return munmap(room, size) == 0;
    snprintf(w->why, TARGET_WHY, JR_NO_MEMORY);
    return false;
}

/* The last stage to run. */
typedef enum Stage { STAGE_GENERATE, STAGE_OPTIMISE, STAGE_EMIT_ASM, STAGE_EMIT_OBJECT } Stage;

/* False with the reason in w->why. Memory that runs out jumps back to here. */
static bool work_run(Work *w, const IrModule *module, const JrEngineOptions *options,
                     Stage stage, const char *table) {
    jmp_buf exhausted;
    w->gen.ir = module;
    w->gen.options = options;
    w->gen.arena = jr_arena_new(options->alloc);
    if (!w->gen.arena || setjmp(exhausted)) {
        snprintf(w->why, TARGET_WHY, "out of memory");
        return false;
    }
    jr_arena_on_oom(w->gen.arena, &exhausted);
    if (!hosts_are_known(w, module)) return false;
    jr_gen_reach(&w->gen, table != NULL);
    if (!has_room(w, w->gen.stmts)) return false;
    if (!jr_target_init(&w->target, w->gen.most_stmts, options, w->why)) return false;
    if (!generate(w, table)) return false;
    if (stage == STAGE_GENERATE) return true;
    double begun = jr_clock();
    if (!jr_target_optimise(&w->target, w->gen.module, w->gen.needs, w->why)) return false;
    w->optimised = jr_clock() - begun;
    if (stage == STAGE_OPTIMISE) return true;
    w->buffer = jr_target_emit(&w->target, w->gen.module, stage == STAGE_EMIT_ASM, w->why);
    return w->buffer != NULL;
}

/* ---- The code ---- */

typedef struct Export {
    char *name;
    void *entry, *pointer;
} Export;

struct JrCode {
    const JrAlloc *alloc;
    JitCode *linked;
    uint32_t count;
    Export exports[];
};

static void release(JrCode *code) {
    if (!code) return;
    jr_jit_unlink(code->linked);
    for (uint32_t i = 0; i < code->count; i++)
        jr_alloc_free(code->alloc, code->exports[i].name);
    jr_alloc_free(code->alloc, code);
}

static char *copy_name(const JrAlloc *alloc, const char *name) {
    size_t size = strlen(name) + 1;
    char *copy = jr_alloc_new(alloc, size);
    return copy ? memcpy(copy, name, size) : NULL;
}

/* The names of the exports, in the order of the table of entries. */
static JrCode *new_code(const IrModule *module, const JrEngineOptions *options) {
    const JrAlloc *alloc = options->alloc;
    JrCode *code = jr_alloc_new(alloc, sizeof *code + module->funcs.len * sizeof(Export));
    if (!code) return NULL;
    *code = (JrCode){.alloc = alloc};
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        const IrFunc *func = module->funcs.data[i];
        if (!jr_gen_wants_entry(options, func) && !jr_gen_wants_pointer(options, func))
            continue;
        Export export = {.name = copy_name(alloc, func->name)};
        code->exports[code->count++] = export;
        if (export.name) continue;
        release(code);
        return NULL;
    }
    return code;
}

static void table_name(char *name, size_t size) {
    static atomic_ulong counter;
    snprintf(name, size, "jitrun.code.%016lx", atomic_fetch_add(&counter, 1) + 1);
}

static JrCode *link_code(Work *w, const IrModule *module, const JrEngineOptions *options,
                         const char *table) {
    JrCode *code = new_code(module, options);
    if (!code) {
        snprintf(w->why, TARGET_WHY, "out of memory");
        return NULL;
    }
    void *address = NULL;
    LLVMMemoryBufferRef object = w->buffer;
    w->buffer = NULL;
    code->linked = jr_jit_link(object, &options->symbols, table, &address, w->why);
    if (!code->linked) {
        release(code);
        return NULL;
    }
    void **items = address;
    for (uint32_t i = 0; i < code->count; i++) {
        code->exports[i].entry = items[i];
        code->exports[i].pointer = items[code->count + i];
    }
    const void **host = items[2 * code->count];
    if (host) *host = options->host;
    return code;
}

/* ---- The engine ---- */

/* Looks for an object file of the module that is kept. True if w->buffer is now one. */
static bool find_kept(Work *w, const IrModule *module, const JrEngineOptions *options) {
    jmp_buf exhausted;
    w->keys = jr_arena_new(options->alloc);
    if (!w->keys) return false;
    jr_text_init(&w->key, w->keys);
    if (setjmp(exhausted) == 0) {
        jr_arena_on_oom(w->keys, &exhausted);
        if (jr_keep_key(module, options, &w->key, w->why))
            w->buffer = jr_keep_load(options, &w->key);
        else
            w->key.len = 0;
    } else {
        w->key.len = 0;
    }
    jr_arena_on_oom(w->keys, NULL);
    return w->buffer != NULL;
}

/* False, as if there were none, if linking what is kept fails. */
static JrCode *link_kept(Work *w, const IrModule *module, const JrEngineOptions *options,
                         const char *table) {
    if (jr_keep_rename(w->buffer, table)) return link_code(w, module, options, table);
    LLVMDisposeMemoryBuffer(w->buffer);
    w->buffer = NULL;
    return NULL;
}

static JrCode *make_code(Work *w, const IrModule *module, const JrEngineOptions *options,
                         const char *table) {
    bool keeps = options->cache != NULL;
    bool emitted = work_run(w, module, options, STAGE_EMIT_OBJECT, keeps ? KEEP_TABLE : table);
    if (emitted && keeps && w->key.len) jr_keep_store(options, &w->key, w->buffer);
    w->generated = jr_clock();
    if (!emitted) return NULL;
    return keeps ? link_kept(w, module, options, table) : link_code(w, module, options, table);
}

static JrCode *compile(const IrModule *module, const JrEngineOptions *options,
                       const char **why) {
    Work w = {0};
    char table[48];
    JrEngineOptions own = *options;
    table_name(table, sizeof table);
    if (!jr_keep_can(module, options)) own.cache = NULL;
    double begun = jr_clock();
    JrCode *code = NULL;
    bool found = own.cache && has_room(&w, 0) && find_kept(&w, module, &own);
    w.generated = jr_clock();
    if (found) code = link_kept(&w, module, &own, table);
    found = code != NULL;
    if (!found) code = make_code(&w, module, &own, table);
    if (options->times)
        *options->times = (JrEngineTimes){.optimise = w.optimised,
                                          .generate = w.generated - begun - w.optimised,
                                          .link = jr_clock() - w.generated,
                                          .found = found};
    work_clear(&w);
    if (!code) *why = jr_arena_strdup(module->arena, w.why);
    return code;
}

static int32_t run(const JrCall *call, JrRt *rt, void *const *args, void *const *results) {
    return ((JrEntry)call->function)(rt, args, results);
}

static bool find(JrCode *code, const char *name, JrCall *out) {
    for (uint32_t i = 0; i < code->count; i++) {
        if (strcmp(code->exports[i].name, name) != 0) continue;
        const Export *e = &code->exports[i];
        *out = (JrCall){e->entry ? run : NULL, e->entry, code, e->pointer};
        return true;
    }
    return false;
}

/* Copies to the caller's arena, which may be exhausted: then LLVM's things are freed first. */
static void hand_over(Work *w, JrText *out, const char *bytes, size_t len) {
    jmp_buf exhausted, *outer = jr_arena_on_oom(out->arena, NULL);
    if (setjmp(exhausted)) {
        jr_arena_on_oom(out->arena, outer);
        work_clear(w);
        if (outer) longjmp(*outer, 1);
        return;
    }
    jr_arena_on_oom(out->arena, &exhausted);
    jr_text_add(out, bytes, len);
    jr_arena_on_oom(out->arena, outer);
    work_clear(w);
}

static bool text(const IrModule *module, const JrEngineOptions *options, JrEngineText kind,
                 JrText *out, const char **why) {
    static const Stage stages[] = {[JR_TEXT_LLVM] = STAGE_GENERATE,
                                   [JR_TEXT_LLVM_OPT] = STAGE_OPTIMISE,
                                   [JR_TEXT_ASM] = STAGE_EMIT_ASM,
                                   [JR_TEXT_OBJECT] = STAGE_EMIT_OBJECT};
    if (kind < JR_TEXT_LLVM || kind > JR_TEXT_OBJECT) {
        *why = "the LLVM engine has no such text: ask for llvm, llvm-opt or asm";
        return false;
    }
    Work w = {0};
    Stage stage = stages[kind];
    if (!work_run(&w, module, options, stage, options->ahead ? NULL : "jitrun.code")) {
        work_clear(&w);
        *why = jr_arena_strdup(module->arena, w.why);
        return false;
    }
    if (w.buffer) {
        hand_over(&w, out, LLVMGetBufferStart(w.buffer), LLVMGetBufferSize(w.buffer));
        return true;
    }
    w.text = LLVMPrintModuleToString(w.gen.module);
    hand_over(&w, out, w.text, strlen(w.text));
    return true;
}

__attribute__((visibility("default"))) const JrEngine *jr_engine_plugin(uint32_t abi,
                                                                        uint32_t engine_size);

const JrEngine *jr_engine_plugin(uint32_t abi, uint32_t engine_size) {
    static const JrEngine engine = {"llvm", true, compile, find, release, text};
    return abi == JR_ENGINE_ABI && engine_size == sizeof engine ? &engine : NULL;
}

/* The engine: a compiled module packed into one block of memory, found by name, freed at once.
 */
#include "backend/interp/compile.h"
#include "ir/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* ---- One block ---- */

/* Parts of a block, in two rounds over the same calls: with no block they only add up. */
typedef struct Packer {
    char *block;
    size_t size;
} Packer;

static void *pack(Packer *packer, const void *from, size_t size) {
    char *to = packer->block ? packer->block + packer->size : NULL;
    packer->size += (size + 15) & ~(size_t)15;
    if (to && size) memcpy(to, from, size);
    return to;
}

#define PACK(packer, vec) pack(packer, (vec)->data, (vec)->len * sizeof *(vec)->data)

static void pack_parts(Packer *packer, Compiler *c, JrCode *code, const uint32_t *sorted) {
    pack(packer, code, sizeof *code);
    code->code = PACK(packer, &c->code);
    code->places = PACK(packer, &c->places);
    code->records = PACK(packer, &c->records);
    code->operands = PACK(packer, &c->operands);
    code->openings = PACK(packer, &c->openings);
    code->open_pointers = PACK(packer, &c->open_pointers);
    code->index_sums = PACK(packer, &c->index_sums);
    code->constants = PACK(packer, &c->constants);
    code->wheres = PACK(packer, &c->wheres);
    code->callers = PACK(packer, &c->callers);
    code->funcs = PACK(packer, &c->funcs);
    code->sorted = pack(packer, sorted, code->nsorted * sizeof *sorted);
    code->strings = PACK(packer, &c->strings);
}

/* Strings outlive the IR: first they are copied behind the others, as offsets ... */
static void keep_string(Compiler *c, JrTable *kept, const char **string) {
    if (!*string) *string = "";
    uintptr_t at = (uintptr_t)jr_table_get(kept, *string);
    if (!at) {
        at = 1 + (uintptr_t)jr_string_add(c, *string, strlen(*string));
        jr_table_put(kept, *string, (void *)at);
    }
    *string = (const char *)(at - 1);
}

/* Places of one function follow each other, with one display name. */
static void keep_strings(Compiler *c) {
    JrTable kept;
    jr_table_init(&kept, c->arena);
    const char *file = c->module->file, *last = NULL, *last_kept = NULL;
    keep_string(c, &kept, &file);
    for (uint32_t n = 0; n < c->wheres.len; n++) {
        JrWhere *where = &c->wheres.data[n];
        where->file = file;
        if (where->func != last || !last) {
            last = last_kept = where->func;
            keep_string(c, &kept, &last_kept);
        }
        where->func = last_kept;
    }
    for (uint32_t n = 0; n < c->funcs.len; n++) {
        keep_string(c, &kept, &c->funcs.data[n].name);
        c->funcs.data[n].display = NULL;
    }
}

/* ... and then turned into addresses. */
static void restore_strings(JrCode *code, JrWhere *wheres, uint32_t nwheres, Func *funcs) {
    const char *strings = code->strings;
    for (uint32_t n = 0; n < nwheres; n++) {
        wheres[n].file = strings + (uintptr_t)wheres[n].file;
        wheres[n].func = strings + (uintptr_t)wheres[n].func;
    }
    for (uint32_t n = 0; n < code->nfuncs; n++)
        funcs[n].name = strings + (uintptr_t)funcs[n].name;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

/* The exported functions' numbers, by name. */
static uint32_t *sort_names(Compiler *c, uint32_t *count) {
    const Func *funcs = c->funcs.data;
    const char *const **names = JR_NEW_ARRAY(c->arena, const char *const *, c->funcs.len + 1);
    uint32_t *sorted = JR_NEW_ARRAY(c->arena, uint32_t, c->funcs.len + 1);
    uint32_t n = 0;
    for (uint32_t k = 0; k < c->funcs.len; k++)
        if (funcs[k].exported) names[n++] = &funcs[k].name;
    qsort(names, n, sizeof *names, compare_names);
    for (uint32_t k = 0; k < n; k++)
        sorted[k] = (uint32_t)((const Func *)(const void *)((const char *)names[k] -
                                                            offsetof(Func, name)) -
                               funcs);
    *count = n;
    return sorted;
}

JrCode *jr_link(Compiler *c) {
    JrCode head = {.alloc = c->options->alloc,
                   .helpers = c->helpers,
                   .nfuncs = c->funcs.len,
                   .ncode = c->code.len,
                   .stubs = c->stubs};
    for (uint32_t n = 0; n < c->code.len; n++)
        c->code.data[n].handler = jr_interp_handlers[c->code.data[n].op];
    const uint32_t *sorted = sort_names(c, &head.nsorted);
    keep_strings(c);
    Packer packer = {NULL, 0};
    pack_parts(&packer, c, &head, sorted);
    packer.block = jr_alloc_new(c->options->alloc, packer.size);
    if (!packer.block) {
        c->why = JR_NO_MEMORY;
        return NULL;
    }
    packer.size = 0;
    pack_parts(&packer, c, &head, sorted);
    restore_strings(&head, (JrWhere *)head.wheres, c->wheres.len, (Func *)head.funcs);
    return memcpy(packer.block, &head, sizeof head);
}

/* ---- The engine ---- */

static JrCode *engine_compile(const IrModule *module, const JrEngineOptions *options,
                              const char **why) {
    Compiler *c = JR_NEW(module->arena, Compiler);
    const double begun = jr_clock();
    const bool compiled = jr_compile_module(c, module, options);
    const double generated = jr_clock();
    JrCode *code = compiled ? jr_link(c) : NULL;
    if (!code) *why = c->why;
    if (options->times)
        *options->times =
            (JrEngineTimes){.generate = generated - begun, .link = jr_clock() - generated};
    return code;
}

static bool engine_find(JrCode *code, const char *name, JrCall *out) {
    uint32_t lo = 0, hi = code->nsorted;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        const Func *func = &code->funcs[code->sorted[mid]];
        const int order = strcmp(func->name, name);
        if (order == 0) {
            *out = (JrCall){.run = jr_interp_enter, .function = (void *)func, .data = code};
            return true;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static void engine_release(JrCode *code) {
    if (code) jr_alloc_free(code->alloc, code);
}

static bool engine_text(const IrModule *module, const JrEngineOptions *options,
                        JrEngineText kind, JrText *out, const char **why) {
    if (kind != JR_TEXT_BYTECODE) {
        *why = "the interpreter shows its bytecode only";
        return false;
    }
    Compiler *c = JR_NEW(module->arena, Compiler);
    if (!jr_compile_module(c, module, options)) {
        *why = c->why;
        return false;
    }
    jr_bytecode_print(c, out);
    return true;
}

const JrEngine *jr_engine_interp(void) {
    static const JrEngine engine = {"interp",    false,          engine_compile,
                                    engine_find, engine_release, engine_text};
    return &engine;
}

/* The key is the module's text with everything besides that generating code looks at, so nothing that changes
 * the code can be forgotten: neither what a function calls in another file nor the value of a
 * constant. It is compared as a whole: no two keys are taken for each other.
 *
 * All objects that are linked at a time define another symbol, the table's, while one that is kept must
 * not depend on how many there were before it. So its table has a name of the same length, which is
 * overwritten in its string table. */
#include "backend/llvm/keep.h"

#include "backend/llvm/gen.h"
#include "backend/llvm/target.h"
#include "ir/base/alloc.h"
#include "ir/base/build.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

bool jr_keep_can(const IrModule *module, const JrEngineOptions *options) {
    return options->cache && !options->ahead && module->hosts.len == 0;
}

/* ---- The key ---- */

/* What is made of a function, and what ir_module_finish found out about it. */
static void describe_function(const JrEngineOptions *options, const IrFunc *func,
                              JrText *key) {
    bool entry = jr_gen_wants_entry(options, func),
         pointer = jr_gen_wants_pointer(options, func);
    const bool facts[] = {entry,
                          pointer,
                          pointer && options->signatures[func->index].returns_scalar,
                          func->recursive,
                          func->may_fail,
                          func->needs_rt,
                          func->needs_context};
    for (size_t i = 0; i < sizeof facts; i++)
        jr_text_puts(key, facts[i] ? "1" : "0");
    for (uint32_t i = 0; i < func->nparams; i++)
        jr_text_puts(key, ir_reg(func, i)->written ? "w" : "r");
    jr_text_printf(key, " %s\n", func->name);
}

bool jr_keep_key(const IrModule *module, const JrEngineOptions *options, JrText *key,
                 char *why) {
    char build[JR_BUILD_ID];
    if (!jr_build_id(build)[0]) {
        snprintf(why, TARGET_WHY, "this build of jitrun has no build ID");
        return false;
    }
    jr_text_printf(key, "jitrun %s %s\n", JITRUN_VERSION, build);
    if (!jr_target_describe(options, key, why)) return false;
    jr_text_printf(key, "level %d, fastmath %d\n", options->opt_level, options->fastmath);
    for (uint32_t i = 0; i < options->symbols.count; i++)
        jr_text_printf(key, "%s ", options->symbols.items[i].name);
    jr_text_puts(key, "\n");
    for (uint32_t i = 0; i < module->funcs.len; i++)
        describe_function(options, module->funcs.data[i], key);
    ir_print_module(module, key);
    return true;
}

/* ---- What is kept ---- */

LLVMMemoryBufferRef jr_keep_load(const JrEngineOptions *options, const JrText *key) {
    size_t len;
    const JrCodeCache *cache = options->cache;
    char *bytes = cache->load(cache->user, key->data, key->len, &len);
    if (!bytes) return NULL;
    LLVMMemoryBufferRef object =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(bytes, len, "jitrun");
    jr_alloc_free(options->alloc, bytes);
    return object;
}

void jr_keep_store(const JrEngineOptions *options, const JrText *key,
                   LLVMMemoryBufferRef object) {
    const JrCodeCache *cache = options->cache;
    cache->store(cache->user, key->data, key->len, LLVMGetBufferStart(object),
                 LLVMGetBufferSize(object));
}

/* ---- Its symbol ---- */

/* An object file, of which nothing is believed but its length. */
typedef struct Object {
    char *bytes;
    size_t len;
} Object;

/* Copies a structure of the file; false if it is not all there. */
static bool read_at(const Object *object, uint64_t at, void *to, size_t size) {
    if (at > object->len || size > object->len - at) return false;
    memcpy(to, object->bytes + at, size);
    return true;
}

static bool read_section(const Object *object, const Elf64_Ehdr *header, unsigned index,
                         Elf64_Shdr *out) {
    return index < header->e_shnum &&
           read_at(object, header->e_shoff + (uint64_t)index * sizeof *out, out, sizeof *out);
}

/* Overwrites the name of the symbol that has it. */
static bool rename_in(Object *object, const Elf64_Shdr *symbols, const Elf64_Shdr *strings,
                      const char *from, const char *to) {
    size_t size = strlen(from) + 1;
    Elf64_Sym symbol;
    for (uint64_t at = 0; at + sizeof symbol <= symbols->sh_size; at += sizeof symbol) {
        if (!read_at(object, symbols->sh_offset + at, &symbol, sizeof symbol)) return false;
        uint64_t name = strings->sh_offset + symbol.st_name;
        if (name > object->len || size > object->len - name) continue;
        if (memcmp(object->bytes + name, from, size) != 0) continue;
        memcpy(object->bytes + name, to, size);
        return true;
    }
    return false;
}

bool jr_keep_rename(LLVMMemoryBufferRef buffer, const char *name) {
    /* The buffer is ours, and no file's: it can be written to. */
    Object object = {(char *)(uintptr_t)LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer)};
    Elf64_Ehdr header;
    Elf64_Shdr section, strings;
    if (!read_at(&object, 0, &header, sizeof header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof section)
        return false;
    for (unsigned i = 0; read_section(&object, &header, i, &section); i++)
        if (section.sh_type == SHT_SYMTAB &&
            read_section(&object, &header, section.sh_link, &strings))
            return rename_in(&object, &section, &strings, KEEP_TABLE, name);
    return false;
}

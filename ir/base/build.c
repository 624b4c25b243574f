#include "ir/base/build.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is looked for: the ID of the file that `address` was loaded from. */
typedef struct Search {
    uintptr_t address;
    char *id;
} Search;

static bool is_within(const struct dl_phdr_info *info, uintptr_t address) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && address - start < part->p_memsz) return true;
    }
    return false;
}

static void write_hex(char *out, const unsigned char *bytes, size_t count) {
    if (count > (JR_BUILD_ID - 1) / 2) count = (JR_BUILD_ID - 1) / 2;
    for (size_t i = 0; i < count; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* A note is its header, a name and a description, each padded to 4 bytes. */
static void read_notes(Search *search, const char *at, size_t size) {
    static const ElfW(Word) pad = 3;
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        const char *name = at + sizeof note;
        size_t name_size = (note.n_namesz + pad) & ~pad,
               id_size = (note.n_descsz + pad) & ~pad;
        if (name_size + id_size > size - sizeof note) return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(name, "GNU", 4))
            write_hex(search->id, (const unsigned char *)name + name_size, note.n_descsz);
        at = name + name_size + id_size;
        size -= sizeof note + name_size + id_size;
    }
}

static int look(struct dl_phdr_info *info, size_t size, void *user) {
    Search *search = user;
    (void)size;
    if (!is_within(info, search->address)) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_NOTE && !search->id[0])
            read_notes(search, (const char *)info->dlpi_addr + part->p_vaddr, part->p_memsz);
    }
    return 1;
}

const char *jr_build_id(char id[JR_BUILD_ID]) {
    Search search = {(uintptr_t)jr_build_id, id};
    id[0] = 0;
    dl_iterate_phdr(look, &search);
    return id;
}

/* Machine code in this process. */
#ifndef JR_BACKEND_LLVM_JIT_H
#define JR_BACKEND_LLVM_JIT_H

#include "ir/rt.h"

#include <llvm-c/Core.h>

typedef struct JitCode JitCode; /* the linked code of one object file */

/* Links `object`, which it takes, against `symbols` and nothing else. `table` is the one
 * symbol that it defines; *address receives its address. NULL with the reason in why
 * (TARGET_WHY). */
JitCode *jr_jit_link(LLVMMemoryBufferRef object, const JrSymbols *symbols, const char *table,
                     void **address, char *why);
/* Unlinks it and frees its memory. NULL is fine. */
void jr_jit_unlink(JitCode *code);

#endif

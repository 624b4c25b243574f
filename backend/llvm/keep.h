/* Object files that are kept for later processes (JrCodeCache). */
#ifndef JR_BACKEND_LLVM_KEEP_H
#define JR_BACKEND_LLVM_KEEP_H

#include "backend/engine.h"

#include <llvm-c/Core.h>

/* The table's name in an object file that is kept. Linked objects each need another one. */
#define KEEP_TABLE "jitrun.code.0000000000000000"

/* Whether an object file of the module could do in another process. */
bool jr_keep_can(const IrModule *module, const JrEngineOptions *options);
/* The key: all that the object file depends on. False if it cannot be told, with the reason in why
 * (TARGET_WHY). */
bool jr_keep_key(const IrModule *module, const JrEngineOptions *options, JrText *key,
                 char *why);
/* What is kept under the key, or NULL. */
LLVMMemoryBufferRef jr_keep_load(const JrEngineOptions *options, const JrText *key);
void jr_keep_store(const JrEngineOptions *options, const JrText *key,
                   LLVMMemoryBufferRef object);
/* Calls the table by another name of the same length. False if the object file has none. */
bool jr_keep_rename(LLVMMemoryBufferRef object, const char *name);

#endif

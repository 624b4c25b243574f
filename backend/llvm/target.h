/* From an LLVM module to machine code: the CPU, the passes, the object file. */
#ifndef JR_BACKEND_LLVM_TARGET_H
#define JR_BACKEND_LLVM_TARGET_H

#include "backend/llvm/gen.h"

#include <llvm-c/TargetMachine.h>

enum { TARGET_WHY = 256 }; /* room for a reason */

typedef struct Target {
    LLVMTargetMachineRef machine;
    const char *cpu, *features; /* strings of target.c's */
    int level;                  /* of optimisation */
    bool large;                 /* some function is too large for the slow passes */
} Target;

/* Initialises LLVM, once per process. False with the reason in why. */
bool jr_target_start(char *why);
/* A machine for the options and the largest function's statements; free it with jr_target_clear. */
bool jr_target_init(Target *target, uint32_t stmts, const JrEngineOptions *options, char *why);
void jr_target_clear(Target *target);
/* Writes what the options make of the machine: LLVM, CPU and features. False with the reason. */
bool jr_target_describe(const JrEngineOptions *options, JrText *out, char *why);
/* Makes the module one for this target. */
void jr_target_mark(const Target *target, LLVMModuleRef module);
bool jr_target_optimise(const Target *target, LLVMModuleRef module, TargetNeeds needs,
                        char *why);
/* strength.c: the parts of strength reduction that kernels gain from. */
void jr_target_reduce(LLVMModuleRef module);
/* An object file, or assembly text, in a buffer that is the caller's; NULL with the reason. */
LLVMMemoryBufferRef jr_target_emit(const Target *target, LLVMModuleRef module, bool assembly,
                                   char *why);

#endif

/* Counters of loops, after the passes, where LLVM's loop strength reduction does not run (decision 018).
 *
 * A test of what the counter was before its step, `i < n - 1` in place of `i + 1 < n`, needs both at once: a
 * register, and a move to it, in each round. Passes write such tests where both sides have the same constant added,
 * and so do loops in larger steps, whose next counter might overflow. So the step is taken at the top:
 *
 *     loop:  i = phi [start], [next]              loop:  before = phi [start - step], [i]
 *            ... x[i] ...                                i = before + step
 *            next = i + step                     =>      ... x[i] ...
 *            if (i < limit) goto loop                    if (i < limit) goto loop
 *
 * The values are the same, to the last bit, as integers wrap. */
#include "backend/llvm/target.h"

#include <llvm-c/Core.h>

/* A counter, its step, and the way back to the top. */
typedef struct Counter {
    LLVMValueRef phi, next, step;
    unsigned back; /* which of the two ways in */
} Counter;

static bool is_op(LLVMValueRef value, LLVMOpcode op) {
    return LLVMIsAInstruction(value) && LLVMGetInstructionOpcode(value) == op;
}

static bool is_counter(LLVMValueRef phi, Counter *c) {
    if (LLVMGetTypeKind(LLVMTypeOf(phi)) != LLVMIntegerTypeKind || LLVMCountIncoming(phi) != 2)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        LLVMValueRef next = LLVMGetIncomingValue(phi, i);
        if (!is_op(next, LLVMAdd) || LLVMGetOperand(next, 0) != phi) continue;
        LLVMValueRef step = LLVMGetOperand(next, 1);
        if (!LLVMIsAConstantInt(step)) continue;
        *c = (Counter){phi, next, step, i};
        return true;
    }
    return false;
}

/* Whether the branch back depends on the counter as it was before its step. */
static bool tests_before(const Counter *c) {
    LLVMValueRef branch = LLVMGetBasicBlockTerminator(LLVMGetIncomingBlock(c->phi, c->back));
    if (!is_op(branch, LLVMBr) || !LLVMIsConditional(branch)) return false;
    LLVMValueRef test = LLVMGetCondition(branch);
    if (!is_op(test, LLVMICmp)) return false;
    return LLVMGetOperand(test, 0) == c->phi || LLVMGetOperand(test, 1) == c->phi;
}

/* An address is the counter's own with a constant added, which instructions do. */
static bool next_is_for_addresses(const Counter *c) {
    for (LLVMUseRef use = LLVMGetFirstUse(c->next); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (user != c->phi && !is_op(user, LLVMGetElementPtr)) return false;
    }
    return true;
}

/* A sum with the counter would be one with the step as well, and wait for nothing less. */
static bool is_in_sums(const Counter *c) {
    for (LLVMUseRef use = LLVMGetFirstUse(c->phi); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (user != c->next && (is_op(user, LLVMAdd) || is_op(user, LLVMSub))) return true;
    }
    return false;
}

static void step_first(LLVMBuilderRef b, const Counter *c) {
    LLVMBasicBlockRef ways[2];
    LLVMValueRef values[2], first = c->phi;
    LLVMTypeRef type = LLVMTypeOf(c->phi);
    for (unsigned i = 0; i < 2; i++)
        ways[i] = LLVMGetIncomingBlock(c->phi, i);
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(ways[!c->back]));
    values[!c->back] = LLVMBuildSub(b, LLVMGetIncomingValue(c->phi, !c->back), c->step, "");
    LLVMPositionBuilderBefore(b, c->phi);
    LLVMValueRef before = LLVMBuildPhi(b, type, "");
    while (is_op(first, LLVMPHI))
        first = LLVMGetNextInstruction(first);
    LLVMPositionBuilderBefore(b, first);
    values[c->back] = LLVMBuildAdd(b, before, c->step, "");
    LLVMAddIncoming(before, values, ways, 2);
    LLVMReplaceAllUsesWith(c->phi, values[c->back]);
    LLVMInstructionEraseFromParent(c->phi);
    if (!LLVMGetFirstUse(c->next)) LLVMInstructionEraseFromParent(c->next);
}

static void look_at(LLVMBuilderRef b, LLVMBasicBlockRef block) {
    Counter c;
    for (LLVMValueRef phi = LLVMGetFirstInstruction(block), next; is_op(phi, LLVMPHI);
         phi = next) {
        next = LLVMGetNextInstruction(phi);
        if (is_counter(phi, &c) && tests_before(&c) && next_is_for_addresses(&c) &&
            !is_in_sums(&c))
            step_first(b, &c);
    }
}

void jr_target_step_first(LLVMModuleRef module) {
    LLVMBuilderRef b = LLVMCreateBuilderInContext(LLVMGetModuleContext(module));
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f); block;
             block = LLVMGetNextBasicBlock(block))
            look_at(b, block);
    LLVMDisposeBuilder(b);
}

/* The parts of strength reduction that kernels gain from, after the passes, where LLVM's does not run (decision 018).
 *
 * Row pointers. The multiplication is in front of each run of the inner loop, which waits for it: that matters where rows are
 * short, as the coordinates of points are. The pointer takes the register that the sum had.
 *
 *     for i: p = base + i * m           p = base + lo * m
 *            for j: ... p[j] ...    =>  for i: for j: ... p[j] ...
 *                                              p += m
 *
 * Tests. A test of what the counter was before its step, `i == n - 1` in place of `i + 1 == n`, needs both at once: a
 * register, and a move to it, in each round. Passes write such tests where both sides have the same constant added, and so
 * do loops in larger steps, whose next counter might overflow. If it is for equality, the next counter is tested;
 * else the step is taken at the top:
 *
 *     loop:  i = phi [start], [next]              loop:  before = phi [start - step], [i]
 *            ... x[i] ...                                i = before + step
 *            next = i + step                     =>      ... x[i] ...
 *            if (i < limit) goto loop                    if (i < limit) goto loop
 *
 * Values are the same, to the last bit, as integers wrap. */
#include "backend/llvm/target.h"

#include <llvm-c/Core.h>

enum {
    MOST_BLOCKS = 64, /* of a loop that is looked at */
    MOST_ROWS = 4,    /* pointers that are made for one loop */
};

/* A loop and a counter of it. */
typedef struct Loop {
    LLVMValueRef phi, next, step, start;
    LLVMBasicBlockRef entry, latch;
    uint32_t nblocks;
    LLVMBasicBlockRef blocks[MOST_BLOCKS];
} Loop;

static bool is_op(LLVMValueRef value, LLVMOpcode op) {
    return LLVMIsAInstruction(value) && LLVMGetInstructionOpcode(value) == op;
}

/* ---- The loop ---- */

static bool is_in(const Loop *loop, LLVMBasicBlockRef block) {
    for (uint32_t i = 0; i < loop->nblocks; i++)
        if (loop->blocks[i] == block) return true;
    return false;
}

static bool add_block(Loop *loop, LLVMBasicBlockRef block) {
    if (is_in(loop, block)) return true;
    if (loop->nblocks == MOST_BLOCKS) return false;
    loop->blocks[loop->nblocks++] = block;
    return true;
}

/* All blocks from which the latch is reached without passing the top. */
static bool find_blocks(Loop *loop) {
    loop->blocks[0] = LLVMGetInstructionParent(loop->phi);
    loop->nblocks = 1;
    if (!add_block(loop, loop->latch)) return false;
    for (uint32_t i = 1; i < loop->nblocks; i++) {
        LLVMValueRef block = LLVMBasicBlockAsValue(loop->blocks[i]);
        for (LLVMUseRef use = LLVMGetFirstUse(block); use; use = LLVMGetNextUse(use)) {
            LLVMValueRef user = LLVMGetUser(use);
            if (LLVMIsATerminatorInst(user) &&
                !add_block(loop, LLVMGetInstructionParent(user)))
                return false;
        }
    }
    return true;
}

static bool stays(const Loop *loop, LLVMValueRef value) {
    return !LLVMIsAInstruction(value) || !is_in(loop, LLVMGetInstructionParent(value));
}

/* Whether the phi is a counter, and the loop not too large. */
static bool find_loop(Loop *loop, LLVMValueRef phi) {
    if (LLVMGetTypeKind(LLVMTypeOf(phi)) != LLVMIntegerTypeKind || LLVMCountIncoming(phi) != 2)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        LLVMValueRef next = LLVMGetIncomingValue(phi, i);
        if (!is_op(next, LLVMAdd) || LLVMGetOperand(next, 0) != phi) continue;
        loop->phi = phi;
        loop->next = next;
        loop->step = LLVMGetOperand(next, 1);
        loop->start = LLVMGetIncomingValue(phi, !i);
        loop->entry = LLVMGetIncomingBlock(phi, !i);
        loop->latch = LLVMGetIncomingBlock(phi, i);
        return LLVMIsAConstantInt(loop->step) && find_blocks(loop);
    }
    return false;
}

/* ---- Its rows ---- */

/* gep base, (phi + plus) * by */
typedef struct Row {
    LLVMValueRef gep, product, by, plus;
} Row;

/* Read or written in a block further on, as that of an inner loop. */
static bool is_for_later(LLVMValueRef gep) {
    LLVMBasicBlockRef block = LLVMGetInstructionParent(gep);
    for (LLVMUseRef use = LLVMGetFirstUse(gep); use; use = LLVMGetNextUse(use))
        if (LLVMGetInstructionParent(LLVMGetUser(use)) != block) return true;
    return false;
}

static bool find_product(const Loop *loop, Row *row) {
    for (unsigned i = 0; i < 2; i++) {
        LLVMValueRef at = LLVMGetOperand(row->product, i);
        row->by = LLVMGetOperand(row->product, !i);
        row->plus = NULL;
        if (is_op(at, LLVMAdd) && LLVMIsAConstantInt(LLVMGetOperand(at, 1))) {
            row->plus = LLVMGetOperand(at, 1);
            at = LLVMGetOperand(at, 0);
        }
        if (at == loop->phi && stays(loop, row->by)) return true;
    }
    return false;
}

static bool is_row(const Loop *loop, LLVMValueRef s, Row *row) {
    if (!is_op(s, LLVMGetElementPtr) || LLVMGetNumOperands(s) != 2) return false;
    *row = (Row){.gep = s, .product = LLVMGetOperand(s, 1)};
    return is_op(row->product, LLVMMul) && stays(loop, LLVMGetOperand(s, 0)) &&
           LLVMGetTypeKind(LLVMTypeOf(s)) == LLVMPointerTypeKind && find_product(loop, row) &&
           is_for_later(s);
}

static void make_pointer(LLVMBuilderRef b, const Loop *loop, const Row *row) {
    LLVMTypeRef element = LLVMGetGEPSourceElementType(row->gep);
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(loop->entry));
    LLVMValueRef at = loop->start;
    if (row->plus) at = LLVMBuildAdd(b, at, row->plus, "");
    at = LLVMBuildMul(b, at, row->by, "");
    LLVMValueRef way = LLVMBuildMul(b, row->by, loop->step, "");
    LLVMValueRef values[] = {
        LLVMBuildGEP2(b, element, LLVMGetOperand(row->gep, 0), &at, 1, ""), NULL};
    LLVMPositionBuilderBefore(b, loop->phi);
    LLVMValueRef pointer = LLVMBuildPhi(b, LLVMTypeOf(row->gep), "row");
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(loop->latch));
    values[1] = LLVMBuildGEP2(b, element, pointer, &way, 1, "");
    LLVMBasicBlockRef ways[] = {loop->entry, loop->latch};
    LLVMAddIncoming(pointer, values, ways, 2);
    LLVMReplaceAllUsesWith(row->gep, pointer);
    LLVMInstructionEraseFromParent(row->gep);
    if (!LLVMGetFirstUse(row->product)) LLVMInstructionEraseFromParent(row->product);
}

static void make_pointers(LLVMBuilderRef b, const Loop *loop) {
    uint32_t n = 0;
    Row row;
    if (loop->nblocks == 1 || LLVMGetIntTypeWidth(LLVMTypeOf(loop->phi)) != 64) return;
    for (uint32_t i = 0; i < loop->nblocks; i++)
        for (LLVMValueRef s = LLVMGetFirstInstruction(loop->blocks[i]), next; s; s = next) {
            next = LLVMGetNextInstruction(s);
            if (n == MOST_ROWS || !is_row(loop, s, &row)) continue;
            make_pointer(b, loop, &row);
            n++;
        }
}

/* ---- Its test ---- */

/* The test of the counter as it was before its step on which the branch back depends, or NULL. */
static LLVMValueRef find_test(const Loop *loop) {
    LLVMValueRef branch = LLVMGetBasicBlockTerminator(loop->latch);
    if (!is_op(branch, LLVMBr) || !LLVMIsConditional(branch)) return NULL;
    LLVMValueRef test = LLVMGetCondition(branch);
    if (!is_op(test, LLVMICmp)) return NULL;
    bool before = LLVMGetOperand(test, 0) == loop->phi || LLVMGetOperand(test, 1) == loop->phi;
    return before ? test : NULL;
}

static bool test_next(LLVMBuilderRef b, const Loop *loop, LLVMValueRef test) {
    LLVMIntPredicate predicate = LLVMGetICmpPredicate(test);
    LLVMValueRef limit = LLVMGetOperand(test, LLVMGetOperand(test, 0) == loop->phi);
    if ((predicate != LLVMIntEQ && predicate != LLVMIntNE) || !stays(loop, limit))
        return false;
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(loop->entry));
    limit = LLVMBuildAdd(b, limit, loop->step, "");
    LLVMValueRef branch = LLVMGetBasicBlockTerminator(loop->latch);
    LLVMPositionBuilderBefore(b, branch);
    LLVMSetCondition(branch, LLVMBuildICmp(b, predicate, loop->next, limit, ""));
    LLVMSetNSW(loop->next, 0); /* the last one may wrap */
    LLVMSetNUW(loop->next, 0);
    if (!LLVMGetFirstUse(test)) LLVMInstructionEraseFromParent(test);
    return true;
}

/* An address is the counter's own with a constant added, which instructions do. */
static bool next_is_for_addresses(const Loop *loop) {
    for (LLVMUseRef use = LLVMGetFirstUse(loop->next); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (user != loop->phi && !is_op(user, LLVMGetElementPtr)) return false;
    }
    return true;
}

/* A sum with the counter would be one with the step as well, and wait for nothing less. */
static bool is_in_sums(const Loop *loop) {
    for (LLVMUseRef use = LLVMGetFirstUse(loop->phi); use; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (user != loop->next && (is_op(user, LLVMAdd) || is_op(user, LLVMSub))) return true;
    }
    return false;
}

static void step_first(LLVMBuilderRef b, const Loop *loop) {
    LLVMValueRef first = loop->phi;
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(loop->entry));
    LLVMValueRef values[] = {LLVMBuildSub(b, loop->start, loop->step, ""), NULL};
    LLVMBasicBlockRef ways[] = {loop->entry, loop->latch};
    LLVMPositionBuilderBefore(b, loop->phi);
    LLVMValueRef before = LLVMBuildPhi(b, LLVMTypeOf(loop->phi), "");
    while (is_op(first, LLVMPHI))
        first = LLVMGetNextInstruction(first);
    LLVMPositionBuilderBefore(b, first);
    values[1] = LLVMBuildAdd(b, before, loop->step, "");
    LLVMAddIncoming(before, values, ways, 2);
    LLVMReplaceAllUsesWith(loop->phi, values[1]);
    LLVMInstructionEraseFromParent(loop->phi);
    if (!LLVMGetFirstUse(loop->next)) LLVMInstructionEraseFromParent(loop->next);
}

static void look_at(LLVMBuilderRef b, LLVMBasicBlockRef block) {
    Loop loop;
    for (LLVMValueRef phi = LLVMGetFirstInstruction(block), next; is_op(phi, LLVMPHI);
         phi = next) {
        next = LLVMGetNextInstruction(phi);
        if (!find_loop(&loop, phi)) continue;
        make_pointers(b, &loop);
        LLVMValueRef test = find_test(&loop);
        if (test && !test_next(b, &loop, test) && next_is_for_addresses(&loop) &&
            !is_in_sums(&loop))
            step_first(b, &loop);
    }
}

void jr_target_reduce(LLVMModuleRef module) {
    LLVMBuilderRef b = LLVMCreateBuilderInContext(LLVMGetModuleContext(module));
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f); block;
             block = LLVMGetNextBasicBlock(block))
            look_at(b, block);
    LLVMDisposeBuilder(b);
}

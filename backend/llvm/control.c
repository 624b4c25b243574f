/* Statements and branches. */
#include "backend/llvm/gen.h"

LLVMBasicBlockRef jr_gen_label(GenFunc *f, const char *name) {
    return LLVMAppendBasicBlockInContext(f->g->ctx, f->sig->fn, name);
}

static bool terminated(GenFunc *f) {
    return LLVMGetBasicBlockTerminator(LLVMGetInsertBlock(f->g->b)) != NULL;
}

static void go_to(GenFunc *f, LLVMBasicBlockRef target) {
    if (!terminated(f)) LLVMBuildBr(f->g->b, target);
}

void jr_gen_start(GenFunc *f, LLVMBasicBlockRef block) {
    LLVMPositionBuilderAtEnd(f->g->b, block);
}

/* ---- Errors ---- */

LLVMBasicBlockRef jr_gen_unless(GenFunc *f, LLVMValueRef ok, const char *name) {
    LLVMBasicBlockRef cold = jr_gen_label(f, name), usual = jr_gen_label(f, "");
    LLVMValueRef branch = LLVMBuildCondBr(f->g->b, ok, usual, cold);
    LLVMSetMetadata(branch, f->g->md_prof, f->g->likely);
    f->ncold++;
    jr_gen_start(f, cold);
    return usual;
}

void jr_gen_fail(GenFunc *f, LLVMValueRef status, LLVMBasicBlockRef usual) {
    LLVMBuildStore(f->g->b, status, f->status);
    LLVMBuildBr(f->g->b, f->exit);
    if (usual) jr_gen_start(f, usual);
}

void jr_gen_trap_unless(GenFunc *f, LLVMValueRef ok, IrTrap trap, JrSpan span) {
    if (LLVMIsAConstantInt(ok) && !LLVMIsNull(ok)) return;
    LLVMBasicBlockRef usual = jr_gen_unless(f, ok, "trap");
    LLVMValueRef args[] = {f->rt, jr_gen_where(f, span), jr_gen_int32(f->g, (int32_t)trap)};
    jr_gen_fail(f, jr_gen_helper(f->g, "jr_rt_trap", 3, args), usual);
}

void jr_gen_check_status(GenFunc *f, LLVMValueRef status, const IrStmt *call) {
    LLVMValueRef ok = LLVMBuildIsNull(f->g->b, status, "");
    LLVMBasicBlockRef usual = jr_gen_unless(f, ok, "failed");
    LLVMValueRef args[] = {f->rt, call ? jr_gen_where(f, call->span) : NULL};
    if (call) status = jr_gen_helper(f->g, "jr_rt_trace", 2, args);
    jr_gen_fail(f, status, usual);
}

/* ---- Branches ---- */

enum { MAX_SPECULATED = 8, MAX_CHANGED = 4 };

/* What the arms of an `if` may come to if both are run. Each may end in a store to one place, which is
 * then done behind them. */
typedef struct Arms {
    uint32_t size, nloads, nchanged;
    IrReg changed[MAX_CHANGED]; /* variables */
} Arms;

static bool note_change(GenFunc *f, Arms *arms, IrReg reg) {
    if (ir_reg_type(f->ir, reg).ndim) return false;
    for (uint32_t i = 0; i < arms->nchanged; i++)
        if (arms->changed[i] == reg) return true;
    if (ir_reg(f->ir, reg)->kind != REG_VAR) return true;
    if (arms->nchanged == MAX_CHANGED) return false;
    arms->changed[arms->nchanged++] = reg;
    return true;
}

static bool proven(const GenFunc *f, const GenProof *proof, const IrStmt *s) {
    return proof && proof->axes == (1u << ir_reg_type(f->ir, s->args[0]).ndim) - 1;
}

/* Whether the statement does no harm where it would not have been run, and costs little. */
static bool is_harmless(GenFunc *f, const IrStmt *s) {
    switch (ir_op_form((IrOp)s->op)) {
    case FORM_LOAD: return proven(f, jr_gen_proof(f, s), s);
    case FORM_BIN: return s->op == OP_ADD || s->op == OP_SUB || s->op == OP_MUL;
    case FORM_CMP:
    case FORM_UN:
    case FORM_COPY:
    case FORM_SELECT: return true;
    default: return false;
    }
}

static bool note_arms(GenFunc *f, Arms *arms, const IrStmt *s, const GenPlace **store);

static bool note_arm(GenFunc *f, Arms *arms, const IrBlock *block, const GenPlace **store) {
    *store = NULL;
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (*store || ++arms->size > MAX_SPECULATED) return false;
        arms->nloads += s->op == OP_LOAD;
        if (s->op == OP_IF) {
            if (!note_arms(f, arms, s, store)) return false;
        } else if (s->op == OP_STORE) {
            const GenProof *proof = jr_gen_proof(f, s);
            uint32_t left = s->u.mem.check | s->u.mem.wrap;
            if (!proof || !proof->place || !proof->place->index || left & ~proof->axes)
                return false;
            *store = proof->place;
        } else if (!is_harmless(f, s) || !note_change(f, arms, s->dsts[0])) {
            return false;
        }
    }
    return true;
}

/* Whether both arms may be run; the place that both store to, or NULL. */
static bool note_arms(GenFunc *f, Arms *arms, const IrStmt *s, const GenPlace **store) {
    const GenPlace *other;
    return note_arm(f, arms, &s->u.blocks.then, store) &&
           note_arm(f, arms, &s->u.blocks.els, &other) && *store == other;
}

/* A search halves what is left, a heap takes the greater of two: which arm runs, nobody knows before. LLVM's
 * code generator takes branches in place of selects in loops, if this does not say that they are
 * often wrong. */
static void mark_unpredictable(Gen *g, LLVMValueRef branch) {
    LLVMMetadataRef nothing = LLVMMDNodeInContext2(g->ctx, NULL, 0);
    LLVMSetMetadata(branch, g->md_unpredictable, LLVMMetadataAsValue(g->ctx, nothing));
}

static LLVMValueRef select_either(GenFunc *f, LLVMValueRef condition, LLVMValueRef a,
                                  LLVMValueRef b) {
    LLVMValueRef value = LLVMBuildSelect(f->g->b, condition, a, b, "");
    if (f->either.at && LLVMIsASelectInst(value)) mark_unpredictable(f->g, value);
    return value;
}

/* The arm without its store, which is left in *held. */
static void run_arm(GenFunc *f, const IrBlock *arm, GenHeld *held) {
    GenHeld *outer = f->held;
    f->held = held;
    jr_gen_block(f, arm);
    f->held = outer;
}

static void store_either(GenFunc *f, LLVMValueRef condition, const GenHeld *a,
                         const GenHeld *b) {
    LLVMValueRef value = select_either(f, condition, a->value, b->value);
    if (f->held)
        *f->held = (GenHeld){a->store, value};
    else
        jr_gen_store_value(f, a->store, value);
}

/* Both arms, one after the other; what is behind them depends on the condition. */
static void run_arms(GenFunc *f, const IrStmt *s, const Arms *arms, bool stores) {
    GenHeld held[2] = {0};
    LLVMValueRef before[MAX_CHANGED], then[MAX_CHANGED];
    LLVMValueRef condition = jr_gen_value(f, s->args[0]);
    for (uint32_t i = 0; i < arms->nchanged; i++)
        before[i] = jr_gen_value(f, arms->changed[i]);
    run_arm(f, &s->u.blocks.then, &held[0]);
    for (uint32_t i = 0; i < arms->nchanged; i++) {
        then[i] = jr_gen_value(f, arms->changed[i]);
        jr_gen_set(f, arms->changed[i], before[i]);
    }
    run_arm(f, &s->u.blocks.els, &held[1]);
    for (uint32_t i = 0; i < arms->nchanged; i++) {
        LLVMValueRef other = jr_gen_value(f, arms->changed[i]);
        jr_gen_set(f, arms->changed[i], select_either(f, condition, then[i], other));
    }
    if (stores) store_either(f, condition, &held[0], &held[1]);
}

/* `a or b[i]`: within bounds the load may be done at once, and the loop has no branch that would keep
 * it from being vectorised. LLVM does the same where there is no load, but for stores. */
static bool run_both(GenFunc *f, const IrStmt *s) {
    Arms arms = {0};
    const GenPlace *place;
    if (!f->plan || !note_arms(f, &arms, s, &place) || (arms.nloads == 0 && !place))
        return false;
    run_arms(f, s, &arms, place != NULL);
    return true;
}

static void either_arm(GenFunc *f, const IrStmt *s) {
    bool has_else = s->u.blocks.els.first != NULL;
    LLVMBasicBlockRef then = jr_gen_label(f, "then"), join = jr_gen_label(f, "");
    LLVMBasicBlockRef els = has_else ? jr_gen_label(f, "else") : join;
    LLVMValueRef branch = LLVMBuildCondBr(f->g->b, jr_gen_value(f, s->args[0]), then, els);
    if (f->loop && f->loop->searches) mark_unpredictable(f->g, branch);
    jr_gen_start(f, then);
    jr_gen_block(f, &s->u.blocks.then);
    go_to(f, join);
    if (has_else) {
        jr_gen_start(f, els);
        jr_gen_block(f, &s->u.blocks.els);
        go_to(f, join);
    }
    jr_gen_start(f, join);
}

/* ---- A place that both arms store to ---- */

/* The arm's only store, behind which it loads nothing; what the arm changes, if all that does no harm. */
static const IrStmt *store_in(GenFunc *f, Arms *arms, const IrBlock *arm) {
    const IrStmt *store = NULL;
    for (const IrStmt *s = arm->first; s; s = s->next) {
        bool found = s->op == OP_LOAD && !store && jr_gen_was_found(f, s);
        if (++arms->size > MAX_SPECULATED) return NULL;
        if (s->op == OP_STORE && !store && (s->u.mem.check | s->u.mem.wrap))
            store = s;
        else if (s->op == OP_STORE || (!found && !is_harmless(f, s)) ||
                 !note_change(f, arms, s->dsts[0]))
            return NULL;
    }
    return store;
}

static bool find_either(GenFunc *f, const IrStmt *s, Arms *arms, GenEither *either) {
    if (!f->loop || !f->loop->searches || f->plan || f->held || f->either.at) return false;
    const IrStmt *a = store_in(f, arms, &s->u.blocks.then);
    const IrStmt *b = a ? store_in(f, arms, &s->u.blocks.els) : NULL;
    if (!b) return false;
    for (unsigned i = 0; i <= ir_reg_type(f->ir, a->args[0]).ndim; i++) {
        if (a->args[i] != b->args[i]) return false;
        for (uint32_t k = 0; k < arms->nchanged; k++)
            if (arms->changed[k] == a->args[i]) return false;
    }
    either->stores[0] = a;
    either->stores[1] = b;
    return true;
}

/* Merging two arrays, in a `while` loop: `if a[i] < b[j]: out[k] = a[i]; i += 1`, `else: out[k] = b[j]; j += 1`. Whether k is
 * within the array is asked in front, and then nothing is left that would need a branch; nobody knows which way that would go. Where it is
 * not, the arms run as they are written. */
static bool store_either_way(GenFunc *f, const IrStmt *s) {
    Arms arms = {0};
    GenEither either = {0};
    if (!find_either(f, s, &arms, &either)) return false;
    LLVMBuilderRef b = f->g->b;
    LLVMBasicBlockRef join = jr_gen_label(f, "");
    LLVMBasicBlockRef usual = jr_gen_unless(f, jr_gen_is_inside(f, either.stores[0]), "arms");
    either_arm(f, s);
    LLVMBuildBr(b, join);
    jr_gen_start(f, usual);
    either.at = jr_gen_element_inside(f, either.stores[0]);
    f->either = either;
    run_arms(f, s, &arms, true);
    f->either = (GenEither){0};
    LLVMBuildBr(b, join);
    jr_gen_start(f, join);
    return true;
}

static void gen_if(GenFunc *f, const IrStmt *s) {
    if (!run_both(f, s) && !store_either_way(f, s)) either_arm(f, s);
}

/* ---- Statements ---- */

static void gen_copy(GenFunc *f, const IrStmt *s) {
    IrType type = ir_reg_type(f->ir, s->dsts[0]);
    if (!type.ndim) {
        jr_gen_set(f, s->dsts[0], jr_gen_value(f, s->args[0]));
        return;
    }
    GenArray array = jr_gen_array_as(f, s->args[0], type);
    jr_gen_set_array(f, s->dsts[0], &array);
}

static void gen_select(GenFunc *f, const IrStmt *s) {
    LLVMValueRef a = jr_gen_value(f, s->args[1]), b = jr_gen_value(f, s->args[2]);
    LLVMValueRef value = LLVMBuildSelect(f->g->b, jr_gen_value(f, s->args[0]), a, b, "");
    jr_gen_set(f, s->dsts[0], jr_gen_fast(f, value));
}

static void gen_copy_form(GenFunc *f, const IrStmt *s) {
    if (s->op == OP_TRANSPOSE)
        jr_gen_transpose(f, s);
    else
        jr_gen_assign(f, s);
}

static void gen_shaped(GenFunc *f, const IrStmt *s) {
    if (s->op == OP_BROADCAST)
        jr_gen_broadcast(f, s);
    else
        jr_gen_reshape(f, s);
}

static void gen_jump(GenFunc *f, const IrStmt *s) {
    if (s->op == OP_POLL)
        jr_gen_poll(f, s);
    else
        LLVMBuildBr(f->g->b, s->op == OP_BREAK ? f->loop->on_break : f->loop->on_continue);
}

typedef void GenFn(GenFunc *f, const IrStmt *s);

static GenFn *const by_form[] = {
    [FORM_BIN] = jr_gen_binary,
    [FORM_CMP] = jr_gen_compare,
    [FORM_UN] = jr_gen_unary,
    [FORM_COPY] = gen_copy,
    [FORM_CAST] = jr_gen_cast,
    [FORM_SELECT] = gen_select,
    [FORM_MATH] = jr_gen_math,
    [FORM_BITS] = jr_gen_bits,
    [FORM_LOAD] = jr_gen_load,
    [FORM_STORE] = jr_gen_store,
    [FORM_DIM] = jr_gen_dim,
    [FORM_APART] = jr_gen_apart,
    [FORM_ALLOC] = jr_gen_alloc,
    [FORM_VIEW] = jr_gen_view,
    [FORM_COPYA] = gen_copy_form,
    [FORM_SHAPED] = gen_shaped,
    [FORM_CALL] = jr_gen_call,
    [FORM_RT] = jr_gen_rt,
    [FORM_PARALLEL] = jr_gen_parallel,
    [FORM_IF] = gen_if,
    [FORM_LOOP] = jr_gen_loop,
    [FORM_FOR] = jr_gen_for,
    [FORM_NONE] = gen_jump,
    [FORM_RETURN] = jr_gen_return,
    [FORM_RAISE] = jr_gen_raise,
};

enum { BLOCK_STMTS = 200 };

/* Without the passes, the time for a basic block grows with its square. */
static void cut_block(GenFunc *f) {
    LLVMBasicBlockRef next = jr_gen_label(f, "on");
    LLVMBuildBr(f->g->b, next);
    LLVMPositionBuilderAtEnd(f->g->b, next);
}

void jr_gen_stmt(GenFunc *f, const IrStmt *s) {
    by_form[ir_op_form((IrOp)s->op)](f, s);
}

/* What follows a jump in its block is never reached. */
void jr_gen_block(GenFunc *f, const IrBlock *block) {
    uint32_t n = 0;
    for (const IrStmt *s = block->first; s && !terminated(f); s = s->next) {
        jr_gen_stmt(f, s);
        if (f->g->level == 0 && ++n % BLOCK_STMTS == 0 && !terminated(f)) cut_block(f);
    }
}

/* Splitting of variables.
 *
 *     k = int(x)                 %1 = int(x)
 *     k = max(k, 0)       =>     %2 = max(%1, 0)
 *     k = min(k, n - 1)          k = min(%2, n - 1)
 *
 * What is asked in front of loops (backend/llvm/range.c) follows an index to the one statement that makes it,
 * and k has three. So in the body of an innermost counted loop each value but the last gets a register of its own: of variables
 * that are written at the body's top level alone, and are not read before. The last value stays
 * in the variable, for the code behind the loop. A loop that may be left or cut short half-way shows there
 * which value it had, and is left alone. */
#include "ir/split.h"

enum { MOST_STMTS = 200 };

/* What the body being looked at does to a register. */
typedef struct SplitUse {
    uint32_t writes; /* at the top level, so far; then those left */
    bool other;      /* is written elsewhere, or read before */
    IrReg now;       /* 1 + the register that holds its value; 0: itself */
} SplitUse;

typedef struct Split {
    IrFunc *func;
    uint32_t nregs;
    SplitUse *uses; /* of the registers that there were; all zero between loops */
} Split;

static bool is_simple(const IrBlock *block, uint32_t *stmts) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_FOR || s->op == OP_LOOP || s->op == OP_BREAK || s->op == OP_CONTINUE ||
            ++*stmts > MOST_STMTS)
            return false;
        if (s->op == OP_IF &&
            (!is_simple(&s->u.blocks.then, stmts) || !is_simple(&s->u.blocks.els, stmts)))
            return false;
    }
    return true;
}

/* Returns whether some variable is written twice. */
static bool note_block(Split *p, const IrBlock *block, bool top) {
    bool twice = false;
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->nargs; i++)
            p->uses[s->args[i]].other |= p->uses[s->args[i]].writes == 0;
        if (s->op == OP_IF) {
            note_block(p, &s->u.blocks.then, false);
            note_block(p, &s->u.blocks.els, false);
        }
        for (uint32_t i = 0; i < s->ndsts; i++) {
            SplitUse *use = &p->uses[s->dsts[i]];
            const IrRegInfo *info = ir_reg(p->func, s->dsts[i]);
            use->other |= !top || s->ndsts > 1 || info->kind != REG_VAR || info->type.ndim;
            twice |= ++use->writes > 1;
        }
    }
    return twice;
}

static void forget_block(Split *p, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t i = 0; i < s->nargs; i++)
            if (s->args[i] < p->nregs) p->uses[s->args[i]] = (SplitUse){0};
        for (uint32_t i = 0; i < s->ndsts; i++)
            if (s->dsts[i] < p->nregs) p->uses[s->dsts[i]] = (SplitUse){0};
        if (s->op != OP_IF) continue;
        forget_block(p, &s->u.blocks.then);
        forget_block(p, &s->u.blocks.els);
    }
}

static void rename_args(Split *p, IrStmt *s) {
    for (uint32_t i = 0; i < s->nargs; i++) {
        IrReg now = s->args[i] < p->nregs ? p->uses[s->args[i]].now : 0;
        if (now) s->args[i] = now - 1;
    }
    if (s->op != OP_IF) return;
    for (IrStmt *t = s->u.blocks.then.first; t; t = t->next)
        rename_args(p, t);
    for (IrStmt *t = s->u.blocks.els.first; t; t = t->next)
        rename_args(p, t);
}

static void split_block(Split *p, IrBlock *block) {
    for (IrStmt *s = block->first; s; s = s->next) {
        rename_args(p, s);
        if (s->ndsts != 1 || s->dsts[0] >= p->nregs) continue;
        IrReg var = s->dsts[0];
        SplitUse *use = &p->uses[var];
        if (use->other) continue;
        use->now = 0;
        if (--use->writes == 0) continue;
        IrReg temp = ir_temp(p->func, ir_reg_type(p->func, var));
        ir_reg(p->func, temp)->def = s;
        s->dsts[0] = temp;
        use->now = 1 + temp;
    }
}

static void visit(Split *p, IrBlock *block) {
    uint32_t stmts;
    for (IrStmt *s = block->first; s; s = s->next) {
        if (!ir_stmt_is_nested(s)) continue;
        IrBlock *body = &s->u.blocks.then;
        stmts = 0;
        if (s->op == OP_FOR && is_simple(body, &stmts)) {
            bool twice = note_block(p, body, true);
            if (twice) split_block(p, body);
            forget_block(p, body);
            continue;
        }
        visit(p, body);
        visit(p, &s->u.blocks.els);
    }
}

void ir_split_module(IrModule *module) {
    for (uint32_t i = 0; i < module->funcs.len; i++) {
        IrFunc *func = module->funcs.data[i];
        Split p = {.func = func, .nregs = func->regs.len};
        p.uses = JR_NEW_ARRAY(module->arena, SplitUse, p.nregs);
        visit(&p, &func->body);
    }
}

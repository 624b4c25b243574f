/* Folding, in two walks over each function, both linear in its length.
 *
 * Forwards: operands that are copies of something that never changes (constants, parameters,
 * TEMPs) are replaced by it; operations on constants become constants; of an `if` on a
 * constant the taken arm stays, spliced into place; loops that run zero times and statements
 * that control cannot reach go. One walk is enough, since a TEMP's definition comes before its
 * uses.
 *
 * Backwards: a statement that only writes TEMPs nobody reads, and cannot fail, goes. Its uses
 * come after its definition, so they have been counted down by then.
 *
 * What may raise stays where it is, with its operands. VARs are left alone: a copy of one may
 * not outlive the next write to it. */
#include "ir/fold.h"

#include <string.h>

typedef struct Folder {
    IrFunc *func;
    IrReg *same;    /* by register: what to use in its place */
    uint32_t nsame; /* registers added since (constants) stand for themselves */
    uint32_t *uses;
} Folder;

static bool fold_block(Folder *f, IrBlock *block);

/* ---- One statement ---- */

static bool is_const(const Folder *f, IrReg reg) {
    return ir_reg(f->func, reg)->kind == REG_CONST;
}

static void replace_args(Folder *f, IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (stmt->args[i] < f->nsame) stmt->args[i] = f->same[stmt->args[i]];
}

static void make_copy(IrStmt *stmt, IrReg source) {
    stmt->op = OP_COPY;
    stmt->nargs = 1;
    stmt->args[0] = source;
    memset(&stmt->u, 0, sizeof stmt->u);
}

enum { MOST_OPERANDS = 3 };

/* The constant that an operation on constants gives, or IR_NO_REG. */
static IrReg evaluate(Folder *f, const IrStmt *stmt) {
    IrConst values[MOST_OPERANDS], result;
    if (stmt->ndsts != 1 || !stmt->nargs || stmt->nargs > MOST_OPERANDS) return IR_NO_REG;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        if (!is_const(f, stmt->args[i])) return IR_NO_REG;
        values[i] = ir_reg(f->func, stmt->args[i])->value;
    }
    IrScalar from = ir_reg_type(f->func, stmt->args[0]).scalar;
    IrScalar to = ir_reg_type(f->func, stmt->dsts[0]).scalar;
    IrMath fn = stmt->op == OP_MATH ? stmt->u.math : MATH_COUNT;
    if (!ir_fold_eval(stmt->op, fn, from, to, values, &result)) return IR_NO_REG;
    return ir_const(f->func, to, result);
}

/* The constant operand is this integer, in its type: -1 is all ones in any of them. */
static bool is_int(const Folder *f, IrReg reg, int64_t value) {
    const IrRegInfo *info = ir_reg(f->func, reg);
    char cls = ir_scalar_class(info->type.scalar);
    if (info->kind != REG_CONST || info->type.ndim || !cls || !strchr("BIU", cls))
        return false;
    if (cls == 'I') return info->value.i == value;
    unsigned bits = cls == 'B' ? 1 : 8 * ir_scalar_size(info->type.scalar);
    return info->value.u == (uint64_t)value << (64 - bits) >> (64 - bits);
}

/* The operand that an integer operation with a neutral other one returns, or IR_NO_REG. */
static IrReg neutral(const Folder *f, const IrStmt *stmt) {
    if (ir_op_form(stmt->op) != FORM_BIN) return IR_NO_REG;
    IrReg a = stmt->args[0], b = stmt->args[1];
    switch (stmt->op) {
    case OP_ADD:
    case OP_OR:
    case OP_XOR:
        if (is_int(f, a, 0)) return b; /* fall through */
    case OP_SUB:
    case OP_SHL:
    case OP_SHR: return is_int(f, b, 0) ? a : IR_NO_REG;
    case OP_MUL:
        if (is_int(f, a, 1)) return b; /* fall through */
    case OP_FLOORDIV: return is_int(f, b, 1) ? a : IR_NO_REG;
    case OP_AND:
        if (is_int(f, a, -1)) return b;
        return is_int(f, b, -1) ? a : IR_NO_REG;
    default: return IR_NO_REG;
    }
}

/* What the statement's value is if that is known, or IR_NO_REG. */
static IrReg find_value(Folder *f, const IrStmt *stmt) {
    IrReg value = evaluate(f, stmt);
    if (value != IR_NO_REG) return value;
    if (stmt->op == OP_COPY) return stmt->args[0];
    if (stmt->op == OP_SELECT && is_const(f, stmt->args[0]))
        return stmt->args[ir_reg(f->func, stmt->args[0])->value.i ? 1 : 2];
    if (stmt->op == OP_SELECT && stmt->args[1] == stmt->args[2]) return stmt->args[1];
    if (stmt->op == OP_CAST) {
        IrType from = ir_reg_type(f->func, stmt->args[0]),
               to = ir_reg_type(f->func, stmt->dsts[0]);
        return ir_type_same(from, to) ? stmt->args[0] : IR_NO_REG;
    }
    return neutral(f, stmt);
}

/* True if the statement is not needed any more. */
static bool fold_value(Folder *f, IrStmt *stmt) {
    IrReg value = find_value(f, stmt);
    if (value == IR_NO_REG) return false;
    IrReg dst = stmt->dsts[0];
    bool lasting = ir_reg(f->func, value)->kind != REG_VAR;
    if (ir_reg(f->func, dst)->kind == REG_TEMP && lasting) {
        f->same[dst] = value;
        ir_reg(f->func, dst)->def = NULL;
        return true;
    }
    if (stmt->op != OP_COPY) make_copy(stmt, value);
    return false;
}

/* ---- Blocks ---- */

/* Puts the statements of `from` in front of `at`, which is in `block`; returns the first one,
 * or `at` when there are none. */
static IrStmt *splice(IrBlock *block, IrStmt *at, IrBlock *from) {
    IrStmt *first = from->first;
    if (!first) return at;
    first->prev = at->prev;
    from->last->next = at;
    if (at->prev)
        at->prev->next = first;
    else
        block->first = first;
    at->prev = from->last;
    *from = (IrBlock){0};
    return first;
}

/* Replaces an `if` on a constant by its arm; returns the statement to go on with. */
static IrStmt *take_arm(Folder *f, IrBlock *block, IrStmt *stmt) {
    bool cond = ir_reg(f->func, stmt->args[0])->value.i != 0;
    IrStmt *next = splice(block, stmt, cond ? &stmt->u.blocks.then : &stmt->u.blocks.els);
    if (next == stmt) next = stmt->next;
    ir_block_remove(block, stmt);
    return next;
}

static bool runs_never(const Folder *f, const IrStmt *stmt) {
    for (int i = 0; i < 3; i++)
        if (!is_const(f, stmt->args[i])) return false;
    int64_t lo = ir_reg(f->func, stmt->args[0])->value.i;
    int64_t hi = ir_reg(f->func, stmt->args[1])->value.i;
    int64_t step = ir_reg(f->func, stmt->args[2])->value.i;
    return (step > 0 && lo >= hi) || (step < 0 && lo <= hi);
}

/* Folds one statement that stays for now. *ends: control does not get past it. False if it can
 * be removed. */
static bool fold_stmt(Folder *f, IrStmt *stmt, bool *ends) {
    switch (stmt->op) {
    case OP_IF: {
        bool then = fold_block(f, &stmt->u.blocks.then),
             els = fold_block(f, &stmt->u.blocks.els);
        *ends = then && els;
        return true;
    }
    case OP_FOR:
        if (runs_never(f, stmt)) return false; /* fall through */
    case OP_LOOP: fold_block(f, &stmt->u.blocks.then); return true;
    case OP_BREAK:
    case OP_CONTINUE:
    case OP_RETURN:
    case OP_RAISE: *ends = true; return true;
    default: return !fold_value(f, stmt);
    }
}

/* True if control cannot run off the block's end. */
static bool fold_block(Folder *f, IrBlock *block) {
    for (IrStmt *stmt = block->first, *next; stmt; stmt = next) {
        bool ends = false;
        next = stmt->next;
        replace_args(f, stmt);
        if (stmt->op == OP_IF && is_const(f, stmt->args[0])) {
            next = take_arm(f, block, stmt);
            continue;
        }
        if (!fold_stmt(f, stmt, &ends)) {
            ir_block_remove(block, stmt);
        } else if (ends) {
            stmt->next = NULL;
            block->last = stmt;
            return true;
        }
    }
    return false;
}

/* ---- Dead statements ---- */

static void count_uses(Folder *f, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        for (uint32_t i = 0; i < stmt->nargs; i++)
            f->uses[stmt->args[i]]++;
        if (!ir_stmt_is_nested(stmt)) continue;
        count_uses(f, &stmt->u.blocks.then);
        count_uses(f, &stmt->u.blocks.els);
    }
}

static bool is_dead(const Folder *f, const IrStmt *stmt) {
    bool empty =
        ir_stmt_is_nested(stmt) && !stmt->u.blocks.then.first && !stmt->u.blocks.els.first;
    if (stmt->op == OP_IF) return empty;
    if (stmt->op == OP_FOR) /* with a step of 0 it might not end */
        return empty && is_const(f, stmt->args[2]) && ir_reg(f->func, stmt->args[2])->value.i;
    if (stmt->ndsts != 1 || !ir_stmt_is_pure(f->func, stmt)) return false;
    const IrRegInfo *dst = ir_reg(f->func, stmt->dsts[0]);
    return dst->kind == REG_TEMP && !dst->owned && !f->uses[stmt->dsts[0]];
}

static void remove_dead(Folder *f, IrBlock *block) {
    for (IrStmt *stmt = block->last, *prev; stmt; stmt = prev) {
        prev = stmt->prev;
        if (ir_stmt_is_nested(stmt)) {
            remove_dead(f, &stmt->u.blocks.els);
            remove_dead(f, &stmt->u.blocks.then);
        }
        if (!is_dead(f, stmt)) continue;
        for (uint32_t i = 0; i < stmt->nargs; i++)
            f->uses[stmt->args[i]]--;
        for (uint32_t i = 0; i < stmt->ndsts; i++)
            ir_reg(f->func, stmt->dsts[i])->def = NULL;
        ir_block_remove(block, stmt);
    }
}

static void fold_func(IrFunc *func) {
    JrArena *arena = func->module->arena;
    Folder f = {.func = func, .nsame = func->regs.len};
    f.same = JR_NEW_ARRAY(arena, IrReg, f.nsame);
    for (IrReg reg = 0; reg < f.nsame; reg++)
        f.same[reg] = reg;
    fold_block(&f, &func->body);
    f.uses = JR_NEW_ARRAY(arena, uint32_t, func->regs.len);
    count_uses(&f, &func->body);
    remove_dead(&f, &func->body);
}

void ir_fold_module(IrModule *module) {
    for (uint32_t i = 0; i < module->funcs.len; i++)
        fold_func(module->funcs.data[i]);
}

/* Small builders that the lowering of slices and loops is written with: int64 arithmetic that
 * folds constants as it goes, so that a[1:-1] is a few instructions, and blocks built aside.
 */
#include "frontend/lower/lower.h"

#include <string.h>

#include "ir/numeric.h"

bool fe_known_int(Lower *low, IrReg reg, int64_t *out) {
    const IrRegInfo *info = ir_reg(low->func, reg);
    if (info->kind != REG_CONST || !ir_scalar_is_signed(info->type.scalar)) return false;
    *out = info->value.i;
    return true;
}

IrReg fe_int_const(Lower *low, int64_t number) {
    return ir_const_int(low->func, TY_INT64, number);
}

static bool fold_int(IrOp op, int64_t a, int64_t b, int64_t *out) {
    switch (op) {
    case OP_ADD: *out = (int64_t)((uint64_t)a + (uint64_t)b); return true;
    case OP_SUB: *out = (int64_t)((uint64_t)a - (uint64_t)b); return true;
    case OP_MUL: *out = (int64_t)((uint64_t)a * (uint64_t)b); return true;
    case OP_MIN: *out = b < a ? b : a; return true;
    case OP_MAX: *out = b > a ? b : a; return true;
    case OP_FLOORDIV:
        if (b == 0) return false;
        *out = jr_num_floordiv_i64(a, b);
        return true;
    default: return false;
    }
}

/* Whether `a op b` is just `a` for this constant b. */
static bool is_identity(IrOp op, int64_t b) {
    if (op == OP_ADD || op == OP_SUB) return b == 0;
    return (op == OP_MUL || op == OP_FLOORDIV) && b == 1;
}

IrReg fe_int_binary(Lower *low, IrOp op, IrReg a, IrReg b) {
    int64_t x = 0, y = 0, r;
    bool cx = fe_known_int(low, a, &x), cy = fe_known_int(low, b, &y);
    if (cx && cy && fold_int(op, x, y, &r)) return fe_int_const(low, r);
    if (cy && is_identity(op, y)) return a;
    if (cx && (op == OP_ADD || op == OP_MUL) && is_identity(op, x)) return b;
    if (a == b && (op == OP_MIN || op == OP_MAX)) return a;
    if (a == b && op == OP_SUB) return fe_int_const(low, 0);
    if (op == OP_MAX && cy && y == 0 && fe_reg_nonnegative(low, a, 4)) return a;
    return ir_build_binary(&low->b, op, ir_scalar(TY_INT64), a, b);
}

IrReg fe_int_compare(Lower *low, IrOp op, IrReg a, IrReg b) {
    int64_t x, y;
    if (!fe_known_int(low, a, &x) || !fe_known_int(low, b, &y))
        return ir_build_compare(&low->b, op, a, b);
    switch (op) {
    case OP_EQ: return fe_bool_const(low, x == y);
    case OP_NE: return fe_bool_const(low, x != y);
    case OP_LT: return fe_bool_const(low, x < y);
    case OP_LE: return fe_bool_const(low, x <= y);
    case OP_GT: return fe_bool_const(low, x > y);
    default: return fe_bool_const(low, x >= y);
    }
}

IrReg fe_int_select(Lower *low, IrReg cond, IrReg a, IrReg b) {
    const IrRegInfo *info = ir_reg(low->func, cond);
    if (info->kind == REG_CONST) return info->value.i ? a : b;
    return a == b ? a : ir_build_select(&low->b, cond, a, b);
}

/* The counter of a loop that starts at 0 or above and counts up. */
static bool counts_up(Lower *low, const IrStmt *loop) {
    int64_t step;
    return fe_known_int(low, loop->args[2], &step) && step > 0 &&
           fe_reg_nonnegative(low, loop->args[0], 1);
}

static bool cast_nonnegative(Lower *low, const IrStmt *cast, int depth) {
    IrScalar from = ir_reg_type(low->func, cast->args[0]).scalar;
    if (from == TY_BOOL) return true;
    if (!ir_scalar_is_int(from) || from == TY_UINT64) return false;
    return !ir_scalar_is_signed(from) || fe_reg_nonnegative(low, cast->args[0], depth);
}

static bool result_nonnegative(Lower *low, const IrStmt *def, int depth) {
    bool a = def->nargs > 0 && fe_reg_nonnegative(low, def->args[0], depth);
    bool b = def->nargs > 1 && fe_reg_nonnegative(low, def->args[1], depth);
    switch (def->op) {
    case OP_DIM: return true;
    case OP_FOR: return counts_up(low, def);
    case OP_CAST: return cast_nonnegative(low, def, depth);
    case OP_MOD: return b;
    case OP_AND:
    case OP_MAX: return a || b;
    case OP_FLOORDIV:
    case OP_MIN: return a && b;
    case OP_SHR:
    case OP_COPY: return a;
    default: return false;
    }
}

/* Whether a signed integer register is never negative, as far as a look at its definition
 * tells. */
bool fe_reg_nonnegative(Lower *low, IrReg reg, int depth) {
    const IrRegInfo *info = ir_reg(low->func, reg);
    if (info->type.ndim) return false;
    if (info->kind == REG_CONST)
        return ir_scalar_is_signed(info->type.scalar) && info->value.i >= 0;
    if (!ir_scalar_is_int(info->type.scalar)) return false;
    return depth > 0 && info->kind == REG_TEMP && info->def &&
           result_nonnegative(low, info->def, depth - 1);
}

/* ---- Blocks ---- */

IrBlock *fe_block_swap(Lower *low, IrBlock *block) {
    IrBlock *was = low->b.block;
    low->b.block = block;
    return was;
}

void fe_block_splice(IrBlock *into, const IrBlock *from) {
    for (IrStmt *stmt = from->first, *next; stmt; stmt = next) {
        next = stmt->next;
        stmt->prev = stmt->next = NULL;
        ir_block_append(into, stmt);
    }
}

static bool is_cheap(Lower *low, const IrStmt *stmt) {
    if (stmt->ndsts != 1 || ir_reg(low->func, stmt->dsts[0])->kind != REG_TEMP) return false;
    if (ir_reg_type(low->func, stmt->dsts[0]).ndim) return false;
    switch (ir_op_form((IrOp)stmt->op)) {
    case FORM_BIN:
        return stmt->op != OP_MOD && stmt->op != OP_FLOORDIV && stmt->op != OP_POW &&
               !ir_stmt_may_fail(low->func, stmt);
    case FORM_CMP:
    case FORM_UN:
    case FORM_COPY:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_DIM: return true;
    case FORM_MATH: return ir_math_exact(stmt->u.math);
    default: return false;
    }
}

/* Whether it is better to run a block always than to branch around it: a few operations that
 * cannot fail. An unchecked load does not count, for it may not be made early. */
bool fe_block_is_cheap(Lower *low, const IrBlock *block) {
    unsigned n = 0;
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next)
        if (++n > 6 || !is_cheap(low, stmt)) return false;
    return true;
}

/* A break that leaves this very loop; those of loops inside it do not. */
static bool loop_has_break(const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op == OP_BREAK) return true;
        if (stmt->op == OP_IF &&
            (loop_has_break(&stmt->u.blocks.then) || loop_has_break(&stmt->u.blocks.els)))
            return true;
    }
    return false;
}

bool fe_block_ends(const IrBlock *block) {
    const IrStmt *last = block->last;
    if (!last) return false;
    switch (last->op) {
    case OP_RETURN:
    case OP_RAISE:
    case OP_BREAK:
    case OP_CONTINUE: return true;
    case OP_IF:
        return fe_block_ends(&last->u.blocks.then) && fe_block_ends(&last->u.blocks.els);
    case OP_LOOP: return !loop_has_break(&last->u.blocks.then);
    default: return false;
    }
}

void fe_raise_if(Lower *low, IrReg cond, IrExc exc, const char *message) {
    const IrRegInfo *info = ir_reg(low->func, cond);
    if (info->kind == REG_CONST && !info->value.i) return;
    IrStmt *guard = ir_build_if(&low->b, cond);
    IrBlock *outer = fe_block_swap(low, &guard->u.blocks.then);
    ir_build_raise(&low->b, exc, message, (uint32_t)strlen(message));
    fe_block_swap(low, outer);
}

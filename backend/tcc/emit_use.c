/* What a function does with its registers, found before it is written: how often each is used,
 * in which block it is made and used, and which members of an array's header matter. */
#include "backend/tcc/emit.h"

static uint32_t dims_from(unsigned first, unsigned ndim) {
    uint32_t fields = 0;
    for (unsigned i = first; i < ndim; i++)
        fields |= (uint32_t)FIELD_DIM << i;
    return fields;
}

static uint32_t strides_of(unsigned ndim) {
    return dims_from(0, ndim) << IR_MAX_DIMS;
}

/* The members that reading or writing an element looks at. */
static uint32_t element_fields(IrType type, const IrStmt *stmt) {
    uint32_t fields = FIELD_DATA, tested = stmt->u.mem.check | stmt->u.mem.wrap;
    for (unsigned i = 0; i < type.ndim; i++)
        if (tested >> i & 1) fields |= (uint32_t)FIELD_DIM << i;
    return fields |
           (type.layout == LAYOUT_C ? dims_from(1, type.ndim) : strides_of(type.ndim));
}

static uint32_t fields_read(const Fn *fn, const IrStmt *stmt, IrReg reg) {
    const IrRegInfo *info = ir_reg(fn->func, reg);
    switch (stmt->op) {
    case OP_LOAD:
    case OP_STORE: return element_fields(info->type, stmt);
    case OP_DIM: return (uint32_t)FIELD_DIM << stmt->u.imm;
    case OP_STRIDE: return (uint32_t)FIELD_STRIDE << stmt->u.imm;
    case OP_APART: return 0;
    case OP_CALL:
    case OP_PARALLEL:
    case OP_RT:
    case OP_RETURN: return info->kind == REG_PARAM ? 0 : FIELDS_ALL;
    default: return FIELDS_ALL;
    }
}

static void count_block(Fn *fn, const IrBlock *block);

/* Whether all that the statement does is compute a value that nothing needs. */
static bool is_dead(const Fn *fn, const IrStmt *stmt) {
    if (!ir_stmt_is_pure(fn->func, stmt)) return false;
    const IrRegInfo *dst = ir_reg(fn->func, stmt->dsts[0]);
    return dst->kind == REG_TEMP && !dst->owned && !fn->regs[stmt->dsts[0]].uses;
}

/* Backwards, so that the uses of a TEMP are known where it is written. */
static void count_stmt(Fn *fn, const IrStmt *stmt, uint32_t block) {
    if (stmt->op == OP_IF) count_block(fn, &stmt->u.blocks.els);
    if (ir_stmt_is_nested(stmt)) count_block(fn, &stmt->u.blocks.then);
    if (is_dead(fn, stmt)) {
        fn->regs[stmt->dsts[0]].dead = true;
        return;
    }
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        fn->regs[stmt->dsts[i]].def_block = block;
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        RegUse *use = &fn->regs[stmt->args[i]];
        use->uses++;
        use->use_block = block;
        if (ir_reg_type(fn->func, stmt->args[i]).ndim > 0)
            use->fields |= fields_read(fn, stmt, stmt->args[i]);
    }
}

static void count_block(Fn *fn, const IrBlock *block) {
    uint32_t number = ++fn->blocks;
    for (const IrStmt *stmt = block->last; stmt; stmt = stmt->prev)
        count_stmt(fn, stmt, number);
}

void jr_c_count_uses(Fn *fn) {
    count_block(fn, &fn->func->body);
    for (uint32_t i = 0; i < fn->func->regs.len; i++)
        if (ir_reg(fn->func, i)->owned) {
            fn->regs[i].fields |= FIELD_OWNER;
            fn->owns = true;
        }
}

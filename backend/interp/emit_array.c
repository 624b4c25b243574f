/* Arrays. One- and two-dimensional elements are one instruction with the check and the wrap in
 * it; for more dimensions the element's offset is summed up axis by axis. */
#include "backend/interp/compile.h"

#include <string.h>

static BcOp load_op(IrScalar scalar, unsigned form) {
    static const BcOp FIRST[TY_COUNT] = {
        [TY_BOOL] = BC_LOAD_1C_U8,     [TY_INT8] = BC_LOAD_1C_S8,
        [TY_INT16] = BC_LOAD_1C_S16,   [TY_INT32] = BC_LOAD_1C_S32,
        [TY_INT64] = BC_LOAD_1C_X64,   [TY_UINT8] = BC_LOAD_1C_U8,
        [TY_UINT16] = BC_LOAD_1C_U16,  [TY_UINT32] = BC_LOAD_1C_U32,
        [TY_UINT64] = BC_LOAD_1C_X64,  [TY_FLOAT32] = BC_LOAD_1C_U32,
        [TY_FLOAT64] = BC_LOAD_1C_D64,
    };
    return FIRST[scalar] + form;
}

static BcOp store_op(IrScalar scalar, unsigned form) {
    if (scalar == TY_FLOAT64) return BC_STORE_1C_D64 + form;
    switch (ir_scalar_size(scalar)) {
    case 1: return BC_STORE_1C_X8 + form;
    case 2: return BC_STORE_1C_X16 + form;
    case 4: return BC_STORE_1C_X32 + form;
    default: return BC_STORE_1C_X64 + form;
    }
}

/* The array and the indices of a LOAD or STORE as slots, and the form of instruction. */
typedef struct Access {
    uint32_t array, index[2];
    uint32_t scratch[2]; /* slots to give back */
    unsigned nscratch, form;
} Access;

static uint32_t take_scratch(Compiler *c, Access *access) {
    return access->scratch[access->nscratch++] = jr_take_slots(c, 0);
}

/* Three dimensions and up: the offset. */
static void sum_offset(Compiler *c, const IrStmt *stmt, unsigned ndim, Access *access) {
    const uint32_t offset = take_scratch(c, access);
    for (unsigned axis = 0; axis < ndim; axis++)
        jr_emit(c, axis ? BC_INDEX_NEXT : BC_INDEX, offset, access->array,
                jr_read_slot(c, stmt->args[1 + axis]), axis | ndim << 4);
    access->index[0] = offset;
    access->form = FORM_AT;
}

static void find_element(Compiler *c, const IrStmt *stmt, Access *access) {
    const IrType type = ir_reg_type(c->func, stmt->args[0]);
    access->array = jr_read_slot(c, stmt->args[0]);
    if (type.ndim > 2) {
        sum_offset(c, stmt, type.ndim, access);
        return;
    }
    for (unsigned axis = 0; axis < type.ndim; axis++)
        access->index[axis] = jr_read_slot(c, stmt->args[1 + axis]);
    access->form = (type.ndim == 2 ? FORM_2C : FORM_1C) + (type.layout != LAYOUT_C);
    /* Where only some axes are checked, slow.c knows which. */
    if (!(stmt->u.mem.check | stmt->u.mem.wrap)) access->form += FORM_RAW;
}

static void finish_access(Compiler *c, const IrStmt *stmt, uint32_t from,
                          const Access *access) {
    for (uint32_t at = from; at < c->code.len; at++) {
        c->places.data[at].check = stmt->u.mem.check;
        c->places.data[at].wrap = stmt->u.mem.wrap;
    }
    for (unsigned n = 0; n < access->nscratch; n++)
        jr_give_slots(c, 0, access->scratch[n]);
}

static void emit_load(Compiler *c, const IrStmt *stmt) {
    const uint32_t from = c->code.len;
    Access access = {.form = 0};
    find_element(c, stmt, &access);
    jr_bury(c);
    jr_emit(c, load_op(ir_reg_type(c->func, stmt->args[0]).scalar, access.form),
            jr_write_slot(c, stmt->dsts[0]), access.array, access.index[0], access.index[1]);
    finish_access(c, stmt, from, &access);
}

static void emit_store(Compiler *c, const IrStmt *stmt) {
    const uint32_t from = c->code.len;
    const IrType type = ir_reg_type(c->func, stmt->args[0]);
    const uint32_t value = jr_read_slot(c, stmt->args[stmt->nargs - 1]);
    Access access = {.form = 0};
    find_element(c, stmt, &access);
    const bool two = access.form % FORM_RAW >= FORM_2C && access.form < FORM_AT;
    jr_emit(c, store_op(type.scalar, access.form), access.array, access.index[0],
            two ? access.index[1] : value, two ? value : 0);
    finish_access(c, stmt, from, &access);
}

static void emit_dim(Compiler *c, const IrStmt *stmt) {
    const uint32_t dim = jr_plan_dim(c, stmt);
    jr_bury(c);
    jr_emit_copy(c, jr_write_slot(c, stmt->dsts[0]), dim);
}

/* A destination and arguments in a record. */
static Record *emit_record(Compiler *c, const IrStmt *stmt, BcOp op) {
    uint32_t index;
    jr_record_new(c, &index);
    jr_operand_reg(c, stmt->dsts[0], true);
    for (uint32_t n = 0; n < stmt->nargs; n++)
        jr_operand_reg(c, stmt->args[n], false);
    Record *record = &c->records.data[index];
    record->ndsts = 1;
    record->nargs = stmt->nargs;
    jr_emit(c, op, index, 0, 0, 0);
    return record;
}

static void emit_view(Compiler *c, const IrStmt *stmt) {
    Record *record = emit_record(c, stmt, BC_VIEW);
    record->check = stmt->u.mem.check;
    record->wrap = stmt->u.mem.wrap;
    memcpy(record->axes, stmt->u.mem.axes, sizeof record->axes);
    Place *place = &c->places.data[c->code.len - 1];
    place->check = stmt->u.mem.check;
    place->wrap = stmt->u.mem.wrap;
}

static void emit_header(Compiler *c, const IrStmt *stmt, BcOp op, bool in_slots) {
    const IrType type = ir_reg_type(c->func, stmt->args[0]);
    const uint32_t src = jr_read_slot(c, stmt->args[0]);
    jr_emit(c, op, jr_write_slot(c, stmt->dsts[0]), src,
            in_slots ? jr_plan_slots(type) : type.ndim, 0);
}

void jr_emit_array(Compiler *c, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_LOAD: emit_load(c, stmt); break;
    case OP_STORE: emit_store(c, stmt); break;
    case OP_DIM:
    case OP_STRIDE: emit_dim(c, stmt); break;
    case OP_APART: jr_emit_k(c, BC_CONST, jr_write_slot(c, stmt->dsts[0]), 0, 0); break;
    case OP_ALLOC: emit_record(c, stmt, BC_ALLOC)->imm = stmt->u.imm; break;
    case OP_VIEW: emit_view(c, stmt); break;
    case OP_BROADCAST: emit_record(c, stmt, BC_BROADCAST); break;
    case OP_RESHAPE: emit_record(c, stmt, BC_RESHAPE); break;
    case OP_TRANSPOSE: emit_header(c, stmt, BC_TRANSPOSE, false); break;
    default: emit_header(c, stmt, BC_ASSIGN, true); break;
    }
}

/* Scalar instructions: one each, except where two make one (a product that is added)
 * or a constant operand fits in the instruction. */
#include "backend/interp/compile.h"

#include <string.h>

/* ---- Arithmetic ---- */

/* The product that the statement before this one computed just for this sum, if it is still
 * the last instruction: then the two become one. */
static Instr *product_before(Compiler *c, const IrStmt *stmt, unsigned arg) {
    const IrReg reg = stmt->args[arg];
    const IrRegInfo *info = ir_reg(c->func, reg);
    if (info->kind != REG_TEMP || c->plans[reg].uses != 1 || info->def != stmt->prev)
        return NULL;
    if (!stmt->prev || stmt->prev->op != OP_MUL || c->code.len <= c->barrier) return NULL;
    Instr *last = &c->code.data[c->code.len - 1];
    if (last->op != BC_MUL_INT64 && last->op != BC_MUL_FLOAT64 && last->op != BC_MUL_FLOAT32)
        return NULL;
    return last;
}

static bool is_load_at(const Instr *load, uint32_t dst, uint32_t index) {
    return (load->op == BC_LOAD_1C_D64 || load->op == BC_LOAD_1C_X64) && load->a == dst &&
           load->c == index;
}

/* s += x[i] * y[i]: one instruction in front of the three, for the usual case. The products'
 * operands are read nowhere else, or the loads' results would not be the last instructions. */
static void fuse_dot(Compiler *c, const IrStmt *mul) {
    const uint32_t at = c->code.len - 3;
    if (c->code.len < 3 || at < c->barrier) return;
    const Instr *code = &c->code.data[at], product = code[2];
    if (product.op != BC_MUL_ADD_D && product.op != BC_MUL_ADD_I) return;
    if (product.a != product.d || product.b == product.c) return;
    if (c->plans[mul->args[0]].uses != 1 || c->plans[mul->args[1]].uses != 1) return;
    const uint32_t index = code[0].c;
    if (!is_load_at(&code[0], product.b, index) || !is_load_at(&code[1], product.c, index))
        return;
    if (code[0].a == index) return;
    const uint32_t x = code[0].b, y = code[1].b;
    const Place place = c->places.data[at];
    jr_emit(c, BC_COPY, 0, 0, 0, 0);
    Instr *to = &c->code.data[at];
    Place *places = &c->places.data[at];
    memmove(to + 1, to, 3 * sizeof *to);
    memmove(places + 1, places, 3 * sizeof *places);
    places[0] = place;
    to[0] = (Instr){
        .op = product.op == BC_MUL_ADD_D ? BC_DOT_D : BC_DOT_I, .a = product.a, .b = x};
    to[0].c = y;
    to[0].d = index;
}

static bool fuse_product(Compiler *c, const IrStmt *stmt) {
    const IrScalar scalar = ir_reg_type(c->func, stmt->dsts[0]).scalar;
    unsigned arg = 1;
    Instr *mul = product_before(c, stmt, 1);
    if (!mul) mul = product_before(c, stmt, arg = 0);
    if (!mul) return false;
    const uint32_t other = jr_read_slot(c, stmt->args[!arg]);
    BcOp op = scalar == TY_FLOAT64   ? BC_MUL_ADD_D
              : scalar == TY_FLOAT32 ? BC_MUL_ADD_F
                                     : BC_MUL_ADD_I;
    if (stmt->op == OP_SUB) op += arg == 1 ? 2 : 1;
    jr_bury(c);
    mul->op = op;
    mul->a = jr_write_slot(c, stmt->dsts[0]);
    mul->d = other;
    Place *place = &c->places.data[c->code.len - 1];
    place->once = jr_is_once(c, stmt->dsts[0]);
    place->brief = jr_is_brief(c, stmt->dsts[0]);
    fuse_dot(c, stmt->prev);
    return true;
}

/* int64 and a constant. */
static bool emit_with_const(Compiler *c, const IrStmt *stmt) {
    if (ir_reg_type(c->func, stmt->dsts[0]).scalar != TY_INT64) return false;
    int64_t k;
    unsigned arg = 1;
    const bool commutes = stmt->op == OP_ADD || stmt->op == OP_MUL || stmt->op == OP_AND;
    if (!jr_const_value(c, stmt->args[1], &k) &&
        (!commutes || !jr_const_value(c, stmt->args[arg = 0], &k)))
        return false;
    BcOp op;
    switch (stmt->op) {
    case OP_ADD: op = BC_ADD_K; break;
    case OP_SUB: op = BC_ADD_K, k = (int64_t)(0 - (uint64_t)k); break;
    case OP_MUL: op = BC_MUL_K; break;
    case OP_AND: op = BC_AND_K; break;
    case OP_SHL: op = BC_SHL_K; break;
    case OP_SHR: op = BC_SHR_K; break;
    case OP_MOD: op = BC_MOD_K; break;
    case OP_FLOORDIV: op = BC_FLOORDIV_K; break;
    default: return false;
    }
    if (k > 0 && (k & (k - 1)) == 0 && op == BC_MOD_K) op = BC_AND_K, k--;
    if (k > 0 && (k & (k - 1)) == 0 && op == BC_FLOORDIV_K)
        op = BC_SHR_K, k = __builtin_ctzll((uint64_t)k);
    if ((op == BC_SHL_K || op == BC_SHR_K) && (k < 0 || k > 63)) return false;
    if ((op == BC_MOD_K || op == BC_FLOORDIV_K) && k == 0) return false;
    const uint32_t a = jr_read_slot(c, stmt->args[!arg]);
    jr_bury(c);
    jr_emit_k(c, op, jr_write_slot(c, stmt->dsts[0]), a, k);
    return true;
}

/* dst = op of up to three slots. */
static void emit_plain(Compiler *c, const IrStmt *stmt, BcOp op) {
    uint32_t slots[3] = {0};
    for (uint32_t n = 0; n < stmt->nargs && n < 3; n++)
        slots[n] = jr_read_slot(c, stmt->args[n]);
    jr_bury(c);
    jr_emit(c, op, jr_write_slot(c, stmt->dsts[0]), slots[0], slots[1], slots[2]);
}

/* ---- Conversions ---- */

static BcOp cut_to(IrScalar to) {
    switch (to) {
    case TY_INT8: return BC_TRUNC_INT8;
    case TY_INT16: return BC_TRUNC_INT16;
    case TY_INT32: return BC_TRUNC_INT32;
    case TY_UINT8: return BC_TRUNC_UINT8;
    case TY_UINT16: return BC_TRUNC_UINT16;
    case TY_UINT32: return BC_TRUNC_UINT32;
    default: return BC_COPY;
    }
}

static BcOp cast_from_int(IrScalar from, IrScalar to) {
    switch (to) {
    case TY_BOOL: return BC_INT_TO_BOOL;
    case TY_FLOAT64: return from == TY_UINT64 ? BC_UINT_TO_FLOAT64 : BC_INT_TO_FLOAT64;
    case TY_FLOAT32: return from == TY_UINT64 ? BC_UINT_TO_FLOAT32 : BC_INT_TO_FLOAT32;
    default: return cut_to(to);
    }
}

static BcOp cast_from_float(bool wide, IrScalar to) {
    switch (to) {
    case TY_BOOL: return wide ? BC_FLOAT64_TO_BOOL : BC_FLOAT32_TO_BOOL;
    case TY_FLOAT64: return wide ? BC_COPY : BC_FLOAT32_TO_FLOAT64;
    case TY_FLOAT32: return wide ? BC_FLOAT64_TO_FLOAT32 : BC_COPY;
#define JR_TYPE(ID, name, ctype, bytes, cls) CAST_##cls(ID)
#define CAST_B(ID)
#define CAST_F(ID)
#define CAST_I(ID) \
    case TY_##ID:  \
        return wide ? BC_FLOAT64_TO_##ID : BC_FLOAT32_TO_##ID;
#define CAST_U(ID) CAST_I(ID)
#include "ir/types.def"
#undef JR_TYPE
    default: return BC_COPY;
    }
}

static BcOp cast_op(IrScalar from, IrScalar to) {
    return ir_scalar_is_float(from) ? cast_from_float(from == TY_FLOAT64, to)
                                    : cast_from_int(from, to);
}

bool jr_plan_keeps_bits(const Compiler *c, const IrStmt *cast) {
    return cast_op(ir_reg_type(c->func, cast->args[0]).scalar,
                   ir_reg_type(c->func, cast->dsts[0]).scalar) == BC_COPY;
}

static BcOp bits_op(IrScalar to) {
    return to == TY_BOOL ? BC_INT_TO_BOOL : cut_to(to);
}

/* ---- Functions of math.def ---- */

static void emit_math(Compiler *c, const IrStmt *stmt, IrMath math) {
    const bool wide = ir_reg_type(c->func, stmt->dsts[0]).scalar == TY_FLOAT64;
    if (math == MATH_SQRT) {
        emit_plain(c, stmt, wide ? BC_SQRT_D : BC_SQRT_F);
        return;
    }
    if (math == MATH_FMA) {
        emit_plain(c, stmt, wide ? BC_FMA_D : BC_FMA_F);
        return;
    }
    void *address = jr_resolve_symbol(c, ir_math_symbol(math, wide ? TY_FLOAT64 : TY_FLOAT32));
    if (stmt->nargs == 1) {
        emit_plain(c, stmt, wide ? BC_MATH1_D : BC_MATH1_F);
        c->code.data[c->code.len - 1].p = address;
        return;
    }
    uint32_t record;
    jr_record_new(c, &record)->address = address;
    emit_plain(c, stmt, wide ? BC_MATH2_D : BC_MATH2_F);
    c->code.data[c->code.len - 1].d = record;
}

static void emit_copy(Compiler *c, const IrStmt *stmt) {
    const IrType type = ir_reg_type(c->func, stmt->dsts[0]);
    if (jr_plan_resolve(c, stmt->dsts[0]) == jr_plan_resolve(c, stmt->args[0])) return;
    if (!type.ndim) {
        jr_bury(c);
        jr_emit_value(c, jr_write_slot(c, stmt->dsts[0]), stmt->args[0]);
        return;
    }
    const uint32_t src = jr_read_slot(c, stmt->args[0]), dst = jr_write_slot(c, stmt->dsts[0]);
    if (dst != src) jr_emit(c, BC_HEADER, dst, src, jr_plan_slots(type), 0);
}

/* A loop looks before it goes back, not at its top: there it is fused with what goes back. */
static void emit_poll(Compiler *c) {
    if (c->scope && c->scope->top == c->code.len)
        c->scope->poll = c->where;
    else
        jr_emit(c, BC_POLL, 0, 0, 0, 0);
}

void jr_emit_scalar(Compiler *c, const IrStmt *stmt) {
    if (stmt->op == OP_POLL) {
        emit_poll(c);
        return;
    }
    const IrScalar to = ir_reg_type(c->func, stmt->dsts[0]).scalar;
    const IrScalar from = stmt->nargs ? ir_reg_type(c->func, stmt->args[0]).scalar : to;
    switch (stmt->op) {
    case OP_COPY: emit_copy(c, stmt); return;
    case OP_CAST: emit_plain(c, stmt, cast_op(from, to)); return;
    case OP_BITS: emit_plain(c, stmt, bits_op(to)); return;
    case OP_SELECT: emit_plain(c, stmt, BC_SELECT); return;
    case OP_MATH: emit_math(c, stmt, stmt->u.math); return;
    default: break;
    }
    if (ir_op_form((IrOp)stmt->op) == FORM_CMP) {
        jr_emit_compare(c, stmt);
    } else if (stmt->op == OP_POW && ir_scalar_is_float(to)) {
        emit_math(c, stmt, MATH_POW);
    } else if (!((stmt->op == OP_ADD || stmt->op == OP_SUB) && fuse_product(c, stmt)) &&
               !emit_with_const(c, stmt)) {
        emit_plain(c, stmt, jr_bc_pick((IrOp)stmt->op, to));
    }
}

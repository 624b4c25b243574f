/* A reference for the tests of engines: evaluates scalar instructions with ir/numeric.h and
 * walks structured code over scalars and one-dimensional arrays. As slow and as plain as can
 * be. */
#ifndef JR_TESTS_ENGINE_REFERENCE_H
#define JR_TESTS_ENGINE_REFERENCE_H

#include "ir/ir.h"
#include "ir/numeric.h"

#include <stdlib.h>
#include <string.h>

/* The value as its type holds it: sign- or zero-extended to 64 bits. */
static inline IrConst ref_norm(IrScalar type, IrConst v) {
    unsigned shift = 64 - 8 * ir_scalar_size(type);
    if (ir_scalar_is_signed(type))
        v.i = (int64_t)(v.u << shift) >> shift;
    else
        v.u = v.u << shift >> shift;
    return v;
}

static inline IrConst ref_of_int(int64_t i) {
    return (IrConst){.i = i};
}

static inline IrConst ref_float(IrScalar type, double d) {
    IrConst v = {.u = 0};
    if (type == TY_FLOAT32)
        v.f = (float)d;
    else
        v.d = d;
    return v;
}

static inline IrConst ref_int_binary(IrOp op, IrScalar type, IrConst a, IrConst b, int *trap) {
    bool is_signed = ir_scalar_is_signed(type);
    unsigned width = 8 * ir_scalar_size(type);
    IrConst r = {.u = 0};
    if ((op == OP_FLOORDIV || op == OP_MOD) && b.u == 0) *trap = TRAP_DIV_ZERO;
    if ((op == OP_SHL || op == OP_SHR) && is_signed && b.i < 0) *trap = TRAP_NEGATIVE_SHIFT;
    if (op == OP_POW && is_signed && b.i < 0) *trap = TRAP_NEGATIVE_POWER;
    if (*trap >= 0) return r;
    bool less = is_signed ? b.i < a.i : b.u < a.u, more = is_signed ? b.i > a.i : b.u > a.u;
    switch (op) {
    case OP_ADD: r.u = a.u + b.u; break;
    case OP_SUB: r.u = a.u - b.u; break;
    case OP_MUL: r.u = a.u * b.u; break;
    case OP_FLOORDIV:
        r.u = is_signed ? (uint64_t)jr_num_floordiv_i64(a.i, b.i) : a.u / b.u;
        break;
    case OP_MOD: r.u = is_signed ? (uint64_t)jr_num_mod_i64(a.i, b.i) : a.u % b.u; break;
    case OP_POW: r.i = jr_num_ipow(a.i, b.u); break;
    case OP_MIN: r = less ? b : a; break;
    case OP_MAX: r = more ? b : a; break;
    case OP_AND: r.u = a.u & b.u; break;
    case OP_OR: r.u = a.u | b.u; break;
    case OP_XOR: r.u = a.u ^ b.u; break;
    case OP_SHL: r.u = b.u >= width ? 0 : a.u << b.u; break;
    case OP_SHR:
        if (is_signed)
            r.i = a.i >> (b.u >= width ? width - 1 : b.u);
        else
            r.u = b.u >= width ? 0 : a.u >> b.u;
        break;
    default: abort();
    }
    return ref_norm(type, r);
}

static inline IrConst ref_f64_binary(IrOp op, IrConst x, IrConst y) {
    double a = x.d, b = y.d;
    switch (op) {
    case OP_ADD: return (IrConst){.d = a + b};
    case OP_SUB: return (IrConst){.d = a - b};
    case OP_MUL: return (IrConst){.d = a * b};
    case OP_DIV: return (IrConst){.d = a / b};
    case OP_FLOORDIV: return (IrConst){.d = jr_num_ffloordiv(a, b)};
    case OP_MOD: return (IrConst){.d = jr_num_fmod(a, b)};
    case OP_POW: return (IrConst){.d = pow(a, b)};
    case OP_MIN: return b < a ? y : x;
    case OP_MAX: return b > a ? y : x;
    default: abort();
    }
}

static inline IrConst ref_f32_binary(IrOp op, IrConst x, IrConst y) {
    float a = x.f, b = y.f, r = 0;
    switch (op) {
    case OP_ADD: r = a + b; break;
    case OP_SUB: r = a - b; break;
    case OP_MUL: r = a * b; break;
    case OP_DIV: r = a / b; break;
    case OP_FLOORDIV: r = jr_num_ffloordivf(a, b); break;
    case OP_MOD: r = jr_num_fmodf(a, b); break;
    case OP_POW: r = powf(a, b); break;
    case OP_MIN: return b < a ? y : x;
    case OP_MAX: return b > a ? y : x;
    default: abort();
    }
    IrConst v = {.u = 0};
    v.f = r;
    return v;
}

#define REF_COMPARE(a, b)       \
    (op == OP_EQ   ? (a) == (b) \
     : op == OP_NE ? (a) != (b) \
     : op == OP_LT ? (a) < (b)  \
     : op == OP_LE ? (a) <= (b) \
     : op == OP_GT ? (a) > (b)  \
                   : (a) >= (b))

static inline bool ref_compare(IrOp op, IrScalar type, IrConst a, IrConst b) {
    if (type == TY_FLOAT64) return REF_COMPARE(a.d, b.d);
    if (type == TY_FLOAT32) return REF_COMPARE(a.f, b.f);
    return ir_scalar_is_signed(type) ? REF_COMPARE(a.i, b.i) : REF_COMPARE(a.u, b.u);
}

/* *trap is -1 or the IrTrap raised. `type` is the operands'. */
static inline IrConst ref_binary(IrOp op, IrScalar type, IrConst a, IrConst b, int *trap) {
    *trap = -1;
    if (ir_op_form(op) == FORM_CMP) return ref_of_int(ref_compare(op, type, a, b));
    if (type == TY_FLOAT64) return ref_f64_binary(op, a, b);
    if (type == TY_FLOAT32) return ref_f32_binary(op, a, b);
    return ref_int_binary(op, type, a, b, trap);
}

static inline IrConst ref_unary(IrOp op, IrScalar type, IrConst a) {
    if (op == OP_NOT) return ref_of_int(!a.u);
    if (op == OP_INV) return ref_norm(type, (IrConst){.u = ~a.u});
    if (ir_scalar_is_float(type)) {
        uint64_t sign = type == TY_FLOAT32 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
        return (IrConst){.u = op == OP_NEG ? a.u ^ sign : a.u & ~sign};
    }
    bool negate = op == OP_NEG || (ir_scalar_is_signed(type) && a.i < 0);
    return ref_norm(type, (IrConst){.u = negate ? 0 - a.u : a.u});
}

static inline IrConst ref_cast(IrScalar from, IrScalar to, IrConst a) {
    bool from_float = ir_scalar_is_float(from);
    double d = from == TY_FLOAT32 ? (double)a.f : a.d;
    if (to == TY_BOOL) return ref_of_int(from_float ? d != 0 : a.u != 0);
    if (ir_scalar_is_float(to) && from_float) return ref_float(to, d);
    if (to == TY_FLOAT64)
        return (IrConst){.d = ir_scalar_is_signed(from) ? (double)a.i : (double)a.u};
    if (to == TY_FLOAT32) {
        IrConst v = {.u = 0};
        v.f = ir_scalar_is_signed(from) ? (float)a.i : (float)a.u;
        return v;
    }
    if (!from_float) return ref_norm(to, a);
    switch (to) {
    case TY_INT8: return ref_of_int(jr_num_to_i8(d));
    case TY_INT16: return ref_of_int(jr_num_to_i16(d));
    case TY_INT32: return ref_of_int(jr_num_to_i32(d));
    case TY_INT64: return ref_of_int(jr_num_to_i64(d));
    case TY_UINT8: return (IrConst){.u = jr_num_to_u8(d)};
    case TY_UINT16: return (IrConst){.u = jr_num_to_u16(d)};
    case TY_UINT32: return (IrConst){.u = jr_num_to_u32(d)};
    default: return (IrConst){.u = jr_num_to_u64(d)};
    }
}

/* Same value: any NaN is as good as another when `exact` is false. */
static inline bool ref_same(IrScalar type, IrConst a, IrConst b, bool exact) {
    if (type == TY_FLOAT64 && !exact && a.d != a.d) return b.d != b.d;
    if (type == TY_FLOAT32 && !exact && a.f != a.f) return b.f != b.f;
    uint64_t mask = ~UINT64_C(0) >> (64 - 8 * ir_scalar_size(type));
    return (a.u & mask) == (b.u & mask);
}

/* ---- Walking a function ---- */

typedef struct RefArray {
    void *data;
    int64_t len, stride;
} RefArray;

typedef struct RefFrame {
    const IrFunc *func;
    IrConst *values;        /* by register */
    const RefArray *arrays; /* by register; parameters alone */
    IrConst results[64];
    int32_t status; /* IrExc, once something was raised */
} RefFrame;

typedef enum RefFlow { REF_NEXT, REF_BREAK, REF_CONTINUE, REF_LEAVE } RefFlow;

static inline RefFlow ref_block(RefFrame *frame, const IrBlock *block);

static inline IrConst ref_value(const RefFrame *frame, IrReg reg) {
    const IrRegInfo *info = ir_reg(frame->func, reg);
    if (info->kind != REG_CONST) return frame->values[reg];
    if (info->type.scalar == TY_FLOAT32) return ref_float(TY_FLOAT32, (double)info->value.f);
    return info->value;
}

static inline void *ref_element(RefFrame *frame, const IrStmt *stmt) {
    RefArray array = frame->arrays[stmt->args[0]];
    int64_t i = ref_value(frame, stmt->args[1]).i;
    if (stmt->u.mem.wrap && i < 0) i += array.len;
    if (i < 0 || i >= array.len) {
        frame->status = EXC_INDEX;
        return NULL;
    }
    return (char *)array.data +
           array.stride * i * ir_scalar_size(ir_reg_type(frame->func, stmt->args[0]).scalar);
}

static inline void ref_access(RefFrame *frame, const IrStmt *stmt) {
    unsigned size = ir_scalar_size(ir_reg_type(frame->func, stmt->args[0]).scalar);
    void *at = ref_element(frame, stmt);
    if (!at) return;
    if (stmt->op == OP_LOAD) {
        IrConst v = {.u = 0};
        memcpy(&v, at, size);
        frame->values[stmt->dsts[0]] =
            ref_norm(ir_reg_type(frame->func, stmt->args[0]).scalar, v);
    } else {
        IrConst v = ref_value(frame, stmt->args[2]);
        memcpy(at, &v, size);
    }
}

static inline RefFlow ref_for(RefFrame *frame, const IrStmt *stmt) {
    __int128 i = ref_value(frame, stmt->args[0]).i, hi = ref_value(frame, stmt->args[1]).i;
    int64_t step = ref_value(frame, stmt->args[2]).i;
    for (; step && (step > 0 ? i < hi : i > hi); i += step) {
        frame->values[stmt->dsts[0]].i = (int64_t)i;
        RefFlow flow = ref_block(frame, &stmt->u.blocks.then);
        if (flow == REF_LEAVE) return flow;
        if (flow == REF_BREAK) break;
    }
    return REF_NEXT;
}

static inline void ref_scalar(RefFrame *frame, const IrStmt *stmt) {
    IrConst args[3] = {{0}}, *out = &frame->values[stmt->dsts[0]];
    IrScalar types[3] = {TY_NONE};
    int trap = -1;
    for (uint32_t i = 0; i < stmt->nargs && i < 3; i++) {
        args[i] = ref_value(frame, stmt->args[i]);
        types[i] = ir_reg_type(frame->func, stmt->args[i]).scalar;
    }
    IrScalar to = ir_reg_type(frame->func, stmt->dsts[0]).scalar;
    switch (ir_op_form(stmt->op)) {
    case FORM_BIN:
    case FORM_CMP: *out = ref_binary(stmt->op, types[0], args[0], args[1], &trap); break;
    case FORM_UN: *out = ref_unary(stmt->op, types[0], args[0]); break;
    case FORM_CAST: *out = ref_cast(types[0], to, args[0]); break;
    case FORM_COPY: *out = args[0]; break;
    case FORM_SELECT: *out = args[0].u & 1 ? args[1] : args[2]; break;
    case FORM_DIM: out->i = frame->arrays[stmt->args[0]].len; break;
    default: abort();
    }
    if (trap >= 0) frame->status = (int32_t)ir_trap_exc((IrTrap)trap);
}

static inline RefFlow ref_stmt(RefFrame *frame, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_LOAD:
    case OP_STORE: ref_access(frame, stmt); break;
    case OP_IF:
        return ref_block(frame, ref_value(frame, stmt->args[0]).u & 1 ? &stmt->u.blocks.then
                                                                      : &stmt->u.blocks.els);
    case OP_FOR: return ref_for(frame, stmt);
    case OP_BREAK: return REF_BREAK;
    case OP_CONTINUE: return REF_CONTINUE;
    case OP_RETURN:
        for (uint32_t i = 0; i < stmt->nargs; i++)
            frame->results[i] = ref_value(frame, stmt->args[i]);
        return REF_LEAVE;
    default: ref_scalar(frame, stmt); break;
    }
    return frame->status ? REF_LEAVE : REF_NEXT;
}

static inline RefFlow ref_block(RefFrame *frame, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        RefFlow flow = ref_stmt(frame, stmt);
        if (flow != REF_NEXT) return flow;
    }
    return REF_NEXT;
}

#endif

/* The tables of ops.def, math.def, rtcalls.def, errors.def and traps.def as look-ups. */
#include "ir/rt.h"

#include <string.h>

static const struct {
    const char *name;
    uint8_t form;
    bool may_fail;
} OPS[] = {
#define JR_OP(ID, text, form, may_fail) [OP_##ID] = {text, FORM_##form, may_fail},
#include "ir/ops.def"
#undef JR_OP
};

static const struct {
    const char *name;
    unsigned arity;
    const char *f64, *f32;
    bool exact;
} MATHS[] = {
#define JR_MATH(ID, text, arity, f64, f32, exact) \
    [MATH_##ID] = {text, arity, #f64, #f32, exact},
#include "ir/math.def"
#undef JR_MATH
};

static const struct {
    const char *name, *params, *results;
    bool fails;
} RTS[] = {
#define JR_RTCALL(ID, text, params, results, fails) [RT_##ID] = {text, params, results, fails},
#include "ir/rtcalls.def"
#undef JR_RTCALL
};

static const char *const EXCS[] = {
    [EXC_NONE] = "none",
#define JR_EXC(ID, name) [EXC_##ID] = name,
#include "ir/errors.def"
#undef JR_EXC
};

static const struct {
    IrExc exc;
    const char *message;
} TRAPS[] = {
#define JR_TRAP(ID, exc, message) [TRAP_##ID] = {EXC_##exc, message},
#include "ir/traps.def"
#undef JR_TRAP
};

const char *ir_op_name(IrOp op) {
    return OPS[op].name;
}

IrForm ir_op_form(IrOp op) {
    return OPS[op].form;
}

bool ir_op_may_fail(IrOp op) {
    return OPS[op].may_fail;
}

const char *ir_math_name(IrMath math) {
    return MATHS[math].name;
}

unsigned ir_math_arity(IrMath math) {
    return MATHS[math].arity;
}

bool ir_math_exact(IrMath math) {
    return MATHS[math].exact;
}

const char *ir_math_symbol(IrMath math, IrScalar scalar) {
    return scalar == TY_FLOAT32 ? MATHS[math].f32 : MATHS[math].f64;
}

const char *ir_rt_name(IrRtCall call) {
    return RTS[call].name;
}

const char *ir_rt_params(IrRtCall call) {
    return RTS[call].params;
}

const char *ir_rt_results(IrRtCall call) {
    return RTS[call].results;
}

bool ir_rt_fails(IrRtCall call) {
    return RTS[call].fails;
}

bool ir_rt_leaves_elements(IrRtCall call) {
    switch (call) {
    case RT_ARRAYS_OVERLAP:
    case RT_ARRAYS_LAG:
    case RT_ARRAY_DISTINCT:
    case RT_BROADCAST_ERROR:
    case RT_MATMUL_ERROR:
    case RT_MASK_ERROR: return true;
    default: return false;
    }
}

const char *ir_exc_name(IrExc exc) {
    return exc < EXC_COUNT ? EXCS[exc] : "Exception";
}

const char *ir_parallel_letters(const IrFunc *func, const IrStmt *stmt, JrArena *arena) {
    char *letters = jr_arena_alloc(arena, stmt->nargs + 1);
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrType type = ir_reg_type(func, stmt->args[i]);
        letters[i] = type.ndim                                    ? 'a'
                     : type.scalar == TY_BOOL                     ? 'b'
                     : type.scalar == TY_FLOAT32                  ? 'f'
                     : type.scalar == TY_FLOAT64                  ? 'd'
                     : ir_scalar_is_signed((IrScalar)type.scalar) ? 'i'
                                                                  : 'u';
    }
    return letters;
}

IrExc ir_exc_named(const char *name, size_t len) {
    for (IrExc exc = EXC_NONE + 1; exc < EXC_COUNT; exc++)
        if (strlen(EXCS[exc]) == len && memcmp(EXCS[exc], name, len) == 0) return exc;
    return EXC_NONE;
}

IrExc ir_trap_exc(IrTrap trap) {
    return TRAPS[trap].exc;
}

const char *ir_trap_message(IrTrap trap) {
    return TRAPS[trap].message;
}

void *jr_symbol_find(const JrSymbols *symbols, const char *name) {
    uint32_t lo = 0, hi = symbols->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int order = strcmp(name, symbols->items[mid].name);
        if (order == 0) return symbols->items[mid].address;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const JrHostEntry *jr_host_named(const JrHostTable *hosts, const char *name) {
    for (uint32_t i = 0; i < hosts->count; i++)
        if (strcmp(hosts->items[i]->name, name) == 0) return hosts->items[i];
    return NULL;
}

/* What a loop's body computes anew in each iteration although it stays the same, as i * n in
 *
 *     for j: a[i * n + j] = b[(i - 1) % m, j]
 *
 * has a value in front of the loop, and is a term of an index like a variable of the loops around. Only
 * integers, and what cannot fail; a divisor is required not to be 0. Registers that compute the same from
 * the same have one register that stands for them all, so that terms can be compared. */
#include "backend/llvm/range.h"

enum { DEEPEST = 8 };

static IrReg front_of(Range *r, IrReg reg, uint32_t pos, int depth);

static bool is_int64(const Range *r, IrReg reg) {
    IrType type = ir_reg_type(r->f->ir, reg);
    return type.ndim == 0 && type.scalar == TY_INT64;
}

LLVMValueRef jr_range_term(Range *r, IrReg front) {
    LLVMValueRef value = r->uses[front].value;
    return value ? value : jr_gen_value(r->f, front);
}

static bool has_front(const Range *r, const IrStmt *s) {
    switch (s->op) {
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_MIN:
    case OP_MAX:
    case OP_MOD:
    case OP_FLOORDIV: return is_int64(r, s->args[0]);
    case OP_DIM: return jr_range_is_invariant(r, s->args[0]);
    default: return false;
    }
}

/* A register that was computed so before, or IR_NO_REG. */
static IrReg find_alike(const Range *r, const IrStmt *s, const IrReg *fronts) {
    for (uint32_t i = 0; i < r->fronts.len; i++) {
        const IrStmt *t = r->uses[r->fronts.data[i]].def;
        if (t->op != s->op || (s->op == OP_DIM && t->u.imm != s->u.imm)) continue;
        bool same = true;
        for (uint32_t k = 0; k < s->nargs; k++) {
            const GenUse *use = &r->uses[t->args[k]];
            same &= fronts[k] == (use->front ? use->front - 1 : t->args[k]);
        }
        if (same) return r->fronts.data[i];
    }
    return IR_NO_REG;
}

static LLVMValueRef divisor(Range *r, LLVMValueRef value) {
    LLVMBuilderRef b = r->f->g->b;
    LLVMValueRef ok = LLVMBuildIsNotNull(b, value, "");
    jr_range_require(r, ok);
    return LLVMBuildSelect(b, ok, value, jr_gen_int(r->f->g, 1), "");
}

static LLVMValueRef compute(Range *r, const IrStmt *s, const IrReg *fronts) {
    if (s->op == OP_DIM) return jr_gen_array(r->f, s->args[0]).dims[s->u.imm];
    LLVMValueRef a = jr_range_term(r, fronts[0]), b = jr_range_term(r, fronts[1]);
    if (s->op != OP_MOD && s->op != OP_FLOORDIV) return jr_gen_int_op(r->f, s, a, b);
    GenProof proof = {.stmt = s, .value = jr_gen_int_op(r->f, s, a, divisor(r, b))};
    JR_PUSH(r->f->g->arena, &r->plan->proofs, proof);
    return proof.value;
}

/* The same again, as in another index: it is not computed anew either. */
static void share(Range *r, const IrStmt *s, IrReg alike) {
    GenProof proof = {.stmt = s, .value = r->uses[alike].value};
    if (s->op == OP_MOD || s->op == OP_FLOORDIV)
        JR_PUSH(r->f->g->arena, &r->plan->proofs, proof);
}

static IrReg front_of_stmt(Range *r, const IrStmt *s, uint32_t pos, int depth) {
    IrReg fronts[2] = {s->args[0], IR_NO_REG};
    for (uint32_t i = 0; i < s->nargs && s->op != OP_DIM; i++) {
        fronts[i] = front_of(r, s->args[i], pos, depth + 1);
        if (fronts[i] == IR_NO_REG) return IR_NO_REG;
    }
    IrReg reg = s->dsts[0], alike = find_alike(r, s, fronts);
    if (alike != IR_NO_REG) {
        share(r, s, alike);
        return alike;
    }
    r->uses[reg].value = compute(r, s, fronts);
    JR_PUSH(r->f->g->arena, &r->fronts, reg);
    return reg;
}

static IrReg front_of(Range *r, IrReg reg, uint32_t pos, int depth) {
    if (!is_int64(r, reg) || reg == r->loop->dsts[0]) return IR_NO_REG;
    GenUse *use = &r->uses[reg];
    if (use->writes == 0) return reg;
    if (use->writes != 1 || !use->def || use->pos >= pos || depth > DEEPEST) return IR_NO_REG;
    if (use->front) return use->front - 1;
    const IrStmt *s = use->def;
    IrReg front = IR_NO_REG;
    if (s->op == OP_COPY)
        front = front_of(r, s->args[0], use->pos, depth + 1);
    else if (s->ndsts == 1 && has_front(r, s))
        front = front_of_stmt(r, s, use->pos, depth);
    if (front != IR_NO_REG) use->front = 1 + front;
    return front;
}

IrReg jr_range_front(Range *r, IrReg reg, uint32_t pos) {
    return front_of(r, reg, pos, 0);
}

int64_t jr_range_growth(const Range *r, IrReg reg) {
    const GenUse *use = &r->uses[reg];
    const IrStmt *s = use->def;
    if (use->writes != 1 || !s || !r->by || r->continues || !is_int64(r, reg)) return 0;
    if (s->op != OP_ADD && s->op != OP_SUB) return 0;
    bool second = s->op == OP_ADD && s->args[1] == reg;
    int64_t by;
    if (s->args[second] != reg || !jr_range_const(r->f->ir, s->args[!second], &by)) return 0;
    return s->op == OP_ADD ? by : -by;
}

/* A TEMP is computed again before it is used, where a TEMP that it is made of is. */
static bool is_shifted(const IrFunc *func, IrReg reg, IrReg *from, int64_t *by) {
    const IrRegInfo *info = ir_reg(func, reg);
    const IrStmt *s = info->kind == REG_TEMP ? info->def : NULL;
    if (!s || (s->op != OP_ADD && s->op != OP_SUB)) return false;
    if (info->type.scalar != TY_INT64 || !jr_range_const(func, s->args[1], by)) return false;
    IrRegKind kind = (IrRegKind)ir_reg(func, s->args[0])->kind;
    if (kind != REG_TEMP && kind != REG_PARAM) return false;
    if (s->op == OP_SUB) *by = -*by;
    *from = s->args[0];
    return true;
}

IrReg jr_range_base(const IrFunc *func, IrReg reg, int64_t *offset) {
    int64_t by;
    for (int depth = 0; depth < DEEPEST && is_shifted(func, reg, &reg, &by); depth++)
        *offset += by;
    return reg;
}

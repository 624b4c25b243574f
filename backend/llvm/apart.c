/* Arrays shown to lie apart in front of innermost loops.
 *
 * Where a store may change what a load reads, LLVM keeps both in order: the loop is not vectorised, or
 * with tests of LLVM's own before each row, and no element stays in a register. Two arrays of
 * different element types never share memory (types.c). Of the others, range.c's question
 * in front of a loop also asks whether each array that the loop writes lies apart from the rest
 *
 *     ... and (end of y <= start of x or end of x <= start of y)
 *
 * by the addresses between which all of an array's elements lie, whatever the strides. An array of
 * no elements may give any answer: nothing of it is touched. The answer is the same for every iteration of
 * all loops in which the arrays stay the same, so LLVM moves it out of them. In the quick twin,
 * accesses to a written array y are in a scope of their own (alias.scope), and those to x say that they
 * touch nothing in it (noalias). The scopes are declared where the question was asked: passes
 * that copy the place make new scopes for the copy, so that what holds of the arrays of one round of
 * an outer loop is not taken to hold between two rounds. */
#include "backend/llvm/gen.h"

#include <llvm-c/DebugInfo.h>

enum { MAX_PAIRS = 16 };

void jr_gen_note_array(GenFunc *f, GenArrays *all, IrReg reg, bool stored) {
    for (uint32_t i = 0; i < all->len; i++) {
        if (all->items[i].reg != reg) continue;
        all->items[i].stored |= stored;
        return;
    }
    if (all->len == GEN_MAX_ARRAYS) {
        all->too_many = true;
        return;
    }
    unsigned scalar = ir_reg_type(f->ir, reg).scalar;
    all->items[all->len++] =
        (GenTouched){.reg = reg, .stored = stored, .alias_class = f->g->tbaa[scalar]};
}

/* ---- The question ---- */

/* The addresses of the first element and behind the last. */
static void find_ends(GenFunc *f, GenTouched *a) {
    if (a->start) return;
    Gen *g = f->g;
    IrType type = ir_reg_type(f->ir, a->reg);
    GenArray array = jr_gen_array(f, a->reg);
    LLVMTypeRef element = g->memory[type.scalar];
    LLVMValueRef one = jr_gen_int(g, 1), zero = jr_gen_int(g, 0), below = NULL, above = one;
    for (unsigned i = 0; i < type.ndim; i++) {
        if (type.layout != LAYOUT_ANY) {
            above = LLVMBuildMul(g->b, above, array.dims[i], "");
            continue;
        }
        LLVMValueRef steps = LLVMBuildSub(g->b, array.dims[i], one, "");
        LLVMValueRef way = LLVMBuildMul(g->b, steps, array.strides[i], "");
        LLVMValueRef down[] = {way, zero};
        LLVMValueRef back = jr_gen_intrinsic(g, "llvm.smin", 1, &g->i64, 2, down);
        LLVMValueRef forth = jr_gen_intrinsic(g, "llvm.smax", 1, &g->i64, 2, down);
        below = below ? LLVMBuildAdd(g->b, below, back, "") : back;
        above = LLVMBuildAdd(g->b, above, forth, "");
    }
    a->start = below ? LLVMBuildGEP2(g->b, element, array.data, &below, 1, "") : array.data;
    a->end = LLVMBuildGEP2(g->b, element, array.data, &above, 1, "");
}

static LLVMValueRef lie_apart(GenFunc *f, GenTouched *a, GenTouched *c) {
    LLVMBuilderRef b = f->g->b;
    find_ends(f, a);
    find_ends(f, c);
    LLVMValueRef before = LLVMBuildICmp(b, LLVMIntULE, a->end, c->start, "");
    LLVMValueRef behind = LLVMBuildICmp(b, LLVMIntULE, c->end, a->start, "");
    return LLVMBuildOr(b, before, behind, "");
}

static bool may_meet(const GenTouched *a, const GenTouched *b) {
    return (a->stored || b->stored) && a->alias_class == b->alias_class;
}

static uint32_t count_pairs(const GenArrays *all) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->len; i++)
        for (uint32_t k = 0; k < i; k++)
            n += may_meet(&all->items[i], &all->items[k]);
    return n;
}

LLVMValueRef jr_gen_apart_condition(GenFunc *f, GenArrays *all) {
    uint32_t npairs = count_pairs(all);
    if (all->too_many || npairs == 0 || npairs > MAX_PAIRS) {
        all->len = 0;
        return NULL;
    }
    LLVMValueRef condition = NULL;
    for (uint32_t i = 0; i < all->len; i++)
        for (uint32_t k = 0; k < i; k++) {
            GenTouched *a = &all->items[i], *b = &all->items[k];
            if (!may_meet(a, b)) continue;
            LLVMValueRef apart = lie_apart(f, a, b);
            condition = condition ? LLVMBuildAnd(f->g->b, condition, apart, "") : apart;
        }
    return condition;
}

/* ---- The scopes ---- */

/* A node that refers to itself is like no other, and stays so when it is copied. */
static LLVMMetadataRef new_node(Gen *g, LLVMMetadataRef more) {
    LLVMMetadataRef self = LLVMTemporaryMDNode(g->ctx, NULL, 0), parts[] = {self, more};
    LLVMMetadataRef node = LLVMMDNodeInContext2(g->ctx, parts, more ? 2 : 1);
    LLVMMetadataReplaceAllUsesWith(self, node);
    return node;
}

static LLVMValueRef list_value(Gen *g, LLVMMetadataRef *items, uint32_t n) {
    return LLVMMetadataAsValue(g->ctx, LLVMMDNodeInContext2(g->ctx, items, n));
}

/* The scopes of the arrays that `a` lies apart from. */
static LLVMValueRef others_of(GenFunc *f, const GenArrays *all, const GenTouched *a) {
    LLVMMetadataRef others[GEN_MAX_ARRAYS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->len; i++) {
        const GenTouched *b = &all->items[i];
        if (b != a && b->scope && a->alias_class == b->alias_class) others[n++] = b->scope;
    }
    return n ? list_value(f->g, others, n) : NULL;
}

void jr_gen_open_scopes(GenFunc *f, GenArrays *all) {
    Gen *g = f->g;
    for (uint32_t i = 0; i < all->len; i++) {
        GenTouched *a = &all->items[i];
        if (!a->stored) continue;
        if (!g->scopes) g->scopes = new_node(g, NULL);
        a->scope = new_node(g, g->scopes);
        a->inside = list_value(g, &a->scope, 1);
        jr_gen_intrinsic(g, "llvm.experimental.noalias.scope.decl", 0, NULL, 1, &a->inside);
    }
    for (uint32_t i = 0; i < all->len; i++)
        all->items[i].outside = others_of(f, all, &all->items[i]);
    f->apart = all;
}

void jr_gen_set_scope(GenFunc *f, LLVMValueRef access, IrReg array) {
    const GenArrays *all = f->apart;
    for (uint32_t i = 0; all && i < all->len; i++) {
        if (all->items[i].reg != array) continue;
        if (all->items[i].inside)
            LLVMSetMetadata(access, f->g->md_scope, all->items[i].inside);
        if (all->items[i].outside)
            LLVMSetMetadata(access, f->g->md_noalias, all->items[i].outside);
    }
}

/* Accesses shown to share nothing, in front of innermost loops.
 *
 * Where a store may change what a load reads, LLVM keeps both in order: the loop is not vectorised, or
 * with tests of LLVM's own before each row, and no element stays in a register. So range.c's
 * question also asks whether what the loop stores lies apart from the rest:
 *
 *     y[i] = x[i]              end of y <= start of x or end of x <= start of y
 *     a[i, j] = a[k, j]        i != k
 *     a[i, j] = a[i, k]        nothing, but j == k is left to the slow twin
 *     a[c] = a[c - w]          |w| >= 16, and the quick twin takes |w| iterations at a time, in
 *                              which nothing is read that they store; or else see below
 *
 * Two arrays are compared by the addresses between which all of an array's elements lie, whatever
 * the strides. Element types say nothing: x and x.view(np.int64) may both be arguments. An array of no elements may give any
 * answer: nothing of it is touched. The answer is the same for every iteration of all loops in
 * which the arrays stay the same, so LLVM moves it out of them. Places in one array are compared by their
 * indices, if these are affine and known to be within a contiguous array, where different indices are
 * different elements.
 *
 * In the quick twin, accesses to a place that is stored to are in a scope of their own (alias.scope), and
 * those to places apart from it say that they touch nothing in it (noalias). The scopes are
 * declared where the twin begins: passes that copy the place make new scopes for the copy, so that
 * what holds of one round of an outer loop is not taken to hold between two rounds.
 *
 * In one piece. Counting down, a[c] = a[c - w] reads each element before it is stored to, if w >= 0: vectors
 * of any length that load first and then store are right. Nothing may be said to be apart here: a
 * scope would let LLVM store what iteration c stores before iteration c + 1 has loaded it. (The scheduler
 * would, where rounds are unrolled; so would calling the iterations parallel, once a pass has moved an
 * access.) All that LLVM lacks is that w is not negative; then its own analysis of dependences, which sees the loop
 * as it is by then, finds that no load reads what an earlier iteration stored. So a twin for this case alone
 * has the load's index written as
 *
 *     the store's index -+ (w & 2^56 - 1)
 *
 * which says how the two lie, and is w where 0 <= w < 2^56. Both indices are within one
 * contiguous array, which has fewer than 2^56 elements; so what is left to ask is which index is
 * the greater in the first iteration. It is asked in this form because a pass that knew of w >= 0 from the
 * question would drop the mask, and with it what it says. */
#include "backend/llvm/range.h"

#include <llvm-c/DebugInfo.h>

enum {
    MAX_PAIRS = 64,
    SHORTEST_PIECE = 16,
    ADDRESS_BITS = 56, /* of a process */
};

/* ---- Places ---- */

static bool same_index(const Affine *a, const Affine *b, unsigned ndim) {
    if (!a || !b) return a == b;
    for (unsigned i = 0; i < ndim; i++)
        if (!jr_range_same(&a[i], &b[i]) || a[i].offset != b[i].offset) return false;
    return true;
}

static GenPlace *find_place(Range *r, IrReg array, const Affine *index) {
    GenPlan *plan = r->plan;
    IrType type = ir_reg_type(r->f->ir, array);
    if (!r->uses[array].stored || type.layout == LAYOUT_ANY) index = NULL;
    for (uint32_t i = 0; i < plan->nplaces; i++) {
        GenPlace *place = &plan->places[i];
        if (place->array == array && same_index(place->index, index, type.ndim)) return place;
    }
    if (plan->nplaces == GEN_MAX_PLACES) {
        plan->too_many_places = true;
        return NULL;
    }
    GenPlace *place = &plan->places[plan->nplaces++];
    *place = (GenPlace){.array = array, .index = index};
    return place;
}

GenPlace *jr_range_note_access(Range *r, const IrStmt *s, const Affine *index) {
    GenPlace *place = find_place(r, s->args[0], index);
    if (!place) return NULL;
    place->stored |= s->op == OP_STORE;
    if (s->op == OP_LOAD) place->last_load = r->pos;
    if (s->op == OP_STORE && !place->first_store) place->first_store = r->pos;
    return place;
}

/* ---- Two arrays ---- */

/* The addresses of an array's first element and behind its last. */
typedef struct Ends {
    LLVMValueRef start, end;
} Ends;

static Ends find_ends(GenFunc *f, IrReg reg) {
    Gen *g = f->g;
    IrType type = ir_reg_type(f->ir, reg);
    GenArray array = jr_gen_array(f, reg);
    LLVMTypeRef element = g->memory[type.scalar];
    LLVMValueRef one = jr_gen_int(g, 1), zero = jr_gen_int(g, 0), below = NULL, above = one;
    for (unsigned i = 0; i < type.ndim; i++) {
        if (type.layout != LAYOUT_ANY) {
            above = LLVMBuildMul(g->b, above, array.dims[i], "");
            continue;
        }
        LLVMValueRef steps = LLVMBuildSub(g->b, array.dims[i], one, "");
        LLVMValueRef way[] = {LLVMBuildMul(g->b, steps, array.strides[i], ""), zero};
        LLVMValueRef back = jr_gen_intrinsic(g, "llvm.smin", 1, &g->i64, 2, way);
        LLVMValueRef forth = jr_gen_intrinsic(g, "llvm.smax", 1, &g->i64, 2, way);
        below = below ? LLVMBuildAdd(g->b, below, back, "") : back;
        above = LLVMBuildAdd(g->b, above, forth, "");
    }
    Ends ends = {array.data, LLVMBuildGEP2(g->b, element, array.data, &above, 1, "")};
    if (below) ends.start = LLVMBuildGEP2(g->b, element, array.data, &below, 1, "");
    return ends;
}

static LLVMValueRef are_apart(GenFunc *f, IrReg a, IrReg c) {
    LLVMBuilderRef b = f->g->b;
    Ends x = find_ends(f, a), y = find_ends(f, c);
    LLVMValueRef before = LLVMBuildICmp(b, LLVMIntULE, x.end, y.start, "");
    LLVMValueRef behind = LLVMBuildICmp(b, LLVMIntULE, y.end, x.start, "");
    return LLVMBuildOr(b, before, behind, "");
}

void jr_gen_apart(GenFunc *f, const IrStmt *s) {
    jr_gen_set(f, s->dsts[0], are_apart(f, s->args[0], s->args[1]));
}

/* In a loop of ir/jam/ they are known to be. */
static void ask_arrays(Range *r, IrReg a, IrReg c) {
    jr_range_require(r, r->loop->jammed ? LLVMConstInt(r->f->g->i1, 1, 0)
                                        : are_apart(r->f, a, c));
}

/* ---- Two indices of one array ---- */

/* How the indices of two places differ on the axis that tells them apart best. */
typedef enum Way { WAY_NONE, WAY_PIECES, WAY_POINT, WAY_ASK, WAY_SURE } Way;

static Way way_on(const Affine *a, const Affine *b, const Affine *difference) {
    bool moves = a->factor || b->factor || a->by_sign;
    if (difference->factor) {
        bool one = difference->factor == 1 || difference->factor == -1;
        return one && (!a->factor || !b->factor) ? WAY_POINT : WAY_NONE;
    }
    if (difference->nterms == 0) return difference->offset && !moves ? WAY_SURE : WAY_NONE;
    if (!moves) return WAY_ASK;
    bool one = a->factor == 1 || a->factor == -1;
    return one && !a->by_sign ? WAY_PIECES : WAY_NONE;
}

static LLVMValueRef both(Gen *g, LLVMValueRef a, LLVMValueRef b) {
    return a ? LLVMBuildAnd(g->b, a, b, "") : b;
}

/* How often the loop runs, if it does. */
static LLVMValueRef rounds_of(Range *r) {
    Gen *g = r->f->g;
    const IrReg *args = r->loop->args;
    LLVMValueRef lo = jr_gen_value(r->f, args[0]), hi = jr_gen_value(r->f, args[1]);
    return LLVMBuildMul(g->b, LLVMBuildSub(g->b, hi, lo, ""), jr_gen_int(g, r->step), "");
}

static void ask_pieces(Range *r, const Affine *difference) {
    GenPlan *plan = r->plan;
    Gen *g = r->f->g;
    LLVMValueRef args[] = {jr_range_value(r, difference), LLVMConstInt(g->i1, 0, 0)};
    LLVMValueRef length = jr_gen_intrinsic(g, "llvm.abs", 1, &g->i64, 2, args);
    LLVMValueRef shortest = jr_gen_int(g, SHORTEST_PIECE);
    LLVMValueRef long_enough = LLVMBuildICmp(g->b, LLVMIntUGE, length, shortest, "");
    LLVMValueRef whole = LLVMBuildICmp(g->b, LLVMIntUGE, length, rounds_of(r), "");
    long_enough = LLVMBuildOr(g->b, long_enough, whole, "");
    plan->in_pieces = both(g, plan->in_pieces, long_enough);
    LLVMValueRef two[] = {length, plan->length};
    plan->length = two[1] ? jr_gen_intrinsic(g, "llvm.umin", 1, &g->i64, 2, two) : length;
}

/* How the places are apart in the quick twin; what there is to ask is asked. */
static Way ask_indices(Range *r, const GenPlace *a, const GenPlace *b) {
    if (!a->index || !b->index) return WAY_NONE;
    Way best = WAY_NONE;
    Affine chosen = {0};
    for (unsigned axis = 0; axis < ir_reg_type(r->f->ir, a->array).ndim; axis++) {
        Affine difference;
        if (!jr_range_minus(&a->index[axis], &b->index[axis], &difference)) continue;
        Way way = way_on(&a->index[axis], &b->index[axis], &difference);
        if (way <= best || (way < WAY_ASK && !r->step)) continue;
        best = way;
        chosen = difference;
    }
    if (best == WAY_PIECES) ask_pieces(r, &chosen);
    if (best == WAY_POINT && !jr_range_spare(r, &chosen)) return WAY_NONE;
    if (best == WAY_ASK) {
        LLVMValueRef difference = jr_range_value(r, &chosen);
        jr_range_require(r, LLVMBuildIsNotNull(r->f->g->b, difference, ""));
    }
    return best;
}

/* ---- All pairs ---- */

static bool may_meet(const GenPlace *a, const GenPlace *b) {
    return a->stored || b->stored;
}

/* Whether some earlier pair of places was of the same two arrays. */
static bool asked_already(const GenPlan *plan, uint32_t i, uint32_t k) {
    const GenPlace *p = plan->places;
    for (uint32_t m = 0; m <= i; m++)
        for (uint32_t n = 0; n < m && (m < i || n < k); n++) {
            bool same = (p[m].array == p[i].array && p[n].array == p[k].array) ||
                        (p[m].array == p[k].array && p[n].array == p[i].array);
            if (same && may_meet(&p[m], &p[n])) return true;
        }
    return false;
}

static uint32_t count_pairs(const GenPlan *plan) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->nplaces; i++)
        for (uint32_t k = 0; k < i; k++)
            n += may_meet(&plan->places[i], &plan->places[k]);
    return n;
}

void jr_range_ask_apart(Range *r) {
    GenPlan *plan = r->plan;
    if (plan->too_many_places || count_pairs(plan) > MAX_PAIRS) return;
    for (uint32_t i = 0; i < plan->nplaces; i++)
        for (uint32_t k = 0; k < i; k++) {
            GenPlace *a = &plan->places[i], *b = &plan->places[k];
            if (!may_meet(a, b)) continue;
            Way way = WAY_ASK;
            if (a->array == b->array)
                way = ask_indices(r, a, b);
            else if (!asked_already(plan, i, k))
                ask_arrays(r, a->array, b->array);
            if (way == WAY_NONE) continue;
            a->apart |= 1u << k;
            b->apart |= 1u << i;
            if (way != WAY_PIECES) continue;
            a->apart_in_pieces |= 1u << k;
            b->apart_in_pieces |= 1u << i;
        }
}

/* ---- In one piece ---- */

/* The place with which this one shares nothing in a piece alone. NULL if there are several. */
static const GenPlace *find_partner(const GenPlan *plan, const GenPlace *place) {
    const GenPlace *found = NULL;
    for (uint32_t i = 0; i < plan->nplaces; i++) {
        if (!(place->apart_in_pieces >> i & 1)) continue;
        if (found) return NULL;
        found = &plan->places[i];
    }
    return found;
}

/* Whether what the load reads may be known to be stored to later, if at all: they differ on the last
 * axis alone, where neighbours are. */
static bool may_be_ahead(const Range *r, const GenPlace *load, const GenPlace *store) {
    const Affine *a = load->index, *b = store->index;
    if (!store->stored || load->last_load >= store->first_store) return false;
    unsigned last = ir_reg_type(r->f->ir, load->array).ndim - 1;
    for (unsigned i = 0; i < last; i++)
        if (!same_index(&a[i], &b[i], 1)) return false;
    int64_t factor = a[last].factor;
    if (a[last].by_sign || b[last].by_sign) return false;
    return factor == b[last].factor && (factor == 1 || factor == -1);
}

/* Writes the load's index as the store's and how far it is ahead, in the direction in which
 * both move; asks whether it is. */
static void ask_ahead(Range *r, GenPlace *load, const GenPlace *store) {
    Gen *g = r->f->g;
    unsigned last = ir_reg_type(r->f->ir, load->array).ndim - 1;
    int64_t factor = load->index[last].factor;
    bool up = factor == r->step;
    LLVMValueRef from = jr_range_value(r, &store->index[last]);
    LLVMValueRef to = jr_range_value(r, &load->index[last]);
    LLVMValueRef way =
        up ? LLVMBuildSub(g->b, to, from, "") : LLVMBuildSub(g->b, from, to, "");
    way = LLVMBuildAnd(g->b, way, jr_gen_int(g, ((int64_t)1 << ADDRESS_BITS) - 1), "ahead");
    load->ahead = up ? LLVMBuildAdd(g->b, from, way, "") : LLVMBuildSub(g->b, from, way, "");

    LLVMValueRef first = jr_gen_value(r->f, r->loop->args[0]);
    first = LLVMBuildMul(g->b, first, jr_gen_int(g, factor), "");
    LLVMValueRef ok =
        LLVMBuildICmp(g->b, up ? LLVMIntSGE : LLVMIntSLE, LLVMBuildAdd(g->b, first, to, ""),
                      LLVMBuildAdd(g->b, first, from, ""), "");
    r->plan->in_order = both(g, r->plan->in_order, ok);
}

/* 1 if the load is ahead of the store where what is called w in the source is not negative, -1 if it is behind, 0
 * if that is not the form of it. */
static int looks_ahead(const Range *r, const GenPlace *load, const GenPlace *store) {
    unsigned last = ir_reg_type(r->f->ir, load->array).ndim - 1;
    Affine way;
    if (!jr_range_minus(&load->index[last], &store->index[last], &way)) return 0;
    if (way.nterms != 1 || way.offset) return 0;
    return (way.scale[0] > 0) == (load->index[last].factor == r->step) ? 1 : -1;
}

/* In one piece or in pieces: one of the two twins is enough where all loads look as if they were ahead, or
 * behind. Where they do not lie so, the slow twin runs. */
static void choose_twin(Range *r, uint32_t loads) {
    GenPlan *plan = r->plan;
    bool ahead = true, behind = true;
    for (uint32_t i = 0; i < plan->nplaces; i++) {
        const GenPlace *place = &plan->places[i];
        if (!(loads >> i & 1)) continue;
        int way = looks_ahead(r, place, find_partner(plan, place));
        ahead &= way > 0;
        behind &= way < 0;
    }
    if (ahead) {
        plan->length = plan->in_pieces = NULL;
    } else if (behind) {
        plan->in_order = NULL;
        for (uint32_t i = 0; i < plan->nplaces; i++)
            plan->places[i].ahead = NULL;
    }
}

void jr_range_ask_in_order(Range *r) {
    GenPlan *plan = r->plan;
    if (!plan->length || plan->npoints) return;
    uint32_t loads = 0, stores = 0;
    for (uint32_t i = 0; i < plan->nplaces; i++) {
        const GenPlace *place = &plan->places[i], *store = find_partner(plan, place);
        if (!place->apart_in_pieces) continue;
        if (place->stored)
            stores |= 1u << i;
        else if (store && may_be_ahead(r, place, store))
            loads |= 1u << i;
        else
            return;
    }
    for (uint32_t i = 0; i < plan->nplaces; i++)
        if (stores >> i & 1 && plan->places[i].apart_in_pieces & stores) return;
    for (uint32_t i = 0; i < plan->nplaces; i++) {
        GenPlace *place = &plan->places[i];
        if (loads >> i & 1) ask_ahead(r, place, find_partner(plan, place));
    }
    if (loads) choose_twin(r, loads);
}

LLVMValueRef jr_gen_index_ahead(GenFunc *f, const IrStmt *s) {
    const GenProof *proof = f->plan && f->plan->whole ? jr_gen_proof(f, s) : NULL;
    const GenPlace *place = proof ? proof->place : NULL;
    if (!place || !place->ahead) return NULL;
    Gen *g = f->g;
    int64_t factor = place->index[ir_reg_type(f->ir, place->array).ndim - 1].factor;
    LLVMValueRef counter = jr_gen_value(f, f->plan->counter);
    return factor > 0 ? LLVMBuildAdd(g->b, place->ahead, counter, "")
                      : LLVMBuildSub(g->b, place->ahead, counter, "");
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

/* The scopes of the places that this one is apart from. */
static LLVMValueRef others_of(Gen *g, const GenPlan *plan, const GenPlace *place) {
    LLVMMetadataRef others[GEN_MAX_PLACES];
    uint32_t n = 0, apart = place->apart & ~(plan->whole ? place->apart_in_pieces : 0);
    for (uint32_t i = 0; i < plan->nplaces; i++)
        if (apart >> i & 1 && plan->places[i].scope) others[n++] = plan->places[i].scope;
    return n ? list_value(g, others, n) : NULL;
}

void jr_gen_open_scopes(GenFunc *f, GenPlan *plan) {
    Gen *g = f->g;
    for (uint32_t i = 0; i < plan->nplaces; i++) {
        GenPlace *a = &plan->places[i];
        if (!a->stored || !a->apart) continue;
        if (!g->scopes) g->scopes = new_node(g, NULL);
        a->scope = new_node(g, g->scopes);
        a->inside = list_value(g, &a->scope, 1);
        jr_gen_intrinsic(g, "llvm.experimental.noalias.scope.decl", 0, NULL, 1, &a->inside);
    }
    for (uint32_t i = 0; i < plan->nplaces; i++)
        plan->places[i].outside = others_of(g, plan, &plan->places[i]);
}

void jr_gen_set_scope(GenFunc *f, const IrStmt *s, LLVMValueRef access) {
    const GenProof *proof = jr_gen_proof(f, s);
    const GenPlace *place = proof ? proof->place : NULL;
    if (!place) return;
    if (place->inside) LLVMSetMetadata(access, f->g->md_scope, place->inside);
    if (place->outside) LLVMSetMetadata(access, f->g->md_noalias, place->outside);
}

bool jr_gen_stays(const GenProof *proof, const GenFunc *f) {
    const GenPlace *place = proof->place;
    if (!place || !place->index) return false;
    for (unsigned i = 0; i < ir_reg_type(f->ir, place->array).ndim; i++)
        if (place->index[i].factor || place->index[i].by_sign) return false;
    return true;
}

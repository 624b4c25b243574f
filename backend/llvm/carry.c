/* Whether an iteration may load what the one before has stored, as in x[i] = y[i] - x[i - 1]: LLVM has a pass that then keeps
 * the element in a register, and looks hard at every innermost loop for it (target.c). Most loops cannot
 * gain from it, which is seen from the places that their accesses touch (apart.c). Where it is not, the answer is yes. */
#include "backend/llvm/gen.h"

typedef struct Body {
    bool loads, stores;
    bool unknown; /* something touches what has no place */
    bool loops;
} Body;

static bool has_loop(const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        if (s->op == OP_FOR || s->op == OP_LOOP) return true;
        if (s->op == OP_IF && (has_loop(&s->u.blocks.then) || has_loop(&s->u.blocks.els)))
            return true;
    }
    return false;
}

/* It may be inlined. */
static void look_at_call(const GenFunc *f, const IrStmt *s, Body *body) {
    if (!s->u.callee->host && has_loop(&s->u.callee->body)) body->loops = true;
    for (uint32_t i = 0; i < s->nargs; i++)
        if (ir_reg_type(f->ir, s->args[i]).ndim)
            body->loads = body->stores = body->unknown = true;
}

static void look(const GenFunc *f, const IrBlock *block, Body *body) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        IrForm form = ir_op_form((IrOp)s->op);
        if (form == FORM_LOAD || form == FORM_STORE) {
            const GenProof *proof = jr_gen_proof(f, s);
            *(form == FORM_LOAD ? &body->loads : &body->stores) = true;
            body->unknown |= !proof || !proof->place;
        } else if (form == FORM_CALL) {
            look_at_call(f, s, body);
        } else if (s->op == OP_IF) {
            look(f, &s->u.blocks.then, body);
            look(f, &s->u.blocks.els, body);
        } else if (form == FORM_FOR || form == FORM_LOOP) {
            body->loops = true;
        }
    }
}

/* Whether an element that is stored may be loaded through another index. Through the same index it is in the same
 * iteration, or in all. */
static bool may_pass(const GenPlan *plan) {
    for (uint32_t i = 0; i < plan->nplaces; i++)
        for (uint32_t k = 0; k < plan->nplaces && plan->places[i].stored; k++) {
            const GenPlace *load = &plan->places[k];
            if (i != k && load->last_load && !(plan->places[i].apart >> k & 1)) return true;
        }
    return false;
}

bool jr_gen_carries(const GenFunc *f, const IrStmt *loop, bool unrolled) {
    Body body = {0};
    look(f, &loop->u.blocks.then, &body);
    if (!body.loads || !body.stores || body.loops) return false;
    if (unrolled || !f->plan) return true;
    return body.unknown || f->plan->too_many_places || may_pass(f->plan);
}

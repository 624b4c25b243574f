/* Which functions there are to generate: those called from outside and what they reach; and how
 * large they are, on which depends what LLVM can be asked to do with them. */
#include "backend/llvm/gen.h"

bool jr_gen_wants_entry(const JrEngineOptions *options, const IrFunc *func) {
    return options->entries ? options->entries[func->index] : func->exported;
}

bool jr_gen_wants_pointer(const JrEngineOptions *options, const IrFunc *func) {
    return options->signatures && options->signatures[func->index].symbol;
}

static void reach(Gen *g, GenSig *sig) {
    if (sig->reached) return;
    sig->reached = true;
    sig->next_reached = g->reached;
    g->reached = sig;
}

static void note_call(Gen *g, const IrStmt *s, IrForm form) {
    GenSig *callee = jr_table_get(&g->sigs, s->u.callee->name);
    *(form == FORM_CALL ? &callee->called : &callee->is_region) = true;
    reach(g, callee);
}

/* A loop counts for many statements: what becomes of a variable in one after the other, the passes on
 * loops work out anew for each, and 300 loops in a row take them 9 s. Passes over an array are mostly
 * whole-array statements, which change no variables: they count where it is about functions going into
 * others, but do not make a function large, as it would lose its vectors. */
enum { LOOP_STMTS = 20 };

static void note_block(Gen *g, GenSig *sig, const IrBlock *block) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        IrForm form = ir_op_form((IrOp)s->op);
        bool is_loop = s->op == OP_FOR || s->op == OP_LOOP;
        if ((form == FORM_CALL || form == FORM_PARALLEL) && !s->u.callee->host)
            note_call(g, s, form);
        bool is_pass = s->op == OP_FOR && s->pass;
        sig->stmts += is_loop && !is_pass ? LOOP_STMTS : 1;
        if (is_pass) g->stmts += LOOP_STMTS;
        sig->is_large |= is_loop;
        if (!ir_stmt_is_nested(s)) continue;
        note_block(g, sig, &s->u.blocks.then);
        note_block(g, sig, &s->u.blocks.els);
    }
}

static void note(Gen *g, GenSig *sig) {
    enum { SMALL_STMTS = 40 };
    note_block(g, sig, &sig->ir->body);
    sig->is_large |= sig->stmts > SMALL_STMTS;
    g->stmts += sig->stmts;
    if (sig->stmts > g->most_stmts) g->most_stmts = sig->stmts;
}

void jr_gen_reach(Gen *g, bool entries) {
    jr_table_init(&g->sigs, g->arena);
    for (uint32_t i = 0; i < g->ir->funcs.len; i++) {
        const IrFunc *ir = g->ir->funcs.data[i];
        GenSig *sig = JR_NEW(g->arena, GenSig);
        sig->ir = ir;
        jr_table_put(&g->sigs, ir->name, sig);
        if ((entries && jr_gen_wants_entry(g->options, ir)) ||
            jr_gen_wants_pointer(g->options, ir))
            reach(g, sig);
    }
    while (g->reached) {
        GenSig *sig = g->reached;
        g->reached = sig->next_reached;
        note(g, sig);
    }
}

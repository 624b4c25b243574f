/* The last pass: gives instructions that begin a fusion of fuse.def its opcode. Nothing moves, so
 * it needs to know nothing of jumps: whoever jumps into the middle of a fusion runs the rest. */
#include "backend/interp/compile.h"

/* The field of the second instruction through which it takes the first one's result. */
typedef enum Via { VIA_a, VIA_b, VIA_c, VIA_d, VIA_any, VIA_loop, VIAS } Via;

#define KEY(first, second, via) (((uint64_t)(first)*BC_COUNT + (second)) * VIAS + (via))

static BcOp pick(BcOp first, BcOp second, Via via) {
#define JB_FUSE(FIRST, SECOND, via)               \
    case KEY(BC_##FIRST, BC_##SECOND, VIA_##via): \
        return BC_##FIRST##_##SECOND##_##via;
#define JB_FUSE_TEST JB_FUSE
#define JB_FUSE_LOOP JB_FUSE
#define JB_FUSE_SPECIAL JB_FUSE
#define JB_FUSE_FILL(STORE, FOR, ctype, bound, step) JB_FUSE(STORE, FOR, any)
    switch (KEY(first, second, via)) {
#include "backend/interp/fuse.def"
    default: return BC_COUNT;
    }
#undef JB_FUSE
#undef JB_FUSE_TEST
#undef JB_FUSE_LOOP
#undef JB_FUSE_SPECIAL
#undef JB_FUSE_FILL
}

/* Whether a branch goes back over `count` instructions. */
static bool goes_back(const Instr *branch, uint32_t count) {
    const uint32_t *field = jr_jump_field((Instr *)branch);
    return field && *field == 0 - count * (uint32_t)sizeof(Instr);
}

/* `next` comes behind `count` instructions that opcode `first` runs. */
static BcOp fuse_two(BcOp first, uint32_t count, const Instr *next) {
    const Instr *last = next - 1;
    const uint32_t fields[] = {next->a, next->b, next->c, next->d};
    const BcOp second = (BcOp)next->op;
    for (Via via = VIA_a; via < VIA_any; via++) {
        const BcOp op = fields[via] == last->a ? pick(first, second, via) : BC_COUNT;
        if (op != BC_COUNT) return op;
    }
    const BcOp loop = goes_back(next, count) ? pick(first, second, VIA_loop) : BC_COUNT;
    return loop != BC_COUNT ? loop : pick(first, second, VIA_any);
}

/* As many as there is a handler for. Each opcode behind `at` is still the plain one. */
static void fuse_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    for (uint32_t n = 1; at + n < c->code.len; n++) {
        const BcOp op = fuse_two((BcOp)code->op, n, &code[n]);
        if (op == BC_COUNT) return;
        code->op = op;
    }
}

void jr_fuse(Compiler *c) {
    for (uint32_t at = 0; at < c->code.len; at++) {
        c->places.data[at].op = (uint16_t)c->code.data[at].op;
        fuse_at(c, at);
    }
}

/* The opcode and the number of the instructions a fusion runs. */
BcOp jr_fused_first(BcOp op, uint32_t *length) {
    static const uint16_t FIRST[BC_COUNT] = {
#define JB_FUSE(FIRST, SECOND, via) [BC_##FIRST##_##SECOND##_##via] = BC_##FIRST,
#define JB_FUSE_TEST JB_FUSE
#define JB_FUSE_LOOP JB_FUSE
#define JB_FUSE_SPECIAL JB_FUSE
#define JB_FUSE_FILL(STORE, FOR, ctype, bound, step) JB_FUSE(STORE, FOR, any)
#include "backend/interp/fuse.def"
#undef JB_FUSE
#undef JB_FUSE_TEST
#undef JB_FUSE_LOOP
#undef JB_FUSE_SPECIAL
#undef JB_FUSE_FILL
    };
    *length = 1;
    for (; op >= BC_FUSED; op = (BcOp)FIRST[op])
        ++*length;
    return op;
}

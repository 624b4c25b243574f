/* Entering from outside, and the frame stack: it starts small on the C stack, so that a call
 * costs next to nothing, and moves to the heap when frames need more. Deep recursion ends in a
 * RecursionError at a fixed size of all frames. */
#include "backend/interp/bytecode.h"

#include <string.h>

enum {
    SMALL_STACK = 4096,
    FIRST_HEAP = 64 * 1024,
    MAX_STACK = 16 * 1024 * 1024, /* about what frames of C take in 8 to 16 MB */
};

static uint32_t func_at(const JrCode *code, uint32_t at) {
    uint32_t lo = 0, hi = code->nfuncs;
    while (hi - lo > 1) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (code->funcs[mid].code <= at)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static const Func *func_of(const JrCode *code, const Instr *ip) {
    return &code->funcs[func_at(code, (uint32_t)(ip - code->code))];
}

/* ---- Leaving frames ---- */

static void release_owned(const JrCode *code, const Func *func, char *fp) {
    for (uint32_t n = 0; n < func->nowned; n++)
        code->helpers.release(frame_header(fp, code->operands[func->owned + n].slot)->owner);
}

void jr_interp_leave(const JrCode *code, const Instr *ip, char *fp) {
    release_owned(code, func_of(code, ip), fp);
}

/* Results to where the caller wants them. They are retained before the frame lets go of what
 * it owns, since it may own them. */
void jr_interp_return(const JrCode *code, char *fp, const Record *record) {
    const Operand *src = &code->operands[record->first];
    for (uint32_t n = 0; n < record->nargs; n++)
        if (src[n].ndim) code->helpers.retain(frame_header(fp, src[n].slot)->owner);
    const Instr *site = ((Slot *)(void *)fp)[-1].site;
    const Operand *dst = &code->operands[code->records[site->a].first];
    char *caller = fp - site->b;
    release_owned(code, &code->funcs[record->func], fp);
    for (uint32_t n = 0; n < record->nargs; n++) {
        Header *to = frame_header(caller, dst[n].slot);
        JrBuffer *before = dst[n].owned ? to->owner : NULL;
        const size_t slots = src[n].ndim ? 2 + 2 * (size_t)src[n].ndim : 1;
        memcpy(to, fp + src[n].slot, slots * sizeof(Slot));
        code->helpers.release(before);
    }
}

/* Calls that are not there: the code of their callees stands in their place. */
static void trace_inlined(Run *run, const Instr *ip) {
    const JrCode *code = run->code;
    uint32_t where = code->places[ip - code->code].where;
    while (code->callers[where]) {
        where = code->callers[where] - 1;
        code->helpers.trace(run->rt, &code->wheres[where]);
    }
}

static bool is_stub(const JrCode *code, const Instr *ip) {
    return (uint32_t)(ip - code->code) >= code->stubs;
}

int32_t jr_interp_unwind(Run *run, const Instr *ip, char *fp) {
    const JrCode *code = run->code;
    while (!is_stub(code, ip)) {
        trace_inlined(run, ip);
        release_owned(code, func_of(code, ip), fp);
        ip = ((Slot *)(void *)fp)[-1].site;
        if (is_stub(code, ip)) break;
        fp -= ip->b;
        code->helpers.trace(run->rt, place_where(code, ip));
    }
    return run->status;
}

/* ---- Growing ---- */

/* The function called at `site` raised an error, or not, on entry. */
static void entered(Run *run, const Instr *site, int32_t status) {
    run->status = status;
    if (status && !is_stub(run->code, site))
        run->code->helpers.trace(run->rt, place_where(run->code, site));
}

static const JrWhere *callee_where(const JrCode *code, const Instr *site) {
    const Instr *entry = (const Instr *)(const void *)((const char *)site + (int32_t)site->c);
    return &code->wheres[func_of(code, entry)->where];
}

static void too_deep(Run *run, const Instr *site) {
    const Helpers *helpers = &run->code->helpers;
    const JrWhere *where = callee_where(run->code, site);
    int32_t status = helpers->deep(run->rt, where);
    if (!status) /* it was asked to look whether to stop, and now knows */
        status = helpers->deep(run->rt, where);
    entered(run, site, status);
}

static void no_memory(Run *run, const Instr *site) {
    static const char message[] = "not enough memory for the interpreter's stack";
    entered(run, site,
            run->code->helpers.raise(run->rt, callee_where(run->code, site), EXC_MEMORY,
                                     message, (int64_t)sizeof message - 1));
}

char *jr_interp_grow(Run *run, char *fp, size_t top, size_t need, const Instr *site) {
    const size_t size = (size_t)(run->limit - run->stack);
    size_t bigger = size < FIRST_HEAP / 2 ? FIRST_HEAP : size * 2;
    if (top + need > MAX_STACK) {
        too_deep(run, site);
        return fp;
    }
    while (bigger < top + need)
        bigger *= 2;
    if (bigger > MAX_STACK) bigger = MAX_STACK;
    const size_t at = (size_t)(fp - run->stack);
    char *heap = jr_alloc_resize(run->code->alloc, run->heap, bigger);
    if (!heap) {
        no_memory(run, site);
        return fp;
    }
    if (!run->heap) memcpy(heap, run->stack, size); /* arguments lie above top */
    run->stack = run->heap = heap;
    run->limit = heap + bigger;
    return heap + at;
}

char *jr_interp_make_room(Run *run, char *fp, const Instr *site) {
    if (jr_rt_stack_limit(run->rt) == JR_STACK_ALARM)
        entered(run, site, run->code->helpers.deep(run->rt, callee_where(run->code, site)));
    if (run->status) return fp;
    const size_t top = (size_t)(fp + site->b - run->stack);
    if ((size_t)(run->limit - run->stack) - top >= site->d) return fp;
    return jr_interp_grow(run, fp, top, site->d, site);
}

/* ---- From and to the caller's storage ---- */

static void load_scalar(Slot *slot, const void *from, uint8_t scalar) {
#define LOAD_B(ctype, bytes) slot->u = *(const ctype *)from != 0;
#define LOAD_I(ctype, bytes) slot->i = *(const ctype *)from;
#define LOAD_U(ctype, bytes) slot->u = *(const ctype *)from;
#define LOAD_F(ctype, bytes) memcpy(slot, from, bytes);
    switch (scalar) {
#define JR_TYPE(ID, name, ctype, bytes, cls) \
    case TY_##ID:                            \
        LOAD_##cls(ctype, bytes) break;
#include "ir/types.def"
#undef JR_TYPE
    default: break;
    }
}

/* Little and big ends alike: through the type. */
static void store_scalar(void *to, const Slot *slot, uint8_t scalar) {
#define STORE_B(ctype, bytes) *(ctype *)to = (ctype)slot->u;
#define STORE_I(ctype, bytes) *(ctype *)to = (ctype)slot->i;
#define STORE_U(ctype, bytes) *(ctype *)to = (ctype)slot->u;
#define STORE_F(ctype, bytes) memcpy(to, slot, bytes);
    switch (scalar) {
#define JR_TYPE(ID, name, ctype, bytes, cls) \
    case TY_##ID:                            \
        STORE_##cls(ctype, bytes) break;
#include "ir/types.def"
#undef JR_TYPE
    default: break;
    }
}

static void load_arguments(const JrCode *code, const Func *func, char *frame,
                           void *const *args) {
    const Operand *param = &code->operands[func->params];
    for (uint32_t n = 0; n < func->nparams; n++, param++) {
        if (param->ndim)
            memcpy(frame + param->slot, args[n], JR_ARRAY_BYTES(param->ndim));
        else
            load_scalar(frame_slot(frame, param->slot), args[n], (uint8_t)param->bits);
    }
}

static void store_results(const JrCode *code, const Func *func, char *stack,
                          void *const *results) {
    const Operand *ret = &code->operands[func->rets];
    for (uint32_t n = 0; n < func->nrets; n++, ret++) {
        if (ret->ndim)
            memcpy(results[n], stack + ret->slot, JR_ARRAY_BYTES(ret->ndim));
        else
            store_scalar(results[n], frame_slot(stack, ret->slot), (uint8_t)ret->bits);
    }
}

/* The frame at the bottom is the stub's: it holds the results, and arguments go above it. */
int32_t jr_interp_enter(const JrCall *call, JrRt *rt, void *const *args,
                        void *const *results) {
    const JrCode *code = call->data;
    const Func *func = call->function;
    Slot small[SMALL_STACK / sizeof(Slot)];
    if ((char *)__builtin_frame_address(0) < jr_rt_stack_limit(rt)) {
        int32_t status = code->helpers.deep(rt, &code->wheres[func->where]);
        if (status) return status;
    }
    Run run = {.code = code, .rt = rt, .stack = (char *)small};
    run.limit = run.stack + sizeof small;
    const Instr *stub = &code->code[func->stub];
    const size_t need = (size_t)func->frame_bytes + func->window_bytes;
    if ((size_t)(run.limit - run.stack) < func->stub_bytes + need)
        jr_interp_grow(&run, run.stack, func->stub_bytes, need, stub);
    if (run.status) return run.status;
    load_arguments(code, func, run.stack + func->stub_bytes, args);
    int32_t status = jr_interp_run(&run, stub);
    if (!status) store_results(code, func, run.stack, results);
    jr_alloc_free(code->alloc, run.heap);
    return status;
}

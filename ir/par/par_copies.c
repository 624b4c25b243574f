/* Arrays with elements that are accumulated at any index, h[k] += e: each chunk has a copy, which
 * it starts neutral, and the copies are joined in their order, which is a region again, over the
 * array's first axis. */
#include "ir/par/par_outline.h"

enum {
    BYTES_BUDGET = 32 << 20, /* of all copies: what a cache may hold */
    SMALL_COST = 32,         /* statements for each element of a copy: it then hardly counts */
    GREAT_COST = 4,          /* so few that starting and joining it is as good as */
    FEW_COPIES = 8,          /* more of the costly ones do not gain */
    JOIN_WORK = 3,           /* statements that joining an element of a copy is */
};

typedef ParOutline Outline;

/* ---- How many ---- */

static IrReg quotient(Outline *o, int64_t work, int64_t cost, IrReg elements) {
    IrReg worth = par_parent_binary(o, OP_MIN, o->trip, par_int(o->p->func, INT32_MAX));
    worth = par_parent_binary(o, OP_MUL, worth, par_int(o->p->func, work < 1 ? 1 : work));
    worth = par_parent_binary(o, OP_FLOORDIV, worth, par_int(o->p->func, cost));
    return par_parent_binary(o, OP_FLOORDIV, worth, elements);
}

/* Large arrays have fewer copies, so fewer chunks: as many as hardly cost anything, or a few
 * that still gain, since each is filled and joined again. That depends on sizes and the trip
 * count alone, so the result does not depend on threads. Below two the loop stays serial. */
void ir_par_limit_copies(Outline *o) {
    ParLoop *p = o->p;
    IrFunc *func = p->func;
    IrReg elements = par_int(func, 1), bytes = elements;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array, size = par_int(func, 1);
        IrType type = ir_reg_type(func, array);
        for (uint8_t axis = 0; axis < type.ndim; axis++)
            size = par_parent_binary(o, OP_MUL, size, ir_build_dim(&o->parent, array, axis));
        elements = par_parent_binary(o, OP_ADD, elements, size);
        IrReg width = par_int(func, ir_scalar_size((IrScalar)type.scalar));
        size = par_parent_binary(o, OP_MUL, size, width);
        bytes = par_parent_binary(o, OP_ADD, bytes, size);
    }
    int64_t work = ir_par_work(&p->loop->u.blocks.then);
    IrReg few = par_parent_binary(o, OP_MIN, quotient(o, work, GREAT_COST, elements),
                                  par_int(func, FEW_COPIES));
    IrReg worth = par_parent_binary(o, OP_MAX, quotient(o, work, SMALL_COST, elements), few);
    IrReg room = par_parent_binary(o, OP_FLOORDIV, par_int(func, BYTES_BUDGET), bytes);
    o->copies_most = par_parent_binary(o, OP_MIN, worth, room);
}

/* ---- Loops over an array ---- */

typedef struct Nest {
    IrBlock *outer;
    IrReg index[IR_MAX_DIMS];
} Nest;

static IrReg open_loop(IrBuilder *b, IrReg lo, IrReg hi) {
    IrReg counter;
    IrStmt *loop = ir_build_for(b, lo, hi, par_int(b->func, 1), &counter);
    b->block = &loop->u.blocks.then;
    return counter;
}

/* for i in lo..hi, or all of the first axis: for j in the others ...; the builder then stands
 * in the innermost. */
static Nest open_nest(IrBuilder *b, IrReg array, IrReg lo, IrReg hi) {
    Nest nest = {.outer = b->block};
    IrReg zero = par_int(b->func, 0);
    for (uint8_t i = 0; i < ir_reg_type(b->func, array).ndim; i++)
        nest.index[i] = i || lo == IR_NO_REG ? open_loop(b, zero, ir_build_dim(b, array, i))
                                             : open_loop(b, lo, hi);
    return nest;
}

/* ---- Making them ---- */

void ir_par_make_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array, dims[IR_MAX_DIMS];
        IrType type = ir_reg_type(p->func, array);
        dims[0] = o->chunks;
        for (uint8_t axis = 0; axis < type.ndim; axis++)
            dims[axis + 1] = ir_build_dim(&o->parent, array, axis);
        IrReg copies =
            ir_temp(p->func, ir_array((IrScalar)type.scalar, type.ndim + 1u, LAYOUT_C));
        ir_reg(p->func, copies)->owned = true;
        ir_build(&o->parent, OP_ALLOC, 1, &copies, type.ndim + 1u, dims)->u.imm = 1;
        o->copies[i] =
            (ParPart){.array = copies, .param = ir_par_capture(o, copies), .value = IR_NO_REG};
    }
}

/* In the body, the array's name stands for the chunk's copy. */
void ir_par_use_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array;
        IrType type = ir_reg_type(p->func, array);
        IrReg view = ir_temp(o->func, ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_C));
        IrReg args[] = {o->copies[i].param, o->chunk};
        IrStmt *stmt = ir_build(&o->body, OP_VIEW, 1, &view, 2, args);
        stmt->u.mem.axes[0] = 'i';
        o->map[array] = view;
        IrConst identity =
            ir_par_identity(p->indexed.data[i].update.op, (IrScalar)type.scalar);
        if (identity.u == 0) continue; /* it is new, and so it is zero */
        Nest nest = open_nest(&o->body, view, IR_NO_REG, IR_NO_REG);
        par_clear_checks(ir_build_store(&o->body, view, type.ndim, nest.index,
                                        ir_const(o->func, (IrScalar)type.scalar, identity)));
        o->body.block = nest.outer;
    }
}

/* ---- Joining them ---- */

/* for c in chunks: for i in lo..hi ...: array[i, ...] op= copies[c, i, ...] */
static void build_join(IrBuilder *b, ParUpdate update, IrReg array, IrReg copies, IrReg chunks,
                       IrReg lo, IrReg hi) {
    IrFunc *func = b->func;
    IrBlock *outer = b->block;
    IrType type = ir_reg_type(func, array), scalar = ir_scalar((IrScalar)type.scalar);
    IrReg c = open_loop(b, par_int(func, 0), chunks);
    IrReg copy = ir_temp(func, ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_C));
    IrReg args[] = {copies, c};
    IrStmt *view = ir_build(b, OP_VIEW, 1, &copy, 2, args);
    view->u.mem.axes[0] = 'i';
    Nest nest = open_nest(b, array, lo, hi);
    IrReg part = ir_temp(func, scalar), old = ir_temp(func, scalar);
    par_clear_checks(ir_build_load(b, part, copy, type.ndim, nest.index));
    par_clear_checks(ir_build_load(b, old, array, type.ndim, nest.index));
    IrReg joined = ir_par_join(b, update, old, part);
    par_clear_checks(ir_build_store(b, array, type.ndim, nest.index, joined));
    b->block = outer;
}

/* body(chunk, lo, hi, chunks, array, copies): the join of these elements of the first axis. */
static IrFunc *join_func(Outline *o, uint32_t i) {
    ParLoop *p = o->p;
    IrModule *module = p->func->module;
    IrReg array = p->indexed.data[i].array;
    const char *name =
        jr_arena_printf(p->arena, "%s.join.%u", p->func->name, module->funcs.len);
    IrFunc *func = ir_func_new(module, name, p->func->display);
    func->span = p->loop->span;
    func->exported = true; /* the runtime calls it by its entry */
    IrBuilder b = {.func = func, .block = &func->body, .span = p->loop->span};
    ir_param(func, par_int_type, "chunk");
    IrReg lo = ir_param(func, par_int_type, "lo"), hi = ir_param(func, par_int_type, "hi");
    IrReg chunks = ir_param(func, par_int_type, "chunks");
    IrReg into = ir_param(func, ir_reg_type(p->func, array), ir_reg(p->func, array)->name);
    IrReg copies = ir_param(func, ir_reg_type(p->func, o->copies[i].array), NULL);
    build_join(&b, p->indexed.data[i].update, into, copies, chunks, lo, hi);
    ir_build_return(&b, 0, NULL);
    return func;
}

static void join_on_threads(Outline *o, uint32_t i) {
    ParLoop *p = o->p;
    IrReg array = p->indexed.data[i].array, chunks = ir_temp(p->func, par_int_type);
    IrReg trip = ir_build_dim(&o->parent, array, 0);
    ir_build_rt(&o->parent, RT_PARALLEL_CHUNKS, 1, &chunks, 1, &trip);
    IrReg work = par_parent_binary(o, OP_MUL, o->chunks, par_int(p->func, JOIN_WORK));
    for (uint8_t axis = 1; axis < ir_reg_type(p->func, array).ndim; axis++)
        work = par_parent_binary(o, OP_MUL, work, ir_build_dim(&o->parent, array, axis));
    IrReg args[] = {trip, chunks, work, o->chunks, array, o->copies[i].array};
    ir_build(&o->parent, OP_PARALLEL, 0, NULL, 6, args)->u.callee = join_func(o, i);
}

/* Elements of an array with strides of the caller's may share memory: one thread then. */
void ir_par_join_copies(Outline *o) {
    for (uint32_t i = 0; i < o->p->indexed.len; i++) {
        const ParIndexed *indexed = &o->p->indexed.data[i];
        if (ir_reg_type(o->p->func, indexed->array).layout == LAYOUT_C)
            join_on_threads(o, i);
        else
            build_join(&o->parent, indexed->update, indexed->array, o->copies[i].array,
                       o->chunks, IR_NO_REG, IR_NO_REG);
    }
}

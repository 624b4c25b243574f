/* Arrays with elements that are accumulated at any index, h[k] += e. The first chunk does so in the array
 * itself; each other one has a copy, which starts neutral, and the copies are joined to the array in
 * their order. Filling and joining are regions again, over the array's first axis:
 *
 *     %copies = alloc %chunks - 1, %dims...
 *     parallel fill(%dim, ...; %copies)
 *     %status, %done = parallel body(%trip, %chunks, work; %h, %copies, ...)
 *     parallel join(%dim, ...; %done - 1, %h, %copies)
 *     rt parallel_end %status
 *
 * If an iteration fails, what those before it accumulated is joined, and no more: the array is then as
 * the loop in order leaves it. (The memory of an array with strides of the caller's may not be
 * written by two threads, so it has a copy for the first chunk too, and is joined by one.) */
#include "ir/par/par_outline.h"

enum {
    FILL_WORK = 1, /* statements that filling an element of a copy is, ... */
    JOIN_WORK = 3, /* ... and joining it */
};

typedef ParOutline Outline;

/* ---- How many ---- */

static bool is_float(const ParLoop *p, IrReg reg) {
    return ir_scalar_is_float((IrScalar)ir_reg_type(p->func, reg).scalar);
}

/* Whether the results are the same for every cut into chunks: integers, and the selection of a least
 * or greatest. Then how many there are may depend on the threads that there are. */
static bool is_exact(const ParLoop *p) {
    for (uint32_t i = 0; i < p->vars.len; i++) {
        const ParVar *var = &p->vars.data[i];
        if (var->role == PAR_REDUCE && !var->by_compare && is_float(p, var->reg)) return false;
    }
    for (uint32_t i = 0; i < p->indexed.len; i++)
        if (is_float(p, p->indexed.data[i].array)) return false;
    return true;
}

/* Of large arrays few copies are worth it, so there are few chunks; with fewer than two the loop stays
 * serial. */
void ir_par_limit_copies(Outline *o) {
    ParLoop *p = o->p;
    IrFunc *func = p->func;
    IrReg elements = par_int(func, 0), bytes = elements;
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
    IrReg work = par_int(func, ir_par_work(&p->loop->u.blocks.then));
    IrReg args[] = {o->trip, work, elements, bytes, par_int(func, is_exact(p))};
    o->copies_most = ir_temp(func, par_int_type);
    ir_build_rt(&o->parent, RT_PARALLEL_COPIES, 1, &o->copies_most, 5, args);
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

/* ---- Regions over the copies ---- */

/* A function over elements [lo, hi) of the array's first axis, which the runtime calls. */
static IrFunc *region_func(Outline *o, const char *what, IrBuilder *b, IrReg *lo, IrReg *hi) {
    ParLoop *p = o->p;
    IrModule *module = p->func->module;
    const char *name =
        jr_arena_printf(p->arena, "%s.%s.%u", p->func->name, what, module->funcs.len);
    IrFunc *func = ir_func_new(module, name, p->func->display);
    func->span = p->loop->span;
    func->exported = true; /* the runtime calls it by its entry */
    *b = (IrBuilder){.func = func, .block = &func->body, .span = p->loop->span};
    ir_param(func, par_int_type, "chunk");
    *lo = ir_param(func, par_int_type, "lo");
    *hi = ir_param(func, par_int_type, "hi");
    return func;
}

/* Over the first axis of the array; `work` for each element of a copy. */
static void build_region(Outline *o, IrReg array, int64_t work, IrFunc *callee,
                         uint32_t ncaptures, const IrReg *captures) {
    ParLoop *p = o->p;
    IrReg args[6];
    args[0] = ir_build_dim(&o->parent, array, 0);
    args[1] = par_int(p->func, 0);
    args[2] = par_parent_binary(o, OP_MUL, o->chunks, par_int(p->func, work));
    for (uint8_t axis = 1; axis < ir_reg_type(p->func, array).ndim; axis++)
        args[2] = par_parent_binary(o, OP_MUL, args[2], ir_build_dim(&o->parent, array, axis));
    for (uint32_t i = 0; i < ncaptures; i++)
        args[3 + i] = captures[i];
    ir_build(&o->parent, OP_PARALLEL, 0, NULL, 3 + ncaptures, args)->u.callee = callee;
}

static IrReg copy_of(IrBuilder *b, IrReg copies, IrReg which, IrType type) {
    IrReg copy = ir_temp(b->func, ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_C));
    IrReg args[] = {copies, which};
    IrStmt *view = ir_build(b, OP_VIEW, 1, &copy, 2, args);
    view->u.mem.axes[0] = 'i';
    view->u.mem.check = view->u.mem.wrap = 0;
    return copy;
}

/* ---- Making them ---- */

/* Whether the first chunk has the array itself. */
static bool is_shared(const ParLoop *p, IrReg array) {
    return ir_reg_type(p->func, array).layout == LAYOUT_C;
}

/* body(chunk, lo, hi, copies): for c in copies: for i in lo..hi ...: copies[c, i, ...] = neutral */
static IrFunc *fill_func(Outline *o, uint32_t i) {
    const ParIndexed *indexed = &o->p->indexed.data[i];
    IrType type = ir_reg_type(o->p->func, indexed->array);
    IrBuilder b;
    IrReg lo, hi;
    IrFunc *func = region_func(o, "fill", &b, &lo, &hi);
    IrReg copies = ir_param(func, ir_reg_type(o->p->func, o->copies[i].array), NULL);
    IrReg c = open_loop(&b, par_int(func, 0), ir_build_dim(&b, copies, 0));
    IrReg copy = copy_of(&b, copies, c, type);
    Nest nest = open_nest(&b, copy, lo, hi);
    IrScalar scalar = (IrScalar)type.scalar;
    IrReg neutral = ir_const(func, scalar, ir_par_identity(indexed->update.op, scalar));
    par_clear_checks(ir_build_store(&b, copy, type.ndim, nest.index, neutral));
    b.block = &func->body;
    ir_build_return(&b, 0, NULL);
    return func;
}

void ir_par_make_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array, dims[IR_MAX_DIMS + 1];
        IrType type = ir_reg_type(p->func, array);
        dims[0] = o->chunks;
        if (is_shared(p, array))
            dims[0] = par_parent_binary(o, OP_SUB, o->chunks, par_int(p->func, 1));
        for (uint8_t axis = 0; axis < type.ndim; axis++)
            dims[axis + 1] = ir_build_dim(&o->parent, array, axis);
        IrReg copies =
            ir_temp(p->func, ir_array((IrScalar)type.scalar, type.ndim + 1u, LAYOUT_C));
        ir_reg(p->func, copies)->owned = true;
        ir_build(&o->parent, OP_ALLOC, 1, &copies, type.ndim + 1u, dims)->u.imm = 0;
        o->copies[i] =
            (ParPart){.array = copies, .param = ir_par_capture(o, copies), .value = IR_NO_REG};
        build_region(o, array, FILL_WORK, fill_func(o, i), 1, &copies);
    }
}

/* The array for the first chunk, and the copy before its own for each other. */
static IrReg array_or_copy(Outline *o, IrReg array, IrReg copies) {
    IrBuilder *b = &o->body;
    IrType type = ir_reg_type(o->func, array);
    IrReg used = ir_var(o->func, type, ir_reg(o->func, array)->name);
    ir_reg(o->func, used)->owned = false;
    IrReg first = ir_build_compare(b, OP_EQ, o->chunk, par_int(o->func, 0));
    IrStmt *branch = ir_build_if(b, first);
    IrBlock *outer = b->block;
    b->block = &branch->u.blocks.then;
    ir_build_copy(b, used, array);
    b->block = &branch->u.blocks.els;
    IrReg which = ir_build_binary(b, OP_SUB, par_int_type, o->chunk, par_int(o->func, 1));
    ir_build_copy(b, used, copy_of(b, copies, which, type));
    b->block = outer;
    return used;
}

/* In the body, the array's name stands for what the chunk accumulates in. */
void ir_par_use_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array, copies = o->copies[i].param;
        o->map[array] = is_shared(p, array)
                            ? array_or_copy(o, o->map[array], copies)
                            : copy_of(&o->body, copies, o->chunk, ir_reg_type(p->func, array));
    }
}

/* ---- Joining them ---- */

/* for c in copies: for i in lo..hi ...: array[i, ...] op= copies[c, i, ...] */
static void build_join(IrBuilder *b, ParUpdate update, IrReg array, IrReg copies, IrReg count,
                       IrReg lo, IrReg hi) {
    IrFunc *func = b->func;
    IrBlock *outer = b->block;
    IrType type = ir_reg_type(func, array), scalar = ir_scalar((IrScalar)type.scalar);
    IrReg c = open_loop(b, par_int(func, 0), count);
    IrReg copy = copy_of(b, copies, c, type);
    Nest nest = open_nest(b, array, lo, hi);
    IrReg part = ir_temp(func, scalar), old = ir_temp(func, scalar);
    par_clear_checks(ir_build_load(b, part, copy, type.ndim, nest.index));
    par_clear_checks(ir_build_load(b, old, array, type.ndim, nest.index));
    IrReg joined = ir_par_join(b, update, old, part);
    par_clear_checks(ir_build_store(b, array, type.ndim, nest.index, joined));
    b->block = outer;
}

/* body(chunk, lo, hi, count, array, copies): the join of these elements of the first axis. */
static IrFunc *join_func(Outline *o, uint32_t i) {
    ParLoop *p = o->p;
    IrReg array = p->indexed.data[i].array, lo, hi;
    IrBuilder b;
    IrFunc *func = region_func(o, "join", &b, &lo, &hi);
    IrReg count = ir_param(func, par_int_type, "count");
    IrReg into = ir_param(func, ir_reg_type(p->func, array), ir_reg(p->func, array)->name);
    IrReg copies = ir_param(func, ir_reg_type(p->func, o->copies[i].array), NULL);
    build_join(&b, p->indexed.data[i].update, into, copies, count, lo, hi);
    ir_build_return(&b, 0, NULL);
    return func;
}

void ir_par_join_copies(Outline *o) {
    for (uint32_t i = 0; i < o->p->indexed.len; i++) {
        const ParIndexed *indexed = &o->p->indexed.data[i];
        IrReg array = indexed->array, copies = o->copies[i].array;
        if (is_shared(o->p, array)) {
            IrReg count = par_parent_binary(o, OP_SUB, o->done, par_int(o->p->func, 1));
            IrReg captures[] = {count, array, copies};
            build_region(o, array, JOIN_WORK, join_func(o, i), 3, captures);
        } else {
            build_join(&o->parent, indexed->update, array, copies, o->done, IR_NO_REG,
                       IR_NO_REG);
        }
    }
}

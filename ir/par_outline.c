/* The region that takes a parallel loop's place: see par.c. */
#include "ir/par.h"

#include <string.h>

enum {
    ELEMENTS_BUDGET = 1 << 23, /* of private copies of accumulated arrays, all together */
    COPY_COST = 4,     /* statements that filling and joining an element is as good as */
    INNER_TRIPS = 16,  /* guessed for a loop of unknown length */
    FIRST_CAPTURE = 3, /* PARALLEL's operands before the captures; the body's chunk, lo, hi */
};

typedef struct Part {
    IrReg array; /* in the parent: a part for each chunk */
    IrReg param; /* of the body */
    IrReg value; /* in the body: what is stored there at the end */
} Part;

typedef struct Outline {
    ParLoop *p;
    IrBuilder parent, body;
    IrFunc *func; /* the body's */
    IrReg *map;   /* registers of the parent to the body's; IR_NO_REG: not yet */
    uint32_t mapped;
    JR_VEC(IrReg) captures;
    IrReg chunk, lo, hi, trip, chunks;
    IrReg copies_most; /* how many copies of the accumulated arrays are worth it */
    Part *parts;       /* by variable: of those that are accumulated */
    Part *flags;       /* by variable: whether a selection was made */
    Part *copies;      /* by indexed array: a copy of it for each chunk */
} Outline;

static const IrType bool_type = {.scalar = TY_BOOL};
static const IrType int_type = {.scalar = TY_INT64};

static IrReg const_int(IrFunc *func, int64_t value) {
    return ir_const_int(func, TY_INT64, value);
}

/* ---- How much work an iteration is ---- */

static int64_t block_work(const IrBlock *block) {
    int64_t work = 0;
    for (const IrStmt *stmt = block->first; stmt && work < INT32_MAX; stmt = stmt->next) {
        int64_t then = 0, els = 0;
        if (stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR)
            then = block_work(&stmt->u.blocks.then);
        if (stmt->op == OP_IF) els = block_work(&stmt->u.blocks.els);
        work += 1 + els + (stmt->op == OP_IF ? then : INNER_TRIPS * then);
        if (stmt->op == OP_CALL) work += 4 * INNER_TRIPS;
        if (stmt->op == OP_MATH || stmt->op == OP_RT) work += INNER_TRIPS;
    }
    return work;
}

/* ---- Copying the body ---- */

/* Narrow integers travel as wide ones; the body's own copy is narrow again (narrow_captures).
 */
static IrScalar wide(IrType type) {
    if (type.ndim || !ir_scalar_is_int((IrScalar)type.scalar)) return (IrScalar)type.scalar;
    return ir_scalar_is_signed((IrScalar)type.scalar) ? TY_INT64 : TY_UINT64;
}

static IrReg capture(Outline *o, IrReg reg) {
    IrType type = ir_reg_type(o->p->func, reg);
    IrReg value = type.ndim ? reg : ir_build_cast(&o->parent, wide(type), reg);
    type.scalar = (uint8_t)wide(type);
    JR_PUSH(o->p->arena, &o->captures, value);
    return ir_param(o->func, type, ir_reg(o->p->func, reg)->name);
}

static void narrow_captures(Outline *o, uint32_t registers) {
    for (uint32_t i = 0; i < registers; i++) {
        IrType type = ir_reg_type(o->p->func, i);
        if (o->map[i] == IR_NO_REG || type.ndim || wide(type) == (IrScalar)type.scalar ||
            ir_reg(o->func, o->map[i])->kind != REG_PARAM)
            continue;
        o->map[i] = ir_build_cast(&o->body, (IrScalar)type.scalar, o->map[i]);
    }
}

static bool is_inside(const ParLoop *p, IrReg reg) {
    return par_set_has(p->inside, reg) || par_set_has(p->written, reg);
}

static IrReg copy_const(Outline *o, const IrRegInfo *info) {
    if (info->type.scalar == TY_STR)
        return ir_const_str(o->func, info->value.str.bytes, info->value.str.len);
    return ir_const(o->func, (IrScalar)info->type.scalar, info->value);
}

/* A register of the loop's body that lives in the new function. */
static IrReg copy_inside(Outline *o, const IrRegInfo *info) {
    IrReg reg = info->kind == REG_VAR ? ir_var(o->func, info->type, info->name)
                                      : ir_temp(o->func, info->type);
    IrRegInfo *made = ir_reg(o->func, reg);
    made->owned = info->owned;
    made->name = info->name;
    return reg;
}

static IrReg mapped(Outline *o, IrReg reg) {
    const IrRegInfo *info = ir_reg(o->p->func, reg);
    if (o->map[reg] == IR_NO_REG)
        o->map[reg] = info->kind == REG_CONST ? copy_const(o, info) : copy_inside(o, info);
    return o->map[reg];
}

/* Parameters have to come before all else, so captures are found first. */
static void find_captures(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->stmts.len; i++)
        for (uint32_t a = 0; a < p->stmts.data[i]->nargs; a++) {
            IrReg reg = p->stmts.data[i]->args[a];
            if (o->map[reg] != IR_NO_REG || is_inside(p, reg)) continue;
            if (ir_reg(p->func, reg)->kind != REG_CONST) o->map[reg] = capture(o, reg);
        }
}

static void copy_block(Outline *o, IrBlock *to, const IrBlock *from);

static void copy_stmt(Outline *o, const IrStmt *stmt) {
    IrReg *args = JR_NEW_ARRAY(o->p->arena, IrReg, stmt->nargs + 1);
    IrReg *dsts = JR_NEW_ARRAY(o->p->arena, IrReg, stmt->ndsts + 1);
    for (uint32_t i = 0; i < stmt->nargs; i++)
        args[i] = mapped(o, stmt->args[i]);
    for (uint32_t i = 0; i < stmt->ndsts; i++)
        dsts[i] = mapped(o, stmt->dsts[i]);
    o->body.span = stmt->span;
    IrStmt *made = ir_build(&o->body, (IrOp)stmt->op, stmt->ndsts, dsts, stmt->nargs, args);
    made->u = stmt->u;
    if (stmt->op != OP_IF && stmt->op != OP_LOOP && stmt->op != OP_FOR) return;
    memset(&made->u.blocks, 0, sizeof made->u.blocks);
    copy_block(o, &made->u.blocks.then, &stmt->u.blocks.then);
    if (stmt->op == OP_IF) copy_block(o, &made->u.blocks.els, &stmt->u.blocks.els);
}

static void copy_block(Outline *o, IrBlock *to, const IrBlock *from) {
    IrBlock *outer = o->body.block;
    o->body.block = to;
    for (const IrStmt *stmt = from->first; stmt; stmt = stmt->next)
        copy_stmt(o, stmt);
    o->body.block = outer;
}

/* ---- Parts: one value for each chunk ---- */

static Part part_new(Outline *o, IrType type) {
    Part part;
    IrType array = ir_array((IrScalar)type.scalar, 1, LAYOUT_C);
    part.array = ir_temp(o->p->func, array);
    ir_reg(o->p->func, part.array)->owned = true;
    IrStmt *alloc = ir_build(&o->parent, OP_ALLOC, 1, &part.array, 1, &o->chunks);
    alloc->u.imm = 1;
    part.param = capture(o, part.array);
    part.value = IR_NO_REG;
    return part;
}

static void part_store(Outline *o, const Part *part) {
    IrStmt *store = ir_build_store(&o->body, part->param, 1, &o->chunk, part->value);
    store->u.mem.check = store->u.mem.wrap = 0;
}

static IrReg part_load(Outline *o, const Part *part, IrReg at) {
    IrType type = ir_scalar((IrScalar)ir_reg_type(o->p->func, part->array).scalar);
    IrReg value = ir_temp(o->p->func, type);
    IrStmt *load = ir_build_load(&o->parent, value, part->array, 1, &at);
    load->u.mem.check = load->u.mem.wrap = 0;
    return value;
}

static bool is_leader(const ParVar *var) {
    return var->role == PAR_REDUCE && var->by_compare;
}

static void make_parts(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->vars.len; i++) {
        ParVar *var = &p->vars.data[i];
        if (var->role == PAR_REDUCE || var->role == PAR_FOLLOW)
            o->parts[i] = part_new(o, ir_reg_type(p->func, var->reg));
        if (is_leader(var)) o->flags[i] = part_new(o, bool_type);
    }
}

/* In the body, before its loop: accumulators start neutral. */
static void start_parts(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->vars.len; i++) {
        ParVar *var = &p->vars.data[i];
        if (var->role != PAR_REDUCE && var->role != PAR_FOLLOW) continue;
        IrScalar scalar = (IrScalar)ir_reg_type(p->func, var->reg).scalar;
        o->parts[i].value = mapped(o, var->reg);
        IrReg start = var->role == PAR_REDUCE
                          ? ir_const(o->func, scalar, par_identity(var->op, scalar))
                          : ir_const_int(o->func, scalar, 0);
        ir_build_copy(&o->body, o->parts[i].value, start);
        if (!is_leader(var)) continue;
        o->flags[i].value = ir_var(o->func, bool_type, NULL);
        ir_build_copy(&o->body, o->flags[i].value, ir_const_int(o->func, TY_BOOL, 0));
    }
}

/* A selection's branch also says that there was one: the neutral value may be a real one. */
static void set_flags(Outline *o, IrBlock *block) {
    for (IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR)
            set_flags(o, &stmt->u.blocks.then);
        if (stmt->op == OP_IF) set_flags(o, &stmt->u.blocks.els);
        if (stmt->ndsts != 1) continue;
        for (uint32_t i = 0; i < o->p->vars.len; i++) {
            if (!is_leader(&o->p->vars.data[i]) || stmt->dsts[0] != o->parts[i].value)
                continue;
            IrBlock rest = {0};
            IrBuilder b = {.func = o->func, .block = &rest, .span = stmt->span};
            ir_build_copy(&b, o->flags[i].value, ir_const_int(o->func, TY_BOOL, 1));
            ir_block_insert_before(block, stmt, rest.first);
        }
    }
}

static void store_parts(Outline *o) {
    for (uint32_t i = 0; i < o->p->vars.len; i++) {
        if (o->parts[i].value != IR_NO_REG) part_store(o, &o->parts[i]);
        if (o->flags[i].value != IR_NO_REG) part_store(o, &o->flags[i]);
    }
}

/* ---- In the parent, after the region: parts are joined in the order of the chunks ---- */

static void join_selection(Outline *o, uint32_t i, IrReg c) {
    ParLoop *p = o->p;
    ParVar *var = &p->vars.data[i];
    IrReg value = part_load(o, &o->parts[i], c), made = part_load(o, &o->flags[i], c);
    IrReg better = ir_build_compare(&o->parent, var->compare, value, var->reg);
    IrReg take = ir_build_binary(&o->parent, OP_AND, bool_type, made, better);
    IrStmt *branch = ir_build_if(&o->parent, take);
    IrBlock *outer = o->parent.block;
    o->parent.block = &branch->u.blocks.then;
    ir_build_copy(&o->parent, var->reg, value);
    for (uint32_t j = 0; j < p->vars.len; j++)
        if (p->vars.data[j].role == PAR_FOLLOW && p->vars.data[j].leader == var->reg)
            ir_build_copy(&o->parent, p->vars.data[j].reg, part_load(o, &o->parts[j], c));
    o->parent.block = outer;
}

static void join_parts(Outline *o) {
    ParLoop *p = o->p;
    IrReg c;
    bool any = false;
    for (uint32_t i = 0; i < p->vars.len; i++)
        any |= p->vars.data[i].role == PAR_REDUCE;
    if (!any) return;
    IrStmt *loop =
        ir_build_for(&o->parent, const_int(p->func, 0), o->chunks, const_int(p->func, 1), &c);
    IrBlock *outer = o->parent.block;
    o->parent.block = &loop->u.blocks.then;
    for (uint32_t i = 0; i < p->vars.len; i++) {
        ParVar *var = &p->vars.data[i];
        if (is_leader(var)) join_selection(o, i, c);
        if (var->role != PAR_REDUCE || var->by_compare) continue;
        IrReg value = part_load(o, &o->parts[i], c);
        IrReg joined = ir_build_binary(&o->parent, var->op, ir_reg_type(p->func, var->reg),
                                       var->reg, value);
        ir_build_copy(&o->parent, var->reg, joined);
    }
    o->parent.block = outer;
}

/* ---- Accumulated arrays: a copy for each chunk ---- */

static IrReg parent_binary(Outline *o, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&o->parent, op, int_type, a, b);
}

/* Large arrays have fewer copies, so fewer chunks: no more than gain, since each copy is
 * filled and joined again. The limit depends on sizes and the trip count alone, so the result
 * still does not depend on threads. Below two the loop stays serial. */
static void limit_copies(Outline *o) {
    ParLoop *p = o->p;
    IrReg total = const_int(p->func, 1);
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array, size = const_int(p->func, 1);
        for (uint8_t axis = 0; axis < ir_reg_type(p->func, array).ndim; axis++)
            size = parent_binary(o, OP_MUL, size, ir_build_dim(&o->parent, array, axis));
        total = parent_binary(o, OP_ADD, total, size);
    }
    int64_t work = block_work(&p->loop->u.blocks.then);
    IrReg worth = parent_binary(o, OP_MIN, o->trip, const_int(p->func, INT32_MAX));
    worth = parent_binary(o, OP_MUL, worth, const_int(p->func, work < 1 ? 1 : work));
    worth = parent_binary(o, OP_FLOORDIV, worth, const_int(p->func, COPY_COST));
    worth = parent_binary(o, OP_MIN, worth, const_int(p->func, ELEMENTS_BUDGET));
    o->copies_most = parent_binary(o, OP_FLOORDIV, worth, total);
}

typedef struct Nest {
    IrBlock *outer;
    IrReg index[IR_MAX_DIMS + 1];
} Nest;

/* for c in chunks: for i in dims of `array` ...; the builder then stands in the innermost. */
static Nest open_nest(Outline *o, IrReg array) {
    Nest nest = {.outer = o->parent.block};
    IrFunc *func = o->p->func;
    unsigned ndim = ir_reg_type(func, array).ndim;
    for (unsigned i = 0; i <= ndim; i++) {
        IrReg n = i == 0 ? o->chunks : ir_build_dim(&o->parent, array, (uint8_t)(i - 1));
        IrStmt *loop = ir_build_for(&o->parent, const_int(func, 0), n, const_int(func, 1),
                                    &nest.index[i]);
        o->parent.block = &loop->u.blocks.then;
    }
    return nest;
}

static void clear_checks(IrStmt *stmt) {
    stmt->u.mem.check = stmt->u.mem.wrap = 0;
}

static void make_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array, dims[IR_MAX_DIMS + 1];
        IrType type = ir_reg_type(p->func, array);
        dims[0] = o->chunks;
        for (uint8_t axis = 0; axis < type.ndim; axis++)
            dims[axis + 1] = ir_build_dim(&o->parent, array, axis);
        IrReg copies =
            ir_temp(p->func, ir_array((IrScalar)type.scalar, type.ndim + 1u, LAYOUT_C));
        ir_reg(p->func, copies)->owned = true;
        ir_build(&o->parent, OP_ALLOC, 1, &copies, type.ndim + 1u, dims)->u.imm = 1;
        o->copies[i] =
            (Part){.array = copies, .param = capture(o, copies), .value = IR_NO_REG};
        IrConst identity = par_identity(p->indexed.data[i].op, (IrScalar)type.scalar);
        Nest nest = open_nest(o, array);
        clear_checks(ir_build_store(&o->parent, copies, type.ndim + 1u, nest.index,
                                    ir_const(p->func, (IrScalar)type.scalar, identity)));
        o->parent.block = nest.outer;
    }
}

/* In the body, the array's name stands for the chunk's copy. */
static void use_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array;
        IrReg view = ir_temp(o->func, ir_array((IrScalar)ir_reg_type(p->func, array).scalar,
                                               ir_reg_type(p->func, array).ndim, LAYOUT_C));
        IrReg args[] = {o->copies[i].param, o->chunk};
        IrStmt *stmt = ir_build(&o->body, OP_VIEW, 1, &view, 2, args);
        stmt->u.mem.axes[0] = 'i';
        o->map[array] = view;
    }
}

static void join_copies(Outline *o) {
    ParLoop *p = o->p;
    for (uint32_t i = 0; i < p->indexed.len; i++) {
        IrReg array = p->indexed.data[i].array;
        IrType type = ir_reg_type(p->func, array), scalar = ir_scalar((IrScalar)type.scalar);
        Nest nest = open_nest(o, array);
        IrReg part = ir_temp(p->func, scalar), old = ir_temp(p->func, scalar);
        clear_checks(
            ir_build_load(&o->parent, part, o->copies[i].array, type.ndim + 1u, nest.index));
        clear_checks(ir_build_load(&o->parent, old, array, type.ndim, nest.index + 1));
        IrReg joined = ir_build_binary(&o->parent, p->indexed.data[i].op, scalar, old, part);
        clear_checks(ir_build_store(&o->parent, array, type.ndim, nest.index + 1, joined));
        o->parent.block = nest.outer;
    }
}

/* ---- The body's function ---- */

static IrReg body_binary(Outline *o, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&o->body, op, int_type, a, b);
}

static IrReg in_body(Outline *o, IrReg reg) {
    return ir_reg(o->p->func, reg)->kind == REG_CONST ? copy_const(o, ir_reg(o->p->func, reg))
                                                      : o->map[reg];
}

static bool is_constant(const ParLoop *p, IrReg reg, int64_t value) {
    return ir_reg(p->func, reg)->kind == REG_CONST && ir_reg(p->func, reg)->value.i == value;
}

static bool counts_from_zero(const ParLoop *p) {
    return is_constant(p, p->loop->args[0], 0) && is_constant(p, p->loop->args[2], 1);
}

/* The loop's own counter in the k-th iteration. */
static IrReg user_counter(Outline *o, IrReg k) {
    ParLoop *p = o->p;
    IrReg scaled = k;
    if (!is_constant(p, p->loop->args[2], 1))
        scaled = body_binary(o, OP_MUL, k, in_body(o, p->loop->args[2]));
    IrReg counter = body_binary(o, OP_ADD, in_body(o, p->loop->args[0]), scaled);
    ir_reg(o->func, counter)->name = ir_reg(p->func, par_counter(p))->name;
    return counter;
}

static void make_lanes(Outline *o, IrStmt *loop) {
    ParLoop *p = o->p;
    ParLane *accs = JR_NEW_ARRAY(p->arena, ParLane, p->vars.len + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->vars.len; i++) {
        const ParVar *var = &p->vars.data[i];
        if (var->role == PAR_FOLLOW || is_leader(var)) return;
        if (var->role == PAR_REDUCE) accs[n++] = (ParLane){o->parts[i].value, var->op};
    }
    if (!p->indexed.len) par_lanes(&o->body, loop, n, accs);
}

static void build_body(Outline *o) {
    ParLoop *p = o->p;
    IrReg k;
    narrow_captures(o, o->mapped);
    start_parts(o);
    use_copies(o);
    IrStmt *loop = ir_build_for(&o->body, o->lo, o->hi, const_int(o->func, 1), &k);
    IrBlock *outer = o->body.block;
    o->body.block = &loop->u.blocks.then;
    o->map[par_counter(p)] = counts_from_zero(p) ? k : user_counter(o, k);
    copy_block(o, &loop->u.blocks.then, &p->loop->u.blocks.then);
    o->body.block = outer;
    set_flags(o, &loop->u.blocks.then);
    make_lanes(o, loop);
    store_parts(o);
    ir_build_return(&o->body, 0, NULL);
}

static void make_func(Outline *o) {
    ParLoop *p = o->p;
    IrModule *module = p->func->module;
    const char *name =
        jr_arena_printf(p->arena, "%s.prange.%u", p->func->name, module->funcs.len);
    o->func = ir_func_new(module, name, p->func->display);
    o->func->span = p->loop->span;
    o->func->fastmath = p->func->fastmath;
    o->func->exported = true; /* the runtime calls it by its entry */
    o->body = (IrBuilder){.func = o->func, .block = &o->func->body, .span = p->loop->span};
    o->chunk = ir_param(o->func, int_type, "chunk");
    o->lo = ir_param(o->func, int_type, "lo");
    o->hi = ir_param(o->func, int_type, "hi");
    o->mapped = p->func->regs.len;
    o->map = par_table(&p->tables->map, p->arena, o->mapped, IR_NO_REG);
    for (uint32_t i = 0; i < 3; i += 2) /* start and step */
        if (ir_reg(p->func, p->loop->args[i])->kind != REG_CONST &&
            o->map[p->loop->args[i]] == IR_NO_REG)
            o->map[p->loop->args[i]] = capture(o, p->loop->args[i]);
    find_captures(o);
}

static void build_region(Outline *o) {
    ParLoop *p = o->p;
    IrReg *args = JR_NEW_ARRAY(p->arena, IrReg, o->captures.len + FIRST_CAPTURE);
    args[0] = o->trip;
    args[1] = o->chunks;
    int64_t work = p->loop->weighed ? INT32_MAX : block_work(&p->loop->u.blocks.then);
    args[2] = const_int(p->func, work);
    for (uint32_t i = 0; i < o->captures.len; i++)
        args[FIRST_CAPTURE + i] = o->captures.data[i];
    IrStmt *region =
        ir_build(&o->parent, OP_PARALLEL, 0, NULL, o->captures.len + FIRST_CAPTURE, args);
    region->u.callee = o->func;
}

/* ---- Conditions that are tested where the loop begins ---- */

enum { REBUILD_DEPTH = 8 };

static bool can_rebuild(const ParLoop *p, IrReg reg, int depth) {
    const IrRegInfo *info = ir_reg(p->func, reg);
    if (!is_inside(p, reg)) return true;
    if (info->kind != REG_TEMP || !info->def || depth == 0) return false;
    if (!par_is_pure(info->def) || info->def->op == OP_LOAD ||
        ir_stmt_may_fail(p->func, info->def))
        return false;
    for (uint32_t i = 0; i < info->def->nargs; i++)
        if (!can_rebuild(p, info->def->args[i], depth - 1)) return false;
    return true;
}

bool par_can_rebuild(const ParLoop *p, IrReg reg) {
    return can_rebuild(p, reg, REBUILD_DEPTH);
}

static IrReg rebuild(Outline *o, IrReg reg) {
    ParLoop *p = o->p;
    if (!is_inside(p, reg)) return reg;
    const IrStmt *def = ir_reg(p->func, reg)->def;
    IrReg *args = JR_NEW_ARRAY(p->arena, IrReg, def->nargs + 1);
    for (uint32_t i = 0; i < def->nargs; i++)
        args[i] = rebuild(o, def->args[i]);
    IrReg made = ir_temp(p->func, ir_reg_type(p->func, reg));
    ir_build(&o->parent, (IrOp)def->op, 1, &made, def->nargs, args)->u = def->u;
    return made;
}

static IrReg parent_scaled(Outline *o, IrReg reg, int64_t factor) {
    IrReg value = ir_build_cast(&o->parent, TY_INT64, reg);
    return factor == 1 ? value
                       : parent_binary(o, OP_MUL, value, const_int(o->p->func, factor));
}

/* The index where the loop's counter is `counter`. */
static IrReg index_at(Outline *o, const ParAffine *at, IrReg counter) {
    IrReg sum = const_int(o->p->func, at->constant);
    if (at->counter)
        sum = parent_binary(o, OP_ADD, sum, parent_scaled(o, counter, at->counter));
    for (uint32_t i = 0; i < at->terms; i++)
        if (at->factors[i])
            sum = parent_binary(o, OP_ADD, sum,
                                parent_scaled(o, rebuild(o, at->regs[i]), at->factors[i]));
    return sum;
}

static IrReg also(Outline *o, IrReg all, IrReg one) {
    return all == IR_NO_REG ? one : ir_build_binary(&o->parent, OP_AND, bool_type, all, one);
}

static IrReg also_not_negative(Outline *o, IrReg all, IrReg value) {
    return also(o, all, ir_build_compare(&o->parent, OP_GE, value, const_int(o->p->func, 0)));
}

static IrReg last_counter(Outline *o) {
    const IrReg *args = o->p->loop->args;
    IrReg steps = parent_binary(o, OP_SUB, o->trip, const_int(o->p->func, 1));
    return parent_binary(o, OP_ADD, args[0], parent_binary(o, OP_MUL, steps, args[2]));
}

static IrReg ask(Outline *o, IrRtCall call, uint32_t n, const IrReg *args) {
    IrReg answer = ir_temp(o->p->func, bool_type);
    ir_build_rt(&o->parent, call, 1, &answer, n, args);
    return answer;
}

static IrReg conditions(Outline *o) {
    ParLoop *p = o->p;
    IrReg all = IR_NO_REG;
    for (uint32_t i = 0; i + 1 < p->overlap.len; i += 2) {
        IrReg overlaps = ask(o, RT_ARRAYS_OVERLAP, 2, p->overlap.data + i);
        all = also(o, all, ir_build_unary(&o->parent, OP_NOT, bool_type, overlaps));
    }
    for (uint32_t i = 0; i < p->distinct.len; i++)
        all = also(o, all, ask(o, RT_ARRAY_DISTINCT, 1, &p->distinct.data[i]));
    for (uint32_t i = 0; i < p->not_negative.len; i++) {
        const ParAffine *at = &p->not_negative.data[i];
        all = also_not_negative(o, all, index_at(o, at, p->loop->args[0]));
        if (at->counter) all = also_not_negative(o, all, index_at(o, at, last_counter(o)));
    }
    if (p->indexed.len)
        all = also(o, all,
                   ir_build_compare(&o->parent, OP_GE, o->copies_most, const_int(p->func, 2)));
    return all;
}

static void insert_all(IrBlock *block, IrStmt *at, IrBlock *made) {
    for (IrStmt *stmt = made->first, *next; stmt; stmt = next) {
        next = stmt->next;
        stmt->prev = stmt->next = NULL;
        ir_block_insert_before(block, at, stmt);
    }
}

static void build_parent(Outline *o) {
    ParLoop *p = o->p;
    o->chunks = ir_temp(p->func, int_type);
    ir_build_rt(&o->parent, RT_PARALLEL_CHUNKS, 1, &o->chunks, 1, &o->trip);
    if (p->indexed.len) o->chunks = parent_binary(o, OP_MIN, o->chunks, o->copies_most);
    make_func(o);
    make_parts(o);
    make_copies(o);
    build_body(o);
    build_region(o);
    join_parts(o);
    join_copies(o);
}

void par_outline(ParLoop *p) {
    Outline o = {.p = p};
    IrBlock made = {0}, *home = p->home;
    o.parent = (IrBuilder){.func = p->func, .block = &made, .span = p->loop->span};
    o.parts = JR_NEW_ARRAY(p->arena, Part, p->vars.len + 1);
    o.flags = JR_NEW_ARRAY(p->arena, Part, p->vars.len + 1);
    o.copies = JR_NEW_ARRAY(p->arena, Part, p->indexed.len + 1);
    for (uint32_t i = 0; i < p->vars.len; i++)
        o.parts[i].value = o.flags[i].value = IR_NO_REG;
    o.trip = ir_temp(p->func, int_type);
    ir_build_rt(&o.parent, RT_RANGE_TRIP, 1, &o.trip, 3, p->loop->args);
    if (p->indexed.len) limit_copies(&o);
    IrReg safe = conditions(&o);
    if (safe == IR_NO_REG) {
        build_parent(&o);
        insert_all(home, p->loop, &made);
        ir_block_remove(home, p->loop);
        return;
    }
    IrStmt *branch = ir_build_if(&o.parent, safe);
    o.parent.block = &branch->u.blocks.then;
    build_parent(&o);
    insert_all(home, p->loop, &made);
    ir_block_remove(home, p->loop);
    p->loop->prev = p->loop->next = NULL;
    ir_block_append(&branch->u.blocks.els, p->loop);
}

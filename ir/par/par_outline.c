/* The region that takes a parallel loop's place: see par.c. */
#include "ir/par/par_outline.h"

#include <string.h>

typedef ParOutline Outline;
typedef ParPart Part;

enum {
    INNER_TRIPS = 16,  /* guessed for a loop of unknown length */
    FIRST_CAPTURE = 3, /* PARALLEL's operands before the captures; the body's chunk, lo, hi */
};

/* ---- How much work an iteration is ---- */

int64_t ir_par_work(const IrBlock *block) {
    int64_t work = 0;
    for (const IrStmt *stmt = block->first; stmt && work < INT32_MAX; stmt = stmt->next) {
        int64_t then = 0, els = 0;
        if (stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR)
            then = ir_par_work(&stmt->u.blocks.then);
        if (stmt->op == OP_IF) els = ir_par_work(&stmt->u.blocks.els);
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

IrReg ir_par_capture(Outline *o, IrReg reg) {
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
            if (o->map[reg] != IR_NO_REG || par_is_inside(p, reg)) continue;
            if (ir_reg(p->func, reg)->kind != REG_CONST) o->map[reg] = ir_par_capture(o, reg);
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
    part.param = ir_par_capture(o, part.array);
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
        if (is_leader(var)) o->flags[i] = part_new(o, par_bool_type);
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
                          ? ir_const(o->func, scalar, ir_par_identity(var->op, scalar))
                          : ir_const_int(o->func, scalar, 0);
        ir_build_copy(&o->body, o->parts[i].value, start);
        if (!is_leader(var)) continue;
        o->flags[i].value = ir_var(o->func, par_bool_type, NULL);
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
    IrReg take = ir_build_binary(&o->parent, OP_AND, par_bool_type, made, better);
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
        ir_build_for(&o->parent, par_int(p->func, 0), o->chunks, par_int(p->func, 1), &c);
    IrBlock *outer = o->parent.block;
    o->parent.block = &loop->u.blocks.then;
    for (uint32_t i = 0; i < p->vars.len; i++) {
        ParVar *var = &p->vars.data[i];
        if (is_leader(var)) join_selection(o, i, c);
        if (var->role != PAR_REDUCE || var->by_compare) continue;
        IrReg value = part_load(o, &o->parts[i], c);
        ParUpdate update = {.op = var->op, .nan = var->nan, .right = var->right};
        IrReg joined = ir_par_join(&o->parent, update, var->reg, value);
        ir_build_copy(&o->parent, var->reg, joined);
    }
    o->parent.block = outer;
}

/* ---- The body's function ---- */

static IrReg body_binary(Outline *o, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&o->body, op, par_int_type, a, b);
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
    if (!p->indexed.len) ir_par_lanes(&o->body, loop, n, accs);
}

static void build_body(Outline *o) {
    ParLoop *p = o->p;
    IrReg k;
    narrow_captures(o, o->mapped);
    start_parts(o);
    ir_par_use_copies(o);
    IrStmt *loop = ir_build_for(&o->body, o->lo, o->hi, par_int(o->func, 1), &k);
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
    o->chunk = ir_param(o->func, par_int_type, "chunk");
    o->lo = ir_param(o->func, par_int_type, "lo");
    o->hi = ir_param(o->func, par_int_type, "hi");
    o->mapped = p->func->regs.len;
    o->map = ir_par_table(&p->tables->map, p->arena, o->mapped, IR_NO_REG);
    for (uint32_t i = 0; i < 3; i += 2) /* start and step */
        if (ir_reg(p->func, p->loop->args[i])->kind != REG_CONST &&
            o->map[p->loop->args[i]] == IR_NO_REG)
            o->map[p->loop->args[i]] = ir_par_capture(o, p->loop->args[i]);
    find_captures(o);
}

static void build_region(Outline *o) {
    ParLoop *p = o->p;
    IrReg *args = JR_NEW_ARRAY(p->arena, IrReg, o->captures.len + FIRST_CAPTURE);
    args[0] = o->trip;
    args[1] = o->chunks;
    int64_t work = p->loop->weighed ? INT32_MAX : ir_par_work(&p->loop->u.blocks.then);
    args[2] = par_int(p->func, work);
    for (uint32_t i = 0; i < o->captures.len; i++)
        args[FIRST_CAPTURE + i] = o->captures.data[i];
    IrReg results[] = {ir_temp(p->func, par_int_type), ir_temp(p->func, par_int_type)};
    o->status = results[0];
    o->done = results[1];
    IrStmt *region = ir_build(&o->parent, OP_PARALLEL, p->indexed.len ? 2 : 0, results,
                              o->captures.len + FIRST_CAPTURE, args);
    region->u.callee = o->func;
}

static void insert_all(IrBlock *block, IrStmt *at, IrBlock *made) {
    for (IrStmt *stmt = made->first, *next; stmt; stmt = next) {
        next = stmt->next;
        stmt->prev = stmt->next = NULL;
        ir_block_insert_before(block, at, stmt);
    }
}

/* Whether something is accumulated, of which each chunk has a part of its own. */
static bool has_parts(const ParLoop *p) {
    for (uint32_t i = 0; i < p->vars.len; i++)
        if (p->vars.data[i].role == PAR_REDUCE) return true;
    return p->indexed.len > 0 || p->loop->weighed;
}

static void build_parent(Outline *o) {
    ParLoop *p = o->p;
    o->chunks = par_int(p->func, 0);
    if (has_parts(p)) {
        o->chunks = ir_temp(p->func, par_int_type);
        ir_build_rt(&o->parent, RT_PARALLEL_CHUNKS, 1, &o->chunks, 1, &o->trip);
    }
    if (p->indexed.len) o->chunks = par_parent_binary(o, OP_MIN, o->chunks, o->copies_most);
    make_func(o);
    make_parts(o);
    ir_par_make_copies(o);
    build_body(o);
    build_region(o);
    if (p->indexed.len) {
        ir_par_join_copies(o);
        ir_build_rt(&o->parent, RT_PARALLEL_END, 0, NULL, 1, &o->status);
    }
    join_parts(o);
}

void ir_par_outline(ParLoop *p) {
    Outline o = {.p = p};
    IrBlock made = {0}, *home = p->home;
    o.parent = (IrBuilder){.func = p->func, .block = &made, .span = p->loop->span};
    o.parts = JR_NEW_ARRAY(p->arena, Part, p->vars.len + 1);
    o.flags = JR_NEW_ARRAY(p->arena, Part, p->vars.len + 1);
    o.copies = JR_NEW_ARRAY(p->arena, Part, p->indexed.len + 1);
    for (uint32_t i = 0; i < p->vars.len; i++)
        o.parts[i].value = o.flags[i].value = IR_NO_REG;
    o.trip = ir_temp(p->func, par_int_type);
    ir_build_rt(&o.parent, RT_RANGE_TRIP, 1, &o.trip, 3, p->loop->args);
    if (p->indexed.len) ir_par_limit_copies(&o);
    IrReg safe = ir_par_conditions(&o);
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

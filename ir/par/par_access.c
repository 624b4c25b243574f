/* The array accesses of a parallel loop's body. Every access is resolved to a root, an array
 * from outside the loop, and to what it touches of each of the root's axes: a point, a part or
 * all of it. Views are looked through, and so are the functions that the body calls: their
 * accesses are the body's, with operands for parameters. */
#include "ir/par/par_access.h"

#include <string.h>

enum {
    DEPTH = 24,
    CALLS = 6,  /* deep that functions are looked into */
    MOST = 400, /* accesses: beyond, a call touches all of what it is given */
};

typedef struct Collect {
    ParLoop *p;
    ParAccesses *out;
    IrStmt *stmt, *parent; /* of the body: the access, or the call it is made in */
    bool lost;             /* in a function: an array that cannot be told */
} Collect;

/* ---- Views ---- */

static void open_root(const ParLoop *p, ParAccess *access, IrReg root) {
    access->root = root;
    access->ndim = access->open = ir_reg_type(p->func, root).ndim;
    for (uint32_t i = 0; i < access->ndim; i++) {
        access->axes[i].kind = AXIS_WHOLE;
        access->map[i] = i;
    }
}

static void set_point(ParLoop *p, const ParFrame *frame, ParAccess *access, uint32_t view_axis,
                      IrReg index, bool wrap) {
    uint32_t axis = access->map[view_axis];
    if (axis == UINT32_MAX) return;
    if (access->axes[axis].kind != AXIS_WHOLE) return; /* a point of a part: somewhere in it */
    ParAxis point = {.kind = AXIS_POINT, .wrap = wrap, .frame = frame, .index = index};
    if (!frame->call) point.at = ir_par_affine(p, index, DEPTH);
    access->axes[axis] = point;
}

static void set_part(const ParFrame *frame, ParAccess *access, uint32_t view_axis,
                     const IrStmt *view, uint32_t arg) {
    uint32_t axis = access->map[view_axis];
    if (axis == UINT32_MAX || access->axes[axis].kind != AXIS_WHOLE) return;
    access->axes[axis] = (ParAxis){.kind = AXIS_PART,
                                   .frame = frame,
                                   .view = view,
                                   .arg = arg,
                                   .view_axis = (uint8_t)view_axis};
}

static bool resolve(ParLoop *p, const ParFrame *frame, ParAccess *access, IrReg array,
                    int depth);

static bool resolve_view(ParLoop *p, const ParFrame *frame, ParAccess *access,
                         const IrStmt *view, int depth) {
    if (!resolve(p, frame, access, view->args[0], depth)) return false;
    if (access->root == IR_NO_REG) return true;
    uint32_t map[2 * IR_MAX_DIMS], n = 0, axis = 0, arg = 1;
    for (const char *step = view->u.mem.axes; *step; step++) {
        if (*step == 'n') {
            map[n++] = UINT32_MAX;
            continue;
        }
        if (*step == 'i') {
            set_point(p, frame, access, axis, view->args[arg], view->u.mem.wrap >> axis & 1);
            arg++;
        } else {
            set_part(frame, access, axis, view, arg);
            map[n++] = access->map[axis];
            arg += 3;
        }
        axis++;
    }
    while (axis < access->open)
        map[n++] = access->map[axis++];
    memcpy(access->map, map, n * sizeof *map);
    access->open = n;
    return true;
}

/* Other axes than the array's: points on them say nothing of where on its own. */
static bool resolve_shaped(ParLoop *p, const ParFrame *frame, ParAccess *access,
                           const IrStmt *def, int depth) {
    if (!resolve(p, frame, access, def->args[0], depth)) return false;
    if (access->root == IR_NO_REG) return true;
    access->open = ir_reg_type(frame->func, def->dsts[0]).ndim;
    for (uint32_t i = 0; i < access->open; i++)
        access->map[i] = UINT32_MAX;
    return true;
}

static bool resolve_transposed(ParLoop *p, const ParFrame *frame, ParAccess *access,
                               const IrStmt *def, int depth) {
    if (!resolve(p, frame, access, def->args[0], depth)) return false;
    if (access->root == IR_NO_REG) return true;
    for (uint32_t i = 0; i < access->open / 2; i++) {
        uint32_t other = access->open - 1 - i, axis = access->map[i];
        access->map[i] = access->map[other];
        access->map[other] = axis;
    }
    return true;
}

/* The memory that a CALL's array result may be: that of an argument, or new. A host function's is
 * new. */
static bool takes_arrays(const ParFrame *frame, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++)
        if (ir_reg_type(frame->func, stmt->args[i]).ndim) return true;
    return false;
}

/* What a call gives is what its only return does. */
static bool resolve_call(ParLoop *p, const ParFrame *frame, ParAccess *access,
                         const IrStmt *call, IrReg array, int depth) {
    access->root = IR_NO_REG;
    if (!takes_arrays(frame, call) || (call->op == OP_CALL && call->u.callee->host))
        return true;
    const IrStmt *gives = call->op == OP_CALL ? ir_par_only_return(call->u.callee) : NULL;
    if (!gives) return false;
    ParFrame *inner = JR_NEW(p->arena, ParFrame);
    *inner = (ParFrame){call->u.callee, call, frame};
    for (uint32_t i = 0; i < call->ndsts; i++)
        if (call->dsts[i] == array) return resolve(p, inner, access, gives->args[i], depth);
    return false;
}

static bool resolve_def(ParLoop *p, const ParFrame *frame, ParAccess *access,
                        const IrStmt *def, IrReg array, int depth) {
    switch ((IrOp)def->op) {
    case OP_ALLOC: access->root = IR_NO_REG; return true;
    case OP_COPY:
    case OP_ASSIGN: return resolve(p, frame, access, def->args[0], depth);
    case OP_VIEW: return resolve_view(p, frame, access, def, depth);
    case OP_TRANSPOSE: return resolve_transposed(p, frame, access, def, depth);
    case OP_BROADCAST:
    case OP_RESHAPE: return resolve_shaped(p, frame, access, def, depth);
    case OP_CALL:
    case OP_RT: return resolve_call(p, frame, access, def, array, depth);
    default: return false;
    }
}

static bool only_new_in(const IrBlock *block, IrReg array) {
    for (const IrStmt *s = block->first; s; s = s->next) {
        for (uint32_t d = 0; d < s->ndsts; d++)
            if (s->dsts[d] == array && s->op != OP_ALLOC) return false;
        if (ir_stmt_is_nested(s) &&
            (!only_new_in(&s->u.blocks.then, array) || !only_new_in(&s->u.blocks.els, array)))
            return false;
    }
    return true;
}

/* False if the memory cannot be told. */
static bool resolve(ParLoop *p, const ParFrame *frame, ParAccess *access, IrReg array,
                    int depth) {
    IrReg outer;
    if (depth == 0) return false;
    if (ir_par_is_outside(p, frame, array)) return open_root(p, access, array), true;
    if (ir_par_is_argument(frame, array, &outer))
        return resolve(p, frame->up, access, outer, depth - 1);
    const IrStmt *def = ir_par_frame_def(p, frame, array);
    if (def) return resolve_def(p, frame, access, def, array, depth - 1);
    access->root = IR_NO_REG; /* several writes: fine if all are new arrays */
    return only_new_in(frame->call ? &frame->func->body : &p->loop->u.blocks.then, array);
}

/* ---- Statements ---- */

/* A continue of the loop itself may skip whatever comes after it. */
static bool always_runs(const ParLoop *p, const IrStmt *parent) {
    if (parent != p->loop) return false;
    for (uint32_t i = 0; i < p->stmts.len; i++)
        if (p->stmts.data[i]->op == OP_CONTINUE) return false;
    return true;
}

/* A call about arrays, or what it stands in was made of the same statement of the source: its
 * loops over the arrays. */
static bool is_whole(const ParLoop *p, const IrStmt *stmt, const IrStmt *parent) {
    if (parent == p->loop && stmt->op != OP_RT) return false;
    while (parent != p->loop) {
        uint32_t at = 0;
        if (memcmp(&parent->span, &stmt->span, sizeof stmt->span)) return false;
        while (p->stmts.data[at] != parent)
            at++;
        parent = p->parents.data[at];
    }
    return always_runs(p, parent);
}

/* `points` operands of `stmt` after the first are indices. */
static void add_access(Collect *c, const ParFrame *frame, const IrStmt *stmt, IrReg array,
                       uint32_t points, bool stores) {
    ParLoop *p = c->p;
    ParAccess access = {.stmt = c->stmt,
                        .parent = c->parent,
                        .stores = stores,
                        .whole = !frame->call && is_whole(p, c->stmt, c->parent),
                        .conditional = frame->call || !always_runs(p, c->parent)};
    if (!resolve(p, frame, &access, array, DEPTH)) {
        c->lost = true;
        if (!frame->call) ir_par_stay_serial(p, c->stmt, "which array this is cannot be told");
        return;
    }
    if (access.root == IR_NO_REG) return;
    for (uint32_t i = 0; i < points && i < access.open; i++)
        set_point(p, frame, &access, i, stmt->args[1 + i], stmt->u.mem.wrap >> i & 1);
    JR_PUSH(p->arena, c->out, access);
}

static bool is_running(const ParFrame *frame, const IrFunc *func) {
    for (; frame; frame = frame->up)
        if (frame->func == func) return true;
    return false;
}

static uint32_t frame_depth(const ParFrame *frame) {
    uint32_t depth = 0;
    for (; frame->up; frame = frame->up)
        depth++;
    return depth;
}

/* Accesses to all of the arrays that a statement is handed. */
static void add_whole(Collect *c, const ParFrame *frame, const IrStmt *stmt) {
    if (stmt->op == OP_RT && ir_rt_leaves_elements(stmt->u.rt)) return;
    for (uint32_t a = 0; a < stmt->nargs; a++) {
        if (!ir_reg_type(frame->func, stmt->args[a]).ndim) continue;
        bool writes = stmt->op == OP_RT ? ir_rt_writes(stmt->u.rt, a)
                      : stmt->op == OP_CALL
                          ? ir_reg(stmt->u.callee, a)->written
                          : true; /* not worked out yet for a region's body */
        add_access(c, frame, stmt, stmt->args[a], 0, writes);
    }
}

static void collect_block(Collect *c, const ParFrame *frame, const IrBlock *block);

static void collect_stmt(Collect *c, const ParFrame *frame, const IrStmt *stmt) {
    switch ((IrOp)stmt->op) {
    case OP_LOAD: add_access(c, frame, stmt, stmt->args[0], stmt->nargs - 1, false); return;
    case OP_STORE: add_access(c, frame, stmt, stmt->args[0], stmt->nargs - 2, true); return;
    case OP_RT: add_whole(c, frame, stmt); return;
    case OP_CALL:
    case OP_PARALLEL: break;
    default: return;
    }
    if (!takes_arrays(frame, stmt)) return;
    uint32_t before = c->out->len;
    c->lost = false;
    bool deep = stmt->u.callee->host || is_running(frame, stmt->u.callee) ||
                frame_depth(frame) >= CALLS; /* not to be looked into */
    if (!deep) {
        ParFrame *inner = JR_NEW(c->p->arena, ParFrame);
        *inner = (ParFrame){stmt->u.callee, stmt, frame};
        collect_block(c, inner, &stmt->u.callee->body);
    }
    if (!deep && !c->lost && c->out->len <= MOST) return;
    c->out->len = before;
    add_whole(c, frame, stmt);
}

static void collect_block(Collect *c, const ParFrame *frame, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt && c->out->len <= MOST; stmt = stmt->next) {
        collect_stmt(c, frame, stmt);
        if (!ir_stmt_is_nested(stmt)) continue;
        collect_block(c, frame, &stmt->u.blocks.then);
        collect_block(c, frame, &stmt->u.blocks.els);
    }
}

void ir_par_collect(ParLoop *p, ParAccesses *out) {
    ParFrame *own = JR_NEW(p->arena, ParFrame);
    Collect c = {.p = p, .out = out};
    own->func = p->func;
    for (uint32_t i = 0; i < p->stmts.len; i++) {
        c.stmt = p->stmts.data[i];
        c.parent = p->parents.data[i];
        collect_stmt(&c, own, c.stmt);
    }
}

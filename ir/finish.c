/* What a complete module knows about its functions: who is recursive, who may fail, which
 * array parameters are written.
 *
 * Functions are visited callees first, one strongly connected component of the call graph at a
 * time (Tarjan's algorithm, with its own stack: call chains can be longer than C's). A
 * component that is more than one function, or calls itself, is recursive, and may fail at the
 * stack check. For any other function all callees are known by then, so one look at its
 * statements decides.
 *
 * `written` goes the other way through the data: from a STORE's array back through the views,
 * copies and calls it may have come from, to the parameters. Which of several arrays a
 * register holds is not followed, so the answer errs on the side of "written". */
#include "ir/ir.h"

#include <string.h>

/* Directed edges between numbered nodes, as linked lists. */
typedef struct Edge {
    uint32_t to, next; /* next: index + 1 of the node's next edge, 0 at the end */
} Edge;

typedef struct Graph {
    JrArena *arena;
    uint32_t *first; /* by node: index + 1 */
    JR_VEC(Edge) edges;
} Graph;

static void graph_init(Graph *graph, JrArena *arena, uint32_t nodes) {
    *graph = (Graph){.arena = arena, .first = JR_NEW_ARRAY(arena, uint32_t, nodes + 1)};
}

static void graph_add(Graph *graph, uint32_t from, uint32_t to) {
    Edge edge = {to, graph->first[from]};
    JR_PUSH(graph->arena, &graph->edges, edge);
    graph->first[from] = graph->edges.len;
}

/* ---- What one statement can do ---- */

/* The operand is a constant that cannot trap: a divisor that is not 0, an exponent or a shift
 * count that is not negative. */
static bool is_safe_const(const IrFunc *func, IrOp op, IrReg reg) {
    const IrRegInfo *info = ir_reg(func, reg);
    if (info->kind != REG_CONST) return false;
    return op == OP_FLOORDIV || op == OP_MOD ? info->value.i != 0 : info->value.i >= 0;
}

static bool arithmetic_may_fail(const IrFunc *func, const IrStmt *stmt) {
    IrScalar scalar = ir_reg_type(func, stmt->args[1]).scalar;
    bool divides = stmt->op == OP_FLOORDIV || stmt->op == OP_MOD;
    if (!ir_scalar_is_int(scalar) || (!divides && !ir_scalar_is_signed(scalar))) return false;
    return !is_safe_const(func, stmt->op, stmt->args[1]);
}

/* Some index step of a VIEW, on axis 0, 1, ... of the array, is checked. */
static bool view_may_fail(const IrStmt *stmt) {
    unsigned axis = 0;
    for (const char *step = stmt->u.mem.axes; *step; step++) {
        if (*step == 'i' && (stmt->u.mem.check >> axis & 1)) return true;
        axis += *step != 'n';
    }
    return false;
}

bool ir_stmt_may_fail(const IrFunc *func, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_FLOORDIV:
    case OP_MOD:
    case OP_POW:
    case OP_SHL:
    case OP_SHR: return arithmetic_may_fail(func, stmt);
    case OP_LOAD:
    case OP_STORE: {
        unsigned axes = ir_reg_type(func, stmt->args[0]).ndim;
        return (stmt->u.mem.check & ((1u << axes) - 1)) != 0;
    }
    case OP_VIEW: return view_may_fail(stmt);
    case OP_CALL: return stmt->u.callee->may_fail || stmt->u.callee->recursive;
    case OP_RT: return ir_rt_fails(stmt->u.rt);
    case OP_PARALLEL:
        return !stmt->ndsts && (stmt->u.callee->may_fail || stmt->u.callee->recursive);
    case OP_FOR: return stmt->strip != 0;
    default: return ir_op_may_fail(stmt->op);
    }
}

bool ir_stmt_is_pure(const IrFunc *func, const IrStmt *stmt) {
    switch (ir_op_form(stmt->op)) {
    case FORM_BIN:
    case FORM_CMP:
    case FORM_UN:
    case FORM_COPY:
    case FORM_CAST:
    case FORM_SELECT:
    case FORM_MATH:
    case FORM_BITS:
    case FORM_LOAD:
    case FORM_DIM:
    case FORM_APART:
    case FORM_VIEW:
    case FORM_SHAPED:
    case FORM_COPYA: return !ir_stmt_may_fail(func, stmt);
    default: return false;
    }
}

bool ir_stmt_is_nested(const IrStmt *stmt) {
    return stmt->op == OP_IF || stmt->op == OP_LOOP || stmt->op == OP_FOR;
}

uint32_t ir_block_count(const IrBlock *block) {
    uint32_t n = 0;
    for (const IrStmt *s = block->first; s; s = s->next) {
        n++;
        if (ir_stmt_is_nested(s))
            n += ir_block_count(&s->u.blocks.then) + ir_block_count(&s->u.blocks.els);
    }
    return n;
}

static bool block_may_fail(const IrFunc *func, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (ir_stmt_may_fail(func, stmt)) return true;
        if (!ir_stmt_is_nested(stmt)) continue;
        if (block_may_fail(func, &stmt->u.blocks.then)) return true;
        if (block_may_fail(func, &stmt->u.blocks.els)) return true;
    }
    return false;
}

/* ---- What a call needs of the runtime ---- */

/* Runtime functions that compute, and ask nothing of the context that the kernel runs in. */
static bool rt_needs_context(IrRtCall call) {
    switch (call) {
    case RT_ROUND_DIGITS:
    case RT_NP_ROUND_DIGITS:
    case RT_FACTORIAL:
    case RT_ISQRT:
    case RT_COMB:
    case RT_FREXP:
    case RT_LDEXP:
    case RT_FLOAT_DIVMOD:
    case RT_ARRAYS_OVERLAP:
    case RT_ARRAYS_LAG:
    case RT_ARRAY_DISTINCT:
    case RT_PERF_COUNTER:
    case RT_RANGE_TRIP:
    case RT_PARALLEL_CHUNKS:
    case RT_PARALLEL_END:
    case RT_BROADCAST_ERROR:
    case RT_MATMUL_ERROR:
    case RT_MASK_ERROR: return false;
    default: return true;
    }
}

static bool needs_all(const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_CALL: return stmt->u.callee->host || stmt->u.callee->needs_all;
    case OP_RT: return rt_needs_context(stmt->u.rt);
    case OP_PARALLEL:
    case OP_ALLOC: return true;
    default: return false;
    }
}

static bool needs_flag(const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_CALL: return stmt->u.callee->needs_context;
    case OP_FOR: return stmt->strip != 0;
    case OP_POLL: return true;
    default: return false;
    }
}

static void find_needs(IrFunc *func, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        func->needs_all |= needs_all(stmt);
        func->needs_context |= func->needs_all | needs_flag(stmt);
        func->needs_rt |= stmt->op == OP_RT;
        func->needs_rt |= stmt->op == OP_CALL && stmt->u.callee->needs_rt;
        if (!ir_stmt_is_nested(stmt)) continue;
        find_needs(func, &stmt->u.blocks.then);
        find_needs(func, &stmt->u.blocks.els);
    }
    func->needs_rt |= func->may_fail | func->needs_context;
}

/* ---- Which parameters are written ---- */

typedef struct Flow {
    const IrFunc *func;
    Graph sources; /* from an array register to those its contents may come from */
    bool *written;
    JR_VEC(IrReg) work;
} Flow;

static void flow_write(Flow *flow, IrReg array) {
    if (flow->written[array]) return;
    flow->written[array] = true;
    JR_PUSH(flow->sources.arena, &flow->work, array);
}

/* Runtime functions write every array they are given, but for these. */
bool ir_rt_writes(IrRtCall call, uint32_t arg) {
    switch (call) {
    case RT_PRINT_ARRAY:
    case RT_PRINT_ARRAY_REPR:
    case RT_ARRAYS_OVERLAP:
    case RT_ARRAYS_LAG:
    case RT_ARRAY_DISTINCT:
    case RT_TEST_HOLDS:
    case RT_RACE_TOUCH:
    case RT_RACE_TOUCH_ALL:
    case RT_RACE_FRESH:
    case RT_BROADCAST_ERROR:
    case RT_MATMUL_ERROR:
    case RT_MASK_ERROR: return false;
    case RT_ARRAY_COPY: return arg == 0;
    default: return true;
    }
}

static bool arg_is_written(const IrStmt *stmt, uint32_t arg) {
    switch (stmt->op) {
    case OP_STORE: return arg == 0;
    case OP_RT: return ir_rt_writes(stmt->u.rt, arg);
    case OP_PARALLEL: /* operands and the callee's parameters: three each, then captures */
    case OP_CALL: return ir_reg(stmt->u.callee, arg)->written;
    default: return false;
    }
}

static void flow_stmt(Flow *flow, const IrStmt *stmt) {
    for (uint32_t i = 0; i < stmt->nargs; i++) {
        IrType type = ir_reg_type(flow->func, stmt->args[i]);
        if (!type.ndim) continue;
        if (arg_is_written(stmt, i)) flow_write(flow, stmt->args[i]);
        for (uint32_t d = 0; d < stmt->ndsts; d++) {
            IrType dst = ir_reg_type(flow->func, stmt->dsts[d]);
            if (dst.ndim && dst.scalar == type.scalar)
                graph_add(&flow->sources, stmt->dsts[d], stmt->args[i]);
        }
    }
}

static void flow_block(Flow *flow, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        flow_stmt(flow, stmt);
        if (!ir_stmt_is_nested(stmt)) continue;
        flow_block(flow, &stmt->u.blocks.then);
        flow_block(flow, &stmt->u.blocks.els);
    }
}

static bool has_array_param(const IrFunc *func) {
    for (uint32_t i = 0; i < func->nparams; i++)
        if (ir_reg_type(func, i).ndim) return true;
    return false;
}

/* True if a parameter turned out to be written that was not known to be. */
static bool find_written(IrFunc *func) {
    if (!has_array_param(func)) return false;
    JrArena *arena = func->module->arena;
    Flow flow = {.func = func, .written = JR_NEW_ARRAY(arena, bool, func->regs.len)};
    graph_init(&flow.sources, arena, func->regs.len);
    flow_block(&flow, &func->body);
    while (flow.work.len) {
        IrReg reg = flow.work.data[--flow.work.len];
        for (uint32_t e = flow.sources.first[reg]; e; e = flow.sources.edges.data[e - 1].next)
            flow_write(&flow, flow.sources.edges.data[e - 1].to);
    }
    bool changed = false;
    for (uint32_t i = 0; i < func->nparams; i++) {
        changed |= flow.written[i] && !ir_reg(func, i)->written;
        ir_reg(func, i)->written |= flow.written[i];
    }
    return changed;
}

/* ---- The call graph ---- */

typedef struct Component {
    IrFunc **funcs;
    uint32_t len;
    bool recursive;
} Component;

static void finish_component(const Component *part) {
    for (uint32_t i = 0; i < part->len; i++) {
        IrFunc *func = part->funcs[i];
        func->recursive = part->recursive;
        func->may_fail = part->recursive || block_may_fail(func, &func->body);
        func->needs_context = part->recursive;
        func->needs_all = part->len > 1; /* what the others need is not known yet */
        func->needs_rt = func->may_fail;
        find_needs(func, &func->body);
    }
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < part->len; i++)
            changed |= find_written(part->funcs[i]) && part->recursive;
    }
}

typedef struct Visit {
    uint32_t order, low; /* order: from 1, 0 while unvisited */
    uint32_t edge;       /* the next one to follow */
    bool stacked, calls_itself;
} Visit;

typedef struct Search {
    const IrModule *module;
    Graph calls;
    Visit *visits;
    uint32_t *path, npath;   /* the functions being visited, as C's stack would hold them */
    uint32_t *stack, nstack; /* visited, their component still open */
    uint32_t order;
} Search;

static void collect_calls(Graph *calls, const IrFunc *func, const IrBlock *block) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        bool is_call = stmt->op == OP_CALL || stmt->op == OP_PARALLEL;
        if (is_call && !stmt->u.callee->host)
            graph_add(calls, func->index, stmt->u.callee->index);
        if (!ir_stmt_is_nested(stmt)) continue;
        collect_calls(calls, func, &stmt->u.blocks.then);
        collect_calls(calls, func, &stmt->u.blocks.els);
    }
}

static void enter(Search *search, uint32_t node) {
    Visit *visit = &search->visits[node];
    visit->order = visit->low = ++search->order;
    visit->edge = search->calls.first[node];
    visit->stacked = true;
    search->path[search->npath++] = node;
    search->stack[search->nstack++] = node;
}

static void close_component(Search *search, uint32_t root) {
    uint32_t from = search->nstack;
    JrArena *arena = search->module->arena;
    do
        search->visits[search->stack[--from]].stacked = false;
    while (search->stack[from] != root);
    Component part = {.len = search->nstack - from};
    part.funcs = JR_NEW_ARRAY(arena, IrFunc *, part.len);
    for (uint32_t i = 0; i < part.len; i++)
        part.funcs[i] = search->module->funcs.data[search->stack[from + i]];
    part.recursive = part.len > 1 || search->visits[root].calls_itself;
    search->nstack = from;
    finish_component(&part);
}

static void lower(uint32_t *low, uint32_t other) {
    if (other < *low) *low = other;
}

/* Follows one edge of the function on top of the path, or leaves it. */
static void step(Search *search) {
    uint32_t node = search->path[search->npath - 1];
    Visit *visit = &search->visits[node];
    if (visit->edge) {
        const Edge *edge = &search->calls.edges.data[visit->edge - 1];
        Visit *callee = &search->visits[edge->to];
        visit->edge = edge->next;
        visit->calls_itself |= edge->to == node;
        if (!callee->order)
            enter(search, edge->to);
        else if (callee->stacked)
            lower(&visit->low, callee->order);
        return;
    }
    search->npath--;
    if (search->npath) lower(&search->visits[search->path[search->npath - 1]].low, visit->low);
    if (visit->low == visit->order) close_component(search, node);
}

void ir_module_finish(IrModule *module) {
    uint32_t n = module->funcs.len;
    Search search = {.module = module, .visits = JR_NEW_ARRAY(module->arena, Visit, n)};
    search.path = JR_NEW_ARRAY(module->arena, uint32_t, n);
    search.stack = JR_NEW_ARRAY(module->arena, uint32_t, n);
    graph_init(&search.calls, module->arena, n);
    for (uint32_t i = 0; i < n; i++) {
        IrFunc *func = module->funcs.data[i];
        func->index = i;
        for (uint32_t p = 0; p < func->nparams; p++)
            ir_reg(func, p)->written = false;
    }
    for (uint32_t i = 0; i < n; i++)
        collect_calls(&search.calls, module->funcs.data[i], &module->funcs.data[i]->body);
    for (uint32_t i = 0; i < n; i++) {
        if (!search.visits[i].order) enter(&search, i);
        while (search.npath)
            step(&search);
    }
}

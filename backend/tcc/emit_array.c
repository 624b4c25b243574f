/* Array instructions. An array is a local struct with the header's members, which costs libtcc
 * what separate variables would; only the members that a function looks at are kept up to date
 * (RegUse.fields). Elements of C-contiguous arrays are addressed by the dims, others by the
 * strides. */
#include "backend/tcc/emit.h"

#include <inttypes.h>
#include <string.h>

static IrType type_of(Fn *fn, IrReg reg) {
    return ir_reg_type(fn->func, reg);
}

static Expr member(Fn *fn, IrReg array, const char *name, unsigned axis) {
    return (Expr){
        .text = jr_arena_printf(fn->em->arena, "%s.%s%u", jr_c_name(fn, array), name, axis),
        .atom = true,
        .loads = ir_reg(fn->func, array)->kind == REG_VAR};
}

const char *jr_c_header(Fn *fn, IrReg reg) {
    const char *name = jr_c_name(fn, reg);
    bool param = ir_reg(fn->func, reg)->kind == REG_PARAM;
    return jr_arena_printf(fn->em->arena, param ? "%s_in" : "&%s", name);
}

void jr_c_copy_header(Fn *fn, const char *dst, const char *src, unsigned ndim,
                      uint32_t fields) {
    if (fields & FIELD_DATA) jr_c_line(fn, "%s.data = %s.data;", dst, src);
    if (fields & FIELD_OWNER) jr_c_line(fn, "%s.owner = %s.owner;", dst, src);
    for (unsigned i = 0; i < ndim; i++)
        if (fields & (uint32_t)FIELD_DIM << i)
            jr_c_line(fn, "%s.d%u = %s.d%u;", dst, i, src, i);
    for (unsigned i = 0; i < ndim; i++)
        if (fields & (uint32_t)FIELD_STRIDE << i)
            jr_c_line(fn, "%s.s%u = %s.s%u;", dst, i, src, i);
}

/* ---- Indexing ---- */

static void index_error(Fn *fn, const IrStmt *stmt, const char *condition, const char *index,
                        IrReg array, unsigned axis) {
    jr_c_need(fn, USE_jr_rt_raise_index);
    jr_c_line(fn, "if (%s) {", condition);
    fn->indent++;
    jr_c_fail(fn, "jr_rt_raise_index(rt, %s, %s, %s.d%u, %u, %u)", jr_c_where(fn, stmt->span),
              index, jr_c_name(fn, array), axis, axis, type_of(fn, array).ndim);
    fn->indent--;
    jr_c_line(fn, "}");
}

/* ---- What is known of an index ---- */

static bool is_constant_above(const Fn *fn, IrReg reg, int64_t least) {
    const IrRegInfo *info = ir_reg(fn->func, reg);
    return info->kind == REG_CONST && info->value.i >= least;
}

/* Never negative, as far as its definition tells: it need not be wrapped then. */
static bool is_natural(const Fn *fn, IrReg reg) {
    const IrStmt *def = ir_reg(fn->func, reg)->def;
    if (is_constant_above(fn, reg, 0)) return true;
    if (ir_reg(fn->func, reg)->kind != REG_TEMP || !def) return false;
    switch (def->op) {
    case OP_DIM: return true;
    case OP_FOR:
        return is_constant_above(fn, def->args[0], 0) &&
               is_constant_above(fn, def->args[2], 1);
    case OP_MOD: return is_constant_above(fn, def->args[1], 1);
    case OP_AND: return is_constant_above(fn, def->args[1], 0);
    default: return false;
    }
}

static bool is_fixed(const Fn *fn, IrReg reg) {
    return ir_reg(fn->func, reg)->kind != REG_VAR && !fn->regs[reg].pending;
}

static const char *find_checked(const Fn *fn, Checked want) {
    for (uint32_t i = 0; i < fn->nchecked; i++) {
        const Checked *known = &fn->checked[i];
        if (known->array == want.array && known->index == want.index &&
            known->axis == want.axis && known->wrap == want.wrap)
            return known->at;
    }
    return NULL;
}

static void note_checked(Fn *fn, Checked good) {
    bool fixed = is_fixed(fn, good.array) && is_fixed(fn, good.index);
    if (fixed && fn->nchecked < CHECKED_MAX) fn->checked[fn->nchecked++] = good;
}

/* `at` tested, and if need be wrapped into a variable, which is the result. The one comparison
 * that every good index takes is the first. */
static const char *check_index(Fn *fn, const IrStmt *stmt, IrReg array, unsigned axis,
                               const char *at, bool wrap) {
    JrArena *arena = fn->em->arena;
    const char *dim = member(fn, array, "d", axis).text;
    if (!wrap) {
        index_error(fn, stmt, jr_arena_printf(arena, "(uint64_t)%s >= (uint64_t)%s", at, dim),
                    at, array, axis);
        return at;
    }
    const char *whole = jr_c_store_atom(fn, TY_INT64, (Expr){.text = at, .atom = true}).text;
    index_error(fn, stmt,
                jr_arena_printf(
                    arena, "(uint64_t)%s >= (uint64_t)%s && (%s >= 0 || (%s = %s + %s) < 0)",
                    at, dim, at, whole, at, dim),
                at, array, axis);
    return whole;
}

/* The index on one axis, checked and wrapped as the flags say. */
static Expr index_on(Fn *fn, const IrStmt *stmt, IrReg array, unsigned axis, IrReg index) {
    bool check = stmt->u.mem.check >> axis & 1;
    bool wrap = (stmt->u.mem.wrap >> axis & 1) && !is_natural(fn, index);
    if (!check && !wrap) return jr_c_operand(fn, index);
    Checked this = {.array = array, .index = index, .axis = (uint8_t)axis, .wrap = wrap};
    bool fixed = is_fixed(fn, index);
    const char *known = check && fixed ? find_checked(fn, this) : NULL;
    if (known) return (Expr){.text = known, .atom = true};
    Expr at = jr_c_atom(fn, index);
    if (!check) {
        const char *dim = member(fn, array, "d", axis).text;
        Expr whole = jr_c_store_atom(fn, TY_INT64, at);
        jr_c_line(fn, "if (%s < 0) %s = %s + %s;", at.text, whole.text, at.text, dim);
        return whole;
    }
    this.at = check_index(fn, stmt, array, axis, at.text, wrap);
    if (fixed) note_checked(fn, this);
    return wrap ? (Expr){.text = this.at, .atom = true} : at;
}

/* The element's offset: dims multiplied up for C order, else index times stride. */
static Expr offset_of(Fn *fn, IrReg array, const Expr *index) {
    IrType type = type_of(fn, array);
    Expr offset = index[0];
    for (unsigned i = 0; i < type.ndim; i++) {
        if (type.layout == LAYOUT_C && i > 0) {
            Expr parts[3] = {offset, member(fn, array, "d", i), index[i]};
            offset = jr_c_expr(fn, 3, parts, "%s * %s + %s", jr_c_paren(fn, &parts[0]),
                               parts[1].text, jr_c_paren(fn, &parts[2]));
        } else if (type.layout != LAYOUT_C) {
            Expr parts[3] = {index[i], member(fn, array, "s", i), offset};
            Expr term =
                jr_c_expr(fn, 2, parts, "%s * %s", jr_c_paren(fn, &parts[0]), parts[1].text);
            parts[0] = term;
            offset =
                i == 0 ? term : jr_c_expr(fn, 3, parts, "%s + %s", parts[2].text, term.text);
        }
    }
    return offset;
}

static Expr element(Fn *fn, const IrStmt *stmt) {
    IrReg array = stmt->args[0];
    IrType type = type_of(fn, array);
    Expr index[IR_MAX_DIMS] = {{0}};
    for (unsigned i = 0; i < type.ndim; i++)
        index[i] = index_on(fn, stmt, array, i, stmt->args[1 + i]);
    Expr offset = offset_of(fn, array, index);
    bool ahead = fn->em->options->ahead; /* for compilers that look at the types */
    Expr expr = jr_c_expr(fn, 1, &offset, "((%s%s%s *)%s.data)[%s]", ahead ? "jr_" : "",
                          jr_c_ctype(type.scalar), ahead ? "_element" : "",
                          jr_c_name(fn, array), offset.text);
    expr.atom = false;
    expr.loads = true;
    return expr;
}

static void load(Fn *fn, const IrStmt *stmt) {
    Expr expr = element(fn, stmt);
    jr_c_define(fn, stmt->dsts[0], expr);
}

static void store(Fn *fn, const IrStmt *stmt) {
    Expr place = element(fn, stmt);
    Expr value = jr_c_operand(fn, stmt->args[stmt->nargs - 1]);
    jr_c_flush_loads(fn);
    jr_c_line(fn, "%s = %s;", place.text, value.text);
}

static void dim(Fn *fn, const IrStmt *stmt) {
    Expr expr = member(fn, stmt->args[0], stmt->op == OP_DIM ? "d" : "s", stmt->u.imm);
    jr_c_define(fn, stmt->dsts[0], expr);
}

/* ---- Headers ---- */

/* Where a new header of dst is built: dst itself, or a struct beside it if an operand is dst.
 */
static const char *open_header(Fn *fn, const IrStmt *stmt) {
    IrReg dst = stmt->dsts[0];
    const IrRegInfo *info = ir_reg(fn->func, dst);
    const char *type = jr_arena_printf(fn->em->arena, "JrArray%u", info->type.ndim);
    if (info->kind == REG_VAR || info->owned) {
        jr_c_flush_loads(fn);
        const char *name = jr_arena_printf(fn->em->arena, "h%" PRIu32, fn->names++);
        jr_c_line(fn, "%s %s;", type, name);
        return name;
    }
    jr_c_line(fn, "%s %s;", type, jr_c_name(fn, dst));
    return jr_c_name(fn, dst);
}

static void close_header(Fn *fn, const IrStmt *stmt, const char *header) {
    IrReg dst = stmt->dsts[0];
    const IrRegInfo *info = ir_reg(fn->func, dst);
    const char *name = jr_c_name(fn, dst);
    if (info->kind != REG_VAR && !info->owned) {
        if (!fn->regs[dst].uses) jr_c_line(fn, "(void)%s;", name);
        return;
    }
    if (info->owned) {
        jr_c_need(fn, USE_jr_rt_release);
        jr_c_line(fn, "jr_rt_release(%s.owner);", name);
    }
    jr_c_copy_header(fn, name, header, info->type.ndim, fn->regs[dst].fields);
}

/* A C-contiguous array's strides follow from its dims. */
static void c_strides(Fn *fn, const char *header, unsigned ndim, uint32_t fields) {
    const char *stride = "1";
    for (unsigned i = ndim; i-- > 0;) {
        if (fields & (uint32_t)FIELD_STRIDE << i)
            jr_c_line(fn, "%s.s%u = %s;", header, i, stride);
        stride = jr_arena_printf(fn->em->arena, i + 1 == ndim ? "%s.d%u" : "%s.d%u * %s",
                                 header, i, stride);
    }
}

static void alloc(Fn *fn, const IrStmt *stmt) {
    IrType type = type_of(fn, stmt->dsts[0]);
    const char *header = open_header(fn, stmt);
    for (unsigned i = 0; i < type.ndim; i++)
        jr_c_line(fn, "%s.d%u = %s;", header, i, jr_c_operand(fn, stmt->args[i]).text);
    jr_c_need(fn, USE_jr_rt_array_new);
    const char *status = jr_arena_printf(fn->em->arena, "k%" PRIu32, fn->names++);
    jr_c_line(fn, "int32_t %s = jr_rt_array_new(rt, %s, %" PRIu32 ", &%s, %d);", status,
              jr_c_where(fn, stmt->span), ir_type_bits(type), header, stmt->u.imm);
    jr_c_line(fn, "if (%s) {", status);
    fn->indent++;
    jr_c_fail(fn, "%s", status);
    fn->indent--;
    jr_c_line(fn, "}");
    close_header(fn, stmt, header);
}

/* A view in the making: its header so far, and the offset of its first element. */
typedef struct ViewState {
    const char *header;
    uint32_t fields;
    unsigned from, to; /* axes done, of the array and of the view */
    Expr offset;
} ViewState;

static void add_offset(Fn *fn, ViewState *view, IrReg array, const Expr *index) {
    Expr parts[3] = {view->offset, *index, member(fn, array, "s", view->from)};
    if (view->offset.text)
        view->offset = jr_c_expr(fn, 3, parts, "%s + %s * %s", parts[0].text,
                                 jr_c_paren(fn, &parts[1]), parts[2].text);
    else
        view->offset =
            jr_c_expr(fn, 2, &parts[1], "%s * %s", jr_c_paren(fn, &parts[1]), parts[2].text);
}

static void set_axis(Fn *fn, ViewState *view, const char *dim, const char *stride) {
    if (view->fields & (uint32_t)FIELD_DIM << view->to)
        jr_c_line(fn, "%s.d%u = %s;", view->header, view->to, dim);
    if (view->fields & (uint32_t)FIELD_STRIDE << view->to)
        jr_c_line(fn, "%s.s%u = %s;", view->header, view->to, stride);
    view->to++;
}

static void range_axis(Fn *fn, ViewState *view, IrReg array, const IrReg *args) {
    Expr start = jr_c_operand(fn, args[0]), length = jr_c_operand(fn, args[1]);
    Expr step = jr_c_operand(fn, args[2]), stride = member(fn, array, "s", view->from);
    const IrRegInfo *info = ir_reg(fn->func, args[2]);
    add_offset(fn, view, array, &start);
    bool one = info->kind == REG_CONST && info->value.i == 1;
    set_axis(
        fn, view, length.text,
        one ? stride.text
            : jr_arena_printf(fn->em->arena, "%s * %s", stride.text, jr_c_paren(fn, &step)));
    view->from++;
}

static void whole_axis(Fn *fn, ViewState *view, IrReg array) {
    set_axis(fn, view, member(fn, array, "d", view->from).text,
             member(fn, array, "s", view->from).text);
    view->from++;
}

static void view_axes(Fn *fn, const IrStmt *stmt, ViewState *view) {
    IrReg array = stmt->args[0];
    const IrReg *args = stmt->args + 1;
    for (const char *step = stmt->u.mem.axes; *step; step++) {
        if (*step == 'i') {
            Expr index = index_on(fn, stmt, array, view->from, *args++);
            add_offset(fn, view, array, &index);
            view->from++;
        } else if (*step == 'r') {
            range_axis(fn, view, array, args);
            args += 3;
        } else {
            set_axis(fn, view, "1", "0");
        }
    }
    while (view->from < type_of(fn, array).ndim)
        whole_axis(fn, view, array);
}

static void view(Fn *fn, const IrStmt *stmt) {
    IrType type = type_of(fn, stmt->dsts[0]);
    IrReg array = stmt->args[0];
    const char *name = jr_c_name(fn, array);
    ViewState state = {.header = open_header(fn, stmt),
                       .fields = fn->regs[stmt->dsts[0]].fields};
    view_axes(fn, stmt, &state);
    if (type.layout == LAYOUT_C) c_strides(fn, state.header, type.ndim, state.fields);
    if (state.fields & FIELD_DATA)
        jr_c_line(fn, "%s.data = (%s *)%s.data + (%s);", state.header, jr_c_ctype(type.scalar),
                  name, state.offset.text ? state.offset.text : "0");
    if (state.fields & FIELD_OWNER) jr_c_line(fn, "%s.owner = %s.owner;", state.header, name);
    close_header(fn, stmt, state.header);
}

static void transpose(Fn *fn, const IrStmt *stmt) {
    IrReg array = stmt->args[0];
    unsigned ndim = type_of(fn, array).ndim;
    ViewState state = {.header = open_header(fn, stmt),
                       .fields = fn->regs[stmt->dsts[0]].fields};
    jr_c_copy_header(fn, state.header, jr_c_name(fn, array), ndim,
                     state.fields & (FIELD_DATA | FIELD_OWNER));
    for (unsigned i = ndim; i-- > 0;) {
        state.from = i;
        whole_axis(fn, &state, array);
    }
    close_header(fn, stmt, state.header);
}

/* ---- Shapes ---- */

/* The wanted dims, in an array that errors can show. */
static const char *wanted_dims(Fn *fn, const IrStmt *stmt, unsigned ndim) {
    const char *name = jr_arena_printf(fn->em->arena, "w%" PRIu32, fn->names++);
    jr_c_line(fn, "int64_t %s[%u];", name, ndim ? ndim : 1);
    for (unsigned i = 0; i < ndim; i++)
        jr_c_line(fn, "%s[%u] = %s;", name, i, jr_c_operand(fn, stmt->args[1 + i]).text);
    return name;
}

static void shape_error(Fn *fn, const IrStmt *stmt, const char *condition, const char *dims) {
    IrReg array = stmt->args[0];
    jr_c_need(fn, USE_jr_rt_raise_shape);
    jr_c_line(fn, "if (%s) {", condition);
    fn->indent++;
    jr_c_fail(fn, "jr_rt_raise_shape(rt, %s, %" PRIu32 ", %s, %s, %u, %d)",
              jr_c_where(fn, stmt->span), ir_type_bits(type_of(fn, array)),
              jr_c_header(fn, array), dims, type_of(fn, stmt->dsts[0]).ndim,
              stmt->op == OP_RESHAPE);
    fn->indent--;
    jr_c_line(fn, "}");
}

static void broadcast(Fn *fn, const IrStmt *stmt) {
    IrReg array = stmt->args[0];
    JrArena *arena = fn->em->arena;
    unsigned to = type_of(fn, stmt->dsts[0]).ndim, from = type_of(fn, array).ndim;
    const char *dims = wanted_dims(fn, stmt, to), *name = jr_c_name(fn, array);
    for (unsigned i = 0; i < from; i++)
        shape_error(fn, stmt,
                    jr_arena_printf(arena, "%s.d%u != %s[%u] && %s.d%u != 1", name, i, dims,
                                    to - from + i, name, i),
                    dims);
    ViewState state = {.header = open_header(fn, stmt),
                       .fields = fn->regs[stmt->dsts[0]].fields};
    jr_c_copy_header(fn, state.header, name, 0, state.fields);
    for (unsigned i = 0; i < to; i++) {
        const char *stride = "0", *dim = jr_arena_printf(arena, "%s[%u]", dims, i);
        unsigned axis = i - (to - from);
        if (i >= to - from)
            stride = jr_arena_printf(arena, "%s.d%u == %s ? %s.s%u : 0", name, axis, dim, name,
                                     axis);
        set_axis(fn, &state, dim, stride);
    }
    close_header(fn, stmt, state.header);
}

static void reshape(Fn *fn, const IrStmt *stmt) {
    IrReg array = stmt->args[0];
    JrArena *arena = fn->em->arena;
    unsigned to = type_of(fn, stmt->dsts[0]).ndim, from = type_of(fn, array).ndim;
    const char *dims = wanted_dims(fn, stmt, to), *name = jr_c_name(fn, array);
    const char *have = jr_arena_printf(arena, "w%" PRIu32, fn->names++);
    jr_c_line(fn, "int64_t %s[%u];", have, from ? from : 1);
    for (unsigned i = 0; i < from; i++)
        jr_c_line(fn, "%s[%u] = %s.d%u;", have, i, name, i);
    fn->em->helpers[HELP_FITS] = true;
    shape_error(fn, stmt,
                jr_arena_printf(arena, "!jr_shape_fits(%s, %u, %s, %u)", have, from, dims, to),
                dims);
    const char *header = open_header(fn, stmt);
    uint32_t fields = fn->regs[stmt->dsts[0]].fields;
    jr_c_copy_header(fn, header, name, 0, fields);
    for (unsigned i = 0; i < to; i++)
        jr_c_line(fn, "%s.d%u = %s[%u];", header, i, dims, i);
    c_strides(fn, header, to, fields);
    close_header(fn, stmt, header);
}

static void copy(Fn *fn, const IrStmt *stmt) {
    IrReg dst = stmt->dsts[0];
    const IrRegInfo *info = ir_reg(fn->func, dst);
    const char *src = jr_c_name(fn, stmt->args[0]), *name = jr_c_name(fn, dst);
    if (info->kind == REG_VAR || info->owned)
        jr_c_flush_loads(fn);
    else
        jr_c_line(fn, "JrArray%u %s;", info->type.ndim, name);
    if (stmt->op == OP_ASSIGN) {
        jr_c_need(fn, USE_jr_rt_retain);
        jr_c_need(fn, USE_jr_rt_release);
        jr_c_line(fn, "jr_rt_retain(%s.owner);", src);
        jr_c_line(fn, "jr_rt_release(%s.owner);", name);
    }
    jr_c_copy_header(fn, name, src, info->type.ndim, fn->regs[dst].fields);
    if (!fn->regs[dst].uses && info->kind != REG_VAR) jr_c_line(fn, "(void)%s;", name);
}

void jr_c_array(Fn *fn, const IrStmt *stmt) {
    switch (stmt->op) {
    case OP_LOAD: load(fn, stmt); break;
    case OP_STORE: store(fn, stmt); break;
    case OP_DIM:
    case OP_STRIDE: dim(fn, stmt); break;
    case OP_APART: jr_c_define(fn, stmt->dsts[0], (Expr){.text = "0", .atom = true}); break;
    case OP_ALLOC: alloc(fn, stmt); break;
    case OP_VIEW: view(fn, stmt); break;
    case OP_TRANSPOSE: transpose(fn, stmt); break;
    case OP_BROADCAST: broadcast(fn, stmt); break;
    case OP_RESHAPE: reshape(fn, stmt); break;
    default: copy(fn, stmt); break;
    }
}

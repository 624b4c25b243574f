/* Arrays: making, copying and filling them, their attributes and methods.
 *
 * Loops over elements are nested FORs in index order, without checks: the bounds are the
 * array's own dims. */
#include "frontend/lower/lower.h"

/* ---- Loops over all elements ---- */

typedef struct Nest {
    unsigned ndim;
    IrReg index[IR_MAX_DIMS];
    IrBlock *outer;
} Nest;

/* For storing an element of `into` at each index: they may be stored in any order. */
static Nest nest_begin(Lower *low, IrReg into, unsigned ndim, const IrReg *dims) {
    Nest nest = {.ndim = ndim, .outer = low->b.block};
    IrReg work = fe_product(low, ndim - 1, dims + 1);
    Spread spread = fe_spread(low, dims[0], fe_spread_into(low, work, into));
    fe_loop_range(low, spread.lo, spread.hi, &nest.index[0]);
    for (unsigned i = 1; i < ndim; i++)
        fe_loop_begin(low, dims[i], &nest.index[i]);
    return nest;
}

static void nest_end(Lower *low, const Nest *nest) {
    fe_loop_end(low, nest->outer);
}

void fe_array_store(Lower *low, IrReg array, unsigned n, const IrReg *index, IrReg value) {
    IrStmt *store = ir_build_store(&low->b, array, n, index, value);
    store->u.mem.check = store->u.mem.wrap = 0;
}

IrReg fe_array_load(Lower *low, IrReg array, unsigned n, const IrReg *index) {
    IrReg dst = ir_temp(low->func, ir_scalar((IrScalar)ir_reg_type(low->func, array).scalar));
    IrStmt *load = ir_build_load(&low->b, dst, array, n, index);
    load->u.mem.check = load->u.mem.wrap = 0;
    return dst;
}

unsigned fe_array_dims(Lower *low, IrReg array, IrReg *dims) {
    unsigned ndim = ir_reg_type(low->func, array).ndim;
    for (unsigned i = 0; i < ndim; i++)
        dims[i] = ir_build_dim(&low->b, array, (uint8_t)i);
    return ndim;
}

static void fill(Lower *low, IrReg array, unsigned ndim, const IrReg *dims, IrReg value) {
    Nest nest = nest_begin(low, array, ndim, dims);
    fe_array_store(low, array, ndim, nest.index, value);
    nest_end(low, &nest);
}

/* array[lo:hi] */
static IrReg part_of(Lower *low, IrReg array, const Spread *spread) {
    IrType type = ir_reg_type(low->func, array);
    IrReg view = ir_temp(low->func, ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_ANY));
    IrReg length = fe_int_binary(low, OP_SUB, spread->hi, spread->lo);
    IrReg args[] = {array, spread->lo, length, fe_int_const(low, 1)};
    ir_build(&low->b, OP_VIEW, 1, &view, 4, args)->u.mem.axes[0] = 'r';
    return view;
}

/* Work for fe_spread: none if the arrays share memory. */
static IrReg copy_work(Lower *low, IrReg into, IrReg from, unsigned ndim, const IrReg *dims) {
    IrReg work = fe_spread_into(low, fe_product(low, ndim - 1, dims + 1), into);
    IrReg meets = ir_temp(low->func, ir_scalar(TY_BOOL));
    ir_build_rt(&low->b, RT_ARRAYS_OVERLAP, 1, &meets, 2, (IrReg[]){into, from});
    return fe_int_select(low, meets, fe_int_const(low, 0), work);
}

/* Of one type: the runtime's copy takes care of overlap. */
static void copy_alike(Lower *low, IrReg into, IrReg from) {
    IrReg dims[IR_MAX_DIMS];
    IrBlock *outer = low->b.block;
    if (fe_spreads(low)) {
        unsigned ndim = fe_array_dims(low, into, dims);
        Spread spread = fe_spread(low, dims[0], copy_work(low, into, from, ndim, dims));
        if (spread.parts != IR_NO_REG) {
            into = part_of(low, into, &spread);
            from = part_of(low, from, &spread);
        }
    }
    ir_build_rt(&low->b, RT_ARRAY_COPY, 0, NULL, 2, (IrReg[]){into, from});
    fe_loop_end(low, outer);
}

/* A new array's [...] = from[...], of the same shape. */
static void copy_elements(Lower *low, IrReg into, IrReg from) {
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, into).scalar;
    if (ir_reg_type(low->func, from).scalar == scalar) {
        copy_alike(low, into, from);
        return;
    }
    IrReg dims[IR_MAX_DIMS];
    unsigned ndim = fe_array_dims(low, into, dims);
    Nest nest = nest_begin(low, into, ndim, dims);
    IrReg element = fe_array_load(low, from, ndim, nest.index);
    fe_array_store(low, into, ndim, nest.index, ir_build_cast(&low->b, scalar, element));
    nest_end(low, &nest);
}

static IrReg build_shaped(Lower *low, IrOp op, IrType type, IrReg array, unsigned n,
                          const IrReg *dims) {
    IrReg args[1 + IR_MAX_DIMS] = {array};
    for (unsigned i = 0; i < n; i++)
        args[i + 1] = dims[i];
    IrReg dst = ir_temp(low->func, type);
    ir_build(&low->b, op, 1, &dst, n + 1, args);
    return dst;
}

IrReg fe_array_stretched(Lower *low, IrReg array, IrType type, unsigned n, const IrReg *dims) {
    return build_shaped(low, OP_BROADCAST, type, array, n, dims);
}

IrReg fe_array_reshaped(Lower *low, IrReg array, IrType type, unsigned n, const IrReg *dims) {
    return build_shaped(low, OP_RESHAPE, type, array, n, dims);
}

void fe_array_assign(Lower *low, IrReg array, Value value) {
    IrReg dims[IR_MAX_DIMS];
    unsigned ndim = fe_array_dims(low, array, dims);
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, array).scalar;
    if (value.type->kind != FE_ARRAY) {
        fill(low, array, ndim, dims, fe_scalar_as(low, value, scalar));
        return;
    }
    IrType stretched =
        ir_array((IrScalar)ir_reg_type(low->func, value.reg).scalar, ndim, LAYOUT_ANY);
    IrReg from = build_shaped(low, OP_BROADCAST, stretched, value.reg, ndim, dims);
    if (ir_reg_type(low->func, value.reg).scalar == scalar)
        copy_alike(low, array, from);
    else
        fe_store_array(low, array, from);
}

/* ---- Shapes ---- */

static unsigned tuple_shape(Lower *low, Value shape, IrReg *dims) {
    if (shape.type->kind != FE_TUPLE) {
        dims[0] = fe_index_reg(low, shape);
        return 1;
    }
    for (uint32_t i = 0; i < shape.type->count; i++)
        dims[i] = fe_index_reg(low, shape.items[i]);
    return shape.type->count;
}

/* A shape given as one int or tuple, or as several arguments from `first` on. */
static unsigned eval_shape(Lower *low, const Call *call, uint32_t first, IrReg *dims) {
    unsigned n = 0;
    for (uint32_t i = first; i < call->node->nargs && fe_call_has(call, i) && n < IR_MAX_DIMS;
         i++)
        n += tuple_shape(low, fe_call_value(low, call, i), dims + n);
    return n;
}

IrReg fe_product(Lower *low, unsigned n, const IrReg *dims) {
    IrReg size = fe_int_const(low, 1);
    for (unsigned i = 0; i < n; i++)
        size = fe_int_binary(low, OP_MUL, size, dims[i]);
    return size;
}

static IrReg array_size(Lower *low, IrReg array) {
    IrReg dims[IR_MAX_DIMS];
    return fe_product(low, fe_array_dims(low, array, dims), dims);
}

/* ---- Making ---- */

/* A new array, in `want` if that may be (source: an array still to be read, or IR_NO_REG). */
static IrReg array_alloc(Lower *low, const Call *call, IrType type, const IrReg *dims,
                         bool zeroed, IrReg source) {
    IrReg dst = call->want;
    bool usable = dst != IR_NO_REG && ir_type_same(ir_reg_type(low->func, dst), type) &&
                  (source == IR_NO_REG || fe_array_root(low, source) != dst);
    if (!usable) dst = fe_array_owned_temp(low, type);
    ir_build(&low->b, OP_ALLOC, 1, &dst, type.ndim, dims)->u.imm = zeroed;
    return dst;
}

static IrType made_type(const Call *call) {
    IrType type = call->node->type->ir;
    return ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_C);
}

static Value made(Lower *low, const Call *call, IrReg array) {
    return fe_value_converted(low, fe_value_ir(low, array), call->node->type);
}

static Value make_filled(Lower *low, const Call *call, unsigned ndim, const IrReg *dims,
                         IrReg value) {
    IrReg array = array_alloc(low, call, made_type(call), dims, false, IR_NO_REG);
    fill(low, array, ndim, dims, value);
    return made(low, call, array);
}

static Value make_blank(Lower *low, const Call *call, const IrReg *dims, bool zeroed) {
    return made(low, call, array_alloc(low, call, made_type(call), dims, zeroed, IR_NO_REG));
}

static Value make_copy(Lower *low, const Call *call, IrReg from) {
    IrReg dims[IR_MAX_DIMS];
    IrType type = ir_reg_type(low->func, from);
    fe_array_dims(low, from, dims);
    type = ir_array((IrScalar)call->node->type->ir.scalar, type.ndim, LAYOUT_C);
    IrReg array = array_alloc(low, call, type, dims, false, from);
    copy_elements(low, array, from);
    return fe_value_ir(low, array);
}

/* arange of integers: start + i * step, wrapping only where the array could not be made
 * anyway. */
static Value arange_ints(Lower *low, const Call *call, IrReg start, IrReg stop, IrReg step) {
    IrReg is_zero = fe_int_compare(low, OP_EQ, step, fe_int_const(low, 0));
    fe_raise_if(low, is_zero, EXC_ZERO_DIVISION, "division by zero");
    IrReg n = fe_range_length(low, start, stop, step);
    IrReg array = array_alloc(low, call, made_type(call), &n, false, IR_NO_REG);
    Nest nest = nest_begin(low, array, 1, &n);
    IrReg offset = fe_int_binary(low, OP_MUL, nest.index[0], step);
    IrReg value = fe_int_binary(low, OP_ADD, start, offset);
    value = ir_build_cast(&low->b, (IrScalar)made_type(call).scalar, value);
    fe_array_store(low, array, 1, nest.index, value);
    nest_end(low, &nest);
    return made(low, call, array);
}

static IrReg f64(Lower *low, IrOp op, IrReg a, IrReg b) {
    return ir_build_binary(&low->b, op, ir_scalar(TY_FLOAT64), a, b);
}

/* As NumPy has it: ceil((stop - start) / step) values, start + i * ((start + step) - start).
 */
static Value arange_floats(Lower *low, const Call *call, IrReg start, IrReg stop, IrReg step) {
    IrReg zero = ir_const_float(low->func, TY_FLOAT64, 0);
    fe_raise_if(low, ir_build_compare(&low->b, OP_EQ, step, zero), EXC_ZERO_DIVISION,
                "float division by zero");
    IrReg span = f64(low, OP_DIV, f64(low, OP_SUB, stop, start), step);
    fe_raise_if(low, ir_build_compare(&low->b, OP_NE, span, span), EXC_VALUE,
                "arange: cannot compute length");
    span = ir_build_math(&low->b, MATH_CEIL, ir_scalar(TY_FLOAT64), 1, &span);
    IrReg n = fe_int_binary(low, OP_MAX, ir_build_cast(&low->b, TY_INT64, span),
                            fe_int_const(low, 0));
    IrReg delta = f64(low, OP_SUB, f64(low, OP_ADD, start, step), start);
    IrReg array = array_alloc(low, call, made_type(call), &n, false, IR_NO_REG);
    Nest nest = nest_begin(low, array, 1, &n);
    IrReg at = ir_build_cast(&low->b, TY_FLOAT64, nest.index[0]);
    IrReg value = f64(low, OP_ADD, start, f64(low, OP_MUL, at, delta));
    value = ir_build_cast(&low->b, (IrScalar)made_type(call).scalar, value);
    fe_array_store(low, array, 1, nest.index, value);
    nest_end(low, &nest);
    return made(low, call, array);
}

static Value make_arange(Lower *low, const Call *call) {
    IrScalar in = TY_INT64;
    if (call->node->operations) in = call->node->operations[0].operand;
    IrReg parts[3];
    for (uint32_t i = 0; i < 3; i++)
        parts[i] = fe_call_has(call, i) ? fe_call_scalar(low, call, i, in)
                                        : ir_const_int(low->func, in, i == 2);
    return in == TY_INT64 ? arange_ints(low, call, parts[0], parts[1], parts[2])
                          : arange_floats(low, call, parts[0], parts[1], parts[2]);
}

static bool has_endpoint(Lower *low, const Call *call) {
    const AstExpr *arg = fe_call_arg(call, 3);
    return !arg || fe_const_truth(fe_node_of(low, arg)->value);
}

/* start + i * step with step = (stop - start) / (num - 1), and the last value exactly stop; with / num if stop is
 * not among them. */
static Value make_linspace(Lower *low, const Call *call) {
    IrReg start = fe_call_scalar(low, call, 0, TY_FLOAT64),
          stop = fe_call_scalar(low, call, 1, TY_FLOAT64);
    IrReg n = fe_call_has(call, 2) ? fe_index_reg(low, fe_call_value(low, call, 2))
                                   : fe_int_const(low, 50);
    IrReg zero = fe_int_const(low, 0), one = fe_int_const(low, 1);
    fe_raise_if(low, fe_int_compare(low, OP_LT, n, zero), EXC_VALUE,
                "number of samples must not be negative");
    bool ends = has_endpoint(low, call);
    IrReg gaps = ends ? fe_int_binary(low, OP_SUB, n, one) : n,
          several = fe_int_compare(low, OP_GT, gaps, zero);
    IrReg delta = f64(low, OP_SUB, stop, start);
    IrReg step = f64(low, OP_DIV, delta, ir_build_cast(&low->b, TY_FLOAT64, gaps));
    step = fe_int_select(low, several, step, delta);
    IrReg array = array_alloc(low, call, made_type(call), &n, false, IR_NO_REG);
    Nest nest = nest_begin(low, array, 1, &n);
    IrReg at = ir_build_cast(&low->b, TY_FLOAT64, nest.index[0]);
    IrReg value = f64(low, OP_ADD, f64(low, OP_MUL, at, step), start);
    fe_array_store(low, array, 1, nest.index, value);
    nest_end(low, &nest);
    if (!ends) return made(low, call, array);
    IrStmt *last = ir_build_if(&low->b, several);
    IrBlock *outer = fe_block_swap(low, &last->u.blocks.then);
    fe_array_store(low, array, 1, &gaps, stop);
    fe_block_swap(low, outer);
    return made(low, call, array);
}

/* ---- np.array ---- */

typedef struct Display {
    IrReg *values; /* in index order */
    uint32_t count, cap;
    IrScalar scalar;
} Display;

static bool is_display(const AstExpr *expr) {
    return expr->kind == AST_LIST || expr->kind == AST_TUPLE;
}

static bool is_nested(const FeType *type) {
    return type->kind == FE_LIST || type->kind == FE_TUPLE;
}

static uint32_t display_size(const FeType *type) {
    if (!is_nested(type)) return 1;
    uint32_t size = 0;
    for (uint32_t i = 0; i < type->count; i++)
        size += display_size(type->items[i]);
    return size;
}

static void add_numbers(Lower *low, Value value, Display *display) {
    if (value.type->kind != FE_TUPLE)
        display->values[display->count++] = fe_scalar_as(low, value, display->scalar);
    else
        for (uint32_t i = 0; i < value.type->count; i++)
            add_numbers(low, value.items[i], display);
}

static void eval_display(Lower *low, const AstExpr *expr, Display *display) {
    if (!is_display(expr)) {
        add_numbers(low, fe_lower_expr(low, expr), display);
        return;
    }
    for (uint32_t i = 0; i < expr->items.len; i++)
        eval_display(low, expr->items.data[i], display);
}

/* Every element is evaluated before the array is made, in the order written. */
static Value make_display(Lower *low, const Call *call, const AstExpr *list) {
    IrType type = made_type(call);
    Display display = {.scalar = (IrScalar)type.scalar};
    const FeType *level = fe_type_of(low, list);
    display.values = JR_NEW_ARRAY(low->arena, IrReg, display_size(level) + 1);
    eval_display(low, list, &display);
    IrReg dims[IR_MAX_DIMS], index[IR_MAX_DIMS];
    int64_t lengths[IR_MAX_DIMS], at[IR_MAX_DIMS] = {0};
    for (unsigned i = 0; i < type.ndim; i++) {
        lengths[i] = level->count;
        dims[i] = fe_int_const(low, lengths[i]);
        level = level->items[0];
    }
    IrReg array = array_alloc(low, call, type, dims, false, IR_NO_REG);
    for (uint32_t k = 0; k < display.count; k++) {
        for (unsigned i = 0; i < type.ndim; i++)
            index[i] = fe_int_const(low, at[i]);
        fe_array_store(low, array, type.ndim, index, display.values[k]);
        for (unsigned i = type.ndim; i-- && ++at[i] == lengths[i];)
            at[i] = 0;
    }
    return made(low, call, array);
}

static Value make_array(Lower *low, const Call *call) {
    const AstExpr *arg = fe_call_arg(call, 0);
    if (arg && is_nested(fe_type_of(low, arg))) return make_display(low, call, arg);
    return made(low, call, make_copy(low, call, fe_call_value(low, call, 0).reg).reg);
}

static Value make_like(Lower *low, const Call *call) {
    IrReg dims[IR_MAX_DIMS];
    IrScalar scalar = (IrScalar)made_type(call).scalar;
    unsigned n = fe_array_dims(low, fe_call_value(low, call, 0).reg, dims);
    switch (call->node->builtin->id) {
    case BI_NP_ZEROS_LIKE: return make_blank(low, call, dims, true);
    case BI_NP_EMPTY_LIKE: return make_blank(low, call, dims, false);
    case BI_NP_ONES_LIKE:
        return make_filled(low, call, n, dims, ir_const_int(low->func, scalar, 1));
    default: return make_filled(low, call, n, dims, fe_call_scalar(low, call, 1, scalar));
    }
}

Value fe_lower_make(Lower *low, const Call *call) {
    IrReg dims[IR_MAX_DIMS];
    IrScalar scalar = (IrScalar)made_type(call).scalar;
    switch (call->node->builtin->id) {
    case BI_NP_ARANGE: return make_arange(low, call);
    case BI_NP_LINSPACE: return make_linspace(low, call);
    case BI_NP_ARRAY:
    case BI_NP_COPY: return make_array(low, call);
    case BI_NP_ZEROS_LIKE:
    case BI_NP_EMPTY_LIKE:
    case BI_NP_ONES_LIKE:
    case BI_NP_FULL_LIKE: return make_like(low, call);
    default: break;
    }
    unsigned n = tuple_shape(low, fe_call_value(low, call, 0), dims);
    switch (call->node->builtin->id) {
    case BI_NP_ZEROS: return make_blank(low, call, dims, true);
    case BI_NP_EMPTY: return make_blank(low, call, dims, false);
    case BI_NP_ONES:
        return make_filled(low, call, n, dims, ir_const_int(low->func, scalar, 1));
    default: return make_filled(low, call, n, dims, fe_call_scalar(low, call, 1, scalar));
    }
}

/* ---- np.random with a size ---- */

typedef struct Stream {
    IrRtCall scalar, fill;
    uint32_t size; /* the argument that is the size; what comes before it are parameters */
    double defaults[2];
} Stream;

static Stream random_stream(const Call *call) {
    switch (call->node->builtin->id) {
    case BI_NP_RANDOM_UNIFORM:
        return (Stream){RT_NP_RANDOM_UNIFORM, RT_NP_RANDOM_FILL_UNIFORM, 2, {0, 1}};
    case BI_NP_RANDOM_NORMAL:
        return (Stream){RT_NP_RANDOM_NORMAL, RT_NP_RANDOM_FILL_NORMAL, 2, {0, 1}};
    case BI_NP_RANDOM_RANDN:
    case BI_NP_RANDOM_STANDARD_NORMAL:
        return (Stream){RT_NP_RANDOM_NORMAL, RT_NP_RANDOM_FILL_NORMAL, 0, {0, 1}};
    case BI_NP_RANDOM_RANDINT:
        return (Stream){RT_NP_RANDOM_RANDINT, RT_NP_RANDOM_FILL_RANDINT, 2, {0, 0}};
    default: return (Stream){RT_NP_RANDOM_RANDOM, RT_NP_RANDOM_FILL_RANDOM, 0, {0, 0}};
    }
}

/* The parameters of a distribution: arguments before the size, or what they default to. */
static void random_params(Lower *low, const Call *call, const Stream *stream, IrReg *params) {
    bool ints = stream->scalar == RT_NP_RANDOM_RANDINT;
    IrScalar scalar = ints ? TY_INT64 : TY_FLOAT64;
    for (uint32_t i = 0; i < 2; i++)
        params[i] = i < stream->size && fe_call_has(call, i)
                        ? fe_call_scalar(low, call, i, scalar)
                        : ir_const_float(low->func, scalar, stream->defaults[i]);
    if (!ints || fe_call_has(call, 1)) return;
    params[1] = params[0];
    params[0] = fe_int_const(low, 0);
}

Value fe_lower_random(Lower *low, const Call *call) {
    Stream stream = random_stream(call);
    IrReg args[3] = {IR_NO_REG}, dims[IR_MAX_DIMS];
    bool plain = stream.scalar == RT_NP_RANDOM_RANDOM;
    if (!plain) random_params(low, call, &stream, args + 1);
    if (call->node->type->kind != FE_ARRAY)
        return fe_build_rt(low, stream.scalar, plain ? 0 : 2, args + 1);
    eval_shape(low, call, stream.size, dims);
    fe_note_serial(low, "random numbers are drawn one after the other");
    args[0] = array_alloc(low, call, made_type(call), dims, false, IR_NO_REG);
    fe_build_rt(low, stream.fill, plain ? 1 : 3, args);
    return made(low, call, args[0]);
}

/* ---- Attributes and methods ---- */

static Value array_shape(Lower *low, IrReg array) {
    IrReg dims[IR_MAX_DIMS];
    Value items[IR_MAX_DIMS];
    unsigned n = fe_array_dims(low, array, dims);
    for (unsigned i = 0; i < n; i++)
        items[i] = fe_value_ir(low, dims[i]);
    return fe_value_tuple(low, n, items);
}

static Value transposed(Lower *low, IrReg array, const FeType *type) {
    if (ir_reg_type(low->func, array).ndim < 2) return fe_value_ir(low, array);
    IrReg dst = ir_temp(low->func, type->ir);
    ir_build(&low->b, OP_TRANSPOSE, 1, &dst, 1, &array);
    return fe_value_reg(type, dst);
}

static Value array_strides(Lower *low, IrReg array, IrReg bytes) {
    Value items[IR_MAX_DIMS];
    unsigned n = ir_reg_type(low->func, array).ndim;
    for (unsigned i = 0; i < n; i++) {
        IrReg stride = ir_temp(low->func, ir_scalar(TY_INT64));
        ir_build(&low->b, OP_STRIDE, 1, &stride, 1, &array)->u.imm = (int64_t)i;
        items[i] = fe_value_ir(low, fe_int_binary(low, OP_MUL, stride, bytes));
    }
    return fe_value_tuple(low, n, items);
}

Value fe_lower_attr(Lower *low, const AstExpr *expr) {
    const FeNode *node = fe_node_of(low, expr);
    const FeType *left = fe_type_of(low, expr->left);
    if (left && left->kind == FE_TUPLE && left->record) {
        int at = fe_record_field(left->record, expr->name);
        return at < 0 ? fe_value_none(low) : fe_lower_expr(low, expr->left).items[at];
    }
    if (!node->builtin || node->builtin->kind != BK_ATTRIBUTE) return fe_value_none(low);
    IrReg array = fe_lower_expr(low, expr->left).reg;
    IrReg bytes =
        fe_int_const(low, ir_scalar_size((IrScalar)ir_reg_type(low->func, array).scalar));
    switch (node->builtin->id) {
    case BI_ARRAY_SHAPE: return array_shape(low, array);
    case BI_ARRAY_STRIDES: return array_strides(low, array, bytes);
    case BI_ARRAY_SIZE: return fe_value_ir(low, array_size(low, array));
    case BI_ARRAY_NDIM: return fe_value_int(low, ir_reg_type(low->func, array).ndim);
    case BI_ARRAY_T: return transposed(low, array, node->type);
    case BI_ARRAY_ITEMSIZE: return fe_value_ir(low, bytes);
    case BI_ARRAY_NBYTES:
        return fe_value_ir(low, fe_int_binary(low, OP_MUL, array_size(low, array), bytes));
    default: return fe_value_none(low);
    }
}

static Value lower_item(Lower *low, const Call *call, IrReg array) {
    unsigned ndim = ir_reg_type(low->func, array).ndim;
    Subscript sub = {.array = array, .n = ndim, .element = true, .type = call->node->type};
    for (unsigned i = 0; i < ndim; i++) {
        sub.axes[i] = 'i';
        sub.operands[i] = fe_int_const(low, 0);
    }
    if (!fe_call_has(call, 1)) {
        IrReg one = fe_int_compare(low, OP_NE, array_size(low, array), fe_int_const(low, 1));
        fe_raise_if(low, one, EXC_VALUE,
                    "can only convert an array of size 1 to a Python scalar");
        return fe_subscript_get_unchecked(low, &sub);
    }
    eval_shape(low, call, 1, sub.operands);
    return fe_subscript_get(low, &sub);
}

/* A -1 among the dims stands for what is left of the size. If nothing fits it stays, and the
 * reshape refuses it. */
static void infer_dim(Lower *low, IrReg size, unsigned n, IrReg *dims) {
    IrReg minus = fe_int_const(low, -1), one = fe_int_const(low, 1),
          zero = fe_int_const(low, 0), unknown = zero;
    IrReg open[IR_MAX_DIMS], rest[IR_MAX_DIMS];
    bool any = false;
    for (unsigned i = 0; i < n; i++) {
        open[i] = fe_int_compare(low, OP_EQ, dims[i], minus);
        rest[i] = fe_int_select(low, open[i], one, dims[i]);
        if (rest[i] == dims[i]) continue;
        any = true;
        unknown = fe_int_binary(low, OP_ADD, unknown, fe_int_select(low, open[i], one, zero));
    }
    if (!any) return;
    fe_raise_if(low, fe_int_compare(low, OP_GT, unknown, one), EXC_VALUE,
                "can only specify one unknown dimension");
    IrReg others = fe_product(low, n, rest);
    IrReg none = fe_int_compare(low, OP_EQ, others, zero);
    IrReg left = fe_int_binary(low, OP_FLOORDIV, size, fe_int_select(low, none, one, others));
    IrReg exact = fe_int_compare(low, OP_EQ, fe_int_binary(low, OP_MUL, left, others), size);
    left = fe_int_select(low, none, minus, fe_int_select(low, exact, left, minus));
    for (unsigned i = 0; i < n; i++)
        dims[i] = fe_int_select(low, open[i], left, dims[i]);
}

static Value reshaped(Lower *low, const Call *call, IrReg array, unsigned n, IrReg *dims) {
    IrType type = ir_reg_type(low->func, array);
    infer_dim(low, array_size(low, array), n, dims);
    Call fresh = {.expr = call->expr, .node = call->node, .want = IR_NO_REG};
    if (type.layout != LAYOUT_C) array = make_copy(low, &fresh, array).reg;
    IrType shape = ir_array((IrScalar)type.scalar, n, LAYOUT_C);
    return made(low, call, build_shaped(low, OP_RESHAPE, shape, array, n, dims));
}

static Value lower_reshape(Lower *low, const Call *call, IrReg array) {
    IrReg dims[IR_MAX_DIMS];
    unsigned n = eval_shape(low, call, 1, dims);
    return reshaped(low, call, array, n, dims);
}

static Value lower_flat(Lower *low, const Call *call, IrReg array, bool copy) {
    Call fresh = {.expr = call->expr, .node = call->node, .want = IR_NO_REG};
    if (copy) array = make_copy(low, &fresh, array).reg;
    IrReg size = array_size(low, array);
    return reshaped(low, call, array, 1, &size);
}

static Value lower_fill(Lower *low, const Call *call, IrReg array) {
    IrReg dims[IR_MAX_DIMS];
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, array).scalar;
    IrReg value = fe_call_scalar(low, call, 1, scalar);
    unsigned n = fe_array_dims(low, array, dims);
    fill(low, array, n, dims, value);
    return fe_value_none(low);
}

Value fe_lower_method(Lower *low, const Call *call) {
    IrReg array = fe_call_value(low, call, 0).reg;
    switch (call->node->builtin->id) {
    case BI_ARRAY_COPY:
    case BI_ARRAY_ASTYPE: return made(low, call, make_copy(low, call, array).reg);
    case BI_ARRAY_FILL: return lower_fill(low, call, array);
    case BI_ARRAY_ITEM: return lower_item(low, call, array);
    case BI_ARRAY_SORT:
        fe_note_serial(low, "it sorts");
        return fe_build_rt(low, RT_ARRAY_SORT, 1, &array);
    case BI_NP_TRANSPOSE:
    case BI_ARRAY_TRANSPOSE: return transposed(low, array, call->node->type);
    case BI_ARRAY_RESHAPE:
    case BI_NP_RESHAPE: return lower_reshape(low, call, array);
    case BI_ARRAY_RAVEL: return lower_flat(low, call, array, false);
    case BI_ARRAY_FLATTEN: return lower_flat(low, call, array, true);
    default: return fe_value_none(low);
    }
}

/* Whole-array expressions: each becomes one nest of loops, without temporaries.
 *
 * An expression is planned first (frontend/lower/whole.h): its arrays and scalars are evaluated from
 * left to right, shapes are joined as NumPy broadcasts them, and checked, operation by
 * operation. Then loops over the result's shape emit the element of the tree, recursively,
 * with the same code as scalars.
 *
 * The loops come in two forms. Direct ones are for the common case, that no array has to be
 * stretched: each is read at the last indices of the loop, or at 0 on axes that np.newaxis
 * made. If all are C-contiguous and of the result's rank, the nest is a single loop. Whether
 * that holds is tested once before, unless it is plain; otherwise every array is read through
 * a BROADCAST view, whose strides are 0 where it is stretched. */
#include "frontend/lower/whole.h"

/* ---- What belongs into one expression ---- */

static bool is_elementwise_call(Lower *low, const AstExpr *expr) {
    const FeBuiltin *builtin = fe_node_of(low, expr)->builtin;
    if (!builtin || fe_node_of(low, expr)->callee) return false;
    switch (builtin->kind) {
    case BK_CAST:
    case BK_MATH:
    case BK_BINARY:
    case BK_UNARY:
    case BK_LOGICAL:
    case BK_TEST:
    case BK_SCALAR: return true;
    case BK_METHOD: return builtin->id == BI_ARRAY_ASTYPE;
    default: return false;
    }
}

bool fe_is_whole(Lower *low, const AstExpr *expr) {
    const FeType *type = fe_type_of(low, expr);
    if (!type || type->kind != FE_ARRAY) return false;
    switch (expr->kind) {
    case AST_BINARY: return expr->op != AST_MATMUL;
    case AST_UNARY:
    case AST_COMPARE: return true;
    case AST_CALL: return is_elementwise_call(low, expr);
    default: return false;
    }
}

bool fe_makes_array(Lower *low, const AstExpr *expr) {
    if (fe_is_whole(low, expr) || fe_is_mask(low, expr) || fe_is_gather(low, expr))
        return true;
    if (expr->kind == AST_BINARY) return true; /* @ */
    const FeBuiltin *builtin = fe_node_of(low, expr)->builtin;
    if (expr->kind != AST_CALL || !builtin || fe_node_of(low, expr)->callee) return false;
    FeBuiltinId id = builtin->id;
    return builtin->kind == BK_MAKE || builtin->kind == BK_REDUCE ||
           builtin->kind == BK_RANDOM || id == BI_ARRAY_COPY || id == BI_ARRAY_FLATTEN;
}

/* A call of the program's own may write to arrays that were read before it. */
static bool calls_own(Lower *low, const AstExpr *expr) {
    if (!expr) return false;
    if (expr->kind == AST_CALL && fe_node_of(low, expr)->callee) return true;
    for (uint32_t i = 0; i < expr->items.len; i++)
        if (calls_own(low, expr->items.data[i])) return true;
    return calls_own(low, expr->left) || calls_own(low, expr->right) ||
           calls_own(low, expr->cond);
}

/* ---- Leaves ---- */

static bool is_const_one(Lower *low, IrReg reg) {
    int64_t known;
    return fe_known_int(low, reg, &known) && known == 1;
}

/* The dims of an array; those that np.newaxis made are the constant 1. */
static void leaf_dims(Lower *low, Leaf *leaf) {
    const IrRegInfo *info = ir_reg(low->func, leaf->array);
    const IrStmt *def = info->kind == REG_TEMP ? info->def : NULL;
    bool added[IR_MAX_DIMS] = {false};
    unsigned axis = 0;
    if (def && def->op == OP_VIEW)
        for (const char *step = def->u.mem.axes; *step; step++) {
            if (*step == 'n') added[axis] = true;
            axis += *step != 'i';
        }
    for (unsigned i = 0; i < leaf->ndim; i++)
        leaf->dims[i] =
            added[i] ? fe_int_const(low, 1) : ir_build_dim(&low->b, leaf->array, (uint8_t)i);
}

Leaf *fe_whole_leaf(Lower *low, Whole *whole, IrReg array) {
    for (uint32_t i = 0; i < whole->leaves.len; i++)
        if (whole->leaves.data[i]->array == array) return whole->leaves.data[i];
    Leaf *leaf = JR_NEW(low->arena, Leaf);
    leaf->array = leaf->shown = array;
    leaf->ndim = ir_reg_type(low->func, array).ndim;
    leaf->loaded = IR_NO_REG;
    leaf_dims(low, leaf);
    JR_PUSH(low->arena, &whole->leaves, leaf);
    return leaf;
}

/* ---- Shapes ---- */

IrReg fe_whole_any_reg(Lower *low, IrReg so_far, IrOp op, IrReg next) {
    const IrRegInfo *info = ir_reg(low->func, next);
    bool idle = info->kind == REG_CONST && !info->value.i == (op == OP_OR);
    if (idle) return so_far;
    if (so_far == IR_NO_REG) return next;
    return ir_build_binary(&low->b, op, ir_scalar(TY_BOOL), so_far, next);
}

static IrReg both(Lower *low, IrReg a, IrReg b) {
    return ir_build_binary(&low->b, OP_AND, ir_scalar(TY_BOOL), a, b);
}

static const Leaf *some_leaf(const Elem *elem) {
    if (elem->leaf) return elem->leaf;
    for (uint32_t i = 0; i < elem->nargs; i++)
        if (elem->args[i] && elem->args[i]->ndim) return some_leaf(elem->args[i]);
    return NULL;
}

IrReg fe_whole_sample(Lower *low, const Elem *elem) {
    const Leaf *leaf = some_leaf(elem);
    if (elem->leaf) return leaf->array;
    IrType type = ir_reg_type(low->func, leaf->array);
    type = ir_array((IrScalar)type.scalar, elem->ndim, LAYOUT_ANY);
    return fe_array_stretched(low, leaf->array, type, elem->ndim, elem->dims);
}

static void raise_shapes(Lower *low, IrReg bad, const Elem *a, const Elem *b) {
    if (bad == IR_NO_REG) return;
    IrStmt *branch = ir_build_if(&low->b, bad);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    IrReg args[] = {fe_whole_sample(low, a), IR_NO_REG};
    args[1] = fe_whole_sample(low, b);
    ir_build_rt(&low->b, RT_BROADCAST_ERROR, 0, NULL, 2, args);
    fe_block_swap(low, outer);
}

/* Joins the shape of `next` into that of `elem`, which has that of `before` so far. */
static void join_shape(Lower *low, Elem *elem, const Elem *before, const Elem *next) {
    unsigned ndim = elem->ndim > next->ndim ? elem->ndim : next->ndim;
    IrReg dims[IR_MAX_DIMS], bad = IR_NO_REG, one = fe_int_const(low, 1);
    for (unsigned i = 0; i < ndim; i++) {
        unsigned from_end = ndim - i;
        bool has_a = from_end <= elem->ndim, has_b = from_end <= next->ndim;
        IrReg a = has_a ? elem->dims[elem->ndim - from_end] : one;
        IrReg b = has_b ? next->dims[next->ndim - from_end] : one;
        dims[i] = a;
        if (a == b || is_const_one(low, b)) continue;
        dims[i] = b;
        if (is_const_one(low, a)) continue;
        IrReg stretched = fe_int_compare(low, OP_EQ, a, one);
        dims[i] = fe_int_select(low, stretched, b, a);
        IrReg differ = fe_int_compare(low, OP_NE, a, b);
        IrReg rigid =
            both(low, fe_int_compare(low, OP_NE, a, one), fe_int_compare(low, OP_NE, b, one));
        bad = fe_whole_any_reg(low, bad, OP_OR, both(low, differ, rigid));
    }
    raise_shapes(low, bad, before, next);
    for (unsigned i = 0; i < ndim; i++)
        elem->dims[i] = dims[i];
    elem->ndim = ndim;
}

/* ---- Planning ---- */

static Elem *plan(Lower *low, Whole *whole, const AstExpr *expr);

static Elem *plan_array(Lower *low, Whole *whole, IrReg array) {
    Elem *elem = JR_NEW(low->arena, Elem);
    elem->leaf = fe_whole_leaf(low, whole, array);
    elem->ndim = elem->leaf->ndim;
    for (unsigned i = 0; i < elem->ndim; i++)
        elem->dims[i] = elem->leaf->dims[i];
    return elem;
}

/* The operands of an operation, in the order its scalar lowering knows them by. */
static AstExpr **operands(Lower *low, const AstExpr *expr, uint32_t *n) {
    const FeNode *node = fe_node_of(low, expr);
    if (expr->kind == AST_CALL) {
        *n = node->builtin->kind == BK_METHOD ? 1 : node->nargs;
        return node->args;
    }
    AstExpr **pair = JR_NEW_ARRAY(low->arena, AstExpr *, 2);
    bool compares = expr->kind == AST_COMPARE;
    pair[0] = compares ? expr->items.data[0] : expr->left;
    pair[1] = compares ? expr->items.data[1] : expr->right;
    *n = pair[1] ? 2 : 1;
    return pair;
}

/* The type a scalar operand is cast to in every iteration; it can be done once. */
static IrScalar operand_scalar(Lower *low, const AstExpr *expr, uint32_t i) {
    const FeNode *node = fe_node_of(low, expr);
    if (node->operations) return node->operations[0].operand;
    FeBuiltinId id = node->builtin ? node->builtin->id : BI_COUNT;
    bool other =
        (id == BI_NP_WHERE && i == 0) || ((id == BI_NP_ROUND || id == BI_NP_AROUND) && i == 1);
    return node->target && node->target->kind == FE_SCALAR && !other
               ? (IrScalar)node->target->ir.scalar
               : TY_NONE;
}

static IrReg made_early(Lower *low, const AstExpr *expr) {
    fe_note_array(low, "a call that follows may write to what is read", false);
    return fe_lower_expr(low, expr).reg;
}

static Elem *plan_operation(Lower *low, Whole *whole, const AstExpr *expr) {
    Elem *elem = JR_NEW(low->arena, Elem);
    elem->expr = expr;
    AstExpr **args = operands(low, expr, &elem->nargs);
    elem->args = JR_NEW_ARRAY(low->arena, Elem *, elem->nargs + 1);
    const Elem *before = NULL;
    JrSpan outer = low->b.span;
    for (uint32_t i = 0; i < elem->nargs; i++) {
        if (!args[i]) continue;
        bool later_call = false;
        for (uint32_t k = i + 1; k < elem->nargs; k++)
            later_call |= calls_own(low, args[k]);
        Elem *arg = later_call && fe_is_whole(low, args[i])
                        ? plan_array(low, whole, made_early(low, args[i]))
                        : plan(low, whole, args[i]);
        elem->args[i] = arg;
        IrScalar scalar = operand_scalar(low, expr, i);
        bool casts = !arg->ndim && !arg->scalar.constant && arg->scalar.reg != IR_NO_REG;
        if (casts && scalar != TY_NONE)
            arg->scalar = fe_value_ir(low, fe_scalar_as(low, arg->scalar, scalar));
        if (!arg->ndim) continue;
        low->b.span = expr->at.line ? expr->at : expr->span;
        join_shape(low, elem, before, arg);
        if (!before) before = arg;
        low->b.span = outer;
    }
    whole->ops++;
    return elem;
}

/* What makes an array that an operation then reads. */
static const char *made_before(Lower *low, const AstExpr *expr) {
    if (!fe_makes_array(low, expr)) return NULL;
    if (fe_is_mask(low, expr)) return "what a mask chooses is made before it is used";
    if (fe_is_gather(low, expr)) return "what indices choose is made before it is used";
    if (expr->kind == AST_BINARY) return "a product is made before it is used";
    FeBuiltinId id = fe_node_of(low, expr)->builtin->id;
    if (id == BI_NP_DOT || id == BI_ARRAY_DOT) return "a product is made before it is used";
    switch (fe_node_of(low, expr)->builtin->kind) {
    case BK_REDUCE: return "a reduction along an axis is made before it is used";
    case BK_METHOD: return "a copy is made before it is used";
    default: return "a new array is made before it is used";
    }
}

void fe_whole_note_made(Lower *low, const AstExpr *expr) {
    const FeType *type = fe_type_of(low, expr);
    const char *made = type && type->kind == FE_ARRAY ? made_before(low, expr) : NULL;
    if (made) fe_note_array(low, made, false);
}

static Elem *plan(Lower *low, Whole *whole, const AstExpr *expr) {
    if (fe_is_whole(low, expr)) return plan_operation(low, whole, expr);
    Value value = fe_lower_expr(low, expr);
    fe_whole_note_made(low, expr);
    if (value.type->kind == FE_ARRAY) return plan_array(low, whole, value.reg);
    Elem *elem = JR_NEW(low->arena, Elem);
    elem->scalar = value;
    return elem;
}

static Whole *planned(Whole *whole, Elem *root) {
    whole->root = root;
    whole->ndim = root->ndim;
    for (unsigned i = 0; i < root->ndim; i++)
        whole->dims[i] = root->dims[i];
    return whole;
}

Whole *fe_whole_plan(Lower *low, const AstExpr *expr) {
    Whole *whole = JR_NEW(low->arena, Whole);
    return planned(whole, plan(low, whole, expr));
}

Whole *fe_whole_plan_before(Lower *low, const AstExpr *expr, const AstExpr *later) {
    if (!calls_own(low, later) || !fe_is_whole(low, expr)) return fe_whole_plan(low, expr);
    return fe_whole_of(low, made_early(low, expr));
}

Whole *fe_whole_of(Lower *low, IrReg array) {
    Whole *whole = JR_NEW(low->arena, Whole);
    return planned(whole, plan_array(low, whole, array));
}

/* ---- One element ---- */

static Value load_leaf(Lower *low, Leaf *leaf, unsigned n, const IrReg *index) {
    if (leaf->loaded != IR_NO_REG) return fe_value_ir(low, leaf->loaded);
    unsigned ndim = ir_reg_type(low->func, leaf->shown).ndim;
    IrReg at[IR_MAX_DIMS];
    for (unsigned i = 0; i < ndim; i++) {
        bool added = leaf->shown == leaf->array && is_const_one(low, leaf->dims[i]);
        at[i] = added ? fe_int_const(low, 0) : index[n - ndim + i];
    }
    leaf->loaded = fe_array_load(low, leaf->shown, ndim, at);
    return fe_value_ir(low, leaf->loaded);
}

static Value element(Lower *low, const Elem *elem, unsigned n, const IrReg *index);

static Value operation_element(Lower *low, const AstExpr *expr, const Value *args) {
    const FeNode *node = fe_node_of(low, expr);
    switch (expr->kind) {
    case AST_BINARY:
        return fe_lower_arith(low, expr->op, args[0], args[1], &node->operations[0]);
    case AST_UNARY:
        return fe_value_ir(low,
                           fe_lower_unary_op(low, expr->op, args[0], &node->operations[0]));
    case AST_COMPARE:
        return fe_lower_compare_pair(low, expr->ops.data[0], args[0], args[1],
                                     &node->operations[0]);
    default: break;
    }
    if (node->builtin->kind == BK_METHOD) /* astype */
        return fe_value_ir(low, fe_scalar_as(low, args[0], (IrScalar)node->type->ir.scalar));
    Call call = {.expr = expr, .node = node, .want = IR_NO_REG, .given = args};
    return fe_lower_scalar_builtin(low, &call);
}

static Value element(Lower *low, const Elem *elem, unsigned n, const IrReg *index) {
    if (elem->leaf) return load_leaf(low, elem->leaf, n, index);
    if (!elem->nargs) return elem->scalar;
    Value *args = JR_NEW_ARRAY(low->arena, Value, elem->nargs + 1);
    for (uint32_t i = 0; i < elem->nargs; i++)
        if (elem->args[i]) args[i] = element(low, elem->args[i], n, index);
    if (!elem->expr) return fe_lower_arith(low, elem->op, args[0], args[1], elem->operation);
    JrSpan outer = low->b.span;
    low->b.span = elem->expr->at.line ? elem->expr->at : elem->expr->span;
    Value value = operation_element(low, elem->expr, args);
    low->b.span = outer;
    return value;
}

Value fe_whole_element(Lower *low, Whole *whole, unsigned n, const IrReg *index) {
    for (uint32_t i = 0; i < whole->leaves.len; i++)
        whole->leaves.data[i]->loaded = IR_NO_REG;
    return element(low, whole->root, n, index);
}

/* ---- Loops ---- */

IrReg fe_whole_direct(Lower *low, const Whole *whole) {
    IrReg direct = IR_NO_REG;
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        const Leaf *leaf = whole->leaves.data[i];
        for (unsigned k = 0; k < leaf->ndim; k++) {
            IrReg dim = whole->dims[whole->ndim - leaf->ndim + k];
            if (dim == leaf->dims[k] || is_const_one(low, leaf->dims[k])) continue;
            direct = fe_whole_any_reg(low, direct, OP_AND,
                                      fe_int_compare(low, OP_EQ, leaf->dims[k], dim));
        }
    }
    return direct;
}

static bool is_flat_array(Lower *low, const Whole *whole, IrReg array) {
    IrType type = ir_reg_type(low->func, array);
    return type.layout == LAYOUT_C && type.ndim == whole->ndim;
}

bool fe_whole_is_flat(Lower *low, const Whole *whole, IrReg target) {
    if (target != IR_NO_REG && !is_flat_array(low, whole, target)) return false;
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        const Leaf *leaf = whole->leaves.data[i];
        if (!is_flat_array(low, whole, leaf->array)) return false;
        for (unsigned k = 0; k < leaf->ndim; k++)
            if (is_const_one(low, leaf->dims[k])) return false;
    }
    return true;
}

static IrReg flattened(Lower *low, IrReg array, IrReg size) {
    IrType type = ir_array((IrScalar)ir_reg_type(low->func, array).scalar, 1, LAYOUT_C);
    return fe_array_reshaped(low, array, type, 1, &size);
}

void fe_whole_show(Whole *whole) {
    for (uint32_t i = 0; i < whole->leaves.len; i++)
        whole->leaves.data[i]->shown = whole->leaves.data[i]->array;
}

/* Of the very shape of the loops. */
static bool has_dims(const Leaf *leaf, const Whole *whole) {
    bool same = leaf->ndim == whole->ndim;
    for (unsigned i = 0; i < leaf->ndim && same; i++)
        same = leaf->dims[i] == whole->dims[i];
    return same;
}

static void show_stretched(Lower *low, Whole *whole) {
    for (uint32_t i = 0; i < whole->leaves.len; i++) {
        Leaf *leaf = whole->leaves.data[i];
        IrScalar scalar = (IrScalar)ir_reg_type(low->func, leaf->array).scalar;
        leaf->shown = leaf->array;
        if (has_dims(leaf, whole)) continue;
        leaf->shown =
            fe_array_stretched(low, leaf->array, ir_array(scalar, whole->ndim, LAYOUT_ANY),
                               whole->ndim, whole->dims);
    }
}

void fe_whole_show_any(Lower *low, Whole *whole) {
    if (fe_whole_direct(low, whole) == IR_NO_REG)
        fe_whole_show(whole);
    else
        show_stretched(low, whole);
}

void fe_whole_flatten(Lower *low, Whole *whole) {
    IrReg size = fe_product(low, whole->ndim, whole->dims);
    for (uint32_t i = 0; i < whole->leaves.len; i++)
        whole->leaves.data[i]->shown = flattened(low, whole->leaves.data[i]->array, size);
}

/* The statements that one index of the outermost loop is good for. */
static IrReg outer_work(Lower *low, const Whole *whole, unsigned n, const IrReg *dims) {
    IrReg each = fe_int_const(low, 1 + (int64_t)whole->ops + whole->leaves.len);
    return fe_int_binary(low, OP_MUL, fe_product(low, n - 1, dims + 1), each);
}

static void begin_loop(Lower *low, const Whole *whole, IrReg lo, IrReg hi, IrReg *index) {
    if (!whole->backwards) {
        fe_loop_range(low, lo, hi, index);
        return;
    }
    IrReg one = fe_int_const(low, 1);
    IrReg last = fe_int_binary(low, OP_SUB, hi, one),
          stop = fe_int_binary(low, OP_SUB, lo, one);
    IrStmt *loop = ir_build_for(&low->b, last, stop, fe_int_const(low, -1), index);
    fe_block_swap(low, &loop->u.blocks.then);
}

static void run_nest(Lower *low, Whole *whole, unsigned n, const IrReg *dims, IrReg target,
                     WholeBody body, void *data) {
    const WholeJoin *join = whole->join;
    IrBlock *outer = low->b.block, *part = outer;
    const WholeBlock *rows = whole->block;
    IrReg index[IR_MAX_DIMS], first = rows ? rows->rows : dims[0];
    Spread spread = {.parts = IR_NO_REG, .lo = fe_int_const(low, 0), .hi = first};
    if (whole->spreads) {
        IrReg work = outer_work(low, whole, n, dims);
        if (target != IR_NO_REG) work = fe_spread_into(low, work, target);
        spread = fe_spread_plan(low, first, work);
    }
    bool joins = join && spread.parts != IR_NO_REG;
    if (joins) join->prepare(low, data, spread.parts);
    fe_spread_begin(low, &spread);
    if (joins) {
        IrReg inner = fe_product(low, n - 1, dims + 1);
        join->enter(low, data, fe_int_binary(low, OP_MUL, spread.lo, inner));
        part = low->b.block;
    }
    begin_loop(low, whole, spread.lo, spread.hi, &index[0]);
    for (unsigned i = 1; i < n; i++)
        begin_loop(low, whole, fe_int_const(low, 0), dims[i], &index[i]);
    IrReg row = index[0];
    if (rows) index[0] = fe_int_binary(low, OP_ADD, rows->from, row);
    Value value = fe_whole_element(low, whole, n, index);
    if (rows) index[0] = fe_int_binary(low, OP_ADD, rows->to, row);
    body(low, data, value, target, n, index);
    fe_loop_end(low, part);
    if (joins) join->leave(low, data, spread.part);
    fe_loop_end(low, outer);
    if (joins) join->finish(low, data, spread.parts);
}

void fe_whole_run(Lower *low, Whole *whole, bool direct, IrReg target, WholeBody body,
                  void *data) {
    unsigned n = whole->ndim;
    IrReg dims[IR_MAX_DIMS];
    for (unsigned i = 0; i < n; i++)
        dims[i] = whole->dims[i];
    if (direct && n > 1 && !whole->block && fe_whole_is_flat(low, whole, target)) {
        fe_whole_flatten(low, whole);
        dims[0] = fe_product(low, n, dims);
        if (target != IR_NO_REG) target = flattened(low, target, dims[0]);
        n = 1;
    } else if (direct) {
        fe_whole_show(whole);
    } else {
        show_stretched(low, whole);
    }
    run_nest(low, whole, n, dims, target, body, data);
}

void fe_whole_store_all(Lower *low, Whole *whole, IrReg target) {
    whole->spreads = true;
    fe_whole_run_any(low, whole, target, fe_whole_store, NULL);
}

void fe_whole_run_any(Lower *low, Whole *whole, IrReg target, WholeBody body, void *data) {
    IrReg direct = fe_whole_direct(low, whole);
    if (direct == IR_NO_REG) {
        fe_whole_run(low, whole, true, target, body, data);
        return;
    }
    IrStmt *branch = ir_build_if(&low->b, direct);
    IrBlock *outer = fe_block_swap(low, &branch->u.blocks.then);
    fe_whole_run(low, whole, true, target, body, data);
    fe_block_swap(low, &branch->u.blocks.els);
    fe_whole_run(low, whole, false, target, body, data);
    fe_block_swap(low, outer);
}

/* ---- As a value ---- */

void fe_whole_store(Lower *low, void *unused, Value element, IrReg target, unsigned n,
                    const IrReg *index) {
    (void)unused;
    IrScalar scalar = (IrScalar)ir_reg_type(low->func, target).scalar;
    fe_array_store(low, target, n, index, fe_scalar_as(low, element, scalar));
}

/* A new array goes into `want` if nothing that is still to be read is there. */
static IrReg result_array(Lower *low, const Whole *whole, IrType type, IrReg want) {
    bool usable = want != IR_NO_REG && ir_type_same(ir_reg_type(low->func, want), type);
    for (uint32_t i = 0; i < whole->leaves.len && usable; i++)
        usable = fe_array_root(low, whole->leaves.data[i]->array) != want;
    IrReg dst = usable ? want : fe_array_owned_temp(low, type);
    ir_build(&low->b, OP_ALLOC, 1, &dst, type.ndim, whole->dims)->u.imm = false;
    return dst;
}

Value fe_lower_whole(Lower *low, const AstExpr *expr, IrReg want) {
    IrType type = fe_type_of(low, expr)->ir;
    Whole *whole = fe_whole_plan(low, expr);
    IrReg array =
        result_array(low, whole, ir_array((IrScalar)type.scalar, type.ndim, LAYOUT_C), want);
    fe_whole_store_all(low, whole, array);
    return fe_value_converted(low, fe_value_ir(low, array), fe_type_of(low, expr));
}

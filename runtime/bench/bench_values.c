/* Arguments that every call finds unchanged, and the comparison of what calls left. */
#include "runtime/bench/bench.h"
#include "runtime/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Copies ---- */

/* The bytes from the lowest element of the array to the end of the highest. */
static void span_of(const JrArrayValue *array, char **from, char **end) {
    int64_t size = ir_scalar_size((IrScalar)array->dtype), low = 0, high = 0;
    bool empty = false;
    for (uint32_t axis = 0; axis < array->ndim; axis++) {
        int64_t reach = (array->shape[axis] - 1) * array->strides[axis];
        empty |= array->shape[axis] == 0;
        if (reach < 0) low += reach;
        if (reach > 0) high += reach;
    }
    *from = *end = array->data;
    if (empty) return;
    *from = (char *)array->data + low * size;
    *end = (char *)array->data + (high + 1) * size;
}

static int64_t element_count(const JrArrayValue *array) {
    int64_t count = 1;
    for (uint32_t axis = 0; axis < array->ndim; axis++)
        count *= array->shape[axis];
    return count;
}

static size_t count_arrays(size_t count, const JrValue *values) {
    size_t arrays = 0;
    for (size_t i = 0; i < count; i++) {
        if (values[i].type == JR_ARRAY) arrays++;
        if (values[i].type == JR_TUPLE)
            arrays += count_arrays(values[i].as.tuple.count, values[i].as.tuple.items);
    }
    return arrays;
}

static size_t count_leaves(const JrValue *value) {
    size_t leaves = 0;
    if (value->type == JR_NONE) return 0;
    if (value->type != JR_TUPLE) return 1;
    for (size_t i = 0; i < value->as.tuple.count; i++)
        leaves += count_leaves(&value->as.tuple.items[i]);
    return leaves;
}

/* One block for each array; `leaf` counts as the function's parameters do. */
static void add_blocks(BenchArgs *args, size_t count, const JrValue *values, uint32_t leaves,
                       const bool *written, size_t *leaf) {
    for (size_t i = 0; i < count; i++) {
        if (values[i].type == JR_TUPLE) {
            add_blocks(args, values[i].as.tuple.count, values[i].as.tuple.items, leaves,
                       written, leaf);
            continue;
        }
        if (values[i].type == JR_ARRAY) {
            const JrArrayValue *array = values[i].as.array;
            BenchBlock *block = &args->blocks[args->block_count++];
            span_of(array, &block->from, &block->end);
            block->written = *leaf < leaves && written[*leaf];
            args->bytes += (double)element_count(array) *
                           ir_scalar_size((IrScalar)array->dtype) * (block->written ? 2 : 1);
        }
        *leaf += count_leaves(&values[i]);
    }
}

static int by_address(const void *a, const void *b) {
    const BenchBlock *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Overlapping blocks become one. */
static void merge_blocks(BenchArgs *args) {
    size_t kept = 0;
    qsort(args->blocks, args->block_count, sizeof *args->blocks, by_address);
    for (size_t i = 0; i < args->block_count; i++) {
        BenchBlock *last = kept ? &args->blocks[kept - 1] : NULL, *next = &args->blocks[i];
        if (last && next->from < last->end) {
            if (next->end > last->end) last->end = next->end;
            last->written |= next->written;
        } else {
            args->blocks[kept++] = *next;
        }
    }
    args->block_count = kept;
}

static bool fill_blocks(BenchArgs *args) {
    enum { LINE = 64 };
    for (size_t i = 0; i < args->block_count; i++) {
        BenchBlock *block = &args->blocks[i];
        size_t size = (size_t)(block->end - block->from);
        char *room = jr_arena_alloc(args->arena, size + 2 * LINE);
        if (!room) return false;
        /* As far into a cache line as the caller's. */
        size_t phase = (uintptr_t)block->from % LINE;
        block->copy = room + (LINE - (uintptr_t)room % LINE) % LINE + phase;
        if (size) memcpy(block->copy, block->from, size);
        args->any_written |= block->written;
    }
    return true;
}

static void *copied(const BenchArgs *args, const JrArrayValue *array) {
    char *from, *end;
    span_of(array, &from, &end);
    for (size_t i = 0; i < args->block_count; i++) {
        const BenchBlock *block = &args->blocks[i];
        if (from >= block->from && end <= block->end)
            return block->copy + ((char *)array->data - block->from);
    }
    return array->data;
}

static JrValue *copy_values(BenchArgs *args, size_t count, const JrValue *values) {
    JrValue *copies = JR_NEW_ARRAY(args->arena, JrValue, count);
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = values[i];
        copies[i].owned = false;
        if (values[i].type == JR_TUPLE) {
            copies[i].as.tuple.items =
                copy_values(args, values[i].as.tuple.count, values[i].as.tuple.items);
            if (!copies[i].as.tuple.items) return NULL;
        }
        if (values[i].type == JR_ARRAY) {
            JrArrayValue *array = JR_NEW(args->arena, JrArrayValue);
            if (!array) return NULL;
            *array = *values[i].as.array;
            array->data = copied(args, array);
            array->owner = NULL;
            copies[i].as.array = array;
        }
    }
    return copies;
}

bool jr_bench_args_init(BenchArgs *args, JrArena *arena, size_t count, const JrValue *values,
                        const JrFunction *function) {
    uint32_t nparams = function ? function->spec->nparams : 0, leaves = 0;
    size_t first = 0; /* leaf of the argument: a default may stand for several */
    for (uint32_t i = 0; i < nparams; i++)
        leaves += jr_leaf_count(function->spec->params[i]);
    *args = (BenchArgs){.arena = arena, .count = count};
    args->blocks = JR_NEW_ARRAY(arena, BenchBlock, count_arrays(count, values));
    if (!args->blocks) return false;
    for (size_t i = 0; i < count; i++) {
        size_t leaf = first;
        add_blocks(args, 1, &values[i], leaves, function ? function->written : NULL, &leaf);
        if (i < nparams) first += jr_leaf_count(function->spec->params[i]);
    }
    merge_blocks(args);
    args->values = fill_blocks(args) ? copy_values(args, count, values) : NULL;
    return args->values != NULL;
}

void jr_bench_args_restore(const BenchArgs *args) {
    for (size_t i = 0; i < args->block_count; i++) {
        const BenchBlock *block = &args->blocks[i];
        if (block->written)
            memcpy(block->copy, block->from, (size_t)(block->end - block->from));
    }
}

/* ---- Comparison ---- */

typedef struct Comparison {
    JrArena *arena;
    bool exact, bits;
} Comparison;

static double as_double(const JrValue *value) {
    switch (value->type) {
    case JR_BOOL: return value->as.b;
    case JR_FLOAT32:
    case JR_FLOAT64: return value->as.f;
    case JR_UINT8:
    case JR_UINT16:
    case JR_UINT32:
    case JR_UINT64: return (double)value->as.u;
    default: return (double)value->as.i;
    }
}

static bool is_float(JrType type) {
    return type == JR_FLOAT32 || type == JR_FLOAT64;
}

/* A rival's types are wider: its int is any of our integer types, its float our float32 too. */
static bool same_number(Comparison *c, const JrValue *a, const JrValue *b) {
    if (!is_float(a->type) && !is_float(b->type)) {
        bool same = a->type == JR_BOOL || b->type == JR_BOOL ? as_double(a) == as_double(b)
                                                             : a->as.u == b->as.u;
        c->bits &= same;
        return same;
    }
    double x = as_double(a), y = as_double(b);
    if (isnan(x) && isnan(y)) return true;
    if (x == y && signbit(x) == signbit(y)) return true;
    c->bits = false;
    if (x == y) return !c->exact;
    double tolerance = a->type == JR_FLOAT32 || b->type == JR_FLOAT32 ? 1e-4 : 1e-9;
    return !c->exact && isfinite(x) && isfinite(y) &&
           fabs(x - y) <= tolerance * fmax(fabs(x), fabs(y));
}

/* "3.5", or "?" without memory: for a message. */
static const char *shown(Comparison *c, const JrValue *value) {
    const char *text = NULL;
    if (is_float(value->type))
        text = jr_arena_printf(c->arena, "%.17g", value->as.f);
    else if (value->type == JR_UINT64)
        text = jr_arena_printf(c->arena, "%" PRIu64, value->as.u);
    else
        text = jr_arena_printf(c->arena, "%.0f", as_double(value));
    return text ? text : "?";
}

static const char *or_no_memory(const char *text) {
    return text ? text : JR_NO_MEMORY;
}

static const char *compare(Comparison *c, const char *what, const JrValue *a,
                           const JrValue *b);

/* A header for jr_walk. */
static void header_of(const JrArrayValue *array, JrArrayRoom *room) {
    room->array.data = array->data;
    room->array.owner = NULL;
    memcpy(room->array.dims, array->shape, array->ndim * sizeof(int64_t));
    memcpy(jr_array_strides(&room->array, array->ndim), array->strides,
           array->ndim * sizeof(int64_t));
}

static const char *compare_arrays(Comparison *c, const char *what, const JrArrayValue *a,
                                  const JrArrayValue *b) {
    if (a->dtype != b->dtype || a->ndim != b->ndim ||
        memcmp(a->shape, b->shape, a->ndim * sizeof(int64_t)) != 0)
        return or_no_memory(jr_arena_printf(c->arena, "%s has another dtype or shape", what));
    JrArrayRoom x, y;
    header_of(a, &x);
    header_of(b, &y);
    IrType type = ir_array((IrScalar)a->dtype, a->ndim, LAYOUT_ANY);
    JrWalk v = jr_walk(type, &x.array), w = jr_walk(type, &y.array);
    for (int64_t at = 0; !v.done; jr_walk_next(&v), jr_walk_next(&w), at++) {
        JrValue p, q;
        jr_value_of_scalar(ir_scalar((IrScalar)a->dtype), v.at, &p);
        jr_value_of_scalar(ir_scalar((IrScalar)a->dtype), w.at, &q);
        if (!same_number(c, &p, &q))
            return or_no_memory(jr_arena_printf(c->arena,
                                                "%s, element %" PRId64 ", is %s, not %s", what,
                                                at, shown(c, &q), shown(c, &p)));
    }
    return NULL;
}

static const char *compare_tuples(Comparison *c, const char *what, const JrValue *a,
                                  const JrValue *b) {
    const char *difference = NULL;
    if (a->as.tuple.count != b->as.tuple.count)
        return or_no_memory(jr_arena_printf(c->arena, "%s has another length", what));
    for (size_t i = 0; !difference && i < a->as.tuple.count; i++) {
        char *item = jr_arena_printf(c->arena, "item %zu of %s", i, what);
        difference =
            compare(c, item ? item : what, &a->as.tuple.items[i], &b->as.tuple.items[i]);
    }
    return difference;
}

static const char *compare(Comparison *c, const char *what, const JrValue *a,
                           const JrValue *b) {
    bool numbers =
        a->type < JR_ARRAY && a->type != JR_NONE && b->type < JR_ARRAY && b->type != JR_NONE;
    if (numbers)
        return same_number(c, a, b)
                   ? NULL
                   : or_no_memory(jr_arena_printf(c->arena, "%s is %s, not %s", what,
                                                  shown(c, b), shown(c, a)));
    if (a->type != b->type)
        return or_no_memory(jr_arena_printf(c->arena, "%s is of another kind", what));
    if (a->type == JR_ARRAY) return compare_arrays(c, what, a->as.array, b->as.array);
    if (a->type == JR_TUPLE) return compare_tuples(c, what, a, b);
    return NULL;
}

const char *jr_bench_compare(JrArena *arena, const char *what, const JrValue *a,
                             const JrValue *b, bool exact, bool *bits) {
    Comparison c = {.arena = arena, .exact = exact, .bits = true};
    const char *difference = compare(&c, what, a, b);
    *bits = c.bits && !difference;
    return difference;
}

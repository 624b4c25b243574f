/* What the runtime does to whole arrays: copying, sorting, telling whether two share memory.
 */
#include "runtime/rt/array.h"
#include "runtime/rt/rt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Extents: the half-open range of addresses the elements lie in ---- */

typedef struct Extent {
    uintptr_t low, high; /* equal when the array is empty */
} Extent;

static Extent extent_of(IrType type, const JrArray *array) {
    int64_t size = ir_scalar_size((IrScalar)type.scalar);
    const int64_t *strides = array->dims + type.ndim;
    uintptr_t base = (uintptr_t)array->data;
    Extent e = {base, base + (uintptr_t)size};
    for (unsigned i = 0; i < type.ndim; i++) {
        if (array->dims[i] <= 0) return (Extent){base, base};
        int64_t reach = (array->dims[i] - 1) * strides[i] * size;
        if (reach < 0)
            e.low += (uintptr_t)reach;
        else
            e.high += (uintptr_t)reach;
    }
    return e;
}

static bool arrays_meet(IrType a_type, const JrArray *a, IrType b_type, const JrArray *b) {
    Extent x = extent_of(a_type, a), y = extent_of(b_type, b);
    return x.low < x.high && y.low < y.high && x.low < y.high && y.low < x.high;
}

/* By extents: views that interleave without touching count as overlapping, which costs a copy
 * and is never wrong. */
JR_RT_FN(arrays_overlap) {
    results[0].b = arrays_meet(ir_type_of_bits((uint32_t)args[0].u), args[1].cp,
                               ir_type_of_bits((uint32_t)args[2].u), args[3].cp);
    return 0;
}

/* Whether the elements of a loop in order lie one behind the other. */
static bool is_rising(unsigned ndim, const JrArray *array) {
    const int64_t *strides = array->dims + ndim;
    int64_t reach = 0; /* of the axes done, from the first element to the last */
    for (unsigned i = ndim; i-- > 0;) {
        if (array->dims[i] == 1) continue;
        if (strides[i] <= reach) return false;
        reach += (array->dims[i] - 1) * strides[i];
    }
    return true;
}

/* Known for arrays of one type and shape with the same positive strides. */
JR_RT_FN(arrays_lag) {
    IrType type = ir_type_of_bits((uint32_t)args[0].u),
           other = ir_type_of_bits((uint32_t)args[2].u);
    const JrArray *to = args[1].cp, *from = args[3].cp;
    size_t sizes = 2 * type.ndim * sizeof *to->dims;
    results[0].i = 0;
    if (!arrays_meet(type, to, other, from)) return 0;
    results[0].i = INT64_MAX;
    if (type.scalar != other.scalar || type.ndim != other.ndim ||
        memcmp(to->dims, from->dims, sizes) != 0 || !is_rising(type.ndim, to))
        return 0;
    int64_t row = to->dims[0] == 1
                      ? INT64_MAX
                      : to->dims[type.ndim] * (int64_t)ir_scalar_size((IrScalar)type.scalar);
    int64_t ahead = (int64_t)((uintptr_t)to->data - (uintptr_t)from->data);
    results[0].i = ahead > 0 ? 1 + (ahead - 1) / row : ahead < 0 ? -1 : 0;
    return 0;
}

/* Axes from the smallest stride up: each has to step over all that those before it reach.
 * There may be stranger arrays without shared elements; for them the answer is no. */
static bool is_distinct(IrType type, const JrArray *array) {
    const int64_t *strides = array->dims + type.ndim;
    uint64_t reach = 0; /* of the axes done, from the first element to the last */
    bool done[IR_MAX_DIMS] = {false};
    for (unsigned round = 0; round < type.ndim; round++) {
        unsigned next = IR_MAX_DIMS;
        for (unsigned i = 0; i < type.ndim; i++)
            if (!done[i] && (next == IR_MAX_DIMS || llabs(strides[i]) < llabs(strides[next])))
                next = i;
        done[next] = true;
        if (array->dims[next] <= 0) return true;
        if (array->dims[next] == 1) continue;
        uint64_t stride = (uint64_t)llabs(strides[next]);
        if (stride <= reach) return false;
        reach += stride * (uint64_t)(array->dims[next] - 1);
    }
    return true;
}

JR_RT_FN(array_distinct) {
    results[0].b = is_distinct(ir_type_of_bits((uint32_t)args[0].u), args[1].cp);
    return 0;
}

/* ---- Copying ---- */

static bool contiguous(IrType type, const JrArray *array) {
    const int64_t *strides = array->dims + type.ndim;
    int64_t expected = 1;
    for (unsigned axis = type.ndim; axis-- > 0;) {
        if (array->dims[axis] != 1 && strides[axis] != expected) return false;
        expected *= array->dims[axis];
    }
    return true;
}

static void copy_item(char *into, const char *from, unsigned size) {
    switch (size) {
    case 1: *into = *from; break;
    case 2: memcpy(into, from, 2); break;
    case 4: memcpy(into, from, 4); break;
    default: memcpy(into, from, 8); break;
    }
}

enum {
    ITEMS_BETWEEN = 1 << 16, /* looks at the cancel flag: less than a millisecond */
    BYTES_BETWEEN = 1 << 21, /* ... where memory is copied as it lies */
};

/* The last axis in a plain loop, the others by walking. */
int32_t jr_array_copy_elements(JrRt *rt, const JrWhere *where, IrType type,
                               const JrArray *into, const JrArray *from) {
    unsigned last = type.ndim - 1u, size = ir_scalar_size((IrScalar)type.scalar);
    JrWalk to = jr_walk(type, into), of = jr_walk(type, from);
    if (to.done || of.done) return 0;
    int64_t count = into->dims[last], to_step = to.steps[last], of_step = of.steps[last];
    int64_t left = ITEMS_BETWEEN;
    to.ndim = of.ndim = last;
    for (; !to.done; jr_walk_next(&to), jr_walk_next(&of)) {
        char *p = to.at;
        const char *q = of.at;
        for (int64_t i = 0; i < count;) {
            int64_t end = count - i < left ? count : i + left;
            left -= end - i;
            for (; i < end; i++, p += to_step, q += of_step)
                copy_item(p, q, size);
            if (left > 0) continue;
            left = ITEMS_BETWEEN;
            int32_t status = rt ? jr_rt_poll(rt, where) : 0;
            if (status) return status;
        }
    }
    return 0;
}

static int32_t copy_bytes(JrRt *rt, const JrWhere *where, char *into, const char *from,
                          size_t size) {
    bool apart = into + size <= from || from + size <= into;
    if (!apart) {
        memmove(into, from, size);
        return 0;
    }
    for (size_t at = 0; at < size; at += BYTES_BETWEEN) {
        int32_t status = at ? jr_rt_poll(rt, where) : 0;
        if (status) return status;
        memcpy(into + at, from + at, size - at < BYTES_BETWEEN ? size - at : BYTES_BETWEEN);
    }
    return 0;
}

static int32_t copy_through(JrRt *rt, const JrWhere *where, IrType type, const JrArray *into,
                            const JrArray *from) {
    JrArrayRoom spare;
    memcpy(spare.array.dims, from->dims, type.ndim * sizeof(int64_t));
    int32_t status = jr_rt_array_new(rt, where, ir_type_bits(type), &spare.array, 0);
    if (status) return status;
    status = jr_array_copy_elements(rt, where, type, &spare.array, from);
    if (!status) status = jr_array_copy_elements(rt, where, type, into, &spare.array);
    jr_rt_release(spare.array.owner);
    return status;
}

JR_RT_FN(array_copy) {
    IrType to = ir_type_of_bits((uint32_t)args[0].u),
           of = ir_type_of_bits((uint32_t)args[2].u);
    const JrArray *into = args[1].cp, *from = args[3].cp;
    int64_t count = 0;
    if (to.scalar != of.scalar || to.ndim != of.ndim ||
        memcmp(into->dims, from->dims, to.ndim * sizeof(int64_t)) != 0 ||
        !jr_shape_count(into->dims, to.ndim, ir_scalar_size((IrScalar)to.scalar), &count))
        return jr_rt_raise_shape(rt, where, ir_type_bits(of), from, into->dims, to.ndim, 0);
    if (count == 0) return 0;
    if (contiguous(to, into) && contiguous(of, from))
        return copy_bytes(rt, where, into->data, from->data,
                          (size_t)count * ir_scalar_size((IrScalar)to.scalar));
    if (arrays_meet(to, into, of, from)) return copy_through(rt, where, to, into, from);
    return jr_array_copy_elements(rt, where, to, into, from);
}

#include "runtime/rt/array.h"

#include "runtime/rt/rt.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 64 * 1024 }; /* bytes, which take some microseconds to write */

/* ---- The heap ---- */

struct JrHeap {
    JrAlloc hooks;        /* a copy: buffers may outlive whatever held the original */
    const JrAlloc *alloc; /* &hooks, or NULL */
    _Atomic int64_t refs; /* its owners and its buffers */
    _Atomic int64_t buffers, bytes;
};

JrHeap *jr_heap_new(const JrAlloc *alloc) {
    JrHeap *heap = jr_alloc_new(alloc, sizeof *heap);
    if (!heap) return NULL;
    if (alloc) heap->hooks = *alloc;
    heap->alloc = alloc ? &heap->hooks : NULL;
    atomic_init(&heap->refs, 1);
    atomic_init(&heap->buffers, 0);
    atomic_init(&heap->bytes, 0);
    return heap;
}

JrHeap *jr_heap_ref(JrHeap *heap) {
    if (heap) atomic_fetch_add_explicit(&heap->refs, 1, memory_order_relaxed);
    return heap;
}

void jr_heap_unref(JrHeap *heap) {
    if (!heap || atomic_fetch_sub_explicit(&heap->refs, 1, memory_order_acq_rel) != 1) return;
    JrAlloc hooks = heap->hooks; /* the block that holds them goes */
    jr_alloc_free(heap->alloc ? &hooks : NULL, heap);
}

const JrAlloc *jr_heap_alloc(const JrHeap *heap) {
    return heap ? heap->alloc : NULL;
}

int64_t jr_heap_buffers(const JrHeap *heap) {
    return heap ? atomic_load(&heap->buffers) : 0;
}

int64_t jr_heap_bytes(const JrHeap *heap) {
    return heap ? atomic_load(&heap->bytes) : 0;
}

static void heap_account(JrHeap *heap, int64_t buffers, int64_t bytes) {
    if (!heap) return;
    atomic_fetch_add_explicit(&heap->buffers, buffers, memory_order_relaxed);
    atomic_fetch_add_explicit(&heap->bytes, bytes, memory_order_relaxed);
}

/* ---- Buffers: a header in the 64 bytes before the data, all in one block ---- */

enum { ALIGN = 64 };
/* Of a process. No allocator needs to be asked for more, and sanitizers' ones stop the
 * program. */
#define ADDRESS_SPACE ((size_t)1 << 47)

struct JrBuffer {
    _Atomic int64_t refs;
    JrHeap *heap;
    void *data;
    size_t bytes;
    void *block; /* what to free */
    void (*release)(void *user);
    void *user;
};

_Static_assert(sizeof(JrBuffer) <= ALIGN, "the header fits in front of aligned data");

/* calloc gets large blocks as zero pages; memset would touch them all. */
static void *block_new(const JrAlloc *alloc, size_t size, bool zeroed) {
    if (!alloc) return zeroed ? calloc(1, size) : malloc(size);
    void *block = jr_alloc_new(alloc, size);
    if (block && zeroed) memset(block, 0, size);
    return block;
}

static void buffer_init(JrBuffer *buffer, JrHeap *heap, void *block, void *data,
                        size_t bytes) {
    atomic_init(&buffer->refs, 1);
    buffer->heap = jr_heap_ref(heap);
    buffer->data = data;
    buffer->bytes = bytes;
    buffer->block = block;
    buffer->release = NULL;
    buffer->user = NULL;
    heap_account(heap, 1, (int64_t)bytes);
}

JrBuffer *jr_buffer_new(JrHeap *heap, size_t bytes, bool zeroed) {
    if (bytes >= ADDRESS_SPACE) return NULL;
    char *block = block_new(jr_heap_alloc(heap), bytes + 2 * ALIGN, zeroed);
    if (!block) return NULL;
    char *data = block + ALIGN;
    data += -(uintptr_t)data & (ALIGN - 1);
    JrBuffer *buffer = (JrBuffer *)(void *)(data - ALIGN);
    buffer_init(buffer, heap, block, data, bytes);
    return buffer;
}

JrBuffer *jr_buffer_wrap(JrHeap *heap, void *data, size_t bytes, void (*release)(void *user),
                         void *user) {
    JrBuffer *buffer = jr_alloc_new(jr_heap_alloc(heap), sizeof *buffer);
    if (!buffer) return NULL;
    buffer_init(buffer, heap, buffer, data, bytes);
    buffer->release = release;
    buffer->user = user;
    return buffer;
}

void *jr_buffer_data(const JrBuffer *buffer) {
    return buffer->data;
}

size_t jr_buffer_bytes(const JrBuffer *buffer) {
    return buffer->bytes;
}

int64_t jr_buffer_refs(const JrBuffer *buffer) {
    return atomic_load(&buffer->refs);
}

void jr_rt_retain(JrBuffer *buffer) {
    if (buffer) atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
}

void jr_rt_release(JrBuffer *buffer) {
    if (!buffer || atomic_fetch_sub_explicit(&buffer->refs, 1, memory_order_acq_rel) != 1)
        return;
    JrHeap *heap = buffer->heap;
    if (buffer->release) buffer->release(buffer->user);
    heap_account(heap, -1, -(int64_t)buffer->bytes);
    jr_alloc_free(jr_heap_alloc(heap), buffer->block);
    jr_heap_unref(heap);
}

/* ---- Shapes ---- */

/* A zero dim makes the count 0, but the others must still fit, as in NumPy. */
bool jr_shape_count(const int64_t *dims, unsigned ndim, unsigned item_size, int64_t *count) {
    int64_t bytes = item_size;
    bool empty = false;
    for (unsigned i = 0; i < ndim; i++) {
        if (dims[i] < 0) return false;
        if (dims[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(bytes, dims[i], &bytes))
            return false;
    }
    *count = empty ? 0 : bytes / (item_size ? item_size : 1);
    return true;
}

void jr_shape_strides(const int64_t *dims, unsigned ndim, int64_t *strides) {
    uint64_t stride = 1;
    for (unsigned axis = ndim; axis-- > 0;) {
        strides[axis] = (int64_t)stride;
        stride *= (uint64_t)dims[axis];
    }
}

char *jr_shape_text(char out[JR_SHAPE_CHARS], const int64_t *dims, unsigned ndim) {
    char *p = out;
    *p++ = '(';
    for (unsigned i = 0; i < ndim; i++)
        p += sprintf(p, i ? ",%" PRId64 : "%" PRId64, dims[i]);
    strcpy(p, ndim == 1 ? ",)" : ")");
    return out;
}

JrWalk jr_walk(IrType type, const JrArray *array) {
    JrWalk w = {.at = array->data, .ndim = type.ndim, .dims = array->dims};
    int64_t size = ir_scalar_size((IrScalar)type.scalar);
    for (unsigned i = 0; i < w.ndim; i++) {
        w.steps[i] = array->dims[w.ndim + i] * size;
        w.done |= array->dims[i] <= 0;
    }
    return w;
}

/* ---- What compiled code calls ---- */

/* "7.28 TiB": three digits, the largest unit that leaves one before the point. */
static void size_text(char *out, size_t room, double bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    for (; bytes >= 1024 && unit < 6; unit++)
        bytes /= 1024;
    int decimals = unit == 0 || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2;
    snprintf(out, room, "%.*f %s", decimals, bytes, units[unit]);
}

static int32_t raise_no_memory(JrRt *rt, const JrWhere *where, IrType type,
                               const JrArray *array, int64_t count) {
    char size[32], shape[JR_SHAPE_CHARS];
    size_text(size, sizeof size, (double)count * ir_scalar_size((IrScalar)type.scalar));
    return jr_raise(rt, where, EXC_MEMORY,
                    "unable to allocate %s for an array with shape %s and type %s", size,
                    jr_shape_text(shape, array->dims, type.ndim),
                    ir_scalar_name((IrScalar)type.scalar));
}

static int32_t raise_bad_shape(JrRt *rt, const JrWhere *where, IrType type,
                               const JrArray *array) {
    char shape[JR_SHAPE_CHARS];
    for (unsigned i = 0; i < type.ndim; i++)
        if (array->dims[i] < 0)
            return jr_raise_value(rt, where, "negative dimensions are not allowed");
    return jr_raise(rt, where, EXC_VALUE,
                    "array is too big: shape %s of %s is more than 64 bits can address",
                    jr_shape_text(shape, array->dims, type.ndim),
                    ir_scalar_name((IrScalar)type.scalar));
}

int32_t jr_rt_array_new(JrRt *rt, const JrWhere *where, uint32_t type_bits, JrArray *out,
                        int32_t zeroed) {
    IrType type = ir_type_of_bits(type_bits);
    unsigned size = ir_scalar_size((IrScalar)type.scalar);
    int64_t count;
    if (!jr_shape_count(out->dims, type.ndim, size, &count))
        return raise_bad_shape(rt, where, type, out);
    if ((size_t)count * size > LARGE) {
        jr_thread_yield(jr_thread_of(rt));
        int32_t status = jr_rt_poll(rt, where);
        if (status) return status;
    }
    JrBuffer *buffer =
        jr_buffer_new(jr_thread_of(rt)->heap, (size_t)count * size, zeroed != 0);
    if (!buffer) return raise_no_memory(rt, where, type, out, count);
    out->data = buffer->data;
    out->owner = buffer;
    jr_shape_strides(out->dims, type.ndim, jr_array_strides(out, type.ndim));
    return 0;
}

int32_t jr_rt_raise_shape(JrRt *rt, const JrWhere *where, uint32_t type_bits,
                          const JrArray *array, const int64_t *dims, int64_t ndim,
                          int64_t reshape) {
    IrType type = ir_type_of_bits(type_bits);
    char from[JR_SHAPE_CHARS], to[JR_SHAPE_CHARS];
    jr_shape_text(to, dims, (unsigned)ndim);
    int64_t count = 0;
    jr_shape_count(array->dims, type.ndim, 1, &count);
    if (reshape)
        return jr_raise(rt, where, EXC_VALUE,
                        "cannot reshape array of size %" PRId64 " into shape %s", count, to);
    return jr_raise(rt, where, EXC_VALUE,
                    "could not broadcast input array from shape %s into shape %s",
                    jr_shape_text(from, array->dims, type.ndim), to);
}

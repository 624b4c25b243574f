/* Memory behind arrays: counted buffers, and the heap that accounts for them.
 *
 * A heap belongs to a context. Each live buffer keeps it alive, so an array may outlive the
 * context that made it (what its JrAlloc's user points to must live as long). Buffers may be
 * retained and released from any thread. */
#ifndef JR_RUNTIME_ARRAY_H
#define JR_RUNTIME_ARRAY_H

#include "ir/rt.h"

typedef struct JrHeap JrHeap;

/* A heap with one reference, or NULL when there is no memory. alloc NULL is malloc. */
JrHeap *jr_heap_new(const JrAlloc *alloc);
JrHeap *jr_heap_ref(JrHeap *heap); /* NULL is fine, here and below: malloc without accounts */
void jr_heap_unref(JrHeap *heap);
const JrAlloc *jr_heap_alloc(const JrHeap *heap);
/* Buffers and bytes of array data alive now. */
int64_t jr_heap_buffers(const JrHeap *heap);
int64_t jr_heap_bytes(const JrHeap *heap);

/* Bytes of data, 64-byte aligned, in a new buffer with one reference; NULL when there is no
 * memory. Large zeroed ones are pages the system has zeroed, and cost nothing until touched.
 */
JrBuffer *jr_buffer_new(JrHeap *heap, size_t bytes, bool zeroed);
/* Memory that is the host's: `release(user)` is called once, at the last reference, on
 * whatever thread drops it. On NULL it was not called. */
JrBuffer *jr_buffer_wrap(JrHeap *heap, void *data, size_t bytes, void (*release)(void *user),
                         void *user);
void *jr_buffer_data(const JrBuffer *buffer);
size_t jr_buffer_bytes(const JrBuffer *buffer);
/* References now, for tests and for hosts that want to know whether they are alone. */
int64_t jr_buffer_refs(const JrBuffer *buffer);

static inline int64_t *jr_array_strides(JrArray *array, unsigned ndim) {
    return array->dims + ndim;
}

/* Room for a header of any rank. */
typedef union JrArrayRoom {
    JrArray array;
    char room[JR_ARRAY_BYTES(IR_MAX_DIMS)];
} JrArrayRoom;

/* Elements of a shape: false when a dim is negative or when their bytes do not fit int64_t. */
bool jr_shape_count(const int64_t *dims, unsigned ndim, unsigned item_size, int64_t *count);
/* C order's strides in elements. */
void jr_shape_strides(const int64_t *dims, unsigned ndim, int64_t *strides);
/* "(3,4)" or "(3,)", as NumPy's messages write it. At most JR_SHAPE_CHARS, NUL included. */
enum { JR_SHAPE_CHARS = IR_MAX_DIMS * 21 + 4 };
char *jr_shape_text(char out[JR_SHAPE_CHARS], const int64_t *dims, unsigned ndim);

/* Steps through the elements of an array in C order, whatever its strides:
 *     for (JrWalk w = jr_walk(type, array); !w.done; jr_walk_next(&w)) use(w.at); */
typedef struct JrWalk {
    char *at;
    bool done;
    unsigned ndim;
    const int64_t *dims;
    int64_t steps[IR_MAX_DIMS]; /* bytes */
    int64_t index[IR_MAX_DIMS];
} JrWalk;

JrWalk jr_walk(IrType type, const JrArray *array);
static inline void jr_walk_next(JrWalk *w) {
    for (unsigned axis = w->ndim; axis-- > 0;) {
        w->at += w->steps[axis];
        if (++w->index[axis] < w->dims[axis]) return;
        w->at -= w->steps[axis] * w->dims[axis];
        w->index[axis] = 0;
    }
    w->done = true;
}

/* Elements to another array of the type and shape, which shares no memory with it. With `rt` it looks
 * now and then whether the run is to stop, and returns that status; with NULL it copies all. */
int32_t jr_array_copy_elements(JrRt *rt, const JrWhere *where, IrType type,
                               const JrArray *into, const JrArray *from);

#endif

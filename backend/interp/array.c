/* Instructions on whole arrays and calls of the runtime: too rare to be worth a place in the
 * dispatch loop. Each returns 0, or the status of the error it raised. */
#include "backend/interp/bytecode.h"

#include <string.h>

int64_t jr_interp_fix_index(Run *run, const Instr *ip, const Header *array, unsigned axis,
                            unsigned ndim, int64_t index) {
    const Place *place = &run->code->places[ip - run->code->code];
    const unsigned bit = 1u << axis;
    const int64_t dim = array->dims[axis];
    int64_t fixed = (place->wrap & bit) && index < 0 ? index + dim : index;
    if (!(place->check & bit) || (fixed >= 0 && fixed < dim)) return fixed;
    run->status = run->code->helpers.raise_index(run->rt, &run->code->wheres[place->where],
                                                 index, dim, axis, ndim);
    return -1;
}

static size_t header_bytes(unsigned ndim) {
    return JR_ARRAY_BYTES(ndim);
}

void jr_interp_assign(const JrCode *code, Header *dst, const Header *src, uint32_t slots) {
    JrBuffer *before = dst->owner;
    code->helpers.retain(src->owner);
    memmove(dst, src, slots * sizeof(Slot));
    code->helpers.release(before);
}

void jr_interp_transpose(Header *dst, const Header *src, uint32_t ndim) {
    dst->data = src->data;
    dst->owner = src->owner;
    for (uint32_t n = 0; n < ndim; n++) {
        dst->dims[n] = src->dims[ndim - 1 - n];
        dst->dims[ndim + n] = src->dims[2 * ndim - 1 - n];
    }
}

static Header *scratch_header(Scratch *scratch) {
    return (Header *)(void *)scratch;
}

static const Operand *operand(const Run *run, const Record *record, uint32_t n) {
    return &run->code->operands[record->first + n];
}

void jr_interp_write_result(const Run *run, char *fp, const Operand *dst,
                            const Scratch *result) {
    Header *header = frame_header(fp, dst->slot);
    JrBuffer *before = dst->owned ? header->owner : NULL;
    memcpy(header, result, header_bytes(dst->ndim));
    run->code->helpers.release(before);
}

static void set_c_strides(Header *header, unsigned ndim) {
    uint64_t stride = 1;
    for (unsigned n = ndim; n-- > 0; stride *= (uint64_t)header->dims[n])
        header->dims[ndim + n] = (int64_t)stride;
}

int32_t jr_interp_alloc(Run *run, const Instr *ip, char *fp, const Record *record) {
    const Operand *dst = operand(run, record, 0);
    Scratch result = {.room = {{0}}};
    for (uint32_t n = 0; n < record->nargs; n++)
        scratch_header(&result)->dims[n] = frame_slot(fp, dst[1 + n].slot)->i;
    int32_t status = run->code->helpers.array_new(run->rt, place_where(run->code, ip),
                                                  dst->bits, &result.array, record->imm);
    if (!status) jr_interp_write_result(run, fp, dst, &result);
    return status;
}

/* A view under construction: where it starts, in elements, and the axes it has so far. */
typedef struct View {
    const Header *src;
    unsigned src_ndim, axis; /* the next axis of src */
    uint64_t offset;
    unsigned ndim;
    int64_t dims[IR_MAX_DIMS], strides[IR_MAX_DIMS];
} View;

static void add_axis(View *view, int64_t dim, int64_t stride) {
    view->dims[view->ndim] = dim;
    view->strides[view->ndim++] = stride;
}

static bool index_axis(Run *run, const Instr *ip, const Record *record, View *view,
                       int64_t index) {
    const unsigned axis = view->axis++;
    if ((record->check | record->wrap) >> axis & 1)
        index = jr_interp_fix_index(run, ip, view->src, axis, view->src_ndim, index);
    if (run->status) return false;
    view->offset += (uint64_t)index * (uint64_t)view->src->dims[view->src_ndim + axis];
    return true;
}

static void slice_axis(View *view, int64_t start, int64_t length, int64_t step) {
    const uint64_t stride = (uint64_t)view->src->dims[view->src_ndim + view->axis++];
    view->offset += (uint64_t)start * stride;
    add_axis(view, length, (int64_t)(stride * (uint64_t)step));
}

static bool take_steps(Run *run, const Instr *ip, char *fp, const Record *record, View *view) {
    const Operand *arg = operand(run, record, 2);
    for (const char *step = record->axes; *step; step++) {
        if (*step == 'n') {
            add_axis(view, 1, 0);
        } else if (*step == 'i') {
            if (!index_axis(run, ip, record, view, frame_slot(fp, arg[0].slot)->i))
                return false;
            arg += 1;
        } else {
            slice_axis(view, frame_slot(fp, arg[0].slot)->i, frame_slot(fp, arg[1].slot)->i,
                       frame_slot(fp, arg[2].slot)->i);
            arg += 3;
        }
    }
    while (view->axis < view->src_ndim)
        slice_axis(view, 0, view->src->dims[view->axis], 1);
    return true;
}

static void write_view(const View *view, const Operand *dst, char *fp) {
    const IrType type = ir_type_of_bits(dst->bits);
    Header *header = frame_header(fp, dst->slot);
    const uintptr_t data = (uintptr_t)view->src->data;
    JrBuffer *owner = view->src->owner;
    header->data = (void *)(data + (uintptr_t)view->offset * ir_scalar_size(type.scalar));
    header->owner = owner;
    for (unsigned n = 0; n < view->ndim; n++) {
        header->dims[n] = view->dims[n];
        header->dims[view->ndim + n] = view->strides[n];
    }
    if (type.layout == LAYOUT_C) set_c_strides(header, view->ndim);
}

int32_t jr_interp_view(Run *run, const Instr *ip, char *fp, const Record *record) {
    const Operand *dst = operand(run, record, 0);
    View view = {.src = frame_header(fp, dst[1].slot), .src_ndim = dst[1].ndim};
    if (take_steps(run, ip, fp, record, &view)) write_view(&view, dst, fp);
    return run->status;
}

/* The dims wanted by a BROADCAST or RESHAPE. */
static unsigned wanted_dims(const Run *run, char *fp, const Record *record, int64_t *dims) {
    const Operand *arg = operand(run, record, 2);
    for (uint32_t n = 0; n + 1 < record->nargs; n++)
        dims[n] = frame_slot(fp, arg[n].slot)->i;
    return record->nargs - 1;
}

static int32_t raise_shape(Run *run, const Instr *ip, char *fp, const Operand *src,
                           const int64_t *dims, unsigned ndim, bool reshape) {
    Scratch array;
    memcpy(&array, fp + src->slot, header_bytes(src->ndim));
    return run->code->helpers.raise_shape(run->rt, place_where(run->code, ip), src->bits,
                                          &array.array, dims, ndim, reshape);
}

int32_t jr_interp_broadcast(Run *run, const Instr *ip, char *fp, const Record *record) {
    const Operand *dst = operand(run, record, 0), *src = dst + 1;
    int64_t dims[IR_MAX_DIMS] = {0};
    const unsigned ndim = wanted_dims(run, fp, record, dims);
    View view = {.src = frame_header(fp, src->slot), .src_ndim = src->ndim};
    for (unsigned n = 0; n < ndim; n++) {
        if (n + src->ndim < ndim) {
            add_axis(&view, dims[n], 0);
            continue;
        }
        const unsigned axis = n + src->ndim - ndim;
        const int64_t dim = view.src->dims[axis];
        if (dim != dims[n] && dim != 1)
            return raise_shape(run, ip, fp, src, dims, ndim, false);
        add_axis(&view, dims[n], dim == dims[n] ? view.src->dims[src->ndim + axis] : 0);
    }
    write_view(&view, dst, fp);
    return 0;
}

/* The number of elements; -1 if a dim is negative or the product too large for any array. */
static int64_t elements(const int64_t *dims, unsigned ndim) {
    int64_t product = 1;
    bool empty = false, large = false;
    for (unsigned n = 0; n < ndim; n++) {
        if (dims[n] < 0) return -1;
        if (dims[n] == 0) empty = true;
        large |= __builtin_mul_overflow(product, dims[n] ? dims[n] : 1, &product);
    }
    return empty ? 0 : large ? -1 : product;
}

int32_t jr_interp_reshape(Run *run, const Instr *ip, char *fp, const Record *record) {
    const Operand *dst = operand(run, record, 0), *src = dst + 1;
    int64_t dims[IR_MAX_DIMS] = {0};
    const unsigned ndim = wanted_dims(run, fp, record, dims);
    const Header *header = frame_header(fp, src->slot);
    int64_t have[IR_MAX_DIMS];
    memcpy(have, header->dims, src->ndim * sizeof *have);
    if (elements(dims, ndim) != elements(have, src->ndim))
        return raise_shape(run, ip, fp, src, dims, ndim, true);
    View view = {.src = header, .ndim = ndim};
    memcpy(view.dims, dims, ndim * sizeof *dims);
    for (unsigned n = ndim; n-- > 0;)
        view.strides[n] =
            n + 1 == ndim ? 1
                          : (int64_t)((uint64_t)view.strides[n + 1] * (uint64_t)dims[n + 1]);
    write_view(&view, dst, fp);
    return 0;
}

/* ---- Calls of the runtime ---- */

enum { MAX_RT_OPERANDS = 16 };

static uint32_t put_argument(const Run *run, char *fp, const Operand *arg, JrSlot *out) {
    if (arg->kind == 's') {
        out[0].cp = run->code->strings + arg->slot;
        out[1].u = arg->bits;
        return 2;
    }
    if (arg->kind == 'a') {
        out[0].u = arg->bits;
        out[1].p = fp + arg->slot;
        return 2;
    }
    out[0].u = frame_slot(fp, arg->slot)->u;
    return 1;
}

static uint32_t take_result(const Run *run, char *fp, const Operand *dst, const JrSlot *in,
                            const Scratch *array) {
    Slot *slot = frame_slot(fp, dst->slot);
    switch (dst->kind) {
    case 'a': jr_interp_write_result(run, fp, dst, array); return 2;
    case 'b': slot->u = in->b != 0; return 1;
    case 'f': slot->f = in->f; return 1;
    default: slot->u = in->u; return 1;
    }
}

int32_t jr_interp_rt(Run *run, const Instr *ip, char *fp, const Record *record) {
    const Operand *dsts = operand(run, record, 0);
    JrSlot args[2 * MAX_RT_OPERANDS], results[2 * MAX_RT_OPERANDS];
    Scratch arrays[2];
    uint32_t n = 0, narrays = 0;
    for (uint32_t k = 0; k < record->nargs; k++)
        n += put_argument(run, fp, &dsts[record->ndsts + k], &args[n]);
    n = 0;
    for (uint32_t k = 0; k < record->ndsts; k++, n++) {
        if (dsts[k].kind != 'a') continue;
        results[n++].p = &arrays[narrays++];
        results[n].u = dsts[k].bits;
    }
    JrRtFn function = (JrRtFn)record->address;
    int32_t status = function(run->rt, place_where(run->code, ip), args, results);
    if (status) return status;
    n = narrays = 0;
    for (uint32_t k = 0; k < record->ndsts; k++) {
        n += take_result(run, fp, &dsts[k], &results[n], &arrays[narrays]);
        narrays += dsts[k].kind == 'a';
    }
    return 0;
}

typedef __typeof__(&jr_rt_parallel_body) ParallelFn;

/* The first operand is the letters that say how the others are laid out. */
int32_t jr_interp_parallel(Run *run, const Instr *ip, char *fp, const Record *record) {
    const JrCode *code = run->code;
    const Operand *dsts = operand(run, record, 0), *letters = dsts + record->ndsts;
    const JrCall body = {.run = jr_interp_enter,
                         .function = (void *)&code->funcs[record->func],
                         .data = (void *)code};
    JrSlot few[2 * MAX_RT_OPERANDS], *slots = few;
    if (record->nargs > MAX_RT_OPERANDS + 1)
        slots = jr_alloc_new(code->alloc, 2 * record->nargs * sizeof *slots);
    if (!slots) {
        static const char message[] = "not enough memory for a parallel region";
        return code->helpers.raise(run->rt, place_where(code, ip), EXC_MEMORY, message,
                                   (int64_t)sizeof message - 1);
    }
    uint32_t n = 0;
    for (uint32_t k = 1; k < record->nargs; k++)
        n += put_argument(run, fp, &letters[k], &slots[n]);
    int32_t status = ((ParallelFn)record->address)(run->rt, place_where(code, ip), &body,
                                                   code->strings + letters->slot, slots);
    for (uint32_t k = 0; k < record->ndsts; k++)
        frame_slot(fp, dsts[k].slot)->i = slots[k].i;
    if (slots != few) jr_alloc_free(code->alloc, slots);
    return record->ndsts ? 0 : status;
}

int32_t jr_interp_raise(Run *run, const Instr *ip, const Record *record) {
    const Operand *message = operand(run, record, 0);
    return run->code->helpers.raise(run->rt, place_where(run->code, ip), record->imm,
                                    run->code->strings + message->slot, message->bits);
}

/* jr_function_pointer: a function as the plain C pointer a person would declare.
 *
 * The C signature is made from the function's leaves (call.c), in one place for everyone: the
 * libffi closure below, jr_function_prototype, and docs/embedding.md's table.
 *
 *     float64                 double x
 *     float64[::1]            const double *x, int64_t x_len        const: it is not written to
 *     float64[:, ::1]         const double *x, int64_t x_dim0, int64_t x_dim1
 *     float64[:, :]           ... and then int64_t x_stride0, int64_t x_stride1, in elements
 *     a tuple                 its items, one after the other
 *     -> float64              double f(...)
 *     -> None                 JrStatus f(...)
 *     -> an array or a tuple  JrStatus f(..., one pointer for each leaf): double *,
 *                             JrArrayValue *; NULL for what is not wanted
 *
 * What fails leaves its error in this thread's slot, and the value returned is then zero (or,
 * of a JrStatus, is the status). Out-pointers are written on failure too: zeros.
 *
 * Engines that make machine code make this pointer too (JrCSignature). What follows is the same
 * for the interpreter: a closure of libffi, made once for a function and freed with its module.
 * It finds its arguments as libffi hands them out: pointers to storage of each C type. A
 * scalar's is what compiled code takes already; an array is gathered from several into a header.
 */
#include "runtime/pointer.h"
#include "runtime/fork.h"

#include "runtime/lifetime.h"
#include "runtime/rt/rt.h"
#include "runtime/value.h"

#include <string.h>

#ifdef JITRUN_HAVE_FFI
#include "runtime/ffi_types.h"

struct JrPointer {
    JrFunction *function;
    ffi_closure *closure;
    void *code;
    ffi_cif *cif;
    const JrCAbi *abi;
    uint32_t nleaves; /* of parameters and results */
};

/* ---- A call through the pointer ---- */

typedef struct Frame {
    JrPointer *pointer;
    JrLeaf *leaves;
    void **args; /* libffi's, the next one to be read */
    void **pointers;
} Frame;

static JrStatus bad_array(const Frame *f, const JrCLeaf *leaf, const char *fault) {
    return jr_error_set(JR_ERR_ARGUMENT, "%s: the array '%s' %s",
                        f->pointer->function->spec->func->ast->name, leaf->name, fault);
}

static JrStatus read_array(Frame *f, const JrCLeaf *leaf, JrArray *array) {
    unsigned ndim = leaf->type.ndim;
    JrArrayValue value = {.dtype = (JrType)leaf->type.scalar, .ndim = ndim};
    value.data = *(void **)*f->args++;
    for (unsigned i = 0; i < ndim; i++)
        value.shape[i] = *(int64_t *)*f->args++;
    if (leaf->type.layout == LAYOUT_C) jr_shape_strides(value.shape, ndim, value.strides);
    for (unsigned i = 0; i < ndim && leaf->type.layout != LAYOUT_C; i++)
        value.strides[i] = *(int64_t *)*f->args++;
    const char *fault = jr_array_fault(&value);
    if (fault) return bad_array(f, leaf, fault);
    array->data = value.data;
    array->owner = NULL;
    memcpy(array->dims, value.shape, ndim * sizeof(int64_t));
    memcpy(jr_array_strides(array, ndim), value.strides, ndim * sizeof(int64_t));
    return JR_OK;
}

static JrStatus read_arguments(Frame *f) {
    const JrCAbi *abi = f->pointer->abi;
    for (uint32_t i = 0; i < abi->nparams; i++) {
        f->pointers[i] = &f->leaves[i];
        if (abi->leaves[i].type.ndim) {
            JrStatus status = read_array(f, &abi->leaves[i], &f->leaves[i].array);
            if (status) return status;
            continue;
        }
        f->pointers[i] = *f->args++;
        if (abi->leaves[i].type.scalar == TY_BOOL) { /* any other byte than 0 is true */
            f->leaves[i].scalar.b = *(uint8_t *)f->pointers[i] != 0;
            f->pointers[i] = &f->leaves[i];
        }
    }
    return JR_OK;
}

/* What comes back may be a view of the caller's memory, which was const for us. */
static bool may_be_const(const JrCAbi *abi, const JrArray *array) {
    for (uint32_t i = 0; i < abi->nparams && !array->owner; i++)
        if (abi->leaves[i].type.ndim && !abi->leaves[i].written) return true;
    return false;
}

static void write_array(const JrCAbi *abi, IrType type, const JrArray *array,
                        JrArrayValue *out) {
    jr_value_fill_array(type, array, out);
    out->readonly = may_be_const(abi, array);
}

/* ran: there are results; good: the caller gets them. */
static void write_results(Frame *f, bool ran, bool good) {
    const JrCAbi *abi = f->pointer->abi;
    for (uint32_t i = abi->nparams; i < f->pointer->nleaves; i++) {
        IrType type = abi->leaves[i].type;
        void *out = *(void **)*f->args++;
        const JrArray *array = &f->leaves[i].array;
        bool given = out && good;
        if (type.ndim && ran && !given) jr_rt_release(array->owner);
        if (out)
            memset(out, 0,
                   type.ndim ? sizeof(JrArrayValue) : ir_scalar_size((IrScalar)type.scalar));
        if (given && type.ndim)
            write_array(abi, type, array, out);
        else if (given)
            memcpy(out, &f->leaves[i], ir_scalar_size((IrScalar)type.scalar));
    }
}

/* libffi wants what is narrower than a register widened to one. */
static void return_scalar(IrScalar scalar, const void *storage, void *ret) {
    switch (scalar) {
    case TY_INT8: *(ffi_sarg *)ret = *(const int8_t *)storage; break;
    case TY_INT16: *(ffi_sarg *)ret = *(const int16_t *)storage; break;
    case TY_INT32: *(ffi_sarg *)ret = *(const int32_t *)storage; break;
    case TY_BOOL:
    case TY_UINT8: *(ffi_arg *)ret = *(const uint8_t *)storage; break;
    case TY_UINT16: *(ffi_arg *)ret = *(const uint16_t *)storage; break;
    case TY_UINT32: *(ffi_arg *)ret = *(const uint32_t *)storage; break;
    default: memcpy(ret, storage, ir_scalar_size(scalar)); break;
    }
}

static void call_frame(Frame *f, void *ret) {
    const JrCAbi *abi = f->pointer->abi;
    JrFunction *function = f->pointer->function;
    void **first_arg = f->args;
    bool ran = false;
    jr_error_clear();
    for (uint32_t i = abi->nparams; i < f->pointer->nleaves; i++) {
        f->leaves[i].scalar.u = 0;
        f->pointers[i] = &f->leaves[i];
    }
    JrStatus status = read_arguments(f);
    if (!status)
        status = jr_function_run(function->module, &function->call, f->pointers,
                                 f->pointers + abi->nparams, &ran);
    if (abi->returns_scalar) {
        if (status) f->leaves[abi->nparams].scalar.u = 0;
        return_scalar((IrScalar)abi->leaves[abi->nparams].type.scalar,
                      &f->leaves[abi->nparams], ret);
        return;
    }
    f->args = first_arg + f->pointer->cif->nargs - (f->pointer->nleaves - abi->nparams);
    write_results(f, ran, status == JR_OK);
    *(ffi_sarg *)ret = status;
}

static void call_pointer(JrPointer *pointer, void *ret, void **args) {
    enum { FEW = 8 };
    JrLeaf few[FEW];
    void *few_pointers[FEW];
    Frame f = {pointer, few, args, few_pointers};
    const JrAlloc *alloc = pointer->function->module->context->alloc;
    memset(ret, 0, sizeof(ffi_arg));
    if (pointer->nleaves > FEW) {
        f.leaves = jr_alloc_new(alloc, pointer->nleaves * (sizeof(JrLeaf) + sizeof(void *)));
        f.pointers = (void **)(f.leaves + pointer->nleaves);
    }
    if (!f.leaves) {
        JrStatus status = jr_error_set(JR_MEMORY_ERROR, "out of memory");
        if (!pointer->abi->returns_scalar) *(ffi_sarg *)ret = status;
        return;
    }
    call_frame(&f, ret);
    if (f.leaves != few) jr_alloc_free(alloc, f.leaves);
}

static void enter(ffi_cif *cif, void *ret, void **args, void *user) {
    JrPointer *pointer = user;
    JrModule *module = pointer->function->module;
    (void)cif;
    if (jr_module_enter(module)) {
        call_pointer(pointer, ret, args);
        jr_module_leave(module);
        return;
    }
    memset(ret, 0, sizeof(ffi_arg));
    if (!pointer->abi->returns_scalar) *(ffi_sarg *)ret = JR_MEMORY_ERROR;
}

/* ---- Making it ---- */

/* The C types of one parameter's leaf; returns how many there are. */
static uint32_t add_types(const JrCLeaf *leaf, ffi_type **types) {
    uint32_t n = 0;
    if (!leaf->type.ndim) {
        types[n++] = jr_ffi_scalar((IrScalar)leaf->type.scalar);
        return n;
    }
    types[n++] = &ffi_type_pointer;
    uint32_t numbers = leaf->type.ndim * (leaf->type.layout == LAYOUT_C ? 1 : 2);
    while (numbers--)
        types[n++] = &ffi_type_sint64;
    return n;
}

static bool prepare(JrPointer *p, JrArena *arena) {
    const JrCAbi *abi = p->abi;
    ffi_type **types =
        JR_NEW_ARRAY(arena, ffi_type *, (size_t)p->nleaves * (1 + 2 * IR_MAX_DIMS) + 1);
    ffi_type *result = &ffi_type_sint32; /* JrStatus */
    uint32_t n = 0;
    for (uint32_t i = 0; i < abi->nparams; i++)
        n += add_types(&abi->leaves[i], types + n);
    if (abi->returns_scalar)
        result = jr_ffi_scalar((IrScalar)abi->leaves[abi->nparams].type.scalar);
    else
        for (uint32_t i = abi->nparams; i < p->nleaves; i++)
            types[n++] = &ffi_type_pointer;
    return (p->cif = jr_ffi_cif(result, n, types)) != NULL;
}

/* libffi sets its allocator up in the first call, and another thread's first call may find it half
 * done: it looks whether it has been without a lock. */
static void set_up_closures(void) {
    void *code;
    ffi_closure *first = ffi_closure_alloc(sizeof *first, &code);
    if (first) ffi_closure_free(first);
}

static JrStatus make_pointer(JrFunction *function) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    JrArena *arena = function->module->arena;
    JrPointer *p = JR_NEW(arena, JrPointer);
    p->function = function;
    p->abi = jr_c_abi(function);
    p->nleaves = p->abi->nparams + p->abi->nresults;
    if (!prepare(p, arena)) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    /* From here on nothing comes from the arena: what is not in it must not be jumped over. */
    pthread_once(&once, set_up_closures);
    p->closure = ffi_closure_alloc(sizeof *p->closure, &p->code);
    if (!p->closure) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    function->pointer = p;
    if (ffi_prep_closure_loc(p->closure, p->cif, enter, p, p->code) == FFI_OK) return JR_OK;
    jr_pointer_free(function);
    return jr_error_set(JR_ERR_ENGINE, "libffi cannot make a closure here");
}

void jr_pointer_free(JrFunction *function) {
    if (function->pointer) ffi_closure_free(function->pointer->closure);
    function->pointer = NULL;
}

static void *code_of(const JrFunction *function) {
    return function->pointer->code;
}

#else

static JrStatus make_pointer(JrFunction *function) {
    (void)function;
    return jr_error_set(JR_ERR_ENGINE, "this jitrun was built without libffi, which makes "
                                       "pointers to functions");
}

void jr_pointer_free(JrFunction *function) {
    (void)function;
}

static void *code_of(const JrFunction *function) {
    (void)function;
    return NULL;
}

#endif

/* The engine's own, which a selective one makes now if jr_function_for found the function. The
 * closure is for engines that have none. */
static JrStatus find_pointer(JrFunction *function) {
    JrCall found;
    if (!jr_pipeline_build(function->module, (JrWanted){function->spec->name, .pointer = true},
                           &found))
        return jr_error()->status;
    function->call.pointer = found.pointer;
    return found.pointer ? JR_OK : make_pointer(function);
}

JrStatus jr_function_pointer(JrFunction *function, void **out) {
    jr_error_clear();
    if (out) *out = NULL;
    if (!function || !out)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_function_pointer: NULL argument");
    JrModule *module = function->module;
    jmp_buf oom;
    jr_module_lock(module);
    if (function->call.pointer) {
        *out = function->call.pointer;
    } else if (function->pointer || (!module->broken && setjmp(oom) == 0)) {
        if (!function->pointer) {
            jr_arena_on_oom(module->arena, &oom);
            find_pointer(function);
            *out = function->call.pointer;
        }
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    if (jr_error()->status == JR_OK && !*out) *out = code_of(function);
    jr_module_unlock(module);
    return jr_error()->status;
}

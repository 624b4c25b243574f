/* Host functions: C functions of the program's that kernels call by name.
 *
 *     jr_context_add_function(context, "sample", "float64(user, const float64[::1], int64)", f, p)
 *
 * is `double f(void *p, const double *x, int64_t x_len, int64_t k)` for C, and
 * sample(float64[::1], int64) -> float64 for a kernel. A context only gains functions; a module
 * knows those that there were when it was compiled. Their memory is the context's, and goes with
 * it, after the last module's code.
 *
 * The compiling engines call the address themselves. The interpreter comes through jr_rt_host,
 * by libffi. An error is left in the thread's state by jr_error_raise, where the caller looks when the
 * function is back; the caller then adds the kernel's place. */
#include "runtime/host.h"

#include "runtime/fork.h"

#include "runtime/rt/rt.h"
#include "runtime/value.h"

#include <stdlib.h>
#include <string.h>

static bool is_identifier(const char *name) {
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!*name || !strchr(letters, *name)) return false;
    for (; *name; name++)
        if (!strchr(letters, *name) && !(*name >= '0' && *name <= '9')) return false;
    return true;
}

#ifdef JITRUN_HAVE_FFI
#include "runtime/ffi_types.h"

enum { MOST_C_ARGS = JR_MAX_HOST_PARAMS * (1 + 2 * IR_MAX_DIMS) + 1 + JR_MAX_HOST_RESULTS };

/* One block of memory, with the texts and tables behind it. */
struct JrHostFn {
    JrHostFn *next;
    JrHostEntry entry; /* bridge: this */
    FeHost fe;
    ffi_cif *cif;
};

_Static_assert(sizeof(JrHostOut) >= sizeof(JrArrayValue) &&
                   sizeof(JrHostOut) >= JR_ARRAY_BYTES(IR_MAX_DIMS),
               "an array has room before and after it is looked at");

static bool returns_scalar(const FeHost *fe) {
    return fe->nrets == 1 && !fe->ret->count && !fe->ret->ir.ndim;
}

/* The next result that is no tuple but an item of one. */
static const FeHostType *leaf_from(const FeHostType *type) {
    while (type->count)
        type++;
    return type;
}

static bool returns_arrays(const FeHost *fe) {
    const FeHostType *t = fe->ret;
    for (uint32_t i = 0; i < fe->nrets; i++, t++)
        if ((t = leaf_from(t))->ir.ndim) return true;
    return false;
}

/* ---- Making one ---- */

static uint32_t add_leaf_types(IrType type, ffi_type **types) {
    uint32_t n = 0, numbers = type.ndim * (type.layout == LAYOUT_C ? 1 : 2);
    types[n++] = type.ndim ? &ffi_type_pointer : jr_ffi_scalar((IrScalar)type.scalar);
    while (numbers--)
        types[n++] = &ffi_type_sint64;
    return n;
}

static ffi_cif *make_cif(const FeHost *fe) {
    ffi_type *types[MOST_C_ARGS];
    uint32_t n = 0, position = 0, leaves = 0;
    for (const FeHostType *t = fe->params; leaves < fe->nleaves; t++) {
        if (t->count) continue;
        if (fe->user_at == ++position) types[n++] = &ffi_type_pointer, position++;
        n += add_leaf_types(t->ir, types + n);
        leaves++;
    }
    if (fe->user_at > position) types[n++] = &ffi_type_pointer;
    for (uint32_t i = 0; i < fe->nrets && !returns_scalar(fe); i++)
        types[n++] = &ffi_type_pointer;
    IrScalar result = returns_scalar(fe) ? (IrScalar)fe->ret->ir.scalar : TY_NONE;
    return jr_ffi_cif(jr_ffi_scalar(result), n, types);
}

/* Everything but its place in the context; NULL when there is no memory. */
static JrHostFn *make(const JrAlloc *alloc, const char *name, const JrHostSpec *s) {
    size_t tables = s->ntypes * sizeof(FeHostType), name_size = strlen(name) + 1;
    size_t text = (s->ntypes + 1) * (size_t)JR_HOST_TYPE_TEXT;
    JrHostFn *fn = jr_alloc_new(alloc, sizeof *fn + tables + name_size + text);
    if (!fn) return NULL;
    FeHostType *types = (FeHostType *)(fn + 1);
    char *texts = (char *)(types + s->ntypes);
    memcpy(types, s->types, tables);
    memcpy(texts, name, name_size);
    jr_host_write_signature(texts + name_size, s);
    *fn = (JrHostFn){.fe = {.name = texts,
                            .signature = texts + name_size,
                            .nparams = s->nparams,
                            .nleaves = s->nleaves,
                            .nrets = s->nrets,
                            .params = types + s->params_at,
                            .ret = types,
                            .user_at = s->user_at}};
    fn->cif = make_cif(&fn->fe);
    return fn;
}

static JrStatus add(JrContext *context, JrHostFn *fn) {
    JrStatus status = JR_OK;
    jr_hosts_lock(context);
    for (const JrHostFn *other = context->hosts; other; other = other->next)
        if (strcmp(other->fe.name, fn->fe.name) == 0)
            status =
                jr_error_set(JR_ERR_ARGUMENT, "the context has a function '%s' already: %s",
                             fn->fe.name, other->fe.signature);
    if (!status) {
        fn->next = context->hosts;
        context->hosts = fn;
    }
    jr_hosts_unlock(context);
    return status;
}

static JrStatus add_function(JrContext *context, const char *name, const JrHostSpec *s,
                             JrHostFunction function, void *user) {
    JrHostFn *fn = make(context->alloc, name, s);
    if (!fn) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    fn->entry = (JrHostEntry){fn->fe.name, function, user, fn};
    JrStatus status;
    if (fn->cif)
        status = add(context, fn);
    else
        status = jr_error_set(JR_MEMORY_ERROR, "out of memory");
    if (status) jr_alloc_free(context->alloc, fn);
    return status;
}

void jr_hosts_free(JrContext *context) {
    for (JrHostFn *fn = context->hosts, *next; fn; fn = next) {
        next = fn->next;
        jr_alloc_free(context->alloc, fn);
    }
}

void jr_hosts_copy(JrContext *context, JrArena *arena, JrHosts *out) {
    uint32_t n = 0;
    jr_hosts_lock(context);
    JrHostFn *first = context->hosts; /* what comes later goes before it */
    jr_hosts_unlock(context);
    for (const JrHostFn *fn = first; fn; fn = fn->next)
        n++;
    *out = (JrHosts){.count = n,
                     .fe = JR_NEW_ARRAY(arena, const FeHost *, n + 1),
                     .entries = JR_NEW_ARRAY(arena, const JrHostEntry *, n + 1)};
    for (const JrHostFn *fn = first; fn; fn = fn->next) {
        out->fe[--n] = &fn->fe;
        out->entries[n] = &fn->entry;
    }
}

/* ---- Calling one ---- */

typedef union Returned {
    ffi_arg u;
    ffi_sarg i;
    double d;
    float f;
} Returned;

static void take_result(IrScalar scalar, const Returned *from, JrSlot *to) {
    switch (scalar) {
    case TY_INT8: to->i = (int8_t)from->i; break;
    case TY_INT16: to->i = (int16_t)from->i; break;
    case TY_INT32: to->i = (int32_t)from->i; break;
    case TY_BOOL: to->u = (uint8_t)from->u != 0; break;
    case TY_UINT8: to->u = (uint8_t)from->u; break;
    case TY_UINT16: to->u = (uint16_t)from->u; break;
    case TY_UINT32: to->u = (uint32_t)from->u; break;
    case TY_FLOAT32: to->u = 0, to->f = from->f; break;
    case TY_FLOAT64: to->d = from->d; break;
    default: to->u = from->u; break;
    }
}

/* What libffi is to pass, and what lies behind it. */
typedef struct Passed {
    void *values[MOST_C_ARGS];
    uint32_t n;
    void *user;
    void *outs[JR_MAX_HOST_RESULTS];
} Passed;

/* The machines there are keep the low byte first, so that a slot's address is that of a narrower
 * number in it. */
static void pass_args(Passed *p, const FeHost *fe, const JrSlot *args) {
    uint32_t position = 0, leaves = 0;
    for (const FeHostType *t = fe->params; leaves < fe->nleaves; t++) {
        if (t->count) continue;
        if (fe->user_at == ++position) p->values[p->n++] = &p->user, position++;
        leaves++;
        if (!t->ir.ndim) {
            p->values[p->n++] = (void *)args++;
            continue;
        }
        JrArray *array = args[1].p;
        uint32_t numbers = t->ir.ndim * (t->ir.layout == LAYOUT_C ? 1 : 2);
        p->values[p->n++] = &array->data;
        for (uint32_t k = 0; k < numbers; k++)
            p->values[p->n++] = &array->dims[k];
        args += 2;
    }
    if (fe->user_at > position) p->values[p->n++] = &p->user;
}

/* Memory that is zero, for each of the results, `step` bytes apart. */
static void pass_results(Passed *p, const FeHost *fe, void *memory, size_t step) {
    memset(memory, 0, fe->nrets * step);
    for (uint32_t i = 0; i < fe->nrets; i++) {
        p->outs[i] = (char *)memory + i * step;
        p->values[p->n++] = &p->outs[i];
    }
}

/* A number that C wrote, as slots have it: widened. */
static void widen_slot(IrScalar scalar, const void *memory, JrSlot *slot) {
    Returned written;
    memcpy(&written, memory, sizeof written);
    take_result(scalar, &written, slot);
}

/* Apart from the rest, whose frame stays small. */
__attribute__((noinline)) static int32_t call_for_arrays(JrRt *rt, const JrWhere *where,
                                                         const JrHostEntry *host,
                                                         Passed *passed, JrSlot *results) {
    const JrHostFn *fn = host->bridge;
    const FeHost *fe = &fn->fe;
    JrHostOut outs[JR_MAX_HOST_RESULTS];
    pass_results(passed, fe, outs, sizeof *outs);
    ffi_call(fn->cif, host->function, NULL, passed->values);
    int32_t status = jr_rt_host_results(rt, where, host, outs);
    const FeHostType *t = fe->ret;
    for (uint32_t i = 0; i < fe->nrets && !status; i++, t++) {
        IrType type = (t = leaf_from(t))->ir;
        if (type.ndim)
            memcpy(results[i].p, &outs[i], JR_ARRAY_BYTES(type.ndim));
        else
            widen_slot((IrScalar)type.scalar, &outs[i], &results[i]);
    }
    return status;
}

int32_t jr_rt_host(JrRt *rt, const JrWhere *where, const JrHostEntry *host, const JrSlot *args,
                   JrSlot *results) {
    const JrHostFn *fn = host->bridge;
    const FeHost *fe = &fn->fe;
    Passed passed; /* too large to be zeroed */
    passed.n = 0;
    passed.user = host->user;
    Returned returned = {.u = 0};
    pass_args(&passed, fe, args);
    if (returns_arrays(fe)) return call_for_arrays(rt, where, host, &passed, results);
    if (!returns_scalar(fe)) pass_results(&passed, fe, results, sizeof *results);
    ffi_call(fn->cif, host->function, &returned, passed.values);
    if (rt->status) return jr_rt_trace(rt, where);
    if (returns_scalar(fe)) {
        take_result((IrScalar)fe->ret->ir.scalar, &returned, results);
        return 0;
    }
    const FeHostType *t = fe->ret;
    for (uint32_t i = 0; i < fe->nrets; i++, t++) {
        t = leaf_from(t);
        widen_slot((IrScalar)t->ir.scalar, &results[i], &results[i]);
    }
    return 0;
}

/* ---- Arrays that come back ---- */

/* Why kernels cannot have this as an array of the type; NULL if they can. That nobody else has it is
 * what the passes take for granted of an array that a call made (ir/par/par_access.c). */
static const char *array_misfit(const JrArrayValue *array, IrType type) {
    if (!array->dtype) return "was not filled in";
    if ((IrScalar)array->dtype != (IrScalar)type.scalar || array->ndim != type.ndim)
        return "has another element type or number of dimensions";
    const char *fault = jr_array_fault(array);
    if (fault) return fault;
    if (type.layout == LAYOUT_C && !jr_array_is_contiguous(array)) return "is not contiguous";
    if (array->readonly) return "is read-only";
    if (!array->owner)
        return "is memory that nobody counts: make it with jr_array_new, or jr_array_wrap it";
    return jr_buffer_refs(array->owner) == 1 ? NULL : "is in use elsewhere: return a copy";
}

static void check_results(JrRt *rt, const FeHost *fe, const JrHostOut *outs) {
    const FeHostType *t = fe->ret;
    for (uint32_t i = 0; i < fe->nrets && !rt->status; i++, t++) {
        if (!(t = leaf_from(t))->ir.ndim) continue;
        const char *misfit = array_misfit((const JrArrayValue *)&outs[i], t->ir);
        if (misfit)
            jr_raise(rt, NULL, EXC_RUNTIME, "'%s' is %s, but result %u %s", fe->name,
                     fe->signature, i + 1, misfit);
    }
}

static void make_header(IrType type, JrHostOut *out) {
    JrArrayValue value;
    memcpy(&value, out, sizeof value);
    JrArray *array = (JrArray *)out;
    array->data = value.data;
    array->owner = value.owner;
    memcpy(array->dims, value.shape, type.ndim * sizeof(int64_t));
    if (type.layout == LAYOUT_C) jr_shape_strides(value.shape, type.ndim, value.strides);
    memcpy(jr_array_strides(array, type.ndim), value.strides, type.ndim * sizeof(int64_t));
}

int32_t jr_rt_host_results(JrRt *rt, const JrWhere *where, const JrHostEntry *host,
                           JrHostOut *outs) {
    const FeHost *fe = &((const JrHostFn *)host->bridge)->fe;
    check_results(rt, fe, outs);
    const FeHostType *t = fe->ret;
    for (uint32_t i = 0; i < fe->nrets; i++, t++) {
        if (!(t = leaf_from(t))->ir.ndim) continue;
        if (rt->status)
            jr_rt_release(((JrArrayValue *)&outs[i])->owner);
        else
            make_header(t->ir, &outs[i]);
    }
    return rt->status ? jr_rt_trace(rt, where) : 0;
}

#else

static JrStatus add_function(JrContext *context, const char *name, const JrHostSpec *s,
                             JrHostFunction function, void *user) {
    (void)context, (void)name, (void)s, (void)function, (void)user;
    return jr_error_set(JR_ERR_ENGINE,
                        "this jitrun was built without libffi, which calls host functions");
}

void jr_hosts_free(JrContext *context) {
    (void)context;
}

void jr_hosts_copy(JrContext *context, JrArena *arena, JrHosts *out) {
    (void)context, (void)arena;
    *out = (JrHosts){.count = 0};
}

int32_t jr_rt_host(JrRt *rt, const JrWhere *where, const JrHostEntry *host, const JrSlot *args,
                   JrSlot *results) {
    (void)host, (void)args, (void)results;
    return jr_raise_value(rt, where, "host functions need libffi");
}

int32_t jr_rt_host_results(JrRt *rt, const JrWhere *where, const JrHostEntry *host,
                           JrHostOut *outs) {
    (void)host, (void)outs;
    return jr_raise_value(rt, where, "host functions need libffi");
}

#endif

/* ---- The interface ---- */

JrStatus jr_context_add_function(JrContext *context, const char *name, const char *signature,
                                 JrHostFunction function, void *user) {
    jr_error_clear();
    if (!context || !name || !signature || !function)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_context_add_function: NULL argument");
    if (!is_identifier(name))
        return jr_error_set(JR_ERR_ARGUMENT, "'%s' is no name for a function", name);
    if (fe_is_builtin(name))
        return jr_error_set(JR_ERR_ARGUMENT, "'%s' means something in the language already",
                            name);
    JrHostSpec spec;
    const char *why = jr_host_read_signature(signature, &spec);
    if (why)
        return jr_error_set(JR_ERR_SIGNATURE, "'%s' is no signature for '%s': %s", signature,
                            name, why);
    return add_function(context, name, &spec, function, user);
}

/* ---- Errors of host functions ---- */

static bool is_pending_again(const JrThread *thread, const JrError *last, JrStatus status,
                             const char *message) {
    return !message && last->status == status && last->frame_count && thread->error.depth;
}

JrStatus jr_error_raise(JrStatus status, const char *message) {
    JrThread *thread = jr_thread_current();
    if (!thread) return JR_MEMORY_ERROR;
    if (!jr_thread_is_running(thread))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_error_raise: no kernel is running on this thread");
    const JrError *last = jr_error();
    if (!message && status == JR_OK) status = last->status;
    bool exception = status > JR_OK && status < (JrStatus)EXC_COUNT;
    if (!exception && (status < JR_ERR_COMPILE || status > JR_ERR_RACE))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_error_raise: %d is no error", (int)status);
    if (is_pending_again(thread, last, status, message)) { /* with the calls it went through */
        thread->rt.status = (int32_t)status;
        return status;
    }
    if (!message) message = last->message;
    IrExc exc = exception ? (IrExc)status : EXC_RUNTIME;
    char *copy = strdup(message); /* it may be the pending error's, which goes */
    jr_rt_raise(&thread->rt, NULL, exc, copy ? copy : "out of memory",
                (int64_t)strlen(copy ? copy : "out of memory"));
    free(copy);
    return (JrStatus)exc;
}

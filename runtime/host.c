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

#include "runtime/rt/rt.h"

#include <stdlib.h>
#include <string.h>

typedef struct Spec {
    const char *at;
    uint32_t count; /* parameters of the kernel's */
    IrType ret, types[JR_MAX_HOST_PARAMS];
    bool written[JR_MAX_HOST_PARAMS];
    uint32_t user_at;
} Spec;

/* ---- The signature ---- */

static bool take(Spec *s, const char *word) {
    s->at += strspn(s->at, " \t");
    size_t len = strlen(word);
    if (strncmp(s->at, word, len) != 0) return false;
    s->at += len;
    s->at += strspn(s->at, " \t");
    return true;
}

static bool take_word(Spec *s, const char *word) {
    s->at += strspn(s->at, " \t");
    size_t len = strlen(word), end = strcspn(s->at, " \t,()[]");
    return len == end && take(s, word);
}

static bool parse_type(Spec *s, IrType *type) {
    return ir_type_parse(s->at, &s->at, type) && ir_scalar_size((IrScalar)type->scalar) > 0;
}

static const char *parse_param(Spec *s, uint32_t position) {
    if (take_word(s, "user")) {
        if (s->user_at) return "'user' stands twice";
        s->user_at = position;
        return NULL;
    }
    if (s->count == JR_MAX_HOST_PARAMS) return "it has too many parameters";
    bool is_const = take_word(s, "const");
    IrType type;
    if (!parse_type(s, &type)) return "a parameter is no number and no array";
    s->types[s->count] = type;
    s->written[s->count++] = type.ndim && !is_const;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *parse(Spec *s) {
    if (!take_word(s, "None") && !parse_type(s, &s->ret))
        return "it does not begin with the result's type";
    if (s->ret.ndim) return "the result is an array: have it passed and write to it";
    if (!take(s, "(")) return "'(' is missing";
    for (uint32_t position = 1; !take(s, ")"); position++) {
        if (position > 1 && !take(s, ",")) return "',' or ')' is missing";
        const char *why = parse_param(s, position);
        if (why) return why;
    }
    return *s->at ? "something comes after it" : NULL;
}

static bool is_identifier(const char *name) {
    static const char letters[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!*name || !strchr(letters, *name)) return false;
    for (; *name; name++)
        if (!strchr(letters, *name) && !(*name >= '0' && *name <= '9')) return false;
    return true;
}

#ifdef JITRUN_HAVE_FFI
#include "runtime/ffi_types.h"

enum { MOST_C_ARGS = JR_MAX_HOST_PARAMS * (1 + 2 * IR_MAX_DIMS) + 1, LONGEST_TYPE = 48 };

/* One block of memory, with the texts and tables behind it. */
struct JrHostFn {
    JrHostFn *next;
    JrHostEntry entry; /* bridge: this */
    FeHost fe;
    ffi_cif *cif;
};

/* ---- Making one ---- */

static uint32_t add_types(const Spec *s, ffi_type **types) {
    uint32_t n = 0, position = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        IrType type = s->types[i];
        if (s->user_at == ++position) types[n++] = &ffi_type_pointer, position++;
        types[n++] = type.ndim ? &ffi_type_pointer : jr_ffi_scalar((IrScalar)type.scalar);
        uint32_t numbers = type.ndim * (type.layout == LAYOUT_C ? 1 : 2);
        while (numbers--)
            types[n++] = &ffi_type_sint64;
    }
    if (s->user_at > position) types[n++] = &ffi_type_pointer;
    return n;
}

/* float64[:, ::1] */
static char *add_type_name(char *to, IrType type) {
    const char *name = type.scalar ? ir_scalar_name((IrScalar)type.scalar) : "None";
    to = stpcpy(to, name);
    for (unsigned i = 0; i < type.ndim; i++) {
        bool dense = type.layout == LAYOUT_C && i + 1 == type.ndim;
        to = stpcpy(to, i ? ", " : "[");
        to = stpcpy(to, dense ? "::1" : ":");
    }
    return stpcpy(to, type.ndim ? "]" : "");
}

static void write_signature(char *to, const Spec *s) {
    to = stpcpy(add_type_name(to, s->ret), "(");
    for (uint32_t i = 0; i < s->count; i++)
        to = add_type_name(stpcpy(to, i ? ", " : ""), s->types[i]);
    strcpy(to, ")");
}

/* Everything but its place in the context; NULL when there is no memory. */
static JrHostFn *make(const JrAlloc *alloc, const char *name, const Spec *s) {
    ffi_type *types[MOST_C_ARGS];
    uint32_t n = add_types(s, types);
    size_t name_size = strlen(name) + 1, text = (s->count + 1) * LONGEST_TYPE;
    size_t tables = s->count * (sizeof(IrType) + sizeof(bool));
    JrHostFn *fn = jr_alloc_new(alloc, sizeof *fn + tables + name_size + text);
    if (!fn) return NULL;
    *fn = (JrHostFn){.cif = jr_ffi_cif(jr_ffi_scalar((IrScalar)s->ret.scalar), n, types)};
    IrType *params = (IrType *)(fn + 1);
    bool *written = (bool *)(params + s->count);
    char *texts = (char *)(written + s->count);
    memcpy(params, s->types, s->count * sizeof *params);
    memcpy(written, s->written, s->count * sizeof *written);
    memcpy(texts, name, name_size);
    write_signature(texts + name_size, s);
    fn->fe = (FeHost){.name = texts,
                      .signature = texts + name_size,
                      .ret = s->ret,
                      .nparams = s->count,
                      .params = params,
                      .written = written,
                      .user_at = s->user_at};
    return fn;
}

static JrStatus add(JrContext *context, JrHostFn *fn) {
    JrStatus status = JR_OK;
    pthread_mutex_lock(&context->hosts_lock);
    for (const JrHostFn *other = context->hosts; other; other = other->next)
        if (strcmp(other->fe.name, fn->fe.name) == 0)
            status =
                jr_error_set(JR_ERR_ARGUMENT, "the context has a function '%s' already: %s",
                             fn->fe.name, other->fe.signature);
    if (!status) {
        fn->next = context->hosts;
        context->hosts = fn;
    }
    pthread_mutex_unlock(&context->hosts_lock);
    return status;
}

static JrStatus add_function(JrContext *context, const char *name, const Spec *s,
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
    pthread_mutex_lock(&context->hosts_lock);
    JrHostFn *first = context->hosts; /* what comes later goes before it */
    pthread_mutex_unlock(&context->hosts_lock);
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

/* The machines there are keep the low byte first, so that a slot's address is that of a narrower
 * number in it. */
int32_t jr_rt_host(JrRt *rt, const JrWhere *where, const JrHostEntry *host, const JrSlot *args,
                   JrSlot *result) {
    JrHostFn *fn = host->bridge;
    void *values[MOST_C_ARGS], *user = host->user;
    uint32_t n = 0, position = 0;
    for (uint32_t i = 0; i < fn->fe.nparams; i++) {
        IrType type = fn->fe.params[i];
        if (fn->fe.user_at == ++position) values[n++] = &user, position++;
        if (!type.ndim) {
            values[n++] = (void *)args++;
            continue;
        }
        JrArray *array = args[1].p;
        uint32_t numbers = type.ndim * (type.layout == LAYOUT_C ? 1 : 2);
        values[n++] = &array->data;
        for (uint32_t k = 0; k < numbers; k++)
            values[n++] = &array->dims[k];
        args += 2;
    }
    if (fn->fe.user_at > position) values[n++] = &user;
    Returned returned = {.u = 0};
    ffi_call(fn->cif, host->function, &returned, values);
    if (rt->status) return jr_rt_trace(rt, where);
    take_result((IrScalar)fn->fe.ret.scalar, &returned, result);
    return 0;
}

#else

static JrStatus add_function(JrContext *context, const char *name, const Spec *s,
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
                   JrSlot *result) {
    (void)host, (void)args, (void)result;
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
    Spec spec = {.at = signature};
    const char *why = parse(&spec);
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
    bool exception = status > JR_OK && status < (JrStatus)EXC_COUNT;
    if (!exception && (status < JR_ERR_COMPILE || status > JR_ERR_RACE))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_error_raise: %d is no error", (int)status);
    const JrError *last = jr_error();
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

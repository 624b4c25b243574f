/* ---- What the functions below need of jitrun, for a program without it. ----
 *
 * The error slot is one per thread and shared by all files like this one; jr_error(),
 * jr_error_clear() and jr_array_clear() are as in jitrun.h. prange loops run on the calling thread, chunk by chunk, with the same results. */

#define JR_MAX_DIMS 8
#define JR_FRAMES 32

typedef struct JrFrame {
    const char *function, *file;
    int32_t line, column;
} JrFrame;

typedef struct JrError {
    int32_t status;
    const char *name, *message;
    size_t frame_count;
    const JrFrame *frames;
    size_t frames_dropped, message_len;
} JrError;

typedef struct JrArrayValue {
    int32_t dtype;
    uint32_t ndim;
    void *data;
    int64_t shape[JR_MAX_DIMS], strides[JR_MAX_DIMS];
    void *owner;
    bool readonly;
} JrArrayValue;

typedef struct __attribute__((may_alias)) JrHeader { /* of an array: dims, then strides */
    void *data, *owner;
    int64_t dims[];
} JrHeader;

typedef struct JrBuffer { /* in front of an array's elements */
    _Atomic int64_t refs;
    void *block;
} JrBuffer;

typedef struct JrThread {
    JrRt rt;
    int32_t never;
    JrError error;
    JrFrame frames[JR_FRAMES];
    char message[512];
} JrThread;

__attribute__((weak)) _Thread_local JrThread jr_standalone_1;

__attribute__((weak)) const JrError *jr_error(void);
__attribute__((weak)) const JrError *jr_error(void) {
    JrError *error = &jr_standalone_1.error;
    if (!error->status) {
        error->name = error->message = "";
        error->message_len = 0;
    }
    return error;
}

__attribute__((weak)) void jr_error_clear(void);
__attribute__((weak)) void jr_error_clear(void) {
    jr_standalone_1.error.status = 0;
}

/* ---- Errors ---- */

static inline int32_t jr_fail(const JrWhere *where, int32_t status, const char *format, ...) {
    JrThread *t = &jr_standalone_1;
    va_list args;
    va_start(args, format);
    vsnprintf(t->message, sizeof t->message, format, args);
    va_end(args);
    t->error.status = t->rt.status = status;
    t->error.name = status < JR_EXCEPTIONS ? jr_exceptions[status] : "argument error";
    t->error.message = t->message;
    t->error.message_len = strlen(t->message);
    t->error.frames = t->frames;
    t->error.frame_count = t->error.frames_dropped = 0;
    if (where) {
        t->frames[0] = (JrFrame){where->func, where->file, where->line, where->col};
        t->error.frame_count = 1;
    }
    return status;
}

static inline int32_t jr_rt_trace(JrRt *rt, const JrWhere *where) {
    JrThread *t = &jr_standalone_1;
    size_t n = t->error.frame_count;
    if (n < JR_FRAMES) {
        t->frames[n] = (JrFrame){where->func, where->file, where->line, where->col};
        t->error.frame_count = n + 1;
    } else {
        t->error.frames_dropped++;
    }
    return rt->status;
}

static inline int32_t jr_rt_raise(JrRt *rt, const JrWhere *where, int32_t status,
                                  const char *message, int64_t len) {
    (void)rt;
    return jr_fail(where, status, "%.*s", (int)len, message);
}

static inline int32_t jr_rt_raise_index(JrRt *rt, const JrWhere *where, int64_t index,
                                        int64_t dim, int64_t axis, int64_t ndim) {
    (void)rt, (void)ndim;
    return jr_fail(where, 1, "index %lld is out of bounds for axis %lld with size %lld",
                   (long long)index, (long long)axis, (long long)dim);
}

static inline int32_t jr_rt_trap(JrRt *rt, const JrWhere *where, int32_t trap) {
    (void)rt;
    return jr_fail(where, jr_traps[trap].status, "%s", jr_traps[trap].message);
}

static inline int32_t jr_rt_poll(JrRt *rt, const JrWhere *where) {
    (void)rt, (void)where;
    return 0; /* nobody can cancel */
}

static inline int32_t jr_rt_deep(JrRt *rt, const JrWhere *where) {
    return jr_rt_trap(rt, where, JR_TRAP_RECURSION);
}

/* ---- The way in and out ---- */

/* Where functions that call themselves must stop; what they call needs some room below. */
static inline char *jr_stack_limit(void) {
    char *here = (char *)__builtin_frame_address(0), *limit = here - 256 * 1024;
#if defined(__linux__)
    pthread_attr_t attr;
    void *low;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) return limit;
    if (pthread_attr_getstack(&attr, &low, &size) == 0 && size < (size_t)1 << 36)
        limit = here - (here - (char *)low) / 8 * 7;
    pthread_attr_destroy(&attr);
#endif
    return limit;
}

static inline JrRt *jr_rt_here(void) {
    JrThread *t = &jr_standalone_1;
    t->error.status = 0;
    if (!t->rt.cancel) {
        t->rt.cancel = &t->never;
        t->rt.stack_limit = jr_stack_limit();
    }
    return &t->rt;
}

static inline JrRt *jr_rt_enter(JrGate *gate, const void *host) {
    (void)gate, (void)host;
    return jr_rt_here();
}

static inline int32_t jr_rt_leave(JrRt *rt, JrGate *gate, int32_t status) {
    (void)rt, (void)gate;
    return status;
}

static inline JrRt *jr_rt_begin(JrGate *gate, const void *host) {
    return jr_rt_enter(gate, host);
}

static inline int32_t jr_rt_end(JrRt *rt, JrGate *gate, int32_t status) {
    return jr_rt_leave(rt, gate, status);
}

static inline int32_t jr_rt_failed(JrRt *rt) {
    return rt->status;
}

/* ---- Arrays: of a type that has its dtype in the low byte and its rank in the next ---- */

static inline unsigned jr_size_of(uint32_t type) {
    return jr_types[type & 255].size;
}

/* The bytes of a shape; false if they are negative or do not fit. A 0 is no excuse. */
static inline bool jr_count(const int64_t *dims, unsigned ndim, unsigned size,
                            int64_t *bytes) {
    bool empty = false;
    int64_t all = size;
    for (unsigned i = 0; i < ndim; i++) {
        if (dims[i] < 0) return false;
        if (dims[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(all, dims[i], &all))
            return false;
    }
    *bytes = empty ? 0 : all;
    return true;
}

static inline const char *jr_shape(char *out, const int64_t *dims, unsigned ndim) {
    char *at = out;
    for (unsigned i = 0; i < ndim; i++)
        at += sprintf(at, "%s%lld", i ? "," : "(", (long long)dims[i]);
    strcpy(at, ndim == 1 ? ",)" : ")");
    return out;
}

enum { JR_SHAPE_TEXT = JR_MAX_DIMS * 21 + 4 };

static inline int32_t jr_rt_check_array(const char *func, const char *param, uint32_t type,
                                        const void *array) {
    const JrHeader *a = array;
    unsigned ndim = type >> 8 & 255, size = jr_size_of(type);
    int64_t bytes, reach = 0, part;
    const char *fault = NULL;
    if (!jr_count(a->dims, ndim, size, &bytes)) {
        fault = "has a shape that is negative or larger than memory";
    } else if (bytes && !a->data) {
        fault = "has no data";
    } else if (bytes && (uintptr_t)a->data % size) {
        fault = "has data that is not aligned to its elements";
    }
    for (unsigned i = 0; i < ndim && bytes && !fault; i++) {
        int64_t stride = a->dims[ndim + i];
        if (stride == INT64_MIN ||
            __builtin_mul_overflow(a->dims[i] - 1, stride < 0 ? -stride : stride, &part) ||
            __builtin_add_overflow(reach, part, &reach))
            fault = "has strides that lead out of memory";
    }
    if (!fault && bytes && __builtin_mul_overflow(reach + 1, (int64_t)size, &part))
        fault = "has strides that lead out of memory";
    return fault ? jr_fail(NULL, 101, "%s: the array '%s' %s", func, param, fault) : 0;
}

static inline void jr_rt_retain(void *buffer) {
    if (buffer) ((JrBuffer *)buffer)->refs++;
}

static inline void jr_rt_release(void *buffer) {
    JrBuffer *b = buffer;
    if (b && --b->refs == 0) free(b->block);
}

/* "7.28 TiB": three digits, in the largest unit that leaves one before the point. */
static inline const char *jr_size_text(char *out, size_t room, double bytes) {
    static const char units[][6] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 6; unit++)
        bytes /= 1024;
    snprintf(out, room, "%.*f %s",
             unit == 0 || bytes >= 100 ? 0
             : bytes >= 10             ? 1
                                       : 2,
             bytes, units[unit]);
    return out;
}

static inline int32_t jr_rt_array_new(JrRt *rt, const JrWhere *where, uint32_t type,
                                      void *array, int32_t zeroed) {
    (void)rt;
    JrHeader *a = array;
    unsigned ndim = type >> 8 & 255;
    int64_t bytes;
    char shape[JR_SHAPE_TEXT], size[32];
    for (unsigned i = 0; i < ndim; i++)
        if (a->dims[i] < 0) return jr_fail(where, 3, "negative dimensions are not allowed");
    if (!jr_count(a->dims, ndim, jr_size_of(type), &bytes))
        return jr_fail(where, 3,
                       "array is too big: shape %s of %s is more than 64 bits can address",
                       jr_shape(shape, a->dims, ndim), jr_types[type & 255].name);
    char *block = NULL;
    if (bytes < (int64_t)1 << 47)
        block = zeroed ? calloc(1, (size_t)bytes + 128) : malloc((size_t)bytes + 128);
    if (!block)
        return jr_fail(where, 12,
                       "unable to allocate %s for an array with shape %s and type %s",
                       jr_size_text(size, sizeof size, (double)bytes),
                       jr_shape(shape, a->dims, ndim), jr_types[type & 255].name);
    char *data = block + 64;
    data += -(uintptr_t)data & 63;
    JrBuffer *buffer = (JrBuffer *)(void *)(data - 64);
    atomic_init(&buffer->refs, 1);
    buffer->block = block;
    a->data = data;
    a->owner = buffer;
    uint64_t stride = 1;
    for (unsigned i = ndim; i-- > 0; stride *= (uint64_t)a->dims[i])
        a->dims[ndim + i] = (int64_t)stride;
    return 0;
}

static inline int32_t jr_rt_raise_shape(JrRt *rt, const JrWhere *where, uint32_t type,
                                        const void *array, const int64_t *dims, int64_t ndim,
                                        int64_t reshape) {
    (void)rt;
    const JrHeader *a = array;
    char from[JR_SHAPE_TEXT], to[JR_SHAPE_TEXT];
    int64_t count = 0;
    jr_shape(to, dims, (unsigned)ndim);
    jr_count(a->dims, type >> 8 & 255, 1, &count);
    if (reshape)
        return jr_fail(where, 3, "cannot reshape array of size %lld into shape %s",
                       (long long)count, to);
    return jr_fail(where, 3, "could not broadcast input array from shape %s into shape %s",
                   jr_shape(from, a->dims, type >> 8 & 255), to);
}

static inline int32_t jr_rt_broadcast_error(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                            JrSlot *results) {
    (void)rt, (void)results;
    const JrHeader *a = args[1].cp, *b = args[3].cp;
    char x[JR_SHAPE_TEXT], y[JR_SHAPE_TEXT];
    return jr_fail(where, 3, "operands could not be broadcast together with shapes %s %s",
                   jr_shape(x, a->dims, args[0].u >> 8 & 255),
                   jr_shape(y, b->dims, args[2].u >> 8 & 255));
}

static inline void jr_rt_give_array(void *out, uint32_t type, const void *array,
                                    int32_t readonly) {
    const JrHeader *a = array;
    JrArrayValue *value = out;
    unsigned ndim = type >> 8 & 255;
    if (!out) {
        jr_rt_release(a->owner);
        return;
    }
    memset(value, 0, sizeof *value);
    value->dtype = (int32_t)(type & 255);
    value->ndim = ndim;
    value->data = a->data;
    value->owner = a->owner;
    value->readonly = readonly && !a->owner;
    memcpy(value->shape, a->dims, ndim * sizeof(int64_t));
    memcpy(value->strides, a->dims + ndim, ndim * sizeof(int64_t));
}

static inline void jr_rt_give_nothing(void *out, uint32_t type) {
    if (out) memset(out, 0, type >> 8 & 255 ? sizeof(JrArrayValue) : jr_size_of(type));
}

__attribute__((weak)) void jr_array_clear(JrArrayValue *array);
__attribute__((weak)) void jr_array_clear(JrArrayValue *array) {
    if (!array) return;
    jr_rt_release(array->owner);
    memset(array, 0, sizeof *array);
}

/* ---- Copies, and arrays that may share memory ---- */

static inline void jr_extent(uint32_t type, const JrHeader *a, uintptr_t *low,
                             uintptr_t *high) {
    unsigned ndim = type >> 8 & 255, size = jr_size_of(type);
    *low = (uintptr_t)a->data;
    *high = *low + size;
    for (unsigned i = 0; i < ndim; i++) {
        int64_t reach = (a->dims[i] - 1) * a->dims[ndim + i] * (int64_t)size;
        if (a->dims[i] <= 0) *high = 0;
        if (a->dims[i] <= 0) return;
        *(reach < 0 ? low : high) += (uintptr_t)reach;
    }
}

static inline int32_t jr_rt_arrays_overlap(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                           JrSlot *results) {
    (void)rt, (void)where;
    uintptr_t low, high, low2, high2;
    jr_extent((uint32_t)args[0].u, args[1].cp, &low, &high);
    jr_extent((uint32_t)args[2].u, args[3].cp, &low2, &high2);
    results[0].b = high && high2 && low < high2 && low2 < high;
    return 0;
}

/* As runtime/rt/array_ops.c. */
static inline int32_t jr_rt_arrays_lag(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                       JrSlot *results) {
    const JrHeader *to = args[1].cp, *from = args[3].cp;
    unsigned ndim = args[0].u >> 8 & 255, other = args[2].u >> 8 & 255;
    JrSlot overlap[1];
    jr_rt_arrays_overlap(rt, where, args, overlap);
    results[0].i = 0;
    if (!overlap[0].b) return 0;
    results[0].i = INT64_MAX;
    if ((args[0].u & 255) != (args[2].u & 255) || ndim != other ||
        memcmp(to->dims, from->dims, 2 * ndim * sizeof(int64_t)) != 0)
        return 0;
    int64_t reach = 0;
    for (unsigned i = ndim; i-- > 0;) {
        if (to->dims[i] == 1) continue;
        if (to->dims[ndim + i] <= reach) return 0;
        reach += (to->dims[i] - 1) * to->dims[ndim + i];
    }
    int64_t row = to->dims[0] == 1 ? INT64_MAX
                                   : to->dims[ndim] * (int64_t)jr_size_of((uint32_t)args[0].u);
    int64_t ahead = (int64_t)((uintptr_t)to->data - (uintptr_t)from->data);
    results[0].i = ahead > 0 ? 1 + (ahead - 1) / row : ahead < 0 ? -1 : 0;
    return 0;
}

/* Whether no two elements lie in one place: each axis, from the smallest stride up, has to step
 * over all that those before it reach. */
static inline int32_t jr_rt_array_distinct(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                           JrSlot *results) {
    (void)rt, (void)where;
    const JrHeader *a = args[1].cp;
    unsigned ndim = args[0].u >> 8 & 255, done = 0;
    uint64_t reach = 0;
    results[0].b = 1;
    for (unsigned round = 0; round < ndim; round++) {
        unsigned next = JR_MAX_DIMS;
        for (unsigned i = 0; i < ndim; i++)
            if (!(done >> i & 1) && (next == JR_MAX_DIMS ||
                                     llabs(a->dims[ndim + i]) < llabs(a->dims[ndim + next])))
                next = i;
        done |= 1u << next;
        if (a->dims[next] <= 0) {
            results[0].b = 1;
            return 0;
        }
        if (a->dims[next] == 1) continue;
        uint64_t stride = (uint64_t)llabs(a->dims[ndim + next]);
        if (stride <= reach) results[0].b = 0;
        reach += stride * (uint64_t)(a->dims[next] - 1);
    }
    return 0;
}

/* Element by element, in C order. */
static inline void jr_copy(unsigned ndim, unsigned size, const JrHeader *into,
                           const JrHeader *from) {
    int64_t at[JR_MAX_DIMS] = {0};
    char *p = into->data;
    const char *q = from->data;
    for (;;) {
        memcpy(p, q, size);
        unsigned axis = ndim;
        for (;;) {
            if (axis-- == 0) return;
            int64_t step = into->dims[ndim + axis], of = from->dims[ndim + axis];
            p += step * (int64_t)size;
            q += of * (int64_t)size;
            if (++at[axis] < into->dims[axis]) break;
            p -= step * (int64_t)size * at[axis];
            q -= of * (int64_t)size * at[axis];
            at[axis] = 0;
        }
    }
}

static inline int32_t jr_rt_array_copy(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                       JrSlot *results) {
    (void)results;
    uint32_t type = (uint32_t)args[0].u;
    unsigned ndim = type >> 8 & 255, size = jr_size_of(type);
    const JrHeader *into = args[1].cp, *from = args[3].cp;
    int64_t bytes;
    JrSlot overlap[1];
    if (memcmp(into->dims, from->dims, ndim * sizeof(int64_t)) != 0 ||
        !jr_count(into->dims, ndim, size, &bytes))
        return jr_rt_raise_shape(rt, where, (uint32_t)args[2].u, from, into->dims, ndim, 0);
    if (!bytes) return 0;
    jr_rt_arrays_overlap(rt, where, args, overlap);
    union {
        JrHeader header;
        int64_t room[2 + 2 * JR_MAX_DIMS];
    } spare;
    if (!overlap[0].b) {
        jr_copy(ndim, size, into, from);
        return 0;
    }
    memcpy(spare.room + 2, from->dims, ndim * sizeof(int64_t));
    int32_t status = jr_rt_array_new(rt, where, type, &spare.header, 0);
    if (status) return status;
    jr_copy(ndim, size, &spare.header, from);
    jr_copy(ndim, size, into, &spare.header);
    jr_rt_release(spare.header.owner);
    return 0;
}

/* ---- prange ---- */

static inline int32_t jr_rt_range_trip(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                       JrSlot *results) {
    (void)rt, (void)where;
    int64_t lo = args[0].i, hi = args[1].i, step = args[2].i;
    uint64_t count = 0;
    if (step > 0 && lo < hi)
        count = ((uint64_t)hi - (uint64_t)lo - 1) / (uint64_t)step + 1;
    else if (step < 0 && lo > hi)
        count = ((uint64_t)lo - (uint64_t)hi - 1) / (0 - (uint64_t)step) + 1;
    results[0].i = count > INT64_MAX ? INT64_MAX : (int64_t)count;
    return 0;
}

static inline int32_t jr_rt_parallel_chunks(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                            JrSlot *results) {
    (void)rt, (void)where;
    int64_t trip = args[0].i;
    results[0].i = trip < 0 ? 0 : trip < 128 ? trip : 128;
    return 0;
}

/* i * n / m without overflow, for i <= m. */
static inline int64_t jr_share(int64_t n, int64_t i, int64_t m) {
    return n / m * i + n % m * i / m;
}

static inline int32_t jr_rt_parallel(JrRt *rt, const JrWhere *where,
                                     int32_t (*body)(JrRt *, void *const *, void *const *),
                                     const char *letters, JrSlot *slots) {
    int64_t trip = slots[0].i, chunks = slots[1].i, chunk = 0, lo, hi;
    size_t n = strlen(letters);
    slots[0].i = slots[1].i = 0;
    if (chunks == 0) chunks = 1;
    if (trip <= 0 || chunks < 0) return 0;
    void **args = malloc((n + 1) * sizeof *args);
    if (!args) return (int32_t)(slots[0].i = jr_fail(where, 12, "out of memory"));
    const JrSlot *slot = slots + 3;
    for (size_t i = 3; i < n; i++) {
        args[i] = letters[i] == 'a' ? slot[1].p : (void *)(uintptr_t)slot;
        slot += letters[i] == 'a' ? 2 : 1;
    }
    int32_t status = 0;
    for (; chunk < chunks && !status; chunk++) {
        lo = jr_share(trip, chunk, chunks);
        hi = jr_share(trip, chunk + 1, chunks);
        args[0] = &chunk;
        args[1] = &lo;
        args[2] = &hi;
        status = body(rt, args, NULL);
    }
    free(args);
    slots[0].i = status;
    slots[1].i = chunk;
    return status;
}

/* As runtime/threads/copies.c on one thread. */
static inline int32_t jr_rt_parallel_copies(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                            JrSlot *results) {
    (void)rt, (void)where;
    int64_t elements = args[2].i, bytes = args[3].i;
    double work = (double)args[0].i * (double)(args[1].i < 1 ? 1 : args[1].i);
    results[0].i = 1;
    if (args[4].i || elements <= 0 || bytes <= 0 || work < JR_COPIES_LEAST) return 0;
    double copies = work / (double)elements;
    copies /= bytes < JR_COPIES_LARGE ? JR_COPIES_COST : JR_COPIES_LARGE_COST;
    int64_t room = JR_COPIES_BYTES / bytes;
    if (room > JR_COPIES_MOST) room = JR_COPIES_MOST;
    results[0].i = 1 + (copies < (double)room ? (int64_t)copies : room);
    return 0;
}

static inline int32_t jr_rt_parallel_end(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                         JrSlot *results) {
    (void)rt, (void)where, (void)results;
    return (int32_t)args[0].i;
}

/* ---- Numbers, as Python has them ---- */

static inline int64_t jr_rt_ipow(int64_t base, int64_t exponent) {
    uint64_t result = 1, b = (uint64_t)base, n = (uint64_t)exponent;
    for (; n; n >>= 1, b *= b)
        if (n & 1) result *= b;
    return (int64_t)result;
}

#define JR_FLOAT_DIVISION(T, f)                            \
    static inline T jr_rt_fmod##f(T a, T b) {              \
        T r = fmod##f(a, b);                               \
        if (r != 0) return (b < 0) != (r < 0) ? r + b : r; \
        return copysign##f(r, b);                          \
    }                                                      \
    static inline T jr_rt_ffloordiv##f(T a, T b) {         \
        if (b == 0) return a / b;                          \
        T r = fmod##f(a, b), q = (a - r) / b;              \
        if (r != 0 && (b < 0) != (r < 0)) q -= 1;          \
        if (q == 0) return copysign##f(0, a / b);          \
        T whole = floor##f(q);                             \
        return q - whole > (T)0.5 ? whole + 1 : whole;     \
    }
JR_FLOAT_DIVISION(double, )
JR_FLOAT_DIVISION(float, f)

/* What the tests of the LLVM engine share: the plug-in, a small runtime of their own that
 * records what compiled code asks of it, and modules made from IR text. */
#ifndef JR_TESTS_LLVM_HARNESS_H
#define JR_TESTS_LLVM_HARNESS_H

#include "backend/engine.h"
#include "ir/numeric.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FAKE_TRACES = 8 };

/* JrRt first, so that the helpers find the rest. */
typedef struct Fake {
    JrRt rt;
    int32_t cancel;
    int32_t exc, trap;
    int64_t index, dim, axis, ndim;
    char message[64];
    JrWhere where; /* of the error */
    int ntraces;
    int32_t traces[FAKE_TRACES]; /* the lines an error passed through */
    double printed;
} Fake;

struct JrBuffer {
    int64_t refs;
    double data[];
};

static atomic_int live_buffers;

static inline void fake_init(Fake *fake) {
    memset(fake, 0, sizeof *fake);
    fake->rt.stack_limit = (char *)__builtin_frame_address(0) - (1 << 20);
    fake->rt.cancel = &fake->cancel;
}

static int32_t fake_fail(JrRt *rt, const JrWhere *where, int32_t exc) {
    Fake *fake = (Fake *)rt;
    fake->where = *where;
    return fake->exc = rt->status = exc;
}

static int32_t fake_raise(JrRt *rt, const JrWhere *where, int32_t exc, const char *message,
                          int64_t len) {
    snprintf(((Fake *)rt)->message, sizeof((Fake *)rt)->message, "%.*s", (int)len, message);
    return fake_fail(rt, where, exc);
}

static int32_t fake_raise_index(JrRt *rt, const JrWhere *where, int64_t index, int64_t dim,
                                int64_t axis, int64_t ndim) {
    Fake *fake = (Fake *)rt;
    fake->index = index;
    fake->dim = dim;
    fake->axis = axis;
    fake->ndim = ndim;
    return fake_fail(rt, where, EXC_INDEX);
}

static int32_t fake_trap(JrRt *rt, const JrWhere *where, int32_t trap) {
    ((Fake *)rt)->trap = trap;
    return fake_fail(rt, where, (int32_t)ir_trap_exc((IrTrap)trap));
}

static int32_t fake_deep(JrRt *rt, const JrWhere *where) {
    return fake_fail(rt, where, EXC_RECURSION);
}

static int32_t fake_shape(JrRt *rt, const JrWhere *where, uint32_t type, const JrArray *array,
                          const int64_t *dims, int64_t ndim, int64_t reshape) {
    Fake *fake = (Fake *)rt;
    fake->index = array->dims[0];
    fake->dim = dims[ndim - 1];
    fake->axis = reshape;
    fake->ndim = ir_type_of_bits(type).ndim;
    return fake_fail(rt, where, EXC_VALUE);
}

static int32_t fake_trace(JrRt *rt, const JrWhere *where) {
    Fake *fake = (Fake *)rt;
    if (fake->ntraces < FAKE_TRACES) fake->traces[fake->ntraces] = where->line;
    fake->ntraces++;
    return rt->status;
}

/* 1 asks to stop, 2 is a false alarm. */
static int32_t fake_poll(JrRt *rt, const JrWhere *where) {
    Fake *fake = (Fake *)rt;
    fake->printed++;
    return fake->cancel == 1 ? fake_fail(rt, where, EXC_INTERRUPT) : (fake->cancel = 0);
}

static int32_t fake_array_new(JrRt *rt, const JrWhere *where, uint32_t type, JrArray *out,
                              int32_t zeroed) {
    unsigned ndim = ir_type_of_bits(type).ndim;
    int64_t size = 1;
    for (unsigned i = ndim; i-- > 0;) {
        if (out->dims[i] < 0) return fake_fail(rt, where, EXC_VALUE);
        out->dims[ndim + i] = size;
        size *= out->dims[i];
    }
    JrBuffer *buffer = malloc(sizeof *buffer + (size_t)size * 8 + 8);
    buffer->refs = 1;
    memset(buffer->data, zeroed ? 0 : 0x55, (size_t)size * 8);
    out->data = buffer->data;
    out->owner = buffer;
    atomic_fetch_add(&live_buffers, 1);
    return 0;
}

static void fake_retain(JrBuffer *buffer) {
    if (buffer) buffer->refs++;
}

static void fake_release(JrBuffer *buffer) {
    if (!buffer || --buffer->refs > 0) return;
    atomic_fetch_sub(&live_buffers, 1);
    free(buffer);
}

static int64_t fake_ipow(int64_t base, int64_t exponent) {
    return jr_num_ipow(base, (uint64_t)exponent);
}
static double fake_fmod(double a, double b) {
    return jr_num_fmod(a, b);
}
static float fake_fmodf(float a, float b) {
    return jr_num_fmodf(a, b);
}
static double fake_ffloordiv(double a, double b) {
    return jr_num_ffloordiv(a, b);
}
static float fake_ffloordivf(float a, float b) {
    return jr_num_ffloordivf(a, b);
}

static int32_t fake_print_float64(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                  JrSlot *results) {
    (void)where, (void)results;
    ((Fake *)rt)->printed += args[0].d;
    return 0;
}

static int32_t fake_print_str(JrRt *rt, const JrWhere *where, const JrSlot *args,
                              JrSlot *results) {
    (void)where, (void)results;
    snprintf(((Fake *)rt)->message, 64, "%.*s", (int)args[1].u, (const char *)args[0].cp);
    return 0;
}

static int32_t fake_print_array(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                JrSlot *results) {
    (void)results;
    IrType type = ir_type_of_bits((uint32_t)args[0].u);
    const JrArray *array = args[1].cp;
    if (type.scalar != TY_FLOAT64) return fake_fail(rt, where, EXC_TYPE);
    for (int64_t i = 0; i < array->dims[0]; i++)
        ((Fake *)rt)->printed += ((double *)array->data)[i * array->dims[type.ndim]];
    return 0;
}

static int32_t fake_print_bool(JrRt *rt, const JrWhere *where, const JrSlot *args,
                               JrSlot *results) {
    (void)where, (void)results;
    ((Fake *)rt)->printed += 1000 * args[0].b;
    return 0;
}

static int32_t fake_frexp(JrRt *rt, const JrWhere *where, const JrSlot *args,
                          JrSlot *results) {
    (void)rt, (void)where;
    int e;
    results[0].d = frexp(args[0].d, &e);
    results[1].i = e;
    return 0;
}

static int32_t fake_isqrt(JrRt *rt, const JrWhere *where, const JrSlot *args,
                          JrSlot *results) {
    if (args[0].i < 0) return fake_raise(rt, where, EXC_VALUE, "negative", 8);
    results[0].i = (int64_t)sqrt((double)args[0].i);
    return 0;
}

/* Two chunks, the second first; captures are one array and then scalars. */
static int32_t fake_parallel(JrRt *rt, const JrWhere *where, JrEntry body, const char *letters,
                             const JrSlot *slots) {
    int64_t trip = slots[0].i, half = trip / 2;
    void *args[16] = {NULL};
    if (strncmp(letters, "iii", 3) != 0) return fake_fail(rt, where, EXC_TYPE);
    for (int i = 3, at = 3; letters[i]; i++, at++)
        args[i] = letters[i] == 'a' ? slots[++at].p : (void *)&slots[at];
    for (int64_t chunk = 2; chunk-- > 0;) {
        int64_t lo = chunk ? half : 0, hi = chunk ? trip : half;
        args[0] = &chunk;
        args[1] = &lo;
        args[2] = &hi;
        int32_t status = body(rt, args, NULL);
        if (status) return status;
    }
    return 0;
}

static JrSymbol fake_symbols[] = {
#define JR_MATH(ID, text, arity, f64, f32, exact) \
    {#f64, (void *)(uintptr_t)f64}, {#f32, (void *)(uintptr_t)f32},
#include "ir/math.def"
#undef JR_MATH
#define FAKE(name) {"jr_rt_" #name, (void *)(uintptr_t)fake_##name},
    FAKE(raise) FAKE(raise_index) FAKE(trap) FAKE(deep) FAKE(trace) FAKE(poll) FAKE(array_new)
        FAKE(retain) FAKE(release) FAKE(ipow) FAKE(fmod) FAKE(fmodf) FAKE(ffloordiv)
            FAKE(ffloordivf) FAKE(print_float64) FAKE(print_str) FAKE(print_array)
                FAKE(print_bool) FAKE(frexp) FAKE(isqrt) FAKE(parallel)
#undef FAKE
                    {"jr_rt_raise_shape", (void *)(uintptr_t)fake_shape},
    {"memcpy", (void *)(uintptr_t)memcpy},
    {"memmove", (void *)(uintptr_t)memmove},
    {"memset", (void *)(uintptr_t)memset},
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const JrSymbol *)a)->name, ((const JrSymbol *)b)->name);
}

/* Once: the table is sorted, with `pow` in it twice. */
static JrEngineOptions fake_options(void) {
    static uint32_t count;
    if (!count) {
        qsort(fake_symbols, sizeof fake_symbols / sizeof *fake_symbols, sizeof *fake_symbols,
              by_name);
        for (size_t i = 0; i < sizeof fake_symbols / sizeof *fake_symbols; i++)
            if (!count || strcmp(fake_symbols[count - 1].name, fake_symbols[i].name) != 0)
                fake_symbols[count++] = fake_symbols[i];
    }
    return (JrEngineOptions){.symbols = {fake_symbols, count}, .opt_level = -1};
}

static const JrEngine *llvm_engine(void) {
    static const JrEngine *engine;
    if (engine) return engine;
    void *plugin = dlopen(JITRUN_LLVM_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    if (!plugin) fail_msg("%s", dlerror());
    JrEnginePlugin get = (JrEnginePlugin)(uintptr_t)dlsym(plugin, JR_ENGINE_PLUGIN_SYMBOL);
    assert_non_null(get);
    assert_null(get(JR_ENGINE_ABI + 1, sizeof *engine));
    engine = get(JR_ENGINE_ABI, sizeof *engine);
    assert_non_null(engine);
    return engine;
}

/* A module and its code. */
typedef struct Loaded {
    JrArena *arena;
    IrModule *module;
    JrCode *code;
    const char *why;
} Loaded;

static IrModule *read_text(JrArena *arena, const char *body) {
    JrSource *source = JR_NEW(arena, JrSource);
    const char *text = jr_arena_printf(arena, "file \"test.src\"\n\n%s", body);
    *source = (JrSource){"test.ir", text, strlen(text), 0};
    JrDiags diags;
    jr_diags_init(&diags, arena, source);
    IrModule *module = ir_read_module(arena, source, &diags);
    if (module) return module;
    JrText report;
    jr_text_init(&report, arena);
    for (const JrDiag *d = diags.first; d; d = d->next)
        jr_diag_render(&diags, d, &report);
    fail_msg("%s", report.data);
    return NULL;
}

static Loaded load_with(const char *body, const JrEngineOptions *options) {
    Loaded l = {.arena = jr_arena_new(NULL)};
    l.module = read_text(l.arena, body);
    l.code = llvm_engine()->compile(l.module, options, &l.why);
    return l;
}

static Loaded load(const char *body) {
    JrEngineOptions options = fake_options();
    Loaded l = load_with(body, &options);
    if (!l.code) fail_msg("%s", l.why);
    return l;
}

static void unload(Loaded *l) {
    llvm_engine()->release(l->code);
    jr_arena_free(l->arena);
}

#define ARGS(...) ((void *const[]){__VA_ARGS__, NULL})
#define NOTHING ((void *const[]){NULL})

static inline int32_t call(Loaded *l, const char *name, Fake *fake, void *const *args,
                           void *const *results) {
    JrCall c;
    if (!llvm_engine()->find(l->code, name, &c)) fail_msg("no function %s", name);
    return c.run(&c, &fake->rt, args, results);
}

/* An array of up to 3 dimensions over the caller's memory. */
typedef struct Header {
    void *data;
    JrBuffer *owner;
    int64_t numbers[6];
} Header;

static inline Header vector(void *data, int64_t n) {
    return (Header){data, NULL, {n, 1}};
}
static inline Header matrix(void *data, int64_t rows, int64_t cols) {
    return (Header){data, NULL, {rows, cols, cols, 1}};
}

#endif

/* What the tests of the engines run against: a runtime that records, and modules to compile. */
#ifndef JR_TESTS_ENGINE_FAKE_H
#define JR_TESTS_ENGINE_FAKE_H

#include "backend/engine.h"
#include "tests/unit/engine_reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

/* ---- A runtime of our own, which records ---- */

struct JrBuffer {
    int refs;
};

typedef struct Fake {
    JrRt rt;
    JrWhere where; /* of the last error */
    int32_t trap, trace_line;
    int64_t index, dim, axis, ndim, reshape;
    char text[200]; /* what was printed, or the message raised */
    int live, traces;
    int fail_alloc; /* counts down; the allocation at 0 fails */
} Fake;

static inline Fake *fake_of(JrRt *rt) {
    return (Fake *)rt;
}

static inline int32_t fail_at(JrRt *rt, const JrWhere *where, int32_t exc) {
    fake_of(rt)->where = *where;
    return rt->status = exc;
}
static inline int32_t fake_raise(JrRt *rt, const JrWhere *where, int32_t exc,
                                 const char *message, int64_t len) {
    snprintf(fake_of(rt)->text, sizeof fake_of(rt)->text, "%.*s", (int)len, message);
    return fail_at(rt, where, exc);
}
static inline int32_t fake_raise_index(JrRt *rt, const JrWhere *where, int64_t index,
                                       int64_t dim, int64_t axis, int64_t ndim) {
    Fake *fake = fake_of(rt);
    fake->index = index;
    fake->dim = dim;
    fake->axis = axis;
    fake->ndim = ndim;
    return fail_at(rt, where, EXC_INDEX);
}
static inline int32_t fake_trap(JrRt *rt, const JrWhere *where, int32_t trap) {
    fake_of(rt)->trap = trap;
    return fail_at(rt, where, (int32_t)ir_trap_exc((IrTrap)trap));
}
static inline int32_t fake_deep(JrRt *rt, const JrWhere *where) {
    return fail_at(rt, where, EXC_RECURSION);
}
static inline int32_t fake_trace(JrRt *rt, const JrWhere *where) {
    fake_of(rt)->traces++;
    fake_of(rt)->trace_line = where->line;
    return rt->status;
}
static inline int32_t fake_poll(JrRt *rt, const JrWhere *where) {
    return fail_at(rt, where, EXC_INTERRUPT);
}
static inline int32_t fake_raise_shape(JrRt *rt, const JrWhere *where, uint32_t type,
                                       const JrArray *array, const int64_t *dims, int64_t ndim,
                                       int64_t reshape) {
    Fake *fake = fake_of(rt);
    fake->ndim = ndim;
    fake->reshape = reshape;
    fake->dim = dims[ndim - 1];
    fake->index = array->dims[ir_type_of_bits(type).ndim - 1];
    return fail_at(rt, where, EXC_VALUE);
}

static _Thread_local Fake *counting; /* who counts the buffers: release is not told */

static inline int32_t fake_array_new(JrRt *rt, const JrWhere *where, uint32_t bits,
                                     JrArray *out, int32_t zeroed) {
    IrType type = ir_type_of_bits(bits);
    Fake *fake = fake_of(rt);
    int64_t size = ir_scalar_size(type.scalar), stride = 1;
    if (fake->fail_alloc && --fake->fail_alloc == 0) return fail_at(rt, where, EXC_MEMORY);
    for (unsigned i = type.ndim; i-- > 0;) {
        out->dims[type.ndim + i] = stride;
        stride *= out->dims[i];
    }
    JrBuffer *buffer = malloc(sizeof(JrBuffer) + 16 + (size_t)(stride * size));
    buffer->refs = 1;
    out->owner = buffer;
    out->data = (char *)buffer + 16;
    memset(out->data, zeroed ? 0 : 0xa5, (size_t)(stride * size));
    fake->live++;
    counting = fake;
    return 0;
}
static inline void fake_retain(JrBuffer *buffer) {
    if (buffer) buffer->refs++;
}
static inline void fake_release(JrBuffer *buffer) {
    if (!buffer || --buffer->refs) return;
    counting->live--;
    free(buffer);
}

static inline int32_t fake_print_int(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                     JrSlot *results) {
    (void)where, (void)results;
    Fake *fake = fake_of(rt);
    size_t len = strlen(fake->text);
    snprintf(fake->text + len, sizeof fake->text - len, "%lld", (long long)args[0].i);
    return 0;
}
static inline int32_t fake_print_str(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                     JrSlot *results) {
    (void)where, (void)results;
    Fake *fake = fake_of(rt);
    size_t len = strlen(fake->text);
    snprintf(fake->text + len, sizeof fake->text - len, "%.*s", (int)args[1].u,
             (const char *)args[0].cp);
    return 0;
}
static inline int32_t fake_frexp(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                 JrSlot *results) {
    (void)rt, (void)where;
    int exponent;
    results[0].d = frexp(args[0].d, &exponent);
    results[1].i = exponent;
    return 0;
}
static inline int32_t fake_factorial(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                     JrSlot *results) {
    if (args[0].i < 0) return fail_at(rt, where, EXC_VALUE);
    for (results[0].i = 1; results[0].i < args[0].i;)
        results[0].i += args[0].i;
    return 0;
}
static inline int32_t fake_array_copy(JrRt *rt, const JrWhere *where, const JrSlot *args,
                                      JrSlot *results) {
    (void)rt, (void)where, (void)results;
    const JrArray *into = args[1].cp, *from = args[3].cp;
    IrType type = ir_type_of_bits((uint32_t)args[0].u);
    for (int64_t i = 0; i < from->dims[0]; i++)
        memcpy((char *)into->data + i * into->dims[type.ndim] * 8,
               (char *)from->data + i * from->dims[type.ndim] * 8, 8);
    return 0;
}

/* Chunks in order, one after the other; the captures are scalars in a slot and arrays in two. */
static inline int32_t fake_parallel_body(JrRt *rt, const JrWhere *where, const JrCall *body,
                                         const char *letters, JrSlot *slots) {
    (void)where;
    const int64_t trip = slots[0].i, chunks = slots[1].i;
    void *args[20];
    uint32_t n = 3;
    const JrSlot *slot = slots + 3;
    for (const char *letter = letters + 3; *letter; letter++, slot++)
        args[n++] = *letter == 'a' ? (++slot)->p : (void *)(uintptr_t)slot;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t range[] = {chunk, trip * chunk / chunks, trip * (chunk + 1) / chunks};
        for (int k = 0; k < 3; k++)
            args[k] = &range[k];
        int32_t status = body->run(body, rt, args, NULL);
        if (status) return status;
    }
    return 0;
}
static inline int32_t run_entry(const JrCall *call, JrRt *rt, void *const *args,
                                void *const *results) {
    return ((JrEntry)call->function)(rt, args, results);
}
static inline int32_t fake_parallel(JrRt *rt, const JrWhere *where, JrEntry entry,
                                    const char *letters, JrSlot *slots) {
    const JrCall body = {.run = run_entry, .function = (void *)entry};
    return fake_parallel_body(rt, where, &body, letters, slots);
}

static JrSymbol symbol_table[] = {
#define JR_MATH(ID, text, arity, f64, f32, exact) {#f64, f64}, {#f32, f32},
#include "ir/math.def"
#undef JR_MATH
    {"jr_rt_raise", fake_raise},
    {"jr_rt_raise_index", fake_raise_index},
    {"jr_rt_trap", fake_trap},
    {"jr_rt_trace", fake_trace},
    {"jr_rt_poll", fake_poll},
    {"jr_rt_deep", fake_deep},
    {"jr_rt_array_new", fake_array_new},
    {"jr_rt_retain", fake_retain},
    {"jr_rt_release", fake_release},
    {"jr_rt_raise_shape", fake_raise_shape},
    {"jr_rt_parallel", fake_parallel},
    {"jr_rt_parallel_body", fake_parallel_body},
    {"jr_rt_ipow", jr_num_ipow},
    {"jr_rt_fmod", jr_num_fmod},
    {"jr_rt_fmodf", jr_num_fmodf},
    {"jr_rt_ffloordiv", jr_num_ffloordiv},
    {"jr_rt_ffloordivf", jr_num_ffloordivf},
    {"jr_rt_print_int", fake_print_int},
    {"jr_rt_print_str", fake_print_str},
    {"jr_rt_frexp", fake_frexp},
    {"jr_rt_factorial", fake_factorial},
    {"jr_rt_array_copy", fake_array_copy},
};

static inline int by_name(const void *a, const void *b) {
    return strcmp(((const JrSymbol *)a)->name, ((const JrSymbol *)b)->name);
}

static inline int sort_symbols(void **state) {
    (void)state;
    qsort(symbol_table, sizeof symbol_table / sizeof symbol_table[0], sizeof symbol_table[0],
          by_name);
    return 0;
}

static const JrEngineOptions *options(void) {
    static const JrEngineOptions all = {
        .symbols = {symbol_table, sizeof symbol_table / sizeof symbol_table[0]}};
    return &all;
}

static const volatile int32_t not_cancelled = 0, cancelled = 1;

static inline Fake new_fake(void) {
    return (Fake){.rt = {.stack_limit = NULL, .cancel = &not_cancelled}};
}

/* ---- Modules to test ---- */

typedef struct Program {
    const JrEngine *engine;
    JrArena *arena;
    IrModule *module;
    JrCode *code;
} Program;

static inline void compile(Program *p) {
    const char *why = NULL;
    ir_module_finish(p->module);
    if (!ir_verify_module(p->module, &why)) fail_msg("verify: %s", why);
    p->code = p->engine->compile(p->module, options(), &why);
    if (!p->code) {
        JrText text;
        jr_text_init(&text, p->arena);
        ir_print_module(p->module, &text);
        fail_msg("%s\n%s", why, text.data);
    }
}

static inline Program new_program(const JrEngine *engine) {
    Program p = {.engine = engine, .arena = jr_arena_new(NULL)};
    p.module = ir_module_new(p.arena, "k \"\?\?/\\.src");
    return p;
}

static inline Program read_program(const JrEngine *engine, const char *text) {
    Program p = {.engine = engine, .arena = jr_arena_new(NULL)};
    JrSource source = {.name = "test", .text = text, .len = strlen(text)};
    JrDiags diags;
    jr_diags_init(&diags, p.arena, &source);
    p.module = ir_read_module(p.arena, &source, &diags);
    if (!p.module) {
        JrText out;
        jr_text_init(&out, p.arena);
        jr_diag_render(&diags, diags.first, &out);
        fail_msg("%s", out.data);
    }
    compile(&p);
    return p;
}

static inline void end_program(Program *p) {
    p->engine->release(p->code);
    jr_arena_free(p->arena);
}

static inline int32_t call(Program *p, const char *name, Fake *fake, void **args,
                           void **results) {
    JrCall found;
    assert_true(p->engine->find(p->code, name, &found));
    return found.run(&found, &fake->rt, args, results);
}

/* ---- Parallel regions ---- */

static const char PARALLEL[] =
    "file \"k\"\n"
    "func part(%chunk: int64, %lo: int64, %hi: int64, %x: float64[::1], %k: float64, %bad: "
    "int64) exported display \"scale\" {\n"
    "  for %i = %lo, %hi, 1 {\n"
    "    %c = eq %i, %bad\n    if %c {\n      raise ValueError \"bad\" @4:5-9\n    }\n"
    "    %1 = load %x[%i]\n    %2 = mul %1, %k\n    store %x[%i] = %2\n  }\n  return\n}\n"
    "func scale(%x: float64[::1], %k: float64, %bad: int64) exported display \"scale\" {\n"
    "  %n = dim %x, 0\n  parallel part(%n, 3, 4, %x, %k, %bad)\n  return\n}\n";

/* Each element once; an error in a chunk is the region's. */
static inline void check_parallel(const JrEngine *engine) {
    Program p = read_program(engine, PARALLEL);
    for (int64_t bad = -1; bad < 8; bad += 6) {
        Fake fake = new_fake();
        double x[7], k = 3;
        struct {
            void *data;
            JrBuffer *owner;
            int64_t dim, stride;
        } array = {x, NULL, 7, 1};
        for (int i = 0; i < 7; i++)
            x[i] = i + 1;
        int32_t status = call(&p, "scale", &fake, (void *[]){&array, &k, &bad}, NULL);
        assert_int_equal(status, bad < 0 ? 0 : EXC_VALUE);
        for (int i = 0; i < 7; i++)
            assert_true(x[i] == (bad < 0 || i < bad ? 3 : 1) * (i + 1));
        if (bad >= 0) assert_int_equal(fake.where.line, 4);
    }
    end_program(&p);
}

#endif

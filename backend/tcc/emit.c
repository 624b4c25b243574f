/* IR to C: the text that libtcc compiles, that --dump c shows and that any C compiler takes.
 *
 *     f0_dot(JrRt *rt, const JrArray1 *x_0_in, double k_1, double *out0)   returns a status
 *     jr_entry_0(rt, args, results)     an exported function, as ir/rt.h calls it
 *
 * The text stands alone: it includes nothing, and a prelude declares what it uses and no more,
 * because most of a small kernel's compile time would otherwise go into reading it. So
 * functions are written first and note what they need.
 *
 *   emit_func.c    frames, control flow, entries
 *   emit_pointer.c functions with a C signature
 *   emit_ahead.c   what a file needs that is to be compiled ahead of time
 *   emit_expr.c    expressions and their fusion
 *   emit_scalar.c  arithmetic and conversions
 *   emit_const.c   literals
 *   emit_array.c   elements, views, shapes
 *   emit_call.c    calls, errors, ways out
 *   emit_host.c    calls of the program's own functions
 *   emit_use.c     uses, counted beforehand
 *   tcc.c          libtcc itself
 *
 * Nothing in it is undefined behaviour: it must mean the same to gcc -O2 as to libtcc. */
#include "backend/tcc/emit.h"

#include <string.h>

static const char *const helper_texts[HELP_COUNT] = {
#define JR_TCC_HELPER(ID, name, text) [HELP_##ID] = text,
#include "backend/tcc/helpers.def"
#undef JR_TCC_HELPER
};

static const char *const runtime_names[USE_COUNT] = {
#define JR_RT_TEXT(name) #name,
    JR_RT_HELPERS(JR_RT_TEXT) JR_RT_GATES(JR_RT_TEXT)
#undef JR_RT_TEXT
};

/* The prototypes of ir/rt.h, with arrays as void, since each rank has a struct of its own. */
static const char *const runtime_types[USE_COUNT] = {
    [USE_jr_rt_raise] =
        "int32_t %s(JrRt *, const JrWhere *, int32_t, const char *, int64_t);\n",
    [USE_jr_rt_raise_index] =
        "int32_t %s(JrRt *, const JrWhere *, int64_t, int64_t, int64_t, int64_t);\n",
    [USE_jr_rt_trap] = "int32_t %s(JrRt *, const JrWhere *, int32_t);\n",
    [USE_jr_rt_trace] = "int32_t %s(JrRt *, const JrWhere *);\n",
    [USE_jr_rt_poll] = "int32_t %s(JrRt *, const JrWhere *);\n",
    [USE_jr_rt_array_new] =
        "int32_t %s(JrRt *, const JrWhere *, uint32_t, void *, int32_t);\n",
    [USE_jr_rt_retain] = "void %s(void *);\n",
    [USE_jr_rt_release] = "void %s(void *);\n",
    [USE_jr_rt_raise_shape] = ("int32_t %s(JrRt *, const JrWhere *, uint32_t, const void *, "
                               "const int64_t *, int64_t, int64_t);\n"),
    [USE_jr_rt_ipow] = "int64_t %s(int64_t, int64_t);\n",
    [USE_jr_rt_fmod] = "double %s(double, double);\n",
    [USE_jr_rt_fmodf] = "float %s(float, float);\n",
    [USE_jr_rt_ffloordiv] = "double %s(double, double);\n",
    [USE_jr_rt_ffloordivf] = "float %s(float, float);\n",
    [USE_jr_rt_parallel] =
        ("int32_t %s(JrRt *, const JrWhere *, int32_t (*)(JrRt *, void *const *, "
         "void *const *), const char *, JrSlot *);\n"),
    [USE_jr_rt_host_results] = "int32_t %s(JrRt *, const JrWhere *, const void *, void *);\n",
    [USE_jr_rt_deep] = "int32_t %s(JrRt *, const JrWhere *);\n",
    [USE_jr_rt_enter] = "JrRt *%s(JrGate *, const void *);\n",
    [USE_jr_rt_leave] = "int32_t %s(JrRt *, JrGate *, int32_t);\n",
    [USE_jr_rt_begin] = "JrRt *%s(JrGate *, const void *);\n",
    [USE_jr_rt_end] = "int32_t %s(JrRt *, JrGate *, int32_t);\n",
    [USE_jr_rt_here] = "JrRt *%s(void);\n",
    [USE_jr_rt_failed] = "int32_t %s(JrRt *);\n",
    [USE_jr_rt_check_array] =
        "int32_t %s(const char *, const char *, uint32_t, const void *);\n",
    [USE_jr_rt_give_array] = "void %s(void *, uint32_t, const void *, int32_t);\n",
    [USE_jr_rt_give_nothing] = "void %s(void *, uint32_t);\n",
};

static const char prelude_ints[] = "typedef signed char int8_t;\n"
                                   "typedef short int16_t;\n"
                                   "typedef int int32_t;\n"
                                   "typedef long int64_t;\n"
                                   "typedef unsigned char uint8_t;\n"
                                   "typedef unsigned short uint16_t;\n"
                                   "typedef unsigned int uint32_t;\n"
                                   "typedef unsigned long uint64_t;\n";

static const char prelude_types[] =
    "typedef struct JrWhere { const char *file, *func; int32_t line, col; } JrWhere;\n"
    "typedef struct JrRt { char *stack_limit; const volatile int32_t *cancel; int32_t status, "
    "seen; } JrRt;\n";

static const char gate_type[] = "typedef struct JrGate { void *room[12]; } JrGate;\n";
_Static_assert(sizeof(JrGate) == 12 * sizeof(void *), "as the text above");

static const char slot_type[] =
    "typedef union JrSlot { int64_t i; uint64_t u; double d; float f; uint8_t b; void *p; "
    "const void *cp; } JrSlot;\n";

static const char bits_type[] = "typedef union JrBits { uint64_t u; int64_t i; double d; "
                                "float f; uint32_t w; int32_t i32; "
                                "uint16_t u16; int16_t i16; uint8_t b; int8_t i8; } JrBits;\n";

/* ---- Which functions ---- */

static void reach(Emit *em, const IrFunc *func, uint32_t *stack, uint32_t *n) {
    uint32_t index = jr_c_func_index(em, func);
    if (em->reached[index]) return;
    em->reached[index] = true;
    stack[(*n)++] = index;
}

static void reach_calls(Emit *em, const IrBlock *block, uint32_t *stack, uint32_t *n) {
    for (const IrStmt *stmt = block->first; stmt; stmt = stmt->next) {
        IrForm form = ir_op_form(stmt->op);
        bool calls = form == FORM_CALL || form == FORM_PARALLEL;
        if (calls && !stmt->u.callee->host) reach(em, stmt->u.callee, stack, n);
        if (form == FORM_PARALLEL) em->entered[jr_c_func_index(em, stmt->u.callee)] = true;
        if (!ir_stmt_is_nested(stmt)) continue;
        reach_calls(em, &stmt->u.blocks.then, stack, n);
        reach_calls(em, &stmt->u.blocks.els, stack, n);
    }
}

/* Where calls come in from outside. */
static bool is_root(const Emit *em, uint32_t i) {
    return em->options->ahead ? jr_c_has_pointer(em, i) : em->module->funcs.data[i]->exported;
}

static void find_reached(Emit *em) {
    uint32_t count = em->module->funcs.len, n = 0;
    uint32_t *stack = JR_NEW_ARRAY(em->arena, uint32_t, count + 1);
    em->reached = JR_NEW_ARRAY(em->arena, bool, count + 1);
    em->entered = JR_NEW_ARRAY(em->arena, bool, count + 1);
    jr_table_init(&em->numbers, em->arena);
    for (uint32_t i = 0; i < count; i++)
        jr_table_put(&em->numbers, em->module->funcs.data[i]->name,
                     (void *)(uintptr_t)(i + 1));
    for (uint32_t i = 0; i < count; i++) {
        em->entered[i] = is_root(em, i) && !em->options->ahead;
        if (is_root(em, i)) reach(em, em->module->funcs.data[i], stack, &n);
    }
    while (n) {
        const IrFunc *func = em->module->funcs.data[stack[--n]];
        reach_calls(em, &func->body, stack, &n);
    }
}

/* ---- The prelude ---- */

static void add_array_type(JrText *out, unsigned ndim) {
    jr_text_printf(out, "typedef struct JrArray%u { void *data, *owner; int64_t ", ndim);
    for (unsigned i = 0; i < ndim; i++)
        jr_text_printf(out, "d%u, ", i);
    for (unsigned i = 0; i < ndim; i++)
        jr_text_printf(out, "s%u%s", i, i + 1 < ndim ? ", " : "");
    jr_text_printf(out, "; } JrArray%u;\n", ndim);
}

static void add_math(JrText *out, IrMath math, IrScalar scalar) {
    const char *type = scalar == TY_FLOAT32 ? "float" : "double";
    jr_text_printf(out, "%s %s(%s", type, ir_math_symbol(math, scalar), type);
    for (unsigned i = 1; i < ir_math_arity(math); i++)
        jr_text_printf(out, ", %s", type);
    jr_text_puts(out, ");\n");
}

static void add_types(const Emit *em, JrText *out) {
    if (!em->options->ahead) jr_text_puts(out, prelude_ints);
    jr_text_puts(out, prelude_types);
    for (unsigned i = 1; i <= IR_MAX_DIMS; i++)
        if (em->ranks[i]) add_array_type(out, i);
    bool all = em->options->ahead && jr_c_uses_runtime(em);
    if (all || em->runtime[USE_jr_rt_parallel] || memchr(em->rt_calls, 1, sizeof em->rt_calls))
        jr_text_puts(out, slot_type);
    if (em->bits) jr_text_puts(out, bits_type);
    if (all || em->runtime[USE_jr_rt_enter] || em->runtime[USE_jr_rt_begin])
        jr_text_puts(out, gate_type);
}

static void add_runtime(const Emit *em, JrText *out) {
    for (unsigned i = 0; i < USE_COUNT; i++)
        if (em->runtime[i]) jr_text_printf(out, runtime_types[i], runtime_names[i]);
    for (unsigned i = 0; i < RT_COUNT; i++)
        if (em->rt_calls[i])
            jr_text_printf(
                out, "int32_t jr_rt_%s(JrRt *, const JrWhere *, const JrSlot *, JrSlot *);\n",
                ir_rt_name(i));
}

static void add_functions(const Emit *em, JrText *out) {
    for (unsigned i = 0; i < MATH_COUNT; i++) {
        if (em->math[i][0]) add_math(out, i, TY_FLOAT64);
        if (em->math[i][1]) add_math(out, i, TY_FLOAT32);
    }
    for (unsigned i = 0; i < HELP_COUNT; i++)
        if (em->helpers[i]) jr_text_puts(out, helper_texts[i]);
}

static void add_prototypes(Emit *em, JrText *out) {
    for (uint32_t i = 0; i < em->module->funcs.len; i++) {
        if (em->reached[i])
            jr_text_printf(out, "%s;\n", jr_c_signature(em, em->module->funcs.data[i], i));
        if (em->entered[i])
            jr_text_printf(out,
                           "%sint32_t jr_entry_%u(JrRt *, void *const *, void *const *);\n",
                           em->options->ahead ? "static " : "", i);
        if (jr_c_has_pointer(em, i))
            jr_text_printf(out, "%s;\n",
                           jr_c_pointer_signature(em, em->module->funcs.data[i],
                                                  &em->options->signatures[i]));
    }
}

bool jr_c_has_pointer(const Emit *em, uint32_t index) {
    return em->options->signatures && em->options->signatures[index].symbol;
}

void jr_c_emit(Emit *em, const IrModule *module, const JrEngineOptions *options, JrText *out) {
    *em = (Emit){
        .arena = module->arena, .module = module, .options = options, .hosts = options->hosts};
    jr_text_init(&em->body, em->arena);
    find_reached(em);
    for (uint32_t i = 0; i < module->funcs.len; i++)
        if (em->reached[i]) jr_c_function(em, module->funcs.data[i], i);
    if (options->ahead) jr_c_ahead_head(em, out);
    add_types(em, out);
    if (options->ahead && jr_c_uses_runtime(em)) jr_c_ahead_runtime(em, add_runtime, out);
    if (!options->ahead) add_runtime(em, out);
    add_functions(em, out);
    jr_c_host_prototypes(em, out);
    const char *file = module->file ? module->file : "";
    if (em->body.data && strstr(em->body.data, "jr_file"))
        jr_text_printf(out, "static const char jr_file[] = %s;\n",
                       jr_c_string(em->arena, file, strlen(file)));
    add_prototypes(em, out);
    jr_text_puts(out, "\n");
    if (em->body.data) jr_text_add(out, em->body.data, em->body.len);
}

void jr_c_each_symbol(const Emit *em, void (*each)(void *user, const char *name), void *user) {
    for (unsigned i = 0; i < USE_COUNT; i++)
        if (em->runtime[i]) each(user, runtime_names[i]);
    for (unsigned i = 0; i < RT_COUNT; i++)
        if (em->rt_calls[i]) each(user, jr_arena_printf(em->arena, "jr_rt_%s", ir_rt_name(i)));
    for (unsigned i = 0; i < MATH_COUNT; i++) {
        if (em->math[i][0]) each(user, ir_math_symbol(i, TY_FLOAT64));
        if (em->math[i][1]) each(user, ir_math_symbol(i, TY_FLOAT32));
    }
}

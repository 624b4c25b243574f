/* C for a compiler that comes later (JrEngineOptions.ahead): `jitrun --emit c`.
 *
 * What the functions need of the runtime is in the file, as text/standalone.c, so that it stands
 * alone. Printing, random numbers, sorting and a few more are not: a file that uses them is to be
 * linked with libjitrun_rt.a, and so is any other if it is compiled with -DJITRUN_RT, which gives
 * its prange loops threads. */
#include "backend/tcc/emit.h"

#include "ir/par/copies.h"

#include <inttypes.h>
#include <string.h>

/* The text of text/standalone.c, made by CMake. */
static const char standalone[] =
#include <standalone.inc>
    ;

static bool is_standalone(IrRtCall call) {
    switch (call) {
    case RT_ARRAY_COPY:
    case RT_ARRAYS_OVERLAP:
    case RT_ARRAYS_LAG:
    case RT_ARRAY_DISTINCT:
    case RT_BROADCAST_ERROR:
    case RT_RANGE_TRIP:
    case RT_PARALLEL_CHUNKS:
    case RT_PARALLEL_COPIES:
    case RT_PARALLEL_END: return true;
    default: return false;
    }
}

/* The first runtime function that is not in the text, or NULL. */
static const char *outside(const Emit *em) {
    for (unsigned i = 0; i < RT_COUNT; i++)
        if (em->rt_calls[i] && !is_standalone((IrRtCall)i)) return ir_rt_name((IrRtCall)i);
    return NULL;
}

bool jr_c_uses_runtime(const Emit *em) {
    return memchr(em->runtime, 1, sizeof em->runtime) ||
           memchr(em->rt_calls, 1, sizeof em->rt_calls);
}

static void add_elements(JrText *out) {
    jr_text_puts(out, "/* Arrays may share memory whatever their elements are. */\n");
    for (unsigned t = TY_INT8; t <= TY_FLOAT64; t++) {
        const char *ctype = jr_c_ctype((IrScalar)t); /* a bool's is uint8's */
        jr_text_printf(out, "typedef %s jr_%s_element __attribute__((may_alias));\n", ctype,
                       ctype);
    }
    jr_text_puts(out, "\n");
}

void jr_c_ahead_head(const Emit *em, JrText *out) {
    const char *why = outside(em);
    jr_text_printf(
        out, "/* Made by jitrun %s. C11, for gcc and clang: cc -std=c11 -O3 -c FILE.c\n *\n",
        JITRUN_VERSION);
    if (why)
        jr_text_printf(out, " * It is to be linked with libjitrun_rt.a, for %s. */\n", why);
    else if (jr_c_uses_runtime(em))
        jr_text_puts(out, " * It stands alone. With -DJITRUN_RT it is to be linked with\n"
                          " * libjitrun_rt.a, whose prange loops run on threads. */\n");
    else
        jr_text_puts(out, " * It stands alone. */\n");
    jr_text_puts(out, "#define _GNU_SOURCE\n"
                      "#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n");
    if (why) jr_text_puts(out, "#undef JITRUN_RT\n#define JITRUN_RT 1\n");
    jr_text_puts(out, "#if defined(__clang__)\n"
                      "#pragma STDC FP_CONTRACT OFF\n"
                      "#elif defined(__GNUC__)\n"
                      "#pragma GCC optimize(\"fp-contract=off\")\n"
                      "#pragma GCC diagnostic ignored \"-Wmaybe-uninitialized\"\n"
                      "#endif\n"
                      "#pragma GCC diagnostic ignored \"-Wunused-function\"\n"
                      "#pragma GCC diagnostic ignored \"-Wunused-parameter\"\n\n");
    add_elements(out);
}

/* What the text's functions look up by number. */
static void add_tables(JrText *out) {
    jr_text_puts(out, "static const char *const jr_exceptions[] = {\"\"");
    for (unsigned i = 1; i < EXC_COUNT; i++)
        jr_text_printf(out, ",\n    \"%s\"", ir_exc_name((IrExc)i));
    jr_text_printf(out, "};\nenum { JR_EXCEPTIONS = %d, JR_TRAP_RECURSION = %d };\n",
                   EXC_COUNT, TRAP_RECURSION);
    jr_text_puts(out, "static const struct {\n    int32_t status;\n    const char *message;\n"
                      "} jr_traps[] = {\n");
    for (unsigned i = 0; i < TRAP_COUNT; i++)
        jr_text_printf(out, "    {%d, \"%s\"},\n", (int)ir_trap_exc((IrTrap)i),
                       ir_trap_message((IrTrap)i));
    jr_text_puts(out, "};\nstatic const struct {\n    const char *name;\n    unsigned size;\n"
                      "} jr_types[] = {\n");
    for (unsigned i = 0; i < TY_STR; i++)
        jr_text_printf(out, "    {\"%s\", %u},\n", ir_scalar_name((IrScalar)i),
                       ir_scalar_size((IrScalar)i));
    jr_text_printf(out, "};\nenum { JR_COPIES_COST = %d, JR_COPIES_LARGE_COST = %d, ",
                   COPIES_COST, COPIES_LARGE_COST);
    jr_text_printf(out, "JR_COPIES_LARGE = %d, JR_COPIES_BYTES = %d, ", COPIES_LARGE,
                   COPIES_BYTES);
    jr_text_printf(out, "JR_COPIES_MOST = %d, JR_COPIES_LEAST = %d };\n\n", COPIES_MOST,
                   COPIES_LEAST);
}

void jr_c_ahead_runtime(const Emit *em, void (*declare)(const Emit *em, JrText *out),
                        JrText *out) {
    if (outside(em)) {
        declare(em, out);
        return;
    }
    jr_text_puts(out, "#ifdef JITRUN_RT\n");
    declare(em, out);
    jr_text_puts(out, "#else\n"
                      "#include <stdarg.h>\n#include <stdatomic.h>\n#include <stddef.h>\n"
                      "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                      "#if defined(__linux__)\n#include <pthread.h>\n#endif\n\n");
    add_tables(out);
    jr_text_puts(out, standalone);
    jr_text_puts(out, "#endif\n\n");
}

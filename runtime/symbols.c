/* The names compiled code may call, from the tables of ir/. A row added there, and a function
 * of that name in runtime/, is all a new builtin needs. */
#include "runtime/rt/rt.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The rows of rtcalls.def give a function's name as a string; the assembler label ties an
 * identifier made from the row's ID to it. */
#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define JR_RTCALL(ID, text, takes, gives, fails)            \
    int32_t rtcall_##ID(                                    \
        JrRt *rt, const JrWhere *where, const JrSlot *args, \
        JrSlot *results) __asm__(STRING(__USER_LABEL_PREFIX__) "jr_rt_" text);
#include "ir/rtcalls.def"
#undef JR_RTCALL

#define SYMBOL(f) {#f, (void *)f},
static JrSymbol symbols[] = {
#define JR_MATH(ID, text, arity, f64, f32, exact) SYMBOL(f64) SYMBOL(f32)
#include "ir/math.def"
#undef JR_MATH
    JR_RT_HELPERS(SYMBOL) JR_RT_GATES(SYMBOL)
#define JR_RTCALL(ID, text, takes, gives, fails) {"jr_rt_" text, (void *)rtcall_##ID},
#include "ir/rtcalls.def"
#undef JR_RTCALL
        SYMBOL(memcpy) SYMBOL(memmove) SYMBOL(memset)};

enum { COUNT = sizeof symbols / sizeof *symbols };

static int by_name(const void *a, const void *b) {
    return strcmp(((const JrSymbol *)a)->name, ((const JrSymbol *)b)->name);
}

static void sort_symbols(void) {
    qsort(symbols, COUNT, sizeof *symbols, by_name);
}

/* Sorted once, by whoever asks first, and constant from then on. */
const JrSymbols *jr_rt_symbols(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static const JrSymbols table = {symbols, COUNT};
    pthread_once(&once, sort_symbols);
    return &table;
}

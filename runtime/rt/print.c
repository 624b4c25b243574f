#include "runtime/rt/format.h"
#include "runtime/rt/rt.h"

static int32_t put(JrRt *rt, const char *bytes, size_t len) {
    jr_thread_write(jr_thread_of(rt), bytes, len);
    return 0;
}

JR_RT_FN(print_str) {
    return put(rt, args[0].cp, (size_t)args[1].u);
}

JR_RT_FN(print_bool) {
    return args[0].b ? put(rt, "True", 4) : put(rt, "False", 5);
}

JR_RT_FN(print_int) {
    char text[JR_INT_CHARS];
    return put(rt, text, jr_format_int64(text, args[0].i));
}

JR_RT_FN(print_uint) {
    char text[JR_INT_CHARS];
    return put(rt, text, jr_format_uint64(text, args[0].u));
}

JR_RT_FN(print_float32) {
    char text[JR_FLOAT_CHARS];
    return put(rt, text, jr_format_float32(text, args[0].f));
}

JR_RT_FN(print_float64) {
    char text[JR_FLOAT_CHARS];
    return put(rt, text, jr_format_float64(text, args[0].d));
}

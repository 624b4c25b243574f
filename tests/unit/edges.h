/* Values of each type where operations go wrong: around zero, and around the ends of the types. */
#ifndef TESTS_EDGES_H
#define TESTS_EDGES_H

#include "tests/unit/engine_fake.h"

enum { EDGES = 64 }; /* there are fewer, of any type */

static const int64_t edge_ints[] = {0,
                                    1,
                                    -1,
                                    2,
                                    3,
                                    7,
                                    8,
                                    -7,
                                    31,
                                    32,
                                    63,
                                    64,
                                    INT8_MIN,
                                    INT8_MAX,
                                    INT16_MIN,
                                    INT16_MAX,
                                    INT32_MIN,
                                    INT32_MAX,
                                    INT64_MIN,
                                    INT64_MAX,
                                    INT64_MIN + 1,
                                    INT64_C(0x5555555555555555),
                                    INT64_C(1) << 53,
                                    (INT64_C(1) << 53) + 1,
                                    (INT64_C(1) << 62) + (1 << 9) + 1};
static const double edge_floats[] = {0.0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.5,
                                     -2.5,
                                     7,
                                     -7,
                                     0.1,
                                     1e30,
                                     1e300,
                                     5e-324,
                                     -1e-310,
                                     1e-45,
                                     HUGE_VAL,
                                     -HUGE_VAL,
                                     2147483647,
                                     2147483648.0,
                                     -2147483649.0,
                                     0x1p53,
                                     0x1p63,
                                     -0x1p63,
                                     0x1p64,
                                     4294967295.5,
                                     255.5,
                                     -128.9,
                                     -0.9,
                                     127.99,
                                     65535.9,
                                     1.7976931348623157e308,
                                     -32769,
                                     0x1.fffffffffffffp+62};

/* Fills in `out`, of EDGES; how many there are. */
static inline uint32_t edges_of(IrScalar type, IrConst *out) {
    uint32_t n = 0;
    if (ir_scalar_is_float(type)) {
        for (size_t i = 0; i < sizeof edge_floats / sizeof edge_floats[0]; i++)
            out[n++] = ref_float(type, edge_floats[i]);
        out[n++] = ref_float(type, (double)NAN);
        out[n++] = type == TY_FLOAT32 ? (IrConst){.u = 0xffc12345}
                                      : (IrConst){.u = 0xfff8000000012345};
        return n;
    }
    if (type == TY_BOOL) {
        out[0] = ref_of_int(0);
        out[1] = ref_of_int(1);
        return 2;
    }
    for (size_t i = 0; i < sizeof edge_ints / sizeof edge_ints[0]; i++)
        out[n++] = ref_norm(type, ref_of_int(edge_ints[i]));
    return n;
}

#endif

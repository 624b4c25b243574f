/* What the tests of the IR share: reading a module from text, printing it, and a small
 * one made by hand. */
#ifndef TESTS_UNIT_IR_TEXT_H
#define TESTS_UNIT_IR_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

static inline IrModule *read_text(JrArena *arena, const char *text, JrDiags *diags) {
    JrSource *source = JR_NEW(arena, JrSource);
    *source = (JrSource){.name = "test.ir", .text = text, .len = strlen(text)};
    jr_diags_init(diags, arena, source);
    return ir_read_module(arena, source, diags);
}

/* The module, which must be well-formed. */
static inline IrModule *read_good(JrArena *arena, const char *text) {
    JrDiags diags;
    IrModule *module = read_text(arena, text, &diags);
    if (!module) fail_msg("%s in\n%s", diags.first->message, text);
    return module;
}

static inline const char *print_text(JrArena *arena, const IrModule *module) {
    JrText out;
    jr_text_init(&out, arena);
    ir_print_module(module, &out);
    return out.data;
}

/* What a pass has made, which must be well-formed, and printed be read as it is. */
static inline const char *print_good(JrArena *arena, IrModule *module) {
    const char *why, *printed = print_text(arena, module);
    if (!ir_verify_module(module, &why)) fail_msg("%s: %s", why, printed);
    assert_string_equal(print_text(arena, read_good(arena, printed)), printed);
    return printed;
}

static inline void assert_count(const char *text, const char *part, int wanted) {
    int found = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        found++;
    if (found != wanted) fail_msg("'%s' %d times, not %d, in\n%s", part, found, wanted, text);
}

/* sum(x): the sum of a contiguous array, made with the builders. */
static inline IrFunc *build_sum(JrArena *arena) {
    IrModule *module = ir_module_new(arena, "sum.src");
    IrFunc *func = ir_func_new(module, "sum", NULL);
    func->rets = JR_NEW(arena, IrType);
    func->rets[0] = ir_scalar(TY_FLOAT64);
    func->nrets = 1;
    IrReg x = ir_param(func, ir_array(TY_FLOAT64, 1, LAYOUT_C), "x"), i;
    IrReg s = ir_var(func, ir_scalar(TY_FLOAT64), "s"),
          e = ir_temp(func, ir_scalar(TY_FLOAT64));
    IrBuilder b = {.func = func, .block = &func->body, .span = {2, 5, 9}};
    ir_build_copy(&b, s, ir_const_float(func, TY_FLOAT64, 0));
    IrReg n = ir_build_dim(&b, x, 0);
    IrStmt *loop = ir_build_for(&b, ir_const_int(func, TY_INT64, 0), n,
                                ir_const_int(func, TY_INT64, 1), &i);
    b.block = &loop->u.blocks.then;
    ir_build_load(&b, e, x, 1, &i)->u.mem.wrap = 0;
    ir_build_copy(&b, s, ir_build_binary(&b, OP_ADD, ir_scalar(TY_FLOAT64), s, e));
    b.block = &func->body;
    ir_build_return(&b, 1, &s);
    return func;
}

static inline int setup_arena(void **state) {
    *state = jr_arena_new(NULL);
    return *state ? 0 : -1;
}

static inline int teardown_arena(void **state) {
    jr_arena_free(*state);
    return 0;
}

#define ARENA_TEST(function) \
    cmocka_unit_test_setup_teardown(function, setup_arena, teardown_arena)

#endif

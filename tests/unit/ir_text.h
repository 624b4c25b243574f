/* What the tests of the IR share: reading a module from text, and printing it. */
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

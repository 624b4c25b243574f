/* The tcc engine on random programs, against the reference. */
#include "tests/unit/engine_random.h"

static void test_random(void **state) {
    (void)state;
    run_random_programs(jr_engine_tcc());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

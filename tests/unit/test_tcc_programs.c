/* The tcc engine on random programs, against the reference, and on parallel regions. */
#include "tests/unit/engine_random.h"

static void test_random(void **state) {
    (void)state;
    run_random_programs(jr_engine_tcc());
}

static void test_parallel(void **state) {
    (void)state;
    check_parallel(jr_engine_tcc());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_parallel),
    };
    return cmocka_run_group_tests(tests, sort_symbols, NULL);
}

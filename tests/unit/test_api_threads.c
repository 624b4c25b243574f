/* How many threads there are changes between regions, and while they run: the results do not. */
#include "tests/unit/api_harness.h"

#include <pthread.h>
#include <stdatomic.h>

static const char source[] = "from jitrun import njit, prange\n"
                             "import numpy as np\n"
                             "import random\n"
                             "@njit(parallel=True)\n"
                             "def work(n: int) -> float:\n"
                             "    s = 0.0\n"
                             "    h = np.zeros(50)\n"
                             "    random.seed(5)\n"
                             "    for i in prange(n):\n"
                             "        r = random.random()\n"
                             "        s += 1.0 / (i + r + 1)\n"
                             "        h[int(r * 50)] += r\n"
                             "    for k in range(20):\n"
                             "        for i in prange(50):\n"
                             "            h[i] += 1.0 / (k + i + 1)\n"
                             "            s += h[i] / (i + 1)\n"
                             "    return s\n";

static double work(JrModule *module) {
    JrValue args[] = {jr_int(20000)}, result;
    assert_ok(jr_call(env_function(module, "work", NULL), 1, args, &result));
    return result.as.f;
}

static void between_regions(void **state) {
    static const int counts[] = {2, 1, 3, 8, 64, 2, 5, 1};
    JrModule *module = env_compile(*state, source);
    assert_ok(jr_set_num_threads(1));
    double one = work(module);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        assert_ok(jr_set_num_threads(counts[i]));
        assert_int_equal(jr_num_threads(), counts[i]);
        assert_true(work(module) == one);
    }
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

static void *change_it(void *stop) {
    for (int threads = 1; !atomic_load((atomic_bool *)stop); threads = threads % 7 + 1) {
        jr_set_num_threads(threads);
        struct timespec moment = {0, 200000};
        nanosleep(&moment, NULL);
    }
    return NULL;
}

static void inside_regions(void **state) {
    JrModule *module = env_compile(*state, source);
    pthread_t thread;
    atomic_bool stop = false;
    double one = work(module);
    assert_int_equal(pthread_create(&thread, NULL, change_it, &stop), 0);
    for (int i = 0; i < 30; i++)
        assert_true(work(module) == one);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_ok(jr_set_num_threads(0));
    jr_module_free(module);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_regions),
        cmocka_unit_test(inside_regions),
    };
    return run_on_engines("threads", tests, sizeof tests / sizeof *tests);
}

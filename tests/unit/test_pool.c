/* The thread pool, without any kernel. */
#include "runtime/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The sanitizers' runtimes need address space, and ThreadSanitizer cannot follow a fork. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

enum { MANY = 10000 };

typedef struct Counts {
    _Atomic int times[MANY];
} Counts;

static void count(void *user, int64_t chunk) {
    Counts *counts = user;
    atomic_fetch_add(&counts->times[chunk], 1);
}

static void check_counts(Counts *counts, int n) {
    for (int i = 0; i < MANY; i++)
        assert_int_equal(atomic_load(&counts->times[i]), i < n ? 1 : 0);
}

static void each_chunk_once(void **state) {
    (void)state;
    static const int sizes[] = {0, 1, 2, 3, 7, 64, 1000, MANY};
    static const int threads[] = {1, 2, 3, 8, 64};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            Counts *counts = calloc(1, sizeof *counts);
            jr_pool_run(threads[t], sizes[s], count, counts);
            check_counts(counts, sizes[s]);
            free(counts);
        }
}

static void many_regions(void **state) {
    (void)state;
    for (int round = 0; round < 5000; round++) {
        Counts *counts = calloc(1, sizeof *counts);
        jr_pool_run(4, 9, count, counts);
        for (int i = 0; i < 9; i++)
            assert_int_equal(atomic_load(&counts->times[i]), 1);
        free(counts);
    }
}

static void nested_chunk(void *user, int64_t chunk) {
    Counts *all = user;
    assert_true(jr_pool_inside());
    (void)chunk;
    jr_pool_run(4, 100, count, all);
}

static void nested_regions_run_inline(void **state) {
    (void)state;
    Counts *counts = calloc(1, sizeof *counts);
    jr_pool_run(4, 50, nested_chunk, counts);
    for (int i = 0; i < 100; i++)
        assert_int_equal(atomic_load(&counts->times[i]), 50);
    assert_false(jr_pool_inside());
    free(counts);
}

static void *host_thread(void *unused) {
    (void)unused;
    for (int round = 0; round < 200; round++) {
        Counts *counts = calloc(1, sizeof *counts);
        jr_pool_run(3, 40, count, counts);
        for (int i = 0; i < 40; i++)
            if (atomic_load(&counts->times[i]) != 1) return counts;
        free(counts);
        if (round % 50 == 0) jr_pool_set_threads(1 + round % 7);
    }
    return NULL;
}

static void many_host_threads(void **state) {
    (void)state;
    pthread_t threads[64];
    for (int i = 0; i < 64; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, host_thread, NULL), 0);
    for (int i = 0; i < 64; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
    jr_pool_set_threads(0);
}

#ifndef SANITIZED
static int in_child(void) {
    Counts *counts = calloc(1, sizeof *counts);
    jr_pool_run(4, 500, count, counts);
    for (int i = 0; i < 500; i++)
        if (atomic_load(&counts->times[i]) != 1) return 1;
    return 0;
}

static void a_forked_child_has_its_own(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        Counts *counts = calloc(1, sizeof *counts);
        jr_pool_run(4, 100, count, counts);
        free(counts);
        pid_t child = fork();
        if (child == 0) _exit(in_child());
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

#endif

static void threads_setting(void **state) {
    (void)state;
    jr_pool_set_threads(5);
    assert_int_equal(jr_pool_threads(), 5);
    jr_pool_set_threads(100000);
    assert_int_equal(jr_pool_threads(), JR_POOL_MAX_THREADS);
    jr_pool_set_threads(0);
    assert_true(jr_pool_threads() >= 1);
    assert_true(jr_pool_processors() >= 1);
}

#ifndef SANITIZED
/* A child process in which no thread can be started: everything runs on the caller. */
static void no_more_threads(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        struct rlimit address = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_NPROC, &none);
        Counts *counts = calloc(1, sizeof *counts);
        setrlimit(RLIMIT_AS, &address); /* no room for a stack */
        jr_pool_run(8, 300, count, counts);
        for (int i = 0; i < 300; i++)
            if (atomic_load(&counts->times[i]) != 1) _exit(1);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#endif

static void shutdown_and_again(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        Counts *counts = calloc(1, sizeof *counts);
        jr_pool_run(4, 100, count, counts);
        check_counts(counts, 100);
        free(counts);
        jr_pool_shutdown();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_chunk_once),
        cmocka_unit_test(many_regions),
        cmocka_unit_test(nested_regions_run_inline),
        cmocka_unit_test(many_host_threads),
        cmocka_unit_test(threads_setting),
        cmocka_unit_test(shutdown_and_again),
#ifndef SANITIZED
        cmocka_unit_test(a_forked_child_has_its_own),
        cmocka_unit_test(no_more_threads),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The thread pool, without any kernel. */
#include "runtime/threads/pool.h"

#include "tests/unit/memcheck.h"

#include <errno.h>
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
#include <time.h>
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

static void count(void *user, JrPoolChunks *chunks) {
    Counts *counts = user;
    for (int64_t chunk; (chunk = jr_pool_next(chunks)) >= 0;)
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
    for (int round = 0; round < memcheck_size(5000, 500); round++) {
        Counts *counts = calloc(1, sizeof *counts);
        jr_pool_run(4, 9, count, counts);
        for (int i = 0; i < 9; i++)
            assert_int_equal(atomic_load(&counts->times[i]), 1);
        free(counts);
    }
}

/* ---- Parts ---- */

enum { SHARED = 100 };

typedef struct Beginnings {
    pthread_t caller;
    _Atomic int64_t
        first[2]; /* the chunk that the caller began with, and the helper; -1: none yet */
    Counts counts;
} Beginnings;

static void begin_together(void *user, JrPoolChunks *chunks) {
    Beginnings *b = user;
    bool is_helper = !pthread_equal(pthread_self(), b->caller);
    struct timespec brief = {.tv_nsec = 100000};
    int64_t chunk = jr_pool_next(chunks);
    atomic_store(&b->first[is_helper], chunk);
    for (int i = 0; i < 50000 && atomic_load(&b->first[!is_helper]) < 0; i++)
        nanosleep(&brief, NULL);
    for (; chunk >= 0; chunk = jr_pool_next(chunks))
        atomic_fetch_add(&b->counts.times[chunk], 1);
}

/* Each begins with its own half, every time. */
static void own_part_first(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        Beginnings *b = calloc(1, sizeof *b);
        b->caller = pthread_self();
        atomic_store(&b->first[0], -1);
        atomic_store(&b->first[1], -1);
        jr_pool_run(2, SHARED, begin_together, b);
        assert_int_equal(atomic_load(&b->first[0]), 0);
        assert_int_equal(atomic_load(&b->first[1]), SHARED / 2);
        check_counts(&b->counts, SHARED);
        free(b);
    }
}

static void count_rows(void *user, JrPoolChunks *chunks) {
    enum { MOST = 5 };
    Counts *counts = user;
    for (int64_t chunk, until; (chunk = jr_pool_next_few(chunks, MOST, &until)) >= 0;) {
        assert_in_range(until - chunk, 1, MOST);
        for (; chunk < until; chunk++)
            atomic_fetch_add(&counts->times[chunk], 1);
    }
}

static void rows_of_chunks(void **state) {
    (void)state;
    static const int sizes[] = {1, 2, 7, 8, 9, 100, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int threads = 1; threads <= 80; threads = 3 * threads + 1) {
            Counts *counts = calloc(1, sizeof *counts);
            jr_pool_run(threads, sizes[s], count_rows, counts);
            check_counts(counts, sizes[s]);
            free(counts);
        }
}

/* ---- Threads that the system refuses ---- */

static _Atomic int threads_left = MANY; /* that it starts */

/* The linker puts this in pthread_create's place (tests/CMakeLists.txt). */
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *user) {
    if (atomic_fetch_sub(&threads_left, 1) <= 0) return EAGAIN;
    return __real_pthread_create(thread, attributes, start, user);
}

typedef struct Crowd {
    Counts counts;
    _Atomic pthread_t threads[JR_POOL_MAX_THREADS]; /* that came, each once */
} Crowd;

static void sign_in(Crowd *crowd) {
    for (int i = 0; i < JR_POOL_MAX_THREADS; i++) {
        pthread_t nobody = 0;
        if (atomic_load(&crowd->threads[i]) == pthread_self() ||
            atomic_compare_exchange_strong(&crowd->threads[i], &nobody, pthread_self()))
            return;
    }
}

static void gather(void *user, JrPoolChunks *chunks) {
    Crowd *crowd = user;
    sign_in(crowd);
    struct timespec brief = {.tv_nsec = 200000};
    for (int64_t chunk; (chunk = jr_pool_next(chunks)) >= 0;) {
        nanosleep(&brief, NULL); /* so that everyone gets some */
        atomic_fetch_add(&crowd->counts.times[chunk], 1);
    }
}

static int threads_of(int threads, int chunks) {
    Crowd *crowd = calloc(1, sizeof *crowd);
    jr_pool_run(threads, chunks, gather, crowd);
    check_counts(&crowd->counts, chunks);
    int found = 0;
    while (found < JR_POOL_MAX_THREADS && atomic_load(&crowd->threads[found]))
        found++;
    free(crowd);
    return found;
}

static void refused_threads(void **state) {
    (void)state;
    jr_pool_shutdown();
    atomic_store(&threads_left, 2);
    for (int round = 0; round < 20; round++)
        assert_in_range(threads_of(8, 200), 1, 3); /* the caller, and the two */
    atomic_store(&threads_left, MANY);
    struct timespec long_enough = {.tv_sec = 1, .tv_nsec = 100000000};
    nanosleep(&long_enough, NULL); /* then the system is asked again */
    int most = 0;
    for (int round = 0; round < 200 && most <= 3; round++) {
        int found = threads_of(8, 200);
        most = found > most ? found : most;
    }
    assert_in_range(most, 4, 8);
}

/* Helpers that a region did not ask for stay away. */
static void no_more_than_asked(void **state) {
    (void)state;
    threads_of(40, 400);
    for (int round = 0; round < 50; round++)
        assert_in_range(threads_of(2, 20), 1, 2);
}

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Helpers park: an idle pool costs no processor time. */
static void idle_is_idle(void **state) {
    (void)state;
    threads_of(8, 100);
    double before = processor_seconds();
    struct timespec pause = {.tv_nsec = 300000000};
    nanosleep(&pause, NULL);
    assert_true(processor_seconds() - before < 0.1);
}

static void nested_chunk(void *user, JrPoolChunks *chunks) {
    Counts *all = user;
    assert_true(jr_pool_inside());
    while (jr_pool_next(chunks) >= 0)
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
    alarm(20); /* if it hangs, it is to die of it */
    Counts *counts = calloc(1, sizeof *counts);
    jr_pool_run(4, 500, count, counts);
    for (int i = 0; i < 500; i++)
        if (atomic_load(&counts->times[i]) != 1) return 1;
    return 0;
}

static void check_child(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_forked_child_has_its_own(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        Counts *counts = calloc(1, sizeof *counts);
        jr_pool_run(4, 100, count, counts);
        free(counts);
        pid_t child = fork();
        if (child == 0) _exit(in_child());
        check_child(child);
    }
}

static _Atomic bool enough;

static void *keep_running(void *unused) {
    (void)unused;
    Counts *counts = calloc(1, sizeof *counts);
    while (!atomic_load(&enough))
        jr_pool_run(4, 100, count, counts);
    free(counts);
    return NULL;
}

static void a_fork_beside_regions(void **state) {
    (void)state;
    pthread_t threads[3];
    atomic_store(&enough, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_running, NULL), 0);
    for (int round = 0; round < 40; round++) {
        pid_t child = fork();
        if (child == 0) _exit(in_child());
        check_child(child);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

typedef struct Inside {
    pthread_t caller;
    pid_t child; /* -1: not yet */
} Inside;

static void fork_inside(void *user, JrPoolChunks *chunks) {
    Inside *inside = user;
    bool is_caller = pthread_equal(pthread_self(), inside->caller);
    while (jr_pool_next(chunks) >= 0)
        if (is_caller && inside->child < 0) inside->child = fork();
}

/* The child's thread ends its part of the region, and is then as any other. */
static void a_fork_from_inside(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        Inside inside = {.caller = pthread_self(), .child = -1};
        while (inside.child < 0)
            jr_pool_run(4, 1000, fork_inside, &inside);
        if (inside.child == 0) _exit(in_child());
        check_child(inside.child);
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
/* A child process in which no thread can be started: everything runs on the caller. There is no room
 * for a stack; valgrind itself would be the first to need some, so there they are refused. */
static void no_more_threads(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        struct rlimit address = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_NPROC, &none);
        Counts *counts = calloc(1, sizeof *counts);
        if (under_memcheck())
            atomic_store(&threads_left, 0);
        else
            setrlimit(RLIMIT_AS, &address);
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
        cmocka_unit_test(own_part_first),
        cmocka_unit_test(rows_of_chunks),
        cmocka_unit_test(nested_regions_run_inline),
        cmocka_unit_test(many_host_threads),
        cmocka_unit_test(threads_setting),
        cmocka_unit_test(shutdown_and_again),
        cmocka_unit_test(refused_threads),
        cmocka_unit_test(no_more_than_asked),
        cmocka_unit_test(idle_is_idle),
#ifndef SANITIZED
        cmocka_unit_test(a_forked_child_has_its_own),
        cmocka_unit_test(a_fork_beside_regions),
        cmocka_unit_test(a_fork_from_inside),
        cmocka_unit_test(no_more_threads),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

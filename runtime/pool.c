/* The pool: slots, spinning and parking.
 *
 * A region is put in one of a few static slots. The caller writes what to do, opens the slot
 * by making its sequence odd, and bumps the pool's epoch; helpers that see a new epoch look
 * through the slots and join those with chunks left. To join is to raise `users`, and to look
 * at the sequence again: a slot whose sequence is odd and unchanged cannot be closed while
 * users is not zero. Chunks are handed out by one fetch-and-add. The caller works too; when no
 * chunk is left it closes the slot (sequence even) and waits for users to leave. Since slots
 * are never freed, a helper that comes late touches live memory, sees a closed slot, and goes.
 *
 * Waiting starts with a spin, since the next region of a numeric program tends to come within
 * microseconds and a futex costs more than it saves there; then a helper parks on the epoch.
 * If there are more threads than processors nobody spins: the spinner would hold the processor
 * the worker needs.
 *
 * Fork copies the slots and none of the helpers. The child sees that the process id stored
 * with the pool is not its own, and starts from zeroed state. */
#include "runtime/pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOTS = 16, SPIN_HELPER = 2000, SPIN_CALLER = 4000, HELPER_STACK = 8 << 20 };

typedef struct Slot {
    _Atomic uint32_t sequence; /* odd: open */
    _Atomic uint32_t users;    /* helpers inside; the caller parks on it */
    _Atomic int32_t room;      /* helpers that may still join */
    _Atomic bool taken;        /* by a caller */
    int64_t count;
    JrPoolWork work;
    void *user;
    _Alignas(64) _Atomic int64_t next; /* chunk to hand out */
} __attribute__((aligned(64))) Slot;

static struct {
    _Alignas(64) _Atomic uint32_t epoch; /* helpers park on it */
    _Atomic uint32_t sleepers;
    _Alignas(64) Slot slots[SLOTS];
    pthread_mutex_t lock; /* starting and ending helpers */
    _Atomic int started;
    _Atomic int failed_at; /* the system refused another one at this many */
    _Atomic bool stopping;
    pthread_t helpers[JR_POOL_MAX_THREADS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int wanted_threads; /* 0: the default */
static _Thread_local int depth;    /* chunks this thread is inside */

/* ---- Processors ---- */

/* cgroup v2's cpu.max, "200000 100000" for two processors; 0 if there is no quota. */
static int cgroup_quota(void) {
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    long quota = 0, period = 0;
    if (!file) return 0;
    int fields = fscanf(file, "%ld %ld", &quota, &period);
    fclose(file);
    if (fields != 2 || quota <= 0 || period <= 0) return 0;
    long processors = (quota + period - 1) / period;
    return processors < 1                     ? 1
           : processors > JR_POOL_MAX_THREADS ? JR_POOL_MAX_THREADS
                                              : (int)processors;
}

static int affinity(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int jr_pool_processors(void) {
    static _Atomic int cached;
    int n = atomic_load_explicit(&cached, memory_order_relaxed);
    if (n) return n;
    n = affinity();
    int quota = cgroup_quota();
    if (quota && quota < n) n = quota;
    if (n < 1) n = 1;
    if (n > JR_POOL_MAX_THREADS) n = JR_POOL_MAX_THREADS;
    atomic_store_explicit(&cached, n, memory_order_relaxed);
    return n;
}

static int default_threads(void) {
    static _Atomic int cached;
    int n = atomic_load_explicit(&cached, memory_order_relaxed);
    if (n) return n;
    const char *set = getenv("JITRUN_NUM_THREADS");
    char *end;
    long asked = set ? strtol(set, &end, 10) : 0;
    bool good = set && end != set && *end == 0 && asked >= 1 && asked <= JR_POOL_MAX_THREADS;
    n = good ? (int)asked : jr_pool_processors();
    atomic_store_explicit(&cached, n, memory_order_relaxed);
    return n;
}

int jr_pool_threads(void) {
    int n = atomic_load_explicit(&wanted_threads, memory_order_relaxed);
    return n ? n : default_threads();
}

void jr_pool_set_threads(int threads) {
    if (threads < 0) threads = 0;
    if (threads > JR_POOL_MAX_THREADS) threads = JR_POOL_MAX_THREADS;
    atomic_store_explicit(&wanted_threads, threads, memory_order_relaxed);
}

bool jr_pool_inside(void) {
    return depth > 0;
}

/* ---- Waiting ---- */

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t seen) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static bool may_spin(void) {
    return atomic_load_explicit(&pool.started, memory_order_relaxed) < jr_pool_processors();
}

/* ---- Working ---- */

static void work_on(Slot *slot) {
    depth++;
    for (;;) {
        int64_t chunk = atomic_fetch_add_explicit(&slot->next, 1, memory_order_relaxed);
        if (chunk >= slot->count) break;
        slot->work(slot->user, chunk);
    }
    depth--;
}

static bool join(Slot *slot) {
    uint32_t sequence = atomic_load(&slot->sequence);
    if (!(sequence & 1)) return false;
    atomic_fetch_add(&slot->users, 1);
    bool open = atomic_load(&slot->sequence) == sequence;
    bool room = open && atomic_fetch_sub(&slot->room, 1) > 0;
    if (room) work_on(slot);
    if (atomic_fetch_sub(&slot->users, 1) == 1) futex_wake(&slot->users, 1);
    return room;
}

static bool join_any(void) {
    bool joined = false;
    for (int i = 0; i < SLOTS; i++)
        joined |= join(&pool.slots[i]);
    return joined;
}

static void wait_for_epoch(uint32_t seen) {
    int spins = may_spin() ? SPIN_HELPER : 0;
    for (int i = 0; i < spins; i++) {
        if (atomic_load_explicit(&pool.epoch, memory_order_acquire) != seen) return;
        pause_briefly();
    }
    atomic_fetch_add(&pool.sleepers, 1);
    if (atomic_load(&pool.epoch) == seen) futex_wait(&pool.epoch, seen);
    atomic_fetch_sub(&pool.sleepers, 1);
}

static void *helper_main(void *unused) {
    (void)unused;
    while (!atomic_load(&pool.stopping)) {
        uint32_t seen = atomic_load(&pool.epoch);
        if (!join_any()) wait_for_epoch(seen);
    }
    return NULL;
}

/* ---- Helpers ---- */

static void wake_all(void) {
    atomic_fetch_add(&pool.epoch, 1);
    if (atomic_load(&pool.sleepers)) futex_wake(&pool.epoch, JR_POOL_MAX_THREADS);
}

/* In the child of a fork only the forking thread is there: forget the helpers, and the regions
 * that other threads of the parent were in. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&pool.lock, NULL);
    atomic_store(&pool.started, 0);
    atomic_store(&pool.failed_at, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_store(&pool.stopping, false);
    memset(pool.slots, 0, sizeof pool.slots);
}

static void before_fork(void) {
    pthread_mutex_lock(&pool.lock);
}

static void after_fork_in_parent(void) {
    pthread_mutex_unlock(&pool.lock);
}

static void register_fork(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static bool start_helper(int index) {
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes)) return false;
    pthread_attr_setstacksize(&attributes, HELPER_STACK);
    sigfillset(&all); /* signals are the host's business, on the host's threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&pool.helpers[index], &attributes, helper_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

static void ensure_helpers(int count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (atomic_load_explicit(&pool.started, memory_order_relaxed) >= count) return;
    int failed_at = atomic_load(&pool.failed_at);
    if (failed_at && failed_at - 1 <= atomic_load(&pool.started)) return;
    pthread_once(&once, register_fork);
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.started) < count) {
        if (!start_helper(atomic_load(&pool.started))) {
            atomic_store(&pool.failed_at, atomic_load(&pool.started) + 1);
            break;
        }
        atomic_fetch_add(&pool.started, 1);
    }
    pthread_mutex_unlock(&pool.lock);
}

void jr_pool_shutdown(void) {
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.stopping, true);
    wake_all();
    for (int i = 0; i < atomic_load(&pool.started); i++) {
        wake_all();
        pthread_join(pool.helpers[i], NULL);
    }
    atomic_store(&pool.started, 0);
    atomic_store(&pool.failed_at, 0);
    atomic_store(&pool.stopping, false);
    pthread_mutex_unlock(&pool.lock);
}

/* ---- Regions ---- */

static void run_here(int64_t count, JrPoolWork work, void *user) {
    depth++;
    for (int64_t chunk = 0; chunk < count; chunk++)
        work(user, chunk);
    depth--;
}

static Slot *take_slot(void) {
    for (int i = 0; i < SLOTS; i++) {
        bool free = false;
        if (atomic_compare_exchange_strong(&pool.slots[i].taken, &free, true))
            return &pool.slots[i];
    }
    return NULL;
}

static void open_slot(Slot *slot, int helpers, int64_t count, JrPoolWork work, void *user) {
    slot->count = count;
    slot->work = work;
    slot->user = user;
    atomic_store_explicit(&slot->next, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->room, helpers, memory_order_relaxed);
    atomic_fetch_add(&slot->sequence, 1);
    wake_all();
}

static void close_slot(Slot *slot) {
    atomic_fetch_add(&slot->sequence, 1);
    int spins = may_spin() ? SPIN_CALLER : 16;
    for (uint32_t users; (users = atomic_load(&slot->users)) != 0;) {
        if (spins-- > 0)
            pause_briefly();
        else
            futex_wait(&slot->users, users);
    }
    atomic_store(&slot->taken, false);
}

void jr_pool_run(int threads, int64_t count, JrPoolWork work, void *user) {
    if (threads <= 0) threads = jr_pool_threads();
    if (threads > JR_POOL_MAX_THREADS) threads = JR_POOL_MAX_THREADS;
    if (threads > count) threads = (int)count;
    Slot *slot = NULL;
    if (threads > 1 && depth == 0) {
        ensure_helpers(threads - 1);
        if (atomic_load_explicit(&pool.started, memory_order_relaxed) > 0) slot = take_slot();
    }
    if (!slot) {
        run_here(count, work, user);
        return;
    }
    open_slot(slot, threads - 1, count, work, user);
    work_on(slot);
    close_slot(slot);
}

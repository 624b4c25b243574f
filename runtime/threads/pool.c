/* The pool: slots, spinning and parking.
 *
 * A region is put in one of a few static slots. The caller writes what to do, opens the slot
 * by making its sequence odd, and bumps the pool's epoch; helpers that see a new epoch look
 * through the slots and join those with chunks left. To join is to raise `users`, and to look
 * at the sequence again: a slot whose sequence is odd and unchanged cannot be closed while
 * users is not zero. Chunks are handed out by a fetch-and-add each. The caller works too; when no
 * chunk is left it closes the slot (sequence even) and waits for users to leave. Since slots
 * are never freed, a helper that comes late touches live memory, sees a closed slot, and goes.
 *
 * Waiting starts with a spin, since the next region of a numeric program tends to come within
 * microseconds and a futex costs more than it saves there; then a helper parks on the epoch, and the
 * caller on `users`. Nobody spins where that holds a processor up which another thread needs:
 * if those awake, callers and helpers, are more than the processors; and for a while after a
 * spin in which the clock made a leap, since then some other process needs it.
 *
 * A region wakes no more helpers than it has room for, less those that spin and see it anyway.
 *
 * Fork copies the slots and none of the helpers: the child's handler closes all slots, but for the
 * one of the thread that forked, if it did so from inside a region. That thread goes on with
 * the chunks that are left; what helpers were doing is lost to the child. */
#include "runtime/threads/pool.h"

#include "ir/base/clock.h"
#include "runtime/threads/processors.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SLOTS = 16,
    MAX_PARTS = 64,
    HELPER_STACK = 8 << 20,
    PAUSES = 32 /* between two looks at the clock */
};

/* Seconds: how long to spin; how long one look at the clock comes after another at most, if
 * nothing else wants the processor; how long not to spin if it came later; and when to ask the
 * system for threads again that it refused. */
static const double SPIN = 50e-6, LEAP = 500e-6, CROWDED = 0.1, REFUSED = 1;

static const uint32_t WAITING = 1u << 31; /* in users: the caller is parked */

typedef struct Slot {
    _Atomic uint32_t sequence; /* odd: open */
    _Atomic uint32_t users;    /* helpers inside; the caller parks on it */
    _Atomic int32_t room;      /* helpers that may still join */
    _Atomic bool taken;        /* by a caller */
    JrPoolWork work;
    void *user;
    int part_count;
    JrPoolPart parts[MAX_PARTS];
} __attribute__((aligned(64))) Slot;

static struct {
    _Alignas(64) _Atomic uint32_t epoch; /* helpers park on it */
    _Atomic int32_t sleepers, spinners;
    _Alignas(64) _Atomic int32_t awake; /* helpers that are not parked, and callers */
    _Atomic double crowded;             /* until when nobody spins */
    _Alignas(64) Slot slots[SLOTS];
    pthread_mutex_t lock; /* starting and ending helpers */
    _Atomic int started;
    _Atomic double refused; /* when the system did not start a helper; 0: it always did */
    _Atomic bool stopping;
    pthread_t helpers[JR_POOL_MAX_THREADS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int wanted_threads, processors; /* 0: the default; not known yet */
static _Thread_local int depth;                /* chunks this thread is inside */
static _Thread_local int helper;               /* which one it is, from 1; 0: none */
static _Thread_local Slot *own_slot;           /* of the region it is the caller of */

/* ---- How many ---- */

int jr_pool_processors(void) {
    int n = atomic_load_explicit(&processors, memory_order_relaxed);
    if (n) return n;
    n = jr_processors();
    if (n > JR_POOL_MAX_THREADS) n = JR_POOL_MAX_THREADS;
    atomic_store_explicit(&processors, n, memory_order_relaxed);
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

/* One of the `awake`, the calling thread, has nothing else to do. */
static bool may_spin(double now) {
    return atomic_load_explicit(&pool.awake, memory_order_relaxed) <= jr_pool_processors() &&
           atomic_load_explicit(&pool.crowded, memory_order_relaxed) <= now;
}

/* Until the word is not `value` any more; false if it still is when spinning has to end. */
static bool spin_while(const _Atomic uint32_t *word, uint32_t value) {
    double now = jr_clock(), end = now + SPIN;
    while (may_spin(now)) {
        for (int i = 0; i < PAUSES; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != value) return true;
            pause_briefly();
        }
        double before = now;
        now = jr_clock();
        if (now - before > LEAP)
            atomic_store_explicit(&pool.crowded, now + CROWDED, memory_order_relaxed);
        if (now > end) break;
    }
    return atomic_load_explicit(word, memory_order_acquire) != value;
}

/* ---- Working ---- */

/* The first part is the caller's, the others belong to helpers by their numbers. */
static void work_on(Slot *slot) {
    int count = slot->part_count,
        own = helper && count > 1 ? 1 + (helper - 1) % (count - 1) : 0;
    JrPoolChunks chunks = {.parts = slot->parts, .count = count, .at = own, .left = count};
    depth++;
    slot->work(slot->user, &chunks);
    depth--;
}

static bool is_work_left(const Slot *slot) {
    for (int i = slot->part_count - 1; i >= 0; i--)
        if (atomic_load_explicit(&slot->parts[i].next, memory_order_relaxed) <
            slot->parts[i].end)
            return true;
    return false;
}

static bool join(Slot *slot) {
    uint32_t sequence = atomic_load(&slot->sequence);
    if (!(sequence & 1)) return false;
    atomic_fetch_add(&slot->users, 1);
    bool open = atomic_load(&slot->sequence) == sequence;
    bool left = open && is_work_left(slot);
    bool room = left && atomic_fetch_sub(&slot->room, 1) > 0;
    if (room) work_on(slot);
    if (atomic_fetch_sub(&slot->users, 1) == (1 | WAITING)) futex_wake(&slot->users, 1);
    return room;
}

static bool join_any(void) {
    bool joined = false;
    for (int i = 0; i < SLOTS; i++)
        joined |= join(&pool.slots[i]);
    return joined;
}

static void wait_for_epoch(uint32_t seen) {
    atomic_fetch_add(&pool.spinners, 1);
    bool changed = spin_while(&pool.epoch, seen);
    atomic_fetch_sub(&pool.spinners, 1);
    if (changed) return;
    atomic_fetch_sub(&pool.awake, 1);
    atomic_fetch_add(&pool.sleepers, 1);
    if (atomic_load(&pool.epoch) == seen) futex_wait(&pool.epoch, seen);
    atomic_fetch_sub(&pool.sleepers, 1);
    atomic_fetch_add(&pool.awake, 1);
}

static void *helper_main(void *number) {
    helper = (int)(intptr_t)number;
    atomic_fetch_add(&pool.awake, 1);
    for (;;) {
        uint32_t seen =
            atomic_load(&pool.epoch); /* stopping is set before the epoch changes */
        if (atomic_load(&pool.stopping)) break;
        if (!join_any()) wait_for_epoch(seen);
    }
    atomic_fetch_sub(&pool.awake, 1);
    return NULL;
}

/* ---- Helpers ---- */

static void wake(int count) {
    atomic_fetch_add(&pool.epoch, 1);
    count -= atomic_load(&pool.spinners);
    if (count > 0 && atomic_load(&pool.sleepers) > 0) futex_wake(&pool.epoch, count);
}

static void wake_all(void) {
    atomic_fetch_add(&pool.epoch, 1);
    futex_wake(&pool.epoch, JR_POOL_MAX_THREADS);
}

/* In the child of a fork only the forking thread is there: forget the helpers, and the regions
 * that other threads of the parent were in. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&pool.lock, NULL);
    atomic_store(&pool.started, 0);
    atomic_store(&pool.refused, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_store(&pool.spinners, 0);
    atomic_store(&pool.awake, own_slot ? 1 : 0);
    atomic_store(&pool.stopping, false);
    atomic_store(&processors, 0);
    for (int i = 0; i < SLOTS; i++) {
        Slot *slot = &pool.slots[i];
        atomic_store(&slot->users, 0);
        atomic_store(&slot->room, 0);
        if (slot == own_slot) continue;
        if (atomic_load(&slot->sequence) & 1) atomic_fetch_add(&slot->sequence, 1);
        atomic_store(&slot->taken, false);
    }
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
    int error = pthread_create(&pool.helpers[index], &attributes, helper_main,
                               (void *)(intptr_t)(index + 1));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

static void ensure_helpers(int count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (atomic_load_explicit(&pool.started, memory_order_relaxed) >= count) return;
    double refused = atomic_load_explicit(&pool.refused, memory_order_relaxed);
    if (refused != 0 && jr_clock() - refused < REFUSED) return;
    pthread_once(&once, register_fork);
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.started) < count) {
        if (!start_helper(atomic_load(&pool.started))) {
            atomic_store(&pool.refused, jr_clock());
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
    atomic_store(&pool.refused, 0);
    atomic_store(&pool.stopping, false);
    pthread_mutex_unlock(&pool.lock);
}

/* ---- Regions ---- */

static void run_here(int64_t count, JrPoolWork work, void *user) {
    JrPoolPart all = {.end = count};
    JrPoolChunks chunks = {.parts = &all, .count = 1, .left = 1};
    depth++;
    work(user, &chunks);
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

/* A chunk for each thread and no more is quicker to hand out from one place. */
static void cut(Slot *slot, int64_t count, int threads) {
    int parts = count <= threads ? 1 : threads < MAX_PARTS ? threads : MAX_PARTS;
    int64_t each = count / parts, rest = count % parts, begin = 0;
    slot->part_count = parts;
    for (int i = 0; i < parts; i++) {
        atomic_store_explicit(&slot->parts[i].next, begin, memory_order_relaxed);
        slot->parts[i].end = begin += each + (i < rest);
    }
}

static void open_slot(Slot *slot, int helpers, int64_t count, JrPoolWork work, void *user) {
    slot->work = work;
    slot->user = user;
    cut(slot, count, helpers + 1);
    atomic_store_explicit(&slot->room, helpers, memory_order_relaxed);
    own_slot = slot;
    atomic_fetch_add(&pool.awake, 1);
    atomic_fetch_add(&slot->sequence, 1);
    wake(helpers);
}

/* The last helper to leave wakes whoever says in `users` that it waits. */
static void wait_for_users(Slot *slot) {
    for (uint32_t users; (users = atomic_load(&slot->users)) != 0;) {
        if (!(users & WAITING)) {
            if (spin_while(&slot->users, users) ||
                !atomic_compare_exchange_strong(&slot->users, &users, users | WAITING))
                continue;
            users |= WAITING;
        }
        if (users == WAITING) break;
        futex_wait(&slot->users, users);
    }
    atomic_fetch_and(&slot->users, ~WAITING); /* one that came late may be in and out again */
}

static void close_slot(Slot *slot) {
    atomic_fetch_add(&slot->sequence, 1);
    wait_for_users(slot);
    own_slot = NULL;
    atomic_fetch_sub(&pool.awake, 1);
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

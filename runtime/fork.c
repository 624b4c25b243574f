/* Fork while other threads compile.
 *
 * The child has a copy of all memory and of one thread. A lock that another thread held is held there
 * for ever, and what it was changing stays half changed: a module that was being compiled, libtcc's state, LLVM's
 * linker. LLVM's own locks cannot even be named here. So who compiles, or frees code, holds forks off, and a fork
 * waits until nobody does, which takes as long as the longest compilation under way; those that would begin
 * meanwhile wait for the fork.
 *
 * Running kernels holds nothing off. What the pool does in a child says runtime/threads/pool.c.
 *
 * A thread that forks between hold and release itself, in an allocation function of the program's, waits for
 * nobody: the others may wait for it. */
#include "runtime/fork.h"

#include "runtime/lifetime.h"

static struct {
    pthread_mutex_t lock; /* held throughout a fork */
    pthread_cond_t quiet, over;
    int inside, waiting; /* threads: between hold and release; about to fork */
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

static _Thread_local int depth; /* holds of this thread's */

void jr_fork_hold(void) {
    if (depth++) return;
    pthread_mutex_lock(&gate.lock);
    while (gate.waiting)
        pthread_cond_wait(&gate.over, &gate.lock);
    gate.inside++;
    pthread_mutex_unlock(&gate.lock);
}

void jr_fork_release(void) {
    if (--depth) return;
    pthread_mutex_lock(&gate.lock);
    if (--gate.inside == 0) pthread_cond_broadcast(&gate.quiet);
    pthread_mutex_unlock(&gate.lock);
}

int jr_fork_pause(void) {
    int holds = depth;
    if (!holds) return 0;
    depth = 1;
    jr_fork_release();
    return holds;
}

void jr_fork_resume(int holds) {
    if (!holds) return;
    jr_fork_hold();
    depth = holds;
}

static void before_fork(void) {
    pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    while (gate.inside && !depth)
        pthread_cond_wait(&gate.quiet, &gate.lock);
}

static void after_fork_in_parent(void) {
    if (--gate.waiting == 0) pthread_cond_broadcast(&gate.over);
    pthread_mutex_unlock(&gate.lock);
}

static void after_fork_in_child(void) {
    pthread_mutex_init(&gate.lock, NULL);
    pthread_cond_init(&gate.quiet, NULL);
    pthread_cond_init(&gate.over, NULL);
    gate.inside = depth != 0;
    gate.waiting = 0;
    jr_threads_after_fork();
    jr_modules_after_fork();
}

static void watch(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void jr_fork_watch(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch);
}

void jr_module_lock(JrModule *module) {
    jr_fork_hold();
    pthread_mutex_lock(&module->lock);
}

void jr_module_unlock(JrModule *module) {
    pthread_mutex_unlock(&module->lock);
    jr_fork_release();
}

void jr_hosts_lock(JrContext *context) {
    jr_fork_hold();
    pthread_mutex_lock(&context->hosts_lock);
}

void jr_hosts_unlock(JrContext *context) {
    pthread_mutex_unlock(&context->hosts_lock);
    jr_fork_release();
}

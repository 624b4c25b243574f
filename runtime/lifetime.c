/* When a module goes: after its owner and every prepared call have let go of it, and no thread is in
 * its code.
 *
 * A call that is under way when a module is freed has begun before that, in an order that the program
 * made sure of: it cannot free what it may still call. So entering only has to be seen, which a
 * store to the thread's own memory does; no counter is shared by the threads that call one function.
 *
 *     a thread       module -> its holds | call | NULL -> its holds; are there doomed modules? reap
 *     who frees      doomed modules += module; reap
 *     reap           free the doomed modules that are in no thread's holds
 *
 * A typed pointer's function leaves its hold where it is (rt_gate.c), since it returns to the
 * module's own code: the module goes with a later call, or when the thread ends.
 *
 * A small function that C calls through its pointer enters nothing: no other thread can know that such a
 * call has begun before it has returned (decision 019).
 *
 * Of the one who leaves and the one who frees at least one sees what the other stored, both orders
 * being sequentially consistent, so that the last to leave frees the module. */
#include "runtime/lifetime.h"

#include "runtime/fork.h"
#include "runtime/pointer.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of `doomed` */
static JrModule *doomed;
static _Atomic uint32_t doomed_count;

static void destroy(JrModule *module) {
    JrContext *context = module->context;
    for (JrFunction *f = module->functions; f; f = f->next)
        jr_pointer_free(f);
    jr_fork_hold(); /* engines lock what their modules share */
    for (JrUnit *unit = module->units, *next; unit; unit = next) {
        next = unit->next;
        unit->engine->release(unit->code);
        jr_alloc_free(context->alloc, unit);
    }
    jr_fork_release();
    pthread_mutex_destroy(&module->lock);
    jr_arena_free(module->arena);
    jr_alloc_free(context->alloc, module);
    jr_context_free(context);
}

/* A thread may have been in the middle of the list of what was doomed, so that is left as it is. */
void jr_modules_after_fork(void) {
    pthread_mutex_init(&lock, NULL);
    doomed = NULL;
    atomic_store(&doomed_count, 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static JrModule *take_free_one(void) {
    pthread_mutex_lock(&lock);
    JrModule **at = &doomed;
    while (*at && jr_threads_hold(*at))
        at = &(*at)->next_doomed;
    JrModule *found = *at;
    if (found) {
        *at = found->next_doomed;
        atomic_fetch_sub(&doomed_count, 1);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void reap(void) {
    JrModule *module;
    while ((module = take_free_one()))
        destroy(module);
}

static void reap_what_is_left(void) {
    if (atomic_load(&doomed_count)) reap();
}

static void watch_threads(void) {
    jr_threads_when_gone(reap_what_is_left);
}

void jr_module_ref(JrModule *module) {
    atomic_fetch_add_explicit(&module->refs, 1, memory_order_relaxed);
}

void jr_module_unref(JrModule *module) {
    if (atomic_fetch_sub_explicit(&module->refs, 1, memory_order_acq_rel) != 1) return;
    pthread_once(&once, watch_threads);
    pthread_mutex_lock(&lock);
    module->next_doomed = doomed;
    doomed = module;
    atomic_fetch_add(&doomed_count, 1);
    pthread_mutex_unlock(&lock);
    reap();
}

void jr_module_free(JrModule *module) {
    if (module)
        jr_module_unref(module);
    else
        reap_what_is_left();
}

/* Calls nested deeper than there are holds count references. */
bool jr_module_enter(JrModule *module) {
    JrHolds *holds = jr_thread_holds();
    if (!holds) return jr_error_set(JR_MEMORY_ERROR, "out of memory"), false;
    if (holds->depth < JR_HOLDS)
        atomic_store_explicit(&holds->modules[holds->depth], module, memory_order_release);
    else
        jr_module_ref(module);
    holds->depth++;
    return true;
}

void jr_module_leave(JrModule *module) {
    JrHolds *holds = jr_thread_holds();
    if (--holds->depth >= JR_HOLDS) {
        jr_module_unref(module);
        return;
    }
    atomic_store(&holds->modules[holds->depth], NULL);
    reap_what_is_left();
}

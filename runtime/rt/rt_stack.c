/* Where the stack of this thread ends.
 *
 * Compiled code compares the address of its frame with rt.stack_limit on entry to every
 * function that can be on the stack twice. (An alarm puts the limit above every frame: the
 * function then comes to jr_rt_deep, which asks whether to stop. So recursion can be cancelled
 * for nothing.) Below the limit there must be room for whatever
 * runs without such a check: a last engine frame, libm, printf of a float, a host function.
 *
 * pthread_getattr_np reads /proc for the main thread, which takes tens of microseconds; the
 * answer is kept per thread. The main thread's stack grows on demand up to its rlimit. If that
 * is unlimited, glibc reports the whole gap below it, and other mappings may lie in there: the
 * limit is then set as if the rlimit was 8 MiB, the default everywhere. */
#include "runtime/rt/rt.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
enum { MARGIN = 1024 * 1024 }; /* instrumented frames are several times larger */
#else
enum { MARGIN = 192 * 1024 };
#endif
enum { DEFAULT_STACK = 8 * 1024 * 1024, SMALLEST_USE = 16 * 1024 };

/* Only the main thread's does. */
static bool grows_without_limit(void) {
    struct rlimit limit;
    return getpid() == gettid() && getrlimit(RLIMIT_STACK, &limit) == 0 &&
           limit.rlim_cur == RLIM_INFINITY;
}

/* The lowest address of the stack that may be used, or NULL if it cannot be found out. */
static char *stack_bottom(char *top_of_use) {
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) != 0) return NULL;
    int failed = pthread_attr_getstack(&attr, &low, &size);
    size_t guard = 0;
    pthread_attr_getguardsize(&attr, &guard);
    pthread_attr_destroy(&attr);
    if (failed || !low) return NULL;
    char *bottom = (char *)low + guard, *high = (char *)low + size;
    if (grows_without_limit() && high - top_of_use < DEFAULT_STACK)
        bottom = high - DEFAULT_STACK;
    return bottom;
}

void jr_thread_set_stack(JrThread *thread) {
    static _Thread_local char *bottom;
    char *here = __builtin_frame_address(0);
    if (!bottom) bottom = stack_bottom(here);
    /* Unknown: trust a quarter of the default. */
    if (!bottom) bottom = here - DEFAULT_STACK / 4;
    char *limit = bottom + MARGIN;
    /* A stack smaller than the margin: use half of what is there. */
    if (here - limit < SMALLEST_USE) limit = here - (here - bottom) / 2;
    thread->true_limit = limit;
    __atomic_store_n(&thread->rt.stack_limit, limit, __ATOMIC_RELAXED);
}

bool jr_thread_is_deep(const JrThread *thread) {
    return (char *)__builtin_frame_address(0) < thread->true_limit;
}

void jr_thread_alarm(JrThread *thread) {
    __atomic_store_n(&thread->yielding.word, 1, __ATOMIC_RELEASE);
    if (thread->true_limit)
        __atomic_store_n(&thread->rt.stack_limit, JR_STACK_ALARM, __ATOMIC_RELAXED);
}

bool jr_thread_end_alarm(JrThread *thread) {
    if (__atomic_load_n(&thread->rt.stack_limit, __ATOMIC_RELAXED) != JR_STACK_ALARM)
        return false;
    __atomic_store_n(&thread->rt.stack_limit, thread->true_limit, __ATOMIC_RELAXED);
    return true;
}

/* Ctrl-C stops kernels that were called from Python.
 *
 * CPython's own handler of SIGINT notes that the signal came; KeyboardInterrupt is raised when the
 * interpreter next looks, and a kernel keeps it from looking. So a handler of ours stands in front of
 * it, which cancels what runs in the context and goes on to CPython's. The kernel returns, and
 * the interpreter finds the note.
 *
 * `signal.signal`, which IPython, ipykernel and others call at each prompt or cell, puts CPython's
 * handler back in place of ours. So calls look, at most once in a tick of the coarse clock (1 to 4
 * ms), whether ours is there. It is put there only while Python would raise KeyboardInterrupt: a
 * program with a handler of its own, or one that ignores the signal, has its kernels run on. */
#include "runtime/python/interrupt.h"

#include "runtime/compile.h"
#include "runtime/python/python.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* The context and the objects are never freed while Python runs; the handler lives as long. */
static JrContext *_Atomic watched;
static PyObject *getsignal, *number,
    *raises; /* raises: the handler of which we know that it does */
static void (*_Atomic chained)(int);
static _Atomic int64_t last_look;

static void on_interrupt(int signal) {
    int saved = errno;
    JrContext *context = atomic_load(&watched);
    void (*next)(int) = atomic_load(&chained);
    if (context) jr_cancel(context, JR_KEYBOARD_INTERRUPT);
    errno = saved;
    if (next) next(signal);
}

static bool looked_just_now(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0) return false;
    int64_t tick = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (atomic_load_explicit(&last_look, memory_order_relaxed) == tick) return true;
    atomic_store_explicit(&last_look, tick, memory_order_relaxed);
    return false;
}

/* Whether Python's handler is the one that raises KeyboardInterrupt. */
static bool would_raise(void) {
    PyObject *handler = jr_py.PyObject_CallFunctionObjArgs(getsignal, number, NULL);
    if (!handler) return jr_py.PyErr_Clear(), false;
    jr_py.Py_DecRef(handler);
    return handler == raises;
}

void jr_interrupt_watch(void) {
    struct sigaction now;
    if (!atomic_load_explicit(&watched, memory_order_relaxed) || looked_just_now()) return;
    if (sigaction(SIGINT, NULL, &now) != 0 || now.sa_handler == on_interrupt) return;
    if (now.sa_flags & SA_SIGINFO || now.sa_handler == SIG_IGN || now.sa_handler == SIG_DFL)
        return; /* not CPython's */
    if (!would_raise()) return;
    atomic_store(&chained, now.sa_handler);
    now.sa_handler = on_interrupt;
    sigaction(SIGINT, &now, NULL);
}

void jr_python_watch(void) {
    jr_interrupt_watch();
}

JrStatus jr_python_interrupts(JrContext *context, void *ask, void *sigint, void *handler) {
    jr_error_clear();
    if (!context || !ask || !sigint || !handler)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_python_interrupts: NULL argument");
    getsignal = ask;
    number = sigint;
    raises = handler;
    atomic_store(&watched, context);
    return JR_OK;
}

/* Running code a single time: the body of a module, or a function of it.
 *
 * A program that takes the interpreter a few milliseconds is over by then, ten times as soon as
 * LLVM has been loaded. Which ones do cannot be told from the text where a loop's length depends on
 * data; so it is tried. What it prints is held back, and dropped when the trial is given
 * up and another engine begins anew.
 *
 * The trial counts on the looks at the cancel flag, which the run makes all the time (ir/poll.h), and has
 * each of them call it, as a run that yields does its first one (rt.h). */
#include "ir/base/clock.h"
#include "runtime/compile.h"
#include "runtime/fork.h"
#include "runtime/lifetime.h"

#include <setjmp.h>
#include <string.h>

#define TRIAL_SECONDS 3e-3
enum { MOST_PRINTED = 1 << 20 };

typedef struct Trial {
    JrThread *thread;
    const JrAlloc *alloc;
    double end;
    int32_t stop; /* the cancel flag once it is given up */
    bool given_up;
    char *printed;
    size_t len, cap;
} Trial;

static bool hold_back(void *user, const char *bytes, size_t len) {
    Trial *trial = user;
    if (trial->given_up || trial->len + len > MOST_PRINTED) return !(trial->given_up = true);
    if (trial->len + len > trial->cap) {
        size_t cap = 2 * (trial->len + len);
        char *printed = jr_alloc_resize(trial->alloc, trial->printed, cap);
        if (!printed) return !(trial->given_up = true);
        trial->printed = printed;
        trial->cap = cap;
    }
    memcpy(trial->printed + trial->len, bytes, len);
    trial->len += len;
    return true;
}

/* A look, in whose course the flag is looked at behind this. */
static void look(void *user) {
    Trial *trial = user;
    JrYielding *y = &trial->thread->yielding;
    trial->given_up |= jr_clock() > trial->end;
    if (trial->given_up) {
        trial->stop = (y->seen & ~JR_CANCEL_REASON) + JR_CANCEL_ONCE + EXC_TIMEOUT;
        __atomic_store_n(&y->flag, &trial->stop, __ATOMIC_RELAXED);
    } else {
        y->call = (JrYield){look, trial, 1};
        jr_thread_alarm(trial->thread);
    }
}

/* True if the run is over, with what came of it in *status. False if it was given up: it has then
 * had no effect at all. */
static bool try_code(const JrModule *module, const JrCall *call, void *const *args,
                     void *const *results, bool *ran, JrStatus *status) {
    Trial trial = {.alloc = module->context->alloc, .end = jr_clock() + TRIAL_SECONDS};
    JrHost host = module->host;
    JrOutside outside;
    host.sink = (JrSink){hold_back, &trial};
    trial.thread = jr_gate_enter(&outside, &host);
    if (!trial.thread) return *status = jr_error()->status, true;
    bool outermost = !outside.within && outside.cancel.flag == &trial.thread->never;
    if (outermost) {
        jr_thread_set_yield(trial.thread, &(JrYield){look, &trial, 1});
        jr_thread_alarm(trial.thread);
    } else {
        trial.given_up = true;
    }
    int32_t end = outermost ? call->run(call, &trial.thread->rt, args, results) : 0;
    jr_thread_end_alarm(trial.thread);
    *status = (JrStatus)jr_gate_leave(trial.thread, &outside, end);
    if (trial.given_up) {
        jr_error_clear();
        jr_alloc_free(trial.alloc, trial.printed);
        return false;
    }
    *ran = end == 0;
    if (trial.len && module->host.sink.write &&
        !module->host.sink.write(module->host.sink.user, trial.printed, trial.len) && !*status)
        *status = jr_error_set(JR_ERR_IO, "what the kernel printed could not be written");
    jr_alloc_free(trial.alloc, trial.printed);
    return true;
}

/* ---- Running once ---- */

/* The code of a function, for a first way of running it or, behind a trial, a second. */
static JrStatus find_code(JrModule *module, const char *name, JrOnce *once, JrCall *code) {
    jmp_buf oom;
    jr_module_lock(module);
    if (!module->broken && setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        jr_module_reset_diags(module);
        *once = *once == ONCE_TRY ? ONCE_ENGINE : jr_pipeline_once(module, name);
        JrWanted wanted = {name, .entry = true, .once = *once != ONCE_ENGINE};
        jr_pipeline_build(module, wanted, code);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    jr_module_unlock(module);
    return jr_error()->status;
}

JrStatus jr_run_cancelled_since(const JrModule *module, int32_t seen) {
    int32_t now = __atomic_load_n(module->host.cancel, __ATOMIC_RELAXED);
    if (now == seen) return JR_OK;
    bool timeout = (now & JR_CANCEL_REASON) == EXC_TIMEOUT;
    return jr_error_set(timeout ? JR_TIMEOUT_ERROR : JR_KEYBOARD_INTERRUPT, "%s",
                        timeout ? "timed out" : "interrupted");
}

JrStatus jr_run_once(JrModule *module, const char *name, void *const *args,
                     void *const *results, bool *ran) {
    JrCall code;
    JrOnce once = ONCE_ENGINE;
    *ran = false;
    int32_t seen = __atomic_load_n(module->host.cancel, __ATOMIC_RELAXED);
    JrStatus status = find_code(module, name, &once, &code);
    if (!status && once == ONCE_TRY) {
        if (try_code(module, &code, args, results, ran, &status)) return status;
        status = find_code(module, name, &once, &code);
    }
    if (!status) status = jr_run_cancelled_since(module, seen);
    return status ? status : jr_function_run(module, &code, args, results, ran);
}

JrStatus jr_run(JrModule *module) {
    jr_error_clear();
    if (!module) return jr_error_set(JR_ERR_ARGUMENT, "jr_run: NULL argument");
    if (!module->fe || !module->options.run_main)
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_run: the module was not compiled with run_main");
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    if (!jr_module_enter(module)) return JR_MEMORY_ERROR;
    bool ran;
    JrStatus status = jr_run_once(module, "<module>", NULL, NULL, &ran);
    jr_module_leave(module);
    return status;
}

/* Inside of the error slot, for error.c and for rt_gate.c, where nanoseconds count. */
#ifndef JR_RUNTIME_SLOT_H
#define JR_RUNTIME_SLOT_H

#include "runtime/rt/error.h"

#include <stdatomic.h>

enum { MAX_FRAMES = JR_TRACE_INNER + JR_TRACE_OUTER };

typedef struct Slot {
    struct Slot *next;
    _Atomic bool taken;       /* by a thread that lives */
    _Atomic bool live;        /* has_thread, for others */
    _Atomic int32_t watchers; /* others that look at `thread` */
    JrHolds holds;
    JrError error;
    char *text;      /* a long message's memory */
    char brief[512]; /* a short one's */
    JrFrame frames[MAX_FRAMES];
    JrThread thread;
    bool has_thread;
} Slot;

static const JrError jr_no_error = {.status = JR_OK, .name = "", .message = ""};

/* This thread's, or NULL while it has none. The model makes reading it one load: a pointer is
 * what every loader has room for. */
extern _Thread_local Slot *jr_slot __attribute__((tls_model("initial-exec")));

/* NULL, with the error that says why a kernel cannot run here. */
JrThread *jr_slot_refuse(void);

/* This thread's runtime state with no error in its slot, for a kernel to run; NULL with one if
 * it cannot. */
static inline JrThread *jr_slot_ready(void) {
    if ((!jr_slot || !jr_slot->has_thread) && !jr_thread_current()) return jr_slot_refuse();
    if (jr_slot->error.status) jr_slot->error = jr_no_error;
    if (jr_slot->thread.writing || jr_slot->thread.rt.status) return jr_slot_refuse();
    return &jr_slot->thread;
}

#endif

/* One call with values chosen at run time: the leaves of its arguments and of its result, in
 * memory of the caller's (frame.c). */
#ifndef JR_RUNTIME_FRAME_H
#define JR_RUNTIME_FRAME_H

#include "runtime/compile.h"

typedef struct JrCallFrame {
    JrFunction *function;
    JrLeaf *leaves; /* of the arguments, and after them those of the result */
    JrLeaf *leaf;   /* the next one to be filled or read */
    void **pointers;
    bool *readonly; /* by leaf: an argument that is a read-only array */
    bool any_readonly;
    bool once;       /* the function need not have code: jr_run_once */
    uint32_t nargs;  /* leaves that are arguments */
    const char *why; /* an argument does not do, if not for its type */
} JrCallFrame;

/* Memory for a frame of `leaves` leaves. */
#define JR_FRAME_BYTES(leaves) ((leaves) * (sizeof(JrLeaf) + sizeof(void *) + sizeof(bool)))

uint32_t jr_frame_leaves(const JrFunction *function);
void jr_frame_init(JrCallFrame *f, JrFunction *function, uint32_t leaves, void *memory);
/* Stores argument `index` into the leaves from f->leaf on, which are its own. */
JrStatus jr_frame_set(JrCallFrame *f, size_t index, const JrValue *value);
/* Calls the function with the arguments stored. *result may be NULL; it is set on success. */
JrStatus jr_frame_run(JrCallFrame *f, JrValue *result);

#endif

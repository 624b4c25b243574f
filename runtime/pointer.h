/* The C signature of a function (prototype.c), and the pointer that has it (pointer.c). */
#ifndef JR_RUNTIME_POINTER_H
#define JR_RUNTIME_POINTER_H

#include "runtime/compile.h"

/* One scalar or array among a function's parameters and results. */
typedef struct JrCLeaf {
    IrType type;
    bool written;     /* an array parameter: without it the pointer is to const */
    const char *name; /* a C identifier, unlike all others of the prototype */
} JrCLeaf;

typedef struct JrCAbi {
    const JrCLeaf *leaves; /* parameters, then results */
    uint32_t nparams, nresults;
    bool returns_scalar; /* C returns the one result; otherwise it returns a JrStatus */
} JrCAbi;

/* In the module's arena. The module is locked. */
const JrCAbi *jr_c_abi(const JrFunction *function);

/* The function's name in C, as its prototype has it; and a header with prototypes. The module is
 * locked. */
const char *jr_c_symbol(const JrFunction *function);
void jr_header_write(JrModule *module, JrFunction *const *functions, uint32_t count,
                     JrText *out);

/* Frees what jr_function_pointer made. */
void jr_pointer_free(JrFunction *function);

#endif

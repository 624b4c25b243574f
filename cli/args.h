/* The command line's ARGs as the arguments of a function. */
#ifndef JR_CLI_ARGS_H
#define JR_CLI_ARGS_H

#include "cli/options.h"

typedef struct Args {
    JrValue *values; /* by the function's parameters; jr_default() for one that is left out */
    size_t count, room;
} Args;

/* Evaluates texts[0..o->arg_count): literals, expressions, .npy files, each for the next
 * parameter or, as `name=value`, for the one of that name. False with the error reported;
 * args_clear is due in any case. */
bool args_read(const Options *o, JrContext *context, const JrModule *module,
               const char *function, char *const *texts, Args *out);
void args_clear(Args *args);

#endif

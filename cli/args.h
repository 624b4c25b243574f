/* The command line's ARGs as values. */
#ifndef JR_CLI_ARGS_H
#define JR_CLI_ARGS_H

#include "cli/options.h"

/* values[0..o->arg_count), which must be zeroed, become what the ARGs say: literals, expressions,
 * .npy files. False with the error reported; args_clear is due in any case. */
bool args_read(const Options *o, JrContext *context, char *const *texts, JrValue *values);
void args_clear(const Options *o, JrValue *values);

#endif

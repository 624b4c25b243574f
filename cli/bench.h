/* --bench. */
#ifndef JR_CLI_BENCH_H
#define JR_CLI_BENCH_H

#include "cli/options.h"

/* Times the function `name`, or the body if it is NULL, on the engines there are, and writes what
 * was found. The exit code: EXIT_KERNEL also when engines differ. */
int bench_run(const Options *o, JrContext *context, JrModule *module, const char *name);

#endif

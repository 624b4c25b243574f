/* The command line, parsed. */
#ifndef JR_CLI_OPTIONS_H
#define JR_CLI_OPTIONS_H

#include "jitrun.h"

#include <stdio.h>

typedef struct Options {
    const char *file, *entry, *output, *backend, *dump, *emit;
    char **args; /* the ARGs after FILE, args[0..arg_count) */
    int arg_count;
    int level;   /* as JrCompileOptions.opt_level */
    int threads; /* 0: the default */
    double timeout;
    bool check, parallel, unchecked, fastmath, json, help, version;
} Options;

/* Exit codes, as docs/cli.md has them. */
enum { EXIT_KERNEL = 1, EXIT_USAGE = 2, EXIT_TIMED_OUT = 124, EXIT_INTERRUPTED = 130 };

/* False after a message on standard error. `args` is reused for the ARGs. */
bool options_parse(int argc, char **argv, Options *out);
void options_help(FILE *to);

#endif

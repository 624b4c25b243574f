/* The command line, parsed. */
#ifndef JR_CLI_OPTIONS_H
#define JR_CLI_OPTIONS_H

#include "jitrun.h"

#include <stdio.h>

/* Sizes from `from` to `to`, each `factor` times the one before. */
typedef struct Sweep {
    char *name; /* NULL: none */
    double from, to, factor;
} Sweep;

typedef struct Options {
    const char *file, *entry, *output, *backend, *dump, *emit, *cpu, *plot, *compare, *against,
        *completion;
    Sweep sweep;
    char **args; /* the ARGs after FILE, args[0..arg_count) */
    int arg_count;
    int level;   /* as JrCompileOptions.opt_level */
    int threads; /* 0: the default */
    double timeout, bench_time, operations, bytes;
    bool bench, check, check_races, parallel, unchecked, fastmath, cache, json, csv, help,
        version;
} Options;

/* Exit codes, as docs/cli.md has them. */
enum { EXIT_KERNEL = 1, EXIT_USAGE = 2, EXIT_TIMED_OUT = 124, EXIT_INTERRUPTED = 130 };

/* False after a message on standard error. argv is reused for the ARGs and the sweep's name. */
bool options_parse(int argc, char **argv, Options *out);
void options_help(FILE *to);
/* completion.c. False if it is another shell. */
bool completion_print(const char *shell, FILE *to);

#endif

/* --compare: a benchmark against one that was kept as JSON. */
#ifndef JR_CLI_COMPARE_H
#define JR_CLI_COMPARE_H

#include "jitrun.h"

#include <stdbool.h>
#include <stdio.h>

/* Writes a line for each row that both have. False after a message on standard error. */
bool compare_with(const JrBench *bench, const char *path, FILE *to);

#endif

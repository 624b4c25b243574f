/* --against: the program in CPython or under numba, as a rival of the engines' rows. */
#ifndef JR_CLI_RIVAL_H
#define JR_CLI_RIVAL_H

#include "cli/args.h"

enum { RIVALS = 2 };

typedef struct Rival Rival;

/* Whether --against takes this list: cpython, numba, or both with a comma between. */
bool rivals_are_known(const char *list);
/* The function of o->file, or its body if name is NULL, with these arguments, in each of
 * o->against; what they need is started by their first call. How many there are; what `out` gets is
 * jr_bench's, until rivals_free. */
size_t rivals_new(const Options *o, const char *name, const Args *args, JrBenchRival *out);
void rivals_free(size_t count, JrBenchRival *rivals);

#endif

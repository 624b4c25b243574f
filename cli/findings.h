/* What --bench found, for one size or several. */
#ifndef JR_CLI_FINDINGS_H
#define JR_CLI_FINDINGS_H

#include "cli/options.h"

enum { MAX_SIZES = 64 };

typedef struct Findings {
    size_t count;
    double sizes[MAX_SIZES]; /* of a sweep */
    JrBench *benches[MAX_SIZES];
} Findings;

/* Whether --plot can write to a file of this name: it says which form the picture takes. */
bool findings_can_draw(const char *path);
/* Writes them where the options say. The exit code: EXIT_KERNEL also when engines differ. */
int findings_show(const Options *o, const Findings *found);
void findings_clear(Findings *found);

#endif

/* --emit: what C programs link. */
#ifndef JR_CLI_EMIT_H
#define JR_CLI_EMIT_H

#include "cli/options.h"

/* Whether --emit has such a kind. */
bool emit_is_kind(const char *kind);
/* Writes it. An exit code, or -1 with the reason in jr_error(). */
int emit_run(const Options *o, JrModule *module);

#endif

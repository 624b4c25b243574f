/* Errors of the library, as the command shows them. */
#ifndef JR_CLI_REPORT_H
#define JR_CLI_REPORT_H

#include "cli/options.h"

/* A JrWrite to a FILE *. */
bool write_to(void *user, const char *bytes, size_t len);
/* Why writing to standard output failed, as in errno; 0 if it did not. */
int output_error(void);

/* Shows jr_error(), with the module's diagnostics if that is what it is about; the exit code. 0 where
 * standard output could not be written: main() ends with that. */
int report_error(const Options *o, JrModule *module);
/* Warnings do not stop a program, but are seen before it starts. */
void report_warnings(const Options *o, JrModule *module);
/* Where --cache was asked for and code was not kept: why. */
void report_cache(const Options *o, JrModule *module);
/* What --check-races has to say when there is no race. */
void report_check(const Options *o);

#endif

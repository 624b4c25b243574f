/* What stands behind three names of libtcc. Its archive reads stdout, stderr and environ as
 * data of the program, which a shared library cannot link to without text relocations; the
 * build renames them (cmake/Tcc.cmake) to these. */
#include <stdio.h>
#include <unistd.h>

extern FILE *jr_tcc_stdout, *jr_tcc_stderr;
extern char **jr_tcc_environ;

FILE *jr_tcc_stdout, *jr_tcc_stderr;
char **jr_tcc_environ;

__attribute__((constructor)) static void fill(void) {
    jr_tcc_stdout = stdout;
    jr_tcc_stderr = stderr;
    jr_tcc_environ = environ;
}

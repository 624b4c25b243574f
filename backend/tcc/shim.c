/* What stands behind some names of libtcc, which the build renames in a copy of its archive
 * (cmake/Tcc.cmake).
 *
 * It reads stdout, stderr and environ as data of the program, which a shared library cannot
 * link to without text relocations. When memory runs out it calls exit, which a library must
 * not: that goes back to whoever called libtcc. Its own semaphore may be held then, so it has
 * none: the engine's lock does its work. */
#include "backend/tcc/shim.h"

#include <stdio.h>
#include <unistd.h>

extern FILE *jr_tcc_stdout, *jr_tcc_stderr;
extern char **jr_tcc_environ;
_Noreturn void jr_tcc_exit(int status);
int jr_tcc_sem_init(void *semaphore, int shared, unsigned value);
int jr_tcc_sem_wait(void *semaphore);
int jr_tcc_sem_post(void *semaphore);

FILE *jr_tcc_stdout, *jr_tcc_stderr;
char **jr_tcc_environ;
jmp_buf jr_tcc_gave_up;

__attribute__((constructor)) static void fill(void) {
    jr_tcc_stdout = stdout;
    jr_tcc_stderr = stderr;
    jr_tcc_environ = environ;
}

void jr_tcc_exit(int status) {
    longjmp(jr_tcc_gave_up, status ? status : 1);
}

int jr_tcc_sem_init(void *semaphore, int shared, unsigned value) {
    (void)semaphore, (void)shared, (void)value;
    return 0;
}

int jr_tcc_sem_wait(void *semaphore) {
    (void)semaphore;
    return 0;
}

int jr_tcc_sem_post(void *semaphore) {
    (void)semaphore;
    return 0;
}

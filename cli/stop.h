/* Ctrl-C and --timeout. */
#ifndef JR_CLI_STOP_H
#define JR_CLI_STOP_H

#include "jitrun.h"

/* From here on Ctrl-C, and the end of `timeout` seconds (0: none), stop what runs in the context;
 * a second Ctrl-C ends the process as ever. */
void stop_begin(JrContext *context, double timeout);
void stop_end(void);

/* JR_KEYBOARD_INTERRUPT or JR_TIMEOUT_ERROR once something is to stop, and the exit code for
 * that; otherwise JR_OK and 0. */
JrStatus stop_reason(void);
int stop_exit_code(void);

#endif

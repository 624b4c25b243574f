/* A signal arrives while the program compiles or while it runs. What compiles cannot be stopped,
 * and jr_cancel is for what runs already: so the first signal starts a timer that cancels again
 * and again, until main() gets to stop_end(). If that takes too long the process ends here; all
 * that is lost then is output of a program that did not get to run, or that hangs in a write. */
#include "cli/stop.h"

#include "cli/options.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { AGAIN_US = 20000, PATIENCE = 100 }; /* 2 seconds */

static JrContext *stopping;
static volatile sig_atomic_t reason, rounds;

static void set_timer(double seconds) {
    struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds}};
    timer.it_value.tv_usec = (suseconds_t)((seconds - (double)timer.it_value.tv_sec) * 1e6);
    if (seconds > 0 && timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0)
        timer.it_value.tv_usec = 1;
    setitimer(ITIMER_REAL, &timer, NULL);
}

JrStatus stop_reason(void) {
    return (JrStatus)reason;
}

int stop_exit_code(void) {
    if (!reason) return 0;
    return reason == JR_TIMEOUT_ERROR ? EXIT_TIMED_OUT : EXIT_INTERRUPTED;
}

static void give_up(void) {
    static const char timed_out[] = "jitrun: error: timed out\n";
    static const char interrupted[] = "jitrun: error: interrupted\n";
    bool late = reason == JR_TIMEOUT_ERROR;
    ssize_t written = late ? write(STDERR_FILENO, timed_out, sizeof timed_out - 1)
                           : write(STDERR_FILENO, interrupted, sizeof interrupted - 1);
    (void)written;
    _exit(stop_exit_code());
}

static void on_signal(int number) {
    if (!reason) reason = number == SIGINT ? JR_KEYBOARD_INTERRUPT : JR_TIMEOUT_ERROR;
    if (++rounds > PATIENCE) give_up();
    jr_cancel(stopping, (JrStatus)reason);
    set_timer(AGAIN_US * 1e-6);
}

void stop_begin(JrContext *context, double timeout) {
    struct sigaction alarmed = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction interrupted = {.sa_handler = on_signal,
                                    .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    struct sigaction before;
    stopping = context;
    sigaction(SIGALRM, &alarmed, NULL);
    /* A shell ignores it for what it runs in the background. */
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &interrupted, NULL);
    if (timeout > 0) set_timer(timeout);
}

void stop_end(void) {
    set_timer(0);
    signal(SIGALRM, SIG_IGN);
    signal(SIGINT, SIG_DFL);
    stopping = NULL;
}

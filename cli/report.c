#include "cli/report.h"

#include "cli/stop.h"

#include <errno.h>

static int failed; /* errno of the write to standard output that failed */

bool write_to(void *user, const char *bytes, size_t len) {
    if (fwrite(bytes, 1, len, user) == len) return true;
    if (user == stdout && !failed) failed = errno;
    return false;
}

int output_error(void) {
    if ((fflush(stdout) != 0 || ferror(stdout)) && !failed) failed = errno ? errno : EIO;
    return failed;
}

static JrReport kind_of(const Options *o) {
    return o->json ? JR_REPORT_JSON : JR_REPORT_TEXT;
}

int report_error(const Options *o, JrModule *module) {
    JrStatus status = jr_error()->status;
    fflush(stdout);
    if (status == JR_ERR_IO && output_error()) return 0;
    if (status == JR_ERR_COMPILE && module && jr_module_diagnostic_count(module))
        fputs(jr_module_report(module, kind_of(o)), stderr);
    else
        jr_error_report(module, kind_of(o), write_to, stderr);
    if (status == JR_KEYBOARD_INTERRUPT || status == JR_TIMEOUT_ERROR)
        return stop_reason() == status ? stop_exit_code() : EXIT_KERNEL;
    return status < JR_ERR_COMPILE || status == JR_ERR_RACE ? EXIT_KERNEL : EXIT_USAGE;
}

void report_warnings(const Options *o, JrModule *module) {
    if (jr_module_diagnostic_count(module))
        fputs(jr_module_report(module, kind_of(o)), stderr);
}

void report_cache(const Options *o, JrModule *module) {
    JrCacheUse use = {.size = sizeof use};
    if (!o->cache || o->json || jr_module_cache(module, &use) != JR_OK || !use.problem) return;
    fprintf(stderr, "jitrun: warning: compiled code is not kept: %s%s%s%s\n", use.problem,
            use.folder && *use.folder ? " (" : "", use.folder ? use.folder : "",
            use.folder && *use.folder ? ")" : "");
}

void report_check(const Options *o) {
    const JrRaceCheck *check = jr_race_check();
    long long loops = check->loops, iterations = check->iterations, accesses = check->accesses;
    fflush(stdout);
    if (o->json)
        fprintf(stderr,
                "{\"status\": 0, \"race_check\": {\"loops\": %lld, \"iterations\": %lld, "
                "\"accesses\": %lld, \"more\": false, \"races\": []}}\n",
                loops, iterations, accesses);
    else if (loops)
        fprintf(stderr,
                "jitrun: no race found in this run (prange loops run: %lld, iterations: %lld, "
                "accesses of elements: %lld)\n",
                loops, iterations, accesses);
    else
        fputs("jitrun: no prange loop ran, so there was no race to find\n", stderr);
}

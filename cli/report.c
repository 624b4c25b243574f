#include "cli/report.h"

#include "cli/stop.h"

bool write_to(void *user, const char *bytes, size_t len) {
    return fwrite(bytes, 1, len, user) == len;
}

static JrReport kind_of(const Options *o) {
    return o->json ? JR_REPORT_JSON : JR_REPORT_TEXT;
}

int report_error(const Options *o, JrModule *module) {
    JrStatus status = jr_error()->status;
    fflush(stdout);
    if (status == JR_ERR_COMPILE && module && jr_module_diagnostic_count(module))
        fputs(jr_module_report(module, kind_of(o)), stderr);
    else
        jr_error_report(module, kind_of(o), write_to, stderr);
    if (status == JR_KEYBOARD_INTERRUPT || status == JR_TIMEOUT_ERROR)
        return stop_reason() == status ? stop_exit_code() : EXIT_KERNEL;
    return status < JR_ERR_COMPILE ? EXIT_KERNEL : EXIT_USAGE;
}

void report_warnings(const Options *o, JrModule *module) {
    if (jr_module_diagnostic_count(module))
        fputs(jr_module_report(module, kind_of(o)), stderr);
}

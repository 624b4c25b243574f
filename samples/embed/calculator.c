/* An interactive calculator: each line is compiled, run and freed. A line `f(x) = ...` defines
 * a function that later lines can call. */
#include <jitrun.h>

#include <stdio.h>
#include <string.h>

static bool to_stdout(void *user, const char *bytes, size_t len) {
    (void)user;
    return fwrite(bytes, 1, len, stdout) == len;
}

static char definitions[8192] = "from math import *\n";

/* "square(x) = x * x" becomes a def; false if the line is no definition. */
static bool define(const char *line) {
    const char *equals = strstr(line, ") = ");
    size_t used = strlen(definitions), room = sizeof definitions - used;
    if (!equals) return false;
    int n = snprintf(definitions + used, room, "def %.*s:\n    return %s\n",
                     (int)(equals + 1 - line), line, equals + 4);
    if (n < 0 || (size_t)n >= room) definitions[used] = 0;
    return true;
}

static void evaluate(JrContext *context, const char *line) {
    char source[sizeof definitions + 600];
    JrCompileOptions options = {.size = sizeof options, .name = "line", .run_main = true};
    JrModule *module;
    snprintf(source, sizeof source, "%sprint(%s)\n", definitions, line);
    if (jr_compile(context, source, &options, &module) != JR_OK)
        fputs(jr_module_report(module, JR_REPORT_TEXT), stdout);
    else if (jr_run(module) != JR_OK)
        printf("%s: %s\n", jr_error()->name, jr_error()->message);
    jr_module_free(module);
}

int main(void) {
    JrContextOptions options = {.size = sizeof options, .write = to_stdout};
    JrContext *context = jr_context_new(&options);
    char line[512];
    while (context && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (*line && !define(line)) evaluate(context, line);
    }
    jr_context_free(context);
    return 0;
}

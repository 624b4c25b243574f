/* What --bench found: a report on standard output or in a file, a picture in another, and how it
 * compares with one that was kept. */
#include "cli/findings.h"

#include "cli/compare.h"
#include "cli/report.h"
#include "cli/rival.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static JrReport kind_of(const Options *o) {
    return o->json ? JR_REPORT_JSON : o->csv ? JR_REPORT_CSV : JR_REPORT_TEXT;
}

static JrStatus write_sweep(const Options *o, const Findings *found, FILE *to) {
    JrStatus status = JR_OK;
    if (o->json) fprintf(to, "{\"sweep\": \"%s\", \"sizes\": [\n", o->sweep.name);
    for (size_t i = 0; status == JR_OK && i < found->count; i++) {
        if (o->json)
            fprintf(to, "%s{\"size\": %.17g, \"benchmark\": ", i ? ", " : "", found->sizes[i]);
        else
            fprintf(to, o->csv ? "%s%s = %.17g\n" : "%s== %s = %.17g: ", i ? "\n" : "",
                    o->sweep.name, found->sizes[i]);
        status = jr_bench_report(found->benches[i], kind_of(o), write_to, to);
        if (o->json) fputs("}", to);
    }
    if (o->json) fputs("]}\n", to);
    return status;
}

static JrStatus write_one(const Options *o, const Findings *found, FILE *to) {
    return jr_bench_report(found->benches[0], kind_of(o), write_to, to);
}

/* ---- The picture ---- */

static bool ends_in(const char *path, const char *ending) {
    size_t len = strlen(path), n = strlen(ending);
    return len > n && strcasecmp(path + len - n, ending) == 0;
}

bool findings_can_draw(const char *path) {
    return ends_in(path, ".svg") || ends_in(path, ".html") || ends_in(path, ".htm");
}

static JrStatus write_svg(const Findings *found, FILE *to) {
    return jr_bench_plot(found->count, (const JrBench *const *)found->benches, found->sizes,
                         write_to, to);
}

/* A JrWrite of text into HTML. */
static bool write_escaped(void *user, const char *bytes, size_t len) {
    FILE *to = user;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '<')
            fputs("&lt;", to);
        else if (bytes[i] == '&')
            fputs("&amp;", to);
        else
            fputc(bytes[i], to);
    }
    return !ferror(to);
}

/* A page that needs nothing else: the picture, and the tables under it. */
static JrStatus write_page(const Options *o, const Findings *found, FILE *to) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
          to);
    write_escaped(to, o->file, strlen(o->file));
    fputs(" - jitrun --bench</title>\n"
          "<style>:root { color-scheme: light dark } svg { max-width: 100%; height: auto } "
          "pre { overflow-x: auto }</style>\n",
          to);
    JrStatus status = write_svg(found, to);
    for (size_t i = 0; status == JR_OK && i < found->count; i++) {
        fputs("<pre>\n", to);
        if (o->sweep.name) fprintf(to, "%s = %.17g: ", o->sweep.name, found->sizes[i]);
        status = jr_bench_report(found->benches[i], JR_REPORT_TEXT, write_escaped, to);
        fputs("</pre>\n", to);
    }
    fputs("</html>\n", to);
    return status;
}

static JrStatus write_plot(const Options *o, const Findings *found, FILE *to) {
    return ends_in(o->plot, ".svg") ? write_svg(found, to) : write_page(o, found, to);
}

/* ---- All of it ---- */

/* To the file of that name, or standard output. */
static int write_file(const Options *o, const Findings *found, const char *path,
                      JrStatus (*write)(const Options *, const Findings *, FILE *)) {
    FILE *to = path ? fopen(path, "w") : stdout;
    bool good = to && write(o, found, to) == JR_OK;
    if (to) good &= fflush(to) == 0;
    if (to && path) good &= fclose(to) == 0;
    if (good) return 0;
    fprintf(stderr, "jitrun: error: cannot write %s: %s\n", path ? path : "the output",
            strerror(errno));
    return path ? EXIT_USAGE : EXIT_KERNEL;
}

/* jr_bench_agrees, but that a rival need not be there. */
static bool agrees(const JrBench *bench) {
    bool good = true;
    for (size_t i = 0; i < jr_bench_row_count(bench); i++) {
        JrBenchRow row = {.size = sizeof row};
        if (jr_bench_row(bench, i, &row) != JR_OK) return false;
        good &= !row.difference && (!row.error || rivals_are_known(row.name));
    }
    return good;
}

int findings_show(const Options *o, const Findings *found) {
    int code = write_file(o, found, o->output, o->sweep.name ? write_sweep : write_one);
    if (code == 0 && o->plot) code = write_file(o, found, o->plot, write_plot);
    if (code == 0 && o->compare &&
        !compare_with(found->benches[0], o->compare, o->json || o->csv ? stderr : stdout))
        code = EXIT_USAGE;
    for (size_t i = 0; code == 0 && i < found->count; i++)
        if (!agrees(found->benches[i])) code = EXIT_KERNEL;
    return code;
}

void findings_clear(Findings *found) {
    for (size_t i = 0; i < MAX_SIZES; i++)
        jr_bench_free(found->benches[i]);
    *found = (Findings){0};
}

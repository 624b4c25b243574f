/* --bench: jr_bench for one size or several, and its results on standard output or in files. */
#include "cli/bench.h"

#include "cli/args.h"
#include "cli/compare.h"
#include "cli/report.h"
#include "cli/rival.h"
#include "cli/stop.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SIZES = 64, BAR_WIDTH = 24 };

/* ---- Progress, on a terminal ---- */

typedef struct Progress {
    bool shown;
    size_t done, planned; /* sizes */
} Progress;

static void draw(void *user, const char *row, double part) {
    Progress *p = user;
    double all = ((double)p->done + part) / (double)p->planned;
    int full = (int)(all * BAR_WIDTH);
    fprintf(stderr, "\r[%.*s%*s] %3.0f%% %-16.16s", full, "########################",
            BAR_WIDTH - full, "", 100 * all, row);
    fflush(stderr);
    p->shown = true;
}

static void wipe(Progress *p) {
    if (p->shown) fprintf(stderr, "\r%*s\r", BAR_WIDTH + 24, "");
    p->shown = false;
}

/* ---- One size ---- */

/* `auto` is all of them. */
static const char *rows_for(const Options *o, char *room, size_t size) {
    const char *name = o->backend;
    if (!name || strcmp(name, "auto") == 0) return NULL;
    if (!o->parallel) return name;
    snprintf(room, size, "%s,%s-parallel", name, name);
    return room;
}

static JrStatus measure(const Options *o, JrModule *module, const char *name, const Args *args,
                        Progress *progress, JrBench **out) {
    char rows[64];
    JrBenchRival rivals[RIVALS];
    JrBenchOptions options = {
        .size = sizeof options,
        .name = name,
        .arg_count = args->count,
        .args = args->values,
        .rows = rows_for(o, rows, sizeof rows),
        .seconds = o->bench_time,
        .operations = o->operations,
        .bytes = o->bytes,
        .progress = isatty(STDERR_FILENO) ? draw : NULL,
        .progress_user = progress,
        .rivals = rivals,
        .rival_count = rivals_new(o, name, args, rivals),
    };
    JrStatus status = jr_bench(module, &options, out);
    rivals_free(options.rival_count, rivals);
    wipe(progress);
    return status;
}

/* ---- Several ---- */

typedef struct Results {
    size_t count;
    double sizes[MAX_SIZES];
    JrBench *benches[MAX_SIZES];
} Results;

static bool in_name(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The text with the size for each NAME in it; the caller frees it. */
static char *with_size(const char *text, const char *name, double size) {
    char number[32];
    snprintf(number, sizeof number, size == floor(size) ? "%.0f" : "%.17g", size);
    size_t len = strlen(name), room = strlen(text) * (sizeof number + 1) + 1;
    char *out = malloc(room), *to = out;
    for (const char *at = text; out && *at;) {
        bool begins = at == text || (!in_name(at[-1]) && at[-1] != '.');
        if (begins && strncmp(at, name, len) == 0 && !in_name(at[len])) {
            to += sprintf(to, "%s", number);
            at += len;
        } else {
            *to++ = *at++;
        }
    }
    if (out) *to = 0;
    return out;
}

/* While a rival ran, of which jr_cancel knows nothing. */
static int stopped(void) {
    if (!stop_reason()) return 0;
    fprintf(stderr, "jitrun: error: %s\n",
            stop_reason() == JR_TIMEOUT_ERROR ? "timed out" : "interrupted");
    return stop_exit_code();
}

static int one_size(const Options *o, JrContext *context, JrModule *module, const char *name,
                    char *const *texts, Progress *progress, JrBench **out) {
    Args args;
    int code = EXIT_USAGE;
    if (args_read(o, context, module, name, texts, &args))
        code = measure(o, module, name, &args, progress, out) != JR_OK
                   ? report_error(o, module)
                   : stopped();
    args_clear(&args);
    return code;
}

static int size_of_sweep(const Options *o, JrContext *context, JrModule *module,
                         const char *name, double size, Progress *progress, JrBench **out) {
    char **texts = calloc((size_t)o->arg_count + 1, sizeof *texts);
    bool good = texts != NULL;
    int code = EXIT_USAGE;
    for (int i = 0; good && i < o->arg_count; i++)
        good = (texts[i] = with_size(o->args[i], o->sweep.name, size)) != NULL;
    if (good)
        code = one_size(o, context, module, name, texts, progress, out);
    else
        fputs("jitrun: error: out of memory\n", stderr);
    for (int i = 0; texts && i < o->arg_count; i++)
        free(texts[i]);
    free(texts);
    return code;
}

static int measure_all(const Options *o, JrContext *context, JrModule *module,
                       const char *name, Results *r) {
    Progress progress = {.planned = 1};
    if (!o->sweep.name) {
        int code = one_size(o, context, module, name, o->args, &progress, &r->benches[0]);
        r->count = code == 0;
        return code;
    }
    double size = o->sweep.from;
    for (progress.planned = 0; size <= o->sweep.to * (1 + 1e-9); size *= o->sweep.factor) {
        if (progress.planned == MAX_SIZES) {
            fprintf(stderr,
                    "jitrun: error: --sweep makes more than %d sizes: use a larger factor\n",
                    MAX_SIZES);
            return EXIT_USAGE;
        }
        r->sizes[progress.planned++] = nearbyint(size) >= 1 ? nearbyint(size) : size;
    }
    for (size_t i = 0; i < progress.planned; i++) {
        progress.done = i;
        int code =
            size_of_sweep(o, context, module, name, r->sizes[i], &progress, &r->benches[i]);
        if (code) return code;
        r->count++;
    }
    return 0;
}

/* ---- What was found ---- */

static JrStatus write_sweep(const Options *o, const Results *r, FILE *to) {
    JrStatus status = JR_OK;
    if (o->json) fprintf(to, "{\"sweep\": \"%s\", \"sizes\": [\n", o->sweep.name);
    for (size_t i = 0; status == JR_OK && i < r->count; i++) {
        if (o->json)
            fprintf(to, "%s{\"size\": %.17g, \"benchmark\": ", i ? ", " : "", r->sizes[i]);
        else
            fprintf(to, o->csv ? "%s%s = %.17g\n" : "%s== %s = %.17g: ", i ? "\n" : "",
                    o->sweep.name, r->sizes[i]);
        status = jr_bench_report(r->benches[i],
                                 o->json  ? JR_REPORT_JSON
                                 : o->csv ? JR_REPORT_CSV
                                          : JR_REPORT_TEXT,
                                 write_to, to);
        if (o->json) fputs("}", to);
    }
    if (o->json) fputs("]}\n", to);
    return status;
}

static JrStatus write_one(const Options *o, const Results *r, FILE *to) {
    JrReport kind = o->json ? JR_REPORT_JSON : o->csv ? JR_REPORT_CSV : JR_REPORT_TEXT;
    return jr_bench_report(r->benches[0], kind, write_to, to);
}

static JrStatus write_plot(const Options *o, const Results *r, FILE *to) {
    (void)o;
    return jr_bench_plot(r->count, (const JrBench *const *)r->benches, r->sizes, write_to, to);
}

/* To the file of that name, or standard output. */
static int write_file(const Options *o, const Results *r, const char *path,
                      JrStatus (*write)(const Options *, const Results *, FILE *)) {
    FILE *to = path ? fopen(path, "w") : stdout;
    bool good = to && write(o, r, to) == JR_OK;
    if (to) good &= fflush(to) == 0;
    if (to && path) good &= fclose(to) == 0;
    if (good) return 0;
    if (!path) return EXIT_KERNEL; /* main says so */
    fprintf(stderr, "jitrun: error: cannot write %s: %s\n", path, strerror(errno));
    return EXIT_USAGE;
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

static int show(const Options *o, const Results *r) {
    int code = write_file(o, r, o->output, o->sweep.name ? write_sweep : write_one);
    if (code == 0 && o->plot) code = write_file(o, r, o->plot, write_plot);
    if (code == 0 && o->compare &&
        !compare_with(r->benches[0], o->compare, o->json || o->csv ? stderr : stdout))
        code = EXIT_USAGE;
    for (size_t i = 0; code == 0 && i < r->count; i++)
        if (!agrees(r->benches[i])) code = EXIT_KERNEL;
    return code;
}

int bench_run(const Options *o, JrContext *context, JrModule *module, const char *name) {
    Results results = {0};
    int code = measure_all(o, context, module, name, &results);
    if (code == 0) code = show(o, &results);
    for (size_t i = 0; i < MAX_SIZES; i++)
        jr_bench_free(results.benches[i]);
    return code;
}

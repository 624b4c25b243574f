/* --bench: jr_bench for one size or several. */
#include "cli/bench.h"

#include "cli/args.h"
#include "cli/findings.h"
#include "cli/report.h"
#include "cli/rival.h"
#include "cli/stop.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BAR_WIDTH = 24,
    BESIDE_BAR =
        25, /* its frame, the percentage and a row's name; the last column stays free */
};

/* ---- Progress, on a terminal ---- */

typedef struct Progress {
    bool shown;
    size_t done, planned; /* sizes */
} Progress;

/* As wide as the terminal lets it be on one line. */
static int bar_width(void) {
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return BAR_WIDTH;
    int room = window.ws_col - BESIDE_BAR;
    return room < 1 ? 1 : room < BAR_WIDTH ? room : BAR_WIDTH;
}

static void draw(void *user, const char *row, double part) {
    Progress *p = user;
    int width = bar_width();
    double all = ((double)p->done + part) / (double)p->planned;
    int full = (int)(all * width);
    fprintf(stderr, "\r[%.*s%*s] %3.0f%% %-16.16s", full, "########################",
            width - full, "", 100 * all, row);
    fflush(stderr);
    p->shown = true;
}

static void wipe(Progress *p) {
    if (p->shown) fprintf(stderr, "\r%*s\r", bar_width() + BESIDE_BAR - 1, "");
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

static bool in_name(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Where the name first stands by itself, and not as an attribute. */
static const char *find_name(const char *text, const char *name) {
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at++) {
        bool begins = at == text || (!in_name(at[-1]) && at[-1] != '.');
        if (begins && !in_name(at[len])) return at;
    }
    return NULL;
}

/* The text with the size for each NAME in it; the caller frees it. */
static char *with_size(const char *text, const char *name, double size) {
    char number[32];
    snprintf(number, sizeof number, size == floor(size) ? "%.0f" : "%.17g", size);
    size_t len = strlen(name), room = strlen(text) * (sizeof number + 1) + 1;
    char *out = malloc(room), *to = out;
    if (!out) return NULL;
    for (const char *at; (at = find_name(text, name)); text = at + len)
        to += sprintf(to, "%.*s%s", (int)(at - text), text, number);
    strcpy(to, text);
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

/* Whole numbers from 1 up, each once: a small factor comes to the same one several times. */
static bool plan_sizes(const Sweep *sweep, Findings *found, size_t *count) {
    *count = 0;
    for (double size = sweep->from; size <= sweep->to * (1 + 1e-9); size *= sweep->factor) {
        double whole = nearbyint(size), next = whole >= 1 ? whole : size;
        if (*count && next <= found->sizes[*count - 1]) continue;
        if (*count == MAX_SIZES) return false;
        found->sizes[(*count)++] = next;
    }
    return true;
}

static bool stands_in_args(const Options *o, const char *name) {
    bool found = false;
    for (int i = 0; i < o->arg_count && !found; i++)
        found = find_name(o->args[i], name) != NULL;
    return found;
}

static int measure_sweep(const Options *o, JrContext *context, JrModule *module,
                         const char *name, Findings *found) {
    Progress progress = {.shown = false};
    if (!stands_in_args(o, o->sweep.name)) {
        fprintf(stderr, "jitrun: error: --sweep %s: no ARG has the name '%s' in it\n",
                o->sweep.name, o->sweep.name);
        return EXIT_USAGE;
    }
    if (!plan_sizes(&o->sweep, found, &progress.planned)) {
        fprintf(stderr,
                "jitrun: error: --sweep makes more than %d sizes: use a larger factor\n",
                MAX_SIZES);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < progress.planned; i++) {
        progress.done = i;
        int code = size_of_sweep(o, context, module, name, found->sizes[i], &progress,
                                 &found->benches[i]);
        if (code) return code;
        found->count++;
    }
    return 0;
}

static int measure_one(const Options *o, JrContext *context, JrModule *module,
                       const char *name, Findings *found) {
    Progress progress = {.planned = 1};
    int code = one_size(o, context, module, name, o->args, &progress, &found->benches[0]);
    found->count = code == 0;
    return code;
}

int bench_run(const Options *o, JrContext *context, JrModule *module, const char *name) {
    Findings found = {0};
    int code = o->sweep.name ? measure_sweep(o, context, module, name, &found)
                             : measure_one(o, context, module, name, &found);
    if (code == 0) code = findings_show(o, &found);
    findings_clear(&found);
    return code;
}

#include "cli/options.h"

#include "cli/emit.h"
#include "cli/findings.h"
#include "cli/rival.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef enum OptionId {
#define JR_GROUP(title)
#define JR_OPTION(ID, letter, name, argument, help) OPT_##ID,
#include "cli/options.def"
#undef JR_GROUP
#undef JR_OPTION
    OPT_COUNT
} OptionId;

static const struct Option {
    char letter;
    const char *name, *argument;
} table[] = {
#define JR_GROUP(title)
#define JR_OPTION(ID, letter, name, argument, help) {letter, name, argument},
#include "cli/options.def"
#undef JR_GROUP
#undef JR_OPTION
};

static bool fail(const char *format, const char *what) {
    fputs("jitrun: error: ", stderr);
    fprintf(stderr, format, what);
    fputs("\nhelp: `jitrun --help` lists the options\n", stderr);
    return false;
}

/* -3, -.5, -inf: an ARG, not an option. */
static bool is_number(const char *text) {
    return text[0] == '-' && (isdigit((unsigned char)text[1]) || text[1] == '.' ||
                              strcmp(text, "-inf") == 0 || strcmp(text, "-nan") == 0);
}

static int find_long(const char *name, size_t len) {
    for (int i = 0; i < OPT_COUNT; i++)
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0) return i;
    return -1;
}

static int find_short(char letter) {
    for (int i = 0; i < OPT_COUNT; i++)
        if (table[i].letter == letter) return i;
    return -1;
}

static bool set_level(Options *o, const char *value) {
    if (value[0] < '0' || value[0] > '3' || value[1])
        return fail("-O takes a level from 0 to 3, not '%s'", value);
    o->level = value[0] - '0' + 1;
    return true;
}

static bool set_timeout(Options *o, const char *value) {
    char *end;
    o->timeout = strtod(value, &end);
    if (*end || end == value || !(o->timeout > 0) || o->timeout > 1e9)
        return fail("--timeout takes a number of seconds above 0, at most 1e9, not '%s'",
                    value);
    return true;
}

static bool set_threads(Options *o, const char *value) {
    char *end;
    long threads = strtol(value, &end, 10);
    if (*end || end == value || threads < 1 || threads > 256)
        return fail("--threads takes a number from 1 to 256, not '%s'", value);
    o->threads = (int)threads;
    return true;
}

static bool set_format(Options *o, const char *value) {
    o->json = strcmp(value, "json") == 0;
    o->csv = strcmp(value, "csv") == 0;
    return o->json || o->csv || strcmp(value, "text") == 0 ||
           fail("--format is text, json or, with --bench, csv, not '%s'", value);
}

static bool set_amount(double *to, const char *value, const char *message) {
    char *end;
    *to = strtod(value, &end);
    return (!*end && end != value && *to > 0 && *to < 1e30) || fail(message, value);
}

/* NAME=A:B or NAME=A:B:F. */
static bool set_sweep(Options *o, char *value) {
    static const char usage[] =
        "--sweep takes NAME=A:B or NAME=A:B:F, with 0 < A < B and 1 < F, not '%s'";
    Sweep *s = &o->sweep;
    char *equals = strchr(value, '='), *end;
    if (!equals || !isalpha((unsigned char)*value)) return fail(usage, value);
    for (char *at = value; at < equals; at++)
        if (!isalnum((unsigned char)*at) && *at != '_') return fail(usage, value);
    s->from = strtod(equals + 1, &end);
    s->to = *end == ':' ? strtod(end + 1, &end) : 0;
    s->factor = *end == ':' ? strtod(end + 1, &end) : 10;
    if (*end || !(s->from > 0 && s->from < s->to && s->to < 1e18 && s->factor >= 1.01))
        return fail(usage, value);
    *equals = 0;
    s->name = value;
    return true;
}

static bool set_emit(Options *o, const char *value) {
    o->emit = value;
    return emit_is_kind(value) || fail("--emit makes header, c, obj or so, not '%s'", value);
}

static bool set_against(Options *o, const char *value) {
    o->against = value;
    return rivals_are_known(value) ||
           fail("--against takes cpython, numba or cpython,numba, not '%s'", value);
}

static bool set(Options *o, OptionId id, char *value) {
    switch (id) {
    case OPT_ENTRY: o->entry = value; break;
    case OPT_CHECK: o->check = true; break;
    case OPT_CHECK_RACES: o->check_races = true; break;
    case OPT_OUTPUT: o->output = value; break;
    case OPT_BACKEND: o->backend = value; break;
    case OPT_LEVEL: return set_level(o, value);
    case OPT_PARALLEL: o->parallel = true; break;
    case OPT_THREADS: return set_threads(o, value);
    case OPT_UNCHECKED: o->unchecked = true; break;
    case OPT_FASTMATH: o->fastmath = true; break;
    case OPT_CACHE: o->cache = true; break;
    case OPT_TIMEOUT: return set_timeout(o, value);
    case OPT_BENCH: o->bench = true; break;
    case OPT_BENCH_TIME:
        return set_amount(&o->bench_time, value,
                          "--bench-time takes a number of seconds above 0, not '%s'");
    case OPT_AGAINST: return set_against(o, value);
    case OPT_OPERATIONS:
        return set_amount(&o->operations, value,
                          "--operations takes a number above 0, not '%s'");
    case OPT_BYTES:
        return set_amount(&o->bytes, value, "--bytes takes a number above 0, not '%s'");
    case OPT_SWEEP: return set_sweep(o, value);
    case OPT_PLOT: o->plot = value; break;
    case OPT_COMPARE: o->compare = value; break;
    case OPT_DUMP: o->dump = value; break;
    case OPT_EMIT: return set_emit(o, value);
    case OPT_CPU: o->cpu = value; break;
    case OPT_FORMAT: return set_format(o, value);
    case OPT_COMPLETION: o->completion = value; break;
    case OPT_VERSION: o->version = true; break;
    case OPT_HELP: o->help = true; break;
    case OPT_COUNT: break;
    }
    return true;
}

/* `--name`, `--name=value` or `--name value`. */
static bool parse_long(Options *o, char **argv, int *i, int argc) {
    char *name = argv[*i] + 2, *equals = strchr(name, '=');
    int id = find_long(name, equals ? (size_t)(equals - name) : strlen(name));
    if (id < 0) return fail("unknown option '%s'", argv[*i]);
    if (!table[id].argument)
        return equals ? fail("'%s' takes no value", argv[*i]) : set(o, (OptionId)id, NULL);
    if (equals) return set(o, (OptionId)id, equals + 1);
    if (*i + 1 >= argc) return fail("'%s' needs a value after it", argv[*i]);
    return set(o, (OptionId)id, argv[++*i]);
}

/* `-x`, `-xVALUE` or `-x VALUE`. */
static bool parse_short(Options *o, char **argv, int *i, int argc) {
    int id = find_short(argv[*i][1]);
    if (id < 0) return fail("unknown option '%s'", argv[*i]);
    if (!table[id].argument)
        return argv[*i][2] ? fail("unknown option '%s'", argv[*i])
                           : set(o, (OptionId)id, NULL);
    if (argv[*i][2]) return set(o, (OptionId)id, argv[*i] + 2);
    if (*i + 1 >= argc) return fail("'%s' needs a value after it", argv[*i]);
    return set(o, (OptionId)id, argv[++*i]);
}

static void take_positional(Options *o, char *text) {
    if (!o->file)
        o->file = text;
    else
        o->args[o->arg_count++] = text;
}

/* Those of --bench go with it. */
static bool bench_options_fit(const Options *o) {
    const char *without = o->sweep.name   ? "--sweep"
                          : o->plot       ? "--plot"
                          : o->compare    ? "--compare"
                          : o->csv        ? "--format csv"
                          : o->against    ? "--against"
                          : o->bench_time ? "--bench-time"
                          : o->operations ? "--operations"
                          : o->bytes      ? "--bytes"
                                          : NULL;
    if (!o->bench) return !without || fail("%s goes with --bench", without);
    if (o->emit || o->dump || o->check || o->check_races)
        return fail("%s",
                    "--bench times the program: it goes without --emit, --dump, --check and "
                    "--check-races");
    if (o->plot && !findings_can_draw(o->plot))
        return fail("--plot writes a picture that is named .svg or .html, not '%s'", o->plot);
    if (o->sweep.name && !o->arg_count)
        return fail(
            "--sweep %s needs a function and ARGs in which the size stands: name it with -e",
            o->sweep.name);
    if (o->sweep.name && o->compare)
        return fail("%s", "--compare takes one size: it goes without --sweep");
    return true;
}

bool options_parse(int argc, char **argv, Options *o) {
    *o = (Options){.args = argv};
    bool only_positional = false;
    for (int i = 1; i < argc; i++) {
        char *text = argv[i];
        if (only_positional || text[0] != '-' || !text[1] || is_number(text)) {
            take_positional(o, text);
        } else if (strcmp(text, "--") == 0) {
            only_positional = true;
        } else if (!(text[1] == '-' ? parse_long(o, argv, &i, argc)
                                    : parse_short(o, argv, &i, argc))) {
            return false;
        }
    }
    if (o->help || o->version || o->completion) return true;
    if (!o->file) return fail("%s", "no FILE to run (use - for standard input)");
    if (o->arg_count && !o->entry)
        return fail("ARGs go to a function: name it with -e (the first ARG is '%s')",
                    o->args[0]);
    if (o->emit && o->arg_count)
        return fail("--emit calls no function: it goes without ARGs (the first is '%s')",
                    o->args[0]);
    if (o->emit && strcmp(o->emit, "so") == 0 && !o->output)
        return fail("%s", "--emit so needs a file to write: name it with -o");
    if (o->cpu && (!o->emit || (strcmp(o->emit, "obj") != 0 && strcmp(o->emit, "so") != 0)))
        return fail("%s", "--cpu goes with --emit obj and --emit so");
    if (o->output && !o->entry && !o->emit && !o->bench)
        return fail("%s", "-o takes the result of a function: name it with -e");
    return bench_options_fit(o);
}

/* One line of help; further lines of a long text line up under the first. */
static void help_line(FILE *to, char letter, const char *name, const char *argument,
                      const char *help) {
    char left[64];
    snprintf(left, sizeof left, "%c%c%s --%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
             letter ? "," : " ", name, argument ? " " : "", argument ? argument : "");
    fprintf(to, "  %-24s  ", left);
    for (; *help; help++) {
        fputc(*help, to);
        if (*help == '\n') fprintf(to, "%28s", "");
    }
    fputc('\n', to);
}

void options_help(FILE *to) {
    fputs("usage: jitrun FILE [options] [ARG...]\n\n"
          "Compiles a file of kernels, written in a typed subset of Python, and runs it. FILE "
          "is a\n"
          "path, or - for standard input. With -e, each ARG is a literal (3, 1e6, True,\n"
          "[1, 2, 3.5]), an expression (np.arange(10)), or a .npy file; name=ARG is for the\n"
          "parameter of that name.\n",
          to);
#define JR_GROUP(title) fprintf(to, "\n%s:\n", title);
#define JR_OPTION(ID, letter, name, argument, help) \
    help_line(to, letter, name, argument, help);
#include "cli/options.def"
#undef JR_GROUP
#undef JR_OPTION
    fputs("\nExit codes: 0 success; 1 the kernel raised an error; 2 the command line or the "
          "source\n"
          "is wrong; 124 timed out; 130 interrupted.\n"
          "JITRUN_DUMP=STAGE in the environment shows a stage on standard error and runs as "
          "well.\n",
          to);
}

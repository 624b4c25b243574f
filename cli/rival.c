/* A rival is a child, python3 with text/rival.py, which loads the program's file itself. It says what
 * is said to it and what it answers: lines with a few words in each. Arrays go to and fro as
 * .npy files in a folder of their own. */
#include "cli/rival.h"

#include "cli/stop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char script[] =
#include <rival.inc>
    ;

static const char *const kinds[RIVALS] = {"cpython", "numba"};

struct Rival {
    const char *kind;
    const Options *options;
    const char *name;
    const Args *args;
    bool started;
    pid_t child; /* 0: there is none */
    FILE *to, *from;
    char folder[32]; /* "" before there is one */
    unsigned arrays;
    char *line; /* the last answer; taken apart by `rest` */
    size_t room;
    char *rest;
    JrValue outcome;
    char why[600];
};

static const char *fail(Rival *r, const char *what, const char *why) {
    snprintf(r->why, sizeof r->why, "%s: %s", what, why);
    return r->why;
}

/* ---- Values as words (text/rival.py) ---- */

static bool put_array(Rival *r, const JrValue *value) {
    char path[64];
    snprintf(path, sizeof path, "%s/in%u.npy", r->folder, r->arrays);
    if (jr_array_save(path, value) != JR_OK) return false;
    return fprintf(r->to, " a in%u", r->arrays++) > 0;
}

static bool put_value(Rival *r, const JrValue *value) {
    switch (value->type) {
    case JR_NONE: return fputs(" n", r->to) >= 0;
    case JR_DEFAULT: return fputs(" d", r->to) >= 0;
    case JR_BOOL: return fprintf(r->to, " b %d", value->as.b) > 0;
    case JR_FLOAT32: return fprintf(r->to, " s %a", value->as.f) > 0;
    case JR_FLOAT64: return fprintf(r->to, " f %a", value->as.f) > 0;
    case JR_ARRAY: return put_array(r, value);
    case JR_TUPLE: break;
    case JR_UINT8:
    case JR_UINT16:
    case JR_UINT32:
    case JR_UINT64: return fprintf(r->to, " i %" PRIu64, value->as.u) > 0;
    default: return fprintf(r->to, " i %" PRId64, value->as.i) > 0;
    }
    bool good = fprintf(r->to, " t %zu", value->as.tuple.count) > 0;
    for (size_t i = 0; i < value->as.tuple.count && good; i++)
        good = put_value(r, &value->as.tuple.items[i]);
    return good;
}

static const char *take_word(Rival *r) {
    const char *word = strtok_r(NULL, " \n", &r->rest);
    return word ? word : "";
}

static bool take_array(Rival *r, JrValue *out) {
    char path[96];
    snprintf(path, sizeof path, "%s/%.40s.npy", r->folder, take_word(r));
    return jr_array_load(path, out) == JR_OK;
}

static bool take_value(Rival *r, JrValue *out);

static bool take_values(Rival *r, size_t count, JrValue *out) {
    JrValue *items = calloc(count + 1, sizeof *items);
    *out = (JrValue){.type = JR_TUPLE, .as.tuple = {items ? count : 0, items}};
    bool good = items != NULL;
    for (size_t i = 0; i < count && good; i++)
        good = take_value(r, &items[i]);
    return good;
}

static bool take_value(Rival *r, JrValue *out) {
    const char *kind = take_word(r);
    *out = (JrValue){.type = JR_NONE};
    switch (*kind) {
    case 'n': return true;
    case 'd': *out = jr_default(); return true;
    case 'b': *out = jr_bool(*take_word(r) == '1'); return true;
    case 's':
    case 'f':
        *out = jr_float(strtod(take_word(r), NULL));
        if (*kind == 's') out->type = JR_FLOAT32;
        return true;
    case 'a': return take_array(r, out);
    case 't': return take_values(r, strtoul(take_word(r), NULL, 10), out);
    case 'i': break;
    default: return false;
    }
    const char *digits = take_word(r);
    *out = *digits == '-' ? jr_int(strtoll(digits, NULL, 10))
                          : jr_uint(strtoull(digits, NULL, 10));
    if (out->type == JR_UINT64 && out->as.u <= INT64_MAX) *out = jr_int((int64_t)out->as.u);
    return true;
}

/* What take_values made. */
static void drop(JrValue *value) {
    if (value->type != JR_TUPLE) {
        jr_value_clear(value);
        return;
    }
    for (size_t i = 0; i < value->as.tuple.count; i++)
        drop(&value->as.tuple.items[i]);
    free(value->as.tuple.items);
    *value = (JrValue){.type = JR_NONE};
}

/* ---- The child ---- */

static const char *python_command(void) {
    const char *set = getenv("JITRUN_PYTHON");
    return set && *set ? set : "python3";
}

static int spawn(Rival *r, int in, int out) {
    posix_spawn_file_actions_t actions;
    const char *python = python_command();
    char *argv[] = {(char *)python,
                    "-c",
                    (char *)script,
                    (char *)r->kind,
                    (char *)r->options->file,
                    (char *)(r->name ? r->name : ""),
                    r->folder,
                    NULL};
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, out, 3);
    for (int fd = 1; fd <= 2 && !error; fd++)
        error = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawnp(&r->child, python, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) r->child = 0;
    return error;
}

static int connect_child(Rival *r) {
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    int error =
        pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ? errno : spawn(r, in[0], out[1]);
    if (in[0] >= 0) close(in[0]);
    if (out[1] >= 0) close(out[1]);
    if (!error && (r->to = fdopen(in[1], "w"))) in[1] = -1;
    if (!error && (r->from = fdopen(out[0], "r"))) out[0] = -1;
    if (in[1] >= 0) close(in[1]);
    if (out[0] >= 0) close(out[0]);
    return error ? error : r->to && r->from ? 0 : ENOMEM;
}

/* Writes a line; a child that has gone is no reason to go too. */
static bool say(Rival *r, const char *command, const Args *args) {
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignored, &before);
    bool good = fputs(command, r->to) >= 0;
    for (size_t i = 0; args && i < args->count && good; i++)
        good = put_value(r, &args->values[i]);
    good = good && fputc('\n', r->to) >= 0;
    good &= fflush(r->to) == 0;
    sigaction(SIGPIPE, &before, NULL);
    return good;
}

/* Until there is something to read; false when the user has had enough. poll is what a signal
 * ends even where calls are restarted. */
static bool wait_for_answer(Rival *r) {
    struct pollfd fd = {.fd = fileno(r->from), .events = POLLIN};
    while (!stop_reason() && poll(&fd, 1, -1) < 0 && errno == EINTR)
        ;
    return !stop_reason();
}

/* NULL, or what went wrong; the words of the answer are then there to take. */
static const char *ask(Rival *r, const char *command, const Args *args) {
    bool said = say(r, command, args);
    if (!wait_for_answer(r)) {
        kill(r->child, SIGKILL);
        return "stopped";
    }
    ssize_t len = getline(&r->line, &r->room, r->from);
    if (!said || len <= 0) return fail(r, python_command(), "it ended without an answer");
    r->line[strcspn(r->line, "\n")] = 0;
    const char *word = strtok_r(r->line, " ", &r->rest);
    if (word && strcmp(word, "ok") == 0) return NULL;
    snprintf(r->why, sizeof r->why, "%s", word && r->rest ? r->rest : "no answer");
    return r->why;
}

static const char *start(Rival *r) {
    if (strcmp(r->options->file, "-") == 0)
        return "it cannot read what came from standard input";
    strcpy(r->folder, "/tmp/jitrun-XXXXXX");
    if (!mkdtemp(r->folder)) {
        r->folder[0] = 0;
        return fail(r, "/tmp", strerror(errno));
    }
    setenv("NPY_PROMOTION_STATE", "weak", 0); /* NumPy 1.24 can do as 2 does */
    int error = connect_child(r);
    if (error == ENOENT) return fail(r, python_command(), "not found (set JITRUN_PYTHON)");
    if (error) return fail(r, python_command(), strerror(error));
    return ask(r, "args", r->args);
}

static const char *run(void *user, int64_t calls, double *seconds, JrValue *outcome) {
    Rival *r = user;
    char command[40] = "first";
    const char *why = r->started ? NULL : start(r);
    r->started = true;
    if (why || !r->to) return why ? why : "it was not started";
    if (!outcome) snprintf(command, sizeof command, "run %" PRId64, calls);
    if ((why = ask(r, command, NULL))) return why;
    *seconds = strtod(take_word(r), NULL);
    if (!outcome) return NULL;
    drop(&r->outcome);
    if (!take_values(r, r->args->count + 1, &r->outcome))
        return fail(r, "its result cannot be compared", jr_error()->message);
    *outcome = r->outcome;
    return NULL;
}

/* ---- All of them ---- */

static bool names(const char *list, const char *kind) {
    size_t len = strlen(kind);
    for (const char *at = list; *at; at += at[0] == ',') {
        size_t n = strcspn(at, ",");
        if (n == len && memcmp(at, kind, len) == 0) return true;
        at += n;
    }
    return false;
}

bool rivals_are_known(const char *list) {
    size_t found = 0, items = 1;
    for (const char *at = list; *at; at++)
        items += *at == ',';
    for (size_t i = 0; i < RIVALS; i++)
        found += names(list, kinds[i]);
    return found == items;
}

size_t rivals_new(const Options *o, const char *name, const Args *args, JrBenchRival *out) {
    size_t count = 0;
    for (size_t i = 0; i < RIVALS && o->against; i++) {
        if (!names(o->against, kinds[i])) continue;
        Rival *r = calloc(1, sizeof *r);
        if (!r) break;
        *r = (Rival){.kind = kinds[i], .options = o, .name = name, .args = args};
        out[count++] = (JrBenchRival){kinds[i], run, r};
    }
    return count;
}

static void remove_folder(const char *folder) {
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
    rmdir(folder);
}

void rivals_free(size_t count, JrBenchRival *rivals) {
    for (size_t i = 0; i < count; i++) {
        Rival *r = rivals[i].user;
        if (r->to) fclose(r->to); /* which ends the child */
        if (r->from) fclose(r->from);
        while (r->child && waitpid(r->child, NULL, 0) < 0 && errno == EINTR)
            ;
        if (r->folder[0]) remove_folder(r->folder);
        drop(&r->outcome);
        free(r->line);
        free(r);
    }
}

/* --emit: a header, C, an object file, or a shared library.
 *
 * The first three are the library's. A shared library is the object file and libjitrun_rt.a,
 * linked by the system's C compiler ($CC, or cc); it exports the functions, and jr_error and its
 * kin for those who call them. */
#include "cli/emit.h"

#include "cli/report.h"

#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PATH_ROOM = 4096 };

bool emit_is_kind(const char *kind) {
    static const char *const kinds[] = {"header", "c", "obj", "so"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0) return true;
    return false;
}

static int cannot(const char *what, const char *path, int error) {
    fprintf(stderr, "jitrun: error: cannot %s %s: %s\n", what, path, strerror(error));
    return EXIT_USAGE;
}

/* Not a device, which would be gone. */
static bool is_plain(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Closes the file, unless it is standard output. A file that is not whole is removed. */
static int finish(FILE *to, const char *path, JrStatus status) {
    if (!path) return status == JR_OK || output_error() ? 0 : -1;
    bool good = fflush(to) == 0;
    int error = errno;
    if (fclose(to) != 0 && good) good = false, error = errno;
    if ((!good || status) && is_plain(path)) remove(path);
    if (status) return status == JR_ERR_IO ? cannot("write", path, error) : -1;
    return good ? 0 : cannot("write", path, error);
}

static int write_kind(const Options *o, JrModule *module, const char *kind, FILE *to,
                      const char *path) {
    JrEmitOptions options = {
        .size = sizeof options, .kind = kind, .function = o->entry, .cpu = o->cpu};
    return finish(to, path, jr_module_emit(module, &options, write_to, to));
}

/* ---- A shared library ---- */

/* libjitrun_rt.a is beside the library, in a build folder and where that is installed. */
static bool find_runtime(char *path) {
    Dl_info library;
    void *within =
        dlsym(RTLD_DEFAULT, "jr_version"); /* not what this program calls it through */
    if (!within || !dladdr(within, &library) || !library.dli_fname) return false;
    const char *slash = strrchr(library.dli_fname, '/');
    int folder = slash ? (int)(slash + 1 - library.dli_fname) : 0;
    int len = snprintf(path, PATH_ROOM, "%.*slibjitrun_rt.a", folder, library.dli_fname);
    return len < PATH_ROOM && access(path, R_OK) == 0;
}

/* Runs the compiler; an exit code. */
static int link_library(const char *object, const char *runtime, const char *output) {
    const char *cc = getenv("CC");
    if (!cc || !*cc) cc = "cc";
    /* Everything but the functions and what is exported for their callers stays inside. */
    char *argv[] = {(char *)cc,
                    "-shared",
                    "-o",
                    (char *)output,
                    (char *)object,
                    (char *)runtime,
                    "-lm",
                    "-pthread",
                    "-Wl,--no-undefined",
                    "-Wl,-Bsymbolic",
                    "-Wl,-u,jr_set_num_threads",
                    NULL};
    pid_t child;
    int status = 0, error = posix_spawnp(&child, cc, NULL, NULL, argv, environ);
    if (error) return cannot("run the C compiler", cc, error);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return cannot("wait for", cc, errno);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
    fprintf(stderr, "jitrun: error: %s could not link %s\n", cc, output);
    return EXIT_USAGE;
}

static int emit_library(const Options *o, JrModule *module) {
    char runtime[PATH_ROOM], object[] = "/tmp/jitrun-XXXXXX.o";
    if (!find_runtime(runtime)) {
        fputs("jitrun: error: libjitrun_rt.a is not beside libjitrun.so\n", stderr);
        return EXIT_USAGE;
    }
    int file = mkstemps(object, 2);
    FILE *to = file < 0 ? NULL : fdopen(file, "wb");
    if (!to) return cannot("write", object, errno);
    int code = write_kind(o, module, "obj", to, object);
    if (code) return code;
    code = link_library(object, runtime, o->output);
    remove(object);
    return code;
}

int emit_run(const Options *o, JrModule *module) {
    if (strcmp(o->emit, "so") == 0) return emit_library(o, module);
    FILE *to = o->output ? fopen(o->output, "wb") : stdout;
    if (!to) return cannot("write", o->output, errno);
    return write_kind(o, module, o->emit, to, o->output);
}

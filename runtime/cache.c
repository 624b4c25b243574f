/* The folder of compiled code.
 *
 * A file is named after a hash of its key, and holds the key, which is compared byte by byte, and the
 * code. It is written under another name and renamed, so that readers find it whole or not at all, and of
 * two who write the same one either is right. What is not as it should be (another build's, cut short,
 * changed) counts as absent, and is overwritten in time.
 *
 * The code will be run. So the folder and the file must belong to this user, and nobody else may be able
 * to write to them; otherwise they are not used, and the module's JrCache says why.
 *
 * Files that have not been used for longest go when all take up more than the limit. Looking how large they
 * are takes a system call for each, so only one store in SELDOM does. */
#include "runtime/cache.h"

#include "ir/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAGIC_SIZE = 8, NAME_SIZE = 64, SELDOM = 8, HOUR = 3600 };
static const char magic[MAGIC_SIZE] = "jitrun1\n", ending[] = ".code", unfinished[] = ".part";

typedef struct Header {
    char magic[MAGIC_SIZE];
    uint64_t key_len, code_len, check; /* check: of the code */
} Header;

static const uint64_t MOST_BYTES = (uint64_t)1 << 28; /* of one file: more is a mistake */

static uint64_t hash(const char *bytes, size_t len) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* ---- The folder ---- */

static void fail(JrCache *cache, const char *why) {
    snprintf(cache->problem, sizeof cache->problem, "%s", why);
}

static void name_folder(JrCache *cache) {
    const char *own = secure_getenv("JITRUN_CACHE_DIR"),
               *xdg = secure_getenv("XDG_CACHE_HOME");
    const char *home = secure_getenv("HOME");
    int len = -1;
    if (own && *own)
        len = snprintf(cache->folder, sizeof cache->folder, "%s", own);
    else if (xdg && *xdg == '/')
        len = snprintf(cache->folder, sizeof cache->folder, "%s/jitrun", xdg);
    else if (home && *home == '/')
        len = snprintf(cache->folder, sizeof cache->folder, "%s/.cache/jitrun", home);
    if (len > 0 && (size_t)len < sizeof cache->folder) return;
    cache->folder[0] = 0;
    fail(cache, "there is no folder for it: set JITRUN_CACHE_DIR");
}

void jr_cache_init(JrCache *cache, const JrAlloc *alloc) {
    *cache = (JrCache){.alloc = alloc};
    name_folder(cache);
}

/* Whether nobody but this user, or root, can have written it. */
static bool is_ours(const struct stat *info) {
    return (info->st_uid == geteuid() || info->st_uid == 0) &&
           !(info->st_mode & (S_IWGRP | S_IWOTH));
}

/* 0, or why the first that could not be made could not. */
static int make_folders(const char *path) {
    char part[sizeof(((JrCache *)0)->folder)];
    int why = 0;
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (mkdir(part, 0777) != 0 && errno != EEXIST && !why) why = errno;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST && !why) why = errno;
    return why;
}

/* The folder, made if `make`; -1 if it is not there or is not to be trusted. */
static int open_folder(JrCache *cache, bool make) {
    struct stat info;
    if (!cache->folder[0]) return -1;
    int why = make ? make_folders(cache->folder) : 0;
    int folder = open(cache->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        if (make) fail(cache, strerror(why ? why : errno));
        return -1;
    }
    if (fstat(folder, &info) == 0 && is_ours(&info)) return folder;
    fail(cache, "others can write to it, or it is another user's");
    close(folder);
    return -1;
}

/* ---- Reading ---- */

static bool read_all(int file, void *to, size_t size) {
    char *at = to;
    while (size) {
        ssize_t got = read(file, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

/* A file in use is young: it stays when others have to go. */
static void touch(int file, const struct stat *info) {
    if (time(NULL) - info->st_mtime > HOUR) futimens(file, NULL);
}

/* Whether the rest of the file begins with the key. */
static bool has_key(int file, const char *key, size_t len) {
    char piece[4096];
    for (size_t at = 0; at < len; at += sizeof piece) {
        size_t size = len - at < sizeof piece ? len - at : sizeof piece;
        if (!read_all(file, piece, size) || memcmp(piece, key + at, size) != 0) return false;
    }
    return true;
}

static char *read_code(JrCache *cache, int file, const char *key, size_t key_len,
                       size_t *len) {
    struct stat info;
    Header header;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || !is_ours(&info)) return NULL;
    if (!read_all(file, &header, sizeof header) ||
        memcmp(header.magic, magic, MAGIC_SIZE) != 0 || header.key_len != key_len ||
        header.code_len > MOST_BYTES ||
        sizeof header + key_len + header.code_len != (uint64_t)info.st_size ||
        !has_key(file, key, key_len))
        return NULL;
    char *code = jr_alloc_new(cache->alloc, header.code_len + 1);
    if (!code) return NULL;
    if (read_all(file, code, header.code_len) && hash(code, header.code_len) == header.check) {
        touch(file, &info);
        *len = header.code_len;
        return code;
    }
    jr_alloc_free(cache->alloc, code);
    return NULL;
}

static void name_file(char name[NAME_SIZE], const char *key, size_t len) {
    snprintf(name, NAME_SIZE, "%016llx%s", (unsigned long long)hash(key, len), ending);
}

static char *load(void *user, const char *key, size_t key_len, size_t *len) {
    JrCache *cache = user;
    char name[NAME_SIZE], *code = NULL;
    int folder = open_folder(cache, false);
    if (folder >= 0) {
        name_file(name, key, key_len);
        int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file >= 0) {
            code = read_code(cache, file, key, key_len, len);
            close(file);
        }
        close(folder);
    }
    *(code ? &cache->hits : &cache->misses) += 1;
    return code;
}

/* ---- What is too much ---- */

static uint64_t limit(void) {
    static const uint64_t megabyte = 1 << 20;
    const char *set = secure_getenv("JITRUN_CACHE_LIMIT");
    char *end = NULL;
    double megabytes = set && *set ? strtod(set, &end) : 0;
    bool good = end && !*end && megabytes >= 0 && megabytes < 1e9;
    return good ? (uint64_t)(megabytes * (double)megabyte) : 256 * megabyte;
}

static bool ends_with(const char *name, const char *end) {
    size_t len = strlen(name), size = strlen(end);
    return len > size && strcmp(name + len - size, end) == 0;
}

typedef struct File {
    char name[NAME_SIZE];
    uint64_t size;
    time_t used;
} File;

typedef struct Files {
    File *items;
    size_t count, room;
    uint64_t size;
} Files;

static bool add_file(Files *files, const char *name, const struct stat *info) {
    if (files->count == files->room) {
        size_t room = files->room ? 2 * files->room : 64;
        File *items = realloc(files->items, room * sizeof *items);
        if (!items) return false;
        files->items = items;
        files->room = room;
    }
    File *file = &files->items[files->count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->size = (uint64_t)info->st_size;
    file->used = info->st_mtime;
    files->size += file->size;
    return true;
}

/* Files of code; those that a process left unfinished long ago are removed. */
static void list_files(int folder, DIR *all, Files *files) {
    struct dirent *entry;
    struct stat info;
    while ((entry = readdir(all))) {
        const char *name = entry->d_name;
        bool left = ends_with(name, unfinished);
        if (strlen(name) >= NAME_SIZE || (!left && !ends_with(name, ending))) continue;
        if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (left && time(NULL) - info.st_mtime > HOUR)
            unlinkat(folder, name, 0);
        else if (!left && !add_file(files, name, &info))
            return;
    }
}

static int oldest_first(const void *a, const void *b) {
    time_t left = ((const File *)a)->used, right = ((const File *)b)->used;
    return (left > right) - (left < right);
}

/* Removes the oldest files until a tenth of the limit is free again. */
static void trim(int folder) {
    uint64_t most = limit();
    Files files = {0};
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = copy < 0 ? NULL : fdopendir(copy);
    if (all) {
        list_files(folder, all, &files);
        closedir(all);
    } else if (copy >= 0) {
        close(copy);
    }
    if (files.size > most) {
        qsort(files.items, files.count, sizeof *files.items, oldest_first);
        for (size_t i = 0; i < files.count && files.size > most - most / 10; i++) {
            unlinkat(folder, files.items[i].name, 0);
            files.size -= files.items[i].size;
        }
    }
    free(files.items);
}

/* ---- Writing ---- */

/* Beyond the process's limit to the size of files (`ulimit -f`) a write raises SIGXFSZ on its thread, and that
 * ends the process. Here it fails with EFBIG alone. */
typedef struct Muted {
    sigset_t before;
    bool pending;
} Muted;

static sigset_t too_large(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    return set;
}

static Muted mute_limit(void) {
    sigset_t set = too_large(), pending;
    Muted muted;
    muted.pending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &set, &muted.before);
    return muted;
}

static void unmute_limit(const Muted *muted) {
    sigset_t set = too_large();
    int error = errno;
    if (!muted->pending) sigtimedwait(&set, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &muted->before, NULL);
    errno = error;
}

static bool write_all(int file, const void *from, size_t size) {
    const char *at = from;
    while (size) {
        ssize_t put = write(file, at, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bool write_file(int file, const char *key, size_t key_len, const char *code,
                       size_t len) {
    Header header = {.key_len = key_len, .code_len = len, .check = hash(code, len)};
    memcpy(header.magic, magic, MAGIC_SIZE);
    Muted muted = mute_limit();
    bool good = write_all(file, &header, sizeof header) && write_all(file, key, key_len) &&
                write_all(file, code, len);
    unmute_limit(&muted);
    int why = errno;
    bool closed = close(file) == 0; /* some file systems tell only now */
    if (!good) errno = why;
    return good && closed;
}

static void store(void *user, const char *key, size_t key_len, const char *code, size_t len) {
    static atomic_uint counter;
    JrCache *cache = user;
    char name[NAME_SIZE], part[NAME_SIZE];
    if (key_len > MOST_BYTES || len > MOST_BYTES) return;
    int folder = open_folder(cache, true);
    if (folder < 0) return;
    unsigned number = atomic_fetch_add(&counter, 1);
    name_file(name, key, key_len);
    struct timespec now; /* another machine may have the same process number */
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(part, sizeof part, "%ld-%u-%ld%s", (long)getpid(), number, now.tv_nsec,
             unfinished);
    int file =
        openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = file >= 0 && write_file(file, key, key_len, code, len) &&
                renameat(folder, part, folder, name) == 0;
    if (!good) fail(cache, strerror(errno));
    if (!good && file >= 0) unlinkat(folder, part, 0);
    if (good && number % SELDOM == 0) trim(folder);
    close(folder);
}

JrCodeCache jr_cache_for_engine(JrCache *cache) {
    return (JrCodeCache){load, store, cache};
}

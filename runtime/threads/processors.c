/* A cgroup's quota is a time in each period: 200000 of 100000 microseconds are two processors.
 * Every group on the way from the process's own up to the root may have one, and the least of
 * them holds. Version 2 has one hierarchy, and in each group a file cpu.max, "200000 100000" or
 * "max 100000", and lies in unified/ where both are in use; version 1 one for the cpu controller, with cpu.cfs_quota_us (-1 for none) and
 * cpu.cfs_period_us. In a container the process's group is often mounted as the root, and its
 * path in /proc/self/cgroup is that of another world: then the walk finds the root alone. */
#include "runtime/threads/processors.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, TEXT_SIZE = 8192 };

/* The file's first bytes as text; false if it cannot be read. */
static bool read_text(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    if (!file) return false;
    size_t len = fread(text, 1, size - 1, file);
    fclose(file);
    text[len] = 0;
    return true;
}

static bool read_in(const char *folder, const char *name, char *text, size_t size) {
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    return len > 0 && (size_t)len < sizeof path && read_text(path, text, size);
}

static int whole_processors(long long quota, long long period) {
    if (quota <= 0 || period <= 0) return 0;
    long long n = (quota - 1) / period + 1;
    return n > 1 << 20 ? 1 << 20 : (int)n;
}

static int group_quota(const char *folder, bool unified) {
    char text[128];
    long long quota = 0, period = 0;
    if (unified) {
        if (!read_in(folder, "cpu.max", text, sizeof text)) return 0;
        return sscanf(text, "%lld %lld", &quota, &period) == 2
                   ? whole_processors(quota, period)
                   : 0;
    }
    if (!read_in(folder, "cpu.cfs_quota_us", text, sizeof text)) return 0;
    quota = strtoll(text, NULL, 10);
    if (!read_in(folder, "cpu.cfs_period_us", text, sizeof text)) return 0;
    period = strtoll(text, NULL, 10);
    return whole_processors(quota, period);
}

/* The least quota from root/path up to the root; 0: none. */
static int least_quota(const char *root, const char *path, bool unified) {
    char folder[PATH_SIZE];
    int least = 0, len = snprintf(folder, sizeof folder, "%s%s", root, path);
    size_t root_len = strlen(root);
    if (len < 0 || (size_t)len >= sizeof folder) return group_quota(root, unified);
    for (;;) {
        int quota = group_quota(folder, unified);
        if (quota && (!least || quota < least)) least = quota;
        char *slash = strrchr(folder + root_len, '/');
        if (!slash) return least;
        *slash = 0;
    }
}

/* Whether "cpu" is one of the comma-separated controllers. */
static bool has_cpu(const char *names) {
    for (; names; names = strchr(names, ',')) {
        names += *names == ',';
        if (strncmp(names, "cpu", 3) == 0 && (names[3] == ',' || names[3] == 0)) return true;
    }
    return false;
}

/* A line, "4:cpu,cpuacct:/user.slice": its hierarchy, controllers and path. */
static int line_quota(char *line, const char *mount) {
    char root[PATH_SIZE];
    char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
    if (!path) return 0;
    *path++ = 0;
    names++;
    bool unified = *names == 0;
    if (!unified && !has_cpu(names)) return 0;
    int len = snprintf(root, sizeof root, "%s/%s", mount, unified ? "unified" : names);
    if (len < 0 || (size_t)len >= sizeof root) return 0;
    int beside = unified ? least_quota(mount, path, true) : 0;
    int quota = least_quota(root, path, unified);
    return quota && (!beside || quota < beside) ? quota : beside;
}

int jr_processors_quota(const char *cgroups, const char *mount) {
    char line[PATH_SIZE];
    int least = 0;
    for (size_t len; *cgroups; cgroups += len + (cgroups[len] == '\n')) {
        len = strcspn(cgroups, "\n");
        if (len >= sizeof line) continue;
        memcpy(line, cgroups, len);
        line[len] = 0;
        int quota = line_quota(line, mount);
        if (quota && (!least || quota < least)) least = quota;
    }
    return least;
}

static int affinity(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more than a cpu_set_t has bits */
    return online > 0 ? (int)online : 1;
}

int jr_processors(void) {
    char cgroups[TEXT_SIZE];
    int n = affinity();
    int quota = read_text("/proc/self/cgroup", cgroups, sizeof cgroups)
                    ? jr_processors_quota(cgroups, "/sys/fs/cgroup")
                    : 0;
    if (quota && quota < n) n = quota;
    return n < 1 ? 1 : n;
}

/* How many processors there are: by quotas of cgroups, in folders made for it, and in real groups where the
 * test may make some, as root mostly; by affinity. */
#include "runtime/threads/processors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char mount[64];

static int make_mount(void **state) {
    (void)state;
    strcpy(mount, "/tmp/jitrun-cgroup-XXXXXX");
    return mkdtemp(mount) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw) {
    (void)info, (void)kind, (void)ftw;
    return remove(path);
}

static int remove_mount(void **state) {
    (void)state;
    return nftw(mount, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes the file, and makes the folders on the way to it. */
static void put(const char *path, const char *text) {
    char full[256];
    snprintf(full, sizeof full, "%s/%s", mount, path);
    for (char *slash = full + strlen(mount) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void version_2(void **state) {
    (void)state;
    assert_int_equal(jr_processors_quota("0::/\n", mount), 0);
    put("cpu.max", "max 100000\n");
    assert_int_equal(jr_processors_quota("0::/\n", mount), 0);
    put("a.slice/b.scope/cpu.max", "250000 100000\n");
    assert_int_equal(jr_processors_quota("0::/a.slice/b.scope\n", mount), 3);
    put("a.slice/cpu.max", "150000 100000\n"); /* the least on the way up */
    assert_int_equal(jr_processors_quota("0::/a.slice/b.scope\n", mount), 2);
    put("cpu.max", "50000 100000\n");
    assert_int_equal(jr_processors_quota("0::/a.slice/b.scope\n", mount), 1);
    assert_int_equal(jr_processors_quota("0::/not/here\n", mount), 1);
}

static void version_1(void **state) {
    (void)state;
    const char *text = "9:memory:/x\n4:cpu,cpuacct:/docker/7\n2:cpuset:/\n0::/\n";
    assert_int_equal(jr_processors_quota(text, mount), 0);
    put("cpu,cpuacct/docker/7/cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/docker/7/cpu.cfs_period_us", "100000\n");
    assert_int_equal(jr_processors_quota(text, mount), 0);
    put("cpu,cpuacct/docker/7/cpu.cfs_quota_us", "400000\n");
    assert_int_equal(jr_processors_quota(text, mount), 4);
    put("cpuset/cpu.cfs_quota_us", "100000\n"); /* not the controller of processor time */
    put("cpuset/cpu.cfs_period_us", "100000\n");
    assert_int_equal(jr_processors_quota(text, mount), 4);
}

static void nonsense(void **state) {
    (void)state;
    assert_int_equal(jr_processors_quota("", mount), 0);
    assert_int_equal(jr_processors_quota("no colons\n\n:\n1:\n", mount), 0);
    put("cpu.max", "lots of time\n");
    assert_int_equal(jr_processors_quota("0::/\n", mount), 0);
    put("cpu.max", "100000 0\n");
    assert_int_equal(jr_processors_quota("0::/\n", mount), 0);
    put("cpu.max", "9223372036854775807 1\n");
    assert_true(jr_processors_quota("0::/\n", mount) > 0);
    assert_true(jr_processors() >= 1);
}

/* Both versions at once: version 2 beside the hierarchies of version 1, in unified/. */
static void hybrid(void **state) {
    (void)state;
    put("unified/a.slice/cpu.max", "150000 100000\n");
    assert_int_equal(jr_processors_quota("1:cpu:/\n0::/a.slice\n", mount), 2);
    put("cpu/cpu.cfs_quota_us", "100000\n");
    put("cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(jr_processors_quota("1:cpu:/\n0::/a.slice\n", mount), 1);
}

/* ---- In a child of its own ---- */

enum { NOT_POSSIBLE = 100 };

/* What jr_processors says after `limit` has been called there, or NOT_POSSIBLE. */
static int processors_after(bool (*limit)(const char *), const char *argument) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) _exit(limit(argument) ? jr_processors() : NOT_POSSIBLE);
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int first_processor(void) {
    cpu_set_t set;
    for (int i = 0; sched_getaffinity(0, sizeof set, &set) == 0 && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) return i;
    return 0;
}

static bool on_one(const char *unused) {
    (void)unused;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(first_processor(), &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

static void affinity_of_one(void **state) {
    (void)state;
    assert_int_equal(processors_after(on_one, NULL), 1);
}

static bool write_in(const char *folder, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) return false;
    bool good = fputs(text, file) >= 0;
    return fclose(file) == 0 && good;
}

static bool join_group(const char *folder) {
    return write_in(folder, "cgroup.procs", "0\n");
}

/* A real group below `parent`, with two of its files written; the test is skipped where that is refused. */
static void check_group(const char *parent, const char *const files[4]) {
    char folder[128];
    snprintf(folder, sizeof folder, "%s/jitrun-test-%d", parent, (int)getpid());
    if (mkdir(folder, 0755) != 0) skip();
    bool made = true;
    for (int i = 0; i < 4; i += 2)
        made = made && write_in(folder, files[i], files[i + 1]);
    int n = made ? processors_after(join_group, folder) : NOT_POSSIBLE;
    assert_int_equal(rmdir(folder), 0);
    if (n == NOT_POSSIBLE) skip();
    assert_int_equal(n, 1);
}

static void real_quota(void **state) {
    (void)state;
    check_group("/sys/fs/cgroup/cpu",
                (const char *[]){"cpu.cfs_period_us", "100000", "cpu.cfs_quota_us", "50000"});
}

static void real_quota_of_version_2(void **state) {
    (void)state;
    const char *root =
        access("/sys/fs/cgroup/unified", F_OK) ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
    check_group(root, (const char *[]){"cpu.max", "50000 100000", "cpu.max", "50000 100000"});
}

static void real_cpuset(void **state) {
    (void)state;
    char one[16];
    snprintf(one, sizeof one, "%d", first_processor());
    check_group("/sys/fs/cgroup/cpuset",
                (const char *[]){"cpuset.mems", "0", "cpuset.cpus", one});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2, make_mount, remove_mount),
        cmocka_unit_test_setup_teardown(version_1, make_mount, remove_mount),
        cmocka_unit_test_setup_teardown(nonsense, make_mount, remove_mount),
        cmocka_unit_test_setup_teardown(hybrid, make_mount, remove_mount),
        cmocka_unit_test(affinity_of_one),
        cmocka_unit_test(real_quota),
        cmocka_unit_test(real_quota_of_version_2),
        cmocka_unit_test(real_cpuset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

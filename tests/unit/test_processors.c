/* Quotas of cgroups, in folders made for it. */
#include "runtime/threads/processors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2, make_mount, remove_mount),
        cmocka_unit_test_setup_teardown(version_1, make_mount, remove_mount),
        cmocka_unit_test_setup_teardown(nonsense, make_mount, remove_mount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

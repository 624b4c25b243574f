/* JrCompileOptions.cache: what is kept in files, and when it is used. */
#include "tests/unit/api_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char source[] = "from jitrun import njit, float64, int64\n"
                             "SCALE = 2.5\n"
                             "@njit\n"
                             "def scaled(x: float64[::1], k: int64) -> float64:\n"
                             "    return x[k] * SCALE\n"
                             "@njit\n"
                             "def said(x: float64) -> float64:\n"
                             "    print('x is', x)\n"
                             "    return x\n"
                             "@njit\n"
                             "def generic(x):\n"
                             "    return x * 2\n";

/* ---- The folder of a test ---- */

static char folder[64];

static int make_folder(void **state) {
    strcpy(folder, "/tmp/jitrun-cache-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    setenv("JITRUN_CACHE_DIR", folder, 1);
    unsetenv("JITRUN_CACHE_LIMIT");
    return env_setup(state);
}

/* Calls `visit` for each file of code. */
static int each_file(void (*visit)(const char *path)) {
    char path[512];
    int count = 0;
    DIR *all = opendir(folder);
    for (struct dirent *entry; all && (entry = readdir(all));) {
        if (entry->d_name[0] == '.') continue;
        count += strstr(entry->d_name, ".code") != NULL;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (visit) visit(path);
    }
    if (all) closedir(all);
    return count;
}

static void drop(const char *path) {
    unlink(path);
}

static int drop_folder(void **state) {
    chmod(folder, 0700);
    each_file(drop);
    rmdir(folder);
    return env_teardown(state);
}

/* ---- Compiling ---- */

static JrModule *compile(Env *env, const char *text, JrCompileOptions options) {
    JrModule *module = NULL;
    options.size = sizeof options;
    options.name = "t.src";
    options.engine = env->engine;
    options.cache = true;
    if (jr_compile(env->context, text, &options, &module) != JR_OK)
        fail_msg("%s", jr_module_report(module, JR_REPORT_TEXT));
    return module;
}

static JrCacheUse use_of(JrModule *module) {
    JrCacheUse use = {.size = sizeof use};
    assert_ok(jr_module_cache(module, &use));
    return use;
}

static double scaled(JrModule *module, double value) {
    double data[] = {value};
    JrArrayValue x = {JR_FLOAT64, 1, data, {1}, {1}, NULL, false};
    JrValue args[] = {jr_array(&x), jr_int(0)}, result;
    assert_ok(jr_call(env_function(module, "scaled", NULL), 2, args, &result));
    return result.as.f;
}

/* Compiles `scaled`, and returns what the cache did. */
static JrCacheUse run_scaled(Env *env, const char *text, JrCompileOptions options,
                             double expected) {
    JrModule *module = compile(env, text, options);
    double got = scaled(module, 4);
    if (got != expected) fail_msg("%g instead of %g", got, expected);
    JrCacheUse use = use_of(module);
    use.folder = use.problem = NULL; /* the module's */
    jr_module_free(module);
    return use;
}

static bool hits(Env *env) {
    JrCacheUse use = run_scaled(env, source, (JrCompileOptions){0}, 10);
    assert_int_equal(use.hits + use.misses, 1);
    return use.hits == 1;
}

/* ---- Tests ---- */

static void test_found_again(void **state) {
    Env *env = *state;
    assert_false(hits(env));
    assert_int_equal(each_file(NULL), 1);
    assert_true(hits(env));
    JrModule *modules[3];
    for (int i = 0; i < 3; i++)
        modules[i] = compile(env, source, (JrCompileOptions){0});
    for (int i = 0; i < 3; i++)
        assert_true(scaled(modules[i], i) == 2.5 * i);
    jr_module_free(modules[1]);
    assert_true(scaled(modules[2], 8) == 20 && scaled(modules[0], 8) == 20);
    jr_module_free(modules[0]);
    jr_module_free(modules[2]);
    assert_int_equal(each_file(NULL), 1);
}

static void test_off_unless_asked_for(void **state) {
    Env *env = *state;
    JrModule *module = env_compile(env, source);
    assert_true(scaled(module, 4) == 10);
    JrCacheUse use = use_of(module);
    assert_true(!use.hits && !use.misses && !use.folder && !use.problem);
    jr_module_free(module);
    assert_int_equal(each_file(NULL), 0);
}

static void test_what_differs_is_not_taken(void **state) {
    Env *env = *state;
    hits(env);
    char text[sizeof source + 8];
    strcpy(text, source);
    strstr(text, "2.5")[0] = '3';
    assert_int_equal(run_scaled(env, text, (JrCompileOptions){0}, 14).hits, 0);
    const JrCompileOptions others[] = {
        {.opt_level = 1}, {.unchecked = true}, {.fastmath = true}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(run_scaled(env, source, others[i], 10).hits, 0);
        assert_int_equal(run_scaled(env, source, others[i], 10).hits, 1);
    }
    assert_true(hits(env));
}

static void test_types(void **state) {
    Env *env = *state;
    for (int round = 0; round < 2; round++) {
        JrModule *module = compile(env, source, (JrCompileOptions){0});
        JrFunction *of_int = env_function(module, "generic", "(int64)");
        JrFunction *of_float = env_function(module, "generic", "(float64)");
        JrValue x = jr_int(3), y = jr_float(1.5), result;
        assert_ok(jr_call(of_int, 1, &x, &result));
        assert_int_equal(result.as.i, 6);
        assert_ok(jr_call(of_float, 1, &y, &result));
        assert_true(result.as.f == 3);
        assert_int_equal(use_of(module).hits, 2 * round);
        jr_module_free(module);
    }
}

/* A pointer enters the context, whose address is another one in each process. */
static void test_pointers(void **state) {
    Env *env = *state;
    for (int round = 0; round < 3; round++) {
        JrModule *module = compile(env, source, (JrCompileOptions){0});
        double (*said)(double);
        double (*get)(const double *, int64_t, int64_t);
        assert_ok(
            jr_function_pointer(env_function(module, "said", NULL), (void **)(void *)&said));
        env->out.len = 0;
        assert_true(said(1.5) == 1.5);
        assert_string_equal(env->out.text, "x is 1.5\n");
        assert_ok(
            jr_function_pointer(env_function(module, "scaled", NULL), (void **)(void *)&get));
        double x[] = {1, 2};
        assert_true(get(x, 2, 1) == 5);
        assert_true(get(x, 2, 2) == 0);
        assert_int_equal(jr_error()->status, JR_INDEX_ERROR);
        assert_int_equal(jr_error()->frames[0].line, 5);
        assert_string_equal(jr_error()->frames[0].file, "t.src");
        assert_int_equal(use_of(module).hits, round ? 2 : 0);
        jr_module_free(module);
    }
}

static double from_host(double x) {
    return x + 1;
}

static void test_host_functions_are_not_kept(void **state) {
    Env *env = *state;
    assert_ok(jr_context_add_function(env->context, "bump", "float64(float64)",
                                      (JrHostFunction)from_host, NULL));
    JrModule *module = compile(env,
                               "from jitrun import njit\n@njit\n"
                               "def f(x: float) -> float:\n    return bump(x)\n",
                               (JrCompileOptions){0});
    JrValue x = jr_float(1), result;
    assert_ok(jr_call(env_function(module, "f", NULL), 1, &x, &result));
    assert_true(result.as.f == 2);
    JrCacheUse use = use_of(module);
    assert_true(!use.hits && !use.misses);
    jr_module_free(module);
    assert_int_equal(each_file(NULL), 0);
}

/* ---- What is wrong with a file ---- */

static off_t place;
static void flip(const char *path) {
    char byte;
    int file = open(path, O_RDWR);
    off_t at = place < 0 ? lseek(file, 0, SEEK_END) + place : place;
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}
static void shorten(const char *path) {
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size / 2), 0);
}
static void lengthen(const char *path) {
    FILE *file = fopen(path, "a");
    fputs("more", file);
    fclose(file);
}
static void empty(const char *path) {
    assert_int_equal(truncate(path, 0), 0);
}
static void let_others_write(const char *path) {
    assert_int_equal(chmod(path, 0666), 0);
}
static void make_link(const char *path) {
    char elsewhere[600];
    snprintf(elsewhere, sizeof elsewhere, "%s.old", path);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
}
static void make_pipe(const char *path) {
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void check_remade(Env *env, void (*spoil)(const char *path)) {
    each_file(drop);
    assert_false(hits(env));
    each_file(spoil);
    assert_false(hits(env));
    assert_true(hits(env));
}

static void test_spoiled_files(void **state) {
    Env *env = *state;
    static const off_t places[] = {0, 8, 16, 24, 40, 200, -1, -300};
    void (*const ways[])(const char *) = {shorten,          lengthen,  empty,
                                          let_others_write, make_link, make_pipe};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        place = places[i];
        check_remade(env, flip);
    }
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        check_remade(env, ways[i]);
}

/* ---- What is wrong with the folder ---- */

static void check_problem(Env *env, const char *part) {
    JrModule *module = compile(env, source, (JrCompileOptions){0});
    assert_true(scaled(module, 4) == 10);
    JrCacheUse use = use_of(module);
    assert_int_equal(use.hits, 0);
    assert_non_null(use.problem);
    if (!strstr(use.problem, part)) fail_msg("%s", use.problem);
    jr_module_free(module);
}

static void test_folders_that_will_not_do(void **state) {
    Env *env = *state;
    char path[128];
    chmod(folder, 0777);
    check_problem(env, "others can write to it");
    assert_int_equal(each_file(NULL), 0);
    chmod(folder, 0700);
    hits(env);
    chmod(folder, 0770); /* nor is what is there already used */
    check_problem(env, "others can write to it");
    chmod(folder, 0700);
    assert_true(hits(env));
    snprintf(path, sizeof path, "%s/file", folder);
    fclose(fopen(path, "w"));
    setenv("JITRUN_CACHE_DIR", path, 1);
    check_problem(env, "Not a directory");
    strcat(path, "/inside");
    setenv("JITRUN_CACHE_DIR", path, 1);
    check_problem(env, "Not a directory");
    setenv("JITRUN_CACHE_DIR", "/proc/no/such/place", 1);
    check_problem(env, "No such file");
    unsetenv("JITRUN_CACHE_DIR");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    check_problem(env, "JITRUN_CACHE_DIR");
}

/* Beyond a limit to the size of files, whose signal would end the process. */
static void test_a_limit_to_files(void **state) {
    Env *env = *state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before, small.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    JrModule *module = compile(env, source, (JrCompileOptions){0});
    double got = scaled(module, 4);
    JrCacheUse use = use_of(module);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(got == 10);
    assert_string_equal(use.problem, "File too large");
    jr_module_free(module);
    assert_int_equal(each_file(drop), 0);
    assert_false(hits(env));
}

static void test_where_it_is(void **state) {
    Env *env = *state;
    char home[64], path[256];
    strcpy(home, folder);
    unsetenv("JITRUN_CACHE_DIR");
    setenv("HOME", home, 1);
    unsetenv("XDG_CACHE_HOME");
    snprintf(path, sizeof path, "%s/.cache/jitrun", home);
    JrModule *module = compile(env, source, (JrCompileOptions){0});
    scaled(module, 1);
    assert_string_equal(use_of(module).folder, path);
    assert_null(use_of(module).problem);
    jr_module_free(module);
    strcpy(folder, path);
    assert_int_equal(each_file(drop), 1);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    rmdir(path);
    setenv("XDG_CACHE_HOME", "relative", 1); /* which does not count */
    module = compile(env, source, (JrCompileOptions){0});
    scaled(module, 1);
    assert_string_equal(use_of(module).folder, path);
    jr_module_free(module);
    each_file(drop);
    rmdir(path);
    snprintf(path, sizeof path, "%s/.cache", home);
    rmdir(path);
    setenv("XDG_CACHE_HOME", path, 1);
    strcat(path, "/jitrun");
    module = compile(env, source, (JrCompileOptions){0});
    scaled(module, 1);
    assert_string_equal(use_of(module).folder, path);
    jr_module_free(module);
    unsetenv("XDG_CACHE_HOME");
    strcpy(folder, path);
    each_file(drop);
    rmdir(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    strcpy(folder, home);
}

/* ---- How large it gets ---- */

static off_t all_bytes;
static void add_size(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0) all_bytes += info.st_size;
}

static void test_limit(void **state) {
    Env *env = *state;
    char text[sizeof source + 32];
    setenv("JITRUN_CACHE_LIMIT", "0.05", 1);
    for (int i = 0; i < 40; i++) {
        strcpy(text, source);
        char *number = strstr(text, "2.5");
        number[0] = (char)('1' + i % 9);
        number[2] = (char)('0' + i / 9);
        run_scaled(env, text, (JrCompileOptions){0}, 4 * atof(number));
    }
    all_bytes = 0;
    int count = each_file(add_size);
    assert_in_range(count, 1, 39);
    assert_in_range(all_bytes, 1, 3 * 52428);
}

/* ---- Several at once ---- */

static void *compile_some(void *user) {
    const Env *env = user;
    Env own = {.engine = env->engine, .context = env->context};
    for (int i = 0; i < 6; i++)
        run_scaled(&own, source, (JrCompileOptions){0}, 10);
    return NULL;
}

static void test_threads_and_processes(void **state) {
    Env *env = *state;
    enum { COUNT = 4 };
    pthread_t threads[COUNT];
    pid_t children[COUNT];
    for (int i = 0; i < COUNT; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            compile_some(env);
            _exit(0);
        }
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compile_some, env), 0);
    for (int i = 0; i < COUNT; i++) {
        int status;
        pthread_join(threads[i], NULL);
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(each_file(NULL), 1);
    assert_true(hits(env));
}

static void test_arguments(void **state) {
    Env *env = *state;
    JrCacheUse use = {.size = sizeof use};
    assert_fails(jr_module_cache(NULL, &use), JR_ERR_ARGUMENT, "NULL");
    JrModule *module = env_compile(env, source);
    assert_fails(jr_module_cache(module, NULL), JR_ERR_ARGUMENT, "size");
    jr_module_free(module);
}

/* The other engines compile faster than a file is read: they keep nothing. */
static void test_other_engines(void **state) {
    Env *env = *state;
    static const char *const engines[] = {"interp", "tcc"};
    for (int i = 0; i < 2; i++) {
        if (!jr_engine_available(env->context, engines[i])) continue;
        Env own = {.engine = engines[i], .context = env->context};
        JrCacheUse use = run_scaled(&own, source, (JrCompileOptions){0}, 10);
        assert_true(!use.hits && !use.misses);
        assert_int_equal(each_file(NULL), 0);
    }
}

#define TEST(f) \
    { #f, f, make_folder, drop_folder, (void *)(uintptr_t) "llvm" }

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_found_again),
        TEST(test_off_unless_asked_for),
        TEST(test_what_differs_is_not_taken),
        TEST(test_types),
        TEST(test_pointers),
        TEST(test_host_functions_are_not_kept),
        TEST(test_spoiled_files),
        TEST(test_folders_that_will_not_do),
        TEST(test_a_limit_to_files),
        TEST(test_where_it_is),
        TEST(test_limit),
        TEST(test_threads_and_processes),
        TEST(test_arguments),
        TEST(test_other_engines),
    };
    JrContext *context = jr_context_new(NULL);
    bool there = engine_is_wanted("llvm") && jr_engine_available(context, "llvm");
    jr_context_free(context);
    return there ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}

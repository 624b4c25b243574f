/* How late a run stops: bench/stop/run.sh. Each function of kernels.src is called on each engine, and another
 * thread cancels it after so long, evenly spread over the time that it takes, or over its first half
 * second. The processor time of the calling thread between jr_cancel and the return of jr_call is
 * printed, in milliseconds, since other work on the machine does not lengthen that:
 * the median and the most; and the most that freeing the arrays takes then, which is put off here: it is
 * the system that takes their memory back, page by page. */
#define _GNU_SOURCE
#include <jitrun.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_ROUNDS = 99, ENGINES = 3 };

static const char *const engines[ENGINES] = {"llvm", "tcc", "interp"};

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

static void sleep_until(double when) {
    struct timespec t = {.tv_sec = (time_t)when};
    t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
        ;
}

/* ---- Freeing is put off ---- */

enum { LARGE = 1 << 20, MOST_KEPT = 256 };

void __libc_free(void *block);

static void *kept[MOST_KEPT];
static int nkept;
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

/* In place of the C library's, for libjitrun too. */
__attribute__((visibility("default"))) void free(void *block) {
    if (!block || malloc_usable_size(block) < LARGE) {
        __libc_free(block);
        return;
    }
    pthread_mutex_lock(&keeping);
    if (nkept < MOST_KEPT)
        kept[nkept++] = block;
    else
        __libc_free(block);
    pthread_mutex_unlock(&keeping);
}

static double free_now(void) {
    double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    while (nkept)
        __libc_free(kept[--nkept]);
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
}

/* ---- Stopping ---- */

typedef struct Stopper {
    JrContext *context;
    double at;       /* when it is to cancel */
    clockid_t clock; /* of the thread that is cancelled */
    double used;     /* by that, when it was */
} Stopper;

static void *stop(void *user) {
    Stopper *s = user;
    sleep_until(s->at);
    s->used = seconds_of(s->clock);
    jr_cancel(s->context, JR_TIMEOUT_ERROR);
    return NULL;
}

/* The time from jr_cancel to the return; negative if the call ended by itself. *whole is how long it
 * ran. */
static double stop_after(JrContext *context, JrFunction *f, JrValue arg, double seconds,
                         double *whole) {
    double begin = now();
    Stopper s = {.context = context, .at = begin + seconds};
    pthread_t thread;
    pthread_getcpuclockid(pthread_self(), &s.clock);
    JrValue result;
    if (pthread_create(&thread, NULL, stop, &s)) exit(1);
    JrStatus status = jr_call(f, 1, &arg, &result);
    double used = seconds_of(s.clock), end = now();
    pthread_join(thread, NULL);
    if (status != JR_OK && status != JR_TIMEOUT_ERROR) printf(" %s", jr_error()->message);
    jr_value_clear(&result);
    *whole = end - begin;
    return status == JR_TIMEOUT_ERROR ? used - s.used : -1;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(JrContext *context, JrModule *module, const char *name, int rounds,
                    int millions) {
    JrFunction *f;
    JrValue arg = jr_int(strcmp(name, "fib") ? millions : 60);
    double whole, took[MOST_ROUNDS], freeing = 0;
    int n = 0;
    if (jr_function(module, name, NULL, &f)) {
        printf("%9s %8s %8s", "-", "-", "-");
        return;
    }
    stop_after(context, f, jr_int(1), 0.5, &whole);
    stop_after(context, f, arg, 0.5, &whole);
    free_now();
    if (whole > 0.5) whole = 0.5;
    for (int i = 0; i < rounds; i++) {
        double ran;
        took[n] = stop_after(context, f, arg, whole * (i + 0.5) / rounds, &ran);
        if (took[n] >= 0) n++;
        double freed = free_now();
        if (freed > freeing) freeing = freed;
    }
    qsort(took, (size_t)n, sizeof *took, by_size);
    if (n)
        printf("%9.2f %8.2f %8.2f", 1e3 * took[n / 2], 1e3 * took[n - 1], 1e3 * freeing);
    else
        printf("%9s %8s %8.2f", "never", "", 1e3 * freeing);
    fflush(stdout);
}

static bool is_wanted(const char *name, int argc, char **argv) {
    for (int i = 5; i < argc; i++)
        if (!strcmp(argv[i], name)) return true;
    return argc < 6;
}

/* stop KERNELS ROUNDS MILLIONS ENGINES [NAME...] */
int main(int argc, char **argv) {
    if (argc < 5) return 2;
    JrContext *context = jr_context_new(NULL);
    JrModule *modules[ENGINES] = {NULL};
    int rounds = atoi(argv[2]), millions = atoi(argv[3]);
    if (rounds > MOST_ROUNDS) rounds = MOST_ROUNDS;
    printf("%-14s", "");
    for (int e = 0; e < ENGINES; e++) {
        if (!strstr(argv[4], engines[e])) continue;
        JrCompileOptions options = {.size = sizeof options,
                                    .engine = engines[e],
                                    .unchecked = strstr(argv[4], "unchecked") != NULL,
                                    .fastmath = strstr(argv[4], "fastmath") != NULL};
        if (jr_compile_file(context, argv[1], &options, &modules[e]) != JR_OK)
            return fputs(jr_module_report(modules[e], JR_REPORT_TEXT), stderr), 1;
        printf("%9s %8s %8s", engines[e], "most", "freeing");
    }
    printf("\n");
    JrModule *any = modules[0] ? modules[0] : modules[1] ? modules[1] : modules[2];
    for (size_t i = 0; i < jr_module_function_count(any); i++) {
        const char *name = jr_module_function_name(any, i);
        if (!is_wanted(name, argc, argv) || !strcmp(name, "fib_of")) continue;
        printf("%-14s", name);
        for (int e = 0; e < ENGINES; e++)
            if (modules[e]) measure(context, modules[e], name, rounds, millions);
        printf("\n");
    }
    for (int e = 0; e < ENGINES; e++)
        jr_module_free(modules[e]);
    jr_context_free(context);
    return 0;
}

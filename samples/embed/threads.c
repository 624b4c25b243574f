/* Many threads call one kernel; each has its own errors. */
#include <jitrun.h>

#include <pthread.h>
#include <stdio.h>

static const char source[] = "def collatz(n: int) -> int:\n"
                             "    if n < 1:\n"
                             "        raise ValueError('n must be positive')\n"
                             "    steps = 0\n"
                             "    while n != 1:\n"
                             "        n = 3 * n + 1 if n % 2 else n // 2\n"
                             "        steps += 1\n"
                             "    return steps\n";

enum { THREADS = 4 };
typedef struct Job {
    int64_t (*collatz)(int64_t n);
    int64_t from, to, longest;
    char error[64];
} Job;

static void *work(void *user) {
    Job *job = user;
    for (int64_t n = job->from; n < job->to; n++) {
        int64_t steps = job->collatz(n);
        const JrError *e = jr_error();
        if (e->status) snprintf(job->error, sizeof job->error, "%s: %s", e->name, e->message);
        if (steps > job->longest) job->longest = steps;
    }
    return NULL;
}

int main(void) {
    JrContext *context = jr_context_new(NULL);
    JrModule *module;
    JrFunction *f;
    union {
        void *address;
        int64_t (*call)(int64_t n);
    } collatz;
    if (jr_compile(context, source, NULL, &module) || jr_function(module, "collatz", NULL, &f))
        return 1;
    if (jr_function_pointer(f, &collatz.address)) return 1;
    pthread_t threads[THREADS];
    Job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (Job){.collatz = collatz.call, .from = i * 1000, .to = (i + 1) * 1000};
        pthread_create(&threads[i], NULL, work, &jobs[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("%d: %d steps %s\n", i, (int)jobs[i].longest, jobs[i].error);
    }
    jr_module_free(module);
    jr_context_free(context);
    return 0;
}

/* Taking times.
 *
 * A sample is the time of a batch of calls, so many that the clock's own resolution and cost are
 * under a thousandth of it. Samples are first taken in groups until a group is no longer faster
 * than the one before: caches, branch predictors and the processor's clock have settled. From
 * then on they are kept, until the 95% confidence interval of their median is narrower than 2% of
 * it, or the budget is spent.
 *
 * The interval is the one from order statistics, which assumes nothing of the distribution: the
 * median lies between the samples of ranks n/2 -+ 0.98 sqrt(n) (W. J. Conover, Practical
 * Nonparametric Statistics, 3.2). Times on a machine in use are skewed: a mean with a standard
 * deviation would say little about them. */
#include "runtime/bench/bench.h"

#include "ir/base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SAMPLE_SECONDS = 100e-6, SETTLED_WIDTH = 0.02, WARM_UP_PART = 0.2;
enum { GROUP = 5, LEAST_SAMPLES = 10, MAX_CALLS = 1 << 24 };

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const double *sorted, size_t count) {
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double quantile(const double *sorted, size_t count, double part) {
    double at = part * (double)(count - 1);
    size_t below = (size_t)at;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* What the samples say. `sorted` has room for them. */
static void summarise(JrBenchRow *row, double *sorted) {
    size_t n = row->sample_count;
    double sum = 0, reach = 0.98 * sqrt((double)n);
    memcpy(sorted, row->samples, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    for (size_t i = 0; i < n; i++)
        sum += sorted[i];
    double low = floor((double)n / 2 - reach), high = ceil((double)n / 2 + reach);
    row->min = sorted[0];
    row->mean = sum / (double)n;
    row->median = median_of(sorted, n);
    row->low = low < 1 ? sorted[0] : sorted[(size_t)low - 1];
    row->high = high > (double)n - 1 ? sorted[n - 1] : sorted[(size_t)high];
    row->spread = quantile(sorted, n, 0.75) - quantile(sorted, n, 0.25);
    row->settled = n >= LEAST_SAMPLES && row->high - row->low <= SETTLED_WIDTH * row->median;
}

/* What reading a clock costs, which each sample holds. */
static double clock_cost(double (*clock)(void)) {
    double least = 1;
    for (int i = 0; i < 100; i++) {
        double begun = clock(), cost = clock() - begun;
        if (cost < least) least = cost;
    }
    return least;
}

typedef struct Measurement {
    const BenchSubject *subject;
    JrBenchRow *row;
    double *samples, *sorted;
    double cost, cpu_cost; /* of the clocks */
    double deadline, begun, cpu;
} Measurement;

static const char *take(Measurement *m, double *per_call) {
    double seconds = 0, cpu = 0;
    int64_t calls = (int64_t)m->row->calls;
    const char *why = m->subject->run(m->subject->user, calls, &seconds, &cpu);
    m->cpu += cpu - m->cpu_cost - m->cost;
    seconds -= m->cost;
    *per_call = (seconds > 0 ? seconds : 0) / (double)calls;
    return why;
}

static void tell(const Measurement *m) {
    double part = (jr_clock() - m->begun) / (m->deadline - m->begun);
    if (m->subject->progress)
        m->subject->progress(m->subject->progress_user, part < 1 ? part : 1);
}

/* Doubles the batch until it is long enough to be timed. */
static const char *choose_batch(Measurement *m) {
    double per_call;
    const char *why = NULL;
    while (!why && !m->subject->one_by_one && m->row->calls < MAX_CALLS) {
        why = take(m, &per_call);
        double calls = (double)m->row->calls;
        if (per_call * calls >= SAMPLE_SECONDS || jr_clock() > m->deadline) break;
        double wanted = per_call > 0 ? 1.2 * SAMPLE_SECONDS / per_call : 8 * calls;
        m->row->calls = (size_t)fmin(fmax(wanted, 2 * calls), 8 * calls);
    }
    return why;
}

/* Groups of samples until one is not faster than the one before. */
static const char *warm_up(Measurement *m) {
    double before = INFINITY, group[GROUP];
    double until = m->begun + WARM_UP_PART * (m->deadline - m->begun);
    const char *why = NULL;
    while (!why && jr_clock() < until) {
        for (int i = 0; !why && i < GROUP; i++)
            why = take(m, &group[i]);
        qsort(group, GROUP, sizeof *group, by_size);
        if (median_of(group, GROUP) > 0.98 * before) break;
        before = median_of(group, GROUP);
        tell(m);
    }
    return why;
}

static const char *take_samples(Measurement *m) {
    JrBenchRow *row = m->row;
    const char *why = NULL;
    m->cpu = 0;
    while (row->sample_count < BENCH_MAX_SAMPLES) {
        why = take(m, &m->samples[row->sample_count]);
        if (why) break;
        row->sample_count++;
        /* The summary costs more than a short sample. */
        bool due = row->sample_count % LEAST_SAMPLES == 0 || jr_clock() > m->deadline;
        if (!due) continue;
        summarise(row, m->sorted);
        tell(m);
        if (row->settled || jr_clock() > m->deadline) break;
    }
    return why;
}

const char *jr_bench_measure(const BenchSubject *subject, JrArena *arena, JrBenchRow *row) {
    Measurement m = {.subject = subject, .row = row, .begun = jr_clock()};
    m.cost = clock_cost(jr_clock);
    m.cpu_cost = clock_cost(jr_clock_cpu);
    m.deadline = m.begun + subject->budget;
    m.samples = JR_NEW_ARRAY(arena, double, BENCH_MAX_SAMPLES);
    m.sorted = JR_NEW_ARRAY(arena, double, BENCH_MAX_SAMPLES);
    if (!m.samples || !m.sorted) return JR_NO_MEMORY;
    row->samples = m.samples;
    row->calls = 1;
    const char *why = NULL;
    /* One call is beyond the budget: one more is all that can be asked. */
    if (row->first_call < subject->budget) {
        why = choose_batch(&m);
        if (!why) why = warm_up(&m);
    }
    if (!why) why = take_samples(&m);
    if (why) {
        row->sample_count = 0;
        return why;
    }
    summarise(row, m.sorted);
    /* A sample that the CPU clock's own cost would drown says nothing of it. */
    if (row->median * (double)row->calls > 20 * m.cpu_cost && m.cpu > 0)
        row->cpu = m.cpu / (double)(row->sample_count * row->calls);
    return NULL;
}

/* Whether a row became faster is decided by the Mann-Whitney U test on the two sets of samples
 * (H. B. Mann, D. R. Whitney, On a test of whether one of two random variables is stochastically
 * larger than the other, 1947), in its normal approximation with correction for ties: it asks
 * nothing of how times are distributed. Samples of one run are more alike than those of two, since
 * the machine's state is part of the run; so a change of less than 2% is not called one. */
#include "cli/compare.h"

#include "cli/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SIGNIFICANT = 0.01, LEAST_CHANGE = 0.02;

typedef struct Sample {
    double seconds;
    bool is_new;
} Sample;

static int by_time(const void *a, const void *b) {
    double x = ((const Sample *)a)->seconds, y = ((const Sample *)b)->seconds;
    return (x > y) - (x < y);
}

/* The chance of ranks as far apart as these if nothing had changed; all is sorted. */
static double p_value(const Sample *all, size_t old_count, size_t new_count) {
    double n = (double)old_count, m = (double)new_count, total = n + m, ranks = 0, ties = 0;
    for (size_t i = 0, end; i < old_count + new_count; i = end) {
        for (end = i; end < old_count + new_count && all[end].seconds == all[i].seconds; end++)
            ;
        double rank = (double)(i + end + 1) / 2, alike = (double)(end - i);
        ties += alike * alike * alike - alike;
        for (size_t k = i; k < end; k++)
            if (all[k].is_new) ranks += rank;
    }
    double u = ranks - m * (m + 1) / 2, mean = n * m / 2;
    double variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)));
    if (!(variance > 0)) return 1;
    double z = (fabs(u - mean) - 0.5) / sqrt(variance);
    return z > 0 ? erfc(z / sqrt(2)) : 1;
}

/* 1 when there is no memory, or there are too few samples for the approximation. */
static double compare_samples(const JrBenchRow *now, const Json *samples) {
    enum { ENOUGH = 8 };
    size_t old_count = json_count(samples), count = old_count + now->sample_count;
    if (old_count < ENOUGH || now->sample_count < ENOUGH) return 1;
    Sample *all = calloc(count, sizeof *all);
    if (!all) return 1;
    size_t at = 0;
    for (const Json *s = samples->first; s; s = s->next)
        all[at++] = (Sample){s->number, false};
    for (size_t i = 0; i < now->sample_count; i++)
        all[at++] = (Sample){now->samples[i], true};
    qsort(all, count, sizeof *all, by_time);
    double p = p_value(all, old_count, now->sample_count);
    free(all);
    return p;
}

static const char *verdict(double change, double p) {
    if (p > SIGNIFICANT || fabs(change) < LEAST_CHANGE) return "no change shown";
    return change < 0 ? "faster" : "slower";
}

static const Json *find_row(const Json *rows, const char *name) {
    for (const Json *row = rows ? rows->first : NULL; row; row = row->next) {
        const Json *is = json_get(row, "name");
        if (is && is->kind == JSON_STRING && strcmp(is->text, name) == 0) return row;
    }
    return NULL;
}

/* "9.23 us": three digits and a unit, as the table above has them. */
static const char *time_text(char *out, size_t size, double seconds) {
    static const char *const units[] = {"s", "ms", "us", "ns"};
    int unit = 0;
    for (; unit < 3 && seconds < 0.9995; unit++)
        seconds *= 1000;
    snprintf(out, size, "%.*f %s",
             seconds < 9.995   ? 2
             : seconds < 99.95 ? 1
                               : 0,
             seconds, units[unit]);
    return out;
}

static void compare_row(const JrBenchRow *now, const Json *before, FILE *to) {
    double median = json_number(before, "median", 0);
    if (!now->sample_count || !(median > 0)) return;
    double change = now->median / median - 1;
    double p = compare_samples(now, json_get(before, "samples"));
    char was[32], is[32];
    fprintf(to, "%-16s %9s  -> %9s  %+7.1f%%  p=%-8.2g  %s\n", now->name,
            time_text(was, sizeof was, median), time_text(is, sizeof is, now->median),
            100 * change, p, verdict(change, p));
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t cap = 1 << 16, len = 0;
    char *text = file ? malloc(cap) : NULL;
    while (text) {
        len += fread(text + len, 1, cap - len - 1, file);
        if (len < cap - 1) break;
        char *more = realloc(text, cap *= 2);
        if (!more) free(text);
        text = more;
    }
    if (text) text[len] = 0;
    if (file) fclose(file);
    return text;
}

bool compare_with(const JrBench *bench, const char *path, FILE *to) {
    errno = 0;
    char *text = read_text(path);
    if (!text) {
        fprintf(stderr, "jitrun: error: cannot read %s: %s\n", path,
                strerror(errno ? errno : ENOMEM));
        return false;
    }
    Json *json = json_parse(text);
    free(text);
    const Json *rows = json_get(json, "rows");
    if (json_number(json, "format", 0) != 1 || !rows) {
        fprintf(stderr,
                "jitrun: error: %s is not what `jitrun --bench --format json` writes for one "
                "size\n",
                path);
        json_free(json);
        return false;
    }
    fprintf(to, "\nagainst %s\n", path);
    for (size_t i = 0; i < jr_bench_row_count(bench); i++) {
        JrBenchRow now = {.size = sizeof now};
        if (jr_bench_row(bench, i, &now) != JR_OK) continue;
        const Json *before = find_row(rows, now.name);
        if (before) compare_row(&now, before, to);
    }
    json_free(json);
    return true;
}

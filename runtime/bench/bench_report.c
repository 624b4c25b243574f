/* A benchmark as a table for people, and as JSON and CSV for programs. docs/timer.md describes all
 * three. */
#include "runtime/bench/bench.h"

#include "runtime/threads/pool.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Numbers as text ---- */

/* Three digits: 1.23, 12.3, 123. */
static void three_digits(char *out, size_t size, double number, const char *unit) {
    int decimals = number == 0 || number >= 99.95 ? 0 : number < 9.995 ? 2 : 1;
    snprintf(out, size, "%.*f %s", decimals, number, unit);
}

char *jr_bench_seconds(char out[BENCH_TEXT], double seconds) {
    if (seconds < 999.5e-9)
        three_digits(out, BENCH_TEXT, seconds * 1e9, "ns");
    else if (seconds < 999.5e-6)
        three_digits(out, BENCH_TEXT, seconds * 1e6, "us");
    else if (seconds < 999.5e-3)
        three_digits(out, BENCH_TEXT, seconds * 1e3, "ms");
    else
        three_digits(out, BENCH_TEXT, seconds, "s");
    return out;
}

char *jr_bench_amount(char out[BENCH_TEXT], double amount, const char *unit) {
    static const char prefixes[] = {0, 'k', 'M', 'G', 'T', 'P'};
    char with[8];
    int i = 0;
    for (; amount >= 999.5 && i < 5; i++)
        amount /= 1000;
    snprintf(with, sizeof with, "%.1s%.5s", prefixes[i] ? &prefixes[i] : "", unit);
    three_digits(out, BENCH_TEXT, amount, with);
    return out;
}

char *jr_bench_ratio(char out[BENCH_TEXT], double ratio) {
    if (ratio < 0.0995)
        snprintf(out, BENCH_TEXT, "%.*fx", ratio < 0.00995 ? ratio < 0.000995 ? 5 : 4 : 3,
                 ratio);
    else
        snprintf(out, BENCH_TEXT, "%.*fx", ratio < 9.95 ? 2 : ratio < 99.5 ? 1 : 0, ratio);
    return out;
}

/* ---- The table ---- */

/* In the order in which they run. */
static const struct {
    const char *name;
    size_t offset;
} stages[] = {
#define X(name) \
    { #name, offsetof(JrTimes, name) }
    X(read), X(parse),    X(infer),    X(lower), X(passes),
    X(load), X(optimise), X(generate), X(link),
#undef X
};
enum { STAGES = sizeof stages / sizeof *stages };

static double stage(const JrBenchRow *row, int index) {
    return *(const double *)((const char *)&row->stages + stages[index].offset);
}

/* Loading an engine happens once in a process; it is shown, but not a part of what it costs to
 * compile a kernel. */
static double compile_time(const JrBenchRow *row) {
    double sum = 0;
    for (int i = 0; i < STAGES; i++)
        if (strcmp(stages[i].name, "load") != 0) sum += stage(row, i);
    return sum;
}

static double relative_spread(const JrBenchRow *row) {
    return row->median > 0 ? row->spread / row->median : 0;
}

static void break_even_text(char out[BENCH_TEXT], const JrBenchRow *row, bool base) {
    if (base)
        snprintf(out, BENCH_TEXT, "-");
    else if (isinf(row->break_even))
        snprintf(out, BENCH_TEXT, "never");
    else if (row->break_even < 1e5)
        snprintf(out, BENCH_TEXT, "%.0f call%s", row->break_even,
                 row->break_even == 1 ? "" : "s");
    else if (row->break_even < 1e8)
        snprintf(out, BENCH_TEXT, "%.0fk calls", row->break_even / 1e3);
    else
        snprintf(out, BENCH_TEXT, "%.3gM calls", row->break_even / 1e6);
}

/* The rates that are known for some row. */
typedef struct Columns {
    int name;
    bool operations, bytes;
} Columns;

static Columns columns_of(const JrBench *bench) {
    Columns columns = {0};
    for (size_t i = 0; i < bench->row_count; i++) {
        int width = (int)strlen(bench->rows[i].name);
        if (width > columns.name) columns.name = width;
        columns.operations |= bench->rows[i].operations_rate > 0;
        columns.bytes |= bench->rows[i].bytes_rate > 0;
    }
    return columns;
}

static void head_text(const Columns *columns, JrText *out) {
    jr_text_printf(out, "%-*s  %9s  %9s  %7s  %9s  %9s  %8s  %9s  %11s", columns->name, "",
                   "median", "least", "spread", "CPU", "first", "compile", "speed-up",
                   "pays after");
    if (columns->operations) jr_text_printf(out, "  %10s", "operations");
    if (columns->bytes) jr_text_printf(out, "  %9s", "memory");
    jr_text_puts(out, "\n");
}

static void row_text(const JrBenchRow *row, const Columns *columns, bool base, JrText *out) {
    char t[BENCH_TEXT];
    jr_text_printf(out, "%-*s", columns->name, row->name);
    if (row->error) {
        jr_text_printf(out, "  failed: %s\n", row->error);
        return;
    }
    if (row->difference) {
        jr_text_printf(out, "  not measured, since its result differs: %s\n", row->difference);
        return;
    }
    jr_text_printf(out, "  %9s", jr_bench_seconds(t, row->median));
    jr_text_printf(out, "  %9s", jr_bench_seconds(t, row->min));
    snprintf(t, sizeof t, "%.1f%%%c", 100 * relative_spread(row), row->settled ? ' ' : '?');
    jr_text_printf(out, "  %7s", t);
    jr_text_printf(out, "  %9s", row->cpu > 0 ? jr_bench_seconds(t, row->cpu) : "-");
    jr_text_printf(out, "  %9s", jr_bench_seconds(t, row->first_call));
    jr_text_printf(out, "  %8s",
                   compile_time(row) > 0 ? jr_bench_seconds(t, compile_time(row)) : "-");
    jr_text_printf(out, "  %9s", jr_bench_ratio(t, row->speedup));
    break_even_text(t, row, base);
    jr_text_printf(out, "  %11s", t);
    if (columns->operations)
        jr_text_printf(out, "  %10s", jr_bench_amount(t, row->operations_rate, "/s"));
    if (columns->bytes)
        jr_text_printf(out, "  %9s", jr_bench_amount(t, row->bytes_rate, "B/s"));
    jr_text_puts(out, "\n");
}

static void parallel_text(const JrBenchRow *row, JrText *out) {
    if (!row->sample_count || row->threads < 2) return;
    jr_text_printf(out, "%s: %d threads", row->name, row->threads);
    if (row->imbalance > 0) {
        if (row->efficiency > 0) jr_text_printf(out, ", efficiency %.2f", row->efficiency);
        jr_text_printf(out, ", the busiest thread has %.2f times the mean", row->imbalance);
    } else {
        jr_text_puts(out, ", but no loop was large enough to be shared out");
    }
    jr_text_puts(out, "\n");
}

static void agreement_text(const JrBench *bench, JrText *out) {
    size_t measured = 0, exact = 0;
    for (size_t i = 0; i < bench->row_count; i++) {
        measured += bench->rows[i].sample_count > 0;
        exact += bench->rows[i].sample_count > 0 && bench->rows[i].exact;
    }
    if (measured < 2) return;
    if (exact == measured) {
        jr_text_puts(out, "results: the same to the bit\n");
        return;
    }
    jr_text_puts(out, "results: the same but for rounding in");
    for (size_t i = 0; i < bench->row_count; i++)
        if (bench->rows[i].sample_count && !bench->rows[i].exact)
            jr_text_printf(out, " %s", bench->rows[i].name);
    jr_text_puts(out, "\n");
}

static void unsettled_text(const JrBench *bench, JrText *out) {
    bool any = false;
    for (size_t i = 0; i < bench->row_count; i++)
        any |= bench->rows[i].sample_count && !bench->rows[i].settled;
    if (any) jr_text_puts(out, "?: the time was up before the median was known to 2%\n");
}

/* Something else had the processor, or the memory, for half of the samples. */
static void noise_text(const JrBench *bench, JrText *out) {
    const double far = 1.25;
    bool any = false;
    for (size_t i = 0; i < bench->row_count; i++)
        any |= bench->rows[i].sample_count && bench->rows[i].median > far * bench->rows[i].min;
    if (any)
        jr_text_puts(out,
                     "some medians are far above the least time: the machine seems busy\n");
}

static void stages_text(const JrBench *bench, const Columns *columns, JrText *out) {
    char t[BENCH_TEXT];
    jr_text_printf(out, "\n%-*s", columns->name, "compile");
    for (int i = 0; i < STAGES; i++)
        jr_text_printf(out, "  %8s", stages[i].name);
    jr_text_printf(out, "  %9s\n", "peak");
    for (size_t r = 0; r < bench->row_count; r++) {
        const JrBenchRow *row = &bench->rows[r];
        if (!row->sample_count || compile_time(row) == 0) continue;
        jr_text_printf(out, "%-*s", columns->name, row->name);
        for (int i = 0; i < STAGES; i++)
            jr_text_printf(out, "  %8s",
                           stage(row, i) >= 1e-6 ? jr_bench_seconds(t, stage(row, i)) : "-");
        jr_text_printf(out, "  %9s\n",
                       row->peak_bytes < 0 ? "-"
                                           : jr_bench_amount(t, (double)row->peak_bytes, "B"));
    }
}

static void report_text(const void *of, JrText *out) {
    const JrBench *bench = of;
    Columns columns = columns_of(bench);
    bool base = true;
    jr_text_printf(out, "%s\n\n", bench->title);
    head_text(&columns, out);
    for (size_t i = 0; i < bench->row_count; i++) {
        row_text(&bench->rows[i], &columns, base, out);
        base &= bench->rows[i].sample_count == 0;
    }
    jr_text_puts(out, "\n");
    agreement_text(bench, out);
    for (size_t i = 0; i < bench->row_count; i++)
        parallel_text(&bench->rows[i], out);
    unsettled_text(bench, out);
    noise_text(bench, out);
    stages_text(bench, &columns, out);
}

/* ---- JSON and CSV: the same fields ---- */

typedef struct Fields {
    JrText *out;
    bool csv, head, first;
} Fields;

static void begin_field(Fields *f, const char *name) {
    if (!f->first) jr_text_puts(f->out, f->csv ? "," : ", ");
    f->first = false;
    if (f->csv && f->head) jr_text_puts(f->out, name);
    if (!f->csv) jr_text_printf(f->out, "\"%s\": ", name);
}

static void number_field(Fields *f, const char *name, double number, bool known) {
    begin_field(f, name);
    if (f->csv && f->head) return;
    if (known && isfinite(number))
        jr_text_printf(f->out, "%.9g", number);
    else if (!f->csv)
        jr_text_puts(f->out, "null");
}

static void csv_text(JrText *out, const char *text) {
    jr_text_puts(out, "\"");
    for (; *text; text++)
        jr_text_printf(out, *text == '"' ? "\"%c" : "%c", *text);
    jr_text_puts(out, "\"");
}

static void text_field(Fields *f, const char *name, const char *text) {
    begin_field(f, name);
    if (f->csv && f->head) return;
    if (f->csv)
        csv_text(f->out, text ? text : "");
    else if (text)
        jr_text_json(f->out, text);
    else
        jr_text_puts(f->out, "null");
}

static void bool_field(Fields *f, const char *name, bool value) {
    begin_field(f, name);
    if (!f->csv || !f->head) jr_text_puts(f->out, value ? "true" : "false");
}

static void row_fields(Fields *f, const JrBenchRow *row) {
    bool measured = row->sample_count > 0;
    text_field(f, "name", row->name);
    text_field(f, "error", row->error);
    text_field(f, "difference", row->difference);
    bool_field(f, "exact", row->exact);
    bool_field(f, "settled", row->settled);
    number_field(f, "threads", row->threads, true);
    for (int i = 0; i < STAGES; i++)
        number_field(f, stages[i].name, stage(row, i), true);
    number_field(f, "first_call", row->first_call, measured);
    number_field(f, "calls", (double)row->calls, measured);
    number_field(f, "sample_count", (double)row->sample_count, true);
    number_field(f, "min", row->min, measured);
    number_field(f, "median", row->median, measured);
    number_field(f, "mean", row->mean, measured);
    number_field(f, "low", row->low, measured);
    number_field(f, "high", row->high, measured);
    number_field(f, "spread", row->spread, measured);
    number_field(f, "cpu", row->cpu, measured && row->cpu > 0);
    number_field(f, "peak_bytes", (double)row->peak_bytes, row->peak_bytes >= 0);
    number_field(f, "speedup", row->speedup, measured);
    number_field(f, "break_even", row->break_even, measured);
    number_field(f, "efficiency", row->efficiency, row->efficiency > 0);
    number_field(f, "imbalance", row->imbalance, row->imbalance > 0);
    number_field(f, "operations_rate", row->operations_rate, row->operations_rate > 0);
    number_field(f, "bytes_rate", row->bytes_rate, row->bytes_rate > 0);
}

static void report_json(const void *of, JrText *out) {
    const JrBench *bench = of;
    jr_text_puts(out, "{\"format\": 1, \"jitrun\": ");
    jr_text_json(out, jr_version());
    jr_text_puts(out, ", \"title\": ");
    jr_text_json(out, bench->title);
    jr_text_printf(out, ", \"processors\": %d, \"rows\": [", jr_pool_processors());
    for (size_t i = 0; i < bench->row_count; i++) {
        const JrBenchRow *row = &bench->rows[i];
        Fields fields = {.out = out, .first = true};
        jr_text_puts(out, i ? ",\n  {" : "\n  {");
        row_fields(&fields, row);
        jr_text_puts(out, ", \"samples\": [");
        for (size_t k = 0; k < row->sample_count; k++)
            jr_text_printf(out, k ? ", %.6g" : "%.6g", row->samples[k]);
        jr_text_puts(out, "]}");
    }
    jr_text_puts(out, "]}\n");
}

static void report_csv(const void *of, JrText *out) {
    const JrBench *bench = of;
    static const JrBenchRow none;
    Fields fields = {.out = out, .csv = true, .head = true, .first = true};
    text_field(&fields, "title", NULL);
    row_fields(&fields, &none);
    jr_text_puts(out, "\n");
    for (size_t i = 0; i < bench->row_count; i++) {
        fields = (Fields){.out = out, .csv = true, .first = true};
        text_field(&fields, "title", bench->title);
        row_fields(&fields, &bench->rows[i]);
        jr_text_puts(out, "\n");
    }
}

JrStatus jr_bench_report(const JrBench *bench, JrReport kind, JrWrite write, void *user) {
    static const JrMakeText make[] = {[JR_REPORT_TEXT] = report_text,
                                      [JR_REPORT_JSON] = report_json,
                                      [JR_REPORT_CSV] = report_csv};
    jr_error_clear();
    if (!bench || !write || kind > JR_REPORT_CSV)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_bench_report: a NULL, or an unknown form");
    return jr_write_text("the report", make[kind], bench, NULL, write, user);
}

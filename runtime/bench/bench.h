/* The timer's parts: bench.c plans the rows, bench_row.c makes each, bench_measure.c takes the
 * times, bench_values.c keeps and compares arguments and results, bench_report.c and bench_plot.c
 * show them. */
#ifndef JR_RUNTIME_BENCH_H
#define JR_RUNTIME_BENCH_H

#include "runtime/compile.h"
#include "runtime/threads/parallel.h"

enum {
    BENCH_MAX_ROWS = 32,
    BENCH_MAX_SAMPLES = 1000,
    BENCH_ENGINES = 3,
};

struct JrBench {
    JrArena *arena; /* of all below: with no jump target, so NULL says that memory ran out */
    const char *title;
    double operations, bytes;
    size_t row_count;
    JrBenchRow rows[BENCH_MAX_ROWS];
};

/* ---- bench_values.c ---- */

/* Memory that arguments' arrays share: overlapping arrays stay so in the copies. */
typedef struct BenchBlock {
    char *from, *end; /* the caller's */
    char *copy;
    bool written;
} BenchBlock;

/* Arguments that can be put back as they were. */
typedef struct BenchArgs {
    JrArena *arena;
    size_t count;
    JrValue *values; /* whose arrays lie in the blocks' copies */
    BenchBlock *blocks;
    size_t block_count;
    bool any_written;
    double bytes; /* of array elements read once, and written once */
} BenchArgs;

/* False when memory ran out. The function says which arrays it writes to; NULL for none. */
bool jr_bench_args_init(BenchArgs *args, JrArena *arena, size_t count, const JrValue *values,
                        const JrFunction *function);
/* Before a call: the written ones as the caller gave them. */
void jr_bench_args_restore(const BenchArgs *args);

/* NULL, or how b differs from a, in words for "it differs: ..." (in the arena). `exact` asks for the
 * same bits, NaNs apart; and *bits says whether they were. */
const char *jr_bench_compare(JrArena *arena, const char *what, const JrValue *a,
                             const JrValue *b, bool exact, bool *bits);

/* ---- bench_row.c ---- */

/* What a run printed, up to a limit. */
typedef struct BenchOutput {
    char *bytes;
    size_t len;
    bool listening, lost;
} BenchOutput;

/* What a row's first call left. */
typedef struct BenchOutcome {
    JrValue value; /* the result, and the arguments behind it */
    char *printed;
    size_t printed_len;
    bool chunked; /* parallel: added up in another order */
} BenchOutcome;

/* A benchmark as it is being made. */
typedef struct BenchRun {
    JrModule *module; /* the caller's */
    JrBenchOptions options;
    JrBench *bench;
    BenchOutcome first; /* of the first row that was measured; value.type is JR_NONE before */
    size_t planned, done;
    int32_t seen;               /* the cancel flag when it began */
    double load[BENCH_ENGINES]; /* as long as each took when first asked for */
    /* The row that is being measured. */
    JrModule *compiled;
    JrFunction *function; /* NULL: the body */
    BenchArgs args;
    BenchOutput output;
    JrBusy *busy;
    const JrBenchRival *rival;
    JrValue *outcome; /* where the next call leaves its result; NULL: drop it */
} BenchRun;

extern const char *const jr_bench_engines[BENCH_ENGINES];

/* Compiles the caller's source for an engine, into run->compiled. NULL or what went wrong. */
const char *jr_bench_compile(BenchRun *run, const char *engine, bool parallel);
/* Makes the next row. False when the benchmark is to end with jr_error(). */
bool jr_bench_engine_row(BenchRun *run, const char *name);
void jr_bench_rival_row(BenchRun *run, const JrBenchRival *rival);
void jr_bench_outcome_clear(BenchOutcome *outcome);

/* ---- bench_measure.c ---- */

/* Calls it so many times, with fresh arguments. NULL or what went wrong. */
typedef const char *BenchCalls(void *user, int64_t calls, double *seconds, double *cpu);

/* What is measured. */
typedef struct BenchSubject {
    BenchCalls *run;
    void *user;
    bool one_by_one; /* a sample is one call */
    double budget;   /* seconds */
    void (*progress)(void *user, double part);
    void *progress_user;
} BenchSubject;

/* Fills in the row's samples and what follows from them, given its first_call. NULL or what went
 * wrong. */
const char *jr_bench_measure(const BenchSubject *subject, JrArena *arena, JrBenchRow *row);

/* ---- bench_report.c ---- */

/* "1.25 ms": three digits and a unit. */
enum { BENCH_TEXT = 32 };
char *jr_bench_seconds(char out[BENCH_TEXT], double seconds);
/* "7.45x", "0.06x", "0.0012x": never 0. */
char *jr_bench_ratio(char out[BENCH_TEXT], double ratio);
/* "13.2 GB/s" for the unit "B/s". */
char *jr_bench_amount(char out[BENCH_TEXT], double amount, const char *unit);

#endif

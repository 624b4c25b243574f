/* One row of a benchmark:
 *
 *     compile on the row's engine -> first call -> compare with the first row -> measure
 */
#include "runtime/bench/bench.h"

#include "ir/base/clock.h"
#include "runtime/value.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPILATIONS = 3, OUTPUT_KEPT = 1 << 20 };
static const double COMPILE_SECONDS = 0.1; /* enough compilations */

const char *const jr_bench_engines[BENCH_ENGINES] = {"interp", "tcc", "llvm"};

/* ---- Calls ---- */

static bool hear(void *user, const char *bytes, size_t len) {
    BenchOutput *output = user;
    if (!output->listening || output->lost) return true;
    size_t kept = output->len + len > OUTPUT_KEPT ? OUTPUT_KEPT - output->len : len;
    if (!output->bytes) output->bytes = malloc(OUTPUT_KEPT);
    output->lost = !output->bytes;
    if (output->lost) return true;
    memcpy(output->bytes + output->len, bytes, kept);
    output->len += kept;
    return true;
}

static JrStatus call_once(BenchRun *run, JrValue *result) {
    if (!run->function) return jr_run(run->compiled);
    return jr_call(run->function, run->args.count, run->args.values, result);
}

/* Of BenchSubject. */
static const char *call_engine(void *user, int64_t calls, double *seconds, double *cpu) {
    BenchRun *run = user;
    JrStatus status = JR_OK;
    JrValue result = {.type = JR_NONE};
    if (jr_run_cancelled_since(run->module, run->seen)) return jr_error()->message;
    jr_bench_args_restore(&run->args);
    double cpu_begun = jr_clock_cpu(), begun = jr_clock();
    for (int64_t i = 0; i < calls && status == JR_OK; i++) {
        status = call_once(run, &result);
        if (run->outcome)
            *run->outcome = result;
        else
            jr_value_clear(&result);
    }
    *seconds = jr_clock() - begun;
    *cpu = jr_clock_cpu() - cpu_begun;
    return status == JR_OK ? NULL : jr_error()->message;
}

static const char *call_rival(void *user, int64_t calls, double *seconds, double *cpu) {
    BenchRun *run = user;
    const JrBenchRival *rival = run->rival;
    *seconds = *cpu = 0; /* it may run in another process */
    if (jr_run_cancelled_since(run->module, run->seen)) return jr_error()->message;
    return rival->run(rival->user, calls, seconds, run->outcome);
}

/* ---- Outcomes ---- */

void jr_bench_outcome_clear(BenchOutcome *outcome) {
    jr_value_clear(&outcome->value);
    free(outcome->printed);
    *outcome = (BenchOutcome){.value = {.type = JR_NONE}};
}

/* A copy that stays when the arguments are used again. False when memory ran out. */
static bool keep_value(BenchRun *run, const JrValue *value, JrValue *out) {
    BenchArgs copy;
    if (!jr_bench_args_init(&copy, run->bench->arena, 1, value, NULL)) return false;
    *out = copy.values[0];
    return true;
}

/* The tuple of the result and of what became of the arguments. */
static bool keep_outcome(BenchRun *run, const JrValue *result, BenchOutcome *out) {
    size_t count = run->args.count + 1;
    JrValue *items = JR_NEW_ARRAY(run->bench->arena, JrValue, count);
    if (!items || !keep_value(run, result, &items[0])) return false;
    for (size_t i = 1; i < count; i++)
        if (!keep_value(run, &run->args.values[i - 1], &items[i])) return false;
    out->value = (JrValue){.type = JR_TUPLE, .as.tuple = {count, items}};
    out->printed = run->output.bytes;
    out->printed_len = run->output.len;
    run->output.bytes = NULL;
    return !run->output.lost;
}

/* Compares item by item, for a message that says which. */
static const char *difference_of(BenchRun *run, const BenchOutcome *outcome, bool exact,
                                 bool *bits) {
    JrArena *arena = run->bench->arena;
    const JrValue *a = &run->first.value, *b = &outcome->value;
    *bits = true;
    if (b->type != JR_TUPLE || a->as.tuple.count != b->as.tuple.count)
        return "the rival did not say what it left of each argument";
    for (size_t i = 0; i < a->as.tuple.count; i++) {
        const char *what = i ? jr_arena_printf(arena, "argument %zu", i) : "the result";
        bool same;
        const char *difference =
            jr_bench_compare(arena, what ? what : "an argument", &a->as.tuple.items[i],
                             &b->as.tuple.items[i], exact, &same);
        *bits &= same;
        if (difference) return difference;
    }
    bool printed_alike = run->first.printed_len == outcome->printed_len &&
                         (!outcome->printed_len || memcmp(run->first.printed, outcome->printed,
                                                          outcome->printed_len) == 0);
    if (run->rival || printed_alike) return NULL;
    *bits = false;
    return exact ? "it prints something else" : NULL;
}

static void check_outcome(BenchRun *run, JrBenchRow *row, BenchOutcome *outcome) {
    row->exact = true;
    if (run->first.value.type == JR_NONE) {
        run->first = *outcome;
        *outcome = (BenchOutcome){.value = {.type = JR_NONE}};
        return;
    }
    bool exact = !run->rival && outcome->chunked == run->first.chunked;
    row->difference = difference_of(run, outcome, exact, &row->exact);
}

/* ---- Compiling ---- */

/* Not once it is cancelled: a signal that Python was sent would be raised in what is called here,
 * where nobody catches it. */
static void tell(void *user, double part) {
    BenchRun *run = user;
    const JrBenchRow *row = &run->bench->rows[run->bench->row_count];
    bool cancelled = __atomic_load_n(run->module->host.cancel, __ATOMIC_RELAXED) != run->seen;
    if (run->options.progress && !cancelled)
        run->options.progress(run->options.progress_user, row->name,
                              ((double)run->done + part) / (double)run->planned);
}

static void keep_least(JrTimes *least, const JrTimes *times, bool first) {
    const double *from = &times->parse;
    double *to = &least->parse;
    for (; from <= &times->optimise; from++, to++)
        if (first || (*from < *to && from != &times->load)) *to = *from;
}

const char *jr_bench_compile(BenchRun *run, const char *engine, bool parallel) {
    JrCompileOptions options = run->module->options;
    JrFunction *found = NULL;
    options.size = sizeof options;
    options.engine = engine;
    options.parallel = parallel;
    options.cache = false; /* what compiling takes is to be measured */
    JrStatus status =
        jr_compile(run->module->context, run->module->source.text, &options, &run->compiled);
    if (status == JR_OK) {
        run->compiled->source.first_line = run->module->source.first_line;
        run->compiled->host.sink = (JrSink){hear, &run->output};
        run->compiled->host.listened = true;
        if (run->options.name)
            status = jr_function_for(run->compiled, run->options.name, run->options.arg_count,
                                     run->options.args, &found);
    }
    run->function = found;
    return status == JR_OK ? NULL : jr_error()->message;
}

/* The body's code is made when it first runs; here it is wanted before. */
static const char *build_body(BenchRun *run) {
    JrModule *module = run->compiled;
    jmp_buf oom;
    if (run->function) return NULL;
    jr_error_clear();
    if (setjmp(oom) == 0) {
        jr_arena_on_oom(module->arena, &oom);
        JrCall body;
        jr_pipeline_build(module, (JrWanted){"<module>", .entry = true}, &body);
    } else {
        jr_module_break(module);
    }
    jr_arena_on_oom(module->arena, NULL);
    return jr_error()->status == JR_OK ? NULL : jr_error()->message;
}

static const char *compile(BenchRun *run, const char *engine, bool parallel, JrBenchRow *row) {
    double begun = jr_clock();
    for (int i = 0; i < COMPILATIONS && (i == 0 || jr_clock() - begun < COMPILE_SECONDS);
         i++) {
        jr_module_free(run->compiled);
        run->compiled = NULL;
        const char *why = jr_bench_compile(run, engine, parallel);
        if (!why) why = build_body(run);
        if (why) return why;
        keep_least(&row->stages, &run->compiled->times, i == 0);
    }
    row->stages.size = sizeof row->stages;
    row->stages.read = run->module->times.read;
    for (size_t i = 0; i < BENCH_ENGINES; i++)
        if (strcmp(engine, jr_bench_engines[i]) == 0 && run->load[i] > row->stages.load)
            row->stages.load = run->load[i];
    return NULL;
}

static double compile_time(const JrTimes *t) {
    return t->read + t->parse + t->infer + t->lower + t->passes + t->optimise + t->generate +
           t->link;
}

/* A rival has no stages: what its first call took beyond the others is its compiling. */
static double cost_of(const JrBenchRow *row) {
    double stages = compile_time(&row->stages);
    return stages > 0 ? stages : fmax(row->first_call - row->median, 0);
}

/* The process's high-water mark of memory, as the system counts it. */
static int64_t memory_peak(void) {
    char line[128];
    long long kib = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lld kB", &kib) == 1) break;
    if (file) fclose(file);
    return kib < 0 ? -1 : kib * 1024;
}

/* The mark starts again from what is in use: what an earlier row has freed would else be there for
 * the next one, which then seems to need nothing. Where it is refused the mark stays as it was. */
static int64_t memory_reset(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (!file) return -1;
    bool good = fputs("5", file) >= 0;
    good &= fclose(file) == 0;
    return good ? memory_peak() : -1;
}

static const char *first_call(BenchRun *run, bool chunked, JrBenchRow *row) {
    JrThread *thread = jr_thread_current();
    JrValue result = {.type = JR_NONE};
    BenchOutcome outcome = {.value = {.type = JR_NONE}, .chunked = chunked};
    if (!thread) return JR_NO_MEMORY;
    jr_random_seed_py(&thread->random, 0);
    jr_random_seed_np(&thread->random, 0);
    run->output = (BenchOutput){.listening = true};
    run->outcome = &result;
    double cpu;
    int64_t before = memory_reset();
    const char *why = call_engine(run, 1, &row->first_call, &cpu);
    int64_t peak = memory_peak();
    row->peak_bytes = before < 0 || peak < 0 ? -1 : peak - before;
    run->output.listening = false;
    run->outcome = NULL;
    if (!why) {
        if (keep_outcome(run, &result, &outcome))
            check_outcome(run, row, &outcome);
        else
            why = JR_NO_MEMORY;
    }
    jr_value_clear(&result);
    jr_bench_outcome_clear(&outcome);
    free(run->output.bytes);
    run->output.bytes = NULL;
    return why;
}

static BenchSubject subject_of(BenchRun *run, BenchCalls *calls) {
    return (BenchSubject){.run = calls,
                          .user = run,
                          .one_by_one = run->args.any_written,
                          .budget = run->options.seconds,
                          .progress = tell,
                          .progress_user = run};
}

static const char *measure_engine(BenchRun *run, bool parallel, JrBenchRow *row) {
    JrThread *thread = jr_thread_current();
    if (!thread) return JR_NO_MEMORY;
    int outer = thread->max_threads;
    JrBusy *outer_busy = thread->busy;
    row->threads = parallel ? (outer ? outer : jr_pool_threads()) : 1;
    thread->max_threads = row->threads;
    const char *why = first_call(run, parallel, row);
    BenchSubject subject = subject_of(run, call_engine);
    if (!why && !row->difference) {
        memset(run->busy, 0, sizeof *run->busy);
        thread->busy = parallel ? run->busy : NULL;
        why = jr_bench_measure(&subject, run->bench->arena, row);
        thread->busy = outer_busy;
        if (parallel && run->busy->total > 0)
            row->imbalance = run->busy->busiest * row->threads / run->busy->total;
    }
    thread->max_threads = outer;
    return why;
}

/* The arguments' copies, which the first row's function says how to make. */
static const char *prepare_args(BenchRun *run) {
    const JrFunction *f = run->function;
    if (run->args.values) return NULL;
    bool good = jr_bench_args_init(&run->args, run->bench->arena, run->options.arg_count,
                                   run->options.args, f);
    if (run->bench->bytes == 0) run->bench->bytes = run->args.bytes;
    return good ? NULL : JR_NO_MEMORY;
}

/* A row beside others: the first one, and for a parallel row the serial one of its engine. */
static void set_ratios(BenchRun *run, const char *engine, bool parallel, JrBenchRow *row) {
    const JrBenchRow *rows = run->bench->rows, *base = NULL;
    for (size_t i = 0; i < run->bench->row_count && !base; i++)
        if (rows[i].sample_count) base = &rows[i];
    if (run->bench->operations > 0)
        row->operations_rate = run->bench->operations / row->median;
    if (run->bench->bytes > 0) row->bytes_rate = run->bench->bytes / row->median;
    if (!base) row->speedup = 1;
    if (base && row->median > 0) {
        double gain = base->median - row->median;
        double cost = cost_of(row) - cost_of(base);
        row->speedup = base->median / row->median;
        row->break_even = gain <= 0 ? INFINITY : cost <= 0 ? 0 : ceil(cost / gain);
    }
    for (size_t i = 0; parallel && i < run->bench->row_count; i++)
        if (strcmp(rows[i].name, engine) == 0 && rows[i].sample_count && row->median > 0)
            row->efficiency = rows[i].median / row->median / row->threads;
}

static void finish_row(BenchRun *run, JrBenchRow *row, const char *why) {
    if (why) {
        row->error = jr_arena_strdup(run->bench->arena, why);
        if (!row->error) row->error = JR_NO_MEMORY;
    }
    run->done++;
    tell(run, 0);
    run->bench->row_count++;
}

/* Whether the benchmark goes on after a row. */
static bool goes_on(const BenchRun *run, JrStatus status, const JrBenchRow *row) {
    if (status == JR_KEYBOARD_INTERRUPT || status == JR_TIMEOUT_ERROR) return false;
    return !(row->error && status && run->first.value.type == JR_NONE);
}

bool jr_bench_engine_row(BenchRun *run, const char *name) {
    JrBenchRow *row = &run->bench->rows[run->bench->row_count];
    const char *dash = strstr(name, "-parallel");
    char *engine =
        jr_arena_strndup(run->bench->arena, name, dash ? (size_t)(dash - name) : strlen(name));
    *row = (JrBenchRow){.size = sizeof *row, .name = name, .peak_bytes = -1};
    jr_error_clear();
    tell(run, 0);
    const char *why = engine ? compile(run, engine, dash != NULL, row) : JR_NO_MEMORY;
    if (!why) why = prepare_args(run);
    if (!why) why = measure_engine(run, dash != NULL, row);
    if (!why && row->sample_count) set_ratios(run, engine, dash != NULL, row);
    JrStatus status = why ? jr_error()->status : JR_OK;
    finish_row(run, row, why);
    bool more = goes_on(run, status, row);
    if (more) {
        jr_module_free(run->compiled);
        run->compiled = NULL;
    }
    return more;
}

void jr_bench_rival_row(BenchRun *run, const JrBenchRival *rival) {
    JrBenchRow *row = &run->bench->rows[run->bench->row_count];
    JrValue left = {.type = JR_NONE};
    char *name = jr_arena_strdup(run->bench->arena, rival->name);
    *row = (JrBenchRow){
        .size = sizeof *row, .name = name ? name : "rival", .peak_bytes = -1, .threads = 1};
    run->rival = rival;
    tell(run, 0);
    run->outcome = &left;
    double cpu;
    const char *why = call_rival(run, 1, &row->first_call, &cpu);
    run->outcome = NULL;
    BenchOutcome outcome = {.value = left};
    if (!why) check_outcome(run, row, &outcome);
    BenchSubject subject = subject_of(run, call_rival);
    if (!why && !row->difference) why = jr_bench_measure(&subject, run->bench->arena, row);
    if (!why && row->sample_count) set_ratios(run, rival->name, false, row);
    jr_bench_outcome_clear(&outcome);
    finish_row(run, row, why);
    run->rival = NULL;
}

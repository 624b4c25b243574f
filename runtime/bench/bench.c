/* The timer: the rows of a benchmark, each made in turn.
 *
 *     compile on the row's engine -> first call -> compare with the first row -> measure
 *
 * Rows are compared before any time is trusted. An error of the kernel on the first row ends the
 * benchmark; whatever goes wrong on a later one is that row's alone. */
#include "runtime/bench/bench.h"

#include "ir/base/clock.h"
#include "ir/par/parallel.h"
#include "runtime/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPILATIONS = 3, DEFAULT_SECONDS = 1, OUTPUT_KEPT = 1 << 20 };
static const double COMPILE_SECONDS = 0.1; /* enough compilations */

/* What a run printed, up to OUTPUT_KEPT bytes. */
typedef struct Output {
    char *bytes;
    size_t len, total;
    bool listening, lost;
} Output;

/* What a row's first call left. */
typedef struct Outcome {
    JrValue value; /* the result, and the arguments behind it */
    char *printed;
    size_t printed_len;
    bool chunked; /* parallel: added up in another order */
} Outcome;

typedef struct Run {
    JrModule *module; /* the caller's */
    JrBenchOptions options;
    JrBench *bench;
    Outcome first; /* of the first row that was measured; value.type is JR_NONE before */
    size_t planned, done;
    double load[3]; /* of each of `engines`, as long as it took when first asked for */
    /* The row that is being measured. */
    JrModule *compiled;
    JrFunction *function; /* NULL: the body */
    BenchArgs args;
    Output output;
    JrBusy *busy;
    const JrBenchRival *rival;
    JrValue *outcome; /* where the next call leaves its result; NULL: drop it */
} Run;

static const char *const engines[] = {"interp", "tcc", "llvm"};

/* ---- Calls ---- */

static bool hear(void *user, const char *bytes, size_t len) {
    Output *output = user;
    if (!output->listening || output->lost) return true;
    size_t kept = output->len + len > OUTPUT_KEPT ? OUTPUT_KEPT - output->len : len;
    if (!output->bytes) output->bytes = malloc(OUTPUT_KEPT);
    output->lost = !output->bytes;
    if (output->lost) return true;
    memcpy(output->bytes + output->len, bytes, kept);
    output->len += kept;
    return true;
}

static JrStatus call_once(Run *run, JrValue *result) {
    if (!run->function) return jr_run(run->compiled);
    return jr_call(run->function, run->args.count, run->args.values, result);
}

/* Of BenchSubject. */
static const char *call_engine(void *user, int64_t calls, double *seconds, double *cpu) {
    Run *run = user;
    JrStatus status = JR_OK;
    JrValue result = {.type = JR_NONE};
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
    Run *run = user;
    const JrBenchRival *rival = run->rival;
    *seconds = *cpu = 0; /* it may run in another process */
    return rival->run(rival->user, calls, seconds, run->outcome);
}

/* ---- Outcomes ---- */

static void clear_outcome(Outcome *outcome) {
    jr_value_clear(&outcome->value);
    free(outcome->printed);
    *outcome = (Outcome){.value = {.type = JR_NONE}};
}

/* A copy that stays when the arguments are used again. False when memory ran out. */
static bool keep_value(Run *run, const JrValue *value, JrValue *out) {
    BenchArgs copy;
    if (!jr_bench_args_init(&copy, run->bench->arena, 1, value, NULL)) return false;
    *out = copy.values[0];
    return true;
}

/* The tuple of the result and of what became of the arguments. */
static bool keep_outcome(Run *run, const JrValue *result, Outcome *out) {
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
static const char *difference_of(Run *run, const Outcome *outcome, bool exact, bool *bits) {
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

static void check_outcome(Run *run, JrBenchRow *row, Outcome *outcome) {
    row->exact = true;
    if (run->first.value.type == JR_NONE) {
        run->first = *outcome;
        *outcome = (Outcome){.value = {.type = JR_NONE}};
        return;
    }
    bool exact = !run->rival && outcome->chunked == run->first.chunked;
    row->difference = difference_of(run, outcome, exact, &row->exact);
}

/* ---- One row ---- */

static void tell(void *user, double part) {
    Run *run = user;
    const JrBenchRow *row = &run->bench->rows[run->bench->row_count];
    if (run->options.progress)
        run->options.progress(run->options.progress_user, row->name,
                              ((double)run->done + part) / (double)run->planned);
}

static void keep_least(JrTimes *least, const JrTimes *times, bool first) {
    const double *from = &times->parse;
    double *to = &least->parse;
    for (; from <= &times->optimise; from++, to++)
        if (first || (*from < *to && from != &times->load)) *to = *from;
}

static const char *compile_once(Run *run, const char *engine, bool parallel) {
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
static const char *build_body(Run *run) {
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

static const char *compile(Run *run, const char *engine, bool parallel, JrBenchRow *row) {
    double begun = jr_clock();
    for (int i = 0; i < COMPILATIONS && (i == 0 || jr_clock() - begun < COMPILE_SECONDS);
         i++) {
        jr_module_free(run->compiled);
        run->compiled = NULL;
        const char *why = compile_once(run, engine, parallel);
        if (!why) why = build_body(run);
        if (why) return why;
        keep_least(&row->stages, &run->compiled->times, i == 0);
    }
    row->stages.size = sizeof row->stages;
    row->stages.read = run->module->times.read;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(engine, engines[i]) == 0 && run->load[i] > row->stages.load)
            row->stages.load = run->load[i];
    return NULL;
}

static double compile_time(const JrTimes *t) {
    return t->read + t->parse + t->infer + t->lower + t->passes + t->optimise + t->generate +
           t->link;
}

/* The kernel's memory high-water mark, from the kernel that counts it. */
static int64_t memory_peak(void) {
    char line[128];
    long long kib = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lld kB", &kib) == 1) break;
    if (file) fclose(file);
    return kib < 0 ? -1 : kib * 1024;
}

/* The mark starts again from what is in use. Where that is refused it stays as it was. */
static int64_t memory_reset(void) {
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (!file) return -1;
    bool good = fputs("5", file) >= 0;
    good &= fclose(file) == 0;
    return good ? memory_peak() : -1;
}

static const char *first_call(Run *run, bool chunked, JrBenchRow *row) {
    JrThread *thread = jr_thread_current();
    JrValue result = {.type = JR_NONE};
    Outcome outcome = {.value = {.type = JR_NONE}, .chunked = chunked};
    if (!thread) return JR_NO_MEMORY;
    jr_random_seed_py(&thread->random, 0);
    jr_random_seed_np(&thread->random, 0);
    run->output = (Output){.listening = true};
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
    clear_outcome(&outcome);
    free(run->output.bytes);
    run->output.bytes = NULL;
    return why;
}

static const char *measure_engine(Run *run, bool parallel, JrBenchRow *row) {
    JrThread *thread = jr_thread_current();
    if (!thread) return JR_NO_MEMORY;
    int outer = thread->max_threads;
    JrBusy *outer_busy = thread->busy;
    row->threads = parallel ? (outer ? outer : jr_pool_threads()) : 1;
    thread->max_threads = row->threads;
    const char *why = first_call(run, parallel, row);
    BenchSubject subject = {.run = call_engine,
                            .user = run,
                            .one_by_one = run->args.any_written,
                            .budget = run->options.seconds,
                            .progress = tell,
                            .progress_user = run};
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
static const char *prepare_args(Run *run) {
    const JrFunction *f = run->function;
    if (run->args.values) return NULL;
    bool good = jr_bench_args_init(&run->args, run->bench->arena, run->options.arg_count,
                                   run->options.args, f);
    if (run->bench->bytes == 0) run->bench->bytes = run->args.bytes;
    return good ? NULL : JR_NO_MEMORY;
}

/* What the arguments are worth comparing with: the first row on its own, the parallel row with the
 * serial one of its engine. */
static void set_ratios(Run *run, const char *engine, bool parallel, JrBenchRow *row) {
    const JrBenchRow *rows = run->bench->rows, *base = NULL;
    for (size_t i = 0; i < run->bench->row_count && !base; i++)
        if (rows[i].sample_count) base = &rows[i];
    if (run->bench->operations > 0)
        row->operations_rate = run->bench->operations / row->median;
    if (run->bench->bytes > 0) row->bytes_rate = run->bench->bytes / row->median;
    if (!base) row->speedup = 1;
    if (base && row->median > 0) {
        double gain = base->median - row->median;
        double cost = compile_time(&row->stages) - compile_time(&base->stages);
        row->speedup = base->median / row->median;
        row->break_even = gain <= 0 ? INFINITY : cost <= 0 ? 0 : ceil(cost / gain);
    }
    for (size_t i = 0; parallel && i < run->bench->row_count; i++)
        if (strcmp(rows[i].name, engine) == 0 && rows[i].sample_count && row->median > 0)
            row->efficiency = rows[i].median / row->median / row->threads;
}

static void finish_row(Run *run, JrBenchRow *row, const char *why) {
    if (why) {
        row->error = jr_arena_strdup(run->bench->arena, why);
        if (!row->error) row->error = JR_NO_MEMORY;
    }
    run->done++;
    tell(run, 0);
    run->bench->row_count++;
}

/* Whether the benchmark goes on after a row. */
static bool goes_on(const Run *run, JrStatus status, const JrBenchRow *row) {
    if (status == JR_KEYBOARD_INTERRUPT || status == JR_TIMEOUT_ERROR) return false;
    return !(row->error && status && run->first.value.type == JR_NONE);
}

static bool engine_row(Run *run, const char *name) {
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

static void rival_row(Run *run, const JrBenchRival *rival) {
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
    Outcome outcome = {.value = left};
    if (!why) check_outcome(run, row, &outcome);
    BenchSubject subject = {.run = call_rival,
                            .user = run,
                            .one_by_one = run->args.any_written,
                            .budget = run->options.seconds,
                            .progress = tell,
                            .progress_user = run};
    if (!why && !row->difference) why = jr_bench_measure(&subject, run->bench->arena, row);
    if (!why && row->sample_count) set_ratios(run, rival->name, false, row);
    clear_outcome(&outcome);
    finish_row(run, row, why);
    run->rival = NULL;
}

/* ---- All rows ---- */

static bool has_parallel_loop(const JrModule *module) {
    const IrLoops *loops = module->ir ? module->ir->loops : NULL;
    for (uint32_t i = 0; loops && i < loops->all.len; i++)
        if (loops->all.data[i]->parallel) return true;
    return false;
}

static bool add_name(const char **names, size_t *count, const char *name) {
    if (*count == BENCH_MAX_ROWS) return false;
    names[(*count)++] = name;
    return name != NULL;
}

/* The engines there are. Whether a loop is parallel is seen when its function was specialised. */
static size_t default_rows(Run *run, const char **names) {
    static const char *const parallel[] = {"interp-parallel", "tcc-parallel", "llvm-parallel"};
    size_t count = 0, best = 0;
    for (size_t i = 0; i < 3; i++) {
        double begun = jr_clock();
        if (jr_engine_get(engines[i])) add_name(names, &count, engines[best = i]);
        run->load[i] = jr_clock() - begun;
    }
    jr_error_clear();
    if (jr_pool_threads() < 2) return count;
    /* One that does not compile in parallel is a row that says so. */
    bool loop = compile_once(run, "interp", true) || has_parallel_loop(run->compiled);
    jr_module_free(run->compiled);
    run->compiled = NULL;
    if (loop) add_name(names, &count, parallel[best]);
    return count;
}

static bool is_row(const char *name) {
    static const char *const known[] = {"interp",          "tcc",          "llvm",
                                        "interp-parallel", "tcc-parallel", "llvm-parallel"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0) return true;
    return false;
}

static JrStatus listed_rows(Run *run, const char *rows, const char **names, size_t *count) {
    for (const char *at = rows; *at;) {
        size_t len = strcspn(at, ",");
        char *name = jr_arena_strndup(run->bench->arena, at, len);
        if (!name) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
        if (!is_row(name))
            return jr_error_set(JR_ERR_NOT_FOUND,
                                "'%s' cannot be measured: use interp, tcc or llvm, or one of "
                                "these with -parallel behind it",
                                name);
        if (!add_name(names, count, name))
            return jr_error_set(JR_ERR_ARGUMENT, "jr_bench: more than %d rows",
                                BENCH_MAX_ROWS);
        at += len + (at[len] == ',');
    }
    return JR_OK;
}

/* A function that declares its types does not look at the arguments until it is called. */
static const char *fault_in(size_t count, const JrValue *values) {
    const char *fault = NULL;
    for (size_t i = 0; !fault && i < count; i++) {
        if (values[i].type == JR_ARRAY) fault = jr_array_fault(values[i].as.array);
        if (values[i].type != JR_TUPLE) continue;
        bool missing = values[i].as.tuple.count && !values[i].as.tuple.items;
        fault = missing ? "is a tuple without items"
                        : fault_in(values[i].as.tuple.count, values[i].as.tuple.items);
    }
    return fault;
}

static JrStatus check_options(const JrModule *module, const JrBenchOptions *o) {
    if (!module->sound)
        return jr_error_set(JR_ERR_COMPILE, "%s has errors", module->source.name);
    if ((o->arg_count && !o->args) || (o->rival_count && !o->rivals))
        return jr_error_set(JR_ERR_ARGUMENT, "jr_bench: NULL argument");
    const char *fault = fault_in(o->arg_count, o->args);
    if (fault) return jr_error_set(JR_ERR_ARGUMENT, "jr_bench: an argument %s", fault);
    if (!(o->seconds >= 0 && o->seconds <= 1e6) || !(o->operations >= 0) || !(o->bytes >= 0))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_bench: seconds, operations and bytes are numbers from 0 up");
    for (size_t i = 0; i < o->rival_count; i++)
        if (!o->rivals[i].name || !o->rivals[i].run)
            return jr_error_set(JR_ERR_ARGUMENT,
                                "jr_bench: a rival needs a name and a function");
    if (!o->name && (!module->options.run_main || o->arg_count))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_bench: the body takes no arguments, and runs only in a module "
                            "compiled with run_main: name a function");
    return JR_OK;
}

static const char *title_of(const Run *run) {
    if (!run->options.name) return run->module->source.name;
    char *title = jr_arena_printf(run->bench->arena, "%s in %s", run->options.name,
                                  run->module->source.name);
    return title ? title : run->options.name;
}

static JrStatus make_rows(Run *run) {
    const char *names[BENCH_MAX_ROWS];
    size_t count = 0;
    JrBench *bench = run->bench;
    JrStatus status = JR_OK;
    if (run->options.rows)
        status = listed_rows(run, run->options.rows, names, &count);
    else
        count = default_rows(run, names);
    if (status) return status;
    if (count + run->options.rival_count > BENCH_MAX_ROWS)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_bench: more than %d rows", BENCH_MAX_ROWS);
    run->planned = count + run->options.rival_count;
    bench->title = title_of(run);
    bench->operations = run->options.operations;
    bench->bytes = run->options.bytes;
    for (size_t i = 0; i < count; i++)
        if (!engine_row(run, names[i])) return jr_error()->status;
    for (size_t i = 0; i < run->options.rival_count; i++)
        rival_row(run, &run->options.rivals[i]);
    jr_error_clear();
    return JR_OK;
}

static JrBench *bench_new(void) {
    JrArena *arena = jr_arena_new(NULL);
    JrBench *bench = arena ? JR_NEW(arena, JrBench) : NULL;
    if (bench)
        bench->arena = arena;
    else
        jr_arena_free(arena);
    return bench;
}

JrStatus jr_bench(JrModule *module, const JrBenchOptions *options, JrBench **out) {
    Run run = {.module = module, .first.value.type = JR_NONE};
    jr_error_clear();
    if (out) *out = NULL;
    if (!module || !out) return jr_error_set(JR_ERR_ARGUMENT, "jr_bench: NULL argument");
    if (!jr_take_options(&run.options, sizeof run.options, options, "JrBenchOptions"))
        return JR_ERR_ARGUMENT;
    JrStatus status = check_options(module, &run.options);
    if (status) return status;
    if (run.options.seconds == 0) run.options.seconds = DEFAULT_SECONDS;
    run.bench = bench_new();
    run.busy = calloc(1, sizeof *run.busy);
    status = run.bench && run.busy ? make_rows(&run)
                                   : jr_error_set(JR_MEMORY_ERROR, "out of memory");
    clear_outcome(&run.first);
    free(run.busy);
    if (status == JR_OK) return *out = run.bench, JR_OK;
    jr_bench_free(run.bench);
    jr_module_free(run.compiled);
    return status;
}

/* ---- The results ---- */

void jr_bench_free(JrBench *bench) {
    if (bench) jr_arena_free(bench->arena);
}

size_t jr_bench_row_count(const JrBench *bench) {
    return bench ? bench->row_count : 0;
}

JrStatus jr_bench_row(const JrBench *bench, size_t index, JrBenchRow *out) {
    jr_error_clear();
    if (!bench || !out || index >= bench->row_count)
        return jr_error_set(JR_ERR_ARGUMENT, "jr_bench_row: no such row");
    return jr_give_result(out, &bench->rows[index], sizeof *out, "JrBenchRow")
               ? JR_OK
               : JR_ERR_ARGUMENT;
}

bool jr_bench_agrees(const JrBench *bench) {
    for (size_t i = 0; bench && i < bench->row_count; i++)
        if (bench->rows[i].error || bench->rows[i].difference) return false;
    return bench != NULL;
}

JrStatus jr_module_times(JrModule *module, JrTimes *out) {
    jr_error_clear();
    if (!module) return jr_error_set(JR_ERR_ARGUMENT, "jr_module_times: NULL argument");
    pthread_mutex_lock(&module->lock);
    bool good = jr_give_result(out, &module->times, sizeof *out, "JrTimes");
    pthread_mutex_unlock(&module->lock);
    return good ? JR_OK : JR_ERR_ARGUMENT;
}

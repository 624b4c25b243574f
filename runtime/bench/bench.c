/* The timer: which rows a benchmark has, and that they are made in turn (bench_row.c).
 *
 * Rows are compared before any time is trusted. An error of the kernel on the first row ends the
 * benchmark; whatever goes wrong on a later one is that row's alone. */
#include "runtime/bench/bench.h"
#include "runtime/fork.h"

#include "ir/base/clock.h"
#include "ir/par/parallel.h"
#include "runtime/value.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SECONDS = 1 };

/* ---- Rows ---- */

/* A prange loop, or a statement over whole arrays. */
static bool has_parallel_part(const JrModule *module) {
    const IrLoops *loops = module->ir ? module->ir->loops : NULL;
    for (uint32_t i = 0; loops && i < loops->all.len; i++)
        if (loops->all.data[i]->parallel) return true;
    for (uint32_t i = 0; loops && i < loops->wholes.len; i++)
        if (loops->wholes.data[i]->parallel) return true;
    return false;
}

static bool add_name(const char **names, size_t *count, const char *name) {
    if (*count == BENCH_MAX_ROWS) return false;
    names[(*count)++] = name;
    return name != NULL;
}

/* The engines there are. What is parallel is seen when the function has been specialised. */
static size_t default_rows(BenchRun *run, const char **names) {
    static const char *const parallel[] = {"interp-parallel", "tcc-parallel", "llvm-parallel"};
    size_t count = 0, best = 0;
    for (size_t i = 0; i < BENCH_ENGINES; i++) {
        double begun = jr_clock();
        if (jr_engine_available(run->module->context, jr_bench_engines[i]))
            add_name(names, &count, jr_bench_engines[best = i]);
        run->load[i] = jr_clock() - begun;
    }
    jr_error_clear();
    if (jr_pool_threads() < 2) return count;
    /* One that does not compile in parallel is a row that says so. */
    bool part = jr_bench_compile(run, "interp", true) || has_parallel_part(run->compiled);
    jr_module_free(run->compiled);
    run->compiled = NULL;
    if (part) add_name(names, &count, parallel[best]);
    return count;
}

static bool is_row(const char *name) {
    static const char *const known[] = {"interp",          "tcc",          "llvm",
                                        "interp-parallel", "tcc-parallel", "llvm-parallel"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0) return true;
    return false;
}

static JrStatus listed_rows(BenchRun *run, const char *rows, const char **names,
                            size_t *count) {
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

static const char *title_of(const BenchRun *run) {
    if (run->options.title) {
        const char *given = jr_arena_strdup(run->bench->arena, run->options.title);
        if (given) return given;
    }
    if (!run->options.name) return run->module->source.name;
    char *title = jr_arena_printf(run->bench->arena, "%s in %s", run->options.name,
                                  run->module->source.name);
    return title ? title : run->options.name;
}

static JrStatus make_rows(BenchRun *run) {
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
    for (size_t i = 0; i < count; i++) {
        if (!jr_bench_engine_row(run, names[i])) return jr_error()->status;
        if ((status = jr_run_cancelled_since(run->module, run->seen))) return status;
    }
    for (size_t i = 0; i < run->options.rival_count; i++) {
        jr_bench_rival_row(run, &run->options.rivals[i]);
        if ((status = jr_run_cancelled_since(run->module, run->seen))) return status;
    }
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
    BenchRun run = {.module = module, .first.value.type = JR_NONE};
    jr_error_clear();
    if (out) *out = NULL;
    if (!module || !out) return jr_error_set(JR_ERR_ARGUMENT, "jr_bench: NULL argument");
    if (!jr_take_options(&run.options, sizeof run.options, options, "JrBenchOptions"))
        return JR_ERR_ARGUMENT;
    JrStatus status = check_options(module, &run.options);
    if (status) return status;
    if (run.options.seconds == 0) run.options.seconds = DEFAULT_SECONDS;
    run.seen = __atomic_load_n(module->host.cancel, __ATOMIC_RELAXED);
    run.bench = bench_new();
    run.busy = calloc(1, sizeof *run.busy);
    status = run.bench && run.busy ? make_rows(&run)
                                   : jr_error_set(JR_MEMORY_ERROR, "out of memory");
    jr_bench_outcome_clear(&run.first);
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
    jr_module_lock(module);
    bool good = jr_give_result(out, &module->times, sizeof *out, "JrTimes");
    jr_module_unlock(module);
    return good ? JR_OK : JR_ERR_ARGUMENT;
}

/* The jitrun command: jitrun.h's first user. */
#include "cli/args.h"
#include "cli/bench.h"
#include "cli/emit.h"
#include "cli/report.h"
#include "cli/stop.h"

#include <stdlib.h>
#include <string.h>

static int show_result(const Options *o, const JrValue *result) {
    if (o->output) {
        if (jr_array_save(o->output, result) == JR_OK) return 0;
        return report_error(o, NULL);
    }
    if (result->type == JR_NONE) return 0;
    if (jr_value_print(result, write_to, stdout) != JR_OK) return report_error(o, NULL);
    putchar('\n');
    return 0;
}

static int dump(const Options *o, JrModule *module, const char *stage, FILE *to) {
    if (jr_module_dump(module, stage, write_to, to) == JR_OK) return 0;
    JrStatus status = jr_error()->status;
    if (status == JR_ERR_COMPILE || status == JR_ERR_IO) return report_error(o, module);
    jr_error_report(NULL, o->json ? JR_REPORT_JSON : JR_REPORT_TEXT, write_to, stderr);
    return EXIT_USAGE;
}

static int dump_from_environment(const Options *o, JrModule *module) {
    const char *stage = getenv("JITRUN_DUMP");
    return stage && *stage ? dump(o, module, stage, stderr) : 0;
}

static int explain(const Options *o, JrModule *module) {
    if (jr_module_explain(module, o->json ? JR_REPORT_JSON : JR_REPORT_TEXT, write_to,
                          stdout) == JR_OK)
        return 0;
    return report_error(o, module);
}

static int call_with(const Options *o, JrModule *module, const char *name, const Args *args) {
    JrValue result;
    JrFunction *function;
    bool shows = o->dump || o->check || getenv("JITRUN_DUMP");
    if (shows && jr_function_for(module, name, args->count, args->values, &function) != JR_OK)
        return report_error(o, module);
    if (o->dump) return dump(o, module, o->dump, stdout);
    if (o->check) return explain(o, module);
    int code = dump_from_environment(o, module);
    if (code) return code;
    if (jr_call_once(module, name, args->count, args->values, &result) != JR_OK)
        return report_error(o, module);
    if (jr_module_checks_races(module)) report_check(o);
    code = show_result(o, &result);
    jr_value_clear(&result);
    return code;
}

static int call(const Options *o, JrContext *context, JrModule *module, const char *name) {
    Args args;
    int code = args_read(o, context, module, name, o->args, &args)
                   ? call_with(o, module, name, &args)
                   : EXIT_USAGE;
    args_clear(&args);
    return code;
}

/* ---- The program ---- */

static int emit(const Options *o, JrModule *module) {
    int code = emit_run(o, module);
    return code < 0 ? report_error(o, module) : code;
}

static int run(const Options *o, JrContext *context, JrModule *module) {
    if (o->emit) return emit(o, module);
    const char *name = o->entry;
    if (!name && !jr_module_has_body(module) && jr_module_has_function(module, "main"))
        name = "main";
    if (o->bench && !name && !jr_module_has_body(module)) {
        fprintf(stderr,
                "jitrun: error: %s has no statements to time: name a function with -e\n",
                o->file);
        return EXIT_USAGE;
    }
    if (o->bench) return bench_run(o, context, module, name);
    if (name) return call(o, context, module, name);
    if (o->dump) return dump(o, module, o->dump, stdout);
    if (o->check) return explain(o, module);
    int code = dump_from_environment(o, module);
    if (code) return code;
    if (jr_run(module) != JR_OK) return report_error(o, module);
    if (jr_module_checks_races(module)) report_check(o);
    return 0;
}

static bool dumps_source(const Options *o) {
    return o->dump && (strcmp(o->dump, "tokens") == 0 || strcmp(o->dump, "ast") == 0);
}

static int compile_and_run(const Options *o, JrContext *context) {
    JrCompileOptions options = {
        .size = sizeof options,
        .engine = o->backend,
        .opt_level = o->level,
        .run_main = !o->entry,
        .parallel = o->parallel,
        .check_races = o->check_races,
        .unchecked = o->unchecked,
        .fastmath = o->fastmath,
        .cache = o->cache,
    };
    JrModule *module;
    JrStatus status = jr_compile_file(context, o->file, &options, &module);
    int code;
    if (status != JR_OK) {
        code = report_error(o, module);
        if (module && dumps_source(o)) dump(o, module, o->dump, stdout);
    } else {
        report_warnings(o, module);
        code = run(o, context, module);
        report_cache(o, module);
    }
    jr_module_free(module);
    return code;
}

static void print_version(JrContext *context) {
    static const char *const engines[] = {"interp", "tcc", "llvm"};
    printf("jitrun %s (engines:", jr_version());
    for (int i = 0; i < 3; i++)
        if (jr_engine_available(context, engines[i])) printf(" %s", engines[i]);
    printf(")\n");
}

/* The exit code: also output that could not be written is a failure. */
static int finish(int code) {
    int error = output_error();
    if (code || !error) return code;
    fprintf(stderr, "jitrun: error: cannot write the output: %s\n", strerror(error));
    return EXIT_KERNEL;
}

int main(int argc, char **argv) {
    Options o;
    if (!options_parse(argc, argv, &o)) return EXIT_USAGE;
    if (o.help) {
        options_help(stdout);
        return finish(0);
    }
    if (o.completion && !completion_print(o.completion, stdout)) {
        fprintf(stderr, "jitrun: error: --completion knows bash, zsh and fish, not '%s'\n",
                o.completion);
        return EXIT_USAGE;
    }
    if (o.completion) return finish(0);
    JrContextOptions options = {
        .size = sizeof options, .write = write_to, .write_user = stdout};
    if (o.threads) jr_set_num_threads(o.threads);
    JrContext *context = jr_context_new(&options);
    int code = 0;
    if (!context || (o.backend && strcmp(o.backend, "auto") != 0 &&
                     !jr_engine_available(context, o.backend))) {
        code = report_error(&o, NULL);
        if (context) code = EXIT_USAGE;
    } else if (o.version) {
        print_version(context);
    } else {
        stop_begin(context, o.timeout);
        code = compile_and_run(&o, context);
        stop_end();
    }
    jr_context_free(context);
    return finish(code);
}

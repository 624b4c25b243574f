/* The jitrun command: jitrun.h's first user. */
#include "cli/options.h"
#include "cli/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool write_to(void *user, const char *bytes, size_t len) {
    return fwrite(bytes, 1, len, user) == len;
}

/* ---- Errors ---- */

static int report_error(const Options *o, JrModule *module) {
    JrStatus status = jr_error()->status;
    fflush(stdout);
    if (status == JR_ERR_COMPILE && module && jr_module_diagnostic_count(module))
        fputs(jr_module_report(module, o->json ? JR_REPORT_JSON : JR_REPORT_TEXT), stderr);
    else
        jr_error_report(module, o->json ? JR_REPORT_JSON : JR_REPORT_TEXT, write_to, stderr);
    if (status == JR_KEYBOARD_INTERRUPT || status == JR_TIMEOUT_ERROR)
        return stop_reason() == status ? stop_exit_code() : EXIT_KERNEL;
    return status < JR_ERR_COMPILE ? EXIT_KERNEL : EXIT_USAGE;
}

/* Warnings do not stop a program, but are seen before it starts. */
static void report_warnings(const Options *o, JrModule *module) {
    if (jr_module_diagnostic_count(module))
        fputs(jr_module_report(module, o->json ? JR_REPORT_JSON : JR_REPORT_TEXT), stderr);
}

/* ---- Calling one function with the command line's arguments ---- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool read_args(const Options *o, JrContext *context, JrValue *values) {
    for (int i = 0; i < o->arg_count; i++) {
        const char *text = o->args[i];
        JrStatus status = ends_with(text, ".npy") ? jr_array_load(text, &values[i])
                                                  : jr_eval(context, text, &values[i]);
        if (status == JR_OK) continue;
        if (o->json) return report_error(o, NULL), false;
        fprintf(stderr, "jitrun: error: argument %d, '%s': %s\n", i + 1, text,
                jr_error()->message);
        return false;
    }
    return true;
}

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
    if (status == JR_ERR_COMPILE) return report_error(o, module);
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

static int call(const Options *o, JrContext *context, JrModule *module, const char *name) {
    JrValue result = {0}, *values = calloc((size_t)o->arg_count + 1, sizeof *values);
    JrFunction *function;
    int code = EXIT_USAGE;
    size_t count = (size_t)o->arg_count;
    if (!values || !read_args(o, context, values))
        code = EXIT_USAGE;
    else if (jr_function_for(module, name, count, values, &function) != JR_OK)
        code = report_error(o, module);
    else if (o->dump || o->check)
        code = o->dump ? dump(o, module, o->dump, stdout) : explain(o, module);
    else if ((code = dump_from_environment(o, module)) == 0)
        code = jr_call(function, count, values, &result) == JR_OK ? show_result(o, &result)
                                                                  : report_error(o, module);
    jr_value_clear(&result);
    for (size_t i = 0; values && i < count; i++)
        jr_value_clear(&values[i]);
    free(values);
    return code;
}

/* ---- The program ---- */

static int emit(const Options *o, JrModule *module) {
    FILE *to = o->output ? fopen(o->output, "w") : stdout;
    if (!to) {
        fprintf(stderr, "jitrun: error: cannot write %s: %s\n", o->output, strerror(errno));
        return EXIT_USAGE;
    }
    JrStatus status = jr_module_header(module, write_to, to);
    bool written = fflush(to) == 0;
    if (to != stdout) written &= fclose(to) == 0;
    if (status != JR_OK) return report_error(o, module);
    if (written) return 0;
    fprintf(stderr, "jitrun: error: cannot write the header: %s\n", strerror(errno));
    return EXIT_USAGE;
}

static int run(const Options *o, JrContext *context, JrModule *module) {
    if (o->emit) return emit(o, module);
    if (o->entry) return call(o, context, module, o->entry);
    if (!jr_module_has_body(module) && jr_module_has_function(module, "main"))
        return call(o, context, module, "main");
    if (o->dump) return dump(o, module, o->dump, stdout);
    if (o->check) return explain(o, module);
    int code = dump_from_environment(o, module);
    if (code) return code;
    return jr_run(module) == JR_OK ? 0 : report_error(o, module);
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
        .unchecked = o->unchecked,
        .fastmath = o->fastmath,
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

int main(int argc, char **argv) {
    Options o;
    if (!options_parse(argc, argv, &o)) return EXIT_USAGE;
    if (o.help) {
        options_help(stdout);
        return 0;
    }
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
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (code == 0) perror("jitrun: error: cannot write the output");
        return code ? code : EXIT_KERNEL;
    }
    return code;
}

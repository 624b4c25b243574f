/* ARGs: `3`, `np.arange(10)`, `x.npy`, `n=3`. */
#include "cli/args.h"

#include "cli/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The length of the name in `name=value`; 0 if the ARG is not of that form (`a == b` is not). */
static size_t keyword_length(const char *text) {
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_' || (text[n] & 0x80))
        n++;
    return !isdigit((unsigned char)text[0]) && text[n] == '=' && text[n + 1] != '=' ? n : 0;
}

/* Room for the parameter at `index`; those before it that have no value take their defaults. */
static bool reach(Args *args, size_t index) {
    if (index >= args->room) {
        size_t room = 2 * index + 8;
        JrValue *values = realloc(args->values, room * sizeof *values);
        if (!values) return false;
        args->values = values;
        args->room = room;
    }
    while (args->count <= index)
        args->values[args->count++] = jr_default();
    return true;
}

static bool refuse(int i, const char *text, const char *why) {
    fprintf(stderr, "jitrun: error: argument %d, '%s': %s\n", i + 1, text, why);
    return false;
}

/* The parameter that `name=...` means, in *index. */
static bool find_keyword(const JrModule *module, const char *function, int i, const char *text,
                         size_t length, size_t *index) {
    char why[256];
    char *name = strdup(text);
    if (!name) return refuse(i, text, "out of memory");
    name[length] = 0;
    int found = jr_module_param_index(module, function, name);
    snprintf(why, sizeof why, "%.100s has no parameter '%.100s'", function, name);
    free(name);
    if (found < 0) return refuse(i, text, why);
    *index = (size_t)found;
    return true;
}

static bool evaluate(const Options *o, JrContext *context, int i, const char *text,
                     JrValue *out) {
    JrStatus status =
        ends_with(text, ".npy") ? jr_array_load(text, out) : jr_eval(context, text, out);
    if (status == JR_OK) return true;
    if (!o->json) return refuse(i, text, jr_error()->message);
    report_error(o, NULL);
    return false;
}

bool args_read(const Options *o, JrContext *context, const JrModule *module,
               const char *function, char *const *texts, Args *out) {
    bool named = false;
    *out = (Args){.values = NULL};
    for (int i = 0; i < o->arg_count; i++) {
        const char *text = texts[i];
        size_t index = (size_t)i, length = keyword_length(text);
        if (length && !find_keyword(module, function, i, text, length, &index)) return false;
        if (!length && named) return refuse(i, text, "it stands after one with a name");
        named |= length > 0;
        if (index < out->count && out->values[index].type != JR_DEFAULT)
            return refuse(i, text, "this parameter has a value already");
        if (!reach(out, index)) return refuse(i, text, "out of memory");
        if (!evaluate(o, context, i, text + length + (length > 0), &out->values[index]))
            return false;
    }
    return true;
}

void args_clear(Args *args) {
    for (size_t i = 0; i < args->count; i++)
        jr_value_clear(&args->values[i]);
    free(args->values);
    *args = (Args){.values = NULL};
}

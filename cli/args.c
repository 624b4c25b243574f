#include "cli/args.h"

#include "cli/report.h"

#include <string.h>

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool args_read(const Options *o, JrContext *context, char *const *texts, JrValue *values) {
    for (int i = 0; i < o->arg_count; i++) {
        const char *text = texts[i];
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

void args_clear(const Options *o, JrValue *values) {
    for (int i = 0; values && i < o->arg_count; i++)
        jr_value_clear(&values[i]);
}

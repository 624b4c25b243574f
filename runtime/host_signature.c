/* "float64(user, const float64[::1], tuple[int64, float64])": the signature that a host function is
 * added with, as FeHost has it and as messages show it. */
#include "runtime/host.h"

#include <string.h>

typedef struct Reader {
    const char *at;
    JrHostSpec *spec;
    const char *why; /* it is no signature */
} Reader;

static bool take(Reader *r, const char *word) {
    r->at += strspn(r->at, " \t");
    size_t len = strlen(word);
    if (strncmp(r->at, word, len) != 0) return false;
    r->at += len;
    r->at += strspn(r->at, " \t");
    return true;
}

static bool take_word(Reader *r, const char *word) {
    r->at += strspn(r->at, " \t");
    size_t len = strlen(word), end = strcspn(r->at, " \t,()[]");
    return len == end && take(r, word);
}

static bool fail(Reader *r, const char *why) {
    if (!r->why) r->why = why;
    return false;
}

static FeHostType *add_type(Reader *r) {
    if (r->spec->ntypes < JR_HOST_TYPES) return &r->spec->types[r->spec->ntypes++];
    fail(r, "it has too many types");
    return NULL;
}

static bool read_leaf(Reader *r, FeHostType *type, const char *what) {
    bool is_const = take_word(r, "const");
    if (!ir_type_parse(r->at, &r->at, &type->ir) || !ir_scalar_size((IrScalar)type->ir.scalar))
        return fail(r, what);
    if (is_const && !r->spec->params_at) return fail(r, "const is for parameters");
    type->written = type->ir.ndim && !is_const;
    return true;
}

/* A number, an array, or a tuple of such; counts what it comes to. */
static bool read_type(Reader *r, uint32_t *leaves, const char *what) {
    FeHostType *type = add_type(r);
    if (!type) return false;
    if (!take_word(r, "tuple")) {
        ++*leaves;
        return read_leaf(r, type, what);
    }
    if (!take(r, "[")) return fail(r, "'[' is missing after tuple");
    do {
        type->count++;
        if (!read_type(r, leaves, what)) return false;
    } while (take(r, ","));
    return take(r, "]") || fail(r, "',' or ']' is missing");
}

static bool read_result(Reader *r) {
    JrHostSpec *s = r->spec;
    if (take_word(r, "None")) return add_type(r) != NULL;
    if (!read_type(r, &s->nrets, "it does not begin with the result's type")) return false;
    if (s->types[0].count && s->nrets == 1)
        return fail(r, "a tuple of one is no result: leave out tuple[]");
    return s->nrets <= JR_MAX_HOST_RESULTS || fail(r, "its result has too many items");
}

static bool read_param(Reader *r) {
    JrHostSpec *s = r->spec;
    if (take_word(r, "user")) {
        if (s->user_at) return fail(r, "'user' stands twice");
        s->user_at = s->nleaves + 1;
        return true;
    }
    s->nparams++;
    if (!read_type(r, &s->nleaves, "a parameter is no number, array or tuple")) return false;
    return s->nleaves <= JR_MAX_HOST_PARAMS || fail(r, "it has too many parameters");
}

static bool read_params(Reader *r) {
    if (!take(r, "(")) return fail(r, "'(' is missing");
    for (bool first = true; !take(r, ")"); first = false) {
        if (!first && !take(r, ",")) return fail(r, "',' or ')' is missing");
        if (!read_param(r)) return false;
    }
    return !*r->at || fail(r, "something comes after it");
}

const char *jr_host_read_signature(const char *text, JrHostSpec *spec) {
    *spec = (JrHostSpec){.user_at = 0};
    Reader r = {.at = text, .spec = spec};
    if (!read_result(&r)) return r.why;
    spec->params_at = spec->ntypes;
    return read_params(&r) ? NULL : r.why;
}

/* ---- Shown ---- */

/* float64[:, ::1] */
static char *add_leaf(char *to, IrType type) {
    to = stpcpy(to, type.scalar ? ir_scalar_name((IrScalar)type.scalar) : "None");
    for (unsigned i = 0; i < type.ndim; i++) {
        bool dense = type.layout == LAYOUT_C && i + 1 == type.ndim;
        to = stpcpy(to, i ? ", " : "[");
        to = stpcpy(to, dense ? "::1" : ":");
    }
    return stpcpy(to, type.ndim ? "]" : "");
}

static char *add_shown(char *to, const FeHostType **at) {
    const FeHostType *type = (*at)++;
    if (!type->count) return add_leaf(to, type->ir);
    to = stpcpy(to, "tuple[");
    for (uint32_t i = 0; i < type->count; i++)
        to = add_shown(stpcpy(to, i ? ", " : ""), at);
    return stpcpy(to, "]");
}

void jr_host_write_signature(char *to, const JrHostSpec *spec) {
    const FeHostType *at = spec->types;
    to = stpcpy(add_shown(to, &at), "(");
    for (uint32_t i = 0; i < spec->nparams; i++)
        to = add_shown(stpcpy(to, i ? ", " : ""), &at);
    strcpy(to, ")");
}

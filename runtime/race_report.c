/* Races as a person or a program reads them. */
#include "runtime/compile.h"
#include "runtime/rt/slot.h"
#include "runtime/threads/races.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool reads(const JrRaceAccess *access) {
    return strcmp(access->kind, "read") == 0;
}

const JrRaceAccess *jr_race_main(const JrRace *race) {
    return reads(&race->first) ? &race->second : &race->first;
}

static const char *verb_of(const JrRaceAccess *access) {
    if (reads(access)) return "reads";
    return strcmp(access->kind, "write") == 0 ? "writes" : "accumulates into";
}

static const char *counter_of(const JrRace *race) {
    return *race->counter ? race->counter : "i";
}

static const JrRaceAccess *other_of(const JrRace *race) {
    return jr_race_main(race) == &race->first ? &race->second : &race->first;
}

/* As the access that the error points at has it, or else the other. */
static void name_element(const JrRace *race, char *text, size_t size) {
    const JrRaceAccess *main = jr_race_main(race), *other = other_of(race);
    if (*main->element || *other->element)
        snprintf(text, size, "%s", *main->element ? main->element : other->element);
    else if (*main->array)
        snprintf(text, size, "an element of '%.32s'", main->array);
    else
        snprintf(text, size, "an element of an array");
}

/* The earlier iteration is named first. */
void jr_race_message(const JrRace *race, char *text, size_t size) {
    const char *i = counter_of(race);
    char element[256];
    name_element(race, element, sizeof element);
    const JrRaceAccess *a = &race->first, *b = &race->second;
    if (strcmp(a->kind, "write") == 0 && strcmp(b->kind, "write") == 0)
        snprintf(text, size,
                 "race: iterations %s = %" PRId64 " and %s = %" PRId64 " both write %s", i,
                 a->iteration, i, b->iteration, element);
    else
        snprintf(text, size,
                 "race: iteration %s = %" PRId64 " %s %s, which iteration %s = %" PRId64 " %s",
                 i, a->iteration, verb_of(a), element, i, b->iteration, verb_of(b));
}

/* ---- Text ---- */

static bool same_place(const JrRaceAccess *a, const JrRaceAccess *b) {
    return a->at.line == b->at.line && a->at.column == b->at.column;
}

static JrSpan span_of(const JrRaceAccess *access) {
    return (JrSpan){access->at.line, access->at.column, access->end_column};
}

/* "iteration i = 4 reads it here, as an element of 'v'" */
static void note_other(const JrRace *race, JrDiags *diags, JrDiag *diag) {
    const JrRaceAccess *main = jr_race_main(race), *other = other_of(race);
    const char *as = *other->element ? ", as " : "", *name = other->element;
    if (same_place(main, other)) return;
    if (!*name && strcmp(main->array, other->array) != 0) {
        as = ", as an element of ";
        name = other->array;
    }
    if (!*name || strcmp(main->element, other->element) == 0) as = name = "";
    jr_diag_note(diags, diag, span_of(other), "iteration %s = %" PRId64 " %s it here%s%s",
                 counter_of(race), other->iteration, verb_of(other), as, name);
}

static void report_race(const JrModule *module, JrArena *arena, const JrRace *race,
                        JrText *out) {
    char text[512];
    JrDiags diags;
    jr_diags_init(&diags, arena, &module->source);
    jr_race_message(race, text, sizeof text);
    JrDiag *diag = jr_diag_error(&diags, span_of(jr_race_main(race)), "%s", text);
    jr_diag_help(&diags, diag,
                 "let each iteration write elements of its own, accumulate with an operator "
                 "such as +=, or use range");
    note_other(race, &diags, diag);
    jr_diag_note(
        &diags, diag, (JrSpan){race->loop.line, race->loop.column, race->loop.column + 1},
        "the prange loop%s%s", race->count > 1 ? "; these two places met " : "",
        race->count > 1 ? jr_arena_printf(arena, "%" PRId64 " times", race->count) : "");
    jr_diag_render(&diags, diag, out);
}

void jr_races_report(const JrModule *module, JrArena *arena, JrText *out) {
    if (!module || !module->options.check_races) return;
    const JrRaceCheck *check = jr_race_check();
    for (size_t i = 0; i < check->race_count; i++)
        report_race(module, arena, &check->races[i], out);
    if (check->more)
        jr_text_printf(out, "jitrun: there are more races than these %zu\n",
                       check->race_count);
}

/* ---- JSON ---- */

static void access_json(const JrRaceAccess *access, JrText *out) {
    jr_text_puts(out, "{\"kind\": ");
    jr_text_json(out, access->kind);
    jr_text_printf(out, ", \"iteration\": %" PRId64 ", \"array\": ", access->iteration);
    jr_text_json(out, access->array);
    jr_text_puts(out, ", \"element\": ");
    jr_text_json(out, access->element);
    jr_text_puts(out, ", \"function\": ");
    jr_text_json(out, access->at.function);
    jr_text_puts(out, ", \"file\": ");
    jr_text_json(out, access->at.file);
    jr_text_printf(out, ", \"line\": %d, \"column\": %d, \"end_column\": %d}", access->at.line,
                   access->at.column, access->end_column);
}

static void race_json(const JrRace *race, JrText *out) {
    char text[512];
    jr_race_message(race, text, sizeof text);
    jr_text_puts(out, "{\"message\": ");
    jr_text_json(out, text);
    jr_text_printf(out, ", \"count\": %" PRId64 ", \"loop\": {\"counter\": ", race->count);
    jr_text_json(out, race->counter);
    jr_text_puts(out, ", \"function\": ");
    jr_text_json(out, race->loop.function);
    jr_text_puts(out, ", \"file\": ");
    jr_text_json(out, race->loop.file);
    jr_text_printf(out, ", \"line\": %d, \"column\": %d}, \"first\": ", race->loop.line,
                   race->loop.column);
    access_json(&race->first, out);
    jr_text_puts(out, ", \"second\": ");
    access_json(&race->second, out);
    jr_text_puts(out, "}");
}

void jr_races_report_json(const JrModule *module, JrText *out) {
    if (!module || !module->options.check_races) return;
    const JrRaceCheck *check = jr_race_check();
    jr_text_printf(out,
                   ", \"race_check\": {\"loops\": %" PRId64 ", \"iterations\": %" PRId64
                   ", \"accesses\": %" PRId64 ", \"more\": %s, \"races\": [",
                   check->loops, check->iterations, check->accesses,
                   check->more ? "true" : "false");
    for (size_t i = 0; i < check->race_count; i++) {
        if (i) jr_text_puts(out, ", ");
        race_json(&check->races[i], out);
    }
    jr_text_puts(out, "]}");
}

/* ---- The thread's last ---- */

JrStatus jr_error_races(const JrRaceCheck *check) {
    char text[JR_MESSAGE_SHORT * 2];
    jr_race_message(&check->races[0], text, sizeof text);
    size_t others = check->race_count - 1;
    JrStatus status = jr_error_set(JR_ERR_RACE, others ? "%s (and %zu more race%s)" : "%s",
                                   text, others, others == 1 ? "" : "s");
    Slot *slot = jr_slot;
    if (!slot) return JR_MEMORY_ERROR;
    slot->frames[0] = jr_race_main(&check->races[0])->at;
    slot->error.frames = slot->frames;
    slot->error.frame_count = 1;
    return status;
}

const JrRaceCheck *jr_race_check(void) {
    static const JrRaceCheck nothing;
    const Slot *slot = jr_slot;
    const JrRaceCheck *check =
        slot && slot->has_thread ? jr_races_result(slot->thread.checked) : NULL;
    return check ? check : &nothing;
}

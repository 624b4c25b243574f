/* Texts for a JrWrite; and jr_error_report, a run-time error as a person or a program reads it. */
#include "runtime/compile.h"
#include "runtime/fork.h"

JrStatus jr_write_text(const char *what, JrMakeText make, const void *of, JrModule *locked,
                       JrWrite write, void *user) {
    JrArena *arena = jr_arena_new(NULL);
    if (!arena) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    jmp_buf oom;
    JrText text;
    jr_text_init(&text, arena);
    if (locked) jr_module_lock(locked);
    bool made = setjmp(oom) == 0;
    if (made) {
        jr_arena_on_oom(arena, &oom);
        make(of, &text);
    }
    if (locked) jr_module_unlock(locked);
    bool written = made && jr_hand_over(&text, write, user);
    jr_arena_free(arena);
    if (!made) return jr_error_set(JR_MEMORY_ERROR, "out of memory");
    return written ? JR_OK : jr_error_set(JR_ERR_IO, "%s could not be written", what);
}

/* The error in the shape of a diagnostic, so that there is one picture for both. */
static void add_diag(JrDiags *diags, const JrError *error) {
    const JrFrame *at = error->frame_count ? &error->frames[0] : NULL;
    JrSpan span = {0};
    if (at) span = (JrSpan){at->line, at->column, at->column + 1};
    JrText message;
    jr_text_init(&message, diags->arena);
    if (error->status < JR_ERR_COMPILE && error->frame_count)
        jr_text_printf(&message, "%s%s", error->name, error->message_len ? ": " : "");
    jr_text_add(&message, error->message, error->message_len);
    JrDiag *diag = jr_diag_error(diags, span, "%s", "");
    diag->message = message.data;
    diag->message_len = message.len;
}

static void add_calls(const JrError *error, JrText *out) {
    for (size_t i = 0; i + 1 < error->frame_count; i++) {
        const JrFrame *callee = &error->frames[i], *site = &error->frames[i + 1];
        if (i == 31 && error->frames_dropped)
            jr_text_printf(out, "  ... %zu more calls ...\n", error->frames_dropped);
        jr_text_printf(out, "  in %s, called at %s:%d:%d in %s\n", callee->function,
                       site->file, site->line, site->column, site->function);
    }
}

static void report_text(JrDiags *diags, const JrError *error, JrText *out) {
    if (error->frame_count == 0) {
        jr_text_printf(out, "jitrun: error: %s\n", error->message);
        return;
    }
    jr_diag_render(diags, diags->first, out);
    add_calls(error, out);
}

static void report_json(const JrModule *module, const JrError *error, JrText *out) {
    jr_text_printf(out, "{\"status\": %d, \"name\": ", error->status);
    jr_text_json(out, error->name);
    jr_text_puts(out, ", \"message\": ");
    jr_text_json_bytes(out, error->message, error->message_len);
    jr_text_puts(out, ", \"frames\": [");
    for (size_t i = 0; i < error->frame_count; i++) {
        const JrFrame *f = &error->frames[i];
        jr_text_puts(out, i ? ", {\"function\": " : "{\"function\": ");
        jr_text_json(out, f->function);
        jr_text_puts(out, ", \"file\": ");
        jr_text_json(out, f->file);
        jr_text_printf(out, ", \"line\": %d, \"column\": %d}", f->line, f->column);
    }
    jr_text_printf(out, "], \"frames_dropped\": %zu", error->frames_dropped);
    jr_races_report_json(module, out);
    jr_text_puts(out, "}\n");
}

void jr_error_report(JrModule *module, JrReport kind, JrWrite write, void *user) {
    static const JrSource no_source = {"", "", 0, 0};
    const JrError *error = jr_error();
    JrArena *arena = jr_arena_new(NULL);
    jmp_buf oom;
    if (!write || error->status == JR_OK || !arena || setjmp(oom)) {
        if (write && error->status) write(user, "jitrun: error: out of memory\n", 29);
        jr_arena_free(arena);
        return;
    }
    jr_arena_on_oom(arena, &oom);
    JrDiags diags;
    JrText text;
    jr_diags_init(&diags, arena, module ? &module->source : &no_source);
    jr_text_init(&text, arena);
    if (kind == JR_REPORT_JSON) {
        report_json(module, error, &text);
    } else if (error->status == JR_ERR_RACE) {
        jr_races_report(module, arena, &text);
    } else {
        if (error->status < JR_ERR_COMPILE) jr_races_report(module, arena, &text);
        add_diag(&diags, error);
        report_text(&diags, error, &text);
    }
    jr_hand_over(&text, write, user);
    jr_arena_free(arena);
}

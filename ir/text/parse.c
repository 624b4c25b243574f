/* Reads the text form of the IR that ir/text/print.c describes. The headers of all functions are
 * read first, so that calls can go forward; then the bodies. Nothing here judges what the text
 * says: that is the verifier's part. */
#include "ir/text/parse.h"

typedef struct Body {
    IrFunc *func;
    IrLexer start; /* at the opening brace */
    JrTable regs;
} Body;

static void read_params(IrReader *r) {
    ir_lex_expect(&r->lex, "(");
    while (!ir_lex_is(&r->lex, ")") && !r->lex.failed) {
        if (r->func->nparams && !ir_lex_accept(&r->lex, ",")) break;
        IrToken token = ir_parse_new_reg(r);
        ir_lex_expect(&r->lex, ":");
        bool owned;
        IrType type = ir_parse_type(r, &owned);
        if (r->lex.failed) return;
        IrReg reg = ir_param(r->func, type, NULL);
        ir_reg(r->func, reg)->owned = owned;
        ir_parse_bind(r, &token, reg);
    }
    ir_lex_expect(&r->lex, ")");
}

static void read_results(IrReader *r) {
    if (!ir_lex_accept(&r->lex, "->")) return;
    JR_VEC(IrType) types = {0};
    bool several = ir_lex_accept(&r->lex, "(");
    do {
        IrType type = ir_lex_type(&r->lex);
        JR_PUSH(r->arena, &types, type);
    } while (several && ir_lex_accept(&r->lex, ","));
    if (several) ir_lex_expect(&r->lex, ")");
    r->func->rets = types.data;
    r->func->nrets = types.len;
}

static void read_attributes(IrReader *r) {
    IrLexer *lex = &r->lex;
    while (lex->token.kind == IR_TOKEN_NAME) {
        if (ir_lex_accept(lex, "exported")) {
            r->func->exported = true;
        } else if (ir_lex_accept(lex, "parallel")) {
            r->func->parallel = true;
        } else if (ir_lex_accept(lex, "fastmath")) {
            r->func->fastmath = true;
        } else if (ir_lex_accept(lex, "inlined")) {
            r->func->inlined = true;
        } else if (ir_lex_accept(lex, "display")) {
            uint32_t len;
            const char *text = ir_lex_string(lex, &len);
            if (text) r->func->display = text;
        } else {
            ir_lex_error_expected(lex, "exported, parallel, fastmath, inlined or display");
        }
    }
    r->func->span = ir_lex_span(lex);
}

/* Past the body, whatever is in it. */
static void skip_body(IrLexer *lex) {
    int depth = 0;
    do {
        if (ir_lex_is(lex, "{")) depth++;
        if (ir_lex_is(lex, "}")) depth--;
        ir_lex_next(lex);
    } while (depth > 0 && lex->token.kind != IR_TOKEN_END);
}

static Body read_header(IrReader *r) {
    Body body = {0};
    ir_lex_expect(&r->lex, "func");
    IrToken token = r->lex.token;
    const char *name = ir_parse_name(r);
    if (!name || r->lex.failed) return body;
    if (ir_module_find(r->module, name)) {
        r->lex.token = token;
        ir_lex_error(&r->lex, "a second function is called '%s'", name);
        return body;
    }
    body.func = r->func = ir_func_new(r->module, name, NULL);
    jr_table_init(&r->regs, r->arena);
    read_params(r);
    read_results(r);
    read_attributes(r);
    body.start = r->lex;
    body.regs = r->regs;
    if (!ir_lex_is(&r->lex, "{")) ir_lex_error_expected(&r->lex, "'{'");
    skip_body(&r->lex);
    return body;
}

static void read_vars(IrReader *r) {
    while (ir_lex_accept(&r->lex, "var")) {
        IrToken token = ir_parse_new_reg(r);
        ir_lex_expect(&r->lex, ":");
        bool owned;
        IrType type = ir_parse_type(r, &owned);
        if (r->lex.failed) return;
        IrReg reg = ir_var(r->func, type, NULL);
        ir_reg(r->func, reg)->owned = owned;
        ir_parse_bind(r, &token, reg);
        ir_parse_line_end(r);
    }
}

static void read_body(IrReader *r, const Body *body) {
    r->lex = body->start;
    r->func = body->func;
    r->regs = body->regs;
    ir_lex_expect(&r->lex, "{");
    ir_parse_line_end(r);
    read_vars(r);
    ir_parse_block(r, &r->func->body);
    ir_lex_expect(&r->lex, "}");
    ir_parse_line_end(r);
}

static const char *read_file_name(IrReader *r) {
    uint32_t len;
    ir_lex_expect(&r->lex, "file");
    const char *name = ir_lex_string(&r->lex, &len);
    ir_parse_line_end(r);
    return name;
}

/* `host name(float64, user, written float64[:]) -> float64` */
static void read_host(IrReader *r) {
    const char *name = ir_parse_name(r);
    if (!name || r->lex.failed) return;
    if (ir_host_find(r->module, name) || ir_module_find(r->module, name)) {
        ir_lex_error(&r->lex, "a second function is called '%s'", name);
        return;
    }
    r->func = ir_host_new(r->module, name);
    ir_lex_expect(&r->lex, "(");
    for (uint32_t at = 1; !ir_lex_is(&r->lex, ")") && !r->lex.failed; at++) {
        if (at > 1) ir_lex_expect(&r->lex, ",");
        if (ir_lex_accept(&r->lex, "user")) {
            r->func->user_at = at;
            continue;
        }
        bool written = ir_lex_accept(&r->lex, "written");
        IrType type = ir_lex_type(&r->lex);
        if (r->lex.failed) return;
        ir_reg(r->func, ir_param(r->func, type, NULL))->written = written;
    }
    ir_lex_expect(&r->lex, ")");
    read_results(r);
    ir_parse_line_end(r);
}

static void read_hosts(IrReader *r) {
    while (r->lex.token.kind == IR_TOKEN_LINE)
        ir_lex_next(&r->lex);
    while (ir_lex_accept(&r->lex, "host"))
        read_host(r);
}

IrModule *ir_parse_module(JrArena *arena, const JrSource *source, JrDiags *diags) {
    IrReader r = {.arena = arena};
    ir_lex_start(&r.lex, source, diags);
    const char *file = read_file_name(&r);
    r.module = ir_module_new(arena, file);
    read_hosts(&r);
    JR_VEC(Body) bodies = {0};
    while (r.lex.token.kind != IR_TOKEN_END) {
        Body body = read_header(&r);
        JR_PUSH(arena, &bodies, body);
        if (r.lex.token.kind != IR_TOKEN_END)
            ir_parse_line_end(&r); /* else reading the body says why */
    }
    for (uint32_t i = 0; i < bodies.len && !r.lex.failed; i++)
        read_body(&r, &bodies.data[i]);
    return r.lex.failed ? NULL : r.module;
}

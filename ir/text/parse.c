/* Reads the text form of the IR that ir/text/print.c describes. The headers of all functions are
 * read first, so that calls can go forward; then the bodies. Nothing here judges what the text
 * says: that is the verifier's part. */
#include "ir/text/lex.h"

#include <string.h>

enum { DEEPEST_NESTING = 1000 };

typedef struct Dst {
    IrToken token; /* the register */
    IrType type;   /* none: implied */
    bool owned;
} Dst;

typedef struct Reader {
    IrLexer lex;
    JrArena *arena;
    IrModule *module;
    IrFunc *func;
    JrTable regs; /* by their spelling, as index + 1 */
    JR_VEC(Dst) dsts;
    JR_VEC(IrReg) args;
    uint32_t depth;
} Reader;

static void read_block(Reader *r, IrBlock *block);

/* ---- Registers ---- */

static const char *spelling(Reader *r, const IrToken *token) {
    return jr_arena_strndup(r->arena, token->text, token->len);
}

/* The name of %x, %x.1 or %"odd".1; NULL for %12. */
static const char *base_name(Reader *r, const IrToken *token) {
    const char *text = token->text + 1;
    size_t len = token->len - 1, n = 0;
    if (len && text[0] == '"') {
        for (n = 1; n < len && text[n] != '"'; n++)
            n += text[n] == '\\';
        char *name = jr_arena_alloc(r->arena, n + 1);
        uint32_t name_len;
        if (n >= len || !ir_string_parse(text + 1, n - 1, name, &name_len)) return NULL;
        return name;
    }
    while (n < len && text[n] != '.')
        n++;
    bool number = strspn(text, "0123456789") >= n;
    return number ? NULL : jr_arena_strndup(r->arena, text, n);
}

static IrReg find_reg(Reader *r, const IrToken *token) {
    uintptr_t known = (uintptr_t)jr_table_get(&r->regs, spelling(r, token));
    return known ? (IrReg)(known - 1) : IR_NO_REG;
}

static void bind_reg(Reader *r, const IrToken *token, IrReg reg) {
    ir_reg(r->func, reg)->name = base_name(r, token);
    jr_table_put(&r->regs, spelling(r, token), (void *)((uintptr_t)reg + 1));
}

/* Takes a register that is new to the function. */
static IrToken read_new_reg(Reader *r) {
    IrToken token = r->lex.token;
    if (token.kind != IR_TOKEN_REG)
        ir_lex_error_expected(&r->lex, "a register");
    else if (find_reg(r, &token) != IR_NO_REG)
        ir_lex_error(&r->lex, "register '%.*s' is declared twice", (int)token.len, token.text);
    ir_lex_next(&r->lex);
    return token;
}

/* `owned float64[:]` */
static IrType read_type(Reader *r, bool *owned) {
    *owned = ir_lex_accept(&r->lex, "owned");
    return ir_lex_type(&r->lex);
}

/* ---- Operands ---- */

/* Digits alone are an int64; a point, an exponent, inf or nan make it a float64. */
static IrScalar plain_type(const IrToken *token) {
    for (size_t i = token->text[0] == '-'; i < token->len; i++)
        if (token->text[i] < '0' || token->text[i] > '9') return TY_FLOAT64;
    return TY_INT64;
}

static IrReg read_number(Reader *r) {
    IrLexer *lex = &r->lex;
    IrToken token = lex->token;
    IrScalar scalar = plain_type(&token);
    ir_lex_next(lex);
    if (ir_lex_accept(lex, ":")) {
        IrType type = ir_lex_type(lex);
        scalar = type.ndim ? TY_NONE : type.scalar;
    }
    IrConst value;
    const char *why = ir_literal_parse(token.text, token.len, scalar, &value);
    if (!why) return ir_const(r->func, scalar, value);
    ir_lex_error(lex, "'%.*s': %s", token.len < 60 ? (int)token.len : 60, token.text, why);
    return IR_NO_REG;
}

static IrReg read_operand(Reader *r) {
    IrLexer *lex = &r->lex;
    IrToken token = lex->token;
    if (token.kind == IR_TOKEN_NUMBER) return read_number(r);
    if (token.kind == IR_TOKEN_STRING) {
        uint32_t len;
        const char *text = ir_lex_string(lex, &len);
        return text ? ir_const_str(r->func, text, len) : IR_NO_REG;
    }
    if (ir_lex_accept(lex, "true")) return ir_const_int(r->func, TY_BOOL, 1);
    if (ir_lex_accept(lex, "false")) return ir_const_int(r->func, TY_BOOL, 0);
    if (token.kind != IR_TOKEN_REG) {
        ir_lex_error_expected(lex, "a register or a constant");
        return IR_NO_REG;
    }
    IrReg reg = find_reg(r, &token);
    if (reg == IR_NO_REG)
        ir_lex_error(lex, "unknown register '%.*s'", (int)token.len, token.text);
    ir_lex_next(lex);
    return reg;
}

static void read_arg(Reader *r) {
    IrReg reg = read_operand(r);
    if (!r->lex.failed) JR_PUSH(r->arena, &r->args, reg);
}

static bool at_operand(const IrLexer *lex) {
    IrTokenKind kind = lex->token.kind;
    return kind == IR_TOKEN_REG || kind == IR_TOKEN_NUMBER || kind == IR_TOKEN_STRING ||
           ir_lex_is(lex, "true") || ir_lex_is(lex, "false");
}

/* Operands with commas between them, or none. */
static void read_args(Reader *r) {
    if (!at_operand(&r->lex)) return;
    do
        read_arg(r);
    while (ir_lex_accept(&r->lex, ","));
}

/* ---- Operands of each form ---- */

static void read_index(Reader *r, IrStmt *stmt, unsigned axis) {
    read_arg(r);
    bool neither = ir_lex_accept(&r->lex, "!");
    bool check_only = !neither && ir_lex_accept(&r->lex, "+");
    bool wrap_only = !neither && !check_only && ir_lex_accept(&r->lex, "-");
    if (axis >= IR_MAX_DIMS) ir_lex_error(&r->lex, "more than %d indices", IR_MAX_DIMS);
    if (r->lex.failed) return;
    stmt->u.mem.check |= (uint8_t)((!neither && !wrap_only) << axis);
    stmt->u.mem.wrap |= (uint8_t)((!neither && !check_only) << axis);
}

/* %x[%i, %j+] */
static void read_element(Reader *r, IrStmt *stmt) {
    unsigned axis = 0;
    read_arg(r);
    ir_lex_expect(&r->lex, "[");
    do
        read_index(r, stmt, axis++);
    while (ir_lex_accept(&r->lex, ","));
    ir_lex_expect(&r->lex, "]");
}

static void read_range(Reader *r) {
    ir_lex_expect(&r->lex, "(");
    for (int i = 0; i < 3; i++) {
        if (i) ir_lex_expect(&r->lex, ",");
        read_arg(r);
    }
    ir_lex_expect(&r->lex, ")");
}

/* %x[%i, range(%start, %len, %step), new] */
static void read_view(Reader *r, IrStmt *stmt) {
    unsigned axis = 0, steps = 0;
    read_arg(r);
    ir_lex_expect(&r->lex, "[");
    while (!ir_lex_is(&r->lex, "]") && !r->lex.failed) {
        if (steps && !ir_lex_accept(&r->lex, ",")) break;
        char step = ir_lex_accept(&r->lex, "range") ? 'r'
                    : ir_lex_accept(&r->lex, "new") ? 'n'
                                                    : 'i';
        if (steps == 2 * IR_MAX_DIMS) {
            ir_lex_error(&r->lex, "a view has at most %d steps", 2 * IR_MAX_DIMS);
            return;
        }
        if (step == 'r') read_range(r);
        if (step == 'i') read_index(r, stmt, axis);
        axis += step != 'n';
        stmt->u.mem.axes[steps++] = step;
    }
    ir_lex_expect(&r->lex, "]");
}

static void read_axis(Reader *r, IrStmt *stmt) {
    IrConst axis;
    IrToken token = r->lex.token;
    read_arg(r);
    ir_lex_expect(&r->lex, ",");
    token = r->lex.token;
    bool ok = token.kind == IR_TOKEN_NUMBER &&
              !ir_literal_parse(token.text, token.len, TY_UINT8, &axis);
    if (ok)
        stmt->u.imm = (uint8_t)axis.u;
    else
        ir_lex_error_expected(&r->lex, "the number of an axis");
    ir_lex_next(&r->lex);
}

/* A function's name, bare or in quotes. */
static const char *read_name(Reader *r) {
    if (r->lex.token.kind == IR_TOKEN_NAME) {
        const char *name = spelling(r, &r->lex.token);
        ir_lex_next(&r->lex);
        return name;
    }
    uint32_t len;
    const char *name = ir_lex_string(&r->lex, &len);
    if (name && (strlen(name) != len || !len)) ir_lex_error(&r->lex, "not a function's name");
    return name;
}

static void read_call(Reader *r, IrStmt *stmt) {
    IrToken token = r->lex.token;
    const char *name = read_name(r);
    if (!name) return;
    stmt->u.callee = ir_module_find(r->module, name);
    if (!stmt->u.callee) stmt->u.callee = ir_host_find(r->module, name);
    if (!stmt->u.callee && !r->lex.failed) {
        r->lex.token = token;
        ir_lex_error(&r->lex, "no function is called '%s'", name);
    }
    ir_lex_expect(&r->lex, "(");
    read_args(r);
    ir_lex_expect(&r->lex, ")");
}

static void read_raise(Reader *r, IrStmt *stmt) {
    IrToken token = r->lex.token;
    if (token.kind == IR_TOKEN_NAME) stmt->u.exc = ir_exc_named(token.text, token.len);
    if (!stmt->u.exc) ir_lex_error_expected(&r->lex, "the name of an exception");
    ir_lex_next(&r->lex);
    read_args(r);
}

static void read_operands(Reader *r, IrStmt *stmt) {
    switch (ir_op_form(stmt->op)) {
    case FORM_LOAD: read_element(r, stmt); break;
    case FORM_STORE:
        read_element(r, stmt);
        ir_lex_expect(&r->lex, "=");
        read_arg(r);
        break;
    case FORM_VIEW: read_view(r, stmt); break;
    case FORM_DIM: read_axis(r, stmt); break;
    case FORM_CALL:
    case FORM_PARALLEL: read_call(r, stmt); break;
    case FORM_RAISE: read_raise(r, stmt); break;
    case FORM_ALLOC: stmt->u.imm = ir_lex_accept(&r->lex, "zeroed"); /* fall through */
    default: read_args(r);
    }
}

/* ---- Statements ---- */

/* `%a, %b: owned float64[:]` before the equals sign. */
static void read_dsts(Reader *r) {
    do {
        Dst dst = {.token = r->lex.token};
        if (dst.token.kind != IR_TOKEN_REG) ir_lex_error_expected(&r->lex, "a register");
        ir_lex_next(&r->lex);
        if (ir_lex_accept(&r->lex, ":")) dst.type = read_type(r, &dst.owned);
        JR_PUSH(r->arena, &r->dsts, dst);
    } while (ir_lex_accept(&r->lex, ","));
    ir_lex_expect(&r->lex, "=");
}

/* The register a statement writes: a known one, or a TEMP that it makes. */
static IrReg bind_dst(Reader *r, IrStmt *stmt, uint32_t i) {
    const Dst *dst = &r->dsts.data[i];
    IrReg reg = find_reg(r, &dst->token);
    bool typed = dst->type.scalar != TY_NONE;
    IrType type = typed ? dst->type : ir_stmt_implied_type(r->func, stmt, i);
    if (reg != IR_NO_REG) {
        if (typed || ir_reg(r->func, reg)->kind == REG_TEMP) {
            r->lex.token = dst->token;
            ir_lex_error(&r->lex, "register '%.*s' is written already", (int)dst->token.len,
                         dst->token.text);
        }
        return reg;
    }
    if (type.scalar == TY_NONE) {
        r->lex.token = dst->token;
        ir_lex_error(&r->lex, "the type of '%.*s' does not follow from the operands: give it",
                     (int)dst->token.len, dst->token.text);
        return IR_NO_REG;
    }
    reg = ir_temp(r->func, type);
    ir_reg(r->func, reg)->owned = dst->owned;
    ir_reg(r->func, reg)->def = stmt;
    bind_reg(r, &dst->token, reg);
    return reg;
}

static void bind_dsts(Reader *r, IrStmt *stmt) {
    stmt->ndsts = r->dsts.len;
    stmt->dsts = JR_NEW_ARRAY(r->arena, IrReg, r->dsts.len);
    for (uint32_t i = 0; i < r->dsts.len && !r->lex.failed; i++)
        stmt->dsts[i] = bind_dst(r, stmt, i);
}

static void bind_args(Reader *r, IrStmt *stmt) {
    stmt->nargs = r->args.len;
    stmt->args = JR_NEW_ARRAY(r->arena, IrReg, r->args.len);
    if (r->args.len) memcpy(stmt->args, r->args.data, r->args.len * sizeof *stmt->args);
}

/* Splits math.sin and rt.print_int at the point. */
static size_t op_length(const IrToken *token) {
    const char *point = memchr(token->text, '.', token->len);
    return point ? (size_t)(point - token->text) : token->len;
}

static bool is_text(const char *wanted, const char *text, size_t len) {
    return strlen(wanted) == len && memcmp(wanted, text, len) == 0;
}

static bool read_suffix(IrStmt *stmt, const char *text, size_t len) {
    if (stmt->op == OP_MATH) {
        for (stmt->u.math = 0; stmt->u.math < MATH_COUNT; stmt->u.math++)
            if (is_text(ir_math_name(stmt->u.math), text, len)) return true;
    } else if (stmt->op == OP_RT) {
        for (stmt->u.rt = 0; stmt->u.rt < RT_COUNT; stmt->u.rt++)
            if (is_text(ir_rt_name(stmt->u.rt), text, len)) return true;
    } else {
        return len == 0;
    }
    return false;
}

/* The operation's name; NULL after an error. */
static IrStmt *read_op(Reader *r) {
    IrToken token = r->lex.token;
    size_t len = op_length(&token), rest = token.len > len ? token.len - len - 1 : 0;
    IrStmt *stmt = JR_NEW(r->arena, IrStmt);
    IrOp op = OP_COUNT;
    if (token.kind == IR_TOKEN_NAME)
        for (op = 0; op < OP_COUNT && !is_text(ir_op_name(op), token.text, len); op++) {
        }
    stmt->op = (uint8_t)op;
    if (op == OP_COUNT || !read_suffix(stmt, token.text + token.len - rest, rest)) {
        ir_lex_error_expected(&r->lex, "an operation");
        return NULL;
    }
    ir_lex_next(&r->lex);
    return stmt;
}

static void read_nested(Reader *r, IrBlock *block) {
    ir_lex_expect(&r->lex, "{");
    if (++r->depth > DEEPEST_NESTING) ir_lex_error(&r->lex, "blocks are nested too deeply");
    read_block(r, block);
    r->depth--;
    ir_lex_expect(&r->lex, "}");
}

static void end_line(Reader *r) {
    if (r->lex.token.kind != IR_TOKEN_LINE)
        ir_lex_error_expected(&r->lex, "the end of the line");
    ir_lex_next(&r->lex);
}

static void read_strip(Reader *r, IrStmt *stmt) {
    IrConst length;
    IrToken token = r->lex.token;
    if (token.kind == IR_TOKEN_NUMBER &&
        !ir_literal_parse(token.text, token.len, TY_UINT32, &length))
        stmt->strip = (uint32_t)length.u;
    else
        ir_lex_error_expected(&r->lex, "a number of iterations");
    ir_lex_next(&r->lex);
}

static void read_for_head(Reader *r, IrStmt *stmt) {
    stmt->parallel = ir_lex_accept(&r->lex, "parallel");
    stmt->asserted = ir_lex_accept(&r->lex, "asserted");
    stmt->weighed = ir_lex_accept(&r->lex, "weighed");
    stmt->pass = ir_lex_accept(&r->lex, "pass");
    stmt->jammed = ir_lex_accept(&r->lex, "jammed");
    stmt->leftover = ir_lex_accept(&r->lex, "leftover");
    if (ir_lex_accept(&r->lex, "strip")) read_strip(r, stmt);
    read_dsts(r);
}

static void read_stmt(Reader *r, IrBlock *block) {
    IrLexer *lex = &r->lex;
    r->dsts.len = r->args.len = 0;
    if (lex->token.kind == IR_TOKEN_REG) read_dsts(r);
    IrStmt *stmt = lex->failed ? NULL : read_op(r);
    if (!stmt) return;
    IrForm form = ir_op_form(stmt->op);
    if (form == FORM_FOR) read_for_head(r, stmt);
    read_operands(r, stmt);
    stmt->span = ir_lex_span(lex);
    if (lex->failed) return;
    bind_args(r, stmt);
    bind_dsts(r, stmt);
    ir_block_append(block, stmt);
    if (ir_stmt_is_nested(stmt)) read_nested(r, &stmt->u.blocks.then);
    if (form == FORM_IF && ir_lex_accept(lex, "else")) read_nested(r, &stmt->u.blocks.els);
    end_line(r);
}

/* Up to the closing brace, which stays. */
static void read_block(Reader *r, IrBlock *block) {
    while (r->lex.token.kind != IR_TOKEN_END && !ir_lex_is(&r->lex, "}")) {
        if (r->lex.token.kind == IR_TOKEN_LINE)
            ir_lex_next(&r->lex);
        else
            read_stmt(r, block);
    }
}

/* ---- Functions ---- */

typedef struct Body {
    IrFunc *func;
    IrLexer start; /* at the opening brace */
    JrTable regs;
} Body;

static void read_params(Reader *r) {
    ir_lex_expect(&r->lex, "(");
    while (!ir_lex_is(&r->lex, ")") && !r->lex.failed) {
        if (r->func->nparams && !ir_lex_accept(&r->lex, ",")) break;
        IrToken token = read_new_reg(r);
        ir_lex_expect(&r->lex, ":");
        bool owned;
        IrType type = read_type(r, &owned);
        if (r->lex.failed) return;
        IrReg reg = ir_param(r->func, type, NULL);
        ir_reg(r->func, reg)->owned = owned;
        bind_reg(r, &token, reg);
    }
    ir_lex_expect(&r->lex, ")");
}

static void read_results(Reader *r) {
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

static void read_attributes(Reader *r) {
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

static Body read_header(Reader *r) {
    Body body = {0};
    ir_lex_expect(&r->lex, "func");
    IrToken token = r->lex.token;
    const char *name = read_name(r);
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

static void read_vars(Reader *r) {
    while (ir_lex_accept(&r->lex, "var")) {
        IrToken token = read_new_reg(r);
        ir_lex_expect(&r->lex, ":");
        bool owned;
        IrType type = read_type(r, &owned);
        if (r->lex.failed) return;
        IrReg reg = ir_var(r->func, type, NULL);
        ir_reg(r->func, reg)->owned = owned;
        bind_reg(r, &token, reg);
        end_line(r);
    }
}

static void read_body(Reader *r, const Body *body) {
    r->lex = body->start;
    r->func = body->func;
    r->regs = body->regs;
    ir_lex_expect(&r->lex, "{");
    end_line(r);
    read_vars(r);
    read_block(r, &r->func->body);
    ir_lex_expect(&r->lex, "}");
    end_line(r);
}

static const char *read_file_name(Reader *r) {
    uint32_t len;
    ir_lex_expect(&r->lex, "file");
    const char *name = ir_lex_string(&r->lex, &len);
    end_line(r);
    return name;
}

/* `host name(float64, user, written float64[:]) -> float64` */
static void read_host(Reader *r) {
    const char *name = read_name(r);
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
    end_line(r);
}

static void read_hosts(Reader *r) {
    while (r->lex.token.kind == IR_TOKEN_LINE)
        ir_lex_next(&r->lex);
    while (ir_lex_accept(&r->lex, "host"))
        read_host(r);
}

IrModule *ir_parse_module(JrArena *arena, const JrSource *source, JrDiags *diags) {
    Reader r = {.arena = arena};
    ir_lex_start(&r.lex, source, diags);
    const char *file = read_file_name(&r);
    r.module = ir_module_new(arena, file);
    read_hosts(&r);
    JR_VEC(Body) bodies = {0};
    while (r.lex.token.kind != IR_TOKEN_END) {
        Body body = read_header(&r);
        JR_PUSH(arena, &bodies, body);
        if (r.lex.token.kind != IR_TOKEN_END)
            end_line(&r); /* else reading the body says why */
    }
    for (uint32_t i = 0; i < bodies.len && !r.lex.failed; i++)
        read_body(&r, &bodies.data[i]);
    return r.lex.failed ? NULL : r.module;
}

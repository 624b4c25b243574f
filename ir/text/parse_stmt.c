/* Reads the statements of a function's body: registers, operands in the form of each operation, and
 * blocks. */
#include "ir/text/parse.h"

#include <string.h>

enum { DEEPEST_NESTING = 1000 };

/* ---- Registers ---- */

static const char *spelling(IrReader *r, const IrToken *token) {
    return jr_arena_strndup(r->arena, token->text, token->len);
}

/* The name of %x, %x.1 or %"odd".1; NULL for %12. */
static const char *base_name(IrReader *r, const IrToken *token) {
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

static IrReg find_reg(IrReader *r, const IrToken *token) {
    uintptr_t known = (uintptr_t)jr_table_get(&r->regs, spelling(r, token));
    return known ? (IrReg)(known - 1) : IR_NO_REG;
}

void ir_parse_bind(IrReader *r, const IrToken *token, IrReg reg) {
    ir_reg(r->func, reg)->name = base_name(r, token);
    jr_table_put(&r->regs, spelling(r, token), (void *)((uintptr_t)reg + 1));
}

IrToken ir_parse_new_reg(IrReader *r) {
    IrToken token = r->lex.token;
    if (token.kind != IR_TOKEN_REG)
        ir_lex_error_expected(&r->lex, "a register");
    else if (find_reg(r, &token) != IR_NO_REG)
        ir_lex_error(&r->lex, "register '%.*s' is declared twice", (int)token.len, token.text);
    ir_lex_next(&r->lex);
    return token;
}

IrType ir_parse_type(IrReader *r, bool *owned) {
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

static IrReg read_number(IrReader *r) {
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

static IrReg read_operand(IrReader *r) {
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

static void read_arg(IrReader *r) {
    IrReg reg = read_operand(r);
    if (!r->lex.failed) JR_PUSH(r->arena, &r->args, reg);
}

static bool at_operand(const IrLexer *lex) {
    IrTokenKind kind = lex->token.kind;
    return kind == IR_TOKEN_REG || kind == IR_TOKEN_NUMBER || kind == IR_TOKEN_STRING ||
           ir_lex_is(lex, "true") || ir_lex_is(lex, "false");
}

/* Operands with commas between them, or none. */
static void read_args(IrReader *r) {
    if (!at_operand(&r->lex)) return;
    do
        read_arg(r);
    while (ir_lex_accept(&r->lex, ","));
}

/* ---- Operands of each form ---- */

static void read_index(IrReader *r, IrStmt *stmt, unsigned axis) {
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
static void read_element(IrReader *r, IrStmt *stmt) {
    unsigned axis = 0;
    read_arg(r);
    ir_lex_expect(&r->lex, "[");
    do
        read_index(r, stmt, axis++);
    while (ir_lex_accept(&r->lex, ","));
    ir_lex_expect(&r->lex, "]");
}

static void read_range(IrReader *r) {
    ir_lex_expect(&r->lex, "(");
    for (int i = 0; i < 3; i++) {
        if (i) ir_lex_expect(&r->lex, ",");
        read_arg(r);
    }
    ir_lex_expect(&r->lex, ")");
}

/* %x[%i, range(%start, %len, %step), new] */
static void read_view(IrReader *r, IrStmt *stmt) {
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

static void read_axis(IrReader *r, IrStmt *stmt) {
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

const char *ir_parse_name(IrReader *r) {
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

static void read_call(IrReader *r, IrStmt *stmt) {
    IrToken token = r->lex.token;
    const char *name = ir_parse_name(r);
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

static void read_raise(IrReader *r, IrStmt *stmt) {
    IrToken token = r->lex.token;
    if (token.kind == IR_TOKEN_NAME) stmt->u.exc = ir_exc_named(token.text, token.len);
    if (!stmt->u.exc) ir_lex_error_expected(&r->lex, "the name of an exception");
    ir_lex_next(&r->lex);
    read_args(r);
}

static void read_operands(IrReader *r, IrStmt *stmt) {
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
static void read_dsts(IrReader *r) {
    do {
        IrReaderDst dst = {.token = r->lex.token};
        if (dst.token.kind != IR_TOKEN_REG) ir_lex_error_expected(&r->lex, "a register");
        ir_lex_next(&r->lex);
        if (ir_lex_accept(&r->lex, ":")) dst.type = ir_parse_type(r, &dst.owned);
        JR_PUSH(r->arena, &r->dsts, dst);
    } while (ir_lex_accept(&r->lex, ","));
    ir_lex_expect(&r->lex, "=");
}

/* The register a statement writes: a known one, or a TEMP that it makes. */
static IrReg bind_dst(IrReader *r, IrStmt *stmt, uint32_t i) {
    const IrReaderDst *dst = &r->dsts.data[i];
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
    ir_parse_bind(r, &dst->token, reg);
    return reg;
}

static void bind_dsts(IrReader *r, IrStmt *stmt) {
    stmt->ndsts = r->dsts.len;
    stmt->dsts = JR_NEW_ARRAY(r->arena, IrReg, r->dsts.len);
    for (uint32_t i = 0; i < r->dsts.len && !r->lex.failed; i++)
        stmt->dsts[i] = bind_dst(r, stmt, i);
}

static void bind_args(IrReader *r, IrStmt *stmt) {
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
static IrStmt *read_op(IrReader *r) {
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

static void read_nested(IrReader *r, IrBlock *block) {
    ir_lex_expect(&r->lex, "{");
    if (++r->depth > DEEPEST_NESTING) ir_lex_error(&r->lex, "blocks are nested too deeply");
    ir_parse_block(r, block);
    r->depth--;
    ir_lex_expect(&r->lex, "}");
}

void ir_parse_line_end(IrReader *r) {
    if (r->lex.token.kind != IR_TOKEN_LINE)
        ir_lex_error_expected(&r->lex, "the end of the line");
    ir_lex_next(&r->lex);
}

static void read_strip(IrReader *r, IrStmt *stmt) {
    IrConst length;
    IrToken token = r->lex.token;
    if (token.kind == IR_TOKEN_NUMBER &&
        !ir_literal_parse(token.text, token.len, TY_UINT32, &length))
        stmt->strip = (uint32_t)length.u;
    else
        ir_lex_error_expected(&r->lex, "a number of iterations");
    ir_lex_next(&r->lex);
}

static void read_for_head(IrReader *r, IrStmt *stmt) {
    stmt->parallel = ir_lex_accept(&r->lex, "parallel");
    stmt->asserted = ir_lex_accept(&r->lex, "asserted");
    stmt->weighed = ir_lex_accept(&r->lex, "weighed");
    stmt->pass = ir_lex_accept(&r->lex, "pass");
    stmt->jammed = ir_lex_accept(&r->lex, "jammed");
    stmt->leftover = ir_lex_accept(&r->lex, "leftover");
    if (ir_lex_accept(&r->lex, "strip")) read_strip(r, stmt);
    read_dsts(r);
}

static void read_stmt(IrReader *r, IrBlock *block) {
    IrLexer *lex = &r->lex;
    r->dsts.len = r->args.len = 0;
    if (lex->token.kind == IR_TOKEN_REG) read_dsts(r);
    IrStmt *stmt = lex->failed ? NULL : read_op(r);
    if (!stmt) return;
    IrForm form = ir_op_form(stmt->op);
    if (form == FORM_FOR) read_for_head(r, stmt);
    if (form == FORM_LOOP) stmt->pass = ir_lex_accept(lex, "pass");
    read_operands(r, stmt);
    stmt->span = ir_lex_span(lex);
    if (lex->failed) return;
    bind_args(r, stmt);
    bind_dsts(r, stmt);
    ir_block_append(block, stmt);
    if (ir_stmt_is_nested(stmt)) read_nested(r, &stmt->u.blocks.then);
    if (form == FORM_IF && ir_lex_accept(lex, "else")) read_nested(r, &stmt->u.blocks.els);
    ir_parse_line_end(r);
}

/* Up to the closing brace, which stays. */
void ir_parse_block(IrReader *r, IrBlock *block) {
    while (r->lex.token.kind != IR_TOKEN_END && !ir_lex_is(&r->lex, "}")) {
        if (r->lex.token.kind == IR_TOKEN_LINE)
            ir_lex_next(&r->lex);
        else
            read_stmt(r, block);
    }
}

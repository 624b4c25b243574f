/* Tokens and trees as text, for --dump: one token or statement a line, expressions with the
 * operator first: `x = a[i] + 1` is `= x (+ (index a i) 1)`. */
#include "frontend/syntax/lexer.h"
#include "frontend/syntax/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fe_ast_op_text(AstOp op) {
    static const char *const texts[] = {
        [AST_ADD] = "+",         [AST_SUB] = "-",       [AST_MUL] = "*",
        [AST_DIV] = "/",         [AST_FLOORDIV] = "//", [AST_MOD] = "%",
        [AST_POW] = "**",        [AST_MATMUL] = "@",    [AST_AND] = "&",
        [AST_OR] = "|",          [AST_XOR] = "^",       [AST_SHL] = "<<",
        [AST_SHR] = ">>",        [AST_NEG] = "-",       [AST_POS] = "+",
        [AST_INVERT] = "~",      [AST_NOT] = "not",     [AST_EQ] = "==",
        [AST_NE] = "!=",         [AST_LT] = "<",        [AST_LE] = "<=",
        [AST_GT] = ">",          [AST_GE] = ">=",       [AST_IS] = "is",
        [AST_IS_NOT] = "is not", [AST_IN] = "in",       [AST_NOT_IN] = "not in",
        [AST_BOOL_AND] = "and",  [AST_BOOL_OR] = "or",
    };
    return texts[op];
}

/* Tokens. */

static bool has_fixed_text(TokenKind kind) {
    return kind <= TOK_DEDENT;
}

void fe_ast_dump_tokens(JrArena *arena, const JrSource *source, JrText *out) {
    static const char *const names[] = {
#define JR_TOKEN(ID, text) #ID,
#define JR_KEYWORD(ID, text) "keyword",
#define JR_PUNCT(ID, text) "punctuation",
#include "frontend/syntax/token.def"
    };
    Lexer *lexer = JR_NEW(arena, Lexer);
    Token token;
    fe_lexer_init(lexer, arena, source, NULL);
    do {
        fe_lexer_next(lexer, &token);
        jr_text_printf(out, "%d:%d %s", token.line, token.col, names[token.kind]);
        if (!has_fixed_text(token.kind)) {
            jr_text_puts(out, " ");
            jr_text_add(out, source->text + token.pos, token.len);
        }
        jr_text_puts(out, "\n");
    } while (token.kind != TOK_EOF);
}

/* Expressions. */

static void dump_expr(JrText *out, const AstExpr *expr);

static void dump_items(JrText *out, const AstExprs *items) {
    for (uint32_t i = 0; i < items->len; i++) {
        jr_text_puts(out, " ");
        dump_expr(out, items->data[i]);
    }
}

static void dump_optional(JrText *out, const AstExpr *expr) {
    jr_text_puts(out, " ");
    if (expr)
        dump_expr(out, expr);
    else
        jr_text_puts(out, "_");
}

static void dump_int(JrText *out, unsigned __int128 value) {
    char digits[40], *at = digits + sizeof digits;
    *--at = 0;
    do {
        *--at = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value);
    jr_text_puts(out, at);
}

/* The fewest digits that read back, and always a mark of being a float. */
static void dump_real(JrText *out, double value) {
    char text[64];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    for (char *c = text; *c; c++)
        if (*c == ',') *c = '.'; /* the host program's locale */
    jr_text_puts(out, text);
    if (!strpbrk(text, ".einf")) jr_text_puts(out, ".0");
}

static void dump_str(JrText *out, const char *bytes, uint32_t len) {
    jr_text_puts(out, "\"");
    for (uint32_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            jr_text_printf(out, "\\%c", c);
        else if (c < ' ')
            jr_text_printf(out, "\\x%02x", c);
        else
            jr_text_add(out, bytes + i, 1);
    }
    jr_text_puts(out, "\"");
}

static void dump_compare(JrText *out, const AstExpr *expr) {
    jr_text_puts(out, "(compare ");
    dump_expr(out, expr->items.data[0]);
    for (uint32_t i = 0; i < expr->ops.len; i++) {
        jr_text_printf(out, " %s ", fe_ast_op_text(expr->ops.data[i]));
        dump_expr(out, expr->items.data[i + 1]);
    }
    jr_text_puts(out, ")");
}

static void dump_call(JrText *out, const AstExpr *expr) {
    jr_text_puts(out, "(call");
    dump_optional(out, expr->left);
    dump_items(out, &expr->items);
    for (uint32_t i = 0; i < expr->keywords.len; i++) {
        jr_text_printf(out, " %s=", expr->keywords.data[i].name);
        dump_expr(out, expr->keywords.data[i].value);
    }
    jr_text_puts(out, ")");
}

/* (head left right cond items...): what is there of it */
static void dump_node(JrText *out, const char *head, const AstExpr *expr) {
    jr_text_printf(out, "(%s", head);
    if (expr->kind == AST_SLICE || expr->left) dump_optional(out, expr->left);
    if (expr->kind == AST_TERNARY) dump_optional(out, expr->cond);
    if (expr->kind == AST_SLICE || expr->right) dump_optional(out, expr->right);
    if (expr->kind == AST_SLICE && expr->cond) dump_optional(out, expr->cond);
    dump_items(out, &expr->items);
    jr_text_puts(out, ")");
}

static void dump_expr(JrText *out, const AstExpr *expr) {
    switch (expr->kind) {
    case AST_NAME: jr_text_puts(out, expr->name); break;
    case AST_INT: dump_int(out, expr->u.big); break;
    case AST_FLOAT: dump_real(out, expr->u.real); break;
    case AST_IMAG:
        dump_real(out, expr->u.real);
        jr_text_puts(out, "j");
        break;
    case AST_STR: dump_str(out, expr->u.str.bytes, expr->u.str.len); break;
    case AST_TRUE: jr_text_puts(out, "True"); break;
    case AST_FALSE: jr_text_puts(out, "False"); break;
    case AST_NONE: jr_text_puts(out, "None"); break;
    case AST_ELLIPSIS: jr_text_puts(out, "..."); break;
    case AST_TUPLE: dump_node(out, "tuple", expr); break;
    case AST_LIST: dump_node(out, "list", expr); break;
    case AST_UNARY:
    case AST_BINARY:
    case AST_BOOL: dump_node(out, fe_ast_op_text(expr->op), expr); break;
    case AST_COMPARE: dump_compare(out, expr); break;
    case AST_TERNARY: dump_node(out, "if", expr); break;
    case AST_CALL: dump_call(out, expr); break;
    case AST_ATTR:
        jr_text_puts(out, "(.");
        dump_optional(out, expr->left);
        jr_text_printf(out, " %s)", expr->name);
        break;
    case AST_NAMED:
        jr_text_printf(out, "(:= %s", expr->name);
        dump_optional(out, expr->left);
        jr_text_puts(out, ")");
        break;
    case AST_SUBSCRIPT: dump_node(out, "index", expr); break;
    case AST_SLICE: dump_node(out, "slice", expr); break;
    }
}

/* Statements. */

static void dump_block(JrText *out, const AstBlock *block, int depth);

static void dump_indent(JrText *out, int depth) {
    for (int i = 0; i < depth; i++)
        jr_text_puts(out, "  ");
}

static void dump_else(JrText *out, const AstBlock *block, int depth) {
    if (!block->len) return;
    dump_indent(out, depth);
    jr_text_puts(out, "else\n");
    dump_block(out, block, depth + 1);
}

static void dump_param(JrText *out, const AstParam *param) {
    jr_text_printf(out, " (%s", param->name);
    if (param->annotation) {
        jr_text_puts(out, " :");
        dump_optional(out, param->annotation);
    }
    if (param->fallback) {
        jr_text_puts(out, " =");
        dump_optional(out, param->fallback);
    }
    if (param->keyword_only) jr_text_puts(out, " keyword-only");
    if (param->positional_only) jr_text_puts(out, " positional-only");
    jr_text_puts(out, ")");
}

static void dump_func(JrText *out, const AstFunc *func, int depth) {
    for (uint32_t i = 0; i < func->decorators.len; i++) {
        jr_text_puts(out, i ? " @" : "@");
        dump_expr(out, func->decorators.data[i]);
    }
    jr_text_printf(out, "%sdef %s", func->decorators.len ? " " : "", func->name);
    for (uint32_t i = 0; i < func->params.len; i++)
        dump_param(out, &func->params.data[i]);
    if (func->returns) {
        jr_text_puts(out, " ->");
        dump_optional(out, func->returns);
    }
    jr_text_puts(out, "\n");
    if (func->docstring) {
        dump_indent(out, depth + 1);
        dump_str(out, func->docstring, (uint32_t)strlen(func->docstring));
        jr_text_puts(out, "\n");
    }
    dump_block(out, &func->body, depth + 1);
}

static void dump_imports(JrText *out, const AstStmt *stmt) {
    jr_text_puts(out, stmt->kind == AST_IMPORT ? "import" : "global");
    for (uint32_t i = 0; i < stmt->imports.len; i++) {
        const AstImport *import = &stmt->imports.data[i];
        if (stmt->kind == AST_GLOBAL)
            jr_text_printf(out, " %s", import->name);
        else
            jr_text_printf(out, " (%s %s as %s)", import->module,
                           import->item ? import->item : "_", import->name);
    }
    jr_text_puts(out, "\n");
}

/* word targets... annotation value message */
static void dump_line(JrText *out, const char *word, const char *suffix, const AstStmt *stmt) {
    jr_text_printf(out, "%s%s", word, suffix);
    dump_items(out, &stmt->targets);
    if (stmt->annotation) dump_optional(out, stmt->annotation);
    if (stmt->value) dump_optional(out, stmt->value);
    if (stmt->message) dump_optional(out, stmt->message);
    jr_text_puts(out, "\n");
}

static void dump_stmt(JrText *out, const AstStmt *stmt, int depth) {
    static const char *const words[] = {
        [AST_ASSIGN] = "=",      [AST_ANN] = ":",
        [AST_EXPR] = "expr",     [AST_IF] = "if",
        [AST_WHILE] = "while",   [AST_FOR] = "for",
        [AST_BREAK] = "break",   [AST_CONTINUE] = "continue",
        [AST_PASS] = "pass",     [AST_RETURN] = "return",
        [AST_ASSERT] = "assert", [AST_RAISE] = "raise",
        [AST_DEL] = "del",
    };
    dump_indent(out, depth);
    switch (stmt->kind) {
    case AST_DEF: dump_func(out, stmt->func, depth); break;
    case AST_IMPORT:
    case AST_GLOBAL: dump_imports(out, stmt); break;
    case AST_AUG: dump_line(out, fe_ast_op_text(stmt->op), "=", stmt); break;
    default: dump_line(out, words[stmt->kind], "", stmt); break;
    }
    dump_block(out, &stmt->body, depth + 1);
    dump_else(out, &stmt->orelse, depth);
}

static void dump_block(JrText *out, const AstBlock *block, int depth) {
    for (uint32_t i = 0; i < block->len; i++)
        dump_stmt(out, block->data[i], depth);
}

void fe_ast_dump(const AstModule *module, JrText *out) {
    dump_block(out, &module->body->body, 0);
}

/* Named tuples: Point = namedtuple("Point", "x y") at the top level, Point(1.0, y=2.0), p.x. A value of one is a tuple
 * whose type knows the names. */
#include "frontend/infer/infer.h"

#include <string.h>

/* ---- namedtuple(...) ---- */

static bool add_field(FeInfer *in, FeRecord *record, const char *name, size_t len,
                      JrSpan span) {
    const char *field = jr_arena_strndup(in->arena, name, len);
    bool twice = false;
    for (uint32_t i = 0; i < record->count; i++)
        twice |= !strcmp(record->fields[i], field);
    if (twice || *field == '_') {
        JrDiag *diag = jr_diag_error(in->diags, span, "'%s' cannot be a field's name", field);
        jr_diag_help(in->diags, diag,
                     twice ? "each field needs a name of its own"
                           : "names with a leading _ are namedtuple's own");
        return false;
    }
    record->fields[record->count++] = field;
    return true;
}

/* "x y", "x, y" */
static bool split_fields(FeInfer *in, FeRecord *record, const AstExpr *names) {
    const char *at = names->u.str.bytes;
    bool good = true;
    while (good && *(at += strspn(at, " ,\t\n"))) {
        size_t len = strcspn(at, " ,\t\n");
        good = add_field(in, record, at, len, names->span);
        at += len;
    }
    return good;
}

static bool take_fields(FeInfer *in, FeRecord *record, const AstExpr *names) {
    if (names->kind == AST_STR) return split_fields(in, record, names);
    for (uint32_t i = 0; i < names->items.len; i++) {
        const AstExpr *item = names->items.data[i];
        if (!add_field(in, record, item->u.str.bytes, item->u.str.len, item->span))
            return false;
    }
    return true;
}

/* How many fields there are at most; 0 if they are not literals. */
static uint32_t most_fields(const AstExpr *names) {
    if (names->kind == AST_STR) return names->u.str.len + 1;
    if (names->kind != AST_LIST && names->kind != AST_TUPLE) return 0;
    for (uint32_t i = 0; i < names->items.len; i++)
        if (names->items.data[i]->kind != AST_STR) return 0;
    return names->items.len + 1;
}

const FeType *fe_record_defined(FeInfer *in, const AstExpr *expr) {
    if (expr->kind != AST_CALL) return NULL;
    const Entry *callee = fe_scope_path(in, expr->left);
    const FeBuiltin *builtin = callee && callee->type ? callee->type->builtin : NULL;
    if (!builtin || builtin->id != BI_COLLECTIONS_NAMEDTUPLE) return NULL;
    const AstExprs *args = &expr->items;
    uint32_t most = args->len == 2 && args->data[0]->kind == AST_STR && !expr->keywords.len
                        ? most_fields(args->data[1])
                        : 0;
    if (!most) {
        JrDiag *diag = jr_diag_error(in->diags, expr->span,
                                     "namedtuple() takes two literals, a name and the fields");
        jr_diag_help(in->diags, diag, "write namedtuple(\"Point\", \"x y\")");
        return in->types->error;
    }
    FeRecord *record = JR_NEW(in->arena, FeRecord);
    record->name = args->data[0]->u.str.bytes;
    record->fields = JR_NEW_ARRAY(in->arena, const char *, most);
    if (!take_fields(in, record, args->data[1])) return in->types->error;
    return fe_type_record(in->types, record);
}

/* ---- Point(1.0, y=2.0) ---- */

int fe_record_field(const FeRecord *record, const char *name) {
    for (uint32_t i = 0; i < record->count; i++)
        if (!strcmp(record->fields[i], name)) return (int)i;
    return -1;
}

static const FeType *refuse(FeInfer *in, const AstExpr *expr, const FeRecord *record,
                            const char *format, const char *what) {
    JrText fields;
    jr_text_init(&fields, in->arena);
    for (uint32_t i = 0; i < record->count; i++)
        jr_text_printf(&fields, "%s%s", i ? ", " : "", record->fields[i]);
    return fe_infer_fail(in, expr->span,
                         jr_arena_printf(in->arena, "it is %s(%s)", record->name,
                                         record->count ? fields.data : ""),
                         format, record->name, what);
}

/* Puts the arguments in the order of the fields; NULL, or the error. */
static const FeType *match(FeInfer *in, const AstExpr *expr, const FeRecord *record,
                           AstExpr **args) {
    if (expr->items.len > record->count)
        return refuse(in, expr, record, "%s() is given more values than it has fields%s", "");
    for (uint32_t i = 0; i < expr->items.len; i++)
        args[i] = expr->items.data[i];
    for (uint32_t k = 0; k < expr->keywords.len; k++) {
        const AstKeyword *keyword = &expr->keywords.data[k];
        int at = fe_record_field(record, keyword->name);
        if (at < 0) return refuse(in, expr, record, "%s has no field '%s'", keyword->name);
        if (args[at])
            return refuse(in, expr, record, "%s() is given '%s' twice", keyword->name);
        args[at] = keyword->value;
    }
    for (uint32_t i = 0; i < record->count; i++)
        if (!args[i]) return refuse(in, expr, record, "%s() needs '%s'", record->fields[i]);
    return NULL;
}

const FeType *fe_infer_record(FeInfer *in, const AstExpr *expr, const FeRecord *record) {
    FeNode *node = node_at(in, expr);
    AstExpr **args = JR_NEW_ARRAY(in->arena, AstExpr *, record->count + 1);
    const FeType **items = JR_NEW_ARRAY(in->arena, const FeType *, record->count + 1);
    const FeType *error = match(in, expr, record, args);
    fe_infer_arguments(in, expr);
    if (error) return error;
    for (uint32_t i = 0; i < record->count; i++) {
        const FeType *type = node_at(in, args[i])->type;
        if (type_is_void(type)) return fe_infer_silent(in);
        if (!fe_infer_is_storable(type))
            return fe_infer_fail(in, args[i]->span, NULL, "%s cannot be stored in a tuple",
                                 fe_infer_name(in, type));
        items[i] = fe_infer_strong(in, args[i], type);
        if (type_is_void(items[i])) return items[i];
        fe_infer_settle(in, args[i]);
    }
    node->nargs = record->count;
    node->args = args;
    return fe_type_named(in->types, record, items);
}

/* ---- p.x ---- */

const FeType *fe_infer_field(FeInfer *in, const AstExpr *expr, const FeType *tuple) {
    int at = fe_record_field(tuple->record, expr->name);
    if (at >= 0) return tuple->items[at];
    const char *near = jr_nearest(expr->name, tuple->record->fields, tuple->record->count);
    return fe_infer_fail(in, expr->at,
                         near ? jr_arena_printf(in->arena, "did you mean '%s'?", near) : NULL,
                         "%s has no field '%s'", fe_infer_name(in, tuple), expr->name);
}

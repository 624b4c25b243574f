/* Interned types: their making, their names, and how two of them join. */
#include "frontend/infer/sema.h"

#include <stdio.h>
#include <string.h>

static FeType *type_new(FeTypes *types, FeKind kind, const char *name) {
    FeType *type = JR_NEW(types->arena, FeType);
    type->kind = kind;
    type->name = name;
    return type;
}

void fe_types_init(FeTypes *types, JrArena *arena) {
    memset(types, 0, sizeof *types);
    types->arena = arena;
    jr_table_init(&types->interned, arena);
    types->unknown = type_new(types, FE_UNKNOWN, "unknown");
    types->error = type_new(types, FE_ERROR, "error");
    types->none = type_new(types, FE_NONE, "None");
    types->weak_int = type_new(types, FE_WEAK_INT, "an int literal");
    types->weak_float = type_new(types, FE_WEAK_FLOAT, "a float literal");
    types->range = type_new(types, FE_RANGE, "a range");
    for (int s = TY_NONE + 1; s < TY_COUNT; s++) {
        FeType *type = type_new(types, FE_SCALAR, ir_scalar_name((IrScalar)s));
        type->ir = ir_scalar((IrScalar)s);
        types->scalars[s] = type;
    }
}

/* The type of this kind under a key made of its parts, new or not. */
static FeType *intern(FeTypes *types, FeKind kind, const char *key, bool *fresh) {
    FeType *type = jr_table_get(&types->interned, key);
    *fresh = !type;
    if (!type) {
        type = type_new(types, kind, NULL);
        jr_table_put(&types->interned, jr_arena_strdup(types->arena, key), type);
    }
    return type;
}

const FeType *fe_type_ir(FeTypes *types, IrType ir) {
    if (ir.ndim == 0) return types->scalars[ir.scalar];
    char key[32];
    bool fresh;
    snprintf(key, sizeof key, "a%x", ir_type_bits(ir));
    FeType *type = intern(types, FE_ARRAY, key, &fresh);
    if (fresh) {
        type->ir = ir;
        type->name = ir_type_name(ir, types->arena);
    }
    return type;
}

/* What compounds of the same items differ in. */
typedef struct Owner {
    FeFunc *func;
    const FeRecord *record;
} Owner;

static bool same_items(const FeType *type, Owner owner, uint32_t count,
                       const FeType *const *items) {
    return type->func == owner.func && type->record == owner.record && type->count == count &&
           (!count || !memcmp(type->items, items, count * sizeof *items));
}

static const FeType *compound(FeTypes *types, FeKind kind, Owner owner, uint32_t count,
                              const FeType *const *items) {
    uint64_t hash =
        (14695981039346656037u ^ count) + (uintptr_t)owner.func + (uintptr_t)owner.record;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ (uintptr_t)items[i]) * 1099511628211u;
    char key[40];
    bool fresh;
    snprintf(key, sizeof key, "%c%llx",
             kind == FE_TUPLE  ? 't'
             : kind == FE_LIST ? 'l'
                               : 'c',
             (unsigned long long)hash);
    FeType *type = intern(types, kind, key, &fresh);
    for (; !fresh; type = type->next) {
        if (same_items(type, owner, count, items)) return type;
        if (!type->next) {
            type = type->next = type_new(types, kind, NULL);
            break;
        }
    }
    type->func = owner.func;
    type->record = owner.record;
    type->count = count;
    type->items = JR_NEW_ARRAY(types->arena, const FeType *, count ? count : 1);
    if (count) memcpy(type->items, items, count * sizeof *items);
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += items[i]->size ? items[i]->size : 1;
    type->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    return type;
}

const FeType *fe_type_tuple(FeTypes *types, uint32_t count, const FeType *const *items) {
    return compound(types, FE_TUPLE, (Owner){NULL, NULL}, count, items);
}

const FeType *fe_type_record(FeTypes *types, const FeRecord *record) {
    FeType *type = type_new(types, FE_RECORD, NULL);
    type->record = record;
    type->name = jr_arena_printf(types->arena, "the named tuple '%s'", record->name);
    return type;
}

const FeType *fe_type_named(FeTypes *types, const FeRecord *record,
                            const FeType *const *items) {
    return compound(types, FE_TUPLE, (Owner){NULL, record}, record->count, items);
}

const FeType *fe_type_list(FeTypes *types, uint32_t count, const FeType *const *items) {
    return compound(types, FE_LIST, (Owner){NULL, NULL}, count, items);
}

const FeType *fe_type_dtype(FeTypes *types, IrScalar scalar) {
    char key[16];
    bool fresh;
    snprintf(key, sizeof key, "d%d", (int)scalar);
    FeType *type = intern(types, FE_DTYPE, key, &fresh);
    if (fresh) {
        type->ir = ir_scalar(scalar);
        type->name = jr_arena_printf(types->arena, "the type %s", ir_scalar_name(scalar));
    }
    return type;
}

const FeType *fe_type_func(FeTypes *types, FeFunc *func) {
    char key[32];
    bool fresh;
    snprintf(key, sizeof key, "f%p", (void *)func);
    FeType *type = intern(types, FE_FUNC, key, &fresh);
    type->func = func;
    if (fresh)
        type->name = jr_arena_printf(types->arena, "the function '%s'", func->ast->name);
    return type;
}

const FeType *fe_type_closure(FeTypes *types, FeFunc *func, uint32_t count,
                              const FeType *const *items) {
    if (!count) return fe_type_func(types, func);
    FeType *type = (FeType *)compound(types, FE_FUNC, (Owner){func, NULL}, count, items);
    if (!type->name)
        type->name = jr_arena_printf(types->arena, "the function '%s'", func->ast->name);
    return type;
}

const FeType *fe_type_builtin(FeTypes *types, const FeBuiltin *builtin) {
    char key[16];
    bool fresh;
    snprintf(key, sizeof key, "b%d", (int)builtin->id);
    bool cast = builtin->kind == BK_CAST;
    FeType *type = intern(types, cast ? FE_DTYPE : FE_BUILTIN, key, &fresh);
    type->builtin = builtin;
    if (cast) type->ir = ir_scalar((IrScalar)builtin->detail);
    if (fresh)
        type->name = jr_arena_printf(types->arena, cast ? "the type %s" : "the function '%s'",
                                     builtin->path);
    return type;
}

const FeType *fe_type_host(FeTypes *types, const FeHost *host) {
    char key[32];
    bool fresh;
    snprintf(key, sizeof key, "h%p", (const void *)host);
    FeType *type = intern(types, FE_HOST, key, &fresh);
    type->host = host;
    if (fresh) type->name = jr_arena_printf(types->arena, "the function '%s'", host->name);
    return type;
}

const FeType *fe_type_of_host(FeTypes *types, const FeHostType **at) {
    const FeHostType *type = (*at)++;
    if (!type->count) return type->ir.scalar ? fe_type_ir(types, type->ir) : types->none;
    const FeType **items = JR_NEW_ARRAY(types->arena, const FeType *, type->count);
    for (uint32_t i = 0; i < type->count; i++)
        items[i] = fe_type_of_host(types, at);
    return fe_type_tuple(types, type->count, items);
}

static bool same_text(const FeConst *a, const FeConst *b) {
    return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

const FeType *fe_type_str(FeTypes *types, const FeConst *text) {
    const char *bytes = jr_arena_strndup(types->arena, text->bytes, text->len);
    bool fresh;
    FeType *type = intern(types, FE_STR, jr_arena_printf(types->arena, "s%s", bytes), &fresh);
    for (; !fresh && !same_text(type->text, text); type = type->next) { /* a NUL in both */
        if (type->next) continue;
        type->next = type_new(types, FE_STR, NULL);
        fresh = true;
    }
    if (!fresh) return type;
    type->text = text;
    type->name =
        text->len <= 40 ? jr_arena_printf(types->arena, "the string '%s'", bytes) : "a string";
    return type;
}

const FeType *fe_type_module(FeTypes *types, const char *name) {
    char key[64];
    bool fresh;
    snprintf(key, sizeof key, "m%s", name);
    FeType *type = intern(types, FE_MODULE, key, &fresh);
    if (fresh) type->name = name;
    return type;
}

const FeType *fe_type_exception(FeTypes *types, IrExc exc) {
    char key[16];
    bool fresh;
    snprintf(key, sizeof key, "e%d", (int)exc);
    FeType *type = intern(types, FE_EXCEPTION, key, &fresh);
    type->exc = exc;
    if (fresh) type->name = ir_exc_name(exc);
    return type;
}

const char *fe_type_name(FeTypes *types, const FeType *type) {
    if (type->kind == FE_MODULE) return "a module";
    if (type->kind == FE_EXCEPTION) return "an exception";
    if (type->name) return type->name;
    JrText text;
    jr_text_init(&text, types->arena);
    jr_text_printf(&text, "%s[",
                   type->kind == FE_LIST ? "list"
                   : type->record        ? type->record->name
                                         : "tuple");
    for (uint32_t i = 0; i < type->count; i++)
        jr_text_printf(&text, "%s%s", i ? ", " : "", fe_type_name(types, type->items[i]));
    if (!type->count) jr_text_puts(&text, "()");
    jr_text_puts(&text, "]");
    ((FeType *)type)->name = text.data;
    return text.data;
}

/* Applies f to a tuple's items; the tuple itself if nothing changed. NULL if f gives NULL. */
static const FeType *map_items(FeTypes *types, const FeType *a, const FeType *b,
                               const FeType *(*f)(FeTypes *, const FeType *, const FeType *)) {
    const FeType *few[8];
    const FeType **items =
        a->count <= 8 ? few : JR_NEW_ARRAY(types->arena, const FeType *, a->count);
    for (uint32_t i = 0; i < a->count; i++) {
        items[i] = f(types, a->items[i], b ? b->items[i] : NULL);
        if (!items[i]) return NULL;
    }
    bool named = a->record && (!b || b->record == a->record);
    return compound(types, a->kind, (Owner){a->func, named ? a->record : NULL}, a->count,
                    items);
}

/* Functions have the name of their kind, whatever they capture. */
static const FeType *named_as(const FeType *type, const FeType *other) {
    if (type && type->kind == FE_FUNC) ((FeType *)type)->name = other->name;
    return type;
}

static const FeType *strong(FeTypes *types, const FeType *type, const FeType *unused) {
    (void)unused;
    return fe_type_strong(types, type);
}

const FeType *fe_type_strong(FeTypes *types, const FeType *type) {
    switch (type->kind) {
    case FE_WEAK_INT: return types->scalars[TY_INT64];
    case FE_WEAK_FLOAT: return types->scalars[TY_FLOAT64];
    case FE_FUNC:
        if (!type->count) return type; /* fall through */
    case FE_TUPLE:
    case FE_LIST: return named_as(map_items(types, type, NULL, strong), type);
    default: return type;
    }
}

static bool is_number(const FeType *type) {
    return type->kind == FE_SCALAR || type->kind == FE_WEAK_INT || type->kind == FE_WEAK_FLOAT;
}

/* Two numbers: as in an expression, but that a bool may become whatever its int becomes. */
static const FeType *unify_numbers(FeTypes *types, const FeType *a, const FeType *b) {
    const FeType *truth = types->scalars[TY_BOOL];
    if (a == truth && b->kind == FE_WEAK_INT) return b;
    if (b == truth && a->kind == FE_WEAK_INT) return a;
    return fe_promote(types, a, b);
}

const FeType *fe_unify(FeTypes *types, const FeType *a, const FeType *b) {
    if (a == b || b->kind == FE_UNKNOWN) return a;
    if (a->kind == FE_UNKNOWN) return b;
    if (a->kind == FE_ERROR || b->kind == FE_ERROR) return types->error;
    if (is_number(a) && is_number(b)) return unify_numbers(types, a, b);
    if (a->kind != b->kind) return NULL;
    if (a->kind == FE_TUPLE || a->kind == FE_LIST || (a->kind == FE_FUNC && a->count))
        return a->count == b->count && a->func == b->func
                   ? named_as(map_items(types, a, b, fe_unify), a)
                   : NULL;
    if (a->kind == FE_ARRAY && a->ir.scalar == b->ir.scalar && a->ir.ndim == b->ir.ndim)
        return fe_type_ir(types, ir_array(a->ir.scalar, a->ir.ndim, LAYOUT_ANY));
    return NULL;
}

bool fe_type_has_static(const FeType *type) {
    if (type->kind == FE_TUPLE)
        for (uint32_t i = 0; i < type->count; i++)
            if (fe_type_has_static(type->items[i])) return true;
    return fe_type_is_static(type);
}

/* Every value of `from` is one of `to`, or the nearest float. */
static bool scalar_accepts(IrScalar to, IrScalar from) {
    if (to == from || from == TY_BOOL) return true;
    if (to == TY_BOOL) return false;
    if (ir_scalar_is_float(to))
        return !ir_scalar_is_float(from) || ir_scalar_size(from) <= ir_scalar_size(to);
    if (ir_scalar_is_float(from)) return false;
    if (ir_scalar_is_signed(to) == ir_scalar_is_signed(from))
        return ir_scalar_size(from) <= ir_scalar_size(to);
    return ir_scalar_is_signed(to) && ir_scalar_size(from) < ir_scalar_size(to);
}

bool fe_accepts(const FeType *to, const FeType *from) {
    if (to == from || from->kind == FE_ERROR || to->kind == FE_ERROR) return true;
    switch (to->kind) {
    case FE_SCALAR:
        if (from->kind == FE_WEAK_INT) return to->ir.scalar != TY_BOOL;
        if (from->kind == FE_WEAK_FLOAT) return ir_scalar_is_float(to->ir.scalar);
        return from->kind == FE_SCALAR && scalar_accepts(to->ir.scalar, from->ir.scalar);
    case FE_ARRAY:
        return from->kind == FE_ARRAY && from->ir.scalar == to->ir.scalar &&
               from->ir.ndim == to->ir.ndim && to->ir.layout == LAYOUT_ANY;
    case FE_TUPLE:
        if (from->kind != FE_TUPLE || from->count != to->count) return false;
        for (uint32_t i = 0; i < to->count; i++)
            if (!fe_accepts(to->items[i], from->items[i])) return false;
        return true;
    default: return false;
    }
}

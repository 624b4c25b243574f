/* print: every argument is evaluated, then the pieces are written. Literal text, separators
 * and the end are gathered, so that print("x =", x) is three runtime calls and not five. */
#include "frontend/lower/lower.h"

#include <string.h>

typedef struct Printer {
    Lower *low;
    JrText text; /* constant text not written yet */
} Printer;

static void flush(Printer *printer) {
    Lower *low = printer->low;
    if (!printer->text.len) return;
    IrReg text = ir_const_str(low->func, printer->text.data, (uint32_t)printer->text.len);
    ir_build_rt(&low->b, RT_PRINT_STR, 0, NULL, 1, &text);
    printer->text.len = 0;
}

static void print_reg(Printer *printer, IrRtCall call, IrReg reg) {
    flush(printer);
    ir_build_rt(&printer->low->b, call, 0, NULL, 1, &reg);
}

static void print_scalar(Printer *printer, Value value) {
    Lower *low = printer->low;
    IrScalar scalar = fe_value_scalar(low, value);
    if (scalar == TY_BOOL)
        print_reg(printer, RT_PRINT_BOOL, fe_scalar_reg(low, value));
    else if (scalar == TY_FLOAT32)
        print_reg(printer, RT_PRINT_FLOAT32, fe_scalar_reg(low, value));
    else if (scalar == TY_FLOAT64)
        print_reg(printer, RT_PRINT_FLOAT64, fe_scalar_reg(low, value));
    else if (ir_scalar_is_signed(scalar))
        print_reg(printer, RT_PRINT_INT, fe_scalar_as(low, value, TY_INT64));
    else
        print_reg(printer, RT_PRINT_UINT, fe_scalar_as(low, value, TY_UINT64));
}

/* A string within a tuple, as repr writes it. */
static void print_quoted(Printer *printer, const FeConst *string) {
    bool single =
        memchr(string->bytes, '\'', string->len) && !memchr(string->bytes, '"', string->len);
    char quote = single ? '"' : '\'';
    JrText *text = &printer->text;
    jr_text_add(text, &quote, 1);
    for (uint32_t i = 0; i < string->len; i++) {
        unsigned char c = (unsigned char)string->bytes[i];
        if (c == '\n' || c == '\t' || c == '\r')
            jr_text_puts(text, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        else if (c < 32 || c == 127)
            jr_text_printf(text, "\\x%02x", c);
        else if (c == '\\' || c == quote)
            jr_text_printf(text, "\\%c", c);
        else
            jr_text_add(text, (const char *)&c, 1);
    }
    jr_text_add(text, &quote, 1);
}

static void print_value(Printer *printer, Value value, bool nested);

static void print_tuple(Printer *printer, Value tuple) {
    uint32_t n = tuple.type->count;
    const FeRecord *record = tuple.type->record;
    jr_text_printf(&printer->text, "%s(", record ? record->name : "");
    for (uint32_t i = 0; i < n; i++) {
        if (i) jr_text_puts(&printer->text, ", ");
        if (record) jr_text_printf(&printer->text, "%s=", record->fields[i]);
        print_value(printer, tuple.items[i], true);
    }
    jr_text_puts(&printer->text, n == 1 && !record ? ",)" : ")");
}

static void print_value(Printer *printer, Value value, bool nested) {
    if (fe_value_is_string(value)) {
        if (nested)
            print_quoted(printer, value.constant);
        else
            jr_text_add(&printer->text, value.constant->bytes, value.constant->len);
        return;
    }
    switch (value.type->kind) {
    case FE_TUPLE: print_tuple(printer, value); break;
    case FE_NONE: jr_text_puts(&printer->text, "None"); break;
    case FE_ARRAY:
        print_reg(printer, nested ? RT_PRINT_ARRAY_REPR : RT_PRINT_ARRAY, value.reg);
        break;
    default: print_scalar(printer, value); break;
    }
}

/* sep= and end=: constant strings; absent or None they are a space and a newline. */
static void print_option(Printer *printer, const Call *call, uint32_t i,
                         const char *otherwise) {
    const AstExpr *arg = fe_call_arg(call, i);
    const FeConst *text = arg ? fe_node_of(printer->low, arg)->value : NULL;
    if (text && text->kind == FE_CONST_STR)
        jr_text_add(&printer->text, text->bytes, text->len);
    else
        jr_text_puts(&printer->text, otherwise);
}

Value fe_lower_print(Lower *low, const Call *call) {
    uint32_t n = call->node->nargs > 2 ? call->node->nargs - 2 : 0;
    Value *values = JR_NEW_ARRAY(low->arena, Value, n + 1);
    for (uint32_t i = 0; i < n; i++)
        values[i] = fe_call_value(low, call, i + 2);
    Printer printer = {.low = low};
    jr_text_init(&printer.text, low->arena);
    for (uint32_t i = 0; i < n; i++) {
        if (i) print_option(&printer, call, 0, " ");
        print_value(&printer, values[i], false);
    }
    print_option(&printer, call, 1, "\n");
    flush(&printer);
    return fe_value_none(low);
}

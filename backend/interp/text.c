/* The bytecode as text: a line for each instruction, its results before its operands.
 *
 *     func dot: frame 96 bytes
 *         2:8     3  load_1c.64    s13, x, s12          ; dot.src:6:14
 *                 6  for_one       s12, s2, ->3
 *
 * s<n> is slot n of the frame, out<n> slot n of the callee's. +<n> before a name: its handler runs
 * the n instructions behind it too. */
#include "backend/interp/compile.h"

#include <string.h>

typedef struct Printer {
    const Compiler *c;
    const Func *func;
    JrText *out;
} Printer;

static void print_slot(Printer *p, uint32_t slot) {
    const uint32_t bytes = sizeof(Slot);
    const uint32_t end = p->func->frame_bytes;
    if (slot >= end)
        jr_text_printf(p->out, "out%u", (unsigned)((slot - end) / bytes));
    else
        jr_text_printf(p->out, "s%u", (unsigned)(slot / bytes));
}

static void print_operand_list(Printer *p, const Record *record, uint32_t from,
                               uint32_t count) {
    for (uint32_t n = 0; n < count; n++) {
        const Operand *operand = &p->c->operands.data[record->first + from + n];
        if (n) jr_text_puts(p->out, ", ");
        if (operand->kind == 's')
            jr_text_json(p->out, p->c->strings.data + operand->slot);
        else
            print_slot(p, operand->slot);
    }
}

static void print_record(Printer *p, const Instr *instr, uint32_t index) {
    const Record *record = &p->c->records.data[index];
    if (instr->op == BC_MATH2_D || instr->op == BC_MATH2_F) {
        jr_text_printf(p->out, "%p", record->address);
        return;
    }
    if (instr->op == BC_RAISE) {
        jr_text_printf(p->out, "%s, ", ir_exc_name((IrExc)record->imm));
        print_operand_list(p, record, 0, 1);
        return;
    }
    jr_text_puts(p->out, "(");
    print_operand_list(p, record, 0, record->ndsts);
    jr_text_puts(p->out, ") <- (");
    print_operand_list(p, record, record->ndsts, record->nargs);
    jr_text_puts(p->out, ")");
    if (record->axes[0]) jr_text_printf(p->out, " %s", record->axes);
}

static const char *callee_name(const Compiler *c, uint32_t at, uint32_t jump) {
    const uint32_t entry = at + (uint32_t)((int32_t)jump / (int32_t)sizeof(Instr));
    for (uint32_t n = 0; n < c->funcs.len; n++)
        if (c->funcs.data[n].code == entry) return c->funcs.data[n].name;
    return "?";
}

static void print_field(Printer *p, uint32_t at, char letter, uint32_t value) {
    const Instr *instr = &p->c->code.data[at];
    switch (letter) {
    case 'w':
    case 'r':
    case 'H':
    case 'h': print_slot(p, value); break;
    case 'j':
        jr_text_printf(p->out, "->%u",
                       (unsigned)(at + (uint32_t)((int32_t)value / (int32_t)sizeof(Instr))));
        break;
    case 'i': jr_text_printf(p->out, "%u", (unsigned)value); break;
    case 'o': jr_text_printf(p->out, "%d", (int)(int32_t)value); break;
    case 'k': jr_text_printf(p->out, "%lld", (long long)instr->k); break;
    case 'p': jr_text_printf(p->out, "%p", instr->p); break;
    case 'x': print_record(p, instr, value); break;
    case 'f': jr_text_puts(p->out, callee_name(p->c, at, value)); break;
    default: break;
    }
}

static void print_instr(Printer *p, uint32_t at) {
    const Instr *instr = &p->c->code.data[at];
    uint32_t fused;
    const BcOp op = jr_fused_first((BcOp)instr->op, &fused);
    const uint32_t fields[] = {instr->a, instr->b, instr->c, instr->d};
    const JrWhere *where = &p->c->wheres.data[p->c->places.data[at].where];
    jr_text_printf(p->out, "    %4d:%-3d %5u ", (int)where->line, (int)where->col,
                   (unsigned)at);
    jr_text_printf(p->out, fused > 1 ? "+%-2u" : "   ", (unsigned)(fused - 1));
    jr_text_printf(p->out, "%-14s", jr_bc_name(op));
    const char *operands = jr_bc_operands(op), *separator = " ";
    for (int n = 0; operands[n]; n++) {
        if (strchr(".n", operands[n])) continue;
        jr_text_puts(p->out, separator);
        print_field(p, at, operands[n], fields[n]);
        separator = ", ";
    }
    jr_text_puts(p->out, "\n");
}

static void print_constants(Printer *p) {
    const Instr *enter = &p->c->code.data[p->func->code];
    if (enter->op != BC_ENTER) return;
    for (uint32_t n = 0; n < enter->b; n++) {
        const Slot slot = {.u = p->c->constants.data[enter->c + n]};
        jr_text_puts(p->out, "    const ");
        print_slot(p, enter->a + n * (uint32_t)sizeof(Slot));
        jr_text_printf(p->out, " = %lld (as float64 %.17g)\n", (long long)slot.i, slot.d);
    }
}

void jr_bytecode_print(const Compiler *c, JrText *out) {
    for (uint32_t n = 0; n < c->funcs.len; n++) {
        Printer printer = {.c = c, .func = &c->funcs.data[n], .out = out};
        jr_text_printf(out, "func %s: frame %u bytes, %u for arguments of calls\n",
                       printer.func->name, (unsigned)printer.func->frame_bytes,
                       (unsigned)printer.func->window_bytes);
        print_constants(&printer);
        for (uint32_t at = printer.func->code; at < printer.func->code_end; at++)
            print_instr(&printer, at);
        jr_text_puts(out, "\n");
    }
}

/* Calls of the program's own functions, through jr_rt_host, which knows their C signature. */
#include "backend/interp/compile.h"

/* A slot for the array's header needs no copy: it is laid out as JrArray is. */
void jr_emit_host(Compiler *c, const IrStmt *stmt) {
    uint32_t index;
    jr_record_new(c, &index);
    for (uint32_t n = 0; n < stmt->ndsts; n++)
        jr_operand_reg(c, stmt->dsts[n], true);
    for (uint32_t n = 0; n < stmt->nargs; n++)
        jr_operand_reg(c, stmt->args[n], false);
    Record *record = &c->records.data[index];
    record->ndsts = stmt->ndsts;
    record->nargs = stmt->nargs;
    record->address = jr_resolve_symbol(c, "jr_rt_host");
    record->host = jr_host_named(&c->options->hosts, stmt->u.callee->name);
    if (!record->host) jr_fail(c, stmt->u.callee->name);
    jr_emit(c, BC_HOST, index, 0, 0, 0);
}

typedef __typeof__(&jr_rt_host) HostFn;

static void take_results(const Run *run, char *fp, const Record *record,
                         const JrSlot *results) {
    const Operand *dst = run->code->operands + record->first;
    for (uint32_t k = 0; k < record->ndsts; k++, dst++) {
        if (dst->ndim)
            jr_interp_write_result(run, fp, dst, results[k].p);
        else
            frame_slot(fp, dst->slot)->u = results[k].u;
    }
}

/* Apart from the rest, whose frame stays small. */
__attribute__((noinline)) static int32_t call_for_arrays(Run *run, const JrWhere *where,
                                                         char *fp, const Record *record,
                                                         const JrSlot *args) {
    Scratch arrays[JR_MAX_HOST_RESULTS];
    JrSlot results[JR_MAX_HOST_RESULTS];
    for (uint32_t k = 0; k < record->ndsts; k++)
        results[k].p = &arrays[k];
    int32_t status = ((HostFn)record->address)(run->rt, where, record->host, args, results);
    if (!status) take_results(run, fp, record, results);
    return status;
}

static bool gives_arrays(const Run *run, const Record *record) {
    const Operand *dst = run->code->operands + record->first;
    for (uint32_t k = 0; k < record->ndsts; k++)
        if (dst[k].ndim) return true;
    return false;
}

int32_t jr_interp_host(Run *run, const Instr *ip, char *fp, const Record *record) {
    enum { MOST = 2 * JR_MAX_HOST_PARAMS };
    const Operand *operands = run->code->operands + record->first;
    JrSlot args[MOST], results[JR_MAX_HOST_RESULTS];
    uint32_t n = 0;
    for (uint32_t k = record->ndsts; k < record->ndsts + record->nargs; k++) {
        const Operand *arg = &operands[k];
        if (arg->kind == 'a') {
            args[n++].u = arg->bits;
            args[n++].p = fp + arg->slot;
        } else {
            args[n++].u = frame_slot(fp, arg->slot)->u;
        }
    }
    const JrWhere *where = place_where(run->code, ip);
    if (gives_arrays(run, record)) return call_for_arrays(run, where, fp, record, args);
    int32_t status = ((HostFn)record->address)(run->rt, where, record->host, args, results);
    if (!status) take_results(run, fp, record, results);
    return status;
}

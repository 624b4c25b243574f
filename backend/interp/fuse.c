/* The last pass: gives instructions that begin a fusion of fuse.def its opcode. Nothing moves, so
 * it needs to know nothing of jumps: whoever jumps into the middle of a fusion runs the rest. */
#include "backend/interp/compile.h"

/* How the second instruction takes the first one's result: fuse.def. */
typedef enum Via {
    VIA_loop,
    VIA_ne,
    VIA_gt,
    VIA_turn,
    VIA_fa,
    VIA_fb,
    VIA_sa,
    VIA_sb,
    VIA_bc,
    VIA_cd,
    VIA_hcd,
    VIA_hdc,
    VIA_hbc,
    VIA_up,
    VIA_a,
    VIA_b,
    VIA_c,
    VIA_d,
    VIA_hb,
    VIA_hc,
    VIA_xa,
    VIA_ka,
    VIA_kb,
    VIA_kc,
    VIA_any,
    VIA_then, /* these between fusions */
    VIA_same,
    VIA_same_b,
    VIA_same_c,
    VIA_each,
    VIA_norm,
    VIA_exchange,
    VIA_between,
    VIA_into,
    VIA_on,
    VIA_onto,
    VIAS
} Via;

#define KEY(first, second, via) (((uint64_t)(first)*BC_COUNT + (second)) * VIAS + (via))

static BcOp pick(BcOp first, BcOp second, Via via) {
#define JB_FUSE_EVERY(FIRST, SECOND, via) \
    case KEY(BC_##FIRST, BC_##SECOND, VIA_##via): return BC_##FIRST##_##SECOND##_##via;
    switch (KEY(first, second, via)) {
#include "backend/interp/fuse.def"
    default: return BC_COUNT;
    }
#undef JB_FUSE
#undef JB_FUSE_TEST
#undef JB_FUSE_LOOP
#undef JB_FUSE_FILTER
#undef JB_FUSE_SEARCH
#undef JB_FUSE_ARM
#undef JB_FUSE_GUARD
#undef JB_FUSE_THEN
#undef JB_FUSE_REPEAT
#undef JB_FUSE_TURN
#undef JB_FUSE_BETWEEN
#undef JB_FUSE_ONTO
#undef JB_FUSE_EXCHANGE
#undef JB_FUSE_INTO
#undef JB_FUSE_ARMS
#undef JB_FUSE_ARM_INTO
#undef JB_FUSE_SPECIAL
#undef JB_FUSE_FILL
#undef JB_FUSE_NORM
#undef JB_FUSE_EACH
#undef JB_FUSE_ALIKE
}

/* What a fusion is made of. */
static const struct {
    uint16_t first, second, via;
} PARTS[BC_COUNT] = {
#define JB_FUSE_EVERY(FIRST, SECOND, via) \
    [BC_##FIRST##_##SECOND##_##via] = {BC_##FIRST, BC_##SECOND, VIA_##via},
#include "backend/interp/fuse.def"
};

/* The first of those that are fused. */
static BcOp plain(const Instr *instr) {
    uint32_t length;
    return jr_fused_first((BcOp)instr->op, &length);
}

/* Whether a branch goes back over `count` instructions. */
static bool goes_back(const Instr *branch, uint32_t count) {
    const uint32_t *field = jr_jump_field((Instr *)branch);
    return field && *field == 0 - count * (uint32_t)sizeof(Instr);
}

/* Whether one of the `count` instructions from `first` writes the slot. */
static bool is_written(const Instr *first, uint32_t count, uint32_t slot) {
    for (uint32_t n = 0; n < count; n++)
        if (jr_bc_operands(plain(&first[n]))[0] == 'w' && first[n].a == slot) return true;
    return false;
}

/* Whether a loop that counts with `back` can be run by rounds (stream.h) as far as its first `count`
 * instructions go: they write no index of an element, nor what is counted. */
static bool is_steady(const Instr *first, uint32_t count, const Instr *back) {
    if (back->op != BC_FOR_ONE || is_written(first, count, back->a) ||
        is_written(first, count, back->b))
        return false;
    for (uint32_t n = 0; n < count; n++) {
        const uint32_t fields[] = {first[n].a, first[n].b, first[n].c, first[n].d};
        const char *operands = jr_bc_operands(plain(&first[n]));
        const bool stores = operands[0] == 'h';
        if (!stores && operands[1] != 'h') continue;
        for (uint32_t k = stores ? 1 : 2; operands[k + stores]; k++)
            if (is_written(first, count, fields[k])) return false;
    }
    return true;
}

/* The end of a counted loop to which a branch goes that stands behind `count` instructions at its top;
 * or NULL. */
static const Instr *loop_end(const Compiler *c, uint32_t at, uint32_t count) {
    const uint32_t *field = jr_jump_field(&c->code.data[at]);
    if (!field) return NULL;
    uint32_t end = at + (uint32_t)((int32_t)*field / (int32_t)sizeof(Instr));
    if (end <= at || end + 1 >= c->code.len) return NULL;
    if (c->code.data[end].op == BC_POLL) end++;
    return goes_back(&c->code.data[end], end - at + count) ? &c->code.data[end] : NULL;
}

static bool is_filter(const Compiler *c, uint32_t at, uint32_t count) {
    const Instr *back = loop_end(c, at, count);
    return back && is_steady(&c->code.data[at - count], count, back);
}

/* Whether the branch at `at` and the load before it are those of the loop behind them too:
 *
 *     load t, x, i; leave t, y -> out; next: add i, i, k; poll; load t, x, i; stay t, y -> next */
static bool is_search(const Compiler *c, uint32_t at) {
    const Instr *load = &c->code.data[at - 1], *leave = load + 1, *add = load + 2;
    if (at + 4 >= c->code.len || add[0].op != BC_ADD_K || add[1].op != BC_POLL) return false;
    const Instr *again = add + 2, *stay = add + 3;
    return add->a == load->c && add->b == load->c && add->k != 0 && load->a != load->c &&
           plain(load) == (BcOp)again->op && again->a == load->a && again->b == load->b &&
           again->c == load->c && stay->op == jr_bc_opposite((BcOp)leave->op) &&
           stay->a == leave->a && stay->b == leave->b && goes_back(stay, 3) &&
           leave->a != load->c && leave->b != load->c;
}

static bool takes_b_alone(const Instr *instr, BcOp op, uint32_t slot) {
    const char *operands = jr_bc_operands(op);
    return instr->b == slot && operands[1] == 'r' &&
           (operands[2] != 'r' || instr->c != slot) && (!operands[2] || operands[3] != 'r');
}

/* Whether the fusion at `first` gives x = f(x), reading x as operand b alone where nothing is handed on,
 * and the rest of a loop is: count; poll; `stay` x -> first. */
static bool is_repeated(const Compiler *c, uint32_t at, uint32_t count, BcOp stay) {
    const Instr *add = &c->code.data[at], *back = add + 2, *first = add - count;
    const uint32_t x = add[-1].a;
    if (at + 2 >= c->code.len || add[1].op != BC_POLL || back->op != stay || back->a != x ||
        add->a == x || add->b != add->a || !goes_back(back, count + 2))
        return false;
    BcOp op = (BcOp)first->op;
    for (uint32_t length = count; op >= BC_FUSED; op = (BcOp)PARTS[op].first) {
        length--;
        if (first[length].a == x && length + 1 < count) return false;
        if (PARTS[op].via == VIA_any &&
            !takes_b_alone(&first[length], (BcOp)PARTS[op].second, x))
            return false;
    }
    return first->a != x && takes_b_alone(first, op, x);
}

/* Whether the instructions from `first` on are t = y; y = x op y; x = t. */
static bool is_turn(const Instr *first, uint32_t y) {
    const Instr *op = first + 1, *last = first + 2;
    const uint32_t t = first->a, x = last->a;
    return first->b == y && op->a == y && op->b == x && op->c == y && last->b == t && t != x &&
           t != y && x != y;
}

/* Whether the result of the first of `count` instructions is in the slot still. */
static bool is_kept(const Instr *head, uint32_t count, uint32_t slot) {
    return is_written(head, 1, slot) && !is_written(head + 1, count - 1, slot);
}

/* Whether the instruction at `at` can take results in this way from those before it, `count` of which
 * belong to the fusion already. */
static bool is_open(const Compiler *c, uint32_t at, uint32_t count, Via via) {
    const Instr *next = &c->code.data[at], *last = next - 1, *head = next - count;
    const uint32_t fields[] = {next->a, next->b, next->c, next->d};
    const bool once = c->places.data[at - 1].once;
    switch (via) {
    case VIA_hcd:
    case VIA_hdc:
        return once && count > 2 && c->places.data[at - 2].once &&
               is_kept(head, count, next->b) && fields[via == VIA_hcd ? 2 : 3] == last[-1].a &&
               fields[via == VIA_hcd ? 3 : 2] == last->a;
    case VIA_hbc:
        return once && count > 2 && c->places.data[at - 2].once &&
               is_kept(head, count, next->d) && next->b == last[-1].a && next->c == last->a;
    case VIA_up:
        return once && fields[2] == last->a && fields[0] == head->b && fields[1] == head->c &&
               !is_written(head, count, head->c);
    case VIA_hb: return is_kept(head, count, next->b);
    case VIA_hc: return is_kept(head, count, next->c);
    case VIA_bc:
    case VIA_cd:
        return once && count > 1 && c->places.data[at - 2].once &&
               fields[via == VIA_bc ? 1 : 2] == last[-1].a &&
               fields[via == VIA_bc ? 2 : 3] == last->a;
    case VIA_fa:
    case VIA_fb: return once && fields[via - VIA_fa] == last->a && is_filter(c, at, count);
    case VIA_sa:
    case VIA_sb: return once && fields[via - VIA_sa] == last->a && is_search(c, at);
    case VIA_a:
    case VIA_b:
    case VIA_c:
    case VIA_d: return once && fields[via - VIA_a] == last->a;
    case VIA_xa:
        return fields[0] == last->a && at + 2 < c->code.len && next[1].op == BC_COPY &&
               next[1].b == last->a && next[2].op == BC_JUMP;
    case VIA_ka:
    case VIA_kb:
    case VIA_kc: return fields[via - VIA_ka] == last->a;
    case VIA_ne: return is_repeated(c, at, count, BC_JNE_K);
    case VIA_gt: return is_repeated(c, at, count, BC_JNLE_K);
    case VIA_turn: return count == 4 && goes_back(next, count) && is_turn(head, next->a);
    case VIA_loop:
        return goes_back(next, count) && is_steady(head, count, next) &&
               !is_written(head, count - 1, last->a);
    default: return true;
    }
}

/* A store to an element that has been loaded: whether its index is checked makes no difference. */
static BcOp checked(BcOp op) {
    const unsigned form = (op - BC_STORE_1C_X8) % FORMS;
    if (op < BC_STORE_1C_X8 || op > BC_STORE_P_D64) return op;
    return form >= FORM_RAW && form < FORM_AT ? op - FORM_RAW : op;
}

static BcOp taken(BcOp op, Via via) {
    return via == VIA_up ? checked(op) : op;
}

/* As many as there is a handler for. Each opcode behind `at` is still the plain one. */
static void fuse_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    for (uint32_t count = 1; at + count < c->code.len; count++) {
        BcOp op = BC_COUNT;
        for (Via via = 0; via < VIA_then && op == BC_COUNT; via++)
            if (is_open(c, at + count, count, via))
                op = pick((BcOp)code->op, taken((BcOp)code[count].op, via), via);
        if (op == BC_COUNT) return;
        code->op = op;
    }
}

bool jr_fuses_rounds(Compiler *c, uint32_t top, uint32_t back) {
    const Instr *first = &c->code.data[top];
    const uint64_t plain_op = first->op;
    if (plain_op == BC_DOT_D || plain_op == BC_DOT_I) return back == top + 4;
    fuse_at(c, top);
    const BcOp op = (BcOp)first->op;
    c->code.data[top].op = plain_op;
    if (op < BC_FUSED) return false;
    const Via via = PARTS[op].via;
    uint32_t length;
    jr_fused_first(op, &length);
    return via == VIA_loop || via == VIA_fa || via == VIA_fb ||
           (length == 2 && back == top + 1); /* JB_FUSE_FILL */
}

/* What computes an argument and then calls, and a callee that begins with returning that or not. */
static void enter_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    if (code->op < BC_FUSED || PARTS[code->op].second != BC_CALL) return;
    const Instr *call = code + 1, *guard = call + (int32_t)call->c / (int32_t)sizeof(Instr);
    const BcOp op = pick((BcOp)code->op, (BcOp)guard->op, VIA_into);
    if (op != BC_COUNT && code->a == call->b + guard->a && guard[1].a == guard->a)
        code->op = op;
}

/* An arm, and what its branch goes to. */
static void go_on_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    if (code->op < BC_FUSED || PARTS[code->op].via != VIA_xa) return;
    const Instr *next = code + 1 + (int32_t)code[1].b / (int32_t)sizeof(Instr);
    const BcOp op = pick((BcOp)code->op, (BcOp)next->op, VIA_on);
    if (op != BC_COUNT && next->b == code->a) code->op = op;
}

/* A branch to a jump goes where that goes. */
static void thread_at(Compiler *c, uint32_t at) {
    enum { MOST = 8 };
    uint32_t *field = jr_jump_field(&c->code.data[at]);
    if (!field) return;
    for (int n = 0; n < MOST; n++) {
        const Instr *to = &c->code.data[at] + (int32_t)*field / (int32_t)sizeof(Instr);
        if (to->op != BC_JUMP) return;
        *field += to->a;
    }
}

/* A jump to the end of a loop, and that. */
static void go_onto_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    uint32_t length;
    jr_fused_first((BcOp)code->op, &length);
    const Instr *jump = code + length - 1;
    if (plain(jump) != BC_JUMP) return;
    const Instr *to = jump + (int32_t)jump->a / (int32_t)sizeof(Instr);
    const BcOp op = pick((BcOp)code->op, (BcOp)to->op, VIA_onto);
    if (op != BC_COUNT) code->op = op;
}

/* x < low or x > high, or not: two branches that lead to the same two places. */
static void between_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    if (at + 2 >= c->code.len) return;
    const BcOp op = pick(plain(code), plain(code + 1), VIA_between);
    if (op == BC_COUNT || code[0].a != code[1].a) return;
    const bool below = plain(code) == BC_JLT_K;
    const int64_t low = below ? code[0].k : code[1].k, high = below ? code[1].k : code[0].k;
    const uint32_t *one = jr_jump_field(&code[0]), *two = jr_jump_field(&code[1]);
    if (low > high || !one || !two) return;
    const bool same = *one == *two + sizeof(Instr), behind = *one == 2 * sizeof(Instr);
    const bool outside = plain(code + 1) == BC_JNLE_K || plain(code + 1) == BC_JLT_K;
    if (outside ? same : behind) code->op = op;
}

/* A fusion and the one behind it. */
static void join_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    uint32_t length;
    jr_fused_first((BcOp)code->op, &length);
    if (at + length >= c->code.len) return;
    const BcOp op = pick((BcOp)code->op, (BcOp)code[length].op, VIA_then);
    if (op != BC_COUNT) code->op = op;
}

static bool loads_element(const Instr *instr) {
    const char *operands = jr_bc_operands(plain(instr));
    return operands[0] == 'w' && operands[1] == 'h';
}

/* Whether operand `field` is the same slot in both of two fusions, which the first one does not write. */
static bool shares(const Instr *code, uint32_t length, uint32_t at, unsigned field) {
    const Instr *one = &code[at], *two = one + length;
    const uint32_t slot = field == 'b' ? one->b : one->c;
    return slot == (field == 'b' ? two->b : two->c) && !is_written(code, length, slot);
}

/* Whether the second of two fusions of `length` instructions shares with the first what its handler takes for
 * granted (alike.h): all indices; the operand of the arithmetic that `via` says; and with two loads, that both are
 * of one array, or at one index and the first of them read by the arithmetic alone. */
static bool is_alike(const Instr *code, const Place *places, uint32_t length, Via via) {
    if (via == VIA_each) return code->b == code[length].b && shares(code, length, 1, 'c');
    uint32_t loads = 0;
    for (; loads_element(&code[loads]); loads++)
        if (!shares(code, length, loads, 'c')) return false;
    if (via == VIA_same_b && !shares(code, length, loads, 'b')) return false;
    if (via == VIA_same_c && !shares(code, length, loads, 'c')) return false;
    if (loads < 2) return true;
    for (const Instr *unit = code; unit <= code + length; unit += length, places += length) {
        if (via == VIA_same && unit[0].b != unit[1].b) return false;
        if (via != VIA_same &&
            (unit[0].c != unit[1].c || unit[2].d != unit[0].a || !places->once))
            return false;
    }
    return true;
}

/* What the fusion at `at` becomes with the one behind its last unit, if that is such a unit too and shares with
 * the last one what it must; or BC_COUNT. */
static BcOp pick_alike(const Compiler *c, uint32_t at, BcOp unit, uint32_t last,
                       uint32_t length) {
    const Instr *code = c->code.data;
    if (code[last + length].op != unit) return BC_COUNT;
    for (Via via = VIA_same; via <= VIA_each; via++) {
        const BcOp op = pick((BcOp)code[at].op, unit, via);
        if (op != BC_COUNT && is_alike(code + last, &c->places.data[last], length, via))
            return op;
    }
    return BC_COUNT;
}

/* The same fusion twice, or three times. */
static void repeat_at(Compiler *c, uint32_t at) {
    const BcOp unit = (BcOp)c->code.data[at].op;
    uint32_t length;
    jr_fused_first(unit, &length);
    for (uint32_t last = at; last <= at + length && last + 2 * length <= c->code.len;
         last += length) {
        const BcOp op = pick_alike(c, at, unit, last, length);
        if (op == BC_COUNT) return;
        c->code.data[at].op = op;
    }
}

static bool stores(const Instr *store, const Instr *element, const Instr *value) {
    return store->a == element->b && store->b == element->c && store->c == value->a;
}

/* x = a[p]; y = a[q]; a[p] = y; a[q] = x, or the stores the other way round. */
static void exchange_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at], *x = code, *y = code + 1, *one = code + 2,
          *two = code + 3;
    if (at + 4 > c->code.len || plain(x) != plain(y) || x->b != y->b || x->a == y->a ||
        x->a == y->c || x->a == x->c || y->a == x->c || y->a == y->c)
        return;
    if (!(stores(one, x, y) && stores(two, y, x)) && !(stores(one, y, x) && stores(two, x, y)))
        return;
    const BcOp loads = pick(plain(x), plain(y), VIA_any),
               both = pick(checked(plain(one)), checked(plain(two)), VIA_any);
    const BcOp op =
        loads < BC_COUNT && both < BC_COUNT ? pick(loads, both, VIA_exchange) : BC_COUNT;
    if (op != BC_COUNT) code->op = op;
}

/* Differences, and what begins with the sum of their squares. */
static void square_at(Compiler *c, uint32_t at) {
    Instr *code = &c->code.data[at];
    uint32_t length;
    jr_fused_first((BcOp)code->op, &length);
    if (at + length >= c->code.len) return;
    const Instr *const end = code + length, *square = end;
    const BcOp op = pick((BcOp)code->op, (BcOp)square->op, VIA_norm);
    if (op == BC_COUNT) return;
    for (const Instr *by = code + 2; by < end; by += 3, square++)
        if (square->b != by->a || square->c != by->a ||
            is_written(by + 1, (uint32_t)(end - by) - 1, by->a))
            return;
    code->op = op;
}

void jr_fuse(Compiler *c) {
    for (uint32_t at = 0; at < c->code.len; at++)
        thread_at(c, at);
    for (uint32_t at = 0; at < c->code.len; at++) {
        c->places.data[at].op = (uint16_t)c->code.data[at].op;
        fuse_at(c, at);
    }
    for (uint32_t at = 0; at < c->code.len; at++)
        exchange_at(c, at);
    for (uint32_t at = 0; at < c->code.len; at++) {
        between_at(c, at);
        go_onto_at(c, at);
    }
    for (uint32_t at = 0; at < c->code.len; at++)
        enter_at(c, at);
    for (uint32_t at = 0; at < c->code.len; at++)
        go_on_at(c, at);
    for (uint32_t at = 0; at < c->code.len; at++)
        join_at(c, at);
    for (uint32_t at = 0; at < c->code.len; at++)
        repeat_at(c, at);
    for (uint32_t at = 0; at < c->code.len; at++)
        square_at(c, at);
}

/* The opcode and the number of the instructions a fusion runs. */
BcOp jr_fused_first(BcOp op, uint32_t *length) {
    for (*length = 1; op >= BC_FUSED;) {
        uint32_t second = 0; /* somewhere else */
        if (PARTS[op].via < VIA_into) jr_fused_first((BcOp)PARTS[op].second, &second);
        *length += second;
        op = (BcOp)PARTS[op].first;
    }
    return op;
}

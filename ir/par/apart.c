/* Tests of independence: see ir/par/apart.h. */
#include "ir/par/apart.h"

#include "ir/numeric.h"

#include <string.h>

typedef __int128 Wide;

static Wide at(IrLine line, int64_t t) {
    return (Wide)line.slope * t + line.base;
}

/* ---- Two accesses ---- */

/* Far enough within int64 for what is done below. */
static bool line_fits(IrLine line, int64_t trip) {
    const Wide most = (Wide)1 << 61;
    Wide first = line.base, last = at(line, trip - 1);
    return first <= most && first >= -most && last <= most && last >= -most;
}

static bool reach_fits(const IrReach *reach, int64_t trip) {
    return line_fits(reach->lo, trip) && line_fits(reach->hi, trip);
}

/* Makes negative indices the elements they are, if all or none of them are negative. */
static bool settle(IrReach *reach, int64_t trip, int64_t n) {
    if (!reach->wraps) return true;
    Wide first = reach->lo.base, last = at(reach->lo, trip - 1);
    if ((first < last ? first : last) >= 0) return true;
    first = reach->hi.base, last = at(reach->hi, trip - 1);
    if ((first > last ? first : last) >= 0) return false;
    reach->lo.base += n;
    reach->hi.base += n;
    return true;
}

/* Whether x(s) < y(t) for all 0 <= s < t < trip: it holds everywhere in that triangle if it
 * does in its corners. */
static bool is_below(IrLine x, IrLine y, int64_t trip) {
    return at(x, 0) < at(y, 1) && at(x, 0) < at(y, trip - 1) &&
           at(x, trip - 2) < at(y, trip - 1);
}

static IrLine negative(IrLine line) {
    return (IrLine){-line.slope, -line.base};
}

/* Whether all of a lies on one side of what b touches in later iterations. */
static bool stays_ahead(const IrReach *a, const IrReach *b, int64_t trip) {
    return is_below(a->hi, b->lo, trip) || is_below(negative(a->lo), negative(b->hi), trip);
}

/* Whether a multiple k * step, 0 < k < trip, lies from lo to hi. */
static bool has_multiple(Wide step, Wide lo, Wide hi, int64_t trip) {
    Wide k = lo <= step ? 1 : (lo + step - 1) / step;
    return k < trip && k * step <= hi;
}

/* a and b move alike, so that only their distance counts: the iterations m apart in which they
 * meet have slope * m within that. */
static bool never_meet(const IrReach *a, const IrReach *b, int64_t trip) {
    int64_t slope = a->lo.slope;
    if (a->hi.slope != slope || b->lo.slope != slope || b->hi.slope != slope) return false;
    Wide lo = (Wide)b->lo.base - a->hi.base, hi = (Wide)b->hi.base - a->lo.base;
    if (slope == 0) return lo > 0 || hi < 0;
    Wide step = slope < 0 ? -(Wide)slope : slope;
    return !has_multiple(step, lo, hi, trip) && !has_multiple(step, -hi, -lo, trip);
}

bool ir_reaches_apart(int64_t trip, int64_t n, IrReach a, IrReach b) {
    if (trip < 2) return true;
    if (!reach_fits(&a, trip) || !reach_fits(&b, trip)) return false;
    if (!settle(&a, trip, n) || !settle(&b, trip, n)) return false;
    if (stays_ahead(&a, &b, trip) && stays_ahead(&b, &a, trip)) return true;
    return never_meet(&a, &b, trip);
}

bool ir_reach_ahead(int64_t trip, int64_t n, IrReach a, IrReach b) {
    if (trip < 2) return true;
    if (!reach_fits(&a, trip) || !reach_fits(&b, trip)) return false;
    return settle(&a, trip, n) && settle(&b, trip, n) && stays_ahead(&a, &b, trip);
}

static Wide magnitude(Wide v) {
    return v < 0 ? -v : v;
}

/* Indices that differ by less than m are alike modulo m only if they are the same. */
bool ir_reaches_apart_modulo(int64_t trip, int64_t m, IrReach a, IrReach b) {
    if (trip < 2) return true;
    if (m < 1 || !reach_fits(&a, trip) || !reach_fits(&b, trip)) return false;
    Wide lo = magnitude((Wide)b.lo.base - a.hi.base),
         hi = magnitude((Wide)b.hi.base - a.lo.base);
    Wide most = magnitude(a.lo.slope) * (trip - 1) + (lo > hi ? lo : hi);
    return most < m && never_meet(&a, &b, trip);
}

/* ---- The text ---- */

enum { STACK = 64, LINES = 4 };

typedef struct Cell {
    int64_t v;
    bool bad; /* it overflowed */
} Cell;

typedef struct Stack {
    int64_t trip;
    const int64_t *values;
    size_t nvalues;
    Cell cells[STACK];
    uint32_t len;
    bool broken; /* the text is no test */
} Stack;

static void push(Stack *s, int64_t v, bool bad) {
    if (s->len == STACK)
        s->broken = true;
    else
        s->cells[s->len++] = (Cell){v, bad};
}

static Cell pop(Stack *s) {
    if (s->len) return s->cells[--s->len];
    s->broken = true;
    return (Cell){0, true};
}

static bool is_word(const char *word, size_t len, const char *name) {
    return strlen(name) == len && !memcmp(word, name, len);
}

static int64_t number_of(const char *digits, size_t len) {
    bool minus = len && *digits == '-';
    uint64_t value = 0;
    for (size_t i = minus; i < len; i++)
        value = value * 10 + (uint64_t)(digits[i] - '0');
    return (int64_t)(minus ? 0 - value : value);
}

static void binary(Stack *s, const char *word, size_t len) {
    Cell b = pop(s), a = pop(s);
    int64_t v = 0;
    bool bad = a.bad || b.bad;
    if (is_word(word, len, "+"))
        bad |= __builtin_add_overflow(a.v, b.v, &v);
    else if (is_word(word, len, "-"))
        bad |= __builtin_sub_overflow(a.v, b.v, &v);
    else if (is_word(word, len, "*"))
        bad |= __builtin_mul_overflow(a.v, b.v, &v);
    else if (is_word(word, len, "min"))
        v = b.v < a.v ? b.v : a.v;
    else if (is_word(word, len, "max"))
        v = b.v > a.v ? b.v : a.v;
    else if (is_word(word, len, "and")) /* what went wrong on the way is false */
        v = !a.bad && !b.bad && a.v && b.v, bad = false;
    else if (is_word(word, len, "or"))
        v = (!a.bad && a.v) || (!b.bad && b.v), bad = false;
    else if (b.v <= 0)
        bad = true;
    else if (is_word(word, len, "//"))
        v = jr_num_floordiv_i64(a.v, b.v);
    else if (is_word(word, len, "%"))
        v = jr_num_mod_i64(a.v, b.v);
    else
        s->broken = true;
    push(s, v, bad);
}

static IrLine pop_line(Stack *s, bool *bad) {
    Cell base = pop(s), slope = pop(s);
    *bad |= base.bad || slope.bad;
    return (IrLine){slope.v, base.v};
}

static void ask(Stack *s, const char *word, size_t len) {
    bool modulo = is_word(word, len, "modulo"), ahead = is_word(word, len, "ahead");
    Cell flags = modulo ? (Cell){0} : pop(s), n = pop(s);
    bool bad = flags.bad || n.bad, apart = false;
    IrLine lines[LINES];
    for (int i = LINES; i-- > 0;)
        lines[i] = pop_line(s, &bad);
    IrReach a = {lines[0], lines[1], flags.v & 1}, b = {lines[2], lines[3], flags.v & 2};
    if (!bad)
        apart = modulo  ? ir_reaches_apart_modulo(s->trip, n.v, a, b)
                : ahead ? ir_reach_ahead(s->trip, n.v, a, b)
                        : ir_reaches_apart(s->trip, n.v, a, b);
    push(s, apart, false);
}

static void push_value(Stack *s, int64_t index) {
    bool known = index >= 0 && (uint64_t)index < s->nvalues;
    s->broken |= !known;
    push(s, known ? s->values[index] : 0, !known);
}

static void evaluate(Stack *s, const char *word, size_t len) {
    bool digit = word[len - 1] >= '0' && word[len - 1] <= '9';
    if (digit && word[0] == '#') {
        push_value(s, number_of(word + 1, len - 1));
    } else if (digit) {
        push(s, number_of(word, len), false);
    } else if (is_word(word, len, "T")) {
        push(s, s->trip, false);
    } else if (is_word(word, len, "nonneg")) {
        Cell v = pop(s);
        push(s, !v.bad && v.v >= 0, false);
    } else if (is_word(word, len, "fits")) {
        bool bad = false;
        IrLine line = pop_line(s, &bad);
        push(s, !bad && (s->trip < 1 || line_fits(line, s->trip)), false);
    } else if (is_word(word, len, "apart") || is_word(word, len, "ahead") ||
               is_word(word, len, "modulo")) {
        ask(s, word, len);
    } else {
        binary(s, word, len);
    }
}

bool ir_test_holds(const char *text, size_t len, int64_t trip, const int64_t *values,
                   size_t nvalues) {
    Stack s = {.trip = trip, .values = values, .nvalues = nvalues};
    const char *end = text + len;
    for (const char *word = text; word < end && !s.broken;) {
        const char *stop = memchr(word, ' ', (size_t)(end - word));
        if (!stop) stop = end;
        size_t length = (size_t)(stop - word);
        if (is_word(word, length, ";")) {
            Cell v = pop(&s);
            if (v.bad || !v.v) return false;
        } else if (length) {
            evaluate(&s, word, length);
        }
        word = stop + 1;
    }
    return !s.broken;
}

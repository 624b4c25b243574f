/* A benchmark as an SVG picture: bars for one, curves over a size for several.
 *
 * Both axes of time are logarithmic: engines differ by factors, and a factor is then the same
 * distance everywhere. Colours are told apart by people who see colours differently (Okabe and
 * Ito's set), and every mark carries its name as text too. Where the reader has asked for dark
 * pages the picture is dark: a style sheet overrides the attributes, which are what programs that
 * know no style sheets draw. */
#include "runtime/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 720, RIGHT = 130, TOP = 48, BOTTOM = 48, BAR = 26, CURVES = 360 };

static const char style[] =
    "<style>@media (prefers-color-scheme: dark) { .jr-bench .page { fill: #1b1b1b } "
    ".jr-bench text:not([fill]) { fill: #e6e6e6 } .jr-bench line { stroke: #4a4a4a } "
    ".jr-bench .over { stroke: #1b1b1b } }</style>\n";

static const char *const colours[] = {"#0072B2", "#E69F00", "#009E73", "#D55E00",
                                      "#CC79A7", "#56B4E9", "#808080", "#999933"};

static const char *colour(size_t index) {
    return colours[index % (sizeof colours / sizeof *colours)];
}

/* ---- Pieces ---- */

static void escaped(JrText *out, const char *text) {
    for (; *text; text++) {
        if (*text == '<')
            jr_text_puts(out, "&lt;");
        else if (*text == '&')
            jr_text_puts(out, "&amp;");
        else if ((unsigned char)*text >= ' ')
            jr_text_add(out, text, 1);
    }
}

static void label(JrText *out, double x, double y, const char *anchor, const char *text) {
    jr_text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    escaped(out, text);
    jr_text_puts(out, "</text>\n");
}

static void line(JrText *out, double x1, double y1, double x2, double y2) {
    jr_text_printf(out,
                   "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/>\n",
                   x1, y1, x2, y2);
}

/* A text beside a mark, where a line of the grid may go through it. */
static void label_over(JrText *out, double x, double y, const char *text) {
    jr_text_printf(out,
                   "<text class=\"over\" x=\"%.1f\" y=\"%.1f\" stroke=\"white\" "
                   "stroke-width=\"4\" paint-order=\"stroke\">",
                   x, y);
    escaped(out, text);
    jr_text_puts(out, "</text>\n");
}

static void begin(JrText *out, int height, const char *title) {
    const double large = 15, fits = 75; /* characters */
    double len = (double)strlen(title);
    jr_text_printf(out,
                   "<svg class=\"jr-bench\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                   "height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
                   "font-size=\"12\">\n%s"
                   "<rect class=\"page\" width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                   WIDTH, height, WIDTH, height, style);
    jr_text_printf(out, "<text x=\"16\" y=\"24\" font-size=\"%.3g\" font-weight=\"bold\">",
                   len > fits ? large * fits / len : large);
    escaped(out, title);
    jr_text_puts(out, "</text>\n");
}

/* Where marks begin: right of the rows' names, and of the times on an axis. */
static double left_of(const JrBench *bench) {
    const double letter = 7, least = 72;
    double left = least;
    for (size_t i = 0; i < bench->row_count; i++)
        left = fmax(left, letter * (double)strlen(bench->rows[i].name) + 24);
    return fmin(left, WIDTH / 2.0);
}

/* A logarithmic axis from one power of ten to another. */
typedef struct Axis {
    int low, high;   /* powers */
    double from, to; /* in the picture */
} Axis;

static double place(const Axis *axis, double value) {
    double part = (log10(value) - axis->low) / (axis->high - axis->low);
    return axis->from + part * (axis->to - axis->from);
}

static Axis axis_for(double least, double most, double from, double to) {
    Axis axis = {(int)floor(log10(least)), (int)ceil(log10(most)), from, to};
    if (axis.high == axis.low) axis.high++;
    return axis;
}

/* Powers from one label to the next, so that labels do not touch. */
static int label_step(const Axis *axis) {
    const double room = 50;
    double each = fabs(axis->to - axis->from) / (axis->high - axis->low);
    return each < room ? (int)ceil(room / each) : 1;
}

/* Grows [*least, *most] to hold value; both 0 at first. */
static void include(double value, double *least, double *most) {
    if (!(value > 0) || isinf(value)) return;
    if (*least == 0 || value < *least) *least = value;
    if (value > *most) *most = value;
}

/* "100 us" for -4. */
static const char *power_text(char out[BENCH_TEXT], int power) {
    static const char *const units[] = {"s", "ms", "us", "ns"};
    int thousandths = power >= 0 ? 0 : (2 - power) / 3;
    if (thousandths > 3) thousandths = 3;
    snprintf(out, BENCH_TEXT, "%.3g %s", pow(10, power + 3 * thousandths), units[thousandths]);
    return out;
}

/* ---- Bars ---- */

static void bar(JrText *out, const Axis *axis, const JrBenchRow *row, size_t index, double y) {
    char time[BENCH_TEXT], ratio[BENCH_TEXT], text[96];
    double left = axis->from;
    label(out, left - 8, y + 17, "end", row->name);
    if (!row->sample_count) {
        label_over(out, left + 4, y + 17, row->error ? "failed" : "its result differs");
        return;
    }
    double end = fmax(place(axis, row->median > 0 ? row->median : 1e-10), left + 1);
    jr_text_printf(out,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
                   left, y + 4, end - left, BAR - 8, colour(index));
    snprintf(text, sizeof text, "%s (%s)", jr_bench_seconds(time, row->median),
             jr_bench_ratio(ratio, row->speedup));
    label_over(out, end + 6, y + 17, text);
}

static void bars(const JrBench *bench, JrText *out) {
    double least = 0, most = 0;
    for (size_t i = 0; i < bench->row_count; i++)
        if (bench->rows[i].sample_count) include(bench->rows[i].median, &least, &most);
    if (least == 0) least = most = 1;
    Axis axis = axis_for(least / 2, most, left_of(bench), WIDTH - RIGHT);
    double bottom = TOP + (double)bench->row_count * BAR;
    begin(out, (int)bottom + BOTTOM, bench->title);
    for (int power = axis.low; power <= axis.high; power++) {
        char text[BENCH_TEXT];
        double x = place(&axis, pow(10, power));
        line(out, x, TOP, x, bottom);
        if ((power - axis.low) % label_step(&axis) == 0)
            label(out, x, bottom + 16, "middle", power_text(text, power));
    }
    for (size_t i = 0; i < bench->row_count; i++)
        bar(out, &axis, &bench->rows[i], i, TOP + (double)i * BAR);
    label(out, (axis.from + axis.to) / 2, bottom + 36, "middle",
          "time of one call, logarithmic");
    jr_text_puts(out, "</svg>\n");
}

/* ---- Curves ---- */

typedef struct Curves {
    size_t count;
    const JrBench *const *benches;
    const double *sizes;
    Axis x, y;
    struct {
        double x, y; /* where a curve ends; x is 0 if there is none */
    } ends[BENCH_MAX_ROWS];
} Curves;

static void grid(const Curves *c, JrText *out) {
    char text[BENCH_TEXT];
    for (int power = c->x.low; power <= c->x.high; power++) {
        double x = place(&c->x, pow(10, power));
        line(out, x, c->y.to, x, c->y.from);
        snprintf(text, sizeof text, "1e%d", power);
        if ((power - c->x.low) % label_step(&c->x) == 0)
            label(out, x, c->y.from + 16, "middle", text);
    }
    for (int power = c->y.low; power <= c->y.high; power++) {
        double y = place(&c->y, pow(10, power));
        line(out, c->x.from, y, c->x.to, y);
        label(out, c->x.from - 8, y + 4, "end", power_text(text, power));
    }
    double middle = (c->y.from + c->y.to) / 2;
    jr_text_printf(out,
                   "<text transform=\"translate(24 %.1f) rotate(-90)\" "
                   "text-anchor=\"middle\">time of one call</text>\n",
                   middle);
    label(out, (c->x.from + c->x.to) / 2, c->y.from + 36, "middle", "size");
}

static const JrBenchRow *row_named(const JrBench *bench, const char *name) {
    for (size_t i = 0; i < bench->row_count; i++)
        if (strcmp(bench->rows[i].name, name) == 0) return &bench->rows[i];
    return NULL;
}

static bool point_of(const Curves *c, const char *name, size_t i, double *x, double *y) {
    const JrBenchRow *row = row_named(c->benches[i], name);
    if (!row || !row->sample_count || !(row->median > 0)) return false;
    *x = place(&c->x, c->sizes[i]);
    *y = place(&c->y, row->median);
    return true;
}

static void curve(Curves *c, const char *name, size_t index, JrText *out) {
    double x = 0, y = 0;
    jr_text_printf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
                   colour(index));
    for (size_t i = 0; i < c->count; i++)
        if (point_of(c, name, i, &x, &y)) jr_text_printf(out, "%.1f,%.1f ", x, y);
    jr_text_puts(out, "\"/>\n");
    for (size_t i = 0; i < c->count; i++)
        if (point_of(c, name, i, &x, &y))
            jr_text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x,
                           y, colour(index));
    c->ends[index].x = x;
    c->ends[index].y = y;
}

/* Names stand at the curves' ends, from the top down, and below the one before where they would
 * touch. */
static void name_curves(const Curves *c, JrText *out) {
    const JrBench *first = c->benches[0];
    bool named[BENCH_MAX_ROWS] = {false};
    double free_from = 0;
    for (size_t n = 0; n < first->row_count; n++) {
        size_t next = first->row_count;
        for (size_t i = 0; i < first->row_count; i++)
            if (!named[i] && c->ends[i].x > 0 &&
                (next == first->row_count || c->ends[i].y < c->ends[next].y))
                next = i;
        if (next == first->row_count) return;
        named[next] = true;
        double y = fmax(c->ends[next].y, free_from);
        free_from = y + 14;
        jr_text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">", c->ends[next].x + 6,
                       y + 4, colour(next));
        escaped(out, first->rows[next].name);
        jr_text_puts(out, "</text>\n");
    }
}

typedef struct Plot {
    size_t count;
    const JrBench *const *benches;
    const double *sizes;
} Plot;

static void curves(const Plot *plot, JrText *out) {
    size_t count = plot->count;
    const JrBench *const *benches = plot->benches;
    const double *sizes = plot->sizes;
    double least = 0, most = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < benches[i]->row_count; k++)
            if (benches[i]->rows[k].sample_count)
                include(benches[i]->rows[k].median, &least, &most);
    if (least == 0) least = most = 1;
    Curves c = {.count = count, .benches = benches, .sizes = sizes};
    const double left = 96, right = left_of(benches[0]); /* of the names at the ends */
    c.x = axis_for(sizes[0], sizes[count - 1], left, WIDTH - right);
    c.y = axis_for(least, most, TOP + CURVES, TOP);
    begin(out, TOP + CURVES + BOTTOM, benches[0]->title);
    grid(&c, out);
    for (size_t i = 0; i < benches[0]->row_count; i++)
        curve(&c, benches[0]->rows[i].name, i, out);
    name_curves(&c, out);
    jr_text_puts(out, "</svg>\n");
}

/* ---- The interface ---- */

static bool are_sizes(size_t count, const double *sizes) {
    for (size_t i = 0; i < count; i++)
        if (!sizes || !(sizes[i] > (i ? sizes[i - 1] : 0)) || isinf(sizes[i])) return false;
    return true;
}

static void draw(const void *of, JrText *out) {
    const Plot *plot = of;
    if (plot->count == 1)
        bars(plot->benches[0], out);
    else
        curves(plot, out);
}

JrStatus jr_bench_plot(size_t count, const JrBench *const *benches, const double *sizes,
                       JrWrite write, void *user) {
    jr_error_clear();
    bool given = count > 0 && benches && write;
    for (size_t i = 0; given && i < count; i++)
        given = benches[i] != NULL;
    if (!given) return jr_error_set(JR_ERR_ARGUMENT, "jr_bench_plot: NULL argument");
    if (count > 1 && !are_sizes(count, sizes))
        return jr_error_set(JR_ERR_ARGUMENT,
                            "jr_bench_plot: sizes are numbers above 0 that rise");
    Plot plot = {count, benches, sizes};
    return jr_write_text("the picture", draw, &plot, NULL, write, user);
}

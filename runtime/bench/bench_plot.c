/* A benchmark as an SVG picture: bars for one, curves over a size for several.
 *
 * Both axes of time are logarithmic: engines differ by factors, and a factor is then the same
 * distance everywhere. Colours are told apart by people who see colours differently (Okabe and
 * Ito's set), and every mark carries its name as text too. */
#include "runtime/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 720, LEFT = 120, RIGHT = 120, TOP = 48, BOTTOM = 48, BAR = 26, CURVES = 360 };

static const char *const colours[] = {"#0072B2", "#E69F00", "#009E73", "#D55E00",
                                      "#CC79A7", "#56B4E9", "#000000", "#999933"};

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

static void begin(JrText *out, int height, const char *title) {
    jr_text_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                   "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
                   "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                   WIDTH, height, WIDTH, height);
    jr_text_printf(out, "<text x=\"%d\" y=\"24\" font-size=\"15\" font-weight=\"bold\">", 16);
    escaped(out, title);
    jr_text_puts(out, "</text>\n");
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

/* Grows [*least, *most] to hold value; both 0 at first. */
static void include(double value, double *least, double *most) {
    if (!(value > 0) || isinf(value)) return;
    if (*least == 0 || value < *least) *least = value;
    if (value > *most) *most = value;
}

/* ---- Bars ---- */

static void bar(JrText *out, const Axis *axis, const JrBenchRow *row, size_t index, double y) {
    char time[BENCH_TEXT], text[96];
    label(out, LEFT - 8, y + 17, "end", row->name);
    if (!row->sample_count) {
        label(out, LEFT + 4, y + 17, "start", row->error ? "failed" : "its result differs");
        return;
    }
    double end = place(axis, row->median > 0 ? row->median : 1e-10);
    jr_text_printf(out,
                   "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
                   LEFT, y + 4, end > LEFT ? end - LEFT : 1, BAR - 8, colour(index));
    snprintf(text, sizeof text, "%s (%.3gx)", jr_bench_seconds(time, row->median),
             row->speedup);
    label(out, end + 6, y + 17, "start", text);
}

static void bars(const JrBench *bench, JrText *out) {
    double least = 0, most = 0;
    for (size_t i = 0; i < bench->row_count; i++)
        if (bench->rows[i].sample_count) include(bench->rows[i].median, &least, &most);
    if (least == 0) least = most = 1;
    Axis axis = axis_for(least / 2, most, LEFT, WIDTH - RIGHT);
    double bottom = TOP + (double)bench->row_count * BAR;
    begin(out, (int)bottom + BOTTOM, bench->title);
    for (int power = axis.low; power <= axis.high; power++) {
        char text[BENCH_TEXT];
        double x = place(&axis, pow(10, power));
        line(out, x, TOP, x, bottom);
        label(out, x, bottom + 16, "middle", jr_bench_seconds(text, pow(10, power)));
    }
    for (size_t i = 0; i < bench->row_count; i++)
        bar(out, &axis, &bench->rows[i], i, TOP + (double)i * BAR);
    label(out, WIDTH / 2.0, bottom + 36, "middle", "time of one call, logarithmic");
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
        label(out, x, c->y.from + 16, "middle", text);
    }
    for (int power = c->y.low; power <= c->y.high; power++) {
        double y = place(&c->y, pow(10, power));
        line(out, c->x.from, y, c->x.to, y);
        label(out, c->x.from - 8, y + 4, "end", jr_bench_seconds(text, pow(10, power)));
    }
    label(out, (c->x.from + c->x.to) / 2, c->y.from + 36, "middle", "size");
}

static const JrBenchRow *row_named(const JrBench *bench, const char *name) {
    for (size_t i = 0; i < bench->row_count; i++)
        if (strcmp(bench->rows[i].name, name) == 0) return &bench->rows[i];
    return NULL;
}

static void curve(Curves *c, const char *name, size_t index, JrText *out) {
    double x = 0, y = 0;
    jr_text_printf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
                   colour(index));
    for (size_t i = 0; i < c->count; i++) {
        const JrBenchRow *row = row_named(c->benches[i], name);
        if (!row || !row->sample_count || !(row->median > 0)) continue;
        x = place(&c->x, c->sizes[i]);
        y = place(&c->y, row->median);
        jr_text_printf(out, "%.1f,%.1f ", x, y);
    }
    jr_text_puts(out, "\"/>\n");
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
    c.x = axis_for(sizes[0], sizes[count - 1], LEFT, WIDTH - RIGHT);
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

/* Axes, lines and marks as SVG.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/measure/chart.h"

#include <math.h>

enum {
	WIDTH = 600,
	HEIGHT = 420,
	LEFT = 70,
	TOP = 34,
	ACROSS = 500,
	DOWN = 320,
	LABELS = 10,
	LEGEND_WIDTH = 130
};

static void begin_chart(GString *svg)
{
	g_string_append_printf(svg,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d "
		"%d' "
		"font-family='sans-serif' font-size='13'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
}

static void chart_text(GString *svg, double x, double y, const char *anchor, const char *words)
{
	char *escaped = g_markup_escape_text(words, -1);

	g_string_append_printf(
		svg, "<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>\n", x, y, anchor, escaped);
	g_free(escaped);
}

static void name_axes(GString *svg, const char *x, const char *y)
{
	char *escaped = g_markup_escape_text(y, -1);

	chart_text(svg, LEFT + ACROSS / 2.0, TOP + DOWN + 44, "middle", x);
	g_string_append_printf(svg,
		"<text transform='translate(18 %d) rotate(-90)' text-anchor='middle'>%s</text>\n",
		TOP + DOWN / 2, escaped);
	g_free(escaped);
}

static void add_legend(GString *svg, const struct chart_series *series, size_t count)
{
	double at = LEFT;

	for (size_t i = 0; count > 1 && i < count; i++) {
		g_string_append_printf(svg,
			"<rect x='%.0f' y='10' width='12' height='12' fill='%s'/>\n", at,
			series[i].color);
		chart_text(svg, at + 18, 21, "start", series[i].name);
		at += LEGEND_WIDTH;
	}
}

/* Place of a value along an axis, 0 to 1. */
static double place_mark(const struct chart_axis *axis, double value)
{
	double kept = fmin(fmax(value, axis->from), axis->to);

	return axis->logarithmic ? log(kept / axis->from) / log(axis->to / axis->from)
				 : (kept - axis->from) / (axis->to - axis->from);
}

static void draw_grid(GString *svg, const struct chart_axis *x, const struct chart_axis *y)
{
	char number[32];

	for (size_t i = 0; i < x->mark_count; i++) {
		double at = LEFT + ACROSS * place_mark(x, x->marks[i]);
		g_string_append_printf(
			svg, "<path d='M%.1f %d v%d' stroke='#ddd'/>\n", at, TOP, DOWN);
		g_snprintf(number, sizeof(number), "%g", x->marks[i]);
		chart_text(svg, at, TOP + DOWN + 18, "middle", number);
	}
	for (size_t i = 0; i < y->mark_count; i++) {
		double at = TOP + DOWN * (1 - place_mark(y, y->marks[i]));
		g_string_append_printf(
			svg, "<path d='M%d %.1f h%d' stroke='#ddd'/>\n", LEFT, at, ACROSS);
		g_snprintf(number, sizeof(number), "%g", y->marks[i]);
		chart_text(svg, LEFT - 8, at + 4, "end", number);
	}
}

static void draw_series(GString *svg, const struct chart_axis *x, const struct chart_axis *y,
	const struct chart_series *series)
{
	if (!series->points)
		g_string_append_printf(
			svg, "<path fill='none' stroke-width='2' stroke='%s' d='", series->color);
	for (size_t i = 0; i < series->count; i++) {
		double across = LEFT + ACROSS * place_mark(x, series->x[i]);
		double down = TOP + DOWN * (1 - place_mark(y, series->y[i]));
		if (series->points)
			g_string_append_printf(svg,
				"<circle cx='%.1f' cy='%.1f' r='4' fill='%s'/>\n", across, down,
				series->color);
		else
			g_string_append_printf(svg, "%c%.1f %.1f", i ? 'L' : 'M', across, down);
	}
	if (!series->points)
		g_string_append(svg, "'/>\n");
}

void chart_lines(GString *svg, const struct chart_axis *x, const struct chart_axis *y,
	const struct chart_series *series, size_t count)
{
	begin_chart(svg);
	draw_grid(svg, x, y);
	name_axes(svg, x->label, y->label);
	for (size_t i = 0; i < count; i++)
		draw_series(svg, x, y, &series[i]);
	add_legend(svg, series, count);
	g_string_append(svg, "</svg>\n");
}

/* The next number that is easily halved and read: 2, 4, 6, 8, 10 times a power of ten. */
static double round_up(double number)
{
	double power = pow(10, floor(log10(number)));

	return fmax(2 * ceil(number / power / 2) * power, 2);
}

/* The top of the axis. */
static double largest(const struct chart_series *series, size_t count)
{
	double most = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < series[i].count; j++)
			most = fmax(most, series[i].y[j]);
	}
	return round_up(fmax(most, 1));
}

static void draw_bars(GString *svg, const struct chart_series *series, size_t count, double most)
{
	double group = (double)ACROSS / (double)series->count;
	double width = 0.8 * group / (double)count;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < series[i].count; j++) {
			double height = DOWN * series[i].y[j] / most;
			g_string_append_printf(svg,
				"<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='%s'/>\n",
				LEFT + group * ((double)j + 0.1) + width * (double)i,
				TOP + DOWN - height, width, height, series[i].color);
		}
	}
}

void chart_bars(GString *svg, const char *x_label, const char *y_label, const char *const *labels,
	const struct chart_series *series, size_t count)
{
	double most = largest(series, count);
	const double marks[] = {0, most / 2, most};
	const struct chart_axis x = {.from = 0, .to = 1};
	const struct chart_axis y = {.from = 0, .to = most, .marks = marks, .mark_count = 3};
	size_t bars = series->count;

	begin_chart(svg);
	draw_grid(svg, &x, &y);
	name_axes(svg, x_label, y_label);
	if (bars > 0)
		draw_bars(svg, series, count, most);
	for (size_t j = 0; j < bars; j += 1 + bars / LABELS)
		chart_text(svg, LEFT + ACROSS * ((double)j + 0.5) / (double)bars, TOP + DOWN + 18,
			"middle", labels[j]);
	add_legend(svg, series, count);
	g_string_append(svg, "</svg>\n");
}

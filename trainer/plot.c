/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/plot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

enum { WIDTH = 640, HEIGHT = 560, LEFT = 80, TOP = 50, SIDE = 440 };

static const double SMALLEST = 0.01; /* percent; below it is the axis itself */
static const double DECADES = 4;

/* Place of a percentage on an axis, 0 to SIDE. */
static double place(double percent)
{
	return SIDE * fmin(1, log10(fmax(percent, SMALLEST) / SMALLEST) / DECADES);
}

static void draw_axes(FILE *file)
{
	static const double marks[] = {0.01, 0.1, 1, 10, 100};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		double at = place(marks[i]);
		fprintf(file,
			"<path d='M%.1f %d v%d M%d %.1f h%d' stroke='#ddd'/>\n"
			"<text x='%.1f' y='%d' text-anchor='middle'>%g</text>\n"
			"<text x='%d' y='%.1f' text-anchor='end'>%g</text>\n",
			LEFT + at, TOP, SIDE, LEFT, TOP + SIDE - at, SIDE, LEFT + at,
			TOP + SIDE + 18, marks[i], LEFT - 8, TOP + SIDE - at + 4, marks[i]);
	}
	fprintf(file,
		"<text x='%d' y='%d' text-anchor='middle'>good mail lost, percent</text>\n"
		"<text transform='translate(22 %d) rotate(-90)' text-anchor='middle'>spam missed, "
		"percent</text>\n",
		LEFT + SIDE / 2, TOP + SIDE + 42, TOP + SIDE / 2);
}

static void draw_curve(FILE *file, const double *lost, const double *caught, size_t points)
{
	fputs("<path fill='none' stroke='#06c' stroke-width='2' d='", file);
	for (size_t i = 0; i < points; i++)
		fprintf(file, "%c%.1f %.1f", i ? 'L' : 'M', LEFT + place(lost[i]),
			TOP + SIDE - place(100 - caught[i]));
	fputs("'/>\n", file);
}

enum status plot_roc(const char *path, const struct result *results, size_t count,
	const char *title, struct failure *failure)
{
	enum status status = STATUS_OK;
	double *lost = malloc(2 * (count + 1) * sizeof(*lost));
	char *escaped = g_markup_escape_text(title, -1);
	FILE *file = lost ? fopen(path, "w") : NULL;

	if (!lost) {
		status = failure_set(failure, STATUS_NOMEM, "drawing %s: out of memory", path);
		goto out;
	}
	if (!file) {
		status = failure_set(failure, STATUS_IO, "writing %s: %s", path, strerror(errno));
		goto out;
	}
	size_t points = metrics_curve(results, count, lost, lost + count + 1);
	fprintf(file,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"font-family='sans-serif' font-size='13'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n"
		"<text x='%d' y='28' font-size='15' text-anchor='middle'>%s</text>\n",
		WIDTH, HEIGHT, LEFT + SIDE / 2, escaped);
	draw_axes(file);
	draw_curve(file, lost, lost + count + 1, points);
	fputs("</svg>\n", file);
	if (fclose(file) != 0)
		status = failure_set(failure, STATUS_IO, "writing %s: %s", path, strerror(errno));
out:
	g_free(escaped);
	free(lost);
	return status;
}

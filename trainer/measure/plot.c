/* Draws the ROC curve on logarithmic axes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/measure/plot.h"

#include "trainer/measure/chart.h"

void plot_roc_into(GString *svg, const struct plot_curve *curves, size_t count)
{
	static const double marks[] = {0.01, 0.1, 1, 10, 100};
	const struct chart_axis x = {"good mail lost, percent", 0.01, 100, true, marks, 5};
	const struct chart_axis y = {"spam missed, percent", 0.01, 100, true, marks, 5};
	struct chart_series *series = g_new0(struct chart_series, count);
	double **points = g_new0(double *, count);

	for (size_t i = 0; i < count; i++) {
		size_t room = curves[i].count + 1;
		points[i] = g_new(double, 2 * room);
		series[i] = (struct chart_series){.name = curves[i].name,
			.color = curves[i].color,
			.x = points[i],
			.y = points[i] + room};
		series[i].count = metrics_curve(
			curves[i].results, curves[i].count, points[i], points[i] + room);
		for (size_t j = 0; j < series[i].count; j++) /* caught to missed */
			points[i][room + j] = 100 - points[i][room + j];
	}
	chart_lines(svg, &x, &y, series, count);
	for (size_t i = 0; i < count; i++)
		g_free(points[i]);
	g_free(points);
	g_free(series);
}

enum status plot_roc(
	const char *path, const struct result *results, size_t count, struct failure *failure)
{
	const struct plot_curve curve = {"", "#06c", results, count};
	GString *svg = g_string_new(NULL);
	GError *error = NULL;
	enum status status = STATUS_OK;

	plot_roc_into(svg, &curve, 1);
	if (!g_file_set_contents(path, svg->str, (gssize)svg->len, &error)) {
		status = failure_set(failure, STATUS_IO, "%s", error->message);
		g_error_free(error);
	}
	g_string_free(svg, TRUE);
	return status;
}

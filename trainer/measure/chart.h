/* Pictures as SVG elements, to be put into a page or a file. Pure: numbers in, text
 * out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

struct chart_axis {
	const char *label;
	double from, to;
	bool logarithmic; /* then `from` > 0, and what is below is drawn there */
	const double *marks;
	size_t mark_count;
};

struct chart_series {
	const char *name, *color; /* of CSS */
	const double *x, *y;
	size_t count;
	bool points; /* no line between them */
};

/* Lines or points over two axes, with a legend when there are several. */
void chart_lines(GString *svg, const struct chart_axis *x, const struct chart_axis *y,
	const struct chart_series *series, size_t count);

/* Groups of bars beside each other, one of each series; `x` is not looked at, all
 * series are of one length. `labels` below the groups, as many as there is room for. */
void chart_bars(GString *svg, const char *x_label, const char *y_label, const char *const *labels,
	const struct chart_series *series, size_t count);

/* The ROC curve as a picture: ham lost against spam missed, both axes
 * logarithmic, because what matters is in the corner.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include <glib.h>

#include "engine/base/status.h"
#include "trainer/measure/metrics.h"

struct plot_curve {
	const char *name, *color;
	const struct result *results;
	size_t count;
};

/* Appends an SVG element. */
void plot_roc_into(GString *svg, const struct plot_curve *curves, size_t count);

/* Writes an SVG file. STATUS_IO. */
enum status plot_roc(
	const char *path, const struct result *results, size_t count, struct failure *failure);

/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The ROC curve as a picture: ham lost against spam missed, both axes
 * logarithmic, because what matters is in the corner. */
#pragma once

#include <stddef.h>

#include "engine/base/status.h"
#include "trainer/metrics.h"

/* Writes an SVG file. STATUS_IO, STATUS_NOMEM. */
enum status plot_roc(const char *path, const struct result *results, size_t count,
	const char *title, struct failure *failure);

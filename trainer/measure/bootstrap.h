/* How far figures may be off by chance: 95 % intervals by the bootstrap (Efron and
 * Tibshirani, An Introduction to the Bootstrap, 1993), percentile method. Messages are
 * drawn with replacement; or, where a user's messages are alike, whole users (cluster
 * bootstrap; Davison and Hinkley, Bootstrap Methods and their Application, 1997).
 * Pure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "trainer/measure/metrics.h"

struct bootstrap {
	size_t resamples; /* >= 1 */
	uint64_t seed;
	const size_t *clusters; /* of each result, below cluster_count; NULL = each result
				 * is one of its own */
	size_t cluster_count;
};

/* Both NaN when no resample had the classes that the measure is about. Where no error
 * was seen it is 0 to 0: resampling cannot invent one. */
struct interval {
	double low, high;
};

/* STATUS_NOMEM. */
enum status bootstrap_intervals(const struct bootstrap *bootstrap, const struct result *results,
	size_t count, struct interval intervals[METRICS], struct failure *failure);

/* Of second - first, which are of the same messages in the same order: each resample
 * draws the same messages from both. */
enum status bootstrap_differences(const struct bootstrap *bootstrap, const struct result *first,
	const struct result *second, size_t count, struct interval intervals[METRICS],
	struct failure *failure);

/* What the site's thresholds and the scale of its scores should be, from messages that
 * were scored before their label was learned. Pure but for memory.
 *
 * Scale. Probabilities mean what they say when log-odds are multiplied by the right
 * factor a (temperature scaling: Guo et al., ICML 2017). Labels are presses, and a share n
 * of them is wrong, so both are fitted together by the largest likelihood of
 *
 *   P(label) = n + (1 - 2 n) / (1 + exp(-+ a z))
 *
 * without which each wrong press on a clear message would make the filter timid. What
 * it gives is measured crosswise: fitted on each half, looked at on the other.
 *
 * Junk score. The lowest at which the share of good mail above it is within the target; of
 * few messages that is just above the highest one. A report of good mail counts as far as
 * it is believed, given n and its score.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"
#include "engine/service/scope/scope.h"
#include "trainer/measure/metrics.h"

struct proposal_terms {
	double scale; /* that the results were scored with */
	double threshold, junk_log_odds; /* the score that stands for these log-odds */
	struct policy_bounds bounds; /* the junk score stays within, the reject score above */
	struct policy present; /* the site's */
	double ham_lost; /* the target, percent */
};

/* How a junk score fares with the results. */
struct proposal_point {
	double junk, reject; /* scores */
	double ham_lost, spam_missed; /* percent */
	double scale;
	double calibration_error, log_loss; /* crosswise where it is fitted */
};

struct proposal {
	/* false: too few reports to tell, or too many that contradict the scores; the rest is
	 * not to be looked at */
	bool made;
	double noise; /* n */
	struct proposal_point present, proposed;
	struct result *calibrated; /* the results as the other half's fit has them */
	size_t count;
};

/* STATUS_NOMEM. */
enum status proposal_make(struct proposal *proposal, const struct result *results, size_t count,
	const struct proposal_terms *terms, struct failure *failure);
void proposal_free(struct proposal *proposal);

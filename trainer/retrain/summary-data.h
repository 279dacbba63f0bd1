/* The numbers that a report shows, for its page and its JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "trainer/retrain/retrain.h"

enum { SCORE_BINS = 32, PROBABILITY_BINS = 20, ERROR_BINS = 10, MOST_DAYS = 60, MOST_TOKENS = 20 };
#define SCORE_EDGE 16.0 /* log-odds at the ends of the histogram */

/* By probability. */
struct bins {
	double number[PROBABILITY_BINS]; /* messages */
	double probability[PROBABILITY_BINS], spam[PROBABILITY_BINS]; /* sums over them */
};
void summary_fill_probabilities(struct bins *bins, const struct result *results, size_t count);

/* Messages by score, from -SCORE_EDGE to SCORE_EDGE; what is beyond is in the last bins. */
void summary_fill_scores(const struct result *results, size_t count, double spam[SCORE_BINS],
	double ham[SCORE_BINS]);

/* The last days of the comparison. */
struct days {
	size_t count;
	char *labels[MOST_DAYS + 1];
	double reports[MOST_DAYS], lost[MOST_DAYS], missed[MOST_DAYS];
};
void summary_fill_days(struct days *days, const struct comparison *comparison);
void summary_free_days(struct days *days);

/* People by how often they are wrong, from 0 to 0.5. */
void summary_fill_errors(const struct reporters *reporters, double bins[ERROR_BINS]);

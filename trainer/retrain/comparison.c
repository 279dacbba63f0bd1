/* Compares champion and challenger by areas and their intervals.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/comparison.h"

#include <stdio.h>

#include "trainer/measure/bootstrap.h"

enum { FEWEST = 100, FEWEST_OF_A_CLASS = 10, RESAMPLES = 1000 };

/* What decides, and how much of it nobody would notice: on many reports chance explains
 * less than that. */
static const struct {
	enum metric metric;
	double negligible;
} DECISIVE[] = {{METRIC_LOG_LOSS, 0.001}, {METRIC_HAM_LOST, 0.01}};

static void conclude_comparison(struct comparison *comparison)
{
	const struct difference *loss = &comparison->differences[METRIC_LOG_LOSS];

	comparison->verdict = COMPARISON_NOT_WORSE;
	snprintf(comparison->reason, sizeof(comparison->reason),
		"not worse on %zu reports: log loss %.4f, it was %.4f", comparison->count,
		loss->challenger, loss->champion);
	for (size_t i = 0; i < sizeof(DECISIVE) / sizeof(DECISIVE[0]); i++) {
		enum metric metric = DECISIVE[i].metric;
		if (comparison->verdict == COMPARISON_WORSE ||
			!(comparison->differences[metric].low > DECISIVE[i].negligible))
			continue;
		comparison->verdict = COMPARISON_WORSE;
		snprintf(comparison->reason, sizeof(comparison->reason),
			"%s is higher by more than chance explains", metrics_name(metric));
	}
}

static enum status measure_side(struct comparison *comparison, struct failure *failure)
{
	const struct bootstrap bootstrap = {.resamples = RESAMPLES, .seed = 1};
	double champion[METRICS], challenger[METRICS];
	struct interval intervals[METRICS];

	metrics_measure(comparison->champion, comparison->count, champion);
	metrics_measure(comparison->challenger, comparison->count, challenger);
	enum status status = bootstrap_differences(&bootstrap, comparison->champion,
		comparison->challenger, comparison->count, intervals, failure);
	for (int i = 0; i < METRICS && status == STATUS_OK; i++)
		comparison->differences[i] = (struct difference){.champion = champion[i],
			.challenger = challenger[i],
			.low = intervals[i].low,
			.high = intervals[i].high};
	return status;
}

enum status comparison_judge(struct comparison *comparison, struct failure *failure)
{
	size_t count = comparison->count;
	size_t spam = metrics_spam(comparison->champion, count);

	if (count < FEWEST || spam < FEWEST_OF_A_CLASS || count - spam < FEWEST_OF_A_CLASS) {
		comparison->verdict = COMPARISON_TOO_FEW;
		snprintf(comparison->reason, sizeof(comparison->reason),
			"%zu new reports, %zu of spam, are too few to compare on: %d are wanted, "
			"%d of each kind",
			count, spam, FEWEST, FEWEST_OF_A_CLASS);
		return STATUS_OK;
	}
	enum status status = measure_side(comparison, failure);
	if (status == STATUS_OK)
		conclude_comparison(comparison);
	return status;
}

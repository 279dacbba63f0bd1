/* Collects the numbers of a retraining's report.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/summary-data.h"

#include <math.h>
#include <string.h>

#include <glib.h>

void summary_fill_probabilities(struct bins *bins, const struct result *results, size_t count)
{
	*bins = (struct bins){0};
	for (size_t i = 0; i < count; i++) {
		size_t bin = (size_t)fmin(
			results[i].probability * PROBABILITY_BINS, PROBABILITY_BINS - 1);
		bins->number[bin]++;
		bins->probability[bin] += results[i].probability;
		bins->spam[bin] += results[i].spam;
	}
}

void summary_fill_scores(
	const struct result *results, size_t count, double spam[SCORE_BINS], double ham[SCORE_BINS])
{
	memset(spam, 0, SCORE_BINS * sizeof(double));
	memset(ham, 0, SCORE_BINS * sizeof(double));
	for (size_t i = 0; i < count; i++) {
		double at = (results[i].score / SCORE_EDGE + 1) / 2 * SCORE_BINS;
		size_t bin = (size_t)fmin(fmax(at, 0), SCORE_BINS - 1);
		if (results[i].spam)
			spam[bin]++;
		else
			ham[bin]++;
	}
}

static void add_to_day(
	struct days *days, int64_t *current, int64_t time, const struct result *result)
{
	int64_t day = time / 86400;

	if (days->count == 0 || day > *current) {
		if (days->count == MOST_DAYS)
			return;
		GDateTime *date = g_date_time_new_from_unix_utc(day * 86400);
		days->labels[days->count++] =
			date ? g_date_time_format(date, "%m-%d") : g_strdup("?");
		if (date)
			g_date_time_unref(date);
		*current = day;
	}
	days->reports[days->count - 1]++;
	days->lost[days->count - 1] += !result->spam && result->called_spam;
	days->missed[days->count - 1] += result->spam && !result->called_spam;
}

void summary_fill_days(struct days *days, const struct comparison *comparison)
{
	int64_t current = 0,
		last = comparison->count ? comparison->times[comparison->count - 1] : 0;

	*days = (struct days){0};
	for (size_t i = 0; i < comparison->count; i++) {
		if (comparison->times[i] > last - (int64_t)MOST_DAYS * 86400)
			add_to_day(
				days, &current, comparison->times[i], &comparison->challenger[i]);
	}
}

void summary_free_days(struct days *days)
{
	for (size_t i = 0; i < days->count; i++)
		g_free(days->labels[i]);
}

void summary_fill_errors(const struct reporters *reporters, double bins[ERROR_BINS])
{
	memset(bins, 0, ERROR_BINS * sizeof(double));
	for (size_t i = 0; i < reporters_count(reporters); i++) {
		const struct reporter *reporter = reporters_at((struct reporters *)reporters, i);
		if (*reporter->name)
			bins[(size_t)fmin(reporter->error / 0.5 * ERROR_BINS, ERROR_BINS - 1)]++;
	}
}

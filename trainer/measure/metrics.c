/* Areas, rates and calibration from scores and labels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/measure/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 20 };

static int compare_falling(const void *a, const void *b)
{
	double first = ((const struct result *)a)->score;
	double second = ((const struct result *)b)->score;

	return first > second ? -1 : first < second;
}

static struct result *sorted_copy(const struct result *results, size_t count)
{
	struct result *copy = malloc((count + 1) * sizeof(*copy));

	if (copy) {
		memcpy(copy, results, count * sizeof(*copy));
		qsort(copy, count, sizeof(*copy), compare_falling);
	}
	return copy;
}

size_t metrics_spam(const struct result *results, size_t count)
{
	size_t spam = 0;

	for (size_t i = 0; i < count; i++)
		spam += results[i].spam;
	return spam;
}

size_t metrics_curve(const struct result *results, size_t count, double *lost, double *caught)
{
	struct result *sorted = sorted_copy(results, count);
	double spam = (double)metrics_spam(results, count);
	double ham = (double)count - spam;
	size_t points = 0, spam_seen = 0;

	if (!sorted)
		return 0;
	lost[points] = caught[points] = 0;
	points++;
	for (size_t i = 0; i < count; i++) {
		spam_seen += sorted[i].spam;
		if (i + 1 < count && sorted[i + 1].score == sorted[i].score)
			continue;
		lost[points] = ham > 0 ? 100 * (double)(i + 1 - spam_seen) / ham : 0;
		caught[points] = spam > 0 ? 100 * (double)spam_seen / spam : 0;
		points++;
	}
	free(sorted);
	return points;
}

/* Both arrays of a curve in one piece; `caught` is its second half. */
static double *make_curve(const struct result *results, size_t count, size_t *points)
{
	double *lost = malloc(2 * (count + 1) * sizeof(*lost));

	*points = lost ? metrics_curve(results, count, lost, lost + count + 1) : 0;
	return lost;
}

double metrics_one_minus_roca(const struct result *results, size_t count)
{
	size_t spam = metrics_spam(results, count), points;
	double area = 0;

	if (spam == 0 || spam == count)
		return 0;
	double *lost = make_curve(results, count, &points);
	if (!lost || points == 0) {
		free(lost);
		return NAN;
	}
	const double *caught = lost + count + 1;
	for (size_t i = 1; i < points; i++)
		area += (lost[i] - lost[i - 1]) * (100 - (caught[i] + caught[i - 1]) / 2);
	free(lost);
	return area / 100;
}

double metrics_spam_missed_at(const struct result *results, size_t count, double ham_lost)
{
	size_t points;
	double *lost = make_curve(results, count, &points);
	double best = 0;

	if (!lost)
		return NAN;
	for (size_t i = 0; i < points && lost[i] <= ham_lost; i++)
		best = lost[count + 1 + i];
	free(lost);
	return metrics_spam(results, count) ? 100 - best : 0;
}

double metrics_calibration_error(const struct result *results, size_t count)
{
	double sums[BINS] = {0}, spam[BINS] = {0}, error = 0;

	for (size_t i = 0; i < count; i++) {
		size_t bin = (size_t)(results[i].probability * BINS);
		if (bin >= BINS)
			bin = BINS - 1;
		sums[bin] += results[i].probability;
		spam[bin] += results[i].spam;
	}
	for (size_t bin = 0; bin < BINS; bin++)
		error += fabs(sums[bin] - spam[bin]);
	return count ? error / (double)count : 0;
}

/* Percent of the messages of one class that got the other verdict. */
static double wrong_of_class(const struct result *results, size_t count, bool spam)
{
	size_t all = 0, wrong = 0;

	for (size_t i = 0; i < count; i++) {
		all += results[i].spam == spam;
		wrong += results[i].spam == spam && results[i].called_spam != spam;
	}
	return all ? 100 * (double)wrong / (double)all : 0;
}

double metrics_ham_lost(const struct result *results, size_t count)
{
	return wrong_of_class(results, count, false);
}

double metrics_spam_missed(const struct result *results, size_t count)
{
	return wrong_of_class(results, count, true);
}

double metrics_loss(const struct result *result)
{
	double p = fmin(fmax(result->probability, 1e-6), 1 - 1e-6);

	return -log(result->spam ? p : 1 - p);
}

double metrics_log_loss(const struct result *results, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += metrics_loss(&results[i]);
	return count ? sum / (double)count : 0;
}

static const struct {
	const char *key, *name, *unit;
} NAMES[METRICS] = {
	[METRIC_ROCA] = {"one_minus_roca_percent", "area above the ROC curve", "percent"},
	[METRIC_HAM_LOST] = {"ham_lost_percent", "ham lost", "percent"},
	[METRIC_SPAM_MISSED] = {"spam_missed_percent", "spam missed", "percent"},
	[METRIC_LOG_LOSS] = {"log_loss", "log loss", "nats a message"},
};

const char *metrics_key(enum metric metric)
{
	return NAMES[metric].key;
}

const char *metrics_name(enum metric metric)
{
	return NAMES[metric].name;
}

const char *metrics_unit(enum metric metric)
{
	return NAMES[metric].unit;
}

void metrics_measure(const struct result *results, size_t count, double values[METRICS])
{
	size_t spam = metrics_spam(results, count), ham = count - spam;

	values[METRIC_ROCA] = spam && ham ? metrics_one_minus_roca(results, count) : NAN;
	values[METRIC_HAM_LOST] = ham ? metrics_ham_lost(results, count) : NAN;
	values[METRIC_SPAM_MISSED] = spam ? metrics_spam_missed(results, count) : NAN;
	values[METRIC_LOG_LOSS] = count ? metrics_log_loss(results, count) : NAN;
}

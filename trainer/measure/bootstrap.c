/* Resamples scores, and takes percentiles of the figures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/measure/bootstrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "trainer/measure/random.h"

/* A result as a resample needs it. Sorted by score once: a resample is a weight for
 * each, and one walk gives its figures. */
struct place {
	double score, loss;
	size_t unit; /* that is drawn: cluster or message */
	bool spam, wrong;
};

struct work {
	struct place *first, *second; /* `second` may be NULL */
	size_t count, units, resamples;
	uint32_t *weights; /* of the units */
	double *values[METRICS]; /* of the resamples in which they are defined */
	size_t defined[METRICS];
};

static int compare_places(const void *a, const void *b)
{
	double first = ((const struct place *)a)->score;
	double second = ((const struct place *)b)->score;

	return first > second ? -1 : first < second;
}

static struct place *sort_results(
	const struct bootstrap *bootstrap, const struct result *results, size_t count)
{
	struct place *places = malloc((count + 1) * sizeof(*places));

	for (size_t i = 0; places && i < count; i++)
		places[i] = (struct place){.score = results[i].score,
			.loss = metrics_loss(&results[i]),
			.unit = bootstrap->clusters ? bootstrap->clusters[i] : i,
			.spam = results[i].spam,
			.wrong = results[i].called_spam != results[i].spam};
	if (places)
		qsort(places, count, sizeof(*places), compare_places);
	return places;
}

/* The weights of both classes, of what is wrong in them, and of the pairs that are in
 * the wrong order. */
struct sums {
	double ham, spam, ham_wrong, spam_wrong, loss, pairs;
};

static struct sums sum_up(const struct place *places, size_t count, const uint32_t *weights)
{
	struct sums sums = {0};

	for (size_t i = 0, end; i < count; i = end) {
		double ham = 0, spam = 0;
		for (end = i; end < count && places[end].score == places[i].score; end++) {
			double weight = weights[places[end].unit];
			*(places[end].spam ? &spam : &ham) += weight;
			if (places[end].wrong)
				*(places[end].spam ? &sums.spam_wrong : &sums.ham_wrong) += weight;
			sums.loss += weight * places[end].loss;
		}
		sums.pairs += spam * (sums.ham + ham / 2); /* ties count half */
		sums.ham += ham;
		sums.spam += spam;
	}
	return sums;
}

static void measure_draw(
	const struct place *places, size_t count, const uint32_t *weights, double values[METRICS])
{
	struct sums sums = sum_up(places, count, weights);
	double ham = sums.ham > 0 ? sums.ham : NAN, spam = sums.spam > 0 ? sums.spam : NAN;
	double all = sums.ham + sums.spam;

	values[METRIC_ROCA] = 100 * sums.pairs / (ham * spam);
	values[METRIC_HAM_LOST] = 100 * sums.ham_wrong / ham;
	values[METRIC_SPAM_MISSED] = 100 * sums.spam_wrong / spam;
	values[METRIC_LOG_LOSS] = all > 0 ? sums.loss / all : NAN;
}

static void resample_items(struct work *work, uint64_t *random)
{
	double first[METRICS], second[METRICS];

	memset(work->weights, 0, work->units * sizeof(*work->weights));
	for (size_t i = 0; i < work->units; i++)
		work->weights[random_below(random, work->units)]++;
	measure_draw(work->first, work->count, work->weights, first);
	if (work->second)
		measure_draw(work->second, work->count, work->weights, second);
	for (int m = 0; m < METRICS; m++) {
		double value = work->second ? second[m] - first[m] : first[m];
		if (!isnan(value))
			work->values[m][work->defined[m]++] = value;
	}
}

static int compare_numbers(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static struct interval middle(double *values, size_t count)
{
	size_t beyond = (size_t)(0.025 * (double)count);

	if (count == 0)
		return (struct interval){NAN, NAN};
	qsort(values, count, sizeof(*values), compare_numbers);
	return (struct interval){values[beyond], values[count - 1 - beyond]};
}

static bool prepare_draws(struct work *work, const struct bootstrap *bootstrap,
	const struct result *first, const struct result *second, size_t count)
{
	*work = (struct work){.count = count,
		.units = bootstrap->clusters ? bootstrap->cluster_count : count,
		.resamples = bootstrap->resamples};
	work->first = sort_results(bootstrap, first, count);
	work->second = second ? sort_results(bootstrap, second, count) : NULL;
	work->weights = malloc((work->units + 1) * sizeof(*work->weights));
	bool good = work->first && work->weights && (work->second || !second);
	for (int m = 0; m < METRICS; m++) {
		work->values[m] = malloc(work->resamples * sizeof(double));
		good &= work->values[m] != NULL;
	}
	return good;
}

static enum status run_bootstrap(const struct bootstrap *bootstrap, const struct result *first,
	const struct result *second, size_t count, struct interval intervals[METRICS],
	struct failure *failure)
{
	uint64_t random = bootstrap->seed;
	enum status status = STATUS_OK;
	struct work work;

	if (!prepare_draws(&work, bootstrap, first, second, count))
		status = failure_set(failure, STATUS_NOMEM, "resampling: out of memory");
	for (size_t i = 0; status == STATUS_OK && i < work.resamples; i++)
		resample_items(&work, &random);
	for (int m = 0; m < METRICS; m++) {
		if (status == STATUS_OK)
			intervals[m] = middle(work.values[m], work.defined[m]);
		free(work.values[m]);
	}
	free(work.weights);
	free(work.second);
	free(work.first);
	return status;
}

enum status bootstrap_intervals(const struct bootstrap *bootstrap, const struct result *results,
	size_t count, struct interval intervals[METRICS], struct failure *failure)
{
	return run_bootstrap(bootstrap, results, NULL, count, intervals, failure);
}

enum status bootstrap_differences(const struct bootstrap *bootstrap, const struct result *first,
	const struct result *second, size_t count, struct interval intervals[METRICS],
	struct failure *failure)
{
	return run_bootstrap(bootstrap, first, second, count, intervals, failure);
}

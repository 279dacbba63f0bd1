/* Computes figures and their intervals from the scores.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/findings.h"

#include <math.h>

#include <glib.h>

/* --- Folds ------------------------------------------------------------------------------ */

static void measure_fold(struct folds *folds, const struct evaluation *evaluation, size_t fold)
{
	struct result *results = g_new(struct result, evaluation->count + 1);
	size_t count = 0;

	for (size_t i = 0; i < evaluation->count; i++) {
		if (evaluation->messages[i].fold == fold)
			results[count++] = evaluation->results[i];
	}
	folds->messages[fold] = count;
	metrics_measure(results, count, folds->values[fold]);
	g_free(results);
}

static void spread(struct folds *folds, size_t count, enum metric of)
{
	double sum = 0, squares = 0, defined = 0;

	for (size_t i = 0; i < count; i++) {
		if (isnan(folds->values[i][of]))
			continue;
		sum += folds->values[i][of];
		defined++;
	}
	double mean = defined > 0 ? sum / defined : NAN;
	for (size_t i = 0; i < count; i++) {
		double off = folds->values[i][of] - mean;
		squares += isnan(off) ? 0 : off * off;
	}
	folds->mean[of] = mean;
	folds->deviation[of] = defined > 1 ? sqrt(squares / (defined - 1)) : NAN;
}

static void measure_folds(struct folds *folds, const struct evaluation *evaluation, size_t count)
{
	folds->messages = g_new0(size_t, count);
	folds->values = g_malloc0_n(count, sizeof(*folds->values));
	for (size_t fold = 0; fold < count; fold++)
		measure_fold(folds, evaluation, fold);
	for (int m = 0; m < METRICS; m++)
		spread(folds, count, (enum metric)m);
}

/* --- Gray mail ------------------------------------------------------------------------ */

static void find_gray(struct findings *findings)
{
	const struct evaluation *evaluation = findings->evaluation;
	struct opinion *opinions = g_new(struct opinion, evaluation->count + 1);

	for (size_t i = 0; i < evaluation->count; i++)
		opinions[i] = (struct opinion){.identity = evaluation->messages[i].identity,
			.user = findings->users.of[i],
			.spam = evaluation->results[i].spam,
			.called_spam = evaluation->results[i].called_spam};
	gray_measure(&findings->gray, opinions, evaluation->count);
	g_free(opinions);
}

/* --- The whole ---------------------------------------------------------------------------- */

static enum status resample_findings(struct findings *findings, struct failure *failure)
{
	const struct evaluation *evaluation = findings->evaluation;
	const struct findings_options *options = findings->options;
	struct bootstrap bootstrap = {.resamples = options->resamples, .seed = options->seed};
	size_t *clusters = user_numbers_clusters(
		&findings->users, evaluation->count, &bootstrap.cluster_count);

	bootstrap.clusters = clusters;
	findings->over_users = clusters != NULL;
	enum status status = bootstrap_intervals(
		&bootstrap, evaluation->results, evaluation->count, findings->intervals, failure);
	if (status == STATUS_OK && options->against)
		status = against_judge(&findings->against, options->names, evaluation->results,
			options->against->results, evaluation->count, &bootstrap, failure);
	g_free(clusters);
	return status;
}

enum status findings_make(struct findings *findings, const struct evaluation *evaluation,
	const struct corpus_index *index, const struct findings_options *options,
	struct failure *failure)
{
	*findings = (struct findings){.evaluation = evaluation, .options = options};
	user_numbers_make(&findings->users, evaluation, index);
	if (options->folds)
		measure_folds(&findings->folds, evaluation, options->folds);
	if (options->per_user)
		by_user_measure(&findings->by_user, &findings->users, evaluation->results,
			evaluation->count);
	if (options->gray_mail)
		find_gray(findings);
	return options->resamples ? resample_findings(findings, failure) : STATUS_OK;
}

void findings_free(struct findings *findings)
{
	against_free(&findings->against);
	g_free(findings->folds.values);
	g_free(findings->folds.messages);
	user_numbers_free(&findings->users);
	*findings = (struct findings){0};
}

/* Writes the report as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/summary.h"

#include <glib.h>
#include <jansson.h>

#include "trainer/retrain/summary-data.h"

static json_t *numbers(const double *values, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_real(values[i]));
	return list;
}

static json_t *json_measures(const struct comparison *comparison)
{
	json_t *object = json_object();

	for (int i = 0; i < METRICS; i++) {
		const struct difference *difference = &comparison->differences[i];
		json_object_set_new(object, metrics_key(i),
			json_pack("{s:f, s:f, s:f, s:f}", "champion", difference->champion,
				"challenger", difference->challenger, "low", difference->low,
				"high", difference->high));
	}
	return object;
}

static json_t *json_reliability(const struct result *results, size_t count)
{
	struct bins bins;

	summary_fill_probabilities(&bins, results, count);
	return json_pack("{s:o, s:o, s:o, s:f}", "messages", numbers(bins.number, PROBABILITY_BINS),
		"probability_sums", numbers(bins.probability, PROBABILITY_BINS), "spam",
		numbers(bins.spam, PROBABILITY_BINS), "calibration_error",
		metrics_calibration_error(results, count));
}

static json_t *json_scores(const struct comparison *comparison)
{
	double spam[SCORE_BINS], ham[SCORE_BINS];

	summary_fill_scores(comparison->challenger, comparison->count, spam, ham);
	return json_pack("{s:f, s:f, s:o, s:o}", "from", -SCORE_EDGE, "to", SCORE_EDGE, "spam",
		numbers(spam, SCORE_BINS), "ham", numbers(ham, SCORE_BINS));
}

static json_t *json_tokens(const struct retraining *retraining)
{
	json_t *list = json_array();

	for (size_t i = 0; i < retraining->change_count && i < MOST_TOKENS; i++) {
		char *key =
			g_strdup_printf("%010" G_GINT64_MODIFIER "x", retraining->changes[i].key);
		json_array_append_new(list,
			json_pack("{s:s, s:f, s:f}", "key", key, "before",
				retraining->changes[i].before, "after",
				retraining->changes[i].after));
		g_free(key);
	}
	return list;
}

static json_t *json_point(const struct proposal_point *point)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "junk_score", point->junk,
		"reject_score", point->reject, "ham_lost_percent", point->ham_lost,
		"spam_missed_percent", point->spam_missed, "score_scale", point->scale, "log_loss",
		point->log_loss, "calibration_error", point->calibration_error);
}

/* Null when there were too few reports. */
static json_t *json_proposal(const struct retraining *retraining)
{
	const struct proposal *proposal = &retraining->proposal;

	if (!proposal->made)
		return json_null();
	return json_pack("{s:f, s:o, s:o, s:o, s:b}", "wrong_labels_percent", 100 * proposal->noise,
		"present", json_point(&proposal->present), "proposed",
		json_point(&proposal->proposed), "reliability_proposed",
		json_reliability(proposal->calibrated, proposal->count), "laid_down",
		retraining->laid_down);
}

static json_t *json_of(const struct retraining *retraining, bool adopted)
{
	static const char *const verdicts[] = {"not worse", "worse", "too few reports"};
	const struct comparison *comparison = &retraining->comparison;
	double errors[ERROR_BINS];

	summary_fill_errors(retraining->reporters, errors);
	return json_pack(
		"{s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o}",
		"adopted", adopted, "verdict", verdicts[comparison->verdict], "reason",
		comparison->reason, "time", (json_int_t)retraining->generation.time, "seq",
		(json_int_t)retraining->generation.seq, "reports", (json_int_t)retraining->reports,
		"spam", (json_int_t)retraining->spam, "tokens", (json_int_t)retraining->tokens,
		"compared", (json_int_t)comparison->count, "left_out",
		(json_int_t)comparison->left_out, "seconds", retraining->seconds, "peak_bytes",
		(json_int_t)retraining->peak_bytes, "measures", json_measures(comparison),
		"reliability_before", json_reliability(comparison->champion, comparison->count),
		"reliability_after", json_reliability(comparison->challenger, comparison->count),
		"scores", json_scores(comparison), "reporter_errors", numbers(errors, ERROR_BINS),
		"tokens_changed", json_tokens(retraining), "proposal", json_proposal(retraining));
}

enum status summary_write_json(const char *path, const struct retraining *retraining, bool adopted,
	struct failure *failure)
{
	json_t *json = json_of(retraining, adopted);
	enum status status = STATUS_OK;

	if (!json || json_dump_file(json, path, JSON_INDENT(1) | JSON_REAL_PRECISION(8)) != 0)
		status = failure_set(failure, STATUS_IO, "writing %s: not possible", path);
	json_decref(json);
	return status;
}

/* Finds the scale and thresholds that fit the scores best.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/proposal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/model.h"

/* Of fewer good messages nothing can be said of losing one in a thousand. */
enum { FEWEST_HAM = 200, FEWEST_SPAM = 50 };

/* Without much evidence the scale stays: so many messages at which a = 1 is as likely
 * as can be. */
static const double PRIOR_MESSAGES = 10;

/* People are not wrong more often: then it is the scores that are. */
#define MOST_NOISE 0.1

static const double REJECT_CLEARANCE = 1; /* above the highest good message, in score */

static double clamp_between(double value, double low, double high)
{
	return fmin(fmax(value, low), high);
}

/* --- Scale --------------------------------------------------------------------- */

struct fit {
	double factor, noise;
};

/* Every second message, beginning with `first`; step 1 = all of them. */
struct part {
	const struct result *results;
	size_t count, first, step;
};

static double loss(const struct part *part, const struct fit *fit)
{
	double deviation = log(fit->factor);
	double sum = PRIOR_MESSAGES * deviation * deviation;

	for (size_t i = part->first; i < part->count; i += part->step) {
		double z = fit->factor * part->results[i].score;
		double p = model_probability(part->results[i].spam ? z : -z);
		sum -= log(fmax(fit->noise + (1 - 2 * fit->noise) * p, 1e-300));
	}
	return sum;
}

/* The factor of the smallest loss, by golden-section search over its logarithm (Kiefer,
 * Proc. AMS 4, 1953). */
static double best_factor(const struct part *part, double noise, double low, double high)
{
	const double golden = 0.6180339887498949;
	double a = log(low), b = log(high);

	while (b - a > 1e-3) {
		struct fit left = {exp(b - golden * (b - a)), noise};
		struct fit right = {exp(a + golden * (b - a)), noise};
		if (loss(part, &left) < loss(part, &right))
			b = log(right.factor);
		else
			a = log(left.factor);
	}
	return exp((a + b) / 2);
}

static struct fit fit_part(const struct part *part, const struct proposal_terms *terms)
{
	static const double noises[] = {
		0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, MOST_NOISE};
	struct fit best = {1, 0};
	double smallest = INFINITY;

	for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
		struct fit fit = {.noise = noises[i]};
		fit.factor = best_factor(part, fit.noise, POLICY_LEAST_SCALE / terms->scale,
			POLICY_MOST_SCALE / terms->scale);
		double found = loss(part, &fit);
		if (found < smallest) {
			smallest = found;
			best = fit;
		}
	}
	return best;
}

static void calibrate(struct result *result, double factor)
{
	result->score *= factor;
	result->probability = model_probability(result->score);
}

static void calibrate_crosswise(struct proposal *proposal, const struct proposal_terms *terms)
{
	const struct part halves[] = {{proposal->calibrated, proposal->count, 0, 2},
		{proposal->calibrated, proposal->count, 1, 2}};
	struct fit fits[] = {fit_part(&halves[0], terms), fit_part(&halves[1], terms)};

	for (size_t i = 0; i < proposal->count; i++)
		calibrate(&proposal->calibrated[i], fits[1 - i % 2].factor);
}

/* --- Thresholds ------------------------------------------------------------------ */

/* A report of good mail, and how far it is believed to be one. */
struct ham {
	double score, belief;
};

static int compare_scores_falling(const void *a, const void *b)
{
	double first = ((const struct ham *)a)->score, second = ((const struct ham *)b)->score;

	return (first < second) - (first > second);
}

static double score_of(const struct proposal_terms *terms, double log_odds)
{
	return terms->threshold + log_odds - terms->junk_log_odds;
}

/* The good mail by falling score. */
static size_t list_ham(struct ham *list, const struct result *results, size_t count,
	const struct fit *fit, const struct proposal_terms *terms)
{
	size_t ham = 0;

	for (size_t i = 0; i < count; i++) {
		double z = fit->factor * results[i].score;
		double right = (1 - fit->noise) * model_probability(-z);
		double wrong = fit->noise * model_probability(z);

		if (!results[i].spam)
			list[ham++] = (struct ham){
				score_of(terms, z), right > 0 ? right / (right + wrong) : 0};
	}
	qsort(list, ham, sizeof(*list), compare_scores_falling);
	return ham;
}

/* The lowest junk score that keeps to the target: just above the first message of those
 * that would be lost beyond it. */
static double lowest_junk(const struct ham *list, size_t count, const struct proposal_terms *terms)
{
	double all = 0, lost = 0;

	for (size_t i = 0; i < count; i++)
		all += list[i].belief;
	for (size_t i = 0; i < count; i++) {
		lost += list[i].belief;
		if (100 * lost > terms->ham_lost * all)
			return list[i].score + 0.05;
	}
	return -INFINITY;
}

static double lowest_reject(const struct ham *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].belief >= 0.5)
			return list[i].score + REJECT_CLEARANCE;
	}
	return -INFINITY;
}

/* To a tenth, never downwards: people read it. */
static double rounded(double score)
{
	return ceil(score * 10 - 1e-9) / 10;
}

static void measure_proposal(struct proposal_point *point, const struct result *results,
	size_t count, double factor, const struct proposal_terms *terms)
{
	double ham = 0, spam = 0, lost = 0, missed = 0;

	for (size_t i = 0; i < count; i++) {
		bool junk = score_of(terms, factor * results[i].score) >= point->junk;
		spam += results[i].spam;
		ham += !results[i].spam;
		lost += !results[i].spam && junk;
		missed += results[i].spam && !junk;
	}
	point->ham_lost = ham > 0 ? 100 * lost / ham : 0;
	point->spam_missed = spam > 0 ? 100 * missed / spam : 0;
	point->scale = factor * terms->scale;
}

static void propose(struct proposal *proposal, const struct result *results, struct ham *list,
	const struct proposal_terms *terms)
{
	const struct policy_bounds *bounds = &terms->bounds;
	const struct part all = {results, proposal->count, 0, 1};
	struct fit fit = fit_part(&all, terms);
	struct proposal_point *present = &proposal->present, *proposed = &proposal->proposed;

	calibrate_crosswise(proposal, terms);
	present->log_loss = metrics_log_loss(results, proposal->count);
	proposed->log_loss = metrics_log_loss(proposal->calibrated, proposal->count);
	if (proposed->log_loss > present->log_loss) { /* no scale is better than this */
		fit.factor = 1;
		memcpy(proposal->calibrated, results, proposal->count * sizeof(*results));
		proposed->log_loss = present->log_loss;
	}
	present->calibration_error = metrics_calibration_error(results, proposal->count);
	proposed->calibration_error =
		metrics_calibration_error(proposal->calibrated, proposal->count);
	proposal->noise = fit.noise;
	present->junk = terms->present.junk;
	present->reject = terms->present.reject;
	size_t ham = list_ham(list, results, proposal->count, &fit, terms);
	proposed->junk = rounded(
		clamp_between(lowest_junk(list, ham, terms), bounds->junk_min, bounds->junk_max));
	proposed->reject =
		rounded(fmax(fmax(lowest_reject(list, ham), bounds->reject), proposed->junk));
	measure_proposal(present, results, proposal->count, 1, terms);
	measure_proposal(proposed, results, proposal->count, fit.factor, terms);
	proposal->made = fit.noise < MOST_NOISE;
}

enum status proposal_make(struct proposal *proposal, const struct result *results, size_t count,
	const struct proposal_terms *terms, struct failure *failure)
{
	size_t spam = metrics_spam(results, count);
	struct ham *list;
	enum status status = STATUS_OK;

	*proposal = (struct proposal){.count = count};
	if (spam < FEWEST_SPAM || count - spam < FEWEST_HAM)
		return STATUS_OK;
	proposal->calibrated = malloc(count * sizeof(*results));
	list = malloc((count - spam) * sizeof(*list));
	if (proposal->calibrated && list) {
		memcpy(proposal->calibrated, results, count * sizeof(*results));
		propose(proposal, results, list, terms);
	} else {
		status = failure_set(failure, STATUS_NOMEM, "proposing thresholds: out of memory");
	}
	free(list);
	return status;
}

void proposal_free(struct proposal *proposal)
{
	free(proposal->calibrated);
	*proposal = (struct proposal){0};
}

/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/learner.h"

#include <math.h>
#include <stdlib.h>

#include "engine/service/evidence.h"
#include "engine/store/table.h"

struct learner {
	struct model_params params;
	struct table *table;
	double bias_sum, bias_gain;
	double sums[STORE_MAX_TOKENS], gains[STORE_MAX_TOKENS];
};

struct learner *learner_new(const struct model_params *params)
{
	struct learner *learner = calloc(1, sizeof(*learner));

	if (!learner)
		return NULL;
	learner->params = *params;
	learner->table = table_new(0);
	if (!learner->table)
		learner_free(&learner);
	return learner;
}

void learner_free(struct learner **learner)
{
	if (!*learner)
		return;
	table_free(&(*learner)->table);
	free(*learner);
	*learner = NULL;
}

/* Sums are exact: what is taken off leaves no rest. */
static void leave_out(
	struct learner *learner, size_t head, size_t count, const struct contribution *without)
{
	for (size_t i = 0; i < head; i++) {
		learner->sums[i] -= without->head_sum;
		learner->gains[i] = fmax(learner->gains[i] - without->head_gain, 0);
	}
	for (size_t i = head; i < count; i++) {
		learner->sums[i] -= without->body_sum;
		learner->gains[i] = fmax(learner->gains[i] - without->body_gain, 0);
	}
}

struct model_score learner_score(struct learner *learner, const uint64_t *keys, size_t count,
	const struct contribution *without)
{
	size_t head = evidence_head(keys, count);
	struct model_message message = model_message(&learner->params, head, count);
	struct model_evidence evidence = {.sums = learner->sums,
		.gains = learner->gains,
		.bias_sum = learner->bias_sum,
		.bias_gain = learner->bias_gain};

	table_read(learner->table, keys, count, learner->sums, learner->gains);
	if (without) {
		leave_out(learner, head, count, without);
		evidence.bias_sum -= without->bias_sum;
		evidence.bias_gain = fmax(evidence.bias_gain - without->bias_gain, 0);
	}
	return model_score(&learner->params, &message, &evidence, NULL);
}

static double times(double number, double weight)
{
	return nearbyint(number * weight / STORE_UNIT) * STORE_UNIT;
}

/* A token that was seen stays known, however little it weighs. */
static double gained(double gain, double weight, bool gains)
{
	return gains && gain > 0 ? fmax(times(gain, weight), STORE_UNIT) : 0;
}

struct contribution learner_step(const struct learner *learner, const uint64_t *keys, size_t count,
	double margin, bool spam, double error, double weight, bool gains)
{
	struct model_message message =
		model_message(&learner->params, evidence_head(keys, count), count);
	struct model_step step = model_learn(&learner->params, &message, margin, spam, error);

	return (struct contribution){
		.head_sum = times(step.head_sum, weight),
		.head_gain = gained(step.head_gain, weight, gains),
		.body_sum = times(step.body_sum, weight),
		.body_gain = gained(step.body_gain, weight, gains),
		.bias_sum = times(step.bias_sum, weight),
		.bias_gain = gained(step.bias_gain, weight, gains),
	};
}

static void add_to(struct contribution *total, const struct contribution *more)
{
	total->head_sum += more->head_sum;
	total->head_gain += more->head_gain;
	total->body_sum += more->body_sum;
	total->body_gain += more->body_gain;
	total->bias_sum += more->bias_sum;
	total->bias_gain += more->bias_gain;
}

enum status learner_add(struct learner *learner, const uint64_t *keys, size_t count,
	const struct contribution *contribution, struct contribution *total)
{
	enum status status = evidence_apply(learner->table, keys, count, contribution, 1);

	if (status != STATUS_OK)
		return status;
	learner->bias_sum += contribution->bias_sum;
	learner->bias_gain += contribution->bias_gain;
	if (total)
		add_to(total, contribution);
	return STATUS_OK;
}

double learner_weight(struct learner *learner, uint64_t key)
{
	double sum, gain;

	table_read(learner->table, &key, 1, &sum, &gain);
	return model_mean(learner->params.variance, sum, gain);
}

size_t learner_tokens(const struct learner *learner)
{
	return table_count(learner->table);
}

size_t learner_bytes(const struct learner *learner)
{
	return table_bytes(learner->table) + sizeof(*learner);
}

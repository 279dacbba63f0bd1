/* Sums of what reports add, and a report's view without its own part.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/learner.h"

#include <math.h>
#include <stdlib.h>

#include "engine/service/evidence/evidence.h"

struct learner {
	struct model_params params;
	struct table *table;
	double bias_sum, bias_gain;
	double sums[STORE_MAX_TOKENS], gains[STORE_MAX_TOKENS];
	/* Of the tokens that are kept. */
	uint64_t kept[STORE_MAX_TOKENS];
	double kept_sums[STORE_MAX_TOKENS], kept_gains[STORE_MAX_TOKENS];
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

static bool is_kept(const struct learner_message *message, size_t i)
{
	return !message->shared || message->shared[i / 8] >> (i % 8) & 1;
}

/* The keys that are kept, in their order. */
static size_t pick(struct learner *learner, const struct learner_message *message)
{
	size_t count = 0;

	for (size_t i = 0; i < message->count; i++) {
		if (is_kept(message, i))
			learner->kept[count++] = message->keys[i];
	}
	return count;
}

/* Fills sums and gains of all keys; those that are not kept are unknown. */
static void read_evidence(struct learner *learner, const struct learner_message *message)
{
	size_t count = pick(learner, message), at = 0;

	table_read(learner->table, learner->kept, count, learner->kept_sums, learner->kept_gains);
	for (size_t i = 0; i < message->count; i++) {
		bool kept = is_kept(message, i);
		learner->sums[i] = kept ? learner->kept_sums[at] : 0;
		learner->gains[i] = kept ? learner->kept_gains[at] : 0;
		at += kept;
	}
}

/* Sums are exact: what is taken off leaves no rest. */
static void leave_report_out(struct learner *learner, size_t head,
	const struct learner_message *message, const struct contribution *without)
{
	for (size_t i = 0; i < message->count; i++) {
		if (!is_kept(message, i)) /* it was never in */
			continue;
		double gain = i < head ? without->head_gain : without->body_gain;
		learner->sums[i] -= i < head ? without->head_sum : without->body_sum;
		learner->gains[i] = fmax(learner->gains[i] - gain, 0);
	}
}

struct model_score learner_score(struct learner *learner, const struct learner_message *message,
	const struct contribution *without)
{
	size_t head = evidence_head(message->keys, message->count);
	struct model_message shape = model_message(&learner->params, head, message->count);
	struct model_evidence evidence = {.sums = learner->sums,
		.gains = learner->gains,
		.bias_sum = learner->bias_sum,
		.bias_gain = learner->bias_gain};

	read_evidence(learner, message);
	if (without) {
		leave_report_out(learner, head, message, without);
		evidence.bias_sum -= without->bias_sum;
		evidence.bias_gain = fmax(evidence.bias_gain - without->bias_gain, 0);
	}
	return model_score(&learner->params, &shape, &evidence, NULL);
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

struct contribution learner_step(const struct learner *learner,
	const struct learner_message *message, double margin, bool spam, double error,
	double weight, bool gains)
{
	struct model_message shape = model_message(
		&learner->params, evidence_head(message->keys, message->count), message->count);
	struct model_step step = model_learn(&learner->params, &shape, margin, spam, error);

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

enum status learner_add(struct learner *learner, const struct learner_message *message,
	const struct contribution *contribution, struct contribution *total)
{
	enum status status = evidence_apply(
		learner->table, learner->kept, pick(learner, message), contribution, 1);

	if (status != STATUS_OK)
		return status;
	learner->bias_sum += contribution->bias_sum;
	learner->bias_gain += contribution->bias_gain;
	if (total)
		add_to(total, contribution);
	return STATUS_OK;
}

bool learner_weight(struct learner *learner, uint64_t key, double *weight)
{
	double sum, gain;

	table_read(learner->table, &key, 1, &sum, &gain);
	*weight = model_mean(learner->params.variance, sum, gain);
	return gain > 0;
}

size_t learner_tokens(const struct learner *learner)
{
	return table_count(learner->table);
}

size_t learner_bytes(const struct learner *learner)
{
	return table_bytes(learner->table) + sizeof(*learner);
}

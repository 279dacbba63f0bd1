/* Folds a user's reports into that user's own evidence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/evidence/user-fold.h"

#include <stdlib.h>

#include "engine/service/evidence/contribution.h"

struct folding {
	struct user_fold *fold;
	const struct user_basis *basis;
	struct model_target target;
	double sums[STORE_MAX_TOKENS];
	double gains[STORE_MAX_TOKENS];
};

static void free_fold(struct user_fold *fold)
{
	preferences_free(&fold->preferences);
	if (fold->table)
		table_free(&fold->table);
	free(fold);
}

void user_fold_unref(struct user_fold **fold)
{
	if (*fold && --(*fold)->references == 0)
		free_fold(*fold);
	*fold = NULL;
}

size_t user_fold_bytes(const struct user_fold *fold)
{
	return sizeof(*fold) + preferences_bytes(fold->preferences) +
		(fold->table ? table_bytes(fold->table) : 0);
}

void user_fold_read(const struct user_fold *fold, const uint64_t *keys, size_t count, double *sums,
	double *gains, struct model_evidence *evidence)
{
	table_read(fold->table, keys, count, sums, gains);
	*evidence = (struct model_evidence){.sums = sums,
		.gains = gains,
		.bias_sum = fold->bias_sum,
		.bias_gain = fold->bias_gain};
}

static enum status fold_report(void *context, const struct report *report)
{
	struct folding *folding = context;
	const struct user_rules *rules = folding->basis->rules;
	struct user_fold *fold = folding->fold;
	struct model_message message = model_message(
		&rules->params, evidence_head(report->keys, report->count), report->count);
	struct model_evidence evidence;

	user_fold_read(fold, report->keys, report->count, folding->sums, folding->gains, &evidence);
	struct model_step step = model_learn_user(&rules->params, &message, report->margin,
		&evidence, report->label == LABEL_SPAM, rules->label_error, &folding->target);
	struct contribution contribution = evidence_contribution(&step);
	enum status status =
		evidence_apply(fold->table, report->keys, report->count, &contribution, 1);
	if (status == STATUS_OK) {
		fold->bias_sum += contribution.bias_sum;
		fold->bias_gain += contribution.bias_gain;
		fold->reports++;
		if (folding->basis->watch)
			folding->basis->watch(folding->basis->context, report, fold);
	}
	return status;
}

static enum status fold_reports(struct user_fold *fold, struct store_reader *reader,
	const struct user_basis *basis, struct failure *failure)
{
	const struct user_rules *rules = basis->rules;
	struct folding *folding = malloc(sizeof(*folding));

	fold->table = table_new(0);
	if (!folding || !fold->table) {
		free(folding);
		return failure_set(failure, STATUS_NOMEM, "reading a user's fold: out of memory");
	}
	folding->fold = fold;
	folding->basis = basis;
	folding->target = model_target(&rules->params, rules_log_odds(rules, fold->policy.junk));
	const struct store_selection newest = {
		.user = basis->scope, .counting = true, .limit = rules->reports};
	enum status status = store_reports(reader, &newest, fold_report, folding, failure);
	free(folding);
	return status;
}

enum status user_fold_make(struct user_fold **result, struct store_reader *reader,
	const struct user_basis *basis, struct failure *failure)
{
	struct user_fold *fold = calloc(1, sizeof(*fold));
	enum status status;

	*result = NULL;
	if (!fold)
		return failure_set(failure, STATUS_NOMEM, "reading a user's fold: out of memory");
	fold->references = 1;
	status = preferences_read(&fold->preferences, reader, basis->scope, failure);
	if (status == STATUS_OK && *basis->scope != '@') {
		fold->policy = policy_of(
			&basis->rules->bounds, fold->preferences, basis->domain, basis->site);
		status = fold_reports(fold, reader, basis, failure);
	}
	if (status == STATUS_OK)
		*result = fold;
	else
		free_fold(fold);
	return status;
}

/* Folds a user's reports into that user's own evidence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/evidence/user-fold.h"

#include <stdlib.h>

#include "engine/service/evidence/contribution.h"

struct fold {
	struct user_store *store;
	const struct user_basis *basis;
	struct model_target target;
	double sums[STORE_MAX_TOKENS];
	double gains[STORE_MAX_TOKENS];
};

static void free_store(struct user_store *store)
{
	preferences_free(&store->preferences);
	if (store->table)
		table_free(&store->table);
	free(store);
}

void user_store_unref(struct user_store **store)
{
	if (*store && --(*store)->references == 0)
		free_store(*store);
	*store = NULL;
}

size_t user_store_bytes(const struct user_store *store)
{
	return sizeof(*store) + preferences_bytes(store->preferences) +
		(store->table ? table_bytes(store->table) : 0);
}

void user_store_read(const struct user_store *store, const uint64_t *keys, size_t count,
	double *sums, double *gains, struct model_evidence *evidence)
{
	table_read(store->table, keys, count, sums, gains);
	*evidence = (struct model_evidence){.sums = sums,
		.gains = gains,
		.bias_sum = store->bias_sum,
		.bias_gain = store->bias_gain};
}

static enum status fold_report(void *context, const struct report *report)
{
	struct fold *fold = context;
	const struct user_rules *rules = fold->basis->rules;
	struct user_store *store = fold->store;
	struct model_message message = model_message(
		&rules->params, evidence_head(report->keys, report->count), report->count);
	struct model_evidence evidence;

	user_store_read(store, report->keys, report->count, fold->sums, fold->gains, &evidence);
	struct model_step step = model_learn_user(&rules->params, &message, report->margin,
		&evidence, report->label == LABEL_SPAM, rules->label_error, &fold->target);
	struct contribution contribution = evidence_contribution(&step);
	enum status status =
		evidence_apply(store->table, report->keys, report->count, &contribution, 1);
	if (status == STATUS_OK) {
		store->bias_sum += contribution.bias_sum;
		store->bias_gain += contribution.bias_gain;
		store->reports++;
		if (fold->basis->watch)
			fold->basis->watch(fold->basis->context, report, store);
	}
	return status;
}

static enum status fold_reports(struct user_store *store, struct store_reader *reader,
	const struct user_basis *basis, struct failure *failure)
{
	const struct user_rules *rules = basis->rules;
	struct fold *fold = malloc(sizeof(*fold));

	store->table = table_new(0);
	if (!fold || !store->table) {
		free(fold);
		return failure_set(failure, STATUS_NOMEM, "reading a user's store: out of memory");
	}
	fold->store = store;
	fold->basis = basis;
	fold->target = model_target(&rules->params, rules_log_odds(rules, store->policy.junk));
	const struct store_selection newest = {
		.user = basis->scope, .counting = true, .limit = rules->reports};
	enum status status = store_reports(reader, &newest, fold_report, fold, failure);
	free(fold);
	return status;
}

enum status user_store_fold(struct user_store **result, struct store_reader *reader,
	const struct user_basis *basis, struct failure *failure)
{
	struct user_store *store = calloc(1, sizeof(*store));
	enum status status;

	*result = NULL;
	if (!store)
		return failure_set(failure, STATUS_NOMEM, "reading a user's store: out of memory");
	store->references = 1;
	status = preferences_read(&store->preferences, reader, basis->scope, failure);
	if (status == STATUS_OK && *basis->scope != '@') {
		store->policy = policy_of(
			&basis->rules->bounds, store->preferences, basis->domain, basis->site);
		status = fold_reports(store, reader, basis, failure);
	}
	if (status == STATUS_OK)
		*result = store;
	else
		free_store(store);
	return status;
}

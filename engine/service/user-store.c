/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The fold of one user's reports. */
#include <stdlib.h>

#include "engine/service/evidence.h"
#include "engine/service/users.h"

struct fold {
	struct user_store *store;
	const struct user_rules *rules;
	double sums[STORE_MAX_TOKENS];
	double gains[STORE_MAX_TOKENS];
};

void user_store_unref(struct user_store **store)
{
	if (*store && --(*store)->references == 0) {
		table_free(&(*store)->table);
		free(*store);
	}
	*store = NULL;
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
	const struct user_rules *rules = fold->rules;
	struct user_store *store = fold->store;
	struct model_message message = model_message(
		&rules->params, evidence_head(report->keys, report->count), report->count);
	struct model_evidence evidence;

	user_store_read(store, report->keys, report->count, fold->sums, fold->gains, &evidence);
	struct model_step step = model_learn_user(&rules->params, &message, report->margin, &evidence,
		report->label == LABEL_SPAM, rules->label_error, &rules->target);
	struct contribution contribution = evidence_contribution(&step);
	enum status status =
		evidence_apply(store->table, report->keys, report->count, &contribution, 1);
	if (status == STATUS_OK) {
		store->bias_sum += contribution.bias_sum;
		store->bias_gain += contribution.bias_gain;
		store->reports++;
	}
	return status;
}

enum status user_store_fold(struct user_store **result, struct store_reader *reader,
	const char *user, const struct user_rules *rules, struct failure *failure)
{
	enum status status = STATUS_NOMEM;
	struct fold *fold = malloc(sizeof(*fold));
	struct user_store *store = calloc(1, sizeof(*store));

	*result = NULL;
	if (!fold || !store || !(store->table = table_new(0))) {
		failure_set(failure, status, "reading a user's store: out of memory");
		goto out;
	}
	store->references = 1;
	fold->store = store;
	fold->rules = rules;
	status = store_user_reports(reader, user, rules->reports, fold_report, fold, failure);
	if (status == STATUS_OK) {
		*result = store;
		store = NULL;
	}
out:
	if (store) {
		if (store->table)
			table_free(&store->table);
		free(store);
	}
	free(fold);
	return status;
}

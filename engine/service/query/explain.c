/* Each token's part in a verdict.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/service/evidence/evidence.h"
#include "engine/service/query/private.h"
#include "engine/service/query/query.h"

static void on_token(
	void *context, uint64_t key, const char *field, const char *text, size_t length)
{
	struct query *query = context;
	struct told *told = &query->told[query->told_count++];

	told->key = key;
	told->field = strdup(field);
	told->text = strndup(text, length);
	query->out_of_memory |= !told->field || !told->text;
}

tokenizer_watch_fn *explain_begin(struct query *query)
{
	if (!query->explain)
		return NULL;
	query->told = calloc(TOKENIZER_MAX_TOKENS, sizeof(*query->told));
	query->reasons = calloc(TOKENIZER_MAX_TOKENS, sizeof(*query->reasons));
	query->explain = query->told && query->reasons;
	return query->explain ? on_token : NULL;
}

/* After a first press all features are equally strong: then a person wants to see
 * words, and not how a header field is spelt. */
static bool is_technical(const struct reason *reason)
{
	static const char *const fields[] = {"header-", "received", "return-path", "delivered-to",
		"structure", "date-zone", "html-"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strncmp(reason->field, fields[i], strlen(fields[i])) == 0)
			return true;
	}
	return false;
}

/* Strongest first; the same list for the same verdict. */
static int compare_reasons(const void *a, const void *b)
{
	const struct reason *first = a, *second = b;
	double difference =
		fabs(second->everybody + second->own) - fabs(first->everybody + first->own);

	if (difference != 0)
		return difference < 0 ? -1 : 1;
	if (is_technical(first) != is_technical(second))
		return is_technical(first) ? 1 : -1;
	int order = strcmp(first->field, second->field);
	return order ? order : strcmp(first->text, second->text);
}

/* Each token's part of the margin; what has none is left out. */
void explain_verdict(
	struct query *query, struct worker *worker, const struct model_message *message)
{
	const struct model_params *params = &query->rules.params;
	const struct user_fold *fold = query->recipients[0].fold;
	struct verdict *verdict = &query->recipients[0].verdict;
	struct model_evidence everybody, own = {0};
	size_t count = query->told_count;
	bool personal = verdict->personal && !query->hides_own;

	for (size_t i = 0; i < count; i++)
		worker->keys[i] = query->told[i].key;
	global_read(query->global, worker->keys, count, worker->everybody.sums,
		worker->everybody.gains, &everybody);
	verdict->bias = model_mean(params->bias_variance, everybody.bias_sum, everybody.bias_gain);
	if (personal) {
		user_fold_read(
			fold, worker->keys, count, worker->own.sums, worker->own.gains, &own);
		verdict->bias += model_user_bias(params, own.bias_sum, own.bias_gain);
	}
	for (size_t i = 0; i < count; i++) {
		double x =
			query->told[i].key & TOKENIZER_BODY_BIT ? message->x_body : message->x_head;
		struct reason reason = {.field = query->told[i].field, .text = query->told[i].text};

		reason.everybody =
			x * model_mean(params->variance, everybody.sums[i], everybody.gains[i]);
		if (personal)
			reason.own =
				x * model_mean(params->user_variance, own.sums[i], own.gains[i]);
		if (reason.everybody != 0 || reason.own != 0)
			query->reasons[verdict->reason_count++] = reason;
	}
	qsort(query->reasons, verdict->reason_count, sizeof(*query->reasons), compare_reasons);
	verdict->reasons = query->reasons;
}

void explain_free(struct query *query)
{
	for (size_t i = 0; i < query->told_count; i++) {
		free(query->told[i].field);
		free(query->told[i].text);
	}
	free(query->told);
	free(query->reasons);
}

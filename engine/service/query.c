/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A token as the tokenizer told of it, for the explanation. */
struct told {
	uint64_t key;
	char *field;
	char *text;
};

struct query {
	struct service *service;
	struct user_rules rules; /* as of begin: configure may come between */
	double junk_log_odds;
	double threshold;
	char user[STORE_MAX_USER + 1];
	struct user_place *place; /* NULL: global only */
	struct user_store *store; /* of the user; NULL while cold */
	bool explain;
	bool out_of_memory;
	struct told *told;
	size_t told_count;
	struct reason *reasons;
	struct verdict verdict;
};

enum status query_begin(struct service *service, const char *user, bool explain,
	struct query **result, struct failure *failure)
{
	*result = NULL;
	if (strlen(user) > STORE_MAX_USER)
		return failure_set(failure, STATUS_INVALID, "user name is longer than %d bytes",
			STORE_MAX_USER);

	struct query *query = calloc(1, sizeof(*query));
	if (!query)
		return failure_set(failure, STATUS_NOMEM, "scoring: out of memory");
	query->service = service;
	query->rules = service->rules;
	query->junk_log_odds = model_log_odds(service->settings.junk_probability);
	query->threshold = service->settings.threshold;
	query->explain = explain;
	strcpy(query->user, user);
	if (*user) {
		query->place = users_take(service->users, user);
		if (!query->place) {
			free(query);
			return failure_set(failure, STATUS_NOMEM, "scoring: out of memory");
		}
		query->store = users_store(query->place);
	}
	*result = query;
	return STATUS_OK;
}

static void on_token(void *context, uint64_t key, const char *field, const char *text, size_t length)
{
	struct query *query = context;
	struct told *told = &query->told[query->told_count++];

	told->key = key;
	told->field = strdup(field);
	told->text = strndup(text, length);
	query->out_of_memory |= !told->field || !told->text;
}

/* Head first, body after, as the model wants them. Returns the head's number. */
static size_t partition(const struct token_set *set, uint64_t *keys)
{
	size_t head = 0;
	size_t body = set->count;

	for (size_t i = 0; i < set->count; i++) {
		if (set->keys[i] & TOKENIZER_BODY_BIT)
			keys[--body] = set->keys[i];
		else
			keys[head++] = set->keys[i];
	}
	return head;
}

static void fill_verdict(struct query *query, const struct model_score *score, size_t known)
{
	struct verdict *verdict = &query->verdict;

	verdict->log_odds = score->log_odds;
	verdict->probability = score->probability;
	verdict->margin = score->margin;
	verdict->uncertainty = sqrt(score->variance);
	verdict->threshold = query->threshold;
	verdict->score = query->threshold + (score->log_odds - query->junk_log_odds);
	verdict->spam = verdict->score >= verdict->threshold;
	verdict->personal = query->store && query->store->reports > 0;
	verdict->known = known;
}

/* After a first press all features are equally strong: then a person wants to see
 * words, and not how a header field is spelt. */
static bool is_technical(const struct reason *reason)
{
	static const char *const fields[] = {
		"header-", "received", "return-path", "delivered-to", "structure", "date-zone", "html-"};

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
	double difference = fabs(second->everybody + second->own) -
		fabs(first->everybody + first->own);

	if (difference != 0)
		return difference < 0 ? -1 : 1;
	if (is_technical(first) != is_technical(second))
		return is_technical(first) ? 1 : -1;
	int order = strcmp(first->field, second->field);
	return order ? order : strcmp(first->text, second->text);
}

/* Each token's part of the margin; what has none is left out. */
static void explain(struct query *query, struct worker *worker, const struct model_message *message)
{
	const struct model_params *params = &query->rules.params;
	struct verdict *verdict = &query->verdict;
	struct model_evidence everybody, own = {0};
	size_t count = query->told_count;

	for (size_t i = 0; i < count; i++)
		worker->keys[i] = query->told[i].key;
	global_read(query->service->global, worker->keys, count, worker->everybody.sums,
		worker->everybody.gains, &everybody);
	verdict->bias = model_mean(params->bias_variance, everybody.bias_sum, everybody.bias_gain);
	if (verdict->personal) {
		user_store_read(query->store, worker->keys, count, worker->own.sums, worker->own.gains, &own);
		verdict->bias += model_mean(params->user_bias_variance, own.bias_sum, own.bias_gain);
	}
	for (size_t i = 0; i < count; i++) {
		double x = query->told[i].key & TOKENIZER_BODY_BIT ? message->x_body : message->x_head;
		struct reason reason = {.field = query->told[i].field, .text = query->told[i].text};

		reason.everybody = x * model_mean(params->variance, everybody.sums[i], everybody.gains[i]);
		if (verdict->personal)
			reason.own = x * model_mean(params->user_variance, own.sums[i], own.gains[i]);
		if (reason.everybody != 0 || reason.own != 0)
			query->reasons[verdict->reason_count++] = reason;
	}
	qsort(query->reasons, verdict->reason_count, sizeof(*query->reasons), compare_reasons);
	verdict->reasons = query->reasons;
}

static size_t count_known(const struct worker *worker, size_t count, bool personal)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++)
		known += worker->everybody.gains[i] > 0 || (personal && worker->own.gains[i] > 0);
	return known;
}

static void score_set(struct query *query, struct worker *worker, const struct token_set *set)
{
	size_t head = partition(set, worker->keys);
	struct model_message message = model_message(&query->rules.params, head, set->count);
	struct model_evidence everybody, own;
	bool personal = query->store && query->store->reports > 0;

	global_read(query->service->global, worker->keys, set->count, worker->everybody.sums,
		worker->everybody.gains, &everybody);
	if (personal)
		user_store_read(query->store, worker->keys, set->count, worker->own.sums,
			worker->own.gains, &own);
	struct model_score score =
		model_score(&query->rules.params, &message, &everybody, personal ? &own : NULL);
	query->verdict.identity = set->identity;
	query->verdict.tokens = set->count;
	fill_verdict(query, &score, count_known(worker, set->count, personal));
	if (query->explain)
		explain(query, worker, &message);
}

enum status query_run(struct query *query, struct worker *worker, const char *message,
	size_t length, struct failure *failure)
{
	enum status status = STATUS_OK;
	struct token_set set;

	if (query->explain) {
		query->told = calloc(TOKENIZER_MAX_TOKENS, sizeof(*query->told));
		query->reasons = calloc(TOKENIZER_MAX_TOKENS, sizeof(*query->reasons));
		query->explain = query->told && query->reasons;
	}
	tokenizer_run(worker->tokenizer, message, length, query->explain ? on_token : NULL, query, &set);
	query->explain &= !query->out_of_memory;
	if (query->place && !query->store)
		status = user_store_fold(
			&query->store, worker->reader, query->user, &query->rules, failure);
	score_set(query, worker, &set);
	return status;
}

const struct verdict *query_verdict(const struct query *query)
{
	return &query->verdict;
}

void query_end(struct service *service, struct query **result)
{
	struct query *query = *result;

	if (!query)
		return;
	if (query->place)
		users_done(service->users, &query->place, &query->store);
	for (size_t i = 0; i < query->told_count; i++) {
		free(query->told[i].field);
		free(query->told[i].text);
	}
	free(query->told);
	free(query->reasons);
	free(query);
	*result = NULL;
}

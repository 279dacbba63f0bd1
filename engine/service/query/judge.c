/* The life of a query: who asks, what each recipient's verdict is, what is given back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/query/private.h"

#include <stdlib.h>
#include <string.h>

#include "engine/origin/origin.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/query/query.h"
#include "engine/service/query/verdict.h"
#include "engine/service/scope/scope.h"

/* What a worker does in one go, counted in folded reports: 2,000 are about 50 ms. A user
 * who has none costs as much as eight, for reading the entries. */
enum { GO_EFFORT = 2000, FOLD_EFFORT = 8, JUDGE_EFFORT = 1 };

/* --- Beginning and end ------------------------------------------------------- */

static bool take_domain(struct query *query, struct recipient *recipient)
{
	if (!*recipient->domain)
		return true;
	for (struct recipient *other = query->recipients; other < recipient; other++) {
		if (!other->same_domain && strcmp(other->domain, recipient->domain) == 0) {
			recipient->same_domain = other;
			return true;
		}
	}
	recipient->domain_place = users_take(query->service->users, recipient->domain);
	if (recipient->domain_place)
		recipient->domain_fold = users_fold(recipient->domain_place);
	return recipient->domain_place != NULL;
}

static enum status take_recipient(struct query *query, const char *text, struct failure *failure)
{
	struct recipient *recipient = &query->recipients[query->count++];

	if (user_name(&query->service->settings.naming, text, recipient->user)) {
		entries_domain(recipient->user, recipient->domain);
	} else {
		query->nobody = query->nobody ? query->nobody : text;
		query->nobodies++;
		user_domain(text, recipient->domain);
	}
	if (*recipient->user) {
		recipient->place = users_take(query->service->users, recipient->user);
		if (recipient->place)
			recipient->fold = users_fold(recipient->place);
	}
	if ((*recipient->user && !recipient->place) || !take_domain(query, recipient))
		return failure_set(failure, STATUS_NOMEM, "scoring: out of memory");
	return STATUS_OK;
}

enum status query_begin(struct service *service, const char *const *users, size_t count,
	bool explain, struct query **result, struct failure *failure)
{
	struct query *query = NULL;
	enum status status = STATUS_OK;

	*result = NULL;
	if (count == 0 || count > QUERY_MAX_USERS + 1)
		return failure_set(failure, STATUS_INVALID,
			"%zu recipients: 1 to %d can be asked for", count, QUERY_MAX_USERS);
	query = calloc(1, sizeof(*query));
	if (query)
		query->recipients = calloc(count, sizeof(*query->recipients));
	if (!query || !query->recipients) {
		free(query);
		return failure_set(failure, STATUS_NOMEM, "scoring: out of memory");
	}
	query->service = service;
	query->global = global_ref(service->global);
	query->rules = service->rules;
	query->reject_uncertainty = service->settings.reject_uncertainty;
	query->site = site_ref(service->site);
	query->budget = query_budget(service->settings.user_cache_bytes);
	query->explain = explain;
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = take_recipient(query, users[i], failure);
	if (status != STATUS_OK)
		query_end(service, &query);
	*result = query;
	return status;
}

void query_hide_own(struct query *query)
{
	query->hides_own = true;
}

bool query_is_warm(const struct query *query)
{
	for (size_t i = 0; i < query->count; i++) {
		const struct recipient *recipient = &query->recipients[i];
		if ((recipient->place && !recipient->fold) ||
			(recipient->domain_place && !recipient->domain_fold))
			return false;
	}
	return true;
}

/* Hands over the stores of the first `count` recipients. */
static void keep_stores(struct service *service, struct query *query, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct recipient *recipient = &query->recipients[i];
		recipient->folded = false;
		if (recipient->place)
			users_done(service->users, &recipient->place, &recipient->fold);
	}
}

void query_hand_over(struct service *service, struct query *query)
{
	keep_stores(service, query, query->judged);
}

void query_end(struct service *service, struct query **result)
{
	struct query *query = *result;

	if (!query)
		return;
	keep_stores(service, query, query->count);
	for (size_t i = 0; i < query->count; i++) {
		struct recipient *recipient = &query->recipients[i];
		if (recipient->domain_place)
			users_done(
				service->users, &recipient->domain_place, &recipient->domain_fold);
	}
	site_unref(&query->site);
	global_unref(&query->global);
	explain_free(query);
	free(query->recipients);
	free(query);
	*result = NULL;
}

/* --- Judging ----------------------------------------------------------------- */

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

static bool is_personal(const struct user_fold *own)
{
	return own && own->reports > 0;
}

double query_shift(const struct model_params *params, const struct user_fold *fold)
{
	double shift = model_user_bias(params, fold->bias_sum, fold->bias_gain) * params->scale;

	return shift == 0 ? 0 : -shift; /* no negative zero: people read it */
}

static size_t count_known(const struct worker *worker, size_t count, bool personal)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++)
		known += worker->everybody.gains[i] > 0 || (personal && worker->own.gains[i] > 0);
	return known;
}

/* The message as all recipients share it. */
struct subject {
	const struct token_set *set;
	struct model_message message;
	struct model_evidence everybody;
	struct model_score score; /* everybody's */
	struct verdict_basis basis;
	struct verdict of_site; /* without anybody's own word */
};

static const struct preferences *preferences_in(const struct user_fold *fold)
{
	return fold ? fold->preferences : NULL;
}

static enum list_scope find_milder(
	const struct query *query, const struct recipient *recipient, const struct subject *subject)
{
	const struct preferences *domain = preferences_in(query_domain(recipient));
	struct verdict without_user;

	if (query->count == 1)
		return LIST_NONE;
	verdict_decide(&without_user, &subject->basis, &subject->score, NULL, domain);
	return verdict_milder_by(&recipient->verdict, &without_user, &subject->of_site);
}

/* Whoever may have the verdict may know that an entry decided, but not which one. */
static void hide_own(struct verdict *verdict)
{
	if (verdict->match.scope == LIST_USER || verdict->match.scope == LIST_DOMAIN)
		verdict->match.name[0] = '\0';
	verdict->own_shift = 0;
}

static void judge_recipient(struct query *query, struct recipient *recipient, struct worker *worker,
	const struct subject *subject)
{
	const struct user_fold *fold = recipient->fold;
	size_t count = subject->set->count;
	bool personal = is_personal(fold);
	struct model_score score = subject->score;
	struct verdict *verdict = &recipient->verdict;
	struct model_evidence own;

	if (personal) {
		user_fold_read(
			fold, worker->keys, count, worker->own.sums, worker->own.gains, &own);
		score = model_score(
			&query->rules.params, &subject->message, &subject->everybody, &own);
		verdict->own_shift = query_shift(&query->rules.params, fold);
	}
	verdict->personal = personal;
	verdict->identity = subject->set->identity;
	verdict->tokens = count;
	verdict->known = count_known(worker, count, personal && !query->hides_own);
	verdict_decide(verdict, &subject->basis, &score, preferences_in(fold),
		preferences_in(query_domain(recipient)));
	recipient->milder_by = find_milder(query, recipient, subject);
	if (query->hides_own)
		hide_own(verdict);
}

static void read_query_origin(
	struct query *query, struct worker *worker, const struct token_set *set)
{
	origin_read(&query->origin, &query->site->trust, set->fields, set->field_count);
	query->sender = worker_digest(worker, "sender", query->origin.author);
	query->list = worker_digest(worker, "list", query->origin.list);
}

static void read_subject(struct query *query, struct worker *worker, const struct token_set *set,
	struct subject *subject)
{
	size_t head = partition(set, worker->keys);

	*subject = (struct subject){.set = set,
		.message = model_message(&query->rules.params, head, set->count),
		.basis = {&query->rules, query->reject_uncertainty, query->site->preferences,
			&query->origin}};
	global_read(query->global, worker->keys, set->count, worker->everybody.sums,
		worker->everybody.gains, &subject->everybody);
	subject->score =
		model_score(&query->rules.params, &subject->message, &subject->everybody, NULL);
	verdict_decide(&subject->of_site, &subject->basis, &subject->score, NULL, NULL);
}

static enum status judge_next(struct query *query, struct worker *worker,
	const struct subject *subject, size_t *effort, struct failure *failure)
{
	struct recipient *recipient = &query->recipients[query->judged++];
	enum status status = query_fold(query, recipient, worker, failure);

	judge_recipient(query, recipient, worker, subject);
	*effort += JUDGE_EFFORT;
	if (recipient->folded)
		*effort += FOLD_EFFORT + recipient->fold->reports;
	query_keep_budget(query, recipient);
	return status;
}

enum status query_run(struct query *query, struct worker *worker, const char *message,
	size_t length, struct failure *failure)
{
	enum status worst = STATUS_OK;
	bool first = query->judged == 0;
	size_t effort = 0;
	struct token_set set;
	struct subject subject;

	tokenizer_run(worker->tokenizer, message, length, first ? explain_begin(query) : NULL,
		query, &set);
	if (first)
		read_query_origin(query, worker, &set);
	read_subject(query, worker, &set, &subject);
	while (query_goes_on(query) && effort < GO_EFFORT) {
		enum status status = judge_next(query, worker, &subject, &effort, failure);
		worst = status == STATUS_OK ? worst : status;
	}
	if (first && query->explain && !query->out_of_memory)
		explain_verdict(query, worker, &subject.message);
	return worst;
}

bool query_goes_on(const struct query *query)
{
	return query->judged < query->count;
}

size_t query_nobodies(const struct query *query, const char **first)
{
	*first = query->nobody;
	return query->nobodies;
}

/* --- Answers ------------------------------------------------------------------- */

size_t query_count(const struct query *query)
{
	return query->count;
}

const char *query_user(const struct query *query, size_t recipient)
{
	return query->recipients[recipient].user;
}

const struct verdict *query_verdict(const struct query *query, size_t recipient)
{
	return &query->recipients[recipient].verdict;
}

const struct origin *query_origin(const struct query *query)
{
	return &query->origin;
}

bool query_trusts(const struct query *query)
{
	char name[STORE_MAX_NAME + 1];

	return preferences_trusts(query->site->preferences, &query->origin, name);
}

bool query_has_authserv_ids(const struct query *query)
{
	return *query->site->authserv_ids != NULL;
}

size_t query_joint(const struct query *query)
{
	size_t joint = 0;

	for (size_t i = 1; i < query->count; i++) {
		const struct recipient *each = &query->recipients[i],
				       *best = &query->recipients[joint];
		if (verdict_goes_before(
			    &each->verdict, each->milder_by, &best->verdict, best->milder_by))
			joint = i;
	}
	return joint;
}

/* --- Failures ------------------------------------------------------------------ */

const char *service_smtp_reply(enum status status)
{
	switch (status) {
	case STATUS_OVERLOAD:
	case STATUS_TIMEOUT:
		return "421 4.3.2 Spam filter is overloaded, try again later";
	case STATUS_FULL:
		return "452 4.2.2 Spam filter is out of disk space, try again later";
	default:
		return "451 4.3.0 Spam filter cannot judge this message now, try again later";
	}
}

/* What the files around a query share: its state, its stores, its explanation.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/origin/origin.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/private.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"

/* A token as the tokenizer told of it, for the explanation. */
struct told {
	uint64_t key;
	char *field;
	char *text;
};

/* One user for whom the message is judged. */
struct recipient {
	char user[STORE_MAX_USER + 1];
	char domain[STORE_MAX_USER + 1]; /* the scope "@example.org"; "" = none */
	struct user_place *place; /* NULL: no user */
	struct user_fold *fold; /* NULL while cold, and when given up again */
	struct user_place *domain_place; /* NULL: none, or an earlier recipient has it */
	struct user_fold *domain_fold; /* NULL while cold, and without a domain */
	bool folded, domain_folded; /* the stores are this query's work, and known to it alone */
	struct recipient *same_domain; /* the earlier one */
	struct verdict verdict;
	enum list_scope milder_by; /* whose own word made the verdict milder: see verdict.h */
};

struct query {
	struct service *service;
	struct global *global; /* as of begin */
	struct user_rules rules; /* as of begin: configure may come between */
	double reject_uncertainty;
	struct site *site;
	struct recipient *recipients;
	size_t count;
	size_t nobodies; /* of them: names that mean no user */
	const char *nobody; /* the first, as it was written: the caller's */
	size_t judged; /* of them, from the first on */
	size_t budget; /* bytes of stores that it may keep of what it folds */
	size_t held; /* bytes that it does keep, or has handed over to the cache */
	struct origin origin;
	uint64_t sender, list; /* digests for the past */
	bool explain;
	bool hides_own; /* see query_hide_own */
	bool out_of_memory;
	struct told *told;
	size_t told_count;
	struct reason *reasons;
};

/* The preferences of a recipient's domain come with this; NULL = none. */
const struct user_fold *query_domain(const struct recipient *recipient);

/* What a recipient's store is folded from. */
struct user_basis query_basis(const struct query *query, const struct recipient *recipient);

/* Reads the domain's preferences; then the user's fold: makes cold warm. What is read
 * counts as held. */
enum status query_fold_domain(struct query *query, struct recipient *recipient,
	struct worker *worker, struct failure *failure);
enum status query_fold(struct query *query, struct recipient *recipient, struct worker *worker,
	struct failure *failure);

/* Bytes that one query may keep of what it folds, of a cache of so many. */
size_t query_budget(size_t cache_bytes);

/* After the recipient's verdict: frees what was folded for it and has no room. */
void query_keep_budget(struct query *query, struct recipient *recipient);

/* By how much the user's presses have moved the threshold, in score. */
double query_shift(const struct model_params *params, const struct user_fold *fold);

/* Makes room for tokens that explain, which are kept with their texts; NULL when
 * nothing is to be explained. */
tokenizer_watch_fn *explain_begin(struct query *query);

/* Fills in the reasons of the first verdict. */
void explain_verdict(
	struct query *query, struct worker *worker, const struct model_message *message);
void explain_free(struct query *query);

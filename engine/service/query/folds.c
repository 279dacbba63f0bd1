/* What a query folds for its recipients, and how much of it it keeps.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/query/private.h"

/* The part of the cache that one query may fill with what it folds, lest a message to
 * many push everybody else out: users' folds half of that, since a domain's serves many
 * recipients. */
enum { CACHE_SHARE = 4 };

size_t query_budget(size_t cache_bytes)
{
	return cache_bytes / CACHE_SHARE;
}

const struct user_fold *query_domain(const struct recipient *recipient)
{
	return recipient->same_domain ? recipient->same_domain->domain_fold
				      : recipient->domain_fold;
}

static enum status fold(struct query *query, struct user_fold **fold, bool *folded,
	struct worker *worker, const struct user_basis *basis, struct failure *failure)
{
	enum status status = user_fold_make(fold, worker->reader, basis, failure);

	*folded = status == STATUS_OK;
	if (*folded)
		query->held += user_fold_bytes(*fold);
	return status;
}

enum status query_fold_domain(struct query *query, struct recipient *recipient,
	struct worker *worker, struct failure *failure)
{
	struct recipient *first = recipient->same_domain ? recipient->same_domain : recipient;
	struct user_basis basis = {.scope = recipient->domain, .rules = &query->rules};

	if (!first->domain_place || first->domain_fold)
		return STATUS_OK;
	return fold(query, &first->domain_fold, &first->domain_folded, worker, &basis, failure);
}

struct user_basis query_basis(const struct query *query, const struct recipient *recipient)
{
	const struct user_fold *domain = query_domain(recipient);

	return (struct user_basis){.scope = recipient->user,
		.rules = &query->rules,
		.domain = domain ? domain->preferences : NULL,
		.site = query->site->preferences};
}

enum status query_fold(struct query *query, struct recipient *recipient, struct worker *worker,
	struct failure *failure)
{
	enum status status = query_fold_domain(query, recipient, worker, failure);
	struct user_basis basis = query_basis(query, recipient);

	if (status == STATUS_OK && recipient->place && !recipient->fold)
		status = fold(query, &recipient->fold, &recipient->folded, worker, &basis, failure);
	return status;
}

/* Nobody else has seen the store, so it may go on any thread. */
static void give_up(struct query *query, struct user_fold **fold, bool *folded)
{
	query->held -= user_fold_bytes(*fold);
	user_fold_unref(fold);
	*folded = false;
}

/* The first recipient's are kept all the same: a single one wants them for the next
 * message, and the verdict may have to be explained. */
void query_keep_budget(struct query *query, struct recipient *recipient)
{
	struct recipient *first = recipient->same_domain ? recipient->same_domain : recipient;

	if (recipient == query->recipients)
		return;
	if (query->held > query->budget / 2 && recipient->folded)
		give_up(query, &recipient->fold, &recipient->folded);
	if (query->held > query->budget && first->domain_folded)
		give_up(query, &first->domain_fold, &first->domain_folded);
}

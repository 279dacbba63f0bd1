/* A user's fold: the fold of the newest reports, with the preferences that are in
 * force; and the preferences of a domain, which has no reports.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/model/model.h"
#include "engine/service/evidence/table.h"
#include "engine/service/scope/scope.h"
#include "engine/store/store.h"

/* What the fold depends on besides the journal. */
struct user_rules {
	struct model_params params;
	struct policy_bounds bounds;
	double threshold; /* the score that stands for ... */
	double junk_log_odds; /* ... these log-odds */
	double label_error;
	size_t reports; /* newest ones that count */
};

/* The log-odds that a score stands for. */
static inline double rules_log_odds(const struct user_rules *rules, double score)
{
	return rules->junk_log_odds + (score - rules->threshold);
}

/* Immutable once folded. */
struct user_fold {
	struct preferences *preferences;
	struct policy policy; /* of a user: with what domain and site say */
	struct table *table; /* NULL of a domain */
	double bias_sum;
	double bias_gain;
	size_t reports; /* that were folded; 0 = the user has no evidence */
	unsigned references;
};

/* Whose store is folded, and what it rests on. */
struct user_basis {
	const char *scope; /* a user, or "@domain" */
	const struct user_rules *rules;
	const struct preferences *domain; /* NULL for a domain, and a user without one */
	const struct preferences *site;
	/* Called after each report that was folded; NULL = nobody. */
	void (*watch)(void *context, const struct report *report, const struct user_fold *fold);
	void *context;
};

/* [any] Reads the scope's entries and folds its journal. The result has one
 * reference. */
enum status user_fold_make(struct user_fold **fold, struct store_reader *reader,
	const struct user_basis *basis, struct failure *failure);

size_t user_fold_bytes(const struct user_fold *fold);

/* [owner] */
void user_fold_unref(struct user_fold **fold);

/* [any] As global_read. */
void user_fold_read(const struct user_fold *fold, const uint64_t *keys, size_t count, double *sums,
	double *gains, struct model_evidence *evidence);

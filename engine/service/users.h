/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Users' stores and preferences, and those of domains (which have no reports): a
 * user's store is the fold of the newest reports. Kept in an LRU cache with a byte
 * budget. A report or a new entry never changes a store in place: it drops the
 * user from the cache, and the next query folds the journal anew. So undo and flip
 * are exact by construction, and the same journal gives the same store. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/model/model.h"
#include "engine/service/preferences.h"
#include "engine/store/store.h"
#include "engine/store/table.h"

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
struct user_store {
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
	void (*watch)(void *context, const struct report *report, const struct user_store *store);
	void *context;
};

/* [any] Reads the scope's entries and folds its journal. The result has one
 * reference. */
enum status user_store_fold(struct user_store **store, struct store_reader *reader,
	const struct user_basis *basis, struct failure *failure);

size_t user_store_bytes(const struct user_store *store);

/* [owner] */
void user_store_unref(struct user_store **store);

/* [any] As global_read. */
void user_store_read(const struct user_store *store, const uint64_t *keys, size_t count,
	double *sums, double *gains, struct model_evidence *evidence);

/* All of the rest is the owner's. */
struct users;
struct users *users_new(size_t budget);
void users_free(struct users **users);

/* A place in the cache. A query takes one before it folds and hands in what it
 * folded; a report that came between has taken the place out of the cache, and
 * then what was folded too early is not kept. */
struct user_place;

/* The user's place, made when there is none; NULL when out of memory. Gives back
 * with users_done. */
struct user_place *users_take(struct users *users, const char *user);

/* The store at the place, with a reference for the caller; NULL = not folded. */
struct user_store *users_store(struct user_place *place);

/* Ends a use; `folded` (may be NULL) is kept in the cache when the place is
 * still current. Both pointers are set to NULL, the caller's reference goes. */
void users_done(struct users *users, struct user_place **place, struct user_store **folded);

/* Drops one user or domain; all users of a domain; or all. */
void users_drop(struct users *users, const char *user);
void users_drop_domain(struct users *users, const char *domain);
void users_clear(struct users *users);

/* Changes the budget in bytes; drops the least recently used that pass it. */
void users_limit(struct users *users, size_t budget);

size_t users_count(const struct users *users);
size_t users_bytes(const struct users *users);

/* The names in a store are the users that user_name means. When the rules of names change,
 * and in a database from before there were such, they are made so: two spellings of one
 * user become one.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/scope/scope.h"
#include "engine/store/store.h"

/* What has been done so far. */
struct renaming {
	int64_t looked_at; /* users and domains */
	int64_t renamed; /* of them */
	int64_t reports; /* that were put to others of the same user's */
	int64_t nobodies; /* names that mean nobody by these rules: left as they are */
	bool refold; /* the next service_open folds global anew, which takes its time */
	char copy[4096]; /* of the database as it was before; "" = none was made: */
	char reason[256]; /* why not, where one was wanted */
};

/* Called after each piece, so that a long one can be seen to go on; may be NULL. */
typedef void renaming_watch_fn(void *context, const struct renaming *renaming);

/* Before service_open, as the only user of the store. Renames where the rules differ from
 * those that the names were written by, and notes the rules. Before the first name is
 * changed a copy of the database is kept (store_keep_copy). Memory does not grow with the
 * journal; each user is renamed in a durable step of its own, so that it can be ended
 * anywhere and is gone on with the next time.
 *
 * Reports keep their order: of one message that was reported under two spellings the newest
 * report counts. Of two entries the newest holds; but a bar on sharing (ENTRY_CONSENT)
 * always does, and where the one that holds declines and the other had granted, what was
 * shared is withdrawn.
 *
 * STATUS_READONLY and others: the names are as they were, or some of them are. */
enum status renaming_run(struct store *store, const struct user_naming *naming,
	renaming_watch_fn *watch, void *context, struct renaming *renaming,
	struct failure *failure);

/* For who writes reports beside hamletd's start: STATUS_INVALID when the names in the store
 * were written by other rules, which hamletd's configuration would have told. */
enum status renaming_check(
	struct store *store, const struct user_naming *naming, struct failure *failure);

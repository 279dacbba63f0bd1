/* Reports are taken out: what they taught leaves global, and they (or what they
 * shared) leave the store, in one durable step.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/private.h"

/* [writer] Reports leave the store together with a whole checkpoint and with what a former
 * generation has left, and reports that come wait for that. So what has gathered of both is
 * written and cleared before, a piece at a time. *more: a piece was, so call it again before
 * removal_run. *written begins false and is the caller's until then: rows that change
 * meanwhile are left to the removal. NULL: no rows are written, before one that is `late`. */
enum status removal_make_way(
	struct service *service, bool *written, bool *more, struct failure *failure);

/* [writer] All rows have been written: nothing is late any more. */
void removal_settled(struct service *service);

/* Called for each report whose evidence is to go. */
typedef void removal_watch_fn(void *context, const struct report *report);

struct removal {
	struct store_removal what;
	const struct store_entry *entry; /* laid down in the same step; NULL = none */
	removal_watch_fn *watch; /* may be NULL */
	void *context;
	/* On a full disk, in as little room as possible: the rows without what was taught are
	 * left to the checkpoints, for others' reports are among them, and those may take
	 * room. A start in between makes all rows anew from the journal. */
	bool late;
	size_t tokens; /* filled in: tokens of global that changed, unless it is late */
};

/* [writer] Fills in the counts. After a failure nothing has changed. */
enum status removal_run(struct service *service, struct removal *removal, struct failure *failure);

/* Reports are taken out: what they taught leaves global, and they (or what they
 * shared) leave the store, in one durable step.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/private.h"

/* [writer] Prepares a removal, one short step a call. A removal writes all changed rows and
 * deletes what a former generation has left, in one commit; new reports wait for that commit.
 * Each call here does a part of that work beforehand, so that they wait for little.
 * *more: a part was done; call it again before removal_run.
 * *written: false before the first call, then kept by the caller. Once it is true, rows that
 * change are left to the removal itself. NULL: no rows are written at all, as before a removal
 * that is `late`. */
enum status removal_make_way(
	struct service *service, bool *written, bool *more, struct failure *failure);

/* [writer] Notes that all rows are written, so that a start need not make them anew. */
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

/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Reports are taken out: what they taught leaves global, and they (or what they
 * shared) leave the store, in one durable step. */
#pragma once

#include "engine/service/internal.h"

/* [writer] Reports leave the store together with a whole checkpoint and all that is staged,
 * and reports that come wait for that: what has gathered of both is written and cleared
 * before, a piece at a time. *more: a piece was, so call it again before removal_run.
 * *written begins false and is the caller's until then: rows that change meanwhile are
 * left to the removal. NULL: no rows are written, before removal_run_late. */
enum status removal_make_way(
	struct service *service, bool *written, bool *more, struct failure *failure);

/* [writer] All rows have been written: nothing is late any more. */
void removal_settled(struct service *service);

/* Called for each report whose evidence is to go; may be NULL. */
typedef void removal_watch_fn(void *context, const struct report *report);

/* [writer] Fills in the removal's counts. *tokens (may be NULL) grows by the tokens of
 * global that changed. After a failure nothing has changed. */
enum status removal_run(struct service *service, struct store_removal *removal, size_t *tokens,
	removal_watch_fn *watch, void *context, struct failure *failure);

/* [writer] The same on a full disk, in as little room as possible: the reports (or what
 * they shared) leave the store in one step. The rows without what they taught are left to
 * the checkpoints, for others' reports are among them, and those may take room. A start in
 * between makes all rows anew from the journal. */
enum status removal_run_late(struct service *service, struct store_removal *removal,
	removal_watch_fn *watch, void *context, struct failure *failure);

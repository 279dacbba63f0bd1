/* What each kind of change brings: entries (laying-down.c), an erasure (erasure.c), an
 * expiry (expiry.c), an adoption (adoption.c). A new kind is a file with such a table.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/private.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

struct change_kind {
	/* [any] What takes its time before the first step; may be repeated. NULL = nothing. */
	enum status (*prepare)(
		struct change *change, struct worker *worker, struct failure *failure);
	/* [writer] One step. Fills in the receipt. */
	enum status (*run)(struct change *change, struct failure *failure);
	/* Whether there is another step. */
	bool (*goes_on)(const struct change *change);
	/* Whether the next one may take its time. NULL = never. */
	bool (*is_patient)(const struct change *change);
	/* [writer] The disk is full: from now on in little steps. False: it cannot be done, for
	 * the change adds to what is there. NULL likewise. */
	bool (*tighten)(struct change *change);
	/* [owner] What others see of it; also after a failure, since some steps may have been
	 * made. */
	void (*publish)(struct change *change);
	void (*free)(struct change *change);
};

/* Each kind's own struct begins with this. */
struct change {
	const struct change_kind *kind;
	struct service *service;
	struct receipt receipt;
	bool tight; /* on a full disk */
};

/* How far the preparation of a removal is; zeroed before the first step. */
struct change_way {
	bool begun;
	bool written; /* the global rows that had changed before */
	/* Of change_take_some: reports at a time, and the number up to which they are done. */
	size_t piece;
	int64_t taken;
};

/* [writer] A step towards a removal, or the removal itself; the receipt counts what went.
 * *more: there is another step before. On a full disk rows are left for later.
 * STATUS_INTERRUPTED: the process is to end, and this is not the first step. */
enum status change_take_out(struct change *change, struct change_way *way, struct removal *removal,
	bool *more, struct failure *failure);

/* [writer] On a full disk: takes out what some of the user's reports at a time are about, by
 * `kind`, as many as there is room for. *more: there was something, so call it again. */
enum status change_take_some(struct change *change, struct change_way *way,
	enum store_removal_kind kind, const char *user, bool *more, struct failure *failure);

/* [writer] The number of the last report that a selection gives; 0 = it gives none. */
enum status change_find_last(const struct change *change, const struct store_selection *selection,
	int64_t *seq, struct failure *failure);

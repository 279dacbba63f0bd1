/* The global evidence in memory: everybody's evidence. One writer, any number of
 * readers, no locks; sums are exact, so what was added can be taken away.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/model/model.h"
#include "engine/store/store.h"

struct global;

/* Loads rows, all that there are, and replays the journal after them. Beyond `limit` tokens
 * new ones are left out. STATUS_CORRUPT:
 * with *global the rows could be read and the journal up to a damaged place; without
 * it the rows could not be. */
enum status global_load(
	struct global **global, struct store_reader *reader, size_t limit, struct failure *failure);

/* Folds all reports that count instead, without a look at the rows; all of it is yet to
 * be written. Until the first checkpoint that is the same. */
enum status global_fold(
	struct global **global, struct store_reader *reader, size_t limit, struct failure *failure);

/* An empty one that changes are to be added to; NULL when out of memory. */
struct global *global_new(size_t limit);

/* [owner] Whoever reads it on another thread holds a reference. The last one frees
 * it. */
struct global *global_ref(struct global *global);
void global_unref(struct global **global);

/* [any] Fills sums and gains (room for `count` each) and points *evidence at
 * them. */
void global_read(const struct global *global, const uint64_t *keys, size_t count, double *sums,
	double *gains, struct model_evidence *evidence);

/* [writer] Adds a contribution to a report's keys (ascending), or takes it away. */
enum status global_add(struct global *global, const uint64_t *keys, size_t count,
	const struct contribution *contribution);
enum status global_remove(struct global *global, const uint64_t *keys, size_t count,
	const struct contribution *contribution);

/* [writer] Adds all of `part`, which was never clean, or with sign -1 takes it away. On
 * failure nothing was changed. */
enum status global_merge(struct global *global, const struct global *part, double sign);

/* [writer] The journal up to here is included. */
void global_includes(struct global *global, int64_t seq);

/* [writer] Replays what the journal has after global_seq. */
enum status global_catch_up(
	struct global *global, struct store_reader *reader, struct failure *failure);

/* [writer] Writes what changed since the last checkpoint, and in the same step what
 * `with` has (NULL = nothing): a removal, for which these rows are without what it takes
 * out. */
enum status global_checkpoint(struct global *global, struct store *store,
	const struct store_change *with, struct failure *failure);

/* [writer] Commits a change that would have rows to write, and writes none: they are dirty
 * still, and the next global_checkpoint_some begins with the first range. */
enum status global_leave_behind(struct global *global, struct store *store,
	const struct store_change *change, struct failure *failure);

/* [writer] The same in pieces, between which reports may be learned: writes the next
 * ranges with about `most` changed tokens. A checkpoint begins with the first range and
 * goes on until the last one is written, or something else writes all of them. The first
 * one of a store is written whole. */
enum status global_checkpoint_some(
	struct global *global, struct store *store, size_t most, struct failure *failure);
bool global_checkpoint_goes_on(const struct global *global);

/* [writer] Writes all of one that was folded in the place of all rows; they need not be
 * readable. */
enum status global_rewrite(
	struct global *global, struct store *store, bool readable, struct failure *failure);

/* [writer] All its rows, to be freed with free, and it counts as clean from then on:
 * what changes later is the rest. NULL when out of memory. */
struct store_token *global_rows(struct global *global, size_t *count);

/* [writer] Puts it into the store as a generation, all rows of which have been committed but
 * for those that changed since: fills in the last piece and the checkpoint. */
enum status global_adopt(struct global *global, struct store *store,
	struct store_generation *generation, struct failure *failure);

size_t global_dirty(const struct global *global);
size_t global_tokens(const struct global *global);
size_t global_bytes(const struct global *global);
int64_t global_seq(const struct global *global);
int64_t global_checkpoint_seq(const struct global *global);

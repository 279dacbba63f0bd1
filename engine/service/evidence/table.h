/* The in-memory token table: key -> (sum, gain), open addressing with linear
 * probing. One writer and any number of readers at a time, without locks:
 * fields are relaxed atomics, a key is published after its values. A reader may
 * see a token half-way through one report; it never sees a foreign token.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/store/store.h"

struct table;

/* An empty table. It takes new tokens up to `limit` (0 = as memory allows). A token that was
 * taken away and still has its slot (see table_add) comes back even beyond the limit: a batch
 * that is undone and then rolled back has to find the table as it was. NULL when out of
 * memory. */
struct table *table_new(size_t limit);
void table_free(struct table **table);

/* Reads `count` keys: sums[i] and gains[i] are 0 for a key that is unknown.
 * Prefetches, so ask for all keys of a message at once. Any thread. */
void table_read(
	const struct table *table, const uint64_t *keys, size_t count, double *sums, double *gains);

/* Adds to `count` distinct keys the same sum and gain (negative to take away).
 * A token whose gain comes to 0 (or below) holds nothing and reads as unknown;
 * its place is given back when the table next grows.
 * STATUS_NOMEM: nothing was changed. STATUS_LIMIT: the table is full; known
 * tokens were changed, new ones were left out. Writer only. */
enum status table_add(
	struct table *table, const uint64_t *keys, size_t count, double sum, double gain);

/* Sets one token, past the limit as well: what a store holds may be more, when the limit was
 * lowered or the rows are of different times. Writer only; not while readers are at work. */
enum status table_set(struct table *table, uint64_t key, double sum, double gain);

size_t table_count(const struct table *table); /* tokens that hold something */
size_t table_bytes(const struct table *table); /* memory held */

/* Tokens changed since the last table_clean, in the ranges of keys from `from` to before
 * `to`. table_dirty calls `each` for them (gain 0 = gone), by range, else in any order.
 * Takes time in proportion to them. Writer only. Tracking starts with table_track. */
void table_track(struct table *table);
size_t table_dirty_count(const struct table *table, size_t from, size_t to);
void table_dirty(const struct table *table, size_t from, size_t to,
	void (*each)(void *context, uint64_t key, double sum, double gain), void *context);
void table_clean(struct table *table, size_t from, size_t to);

/* Changes and selections of one thing alone, for tests.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "engine/store/store.h"

static inline enum status append_reports(
	struct store *into, struct report *reports, size_t count, struct failure *why)
{
	const struct store_change change = {.reports = reports, .report_count = count};

	return store_commit(into, &change, why);
}

static inline enum status put_entries(
	struct store *into, const struct store_entry *entries, size_t count, struct failure *why)
{
	const struct store_change change = {.entries = entries, .entry_count = count};

	return store_commit(into, &change, why);
}

static inline enum status put_value(
	struct store *into, const char *name, const void *bytes, size_t size, struct failure *why)
{
	const struct store_value value = {.name = name, .bytes = bytes, .size = size};
	const struct store_change change = {.values = &value, .value_count = 1};

	return store_commit(into, &change, why);
}

static inline enum status write_rows(struct store *into, enum store_rows_how how,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *why)
{
	const struct store_rows rows = {
		.how = how, .tokens = tokens, .count = count, .checkpoint = checkpoint};
	const struct store_change change = {.rows = &rows};

	return store_commit(into, &change, why);
}

static inline enum status write_checkpoint(struct store *into, const struct store_token *tokens,
	size_t count, const struct store_checkpoint *checkpoint, struct failure *why)
{
	return write_rows(into, ROWS_CHANGED, tokens, count, checkpoint, why);
}

/* With these rows and this entry (NULL = none) in the same step. */
static inline enum status remove_with(struct store *into, struct store_removal *removal,
	const struct store_entry *entry, const struct store_token *tokens, size_t count,
	const struct store_checkpoint *checkpoint, struct failure *why)
{
	const struct store_rows rows = {.tokens = tokens, .count = count, .checkpoint = checkpoint};
	const struct store_change change = {.removal = removal,
		.rows = &rows,
		.entries = entry,
		.entry_count = entry != NULL,
		.frees = true};

	return store_commit(into, &change, why);
}

static inline enum status bring_piece(
	struct store *into, const struct store_piece *piece, struct failure *why)
{
	const struct store_generation generation = {.piece = *piece};
	const struct store_change change = {.generation = &generation};

	return store_commit(into, &change, why);
}

static inline enum status adopt(
	struct store *into, const struct store_generation *generation, struct failure *why)
{
	const struct store_change change = {.generation = generation};

	return store_commit(into, &change, why);
}

static inline enum status merge_users(struct store *into, struct store_merge *merge,
	const struct store_entry *entries, size_t count, struct failure *why)
{
	const struct store_change change = {
		.merge = merge, .entries = entries, .entry_count = count};

	return store_commit(into, &change, why);
}

static inline enum status lookup_report(struct store_reader *reader, const char *user,
	uint64_t message, int64_t before, struct report *report, struct failure *why)
{
	struct store_lookup lookup = {.user = user, .message = message, .before = before};
	enum status status = store_find(reader, &lookup, 1, why);

	if (status == STATUS_OK && lookup.failure.code != STATUS_OK) {
		*why = lookup.failure;
		return why->code;
	}
	*report = lookup.report;
	return status == STATUS_OK && !lookup.found ? STATUS_NOTFOUND : status;
}

static inline enum status counting_of_user(struct store_reader *reader, const char *user,
	size_t limit, store_report_fn *each, void *context, struct failure *why)
{
	const struct store_selection selection = {.user = user, .counting = true, .limit = limit};

	return store_reports(reader, &selection, each, context, why);
}

static inline enum status all_of_user(struct store_reader *reader, const char *user, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *why)
{
	const struct store_selection selection = {.user = user, .after = after, .limit = limit};

	return store_reports(reader, &selection, each, context, why);
}

static inline enum status counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *why)
{
	const struct store_selection selection = {.counting = true};

	return store_reports(reader, &selection, each, context, why);
}

static inline enum status walk_after(struct store_reader *reader, int64_t after,
	store_report_fn *each, void *context, struct failure *why)
{
	const struct store_selection selection = {.after = after};

	return store_reports(reader, &selection, each, context, why);
}

static inline enum status walk_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *why)
{
	struct store_checkpoint checkpoint;

	return store_tokens(reader, &checkpoint, each, context, why);
}

static inline enum status read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *why)
{
	return store_tokens(reader, checkpoint, NULL, NULL, why);
}

static inline enum status note_last_seq(void *context, const struct report *report)
{
	*(int64_t *)context = report->seq;
	return STATUS_OK;
}

/* The number of the `count`-th report, or of the last one; 0 = there is none. */
static inline enum status find_oldest(struct store_reader *reader, const char *user, size_t count,
	int64_t *seq, struct failure *why)
{
	const struct store_selection oldest = {.user = user, .headers = true, .limit = count};

	*seq = 0;
	return store_reports(reader, &oldest, note_last_seq, seq, why);
}
